"""What electrons meet: barriers, steps of the bands and leakage, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from interohm.report.tables import NONE, Markup, table, with_interval

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
            spreads = (contact["quantiles"] or {}).get("electrons") or {}
            places.append(place)
            rows.append(
                (
                    f"{contact['left']} | {contact['right']}",
                    electrons["class"] or NONE,
                    *(
                        with_interval(electrons[field], spreads.get(field))
                        for field in (
                            "conduction_band_step_eV",
                            "valence_band_step_eV",
                            "electron_barrier_eV",
                            "hole_barrier_eV",
                        )
                    ),
                    with_interval(
                        electrons["leakage_A_cm2"], _powers(spreads.get("log10_leakage_A_cm2")), 2
                    ),
                )
            )
        leakage = state.get("electronic_leakage")
        if leakage is not None:
            spreads = (state["quantiles"] or {}).get("electronic_leakage") or {}
            places.append(place)
            rows.append(
                (
                    Markup("<b>cell at open circuit</b>"),
                    NONE,
                    NONE,
                    NONE,
                    *(
                        with_interval(leakage[field], spreads.get(field))
                        for field in ("electron_barrier_eV", "hole_barrier_eV")
                    ),
                    with_interval(
                        leakage["current_A_cm2"], _powers(spreads.get("log10_current_A_cm2")), 2
                    ),
                )
            )
    return table(
        _HEADS,
        rows,
        numeric=range(2, 7),
        states=places if len(states) > 1 else None,
        only_current=True,
    )


def _powers(log10_interval: dict[str, float] | None) -> dict[str, float] | None:
    """Return the interval of a number from that of its log10."""
    if log10_interval is None:
        return None
    return {name: 10.0**value for name, value in log10_interval.items()}
