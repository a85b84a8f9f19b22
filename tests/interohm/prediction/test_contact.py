from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interohm import device_models as models
from interohm.errors import InputError
from interohm.prediction.coated_contact import coated_contacts
from interohm.prediction.contact import contact_document
from interohm.prediction.contact_barrier import Hop
from interohm.prediction.sampling import FieldSamples, phase_of
from interohm.prediction.solved_contact import contact_fields
from interohm.records import Insulator, Metal, Quantity, material_document, material_from
from interohm.records.cell_config import Contact
from interohm.records.shipped import shipped_material

from .stated_energies import stated_energies

# Results published with doi 10.1038/s43588-021-00041-y; see tests/data/pfd_reference.yaml.
PUBLISHED = {
    "LLZO": (1.6216363422810787, 5.3271, 52.6322),
    "LiF": (1.9160630915364418, 2.4425, 20.4241),
}


def shipped(name: str) -> Insulator | Metal:
    material = shipped_material(name)
    assert material is not None
    return material


def changed(material: Insulator | Metal, **fields: Any) -> Any:
    return material_from(material_document(material) | fields, where="test")


def conducting(
    name: str, potential_V: float, energy_eV: float, metal_eV: float = 2.93
) -> Insulator:
    """An electrolyte with the given neutral potential above lithium of work function metal_eV."""
    level = 5.0 - metal_eV + potential_V
    hop = {"migration_energy_eV": 0.3, "attempt_frequency_Hz": 1e13, "hop_distance_nm": 0.25}
    sites = {"site_density_cm3": 3e22} | hop
    record = material_from(
        {
            "name": name,
            "kind": "insulator",
            "mobile_ion": "Li",
            "ionization_potential_eV": 5.0,
            "band_gap_eV": 8.0,
            "dielectric_constant": 20,
            "saturation": 0.1,
            "defects": [
                {"name": "Li_i", "charge": 1, "ion_change": 1, "sublattice": "i"}
                | {"formation_energy_eV": energy_eV - level}
                | sites,
                {"name": "V_Li", "charge": -1, "ion_change": -1, "sublattice": "v"}
                | {"formation_energy_eV": energy_eV + level}
                | sites,
            ],
        },
        where="test",
    )
    assert isinstance(record, Insulator)
    return record


@pytest.mark.parametrize("name", PUBLISHED)
def test_lithium_contacts_give_the_published_charge_and_capacitance(name: str) -> None:
    drop, charge, capacitance = PUBLISHED[name]
    document = contact_document(shipped("Li"), shipped(name), samples=10)
    assert document["reference"] == "Li"
    assert document["potential_drop_V"] == pytest.approx(drop, rel=1e-8)
    assert document["sheet_charge_e_nm2"] == pytest.approx(charge, rel=2e-5)
    assert document["capacitance_uF_cm2"] == pytest.approx(capacitance, rel=2e-5)
    assert document["debye_length_nm"]["left"] is None


def test_the_profile_is_fine_and_reaches_the_bulk() -> None:
    document = contact_document(shipped("Li"), shipped("LLZO"), samples=10)
    profile = document["profile"]
    x, phi = np.array(profile["x_nm"]), np.array(profile["phi_V"])
    drop = document["potential_drop_V"]
    assert x[0] == 0
    assert len(x) >= 400
    assert np.all(np.diff(x) > 0)
    assert np.max(np.abs(np.diff(phi))) <= 0.01 * abs(drop) * (1 + 1e-9)
    assert abs(phi[-1] - 1.6216363422810787) <= 3e-4 * abs(drop)
    assert set(profile["concentrations_cm3"]) == {"Li_i", "V_Li"}
    # The space charge, integrated over the profile, is the sheet charge.
    density = np.array(profile["concentrations_cm3"]["Li_i"]) - np.array(
        profile["concentrations_cm3"]["V_Li"]
    )
    charge = np.trapezoid(density, x) * 1e-21
    assert charge == pytest.approx(document["sheet_charge_e_nm2"], rel=2e-3)


def test_a_contact_of_two_insulators_is_neutral_and_spans_both_sides() -> None:
    left, right = conducting("A", 1.2, 0.2), conducting("B", 1.9, 0.35)
    document = contact_document(left, right)
    assert document["reference"] == "Li"
    assert document["potential_drop_V"] == pytest.approx(0.7, abs=1e-6)
    assert document["quantiles"]["potential_drop_V"]["p50"] == pytest.approx(0.7, abs=1e-6)
    x = np.array(document["profile"]["x_nm"])
    density = np.array(document["profile"]["concentrations_cm3"]["Li_i"]) - np.array(
        document["profile"]["concentrations_cm3"]["V_Li"]
    )
    # x = 0 stands twice, once for each side
    edge = int(np.flatnonzero(x == 0)[1])
    sides = [np.trapezoid(density[s], x[s]) * 1e-21 for s in (slice(edge), slice(edge, None))]
    assert sides[0] == pytest.approx(-sides[1], rel=5e-3)
    assert sides[1] == pytest.approx(document["sheet_charge_e_nm2"], rel=5e-3)


@settings(deadline=None, max_examples=20)
@given(
    st.floats(0.3, 3.0),
    st.floats(0.3, 3.0),
    st.floats(0.02, 0.6),
    st.floats(0.02, 0.6),
    st.floats(250, 600),
)
def test_a_mirrored_contact_is_the_same_contact(
    first_V: float, second_V: float, first_eV: float, second_eV: float, temperature_K: float
) -> None:
    one, two = conducting("A", first_V, first_eV), conducting("B", second_V, second_eV)
    there = contact_document(one, two, temperature_K=temperature_K, samples=2)
    back = contact_document(two, one, temperature_K=temperature_K, samples=2)
    assert there["potential_drop_V"] == pytest.approx(-back["potential_drop_V"], abs=1e-12)
    assert there["sheet_charge_e_nm2"] == pytest.approx(-back["sheet_charge_e_nm2"], abs=1e-9)
    for key in ("space_charge_ohm_cm2", "charge_transfer_ohm_cm2"):
        if there["resistance"][key] is None:
            assert back["resistance"][key] is None
        else:
            assert there["resistance"][key] == pytest.approx(back["resistance"][key], rel=1e-6)
    json.dumps(there, allow_nan=False)


def test_a_thick_layer_is_a_half_space_and_a_thin_one_a_capacitor() -> None:
    lithium, right = shipped("Li"), conducting("B", 1.5, 0.2)
    half = contact_document(lithium, right, samples=10)
    thick = contact_document(lithium, right, thickness_nm=5000, samples=10)
    assert thick["sheet_charge_e_nm2"] == pytest.approx(half["sheet_charge_e_nm2"], rel=1e-7)
    assert thick["differential_capacitance_uF_cm2"] == pytest.approx(
        half["differential_capacitance_uF_cm2"], rel=1e-4
    )
    bulk = thick["resistance"]["layer_ohm_cm2"] - half["resistance"]["space_charge_ohm_cm2"]
    assert bulk > 0
    insulating = shipped("LiF")
    thin = contact_document(lithium, insulating, thickness_nm=1.0, samples=10)
    # eps_0 eps_r/L, almost: 9 · 8.854e-12 F/m over 1 nm is 7.97 µF/cm²; ions add to it.
    assert thin["capacitance_uF_cm2"] > 7.96
    total = thin["resistance"]["layer_ohm_cm2"] + thin["resistance"]["charge_transfer_ohm_cm2"]
    assert thin["resistance"]["total_ohm_cm2"] == pytest.approx(total)


def test_what_is_not_thick_has_no_total_and_says_why() -> None:
    document = contact_document(shipped("Li"), shipped("LiF"), samples=10)
    assert document["resistance"]["space_charge_ohm_cm2"] is None
    assert document["resistance"]["total_ohm_cm2"] is None
    assert "not thick" in document["resistance"]["reason"]
    assert document["quantiles"]["log10_resistance"] is None


def test_a_side_beside_a_layer_has_to_be_thick() -> None:
    """The Debye length of LiF is far beyond 10 µm: beside a layer as it is without one."""
    document = contact_document(shipped("LiF"), shipped("LLZO"), thickness_nm=0.5, samples=10)
    resistance = document["resistance"]
    assert resistance["layer_ohm_cm2"] > 0
    assert resistance["charge_transfer_ohm_cm2"] > 0
    for field in ("total_ohm_cm2", "space_charge_left_ohm_cm2", "accumulation_ohm_cm2"):
        assert resistance[field] is None, field
    # what conducts worse than the bulk counts to 10 µm
    assert resistance["interface_resistance_ohm_cm2"] > resistance["charge_transfer_ohm_cm2"]
    assert "left phase is not thick" in resistance["reason"]
    assert document["quantiles"]["resistance_ohm_cm2"]["space_charge_left_ohm_cm2"] is None
    sweep = document["temperature_sweep"]
    assert min(sweep["area_specific"]["resistance_ohm_cm2"]) > 0
    # without space charge there is nothing to be thick for, and no rounding instead of it
    without = sweep["area_specific"]["without_space_charge"]["resistance_ohm_cm2"]
    transfer = sweep["contacts"][0]["charge_transfer"]["without_space_charge"]
    assert without == pytest.approx(transfer["resistance_ohm_cm2"], rel=1e-12)


def test_the_space_charge_beside_a_layer_may_limit() -> None:
    """A layer of 1 nm at 1.2 V above a phase that conducts by the interstitials it loses."""
    record = material_document(conducting("A", 1.2, 0.2))
    for field in ("migration_energy_eV", "attempt_frequency_Hz", "hop_distance_nm"):
        del record["defects"][1][field]
    left, layer = material_from(record, where="test"), conducting("B", 2.4, 0.0)
    document = contact_document(left, layer, thickness_nm=1.0, samples=0)
    resistance = document["resistance"]
    largest = max(
        ("space_charge_left_ohm_cm2", "layer_ohm_cm2", "charge_transfer_ohm_cm2"),
        key=lambda field: resistance[field],
    )
    assert largest == "space_charge_left_ohm_cm2"
    assert resistance["limiting_step"] == "space charge"
    assert resistance["space_charge_ohm_cm2"] == resistance["space_charge_left_ohm_cm2"]
    (contact,) = document["temperature_sweep"]["contacts"]
    swept = contact["space_charge"]["resistance_ohm_cm2"]
    assert swept[len(swept) // 2] == pytest.approx(resistance["space_charge_ohm_cm2"], rel=1e-6)


def test_equal_levels_make_no_space_charge_but_a_capacitance() -> None:
    document = contact_document(
        conducting("A", 1.3, 0.2), conducting("B", 1.3, 0.2), electrons=False, samples=2
    )
    assert document["potential_drop_V"] == pytest.approx(0, abs=1e-12)
    assert document["sheet_charge_e_nm2"] == pytest.approx(0, abs=1e-9)
    assert document["capacitance_uF_cm2"] == pytest.approx(
        document["differential_capacitance_uF_cm2"], rel=1e-3
    )
    assert document["capacitance_uF_cm2"] > 0
    assert len(document["profile"]["x_nm"]) >= 400


def test_lithium_cobalt_oxide_gives_electrons_to_lipon() -> None:
    """0.257 ± 0.065 V by KPFM, 0.25 eV by photoemission (physics.md, section 9)."""
    document = contact_document(shipped("LiPON"), shipped("LiCoO2"), samples=10)
    assert -document["potential_drop_V"] == pytest.approx(0.257, abs=0.065)
    charged = contact_document(shipped("LiPON"), shipped("LiCoO2"), state_of_charge=1, samples=10)
    assert (document["ion_content"]["right"], charged["ion_content"]["right"]) == (1.0, 0.5)
    swapped = contact_document(shipped("LiCoO2"), shipped("LiPON"), samples=10)
    assert swapped["ion_content"]["left"] == 1.0


def test_the_intervals_follow_the_uncertainties() -> None:
    """With one uncertain level the drop's quantiles are those of a normal distribution."""
    plain = conducting("A", 1.5, 0.2)
    level = {"value": 5.0, "uncertainty": 0.1, "source": "test", "method": "test"}
    lithium = changed(
        shipped("Li"), states=[{"ion_content": 1, "voltage_V": 0, "work_function_eV": 2.93}]
    )
    known = Contact(barrier_eV=Quantity(value=0.4))
    assert contact_document(lithium, plain, contact=known)["quantiles"] is None
    # nobody knows the barrier of the contact unless it is given
    assert contact_document(lithium, plain, samples=5)["quantiles"] is not None
    document = contact_document(
        lithium, changed(plain, ionization_potential_eV=level), samples=20_000, contact=known
    )
    quantiles = document["quantiles"]["potential_drop_V"]
    assert document["quantiles"]["samples"] == 20_000
    assert quantiles["p50"] == pytest.approx(1.5, abs=0.005)
    assert quantiles["p95"] - quantiles["p05"] == pytest.approx(2 * 1.645 * 0.1, rel=0.03)


def intervals(
    fields: Any, place: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], dict[str, float]]]:
    """Every interval of a document's quantiles, and where it stands."""
    if not isinstance(fields, dict):
        return
    if "p50" in fields:
        yield place, fields
        return
    for key, value in fields.items():
        if key != "profile":
            yield from intervals(value, (*place, key))


def nominal_at(document: dict[str, Any], place: tuple[str, ...]) -> float:
    """Return the number of which an interval of that place tells the uncertainty."""
    if place == ("log10_resistance",):
        return float(np.log10(document["resistance"]["total_ohm_cm2"]))
    if place == ("log10_interface_resistance",):
        return float(np.log10(document["resistance"]["interface_resistance_ohm_cm2"]))
    if place[-1] == "log10_leakage_A_cm2":
        return float(np.log10(document["electrons"]["leakage_A_cm2"]))
    found: Any = document
    for key in place:
        found = found["resistance" if key == "resistance_ohm_cm2" else key]
    return float(found)


@pytest.mark.parametrize(
    ("left", "right", "fields"),
    [
        ("Li", "LLZO", {}),
        ("LiCoO2", "LLZO", {"state_of_charge": 0.3}),
        ("LLZO", "LiPON", {}),
        ("Li", "LiF", {"thickness_nm": 5}),
    ],
)
def test_every_interval_holds_the_nominal_value(
    left: str, right: str, fields: dict[str, Any]
) -> None:
    document = contact_document(shipped(left), shipped(right), samples=100, **fields)
    found = list(intervals(document["quantiles"]))
    places = {place for place, _ in found}
    assert {("sheet_charge_e_nm2",), ("capacitance_uF_cm2",)} <= places
    assert ("debye_length_nm", "right") in places
    if "thickness_nm" not in fields:
        distances = {("distance_nm", "right", key) for key in ("x50", "x90", "x99")}
        assert {*distances, ("differential_capacitance_uF_cm2",)} <= places
    electrons = (
        ("conduction_band_step_eV", "valence_band_step_eV")
        if left == "LLZO"
        else ("electron_barrier_eV", "hole_barrier_eV", "log10_leakage_A_cm2")
    )
    assert {("electrons", key) for key in electrons} == {p for p in places if "electrons" in p}
    for place, interval in found:
        assert interval["p05"] <= interval["p50"] <= interval["p95"], place
        nominal = nominal_at(document, place)
        room = 1e-3 * abs(nominal) + 1e-12
        assert interval["p05"] - room <= nominal <= interval["p95"] + room, place


def test_a_number_that_is_certain_has_no_width() -> None:
    """A barrier for the ions moves what conducts, and neither the charges nor their reach."""
    lithium = changed(
        shipped("Li"), states=[{"ion_content": 1, "voltage_V": 0, "work_function_eV": 2.93}]
    )
    plain = conducting("A", 1.5, 0.2)
    record = material_document(plain)
    for defect in record["defects"]:
        defect["migration_energy_eV"] = {
            "value": 0.3,
            "uncertainty": 0.05,
            "source": "test",
            "method": "test",
        }
    document = contact_document(lithium, material_from(record, where="test"), samples=50)
    for place, interval in intervals(document["quantiles"]):
        if place[0].startswith(("log10", "resistance")):
            continue
        assert interval["p05"] == pytest.approx(interval["p95"], rel=1e-9), place
        assert interval["p50"] == pytest.approx(nominal_at(document, place), rel=1e-3), place
    hop = document["quantiles"]["resistance_ohm_cm2"]["charge_transfer_ohm_cm2"]
    assert hop["p05"] < hop["p95"]


def test_the_reference_moves_all_levels_alike() -> None:
    """Lithium is the zero of potential: its own neutral potential is zero in every sample."""
    document = contact_document(shipped("Li"), shipped("LLZO"), samples=100)
    assert document["neutral_potential_V"]["left"] == 0
    field_samples = FieldSamples(5)
    insulator = shipped("LLZO")
    assert isinstance(insulator, Insulator)
    phase = phase_of(insulator, field_samples=field_samples)
    again = phase_of(insulator, field_samples=replace(field_samples))
    assert np.array_equal(phase.ionization_potential_eV, again.ionization_potential_eV)
    assert np.ptp(phase.ionization_potential_eV) > 0
    assert np.all(phase.site_density_cm3 > 0)


def test_impossible_contacts_say_what_to_do() -> None:
    with pytest.raises(InputError, match="both metals"):
        contact_document(shipped("Li"), shipped("LiCoO2"))
    potassium = changed(shipped("LLZO"), mobile_ion="K")
    with pytest.raises(InputError, match="same mobile ion"):
        contact_document(shipped("Li"), potassium)
    with pytest.raises(InputError, match="no record of the mobile metal K"):
        contact_document(potassium, potassium)
    lone = stated_energies(shipped("LLZO"))
    lone["defects"] = lone["defects"][:1]
    with pytest.raises(InputError, match="no neutral bulk"):
        contact_document(shipped("Li"), material_from(lone, where="x"), electrons=False)


def test_an_interface_is_positive_where_carriers_accumulate() -> None:
    """LiPON collects interstitials beside LiCoO2, and would take more than a small barrier adds."""
    known = Contact(barrier_eV=Quantity(value=0.3))
    document = contact_document(shipped("LiPON"), shipped("LiCoO2"), samples=200, contact=known)
    resistance = document["resistance"]
    assert resistance["total_ohm_cm2"] < 0
    assert "accumulate" in resistance["reason"]
    assert resistance["limiting_step"] == "charge transfer"
    assert resistance["interface_resistance_ohm_cm2"] > 0
    both = resistance["interface_resistance_ohm_cm2"] + resistance["accumulation_ohm_cm2"]
    assert both == pytest.approx(resistance["total_ohm_cm2"], rel=1e-9)
    assert document["quantiles"]["log10_interface_resistance"]["samples"] == 200
    assert document["quantiles"]["log10_samples"] < 200


def test_samples_without_a_solution_leave_the_others() -> None:
    """Beyond 20 nm the doping changes its sign too often for any grid."""

    def doping(x: np.ndarray) -> np.ndarray:
        return np.where(x > 20.0, 1e21 * np.sin(1e5 * x), 1e20)

    left, llzo, right = shipped("Li"), shipped("LLZO"), shipped("LiCoO2")
    assert isinstance(llzo, Insulator)
    phase = phase_of(llzo)

    def bulk_at(temperature_K: Any) -> models.Bulk:
        return models.neutral_bulk(phase, temperature_K=temperature_K, metal_work_function_eV=2.9)

    alone, sampled = (
        coated_contacts(
            [left, llzo, right],
            models.Metal(0.0),
            [models.StackLayer(bulk_at(temperature_K), thickness_nm, fixed_charge_cm3=doping)],
            models.Metal(1.0),
            dipole_V=[0.0, 0.0],
            sheet_charge_e_nm2=[0.0, 0.0],
            hops=[Hop(None, np.zeros(()), None)] * 2,
            nominal=False,
        )[0][0]
        for temperature_K, thickness_nm in (
            (300.0, 10.0),
            (np.array([300.0, 310.0, 320.0]), np.array([10.0, 50.0, 15.0])),
        )
    )
    assert sampled.has_no_solution.tolist() == [False, True, False]
    found = contact_fields(alone, sampled)["quantiles"]
    assert found["samples"] == 3
    assert found["lost_samples"] == 1
    assert found["resistance_ohm_cm2"]["charge_transfer_ohm_cm2"] is not None
