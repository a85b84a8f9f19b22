from __future__ import annotations

import copy
from typing import Any

import pytest

from interohm.errors import InputError
from interohm.records.cell_config import Cell, ExtrinsicControl
from interohm.yaml_io import parse_yaml, validated

TEXT = """
name: lithium-LLZO-LCO
temperature_K: 300
states_of_charge: [0.0, 0.25, 0.5, 0.75, 1.0]
layers:
  - {material: Li, thickness_nm: 20000}
  - {material: LiF, thickness_nm: 5, fermi_level: minimum_interface}
  - {material: LLZO, thickness_nm: 20000, fermi_level: {extrinsic_mu_eV: -1.5}, donors_cm3: 0}
  - {material: LiCoO2, thickness_nm: 20000, ion_content: {discharged: 1.0, charged: 0.5}}
contacts: [{dipole_V: 0.0}, {}, {}]
collectors:
  negative: {material: Cu, work_function_eV: 4.65}
  positive: {material: Al, work_function_eV: 4.28}
"""


def test_the_documented_cell_is_read_as_written() -> None:
    cell = validated(Cell, parse_yaml(TEXT, where="cell.yaml"), where="cell.yaml")
    assert [layer.material for layer in cell.layers] == ["Li", "LiF", "LLZO", "LiCoO2"]
    assert cell.layers[1].fermi_level == "minimum_interface"
    assert cell.layers[2].fermi_level == ExtrinsicControl(extrinsic_mu_eV=-1.5)
    assert cell.contacts is not None
    assert cell.contacts[0].dipole_V is not None
    assert cell.contacts[0].dipole_V.value == 0
    assert cell.contacts[1].dipole_V is None  # a known interface's, if there is one
    assert cell.collectors is not None
    assert cell.collectors.negative.work_function_eV.value == 4.65


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"temperature_K": -3}, "temperature_K"),
        ({"temperature_K": 26.85}, "give it in kelvin"),
        ({"states_of_charge": [0.0, 1.2]}, "states_of_charge[1]"),
        ({"states_of_charge": []}, "states_of_charge"),
        ({"layers": []}, "layers"),
        ({"contacts": [{}]}, "4 layers have 3 contacts"),
        ({"voltage": 3}, "voltage: unknown field"),
        ({"name": ""}, "name"),
    ],
)
def test_a_wrong_field_is_named(change: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as caught:
        validated(Cell, parse_yaml(TEXT, where="c") | change, where="cell.yaml")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"thickness_nm": 0}, "must be positive"),
        ({"thickness_nm": -5}, "must be positive"),
        ({"thickness_nm": 2e-6}, "give it in nm"),
        ({"fermi_level": "maximum_interface"}, "layers[2].fermi_level"),
        ({"fermi_level": {"extrinsic_mu_eV": [1.0, 2.0]}}, "2 values for 5 states_of_charge"),
        ({"donors_cm3": -1}, "layers[2].donors_cm3"),
        ({"material": ""}, "layers[2].material"),
    ],
)
def test_a_wrong_layer_is_named(change: dict[str, Any], said: str) -> None:
    data = copy.deepcopy(parse_yaml(TEXT, where="c"))
    data["layers"][2] |= change
    with pytest.raises(InputError) as caught:
        validated(Cell, data, where="cell.yaml")
    assert said in str(caught.value)
