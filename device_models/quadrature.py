"""Adaptive quadrature of many one-dimensional integrals at once.

All panels of all contacts are evaluated together by the 15-point Gauss–Kronrod rule (Piessens et
al., QUADPACK, 1983); those whose estimated error is too large are halved and evaluated together
again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from .phase import Array, IntArray

Integrand: TypeAlias = Callable[[Array, IntArray | None], Sequence[Array]]
"""Maps places (15, ..., N) of all N contacts, or (15, M) of the contacts index (M,), to values."""

_HALF_NODES = (
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
_NODES = np.array([*(-n for n in _HALF_NODES), 0.0, *reversed(_HALF_NODES)])
_KRONROD = np.array([*_HALF_KRONROD, 0.209482141084727828012999174891714, *_HALF_KRONROD[::-1]])
_GAUSS = np.zeros(15)
_GAUSS[1::2] = [*_HALF_GAUSS, 0.417959183673469387755102040816327, *_HALF_GAUSS[::-1]]
_RULES = np.stack([_KRONROD, _KRONROD - _GAUSS])

_MAX_HALVINGS = 40
_ROW = 256
"""From so many contacts on, panels are evaluated one after the other."""

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
    halvings: int = _MAX_HALVINGS,
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
    halvings : int
        How often a panel may be halved; 0 for the plain rule.

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
    if parent.size == 0 or halvings == 0:
        return values
    for value in values:
        value.reshape(-1)[parent] = 0.0
    left, right = low.reshape(-1)[parent], high.reshape(-1)[parent]
    for halving in range(halvings):
        middle = _spread(left, right, np.zeros(1), geometric)[0][0]
        parent = np.concatenate([parent, parent])
        left, right = np.concatenate([left, middle]), np.concatenate([middle, right])
        parts, errors = _rules(integrand, left, right, parent % low.shape[-1], geometric)
        bad = np.zeros(parent.shape, dtype=bool)
        for error, limit in zip(errors, limits, strict=True):
            bad |= error > limit.reshape(-1)[parent]
        if halving == halvings - 1 or parent.size > _MOST_PANELS * low.size:
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
    """Integrals over all panels; those of many contacts one after the other, to stay in cache."""
    if low.shape[-1] < _ROW:
        return _rules(integrand, low, high, None, geometric)
    rows = [_rules(integrand, a, b, None, geometric) for a, b in zip(low, high, strict=True)]
    functions = range(len(rows[0][0]))
    values = [np.stack([row[0][k] for row in rows]) for k in functions]
    return values, [np.stack([row[1][k] for row in rows]) for k in functions]


def _rules(
    integrand: Integrand, low: Array, high: Array, index: IntArray | None, geometric: bool
) -> tuple[list[Array], list[Array]]:
    """Integrals over the panels and estimates of their errors.

    The difference d of the two rules is the Gauss rule's error; (40 d)^1.5 stays well above the
    Kronrod rule's, as QUADPACK's more cautious (200 d)^1.5 does.
    """
    places, weights = _spread(low, high, _NODES, geometric)
    values, errors = [], []
    for sample in integrand(places, index):
        value, difference = np.tensordot(_RULES, sample * weights, axes=1)
        size = np.maximum(np.abs(value), np.finfo(float).tiny)
        with np.errstate(over="ignore", invalid="ignore"):
            error = size * np.minimum(1.0, (40.0 * np.abs(difference) / size) ** 1.5)
        values.append(value)
        # rounding errors are no reason to halve, nor is a value that overflows
        errors.append(np.where((error > 1e-13 * size) & np.isfinite(value), error, 0.0))
    return values, errors


def _spread(low: Array, high: Array, nodes: Array, geometric: bool) -> tuple[Array, Array]:
    """Places between `low` and `high` for `nodes` in [−1, 1], and their derivatives."""
    t = nodes.reshape((-1,) + (1,) * np.ndim(low))
    if not geometric or not np.any(low > 0.0):
        half = 0.5 * (high - low)
        places = low + half * (1.0 + t)
        return places, np.broadcast_to(half, places.shape)
    graded = low > 0.0
    if np.all(graded):
        rate = 0.5 * np.log(high / low)
        places = low * np.exp(rate * (1.0 + t))
        return places, rate * places
    rate = 0.5 * np.log(np.where(graded, high, 1.0) / np.where(graded, low, 1.0))
    half = 0.5 * (high - low)
    places = low + half * (1.0 + t)
    grown = low * np.exp(rate * (1.0 + t))
    return np.where(graded, grown, places), np.where(graded, rate * grown, half)
