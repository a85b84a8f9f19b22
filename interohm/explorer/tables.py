"""The rows of each tab: those of the database, shipped records, and what others measured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from interohm.database import Database
from interohm.database.conditions import parse_where
from interohm.database.rows import COLUMNS, kind_of, rows_of

if TYPE_CHECKING:
    from interohm.database.rows import Row
    from interohm.settings import Settings

_MEASURED = (
    *("experiment", "quantity", "value", "comparison", "electrode", "electrolyte"),
    *("state_of_charge", "title", "source", "remarks"),
)
_MEASURED_NUMBERS = frozenset({"value", "state_of_charge"})

#: Where a record is from, beside the columns that the database has.
_ORIGIN = "origin"


def columns_of(collection: str) -> Sequence[str]:
    """Return the columns of a tab."""
    if collection == "validation":
        return _MEASURED
    columns = tuple(COLUMNS[collection])
    return (columns[0], _ORIGIN, *columns[1:]) if collection == "materials" else columns


def kind_in(column: str) -> type:
    """Return what a column holds: str, list (of str), bool, int or float."""
    if column == _ORIGIN or (column in _MEASURED and column not in _MEASURED_NUMBERS):
        return str
    return kind_of(column)


def rows_in(settings: Settings, collection: str, where: str | None) -> list[Row]:
    """Return the rows of a tab that fit a condition.

    Raises
    ------
    InputError
        A condition that is not understood, or the database cannot be read.
    """
    condition = (where or "").strip() or None
    if collection == "validation":
        return _fitting(collection, _measured(), condition)
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


def _measured() -> Iterator[Row]:
    from interohm.records.experiment import shipped_experiments

    for one in shipped_experiments():
        for measured in one.measured:
            yield {
                "experiment": one.name,
                "quantity": measured.quantity,
                "value": measured.value,
                "comparison": measured.comparison.replace("_", " "),
                "electrode": one.electrode,
                "electrolyte": one.electrolyte,
                "state_of_charge": one.state_of_charge,
                "title": one.title,
                "source": one.source,
                "remarks": one.remarks or None,
            }
