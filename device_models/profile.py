"""Profiles along a space charge: potential, concentrations, conductivity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .constants import CM3_PER_NM3
from .densities import Thermodynamics
from .phase import Array


@dataclass(frozen=True)
class Profile:
    """Points along x of a batch (...) of phases.

    Attributes
    ----------
    x_nm, phi_V : array (..., P)
        Distance from the contact (of a layer: from its left end) and potential.
    concentrations_cm3 : array (..., P, D)
        Concentrations of the defects, in the phase's order.
    electrons_cm3, holes_cm3, conductivity_S_cm : array (..., P)
        Electrons, holes, and the conductivity of the mobile ion (0 where nothing conducts).
    """

    x_nm: Array
    phi_V: Array
    concentrations_cm3: Array
    electrons_cm3: Array
    holes_cm3: Array
    conductivity_S_cm: Array


def profile_of(
    state: Thermodynamics, x_nm: Array, phi_V: Array, u: Array, shape: tuple[int, ...]
) -> Profile:
    """Collect a profile from points (P, N) of N phases; `shape` is their batch shape."""

    def arranged(value: Array) -> Array:
        return np.moveaxis(value, 0, -1).reshape((*shape, u.shape[0]))

    electrons, holes = state.carriers_nm3(u)
    _, conductivity = state.evaluate_conduction(u)
    return Profile(
        x_nm=arranged(x_nm),
        phi_V=arranged(phi_V),
        concentrations_cm3=np.stack(
            [arranged(one) / CM3_PER_NM3 for one in state.concentrations_nm3(u)], axis=-1
        ),
        electrons_cm3=arranged(electrons) / CM3_PER_NM3,
        holes_cm3=arranged(holes) / CM3_PER_NM3,
        conductivity_S_cm=arranged(conductivity),
    )
