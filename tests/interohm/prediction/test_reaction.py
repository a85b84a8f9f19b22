"""Reactions of two phases by hand: made-up energies whose balance is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from interohm.cli.tables import print_contact
from interohm.errors import InputError
from interohm.prediction.cell import cell_document
from interohm.prediction.contact import contact_document
from interohm.prediction.reaction import reaction_fields
from interohm.records import material_document, material_from
from interohm.records.cell_config import Cell
from interohm.records.shipped import shipped_material
from interohm.report import write_contact_report, write_report
from interohm.results.contact import ContactResult

#: eV per formula unit, elements at zero.
ENERGIES = {"Li2O": -6.0, "MgO": -4.0, "LiF": -6.0, "MgF2": -9.0}
ATOMS = {"Li2O": 3, "MgO": 2, "LiF": 2, "MgF2": 3}
ELEMENTS = ("Li", "Mg", "O2", "F2")


def insulator(composition: str, **changes: Any) -> Any:
    """LiF's record with the energies of something else."""
    record = shipped_material("LiF")
    assert record is not None
    energies = dict.fromkeys(ELEMENTS, 0.0)
    energies |= {name: energy / ATOMS[name] for name, energy in ENERGIES.items()}
    known = {"composition": composition, "method": "by hand", "energies_eV": energies} | changes
    data = {**material_document(record), "name": composition, "phase_energies": known}
    return material_from(data, where="test")


def shipped(name: str) -> Any:
    record = shipped_material(name)
    assert record is not None
    return record


def reaction(left: Any, right: Any, voltage_V: float | None = None) -> dict[str, Any]:
    found = reaction_fields(left, right, voltage_V)
    assert found is not None
    return found


def test_lithium_reduces_an_oxide() -> None:
    """2 Li + MgO → Li2O + Mg, −2 eV for the two atoms that are no lithium."""
    found = reaction(shipped("Li"), insulator("MgO"), 0.0)
    assert found["driving_force_eV"] == pytest.approx(1.0)
    assert found["verdict"] == "reacts"
    assert found["products"] == ["Li2O", "Mg"]
    assert found["conducts_electrons"] is True
    assert "the reaction continues" in found["text"]


@pytest.mark.parametrize(
    ("voltage_V", "verdict"),
    [(0.9, "reacts"), (0.97, "may react"), (1.0, "does not react"), (2, "does not react")],
)
def test_the_potential_decides(voltage_V: float, verdict: str) -> None:
    """Each lithium costs V: −2 + 2·V."""
    found = reaction(insulator("MgO"), shipped("Li"), voltage_V)
    assert found["driving_force_eV"] == pytest.approx(max(1.0 - voltage_V, 0.0), abs=1e-9)
    assert found["verdict"] == verdict
    if verdict == "does not react":
        assert found["products"] == []
        assert found["conducts_electrons"] is False


def test_two_insulators_exchange_their_anions() -> None:
    """Li2O + MgF2 → 2 LiF + MgO, −1 eV: of six atoms closed, of four that are no lithium."""
    closed = reaction(insulator("Li2O"), insulator("MgF2"))
    assert closed["driving_force_eV"] == pytest.approx(1.0 / 6.0)
    assert closed["products"] == ["LiF", "MgO"]
    assert closed["conducts_electrons"] is False
    # where neither decomposes alone: Li2O up to 3 V, MgF2 from 1.5 V
    open_to_lithium = reaction(insulator("Li2O"), insulator("MgF2"), 2.0)
    assert open_to_lithium["driving_force_eV"] == pytest.approx(1.0 / 4.0)
    assert open_to_lithium["products"] == ["LiF", "MgO"]


def test_what_the_potential_does_to_one_phase_counts() -> None:
    """Li2O beside LiF at 4 V gives oxygen: 6 − 2·4 eV of one atom."""
    found = reaction(insulator("Li2O"), insulator("LiF"), 4.0)
    assert found["driving_force_eV"] == pytest.approx(2.0)
    assert found["products"] == ["O2"]


def test_the_same_on_either_side() -> None:
    pair = insulator("Li2O"), insulator("MgF2")
    one, other = reaction(*pair, 2.0), reaction(*pair[::-1], 2.0)
    assert one["driving_force_eV"] == pytest.approx(other["driving_force_eV"])
    assert one["products"] == other["products"]


def test_energies_that_are_missing_give_no_verdict() -> None:
    assert reaction_fields(shipped("Li"), shipped("LLZO"), 0.0) is None
    assert reaction_fields(insulator("MgO"), shipped("LLZO"), 0.0) is None
    other = insulator("LiF", method="by another functional")
    assert reaction_fields(insulator("MgO"), other, 0.0) is None
    few = insulator("MgO", energies_eV={"MgO": -2.0, "Mg": 0.0})
    assert reaction_fields(shipped("Li"), few, 0.0) is None


def test_a_formula_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="is not a formula"):
        insulator("Li2(CO3)")


@pytest.mark.parametrize("name", ["LiF_001", "Li2O_111", "LiCl_001", "Li3N_100", "LiH_001"])
def test_what_forms_on_lithium_is_stable_beside_it(name: str) -> None:
    document = contact_document(shipped("Li_110"), shipped(name), samples=0)
    found = document["reaction"]
    assert found is not None
    assert found["verdict"] == "does not react"
    assert found["driving_force_eV"] < 1e-3


def test_two_calculated_interlayers_do_not_react() -> None:
    found = contact_document(shipped("LiF_001"), shipped("Li2O_111"), samples=0)["reaction"]
    assert found["verdict"] == "does not react"
    assert {"LiF", "Li2O", "Li2O2"} <= set(found["compared_with"])


def test_documents_and_reports_say_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    materials = [shipped("Li"), insulator("MgO")]
    document = contact_document(*materials, samples=0)
    assert document["reaction"]["verdict"] == "reacts"
    write_contact_report(tmp_path / "contact.html", materials, document)
    said = document["reaction"]["text"]
    assert said.startswith("Li and MgO react to Li2O, Mg")
    assert said in (tmp_path / "contact.html").read_text()
    print_contact(ContactResult.read(document), [], has_charge=True)
    assert "Li and MgO react to Li2O, Mg" in " ".join(capsys.readouterr().out.split())


def test_a_cell_has_it_at_each_state_of_charge(tmp_path: Path) -> None:
    """Contacts of records without energies have none."""
    materials = [shipped("Li"), insulator("Li2O"), shipped("LLZO"), shipped("LiCoO2")]
    layers = [{"material": one.name, "thickness_nm": 20000} for one in materials]
    cell = Cell.model_validate({"name": "t", "states_of_charge": [0.5], "layers": layers})
    document = cell_document(cell, materials, samples=0)
    write_report(tmp_path / "cell.html", cell, materials, document)
    assert "Li | Li2O: does not react" in (tmp_path / "cell.html").read_text()
    [state] = document["states"]
    first, *others = (contact["reaction"] for contact in state["contacts"])
    assert first["verdict"] == "does not react"
    assert first["voltage_V"] == 0
    assert others == [None, None]
