"""Neutral bulk: the published levels, dopants, electrons, and phases that have none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import constants

from interohm.device_models import BOLTZMANN_EV_K, Phase, neutral_bulk, stack_phases

from .phases import SYSTEMS, METAL_eV, reference_bulk, symmetric
from .test_densities import three_defects


@pytest.mark.parametrize("name", sorted(SYSTEMS))
def test_neutral_potential_of_the_reference(name: str) -> None:
    bulk = reference_bulk(name)
    assert bulk.neutral_potential_V == pytest.approx(SYSTEMS[name]["neutral_potential_V"])
    assert bulk.has_neutral_bulk
    assert bulk.neutral_by_ions


def test_two_defects_give_half_the_difference_of_their_energies() -> None:
    phase = symmetric(0.4, neutral_potential_V=1.1)
    bulk = neutral_bulk(phase, temperature_K=350.0, metal_work_function_eV=METAL_eV, mu_eV=-0.7)
    interstitial, vacancy = phase.formation_energy_eV
    expected = METAL_eV - phase.ionization_potential_eV + (vacancy - interstitial) / 2.0
    assert bulk.neutral_potential_V == pytest.approx(expected, abs=1e-12)
    assert bulk.fermi_level_eV == pytest.approx(
        phase.ionization_potential_eV - METAL_eV + bulk.neutral_potential_V - 0.7, abs=1e-12
    )


@settings(deadline=None, max_examples=80)
@given(
    mu=st.floats(-4.0, 0.0),
    temperature=st.floats(200.0, 1500.0),
    frozen=st.sampled_from([0.0, 1e12, -1e17, 3e20, -9e20]),
    electrons=st.booleans(),
    shift=st.floats(-2.0, 2.0),
)
def test_neutral(
    mu: float, temperature: float, frozen: float, electrons: bool, shift: float
) -> None:
    one = three_defects()
    phase = Phase(
        **{
            **{name: getattr(one, name) for name in one.__dataclass_fields__},
            "formation_energy_eV": one.formation_energy_eV + shift * one.charge,
            "electrons": electrons,
            "frozen_charge_cm3": frozen,
        }
    )
    bulk = neutral_bulk(phase, temperature_K=temperature, metal_work_function_eV=METAL_eV, mu_eV=mu)
    parts = phase.charge * bulk.concentrations_cm3
    total = parts.sum() + bulk.holes_cm3 - bulk.electrons_cm3 + frozen
    scale = np.abs(parts).sum() + bulk.holes_cm3 + bulk.electrons_cm3 + abs(frozen)
    assert abs(total) < 1e-11 * scale


def test_no_neutral_bulk_is_said_not_guessed() -> None:
    one = Phase(5.0, 6.0, 10.0, [1.0], [1.0], [0.5], [1e22], electrons=False)
    doped = symmetric(0.5, site_density_cm3=1e20, saturation=1.0, frozen_charge_cm3=2e20)
    for phase in (one, doped):
        bulk = neutral_bulk(phase, temperature_K=300.0, metal_work_function_eV=METAL_eV)
        assert not bulk.has_neutral_bulk
        assert np.isnan(bulk.neutral_potential_V)
        assert np.isnan(bulk.debye_length_nm)
    with_electrons = Phase(5.0, 1.0, 10.0, [1.0], [1.0], [0.5], [1e22])
    bulk = neutral_bulk(with_electrons, temperature_K=300.0, metal_work_function_eV=METAL_eV)
    assert bulk.has_neutral_bulk
    assert not bulk.neutral_by_ions
    assert bulk.electrons_cm3 == pytest.approx(
        float(bulk.concentrations_cm3[0] + bulk.holes_cm3), rel=1e-10
    )


def test_dopants_fix_the_vacancies() -> None:
    phase = symmetric(0.6, frozen_charge_cm3=1e19)
    bulk = neutral_bulk(phase, temperature_K=400.0, metal_work_function_eV=METAL_eV)
    assert bulk.concentrations_cm3[1] == pytest.approx(1e19, rel=1e-3)


def test_batches_equal_single_phases() -> None:
    phases = [symmetric(0.3), three_defects(), symmetric(0.9, charge=2.0)]
    stacked = neutral_bulk(
        stack_phases(phases), temperature_K=500.0, metal_work_function_eV=METAL_eV
    )
    for place, phase in enumerate(phases):
        bulk = neutral_bulk(phase, temperature_K=500.0, metal_work_function_eV=METAL_eV)
        for name in ("neutral_potential_V", "debye_length_nm", "conductivity_S_cm"):
            assert getattr(stacked, name)[place] == pytest.approx(
                float(getattr(bulk, name)), rel=1e-12
            )


def test_debye_length_of_dilute_carriers() -> None:
    bulk = neutral_bulk(symmetric(1.0), temperature_K=300.0, metal_work_function_eV=METAL_eV)
    density = 2.0 * float(bulk.concentrations_cm3[0]) * 1e6
    kT_J = BOLTZMANN_EV_K * 300.0 * 1.602176634e-19
    expected = np.sqrt(8.8541878128e-12 * 10.0 * kT_J / (density * 1.602176634e-19**2)) * 1e9
    assert bulk.debye_length_nm == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("donors_cm3", "mass"), [(1e21, 0.4), (-1e21, 1.3)])
def test_debye_length_of_a_degenerate_band(donors_cm3: float, mass: float) -> None:
    """Thomas–Fermi screening: lambda² = 2·eps·E_F/(3·e²·n), E_F = ħ²(3π²n)^(2/3)/2m."""
    band = {"electron_mass" if donors_cm3 > 0.0 else "hole_mass": mass}
    phase = Phase(
        5.0, 3.0, 10.0, [1.0], [1.0], [20.0], [1e22], frozen_charge_cm3=donors_cm3, **band
    )
    bulk = neutral_bulk(phase, temperature_K=20.0, metal_work_function_eV=METAL_eV)
    density_m3 = abs(donors_cm3) * 1e6
    carriers = bulk.electrons_cm3 if donors_cm3 > 0.0 else bulk.holes_cm3
    assert carriers == pytest.approx(abs(donors_cm3), rel=1e-10)
    fermi_J = constants.hbar**2 * (3.0 * np.pi**2 * density_m3) ** (2 / 3)
    fermi_J /= 2.0 * mass * constants.m_e
    squared_m2 = 2.0 * 10.0 * constants.epsilon_0 * fermi_J / (3.0 * density_m3 * constants.e**2)
    # Sommerfeld's next term, (pi·kT/E_F)²/12, is 3e-5 at most
    assert bulk.debye_length_nm == pytest.approx(1e9 * np.sqrt(squared_m2), rel=1e-4)
