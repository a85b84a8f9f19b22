"""The part of a layer's resistance that its contacts add (physics.md section 5).

``∫ max(1/sigma − 1/sigma_bulk, 0) dx`` from each end to the middle of a layer, which is never
negative, whatever accumulates elsewhere. A half-space has its own (`half_space`), a grid too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from ..bulk import resistivity_ohm_cm
from ..constants import NM_CM
from ..numerics.quadrature import integrate
from ..numerics.roots import bracketed_newton
from .finite_layer import ACROSS, ALONG, FLAT, TURNING, Course, make_course
from .layer_reference import make_frame

if TYPE_CHECKING:
    from ..phase import Array, IntArray
    from .layer import Layer

_SPLIT = 8
_RELATIVE = 1e-8


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
    resistivity = resistivity_ohm_cm(flat.conductivity_S_cm)
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
    resistance = layer.resistance_ohm_cm2.ravel()
    flat_ones = (kinds == FLAT) & np.isfinite(resistance)
    half = 0.5 * np.maximum(resistance / NM_CM - resistivity * thickness, 0.0)
    found = np.where(flat_ones, half, np.where(np.isposinf(resistance), np.inf, found))
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
    return np.asarray(course.lengths(first, last, conduction=False)[0])


def _place_at(whole: Course, all_ends: Array, all_distances_nm: Array) -> Array:
    """Value of t, from the pivot towards the ends, at a distance from the pivot."""
    found = np.zeros_like(all_ends)
    some = np.flatnonzero(all_distances_nm > 0.0)
    if some.size == 0:
        return found
    course, end, distance_nm = whole.take(some), all_ends[some], all_distances_nm[some]
    sign = np.where(end < 0.0, -1.0, 1.0)

    def shortage(size: Array) -> tuple[Array, Array]:
        t = sign * size
        u, jacobian = course.place(t)
        field = course.field(u)[0]
        slope = np.abs(jacobian) / np.where(field > 0.0, field, np.inf)
        return distance_nm - _lengths(course, np.zeros_like(t), t), -slope

    size = np.abs(end)
    place = bracketed_newton(
        shortage, np.zeros_like(size), size, 0.5 * size, absolute=1e-13, newton=1e-6
    )
    found[some] = sign * place
    return found


def _depletion(whole: Course, all_resistivities: Array, from_t: Array, to_t: Array) -> Array:
    found = np.zeros_like(from_t)
    some = np.flatnonzero(from_t != to_t)
    if some.size == 0:
        return found
    course, resistivity = whole.take(some), all_resistivities[some]
    first = np.minimum(from_t, to_t)[some]
    last = np.maximum(from_t, to_t)[some]
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
    found[some] = np.sum(parts, axis=0)
    return found
