"""Fits with priors: exact linear posteriors, coverage, accuracy, and what is not determined."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from interohm.device_models.spectra.gaussian_fit import (
    GaussianFit,
    Observation,
    Predict,
    fit_gaussian,
)
from interohm.device_models.spectra.reweighting import reweighted

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

FREQUENCY = np.logspace(6, -1, 36)
S = 2j * np.pi * FREQUENCY


def with_slopes(spectrum: Callable[[Array], ComplexArray]) -> Predict:
    def predict(parameters: Array) -> tuple[ComplexArray, ComplexArray]:
        steps = 1e-6 * np.eye(len(parameters))
        slopes = [
            (spectrum(parameters + step) - spectrum(parameters - step)) / 2e-6 for step in steps
        ]
        return spectrum(parameters), np.stack(slopes, axis=1)

    return predict


def layer_between_contacts(logs: Array) -> ComplexArray:
    """The exact spectrum of a uniform layer between two equal contacts (physics.md, impedance).

    Of the logarithms of the layer's resistance, its capacitance, the contact's resistance (ohm cm²,
    F/cm²) and the layer's length in Debye lengths.
    """
    bulk, capacitance, contact, lengths = np.exp(logs)
    q = 1 + S * bulk * capacitance
    root = np.sqrt(q) * lengths
    return bulk / q + 2 / q / (q / contact + S * capacitance * root / np.tanh(root / 2))


PRIOR_MEAN = np.log([100.0, 1e-9, 40.0, 1e3])
PRIOR_DEVIATION = np.array([1.0, 0.5, 1.5, 1.0])


def measured(
    parameters: Array,
    rng: np.random.Generator,
    noise: float,
    spectrum: Callable[[Array], ComplexArray] = layer_between_contacts,
) -> Observation:
    z = spectrum(parameters)
    size = noise * abs(z)
    z = z + size * (rng.normal(size=z.shape) + 1j * rng.normal(size=z.shape))
    return Observation(with_slopes(spectrum), z, noise * abs(z))


def fitted(observation: Observation) -> GaussianFit:
    return fit_gaussian([observation], PRIOR_MEAN, np.diag(PRIOR_DEVIATION**2))


def test_the_closed_form_has_its_limits() -> None:
    z = layer_between_contacts(np.log([100.0, 1e-9, 40.0, 1e3]))
    assert z[-1].real == pytest.approx(100 + 2 * 40, rel=1e-3)


def test_a_linear_model_has_the_exact_posterior() -> None:
    rng = np.random.default_rng(0)
    design = rng.normal(size=(10, 3)) + 1j * rng.normal(size=(10, 3))
    z = rng.normal(size=10) + 1j * rng.normal(size=10)
    noise = rng.uniform(0.5, 2, size=10)
    root = rng.normal(size=(3, 3))
    prior = root @ root.T + np.eye(3)
    mean = rng.normal(size=3)
    found = fit_gaussian([Observation(lambda x: (design @ x, design), z, noise)], mean, prior)
    whole = np.concatenate([design.real, design.imag])
    inverse = np.diag(1 / np.tile(noise, 2) ** 2)
    precision = np.linalg.inv(prior) + whole.T @ inverse @ whole
    target = np.concatenate([z.real, z.imag])
    exact = np.linalg.solve(precision, np.linalg.inv(prior) @ mean + whole.T @ inverse @ target)
    assert found.noise_factor == 1
    np.testing.assert_allclose(found.mean, exact, rtol=1e-6)
    np.testing.assert_allclose(found.covariance, np.linalg.inv(precision), rtol=1e-6, atol=1e-12)


def test_two_spectra_are_one_of_both() -> None:
    rng = np.random.default_rng(1)
    one, other = (measured(PRIOR_MEAN + 0.3, rng, 0.01) for _ in range(2))
    both = Observation(
        lambda x: tuple(np.concatenate([part, part]) for part in one.predict(x)),  # type: ignore[arg-type, return-value]
        np.concatenate([one.z, other.z]),
        np.concatenate([one.noise, other.noise]),
    )
    prior = np.diag(PRIOR_DEVIATION**2)
    joint, whole = (
        fit_gaussian([one, other], PRIOR_MEAN, prior),
        fit_gaussian([both], PRIOR_MEAN, prior),
    )
    np.testing.assert_allclose(joint.mean, whole.mean, atol=1e-6)
    np.testing.assert_allclose(joint.covariance, whole.covariance, rtol=1e-5, atol=1e-12)


def test_90_percent_intervals_hold_the_truth_as_often() -> None:
    rng = np.random.default_rng(2)
    inside = []
    for _ in range(200):
        truth = PRIOR_MEAN + PRIOR_DEVIATION * rng.standard_normal(4)
        found = fitted(measured(truth, rng, 0.01))
        assert found.converged
        distance = abs(found.mean - truth) / np.sqrt(np.diag(found.covariance))
        inside.append(distance < 1.6449)
    assert 0.85 <= np.mean(inside) <= 0.95


def test_a_contact_is_found_within_2_percent() -> None:
    rng = np.random.default_rng(3)
    for _ in range(30):
        truth = PRIOR_MEAN + PRIOR_DEVIATION * rng.standard_normal(4)
        bulk, _, contact, _ = np.exp(truth)
        if 2 * contact < (bulk + 2 * contact) / 5:
            continue
        found = fitted(measured(truth, rng, 0.003))
        assert np.exp(found.mean[2]) == pytest.approx(contact, rel=0.02)


def test_reweighted_samples_agree_where_the_posterior_is_normal() -> None:
    rng = np.random.default_rng(4)
    observation = measured(PRIOR_MEAN + 0.5, rng, 0.01)
    found = fitted(observation)
    check = reweighted(found, [observation], samples=500)
    assert check.effective_samples > 400
    assert abs(check.shift).max() < 0.2
    spread = (check.quantiles[2] - check.quantiles[0]) / (2 * 1.6449)
    np.testing.assert_allclose(spread, np.sqrt(np.diag(found.covariance)), rtol=0.2)


def test_reweighted_samples_tell_where_it_is_not() -> None:
    # the spectrum knows the parameter's size, not its sign
    def predict(x: Array) -> tuple[ComplexArray, ComplexArray]:
        return np.array([x[0] ** 2 + 0j]), np.array([[2 * x[0] + 0j]])

    observation = Observation(predict, np.array([0.04 + 0j]), np.array([0.05]))
    found = fit_gaussian([observation], [1.0], [[1.0]])
    check = reweighted(found, [observation], samples=2000)
    assert abs(check.shift[0]) > 0.3


def test_samples_follow_a_curved_valley() -> None:
    """y is known as exactly as one likes along y = x²; x is as it was."""

    def predict(x: Array) -> tuple[ComplexArray, ComplexArray]:
        return np.array([x[1] - x[0] ** 2 + 0j]), np.array([[-2 * x[0] + 0j, 1 + 0j]])

    observation = Observation(predict, np.array([0j]), np.array([1e-3]))
    prior = np.diag([0.25, 100.0])
    found = fit_gaussian([observation], [0.5, 0.0], prior)
    check = reweighted(found, [observation], samples=2000)
    # by quadrature along the valley, where the noise is narrow
    x = np.linspace(-3, 4, 20001)
    density = np.exp(-0.5 * (x - 0.5) ** 2 / 0.25 - 0.5 * x**4 / 100)
    density /= density.sum()
    # samples of a normal distribution alone would not hit the valley at all
    assert check.effective_samples > 300
    assert check.mean[0] == pytest.approx(density @ x, abs=0.05)
    assert check.mean[1] == pytest.approx(density @ x**2, abs=0.06)
    low, high = np.interp([0.05, 0.95], np.cumsum(density), x)
    assert check.quantiles[0, 0] == pytest.approx(low, abs=0.15)
    assert check.quantiles[2, 0] == pytest.approx(high, abs=0.15)


def test_weights_that_collapse_teach_where_to_draw() -> None:
    """The slopes at the best fit are 0, so that the normal posterior is the prior, far too wide."""
    count, noise = 6, 0.01

    def predict(x: Array) -> tuple[ComplexArray, ComplexArray]:
        return x**3 + 0j, np.diag(3 * x**2 + 0j)

    observation = Observation(predict, np.zeros(count, complex), np.full(count, noise))
    found = fit_gaussian([observation], np.zeros(count), np.eye(count))
    np.testing.assert_allclose(found.variance_share, 1)
    check = reweighted(found, [observation], samples=1000)
    assert check.samples > 1000
    assert check.effective_samples > 100
    x = np.linspace(-1, 1, 20001)
    density = np.exp(-0.5 * x**2 - 0.5 * (x**3 / noise) ** 2)
    exact = np.interp([0.05, 0.95], np.cumsum(density) / density.sum(), x)
    np.testing.assert_allclose(check.quantiles[[0, 2]].mean(axis=1), exact, atol=0.02)


def test_undetermined_directions() -> None:
    # a and b only as their sum, c not at all, d alone
    def predict(x: Array) -> tuple[ComplexArray, ComplexArray]:
        columns = np.stack([S, S, 0 * S, 1 + 0 * S], axis=1) / 1e6
        return columns @ x, columns

    observation = Observation(predict, predict(np.ones(4))[0], np.full(len(S), 1e-6))
    found = fit_gaussian([observation], np.zeros(4), np.diag([1.0, 4.0, 1.0, 1.0]))
    assert len(found.undetermined) == 2
    for direction in found.undetermined:
        assert direction.variance_share > 0.99
        assert abs(direction.loadings[3]) < 1e-3
    lone, pair = sorted(found.undetermined, key=lambda one: abs(one.loadings[0]))
    np.testing.assert_allclose(abs(lone.loadings), [0, 0, 1, 0], atol=1e-3)
    # along the pair the sum stays: one moves by 1 of its own deviation, 2 by half of its own
    assert pair.loadings[0] * 1 + pair.loadings[1] * 2 == pytest.approx(0, abs=1e-3)
    np.testing.assert_allclose(found.variance_share, [0.8, 0.2, 1, 1 / 37], rtol=1e-3)


def test_everything_determined_has_no_such_direction() -> None:
    found = fitted(measured(PRIOR_MEAN, np.random.default_rng(5), 0.003))
    assert found.undetermined == []
    assert (found.variance_share < 0.01).all()


def test_a_model_that_does_not_reach_the_data_says_so() -> None:
    rng = np.random.default_rng(6)
    observation = measured(PRIOR_MEAN, rng, 0.003)
    # a further process that the model has not
    wrong = Observation(observation.predict, observation.z + 20 / (1 + S * 0.01), observation.noise)
    found = fitted(wrong)
    assert found.chi2_reduced > 10
    assert found.noise_factor > 3
    assert np.diag(found.covariance)[0] > np.diag(fitted(observation).covariance)[0]


def test_places_without_a_prediction_are_avoided() -> None:
    def predict(x: Array) -> tuple[ComplexArray, ComplexArray]:
        with np.errstate(invalid="ignore"):
            return np.log(x).astype(complex), np.array([[1 / x[0] + 0j]])

    found = fit_gaussian(
        [Observation(predict, np.array([-6 + 0j]), np.array([0.01]))], [1.0], [[1.0]]
    )
    assert found.mean[0] == pytest.approx(np.exp(-6), rel=0.05)
    with pytest.raises(ValueError, match="predicts nothing"):
        fit_gaussian([Observation(predict, np.array([0j]), np.array([0.01]))], [-1.0], [[1.0]])
