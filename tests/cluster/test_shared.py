"""What two phases need: a workflow of its own, for which the phases' jobs leave their cores."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from clusters import Cluster, relaxing, wait_for
from test_queue_campaign import campaign

from interohm.files import open_plain
from interohm.settings import Settings
from interohm.workflows import context
from interohm.workflows.campaign import load_campaign
from interohm.workflows.campaign_flows import phase_inputs
from interohm.workflows.claim_file import CLAIM, hold, taken
from interohm.workflows.claims import claimed
from interohm.workflows.engines import engine_named
from interohm.workflows.launchpad import NOBODY

SHARED = "Li metal (shared)"
#: Longest wait for some calculations: half a minute on two free cores, more on busy ones.
PATIENCE_S = 900


def launched(cluster: Cluster, name: str) -> None:
    """Let a worker take one job, and no other."""
    cluster.run("rlaunch", "singleshot", "--fw_id", cluster.status()[name]["id"])


def folder_of_the_cell(cluster: Cluster, config: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where the cell of lithium is calculated."""
    monkeypatch.setattr(context, "load_settings", lambda: Settings(data=cluster.data))
    inputs = next(iter(phase_inputs(load_campaign(config))))
    cell = inputs.flow().jobs[0]
    asked: dict[str, Any] = {**cell.function_kwargs}
    engine = engine_named(asked.pop("engine"))
    request = engine.request(cell.function_args[0], asked["kind"], asked["settings"], 0)
    return claimed(request).folder


def test_a_job_whose_shared_result_is_not_there_yet_leaves_its_core(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = campaign(tmp_path)
    assert cluster.interohm("submit", config).count("added") == 3
    assert [name for name in cluster.status() if name.startswith(SHARED)] == [
        f"{SHARED} | Li metal: cell",
        f"{SHARED} | Li metal: bulk",
    ]
    for phase in ("Li_110", "Li_100"):
        launched(cluster, f"{phase} | {phase}: plan")
    folder = folder_of_the_cell(cluster, config, monkeypatch)
    folder.mkdir()
    with open_plain(folder / CLAIM) as held:  # somebody calculates it
        assert taken(held)
        hold(held, "Li metal: cell")
        launched(cluster, "Li_110 | Li_110: cell")
        job = cluster.status()["Li_110 | Li_110: cell"]
        assert (job["state"], job["waits_for"]) == ("waits", "Li metal: cell")
        said = " ".join(cluster.interohm("status").split())
        assert "Li metal: cell 1 1 Li_110: cell" in said
        # no worker takes it, and `qlaunch` submits no job for it
        begun = len(cluster.queued("launches"))
        query = {"fw_id": int(job["id"])}
        cluster.edit("my_fworker.yaml", query=json.dumps(query))
        cluster.run("rlaunch", "singleshot")
        assert len(cluster.queued("launches")) == begun
        cluster.edit("my_fworker.yaml", query="{}")
    # The shared ones go first; whoever ends them lets the others go on.
    cluster.run("rlaunch", "rapidfire")
    jobs = cluster.status()
    assert {job["state"] for job in jobs.values()} == {"done"}, jobs
    assert jobs["Li_110 | Li_110: cell"]["tries"] == 2
    assert len(cluster.results("calculations")) == 4
    assert (folder / "relaxation.log").read_text().count("Step ") == 1
    assert cluster.interohm("submit", config).count("done") == 3


def test_a_shared_calculation_that_failed_fails_its_phases_with_the_reason(
    cluster: Cluster, tmp_path: Path
) -> None:
    config = campaign(tmp_path)
    preset = tmp_path / "preset.yaml"
    preset.write_text(preset.read_text().replace(": 100\n", ": 2\n"))
    cluster.interohm("submit", config)
    for _ in range(2):
        cluster.run("rlaunch", "rapidfire")
        jobs = cluster.status()
        reasons = {name: one["reason"] for name, one in jobs.items() if one["state"] == "failed"}
        assert set(reasons) == {
            f"{SHARED} | Li metal: cell",
            "Li_110 | Li_110: cell",
            "Li_100 | Li_100: cell",
        }
        own = reasons.pop(f"{SHARED} | Li metal: cell")
        assert "electrons did not converge" in own
        assert set(reasons.values()) == {f"Li metal: cell: {own}"}
        (failure,) = cluster.results("failures")  # it was tried once
        # another campaign that shares it is told, and may try it again
        other = tmp_path / "other.yaml"
        other.write_text(config.read_text().replace("name: surfaces", "name: more"))
        assert "failed" in cluster.interohm("submit", other)
        assert failure["label"] == "Li metal: cell"
        assert cluster.interohm("rerun", "surfaces") == "3 jobs ready again\n"
        assert cluster.results("failures") == []


def test_jobs_that_wait_for_a_killed_worker_come_back(cluster: Cluster, tmp_path: Path) -> None:
    config = campaign(tmp_path)
    assert cluster.interohm("submit", config).count("added") == 3
    with begun(cluster):
        holder, _ = relaxing(cluster)
        os.kill(holder, signal.SIGSTOP)  # it does not end before others wait for it
        with begun(cluster) as other:
            wait_for(lambda: len(waiting(cluster)) == 2, PATIENCE_S)
            assert "any more" not in cluster.run("interohm", "status").stderr
            assert len(waiting(cluster)) == 2  # it lives, and they wait on
            other.send_signal(signal.SIGSTOP)
            os.kill(holder, signal.SIGKILL)
            told = " ".join(cluster.run("interohm", "status").stderr.split())
            assert "nobody calculates Li metal: cell any more" in told
            other.send_signal(signal.SIGCONT)
            records = {"Li_110", "Li_100"}
            wait_for(
                lambda: records == {one["name"] for one in cluster.results("materials")}, PATIENCE_S
            )
            other.terminate()
            other.wait()
    jobs = cluster.status()
    assert jobs.pop(f"{SHARED} | Li metal: cell")["state"] == "lost"
    assert jobs.pop(f"{SHARED} | Li metal: bulk")["state"] == "waits"
    assert {job["state"] for job in jobs.values()} == {"done"}, jobs
    assert len(cluster.results("calculations")) == 4


@contextlib.contextmanager
def begun(cluster: Cluster) -> Iterator[subprocess.Popen[bytes]]:
    """Let a worker take jobs; at the end of the block it is gone."""
    worker = subprocess.Popen(
        ["rlaunch", "-s", "rapidfire"],
        env=cluster.environment,
        cwd=cluster.work,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield worker
    finally:
        worker.kill()
        worker.wait()


def waiting(cluster: Cluster) -> list[str]:
    """Return the jobs that no worker may take."""
    return [
        job["name"] for job in cluster.queued("fireworks") if job["spec"].get("_fworker") == NOBODY
    ]
