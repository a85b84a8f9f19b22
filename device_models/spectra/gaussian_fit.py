"""Fit of a model with prior knowledge of its parameters to measured spectra.

The prior is normal, the noise is normal, and the posterior is the normal distribution about the
best fit (Laplace's approximation), which Gauss–Newton steps find. Directions that the data leave
as they were are named: nothing was learned of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]
#: Parameters to the spectrum (points,), and its derivatives (points, parameters).
Predict = Callable[[Array], tuple[ComplexArray, ComplexArray]]

#: A direction whose variance is more than this part of the prior's is undetermined.
UNDETERMINED_SHARE = 0.9
_MOST_STEPS = 60
#: At each larger noise.
_ANNEALING_STEPS = 8
_ROUGHLY = 0.03
#: Of a step, in the prior's standard deviations.
_CONVERGED = 1e-4
#: In halves of chi².
_SETTLED = 5e-4
#: With a worse reduced chi² other starts are tried.
_POOR_CHI2 = 2.0


@dataclass(frozen=True)
class Observation:
    """A measured spectrum, and the model of it.

    Parameters
    ----------
    predict : callable
        Parameters (parameters,) to the spectrum, complex (points,), and its derivatives, complex
        (points, parameters). What it cannot predict it may return as NaN.
    z : complex array (points,)
    noise : array (points,)
        Standard deviation of the real and of the imaginary part, in the unit of ``z``.
    """

    predict: Predict
    z: ComplexArray
    noise: Array


@dataclass(frozen=True)
class Direction:
    """A combination of parameters that is uncertain on its own.

    Attributes
    ----------
    variance_share : float
        Posterior variance along it over that of the prior: 1 where nothing was learned.
    loadings : array (parameters,)
        How many of its prior's standard deviations each parameter moves along it; unit length.
    """

    variance_share: float
    loadings: Array


@dataclass(frozen=True)
class GaussianFit:
    """Parameters after a measurement.

    Attributes
    ----------
    mean : array (parameters,)
    covariance : array (parameters, parameters)
    prior_mean : array (parameters,)
    prior_covariance : array (parameters, parameters)
    fitted : list of complex array (points,)
        The spectra at the mean.
    chi2_reduced : float
        With the noise as it was given; about 1 where the model is right.
    noise_factor : float
        The noise was multiplied by it, since the model does not reach the data: 1 where it does.
    undetermined : list of Direction
        Variance shares above 0.9; together they span what the data say nothing about.
    converged : bool
    """

    mean: Array
    covariance: Array
    prior_mean: Array
    prior_covariance: Array
    fitted: list[ComplexArray]
    chi2_reduced: float
    noise_factor: float
    undetermined: list[Direction]
    converged: bool

    @property
    def variance_share(self) -> Array:
        """Posterior variance over prior variance of each parameter."""
        return np.diag(self.covariance) / np.diag(self.prior_covariance)

    def samples(self, count: int, seed: int = 0) -> Array:
        """Draw from the posterior; (count, parameters)."""
        rng = np.random.default_rng(seed)
        normal = rng.standard_normal((count, len(self.mean)))
        return self.mean + normal @ np.linalg.cholesky(self.covariance).T


class Problem:
    """Residuals in units of the noise, as a function of the whitened parameters."""

    def __init__(
        self, observations: Sequence[Observation], prior_mean: Array, prior_covariance: Array
    ) -> None:
        self.observations = observations
        self.prior_mean = prior_mean
        self.root: Array = np.asarray(np.linalg.cholesky(prior_covariance), dtype=np.float64)
        self.count = 2 * sum(len(one.z) for one in observations)
        #: The last ones, since a prediction may take seconds.
        self.known: dict[bytes, tuple[Array, Array] | None] = {}

    def parameters(self, white: Array) -> Array:
        """Return the parameters of whitened ones."""
        return self.prior_mean + self.root @ white

    def residuals(self, white: Array) -> tuple[Array, Array] | None:
        """Return the residuals and minus their derivatives, None where there is no prediction."""
        key = white.tobytes()
        if key not in self.known:
            while len(self.known) > 3:
                del self.known[next(iter(self.known))]
            self.known[key] = self._predicted(white)
        return self.known[key]

    def _predicted(self, white: Array) -> tuple[Array, Array] | None:
        parts, slopes = [], []
        for one in self.observations:
            z, steepness = one.predict(self.parameters(white))
            difference = (one.z - z) / one.noise
            derivative = (steepness @ self.root) / one.noise[:, None]
            parts += [difference.real, difference.imag]
            slopes += [derivative.real, derivative.imag]
        residual: Array = np.concatenate(parts)
        slope: Array = np.concatenate(slopes)
        if not (np.isfinite(residual).all() and np.isfinite(slope).all()):
            return None
        return residual, slope


def fit_gaussian(
    observations: Sequence[Observation],
    prior_mean: ArrayLike,
    prior_covariance: ArrayLike,
    *,
    start: ArrayLike | None = None,
    other_starts: int = 4,
    seed: int = 0,
) -> GaussianFit:
    """Infer parameters from one or several spectra, together.

    Gauss–Newton with a damping that ensures descent. The noise is first taken so large that the
    prior's mean fits, and then reduced to what it is: the fit follows, and does not end in the
    nearest of several minima. Where the model does not reach the data (reduced chi² beyond three of
    its standard deviations above 1), the noise is multiplied until it does.

    Parameters
    ----------
    observations : sequence of Observation
    prior_mean : array (parameters,)
        Mean of parameters whose prior is normal: logarithms of what is log-normal.
    prior_covariance : array (parameters, parameters)
        Positive definite.
    start : array (parameters,), optional
        Starting point; the prior's mean unless given.
    other_starts : int
        How many others, drawn from the prior, are tried where the first one fits badly.
    seed : int
        Seed of these samples.

    Returns
    -------
    GaussianFit

    Raises
    ------
    ValueError
        There is no prediction at the start.
    """
    mean = np.asarray(prior_mean, dtype=np.float64)
    covariance = np.asarray(prior_covariance, dtype=np.float64)
    problem = Problem(observations, mean, covariance)
    white: Array = np.zeros(len(mean))
    if start is not None:
        away = np.asarray(start, dtype=np.float64) - mean
        white = np.asarray(np.linalg.solve(problem.root, away), dtype=np.float64)
    if problem.residuals(white) is None:
        raise ValueError("the model predicts nothing at the start")
    rng = np.random.default_rng(seed)
    best = _annealed(problem, white)
    for _ in range(other_starts):
        if 2 * best.cost < _POOR_CHI2 * problem.count:
            break
        drawn = rng.standard_normal(len(mean))
        if problem.residuals(drawn) is not None:
            best = min(best, _annealed(problem, drawn), key=lambda found: found.cost)
    chi2 = _reduced_chi2(problem, best, 1.0)
    factor = 1.0
    if chi2 > 1 + 3 * np.sqrt(2 / problem.count):
        # the weight of the prior grows with the noise, and the fit moves
        for _ in range(10):
            before, factor = factor, np.sqrt(_reduced_chi2(problem, best, factor))
            best = _descended(problem, best.white, factor)
            if abs(factor / before - 1) < 1e-3:
                break
    residual = problem.residuals(best.white)
    assert residual is not None
    share = posterior_share(residual[1], factor)
    parameters = problem.parameters(best.white)
    return GaussianFit(
        parameters,
        problem.root @ share @ problem.root.T,
        mean,
        covariance,
        [one.predict(parameters)[0] for one in observations],
        chi2,
        float(factor),
        _undetermined(share, problem.root),
        best.converged,
    )


@dataclass(frozen=True)
class _Found:
    white: Array
    #: Half the sum of squares, of residuals with the noise as it is, and of the prior.
    cost: float
    converged: bool


def _annealed(problem: Problem, start: Array) -> _Found:
    """Descend with a noise that falls from what makes the start a fit to what it is."""
    first = problem.residuals(start)
    assert first is not None
    factor = np.sqrt(max(float(np.mean(first[0] ** 2)), 1.0))
    white = start
    while factor > 1:
        white = _descended(problem, white, factor, _ANNEALING_STEPS, _ROUGHLY).white
        factor /= 3
    return _descended(problem, white, 1.0)


def _descended(
    problem: Problem,
    white: Array,
    factor: float,
    most_steps: int = _MOST_STEPS,
    converged: float = _CONVERGED,
) -> _Found:
    found = problem.residuals(white)
    assert found is not None
    cost, damping = _cost(white, found[0], factor), 0.0
    for _ in range(most_steps):
        residual, slope = found
        step = _step(white, residual / factor, slope / factor, damping)
        # what the normal equations promise; a thousandth of a unit of chi² changes nothing
        promised = 0.5 * float(step @ (slope.T @ residual / factor**2 - white))
        settled = np.max(abs(step)) < converged or (promised < _SETTLED and damping < 1)
        trial = problem.residuals(white + step)
        trial_cost = np.inf if trial is None else _cost(white + step, trial[0], factor)
        if trial is not None and not (settled or trial_cost < cost):
            # a step along a curved valley ends on its slope: the next one leads down again
            above, steep = trial
            further = step + _step(white + step, above / factor, steep / factor, damping)
            second = problem.residuals(white + further)
            if second is not None:
                step, trial = further, second
                trial_cost = _cost(white + step, trial[0], factor)
        if trial is None or not trial_cost < cost:
            if settled:
                return _Found(white, _cost(white, residual, 1.0), True)
            damping = max(10 * damping, 1e-3)
            continue
        white, found, cost = white + step, trial, trial_cost
        damping = damping / 10 if damping > 1e-6 else 0.0
        if settled:
            return _Found(white, _cost(white, found[0], 1.0), True)
    return _Found(white, _cost(white, found[0], 1.0), False)


def _cost(white: Array, residual: Array, factor: float) -> float:
    return 0.5 * float(residual @ residual) / factor**2 + 0.5 * float(white @ white)


def _step(white: Array, residual: Array, slope: Array, damping: float) -> Array:
    """Solve the damped normal equations."""
    sizes = damping * (1 + np.sum(slope**2, axis=0))
    precision = slope.T @ slope + np.diag(1 + sizes)
    try:
        step = np.linalg.solve(precision, slope.T @ residual - white)
    except np.linalg.LinAlgError:
        # slopes so steep that their squares lose the prior
        rows = np.concatenate([slope, np.diag(np.sqrt(1 + sizes))])
        target = np.concatenate([residual, -white / np.sqrt(1 + sizes)])
        step = np.linalg.lstsq(rows, target, rcond=None)[0]
    return np.asarray(step, dtype=np.float64)


def posterior_share(slope: Array, factor: float) -> Array:
    """Return the posterior covariance of the whitened parameters, of which the prior's is 1."""
    rows = np.concatenate([slope / factor, np.zeros((slope.shape[1], slope.shape[1]))])
    _, size, directions = np.linalg.svd(rows, full_matrices=False)
    share: Array = (directions.T / (1 + size**2)) @ directions
    return share


def _reduced_chi2(problem: Problem, found: _Found, factor: float) -> float:
    """Return chi², with the noise as given, per number that the parameters do not use up."""
    residuals = problem.residuals(found.white)
    assert residuals is not None
    residual, slope = residuals
    used = slope.shape[1] - np.trace(posterior_share(slope, factor))
    return float(residual @ residual) / max(problem.count - float(used), 1.0)


def _undetermined(share: Array, root: Array) -> list[Direction]:
    """Return directions that span what was not learned, each of as few parameters as can be."""
    values, vectors = np.linalg.eigh(share)
    span = vectors[:, values > UNDETERMINED_SHARE]
    if not span.shape[1]:
        return []
    from scipy.linalg import qr

    # any basis of them will do: the one in which each has a parameter of its own
    pivots = qr(span.T, pivoting=True, mode="r")[1][: span.shape[1]]
    basis = span @ np.linalg.inv(span[pivots])
    basis /= np.linalg.norm(basis, axis=0)
    deviations = np.sqrt(np.diag(root @ root.T))
    directions = []
    for column in basis.T:
        moved = root @ column / deviations
        directions.append(Direction(float(column @ share @ column), moved / np.linalg.norm(moved)))
    return directions
