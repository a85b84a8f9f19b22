"""The flow of one phase: relaxed cell, band edges, surface, defects, record."""

from __future__ import annotations

from typing import Any

from interohm.slab_builders.cells import Crystal, supercell_multiples
from interohm.slab_builders.defects import (
    DefectSite,
    interstitial_sites,
    vacancy_sites,
)
from interohm.slab_builders.slabs import build_slab, facet_name
from jobflow import Flow, Job
from pymatgen.core import Structure

from interohm.errors import InputError

from .calculations import calculate
from .campaign_config import InsulatorPhase, MetalPhase
from .phase_jobs import cut_slab, place_defect, record_insulator, record_metal, repeat_cell
from .presets import Preset, SlabStep


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
