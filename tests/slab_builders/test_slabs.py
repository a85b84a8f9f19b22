from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure
from pymatgen.core.surface import SlabGenerator
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from interohm.errors import InputError
from interohm.slab_builders.cells import Crystal
from interohm.slab_builders.slabs import Facet, build_slab, distinct_facets, symmetric_slabs
from interohm.slab_builders.structure_files import read_structure

pytestmark = pytest.mark.filterwarnings("ignore:Issues encountered")


@pytest.mark.parametrize(
    ("crystal", "facet", "termination", "period_over_a", "area_over_a2"),
    [
        ("LiF", (0, 0, 1), "FLi", 1, 1 / 2),
        ("LiF", (1, 1, 0), "FLi", 1 / np.sqrt(2), 1 / np.sqrt(2)),
        ("Li2O", (1, 1, 1), "Li", 1 / np.sqrt(3), np.sqrt(3) / 4),
        ("Li2O", (1, 1, 0), "LiO", 1 / np.sqrt(2), 1 / np.sqrt(2)),
        ("Li", (1, 1, 0), "Li", 1 / np.sqrt(2), 1 / np.sqrt(2)),
        ("Li", (0, 0, 1), "Li", 1, 1),
    ],
    indirect=["crystal"],
)
def test_slabs_are_symmetric_and_stoichiometric(
    crystal: Crystal, facet: Facet, termination: str, period_over_a: float, area_over_a2: float
) -> None:
    slab = build_slab(crystal.conventional, facet, thickness_A=9, vacuum_A=11)
    a = crystal.conventional.lattice.a
    structure = slab.structure
    assert slab.termination == termination
    assert slab.period_A == pytest.approx(period_over_a * a, rel=1e-6)
    assert structure.composition.reduced_formula == crystal.conventional.composition.reduced_formula
    matrix = structure.lattice.matrix
    assert np.linalg.norm(np.cross(matrix[0], matrix[1])) == pytest.approx(area_over_a2 * a * a)
    assert matrix[0] @ matrix[2] == pytest.approx(0, abs=1e-6)
    assert matrix[1] @ matrix[2] == pytest.approx(0, abs=1e-6)
    heights = structure.frac_coords[:, 2] * structure.lattice.c
    assert heights.min() + structure.lattice.c - heights.max() > 10.9
    # Each element's planes mirror each other: no dipole.
    middle = (heights.min() + heights.max()) / 2
    for element in structure.composition.elements:
        own = np.sort(heights[[site.specie == element for site in structure]])
        assert own + own[::-1] == pytest.approx(np.full(len(own), 2 * middle), abs=1e-3)


@pytest.mark.parametrize("crystal", ["LiF"], indirect=True)
def test_a_polar_surface_is_refused(crystal: Crystal) -> None:
    with pytest.raises(InputError, match=r"LiF \(111\) is polar.*Li-terminated") as caught:
        build_slab(crystal.conventional, (1, 1, 1), thickness_A=9, vacuum_A=11)
    assert "another Miller index" in (caught.value.fix or "")


@pytest.mark.parametrize("crystal", ["LiF"], indirect=True)
def test_no_plane(crystal: Crystal) -> None:
    with pytest.raises(InputError, match="not a plane"):
        build_slab(crystal.conventional, (0, 0, 0), thickness_A=9, vacuum_A=11)


def anti_perovskite() -> Structure:
    """Li3OCl, whose (001) planes Li2O and LiCl are neutral and alternate."""
    lattice = Lattice.cubic(3.91)
    places = [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0]]
    return Structure.from_spacegroup("Pm-3m", lattice, ["Cl", "O", "Li"], places)


@pytest.mark.parametrize(
    ("crystal", "expected"),
    [
        # Lithium fluoride's (111) planes are charged: type III, no slab.
        ("LiF", {(1, 0, 0): [("FLi", "I")], (1, 1, 0): [("FLi", "I")], (1, 1, 1): []}),
        ("Li2O", {(1, 0, 0): [], (1, 1, 0): [("LiO", "I")], (1, 1, 1): [("Li", "II")]}),
    ],
    indirect=["crystal"],
)
def test_all_terminations_up_to_an_index(
    crystal: Crystal, expected: dict[Facet, list[tuple[str, str]]]
) -> None:
    facets = distinct_facets(crystal.conventional, 1)
    assert facets == list(expected)
    for facet in facets:
        slabs = symmetric_slabs(crystal.conventional, facet, thickness_A=9, vacuum_A=11)
        assert [(slab.termination, slab.tasker_type) for slab in slabs] == expected[facet]
        assert all(slab.stoichiometric for slab in slabs)


def test_terminations_that_lack_planes() -> None:
    conventional = Crystal.from_structure(anti_perovskite()).conventional
    size = {"thickness_A": 10, "vacuum_A": 11}
    slabs = symmetric_slabs(conventional, (1, 0, 0), **size)
    assert [(slab.termination, slab.stoichiometric) for slab in slabs] == [
        ("ClLi", False),
        ("LiO", False),
    ]
    for place, slab in enumerate(slabs):
        counts = slab.structure.composition.get_el_amt_dict()
        # Neutral as ions: no electrons are missing or left over.
        assert counts["Li"] == 2 * counts["O"] + counts["Cl"]
        same = build_slab(conventional, (1, 0, 0), **size, termination=place)
        assert same.structure == slab.structure
    with pytest.raises(InputError, match="2 symmetric terminations, not 3"):
        build_slab(conventional, (1, 0, 0), **size, termination=2)


def test_a_slab_that_is_too_thin_is_not_called_polar() -> None:
    """LiF with one lithium of 32 replaced: neutral planes, of which each fourth is another one."""
    path = Path(__file__).parents[1] / "data" / "cases" / "structures" / "NaLi31F32.cif"
    conventional = Crystal.from_structure(read_structure(path, where="test").structure).conventional
    size = {"thickness_A": 8.0, "vacuum_A": 11}
    with pytest.raises(InputError, match="too thin to have the same surface") as caught:
        build_slab(conventional, (0, 0, 1), **size)
    enough = float(re.findall(r"to ([\d.]+)", caught.value.fix or "")[0])
    with pytest.raises(InputError, match="too thin"):
        symmetric_slabs(conventional, (0, 0, 1), **size)
    slab = build_slab(conventional, (0, 0, 1), thickness_A=enough, vacuum_A=11)
    assert not slab.stoichiometric


@pytest.mark.parametrize("crystal", ["Li2O2"], indirect=True)
def test_peroxide_is_cut_whole(crystal: Crystal) -> None:
    """No slab is charged, and none parts two oxygens that are bonded."""
    for facet in distinct_facets(crystal.conventional, 1):
        for slab in symmetric_slabs(crystal.conventional, facet, thickness_A=9, vacuum_A=11):
            counts = slab.structure.composition.get_el_amt_dict()
            assert counts["Li"] == counts["O"]
            oxygen = [i for i, site in enumerate(slab.structure) if site.specie.symbol == "O"]
            bonded = (slab.structure.distance_matrix[np.ix_(oxygen, oxygen)] < 1.7).sum(axis=1)
            assert (bonded == 2).all()  # itself, and the other one


@pytest.mark.parametrize("crystal", ["Li2O2"], indirect=True)
def test_planes_of_peroxide_are_polar(crystal: Crystal) -> None:
    """Every centre is a plane of Li: a symmetric slab has an odd number of Li, an even one of O."""
    assert _neutral_cuts(crystal.conventional, (0, 0, 1), {"Li": 1, "O": -1}) == 0
    with pytest.raises(InputError, match=r"Li2O2 \(001\) is polar"):
        build_slab(crystal.conventional, (0, 0, 1), thickness_A=16, vacuum_A=11)


@pytest.mark.parametrize(
    ("facet", "termination"),
    [((0, 0, 1), None), ((1, 1, 0), None), ((1, 1, 1), None), ((1, 0, 0), "LiO")],
)
def test_garnet(facet: Facet, termination: str | None) -> None:
    """Tetragonal LLZO, 192 atoms: what is called polar has no neutral slab between whole planes."""
    path = Path(__file__).parents[1] / "data" / "structures" / "Li7La3Zr2O12.cif"
    conventional = Crystal.from_structure(read_structure(path, where="test").structure).conventional
    states = {"Li": 1, "La": 3, "Zr": 4, "O": -2}
    assert (_neutral_cuts(conventional, facet, states) > 0) == (termination is not None)
    if termination is None:
        with pytest.raises(InputError, match=r"is polar \(Tasker type III\)"):
            build_slab(conventional, facet, thickness_A=16, vacuum_A=12)
        return
    slab = build_slab(conventional, facet, thickness_A=16, vacuum_A=12)
    assert slab.termination == termination
    counts = slab.structure.composition.get_el_amt_dict()
    assert sum(states[element] * count for element, count in counts.items()) == 0


def _neutral_cuts(conventional: Structure, facet: Facet, states: dict[str, int]) -> int:
    """Count the neutral slabs between a cut and its image by an operation that turns the facet.

    An independent way: all gaps between planes, all such operations of the crystal, and charges.
    """
    oriented = SlabGenerator(conventional, facet, 1, 1, primitive=True).oriented_unit_cell
    heights = oriented.frac_coords[:, 2] % 1
    heights[heights > 1 - 1e-6] = 0
    charges = np.array([states[site.specie.symbol] for site in oriented])
    centres = {
        round(float(operation.translation_vector[2]) / 2 % 0.5, 5) + half
        for operation in SpacegroupAnalyzer(oriented, symprec=0.01).get_symmetry_operations()
        if np.allclose(operation.rotation_matrix[2], [0, 0, -1])
        for half in (0, 0.5)
    }
    planes = np.sort(heights)
    gaps = np.diff(np.append(planes, planes[0] + 1))
    wide = gaps * oriented.lattice.c > 0.1
    neutral = 0
    for centre, top in itertools.product(centres, (planes + gaps / 2)[wide]):
        bottom = 2 * centre - top
        copies = np.floor(top + 1 - heights) - np.ceil(bottom - 1 - heights) + 1
        neutral += int(charges @ copies == 0)
    return neutral


def test_states_decide_what_is_neutral() -> None:
    """An alloy of which nobody knows the charges is cut as a metal, and refused as an insulator."""
    alloy = Structure.from_spacegroup(
        "Fd-3m", Lattice.cubic(6.8), ["Li", "In"], [[0, 0, 0], [0.5, 0.5, 0.5]]
    )
    conventional = Crystal.from_structure(alloy).conventional
    size = {"thickness_A": 8, "vacuum_A": 11}
    assert build_slab(conventional, (1, 1, 0), **size, conductor=True).stoichiometric
    with pytest.raises(InputError, match="cannot be determined"):
        build_slab(conventional, (1, 1, 0), **size)
    given = build_slab(conventional, (1, 1, 0), **size, charges={"Li": 1, "In": -1})
    assert given.stoichiometric
