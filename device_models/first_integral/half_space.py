r"""Space charge of a thick phase at a contact, by its first integral (physics.md section 4).

With u = (phi − phi_0)/kT and ΔΠ of `densities`, the field is ``sqrt(2 ΔΠ/eps)``, the charge of
the layer ``−sgn(u) sqrt(2 eps ΔΠ)``, and distances and resistances are integrals over u:
``x = ∫ dphi/|dphi/dx|`` and ``R_scl = ∫ (1/sigma − 1/sigma_bulk) dphi/|dphi/dx|``. No grid.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ..bulk import Bulk
from ..constants import CAPACITANCE_UF_CM2, NM_CM
from ..densities import Thermodynamics, saturation_marks
from ..numerics.quadrature import Integrand, integrate
from ..numerics.roots import bracketed_newton_by_index
from ..phase import Array, IntArray
from ..profile import Profile, profile_of

_CHUNK = 4096
"""Contacts treated together: fewer cost more calls, more cost memory."""

_RELATIVE = 1e-8
_MARKS = (0.0, 0.01, 0.1, 0.5, 1.0)
_SMALLEST = 1e-9
"""Drops below this (in kT) have the profile of this one, which is linear to double precision."""


@dataclass(frozen=True)
class HalfSpace:
    """The space charge of a thick phase whose potential at the contact is given.

    Attributes
    ----------
    bulk : Bulk
        The phase; batch shape (...).
    contact_potential_V : array (...)
        phi at the contact.
    sheet_charge_e_nm2 : array (...)
        Charge of the layer per area.
    field_V_nm : array (...)
        Magnitude of the field at the contact.
    differential_capacitance_uF_cm2, integral_capacitance_uF_cm2 : array (...)
        |d(sheet charge)/d(phi)| and |sheet charge/(phi − phi_0)|.
    x50_nm, x90_nm, x99_nm : array (...)
        Distances from the contact within which 50, 90 and 99 % of the drop occur.
    space_charge_ohm_cm2 : array (...)
        R_scl; NaN where nothing conducts, infinite where it exceeds the largest number.
    depletion_ohm_cm2 : array (...)
        The part of R_scl from where the phase conducts worse than its bulk, never negative.
    """

    bulk: Bulk
    contact_potential_V: Array
    sheet_charge_e_nm2: Array
    field_V_nm: Array
    differential_capacitance_uF_cm2: Array
    integral_capacitance_uF_cm2: Array
    x50_nm: Array
    x90_nm: Array
    x99_nm: Array
    space_charge_ohm_cm2: Array
    depletion_ohm_cm2: Array

    def depletion_within_ohm_cm2(self, distance_nm: ArrayLike) -> Array:
        """Return the part of `depletion_ohm_cm2` from within a distance (...) of the contact."""
        distance = np.asarray(distance_nm, dtype=np.float64)
        shape = np.broadcast_shapes(self.contact_potential_V.shape, distance.shape)
        count = int(np.prod(shape, dtype=int))
        result = np.broadcast_to(self.depletion_ohm_cm2, shape).ravel().copy()
        flat = self.bulk.ravel(shape)
        contact = np.broadcast_to(self.contact_potential_V, shape).ravel()
        end = np.broadcast_to(self.potential_V(distance[..., None])[..., 0], shape).ravel()
        conducts = np.isfinite(result) | np.isposinf(result)
        for start in range(0, count, _CHUNK):
            some = start + np.flatnonzero((conducts & np.isfinite(end))[start : start + _CHUNK])
            if some.size:
                part = flat[some]
                state = part.thermodynamics()
                u, rest = (
                    (potential[some] - part.neutral_potential_V) / state.kT_eV
                    for potential in (contact, end)
                )
                result[some] = _distances_and_resistance(
                    state, u, part.conductivity_S_cm, part.debye_length_nm, np.abs(rest)
                )[4]
        return result.reshape(shape)

    def distance_nm(self, potential_V: ArrayLike) -> Array:
        """Distance from the contact at which a potential is reached.

        Parameters
        ----------
        potential_V : array (..., P)
            Potentials between phi_0 and that of the contact.

        Returns
        -------
        array (..., P)
            Infinite at phi_0, NaN outside.
        """
        potential = np.asarray(potential_V, dtype=np.float64)
        shape = np.broadcast_shapes((*self.contact_potential_V.shape, 1), potential.shape)
        flat, contact = self._points(shape)
        state = flat.thermodynamics()
        u = (contact - flat.neutral_potential_V) / state.kT_eV
        target = (
            np.broadcast_to(potential, shape).ravel() - flat.neutral_potential_V
        ) / state.kT_eV
        sign = np.where(u < 0.0, -1.0, 1.0)
        largest, v = np.abs(u), target * sign
        inside = (v > 0.0) & (v <= largest * (1.0 + 1e-14))
        result = np.where(v == 0.0, np.inf, np.nan)
        if np.any(inside):
            result[inside] = _distance(
                state.take(inside), sign[inside], v[inside], np.maximum(largest, v)[inside]
            )
        return result.reshape(shape)

    def potential_V(self, distance_nm: ArrayLike) -> Array:
        """Potential at distances (..., P) from the contact; the inverse of `distance_nm`."""
        distance = np.asarray(distance_nm, dtype=np.float64)
        shape = np.broadcast_shapes((*self.contact_potential_V.shape, 1), distance.shape)
        flat, contact = self._points(shape)
        state = flat.thermodynamics()
        u = (contact - flat.neutral_potential_V) / state.kT_eV
        result = contact.copy()
        target = np.broadcast_to(distance, shape).ravel()
        moved = np.flatnonzero((target > 0.0) & (u != 0.0))
        if moved.size:
            log_u = _log_u_at(
                state.take(moved), u[moved], target[moved], flat.debye_length_nm[moved]
            )
            shift = np.sign(u[moved]) * np.exp(log_u) * state.kT_eV[moved]
            result[moved] = flat.neutral_potential_V[moved] + shift
        return np.where(target >= 0.0, result, np.nan).reshape(shape)

    def profile(self, points: int = 401) -> Profile:
        """Profile from the contact to within 0.025 % of the drop from phi_0.

        Parameters
        ----------
        points : int
            How many; steps in phi are at most 1 % of the drop from 401 points on.
        """
        shape = self.contact_potential_V.shape
        flat = self.bulk.ravel(shape)
        state = flat.thermodynamics()
        u = (self.contact_potential_V.ravel() - flat.neutral_potential_V) / state.kT_eV
        even = points * 9 // 16
        share = np.concatenate(
            [np.linspace(1.0, 0.1, even), np.geomspace(0.1, 2.5e-4, points - even + 1)[1:]]
        )
        sign = np.where(u < 0.0, -1.0, 1.0)
        v = share[:, None] * np.maximum(np.abs(u), _SMALLEST)
        lengths = np.empty((points - 1, u.size))
        together = max(1, _CHUNK // points)
        for start in range(0, u.size, together):
            some = np.arange(start, min(start + together, u.size))
            (lengths[:, some],) = integrate(
                _length_integrand(state.take(some), sign[some]),
                v[1:, some],
                v[:-1, some],
                relative=(_RELATIVE,),
                of_panel=(True,),
                geometric=True,
            )
        x = np.concatenate([np.zeros((1, u.size)), np.cumsum(lengths, axis=0)])
        phi = flat.neutral_potential_V + share[:, None] * u * state.kT_eV
        return profile_of(state, x, phi, share[:, None] * u, shape)

    def _points(self, shape: tuple[int, ...]) -> tuple[Bulk, Array]:
        """Return the bulk and the potential at the contact of every point of `shape` (..., P)."""
        contact = np.broadcast_to(self.contact_potential_V[..., None], shape).ravel()
        count = int(np.prod(self.contact_potential_V.shape, dtype=int))
        index = np.broadcast_to(
            np.arange(count).reshape((*self.contact_potential_V.shape, 1)), shape
        ).ravel()
        return self.bulk.ravel(self.contact_potential_V.shape)[index], contact


def half_space(bulk: Bulk, contact_potential_V: ArrayLike) -> HalfSpace:
    """Solve the space charge of thick phases.

    Parameters
    ----------
    bulk : Bulk
        Batch shape that broadcasts with the potentials'.
    contact_potential_V : array (...)
        phi at the contact, on the zero of physics.md.

    Returns
    -------
    HalfSpace
        NaN where the phase has no neutral bulk.
    """
    potential = np.asarray(contact_potential_V, dtype=np.float64)
    shape = np.broadcast_shapes(bulk.shape, potential.shape)
    flat = bulk.ravel(shape)
    potential = np.broadcast_to(potential, shape)
    results = np.full((9, flat.shape[0]), np.nan)
    solvable = flat.has_neutral_bulk & np.isfinite(potential.ravel())
    everything = bool(np.all(solvable))
    for start in range(0, flat.shape[0], _CHUNK):
        where: slice | IntArray = slice(start, start + _CHUNK)
        if not everything:
            where = start + np.flatnonzero(solvable[start : start + _CHUNK])
        part = flat[where]
        if part.shape[0]:
            results[:, where] = _solve(part, potential.ravel()[where])
    whole = bulk if bulk.shape == shape else _reshaped(flat, shape)
    return HalfSpace(whole, potential, *(row.reshape(shape) for row in results))


def sheet_charge_e_nm2(bulk: Bulk, contact_potential_V: Array) -> tuple[Array, Array]:
    """Charge of the space charges of bulks (N,) at the contact's potentials, and its slope."""
    state = bulk.thermodynamics()
    u = (contact_potential_V - bulk.neutral_potential_V) / state.kT_eV
    pressure, density = state.evaluate(u)
    charge = -np.sign(u) * np.sqrt(2.0 * state.permittivity_e_V_nm * pressure)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = -state.permittivity_e_V_nm * density / charge
    linear = -state.permittivity_e_V_nm / bulk.debye_length_nm
    return charge, np.where(np.abs(u) < _SMALLEST, linear, slope)


def _reshaped(flat: Bulk, shape: tuple[int, ...]) -> Bulk:
    return flat[np.arange(flat.shape[0]).reshape(shape)]


def _solve(bulk: Bulk, potential_V: Array) -> Array:
    state = bulk.thermodynamics()
    u = (potential_V - bulk.neutral_potential_V) / state.kT_eV
    pressure, charge = state.evaluate(u)
    state = state.without_faint_bands(u)
    field = np.sqrt(2.0 * pressure / state.permittivity_e_V_nm)
    linear = state.permittivity_e_V_nm / bulk.debye_length_nm
    with np.errstate(divide="ignore", invalid="ignore"):
        differential = np.where(np.abs(u) < _SMALLEST, linear, np.abs(charge) / field)
        integral = np.where(
            u == 0.0, linear, state.permittivity_e_V_nm * field / np.abs(u * state.kT_eV)
        )
    x50, x90, x99, resistance, depletion = _distances_and_resistance(
        state, u, bulk.conductivity_S_cm, bulk.debye_length_nm
    )
    return np.stack(
        [
            -np.sign(u) * state.permittivity_e_V_nm * field,
            field,
            differential * CAPACITANCE_UF_CM2,
            integral * CAPACITANCE_UF_CM2,
            x50,
            x90,
            x99,
            np.where(u == 0.0, 0.0, resistance),
            np.where(u == 0.0, 0.0, depletion),
        ]
    )


def _panels(state: Thermodynamics, largest: Array, sign: Array) -> Array:
    """Ends of the panels in |u|, ascending, (P + 1, N)."""
    rows = [mark * largest for mark in _MARKS]
    for kink in saturation_marks(state, sign):
        if not np.any((kink < largest) & (kink > 0.0)):
            continue
        # sorted in: the smaller stays, the larger moves on
        moving, merged = np.minimum(kink, largest), []
        for row in rows:
            merged.append(np.minimum(row, moving))
            moving = np.maximum(row, moving)
        rows = [*merged, moving]
    return np.stack(rows)


def _distances_and_resistance(
    state: Thermodynamics,
    u: Array,
    bulk_conductivity: Array,
    debye_nm: Array,
    smallest: Array | float = 0.0,
) -> tuple[Array, Array, Array, Array, Array]:
    """x50, x90, x99, R_scl and its positive part, of which only |u| beyond `smallest` counts."""
    largest = np.maximum(np.abs(u), _SMALLEST)
    sign = np.where(u < 0.0, -1.0, 1.0)
    edges = np.maximum(_panels(state, largest, sign), np.minimum(smallest, largest))
    conducts = bulk_conductivity > 0.0
    # where nothing conducts, the integrand is 0 instead of a difference of infinities
    resistivity = np.where(conducts, 1.0 / np.where(conducts, bulk_conductivity, 1.0), 0.0)

    every = bool(np.all(conducts))
    unit = 0.5 * state.permittivity_e_V_nm * state.kT_eV**2

    def integrand(index: slice | IntArray) -> Callable[[Array], tuple[Array, Array, Array]]:
        here, side, rho, scale = state.take(index), sign[index], resistivity[index], unit[index]

        def values(v: Array) -> tuple[Array, Array, Array]:
            pressure, conductivity = here.evaluate_conduction(v * side)
            # dx/d|u|; panels may touch |u| = 0 by rounding only, with weight 0
            slope = np.divide(scale, pressure, out=pressure)
            np.sqrt(slope, out=slope)
            if not every:
                conductivity = np.where(rho > 0.0, conductivity, np.inf)
            with np.errstate(divide="ignore", over="ignore"):
                excess = np.divide(1.0, conductivity, out=conductivity)
                excess -= rho
                excess *= slope
            # its kink, where sigma = sigma_bulk, ends in a panel too small to matter
            return slope, excess, np.maximum(excess, 0.0)

        return values

    # the distance to neutrality itself is infinite and not asked for
    asked = edges[1:] > 1.000001 * _MARKS[1] * largest
    floor = np.broadcast_to(1e-13 * debye_nm * resistivity, asked.shape)
    lengths, resistances, depletions = integrate(
        integrand,
        edges[:-1],
        edges[1:],
        relative=(np.where(asked, _RELATIVE, np.inf), _RELATIVE, _RELATIVE),
        of_panel=(True, False, False),
        absolute=(0.0, floor, floor),
        geometric=True,
    )
    distances = [
        np.sum(np.where(edges[:-1] >= (1.0 - 1e-12) * mark * largest, lengths, 0.0), axis=0)
        for mark in (0.5, 0.1, 0.01)
    ]
    resistance, depletion = (
        np.where(conducts, np.sum(parts, axis=0) * NM_CM, np.nan)
        for parts in (resistances, depletions)
    )
    return distances[0], distances[1], distances[2], resistance, depletion


def _length_integrand(state: Thermodynamics, sign: Array) -> Integrand:
    unit = 0.5 * state.permittivity_e_V_nm * state.kT_eV**2

    def integrand(index: slice | IntArray) -> Callable[[Array], tuple[Array]]:
        here, side, scale = state.take(index), sign[index], unit[index]
        return lambda v: (np.sqrt(scale / here.evaluate(v * side)[0]),)

    return integrand


def _distance(state: Thermodynamics, sign: Array, v: Array, largest: Array) -> Array:
    """Distance over which |u| falls from `largest` to v > 0."""
    edges = np.sort(np.maximum(_panels(state, largest, sign), v), axis=0)
    (lengths,) = integrate(
        _length_integrand(state, sign),
        edges[:-1],
        edges[1:],
        relative=(_RELATIVE,),
        of_panel=(False,),
        geometric=True,
    )
    return np.asarray(np.sum(lengths, axis=0))


def _log_u_at(state: Thermodynamics, u: Array, distance_nm: Array, debye_nm: Array) -> Array:
    """ln|u| at a distance, by Newton's method on the distance as a function of ln|u|."""
    sign, largest = np.where(u < 0.0, -1.0, 1.0), np.abs(u)

    def excess(log_u: Array, index: IntArray) -> tuple[Array, Array]:
        here, side, most = state.take(index), sign[index], largest[index]
        v = np.minimum(np.exp(log_u), most)
        pressure, _ = here.evaluate(side * v)
        slope = here.kT_eV * np.sqrt(here.permittivity_e_V_nm / (2.0 * pressure))
        return _distance(here, side, v, most) - distance_nm[index], -v * slope

    high = np.log(largest)
    start = high - distance_nm / debye_nm
    low = np.minimum(start - 5.0, high - 5.0)
    # beyond this nothing is left of the drop
    floor = np.log(np.finfo(float).tiny) / 2.0 + 20.0
    short = np.flatnonzero(low > floor)
    for _ in range(60):
        short = short[excess(low[short], short)[0] < 0.0]
        low[short] -= high[short] - low[short]
        short = short[low[short] > floor]
        if not short.size:
            break
    low = np.minimum(np.maximum(low, floor), high)
    return bracketed_newton_by_index(excess, low, high, start, absolute=1e-12, newton=1e-7)
