"""What electrons meet: barriers, steps of the bands and leakage, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from interohm.report.tables import NONE, Markup, shown, table

_HEADS = (
    "contact",
    "class",
    "conduction band step (eV)",
    "valence band step (eV)",
    "electron barrier (eV)",
    "hole barrier (eV)",
    "leakage (A/cm²)",
)


def electrons_table(states: Sequence[dict[str, Any]]) -> Markup:
    """Return barriers and leakage of each contact, and of the whole cell, at each state of charge.

    Parameters
    ----------
    states : sequence of dict
        Of a cell's document; or ``{"contacts": [contact]}``, which has no cell's leakage.
    """
    rows, places = [], []
    for place, state in enumerate(states):
        for contact in state["contacts"]:
            electrons = contact["electrons"]
            places.append(place)
            rows.append(
                (
                    f"{contact['left']} | {contact['right']}",
                    electrons["class"] or NONE,
                    shown(electrons["conduction_band_step_eV"]),
                    shown(electrons["valence_band_step_eV"]),
                    shown(electrons["electron_barrier_eV"]),
                    shown(electrons["hole_barrier_eV"]),
                    shown(electrons["leakage_A_cm2"], 2),
                )
            )
        leakage = state.get("electronic_leakage")
        if leakage is not None:
            places.append(place)
            rows.append(
                (
                    Markup("<b>cell at open circuit</b>"),
                    NONE,
                    NONE,
                    NONE,
                    shown(leakage["electron_barrier_eV"]),
                    shown(leakage["hole_barrier_eV"]),
                    shown(leakage["current_A_cm2"], 2),
                )
            )
    return table(
        _HEADS,
        rows,
        numeric=range(2, 7),
        states=places if len(states) > 1 else None,
        only_current=True,
    )
