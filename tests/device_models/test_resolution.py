"""A probe's response against closed forms and numerical convolution."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import ndtr

from interohm.device_models import resolution_weights

_SIGMA = 10.0 / (2.0 * np.sqrt(2.0 * np.log(2.0)))


def test_a_step_is_an_error_function() -> None:
    x = np.linspace(-40.0, 40.0, 81)
    shown = resolution_weights(x, np.array([-100.0, 0.0, 0.0, 100.0]), 10.0) @ [0.0, 0, 1, 1]
    assert shown == pytest.approx(ndtr(x / _SIGMA), abs=1e-12)


def test_half_a_step_is_its_width() -> None:
    """The full width at half maximum of what is shown of a spike's edge: by its definition."""
    x = np.array([-5.0, 0.0, 5.0])
    places = np.array([-100.0, -1e-4, -1e-4, 1e-4, 1e-4, 100.0])
    spike = resolution_weights(x, places, 10.0) @ [0.0, 0, 1, 1, 0, 0]
    assert spike[[0, 2]] / spike[1] == pytest.approx([0.5, 0.5], rel=1e-6)


def test_a_straight_line_stays() -> None:
    places = np.array([-1e3, -3.0, 4.0, 1e3])
    x = np.linspace(-50.0, 50.0, 11)
    assert resolution_weights(x, places, 10.0) @ (2.0 * places + 1.0) == pytest.approx(2.0 * x + 1)


def test_a_profile_as_numerical_integration_has_it() -> None:
    places = np.array([0.0, 4.0, 4.0, 9.0, 30.0])
    values = np.array([1.0, 2.0, -1.0, 0.5, 3.0])
    at = 6.3

    def integrand(x: float) -> float:
        inner = (
            np.interp(x, [4.0, 9.0, 30.0], values[2:])
            if x > 4
            else np.interp(x, places[:2], values[:2])
        )
        return float(inner * np.exp(-0.5 * ((x - at) / _SIGMA) ** 2))

    expected = quad(integrand, -80.0, 100.0, points=[0.0, 4.0, 9.0, 30.0], limit=400)[0]
    expected /= _SIGMA * np.sqrt(2.0 * np.pi)
    shown = resolution_weights(np.array([at]), places, 10.0) @ values
    assert shown == pytest.approx([expected], rel=1e-8)


def test_without_a_width_the_profile_itself_is_shown() -> None:
    places, values = np.array([0.0, 1.0, 1.0, 3.0]), np.array([0.0, 2.0, 5.0, 7.0])
    x = np.array([-1.0, 0.5, 1.0, 2.0, 9.0])
    shown = resolution_weights(x, places, 0.0) @ values
    assert shown == pytest.approx([0.0, 1.0, 2.0, 6.0, 7.0])


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=12),
    st.floats(0.0, 300.0),
    st.lists(st.floats(-2e3, 2e3), min_size=1, max_size=5),
)
def test_weights_add_up_and_stay_between_extremes(
    places: list[float], resolution: float, at: list[float]
) -> None:
    weights = resolution_weights(np.array(at), np.sort(places), resolution)
    assert weights.sum(axis=1) == pytest.approx(1.0, abs=1e-9)
    values = np.random.default_rng(0).uniform(-1.0, 1.0, len(places))
    shown = weights @ values
    assert np.all(shown <= values.max() + 1e-6)
    assert np.all(shown >= values.min() - 1e-6)
