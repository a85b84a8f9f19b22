"""The part of a layer's resistance that its contacts add (physics.md section 5).

``∫ max(1/sigma − 1/sigma_bulk, 0) dx`` from each end to the middle of a layer, which is never
negative, whatever accumulates elsewhere. A half space has its own (`half_space`), a grid too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from ..bulk import resistivity_ohm_cm
from ..constants import NM_CM
from ..numerics.quadrature import integrate
from ..numerics.roots import bracketed_newton
from .branches import ACROSS, ALONG, FLAT, TURNING, Branch, make_branch
from .layer_reference import make_reference

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
    thickness, kinds = layer.thickness_nm.ravel(), layer.branch.ravel()
    resistivity = resistivity_ohm_cm(flat.conductivity_S_cm)
    found = np.full((2, thickness.size), np.nan)
    for kind in (ACROSS, ALONG, TURNING):
        some = np.flatnonzero((kinds == kind) & np.isfinite(layer.resistance_ohm_cm2.ravel()))
        if some.size == 0:
            continue
        reference = make_reference(flat[some], left_V[some], right_V[some])
        branch = make_branch(kind, reference, layer.unknown.ravel()[some])
        near, far = _halves(branch, thickness[some], resistivity[some])
        found[0, some] = np.where(reference.reversed, far, near)
        found[1, some] = np.where(reference.reversed, near, far)
    resistance = layer.resistance_ohm_cm2.ravel()
    flat_ones = (kinds == FLAT) & np.isfinite(resistance)
    half = 0.5 * np.maximum(resistance / NM_CM - resistivity * thickness, 0.0)
    found = np.where(flat_ones, half, np.where(np.isposinf(resistance), np.inf, found))
    return np.moveaxis(found * NM_CM, 0, -1).reshape((*shape, 2))


def _halves(branch: Branch, thickness_nm: Array, resistivity: Array) -> tuple[Array, Array]:
    """Depletion of the near and of the far half (nm·cm/S); a neutral plateau has none."""
    # both sides lead outwards from the pivot; `ALONG` has but the far one
    near_t, far_t = branch.ends
    ends = (near_t if branch.kind != ALONG else np.zeros_like(far_t), far_t)
    lengths = [_lengths(branch, np.zeros_like(end), end) for end in ends]
    half = 0.5 * thickness_nm
    middle = []
    for end, length in zip(ends, lengths, strict=True):
        # where this side reaches beyond the middle of the layer, the place of the middle
        wanted = np.maximum(length - half, 0.0)
        middle.append(_distance_at(branch, end, wanted))
    total = []
    for own, other in ((0, 1), (1, 0)):
        beyond = _depletion(branch, resistivity, middle[own], ends[own])
        spill = _depletion(branch, resistivity, np.zeros_like(ends[other]), middle[other])
        total.append(beyond + spill)
    return total[0], total[1]


def _lengths(branch: Branch, low: Array, high: Array) -> Array:
    first, last = np.minimum(low, high), np.maximum(low, high)
    return np.asarray(branch.lengths(first, last, conduction=False)[0])


def _distance_at(whole: Branch, all_ends: Array, all_distances_nm: Array) -> Array:
    """Value of t, from the pivot towards the ends, at a distance from the pivot."""
    found = np.zeros_like(all_ends)
    some = np.flatnonzero(all_distances_nm > 0.0)
    if some.size == 0:
        return found
    branch, end, distance_nm = whole.take(some), all_ends[some], all_distances_nm[some]
    sign = np.where(end < 0.0, -1.0, 1.0)

    def shortage(size: Array) -> tuple[Array, Array]:
        t = sign * size
        u, jacobian = branch.from_pivot(t)
        field = branch.field(u)[0]
        slope = np.abs(jacobian) / np.where(field > 0.0, field, np.inf)
        return distance_nm - _lengths(branch, np.zeros_like(t), t), -slope

    size = np.abs(end)
    distance = bracketed_newton(
        shortage, np.zeros_like(size), size, 0.5 * size, absolute=1e-13, newton=1e-6
    )
    found[some] = sign * distance
    return found


def _depletion(whole: Branch, all_resistivities: Array, from_t: Array, to_t: Array) -> Array:
    found = np.zeros_like(from_t)
    some = np.flatnonzero(from_t != to_t)
    if some.size == 0:
        return found
    branch, resistivity = whole.take(some), all_resistivities[some]
    first = np.minimum(from_t, to_t)[some]
    last = np.maximum(from_t, to_t)[some]
    edges = first + (last - first) * np.linspace(0.0, 1.0, _SPLIT + 1)[:, None]

    def integrand(index: slice | IntArray) -> Callable[[Array], tuple[Array]]:
        part, rho = branch.take(index), resistivity[index]

        def values(t: Array) -> tuple[Array]:
            u, jacobian = part.from_pivot(t)
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
