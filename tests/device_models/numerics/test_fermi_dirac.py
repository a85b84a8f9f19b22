"""Fermi–Dirac integrals and bands against arbitrary precision and constants of nature."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from scipy import constants

from interohm.device_models import BOLTZMANN_EV_K, Phase, neutral_bulk
from interohm.device_models.carriers import (
    band_density_nm3,
    carrier_excess,
    log_band_occupation,
)
from interohm.device_models.numerics.fermi_dirac import fermi_dirac

ETA = [-700.0, -30.0, -5.0, -2.001, -1.99, -0.3, 1.0, 2.01, 6.9, 7.1, 15.9, 16.1, 29.0]
BEYOND = [39.9, 40.1, 80.0, 300.0]


def exact(order: float, eta: mpmath.mpf) -> mpmath.mpf:
    if eta < 30:
        return -mpmath.re(mpmath.polylog(order + 1, -mpmath.exp(eta)))
    root = mpmath.sqrt(eta)
    ends = [0, *(root + shift for shift in (-3, -1, -0.3, 0, 0.3, 1, 3, 30))]
    total = mpmath.quad(lambda s: 2 * s ** (2 * order + 1) / (1 + mpmath.exp(s * s - eta)), ends)
    return total / mpmath.gamma(order + 1)


@pytest.mark.parametrize("order", [-0.5, 0.5, 1.5])
def test_integrals(order: float) -> None:
    mpmath.mp.dps = 30
    got = fermi_dirac(order, np.array(ETA + BEYOND))
    for value, eta in zip(got, ETA + BEYOND, strict=True):
        assert abs(value / exact(mpmath.mpf(order), mpmath.mpf(eta)) - 1) < 1e-12, eta


def test_excess_keeps_its_precision() -> None:
    mpmath.mp.dps = 40
    for eta in (-50.0, -33.9, -3.0, 0.5, 5.0, 25.0):
        for step in (1e-9, -3e-5, 2e-4, -0.1, 0.49, 0.51, -3.0, 20.0):
            pressure, density = carrier_excess(np.array([eta]), np.array([[step]]))
            start, end = mpmath.mpf(eta), mpmath.mpf(eta) + mpmath.mpf(step)
            if end > 29:
                continue
            half = mpmath.mpf(0.5)
            change = exact(half, end) - exact(half, start)
            excess = exact(3 * half, end) - exact(3 * half, start)
            excess -= mpmath.mpf(step) * exact(half, start)
            assert float(pressure[0, 0] / excess - 1) == pytest.approx(0.0, abs=1e-10)
            assert float(density[0, 0] / change - 1) == pytest.approx(0.0, abs=1e-11)


def test_logarithm_below_the_smallest_number() -> None:
    log, slope = log_band_occupation(np.array([-2000.0, 3.0]))
    assert log[0] == -2000.0
    assert slope[0] == 1.0
    assert log[1] == pytest.approx(np.log(fermi_dirac(0.5, np.array(3.0))), rel=1e-14)


def band_density_m3(temperature_K: float, mass: float) -> float:
    """2·(2π·m·kT/h²)^(3/2) in SI units."""
    thermal_J = mass * constants.m_e * constants.k * temperature_K
    return 2.0 * (2.0 * np.pi * thermal_J / constants.h**2) ** 1.5


@pytest.mark.parametrize(("temperature_K", "mass"), [(300.0, 1.0), (900.0, 0.3), (150.0, 5.0)])
def test_effective_density_of_states(temperature_K: float, mass: float) -> None:
    found = band_density_nm3(np.array(temperature_K), np.array(mass))
    assert found == pytest.approx(band_density_m3(temperature_K, mass) * 1e-27, rel=1e-8)
    if (temperature_K, mass) == (300.0, 1.0):
        assert found == pytest.approx(0.02509, rel=1e-3)  # the 2.51e19 per cm³ of textbooks


def test_each_band_has_its_own_mass() -> None:
    phase = Phase(5.0, 1.5, 10.0, [1.0], [1.0], [20.0], [1e22], electron_mass=0.2, hole_mass=1.7)
    bulk = neutral_bulk(phase, temperature_K=400.0, metal_work_function_eV=2.93)
    kT = BOLTZMANN_EV_K * 400.0
    electrons, holes = (band_density_m3(400.0, mass) * 1e-6 for mass in (0.2, 1.7))
    # intrinsic: the level lies off the middle of the gap by kT·ln(N_v/N_c)/2
    level = 0.75 + 0.5 * kT * np.log(holes / electrons)
    assert bulk.fermi_level_eV == pytest.approx(level, abs=1e-7)
    density = np.sqrt(electrons * holes) * np.exp(-0.75 / kT)
    assert bulk.electrons_cm3 == pytest.approx(density, rel=1e-6)
    assert bulk.holes_cm3 == pytest.approx(density, rel=1e-6)
