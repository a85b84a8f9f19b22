"""The flow of one interface: common cell, registry, gap, relaxed contact, line-up, hop across."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from jobflow import Flow, Job
from pymatgen.core import Structure

from interohm.database import Database
from interohm.errors import InputError
from interohm.slab_builders.cells import Crystal
from interohm.slab_builders.interfaces import (
    distinct_registries,
    find_matches,
    join,
)

from .calculations import known_as
from .campaign_config import InterfacePhase, InterfaceSide
from .engines import engine_named
from .interface_jobs import (
    GAP_STEPS_A,
    NORMAL_STRAINS,
    choose_registry,
    chosen_match,
    close_gap,
    join_ends,
    left_out,
    match_slabs,
    part_sides,
    place_ion,
    settle_strain,
    side_of,
)
from .interface_record import record_interface
from .presets import AnyPreset, InterfaceStep
from .steps import bulk_jobs, calculation_job
from .vasp_presets import VaspInterfaceStep

#: Of a crystal or a stack that its neighbour holds: no phase of a diagram.
HELD = {"cell_held": True}
_OF_A_HOP: tuple[Literal["ends"], Literal["path"]] = ("ends", "path")
#: A free slab as cut and relaxed.
_FREE_SLABS: tuple[tuple[str, Literal["static", "relax"]], ...] = (
    ("as cut", "static"),
    ("relaxed", "relax"),
)
#: The two sides of a flow's lists, in their order.
SIDES = ("left", "right")


def interface_flow(
    phase: InterfacePhase,
    structures: tuple[Structure, Structure],
    preset: AnyPreset,
    *,
    mobile_ion: str,
    ion_charge: int,
) -> Flow:
    """Return the flow of an interface.

    Parameters
    ----------
    phase : InterfacePhase
        Its description in the campaign.
    structures : (Structure, Structure)
        Structures of the left and the right crystal.
    preset : AnyPreset
        With ``interface``.
    mobile_ion : str
        Its element.
    ion_charge : int
        Charge of the mobile ion, in elementary charges.

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
            "conductor": side.kind == "metal",
            "charges": side.oxidation_states,
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

    hashes = [cell.output["hash"] for cell in cells]
    matched = match_slabs(
        specs, relaxed, hashes, **limits, max_matches=phase.max_matches, **thickness
    )
    matched.name = f"{phase.name}: common cell"
    gives_way = phase.left if phase.strained == "left" else phase.right
    bulk_step = (preset.metal if gives_way.kind == "metal" else preset.insulator).bulk
    stretched = [
        calculation_job(
            f"{phase.name}: strained {gives_way.record}, height {index + 1}",
            matched.output["bulks"][index],
            preset,
            "static",
            {**bulk_step.engine_settings(preset.xc), **HELD},
        )
        for index in range(len(NORMAL_STRAINS))
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
        {**bulk_step.engine_settings(preset.xc), **HELD},
    )
    edges = [
        strained if side == phase.strained else bulks[index] for index, side in enumerate(SIDES)
    ]
    free = [job for index in range(2) for job in _free_slabs(phase, preset, step, settled, index)]

    metallic = "metal" in (phase.left.kind, phase.right.kind)
    axes = contact_axes(phase)
    scan = {**step.settings("scan", preset.xc, metallic=metallic, axes=axes), **HELD}
    scanned = [
        calculation_job(
            f"{phase.name}: shift {index + 1}",
            settled.output["sandwiches"][index],
            preset,
            "static",
            scan,
        )
        for index in range(phase.registries**2)
    ]
    given = (specs, relaxed, matched.output, settled.output)
    registry = choose_registry(*given, [job.output for job in scanned], **thickness)
    registry.name = f"{phase.name}: registry"
    gaps = [
        calculation_job(
            f"{phase.name}: gap {delta:+.1f} Å",
            registry.output["sandwiches"][index],
            preset,
            "static",
            scan,
        )
        for index, delta in enumerate(GAP_STEPS_A)
    ]
    contact = close_gap(
        *given,
        registry.output,
        [job.output for job in scanned],
        [job.output for job in gaps],
        **thickness,
    )
    contact.name = f"{phase.name}: gap"
    joined = calculation_job(
        f"{phase.name}: contact",
        contact.output["structure"],
        preset,
        "relax",
        step.settings("relax", preset.xc, metallic=metallic, axes=axes),
    )
    parts = part_sides(contact.output, joined.output["structure"])
    parts.name = f"{phase.name}: sides apart"
    alone = [
        calculation_job(
            f"{phase.name}: {side} side alone",
            parts.output[side],
            preset,
            "static",
            step.settings("static", preset.xc, metallic=metallic, axes=axes),
        )
        for side in SIDES
    ]
    across = _Across(phase, preset, step, given, registry, contact, mobile_ion, ion_charge)
    hop_jobs: list[Job] = []
    hop, other = None, None
    if phase.hop is not None:
        hop_jobs, hop = across.hop(phase.hop.lateral_A, "")
        if (width := phase.hop.other_lateral_A) is not None:
            more, other = across.hop(width, f", {width:g} Å")
            hop_jobs += more
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
        other,
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


def interface_plan(
    phase: InterfacePhase,
    structures: tuple[Structure, Structure],
    preset: AnyPreset,
    database: Database,
) -> list[str]:
    """Describe an interface's common cell and registries, and why others were left out.

    Crystals that are not calculated yet are as the campaign gives them; the strained side's height
    follows from calculations, and is left as it is here.
    """
    step = interface_step(phase, preset)
    slabs, settled = [], True
    for side, structure in zip((phase.left, phase.right), structures, strict=True):
        crystal = Crystal.from_structure(structure)
        steps = preset.metal if side.kind == "metal" else preset.insulator
        request = engine_named(preset.engine).request(
            crystal.primitive, "cell", steps.cell.engine_settings(preset.xc), 0
        )
        known = known_as(database, request)
        spec = {
            "facet": side.facet,
            "conventional": crystal.conventional,
            "primitive": crystal.primitive,
            "conductor": side.kind == "metal",
            "charges": side.oxidation_states,
        }
        settled = settled and known is not None
        relaxed = crystal.primitive if known is None else known.calculation.final_structure
        slabs.append(side_of(spec, relaxed, thickness_A=step.thickness_A))
    limits = {"max_strain": phase.max_strain, "max_atoms": phase.max_atoms}
    matches = find_matches(*slabs, strained=phase.strained, **limits)  # type: ignore[arg-type]
    match = chosen_match(matches, known=settled, **limits)  # type: ignore[arg-type]
    joint = join(slabs[0], slabs[1], match)
    shifts, same = distinct_registries(joint, phase.registries)
    gives_way = phase.left if phase.strained == "left" else phase.right
    low, high = match.principal
    lines = [
        f"{phase.name}: {match.atoms} atoms, {joint.area_A2:.1f} Å²; {gives_way.record} is "
        f"strained by {100 * low:+.1f} and {100 * high:+.1f} % in the plane (mean "
        f"{100 * match.mean_strain:.1f} %)",
        f"  {len(shifts)} of {phase.registries**2} lateral shifts are calculated",
    ]
    if not settled:
        lines.append("  preliminary: a crystal is not relaxed yet")
    if same:
        lines[1] += f" ({'; '.join(same)})"
    others = left_out(matches, match, max_matches=phase.max_matches, **limits)  # type: ignore[arg-type]
    return lines + [f"  left out: {reason}" for reason in others]


def interface_step(phase: InterfacePhase, preset: AnyPreset) -> InterfaceStep | VaspInterfaceStep:
    """Return the preset's settings for interfaces, or say that it has none."""
    if preset.interface is None:
        raise InputError(
            f"the preset {preset.name} has no settings for interfaces",
            where=f"{phase.name}: preset",
            fix="give it `interface`, as in production",
        )
    if phase.hop is not None and preset.interface.hop is None:
        raise InputError(
            f"the preset {preset.name} has no settings for hops across interfaces",
            where=f"{phase.name}: hop",
            fix="give it `interface.hop`, or leave the hop out",
        )
    return preset.interface


def contact_axes(phase: InterfacePhase) -> Literal[2, 3]:
    """Return along how many axes electrons move: an insulator lets none across."""
    return 2 if "insulator" in (phase.left.kind, phase.right.kind) else 3


def label_of(crystal: Crystal, side: InterfaceSide) -> str:
    """Return what the jobs of a side's crystal are called."""
    formula = crystal.primitive.composition.reduced_formula
    return f"{formula} metal" if side.kind == "metal" else str(formula)


def _check_match(
    phase: InterfacePhase,
    specs: list[dict[str, Any]],
    crystals: list[Crystal],
    step: InterfaceStep | VaspInterfaceStep,
) -> None:
    """Refuse surfaces without a common cell before anything is calculated.

    The crystals are not relaxed yet, so that a cell within twice the strain may become one.
    """
    slabs = [
        side_of(spec, crystal.primitive, thickness_A=step.thickness_A)
        for spec, crystal in zip(specs, crystals, strict=True)
    ]
    limits = {"max_strain": phase.max_strain, "max_atoms": phase.max_atoms}
    try:
        matches = find_matches(*slabs, strained=phase.strained, **limits)  # type: ignore[arg-type]
        chosen_match(matches, known=False, **limits)  # type: ignore[arg-type]
    except InputError as error:
        raise InputError(
            f"{phase.name}: {error.what}", where=f"phases: {error.where}", fix=error.fix
        ) from None


def _free_slabs(
    phase: InterfacePhase,
    preset: AnyPreset,
    step: InterfaceStep | VaspInterfaceStep,
    settled: Job,
    index: int,
) -> list[Job]:
    """Return the slab of one side as cut, and relaxed."""
    side = (phase.left, phase.right)[index]
    return [
        calculation_job(
            f"{phase.name}: slab of {side.record}, {label}",
            settled.output["free"][index],
            preset,
            kind,
            step.settings(kind, preset.xc, metallic=side.kind == "metal", axes=2),
        )
        for label, kind in _FREE_SLABS
    ]


@dataclass(frozen=True)
class _Across:
    """Settings that all hops across one contact share."""

    phase: InterfacePhase
    preset: AnyPreset
    step: InterfaceStep | VaspInterfaceStep
    given: tuple[Any, ...]
    registry: Job
    contact: Job
    mobile_ion: str
    ion_charge: int

    def hop(self, lateral_A: float, label: str) -> tuple[list[Job], dict[str, Any]]:
        """Return the jobs of a hop in a cell of some width, and their outputs."""
        name, step = self.phase.name, self.step.hop
        assert step is not None  # `interface_step` has seen to it
        metallic = "metal" in (self.phase.left.kind, self.phase.right.kind)
        # Beside a metal its electrons settle the vacancy's charge; between insulators it is the
        # ion's.
        charge = 0 if metallic else -self.ion_charge
        ends_as, path_as = (
            self.step.settings(
                purpose, self.preset.xc, metallic=metallic, axes=contact_axes(self.phase)
            )
            for purpose in _OF_A_HOP
        )
        placed = place_ion(
            *self.given,
            self.registry.output,
            self.contact.output,
            ion=self.mobile_ion,
            thickness_A=step.thickness_A,
            lateral_A=lateral_A,
        )
        placed.name = f"{name}: ends of the hop{label}"
        ends = [
            calculation_job(
                f"{name}: ion {where} its hop{label}",
                placed.output[where],
                self.preset,
                "relax",
                ends_as,
                charge,
            )
            for where in ("before", "after")
        ]
        joined = join_ends(*(end.output["structure"] for end in ends))
        joined.name = f"{name}: ends of the path{label}"
        path = calculation_job(
            f"{name}: hop across{label}",
            joined.output["before"],
            self.preset,
            "neb",
            {
                **path_as,
                "path": {
                    "images": step.images,
                    "spring_eV_A2": step.spring_eV_A2,
                    "end_positions_A": joined.output["end_positions_A"],
                },
            },
            charge,
        )
        outputs = {
            "placed": placed.output,
            "ends": [end.output for end in ends],
            "path": path.output,
        }
        return [placed, *ends, joined, path], outputs
