"""The reports' figures as plotly takes them, one at a time: for notebooks and the explorer."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from interohm.report.band_diagram import band_figure
from interohm.report.levels import (
    cell_axis,
    cell_levels,
    contact_view,
    drawn_layers,
    energy_window_eV,
)
from interohm.report.palette import Theme, coloured, colours

if TYPE_CHECKING:
    from plotly import graph_objects

    from interohm.results.cell import CellResult
    from interohm.results.contact import ContactResult

    Figure = dict[str, Any]


def plotly_figure(figure: Figure) -> graph_objects.Figure:
    """Return a figure as plotly's class, which notebooks draw."""
    from plotly.graph_objects import Figure as PlotlyFigure

    return PlotlyFigure(data=figure["data"], layout=figure["layout"])


def contact_bands(result: ContactResult, theme: Theme = "light") -> Figure:
    """Return the band diagram of a contact, or why there is none."""
    if not result.has_levels():
        return nothing(
            "an earlier version predicted this, without levels: predict it again for its diagram",
            theme,
        )
    view = contact_view(result)
    names = [result.left, result.right]
    window = energy_window_eV([view.levels])
    return drawn(band_figure(view.axis, names, [None, None], [view.levels], window), theme=theme)


def cell_bands(result: CellResult, state: int, theme: Theme = "light") -> Figure:
    """Return the band diagram of a cell at one of its states of charge, by its number."""
    layers = drawn_layers(result.states[state])
    diagrams = [cell_levels(each) for each in result.states]
    figure = band_figure(
        cell_axis(result),
        [name for name, _ in layers],
        [thickness for _, thickness in layers],
        [diagrams[state]],
        energy_window_eV(diagrams),
    )
    return drawn(figure, theme=theme)


def drawn(figure: Figure, frame: int = 0, theme: Theme = "light") -> Figure:
    """Return one frame of a report's figure, as plotly takes it."""
    return {
        "data": coloured([*figure.get("always", ()), *figure["frames"][frame]], theme),
        "layout": {**coloured(figure["layout"], theme), **common_layout(theme)},
    }


def common_layout(theme: Theme = "light") -> Figure:
    """Return what all figures have: the page's colours, no background of their own."""
    named = colours(theme)
    return {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": named["text"], "size": 13},
        "modebar": {
            "bgcolor": "rgba(0,0,0,0)",
            "color": named["muted"],
            "activecolor": named["text"],
        },
    }


def nothing(text: str, theme: Theme = "light") -> Figure:
    """Return an empty figure that says why it is empty."""
    hidden = {"visible": False}
    note = {"text": escape(text, quote=False), "showarrow": False, "font": {"size": 14}}
    layout = {"xaxis": hidden, "yaxis": hidden, "annotations": [note], "height": 160}
    return {"data": [], "layout": {**layout, **common_layout(theme)}}
