"""Doping across the coatings of a design, as it was chosen."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from interohm.report.curves import DASHES, SERIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from interohm.results.design import DesignCandidate

    Figure = dict[str, Any]


def doping_figure(candidates: Sequence[DesignCandidate]) -> Figure | None:
    """Draw donors minus acceptors over the distance from the left phase.

    Parameters
    ----------
    candidates : sequence of DesignCandidate
        Those to show.

    Returns
    -------
    dict or None
        None where no layer has dopants.
    """
    traces: list[dict[str, Any]] = []
    for index, one in enumerate(candidates):
        x: list[float] = []
        y: list[float] = []
        start = 0.0
        for layer in one.layers:
            x += [start, start + layer.thickness_nm]
            y += layer.doping_at_ends_cm3
            start += layer.thickness_nm
        if any(y):
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "name": escape(one.name),
                    "x": x,
                    "y": y,
                    "line": {
                        "color": SERIES[index % len(SERIES)],
                        "dash": DASHES[index % len(DASHES)],
                    },
                    "hovertemplate": "%{x:.3g} nm: %{y:.3g} cm⁻³",
                }
            )
    if not traces:
        return None
    layout = {
        "xaxis": {
            "title": {"text": "distance from the left phase (nm)"},
            "gridcolor": "var(--grid)",
        },
        "yaxis": {
            "title": {"text": "donors − acceptors (cm⁻³)"},
            "exponentformat": "power",
            "automargin": True,
            "gridcolor": "var(--grid)",
        },
        "height": 320,
        "margin": {"l": 100, "r": 20, "t": 10, "b": 50},
        "legend": {"orientation": "h", "x": 0, "y": -0.25, "yanchor": "top"},
    }
    return {"layout": layout, "always": traces, "frames": [[]]}
