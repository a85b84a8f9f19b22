"""Potential maps: how each state of charge differs from the discharged cell; measured maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from interohm.report.band_diagram import (
    break_marks,
    layer_names,
    layer_shapes,
    level_bands,
    level_trace,
    x_axis,
)
from interohm.report.curve_points import needed_points, with_nodes
from interohm.report.curves import DASHES, SERIES
from interohm.report.display_axis import DisplayAxis, nanometres
from interohm.report.intervals import band_trace
from interohm.report.levels import (
    cell_levels,
    drawn_layers,
    layer_points,
    thinned,
)
from interohm.report.tables import Markup, shown, table

if TYPE_CHECKING:
    from interohm.results.cell import CellState

    Figure = dict[str, Any]
    Trace = dict[str, Any]

#: Display width of a collector whose thickness is not given.
_STUB_WIDTH = 0.35

#: Parts of a map: in a measured one's fields, in the levels of a layer.
_PARTS = {
    "work function": ("work_function_eV", "work_function_eV"),
    "Fermi level": ("fermi_level_eV", "fermi_eV"),
}

#: A map may be drawn this far from where it is.
_DRAWING_ERROR_V = 5e-4


def delta_figure(axis: DisplayAxis, states: Sequence[CellState]) -> Figure | None:
    """Return ΔCPD of all states; a frame marks its own. None without a discharged state.

    Parameters
    ----------
    axis : DisplayAxis
        Axis of the band diagram.
    states : sequence of CellState
        States of a cell.
    """
    known = [state for state in states if (state.profile.delta_cpd_V or [None])[0] is not None]
    if len(known) < 2:
        return None
    curves = [
        {
            **_map_trace(axis, state, "delta_cpd_V"),
            "name": f"state of charge {shown(state.state_of_charge)}",
            "line": {
                "color": SERIES[number % len(SERIES)],
                "dash": DASHES[number // len(SERIES) % len(DASHES)],
                "width": 1.8,
            },
        }
        for number, state in enumerate(known)
    ]
    frames = []
    for state in states:
        marked = [
            {
                **curve,
                "line": {**curve["line"], "width": 4.5},
                "showlegend": False,
                "hoverinfo": "skip",
                "hovertemplate": None,
            }
            for curve, one in zip(curves, known, strict=True)
            if one is state
        ]
        # of the marked one alone: those of all would cover each other
        shades = [_map_band(axis, state, "delta_cpd_V", mark["line"]["color"]) for mark in marked]
        frames.append([*(shade for shade in shades if shade["x"]), *marked])
    layout = _layout(axis, states[0], "ΔCPD (V)")
    return {"layout": layout, "always": curves, "frames": frames}


def measured_figure(axis: DisplayAxis, states: Sequence[CellState]) -> Figure | None:
    """Return a measured map over the model's, one frame per state; None if nothing was measured."""
    frames = []
    for state in states:
        measured = state.measured_map
        if measured is None:
            return None
        model = {
            **_map_trace(axis, state, "cpd_V"),
            "name": "model",
            "line": {"color": SERIES[0], "width": 2.2},
        }
        points: Trace = {
            "type": "scatter",
            "mode": "markers",
            "name": "measured",
            "x": [round(float(position), 5) for position in axis.place(measured.x_nm)],
            "y": measured.measured_cpd_V,
            "customdata": [
                [nanometres(x), phi, fermi]
                for x, phi, fermi in zip(
                    measured.x_nm,
                    measured.work_function_eV,
                    measured.fermi_level_eV,
                    strict=True,
                )
            ],
            "marker": {"color": SERIES[1], "size": 6},
            **(
                {}
                if measured.uncertainty_V is None
                else {"error_y": {"type": "data", "array": measured.uncertainty_V, "thickness": 1}}
            ),
            "hovertemplate": "%{y:.3f} V at %{customdata[0]} nm: work function "
            "%{customdata[1]:.3f} eV with the model's Fermi level, or Fermi level "
            "%{customdata[2]:.3f} eV with its work function",
        }
        shade = _map_band(axis, state, "cpd_V", SERIES[0])
        frames.append([*([shade] if shade["x"] else []), model, points])
    return {"layout": _layout(axis, states[0], "CPD (V)"), "frames": frames}


def decomposed_figure(axis: DisplayAxis, states: Sequence[CellState], part: str) -> Figure:
    """Return one part of a measured map over the model's, one frame per state.

    Parameters
    ----------
    axis : DisplayAxis
        Axis of the band diagram.
    states : sequence of CellState
        States of a cell with a measured map.
    part : str
        ``work function`` or ``Fermi level``: what the map says of it if the other is the model's.
    """
    field, column = _PARTS[part]
    frames = []
    for state in states:
        measured = state.measured_map
        if measured is None:
            continue
        levels = [thinned(layer, axis) for layer in cell_levels(state)]
        points: Trace = {
            "type": "scatter",
            "mode": "markers",
            "name": "measured",
            "x": [round(float(position), 5) for position in axis.place(measured.x_nm)],
            "y": getattr(measured, field),
            "customdata": [nanometres(x) for x in measured.x_nm],
            "marker": {"color": SERIES[1], "size": 6},
            "hovertemplate": "%{y:.3f} eV at %{customdata} nm",
        }
        shades = level_bands(axis, levels, column, "model", SERIES[0])
        model = level_trace(axis, levels, column, "model", SERIES[0], "solid")
        frames.append([*shades, model, points])
    return {"layout": _layout(axis, states[0], f"{part} (eV)"), "frames": frames}


def misfit_table(states: Sequence[CellState]) -> Markup:
    """Return how far a measured map is from the model's at each state of charge."""
    return table(
        ("state of charge", "misfit, root mean square (V)"),
        [
            (shown(state.state_of_charge), shown(state.measured_map.rms_V, 3))
            for state in states
            if state.measured_map is not None
        ],
        numeric=(0, 1),
        states=range(len(states)) if len(states) > 1 else None,
    )


def _stubs(axis: DisplayAxis, state: CellState) -> dict[str, tuple[float, float]]:
    """Return the ends of collectors that the profile has not."""
    total = sum(layer.thickness_nm for layer in state.layers)
    x_nm = state.profile.x_nm
    beyond = {"negative": -(x_nm[0] or 0.0), "positive": (x_nm[-1] or 0.0) - total}
    first, last = axis.edges[0], axis.edges[-1]
    ends = {"negative": (first - _STUB_WIDTH, first), "positive": (last, last + _STUB_WIDTH)}
    return {
        one.side: ends[one.side] for one in state.collectors if beyond[one.side] <= 1e-9 * total
    }


def _map_trace(axis: DisplayAxis, state: CellState, column: str) -> Trace:
    """Return a map across layers and collectors: one line, which steps at contacts."""
    x_nm = np.array(state.profile.x_nm, dtype=float)
    values = np.array(getattr(state.profile, column), dtype=float)
    x: list[float] = []
    y: list[float] = []
    positions: list[str] = []
    for points in layer_points(state):
        own, (curve,) = with_nodes(x_nm[points], [values[points]], axis)
        places = axis.place(own)
        keep = needed_points(places, curve[None, :], _DRAWING_ERROR_V)
        x += [round(float(position), 5) for position in places[keep]]
        y += [round(float(value), 4) for value in curve[keep]]
        positions += [f"{nanometres(float(position))} nm" for position in own[keep]]
    stubs = _stubs(axis, state)
    for one in state.collectors:
        if one.side not in stubs:
            continue
        ends, level = list(stubs[one.side]), [round(getattr(one, column), 4)] * 2
        name = ["the collector"] * 2
        if one.side == "negative":
            x, y, positions = ends + x, level + y, name + positions
        else:
            x, y, positions = x + ends, y + level, positions + name
    return {
        "type": "scatter",
        "mode": "lines",
        "x": x,
        "y": y,
        "customdata": positions,
        "hovertemplate": "%{y:.3f} V at %{customdata}",
    }


def _map_band(axis: DisplayAxis, state: CellState, column: str, colour: str) -> Trace:
    """Return the interval of a map across layers and collectors; without points if unknown."""
    pieces = [
        piece
        for layer in cell_levels(state)
        if layer.intervals is not None
        for piece in layer.intervals.on(axis, column)
    ]
    stubs = _stubs(axis, state)
    for one in state.spreads().collectors or []:
        interval = getattr(one, column)
        if one.side in stubs and interval is not None:
            low, high = (np.full(2, end) for end in (interval["p05"], interval["p95"]))
            pieces.append((np.array(stubs[one.side]), low, high))
    return band_trace(pieces, colour, column)


def _layout(axis: DisplayAxis, state: CellState, title: str) -> Figure:
    layers = drawn_layers(state)
    stubs = _stubs(axis, state)
    names = {one.side: one.material for one in state.collectors}
    edges = list(axis.edges)
    labels = [name for name, _ in layers]
    if "negative" in stubs:
        edges.insert(0, stubs["negative"][0])
        labels.insert(0, names["negative"])
    if "positive" in stubs:
        edges.append(stubs["positive"][1])
        labels.append(names["positive"])
    around = DisplayAxis(
        axis.nodes_nm, axis.nodes, tuple(edges), axis.tick_places, axis.tick_labels, axis.breaks
    )
    return {
        "xaxis": x_axis(around),
        "yaxis": {
            "title": {"text": title},
            "gridcolor": "var(--grid)",
            "zerolinecolor": "var(--muted)",
        },
        "shapes": layer_shapes(around),
        "annotations": [
            *layer_names(around, labels, [None] * len(labels)),
            *break_marks(around),
        ],
        "legend": {"orientation": "h", "x": 0, "y": -0.25, "yanchor": "top"},
        "margin": {"l": 70, "r": 36, "t": 36, "b": 100},
        "hovermode": "x unified",
        "height": 430,
    }
