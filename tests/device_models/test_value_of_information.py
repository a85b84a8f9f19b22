"""What knowing an input is worth: Gaussian closed forms, and what must hold for any."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from interohm.device_models import value_of_information

_SAMPLES = 4000


def _losses(slope: float, difference: float, other: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    """Two candidates whose difference is linear in the first of two inputs."""
    rng = np.random.default_rng(7)
    x = rng.standard_normal((_SAMPLES, 2))
    first = other * x[:, 1]
    return np.stack([first, first + difference + slope * x[:, 0]]), x


def _knowledge_gradient(spread: float, difference: float) -> float:
    """s·[ζΦ(ζ) + φ(ζ)], ζ = −|difference|/s (P. Frazier et al., SIAM J. Control Optim. (2008))."""
    zeta = -abs(difference) / spread
    return float(spread * (zeta * norm.cdf(zeta) + norm.pdf(zeta)))


@pytest.mark.parametrize("difference", [0.0, 0.4, -1.0])
@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_two_gaussian_candidates_have_the_knowledge_gradient(
    difference: float, noise: float
) -> None:
    slope = 0.9
    losses, x = _losses(slope, difference)
    gain, _ = value_of_information(losses, x[:, :1], noise)
    expected = _knowledge_gradient(slope / np.sqrt(1.0 + noise**2), difference)
    # 4000 outcomes and the estimated mean of 4000 samples
    assert gain == pytest.approx(expected, abs=0.03)


def test_what_moves_all_candidates_alike_is_worth_nothing() -> None:
    losses, x = _losses(0.9, 0.4)
    gain, scatter = value_of_information(losses, x[:, 1:])
    assert gain <= 4.0 * scatter + 0.02


def test_an_input_without_influence_is_worth_nothing_with_few_samples_too() -> None:
    rng = np.random.default_rng(1)
    gains, scatters = [], []
    for _ in range(20):
        losses = rng.standard_normal((5, 80))
        gain, scatter = value_of_information(losses, rng.standard_normal((80, 3)))
        gains.append(gain)
        scatters.append(scatter)
    assert np.mean(np.array(gains) > 3.0 * np.array(scatters)) <= 0.1


def test_the_gain_is_what_deciding_after_the_result_saves() -> None:
    """Play it: draw a truth, learn its input, choose; against choosing at once."""
    losses, x = _losses(0.9, 0.4)
    gain, _ = value_of_information(losses, x[:, :1])
    later = np.where(0.4 + 0.9 * x[:, 0] < 0.0, losses[1], losses[0]).mean()
    assert gain == pytest.approx(losses.mean(axis=1).min() - later, abs=0.03)


@settings(max_examples=30, deadline=None)
@given(
    st.integers(2, 6),
    st.integers(1, 3),
    st.integers(0, 1000),
    st.floats(0.0, 5.0),
)
def test_a_gain_is_finite_and_never_negative(
    candidates: int, inputs: int, seed: int, noise: float
) -> None:
    rng = np.random.default_rng(seed)
    losses = rng.standard_normal((candidates, 60)) * 10.0 ** rng.uniform(-2, 2, (candidates, 1))
    losses[:, rng.integers(0, 60)] = np.nan
    gain, scatter = value_of_information(losses, rng.standard_normal((60, inputs)), noise)
    assert np.isfinite(gain)
    assert gain >= 0.0
    assert scatter >= 0.0


def test_one_candidate_leaves_nothing_to_decide() -> None:
    rng = np.random.default_rng(3)
    x = rng.standard_normal((100, 1))
    assert value_of_information(x.T, x) == (0.0, 0.0)


def test_what_a_loss_cannot_depend_on_is_worth_nothing():
    """Two losses that follow an input by chance alone: it is told that neither can."""
    x = np.random.default_rng(5).standard_normal((200, 1))
    losses = np.stack([x[:, 0], -x[:, 0]])
    gain, _ = value_of_information(losses, x)
    # E|x|, and with one loss constant at 0: E max(−x, 0)
    assert gain == pytest.approx(np.sqrt(2 / np.pi), rel=0.15)
    assert value_of_information(losses, x, depend=[False, False]) == (0.0, 0.0)
    half, _ = value_of_information(losses, x, depend=[True, False])
    assert half == pytest.approx(gain / 2, rel=0.1)
