"""A campaign in jobflow-remote's queue, run by its own runner and a worker of this machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from clusters import Cluster, relaxing, wait_for
from conftest import SERVER_VARIABLE
from pymongo import MongoClient
from test_shared import folder_of_the_cell

from interohm.files import open_plain
from interohm.workflows.claim_file import CLAIM, hold, taken

DATA = Path(__file__).parents[1] / "data"

STEPS = ["bulk", "cell", "cut slab", "record", "slab 110"]

#: On two free cores a quarter of a minute.
PATIENCE_S = 600

RUNNER = "from jobflow_remote.jobs.runner import Runner; Runner().run_all_jobs(max_seconds=600)"


class RemoteCluster(Cluster):
    """A server, and a project of jobflow-remote whose worker is the shell of this machine."""

    def __init__(self, folder: Path) -> None:
        name = f"interohm_test_{os.getpid()}_{time.time_ns()}"
        super().__init__(None, os.environ[SERVER_VARIABLE], folder, name)
        self.remote = folder / "remote"
        command = ("init-cluster", self.remote, "--manager", "jobflow-remote", "--mongodb-uri")
        self.run("interohm", *command, typed=self.uri)
        del self.environment["FW_CONFIG_FILE"], self.environment["JOBFLOW_CONFIG_FILE"]
        self.environment |= {
            "INTEROHM_MANAGER": "jobflow-remote",
            "JFREMOTE_PROJECTS_FOLDER": str(self.remote / "jfremote"),
            "JFREMOTE_PROJECT": "interohm",
        }
        with (self.remote / "environment.sh").open("a") as script:
            script.write(f"export INTEROHM_MONGODB_DATABASE={self.databases[1]}\n")
            script.write(f"export INTEROHM_DATA={self.data}\n")
        self.edit_project("queue", "store", database=self.databases[0])
        self.edit_project("jobstore", "docs_store", database=self.databases[1])
        self.edit_project("jobstore", "additional_stores", "data", database=self.databases[1])
        self.edit_project(
            "runner", delay_checkout=1, delay_check_run_status=1, delay_advance_status=1
        )
        self.edit_project("workers", "cluster", scheduler_type="shell", resources={})

    def edit_project(self, *path: str, **fields: Any) -> None:
        """Set fields of a part of the project's file."""
        from ruamel.yaml import YAML

        yaml, file = YAML(), self.remote / "jfremote" / "interohm.yaml"
        document = part = yaml.load(file)
        for name in path:
            part = part[name]
        part.update(fields)
        yaml.dump(document, file)

    def let_run(self) -> None:
        """Let the runner work until nothing is left that could run."""
        ran = self.run(sys.executable, "-c", RUNNER, seconds=PATIENCE_S + 60)
        self.secret_free(ran.stdout + ran.stderr)

    def runner(self) -> subprocess.Popen[bytes]:
        """Start a runner that works until nothing is left that could run."""
        return subprocess.Popen(
            [sys.executable, "-c", RUNNER],
            env=self.environment,
            cwd=self.work,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def once_more(self, id: str) -> None:
        """Let a job run again that is done."""
        program = (
            "from interohm.workflows.remote_queue import open_project\n"
            "with open_project() as project:\n"
            f"    project.rerun_job(db_id={id!r}, force=True, delete_files=False)\n"
        )
        self.run(sys.executable, "-c", program)

    def secret_free(self, text: str) -> None:
        for secret in self.secrets:
            assert secret not in text


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[RemoteCluster]:
    made = RemoteCluster(tmp_path / "cluster")
    yield made
    made.remove()


@pytest.fixture
def lithium(tmp_path: Path) -> Path:
    """A campaign of one metal, as coarse as converges: three calculations and a record."""
    preset = (DATA / "presets" / "tiny.yaml").read_text()
    for cutoff, lower in (("400", "300"), ("350", "250")):
        preset = preset.replace(f"cutoff_eV: {cutoff}", f"cutoff_eV: {lower}")
    (tmp_path / "preset.yaml").write_text(preset)
    head, _, _ = (DATA / "campaigns" / "tiny.yaml").read_text().partition("  - name: LiF")
    head = head.replace("../presets/tiny.yaml", "preset.yaml").replace("tiny", "lithium")
    path = tmp_path / "lithium.yaml"
    path.write_text(head.replace("../../..", str(DATA.parents[1])))
    return path


def test_a_campaign_from_submission_to_its_record(cluster: RemoteCluster, lithium: Path) -> None:
    assert "added" in cluster.interohm("submit", lithium)
    assert "queued" in cluster.interohm("submit", lithium)
    jobs = cluster.status()
    assert {name: job["state"] for name, job in jobs.items()} == {"Li | Li: plan": "ready"}
    with MongoClient(cluster.uri) as client:
        assert client[cluster.databases[0]]["flows"].count_documents({}) == 1

    # Workers without a server calculate nothing.
    script = cluster.remote / "environment.sh"
    whole = script.read_text()
    script.write_text(whole + "unset INTEROHM_MONGODB_URI\n")
    cluster.let_run()
    (failed,) = [job for job in cluster.status().values() if job["state"] == "failed"]
    assert "no database server is set" in failed["reason"]
    assert not list(cluster.data.glob("scratch/*"))
    assert "failed" in cluster.interohm("submit", lithium)
    assert "no database server is set" in " ".join(cluster.interohm("status", "lithium").split())
    script.write_text(whole)
    for command in ("status", "rerun"):
        assert (
            "submitted campaigns: lithium" in cluster.run("interohm", command, "x", code=2).stderr
        )
    assert cluster.interohm("rerun") == "1 jobs ready again\n"

    cluster.let_run()
    jobs = cluster.status()
    assert {job["state"]: job["reason"] for job in jobs.values()} == {"done": None}
    assert sorted(jobs) == [f"Li | Li: {step}" for step in STEPS]
    assert all(job["seconds"] > 0 for job in jobs.values())
    assert [record["name"] for record in cluster.results("materials")] == ["Li"]
    assert len(cluster.results("calculations")) == 3
    assert "done" in cluster.interohm("submit", lithium)

    checks = json.loads(cluster.interohm("doctor", "--json"))["checks"]
    (found,) = [check for check in checks if check["part"] == "queue: jobflow-remote"]
    assert found["status"] == "ok"
    assert "interohm, 6 jobs" in found["found"]

    cluster.secret_free(
        cluster.documents()
        + json.dumps(checks)
        + "".join(
            path.read_text(errors="replace")
            for path in (cluster.remote / "work").rglob("*")
            if path.is_file()
        )
    )


def test_what_is_taken_and_what_vanishes(
    cluster: RemoteCluster, lithium: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.interohm("submit", lithium)
    folder = folder_of_the_cell(cluster, lithium, monkeypatch)
    folder.mkdir()
    with open_plain(folder / CLAIM) as held:  # somebody calculates it
        assert taken(held)
        hold(held, "the cell of another")
        runner = cluster.runner()
        held_by = "the cell of another"
        wait_for(
            lambda: any(job["waits_for"] == held_by for job in cluster.status().values()),
            PATIENCE_S,
        )
    # A worker vanishes with the batch job around it.
    worker, _ = relaxing(cluster)
    os.kill(worker, signal.SIGKILL)
    assert runner.wait(timeout=PATIENCE_S) == 0
    job = cluster.status()["Li | Li: cell"]
    assert job["state"] == "failed", job
    assert cluster.interohm("rerun") == "1 jobs ready again\n"
    cluster.let_run()
    jobs = cluster.status()
    assert {job["state"] for job in jobs.values()} == {"done"}, jobs

    # A calculation vanishes that the record names.
    with MongoClient(cluster.uri) as client:
        removed = client[cluster.databases[1]]["calculations"].delete_one({"kind": "static"})
        assert removed.deleted_count == 1
    cluster.once_more(jobs["Li | Li: record"]["id"])
    cluster.let_run()
    assert "rerun` calculates it again" in cluster.status()["Li | Li: record"]["reason"]
    assert cluster.interohm("rerun") == "2 jobs ready again\n"
    cluster.let_run()
    assert {job["state"] for job in cluster.status().values()} == {"done"}
    assert len(cluster.results("calculations")) == 3
