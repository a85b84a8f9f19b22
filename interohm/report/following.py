"""Table of whether the space charges of a cell follow its state of charge."""

from __future__ import annotations

from collections.abc import Sequence

from interohm.report.page import section
from interohm.report.tables import Markup, shown, table
from interohm.results.cell import CellState, QuasiEquilibrium

_NOTE = (
    "A space charge forms within the time constant of its capacitance and the resistance in "
    "series with it. In a cell under current it equals that at open circuit as long as this time "
    "is less than a tenth of the time in which the voltage changes by kT/z. Frozen: defects that "
    "take more than 10⁵ s to cross the space charge, and therefore stay as the layer was made. "
)


def following_section(states: Sequence[CellState]) -> Markup:
    """Return the section that says of each layer whether its space charges follow."""
    found = [state.quasi_equilibrium for state in states]
    return following_table(found)


def following_table(found: Sequence[QuasiEquilibrium | None], *, where: str = "") -> Markup:
    """Return the same of one state or several; nothing of documents that do not say it.

    Parameters
    ----------
    found : sequence of QuasiEquilibrium or None
        One for each state of charge.
    where : str
        At which state of charge, where the page does not say it.
    """
    rows, places = [], []
    for place, state in enumerate(found):
        if state is None:
            continue
        frozen = {
            f"{layer.material}, {layer.thickness_nm:g} nm": ", ".join(
                one.defect for one in layer.frozen_defects
            )
            for layer in state.layers
        }
        for label, one in state.rows():
            rows.append(
                (
                    label,
                    shown(one.relaxation_time_s, 3),
                    shown(one.follows_up_to_c_rate, 3),
                    one.verdict,
                    frozen.get(label) or "–",
                )
            )
            places.append(place)
    if not rows:
        return Markup("")
    heads = ("space charges of", "form within (s)", "follow up to (C)", "at 1C", "frozen")
    return section(
        f"In use ({where})" if where else "In use",
        table(
            heads,
            rows,
            numeric=range(1, 3),
            states=places if len(found) > 1 else None,
            only_current=True,
        ),
        note=_NOTE,
    )
