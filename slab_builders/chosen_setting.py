"""Choice of a standard setting among the axes and origins that describe a crystal equally well.

Rounding must not choose: neither between what symmetry makes equivalent, nor between axes that only
happen to be equally long.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from pymatgen.core import Lattice, Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from .ties import fraction_ranks, ranks

#: Å; positions from files carry four or five digits.
SYMMETRY_TOLERANCE_A = 0.01

#: Of squared lengths, relative to the longest one: axes that differ by less are equally long.
_SAME_METRIC = 1e-4

#: Proper rotations of a lattice that has no more symmetry than its system asks for. The other
#: systems' axes are equally long by symmetry alone.
_ROTATIONS = {"triclinic": 1, "monoclinic": 2, "orthorhombic": 4, "tetragonal": 8}


@dataclass(frozen=True)
class _Axes:
    """Axes that a conventional cell may have, and the crystal's symmetry in them.

    Parameters
    ----------
    turn : array of int, shape (3, 3)
        Fractional coordinates in these axes from those in the given ones.
    metric : array, shape (3, 3)
    rotations : array of int, shape (operations, 3, 3)
    translations : array, shape (operations, 3)
    """

    turn: np.ndarray
    metric: np.ndarray
    rotations: np.ndarray
    translations: np.ndarray

    @property
    def lengths(self) -> np.ndarray:
        """Return those of the three axes in Å."""
        return np.sqrt(np.diag(self.metric))

    @property
    def cosines(self) -> np.ndarray:
        """Return those of the angles α, β, γ."""
        cosines = self.metric / np.outer(self.lengths, self.lengths)
        return cosines[[1, 0, 0], [2, 2, 1]]

    @property
    def signature(self) -> list[list[int]]:
        """Return the operations as numbers, in an order of their own; shifts in 24ths."""
        shifts = np.round(24 * self.translations).astype(int) % 24
        return sorted(np.hstack([self.rotations.reshape(-1, 9), shifts]).tolist())

    @property
    def turning_c(self) -> int:
        """Return how many operations do not leave the third axis where it is, up to its sign."""
        return int((np.abs(self.rotations[:, 2, 2]) != 1).sum())


def in_chosen_setting(conventional: Structure, crystal_system: str) -> Structure:
    """Return a conventional cell with one of the origins and axes that describe it equally well.

    Some are related by the proper rotations of the lattice, and shifts, that map the symmetry
    operations onto each other (the Euclidean normalizer), others by axes that are equally long by
    accident. The one with the smallest coordinates is taken, atom by atom, electropositive elements
    first; before that, axes about which more operations turn, obtuse angles first.

    Parameters
    ----------
    conventional : Structure
        Symmetrized.
    crystal_system : str
        Crystal system, as spglib names it.
    """
    elements = sorted({site.specie for site in conventional}, key=lambda one: (one.X, one.symbol))
    groups = [
        np.array([site.frac_coords for site in conventional if site.specie == element])
        for element in elements
    ]
    rarest = min(groups, key=len)
    candidates = _best_axes(_possible_axes(conventional, crystal_system))
    images = np.array(
        [
            np.concatenate([group @ (turn @ axes.turn).T + shift for group in groups])
            for axes in candidates
            for turn, shift in _normalizer(axes, rarest @ axes.turn.T)
        ]
    )
    numbers = fraction_ranks(images)
    borders = np.cumsum([len(group) for group in groups])
    orders = [
        np.concatenate(
            [
                end - len(group) + np.lexsort(one[end - len(group) : end].T[::-1])
                for group, end in zip(groups, borders, strict=True)
            ]
        )
        for one in numbers
    ]
    ranked = [one[order].tolist() for one, order in zip(numbers, orders, strict=True)]
    best = ranked.index(min(ranked))
    places = within_cell(images[best][orders[best]])
    species = [element for element, group in zip(elements, groups, strict=True) for _ in group]
    lattice = conventional.lattice
    if crystal_system in ("triclinic", "monoclinic"):
        angles = np.degrees(np.arccos(candidates[0].cosines))
        lattice = Lattice.from_parameters(*candidates[0].lengths, *angles)
    return Structure(lattice, species, places)


def _best_axes(possible: list[_Axes]) -> list[_Axes]:
    """Return the axes that come first by their shape, then by how operations look in them.

    One of each hand: the normalizer relates all others that are left.
    """
    columns = [[axes.turning_c for axes in possible]]
    for k in range(3):
        columns.append(ranks([axes.lengths[k] for axes in possible], 0.01 * SYMMETRY_TOLERANCE_A))
    for k in range(3):
        columns.append(ranks([axes.cosines[k] for axes in possible], _SAME_METRIC))
    keys = [
        (shape, axes.signature)
        for shape, axes in zip(zip(*columns, strict=True), possible, strict=True)
    ]
    hands = {
        np.linalg.det(axes.turn) > 0: axes
        for key, axes in zip(keys, possible, strict=True)
        if key == min(keys)
    }
    return list(hands.values())


def _possible_axes(conventional: Structure, crystal_system: str) -> list[_Axes]:
    """Return the axes between which noise may have chosen: the given ones, unless others are alike.

    They keep the cell's centring, and its lengths and angles as far as its convention fixes those.
    """
    operations = SpacegroupAnalyzer(
        conventional, symprec=SYMMETRY_TOLERANCE_A
    ).get_symmetry_operations()
    rotations = np.array([np.round(one.rotation_matrix).astype(int) for one in operations])
    translations = np.array([one.translation_vector for one in operations])
    centring = translations[(rotations == np.eye(3)).all(axis=(1, 2))]
    metric = conventional.lattice.metric_tensor
    turns, backs = _unimodular_matrices()
    metrics = np.swapaxes(backs, 1, 2) @ metric @ backs
    own, others = np.diag(metric), np.diagonal(metrics, axis1=1, axis2=2)
    tolerance = _SAME_METRIC * metric.max()
    if crystal_system == "monoclinic":  # of right angles, the given axes may stand in any order
        alike = np.abs(np.sort(others) - np.sort(own)).max(axis=1) <= tolerance
    elif crystal_system == "triclinic":
        alike = np.abs(others - own).max(axis=1) <= tolerance
    else:
        alike = np.abs(metrics - metric).max(axis=(1, 2)) <= tolerance
    found = []
    for turn, back, turned in zip(turns[alike], backs[alike], metrics[alike], strict=True):
        axes = _Axes(turn, turned, turn @ rotations @ back, translations @ turn.T)
        away = (centring @ turn.T)[:, None, :] - centring[None, :, :]
        if np.abs(away - np.round(away)).max(axis=2).min(axis=1).max() > 1e-3:
            continue
        if crystal_system == "monoclinic" and not _is_monoclinic_cell(axes, len(centring) > 1):
            continue
        if crystal_system == "triclinic" and not _is_triclinic_cell(axes):
            continue
        found.append(axes)
    if len(found) <= _ROTATIONS.get(crystal_system, len(found)):
        return found[:1]
    # pymatgen sorts axes by length, which mirrors a crystal where it exchanges two of them: noise,
    # where they are equally long.
    return found + [
        _Axes(-axes.turn, axes.metric, axes.rotations, -axes.translations) for axes in found
    ]


def _is_monoclinic_cell(axes: _Axes, centred: bool) -> bool:
    """Return whether b is unique, β is not acute and, unless centred, a is not longer than c."""
    about_b = (axes.rotations[:, 1, [0, 2]] == 0).all() and (
        axes.rotations[:, [0, 2], 1] == 0
    ).all()
    slack = _SAME_METRIC * axes.metric.max()
    ordered = centred or axes.metric[0, 0] <= axes.metric[2, 2] + slack
    return bool(about_b and ordered and axes.metric[0, 2] <= slack)


def _is_triclinic_cell(axes: _Axes) -> bool:
    """Return whether all reciprocal angles lie on one side of 90°, as pymatgen requires."""
    reciprocal = np.linalg.inv(axes.metric)
    products = reciprocal[[1, 0, 0], [2, 2, 1]]
    slack = _SAME_METRIC * np.diag(reciprocal).max()
    return bool((products >= -slack).all() or (products <= slack).all())


def _normalizer(axes: _Axes, rarest: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the operations that map the symmetry operations of a cell onto each other.

    Along polar axes, where every shift does, those shifts are tried that put an atom of the
    rarest element at 0.
    """
    shifts_of: dict[bytes, list[np.ndarray]] = {}
    for rotation, translation in zip(axes.rotations, axes.translations, strict=True):
        shifts_of.setdefault(rotation.tobytes(), []).append(translation)
    rotations = [np.frombuffer(matrix, dtype=int).reshape(3, 3) for matrix in shifts_of]
    polar = [all((one[:, axis] == np.eye(3)[axis]).all() for one in rotations) for axis in range(3)]
    steps = [np.zeros(1) if free else np.arange(24) / 24 for free in polar]
    grid = np.stack(np.meshgrid(*steps, indexing="ij"), axis=-1).reshape(-1, 3)
    turns, backs = _unimodular_matrices()
    off = np.abs(np.swapaxes(turns, 1, 2) @ axes.metric @ turns - axes.metric).max(axis=(1, 2))
    done: set[bytes] = set()
    alike = off <= _SAME_METRIC * axes.metric.max()
    for turn, back in zip(turns[alike], backs[alike], strict=True):
        if turn.tobytes() in done:
            continue
        # After a symmetry of the crystal, it does the same to it.
        done |= {(turn @ rotation).tobytes() for rotation in rotations}
        shifts = grid
        for rotation in rotations:
            turned = turn @ rotation @ back
            wanted = shifts_of.get(turned.tobytes())
            if wanted is None:
                shifts = grid[:0]
                break
            for own in shifts_of[rotation.tobytes()]:  # more than one where the cell is centred
                moved = shifts @ (np.eye(3) - turned).T + turn @ own
                away = moved[:, None, :] - np.array(wanted)[None, :, :]
                away -= np.round(away)
                shifts = shifts[(np.abs(away).max(axis=2) < 1e-3).any(axis=1)]
        for shift in shifts:
            for atom in rarest if any(polar) else rarest[:1]:
                yield turn, shift - np.where(polar, turn @ atom + shift, 0.0)


def within_cell(fractional: np.ndarray) -> np.ndarray:
    """Return coordinates from 0 to below 1: what is 1 but for rounding is 0."""
    inside = np.asarray(fractional) % 1
    inside[inside > 1 - 1e-9] = 0.0
    return inside


@functools.cache
def _unimodular_matrices() -> tuple[np.ndarray, np.ndarray]:
    """Return the matrices of determinant 1 with the entries that rotations of standard cells have.

    Returns
    -------
    matrices, inverses : arrays of int, shape (matrices, 3, 3)
        The identity first.
    """
    entries = np.array(list(itertools.product((0, 1, -1), repeat=9))).reshape(-1, 3, 3)
    found = entries[np.round(np.linalg.det(entries)) == 1]
    found = found[np.argsort(np.abs(found - np.eye(3, dtype=int)).sum(axis=(1, 2)), kind="stable")]
    return found, np.round(np.linalg.inv(found)).astype(int)
