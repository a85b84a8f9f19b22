"""What was chosen in the page, looked up in the database: a key, its document, its figures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from interohm.database.schema import well_formed
from interohm.errors import InputError
from interohm.lookup import used_material
from interohm.results.earlier import has_levels, with_levels

if TYPE_CHECKING:
    from interohm.database import Database, Document
    from interohm.database.rows import Row
    from interohm.records import Insulator, Metal
    from interohm.report.budget import Part

    Figure = dict[str, Any]

#: What tells rows apart, by collection; of a cell the last one tells its states apart.
KEYS = {
    "contacts": ("left", "right", "temperature_K", "state_of_charge", "thickness_nm"),
    "cells": ("cell", "temperature_K", "state_of_charge"),
    "materials": ("name",),
    "calculations": ("hash",),
    "failures": ("hash",),
}


@dataclass(frozen=True)
class Selection:
    """One contact, or one state of charge of a cell, with its profiles.

    Parameters
    ----------
    name : str
        With its conditions.
    document : dict
        The contact's, or the cell's.
    state : int
        Which state of charge of a cell; 0 for a contact.
    """

    name: str
    document: Document
    state: int

    @property
    def is_cell(self) -> bool:
        """Whether it is a cell's state of charge."""
        return "cell" in self.document


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
    if collection == "cells":
        criteria = dict(zip(columns[:-1], values[:-1], strict=True))
    else:
        criteria = dict(zip(columns, values, strict=True))
    found = database.query(collection, criteria, limit=1)
    if not found:
        raise InputError(
            "this result is not in the database any more", where=collection, fix="reload the table"
        )
    with well_formed(f"{database.location}, {collection}"):
        document = database.with_profiles(found[0])
        conditions = [f"{values[columns.index('temperature_K')]:g} K"]
        charge = values[columns.index("state_of_charge")]
        if charge is not None:
            conditions.append(f"state of charge {charge:g}")
        if collection == "cells":
            charges = [state["state_of_charge"] for state in document["states"]]
            name = f"{document['cell']}, {', '.join(conditions)}"
            return Selection(name, document, charges.index(charge))
        if document.get("thickness_nm") is not None:
            conditions.append(f"layer of {document['thickness_nm']:g} nm")
        name = f"{document['left']} | {document['right']}, {', '.join(conditions)}"
        if not has_levels(document):
            materials = _materials(database, document)
            if materials is not None:
                document = with_levels(document, materials) or document
        return Selection(name, document, 0)


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
    """Return the parts of the resistance, the total last."""
    from interohm.report.budget import cell_parts, contact_parts, interface_part

    if chosen.is_cell:
        return cell_parts(chosen.document["states"][chosen.state])
    return [*contact_parts(chosen.document), interface_part(chosen.document)]


def band_diagram(chosen: Selection) -> Figure:
    """Return the band diagram, or why there is none."""
    from interohm.explorer.figures import drawn, nothing
    from interohm.report.band_diagram import band_figure
    from interohm.report.levels import (
        cell_axis,
        cell_levels,
        contact_view,
        drawn_layers,
        energy_window_eV,
    )

    document = chosen.document
    if chosen.is_cell:
        state = document["states"][chosen.state]
        layers = drawn_layers(state)
        diagrams = [cell_levels(each) for each in document["states"]]
        names = [name for name, _ in layers]
        thicknesses: Sequence[float | None] = [thickness for _, thickness in layers]
        figure = band_figure(
            cell_axis(document),
            names,
            thicknesses,
            [diagrams[chosen.state]],
            energy_window_eV(diagrams),
        )
        return drawn(figure)
    if not has_levels(document):
        return nothing(
            "an earlier version predicted this, without levels: predict it again for its diagram"
        )
    view = contact_view(document)
    names = [document["left"], document["right"]]
    window = energy_window_eV([view.levels])
    return drawn(band_figure(view.axis, names, [None, None], [view.levels], window))


def budget(chosen: Selection) -> Figure:
    """Return the resistance budget, or that none is known."""
    from interohm.explorer.figures import drawn, nothing
    from interohm.report.budget import budget_figure

    figure = budget_figure([parts_of(chosen)])
    return nothing("no resistance is known") if figure is None else drawn(figure)
