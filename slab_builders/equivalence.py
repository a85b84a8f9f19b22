"""Comparison of structures: the same crystal, slab or supercell in another setting.

Rounding in the last digit decides which of several equivalent cells, origins, sites and orders of
atoms a builder takes, and it differs between processors. So structures are compared here as what
they are, and what was calculated in one setting is carried over to the other one.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from pymatgen.core import Lattice, Structure

from .ties import ranks

#: Å; cells and positions that differ by less are the same.
TOLERANCE_A = 1e-3


@dataclass(frozen=True)
class Setting:
    """Transformation of one structure, the *other*, into an equal one, the *asked* one.

    Vectors are rows: a Cartesian vector ``v`` of the other structure is ``v @ rotation`` in the
    asked one, and fractional coordinates ``f`` become ``f @ inv(cell) + translation``.

    Parameters
    ----------
    cell : array of int, shape (3, 3)
        The asked lattice vectors as sums of the other ones: ``asked = cell @ other @ rotation``.
    rotation : array, shape (3, 3)
        Orthogonal; its determinant is −1 for a mirror image.
    translation : array, shape (3,)
        Fractional, in the asked cell.
    sites : array of int, shape (sites,)
        The other structure's site that is the asked one's, for each of the latter.
    """

    cell: np.ndarray
    rotation: np.ndarray
    translation: np.ndarray
    sites: np.ndarray

    def fractional(self, coordinates: np.ndarray) -> np.ndarray:
        """Return fractional coordinates in the asked cell of points given in the other one."""
        moved = np.asarray(coordinates) @ np.linalg.inv(self.cell) + self.translation
        return np.asarray(moved)


def settings_between(
    asked: Structure,
    other: Structure,
    *,
    displacements: Sequence[tuple[np.ndarray, np.ndarray]] = (),
    tolerance_A: float = TOLERANCE_A,
    displacement_tolerance_A: float = TOLERANCE_A,
) -> Iterator[Setting]:
    """Yield every way in which two structures are the same; none if they differ.

    The way that leaves cell, orientation, origin and order of the sites as they are comes first.

    Parameters
    ----------
    asked, other : Structure
        Ordered. A repeated cell is not the same as the cell.
    displacements : sequence of pairs of arrays, shapes (sites, 3)
        Vectors of the sites of both structures, in Å, that have to be the same too.
    tolerance_A, displacement_tolerance_A : float
        For lattice vectors and positions, and for the displacements.
    """
    if len(asked) != len(other) or _counts(asked) != _counts(other):
        return
    cells = list(_cells(asked.lattice, other.lattice, tolerance_A))
    if not cells or not _same_distances(asked, other, tolerance_A):
        return
    symbols = np.array([site.specie.symbol for site in asked])
    other_symbols = np.array([site.specie.symbol for site in other])
    counts = _counts(asked)
    rarest = min(counts, key=lambda symbol: (counts[symbol], symbol))
    anchors = np.flatnonzero(symbols == rarest)
    trees = {symbol: _Sites(asked, symbols == symbol) for symbol in counts}
    groups = {symbol: np.flatnonzero(other_symbols == symbol) for symbol in counts}
    for cell, rotation in cells:
        turned = other.frac_coords @ np.linalg.inv(cell)
        shifts = asked.frac_coords[anchors] - turned[groups[rarest][0]]
        shifts -= np.round(shifts)
        order = np.argsort(ranks(np.linalg.norm(shifts, axis=1), 1e-3), kind="stable")
        for shift in shifts[order]:
            sites = _matched(turned + shift, trees, groups, tolerance_A)
            if sites is None:
                continue
            # The mean over all sites is less noisy than the one that was tried.
            away = asked.frac_coords - turned[sites]
            away -= shift
            translation = shift + (away - np.round(away)).mean(axis=0)
            moved = [
                np.abs(mine - np.asarray(theirs)[sites] @ rotation).max(initial=0.0)
                for mine, theirs in displacements
            ]
            if max(moved, default=0.0) <= displacement_tolerance_A:
                yield Setting(cell, rotation, translation, sites)


def same_mesh(setting: Setting, asked: Sequence[int], other: Sequence[int]) -> bool:
    """Return whether the divisions of two Gamma-centred meshes of k-points make one mesh."""
    between = np.diag(asked) @ setting.cell @ np.diag(1 / np.asarray(other, dtype=float))
    whole = bool(np.abs(between - np.round(between)).max() < 1e-6)
    return whole and round(abs(float(np.linalg.det(between)))) == 1


def _counts(structure: Structure) -> dict[str, int]:
    amounts = structure.composition.element_composition.get_el_amt_dict()
    return {symbol: round(amount) for symbol, amount in amounts.items()}


def _cells(
    asked: Lattice, other: Lattice, tolerance_A: float
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield ``cell`` and ``rotation`` of a `Setting`, the identity first."""
    if abs(asked.volume / other.volume - 1) > 3 * tolerance_A / min(asked.abc):
        return
    wanted, metric = asked.matrix @ asked.matrix.T, other.matrix @ other.matrix.T
    lengths = np.sqrt(np.diag(wanted))
    reach = (lengths.max() + tolerance_A) * np.linalg.norm(np.linalg.inv(other.matrix), axis=0)
    axes = [np.arange(-n, n + 1) for n in np.floor(reach + 1e-9).astype(int)]
    steps = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    found = np.sqrt(np.einsum("ni,ij,nj->n", steps, metric, steps))
    rows = [steps[np.abs(found - length) <= tolerance_A] for length in lengths]
    cells = []
    for first, second in itertools.product(rows[0], rows[1]):
        if abs(first @ metric @ second - wanted[0, 1]) > tolerance_A * (lengths[0] + lengths[1]):
            continue
        off = np.abs(rows[2] @ metric @ np.array([first, second]).T - wanted[2, :2])
        fits = (off <= tolerance_A * (lengths[2] + lengths[:2])).all(axis=1)
        cells += [np.array([first, second, third]) for third in rows[2][fits]]
    turned = []
    for cell in cells:
        if round(abs(float(np.linalg.det(cell)))) != 1:
            continue
        vectors = cell @ other.matrix
        u, _, v = np.linalg.svd(vectors.T @ asked.matrix)
        rotation = u @ v
        if np.linalg.norm(vectors @ rotation - asked.matrix, axis=1).max() <= tolerance_A:
            turned.append((cell, rotation))
    turns = ranks([float(np.abs(rotation - np.eye(3)).sum()) for _, rotation in turned], 1e-3)
    keys = [
        (int(np.abs(cell - np.eye(3)).sum()), turn, cell.tolist())
        for turn, (cell, _) in zip(turns, turned, strict=True)
    ]
    for index in sorted(range(len(turned)), key=keys.__getitem__):
        yield turned[index]


def _same_distances(asked: Structure, other: Structure, tolerance_A: float) -> bool:
    """Return whether the sorted distances between all pairs agree, which no setting changes."""
    here, there = (np.sort(one.distance_matrix, axis=None) for one in (asked, other))
    # Both ends of a distance may be off, and so may the cell.
    return bool(np.abs(here - there).max() <= 4 * tolerance_A)


class _Sites:
    """The sites of one element, found by their fractional coordinates."""

    def __init__(self, structure: Structure, chosen: np.ndarray) -> None:
        self.places = np.flatnonzero(chosen)
        self.lattice = structure.lattice
        self.fractional = _within(structure.frac_coords[self.places])
        from scipy.spatial import cKDTree  # slow to import, and not needed by most jobs

        self.tree = cKDTree(self.fractional, boxsize=1.0)

    def nearest(self, fractional: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the nearest sites and their distances in Å, exact where they are small."""
        points = _within(fractional)
        _, found = self.tree.query(points)
        steps = points - self.fractional[found]
        away = np.linalg.norm((steps - np.round(steps)) @ self.lattice.matrix, axis=1)
        return self.places[found], away


def _within(fractional: np.ndarray) -> np.ndarray:
    inside = fractional % 1
    inside[inside >= 1] = 0.0  # what -1e-17 % 1 is
    return np.asarray(inside)


def _matched(
    moved: np.ndarray,
    trees: dict[str, _Sites],
    groups: dict[str, np.ndarray],
    tolerance_A: float,
) -> np.ndarray | None:
    """Return which of the other structure's sites lies on each asked one, None if one does not."""
    sites = np.full(len(moved), -1)
    for symbol, tree in trees.items():
        places, away = tree.nearest(moved[groups[symbol]])
        if away.max() > tolerance_A:
            return None
        sites[places] = groups[symbol]
    return None if (sites < 0).any() else sites
