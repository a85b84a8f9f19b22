"""Check of a fit's normal posterior by reweighted samples.

Importance sampling. Where the weights collapse on few samples, the distribution that they are drawn
from learns from them, and more are drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, logsumexp

from .gaussian_fit import (
    Array,
    ComplexArray,
    GaussianFit,
    Observation,
    Problem,
    posterior_share,
)

BoolArray = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]

#: A direction with less of the prior's variance follows the others along the model's curvature.
_DETERMINED_SHARE = 0.1
_MOST_SURFACE_STEPS = 6
#: How far from the surface a sample may stay, in standard deviations of the determined directions.
_ON_SURFACE = 1.0
#: Of the samples of one round; with fewer effective ones the next round draws from what they say.
_ENOUGH = 0.1
_MOST_ROUNDS = 6
#: Degrees of freedom of the t distributions of later rounds.
_FREEDOM = 5.0
_QUANTILES = (0.05, 0.5, 0.95)


@dataclass(frozen=True)
class Reweighted:
    """The posterior from samples with their true weights, beside its normal approximation.

    Attributes
    ----------
    mean : array (parameters,)
    quantiles : array (3, parameters)
        5, 50 and 95 %.
    samples : int
        How many were drawn, in all rounds.
    effective_samples : float
        How many equally weighted ones they are worth. Below some tens they say nothing.
    shift : array (parameters,)
        From the normal approximation's mean, in its standard deviations.
    """

    mean: Array
    quantiles: Array
    samples: int
    effective_samples: float
    shift: Array


def reweighted(
    fit: GaussianFit,
    observations: Sequence[Observation],
    *,
    predict_many: Callable[[Array], Sequence[ComplexArray]] | None = None,
    samples: int = 2000,
    seed: int = 0,
) -> Reweighted:
    """Check a fit: draw from about it, and give each sample the weight of the true posterior.

    Directions that the data determine well lie on a surface, curved if the model is nonlinear. So
    each sample is drawn in the other directions first, then taken to that surface by Newton
    steps with the derivatives at the mean, and then drawn along the determined directions. The
    density of that is known exactly, and so are the weights.

    Where fewer than a tenth of the samples count, as many are drawn again from Student's t
    distribution with the mean and the covariance that the weights give (adaptive multiple
    importance sampling: Cornuet et al., Scand. J. Stat. 39, 798 (2012)), up to five times. All of
    them count, each with the mixture of all distributions as its density.

    Parameters
    ----------
    fit : GaussianFit
    observations : sequence of Observation
        Observations of the fit.
    predict_many : callable, optional
        Parameters (samples, parameters) to the spectra (samples, points) of each observation;
        by default the predictions of the observations, one by one.
    samples : int
        Number of samples of each round.
    seed : int

    Returns
    -------
    Reweighted
    """
    target = _Target(fit, observations, predict_many)
    rng = np.random.default_rng(seed)
    size = len(fit.mean)
    proposals = [_Proposal(np.zeros(size), np.eye(size), np.inf)]
    drawn, white, posterior = np.empty((0, size)), np.empty((0, size)), np.empty(0)
    for _ in range(_MOST_ROUNDS):
        new = proposals[-1].draw(samples, rng)
        places = target.places(new)
        drawn, white = np.concatenate([drawn, new]), np.concatenate([white, places])
        posterior = np.concatenate([posterior, target.log_density(places)])
        density = logsumexp([one.log_density(drawn) for one in proposals], axis=0)
        log_weight = np.where(np.isfinite(posterior), posterior - density, -np.inf)
        if not np.isfinite(log_weight).any():
            break
        weight = np.exp(log_weight - logsumexp(log_weight))
        effective = _effective(weight)
        if effective >= _ENOUGH * samples:
            break
        proposals.append(_learned(drawn, log_weight))
    if not np.isfinite(log_weight).any():
        nothing = np.full(size, np.nan)
        return Reweighted(nothing, np.full((3, size), np.nan), len(drawn), 0.0, nothing)
    parameters = target.parameters(white)
    mean = weight @ parameters
    return Reweighted(
        mean,
        np.stack([_weighted_quantiles(column, weight) for column in parameters.T], axis=1),
        len(drawn),
        effective,
        (mean - fit.mean) / np.sqrt(np.diag(fit.covariance)),
    )


class _Target:
    """The posterior, in coordinates in which the normal approximation has unit covariance.

    The coordinates are along the directions that are uncertain on their own. Those that the data
    leave open move along the surface; those that they determine, away from it. The Jacobian of that
    is 1.
    """

    def __init__(
        self,
        fit: GaussianFit,
        observations: Sequence[Observation],
        predict_many: Callable[[Array], Sequence[ComplexArray]] | None,
    ) -> None:
        self.fit, self.observations = fit, observations
        self.many = predict_many or (
            lambda rows: [np.array([one.predict(row)[0] for row in rows]) for one in observations]
        )
        problem = Problem(observations, fit.prior_mean, fit.prior_covariance)
        self.root = problem.root
        self.center: Array = np.asarray(
            np.linalg.solve(problem.root, fit.mean - fit.prior_mean), dtype=np.float64
        )
        at_center = problem.residuals(self.center)
        assert at_center is not None
        self.slope = at_center[1] / fit.noise_factor
        shares, self.directions = np.linalg.eigh(posterior_share(self.slope, 1.0))
        self.deviations = np.sqrt(shares)
        self.determined: BoolArray = shares < _DETERMINED_SHARE

    def parameters(self, white: Array) -> Array:
        return np.asarray(self.fit.prior_mean + white @ self.root.T)

    def places(self, coordinates: Array) -> Array:
        """Return whitened parameters (samples, P) at coordinates (samples, P)."""
        along = coordinates * self.deviations
        off_surface = along[:, self.determined] @ self.directions[:, self.determined].T
        open_part = along[:, ~self.determined] @ self.directions[:, ~self.determined].T
        return np.asarray(self._on_surface(self.center + open_part) + off_surface)

    def _on_surface(self, white: Array) -> Array:
        onto, deviations = self.directions[:, self.determined], self.deviations[self.determined]
        moving = np.arange(len(white) if self.determined.any() else 0)
        for _ in range(_MOST_SURFACE_STEPS):
            if not len(moving):
                break
            here = white[moving]
            step = (self._residuals(here) @ self.slope - here) @ onto * deviations**2
            known = np.isfinite(step).all(axis=1)
            moving, step = moving[known], step[known]
            # no further than the prior reaches
            length = np.linalg.norm(step, axis=1, keepdims=True)
            white[moving] += (step / np.maximum(length, 1.0)) @ onto.T
            moving = moving[np.linalg.norm(step / deviations, axis=1) > _ON_SURFACE]
        return white

    def log_density(self, white: Array) -> Array:
        """Return the log posterior up to a constant; NaN where the model predicts nothing."""
        residuals = self._residuals(white)
        return np.asarray(-0.5 * (np.sum(white**2, axis=1) + np.sum(residuals**2, axis=1)))

    def _residuals(self, white: Array) -> Array:
        parts = []
        for one, z in zip(self.observations, self.many(self.parameters(white)), strict=True):
            difference = (one.z - z) / (self.fit.noise_factor * one.noise)
            parts += [difference.real, difference.imag]
        return np.concatenate(parts, axis=1)


@dataclass(frozen=True)
class _Proposal:
    """Student's t distribution; the normal one where `freedom` is infinite."""

    mean: Array
    root: Array
    freedom: float

    def draw(self, count: int, rng: np.random.Generator) -> Array:
        normal = rng.standard_normal((count, len(self.mean)))
        if np.isfinite(self.freedom):
            normal /= np.sqrt(rng.chisquare(self.freedom, (count, 1)) / self.freedom)
        return np.asarray(self.mean + normal @ self.root.T)

    def log_density(self, drawn: Array) -> Array:
        """Return the log density up to powers of 2π."""
        square = np.sum(np.linalg.solve(self.root, (drawn - self.mean).T) ** 2, axis=0)
        volume = np.sum(np.log(np.diag(self.root)))
        if np.isinf(self.freedom):
            return np.asarray(-0.5 * square - volume)
        size, nu = len(self.mean), self.freedom
        constant = gammaln((nu + size) / 2) - gammaln(nu / 2) - size / 2 * np.log(nu / 2)
        return np.asarray(constant - volume - (nu + size) / 2 * np.log1p(square / nu))


def _learned(drawn: Array, log_weight: Array) -> _Proposal:
    """Return the t distribution with mean and covariance of weighted samples.

    The weights are flattened until several times as many samples count as there are coordinates,
    and the covariance is shrunk towards its diagonal, which few samples know better.
    """
    size = drawn.shape[1]
    wanted = min(3.0 * size, 0.5 * np.count_nonzero(np.isfinite(log_weight)))
    power = 1.0
    while True:
        tempered = np.exp(power * (log_weight - log_weight.max()))
        tempered /= tempered.sum()
        counting = _effective(tempered)
        if counting >= wanted or power < 1e-6:
            break
        power /= 1.5
    mean = tempered @ drawn
    away = drawn - mean
    trust = counting / (counting + size)
    covariance = (tempered * away.T) @ away
    covariance = trust * covariance + (1.0 - trust) * np.diag(np.diag(covariance))
    return _Proposal(mean, np.asarray(np.linalg.cholesky(covariance)), _FREEDOM)


def _effective(weight: Array) -> float:
    return float(1.0 / np.sum(weight**2))


def _weighted_quantiles(values: Array, weight: Array) -> Array:
    order = np.argsort(values)
    upto = np.cumsum(weight[order]) - 0.5 * weight[order]
    return np.interp(_QUANTILES, upto, values[order])
