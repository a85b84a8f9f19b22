from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from interohm.cli.tables import print_cell
from interohm.device_models import BOLTZMANN_EV_K
from interohm.errors import InputError
from interohm.prediction.cell import cell_document
from interohm.prediction.contact import contact_document
from interohm.prediction.sampling import phase_of
from interohm.records import Insulator, Metal, material_from
from interohm.records.cell_config import Cell
from interohm.records.shipped import shipped_material
from interohm.results.cell import CellResult
from interohm.yaml_io import validated

from .stated_energies import stated_energies


def shipped(name: str) -> Insulator | Metal:
    material = shipped_material(name)
    assert material is not None
    return material


def solved(layers: list[dict[str, Any]], *, samples: int = 5, **fields: Any) -> dict[str, Any]:
    cell = validated(Cell, {"name": "cell", "layers": layers} | fields, where="cell.yaml")
    materials = [shipped(layer.material) for layer in cell.layers]
    document = cell_document(cell, materials, samples=samples, where="cell.yaml")
    json.dumps(document, allow_nan=False)
    return document


LI, LIF, LLZO, LCO = (
    {"material": "Li", "thickness_nm": 20000},
    {"material": "LiF", "thickness_nm": 5},
    {"material": "LLZO", "thickness_nm": 20000},
    {"material": "LiCoO2", "thickness_nm": 20000},
)


@pytest.fixture(scope="module")
def plain() -> dict[str, Any]:
    return solved([LI, LLZO, LCO], states_of_charge=[0.0, 0.5, 1.0])


@pytest.fixture(scope="module")
def coated() -> dict[str, Any]:
    return solved([LI, LIF, LLZO, LCO], states_of_charge=[0.5])


def test_the_voltage_is_that_of_the_electrodes(plain: dict[str, Any]) -> None:
    electrode = shipped("LiCoO2")
    assert isinstance(electrode, Metal)
    ends = [electrode.states[-1].voltage_V.value, electrode.states[0].voltage_V.value]
    voltages = [state["open_circuit_voltage_V"] for state in plain["states"]]
    assert [voltages[0], voltages[2]] == pytest.approx(ends)
    assert ends[0] < voltages[1] < ends[1]


def test_the_levels_drop_by_what_the_electrodes_differ(plain: dict[str, Any]) -> None:
    """phi_0 of the electrodes differ by Phi_neg − Phi_pos + V_OC (physics.md, section 4)."""
    electrode = shipped("LiCoO2")
    assert isinstance(electrode, Metal)
    charged = plain["states"][2]
    drops = sum(contact["potential_drop_V"] for contact in charged["contacts"])
    work_function_eV = electrode.states[0].work_function_eV.value
    assert drops == pytest.approx(2.93 - work_function_eV + charged["open_circuit_voltage_V"])
    profile = charged["profile"]
    assert profile["phi_V"][-1] - profile["phi_V"][0] == pytest.approx(drops)
    # Fermi level of an electrode: mu/z − Phi_metal; its vacuum level: −phi
    assert profile["fermi_level_eV"][0] == pytest.approx(-2.93)
    difference = profile["fermi_level_eV"][0] - profile["fermi_level_eV"][-1]
    assert difference == pytest.approx(charged["open_circuit_voltage_V"])
    assert np.allclose(profile["vacuum_level_eV"], -np.array(profile["phi_V"]))


def test_the_profile_resolves_contacts_and_spans_the_cell(plain: dict[str, Any]) -> None:
    profile = plain["states"][1]["profile"]
    x = np.array(profile["x_nm"])
    assert x[0] == 0
    assert x[-1] == 60_000
    assert np.all(np.diff(x) >= 0)
    band = np.array(profile["conduction_band_eV"], dtype=float)
    metal = np.isnan(band)
    assert np.all(metal[x < 20_000])
    assert np.all(metal[x > 40_000])
    inside = ~metal
    gap = band[inside] - np.array(profile["valence_band_eV"], dtype=float)[inside]
    assert np.allclose(gap, 6.0)
    assert np.sum((x >= 20_000) & (x < 20_002)) > 300


def test_the_ion_is_in_equilibrium_across_the_cell(
    plain: dict[str, Any], coated: dict[str, Any]
) -> None:
    """The ion's electrochemical potential is flat, and it is what the concentrations tell."""
    for state in [*plain["states"], *coated["states"]]:
        profile = state["profile"]
        assert np.array(profile["electrochemical_potential_eV"]) == pytest.approx(2.93, abs=1e-9)
        assert np.ptp(np.array(profile["mu_eV"])) > 2.0
        for contact in state["contacts"]:
            inner = contact["profile"]
            given = np.array(inner["electrochemical_potential_eV"])
            assert given == pytest.approx(2.93, abs=1e-9)
            told = 0
            for side, sign in (("left", -1), ("right", 1)):
                material = shipped(contact[side])
                if isinstance(material, Metal):
                    continue
                own = np.sign(inner["x_nm"]) == sign
                place = material.ionization_potential_eV.value + np.array(inner["phi_V"])[own]
                saturation = material.saturation.value
                energies_eV = phase_of(material).formation_energy_eV
                for defect, energy_0_eV in zip(material.defects, energies_eV, strict=True):
                    density = np.array(inner["concentrations_cm3"][defect.name], dtype=float)[own]
                    share = density / defect.site_density_cm3.value
                    # what is nearly full tells nothing in double precision; thin layers interpolate
                    clear = (share > 1e-250) & (share < 0.99 * saturation)
                    share = share[clear]
                    odds = share / (1 - share / saturation) / defect.degeneracy
                    energy_eV = -BOLTZMANN_EV_K * 300.0 * np.log(odds)
                    level_eV = energy_0_eV + defect.charge * place[clear]
                    ion_eV = (level_eV - energy_eV) / defect.ion_change
                    assert ion_eV == pytest.approx(given[own][clear], abs=1e-3)
                    told += np.count_nonzero(clear)
            assert told > 100


def test_contacts_of_a_thick_layer_are_those_of_the_pair(plain: dict[str, Any]) -> None:
    alone = contact_document(shipped("Li"), shipped("LLZO"), samples=5)
    for state in plain["states"]:
        contact = state["contacts"][0]
        assert contact["sheet_charge_e_nm2"] == pytest.approx(alone["sheet_charge_e_nm2"])
        assert contact["resistance"]["total_ohm_cm2"] == pytest.approx(
            alone["resistance"]["total_ohm_cm2"], rel=1e-6
        )


def test_the_area_specific_resistance_is_the_sum_of_its_parts(
    plain: dict[str, Any], coated: dict[str, Any]
) -> None:
    for state in [*plain["states"], *coated["states"]]:
        total = sum(layer["resistance_ohm_cm2"] or 0 for layer in state["layers"])
        for contact in state["contacts"]:
            parts = contact["resistance"]
            total += parts["charge_transfer_ohm_cm2"]
            for side in ("left", "right"):
                total += parts[f"space_charge_{side}_ohm_cm2"] or 0
        assert state["area_specific_resistance_ohm_cm2"] == pytest.approx(total)


def test_contacts_of_a_cell_have_the_fields_of_a_contact_alone(plain: dict[str, Any]) -> None:
    alone = contact_document(shipped("Li"), shipped("LLZO"), samples=5)
    contact = plain["states"][0]["contacts"][0]
    # Hashes of the records stand once, in the cell; the thickness of the layers in the layers; what
    # runs over temperature, current and state of charge in the states.
    once = {"thickness_nm", "records", "over_state_of_charge", "assumed"}
    in_the_state = {"temperature_sweep", "polarization"}
    assert set(alone) - set(contact) <= once | in_the_state
    assert in_the_state <= set(plain["states"][0])
    assert alone["records"].items() <= plain["records"].items()
    assert contact["reference"] == "Li"
    assert contact["neutral_potential_V"] == pytest.approx(alone["neutral_potential_V"])


def test_a_layer_that_blocks_is_explained(coated: dict[str, Any], plain: dict[str, Any]) -> None:
    (remark,) = coated["remarks"]
    assert "LiF, 5 nm" in remark
    assert "perfect crystal" in remark
    assert plain["remarks"] == []


def test_a_coating_is_solved_whole(coated: dict[str, Any]) -> None:
    (state,) = coated["states"]
    lithium, inner, _ = state["contacts"]
    assert [layer["thick"] for layer in state["layers"]] == [True, False, True, True]
    assert lithium["resistance"]["total_ohm_cm2"] is None
    assert "LiF is not thick" in lithium["resistance"]["reason"]
    # phi is continuous where no dipole is given, and so is the displacement but for the ions of
    # the layer: lithium's charge, the layer's own and LLZO's add up to nothing.
    x = np.array(lithium["profile"]["x_nm"])
    densities = lithium["profile"]["concentrations_cm3"]
    charge = np.array(densities["V_F"]) - np.array(densities["V_Li"])
    within = float(np.trapezoid(charge, x)) * 1e-21
    assert lithium["sheet_charge_e_nm2"] == pytest.approx(
        within + inner["sheet_charge_e_nm2"], rel=1e-2
    )
    phi = lithium["profile"]["phi_V"][-1]
    other = np.array(inner["profile"]["phi_V"])[np.array(inner["profile"]["x_nm"]) >= 0][0]
    assert phi == pytest.approx(other, abs=1e-6)


def test_a_dipole_takes_over_the_drop() -> None:
    layers = [LI, LLZO, LCO]
    drop = 1.6216363422810787
    document = solved(layers, states_of_charge=[0.5], contacts=[{"dipole_V": drop}, {}], samples=2)
    contact = document["states"][0]["contacts"][0]
    assert contact["sheet_charge_e_nm2"] == pytest.approx(0, abs=1e-6)
    assert contact["potential_drop_V"] == pytest.approx(drop)
    assert contact["capacitance_uF_cm2"] is not None


def test_both_assumptions_for_mu_and_the_window_that_is_left() -> None:
    extrinsic = {**LLZO, "fermi_level": {"extrinsic_mu_eV": [-1.5, -3.5]}}
    document = solved([LI, extrinsic, LCO], states_of_charge=[0.0, 1.0], samples=2)
    within, outside = document["states"]
    assert within["stability_violations"] == []
    (violation,) = outside["stability_violations"]
    assert violation["material"] == "LLZO"
    assert violation["voltage_V"] == [3.5, 3.5]
    linear = solved([LI, LLZO, LCO], states_of_charge=[1.0], samples=2)["states"][0]
    assert linear["stability_violations"] == []
    mu = linear["layers"][1]["mu_eV"]
    assert mu == pytest.approx([-0.05, -2.91])
    # phi_0 of an ionic insulator does not depend on mu.
    assert within["contacts"][0]["potential_drop_V"] == pytest.approx(
        linear["contacts"][0]["potential_drop_V"], abs=1e-9
    )


def test_doping_moves_the_neutral_potential() -> None:
    doped = {**LLZO, "donors_cm3": 1e21}
    plain, more = (
        solved([LI, layer, LCO], states_of_charge=[0.5], samples=2)["states"][0]["contacts"][0]
        for layer in (LLZO, doped)
    )
    assert more["potential_drop_V"] > plain["potential_drop_V"]


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        ([LI, LLZO, LLZO], "layers[2]: LLZO is an insulator"),
        ([LLZO, LLZO, LCO], "layers[0]: LLZO is an insulator"),
        ([LI, LI, LCO], "layers[1]: Li is a metal inside"),
        ([LI, {**LLZO, "ion_content": {"discharged": 1, "charged": 0}}, LCO], "layers[1].ion"),
        ([{**LI, "donors_cm3": 1e18}, LLZO, LCO], "layers[0]: fermi_level and dopants"),
        (
            [LI, LLZO, {**LCO, "ion_content": {"discharged": 1.0, "charged": 0.3}}],
            "layers[2].ion_content.charged: 0.3 is outside of the curve of LiCoO2",
        ),
    ],
)
def test_what_makes_no_cell_is_named(layers: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(InputError) as caught:
        solved(layers)
    assert said in str(caught.value)
    assert "cell.yaml" in str(caught.value)


def test_a_thin_layer_needs_no_neutral_bulk() -> None:
    lone = stated_energies(shipped("LLZO"))
    lone["defects"] = lone["defects"][1:]
    lone["electrons"] = False
    cell = validated(
        Cell,
        {"name": "c", "layers": [LI, {**LIF, "material": "X"}, LCO], "states_of_charge": [0.5]},
        where="c",
    )
    materials = [shipped("Li"), material_from(lone, where="x"), shipped("LiCoO2")]
    (state,) = cell_document(cell, materials, samples=2)["states"]
    assert state["layers"][1]["thick"] is False
    assert state["contacts"][0]["potential_drop_V"] is None
    assert state["layers"][1]["resistance_ohm_cm2"] > 0


def test_the_table_shows_the_interface_of_a_contact_without_a_total(
    coated: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    state = coated["states"][0]
    contact = state["contacts"][0]
    assert contact["resistance"]["total_ohm_cm2"] is None
    value = contact["resistance"]["interface_resistance_ohm_cm2"]
    print_cell(CellResult.read(coated | {"states": [state]}), [])
    lead, row = (line for line in capsys.readouterr().out.splitlines() if "Li | LiF   " in line)
    assert lead.strip().startswith("0.5")
    for line in (lead, row):
        assert f" {value:.3g} " in line
        assert "space charge" in line
