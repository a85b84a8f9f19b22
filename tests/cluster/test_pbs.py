"""PBS's files by Torque's commands, which Debian has on top of Slurm (slurm-wlm-torque)."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from clusters import Cluster

CONFIG = Path(__file__).parents[2] / "configs" / "campaigns" / "screen48.yaml"


@pytest.fixture
def pbs(cluster: Cluster) -> Cluster:
    """The cluster with the queue's file that `init-cluster` writes for PBS."""
    if not all(map(shutil.which, ("qsub", "qstat", "qdel"))):
        pytest.skip("Torque's commands are not here; on Debian: apt install slurm-wlm-torque")
    folder = cluster.folder.with_name("pbs")
    cluster.run("interohm", "init-cluster", folder, "--scheduler", "pbs")
    text = (folder / "my_qadapter.yaml").read_text()
    (cluster.folder / "my_qadapter.yaml").write_text(text.replace(str(folder), str(cluster.folder)))
    cluster.edit("my_qadapter.yaml", ppnode=1, walltime="00:10:00")
    cluster.edit("my_qadapter.yaml", rocket_launch="rlaunch singleshot")
    return cluster


def test_a_job_is_tried_submitted_and_done(pbs: Cluster) -> None:
    assert pbs.interohm("submit", CONFIG, "--parts", 1).count("added") == 1
    tried = request(pbs)
    assert tried["status"] == "ok", tried
    assert "was taken on hold, and removed" in tried["found"]
    assert not pbs.slurm.run("squeue", "--noheader").strip()

    pbs.run("qlaunch", "singleshot")
    pbs.wait_until_idle()
    states = [job["state"] for job in pbs.status().values()]
    assert sorted(states) == ["done", "ready", "waits"]

    pbs.edit("my_qadapter.yaml", queue="nowhere")
    refused = request(pbs)
    assert refused["status"] == "missing"
    assert "nowhere" in refused["found"]
    assert str(pbs.folder / "my_qadapter.yaml") in refused["fix"]


def request(cluster: Cluster) -> dict[str, str]:
    """Return what `interohm doctor` says of a job of the batch system."""
    checks = json.loads(cluster.interohm("doctor", "--json"))["checks"]
    (found,) = [check for check in checks if check["part"] == "queue: a job"]
    return dict(found)
