"""Distributions of relaxation times: known ones are found, and the bands hold them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from interohm.device_models.spectra import relaxation_times

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

FREQUENCY = np.logspace(5, -1, 43)
S = 2j * np.pi * FREQUENCY
NOISE = 0.003


def zarc(resistance: float, tau: float, exponent: float) -> ComplexArray:
    return resistance / (1 + (S * tau) ** exponent)


def zarc_gamma(time_s: Array, resistance: float, tau: float, exponent: float) -> Array:
    """The exact distribution of a ZARC (Fuoss and Kirkwood)."""
    angle = (1 - exponent) * np.pi
    width = np.cosh(exponent * np.log(time_s / tau))
    return resistance / (2 * np.pi) * np.sin(angle) / (width - np.cos(angle))


def noisy(z: ComplexArray, seed: int) -> ComplexArray:
    rng = np.random.default_rng(seed)
    return z + NOISE * abs(z) * (rng.normal(size=z.shape) + 1j * rng.normal(size=z.shape))


@pytest.mark.parametrize("seed", [0, 1])
def test_two_arcs(seed: int) -> None:
    arcs = [(100.0, 1e-4, 0.8), (60.0, 5e-2, 0.8)]
    z = 10 + sum(zarc(*arc) for arc in arcs)
    found = relaxation_times(FREQUENCY, noisy(z, seed), noise=NOISE, samples=200, seed=seed)
    assert len(found.peaks) == 2
    for peak, (resistance, tau, _) in zip(found.peaks, arcs, strict=True):
        assert peak.time_constant_s == pytest.approx(tau, rel=0.4)
        # the tails of the one lie under the other
        assert peak.resistance[1] == pytest.approx(resistance, rel=0.05)
    assert found.polarization_resistance[1] == pytest.approx(160, rel=0.02)
    assert found.high_frequency_resistance[1] == pytest.approx(10, rel=0.1)
    exact = sum(zarc_gamma(found.time_constant_s, *arc) for arc in arcs)
    inside = (found.gamma[0] <= exact) & (exact <= found.gamma[2])
    assert inside.mean() > 0.7
    np.testing.assert_allclose(found.mean, exact, atol=0.1 * exact.max())
    np.testing.assert_allclose(found.fitted, z, rtol=0.01)


def test_the_areas_of_two_debye_peaks_are_their_resistances() -> None:
    z = 10 + zarc(100, 1e-4, 1) + zarc(50, 5e-2, 1)
    found = relaxation_times(FREQUENCY, noisy(z, 2), noise=NOISE, samples=200)
    areas = [peak.resistance for peak in found.peaks]
    assert len(areas) == 2
    for area, resistance in zip(areas, (100, 50), strict=True):
        assert area[1] == pytest.approx(resistance, rel=0.02)
        assert area[0] < area[1] < area[2]
    assert found.width < 4


def test_a_blocked_spectrum_has_its_arc_beside_the_capacitor() -> None:
    z = 10 + zarc(100, 1e-4, 0.9) + 1 / (1e-3 * S)
    found = relaxation_times(
        FREQUENCY, noisy(z, 3), noise=NOISE, series_capacitor=True, samples=200
    )
    assert max(peak.resistance[1] for peak in found.peaks) == pytest.approx(100, rel=0.03)


def test_units_do_not_matter() -> None:
    z = noisy(10 + zarc(100, 1e-4, 0.8), 4)
    one = relaxation_times(FREQUENCY, z, noise=NOISE, samples=100)
    other = relaxation_times(FREQUENCY, 1e3 * z, noise=NOISE, samples=100)
    # samples of the same numbers, rounded differently
    np.testing.assert_allclose(
        other.polarization_resistance, 1e3 * one.polarization_resistance, rtol=0.02
    )
