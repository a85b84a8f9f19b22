"""Intervals around curves: what a document's quantiles along x, temperature or current draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from interohm.report.curve_points import with_nodes

if TYPE_CHECKING:
    from interohm.arrays import Array
    from interohm.report.display_axis import DisplayAxis
    from interohm.results.result import CurveQuantiles

    Ends = tuple[Array, Array]
    Trace = dict[str, Any]

#: Opacity of a shade in its curve's colour, and of those of parts, many of which overlap: these
#: have rims.
_SHADE, _PART_SHADE = 0.2, 0.13

#: Opacity of the lines around the whole, of which the parts' shades show through.
_WHOLE_LINES = 0.7

#: Width of the curve of the whole: that of a part that equals it is narrower and lies on it.
WHOLE_WIDTH = 5.0


@dataclass(frozen=True)
class Intervals:
    """The 5 and 95 % curves of a layer or a side, by the name of the curve that they belong to."""

    x_nm: Array
    ends: dict[str, Ends]

    def on(self, axis: DisplayAxis, name: str) -> list[tuple[Array, Array, Array]]:
        """Return places, lower and upper curve as `band_trace` takes them, none or one."""
        if name not in self.ends:
            return []
        x, (low, high) = with_nodes(self.x_nm, list(self.ends[name]), axis)
        return [(axis.place(x), low, high)]

    def within(self, reach_nm: float) -> Intervals:
        """Return what lies between x = 0 and the reach of an axis, positive or negative."""
        inside = np.abs(self.x_nm) < abs(reach_nm)
        x_nm = np.sort(np.append(self.x_nm[inside], reach_nm))

        def cut(curve: Array) -> Array:
            # positive ones span decades
            if np.all(curve > 0):
                return np.asarray(np.exp(np.interp(x_nm, self.x_nm, np.log(curve))))
            return np.asarray(np.interp(x_nm, self.x_nm, curve))

        cuts = {name: (cut(low), cut(high)) for name, (low, high) in self.ends.items()}
        return Intervals(x_nm, cuts)


def ends(quantiles: CurveQuantiles | None) -> Ends | None:
    """Return the 5 and the 95 % curve of a document; None where it has none.

    Values beyond all bounds are infinite, such as the overpotential of a current that the contact
    cannot carry.
    """
    if quantiles is None:
        return None
    low, high = (
        np.array([np.inf if value is None else value for value in curve], dtype=float)
        for curve in (quantiles["p05"], quantiles["p95"])
    )
    return low, high


def band_trace(
    pieces: Sequence[tuple[Sequence[float] | Array, Array, Array]],
    colour: str,
    name: str,
    **fields: Any,
) -> Trace:
    """Return the shade between lower and upper curves.

    Parameters
    ----------
    pieces : sequence of (x, low, high)
        One for each layer or side, with a gap between them; what is not finite is left out.
    colour : str
        Colour of the curve to which it belongs.
    name : str
        Name of that curve.
    fields
        Whatever else the trace has, as its axes.
    """
    x: list[float | None] = []
    y: list[float | None] = []
    for places, low, high in pieces:
        known = np.isfinite(low) & np.isfinite(high)
        if np.count_nonzero(known) < 2:
            continue
        inside = np.asarray(places, dtype=float)[known]
        gap: list[float | None] = [None] if x else []
        x += [*gap, *_short(inside), *_short(inside[::-1])]
        y += [*gap, *_short(low[known]), *_short(high[known][::-1])]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": f"{name}, 5 to 95 %",
        "x": x,
        "y": y,
        "fill": "toself",
        "fillcolor": colour,
        "opacity": _SHADE,
        "line": {"width": 0, "color": colour},
        "hoverinfo": "skip",
        "showlegend": False,
        **fields,
    }


#: Below and above all that a logarithmic axis shows.
_NOTHING, _EVERYTHING = 1e-300, 1e300


def log_band(x: Sequence[float], pair: Ends, colour: str, name: str, **fields: Any) -> list[Trace]:
    """Return the shade of a curve on a logarithmic axis, nothing where it is nowhere positive.

    A lower end that reaches zero or accumulation goes down to the edge, an infinite upper one up.
    """
    low, high = (np.clip(one, _NOTHING, _EVERYTHING) for one in pair)
    if np.all(high <= _NOTHING):
        return []
    return [band_trace([(x, low, high)], colour, name, **fields)]


def part_shade(colour: str) -> dict[str, Any]:
    """Return the fields of a shade that others lie across: paler, with a rim."""
    return {"opacity": _PART_SHADE, "line": {"width": 1.5, "color": colour}}


def whole_shade() -> dict[str, Any]:
    """Return the fields of the whole's interval, which lies over those of parts: two thin lines."""
    return {
        "opacity": _WHOLE_LINES,
        "fillcolor": "rgba(0,0,0,0)",
        "line": {"width": 1, "color": "var(--text)"},
    }


def _short(values: Array) -> list[float]:
    return [float(f"{value:.6g}") for value in values]
