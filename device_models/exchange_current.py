"""The ion's hop across a contact: its barrier, the exchange current i0 and R_ct (physics.md, 5)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .bulk import Bulk
from .constants import ELEMENTARY_CHARGE_C, NM_CM
from .first_integral.half_space import HalfSpace
from .phase import Array, BoolArray, Metal
from .sublattice import sum_of

HOST_OCCUPATION = 1e-3
"""An insertion electrode's occupation is kept this far from empty and from full."""


def charge_transfer_ohm_cm2(
    left: HalfSpace | Bulk | Metal, right: HalfSpace | Bulk | Metal, current_A_cm2: Array
) -> Array:
    """R_ct = kT/(z·i0) of the insulating sides' temperature and ion."""
    for side in (left, right):
        if isinstance(side, Metal):
            continue
        bulk = side.bulk if isinstance(side, HalfSpace) else side
        with np.errstate(divide="ignore", over="ignore"):
            return np.asarray(bulk.kT_eV / (bulk.ion_charge * current_A_cm2))
    return np.full_like(current_A_cm2, np.nan)


def lattice_gas_factor(occupation: ArrayLike) -> Array:
    """sqrt(theta(1 − theta)) of the host planes of electrodes, theta kept off 0 and 1.

    Parameters
    ----------
    occupation : array (...)
        Sites filled over sites.
    """
    theta = np.clip(occupation, HOST_OCCUPATION, 1.0 - HOST_OCCUPATION)
    return np.sqrt(theta * (1.0 - theta))


@dataclass(frozen=True)
class ContactHop:
    """The hop across a contact: i0 and the barrier in it; arrays (...)."""

    exchange_current_A_cm2: Array
    barrier_eV: Array


def contact_hop(
    left: Bulk | Metal | None,
    left_potential_V: ArrayLike,
    right: Bulk | Metal | None,
    right_potential_V: ArrayLike,
    *,
    areal_site_density_cm2: ArrayLike | None = None,
    barrier_eV: ArrayLike | None = None,
    excess_barrier_eV: ArrayLike = 0.0,
) -> ContactHop:
    """Describe the hop across a contact, with detailed balance.

    ``i0 = z e gamma nu N_areal sqrt(θ₁(1−θ₁)θ₂(1−θ₂)) exp(−E_b/kT)``, θ the occupation of the
    defect with the largest D·c at each plane, gamma and nu geometric means over the planes of
    insulators, and ``E_b = (E_m1 + E_m2)/2 + ΔE_c`` unless it is given.

    Parameters
    ----------
    left, right : Bulk, Metal or None
        The phases. An electrode contributes only sqrt(θ(1−θ)): a metal its `hop_factor`, one with
        a space charge the value of its lattice gas at the plane. E_m, gamma, nu and sites of the
        other phase then hold for both planes. None is the metal of the mobile ion, which
        contributes nothing.
    left_potential_V, right_potential_V : array (...)
        phi on the two sides of the contact.
    areal_site_density_cm2 : array (...), optional
        Sites of the contact plane; N_s·a of the sparser plane where not given or NaN.
    barrier_eV : array (...), optional
        E_b; NaN where it is not given.
    excess_barrier_eV : array (...)
        ΔE_c.

    Returns
    -------
    ContactHop
        NaN where an insulating side has no conducting defect, or no side is an insulator.
    """
    planes = [
        _plane(bulk, np.asarray(potential, dtype=np.float64))
        for bulk, potential in ((left, left_potential_V), (right, right_potential_V))
        if isinstance(bulk, Bulk)
    ]
    hopping = [plane for plane in planes if not np.all(plane.electrode)]
    shape = np.broadcast_shapes(np.shape(left_potential_V), np.shape(right_potential_V))
    if not hopping:
        return ContactHop(np.full(shape, np.nan), np.full(shape, np.nan))
    sites = np.minimum.reduce(np.broadcast_arrays(*(plane.sites_cm2 for plane in hopping)))
    if areal_site_density_cm2 is not None:
        given = np.asarray(areal_site_density_cm2, dtype=np.float64)
        sites = np.where(np.isfinite(given), given, sites)
    # the geometric mean of two planes, or the one plane there is for both
    share = 1.0 / len(hopping)
    excess = np.asarray(excess_barrier_eV, dtype=np.float64)
    barrier = share * sum_of([plane.barrier_eV for plane in hopping]) + excess
    if barrier_eV is not None:
        stated = np.asarray(barrier_eV, dtype=np.float64)
        # a phase without a hop of its own has none across a contact either
        barrier = np.where(np.isfinite(stated) & np.isfinite(barrier), stated, barrier)
    rate = np.exp(-barrier / hopping[0].kT_eV)
    for plane in hopping:
        rate = rate * plane.attempts_Hz**share
    for plane in planes:
        rate = rate * np.sqrt(plane.occupation)
    for side in (left, right):
        if isinstance(side, Metal):
            rate = rate * side.hop_factor
    first = hopping[0]
    current = np.asarray(first.ion_charge * ELEMENTARY_CHARGE_C * sites * rate)
    return ContactHop(current, np.broadcast_to(barrier, current.shape))


def exchange_current_A_cm2(
    left: Bulk | Metal | None,
    left_potential_V: ArrayLike,
    right: Bulk | Metal | None,
    right_potential_V: ArrayLike,
    *,
    areal_site_density_cm2: ArrayLike | None = None,
) -> Array:
    """Exchange current density of the hop across a contact, see `contact_hop`."""
    return contact_hop(
        left,
        left_potential_V,
        right,
        right_potential_V,
        areal_site_density_cm2=areal_site_density_cm2,
    ).exchange_current_A_cm2


def log_current_slopes_per_V(
    left: Bulk | Metal, left_potential_V: Array, right: Bulk | Metal, right_potential_V: Array
) -> tuple[Array, Array]:
    """Return the derivatives of ln i0 of `contact_hop` with phi on the left and on the right side.

    Only the occupations of the planes depend on it; a metal's does not.
    """
    found = []
    for side, potential in ((left, left_potential_V), (right, right_potential_V)):
        if isinstance(side, Metal):
            found.append(np.zeros(np.shape(potential)))
        else:
            plane = _plane(side, np.asarray(potential, dtype=np.float64), slopes=True)
            found.append(0.5 * plane.slope_per_V)
    return found[0], found[1]


@dataclass(frozen=True)
class _Plane:
    ion_charge: Array
    kT_eV: Array
    electrode: BoolArray
    sites_cm2: Array
    attempts_Hz: Array
    barrier_eV: Array
    occupation: Array
    slope_per_V: Array


def _plane(bulk: Bulk, potential_V: Array, *, slopes: bool = False) -> _Plane:
    """Return what the most mobile defect contributes to the hop: N_s·a, gamma·nu, E_m, θ(1−θ).

    And where it is asked for, how the logarithm of the last changes with phi.
    """
    shape = np.broadcast_shapes(bulk.shape, potential_V.shape)
    flat = bulk.ravel(shape)
    state = flat.thermodynamics(np.broadcast_to(potential_V, shape).ravel())
    origin = np.zeros_like(state.kT_eV)
    phase = flat.phase
    electrode = np.broadcast_to(phase.electrode, origin.shape)
    best = np.full(origin.shape, -np.inf)
    sites, attempts, barrier, occupation, slope = (np.full(origin.shape, np.nan) for _ in range(5))
    for site in state.sublattices:
        states, empty = site.occupations(site.terms(origin, (0.0, 0.0)))
        for d, taken in zip(site.defects, states, strict=True):
            mobility = state.mobility[d]
            if mobility is None and not np.any(electrode):
                continue
            energy, hop = phase.migration_energy_eV[:, d], phase.hop_distance_nm[:, d]
            others = np.sum([one for one in states if one is not taken], axis=0) + empty
            theta = site.saturation * taken
            unoccupied = 1.0 - site.saturation + site.saturation * others
            charge = phase.charge[:, d]
            speed = 0.0 if mobility is None else mobility
            with np.errstate(divide="ignore", invalid="ignore"):
                weight = np.log(speed / charge**2) + np.log(site.capacity_nm3 * taken)
            present = phase.site_density_cm3[:, d] > 0.0
            better = (np.isfinite(energy) & present & (weight > best)) | (electrode & present)
            best = np.where(better, weight, best)
            sites = np.where(better, phase.site_density_cm3[:, d] * hop * NM_CM, sites)
            rate = phase.diffusion_prefactor[:, d] * phase.attempt_frequency_Hz[:, d]
            attempts = np.where(better, rate, attempts)
            barrier = np.where(better, energy, barrier)
            occupation = np.where(better, theta * unoccupied, occupation)
            if not slopes:
                continue
            # how far the mean charge is from this one
            pull = -charge * empty + sum_of(
                [
                    (phase.charge[:, other] - charge) * one
                    for other, one in zip(site.defects, states, strict=True)
                ]
            )
            with np.errstate(divide="ignore", invalid="ignore"):
                change = (1.0 - theta / unoccupied) * pull / state.kT_eV
            slope = np.where(better, change, slope)
    return _Plane(
        flat.ion_charge.reshape(shape),
        state.kT_eV.reshape(shape),
        electrode.reshape(shape),
        *(v.reshape(shape) for v in (sites, attempts, barrier, occupation, slope)),
    )
