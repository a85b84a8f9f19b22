"""Collectors in the description of a cell."""

from __future__ import annotations

import pytest

from interohm.records.cell_config import Cell


def described(negative):
    return Cell.model_validate(
        {
            "name": "collectors",
            "states_of_charge": [0.0, 0.5, 1.0],
            "layers": [
                {"material": "Li", "thickness_nm": 200.0},
                {"material": "LiPON", "thickness_nm": 1000.0},
                {"material": "LiCoO2", "thickness_nm": 200.0},
            ],
            "collectors": {
                "negative": {"material": "Cu", "work_function_eV": 4.65, **negative},
                "positive": {"material": "Pt", "work_function_eV": 5.6},
            },
        }
    )


def test_the_front_is_one_depth_or_one_for_each_state():
    cell = described({"thickness_nm": 100.0, "ion_front_nm": [0.0, 5.0, 40.0]})
    depths = [cell.collectors.negative.front_at(cell, state) for state in (0.0, 0.5, 1.0, 0.25)]
    assert depths == [0.0, 5.0, 40.0, 0.0]
    assert cell.collectors.positive.front_at(cell, 1.0) == 0.0
    cell = described({"thickness_nm": 100.0, "ion_front_nm": 7.0})
    assert cell.collectors.negative.front_at(cell, 0.25) == 7.0


@pytest.mark.parametrize(
    ("collector", "message"),
    [
        ({"ion_front_nm": 5.0}, "needs the collector's thickness_nm"),
        ({"ion_front_nm": [5.0, 1.0], "thickness_nm": 9.0}, "2 values for 3"),
        ({"ion_front_nm": -5.0, "thickness_nm": 9.0}, "greater than or equal to 0"),
        ({"thickness_nm": 0.0}, "must be positive"),
    ],
)
def test_a_bad_collector_is_refused(collector, message):
    with pytest.raises(ValueError, match=message):
        described(collector)
