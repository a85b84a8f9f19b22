"""The jobs of an electrode that calculate nothing: the order that wins, its slab, the record."""

from __future__ import annotations

from typing import Any

from interohm.postprocess.calculation import Calculation
from interohm.postprocess.voltages import ElectrodeState, electrode_record
from interohm.slab_builders.electrodes import host_units
from interohm.slab_builders.slabs import Facet, build_slab, facet_name
from jobflow import JobConfig, OnMissing, job
from pymatgen.core import Structure

from interohm.records import Quantity, material_document

from .calculations import find_calculation
from .campaign_config import ElectrodePhase
from .context import active_database
from .presets import PRESET


@job(config=JobConfig(on_missing_references=OnMissing.NONE))
def lowest_order(orders: list[dict[str, Any] | None]) -> dict[str, Any]:
    """Choose the order of lowest energy per atom; one that failed is left out.

    Returns
    -------
    dict
        Its relaxed ``structure`` and its ``place`` in the list. The first one where nothing is
        calculated yet (a dry run).
    """
    present = [(place, order) for place, order in enumerate(orders) if order is not None]
    if not present:
        raise RuntimeError("no order of the vacancies finished")
    known = [entry for entry in present if entry[1].get("energy_per_atom_eV") is not None]
    place, order = min(known or present[:1], key=lambda entry: entry[1]["energy_per_atom_eV"])
    return {"structure": order["structure"], "place": place}


@job
def cut_order(
    relaxed: Structure,
    place: int,
    *,
    facets: list[Facet],
    thickness_A: float,
    vacuum_A: float,
) -> dict[str, Any]:
    """Cut the slab from the relaxed order; ``facets`` are the indices in each order's own cell."""
    slab = build_slab(relaxed, tuple(facets[place]), thickness_A=thickness_A, vacuum_A=vacuum_A)
    return {
        "structure": slab.structure,
        "period_A": slab.period_A,
        "termination": slab.termination,
    }


@job
def record_electrode(
    contents: list[dict[str, Any]], metal: dict[str, Any], *, facts: dict[str, Any]
) -> dict[str, Any]:
    """Assemble and save the record of an electrode."""
    phase = ElectrodePhase.model_validate(facts["phase"])
    preset = PRESET.validate_python(facts["preset"])
    mobile_ion = facts["mobile_ion"]
    terminations = {own["cut"]["termination"] for own in contents if "cut" in own}
    with active_database() as database:

        def known(output: dict[str, Any]) -> Calculation:
            found = find_calculation(database, output["hash"])
            if found is None:
                raise RuntimeError(f"calculation {output['hash'][:12]} is gone from the database")
            return found

        states = []
        for own in contents:
            bulk = known(own["bulk"])
            given = own.get("work_function_eV")
            states.append(
                ElectrodeState(
                    ion_content=own["ion_content"],
                    host_units=host_units(bulk.final_structure, mobile_ion),
                    bulk=bulk,
                    slab=known(own["slab"]) if "slab" in own else None,
                    period_A=own["cut"]["period_A"] if "cut" in own else None,
                    work_function_eV=None if given is None else Quantity.model_validate(given),
                )
            )
        record = electrode_record(
            states,
            known(metal),
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
    return material_document(record)
