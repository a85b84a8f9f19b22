"""What a record says of its carriers, its conductivity, its shared errors and its electrodes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interohm.errors import InputError
from interohm.records import Insulator, Metal, material_document, material_from
from interohm.records.uncertainty import is_uncertain, others_hop, quantities

HOP = {"attempt_frequency_Hz": 1e13, "hop_distance_nm": 0.25}


def electrolyte(**fields: Any) -> dict[str, Any]:
    defects = [
        {
            "name": name,
            "charge": charge,
            "ion_change": charge,
            "formation_energy_eV": -charge * 4.0,
            "site_density_cm3": 3e22,
            "sublattice": name,
            "migration_energy_eV": 0.3,
            **HOP,
        }
        for name, charge in (("Li_i", 1), ("V_Li", -1))
    ]
    return {
        "name": "X",
        "kind": "insulator",
        "mobile_ion": "Li",
        "ionization_potential_eV": 6.0,
        "band_gap_eV": 6.0,
        "dielectric_constant": 20.0,
        "defects": defects,
        **fields,
    }


def known_at_neutrality(**fields: Any) -> dict[str, Any]:
    document = electrolyte(neutral_potential_V=1.5, neutral_formation_energy_eV=0.2, **fields)
    for defect in document["defects"]:
        del defect["formation_energy_eV"]
    return document


def electrode(**fields: Any) -> dict[str, Any]:
    return {
        "name": "E",
        "kind": "metal",
        "mobile_ion": "Li",
        "states": [
            {"ion_content": x, "voltage_V": 4.5 - x, "work_function_eV": 5.0}
            for x in (0.25, 0.5, 1.0)
        ],
        **fields,
    }


SPACE_CHARGE = {"dielectric_constant": 13, "site_density_cm3": 3e22, "holes_cm3": 1e20}
CONDUCTIVITY = {"value_S_cm": 1e-4, "temperature_K": 298, "activation_energy_eV": 0.35}


def test_all_of_it_survives_a_round_trip() -> None:
    document = known_at_neutrality(
        carriers=[{"defects": ["Li_i"], "weight": 2, "source": "assumed"}, {"defects": ["V_Li"]}],
        others_slower_eV={"value": 0.3, "uncertainty": 0.1},
        conductivity=CONDUCTIVITY,
        shared_errors=[
            {"name": "band", "uncertainty_eV": 0.3, "moves": {"ionization_potential_eV": -1}}
        ],
    )
    for defect in document["defects"]:
        del defect["migration_energy_eV"]
    record = material_from(document, where="here")
    assert isinstance(record, Insulator)
    assert record.carriers[0].defects == ["Li_i"]
    assert material_from(material_document(record), where="there") == record
    held = material_from(
        electrode(sites_per_formula=1, two_phase_range=[0.3, 0.9], space_charge=SPACE_CHARGE),
        where="here",
    )
    assert material_from(material_document(held), where="there") == held


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"carriers": [{"defects": ["Li_x"]}]}, "not a defect of this record; it has Li_i, V_Li"),
        ({"carriers": [{"defects": ["Li_i", "Li_i"]}]}, "appears twice"),
        ({"carriers": [{"defects": []}]}, "carriers"),
        ({"carriers": [{"defects": ["Li_i"], "weight": 0}]}, "weight"),
        ({"neutral_potential_V": 1.5}, "belong together"),
        (
            {"neutral_potential_V": 1.5, "neutral_formation_energy_eV": 0.1},
            "give either those or these",
        ),
        (
            {"shared_errors": [{"name": "a", "uncertainty_eV": 1, "moves": {"band_gap": 1}}]},
            "not an energy or potential of this record",
        ),
        (
            {
                "shared_errors": [
                    {"name": "a", "uncertainty_eV": 1, "moves": {"neutral_potential_V": 1}}
                ]
            },
            "not an energy or potential of this record",
        ),
        (
            {
                "shared_errors": [
                    {"name": "a", "uncertainty_eV": 0.1, "moves": {"band_gap_eV": 1}},
                    {"name": "a", "uncertainty_eV": 0.2, "moves": {"band_gap_eV": 1}},
                ]
            },
            "appears twice",
        ),
        ({"conductivity": {**CONDUCTIVITY, "value_S_cm": -1e-4}}, "S/cm"),
        ({"conductivity": {**CONDUCTIVITY, "temperature_K": 25}}, "temperature_K"),
    ],
)
def test_what_contradicts_itself_is_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        material_from(electrolyte(**fields), where="here")


def test_a_missing_formation_energy_is_asked_for() -> None:
    document = electrolyte()
    del document["defects"][1]["formation_energy_eV"]
    with pytest.raises(InputError, match="V_Li has no formation_energy_eV"):
        material_from(document, where="here")


def test_two_defects_of_opposite_charge_alone_follow_from_neutrality() -> None:
    document = known_at_neutrality()
    document["defects"].append({**document["defects"][0], "name": "third", "sublattice": "third"})
    with pytest.raises(InputError, match=r"two defects of charge \+1 and -1 alone"):
        material_from(document, where="here")


def test_hops_without_a_migration_energy_need_a_conductivity() -> None:
    document = electrolyte()
    del document["defects"][0]["migration_energy_eV"]
    with pytest.raises(InputError, match="give that, or the record's conductivity"):
        material_from(document, where="here")
    assert material_from({**document, "conductivity": CONDUCTIVITY}, where="here")
    for defect in document["defects"]:
        for name in (*HOP, "migration_energy_eV"):
            defect.pop(name, None)
    with pytest.raises(InputError, match="no defect has attempt_frequency_Hz"):
        material_from({**document, "conductivity": CONDUCTIVITY}, where="here")
    with pytest.raises(InputError, match="does not hop"):
        material_from({**document, "carriers": [{"defects": ["Li_i"]}]}, where="here")


@given(
    contents=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=8, unique=True),
    descending=st.booleans(),
)
def test_states_in_either_order_are_one_curve(contents: list[float], descending: bool) -> None:
    ordered = sorted(contents, reverse=descending)
    states = [{"ion_content": x, "voltage_V": 4.5 - x, "work_function_eV": 5.0} for x in ordered]
    record = material_from(electrode(states=states), where="here")
    assert isinstance(record, Metal)
    assert [state.ion_content for state in record.states] == sorted(contents)
    assert record == material_from(electrode(states=states[::-1]), where="here")


@given(sites=st.floats(0.01, 3.0))
def test_a_host_holds_no_more_ions_than_it_has_sites(sites: float) -> None:
    document = electrode(sites_per_formula=sites)
    if sites >= 1.0:
        assert material_from(document, where="here")
    else:
        with pytest.raises(InputError, match="do not hold the ion_content"):
            material_from(document, where="here")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"space_charge": SPACE_CHARGE}, "needs sites_per_formula"),
        ({"two_phase_range": [0.3, 0.9]}, "needs sites_per_formula"),
        ({"sites_per_formula": 1, "two_phase_range": [0.9, 0.3]}, "must ascend"),
        ({"sites_per_formula": 1, "two_phase_range": [0.3, 1.2]}, "must ascend"),
        (
            {"sites_per_formula": 1, "space_charge": {**SPACE_CHARGE, "band_gap_eV": 2}},
            "give one of holes_cm3",
        ),
        (
            {
                "sites_per_formula": 1,
                "space_charge": {k: v for k, v in SPACE_CHARGE.items() if k != "holes_cm3"},
            },
            "give one of holes_cm3",
        ),
        (
            {"shared_errors": [{"name": "a", "uncertainty_eV": 1, "moves": {"voltage_V": 1}}]},
            "it has states.voltage_V",
        ),
    ],
)
def test_electrodes_that_contradict_themselves_are_refused(
    fields: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        material_from(electrode(**fields), where="here")


def test_the_order_of_states_that_is_neither_is_refused() -> None:
    states = electrode()["states"]
    with pytest.raises(InputError, match="in the order of their ion content"):
        material_from(electrode(states=[states[1], states[0], states[2]]), where="here")


def test_numbers_of_a_record_and_what_is_uncertain_in_it() -> None:
    plain = material_from(electrolyte(), where="here")
    assert "others_slower_eV" not in dict(quantities(plain))
    assert not is_uncertain(plain)
    one = material_from(electrolyte(carriers=[{"defects": ["Li_i"]}]), where="here")
    assert others_hop(one)
    assert "others_slower_eV" in dict(quantities(one))
    both = material_from(electrolyte(carriers=[{"defects": ["Li_i", "V_Li"]}]), where="here")
    assert not others_hop(both)
    assert not is_uncertain(both)
    choice = [{"defects": ["Li_i", "V_Li"]}, {"defects": ["Li_i"]}]
    assert is_uncertain(material_from(electrolyte(carriers=choice), where="here"))
    shared = [{"name": "band", "uncertainty_eV": 0.1, "moves": {"band_gap_eV": 1}}]
    assert is_uncertain(material_from(electrolyte(shared_errors=shared), where="here"))
    measured = material_from(electrolyte(conductivity=CONDUCTIVITY), where="here")
    assert "conductivity.value_S_cm" in dict(quantities(measured))
    bends = material_from(electrode(sites_per_formula=1, space_charge=SPACE_CHARGE), where="here")
    assert "space_charge.holes_cm3" in dict(quantities(bends))
