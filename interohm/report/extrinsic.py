"""Table of the apparent resistances, which an experiment would measure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from interohm.report import notes
from interohm.report.display_axis import nanometres
from interohm.report.page import section
from interohm.report.tables import NONE, Markup, interval, shown, table, with_interval
from interohm.results.cell import CellState

if TYPE_CHECKING:
    from interohm.results.contact import CellContact

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


def extrinsic_section(states: Sequence[CellState | CellContact]) -> Markup:
    """Return the section on what an experiment would measure; nothing where nothing is given.

    Parameters
    ----------
    states : sequence of CellState or CellContact
        A cell's, or one contact alone.
    """
    rows, places = [], []
    for index, state in enumerate(states):
        for row in _rows(state):
            rows.append(row)
            places.append(index)
    if not rows:
        return Markup("")
    return section(
        "What an experiment would measure",
        table(
            _HEADS,
            rows,
            numeric=range(1, len(_HEADS)),
            states=places if len(states) > 1 else None,
            only_current=True,
        ),
        note=notes.EXTRINSIC_NOTE,
    )


def _rows(state: CellState | CellContact) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for contact in state.contacts if isinstance(state, CellState) else [state]:
        seen = contact.extrinsic
        if seen is not None:
            rows.append(
                (
                    contact.name,
                    shown(contact.resistance.interface_resistance_ohm_cm2, 3),
                    *(
                        with_interval(getattr(seen, field), getattr(seen.spreads(), field), 3)
                        for field in (
                            "contact_fraction",
                            "constriction_ohm_cm2",
                            "interphase_thickness_nm",
                            "interphase_ohm_cm2",
                        )
                    ),
                    NONE,
                    shown(seen.apparent_resistance_ohm_cm2, 3),
                    interval(seen.spreads().log10_apparent_resistance),
                )
            )
    if not isinstance(state, CellState):
        return rows
    for layer in state.layers:
        grains = layer.extrinsic
        if grains is not None:
            spreads = grains.spreads()
            rows.append(
                (
                    f"{layer.material}, {nanometres(layer.thickness_nm)} nm",
                    shown(layer.resistance_ohm_cm2, 3),
                    *[NONE] * 4,
                    with_interval(
                        grains.boundary_resistance_ohm_cm2, spreads.boundary_resistance_ohm_cm2, 3
                    ),
                    shown(grains.apparent_resistance_ohm_cm2, 3),
                    interval(spreads.log10_apparent_resistance),
                )
            )
    if rows:
        rows.append(
            (
                Markup("<b>cell</b>"),
                shown(state.area_specific_resistance_ohm_cm2, 3),
                *[NONE] * 5,
                shown(state.apparent_resistance_ohm_cm2, 3),
                interval(state.spreads().log10_apparent_resistance),
            )
        )
    return rows
