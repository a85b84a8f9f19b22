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
from finished_relaxation import relaxed_already
from test_jobflow_remote import RemoteCluster

CRYSTAL = Path(__file__).parents[2] / "configs" / "structures" / "Li.cif"

#: Relaxed by atomate2, whose VASP is a stand-in; all calculations of the phase are shipped. As
#: atomate2's jobs of static calculations, one leaves something in the store that is named `data`.
FLOW = """
from atomate2.vasp.jobs.core import RelaxMaker
from interohm.workflows import MetalMaker
from jobflow import Flow
from of_another import after_relaxation
from pymatgen.core import Structure

relax = RelaxMaker(
    run_vasp_kwargs={"job_type": "direct", "vasp_cmd": "PROGRAM"},
    write_input_set_kwargs={"potcar_spec": True},
).make(Structure.from_file("CRYSTAL"))
static = after_relaxation(relax.output.structure)
phase = MetalMaker(preset="production_relaxed").make(
    static.output["structure"], "Li", facet=(1, 1, 0)
)
flow = Flow([relax, static, phase], output=phase.output)
"""

OF_ANOTHER = """
from jobflow import job

@job(data=["dos"])
def after_relaxation(structure):
    return {"structure": structure, "dos": {"energies": [0.5] * 1000}}
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


@pytest.mark.calculates
@pytest.mark.parametrize("cluster", ["fireworks", "jobflow-remote"], indirect=True)
def test_the_record_arrives_after_a_relaxation_of_atomate2(
    cluster: Cluster, tmp_path: Path
) -> None:
    remote = isinstance(cluster, RemoteCluster)
    program = relaxed_already("Li_110", tmp_path / "vasp")
    (cluster.folder / "of_another.py").write_text(OF_ANOTHER)
    before = os.environ.get("PYTHONPATH")
    cluster.environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(cluster.folder), before]))
    flow = FLOW.replace("PROGRAM", str(program)).replace("CRYSTAL", str(CRYSTAL))
    added = (sys.executable, "-c", flow + (TO_JOBFLOW_REMOTE if remote else TO_FIREWORKS))
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
    assert len(cluster.results("job_data.files")) == 1
    told = " ".join(cluster.run("interohm", "status").stderr.split())
    assert "nothing was submitted" not in told
    flows = "`jf flow list`" if remote else "`lpad get_wflows`"
    assert f"1 flow that `interohm submit` did not add; {flows} shows" in told
