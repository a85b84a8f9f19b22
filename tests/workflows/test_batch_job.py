"""A calculation in a batch job: over in time, gone on with, and never twice."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from jobflow import CURRENT_JOB, Job
from pymatgen.core import Lattice, Structure

from interohm.database import Database
from interohm.errors import InputError
from interohm.workflows import batch_job
from interohm.workflows.calculations import calculate
from interohm.workflows.campaign import memory_store
from interohm.workflows.claims import claimed, clean, scratch_of
from interohm.workflows.engines.gpaw import GpawEngine
from interohm.workflows.engines.protocol import CalculationError
from interohm.workflows.presets import load_preset

TINY = Path(__file__).parents[1] / "data" / "presets" / "tiny.yaml"
STRETCHED = Structure(Lattice.cubic(3.9), ["Li", "Li"], [[0, 0, 0], [0.5, 0.5, 0.5]])


@pytest.fixture(autouse=True)
def _own_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("INTEROHM_DATA", str(tmp_path))
    for name in ("INTEROHM_MONGODB_URI", "INTEROHM_WALLTIME_S", "SLURM_JOB_ID", "PBS_JOBID"):
        monkeypatch.delenv(name, raising=False)
    batch_job.end_of_batch_job.cache_clear()
    yield
    batch_job.end_of_batch_job.cache_clear()
    CURRENT_JOB.reset()  # which a failed job stays


def relaxation() -> tuple[Job, Path]:
    """The cell of lithium from far off, and the folder of its calculation."""
    preset = load_preset(str(TINY))
    settings = preset.metal.cell.engine_settings(preset.xc) | {"cutoff_eV": 300}
    request = GpawEngine().request(STRETCHED, "cell", settings, 0)
    job = calculate(STRETCHED, engine="gpaw", kind="cell", settings=settings)
    job.name = "Li: cell"
    return job, claimed(request).folder


@pytest.mark.dft
def test_a_job_at_its_walltime_is_replaced_by_itself_and_goes_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    job, folder = relaxation()
    store = memory_store()
    with monkeypatch.context() as clock:
        clock.setattr(
            batch_job, "_last_moment", lambda: 0.0 if (folder / "status.json").exists() else 1e99
        )
        response = job.run(store)
    (again,) = response.replace.jobs
    assert (again.name, again.uuid, again.index) == ("Li: cell", job.uuid, 2)
    with Database.open() as database:
        assert database.count("calculations") == 0

    with monkeypatch.context() as killed:  # before it could clean up
        killed.setattr(batch_job, "clean", lambda folder: None)
        output = again.run(store).output
    assert scratch_of(tmp_path).unfinished == 1
    log = (folder / "relaxation.log").read_text()
    assert log.count("Step ") == 2
    with Database.open() as database:
        found = database.find_calculation(output["hash"])
    assert found is not None
    assert found["ionic_steps"] >= log.count("BFGS:") - 1
    # What its launcher was killed before saving is kept as it is.
    begun = (folder / "relaxation.log").stat().st_mtime_ns
    (tmp_path / "interohm.sqlite").unlink()
    assert relaxation()[0].run(store).output["hash"] == output["hash"]
    assert (folder / "relaxation.log").stat().st_mtime_ns == begun
    # Nothing but logs is left of what is in the database.
    kept = {"claim", "lock", "request.json", "worker.log", "relaxation.log", "gpaw.txt"}
    assert {path.name for path in folder.iterdir()} == kept
    assert scratch_of(tmp_path).finished == 1
    assert scratch_of(tmp_path).unfinished == 0


@pytest.mark.dft
def test_walltime_too_short_for_a_geometry_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    job, folder = relaxation()
    # The time is up as soon as the engine runs, whatever the machine's speed.
    monkeypatch.setattr(
        batch_job,
        "_last_moment",
        lambda: batch_job._BEGUN if (folder / "request.json").exists() else 1e99,
    )
    with pytest.raises(CalculationError, match="more walltime"):
        job.run(memory_store())


def test_a_folder_is_cleaned_and_nothing_outside_of_it(tmp_path: Path) -> None:
    precious, folder = tmp_path / "precious", tmp_path / "scratch" / "abc"
    (precious / "inner").mkdir(parents=True)
    (folder / "images" / "01").mkdir(parents=True)
    for name in ("claim", "OUTCAR.gz", "CHGCAR", "WAVECAR", "images/01/OUTCAR", "result.json"):
        (folder / name).write_bytes(b"x" * 1000)
    (folder / "link").symlink_to(precious)
    assert scratch_of(tmp_path).unfinished == 1
    assert scratch_of(tmp_path).size_MB >= 0.006
    clean(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["OUTCAR.gz", "claim"]
    assert (precious / "inner").is_dir()
    assert (scratch_of(tmp_path).finished, scratch_of(tmp_path).unfinished) == (1, 0)
    assert scratch_of(tmp_path / "nowhere").size_MB == 0


def test_a_job_that_was_taken_too_late_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    job, folder = relaxation()
    monkeypatch.setattr(batch_job, "_BEGUN", time.monotonic() - 100)
    monkeypatch.setenv("INTEROHM_WALLTIME_S", "105")
    connections, at_the_end = [], []
    opened, wait = Database.open, batch_job._let_the_batch_job_end

    @contextlib.contextmanager
    def counted(*given: Any, **named: Any) -> Iterator[Database]:
        connections.append("open")
        with opened(*given, **named) as database:
            yield database
        connections.append("closed")

    monkeypatch.setattr(Database, "open", counted)
    monkeypatch.setattr(
        batch_job, "_let_the_batch_job_end", lambda: (at_the_end.extend(connections), wait())
    )
    response = job.run(memory_store())
    assert response.replace is not None
    # one connection for all that is asked, and none while it waits
    assert at_the_end == connections == ["open", "closed"]
    assert not (folder / "request.json").exists()


#: What `qstat -f` says, of Torque and of PBS Pro; and of one that does not tell the start.
TORQUE = """Job Id: 548.moab
    Job_Name = STDIN
    Resource_List.nodes = 1:ppn=2
    Resource_List.walltime = {length}
    Variable_List = PBS_O_QUEUE=batch,PBS_O_HOME=/home/fred,PBS_O_LOGNAME=fred,
\tPBS_O_PATH=/usr/local/bin:/usr/bin
    start_time = {start}
    Walltime.Remaining = 3593
"""
PBS_PRO = """Job Id: 548.server
    resources_used.walltime = 00:00:10
    Resource_List.select = 1:ncpus=16
    Resource_List.walltime = {length}
    stime = {start}
    etime = Thu Feb 22 14:27:48 2018
"""
WITHOUT_A_START = "Job Id: 548\n\tResource_List.walltime = {length}\n"


@pytest.mark.parametrize(
    ("said", "length", "remaining_s"),
    [
        (TORQUE, "24:00:00", 86400 - 600),
        (PBS_PRO, "24:00:00", 86400 - 600),
        (TORQUE, "1:00:30:00", 86400 + 1800 - 600),
        (PBS_PRO, "7200", 7200 - 600),
        (WITHOUT_A_START, "02:00:00", 7200 - 100),
        ("Job Id: 548.server\n    stime = {start}\n", "", None),  # no end
        ("qstat: cannot connect to server\n", "", 5400 - 100),  # what Torque tells its jobs
    ],
)
def test_pbs_says_when_a_job_ends(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    said: str,
    length: str,
    remaining_s: float | None,
) -> None:
    start = (datetime.now() - timedelta(seconds=600)).strftime("%a %b %d %H:%M:%S %Y")
    (tmp_path / "said").write_text(said.format(length=length, start=start))
    program = tmp_path / "qstat"
    program.write_text(f'#!/bin/sh\ntest "$1 $2" = "-f 548.moab" && cat {tmp_path}/said\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("PBS_JOBID", "548.moab")
    if "cannot" in said:
        monkeypatch.setenv("PBS_WALLTIME", "5400")
    now = time.monotonic()
    monkeypatch.setattr(batch_job, "_BEGUN", now - 100)
    end = batch_job.end_of_batch_job()
    if remaining_s is None:
        assert end is None
    else:
        assert end is not None
        assert end - now == pytest.approx(remaining_s, abs=30)


def test_a_worker_without_a_server_calculates_nothing() -> None:
    job, folder = relaxation()
    job.metadata["fw_id"] = 1  # as jobflow has it where FireWorks runs a job
    with pytest.raises(InputError, match=r"fix: set INTEROHM_MONGODB_URI in environment\.sh"):
        job.run(memory_store())
    assert not folder.exists()


def test_a_job_that_cannot_reach_the_server_is_sent_to_no_folder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    address = "mongodb://127.0.0.1:1"
    monkeypatch.setenv("INTEROHM_MONGODB_URI", address)
    monkeypatch.setattr("interohm.database.storage._SERVER_TIMEOUT_MS", 20)
    with pytest.raises(InputError, match=r"fix: check INTEROHM_MONGODB_URI"), Database.open():
        pass
    job, folder = relaxation()
    job.metadata["fw_id"] = 1
    with pytest.raises(InputError, match=r"127\.0\.0\.1:1.*environment\.sh") as refused:
        job.run(memory_store())
    assert "folder" not in str(refused.value)
    assert not folder.exists()
