"""Files that are written whole or not at all, and locks: in folders where others may write, too."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from interohm.errors import InputError


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[IO[bytes]]:
    """Write a file that is there when all of it is, with the usual permissions of a new file.

    A link of its name is replaced, never followed.

    Raises
    ------
    OSError
        It cannot be written; nothing is left.
    """
    # not of `tempfile`, whose files are for their owner alone
    temporary = path.with_name(f".{path.name[:100]}.{uuid.uuid4().hex}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def open_plain(path: Path) -> IO[str]:
    """Open a file for reading and appending; make it where there is none, and follow no link.

    Raises
    ------
    InputError
        It is a link, a pipe or a folder: who put it there may want another file to be written.
    OSError
        It cannot be opened.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        handle = os.open(path, flags, 0o666)
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.ENXIO, errno.EISDIR):
            raise
        raise _no_plain_file(path) from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise _no_plain_file(path)
    return os.fdopen(handle, "a+", encoding="utf-8")


def _no_plain_file(path: Path) -> InputError:
    return InputError(
        "this is a link or a special file in the place of a file of this program",
        where=str(path),
        fix="find out who put it there, and remove it",
    )
