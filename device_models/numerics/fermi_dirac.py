r"""Complete Fermi–Dirac integrals of the orders −1/2, 1/2 and 3/2.

``F_j(eta) = 1/Gamma(j+1) ∫_0^∞ t^j / (1 + exp(t − eta)) dt``, normalized so that
``dF_j/deta = F_{j−1}`` and ``F_j → exp(eta)`` for ``eta → −∞``.

With t = s² the integrand is even and analytic in a strip around the real axis, so the trapezoid
rule converges exponentially (Natarajan and Mohankumar, Comput. Phys. Commun. 76, 48 (1993)). Its
values at Chebyshev nodes, taken once at import, give piecewise polynomials; beyond the last piece
stands the Sommerfeld expansion. Relative error below 1e-12 everywhere.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from math import factorial, gamma, pi

import numpy as np
from numpy.polynomial import chebyshev

from ..phase import Array

_EDGES = (-2.0, 2.0, 7.0, 16.0, 40.0)
"""Between these the integral is a polynomial in eta; below the first, exp(eta) times one."""

_DEGREE = 26

_BERNOULLI = {
    1: 1 / 6,
    2: -1 / 30,
    3: 1 / 42,
    4: -1 / 30,
    5: 5 / 66,
    6: -691 / 2730,
    7: 7 / 6,
    8: -3617 / 510,
}
"""B_2k by k."""

BOLTZMANN_BELOW = -34.0
"""Below this eta the statistics are Boltzmann's to double precision."""


def fermi_dirac(order: float, eta: Array) -> Array:
    """Evaluate F_order(eta).

    Parameters
    ----------
    order : {-0.5, 0.5, 1.5}
        Which integral.
    eta : array
        Reduced Fermi energy, any shape.

    Returns
    -------
    array
        F_order(eta), of the shape of `eta`.
    """
    x = np.asarray(eta, dtype=np.float64)
    if x.ndim == 0:
        return np.asarray(fermi_dirac(order, x[None])[0])
    if float(np.max(x, initial=-np.inf)) < BOLTZMANN_BELOW:
        return np.exp(x)
    low, pieces = _coefficients(order)
    z = np.exp(np.minimum(x, _EDGES[0]))
    result = z * chebyshev.chebval(2.0 * z / np.exp(_EDGES[0]) - 1.0, low)
    for left, right, series in zip(_EDGES[:-1], _EDGES[1:], pieces, strict=True):
        inside = (x > left) & (x <= right)
        if np.any(inside):
            coordinate = (2.0 * x[inside] - left - right) / (right - left)
            result[inside] = np.exp(chebyshev.chebval(coordinate, series))
    beyond = x > _EDGES[-1]
    if np.any(beyond):
        result[beyond] = _sommerfeld(order, x[beyond])
    return np.asarray(result)


@cache
def _coefficients(order: float) -> tuple[Array, list[Array]]:
    nodes = np.cos(np.pi * (np.arange(_DEGREE + 1) + 0.5) / (_DEGREE + 1))
    z = np.exp(_EDGES[0]) * (1.0 + nodes) / 2.0
    low = chebyshev.chebfit(nodes, _trapezoid(order, np.log(z)) / z, 14)
    pieces = []
    for left, right in pairwise(_EDGES):
        eta = (left + right + (right - left) * nodes) / 2.0
        series = chebyshev.chebfit(nodes, np.log(_trapezoid(order, eta)), _DEGREE)
        pieces.append(np.asarray(series, dtype=np.float64))
    return np.asarray(low, dtype=np.float64), pieces


def _trapezoid(order: float, eta: Array) -> Array:
    step = 0.04
    s = step * np.arange(0, 260)
    weight = np.where(s == 0.0, 0.5, 1.0) * 2.0 * step / gamma(order + 1.0)
    # 1/(1 + e^(s²−eta)) without overflow, and relative to exp(eta) where that is small
    power = s[:, None] ** 2 - eta
    occupation = np.exp(-np.logaddexp(0.0, power))
    return np.asarray((weight * s ** (2.0 * order + 1.0)) @ occupation)


def _zeta(order: int, bernoulli: float) -> float:
    """Riemann's zeta at an even number, from the Bernoulli number of that order."""
    return abs(bernoulli) * (2.0 * pi) ** order / (2.0 * factorial(order))


def _sommerfeld(order: float, eta: Array) -> Array:
    # twice the Dirichlet eta function at 2k
    twice = [2.0 * (1.0 - 2.0 ** (1 - 2 * k)) * _zeta(2 * k, b) for k, b in _BERNOULLI.items()]
    total = np.ones_like(eta)
    factor = np.ones_like(eta)
    power = order + 1.0
    for k, value in enumerate(twice, start=1):
        factor = factor * (power - (2 * k - 2)) * (power - (2 * k - 1)) / eta**2
        total = total + value * factor
    return np.asarray(eta**power / gamma(order + 2.0) * total)
