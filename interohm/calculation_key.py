"""The coarse key of a calculation: what rounding cannot change of what decides its result."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

#: INCAR tags that tell VASP how to use a machine and what to write; they move no result.
MACHINE_TAGS = frozenset(
    {
        *("KPAR", "LASYNC", "LPLANE", "LSCALAPACK", "LSCALU", "LSCAAWARE", "MAXMEM", "NBLK"),
        *("NCORE", "NCORE_IN_IMAGE1", "NPAR", "NSIM"),
        *("LAECHG", "LCHARG", "LELF", "LH5", "LWAVE", "NWRITE"),
    }
)


def calculation_key(
    *,
    engine: str,
    kind: str,
    charge: int,
    settings: Mapping[str, Any],
    structure: Mapping[str, Any],
) -> str:
    """Return the SHA-256 of what a preset sets and of the elements' counts, of nothing measured.

    No number in it comes from a structure. Databases keep it in a field of its own: another rule
    here wants another name of that field (`interohm.database.schema.KEY_FIELD`).

    Calculations of equal keys are candidates: whether they are one is decided by comparing their
    structures and meshes of k-points, which no rounding can do well.

    Parameters
    ----------
    engine, kind : str
        The engine's name, and what it calculates (``relax``, ``static``, …).
    charge : int
        Charge of the cell, in elementary charges.
    settings : mapping
        The engine's. The mesh and a path's end, which depend on the cell's setting, and VASP's
        `MACHINE_TAGS` do not count.
    structure : mapping
        The pymatgen Structure to begin with, of which only the elements are counted.
    """
    counted = {name: value for name, value in settings.items() if name != "kpoints"}
    if "path" in counted:
        path = counted["path"]
        counted["path"] = {name: path[name] for name in path if name != "end_positions_A"}
    if "incar" in counted:
        incar = counted["incar"]
        counted["incar"] = {tag: incar[tag] for tag in incar if tag.upper() not in MACHINE_TAGS}
    atoms = Counter(one["element"] for site in structure["sites"] for one in site["species"])
    content = {
        "engine": engine,
        "kind": kind,
        "charge": charge,
        "settings": counted,
        "atoms": atoms,
    }
    text = json.dumps(_without_integers(content), sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _without_integers(value: Any) -> Any:
    """Return JSON in which 500 and 500.0 are one number, as they are to an engine."""
    if isinstance(value, Mapping):
        return {name: _without_integers(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_without_integers(entry) for entry in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def key_of_document(document: Mapping[str, Any]) -> str | None:
    """Return the key of a finished calculation's document, None of a malformed one."""
    try:
        return calculation_key(
            engine=document["engine"],
            kind=document["kind"],
            charge=document["charge"],
            settings=document["settings"],
            structure=document["initial_structure"],
        )
    except (AttributeError, LookupError, TypeError, ValueError):
        return None
