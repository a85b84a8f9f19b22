"""Intervals along x, over the temperature and over the current, of contacts and cells."""

from __future__ import annotations

import json

import numpy as np
import pytest

from interohm.prediction.cell import cell_document
from interohm.prediction.contact import contact_document
from interohm.prediction.electrodes import electrode_state
from interohm.prediction.sampled_curves import contact_curves
from interohm.prediction.sampling import FieldSamples
from interohm.prediction.single_contact import Conditions, solve_contact
from interohm.records import Quantity, material_from
from interohm.records.cell_config import Cell
from interohm.records.shipped import shipped_material
from interohm.report import write_contact_report
from interohm.results.json_values import column_quantiles

from .stated_energies import stated_energies

SAMPLES = 100
LAYERS = [
    {"material": "Li", "thickness_nm": 200},
    {"material": "LLZO", "thickness_nm": 1000},
    {"material": "LiCoO2", "thickness_nm": 300},
]
CELL = Cell.model_validate(
    {
        "name": "bands",
        "states_of_charge": [0.5, 0.0],
        "layers": LAYERS,
        "collectors": {
            "negative": {
                "material": "Cu",
                "work_function_eV": {
                    "value": 4.65,
                    "uncertainty": 0.1,
                    "source": "test",
                    "method": "test",
                },
                "thickness_nm": 100.0,
                "ion_front_nm": [20.0, 0.0],
            },
            "positive": {"material": "Al", "work_function_eV": 4.28},
        },
    }
)


def shipped(*names):
    return [shipped_material(name) for name in names]


@pytest.fixture(scope="module")
def document():
    return cell_document(CELL, shipped("Li", "LLZO", "LiCoO2"), samples=SAMPLES)


def around(band, nominal, room=1e-3):
    assert np.all(np.array(band["p05"]) <= np.array(nominal) + room)
    assert np.all(np.array(band["p95"]) >= np.array(nominal) - room)


def test_a_samples_curve_is_its_potential():
    # both defects carry the current, so that it falls by few kT from point to point of a curve
    llzo = material_from(stated_energies(shipped_material("LLZO")), where="test")
    phases = (shipped_material("Li"), llzo, shipped_material("Li"))
    many = solve_contact(*phases, Conditions(300.0, 0.0, None, True), FieldSamples(20))
    side = many.solved.right_side
    x_nm = np.array([0.0, 0.05, 0.3, 1.0, 2.0])
    curve = contact_curves(many.solved)["right"]
    exact = side.potential_V(np.broadcast_to(x_nm, (20, x_nm.size)))
    drop = np.abs(np.asarray(many.solved.potential_drop_V))[:, None]
    assert np.max(np.abs(curve.phi_at(x_nm) - exact) / drop) < 0.01
    alone = side.profile(points=401)
    for sample in (0, 7):
        thin = np.interp(x_nm, alone.x_nm[sample], np.log(alone.conductivity_S_cm[sample]))
        assert np.log(curve.conductivity_at(x_nm)[sample]) == pytest.approx(thin, abs=0.1)


def test_intervals_along_a_contact_hold_its_profile():
    left, right = shipped("LLZO", "LiPON")
    document = contact_document(left, right, samples=SAMPLES)
    profile, bands = document["profile"], document["quantiles"]["profile"]
    x = np.array(profile["x_nm"])
    (_, plane) = np.flatnonzero(x == 0.0)
    for name, points, material in (
        ("left", slice(None, plane), left),
        ("right", slice(plane, None), right),
    ):
        band = bands[name]
        assert 0.0 in band["x_nm"]
        assert band["x_nm"] == sorted(band["x_nm"])

        def at(column, points=points, band=band):
            return np.interp(band["x_nm"], x[points], np.array(column[points], dtype=float))

        phi = at(profile["phi_V"])
        around(band["phi_V"], phi)
        valence = -material.ionization_potential_eV.value - phi
        around(band["valence_band_eV"], valence)
        around(band["conduction_band_eV"], valence + material.band_gap_eV.value)
        assert set(band["concentrations_cm3"]) == {defect.name for defect in material.defects}
        around(band["conductivity_S_cm"], at(profile["conductivity_S_cm"]), room=1e-12)


def test_a_layer_that_is_solved_whole_has_intervals():
    document = contact_document(*shipped("Li", "LiF"), thickness_nm=5, samples=SAMPLES)
    band = document["quantiles"]["profile"]["right"]
    assert band["x_nm"][0] == 0.0
    assert band["x_nm"][-1] == pytest.approx(5.0)
    phi = np.interp(band["x_nm"], document["profile"]["x_nm"], document["profile"]["phi_V"])
    around(band["phi_V"], phi)


def test_intervals_of_a_cells_levels_hold_its_levels(document):
    for state in document["states"]:
        bands, profile = state["quantiles"]["profile"], state["profile"]
        x = np.array(profile["x_nm"])
        # the negative collector is drawn, the positive one has no thickness
        assert [bands[0]["x_nm"][0], bands[0]["x_nm"][-1]] == [-100.0, 0.0]
        assert len(bands) == 4
        edges = np.cumsum([-100.0, 100.0, 200.0, 1000.0, 300.0])
        for place, band in enumerate(bands):
            assert [band["x_nm"][0], band["x_nm"][-1]] == pytest.approx(edges[place : place + 2])
            inside = np.flatnonzero((x >= edges[place]) & (x <= edges[place + 1]))
            if place == 2:
                # a contact stands once for each of its sides
                inside = inside[1:-1]
                for column in ("phi_V", "valence_band_eV", "fermi_level_eV", "cpd_V"):
                    values = np.array(profile[column], dtype=float)[inside]
                    around(band[column], np.interp(band["x_nm"], x[inside], values), room=0.03)
            elif place in (1, 3):
                assert band["conduction_band_eV"] is None
                assert band["phi_V"]["p50"][0] == band["phi_V"]["p50"][-1]


def test_the_map_differs_by_what_the_voltage_does(document):
    charged, discharged = document["states"]
    metal = shipped_material("LiCoO2")
    field_samples = FieldSamples(SAMPLES)
    half, full = (
        electrode_state(metal, content, field_samples=field_samples).voltage_V
        for content in (0.75, 1.0)
    )
    negative, positive = charged["quantiles"]["collectors"]
    for name, share in (("p05", 0.05), ("p50", 0.5), ("p95", 0.95)):
        expected = np.quantile(-(half - full), share)
        assert negative["delta_cpd_V"][name] == pytest.approx(expected, abs=1e-9)
        assert positive["delta_cpd_V"][name] == pytest.approx(0.0, abs=1e-12)
    nothing = discharged["quantiles"]["collectors"][0]["delta_cpd_V"]
    assert nothing == {"p05": 0.0, "p50": 0.0, "p95": 0.0}
    for band in discharged["quantiles"]["profile"][1:]:
        assert np.allclose([band["delta_cpd_V"][name] for name in ("p05", "p95")], 0.0)


def test_the_collectors_work_function_is_uncertain(document):
    spread = document["states"][1]["quantiles"]["collectors"][0]["cpd_V"]
    voltage = document["states"][1]["quantiles"]["open_circuit_voltage_V"]
    widths = [one["p95"] - one["p05"] for one in (spread, voltage)]
    assert widths[0] == pytest.approx(np.hypot(widths[1], 3.29 * 0.1), rel=0.1)


def test_a_sweep_has_the_interval_of_its_middle():
    document = contact_document(*shipped("LLZO", "LiPON"), samples=SAMPLES)
    sweep, found = document["temperature_sweep"], document["quantiles"]["resistance_ohm_cm2"]
    middle = sweep["sampled_temperature_K"].index(300.0)
    transfer = sweep["contacts"][0]["charge_transfer"]
    for name, value in found["charge_transfer_ohm_cm2"].items():
        column = transfer["quantiles"]["resistance_ohm_cm2"][name]
        assert column[middle] == pytest.approx(value, rel=1e-5)
        assert column[0] > column[-1]
    energies = transfer["quantiles"]["activation_energy_eV"]
    nominal = transfer["activation_energy_eV"][sweep["temperature_K"].index(300.0)]
    assert energies["p05"] < nominal < energies["p95"]
    flat = transfer["without_space_charge"]
    nominal = flat["activation_energy_eV"][sweep["temperature_K"].index(300.0)]
    energies = flat["quantiles"]["activation_energy_eV"]
    assert energies["p05"] < nominal < energies["p95"]


def test_every_sample_of_an_interface_has_an_activation_energy():
    """It is positive throughout, also where carriers accumulate."""
    for pair in (("Li", "LLZO"), ("LLZO", "LiPON")):
        document = contact_document(*shipped(*pair), samples=SAMPLES)
        sweep = document["temperature_sweep"]
        found = sweep["area_specific"]["quantiles"]
        assert found["activation_energy_samples"] == sweep["samples"] == SAMPLES
        assert min(sweep["area_specific"]["resistance_ohm_cm2"]) > 0.0
        assert document["quantiles"]["log10_interface_resistance"]["samples"] == SAMPLES
        transfer = sweep["contacts"][0]["charge_transfer"]["quantiles"]
        assert transfer["activation_energy_samples"] == SAMPLES


def test_a_cells_sweep_and_currents_have_its_intervals():
    # so long that all samples' space charges fit in, also at the lowest temperature
    layers = [
        layer.model_copy(update={"thickness_nm": 5e4}) if layer.material == "LLZO" else layer
        for layer in CELL.layers
    ]
    cell = CELL.model_copy(update={"layers": layers, "states_of_charge": [0.5]})
    document = cell_document(cell, shipped("Li", "LLZO", "LiCoO2"), samples=SAMPLES)
    state = document["states"][0]
    found = state["quantiles"]["area_specific_resistance_ohm_cm2"]
    sweep = state["temperature_sweep"]
    middle = sweep["sampled_temperature_K"].index(300.0)
    current = state["polarization"]
    for name, value in found.items():
        column = sweep["area_specific"]["quantiles"]["resistance_ohm_cm2"][name]
        assert column[middle] == pytest.approx(value, rel=1e-5)
        # the smallest current meets the resistance, where its overpotential is far below kT
        overpotential = current["quantiles"]["overpotential_V"][name][0]
        if name != "p95":
            assert overpotential == pytest.approx(value * current["current_A_cm2"][0], rel=1e-3)


def test_currents_that_some_samples_cannot_carry_have_no_upper_end():
    llzo, oxide = shipped("LLZO", "LiCoO2")
    given = Quantity(value=0.3, uncertainty=0.15, source="test", method="assumed")
    oxide = oxide.model_copy(update={"reorganization_energy_eV": given})
    document = contact_document(llzo, oxide, samples=SAMPLES)
    (transfer,) = document["polarization"]["contacts"]
    assert transfer["law"] == "Marcus–Hush–Chidsey"
    ends = transfer["quantiles"]["overpotential_V"]
    limit = transfer["limiting_current_A_cm2"]
    assert limit is not None
    known = [value is not None for value in ends["p05"]]
    assert known == sorted(known, reverse=True)
    assert all(
        low <= high
        for low, high in zip(ends["p05"], ends["p95"], strict=True)
        if low is not None and high is not None
    )
    slow = column_quantiles(np.array([[1.0, np.inf], [2.0, 3.0], [np.nan, 4.0]]))
    assert slow == {"p05": [1.05, None], "p50": [1.5, None], "p95": [1.95, None]}


def test_an_electrodes_states_are_told_beside_the_one_asked_for():
    names = shipped("LLZO", "LiCoO2")
    document = contact_document(*names, state_of_charge=0.5, samples=SAMPLES)
    found = {one["state_of_charge"]: one for one in document["over_state_of_charge"]}
    assert list(found) == [0.0, 0.25, 0.5, 0.75, 1.0]
    same = found[0.5]
    assert same["resistance"] == document["resistance"]
    assert same["ion_content"] == document["ion_content"]
    assert same["quantiles"]["resistance_ohm_cm2"] == document["quantiles"]["resistance_ohm_cm2"]
    assert found[0.0]["resistance"]["total_ohm_cm2"] != same["resistance"]["total_ohm_cm2"]
    assert contact_document(*shipped("Li", "LLZO"), samples=5)["over_state_of_charge"] == []


def test_the_state_asked_for_has_all_samples_beside_states_that_have_fewer(tmp_path):
    pair = shipped("LLZO", "LiCoO2")
    document = contact_document(*pair, state_of_charge=0.5, thickness_nm=20.0, samples=120)
    found = {one["state_of_charge"]: one["quantiles"] for one in document["over_state_of_charge"]}
    assert {charge: one["samples"] for charge, one in found.items()} == {
        **dict.fromkeys((0.0, 0.25, 0.75, 1.0), 100),
        0.5: 120,
    }
    spread = document["quantiles"]["resistance_ohm_cm2"]
    assert found[0.5]["resistance_ohm_cm2"] == spread
    write_contact_report(tmp_path / "report.html", pair, document)
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "5 to 95 % of 100 to 120 samples" in html
    assert "5 to 95 % of 100 samples" in html


def test_reports_say_of_how_many_samples_an_activation_energy_is(tmp_path):
    pair = shipped("Li", "LLZO")
    document = contact_document(*pair, samples=SAMPLES)
    write_contact_report(tmp_path / "report.html", pair, document)
    # of a depletion: samples that have none everywhere have no activation energy
    (contact,) = document["temperature_sweep"]["contacts"]
    some = contact["depletion"]["quantiles"]["activation_energy_samples"]
    assert 0 < some < SAMPLES
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert f"<small>({some} of {SAMPLES})</small>" in html
    assert f"5 to 95 % of {SAMPLES} samples. (m of n)" in html


def test_no_samples_make_no_intervals():
    document = contact_document(*shipped("Li", "LLZO"), samples=0)
    assert document["quantiles"] is None
    assert document["sensitivity"] is None
    assert document["temperature_sweep"]["area_specific"]["quantiles"] is None
    cell = CELL.model_copy(update={"states_of_charge": [0.0], "collectors": None})
    states = cell_document(cell, shipped("Li", "LLZO", "LiCoO2"), samples=0)["states"]
    assert states[0]["quantiles"] is None
    assert states[0]["polarization"]["quantiles"] is None


def test_a_document_with_intervals_is_json(document):
    assert len(json.dumps(document, allow_nan=False)) < 3_000_000
