"""Intervals of what electrons meet, from all samples of a prediction (physics.md, 7 and 8).

The samples have no profiles of their own: the potential of a thick phase is monotonic from the
contact to the bulk, so that its two ends are its extremes; a thin layer is solved as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from interohm import device_models as models
from interohm.device_models import FiniteLayer, Leakage, layer_leakage
from interohm.prediction.solved_contact import shown_side
from interohm.results.json_values import log10_quantiles, quantiles

if TYPE_CHECKING:
    from interohm.arrays import Array
    from interohm.prediction.solved_cell import SolvedState
    from interohm.prediction.solved_contact import Side, SolvedContact


@dataclass(frozen=True)
class _Bands:
    """Band edges of an insulator, (..., P) from left to right, and effective masses (...)."""

    conduction_band_eV: Array
    valence_band_eV: Array
    electron_mass: Array
    hole_mass: Array


def contact_electron_quantiles(
    sampled: SolvedContact, electrode_level_eV: Array, temperature_K: float
) -> dict[str, Any]:
    """Return the intervals of what electrons meet at a single contact.

    Parameters
    ----------
    sampled : SolvedContact
        The samples.
    electrode_level_eV : array (samples,)
        Fermi level of the electrode; without meaning between two insulators.
    temperature_K : float
        Temperature of the contact.

    Returns
    -------
    dict
        The fields of `interohm.prediction.electrons.contact_electrons` that are numbers, of the
        leakage its log10; None where a contact has none.
    """
    left, right = _bands(None, sampled.left_side), _bands(sampled.right_side, None)
    return _contact_quantiles(left, right, electrode_level_eV, temperature_K)


def cell_electron_quantiles(
    sampled: SolvedState, temperature_K: float
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the intervals of what electrons meet at each contact of a cell, and of its leakage.

    Parameters
    ----------
    sampled : SolvedState
        The samples of the cell at one state of charge.
    temperature_K : float
        Temperature of the cell.
    """
    contacts = sampled.contacts
    layers = [
        None,
        *(_bands(left.right_side, right.left_side) for left, right in pairwise(contacts)),
        None,
    ]
    z = sampled.layers[0].material.ion_charge
    negative_eV, positive_eV = (
        models.fermi_level_eV(electrode.mu_eV[0], sampled.metal_work_function_eV, z)
        for electrode in (sampled.layers[0], sampled.layers[-1])
    )
    found = []
    for index in range(len(contacts)):
        level = negative_eV if index == 0 else positive_eV
        found.append(_contact_quantiles(layers[index], layers[index + 1], level, temperature_K))
    inner = [bands for bands in layers if bands is not None]
    highest, electron_mass = _highest(
        [np.max(bands.conduction_band_eV, axis=-1) for bands in inner],
        [bands.electron_mass for bands in inner],
    )
    lowest, hole_mass = _highest(
        [np.max(-bands.valence_band_eV, axis=-1) for bands in inner],
        [bands.hole_mass for bands in inner],
    )
    leakage = Leakage(
        highest - negative_eV,
        positive_eV + lowest,
        np.asarray(temperature_K),
        electron_mass,
        hole_mass,
    )
    return found, {
        "electron_barrier_eV": quantiles(leakage.electron_barrier_eV),
        "hole_barrier_eV": quantiles(leakage.hole_barrier_eV),
        "log10_current_A_cm2": log10_quantiles(
            leakage.current_A_cm2(sampled.open_circuit_voltage_V)
        ),
    }


def _contact_quantiles(
    left: _Bands | None, right: _Bands | None, electrode_level_eV: Array, temperature_K: float
) -> dict[str, Any]:
    fields: dict[str, Any] = dict.fromkeys(
        (
            "conduction_band_step_eV",
            "valence_band_step_eV",
            "electron_barrier_eV",
            "hole_barrier_eV",
            "log10_leakage_A_cm2",
        )
    )
    if left is not None and right is not None:
        for band in ("conduction_band", "valence_band"):
            step = getattr(right, f"{band}_eV")[..., 0] - getattr(left, f"{band}_eV")[..., -1]
            fields[f"{band}_step_eV"] = quantiles(step)
        return fields
    bands, end = (left, -1) if right is None else (right, 0)
    assert bands is not None
    leakage = layer_leakage(
        bands.conduction_band_eV,
        bands.valence_band_eV,
        np.asarray(electrode_level_eV)[..., None],
        temperature_K=np.asarray(temperature_K),
        electron_mass=bands.electron_mass,
        hole_mass=bands.hole_mass,
    )
    return fields | {
        "electron_barrier_eV": quantiles(
            models.electron_barrier_eV(bands.conduction_band_eV[..., end], electrode_level_eV)
        ),
        "hole_barrier_eV": quantiles(
            models.hole_barrier_eV(bands.valence_band_eV[..., end], electrode_level_eV)
        ),
        "log10_leakage_A_cm2": log10_quantiles(leakage.emission_A_cm2),
    }


def _bands(left: Side | None, right: Side | None) -> _Bands | None:
    """Return the bands of a layer from what its contacts see of it; None of a metal."""
    known = [shown_side(side) for side in (left, right) if side is not None]
    first = known[0]
    if isinstance(first, models.Metal):
        return None
    if isinstance(first, FiniteLayer):
        phi = first.potentials_V
    else:
        places: list[Array] = []
        if isinstance(left, models.HalfSpace):
            places += [left.contact_potential_V, left.bulk.neutral_potential_V]
        if isinstance(right, models.HalfSpace):
            places += [right.bulk.neutral_potential_V, right.contact_potential_V]
        phi = np.stack(np.broadcast_arrays(*places), axis=-1)
    phase = first.bulk.phase
    _, conduction, valence = models.band_edges(
        phi,
        np.asarray(phase.ionization_potential_eV)[..., None],
        np.asarray(phase.band_gap_eV)[..., None],
    )
    return _Bands(conduction, valence, np.asarray(phase.electron_mass), np.asarray(phase.hole_mass))


def _highest(tops: list[Array], masses: list[Array]) -> tuple[Array, Array]:
    """Return the highest of the layers' tops in each sample, and the mass in that layer."""
    every = np.broadcast_arrays(*tops, *masses)
    heights, mass = (np.stack(rows, axis=-1) for rows in (every[: len(tops)], every[len(tops) :]))
    which = np.argmax(heights, axis=-1)[..., None]
    return (
        np.take_along_axis(heights, which, axis=-1)[..., 0],
        np.take_along_axis(mass, which, axis=-1)[..., 0],
    )
