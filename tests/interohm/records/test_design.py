"""The description of a design: numbers, lists and ranges, and errors that name the field."""

from __future__ import annotations

from typing import Any

import pytest

from interohm.errors import InputError
from interohm.records.design import Design, DopingGradientRange
from interohm.yaml_io import validated

_DOCUMENT: dict[str, Any] = {
    "name": "test",
    "between": ["LiCoO2", "Li3PS4"],
    "coatings": ["LiNbO3"],
    "thickness_nm": {"from": 1, "to": 10},
}


def _with_coating(**fields: Any) -> dict[str, Any]:
    return {**_DOCUMENT, "coatings": [{"material": "LiNbO3", **fields}]}


def test_numbers_lists_and_ranges_are_told_apart() -> None:
    described = validated(
        Design,
        _with_coating(
            donors_cm3=1e19,
            acceptors_cm3=[0, 1e18],
            doping_gradient_cm3={"from": -1e18, "to": 1e18},
        ),
        where="design.yaml",
    )
    (one,) = described.coatings
    assert one.donors_cm3 == 1e19
    assert one.acceptors_cm3 == [0.0, 1e18]
    assert isinstance(one.doping_gradient_cm3, DopingGradientRange)
    assert one.doping_gradient_cm3.low == -1e18
    assert Design.model_validate(described.model_dump()) == described


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({**_DOCUMENT, "thickness_nm": {"from": 5, "to": 1}}, "thickness_nm: from: 5 is not below"),
        ({**_DOCUMENT, "thickness_nm": [1, -2]}, "thickness_nm[1]: a thickness must be positive"),
        ({**_DOCUMENT, "thickness_nm": "thin"}, "thickness_nm: a number was expected"),
        (_with_coating(doping_gradient_cm3=1e25), "coatings[0].doping_gradient_cm3: Input should"),
        (_with_coating(donors_cm3={"from": 1e18}), "coatings[0].donors_cm3.to: missing field"),
        (_with_coating(susceptibility={"from": 0, "to": 9}), "coatings[0].susceptibility.from:"),
    ],
)
def test_an_error_names_the_field_once(document: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        validated(Design, document, where="design.yaml")
    assert message in str(caught.value)
    assert ";" not in str(caught.value).partition("(fix")[0].replace("; the smaller", "").replace(
        "; write", ""
    )
