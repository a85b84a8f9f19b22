r"""A layer of finite thickness between two potentials, by its first integral.

With u in kT and a pivot w, ``(du/dx)² = h(u) + c``, ``h(u) = (2/(eps kT²)) [Π(u) − Π(w)]``.
Three branches exist (physics.md section 4):

- *across*: the ends lie on opposite sides of neutrality; w is the neutral potential and c > 0;
- *along*: on one side, or without neutral bulk, and thinner than L*; w is the end nearer to
  neutrality and c ≥ 0;
- *turning*: on one side and thicker than L*; c = 0 and w is the turning point beyond that end.

Where equal ends carry so little charge that nothing bends, a layer is *flat* and needs no branch.

The thickness is monotonic in the one unknown (ln c, or the place of w), found inside a bracket
(see `layer_solution`). Where w is given, h at the nodes of a quadrature serves every c.
Expanding the densities about w itself keeps h free of cancellation, and the substitutions
``|u − w| = s sinh(t)`` (across) or ``s (cosh(t) − 1)`` remove the inverse roots and make constant
what the linear Poisson–Boltzmann equation integrates. A layer so thick that c would underflow has
a neutral plateau of the missing length at w.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from ..densities import Thermodynamics, saturation_marks
from ..numerics.quadrature import NODES, integrate, kronrod, kronrod_and_error
from ..phase import Array, IntArray
from .layer_reference import LayerReference, described_about

_RELATIVE = 1e-8
_LARGEST_REDUCED = 1200.0
_LOG_LARGE = 20.0

_MARKS = (0.03, 1.0, 5.0, 25.0)
"""Distances from the pivot (kT) between which the integrands are smooth but at saturation."""

_MOST = 1e290
INFINITE = 1e270
"""Where nothing conducts, an integrand is the first of these; resistances beyond the second are
infinite."""

_BENDS = (4.0, 64.0, 1024.0)
"""Where panels end about the distance from the pivot at which h has grown to c."""

ACROSS, ALONG, TURNING, FLAT = 0, 1, 2, 3


@dataclass(frozen=True)
class Branch:
    """The solutions of N layers of one branch, in the reference of their pivots.

    The distance |u − w| is ``scale·sinh(t)`` across and ``2·scale·sinh²(t/2)`` otherwise.

    Attributes
    ----------
    state : Thermodynamics
        The phase about the pivot.
    direction : array (N,)
        Sign of u growing towards the far end.
    pivot : array (N,)
        w.
    constant : array (N,)
        c in nm⁻².
    near, far : array (N,)
        Distances (kT) of the two ends from the pivot.
    """

    kind: int
    state: Thermodynamics
    direction: Array
    pivot: Array
    constant: Array
    scale: Array
    near: Array
    far: Array

    def take(self, index: slice | IntArray) -> Branch:
        """Return the layers at `index`."""
        arrays = (getattr(self, field.name)[index] for field in fields(self)[2:])
        return Branch(self.kind, self.state.take(index), *arrays)

    @property
    def ends(self) -> tuple[Array, Array]:
        """Values of t at the near and the far end; the near one is negative across."""
        near, far = self._t(self.near), self._t(self.far)
        return (-near if self.kind == ACROSS else near), far

    def _t(self, distance: Array) -> Array:
        if self.kind == ACROSS:
            return np.arcsinh(distance / self.scale)
        return 2.0 * np.arcsinh(np.sqrt(distance / (2.0 * self.scale)))

    def panels(self, *more: Array) -> Panels:
        """Ends of the panels in t, and how often each is passed from end to end.

        `more` are distances from the pivot (N,) where the integrands bend besides.
        """
        if self.kind == ACROSS:
            before = -self._edges(self.near, -self.direction)[::-1]
            edges = np.concatenate([before, self._edges(self.far, self.direction)[1:]])
        else:
            edges = self._edges(self.far, self.direction, self.near, *more)
        low, high = edges[:-1].T, edges[1:].T
        layer, row = np.nonzero(high > low)
        low, high = low[layer, row], high[layer, row]
        times = np.ones_like(low)
        if self.kind == TURNING:
            times[high <= self._t(self.near)[layer]] = 2.0
        return Panels(layer, low, high, times, self.near.size)

    def _edges(self, last: Array, sign: Array, *more: Array) -> Array:
        rows = [0.0 * last, last, *(np.minimum(row, last) for row in more)]
        fixed = [np.asarray(mark) for mark in _MARKS]
        if self.kind != ALONG:
            # what bends within it is the work of c, or takes a scale much smaller still
            fixed[0] = np.where(self.scale < 0.1 * _MARKS[0], _MARKS[0], np.inf)
        for mark in fixed + saturation_marks(self.state, sign):
            if np.any(mark < last):
                rows.append(np.minimum(mark, last))
        return self._t(np.sort(np.stack(rows), axis=0))

    def from_pivot(self, t: Array) -> tuple[Array, Array]:
        """Return u − w at t, and d|u − w|/dt."""
        scale, direction = self.scale, self.direction
        if self.kind == ACROSS:
            return direction * scale * np.sinh(t), scale * np.cosh(t)
        return direction * 2.0 * scale * np.sinh(t / 2.0) ** 2, scale * np.sinh(t)

    def field(self, u: Array) -> tuple[Array, Array]:
        """|du/dx| (per nm) at distances u from the pivot, with sign, and dh/du there."""
        pressure, charge = self.state.evaluate(u)
        unit = self._unit
        return np.sqrt(unit * pressure + self.constant), -unit * self.state.kT_eV * charge

    @property
    def _unit(self) -> Array:
        """Contribution of a unit pressure to h."""
        return 2.0 / (self.state.permittivity_e_V_nm * self.state.kT_eV**2)

    @property
    def _growth_at_pivot(self) -> Array:
        return -self._unit * self.state.kT_eV * self.state.residual_charge_nm3

    def _bends(self) -> list[Array]:
        """Return where h takes over from a small c of `ALONG`, the source of the slope with c."""
        if self.kind != ALONG or not np.any(self.constant > 0.0):
            return []
        with np.errstate(divide="ignore", invalid="ignore"):
            equal = self.constant / np.abs(self._growth_at_pivot)
        equal = np.where(np.isfinite(equal), equal, np.inf)
        return [factor * equal for factor in _BENDS]

    def stiffness(self) -> tuple[Array, Array, Array]:
        """Slopes of |du/dx| at the near and the far end with |u − w| there, at fixed thickness.

        The third is that of either with the other end's, which is the same for both.

        With ``F² = g + C`` at an end, ``dF/dv = (g' + dC/dv)/2F`` and ``dC/dv`` keeps L constant.
        The near end of `ALONG` is its pivot; a move of it away from neutrality shortens the way.
        There g' and dC/dv all but cancel for a small C, so that the sum has a formula of its own.
        """
        _, by_unknown = self.thickness_and_slope()
        direction = self.direction
        near_side = -direction if self.kind == ACROSS else direction
        if self.kind == TURNING:
            by_unknown = by_unknown / (direction * self._growth_at_pivot)
        slopes, fields_ = [], []
        for side, distance in ((near_side, self.near), (direction, self.far)):
            field, growth = self.field(side * distance)
            fields_.append(field)
            slopes.append((side * growth - 1.0 / (field * by_unknown)) / (2.0 * field))
        if self.kind == ALONG:
            slopes[0] = self._slope_with_near() / (2.0 * np.sqrt(self.constant) * by_unknown)
        return slopes[0], slopes[1], 0.5 / np.abs(fields_[0] * fields_[1] * by_unknown)

    def _at_nodes(self) -> tuple[Panels, Branch, Array, Array, Array, Array, Array]:
        """Return panels of a slope, layers, half widths, u − w, d|u − w|/dt, |du/dx|, dh/du."""
        panels = self.panels(*self._bends())
        part = self.take(panels.layer)
        half = 0.5 * (panels.high - panels.low)
        u, dx = part.from_pivot(panels.low + half * (1.0 + NODES[:, None]))
        field, growth = part.field(u)
        return panels, part, half, u, dx, _positive(field), growth

    def _slope_with_near(self) -> Array:
        """dL/dv of the near end of `ALONG` at fixed field there.

        With places at fixed shares of the way V moving along, it is
        ``−∫ [1/V + (h'(v)(1 − v/V) − h'(0))/(2F²)] dv/F``.
        """
        panels, part, half, u, dx, field, growth = self._at_nodes()
        rest = 1.0 - np.abs(u) / part.far
        change = part.direction * (growth * rest - part._growth_at_pivot)
        sample = (1.0 / part.far + change / (2.0 * field * field)) * dx / field
        return -panels.sum(half * kronrod(sample))

    def samples(self, *, conduction: bool = True) -> Samples:
        """Return all that does not depend on c, at the nodes of the plain rule."""
        panels = self.panels()
        part = self.take(panels.layer)
        half = 0.5 * (panels.high - panels.low)
        u, weight = part.from_pivot(panels.low + half * (1.0 + NODES[:, None]))
        weight *= half
        sigma = None
        if conduction:
            pressure, sigma = part.state.evaluate_conduction(u)
        else:
            pressure = part.state.pressure(u)
        pressure *= part._unit
        return Samples(self, panels, weight, pressure, sigma)

    def lengths(
        self,
        low: Array,
        high: Array,
        limits: Sequence[Array] | None = None,
        *,
        conduction: bool = True,
    ) -> Array:
        """Thickness and resistance (nm·cm/S) of the stretches (N,) between `low` and `high`.

        Their errors are below `limits`, or by default below 1e-8 of each. Without `conduction`
        the thickness is all.
        """
        count = 2 if conduction else 1

        def integrand(index: slice | IntArray) -> Callable[[Array], tuple[Array, ...]]:
            part = self.take(index)

            def values(t: Array) -> tuple[Array, ...]:
                u, jacobian = part.from_pivot(t)
                if not conduction:
                    pressure = part.state.pressure(u)
                    return (jacobian / _positive(np.sqrt(part._unit * pressure + part.constant)),)
                pressure, sigma = part.state.evaluate_conduction(u)
                dx = jacobian / _positive(np.sqrt(part._unit * pressure + part.constant))
                return dx, _over(dx, sigma)

            return values

        relative = _RELATIVE if limits is None else 0.0
        parts = integrate(
            integrand,
            low[None],
            high[None],
            relative=(relative,) * count,
            of_panel=(True,) * count,
            absolute=limits,
        )
        return np.concatenate(parts)

    def thickness_and_slope(self) -> tuple[Array, Array]:
        """Thickness by the plain rule, and its slope with c, or with the pivot's distance.

        With c it is ``−½∫ dv/(h + c)^(3/2)``. When the turning point moves away by δ, places at
        fixed shares v/V of each way V move along, and
        ``dL/dδ = Σ_V ∫ [1/V − (∂h/∂δ)/(2h)] dv/√h``.
        """
        panels, part, half, u, dx, field, growth = self._at_nodes()
        dx /= field
        field *= field
        thickness = half * kronrod(dx)
        if self.kind != TURNING:
            return panels.sum(panels.times * thickness), panels.sum(
                -0.5 * half * kronrod(dx / field)
            )
        growth /= field
        at_pivot = part._growth_at_pivot / field
        bend, slopes = growth - at_pivot, np.zeros_like(half)
        np.abs(u, out=u)
        bent = growth * u
        for way in (part.near, part.far):
            within = half * (panels.high <= part._t(way))
            each = np.divide(1.0, way, out=np.zeros_like(way), where=way > 0.0)
            moved = (0.5 * part.direction) * (bend - bent * each)
            slopes += within * kronrod(dx * (each + moved))
        return panels.sum(panels.times * thickness), panels.sum(slopes)


@dataclass(frozen=True)
class Panels:
    """M panels in t of N layers, ordered by layer; each is passed `times` times."""

    layer: IntArray
    low: Array
    high: Array
    times: Array
    count: int

    def sum(self, values: Array) -> Array:
        """Sum (N,) over the panels of each layer."""
        return np.asarray(np.bincount(self.layer, values, self.count), dtype=np.float64)


@dataclass(frozen=True)
class Samples:
    """Integrands of N layers at the nodes (15, M) of their panels, for any c.

    Attributes
    ----------
    weight, squared, sigma : array (15, M)
        |du| per node's weight, h, and the conductivity where it is asked for.
    """

    branch: Branch
    panels: Panels
    weight: Array
    squared: Array
    sigma: Array | None

    def thickness_and_slope(self, constant: Array) -> tuple[Array, Array]:
        """Thickness by the plain rule, and its slope with c (N,)."""
        squared = self.squared + constant[self.panels.layer]
        dx = self.weight / _positive(np.sqrt(squared))
        squared[squared == 0.0] = np.inf
        slope = kronrod(dx / squared)
        return self.panels.sum(kronrod(dx)), self.panels.sum(-0.5 * slope)

    def thickness_and_resistance(self, constant: Array) -> tuple[Array, Array]:
        """Integrate whole layers to the relative tolerance; R is 0 without a conductivity."""
        panels = self.panels
        dx = self.weight / _positive(np.sqrt(self.squared + constant[panels.layer]))
        integrands = [dx] if self.sigma is None else [dx, _over(dx, self.sigma)]
        sums, limits = [], []
        bad = np.zeros(panels.low.shape, dtype=bool)
        for sample in integrands:
            value, error = kronrod_and_error(sample)
            limit = _RELATIVE * panels.sum(np.abs(value))[panels.layer]
            bad |= error > limit
            sums.append(value)
            limits.append(limit)
        where = np.flatnonzero(bad)
        if where.size:
            middle = 0.5 * (panels.low[where] + panels.high[where])
            halves = np.concatenate([where, where])
            part = replace(self.branch, constant=constant).take(panels.layer[halves])
            found = part.lengths(
                np.concatenate([panels.low[where], middle]),
                np.concatenate([middle, panels.high[where]]),
                [limit[halves] for limit in limits],
                conduction=self.sigma is not None,
            )
            for value, one in zip(sums, found, strict=True):
                value[where] = one[: where.size] + one[where.size :]
        thickness = panels.sum(panels.times * sums[0])
        if self.sigma is None:
            return thickness, np.zeros_like(thickness)
        return thickness, panels.sum(panels.times * sums[1])


def _over(dx: Array, sigma: Array) -> Array:
    """Resistance of lengths, capped where the carriers have run out: infinities mean nothing."""
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        return np.where(dx > 0.0, np.minimum(dx / sigma, _MOST), 0.0)


def _positive(slope: Array) -> Array:
    # an empty panel at a turning point: jacobian and slope vanish there together
    return np.where(slope > 0.0, slope, np.inf)


def log_sinh(size: Array) -> Array:
    """Ln sinh of what is not negative."""
    with np.errstate(divide="ignore"):
        return size + np.log(-0.5 * np.expm1(-2.0 * size))


def make_branch(kind: int, reference: LayerReference, unknown: Array) -> Branch:
    """Return the branch of a kind for its unknown: ln c, or the place of the turning point."""
    if kind == ACROSS:
        constant = np.exp(unknown)
        debye = reference.bulk.debye_length_nm
        return Branch(
            kind,
            reference.state,
            reference.direction,
            np.zeros_like(unknown),
            constant,
            np.minimum(debye * np.sqrt(constant), 1.0),
            np.abs(reference.near),
            np.abs(reference.far),
        )
    if kind == ALONG:
        pivot, constant = reference.near, np.exp(unknown)
        beyond = np.zeros_like(unknown)
    else:
        constant = np.zeros_like(unknown)
        pivot, beyond, _ = from_turning_point(reference, unknown)
    _, charge = reference.state.evaluate(pivot)
    state = described_about(
        reference.bulk, reference.level_eV + reference.state.kT_eV * pivot, charge
    )
    scale = np.where(reference.neutral, np.minimum(np.abs(pivot), 1.0), 1.0)
    far = beyond + np.abs(reference.far - reference.near)
    return Branch(kind, state, reference.direction, pivot, constant, scale, beyond, far)


def from_turning_point(reference: LayerReference, unknown: Array) -> tuple[Array, Array, Array]:
    """Turning point, its distance from the near end, and the slope of that with the unknown.

    With a neutral bulk the unknown is ln(sinh(near/2)/sinh(u/2) − 1), in which the thickness is
    smooth from the near end down to neutrality; without one it is the logarithm of the distance.
    """
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        growth, near = np.exp(unknown), np.abs(reference.near)
        log_growth = np.logaddexp(0.0, unknown)
        log_second = log_sinh(0.5 * near) - log_growth
        first = np.sinh(0.5 * np.minimum(near, _LARGEST_REDUCED))
        second = first / (1.0 + growth)
        half = second * growth
        rest = first * np.hypot(1.0, second) + second * np.hypot(1.0, first)
        distance = 2.0 * np.arcsinh(half * (first + second) / rest)
        # hyperbolic functions of both potentials would overflow: there they are exponentials
        far_off = near > 0.5 * _LARGEST_REDUCED
        reduced = np.where(
            log_second > _LOG_LARGE,
            2.0 * (log_second + np.log(2.0)),
            2.0 * np.arcsinh(np.exp(np.minimum(log_second, _LOG_LARGE))),
        )
        by_logarithms = np.where(log_second > _LOG_LARGE, 2.0 * log_growth, near - reduced)
        distance = np.where(far_off, by_logarithms, distance)
        share = 1.0 / np.sqrt(1.0 + np.exp(-2.0 * log_second))
        slope = 2.0 * share * np.exp(unknown - log_growth)
        slope = np.where(np.isfinite(slope), slope, 0.0)
    turning_point = np.copysign(
        np.where(far_off, reduced, 2.0 * np.arcsinh(second)), reference.near
    )
    return (
        np.where(reference.neutral, turning_point, -reference.direction * growth),
        np.where(reference.neutral, distance, growth),
        np.where(reference.neutral, slope, growth),
    )
