"""Thin layers between two phases that are thick or metals: potentials of all contacts.

At each contact the plates' charges of its two neighbours add up to the charge fixed there. These
sums rise with the contact's own potential and fall with those of its neighbours, so solving them
one after the other converges from anywhere; Newton's steps are taken where they do better.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .bulk import Bulk
from .first_integral.half_space import HalfSpace, half_space, sheet_charge_e_nm2
from .first_integral.layer import Layer, end_charges_e_nm2, layer
from .numerics.roots import bracketed_newton_by_index
from .phase import Array, IntArray, Metal
from .resistance import charge_transfer_ohm_cm2, exchange_current_A_cm2

_SWEEPS = 200
_TOLERANCE_V = 1e-12
_NEWTON_V = 1e-7
_STEP_V = 1e-6


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
    """Parts of the resistance of a coated contact, arrays (...); NaN where a part means nothing.

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
        """The stacks at `index`."""
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

    def residual(self, potentials: list[Array], k: int) -> tuple[Array, Array]:
        """Plate charges of both neighbours of contact k less its own, and the slope with phi_k."""
        total, slope = -self.charge[k], np.zeros_like(self.charge[k])
        if k == 0:
            assert isinstance(self.left, Bulk)
            charge, rise = sheet_charge_e_nm2(self.left, potentials[0])
            total, slope = total - charge, slope - rise
        else:
            charge, rise = self._layer(potentials, k - 1)[1]
            total, slope = total + charge, slope + rise
        if k == len(self.coatings):
            assert isinstance(self.right, Bulk)
            charge, rise = sheet_charge_e_nm2(self.right, potentials[k] + self.dipole[k])
            return total - charge, slope - rise
        charge, rise = self._layer(potentials, k)[0]
        return total + charge, slope + rise

    def _layer(
        self, potentials: list[Array], k: int
    ) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
        return end_charges_e_nm2(
            self.coatings[k],
            potentials[k] + self.dipole[k],
            potentials[k + 1],
            self.thickness[k],
        )

    def relax(self, potentials: list[Array], k: int) -> Array:
        """Potential of contact k that solves its own equation with the others held."""

        def shortage(value: Array, index: IntArray) -> tuple[Array, Array]:
            trial = [potential[index] for potential in potentials]
            trial[k] = value
            excess, slope = self.take(index).residual(trial, k)
            return -excess, -slope

        everything = np.arange(potentials[k].size)
        low, high = self._bracket(potentials, k, lambda value: shortage(value, everything)[0])
        return bracketed_newton_by_index(
            shortage, low, high, potentials[k], absolute=_TOLERANCE_V, newton=_NEWTON_V
        )

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
        """All potentials."""
        potentials = self.start()
        if len(self.free) == 0:
            return potentials
        for _ in range(_SWEEPS):
            moved = np.zeros_like(potentials[0])
            for k in self.free:
                value = self.relax(potentials, k)
                moved = np.fmax(moved, np.abs(value - potentials[k]))
                potentials[k] = value
            if len(self.free) == 1:
                break
            potentials = self._newton(potentials)
            # the error after Newton's step is of the order of the square
            if np.all(moved < _NEWTON_V):
                break
        return potentials

    def _newton(self, potentials: list[Array]) -> list[Array]:
        free = list(self.free)
        base = np.stack([self.residual(potentials, k)[0] for k in free], axis=-1)
        slopes = np.zeros((*base.shape, len(free)))
        for column, k in enumerate(free):
            trial = list(potentials)
            trial[k] = potentials[k] + _STEP_V
            for row, j in enumerate(free):
                if abs(j - k) <= 1:
                    change = self.residual(trial, j)[0] - base[:, row]
                    slopes[:, row, column] = change / _STEP_V
        good = np.all(np.isfinite(slopes), axis=(1, 2)) & np.all(np.isfinite(base), axis=1)
        step = np.zeros_like(base)
        if np.any(good):
            step[good] = np.linalg.solve(slopes[good], -base[good][..., None])[..., 0]
        for share in (1.0, 0.25):
            trial = list(potentials)
            for column, k in enumerate(free):
                trial[k] = potentials[k] + share * step[:, column]
            after = np.stack([self.residual(trial, k)[0] for k in free], axis=-1)
            better = np.max(np.abs(after), axis=-1) < np.max(np.abs(base), axis=-1)
            potentials = [
                np.where(better, new, old) for new, old in zip(trial, potentials, strict=True)
            ]
            step = np.where(better[:, None], 0.0, step)
        return potentials


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
