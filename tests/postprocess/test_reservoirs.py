"""Chemical potentials tied to the mobile ion's by the compounds that coexist."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pymatgen.core import Composition, Lattice, Structure

from interohm.postprocess.calculation import Calculation
from interohm.postprocess.reservoirs import chemical_potentials, ion_change, tied_elements

Make = Callable[..., Calculation]


@pytest.mark.parametrize(
    ("compounds", "slopes"),
    [
        (["LiF"], {"Li": 1, "F": -1}),
        (["Li2O"], {"Li": 1, "O": -2}),
        (["MgF2"], {"Mg": 1, "F": -0.5}),
        (["LiF", "MgF2"], {"Li": 1, "F": -1, "Mg": 2}),
        (["Li3PO4"], {"Li": 1}),  # phosphorus and oxygen are free
        (["Li3PO4", "Li2O"], {"Li": 1, "O": -2, "P": 5}),
        (["Li3PO4", "MgO"], {"Li": 1}),  # one compound more, one element more
    ],
)
def test_slopes(compounds: list[str], slopes: dict[str, float]) -> None:
    mobile = "Mg" if compounds == ["MgF2"] else "Li"
    assert tied_elements([Composition(one) for one in compounds], mobile) == pytest.approx(slopes)


def test_compounds_that_coexist_at_one_potential_only() -> None:
    with pytest.raises(ValueError, match="LiMnO2, Li2MnO3, MnO2 coexist at a single"):
        tied_elements([Composition("LiMnO2"), Composition("Li2MnO3"), Composition("MnO2")], "Li")


def test_ions_that_a_defect_takes_along() -> None:
    slopes = tied_elements([Composition("LiF"), Composition("MgF2")], "Li")
    assert ion_change({"F": -1}, slopes) == 1  # the vacancy of physics.md
    assert ion_change({"Mg": 1, "Li": -1}, slopes) == 1  # a donor: q = z·dn
    assert ion_change({"Li": 1, "F": -1}, slopes) == 2


def test_potentials_add_up_to_every_compound(make_calculation: Make) -> None:
    def cell(formula: str, energy_eV: float) -> Calculation:
        species = [el.symbol for el, n in Composition(formula).items() for _ in range(int(n))]
        places = [[i / len(species), 0, 0] for i in range(len(species))]
        structure = Structure(Lattice.cubic(9), species, places)
        return make_calculation(structure, energy_eV=energy_eV)

    phosphate, oxide, metal = cell("Li3PO4", -50.0), cell("Li2O", -14.3), cell("Li2", -3.8)
    mu = chemical_potentials(phosphate, metal, "Li", [oxide])
    assert mu["Li"] == -1.9
    assert 2 * mu["Li"] + mu["O"] == pytest.approx(-14.3)
    assert 3 * mu["Li"] + mu["P"] + 4 * mu["O"] == pytest.approx(-50.0)
    assert set(chemical_potentials(phosphate, metal, "Li")) == {"Li"}
