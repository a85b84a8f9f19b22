"""Intervals of barriers, band steps and leakage in a cell."""

from __future__ import annotations

from math import log10
from typing import Any

import pytest

from interohm.prediction.cell import cell_document
from interohm.prediction.electron_samples import cell_electron_quantiles
from interohm.prediction.solved_cell import solve_state
from interohm.records import Insulator, Metal
from interohm.records.cell_config import Cell
from interohm.records.shipped import shipped_material

LI, LIF, LLZO, LCO = (
    {"material": "Li", "thickness_nm": 20000},
    {"material": "LiF", "thickness_nm": 5},
    {"material": "LLZO", "thickness_nm": 20000},
    {"material": "LiCoO2", "thickness_nm": 20000},
)


def cell_of(layers: list[dict[str, Any]]) -> tuple[Cell, list[Insulator | Metal]]:
    cell = Cell.model_validate({"name": "cell", "layers": layers, "states_of_charge": [0.5]})
    materials = [shipped_material(layer.material) for layer in cell.layers]
    assert all(material is not None for material in materials)
    return cell, [material for material in materials if material is not None]


@pytest.mark.parametrize("layers", [[LI, LLZO, LCO], [LI, LIF, LLZO, LCO]])
def test_intervals_hold_the_nominal_values(layers: list[dict[str, Any]]) -> None:
    document = cell_document(*cell_of(layers), samples=100)
    [state] = document["states"]
    groups = [
        (contact["electrons"], contact["quantiles"]["electrons"]) for contact in state["contacts"]
    ]
    groups.append((state["electronic_leakage"], state["quantiles"]["electronic_leakage"]))
    for nominal, intervals in groups:
        for field, interval in intervals.items():
            of_log = field.startswith("log10_")
            value = nominal[field.removeprefix("log10_")]
            if value is None:
                assert interval is None
                continue
            value = log10(value) if of_log else value
            assert interval["p05"] < value < interval["p95"], field
    assert state["quantiles"]["electronic_leakage"]["log10_current_A_cm2"] is not None


@pytest.mark.parametrize("layers", [[LI, LLZO, LCO], [LI, LIF, LLZO, LCO]])
def test_what_is_certain_has_the_nominal_value_and_no_width(layers: list[dict[str, Any]]) -> None:
    """The nominal solution, taken as the only sample, against what its profiles give."""
    cell, materials = cell_of(layers)
    [state] = cell_document(cell, materials, samples=2)["states"]
    contacts, leakage = cell_electron_quantiles(solve_state(cell, materials, 0), 300.0)
    pairs = [
        (one["electrons"], found) for one, found in zip(state["contacts"], contacts, strict=True)
    ]
    for nominal, intervals in [*pairs, (state["electronic_leakage"], leakage)]:
        for field, interval in intervals.items():
            value = nominal[field.removeprefix("log10_")]
            if value is None:
                assert interval is None
                continue
            value = log10(value) if field.startswith("log10_") else value
            assert interval["p05"] == interval["p95"]
            # a profile ends 0.025 % of the drop before the bulk
            assert interval["p50"] == pytest.approx(value, abs=0.01), field
