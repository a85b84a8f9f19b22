"""Which number of which record dominates an uncertainty."""

from __future__ import annotations

import numpy as np
import pytest

from interohm.prediction.sampling import FieldSamples
from interohm.prediction.sensitivity import RecordedFieldSamples, sensitivity_fields
from interohm.prediction.solved_cell import solve_state
from interohm.records.cell_config import Cell
from interohm.records.shipped import shipped_material
from interohm.results.json_values import log10_resistance

SAMPLES = 2000


def test_recorded_draws_are_the_draws():
    recorded, plain = RecordedFieldSamples(SAMPLES), FieldSamples(SAMPLES)
    for field in ("ionization_potential_eV", "band_gap_eV", "ionization_potential_eV"):
        assert np.array_equal(recorded.normal("LLZO", field), plain.normal("LLZO", field))
    assert list(recorded.asked) == [
        ("LLZO", "ionization_potential_eV"),
        ("LLZO", "band_gap_eV"),
    ]


def test_shares_of_a_sum():
    field_samples = RecordedFieldSamples(SAMPLES)
    lithium, garnet = shipped_material("Li"), shipped_material("LLZO")
    output = (
        2.0 * field_samples.normal("LLZO", "Li_i.formation_energy_eV")
        + 1.0 * field_samples.normal("Li", "work_function_eV")
        + 0.0 * field_samples.normal("LLZO", "Li_i.site_density_cm3")
    )
    first, second = sensitivity_fields(field_samples, output, [lithium, garnet])
    assert (first["material"], first["field"]) == ("LLZO", "defects[Li_i].formation_energy_eV")
    assert first["variance_share"] == pytest.approx(0.8, abs=0.03)
    assert (second["material"], second["field"]) == ("Li", "states.work_function_eV")
    assert second["variance_share"] == pytest.approx(0.2, abs=0.03)


def test_nothing_asked_nothing_ranked():
    assert sensitivity_fields(RecordedFieldSamples(SAMPLES), np.zeros(SAMPLES), []) == []
    field_samples = RecordedFieldSamples(SAMPLES)
    field_samples.normal("LLZO", "band_gap_eV")
    assert sensitivity_fields(field_samples, 1.0, []) == []


def test_a_cell_whose_conductivity_is_uncertain_blames_it():
    cell = Cell.model_validate(
        {
            "name": "thick",
            "states_of_charge": [1.0],
            "layers": [
                {"material": "Li", "thickness_nm": 1e4},
                {"material": "LLZO", "thickness_nm": 1e6},
                {"material": "LiCoO2", "thickness_nm": 1e4},
            ],
        }
    )
    materials = [shipped_material(layer.material) for layer in cell.layers]
    field_samples = RecordedFieldSamples(SAMPLES)
    nominal = solve_state(cell, materials, 0)
    sampled = solve_state(cell, materials, 0, field_samples=field_samples, thick=nominal.thick)
    ranked = sensitivity_fields(
        field_samples, log10_resistance(sampled.layer_resistance_ohm_cm2[1]), materials
    )
    # the record states it, and migration energies follow
    assert ranked[0]["field"] == "conductivity.value_S_cm"
    assert ranked[0]["variance_share"] > 0.8
    assert sum(one["variance_share"] for one in ranked) < 1.1
    # the voltage hangs on the positive electrode's curve alone
    voltage = sensitivity_fields(field_samples, sampled.open_circuit_voltage_V, materials)
    assert (voltage[0]["material"], voltage[0]["field"]) == ("LiCoO2", "states.voltage_V")
    assert voltage[0]["variance_share"] == pytest.approx(1.0, abs=0.05)


def test_tables_name_what_to_know_better(interohm):
    printed = interohm("contact", "Li", "LLZO").out
    assert "uncertainty comes from: LLZO carriers" in printed
    assert "next: choice of carriers of LLZO, " in printed
