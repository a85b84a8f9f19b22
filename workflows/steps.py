"""The steps that flows share: a calculation of a preset's step, and the bulk of a crystal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from jobflow import Job
from pymatgen.core import Structure

from interohm.database import Database
from interohm.errors import InputError
from interohm.postprocess.calculation import Calculation
from interohm.slab_builders.cells import Crystal

from .calculations import calculate, calculation_of
from .presets import AnyPreset
from .resources import ask_for

#: In the metadata of jobs that other phases may need, too: of which crystal or molecule they are.
CRYSTAL = "interohm_crystal"


def triple(values: Sequence[int]) -> tuple[int, int, int]:
    """Return three integers as a tuple; what was stored as JSON is a list."""
    first, second, third = values
    return first, second, third


def calculation_job(
    label: str,
    structure: Any,
    preset: AnyPreset,
    kind: str,
    settings: dict[str, Any],
    charge: int = 0,
) -> Job:
    """Return the job of one calculation; ``structure`` may be another job's output."""
    work = calculate(structure, engine=preset.engine, kind=kind, settings=settings, charge=charge)
    work.name = label
    return ask_for(work, preset.resources, kind)


def bulk_jobs(
    crystal: Crystal, preset: AnyPreset, kind: Literal["insulator", "metal"], label: str
) -> tuple[Job, Job]:
    """Return the jobs that relax a crystal's primitive cell, and calculate it."""
    steps = preset.metal if kind == "metal" else preset.insulator
    named = crystal_name(crystal.primitive, kind)
    cell = calculation_job(
        f"{label}: cell", crystal.primitive, preset, "cell", steps.cell.engine_settings(preset.xc)
    )
    bulk = calculation_job(
        f"{label}: bulk",
        cell.output["structure"],
        preset,
        "static",
        steps.bulk.engine_settings(preset.xc),
    )
    for job in (cell, bulk):
        job.metadata[CRYSTAL] = named
    return cell, bulk


def crystal_name(structure: Structure, kind: Literal["insulator", "metal"]) -> str:
    """Return what the calculations of a crystal are called that several phases need."""
    formula = str(structure.composition.element_composition.reduced_formula)
    return f"{formula} metal" if kind == "metal" and len(structure.composition) == 1 else formula


class CalculationGoneError(InputError):
    """A calculation that a job's output names is not in the database."""


def known_calculation(database: Database, output: Mapping[str, Any]) -> Calculation:
    """Return the calculation that a job's output names.

    Raises
    ------
    CalculationGoneError
        It was there when the job ran, and is no longer; or that job's database was another.
    """
    found = calculation_of(database, output)
    if found is None:
        raise CalculationGoneError(
            f"calculation {output['hash'][:12]} is gone from the database",
            where=database.location,
            fix="let INTEROHM_MONGODB_URI and INTEROHM_MONGODB_DATABASE be the same for all "
            "workers of a queue; `interohm rerun` calculates it again",
        )
    return found
