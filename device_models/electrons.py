"""Electrons at contacts: pinned dipoles, and leakage over a barrier by thermionic emission.

Physics.md, sections 3 and 7. The barriers themselves, ``E_CBM − E_F`` and ``E_F − E_VBM``, and the
class of a contact come from `open_circuit`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arrays import arrays_of
from .constants import BOLTZMANN_EV_K
from .phase import Array

RICHARDSON_A_CM2_K2 = 120.17322911
"""4·pi·e·m_e·k²/h³, the emission of free electrons."""


def pinning_dipole_V(
    pinning_factor: Array,
    left_neutrality_level_eV: Array,
    right_neutrality_level_eV: Array,
) -> Array:
    """Return Delta = phi(right) − phi(left) of a partly pinned contact.

    ``Delta = (1 − S)·(Phi_CNL,left − Phi_CNL,right)``: interface states exchange electrons until
    the charge-neutrality levels meet (S = 0), part of the way, or not at all (S = 1, the limit of
    Schottky and Mott); J. Robertson, J. Vac. Sci. Technol. B 18, 1785 (2000).

    Parameters
    ----------
    pinning_factor : array (...)
        S, from 0 to 1.
    left_neutrality_level_eV, right_neutrality_level_eV : array (...)
        Phi_CNL below the vacuum level; a metal's is its work function.
    """
    _, (factor, left, right) = arrays_of(
        pinning_factor, left_neutrality_level_eV, right_neutrality_level_eV
    )
    return (1.0 - factor) * (left - right)


@dataclass(frozen=True)
class Leakage:
    """Electrons and holes that cross a layer by emission over its barriers, side by side.

    ``J = A·m·T²·exp(−barrier/kT)`` of each (O. W. Richardson; A of free electrons, m the effective
    mass), with a barrier below zero counted as none: an upper bound, since scattering within the
    layer only hinders.

    Parameters
    ----------
    electron_barrier_eV, hole_barrier_eV : array (...)
        Highest point of ``E_CBM(x) − E_F`` and of ``E_F − E_VBM(x)``, seen by the emitter.
    temperature_K : array (...)
        Temperature of the layer.
    electron_mass, hole_mass : array (...)
        Effective masses in electron masses.
    """

    electron_barrier_eV: Array
    hole_barrier_eV: Array
    temperature_K: Array
    electron_mass: Array = 1.0  # type: ignore[assignment]
    hole_mass: Array = 1.0  # type: ignore[assignment]

    @property
    def thermal_V(self) -> Array:
        """Return kT/e, shape (...)."""
        return np.asarray(BOLTZMANN_EV_K * np.asarray(self.temperature_K))

    @property
    def emission_A_cm2(self) -> Array:
        """Return what the emitter sends, nothing coming back, shape (...)."""
        total = np.zeros(())
        for barrier, mass in (
            (self.electron_barrier_eV, self.electron_mass),
            (self.hole_barrier_eV, self.hole_mass),
        ):
            total = total + mass * np.exp(-np.maximum(barrier, 0.0) / self.thermal_V)
        return np.asarray(RICHARDSON_A_CM2_K2 * np.square(self.temperature_K) * total)

    def current_A_cm2(self, bias_V: Array) -> Array:
        """Return the net current when the emitter's Fermi level lies `bias_V` above the other's.

        ``J·(1 − exp(−bias/kT))``: what comes back meets the same top from a lower level.
        """
        return np.asarray(-self.emission_A_cm2 * np.expm1(-np.asarray(bias_V) / self.thermal_V))

    @property
    def resistance_ohm_cm2(self) -> Array:
        """Return the area-specific resistance at zero bias, ``kT/J``; shape (...)."""
        with np.errstate(divide="ignore"):
            return np.asarray(self.thermal_V / self.emission_A_cm2)


def layer_leakage(
    conduction_band_eV: Array,
    valence_band_eV: Array,
    fermi_level_eV: Array,
    *,
    temperature_K: Array,
    electron_mass: Array | float = 1.0,
    hole_mass: Array | float = 1.0,
) -> Leakage:
    """Find the barriers of a layer from its band diagram.

    Parameters
    ----------
    conduction_band_eV, valence_band_eV, fermi_level_eV : array (..., P)
        Along the layer; the Fermi level may be one per layer, (..., 1).
    temperature_K, electron_mass, hole_mass : array (...)
        Temperature and masses, as in `Leakage`.

    Returns
    -------
    Leakage
        With batch shape (...).
    """
    return Leakage(
        np.max(conduction_band_eV - fermi_level_eV, axis=-1),
        np.max(fermi_level_eV - valence_band_eV, axis=-1),
        np.asarray(temperature_K),
        np.asarray(electron_mass),
        np.asarray(hole_mass),
    )
