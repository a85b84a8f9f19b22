"""Voltage and resistances over the state of charge."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import log10
from typing import TYPE_CHECKING, Any

from interohm.report.budget import Part

if TYPE_CHECKING:
    Figure = dict[str, Any]
    Trace = dict[str, Any]

#: Colours and dashes of curves that stand side by side.
SERIES = tuple(f"var(--series-{place})" for place in range(1, 7))
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")


def state_figure(states: Sequence[dict[str, Any]], budgets: Sequence[Sequence[Part]]) -> Figure:
    """Return voltage and resistances over the state of charge; a frame marks its own state.

    Parameters
    ----------
    states : sequence of dict
        Of a cell's document.
    budgets : sequence of sequences of Part
        The parts of each state's resistance, the total last.
    """
    x = [state["state_of_charge"] for state in states]
    voltages = [state["open_circuit_voltage_V"] for state in states]
    resistances = [_positive(budget[-1]) for budget in budgets]
    quantiles = [state["quantiles"] or {} for state in states]
    bands = [
        *_band(x, [item.get("open_circuit_voltage_V") for item in quantiles], "x", "y"),
        *_band(
            x,
            [
                interval and {name: 10**value for name, value in interval.items()}
                for interval in (item.get("log10_resistance") for item in quantiles)
            ],
            "x2",
            "y2",
        ),
    ]
    curves = [
        _curve(x, voltages, "x", "y", "%{y:.3f} V"),
        *_part_curves(x, budgets),
        _curve(x, resistances, "x2", "y2", "%{y:.3g} Ω·cm²"),
    ]
    frames = [
        [
            _mark(x[place], voltages[place], "x", "y"),
            _mark(x[place], resistances[place], "x2", "y2"),
        ]
        for place in range(len(states))
    ]
    shared = {"range": [-0.04, 1.04], "gridcolor": "var(--grid)", "zeroline": False}
    layout: Figure = {
        "grid": {"rows": 1, "columns": 2, "pattern": "independent", "xgap": 0.22},
        "xaxis": {**shared, "title": {"text": "state of charge"}},
        "xaxis2": {**shared, "title": {"text": "state of charge"}},
        "yaxis": {
            "title": {"text": "open-circuit voltage (V)"},
            "gridcolor": "var(--grid)",
            "zeroline": False,
        },
        "yaxis2": {
            "title": {"text": "resistance (Ω·cm²)"},
            "type": "log",
            "exponentformat": "power",
            "gridcolor": "var(--grid)",
            **decades(
                [_positive(part) for budget in budgets for part in budget] + _ends(quantiles)
            ),
        },
        "margin": {"l": 70, "r": 36, "t": 10, "b": 50},
        "height": 460,
        "legend": {"orientation": "h", "x": 0, "y": -0.18, "yanchor": "top"},
    }
    return {"layout": layout, "always": [*bands, *curves], "frames": frames}


def _ends(quantiles: Sequence[dict[str, Any]]) -> list[float]:
    intervals = [item.get("log10_resistance") for item in quantiles]
    return [10 ** interval[name] for interval in intervals if interval for name in ("p05", "p95")]


def decades(values: Sequence[float | None]) -> Figure:
    """Return a range of at least one decade, and ticks at whole ones."""
    known = [log10(value) for value in values if value]
    if not known:
        return {"range": [0, 1]}
    low, high = min(known), max(known)
    margin = max(0.06 * (high - low), 0.5 * (1 - (high - low)), 0.1)
    return {"range": [low - margin, high + margin], "dtick": max(1, round((high - low) / 6))}


def _band(
    x: Sequence[float], intervals: Sequence[dict[str, float] | None], xaxis: str, yaxis: str
) -> list[Trace]:
    known = [(place, item) for place, item in zip(x, intervals, strict=True) if item]
    if not known:
        return []
    places = [place for place, _ in known]
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "x": [*places, *reversed(places)],
            "y": [*(item["p05"] for _, item in known), *(i["p95"] for _, i in reversed(known))],
            "xaxis": xaxis,
            "yaxis": yaxis,
            "fill": "toself",
            "fillcolor": "var(--interval-fill)",
            "line": {"width": 0},
            "hoverinfo": "skip",
            "name": "5 to 95 % of the cell's",
            "showlegend": yaxis == "y2",
        }
    ]


def _curve(
    x: Sequence[float], y: Sequence[float | None], xaxis: str, yaxis: str, shown: str
) -> Trace:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": list(x),
        "y": list(y),
        "xaxis": xaxis,
        "yaxis": yaxis,
        "name": "cell (ASR)",
        "showlegend": yaxis == "y2",
        "line": {"color": "var(--text)", "width": 3},
        "hovertemplate": f"state of charge %{{x}}: {shown}<extra></extra>",
    }


def _positive(part: Part) -> float | None:
    """Return what a logarithmic axis shows of a part."""
    return part.value_ohm_cm2 if part.value_ohm_cm2 and part.value_ohm_cm2 > 0 else None


def _part_curves(x: Sequence[float], budgets: Sequence[Sequence[Part]]) -> list[Trace]:
    """Return the parts that are positive anywhere, each with a dash of its own."""
    curves = []
    for row in range(len(budgets[0]) - 1):
        values = [_positive(budget[row]) for budget in budgets]
        if all(value is None for value in values):
            continue
        number = len(curves)
        curves.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": escape(budgets[0][row].label, quote=False),
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
