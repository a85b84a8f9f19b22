"""Workers that hang, and workers whose clock jumps: late, but never lost or twice."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from clusters import Cluster, wait_for

CALCULATIONS = 3


class Launched:
    """Workers of a cluster, as processes of this machine."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.processes: list[subprocess.Popen[bytes]] = []

    def worker(self, **variables: str) -> subprocess.Popen[bytes]:
        """Start one, with additions to its environment."""
        log = (self.cluster.work / f"worker{len(self.processes)}.txt").open("w")
        self.processes.append(
            subprocess.Popen(
                ["rlaunch", "rapidfire"],
                env={**self.cluster.environment, **variables},
                cwd=self.cluster.work,
                stdout=log,
                stderr=log,
            )
        )
        return self.processes[-1]

    def wait(self) -> None:
        """Wait until all have ended."""
        for process in self.processes:
            assert process.wait(timeout=240) == 0


@pytest.fixture
def launched(cluster: Cluster) -> Iterator[Launched]:
    workers = Launched(cluster)
    yield workers
    for process in workers.processes:
        process.kill()
        process.wait()


def test_a_worker_that_hangs(cluster: Cluster, lithium: Path, launched: Launched) -> None:
    cluster.interohm("submit", lithium)
    hanging = launched.worker()
    wait_for(lambda: list(cluster.data.glob("scratch/*/gpaw.txt")))
    hanging.send_signal(signal.SIGSTOP)
    wait_for(lambda: "lost" in states(cluster).values())
    assert states(cluster)["Li | Li: cell"] == "lost"
    assert cluster.interohm("rerun") == "1 jobs ready again\n"
    launched.worker()
    wait_for(lambda: states(cluster)["Li | Li: cell"] == "waits")
    hanging.send_signal(signal.SIGCONT)
    check(cluster, launched)


def test_a_clock_that_jumps(cluster: Cluster, lithium: Path, launched: Launched) -> None:
    """A worker's clock jumps back and forth by hours while it calculates."""
    clock = cluster.folder / "clock"
    clock.write_text("+0\n")
    cluster.interohm("submit", lithium)
    launched.worker(**jumping(clock))
    for number, jump in enumerate(("-3h", "+5h", "-1h")):
        wait_for(lambda begun=number: len(list(cluster.data.glob("scratch/*/gpaw.txt"))) > begun)
        clock.write_text(f"{jump}\n")
    check(cluster, launched)
    assert min(job["seconds"] for job in cluster.status().values()) >= 0


def test_a_worker_behind_its_time(cluster: Cluster, lithium: Path, launched: Launched) -> None:
    """It seems lost while it is not; another one that takes its job waits for its result."""
    clock = cluster.folder / "clock"
    clock.write_text("-3h\n")
    cluster.interohm("submit", lithium)
    launched.worker(**jumping(clock))
    wait_for(lambda: list(cluster.data.glob("scratch/*/gpaw.txt")))
    assert states(cluster)["Li | Li: cell"] == "lost"
    cluster.interohm("rerun")
    launched.worker()
    check(cluster, launched)


#: libfaketime shifts the end of an absolute sleep on a clock that it leaves alone.
SLEEP = """import select, time
time.sleep = lambda seconds: select.select([], [], [], seconds)
"""


def jumping(clock: Path) -> Mapping[str, str]:
    """Return the environment of a process whose clock is off by what the file says."""
    (clock.parent / "sitecustomize.py").write_text(SLEEP)
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not found:
        pytest.fail("libfaketime missing; on Debian: apt install libfaketime")
    return {
        "LD_PRELOAD": str(found[0]),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        # As the kernel has it: what counts seconds does not jump with the time of day.
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "PYTHONPATH": str(clock.parent),
    }


def states(cluster: Cluster) -> dict[str, str]:
    return {name: job["state"] for name, job in cluster.status().items()}


def check(cluster: Cluster, launched: Launched) -> None:
    """All is done in the end, and each calculation was begun once."""
    launched.wait()
    for _ in range(2):
        if set(states(cluster).values()) == {"done"}:
            break
        wait_for(lambda: not {"runs", "queued"} & set(states(cluster).values()), 60)
        cluster.interohm("rerun")
        launched.worker()
        launched.wait()
    assert set(states(cluster).values()) == {"done"}
    (workflow,) = cluster.queued("workflows")
    assert workflow["state"] == "COMPLETED"
    # the plan and the record that it ends as are one job; one that waited has a part for that
    names = [job["name"] for job in cluster.queued("fireworks")]
    waited = len(names) - len(set(names))
    assert len(names) == len(cluster.status()) + 1 + waited
    assert len(cluster.results("calculations")) == CALCULATIONS
    assert len(cluster.results("materials")) == 1
    for folder in cluster.data.glob("scratch/*"):
        if (log := folder / "relaxation.log").exists():
            assert log.read_text().count("Step ") == 1
