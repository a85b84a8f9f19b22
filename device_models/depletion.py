"""The part of a layer's resistance that a contact adds (physics.md section 5).

``∫ max(1/sigma − 1/sigma_bulk, 0) dx`` from each end to the middle of the layer, which is never
negative, whatever accumulates elsewhere. The half-space has its own (`half_space`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import ArrayLike

from .constants import NM_CM
from .finite_layer import ACROSS, ALONG, TURNING, Course, make_course
from .layer_frame import make_frame
from .quadrature import integrate
from .roots import bracketed_newton

if TYPE_CHECKING:
    from .layer import Layer
    from .phase import Array, BoolArray, IntArray
    from .stack_solution import LayerSolution

_BLOCK = 8_000
_SPLIT = 8
_RELATIVE = 1e-8


def bulk_resistivity_ohm_cm(conductivity_S_cm: ArrayLike) -> Array:
    """1/sigma_bulk; 0 where there is no bulk that conducts, so that all resistance is excess."""
    sigma = np.asarray(conductivity_S_cm, dtype=np.float64)
    conducts = np.isfinite(sigma) & (sigma > 0.0)
    return np.where(conducts, 1.0 / np.where(conducts, sigma, 1.0), 0.0)


def layer_depletion_ohm_cm2(layer: Layer) -> Array:
    """Depletion of layers solved by their first integral.

    Parameters
    ----------
    layer : Layer
        Batch shape (...).

    Returns
    -------
    array (..., 2)
        From the left and from the right end to the middle; NaN where nothing conducts.
    """
    shape = layer.thickness_nm.shape
    flat = layer.bulk.ravel(shape)
    left_V, right_V = layer.left_potential_V.ravel(), layer.right_potential_V.ravel()
    thickness, kinds = layer.thickness_nm.ravel(), layer.course.ravel()
    resistivity = bulk_resistivity_ohm_cm(flat.conductivity_S_cm)
    found = np.full((2, thickness.size), np.nan)
    for kind in (ACROSS, ALONG, TURNING):
        some = np.flatnonzero((kinds == kind) & np.isfinite(layer.resistance_ohm_cm2.ravel()))
        if some.size == 0:
            continue
        frame = make_frame(flat[some], left_V[some], right_V[some])
        course = make_course(kind, frame, layer.unknown.ravel()[some])
        near, far = _halves(course, thickness[some], resistivity[some])
        found[0, some] = np.where(frame.reversed, far, near)
        found[1, some] = np.where(frame.reversed, near, far)
    return np.moveaxis(found * NM_CM, 0, -1).reshape((*shape, 2))


def _halves(course: Course, thickness_nm: Array, resistivity: Array) -> tuple[Array, Array]:
    """Depletion of the near and of the far half (nm·cm/S); a neutral plateau has none."""
    # both branches lead from the pivot outwards; `ALONG` has but the far one
    near_t, far_t = course.ends
    ends = (near_t if course.kind != ALONG else np.zeros_like(far_t), far_t)
    lengths = [_lengths(course, np.zeros_like(end), end) for end in ends]
    half = 0.5 * thickness_nm
    middle = []
    for end, length in zip(ends, lengths, strict=True):
        # where this branch reaches beyond the middle of the layer, the place of the middle
        wanted = np.maximum(length - half, 0.0)
        middle.append(_place_at(course, end, wanted))
    total = []
    for own, other in ((0, 1), (1, 0)):
        beyond = _depletion(course, resistivity, middle[own], ends[own])
        spill = _depletion(course, resistivity, np.zeros_like(ends[other]), middle[other])
        total.append(beyond + spill)
    return total[0], total[1]


def _lengths(course: Course, low: Array, high: Array) -> Array:
    first, last = np.minimum(low, high), np.maximum(low, high)
    return np.asarray(course.lengths(first, last)[0])


def _place_at(course: Course, end: Array, distance_nm: Array) -> Array:
    """Value of t, from the pivot towards `end`, at a distance from the pivot."""
    sign = np.where(end < 0.0, -1.0, 1.0)

    def shortage(size: Array) -> tuple[Array, Array]:
        t = sign * size
        u, jacobian = course.place(t)
        field = course.field(u)[0]
        slope = np.abs(jacobian) / np.where(field > 0.0, field, np.inf)
        return distance_nm - _lengths(course, np.zeros_like(t), t), -slope

    size = np.abs(end)
    found = bracketed_newton(shortage, np.zeros_like(size), size, 0.5 * size, absolute=1e-13)
    return sign * np.where(distance_nm > 0.0, found, 0.0)


def _depletion(course: Course, resistivity: Array, low: Array, high: Array) -> Array:
    first, last = np.minimum(low, high), np.maximum(low, high)
    edges = first + (last - first) * np.linspace(0.0, 1.0, _SPLIT + 1)[:, None]

    def integrand(index: slice | IntArray) -> Callable[[Array], tuple[Array]]:
        part, rho = course.take(index), resistivity[index]

        def values(t: Array) -> tuple[Array]:
            u, jacobian = part.place(t)
            pressure, sigma = part.state.evaluate_conduction(u)
            field = np.sqrt(part._unit * pressure + part.constant)
            dx = np.abs(jacobian) / np.where(field > 0.0, field, np.inf)
            with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
                return (np.maximum(1.0 / sigma - rho, 0.0) * dx,)

        return values

    (parts,) = integrate(
        integrand,
        edges[:-1],
        edges[1:],
        relative=(_RELATIVE,),
        of_panel=(False,),
        absolute=(1e-13 * resistivity * np.ones_like(edges[1:]),),
    )
    return np.asarray(np.sum(parts, axis=0))


def grid_depletion_ohm_cm2(solution: LayerSolution, bulk_conductivity_S_cm: ArrayLike) -> Array:
    """Depletion of a layer solved on the grid.

    Parameters
    ----------
    solution : LayerSolution
        Batch shape (...).
    bulk_conductivity_S_cm : array (...)
        Of the undisturbed layer.

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
        bulk_resistivity_ohm_cm(bulk_conductivity_S_cm), solution.shape
    ).ravel()
    batch = resistivity.size
    size = max(1, _BLOCK // solution.potential_V[..., 0].size)
    blocks = [slice(start, start + size) for start in range(0, batch, size)]
    found = np.concatenate([_of_block(solution, resistivity, block) for block in blocks], axis=-1)
    return np.moveaxis(found, 0, -1).reshape((*solution.shape, 2))


def _of_block(solution: LayerSolution, resistivity: Array, block: slice) -> Array:
    from .stack_equations import take

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
