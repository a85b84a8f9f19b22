"""Molecules alone in a periodic box, as plane waves need them."""

from __future__ import annotations

from pymatgen.core import Molecule, Structure


def boxed(molecule: Molecule, vacuum_A: float) -> Structure:
    """Return a molecule in the middle of an orthogonal box.

    Parameters
    ----------
    molecule : Molecule
        The molecule.
    vacuum_A : float
        From the molecule's atoms to those of its next image, along each axis.

    Returns
    -------
    Structure
    """
    extent = molecule.cart_coords.max(axis=0) - molecule.cart_coords.min(axis=0)
    sides = [round(float(length) + vacuum_A, 4) for length in extent]
    return molecule.get_boxed_structure(*sides, reorder=False)
