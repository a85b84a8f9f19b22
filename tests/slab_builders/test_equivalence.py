"""The same structure in another setting is found to be the same, and no other one is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure
from scipy.stats import special_ortho_group

from interohm.slab_builders.cells import Crystal, supercell
from interohm.slab_builders.defects import defect_supercell, interstitial_sites, vacancy_sites
from interohm.slab_builders.equivalence import same_mesh, settings_between
from interohm.slab_builders.slabs import build_slab

STRUCTURES = Path(__file__).parents[2] / "configs" / "structures"


def crystal(name: str) -> Crystal:
    return Crystal.from_structure(Structure.from_file(STRUCTURES / f"{name}.cif"))


def structures() -> dict[str, Structure]:
    fluoride, nitride = crystal("LiF").conventional, crystal("Li3N").conventional
    (vacancy,) = vacancy_sites(fluoride, "Li")
    site = interstitial_sites(nitride, "Li")[1]
    return {
        "primitive": crystal("Li2O").primitive,
        "slab": build_slab(
            crystal("Li2O").conventional, (1, 1, 1), thickness_A=8, vacuum_A=10
        ).structure,
        "vacancy": defect_supercell(fluoride, vacancy, (2, 2, 2)),
        "interstitial": defect_supercell(nitride, site, (2, 2, 2)),
    }


KNOWN = structures()


@st.composite
def unimodular(draw: st.DrawFn) -> np.ndarray:
    """Another basis of the same lattice."""
    matrix = np.eye(3, dtype=int)
    for _ in range(draw(st.integers(0, 3))):
        one, other = draw(st.permutations(range(3)))[:2]
        matrix[one] += draw(st.sampled_from([-1, 1])) * matrix[other]
    return matrix[draw(st.permutations(range(3)))]


def in_another_setting(
    structure: Structure, cell: np.ndarray, seed: int, noise: float
) -> Structure:
    random = np.random.default_rng(seed)
    order = random.permutation(len(structure))
    turn = special_ortho_group.rvs(3, random_state=seed) * random.choice([-1, 1])
    lattice = cell @ structure.lattice.matrix @ turn
    lattice *= 1 + noise * random.standard_normal((3, 3))
    places = structure.frac_coords @ np.linalg.inv(cell) + random.random(3)
    places += noise * random.standard_normal(places.shape)
    return Structure(lattice, [structure[int(i)].specie for i in order], places[order])


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(sorted(KNOWN)),
    unimodular(),
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.0, 1e-12, 1e-9, 1e-6]),
)
def test_another_cell_origin_orientation_and_order_are_the_same(
    name: str, cell: np.ndarray, seed: int, noise: float
) -> None:
    other = KNOWN[name]
    asked = in_another_setting(other, cell, seed, noise)
    setting = next(settings_between(asked, other))
    lattice = setting.cell @ other.lattice.matrix @ setting.rotation
    assert np.allclose(lattice, asked.lattice.matrix, atol=1e-3)
    assert np.allclose(setting.rotation @ setting.rotation.T, np.eye(3), atol=1e-12)
    steps = setting.fractional(other.frac_coords)[setting.sites] - asked.frac_coords
    assert np.abs((steps - np.round(steps)) @ asked.lattice.matrix).max() < 1e-3
    assert [other[int(site)].specie for site in setting.sites] == asked.species


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(["slab", "vacancy", "interstitial"]), st.integers(0, 2**32 - 1))
def test_a_moved_atom_is_another_structure(name: str, seed: int) -> None:
    other = KNOWN[name]
    asked = in_another_setting(other, np.eye(3, dtype=int), seed, 1e-9)
    random = np.random.default_rng(seed)
    step = random.standard_normal(3)
    step *= 0.01 / np.linalg.norm(step)
    asked.translate_sites([int(random.integers(len(asked)))], step, frac_coords=False)
    assert next(settings_between(asked, other), None) is None


def test_what_differs_is_not_the_same() -> None:
    fluoride = crystal("LiF")
    whole = fluoride.conventional
    swapped = whole.copy()
    swapped.replace(0, "Na")
    stretched = whole.copy()
    stretched.scale_lattice(whole.volume * 1.003)
    for other in (fluoride.primitive, supercell(whole, (1, 1, 2)), swapped, stretched):
        assert next(settings_between(whole, other), None) is None
        assert next(settings_between(other, whole), None) is None


def test_every_symmetry_is_a_setting_and_the_identity_comes_first() -> None:
    primitive = crystal("LiF").primitive
    found = list(settings_between(primitive, primitive))
    assert len(found) == 48
    assert np.array_equal(found[0].cell, np.eye(3))
    assert np.allclose(found[0].rotation, np.eye(3), atol=1e-12)
    assert np.allclose(found[0].translation, 0, atol=1e-12)
    assert found[0].sites.tolist() == [0, 1]


def test_displacements_choose_among_symmetries() -> None:
    primitive = crystal("LiF").primitive
    along = np.array([[0.1, 0.02, 0.0], [0.0, 0.0, 0.3]])
    (found,) = settings_between(primitive, primitive, displacements=[(along, along)])
    assert np.allclose(found.rotation, np.eye(3), atol=1e-12)
    other = [(along, along * 1.05)]
    assert next(settings_between(primitive, primitive, displacements=other), None) is None


def test_meshes_are_compared_in_one_cell() -> None:
    box = Structure(Lattice.orthorhombic(3, 4, 5), ["Li"], [[0, 0, 0]])
    turned = Structure(Lattice.orthorhombic(4, 5, 3), ["Li"], [[0, 0, 0]])
    setting = next(settings_between(turned, box))
    assert same_mesh(setting, [3, 2, 4], [4, 3, 2])
    assert not same_mesh(setting, [4, 3, 2], [4, 3, 2])


@pytest.mark.parametrize("name", ["Li2O", "LiF", "Li3N", "LiCoO2", "Li2O2"])
def test_the_interstitials_are_those_of_the_crystal(name: str) -> None:
    """The search has noise of its own; sites and their order have none."""
    given_cell = Structure.from_file(STRUCTURES / f"{name}.cif")
    expected = interstitial_sites(Crystal.from_structure(given_cell).conventional, "Li")
    for seed, cell in enumerate(
        ([[1, 0, 0], [0, 1, 0], [0, 0, 1]], [[0, 1, 0], [1, 1, 0], [0, 1, 2]])
    ):
        matrix = np.array(cell)
        repeated = given_cell.copy()
        repeated.make_supercell(matrix)
        other = in_another_setting(repeated, np.eye(3, dtype=int), seed, 1e-9)
        found = interstitial_sites(Crystal.from_structure(other).conventional, "Li")
        assert [site.sites_per_cell for site in found] == [site.sites_per_cell for site in expected]
        for one, two in zip(found, expected, strict=True):
            assert one.position == pytest.approx(two.position, abs=1e-5)
