"""Compressed data of others, unpacked up to a limit: a small file may unfold to fill the memory."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from collections.abc import Callable
from typing import Any

from interohm.errors import InputError

#: What opens a file's content, by the file's suffix.
_OPENERS: dict[str, Callable[[Any], Any]] = {
    ".gz": lambda file: gzip.GzipFile(fileobj=file),
    ".bz2": bz2.BZ2File,
    ".xz": lzma.LZMAFile,
}
PACKINGS = tuple(_OPENERS)

#: Text of numbers shrinks to a tenth or less, at most to a fiftieth; a bomb to a thousandth.
_LARGEST_RATIO = 200
_ALWAYS_BYTES = 256 * 2**20


def unpacked(data: bytes, packing: str, *, where: str) -> bytes:
    """Return compressed data unpacked.

    Parameters
    ----------
    data : bytes
    packing : str
        One of `PACKINGS`.
    where : str
        Place to name in an error.

    Raises
    ------
    InputError
        It unfolds beyond 256 MiB and to more than 200 times its size.
    OSError, EOFError, ValueError, lzma.LZMAError, zlib.error
        It is damaged.
    """
    limit = max(_ALWAYS_BYTES, _LARGEST_RATIO * len(data))
    with _OPENERS[packing](io.BytesIO(data)) as file:
        content: bytes = file.read(limit + 1)
    if len(content) > limit:
        raise InputError(
            f"it decompresses to more than {limit // 2**20} MiB, from {len(data) / 2**20:.1f} MiB",
            where=where,
            fix="check what it is; if it is right, unpack it first",
        )
    return content
