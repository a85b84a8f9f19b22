"""The hop of the mobile ion by its vacancy: the path's ends, and the path."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from jobflow import Job, JobConfig, OnMissing, job
from pymatgen.core import Structure

from interohm.errors import InputError
from interohm.slab_builders.cells import Crystal, supercell
from interohm.slab_builders.defects import DefectSite, defect_position
from interohm.slab_builders.hops import after_hop, vacancy_hop
from interohm.slab_builders.ties import SAME_ENERGY_EV, first_of_lowest

from .calculations import calculation_of
from .campaign_config import InsulatorPhase
from .context import active_database
from .defect_plan import PlannedDefect
from .presets import AnyPreset, HopStep
from .steps import calculation_job, triple
from .vasp_presets import VaspHopStep


def hop_step(phase: InsulatorPhase, preset: AnyPreset, defect: str) -> HopStep | VaspHopStep:
    """Return the preset's settings for migration paths, or say that it has none."""
    if preset.insulator.hop is None:
        raise InputError(
            f"the preset {preset.name} has no settings for migration paths",
            where=f"{phase.name}: hops, {defect}",
            fix="give it `insulator.hop`, or the migration energy from literature",
        )
    return preset.insulator.hop


def barrier_jobs(
    phase: InsulatorPhase,
    preset: AnyPreset,
    crystal: Crystal,
    cell: Job,
    planned: Sequence[PlannedDefect],
    relaxed_defects: Sequence[Job],
    multiples: tuple[int, int, int],
) -> tuple[list[Job], dict[str, Any]]:
    """Return the jobs of the hops that the phase wants calculated.

    Parameters
    ----------
    phase : InsulatorPhase
        Its description in the campaign.
    preset : AnyPreset
        The settings of all steps.
    crystal : Crystal
        Crystal of the phase.
    cell : Job
        Job of the relaxed primitive cell.
    planned : sequence of PlannedDefect
        The defects of the record.
    relaxed_defects : sequence of Job
        The jobs that relax them, in their order.
    multiples : tuple of int
        Multiples of the supercells.

    Returns
    -------
    list of Job
    dict
        Outputs of the path's ends and of the path, by the defect's name.

    Raises
    ------
    InputError
        The preset has no settings for paths, or the defect is no vacancy.
    """
    jobs: list[Job] = []
    outputs: dict[str, Any] = {}
    for defect, hop in phase.hops.items():
        if hop.migration_energy_eV != "calculate":
            continue
        step = hop_step(phase, preset, defect)
        rivals = [p for p, one in enumerate(planned) if one.site.name == defect and one.ionic]
        if not rivals or planned[rivals[0]].site.change != -1:
            raise InputError(
                f"{defect} is not one of the phase's vacancies",
                where=f"{phase.name}: hops",
                fix="calculate the hop of a vacancy; give others from literature",
            )
        ends = hop_ends(
            crystal.conventional,
            crystal.primitive,
            cell.output["structure"],
            [relaxed_defects[index].output for index in rivals],
            sites=[planned[index].site.as_dict() for index in rivals],
            multiples=multiples,
        )
        ends.name = f"{phase.name}: ends of the hop of {defect}"
        path = calculation_job(
            f"{phase.name}: hop of {defect}",
            ends.output["before"],
            preset,
            "neb",
            {
                **preset.insulator.defects.engine_settings(preset.xc),
                **step.changes(),
                "path": {
                    "images": step.images,
                    "spring_eV_A2": step.spring_eV_A2,
                    "end_positions_A": ends.output["end_positions_A"],
                },
            },
            planned[rivals[0]].charge,
        )
        jobs += [ends, path]
        outputs[defect] = {"ends": ends.output, "path": path.output}
    return jobs, outputs


@job(config=JobConfig(on_missing_references=OnMissing.NONE))
def hop_ends(
    conventional: Structure,
    primitive: Structure,
    relaxed: Structure,
    vacancies: list[dict[str, Any] | None],
    *,
    sites: list[dict[str, Any]],
    multiples: tuple[int, int, int],
) -> dict[str, Any]:
    """Return the two ends of the shortest hop by the vacancy of lowest energy.

    Parameters
    ----------
    conventional, primitive, relaxed : Structure
        The crystal's two cells as given, and the relaxed primitive one.
    vacancies : list
        Relaxed supercells, one of each distinct site; failed ones are None.
    sites : list of mapping
        The sites of these vacancies.
    multiples : tuple of int
        Multiples of the conventional cell along its axes.

    Returns
    -------
    dict
        ``before``, the relaxed supercell; ``end_positions_A``, where the same atoms are after the
        hop; ``distance_A`` between the two sites.
    """
    if not any(vacancies):
        raise RuntimeError("no vacancy finished")
    with active_database() as database:
        found = [None if not output else calculation_of(database, output) for output in vacancies]
    # In a dry run nothing is there yet: the first one stands for all.
    energies = [math.inf if one is None else one.energy_eV for one in found]
    index = first_of_lowest(energies, SAME_ENERGY_EV)
    crystal = Crystal(conventional, primitive).relaxed(relaxed)
    perfect = supercell(crystal.conventional, triple(multiples))
    position = defect_position(DefectSite(**sites[index]), triple(multiples))
    distances = perfect.lattice.get_all_distances(position, perfect.frac_coords)[0]
    lowest = vacancies[index]
    assert lowest is not None  # those that failed count as infinitely high
    before = lowest["structure"]
    hop = vacancy_hop(perfect, int(np.argmin(distances)), before)
    after = after_hop(perfect, hop, before)
    return {
        "before": before,
        # Rounded as in a calculation's hash; adding zero turns −0.0 into 0.0.
        "end_positions_A": (np.round(after.cart_coords, 5) + 0.0).tolist(),
        "distance_A": hop.distance_A,
    }
