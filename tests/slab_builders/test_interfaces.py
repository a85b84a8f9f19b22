"""Slabs in a frame of their own, the cells that they share, and how they lie on each other."""

from __future__ import annotations

import functools
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.analysis.interfaces import CoherentInterfaceBuilder
from pymatgen.analysis.interfaces.zsl import ZSLGenerator
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Lattice, Structure

from interohm.errors import InputError
from interohm.records.shipped import shipped_material
from interohm.slab_builders.cells import Crystal
from interohm.slab_builders.interfaces import (
    Joint,
    OrientedSlab,
    best_match,
    contacts_alike,
    distinct_registries,
    find_matches,
    join,
    oriented_slab,
    sites_across,
)
from interohm.slab_builders.slabs import Facet, SymmetricSlab, build_slab

pytestmark = pytest.mark.filterwarnings("ignore:Issues encountered")

LIMITS = {"max_strain": 0.06, "max_atoms": 100}


@functools.cache
def crystal_of(record: str) -> Crystal:
    """The relaxed crystal of a shipped record."""
    material = shipped_material(record)
    assert material is not None
    assert material.structure is not None
    return Crystal.from_structure(Structure.from_dict(material.structure))


@functools.cache
def cut(record: str, facet: Facet, thickness_A: float = 10.0) -> SymmetricSlab:
    return build_slab(crystal_of(record).conventional, facet, thickness_A=thickness_A, vacuum_A=10)


@functools.cache
def slab_of(record: str, facet: Facet, thickness_A: float = 10.0) -> OrientedSlab:
    return oriented_slab(cut(record, facet, thickness_A))


@functools.cache
def joint_of(left: str, left_facet: Facet, right: str, right_facet: Facet) -> Joint:
    sides = slab_of(left, left_facet), slab_of(right, right_facet)
    matches = find_matches(*sides, strained="left", **LIMITS)
    return join(*sides, best_match(matches, **LIMITS))


PAIRS = [
    ("LiH_001", (0, 0, 1), "LiF_001", (0, 0, 1), 24, 0.007, 8),
    ("Li_110", (1, 1, 0), "Li2O_110", (1, 1, 0), 34, 0.025, 15.5),
    ("Li_110", (1, 1, 0), "LiF_001", (0, 0, 1), 51, 0.020, 25),
    ("Li_100", (1, 0, 0), "LiCl_001", (0, 0, 1), 62, 0.034, 53),
    ("Li_110", (1, 1, 0), "Li2O_111", (1, 1, 1), 90, 0.019, 47),
]


@pytest.mark.parametrize(
    ("left", "left_facet", "right", "right_facet", "atoms", "mean_strain", "area_A2"), PAIRS
)
def test_common_cells_of_the_shipped_pairs(
    left: str,
    left_facet: Facet,
    right: str,
    right_facet: Facet,
    atoms: int,
    mean_strain: float,
    area_A2: float,
) -> None:
    sides = slab_of(left, left_facet), slab_of(right, right_facet)

    match = best_match(find_matches(*sides, strained="left", **LIMITS), **LIMITS)

    assert match.atoms == atoms
    assert match.mean_strain == pytest.approx(mean_strain, abs=6e-4)
    assert match.area_A2 == pytest.approx(area_A2, abs=0.5)
    assert join(*sides, match).area_A2 == pytest.approx(match.area_A2, rel=1e-6)


def test_the_smallest_cell_is_that_of_pymatgens_builder() -> None:
    # Its film is strained onto its substrate.
    builder = CoherentInterfaceBuilder(
        substrate_structure=crystal_of("Li2O_110").conventional,
        film_structure=crystal_of("Li_110").conventional,
        film_miller=(1, 1, 0),
        substrate_miller=(1, 1, 0),
        zslgen=ZSLGenerator(max_area=20, max_length_tol=0.06, max_angle_tol=0.05),
    )
    made = list(
        builder.get_interfaces(
            builder.terminations[0], film_thickness=10, substrate_thickness=10, in_layers=False
        )
    )
    joint = joint_of("Li_110", (1, 1, 0), "Li2O_110", (1, 1, 0))

    area = float(np.linalg.norm(np.cross(*made[0].lattice.matrix[:2])))
    assert min(len(one) for one in made) == sum(joint.atoms)
    assert area == pytest.approx(joint.area_A2, rel=1e-4)


@pytest.mark.parametrize(
    ("record", "facet"),
    [
        ("LiF_001", (0, 0, 1)),
        ("Li_110", (1, 1, 0)),
        ("Li2O_110", (1, 1, 0)),
        ("Li2O_111", (1, 1, 1)),
        ("Li3N_100", (1, 0, 0)),
    ],
)
@settings(max_examples=8, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    turned=st.booleans(),
    change=st.sampled_from(
        [[[1, 0], [0, 1]], [[0, 1], [1, 0]], [[1, 1], [0, 1]], [[-1, 0], [2, 1]]]
    ),
)
def test_a_slab_has_one_frame_however_it_was_cut(
    record: str, facet: Facet, seed: int, turned: bool, change: list[list[int]]
) -> None:
    given_slab = cut(record, facet)
    structure = given_slab.structure
    random = np.random.default_rng(seed)
    # Another basis, another origin, another order of atoms, another orientation; the other side up.
    lattice = structure.lattice.matrix.copy()
    lattice[:2] = np.array(change) @ lattice[:2]
    coords = structure.cart_coords.copy()
    coords[:, :] += random.random(2) @ lattice[:2]
    heights = coords @ (lattice[2] / np.linalg.norm(lattice[2]))
    if turned:
        middle = (heights.min() + heights.max()) / 2
        # Half a turn about the first vector.
        axis = lattice[0] / np.linalg.norm(lattice[0])
        pivot = lattice[2] / np.linalg.norm(lattice[2]) * middle
        coords = 2 * np.outer((coords - pivot) @ axis, axis) - (coords - pivot) + pivot
        lattice[:2] = 2 * np.outer(lattice[:2] @ axis, axis) - lattice[:2]
    if np.linalg.det(lattice) < 0:
        lattice[1] = -lattice[1]
    turn, _ = np.linalg.qr(random.normal(size=(3, 3)))
    turn *= np.sign(np.linalg.det(turn))
    order = random.permutation(len(structure))
    noise = 1e-9 * random.normal(size=coords.shape)
    other = Structure(
        Lattice(lattice @ turn),
        [structure[int(place)].specie for place in order],
        (coords[order] + noise[order]) @ turn,
        coords_are_cartesian=True,
    )

    found = oriented_slab(
        SymmetricSlab(
            other,
            given_slab.period_A,
            given_slab.termination,
            given_slab.tasker_type,
            given_slab.stoichiometric,
        )
    )

    known = slab_of(record, facet)
    assert found.species == known.species
    np.testing.assert_allclose(found.plane, known.plane, atol=1e-6)
    np.testing.assert_allclose(found.heights_A, known.heights_A, atol=1e-6)
    np.testing.assert_allclose(found.stacking, known.stacking, atol=1e-6)
    away = found.fractional - known.fractional
    np.testing.assert_allclose(away - np.round(away), 0, atol=1e-6)


@pytest.mark.parametrize(
    ("record", "facet"),
    [
        ("LiF_001", (0, 0, 1)),
        ("Li_110", (1, 1, 0)),
        ("Li2O_110", (1, 1, 0)),
        ("Li2O_111", (1, 1, 1)),
    ],
)
def test_the_bulk_of_a_slab_is_the_crystal(record: str, facet: Facet) -> None:
    primitive = crystal_of(record).primitive

    bulk = slab_of(record, facet).bulk()

    assert len(bulk) == len(primitive)
    assert bulk.volume == pytest.approx(primitive.volume, rel=1e-6)
    assert StructureMatcher(scale=False).fit(bulk, primitive)


def test_the_strained_slab_and_its_bulk_are_strained_alike() -> None:
    slab = slab_of("LiH_001", (0, 0, 1))

    strained = slab.strained(slab.plane * 1.02, -0.01)

    ratio = 1.02**2 * 0.99
    assert strained.bulk().volume == pytest.approx(slab.bulk().volume * ratio, rel=1e-8)
    assert strained.thickness_A == pytest.approx(slab.thickness_A * 0.99)
    assert strained.period_A == pytest.approx(slab.period_A * 0.99)


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair[0]}-{pair[2]}")
def test_both_contacts_of_a_sandwich_are_alike_at_the_shifts_that_are_kept(pair: tuple) -> None:
    joint = joint_of(*pair[:4])

    shifts, reasons = distinct_registries(joint, 2)

    assert shifts
    assert len(shifts) + len(reasons) == 4
    for shift in shifts:
        whole = joint.sandwich(shift, joint.close_gap_A(shift))
        assert contacts_alike(whole)
        assert len(whole) == sum(joint.atoms)
        assert not contacts_alike(joint.with_vacuum(shift, 2.0, 10.0))


def test_a_shift_by_a_translation_of_either_side_changes_nothing() -> None:
    joint = joint_of("Li_110", (1, 1, 0), "Li2O_110", (1, 1, 0))
    shift = np.array([0.1, 0.3])
    own = [np.linalg.inv(np.array(rows)) for rows in joint.repeats]
    matcher = StructureMatcher(ltol=0.01, stol=0.02, scale=False, primitive_cell=False)

    for translation in (own[0][0], own[1][1]):
        assert matcher.fit(joint.sandwich(shift, 2.0), joint.sandwich(shift + translation, 2.0))
    assert not matcher.fit(joint.sandwich(shift, 2.0), joint.sandwich((0.3, 0.3), 2.0))


def test_touching_atoms_are_as_far_apart_as_in_the_crystals() -> None:
    joint = joint_of("LiH_001", (0, 0, 1), "LiF_001", (0, 0, 1))
    nearest = {}
    for shift in distinct_registries(joint, 2)[0]:
        whole = joint.sandwich(shift, joint.close_gap_A(shift))
        left, right = range(joint.atoms[0]), range(joint.atoms[0], len(whole))
        nearest[shift] = min(
            (whole.get_distance(i, j), {whole[i].specie.symbol, whole[j].specie.symbol})
            for i, j in itertools.product(left, right)
        )
    lithium_fluoride = crystal_of("LiF_001").conventional.lattice.a / 2

    # The crystals go on into each other: cations on anions.
    assert min(nearest.values())[0] == pytest.approx(lithium_fluoride, abs=0.01)
    assert all(distance > lithium_fluoride - 0.02 for distance, _ in nearest.values())


def test_one_contact_between_two_vacua() -> None:
    joint = joint_of("LiH_001", (0, 0, 1), "LiF_001", (0, 0, 1))

    whole = joint.with_vacuum((0.0, 0.0), 2.0, 10.0)

    heights = whole.cart_coords[:, 2]
    left, right = heights[: joint.atoms[0]], heights[joint.atoms[0] :]
    assert left.min() == pytest.approx(5.0)
    assert right.min() - left.max() == pytest.approx(2.0)
    assert whole.lattice.c - right.max() == pytest.approx(5.0)


@pytest.mark.parametrize("lateral_A", [2.0, 4.0, 5.7, 8.0])
def test_a_wider_cell_is_the_same_contact(lateral_A: float) -> None:
    joint = joint_of("LiH_001", (0, 0, 1), "LiF_001", (0, 0, 1))
    shift = np.array([0.5, 0.5])

    wide, change = joint.widened(lateral_A)

    cells = abs(round(float(np.linalg.det(change))))
    assert wide.area_A2 == pytest.approx(cells * joint.area_A2)
    assert min(Lattice([*np.column_stack([wide.plane, [0, 0]]), [0, 0, 50]]).abc[:2]) >= (
        lateral_A - 0.02
    )
    narrow, wider = joint.sandwich(shift, 2.0), wide.sandwich(shift @ np.linalg.inv(change), 2.0)
    assert len(wider) == cells * len(narrow)
    assert StructureMatcher(scale=False).fit(narrow, wider)


def test_the_ion_hops_to_the_nearest_site_beyond_the_contact() -> None:
    joint = joint_of("LiH_001", (0, 0, 1), "LiF_001", (0, 0, 1)).widened(4.0)[0]
    whole = joint.sandwich((0.0, 0.0), 2.0)
    contact = joint.contact_height_A(2.0)

    sites = sites_across(whole, "Li", left_atoms=joint.atoms[0], contact_A=contact)

    assert sites.left < joint.atoms[0] <= sites.right
    assert sites.planes == (2, 2)
    across = [
        whole.get_distance(i, j)
        for i in range(joint.atoms[0])
        for j in range(joint.atoms[0], len(whole))
        if whole[i].specie.symbol == whole[j].specie.symbol == "Li"
    ]
    assert sites.distance_A == pytest.approx(min(across), abs=0.02)
    for site in (sites.left, sites.right):
        assert abs(whole[site].coords[2] - contact) < 1.1


def test_what_does_not_match_says_what_would() -> None:
    sides = slab_of("Li_110", (1, 1, 0)), slab_of("LiF_001", (0, 0, 1))
    limits = {"max_strain": 0.02, "max_atoms": 60}

    with pytest.raises(
        InputError, match=r"no common cell of at most 60 atoms.*51 atoms with 3\.3 %"
    ):
        best_match(find_matches(*sides, strained="left", **limits), **limits)


def test_a_slab_of_one_plane_has_no_stacking() -> None:
    slab = cut("LiF_001", (0, 0, 1), 1.0)
    lowest = slab.structure.copy()
    heights = lowest.cart_coords[:, 2]
    lowest.remove_sites(np.flatnonzero(heights > heights.min() + 0.5).tolist())

    with pytest.raises(InputError, match="too thin"):
        oriented_slab(SymmetricSlab(lowest, slab.period_A, "FLi", "I", True))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("pair", PAIRS[:2], ids=lambda pair: f"{pair[0]}-{pair[2]}")
def test_the_last_digits_of_the_crystals_choose_nothing(pair: tuple, seed: int) -> None:
    random = np.random.default_rng(seed)
    sides = []
    for record, facet in (pair[:2], pair[2:4]):
        crystal = crystal_of(record)
        noisy = crystal.primitive.copy()
        noisy.lattice = Lattice(noisy.lattice.matrix * (1 + 1e-13 * random.normal(size=(3, 3))))
        relaxed = crystal.relaxed(noisy).conventional
        sides.append(oriented_slab(build_slab(relaxed, facet, thickness_A=10, vacuum_A=10)))
    known = joint_of(*pair[:4])

    found = join(*sides, best_match(find_matches(*sides, strained="left", **LIMITS), **LIMITS))

    assert found.repeats == known.repeats
    shifts = distinct_registries(found, 2)
    assert shifts == distinct_registries(known, 2)
    for shift in shifts[0]:
        gap = found.close_gap_A(shift)
        assert gap == known.close_gap_A(shift)
        made, other = found.sandwich(shift, gap), known.sandwich(shift, gap)
        assert [site.specie for site in made] == [site.specie for site in other]
        np.testing.assert_allclose(made.frac_coords, other.frac_coords, atol=1e-9)
        np.testing.assert_allclose(made.lattice.matrix, other.lattice.matrix, atol=1e-9)
