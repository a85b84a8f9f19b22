"""The materials that a command names, with what the user should know of where they come from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interohm.materials import FoundMaterial
    from interohm.records import Insulator, Metal


def found_materials(
    names: Sequence[str], *, relative_to: Path | None = None
) -> list[FoundMaterial]:
    """Find materials by name or path, and say which of them hide shipped ones.

    Raises
    ------
    InputError
        There is no such material.
    """
    from interohm.cli.output import remark
    from interohm.database import Database
    from interohm.materials import find_material

    with Database.open() as database:
        found = [find_material(name, relative_to=relative_to, database=database) for name in names]
        place = database.location
    for name in dict.fromkeys(item.material.name for item in found if item.hides_shipped):
        remark(f"note: {name} is the record in {place}; it hides the shipped {name}")
    return found


def assumed_inputs(materials: Sequence[Insulator | Metal]) -> list[str]:
    """Return the numbers that nobody measured or calculated, as ``LLZO.band_gap_eV``."""
    from interohm.phases import quantities

    return [
        f"{name}.{field}"
        for name, material in {material.name: material for material in materials}.items()
        for field, quantity in quantities(material)
        if quantity.assumed
    ]
