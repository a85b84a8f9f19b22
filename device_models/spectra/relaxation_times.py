"""The distribution of relaxation times of a measured spectrum, with what is not known of it.

``Z = R_inf + i·omega·L (+ 1/(i·omega·C)) + ∫ gamma(ln tau)/(1 + i·omega·tau) d ln tau``, with
gamma > 0. The inversion is ill-posed; what the data leave open is filled from a prior, and the
bands say how much that is. (T. H. Wan et al., Electrochim. Acta 184, 483 (2015); J. Liu and
F. Ciucci, Electrochim. Acta 331, 135316 (2020).)
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .gaussian_fit import GaussianFit, Observation, fit_gaussian

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

_POINTS_PER_DECADE = 12
#: How far the distribution goes beyond the data: further, they say nothing.
_BEYOND_DECADES = 0.5
_QUANTILES = (0.05, 0.5, 0.95)
#: Of the prior: correlation lengths in ln tau, of which one is chosen; standard deviation of
#: ln gamma, and its mean relative to the largest |Z|; standard deviation of ln R_inf, ln L, ln 1/C.
_WIDTHS = (0.5, 1.0, 2.0, 4.0)
_DEVIATION, _MEAN = 2.5, 0.01
_SERIES_DEVIATION = 5.0
_STEPS = 12
_ACCEPTANCE = 0.8
#: A peak with less of the whole resistance is not listed.
_SMALLEST_SHARE = 0.01


@dataclass(frozen=True)
class Peak:
    """A process: one maximum of the distribution.

    Attributes
    ----------
    time_constant_s : float
        Time constant of the maximum.
    resistance : array (3,)
        Area from the minimum before to that behind; 5, 50 and 95 %.
    """

    time_constant_s: float
    resistance: Array


@dataclass(frozen=True)
class RelaxationTimes:
    """A distribution of relaxation times.

    Attributes
    ----------
    time_constant_s : array (times,)
    gamma : array (3, times)
        5, 50 and 95 % of the distribution, per unit of ln tau, in the unit of the impedance.
    mean : array (times,)
    fitted : complex array (points,)
        The spectrum of the mean.
    high_frequency_resistance, polarization_resistance : array (3,)
        R_inf, and the area of gamma; 5, 50 and 95 %.
    peaks : list of Peak
        From short to long times.
    width : float
        The prior's correlation length, in ln tau.
    """

    time_constant_s: Array
    gamma: Array
    mean: Array
    fitted: ComplexArray
    high_frequency_resistance: Array
    polarization_resistance: Array
    peaks: list[Peak]
    width: float


def relaxation_times(
    frequency_Hz: ArrayLike,
    z: ArrayLike,
    *,
    noise: float,
    series_capacitor: bool = False,
    samples: int = 400,
    seed: int = 0,
) -> RelaxationTimes:
    """Infer the distribution of relaxation times.

    The prior: ln gamma is a Gaussian process on ln tau (Matérn, 5/2), of a mean of 1 % of the
    largest |Z| and a standard deviation of 2.5, that is a factor of twelve; its correlation length
    is that of the largest evidence, by Laplace's approximation. R_inf, L and C have log-normal
    priors so wide that they say nothing. The posterior is sampled by Hamiltonian trajectories from
    its maximum.

    Parameters
    ----------
    frequency_Hz : array (points,)
        Distinct, above 0; of points that obey the Kramers–Kronig relations.
    z : complex array (points,)
        In any unit.
    noise : float
        Standard deviation of each part, relative to |Z|; as the Kramers–Kronig test has it.
    series_capacitor : bool
        Whether the direct current is blocked.
    samples : int
        How many the bands are made of.
    seed : int

    Returns
    -------
    RelaxationTimes
    """
    omega = 2 * np.pi * np.asarray(frequency_Hz, dtype=np.float64)
    z = np.asarray(z, dtype=np.complex128)
    u = _grid(omega)
    series = _series(omega, abs(z), series_capacitor)
    columns = np.concatenate([series, _hat_responses(omega, u)], axis=1)
    problem = _Inversion(columns, z, np.asarray(noise * abs(z)), u, series.shape[1])
    start = problem.smooth_start()
    fits = [(problem.fit(width, start), width) for width in _WIDTHS]
    fit, width = max(fits, key=lambda pair: problem.log_evidence(pair[0]))
    draws = np.exp(problem.samples(fit, samples, seed))
    gamma = draws[:, series.shape[1] :]
    weights = _hat_areas(u)
    mean = draws.mean(axis=0)
    return RelaxationTimes(
        np.exp(u),
        np.quantile(gamma, _QUANTILES, axis=0),
        mean[series.shape[1] :],
        columns @ mean,
        np.quantile(draws[:, 0], _QUANTILES),
        np.quantile(gamma @ weights, _QUANTILES),
        _peaks(np.exp(u), gamma, weights),
        width,
    )


def _grid(omega: Array) -> Array:
    ends = [-np.log(omega.max()), -np.log(omega.min())]
    beyond = _BEYOND_DECADES * np.log(10)
    low, high = ends[0] - beyond, ends[1] + beyond
    return np.linspace(low, high, int(np.ceil((high - low) / np.log(10) * _POINTS_PER_DECADE)) + 1)


def _series(omega: Array, size: Array, series_capacitor: bool) -> ComplexArray:
    """R_inf, L and 1/C, in units in which their part of Z is at most of the size of |Z|."""
    first = size[np.argmax(omega)]
    parts = [np.ones_like(omega) + 0j, 1j * omega / omega.max() * first / size.max()]
    if series_capacitor:
        parts.append(omega.min() / (1j * omega))
    return np.stack(parts, axis=1)


def _hat_responses(omega: Array, u: Array) -> ComplexArray:
    """Impedance of hat functions of ln tau, by Gauss–Legendre in each of their halves."""
    step = u[1] - u[0]
    place, weight = np.polynomial.legendre.leggauss(4)
    place, weight = (place + 1) / 2, weight / 2
    right = u[:-1, None] + step * place
    debye = step * weight / (1 + 1j * omega[:, None, None] * np.exp(right))
    response = np.zeros((len(omega), len(u)), dtype=np.complex128)
    response[:, :-1] += np.sum(debye * (1 - place), axis=-1)
    response[:, 1:] += np.sum(debye * place, axis=-1)
    return response


def _hat_areas(u: Array) -> Array:
    areas = np.full(len(u), u[1] - u[0])
    areas[[0, -1]] /= 2
    return areas


class _Inversion:
    """The problem in logarithms of R_inf, L, (1/C) and gamma, which are normal before."""

    def __init__(
        self, columns: ComplexArray, z: ComplexArray, noise: Array, u: Array, series: int
    ) -> None:
        self.columns, self.z, self.noise, self.series = columns, z, noise, series
        self.distance = abs(u[:, None] - u)
        size = float(abs(z).max())
        self.mean = np.full(columns.shape[1], np.log(_MEAN * size))
        self.mean[0] = np.log(max(float(z.real.min()), _MEAN * size))
        # so small that nobody sees it, unless the data do
        self.mean[1:series] = np.log(1e-4 * size)

    def smooth_start(self) -> Array:
        """Return logarithms of the non-negative least squares, which are spikes, smoothed."""
        from scipy.ndimage import gaussian_filter1d
        from scipy.optimize import nnls

        weighted = self.columns / self.noise[:, None]
        target = self.z / self.noise
        spikes = nnls(
            np.concatenate([weighted.real, weighted.imag]),
            np.concatenate([target.real, target.imag]),
            maxiter=30 * len(self.mean),
        )[0]
        gamma = gaussian_filter1d(spikes[self.series :], 2.0)
        return np.concatenate(
            [
                np.log(np.maximum(spikes[: self.series], np.exp(self.mean[: self.series]))),
                np.log(np.maximum(gamma, 1e-2 * gamma.max())),
            ]
        )

    def fit(self, width: float, start: Array) -> GaussianFit:
        def predict(logs: Array) -> tuple[ComplexArray, ComplexArray]:
            # beyond that no spectrum is, and nothing overflows
            slopes = self.columns * np.exp(np.clip(logs, -200.0, 200.0))
            return slopes.sum(axis=1), slopes

        count = len(self.mean)
        scaled = np.sqrt(5) * self.distance / width
        covariance = np.zeros((count, count))
        covariance[: self.series, : self.series] = np.eye(self.series) * _SERIES_DEVIATION**2
        kernel = (1 + scaled + scaled**2 / 3) * np.exp(-scaled)
        covariance[self.series :, self.series :] = _DEVIATION**2 * (
            kernel + 1e-6 * np.eye(len(kernel))
        )
        return fit_gaussian(
            [Observation(predict, self.z, self.noise)],
            self.mean,
            covariance,
            start=start,
            other_starts=0,
        )

    def log_evidence(self, fit: GaussianFit) -> float:
        """Return the logarithm of the evidence by Laplace's approximation, but for a constant."""
        away = fit.mean - fit.prior_mean
        squares = float(np.sum(abs((self.z - fit.fitted[0]) / self.noise) ** 2))
        squares += float(away @ np.linalg.solve(fit.prior_covariance, away))
        ratio = np.linalg.slogdet(fit.covariance)[1] - np.linalg.slogdet(fit.prior_covariance)[1]
        return float(0.5 * ratio - 0.5 * squares)

    def samples(self, fit: GaussianFit, count: int, seed: int) -> Array:
        """Draw (count, parameters) by Hamiltonian trajectories, whitened by the fit."""
        root = np.linalg.cholesky(fit.covariance)
        inverse = np.linalg.inv(fit.prior_covariance)
        noise = fit.noise_factor * self.noise

        def energy(place: Array) -> tuple[float, Array]:
            logs = fit.mean + root @ place
            slopes = self.columns * np.exp(np.clip(logs, -200.0, 200.0))
            residual = (self.z - slopes.sum(axis=1)) / noise
            away = logs - fit.prior_mean
            pull = inverse @ away
            downhill = (slopes / noise[:, None]).conj().T @ residual
            value = 0.5 * float(np.sum(abs(residual) ** 2)) + 0.5 * float(away @ pull)
            return value, root.T @ (pull - downhill.real)

        rng = np.random.default_rng(seed)
        place: Array = np.zeros(len(root))
        value, slope = energy(place)
        step, found = 0.2, []
        burn_in = max(count // 4, 50)
        for index in range(-burn_in, count):
            momentum: Array = rng.standard_normal(len(root))
            total = value + 0.5 * momentum @ momentum
            trial, trial_value, trial_slope = place, value, slope
            length = step * rng.uniform(0.8, 1.2)
            for _ in range(_STEPS):
                momentum = momentum - 0.5 * length * trial_slope
                trial = trial + length * momentum
                with np.errstate(all="ignore"):
                    trial_value, trial_slope = energy(trial)
                momentum = momentum - 0.5 * length * trial_slope
            with np.errstate(all="ignore"):
                change = total - trial_value - 0.5 * momentum @ momentum
            # a trajectory that runs away has no energy, and is not accepted
            accepted = bool(np.log(rng.uniform()) < change)
            if accepted:
                place, value, slope = trial, trial_value, trial_slope
            if index < 0:
                step *= np.exp(0.1 * (accepted - _ACCEPTANCE))
            else:
                found.append(fit.mean + root @ place)
        return np.array(found)


def _peaks(time_constant_s: Array, gamma: Array, areas: Array) -> list[Peak]:
    mean = gamma.mean(axis=0)
    inner = np.arange(1, len(mean) - 1)
    tops = inner[(mean[1:-1] > mean[:-2]) & (mean[1:-1] >= mean[2:])]
    valleys = [
        first + int(np.argmin(mean[first : second + 1]))
        for first, second in itertools.pairwise(tops)
    ]
    if not len(tops):
        return []
    edges = [0, *valleys, len(mean)]
    whole = float(mean @ areas)
    peaks = []
    for top, begin, end in zip(tops, edges[:-1], edges[1:], strict=True):
        part = gamma[:, begin:end] @ areas[begin:end]
        if part.mean() > _SMALLEST_SHARE * whole:
            peaks.append(Peak(float(time_constant_s[top]), np.quantile(part, _QUANTILES)))
    return peaks
