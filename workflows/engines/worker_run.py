"""A calculation in a process of its own, and the folder through which it is asked and answers."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from interohm.errors import InputError
from interohm.files import atomic_file, open_plain
from interohm.postprocess.calculation import Calculation

from .protocol import CalculationError
from .request import CalculationRequest

#: What checkpoint and log of a calculation may need.
SPACE_MB = 64

DISK_FULL = (
    "the disk is full; free space, or let INTEROHM_DATA name a folder on another disk: "
    "the calculation goes on from its checkpoint"
)


def check_space(folder: Path) -> None:
    """Make a calculation's folder, on a disk that holds its checkpoint.

    Raises
    ------
    InputError
        The disk is full, or the folder cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free_MB = shutil.disk_usage(folder).free / 1e6
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise InputError(
                f"the folder cannot be created: {error.strerror}",
                where=str(folder),
                fix="check its permissions, or let INTEROHM_DATA name another folder",
            ) from None
        free_MB = 0.0
    if free_MB < SPACE_MB:
        raise InputError(
            f"the disk is full: {free_MB:.0f} MB are left, a calculation needs {SPACE_MB} MB",
            where=str(folder),
            fix="free space, or let INTEROHM_DATA name a folder on another disk",
        )


def refuse_if_forbidden(request: CalculationRequest) -> None:
    """Raise CalculationError where the environment wants stored calculations alone."""
    # not for the calculation's own process, which reads no settings
    from interohm.settings import load_settings

    if load_settings().forbid_calculations:
        formula = request.initial_structure.composition.formula
        raise CalculationError(
            f"{formula} ({request.kind}, charge {request.charge:+d}) is not stored, and "
            "INTEROHM_FORBID_CALCULATIONS is set"
        )


def end_with(launcher: str | None, end: Callable[[], None]) -> None:
    """Call ``end``, in a thread, when the launcher of this worker is gone, however it went.

    Parameters
    ----------
    launcher : str, optional
        Its process and machine, as ``1234@node7``; None: the parent of this process. A parent that
        is gone before it can be asked is not known any more, hence the argument; and with MPI the
        parent is another process, on another machine perhaps.
    end : callable
    """
    number, _, machine = (launcher or f"{os.getppid()}@").partition("@")
    if machine not in ("", socket.gethostname()):
        return

    def watch() -> None:
        while _is_there(int(number)):
            time.sleep(1)
        end()

    threading.Thread(target=watch, daemon=True).start()


def _is_there(process: int) -> bool:
    if os.getppid() == process:
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's, who got the number
        return False
    return not _is_defunct(process)


def _is_defunct(process: int) -> bool:
    """Return whether a process has ended and its exit status was not collected yet."""
    try:
        state = Path(f"/proc/{process}/stat").read_bytes().rpartition(b")")[2].split()[0]
    except (OSError, IndexError):
        return False
    return state in (b"Z", b"X")


class WorkerRun:
    """A worker process and the folder it writes to.

    Parameters
    ----------
    request : CalculationRequest
        The calculation to make.
    folder : Path
        Gets ``request.json``; the worker leaves ``result.json`` or ``failure.json``.
    command : list of str
        The program and its arguments, without the worker's last one, which says who launches it.
    """

    def __init__(self, request: CalculationRequest, folder: Path, command: list[str]) -> None:
        refuse_if_forbidden(request)
        self.request = request
        self.folder = folder
        for leftover in ("result.json", "failure.json"):
            (folder / leftover).unlink(missing_ok=True)
        with atomic_file(folder / "request.json") as file:
            file.write(request.model_dump_json().encode())
        environment = os.environ | {
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "MKL_NUM_THREADS": "1",
        }
        with open_plain(folder / "worker.log") as log:
            self._process = subprocess.Popen(
                [*command, f"{os.getpid()}@{socket.gethostname()}"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                # A Ctrl-C reaches the launcher alone, which then ends its workers in order.
                start_new_session=True,
            )

    def finished(self) -> bool:
        """Return whether the process has ended."""
        return self._process.poll() is not None

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait for the process to end, so long at most."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout_s)

    def result(self) -> Calculation:
        """Return the calculation that the finished process wrote.

        Raises
        ------
        CalculationError
            It wrote none, or a part of one.
        """
        log = f"(log: {self.folder / 'worker.log'})"
        text = self._text("result.json")
        if text is not None:
            try:
                found = Calculation.model_validate_json(text)
            except ValueError:  # pydantic's: not JSON, or not all of it
                raise CalculationError(f"the worker's result is incomplete {log}") from None
            if found.hash != self.request.hash:
                raise CalculationError(f"the worker's result is of another calculation {log}")
            return found
        failure = self._read("failure.json")
        if failure is None:
            full = shutil.disk_usage(self.folder).free == 0
            status = f"the worker ended with status {self._process.returncode}"
            failure = {"error": DISK_FULL if full else status}
        raise CalculationError(f"{failure['error']} {log}", attempts=failure.get("attempts", []))

    def stop(self) -> None:
        """End the worker."""
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait()

    def _text(self, name: str) -> str | None:
        path = self.folder / name
        return path.read_text() if path.exists() else None

    def _read(self, name: str) -> dict[str, Any] | None:
        text = self._text(name)
        return json.loads(text) if text else None
