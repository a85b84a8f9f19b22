"""Insertion electrodes that bend: a lattice gas of the mobile ion and electronic carriers.

An electrode whose carriers are few is no metal to its contact: it has a space charge of its own
(physics.md section 4). Its ions fill the share theta of N sites; a frozen background makes it
neutral at the neutral potential that its work function and its voltage give it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from .bulk import Bulk, neutral_bulk
from .carriers import band_density_nm3
from .constants import BOLTZMANN_EV_K, CM3_PER_NM3, ELEMENTARY_CHARGE_C, NM_CM
from .exchange_current import HOST_OCCUPATION
from .numerics.fermi_dirac import fermi_dirac
from .numerics.roots import bracketed_newton
from .phase import Array, Phase

_FAR_BAND_EV = 10.0
"""Distance of the band whose carriers do not matter."""

_HOP_NM = 0.3
"""With a given conductivity, the hop distance is a way to write it."""


def electrode_bulk(
    *,
    work_function_eV: ArrayLike,
    mu_eV: ArrayLike,
    metal_work_function_eV: ArrayLike,
    temperature_K: ArrayLike,
    occupation: ArrayLike,
    site_density_cm3: ArrayLike,
    dielectric_constant: ArrayLike,
    ion_charge: ArrayLike = 1.0,
    holes_cm3: ArrayLike | None = None,
    electrons_cm3: ArrayLike | None = None,
    band_gap_eV: ArrayLike | None = None,
    conductivity_S_cm: ArrayLike | None = None,
) -> Bulk:
    """Describe an electrode with a space charge, for a contact or a stack.

    ``rho = z e N [1/(1 + (1/theta − 1) exp(z u)) − theta] + Δp − Δn``

    Parameters
    ----------
    work_function_eV, mu_eV : array (...)
        Work function and mu of the electrode at its ion content, which set its neutral potential.
    metal_work_function_eV, temperature_K : array (...)
        Work function of the mobile metal, and temperature of the contact.
    occupation, site_density_cm3 : array (...)
        theta, kept within [1e-3, 1 − 1e-3], and N.
    dielectric_constant, ion_charge : array (...)
        Dielectric constant of the electrode; z.
    holes_cm3, electrons_cm3, band_gap_eV : array (...), optional
        At most one of them: carriers of the neutral electrode, or the gap of an intrinsic one.
        Without any, ions alone screen.
    conductivity_S_cm : array (...), optional
        Conductivity of its ions where it is neutral; without one, its space charge adds no
        resistance.

    Returns
    -------
    Bulk
        Its phase is marked as an electrode.
    """
    work, mu, metal, temperature, theta, density, epsilon, z = np.broadcast_arrays(
        work_function_eV,
        mu_eV,
        metal_work_function_eV,
        temperature_K,
        np.clip(occupation, HOST_OCCUPATION, 1.0 - HOST_OCCUPATION),
        site_density_cm3,
        dielectric_constant,
        np.asarray(ion_charge, dtype=np.float64),
    )
    kT = BOLTZMANN_EV_K * temperature
    band_cm3 = band_density_nm3(temperature, np.ones_like(kT)) / CM3_PER_NM3
    level, gap = np.full_like(kT, _FAR_BAND_EV), np.full_like(kT, 2 * _FAR_BAND_EV)
    excess: Array = np.zeros(())
    if holes_cm3 is not None:
        level = -kT * reduced_level(np.asarray(holes_cm3) / band_cm3)
        gap = np.maximum(level, 0.0) + _FAR_BAND_EV
        excess = np.asarray(holes_cm3, dtype=np.float64)
    elif electrons_cm3 is not None:
        gap = np.full_like(kT, _FAR_BAND_EV)
        level = gap + kT * reduced_level(np.asarray(electrons_cm3) / band_cm3)
        excess = -np.asarray(electrons_cm3, dtype=np.float64)
    elif band_gap_eV is not None:
        gap = np.broadcast_to(np.asarray(band_gap_eV, dtype=np.float64), kT.shape)
        level = 0.5 * gap
    attempts = barrier = np.full((), np.nan)
    if conductivity_S_cm is not None:
        mobile = z**2 * ELEMENTARY_CHARGE_C * density * theta * (1.0 - theta) / kT
        attempts = np.asarray(conductivity_S_cm / (mobile * (_HOP_NM * NM_CM) ** 2))
        barrier = np.zeros(())
    electronic = any(value is not None for value in (holes_cm3, electrons_cm3, band_gap_eV))
    phase = Phase(
        ionization_potential_eV=work + level,
        band_gap_eV=gap,
        dielectric_constant=epsilon,
        charge=z[..., None],
        ion_change=np.ones_like(kT)[..., None],
        formation_energy_eV=(kT * np.log(1.0 / theta - 1.0) + mu - z * level)[..., None],
        site_density_cm3=density[..., None],
        migration_energy_eV=barrier[..., None],
        attempt_frequency_Hz=attempts[..., None],
        hop_distance_nm=np.full(1, _HOP_NM),
        diffusion_prefactor=np.ones(1),
        electrons=np.asarray(electronic),
        frozen_charge_cm3=-(z * density * theta + excess),
        electrode=np.asarray(True),
    )
    return neutral_bulk(
        phase,
        temperature_K=temperature,
        metal_work_function_eV=metal,
        mu_eV=mu,
        ion_charge=z,
    )


def reduced_level(filling: ArrayLike) -> Array:
    """Eta with F_1/2(eta) = `filling` (...): how far E_F lies inside a band, in kT."""
    share = np.asarray(filling, dtype=np.float64)
    flat = share.ravel()
    # dilute: eta = ln(filling); degenerate: eta = (3 sqrt(pi)/4 filling)^(2/3), which is an upper
    # bound there as the former is a lower one everywhere
    low = np.log(flat)
    high = np.maximum(low, 0.0) + (0.75 * np.sqrt(np.pi) * flat) ** (2.0 / 3.0) + 1.0

    def shortage(eta: Array) -> tuple[Array, Array]:
        value = fermi_dirac(0.5, eta)
        return np.log(flat / value), -fermi_dirac(-0.5, eta) / value

    return bracketed_newton(shortage, low - 1e-9, high, low, absolute=1e-14).reshape(share.shape)
