"""Primitive and conventional cells of one crystal, and supercells of the conventional one."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from pymatgen.core import Lattice, Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from interohm.errors import InputError

#: Å; positions from files carry four or five digits.
SYMMETRY_TOLERANCE_A = 0.01


@dataclass(frozen=True)
class Crystal:
    """One crystal in its conventional cell and in its primitive one, which calculations relax.

    Parameters
    ----------
    conventional, primitive : Structure
        The same crystal, in the same orientation.
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
        conventional = analyzer.get_conventional_standard_structure()
        return cls(conventional, conventional.get_primitive_structure(constrain_latt=False))

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


def supercell_multiples(conventional: Structure, min_atoms: int) -> tuple[int, int, int]:
    """Return how often to repeat the conventional cell so that images are far apart.

    Of the smallest repetition with at least ``min_atoms`` in each shape, the one whose nearest
    images are farthest for its number of atoms.

    Raises
    ------
    InputError
        More than 1000 atoms asked for.
    """
    if min_atoms > 1000:
        raise InputError(f"a supercell of {min_atoms} atoms is too large", fix="at most 1000")
    best: tuple[float, tuple[int, int, int]] | None = None
    for multiples in itertools.product(range(1, 9), repeat=3):
        atoms = len(conventional) * int(np.prod(multiples))
        if not min_atoms <= atoms <= 2 * min_atoms:
            continue
        lattice = Lattice(conventional.lattice.matrix * np.array(multiples)[:, None])
        nearest = min(lattice.get_lll_reduced_lattice().abc)
        # Wanted: far images for few atoms; the cube root weighs them alike.
        merit = nearest**3 / lattice.volume - 0.1 * atoms / min_atoms
        if best is None or merit > best[0] + 1e-9:
            best = (merit, multiples)
    assert best is not None
    return best[1]


def supercell(conventional: Structure, multiples: tuple[int, int, int]) -> Structure:
    """Return the repeated conventional cell."""
    repeated = conventional.copy()
    repeated.make_supercell(multiples)
    return repeated
