from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq

from interohm.errors import InputError
from interohm.prediction.cell import cell_document
from interohm.records import Insulator, Metal, material_document, material_from
from interohm.records.cell_config import Cell
from interohm.records.shipped import shipped_material
from interohm.yaml_io import validated

from .stated_energies import stated_energies

LI = {"material": "Li", "thickness_nm": 20000}
LCO = {"material": "LiCoO2", "thickness_nm": 20000}
NEUTRALITY_EV = {"LLZO": 4.0}
PROFILES = [
    ("doping", "donors_minus_acceptors_cm3"),
    ("polarization", "polarization_uC_cm2"),
    ("susceptibility", "susceptibility"),
]


def shipped(name: str) -> Insulator | Metal:
    material = shipped_material(name)
    assert material is not None
    if name in NEUTRALITY_EV:
        level = {"charge_neutrality_level_eV": NEUTRALITY_EV[name]}
        return material_from(material_document(material) | level, where="test")
    if name == "LiCoO2":
        # held, so that a bound charge is mirrored in the contact plane and nowhere else
        return material.model_copy(update={"space_charge": None})
    return material


def solved(
    layer: dict[str, Any],
    *,
    contacts: list[dict[str, Any]] | None = None,
    record: dict[str, Any] | None = None,
    **cell_fields: Any,
) -> Any:
    llzo = {"material": "LLZO", "thickness_nm": 20} | layer
    fields: dict[str, Any] = {"name": "c", "layers": [LI, llzo, LCO], "states_of_charge": [0.5]}
    fields |= cell_fields
    if contacts is not None:
        fields["contacts"] = contacts
    cell = validated(Cell, fields, where="cell.yaml")
    materials = [shipped(layer.material) for layer in cell.layers]
    if record is not None:
        materials[1] = material_from(material_document(materials[1]) | record, where="test")
    return cell_document(cell, materials, samples=2, where="cell.yaml")["states"][0]


def charges(state: Any) -> list[float]:
    return [contact["sheet_charge_e_nm2"] for contact in state["contacts"]]


def test_a_uniform_doping_profile_is_the_same_as_donors() -> None:
    profile = {"distance_nm": [0.0, 20.0], "donors_minus_acceptors_cm3": [1e20, 1e20]}
    assert charges(solved({"doping_profile": profile})) == pytest.approx(
        charges(solved({"donors_cm3": 1e20})), rel=1e-6
    )


def test_graded_donors_bend_the_bands_between() -> None:
    profile = {"distance_nm": [0.0, 20.0], "donors_minus_acceptors_cm3": [0.0, 1e21]}
    state = solved({"doping_profile": profile})
    x, phi = (np.array(state["profile"][name]) for name in ("x_nm", "phi_V"))
    middle = (x > 20005) & (x < 20015)
    # More donors are compensated by more vacancies, which live at a higher potential.
    assert np.all(np.diff(phi[middle]) > 0)


def test_a_polarization_is_taken_up_by_the_electrodes() -> None:
    """Its bound charge lies in the contact planes, where the electrodes mirror it: D = P more."""
    plain, poled = (charges(solved({"polarization_uC_cm2": value})) for value in (0.0, 0.5))
    surface_e_nm2 = 0.5 / 16.02176634
    for before, after in zip(plain, poled, strict=True):
        assert after - before == pytest.approx(-surface_e_nm2, rel=1e-5)


def test_a_graded_polarization_leaves_its_bound_charge_inside() -> None:
    """P from 0 to P_1 is a fixed charge of −P_1 over the layer and +P_1 at its right end."""
    most_uC_cm2, thickness_nm = 0.8, 20.0
    surface_e_nm2 = most_uC_cm2 / 16.02176634
    table = {"distance_nm": [0.0, thickness_nm], "polarization_uC_cm2": [0.0, most_uC_cm2]}
    poled = charges(solved({"polarization_profile": table}))
    profile = {
        "distance_nm": [0.0],
        "donors_minus_acceptors_cm3": [-surface_e_nm2 / thickness_nm * 1e21],
    }
    bound = charges(solved({"doping_profile": profile}))
    # D at the right end counts the polarization there
    assert poled == pytest.approx([bound[0], bound[1] - surface_e_nm2], rel=1e-5)
    even = {"distance_nm": [3.0], "polarization_uC_cm2": [0.2]}
    assert charges(
        solved({"polarization_profile": even, "polarization_uC_cm2": 0.3})
    ) == pytest.approx(charges(solved({"polarization_uC_cm2": 0.5})), rel=1e-6)


def test_a_susceptibility_adds_to_the_dielectric_constant() -> None:
    own = shipped("LLZO").dielectric_constant.value
    larger = charges(solved({}, record={"dielectric_constant": own + 25.0}))
    assert charges(solved({"susceptibility": 25.0})) == pytest.approx(larger, rel=1e-6)
    even = {"distance_nm": [0.0, 5.0], "susceptibility": [15.0, 15.0]}
    assert charges(
        solved({"susceptibility": 10.0, "susceptibility_profile": even})
    ) == pytest.approx(larger, rel=1e-6)
    plain = charges(solved({}))
    assert all(abs(more) > 1.1 * abs(less) for more, less in zip(larger, plain, strict=True))


def test_a_susceptibility_at_one_contact_leaves_the_other_as_it_is() -> None:
    near = {"distance_nm": [1.0, 2.0], "susceptibility": [300.0, 0.0]}
    plain, with_profile = charges(solved({})), charges(solved({"susceptibility_profile": near}))
    assert abs(with_profile[0]) > 1.5 * abs(plain[0])
    assert with_profile[1] == pytest.approx(plain[1], rel=1e-4)


def test_electrons_screen_unless_they_are_switched_off() -> None:
    # next to lithium, where mu is highest, the Fermi level lies in the conduction band
    narrow = {"band_gap_eV": 4.7}
    plain = charges(solved({}))
    assert charges(solved({}, record=narrow, electrons=False)) == pytest.approx(plain, rel=1e-9)
    screened = charges(solved({}, record=narrow))
    assert screened[0] < 0.996 * plain[0]
    assert screened[1] == pytest.approx(plain[1], rel=1e-9)


def test_a_core_layer_collects_what_it_favours() -> None:
    core = {"contact": "left", "width_nm": 1.0, "energy_eV": {"Li_i": -0.3}}
    plain, with_core = solved({}), solved({"core_layers": [core]})

    def interstitials(state: Any) -> float:
        profile = state["contacts"][0]["profile"]
        x = np.array(profile["x_nm"])
        near = x < 0.9
        return float(np.mean(np.array(profile["concentrations_cm3"]["Li_i"])[near]))

    assert interstitials(with_core) > interstitials(plain)
    nothing = solved({"core_layers": [core | {"energy_eV": {"Li_i": 0.0}}]})
    assert charges(nothing) == pytest.approx(charges(plain), rel=1e-6)


@pytest.mark.parametrize("end", ["left", "right"])
def test_a_core_layer_is_a_layer_of_its_own_of_that_width(end: str) -> None:
    """A phase with other formation energies, 3 of the 8 nm; mu is linear over both."""
    free = {"stability_window_V": None}
    shift_eV = {"Li_i": 0.4, "V_Li": -0.3}
    core = {"contact": end, "width_nm": 3.0, "energy_eV": shift_eV}
    whole = charges(solved({"thickness_nm": 8, "core_layers": [core]}, record=free))

    inner = material_from(stated_energies(shipped("LLZO")) | free, where="test")
    document = material_document(inner) | {"name": "core"}
    for defect in document["defects"]:
        defect["formation_energy_eV"] += shift_eV[defect["name"]]
    parts = [(5, "LLZO", inner), (3, "core", material_from(document, where="test"))]
    if end == "left":
        parts.reverse()
    layers = [LI, *({"material": name, "thickness_nm": t} for t, name, _ in parts), LCO]
    cell = validated(Cell, {"name": "c", "layers": layers, "states_of_charge": [0.5]}, where="c")
    materials = [shipped("Li"), *(material for *_, material in parts), shipped("LiCoO2")]
    split = charges(cell_document(cell, materials, samples=2, where="c")["states"][0])
    assert whole == pytest.approx([split[0], split[-1]], rel=1e-6)


@pytest.mark.parametrize("repulsion_eV", [0.0, 0.5])
def test_the_charge_with_interaction_is_the_integral_of_the_density(repulsion_eV: float) -> None:
    """sigma = sqrt(2 eps ∫ rho dphi), the occupation solved for point by point with SciPy."""
    kT_eV, formation_eV, share = 8.617333262e-5 * 300, 0.0143907397384, 0.1

    def occupation(energy_eV: float) -> float:
        """Share x of the available sites, x = 1/(1 + alpha exp((E + W alpha x)/kT))."""
        return brentq(
            lambda x: x - 1 / (1 + share * np.exp((energy_eV + repulsion_eV * share * x) / kT_eV)),
            0,
            1,
        )

    drop_V = np.linspace(0, 1.6216363422810787, 3001)
    density = [occupation(formation_eV - u) - occupation(formation_eV + u) for u in drop_V]
    permittivity, sites_nm3 = 50 * 0.0552634935805711, share * 32.7455
    expected = np.sqrt(2 * permittivity * sites_nm3 * np.trapezoid(density, drop_V))
    state = solved({"interaction_eV": {"Li_i": repulsion_eV, "V_Li": repulsion_eV}})
    assert charges(state)[0] == pytest.approx(expected, rel=1e-5)


def test_a_sheet_charge_is_compensated_by_the_space_charges() -> None:
    for thickness_nm in (20, 20000):
        plain, charged = (
            solved({"thickness_nm": thickness_nm}, contacts=[{"sheet_charge_e_nm2": value}, {}])
            for value in (0.0, 0.3)
        )
        # Beside lithium, which holds its potential, LLZO's charge does not change: lithium's does.
        assert charges(charged)[0] == pytest.approx(charges(plain)[0], rel=1e-6)


def test_pinning_moves_the_vacuum_level_by_what_the_levels_differ() -> None:
    free, half, full = (
        solved({"thickness_nm": 20000}, contacts=[{"pinning_factor": factor}, {}])["contacts"][0]
        for factor in (1.0, 0.5, 0.0)
    )
    step = 2.93 - NEUTRALITY_EV["LLZO"]
    assert free["dipole_V"] == 0
    assert half["dipole_V"] == pytest.approx(step / 2)
    assert full["dipole_V"] == pytest.approx(step)


def test_a_facet_adds_its_difference_to_the_step() -> None:
    contacts = [{"left_facet_eV": 0.2, "right_facet_eV": 0.5, "dipole_V": 0.1}, {}]
    state = solved({"thickness_nm": 20000}, contacts=contacts)
    assert state["contacts"][0]["dipole_V"] == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("layer", "contacts", "said"),
    [
        ({"interaction_eV": {"Na_i": 0.1}}, None, "layers[1].interaction_eV: LLZO has no defect"),
        (
            {"core_layers": [{"contact": "left", "width_nm": 1, "energy_eV": {"X": 1}}]},
            None,
            "core_layers[0].energy_eV: LLZO has no defect 'X'",
        ),
        (
            {"core_layers": [{"contact": "left", "width_nm": 30, "energy_eV": {}}]},
            None,
            "do not fit",
        ),
        (
            {"doping_profile": {"distance_nm": [1, 0], "donors_minus_acceptors_cm3": [0, 0]}},
            None,
            "ascend",
        ),
        (
            {"doping_profile": {"distance_nm": [1], "donors_minus_acceptors_cm3": [0, 0]}},
            None,
            "give one each",
        ),
        ({"polarization_uC_cm2": 1e6}, None, "polarization_uC_cm2"),
        (
            {"polarization_profile": {"distance_nm": [0], "polarization_uC_cm2": [1e6]}},
            None,
            "polarization_profile.polarization_uC_cm2[0]",
        ),
        ({"susceptibility": -1.0}, None, "layers[1].susceptibility: "),
        (
            {"susceptibility_profile": {"distance_nm": [0, 1], "susceptibility": [3.0]}},
            None,
            "layers[1].susceptibility_profile: 2 distance_nm and 1 susceptibility: give one each",
        ),
        *(
            (
                {f"{name}_profile": {"distance_nm": [0, 20.5], column: [0.0, 1.0]}},
                None,
                f"{name}_profile.distance_nm: 20.5 nm lies beyond the layer of 20 nm",
            )
            for name, column in PROFILES
        ),
        (
            {"susceptibility_profile": {"distance_nm": [1, 1, 1], "susceptibility": [3, 2, 1]}},
            None,
            "layers[1].susceptibility_profile: distance_nm: 1 nm appears more than twice",
        ),
        ({}, [{}, {"pinning_factor": 1.5}], "pinning_factor"),
    ],
)
def test_features_that_do_not_fit_are_named(
    layer: dict[str, Any], contacts: list[dict[str, Any]] | None, said: str
) -> None:
    with pytest.raises(InputError) as caught:
        solved(layer, contacts=contacts)
    assert said in str(caught.value)


def test_an_electrode_has_no_features() -> None:
    layers = [LI | {"susceptibility": 3.0}, {"material": "LLZO", "thickness_nm": 20}, LCO]
    cell = validated(Cell, {"name": "c", "layers": layers}, where="c")
    with pytest.raises(InputError, match="Li is a metal: it has no susceptibility"):
        cell_document(cell, [shipped(layer.material) for layer in cell.layers], samples=2)


def test_pinning_needs_a_neutrality_level() -> None:
    fields = {
        "name": "c",
        "layers": [LI, {"material": "LiPON", "thickness_nm": 20000}, LCO],
        "contacts": [{"pinning_factor": 0.5}, {}],
    }
    cell = validated(Cell, fields, where="c")
    materials = [shipped(layer.material) for layer in cell.layers]
    with pytest.raises(InputError, match="charge_neutrality_level_eV"):
        cell_document(cell, materials, samples=2)


def attracted(attraction_eV: float, temperature_K: float = 300.0, defect: str = "Li_i") -> Any:
    layer = {"material": "LLZO", "thickness_nm": 20, "interaction_eV": {defect: attraction_eV}}
    cell = validated(
        Cell,
        {
            "name": "c",
            "layers": [LI, layer, LCO],
            "states_of_charge": [0.0],
            "temperature_K": temperature_K,
        },
        where="cell.yaml",
    )
    record = material_document(shipped("LLZO")) | {
        "saturation": {"value": 0.1, "uncertainty": 0.02, "source": "assumed"}
    }
    materials = [shipped("Li"), material_from(record, where="test"), shipped("LiCoO2")]
    return cell_document(cell, materials, samples=40, where="cell.yaml")


#: -4 kT/saturation of LLZO at 300 K.
LIMIT_EV = -4 * 8.617333262e-5 * 300 / 0.1


def test_samples_and_temperatures_beyond_the_limit_of_an_attraction_are_left_out() -> None:
    document = attracted(0.95 * LIMIT_EV)
    (state,) = document["states"]
    quantiles = state["quantiles"]
    assert 0 < quantiles["lost_samples"] < 40
    interval = quantiles["open_circuit_voltage_V"]
    assert interval["p05"] < state["open_circuit_voltage_V"] < interval["p95"]
    assert any(
        f"leave out {quantiles['lost_samples']} of 40 samples" in said
        for said in document["remarks"]
    )
    sweep = state["temperature_sweep"]
    # of 240, 250, ..., 360 K those above 285 K
    assert sweep["temperature_K"] == pytest.approx(np.arange(290.0, 361.0, 10.0))
    assert None not in sweep["area_specific"]["resistance_ohm_cm2"]
    assert any("leaves out 5 of 13 temperatures" in said for said in document["remarks"])


@pytest.mark.parametrize(
    ("attraction_eV", "temperature_K"), [(1.001 * LIMIT_EV, 300.0), (0.95 * LIMIT_EV, 284.9)]
)
def test_an_attraction_beyond_its_limit_is_refused(
    attraction_eV: float, temperature_K: float
) -> None:
    with pytest.raises(InputError, match=r"layers.1..interaction_eV.Li_i: .*-4 kT/sat") as caught:
        attracted(attraction_eV, temperature_K)
    assert caught.value.where == "cell.yaml"
    assert "temperature_K above" in caught.value.fix


def test_an_attraction_on_a_shared_sublattice_is_refused() -> None:
    record = material_document(shipped("LLZO"))
    for defect in record["defects"]:
        defect["sublattice"] = "Li"
        defect["site_density_cm3"] = record["defects"][0]["site_density_cm3"]
    cell = validated(
        Cell,
        {
            "name": "c",
            "layers": [
                LI,
                {"material": "LLZO", "thickness_nm": 20, "interaction_eV": {"V_Li": -0.01}},
                LCO,
            ],
        },
        where="cell.yaml",
    )
    materials = [shipped("Li"), material_from(record, where="test"), shipped("LiCoO2")]
    with pytest.raises(InputError, match=r"layers.1..interaction_eV.V_Li: .*share its sublattice"):
        cell_document(cell, materials, where="cell.yaml")


def test_a_thick_layer_that_is_solved_whole_says_why() -> None:
    core = {"contact": "left", "width_nm": 0.1, "energy_eV": {"Li_i": -0.3}}
    features = {"core_layers": [core], "interaction_eV": {"Li_i": 0.1}}
    thick, thin = (solved(features | {"thickness_nm": thickness_nm}) for thickness_nm in (20000, 1))
    for contact in thick["contacts"]:
        assert contact["resistance"]["reason"] == (
            "LLZO is solved as a whole because of its core_layers, interaction_eV: its whole "
            "resistance counts as a layer"
        )
    for contact in thin["contacts"]:
        assert contact["resistance"]["reason"].startswith("LLZO is not thick: ")
