r"""Derivatives of a stack's resistance with its layers: the adjoint of the grid's equations.

The nodal potentials solve ``g(phi, p) = 0``, whose derivative H is that of Newton's method,
symmetric and positive definite. A sum F(phi, p) of resistances then has the total derivative

``dF/dp = ∂F/∂p − λᵀ ∂g/∂p``,  ``H λ = ∂F/∂phi``:

one more solution with the matrix of the last step, for all p together. The mesh moves with the
thickness: every node keeps its share of its layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from ..bulk import Bulk, resistivity_ohm_cm
from ..constants import CM3_PER_NM3, NM_CM, VACUUM_PERMITTIVITY_E_V_NM
from ..phase import Array
from .equations import GridProblem, residual, take
from .mesh import node_places
from .newton import newton_step
from .solution import Stack

_BLOCK = 8_000
"""Nodes treated together, so that memory does not grow with the batch."""


@dataclass(frozen=True)
class StackGradient:
    """Derivatives of ``F = Σ a_k R_layer,k + f(phi of the contacts)``; arrays (..., n).

    Attributes
    ----------
    thickness : array
        With respect to ln L of each layer; what varies along it is stretched with it.
    fixed_charge_cm3 : array
        With respect to donors minus acceptors everywhere in the layer (1/cm⁻³).
    charge_gradient_cm3 : array
        With respect to the difference of donors minus acceptors between the right and the left end,
        linear between them, at a given mean.
    susceptibility : array
        With respect to chi, or the dielectric constant.
    """

    thickness: Array
    fixed_charge_cm3: Array
    charge_gradient_cm3: Array
    susceptibility: Array


@dataclass(frozen=True)
class EndDepletion:
    """Depletion of the layers next to their ends, as a part of F (`grid_depletion_ohm_cm2`).

    Parameters
    ----------
    weight : array (..., n, 2)
        Weights of the left and of the right end of each layer.
    bulks : sequence of n Bulk
        The undisturbed layers.
    """

    weight: ArrayLike
    bulks: Sequence[Bulk]


def stack_gradient(
    stack: Stack,
    layer_weight: ArrayLike,
    contact_slope_per_V: ArrayLike,
    depletion: EndDepletion | None = None,
) -> StackGradient:
    """Differentiate a weighted sum of resistances of a solved stack.

    Parameters
    ----------
    stack : Stack
        Stack of n layers with batch shape (...).
    layer_weight : array (..., n)
        The a_k of R_layer in F.
    contact_slope_per_V : array (..., n + 1)
        ∂F/∂phi of each contact, on both its sides together: a step of phi there is given.
    depletion : EndDepletion, optional
        For F that has more or less of it than of the rest of the layers.

    Returns
    -------
    StackGradient
        NaN where the stack has no solution.
    """
    problem = stack.problem
    assert problem is not None
    count, shape = len(stack.layers), stack.relative_error.shape
    weight, slope = (
        np.moveaxis(np.broadcast_to(given, (*shape, size)).reshape(-1, size), 0, -1)
        for given, size in ((layer_weight, count), (contact_slope_per_V, count + 1))
    )
    potential = np.stack([layer.potential_V for layer in stack.layers], axis=1)
    ends = np.stack([layer.ends_nm for layer in stack.layers])
    batch = potential.shape[-1]
    size = max(1, _BLOCK // potential[..., 0].size)
    beside = None if depletion is None else _Excess.of(depletion, problem, shape)
    parts = [
        _of_block(
            problem.take(block),
            ends[..., block],
            potential[..., block],
            weight[:, block],
            slope[:, block],
            None if beside is None else take(beside, block),
        )
        for block in (slice(first, first + size) for first in range(0, batch, size))
    ]
    rows = np.concatenate(parts, axis=-1)
    return StackGradient(*(np.moveaxis(row, 0, -1).reshape(*shape, count) for row in rows))


@dataclass(frozen=True)
class _Excess:
    """The bulk's resistivity (n, B), its slope with the fixed charge, and weights (2, n, B)."""

    resistivity_ohm_cm: Array
    per_cm3: Array
    weight: Array

    @classmethod
    def of(cls, given: EndDepletion, problem: GridProblem, shape: tuple[int, ...]) -> _Excess:
        flat = [bulk.ravel(shape) for bulk in given.bulks]
        resistivity = np.stack([resistivity_ohm_cm(bulk.conductivity_S_cm) for bulk in flat])
        neutral = np.stack([bulk.neutral_potential_V for bulk in flat])[None, :, None]
        slope = problem.charge.conductivity_slope(neutral)[0, :, 0]
        # a fixed charge moves the neutral potential by what it takes to screen it
        screening = np.stack(
            [
                bulk.debye_length_nm**2
                / (VACUUM_PERMITTIVITY_E_V_NM * bulk.phase.dielectric_constant)
                for bulk in flat
            ]
        )
        per_cm3 = -(resistivity**2) * slope * screening * CM3_PER_NM3
        weight = np.broadcast_to(given.weight, (*shape, len(flat), 2)).reshape(-1, len(flat), 2)
        return cls(
            resistivity, per_cm3, np.ascontiguousarray(np.moveaxis(weight, 0, -1).swapaxes(0, 1))
        )


def _of_block(
    problem: GridProblem,
    ends_nm: Array,
    potential_V: Array,
    weight: Array,
    contact_slope: Array,
    beside: _Excess | None,
) -> Array:
    """Derivatives (4, n, B)."""
    one, width = problem.element, problem.width_nm
    force, own, by_charge = _resistance_slopes(problem, ends_nm, potential_V, weight, beside)
    force[0, :, 0] += contact_slope[:-1]
    force[-1, -1, -1] += contact_slope[-1]
    found = residual(problem, potential_V)
    none = np.zeros_like(found.left)
    # a step that brings −∂F/∂phi to zero is −λ
    adjoint = -newton_step(
        replace(problem, sheet_charge_e_nm2=None),
        replace(found, local=force, left=none, right=none),
    )
    inside = (potential_V - potential_V[0]).reshape(potential_V.shape[0], -1)
    per_permittivity = (one.stiffness @ inside).reshape(potential_V.shape) * (2.0 / width)
    weights = (0.5 * one.weights)[:, None, None, None] * width
    share = node_places(ends_nm, one) / ends_nm[:, -1:]
    density, _ = problem.charge.charge(potential_V)
    factor, matrices = problem.stiffness
    if matrices.ndim == 2:
        bent = (matrices @ inside).reshape(potential_V.shape) * factor
    else:
        bent = np.einsum("ijneb,jneb->ineb", matrices, inside.reshape(potential_V.shape)) * factor

    def of(change: Array) -> Array:
        return np.asarray(-np.sum(adjoint * change, axis=(0, 2)))

    return np.stack(
        [
            own + of(-bent - weights * density),
            by_charge + of(-weights) * CM3_PER_NM3,
            of(-weights * (share - 0.5)) * CM3_PER_NM3,
            of(VACUUM_PERMITTIVITY_E_V_NM * per_permittivity),
        ]
    )


def _resistance_slopes(
    problem: GridProblem,
    ends_nm: Array,
    potential_V: Array,
    weight: Array,
    beside: _Excess | None,
) -> tuple[Array, Array, Array]:
    """∂F/∂phi of what the layers have in F at the nodes, and ∂F/∂ln L and ∂F/∂c (n, B)."""
    one = problem.element
    # the quadrature of `resistance_ohm_cm2`
    places, weights = np.polynomial.legendre.leggauss(4 * one.degree)
    between = one.to_places(places)
    potential = np.tensordot(between, potential_V, axes=1)
    charge = problem.charge.between_nodes(between, potential.ndim)
    sigma = charge.conductivity_S_cm(potential)
    slope = charge.conductivity_slope(potential)
    length = weights[:, None, None, None] * problem.width_nm * (0.5 * NM_CM)
    shares, by_charge = weight[:, None] + np.zeros((places.size, 1, 1, 1)), np.zeros_like(weight)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        if beside is not None:
            excess = 1.0 / sigma - beside.resistivity_ohm_cm[:, None]
            cut = ends_nm[:, -1:] / problem.width_nm
            cut = cut - 2.0 * ends_nm[:, :-1] / problem.width_nm - 1.0
            left = _share_below(cut, weights)
            own_side = beside.weight[1][:, None] * (1.0 - left) + beside.weight[0][:, None] * left
            counted = own_side * _positive_share(excess, places, weights)
            shares = shares + counted
            bulk = np.sum(length * counted, axis=(0, 2))
            by_charge = -bulk * beside.per_cm3
        part = length * shares / sigma
        change = np.where(sigma > 0.0, -part * slope / sigma, 0.0)
        own = np.sum(np.where(sigma > 0.0, part, np.inf), axis=(0, 2))
        if beside is not None:
            own = own - bulk * beside.resistivity_ohm_cm
    force = np.tensordot(between.T, np.where(np.isfinite(change), change, 0.0), axes=1)
    return np.ascontiguousarray(force), own, by_charge


def _cells(weights: Array) -> Array:
    """Ends (P + 1,) of the stretches of [−1, 1] that the points of a quadrature stand for."""
    return np.concatenate([[-1.0], -1.0 + np.cumsum(weights)])


def _share_below(cut: Array, weights: Array) -> Array:
    """Return the fraction of each point's stretch that lies below `cut`; (P, ...)."""
    start = _cells(weights)[:-1].reshape(-1, *([1] * cut.ndim))
    width = weights.reshape(-1, *([1] * cut.ndim))
    return np.asarray(np.clip((cut - start) / width, 0.0, 1.0))


def _positive_share(values: Array, places: Array, weights: Array) -> Array:
    """Return the fraction of each point's stretch where the function is positive."""
    share = np.where(values > 0.0, 1.0, 0.0)
    ends = _cells(weights)
    for q in range(places.size - 1):
        first, second = values[q], values[q + 1]
        crosses = first * second < 0.0
        if not np.any(crosses):
            continue
        with np.errstate(divide="ignore", invalid="ignore"):
            step = first / (first - second)
        step = np.where(np.isfinite(step), step, 0.0)
        # how far beyond the end of the first stretch, negative where within it
        beyond = places[q] + (places[q + 1] - places[q]) * step - ends[q + 1]
        sign = np.where(first > 0.0, 1.0, -1.0) * crosses
        share[q] += sign * np.minimum(beyond, 0.0) / weights[q]
        share[q + 1] += sign * np.maximum(beyond, 0.0) / weights[q + 1]
    return share
