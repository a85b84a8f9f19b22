r"""A layer of finite thickness between two potentials, by its first integral.

With u in kT and a pivot w, ``(du/dx)² = h(u) + c``, ``h(u) = (2/(eps kT²)) [Π(u) − Π(w)]``.
Three courses exist (physics.md section 4):

- *across*: the ends lie on opposite sides of neutrality; w is the neutral potential and c > 0;
- *along*: on one side, or without neutral bulk, and thinner than L*; w is the end nearer to
  neutrality and c ≥ 0;
- *turning*: on one side and thicker than L*; c = 0 and w is the turning point beyond that end.

The thickness is monotonic in the one unknown (ln c, or the place of w), found inside a bracket.
Newton's method works on a plain quadrature; an adaptive one then corrects its target.
Expanding the densities about w itself keeps h free of cancellation, and the substitutions
``|u − w| = s sinh(t)`` (across) or ``s (cosh(t) − 1)`` remove the inverse roots and make constant
what the linear Poisson–Boltzmann equation integrates. A layer so thick that c would underflow has
a neutral plateau of the missing length at w.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from .densities import Thermodynamics, saturation_marks
from .layer_frame import Frame, described_about
from .phase import Array, IntArray
from .quadrature import integrate
from .roots import bracketed_newton_by_index

_RELATIVE = 1e-8
_LOG_SMALLEST = -600.0
"""Logarithm of the smallest c (per nm²) told from 0."""

_LOG_NEAREST = -80.0
_LOG_FARTHEST = 300.0
_CORRECTIONS = 6
_LARGEST_REDUCED = 1200.0
_LARGEST_EXPONENT = 36
"""Without neutral bulk, turning points up to e^36 kT away are looked for."""

_MARKS = (0.03, 1.0, 5.0, 25.0)
"""Distances from the pivot (kT) between which the integrands are smooth but at saturation."""

ACROSS, ALONG, TURNING = 0, 1, 2


@dataclass(frozen=True)
class Course:
    """The solutions of N layers of one course, in the frame of their pivots.

    The distance |u − w| is ``scale·sinh(t)`` across and ``2·scale·sinh²(t/2)`` otherwise.

    Attributes
    ----------
    state : Thermodynamics
        The phase about the pivot.
    constant : array (N,)
        c in nm⁻².
    near, far : array (N,)
        Distances (kT) of the two ends from the pivot.
    """

    kind: int
    frame: Frame
    state: Thermodynamics
    pivot: Array
    constant: Array
    scale: Array
    near: Array
    far: Array

    @property
    def ends(self) -> tuple[Array, Array]:
        """Values of t at the near and the far end; the near one is negative across."""
        near, far = self._t(self.near), self._t(self.far)
        return (-near if self.kind == ACROSS else near), far

    def _t(self, distance: Array) -> Array:
        if self.kind == ACROSS:
            return np.arcsinh(distance / self.scale)
        return 2.0 * np.arcsinh(np.sqrt(distance / (2.0 * self.scale)))

    def panels(self) -> tuple[Array, Array, Array]:
        """Ends (P, N) of the panels in t, and how often each is passed from end to end."""
        if self.kind == ACROSS:
            before = -self._edges(self.near, -self.frame.direction)[::-1]
            edges = np.concatenate([before, self._edges(self.far, self.frame.direction)[1:]])
            return edges[:-1], edges[1:], np.ones_like(edges[1:])
        edges = self._edges(self.far, self.frame.direction, self.near)
        if self.kind == ALONG:
            return edges[:-1], edges[1:], np.ones_like(edges[1:])
        return edges[:-1], edges[1:], np.where(edges[1:] <= self._t(self.near), 2.0, 1.0)

    def _edges(self, last: Array, sign: Array, *more: Array) -> Array:
        rows = [0.0 * last, last, *(np.minimum(row, last) for row in more)]
        fixed = [np.asarray(mark) for mark in _MARKS]
        for mark in fixed + saturation_marks(self.state, sign):
            if np.any(mark < last):
                rows.append(np.minimum(mark, last))
        return self._t(np.sort(np.stack(rows), axis=0))

    def place(self, t: Array, index: IntArray | None = None) -> tuple[Array, Array]:
        """Return u − w at t, and d|u − w|/dt."""
        scale, direction = self.scale, self.frame.direction
        if index is not None:
            scale, direction = scale[index], direction[index]
        if self.kind == ACROSS:
            return direction * scale * np.sinh(t), scale * np.cosh(t)
        return direction * 2.0 * scale * np.sinh(t / 2.0) ** 2, scale * np.sinh(t)

    def field(self, u: Array) -> tuple[Array, Array]:
        """|du/dx| (per nm) at distances u from the pivot, with sign, and dh/du there."""
        pressure, charge = self.state.evaluate(u)
        unit = 2.0 / (self.state.permittivity_e_V_nm * self.state.kT_eV)
        return np.sqrt(unit * pressure / self.state.kT_eV + self.constant), -unit * charge

    def stiffness(self) -> tuple[Array, Array]:
        """Slopes of |du/dx| at the near and the far end with |u − w| there, at fixed thickness.

        With ``F² = g + C`` at an end, ``dF/dv = (g' + dC/dv)/2F`` and ``dC/dv`` keeps L constant.
        The near end of `ALONG` is its pivot; a move of it away from neutrality shortens the way.
        """
        _, by_unknown = self.thickness_and_slope()
        direction = self.frame.direction
        near_side = -direction if self.kind == ACROSS else direction
        if self.kind == TURNING:
            by_unknown = by_unknown / (direction * self.field(0.0 * self.pivot)[1])
        slopes = []
        for side, distance, way in (
            (near_side, self.near, -1.0 if self.kind == ALONG else 1.0),
            (direction, self.far, 1.0),
        ):
            field, growth = self.field(side * distance)
            constant = -way / (field * by_unknown)
            slopes.append(way * (side * growth + constant) / (2.0 * field))
        return slopes[0], slopes[1]

    def lengths(self, low: Array, high: Array) -> tuple[Array, Array]:
        """Thickness and resistance (nm·cm/S) of the stretches between `low` and `high` (P, N)."""

        def integrand(t: Array, index: IntArray | None) -> tuple[Array, Array]:
            u, jacobian = self.place(t, index)
            state = self.state if index is None else self.state.take(index)
            constant = self.constant if index is None else self.constant[index]
            pressure, sigma = state.evaluate_conduction(u)
            squared = 2.0 * pressure / (state.permittivity_e_V_nm * state.kT_eV**2) + constant
            dx = jacobian / _positive(np.sqrt(squared))
            with np.errstate(divide="ignore", over="ignore"):
                return dx, dx / np.where(sigma > 0.0, sigma, np.inf)

        x, r = integrate(
            integrand, low, high, relative=(_RELATIVE, _RELATIVE), of_panel=(False, False)
        )
        return x, r

    def thickness_nm(self) -> Array:
        """Thickness of the whole layer, to the relative tolerance."""

        def integrand(t: Array, index: IntArray | None) -> tuple[Array]:
            u, jacobian = self.place(t, index)
            state = self.state if index is None else self.state.take(index)
            constant = self.constant if index is None else self.constant[index]
            pressure, _ = state.evaluate(u)
            squared = 2.0 * pressure / (state.permittivity_e_V_nm * state.kT_eV**2) + constant
            return (jacobian / _positive(np.sqrt(squared)),)

        low, high, times = self.panels()
        (x,) = integrate(integrand, low, high, relative=(_RELATIVE,), of_panel=(False,))
        return np.asarray(np.sum(times * x, axis=0))

    def thickness_and_slope(self) -> tuple[Array, Array]:
        """Thickness by the plain rule, and its slope with c, or with the pivot's distance.

        With c it is ``−½∫ dv/(h + c)^(3/2)``. When the turning point moves away by δ, places at
        fixed shares v/V of each way V move along, and
        ``dL/dδ = Σ_V ∫ [1/V − (∂h/∂δ)/(2h)] dv/√h``.
        """
        low, high, times = self.panels()

        def integrand(t: Array, _: IntArray | None) -> tuple[Array, Array]:
            u, jacobian = self.place(t)
            field, growth = self.field(u)
            dx = jacobian / _positive(field)
            if self.kind != TURNING:
                return dx, -0.5 * dx / _positive(field) ** 2
            v, direction = np.abs(u), self.frame.direction
            at_pivot = self.field(0.0 * self.pivot)[1]
            slope = np.zeros_like(dx)
            for way in (self.near, self.far):
                moved = direction * (at_pivot - growth * (1.0 - v / way))
                part = 1.0 / way - 0.5 * moved / _positive(field) ** 2
                slope += np.where(v <= way, part, 0.0)
            return dx, slope * dx

        x, slope = integrate(
            integrand, low, high, relative=(1.0, 1.0), of_panel=(True, True), halvings=0
        )
        return np.sum(times * x, axis=0), np.sum(slope, axis=0)


def _positive(slope: Array) -> Array:
    # an empty panel at a turning point: jacobian and slope vanish there together
    return np.where(slope > 0.0, slope, np.inf)


def make_course(kind: int, frame: Frame, unknown: Array) -> Course:
    """Return the course of a kind for its unknown: ln c, or the place of the turning point."""
    if kind == ACROSS:
        constant = np.exp(unknown)
        debye = frame.bulk.debye_length_nm
        return Course(
            kind,
            frame,
            frame.state,
            np.zeros_like(unknown),
            constant,
            np.minimum(debye * np.sqrt(constant), 1.0),
            np.abs(frame.near),
            np.abs(frame.far),
        )
    if kind == ALONG:
        pivot, constant = frame.near, np.exp(unknown)
        beyond = np.zeros_like(unknown)
    else:
        constant = np.zeros_like(unknown)
        pivot, beyond, _ = _beyond(frame, unknown)
    _, charge = frame.state.evaluate(pivot)
    state = described_about(frame.bulk, frame.level_eV + frame.state.kT_eV * pivot, charge)
    scale = np.where(frame.neutral, np.minimum(np.abs(pivot), 1.0), 1.0)
    far = beyond + np.abs(frame.far - frame.near)
    return Course(kind, frame, state, pivot, constant, scale, beyond, far)


def _beyond(frame: Frame, unknown: Array) -> tuple[Array, Array, Array]:
    """Turning point, its distance from the near end, and the slope of that with the unknown.

    With a neutral bulk the unknown is ln(sinh(near/2)/sinh(u/2) − 1), in which the thickness is
    smooth from the near end down to neutrality; without one it is the logarithm of the distance.
    """
    growth = np.exp(unknown)
    first = np.sinh(0.5 * np.minimum(np.abs(frame.near), _LARGEST_REDUCED))
    second = first / (1.0 + growth)
    half = second * growth
    rest = first * np.hypot(1.0, second) + second * np.hypot(1.0, first)
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = 2.0 * np.arcsinh(half * (first + second) / rest)
        slope = 2.0 * second / np.hypot(1.0, second) / (1.0 + 1.0 / growth)
    place = np.copysign(2.0 * np.arcsinh(second), frame.near)
    return (
        np.where(frame.neutral, place, -frame.direction * growth),
        np.where(frame.neutral, distance, growth),
        np.where(frame.neutral, slope, growth),
    )


def _bracket(kind: int, frame: Frame, thickness_nm: Array) -> tuple[Array, Array, Array, Array]:
    """Bracket and guess of the unknown, and its value for the thickest layer told apart."""
    drop = np.abs(frame.far - frame.near)
    if kind == ALONG:
        high = 2.0 * np.log(drop / thickness_nm)
        return high - 100.0, high, high - 1.0, np.full_like(high, np.nan)
    # the tails of two space charges that overlap little: 4 tanh(u/4) is Gouy and Chapman's
    tails = [4.0 * np.tanh(np.abs(u) / 4.0) for u in (frame.near, frame.far)]
    ratio = thickness_nm / frame.bulk.debye_length_nm
    with np.errstate(divide="ignore", invalid="ignore"):
        overlap = np.log(4.0 * tails[0] * tails[1]) - ratio
    if kind == ACROSS:
        high = 2.0 * np.log(drop / thickness_nm)
        low = np.minimum(high - 50.0, _LOG_SMALLEST)
        guess = overlap - 2.0 * np.log(frame.bulk.debye_length_nm)
        return low, high, np.clip(guess, low, high), low
    low = np.full_like(ratio, _LOG_NEAREST)
    high = np.where(frame.neutral, _LOG_FARTHEST, 1.0)
    without = np.flatnonzero(~frame.neutral)
    for _ in range(_LARGEST_EXPONENT if without.size else 0):
        farthest = make_course(TURNING, frame.take(without), high[without])
        short = farthest.thickness_and_slope()[0] < thickness_nm[without]
        if not np.any(short):
            break
        high[without[short]] += 1.0
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        guess = np.log(np.sinh(0.5 * np.abs(frame.near))) - 0.5 * overlap + np.log(2.0)
    guess = np.where(frame.neutral & np.isfinite(guess), guess, 0.0)
    return low, high, np.clip(guess, low, high), np.where(frame.neutral, high, np.nan)


def solve_course(
    kind: int, frame: Frame, thickness_nm: Array, longest_nm: Array
) -> tuple[Array, Array]:
    """Find the unknown of layers of one kind, and the length of the neutral plateau.

    `longest_nm` is L* of `ALONG` and `TURNING`. The equation is solved for ln L across, for
    ln L/(L* − L) along and for ln(L − L*) turning: in their unknowns these are nearly linear.
    """
    low, high, unknown, thickest = _bracket(kind, frame, thickness_nm)
    everything = np.arange(thickness_nm.size)
    goal = thickness_nm.copy()
    ratio = np.ones_like(goal)

    def scaled(thickness: Array, longest: Array) -> tuple[Array, Array]:
        if kind == ACROSS:
            return np.log(thickness), 1.0 / thickness
        if kind == ALONG:
            rest = np.maximum(longest - thickness, 1e-15 * thickness)
            return np.log(thickness / rest), 1.0 / thickness + 1.0 / rest
        rest = np.maximum(thickness - longest, 1e-15 * thickness)
        return -np.log(rest), -1.0 / rest

    def excess(place: Array, index: IntArray) -> tuple[Array, Array]:
        part = frame if index.size == everything.size else frame.take(index)
        thickness, slope = make_course(kind, part, place).thickness_and_slope()
        value, factor = scaled(thickness, longest_nm[index])
        moved = _beyond(part, place)[2] if kind == TURNING else np.exp(place)
        return value - scaled(goal[index], longest_nm[index])[0], factor * slope * moved

    def among(chosen: IntArray, place: Array, index: IntArray) -> tuple[Array, Array]:
        return excess(place, chosen[index])

    # beyond the thickest layer told apart there is no root, but a plateau
    at_limit = np.isfinite(thickest)
    if np.any(at_limit):
        value = excess(np.where(at_limit, thickest, unknown), everything)[0]
        at_limit &= (value > 0.0) if kind == TURNING else (value < 0.0)
        unknown = np.where(at_limit, thickest, unknown)
    # from here on, only what is not found yet is evaluated
    left = np.flatnonzero(~at_limit)
    checked = everything
    for _ in range(_CORRECTIONS):
        unknown[left] = bracketed_newton_by_index(
            partial(among, left),
            low[left],
            high[left],
            unknown[left],
            absolute=1e-11,
            newton=1e-6,
        )
        part = frame if checked.size == everything.size else frame.take(checked)
        exact = make_course(kind, part, unknown[checked]).thickness_nm()
        ratio[checked] = exact / thickness_nm[checked]
        left = np.flatnonzero(~at_limit & (np.abs(ratio - 1.0) > 2.0 * _RELATIVE))
        checked = left
        if left.size == 0:
            break
        goal[left] /= ratio[left]
    return unknown, np.where(at_limit, np.maximum(thickness_nm * (1.0 - ratio), 0.0), 0.0)
