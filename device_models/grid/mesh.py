"""Meshes of a stack: where the elements of each layer end, and how they follow the solution.

Shapes: n layers, E elements in each, B stacks; ends of elements (n, E + 1, B) in nm from the
layer's left end, nodes (p + 1, n, E, B).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..numerics.spectral import Element
from ..phase import Array, IntArray

_FLOOR = 1e-13
"""Share of the charge below which an element counts as resolved."""

_SPREAD_SHARE = 0.2
"""Share of the elements that keeps to the former mesh, so that no region is left without."""

_PULL = 1e-9
"""Where profiles are evaluated, nodes at an element's ends move inside by this share of it."""


def first_mesh(thickness_nm: Array, scale_nm: Array, elements: int) -> Array:
    """Ends of elements that grow exponentially from both ends of each layer.

    Parameters
    ----------
    thickness_nm, scale_nm : array (n, B)
        Thickness of the layers, and the shortest length on which the potential may bend.
    elements : int
        An even number.
    """
    half = elements // 2
    share = np.arange(half + 1) / half
    growth = np.log1p(thickness_nm / (2.0 * scale_nm))
    left = np.expm1(share[None, :, None] * growth[:, None, :]) / np.expm1(growth)[:, None, :]
    left *= thickness_nm[:, None, :] / 2.0
    right = thickness_nm[:, None, :] - left[:, -2::-1]
    return np.concatenate([left, right], axis=1)


def node_places(ends_nm: Array, element: Element, *, inside: bool = False) -> Array:
    """Nodes (p + 1, n, E, B) in nm from the layer's left end.

    With `inside` the end nodes move into the element by a hair, so that a profile with a jump
    between two elements has one value on either side.
    """
    share = (1.0 + element.nodes) / 2.0
    if inside:
        share = np.clip(share, _PULL, 1.0 - _PULL)
    width = np.diff(ends_nm, axis=1)
    return np.asarray(ends_nm[None, :, :-1] + share[:, None, None, None] * width)


def roughness(element: Element, density_nm3: Array, width_nm: Array, scale_e_nm2: Array) -> Array:
    """Density of elements (n, E, B), in 1/nm, that the charge density asks for.

    The last two Legendre coefficients of the charge density show what an element of degree p
    does not resolve; it falls as h^(p+1).
    """
    tail = np.abs(np.tensordot(element.spectrum[-2:], density_nm3, axes=1))
    unresolved = (tail[0] + tail[1]) * width_nm / scale_e_nm2 + _FLOOR
    wanted = unresolved ** (1.0 / (element.degree + 1))
    # neighbours of a fine element are fine as well
    calm = wanted.copy()
    for _ in range(2):
        grown = calm.copy()
        grown[:, 1:] = np.maximum(grown[:, 1:], 0.5 * calm[:, :-1])
        grown[:, :-1] = np.maximum(grown[:, :-1], 0.5 * calm[:, 1:])
        calm = grown
    return np.asarray(calm / width_nm)


def equidistribute(ends_nm: Array, density: Array, elements: int) -> Array:
    """Move the ends of elements so that each holds the same integral of `density` (n, E, B)."""
    layers, count, batch = density.shape
    integral = density * np.diff(ends_nm, axis=1)
    integral /= np.sum(integral, axis=1, keepdims=True)
    integral = (1.0 - _SPREAD_SHARE) * integral + _SPREAD_SHARE / count
    total = np.concatenate([np.zeros((layers, 1, batch)), np.cumsum(integral, axis=1)], axis=1)
    total[:, -1] = 1.0
    places = np.broadcast_to(
        np.linspace(0.0, 1.0, elements + 1)[None, :, None], (layers, elements + 1, batch)
    )
    cell = _locate(total, places)
    low = np.take_along_axis(total, cell, axis=1)
    high = np.take_along_axis(total, cell + 1, axis=1)
    start = np.take_along_axis(ends_nm, cell, axis=1)
    end = np.take_along_axis(ends_nm, cell + 1, axis=1)
    moved = start + (end - start) * (places - low) / (high - low)
    moved[:, 0], moved[:, -1] = ends_nm[:, 0], ends_nm[:, -1]
    return np.asarray(moved)


def snap(ends_nm: Array, breaks_nm: Sequence[Array]) -> Array:
    """Move for each break of a layer the nearest inner end onto it (if there are ends enough)."""
    snapped = ends_nm.copy()
    count = ends_nm.shape[1]
    for layer, places in enumerate(breaks_nm):
        if not 0 < len(places) <= count // 2:
            continue
        ends = snapped[layer]
        for position in places:
            gap = np.abs(ends - position)
            gap[[0, -1]] = np.inf
            nearest = np.argmin(gap, axis=0)[None]
            inside = (position > ends[0]) & (position < ends[-1])
            old = np.take_along_axis(ends, nearest, axis=0)
            np.put_along_axis(ends, nearest, np.where(inside, position, old), axis=0)
        ends.sort(axis=0)
    return snapped


def interpolate(
    ends_nm: Array, element: Element, values: Array, new_ends_nm: Array, new_element: Element
) -> Array:
    """Carry nodal values (p + 1, n, E, B) over to the nodes of another mesh."""
    places = node_places(new_ends_nm, new_element)
    shape = places.shape
    layers, batch = shape[1], shape[3]
    flat = np.moveaxis(places, 0, 2).reshape(layers, -1, batch)
    length = ends_nm[:, -1:]
    cell = _locate(ends_nm / length, flat / length)
    start = np.take_along_axis(ends_nm, cell, axis=1)
    end = np.take_along_axis(ends_nm, cell + 1, axis=1)
    local = np.clip(2.0 * (flat - start) / (end - start) - 1.0, -1.0, 1.0)
    coefficients = np.tensordot(element.spectrum, values, axes=1)
    # Clenshaw-free: the recurrence of Legendre polynomials, one coefficient at a time
    before, current = np.ones_like(local), local
    result = np.take_along_axis(coefficients[0], cell, axis=1)
    for degree in range(1, element.degree + 1):
        result = result + np.take_along_axis(coefficients[degree], cell, axis=1) * current
        after = ((2 * degree + 1) * local * current - degree * before) / (degree + 1)
        before, current = current, after
    result = result.reshape(layers, shape[2], shape[0], batch)
    return np.ascontiguousarray(np.moveaxis(result, 2, 0))


def halve(ends_nm: Array) -> Array:
    """Cut every element in two."""
    layers, count, batch = ends_nm.shape
    finer = np.empty((layers, 2 * count - 1, batch))
    finer[:, ::2] = ends_nm
    finer[:, 1::2] = (ends_nm[:, 1:] + ends_nm[:, :-1]) / 2.0
    return finer


def _locate(ends: Array, places: Array) -> IntArray:
    """Index of the element that holds each place; both (n, ·, B), ends ascending from 0 to 1."""
    layers, count, batch = ends.shape
    if layers == batch == 1:
        found = np.searchsorted(ends[0, :, 0], places[0, :, 0], side="right")[None, :, None]
    else:
        # one search for all rows: each is shifted to an interval of its own
        row = 2.0 * np.arange(layers * batch).reshape(layers, 1, batch)
        table = np.moveaxis(ends + row, 1, 2).reshape(-1)
        start = (count * np.arange(layers * batch)).reshape(layers, 1, batch)
        found = np.searchsorted(table, places + row, side="right") - start
    return np.clip(found - 1, 0, count - 2)
