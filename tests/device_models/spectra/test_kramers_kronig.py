"""The Kramers–Kronig test: exact circuits pass, drift and outliers are found."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from interohm.device_models.spectra import kramers_kronig

ComplexArray = NDArray[np.complex128]

FREQUENCY = np.logspace(6, -2, 81)
S = 2j * np.pi * FREQUENCY


def zarc(resistance: float, tau: float, exponent: float) -> ComplexArray:
    return resistance / (1 + (S * tau) ** exponent)


def noisy(z: ComplexArray, noise: float, seed: int = 0) -> ComplexArray:
    rng = np.random.default_rng(seed)
    return z + noise * abs(z) * (rng.normal(size=z.shape) + 1j * rng.normal(size=z.shape))


DIFFUSION = np.sqrt(10 * S)
CIRCUITS = {
    "one RC": 10 + zarc(100, 1e-3, 1),
    "two RC": 10 + zarc(100, 1e-5, 1) + zarc(50, 1e-1, 1),
    "two ZARC": 10 + zarc(100, 1e-4, 0.8) + zarc(60, 1e-1, 0.7),
    "blocked": 10 + zarc(100, 1e-4, 0.8) + 1 / (1e-4 * S),
    "blocked by a CPE": 10 + zarc(100, 1e-4, 0.8) + 20 / S**0.8,
    "finite-length Warburg": 10 + zarc(100, 1e-4, 0.8) + 30 * np.tanh(DIFFUSION) / DIFFUSION,
    "finite-space Warburg": 10 + zarc(100, 1e-4, 0.8) + 30 / np.tanh(DIFFUSION) / DIFFUSION,
    "ionic conductor between metals": 1 / (1e-12 * S + 1 / (1e4 + 1 / (1e-6 * S))),
    "leads": 10 + zarc(100, 1e-3, 1) + 1e-6 * S,
}


@pytest.mark.parametrize("name", CIRCUITS)
def test_exact_circuits_have_no_residual(name: str) -> None:
    found = kramers_kronig(FREQUENCY, CIRCUITS[name])
    assert found.largest_residual.max() < 2e-4
    assert found.usable.all()


@pytest.mark.parametrize("noise", [0.001, 0.003, 0.01, 0.03])
@pytest.mark.parametrize("name", CIRCUITS)
def test_the_noise_is_found(name: str, noise: float) -> None:
    found = kramers_kronig(FREQUENCY, noisy(CIRCUITS[name], noise))
    # the standard error of a standard deviation from 162 - 30 numbers is 6 %
    assert found.noise == pytest.approx(noise, rel=0.2)
    assert found.usable.sum() >= len(FREQUENCY) - 1


def test_points_in_any_order_and_unit() -> None:
    z = noisy(CIRCUITS["two ZARC"], 0.003)
    z[40] *= 1.1
    found = kramers_kronig(FREQUENCY, z)
    turned = kramers_kronig(FREQUENCY[::-1], 1e3 * z[::-1])
    np.testing.assert_allclose(turned.residual[::-1], found.residual, atol=1e-6)
    np.testing.assert_array_equal(turned.usable[::-1], found.usable)


@pytest.mark.parametrize("seed", range(5))
def test_outliers_are_found_and_nothing_else(seed: int) -> None:
    z = noisy(CIRCUITS["two ZARC"], 0.003, seed)
    places = np.random.default_rng(seed).choice(np.arange(2, 79), size=3, replace=False)
    z[places] *= 1 + 0.1 * np.array([1, -1, 1j])
    found = kramers_kronig(FREQUENCY, z)
    assert set(np.flatnonzero(~found.usable)) == set(places)


def drifted(growth: float) -> ComplexArray:
    """A resistance that grows while it is measured, from the highest frequency downwards."""
    time = np.cumsum(np.maximum(1.0, 3 / FREQUENCY))
    return 10 + zarc(100, 1e-4, 0.8) + zarc(60, 1e-1, 0.8) * (1 + growth * time / time[-1])


@pytest.mark.parametrize("growth", [0.3, 1.0])
@pytest.mark.parametrize("seed", range(3))
def test_drift_is_found_where_the_time_is_spent(growth: float, seed: int) -> None:
    found = kramers_kronig(FREQUENCY, noisy(drifted(growth), 0.003, seed))
    assert not found.usable.all()
    # half of the time is spent below 0.02 Hz, 95 % below 0.2 Hz
    assert FREQUENCY[~found.usable].max() < 0.2
    assert found.usable[FREQUENCY > 0.2].all()


def test_a_spectrum_that_is_none_has_no_use() -> None:
    rng = np.random.default_rng(1)
    found = kramers_kronig(FREQUENCY, 100 * np.exp(1j * rng.uniform(-1.5, 0, len(FREQUENCY))))
    assert found.usable.sum() < 0.75 * len(FREQUENCY) or found.noise > 0.1


def test_few_points() -> None:
    frequency = np.logspace(3, 0, 6)
    z = 10 + 100 / (1 + 2j * np.pi * frequency * 1e-2)
    assert kramers_kronig(frequency, z).usable.all()


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(1, 1e3), st.floats(-6, 1), st.floats(0.6, 1)), min_size=1, max_size=4
    ),
    st.floats(1, 1e2),
)
def test_any_circuit_of_positive_elements_passes(
    arcs: list[tuple[float, float, float]], series: float
) -> None:
    z = series + sum((zarc(r, 10**exponent, n) for r, exponent, n in arcs), np.zeros_like(S))
    found = kramers_kronig(FREQUENCY, z)
    assert found.usable.all()
    assert found.largest_residual.max() < 5e-3
