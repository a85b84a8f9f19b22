"""Levels of a cell at open circuit: mu, Fermi level, bands (physics.md section 3)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from .phase import Array, IntArray


def minimum_interface_mu(
    thickness_nm: ArrayLike,
    mu_negative_eV: ArrayLike,
    mu_positive_eV: ArrayLike,
    reduction_V: ArrayLike,
    oxidation_V: ArrayLike,
    ion_charge: ArrayLike = 1.0,
) -> tuple[Array, Array]:
    """Chemical potential at the two ends of each layer between the electrodes.

    Between its ends, a layer's mu is linear. Each end is the value there of the line that joins
    the two electrodes' mu over the whole stack, brought into the layer's stability window.

    Parameters
    ----------
    thickness_nm : array (..., n)
        Of the layers between the electrodes, from the negative to the positive one.
    mu_negative_eV, mu_positive_eV : array (...)
        mu of the electrodes.
    reduction_V, oxidation_V : array (..., n)
        Stability windows against the metal; −inf and inf where none is known.
    ion_charge : array (...)
        z.

    Returns
    -------
    left, right : array (..., n)
        mu at the layers' left and right ends.
    """
    thickness = np.asarray(thickness_nm, dtype=np.float64)
    negative = np.asarray(mu_negative_eV, dtype=np.float64)[..., None]
    positive = np.asarray(mu_positive_eV, dtype=np.float64)[..., None]
    z = np.asarray(ion_charge, dtype=np.float64)[..., None]
    end = np.cumsum(thickness, axis=-1)
    share = end / end[..., -1:]
    start = np.concatenate([np.zeros_like(share[..., :1]), share[..., :-1]], axis=-1)
    lowest, highest = -z * np.asarray(oxidation_V), -z * np.asarray(reduction_V)
    left, right = (
        np.clip(negative + (positive - negative) * place, lowest, highest)
        for place in (start, share)
    )
    return left, right


def open_circuit_voltage_V(
    mu_negative_eV: ArrayLike, mu_positive_eV: ArrayLike, ion_charge: ArrayLike = 1.0
) -> Array:
    """V_OC = −(mu_positive − mu_negative)/z."""
    difference = np.asarray(mu_positive_eV) - np.asarray(mu_negative_eV)
    return np.asarray(-difference / np.asarray(ion_charge))


def metal_neutral_potential_V(
    work_function_eV: ArrayLike,
    mu_eV: ArrayLike,
    metal_work_function_eV: ArrayLike,
    ion_charge: ArrayLike = 1.0,
) -> Array:
    """phi_0 of an electrode, Phi_metal − Phi − mu/z, on the zero of the neutral mobile metal."""
    return np.asarray(
        np.asarray(metal_work_function_eV)
        - np.asarray(work_function_eV)
        - np.asarray(mu_eV) / np.asarray(ion_charge)
    )


def fermi_level_eV(
    mu_eV: ArrayLike, metal_work_function_eV: ArrayLike, ion_charge: ArrayLike = 1.0
) -> Array:
    """E_F = mu/z − Phi_metal on the common zero."""
    return np.asarray(
        np.asarray(mu_eV) / np.asarray(ion_charge) - np.asarray(metal_work_function_eV)
    )


def band_edges(
    phi_V: ArrayLike, ionization_potential_eV: ArrayLike, band_gap_eV: ArrayLike
) -> tuple[Array, Array, Array]:
    """Vacuum level −phi, conduction-band and valence-band edge, in eV."""
    vacuum = -np.asarray(phi_V, dtype=np.float64)
    valence = vacuum - np.asarray(ionization_potential_eV)
    return vacuum, valence + np.asarray(band_gap_eV), valence


def contact_class(
    left_ionization_potential_eV: ArrayLike,
    left_band_gap_eV: ArrayLike,
    right_ionization_potential_eV: ArrayLike,
    right_band_gap_eV: ArrayLike,
    dipole_V: ArrayLike = 0.0,
) -> IntArray:
    """Class of a contact of two insulators by their bands: 1 straddling, 2 staggered, 3 broken."""
    _, left_c, left_v = band_edges(0.0, left_ionization_potential_eV, left_band_gap_eV)
    _, right_c, right_v = band_edges(dipole_V, right_ionization_potential_eV, right_band_gap_eV)
    broken = (left_v > right_c) | (right_v > left_c)
    straddling = (left_c - right_c) * (left_v - right_v) <= 0.0
    return np.where(broken, 3, np.where(straddling, 1, 2)).astype(np.int64)


def electron_barrier_eV(conduction_band_eV: ArrayLike, fermi_level_eV: ArrayLike) -> Array:
    """Barrier for electrons into the phase: E_CBM at the contact minus the electrode's E_F."""
    return np.asarray(np.asarray(conduction_band_eV) - np.asarray(fermi_level_eV))


def hole_barrier_eV(valence_band_eV: ArrayLike, fermi_level_eV: ArrayLike) -> Array:
    """Barrier for holes into the phase: the electrode's E_F minus E_VBM at the contact."""
    return np.asarray(np.asarray(fermi_level_eV) - np.asarray(valence_band_eV))
