"""The selection in the page, looked up in the database: a key, its document, its figures."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from interohm.database.schema import well_formed
from interohm.errors import InputError
from interohm.lookup import used_material
from interohm.results.cell import CellResult
from interohm.results.contact import ContactResult
from interohm.results.earlier import has_levels, with_levels
from interohm.results.impedance import ImpedanceResult

if TYPE_CHECKING:
    from interohm.database import Database, Document
    from interohm.database.rows import Row
    from interohm.records import Insulator, Metal
    from interohm.report.budget import Part
    from interohm.report.palette import Theme

    Figure = dict[str, Any]

#: What tells rows apart, by collection; of a cell the last one tells its states apart.
KEYS = {
    "contacts": ("left", "right", "temperature_K", "state_of_charge", "thickness_nm"),
    "cells": ("cell", "temperature_K", "state_of_charge"),
    "materials": ("name",),
    "calculations": ("hash",),
    "failures": ("hash",),
    "impedances": ("cell", "temperature_K", "state_of_charge"),
    "validation": ("experiment", "quantity", "place", "measured", "comparison"),
}


@dataclass(frozen=True)
class Selection:
    """One contact, or one state of charge of a cell, with its profiles.

    Parameters
    ----------
    name : str
        With its conditions.
    result : ContactResult, CellResult or ImpedanceResult
        Saved result.
    state : int
        Which state of charge of a cell; 0 for a contact.
    """

    name: str
    result: ContactResult | CellResult | ImpedanceResult
    state: int


def key_of(collection: str, row: Row) -> str:
    """Return what names a row in the page."""
    return json.dumps([row[column] for column in KEYS[collection]])


def selected(database: Database, collection: str, key: str) -> Selection:
    """Look a contact's or a cell's row up again, by its key.

    Raises
    ------
    InputError
        It is not there any more, or no key of ours.
    """
    values = _values(collection, key)
    columns = KEYS[collection]
    if collection in ("cells", "impedances"):
        criteria = dict(zip(columns[:-1], values[:-1], strict=True))
    else:
        criteria = dict(zip(columns, values, strict=True))
    found = database.query(collection, criteria, limit=1, refuse=True)
    if not found:
        raise InputError(
            "this result is no longer in the database", where=collection, fix="reload the table"
        )
    with well_formed(f"{database.location}, {collection}"):
        document = database.with_profiles(found[0])
        conditions = [f"{values[columns.index('temperature_K')]:g} K"]
        charge = values[columns.index("state_of_charge")]
        if charge is not None:
            conditions.append(f"state of charge {charge:g}")
        if collection in ("cells", "impedances"):
            kind = CellResult if collection == "cells" else ImpedanceResult
            cell = kind.read(document)
            charges = [state.state_of_charge for state in cell.states]
            name = f"{cell.cell}, {', '.join(conditions)}"
            return Selection(name, cell, charges.index(charge))
        if document.get("thickness_nm") is not None:
            conditions.append(f"layer of {document['thickness_nm']:g} nm")
        name = f"{document['left']} | {document['right']}, {', '.join(conditions)}"
        if not has_levels(document):
            materials = _materials(database, document)
            if materials is not None:
                document = with_levels(document, materials) or document
        return Selection(name, ContactResult.read(document), 0)


def _values(collection: str, key: str) -> list[Any]:
    """Return a key's parts; what a page sends is plain texts and numbers, or refused."""
    try:
        values = json.loads(key)
    except (TypeError, ValueError):
        values = None
    expected = len(KEYS[collection])
    plain = isinstance(values, list) and all(
        value is None or (isinstance(value, (str, int, float)) and not isinstance(value, bool))
        for value in values
    )
    if not plain or len(values) != expected:
        raise InputError("no row of the table", where=collection, fix="choose one in the table")
    return list(values)


def _materials(database: Database, document: Document) -> list[Insulator | Metal] | None:
    """Return the records that the contact was made from, unless one has changed since."""
    hashes = document.get("records") or {}
    found = [
        used_material(document[side], hashes.get(document[side], ""), database)
        for side in ("left", "right")
    ]
    materials = [each.material for each in found if each is not None]
    return materials if len(materials) == len(found) else None


def parts_of(chosen: Selection) -> list[Part]:
    """Return the parts of the resistance, the total last; none of a spectrum."""
    from interohm.report.budget import cell_parts, contact_parts, interface_part

    result = chosen.result
    if isinstance(result, ImpedanceResult):
        return []
    if isinstance(result, CellResult):
        return cell_parts(result.states[chosen.state])
    return [*contact_parts(result, (result.left, result.right)), interface_part(result)]


def diagram(chosen: Selection, theme: Theme) -> Figure:
    """Return the band diagram or the Nyquist plot, or why there is none."""
    from interohm.report.impedance import nyquist_figure
    from interohm.report.plots import cell_bands, contact_bands, drawn

    result = chosen.result
    if isinstance(result, ImpedanceResult):
        return drawn(nyquist_figure(result.states), chosen.state, theme)
    if isinstance(result, CellResult):
        return cell_bands(result, chosen.state, theme)
    return contact_bands(result, theme)


def second_diagram(chosen: Selection, theme: Theme) -> Figure:
    """Return the resistance budget or the Bode plot, or that nothing is known."""
    from interohm.report.budget import budget_figure
    from interohm.report.impedance import bode_figure
    from interohm.report.plots import drawn, nothing

    result = chosen.result
    if isinstance(result, ImpedanceResult):
        return drawn(bode_figure(result.states), chosen.state, theme)
    figure = budget_figure([parts_of(chosen)])
    return nothing("no resistance is known", theme) if figure is None else drawn(figure, 0, theme)
