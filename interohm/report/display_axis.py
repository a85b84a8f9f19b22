"""A readable x axis for layers of 5 nm and of 20 µm: zones of the cell, each with its own scale.

The map from position to place on the page is piecewise linear and monotonic. Contacts are
magnified, what is flat between them is compressed; ticks say the true distance in nanometres.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log10
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from interohm.arrays import Array


#: Display widths: an electrode, the zoom on one contact, a compressed inside, a layer shown whole.
ELECTRODE_WIDTH, ZOOM_WIDTH, INSIDE_WIDTH, THIN_WIDTH = 0.7, 1.0, 0.35, 1.2

#: Two labels need this much display width between them.
_LABEL_WIDTH = 0.22

#: Share of the whole display width that one character of a label takes, on paper as on a page.
_CHARACTER = 0.0085


@dataclass(frozen=True)
class Zone:
    """A piece of a layer with one scale; its ticks count from its ``anchor``, a contact."""

    length_nm: float
    width: float
    anchor: Literal["left", "right"] | None = None


@dataclass(frozen=True)
class DisplayAxis:
    """The map from x in nm to a place on the page.

    Parameters
    ----------
    nodes_nm, nodes : array
        Positions at which the scale changes, in nm and on the axis.
    edges : tuple of float
        Places of the layers' edges, one more than layers.
    tick_places, tick_labels : tuple
        Edges carry the position, ticks between them the distance from their contact.
    breaks : tuple of float
        Middles of the compressed insides.
    """

    nodes_nm: Array
    nodes: Array
    edges: tuple[float, ...]
    tick_places: tuple[float, ...]
    tick_labels: tuple[str, ...]
    breaks: tuple[float, ...]

    def place(self, x_nm: ArrayLike) -> Array:
        """Return the places of positions."""
        return np.asarray(np.interp(np.asarray(x_nm, dtype=float), self.nodes_nm, self.nodes))

    def nodes_within(self, low_nm: float, high_nm: float) -> Array:
        """Return the positions between two others where the scale changes."""
        inside = (self.nodes_nm > low_nm) & (self.nodes_nm < high_nm)
        return self.nodes_nm[inside]


def electrode(thickness_nm: float) -> list[Zone]:
    """Return the zones of a metal: flat, so one."""
    return [Zone(thickness_nm, ELECTRODE_WIDTH)]


def even_layer(thickness_nm: float, anchor: Literal["left", "right"] = "left") -> list[Zone]:
    """Return the zones of a layer that is shown whole, in one scale."""
    return [Zone(thickness_nm, THIN_WIDTH, anchor)]


def thick_layer(thickness_nm: float, left_zoom_nm: float, right_zoom_nm: float) -> list[Zone]:
    """Return the zones of a layer with a space charge at each end; whole if they nearly meet."""
    inside = thickness_nm - left_zoom_nm - right_zoom_nm
    if inside < 0.2 * thickness_nm:
        return even_layer(thickness_nm)
    return [
        Zone(left_zoom_nm, ZOOM_WIDTH, "left"),
        Zone(inside, INSIDE_WIDTH),
        Zone(right_zoom_nm, ZOOM_WIDTH, "right"),
    ]


def display_axis(
    layers: Sequence[Sequence[Zone]],
    *,
    start_nm: float = 0.0,
    silent_edges: Sequence[int] = (),
) -> DisplayAxis:
    """Put the layers' zones side by side.

    Parameters
    ----------
    layers : sequence of sequences of Zone
        From left to right.
    start_nm : float
        Position of the left edge.
    silent_edges : sequence of int
        Edges whose position is undefined, such as the back of an electrode without a thickness.
    """
    zones = [zone for layer in layers for zone in layer]
    nodes_nm = start_nm + np.concatenate([[0.0], np.cumsum([zone.length_nm for zone in zones])])
    nodes = np.concatenate([[0.0], np.cumsum([zone.width for zone in zones])])
    counts = np.cumsum([0, *(len(layer) for layer in layers)])
    edges = nodes[counts]
    # what comes first has its place
    ticks: list[tuple[float, str]] = [
        (float(edge), nanometres(float(nodes_nm[count])))
        for position, (edge, count) in enumerate(zip(edges, counts, strict=True))
        if position not in silent_edges
    ]
    breaks = []
    for position, zone in enumerate(zones):
        if zone.anchor is None:
            if zone.width == INSIDE_WIDTH:
                breaks.append(float(nodes[position] + zone.width / 2))
            continue
        ticks += _ticks_within(zone, float(nodes[position]))
    ticks = _legible(ticks, float(nodes[-1]))
    return DisplayAxis(
        nodes_nm,
        nodes,
        tuple(float(edge) for edge in edges),
        tuple(position for position, _ in ticks),
        tuple(label for _, label in ticks),
        tuple(breaks),
    )


def _ticks_within(zone: Zone, left: float) -> list[tuple[float, str]]:
    step = _round_step(zone.length_nm * _LABEL_WIDTH / zone.width)
    ticks = []
    for count in range(1, floor(zone.length_nm / step * (1 + 1e-9)) + 1):
        distance = count * step
        share = distance / zone.length_nm * zone.width
        # Of a layer shown whole, the other end has a label too.
        room = zone.width if zone.width == THIN_WIDTH else zone.width + _LABEL_WIDTH
        if not _LABEL_WIDTH <= share <= room - _LABEL_WIDTH:
            continue
        if zone.anchor == "left":
            ticks.append((left + share, f"+{nanometres(distance)}"))
        else:
            ticks.append((left + zone.width - share, f"−{nanometres(distance)}"))
    return ticks


def _legible(ticks: Sequence[tuple[float, str]], width: float) -> list[tuple[float, str]]:
    """Return the ticks from left to right, without those within whose labels run into others.

    An edge is always kept; of what lies within, whose label begins with a sign, the first is.
    """
    kept: list[tuple[float, str]] = []
    for position, label in ticks:
        free = all(
            abs(position - other) >= ((len(label) + len(beside)) / 2 + 1) * _CHARACTER * width
            for other, beside in kept
        )
        if free or not label.startswith(("+", "−")):
            kept.append((position, label))
    return sorted(kept)


def _round_step(step: float) -> float:
    """Return the next of 1, 2, 5, 10 … times a power of ten."""
    power = 10.0 ** floor(log10(step))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= step * (1 - 1e-9))


def nanometres(x_nm: float) -> str:
    """Return a length for a label: thousands apart, no trailing zeros."""
    if x_nm != 0 and abs(x_nm) >= 1e7:
        power = floor(log10(abs(x_nm)))
        return f"{x_nm / 10**power:.3g}e{power}"
    digits = 0 if abs(x_nm) >= 1000 else 3
    text = f"{round(x_nm, digits):,.{digits}f}".replace(",", "\N{THIN SPACE}")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.replace("-", "−")
