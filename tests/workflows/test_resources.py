"""What jobs ask of a cluster, by their kind: by FireWorks and jobflow-remote, and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fireworks.user_objects.queue_adapters.common_adapter import CommonAdapter
from jobflow import Flow, Job
from jobflow.managers.fireworks import flow_to_workflow
from jobflow_remote.jobs.data import get_initial_job_doc_dict
from qtoolkit.io.pbs import PBSIO

from interohm.database import Database
from interohm.errors import InputError
from interohm.records.shipped import SHIPPED_FOLDER
from interohm.workflows.campaign import load_campaign
from interohm.workflows.campaign_flows import inputs_of
from interohm.workflows.planning import plan_phase
from interohm.workflows.presets import PRESET, load_preset
from interohm.workflows.resources import StepResources
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
    asked: dict[str, Any] = {"worker": "first", "exec_config": None, "resources": None}
    document = get_initial_job_doc_dict(hop, None, "1", priority=0, **asked)
    assert (document["worker"], document["exec_config"]) == ("big", "mpi")
    assert document["resources"] == {
        "cpus_per_task": 16,
        "mem": "64000M",
        "time": "01:30:00",
        "partition": "long",
        "account": "me",
    }


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


def test_pbs_has_names_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: "/usr/bin/qsub" if name == "qsub" else None)
    asked = StepResources(cores=16, memory_GB=64, walltime_h=1.5, queue="long").manager_config()
    common = {"walltime": "01:30:00", "queue": "long"}
    assert asked["_queueadapter"] == {"ppnode": 16, "pmem": "4000mb", **common}
    assert asked["resources"] == {"select": "select=1:ncpus=16:mem=64000mb", **common}
    script = PBSIO().get_submission_script("true", asked["resources"])
    assert "#PBS -l select=1:ncpus=16:mem=64000mb" in script
    adapter = CommonAdapter("PBS", rocket_launch="true", **{"nnodes": 1, **asked["_queueadapter"]})
    assert "#PBS -l nodes=1:ppn=16" in adapter.get_script_str(".")
