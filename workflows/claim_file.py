"""The file in a calculation's folder that its launcher holds locked."""

from __future__ import annotations

import contextlib
import fcntl
from pathlib import Path
from typing import IO

from interohm.errors import InputError
from interohm.files import open_plain

#: Its name.
CLAIM = "claim"

#: Characters of a job's name that are shown.
_LONGEST_NAME = 200


def taken(file: IO[str]) -> bool:
    """Take a folder's `CLAIM`, open, for this process; False while another one has it.

    The kernel gives it back when the file is closed or its holder dies.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_free(claim: Path) -> bool:
    """Return whether a claim is free; False if its file is not on this machine."""
    with contextlib.suppress(InputError, OSError), open_plain(claim) as file:
        return taken(file)
    return False


def hold(file: IO[str], job: str) -> None:
    """Record in a folder's `CLAIM`, which this process holds, the job that took it."""
    file.truncate(0)
    file.write(job)
    file.flush()


def holder(file: IO[str]) -> str:
    """Return for which job a folder's `CLAIM` is taken, as far as its holder has said so."""
    file.seek(0)
    return file.read(_LONGEST_NAME).strip() or "another job"
