"""Workers whose launcher is killed: they end, and what they finished is taken."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from jobflow import Flow
from pymatgen.core import Lattice, Structure

from interohm.database import Database
from interohm.database.shipped_calculations import shipped_calculation
from interohm.postprocess.calculation import Calculation
from interohm.records.shipped import shipped_material
from interohm.workflows.calculations import calculate
from interohm.workflows.claims import Claim, claimed, left_behind
from interohm.workflows.context import using
from interohm.workflows.display import Display
from interohm.workflows.engines.gpaw import GpawEngine
from interohm.workflows.engines.worker_run import end_with
from interohm.workflows.equivalents import request_of_calculation
from interohm.workflows.local import run_flow
from interohm.workflows.presets import load_preset

TINY = Path(__file__).parents[1] / "data" / "presets" / "tiny.yaml"
BULK = shipped_material("LiF_001").provenance["calculations"]["bulk"]

#: Launches a worker, which takes a while to begin, and is gone at once.
LAUNCHER = """
import os, signal, sys
from pathlib import Path
from interohm.workflows.engines.request import CalculationRequest
from interohm.workflows.engines.worker_run import WorkerRun
folder = Path(sys.argv[1])
request = CalculationRequest.model_validate_json((folder / "asked.json").read_text())
run = WorkerRun(request, folder, [sys.executable, "-c", sys.argv[2]])
print(run._process.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
WORKER = """
import os, sys, time
from interohm.workflows.engines.worker_run import end_with
time.sleep(1)
end_with(sys.argv[1], lambda: os._exit(3))
while True:
    time.sleep(1)
"""


def gone(launcher: str) -> bool:
    """Whether a launcher is found to be gone; waits for ever where it is not noticed."""
    ended = threading.Event()
    end_with(launcher, ended.set)
    return ended.wait(timeout=300)


def test_a_launcher_that_is_gone_before_it_is_looked_for() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert gone(f"{child.pid}@{socket.gethostname()}")


def test_a_launcher_that_has_ended_and_is_not_waited_for() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    assert gone(f"{child.pid}@{socket.gethostname()}")
    child.wait()


def test_launchers_that_are_there_or_elsewhere() -> None:
    ended = threading.Event()
    end_with(f"{os.getpid()}@{socket.gethostname()}", ended.set)
    end_with(f"{os.getpid()}@another-machine", ended.set)
    end_with(None, ended.set)
    assert not ended.wait(timeout=2.5)


def test_a_worker_ends_whose_launcher_is_killed_while_it_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("INTEROHM_FORBID_CALCULATIONS", raising=False)
    request = request_of_calculation(Calculation.model_validate(shipped_calculation(BULK)))
    (tmp_path / "asked.json").write_text(request.model_dump_json())
    ran = subprocess.run(
        [sys.executable, "-c", LAUNCHER, str(tmp_path), WORKER],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ran.returncode == -9, ran.stderr
    worker = int(ran.stdout)
    # as long as it takes on a slow machine: unnoticed, it would go on for ever
    for _ in range(600):
        if not psutil.pid_exists(worker) or psutil.Process(worker).status() == "zombie":
            break
        time.sleep(0.5)
    else:
        pytest.fail("the worker goes on without its launcher")


def test_a_finished_result_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The launcher was killed before it could keep what its worker had finished.

    No calculation may be started in this test.
    """
    monkeypatch.setenv("INTEROHM_DATA", str(tmp_path / "data"))
    stretched = Structure(Lattice.cubic(3.9), ["Li", "Li"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    preset = load_preset(str(TINY))
    settings = preset.metal.cell.engine_settings(preset.xc)
    request = GpawEngine().request(stretched, "cell", settings, 0)
    left = {
        "hash": request.hash,
        "engine": "gpaw",
        "kind": "cell",
        "charge": 0,
        "settings": request.settings,
        "initial_structure": request.structure,
        "structure": request.structure,
        "energy_eV": -3.8,
        "electrons": 2.0,
        "fermi_level_eV": 0.5,
        "max_force_eV_A": 0.0,
        "site_potentials_eV": [],
        "ionic_steps": 1,
        "wall_time_s": 1.0,
        "versions": {"gpaw": "25.7.0"},
    }
    folder = claimed(request).folder
    folder.mkdir(parents=True)
    (folder / "result.json").write_text(json.dumps(left))
    job = calculate(stretched, engine="gpaw", kind="cell", settings=settings)
    with Database.open(write=True) as database, using(database):
        failures = run_flow(Flow([job]), database, workers=1, display=Display(None, None))
        assert failures == {}
        kept = database.find_calculation(request.hash)
        assert kept is not None
        assert kept["energy_eV"] == -3.8


def test_a_damaged_or_another_result_is_not_taken(tmp_path: Path) -> None:
    calculation = Calculation.model_validate(shipped_calculation(BULK))
    claim = Claim(request_of_calculation(calculation), tmp_path)
    assert left_behind(claim) is None
    (tmp_path / "result.json").write_text(calculation.model_dump_json()[:-10])
    assert left_behind(claim) is None
    slab = shipped_material("LiF_001").provenance["calculations"]["slab"]
    (tmp_path / "result.json").write_text(
        Calculation.model_validate(shipped_calculation(slab)).model_dump_json()
    )
    assert left_behind(claim) is None
