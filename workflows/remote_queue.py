"""Campaigns through jobflow-remote: one flow a phase, their states, and another try."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from interohm.errors import InputError

from .launchpad import METADATA, PATIENCE_MS, WAITS_FOR
from .queue_repair import Document, in_batches, utc
from .queue_state import QueuedJob, campaign_of, no_such_campaign, said_by

if TYPE_CHECKING:
    from jobflow import Job
    from jobflow_remote.config.base import Project
    from jobflow_remote.jobs.jobcontroller import JobController

    from .submission import PhasePlan, Submission

#: What jobflow-remote calls a state, and what it means here.
STATES = {
    "WAITING": "waits",
    "READY": "ready",
    "CHECKED_OUT": "queued",
    "UPLOADED": "queued",
    "SUBMITTED": "queued",
    "BATCH_SUBMITTED": "queued",
    "RUNNING": "runs",
    "BATCH_RUNNING": "runs",
    "RUN_FINISHED": "runs",
    "DOWNLOADED": "runs",
    "COMPLETED": "done",
    "FAILED": "failed",
    "REMOTE_ERROR": "failed",
    "PAUSED": "paused",
    "STOPPED": "paused",
    "USER_STOPPED": "paused",
}

_FAILED = ("FAILED", "REMOTE_ERROR")

#: A flow without its jobs is so long taken for one that is being added.
_LONGEST_SUBMISSION_S = 120.0

#: How long a rerun waits for the runner to open a lock.
_LOCKED_S = 30

_INSTALL = "pip install 'interohm[remote]'"


@contextlib.contextmanager
def open_project() -> Iterator[JobController]:
    """Connect to the server of the user's jobflow-remote project, and disconnect at the end.

    Raises
    ------
    InputError
        jobflow-remote is not installed, there is no project or it cannot be used, or its server
        does not answer or refuses a request; the message holds no credentials.
    """
    from pymongo.errors import PyMongoError

    project = load_project()
    try:
        # what it logs may quote an address with its password
        logging.getLogger("jobflow_remote").setLevel(logging.CRITICAL)
        patience = {"serverSelectionTimeoutMS": PATIENCE_MS}
        given = project.queue.store.get("mongoclient_kwargs") or {}
        project.queue.store["mongoclient_kwargs"] = {**patience, **given}
        controller = project.get_job_controller()
        controller.db.client.admin.command("ping")
    except Exception as error:  # maggma and pymongo pass on whatever a wrong address leads to
        raise _unusable(project, error) from None
    with contextlib.closing(controller):
        try:
            yield controller
        except PyMongoError as error:
            raise _unusable(project, error) from None


def load_project() -> Project:
    """Return the project that jobflow-remote would use here.

    Raises
    ------
    InputError
        jobflow-remote is not installed, or there is no project that can be used.
    """
    try:
        from jobflow_remote import SETTINGS
        from jobflow_remote.config.manager import ConfigManager
    except ImportError:
        raise InputError("jobflow-remote is not installed", where="queue", fix=_INSTALL) from None
    try:
        project: Project = ConfigManager().get_project()
    except Exception as error:  # of many kinds, which may quote the file
        raise InputError(
            f"jobflow-remote finds no project that can be used ({type(error).__name__})",
            where=str(SETTINGS.projects_folder),
            fix="`interohm init-cluster FOLDER --manager jobflow-remote` writes one; "
            "`jf project check --errors` says what is wrong with yours, JFREMOTE_PROJECT chooses "
            "among several",
        ) from None
    if not project.workers:
        raise InputError(
            f"the project {project.name} has no worker",
            where=str(SETTINGS.projects_folder),
            fix="describe one under `workers:`",
        )
    return project


def submit(
    campaign: str,
    plans: Sequence[PhasePlan],
    controller: JobController,
    *,
    advance: Callable[[int], None] = lambda count: None,
) -> list[Submission]:
    """Add phases to the project, those apart that are there or done already.

    Parameters
    ----------
    campaign : str
        Its name.
    plans : sequence of PhasePlan
        The phases to submit.
    controller : JobController
        Controller of the project.
    advance : callable
        Called with the number of phases that are settled.

    Returns
    -------
    list of Submission
        One a phase.

    Raises
    ------
    InputError
        A phase asks for a worker or an execution configuration that the project lacks; it is not
        added.
    """
    from .submission import Submission, join_campaign, settled

    _initialize(controller)
    before, attempts = _submitted(controller, [plan for plan in plans if not plan.done])

    def earlier(plan: PhasePlan) -> Submission | None:
        present = [one for one in before[id(plan)] if one["state"] != "COMPLETED"]
        if present:
            outcome: Any = "failed" if present[0]["failed"] else "queued"
            return Submission(plan.name, outcome, len(present[0]["jobs"]))
        if plan.recorded and before[id(plan)]:
            return Submission(plan.name, "done", 0)
        return None

    done = settled(plans, earlier, lambda some: _add(controller, campaign, some, attempts), advance)
    join_campaign(controller.flows, campaign, plans)
    return done


def queued_jobs(controller: JobController, *, campaign: str | None = None) -> list[QueuedJob]:
    """Return the jobs of all campaigns, or of one, in the order in which they were added.

    Parameters
    ----------
    controller : JobController
        Controller of the project.
    campaign : str, optional
        Its name.

    Raises
    ------
    InputError
        No such campaign was submitted.
    """
    now = datetime.now(UTC)
    flows = _flows(controller, campaign)
    owner = {uuid: flow for flow in flows for uuid in flow["jobs"]}
    fields = {"uuid", "index", "db_id", "state", "worker", "run_dir", "error", "updated_on"}
    fields |= {"start_time", "end_time", "job.name", f"job.metadata.{WAITS_FOR}", "remote.error"}
    parts: dict[str, list[Document]] = {}
    found = in_batches(controller.jobs, "uuid", list(owner), {}, dict.fromkeys(fields, 1))
    for document in sorted(found, key=lambda one: one["index"]):
        parts.setdefault(document["uuid"], []).append(document)
    jobs = []
    for uuid, flow in owner.items():
        own = parts.get(uuid, [])
        if not own:
            continue
        last = own[-1]
        state = STATES.get(last["state"], last["state"].lower())
        described = flow["metadata"][METADATA]
        waits = (last["job"].get("metadata") or {}).get(WAITS_FOR)
        if state not in ("ready", "queued", "runs"):
            waits = None
        begun = [one for one in own if STATES.get(one["state"]) not in ("waits", "ready")]
        jobs.append(
            QueuedJob(
                campaign=campaign_of(described, campaign),
                phase=described["phase"],
                name=last["job"]["name"],
                id=last["db_id"],
                # one that runs looks whether the other one has ended
                state=state if waits is None or state == "runs" else "waits",
                since=None
                if state == "waits"
                else utc(last["updated_on"]).isoformat(timespec="seconds"),
                seconds=round(sum(_run_time_s(one, now) for one in own), 1),
                tries=len(begun),
                host=last["worker"] if begun else None,
                folder=last.get("run_dir"),
                reason=_reason(last) if state == "failed" else None,
                waits_for=None if waits is None else waits["job"],
            )
        )
    return jobs


def other_flows(controller: JobController) -> int:
    """Return how many flows of a project `interohm submit` did not add."""
    return int(controller.flows.count_documents({f"metadata.{METADATA}": {"$exists": False}}))


def is_empty(controller: JobController) -> bool:
    """Return whether a project's database has no counters yet, without which it takes no flow."""
    return controller.auxiliary.find_one({"next_id": {"$exists": True}}) is None


def rerun(
    controller: JobController,
    *,
    campaign: str | None = None,
    forget: Callable[[Sequence[str]], None] = lambda jobs: None,
) -> list[str]:
    """Make failed jobs ready again; they go on from their calculations' checkpoints.

    Parameters
    ----------
    controller : JobController
        Controller of the project.
    campaign : str, optional
        Only of this one; flows that are not this program's are never touched.
    forget : callable
        Forgets the failures of jobs, by their uuids, before they are ready.

    Returns
    -------
    list of str
        jobflow-remote's numbers (``db_id``) of them.

    Raises
    ------
    InputError
        No such campaign was submitted, or a job cannot be made ready again.
    """
    uuids = [uuid for flow in _flows(controller, campaign) for uuid in flow["jobs"]]
    fields = {"uuid": 1, "index": 1, "db_id": 1, "error": 1}
    failed = list(in_batches(controller.jobs, "uuid", uuids, {"state": {"$in": _FAILED}}, fields))
    forget([job["uuid"] for job in failed])
    begun: list[str] = []
    for job in sorted(failed, key=lambda one: (len(one["db_id"]), one["db_id"])):
        gone = _CALCULATION_GONE in str(job.get("error"))
        for first in _named_by(controller, job["uuid"]) if gone else [job["db_id"]]:
            if first in begun:
                continue
            try:
                # files of the try before say why it failed; checkpoints are elsewhere
                controller.rerun_job(db_id=first, force=gone, wait=_LOCKED_S, delete_files=False)
            except ValueError as error:
                raise InputError(
                    f"the job {first} cannot be made ready again: {error}",
                    where="queue",
                    fix=f"`jf flow delete -did {first}`, then submit the campaign again: what is "
                    "in the database is not calculated again",
                ) from None
            begun.append(first)
    return begun


_CALCULATION_GONE = "CalculationGoneError"


def _named_by(controller: JobController, failed: str) -> list[str]:
    """Return the jobs that calculated what a failed one names, one of which is gone."""
    last = {"sort": [("index", -1)]}
    job = controller.jobs.find_one({"uuid": failed}, {"job": 1}, **last)["job"]
    named = []
    for uuid in _references([job["function_args"], job["function_kwargs"]]):
        one = controller.jobs.find_one({"uuid": uuid}, {"db_id": 1, "job.function": 1}, **last)
        if one["job"]["function"].get("@callable") == "calculate":
            named.append(one["db_id"])
    return named


def _references(value: Any) -> Iterator[str]:
    """Yield the uuids of the jobs whose whole outputs are somewhere in a job's arguments."""
    if isinstance(value, Mapping):
        if value.get("@class") == "OutputReference":
            if not value.get("attributes"):
                yield value["uuid"]
            return
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _references(one)


def _check_config(jobs: Sequence[tuple[Job, list[str]]], project: Project) -> None:
    """Refuse a worker or an execution configuration that the project lacks."""
    asked = [job.config.manager_config for job, _ in jobs]
    for job, _ in jobs:  # those that the first one will make
        asked += (job.function_kwargs.get("preset") or {}).get("resources", {}).values()
    for config in asked:
        for field, known in (("worker", project.workers), ("exec_config", project.exec_config)):
            name = config.get(field)
            if isinstance(name, str) and name not in known:
                raise InputError(
                    f"the project {project.name} has no {name!r}",
                    where=f"resources: {field}",
                    fix=f"one of {', '.join(known) or '(there are none)'}",
                )


def _initialize(controller: JobController) -> None:
    """Give an empty database its counters and indexes, as ``jf admin reset`` would."""
    if is_empty(controller):
        empty: dict[str, Any] = {"next_id": 1, "running_runner": None, "runner_pings": []}
        for field, value in empty.items():
            # one number for whoever else begins at this moment
            controller.auxiliary.update_one(
                {"_id": f"{METADATA}_{field}"}, {"$setOnInsert": {field: value}}, upsert=True
            )
        controller.update_version_information()
        controller.build_indexes()
    for said in ("key", "campaign"):
        controller.flows.create_index(f"metadata.{METADATA}.{said}")


def _add(
    controller: JobController,
    campaign: str,
    plans: Sequence[PhasePlan],
    attempts: Mapping[str, int],
) -> list[Submission]:
    """Add phases; of those who add one at the same moment, the server lets one through."""
    from jobflow.core.flow import get_flow
    from jobflow_remote.jobs.data import get_initial_flow_doc_dict, get_initial_job_doc_dict
    from pymongo.errors import BulkWriteError

    from .campaign import jobs_in_order
    from .resources import for_jobflow_remote
    from .submission import Submission, described

    made_flows = [get_flow(plan.make_flow()) for plan in plans]
    ordered = [jobs_in_order(flow) for flow in made_flows]
    for own in ordered:
        _check_config(own, controller.project)
        for job, _ in own:
            for_jobflow_remote(job)
    counter = controller.auxiliary.find_one_and_update(
        {"next_id": {"$exists": True}}, {"$inc": {"next_id": sum(map(len, ordered))}}
    )
    number, prefix = counter["next_id"], controller.project.queue.db_id_prefix or ""
    worker = next(iter(controller.project.workers))
    flows, jobs = [], []
    for plan, flow, own in zip(plans, made_flows, ordered, strict=True):
        made = []
        for job, parents in own:
            made.append(
                get_initial_job_doc_dict(
                    job,
                    parents,
                    f"{prefix}{number}",
                    worker=worker,
                    exec_config=None,
                    resources=None,
                    priority=0,
                )
            )
            number += 1
        flow.name = f"{campaign}: {plan.name}"
        flow.metadata = {METADATA: described(campaign, plan)}
        document = get_initial_flow_doc_dict(flow, made)
        flows.append({"_id": f"{METADATA}-{plan.key}-{attempts.get(plan.key, 1)}", **document})
        jobs.append(made)
    late: set[int] = set()
    try:
        controller.flows.insert_many(flows, ordered=False)
    except BulkWriteError as error:
        refused = error.details["writeErrors"]
        if any(one["code"] != _DUPLICATE_KEY for one in refused):
            raise
        late = {one["index"] for one in refused}
    added = [job for place, own in enumerate(jobs) if place not in late for job in own]
    if added:
        controller.jobs.insert_many(added)
    return [
        Submission(plan.name, "queued" if place in late else "added", len(own))
        for place, (plan, own) in enumerate(zip(plans, jobs, strict=True))
    ]


_DUPLICATE_KEY = 11000


def _submitted(
    controller: JobController, plans: Sequence[PhasePlan]
) -> tuple[dict[int, list[dict[str, Any]]], dict[str, int]]:
    """Return the flows of phases, the latest first, and the number of the next one.

    The flows by the plans' ``id()``, the numbers by the plans' keys: the same for all who ask now.
    """
    from .submission import of_plans

    keys = [plan.key for plan in plans]
    fields = {"jobs": 1, "state": 1, "created_on": 1, f"metadata.{METADATA}": 1}
    flows = _whole(
        controller, in_batches(controller.flows, f"metadata.{METADATA}.key", keys, {}, fields)
    )
    attempts: dict[str, int] = {}
    for one in flows:
        key, number = one["metadata"][METADATA]["key"], str(one["_id"]).rpartition("-")[2]
        attempts[key] = max(attempts.get(key, 1), int(number) + 1)
    return of_plans(plans, flows, lambda one: -utc(one["created_on"]).timestamp()), attempts


def _whole(controller: JobController, flows: Iterator[Document]) -> list[dict[str, Any]]:
    """Return flows that have their jobs, and remove those that have not.

    A flow is written before its jobs. Whoever was killed between the two left one that would never
    run.
    """
    found = [dict(one) for one in flows]
    uuids = [uuid for one in found for uuid in one["jobs"]]
    states: dict[str, set[str]] = {}
    for job in in_batches(controller.jobs, "uuid", uuids, {}, {"uuid": 1, "state": 1}):
        states.setdefault(job["uuid"], set()).add(job["state"])
    now, whole, torn = datetime.now(UTC), [], []
    for one in found:
        old = (now - utc(one["created_on"])).total_seconds() > _LONGEST_SUBMISSION_S
        if old and not states.keys() >= set(one["jobs"]):
            torn.append(one)
            continue
        one["failed"] = any(states.get(uuid, set()) & set(_FAILED) for uuid in one["jobs"])
        whole.append(one)
    if torn:
        left = [uuid for one in torn for uuid in one["jobs"]]
        controller.jobs.delete_many({"uuid": {"$in": left}})
        controller.flows.delete_many({"_id": {"$in": [one["_id"] for one in torn]}})
    return whole


def _flows(controller: JobController, campaign: str | None) -> list[Document]:
    criteria: dict[str, Any] = {f"metadata.{METADATA}": {"$exists": True}}
    if campaign is not None:
        criteria[f"metadata.{METADATA}.campaign"] = campaign
    found = list(
        controller.flows.find(criteria, {"jobs": 1, "created_on": 1, f"metadata.{METADATA}": 1})
    )
    if campaign is not None and not found:
        known = controller.flows.distinct(f"metadata.{METADATA}.campaign")
        raise no_such_campaign(campaign, known, "this project")
    return sorted(found, key=lambda flow: utc(flow["created_on"]))


def _run_time_s(job: Mapping[str, Any], now: datetime) -> float:
    begun, ended = job.get("start_time"), job.get("end_time")
    if begun is None:
        # jobflow-remote reads the start from the job's own output, which comes at its end
        return (now - utc(job["updated_on"])).total_seconds() if job["state"] == "RUNNING" else 0.0
    return max(0.0, ((now if ended is None else utc(ended)) - utc(begun)).total_seconds())


def _reason(job: Mapping[str, Any]) -> str:
    said = job.get("error") or (job.get("remote") or {}).get("error")
    if not said:
        return "it left no output"
    # jobflow-remote's own words, or those of the exception that ended the job
    return said_by(said) if "Traceback" in said else str(said).splitlines()[0]


def _unusable(project: Project, error: Exception) -> InputError:
    return InputError(
        f"the server of the project {project.name} cannot be used ({type(error).__name__})",
        where="jobflow-remote",
        fix="check host, port, user and password in the project's file, and that the server runs",
    )
