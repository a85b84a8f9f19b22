"""A campaign as FireWorks workflows: one a phase, each added once."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from jobflow import Flow

from interohm.database import Database

from .campaign import PlannedCalculation, campaign_flow, planned_calculations
from .campaign_config import CampaignConfig, InterfacePhase, Phase, load_structure
from .launchpad import METADATA
from .presets import load_preset

if TYPE_CHECKING:
    from fireworks import LaunchPad, Workflow

_ENDED_WELL = ("COMPLETED", "ARCHIVED")


@dataclass(frozen=True)
class Submission:
    """What became of a phase.

    Parameters
    ----------
    phase : str
    outcome : {"added", "queued", "failed", "done"}
        ``queued`` and ``failed`` were submitted before; ``done`` is in the database.
    jobs : int
        Of its workflow; 0 where it needs none.
    """

    phase: str
    outcome: Literal["added", "queued", "failed", "done"]
    jobs: int


@dataclass(frozen=True)
class PhasePlan:
    """A phase (or a screening) by itself: its flow, and what tells it from all others.

    Parameters
    ----------
    name : str
    flow : Flow
    calculations : list of PlannedCalculation
    key : str
        SHA-256 of the campaign's name and everything that decides the phase's calculations.
    done : bool
        Whether the database has all of them, and the record.
    """

    name: str
    flow: Flow
    calculations: list[PlannedCalculation]
    key: str
    done: bool


def plan_phases(config: CampaignConfig, database: Database) -> list[PhasePlan]:
    """Return each phase's flow and calculations; nothing is started.

    Raises
    ------
    InputError
        A structure, facet, preset or engine that cannot be used.
    """
    plans = []
    for phase in config.phases:
        alone = config.model_copy(update={"phases": [phase]})
        whole = campaign_flow(alone)
        calculations = planned_calculations(whole, database)
        known = all(calculation.found for calculation in calculations)
        (flow,) = whole.jobs
        assert isinstance(flow, Flow)
        plans.append(
            PhasePlan(
                name=phase.name,
                flow=flow,
                calculations=calculations,
                key=_key(alone),
                done=known and _has_record(phase, database),
            )
        )
    return plans


def _has_record(phase: Phase, database: Database) -> bool:
    if isinstance(phase, InterfacePhase):
        return database.interface(phase.name) is not None
    return phase.name in database.material_names()


def submit(campaign: str, plans: Sequence[PhasePlan], launchpad: LaunchPad) -> list[Submission]:
    """Add phases to the launchpad, those apart that are there or done already.

    Parameters
    ----------
    campaign : str
        Its name.
    plans : sequence of PhasePlan
    launchpad : LaunchPad

    Returns
    -------
    list of Submission
        One a phase.
    """
    _initialize(launchpad)
    submissions = []
    for plan in plans:
        before = _submitted(launchpad, plan.key)
        if plan.done:
            submissions.append(Submission(plan.name, "done", 0))
        elif before:
            outcome: Any = "failed" if before[0]["state"] == "FIZZLED" else "queued"
            submissions.append(Submission(plan.name, outcome, len(before[0]["nodes"])))
        else:
            submissions.append(_add(launchpad, campaign, plan))
    return submissions


def workflow(campaign: str, plan: PhasePlan) -> Workflow:
    """Return the phase as a workflow: no store in its jobs, so that workers take their own."""
    from jobflow.managers.fireworks import flow_to_workflow

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Some jobs are not connected")
        return flow_to_workflow(
            plan.flow,
            name=f"{campaign}: {plan.name}",
            metadata={METADATA: {"campaign": campaign, "phase": plan.name, "key": plan.key}},
        )


def _add(launchpad: LaunchPad, campaign: str, plan: PhasePlan) -> Submission:
    made = workflow(campaign, plan)
    nodes = launchpad.add_wf(made).values()
    first = _submitted(launchpad, plan.key)[0]
    if min(first["nodes"]) != min(nodes):
        # Somebody submitted the same at the same moment: of two, the earlier one stays.
        with contextlib.redirect_stdout(io.StringIO()):
            launchpad.delete_wf(min(nodes))
        return Submission(plan.name, "queued", len(first["nodes"]))
    return Submission(plan.name, "added", len(nodes))


def _submitted(launchpad: LaunchPad, key: str) -> list[dict[str, Any]]:
    """Return the workflows of a phase that have not ended well, the earliest first."""
    criteria = {f"metadata.{METADATA}.key": key, "state": {"$nin": _ENDED_WELL}}
    found = launchpad.workflows.find(criteria, {"nodes": 1, "state": 1})
    return sorted(found, key=lambda document: min(document["nodes"]))


def _initialize(launchpad: LaunchPad) -> None:
    """Give an empty launchpad its counters and indexes, as ``lpad reset`` would."""
    if launchpad.fw_id_assigner.find_one({}) is None:
        counters = {"next_fw_id": 1, "next_launch_id": 1}
        launchpad.fw_id_assigner.update_one({"_id": -1}, {"$setOnInsert": counters}, upsert=True)
        launchpad.tuneup(bkground=False)


def _key(alone: CampaignConfig) -> str:
    (phase,) = alone.phases
    preset = load_preset(phase.preset or alone.preset, folder=alone.folder)
    structures = (
        {"left": phase.left.structure, "right": phase.right.structure}
        if isinstance(phase, InterfacePhase)
        else {"structure": phase.structure}
    )
    sources = {**structures, "metal_structure": alone.metal_structure}
    content = {
        "config": alone.model_dump(mode="json"),
        "preset": preset.model_dump(mode="json"),
        **{
            field: load_structure(source, alone.folder, where=field).as_dict()
            for field, source in sources.items()
        },
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
