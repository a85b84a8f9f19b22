"""Figures of the explorer: those of the reports in their colours, the heat map, a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import ceil, floor, log10
from typing import TYPE_CHECKING, Any

from interohm.database.columns import name_and_unit
from interohm.report.heat_map import coloured_and_grey
from interohm.report.palette import Theme
from interohm.report.plots import drawn, nothing
from interohm.report.validation_page import COMPARED, VERDICT_COLOURS

if TYPE_CHECKING:
    from interohm.database.rows import Row
    from interohm.report.budget import Part

    Figure = dict[str, Any]

#: What the heat map can show of contacts; resistances and leakage on a logarithmic scale.
QUANTITIES = (
    "resistance_ohm_cm2",
    "charge_transfer_ohm_cm2",
    "potential_drop_V",
    "sheet_charge_e_nm2",
    "capacitance_uF_cm2",
    "electron_barrier_eV",
    "hole_barrier_eV",
    "leakage_A_cm2",
)

_LOGARITHMIC = frozenset({"resistance_ohm_cm2", "charge_transfer_ohm_cm2", "leakage_A_cm2"})

_STEPS_OF = {
    "layer": "layers",
    "depletion": "depletion",
    "accumulation": "accumulation",
    "charge transfer": "charge transfer",
    "total": "total",
}
_STEPS = tuple(_STEPS_OF.values())

#: Numbers stand in the map's cells up to so many rows or columns.
_MOST_WITH_TEXT = 16


def heat_map(
    rows: Sequence[Row], keys: Sequence[str], quantity: str, theme: Theme = "light"
) -> Figure:
    """Return the map of contacts: left phases down, right ones across.

    Contacts outside of the model, whose phases react, and those without a value have no colour of
    the scale: they are not the best, however low a resistance looks.

    Parameters
    ----------
    rows : sequence of dict
        Contacts under the same conditions.
    keys : sequence of str
        Values that a click on each point returns.
    quantity : str
        One of `QUANTITIES`.
    theme : {"light", "dark"}
        Theme of the page.
    """
    lefts = sorted({row["left"] for row in rows})
    rights = sorted({row["right"] for row in rows})
    by_pair = {(row["left"], row["right"]): index for index, row in enumerate(rows)}
    logarithmic = quantity in _LOGARITHMIC
    name, unit = name_and_unit(quantity)
    values: list[list[float | None]] = []
    grey: list[list[bool]] = []
    texts, clicks, hovers = [], [], []
    for left in lefts:
        places = [by_pair.get((left, right)) for right in rights]
        given = [None if index is None else rows[index][quantity] for index in places]
        outside = [index is not None and _is_outside(rows[index]) for index in places]
        scaled = [
            None if out else _scaled(value, logarithmic=logarithmic)
            for value, out in zip(given, outside, strict=True)
        ]
        values.append(scaled)
        grey.append(
            [
                index is not None and value is None
                for index, value in zip(places, scaled, strict=True)
            ]
        )
        texts.append(
            [
                ("–" if value is None else f"{value:.3g}") + " ✕" * out
                for value, out in zip(given, outside, strict=True)
            ]
        )
        clicks.append(["" if index is None else keys[index] for index in places])
        hovers.append(
            [
                f"{escape(left)} | {escape(right)}<br>{_said(row_index, rows, value, unit)}"
                for right, row_index, value in zip(rights, places, given, strict=True)
            ]
        )
    title = f"log10 {name} ({unit})" if logarithmic else f"{name} ({unit})"
    common = {
        "x": [escape(right, quote=False) for right in rights],
        "y": [escape(left, quote=False) for left in lefts],
        "texttemplate": "%{text}" if len(rights) <= _MOST_WITH_TEXT else "",
        "customdata": clicks,
        "hovertext": hovers,
        "hovertemplate": "%{hovertext}<extra></extra>",
    }
    scale = {
        "name": "within the model",
        "colorbar": {"title": {"text": title, "side": "right"}},
    }
    figure = {
        "frames": [[]],
        "always": coloured_and_grey(common, scale, values, grey, texts),
        "layout": {
            "xaxis": {
                "title": {"text": "right phase", "standoff": 12},
                "type": "category",
                "automargin": True,
                "showgrid": False,
            },
            "yaxis": {
                "title": {"text": "left phase", "standoff": 12},
                "type": "category",
                "autorange": "reversed",
                "automargin": True,
                "showgrid": False,
            },
            "margin": {"l": 70, "r": 10, "t": 30, "b": 60},
            "height": max(300, 120 + 34 * len(lefts)),
        },
    }
    return drawn(figure, theme=theme)


def _scaled(value: float | None, *, logarithmic: bool) -> float | None:
    if value is None or not logarithmic:
        return value
    return log10(value) if value > 0 else None


def _said(index: int | None, rows: Sequence[Row], value: float | None, unit: str | None) -> str:
    if index is None:
        return "not in the database"
    if value is None:
        return escape(rows[index].get("reason") or "unknown")
    negative = ", negative: no logarithm" if value < 0 else ""
    outside = "<br>outside of this model: the phases react or decompose"
    marked = outside * _is_outside(rows[index])
    return f"{value:.4g} {unit or ''}{negative}{marked}"


def _is_outside(row: Row) -> bool:
    """Return whether a contact is outside of the model, of a row of the database or the table."""
    return row.get("outside_of_model") in (True, "yes")


def comparison(
    names: Sequence[str], budgets: Sequence[Sequence[Part]], theme: Theme = "light"
) -> Figure:
    """Return several resistances side by side, their parts summed by what they are.

    Parameters
    ----------
    names : sequence of str
        One for each.
    budgets : sequence of sequences of Part
        Parts of each budget; unknown parts count as zero.
    theme : {"light", "dark"}
        Theme of the page.
    """
    sums = [_by_step(budget) for budget in budgets]
    labels = [step for step in _STEPS if any(step in each for each in sums)]
    traces: list[Figure] = []
    for number, (name, known) in enumerate(zip(names, sums, strict=True)):
        shown = [label for label in labels if label in known]
        traces.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": escape(name, quote=False),
                "y": shown,
                "x": [abs(known[label]) for label in shown],
                "customdata": [f"{known[label]:.3g}" for label in shown],
                "hovertemplate": "%{y}: %{customdata} Ω·cm²<extra>%{fullData.name}</extra>",
                "marker": {
                    "color": f"var(--series-{1 + number % 6})",
                    "pattern": {"shape": ["/" if known[label] < 0 else "" for label in shown]},
                },
            }
        )
    values = [value for trace in traces for value in trace["x"]]
    if not values:
        return nothing("no part of the resistance is known", theme)
    layout = {
        "barmode": "group",
        "xaxis": {
            "type": "log",
            "range": [floor(log10(min(values)) - 0.3), ceil(log10(max(values)) + 0.3)],
            "title": {"text": "resistance (Ω·cm²)"},
            "exponentformat": "power",
            "gridcolor": "var(--grid)",
        },
        "yaxis": {
            "autorange": "reversed",
            "categoryorder": "array",
            "categoryarray": labels,
            "automargin": True,
        },
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom"},
        "margin": {"l": 20, "r": 20, "t": 60, "b": 60},
        "height": 190 + len(labels) * (18 + 16 * len(names)),
    }
    return drawn({"layout": layout, "frames": [traces]}, theme=theme)


def _by_step(budget: Sequence[Part]) -> dict[str, float]:
    """Return the sum of the known parts of each kind, leaving out what is nothing."""
    sums: dict[str, float] = {}
    for part in budget:
        if part.value_ohm_cm2:
            label = _STEPS_OF[part.step]
            sums[label] = sums.get(label, 0.0) + part.value_ohm_cm2
    return {label: value for label, value in sums.items() if value}


def measured_beside_predicted(rows: Sequence[Row], theme: Theme = "light") -> Figure:
    """Return the predicted intervals of interface resistances, and their measured values.

    Parameters
    ----------
    rows : sequence of dict
        Rows of measured values; those of interface resistances with a prediction are drawn.
    theme : {"light", "dark"}
        Theme of the page.
    """
    shown = [
        row
        for row in rows
        if row["quantity"] == "interface_resistance_ohm_cm2"
        and None not in (row["measured"], row["p05"], row["p50"], row["p95"])
    ]
    if not shown:
        return nothing("no measured resistance with a prediction is in the table", theme)
    labels: list[str] = []
    for row in shown:
        name = escape(row["experiment"], quote=False)
        count = sum(label.startswith(name) for label in labels)
        labels.append(f"{name} ({count + 1})" if count else name)
    traces: list[Figure] = []
    for verdict, colour in VERDICT_COLOURS.items():
        places = [index for index, row in enumerate(shown) if row["verdict"] == verdict]
        if not places:
            continue
        chosen = [shown[index] for index in places]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": f"predicted, {verdict}",
                "y": [labels[index] for index in places],
                "x": [row["p50"] for row in chosen],
                "error_x": {
                    "type": "data",
                    "symmetric": False,
                    "array": [row["p95"] - row["p50"] for row in chosen],
                    "arrayminus": [row["p50"] - row["p05"] for row in chosen],
                    "color": f"var(--{colour})",
                    "thickness": 5,
                    "width": 0,
                },
                "marker": {
                    "symbol": "line-ns",
                    "size": 12,
                    "line": {"width": 3, "color": f"var(--{colour})"},
                },
                "customdata": [[row["p05"], row["p95"]] for row in chosen],
                "hovertemplate": "%{y}: median %{x:.3g}, 5 to 95 %: %{customdata[0]:.3g} to "
                "%{customdata[1]:.3g} Ω·cm²<extra></extra>",
            }
        )
    for name, symbol, bounds in (
        ("measured", "circle", False),
        ("measured, an upper limit", "triangle-left", True),
    ):
        places = [
            index
            for index, row in enumerate(shown)
            if (row["comparison"] != COMPARED["two_sided"]) == bounds
        ]
        if places:
            traces.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "name": name,
                    "y": [labels[index] for index in places],
                    "x": [shown[index]["measured"] for index in places],
                    "marker": {"symbol": symbol, "size": 10, "color": "var(--text)"},
                    "hovertemplate": "%{y}: measured %{x:.3g} Ω·cm²<extra></extra>",
                }
            )
    ends = [value for row in shown for value in (row["p05"], row["p95"], row["measured"])]
    layout = {
        "xaxis": {
            "type": "log",
            "range": [floor(log10(min(ends))), ceil(log10(max(ends)))],
            "title": {"text": "interface resistance (Ω·cm²)"},
            "exponentformat": "power",
            "gridcolor": "var(--grid)",
        },
        "yaxis": {
            "type": "category",
            "autorange": "reversed",
            "categoryorder": "array",
            "categoryarray": labels,
            "automargin": True,
            "showgrid": False,
        },
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom"},
        "margin": {"l": 20, "r": 20, "t": 60, "b": 60},
        "height": 180 + 26 * len(shown),
    }
    return drawn({"layout": layout, "frames": [traces]}, theme=theme)
