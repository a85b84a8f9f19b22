"""`interohm query TABLE.parquet`: tables of a screening."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

#: Rows of a table for people, unless it is asked for another number of them.
_ROWS = 50


def print_table_query(
    path: Path, where: str | None, *, sort: str | None, limit: int, as_json: bool
) -> None:
    """Query a Parquet table and print the rows that match."""
    from interohm.cli.output import console, print_json, remark, shown, table
    from interohm.database.columns import name_and_unit
    from interohm.database.parquet import query_table

    answer = query_table(path, where, sort=sort, limit=limit if limit or as_json else _ROWS)
    if as_json:
        print_json([{name: _plain(value) for name, value in row.items()} for row in answer.rows])
        return
    if not answer.rows:
        remark(f"no row of {path}" + (f" fits {where}" if where else ""))
        return
    headings = []
    for column in answer.columns:
        name, unit = name_and_unit(column)
        heading = name if unit is None else f"{name} ({unit})"
        headings.append(f"{heading}#" if answer.is_number(column) else heading)
    made = table(*headings)
    for row in answer.rows:
        made.add_row(
            *(
                shown(_plain(value)) if answer.is_number(column) else _text(value)
                for column, value in row.items()
            )
        )
    console().print(made)
    if answer.more:
        remark(f"the first {len(answer.rows)} rows; --limit shows more")


def _plain(value: Any) -> Any:
    """Return a value for JSON: null if it is not finite; times and bytes become texts."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _text(value: Any) -> str:
    plain = _plain(value)
    return "–" if plain is None else str(plain)
