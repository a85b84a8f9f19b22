"""One bracketed Newton iteration for many scalar equations at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .phase import Array

_MAX_STEPS = 200


def bracketed_newton(
    function: Callable[[Array], tuple[Array, Array]],
    low: Array,
    high: Array,
    start: Array,
    *,
    absolute: float | Array = 0.0,
    relative: float = 4e-16,
) -> Array:
    """Find the roots of N decreasing functions, each inside its bracket.

    Newton's step is taken where it stays inside the bracket and at least halves the step before
    the last; the bracket is halved otherwise, so that every equation converges.

    Parameters
    ----------
    function : callable
        Maps (N,) places to (N,) values and slopes; values fall from positive to negative.
        A slope of zero, or a value or slope that is not finite, leads to halving.
    low, high, start : array (N,)
        Bracket and first guess.
    absolute, relative : float
        A root is found when the step is below ``absolute + relative·|x|``.

    Returns
    -------
    array (N,)
        The roots.
    """
    low, high = np.array(low, dtype=np.float64), np.array(high, dtype=np.float64)
    x = np.clip(start, low, high)
    last = before_last = high - low
    for _ in range(_MAX_STEPS):
        value, slope = function(x)
        positive = value > 0.0
        low = np.where(positive, x, low)
        high = np.where(positive, high, x)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            newton = x - value / slope
        good = (newton > low) & (newton < high) & (2.0 * np.abs(newton - x) < before_last)
        # a value of zero is a root, wherever the bracket stands
        moved = np.where(value == 0.0, x, np.where(good, newton, 0.5 * (low + high)))
        step = np.abs(moved - x)
        before_last, last = last, step
        x = moved
        if np.all(step <= absolute + relative * np.abs(x)):
            break
    return x


def bracketed_root(
    function: Callable[[Array], Array],
    low: Array,
    high: Array,
    *,
    absolute: float,
) -> Array:
    """Find the roots of N functions without slopes (Chandrupatla, Adv. Eng. Softw. 28, 145 (1997)).

    Parameters
    ----------
    function : callable
        Maps (N,) places to (N,) values, of different signs at the ends of the bracket; where they
        have the same sign, the end with the smaller magnitude is returned.
    low, high : array (N,)
        Bracket.
    absolute : float
        Size of the bracket at which a root is found.

    Returns
    -------
    array (N,)
        The roots.
    """
    a, b = np.array(high, dtype=np.float64), np.array(low, dtype=np.float64)
    f_a, f_b = function(a), function(b)
    no_change = np.sign(f_a) * np.sign(f_b) > 0.0
    c, f_c = a, f_a
    share = np.full_like(a, 0.5)
    best = np.where(np.abs(f_a) < np.abs(f_b), a, b)
    for _ in range(_MAX_STEPS):
        x = a + share * (b - a)
        f_x = function(x)
        same = np.sign(f_x) == np.sign(f_a)
        c, f_c = np.where(same, a, b), np.where(same, f_a, f_b)
        b, f_b = np.where(same, b, a), np.where(same, f_b, f_a)
        a, f_a = x, f_x
        closer = np.abs(f_a) < np.abs(f_b)
        best = np.where(no_change, best, np.where(closer, a, b))
        with np.errstate(divide="ignore", invalid="ignore"):
            tolerance = np.minimum(0.5, 0.5 * absolute / np.abs(b - a))
            done = no_change | (tolerance >= 0.5) | (f_a == 0.0)
            if np.all(done):
                break
            xi, phi = (a - b) / (c - b), (f_a - f_b) / (f_c - f_b)
            inverse = (phi**2 < xi) & ((1.0 - phi) ** 2 < 1.0 - xi)
            quadratic = f_a / (f_b - f_a) * f_c / (f_b - f_c) + (c - a) / (b - a) * f_a / (
                f_c - f_a
            ) * f_b / (f_c - f_b)
        share = np.where(inverse & np.isfinite(quadratic), quadratic, 0.5)
        share = np.clip(share, tolerance, 1.0 - tolerance)
    return best
