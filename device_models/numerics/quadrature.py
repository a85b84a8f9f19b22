"""Adaptive quadrature of many one-dimensional integrals at once.

All panels of all contacts are evaluated together by the 15-point Gauss–Kronrod rule (Piessens et
al., QUADPACK, 1983); those whose estimated error is too large are halved and evaluated together
again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from ..phase import Array, IntArray

Integrand: TypeAlias = Callable[["slice | IntArray"], Callable[[Array], Sequence[Array]]]
"""Gives the integrands of M of the N contacts: maps their places (15, ..., M) to new arrays."""

_HALFNODES = (
    0.991455371120812639206854697526329,
    0.949107912342758524526189684047851,
    0.864864423359769072789712788640926,
    0.741531185599394439863864773280788,
    0.586087235467691130294144838258730,
    0.405845151377397166906606412076961,
    0.207784955007898467600689403773245,
)
_HALF_KRONROD = (
    0.022935322010529224963732008058970,
    0.063092092629978553290700663189204,
    0.104790010322250183839876322541518,
    0.140653259715525918745189590510238,
    0.169004726639267902826583426598550,
    0.190350578064785409913256402421014,
    0.204432940075298892414161999234649,
)
_HALF_GAUSS = (
    0.129484966168869693270611432679082,
    0.279705391489276667901467771423780,
    0.381830050505118944950369775488975,
)
NODES = np.array([*(-n for n in _HALFNODES), 0.0, *reversed(_HALFNODES)])
_KRONROD = np.array([*_HALF_KRONROD, 0.209482141084727828012999174891714, *_HALF_KRONROD[::-1]])
_GAUSS = np.zeros(15)
_GAUSS[1::2] = [*_HALF_GAUSS, 0.417959183673469387755102040816327, *_HALF_GAUSS[::-1]]
_RULES = np.stack([_KRONROD, _KRONROD - _GAUSS])

_HALVINGS = 40
_BLOCK = 4096
"""So many contacts' panels are evaluated one after the other, which bounds the memory."""

_MOST_PANELS = 64
"""Times as many panels as at first: what is left then is rounding error, and taken as it is."""


def integrate(
    integrand: Integrand,
    low: Array,
    high: Array,
    *,
    relative: Sequence[float | Array],
    of_panel: Sequence[bool],
    absolute: Sequence[float | Array] | None = None,
    geometric: bool = False,
) -> list[Array]:
    """Integrate K functions over P panels for each of N contacts.

    Parameters
    ----------
    integrand : callable
        See `Integrand`; returns K arrays.
    low, high : array (P, N)
        Ends of the panels, low ≤ high; a panel may be empty.
    relative : sequence of float or array (P, N)
        For each of the K functions its relative tolerance; infinite where it does not matter.
    of_panel : sequence of bool
        Whether that is relative to each panel's integral, or to the sum over the panels.
    absolute : sequence of float or array (P, N), optional
        Errors below these are no reason to halve a panel: the integrands' rounding errors.
    geometric : bool
        Whether places in panels of positive ends grow by a factor, for integrands like 1/v.

    Returns
    -------
    list of array (P, N)
        The K integrals over each panel.
    """
    values, errors = _first(integrand, low, high, geometric)
    limits = []
    floors = absolute or [0.0] * len(values)
    for value, tolerance, floor, own in zip(values, relative, floors, of_panel, strict=True):
        size = np.abs(value)
        whole = size if own else np.broadcast_to(np.sum(size, axis=0), size.shape)
        asked = np.where(np.isinf(tolerance), 0.0, tolerance)
        limit = np.where(np.isinf(tolerance), np.inf, asked * whole)
        limits.append(np.maximum(limit, floor))
    bad = np.zeros(low.shape, dtype=bool)
    for error, limit in zip(errors, limits, strict=True):
        bad |= error > limit
    parent = np.flatnonzero(bad)
    if parent.size == 0:
        return values
    for value in values:
        value.reshape(-1)[parent] = 0.0
    left, right = low.reshape(-1)[parent], high.reshape(-1)[parent]
    for halving in range(_HALVINGS):
        middle = _spread(left, right, np.zeros(1), geometric)[0][0]
        parent = np.concatenate([parent, parent])
        left, right = np.concatenate([left, middle]), np.concatenate([middle, right])
        some = integrand(parent % low.shape[-1])
        parts, errors = _rules(some, left, right, geometric)
        bad = np.zeros(parent.shape, dtype=bool)
        for error, limit in zip(errors, limits, strict=True):
            bad |= error > limit.reshape(-1)[parent]
        if halving == _HALVINGS - 1 or parent.size > _MOST_PANELS * low.size:
            bad[:] = False
        for value, part in zip(values, parts, strict=True):
            np.add.at(value.reshape(-1), parent[~bad], part[~bad])
        parent, left, right = parent[bad], left[bad], right[bad]
        if parent.size == 0:
            break
    return values


def _first(
    integrand: Integrand, low: Array, high: Array, geometric: bool
) -> tuple[list[Array], list[Array]]:
    """Integrals over all panels; those of many contacts one after the other."""
    panels, count = low.shape
    if panels * count <= _BLOCK:
        return _rules(integrand(slice(None)), low, high, geometric)
    values: list[Array] = []
    errors: list[Array] = []
    for start in range(0, count, _BLOCK):
        block = slice(start, start + _BLOCK)
        whole = integrand(block)
        for row in range(panels):
            a, b = low[row, block], high[row, block]
            some, function = np.flatnonzero(b > a), whole
            if 2 * some.size < a.size:
                # a panel that few contacts have
                function, a, b = integrand(start + some), a[some], b[some]
            else:
                some = np.arange(a.size)
            parts = _rules(function, a, b, geometric)
            if not values:
                values, errors = ([np.zeros(low.shape) for _ in part] for part in parts)
            for one, part in zip((*values, *errors), (*parts[0], *parts[1]), strict=True):
                one[row, start + some] = part
    return values, errors


def _rules(
    function: Callable[[Array], Sequence[Array]], low: Array, high: Array, geometric: bool
) -> tuple[list[Array], list[Array]]:
    """Integrals over the panels and estimates of their errors."""
    places, weights, rate = _spread(low, high, NODES, geometric)
    values, errors = [], []
    for sample in function(places):
        if weights is not None:
            sample *= weights
        value, error = kronrod_and_error(sample)
        values.append(rate * value)
        errors.append(rate * error)
    return values, errors


def kronrod(sample: Array) -> Array:
    """Integral over [−1, 1] of what takes the values `sample` (15, ...) at `NODES`."""
    return np.asarray(np.tensordot(_KRONROD, sample, axes=1))


def kronrod_and_error(sample: Array) -> tuple[Array, Array]:
    """Do the same, and estimate the error.

    The difference d of the two rules is the Gauss rule's error; (40 d)^1.5 stays well above the
    Kronrod rule's, as QUADPACK's more cautious (200 d)^1.5 does.
    """
    value, difference = np.tensordot(_RULES, sample, axes=1)
    size = np.maximum(np.abs(value), np.finfo(float).tiny)
    with np.errstate(over="ignore", invalid="ignore"):
        np.abs(difference, out=difference)
        difference /= size
        difference *= 40.0
        error = difference * np.sqrt(difference)
        np.minimum(error, 1.0, out=error)
        # rounding errors are no reason to halve, nor is a value that overflows
        error[~((error > 1e-13) & np.isfinite(value))] = 0.0
        error *= size
    return value, error


def _spread(
    low: Array, high: Array, nodes: Array, geometric: bool
) -> tuple[Array, Array | None, Array]:
    """Places between `low` and `high` for `nodes` in [−1, 1], and their derivatives' two factors.

    The first factor, None where it is 1, differs from node to node and the second does not.
    """
    t = 1.0 + nodes.reshape((-1,) + (1,) * np.ndim(low))
    half = 0.5 * (high - low)
    if not geometric or not np.any(low > 0.0):
        places = half * t
        places += low
        return places, None, half
    graded = low > 0.0
    if np.all(graded):
        rate = 0.5 * np.log(high / low)
        places = rate * t
        np.exp(places, out=places)
        places *= low
        return places, places.copy(), rate
    rate = 0.5 * np.log(np.where(graded, high, 1.0) / np.where(graded, low, 1.0))
    grown = low * np.exp(rate * t)
    places = np.where(graded, grown, low + half * t)
    return places, np.where(graded, grown, 1.0), np.where(graded, rate, half)
