r"""A layer of finite thickness between two potentials, by its first integral.

With u in kT and a pivot w, ``(du/dx)² = h(u) + c``, ``h(u) = (2/(eps kT²)) [Π(u) − Π(w)]``.
Three courses exist (physics.md section 4):

- *across*: the ends lie on opposite sides of neutrality; w is the neutral potential and c > 0;
- *along*: on one side, or without neutral bulk, and thinner than L*; w is the end nearer to
  neutrality and c ≥ 0;
- *turning*: on one side and thicker than L*; c = 0 and w is the turning point beyond that end.

The thickness is monotonic in the one unknown (ln c, or the place of w), found inside a bracket.
Expanding the densities about w itself keeps h free of cancellation, and the substitutions
``|u − w| = s sinh(t)`` (across) or ``s (cosh(t) − 1)`` remove the inverse roots and make constant
what the linear Poisson–Boltzmann equation integrates. A layer so thick that c would underflow has
a neutral plateau of the missing length at w.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from .bulk import Bulk
from .densities import Thermodynamics, expand
from .phase import Array, BoolArray, IntArray
from .quadrature import integrate
from .roots import bracketed_newton, bracketed_root

_RELATIVE = 1e-9
_LOG_SMALLEST = -600.0
"""Logarithm of the smallest c (per nm²) told from 0."""

_LOG_NEAREST = -80.0
_LOG_FARTHEST = 300.0
_LARGEST_EXPONENT = 36
"""Without neutral bulk, turning points up to e^36 kT away are looked for."""

ACROSS, ALONG, TURNING = 0, 1, 2


@dataclass(frozen=True)
class Frame:
    """N layers with potentials counted in kT from an origin: phi_0, or without it one end.

    Attributes
    ----------
    level_eV, origin_V : array (N,)
        Fermi level above the VBM at the origin, and its potential.
    state : Thermodynamics
        The phase about the origin.
    near, far : array (N,)
        u of the end nearer to neutrality and of the other (for `ACROSS`: of the left, the right).
    direction : array (N,)
        Sign of u growing away from neutrality (for `ACROSS`: from the left to the right).
    reversed : array of bool (N,)
        Whether the far end is the left one.
    neutral, across : array of bool (N,)
        Whether the origin is neutral, and whether the ends lie on opposite sides of it.
    """

    bulk: Bulk
    level_eV: Array
    origin_V: Array
    state: Thermodynamics
    near: Array
    far: Array
    direction: Array
    reversed: BoolArray
    neutral: BoolArray
    across: BoolArray

    def take(self, index: IntArray) -> Frame:
        """The layers at `index`."""
        return Frame(*(_at(getattr(self, field.name), index) for field in fields(self)))


def _at(value: Any, index: IntArray) -> Any:
    return value.take(index) if isinstance(value, Thermodynamics) else value[index]


def make_frame(bulk: Bulk, left_V: Array, right_V: Array) -> Frame:
    """Choose origin and ends of layers (N,)."""
    neutral = bulk.has_neutral_bulk
    kT = expand(
        bulk.phase, temperature_K=bulk.temperature_K, mu_eV=bulk.mu_eV, level_eV=0.0 * left_V
    ).kT_eV
    # without a neutral bulk the charge has one sign, which tells the end of lower pressure
    at_left = bulk.thermodynamics(left_V)
    away = -np.sign(at_left.residual_charge_nm3)
    lower_end = np.where((right_V - left_V) * away >= 0.0, left_V, right_V)
    origin = np.where(neutral, bulk.neutral_potential_V, lower_end)
    level = np.where(neutral, bulk.fermi_level_eV, bulk.level_at(lower_end))
    state = _about(bulk, level, np.where(neutral, 0.0, np.nan))
    residual = bulk.thermodynamics(origin).residual_charge_nm3
    state = replace(state, residual_charge_nm3=np.where(neutral, 0.0, residual))
    left, right = (left_V - origin) / kT, (right_V - origin) / kT
    right = np.where(neutral & (left == 0.0) & (right == 0.0), 1e-30, right)
    across = neutral & (left * right <= 0.0)
    flipped = np.where(
        across, False, np.where(neutral, np.abs(left) > np.abs(right), lower_end != left_V)
    )
    near, far = np.where(flipped, right, left), np.where(flipped, left, right)
    direction = np.sign(far - near)
    direction = np.where(direction == 0.0, np.where(neutral, np.sign(near), away), direction)
    return Frame(bulk, level, origin, state, near, far, direction, flipped, neutral, across)


def _about(bulk: Bulk, level_eV: Array, residual: Array) -> Thermodynamics:
    state = expand(
        bulk.phase, temperature_K=bulk.temperature_K, mu_eV=bulk.mu_eV, level_eV=level_eV
    )
    return replace(state, residual_charge_nm3=residual)


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
        if self.kind == ACROSS:
            return -np.arcsinh(self.near / self.scale), np.arcsinh(self.far / self.scale)
        return tuple(  # type: ignore[return-value]
            2.0 * np.arcsinh(np.sqrt(v / (2.0 * self.scale))) for v in (self.near, self.far)
        )

    def slope(self, u: Array, index: IntArray | None = None) -> Array:
        """|du/dx| (per nm) at distances u from the pivot, with sign."""
        state = self.state if index is None else self.state.take(index)
        constant = self.constant if index is None else self.constant[index]
        pressure, _ = state.evaluate(u)
        return np.sqrt(2.0 * pressure / (state.permittivity_e_V_nm * state.kT_eV**2) + constant)

    def place(self, t: Array, index: IntArray | None = None) -> tuple[Array, Array]:
        """Return u − w at t, and d|u − w|/dt."""
        scale, direction = self.scale, self.frame.direction
        if index is not None:
            scale, direction = scale[index], direction[index]
        if self.kind == ACROSS:
            return direction * scale * np.sinh(t), scale * np.cosh(t)
        return direction * 2.0 * scale * np.sinh(t / 2.0) ** 2, scale * np.sinh(t)

    def lengths(self, low: Array, high: Array) -> tuple[Array, Array]:
        """Thickness and resistance (nm·cm/S) of the stretches between `low` and `high` (P, N)."""

        def integrand(t: Array, index: IntArray | None) -> tuple[Array, Array]:
            u, jacobian = self.place(t, index)
            state = self.state if index is None else self.state.take(index)
            constant = self.constant if index is None else self.constant[index]
            pressure, _, sigma = state.evaluate_conduction(u)
            squared = 2.0 * pressure / (state.permittivity_e_V_nm * state.kT_eV**2) + constant
            dx = jacobian / _positive(np.sqrt(squared))
            with np.errstate(divide="ignore", over="ignore"):
                return dx, dx / np.where(sigma > 0.0, sigma, np.inf)

        x, r = integrate(
            integrand, low, high, relative=(_RELATIVE, _RELATIVE), of_panel=(False, False)
        )
        return x, r

    def log_thickness_and_slope(self) -> tuple[Array, Array]:
        """Return ln L and d ln L/d ln c = −(c/2L) ∫ du/(h + c)^(3/2), for `ACROSS` and `ALONG`."""

        def integrand(t: Array, index: IntArray | None) -> tuple[Array, Array]:
            u, jacobian = self.place(t, index)
            slope = _positive(self.slope(u, index))
            constant = self.constant if index is None else self.constant[index]
            dx = jacobian / slope
            return dx, dx * (constant / slope) / slope

        x, falls = integrate(
            integrand, *self._panels, relative=(_RELATIVE, 1e-4), of_panel=(False, False)
        )
        thickness = x[0] + x[1]
        return np.log(thickness), -0.5 * (falls[0] + falls[1]) / thickness

    @property
    def _panels(self) -> tuple[Array, Array]:
        first, last = self.ends
        if self.kind == ACROSS:
            return np.stack([first, 0.0 * last]), np.stack([0.0 * first, last])
        return np.stack([0.0 * first, first]), np.stack([first, last])

    def thickness_nm(self) -> Array:
        """Thickness of the whole layer."""

        def integrand(t: Array, index: IntArray | None) -> tuple[Array]:
            u, jacobian = self.place(t, index)
            return (jacobian / _positive(self.slope(u, index)),)

        (x,) = integrate(integrand, *self._panels, relative=(_RELATIVE,), of_panel=(False,))
        return np.asarray((2.0 if self.kind == TURNING else 1.0) * x[0] + x[1])


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
        growth = np.exp(np.minimum(unknown, 700.0))
        pivot = np.where(frame.neutral, frame.near / (1.0 + growth), -frame.direction * growth)
        beyond = np.where(frame.neutral, np.abs(frame.near) / (1.0 + 1.0 / growth), growth)
    _, charge = frame.state.evaluate(pivot)
    state = _about(frame.bulk, frame.level_eV + frame.state.kT_eV * pivot, charge)
    scale = np.where(frame.neutral, np.minimum(np.abs(pivot), 1.0), 1.0)
    far = beyond + np.abs(frame.far - frame.near)
    return Course(kind, frame, state, pivot, constant, scale, beyond, far)


def _farthest(frame: Frame, log_thickness: Array) -> Array:
    """Upper end of the bracket of the turning point's unknown."""
    high = np.where(frame.neutral, _LOG_FARTHEST, 1.0)
    for _ in range(_LARGEST_EXPONENT):
        if np.all(frame.neutral):
            break
        short = np.log(make_course(TURNING, frame, high).thickness_nm()) < log_thickness
        if not np.any(short & ~frame.neutral):
            break
        high = np.where(short & ~frame.neutral, high + 1.0, high)
    return high


def solve_course(kind: int, frame: Frame, thickness_nm: Array) -> tuple[Array, Array]:
    """Find the unknown of layers of one kind, and the length of the neutral plateau."""
    log_thickness = np.log(thickness_nm)

    def excess(unknown: Array) -> Array:
        return np.log(make_course(kind, frame, unknown).thickness_nm()) - log_thickness

    def excess_and_slope(unknown: Array) -> tuple[Array, Array]:
        value, slope = make_course(kind, frame, unknown).log_thickness_and_slope()
        return value - log_thickness, slope

    if kind == TURNING:
        low = np.full_like(thickness_nm, _LOG_NEAREST)
        high = thickest = _farthest(frame, log_thickness)
    else:
        high = 2.0 * np.log(np.abs(frame.far - frame.near) / thickness_nm)
        low = np.minimum(high - 50.0, _LOG_SMALLEST) if kind == ACROSS else high - 100.0
        thickest = low
    if kind == TURNING:
        unknown = bracketed_root(excess, low, high, absolute=1e-12)
    else:
        # a uniform field, which the upper end stands for, is a good guess for a thin layer
        unknown = bracketed_newton(excess_and_slope, low, high, high, absolute=1e-12)
        unknown = np.where(excess(low) < 0.0, low, unknown)
    plateau = np.zeros_like(unknown)
    at_limit = frame.neutral & (unknown == thickest)
    if kind != ALONG and np.any(at_limit):
        missing = thickness_nm - make_course(kind, frame, unknown).thickness_nm()
        plateau = np.where(at_limit, np.maximum(missing, 0.0), 0.0)
    return unknown, plateau
