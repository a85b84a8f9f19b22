"""Resistance of a contact: space charge and charge transfer (physics.md section 5)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike

from .bulk import Bulk, resistivity_ohm_cm
from .constants import ELEMENTARY_CHARGE_C, NM_CM
from .contact import Contact
from .exchange_current import charge_transfer_ohm_cm2, contact_hop
from .first_integral.half_space import HalfSpace
from .phase import Array, BoolArray, IntArray, Metal

THICK_HALF_SPACE_NM = 1e4
"""How thick a phase of unknown thickness may have to be to count as thick: 10 µm."""


class Reason(IntEnum):
    """Reason why a contact has no total resistance; ``known`` where it has one."""

    known = 0
    left_not_thick = 1
    right_not_thick = 2
    neither_thick = 3
    left_without_hops = 4
    right_without_hops = 5
    no_insulator = 6
    overflow = 7
    no_neutral_bulk = 8

    @property
    def text(self) -> str:
        """Return the reason in words; nothing where there is none."""
        return _TEXTS[self]


_TEXTS = {
    Reason.known: "",
    Reason.left_not_thick: "the left phase is not thick: x99 + 10 Debye lengths exceed its "
    "thickness, or 10 um",
    Reason.right_not_thick: "the right phase is not thick: x99 + 10 Debye lengths exceed its "
    "thickness, or 10 um",
    Reason.neither_thick: "neither phase is thick: x99 + 10 Debye lengths exceed the thickness, or "
    "10 um",
    Reason.left_without_hops: "no defect of the left phase has a migration energy",
    Reason.right_without_hops: "no defect of the right phase has a migration energy",
    Reason.no_insulator: "no insulating phase at the contact",
    Reason.overflow: "the resistance exceeds the largest number",
    Reason.no_neutral_bulk: "no neutral bulk",
}

REASONS = tuple(reason.text for reason in Reason)
"""Their texts, by code."""

LARGEST_OHM_CM2 = 1e300
"""Upper bound of an interface resistance; also its value where no carrier conducts."""

LIMITING_STEPS = ("space charge", "charge transfer")


@dataclass(frozen=True)
class ContactResistance:
    """Parts of a contact's resistance, arrays (...), NaN where a part is undefined.

    Attributes
    ----------
    space_charge_left_ohm_cm2, space_charge_right_ohm_cm2, space_charge_ohm_cm2 : array
        R_scl of the two sides and their sum; 0 in a metal.
    depletion_left_ohm_cm2, depletion_right_ohm_cm2 : array
        The parts of R_scl from where a side conducts worse than its bulk, see `side_depletion`.
    charge_transfer_ohm_cm2, exchange_current_A_cm2, contact_barrier_eV : array
        R_ct, i0, and the barrier of the hop across the contact.
    interface_ohm_cm2 : array
        R_if, always positive: R_ct and both depletions; `LARGEST_OHM_CM2` where nothing conducts,
        NaN where there is no solution.
    total_ohm_cm2 : array
        R_int.
    reason : array of int
        A `Reason`.
    limiting_step : array of int
        Index into `LIMITING_STEPS`.
    """

    space_charge_left_ohm_cm2: Array
    space_charge_right_ohm_cm2: Array
    space_charge_ohm_cm2: Array
    depletion_left_ohm_cm2: Array
    depletion_right_ohm_cm2: Array
    charge_transfer_ohm_cm2: Array
    exchange_current_A_cm2: Array
    contact_barrier_eV: Array
    interface_ohm_cm2: Array
    total_ohm_cm2: Array
    reason: IntArray
    limiting_step: IntArray


def is_thick(
    left_x99_nm: ArrayLike,
    right_x99_nm: ArrayLike,
    debye_length_nm: ArrayLike,
    thickness_nm: ArrayLike,
) -> BoolArray:
    """Return whether a layer holds two space charges that do not affect each other."""
    needed = np.add(left_x99_nm, right_x99_nm) + 10.0 * np.asarray(debye_length_nm)
    return np.asarray(np.asarray(thickness_nm) >= needed)


def contact_resistance(
    contact: Contact,
    *,
    left_thickness_nm: ArrayLike | None = None,
    right_thickness_nm: ArrayLike | None = None,
    areal_site_density_cm2: ArrayLike | None = None,
    barrier_eV: ArrayLike | None = None,
    excess_barrier_eV: ArrayLike = 0.0,
) -> ContactResistance:
    """Resistance of contacts between thick phases.

    Parameters
    ----------
    contact : Contact
        Batch shape (...).
    left_thickness_nm, right_thickness_nm : array (...), optional
        Thicknesses of the two phases; without one, a phase counts as thick up to x99 + 10 lambda_D
        = 10 µm.
    areal_site_density_cm2, barrier_eV, excess_barrier_eV : array (...), optional
        Parameters of the hop across the contact, see `contact_hop`.

    Returns
    -------
    ContactResistance
        With the reason where there is no total.
    """
    hop = contact_hop(
        contact.left if isinstance(contact.left, Metal) else contact.left.bulk,
        contact.left_potential_V,
        contact.right if isinstance(contact.right, Metal) else contact.right.bulk,
        contact.right_potential_V,
        areal_site_density_cm2=areal_site_density_cm2,
        barrier_eV=barrier_eV,
        excess_barrier_eV=excess_barrier_eV,
    )
    current = hop.exchange_current_A_cm2
    shape = np.broadcast_shapes(contact.potential_drop_V.shape, current.shape)
    left, why_left = thick_space_charge(contact.left, left_thickness_nm, right=False)
    right, why_right = thick_space_charge(contact.right, right_thickness_nm, right=True)
    reason = np.broadcast_to(
        np.select(
            [
                (why_left == Reason.no_neutral_bulk) | (why_right == Reason.no_neutral_bulk),
                (why_left == Reason.left_not_thick) & (why_right == Reason.right_not_thick),
                why_right == Reason.right_not_thick,
                why_left != Reason.known,
            ],
            [
                Reason.no_neutral_bulk,
                Reason.neither_thick,
                Reason.right_not_thick,
                why_left,
            ],
            why_right,
        ),
        shape,
    )
    transfer = charge_transfer_ohm_cm2(contact.left, contact.right, current)
    space_charge = np.broadcast_to(left + right, shape)
    if isinstance(contact.left, Metal) and isinstance(contact.right, Metal):
        reason = np.full(shape, Reason.no_insulator, dtype=np.int64)
        space_charge = np.full(shape, np.nan)
    depletions = [
        side_depletion_ohm_cm2(side, thickness)
        for side, thickness in (
            (contact.left, left_thickness_nm),
            (contact.right, right_thickness_nm),
        )
    ]
    interface = positive_resistance(
        np.broadcast_to(transfer + depletions[0] + depletions[1], shape),
        np.isfinite(contact.sheet_charge_e_nm2),
    )
    overflow = ~np.isfinite(transfer) & (current == 0.0)
    transfer = np.where(np.isfinite(transfer), transfer, np.nan)
    reason = np.where((reason == Reason.known) & overflow, Reason.overflow, reason)
    total = np.where(reason == Reason.known, space_charge + transfer, np.nan)
    with np.errstate(invalid="ignore"):
        limiting = np.where(np.abs(space_charge) > transfer, 0, 1)
    return ContactResistance(
        np.broadcast_to(left, shape),
        np.broadcast_to(right, shape),
        space_charge,
        np.broadcast_to(depletions[0], shape),
        np.broadcast_to(depletions[1], shape),
        transfer,
        current,
        np.broadcast_to(hop.barrier_eV, shape),
        interface,
        total,
        reason,
        limiting,
    )


def positive_resistance(total_ohm_cm2: Array, solved: BoolArray) -> Array:
    """Cap a sum of positive resistances, so that all samples count.

    Parameters
    ----------
    total_ohm_cm2 : array (...)
        NaN or infinite where nothing conducts.
    solved : array of bool (...)
        Whether there is a solution at all; NaN without.
    """
    capped = np.fmin(np.where(np.isnan(total_ohm_cm2), np.inf, total_ohm_cm2), LARGEST_OHM_CM2)
    return np.where(solved, capped, np.nan)


def side_depletion_ohm_cm2(side: HalfSpace | Metal, thickness_nm: ArrayLike | None) -> Array:
    """``∫ max(1/sigma − 1/sigma_bulk, 0) dx`` of one side of a contact.

    Parameters
    ----------
    side : HalfSpace or Metal
        Batch shape (...).
    thickness_nm : array (...), optional
        Thickness of the phase. One that is not thick counts to its middle, or to 10 µm without a
        thickness.

    Returns
    -------
    array (...)
        0 of a metal and of an electrode without a conductivity; infinite where nothing conducts.
    """
    if isinstance(side, Metal):
        return np.zeros(())
    limit = THICK_HALF_SPACE_NM if thickness_nm is None else np.asarray(thickness_nm)
    thick = is_thick(side.x99_nm, 0.0, side.bulk.debye_length_nm, limit)
    depletion = side.depletion_ohm_cm2
    if not np.all(thick | ~np.isfinite(depletion)):
        reach = THICK_HALF_SPACE_NM if thickness_nm is None else 0.5 * np.asarray(thickness_nm)
        within = side.depletion_within_ohm_cm2(np.broadcast_to(reach, depletion.shape))
        depletion = np.where(thick, depletion, within)
    conducts = side.bulk.conductivity_S_cm > 0.0
    electrode = np.broadcast_to(side.bulk.phase.electrode, side.bulk.shape)
    return np.where(conducts, depletion, np.where(electrode, 0.0, np.inf))


def side_depletion_slope_ohm_cm2_V(side: HalfSpace | Metal) -> Array:
    """Slope of `side_depletion_ohm_cm2` with phi at the contact, of a phase without a thickness.

    Another potential at the contact shifts the profile of a half space and leaves its shape:
    ``d/dphi_s ∫ e dx = (e_s − e_end)/|dphi/dx|_s`` with the excess e = max(1/sigma −
    1/sigma_bulk, 0) at the contact and where the integral ends.
    """
    if isinstance(side, Metal):
        return np.zeros(())
    bulk = side.bulk
    drop = side.contact_potential_V - bulk.neutral_potential_V

    def excess(potential_V: Array) -> Array:
        flat = bulk.ravel(drop.shape)
        state = flat.thermodynamics(potential_V.ravel())
        _, sigma = state.evaluate_conduction(np.zeros_like(state.kT_eV))
        with np.errstate(divide="ignore"):
            resistivity = 1.0 / sigma.reshape(drop.shape)
        return np.maximum(resistivity - resistivity_ohm_cm(bulk.conductivity_S_cm), 0.0)

    within = np.zeros(drop.shape)
    thick = is_thick(side.x99_nm, 0.0, bulk.debye_length_nm, THICK_HALF_SPACE_NM)
    if not np.all(thick | ~np.isfinite(side.depletion_ohm_cm2)):
        reached = side.potential_V(np.full((*drop.shape, 1), THICK_HALF_SPACE_NM))[..., 0]
        within = np.where(thick, 0.0, excess(reached))
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.sign(drop) * (excess(side.contact_potential_V) - within) / side.field_V_nm
    conducts = (bulk.conductivity_S_cm > 0.0) & (side.field_V_nm > 0.0)
    return np.where(conducts, slope * NM_CM, 0.0)


def thick_space_charge(
    side: HalfSpace | Metal, thickness_nm: ArrayLike | None, *, right: bool
) -> tuple[Array, IntArray]:
    """R_scl of one side of a contact, where that side is thick.

    Parameters
    ----------
    side : HalfSpace or Metal
        Batch shape (...).
    thickness_nm : array (...), optional
        Thickness of the phase; without one, it counts as thick up to x99 + 10 lambda_D = 10 µm.
    right : bool
        Whether it is the right side.

    Returns
    -------
    space_charge_ohm_cm2 : array (...)
        NaN where it is undefined; 0 of a metal.
    reason : array (...) of int
        Why it is undefined, a `Reason`.
    """
    if isinstance(side, Metal):
        return np.zeros(()), np.zeros((), dtype=np.int64)
    limit = THICK_HALF_SPACE_NM if thickness_nm is None else thickness_nm
    thick = is_thick(side.x99_nm, 0.0, side.bulk.debye_length_nm, limit)
    conductivity = side.bulk.conductivity_S_cm
    conducts = np.isfinite(conductivity) & (conductivity > 0.0)
    # an electrode whose conductivity is not known counts as one that conducts well
    electrode = np.broadcast_to(side.bulk.phase.electrode, side.bulk.shape) & ~conducts
    space_charge = np.where(electrode, 0.0, side.space_charge_ohm_cm2)
    conducts = conducts | electrode
    finite = np.isfinite(space_charge)
    reason = np.select(
        [~side.bulk.has_neutral_bulk, ~thick, ~conducts & ~_has_hops(side.bulk), ~finite],
        [
            Reason.no_neutral_bulk,
            Reason.right_not_thick if right else Reason.left_not_thick,
            Reason.right_without_hops if right else Reason.left_without_hops,
            Reason.overflow,
        ],
        Reason.known,
    )
    return np.where(thick & finite, space_charge, np.nan), np.asarray(reason)


def _has_hops(bulk: Bulk) -> BoolArray:
    """Return whether a defect with sites has a migration energy, however little it conducts."""
    phase = bulk.phase
    moves = np.isfinite(phase.migration_energy_eV) & (phase.site_density_cm3 > 0.0)
    return np.broadcast_to(np.any(moves, axis=-1), bulk.shape)


def conductivity_S_cm(bulk: Bulk, concentrations_cm3: Array) -> Array:
    """Conductivity of the mobile ion at given concentrations (..., P, D) of the bulks' defects.

    Returns
    -------
    array (..., P)
        Σ (q e)² D c (1 − Σ_s c/N_s)/kT; 0 where nothing conducts.
    """
    phase = bulk.phase
    kT = bulk.kT_eV[..., None]
    total = np.zeros(np.shape(concentrations_cm3)[:-1])
    for group in phase.groups:
        density = phase.site_density_cm3[..., None, list(group)]
        with np.errstate(divide="ignore", invalid="ignore"):
            taken = np.where(density > 0.0, concentrations_cm3[..., list(group)] / density, 0.0)
        blocking = 1.0 - np.sum(taken, axis=-1)
        for d in group:
            diffusivity = (
                phase.diffusion_prefactor[..., d]
                * (phase.hop_distance_nm[..., d] * NM_CM) ** 2
                * phase.attempt_frequency_Hz[..., d]
            )[..., None] * np.exp(-phase.migration_energy_eV[..., d][..., None] / kT)
            mobile = phase.charge[..., d][..., None] ** 2 * ELEMENTARY_CHARGE_C * diffusivity / kT
            part = mobile * concentrations_cm3[..., d] * blocking
            total = total + np.where(np.isfinite(part), part, 0.0)
    return total
