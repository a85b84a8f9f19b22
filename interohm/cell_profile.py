"""The band diagram of a cell: levels against the distance from the negative electrode's back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from interohm import device_models as models
from interohm.documents import numbers
from interohm.records import Insulator

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from interohm.solved_cell import SolvedLayer, SolvedState

    Array = NDArray[np.float64]


def cell_profile(state: SolvedState) -> dict[str, list[float | None]]:
    """Return x, phi and the levels of all layers; what a phase has not is None.

    Parameters
    ----------
    state : SolvedState
        The nominal solution at one state of charge.

    Returns
    -------
    dict
        ``x_nm`` (0 at the first layer's left edge), ``phi_V``, ``vacuum_level_eV``,
        ``conduction_band_eV``, ``valence_band_eV``, ``fermi_level_eV``, ``mu_eV``.
    """
    columns: dict[str, list[Array]] = {
        name: []
        for name in (
            "x_nm",
            "phi_V",
            "vacuum_level_eV",
            "conduction_band_eV",
            "valence_band_eV",
            "fermi_level_eV",
            "mu_eV",
        )
    }
    left_edge = 0.0
    for place, layer in enumerate(state.layers):
        x, phi = _within_layer(state, place, layer)
        mu_left, mu_right = (float(mu) for mu in layer.mu_eV)
        mu = mu_left + (mu_right - mu_left) * x / layer.thickness_nm
        columns["x_nm"].append(left_edge + x)
        columns["phi_V"].append(phi)
        columns["mu_eV"].append(mu)
        columns["fermi_level_eV"].append(
            models.fermi_level_eV(mu, state.metal_work_function_eV, layer.material.ion_charge)
        )
        if isinstance(layer.material, Insulator):
            vacuum, conduction, valence = models.band_edges(
                phi,
                layer.material.ionization_potential_eV.value,
                layer.material.band_gap_eV.value,
            )
        else:
            vacuum, conduction, valence = -phi, np.full_like(phi, np.nan), np.full_like(phi, np.nan)
        columns["vacuum_level_eV"].append(vacuum)
        columns["conduction_band_eV"].append(conduction)
        columns["valence_band_eV"].append(valence)
        left_edge += layer.thickness_nm
    return {name: numbers(np.concatenate(parts)) for name, parts in columns.items()}


def _within_layer(state: SolvedState, place: int, layer: SolvedLayer) -> tuple[Array, Array]:
    """Return x from the layer's left edge, and phi, resolved where it bends."""
    if layer.model is not None:
        potential = float(layer.model.neutral_potential_V)
        return np.array([0.0, layer.thickness_nm]), np.array([potential, potential])
    left: Any = state.contacts[place - 1].right_side
    right: Any = state.contacts[place].left_side
    if isinstance(left, models.Layer):
        profile = left.profile()
        return profile.x_nm, profile.phi_V
    # Thick: the two space charges do not touch; each keeps to its half.
    near_left, near_right = left.profile(), right.profile()
    half = layer.thickness_nm / 2
    first, second = near_left.x_nm <= half, near_right.x_nm <= half
    x = np.concatenate([near_left.x_nm[first], layer.thickness_nm - near_right.x_nm[second][::-1]])
    phi = np.concatenate([near_left.phi_V[first], near_right.phi_V[second][::-1]])
    return x, phi
