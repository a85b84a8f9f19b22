"""Resistances over the temperature, and the activation energies that an experiment would read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from interohm.report.curves import SERIES, decades
from interohm.report.tables import Markup, shown, table

if TYPE_CHECKING:
    Figure = dict[str, Any]
    Trace = dict[str, Any]


@dataclass(frozen=True)
class Swept:
    """One resistance over the temperature: ``resistance_ohm_cm2`` and ``activation_energy_eV``."""

    label: str
    real: dict[str, Any]
    flat: dict[str, Any] | None


def swept_parts(sweep: dict[str, Any]) -> list[Swept]:
    """Return the cell, its layers and the parts of its contacts, those that have a resistance."""
    cell = sweep["area_specific"]
    parts = [Swept("cell (ASR)", cell, cell["without_space_charge"])]
    parts += [
        Swept(layer["material"], layer, layer["without_space_charge"]) for layer in sweep["layers"]
    ]
    for contact in sweep["contacts"]:
        name = f"{contact['left']} | {contact['right']}"
        transfer = contact["charge_transfer"]
        parts += [
            Swept(f"{name}: space charge", contact["space_charge"], None),
            Swept(f"{name}: charge transfer", transfer, transfer["without_space_charge"]),
        ]
    return [part for part in parts if _any_positive(part.real) or _any_positive(part.flat)]


def arrhenius_figure(states: Sequence[dict[str, Any]], temperature_K: float) -> Figure | None:
    """Return an Arrhenius plot with one frame per state; None if nothing has a resistance.

    Parameters
    ----------
    states : sequence of dict
        Of a cell's document.
    temperature_K : float
        Of the cell, for which its resistance has an interval.
    """
    sweeps = [state["temperature_sweep"] for state in states]
    frames = [
        [] if sweep is None else _traces(sweep, state, temperature_K)
        for sweep, state in zip(sweeps, states, strict=True)
    ]
    traces = [trace for frame in frames for trace in frame]
    if not traces:
        return None
    layout: Figure = {
        "xaxis": {
            "title": {"text": "1000 K / temperature", "standoff": 10},
            "gridcolor": "var(--grid)",
            "zeroline": False,
        },
        "yaxis": {
            "title": {"text": "resistance (Ω·cm²)"},
            "type": "log",
            "exponentformat": "power",
            "gridcolor": "var(--grid)",
            **decades([value for trace in traces for value in trace["y"]]),
        },
        "margin": {"l": 80, "r": 36, "t": 10, "b": 60},
        "height": 500,
        "legend": {"orientation": "h", "x": 0, "y": -0.19, "yanchor": "top"},
    }
    return {"layout": layout, "frames": frames}


def activation_table(states: Sequence[dict[str, Any]], temperature_K: float) -> Markup:
    """Return the apparent activation energies at the cell's temperature."""
    rows, places = [], []
    for place, state in enumerate(states):
        sweep = state["temperature_sweep"]
        if sweep is None:
            continue
        off = [abs(kelvin - temperature_K) for kelvin in sweep["temperature_K"]]
        middle = off.index(min(off))
        for part in swept_parts(sweep):
            real, flat = (
                None if one is None else one["activation_energy_eV"][middle]
                for one in (part.real, part.flat)
            )
            change = None if real is None or flat is None else round(real - flat, 3)
            places.append(place)
            rows.append((part.label, shown(real), shown(flat), shown(change, 3)))
    return table(
        ("part", "with space charge (eV)", "without (eV)", "difference (eV)"),
        rows,
        numeric=range(1, 4),
        states=places if len(states) > 1 else None,
        only_current=True,
        caption=f"Apparent activation energy at {shown(temperature_K)} K",
    )


def _any_positive(resistance: dict[str, Any] | None) -> bool:
    return resistance is not None and any(
        value is not None and value > 0 for value in resistance["resistance_ohm_cm2"]
    )


def _traces(sweep: dict[str, Any], state: dict[str, Any], temperature_K: float) -> list[Trace]:
    inverse = [1000.0 / kelvin for kelvin in sweep["temperature_K"]]
    traces: list[Trace] = []
    for number, part in enumerate(swept_parts(sweep)):
        whole = part.label == "cell (ASR)"
        colour = "var(--text)" if whole else SERIES[(number - 1) % len(SERIES)]
        for resistance, dash in ((part.real, "solid"), (part.flat, "dot")):
            if resistance is None or not _any_positive(resistance):
                continue
            flat = resistance is part.flat
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "name": escape(part.label, quote=False)
                    + (", without space charge" if flat else ""),
                    "x": inverse,
                    "y": _positive(resistance["resistance_ohm_cm2"]),
                    "customdata": sweep["temperature_K"],
                    "legendgroup": str(number),
                    "showlegend": not flat,
                    "line": {"color": colour, "dash": dash, "width": 3 if whole else 1.8},
                    "hovertemplate": "%{y:.3g} Ω·cm² at %{customdata:.4g} K",
                }
            )
    interval = (state["quantiles"] or {}).get("log10_resistance")
    if interval:
        ends = [10.0 ** interval[name] for name in ("p05", "p95")]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": "cell, 5 to 95 %",
                "x": [1000.0 / temperature_K] * 2,
                "y": ends,
                "marker": {"symbol": "line-ew-open", "size": 12, "color": "var(--text)"},
                "line": {"color": "var(--text)", "width": 1.5},
                "hovertemplate": "%{y:.3g} Ω·cm²",
            }
        )
    return traces


def _positive(values: Sequence[float | None]) -> list[float | None]:
    """Return what a logarithmic axis shows."""
    return [value if value is not None and value > 0 else None for value in values]
