"""No document of a database makes the program import or run code of somebody else.

Documents name Python classes in the way of monty, ``{"@module": ..., "@class": ...}``, and monty's
decoder imports what they name, deep within pymatgen's structures and jobflow's outputs too. Whoever
can write to a shared database could name any module; so documents are looked through as they are
read, before any decoder sees them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from interohm.errors import InputError

#: Packages whose classes stand in documents that the program and its libraries write.
TRUSTED_PACKAGES = frozenset(
    {
        "ase",
        "atomate2",
        "custodian",
        "datetime",
        "emmet",
        "interohm",
        "jobflow",
        "monty",
        "numpy",
        "pathlib",
        "pymatgen",
        "uuid",
    }
)


_CONTAINERS = (dict, list, tuple)


def refuse_foreign_code(document: Mapping[str, Any] | list[Any], *, where: str) -> None:
    """Raise `InputError` if a document names a module of another package, however deep within.

    Parameters
    ----------
    document : dict or list
        As it was read.
    where : str
        What to name in the error: the database and collection.
    """
    waiting: list[Any] = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            module = value.get("@module")
            if module is not None and not _is_trusted(module):
                raise InputError(
                    f"a document names code of {str(module)[:60]!r}, which is none of the "
                    "program's: it is not read",
                    where=where,
                    fix="find out who wrote it, and remove it from the database",
                )
            waiting.extend(item for item in value.values() if isinstance(item, _CONTAINERS))
        else:
            waiting.extend(item for item in value if isinstance(item, _CONTAINERS))


def _is_trusted(module: Any) -> bool:
    return isinstance(module, str) and module.partition(".")[0] in TRUSTED_PACKAGES
