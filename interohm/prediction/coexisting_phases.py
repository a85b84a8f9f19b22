"""Phases of one electrode that coexist beside a contact: each takes its share of the area.

Their domains are far wider than a space charge, so that each has a contact of its own, and these
conduct side by side; behind the contact the current spreads (physics.md, section 5).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from interohm import device_models as models
from interohm.prediction.solved_contact import ContactSolution

if TYPE_CHECKING:
    from interohm.arrays import Array

    Model = models.Bulk | models.Metal

One = TypeVar("One", bound=ContactSolution)


@dataclass(frozen=True)
class PhaseShare:
    """One phase on the side of a contact, and the share of the area that it takes."""

    share: float
    model: Model


@dataclass(frozen=True)
class SideBySide:
    """Distribution of a unit current among phases that conduct side by side.

    Parameters
    ----------
    areas : sequence of float
        Shares of the area, which add up to 1.
    currents : sequence of array
        Shares of the current, likewise.
    """

    areas: Sequence[float]
    currents: Sequence[Array | float]

    @classmethod
    def of(cls, areas: Sequence[float], resistances_ohm_cm2: Sequence[Array]) -> SideBySide:
        """Divide a current by positive resistances; by area where nothing conducts."""
        conductances = []
        for area, resistance in zip(areas, resistances_ohm_cm2, strict=True):
            conducts = np.isfinite(resistance) & (resistance > 0.0)
            conductances.append(area / np.where(conducts, resistance, np.inf))
        total = np.sum(np.broadcast_arrays(*conductances), axis=0)
        some = total > 0.0
        whole = np.where(some, total, 1.0)
        return cls(
            areas,
            [
                np.where(some, one / whole, area)
                for one, area in zip(conductances, areas, strict=True)
            ],
        )

    def by_area(self, values: Sequence[Array]) -> Array:
        """Return the mean over the area."""
        return _weighted(self.areas, values)

    def by_current(self, values: Sequence[Array]) -> Array:
        """Return the mean over the current."""
        return _weighted(self.currents, values)

    def part(self, values_ohm_cm2: Sequence[Array]) -> Array:
        """Return one part of the resistance of all, by what it dissipates: parts add up."""
        weights = [
            np.square(current) / area
            for current, area in zip(self.currents, self.areas, strict=True)
        ]
        return _weighted(weights, values_ohm_cm2)


def _weighted(weights: Sequence[Array | float], values: Sequence[Array]) -> Array:
    # what carries no current may well have an infinite resistance
    terms = [
        weight * np.where(np.asarray(weight) > 0.0, value, 0.0)
        for weight, value in zip(weights, values, strict=True)
    ]
    return np.asarray(np.sum(np.broadcast_arrays(*terms), axis=0))


def of_all_phases(
    left: Sequence[PhaseShare],
    right: Sequence[PhaseShare],
    solve: Callable[[Model, Model], tuple[list[One], list[Array]]],
) -> tuple[list[One], list[Array]]:
    """Solve contacts in a row for all phases at their two ends, which conduct side by side.

    Parameters
    ----------
    left, right : sequence of PhaseShare
        At the two ends, the largest share first.
    solve : callable
        Returns the contacts between two given phases, and the resistances of thin layers in
        between.

    Returns
    -------
    contacts : list of ContactSolution
        Their parts add up to the resistance of all; profiles are those of the largest shares.
    layers_ohm_cm2 : list of array
        Resistances of the layers in between.
    """
    pairs = list(product(left, right))
    solved = [solve(one.model, other.model) for one, other in pairs]
    if len(pairs) == 1:
        return solved[0]
    areas = [one.share * other.share for one, other in pairs]
    rows = list(zip(*(contacts for contacts, _ in solved), strict=True))
    contacts = [_merged(areas, row, divided=False) for row in rows]
    layers = [
        SideBySide(areas, areas).by_area(row)
        for row in zip(*(layers for _, layers in solved), strict=True)
    ]
    for phases, place, side in ((left, 0, "right"), (right, -1, "left")):
        if len(phases) == 1:
            continue
        row = rows[place]
        contacts[place] = _merged(areas, row, divided=True)
        if layers:
            # its depletion beside the electrode counts there as it does in the contact
            depletion = f"depletion_{side}_ohm_cm2"
            mean = SideBySide(areas, areas).by_area([getattr(one, depletion) for one in row])
            layers[place] = layers[place] + getattr(contacts[place], depletion) - mean
    return contacts, layers


def _merged(areas: Sequence[float], row: Sequence[One], *, divided: bool) -> One:
    """Return one contact of all phases; not divided where the current has spread already."""
    division = SideBySide.of(
        areas, [one.charge_transfer_ohm_cm2 + one.depletion_ohm_cm2 for one in row]
    )
    if not divided:
        division = SideBySide(areas, areas)

    def all_of(name: str) -> list[Array]:
        return [getattr(one, name) for one in row]

    merged: dict[str, Any] = {
        **{name: division.by_area(all_of(name)) for name in _BY_AREA},
        "contact_barrier_eV": division.by_current(all_of("contact_barrier_eV")),
        "charge_transfer_ohm_cm2": division.part(all_of("charge_transfer_ohm_cm2")),
    }
    for side in ("left", "right"):
        excess, depletion = (
            all_of(f"{part}_{side}_ohm_cm2") for part in ("space_charge", "depletion")
        )
        counted = division.part(depletion)
        accumulated = [whole - part for whole, part in zip(excess, depletion, strict=True)]
        merged[f"depletion_{side}_ohm_cm2"] = counted
        merged[f"space_charge_{side}_ohm_cm2"] = counted + division.by_area(accumulated)
    reasons = dict.fromkeys(one.reason for one in row if one.reason)
    return replace(row[0], **merged, reason="; ".join(reasons))


_BY_AREA = ("sheet_charge_e_nm2", "capacitance_uF_cm2", "differential_capacitance_uF_cm2")
