"""The interactive band diagram: plotly figures as plain mappings, colours by the page's style.

A colour ``var(--name)`` is looked up in the page's style sheet when it is drawn, so that one figure
serves light and dark pages and paper. A figure is ``{layout, always, frames}``: one frame of traces
for each state of charge, and those that stand in all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from interohm.report.display_axis import DisplayAxis, nanometres
from interohm.report.intervals import band_trace
from interohm.report.levels import LayerLevels, thinned

if TYPE_CHECKING:
    from interohm.arrays import Array

    Figure = dict[str, Any]
    Trace = dict[str, Any]

#: Names of the levels, in the order of the legend, with colour and dash.
LEVELS = (
    ("vacuum level", "var(--vacuum)", "dot"),
    ("conduction band edge", "var(--conduction)", "solid"),
    ("valence band edge", "var(--valence)", "solid"),
    ("Fermi level", "var(--fermi)", "dash"),
)


def band_figure(
    axis: DisplayAxis,
    names: Sequence[str],
    thicknesses_nm: Sequence[float | None],
    diagrams: Sequence[Sequence[LayerLevels]],
    window_eV: tuple[float, float],
) -> Figure:
    """Return the band diagram with one frame per state of charge.

    Parameters
    ----------
    axis : DisplayAxis
        Axis of all states.
    names : sequence of str
        Names of the layers.
    thicknesses_nm : sequence of float or None
        To print beside the names.
    diagrams : sequence of sequences of LayerLevels
        For each state the levels of each layer.
    window_eV : tuple of float
        The energies shown.
    """
    layout: Figure = {
        "xaxis": x_axis(axis),
        "yaxis": {
            "title": {"text": "energy (eV)"},
            "range": list(window_eV),
            "zeroline": False,
            "gridcolor": "var(--grid)",
        },
        "shapes": layer_shapes(axis),
        "annotations": [
            *layer_names(axis, names, thicknesses_nm),
            *break_marks(axis),
        ],
        "legend": {"orientation": "h", "x": 0, "y": -0.2, "yanchor": "top"},
        "margin": {"l": 70, "r": 36, "t": 52, "b": 110},
        "hovermode": "x unified",
        "height": 560,
    }
    frames = [
        band_traces(axis, [thinned(layer, axis) for layer in diagram], window_eV)
        for diagram in diagrams
    ]
    return {"layout": layout, "frames": frames}


def band_traces(
    axis: DisplayAxis, diagram: Sequence[LayerLevels], window_eV: tuple[float, float]
) -> list[Trace]:
    """Return the filled bands, then the four levels across all layers."""
    bottom, top = window_eV
    traces = []
    for layer in diagram:
        places = axis.place(layer.x_nm)
        if layer.conduction_eV is None or layer.valence_eV is None:
            traces.append(_filled(places, layer.fermi_eV, bottom, "var(--metal-fill)"))
            continue
        traces.append(_filled(places, layer.valence_eV, bottom, "var(--valence-fill)"))
        traces.append(_filled(places, layer.conduction_eV, top, "var(--conduction-fill)"))
    columns = ("vacuum_eV", "conduction_eV", "valence_eV", "fermi_eV")
    for (name, colour, _), column in zip(LEVELS, columns, strict=True):
        traces += level_bands(axis, diagram, column, name, colour)
    for (name, colour, dash), column in zip(LEVELS, columns, strict=True):
        traces.append(level_trace(axis, diagram, column, name, colour, dash))
    return traces


def level_bands(
    axis: DisplayAxis, diagram: Sequence[LayerLevels], column: str, name: str, colour: str
) -> list[Trace]:
    """Return the shade around one level across all layers; nothing without intervals."""
    pieces = [
        piece
        for layer in diagram
        if layer.intervals is not None
        for piece in layer.intervals.on(axis, column)
    ]
    return [band_trace(pieces, colour, name, legendgroup=name)] if pieces else []


def level_trace(
    axis: DisplayAxis,
    diagram: Sequence[LayerLevels],
    column: str,
    name: str,
    colour: str,
    dash: str,
    unit: str = "eV",
) -> Trace:
    """Return one level across all layers."""
    x, y, positions = joined(axis, diagram, column)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "legendgroup": name,
        "x": x,
        "y": y,
        "customdata": positions,
        "hovertemplate": f"%{{y:.3f}} {unit} at %{{customdata}} nm",
        "connectgaps": False,
        "line": {"color": colour, "dash": dash, "width": 2.2, "simplify": False},
    }


def joined(
    axis: DisplayAxis, diagram: Sequence[LayerLevels], column: str
) -> tuple[list[float | None], list[float | None], list[str | None]]:
    """Return places, values and positions of one level, with a gap between layers."""
    x: list[float | None] = []
    y: list[float | None] = []
    positions: list[str | None] = []
    for layer in diagram:
        values = getattr(layer, column)
        if values is None:
            continue
        if x:
            # Only the vacuum level is one line: its steps are the contacts' dipoles.
            separator = () if column == "vacuum_eV" else (None,)
            x += separator
            y += separator
            positions += separator
        x += _rounded(axis.place(layer.x_nm), 5)
        y += _rounded(values, 4)
        positions += [nanometres(float(position)) for position in layer.x_nm]
    return x, y, positions


def _filled(places: Array, edge: Array, limit: float, colour: str) -> Trace:
    """Return a polygon between a level and the rim of the diagram."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": _rounded(np.concatenate([places, places[::-1]]), 5),
        "y": _rounded(np.concatenate([edge, np.full_like(edge, limit)]), 4),
        "fill": "toself",
        "fillcolor": colour,
        "line": {"width": 0},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _rounded(values: Array, digits: int) -> list[float | None]:
    return [round(float(value), digits) for value in values]


def x_axis(axis: DisplayAxis) -> Figure:
    """Return the axis with true distances at uneven places."""
    return {
        "title": {"text": "position (nm)"},
        "range": [axis.edges[0], axis.edges[-1]],
        "tickmode": "array",
        "tickvals": list(axis.tick_places),
        "ticktext": list(axis.tick_labels),
        "ticks": "outside",
        "showgrid": False,
        "zeroline": False,
        "showspikes": True,
        "spikethickness": 1,
        "spikecolor": "var(--muted)",
        "unifiedhovertitle": {"text": " "},
    }


def layer_shapes(axis: DisplayAxis) -> list[Figure]:
    """Return a shade for every second layer and a line at every contact."""
    edges = axis.edges
    shades = [
        {
            "type": "rect",
            "xref": "x",
            "yref": "paper",
            "x0": edges[index],
            "x1": edges[index + 1],
            "y0": 0,
            "y1": 1,
            "fillcolor": "var(--layer-shade)",
            "line": {"width": 0},
            "layer": "below",
        }
        for index in range(0, len(edges) - 1, 2)
    ]
    lines = [
        {
            "type": "line",
            "xref": "x",
            "yref": "paper",
            "x0": edge,
            "x1": edge,
            "y0": 0,
            "y1": 1,
            "line": {"width": 1, "color": "var(--muted)"},
            "layer": "below",
        }
        for edge in edges[1:-1]
    ]
    return [*shades, *lines]


def layer_names(
    axis: DisplayAxis, names: Sequence[str], thicknesses_nm: Sequence[float | None]
) -> list[Figure]:
    """Return the names of the layers above the diagram."""
    return [
        {
            "xref": "x",
            "yref": "paper",
            "x": (left + right) / 2,
            "y": 1,
            "yanchor": "bottom",
            "text": f"<b>{escape(name, quote=False)}</b>"
            + ("" if thickness is None else f"<br>{nanometres(thickness)} nm"),
            "showarrow": False,
        }
        for name, thickness, left, right in zip(
            names, thicknesses_nm, axis.edges, axis.edges[1:], strict=False
        )
    ]


def break_marks(axis: DisplayAxis) -> list[Figure]:
    """Return a mark on the axis where the inside of a layer is compressed."""
    return [
        {
            "xref": "x",
            "yref": "paper",
            "x": position,
            "y": 0,
            "yanchor": "middle",
            "text": "<b>//</b>",
            "showarrow": False,
            "font": {"size": 15},
        }
        for position in axis.breaks
    ]
