"""Workers killed between any two of their writes to the launchpad and the database."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from clusters import Cluster
from pymongo import MongoClient

LONG = os.environ.get("INTEROHM_TEST_FAULTS") == "long"
KILLED = -9
JOBS, CALCULATIONS = 5, 3


class Workers:
    """The program of ``doomed_workers.py`` on a cluster."""

    def __init__(self, cluster: Cluster) -> None:
        program = Path(__file__).with_name("doomed_workers.py")
        self.process = subprocess.Popen(
            [sys.executable, str(program)],
            env=cluster.environment,
            cwd=cluster.work,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def do(self, *command: object) -> tuple[int, str]:
        """Return how a command ended, and what it printed."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        code, said = json.loads(self.process.stdout.readline())
        return code, said

    def interohm(self, *command: object) -> str:
        """Return what a command printed that must succeed."""
        code, said = self.do(*map(str, command))
        assert code == 0, said
        return said

    def states(self) -> dict[str, str]:
        """Return the states of all jobs."""
        return {job["name"]: job["state"] for job in self.jobs()}

    def jobs(self) -> list[dict[str, Any]]:
        """Return what ``interohm status`` says."""
        jobs: list[dict[str, Any]] = json.loads(self.interohm("status", "--json"))
        return jobs


@pytest.fixture
def workers(cluster: Cluster) -> Iterator[Workers]:
    cluster.edit("FW_config.yaml", RUN_EXPIRATION_SECS=1, WFLOCK_EXPIRATION_SECS=1)
    started = Workers(cluster)
    yield started
    started.process.communicate()


def test_killed_at_any_write(cluster: Cluster, workers: Workers, lithium: Path) -> None:
    workers.interohm("submit", lithium)
    code, said = workers.do("work")
    assert code == 0
    writes = int(said.split()[-1])
    check(cluster, workers)
    calculated = engines(cluster)
    assert len(calculated) == CALCULATIONS
    seed = random.randrange(10**6)
    print(f"seed {seed}, {writes} writes")
    chosen = random.Random(seed)
    kills = 0
    if LONG:
        kills = sum(survives(cluster, workers, lithium, [write]) for write in range(1, writes + 1))
    while kills < (100 if LONG else 3):
        several = [chosen.randint(1, writes // JOBS) for _ in range(3)]
        kills += survives(cluster, workers, lithium, several)
    assert engines(cluster) == calculated


def test_a_step_that_another_one_overwrote(
    cluster: Cluster, workers: Workers, lithium: Path
) -> None:
    """What is left of two steps at once, one of which took the lock of the other that was slow."""
    workers.interohm("submit", lithium)
    assert workers.do("work")[0] == 0
    record = max(workers.jobs(), key=lambda job: job["name"] == "Li: record")
    with MongoClient(cluster.uri) as client:
        launchpad = client[cluster.databases[0]]
        waits = {"state": "WAITING", "launches": []}
        launchpad.fireworks.update_one({"fw_id": int(record["id"])}, {"$set": waits})
    assert workers.states()["Li: record"] == "waits"
    assert workers.interohm("rerun") == "0 jobs ready again\n"
    assert workers.states()["Li: record"] == "ready"
    assert workers.do("work")[0] == 0
    assert set(workers.states().values()) == {"done"}


def survives(cluster: Cluster, workers: Workers, config: Path, fatal: list[int]) -> int:
    """Do a campaign whose workers are killed at these writes; return how many were.

    What the engine has calculated lies in its folder; all else is done anew.
    """
    print(f"killed before the writes {fatal}")
    kills = 0
    cluster.remove()
    workers.interohm("submit", config)
    for number in fatal:
        code, _ = workers.do("work", number)
        if code == 0:  # it was done before so many
            break
        assert code == KILLED
        kills += 1
        time.sleep(1.1)
        assert set(workers.states().values()) <= {"done", "ready", "waits", "lost"}
        workers.interohm("rerun")
        assert set(workers.states().values()) <= {"done", "ready", "waits"}
    assert workers.do("work")[0] == 0
    check(cluster, workers)
    return kills


def engines(cluster: Cluster) -> dict[str, int]:
    """Return when the engine wrote last, for each calculation."""
    logs = cluster.data.glob("scratch/*/worker.log")
    return {log.parent.name: log.stat().st_mtime_ns for log in logs}


def check(cluster: Cluster, workers: Workers) -> None:
    """All is done: nothing lost, nothing twice, nothing left behind."""
    jobs = workers.jobs()
    assert {job["state"] for job in jobs} == {"done"}
    assert len(jobs) == JOBS
    (workflow,) = cluster.queued("workflows")
    assert "locked" not in workflow
    assert workflow["state"] == "COMPLETED"
    assert sorted(workflow["nodes"]) == sorted(job["fw_id"] for job in cluster.queued("fireworks"))
    launches = cluster.queued("launches")
    assert {launch["state"] for launch in launches} <= {"COMPLETED", "FIZZLED"}
    assert sum(job["tries"] for job in jobs) == len(launches)
    # beside the jobs their plan, which the record goes on as
    assert sum(launch["state"] == "COMPLETED" for launch in launches) == JOBS + 1
    outputs = [(output["uuid"], output["index"]) for output in cluster.results("jobs")]
    assert len(outputs) == len(set(outputs)) == JOBS + 1
    assert len(cluster.results("calculations")) == CALCULATIONS
    assert [record["name"] for record in cluster.results("materials")] == ["Li"]
