"""Half-space space charge: published values, classical limits, SciPy's initial-value solver."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad, solve_ivp

from interohm.device_models import BOLTZMANN_EV_K, HalfSpace, Phase, half_space, neutral_bulk
from interohm.device_models.constants import CAPACITANCE_UF_CM2, VACUUM_PERMITTIVITY_E_V_NM

from ..phases import SYSTEMS, IP_eV, METAL_eV, reference_bulk, symmetric
from ..test_densities import three_defects


@pytest.mark.parametrize("name", sorted(SYSTEMS))
def test_reference_to_four_digits(name: str) -> None:
    found = half_space(reference_bulk(name), 0.0)
    results = SYSTEMS[name]["results"]
    assert abs(found.sheet_charge_e_nm2) == pytest.approx(results["sheet_charge_e_nm2"], rel=2e-5)
    assert found.integral_capacitance_uF_cm2 == pytest.approx(
        results["capacitance_uF_cm2"], rel=1e-5
    )
    place = results["distance_nm"]
    assert found.distance_nm([place["at_potential_V"]])[0] == pytest.approx(
        place["exact"], abs=5e-4
    )


def at_drop(phase: Phase, drop_V: float, temperature_K: float = 300.0) -> HalfSpace:
    bulk = neutral_bulk(phase, temperature_K=temperature_K, metal_work_function_eV=METAL_eV)
    return half_space(bulk, bulk.neutral_potential_V + drop_V)


@pytest.mark.parametrize("drop_V", [1e-6, -1e-3, 0.05, -0.5])
def test_gouy_chapman(drop_V: float) -> None:
    found = at_drop(symmetric(1.2, saturation=1.0), drop_V)
    kT = BOLTZMANN_EV_K * 300.0
    debye = float(found.bulk.debye_length_nm)
    permittivity = 10.0 * VACUUM_PERMITTIVITY_E_V_NM
    charge = -2.0 * permittivity * kT / debye * np.sinh(drop_V / (2.0 * kT))
    assert found.sheet_charge_e_nm2 == pytest.approx(charge, rel=1e-9)
    capacitance = permittivity / debye * np.cosh(drop_V / (2.0 * kT)) * CAPACITANCE_UF_CM2
    assert found.differential_capacitance_uF_cm2 == pytest.approx(capacitance, rel=1e-9)
    # tanh(u/4) falls exponentially
    u = abs(drop_V) / kT
    for share, distance in ((0.5, found.x50_nm), (0.1, found.x90_nm), (0.01, found.x99_nm)):
        expected = debye * np.log(np.tanh(u / 4.0) / np.tanh(share * u / 4.0))
        assert distance == pytest.approx(expected, rel=1e-9)
    x = np.array([0.1, 1.0, 3.0, 20.0]) * debye
    phi = found.potential_V(x)
    expected_u = 4.0 * np.arctanh(np.tanh(u / 4.0) * np.exp(-x / debye))
    shift = (phi - found.bulk.neutral_potential_V) / kT * np.sign(drop_V)
    assert shift[:3] == pytest.approx(expected_u[:3], rel=1e-7)


def test_mott_schottky() -> None:
    # frozen donors and vacancies that leave: what stays is the donors' charge
    phase = symmetric(1.5, saturation=1.0, frozen_charge_cm3=1e18)
    drop_V, kT = -0.4, BOLTZMANN_EV_K * 300.0
    found = at_drop(phase, drop_V)
    permittivity = 10.0 * VACUUM_PERMITTIVITY_E_V_NM
    # depletion approximation with the correction of the majority carrier's tail
    charge = np.sqrt(2.0 * permittivity * 1e-3 * (abs(drop_V) - kT))
    assert found.sheet_charge_e_nm2 == pytest.approx(charge, rel=1e-6)
    width = charge / 1e-3 - np.sqrt(2.0 * permittivity * (abs(drop_V) / 2.0 - kT) / 1e-3)
    assert found.x50_nm == pytest.approx(width, rel=1e-3)


def test_saturation_is_a_parabola() -> None:
    drop_V = 2.0
    phase = symmetric(0.5, 3e22, saturation=0.01)
    found = at_drop(phase, -drop_V)
    permittivity, density = 10.0 * VACUUM_PERMITTIVITY_E_V_NM, 0.3
    kT = BOLTZMANN_EV_K * 300.0
    start = 0.5 + kT * np.log(0.01)
    charge = np.sqrt(2.0 * permittivity * density * (drop_V - start))
    assert found.sheet_charge_e_nm2 == pytest.approx(charge, rel=1e-4)
    width = charge / density - np.sqrt(2.0 * permittivity * (drop_V / 2.0 - start) / density)
    assert found.x50_nm == pytest.approx(width, rel=1e-3)


@pytest.mark.parametrize("drop_V", [-3.0, -0.2, 1e-4, 0.7, 4.0])
def test_profile_solves_the_poisson_equation(drop_V: float) -> None:
    bulk = neutral_bulk(three_defects(), temperature_K=400.0, metal_work_function_eV=METAL_eV)
    found = half_space(bulk, bulk.neutral_potential_V + drop_V)
    state = bulk.ravel().thermodynamics()
    permittivity = float(state.permittivity_e_V_nm[0])

    def right_hand_side(_: float, y: np.ndarray) -> list[float]:
        u = (y[:1] - bulk.neutral_potential_V) / state.kT_eV
        return [y[1], -float(state.evaluate(u)[1][0]) / permittivity]

    slope = -np.sign(drop_V) * float(found.field_V_nm)
    end = float(found.x90_nm)
    solution = solve_ivp(
        right_hand_side,
        (0.0, end),
        [float(found.contact_potential_V), slope],
        method="DOP853",
        rtol=1e-11,
        atol=1e-14,
        dense_output=True,
    )
    x = np.linspace(0.0, end, 6)[1:]
    drop = found.potential_V(x) - bulk.neutral_potential_V
    want = solution.sol(x)[0] - bulk.neutral_potential_V
    assert drop == pytest.approx(want, rel=2e-6)
    assert found.distance_nm(found.potential_V(x)) == pytest.approx(x, rel=1e-8)
    # the drop at x90 is a tenth
    assert drop[-1] == pytest.approx(0.1 * drop_V, rel=2e-6)


@pytest.mark.parametrize(("energy", "drop_V"), [(0.35, 0.3), (0.35, -0.3), (0.2, 1.0)])
def test_space_charge_resistance_is_the_integral_over_the_profile(
    energy: float, drop_V: float
) -> None:
    found = at_drop(symmetric(energy), drop_V)
    state = found.bulk.ravel().thermodynamics()
    kT, bulk_sigma = float(state.kT_eV[0]), float(found.bulk.conductivity_S_cm)
    end = abs(drop_V) / kT

    def integrand(v: float) -> float:
        pressure, sigma = state.evaluate_conduction(np.array([np.sign(drop_V) * v]))
        slope = kT / np.sqrt(2.0 * pressure[0] / state.permittivity_e_V_nm[0])
        return float(slope * (1.0 / sigma[0] - 1.0 / bulk_sigma) * 1e-7)

    points = [end / 100, end / 10, end / 2]
    want, _ = quad(integrand, 1e-7, end, points=points, epsrel=1e-11, limit=500)
    assert found.space_charge_ohm_cm2 == pytest.approx(want, rel=1e-6)


def test_depletion_adds_and_accumulation_takes_resistance_away() -> None:
    # only the interstitial conducts: a positive potential drives it away
    phase = symmetric(0.3, migration_energy_eV=[0.3, np.nan])
    assert at_drop(phase, 0.2).space_charge_ohm_cm2 > 0.0
    assert at_drop(phase, -0.1).space_charge_ohm_cm2 < 0.0
    mute = symmetric(0.3, migration_energy_eV=np.nan)
    assert np.isnan(at_drop(mute, 0.2).space_charge_ohm_cm2)


@settings(deadline=None, max_examples=30)
@given(
    energy=st.floats(0.0, 2.0),
    temperature=st.floats(200.0, 1500.0),
    exponent=st.floats(-6.0, np.log10(5.0)),
    charge=st.sampled_from([1.0, 2.0, 3.0]),
)
def test_sign_symmetry_and_order(
    energy: float, temperature: float, exponent: float, charge: float
) -> None:
    drop = 10.0**exponent
    bulk = neutral_bulk(
        symmetric(energy, charge=charge), temperature_K=temperature, metal_work_function_eV=METAL_eV
    )
    above, below = (half_space(bulk, bulk.neutral_potential_V + s * drop) for s in (1.0, -1.0))
    assert above.sheet_charge_e_nm2 == pytest.approx(-float(below.sheet_charge_e_nm2), rel=1e-8)
    assert above.x90_nm == pytest.approx(float(below.x90_nm), rel=1e-7)
    assert 0.0 < above.x50_nm < above.x90_nm < above.x99_nm
    more = half_space(bulk, bulk.neutral_potential_V + 1.1 * drop)
    assert abs(more.sheet_charge_e_nm2) > abs(above.sheet_charge_e_nm2)


def test_zero_drop_is_the_linear_limit() -> None:
    bulk = reference_bulk("LLZO")
    found = half_space(bulk, bulk.neutral_potential_V)
    linear = 50.0 * VACUUM_PERMITTIVITY_E_V_NM / bulk.debye_length_nm * CAPACITANCE_UF_CM2
    assert found.sheet_charge_e_nm2 == 0.0
    assert found.space_charge_ohm_cm2 == 0.0
    assert found.integral_capacitance_uF_cm2 == pytest.approx(linear, rel=1e-12)
    assert found.differential_capacitance_uF_cm2 == pytest.approx(linear, rel=1e-12)
    assert found.x99_nm == pytest.approx(float(bulk.debye_length_nm) * np.log(100.0), rel=1e-9)


def test_profile_resolves_the_drop() -> None:
    found = half_space(reference_bulk("LiF"), 0.0)
    profile = found.profile()
    drop = abs(float(found.bulk.neutral_potential_V))
    assert profile.x_nm[0] == 0.0
    assert profile.x_nm.size >= 400
    assert np.all(np.diff(profile.x_nm) > 0.0)
    assert np.max(np.abs(np.diff(profile.phi_V))) <= 0.01 * drop
    assert abs(profile.phi_V[-1] - found.bulk.neutral_potential_V) < 3e-4 * drop
    index = 200
    assert found.distance_nm(profile.phi_V[[index]])[0] == pytest.approx(profile.x_nm[index])
    assert profile.concentrations_cm3.shape == (profile.x_nm.size, 2)
    assert profile.concentrations_cm3[-1] == pytest.approx(found.bulk.concentrations_cm3, rel=0.05)


def test_electrons_screen_where_ions_do_not() -> None:
    ions = symmetric(2.0, neutral_potential_V=METAL_eV - IP_eV + 0.3)
    phase = Phase(
        ionization_potential_eV=IP_eV,
        band_gap_eV=0.6,
        dielectric_constant=10.0,
        charge=ions.charge,
        ion_change=ions.ion_change,
        formation_energy_eV=ions.formation_energy_eV,
        site_density_cm3=ions.site_density_cm3,
    )
    bulk = neutral_bulk(phase, temperature_K=300.0, metal_work_function_eV=METAL_eV)
    assert not bulk.neutral_by_ions
    kT = BOLTZMANN_EV_K * 300.0
    debye = np.sqrt(10.0 * VACUUM_PERMITTIVITY_E_V_NM * kT / (2e-21 * bulk.electrons_cm3))
    assert bulk.debye_length_nm == pytest.approx(float(debye), rel=1e-5)
    found = half_space(bulk, bulk.neutral_potential_V + 0.1)
    charge = -2.0 * 10.0 * VACUUM_PERMITTIVITY_E_V_NM * kT / debye * np.sinh(0.05 / kT)
    assert found.sheet_charge_e_nm2 == pytest.approx(float(charge), rel=1e-3)
