"""What errors of configurations say: what was expected, in plain words, and how it is written."""

from __future__ import annotations

from typing import Any

import pytest

from interohm.errors import InputError
from interohm.records import material_document, material_from
from interohm.records.cell_config import Cell
from interohm.records.design import Design
from interohm.records.shipped import shipped_material
from interohm.screening.config import ScreenConfig
from interohm.workflows.campaign_config import CampaignConfig
from interohm.yaml_io import validated

_DESIGN = {
    "between": ["LiCoO2", "Li6PS5Cl"],
    "coatings": ["LiNbO3"],
    "thickness_nm": {"from": 1, "to": 2},
}
_SCREEN = {"negative_electrodes": ["Li"], "electrolytes": ["LLZO"], "positive_electrodes": ["A"]}


@pytest.mark.parametrize(
    ("changed", "what", "fix"),
    [
        ({"between": "A, B"}, "between: a list was expected", "write [A, B]"),
        ({"between": "A"}, "between: a list was expected", "write [A, …]"),
        ({"between": ["A", "B", "C"]}, "between: at most 2 expected, not 3", ""),
        ({"coatings": []}, "coatings: at least 1 expected, not 0", ""),
        ({"coatings": "A"}, "coatings: a list was expected", "write [A]"),
        ({"coatings": [5]}, "coatings[0]: fields were expected", "write {material: …}"),
        ({"second_layer": "A"}, "fields were expected", "write {coatings: …, thickness_nm: …}"),
        ({"limits": "A"}, "limits: fields were expected", "write {electron_barrier_eV: …, "),
        ({"structures": ["A"]}, "structures: fields were expected", ""),
        ({"samples": 40.5}, "samples: a whole number was expected", ""),
        ({"electrons": "perhaps"}, "electrons: true or false was expected", ""),
        ({"name": 5}, "name: text was expected", ""),
        # unknown fields: those that are alike, first at that place, else all of that place
        (
            {"limits": {"stability_margin_V": {"cathode": 0}}},
            "limits.stability_margin_V.cathode: unknown field",
            "the fields here are left, right",
        ),
        ({"thickness_nm": {"form": 1, "to": 2}}, "form: unknown field", "did you mean from?"),
        ({"limits": {"leakage_A": 1}}, "leakage_A: unknown field", "did you mean leakage_A_cm2?"),
        ({"colour": 1}, "colour: unknown field", "remove the unknown field"),
        # fields of another place, with that place
        (
            {"stability_margin_V": 0},
            "stability_margin_V: unknown field",
            "stability_margin_V: did you mean limits.stability_margin_V?",
        ),
        ({"susceptibility": 2}, "unknown field", "did you mean coatings[…].susceptibility?"),
        ({"limits": {"samples": 9}}, "unknown field", "limits.samples: did you mean samples?"),
        ({"leakage_cm2": 1}, "unknown field", "did you mean limits.leakage_A_cm2?"),
    ],
)
def test_a_design(changed: dict[str, Any], what: str, fix: str) -> None:
    with pytest.raises(InputError) as caught:
        validated(Design, {**_DESIGN, **changed}, where="design.yaml")
    assert what in caught.value.what
    assert fix in caught.value.fix
    for word in ("tuple", "dictionary", "instance", "Input should"):
        assert word not in caught.value.what


def test_a_coating_of_a_screening_needs_a_thickness() -> None:
    with pytest.raises(InputError, match="fields were expected") as caught:
        validated(ScreenConfig, {**_SCREEN, "positive_coatings": ["Al2O3"]}, where="")
    assert caught.value.fix == "positive_coatings[0]: write {material: Al2O3, thickness_nm: …}"


def test_a_layer_of_a_cell() -> None:
    with pytest.raises(InputError, match="fields were expected") as caught:
        validated(Cell, {"layers": ["Li"]}, where="")
    assert "layers[0]: write {material: Li, thickness_nm: …}" in caught.value.fix


def test_a_quantity_of_a_record() -> None:
    record = shipped_material("LLZO")
    assert record is not None
    given = [{"value": 0.1, "err": 0.1}, 3.0]
    with pytest.raises(InputError, match="unknown field") as caught:
        material_from({**material_document(record), "stability_window_V": given}, where="")
    assert "the fields here are value, uncertainty" in caught.value.fix


def test_fields_of_another_kind_are_not_meant() -> None:
    """A field that a metal alone has leads to none of the same name."""
    record = shipped_material("LLZO")
    assert record is not None
    with pytest.raises(InputError, match="states: unknown field") as caught:
        material_from({**material_document(record), "states": []}, where="")
    assert "did you mean" not in caught.value.fix
    assert "remove the unknown field" in caught.value.fix


def test_a_whole_document_that_has_no_fields() -> None:
    with pytest.raises(InputError, match="fields were expected") as caught:
        validated(Design, ["LiNbO3"], where="design.yaml")
    assert caught.value.fix == "write {between: …, coatings: …, thickness_nm: …}"


def test_of_alternatives_what_all_of_them_need() -> None:
    with pytest.raises(InputError, match="fields were expected") as caught:
        validated(CampaignConfig, {"name": "c", "phases": ["Li"]}, where="")
    assert "phases[0]: write {name: Li, …}" in caught.value.fix
