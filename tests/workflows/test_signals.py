"""A worker that is told to end: its job goes back from wherever it is, and it takes no other."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from jobflow import CURRENT_JOB
from pymatgen.core import Lattice, Structure

from interohm.database import Database
from interohm.workflows.calculations import calculate
from interohm.workflows.campaign import memory_store
from interohm.workflows.context import using
from interohm.workflows.engines.gpaw import GpawEngine
from interohm.workflows.presets import load_preset
from interohm.workflows.signals import ending_in_order

LAUNCHER = "fireworks.core.rocket_launcher"


@pytest.fixture
def launcher(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    module = ModuleType(LAUNCHER)
    monkeypatch.setitem(sys.modules, LAUNCHER, module)
    yield module
    CURRENT_JOB.reset()


def test_a_short_step_comes_to_its_end_before_the_worker_ends(
    monkeypatch: pytest.MonkeyPatch, launcher: ModuleType
) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with monkeypatch.context() as alone:
        alone.delitem(sys.modules, LAUNCHER)
        with ending_in_order():  # no worker of FireWorks: a SIGTERM ends it as ever
            assert signal.getsignal(signal.SIGTERM) is before
    steps = []
    with ending_in_order():
        signal.raise_signal(signal.SIGTERM)
        steps.append("the end")
    assert steps == ["the end"]
    assert signal.getsignal(signal.SIGTERM) is before
    with pytest.raises(SystemExit, match="told to end"):
        launcher.launch_rocket()


@pytest.mark.parametrize("moment", ["request", "database"])
def test_a_calculation_that_is_still_being_set_up_goes_back(
    database: Database, monkeypatch: pytest.MonkeyPatch, launcher: ModuleType, moment: str
) -> None:
    preset = load_preset("quick")
    settings = preset.metal.bulk.engine_settings(preset.xc)
    lithium = Structure(Lattice.cubic(3.2), ["Li", "Li"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    job = calculate(lithium, engine="gpaw", kind="static", settings=settings)
    job.name = "Li: bulk"
    owner: Any = GpawEngine if moment == "request" else Database
    name = "request" if moment == "request" else "calculations_with_key"
    real = getattr(owner, name)

    def told(*given: Any) -> Any:
        signal.raise_signal(signal.SIGTERM)
        return real(*given)

    monkeypatch.setattr(owner, name, told)
    monkeypatch.setattr(GpawEngine, "start", lambda *_: pytest.fail("it was begun"))
    with using(database):
        response = job.run(memory_store())
    (again,) = response.replace.jobs
    assert (again.name, again.uuid, again.index) == ("Li: bulk", job.uuid, 2)
    with pytest.raises(SystemExit, match="told to end"):
        launcher.launch_rocket()


#: What `rapidfire` does, in the module of its name: it imports this program when it looks at a job.
WORKER = f"""
import signal, sys, types
launcher = types.ModuleType("{LAUNCHER}")
sys.modules[launcher.__name__] = launcher
exec('''
import signal, time
def launch_rocket(): print("took another job")
def look(): import interohm.workflows
class Task(dict):
    def run_task(self):
        signal.raise_signal(signal.SIGTERM)
        print("the job came to its end")
def run_exists(): signal.raise_signal(signal.SIGTERM)
def rapidfire(task):
    look()
    if task == "sleep":
        signal.raise_signal(signal.SIGTERM)
    if task == "look for a job":
        run_exists()
    if isinstance(task, str):
        print("it went on")
        return
    task.run_task()
    if not task.get("last"):
        launch_rocket()
    time.sleep(0)
    print("it sleeps while jobs run from which more follows")
''', vars(launcher))
"""
OURS = "type('Job', (), {'function': interohm.workflows.signals.stand_by})"


@pytest.mark.parametrize(
    ("task", "printed", "code"),
    [
        ("'sleep'", "", 1),
        ("'look for a job'", "", 1),
        (f"launcher.Task(job={OURS})", "the job came to its end\n", 1),
        (f"launcher.Task(job={OURS}, last=True)", "the job came to its end\n", 1),
        # of another program: it ends as ever
        ("launcher.Task(job=None)", "", -signal.SIGTERM),
    ],
)
def test_from_a_workers_first_job_on(task: str, printed: str, code: int) -> None:
    program = WORKER + "\n".join(
        [
            "if 'stand_by' in sys.argv[1]:",
            "    import interohm.workflows.signals",
            "    del sys.modules['interohm.workflows']",
            f"launcher.rapidfire({task})",
        ]
    )
    ran = subprocess.run([sys.executable, "-c", program, task], capture_output=True, text=True)
    assert (ran.stdout, ran.returncode) == (printed, code), ran.stderr
    if code == 1:
        assert "told to end by SIGTERM" in ran.stderr
