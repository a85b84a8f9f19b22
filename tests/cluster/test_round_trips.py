"""Commands to the server: bounded, however many phases are in the queue."""

from __future__ import annotations

import functools
import hashlib
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import SERVER_VARIABLE
from fireworks import FWAction, FWorker, LaunchPad
from jobflow import Flow, job
from jobflow_remote.config.base import LocalWorker, Project, QueueConfig
from pymongo import MongoClient, monitoring

from interohm.database import Database
from interohm.workflows import queue_repair, queue_state, remote_queue, submission
from interohm.workflows.campaign import CampaignConfig
from interohm.workflows.reference_elements import missing_elements

FAILED = 3


class Counting(monitoring.CommandListener):
    """Counts the commands that all clients send."""

    def __init__(self) -> None:
        self.commands: Counter[str] = Counter()

        self.longest_list = 0

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        self.commands[event.command_name] += 1
        self.longest_list = max(self.longest_list, *map(len, lists_in(event.command)), 0)

    def succeeded(self, event: Any) -> None:
        """Count nothing."""

    def failed(self, event: Any) -> None:
        """Count nothing."""

    def of(self, act: Callable[[], Any]) -> int:
        """Return how many commands a call sends."""
        self.commands.clear()
        act()
        return sum(self.commands.values())


def lists_in(value: Any) -> Iterator[list[Any]]:
    """Yield the lists of values that a command asks for."""
    if isinstance(value, Mapping):
        for name, own in value.items():
            if name in ("$in", "$nin"):
                yield own
            yield from lists_in(own)
    elif isinstance(value, list):
        for own in value:
            yield from lists_in(own)


@pytest.fixture
def launchpads() -> Iterator[Callable[[Counting], LaunchPad]]:
    """Return a function that makes an empty launchpad whose commands are counted."""
    made: list[LaunchPad] = []

    def make(counting: Counting) -> LaunchPad:
        name = f"interohm_test_{os.getpid()}_{time.time_ns()}"
        pad = LaunchPad(
            host=os.environ[SERVER_VARIABLE],
            name=name,
            uri_mode=True,
            strm_lvl="CRITICAL",
            mongoclient_kwargs={"event_listeners": [counting]},
        )
        made.append(pad)
        return pad

    yield make
    for pad in made:
        with MongoClient(os.environ[SERVER_VARIABLE]) as client:
            client.drop_database(pad.db.name)
        pad.connection.close()


@job
def first_step() -> int:
    """Stand for a calculation."""
    return 1


@job
def second_step(number: int) -> int:
    """Stand for what follows from it."""
    return number


def plans(count: int) -> list[submission.PhasePlan]:
    made = []
    for number in range(count):
        first = first_step()
        flow = Flow([first, second_step(first.output)])
        key = hashlib.sha256(str(number).encode()).hexdigest()
        made.append(submission.PhasePlan(f"phase{number}", lambda flow=flow: flow, key, done=False))
    return made


def let_fail(pad: LaunchPad, count: int) -> None:
    """Let the first jobs of some phases begin and fail."""
    for document in list(pad.fireworks.find({"state": "READY"}, {"fw_id": 1}, limit=count)):
        _, launch = pad.checkout_fw(FWorker(), ".", fw_id=document["fw_id"])
        pad.complete_launch(launch, FWAction(), "FIZZLED")


def commands(make: Callable[[Counting], LaunchPad], phases: int) -> dict[str, int]:
    """Return how many commands each act of the user's sends."""
    counting = Counting()
    pad = make(counting)
    asked = plans(phases)
    submitted: list[submission.Submission] = []
    counts = {"submit": counting.of(lambda: submitted.extend(submission.submit("c", asked, pad)))}
    assert [one.outcome for one in submitted] == ["added"] * phases
    submitted.clear()
    again = counting.of(lambda: submitted.extend(submission.submit("c", asked, pad)))
    assert [one.outcome for one in submitted] == ["queued"] * phases
    let_fail(pad, FAILED)
    jobs: list[queue_state.QueuedJob] = []
    counts |= {"submit again": again}
    counts["status"] = counting.of(lambda: jobs.extend(queue_state.queued_jobs(pad)))
    assert len(jobs) == 2 * phases
    states = Counter(one.state for one in jobs)
    assert states == {"failed": FAILED, "ready": phases - FAILED, "waits": phases}
    begun: list[int] = []
    counts["rerun"] = counting.of(lambda: begun.extend(queue_state.rerun(pad)))
    assert len(begun) == FAILED
    return counts


def remote_commands(phases: int) -> dict[str, int]:
    """Return how many commands each act sends where jobflow-remote keeps the queue."""
    counting = Counting()
    name, uri = f"interohm_test_{os.getpid()}_{time.time_ns()}", os.environ[SERVER_VARIABLE]
    store = {"type": "MongoStore", "uri": uri, "database": name}
    heard = {"mongoclient_kwargs": {"event_listeners": [counting]}}
    project = Project(
        name="counted",
        base_dir="/nowhere",
        workers={"shell": LocalWorker(type="local", scheduler_type="shell", work_dir="/nowhere")},
        queue=QueueConfig(store={**store, "collection_name": "jobs"}),
        jobstore={"docs_store": {**store, "collection_name": "outputs"}},
    )
    for counted in (project.queue.store, project.jobstore["docs_store"]):
        counted.update(heard)
    controller = project.get_job_controller()
    try:
        asked = plans(phases)
        submitted: list[submission.Submission] = []

        def submit() -> None:
            submitted[:] = remote_queue.submit("c", asked, controller)

        counts = {"submit": counting.of(submit)}
        assert [one.outcome for one in submitted] == ["added"] * phases
        counts["submit again"] = counting.of(submit)
        assert [one.outcome for one in submitted] == ["queued"] * phases
        for job in list(controller.jobs.find({"state": "READY"}, limit=FAILED)):
            controller.jobs.update_one({"_id": job["_id"]}, {"$set": {"state": "FAILED"}})
        jobs: list[queue_state.QueuedJob] = []
        counts["status"] = counting.of(lambda: jobs.extend(remote_queue.queued_jobs(controller)))
        states = Counter(one.state for one in jobs)
        assert states == {"failed": FAILED, "ready": phases - FAILED, "waits": phases}
        begun: list[str] = []
        counts["rerun"] = counting.of(lambda: begun.extend(remote_queue.rerun(controller)))
        assert len(begun) == FAILED
        with pytest.MonkeyPatch.context() as patch:
            # as who asked a moment before they were added: the server lets nobody add them again
            patch.setattr(remote_queue, "_whole", lambda controller, flows: [])
            submit()
        assert [one.outcome for one in submitted] == ["queued"] * phases
        controller.flows.update_one({"name": "c: phase1"}, {"$set": {"created_on": LONG_AGO}})
        controller.jobs.delete_one({"uuid": asked[1].make_flow().jobs[1].uuid})
        submit()  # of a phase that somebody was killed while adding, nothing stays
        assert [one.outcome for one in submitted] == ["queued", "added"] + ["queued"] * (phases - 2)
        assert controller.jobs.count_documents({}) == 2 * phases
        return counts
    finally:
        controller.db.client.drop_database(name)
        controller.close()


LONG_AGO = datetime.now(UTC) - timedelta(hours=1)


@pytest.mark.parametrize("manager", ["fireworks", "jobflow-remote"])
def test_a_hundred_times_the_phases_take_no_more_than_three_times_the_commands(
    launchpads: Callable[[Counting], LaunchPad], manager: str
) -> None:
    few, many = (
        commands(launchpads, phases) if manager == "fireworks" else remote_commands(phases)
        for phases in (10, 1000)
    )
    for act, count in many.items():
        assert count <= 3 * few[act], (act, few, many)


def campaign_of(phases: int) -> CampaignConfig:
    """Return a campaign half of insulators, whose windows lack an element, half of interfaces."""
    quantity = {"value": 9.0, "source": "x", "method": "assumed", "uncertainty": 1.0}
    insulator = {"kind": "insulator", "structure": "LiF", "dielectric_constant": quantity}
    metal = {"record": "Li", "kind": "metal", "structure": "Li", "facet": [0, 0, 1]}
    other = {"record": "LiF", "kind": "insulator", "structure": "LiF", "facet": [0, 0, 1]}
    made: list[dict[str, Any]] = []
    for number in range(phases // 2):
        made.append({**insulator, "name": f"LiF_{number}", "facet": [number % 9, 1, 1]})
        made.append(
            {"kind": "interface", "name": f"joined_{number}", "left": metal, "right": other}
        )
    data = {
        "name": "many",
        "preset": "production",
        "metal_structure": "Li",
        "phase_diagram": {"entries": "calculations"},
        "phases": made,
    }
    return CampaignConfig.model_validate(data)


@pytest.fixture
def results(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Let the settings name a database of results on the server."""
    name, uri = f"interohm_test_{os.getpid()}_{time.time_ns()}", os.environ[SERVER_VARIABLE]
    monkeypatch.setenv("INTEROHM_MONGODB_URI", uri)
    monkeypatch.setenv("INTEROHM_MONGODB_DATABASE", name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    yield
    with MongoClient(uri) as client:
        client.drop_database(name)


@pytest.mark.usefixtures("results")
def test_results_are_asked_for_all_phases_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a submission asks the database of results does not grow with the phases."""
    counting, counts = Counting(), {}
    client_of = functools.partial(MongoClient, event_listeners=[counting])
    monkeypatch.setattr("pymongo.MongoClient", client_of)

    for phases in (2, 20):
        config = campaign_of(phases)

        def submit(config: CampaignConfig = config) -> None:
            with Database.open() as database:
                plans = submission.phases_to_submit(config, database)
                assert len([plan for plan in plans if not plan.shared]) == len(config.phases)
                lacking = missing_elements(config, database)
                assert set(lacking) == {
                    one.name for one in config.phases if one.kind == "insulator"
                }

        counts[phases] = counting.of(submit)
    assert counts[2] == counts[20] > 0


def test_no_question_is_larger_than_a_server_takes(
    launchpads: Callable[[Counting], LaunchPad], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many jobs there are: a document of 16 MB has no room for two million numbers."""
    counting = Counting()
    pad, asked = launchpads(counting), plans(20)
    submission.submit("c", asked, pad)
    let_fail(pad, FAILED)
    monkeypatch.setattr(queue_repair, "BATCH", 6)
    counting.longest_list = 0
    assert {one.outcome for one in submission.submit("c", asked, pad)} == {"queued", "failed"}
    assert len(queue_state.queued_jobs(pad)) == 40
    assert len(queue_state.rerun(pad)) == FAILED
    assert 0 < counting.longest_list <= 6
    assert {one.state for one in queue_state.queued_jobs(pad)} == {"ready", "waits"}


def test_of_two_who_submit_at_once_one_adds(
    launchpads: Callable[[Counting], LaunchPad], monkeypatch: pytest.MonkeyPatch
) -> None:
    pad = launchpads(Counting())
    asked = plans(5)
    real = LaunchPad.bulk_add_wfs

    def after_another(self: LaunchPad, workflows: list[Any]) -> None:
        monkeypatch.setattr(LaunchPad, "bulk_add_wfs", real)
        assert {one.outcome for one in submission.submit("c", plans(3), pad)} == {"added"}
        real(self, workflows)

    monkeypatch.setattr(LaunchPad, "bulk_add_wfs", after_another)
    outcomes = [one.outcome for one in submission.submit("c", asked, pad)]
    assert outcomes == ["queued"] * 3 + ["added"] * 2
    assert pad.workflows.count_documents({}) == 5
    assert pad.fireworks.count_documents({}) == 10


def test_a_submission_that_was_killed_between_workflows_and_jobs(
    launchpads: Callable[[Counting], LaunchPad],
) -> None:
    pad = launchpads(Counting())
    asked = plans(3)
    submission.submit("c", asked, pad)
    torn = pad.workflows.find_one({"metadata.interohm.phase": "phase1"})
    pad.fireworks.delete_one({"fw_id": torn["nodes"][1]})
    # it may be that somebody adds it right now
    assert {one.outcome for one in submission.submit("c", asked, pad)} == {"queued"}
    earlier = datetime.now(UTC) - timedelta(hours=1)
    pad.workflows.update_many({}, {"$set": {"created_on": earlier.isoformat()}})
    outcomes = [one.outcome for one in submission.submit("c", asked, pad)]
    assert outcomes == ["queued", "added", "queued"]
    assert pad.workflows.count_documents({}) == 3
    assert pad.fireworks.count_documents({}) == 6
    assert len(queue_state.queued_jobs(pad, campaign="c")) == 6
