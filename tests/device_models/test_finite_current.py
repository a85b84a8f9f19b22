"""Charge transfer at finite current, and apparent activation energies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import erfc

from interohm.device_models.constants import BOLTZMANN_EV_K
from interohm.device_models.finite_current import (
    ButlerVolmer,
    MarcusHushChidsey,
    apparent_activation_energy_eV,
)

THERMAL_EV = BOLTZMANN_EV_K * 300.0


def hush(y: float, energy: float) -> float:
    """Chidsey's integral F(y), lambda and y in units of kT, as it is printed."""
    peak, width = energy - y, np.sqrt(2.0 * energy)
    value, _ = quad(
        lambda x: np.exp(-((x - energy + y) ** 2) / (4.0 * energy) - np.logaddexp(0.0, x)),
        min(peak, -y, 0.0) - 14.0 * width - 50.0,
        max(peak, 0.0) + 14.0 * width + 50.0,
        points=[peak, 0.0, -y],
        epsabs=0.0,
        epsrel=1e-12,
        limit=2000,
    )
    return value


@pytest.mark.parametrize("energy", [0.05, 1.0, 5.0, 20.0, 60.0, 150.0])
@pytest.mark.parametrize("y", [1e-6, 0.1, 3.0, 20.0, 60.0, 200.0])
def test_closed_form_equals_quadrature(energy: float, y: float) -> None:
    kinetics = MarcusHushChidsey(1.0, 300.0, 1.0, energy * THERMAL_EV)
    expected = -np.expm1(-y) * hush(y, energy) / hush(0.0, energy)
    for sign in (1.0, -1.0):
        current = kinetics.current_A_cm2(sign * y * THERMAL_EV)
        assert current == pytest.approx(sign * expected, rel=5e-14)


@pytest.mark.parametrize(("energy", "deviation"), [(1.0, 0.12), (10.0, 0.04), (20.0, 0.09)])
def test_published_approximation_is_as_close_as_stated(energy: float, deviation: float) -> None:
    # Zeng et al. (2014), not normalized: their own prefactor
    y = np.linspace(0.1, 3.0 * energy + 20.0, 50)
    root = np.sqrt(energy)
    place = (energy - np.sqrt(1.0 + root + y**2)) / (2.0 * root)
    approximate = np.sqrt(np.pi * energy) * np.tanh(y / 2.0) * erfc(place)
    kinetics = MarcusHushChidsey(hush(0.0, energy), 300.0, 1.0, energy * THERMAL_EV)
    assert kinetics.current_A_cm2(y * THERMAL_EV) == pytest.approx(approximate, rel=deviation)


def test_limits_of_the_reorganization_energy() -> None:
    eta = np.linspace(-0.2, 0.2, 9)
    symmetric = ButlerVolmer(1e-3, 300.0).current_A_cm2(eta)
    large = MarcusHushChidsey(1e-3, 300.0, 1.0, 1e4).current_A_cm2(eta)
    assert large == pytest.approx(symmetric, rel=5e-5)
    none = MarcusHushChidsey(1e-3, 300.0, 1.0, 0.0).current_A_cm2(eta)
    assert none == pytest.approx(2e-3 * np.tanh(eta / THERMAL_EV / 2.0), rel=1e-12)


@pytest.mark.parametrize("transfer", [0.2, 0.5, 0.7])
def test_both_branches_have_their_own_slope(transfer: float) -> None:
    kinetics = ButlerVolmer(2e-3, 298.15, 2.0, transfer)
    y = np.array([-3.0, -0.5, 0.4, 2.5])
    printed = 2e-3 * (np.exp((1.0 - transfer) * y) - np.exp(-transfer * y))
    # kT/ze is 12.846 mV at 25 °C
    assert kinetics.current_A_cm2(y * 0.0128463) == pytest.approx(printed, rel=1e-4)
    # Tafel: 59.16 mV/(z·part) per decade, the part that drives forward being 1 − a
    for sign, part in ((1.0, 1.0 - transfer), (-1.0, transfer)):
        low, high = kinetics.overpotential_V(sign * np.array([1e6, 1e7]))
        assert sign * (high - low) == pytest.approx(0.05916 / (2.0 * part), rel=1e-4)


def test_limiting_current() -> None:
    kinetics = MarcusHushChidsey(1e-3, 300.0, 2.0, np.array([0.0, 0.1, 0.5, 1.0]))
    limit = kinetics.limiting_current_A_cm2
    assert kinetics.current_A_cm2(3.0) == pytest.approx(limit, rel=1e-12)
    energy = 0.5 / THERMAL_EV
    printed = 1e-3 * np.sqrt(4.0 * np.pi * energy) / hush(0.0, energy)
    assert limit[2] == pytest.approx(printed, rel=1e-12)
    assert np.all(np.isnan(kinetics.overpotential_V(1.01 * limit)))
    assert np.all(np.isfinite(kinetics.overpotential_V(0.99 * limit)))


@pytest.mark.parametrize(
    "kinetics",
    [ButlerVolmer(1e-5, 350.0, 2.0, 0.3), MarcusHushChidsey(1e-5, 350.0, 2.0, 0.4)],
)
def test_small_overpotentials_are_ohmic(kinetics: ButlerVolmer | MarcusHushChidsey) -> None:
    ohmic = BOLTZMANN_EV_K * 350.0 / (2.0 * 1e-5)
    assert kinetics.differential_resistance_ohm_cm2(0.0) == pytest.approx(ohmic, rel=1e-12)
    assert kinetics.chord_resistance_ohm_cm2(0.0) == pytest.approx(ohmic, rel=1e-12)
    assert kinetics.chord_resistance_ohm_cm2(1e-12) == pytest.approx(ohmic, rel=1e-6)
    assert kinetics.current_A_cm2(1e-9) == pytest.approx(1e-9 / ohmic, rel=1e-6)


@given(
    eta=st.floats(-0.6, 0.6),
    temperature=st.floats(200.0, 1500.0),
    charge=st.integers(1, 3),
    transfer=st.floats(0.1, 0.9),
    energy=st.floats(0.3, 4.0),
)
def test_overpotential_inverts_current(
    eta: float, temperature: float, charge: int, transfer: float, energy: float
) -> None:
    kinetics = [ButlerVolmer(1e-4, temperature, charge, transfer)]
    if charge * abs(eta) < energy:
        kinetics.append(MarcusHushChidsey(1e-4, temperature, charge, energy))
    for one in kinetics:
        current = one.current_A_cm2(eta)
        assert one.overpotential_V(current) == pytest.approx(eta, rel=1e-8, abs=1e-12)


@given(eta=st.floats(-0.5, 0.5), energy=st.floats(0.05, 3.0))
def test_differential_resistance_is_the_derivative(eta: float, energy: float) -> None:
    step = 1e-5
    for kinetics in (
        ButlerVolmer(1e-4, 300.0, 1.0, 0.4),
        MarcusHushChidsey(1e-4, 300.0, 1.0, energy),
    ):
        low, high = kinetics.current_A_cm2(eta - step), kinetics.current_A_cm2(eta + step)
        slope = 1.0 / kinetics.differential_resistance_ohm_cm2(eta)
        # rounding of the difference: the current's over the step
        rounding = 1e-13 * abs(high) / step
        assert slope == pytest.approx((high - low) / (2.0 * step), rel=1e-6, abs=rounding)


def test_batches_broadcast() -> None:
    currents = np.array([[1e-6], [1e-3], [-1e-3]])
    kinetics = ButlerVolmer(np.array([1e-3, 1e-9]), 300.0)
    assert kinetics.overpotential_V(currents).shape == (3, 2)
    for row, current in enumerate(currents[:, 0]):
        for column, exchange in enumerate([1e-3, 1e-9]):
            single = ButlerVolmer(exchange, 300.0).overpotential_V(current)
            assert kinetics.overpotential_V(currents)[row, column] == pytest.approx(single)


def test_activation_energy_of_an_arrhenius_law() -> None:
    temperature = np.linspace(250.0, 400.0, 16)
    energies = np.array([[0.315], [0.515]])
    resistance = 1e-3 * temperature * np.exp(energies / (BOLTZMANN_EV_K * temperature))
    found = apparent_activation_energy_eV(resistance, temperature)
    assert found == pytest.approx(np.broadcast_to(energies, found.shape), rel=1e-10)
    backwards = apparent_activation_energy_eV(resistance[:, ::-1], temperature[::-1])
    assert backwards == pytest.approx(np.broadcast_to(energies, found.shape), rel=1e-10)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("factor", [-1.0, 0.0, np.inf, np.nan])
def test_a_resistance_that_is_none_has_no_activation_energy(factor: float) -> None:
    temperature = np.linspace(250.0, 400.0, 7)
    resistance = np.where(temperature < 330.0, 1.0, factor) * np.exp(1000.0 / temperature)
    found = apparent_activation_energy_eV(resistance, temperature)
    assert np.all(np.isnan(found[temperature > 330.0]))
    assert np.all(np.isfinite(found[:3]))
