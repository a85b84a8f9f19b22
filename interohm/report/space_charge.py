"""Concentrations and conductivity on both sides of a contact."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import log10
from typing import TYPE_CHECKING, Any

import numpy as np

from interohm.report.band_diagram import layer_names, layer_shapes, x_axis
from interohm.report.curve_points import needed_points
from interohm.report.curves import DASHES, SERIES
from interohm.report.display_axis import DisplayAxis, nanometres
from interohm.report.intervals import band_trace
from interohm.report.levels import ContactView

if TYPE_CHECKING:
    from interohm.arrays import Array

    Figure = dict[str, Any]
    Trace = dict[str, Any]

#: Concentrations are drawn down to one in a cubic metre, conductivities to where nothing flows.
RAREST_CM3, LEAST_S_CM = 1e-6, 1e-40

#: How far below the curves an axis reaches for the intervals around them.
_MOST_BELOW = 1e4


def concentration_figure(views: Sequence[ContactView], names: Sequence[str]) -> Figure:
    """Return the defects' concentrations on both sides of a contact, one frame for each state."""
    frames = [
        [
            *(
                shade
                for number, defect in enumerate(view.defects)
                for shade in _shades(view, defect, defect, number)
            ),
            *(
                _trace(
                    view,
                    defect,
                    [side.concentrations_cm3.get(defect) for side in view.sides],
                    "cm⁻³",
                    number,
                )
                for number, defect in enumerate(view.defects)
            ),
        ]
        for view in views
    ]
    return _figure(views[0].axis, names, frames, "concentration (cm⁻³)", RAREST_CM3)


def conductivity_figure(views: Sequence[ContactView], names: Sequence[str]) -> Figure | None:
    """Return the mobile ion's conductivity, None where it does not flow in any state."""
    states = [[side.conductivity_S_cm for side in view.sides] for view in views]
    if all((column <= LEAST_S_CM).all() for columns in states for column in columns):
        return None
    frames = [
        [
            *_shades(view, "conductivity_S_cm", "mobile ion", 0),
            _trace(view, "mobile ion", columns, "S/cm", 0),
        ]
        for view, columns in zip(views, states, strict=True)
    ]
    return _figure(views[0].axis, names, frames, "conductivity (S/cm)", LEAST_S_CM)


def _shades(view: ContactView, column: str, name: str, number: int) -> list[Trace]:
    """Return the interval of one curve, nothing where there is none."""
    pieces = [
        (places, np.maximum(low, 1e-300), np.maximum(high, 1e-300))
        for side in view.sides
        if side.intervals is not None
        for places, low, high in side.intervals.on(view.axis, column)
    ]
    name = escape(name, quote=False)
    colour = SERIES[number % len(SERIES)]
    return [band_trace(pieces, colour, name, legendgroup=name)] if pieces else []


def _trace(
    view: ContactView, name: str, columns: Sequence[Array | None], unit: str, number: int
) -> Trace:
    """Return one curve with a gap at the contact."""
    x: list[float | None] = []
    y: list[float | None] = []
    positions: list[str | None] = []
    for side, column in zip(view.sides, columns, strict=True):
        if column is None:
            continue
        places = view.axis.place(side.x_nm)
        height = np.log10(np.maximum(column, 1e-300))
        keep = needed_points(places, height[None, :], 0.01)
        gap = [None] if x else []
        x += [*gap, *(round(float(position), 5) for position in places[keep])]
        y += [*gap, *(float(f"{value:.4g}") for value in column[keep])]
        positions += [*gap, *(nanometres(float(position)) for position in side.x_nm[keep])]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": escape(name, quote=False),
        "legendgroup": escape(name, quote=False),
        "x": x,
        "y": y,
        "customdata": positions,
        "hovertemplate": f"%{{y:.3g}} {unit} at %{{customdata}} nm",
        "line": {
            "color": SERIES[number % len(SERIES)],
            "dash": DASHES[number // len(SERIES) % len(DASHES)],
            "width": 2.2,
        },
    }


def _figure(
    axis: DisplayAxis, names: Sequence[str], frames: list[list[Trace]], title: str, least: float
) -> Figure:
    curves, shades = (
        [
            value
            for traces in frames
            for trace in traces
            if ("fill" in trace) == shade
            for value in trace["y"]
            if value
        ]
        for shade in (False, True)
    )
    high, low = max([*curves, *shades, least]), max(min(curves, default=least), least)
    # a shade may reach farther down than helps to see the curve
    low = max(min(low, max(min(shades, default=low), low / _MOST_BELOW)), least)
    layout: Figure = {
        "xaxis": x_axis(axis),
        "yaxis": {
            "type": "log",
            "title": {"text": title},
            "range": [log10(low) - 0.5, log10(high) + 0.5],
            "dtick": max(1, round(log10(high / low) / 6)),
            "exponentformat": "power",
            "gridcolor": "var(--grid)",
        },
        "shapes": layer_shapes(axis),
        "annotations": layer_names(axis, names, [None, None]),
        "legend": {"orientation": "h", "x": 0, "y": -0.25, "yanchor": "top"},
        "margin": {"l": 70, "r": 36, "t": 36, "b": 100},
        "hovermode": "x unified",
        "showlegend": sum("fill" not in trace for trace in frames[0]) > 1,
        "height": 400,
    }
    return {"layout": layout, "frames": frames}
