"""The jobs of an electrode that calculate nothing: the order that wins, its slab, the record."""

from __future__ import annotations

import math
from typing import Any

from jobflow import JobConfig, OnMissing, job
from pymatgen.core import Structure

from interohm.postprocess.voltages import ElectrodeState, electrode_record
from interohm.records import Metal, Quantity
from interohm.slab_builders.electrodes import host_units
from interohm.slab_builders.slabs import Facet, build_slab, facet_name
from interohm.slab_builders.ties import SAME_ENERGY_EV, first_of_lowest

from .calculations import calculation_of
from .campaign_config import ElectrodePhase
from .context import active_database
from .presets import PRESET
from .steps import known_calculation, triple


@job(config=JobConfig(on_missing_references=OnMissing.NONE))
def lowest_order(orders: list[dict[str, Any] | None]) -> dict[str, Any]:
    """Choose the order of lowest energy per atom; one that failed is left out.

    Returns
    -------
    dict
        Its relaxed ``structure`` and its ``place`` in the list. The first one where nothing is
        calculated yet (a dry run).
    """
    if not any(orders):
        raise RuntimeError("no order of the vacancies finished")
    with active_database() as database:
        found = [None if not order else calculation_of(database, order) for order in orders]
    # In a dry run nothing is there yet: the first one stands for all.
    energies = [math.inf if one is None else one.energy_per_atom_eV for one in found]
    index = first_of_lowest(energies, SAME_ENERGY_EV)
    lowest = orders[index]
    assert lowest is not None  # those that failed count as infinitely high
    return {"structure": lowest["structure"], "place": index}


@job
def cut_order(
    relaxed: Structure,
    index: int,
    *,
    facets: list[Facet],
    thickness_A: float,
    vacuum_A: float,
) -> dict[str, Any]:
    """Cut the slab from the relaxed order; ``facets`` are the indices in each order's own cell."""
    slab = build_slab(
        relaxed,
        triple(facets[index]),
        thickness_A=thickness_A,
        vacuum_A=vacuum_A,
        conductor=True,
    )
    return {
        "structure": slab.structure,
        "period_A": slab.period_A,
        "termination": slab.termination,
    }


@job
def record_electrode(
    contents: list[dict[str, Any]], metal: dict[str, Any], *, facts: dict[str, Any]
) -> Metal:
    """Assemble and save the record of an electrode."""
    phase = ElectrodePhase.model_validate(facts["phase"])
    preset = PRESET.validate_python(facts["preset"])
    mobile_ion = facts["mobile_ion"]
    terminations = {own["cut"]["termination"] for own in contents if "cut" in own}
    with active_database() as database:
        states = []
        for own in contents:
            bulk = known_calculation(database, own["bulk"])
            given = own.get("work_function_eV")
            states.append(
                ElectrodeState(
                    ion_content=own["ion_content"],
                    host_units=host_units(bulk.final_structure, mobile_ion),
                    bulk=bulk,
                    slab=known_calculation(database, own["slab"]) if "slab" in own else None,
                    period_A=own["cut"]["period_A"] if "cut" in own else None,
                    work_function_eV=None if given is None else Quantity.model_validate(given),
                )
            )
        record = electrode_record(
            states,
            known_calculation(database, metal),
            name=phase.name,
            mobile_ion=mobile_ion,
            ion_charge=facts["ion_charge"],
            surface=(
                f"{facet_name(phase.facet)} {'/'.join(sorted(terminations))}-terminated"
                if phase.facet is not None and terminations
                else phase.surface
            ),
            uncertainties=preset.uncertainties,
            provenance={
                "engine": preset.engine,
                "functional": preset.xc,
                "preset": preset.name,
                "structure_source": phase.structure,
                "orders": {f"{own['ion_content']:g}": own["rivals"] for own in contents},
            },
        )
        database.save_material(record)
    return record
