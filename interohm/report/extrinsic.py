"""What an experiment would see beside the intrinsic resistances, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from interohm.report import notes
from interohm.report.display_axis import nanometres
from interohm.report.page import section
from interohm.report.tables import NONE, Markup, interval, shown, table, with_interval

_HEADS = (
    "contact or layer",
    "intrinsic (Ω·cm²)",
    "real contact",
    "constriction (Ω·cm²)",
    "interphase (nm)",
    "interphase (Ω·cm²)",
    "grain boundaries (Ω·cm²)",
    "apparent (Ω·cm²)",
    "log10, 5 to 95 %",
)


def has_extrinsic(states: Sequence[dict[str, Any]]) -> bool:
    """Return whether anything extrinsic is given in a cell, or in contacts alone."""
    return any(
        part.get("extrinsic") is not None
        for state in states
        for part in (*state["contacts"], *state.get("layers", ()))
    )


def extrinsic_section(states: Sequence[dict[str, Any]]) -> Markup:
    """Return the section on what an experiment would see; nothing where nothing is given.

    Parameters
    ----------
    states : sequence of dict
        Of a cell's document; of one contact, ``[{"contacts": [document]}]``.
    """
    if not has_extrinsic(states):
        return Markup("")
    rows, places = [], []
    for place, state in enumerate(states):
        for row in _rows(state):
            rows.append(row)
            places.append(place)
    return section(
        "What an experiment would see",
        table(
            _HEADS,
            rows,
            numeric=range(1, len(_HEADS)),
            states=places if len(states) > 1 else None,
            only_current=True,
        ),
        note=notes.EXTRINSIC_NOTE,
    )


def _rows(state: dict[str, Any]) -> list[tuple[object, ...]]:
    rows = []
    for contact in state["contacts"]:
        seen = contact.get("extrinsic")
        if seen is not None:
            spread = seen["quantiles"] or {}
            intrinsic = contact["resistance"]["interface_resistance_ohm_cm2"]
            rows.append(
                (
                    f"{contact['left']} | {contact['right']}",
                    shown(intrinsic, 3),
                    *(
                        with_interval(seen[field], spread.get(field), 3)
                        for field in (
                            "contact_fraction",
                            "constriction_ohm_cm2",
                            "interphase_thickness_nm",
                            "interphase_ohm_cm2",
                        )
                    ),
                    NONE,
                    *_apparent(seen),
                )
            )
    for layer in state.get("layers", ()):
        seen = layer.get("extrinsic")
        if seen is not None:
            spread = (seen["quantiles"] or {}).get("boundary_resistance_ohm_cm2")
            rows.append(
                (
                    f"{layer['material']}, {nanometres(layer['thickness_nm'])} nm",
                    shown(layer["resistance_ohm_cm2"], 3),
                    *[NONE] * 4,
                    with_interval(seen["boundary_resistance_ohm_cm2"], spread, 3),
                    *_apparent(seen),
                )
            )
    if state.get("apparent_resistance_ohm_cm2") is not None:
        spread = (state["quantiles"] or {}).get("log10_apparent_resistance")
        rows.append(
            (
                Markup("<b>cell</b>"),
                shown(state["area_specific_resistance_ohm_cm2"], 3),
                *[NONE] * 5,
                shown(state["apparent_resistance_ohm_cm2"], 3),
                interval(spread),
            )
        )
    return rows


def _apparent(seen: dict[str, Any]) -> tuple[str, str]:
    spread = (seen["quantiles"] or {}).get("log10_apparent_resistance")
    return shown(seen["apparent_resistance_ohm_cm2"], 3), interval(spread)
