"""What the database adds to a document: the version of its form, and its flat rows.

Documents of version 1 carry neither. They are read as they are; `interohm migrate` writes them
anew. Those of a later version than this program's are refused, never guessed at.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from interohm.errors import InputError
from interohm.rows import Row, rows_of

VERSION = 2

VERSION_FIELD, ROWS_FIELD = "schema_version", "rows"

#: How earlier versions are marked; the first one had no such field.
EARLIER: tuple[int | None, ...] = (None, *range(2, VERSION))


def stored(collection: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document with what the database adds to it."""
    rows = rows_of(collection, document)
    return {**document, VERSION_FIELD: VERSION, ROWS_FIELD: rows}


def given(document: dict[str, Any], *, where: str) -> dict[str, Any]:
    """Return a stored document without what the database added, refusing a later version's.

    Raises
    ------
    InputError
        A later version of the program wrote it.
    """
    version = document.get(VERSION_FIELD, 1)
    if not isinstance(version, int) or version > VERSION:
        raise InputError(
            f"a document of schema version {version} is from a later interohm than this one, "
            f"which knows {VERSION}",
            where=where,
            fix="update interohm",
        )
    return {
        field: value
        for field, value in document.items()
        if field not in ("_id", VERSION_FIELD, ROWS_FIELD)
    }


def stored_rows(collection: str, document: Mapping[str, Any], *, where: str) -> list[Row]:
    """Return the rows of a stored document, made here where an earlier version wrote it."""
    plain = given(document, where=where)
    if document.get(VERSION_FIELD) == VERSION:
        return list(document[ROWS_FIELD])
    return rows_of(collection, plain)
