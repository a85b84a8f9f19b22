"""Thin layers between two phases that are thick or metals: potentials of all contacts.

At each contact the plates' charges of its two neighbours add up to the charge fixed there. These
sums rise with the contact's own potential and fall with those of its neighbours: they are the
slopes of an energy that is convex. One contact's potential is found inside a bracket, those of
several by Newton's method on the energy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .bulk import Bulk
from .exchange_current import charge_transfer_ohm_cm2, exchange_current_A_cm2
from .first_integral.half_space import HalfSpace, half_space, sheet_charge_e_nm2
from .first_integral.layer import Layer, end_charges_e_nm2, layer
from .numerics.roots import bracketed_newton_by_index
from .phase import Array, IntArray, Metal

_TOLERANCE_V = 1e-12
_NEWTON_V = 1e-7
_GAUSS = 1e-8
"""The largest gap between two charges that should be the same, relative to the largest one."""

_NO_CHARGE = 1e-20
_STEPS, _SHORTENINGS = 200, 40
_LONGEST_V = 1.0


@dataclass(frozen=True)
class CoatedContact:
    """A stack of n thin layers between two thick phases; lists from left to right of arrays (...).

    Attributes
    ----------
    left, right : HalfSpace or Metal
        The outer phases.
    layers : list of Layer
        The n thin layers.
    potentials_V, dipole_V : list of array
        phi on the left side of each of the n + 1 contacts, and the step to its right side.
    sheet_charge_e_nm2 : list of array
        All charge right of each contact.
    """

    left: HalfSpace | Metal
    right: HalfSpace | Metal
    layers: list[Layer]
    potentials_V: list[Array]
    dipole_V: list[Array]
    sheet_charge_e_nm2: list[Array]


@dataclass(frozen=True)
class CoatedResistance:
    """Parts of the resistance of a coated contact, arrays (...); NaN where a part is undefined.

    Attributes
    ----------
    space_charge_left_ohm_cm2, space_charge_right_ohm_cm2 : array
        R_scl of the outer phases; 0 in a metal.
    layers_ohm_cm2, charge_transfer_ohm_cm2 : list of array
        R_layer of the n layers and R_ct of the n + 1 contacts.
    total_ohm_cm2 : array
        Their sum.
    """

    space_charge_left_ohm_cm2: Array
    space_charge_right_ohm_cm2: Array
    layers_ohm_cm2: list[Array]
    charge_transfer_ohm_cm2: list[Array]
    total_ohm_cm2: Array


class _Chain:
    """The unknown potentials and their equations, arrays (N,)."""

    def __init__(
        self,
        left: Bulk | Metal,
        coatings: Sequence[Bulk],
        right: Bulk | Metal,
        thickness: list[Array],
        dipole: list[Array],
        charge: list[Array],
    ) -> None:
        self.left, self.right, self.coatings = left, right, coatings
        self.thickness, self.dipole, self.charge = thickness, dipole, charge
        count = len(coatings) + 1
        first = 1 if isinstance(left, Metal) else 0
        last = count - 1 if isinstance(right, Metal) else count
        self.free = range(first, last)

    def take(self, index: IntArray) -> _Chain:
        """Return the stacks at `index`."""
        left, right = (
            Metal(one.neutral_potential_V[index]) if isinstance(one, Metal) else one[index]
            for one in (self.left, self.right)
        )
        lists = (self.thickness, self.dipole, self.charge)
        return _Chain(
            left,
            [one[index] for one in self.coatings],
            right,
            *([one[index] for one in values] for values in lists),
        )

    def start(self) -> list[Array]:
        """Potentials on the left side of each contact: the outer ones, then linear between."""
        count = len(self.coatings) + 1
        begin = self.left.neutral_potential_V
        steps = np.sum(self.dipole, axis=0)
        end = self.right.neutral_potential_V - steps
        potentials, dipoles = [], np.zeros_like(begin)
        for k in range(count):
            share = k / max(count - 1, 1) if self.free != range(count) else (k + 1) / (count + 1)
            potentials.append(begin + (end - begin) * share + dipoles)
            dipoles = dipoles + self.dipole[k]
        return potentials

    def residual(self, potentials: list[Array], k: int) -> tuple[Array, Array, Array]:
        """Plate charges of both neighbours of contact k less its own, and the slope with phi_k.

        The last array is the largest charge at the ends of these neighbours, the measure of errors.
        """
        total, slope = -self.charge[k], np.zeros_like(self.charge[k])
        largest = np.abs(self.charge[k])
        for right in (False, True):
            if k == (len(self.coatings) if right else 0):
                thick = self.right if right else self.left
                assert isinstance(thick, Bulk)
                step = self.dipole[k] if right else 0.0
                charge, rise = sheet_charge_e_nm2(thick, potentials[k] + step)
                charge, rise = -charge, -rise
            else:
                ends = self._layer(potentials, k if right else k - 1)
                charge, rise = ends[0] if right else ends[1]
                largest = np.fmax(largest, np.fmax(np.abs(ends[0][0]), np.abs(ends[1][0])))
            total, slope = total + charge, slope + rise
            largest = np.fmax(largest, np.abs(charge))
        return total, slope, largest

    def _layer(
        self, potentials: list[Array], k: int
    ) -> tuple[tuple[Array, Array], tuple[Array, Array], Array]:
        return end_charges_e_nm2(
            self.coatings[k],
            potentials[k] + self.dipole[k],
            potentials[k + 1],
            self.thickness[k],
        )

    def relax(self, potentials: list[Array], k: int) -> Array:
        """Potential of contact k that solves its own equation with the others held."""
        some = np.arange(potentials[k].size)

        def shortage(value: Array, index: IntArray) -> tuple[Array, Array]:
            trial = [potential[some[index]] for potential in potentials]
            trial[k] = value
            excess, slope, _ = self.take(some[index]).residual(trial, k)
            return -excess, -slope

        def by_halving(value: Array, index: IntArray) -> tuple[Array, Array]:
            short, slope = shortage(value, index)
            return short, np.full_like(slope, np.nan)

        low, high = self._bracket(potentials, k, lambda value: shortage(value, some)[0])
        found = bracketed_newton_by_index(
            shortage, low, high, potentials[k], absolute=_TOLERANCE_V, newton=_NEWTON_V
        )
        # a slope that cancellation has spoiled makes steps small before they should be
        trial = [*potentials[:k], found, *potentials[k + 1 :]]
        gap, slope, largest = self.residual(trial, k)
        limit = _GAUSS * largest + 10.0 * _TOLERANCE_V * np.abs(slope)
        some = np.flatnonzero(np.abs(gap) > limit)
        if some.size:
            found[some] = bracketed_newton_by_index(
                by_halving, low[some], high[some], found[some], absolute=_TOLERANCE_V, newton=0.0
            )
        return found

    def _bracket(
        self, potentials: list[Array], k: int, shortage: Callable[[Array], Array]
    ) -> tuple[Array, Array]:
        # without charges fixed in planes, phi lies between its neighbours' and neutral potentials
        known = [self.left.neutral_potential_V, self.right.neutral_potential_V]
        known += [bulk.neutral_potential_V for bulk in self.coatings]
        steps = np.sum(np.abs(self.dipole), axis=0)
        low, high = np.fmin.reduce(known) - steps - 1e-3, np.fmax.reduce(known) + steps + 1e-3
        low, high = np.minimum(low, potentials[k]), np.maximum(high, potentials[k])
        neutral = np.all([bulk.has_neutral_bulk for bulk in self.coatings], axis=0)
        if np.all(neutral) and all(np.all(charge == 0.0) for charge in self.charge):
            return low, high
        width = 0.1
        for _ in range(60):
            below, above = shortage(low) < 0.0, shortage(high) > 0.0
            if not np.any(below | above):
                break
            low = np.where(below, low - width, low)
            high = np.where(above, high + width, high)
            width *= 2.0
        return low, high

    def solve(self) -> list[Array]:
        """Solve for all potentials; NaN where none were found."""
        potentials = self.start()
        if len(self.free) == 0:
            return potentials
        if len(self.free) == 1:
            k = self.free[0]
            potentials[k] = self.relax(potentials, k)
            return potentials
        return self._newton(potentials)

    def gaps(self, potentials: Array) -> tuple[Array, Array, Array]:
        """Residuals of the free contacts (K, N), their slopes (K, K, N) and the largest charge.

        `potentials` are those of all contacts, (n + 1, N).
        """
        rows = list(potentials)
        count = len(self.coatings) + 1
        gaps = -np.stack(self.charge)
        largest = np.max(np.abs(gaps), axis=0)
        slopes = np.zeros((count, count, gaps.shape[-1]))
        for k in range(count - 1):
            (left, left_rise), (right, right_rise), between = self._layer(rows, k)
            gaps[k] += left
            gaps[k + 1] += right
            slopes[k, k] += left_rise
            slopes[k + 1, k + 1] += right_rise
            slopes[k, k + 1] -= between
            slopes[k + 1, k] -= between
            largest = np.fmax(largest, np.fmax(np.abs(left), np.abs(right)))
        for k, thick, step in ((0, self.left, 0.0), (count - 1, self.right, self.dipole[-1])):
            if isinstance(thick, Bulk):
                charge, rise = sheet_charge_e_nm2(thick, rows[k] + step)
                gaps[k] -= charge
                slopes[k, k] -= rise
                largest = np.fmax(largest, np.abs(charge))
        some = slice(self.free.start, self.free.stop)
        return gaps[some], slopes[some, some], largest

    def _newton(self, start: list[Array]) -> list[Array]:
        """Minimize the energy, which is convex: its slopes are the gaps.

        Along Newton's step the slope rises; the step is shortened while it would end far beyond
        the minimum.
        """
        found = np.full((len(start), start[0].size), np.nan)
        index, chain, x = np.arange(start[0].size), self, np.stack(start)
        some = slice(self.free.start, self.free.stop)
        gaps, slopes, largest = chain.gaps(x)
        for _ in range(_STEPS):
            usable = np.all(np.isfinite(gaps), axis=0) & np.all(np.isfinite(slopes), axis=(0, 1))
            met = usable & np.all(np.abs(gaps) <= _GAUSS * largest + _NO_CHARGE, axis=0)
            found[:, index[met]] = x[:, met]
            if np.any(met):
                # the next step brings the error to the order of the square
                last = _newton_step(gaps[:, met], slopes[..., met])
                found[some, index[met]] += np.where(np.isfinite(last), last, 0.0)
            rest = np.flatnonzero(usable & ~met)
            if rest.size == 0:
                break
            index, chain, x = index[rest], chain.take(rest), x[:, rest]
            gaps, slopes = gaps[:, rest], slopes[..., rest]
            step = _newton_step(gaps, slopes)
            step *= np.minimum(1.0, _LONGEST_V / np.max(np.abs(step), axis=0))
            share, bound = np.ones(index.size), np.abs(np.sum(gaps * step, axis=0))
            for _ in range(_SHORTENINGS):
                trial = x.copy()
                trial[some] += share * step
                gaps, slopes, largest = chain.gaps(trial)
                beyond = np.sum(gaps * step, axis=0) > bound
                if not np.any(beyond):
                    break
                share = np.where(beyond, 0.3 * share, share)
            x = trial
        return list(found)


def _newton_step(gaps: Array, slopes: Array) -> Array:
    """Steps (K, N) that bring linear gaps (K, N) with slopes (K, K, N) to 0."""
    matrix, right = np.moveaxis(slopes, -1, 0), np.moveaxis(-gaps, -1, 0)
    found = np.asarray(np.linalg.solve(matrix, right[..., None])[..., 0], dtype=np.float64)
    return np.moveaxis(found, 0, -1)


def coated_contact(
    left: Bulk | Metal,
    coatings: Sequence[Bulk],
    right: Bulk | Metal,
    *,
    thickness_nm: Sequence[ArrayLike],
    dipole_V: ArrayLike | Sequence[ArrayLike] = 0.0,
    sheet_charge_e_nm2: ArrayLike | Sequence[ArrayLike] = 0.0,
) -> CoatedContact:
    """Solve thin layers between two phases.

    Parameters
    ----------
    left, right : Bulk or Metal
        The outer phases, thick.
    coatings : sequence of Bulk
        The n layers between, with or without neutral bulk.
    thickness_nm : sequence of array (...)
        Their n thicknesses.
    dipole_V, sheet_charge_e_nm2 : array or sequence of n + 1 arrays (...)
        Step of phi and fixed charge at each contact.

    Returns
    -------
    CoatedContact
        The solution.
    """
    count = len(coatings) + 1
    dipoles, charges = (
        [np.asarray(one, dtype=np.float64) for one in value]
        if isinstance(value, list | tuple)
        else [np.asarray(value, dtype=np.float64)] * count
        for value in (dipole_V, sheet_charge_e_nm2)
    )
    thick = [np.asarray(one, dtype=np.float64) for one in thickness_nm]
    if len(thick) != len(coatings) or len(dipoles) != count or len(charges) != count:
        raise ValueError("one thickness per layer, one dipole and sheet charge per contact")
    shape = np.broadcast_shapes(
        left.shape,
        right.shape,
        *(one.shape for one in coatings),
        *(one.shape for one in (*thick, *dipoles, *charges)),
    )

    def flat(value: Array) -> Array:
        return np.ascontiguousarray(np.broadcast_to(value, shape)).ravel()

    outer = [
        Metal(flat(one.neutral_potential_V)) if isinstance(one, Metal) else one.ravel(shape)
        for one in (left, right)
    ]
    chain = _Chain(
        outer[0],
        [one.ravel(shape) for one in coatings],
        outer[1],
        [flat(one) for one in thick],
        [flat(one) for one in dipoles],
        [flat(one) for one in charges],
    )
    potentials = [value.reshape(shape) for value in chain.solve()]
    steps = [np.broadcast_to(one, shape) for one in dipoles]
    layers = [
        layer(one, potentials[k] + steps[k], potentials[k + 1], thick[k])
        for k, one in enumerate(coatings)
    ]
    sides = [
        side if isinstance(side, Metal) else half_space(side, potential)
        for side, potential in ((left, potentials[0]), (right, potentials[-1] + steps[-1]))
    ]
    to_right = [one.sheet_charge_e_nm2[..., 0] for one in layers]
    last = sides[1]
    to_right.append(
        layers[-1].sheet_charge_e_nm2[..., 1] - charges[-1]
        if isinstance(last, Metal)
        else last.sheet_charge_e_nm2
    )
    return CoatedContact(sides[0], sides[1], layers, potentials, steps, to_right)


def coated_resistance(
    coated: CoatedContact,
    *,
    areal_site_density_cm2: Sequence[ArrayLike | None] | None = None,
) -> CoatedResistance:
    """Parts of the resistance of a coated contact.

    Parameters
    ----------
    coated : CoatedContact
        The solution.
    areal_site_density_cm2 : sequence of n + 1 arrays or None
        Sites of each contact plane, where given.
    """
    sides = [coated.left, *coated.layers, coated.right]
    bulks = [side if isinstance(side, Metal) else side.bulk for side in sides]
    sites = areal_site_density_cm2 or [None] * (len(sides) - 1)
    transfers = []
    for k, potential in enumerate(coated.potentials_V):
        current = exchange_current_A_cm2(
            bulks[k],
            potential,
            bulks[k + 1],
            potential + coated.dipole_V[k],
            areal_site_density_cm2=sites[k],
        )
        inner = next(bulk for bulk in bulks[k : k + 2] if not isinstance(bulk, Metal))
        transfers.append(charge_transfer_ohm_cm2(inner, inner, current))
    layers = [one.resistance_ohm_cm2 for one in coated.layers]
    zero = np.zeros(coated.potentials_V[0].shape)
    outer = [
        zero if isinstance(side, Metal) else side.space_charge_ohm_cm2
        for side in (coated.left, coated.right)
    ]
    total = outer[0] + outer[1] + np.sum(layers, axis=0) + np.sum(transfers, axis=0)
    return CoatedResistance(outer[0], outer[1], layers, transfers, total)
