"""A cell at finite current: overpotentials over the current density, and the laws behind them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import log10
from typing import TYPE_CHECKING, Any

from interohm.report.curves import DASHES, SERIES, decades
from interohm.report.intervals import WHOLE_WIDTH, ends, log_band, part_shade, whole_shade
from interohm.report.tables import NONE, Markup, shown, table, with_interval
from interohm.results.sweeps import Polarization

if TYPE_CHECKING:
    from interohm.results.cell import CellState
    from interohm.results.contact import ContactResult
    from interohm.results.result import Quantiles
    from interohm.results.sweeps import ChargeTransfer

    Figure = dict[str, Any]
    Trace = dict[str, Any]

#: A part below this share of the whole cannot be told from rounding.
_ROUNDING = 1e-9


def polarization_figure(
    states: Sequence[CellState | ContactResult], whole: str = "cell"
) -> Figure | None:
    """Return overpotentials over the current, one frame per state; None if none is known.

    Parameters
    ----------
    states : sequence of CellState or ContactResult
        States of a cell, or one contact.
    whole : str
        Name of the sum of all.
    """
    if any(state.polarization is None for state in states):
        # a contact that an earlier version saved
        return None
    frames = [_traces(state, whole) for state in states]
    traces = [trace for frame in frames for trace in frame]
    if not any(value for trace in traces for value in trace["y"]):
        return None
    for frame, state in zip(frames, states, strict=True):
        frame[:0] = [*_shades(state, frame), *_voltage_band(state)]
        frame += _voltage_line(state)
    seen = [
        trace
        for frame in frames
        for trace in frame
        if "fill" not in trace or trace.get("legendgroup") == whole
    ]
    currents = [value for trace in traces for value in trace["x"]]
    layout: Figure = {
        "xaxis": {
            "title": {"text": "current density (A/cm²)", "standoff": 10},
            "type": "log",
            "exponentformat": "power",
            "range": [log10(min(currents)), log10(max(currents))],
            "dtick": 1,
            "ticks": "outside",
            "gridcolor": "var(--grid)",
        },
        "yaxis": {
            "title": {"text": "overpotential (V)"},
            "type": "log",
            "exponentformat": "power",
            "gridcolor": "var(--grid)",
            **decades([value for trace in seen for value in trace["y"]]),
        },
        "margin": {"l": 80, "r": 36, "t": 10, "b": 60},
        "height": 460,
        "hovermode": "x unified",
        "legend": {"orientation": "h", "x": 0, "y": -0.2, "yanchor": "top"},
    }
    return {"layout": layout, "frames": frames}


def polarization_table(states: Sequence[CellState | ContactResult], whole: str = "cell") -> Markup:
    """Return law, overpotential at one current and limiting current of each contact."""
    rows, places = [], []
    for number, state in enumerate(states):
        polarization = _known(state)
        currents = polarization.current_A_cm2
        at = min(range(len(currents)), key=lambda index: abs(log10(currents[index]) + 3.0))
        for contact in polarization.contacts:
            places.append(number)
            rows.append(
                (
                    contact.name,
                    contact.law or NONE,
                    with_interval(contact.overpotential_V[at], _at(contact, at), 3),
                    shown(contact.limiting_current_A_cm2, 3),
                )
            )
        places.append(number)
        rows.append(
            (
                Markup(f"<b>{whole}</b>"),
                NONE,
                with_interval(polarization.overpotential_V[at], _at(polarization, at), 3),
                NONE,
            )
        )
    return table(
        ("charge transfer", "law", "overpotential (V)", "limiting current (A/cm²)"),
        rows,
        numeric=(2, 3),
        states=places if len(states) > 1 else None,
        only_current=True,
        caption="Overpotentials at 1 mA/cm²",
    )


def _known(state: CellState | ContactResult) -> Polarization:
    return state.polarization or Polarization()


def _at(part: Polarization | ChargeTransfer, index: int) -> Quantiles | None:
    """Return the interval at one current; none where its upper end cannot be carried."""
    columns = part.spreads().overpotential_V
    if columns is None:
        return None
    low, middle, high = (columns[name][index] for name in ("p05", "p50", "p95"))
    if low is None or middle is None or high is None:
        return None
    return {"p05": low, "p50": middle, "p95": high}


def _shades(state: CellState | ContactResult, curves: Sequence[Trace]) -> list[Trace]:
    """Return the intervals of the curves that are drawn."""
    polarization = _known(state)
    spreads = polarization.spreads()
    columns = [spreads.overpotential_V, spreads.ohmic_overpotential_V]
    columns += [one.spreads().overpotential_V for one in polarization.contacts]
    found: list[Trace] = []
    for curve in curves:
        pair = ends(columns[curve["meta"]])
        if pair is not None:
            name, colour = curve["name"], curve["line"]["color"]
            currents = polarization.current_A_cm2
            style = part_shade(colour) if curve["meta"] else whole_shade()
            found += log_band(currents, pair, colour, name, legendgroup=name, **style)
    return found


def _traces(state: CellState | ContactResult, whole: str) -> list[Trace]:
    polarization = _known(state)
    currents, total = polarization.current_A_cm2, polarization.overpotential_V
    contacts = polarization.contacts
    traces = [_curve(whole, currents, total, "var(--text)", "solid", WHOLE_WIDTH, 0)]
    ohmic = [
        None
        if whole is None or any(part is None for part in parts)
        else _remainder(whole, sum(parts))
        for whole, *parts in zip(
            total, *(contact.overpotential_V for contact in contacts), strict=True
        )
    ]
    curves = [("layers and space charges", ohmic)]
    curves += [(f"{one.name}: charge transfer", one.overpotential_V) for one in contacts]
    for number, (name, values) in enumerate(curves):
        if any(value is not None and value > 0 for value in values):
            dash = DASHES[(number + number // len(SERIES)) % len(DASHES)]
            colour = SERIES[number % len(SERIES)]
            traces.append(_curve(name, currents, values, colour, dash, 1.8, number + 1))
    return traces


def _remainder(whole: float, parts: float) -> float | None:
    return whole - parts if whole - parts > _ROUNDING * abs(whole) else None


def _curve(
    name: str,
    currents: Sequence[float],
    values: Sequence[float | None],
    colour: str,
    dash: str,
    width: float,
    number: int,
) -> Trace:
    """Return one curve, with its number among whole, ohmic part and charge transfers."""
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": escape(name, quote=False),
        "legendgroup": escape(name, quote=False),
        "meta": number,
        "x": list(currents),
        "y": [value if value is not None and value > 0 else None for value in values],
        "marker": {"size": 5},
        "line": {"color": colour, "dash": dash, "width": width},
        "hovertemplate": "%{y:.3g} V",
    }


def _voltage_line(state: CellState | ContactResult) -> list[Trace]:
    """Return the open-circuit voltage of a cell, which cannot be discharged against more."""
    voltage = getattr(state, "open_circuit_voltage_V", None)
    if voltage is None:
        return []
    currents = _known(state).current_A_cm2
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "name": "open-circuit voltage",
            "x": [currents[0], currents[-1]],
            "y": [voltage if voltage > 0 else None] * 2,
            "line": {"color": "var(--warn)", "dash": "dash", "width": 1.5},
            "hovertemplate": "%{y:.3f} V",
        }
    ]


def _voltage_band(state: CellState | ContactResult) -> list[Trace]:
    """Return the interval of the open-circuit voltage."""
    interval = getattr(state.spreads(), "open_circuit_voltage_V", None)
    if interval is None or interval["p05"] <= 0:
        return []
    currents = _known(state).current_A_cm2
    ends = [currents[0], currents[-1]]
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "name": "open-circuit voltage, 5 to 95 %",
            "x": [*ends, *reversed(ends)],
            "y": [interval["p05"]] * 2 + [interval["p95"]] * 2,
            "fill": "toself",
            "fillcolor": "var(--interval-fill)",
            "line": {"width": 0},
            "hoverinfo": "skip",
        }
    ]
