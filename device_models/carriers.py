"""Electrons and holes in parabolic bands with Fermi–Dirac statistics."""

from __future__ import annotations

import numpy as np

from .constants import BAND_DENSITY_CM3_K32, CM3_PER_NM3
from .numerics.fermi_dirac import BOLTZMANN_BELOW, fermi_dirac
from .phase import Array

_SMALL = 0.5
_SERIES_BELOW = 1e-5
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(6)


def band_density_nm3(temperature_K: Array, mass: Array) -> Array:
    """Effective density of states of a band, per nm³, for an effective mass in electron masses."""
    return BAND_DENSITY_CM3_K32 * CM3_PER_NM3 * (mass * temperature_K) ** 1.5


def log_band_occupation(eta: Array) -> tuple[Array, Array]:
    """Logarithm of F_{1/2}(eta) and its slope, also where F itself would underflow."""
    if not np.any(eta > BOLTZMANN_BELOW):
        return eta, np.ones_like(eta)
    above = np.maximum(eta, BOLTZMANN_BELOW)
    value = fermi_dirac(0.5, above)
    dilute = eta < BOLTZMANN_BELOW
    return (
        np.where(dilute, eta, np.log(value)),
        np.where(dilute, 1.0, fermi_dirac(-0.5, above) / value),
    )


def carrier_excess(eta: Array, y: Array) -> tuple[Array, Array]:
    """Change of a band's pressure and density when its eta grows by y, per density of states.

    Parameters
    ----------
    eta : array (N,)
        Reduced Fermi energy at the reference.
    y : array (..., N)
        Amount by which it grows.

    Returns
    -------
    pressure : array (..., N)
        F_{3/2}(eta + y) − F_{3/2}(eta) − y·F_{1/2}(eta), without cancellation.
    density : array (..., N)
        F_{1/2}(eta + y) − F_{1/2}(eta).
    """
    dilute = np.exp(np.minimum(eta, BOLTZMANN_BELOW))
    grown = np.expm1(np.minimum(y, 700.0))
    pressure = dilute * np.where(
        np.abs(y) < _SERIES_BELOW, y**2 * (0.5 + y / 6.0 + y**2 / 24.0), grown - y
    )
    density = dilute * grown
    where = np.nonzero(eta + np.maximum(y, 0.0) > BOLTZMANN_BELOW)
    if where[0].size:
        start, step = np.broadcast_to(eta, y.shape)[where], y[where]
        pressure[where], density[where] = _degenerate(start, step)
    return pressure, density


def carrier_bounds(eta: Array, y: Array) -> tuple[Array, Array]:
    """Bounds from above of `carrier_excess`'s pressure and of F_{−1/2}(eta), by F_{−1/2} ≤ exp."""
    dilute = np.exp(np.minimum(eta, 700.0))
    square = 0.5 * y * y
    with np.errstate(over="ignore"):
        grown = np.exp(np.minimum(eta + np.maximum(y, 0.0), 700.0)) * np.minimum(square, 1.0)
        fallen = dilute * np.minimum(square, np.abs(y))
    return np.where(y > 0.0, grown, fallen), dilute


def _degenerate(eta: Array, y: Array) -> tuple[Array, Array]:
    # the remainder of Taylor's formula where the plain difference would cancel
    node = (1.0 + _NODES[:, None]) / 2.0
    near = np.clip(y, -_SMALL, _SMALL)
    slopes = fermi_dirac(-0.5, eta + near * node)
    weights = _WEIGHTS[:, None] / 2.0
    near_pressure = near**2 * np.sum(weights * (1.0 - node) * slopes, axis=0)
    near_density = near * np.sum(weights * slopes, axis=0)
    start = fermi_dirac(0.5, eta)
    end = eta + y
    pressure = fermi_dirac(1.5, end) - fermi_dirac(1.5, eta) - y * start
    small = np.abs(y) < _SMALL
    return (
        np.where(small, near_pressure, pressure),
        np.where(small, near_density, fermi_dirac(0.5, end) - start),
    )
