"""Heat maps with an interval in every field that has one."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import inf, log10, sqrt
from typing import TYPE_CHECKING, Any, TypeAlias

from interohm.report.palette import SCALE
from interohm.report.tables import interval, shown

if TYPE_CHECKING:
    from interohm.results.result import Quantiles

    Figure = dict[str, Any]
    #: A value with the 5 to 95 % interval that the records' uncertainties leave it.
    Field: TypeAlias = tuple[float | None, Quantiles | None]

MAP_NOTE = (
    "Below each value is its uncertainty: half of the 5 to 95 % interval, as a factor where the "
    "whole interval is positive. Resistances are coloured by their logarithm; a sum that "
    "accumulation makes negative has the colour of the smallest value."
)


def heat_map(
    title: str,
    columns: tuple[Sequence[str], Sequence[str]],
    rows: Sequence[str],
    frames: Sequence[Sequence[Sequence[Field]]],
    *,
    logarithmic: bool,
) -> Figure:
    """Return a heat map.

    Parameters
    ----------
    title : str
        With the unit in brackets.
    columns : pair of sequences of str
        The group and the name of each column.
    rows : sequence of str
        Their names.
    frames : sequence of rows of (value, quantiles)
        One for each state of charge.
    logarithmic : bool
        Whether values are coloured by their logarithm; negative ones, which are less than any,
        have the colour of the smallest.
    """
    coloured = [
        [[_colour(value, logarithmic) for value, _ in row] for row in frame] for frame in frames
    ]
    known = [
        value
        for frame in coloured
        for row in frame
        for value in row
        if value is not None and value > -inf
    ]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    coloured = [
        [[None if value is None else max(value, low) for value in row] for row in frame]
        for frame in coloured
    ]
    unit = "log10" if logarithmic else title.rpartition("(")[2].removesuffix(")")
    layout: Figure = {
        "title": {"text": escape(title, quote=False), "font": {"size": 15}, "x": 0},
        "xaxis": {"side": "top", "automargin": True, "showgrid": False, "type": "multicategory"},
        "yaxis": {"autorange": "reversed", "automargin": True, "showgrid": False},
        "margin": {"l": 20, "r": 20, "t": 110, "b": 10},
        "height": 160 + 56 * len(rows),
    }
    drawn = [
        [
            {
                "type": "heatmap",
                "x": [[escape(name) for name in names] for names in columns],
                "y": [escape(name) for name in rows],
                "z": colours,
                "zmin": low,
                "zmax": high if high > low else low + 1,
                "colorscale": SCALE,
                "textfont": {"color": "var(--on-map)"},
                "xgap": 2,
                "ygap": 2,
                "colorbar": {"title": {"text": unit}, "thickness": 12},
                "text": [[_text(value, spread) for value, spread in row] for row in frame],
                "customdata": [[_spread(spread) for _, spread in row] for row in frame],
                "texttemplate": "%{text}",
                "hovertemplate": "%{y}, %{x}: %{text}; 5 to 95 %: %{customdata}<extra></extra>",
            }
        ]
        for frame, colours in zip(frames, coloured, strict=True)
    ]
    return {"layout": layout, "frames": drawn}


def _colour(value: float | None, logarithmic: bool) -> float | None:
    if not value or not logarithmic:
        return None if value is None or logarithmic else value
    return log10(value) if value > 0 else -inf


def _spread(spread: Quantiles | None) -> str:
    if spread is None:
        return interval(None)
    return f"{interval(spread, 2)}, median {shown(spread['p50'], 2)}"


def _text(value: float | None, spread: Quantiles | None) -> str:
    text = shown(value, 2)
    if spread is None:
        return text
    low, high = spread["p05"], spread["p95"]
    if low > 0:
        return f"{text}<br>×÷ {shown(sqrt(high / low), 2)}"
    return f"{text}<br>± {shown((high - low) / 2, 2)}"
