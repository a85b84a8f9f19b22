"""Flat rows as a file that other programs read: CSV, JSON or Parquet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

from interohm.database.rows import kind_of
from interohm.plain_text import printable

Format = Literal["csv", "json", "parquet"]
FORMATS: tuple[Format, ...] = get_args(Format)

#: Between the members of a list in a CSV field.
_SEPARATOR = " | "

#: How formulas begin, in whichever spreadsheet.
_FORMULAS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def encoded(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], format: Format) -> bytes:
    """Return rows as a file's content; what is unknown is empty (CSV) or null.

    Parameters
    ----------
    rows : sequence of mapping
        As `Database.rows` returns them.
    columns : sequence of str
        Which columns, in this order.
    format : {"csv", "json", "parquet"}
        CSV has a header, JSON is a list of objects, Parquet has typed columns.
    """
    if format == "csv":
        return _csv(rows, columns)
    if format == "json":
        plain = [{column: row.get(column) for column in columns} for row in rows]
        return (json.dumps(plain, allow_nan=False) + "\n").encode()
    return _parquet(rows, columns)


def _csv(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> bytes:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        values = [row.get(column) for column in columns]
        writer.writerow([_field(value) for value in values])
    return stream.getvalue().encode()


def _field(value: Any) -> Any:
    """Return a value for CSV; a text that spreadsheets would take for a formula gets an apostrophe.

    What a terminal or a spreadsheet would act on stands as its escape.
    """
    text = _SEPARATOR.join(value) if isinstance(value, list) else value
    if not isinstance(text, str):
        return value
    shown = printable(text).replace("\t", " ")
    return f"'{shown}" if shown.lstrip().startswith(_FORMULAS) else shown


def _parquet(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> bytes:
    import pyarrow as arrow
    from pyarrow import parquet

    types = {
        str: arrow.string(),
        list: arrow.list_(arrow.string()),
        bool: arrow.bool_(),
        int: arrow.int64(),
        float: arrow.float64(),
    }
    schema = arrow.schema([(column, types[kind_of(column)]) for column in columns])
    stream = io.BytesIO()
    parquet.write_table(arrow.Table.from_pylist(list(rows), schema=schema), stream)
    return stream.getvalue()
