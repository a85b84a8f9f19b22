"""The report of a measured potential map, and its figure for print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from interohm.report.curve_points import needed_points
from interohm.report.curves import SERIES
from interohm.report.figures import check_figure, write_figure
from interohm.report.page import figure, findings, keys, lead, page, section
from interohm.report.palette import colours
from interohm.report.tables import Markup, shown, table
from interohm.results.kpfm import KpfmResult
from interohm.results.percents import percent
from interohm.yaml_io import write_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure as PrintedFigure

    Figure = dict[str, Any]

#: A zoom on a contact shows this much of the cell, at least so many resolutions.
_SHARE, _RESOLUTIONS = 0.04, 4.0

_CONVOLVED, _UPDATED = "model, convolved with the tip", "the same, updated"

_PROBE_LINES = {
    _CONVOLVED: {"color": SERIES[0], "width": 2},
    _UPDATED: {"color": SERIES[2], "width": 2, "dash": "dash"},
}

#: The models may be drawn this far from where they are.
_DRAWING_ERROR_V = 1e-4

_INFERRED_NOTE = (
    "Inferred, not measured: a map has two unknowns at each position. Each curve is one of them, "
    "if the model is right about the other."
)
_LEARNED_NOTE = (
    "Numbers of records before and after the map, with one standard deviation; for an electrode, "
    "the mean over its curve, which moves as a whole. The offset of the map is free, so the map "
    "determines only differences. Points closer together than the resolution count once, and the "
    "misfit of the model counts as noise."
)


def write_kpfm_report(
    path: str | Path,
    document: KpfmResult | Mapping[str, Any],
    *,
    remarks: Sequence[str] = (),
) -> None:
    """Write the report of a measured map.

    Parameters
    ----------
    path : str or Path
        The HTML file; written whole or not at all.
    document : KpfmResult or mapping
        Its results (`interohm.prediction.map_fit.fit_map`).
    remarks : sequence of str
        Further remarks for the reader.

    Raises
    ------
    InputError
        The file cannot be written.
    """
    result = KpfmResult.read(document)
    state = next(one for one in result.states if one.state_of_charge == result.state_of_charge)
    figures: dict[str, Figure] = {"map": _map_figure(result, None)}
    body = [
        lead(
            f"{Path(result.map).name} on {result.cell} ({' | '.join(result.layers)}), state of "
            f"charge {shown(result.state_of_charge)}: {result.points} points."
        ),
        findings([*remarks, *result.doubts, *_findings(result)]),
        keys(
            [
                ("Misfit", f"{shown(state.rms_V, 2)} V", "root mean square"),
                (
                    "Shift",
                    f"{shown(state.shift_nm, 3)} nm",
                    f"within ±{shown(result.largest_shift_nm, 3)} nm",
                ),
                ("Offset", f"{shown(state.offset_V, 4)} V", "within ±10 V"),
            ]
        ),
        section(
            "Map and model",
            figure("map", "Measured potential map and the model's"),
            note=f"The model as a tip of {shown(result.resolution_nm)} nm shows it, and without a "
            "tip (dotted); both with the records as they are, before any update. "
            f"{_updated_note(result)}{_columns_note(result)}",
        ),
    ]
    zooms = []
    for index, contact in enumerate(result.contacts_nm):
        figures[f"zoom-{index}"] = _map_figure(result, contact)
        pair = " | ".join(result.layers[index : index + 2])
        zooms += [
            Markup(f"<h3>{escape(pair)}</h3>"),
            figure(f"zoom-{index}", f"The map at {pair}"),
        ]
    body.append(section("At each contact", *zooms))
    figures["inferred"] = _inferred_figure(result)
    body.append(
        section(
            "Work function and Fermi level (inferred)",
            figure("inferred", "Inferred work function and Fermi level"),
            note=_INFERRED_NOTE,
        )
    )
    if result.learned:
        rows = [
            (
                one.material,
                one.field,
                f"{shown(one.value)} ± {shown(one.uncertainty, 2)}",
                f"{shown(one.updated_value)} ± {shown(one.updated_uncertainty, 2)}",
                percent(one.learned),
            )
            for one in result.learned
        ]
        heads = ("record", "number", "before", "after", "learned")
        body.append(
            section("Learned from the map", table(heads, rows, numeric=(4,)), note=_LEARNED_NOTE)
        )
    fits = table(
        ("state of charge", "misfit (V)", "shift (nm)", "offset (V)"),
        [
            (
                shown(one.state_of_charge),
                shown(one.rms_V, 3),
                shown(one.shift_nm, 3),
                shown(one.offset_V, 4),
            )
            for one in result.states
        ],
        numeric=(0, 1, 2, 3),
    )
    body.append(section("States of charge", fits))
    write_text(path, page(f"Potential map of {result.cell}", body, figures, [0.0]))


def _updated_note(result: KpfmResult) -> str:
    if result.updated_cpd_V is None:
        return ""
    return (
        "Dashed: as the tip shows the model with the numbers that are learned from the map, at "
        "the bottom of this page; its offset is its own. "
    )


def _columns_note(result: KpfmResult) -> str:
    return f"Columns of the file: {'; '.join(result.columns)}." if result.columns else ""


def _findings(result: KpfmResult) -> list[str]:
    lines = []
    state = next(one for one in result.states if one.state_of_charge == result.state_of_charge)
    if state.shift_at_bound:
        lines.append(
            f"the shift is at its bound of {shown(result.largest_shift_nm, 3)} nm: the cell's "
            "thicknesses may differ from the map's"
        )
    if result.left_out:
        lines.append(f"{result.left_out} points lie beyond the cell and are left out")
    if result.gaps:
        lines.append(
            f"lines of the file that are left out, since a number is missing: {result.gaps}"
        )
    lines += [f"the map determines only combinations of {group}" for group in result.together]
    return lines


def _window_nm(result: KpfmResult, contact_nm: float | None) -> tuple[float, float]:
    places = [*result.x_nm, *result.profile_x_nm]
    low, high = min(places), max(places)
    if contact_nm is None:
        margin = 0.02 * (high - low)
        return low - margin, high + margin
    half = max(_SHARE * (high - low), _RESOLUTIONS * result.resolution_nm)
    return contact_nm - half, contact_nm + half


def _range_V(result: KpfmResult, window: tuple[float, float]) -> list[float]:
    """Return the range of all that lies in a window, with a margin."""
    curves = [
        (result.x_nm, result.measured_cpd_V),
        (result.profile_x_nm, result.profile_cpd_V),
        *((x, cpd) for _, x, cpd in _probe_curves(result)),
    ]
    seen = [
        cpd
        for places, values in curves
        for x, cpd in zip(places, values, strict=True)
        if window[0] <= x <= window[1]
    ]
    low, high = (min(seen), max(seen)) if seen else (0.0, 1.0)
    margin = 0.08 * (high - low) + 0.01
    return [low - margin, high + margin]


def _probe_curves(result: KpfmResult) -> list[tuple[str, Sequence[float], Sequence[float]]]:
    """Return name, positions and values of the models as the probe shows them.

    That of the updated numbers comes last. Points that straight lines do not need are left out.
    """
    curves = {_CONVOLVED: result.probe_cpd_V}
    if result.updated_cpd_V is not None:
        curves[_UPDATED] = result.updated_cpd_V
    places = np.array(result.probe_x_nm)
    kept = needed_points(places, np.array(list(curves.values())), _DRAWING_ERROR_V)
    return [
        (name, places[kept].tolist(), np.array(values)[kept].tolist())
        for name, values in curves.items()
    ]


def _contact_lines(result: KpfmResult) -> list[Figure]:
    return [
        {
            "type": "line",
            "xref": "x",
            "yref": "paper",
            "x0": x,
            "x1": x,
            "y0": 0,
            "y1": 1,
            "line": {"color": "var(--rule)", "width": 1, "dash": "dot"},
        }
        for x in result.contacts_nm
    ]


def _axes(result: KpfmResult, window: tuple[float, float], title: str, height: int) -> Figure:
    return {
        "xaxis": {
            "title": {"text": "x (nm)", "standoff": 8},
            "range": list(window),
            "gridcolor": "var(--grid)",
            "zeroline": False,
        },
        "yaxis": {"title": {"text": title}, "gridcolor": "var(--grid)", "zeroline": False},
        "shapes": _contact_lines(result),
        "height": height,
        "margin": {"l": 70, "r": 20, "t": 10, "b": 50},
        # below the title of the axis, whatever the height
        "legend": {"orientation": "h", "x": 0, "y": -75 / (height - 60), "yanchor": "top"},
    }


def _map_figure(result: KpfmResult, contact_nm: float | None) -> Figure:
    window = _window_nm(result, contact_nm)
    error = (
        {}
        if result.uncertainty_V is None
        else {"error_y": {"type": "data", "array": result.uncertainty_V, "thickness": 1}}
    )
    traces = [
        {
            "type": "scatter",
            "mode": "markers",
            "name": "measured",
            "x": result.x_nm,
            "y": result.measured_cpd_V,
            "marker": {"color": SERIES[1], "size": 5},
            "hovertemplate": "%{x:.4g} nm: %{y:.3f} V",
            **error,
        },
        {
            "type": "scatter",
            "mode": "lines",
            "name": "model",
            "x": result.profile_x_nm,
            "y": result.profile_cpd_V,
            "line": {"color": SERIES[5], "width": 1, "dash": "dot"},
            "hoverinfo": "skip",
        },
        *(
            {
                "type": "scatter",
                "mode": "lines",
                "name": name,
                "x": x,
                "y": cpd,
                "line": _PROBE_LINES[name],
                "hovertemplate": "%{x:.4g} nm: %{y:.3f} V",
            }
            for name, x, cpd in _probe_curves(result)
        ),
    ]
    layout = _axes(result, window, "CPD (V)", 440 if contact_nm is None else 300)
    if contact_nm is not None:
        layout["yaxis"]["range"] = _range_V(result, window)
        # the curves are those of the figure above
        layout["showlegend"] = False
    else:
        edges = [window[0], *result.contacts_nm, window[1]]
        layout["annotations"] = [
            {
                "x": (left + right) / 2,
                "y": 1.0,
                "yref": "paper",
                "yanchor": "bottom",
                "text": escape(name),
                "showarrow": False,
            }
            for name, left, right in zip(result.layers, edges, edges[1:], strict=False)
        ]
        layout["margin"]["t"] = 30
    return {"layout": layout, "always": traces, "frames": [[]]}


def _inferred_figure(result: KpfmResult) -> Figure:
    traces = [
        {
            "type": "scatter",
            "mode": "markers",
            "name": name,
            "x": result.x_nm,
            "y": values,
            "marker": {"color": SERIES[colour], "size": 5},
            "hovertemplate": "%{x:.4g} nm: %{y:.3f} eV",
        }
        for name, values, colour in (
            ("work function (inferred)", result.inferred_work_function_eV, 0),
            ("Fermi level (inferred)", result.inferred_fermi_level_eV, 1),
        )
    ]
    window = _window_nm(result, None)
    return {"layout": _axes(result, window, "eV", 360), "always": traces, "frames": [[]]}


def write_kpfm_figure(path: str | Path, document: KpfmResult | Mapping[str, Any]) -> None:
    """Draw map and model for print.

    Raises
    ------
    InputError
        Another ending than .pdf, .png or .svg, or the file cannot be written.
    """
    result = KpfmResult.read(document)
    check_figure(path)
    named = colours()

    def draw(figure: PrintedFigure) -> None:
        panel = figure.subplots()
        panel.plot(result.profile_x_nm, result.profile_cpd_V, ":", color=named["series-6"], lw=0.8)
        panel.errorbar(
            result.x_nm,
            result.measured_cpd_V,
            yerr=result.uncertainty_V,
            fmt=".",
            color=named["series-2"],
            ms=3,
            lw=0.6,
            label="measured",
        )
        styles = {_CONVOLVED: ("series-1", "-"), _UPDATED: ("series-3", "--")}
        for name, x, cpd in _probe_curves(result):
            colour, dash = styles[name]
            panel.plot(x, cpd, dash, color=named[colour], lw=1.2, label=name)
        for contact_nm in result.contacts_nm:
            panel.axvline(contact_nm, color=named["rule"], lw=0.6)
        panel.set_xlim(*_window_nm(result, None))
        panel.set_xlabel("x (nm)")
        panel.set_ylabel("CPD (V)")
        panel.legend(frameon=False)

    write_figure(path, 1.0, draw)
