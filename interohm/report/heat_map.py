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
    "accumulation makes negative has the colour of the smallest value. Grey fields have no colour "
    "of the scale: those marked ✕ are outside of this model, because phases react or decompose, "
    "and those with a dash have no value."
)
#: What differs less has no colours that differ as best and worst do.
_LEAST_DECADES = 1.0
#: Height of a colour bar with its title.
_LEAST_BAR_PX = 120

#: Width of a field in which its number is legible, and that of everything beside the fields.
_FIELD_PX = 80
_BESIDE_PX = 150

#: What the grey fields of a map say when they are pointed at.
_OUTSIDE = "<br>outside of this model: phases react or decompose"
_NO_VALUE = "no value: a contact blocks, or the layer has no bulk that is neutral by its ions"


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

    Its title is not in it: it stands above, where it is seen without scrolling.

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
    if logarithmic:
        high = max(high, low + _LEAST_DECADES)
    unit = "log10" if logarithmic else title.rpartition("(")[2].removesuffix(")")
    layout: Figure = {
        "xaxis": {
            "side": "top",
            "automargin": True,
            "showgrid": False,
            "type": "multicategory",
        },
        "yaxis": {"autorange": "reversed", "automargin": True, "showgrid": False},
        "margin": {"l": 20, "r": 20, "t": 50, "b": 10},
        "height": 160 + 56 * len(rows),
    }
    drawn = []
    for frame, marks, colours in zip(frames, marked, coloured, strict=True):
        common = {
            "x": [[escape(name) for name in names] for names in columns],
            "y": [escape(name) for name in rows],
            "customdata": [
                [_told(*field, out) for field, out in zip(*row, strict=True)]
                for row in zip(frame, marks, strict=True)
            ],
            "texttemplate": "%{text}",
            "hovertemplate": "%{y}, %{x}: %{customdata}<extra></extra>",
        }
        texts = [
            [_text(*field, out) for field, out in zip(*row, strict=True)]
            for row in zip(frame, marks, strict=True)
        ]
        scale = {
            "zmin": low,
            "zmax": high if high > low else low + 1,
            "colorbar": {
                "title": {"text": unit},
                "thickness": 12,
                # of a height that its labels need, also beside a single row
                "lenmode": "pixels",
                "len": max(_LEAST_BAR_PX, 56 * len(rows)),
                "y": 0,
                "yanchor": "bottom",
                "nticks": 5,
            },
        }
        grey = [[value is None for value in row] for row in colours]
        drawn.append(coloured_and_grey(common, scale, colours, grey, texts))
    return {"layout": layout, "frames": drawn}


def least_width_px(figure: Figure) -> int:
    """Return the width below which the fields of a heat map are too narrow for their numbers."""
    _, columns = figure["frames"][0][0]["x"]
    return _BESIDE_PX + _FIELD_PX * len(columns)


def coloured_and_grey(
    common: Figure,
    scale: Figure,
    colours: Sequence[Sequence[float | None]],
    grey: Sequence[Sequence[bool]],
    texts: Sequence[Sequence[str]],
) -> list[Figure]:
    """Return a heat map as two layers: fields with a colour of the scale, and grey ones.

    Each field is written by the layer that colours it, in a colour that is legible there.

    Parameters
    ----------
    common : dict
        What both layers have: ``x``, ``y``, ``customdata`` and the like.
    scale : dict
        What only the coloured layer has: its name, its limits, its colour bar.
    colours : rows of float or None
        Values of the coloured fields, None for others.
    grey : rows of bool
        Which fields are grey; the rest of those without a colour stay empty.
    texts : rows of str
        What is written into the fields.
    """
    both = {**common, "type": "heatmap", "xgap": 2, "ygap": 2, "hoverongaps": False}
    plain = [[0.0 if one else None for one in row] for row in grey]
    written = [
        [
            ["" if z is None else text for z, text in zip(*row, strict=True)]
            for row in zip(layer, texts, strict=True)
        ]
        for layer in (colours, plain)
    ]
    return [
        {
            **both,
            **scale,
            "z": colours,
            "text": written[0],
            "colorscale": SCALE,
            "textfont": {"color": "var(--on-map)"},
        },
        {
            **both,
            "name": "outside of the model, or unknown",
            "z": plain,
            "text": written[1],
            "colorscale": [[0, "var(--grid)"], [1, "var(--grid)"]],
            "textfont": {"color": "var(--text)"},
            "showscale": False,
        },
    ]


def _colour(value: float | None, logarithmic: bool) -> float | None:
    if not value or not logarithmic:
        return None if value is None or logarithmic else value
    return log10(value) if value > 0 else -inf


def _told(value: float | None, spread: Quantiles | None, outside: bool) -> str:
    """Return what a field says when it is pointed at."""
    if value is None:
        return _NO_VALUE + _OUTSIDE * outside
    told = shown(value, 2)
    if spread is not None:
        told += f"; 5 to 95 %: {interval(spread, 2)}, median {shown(spread['p50'], 2)}"
    return told + _OUTSIDE * outside


def _text(value: float | None, spread: Quantiles | None, outside: bool) -> str:
    text = shown(value, 2) + (" ✕" if outside else "")
    if spread is None:
        return text
    low, high = spread["p05"], spread["p95"]
    if low > 0:
        return f"{text}<br>×÷ {shown(sqrt(high / low), 2)}"
    return f"{text}<br>± {shown((high - low) / 2, 2)}"
