"""A Maker's flow, added to a queue as jobflow's users add theirs: not by ``interohm submit``."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from clusters import Cluster
from conftest import SERVER_VARIABLE
from test_jobflow_remote import RemoteCluster

CRYSTAL = Path(__file__).parents[2] / "configs" / "structures" / "Li.cif"

#: All calculations of this phase are shipped: nothing is calculated.
FLOW = f"""
from interohm.workflows import MetalMaker
from jobflow import Flow
from pymatgen.core import Structure

lithium = Structure.from_file({str(CRYSTAL)!r})
phase = MetalMaker(preset="production_relaxed").make(lithium, "Li", facet=(1, 1, 0))
flow = Flow([phase], output=phase.output)
"""

TO_FIREWORKS = """
from fireworks import LaunchPad
from jobflow.managers.fireworks import flow_to_workflow

LaunchPad.auto_load().add_wf(flow_to_workflow(flow))
"""

TO_JOBFLOW_REMOTE = """
from jobflow_remote import submit_flow

submit_flow(flow)
"""


@pytest.fixture
def cluster(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cluster]:
    """A cluster of one manager or the other, with nothing on its server."""
    if request.param == "jobflow-remote":
        made: Cluster = RemoteCluster(tmp_path / "cluster")
    else:
        name = f"interohm_test_{os.getpid()}_{time.time_ns()}"
        made = Cluster(None, os.environ[SERVER_VARIABLE], tmp_path / "cluster", name)
    yield made
    made.remove()


@pytest.mark.parametrize("cluster", ["fireworks", "jobflow-remote"], indirect=True)
def test_the_record_arrives(cluster: Cluster) -> None:
    remote = isinstance(cluster, RemoteCluster)
    added = (sys.executable, "-c", FLOW + (TO_JOBFLOW_REMOTE if remote else TO_FIREWORKS))
    # On a fresh server the manager refuses it; the documentation says how to prepare the database.
    reset = "jf admin reset" if remote else "lpad reset"
    assert reset in cluster.run(*added, code=1).stderr
    assert f"before flows of your own, `{reset}`" in " ".join(cluster.interohm("doctor").split())
    cluster.run(*reset.split(), typed="y\n" if remote else f"{cluster.databases[0]}\n")

    cluster.run(*added)
    for secret in cluster.secrets:
        assert secret not in cluster.documents()
    if isinstance(cluster, RemoteCluster):
        cluster.let_run()
    else:
        cluster.run("rlaunch", "rapidfire")
    assert [record["name"] for record in cluster.results("materials")] == ["Li"]
    told = " ".join(cluster.run("interohm", "status").stderr.split())
    assert "nothing was submitted" not in told
    flows = "`jf flow list`" if remote else "`lpad get_wflows`"
    assert f"1 flow that `interohm submit` did not add; {flows} shows" in told
