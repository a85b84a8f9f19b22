"""What no other test would notice: factors, signs and limits of cells and contacts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from interohm.prediction.cell import cell_document
from interohm.prediction.contact import contact_document
from interohm.prediction.electrodes import (
    clipped_mu_eV,
    electrode_state,
    reference_work_function_eV,
)
from interohm.prediction.sampling import FieldSamples, phase_of
from interohm.prediction.solved_cell import solve_state
from interohm.records import Insulator, Metal, material_document, material_from
from interohm.records.cell_config import Cell
from interohm.records.shipped import shipped_material
from interohm.results.json_values import log10_fields
from interohm.yaml_io import validated

from .stated_energies import stated_energies

KT_EV = 8.617333262e-5 * 300


def shipped(name: str) -> Any:
    material = shipped_material(name)
    assert material is not None
    return material


def changed(material: Insulator | Metal, **fields: Any) -> Any:
    return material_from(material_document(material) | fields, where="test")


def solved(layer: dict[str, Any], material: Any = None) -> Any:
    layers = [
        {"material": "Li", "thickness_nm": 20000},
        {"material": "LLZO", "thickness_nm": 20000} | layer,
        {"material": "LiCoO2", "thickness_nm": 20000},
    ]
    cell = validated(Cell, {"name": "c", "layers": layers, "states_of_charge": [0.5]}, where="c")
    materials = [shipped("Li"), material or shipped("LLZO"), shipped("LiCoO2")]
    return cell_document(cell, materials, samples=2)["states"][0]


def test_a_thick_layer_resists_by_its_length_over_its_conductivity() -> None:
    """Both kinds of carriers, sigma = e D c (1 − c/N)/kT with D = a² nu exp(−E_m/kT)/6."""
    llzo = shipped("LLZO")
    assert isinstance(llzo, Insulator)
    # that the record's conductivity asks for
    hops = phase_of(llzo)
    conductivity_S_cm = 0.0
    for place, defect in enumerate(llzo.defects):
        weight = math.exp(-0.0143907397384 / KT_EV)
        share = weight / (1 + weight / 0.1)
        hop_cm = defect.hop_distance_nm.value * 1e-7
        rate_Hz = hops.attempt_frequency_Hz[place] * math.exp(
            -hops.migration_energy_eV[place] / KT_EV
        )
        carriers_cm3 = defect.site_density_cm3.value * share
        diffusivity_cm2_s = hop_cm**2 * rate_Hz / 6
        conductivity_S_cm += (
            1.602176634e-19 * diffusivity_cm2_s * carriers_cm3 * (1 - share) / KT_EV
        )
    layer = solved({})["layers"][1]
    assert layer["resistance_ohm_cm2"] == pytest.approx(20000e-7 / conductivity_S_cm, rel=1e-6)


def test_acceptors_are_compensated_by_interstitials() -> None:
    """The neutral potential falls: interstitials live at a lower potential."""
    plain, doped = solved({}), solved({"acceptors_cm3": 1e21})
    assert doped["contacts"][0]["potential_drop_V"] < plain["contacts"][0]["potential_drop_V"]


def test_mu_is_clipped_to_the_window() -> None:
    llzo = shipped("LLZO")
    assert float(clipped_mu_eV(llzo, 0.0)) == pytest.approx(-0.05)
    assert float(clipped_mu_eV(llzo, -1.0)) == -1.0
    assert float(clipped_mu_eV(llzo, -4.0)) == pytest.approx(-2.91)
    document = contact_document(shipped("Li"), llzo, samples=2)
    assert document["mu_eV"]["right"] == pytest.approx(-0.05)


def test_mu_is_linear_over_the_whole_stack() -> None:
    """Without windows: from mu of lithium, 0, to mu of the positive electrode."""
    free = material_document(shipped("LLZO"))
    del free["stability_window_V"]
    layers = [
        {"material": "Li", "thickness_nm": 20000},
        {"material": "LLZO", "thickness_nm": 10000},
        {"material": "LLZO", "thickness_nm": 30000},
        {"material": "LiCoO2", "thickness_nm": 20000},
    ]
    cell = validated(Cell, {"name": "c", "layers": layers, "states_of_charge": [1.0]}, where="c")
    inner = material_from(free, where="x")
    (state,) = cell_document(cell, [shipped("Li"), inner, inner, shipped("LiCoO2")], samples=2)[
        "states"
    ]
    voltage_V = state["open_circuit_voltage_V"]
    assert state["layers"][1]["mu_eV"] == pytest.approx([0, -voltage_V / 4])
    assert state["layers"][2]["mu_eV"] == pytest.approx([-voltage_V / 4, -voltage_V])


@pytest.mark.parametrize("thickness_nm", [5, 20000])
def test_mu_is_linear_within_a_layer(thickness_nm: float) -> None:
    """Without a window, of a layer that is solved whole and of one between two space charges."""
    free = material_document(shipped("LLZO"))
    del free["stability_window_V"]
    state = solved({"thickness_nm": thickness_nm}, material_from(free, where="x"))
    assert state["layers"][1]["thick"] == (thickness_nm > 5)
    x, mu_eV = (np.array(state["profile"][name]) for name in ("x_nm", "mu_eV"))
    share = (x - 20000) / thickness_nm
    inside = (share > 0) & (share < 1)
    assert np.count_nonzero(inside) > 100
    expected = -state["open_circuit_voltage_V"] * share[inside]
    assert mu_eV[inside] == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_the_grid_solver_takes_mu_of_a_layer_linear_between_its_ends() -> None:
    names = ("Li", "LLZO", "LiCoO2")
    fields = {
        "name": "c",
        "layers": [{"material": name, "thickness_nm": 30} for name in names],
        "states_of_charge": [0.5],
    }
    state = solve_state(validated(Cell, fields, where="c"), [shipped(name) for name in names], 0)
    layer = state.layers[1].whole
    assert layer is not None
    assert callable(layer.mu_eV)
    # the window of LLZO, 0.05 to 2.91 V
    mu_eV = layer.mu_eV(np.array([0.0, 3.0, 15.0, 30.0]))
    assert mu_eV == pytest.approx([-0.05, -0.336, -1.48, -2.91])


def test_a_thick_layer_resists_by_the_mean_resistivity_of_its_two_ends() -> None:
    """Of interstitials that immobile charges without lithium compensate: c goes as exp(mu/2kT)."""
    document = stated_energies(shipped("LLZO")) | {"stability_window_V": [2.85, 2.9]}
    interstitial, vacancy = document["defects"]
    fixed = {
        "name": "fixed",
        "charge": -1,
        "ion_change": 0,
        "formation_energy_eV": vacancy["formation_energy_eV"]["value"] - 2.3,
        "site_density_cm3": vacancy["site_density_cm3"]["value"],
        "sublattice": vacancy["sublattice"],
    }
    material = material_from(document | {"defects": [interstitial, fixed]}, where="x")

    def resistance(**layer: Any) -> float:
        found = solved(layer, material)["layers"][1]
        assert found["thick"]
        return float(found["resistance_ohm_cm2"])

    ends = [resistance(fermi_level={"extrinsic_mu_eV": mu_eV}) for mu_eV in (-2.85, -2.9)]
    assert ends[1] / ends[0] == pytest.approx(math.exp(0.05 / (2 * KT_EV)), rel=1e-3)
    assert resistance() == pytest.approx(sum(ends) / 2, rel=1e-9)


def test_a_layer_is_thick_if_both_space_charges_and_ten_debye_lengths_fit() -> None:
    thick = solved({})
    inner = thick["contacts"]
    needed_nm = (
        inner[0]["distance_nm"]["right"]["x99"]
        + inner[1]["distance_nm"]["left"]["x99"]
        + 10 * inner[0]["debye_length_nm"]["right"]
    )
    assert solved({"thickness_nm": needed_nm * 1.01})["layers"][1]["thick"]
    assert not solved({"thickness_nm": needed_nm * 0.99})["layers"][1]["thick"]


def test_a_curve_is_smooth_and_monotonic_between_its_states() -> None:
    points = [(0.0, 4.0), (0.25, 3.9), (0.5, 3.5), (1.0, 3.4)]
    states = [
        {"ion_content": x, "voltage_V": voltage, "work_function_eV": 5.0} for x, voltage in points
    ]
    metal = changed(shipped("LiCoO2"), states=states)
    inside = np.linspace(0, 1, 101)
    voltages = [float(electrode_state(metal, float(x)).voltage_V) for x in inside]
    assert np.all(np.diff(voltages) <= 0)
    for x, voltage in points:
        assert float(electrode_state(metal, x).voltage_V) == pytest.approx(voltage)
    linear = np.interp(inside, *zip(*points, strict=True))
    assert 0.005 < np.max(np.abs(voltages - linear)) < 0.1


def test_the_sparser_plane_limits_the_exchange() -> None:
    """R_ct is inversely proportional to the areal density of sites, of the sparser plane."""
    lithium, llzo = shipped("Li"), shipped("LLZO")

    def transfer(left_cm2: float, right_cm2: float) -> float:
        document = contact_document(
            changed(lithium, areal_site_density_cm2=left_cm2),
            changed(llzo, areal_site_density_cm2=right_cm2),
            samples=2,
        )
        return float(document["resistance"]["charge_transfer_ohm_cm2"])

    assert transfer(1e15, 4e14) == pytest.approx(transfer(4e14, 1e15))
    assert transfer(4e14, 1e15) == pytest.approx(transfer(1e15, 1e15) / 0.4)


def test_lithium_as_electrode_and_as_zero_of_potential_is_one_draw() -> None:
    lithium, field_samples = shipped("Li"), FieldSamples(50)
    state = electrode_state(lithium, 1.0, field_samples=field_samples)
    zero_eV = reference_work_function_eV(lithium, field_samples)
    assert np.ptp(zero_eV) > 0
    assert np.array_equal(state.work_function_eV, zero_eV)


def test_positive_quantities_are_drawn_with_the_value_as_median() -> None:
    llzo = shipped("LLZO")
    phase = phase_of(llzo, field_samples=FieldSamples(40_000))
    quantity = llzo.dielectric_constant
    drawn = phase.dielectric_constant
    assert np.median(drawn) == pytest.approx(quantity.value, rel=0.01)
    assert np.std(drawn) == pytest.approx(quantity.uncertainty, rel=0.05)
    assert np.all(drawn >= 1)
    assert np.all(phase.saturation <= 1)


def test_samples_end_where_a_phase_would_be_none() -> None:
    """At a gap of 0.05 eV and at no barrier for the ion; as many lie there as are beyond."""
    document = material_document(shipped("LLZO"))
    document["band_gap_eV"] = {"value": 0.15, "uncertainty": 0.1}
    del document["conductivity"], document["carriers"]
    for defect in document["defects"]:
        defect["migration_energy_eV"] = {"value": 0.1, "uncertainty": 0.1}
    phase = phase_of(material_from(document, where="test"), field_samples=FieldSamples(4000))
    beyond = 0.158655  # of a normal distribution, below minus one standard deviation
    for drawn, limit, median in (
        (phase.band_gap_eV, 0.05, 0.15),
        *((column, 0.0, 0.1) for column in phase.migration_energy_eV.T),
    ):
        assert drawn.shape == (4000,)
        assert np.min(drawn) == limit
        assert np.mean(drawn == limit) == pytest.approx(beyond, abs=0.025)
        assert np.median(drawn) == pytest.approx(median, abs=0.01)


def test_resistances_have_quantiles_of_their_decimal_logarithm() -> None:
    """Of samples over a hundred decades; then of a cell, 101 samples, so that none is between."""
    decades = 10.0 ** np.arange(-50, 51)
    found = log10_fields(1.0, np.concatenate([decades, [-1e80, -1.0, np.nan]]))
    assert found["log10_resistance"] == pytest.approx({"p05": -45, "p50": 0, "p95": 45})
    assert found["log10_samples"] == 101

    names = ("Li", "LLZO", "LiCoO2")
    fields = {
        "name": "c",
        "layers": [{"material": name, "thickness_nm": 20000} for name in names],
        "states_of_charge": [0.5],
    }
    materials = [shipped(name) for name in names]
    (state,) = cell_document(validated(Cell, fields, where="c"), materials, samples=101)["states"]
    spread = state["quantiles"]
    assert spread["log10_samples"] == 101
    plain = spread["area_specific_resistance_ohm_cm2"]
    expected = {name: math.log10(value) for name, value in plain.items()}
    assert expected["p95"] > expected["p05"] + 0.5
    assert spread["log10_resistance"] == pytest.approx(expected, rel=1e-9)
