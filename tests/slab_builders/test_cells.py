from __future__ import annotations

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from interohm.errors import InputError
from interohm.slab_builders.cells import Crystal, supercell, supercell_multiples


@pytest.mark.filterwarnings("ignore:Issues encountered")
@pytest.mark.parametrize(
    ("crystal", "atoms"),
    [("LiF", (8, 2)), ("Li", (2, 1)), ("Li2O", (12, 3)), ("Li3N", (4, 4))],
    indirect=["crystal"],
)
def test_both_cells_are_one_crystal(crystal: Crystal, atoms: tuple[int, int]) -> None:
    assert (len(crystal.conventional), len(crystal.primitive)) == atoms
    density = len(crystal.conventional) / crystal.conventional.volume
    assert len(crystal.primitive) / crystal.primitive.volume == pytest.approx(density)


def test_the_conventional_cell_follows_atoms_and_shape() -> None:
    # Rutile: the oxygen's position is free, and so is c/a.
    rutile = Structure.from_spacegroup(
        "P4_2/mnm", Lattice.tetragonal(4.6, 2.95), ["Ti", "O"], [[0, 0, 0], [0.305, 0.305, 0]]
    )
    doubled = rutile.copy()
    crystal = Crystal.from_structure(doubled)
    centred = Crystal(supercell(crystal.conventional, (1, 1, 2)), crystal.primitive)
    moved = crystal.primitive.copy()
    moved.apply_strain([0.01, 0.01, -0.02])
    oxygen = next(i for i, site in enumerate(moved) if site.specie.symbol == "O")
    moved.translate_sites([oxygen], [0.01, -0.005, 0.002], frac_coords=True)
    followed = centred.relaxed(moved).conventional
    expected = supercell(moved, (1, 1, 2))
    assert np.allclose(followed.lattice.matrix, expected.lattice.matrix, atol=1e-8)
    distance = followed.lattice.get_all_distances(followed.frac_coords, expected.frac_coords)
    partners = distance.argmin(axis=1)
    assert sorted(partners) == list(range(len(expected)))
    assert distance.min(axis=1).max() < 1e-6
    assert all(
        site.specie == expected[int(partner)].specie
        for site, partner in zip(followed, partners, strict=True)
    )


@pytest.mark.filterwarnings("ignore:Issues encountered")
@pytest.mark.parametrize(
    ("crystal", "multiples", "atoms"),
    [("LiF", (2, 2, 2), 64), ("Li2O", (2, 2, 2), 96), ("Li3N", (3, 3, 3), 108)],
    indirect=["crystal"],
)
def test_supercells_keep_images_apart(
    crystal: Crystal, multiples: tuple[int, int, int], atoms: int
) -> None:
    assert supercell_multiples(crystal.conventional, 64) == multiples
    assert len(supercell(crystal.conventional, multiples)) == atoms


def test_partial_occupancies_are_refused() -> None:
    mixed = Structure(Lattice.cubic(4), [{"Li": 0.5, "Na": 0.5}], [[0, 0, 0]])
    with pytest.raises(InputError, match="partial occupancies"):
        Crystal.from_structure(mixed)


def test_a_large_cell_is_its_own_supercell() -> None:
    large = supercell(
        Structure.from_spacegroup(
            "Fm-3m", Lattice.cubic(4.03), ["Li", "F"], [[0, 0, 0], [0.5, 0.5, 0.5]]
        ),
        (3, 3, 2),
    )
    for min_atoms in (2, 64, 71, 72, 100):
        multiples = supercell_multiples(large, min_atoms)
        assert len(large) * np.prod(multiples) >= min_atoms
        assert (multiples == (1, 1, 1)) == (min_atoms <= 100)
    assert supercell_multiples(large, 288) == (1, 1, 2)


def test_a_repetition_that_is_too_large_is_refused() -> None:
    lithium = Structure(Lattice.cubic(3), ["Li"], [[0, 0, 0]])
    with pytest.raises(InputError, match="no repetition of 1 atoms"):
        supercell_multiples(lithium, 600)
