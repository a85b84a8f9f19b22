"""Newton's method for a batch of stacks of layers.

The equations are the gradient of a strictly convex function (`stack_equations`), so that Newton's
step always descends, and a length that does not pass the minimum along it leads to the one
solution from any start: no continuation is needed. The nodes inside an element are eliminated
first, which leaves one tridiagonal system per stack; a batch of stacks is one long tridiagonal
system whose blocks are not coupled. Every stack has its own step length and leaves when it is done.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from ..phase import Array, BoolArray
from .equations import GridProblem, Reservoir, Residual, descent, residual, take, unbalanced

_MAX_PASSES = 400
_CONVERGED_KT = 1e-5
"""Size of the last step; as convergence is quadratic, what is left is far below it."""

_QUADRATIC_KT = 1e-3
"""Below it Newton's step needs no control."""

_STALLS = 3
"""After as many such steps that did not become half as long, what is left is rounding."""

_CHECK = 16
_DIGITS = 1e-8
"""Where a depleted layer is at millions of volts, every _CHECK steps kT gives way to this share."""

_LONGEST_KT = 40.0
"""Longest step (or as long as the potentials in the stack are apart, if that is longer)."""

_OVERSHOOT = 0.1

_BLOCK = 30_000
"""Nodes treated together: what is computed for them stays in a processor's cache."""


@dataclass(frozen=True)
class NewtonResult:
    """Final state of Newton's method.

    Attributes
    ----------
    potential_V : array (p + 1, n, E, B)
        φ at the nodes.
    left_displacement, right_displacement : array (n, E, B)
        D in e/nm² at the two ends of every element.
    step_V : array (B,)
        Size of the last step.
    passes : int
        Evaluations of the charge.
    converged : array of bool (B,)
        Whether the step became small enough.
    """

    potential_V: Array
    left_displacement: Array
    right_displacement: Array
    step_V: Array
    passes: int
    converged: BoolArray


def newton_step(problem: GridProblem, found: Residual) -> Array:
    """Solve for the Newton step of all nodes (p + 1, n, E, B)."""
    one, local = problem.element, found.local
    p = one.degree
    batch = local.shape[-1]
    stiffness, matrices = problem.stiffness
    inner, first, last, rest = _eliminate(problem, found)
    row, column = matrices[0, 1:p], matrices[p, 1:p]

    def dot(weights: Array, values: Array) -> Array:
        if weights.ndim > 1:
            return np.asarray(np.einsum("k...,k...->...", weights, values))
        return np.asarray((weights @ values.reshape(inner, -1)).reshape(values.shape[1:]))

    start_diagonal = stiffness * (matrices[0, 0] - dot(row, first)) + found.screening[0]
    end_diagonal = stiffness * (matrices[p, p] - dot(column, last)) + found.screening[p]
    coupling = stiffness * (matrices[0, p] - dot(row, last))
    start = local[0] - stiffness * dot(row, rest)
    end = local[p] - stiffness * dot(column, rest)

    count = local.shape[1] * local.shape[2] + 1
    diagonal, force = np.zeros((count, batch)), np.zeros((count, batch))
    diagonal[:-1] = start_diagonal.reshape(-1, batch)
    diagonal[1:] += end_diagonal.reshape(-1, batch)
    force[:-1] = -start.reshape(-1, batch)
    force[1:] -= end.reshape(-1, batch)
    if problem.sheet_charge_e_nm2 is not None:
        force[:: local.shape[2]] += problem.sheet_charge_e_nm2
    off = np.zeros((count, batch))
    off[:-1] = coupling.reshape(-1, batch)
    if isinstance(problem.left, Reservoir):
        diagonal[0] -= found.left_slope
        force[0] += found.left
    else:
        diagonal[0], force[0], off[0] = 1.0, 0.0, 0.0
    if isinstance(problem.right, Reservoir):
        diagonal[-1] -= found.right_slope
        force[-1] += found.right
    else:
        diagonal[-1], force[-1], off[-2] = 1.0, 0.0, 0.0
    vertices = _solve_tridiagonal(diagonal, off, force)
    step = np.empty_like(local)
    step[0] = vertices[:-1].reshape(local.shape[1:])
    step[p] = vertices[1:].reshape(local.shape[1:])
    step[1:p] = -(rest + first * step[0] + last * step[p])
    return step


def _solve_tridiagonal(diagonal: Array, off: Array, force: Array) -> Array:
    """Solve B symmetric systems (count, B) as one; NaN for those that have no solution.

    ``off[-1]`` is zero: it separates one system from the next.
    """
    from scipy.linalg.lapack import dgtsv

    count, batch = diagonal.shape
    known = np.isfinite(np.sum(diagonal, axis=0) + np.sum(off, axis=0) + np.sum(force, axis=0))
    while True:
        if not np.all(known):
            # one that is singular or not finite would spoil its neighbours
            diagonal, off, force = (
                np.where(known, one, blank)
                for one, blank in ((diagonal, 1.0), (off, 0.0), (force, 0.0))
            )
        band = off.T.ravel()[:-1]
        *_, solution, info = dgtsv(band, diagonal.T.ravel(), band, force.T.ravel())
        if info == 0:
            return np.where(known, solution.reshape(batch, count).T, np.nan)
        known[(info - 1) // count] = False


def _bounded_step(
    problem: GridProblem, potential_V: Array, found: Residual, thermal_V: Array
) -> tuple[Array, Array]:
    """Newton's step and its size, or a shorter one where it is too long.

    Where no charge responds to the potential (saturated, depleted) Newton's step may be thousands
    of volts. Screening added in proportion to what is out of balance shortens it to about
    `longest`; the step still descends, and nothing is added in the end.
    """
    step = newton_step(problem, found)
    largest = np.max(np.abs(step), axis=(0, 1, 2))
    longest = _LONGEST_KT * thermal_V
    if np.all(largest <= longest):
        return step, largest
    apart = np.max(potential_V, axis=(0, 1, 2)) - np.min(potential_V, axis=(0, 1, 2))
    longest = np.maximum(apart, longest)
    if np.all(largest <= longest):
        return step, largest
    added = np.where(largest > longest, np.abs(unbalanced(problem, found)) / longest, 0.0)
    step = newton_step(problem, replace(found, screening=found.screening + added))
    return step, np.max(np.abs(step), axis=(0, 1, 2))


def _eliminate(problem: GridProblem, found: Residual) -> tuple[int, Array, Array, Array]:
    """Solve the inner block of every element for its first, last and right-hand columns."""
    one = problem.element
    p = one.degree
    inner = p - 1
    stiffness, matrices = problem.stiffness
    block = np.empty((inner, p + 2, *stiffness.shape))
    # columns: inner nodes, first node, last node, residual
    fixed = matrices[1:p][:, [*range(1, p), 0, p]]
    if fixed.ndim == 2:
        fixed = fixed[:, :, None, None, None]
    np.multiply(fixed, stiffness, out=block[:, : p + 1])
    diagonal = np.arange(inner)
    block[diagonal, diagonal] += found.screening[1:p]
    block[:, p + 1] = found.local[1:p]
    # the block is symmetric and positive definite: no pivoting is needed
    for k in range(inner):
        pivot = block[k, k + 1 :]
        pivot /= block[k, k]
        for other in (slice(0, k), slice(k + 1, inner)):
            block[other, k + 1 :] -= block[other, k, None] * pivot
    return inner, block[:, inner], block[:, inner + 1], block[:, inner + 2]


def solve(
    problem: GridProblem, start_V: Array, *, converged_kT: float = _CONVERGED_KT
) -> NewtonResult:
    """Find the potentials of all stacks, a block of the batch after the other.

    Parameters
    ----------
    problem : GridProblem
        The stacks on their mesh.
    start_V : array (p + 1, n, E, B)
        Potentials to start from; electrodes' potentials and vacuum-level steps are imposed.
    converged_kT : float
        Size of the last step.
    """
    batch = start_V.shape[-1]
    size = max(1, _BLOCK // start_V[..., 0].size)
    if batch <= size:
        return _solve_block(problem, start_V, converged_kT)
    blocks = [slice(first, first + size) for first in range(0, batch, size)]
    parts = [
        _solve_block(problem.take(block), start_V[..., block], converged_kT) for block in blocks
    ]

    def joined(name: str) -> Array:
        return np.concatenate([getattr(part, name) for part in parts], axis=-1)

    return NewtonResult(
        potential_V=joined("potential_V"),
        left_displacement=joined("left_displacement"),
        right_displacement=joined("right_displacement"),
        step_V=joined("step_V"),
        passes=max(part.passes for part in parts),
        converged=np.concatenate([part.converged for part in parts]),
    )


def _solve_block(problem: GridProblem, start_V: Array, converged_kT: float) -> NewtonResult:
    potential = _impose(problem, start_V)
    batch = potential.shape[-1]
    final, size = np.empty_like(potential), np.full(batch, np.inf)
    done = np.zeros(batch, dtype=bool)
    left, right = (np.empty(potential.shape[1:]) for _ in range(2))
    where = np.arange(batch)
    active = problem
    thermal = np.min(problem.charge.kT_eV, axis=(0, 1))
    found, length, passes = residual(active, potential), np.ones(batch), 1
    former, stalls = np.full(batch, np.inf), np.zeros(batch, dtype=int)
    moved, step, largest, slope = True, potential, former, former
    while passes < _MAX_PASSES:
        if moved:
            step, largest = _bounded_step(active, potential, found, thermal[where])
            slope = descent(active, found, step)
        trial = potential + length * step
        ahead = residual(active, trial)
        passes += 1
        slope_ahead = descent(active, ahead, step)
        if passes % _CHECK == 0:
            thermal[where] = np.maximum(
                thermal[where], _DIGITS * np.max(np.abs(trial), axis=(0, 1, 2))
            )
        limit = thermal[where]
        short = largest < _QUADRATIC_KT * limit
        good = (slope_ahead <= _OVERSHOOT * np.abs(slope)) | short
        stalls = np.where(short & (largest > 0.5 * former), stalls + 1, 0)
        small = (largest < converged_kT * limit) | (stalls >= _STALLS)
        finished = good & (length == 1.0) & small
        former = largest
        moved = bool(np.any(good))
        if np.all(good):
            potential, found, length = trial, ahead, np.ones(where.size)
        else:
            if moved:
                potential = np.where(good, trial, potential)
                found = _choose(good, ahead, found)
            with np.errstate(invalid="ignore", divide="ignore"):
                secant = slope / (slope - slope_ahead)
            length = np.where(good, 1.0, length * np.minimum(np.fmax(secant, 0.1), 0.5))
        size[where] = largest
        ended = finished | ~np.isfinite(largest) | (passes >= _MAX_PASSES)
        if np.any(ended):
            slots = where[ended]
            done[slots] = finished[ended]
            final[..., slots] = potential[..., ended]
            left[..., slots] = found.local[0][..., ended]
            right[..., slots] = -found.local[-1][..., ended]
            going = np.nonzero(~ended)[0]
            if not going.size:
                break
            where, active = where[going], active.take(going)
            potential, length = potential[..., going], length[going]
            former, stalls = former[going], stalls[going]
            found = take(found, going)
    return NewtonResult(final, left, right, size, passes, done)


def _impose(problem: GridProblem, start_V: Array) -> Array:
    """Make the start continuous but for the vacuum-level steps, and fit it to the electrodes."""
    smooth = start_V - problem.offset_V
    batch = smooth.shape[-1]
    ends = smooth[[0, -1]].reshape(2, -1, batch)
    vertices = np.concatenate([ends[0, :1], (ends[0, 1:] + ends[1, :-1]) / 2.0, ends[1, -1:]])
    if not isinstance(problem.left, Reservoir):
        vertices[0] = problem.left
    if not isinstance(problem.right, Reservoir):
        vertices[-1] = problem.right
    smooth[0] = vertices[:-1].reshape(smooth.shape[1:])
    smooth[-1] = vertices[1:].reshape(smooth.shape[1:])
    return np.asarray(smooth + problem.offset_V)


def _choose(good: BoolArray, yes: Residual, no: Residual) -> Residual:
    return Residual(
        *(np.where(good, getattr(yes, f.name), getattr(no, f.name)) for f in fields(Residual))
    )
