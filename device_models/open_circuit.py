"""Levels of a cell at open circuit: mu, Fermi level, bands (physics.md section 3).

Takes arrays of any library of the array-API standard (JAX, torch, CuPy) and returns the same.
"""

from __future__ import annotations

from numpy.typing import ArrayLike

from .arrays import arrays_of
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

    Between its ends, a layer's mu is linear. At each end it is that of the straight line between
    the two electrodes over the whole stack, clipped to the layer's stability window.

    Parameters
    ----------
    thickness_nm : array (..., n)
        Thickness of the layers between the electrodes, from the negative to the positive one.
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
    xp, (thickness, negative, positive, reduction, oxidation, z) = arrays_of(
        thickness_nm, mu_negative_eV, mu_positive_eV, reduction_V, oxidation_V, ion_charge
    )
    negative, positive, z = negative[..., None], positive[..., None], z[..., None]
    end = xp.cumulative_sum(thickness, axis=-1)
    share = end / end[..., -1:]
    start = xp.concat([xp.zeros_like(share[..., :1]), share[..., :-1]], axis=-1)
    lowest, highest = -z * oxidation, -z * reduction
    left, right = (
        xp.minimum(xp.maximum(negative + (positive - negative) * position, lowest), highest)
        for position in (start, share)
    )
    return left, right


def open_circuit_voltage_V(
    mu_negative_eV: ArrayLike, mu_positive_eV: ArrayLike, ion_charge: ArrayLike = 1.0
) -> Array:
    """V_OC = −(mu_positive − mu_negative)/z."""
    _, (negative, positive, z) = arrays_of(mu_negative_eV, mu_positive_eV, ion_charge)
    return (negative - positive) / z


def metal_neutral_potential_V(
    work_function_eV: ArrayLike,
    mu_eV: ArrayLike,
    metal_work_function_eV: ArrayLike,
    ion_charge: ArrayLike = 1.0,
) -> Array:
    """phi_0 of an electrode, Phi_metal − Phi − mu/z, on the zero of the neutral mobile metal."""
    _, (metal, electrode, mu, z) = arrays_of(
        metal_work_function_eV, work_function_eV, mu_eV, ion_charge
    )
    return metal - electrode - mu / z


def fermi_level_eV(
    mu_eV: ArrayLike, metal_work_function_eV: ArrayLike, ion_charge: ArrayLike = 1.0
) -> Array:
    """E_F = mu/z − Phi_metal on the common zero."""
    _, (mu, metal, z) = arrays_of(mu_eV, metal_work_function_eV, ion_charge)
    return mu / z - metal


def ion_electrochemical_potential_eV(
    mu_eV: ArrayLike, fermi_level_eV: ArrayLike, ion_charge: ArrayLike = 1.0
) -> Array:
    """Return mu − z·E_F: what an ion costs on the common zero, its element without z electrons.

    With the ion's own chemical potential mu + z·Phi(x), Phi the local work function, this is
    chemical potential plus z·e·phi; it is z·Phi_metal where the ion is in equilibrium.
    """
    _, (mu, level, z) = arrays_of(mu_eV, fermi_level_eV, ion_charge)
    return mu - z * level


def band_edges(
    phi_V: ArrayLike, ionization_potential_eV: ArrayLike, band_gap_eV: ArrayLike
) -> tuple[Array, Array, Array]:
    """Vacuum level −phi, conduction-band and valence-band edge, in eV."""
    _, (phi, ionization_potential, gap) = arrays_of(phi_V, ionization_potential_eV, band_gap_eV)
    valence = -phi - ionization_potential
    return -phi, valence + gap, valence


def contact_class(
    left_ionization_potential_eV: ArrayLike,
    left_band_gap_eV: ArrayLike,
    right_ionization_potential_eV: ArrayLike,
    right_band_gap_eV: ArrayLike,
    dipole_V: ArrayLike = 0.0,
) -> IntArray:
    """Class of a contact of two insulators by their bands: 1 straddling, 2 staggered, 3 broken."""
    xp, (left_ip, left_gap, right_ip, right_gap, dipole) = arrays_of(
        left_ionization_potential_eV,
        left_band_gap_eV,
        right_ionization_potential_eV,
        right_band_gap_eV,
        dipole_V,
    )
    _, left_c, left_v = band_edges(xp.zeros_like(left_ip), left_ip, left_gap)
    _, right_c, right_v = band_edges(dipole, right_ip, right_gap)
    broken = (left_v > right_c) | (right_v > left_c)
    straddling = (left_c - right_c) * (left_v - right_v) <= 0.0
    one = xp.ones_like(broken, dtype=xp.int64)
    return xp.where(broken, 3 * one, xp.where(straddling, one, 2 * one))  # type: ignore[no-any-return]


def electron_barrier_eV(conduction_band_eV: ArrayLike, fermi_level_eV: ArrayLike) -> Array:
    """Barrier for electrons into the phase: E_CBM at the contact minus the electrode's E_F."""
    _, (band, level) = arrays_of(conduction_band_eV, fermi_level_eV)
    return band - level


def hole_barrier_eV(valence_band_eV: ArrayLike, fermi_level_eV: ArrayLike) -> Array:
    """Barrier for holes into the phase: the electrode's E_F minus E_VBM at the contact."""
    _, (level, band) = arrays_of(fermi_level_eV, valence_band_eV)
    return level - band
