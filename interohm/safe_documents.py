"""Protection against documents that would make the program import or run foreign code.

Documents name Python classes in the way of monty, ``{"@module": ..., "@class": ...}``, and monty's
decoder imports what they name, deep within pymatgen's structures and jobflow's outputs too. Whoever
can write to a shared database, or hands on a record, could name anything; so documents are looked
through as they are read, before any decoder sees them. Functions, ``{"@module": ...,
"@callable": ...}``, are never read.
"""

from __future__ import annotations

from typing import Any

from interohm.errors import InputError

#: What may stand in a document: data without behaviour, which the program and its libraries write.
LISTED_CLASSES = frozenset(
    {
        ("datetime", "datetime"),
        ("interohm.workflows.documents", "CalculationDocument"),
        ("jobflow.core.reference", "OutputReference"),
        ("jobflow.core.schemas", "JobStoreDocument"),
        ("numpy", "array"),
        ("pymatgen.core.composition", "Composition"),
        ("pymatgen.core.lattice", "Lattice"),
        ("pymatgen.core.periodic_table", "DummySpecies"),
        ("pymatgen.core.periodic_table", "Element"),
        ("pymatgen.core.periodic_table", "Species"),
        ("pymatgen.core.sites", "PeriodicSite"),
        ("pymatgen.core.sites", "Site"),
        ("pymatgen.core.structure", "Molecule"),
        ("pymatgen.core.structure", "Structure"),
        ("pymatgen.electronic_structure.core", "Magmom"),
        ("uuid", "UUID"),
    }
)

_CONTAINERS = (dict, list, tuple)


class ForeignCodeError(InputError):
    """A document names code that is not listed."""


def refuse_foreign_code(document: Any, *, where: str) -> None:
    """Raise `ForeignCodeError` if a document names code that is not listed, however deep within.

    Parameters
    ----------
    document : dict, list or a plain value
        Document as it was read.
    where : str
        Place to name in the error: the file, or the database and collection.
    """
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if "@module" in value and not _is_listed(value):
                named = ".".join(
                    str(value[key]) for key in ("@module", "@class", "@callable") if key in value
                )
                raise ForeignCodeError(
                    f"a document refers to code of {named[:60]!r}, which is not allowed: it was "
                    "not read",
                    where=where,
                    fix="find out who wrote it, and remove it (a record: `interohm materials "
                    "remove NAME`)",
                )
            waiting.extend(item for item in value.values() if isinstance(item, _CONTAINERS))
        elif isinstance(value, (list, tuple)):
            waiting.extend(item for item in value if isinstance(item, _CONTAINERS))


def _is_listed(value: dict[str, Any]) -> bool:
    named = (value["@module"], value.get("@class"))
    if "@callable" in value or not all(isinstance(part, str) for part in named):
        return False
    return named in LISTED_CLASSES
