"""The part of a layer's resistance that its contacts add, of a layer on the grid.

``∫ max(1/sigma − 1/sigma_bulk, 0) dx`` from each end to the middle (physics.md section 5). In every
element the excess is the polynomial through its values at the nodes of a quadrature, whose roots
split the element.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import ArrayLike

from ..bulk import resistivity_ohm_cm
from ..constants import NM_CM
from .equations import take

if TYPE_CHECKING:
    from ..phase import Array, BoolArray
    from .solution import LayerSolution

_BLOCK = 8_000


def grid_depletion_ohm_cm2(solution: LayerSolution, bulk_conductivity_S_cm: ArrayLike) -> Array:
    """Depletion of a layer solved on the grid.

    Parameters
    ----------
    solution : LayerSolution
        Batch shape (...).
    bulk_conductivity_S_cm : array (...)
        Conductivity of the undisturbed layer.

    Returns
    -------
    array (..., 2)
        From the left and from the right end to the middle; NaN where nothing conducts.

    Notes
    -----
    In every element the excess is the polynomial through its values at the nodes of a quadrature,
    whose roots split the element.
    """
    resistivity = np.broadcast_to(
        resistivity_ohm_cm(bulk_conductivity_S_cm), solution.shape
    ).ravel()
    batch = resistivity.size
    size = max(1, _BLOCK // solution.potential_V[..., 0].size)
    blocks = [slice(start, start + size) for start in range(0, batch, size)]
    found = np.concatenate([_of_block(solution, resistivity, block) for block in blocks], axis=-1)
    return np.moveaxis(found, 0, -1).reshape((*solution.shape, 2))


def _of_block(solution: LayerSolution, resistivity: Array, block: slice) -> Array:
    element, ends = solution.element, solution.ends_nm[:, block]
    potential_V = solution.potential_V[..., block]
    places, weights = np.polynomial.legendre.leggauss(4 * element.degree)
    between = element.to_places(places)
    charge = take(solution.charge, block).between_nodes(between, potential_V.ndim)
    sigma = charge.conductivity_S_cm(np.tensordot(between, potential_V, axes=1))
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        excess = 1.0 / sigma - resistivity[block]
    conducts = np.any(sigma > 0.0, axis=(0, 1))
    middle = 0.5 * (ends[0] + ends[-1])
    width = np.diff(ends, axis=0)
    cut = np.clip(2.0 * (middle - ends[:-1]) / width - 1.0, -1.0, 1.0)
    # whole elements of one sign first
    with np.errstate(invalid="ignore"):
        whole = np.tensordot(weights, np.maximum(excess, 0.0), axes=1)
    sides = np.stack([np.where(cut == 1.0, whole, 0.0), np.where(cut == -1.0, whole, 0.0)])
    mixed = np.any(excess > 0.0, axis=0) & np.any(excess < 0.0, axis=0)
    inside = (cut > -1.0) & (cut < 1.0) & np.any(excess > 0.0, axis=0)
    elements, stacks = np.nonzero(mixed | inside)
    if elements.size:
        values = excess[:, elements, stacks]
        sides[:, elements, stacks] = _positive_parts(values, places, weights, cut[elements, stacks])
    total = np.sum(sides * width, axis=1) * NM_CM / 2.0
    return np.where(conducts, total, np.nan)


def _positive_parts(values: Array, places: Array, weights: Array, cut: Array) -> Array:
    """∫ max(f, 0) left and right of `cut` (M,), of polynomials with `values` (P, M) at places."""
    count = places.size
    scale = np.max(np.abs(values), axis=0)
    bounded = np.isfinite(scale) & (scale < 1e150)
    safe = np.where(bounded, scale, 1.0)
    scaled = np.where(bounded, values / safe, 0.0)
    orders = 2.0 * np.arange(count) + 1.0
    spectrum = 0.5 * orders[:, None] * (legendre.legvander(places, count - 1) * weights[:, None]).T
    coefficients = spectrum @ scaled
    integral = np.asarray(legendre.legint(coefficients, lbnd=-1), dtype=np.float64)

    def at(where: Array, of: Array) -> Array:
        return np.asarray(legendre.legval(where, of, tensor=False))

    # stretches of one sign, between the roots and the ends
    low = -np.ones_like(cut)
    sides = np.zeros((2, cut.size))

    def add(end: Array, sign: Array, some: BoolArray) -> None:
        for side, nearer in enumerate((np.minimum, np.maximum)):
            part = at(nearer(end, cut), integral) - at(nearer(low, cut), integral)
            sides[side] += np.where(some & (sign > 0.0), np.maximum(part, 0.0), 0.0)

    for k in range(count - 1):
        crosses = scaled[k] * scaled[k + 1] < 0.0
        if not np.any(crosses):
            continue
        a, b = np.full(cut.shape, places[k]), np.full(cut.shape, places[k + 1])
        first = np.sign(scaled[k])
        for _ in range(52):
            half = 0.5 * (a + b)
            same = at(half, coefficients) * first > 0.0
            a, b = np.where(same, half, a), np.where(same, b, half)
        root = 0.5 * (a + b)
        add(root, first, crosses)
        low = np.where(crosses, root, low)
    add(np.ones_like(cut), np.sign(scaled[-1]), np.ones(cut.shape, dtype=bool))
    # beyond what a polynomial holds, the quadrature's points each count for the side they are on
    rough = np.where(values > 0.0, values, 0.0) * weights[:, None]
    left = places[:, None] < cut
    rough = np.stack([np.sum(np.where(left, rough, 0.0), 0), np.sum(np.where(left, 0.0, rough), 0)])
    return np.where(bounded, sides * safe, rough)
