"""Primitive and conventional cells of one crystal, and supercells of the conventional one.

Of a crystal's equivalent descriptions one is taken by rules that rounding cannot change, so that
the same crystal in another cell, with another origin or order of atoms has the same cells.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import spglib
from pymatgen.core import Element, Lattice, Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from interohm.errors import InputError

from .chosen_setting import SYMMETRY_TOLERANCE_A, in_chosen_setting, within_cell
from .remembered import remembered


def check_order(structure: Structure, where: str | None = None) -> None:
    """Refuse a structure with partial occupancies, which stands at a place of the input."""
    if not structure.is_ordered:
        raise InputError(
            f"{structure.composition.reduced_formula}: the structure has partial occupancies",
            where=where,
            fix="give an ordered structure",
        )


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
        check_order(structure)
        bare = Structure(
            structure.lattice, [site.specie.symbol for site in structure], structure.frac_coords
        )
        return cls(*_both_cells(bare))

    def relaxed(self, primitive: Structure) -> Crystal:
        """Return the crystal with its primitive cell relaxed, the conventional one following.

        Parameters
        ----------
        primitive : Structure
            `primitive` after relaxation: the same sites in the same order.
        """
        if (primitive.lattice.matrix == self.primitive.lattice.matrix).all() and (
            primitive.frac_coords == self.primitive.frac_coords
        ).all():
            return self  # not calculated yet: a plan's cells are those that it began with
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


@remembered(16)
def _both_cells(bare: Structure) -> tuple[Structure, Structure]:
    """Return the conventional and the primitive cell of a structure of elements."""
    analyzer = SpacegroupAnalyzer(bare, symprec=SYMMETRY_TOLERANCE_A)
    conventional = in_chosen_setting(
        analyzer.get_conventional_standard_structure(), analyzer.get_crystal_system()
    )
    return conventional, _primitive(conventional)


def primitive_cell(structure: Structure) -> Structure:
    """Return a primitive cell of an ordered structure, in whatever setting spglib finds it.

    It tells crystals apart at a tenth of the time that `Crystal` takes for the chosen setting.
    """
    bare = Structure(
        structure.lattice, [site.specie.symbol for site in structure], structure.frac_coords
    )
    found = spglib.find_primitive(
        (bare.lattice.matrix, bare.frac_coords, [one.Z for one in bare.species]),
        symprec=SYMMETRY_TOLERANCE_A,
    )
    if found is None:
        return bare
    lattice, places, numbers = found
    return Structure(Lattice(lattice), [Element.from_Z(int(one)) for one in numbers], places)


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
        fractional = lattice.get_fractional_coords(site.coords)
        away = [np.abs(fractional - one - np.round(fractional - one)).max() for one in places]
        if min(away, default=1.0) > 1e-3:
            species.append(site.specie)
            places.append(fractional)
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
            best = (merit, (multiples[0], multiples[1], multiples[2]))
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
