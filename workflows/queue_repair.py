"""Repair of what a worker killed in the middle of a step leaves in the launchpad.

FireWorks takes a step (to take a job, to end it, to rerun it) by several writes: the launch, the
jobs, and last the workflow, which is locked meanwhile. Killed between two of them, a worker leaves
a job reserved that nobody has, a lock that nobody opens, or jobs that are ahead of their workflow.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .launchpad import PLANNED_BY, quiet

if TYPE_CHECKING:
    from fireworks import LaunchPad

_POLL_S = 0.2

#: Values in one question; a server takes documents of 16 MB.
BATCH = 50_000

Document = Mapping[str, Any]


def repair(launchpad: LaunchPad, nodes: Sequence[int], *, silent_s: float) -> list[int]:
    """Open locks of the dead, end what they began, and free what they had taken.

    Jobs that they were launching fail; those that they had but reserved are ready again.

    Parameters
    ----------
    launchpad : LaunchPad
        The queue.
    nodes : sequence of int
        FireWorks' numbers of the jobs that may be touched.
    silent_s : float
        A worker counts as dead after such a silence.

    Returns
    -------
    list of int
        The jobs that are ready again.
    """
    for workflow in _locked_by_the_dead(launchpad, nodes):
        _open(launchpad, workflow)
    for workflow in _stalled(launchpad, nodes):
        for fw_id in sorted(workflow["nodes"]):
            launchpad._refresh_wf(fw_id)
    # `refresh`: a job whose end was written but not what follows from it.
    launchpad.detect_lostruns(silent_s, fizzle=True, refresh=True, query={"fw_id": {"$in": nodes}})
    now = datetime.now(UTC)
    taken = list(launchpad.fireworks.find({"fw_id": {"$in": nodes}, "state": "RESERVED"}))
    numbers = [number for job in taken for number in job["launches"]]
    launches = {
        launch["launch_id"]: launch
        for launch in in_batches(
            launchpad.launches, "launch_id", numbers, {}, {"launch_id": 1, "state": 1}
        )
    }
    left = [
        job["fw_id"]
        for job in taken
        if abandoned(
            job, [launches[one] for one in job["launches"] if one in launches], now, silent_s
        )
    ]
    for fw_id in left:
        launchpad.rerun_fw(fw_id)
    return left


def abandoned(job: Document, launches: Sequence[Document], now: datetime, silent_s: float) -> bool:
    """Return whether a job is reserved by a worker that died before it recorded the launch.

    Parameters
    ----------
    job : mapping
        Its document in the launchpad.
    launches : sequence of mapping
        Those that the job names.
    now : datetime
        The time to compare with.
    silent_s : float
        After so long without a sign a job counts as lost.
    """
    reserved = any(launch["state"] == "RESERVED" for launch in launches)  # by a batch system's job
    return (
        job["state"] == "RESERVED"
        and not reserved
        and (now - utc(job["updated_on"])).total_seconds() > silent_s
    )


def utc(written: str | datetime) -> datetime:
    """Return a time as FireWorks writes it, in text or not, with its time zone."""
    time = datetime.fromisoformat(written) if isinstance(written, str) else written
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def in_batches(
    collection: Any,
    field: str,
    values: Sequence[Any],
    criteria: Mapping[str, Any],
    fields: Mapping[str, Any],
) -> Iterator[Document]:
    """Yield the documents of which a field has one of many values, asked some thousand at a time.

    Parameters
    ----------
    collection : pymongo's Collection
        Collection to search.
    field : str
        A field with an index.
    values : sequence
        Those that it may have.
    criteria : mapping
        Further conditions.
    fields : mapping
        Which fields to fetch, as pymongo takes them.
    """
    for first in range(0, len(values), BATCH):
        some = list(values[first : first + BATCH])
        yield from collection.find({**criteria, field: {"$in": some}}, dict(fields))


def _locked_by_the_dead(launchpad: LaunchPad, nodes: Sequence[int]) -> list[Document]:
    """Return workflows that nobody changed or unlocked while FireWorks would wait for it."""
    with quiet():
        from fireworks.fw_config import WFLOCK_EXPIRATION_SECS

    locked = {"nodes": {"$in": nodes}, "locked": True}
    end = time.monotonic() + WFLOCK_EXPIRATION_SECS
    waiting = {one["_id"]: one for one in launchpad.workflows.find(locked)}
    while waiting and time.monotonic() < end:
        time.sleep(_POLL_S)
        present = {one["_id"]: one for one in launchpad.workflows.find(locked)}
        waiting = {key: one for key, one in waiting.items() if present.get(key) == one}
    return list(waiting.values())


def _stalled(launchpad: LaunchPad, nodes: Sequence[int]) -> list[Document]:
    """Return workflows in which a job waits though all before it are done.

    Two steps at once lead there, where one took the lock from the other, which was but slow.
    """
    jobs = launchpad.fireworks.find({"fw_id": {"$in": nodes}}, {"fw_id": 1, "state": 1})
    states = {job["fw_id"]: job["state"] for job in jobs}
    stalled = []
    fields = {"nodes": 1, "links": 1}
    for workflow in launchpad.workflows.find({"nodes": {"$in": nodes}}, fields):
        waiting = {fw_id for fw_id in workflow["nodes"] if states.get(fw_id) == "WAITING"}
        held = {
            child
            for parent, children in workflow["links"].items()
            if states.get(int(parent)) != "COMPLETED"
            for child in children
        }
        if waiting - held:
            stalled.append(workflow)
    return stalled


def _open(launchpad: LaunchPad, workflow: Document) -> None:
    """Unlock a workflow, and take the step again that was interrupted.

    The workflow is written last: jobs that it does not know yet are dropped, and those that ended
    without its knowledge are taken back, to end once more from what their launches say.
    """
    nodes = workflow["nodes"]
    jobs = list(launchpad.fireworks.find({"fw_id": {"$in": nodes}}))
    ours = [job["spec"]["_tasks"][0]["job"]["uuid"] for job in jobs]
    of_these = {"$in": ours}  # once more, or planned by one of them
    for field in ("uuid", f"metadata.{PLANNED_BY}"):
        launchpad.fireworks.delete_many(
            {f"spec._tasks.job.{field}": of_these, "fw_id": {"$nin": nodes}}
        )
    for job in jobs:
        known = workflow["fw_states"].get(str(job["fw_id"]))
        if job["state"] == "COMPLETED" != known:
            launchpad.fireworks.update_one({"fw_id": job["fw_id"]}, {"$set": {"state": known}})
    launchpad.workflows.update_one({"_id": workflow["_id"]}, {"$unset": {"locked": True}})
    for fw_id in sorted(nodes):
        launchpad._refresh_wf(fw_id)
