"""Which defects a phase has: charges, ions taken along, elements whose potential is tied."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pymatgen.core import Composition, Lattice, Structure

from interohm.errors import InputError
from interohm.slab_builders.cells import Crystal
from interohm.workflows.campaign_config import InsulatorPhase
from interohm.workflows.defect_plan import PlannedDefect, planned_defects

STRUCTURES = Path(__file__).parents[2] / "configs" / "structures"
pytestmark = pytest.mark.filterwarnings("ignore:Issues encountered")


def phase(**fields: Any) -> InsulatorPhase:
    given = {"name": "X", "structure": "X.cif", "facet": [0, 0, 1], "dielectric_constant": 9}
    return InsulatorPhase.model_validate({**given, **fields})


def plan(
    structure: Structure, *beside: str, ion: tuple[str, int] = ("Li", 1), **fields: Any
) -> list[PlannedDefect]:
    conventional = Crystal.from_structure(structure).conventional
    return planned_defects(phase(**fields), conventional, *ion, [Composition(b) for b in beside])


def summary(planned: list[PlannedDefect]) -> dict[str, tuple[int, float]]:
    return {defect.name: (defect.charge, defect.ion_change) for defect in planned}


@pytest.fixture(scope="module")
def fluoride() -> Structure:
    return Structure.from_file(STRUCTURES / "LiF.cif")


@pytest.fixture(scope="module")
def anti_perovskite() -> Structure:
    places = [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0]]
    return Structure.from_spacegroup("Pm-3m", Lattice.cubic(3.91), ["Cl", "O", "Li"], places)


def test_a_binary_needs_nothing_beside_it(fluoride: Structure) -> None:
    assert summary(plan(fluoride)) == {"V_Li": (-1, -1), "Li_i": (1, 1), "V_F": (1, 1)}
    magnesium = Structure.from_file(STRUCTURES / "MgF2.cif")
    found = summary(plan(magnesium, ion=("Mg", 2)))
    assert (found["V_Mg"], found["V_F"]) == ((-2, -1), (1, 0.5))


def test_charge_states_in_a_window(fluoride: Structure) -> None:
    planned = plan(fluoride, charges=[-1, 1])
    assert [d.charge for d in planned if d.site.name == "V_F"] == [-1, 0, 1]
    assert [d.name for d in planned if d.site.name == "V_F" and d.ionic] == ["V_F_+1"]
    # The ionic charge is there even where the window leaves it out.
    assert {d.charge for d in plan(fluoride, charges=[0, 0]) if d.site.name == "V_Li"} == {-1, 0}


def test_dopants_take_their_potential_from_a_compound(fluoride: Structure) -> None:
    dopant = {"element": "Mg", "replaces": "Li"}
    planned = plan(fluoride, "MgF2", dopants=[dopant])
    (donor,) = (defect for defect in planned if defect.dopant)
    assert (donor.name, donor.charge, donor.ion_change) == ("Mg_Li", 1, 1)
    assert donor.site.added == {"Mg": 1, "Li": -1}
    given = plan(fluoride, "MgF2", dopants=[{**dopant, "charge": 0}])
    assert next(defect.charge for defect in given if defect.dopant) == 0
    assert PlannedDefect.from_dict(donor.as_dict()).as_dict() == donor.as_dict()


def test_antisites(fluoride: Structure) -> None:
    found = summary(plan(fluoride, antisites=True))
    assert (found["Li_F"], found["F_Li"]) == ((2, 2), (-2, -2))


def test_a_ternary_beside_another_compound(anti_perovskite: Structure) -> None:
    alone = summary(plan(anti_perovskite))
    assert set(alone) == {"V_Li", "Li_i"}
    found = summary(plan(anti_perovskite, "LiCl"))
    # Li3OCl beside LiCl is Li2O + LiCl: oxygen takes two ions along, chlorine one.
    assert (found["V_O"], found["V_Cl"]) == ((2, 2), (1, 1))


@pytest.mark.parametrize(
    ("beside", "fields", "message"),
    [
        ([], {"dopants": [{"element": "Mg", "replaces": "Li"}]}, "potential of Mg.*compound of Mg"),
        (["MgF2"], {"dopants": [{"element": "Mg", "replaces": "O"}]}, "no O to be replaced"),
        ([], {"dopants": [{"element": "F", "replaces": "Li"}]}, "antisites"),
        (["FeF2"], {"dopants": [{"element": "Fe", "replaces": "Li"}]}, "give the `charge`"),
        (["LiF", "Li3F"], {}, "coexist at a single chemical potential only"),
    ],
)
def test_what_is_not_determined_is_said(
    fluoride: Structure, beside: list[str], fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        plan(fluoride, *beside, **fields)


def test_a_window_is_written_upwards() -> None:
    with pytest.raises(ValueError, match="lower charge first"):
        phase(charges=[2, -2])
