"""Arrhenius analysis of resistances over the temperature, for a cell or a single contact.

Physics.md, section 5: apparent activation energies of every part, with space charge and without,
since it is their difference by which an experiment tells a space charge.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from interohm.device_models import apparent_activation_energy_eV
from interohm.prediction.solved_cell import SolvedState
from interohm.prediction.solved_contact import SolvedContact
from interohm.results.json_values import column_quantiles, numbers, quantiles

if TYPE_CHECKING:
    from interohm.arrays import Array


#: A sweep that is not asked for otherwise: this far to both sides of the temperature.
_HALF_WIDTH_K, _POINTS = 60.0, 13

#: Where the uncertainties are sampled: at both ends of the sweep for the intervals of its lines,
#: and around its middle, so that the activation energy there is the nominal difference quotient.
_SAMPLED = [0, 5, 6, 7, 12]

Solved = TypeVar("Solved", SolvedState, SolvedContact)


@dataclass(frozen=True)
class Sweep(Generic[Solved]):
    """A solution over the temperature.

    Parameters
    ----------
    temperature_K : array (T,)
        At least three, ascending.
    real : SolvedState or SolvedContact
        With its space charges; arrays of the shape (T,) or (T, samples).
    flat : same, optional
        The same where each dipole takes up the whole potential drop, without any screening.
    """

    temperature_K: Array
    real: Solved
    flat: Solved | None


def sweep_temperatures_K(temperature_K: float) -> Array:
    """Return the temperatures of the default sweep around one."""
    half = min(_HALF_WIDTH_K, temperature_K / 4)
    return np.linspace(temperature_K - half, temperature_K + half, _POINTS)


def sampled_temperatures_K(temperature_K: float) -> Array:
    """Return those of the default sweep at which the uncertainties are sampled."""
    return sweep_temperatures_K(temperature_K)[_SAMPLED]


def sweep_fields(
    nominal: Sweep[Solved],
    sampled: Sweep[Solved] | None,
    temperature_K: float,
    *,
    total: Callable[[Solved], Any],
    layers: Sequence[tuple[str, Callable[[Solved], Any]]],
    contacts: Sequence[Callable[[Solved], SolvedContact]],
) -> dict[str, Any]:
    """Return resistances over the temperature, with their apparent activation energies.

    Parameters
    ----------
    nominal, sampled : Sweep
        Sweeps of the records' values and, if there are any, of samples of their uncertainties.
    temperature_K : float
        At which activation energies have intervals.
    total : callable
        Takes the whole resistance out of a solution.
    layers : sequence of (str, callable)
        Names of layers, and what takes their resistances out.
    contacts : sequence of callable
        Take the contacts out.

    Returns
    -------
    dict
        ``temperature_K``, ``area_specific``, ``layers`` and ``contacts``; each of them has
        ``resistance_ohm_cm2`` and ``activation_energy_eV`` over the temperature, ``quantiles`` of
        the former at ``sampled_temperature_K`` and of the latter at the given temperature (with
        ``activation_energy_samples``, how many of the samples have one), and the same under
        ``without_space_charge``. A negative resistance has no activation energy (None), nor has
        anything without space charge where a layer has no neutral bulk.
    """

    def curve(which: str, part: Callable[[Solved], Any]) -> dict[str, Any] | None:
        solved = getattr(nominal, which)
        if solved is None:
            return None
        temperatures = nominal.temperature_K
        values = np.broadcast_to(np.asarray(part(solved), dtype=float), temperatures.shape)
        energies = apparent_activation_energy_eV(values, temperatures)
        energy = energies[np.argmin(np.abs(temperatures - temperature_K))]
        spread = None if sampled is None else getattr(sampled, which)
        return {
            "resistance_ohm_cm2": numbers(values),
            "activation_energy_eV": numbers(energies),
            "quantiles": None
            if sampled is None or spread is None
            else _intervals(part(spread), spread, sampled.temperature_K, temperature_K, energy),
        }

    def both(part: Callable[[Solved], Any]) -> dict[str, Any]:
        return {**(curve("real", part) or {}), "without_space_charge": curve("flat", part)}

    def of_contact(contact: Callable[[Solved], SolvedContact]) -> dict[str, Any]:
        named = contact(nominal.real)
        return {
            "left": named.left.name,
            "right": named.right.name,
            **both(lambda solved: contact(solved).total_ohm_cm2),
            "depletion": curve("real", lambda solved: contact(solved).depletion_ohm_cm2),
            "space_charge": curve("real", lambda solved: contact(solved).space_charge_ohm_cm2),
            "charge_transfer": both(lambda solved: contact(solved).charge_transfer_ohm_cm2),
        }

    return {
        "temperature_K": numbers(nominal.temperature_K),
        "sampled_temperature_K": None if sampled is None else numbers(sampled.temperature_K),
        "samples": None if sampled is None else sampled.real.has_no_solution.shape[-1],
        "area_specific": both(total),
        "layers": [{"material": name, **both(part)} for name, part in layers],
        "contacts": [of_contact(contact) for contact in contacts],
    }


def _intervals(
    resistance: Any,
    solved: SolvedState | SolvedContact,
    sampled_K: Array,
    temperature_K: float,
    energy_eV: float,
) -> dict[str, Any]:
    """Return the quantiles of resistances (T, samples); of samples without a solution, none.

    An activation energy that is unknown itself (NaN) has no interval.
    """
    lost = solved.has_no_solution
    values = np.where(lost, np.nan, np.asarray(resistance, dtype=float)).T
    middle = int(np.argmin(np.abs(sampled_K - temperature_K)))
    energies = apparent_activation_energy_eV(values, sampled_K)[:, middle]
    return {
        "resistance_ohm_cm2": column_quantiles(values),
        "activation_energy_eV": quantiles(energies) if np.isfinite(energy_eV) else None,
        "activation_energy_samples": int(np.count_nonzero(np.isfinite(energies))),
    }
