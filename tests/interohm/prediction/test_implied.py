"""A stated conductivity is what a record implies: in what is shown, and at every draw."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interohm.device_models import Bulk, neutral_bulk, prepared_bulk
from interohm.prediction.implied import Implied, implied
from interohm.prediction.sampling import FieldSamples, phase_of, prepared_mu_eV
from interohm.records import Insulator, material_from
from interohm.records.shipped import shipped_material, shipped_names

METAL_eV = 2.93
HOP = {"attempt_frequency_Hz": 1e13, "hop_distance_nm": 0.3}


def _record(**fields: Any) -> Insulator:
    ions = [("Li_i", 1, 2e22), ("V_Li", -1, 1e22)]
    document = {
        "name": "X",
        "kind": "insulator",
        "mobile_ion": "Li",
        "ionization_potential_eV": {"value": 6.0, "uncertainty": 0.2},
        "band_gap_eV": {"value": 4.0, "uncertainty": 0.2},
        "dielectric_constant": 20.0,
        "saturation": 0.3,
        "neutral_potential_V": {"value": 1.5, "uncertainty": 0.2},
        "neutral_formation_energy_eV": {"value": 0.1, "uncertainty": 0.05},
        "conductivity": {
            "value_S_cm": {"value": 1e-4, "uncertainty": 5e-5},
            "temperature_K": 298.0,
            "activation_energy_eV": {"value": 0.4, "uncertainty": 0.03},
        },
        "defects": [
            {
                "name": name,
                "charge": charge,
                "ion_change": charge,
                "site_density_cm3": density,
                "sublattice": name,
                "degeneracy": 1,
                **HOP,
            }
            for name, charge, density in ions
        ],
    }
    found = material_from({**document, **fields}, where="here")
    assert isinstance(found, Insulator)
    return found


def _bulk(record: Insulator, voltage_V: float) -> Bulk:
    assert record.conductivity is not None
    return neutral_bulk(
        phase_of(record),
        temperature_K=record.conductivity.temperature_K,
        metal_work_function_eV=METAL_eV,
        mu_eV=-record.ion_charge * voltage_V,
        ion_charge=record.ion_charge,
    )


def test_shipped_electrolytes_do_not_contradict_themselves() -> None:
    """A measured prefactor is at most noted."""
    records = [shipped_material(name) for name in shipped_names()]
    measured = [
        one for one in records if isinstance(one, Insulator) and one.conductivity is not None
    ]
    found = {record.name: implied(record) for record in measured}
    assert {name: one.warnings for name, one in found.items() if one.warnings} == {}
    noted = {
        name for name, one in found.items() if any("hops per second" in text for text in one.doubts)
    }
    assert {"Li6PS5Cl", "LiPON", "Li3YCl6"} <= noted
    assert "LLZO" not in noted


def test_a_prefactor_is_noted_and_an_impossible_one_is_a_contradiction() -> None:
    """The more often the ions hop, the higher the activation energy at the same conductivity."""

    def hops(activation_eV: float) -> tuple[int, int]:
        stated = {"value_S_cm": 1e-3, "temperature_K": 298.0, "activation_energy_eV": activation_eV}
        found = implied(_record(conductivity=stated))
        return (
            sum("hops per second" in text for text in found.doubts),
            sum("hops per second" in text for text in found.warnings),
        )

    # a factor of exp(0.1 eV / kT) = 49 each
    assert [hops(energy) for energy in (0.3, 0.4, 0.6)] == [(0, 0), (1, 0), (0, 1)]


def _contradicts(found: Implied) -> bool:
    return any("it states" in text for text in found.warnings)


def _shown_and_stated(implied: Implied) -> tuple[float, float]:
    line = dict(implied.lines)["conductivity"]
    found = re.search(r"at [\d.]+ K (\S+), stated (\S+)\)", line)
    assert found is not None
    return float(found[1]), float(found[2])


@settings(deadline=None, max_examples=15)
@given(
    gap=st.floats(2.5, 7.0),
    above=st.floats(-2.0, 4.5),
    share=st.floats(0.0, 1.0),
    cost=st.floats(0.0, 0.2),
    sigma=st.floats(-9.0, -2.0),
    activation=st.floats(0.25, 0.8),
    temperature=st.floats(250.0, 600.0),
    carriers=st.sampled_from([["Li_i"], ["V_Li"], ["Li_i", "V_Li"]]),
)
def test_an_electrolyte_has_what_it_states_wherever_its_window_lies(
    gap: float,
    above: float,
    share: float,
    cost: float,
    sigma: float,
    activation: float,
    temperature: float,
    carriers: list[str],
) -> None:
    """Also where its Fermi level at the potential of lithium would lie above the gap."""
    # both ends of the window put the Fermi level 1 eV or more off the bands
    level, low = gap + above, above + 1.0
    ends = (low, low + max((gap - 2.0) * share, 0.1))
    record = _record(
        band_gap_eV=gap,
        ionization_potential_eV=level + METAL_eV - 1.5,
        neutral_potential_V=1.5,
        neutral_formation_energy_eV=cost,
        stability_window_V=ends,
        carriers=[{"defects": carriers}],
        conductivity={
            "value_S_cm": 10.0**sigma,
            "temperature_K": temperature,
            "activation_energy_eV": activation,
        },
    )
    shown, stated = _shown_and_stated(found := implied(record))
    assert shown == pytest.approx(stated, rel=0.01)
    assert not _contradicts(found)
    for voltage in ends:
        conducts = float(_bulk(record, voltage).conductivity_S_cm)
        assert conducts == pytest.approx(10.0**sigma, rel=0.01)


@settings(deadline=None, max_examples=15)
@given(
    gap=st.floats(0.5, 7.0),
    window=st.none() | st.tuples(st.floats(-1.0, 4.0), st.floats(0.1, 3.0)),
    potential=st.floats(-1.0, 3.0),
    trap=st.none() | st.floats(0.5, 3.0),
    temperature=st.floats(250.0, 900.0),
)
def test_what_differs_from_what_is_stated_is_told(
    gap: float,
    window: tuple[float, float] | None,
    potential: float,
    trap: float | None,
    temperature: float,
) -> None:
    """Whatever the gap, the window and defects that follow electrons alone."""
    fields: dict[str, Any] = {
        "band_gap_eV": gap,
        "conductivity": {
            "value_S_cm": 1e-4,
            "temperature_K": temperature,
            "activation_energy_eV": 0.6,
        },
        "stability_window_V": None if window is None else [window[0], window[0] + window[1]],
    }
    if trap is None:
        record = _record(neutral_potential_V=potential, **fields)
    else:
        plain = _record()
        level = 6.0 - METAL_eV + potential
        defects = [d.model_dump(mode="json", exclude_none=True) for d in plain.defects]
        for defect in defects:
            defect["formation_energy_eV"] = 0.1 - defect["charge"] * level
        polaron = {"name": "polaron", "charge": -1, "ion_change": 0, "sublattice": "polaron"}
        polaron |= {"formation_energy_eV": trap, "site_density_cm3": 1e22, "degeneracy": 1}
        free = {"neutral_potential_V": None, "neutral_formation_energy_eV": None}
        record = _record(defects=[*defects, polaron], **free, **fields)
    ends = [0.0] if window is None else [window[0], window[0] + window[1]]
    stated = 1e-4
    differs = [abs(float(_bulk(record, v).conductivity_S_cm) / stated - 1.0) for v in ends]
    found = implied(record)
    # not at the limit itself, where a rounding decides
    if max(differs) > 0.011:
        assert _contradicts(found)
    elif max(differs) < 0.009:
        assert not _contradicts(found)
        shown, _ = _shown_and_stated(found)
        assert shown == pytest.approx(stated, rel=0.015)


def test_shipped_records_have_what_they_state_at_every_draw() -> None:
    stating = []
    for name in shipped_names():
        record = shipped_material(name)
        if not isinstance(record, Insulator) or record.conductivity is None:
            continue
        stating.append(name)
        shown, stated = _shown_and_stated(found := implied(record))
        assert shown == pytest.approx(stated, rel=0.01), name
        assert not _contradicts(found), name
        _check_draws(record)
    assert {"LATP", "LLZO", "Li10GeP2S12", "Li3PS4", "LiNbO3", "LiTaO3"} <= set(stating)


def test_draws_without_a_window_and_of_ions_that_cannot_be_neutral_alone() -> None:
    _check_draws(_record())
    holes = _record()
    (vacancy,) = (d.model_dump(mode="json", exclude_none=True) for d in holes.defects[1:])
    vacancy["formation_energy_eV"] = 1.0
    free = {"neutral_potential_V": None, "neutral_formation_energy_eV": None}
    measured = {"value_S_cm": 1e-6, "temperature_K": 298.0, "activation_energy_eV": 0.9}
    _check_draws(_record(defects=[vacancy], conductivity=measured, **free))


def _check_draws(record: Insulator) -> None:
    samples = FieldSamples(200)
    phase = phase_of(record, field_samples=samples)
    measured = record.conductivity
    assert measured is not None
    expected = samples.positive(record.name, "conductivity.value_S_cm", measured.value_S_cm)
    found = prepared_bulk(
        phase,
        temperature_K=measured.temperature_K,
        mu_eV=prepared_mu_eV(record),
        ion_charge=record.ion_charge,
    )
    assert found.conductivity_S_cm == pytest.approx(expected, rel=1e-6)
    # the bulk with its electrons, where these are too few to matter
    whole = neutral_bulk(
        phase,
        temperature_K=measured.temperature_K,
        metal_work_function_eV=METAL_eV,
        mu_eV=prepared_mu_eV(record),
        ion_charge=record.ion_charge,
    )
    few = whole.electrons_cm3 + whole.holes_cm3 < 1e-3 * np.min(whole.concentrations_cm3, axis=-1)
    assert whole.conductivity_S_cm[few] == pytest.approx(expected[few], rel=0.01)
