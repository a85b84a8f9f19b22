"""What users see of the queue: the environment, failures, two who submit at once, the end."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from clusters import SECRET, Cluster
from pymongo import MongoClient
from ruamel.yaml import YAML

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture
def lithium(tmp_path: Path) -> Path:
    """A campaign of one metal whose electrons have too few iterations to converge."""
    preset = (DATA / "presets" / "tiny.yaml").read_text()
    for name, text in (("good", preset), ("bad", preset.replace(": 100\n", ": 2\n"))):
        text = text.replace("cutoff_eV: 400", "cutoff_eV: 300")
        (tmp_path / f"{name}.yaml").write_text(text)
    head, _, _ = (DATA / "campaigns" / "tiny.yaml").read_text().partition("  - name: LiF")
    path = tmp_path / "lithium.yaml"
    head = head.replace("../presets/tiny.yaml", "bad.yaml").replace("tiny", "lithium")
    path.write_text(head.replace("../../..", str(DATA.parents[1])))
    return path


def test_doctor_finds_the_cluster(cluster: Cluster, lithium: Path) -> None:
    cluster.interohm("submit", lithium)
    report = json.loads(cluster.interohm("doctor", "--json"))
    checks = {check["part"]: check for check in report["checks"]}
    assert checks["queue: FireWorks"]["status"] == "ok"
    assert "1 jobs" in checks["queue: FireWorks"]["found"]
    assert checks["queue: outputs of jobs"]["found"] == "MongoStore jobs, 0 outputs"
    assert checks["queue: workers"]["found"] == "my-cluster, SLURM: rlaunch singleshot"
    assert checks["queue: batch system"]["status"] == "ok"
    assert checks["queue: a job"]["status"] == "ok"
    assert "to start at" in checks["queue: a job"]["found"]
    assert SECRET not in json.dumps(report)

    cluster.edit("my_qadapter.yaml", queue="nowhere")
    checks = {
        one["part"]: one for one in json.loads(cluster.interohm("doctor", "--json"))["checks"]
    }
    assert checks["queue: a job"]["status"] == "missing"
    assert "invalid partition specified: nowhere" in checks["queue: a job"]["found"]
    assert str(cluster.folder / "my_qadapter.yaml") in checks["queue: a job"]["fix"]
    assert not cluster.slurm.run("squeue", "--noheader").strip()


def test_doctor_tries_a_job_of_each_worker(cluster: Cluster) -> None:
    """Of jobflow-remote, where the environment names it, though there are files of FireWorks."""
    remote = cluster.folder / "remote"
    command = ("init-cluster", remote, "--manager", "jobflow-remote", "--mongodb-uri")
    cluster.run("interohm", *command, typed=cluster.uri)
    project = remote / "jfremote" / "interohm.yaml"
    yaml = YAML()
    document = yaml.load(project)
    document["workers"]["cluster"]["resources"] = {"nodes": 1, "time": "00:10:00"}
    wrong = {**document["workers"]["cluster"], "resources": {"nodes": 1, "partition": "nowhere"}}
    document["workers"]["wrong"] = wrong
    yaml.dump(document, project)
    cluster.environment |= {
        "JFREMOTE_PROJECTS_FOLDER": str(project.parent),
        "JFREMOTE_PROJECT": "interohm",
    }
    assert "my_qadapter.yaml: " in jobs_of(cluster)["queue: a job"]["found"]

    cluster.environment["INTEROHM_MANAGER"] = "jobflow-remote"
    right, refused = jobs_of(cluster).values()
    assert right["status"] == "ok", right
    assert right["part"] == "queue: a job, worker cluster of interohm"
    assert "to start at" in right["found"]
    assert refused["status"] == "missing"
    assert "invalid partition specified: nowhere" in refused["found"]
    assert "worker wrong of interohm" in refused["fix"]


def jobs_of(cluster: Cluster) -> dict[str, dict[str, str]]:
    """Return what ``interohm doctor`` says of jobs that it tried to submit."""
    checks = json.loads(cluster.interohm("doctor", "--json"))["checks"]
    return {one["part"]: one for one in checks if one["part"].startswith("queue: a job")}


def test_a_failure_says_why_and_is_rerun(cluster: Cluster, lithium: Path) -> None:
    cluster.interohm("submit", lithium)
    cluster.run("rlaunch", "rapidfire")
    jobs = cluster.status()
    failed = jobs["Li | Li: cell"]
    assert failed["state"] == "failed"
    assert "electrons did not converge" in failed["reason"]
    assert failed["seconds"] > 0
    assert {job["state"] for name, job in jobs.items() if "cell" not in name} == {"waits"}
    shown = cluster.interohm("status", "lithium")
    assert "electrons did not converge" in " ".join(shown.split())
    assert "failed" in cluster.interohm("submit", lithium)
    for command in ("status", "rerun"):
        assert (
            "submitted campaigns: lithium" in cluster.run("interohm", command, "x", code=2).stderr
        )
    assert cluster.interohm("rerun") == "1 jobs ready again\n"
    assert cluster.status()["Li | Li: cell"]["state"] == "ready"


def test_a_worker_that_cannot_reach_its_database(cluster: Cluster, lithium: Path) -> None:
    """The error that it leaves in the launchpad names the host, and not the password."""
    cluster.interohm("submit", lithium)
    cluster.environment["INTEROHM_MONGODB_URI"] = f"mongodb://me:{SECRET}@127.0.0.1:1"
    ran = cluster.run("rlaunch", "singleshot")
    job = cluster.status()["Li | Li: plan"]  # before anything is calculated
    assert job["state"] == "failed"
    assert "127.0.0.1:1" in job["reason"]
    assert SECRET not in cluster.documents() + ran.stdout + ran.stderr


def test_a_calculation_that_is_gone_is_made_again(cluster: Cluster, lithium: Path) -> None:
    """As where a worker had put it into a database of its own."""
    lithium.write_text(lithium.read_text().replace("bad.yaml", "good.yaml"))
    cluster.interohm("submit", lithium)
    cluster.run("rlaunch", "singleshot")  # plans the phase
    while cluster.status()["Li | Li: record"]["state"] == "waits":
        cluster.run("rlaunch", "singleshot")
    with MongoClient(cluster.uri) as client:
        removed = client[cluster.databases[1]]["calculations"].delete_one({"kind": "static"})
        assert removed.deleted_count == 1
    cluster.run("rlaunch", "singleshot")
    assert "rerun` calculates it again" in cluster.status()["Li | Li: record"]["reason"]
    assert cluster.interohm("rerun") == "1 jobs ready again\n"
    cluster.run("rlaunch", "rapidfire")
    jobs = cluster.status()
    assert {job["state"] for job in jobs.values()} == {"done"}, jobs


def test_what_cannot_be_planned_fails_alone(cluster: Cluster, lithium: Path) -> None:
    """A polar facet is seen by the job; a structure without the mobile ion by `submit`."""
    good = lithium.read_text().replace("bad.yaml", "good.yaml")
    polar = (
        "  - {name: polar, kind: insulator, structure: LiF, facet: [1, 1, 1], "
        "dielectric_constant: {value: 9, source: x, method: assumed, uncertainty: 1}}\n"
    )
    lithium.write_text(good + polar.replace("structure: LiF", "structure: Na"))
    said = cluster.run("interohm", "submit", lithium, code=2).stderr
    assert "Na does not contain Li" not in cluster.documents()
    assert "does not contain Li" in " ".join(said.split())
    lithium.write_text(good + polar)
    assert cluster.interohm("submit", lithium).count("added") == 3  # both need lithium's crystal
    # its cell and its bulk, then both plans, in any order: lithium's plan adds another calculation
    for _ in range(6):
        cluster.run("rlaunch", "singleshot")
        jobs = cluster.status()
        if jobs["polar | polar: plan"]["state"] == "failed":
            break
    assert jobs["polar | polar: plan"]["state"] == "failed"
    assert "LiF (111) is polar" in jobs["polar | polar: plan"]["reason"]
    assert "failed" not in {job["state"] for key, job in jobs.items() if "polar" not in key}


def test_a_kind_of_calculation_has_its_own_request(cluster: Cluster, lithium: Path) -> None:
    """Slurm gets it where each job of the launchpad has a job of its own."""
    resources = "resources:\n  cell: {cores: 2, memory_GB: 0.5, walltime_h: 0.1}\n"
    lithium.write_text(lithium.read_text() + resources)
    cluster.interohm("submit", lithium)
    cluster.run("rlaunch", "singleshot")  # the plan
    cluster.run("qlaunch", "--reserve", "singleshot")
    shown = cluster.slurm.run("scontrol", "show", "job")
    assert "TimeLimit=00:06:00" in shown
    assert "NumCPUs=2" in shown
    assert "MinMemoryNode=500M" in shown
    cluster.wait_until_idle()
    assert cluster.status()["Li | Li: cell"]["state"] == "failed"  # it was this one


def test_two_who_submit_at_once(cluster: Cluster, lithium: Path) -> None:
    command = ["interohm", "submit", str(lithium)]
    users = [subprocess.Popen(command, env=cluster.environment, cwd=cluster.work) for _ in range(4)]
    assert [user.wait() for user in users] == [0] * 4
    assert len(cluster.queued("workflows")) == 1
    assert len(cluster.queued("fireworks")) == 1


def test_jobs_of_others_are_left_alone(cluster: Cluster, lithium: Path) -> None:
    cluster.interohm("submit", lithium)
    cluster.run("lpad", "add_scripts", "false")
    assert len(cluster.status()) == 1
    assert cluster.interohm("rerun") == "0 jobs ready again\n"


def test_slurm_says_when_a_job_ends(cluster: Cluster, tmp_path: Path) -> None:
    script = tmp_path / "job.sh"
    said = tmp_path / "said"
    program = (
        "import time; from interohm.workflows.batch_job import end_of_batch_job as end; "
        "print(end() - time.monotonic())"
    )
    script.write_text(f"#!/bin/bash\n{sys.executable} -c '{program}' > {said}\n")
    before = time.time()
    cluster.run("sbatch", "--time=5", script)
    cluster.wait_until_idle()
    left = float(said.read_text())
    assert 300 - (time.time() - before) - 2 <= left <= 302


def test_a_screening_in_parts_is_the_screening(cluster: Cluster) -> None:
    """Bit for bit: three jobs and their sum, and one run by itself."""
    config = Path(__file__).parents[2] / "configs" / "campaigns" / "screen48.yaml"
    said = cluster.interohm("submit", config, "--parts", 3, "--dry-run")
    assert said == "48 cells under 1 conditions in 3 parts, none submitted\n"
    assert "added" in cluster.interohm("submit", config, "--parts", 3)
    cluster.run("rlaunch", "rapidfire")
    jobs = cluster.status()
    assert len(jobs) == 5
    assert {job["state"] for job in jobs.values()} == {"done"}, jobs
    (result,) = (cluster.data / "screens").glob("*/screening.json")
    together = json.loads(result.read_text())
    alone = json.loads(cluster.interohm("screen", config, "--json", "--folder", cluster.work / "s"))
    assert together.pop("folder") != alone.pop("folder")
    assert together == alone
    assert "done" in cluster.interohm("submit", config)
