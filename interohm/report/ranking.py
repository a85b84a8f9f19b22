"""Ranking of the inputs by their share of a prediction's uncertainty."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from interohm.report.budget import bars_of

if TYPE_CHECKING:
    from interohm.results.cell import CellState
    from interohm.results.contact import ContactResult
    from interohm.results.result import Share

    Figure = dict[str, Any]
    Trace = dict[str, Any]

#: Outputs that are ranked, with their names and colours.
_OUTPUTS = (
    ("open_circuit_voltage_V", "open-circuit voltage", "var(--layer)"),
    ("potential_drop_V", "potential drop", "var(--drop)"),
    ("log10_interface_resistance", "interface resistance (log10)", "var(--charge-transfer)"),
    ("log10_resistance", "area-specific resistance (log10)", "var(--total)"),
)


def ranking_figure(documents: Sequence[CellState | ContactResult]) -> Figure | None:
    """Return bars of the inputs' shares of the variance; None if no share is known.

    Parameters
    ----------
    documents : sequence of CellState or ContactResult
        States of a cell, one frame each, or one contact; their ``sensitivity`` is drawn.
    """
    found = [document.sensitivity or {} for document in documents]
    largest: dict[str, float] = {}
    for ranked in found:
        for share in (share for shares in ranked.values() for share in shares):
            label = _label(share)
            largest[label] = max(largest.get(label, 0.0), share.variance_share)
    if not largest:
        return None
    labels = sorted(largest, key=lambda label: -largest[label])
    outputs = [one for one in _OUTPUTS if any(ranked.get(one[0]) for ranked in found)]
    frames = [
        [_bars(ranked.get(name) or [], *style) for name, *style in outputs] for ranked in found
    ]
    layout: Figure = {
        "xaxis": {
            "title": {"text": "share of the variance (%)", "standoff": 10},
            "range": [0, 104],
            "automargin": True,
            "gridcolor": "var(--grid)",
            "zerolinecolor": "var(--text)",
        },
        **bars_of(labels),
        "barmode": "group",
        "bargap": 0.3,
        "showlegend": True,
        "height": 150 + 40 * len(labels),
    }
    return {"layout": layout, "frames": frames}


def _label(share: Share) -> str:
    return escape(f"{share.material}: {share.field}", quote=False)


def _bars(shares: Sequence[Share], name: str, colour: str) -> Trace:
    return {
        "type": "bar",
        "orientation": "h",
        "name": name,
        "y": [_label(share) for share in shares],
        "x": [100 * share.variance_share for share in shares],
        "marker": {"color": colour},
        "hovertemplate": "%{y}: %{x:.1f} %",
    }
