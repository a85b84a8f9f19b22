"""One crystal has one conventional and one primitive cell, however it is given."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import spglib
from pymatgen.core import Lattice, Structure
from scipy.stats import special_ortho_group

from interohm.slab_builders.cells import Crystal

#: Of each crystal system, space groups whose normalizer leaves a choice: polar ones, those whose
#: point group is not that of the lattice, centred ones.
SPACE_GROUPS = (1, 2, 4, 8, 12, 15, 19, 33, 36, 43, 47, 62, 75, 82, 87, 98, 122, 136, 143, 146, 148)
SPACE_GROUPS += (152, 160, 166, 173, 176, 186, 194, 198, 205, 213, 216, 217, 220, 225, 227)


def lattice_of(number: int, random: np.random.Generator) -> Lattice:
    a, b, c = np.sort(random.uniform(4, 9, 3))
    if number <= 2:
        return Lattice.from_parameters(a, b, c, *random.uniform(70, 110, 3))
    if number <= 15:
        return Lattice.monoclinic(a, b, c, random.uniform(95, 120))
    if number <= 74:
        return Lattice.orthorhombic(a, b, c)
    if number <= 142:
        return Lattice.tetragonal(a, c)
    return Lattice.hexagonal(a, c) if number <= 194 else Lattice.cubic(a)


def crystal_of(number: int, random: np.random.Generator) -> Structure:
    """Lithium and oxygen on general places, phosphorus on a special one if there is one at 0."""
    hall = next(
        hall
        for hall in range(1, 531)
        if (kind := spglib.get_spacegroup_type(hall)).number == number and kind.choice != "R"
    )
    symmetry = spglib.get_symmetry_from_database(hall)
    species: list[str] = []
    places: list[np.ndarray] = []
    for element, start in (("Li", random.random(3)), ("O", random.random(3)), ("P", np.zeros(3))):
        orbit: list[np.ndarray] = []
        for turn, shift in zip(symmetry["rotations"], symmetry["translations"], strict=True):
            place = (turn @ start + shift) % 1
            steps = np.array([place - one for one in orbit]).reshape(-1, 3)
            if not (np.abs(steps - np.round(steps)).max(axis=1) < 1e-3).any():
                orbit.append(place)
        species += [element] * len(orbit)
        places += orbit
    return Structure(lattice_of(number, random), species, places)


def otherwise_given(structure: Structure, random: np.random.Generator) -> Iterator[Structure]:
    doubled = structure.copy()
    doubled.make_supercell([[1, 1, 0], [0, 1, 0], [0, 1, 2]])
    for one in (structure, structure.get_reduced_structure(), doubled):
        order = random.permutation(len(one))
        turn = special_ortho_group.rvs(3, random_state=random.integers(2**31))
        noise = 10.0 ** random.uniform(-12, -9)
        lattice = one.lattice.matrix @ turn * (1 + noise * random.standard_normal((3, 3)))
        places = one.frac_coords + random.random(3) + noise * random.standard_normal((len(one), 3))
        yield Structure(lattice, [one[int(i)].specie for i in order], places[order])


def check_cells(structure: Structure, random: np.random.Generator) -> None:
    expected = Crystal.from_structure(structure)
    assert len(expected.primitive) <= len(structure)
    for other in otherwise_given(structure, random):
        found = Crystal.from_structure(other)
        for one, two in (
            (found.conventional, expected.conventional),
            (found.primitive, expected.primitive),
        ):
            assert one.species == two.species
            assert np.allclose(one.lattice.matrix, two.lattice.matrix, atol=1e-5)
            steps = one.frac_coords - two.frac_coords
            assert np.abs(steps - np.round(steps)).max() < 1e-4


@pytest.mark.parametrize("number", SPACE_GROUPS)
def test_the_cells_are_those_of_the_crystal(number: int) -> None:
    random = np.random.default_rng(number)
    structure = crystal_of(number, random)
    while structure.distance_matrix[np.triu_indices(len(structure), 1)].min() < 0.3:
        structure = crystal_of(number, random)
    check_cells(structure, random)


#: Lattices of more symmetry than the crystal: axes that are equally long, angles that are right or
#: 60° and 120°, by accident, as in ordered vacancies of a cubic host.
ACCIDENTS = [
    ("P1", Lattice.cubic(5)),
    ("P1", Lattice.orthorhombic(5, 6, 7)),
    ("P1", Lattice.from_parameters(5, 5, 5, 60, 60, 60)),
    ("P-1", Lattice.from_parameters(5, 5, 5, 80, 85, 95)),
    ("P-1", Lattice.hexagonal(5, 7)),
    ("P-1", Lattice.from_parameters(5, 6, 7, 90, 90, 100)),
    ("P2_1", Lattice.monoclinic(6, 5, 6, 100)),
    ("P2_1", Lattice.monoclinic(5, 6, 7, 90)),
    ("P2_1/c", Lattice.monoclinic(6, 5, 6, 100)),
    ("P2_1/c", Lattice.monoclinic(5, 6, 7, 90)),
    ("C2", Lattice.monoclinic(5, 6, 7, 90)),
    ("C2", Lattice.monoclinic(6, 5, 6, 90)),
    ("C2/m", Lattice.from_parameters(6, 4, 5, 90, 107.457603, 90)),
    ("Pnma", Lattice.orthorhombic(6, 6, 5)),
    ("Pnma", Lattice.cubic(6)),
    ("Pbca", Lattice.orthorhombic(6, 6, 7)),
    ("P2_12_12_1", Lattice.orthorhombic(6, 6, 7)),
    ("Pmc2_1", Lattice.orthorhombic(5, 6, 6)),
    ("Cmcm", Lattice.orthorhombic(6, 6, 7)),
    ("Ama2", Lattice.orthorhombic(6, 5, 5)),
    ("Fdd2", Lattice.cubic(8)),
    ("P4_1", Lattice.cubic(6)),
    ("I4_1md", Lattice.cubic(8)),
]


@pytest.mark.parametrize(
    ("group", "lattice"), ACCIDENTS, ids=lambda one: one if isinstance(one, str) else ""
)
def test_so_are_they_where_axes_are_alike_by_accident(group: str, lattice: Lattice) -> None:
    places = [[0.11, 0.23, 0.37], [0.29, 0.05, 0.13]]
    structure = Structure.from_spacegroup(group, lattice, ["Li", "O"], places)
    if group == "P1":
        structure.append("F", [0.3, 0.9, 0.55])
    check_cells(structure, np.random.default_rng(5))


def test_an_axis_about_which_more_turns_is_c() -> None:
    """Whatever the lengths: they are equal."""
    structure = Structure.from_spacegroup(
        "P4/mmm", Lattice.cubic(4), ["Li", "Co"], [[0, 0, 0], [0.5, 0.5, 0.5]]
    )
    structure.append("O", [0.5, 0.5, 0])
    swapped = Structure(structure.lattice, structure.species, structure.frac_coords[:, [2, 0, 1]])
    conventional = Crystal.from_structure(swapped).conventional
    (oxygen,) = (site for site in conventional if site.specie.symbol == "O")
    (lithium,) = (site for site in conventional if site.specie.symbol == "Li")
    step = (oxygen.frac_coords - lithium.frac_coords) % 1
    assert np.allclose(step, [0.5, 0.5, 0])


def test_the_setting_is_that_of_the_crystal_and_no_other() -> None:
    """An anion of antifluorite is at 0, wherever the file has it; no axis of R-3m is turned."""
    oxide = Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(4.6), ["Li", "O"], [[0.25] * 3, [0.5] * 3]
    )
    conventional = Crystal.from_structure(oxide).conventional
    at_zero = [site.specie.symbol for site in conventional if np.allclose(site.frac_coords, 0)]
    assert at_zero == ["O"]
    layered = Structure.from_spacegroup(
        "R-3m",
        Lattice.hexagonal(2.8, 14),
        ["Li", "Co", "O"],
        [[0, 0, 0.5], [0, 0, 0], [0, 0, 0.24]],
    )
    places = Crystal.from_structure(layered).conventional.frac_coords[:3]
    assert np.allclose(places[1], [1 / 3, 2 / 3, 2 / 3])  # obverse, as the space group's tables
