"""Primitive and conventional cells of one crystal, and supercells of the conventional one.

Of a crystal's equivalent descriptions one is taken by rules that rounding cannot change, so that
the same crystal in another cell, with another origin or order of atoms has the same cells.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pymatgen.core import Lattice, Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from interohm.errors import InputError

from .ties import fraction_ranks

#: Å; positions from files carry four or five digits.
SYMMETRY_TOLERANCE_A = 0.01


@dataclass(frozen=True)
class Crystal:
    """One crystal in its conventional cell and in its primitive one, which calculations relax.

    Parameters
    ----------
    conventional, primitive : Structure
        The same crystal, in the same orientation. Facets and positions of defects refer to the
        conventional cell: the symmetrized standard one of spglib in the axes of Setyawan and
        Curtarolo, Comput. Mater. Sci. 49, 299 (2010), as pymatgen has it. Of the origins and axes
        between which symmetry leaves the choice it has those with the smallest coordinates.
    """

    conventional: Structure
    primitive: Structure

    @classmethod
    def from_structure(cls, structure: Structure) -> Crystal:
        """Find both cells of an ordered structure.

        Raises
        ------
        InputError
            The structure has partial occupancies.
        """
        if not structure.is_ordered:
            raise InputError(
                f"{structure.composition.reduced_formula}: the structure has partial occupancies",
                fix="give an ordered structure",
            )
        bare = Structure(
            structure.lattice, [site.specie.symbol for site in structure], structure.frac_coords
        )
        analyzer = SpacegroupAnalyzer(bare, symprec=SYMMETRY_TOLERANCE_A)
        conventional = in_chosen_setting(analyzer.get_conventional_standard_structure())
        return cls(conventional, _primitive(conventional))

    def relaxed(self, primitive: Structure) -> Crystal:
        """Return the crystal with its primitive cell relaxed, the conventional one following.

        Parameters
        ----------
        primitive : Structure
            `primitive` after relaxation: the same sites in the same order.
        """
        strain = np.linalg.solve(self.primitive.lattice.matrix, primitive.lattice.matrix)
        lattice = Lattice(self.conventional.lattice.matrix @ strain)
        sites = []
        for site in self.conventional:
            own = self.primitive.lattice.get_fractional_coords(site.coords)
            steps = own - self.primitive.frac_coords
            away = np.abs(steps - np.round(steps)).max(axis=1)
            nearest = int(np.argmin(away))
            moved = primitive.frac_coords[nearest] + np.round(steps[nearest])
            sites.append(primitive.lattice.get_cartesian_coords(moved))
        species = [site.specie for site in self.conventional]
        return Crystal(
            Structure(lattice, species, sites, coords_are_cartesian=True), primitive.copy()
        )


def in_chosen_setting(conventional: Structure) -> Structure:
    """Return a conventional cell with one of the origins and axes that describe it equally well.

    They are related by the proper rotations of the lattice, and shifts, that map the symmetry
    operations onto each other (the Euclidean normalizer). The one with the smallest coordinates is
    taken, atom by atom, electropositive elements first.

    Parameters
    ----------
    conventional : Structure
        Symmetrized.
    """
    elements = sorted({site.specie for site in conventional}, key=lambda one: (one.X, one.symbol))
    groups = [
        np.array([site.frac_coords for site in conventional if site.specie == element])
        for element in elements
    ]
    images = np.array(
        [
            np.concatenate([group @ turn.T + shift for group in groups])
            for turn, shift in _normalizer(conventional, min(groups, key=len))
        ]
    )
    borders = np.cumsum([len(group) for group in groups])
    numbers = fraction_ranks(images)
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
    return Structure(conventional.lattice, species, places)


def _normalizer(
    conventional: Structure, rarest: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the operations that map the symmetry operations of a cell onto each other.

    Along polar axes, where every shift does, those shifts are tried that put an atom of the
    rarest element at 0.
    """
    operations = SpacegroupAnalyzer(
        conventional, symprec=SYMMETRY_TOLERANCE_A
    ).get_symmetry_operations()
    shifts_of: dict[bytes, list[np.ndarray]] = {}
    for operation in operations:
        matrix = np.round(operation.rotation_matrix).astype(int)
        shifts_of.setdefault(matrix.tobytes(), []).append(operation.translation_vector)
    rotations = [np.frombuffer(matrix, dtype=int).reshape(3, 3) for matrix in shifts_of]
    polar = [all((one[:, axis] == np.eye(3)[axis]).all() for one in rotations) for axis in range(3)]
    steps = [np.zeros(1) if free else np.arange(24) / 24 for free in polar]
    grid = np.stack(np.meshgrid(*steps, indexing="ij"), axis=-1).reshape(-1, 3)
    metric = conventional.lattice.metric_tensor
    turns = _unimodular_matrices()
    off = np.abs(np.swapaxes(turns, 1, 2) @ metric @ turns - metric).max(axis=(1, 2))
    done: set[bytes] = set()
    for turn in turns[off <= 1e-4 * metric.max()]:
        if turn.tobytes() in done:
            continue
        # After a symmetry of the crystal, it does the same to it.
        done |= {(turn @ rotation).tobytes() for rotation in rotations}
        back = np.round(np.linalg.inv(turn)).astype(int)
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
def _unimodular_matrices() -> np.ndarray:
    """Return the matrices of determinant 1 with the entries that rotations of standard cells have.

    Returns
    -------
    array of int, shape (matrices, 3, 3)
        The identity first.
    """
    entries = np.array(list(itertools.product((0, 1, -1), repeat=9))).reshape(-1, 3, 3)
    found = entries[np.round(np.linalg.det(entries)) == 1]
    return found[np.argsort(np.abs(found - np.eye(3, dtype=int)).sum(axis=(1, 2)), kind="stable")]


def _primitive(conventional: Structure) -> Structure:
    """Return the primitive cell in the orientation of the conventional one.

    That of a centred lattice is Niggli's.
    """
    operations = SpacegroupAnalyzer(
        conventional, symprec=SYMMETRY_TOLERANCE_A
    ).get_symmetry_operations()
    centring = [
        np.round(6 * one.translation_vector).astype(int)  # halves and thirds
        for one in operations
        if (np.round(one.rotation_matrix) == np.eye(3)).all()
    ]
    if len(centring) == 1:
        return conventional.copy()
    basis = _basis([*(6 * np.eye(3, dtype=int)), *centring]) / 6
    lattice = Lattice(basis @ conventional.lattice.matrix).get_niggli_reduced_lattice()
    species: list[Any] = []
    places: list[np.ndarray] = []
    for site in conventional:
        place = lattice.get_fractional_coords(site.coords)
        away = [np.abs(place - one - np.round(place - one)).max() for one in places]
        if min(away, default=1.0) > 1e-3:
            species.append(site.specie)
            places.append(place)
    return Structure(lattice, species, within_cell(np.array(places)))


def _basis(vectors: Sequence[np.ndarray]) -> np.ndarray:
    """Return a basis of the lattice that integer vectors span, lower triangular (Hermite)."""
    rows = [np.array(vector) for vector in vectors]
    basis: list[np.ndarray] = []
    for axis in (2, 1, 0):
        # Euclid's algorithm on one component.
        while sum(row[axis] != 0 for row in rows) > 1:
            pivot = min((row for row in rows if row[axis]), key=lambda row: abs(row[axis]))
            rows = [
                row if row is pivot else row - (row[axis] // pivot[axis]) * pivot for row in rows
            ]
        (pivot,) = (row for row in rows if row[axis])
        rows = [row for row in rows if row is not pivot]
        basis.insert(0, pivot * np.sign(pivot[axis]))
    return np.array(basis)


def supercell_multiples(conventional: Structure, min_atoms: int) -> tuple[int, int, int]:
    """Return how often to repeat the conventional cell so that images are far apart.

    Of the smallest repetition with at least ``min_atoms`` in each shape, the one whose nearest
    images are farthest for its number of atoms; a cell of more than twice as many is not repeated.

    Raises
    ------
    InputError
        More than 1000 atoms asked for.
    """
    if min_atoms > 1000:
        raise InputError(f"a supercell of {min_atoms} atoms is too large", fix="at most 1000")
    if len(conventional) > 2 * min_atoms:
        return 1, 1, 1
    best: tuple[float, tuple[int, int, int]] | None = None
    for multiples in itertools.product(range(1, 9), repeat=3):
        atoms = len(conventional) * int(np.prod(multiples))
        if not min_atoms <= atoms <= 2 * min_atoms:
            continue
        lattice = Lattice(conventional.lattice.matrix * np.array(multiples)[:, None])
        nearest = min(lattice.get_lll_reduced_lattice().abc)
        # Wanted: far images for few atoms; the cube root weighs them alike.
        merit = nearest**3 / lattice.volume - 0.1 * atoms / min_atoms
        if best is None or merit > best[0] + 1e-6:  # far above noise
            best = (merit, multiples)
    if best is None:
        raise InputError(
            f"no repetition of {len(conventional)} atoms has {min_atoms} of them",
            fix=f"at most {8**3 * len(conventional)}",
        )
    return best[1]


def supercell(conventional: Structure, multiples: tuple[int, int, int]) -> Structure:
    """Return the repeated conventional cell."""
    repeated = conventional.copy()
    repeated.make_supercell(multiples)
    return repeated
