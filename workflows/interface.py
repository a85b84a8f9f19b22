"""The flow of one interface: common cell, registry, gap, relaxed contact, line-up, hop across."""

from __future__ import annotations

from typing import Any

from jobflow import Flow, Job
from pymatgen.core import Structure

from interohm.errors import InputError
from interohm.slab_builders.cells import Crystal
from interohm.slab_builders.interfaces import best_match, find_matches

from .campaign_config import InterfacePhase, InterfaceSide
from .interface_jobs import (
    GAP_STEPS_A,
    NORMAL_STRAINS,
    choose_registry,
    close_gap,
    join_ends,
    match_slabs,
    part_sides,
    place_ion,
    settle_strain,
    side_of,
)
from .interface_record import record_interface
from .presets import InterfaceStep, Preset, Step
from .steps import bulk_jobs, calculation_job

#: The two sides of a flow's lists, in their order.
SIDES = ("left", "right")


def interface_flow(
    phase: InterfacePhase,
    structures: tuple[Structure, Structure],
    preset: Preset,
    *,
    mobile_ion: str,
    ion_charge: int,
) -> Flow:
    """Return the flow of an interface.

    Parameters
    ----------
    phase : InterfacePhase
    structures : (Structure, Structure)
        Of the left and the right crystal.
    preset : Preset
        With ``interface``.
    mobile_ion : str
    ion_charge : int

    Raises
    ------
    InputError
        The preset has no settings for interfaces, a surface is polar, or the surfaces have no
        common cell within the limits.
    """
    step = interface_step(phase, preset)
    crystals = [Crystal.from_structure(structure) for structure in structures]
    specs = [
        {
            "facet": list(side.facet),
            "conventional": crystal.conventional,
            "primitive": crystal.primitive,
        }
        for side, crystal in zip((phase.left, phase.right), crystals, strict=True)
    ]
    _check_match(phase, specs, crystals, step)
    limits = {
        "strained": phase.strained,
        "max_strain": phase.max_strain,
        "max_atoms": phase.max_atoms,
    }
    cells, bulks = zip(
        *(
            bulk_jobs(crystal, preset, side.kind, label_of(crystal, side))
            for side, crystal in zip((phase.left, phase.right), crystals, strict=True)
        ),
        strict=True,
    )
    relaxed = [cell.output["structure"] for cell in cells]
    thickness = {"thickness_A": step.thickness_A}

    matched = match_slabs(specs, relaxed, **limits, max_matches=phase.max_matches, **thickness)
    matched.name = f"{phase.name}: common cell"
    gives_way = phase.left if phase.strained == "left" else phase.right
    bulk_step = (preset.metal if gives_way.kind == "metal" else preset.insulator).bulk
    stretched = [
        calculation_job(
            f"{phase.name}: strained {gives_way.record}, height {place + 1}",
            matched.output["bulks"][place],
            preset,
            "static",
            bulk_step.engine_settings(preset.xc),
        )
        for place in range(len(NORMAL_STRAINS))
    ]
    settled = settle_strain(
        specs,
        relaxed,
        matched.output,
        [job.output for job in stretched],
        **thickness,
        vacuum_A=step.vacuum_A,
        divisions=phase.registries,
    )
    settled.name = f"{phase.name}: strained slabs"
    strained = calculation_job(
        f"{phase.name}: strained {gives_way.record}",
        settled.output["bulk"],
        preset,
        "static",
        bulk_step.engine_settings(preset.xc),
    )
    edges = [
        strained if side == phase.strained else bulks[place] for place, side in enumerate(SIDES)
    ]
    free = [job for place in range(2) for job in _free_slabs(phase, preset, step, settled, place)]

    electrons = contact_step(phase, step)
    scan = electrons.model_copy(update={"kpoint_length_A": step.scan_kpoint_length_A})
    scanned = [
        calculation_job(
            f"{phase.name}: shift {place + 1}",
            settled.output["sandwiches"][place],
            preset,
            "static",
            scan.engine_settings(preset.xc),
        )
        for place in range(phase.registries**2)
    ]
    given = (specs, relaxed, matched.output, settled.output)
    registry = choose_registry(*given, [job.output for job in scanned], **thickness)
    registry.name = f"{phase.name}: registry"
    gaps = [
        calculation_job(
            f"{phase.name}: gap {delta:+.1f} Å",
            registry.output["sandwiches"][place],
            preset,
            "static",
            scan.engine_settings(preset.xc),
        )
        for place, delta in enumerate(GAP_STEPS_A)
    ]
    contact = close_gap(
        *given,
        registry.output,
        [job.output for job in scanned],
        [job.output for job in gaps],
        **thickness,
    )
    contact.name = f"{phase.name}: gap"
    settings = electrons.engine_settings(preset.xc)
    joined = calculation_job(
        f"{phase.name}: contact",
        contact.output["structure"],
        preset,
        "relax",
        {**settings, "relaxation": step.relaxation.model_dump(mode="json")},
    )
    parts = part_sides(contact.output, joined.output["structure"])
    parts.name = f"{phase.name}: sides apart"
    alone = [
        calculation_job(
            f"{phase.name}: {side} side alone", parts.output[side], preset, "static", settings
        )
        for side in SIDES
    ]
    hop_jobs, hop = _hop(phase, preset, step, given, registry, contact, mobile_ion, ion_charge)
    record = record_interface(
        [job.output for job in edges],
        [job.output for job in free],
        joined.output,
        [job.output for job in alone],
        matched.output,
        settled.output,
        registry.output,
        contact.output,
        hop,
        facts={
            "interface": phase.model_dump(mode="json"),
            "preset": preset.model_dump(mode="json"),
            "mobile_ion": mobile_ion,
        },
    )
    record.name = f"{phase.name}: document"
    return Flow(
        [
            *cells,
            matched,
            *stretched,
            settled,
            *scanned,
            registry,
            *gaps,
            contact,
            joined,
            strained,
            bulks[0 if phase.strained == "right" else 1],
            *free,
            parts,
            *alone,
            *hop_jobs,
            record,
        ],
        name=phase.name,
        output=record.output,
    )


def interface_step(phase: InterfacePhase, preset: Preset) -> InterfaceStep:
    """Return the preset's settings for interfaces, or say that it has none."""
    if preset.interface is None:
        raise InputError(
            f"the preset {preset.name} has no settings for interfaces",
            where=f"{phase.name}: preset",
            fix="give it `interface`, as production has it",
        )
    if phase.hop is not None and preset.interface.hop is None:
        raise InputError(
            f"the preset {preset.name} has no settings for hops across interfaces",
            where=f"{phase.name}: hop",
            fix="give it `interface.hop`, or leave the hop out",
        )
    return preset.interface


def contact_step(phase: InterfacePhase, step: InterfaceStep) -> Step:
    """Return the electronic settings of a contact."""
    kinds = {phase.left.kind, phase.right.kind}
    return step.metal if "metal" in kinds else step.insulators


def label_of(crystal: Crystal, side: InterfaceSide) -> str:
    """Return what the jobs of a side's crystal are called."""
    formula = crystal.primitive.composition.reduced_formula
    return f"{formula} metal" if side.kind == "metal" else str(formula)


def _check_match(
    phase: InterfacePhase,
    specs: list[dict[str, Any]],
    crystals: list[Crystal],
    step: InterfaceStep,
) -> None:
    """Refuse surfaces without a common cell before anything is calculated.

    The crystals are not relaxed yet, so that a cell within twice the strain may become one.
    """
    slabs = [
        side_of(spec, crystal.primitive, thickness_A=step.thickness_A)
        for spec, crystal in zip(specs, crystals, strict=True)
    ]
    limits = {"max_strain": 2 * phase.max_strain, "max_atoms": phase.max_atoms}
    try:
        best_match(
            find_matches(*slabs, strained=phase.strained, **limits),  # type: ignore[arg-type]
            **limits,  # type: ignore[arg-type]
        )
    except InputError as error:
        raise InputError(
            f"{phase.name}: {error.what}", where=f"phases: {error.where}", fix=error.fix
        ) from None


def _free_slabs(
    phase: InterfacePhase, preset: Preset, step: InterfaceStep, settled: Job, place: int
) -> list[Job]:
    """Return the slab of one side as cut, and relaxed."""
    side = (phase.left, phase.right)[place]
    electrons = step.metal if side.kind == "metal" else step.insulators
    settings = electrons.engine_settings(preset.xc, periodic_axes=2)
    relaxation = step.relaxation.model_dump(mode="json")
    return [
        calculation_job(
            f"{phase.name}: slab of {side.record}, {label}",
            settled.output["free"][place],
            preset,
            kind,
            {**settings, **extra},
        )
        for label, kind, extra in (
            ("as cut", "static", {}),
            ("relaxed", "relax", {"relaxation": relaxation}),
        )
    ]


def _hop(
    phase: InterfacePhase,
    preset: Preset,
    step: InterfaceStep,
    given: tuple[Any, ...],
    registry: Job,
    contact: Job,
    mobile_ion: str,
    ion_charge: int,
) -> tuple[list[Job], dict[str, Any] | None]:
    """Return the jobs of the hop across, and their outputs."""
    if phase.hop is None:
        return [], None
    assert step.hop is not None
    electrons = contact_step(phase, step).model_copy(
        update={"kpoint_length_A": step.hop.kpoint_length_A}
    )
    settings = electrons.engine_settings(preset.xc)
    # Beside a metal its electrons settle the vacancy's charge; between insulators it is the ion's.
    charge = 0 if "metal" in (phase.left.kind, phase.right.kind) else -ion_charge
    placed = place_ion(
        *given,
        registry.output,
        contact.output,
        ion=mobile_ion,
        thickness_A=step.hop.thickness_A,
        lateral_A=phase.hop.lateral_A,
    )
    placed.name = f"{phase.name}: ends of the hop"
    ends = [
        calculation_job(
            f"{phase.name}: ion {where} its hop",
            placed.output[where],
            preset,
            "relax",
            {**settings, "relaxation": step.hop.ends.model_dump(mode="json")},
            charge,
        )
        for where in ("before", "after")
    ]
    joined = join_ends(*(end.output["structure"] for end in ends))
    joined.name = f"{phase.name}: ends of the path"
    path = calculation_job(
        f"{phase.name}: hop across",
        joined.output["before"],
        preset,
        "neb",
        {
            **settings,
            **step.hop.changes(),
            "path": {
                "images": step.hop.images,
                "spring_eV_A2": step.hop.spring_eV_A2,
                "end_positions_A": joined.output["end_positions_A"],
            },
        },
        charge,
    )
    outputs = {"placed": placed.output, "ends": [end.output for end in ends], "path": path.output}
    return [placed, *ends, joined, path], outputs
