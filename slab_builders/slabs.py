"""Symmetric slabs without a dipole: the surfaces whose level a slab calculation can tell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pymatgen.core import Lattice, Structure
from pymatgen.core.surface import Slab, SlabGenerator

from interohm.errors import InputError

Facet = tuple[int, int, int]


@dataclass(frozen=True)
class SymmetricSlab:
    """A slab with the same surface on both sides, its normal along c.

    Parameters
    ----------
    structure : Structure
        Slab and vacuum; the slab is in the middle of the cell.
    period_A : float
        Repeat distance of the crystal along the normal.
    termination : str
        The elements of the outermost plane.
    """

    structure: Structure
    period_A: float
    termination: str


def facet_name(facet: Facet) -> str:
    """Return ``(001)`` for (0, 0, 1)."""
    return "(" + "".join(str(index) for index in facet) + ")"


def build_slab(
    conventional: Structure, facet: Facet, *, thickness_A: float, vacuum_A: float
) -> SymmetricSlab:
    """Cut a symmetric, stoichiometric slab that has no dipole (Tasker types I and II).

    Parameters
    ----------
    conventional : Structure
        The relaxed conventional cell.
    facet : tuple of int
        Miller indices in that cell.
    thickness_A, vacuum_A : float
        At least; whole repeat units are cut.

    Raises
    ------
    InputError
        No termination is symmetric and free of a dipole (Tasker type III).
    """
    name = f"{conventional.composition.reduced_formula} {facet_name(facet)}"
    if not any(facet):
        raise InputError(f"{name} is no plane", fix="give Miller indices such as [0, 0, 1]")
    charged = conventional.copy()
    if len(charged.elements) > 1:
        charged.add_oxidation_state_by_guess()
    generator = SlabGenerator(
        charged,
        facet,
        min_slab_size=thickness_A,
        min_vacuum_size=vacuum_A,
        center_slab=True,
        primitive=True,
        lll_reduce=False,
        reorient_lattice=True,
    )
    period = generator.oriented_unit_cell.lattice
    slabs = generator.get_slabs(tol=0.1, ftol=0.05)
    for slab in slabs:
        if slab.is_symmetric() and not slab.is_polar() and _stoichiometric(slab, conventional):
            return SymmetricSlab(
                structure=_along_c(slab),
                period_A=float(period.volume / np.linalg.norm(np.cross(*period.matrix[:2]))),
                termination=_outermost(slab),
            )
    tried = ", ".join(sorted({f"{_outermost(slab)}-terminated" for slab in slabs})) or "none"
    raise InputError(
        f"{name} is polar (Tasker type III): no symmetric termination without a dipole among "
        f"those tried ({tried})",
        where="facet",
        fix="choose another Miller index, such as one whose planes hold all elements",
    )


def _stoichiometric(slab: Slab, conventional: Structure) -> bool:
    return bool(
        slab.composition.remove_charges().reduced_formula
        == conventional.composition.reduced_formula
    )


def _outermost(slab: Slab) -> str:
    """Return the elements within 0.3 Å of the slab's highest atom."""
    heights = slab.cart_coords @ slab.normal
    top = heights > heights.max() - 0.3
    return "".join(sorted({slab[int(index)].specie.symbol for index in np.flatnonzero(top)}))


def _along_c(slab: Slab) -> Structure:
    """Return the slab without oxidation states, c along the normal, a and b as short as can be."""
    upright = slab.get_orthogonal_c_slab()
    a, b, c = upright.lattice.matrix
    # Lagrange's reduction of a plane lattice.
    while True:
        if a @ a > b @ b:
            a, b = b, a
        steps = round(float(a @ b / (a @ a)))
        if steps == 0:
            break
        b = b - steps * a
    if np.cross(a, b) @ c < 0:
        b = -b
    return Structure(
        Lattice([a, b, c]),
        [site.specie.symbol for site in upright],
        upright.cart_coords,
        coords_are_cartesian=True,
        to_unit_cell=True,
    )
