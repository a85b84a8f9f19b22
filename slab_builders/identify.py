"""Identification of a structure: a slab, or a supercell with one point defect and its site."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from pymatgen.core import Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from interohm.errors import InputError

from .cells import Crystal
from .chosen_setting import SYMMETRY_TOLERANCE_A
from .slabs import Facet

#: Å; an empty layer that is higher is vacuum, not a gap between the layers of a crystal.
_LEAST_VACUUM_A = 7.0


@dataclass(frozen=True)
class FoundDefect:
    """One point defect in a supercell.

    Parameters
    ----------
    name : str
        ``V_F``, ``Li_i`` or ``Mg_Ga``.
    element, change : str, int
        The element that is added (+1) or, at a vacancy, removed (−1).
    replaced : str, optional
        The element whose place the added one takes.
    position : array, shape (3,)
        Fractional in the supercell: the empty or substituted site, or the interstitial.
    sites : int
        Equivalent places in the perfect supercell.
    """

    name: str
    element: str
    change: int
    replaced: str | None
    position: np.ndarray
    sites: int


def has_vacuum(structure: Structure) -> bool:
    """Return whether the cell has an empty layer normal to its c axis."""
    height = 1 / float(np.linalg.norm(np.linalg.inv(structure.lattice.matrix)[:, 2]))
    places = np.sort(structure.frac_coords[:, 2] % 1)
    gaps = np.diff(np.append(places, places[0] + 1))
    return bool(gaps.max() * height > _LEAST_VACUUM_A)


def is_supercell(structure: Structure) -> bool:
    """Return whether the cell repeats a smaller one."""
    primitive = SpacegroupAnalyzer(structure, symprec=SYMMETRY_TOLERANCE_A).find_primitive()
    return primitive is not None and len(primitive) < len(structure)


def repeat_distance(crystal: Crystal, facet: Facet) -> float:
    """Return the distance after which planar averages along a facet's normal repeat, in Å.

    The heights of the primitive lattice's vectors along the normal are multiples of it.
    """
    normal = np.linalg.inv(crystal.conventional.lattice.matrix) @ np.asarray(facet, dtype=float)
    heights = crystal.primitive.lattice.matrix @ normal
    # Centred lattices have halves and thirds.
    return float(np.gcd.reduce(np.round(12 * heights).astype(int)) / 12 / np.linalg.norm(normal))


def identify_defect(perfect: Structure, flawed: Structure) -> FoundDefect:
    """Find the one point defect by which two supercells differ.

    Parameters
    ----------
    perfect, flawed : Structure
        The same supercell, the second one with a defect, relaxed or not.

    Raises
    ------
    InputError
        They differ by none or by more than one.
    """
    here, there = (Counter(s.specie.symbol for s in one) for one in (perfect, flawed))
    added, removed = list((there - here).elements()), list((here - there).elements())
    if (len(added), len(removed)) not in ((1, 0), (0, 1), (1, 1)):
        change = ", ".join([f"+{el}" for el in added] + [f"−{el}" for el in removed])
        raise InputError(
            f"{change or 'no atom'} more than in the perfect supercell is not one point defect",
            fix="leave the folder out with `ignore`",
        )
    if not removed:
        position = _loneliest(flawed, perfect, added[0])
        return FoundDefect(f"{added[0]}_i", added[0], 1, None, position, _orbit(perfect, position))
    position = _loneliest(perfect, flawed, removed[0])
    sites = _orbit(perfect, position)
    if not added:
        return FoundDefect(f"V_{removed[0]}", removed[0], -1, None, position, sites)
    return FoundDefect(f"{added[0]}_{removed[0]}", added[0], 1, removed[0], position, sites)


def _loneliest(structure: Structure, other: Structure, element: str) -> np.ndarray:
    """Return the site of an element that is farthest from all of its kind in the other cell."""
    places = _places(structure, element)
    others = _places(other, element)
    if len(others) == 0:
        return np.asarray(places[0])
    distances = structure.lattice.get_all_distances(places, others)
    return np.asarray(places[int(distances.min(axis=1).argmax())])


def _places(structure: Structure, element: str) -> np.ndarray:
    return np.array([site.frac_coords for site in structure if site.specie.symbol == element])


def _orbit(perfect: Structure, position: np.ndarray) -> int:
    """Return how many places the symmetry of the perfect supercell makes of one."""
    analyzer = SpacegroupAnalyzer(perfect, symprec=SYMMETRY_TOLERANCE_A)
    images = np.array([op.operate(position) for op in analyzer.get_space_group_operations()])
    found: list[np.ndarray] = []
    for image in images:
        steps = np.array([image - one for one in found]).reshape(-1, 3)
        steps = (steps - np.round(steps)) @ perfect.lattice.matrix
        # A relaxed interstitial is off its site by the numerical noise of its forces.
        if not (np.linalg.norm(steps, axis=1) < 0.3).any():
            found.append(image)
    return len(found)
