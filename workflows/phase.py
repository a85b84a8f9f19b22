"""The flow of one phase: relaxed cell, band edges, surface, defects, record."""

from __future__ import annotations

from typing import Any

from interohm.postprocess.calculation import Calculation
from interohm.postprocess.materials import (
    DefectCandidate,
    Hop,
    InsulatorCalculations,
    insulator_record,
    metal_record,
)
from interohm.slab_builders.cells import Crystal, supercell, supercell_multiples
from interohm.slab_builders.defects import (
    DefectSite,
    defect_position,
    defect_supercell,
    interstitial_sites,
    vacancy_sites,
)
from interohm.slab_builders.slabs import build_slab, facet_name
from jobflow import Flow, Job, JobConfig, OnMissing, job
from pymatgen.core import Structure

from interohm.errors import InputError
from interohm.records import material_document

from .calculations import calculate, find_calculation
from .campaign_config import InsulatorPhase, MetalPhase
from .context import active_database
from .presets import PRESET, Preset, SlabStep

Multiples = tuple[int, int, int]


@job
def cut_slab(
    conventional: Structure,
    primitive: Structure,
    relaxed: Structure,
    *,
    facet: tuple[int, int, int],
    thickness_A: float,
    vacuum_A: float,
) -> dict[str, Any]:
    """Cut the slab from the relaxed crystal."""
    crystal = Crystal(conventional, primitive).relaxed(relaxed)
    slab = build_slab(
        crystal.conventional, tuple(facet), thickness_A=thickness_A, vacuum_A=vacuum_A
    )
    return {
        "structure": slab.structure,
        "period_A": slab.period_A,
        "termination": slab.termination,
    }


@job
def repeat_cell(
    conventional: Structure, primitive: Structure, relaxed: Structure, *, multiples: Multiples
) -> Structure:
    """Return the perfect supercell of the relaxed crystal."""
    crystal = Crystal(conventional, primitive).relaxed(relaxed)
    return supercell(crystal.conventional, tuple(multiples))


@job
def place_defect(
    conventional: Structure,
    primitive: Structure,
    relaxed: Structure,
    *,
    site: dict[str, Any],
    multiples: Multiples,
) -> Structure:
    """Return the supercell of the relaxed crystal with one defect."""
    crystal = Crystal(conventional, primitive).relaxed(relaxed)
    return defect_supercell(crystal.conventional, DefectSite(**site), tuple(multiples))


@job
def record_metal(
    bulk: dict[str, Any], slab: dict[str, Any], cut: dict[str, Any], *, facts: dict[str, Any]
) -> dict[str, Any]:
    """Assemble and save the record of a metal."""
    phase = MetalPhase.model_validate(facts["phase"])
    preset = PRESET.validate_python(facts["preset"])
    with active_database() as database:
        record = metal_record(
            _known(database, bulk),
            _known(database, slab),
            name=phase.name,
            mobile_ion=facts["mobile_ion"],
            ion_charge=facts["ion_charge"],
            surface=_surface(phase.facet, cut),
            ion_content=phase.ion_content,
            voltage_V=phase.voltage_V,
            uncertainties=preset.uncertainties,
            provenance=_provenance(preset, facts),
        )
        database.save_material(record)
    return material_document(record)


@job(config=JobConfig(on_missing_references=OnMissing.NONE))
def record_insulator(
    bulk: dict[str, Any],
    slab: dict[str, Any],
    cut: dict[str, Any],
    perfect: dict[str, Any],
    metal: dict[str, Any],
    defects: list[dict[str, Any] | None],
    *,
    sites: list[dict[str, Any]],
    ion_changes: list[float],
    multiples: Multiples,
    conventional: Structure,
    primitive: Structure,
    relaxed: Structure,
    facts: dict[str, Any],
) -> dict[str, Any]:
    """Assemble and save the record of an insulator.

    A candidate site that failed is left out as long as another one of the same defect is there.
    """
    named = {"bulk": bulk, "slab": slab, "supercell": perfect, "metal": metal}
    lost = [step for step, output in named.items() if output is None]
    present = {site["name"] for site, output in zip(sites, defects, strict=True) if output}
    lost += sorted({site["name"] for site in sites} - present)
    if lost:
        raise RuntimeError(f"no record without {', '.join(lost)}, which did not finish")

    phase = InsulatorPhase.model_validate(facts["phase"])
    preset = PRESET.validate_python(facts["preset"])
    crystal = Crystal(conventional, primitive).relaxed(relaxed)
    with active_database() as database:
        candidates = [
            DefectCandidate(
                name=site["name"],
                element=site["element"],
                change=site["change"],
                ion_change=ion_change,
                sites_per_cell=site["sites_per_cell"],
                conventional_volume_A3=crystal.conventional.volume,
                position=defect_position(DefectSite(**site), tuple(multiples)),
                calculation=_known(database, output),
            )
            for site, ion_change, output in zip(sites, ion_changes, defects, strict=True)
            if output
        ]
        record = insulator_record(
            InsulatorCalculations(
                bulk=_known(database, bulk),
                slab=_known(database, slab),
                period_A=cut["period_A"],
                supercell=_known(database, perfect),
                defects=candidates,
                metal=_known(database, metal),
            ),
            name=phase.name,
            mobile_ion=facts["mobile_ion"],
            ion_charge=facts["ion_charge"],
            surface=_surface(phase.facet, cut),
            dielectric_constant=phase.dielectric_constant,
            saturation=phase.saturation,
            stability_window_V=phase.stability_window_V,
            hops={name: Hop(**dict(hop)) for name, hop in phase.hops.items()},
            uncertainties=preset.uncertainties,
            provenance=_provenance(preset, facts),
        )
        database.save_material(record)
    return material_document(record)


def metal_flow(
    phase: MetalPhase, structure: Structure, preset: Preset, *, mobile_ion: str, ion_charge: int
) -> Flow:
    """Return the flow of a metal: cell, bulk, slab, record."""
    crystal = Crystal.from_structure(structure)
    steps = preset.metal
    cell, bulk = _bulk_jobs(crystal, preset, "metal", phase.name)
    cut, slab = _slab_jobs(phase, crystal, cell, preset, steps.slab)
    record = record_metal(
        bulk.output,
        slab.output,
        cut.output,
        facts=_facts(phase, preset, mobile_ion, ion_charge),
    )
    record.name = f"{phase.name}: record"
    return Flow([cell, bulk, cut, slab, record], name=phase.name, output=record.output)


def insulator_flow(
    phase: InsulatorPhase,
    structure: Structure,
    metal: Structure,
    preset: Preset,
    *,
    mobile_ion: str,
    ion_charge: int,
) -> Flow:
    """Return the flow of an insulator: cell, bulk, slab, supercells, record.

    Parameters
    ----------
    phase : InsulatorPhase
    structure, metal : Structure
        Of the phase, and of the mobile element's metal.
    preset : Preset
    mobile_ion : str
    ion_charge : int

    Raises
    ------
    InputError
        The surface is polar, or the phase does not contain the mobile ion.
    """
    crystal = Crystal.from_structure(structure)
    steps = preset.insulator
    cell, bulk = _bulk_jobs(crystal, preset, "insulator", phase.name)
    cut, slab = _slab_jobs(phase, crystal, cell, preset, steps.slab)
    metal_cell, metal_bulk = _bulk_jobs(
        Crystal.from_structure(metal), preset, "metal", f"{mobile_ion} metal"
    )

    multiples = supercell_multiples(crystal.conventional, steps.defects.min_atoms)
    settings = steps.defects.engine_settings(preset.xc)
    repeated = repeat_cell(
        crystal.conventional, crystal.primitive, cell.output["structure"], multiples=multiples
    )
    repeated.name = f"{phase.name}: supercell"
    perfect = _calculation(
        f"{phase.name}: perfect supercell", repeated.output, preset, "static", settings
    )
    kinds = defect_sites(phase, crystal.conventional, mobile_ion, ion_charge)
    placed, flawed = [], []
    for site, charge, _ in kinds:
        own = place_defect(
            crystal.conventional,
            crystal.primitive,
            cell.output["structure"],
            site=site.as_dict(),
            multiples=multiples,
        )
        own.name = f"{phase.name}: place {site.name}"
        placed.append(own)
        rank = sum(other.name == site.name for other, _, _ in kinds[: len(flawed) + 1])
        label = f"{phase.name}: {site.name} {charge:+d}" + (f" (site {rank})" if rank > 1 else "")
        flawed.append(_calculation(label, own.output, preset, "relax", settings, charge))
    record = record_insulator(
        bulk.output,
        slab.output,
        cut.output,
        perfect.output,
        metal_bulk.output,
        [defect.output for defect in flawed],
        sites=[site.as_dict() for site, _, _ in kinds],
        ion_changes=[change for _, _, change in kinds],
        multiples=multiples,
        conventional=crystal.conventional,
        primitive=crystal.primitive,
        relaxed=cell.output["structure"],
        facts=_facts(phase, preset, mobile_ion, ion_charge),
    )
    record.name = f"{phase.name}: record"
    return Flow(
        # Supercells take longest: in this order they are started first.
        [
            cell,
            *placed,
            *flawed,
            repeated,
            perfect,
            cut,
            slab,
            bulk,
            metal_cell,
            metal_bulk,
            record,
        ],
        name=phase.name,
        output=record.output,
    )


def defect_sites(
    phase: InsulatorPhase, conventional: Structure, mobile_ion: str, ion_charge: int
) -> list[tuple[DefectSite, int, float]]:
    """Return the defects to calculate: site, charge and change in mobile ions.

    The mobile ion's vacancies and interstitials with the ion's charge; in a binary compound also
    the other element's vacancy, compensated by the mobile ions that it takes along
    (mu_other follows from equilibrium with the compound).

    Raises
    ------
    InputError
        The phase does not contain the mobile ion, or its other ion has a fractional charge.
    """
    counts = conventional.composition.get_el_amt_dict()
    if mobile_ion not in counts:
        raise InputError(
            f"{phase.name} does not contain {mobile_ion}", where="structure, mobile_ion"
        )
    kinds = [(site, -ion_charge, -1.0) for site in vacancy_sites(conventional, mobile_ion)] + [
        (site, ion_charge, 1.0)
        for site in interstitial_sites(conventional, mobile_ion, phase.interstitial_sites)
    ]
    if len(counts) == 2:
        (other,) = set(counts) - {mobile_ion}
        ratio = counts[mobile_ion] / counts[other]
        charge = ion_charge * ratio
        if abs(charge - round(charge)) > 1e-6:
            raise InputError(
                f"{phase.name}: {other} would have the charge {-charge:g}",
                where="structure",
                fix="give a compound of ions with whole charges",
            )
        kinds += [(site, round(charge), ratio) for site in vacancy_sites(conventional, other)]
    return kinds


def _bulk_jobs(crystal: Crystal, preset: Preset, kind: str, label: str) -> tuple[Job, Job]:
    steps = preset.metal if kind == "metal" else preset.insulator
    cell = _calculation(
        f"{label}: cell", crystal.primitive, preset, "cell", steps.cell.engine_settings(preset.xc)
    )
    bulk = _calculation(
        f"{label}: bulk",
        cell.output["structure"],
        preset,
        "static",
        steps.bulk.engine_settings(preset.xc),
    )
    return cell, bulk


def _slab_jobs(
    phase: InsulatorPhase | MetalPhase, crystal: Crystal, cell: Job, preset: Preset, step: SlabStep
) -> tuple[Job, Job]:
    size = {"thickness_A": step.thickness_A, "vacuum_A": step.vacuum_A}
    # A polar surface is refused before anything is calculated.
    build_slab(crystal.conventional, phase.facet, **size)
    cut = cut_slab(
        crystal.conventional,
        crystal.primitive,
        cell.output["structure"],
        facet=phase.facet,
        **size,
    )
    cut.name = f"{phase.name}: cut slab"
    slab = _calculation(
        f"{phase.name}: slab {facet_name(phase.facet)}",
        cut.output["structure"],
        preset,
        "static" if step.relaxation is None else "relax",
        step.engine_settings(preset.xc),
    )
    return cut, slab


def _calculation(
    label: str,
    structure: Any,
    preset: Preset,
    kind: str,
    settings: dict[str, Any],
    charge: int = 0,
) -> Job:
    work = calculate(structure, engine=preset.engine, kind=kind, settings=settings, charge=charge)
    work.name = label
    return work


def _facts(
    phase: InsulatorPhase | MetalPhase, preset: Preset, mobile_ion: str, ion_charge: int
) -> dict[str, Any]:
    return {
        "phase": phase.model_dump(mode="json"),
        "preset": preset.model_dump(mode="json"),
        "mobile_ion": mobile_ion,
        "ion_charge": ion_charge,
    }


def _provenance(preset: Preset, facts: dict[str, Any]) -> dict[str, Any]:
    return {
        "engine": preset.engine,
        "functional": preset.xc,
        "preset": preset.name,
        "structure_source": facts["phase"]["structure"],
    }


def _surface(facet: tuple[int, int, int], cut: dict[str, Any]) -> str:
    return f"{facet_name(facet)} {cut['termination']}-terminated"


def _known(database: Any, output: dict[str, Any]) -> Calculation:
    found = find_calculation(database, output["hash"])
    if found is None:
        raise RuntimeError(f"calculation {output['hash'][:12]} is gone from the database")
    return found
