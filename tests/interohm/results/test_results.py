"""Results say what the documents say, and read what was written before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from pydantic import BaseModel

from interohm.database.columns import UNITS
from interohm.database.rows import COLUMNS
from interohm.errors import InputError
from interohm.prediction.cell import cell_result
from interohm.prediction.contact import contact_document, contact_result
from interohm.prediction.kpfm import MeasuredMap
from interohm.records.cell_config import Cell
from interohm.records.shipped import shipped_material
from interohm.results.cell import CellResult, CellState
from interohm.results.contact import (
    CellContact,
    ContactResult,
    LimitingStep,
    different_doubts,
    grouped,
)
from interohm.results.screening import ScreeningResult


def parts(value: Any, place: str = "") -> Iterator[tuple[str, BaseModel]]:
    """Yield every part of a result with its place."""
    if isinstance(value, BaseModel):
        yield place, value
        for name in type(value).model_fields:
            yield from parts(getattr(value, name), f"{place}.{name}")
    elif isinstance(value, (list, tuple)):
        for number, item in enumerate(value):
            yield from parts(item, f"{place}[{number}]")
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from parts(item, f"{place}.{name}")


def undeclared(result: BaseModel) -> list[str]:
    return [
        f"{place}.{name}" for place, part in parts(result) for name in part.__pydantic_extra__ or {}
    ]


@pytest.fixture(scope="module")
def cell() -> CellResult:
    layers = [{"material": name, "thickness_nm": 200} for name in ("Li", "LLZO", "LiCoO2")]
    collectors = {
        "negative": {"material": "Cu", "work_function_eV": 4.65},
        "positive": {"material": "Al", "work_function_eV": 4.28},
    }
    described = Cell(
        name="typed", states_of_charge=[0.0, 0.5], layers=layers, collectors=collectors
    )
    measured = MeasuredMap(np.array([10.0, 300.0, 500.0]), np.array([0.0, 0.4, 1.0]), "map.csv")
    materials = [shipped_material(layer.material) for layer in described.layers]
    return cell_result(described, materials, samples=20, measured=measured)


@pytest.mark.parametrize(
    ("names", "options"),
    [
        (("Li", "LLZO"), {}),
        (("LLZO", "LiPON"), {"samples": 0}),
        (("LLZO", "LiCoO2"), {"state_of_charge": 0.5}),
        (("Li", "LiF"), {"thickness_nm": 5.0}),
    ],
)
def test_every_field_of_a_contact_is_declared(names: tuple[str, str], options: Any) -> None:
    pair = [shipped_material(name) for name in names]
    result = contact_result(*pair, **{"samples": 20, **options})
    assert undeclared(result) == []
    document = json.loads(json.dumps(result.document(), allow_nan=False))
    again = ContactResult.read(document)
    assert again == result
    assert again.document() == document
    assert contact_document(*pair, **{"samples": 20, **options}) == document


def test_every_field_of_a_cell_is_declared(cell: CellResult) -> None:
    assert undeclared(cell) == []
    document = json.loads(json.dumps(cell.document(), allow_nan=False))
    assert CellResult.read(document) == cell
    assert CellResult.read(document).document() == document


def test_a_limiting_step_is_its_text(cell: CellResult) -> None:
    steps = [one.resistance.limiting_step for one in cell.states[0].contacts]
    assert all(isinstance(step, LimitingStep) for step in steps)
    assert f"{steps[0]}" in ("space charge", "charge transfer", "layer")


def test_columns_of_rows_are_fields_of_results() -> None:
    for collection, model in (("contacts", ContactResult), ("cells", CellState)):
        schema = model.model_json_schema()
        for column, place in COLUMNS[collection].items():
            if place:
                assert has(schema, schema, place.split(".")), column


def has(schema: dict[str, Any], node: dict[str, Any], steps: list[str]) -> bool:
    """Whether a schema declares a value at a path."""
    if "$ref" in node:
        node = schema["$defs"][node["$ref"].rpartition("/")[2]]
    if "anyOf" in node:
        return any(has(schema, one, steps) for one in node["anyOf"])
    if not steps:
        return node.get("type") != "object"
    first, *rest = steps
    if first in node.get("properties", {}):
        return has(schema, node["properties"][first], rest)
    more = node.get("additionalProperties")
    return isinstance(more, dict) and has(schema, more, rest)


@pytest.mark.parametrize("model", [ContactResult, CellResult, ScreeningResult])
def test_units_stand_in_descriptions(model: type[BaseModel]) -> None:
    schema = model.model_json_schema()
    found = 0
    for part in [schema, *schema["$defs"].values()]:
        for name, field in part.get("properties", {}).items():
            unit = next((UNITS[end] for end in UNITS if name.endswith(f"_{end}")), None)
            if unit is None or name in ("best", "share_above_ohm_cm2"):
                continue
            known = sorted((end for end in UNITS if name.endswith(f"_{end}")), key=len)[-1]
            if (name, part.get("title")) in TAKEN_FROM_PARTS:
                continue
            found += 1
            assert UNITS[known] in field.get("description", ""), (part.get("title"), name)
    assert found > 10


#: Whose unit stands with their own parts.
TAKEN_FROM_PARTS = {("distance_nm", "CellContact"), ("distance_nm", "ContactResult")} | {
    ("distance_nm", "ContactState")
}


def test_what_an_earlier_version_kept_is_read_and_stays_as_it_is() -> None:
    document = contact_document(shipped_material("Li"), shipped_material("LLZO"), samples=5)
    for field in ("validity", "next", "polarization", "over_state_of_charge", "reference"):
        del document[field]
    for field in ("interface_resistance_ohm_cm2", "contact_barrier_eV"):
        del document["resistance"][field]
    document["made_by"] = "a later version"
    result = ContactResult.read(document)
    assert result.resistance.interface_resistance_ohm_cm2 is None
    assert result.polarization is None
    assert result.document() == document


def test_what_is_no_result_is_refused() -> None:
    document = contact_document(shipped_material("Li"), shipped_material("LLZO"), samples=0)
    document["resistance"]["total_ohm_cm2"] = "much"
    with pytest.raises(InputError, match=r"resistance\.total_ohm_cm2"):
        ContactResult.read(document)
    with pytest.raises(InputError, match="left"):
        ContactResult.read({})


def test_a_doubt_that_differs_in_its_numbers_is_told_once() -> None:
    def contact(volts: str) -> CellContact:
        said = [
            {"code": "window", "text": f"{volts} V is outside of the window of LiPON"},
            {"code": "field", "text": f"the field in LiPON is {volts} V/nm"},
        ]
        return CellContact.model_validate({"left": "LiPON", "right": "LiCoO2", "validity": said})

    other = CellContact.model_validate(
        {"left": "Li", "right": "LiPON", "validity": [{"code": "field", "text": "1 V/nm"}]}
    )
    told = different_doubts([contact("3.15"), other, contact("4.2e0")])
    assert [(one.name, doubt.code) for one, doubt in told] == [
        ("LiPON | LiCoO2", "window"),
        ("LiPON | LiCoO2", "field"),
        ("Li | LiPON", "field"),
    ]
    assert told[0][1].text.startswith("3.15 V")


def test_remarks_of_one_kind_are_one_line_and_lose_nothing() -> None:
    def field(phase: str, strength: str) -> str:
        return f"the field in {phase} at the contact is {strength} V/nm, beyond what is described"

    found = grouped(
        [
            ("Li | LiF", "the barrier is unknown"),
            ("Li | LiF", field("LiF", "4.9")),
            ("LiF | LLZO", field("LiF", "4.9")),
            ("LiF | LLZO", "the barrier is unknown"),
            ("LLZO | LiCoO2", field("LLZO", "1.2e0")),
            ("LLZO | LiCoO2", "the barrier of LiCoO2 is unknown"),
        ]
    )
    assert found == [
        ("Li | LiF, LiF | LLZO", "the barrier is unknown"),
        (
            "Li | LiF, LiF | LLZO",
            f"{field('LiF', '4.9')}; likewise LLZO | LiCoO2 (LLZO, 1.2e0 V/nm)",
        ),
        # of another kind
        ("LLZO | LiCoO2", "the barrier of LiCoO2 is unknown"),
    ]


def test_a_number_within_a_name_is_no_number() -> None:
    texts = [f"the record gives no {field} for it" for field in ("a_cm2", "a_cm3")]
    remarks = [("Li | LiCoO2", text) for text in texts]
    # of LiFePO4, no phase of the other contact
    remarks += [("Li | LiF", "a film of LiFePO4"), ("Li | LiPON", "a film of LiMn2O4")]
    assert grouped(remarks) == remarks
