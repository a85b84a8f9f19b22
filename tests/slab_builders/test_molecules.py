"""Molecules in their boxes, and cells that repeat smaller ones."""

from __future__ import annotations

import numpy as np
import pytest
from pymatgen.core import Lattice, Molecule, Structure

from interohm.slab_builders.identify import is_supercell
from interohm.slab_builders.molecules import boxed


def test_a_box_leaves_vacuum_along_each_axis() -> None:
    water = Molecule("OHH", [[0, 0, 0], [0.76, 0, 0.59], [-0.76, 0, 0.59]])
    box = boxed(water, 8.0)
    assert box.lattice.abc == pytest.approx((9.52, 8.0, 8.59))
    assert [site.specie.symbol for site in box] == ["O", "H", "H"]
    assert np.allclose(box.distance_matrix, water.distance_matrix)
    images = box.cart_coords[:, None, :] - box.cart_coords[None, :, :]
    for axis, length in enumerate(box.lattice.abc):
        assert length - np.abs(images[:, :, axis]).max() == pytest.approx(8.0)
    assert box.frac_coords.min() > 0
    assert box.frac_coords.max() < 1


def test_a_supercell_is_told_from_a_primitive_cell() -> None:
    salt = Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(4.06), ["Li", "F"], [[0, 0, 0], [0.5, 0.5, 0.5]]
    )
    assert is_supercell(salt)
    assert not is_supercell(salt.get_primitive_structure())
    flawed = salt.copy()
    flawed.remove_sites([0])
    assert not is_supercell(flawed)
