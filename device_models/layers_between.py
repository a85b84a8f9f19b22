"""Thin layers between two phases: by the first integral where they are uniform, else on the grid.

The first integral of Poisson's equation needs a charge density that depends on phi alone. What
varies along a layer (doping, polarization, susceptibility, core layers), interacting defects and a
mu of the mobile element that carriers feel take the grid.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from .bulk import Bulk
from .coated import CoatedContact, coated_contact
from .constants import VACUUM_PERMITTIVITY_E_V_NM
from .first_integral.depletion import layer_depletion_ohm_cm2
from .first_integral.layer import Layer
from .grid.depletion import grid_depletion_ohm_cm2
from .grid.solution import LayerSolution, StackNotConverged
from .grid.stack import solve_stack
from .grid.stack_layer import StackLayer
from .phase import Array, BoolArray, IntArray, Metal
from .profile import Profile

_MU_SHARE = 1e-6
"""The largest change of the charge density by mu along a layer that still counts as none: the
tolerance of the grid."""


@dataclass(frozen=True)
class FiniteLayer:
    """One layer that is solved as a whole; arrays (...).

    Attributes
    ----------
    bulk : Bulk
        Its phase, at the mean mu.
    potentials_V : array (..., 4)
        phi at the left end, its lowest and highest value, and phi at the right end.
    fields_V_nm : array (..., 2)
        −dphi/dx at the two ends.
    resistance_ohm_cm2 : array
        R_layer; NaN where nothing conducts.
    depletion_ohm_cm2 : array (..., 2)
        From the left and the right end to the middle.
    profile : callable
        Returns a profile with about the given number of points.
    """

    bulk: Bulk
    potentials_V: Array
    fields_V_nm: Array
    resistance_ohm_cm2: Array
    depletion_ohm_cm2: Array
    profile: Callable[..., Profile]


@dataclass(frozen=True)
class FiniteLayers:
    """Layers between two phases; arrays (...).

    Attributes
    ----------
    layers : list of FiniteLayer
        From left to right.
    potentials_V : list of tuple of array
        phi left and right of each of the n + 1 contacts.
    sheet_charge_e_nm2 : array (..., n + 1)
        All charge right of each contact; NaN where there is no solution.
    """

    layers: list[FiniteLayer]
    potentials_V: list[tuple[Array, Array]]
    sheet_charge_e_nm2: Array


def solve_finite_layers(
    left: Bulk | Metal,
    layers: Sequence[StackLayer],
    right: Bulk | Metal,
    *,
    dipole_V: Sequence[Array | float],
    sheet_charge_e_nm2: Sequence[Array | float],
    tolerance: float = 1e-6,
) -> FiniteLayers:
    """Solve thin layers between two phases, each case by the method that it allows.

    Parameters
    ----------
    left, right : Bulk or Metal
        The outer phases, thick.
    layers : sequence of n StackLayer
        The layers between.
    dipole_V, sheet_charge_e_nm2 : sequence of n + 1 arrays (...)
        Step of phi and fixed charge at each contact.
    tolerance : float
        Tolerance of the grid.

    Raises
    ------
    StackNotConverged
        Neither method has a solution of any case.
    ValueError
        As of `solve_stack`.
    """
    on_grid = partial(_on_grid, tolerance=tolerance)
    steps = [np.asarray(one, dtype=np.float64) for one in dipole_V]
    fixed = [np.asarray(one, dtype=np.float64) for one in sheet_charge_e_nm2]
    known = all(np.all(np.isfinite(side.neutral_potential_V)) for side in (left, right))
    if not known or not all(_is_uniform(one) for one in layers):
        return on_grid(left, layers, right, steps, fixed)
    coated = coated_contact(
        left,
        [one.bulk for one in layers],
        right,
        thickness_nm=[one.thickness_nm for one in layers],
        dipole_V=steps,
        sheet_charge_e_nm2=fixed,
    )
    found = _by_first_integral(coated)
    shape = found.sheet_charge_e_nm2.shape[:-1]
    good = np.all(np.isfinite(found.sheet_charge_e_nm2), axis=-1)
    for given, one in zip(layers, found.layers, strict=True):
        good &= ~np.broadcast_to(_feels_mu(given, one), shape)
    rest = np.flatnonzero(~good.ravel())
    if rest.size == 0:
        return found
    chosen = [_taken(one, shape, rest) for one in (left, right)]
    try:
        other = on_grid(
            chosen[0],
            [_layer_at(one, shape, rest) for one in layers],
            chosen[1],
            [np.broadcast_to(one, shape).ravel()[rest] for one in steps],
            [np.broadcast_to(one, shape).ravel()[rest] for one in fixed],
        )
    except StackNotConverged:
        if not np.any(good):
            raise
        charge = np.where(good[..., None], found.sheet_charge_e_nm2, np.nan)
        return replace(found, sheet_charge_e_nm2=charge)
    if rest.size == good.size:
        return _reshaped(other, shape)
    return _merged(found, other, rest)


def _is_uniform(layer: StackLayer) -> bool:
    constant = all(
        not callable(value) and not np.any(np.asarray(value))
        for value in (layer.fixed_charge_cm3, layer.polarization_e_nm2, layer.susceptibility)
    )
    return constant and layer.energy_shift_eV is None and layer.interaction_eV is None


def _mu_at_ends(layer: StackLayer) -> tuple[Array, Array]:
    if layer.mu_eV is None:
        return layer.bulk.mu_eV, layer.bulk.mu_eV
    if not callable(layer.mu_eV):
        mu = np.asarray(layer.mu_eV, dtype=np.float64)
        return mu, mu
    ends = np.asarray(layer.mu_eV(np.array([0.0, float(np.max(layer.thickness_nm))])))
    return ends[..., 0], ends[..., 1]


def _feels_mu(given: StackLayer, solved: FiniteLayer) -> BoolArray:
    """Return whether mu along the layer changes the charge density anywhere (...).

    Ions whose charge they bring along follow phi alone; electrons and holes, and defects that
    trapped some, follow mu. Their share is largest at an extreme of phi.
    """
    mu_left, mu_right = _mu_at_ends(given)
    bulk, potentials = solved.bulk, solved.potentials_V
    shape = potentials.shape[:-1]
    if np.all(mu_left == bulk.mu_eV) and np.all(mu_right == bulk.mu_eV):
        return np.zeros(shape, dtype=bool)
    flat = bulk.ravel(shape)
    charges = [flat.phase.charge[:, d] for d in range(flat.phase.charge.shape[-1])]
    feels = np.zeros(flat.shape, dtype=bool)
    for index in range(potentials.shape[-1]):
        phi = potentials[..., index].ravel()
        known = np.isfinite(phi)
        phi = np.where(known, phi, 0.0)
        state = flat.thermodynamics(phi)
        origin = np.zeros_like(phi)
        total = sum(state.carriers_nm3(origin))
        for charge, density in zip(charges, state.concentrations_nm3(origin), strict=True):
            total = total + np.abs(charge) * density
        for mu in (mu_left, mu_right):
            moved = replace(flat, mu_eV=np.broadcast_to(mu, shape).ravel())
            change = moved.thermodynamics(phi).residual_charge_nm3 - state.residual_charge_nm3
            feels |= known & (np.abs(change) > _MU_SHARE * total)
    return feels.reshape(shape)


def _taken(side: Bulk | Metal, shape: tuple[int, ...], index: IntArray) -> Bulk | Metal:
    if isinstance(side, Metal):
        potential, factor = (
            np.broadcast_to(value, shape).ravel()[index]
            for value in (side.neutral_potential_V, side.hop_factor)
        )
        return Metal(potential, factor)
    return side.ravel(shape)[index]


def _layer_at(layer: StackLayer, shape: tuple[int, ...], index: IntArray) -> StackLayer:
    thickness = np.broadcast_to(layer.thickness_nm, shape).ravel()[index]
    left, right = (np.broadcast_to(mu, shape).ravel()[index] for mu in _mu_at_ends(layer))

    def mu_along(distance_nm: Array) -> Array:
        share = distance_nm / thickness[:, None]
        return np.asarray(left[:, None] + (right - left)[:, None] * share)

    return StackLayer(layer.bulk.ravel(shape)[index], thickness, mu_eV=mu_along)


def _by_first_integral(coated: CoatedContact) -> FiniteLayers:
    return FiniteLayers(
        [_of_layer(one) for one in coated.layers],
        [
            (np.asarray(left), np.asarray(left + step))
            for left, step in zip(coated.potentials_V, coated.dipole_V, strict=True)
        ],
        np.stack(coated.sheet_charge_e_nm2, axis=-1),
    )


def _of_layer(layer: Layer) -> FiniteLayer:
    ends = [layer.left_potential_V, layer.right_potential_V]
    three = [*ends, layer.extreme_potential_V]
    permittivity = VACUUM_PERMITTIVITY_E_V_NM * layer.bulk.phase.dielectric_constant
    return FiniteLayer(
        layer.bulk,
        np.stack([ends[0], np.min(three, axis=0), np.max(three, axis=0), ends[1]], axis=-1),
        -layer.sheet_charge_e_nm2 / permittivity[..., None],
        layer.resistance_ohm_cm2,
        layer_depletion_ohm_cm2(layer),
        layer.profile,
    )


def _on_grid(
    left: Bulk | Metal,
    layers: Sequence[StackLayer],
    right: Bulk | Metal,
    dipole_V: list[Array],
    sheet_charge_e_nm2: list[Array],
    *,
    tolerance: float,
) -> FiniteLayers:
    stack = solve_stack(
        left,
        layers,
        right,
        dipole_V=dipole_V,
        sheet_charge_e_nm2=sheet_charge_e_nm2,
        tolerance=tolerance,
    )
    solved = [_of_grid(given, one) for given, one in zip(layers, stack.layers, strict=True)]
    ends = [(one.potentials_V[..., 0], one.potentials_V[..., -1]) for one in solved]
    lefts = [ends[0][0] - dipole_V[0], *(end[1] for end in ends)]
    rights = [*(end[0] for end in ends), ends[-1][1] + dipole_V[-1]]
    pairs = list(zip(lefts, rights, strict=True))
    return FiniteLayers(solved, pairs, stack.sheet_charge_e_nm2)


def _of_grid(given: StackLayer, solution: LayerSolution) -> FiniteLayer:
    phi = solution.phi_V
    return FiniteLayer(
        given.bulk,
        np.stack([phi[..., 0], np.min(phi, axis=-1), np.max(phi, axis=-1), phi[..., -1]], axis=-1),
        np.stack([solution.left_field_V_nm, solution.right_field_V_nm], axis=-1),
        solution.resistance_ohm_cm2,
        grid_depletion_ohm_cm2(solution, given.bulk.conductivity_S_cm),
        solution.profile,
    )


def _reshaped(found: FiniteLayers, shape: tuple[int, ...]) -> FiniteLayers:
    """Return the same solution in the batch shape `shape`."""

    def shaped(value: Array) -> Array:
        return value.reshape((*shape, *value.shape[1:]))

    def one_profile(layer: FiniteLayer, points: int = 401) -> Profile:
        flat = layer.profile(points)
        return Profile(**{name: shaped(value) for name, value in vars(flat).items()})

    layers = [
        FiniteLayer(
            layer.bulk[np.arange(layer.bulk.shape[0]).reshape(shape)],
            shaped(layer.potentials_V),
            shaped(layer.fields_V_nm),
            shaped(layer.resistance_ohm_cm2),
            shaped(layer.depletion_ohm_cm2),
            partial(one_profile, layer),
        )
        for layer in found.layers
    ]
    pairs = [(shaped(left), shaped(right)) for left, right in found.potentials_V]
    return FiniteLayers(layers, pairs, shaped(found.sheet_charge_e_nm2))


def _merged(whole: FiniteLayers, part: FiniteLayers, index: IntArray) -> FiniteLayers:
    """`whole` with the cases `index` of its flattened batch replaced by those of `part`."""
    shape = whole.sheet_charge_e_nm2.shape[:-1]

    def put(all_of_them: Array, some: Array) -> Array:
        tail = all_of_them.shape[len(shape) :]
        flat = np.broadcast_to(all_of_them, (*shape, *tail)).reshape((-1, *tail)).copy()
        flat[index] = some
        return flat.reshape((*shape, *tail))

    def one_profile(own: FiniteLayer, other: FiniteLayer, points: int = 401) -> Profile:
        first, second = own.profile(points), other.profile(points)
        most = max(first.x_nm.shape[-1], second.x_nm.shape[-1])
        values = {}
        for name in vars(first):
            axis = len(shape)
            before, after = getattr(first, name), getattr(second, name)
            # the last point again where there are fewer
            before = np.take(before, np.minimum(np.arange(most), before.shape[axis] - 1), axis)
            after = np.take(after, np.minimum(np.arange(most), after.shape[1] - 1), 1)
            values[name] = put(before, after)
        return Profile(**values)

    layers = [
        FiniteLayer(
            own.bulk,
            put(own.potentials_V, other.potentials_V),
            put(own.fields_V_nm, other.fields_V_nm),
            put(own.resistance_ohm_cm2, other.resistance_ohm_cm2),
            put(own.depletion_ohm_cm2, other.depletion_ohm_cm2),
            partial(one_profile, own, other),
        )
        for own, other in zip(whole.layers, part.layers, strict=True)
    ]
    pairs = [
        (put(left, other_left), put(right, other_right))
        for (left, right), (other_left, other_right) in zip(
            whole.potentials_V, part.potentials_V, strict=True
        )
    ]
    charge = put(whole.sheet_charge_e_nm2, part.sheet_charge_e_nm2)
    return FiniteLayers(layers, pairs, charge)
