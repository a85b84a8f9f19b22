"""Claims on calculations: one worker at a time, in one folder, whatever the settings."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
from dataclasses import dataclass
from pathlib import Path

from interohm.files import open_plain
from interohm.postprocess.calculation import Calculation

from .claim_file import CLAIM
from .context import job_settings
from .engines.request import CalculationRequest
from .engines.worker_run import check_space
from .equivalents import as_requested, request_of_calculation, setting_of

#: What stays of a calculation that is in the database: what it was, locks, logs, and VASP's own
#: output, which says more than the database keeps.
_KEPT = frozenset(
    {
        *(CLAIM, "lock", "request.json"),
        *("worker.log", "relaxation.log", "gpaw.txt", "OUTCAR", "vasprun.xml"),
    }
)


@dataclass(frozen=True)
class Claim:
    """Request and folder of a claimed calculation.

    Parameters
    ----------
    request : CalculationRequest
        Request of the calculation.
    folder : Path
        Keeps what it needs to go on after a kill.
    """

    request: CalculationRequest
    folder: Path


def claimed(request: CalculationRequest) -> Claim:
    """Return the claim on a calculation, of this request or of an earlier one that is the same.

    Workers on different processors may ask for one calculation in two settings. The second one
    goes on in the setting, and in the folder, of the first.
    """
    scratch = job_settings().data / "scratch"
    # All that may be one share a file, which is locked while they are compared.
    claims = scratch / "claims" / request.key
    check_space(claims.parent)
    with open_plain(claims) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        for line in file:
            with contextlib.suppress(ValueError):  # a line that a full disk cut off
                earlier = CalculationRequest.model_validate_json(line)
                if setting_of(request, earlier) is not None:
                    return Claim(as_requested(earlier, request), scratch / earlier.hash)
        file.write("\n" + request.model_dump_json() + "\n")
    return Claim(request, scratch / request.hash)


def clean(folder: Path) -> None:
    """Remove what a calculation that is in the database needs no more.

    Its logs stay, and what says that it was claimed: who waits for it finds it in the database.
    """
    for path in folder.iterdir():
        if path.name.removesuffix(".gz") not in _KEPT:
            with contextlib.suppress(OSError):  # of another node's file system, perhaps
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink()


@dataclass(frozen=True)
class Scratch:
    """Folders that calculations left in a project.

    Parameters
    ----------
    finished, unfinished : int
        Folders of calculations: of those that are in the database logs alone are left, the others
        go on from what is there.
    size_MB : float
        Size of all files.
    """

    finished: int
    unfinished: int
    size_MB: float


def scratch_of(data: Path) -> Scratch:
    """Look through the calculations' folders of a project."""
    finished = unfinished = size = 0
    for folder in (data / "scratch").glob("*"):
        names = set()
        for path in folder.rglob("*"):
            with contextlib.suppress(OSError):  # gone meanwhile
                size += path.lstat().st_size
                names.add(path.name.removesuffix(".gz"))
        if folder.name == "claims":
            continue
        if names <= _KEPT:
            finished += 1
        else:
            unfinished += 1
    return Scratch(finished, unfinished, size / 1e6)


def left_behind(claim: Claim) -> Calculation | None:
    """Return the result of a calculation whose launcher was killed before it could keep it."""
    path = claim.folder / "result.json"
    with contextlib.suppress(FileNotFoundError, ValueError):  # none, or damaged: calculated anew
        found = Calculation.model_validate_json(path.read_bytes())
        same = setting_of(claim.request, request_of_calculation(found)) is not None
        return found if same else None
    return None
