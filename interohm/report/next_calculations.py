"""Table of the calculations that are worth most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from interohm.report.tables import NONE, Markup, shown, table
from interohm.results.percents import percent

if TYPE_CHECKING:
    from interohm.results.design import NextCalculation

NEXT_NOTE = (
    "The gain is the decrease of the expected log10 resistance of the best choice, once the result "
    "is known with its usual error. In a design, a broken limit counts as three decades, and the "
    "gain from a stability window that is not known is the largest possible one. "
    "The choice without it is the candidate with the lowest mean; the share is that of this "
    "candidate's variance. The list is sorted by gain per core-hour; measurements come last. "
    "Core-hours are accurate to a factor of three."
)
#: What stands in place of the table.
NOTHING_NEXT = (
    "No calculation or measurement is found to change the choice, or to explain much of its "
    "uncertainty, beyond the scatter of these samples. More samples may find one."
)


def next_table(states: Sequence[Sequence[NextCalculation]], caption: str | None = None) -> Markup:
    """Return the calculations of each state of charge, the most worthwhile first."""
    rows, places = [], []
    for index, calculations in enumerate(states):
        for one in calculations:
            places.append(index)
            rows.append(
                (
                    one.calculation,
                    one.material,
                    shown(one.gain_decades, 2) if one.gain_decades else NONE,
                    percent(one.variance_share)
                    + (f" ({one.variance_of})" if one.variance_of else ""),
                    shown(one.core_hours, 2),
                    shown(one.gain_per_core_hour, 2) if one.gain_decades else NONE,
                    ", ".join(one.fields),
                )
            )
    heads = (
        "calculation",
        "of",
        "gain (decades)",
        "share of the choice's variance",
        "core-hours",
        "gain per core-hour (decades)",
        "numbers",
    )
    return table(
        heads,
        rows,
        numeric=(2, 3, 4, 5),
        states=places if len(states) > 1 else None,
        only_current=True,
        caption=caption,
    )
