"""The files for a cluster, the plan of a submission, and what is said without a launchpad."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import pty
import re
import statistics
import subprocess
import sys
import termios
import time

import fireworks.fw_config
import pytest
from fireworks.user_objects.queue_adapters.common_adapter import CommonAdapter
from jobflow import JobStore
from jobflow_remote.config.base import Project

from interohm.database import Database
from interohm.postprocess.calculation import Calculation
from interohm.records.shipped import SHIPPED_FOLDER
from interohm.workflows.campaign import PlannedCalculation, load_campaign
from interohm.workflows.cost import core_seconds
from interohm.workflows.engines.request import CalculationRequest
from interohm.workflows.submission import phases_to_submit, workflow
from interohm.yaml_io import load_yaml

CAMPAIGN = SHIPPED_FOLDER.parent / "campaigns" / "demo.yaml"


@pytest.mark.parametrize(
    ("scheduler", "words"),
    [
        ("slurm", ["#SBATCH --time=24:00:00", "for core in $(seq 16); do rlaunch rapidfire"]),
        ("pbs", ["#PBS -l walltime=24:00:00", "for core in $(seq 16); do rlaunch rapidfire"]),
    ],
)
def test_files_work_as_they_are_written(interohm, tmp_path, scheduler, words):
    folder = tmp_path / "cluster"
    ran = interohm("init-cluster", folder, "--scheduler", scheduler)
    assert ran.code == 0, ran.err
    written = [folder / line.rpartition("/")[2] for line in ran.out.splitlines()]
    assert len(written) == 6
    for path in written:
        assert path.stat().st_mode & 0o777 == 0o600
        assert "FOLDER" not in path.read_text()
    adapter = CommonAdapter.from_file(str(folder / "my_qadapter.yaml"))
    script = adapter.get_script_str(str(tmp_path))
    for text in (*words, f". {folder}/environment.sh"):
        assert text in script, text
    for name in load_yaml(folder / "FW_config.yaml"):
        assert hasattr(fireworks.fw_config, name), name
    store = JobStore.from_dict_spec(load_yaml(folder / "jobflow.yaml")["JOB_STORE"])
    assert store.docs_store.collection_name == "jobs"
    assert store.additional_stores["data"].collection_name == "job_data"
    assert load_yaml(folder / "my_launchpad.yaml")["password"] is None


URI = "mongodb://me:hunter2'%24%40@db.example:27017/?authSource=admin&appName=a"


def test_the_server_is_in_all_files_and_nowhere_else(interohm, tmp_path, monkeypatch):
    folder = tmp_path / "cluster"
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{URI}\n"))
    ran = interohm("init-cluster", folder, "--mongodb-uri")
    assert ran.code == 0, ran.err
    assert "hunter2" not in ran.out + ran.err
    launchpad = load_yaml(folder / "my_launchpad.yaml")
    assert launchpad == {"host": URI, "uri_mode": True, "name": "fireworks"}
    described = load_yaml(folder / "jobflow.yaml")["JOB_STORE"]
    store = JobStore.from_dict_spec(described).docs_store
    assert (store.uri, store.database, store.collection_name) == (URI, "interohm", "jobs")
    assert JobStore.from_dict_spec(described).additional_stores["data"].uri == URI
    command = f". {folder}/environment.sh && printenv INTEROHM_MONGODB_URI"
    said = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert said.stdout == f"{URI}\n"
    with_it = [
        path.name for path in folder.rglob("*") if path.is_file() and "hunter2" in path.read_text()
    ]
    assert sorted(with_it) == ["environment.sh", "jobflow.yaml", "my_launchpad.yaml"]
    assert {path.stat().st_mode & 0o777 for path in folder.glob("*.*")} == {0o600}
    # what is filled in is not asked for any more
    assert "fill in the address" not in (folder / "environment.sh").read_text()


@pytest.mark.parametrize(
    ("scheduler", "words"),
    [
        ("slurm", ["#SBATCH --cpus-per-task=1", "#SBATCH --time=24:00:00"]),
        ("pbs", ["#PBS -l select=1:ncpus=1", "#PBS -l walltime=24:00:00"]),
    ],
)
def test_a_project_of_jobflow_remote(interohm, tmp_path, monkeypatch, scheduler, words):
    folder = tmp_path / "cluster"
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{URI}\n"))
    options = ("--manager", "jobflow-remote", "--scheduler", scheduler, "--mongodb-uri")
    ran = interohm("init-cluster", folder, *options)
    assert ran.code == 0, ran.err
    assert "hunter2" not in ran.out + ran.err
    file = folder / "jfremote" / "interohm.yaml"
    assert sorted(ran.out.split()) == [str(folder / "environment.sh"), str(file)]
    assert {path.stat().st_mode & 0o777 for path in (file, folder / "environment.sh")} == {0o600}
    described = load_yaml(file)
    project = Project.model_validate(described)
    assert project.get_queue_store().uri == project.get_jobstore().docs_store.uri == URI
    assert project.get_jobstore().additional_stores["data"].uri == URI
    assert "# username" not in file.read_text()
    (worker,) = project.workers.values()
    script = worker.get_scheduler_io().get_submission_script("true", dict(worker.resources))
    for text in words:
        assert text in script, text
    assert f". {folder}/environment.sh" in worker.pre_run
    command = f". {folder}/environment.sh && printenv JFREMOTE_PROJECTS_FOLDER INTEROHM_MANAGER"
    said = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert said.stdout == f"{file.parent}\njobflow-remote\n"


@pytest.mark.parametrize("command", [["status"], ["rerun"]])
def test_without_a_project_it_says_how_to_get_one(refused, command, monkeypatch, tmp_path):
    monkeypatch.setattr("jobflow_remote.SETTINGS.projects_folder", str(tmp_path))
    said = refused(*command, "--manager", "jobflow-remote")
    assert "init-cluster FOLDER --manager jobflow-remote" in " ".join(said.split())


def test_the_server_is_asked_for_unseen(tmp_path):
    """On a terminal, which shows the question and not the answer."""
    folder = tmp_path / "cluster"
    mine, its = pty.openpty()
    command = [sys.executable, "-m", "interohm", "init-cluster", folder, "--mongodb-uri"]
    with subprocess.Popen(
        command, stdin=its, stdout=its, stderr=its, start_new_session=True
    ) as process:
        while process.poll() is None and termios.tcgetattr(its)[3] & termios.ECHO:
            time.sleep(0.05)  # until what is typed is not shown
        os.write(mine, f"{URI}\n".encode())
        os.close(its)
        shown = b""
        with contextlib.suppress(OSError):  # it has ended
            while part := os.read(mine, 4096):
                shown += part
    os.close(mine)
    assert process.returncode == 0, shown
    assert b"mongodb://USER:PASSWORD@HOST:PORT" in shown
    assert b"hunter2" not in shown
    assert load_yaml(folder / "my_launchpad.yaml")["host"] == URI


def test_what_is_no_server_is_refused_unseen(refused, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("me:hunter2@db.example\n"))
    said = refused("init-cluster", tmp_path / "cluster", "--mongodb-uri")
    assert "hunter2" not in said
    assert not (tmp_path / "cluster").exists()


def test_nothing_is_overwritten(interohm, refused, tmp_path):
    interohm("init-cluster", tmp_path / "cluster")
    (tmp_path / "cluster" / "my_launchpad.yaml").write_text("password: filled in\n")
    assert "my_launchpad.yaml" in refused("init-cluster", tmp_path / "cluster")
    assert "filled in" in (tmp_path / "cluster" / "my_launchpad.yaml").read_text()


@pytest.mark.parametrize("command", [["status"], ["rerun"]])
def test_without_a_launchpad_it_says_how_to_get_one(refused, command, monkeypatch):
    monkeypatch.setattr("fireworks.fw_config.LAUNCHPAD_LOC", None)
    assert "init-cluster" in refused(*command)


def test_a_folder_is_no_database_of_a_queue(refused, monkeypatch):
    monkeypatch.delenv("INTEROHM_MONGODB_URI", raising=False)
    said = " ".join(refused("submit", CAMPAIGN).split())
    assert "no database server is set" in said
    assert "INTEROHM_MONGODB_URI in environment.sh" in said


def _row(line: str) -> list[str]:
    return re.split(r"  +", line.strip())


def test_many_phases_are_summed_up(interohm, tmp_path, monkeypatch):
    monkeypatch.setattr("interohm.cli.queue._LISTED", 1)
    ran = interohm("submit", CAMPAIGN, "--dry-run")
    assert ran.code == 0, ran.err
    assert "LiF: V_F +1" not in ran.out
    rows = [_row(line)[:3] for line in ran.out.splitlines()]
    assert ["relax", "3", "0"] in rows
    assert "10 calculations, about 0.2" in ran.out
    assert "LiF: V_F +1" in interohm("submit", CAMPAIGN, "--dry-run", "--phases").out


def test_dry_run_gives_core_hours(interohm):
    ran = interohm("submit", CAMPAIGN, "--dry-run")
    assert ran.code == 0, ran.err
    identity = {words[0].strip(): words[-1] for words in map(_row, ran.out.splitlines()) if words}
    assert identity["LiF: V_F +1"] == "planned"
    assert re.fullmatch(r"[0-9a-f]{12}", identity["LiF: cell"])
    assert "10 calculations, about 0.2" in ran.out
    assert "none submitted" in ran.out


def test_estimates_fit_what_the_shipped_calculations_took():
    """In sum, and mostly each; those that take seconds aside, of which symmetry leaves little."""
    ratios, estimated, taken = [], 0.0, 0.0
    for path in (SHIPPED_FOLDER.parent / "calculations").glob("*.json.gz"):
        done = Calculation.model_validate_json(gzip.decompress(path.read_bytes()))
        fields = ("engine", "kind", "charge", "settings")
        request = CalculationRequest(
            structure=done.initial_structure, **{field: getattr(done, field) for field in fields}
        )
        planned = PlannedCalculation(
            label=path.stem,
            hash=done.hash,
            kind=done.kind,
            charge=done.charge,
            atoms=len(request.initial_structure),
            electrons=round(done.electrons),
            kpoints=tuple(done.settings["kpoints"]),
            found=True,
            planned=False,
            request=request,
        )
        seconds = core_seconds(planned)
        estimated, taken = estimated + seconds, taken + done.wall_time_s
        if done.wall_time_s > 20:
            ratios.append(seconds / done.wall_time_s)
    assert len(ratios) >= 18
    assert 0.5 < statistics.median(ratios) < 2
    assert 0.4 < estimated / taken < 2.5
    assert sum(1 / 3 < ratio < 3 for ratio in ratios) > 0.7 * len(ratios)


def test_jobs_carry_no_store(tmp_path, monkeypatch):
    monkeypatch.setenv("INTEROHM_DATA", str(tmp_path))
    with Database.open() as database:
        plans = phases_to_submit(load_campaign(CAMPAIGN), database)
    assert [plan.name for plan in plans] == ["Li metal (shared)", "Li", "LiF"]
    assert len({plan.key for plan in plans}) == 3
    for plan in plans:
        made = workflow("demo", plan)
        assert made.metadata["interohm"]["key"] == plan.key
        for firework in made.fws:
            assert firework.tasks[0]["store"] is None
            assert plan.name.endswith("(shared)") or firework.name == f"{plan.name}: plan"
