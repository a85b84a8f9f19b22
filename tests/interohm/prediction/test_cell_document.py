"""What the document of a cell says beyond resistances: maps, electrons, sensitivities, currents."""

from __future__ import annotations

import json

import numpy as np
import pytest

from interohm.prediction.cell import cell_document
from interohm.records.cell_config import Cell
from interohm.records.shipped import shipped_material


def document(**fields):
    cell = Cell.model_validate(
        {
            "name": "whole",
            "states_of_charge": [0.0, 1.0],
            "layers": [
                {"material": "Li", "thickness_nm": 1e4},
                {"material": "LLZO", "thickness_nm": 2e4},
                {"material": "LiCoO2", "thickness_nm": 1e4},
            ],
            "collectors": {
                "negative": {"material": "Cu", "work_function_eV": 4.65, "thickness_nm": 100.0},
                "positive": {"material": "Al", "work_function_eV": 4.28},
            },
            **fields,
        }
    )
    materials = [shipped_material(layer.material) for layer in cell.layers]
    found = cell_document(cell, materials, samples=500)
    json.dumps(found, allow_nan=False)
    return found


def test_the_collectors_show_the_change_of_the_voltage():
    start, end = document()["states"]
    change = end["open_circuit_voltage_V"] - start["open_circuit_voltage_V"]
    negative, positive = end["collectors"]
    assert negative["delta_cpd_V"] - positive["delta_cpd_V"] == pytest.approx(-change, abs=1e-9)
    profile = end["profile"]
    assert len({len(column) for column in profile.values()}) == 1
    assert profile["x_nm"][0] == -100.0
    assert profile["mu_eV"][0] is None
    assert profile["delta_cpd_V"][0] == pytest.approx(-change, abs=1e-9)
    assert set(start["profile"]["delta_cpd_V"]) == {0.0}


def test_the_discharged_cell_need_not_be_listed():
    listed = document()["states"][1]
    alone = document(states_of_charge=[1.0])["states"][0]
    assert alone["collectors"] == listed["collectors"]
    assert alone["profile"]["delta_cpd_V"] == listed["profile"]["delta_cpd_V"]
    layers = [
        {"material": "Li", "thickness_nm": 1e4},
        {
            "material": "LLZO",
            "thickness_nm": 2e4,
            "fermi_level": {"extrinsic_mu_eV": [-1.0]},
        },
        {"material": "LiCoO2", "thickness_nm": 1e4},
    ]
    unknown = document(states_of_charge=[1.0], layers=layers)["states"][0]
    assert set(unknown["profile"]["delta_cpd_V"]) == {None}
    assert [one["delta_cpd_V"] for one in unknown["collectors"]] == [None, None]
    assert None not in unknown["profile"]["cpd_V"]


def test_uncertainties_are_traced_to_records():
    state = document()["states"][1]
    (voltage,) = state["sensitivity"]["open_circuit_voltage_V"]
    assert (voltage["material"], voltage["field"]) == ("LiCoO2", "states.voltage_V")
    fields = {
        (one["material"], one["field"])
        for contact in state["contacts"]
        for one in contact["sensitivity"]["potential_drop_V"]
    }
    assert ("LLZO", "neutral_potential_V") in fields
    # which is what is known: an error of the valence band moves the formation energies with it
    assert ("LLZO", "ionization_potential_eV") not in fields
    for contact in state["contacts"]:
        shares = [one["variance_share"] for one in contact["sensitivity"]["potential_drop_V"]]
        assert shares == sorted(shares, reverse=True)
        assert np.sum(shares) == pytest.approx(1.0, abs=0.2)


def test_electrons_and_currents():
    state = document()["states"][1]
    for contact in state["contacts"]:
        electrons = contact["electrons"]
        gap = electrons["electron_barrier_eV"] + electrons["hole_barrier_eV"]
        assert gap == pytest.approx(6.0, abs=1e-9)
    assert state["electronic_leakage"]["current_A_cm2"] > 0.0
    small = state["polarization"]["resistance_ohm_cm2"][0]
    assert small == pytest.approx(state["area_specific_resistance_ohm_cm2"], rel=1e-3)


def test_a_temperature_sweep_stands_in_the_document():
    state = document()["states"][1]
    sweep = state["temperature_sweep"]
    middle = len(sweep["temperature_K"]) // 2
    assert sweep["temperature_K"][middle] == pytest.approx(300.0)
    assert sweep["area_specific"]["resistance_ohm_cm2"][middle] == pytest.approx(
        state["area_specific_resistance_ohm_cm2"], rel=1e-9
    )
    energies = sweep["area_specific"]["activation_energy_eV"]
    assert energies == pytest.approx([0.33] * len(energies), abs=0.03)
