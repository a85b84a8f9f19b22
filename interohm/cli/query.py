"""`interohm query`, `export` and `migrate`: what is in the database."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from interohm.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from interohm.settings import Settings

QUERY_EXAMPLE = (
    'Example: interohm query contacts --where "resistance < 1 and electron_barrier_eV > 1" '
    "--sort resistance --limit 10"
)
EXPORT_EXAMPLE = 'Example: interohm export cells --where "resistance < 100" --output cells.parquet'
MIGRATE_EXAMPLE = "Example: interohm migrate --from interohm-data"

#: Documents that are named of those that could not be copied.
_NAMED = 20

#: Columns of the tables for people; those that a question names are shown besides.
_SHOWN = {
    "materials": ("name", "kind", "mobile_ion", "surface", "elements"),
    "contacts": (
        "left",
        "right",
        "temperature_K",
        "state_of_charge",
        "thickness_nm",
        "potential_drop_V",
        "resistance_ohm_cm2",
        "log10_resistance_p50",
        "limiting_step",
        "outside_of_model",
        "validity",
    ),
    "cells": (
        "cell",
        "temperature_K",
        "state_of_charge",
        "open_circuit_voltage_V",
        "interface_resistance_ohm_cm2",
        "resistance_ohm_cm2",
        "log10_resistance_p50",
        "electron_barrier_eV",
        "mu_within_windows",
        "outside_of_model",
    ),
    "impedances": (
        "cell",
        "temperature_K",
        "state_of_charge",
        "dc_resistance_ohm_cm2",
        "series_capacitance_uF_cm2",
        "lowest_Hz",
        "highest_Hz",
    ),
    "dynamics": (
        "cell",
        "temperature_K",
        "direction",
        "c_rate",
        "capacity_mAh_cm2",
        "ended_by",
        "step",
        "by",
        "state_of_charge",
        "relaxation_time_s",
    ),
    "interfaces": ("name", "left", "right", "dipole_V", "barrier_eV", "areal_site_density_cm2"),
    "calculations": (
        "hash",
        "engine",
        "kind",
        "formula",
        "functional",
        "charge",
        "energy_eV",
        "wall_time_s",
    ),
    "failures": ("hash", "engine", "kind", "formula", "charge", "failed_at", "reason"),
}

Collection = Annotated[
    str,
    typer.Argument(
        help="materials, interfaces, contacts, cells, impedances, dynamics, calculations or "
        "failures."
    ),
]
CollectionOrTable = Annotated[
    str,
    typer.Argument(
        metavar="COLLECTION",
        help="materials, interfaces, contacts, cells, impedances, dynamics, calculations or "
        "failures; or a Parquet table (a file, or a folder of them) of a screening.",
    ),
]
Where = Annotated[
    str | None,
    typer.Option(
        metavar="CONDITION", help="Condition on the columns: \"resistance < 1 and left == 'Li'\""
    ),
]
Sort = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="Sort by a column, ascending; -COLUMN: descending. Unknown values come last.",
    ),
]
Limit = Annotated[int, typer.Option(min=0, help="Largest number of rows; 0: all.")]


class Format(StrEnum):
    """File formats of `interohm export`."""

    csv = "csv"
    json = "json"
    parquet = "parquet"


def query(
    collection: CollectionOrTable,
    criteria: Annotated[
        str | None, typer.Argument(help="A query in MongoDB's language, as JSON.")
    ] = None,
    where: Where = None,
    sort: Sort = None,
    limit: Limit = 0,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json", help="A JSON list: rows with --where or --sort, otherwise whole documents."
        ),
    ] = False,
) -> None:
    """Query the database.

    --where filters flat rows: one for each contact, material and calculation, and one for each
    state of charge of a cell. A wrong name lists the columns. Criteria in MongoDB's query language
    filter whole documents. Without either, everything is shown.
    """
    from interohm.cli.output import console, print_json, remark
    from interohm.database import Database
    from interohm.database.parquet import is_table
    from interohm.database.rows import COLUMNS, rows_of
    from interohm.database.schema import well_formed

    by_row = where is not None or sort is not None
    if criteria is not None and by_row:
        raise InputError(
            "criteria in MongoDB's language cannot be combined with --where or --sort",
            where="query",
            fix="use one of them",
        )
    if collection not in COLUMNS and is_table(collection):
        _ask_table(Path(collection), criteria, where, sort, limit, as_json)
        return
    flat = by_row or (criteria is None and not as_json)
    parsed = _parsed(criteria or "{}")
    with Database.open() as database:
        if flat:
            found = database.rows(collection, where, sort=sort, limit=limit)
        else:
            found = database.query(collection, parsed, limit=limit)
        location = database.location
    if as_json:
        print_json(found)
        return
    if not found:
        asked = where or criteria
        remark(f"no document of {collection} in {location}" + (f" fits {asked}" if asked else ""))
        return
    rows = found
    if not flat:
        with well_formed(f"{location}, {collection}"):
            rows = [row for document in found for row in rows_of(collection, document)]
    console().print(_table(_columns(collection, where, sort, rows), rows))


def _ask_table(
    path: Path,
    criteria: str | None,
    where: str | None,
    sort: str | None,
    limit: int,
    as_json: bool,
) -> None:
    from interohm.cli.parquet_query import print_table_query

    if criteria is not None:
        raise InputError(
            "MongoDB's language is for collections, not for tables",
            where=str(path),
            fix='use --where "resistance < 1 and electron_barrier_eV > 1"',
        )
    print_table_query(path, where, sort=sort, limit=limit, as_json=as_json)


def export(
    collection: Collection,
    where: Where = None,
    sort: Sort = None,
    limit: Limit = 0,
    format: Annotated[
        Format | None, typer.Option(help="Default: from the file's ending, otherwise csv.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file; default: standard output.")
    ] = None,
) -> None:
    """Write rows of the database as CSV, JSON or Parquet.

    Rows and conditions are those of `interohm query --where`; all columns are written.
    """
    from interohm.cli.output import remark
    from interohm.database import Database
    from interohm.database.export import write_rows
    from interohm.database.rows import COLUMNS
    from interohm.extras import require
    from interohm.yaml_io import atomic_output

    chosen = format or _format_of(output)
    if chosen is Format.parquet and output is None and sys.stdout.isatty():
        raise InputError(
            "Parquet is a binary format, which a terminal cannot show",
            where="--output",
            fix="name a file with --output",
        )
    if chosen is Format.parquet:
        require(
            "parquet",
            "writing Parquet",
            where="--format" if format else "--output",
            otherwise="write CSV or JSON",
        )
    with Database.open() as database:
        rows = database.each_row(collection, where, sort=sort, limit=limit)
        columns = list(COLUMNS[collection])
        if output is None:
            write_rows(sys.stdout.buffer, rows, columns, chosen.value)
            sys.stdout.buffer.flush()
            return
        with atomic_output(output) as file:
            count = write_rows(file, rows, columns, chosen.value)
    remark(f"{count} rows: {output}")


def migrate(
    from_folder: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="FOLDER",
            help="Copy the documents of this project folder into the database.",
        ),
    ] = None,
    to_folder: Annotated[
        Path | None,
        typer.Option("--to", metavar="FOLDER", help="Copy all documents into this project folder."),
    ] = None,
) -> None:
    """Upgrade documents of earlier versions, or copy documents to a server and back.

    A project folder of an earlier version is moved into one file, which is faster to query; the old
    files are kept in its subfolder before-migration.

    With --from or --to, documents are copied between a folder and the database of the settings
    (INTEROHM_MONGODB_URI or INTEROHM_DATA). Existing documents are kept, and the same command
    continues an interrupted copy.
    """
    from interohm.cli.output import remark
    from interohm.database import Database
    from interohm.database.earlier_folder import KEPT
    from interohm.database.schema import VERSION
    from interohm.settings import load_settings

    settings = load_settings()
    if from_folder is not None or to_folder is not None:
        _copy(settings, from_folder, to_folder)
        return
    if settings.mongodb_uri is None:
        moved = Database.move_earlier_folder(settings)
        if moved:
            remark(
                f"{sum(moved.values())} documents moved into one file of {settings.data}; remove "
                f"{settings.data / KEPT} once you have checked it"
            )
    with Database.open(write=True) as database:
        database.make_indexes()
        done = database.migrate()
        place = database.location
    remark(f"schema version {VERSION} in {place}: {_counted(done) or 'nothing to do'}")


def _copy(settings: Settings, from_folder: Path | None, to_folder: Path | None) -> None:
    """Copy documents between a folder and the database of the settings."""
    from interohm.cli.output import progress_bar, remark
    from interohm.database import COLLECTIONS, Database
    from interohm.database.transfer import copy_documents

    if from_folder is not None and to_folder is not None:
        raise InputError(
            "--from and --to cannot be combined", where="migrate", fix="give one of them"
        )
    folder = from_folder or to_folder
    assert folder is not None
    other = settings.model_copy(update={"data": folder, "mongodb_uri": None})
    if settings.mongodb_uri is None and folder.resolve() == settings.data.resolve():
        raise InputError(
            "both databases are this folder",
            where=str(folder),
            fix="let INTEROHM_MONGODB_URI name the server, or INTEROHM_DATA another folder",
        )
    if from_folder is not None and not Database.is_there(other):
        raise InputError(
            "there is no database in this folder", where=str(folder), fix="name a project folder"
        )
    ends = (settings, other) if from_folder is None else (other, settings)
    with Database.open(ends[0]) as source, Database.open(ends[1], write=True) as target:
        target.make_indexes()
        total = sum(source.count(name) for name in COLLECTIONS)
        with progress_bar("documents", total) as advance:
            made = copy_documents(source, target, advance)
        place = target.location
    remark(f"copied to {place}: {_counted(made.copied) or 'nothing'}")
    if made.present:
        remark(f"{made.present} documents were already there")
    for collection, name in made.different[:_NAMED]:
        remark(f"{collection}, {name}: {place} has a different one, which is kept")
    if len(made.different) > _NAMED:
        remark(f"and {len(made.different) - _NAMED} others that differ from those in {place}")
    for error in made.refused[1:_NAMED]:
        remark(f"left out: {error.where}: {error.what}")
    if made.refused:
        raise made.refused[0]


def _counted(numbers: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in numbers.items() if count)


def _parsed(criteria: str) -> dict[str, Any]:
    fix = """write JSON in single quotes, as '{"left": "Li", "potential_drop_V": {"$lt": 1}}'"""
    try:
        parsed = json.loads(criteria)
    except (ValueError, RecursionError) as error:
        raise InputError(f"not JSON: {error}", where="criteria", fix=fix) from None
    if not isinstance(parsed, dict):
        raise InputError("a JSON object was expected", where="criteria", fix=fix)
    return parsed


def _format_of(output: Path | None) -> Format:
    ending = "csv" if output is None else output.suffix.removeprefix(".").lower()
    if ending not in set(Format):
        raise InputError(
            f"the ending of {output} is not a known format",
            where="--output",
            fix=f"give --format {', '.join(Format)}, or such an ending",
        )
    return Format(ending)


#: Columns that are left out of a table where all of its rows lack them.
_IF_ANY = frozenset({"thickness_nm", "validity"})


def _columns(
    collection: str, where: str | None, sort: str | None, rows: Sequence[dict[str, Any]]
) -> list[str]:
    """Return the columns to show: the usual ones and those that the question names."""
    from interohm.database.columns import resolve_column
    from interohm.database.conditions import parse_where
    from interohm.database.rows import COLUMNS, kind_of

    columns = COLUMNS[collection]
    asked = set() if where is None else parse_where(where, list(columns), kinds=kind_of).columns()
    if sort is not None:
        asked.add(str(resolve_column(sort.removeprefix("-"), columns)))
    usual = [
        column
        for column in _SHOWN[collection]
        if column not in _IF_ANY or column in asked or any(row[column] for row in rows)
    ]
    return [*usual, *(column for column in columns if column in asked and column not in usual)]


def _table(columns: Sequence[str], rows: Sequence[dict[str, Any]]) -> Table:
    from interohm.cli.output import table
    from interohm.database.columns import name_and_unit
    from interohm.database.rows import kind_of

    headings = []
    for column in columns:
        name, unit = name_and_unit(column)
        heading = name if unit is None else f"{name} ({unit})"
        headings.append(f"{heading}#" if kind_of(column) in (int, float) else heading)
    made = table(*headings)
    for row in rows:
        made.add_row(*(_shown(row[column]) for column in columns))
    return made


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    return ", ".join(value) if isinstance(value, list) else str(value)
