"""Access to the Materials Project: structures by id, and entries of phase diagrams."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pymatgen.core import Structure

from interohm.errors import InputError
from interohm.settings import load_settings

if TYPE_CHECKING:
    from pymatgen.entries.computed_entries import ComputedEntry


def structure_by_id(identifier: str, *, where: str) -> Structure:
    """Return a structure by its id, as ``mp-1138``.

    Raises
    ------
    InputError
        No key, or the project does not answer with a structure.
    """
    with _client(identifier, where) as client:
        return client.get_structure_by_material_id(identifier)


#: Ids in one request; an address has no more room.
_TOGETHER = 500


def structures_by_ids(identifiers: Sequence[str], *, where: str) -> dict[str, Structure]:
    """Return structures by their ids, fetched in one request (one for every five hundred).

    Raises
    ------
    InputError
        No key, the project does not answer, or it has not all of them.
    """
    found: dict[str, Structure] = {}
    with _client(f"a list of {len(identifiers)} structures", where) as client:
        for first in range(0, len(identifiers), _TOGETHER):
            some = list(identifiers[first : first + _TOGETHER])
            fields = ["material_id", "structure"]
            answer = client.summary_search(material_ids=some, _fields=fields)
            found |= {str(one["material_id"]): one["structure"] for one in answer}
    if missing := [one for one in identifiers if one not in found]:
        raise InputError(
            f"the Materials Project has no {', '.join(missing[:10])}",
            where=where,
            fix="look the ids up at materialsproject.org; some are replaced by others",
        )
    return {one: found[one] for one in identifiers}


@lru_cache(maxsize=32)
def entries_of(elements: frozenset[str], *, where: str) -> tuple[ComputedEntry, ...]:
    """Return the entries of all phases of some elements, with the project's own corrections.

    Raises
    ------
    InputError
        No key, or the project does not answer.
    """
    with _client(f"the phase diagram of {'-'.join(sorted(elements))}", where) as client:
        return tuple(client.get_entries_in_chemsys(sorted(elements)))


@contextmanager
def _client(wanted: str, where: str) -> Iterator[Any]:
    key = load_settings().materials_project_key
    if key is None:
        raise InputError(
            f"{wanted} must be fetched from the Materials Project, and no key is set",
            where=where,
            fix="set INTEROHM_MATERIALS_PROJECT_KEY (or MP_API_KEY), or name a file",
        )
    from pymatgen.ext.matproj import MPRester

    try:
        with MPRester(key.get_secret_value()) as client:
            yield client
    except Exception as error:  # network, key and id fail in many ways; none of them is ours
        raise InputError(
            f"{wanted} could not be fetched: {type(error).__name__}",
            where=where,
            fix="check the id, the key and the network, or name a file",
        ) from None
