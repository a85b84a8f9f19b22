"""Layers of finite thickness: SciPy's boundary-value solver, half-spaces, limits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_bvp

from interohm.device_models import (
    BOLTZMANN_EV_K,
    Bulk,
    Layer,
    Phase,
    half_space,
    layer,
    neutral_bulk,
)
from interohm.device_models.constants import VACUUM_PERMITTIVITY_E_V_NM

from ..phases import IP_eV, METAL_eV, reference_bulk, symmetric
from ..stack_phases import insulator
from ..test_densities import three_defects


def bulk_of(phase: Phase, temperature_K: float = 400.0) -> Bulk:
    return neutral_bulk(phase, temperature_K=temperature_K, metal_work_function_eV=METAL_eV)


def boundary_value(bulk: Bulk, left_V: float, right_V: float, thickness_nm: float) -> Any:
    """Solve the same layer with SciPy, from the charge density about another reference."""
    state = bulk.ravel().thermodynamics(np.array([left_V]))
    permittivity = float(state.permittivity_e_V_nm[0])

    def right_hand_side(_: np.ndarray, y: np.ndarray) -> np.ndarray:
        u = (y[0][:, None] - left_V) / state.kT_eV
        return np.vstack([y[1], -state.evaluate(u)[1][:, 0] / permittivity])

    def ends(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.array([a[0] - left_V, b[0] - right_V])

    x = np.linspace(0.0, thickness_nm, 401)
    guess = layer(bulk, left_V, right_V, thickness_nm).profile()
    phi = np.interp(x, guess.x_nm, guess.phi_V)
    return solve_bvp(
        right_hand_side, ends, x, np.vstack([phi, np.gradient(phi, x)]), tol=1e-8, max_nodes=50000
    )


CASES = [
    (-0.4, 0.3, 2.0),
    (-0.4, 0.3, 30.0),
    (0.2, 0.5, 0.4),
    (0.5, 0.2, 0.4),
    (0.2, 0.5, 6.0),
    (-0.5, -0.1, 25.0),
    (0.3, 0.3, 3.0),
    (0.0, 0.4, 5.0),
    (-0.4, 0.0, 5.0),
]


@pytest.mark.parametrize(("left", "right", "thickness"), CASES)
def test_against_solve_bvp(left: float, right: float, thickness: float) -> None:
    bulk = bulk_of(three_defects())
    origin = float(bulk.neutral_potential_V)
    found = layer(bulk, origin + left, origin + right, thickness)
    exact = boundary_value(bulk, origin + left, origin + right, thickness)
    assert exact.success
    permittivity = 12.0 * VACUUM_PERMITTIVITY_E_V_NM
    largest = np.max(np.abs(exact.y[1])) * permittivity
    charges = permittivity * exact.y[1][[0, -1]]
    assert found.sheet_charge_e_nm2 == pytest.approx(charges, abs=3e-7 * largest)
    profile = found.profile()
    assert profile.x_nm[[0, -1]] == pytest.approx([0.0, thickness])
    assert exact.sol(profile.x_nm)[0] == pytest.approx(profile.phi_V, abs=3e-6)
    state = bulk.ravel().thermodynamics()
    x = np.linspace(0.0, thickness, 20001)
    u = (exact.sol(x)[0][:, None] - origin) / state.kT_eV
    resistivity = 1.0 / state.evaluate_conduction(u)[1][:, 0] if has_hops(bulk) else None
    if resistivity is not None:
        want = np.trapezoid(resistivity, x) * 1e-7
        assert found.resistance_ohm_cm2 == pytest.approx(want, rel=1e-4)


def has_hops(bulk: Bulk) -> bool:
    return bool(np.any(np.isfinite(bulk.phase.migration_energy_eV)))


def test_resistance_over_the_profile() -> None:
    bulk = bulk_of(symmetric(0.2))
    origin = float(bulk.neutral_potential_V)
    for left, right, thickness in CASES:
        found = layer(bulk, origin + left, origin + right, thickness)
        profile = found.profile(points=20001)
        want = np.trapezoid(1.0 / profile.conductivity_S_cm, profile.x_nm) * 1e-7
        assert found.resistance_ohm_cm2 == pytest.approx(want, rel=2e-4)


@pytest.mark.parametrize(("left", "right", "thickness"), [(0.0, 0.4, 2.0), (0.4, 0.1, 50.0)])
def test_phase_without_neutral_bulk(left: float, right: float, thickness: float) -> None:
    phase = Phase(
        IP_eV, 6.0, 10.0, [-1.0], [-1.0], [2.0], [1e21], electrons=False, migration_energy_eV=0.3,
        hop_distance_nm=0.3,
    )  # fmt: skip
    bulk = bulk_of(phase)
    assert not bulk.has_neutral_bulk
    origin = METAL_eV - IP_eV + 2.0
    found = layer(bulk, origin + left, origin + right, thickness)
    exact = boundary_value(bulk, origin + left, origin + right, thickness)
    permittivity = 10.0 * VACUUM_PERMITTIVITY_E_V_NM
    charges = permittivity * exact.y[1][[0, -1]]
    assert found.sheet_charge_e_nm2 == pytest.approx(charges, rel=1e-6)
    assert np.isfinite(found.resistance_ohm_cm2)


@pytest.mark.parametrize("name", ["LLZO", "LiF"])
def test_thick_layer_is_two_half_spaces(name: str) -> None:
    bulk = reference_bulk(name)
    one, two = half_space(bulk, 0.0), half_space(bulk, 2.0)
    thickness = 1000.0 * float(bulk.debye_length_nm)
    found = layer(bulk, 0.0, 2.0, thickness)
    charges = [float(one.sheet_charge_e_nm2), -float(two.sheet_charge_e_nm2)]
    assert found.sheet_charge_e_nm2 == pytest.approx(charges, rel=1e-8)
    parts = one.space_charge_ohm_cm2 + two.space_charge_ohm_cm2
    want = parts + thickness * 1e-7 / bulk.conductivity_S_cm
    assert found.resistance_ohm_cm2 == pytest.approx(float(want), rel=1e-7)
    same_side = layer(bulk, 0.0, 0.5, thickness)
    near = half_space(bulk, 0.5)
    assert same_side.sheet_charge_e_nm2[1] == pytest.approx(
        -float(near.sheet_charge_e_nm2), rel=1e-8
    )


def test_thin_layer_is_a_capacitor() -> None:
    bulk = reference_bulk("LiF")
    found = layer(bulk, [0.0, 0.0, 1.0], [1.0, 3.0, 0.0], 1e-3)
    field = np.array([1.0, 3.0, -1.0]) / 1e-3
    expected = 9.0 * VACUUM_PERMITTIVITY_E_V_NM * field
    assert found.sheet_charge_e_nm2 == pytest.approx(
        np.stack([expected, expected], axis=-1), rel=1e-4
    )


def test_linear_layer() -> None:
    bulk = bulk_of(symmetric(0.3), 300.0)
    debye, origin = float(bulk.debye_length_nm), float(bulk.neutral_potential_V)
    small = 1e-7
    for right in (0.0, 0.6 * small, -0.8 * small):
        for ratio in (0.1, 1.0, 7.0):
            found = layer(bulk, origin + small, origin + right, ratio * debye)
            slope = (right - small * np.cosh(ratio)) / (debye * np.sinh(ratio))
            charge = 10.0 * VACUUM_PERMITTIVITY_E_V_NM * slope
            assert found.sheet_charge_e_nm2[0] == pytest.approx(charge, rel=1e-5)


def test_gouy_chapman() -> None:
    bulk = bulk_of(symmetric(2.0, saturation=1.0), 900.0)
    debye, kT = float(bulk.debye_length_nm), BOLTZMANN_EV_K * 900.0
    for drop_V in (6.0 * kT, -2.0 * kT):
        origin = float(bulk.neutral_potential_V)
        found = layer(bulk, origin + drop_V, origin, 40.0 * debye)
        permittivity = 10.0 * VACUUM_PERMITTIVITY_E_V_NM
        charge = -2.0 * permittivity * kT / debye * np.sinh(drop_V / (2.0 * kT))
        assert found.sheet_charge_e_nm2[0] == pytest.approx(charge, rel=1e-7)


@pytest.mark.parametrize(("left", "right"), [(0.2, -0.5), (0.4, 0.3), (-0.1, -0.1)])
def test_mott_schottky(left: float, right: float) -> None:
    """One immobile charge: a parabola."""
    found = layer(insulator(12.0, frozen_charge_cm3=2e18), left, right, 30.0)
    permittivity, density = 12.0 * VACUUM_PERMITTIVITY_E_V_NM, 2e-3
    uniform = permittivity * (right - left) / 30.0
    bend = density * 30.0 / 2.0
    assert found.sheet_charge_e_nm2 == pytest.approx([uniform + bend, uniform - bend], rel=1e-7)
    profile = found.profile()
    x = profile.x_nm
    expected = left + (right - left) * x / 30.0 + density * x * (30.0 - x) / (2.0 * permittivity)
    assert profile.phi_V == pytest.approx(expected, abs=1e-7)


def test_saturated_layer() -> None:
    bulk = bulk_of(symmetric(0.3, 1e21, saturation=1.0, neutral_potential_V=0.0), 200.0)
    found = layer(bulk, -5.0, -5.0, 1.0)
    # one site per nm³, all of them taken
    assert found.sheet_charge_e_nm2 == pytest.approx([0.5, -0.5], rel=1e-9)


@settings(deadline=None, max_examples=40)
@given(
    left=st.floats(-3.0, 3.0),
    right=st.floats(-3.0, 3.0),
    log_thickness=st.floats(-2.0, 4.0),
    energy=st.floats(0.0, 1.5),
    temperature=st.floats(200.0, 1500.0),
)
def test_mirror_and_gauss(
    left: float, right: float, log_thickness: float, energy: float, temperature: float
) -> None:
    bulk = bulk_of(symmetric(energy), temperature)
    origin, thickness = float(bulk.neutral_potential_V), 10.0**log_thickness
    found = layer(bulk, origin + left, origin + right, thickness)
    mirrored = layer(bulk, origin + right, origin + left, thickness)
    swapped = layer(bulk, origin - left, origin - right, thickness)
    scale = float(np.max(np.abs(found.sheet_charge_e_nm2)))
    close = {"abs": 1e-7 * scale + 1e-20}
    assert found.sheet_charge_e_nm2 == pytest.approx(-mirrored.sheet_charge_e_nm2[::-1], **close)
    assert found.sheet_charge_e_nm2 == pytest.approx(-swapped.sheet_charge_e_nm2, **close)
    # what the layer carries, integrated over its profile, lies between its two ends
    charge, rounding = integrated_charge(found)
    between = float(found.sheet_charge_e_nm2[0] - found.sheet_charge_e_nm2[1])
    assert charge == pytest.approx(between, abs=2e-2 * scale + rounding)


def integrated_charge(found: Layer) -> tuple[float, float]:
    profile = found.profile(points=4001)
    density = (profile.concentrations_cm3 @ found.bulk.phase.charge) * 1e-21
    both_signs = profile.concentrations_cm3.sum(axis=-1) * 1e-21
    rounding = 1e-12 * float(np.trapezoid(both_signs, profile.x_nm))
    return float(np.trapezoid(density, profile.x_nm)), rounding


def test_debye_length_sets_the_scale() -> None:
    # the middle of a layer far thicker than its Debye length is neutral
    bulk = bulk_of(symmetric(0.5), 300.0)
    origin = float(bulk.neutral_potential_V)
    found = layer(bulk, origin + 0.3, origin + 0.3, 40.0 * bulk.debye_length_nm)
    middle = np.min(np.abs(found.profile().phi_V - origin))
    assert middle == pytest.approx(8.0 * BOLTZMANN_EV_K * 300.0 * np.exp(-20.0), rel=0.05)
