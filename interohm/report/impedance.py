"""The report of an impedance: Nyquist, Bode, relaxation times, processes and the circuit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from math import log10, pi
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from interohm.records import Insulator, Metal
from interohm.records.cell_config import Cell
from interohm.report.curves import SERIES, decades
from interohm.report.findings import material_findings
from interohm.report.inputs import cell_inputs
from interohm.report.intervals import ends, log_band, part_shade
from interohm.report.page import figure, findings, keys, lead, page, section, slider
from interohm.report.sections import inputs_section, material_tables, spread_text
from interohm.report.tables import Markup, interval, shown, table
from interohm.results.impedance import (
    SOLID_DIFFUSION,
    ImpedanceResult,
    ImpedanceState,
    Process,
    peak_Hz,
)
from interohm.yaml_io import write_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Figure = dict[str, Any]
    Trace = dict[str, Any]

#: Processes with a smaller share of the resistance are not marked in a picture.
_WORTH_MARKING = 0.01

#: Up to how many resistances without diffusion a picture shows the tail of diffusion.
_TAIL = 2.0

#: Standard deviation, in decades, with which relaxation times are drawn as a distribution.
_WIDTH = 0.12

_NYQUIST_NOTE = (
    "Linear response at open circuit around the static space charges. Circles: peak frequency of "
    "each process with at least 1 % of the resistance, from its resistance times its capacitance; "
    "solid diffusion has none. "
)
_BODE_NOTE = (
    "Real part and negative imaginary part; bands are the 5 to 95 % intervals of the samples. "
)
_DRT_NOTE = (
    "Relaxation times of the model: sticks are the resistances of the circuit's RC elements; the "
    "curve broadens them by 0.12 decades. Dashed lines: time constants of the processes. "
)
_CIRCUIT_NOTE = (
    "The model is a sum of parallel RC elements, all of them positive, and therefore obeys the "
    "Kramers–Kronig relations exactly. Each element is named after the process that dissipates "
    "most of its energy. "
)


def write_impedance_report(
    path: str | Path,
    cell: Cell,
    materials: Sequence[Insulator | Metal],
    document: ImpedanceResult | Mapping[str, Any],
    *,
    remarks: Sequence[str] = (),
) -> None:
    """Write the report of a cell's impedance.

    Parameters
    ----------
    path : str or Path
        The HTML file; written whole or not at all.
    cell : Cell
        The description.
    materials : sequence of Insulator or Metal
        The record of each layer.
    document : ImpedanceResult or mapping
        The prediction (`interohm.prediction.impedance.impedance_result`), or as it was kept.
    remarks : sequence of str
        Further remarks for the reader.

    Raises
    ------
    InputError
        The file cannot be written.
    """
    result = ImpedanceResult.read(document)
    states = result.states
    charges = [state.state_of_charge for state in states]
    figures = {
        "nyquist": nyquist_figure(states),
        "bode": bode_figure(states),
        "drt": relaxation_figure(states),
    }
    layers = " | ".join(material.name for material in materials)
    body = [
        lead(f"Impedance of {layers} at open circuit, {shown(result.temperature_K)} K."),
        findings([*remarks, *material_findings(materials)]),
        slider(charges),
        *(keys(_keys(state), index) for index, state in enumerate(states)),
        section("Nyquist plot", figure("nyquist", "Nyquist plot"), note=_NYQUIST_NOTE),
        section("Bode plot", figure("bode", "Real and imaginary part"), note=_BODE_NOTE),
        section(
            "Relaxation times",
            figure("drt", "Distribution of relaxation times"),
            note=_DRT_NOTE,
        ),
        section("Processes", _processes_table(states)),
        section("Circuit", _poles_table(states), *_exports(states), note=_CIRCUIT_NOTE),
        inputs_section([cell_inputs(cell, materials), *material_tables(materials)]),
    ]
    write_text(path, page(f"{result.cell}: impedance", body, figures, charges))


def _keys(state: ImpedanceState) -> list[tuple[str, str, str]]:
    quantiles = state.quantiles
    dc = state.dc_resistance_ohm_cm2
    spread = None if quantiles is None else quantiles.dc_resistance_ohm_cm2
    found = [
        (
            "resistance without diffusion",
            "none" if dc is None else f"{shown(dc, 3)} Ω·cm²",
            spread_text(spread, "Ω·cm²", 2) if dc is not None else state.dc_reason or "",
        )
    ]
    for one in sorted(marked(state), key=lambda each: -(each.resistance_ohm_cm2 or 0.0))[:3]:
        peak = peak_Hz(one)
        small = (
            f"peak at {shown(peak, 3)} Hz" if peak else f"within {shown(one.time_constant_s, 3)} s"
        )
        found.append(
            (f"{one.name}, {one.where}", f"{shown(one.resistance_ohm_cm2, 3)} Ω·cm²", small)
        )
    return found


def marked(state: ImpedanceState) -> list[Process]:
    """Return the processes that a picture marks: those with a time and a share that counts."""
    positive = [one for one in state.processes if (one.resistance_ohm_cm2 or 0.0) > 0.0]
    # of what moves within the frequencies that are shown
    longest = 1.0 / (2.0 * pi * state.frequency_Hz[0])
    inside = [one for one in positive if one.time_constant_s and one.time_constant_s < longest]
    whole = sum(one.resistance_ohm_cm2 or 0.0 for one in inside)
    return [one for one in inside if (one.resistance_ohm_cm2 or 0.0) >= _WORTH_MARKING * whole]


def place_of(state: ImpedanceState, frequency_Hz: float) -> int | None:
    """Return which of the spectrum's points is nearest to a frequency; None beyond its ends."""
    known = np.array(state.frequency_Hz)
    if not known[0] <= frequency_Hz <= known[-1]:
        return None
    return int(np.argmin(np.abs(np.log(known / frequency_Hz))))


def smooth(
    frequency_Hz: Sequence[float], *curves: Sequence[float | None]
) -> tuple[NDArray[np.float64], ...]:
    """Return frequencies and a model's curves over them, dense enough for a picture.

    By cubic splines in the logarithm of the frequency; where a curve has a gap, as they are.
    """
    from scipy.interpolate import CubicSpline

    known = np.array(frequency_Hz, dtype=float)
    values = [np.array(curve, dtype=float) for curve in curves]
    if len(known) < 4 or not all(np.all(np.isfinite(one)) for one in values):
        return (known, *values)
    places = np.linspace(np.log(known[0]), np.log(known[-1]), 12 * len(known))
    return (
        np.exp(places),
        *(np.asarray(CubicSpline(np.log(known), one)(places)) for one in values),
    )


def nyquist_figure(states: Sequence[ImpedanceState]) -> Figure:
    """Return a Nyquist plot with one frame per state, its processes marked where they peak."""
    layout: Figure = {
        "xaxis": {
            "title": {"text": "Re Z (Ω·cm²)"},
            "gridcolor": "var(--grid)",
            "zeroline": False,
            "exponentformat": "power",
            # the frame takes the shape of the data, and not the data's range that of the frame
            "constrain": "domain",
            "constraintoward": "left",
        },
        "yaxis": {
            "title": {"text": "−Im Z (Ω·cm²)"},
            "gridcolor": "var(--grid)",
            "zeroline": False,
            "scaleanchor": "x",
            "exponentformat": "power",
            "constrain": "domain",
            "constraintoward": "bottom",
        },
        "margin": {"l": 80, "r": 36, "t": 10, "b": 60},
        "height": 480,
        "legend": {"orientation": "h", "x": 0, "y": -0.2, "yanchor": "top"},
    }
    return {"layout": layout, "frames": [_nyquist(state) for state in states]}


def shown_points(state: ImpedanceState) -> list[int]:
    """Return the points of a Nyquist plot: without what would hide its arcs.

    A blocked contact has an imaginary part without end, diffusion in an electrode a real part far
    beyond the resistance without diffusion.
    """
    count = len(state.frequency_Hz)
    dc = state.dc_resistance_ohm_cm2
    if dc is not None and any(one.name == SOLID_DIFFUSION for one in state.processes):
        limit = _TAIL * dc
        return [
            k
            for k in range(count)
            if state.z_real_ohm_cm2[k] <= limit and -state.z_imag_ohm_cm2[k] <= limit
        ]
    finite = [
        x for x, y in zip(state.z_real_ohm_cm2, state.z_imag_ohm_cm2, strict=True) if -y < 3.0 * x
    ]
    if not finite:
        return list(range(count))
    limit = 3.0 * max(finite)
    return [k for k in range(count) if -state.z_imag_ohm_cm2[k] <= limit]


def _nyquist(state: ImpedanceState) -> list[Trace]:
    places = shown_points(state)
    traces: list[Trace] = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": "impedance",
            "x": [state.z_real_ohm_cm2[k] for k in places],
            "y": [-state.z_imag_ohm_cm2[k] for k in places],
            "customdata": [state.frequency_Hz[k] for k in places],
            "line": {"color": "var(--text)", "width": 2, "shape": "spline"},
            "marker": {"size": 5},
            "hovertemplate": "%{x:.4g} − i·%{y:.4g} Ω·cm² at %{customdata:.3g} Hz<extra></extra>",
        }
    ]
    for number, one in enumerate(marked(state)):
        peak = peak_Hz(one)
        place = None if peak is None else place_of(state, peak)
        if place is None or place not in places:
            continue
        label = escape(f"{one.name}, {one.where}", quote=False)
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": label,
                "x": [state.z_real_ohm_cm2[place]],
                "y": [-state.z_imag_ohm_cm2[place]],
                "marker": {
                    "size": 14,
                    "color": "rgba(0,0,0,0)",
                    "line": {"color": SERIES[number % len(SERIES)], "width": 3},
                },
                "hovertemplate": f"{label}: {shown(one.resistance_ohm_cm2, 3)} Ω·cm²"
                f"<extra></extra>",
            }
        )
    return traces


def bode_figure(states: Sequence[ImpedanceState]) -> Figure:
    """Return real and negative imaginary part over the frequency, one frame per state."""
    frames = [_bode(state) for state in states]
    layout: Figure = {
        "xaxis": {
            "title": {"text": "frequency (Hz)"},
            "type": "log",
            "exponentformat": "power",
            "gridcolor": "var(--grid)",
        },
        "yaxis": {
            "title": {"text": "Re Z, −Im Z (Ω·cm²)"},
            "type": "log",
            "exponentformat": "power",
            "gridcolor": "var(--grid)",
            **decades([y for frame in frames for trace in frame for y in trace["y"]]),
        },
        "margin": {"l": 80, "r": 36, "t": 10, "b": 60},
        "height": 440,
        "legend": {"orientation": "h", "x": 0, "y": -0.2, "yanchor": "top"},
    }
    return {"layout": layout, "frames": frames}


def _bode(state: ImpedanceState) -> list[Trace]:
    spreads = state.quantiles
    shades: list[Trace] = []
    curves: list[Trace] = []
    for name, values, quantiles, sign, colour, dash in (
        (
            "Re Z",
            state.z_real_ohm_cm2,
            None if spreads is None else spreads.z_real_ohm_cm2,
            1.0,
            SERIES[0],
            "solid",
        ),
        (
            "−Im Z",
            [-value for value in state.z_imag_ohm_cm2],
            None if spreads is None else spreads.z_imag_ohm_cm2,
            -1.0,
            SERIES[1],
            "dash",
        ),
    ):
        pair = ends(quantiles)
        if pair is not None:
            low, high = pair if sign > 0.0 else (-pair[1], -pair[0])
            style = {"legendgroup": name, **part_shade(colour)}
            shades += log_band(state.frequency_Hz, (low, high), colour, name, **style)
        curves.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": name,
                "legendgroup": name,
                "x": state.frequency_Hz,
                "y": [value if value > 0.0 else None for value in values],
                "line": {"color": colour, "dash": dash, "width": 2.5},
                "hovertemplate": "%{y:.4g} Ω·cm² at %{x:.3g} Hz",
            }
        )
    return [*shades, *curves]


def relaxation_figure(states: Sequence[ImpedanceState]) -> Figure:
    """Return the relaxation times of the circuit, one frame per state."""
    layout: Figure = {
        "xaxis": {
            "title": {"text": "relaxation time (s)"},
            "type": "log",
            # apart from the 0 of the other axis
            "ticklabelstandoff": 8,
            "exponentformat": "power",
            "gridcolor": "var(--grid)",
        },
        "yaxis": {
            "title": {"text": "Ω·cm² (curve: per decade)"},
            "rangemode": "tozero",
            "gridcolor": "var(--grid)",
            "exponentformat": "power",
        },
        # labels like 1.2×10⁴
        "margin": {"l": 92, "r": 36, "t": 10, "b": 60},
        "height": 420,
        "legend": {"orientation": "h", "x": 0, "y": -0.2, "yanchor": "top"},
    }
    return {"layout": layout, "frames": [_relaxations(state) for state in states]}


def distribution(state: ImpedanceState) -> tuple[list[float], list[float]]:
    """Return relaxation times and the resistance per decade there, as a picture draws them."""
    poles = state.circuit.poles
    if not poles:
        return [], []
    low, high = (log10(poles[k].time_constant_s) for k in (0, -1))
    places = np.linspace(low - 1.0, high + 1.0, 401)
    total = np.zeros_like(places)
    for pole in poles:
        away = (places - log10(pole.time_constant_s)) / _WIDTH
        total += pole.resistance_ohm_cm2 * np.exp(-0.5 * away**2) / (_WIDTH * np.sqrt(2.0 * pi))
    return (10.0**places).tolist(), total.tolist()


def _relaxations(state: ImpedanceState) -> list[Trace]:
    times, values = distribution(state)
    sticks: Trace = {
        "type": "scatter",
        "mode": "lines",
        "name": "RC elements",
        "x": [x for pole in state.circuit.poles for x in (pole.time_constant_s,) * 2 + (None,)],
        "y": [y for pole in state.circuit.poles for y in (0.0, pole.resistance_ohm_cm2, None)],
        "line": {"color": "var(--muted)", "width": 1.5},
        "hovertemplate": "%{y:.3g} Ω·cm² at %{x:.3g} s<extra></extra>",
    }
    curve: Trace = {
        "type": "scatter",
        "mode": "lines",
        "name": "distribution",
        "x": times,
        "y": values,
        "line": {"color": "var(--text)", "width": 2},
        "hovertemplate": "%{y:.3g} Ω·cm² per decade at %{x:.3g} s<extra></extra>",
    }
    top = max(values, default=0.0)
    lines: list[Trace] = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": escape(f"{one.name}, {one.where}", quote=False),
            "x": [one.time_constant_s] * 2,
            "y": [0.0, top],
            "line": {"color": SERIES[number % len(SERIES)], "dash": "dot", "width": 2},
            "hoverinfo": "name",
        }
        for number, one in enumerate(marked(state))
    ]
    return [sticks, curve, *lines]


def _processes_table(states: Sequence[ImpedanceState]) -> Markup:
    rows, places = [], []
    for place, state in enumerate(states):
        spreads = [] if state.quantiles is None else state.quantiles.process_resistance_ohm_cm2
        for number, one in enumerate(state.processes):
            spread = spreads[number] if number < len(spreads) else None
            rows.append(
                (
                    one.name,
                    one.where,
                    shown(one.resistance_ohm_cm2),
                    interval(spread),
                    shown(one.capacitance_uF_cm2, 3),
                    shown(one.time_constant_s, 3),
                    shown(peak_Hz(one), 3),
                )
            )
            places.append(place)
    heads = (
        "process",
        "where",
        "resistance (Ω·cm²)",
        "5 to 95 %",
        "capacitance (µF/cm²)",
        "time constant (s)",
        "peak (Hz)",
    )
    return table(
        heads,
        rows,
        numeric=range(2, 7),
        states=places if len(states) > 1 else None,
        only_current=True,
    )


def _poles_table(states: Sequence[ImpedanceState]) -> Markup:
    rows, places = [], []
    for place, state in enumerate(states):
        for pole in state.circuit.poles:
            rows.append(
                (
                    pole.process,
                    shown(pole.resistance_ohm_cm2),
                    shown(pole.capacitance_uF_cm2, 3),
                    shown(pole.time_constant_s, 3),
                )
            )
            places.append(place)
        series = state.circuit.series_capacitance_uF_cm2
        if series is not None:
            rows.append(("capacitor in series", "–", shown(series, 3), "–"))
            places.append(place)
    return table(
        ("element", "resistance (Ω·cm²)", "capacitance (µF/cm²)", "time constant (s)"),
        rows,
        numeric=range(1, 4),
        states=places if len(states) > 1 else None,
        only_current=True,
    )


def _exports(states: Sequence[ImpedanceState]) -> list[Markup]:
    rows, places = [], []
    for place, state in enumerate(states):
        circuit = state.circuit
        guesses = ", ".join(f"{value:.4g}" for value in circuit.impedance_py_parameters)
        rows += [
            ("impedance.py", Markup(f"<code>{escape(circuit.impedance_py)}</code>")),
            ("its initial_guess", Markup(f"<code>[{escape(guesses)}]</code>")),
            ("pyimpspec", Markup(f"<code>{escape(circuit.pyimpspec)}</code>")),
        ]
        places += [place] * 3
    return [
        table(
            ("for", "circuit string"),
            rows,
            states=places if len(states) > 1 else None,
            only_current=True,
        )
    ]
