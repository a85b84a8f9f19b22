"""Layers of finite thickness: charges at their ends, resistance, profile."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from ..bulk import Bulk
from ..constants import NM_CM
from ..phase import Array, IntArray
from ..profile import Profile, profile_of
from .finite_layer import (
    ACROSS,
    ALONG,
    TURNING,
    Course,
    make_course,
)
from .layer_reference import Frame, make_frame
from .layer_solution import solve_course

_CHUNK = 4096


@dataclass(frozen=True)
class Layer:
    """Layers of given thickness between given potentials; arrays (...).

    Attributes
    ----------
    bulk : Bulk
        The phase.
    left_potential_V, right_potential_V, thickness_nm : array
        What was given.
    sheet_charge_e_nm2 : array (..., 2)
        All charge right of its left and of its right end, ``eps·phi'`` there, as in `Stack`: the
        layer's own charge is the first less the second.
    resistance_ohm_cm2 : array
        R_layer; NaN where nothing conducts, infinite beyond the largest number.
    course, unknown, plateau_nm : array
        Which course the potential takes and its one unknown (see `finite_layer`), and the length
        of neutral bulk between two space charges that no longer feel each other.
    """

    bulk: Bulk
    left_potential_V: Array
    right_potential_V: Array
    thickness_nm: Array
    sheet_charge_e_nm2: Array
    resistance_ohm_cm2: Array
    course: IntArray
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
        frame = make_frame(bulk, self.left_potential_V.ravel(), self.right_potential_V.ravel())
        rows = [
            _profile_of_one(
                int(self.course.ravel()[i]),
                frame.take(np.array([i])),
                self.unknown.ravel()[i : i + 1],
                float(self.plateau_nm.ravel()[i]),
                (points + 1) // 2,
            )
            for i in range(bulk.shape[0])
        ]
        most = max(x.size for x, _ in rows)
        # layers that need fewer points repeat their last one
        x, u = (
            np.stack([np.pad(row[k], (0, most - row[k].size), mode="edge") for row in rows], -1)
            for k in (0, 1)
        )
        x *= self.thickness_nm.ravel() / x[-1]
        phi = frame.origin_V + frame.state.kT_eV * u
        return profile_of(frame.state, x, phi, u, shape)


def _profile_of_one(
    kind: int, frame: Frame, unknown: Array, plateau: float, half: int
) -> tuple[Array, Array]:
    """Places x and potentials u of one layer, (P,) each."""
    course = make_course(kind, frame, unknown)
    first, last = (float(end[0]) for end in course.ends)
    # each branch leads from the pivot, or from the near end where that is the pivot, outwards
    branches = [_branch(course, last, half)]
    if kind != ALONG:
        x, u = _branch(course, first, half)
        middle = x[-1] + plateau
        x = np.concatenate([x[-1] - x[::-1], middle + branches[0][0]])
        branches = [(x, np.concatenate([u[::-1], branches[0][1]]))]
    x, u = branches[0]
    x, kept = np.unique(x, return_index=True)
    u = u[kept]
    if frame.reversed[0]:
        return x[-1] - x[::-1], u[::-1]
    return x, u


def _branch(course: Course, end: float, half: int) -> tuple[Array, Array]:
    share = np.linspace(0.0, 1.0, half + 1)
    distance = np.abs(course.place(np.array([[end]]))[0].item() * share) / course.scale
    if course.kind == ACROSS:
        t_phi = np.arcsinh(distance)
    else:
        t_phi = 2.0 * np.arcsinh(np.sqrt(distance / 2.0))
    t = np.sort(np.concatenate([abs(end) * share, np.minimum(t_phi[1:-1], abs(end))]))
    t = np.copysign(t, end)
    low, high = np.minimum(t[:-1], t[1:]), np.maximum(t[:-1], t[1:])
    lengths, _ = course.take(np.zeros(low.size, dtype=np.int64)).lengths(low, high)
    u = course.pivot + course.place(t[:, None])[0][:, 0]
    return np.concatenate([[0.0], np.cumsum(lengths)]), u


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
    course = np.where(np.isfinite(rows[3]), rows[3], -1.0).astype(np.int64)
    return Layer(
        bulk=whole,
        left_potential_V=left,
        right_potential_V=right,
        thickness_nm=thickness,
        sheet_charge_e_nm2=np.stack([-rows[0], rows[1]], axis=-1),
        resistance_ohm_cm2=rows[2],
        course=course,
        unknown=rows[4],
        plateau_nm=rows[5],
    )


def end_charges_e_nm2(
    bulk: Bulk, left_V: Array, right_V: Array, thickness_nm: Array
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Charges beyond the two ends of layers that hold their potentials; all arrays (N,).

    Returns
    -------
    left, right : tuple of array
        Charge beyond that end, and its slope with that end's potential.
    """
    results = _solve_all(bulk, left_V, right_V, thickness_nm, resistance=False)
    return (results[0], results[6]), (results[1], results[7])


def _solve_all(
    bulk: Bulk, left_V: Array, right_V: Array, thickness_nm: Array, *, resistance: bool
) -> Array:
    known = np.isfinite(left_V + right_V + thickness_nm) & (thickness_nm > 0.0)
    results = np.full((8, left_V.size), np.nan)
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
    frame = make_frame(bulk, left_V, right_V)
    kinds = np.full(left_V.shape, ACROSS)
    longest = np.full(left_V.shape, np.inf)
    aside = np.flatnonzero(~frame.across)
    if aside.size:
        part = frame.take(aside)
        none = np.full(aside.shape, -np.inf)
        with np.errstate(divide="ignore", invalid="ignore"):
            longest[aside] = make_course(ALONG, part, none).thickness_and_slope()[0]
        kinds[aside] = np.where(thickness_nm[aside] <= longest[aside], ALONG, TURNING)
    results = np.empty((8, left_V.size))
    for kind in (ACROSS, ALONG, TURNING):
        where = np.flatnonzero(kinds == kind)
        if where.size:
            results[:, where] = _solve_kind(
                kind, frame.take(where), thickness_nm[where], longest[where], resistance
            )
    return results


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
    kind: int, frame: Frame, thickness_nm: Array, longest_nm: Array, resistance: bool
) -> Array:
    unknown, plateau, total = solve_course(kind, frame, thickness_nm, longest_nm)
    course = make_course(kind, frame, unknown)
    near_side = -1.0 if kind == ACROSS else 1.0
    voltage = course.state.kT_eV * course.state.permittivity_e_V_nm
    near = course.field(near_side * frame.direction * course.near)[0] * voltage
    far = course.field(frame.direction * course.far)[0] * voltage
    # phi' seen from left to right; beyond a turning point the near end's has the other sign
    turn = -1.0 if kind == TURNING else 1.0
    near_slope, far_slope = turn * frame.direction * near, frame.direction * far
    left = np.where(frame.reversed, -far_slope, near_slope)
    right = np.where(frame.reversed, -near_slope, far_slope)
    stiff = [np.full(plateau.shape, np.nan)] * 2
    if resistance:
        total = _resistance(course, plateau, total)
    else:
        with np.errstate(divide="ignore", invalid="ignore"):
            stiff = [course.state.permittivity_e_V_nm * slope for slope in course.stiffness()]
    return np.stack(
        [
            -left,
            right,
            total,
            np.full(plateau.shape, float(kind)),
            unknown,
            plateau,
            np.where(frame.reversed, stiff[1], stiff[0]),
            np.where(frame.reversed, stiff[0], stiff[1]),
        ]
    )


def _resistance(course: Course, plateau: Array, total: Array) -> Array:
    if np.any(plateau > 0.0):
        _, middle = course.state.evaluate_conduction(0.0 * plateau)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            total = total + np.where(plateau > 0.0, plateau / middle, 0.0)
    conducts = np.zeros(plateau.shape, dtype=bool)
    for mobility in course.state.mobility:
        if mobility is not None:
            conducts |= mobility > 0.0
    return np.where(conducts, total * NM_CM, np.nan)
