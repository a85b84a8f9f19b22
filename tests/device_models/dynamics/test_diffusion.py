"""A host at constant current: the exact series, its limits, and finite volumes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interohm.device_models import Diffusion


def series(time_s: np.ndarray, tau: float) -> np.ndarray:
    """1/3 − (2/π²) Σ exp(−n²π²t/τ)/n²."""
    n = np.arange(1, 200_001)[:, None]
    return 1.0 / 3.0 - 2.0 / np.pi**2 * np.sum(
        np.exp(-(n**2) * np.pi**2 * time_s / tau) / n**2, axis=0
    )


@settings(deadline=None, max_examples=10)
@given(st.floats(-3.0, 5.0), st.floats(-2.0, 4.0))
def test_constant_current_follows_the_exact_series(tau: float, size: float) -> None:
    host = Diffusion(np.array([10.0**size]), np.array([10.0**tau]))
    times = np.geomspace(1e-6, 3.0, 12) * 10.0**tau
    expected = 10.0**size * series(times, 10.0**tau)
    assert host.step_ohm_cm2(times)[0] == pytest.approx(expected, rel=2e-4)


def test_limits_of_short_and_long_times() -> None:
    host = Diffusion(np.array([7.0]), np.array([100.0]))
    early = np.array([1e-4, 1e-3, 1e-2])
    sand = 2.0 * 7.0 * np.sqrt(early / (np.pi * 100.0))
    # the mean content rises by t/tau in the meantime
    assert host.step_ohm_cm2(early)[0] == pytest.approx(sand - 7.0 * early / 100.0, rel=2e-4)
    assert host.step_ohm_cm2([1e4])[0, 0] == pytest.approx(7.0 / 3.0, rel=1e-6)
    # half of the diffusion time is 99.56 % of the way
    assert host.step_ohm_cm2([50.0])[0, 0] == pytest.approx(0.9956 * 7.0 / 3.0, rel=1e-4)


def test_finite_volumes_agree() -> None:
    """Implicit steps of a mesh of cells, as a program without the series would take them."""
    cells, steps, tau = 400, 4000, 50.0
    from scipy.linalg import solve_banded

    h, dt = 1.0 / cells, 0.3 / steps
    band = np.zeros((3, cells))
    band[0, 1:] = band[2, :-1] = -dt / h**2
    band[1] = 1.0 + 2.0 * dt / h**2
    band[1, [0, -1]] -= dt / h**2
    content = np.zeros(cells)
    for _ in range(steps):
        right = content.copy()
        right[0] += dt / h
        content = solve_banded((1, 1), band, right)
    surface = content[0] + 0.5 * h
    host = Diffusion(np.array([1.0]), np.array([tau]))
    assert surface - np.mean(content) == pytest.approx(
        host.step_ohm_cm2([0.3 * tau])[0, 0], rel=1e-3
    )
