"""Oxidation states, molecular anions among them."""

from __future__ import annotations

from pathlib import Path

import pytest
from pymatgen.core import Lattice, Structure

from interohm.errors import InputError
from interohm.slab_builders.oxidation_states import (
    formula_of,
    known_oxidation_states,
    molecules,
    oxidation_states,
)
from interohm.slab_builders.structure_files import read_structure

STRUCTURES = Path(__file__).parents[2] / "configs" / "structures"

CRYSTALS = {
    "FeS2": Structure.from_spacegroup(
        "Pa-3", Lattice.cubic(5.42), ["Fe", "S"], [[0, 0, 0], [0.385] * 3]
    ),
    "KO2": Structure.from_spacegroup(
        "I4/mmm", Lattice.tetragonal(4.03, 6.70), ["K", "O"], [[0, 0, 0], [0, 0, 0.403]]
    ),
    "NaN3": Structure.from_spacegroup(
        "R-3m",
        Lattice.hexagonal(3.65, 15.2),
        ["Na", "N", "N"],
        [[0, 0, 0], [0, 0, 0.5], [0, 0, 0.4227]],
    ),
    "CaC2": Structure.from_spacegroup(
        "I4/mmm", Lattice.tetragonal(3.89, 6.38), ["Ca", "C"], [[0, 0, 0], [0, 0, 0.407]]
    ),
    "LiOH": Structure.from_spacegroup(
        "P4/nmm",
        Lattice.tetragonal(3.549, 4.334),
        ["Li", "O", "H"],
        [[0, 0, 0], [0, 0.5, 0.194], [0, 0.5, 0.407]],
    ),
    # Rounded: the bonds are what counts.
    "LiBH4": Structure.from_spacegroup(
        "Pnma",
        Lattice.orthorhombic(7.18, 4.44, 6.80),
        ["Li", "B", "H", "H", "H"],
        [
            [0.157, 0.25, 0.102],
            [0.304, 0.25, 0.431],
            [0.900, 0.25, 0.956],
            [0.404, 0.25, 0.280],
            [0.172, 0.054, 0.428],
        ],
    ),
    "Li3OCl": Structure.from_spacegroup(
        "Pm-3m",
        Lattice.cubic(3.91),
        ["Cl", "O", "Li"],
        [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0]],
    ),
    "Fe3O4": Structure.from_spacegroup(
        "Fd-3m",
        Lattice.cubic(8.4),
        ["Fe", "Fe", "O"],
        [[0, 0, 0], [0.625, 0.625, 0.625], [0.38, 0.38, 0.38]],
    ),
    "LiIn": Structure.from_spacegroup(
        "Fd-3m", Lattice.cubic(6.8), ["Li", "In"], [[0, 0, 0], [0.5, 0.5, 0.5]]
    ),
}


def crystal(name: str) -> Structure:
    if name in CRYSTALS:
        return CRYSTALS[name]
    return read_structure(STRUCTURES / f"{name}.cif", where="test").structure


@pytest.mark.parametrize(
    ("name", "expected", "ions"),
    [
        ("Li2O2", {"Li": 1, "O": -1}, {"O2"}),
        ("KO2", {"K": 1, "O": -0.5}, {"O2"}),
        ("FeS2", {"Fe": 2, "S": -1}, {"S2"}),
        ("NaN3", {"Na": 1, "N": -1 / 3}, {"N3"}),
        ("CaC2", {"Ca": 2, "C": -1}, {"C2"}),
        ("LiH", {"Li": 1, "H": -1}, {"H1"}),
        ("LiBH4", {"Li": 1, "B": 3, "H": -1}, {"B1 H4"}),
        ("LiOH", {"Li": 1, "O": -2, "H": 1}, {"H1 O1"}),
        ("Li2O", {"Li": 1, "O": -2}, {"O1"}),
        ("Li3PO4", {"Li": 1, "P": 5, "O": -2}, {"O4 P1"}),
        ("LiCoO2", {"Li": 1, "Co": 3, "O": -2}, {"O1"}),
        ("Li3OCl", {"Li": 1, "O": -2, "Cl": -1}, {"O1", "Cl1"}),
        ("Fe3O4", {"Fe": 8 / 3, "O": -2}, {"O1"}),
    ],
)
def test_states_and_ions(name: str, expected: dict[str, float], ions: set[str]) -> None:
    structure = crystal(name)
    states = known_oxidation_states(structure)
    assert sum(states) == pytest.approx(0, abs=1e-9)
    for site, state in zip(structure, states, strict=True):
        assert state == pytest.approx(expected[site.specie.symbol]), site.specie.symbol
    assert {formula_of(structure, sites) for sites in molecules(structure)} == ions
    # The same in a larger cell, where molecules cross its borders elsewhere.
    larger = structure.copy()
    larger.translate_sites(range(len(larger)), [0.23, 0.41, 0.37])
    larger.make_supercell([2, 1, 1])
    assert sorted(known_oxidation_states(larger)) == pytest.approx(sorted(2 * states))


def test_two_kinds_of_one_element() -> None:
    """Oxide beside peroxide: each atom has its own state."""
    structure = Structure(
        Lattice.orthorhombic(5, 5, 9),
        ["Li", "Li", "Li", "Li", "O", "O", "O"],
        [
            [0, 0, 0],
            [0.5, 0.5, 0],
            [0, 0, 0.5],
            [0.5, 0.5, 0.5],
            [0.5, 0, 0.25],
            [0, 0.35, 0.75],
            [0, 0.65, 0.75],
        ],
    )
    assert known_oxidation_states(structure) == [1, 1, 1, 1, -2, -1, -1]


def test_what_cannot_be_told_is_asked_for() -> None:
    structure = crystal("LiIn")
    assert oxidation_states(structure) is None
    with pytest.raises(InputError, match="cannot be determined") as caught:
        known_oxidation_states(structure)
    assert "oxidation_states: {In: …, Li: …}" in (caught.value.fix or "")
    assert set(known_oxidation_states(structure, {"Li": 1})) == {1, -1}
    with pytest.raises(InputError, match="not neutral"):
        known_oxidation_states(structure, {"Li": 1, "In": -3})
    with pytest.raises(InputError, match="contains no O"):
        known_oxidation_states(structure, {"O": -2})


def test_given_states_go_first() -> None:
    states = known_oxidation_states(crystal("FeS2"), {"Fe": 4})
    assert sorted(set(states)) == [-2, 4]
