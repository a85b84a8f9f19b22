"""Parts of potential drops and resistances, as lists and as figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, inf, log10
from typing import TYPE_CHECKING, Any

from interohm.report.display_axis import nanometres

if TYPE_CHECKING:
    from interohm.results.cell import CellState
    from interohm.results.contact import ContactState
    from interohm.results.result import Quantiles

    Figure = dict[str, Any]
    Trace = dict[str, Any]

#: Of bars, on which the line of an interval must be seen, and they on the page.
_OPACITY = 0.75
_COLOURS = {
    "depletion": "var(--space-charge)",
    "accumulation": "var(--space-charge)",
    "charge transfer": "var(--charge-transfer)",
    "layer": "var(--layer)",
    "total": "var(--total)",
}


@dataclass(frozen=True)
class Part:
    """One resistance of a cell or contact; its interval is that of 5 to 95 % of the samples."""

    label: str
    step: str
    value_ohm_cm2: float | None
    interval_ohm_cm2: Quantiles | None


def contact_parts(contact: ContactState, names: tuple[str, str], *, prefix: str = "") -> list[Part]:
    """Return the parts of one contact of these two phases, from left to right."""
    resistance = contact.resistance
    intervals = contact.spreads().resistance_ohm_cm2
    rows = [
        ("depletion_left_ohm_cm2", "depletion", f"depletion in {names[0]}"),
        ("charge_transfer_ohm_cm2", "charge transfer", "charge transfer"),
        ("depletion_right_ohm_cm2", "depletion", f"depletion in {names[1]}"),
        ("layer_ohm_cm2", "layer", "layer"),
    ]
    metals = {
        f"depletion_{side}_ohm_cm2"
        for side, length in contact.debye_length_nm.items()
        if length is None
    }
    return [
        Part(prefix + label, step, getattr(resistance, field), intervals.get(field))
        for field, step, label in rows
        if field not in metals
    ]


def cell_parts(state: CellState) -> list[Part]:
    """Return the parts of a cell from its negative to its positive electrode, then the sum.

    Accumulation at the contacts is one part: it reduces the sum, not any one interface.
    """
    parts = []
    last = len(state.layers) - 1
    for index, layer in enumerate(state.layers):
        if 0 < index < last:
            intervals = layer.spreads()
            parts.append(
                Part(
                    f"{layer.material}, {nanometres(layer.thickness_nm)} nm",
                    "layer",
                    layer.resistance_ohm_cm2,
                    intervals.resistance_ohm_cm2,
                )
            )
        if index < last:
            contact = state.contacts[index]
            names = (contact.left, contact.right)
            parts += contact_parts(contact, names, prefix=f"{contact.name}: ")
    parts.append(
        Part("accumulation at all contacts", "accumulation", state.accumulation_ohm_cm2, None)
    )
    interval = state.spreads().area_specific_resistance_ohm_cm2
    total = state.area_specific_resistance_ohm_cm2
    return [*parts, Part("cell (ASR)", "total", total, interval)]


def interface_part(contact: ContactState) -> Part:
    """Return the interface resistance of one contact."""
    field = "interface_resistance_ohm_cm2"
    # documents of earlier versions have none
    value = contact.resistance.interface_resistance_ohm_cm2
    intervals = contact.spreads().resistance_ohm_cm2
    return Part("interface", "total", value, None if value is None else intervals.get(field))


def known_rows(budgets: Sequence[Sequence[Part]]) -> list[int]:
    """Return the indices of the parts that have a resistance at any state of charge."""
    return [
        row
        for row in range(len(budgets[0]))
        if any(_has_resistance(budget[row]) for budget in budgets)
    ]


def _has_resistance(part: Part) -> bool:
    """Return whether a part is above zero, by its value or in one of twenty samples."""
    spread = part.interval_ohm_cm2
    return bool(part.value_ohm_cm2) or (
        part.value_ohm_cm2 is not None and spread is not None and spread["p95"] > 0.0
    )


def bars_of(labels: Sequence[str]) -> Figure:
    """Return what figures of horizontal bars have in common: names from top to bottom, a legend."""
    return {
        "yaxis": {
            "autorange": "reversed",
            "type": "category",
            "categoryorder": "array",
            "categoryarray": list(labels),
            "automargin": True,
            "ticklabelstandoff": 6,
        },
        "margin": {"l": 20, "r": 36, "t": 10, "b": 90},
        "legend": {"orientation": "h", "x": 0, "xref": "container", "y": 0, "yref": "container"},
    }


def budget_figure(budgets: Sequence[Sequence[Part]]) -> Figure | None:
    """Return bars of the parts' magnitudes, one frame per state; None if there is no resistance."""
    rows = known_rows(budgets)
    parts = [part for budget in budgets for part in budget]
    magnitudes = [abs(part.value_ohm_cm2) for part in parts if part.value_ohm_cm2]
    magnitudes += [value for part in parts for value in _values(part.interval_ohm_cm2) if value > 0]
    if not magnitudes:
        return None
    low, high = floor(log10(min(magnitudes)) - 0.3), ceil(log10(max(magnitudes)) + 0.3)
    labels = [escape(budgets[0][row].label, quote=False) for row in rows]
    layout: Figure = {
        "xaxis": {
            "type": "log",
            "range": [low, high],
            "title": {"text": "resistance (Ω·cm²)", "standoff": 10},
            "automargin": True,
            "gridcolor": "var(--grid)",
            "exponentformat": "power",
            "dtick": max(1, ceil((high - low) / 9)),
        },
        **bars_of(labels),
        "barmode": "overlay",
        "bargap": 0.35,
        "height": 150 + 34 * len(rows),
    }
    frames = [
        _budget_traces([budget[row] for row in rows], labels, 10.0**low) for budget in budgets
    ]
    return {"layout": layout, "frames": frames}


def _values(interval: Quantiles | None) -> list[float]:
    return [] if interval is None else [interval["p05"], interval["p50"], interval["p95"]]


def _budget_traces(parts: Sequence[Part], labels: Sequence[str], least: float) -> list[Trace]:
    known = [
        (part, label)
        for part, label in zip(parts, labels, strict=True)
        if part.value_ohm_cm2 is not None
    ]
    traces: list[Trace] = []
    for negative in (False, True):
        chosen = [
            (part, label, part.value_ohm_cm2)
            for part, label in known
            if part.value_ohm_cm2 is not None and (part.value_ohm_cm2 < 0) == negative
        ]
        bars: Trace = {
            "type": "bar",
            "orientation": "h",
            "name": "accumulation (negative, its magnitude)" if negative else "value",
            "y": [label for _, label, _ in chosen],
            "x": [abs(value) for _, _, value in chosen],
            "customdata": [f"{value:.3g}" for _, _, value in chosen],
            "marker": {
                "color": [_COLOURS[part.step] for part, _, _ in chosen],
                "pattern": {"shape": "/" if negative else ""},
                "opacity": _OPACITY,
            },
            "showlegend": negative and bool(chosen),
            "hovertemplate": "%{y}: %{customdata} Ω·cm²<extra></extra>",
        }
        traces.append(bars)
    intervals = [
        (part.interval_ohm_cm2, label) for part, label in known if part.interval_ohm_cm2 is not None
    ]
    return [*traces, *interval_traces(intervals, "Ω·cm²", least=least)]


def interval_traces(
    known: Sequence[tuple[Quantiles, str]], unit: str, *, least: float = -inf
) -> list[Trace]:
    """Return horizontal lines from 5 to 95 % and points at 50 %, one row for each label.

    Parameters
    ----------
    known : sequence of (dict, str)
        Quantiles and the label of their row.
    unit : str
        Unit of the quantiles.
    least : float
        End of the axis: lines end there, and points below are left out.
    """
    shown = [(interval, label) for interval, label in known if interval["p95"] > least]
    x: list[float | None] = []
    y: list[str | None] = []
    for interval, label in shown:
        x += [max(interval["p05"], least), interval["p95"], None]
        y += [label, label, None]
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "name": "5 to 95 %",
            "x": x,
            "y": y,
            "line": {"color": "var(--text)", "width": 2.5},
            "hoverinfo": "skip",
        },
        {
            "type": "scatter",
            "mode": "markers",
            "name": "median of the samples",
            "x": [i["p50"] if i["p50"] > least else None for i, _ in shown],
            "y": [label for _, label in shown],
            "customdata": [f"{i['p05']:.3g} … {i['p95']:.3g}" for i, _ in shown],
            "marker": {
                "color": "var(--page)",
                "size": 8,
                "line": {"color": "var(--text)", "width": 2},
            },
            "hovertemplate": f"median %{{x:.3g}} {unit}, 5 to 95 %: %{{customdata}} {unit}"
            "<extra></extra>",
        },
    ]


def drops_figure(states: Sequence[CellState]) -> Figure:
    """Return the potential drop of each contact, one frame per state."""
    labels = [escape(contact.name, quote=False) for contact in states[0].contacts]
    frames, values = [], [0.0]
    for state in states:
        drops = [contact.potential_drop_V or 0.0 for contact in state.contacts]
        spread = [
            (contact.spreads().potential_drop_V, label)
            for contact, label in zip(state.contacts, labels, strict=True)
        ]
        intervals = [(interval, label) for interval, label in spread if interval is not None]
        values += drops + [value for interval, _ in intervals for value in _values(interval)]
        bars: Trace = {
            "type": "bar",
            "orientation": "h",
            "name": "value",
            "y": labels,
            "x": drops,
            "marker": {"color": "var(--drop)", "opacity": _OPACITY},
            "showlegend": False,
            "hovertemplate": "%{y}: %{x:.3f} V<extra></extra>",
        }
        frames.append([bars, *interval_traces(intervals, "V")])
    margin = 0.06 * (max(values) - min(values) or 1.0)
    layout: Figure = {
        "xaxis": {
            "title": {"text": "potential drop (V)", "standoff": 10},
            "automargin": True,
            "range": [min(values) - margin, max(values) + margin],
            "gridcolor": "var(--grid)",
            "zerolinecolor": "var(--text)",
        },
        **bars_of(labels),
        "barmode": "overlay",
        "bargap": 0.35,
        "height": 150 + 40 * len(labels),
    }
    return {"layout": layout, "frames": frames}
