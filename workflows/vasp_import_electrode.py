"""The record of an electrode from finished calculations along its ion content."""

from __future__ import annotations

from typing import Any

from interohm.errors import InputError
from interohm.postprocess.calculation import Calculation
from interohm.postprocess.comparison import energy_differences
from interohm.postprocess.voltages import ElectrodeState, electrode_record
from interohm.records import Metal
from interohm.slab_builders.cells import Crystal
from interohm.slab_builders.electrodes import host_units
from interohm.slab_builders.identify import has_vacuum, repeat_distance
from interohm.slab_builders.slabs import facet_name
from interohm.slab_builders.ties import SAME_ENERGY_EV, first_of_lowest

from .vasp_folders import Finished
from .vasp_import_config import CONFIG, ImportConfig, ImportedElectrode, ImportedState


def electrode(phase: ImportedElectrode, config: ImportConfig, finished: Finished) -> Metal:
    """Return the record: voltages between the orders of lowest energy, work functions of slabs.

    Raises
    ------
    InputError
        There are fewer than two ion contents, a work function is missing, or energies do not
        compare.
    """
    mobile_ion = config.mobile_ion
    where = f"{finished.root / CONFIG}, {phase.name}"
    there = finished.host_states(phase.formula, mobile_ion)
    wanted = phase.states or [ImportedState(ion_content=content) for content in sorted(there)]
    if len(wanted) < 2:
        raise InputError(
            f"an electrode needs two ion contents, the folders have "
            f"{', '.join(f'{content:g}' for content in there) or 'none'}",
            where=where,
            fix=f"calculate its host with and without {mobile_ion}",
        )
    metal = finished.choose(
        f"{mobile_ion} metal",
        phase.metal,
        finished.bulks(mobile_ion),
        only=f"bulk of {mobile_ion} alone, whose energy is the zero of mu",
        rivals=finished.doubtful_bulks(mobile_ion),
    )
    states, orders = [], {}
    for state in wanted:
        label = f"{phase.name} at {state.ion_content:g}"
        own = [
            name
            for content, names in there.items()
            if abs(content - state.ion_content) < 1e-3
            for name in names
        ]
        cells = [n for n in own if not has_vacuum(finished.calculations[n].final_structure)]
        bulk = _lowest(label, state, cells, mobile_ion, finished)
        states.append(_state(label, state, bulk, own, phase, mobile_ion, finished))
        orders[f"{state.ion_content:g}"] = cells
    compared = [state.bulk for state in states]
    for other in [metal, *compared[1:]]:
        for name, (ours, theirs) in energy_differences(other, compared[0]).items():
            raise InputError(
                f"{name} is {ours}, in {finished.name_of(compared[0])} it is {theirs}: their total "
                "energies cannot be subtracted",
                where=finished.path_of(other),
                fix="calculate both with the same settings",
            )
    return electrode_record(
        states,
        metal,
        name=phase.name,
        mobile_ion=mobile_ion,
        ion_charge=config.ion_charge,
        surface=facet_name(phase.facet) if phase.facet is not None else phase.surface,
        uncertainties=config.uncertainties,
        provenance={
            "engine": "vasp, imported",
            "functional": compared[0].settings["xc"],
            "potcars": compared[0].settings["potcars"],
            "orders": orders,
            "folders": _folders(states, metal, finished),
        },
    )


def _lowest(
    label: str, state: ImportedState, cells: list[str], mobile_ion: str, finished: Finished
) -> Calculation:
    """Return the order of lowest energy: of static runs, where there are any."""
    if state.bulk is not None:
        return finished.choose(f"{label}, bulk", state.bulk, cells, only=f"crystal of {label}")
    static = [name for name in cells if finished.calculations[name].kind == "static"]
    rivals = static or cells
    if not rivals:
        return finished.choose(f"{label}, bulk", None, [])

    def energy_eV(name: str) -> float:
        one = finished.calculations[name]
        return one.energy_eV / host_units(one.final_structure, mobile_ion)

    first = finished.calculations[rivals[0]]
    for name in rivals[1:]:
        for what, (ours, theirs) in energy_differences(finished.calculations[name], first).items():
            raise InputError(
                f"{what} is {ours}, in {rivals[0]} it is {theirs}: it cannot be decided which "
                "order has the lower energy",
                where=str(finished.root / name),
                fix=f"name the bulk of {label} in {CONFIG}",
            )
    finished.used.update(cells)
    lowest = first_of_lowest([energy_eV(name) for name in rivals], SAME_ENERGY_EV)
    return finished.calculations[rivals[lowest]]


def _state(
    label: str,
    state: ImportedState,
    bulk: Calculation,
    own: list[str],
    phase: ImportedElectrode,
    mobile_ion: str,
    finished: Finished,
) -> ElectrodeState:
    slab = period_A = None
    if state.work_function_eV is None:
        facet = state.facet or phase.facet
        if facet is None:
            raise InputError(
                f"{label}: without a facet, no slab gives its work function",
                where=f"{finished.root / CONFIG}, {phase.name}",
                fix="give facet, or work_function_eV at every ion content",
            )
        slabs = [n for n in own if has_vacuum(finished.calculations[n].final_structure)]
        slab = finished.choose(f"{label}, slab", state.slab, slabs)
        period_A = repeat_distance(Crystal.from_structure(bulk.final_structure), facet)
    return ElectrodeState(
        ion_content=state.ion_content,
        host_units=host_units(bulk.final_structure, mobile_ion),
        bulk=bulk,
        slab=slab,
        period_A=period_A,
        work_function_eV=state.work_function_eV,
    )


def _folders(
    states: list[ElectrodeState], metal: Calculation, finished: Finished
) -> dict[str, Any]:
    found = {"metal": finished.name_of(metal)}
    for state in states:
        found[f"bulk at {state.ion_content:g}"] = finished.name_of(state.bulk)
        if state.slab is not None:
            found[f"slab at {state.ion_content:g}"] = finished.name_of(state.slab)
    return found
