"""The records that come with the program."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

from interohm.records.interface import Interface, load_interface
from interohm.records.material import Insulator, Metal, load_material

SHIPPED_FOLDER = Path(str(files("interohm.configs"))) / "materials"
INTERFACES_FOLDER = SHIPPED_FOLDER.parent / "interfaces"


def shipped_names() -> list[str]:
    """Return the names of the shipped records."""
    return sorted(path.stem for path in SHIPPED_FOLDER.glob("*.yaml"))


def shipped_material(name: str) -> Insulator | Metal | None:
    """Return the shipped record of this name, or None."""
    return load_material(SHIPPED_FOLDER / f"{name}.yaml") if name in shipped_names() else None


@cache
def shipped_interfaces() -> list[Interface]:
    """Return what is shipped of the contacts of two phases, by name."""
    return [load_interface(path) for path in sorted(INTERFACES_FOLDER.glob("*.yaml"))]
