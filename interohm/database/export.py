"""Flat rows as a file that other programs read: CSV, JSON or Parquet."""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO, Any, Literal, TypeAlias, get_args

from interohm.database.rows import kind_of
from interohm.plain_text import printable

Format = Literal["csv", "json", "parquet"]
FORMATS: tuple[Format, ...] = get_args(Format)

_Batches: TypeAlias = Iterable[list[Mapping[str, Any]]]

#: Rows that are in memory at a time.
_BATCH = 5000

#: Between the members of a list in a CSV field.
_SEPARATOR = " | "

#: How formulas begin, in whichever spreadsheet.
_FORMULAS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def encoded(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], format: Format) -> bytes:
    """Return what `write_rows` writes."""
    stream = io.BytesIO()
    write_rows(stream, rows, columns, format)
    return stream.getvalue()


def write_rows(
    stream: IO[bytes],
    rows: Iterable[Mapping[str, Any]],
    columns: Sequence[str],
    format: Format,
) -> int:
    """Write rows as they come, some thousand in memory at a time; return how many.

    An unknown value is empty (CSV) or null.

    Parameters
    ----------
    stream : binary file
        Destination.
    rows : iterable of mapping
        As `Database.each_row` yields them.
    columns : sequence of str
        Which columns, in this order.
    format : {"csv", "json", "parquet"}
        CSV has a header, JSON is a list of objects, Parquet has typed columns.
    """
    write = {"csv": _write_csv, "json": _write_json, "parquet": _write_parquet}[format]
    return write(stream, _batches(rows), columns)


def _batches(rows: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    left = iter(rows)
    while some := list(itertools.islice(left, _BATCH)):
        yield some


def _write_csv(stream: IO[bytes], batches: _Batches, columns: Sequence[str]) -> int:
    count = 0
    for some in itertools.chain([[]], batches):
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        if not some:
            writer.writerow(columns)
        writer.writerows([_field(row.get(column)) for column in columns] for row in some)
        stream.write(text.getvalue().encode())
        count += len(some)
    return count


def _write_json(stream: IO[bytes], batches: _Batches, columns: Sequence[str]) -> int:
    count = 0
    stream.write(b"[")
    for some in batches:
        plain = [{column: row.get(column) for column in columns} for row in some]
        # without the brackets of the list
        stream.write((", " if count else "").encode())
        stream.write(json.dumps(plain, allow_nan=False)[1:-1].encode())
        count += len(some)
    stream.write(b"]\n")
    return count


def _field(value: Any) -> Any:
    """Return a value for CSV; a text that spreadsheets would take for a formula gets an apostrophe.

    Characters that a terminal or a spreadsheet would act on are escaped.
    """
    text = _SEPARATOR.join(value) if isinstance(value, list) else value
    if not isinstance(text, str):
        return value
    shown = printable(text).replace("\t", " ")
    return f"'{shown}" if shown.lstrip().startswith(_FORMULAS) else shown


def _write_parquet(stream: IO[bytes], batches: _Batches, columns: Sequence[str]) -> int:
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
    count = 0
    with parquet.ParquetWriter(stream, schema) as writer:
        for some in batches:
            writer.write_table(arrow.Table.from_pylist(some, schema=schema))
            count += len(some)
    return count
