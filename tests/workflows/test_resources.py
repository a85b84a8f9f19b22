"""What jobs ask of a cluster, by their kind: by FireWorks and jobflow-remote, and nowhere else."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import fireworks.fw_config
import pytest
from fireworks.user_objects.queue_adapters.common_adapter import CommonAdapter
from jobflow import Flow, Job
from jobflow.managers.fireworks import flow_to_workflow
from jobflow_remote.jobs.data import get_initial_job_doc_dict
from monty.json import MontyDecoder
from qtoolkit.io.pbs import PBSIO
from qtoolkit.io.slurm import SlurmIO

from interohm.database import Database
from interohm.errors import InputError
from interohm.records.shipped import SHIPPED_FOLDER
from interohm.workflows.campaign import load_campaign
from interohm.workflows.campaign_flows import inputs_of
from interohm.workflows.planning import plan_phase
from interohm.workflows.presets import PRESET, load_preset
from interohm.workflows.resources import StepResources, for_jobflow_remote
from interohm.workflows.submission import phases_to_submit

SHIPPED = SHIPPED_FOLDER.parent

CAMPAIGN = f"""\
name: hops
preset: production
metal_structure: {SHIPPED}/structures/Li.cif
phases:
  - name: LiF
    kind: insulator
    structure: {SHIPPED}/structures/LiF.cif
    facet: [0, 0, 1]
    dielectric_constant: {{value: 9, uncertainty: 1, source: assumed, method: assumed}}
    hops:
      V_Li: {{migration_energy_eV: calculate, attempt_frequency_Hz: 1.0e13}}
"""

RESOURCES = """\
resources:
  neb: {cores: 16, memory_GB: 64, walltime_h: 1.5, queue: long, account: me, category: large,
        worker: big, exec_config: mpi}
  static: {walltime_h: 0.5}
"""


@pytest.fixture
def flow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Flow:
    """What a worker makes of what was submitted."""
    monkeypatch.setattr(
        "shutil.which", lambda name: f"/usr/bin/{name}" if name == "sbatch" else None
    )
    path = tmp_path / "campaign.yaml"
    path.write_text(CAMPAIGN + RESOURCES)
    inputs = inputs_of(load_campaign(path), 0)
    planning = inputs.job()
    assert planning.function == plan_phase.original
    preset = PRESET.validate_python(planning.function_kwargs["preset"])
    return replace(inputs, preset=preset).flow()


def the_hop(flow: Flow) -> Job:
    (hop,) = [job for job in flow.jobs if job.function_kwargs.get("kind") == "neb"]
    return hop


def test_a_hop_and_a_bulk_share_no_queue(flow: Flow) -> None:
    hop = the_hop(flow)
    works = {work.name: work for work in flow_to_workflow(flow).fws}
    spec = works[hop.name].spec
    assert spec["_category"] == "large"
    assert spec["_queueadapter"] == {
        "cpus_per_task": 16,
        "mem": "64000M",
        "walltime": "01:30:00",
        "queue": "long",
        "account": "me",
    }
    bulk = works["LiF: bulk"].spec
    assert bulk["_queueadapter"] == {"walltime": "00:30:00"}
    assert "_category" not in bulk
    for job in flow.jobs:
        if job.function_kwargs.get("kind") not in ("neb", "static"):
            assert job.config.manager_config == {}, job.name


def test_jobflow_remote_takes_them_too(flow: Flow) -> None:
    hop = the_hop(flow)
    for_jobflow_remote(hop)
    asked: dict[str, Any] = {"worker": "first", "exec_config": None, "resources": None}
    document = get_initial_job_doc_dict(hop, None, "1", priority=0, **asked)
    assert (document["worker"], document["exec_config"]) == ("big", "mpi")
    # as its runner does with what the server has
    resources = MontyDecoder().process_decoded(json.loads(json.dumps(document["resources"])))
    slurm = SlurmIO().get_submission_script("true", resources)
    for line in ("nodes=1", "ntasks-per-node=16", "mem-per-cpu=4000", "time=0-1:30:0"):
        assert f"#SBATCH --{line}\n" in slurm
    assert "#SBATCH --partition=long\n" in slurm
    assert "#SBATCH --account=me\n" in slurm
    # whatever batch system the worker has
    pbs = PBSIO().get_submission_script("true", resources)
    assert "#PBS -l select=1:ncpus=16:mpiprocs=16:mem=64000mb\n" in pbs
    assert "#PBS -l walltime=1:30:0\n" in pbs
    assert "#PBS -q long\n" in pbs
    # what a worker is given, and gives back when it goes on later
    again = Job.from_dict(json.loads(json.dumps(document["job"])))
    for_jobflow_remote(again)
    assert (
        get_initial_job_doc_dict(again, None, "2", priority=0, **asked)["resources"]
        == (document["resources"])
    )


def test_no_identity_depends_on_them(flow: Flow, tmp_path: Path, database: Database) -> None:
    with_them = load_campaign(tmp_path / "campaign.yaml")
    (tmp_path / "plain.yaml").write_text(CAMPAIGN)
    without = load_campaign(tmp_path / "plain.yaml")
    (one,), (other,) = (phases_to_submit(config, database) for config in (with_them, without))
    assert (one.key, one.earlier_key) == (other.key, other.earlier_key)
    mine, its = (inputs_of(config, 0).preset for config in (with_them, without))
    assert mine.resources
    assert mine.model_dump() == its.model_dump()


def test_a_preset_may_say_them_under_its_own_name(tmp_path: Path) -> None:
    path = tmp_path / "quick.yaml"
    shipped = (SHIPPED / "presets" / "quick.yaml").read_text()
    path.write_text(shipped + "resources:\n  neb: {cores: 4}\n")
    neb = load_preset("quick.yaml", folder=tmp_path).resources["neb"]
    assert neb.cores == 4
    path.write_text(shipped + "resources:\n  slab: {cores: 4}\n")
    with pytest.raises(InputError, match="resources"):
        load_preset("quick.yaml", folder=tmp_path)


@pytest.mark.parametrize("commands", [("qsub",), ("qsub", "sbatch")])
def test_pbs_has_names_of_its_own(
    monkeypatch: pytest.MonkeyPatch, commands: tuple[str, ...]
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: name if name in commands else None)
    if "sbatch" in commands:  # the queue's file says it, whatever else is on the machine
        queue = SHIPPED / "cluster" / "pbs.yaml"
        monkeypatch.setattr(fireworks.fw_config, "QUEUEADAPTER_LOC", str(queue))
    asked = StepResources(cores=16, memory_GB=64, walltime_h=1.5, queue="long").manager_config()
    assert asked["_queueadapter"] == {
        "ppnode": 16,
        "pmem": "4000mb",
        "walltime": "01:30:00",
        "queue": "long",
    }
    adapter = CommonAdapter("PBS", rocket_launch="true", **{"nnodes": 1, **asked["_queueadapter"]})
    assert "#PBS -l nodes=1:ppn=16" in adapter.get_script_str(".")


def test_a_batch_system_without_known_names_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    queue = tmp_path / "my_qadapter.yaml"
    queue.write_text(
        "_fw_name: CommonAdapter\n_fw_q_type: SGE\nrocket_launch: rlaunch singleshot\n"
    )
    monkeypatch.setattr(fireworks.fw_config, "QUEUEADAPTER_LOC", str(queue))
    with pytest.raises(InputError, match="does not know how to ask SGE for cores and memory"):
        StepResources(cores=16).manager_config()
    assert StepResources(walltime_h=1).manager_config()["_queueadapter"] == {"walltime": "01:00:00"}
    assert StepResources(category="large").manager_config() == {"_category": "large"}
