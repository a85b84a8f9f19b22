"""State of the submitted campaigns in the launchpad, and retries of failed jobs."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interohm.errors import InputError

from . import queue_repair
from .claim_file import is_free
from .launchpad import METADATA, PLAN_NAME, WAITS_FOR, let_be_taken, quiet
from .queue_repair import Document, abandoned, in_batches, repair, utc

if TYPE_CHECKING:
    from fireworks import LaunchPad

#: What FireWorks calls a state, and what it means here.
STATES = {
    "WAITING": "waits",
    "READY": "ready",
    "RESERVED": "queued",
    "RUNNING": "runs",
    "COMPLETED": "done",
    "FIZZLED": "failed",
    "PAUSED": "paused",
    "DEFUSED": "paused",
}
LOST = "lost"


@dataclass(frozen=True)
class QueuedJob:
    """A job of a submitted campaign.

    Parameters
    ----------
    campaign, phase, name : str
        Its campaign, its phase and its name.
    id : str
        Its number, as FireWorks (``fw_id``) or jobflow-remote (``db_id``) count.
    state : str
        One of `STATES`' values, or ``lost``: a worker took it, and has long been silent.
    since : str, optional
        When it came into this state, ISO 8601; None while it waits.
    seconds : float
        How long it has run, all its tries together, each until its worker was last heard of.
    tries : int
        How often it was begun: once for every batch job that it needed, and every rerun.
    host, folder : str, optional
        Host and folder of its last try.
    reason : str, optional
        Why it failed.
    waits_for : str, optional
        The job whose calculation it waits for, away from every core; the jobs that lead to it in
        its own workflow are not named.
    holder_lost : bool
        Nobody makes that calculation any more; the next worker that runs lets this job be taken.
    """

    campaign: str
    phase: str
    name: str
    id: str
    state: str
    since: str | None
    seconds: float
    tries: int
    host: str | None
    folder: str | None
    reason: str | None
    waits_for: str | None = None
    holder_lost: bool = False


def queued_jobs(launchpad: LaunchPad, *, campaign: str | None = None) -> list[QueuedJob]:
    """Return the jobs of all campaigns, or of one, in the order in which they were added.

    Parameters
    ----------
    launchpad : LaunchPad
        The queue.
    campaign : str, optional
        Its name.

    Raises
    ------
    InputError
        No such campaign was submitted.
    """
    now, patience = datetime.now(UTC), _patience_s()
    jobs = []
    workflows = _workflows(launchpad, campaign)
    nodes = [node for workflow in workflows for node in workflow["nodes"]]
    begun, parts_of = _launches(launchpad, nodes), _jobs_of(launchpad, workflows)
    free = functools.cache(is_free)
    for workflow in workflows:
        described = workflow["metadata"][METADATA]
        for parts in parts_of[workflow["_id"]]:
            last = parts[-1]
            launches = [one for part in parts for one in begun.get(part["fw_id"], [])]
            present = [one for one in launches if one["launch_id"] in last["launches"]]
            state = STATES.get(last["state"], last["state"].lower())
            newest = present[-1] if present else None
            silent = state == "runs" and newest is not None and _silence_s(newest, now) > patience
            if silent or abandoned(last, present, now, patience):
                state = LOST
            waits = last["spec"].get(WAITS_FOR) if state == "ready" else None
            jobs.append(
                QueuedJob(
                    campaign=campaign_of(described, campaign),
                    phase=described["phase"],
                    name=last["name"],
                    id=str(last["fw_id"]),
                    state=state if waits is None else "waits",
                    since=_since(newest),
                    seconds=round(sum(_run_time_s(one, now, patience) for one in launches), 1),
                    tries=len(launches),
                    host=None if newest is None else newest["host"],
                    folder=None if newest is None else newest["launch_dir"],
                    reason=_reason(newest) if state == "failed" else None,
                    waits_for=None if waits is None else waits["job"],
                    holder_lost=waits is not None and free(Path(waits.get("claim", ""))),
                )
            )
    return jobs


def rerun(
    launchpad: LaunchPad,
    *,
    campaign: str | None = None,
    lost_after_s: float | None = None,
    forget: Callable[[Sequence[str]], None] = lambda jobs: None,
) -> list[int]:
    """Make failed and lost jobs ready again; they go on from their calculations' checkpoints.

    Parameters
    ----------
    launchpad : LaunchPad
        The queue.
    campaign : str, optional
        Only of this one; workflows that are not this program's are never touched.
    lost_after_s : float, optional
        A running job counts as lost when its worker was silent for so long; default: FireWorks'
        ``RUN_EXPIRATION_SECS``.
    forget : callable
        Forgets the failures of jobs, by their uuids, before they are ready: those that share their
        calculations would fail of them again.

    Returns
    -------
    list of int
        FireWorks' numbers of them.

    Raises
    ------
    InputError
        No such campaign was submitted.
    """
    groups = list(_groups(_workflows(launchpad, campaign)))
    ours = [node for group in groups for node in group]
    patience = _patience_s() if lost_after_s is None else lost_after_s
    begun: list[int] = []
    for some in groups:
        begun += repair(launchpad, some, silent_s=patience)
    fields = {"fw_id": 1, "spec._tasks.job.uuid": 1}
    failed = list(in_batches(launchpad.fireworks, "fw_id", ours, {"state": "FIZZLED"}, fields))
    forget([_task(job)["uuid"] for job in failed])
    # whoever had the calculation that they wait for may be gone; if not, they wait again
    for some in groups:
        let_be_taken(launchpad, {"fw_id": {"$in": some}})
    for fw_id in sorted(job["fw_id"] for job in failed):
        # Asked again one by one: whatever follows from a rerun job waits again with it.
        if launchpad.fireworks.find_one({"fw_id": fw_id, "state": "FIZZLED"}, {"fw_id": 1}):
            for first in _to_begin_with(launchpad, fw_id):
                launchpad.rerun_fw(first)
                begun.append(first)
    return begun


def _groups(workflows: Sequence[Document]) -> Iterator[list[int]]:
    """Yield the jobs of whole workflows, as many as one question takes."""
    group: list[int] = []
    for workflow in workflows:
        if group and len(group) + len(workflow["nodes"]) > queue_repair.BATCH:
            yield group
            group = []
        group += workflow["nodes"]
    if group:
        yield group


def _to_begin_with(launchpad: LaunchPad, failed: int) -> list[int]:
    """Return the jobs to rerun for a failed one: itself, or the first where a calculation is gone.

    The launchpad does not know which job had calculated it. All that lead to the failed one begin
    again; they find what is in the database.
    """
    from .steps import CalculationGoneError  # slow to import: not for `interohm status`

    launches = _launches(launchpad, [failed])[failed]
    if CalculationGoneError.__name__ not in (_trace(launches[-1]) or ""):
        return [failed]
    found = launchpad.workflows.find_one({"nodes": failed}, {"links": 1, "nodes": 1})
    links = found["links"]
    # The plan of a phase has been replaced by all of these; once more, it would add them again.
    plans = {
        one["fw_id"]
        for one in launchpad.fireworks.find(
            {"fw_id": {"$in": found["nodes"]}, "name": {"$regex": f"{PLAN_NAME}$"}}, {"fw_id": 1}
        )
    }
    first, above = set(), {failed}
    while above:
        parents = {one: {int(p) for p in links if one in links[p]} - plans for one in above}
        first |= {one for one in above if not parents[one]}
        above = set().union(*parents.values())
    return sorted(first)


def campaign_of(described: Mapping[str, Any], asked: str | None) -> str:
    """Return the campaign of a workflow: of one that several share, the one that is asked for."""
    own = described["campaign"]
    if isinstance(own, str):
        return own
    return asked if asked is not None and asked in own else str(own[0])


def _workflows(launchpad: LaunchPad, campaign: str | None) -> list[Document]:
    criteria: dict[str, Any] = {f"metadata.{METADATA}": {"$exists": True}}
    if campaign is not None:
        criteria[f"metadata.{METADATA}.campaign"] = campaign
    found = list(launchpad.workflows.find(criteria, {"nodes": 1, "metadata": 1}))
    if campaign is not None and not found:
        known = launchpad.workflows.distinct(f"metadata.{METADATA}.campaign")
        raise no_such_campaign(campaign, known, "this launchpad")
    return sorted(found, key=lambda document: min(document["nodes"]))


def other_workflows(launchpad: LaunchPad) -> int:
    """Return how many workflows of a launchpad `interohm submit` did not add."""
    return int(launchpad.workflows.count_documents({f"metadata.{METADATA}": {"$exists": False}}))


def no_such_campaign(campaign: str, known: Sequence[str], queue: str) -> InputError:
    """Return the error that names those that a queue has."""
    return InputError(
        f"no campaign {campaign!r} was submitted to {queue}",
        fix=f"submitted campaigns: {', '.join(sorted(known)) or 'none'}",
    )


def _jobs_of(
    launchpad: LaunchPad, workflows: Sequence[Document]
) -> dict[Any, list[list[Document]]]:
    """Return the jobs of workflows by their ``_id``.

    Each job is a list of its parts: one for every batch job that it filled.
    """
    fields: tuple[str, ...] = ("fw_id", "name", "state", "launches", "updated_on")
    fields += ("spec._tasks.job.uuid", "spec._tasks.job.index", f"spec.{WAITS_FOR}")
    owner = {node: workflow["_id"] for workflow in workflows for node in workflow["nodes"]}
    found = in_batches(
        launchpad.fireworks,
        "fw_id",
        list(owner),
        {"state": {"$ne": "ARCHIVED"}},
        dict.fromkeys(fields, 1),
    )
    parts: dict[Any, dict[str, list[Document]]] = {one["_id"]: {} for one in workflows}
    for document in sorted(found, key=lambda one: (_task(one)["index"], one["fw_id"])):
        parts[owner[document["fw_id"]]].setdefault(_task(document)["uuid"], []).append(document)
    return {
        workflow: sorted(own.values(), key=lambda one: one[0]["fw_id"])
        for workflow, own in parts.items()
    }


def _launches(launchpad: LaunchPad, nodes: Sequence[int]) -> dict[int, list[Document]]:
    """Return the tries of jobs, by FireWorks' number of the job."""
    fields = ("launch_id", "fw_id", "state", "state_history", "host", "launch_dir")
    found = in_batches(
        launchpad.launches,
        "fw_id",
        nodes,
        {},
        dict.fromkeys((*fields, "action.stored_data._exception"), 1),
    )
    launches: dict[int, list[Document]] = {}
    for document in sorted(found, key=lambda one: one["launch_id"]):
        launches.setdefault(document["fw_id"], []).append(document)
    return launches


def _task(document: Document) -> Document:
    job: Document = document["spec"]["_tasks"][0]["job"]
    return job


def _patience_s() -> float:
    with quiet():
        from fireworks.fw_config import RUN_EXPIRATION_SECS
    return float(RUN_EXPIRATION_SECS)


def _since(launch: Document | None) -> str | None:
    if launch is None:
        return None
    return utc(launch["state_history"][-1]["created_on"]).isoformat(timespec="seconds")


def _silence_s(launch: Document, now: datetime) -> float:
    last = launch["state_history"][-1]
    heard = last.get("updated_on", last["created_on"])  # no ping yet
    return (now - utc(heard)).total_seconds()


def _run_time_s(launch: Document, now: datetime, patience_s: float) -> float:
    entries = [one for one in launch["state_history"] if one["state"] == "RUNNING"]
    if not entries:
        return 0.0
    heard = utc(entries[-1].get("updated_on", entries[-1]["created_on"]))
    alive = launch["state"] == "RUNNING" and _silence_s(launch, now) <= patience_s
    until = now if alive else heard
    return max(0.0, (until - utc(entries[-1]["created_on"])).total_seconds())


def _trace(launch: Document | None) -> str | None:
    stored = ((launch or {}).get("action") or {}).get("stored_data") or {}
    trace: str | None = (stored.get("_exception") or {}).get("_stacktrace")
    return trace


def _reason(launch: Document | None) -> str:
    trace = _trace(launch)
    return "its worker was lost" if trace is None else said_by(trace)


def said_by(trace: str) -> str:
    """Return what the exception at the end of a trace says."""
    # The last line that is not indented is the exception: its class, a colon and what it says.
    said = re.findall(r"^([A-Za-z_][\w.]*)(?:: (.*))?$", trace, flags=re.MULTILINE)
    name, text = said[-1] if said else ("", "")
    return text or name.rpartition(".")[2] or "no reason was given"
