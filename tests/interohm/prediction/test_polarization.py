"""Cells at finite current."""

from __future__ import annotations

import numpy as np
import pytest

from interohm.prediction.contact import contact_document
from interohm.prediction.polarization import charge_transfer, polarization_fields
from interohm.prediction.solved_cell import solve_state
from interohm.records import Quantity
from interohm.records.cell_config import Cell
from interohm.records.shipped import shipped_material


def solved(reorganization_energy_eV=None):
    cell = Cell.model_validate(
        {
            "name": "current",
            "states_of_charge": [1.0],
            "layers": [
                {"material": "Li", "thickness_nm": 1e4},
                {"material": "LLZO", "thickness_nm": 2e4},
                {"material": "LiCoO2", "thickness_nm": 1e4},
            ],
        }
    )
    materials = [shipped_material(layer.material) for layer in cell.layers]
    if reorganization_energy_eV is not None:
        given = Quantity(value=reorganization_energy_eV)
        materials[2] = materials[2].model_copy(update={"reorganization_energy_eV": given})
    return solve_state(cell, materials, 0)


def test_a_small_current_meets_the_area_specific_resistance():
    state = solved()
    fields = polarization_fields(state, 300.0, [1e-15])
    assert fields["resistance_ohm_cm2"][0] == pytest.approx(
        float(state.area_specific_resistance_ohm_cm2), rel=1e-6
    )


@pytest.mark.parametrize("energy", [None, 0.5])
def test_overpotentials_add_up(energy):
    state = solved(energy)
    fields = polarization_fields(state, 300.0)
    currents = np.array(fields["current_A_cm2"])
    rest = float(
        state.area_specific_resistance_ohm_cm2
        - sum(contact.charge_transfer_ohm_cm2 for contact in state.contacts)
    )
    carried = [place for place, value in enumerate(fields["overpotential_V"]) if value is not None]
    assert carried[0] == 0
    for place in carried:
        parts = [contact["overpotential_V"][place] for contact in fields["contacts"]]
        assert fields["overpotential_V"][place] == pytest.approx(
            sum(parts) + rest * currents[place], rel=1e-6
        )


def test_the_law_follows_the_record():
    laws = [one["law"] for one in polarization_fields(solved(), 300.0)["contacts"]]
    assert laws == ["Butler–Volmer", "Butler–Volmer"]
    state = solved(0.3)
    fields = polarization_fields(state, 300.0)
    first, last = fields["contacts"]
    assert first["law"] == "Butler–Volmer"
    assert last["law"] == "Marcus–Hush–Chidsey"
    assert first["limiting_current_A_cm2"] is None
    beyond = polarization_fields(state, 300.0, [2.0 * last["limiting_current_A_cm2"]])
    assert beyond["overpotential_V"] == [None]


def test_exchange_current_gives_back_the_resistance():
    state = solved()
    for contact in state.contacts:
        kinetics = charge_transfer(contact, 300.0)
        assert float(kinetics.differential_resistance_ohm_cm2(np.zeros(()))) == pytest.approx(
            float(contact.charge_transfer_ohm_cm2), rel=1e-12
        )


def test_a_contact_that_accumulates_has_no_negative_overpotential() -> None:
    """Its space charge conducts better than the bulk: an excess below zero, of no contact's own."""
    document = contact_document(shipped_material("Li"), shipped_material("LiPON"), samples=100)
    assert document["resistance"]["space_charge_ohm_cm2"] < 0
    polarization = document["polarization"]
    assert polarization["resistance_ohm_cm2"][0] == pytest.approx(
        document["resistance"]["interface_resistance_ohm_cm2"], rel=1e-3
    )
    lowest = polarization["quantiles"]["overpotential_V"]["p05"]
    assert min(*polarization["overpotential_V"], *(one for one in lowest if one is not None)) > 0
