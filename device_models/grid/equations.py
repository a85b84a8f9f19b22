r"""Poisson's equation of a batch of stacks on a mesh: what must vanish, and its derivative.

The displacement ``D = −eps φ' + P`` obeys ``dD/dx = ρ(x, φ)``; P is the fixed polarization, what
follows the field is in eps, which may vary inside a layer. Tested with the nodal polynomials
``v_i`` of each element of width h, whose ends lie on the contacts,

``R_i = ∫ (v_i' (eps φ' − P) − v_i ρ) dx``,

and summed over the elements that share a node, R is zero inside, the given sheet charge at a
contact, and D itself at the ends of the stack. What one element gives its neighbour is what the
neighbour takes: the scheme conserves charge to rounding, as finite volumes do, and the D of a
contact is as accurate as an integral, not as a difference of potentials.

With ``dρ/dφ ≤ 0`` and ``eps > 0`` R is the gradient of a strictly convex function of the nodal
potentials,

``Σ ∫ (eps φ'²/2 − P φ' + Π) dx − Σ sheet·φ``,

so there is one solution.

Shapes: n layers, E elements in each, B stacks, p the degree; nodes (p + 1, n, E, B).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np

from ..densities import Thermodynamics
from ..numerics.spectral import Element
from ..phase import Array
from .layer_charge import ChargeModel


@dataclass(frozen=True)
class Reservoir:
    """A thick phase beside the stack; arrays (B,)."""

    neutral_potential_V: Array
    thermodynamics: Thermodynamics

    def sheet_charge(self, potential_V: Array) -> tuple[Array, Array]:
        """Charge of its half space (physics.md section 4) and the derivative to the potential."""
        state = self.thermodynamics
        u = (potential_V - self.neutral_potential_V) / state.kT_eV
        pressure, density = state.evaluate(u)
        root = np.sqrt(2.0 * state.permittivity_e_V_nm * np.maximum(pressure, 0.0))
        linear = -np.sqrt(state.screening_density_nm3() * state.permittivity_e_V_nm / state.kT_eV)
        near = np.abs(u) < 1e-8
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = np.where(near, linear, -state.permittivity_e_V_nm * np.abs(density) / root)
        return np.where(near, linear * u * state.kT_eV, -np.sign(u) * root), slope


@dataclass(frozen=True)
class GridProblem:
    """A batch of stacks on its mesh.

    Attributes
    ----------
    element : Element
        The polynomials.
    charge : ChargeModel
        Arrays that broadcast against (p + 1, n, E, B).
    width_nm : array (n, E, B)
        Width of the elements.
    permittivity_e_V_nm : array (n, 1, B), or (p + 1, n, E, B) where it varies inside layers
        eps, susceptibilities included.
    offset_V : array (n, 1, B)
        Sum of the vacuum-level steps left of each layer: φ less it is continuous.
    polarization_e_nm2 : array (p + 1, n, E, B) or None
        The fixed P at the nodes.
    sheet_charge_e_nm2 : array (n + 1, B) or None
        Given charge of each contact, if there is any.
    left, right : array (B,) or Reservoir
        The continuous potential (φ less offset) that an electrode holds, or a thick phase.
    right_offset_V : array (B,)
        Sum of all vacuum-level steps.
    """

    element: Element
    charge: ChargeModel
    width_nm: Array
    permittivity_e_V_nm: Array
    offset_V: Array
    polarization_e_nm2: Array | None
    sheet_charge_e_nm2: Array | None
    left: Array | Reservoir
    right: Array | Reservoir
    right_offset_V: Array

    @cached_property
    def stiffness(self) -> tuple[Array, Array]:
        """Return −(eps φ')' as a factor (n, E, B) and the matrices (p + 1, p + 1) it multiplies.

        The matrices are one for all elements, or (p + 1, p + 1, n, E, B).
        """
        one, permittivity = self.element, self.permittivity_e_V_nm
        if permittivity.ndim == 3:
            return 2.0 * permittivity / self.width_nm, one.stiffness
        squares = one.derivative[:, :, None] * one.derivative[:, None] * one.weights[:, None, None]
        return 2.0 / self.width_nm, np.tensordot(squares, permittivity, axes=(0, 0))

    def take(self, index: Any) -> GridProblem:
        """Return the stacks at `index` of the batch."""
        taken: GridProblem = take(self, index)
        return taken


@dataclass(frozen=True)
class Residual:
    """R, its diagonal derivative by ρ, and the charges of the thick phases beside the stack.

    `local` and `screening` are (p + 1, n, E, B); the others (B,), zero at electrodes.
    """

    local: Array
    screening: Array
    left: Array
    left_slope: Array
    right: Array
    right_slope: Array


def residual(problem: GridProblem, potential_V: Array) -> Residual:
    """Evaluate R and what its derivative needs."""
    shape, one = potential_V.shape, problem.element
    density, slope = problem.charge.charge(potential_V)
    # differences inside the element keep a small drop's digits
    inside = (potential_V - potential_V[0]).reshape(shape[0], -1)
    factor, matrices = problem.stiffness
    weight = (0.5 * one.weights)[:, None, None, None] * problem.width_nm
    if matrices.ndim == 2:
        local = (matrices @ inside).reshape(shape) * factor
    else:
        local = np.einsum("ijneb,jneb->ineb", matrices, inside.reshape(shape)) * factor
    local -= weight * density
    if problem.polarization_e_nm2 is not None:
        weighted = one.weights[:, None] * problem.polarization_e_nm2.reshape(shape[0], -1)
        local -= (one.derivative.T @ weighted).reshape(shape)
    zero = np.zeros(shape[-1])
    ends: list[Array] = []
    for side, position in (
        (problem.left, potential_V[0, 0, 0] - problem.offset_V[0, 0]),
        (problem.right, potential_V[-1, -1, -1] - problem.offset_V[-1, 0] + problem.right_offset_V),
    ):
        ends += [*side.sheet_charge(position)] if isinstance(side, Reservoir) else [zero, zero]
    return Residual(local, -weight * slope, *ends)


def unbalanced(problem: GridProblem, found: Residual) -> Array:
    """Return the residual at every node, with half of a shared node's in each element."""
    rest = found.local.copy()
    batch = rest.shape[-1]
    start, end = rest[0].reshape(-1, batch), rest[-1].reshape(-1, batch)
    shared = np.zeros((start.shape[0] + 1, batch))
    shared[:-1] += start
    shared[1:] += end
    if problem.sheet_charge_e_nm2 is not None:
        shared[:: rest.shape[2]] -= problem.sheet_charge_e_nm2
    shared[0] -= found.left
    shared[-1] -= found.right
    rest[0] = shared[:-1].reshape(rest.shape[1:]) / 2.0
    rest[-1] = shared[1:].reshape(rest.shape[1:]) / 2.0
    return rest


def descent(problem: GridProblem, found: Residual, step: Array) -> Array:
    """Slope of the convex function along the step, (B,)."""
    batch = step.shape[-1]
    slope = np.einsum("ib,ib->b", found.local.reshape(-1, batch), step.reshape(-1, batch))
    if problem.sheet_charge_e_nm2 is not None:
        at_contacts = np.concatenate([step[0, :, 0], step[-1, -1:, -1]])
        slope -= np.sum(problem.sheet_charge_e_nm2 * at_contacts, axis=0)
    return np.asarray(slope - found.left * step[0, 0, 0] - found.right * step[-1, -1, -1])


def take(value: Any, index: Any) -> Any:
    """Pick stacks from everything that has a batch axis (the last one)."""
    if isinstance(value, np.ndarray):
        return value[..., index] if value.ndim else value
    if isinstance(value, list):
        return [take(one, index) for one in value]
    if isinstance(value, Element) or not hasattr(value, "__dataclass_fields__"):
        return value
    changed = {field.name: take(getattr(value, field.name), index) for field in fields(value)}
    return replace(value, **changed)
