"""The jobs of a phase that calculate nothing: structures from structures, records from results."""

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
from interohm.slab_builders.cells import Crystal, supercell
from interohm.slab_builders.defects import DefectSite, defect_position, defect_supercell
from interohm.slab_builders.slabs import build_slab, facet_name
from jobflow import JobConfig, OnMissing, job
from pymatgen.core import Structure

from interohm.database import Database
from interohm.records import material_document

from .calculations import find_calculation
from .campaign_config import InsulatorPhase, MetalPhase
from .context import active_database
from .presets import PRESET, Preset

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


def _provenance(preset: Preset, facts: dict[str, Any]) -> dict[str, Any]:
    return {
        "engine": preset.engine,
        "functional": preset.xc,
        "preset": preset.name,
        "structure_source": facts["phase"]["structure"],
    }


def _surface(facet: tuple[int, int, int], cut: dict[str, Any]) -> str:
    return f"{facet_name(facet)} {cut['termination']}-terminated"


def _known(database: Database, output: dict[str, Any]) -> Calculation:
    found = find_calculation(database, output["hash"])
    if found is None:
        raise RuntimeError(f"calculation {output['hash'][:12]} is gone from the database")
    return found
