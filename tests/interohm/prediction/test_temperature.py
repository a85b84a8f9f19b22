"""Temperature sweeps of cells, and their apparent activation energies."""

from __future__ import annotations

import numpy as np
import pytest

from interohm.prediction.arrhenius import sweep_temperatures_K
from interohm.prediction.solved_cell import solve_state
from interohm.prediction.temperature import temperature_fields
from interohm.records.cell_config import Cell
from interohm.records.shipped import shipped_material

TEMPERATURES = [280.0, 300.0, 320.0]


def solved(layers, **fields):
    cell = Cell.model_validate(
        {"name": "sweep", "states_of_charge": [1.0], "layers": layers, **fields}
    )
    materials = [shipped_material(layer.material) for layer in cell.layers]
    return cell, materials, solve_state(cell, materials, 0)


THICK = [
    {"material": "Li", "thickness_nm": 1e4},
    {"material": "LLZO", "thickness_nm": 2e4},
    {"material": "LiCoO2", "thickness_nm": 1e4},
]
COATED = [THICK[0], {"material": "LiF", "thickness_nm": 5.0}, *THICK[1:]]


@pytest.mark.parametrize("layers", [THICK, COATED], ids=["thick", "coated"])
def test_a_sweep_is_the_cell_at_each_temperature(layers):
    cell, materials, state = solved(layers)
    fields = temperature_fields(cell, materials, 0, thick=state.thick, temperature_K=TEMPERATURES)
    assert fields["temperature_K"] == TEMPERATURES
    for place, temperature in enumerate(TEMPERATURES):
        single = cell.model_copy(update={"temperature_K": temperature})
        one = solve_state(single, materials, 0, thick=state.thick)
        assert fields["area_specific"]["resistance_ohm_cm2"][place] == pytest.approx(
            float(one.area_specific_resistance_ohm_cm2), rel=1e-6
        )
        for contact, part in zip(one.contacts, fields["contacts"], strict=True):
            assert part["charge_transfer"]["resistance_ohm_cm2"][place] == pytest.approx(
                float(contact.charge_transfer_ohm_cm2), rel=1e-6
            )


def test_the_bulk_of_llzo_has_its_activation_energy():
    cell, materials, state = solved(THICK)
    fields = temperature_fields(cell, materials, 0, thick=state.thick)
    (layer,) = fields["layers"]
    energies = np.array(layer["activation_energy_eV"])
    # what the record states of its conductivity
    assert energies == pytest.approx(0.33, abs=0.02)
    without = np.array(layer["without_space_charge"]["activation_energy_eV"])
    assert without == pytest.approx(energies, abs=1e-9)


def test_without_space_charge_nothing_is_screened():
    cell, materials, state = solved(THICK)
    fields = temperature_fields(cell, materials, 0, thick=state.thick)
    total = fields["area_specific"]["without_space_charge"]["resistance_ohm_cm2"]
    parts = fields["layers"][0]["resistance_ohm_cm2"]
    transfers = [
        one["charge_transfer"]["without_space_charge"]["resistance_ohm_cm2"]
        for one in fields["contacts"]
    ]
    assert np.array(total) == pytest.approx(
        np.array(parts) + np.sum(np.array(transfers), axis=0), rel=1e-9
    )
    # with space charge a contact transfers otherwise
    with_space_charge = fields["contacts"][0]["charge_transfer"]["resistance_ohm_cm2"]
    assert transfers[0] != pytest.approx(with_space_charge, rel=0.03)


def test_a_coated_contact_keeps_the_space_charge_of_its_thick_side():
    cell, materials, state = solved(COATED)
    fields = temperature_fields(cell, materials, 0, thick=state.thick, temperature_K=TEMPERATURES)
    coated = fields["contacts"][1]
    assert (coated["left"], coated["right"]) == ("LiF", "LLZO")
    assert coated["space_charge"]["resistance_ohm_cm2"][1] == pytest.approx(
        float(state.contacts[1].space_charge_right_ohm_cm2), rel=1e-6
    )


def test_default_sweep_surrounds_the_cell():
    cell, _, _ = solved(THICK, temperature_K=350.0)
    temperatures = sweep_temperatures_K(cell.temperature_K)
    assert temperatures[len(temperatures) // 2] == pytest.approx(350.0)
    assert np.all(np.diff(temperatures) > 0)
