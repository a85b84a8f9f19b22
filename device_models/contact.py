"""A contact of two thick phases: how they share the drop of potential (physics.md section 4)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .bulk import Bulk
from .constants import CAPACITANCE_UF_CM2
from .first_integral.half_space import HalfSpace, half_space
from .numerics.roots import bracketed_newton
from .phase import Array, Metal

_SMALLEST_DROP = 1e-9
"""In kT; how phases share a smaller drop is linear response to double precision."""


@dataclass(frozen=True)
class Contact:
    """Two phases in contact at equilibrium of the mobile ion; arrays (...).

    Attributes
    ----------
    left, right : HalfSpace or Metal
        The two sides, with what they carry.
    dipole_V : array
        Delta, phi(right) − phi(left) at the contact.
    potential_drop_V : array
        phi_0 of the right minus phi_0 of the left phase.
    left_potential_V, right_potential_V : array
        phi on the two sides of the contact.
    sheet_charge_e_nm2 : array
        All charge right of the contact; NaN between two metals, whose charge is not modelled.
    capacitance_uF_cm2, differential_capacitance_uF_cm2 : array
        |sheet charge|/|drop − dipole| (the differential one at zero), and the slope of the sheet
        charge with the drop: the two sides in series.
    """

    left: HalfSpace | Metal
    right: HalfSpace | Metal
    dipole_V: Array
    potential_drop_V: Array
    left_potential_V: Array
    right_potential_V: Array
    sheet_charge_e_nm2: Array
    capacitance_uF_cm2: Array
    differential_capacitance_uF_cm2: Array


def contact(
    left: Bulk | Metal,
    right: Bulk | Metal,
    *,
    dipole_V: ArrayLike = 0.0,
    sheet_charge_e_nm2: ArrayLike = 0.0,
) -> Contact:
    """Solve contacts between phases that are thick or metals.

    Parameters
    ----------
    left, right : Bulk or Metal
        The phases; batch shapes broadcast.
    dipole_V : array (...)
        Step of phi at the contact, right minus left.
    sheet_charge_e_nm2 : array (...)
        Charge fixed in the contact plane.

    Returns
    -------
    Contact
        NaN where a phase has no neutral bulk.
    """
    dipole = np.asarray(dipole_V, dtype=np.float64)
    given = np.asarray(sheet_charge_e_nm2, dtype=np.float64)
    shape = np.broadcast_shapes(left.shape, right.shape, dipole.shape, given.shape)
    dipole = np.broadcast_to(dipole, shape)
    start = np.broadcast_to(left.neutral_potential_V, shape)
    drop = np.broadcast_to(right.neutral_potential_V, shape) - start
    if isinstance(left, Metal):
        left_potential = start
        right_potential = left_potential + dipole
    elif isinstance(right, Metal):
        right_potential = np.broadcast_to(right.neutral_potential_V, shape)
        left_potential = right_potential - dipole
    else:
        own, other = _share(left.ravel(shape), right.ravel(shape), drop - dipole, given)
        left_potential = start + own.reshape(shape)
        right_potential = right.neutral_potential_V + other.reshape(shape)
    left_side = left if isinstance(left, Metal) else half_space(left, left_potential)
    right_side = right if isinstance(right, Metal) else half_space(right, right_potential)
    sheet_charge = np.full(shape, np.nan)
    elastance = np.zeros(shape)
    if isinstance(left_side, HalfSpace):
        sheet_charge = -left_side.sheet_charge_e_nm2 - given
        elastance = elastance + 1.0 / left_side.differential_capacitance_uF_cm2
    if isinstance(right_side, HalfSpace):
        sheet_charge = right_side.sheet_charge_e_nm2
        elastance = elastance + 1.0 / right_side.differential_capacitance_uF_cm2
    if isinstance(left_side, Metal) and isinstance(right_side, Metal):
        elastance = np.full(shape, np.nan)
    differential = 1.0 / elastance
    with np.errstate(divide="ignore", invalid="ignore"):
        integral = np.abs(sheet_charge / (drop - dipole)) * CAPACITANCE_UF_CM2
    return Contact(
        left=left_side,
        right=right_side,
        dipole_V=dipole,
        potential_drop_V=drop,
        left_potential_V=left_potential,
        right_potential_V=right_potential,
        sheet_charge_e_nm2=sheet_charge,
        capacitance_uF_cm2=np.where(drop == dipole, differential, integral),
        differential_capacitance_uF_cm2=differential,
    )


def _share(left: Bulk, right: Bulk, drop_V: Array, given: Array) -> tuple[Array, Array]:
    """Shift of phi from phi_0 in the left and in the right phase, at the contact; (N,)."""
    drop = np.ascontiguousarray(drop_V).ravel()
    charge = np.ascontiguousarray(np.broadcast_to(given, drop_V.shape)).ravel()
    own, other = np.full_like(drop, np.nan), np.full_like(drop, np.nan)
    solvable = left.has_neutral_bulk & right.has_neutral_bulk & np.isfinite(drop)
    for neutral in (True, False):
        where = np.flatnonzero(solvable & ((charge == 0.0) == neutral))
        if where.size == 0:
            continue
        if neutral:
            own[where], other[where] = _share_neutral(left[where], right[where], drop[where])
        else:
            own[where] = _share_charged(left[where], right[where], drop[where], charge[where])
            other[where] = own[where] - drop[where]
    return own, other


def _share_neutral(left: Bulk, right: Bulk, drop_V: Array) -> tuple[Array, Array]:
    # The unknown is the logit of the left phase's share: both shares keep their precision,
    # however unlike the phases. Equal charges mean equal logarithms of eps·ΔΠ.
    first, second = left.thermodynamics(), right.thermodynamics()
    smallest = _SMALLEST_DROP * first.kT_eV
    drop = np.where(np.abs(drop_V) < smallest, smallest, drop_V)

    def imbalance(logit: Array) -> tuple[Array, Array]:
        share = 1.0 / (1.0 + np.exp(-logit))
        rest = 1.0 / (1.0 + np.exp(logit))
        own, own_charge = first.evaluate(drop * share / first.kT_eV)
        other, other_charge = second.evaluate(-drop * rest / second.kT_eV)
        value = np.log(second.permittivity_e_V_nm * other / (first.permittivity_e_V_nm * own))
        slope = drop * share * rest * (own_charge / own - other_charge / other)
        return value, slope

    stiffness = [
        bulk.debye_length_nm / state.permittivity_e_V_nm
        for bulk, state in ((left, first), (right, second))
    ]
    start = np.log(stiffness[0] / stiffness[1])
    bound = np.full_like(drop, 300.0)
    logit = bracketed_newton(imbalance, -bound, bound, start, absolute=1e-14, newton=1e-7)
    return drop_V / (1.0 + np.exp(-logit)), -drop_V / (1.0 + np.exp(logit))


def _share_charged(left: Bulk, right: Bulk, drop_V: Array, charge: Array) -> Array:
    first, second = left.thermodynamics(), right.thermodynamics()

    def total(shift: Array) -> tuple[Array, Array]:
        value, slope = charge.copy(), np.zeros_like(charge)
        for state, offset in ((first, shift), (second, shift - drop_V)):
            pressure, density = state.evaluate(offset / state.kT_eV)
            field = np.sqrt(2.0 * pressure / state.permittivity_e_V_nm)
            value -= np.sign(offset) * state.permittivity_e_V_nm * field
            with np.errstate(divide="ignore", invalid="ignore"):
                slope -= np.abs(density) / field
        return value, slope

    low, high = np.minimum(drop_V, 0.0), np.maximum(drop_V, 0.0)
    width = first.kT_eV.copy()
    for _ in range(60):
        short_low, short_high = total(low)[0] < 0.0, total(high)[0] > 0.0
        if not np.any(short_low | short_high):
            break
        low = np.where(short_low, low - width, low)
        high = np.where(short_high, high + width, high)
        width = np.where(short_low | short_high, 1.5 * width, width)
    return bracketed_newton(total, low, high, 0.5 * (low + high), absolute=1e-16)
