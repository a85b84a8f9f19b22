"""Fermi–Dirac integrals and the change of bands against arbitrary precision."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from interohm.device_models.carriers import carrier_excess, log_band_occupation
from interohm.device_models.fermi_dirac import fermi_dirac

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
