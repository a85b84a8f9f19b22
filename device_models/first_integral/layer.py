"""Layers of finite thickness: charges at their ends, resistance, profile."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from ..bulk import Bulk
from ..constants import NM_CM
from ..densities import Thermodynamics
from ..phase import Array, BoolArray, IntArray
from ..profile import Profile, profile_of
from .branches import (
    ACROSS,
    ALONG,
    FLAT,
    INFINITE,
    TURNING,
    Branch,
    make_branch,
)
from .layer_reference import LayerReference, make_reference
from .layer_solution import flat_layers, solve_branch

_CHUNK = 4096


@dataclass(frozen=True)
class Layer:
    """Layers of given thickness between given potentials; arrays (...).

    Attributes
    ----------
    bulk : Bulk
        The phase.
    left_potential_V, right_potential_V, thickness_nm : array
        Given values.
    sheet_charge_e_nm2 : array (..., 2)
        All charge right of its left and of its right end, ``eps·phi'`` there, as in `Stack`: the
        layer's own charge is the first less the second.
    resistance_ohm_cm2 : array
        R_layer; NaN where nothing conducts, infinite beyond the largest number.
    branch, unknown, plateau_nm : array
        Which branch the potential takes and its one unknown (see `branches`), and the length
        of neutral bulk between two space charges that do not affect each other.
    """

    bulk: Bulk
    left_potential_V: Array
    right_potential_V: Array
    thickness_nm: Array
    sheet_charge_e_nm2: Array
    resistance_ohm_cm2: Array
    branch: IntArray
    unknown: Array
    plateau_nm: Array

    def profile(self, points: int = 401) -> Profile:
        """Profile from the left to the right end.

        Parameters
        ----------
        points : int
            About how many: half of them even in phi, half following the bend.
        """
        shape = self.thickness_nm.shape
        bulk = self.bulk.ravel(shape)
        reference = make_reference(
            bulk, self.left_potential_V.ravel(), self.right_potential_V.ravel()
        )
        half, count = (points + 1) // 2, bulk.shape[0]
        kinds = self.branch.ravel()
        unknown, plateau = self.unknown.ravel(), self.plateau_nm.ravel()
        x, u = np.full((2, 4 * half, count), np.nan)
        for kind in (ACROSS, ALONG, TURNING):
            some = np.flatnonzero(kinds == kind)
            if some.size:
                part = reference.take(some)
                own = _curves(make_branch(kind, part, unknown[some]), plateau[some], half)
                x[:, some], u[:, some] = _from_left(part, *own)
        some = np.flatnonzero(kinds == FLAT)
        x[:, some], u[:, some] = np.linspace(0.0, 1.0, 4 * half)[:, None], reference.near[some]
        if count == 1:
            _, kept = np.unique(x[:, 0], return_index=True)
            x, u = x[kept], u[kept]
        x *= self.thickness_nm.ravel() / x[-1]
        phi = reference.origin_V + reference.state.kT_eV * u
        return profile_of(reference.state, x, phi, u, shape)

    @property
    def extreme_potential_V(self) -> Array:
        """Phi where the field turns, else that of the left end; with the ends, its extremes."""
        shape = self.thickness_nm.shape
        extreme = self.left_potential_V.ravel().copy()
        some = np.flatnonzero(self.branch.ravel() == TURNING)
        if some.size:
            flat = (self.left_potential_V.ravel()[some], self.right_potential_V.ravel()[some])
            reference = make_reference(self.bulk.ravel(shape)[some], *flat)
            pivot = make_branch(TURNING, reference, self.unknown.ravel()[some]).pivot
            extreme[some] = reference.origin_V + reference.state.kT_eV * pivot
        return extreme.reshape(shape)


def _curves(branch: Branch, plateau_nm: Array, half: int) -> tuple[Array, Array]:
    """Places x from the near end and potentials u, both (4·half, N)."""
    first, last = branch.ends
    # each side leads outwards from the pivot, or from the near end where that is the pivot
    x, u = _outwards(branch, last, half)
    if branch.kind == ALONG:
        # as many points as the others have
        return x[(rows := np.minimum(np.arange(4 * half), 2 * half - 1))], u[rows]
    before, before_u = _outwards(branch, first, half)
    x = np.concatenate([before[-1] - before[::-1], before[-1] + plateau_nm + x])
    return x, np.concatenate([before_u[::-1], u])


def _from_left(reference: LayerReference, x: Array, u: Array) -> tuple[Array, Array]:
    """Count from the left end."""
    return (
        np.where(reference.reversed, x[-1] - x[::-1], x),
        np.where(reference.reversed, u[::-1], u),
    )


def _outwards(branch: Branch, end: Array, half: int) -> tuple[Array, Array]:
    """Places and potentials (2·half, N) from the pivot to t = `end`."""
    share = np.linspace(0.0, 1.0, half + 1)[:, None]
    distance = np.abs(branch.from_pivot(end)[0]) * share / branch.scale
    if branch.kind == ACROSS:
        t_phi = np.arcsinh(distance)
    else:
        t_phi = 2.0 * np.arcsinh(np.sqrt(distance / 2.0))
    size = np.abs(end)
    t = np.sort(np.concatenate([size * share, np.minimum(t_phi[1:-1], size)]), axis=0)
    t = np.copysign(t, end)
    low, high = np.minimum(t[:-1], t[1:]), np.maximum(t[:-1], t[1:])
    index = np.tile(np.arange(end.size), low.shape[0])
    (lengths,) = branch.take(index).lengths(low.ravel(), high.ravel(), conduction=False)
    x = np.concatenate([np.zeros((1, end.size)), np.cumsum(lengths.reshape(low.shape), axis=0)])
    return x, branch.pivot + branch.from_pivot(t)[0]


def layer(
    bulk: Bulk,
    left_potential_V: ArrayLike,
    right_potential_V: ArrayLike,
    thickness_nm: ArrayLike,
) -> Layer:
    """Solve layers between fixed potentials.

    Parameters
    ----------
    bulk : Bulk
        The phase, with or without a neutral bulk.
    left_potential_V, right_potential_V : array (...)
        phi inside the layer at its two ends.
    thickness_nm : array (...)
        Its thickness, positive.

    Returns
    -------
    Layer
        NaN where an input is not finite.
    """
    left, right, thickness = (
        np.asarray(value, dtype=np.float64)
        for value in (left_potential_V, right_potential_V, thickness_nm)
    )
    shape = np.broadcast_shapes(bulk.shape, left.shape, right.shape, thickness.shape)
    flat = bulk.ravel(shape)
    left, right, thickness = (np.broadcast_to(v, shape) for v in (left, right, thickness))
    results = _solve_all(flat, left.ravel(), right.ravel(), thickness.ravel(), resistance=True)
    whole = flat[np.arange(flat.shape[0]).reshape(shape)]
    rows = [row.reshape(shape) for row in results]
    branch = np.where(np.isfinite(rows[3]), rows[3], -1.0).astype(np.int64)
    return Layer(
        bulk=whole,
        left_potential_V=left,
        right_potential_V=right,
        thickness_nm=thickness,
        sheet_charge_e_nm2=np.stack([-rows[0], rows[1]], axis=-1),
        resistance_ohm_cm2=rows[2],
        branch=branch,
        unknown=rows[4],
        plateau_nm=rows[5],
    )


def end_charges_e_nm2(
    bulk: Bulk, left_V: Array, right_V: Array, thickness_nm: Array
) -> tuple[tuple[Array, Array], tuple[Array, Array], Array]:
    """Charges beyond the two ends of layers that hold their potentials; all arrays (N,).

    Returns
    -------
    left, right : tuple of array
        Charge beyond that end, and its slope with that end's potential.
    between : array
        How fast either falls with the potential of the other end.
    """
    results = _solve_all(bulk, left_V, right_V, thickness_nm, resistance=False)
    return (results[0], results[6]), (results[1], results[7]), results[8]


def _solve_all(
    bulk: Bulk, left_V: Array, right_V: Array, thickness_nm: Array, *, resistance: bool
) -> Array:
    known = np.isfinite(left_V + right_V + thickness_nm) & (thickness_nm > 0.0)
    results = np.full((9, left_V.size), np.nan)
    for start in range(0, left_V.size, _CHUNK):
        where = start + np.flatnonzero(known[start : start + _CHUNK])
        if where.size == 0:
            continue
        part = _without_faint_bands(bulk[where], left_V[where], right_V[where])
        electronic = np.broadcast_to(part.phase.electrons, where.shape)
        for some in (np.flatnonzero(electronic), np.flatnonzero(~electronic)):
            if some.size:
                at = where[some]
                results[:, at] = _solve(
                    part[some], left_V[at], right_V[at], thickness_nm[at], resistance
                )
    return results


def _solve(
    bulk: Bulk, left_V: Array, right_V: Array, thickness_nm: Array, resistance: bool
) -> Array:
    reference = make_reference(bulk, left_V, right_V)
    kinds = np.full(left_V.shape, ACROSS)
    longest = np.full(left_V.shape, np.inf)
    aside = np.flatnonzero(~reference.across)
    if aside.size:
        part = reference.take(aside)
        none = np.full(aside.shape, -np.inf)
        with np.errstate(divide="ignore", invalid="ignore"):
            longest[aside] = make_branch(ALONG, part, none).thickness_and_slope()[0]
        # without any charge the potential is a straight line, however thick the layer
        straight = part.state.residual_charge_nm3 == 0.0
        longest[aside] = np.where(straight & ~part.neutral, np.inf, longest[aside])
        kinds[aside] = np.where(thickness_nm[aside] <= longest[aside], ALONG, TURNING)
    flat = flat_layers(reference, thickness_nm)
    results = np.empty((9, left_V.size))
    for kind in (ACROSS, ALONG, TURNING):
        where = np.flatnonzero((kinds == kind) & ~flat)
        if where.size:
            results[:, where] = _solve_kind(
                kind, reference.take(where), thickness_nm[where], longest[where], resistance
            )
    where = np.flatnonzero(flat)
    if where.size:
        results[:, where] = _solve_flat(reference.take(where), thickness_nm[where])
    return results


def _solve_flat(reference: LayerReference, thickness_nm: Array) -> Array:
    """Layers whose potential differs from that of their equal ends by no digit."""
    state = reference.state
    _, charge = state.evaluate(reference.near)
    _, sigma = state.evaluate_conduction(reference.near)
    with np.errstate(divide="ignore", over="ignore"):
        total = np.where(_conducts(state), thickness_nm / sigma * NM_CM, np.nan)
    outward = 0.5 * charge * thickness_nm
    # linear, as sinh(x/lambda_D) and cosh(x/lambda_D) are; straight where nothing screens
    ratio = np.where(reference.neutral, thickness_nm / reference.bulk.debye_length_nm, 0.0)
    ratio = np.maximum(ratio, np.finfo(float).tiny)
    plates = state.permittivity_e_V_nm / thickness_nm
    with np.errstate(over="ignore"):
        stiffness, between = plates * ratio / np.tanh(ratio), plates * ratio / np.sinh(ratio)
    return np.stack(
        [
            -outward,
            -outward,
            total,
            np.full(thickness_nm.shape, float(FLAT)),
            np.full(thickness_nm.shape, np.nan),
            np.zeros_like(thickness_nm),
            stiffness,
            stiffness,
            between,
        ]
    )


def _without_faint_bands(bulk: Bulk, left_V: Array, right_V: Array) -> Bulk:
    """Switch electrons and holes off where they carry nothing between both ends and neutrality."""
    known = bulk.has_neutral_bulk
    if not np.all(known) or not np.any(bulk.phase.electrons):
        return bulk
    state = bulk.thermodynamics()
    matters = np.zeros(left_V.shape, dtype=bool)
    for end in (left_V, right_V):
        kept = state.without_faint_bands((end - bulk.neutral_potential_V) / state.kT_eV)
        matters |= (kept.electron_density_nm3 > 0.0) | (kept.hole_density_nm3 > 0.0)
    phase = replace(bulk.phase, electrons=bulk.phase.electrons & matters)
    return replace(bulk, phase=phase)


def _solve_kind(
    kind: int, reference: LayerReference, thickness_nm: Array, longest_nm: Array, resistance: bool
) -> Array:
    unknown, plateau, total = solve_branch(
        kind, reference, thickness_nm, longest_nm, conduction=resistance
    )
    branch = make_branch(kind, reference, unknown)
    near_side = -1.0 if kind == ACROSS else 1.0
    voltage = branch.state.kT_eV * branch.state.permittivity_e_V_nm
    near = branch.field(near_side * reference.direction * branch.near)[0] * voltage
    far = branch.field(reference.direction * branch.far)[0] * voltage
    # phi' seen from left to right; beyond a turning point the near end's has the other sign
    turn = -1.0 if kind == TURNING else 1.0
    near_slope, far_slope = turn * reference.direction * near, reference.direction * far
    left = np.where(reference.reversed, -far_slope, near_slope)
    right = np.where(reference.reversed, -near_slope, far_slope)
    stiff = [np.full(plateau.shape, np.nan)] * 3
    if resistance:
        total = _resistance(branch, plateau, total)
    else:
        with np.errstate(divide="ignore", invalid="ignore"):
            stiff = [branch.state.permittivity_e_V_nm * slope for slope in branch.stiffness()]
    return np.stack(
        [
            -left,
            right,
            total,
            np.full(plateau.shape, float(kind)),
            unknown,
            plateau,
            np.where(reference.reversed, stiff[1], stiff[0]),
            np.where(reference.reversed, stiff[0], stiff[1]),
            stiff[2],
        ]
    )


def _resistance(branch: Branch, plateau: Array, total: Array) -> Array:
    if np.any(plateau > 0.0):
        _, middle = branch.state.evaluate_conduction(0.0 * plateau)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            total = total + np.where(plateau > 0.0, plateau / middle, 0.0)
    total = np.where(total < INFINITE, total * NM_CM, np.inf)
    return np.where(_conducts(branch.state), total, np.nan)


def _conducts(state: Thermodynamics) -> BoolArray:
    """Return whether a defect that has sites moves, however few the sites are."""
    conducts = np.zeros(state.kT_eV.shape, dtype=bool)
    for site in state.sublattices:
        for defect in site.defects:
            mobility = state.mobility[defect]
            if mobility is not None:
                conducts |= (mobility > 0.0) & (site.capacity_nm3 > 0.0)
    return conducts
