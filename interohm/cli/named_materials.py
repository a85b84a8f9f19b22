"""The materials that a command names, with what the user should know of where they come from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interohm.records import Insulator, Metal
    from interohm.records.cell_config import Cell
    from interohm.records.interface import Interface


def find_materials(
    names: Sequence[str], *, relative_to: Path | None = None, where: Sequence[str] | None = None
) -> tuple[list[Insulator | Metal], list[str]]:
    """Find materials by name or path.

    Returns
    -------
    list of Insulator or Metal
        In the order of the names.
    list of str
        A note for each that hides a shipped one, or that a shorter name was taken for; these are
        printed too.

    Raises
    ------
    InputError
        There is no such material.
    """
    from interohm.cli.output import remark
    from interohm.database import Database
    from interohm.lookup import find_material, find_material_at

    with Database.open() as database:
        if where is None:
            found = [
                find_material(name, relative_to=relative_to, database=database) for name in names
            ]
        else:
            found = [
                find_material_at(location, name, relative_to=relative_to, database=database)
                for location, name in zip(where, names, strict=True)
            ]
        location = database.location
    hiding = dict.fromkeys(item.material.name for item in found if item.hides_shipped)
    notes = [f"{name} is the record in {location}; it hides the shipped {name}" for name in hiding]
    notes += dict.fromkeys(text for item in found if (text := item.taken_text) is not None)
    for note in notes:
        remark(f"note: {note}")
    return [item.material for item in found], notes


def find_layer_materials(cell: Cell, config: Path) -> tuple[list[Insulator | Metal], list[str]]:
    """Find the record of each layer of a cell, as `find_materials` does.

    Parameters
    ----------
    cell : Cell
        The description.
    config : Path
        Its file, to which paths of records are relative, and which errors name.
    """
    names = [layer.material for layer in cell.layers]
    places = [f"{config}: layers[{index}].material" for index in range(len(names))]
    return find_materials(names, relative_to=config.parent, where=places)


def known_interfaces() -> list[Interface]:
    """Return what the project's database knows of the contacts of two phases."""
    from interohm.database import Database

    with Database.open() as database:
        return database.interfaces()


def assumed_inputs(materials: Sequence[Insulator | Metal]) -> list[str]:
    """Return how many numbers of each record are assumed, as ``13 of 22 numbers of LLZO``."""
    from interohm.records.uncertainty import quantities

    counts = []
    for name, material in {material.name: material for material in materials}.items():
        numbers = [quantity for _, quantity in quantities(material)]
        assumed = sum(one.assumed for one in numbers)
        if assumed:
            counts.append(f"{assumed} of {len(numbers)} numbers of {name}")
    return counts
