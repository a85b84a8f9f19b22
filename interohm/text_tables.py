"""Tables of text that others wrote: their encodings, and the cells of their lines."""

from __future__ import annotations

import codecs
import csv
import re
from pathlib import Path

from interohm.errors import InputError

#: What stands where a number is missing, in lower case.
MISSING = frozenset(("nan", "na", "n/a", "null", "none", "--", "---"))
#: Regular expressions of a number, with a decimal point and with a decimal comma.
NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
COMMA_NUMBER = r"[+-]?(?:\d+,?\d*|,\d+)(?:[eE][+-]?\d+)?"


def read_text(path: Path, *, fix: str) -> str:
    """Return the text of a file in UTF-8, UTF-16 or Latin-1.

    Parameters
    ----------
    path : Path
    fix : str
        Advice of an error.

    Raises
    ------
    InputError
        The file cannot be read, or is no text.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"cannot read the table: {error.strerror}", where=str(path), fix=fix
        ) from None
    text = _decoded(raw)
    if text is None or any(ord(one) < 32 and one not in "\t\n\r\f\v" for one in text):
        raise InputError("cannot read the table: it is not text", where=str(path), fix=fix)
    return text


def split_cells(line: str, separator: str) -> list[str]:
    """Return a line's cells, with quotes removed; a blank as separator stands for any number."""
    if separator == " ":
        return [quoted or bare for quoted, bare in re.findall(r'"([^"]*)"|(\S+)', line)]
    (cells,) = csv.reader([line], delimiter=separator, skipinitialspace=True)
    return [cell.strip() for cell in cells]


def _decoded(raw: bytes) -> str | None:
    """Return the text of a file in UTF-8, UTF-16 or Latin-1, or None."""
    raw = raw.removeprefix(codecs.BOM_UTF8)
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = ["utf-16"]
    elif b"\0" in raw:
        # Without a mark: of letters below 256 one byte of two is 0.
        little = raw[1::2].count(0) > raw[::2].count(0)
        encodings = ["utf-16-le" if little else "utf-16-be"]
    else:
        encodings = ["utf-8", "latin-1"]
    for encoding in encodings:
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None
