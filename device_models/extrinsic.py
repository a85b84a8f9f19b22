"""Measured resistance of a contact, from its intrinsic one (physics.md section 10).

Surfaces touch in spots, ions spread from them into the electrolyte, interphases grow, grains have
boundaries. None of it is mixed with the intrinsic resistance: these functions take it as a number.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from .constants import BOLTZMANN_EV_K, NM_CM
from .phase import Array

CONTACT_SLOPE = 2.0
"""Real contact per reduced pressure at small loads: 1.60 by Persson, 2.51 by Bush, Gibson, Thomas,
2.0 to 2.4 in numerical contacts."""

_UM_CM = 1e-4


def effective_modulus_GPa(
    left_modulus_GPa: ArrayLike,
    left_poisson: ArrayLike,
    right_modulus_GPa: ArrayLike,
    right_poisson: ArrayLike,
) -> Array:
    """``1/E* = (1 − nu1²)/E1 + (1 − nu2²)/E2`` of two elastic bodies, arrays (...)."""
    compliance = [
        (1.0 - np.square(poisson)) / np.asarray(modulus, dtype=np.float64)
        for modulus, poisson in (
            (left_modulus_GPa, left_poisson),
            (right_modulus_GPa, right_poisson),
        )
    ]
    return np.asarray(1.0 / (compliance[0] + compliance[1]))


def contact_fraction(
    pressure_MPa: ArrayLike,
    effective_modulus_GPa: ArrayLike,
    rms_slope: ArrayLike,
    *,
    hardness_GPa: ArrayLike = np.inf,
    slope: ArrayLike = CONTACT_SLOPE,
) -> Array:
    """Share of the area in which rough surfaces touch.

    Parameters
    ----------
    pressure_MPa : array (...)
        Nominal pressure.
    effective_modulus_GPa : array (...)
        E* of both.
    rms_slope : array (...)
        Root mean square slope of the roughness at its shortest wavelength.
    hardness_GPa : array (...)
        Hardness of the softer side, which flows at this pressure.
    slope : array (...)
        kappa; with ``sqrt(8/pi)`` the elastic share is Persson's.

    Returns
    -------
    array (...)
        The larger of ``erf(sqrt(pi)/2 kappa p/(E* h'))`` and ``p/H``, at most 1.
    """
    from scipy.special import erf

    pressure_GPa = 1e-3 * np.asarray(pressure_MPa, dtype=np.float64)
    reduced = pressure_GPa / (np.asarray(effective_modulus_GPa) * np.asarray(rms_slope))
    elastic = erf(0.5 * np.sqrt(np.pi) * np.asarray(slope) * reduced)
    return np.asarray(np.minimum(np.maximum(elastic, pressure_GPa / np.asarray(hardness_GPa)), 1.0))


def flux_tube_factor(radius_ratio: ArrayLike) -> Array:
    """Psi of an ion-equipotential spot that feeds a flux tube of 1/`radius_ratio` its radius.

    1 of a single spot, 0 of full contact; the polynomial of Negus and Yovanovich.
    """
    e = np.asarray(radius_ratio, dtype=np.float64)
    series = 1.0 - 1.40978 * e + 0.34406 * e**3 + 0.04305 * e**5 + 0.02271 * e**7
    return np.asarray(np.where(e < 1.0, np.maximum(series, 0.0), 0.0))


def constriction_ohm_cm2(
    contact_fraction: ArrayLike, spot_radius_um: ArrayLike, conductivity_S_cm: ArrayLike
) -> Array:
    """``psi(sqrt f) pi a/(4 f sigma)``: ions spread from spots into an electrolyte, arrays."""
    f = np.asarray(contact_fraction, dtype=np.float64)
    a_cm = _UM_CM * np.asarray(spot_radius_um, dtype=np.float64)
    with np.errstate(divide="ignore"):
        return np.asarray(
            flux_tube_factor(np.sqrt(f)) * np.pi * a_cm / (4.0 * f * np.asarray(conductivity_S_cm))
        )


def interphase_thickness_nm(
    hours: ArrayLike,
    *,
    parabolic_nm2_h: ArrayLike = np.inf,
    linear_nm_h: ArrayLike = np.inf,
    initial_nm: ArrayLike = 0.0,
) -> Array:
    """Thickness of an interphase that grows by diffusion through itself, by reaction, or by both.

    Parameters
    ----------
    hours : array (...)
        Age of the contact.
    parabolic_nm2_h : array (...)
        k_p of ``L² = L_0² + 2 k_p t``; infinite where diffusion limits nothing.
    linear_nm_h : array (...)
        k_l of the reaction that limits growth while the interphase is thin; infinite where it
        limits nothing. One of the two is finite.
    initial_nm : array (...)
        L_0.

    Returns
    -------
    array (...)
        L of ``(L² − L_0²)/2k_p + (L − L_0)/k_l = t``.
    """
    time, k_p, k_l, start = (
        np.asarray(value, dtype=np.float64)
        for value in (hours, parabolic_nm2_h, linear_nm_h, initial_nm)
    )
    # L − L_0 without the difference of two large numbers, and finite where a rate is not
    reach = start / k_p + 1.0 / k_l
    root = np.sqrt(reach**2 + 2.0 * time / k_p)
    return np.asarray(start + 2.0 * time / (reach + root + (time == 0.0)))


def arrhenius_factor(
    activation_energy_eV: ArrayLike, temperature_K: ArrayLike, known_at_K: ArrayLike
) -> Array:
    """``exp[−E/k (1/T − 1/T_0)]``: what a rate at T is over that at T_0, arrays (...)."""
    difference = 1.0 / np.asarray(temperature_K) - 1.0 / np.asarray(known_at_K)
    return np.asarray(np.exp(-np.asarray(activation_energy_eV) / BOLTZMANN_EV_K * difference))


def film_ohm_cm2(thickness_nm: ArrayLike, conductivity_S_cm: ArrayLike) -> Array:
    """``L/sigma`` of a uniform film, arrays (...)."""
    return np.asarray(NM_CM * np.asarray(thickness_nm) / np.asarray(conductivity_S_cm))


def apparent_ohm_cm2(
    interface_ohm_cm2: ArrayLike,
    *,
    contact_fraction: ArrayLike = 1.0,
    constriction_ohm_cm2: ArrayLike = 0.0,
    interphase_ohm_cm2: ArrayLike = 0.0,
) -> Array:
    """``(R_if + R_interphase)/f + R_c`` per nominal area, arrays (...)."""
    through = np.asarray(interface_ohm_cm2, dtype=np.float64) + np.asarray(interphase_ohm_cm2)
    return np.asarray(through / np.asarray(contact_fraction) + np.asarray(constriction_ohm_cm2))


def depleted_resistivity_ratio(
    barrier_eV: ArrayLike, temperature_K: ArrayLike, ion_charge: ArrayLike = 1.0
) -> Array:
    """sigma_bulk/sigma over a Mott–Schottky depletion, ``exp(a) D(sqrt a)/sqrt a``.

    Parameters
    ----------
    barrier_eV : array (...)
        Phi, by how much phi at the boundary exceeds the bulk's.
    temperature_K, ion_charge : array (...)
        ``a = z Phi/kT``; D is Dawson's function.
    """
    from scipy.special import dawsn

    z = np.asarray(ion_charge, dtype=np.float64)
    a = z * np.asarray(barrier_eV) / (BOLTZMANN_EV_K * np.asarray(temperature_K))
    root = np.sqrt(np.maximum(a, 1e-30))
    return np.asarray(np.exp(a) * dawsn(root) / root)


def brick_layer_S_cm(
    bulk_S_cm: ArrayLike,
    boundary_S_cm: ArrayLike,
    *,
    grain_size_nm: ArrayLike,
    boundary_width_nm: ArrayLike,
) -> Array:
    """``1/sigma = 1/sigma_bulk + (delta/d)/sigma_gb`` of grains with boundaries, arrays (...)."""
    share = np.asarray(boundary_width_nm, dtype=np.float64) / np.asarray(grain_size_nm)
    return np.asarray(1.0 / (1.0 / np.asarray(bulk_S_cm) + share / np.asarray(boundary_S_cm)))
