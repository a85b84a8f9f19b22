"""Find a material by name or path: the user's file, the project's database, the shipped records."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from interohm.errors import InputError
from interohm.near_names import meant_text
from interohm.records import Insulator, Metal, load_material, material_hash
from interohm.records.shipped import shipped_material, shipped_names

if TYPE_CHECKING:
    from interohm.database import Database


class FoundMaterial(NamedTuple):
    """A record and where it was found.

    Parameters
    ----------
    material : Insulator or Metal
        The record.
    source : {"file", "database", "shipped"}
        Place in which the record was found.
    hides_shipped : bool
        Whether a shipped record of the same name was passed over; say so to the user.
    asked_for : str, optional
        The name that was asked for where the record has a longer one: ``LiCl`` of ``LiCl_001``, if
        no other surface of it has a record; say so to the user.
    """

    material: Insulator | Metal
    source: Literal["file", "database", "shipped"]
    hides_shipped: bool = False
    asked_for: str | None = None

    @property
    def taken_text(self) -> str | None:
        """Return which record stands for a shorter name; None where the name is its own."""
        if self.asked_for is None:
            return None
        return (
            f"{self.asked_for} is taken to be {self.material.name}, the only surface of it that "
            "has a record"
        )


def find_material_at(
    where: str, name_or_path: str, *, relative_to: Path | None, database: Database | None
) -> FoundMaterial:
    """Find a record like `find_material`; an error also names the place where the name is used."""
    try:
        return find_material(name_or_path, relative_to=relative_to, database=database)
    except InputError as error:
        what = error.what
        if error.where not in (None, "material"):
            what = f"{error.where}: {what}"
        raise InputError(what, where=where, fix=error.fix) from None


def find_material(
    name_or_path: str, *, relative_to: Path | None = None, database: Database | None = None
) -> FoundMaterial:
    """Return the record that a user means.

    Parameters
    ----------
    name_or_path : str
        A record's name, or a path to its YAML (ends in .yaml or .yml, or has a slash).
    relative_to : Path, optional
        The folder of the file that names it; default the current folder.
    database : Database, optional
        The project's database, which is asked for a name before the shipped records are.

    Notes
    -----
    A name without a surface means the record of the only surface that has one.

    Raises
    ------
    InputError
        There is no such record, or it is not valid.
    """
    if name_or_path.endswith((".yaml", ".yml")) or "/" in name_or_path:
        path = (relative_to or Path()) / Path(name_or_path).expanduser()
        return FoundMaterial(load_material(path), "file")
    if database is not None:
        stored = database.material(name_or_path)
        if stored is not None:
            return FoundMaterial(stored, "database", name_or_path in shipped_names())
    shipped = shipped_material(name_or_path)
    if shipped is not None:
        return FoundMaterial(shipped, "shipped")
    surfaces = surfaces_of(name_or_path, _known_names(database))
    if len(surfaces) == 1:
        found = find_material(surfaces[0], database=database)
        return found._replace(asked_for=name_or_path)
    places = f"in the database ({database.location}) or " if database is not None else ""
    raise InputError(
        f"there is no material {name_or_path!r} {places}among the shipped records",
        where="material",
        fix=_suggestion(name_or_path, database),
    )


def all_materials(database: Database) -> list[FoundMaterial]:
    """Return all records by name: the database's, and the shipped ones that they do not hide."""
    shipped = shipped_names()
    found = {
        material.name: FoundMaterial(material, "database", material.name in shipped)
        for material in database.materials()
    }
    for name in shipped:
        if name not in found and (material := shipped_material(name)) is not None:
            found[name] = FoundMaterial(material, "shipped")
    return [found[name] for name in sorted(found)]


def named_materials(name: str, database: Database) -> list[FoundMaterial]:
    """Return all records of a name: the database's before the shipped one."""
    kept, shipped = database.material(name), shipped_material(name)
    found = []
    if kept is not None:
        found.append(FoundMaterial(kept, "database", shipped is not None))
    if shipped is not None:
        found.append(FoundMaterial(shipped, "shipped"))
    return found


def used_material(name: str, hash: str, database: Database) -> FoundMaterial | None:
    """Return the record of this name and hash, if it is still what it was."""
    for found in named_materials(name, database):
        if material_hash(found.material) == hash:
            return found
    return None


def surfaces_of(name: str, known: Iterable[str]) -> list[str]:
    """Return the records of a compound that are named by their surfaces: ``LiCl_001``."""
    surface = re.compile(re.escape(name) + r"_[-\d]{3,}")
    return sorted(one for one in known if surface.fullmatch(one))


def _known_names(database: Database | None) -> set[str]:
    return {*shipped_names(), *(database.material_names() if database is not None else ())}


def _suggestion(name: str, database: Database | None) -> str:
    known = _known_names(database)
    if (meant := meant_text(name, known)) is not None:
        return f"{meant} A path to a YAML file works too"
    return (
        "`interohm materials list` shows what is there; add one with `interohm materials add FILE`"
    )
