"""The hop of a lithium vacancy in Li2O, whose lithium sits on a simple cubic lattice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from interohm.errors import InputError
from interohm.slab_builders.cells import Crystal, supercell
from interohm.slab_builders.hops import after_hop, path_reversal, vacancy_hop

STRUCTURES = Path(__file__).parents[2] / "configs" / "structures"


@pytest.fixture(scope="module")
def perfect() -> Structure:
    crystal = Crystal.from_structure(Structure.from_file(STRUCTURES / "Li2O.cif"))
    return supercell(crystal.conventional, (2, 1, 1))


def without_the_first(perfect: Structure) -> Structure:
    structure = perfect.copy()
    structure.remove_sites([0])
    return structure


@pytest.fixture(scope="module")
def before(perfect: Structure) -> Structure:
    """The supercell with the vacancy, relaxed as its symmetry (a twofold axis) lets it."""
    vacancy = perfect.cart_coords[0]
    structure = without_the_first(perfect)
    for place, site in enumerate(structure):
        distance, image = perfect[0].distance_and_image(site)
        away = perfect.lattice.get_cartesian_coords(site.frac_coords + image) - vacancy
        shift = 0.1 * away / distance**2
        structure.translate_sites([place], shift, frac_coords=False, to_unit_cell=False)
    return structure


def test_the_ion_comes_from_the_nearest_site(perfect: Structure) -> None:
    hop = vacancy_hop(perfect, 0, without_the_first(perfect))
    assert hop.distance_A == pytest.approx(perfect.lattice.b / 2)
    assert perfect[hop.ion].specie.symbol == "Li"
    # The operation exchanges the two sites.
    assert (hop.image[hop.vacancy], hop.image[hop.ion]) == (hop.ion, hop.vacancy)


def test_after_the_hop_one_ion_has_moved_and_its_surroundings_with_it(
    perfect: Structure, before: Structure
) -> None:
    hop = vacancy_hop(perfect, 0, before)
    after = after_hop(perfect, hop, before)
    steps = np.linalg.norm(after.cart_coords - before.cart_coords, axis=1)
    assert before.species == after.species
    assert np.flatnonzero(steps > 1) == [hop.ion - 1]  # the vacancy's site came before it
    assert steps.max() == pytest.approx(hop.distance_A, abs=0.2)
    # The same distances between atoms: the same energy, by symmetry.
    here, there = (np.sort(one.distance_matrix, axis=None) for one in (before, after))
    assert np.allclose(here, there, atol=1e-8)


def test_a_path_between_equivalent_sites_is_its_own_mirror_image(
    perfect: Structure, before: Structure
) -> None:
    after = after_hop(perfect, vacancy_hop(perfect, 0, before), before)
    reversal = path_reversal(before, after, tolerance_A=0.02)
    assert reversal is not None
    mapped = reversal.positions(before, after)
    assert np.allclose(mapped, after.frac_coords, atol=1e-6)
    # Forces turn with the atoms: a pair potential's forces before, mapped, are those after.
    assert np.allclose(
        reversal.forces(before, _pair_forces(before)), _pair_forces(after), atol=1e-8
    )
    shifted = after.copy()
    shifted.translate_sites([3], [0.3, 0.1, 0.2], frac_coords=False, to_unit_cell=False)
    assert path_reversal(before, shifted, tolerance_A=0.02) is None


def _pair_forces(structure: Structure) -> np.ndarray:
    forces = np.zeros((len(structure), 3))
    for place, neighbours in enumerate(structure.get_all_neighbors(4.5)):
        for other in neighbours:
            away = structure.cart_coords[place] - other.coords
            forces[place] += away / other.nn_distance**5
    return forces


def test_a_site_without_an_equivalent_neighbour_has_no_hop() -> None:
    lonely = Structure(Lattice.cubic(7.0), ["Li", "F"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    with pytest.raises(InputError, match="no Li site equivalent"):
        vacancy_hop(lonely, 0, without_the_first(lonely))
