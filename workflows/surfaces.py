"""The slabs of a phase: one facet or all of them, one size or a series that grows until it stays.

A series is a chain of a fixed length. Once the level stays, every following job returns the slab
before, whose calculation is found by its hash: nothing more is calculated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jobflow import Job, job
from pymatgen.core import Structure

from interohm.database import Database
from interohm.errors import InputError
from interohm.postprocess.candidates import require_relaxed
from interohm.postprocess.surfaces import SlabSize, Surface, next_size, slab_level
from interohm.slab_builders.cells import Crystal
from interohm.slab_builders.slabs import (
    TooThinError,
    build_slab,
    distinct_facets,
    facet_name,
    symmetric_slabs,
)

from .calculations import calculation_of
from .campaign_config import Facet, FacetSurvey, InsulatorPhase, MetalPhase
from .context import active_database
from .presets import AnyPreset, SlabStep
from .steps import calculation_job, known_calculation, triple
from .vasp_presets import VaspSlabStep

#: One surface's slabs: of each size, what was cut and what was calculated; with the last one,
#: where it was relaxed, the same slab ``as_cut``.
Series = list[dict[str, Any]]


@dataclass
class PlannedSurfaces:
    """The surfaces that a phase wants, and those that it cannot have.

    Parameters
    ----------
    wanted : list of (Facet, int, str)
        Facet, termination and label.
    polar : list of Facet
        Facets of Tasker type III: none of their slabs has a level.
    too_thin : mapping of str to TooThinError
        By the facet's name: those that a thicker slab would have.
    """

    wanted: list[tuple[Facet, int, str]]
    polar: list[Facet] = field(default_factory=list)
    too_thin: dict[str, TooThinError] = field(default_factory=dict)

    def remarks(self, name: str) -> list[str]:
        """Return remarks on which facets of the phase ``name`` a survey leaves out, and why."""
        lines = [
            f"{name}: the facet {facet} is left out: {error.what}; {error.fix}"
            for facet, error in self.too_thin.items()
        ]
        if self.polar:
            facets = ", ".join(map(facet_name, self.polar))
            lines.append(f"{name}: polar (Tasker type III), and left out: {facets}")
        return lines

    @property
    def missing(self) -> list[str]:
        """Facets that the record lacks, for its provenance."""
        return [f"slab {facet}: {error.what}" for facet, error in self.too_thin.items()]


def surface_jobs(
    phase: InsulatorPhase | MetalPhase,
    crystal: Crystal,
    cell: Job,
    preset: AnyPreset,
    step: SlabStep | VaspSlabStep,
    planned: PlannedSurfaces,
) -> tuple[list[Job], list[Series]]:
    """Return the jobs that cut and calculate a phase's slabs, and their outputs by surface."""
    jobs: list[Job] = []
    surfaces: list[Series] = []
    for facet, termination, label in planned.wanted:
        series: Series = []
        count = 1 if phase.slab_convergence is None else phase.slab_convergence.max_slabs
        for number in range(count):
            cut = cut_slab(
                crystal.conventional,
                crystal.primitive,
                cell.output["structure"],
                facet=facet,
                termination=termination,
                thickness_A=step.thickness_A,
                vacuum_A=step.vacuum_A,
                before=list(series),
                tolerance_meV=None if not number else phase.slab_convergence.level_meV,  # type: ignore[union-attr]
                metal=isinstance(phase, MetalPhase),
                charges=_charges(phase),
            )
            size = "" if not number else f", size {number + 1}"
            cut.name = f"{phase.name}: cut slab{label}{size}"
            slab = calculation_job(
                f"{phase.name}: slab {facet_name(facet)}{label}{size}",
                cut.output["structure"],
                preset,
                "static" if step.relaxation is None else "relax",
                step.engine_settings(preset.xc),
            )
            jobs += [cut, slab]
            series.append({"cut": cut.output, "slab": slab.output})
        if (unrelaxed := step.as_cut()) is not None:
            as_cut = calculation_job(
                f"{phase.name}: slab {facet_name(facet)}{label} as cut",
                series[-1]["cut"]["structure"],
                preset,
                "static",
                unrelaxed.engine_settings(preset.xc),
            )
            jobs.append(as_cut)
            series[-1]["as_cut"] = as_cut.output
        surfaces.append(series)
    return jobs, surfaces


def planned_surfaces(
    phase: InsulatorPhase | MetalPhase, conventional: Structure, step: SlabStep | VaspSlabStep
) -> PlannedSurfaces:
    """Return the surfaces that a phase wants.

    Raises
    ------
    InputError
        The surface is polar or too thin; of a survey, all are.
    """
    size: dict[str, Any] = {
        "thickness_A": step.thickness_A,
        "vacuum_A": step.vacuum_A,
        "conductor": isinstance(phase, MetalPhase),
        "charges": _charges(phase),
    }
    if not isinstance(phase.facet, FacetSurvey):
        # A polar surface is refused before anything is calculated.
        build_slab(conventional, phase.facet, **size)
        return PlannedSurfaces([(phase.facet, 0, "")])
    planned = PlannedSurfaces([])
    for facet in distinct_facets(conventional, phase.facet.max_index):
        try:
            slabs = symmetric_slabs(conventional, facet, **size)
        except TooThinError as error:
            planned.too_thin[facet_name(facet)] = error
            continue
        if not slabs:
            planned.polar.append(facet)
        for number, slab in enumerate(slabs):
            label = f" {slab.termination}" if len(slabs) > 1 else ""
            if sum(other.termination == slab.termination for other in slabs) > 1:
                label += f" {number + 1}"
            planned.wanted.append((facet, number, label))
    if not planned.wanted and planned.too_thin:
        raise next(iter(planned.too_thin.values()))
    if not planned.wanted:
        raise InputError(
            f"{phase.name}: all facets up to the Miller index {phase.facet.max_index} are polar "
            "(Tasker type III)",
            where="facet",
            fix="raise max_index",
        )
    return planned


def _charges(phase: InsulatorPhase | MetalPhase) -> dict[str, float] | None:
    return phase.oxidation_states if isinstance(phase, InsulatorPhase) else None


@job
def cut_slab(
    conventional: Structure,
    primitive: Structure,
    relaxed: Structure,
    *,
    facet: Facet,
    termination: int,
    thickness_A: float,
    vacuum_A: float,
    before: Series,
    tolerance_meV: float | None,
    metal: bool,
    charges: dict[str, float] | None = None,
) -> dict[str, Any]:
    """Cut a slab from the relaxed crystal.

    Parameters
    ----------
    conventional, primitive, relaxed : Structure
        The crystal's two cells as given, and the relaxed primitive one.
    facet : tuple of int
        Miller indices.
    termination : int
        Which one of `symmetric_slabs`.
    thickness_A, vacuum_A : float
        Thickness and vacuum of the first slab of a series.
    before : list
        The series' slabs so far; the next one is larger, or the last one again if its level stays.
    tolerance_meV : float, optional
        None for the first slab.
    metal : bool
        Whether the level is a work function.
    charges : mapping of str to float, optional
        Oxidation states by element that the campaign gives.
    """
    if tolerance_meV is not None:
        with active_database() as database:
            history = [_sized_level(database, one, metal) for one in before]
        last = before[-1]["cut"]
        size = next_size(history, tolerance_meV / 1000, last["period_A"])
        if size is None:
            return {**last, "structure": last["structure"]}
        thickness_A, vacuum_A = size
    crystal = Crystal(conventional, primitive).relaxed(relaxed)
    slab = build_slab(
        crystal.conventional,
        triple(facet),
        thickness_A=thickness_A,
        vacuum_A=vacuum_A,
        termination=termination,
        conductor=metal,
        charges=charges,
    )
    return {
        "structure": slab.structure,
        "period_A": slab.period_A,
        "facet": list(facet),
        "termination": slab.termination,
        "tasker_type": slab.tasker_type,
        "thickness_A": thickness_A,
        "vacuum_A": vacuum_A,
    }


def _sized_level(
    database: Database, one: Mapping[str, Any], metal: bool
) -> tuple[float, float, float | None]:
    cut = one["cut"]
    slab = calculation_of(database, one["slab"])
    # In a dry run the slabs before are not there yet: a plan has as many as there may be.
    level = None if slab is None else slab_level(slab, cut["period_A"], metal=metal)
    return cut["thickness_A"], cut["vacuum_A"], level


def calculated_surfaces(
    database: Database, surfaces: Sequence[Sequence[Mapping[str, Any]]]
) -> tuple[list[Surface], list[str]]:
    """Return the surfaces whose slabs are there, and the names of those that failed."""
    found: list[Surface] = []
    failed: list[str] = []
    for series in surfaces:
        cut = series[0]["cut"]
        done = [one for one in series if one["cut"] is not None and one["slab"] is not None]
        if not done:
            failed.append("slab" if cut is None else f"slab {facet_name(tuple(cut['facet']))}")
            continue
        sizes: dict[str, SlabSize] = {}
        for one in done:
            slab = known_calculation(database, one["slab"])
            require_relaxed(slab)
            sizes[slab.hash] = SlabSize(one["cut"]["thickness_A"], one["cut"]["vacuum_A"], slab)
        unrelaxed = series[-1].get("as_cut")
        if "as_cut" in series[-1] and unrelaxed is None:
            failed.append(f"slab {facet_name(tuple(cut['facet']))} as cut")
        found.append(
            Surface(
                facet=tuple(cut["facet"]),
                termination=cut["termination"],
                tasker_type=cut["tasker_type"],
                period_A=cut["period_A"],
                series=list(sizes.values()),
                as_cut=None if unrelaxed is None else known_calculation(database, unrelaxed),
            )
        )
    return found, failed
