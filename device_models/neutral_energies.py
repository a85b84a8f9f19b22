"""Formation energies of two defects from what is known of the neutral phase.

What fixes a space charge is the potential at which a phase is neutral, and what its defects cost
there (physics.md section 3): the ionization potential moves both formation energies with it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from .bulk import neutral_bulk
from .phase import Array, Phase


def energies_from_neutrality(
    phase: Phase,
    *,
    neutral_potential_V: ArrayLike,
    formation_energy_eV: ArrayLike,
    metal_work_function_eV: ArrayLike,
    temperature_K: ArrayLike = 300.0,
    ion_charge: ArrayLike = 1.0,
) -> Array:
    """Find the formation energies with which two defects of opposite charge make a phase neutral.

    Parameters
    ----------
    phase : Phase
        Two defects of charge ±z; its formation energies are not used. Batch shape (...).
    neutral_potential_V : array (...)
        phi_0 of the undoped phase, from its ions alone.
    formation_energy_eV : array (...)
        Mean of both formation energies at mu = 0 and the Fermi level there.
    metal_work_function_eV, ion_charge : array (...)
        Work function of the neutral mobile metal; z.
    temperature_K : array (...)
        Temperature of the neutral potential, which depends on it where the sites differ.

    Returns
    -------
    array (..., 2)
        E0 of both, at E_F = VBM and mu = 0.
    """
    potential, energy, metal = (
        np.asarray(value, dtype=np.float64)
        for value in (neutral_potential_V, formation_energy_eV, metal_work_function_eV)
    )
    level = phase.ionization_potential_eV - metal + potential
    apart = phase.charge * level[..., None]
    ions = replace(
        phase,
        formation_energy_eV=energy[..., None] - apart,
        electrons=np.asarray(False),
        frozen_charge_cm3=np.zeros(()),
    )
    found = neutral_bulk(
        ions,
        temperature_K=temperature_K,
        metal_work_function_eV=metal,
        ion_charge=ion_charge,
    )
    # sites that differ move the neutral level: the energies move against it
    moved = found.fermi_level_eV - level
    return np.asarray(energy[..., None] - apart + phase.charge * moved[..., None])
