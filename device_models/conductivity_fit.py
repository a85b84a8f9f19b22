"""Hops that give a phase the conductivity that was measured (physics.md section 5).

A measurement has two numbers, sigma and its activation energy, and does not tell which defect
carries the current: for each choice of carriers, one migration energy of all of them and one factor
of all attempt frequencies give both. It is of the phase as it was prepared, an electrolyte within
its stability window, of which `prepared_bulk` is the model.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from .bulk import Bulk, bulk_activation_energy_eV, neutral_bulk
from .constants import BOLTZMANN_EV_K
from .phase import Array, Phase


@dataclass(frozen=True)
class FittedHop:
    """Hops of a phase that reproduce its measured conductivity.

    Attributes
    ----------
    migration_energy_eV : array (..., D)
        Migration energy of every defect; NaN where it does not hop.
    carriers_energy_eV : array (...)
        Migration energy of the carriers; below 0 where no hop has such a small activation energy.
    frequency_factor : array (...)
        Multiplies all attempt frequencies.
    """

    migration_energy_eV: Array
    carriers_energy_eV: Array
    frequency_factor: Array

    def applied(self, phase: Phase) -> Phase:
        """Return the phase with these hops."""
        return replace(
            phase,
            migration_energy_eV=self.migration_energy_eV,
            attempt_frequency_Hz=phase.attempt_frequency_Hz * self.frequency_factor[..., None],
        )


def prepared_bulk(
    phase: Phase,
    *,
    temperature_K: ArrayLike,
    mu_eV: ArrayLike = 0.0,
    ion_charge: ArrayLike = 1.0,
) -> Bulk:
    """Solve for the phase as it was prepared: undoped, and neutral by its ions.

    Its electrons and holes are left out, as those of an electrolyte within its stability window are
    too few to matter: at another mu, such as at the potential of the mobile metal, they may not be.
    Only where ions alone cannot make the phase neutral do they take part.

    Parameters
    ----------
    phase : Phase
        Batch shape (...); its frozen charge is left out.
    temperature_K : array (...)
        Temperature.
    mu_eV : array (...)
        Chemical potential of the neutral mobile element. Where all defects have a charge of z times
        their change of ions, nothing but the Fermi level depends on it.
    ion_charge : array (...)
        z of the mobile ion.

    Returns
    -------
    Bulk
        Bulk of that phase; its neutral potential is relative to a metal of zero work function.
    """
    ions = replace(phase, frozen_charge_cm3=np.zeros(()), electrons=np.asarray(False))

    def solved(phase: Phase) -> Bulk:
        return neutral_bulk(
            phase,
            temperature_K=temperature_K,
            metal_work_function_eV=0.0,
            mu_eV=mu_eV,
            ion_charge=ion_charge,
        )

    bulk = solved(ions)
    needed = phase.electrons & ~bulk.has_neutral_bulk
    return solved(replace(ions, electrons=needed)) if np.any(needed) else bulk


def fitted_hop(
    phase: Phase,
    carrier: ArrayLike,
    *,
    conductivity_S_cm: ArrayLike,
    activation_energy_eV: ArrayLike,
    temperature_K: ArrayLike,
    mu_eV: ArrayLike = 0.0,
    slower_eV: ArrayLike = 0.2,
    ion_charge: ArrayLike = 1.0,
) -> FittedHop:
    """Find the hops with which a phase, as prepared, has the measured conductivity.

    Parameters
    ----------
    phase : Phase
        Batch shape (...); its migration energies are not used, its frozen charge left out.
    carrier : array of bool (..., D)
        Which defects carry the current.
    conductivity_S_cm, activation_energy_eV, temperature_K : array (...)
        sigma and ``−k d ln(sigma T)/d(1/T)`` at that temperature.
    mu_eV : array (...)
        Chemical potential of the mobile element as prepared (see `prepared_bulk`).
    slower_eV : array (...)
        Amount by which the barrier of every other defect with a hop is higher.
    ion_charge : array (...)
        z of the mobile ion.

    Returns
    -------
    FittedHop
        NaN where the phase has no neutral bulk, or no carrier hops.
    """
    sigma, energy, temperature, slower = (
        np.asarray(value, dtype=np.float64)
        for value in (conductivity_S_cm, activation_energy_eV, temperature_K, slower_eV)
    )
    hops = np.isfinite(phase.attempt_frequency_Hz) & np.isfinite(phase.hop_distance_nm)
    above = np.where(carrier, 0.0, slower[..., None])
    above = np.where(hops, above, np.nan)
    bulk = prepared_bulk(
        replace(phase, migration_energy_eV=above),
        temperature_K=temperature,
        mu_eV=mu_eV,
        ion_charge=ion_charge,
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        shared = energy - bulk_activation_energy_eV(bulk)
        kT = BOLTZMANN_EV_K * temperature
        factor = sigma / (bulk.conductivity_S_cm * np.exp(-shared / kT))
    return FittedHop(shared[..., None] + above, shared, factor)
