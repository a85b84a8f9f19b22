"""The flow of an electrode along its state of charge: orders of vacancies, bulk, slabs, record."""

from __future__ import annotations

from typing import Any

from jobflow import Flow, Job
from pymatgen.core import Structure

from interohm.errors import InputError
from interohm.slab_builders.cells import Crystal
from interohm.slab_builders.electrodes import facet_in, ordered_vacancies
from interohm.slab_builders.slabs import build_slab, facet_name

from .campaign_config import ElectrodePhase
from .electrode_jobs import cut_order, lowest_order, record_electrode
from .presets import AnyPreset, MetalSteps
from .step_settings import Step
from .steps import bulk_jobs, calculation_job
from .vasp_presets import VaspMetalSteps, VaspStep


def electrode_steps(phase: ElectrodePhase, preset: AnyPreset) -> MetalSteps | VaspMetalSteps:
    """Return the preset's steps for electrodes, or say that it has none."""
    if preset.electrode is None:
        raise InputError(
            f"the preset {preset.name} has no steps for electrodes",
            where=f"{phase.name}: preset",
            fix="name one that has them, such as `production`, or give it `electrode:`",
        )
    return preset.electrode


def electrode_flow(
    phase: ElectrodePhase,
    structure: Structure,
    metal: Structure,
    preset: AnyPreset,
    *,
    mobile_ion: str,
    ion_charge: int,
) -> Flow:
    """Return the flow of an electrode: at every ion content orders, bulk, slab; then the record.

    Parameters
    ----------
    phase : ElectrodePhase
        Its description in the campaign.
    structure, metal : Structure
        Structure of the phase with all of its mobile ions, and of the mobile element's metal.
    preset : AnyPreset
        The settings of all steps.
    mobile_ion : str
        Its element.
    ion_charge : int
        Charge of the mobile ion, in elementary charges.

    Raises
    ------
    InputError
        The preset has no steps for electrodes, an ion content has no small cell, or a surface that
        is to be calculated is polar.
    """
    steps = electrode_steps(phase, preset)
    crystal = Crystal.from_structure(structure)
    jobs: list[Job] = []
    contents: list[dict[str, Any]] = []
    for state in phase.states:
        label = f"{phase.name} at {state.ion_content:g}"
        orders = ordered_vacancies(
            crystal.primitive, mobile_ion, state.ion_content, most_units=phase.most_units
        )[: phase.most_orders]
        cells = [
            _calculation(f"{label}: order {index}", order, preset, "cell", steps.cell)
            for index, order in enumerate(orders, start=1)
        ]
        lowest = lowest_order([cell.output for cell in cells])
        lowest.name = f"{label}: lowest order"
        relaxed = lowest.output["structure"]
        bulk = _calculation(f"{label}: bulk", relaxed, preset, "static", steps.bulk)
        jobs += [*cells, lowest, bulk]
        own: dict[str, Any] = {
            "ion_content": state.ion_content,
            "bulk": bulk.output,
            "rivals": [cell.output["hash"] for cell in cells],
        }
        if state.work_function_eV is not None:
            own["work_function_eV"] = state.work_function_eV.model_dump(mode="json")
        else:
            assert phase.facet is not None  # see ElectrodePhase
            facets = [facet_in(crystal.conventional, phase.facet, order) for order in orders]
            size: dict[str, Any] = {
                "thickness_A": steps.slab.thickness_A,
                "vacuum_A": steps.slab.vacuum_A,
            }
            for order, facet in zip(orders, facets, strict=True):
                # A polar surface is refused before anything is calculated.
                build_slab(order, facet, **size, conductor=True)
            cut = cut_order(relaxed, lowest.output["place"], facets=facets, **size)
            cut.name = f"{label}: cut slab"
            slab = _calculation(
                f"{label}: slab {facet_name(phase.facet)}",
                cut.output["structure"],
                preset,
                "static" if steps.slab.relaxation is None else "relax",
                steps.slab,
            )
            jobs += [cut, slab]
            own |= {"slab": slab.output, "cut": cut.output}
        contents.append(own)
    metal_cell, metal_bulk = bulk_jobs(
        Crystal.from_structure(metal), preset, "metal", f"{mobile_ion} metal"
    )
    record = record_electrode(
        contents,
        metal_bulk.output,
        facts={
            "phase": phase.model_dump(mode="json"),
            "preset": preset.model_dump(mode="json"),
            "mobile_ion": mobile_ion,
            "ion_charge": ion_charge,
        },
    )
    record.name = f"{phase.name}: record"
    return Flow([*jobs, metal_cell, metal_bulk, record], name=phase.name, output=record.output)


def _calculation(
    label: str, structure: Any, preset: AnyPreset, kind: str, step: Step | VaspStep
) -> Job:
    return calculation_job(label, structure, preset, kind, step.engine_settings(preset.xc))
