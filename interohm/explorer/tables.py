"""The rows of each tab: those of the database, shipped records, and what others measured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from interohm.database import Database
from interohm.database.conditions import parse_where
from interohm.database.rows import COLUMNS, kind_of, rows_of
from interohm.explorer.measured import MEASURED_COLUMNS, MEASURED_NUMBERS, MeasuredValues

if TYPE_CHECKING:
    from interohm.database.rows import Row
    from interohm.settings import Settings

_TEXTS = frozenset(MEASURED_COLUMNS) - MEASURED_NUMBERS

#: Where a record is from, beside the columns that the database has.
_ORIGIN = "origin"


def columns_of(collection: str) -> Sequence[str]:
    """Return the columns of a tab."""
    if collection == "validation":
        return MEASURED_COLUMNS
    columns = tuple(COLUMNS[collection])
    return (columns[0], _ORIGIN, *columns[1:]) if collection == "materials" else columns


def kind_in(column: str) -> type:
    """Return what a column holds: str, list (of str), bool, int or float."""
    if column == _ORIGIN or column in _TEXTS:
        return str
    return float if column in MEASURED_NUMBERS else kind_of(column)


def rows_in(
    settings: Settings, measured: MeasuredValues, collection: str, where: str | None
) -> list[Row]:
    """Return the rows of a tab that fit a condition.

    Raises
    ------
    InputError
        A condition that is not understood, or the database cannot be read.
    """
    condition = (where or "").strip() or None
    if collection == "validation":
        return _fitting(collection, measured.rows(), condition)
    with Database.open(settings) as database:
        if collection == "materials":
            return _fitting(collection, _records(database), condition)
        return database.rows(collection, condition)


def _fitting(collection: str, rows: Iterable[Row], where: str | None) -> list[Row]:
    if where is None:
        return list(rows)
    condition = parse_where(where, list(columns_of(collection)), kinds=kind_in)
    return [row for row in rows if condition.holds(row)]


def _records(database: Database) -> Iterator[Row]:
    """Yield the database's records, and the shipped ones that they do not hide."""
    from interohm.lookup import all_materials
    from interohm.records import material_document

    for found in all_materials(database):
        [row] = rows_of("materials", material_document(found.material))
        yield {_ORIGIN: found.source, **row}
