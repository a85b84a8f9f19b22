"""Additions of the database to a document: the version of its schema, and its flat rows.

Documents of version 1 carry neither. They are read as they are; `interohm migrate` writes them
anew. Those of a later version than this program's are refused, never guessed at.
"""

from __future__ import annotations

import contextlib
import json
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from interohm.calculation_key import key_of_document
from interohm.database.rows import COLUMNS, Row, kind_of, rows_of
from interohm.errors import InputError
from interohm.safe_documents import refuse_foreign_code

VERSION = 3

VERSION_FIELD, ROWS_FIELD = "schema_version", "rows"

#: Of a calculation's row, by which the same calculation is looked up. No column: what earlier
#: versions of the program wrote lacks it, and gets it when it is looked through.
KEY_FIELD = "key"

#: Its path in a document.
KEY_PATH = f"{ROWS_FIELD}.{KEY_FIELD}"

#: Of every row, by which damage to the document, or to the row, is found. Numbers that a disk or a
#: memory changed look like others.
DOCUMENT_CHECKSUM, ROW_CHECKSUM = "document_checksum", "row_checksum"

#: Where the database keeps the profiles of a contact or a cell.
PROFILES_FIELD = "profiles_blob"

#: Where the database keeps what is too large for a document.
LARGE_PARTS_FIELD = "large_parts_blob"

#: How earlier versions are marked; the first one had no such field.
EARLIER: tuple[int | None, ...] = (None, *range(2, VERSION))


def stored(collection: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document with what the database adds to it."""
    checksum = _checksum(_content(document))
    rows = [{**row, DOCUMENT_CHECKSUM: checksum} for row in rows_of(collection, document)]
    whole = {**document, VERSION_FIELD: VERSION, ROWS_FIELD: rows}
    if collection == "calculations":
        return with_key(whole)
    return {**whole, ROWS_FIELD: [_with_checksum(row) for row in rows]}


def with_key(calculation: Mapping[str, Any]) -> dict[str, Any]:
    """Return a stored calculation with its coarse key in its row."""
    key = key_of_document(calculation)
    rows = [_with_checksum({**row, KEY_FIELD: key}) for row in calculation[ROWS_FIELD]]
    return {**calculation, ROWS_FIELD: rows}


def _with_checksum(row: Mapping[str, Any]) -> dict[str, Any]:
    plain = {name: value for name, value in row.items() if name != ROW_CHECKSUM}
    return {**plain, ROW_CHECKSUM: _checksum(plain)}


def _content(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a document says, which a checksum is of."""
    return {field: value for field, value in document.items() if field != PROFILES_FIELD}


def _checksum(value: Any) -> int:
    """Return a checksum of plain values, the same before and after they were in a database."""
    text = json.dumps(value, sort_keys=True, default=lambda _: None)
    return zlib.crc32(text.encode())


class DamagedDocumentError(InputError):
    """A document is not what was saved."""

    def __init__(self, where: str) -> None:
        super().__init__(
            "a document is damaged: it is not what was saved (its checksum does not fit)",
            where=where,
            fix="restore the database from a backup, or save the document again: predict, import "
            "or calculate it again; and check the disk and the memory of the machine",
        )


def given(document: Mapping[str, Any], *, where: str) -> dict[str, Any]:
    """Return a stored document without what the database added, refusing a later version's.

    Raises
    ------
    InputError
        A later version of the program wrote it, it names code of somebody else, or it is damaged.
    """
    refuse_foreign_code(document, where=where)
    version = document.get(VERSION_FIELD, 1)
    if not isinstance(version, int) or version > VERSION:
        raise InputError(
            f"a document of schema version {version} is from a later version of interohm; this "
            f"one knows {VERSION}",
            where=where,
            fix="update interohm",
        )
    plain = {
        field: value
        for field, value in document.items()
        if field not in ("_id", VERSION_FIELD, ROWS_FIELD, LARGE_PARTS_FIELD)
    }
    rows = document.get(ROWS_FIELD)
    if isinstance(rows, list) and rows and isinstance(rows[0], Mapping):
        checksum = rows[0].get(DOCUMENT_CHECKSUM)
        content = _content(plain)
        if checksum is not None and content and checksum != _checksum(content):
            raise DamagedDocumentError(where)
    return plain


def stored_rows(collection: str, document: Mapping[str, Any], *, where: str) -> list[Row]:
    """Return the rows of a stored document, made here where an earlier version wrote it."""
    plain = given(document, where=where)
    with well_formed(where):
        current = document.get(VERSION_FIELD) == VERSION
        rows = document[ROWS_FIELD] if current else rows_of(collection, plain)
        for row in rows:
            if row.get(ROW_CHECKSUM) not in (None, _with_checksum(row)[ROW_CHECKSUM]):
                raise DamagedDocumentError(where)
        return [_checked(collection, row) for row in rows]


@contextlib.contextmanager
def well_formed(where: str) -> Iterator[None]:
    """Turn what a malformed document does to the code that reads it into an `InputError`."""
    try:
        yield
    except InputError:
        raise
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise InputError(
            f"a document is malformed ({type(error).__name__}: {error})",
            where=where,
            fix="save it again, or remove it from the database",
        ) from error


def _checked(collection: str, row: Mapping[str, Any]) -> Row:
    """Return a row with all columns, each empty or of its kind."""
    found = {}
    for column in COLUMNS[collection]:
        value, kind = row.get(column), kind_of(column)
        accepted = (int, float) if kind is float else kind
        if value is not None and not isinstance(value, accepted):
            raise TypeError(f"{column} is no {kind.__name__}")
        found[column] = value
    return found
