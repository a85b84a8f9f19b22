"""A batch system that refuses jobs: the launchpad's jobs wait for the next one."""

from __future__ import annotations

from pathlib import Path

import pytest
from clusters import Cluster

CONFIG = Path(__file__).parents[2] / "configs" / "campaigns" / "screen48.yaml"


@pytest.mark.parametrize("reserve", [False, True])
def test_jobs_that_slurm_refuses(cluster: Cluster, reserve: bool) -> None:
    cluster.interohm("submit", CONFIG, "--parts", 1)
    cluster.edit("my_qadapter.yaml", queue="a partition that is not there")
    before = cluster.status()
    launch = ["qlaunch", *(["--reserve"] if reserve else []), "singleshot"]
    refused = cluster.run(*launch)
    assert "submi" in refused.stdout + refused.stderr
    assert not cluster.slurm.run("squeue", "--noheader").strip()
    after = cluster.status()
    assert {name: job["state"] for name, job in after.items()} == {
        name: job["state"] for name, job in before.items()
    }
    assert {job["seconds"] for job in after.values()} == {0.0}
    cluster.edit("my_qadapter.yaml", queue=None)
    cluster.run(*launch)
    cluster.wait_until_idle()
    states = [job["state"] for job in cluster.status().values()]
    assert sorted(states) == ["done", "ready", "waits"]
    assert len(cluster.queued("launches")) == 1 + reserve
