"""A calculation inside a job of a batch system: one at a time per hash, and over in time."""

from __future__ import annotations

import contextlib
import functools
import os
import subprocess
import threading
import time
from collections.abc import Callable
from datetime import datetime

from interohm.files import open_plain
from interohm.postprocess.calculation import Calculation
from interohm.settings import load_settings

from .claim_file import CLAIM, hold, holder, taken
from .claims import Claim, clean, left_behind
from .engines import engine_named
from .engines.protocol import CalculationError, Run
from .waiting import TakenError, can_come_back

_POLL_S = 0.5
_TO_RETURN_IT_S = 10.0
_BEGUN = time.monotonic()  # of this process, but for its imports


def calculate_in_time(
    claim: Claim,
    *,
    label: str,
    known: Callable[[], Calculation | None],
    keep: Callable[[Calculation], None],
    disconnect: Callable[[], None],
    stopping: threading.Event,
) -> Calculation | None:
    """Run a calculation to its end and keep it, unless the batch job around it ends before.

    Parameters
    ----------
    claim : Claim
        Its folder is shared by all workers: the checkpoint in it lets a later job go on.
    label : str
        Label of the job, for those that wait for it.
    known, keep : callable
        Look the calculation up in the database, and save it there.
    disconnect : callable
        Called before it takes long, so that nothing is held open meanwhile.
    stopping : Event
        Set by SIGTERM.

    Returns
    -------
    Calculation or None
        None where the batch job is about to end, or was told to by SIGTERM.

    Raises
    ------
    CalculationError
        It failed, or most of a batch job's time is too short for a single geometry.
    TakenError
        Another job makes it, and this one can go back into its queue meanwhile.
    """
    request, folder = claim.request, claim.folder
    folder.mkdir(parents=True, exist_ok=True)

    def time_is_up() -> bool:
        return stopping.is_set() or time.monotonic() > _last_moment()

    with open_plain(folder / CLAIM) as held:
        # Phases share calculations, such as the mobile metal's. Without a queue, who comes second
        # waits for the first. The kernel gives the claim back when its holder dies.
        if not taken(held) and can_come_back():
            raise TakenError(claim, holder(held))
        while not taken(held):
            disconnect()
            if time_is_up():
                return None
            time.sleep(_POLL_S)
        hold(held, label)
        found = known()
        if found is None and (found := left_behind(claim)) is not None:
            keep(found)
        if found is not None:
            clean(folder)
            return found
        disconnect()
        if time_is_up():
            if not stopping.is_set():
                _let_the_batch_job_end()
            return None
        run = engine_named(request.engine).start(request, folder)
        begun, geometries = time.monotonic(), _geometries(run)
        try:
            while not run.finished():
                if time_is_up():
                    if not stopping.is_set() and _geometries(run) == geometries:
                        _worth_another_job(time.monotonic() - begun)
                    return None
                run.wait(_POLL_S)
        finally:
            run.stop()
        found = run.result()
        keep(found)
        clean(folder)
        return found


@functools.cache
def end_of_batch_job() -> float | None:
    """Return when the batch job around this process ends, on `time.monotonic`'s clock; None: never.

    ``INTEROHM_WALLTIME_S`` counts from the start of this process; without it Slurm or PBS is asked.
    """
    length = load_settings().walltime_s
    if length is not None:
        return _BEGUN + length
    if (end := _slurm_end_time() or _pbs_end_time()) is not None:
        return time.monotonic() + end - time.time()
    if (seconds := os.environ.get("PBS_WALLTIME", "")).isdecimal():  # Torque, without its commands
        return _BEGUN + int(seconds)
    return None


def _slurm_end_time() -> float | None:
    if end := os.environ.get("SLURM_JOB_END_TIME"):  # Slurm 23.02 and later
        return float(end)
    if (job := os.environ.get("SLURM_JOB_ID")) is None:
        return None
    with contextlib.suppress(OSError, subprocess.SubprocessError, ValueError):
        said = _said_by("squeue", "--noheader", "--jobs", job, "--format=%e")
        return datetime.fromisoformat(said.strip()).timestamp()
    return None


def _pbs_end_time() -> float | None:
    """Return the end of PBS's job, by its start and the time that the queue gave it.

    A job that tells no start began with this process.
    """
    if (job := os.environ.get("PBS_JOBID")) is None:
        return None
    with contextlib.suppress(OSError, subprocess.SubprocessError, ValueError):
        lines = _said_by("qstat", "-f", job).splitlines()
        said = dict(line.strip().split(" = ", 1) for line in lines if " = " in line)
        if (length := said.get("Resource_List.walltime")) is None:
            return None
        parts = [int(part) for part in length.split(":")]  # of seconds, minutes, hours and days
        units = (86400, 3600, 60, 1)[-len(parts) :]
        seconds = sum(part * unit for part, unit in zip(parts, units, strict=True))
        begun = said.get("stime") or said.get("start_time")  # PBS Pro's word, and Torque's
        if begun is None:
            return time.time() - (time.monotonic() - _BEGUN) + seconds
        return datetime.strptime(begun, "%a %b %d %H:%M:%S %Y").timestamp() + seconds
    return None


def _said_by(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, timeout=60).stdout


def _last_moment() -> float:
    """Leave time for the end: a tenth of the batch job's, two minutes at most."""
    end = end_of_batch_job()
    return float("inf") if end is None else end - min(120.0, 0.1 * (end - _BEGUN))


def _let_the_batch_job_end() -> None:
    """Hold a job that was taken too late, lest this worker take it again and again."""
    end = end_of_batch_job()
    if end is not None:
        time.sleep(max(0.0, end - time.monotonic() - _TO_RETURN_IT_S))


def _worth_another_job(seconds: float) -> None:
    """Raise where a job's time was not enough for one geometry: no later one would get further."""
    if seconds > 0.5 * (_last_moment() - _BEGUN):
        raise CalculationError(
            f"not one geometry was finished in the {seconds:.0f} s before the batch job's end; "
            "give the queue's jobs more walltime"
        )


def _geometries(run: Run) -> int:
    progress = run.progress()
    return 1 if progress is None else progress.ionic_step
