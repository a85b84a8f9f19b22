"""Profile seen by a probe of finite resolution: its convolution with a Gaussian, exactly.

A profile is linear between its points and constant beyond its ends; its integral with a Gaussian is
a sum of error functions, linear in the values. Jumps (a place that appears twice) need no care.
"""

from __future__ import annotations

import numpy as np

from .phase import Array

#: Full width at half maximum over the standard deviation.
_WIDTHS = 2.0 * np.sqrt(2.0 * np.log(2.0))

#: A probe that resolves this shows the profile itself.
_NONE_NM = 1e-6

#: Of a piece, in standard deviations.
_SHORT = 1e-4


def resolution_weights(x_nm: Array, profile_x_nm: Array, resolution_nm: float) -> Array:
    """Return the weights (M, P) of a profile's values in those that a probe shows at M positions.

    Parameters
    ----------
    x_nm : array (M,)
        Positions of the probe.
    profile_x_nm : array (P,)
        Ascending; a position may appear twice, where the profile jumps.
    resolution_nm : float
        Full width at half maximum of the probe's response; 0 shows the profile itself, on the left
        of a jump.

    Returns
    -------
    array (M, P)
        Each row adds up to 1.
    """
    from scipy.special import ndtr

    at, places = np.asarray(x_nm, dtype=float), np.asarray(profile_x_nm, dtype=float)
    count = places.size
    weights = np.zeros((at.size, count))
    if count == 1:
        return np.ones((at.size, 1))
    if resolution_nm <= _NONE_NM:
        after = np.clip(np.searchsorted(places, at), 1, count - 1)
        width = places[after] - places[after - 1]
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(width > 0.0, (at - places[after - 1]) / width, 0.0)
        share = np.clip(share, 0.0, 1.0)
        rows = np.arange(at.size)
        weights[rows, after - 1] = 1.0 - share
        weights[rows, after] += share
        return weights
    sigma = resolution_nm / _WIDTHS
    u = (places[None, :] - at[:, None]) / sigma
    below = ndtr(u)
    density = np.exp(-0.5 * u**2) / np.sqrt(2.0 * np.pi)
    width = np.diff(places) / sigma
    mass = np.diff(below, axis=1)
    # integral of (u − u_left)·Gaussian over each piece
    first = -np.diff(density, axis=1) - u[:, :-1] * mass
    with np.errstate(divide="ignore", invalid="ignore"):
        # of a short piece, whose integral cancels, both ends have half
        right = np.where(width > _SHORT, first / width, 0.5 * mass)
    weights[:, 1:] += right
    weights[:, :-1] += mass - right
    weights[:, 0] += below[:, 0]
    weights[:, -1] += 1.0 - below[:, -1]
    return weights
