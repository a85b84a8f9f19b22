"""One bracketed Newton iteration for many scalar equations at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..phase import Array, IntArray

_MAX_STEPS = 200


def bracketed_newton(
    function: Callable[[Array], tuple[Array, Array]],
    low: Array,
    high: Array,
    start: Array,
    *,
    absolute: float | Array = 0.0,
    relative: float = 4e-16,
    newton: float = 0.0,
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
    newton : float
        Or when a step of Newton's method is below this: its error is of the order of the square.

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
            proposal = x - value / slope
        good = (proposal > low) & (proposal < high) & (2.0 * np.abs(proposal - x) < before_last)
        # a step below the tolerance ends the search, wherever the bracket stands
        tolerance = absolute + relative * np.abs(x)
        at_root = np.abs(proposal - x) <= tolerance
        at_root |= value == 0.0
        moved = np.where(at_root, x, np.where(good, proposal, 0.5 * (low + high)))
        step = np.abs(moved - x)
        before_last, last = last, step
        x = moved
        found = (step <= tolerance) | (good & (step <= newton))
        if np.all(found):
            break
    return x


def bracketed_newton_by_index(
    function: Callable[[Array, IntArray], tuple[Array, Array]],
    low: Array,
    high: Array,
    start: Array,
    *,
    absolute: float,
    newton: float,
) -> Array:
    """Do the same for functions so expensive that only what is not found yet is evaluated.

    `function` maps the places (M,) of the equations `index` (M,) to values and slopes (M,); the
    other parameters are those of `bracketed_newton`.
    """
    low, high = np.array(low, dtype=np.float64), np.array(high, dtype=np.float64)
    x = np.clip(start, low, high)
    last, before_last = high - low, high - low
    active = np.arange(x.size)
    for _ in range(_MAX_STEPS):
        here = x[active]
        value, slope = function(here, active)
        positive = value > 0.0
        low[active] = np.where(positive, here, low[active])
        high[active] = np.where(positive, high[active], here)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            proposal = here - value / slope
        good = (proposal > low[active]) & (proposal < high[active])
        good &= 2.0 * np.abs(proposal - here) < before_last[active]
        middle = 0.5 * (low[active] + high[active])
        at_root = (value == 0.0) | (np.abs(proposal - here) <= absolute)
        moved = np.where(at_root, here, np.where(good, proposal, middle))
        step = np.abs(moved - here)
        before_last[active], last[active], x[active] = last[active], step, moved
        active = active[(step > absolute) & ~(good & (step <= newton))]
        if active.size == 0:
            break
    return x
