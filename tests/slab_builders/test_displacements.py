"""Displacements that symmetry tells apart, and the derivatives that it makes of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pymatgen.core import Structure

from interohm.slab_builders.cells import Crystal
from interohm.slab_builders.displacements import derivatives, distinct_displacements

STRUCTURES = Path(__file__).parents[2] / "configs" / "structures"


@pytest.mark.parametrize(("crystal", "count"), [("LiF", 2), ("Li2O", 2)], indirect=["crystal"])
def test_one_displacement_per_kind_of_site_is_enough_in_a_cubic_crystal(
    crystal: Crystal, count: int
) -> None:
    assert len(distinct_displacements(crystal.primitive)) == count


@pytest.mark.filterwarnings("ignore:Issues encountered")
@pytest.mark.parametrize("crystal", ["LiF", "Li2O", "Li3N"], indirect=True)
def test_force_constants_of_springs_come_back_whole(crystal: Crystal) -> None:
    structure = crystal.primitive
    step = 1e-4
    displacements = distinct_displacements(structure)
    rest = _spring_forces(structure)
    forces = []
    for displacement in displacements:
        moved = structure.copy()
        shift = step * displacement.direction
        moved.translate_sites([displacement.atom], shift, frac_coords=False, to_unit_cell=False)
        forces.append(_spring_forces(moved) - rest)
    found = derivatives(structure, displacements, np.array(forces), step)
    for atom in range(len(structure)):
        for axis in range(3):
            pair = []
            for sign in (1, -1):
                moved = structure.copy()
                shift = sign * step * np.eye(3)[axis]
                moved.translate_sites([atom], shift, frac_coords=False, to_unit_cell=False)
                pair.append(_spring_forces(moved))
            expected = (pair[0] - pair[1]) / (2 * step)
            assert np.allclose(found[atom, :, :, axis], expected, atol=1e-4)


def _spring_forces(structure: Structure) -> np.ndarray:
    """Return the forces of a repulsion between neighbours, which is none of the crystal's."""
    forces = np.zeros((len(structure), 3))
    for place, neighbours in enumerate(structure.get_all_neighbors(4.4)):
        for other in neighbours:
            away = structure.cart_coords[place] - other.coords
            # It fades out before the neighbours that a displacement could let in.
            forces[place] += away * max(0.0, 4.2 - other.nn_distance) ** 3
    return forces
