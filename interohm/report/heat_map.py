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
    outside: Sequence[Sequence[Sequence[bool]]] | None = None,
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
    outside : rows of bool, optional
        For each state of charge, which fields are outside of the model: they have no colour of
        the scale, in which a low resistance of phases that react would be the best.
    """
    marked = outside or [[[False] * len(row) for row in frame] for frame in frames]
    coloured = [
        [
            [
                None if out else _colour(value, logarithmic)
                for (value, _), out in zip(*row, strict=True)
            ]
            for row in zip(frame, marks, strict=True)
        ]
        for frame, marks in zip(frames, marked, strict=True)
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
    drawn = []
    for frame, marks, colours in zip(frames, marked, coloured, strict=True):
        common = {
            "type": "heatmap",
            "x": [[escape(name) for name in names] for names in columns],
            "y": [escape(name) for name in rows],
            "xgap": 2,
            "ygap": 2,
            "customdata": [[_spread(spread) for _, spread in row] for row in frame],
            "texttemplate": "%{text}",
            "hovertemplate": "%{y}, %{x}: %{text}; 5 to 95 %: %{customdata}<extra></extra>",
            "hoverongaps": False,
        }
        texts = [
            [_text(*field, out) for field, out in zip(*row, strict=True)]
            for row in zip(frame, marks, strict=True)
        ]
        scale = {
            "text": _where(texts, marks, False),
            "z": colours,
            "zmin": low,
            "zmax": high if high > low else low + 1,
            "colorscale": SCALE,
            "textfont": {"color": "var(--on-map)"},
            "colorbar": {"title": {"text": unit}, "thickness": 12},
        }
        grey = {
            "text": _where(texts, marks, True),
            "z": [[0.0 if out else None for out in row] for row in marks],
            "colorscale": [[0, "var(--grid)"], [1, "var(--grid)"]],
            "textfont": {"color": "var(--text)"},
            "showscale": False,
        }
        drawn.append([{**common, **scale}, *([] if outside is None else [{**common, **grey}])])
    return {"layout": layout, "frames": drawn}


def _where(
    texts: Sequence[Sequence[str]], marks: Sequence[Sequence[bool]], shown: bool
) -> list[list[str]]:
    """Return the texts of the fields with one mark; another layer writes the others."""
    return [
        [text if mark is shown else "" for text, mark in zip(*row, strict=True)]
        for row in zip(texts, marks, strict=True)
    ]


def _colour(value: float | None, logarithmic: bool) -> float | None:
    if not value or not logarithmic:
        return None if value is None or logarithmic else value
    return log10(value) if value > 0 else -inf


def _spread(spread: Quantiles | None) -> str:
    if spread is None:
        return interval(None)
    return f"{interval(spread, 2)}, median {shown(spread['p50'], 2)}"


def _text(value: float | None, spread: Quantiles | None, outside: bool) -> str:
    text = shown(value, 2) + (" ✕" if outside else "")
    if spread is None:
        return text
    low, high = spread["p05"], spread["p95"]
    if low > 0:
        return f"{text}<br>×÷ {shown(sqrt(high / low), 2)}"
    return f"{text}<br>± {shown((high - low) / 2, 2)}"
