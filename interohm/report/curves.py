"""Voltage and resistances over the state of charge."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import log10
from typing import TYPE_CHECKING, Any

import numpy as np

from interohm.report.budget import Part
from interohm.report.intervals import WHOLE_WIDTH, band_trace, log_band, part_shade, whole_shade

if TYPE_CHECKING:
    from interohm.results.cell import CellState
    from interohm.results.contact import ContactState
    from interohm.results.result import Quantiles

    Figure = dict[str, Any]
    Trace = dict[str, Any]

#: Colours and dashes of curves that stand side by side.
SERIES = tuple(f"var(--series-{place})" for place in range(1, 7))
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")


def state_figure(
    states: Sequence[CellState | ContactState],
    budgets: Sequence[Sequence[Part]],
    *,
    at: Sequence[tuple[CellState | ContactState, Sequence[Part]]] | None = None,
    left: tuple[str, str] = ("open_circuit_voltage_V", "open-circuit voltage (V)"),
    whole: str = "cell (ASR)",
) -> Figure:
    """Return a voltage and resistances over the state of charge; a frame marks its own state.

    Parameters
    ----------
    states : sequence of CellState or ContactState
        States of a cell, or of a contact over the state of charge.
    budgets : sequence of sequences of Part
        The parts of each state's resistance, the total last.
    at : sequence of (state, parts), optional
        The states that frames mark; those of the curves unless given.
    left : (str, str)
        Field and title of the voltage.
    whole : str
        Name of the total.
    """
    field, title = left
    x = [state.state_of_charge or 0.0 for state in states]
    voltages = [getattr(state, field) for state in states]
    resistances = [_positive(budget[-1]) for budget in budgets]
    quantiles = [state.spreads() for state in states]
    spreads = [budget[-1].interval_ohm_cm2 for budget in budgets]
    bands = [
        *_band(x, [getattr(item, field) for item in quantiles], "y", whole, "var(--text)"),
        *_part_bands(x, budgets),
        *_band(x, spreads, "y2", whole, "var(--text)", **whole_shade()),
    ]
    curves = [
        _curve(x, voltages, "x", "y", "%{y:.3f} V", whole),
        _curve(x, resistances, "x2", "y2", "%{y:.3g} Ω·cm²", whole, WHOLE_WIDTH),
        *_part_curves(x, budgets),
    ]
    frames = [
        [
            _mark(state.state_of_charge or 0.0, getattr(state, field), "x", "y"),
            _mark(state.state_of_charge or 0.0, _positive(budget[-1]), "x2", "y2"),
        ]
        for state, budget in at or list(zip(states, budgets, strict=True))
    ]
    ends = [value for spread in spreads if spread for value in (spread["p05"], spread["p95"])]
    shared = {"range": [-0.04, 1.04], "gridcolor": "var(--grid)", "zeroline": False}
    layout: Figure = {
        "grid": {"rows": 1, "columns": 2, "pattern": "independent", "xgap": 0.22},
        "xaxis": {**shared, "title": {"text": "state of charge", "standoff": 10}},
        "xaxis2": {**shared, "title": {"text": "state of charge", "standoff": 10}},
        "yaxis": {
            "title": {"text": title},
            "gridcolor": "var(--grid)",
            "zeroline": False,
        },
        "yaxis2": {
            "title": {"text": "resistance (Ω·cm²)"},
            "type": "log",
            "exponentformat": "power",
            "gridcolor": "var(--grid)",
            **decades(
                [_positive(part) for budget in budgets for part in budget]
                + [value for value in ends if value > 0]
            ),
        },
        "margin": {"l": 70, "r": 36, "t": 10, "b": 50},
        "height": 460,
        "legend": {"orientation": "h", "x": 0, "y": -0.2, "yanchor": "top"},
    }
    return {"layout": layout, "always": [*bands, *curves], "frames": frames}


#: Shades that reach an edge of the axis end far beyond it.
_SEEN = (1e-200, 1e200)


def decades(values: Sequence[float | None]) -> Figure:
    """Return a range of at least one decade, and ticks at whole ones."""
    known = [log10(value) for value in values if value and _SEEN[0] < value < _SEEN[1]]
    if not known:
        return {"range": [0, 1]}
    low, high = min(known), max(known)
    margin = max(0.06 * (high - low), 0.5 * (1 - (high - low)), 0.1)
    return {"range": [low - margin, high + margin], "dtick": max(1, round((high - low) / 6))}


def _band(
    x: Sequence[float],
    intervals: Sequence[Quantiles | None],
    yaxis: str,
    name: str,
    colour: str,
    **style: Any,
) -> list[Trace]:
    """Return the shade of one curve over the states that have an interval."""
    known = [(position, item) for position, item in zip(x, intervals, strict=True) if item]
    places = [position for position, _ in known]
    low = np.array([item["p05"] for _, item in known])
    high = np.array([item["p95"] for _, item in known])
    if len(known) < 2:
        return []
    axes = {"xaxis": "x" if yaxis == "y" else "x2", "yaxis": yaxis, "legendgroup": name}
    if yaxis == "y":
        return [band_trace([(places, low, high)], colour, name, **axes)]
    return log_band(places, (low, high), colour, name, **axes, **style)


def _part_bands(x: Sequence[float], budgets: Sequence[Sequence[Part]]) -> list[Trace]:
    """Return the shades of the parts, in the colours of their curves."""
    return [
        shade
        for number, row in enumerate(_drawn_rows(budgets))
        for shade in _band(
            x,
            [budget[row].interval_ohm_cm2 for budget in budgets],
            "y2",
            escape(budgets[0][row].label, quote=False),
            SERIES[number % len(SERIES)],
            **part_shade(SERIES[number % len(SERIES)]),
        )
    ]


def _drawn_rows(budgets: Sequence[Sequence[Part]]) -> list[int]:
    """Return the parts that are positive anywhere."""
    rows = range(len(budgets[0]) - 1)
    return [row for row in rows if any(_positive(budget[row]) is not None for budget in budgets)]


def _curve(
    x: Sequence[float],
    y: Sequence[float | None],
    xaxis: str,
    yaxis: str,
    shown: str,
    name: str,
    width: float = 3.0,
) -> Trace:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": list(x),
        "y": list(y),
        "xaxis": xaxis,
        "yaxis": yaxis,
        "name": name,
        "legendgroup": name,
        "showlegend": yaxis == "y2",
        "line": {"color": "var(--text)", "width": width},
        "hovertemplate": f"state of charge %{{x}}: {shown}<extra></extra>",
    }


def _positive(part: Part) -> float | None:
    """Return what a logarithmic axis shows of a part."""
    return part.value_ohm_cm2 if part.value_ohm_cm2 and part.value_ohm_cm2 > 0 else None


def _part_curves(x: Sequence[float], budgets: Sequence[Sequence[Part]]) -> list[Trace]:
    """Return the parts that are positive anywhere, each with a dash of its own."""
    curves = []
    for number, row in enumerate(_drawn_rows(budgets)):
        values = [_positive(budget[row]) for budget in budgets]
        name = escape(budgets[0][row].label, quote=False)
        curves.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": name,
                "legendgroup": name,
                "x": list(x),
                "y": values,
                "xaxis": "x2",
                "yaxis": "y2",
                "marker": {"size": 5},
                "line": {
                    "color": SERIES[number % len(SERIES)],
                    "dash": DASHES[(number + number // len(SERIES)) % len(DASHES)],
                    "width": 1.6,
                },
                "hovertemplate": "%{y:.3g} Ω·cm²",
            }
        )
    return curves


def _mark(x: float, y: float | None, xaxis: str, yaxis: str) -> Trace:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [x],
        "y": [y],
        "xaxis": xaxis,
        "yaxis": yaxis,
        "marker": {
            "size": 15,
            "color": "rgba(0,0,0,0)",
            "line": {"color": "var(--text)", "width": 2.5},
        },
        "hoverinfo": "skip",
        "showlegend": False,
    }
