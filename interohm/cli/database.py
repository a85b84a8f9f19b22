"""`interohm query`: ask the database."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from interohm.errors import InputError

if TYPE_CHECKING:
    from rich.table import Table

QUERY_EXAMPLE = (
    "Example: interohm query contacts "
    """'{"left": "Li", "resistance.total_ohm_cm2": {"$lt": 10}}'"""
)

_COLUMNS = {
    "materials": ("name", "kind", "mobile_ion", "surface"),
    "contacts": (
        "left",
        "right",
        "temperature_K",
        "state_of_charge",
        "thickness_nm",
        "potential_drop_V",
        "resistance.total_ohm_cm2",
        "resistance.limiting_step",
    ),
    "cells": (
        "cell",
        "temperature_K",
        "states.state_of_charge",
        "states.open_circuit_voltage_V",
        "states.area_specific_resistance_ohm_cm2",
    ),
    "calculations": (
        "hash",
        "engine",
        "kind",
        "settings.xc",
        "electrons",
        "charge",
        "energy_eV",
        "wall_time_s",
    ),
}


def query(
    collection: Annotated[str, typer.Argument(help="materials, contacts, cells or calculations.")],
    criteria: Annotated[str, typer.Argument(help="MongoDB's query language, as JSON.")] = "{}",
    limit: Annotated[int, typer.Option(min=0, help="At most so many documents; 0: all.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON list of documents.")] = False,
) -> None:
    """Ask the database.

    The criteria are MongoDB's own query language; without any, all documents are shown.
    """
    from interohm.cli.output import console, print_json, remark
    from interohm.database import Database

    parsed = _parsed(criteria)
    with Database.open() as database:
        documents = database.query(collection, parsed, limit=limit)
        place = database.location
    if as_json:
        print_json(documents)
        return
    if not documents:
        remark(f"no document of {collection} in {place} fits {criteria}")
        return
    console().print(_table(collection, documents))


def _parsed(criteria: str) -> dict[str, Any]:
    fix = """write JSON in single quotes, as '{"left": "Li", "potential_drop_V": {"$lt": 1}}'"""
    try:
        parsed = json.loads(criteria)
    except (ValueError, RecursionError) as error:
        raise InputError(f"not JSON: {error}", where="criteria", fix=fix) from None
    if not isinstance(parsed, dict):
        raise InputError("a JSON object was expected", where="criteria", fix=fix)
    return parsed


def _table(collection: str, documents: list[dict[str, Any]]) -> Table:
    from interohm.cli.output import table

    made = table(*_COLUMNS[collection])
    for document in documents:
        made.add_row(*(_cell(_value(document, path)) for path in _COLUMNS[collection]))
    return made


def _value(value: Any, path: str) -> Any:
    """Return what MongoDB's dotted path means: through lists, the values of all members."""
    if isinstance(value, list):
        return [_value(item, path) for item in value]
    step, _, rest = path.partition(".")
    inner = value.get(step) if isinstance(value, dict) else None
    return _value(inner, rest) if rest else inner


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return ", ".join(_cell(item) for item in value)
    return str(value)
