"""The report of measured spectra: Nyquist, Kramers–Kronig residuals, relaxation times, the fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from math import pi
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from interohm.measured_spectra import DESCENDING, NOT_IN_ORDER
from interohm.records import Insulator, Metal
from interohm.records.cell_config import Cell
from interohm.report.curves import SERIES, decades
from interohm.report.findings import material_findings
from interohm.report.impedance import smooth
from interohm.report.inputs import cell_inputs
from interohm.report.page import figure, findings, lead, page, section
from interohm.report.sections import inputs_section, material_tables
from interohm.report.tables import Markup, shown, table
from interohm.results.impedance import SOLID_DIFFUSION
from interohm.results.measured_impedance import (
    ImpedanceFit,
    MeasuredImpedanceResult,
    MeasuredPoints,
    RelaxationDistribution,
)
from interohm.yaml_io import write_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Figure = dict[str, Any]
    Trace = dict[str, Any]


#: A peak within this factor of the shortest or longest time of the data is not resolved.
_AT_END = 2.0

#: Times longer than the longest of the other processes by this factor are those of diffusion.
_BEYOND = 10.0

#: What readers tell that is no reason for caution.
_HARMLESS = (DESCENDING, NOT_IN_ORDER)

_NYQUIST_NOTE = "Circles are measured points, crosses are points left out. "
_NYQUIST_MODEL = {
    False: "The dashed line is the prediction of the records. ",
    True: "The dashed line is the prediction of the records, the solid line that after the fit. ",
}
_BODE_NOTE = {
    False: "Symbols are measured points, lines the prediction of the records. ",
    True: "Symbols are measured points, lines the model after the fit. ",
}
_RESIDUAL_NOTE = (
    "Residuals of a fit with RC elements in series, relative to |Z|. Scatter around zero is noise. "
    "A systematic deviation means that the sample was not linear, or changed during the "
    "measurement. "
)
_DRT_NOTE = (
    "Resistance per unit of ln τ. The band contains 90 % of the distributions that the data and "
    "the prior allow. Dotted lines: time constants of the model's processes. A peak that is not "
    "resolved has no separate resistance: the data end there, or it belongs to the tail of "
    "diffusion. "
)


def write_measured_report(
    path: str | Path,
    cell: Cell,
    materials: Sequence[Insulator | Metal],
    document: MeasuredImpedanceResult | Mapping[str, Any],
    *,
    remarks: Sequence[str] = (),
) -> None:
    """Write the report of measured spectra of a cell.

    Parameters
    ----------
    path : str or Path
        The HTML file; written whole or not at all.
    cell : Cell
        The description.
    materials : sequence of Insulator or Metal
        The record of each layer.
    document : MeasuredImpedanceResult or mapping
        The spectra (`interohm.prediction.measured_impedance`).
    remarks : sequence of str
        Further remarks for the reader.

    Raises
    ------
    InputError
        The file cannot be written.
    """
    result = MeasuredImpedanceResult.read(document)
    figures: dict[str, Figure] = {}
    sections: list[Markup] = []
    for place, spectrum in enumerate(result.spectra):
        drawn = {
            f"nyquist{place}": measured_nyquist_figure(spectrum),
            f"bode{place}": measured_bode_figure(spectrum),
            f"residuals{place}": _residuals(spectrum),
            f"drt{place}": _relaxation_times(spectrum),
        }
        figures |= drawn
        nyquist, bode, residuals, times = drawn
        where = (
            f"{Path(spectrum.source).name}, {shown(spectrum.temperature_K)} K, state of charge "
            f"{shown(spectrum.state_of_charge)}"
        )
        sections += [
            section(
                where, figure(nyquist, f"Nyquist plot of {where}"), note=_nyquist_note(spectrum)
            ),
            section(
                "Bode plot",
                figure(bode, f"Bode plot of {where}"),
                note=_BODE_NOTE[spectrum.fitted_real_ohm_cm2 is not None],
            ),
            section(
                "Kramers–Kronig test",
                Markup(f"<p>{escape(spectrum.verdict)}.</p>"),
                figure(residuals, f"Kramers–Kronig residuals of {where}"),
                note=_RESIDUAL_NOTE,
            ),
            section(
                "Relaxation times",
                figure(times, f"Distribution of relaxation times of {where}"),
                _peaks_table(spectrum),
                note=_DRT_NOTE,
            ),
        ]
    layers = " | ".join(material.name for material in materials)
    told = [
        *result.remarks,
        *(
            f"{one.source}: {text}"
            for one in result.spectra
            for text in one.remarks
            if text not in _HARMLESS
        ),
        *remarks,
        *material_findings(materials),
    ]
    body = [
        lead(f"Measured impedance of {layers}."),
        findings(told),
        *([] if result.fit is None else [section("Learned from the spectra", *_fit(result.fit))]),
        *sections,
        inputs_section([cell_inputs(cell, materials), *material_tables(materials)]),
    ]
    write_text(path, page(f"{result.cell}: measured impedance", body, figures, [0.0]))


def _nyquist_note(spectrum: MeasuredPoints) -> str:
    harmless = [text for text in spectrum.remarks if text in _HARMLESS]
    read = "".join(f"As for the file, {text}. " for text in harmless)
    return _NYQUIST_NOTE + _NYQUIST_MODEL[spectrum.fitted_real_ohm_cm2 is not None] + read


def _axis(title: str, **more: Any) -> dict[str, Any]:
    return {"title": {"text": title}, "gridcolor": "var(--grid)", "exponentformat": "power", **more}


def _layout(x: dict[str, Any], y: dict[str, Any]) -> dict[str, Any]:
    return {
        "xaxis": x,
        "yaxis": y,
        "margin": {"l": 80, "r": 36, "t": 10, "b": 60},
        "height": 420,
        "legend": {"orientation": "h", "x": 0, "y": -0.2, "yanchor": "top"},
    }


def measured_nyquist_figure(spectrum: MeasuredPoints) -> Figure:
    """Return a Nyquist plot: measured, left out, predicted and fitted."""
    traces: list[Trace] = []
    for name, wanted, symbol, colour in (
        ("measured", True, "circle-open", "var(--text)"),
        ("left out", False, "x", SERIES[1]),
    ):
        places = [k for k, usable in enumerate(spectrum.usable) if usable is wanted]
        if places:
            traces.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "name": name,
                    "x": [spectrum.z_real_ohm_cm2[k] for k in places],
                    "y": [-spectrum.z_imag_ohm_cm2[k] for k in places],
                    "customdata": [spectrum.frequency_Hz[k] for k in places],
                    "marker": {"symbol": symbol, "size": 7, "color": colour},
                    "hovertemplate": "%{x:.4g} − i·%{y:.4g} Ω·cm² at %{customdata:.3g} Hz"
                    "<extra></extra>",
                }
            )
    curves = [
        ("predicted", spectrum.predicted_real_ohm_cm2, spectrum.predicted_imag_ohm_cm2, "dash")
    ]
    if spectrum.fitted_real_ohm_cm2 is not None and spectrum.fitted_imag_ohm_cm2 is not None:
        curves.append(
            ("fitted", [*spectrum.fitted_real_ohm_cm2], [*spectrum.fitted_imag_ohm_cm2], "solid")
        )
    for number, (name, real, imaginary, dash) in enumerate(curves):
        _, x, y = smooth(spectrum.frequency_Hz, real, imaginary)
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": name,
                "x": _with_gaps(x),
                "y": _with_gaps(-y),
                "line": {"color": SERIES[2 * number], "dash": dash, "width": 2},
                "hovertemplate": "%{x:.4g} − i·%{y:.4g} Ω·cm²<extra></extra>",
            }
        )
    # the frame takes the shape of the data, and not the data's range that of the frame
    layout = _layout(
        _axis("Re Z (Ω·cm²)", zeroline=False, constrain="domain", constraintoward="left"),
        _axis("−Im Z (Ω·cm²)", zeroline=False, constrain="domain", scaleanchor="x"),
    )
    layout["height"] = 600
    return {"layout": layout, "frames": [traces]}


def real_parts(spectrum: MeasuredPoints) -> tuple[list[float], list[float | None]]:
    """Return Re Z as it was measured, and of the model: after the fit if there is one."""
    fitted = spectrum.fitted_real_ohm_cm2
    return spectrum.z_real_ohm_cm2, [*(fitted or spectrum.predicted_real_ohm_cm2)]


def imaginary_parts(spectrum: MeasuredPoints) -> tuple[list[float], list[float | None]]:
    """Return −Im Z as it was measured, and of the model: after the fit if there is one."""
    model = spectrum.fitted_imag_ohm_cm2 or spectrum.predicted_imag_ohm_cm2
    return (
        [-value for value in spectrum.z_imag_ohm_cm2],
        [None if value is None else -value for value in model],
    )


def _with_gaps(values: NDArray[np.float64]) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]


def measured_bode_figure(spectrum: MeasuredPoints) -> Figure:
    """Return real and negative imaginary part over the frequency, measured and of the model."""
    traces: list[Trace] = []
    for number, (name, (measured, model)) in enumerate(
        (("Re Z", real_parts(spectrum)), ("−Im Z", imaginary_parts(spectrum)))
    ):
        frequency, curve = smooth(spectrum.frequency_Hz, model)
        hover = "%{y:.4g} Ω·cm² at %{x:.3g} Hz<extra></extra>"
        traces += [
            {
                "type": "scatter",
                "mode": "markers",
                "name": name,
                "x": spectrum.frequency_Hz,
                # a logarithmic axis has no place for noise about zero
                "y": [value if value > 0.0 else None for value in measured],
                "marker": {
                    "symbol": ("circle-open", "square-open")[number],
                    "size": 6,
                    "color": SERIES[number],
                },
                "hovertemplate": hover,
            },
            {
                "type": "scatter",
                "mode": "lines",
                "name": f"{name}, model",
                "x": frequency.tolist(),
                "y": _with_gaps(np.where(curve > 0.0, curve, np.nan)),
                "line": {"color": SERIES[number], "width": 2, "dash": ("solid", "dash")[number]},
                "hovertemplate": hover,
            },
        ]
    y = decades([value for trace in traces for value in trace["y"]])
    layout = _layout(_axis("frequency (Hz)", type="log"), _axis("Ω·cm²", type="log", **y))
    return {"layout": layout, "frames": [traces]}


def _residuals(spectrum: MeasuredPoints) -> Figure:
    traces: list[Trace] = [
        {
            "type": "scatter",
            "mode": "markers",
            "name": name,
            "x": spectrum.frequency_Hz,
            "y": [100 * value for value in values],
            "marker": {"color": SERIES[number], "size": 6, "symbol": ("circle", "square")[number]},
            "hovertemplate": "%{y:.2g} % at %{x:.3g} Hz<extra></extra>",
        }
        for number, (name, values) in enumerate(
            (("real part", spectrum.residual_real), ("imaginary part", spectrum.residual_imag))
        )
    ]
    layout = _layout(_axis("frequency (Hz)", type="log"), _axis("residual (% of |Z|)"))
    return {"layout": layout, "frames": [traces]}


def _relaxation_times(spectrum: MeasuredPoints) -> Figure:
    known = spectrum.relaxation_times
    traces: list[Trace] = []
    if known is not None:
        x = known.time_constant_s
        shade = {"type": "scatter", "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
        traces = [
            {**shade, "x": x, "y": known.gamma_p05_ohm_cm2, "showlegend": False},
            {
                **shade,
                "x": x,
                "y": known.gamma_p95_ohm_cm2,
                "name": "5 to 95 %",
                "fill": "tonexty",
                "fillcolor": "rgba(0,114,178,0.25)",
            },
            {
                "type": "scatter",
                "mode": "lines",
                "name": "median",
                "x": x,
                "y": known.gamma_p50_ohm_cm2,
                "line": {"color": SERIES[0], "width": 2},
                "hovertemplate": "%{y:.3g} Ω·cm² at %{x:.3g} s<extra></extra>",
            },
            *_process_lines(spectrum, known),
        ]
    layout = _layout(
        _axis("relaxation time τ (s)", type="log"), _axis("γ (Ω·cm²)", rangemode="tozero")
    )
    return {"layout": layout, "frames": [traces]}


def _process_lines(spectrum: MeasuredPoints, known: RelaxationDistribution) -> list[Trace]:
    """Dotted lines at the times of the model's processes that the picture reaches."""
    top = max(known.gamma_p95_ohm_cm2)
    positive = [one for one in spectrum.processes if (one.resistance_ohm_cm2 or 0.0) > 0.0]
    inside = [
        one
        for one in positive
        if one.time_constant_s is not None
        and known.time_constant_s[0] <= one.time_constant_s <= known.time_constant_s[-1]
    ]
    largest = max((one.resistance_ohm_cm2 or 0.0 for one in inside), default=0.0)
    shown_ones = [one for one in inside if (one.resistance_ohm_cm2 or 0.0) > 0.01 * largest]
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "name": escape(f"{one.name}, {one.where}", quote=False),
            "x": [one.time_constant_s] * 2,
            "y": [0.0, top],
            "line": {"color": SERIES[(1 + number) % len(SERIES)], "dash": "dot", "width": 2},
            "hoverinfo": "name",
        }
        for number, one in enumerate(shown_ones)
    ]


def _peaks_table(spectrum: MeasuredPoints) -> Markup:
    known = spectrum.relaxation_times
    if known is None:
        return Markup("")
    rows = [
        [
            shown(peak.time_constant_s, 3),
            shown(1 / (2 * pi * peak.time_constant_s), 3),
            shown(peak.resistance_ohm_cm2["p50"], 4),
            f"{shown(peak.resistance_ohm_cm2['p05'], 3)} … "
            f"{shown(peak.resistance_ohm_cm2['p95'], 3)}",
            unresolved(peak.time_constant_s, spectrum) or "yes",
        ]
        for peak in known.peaks
    ]
    return table(["time (s)", "peak (Hz)", "resistance (Ω·cm²)", "5 to 95 %", "resolved"], rows)


def unresolved(time_constant_s: float, spectrum: MeasuredPoints) -> str | None:
    """Return why a peak of the relaxation times is no process of its own, None where it may be.

    Parameters
    ----------
    time_constant_s : float
        Time constant of a peak of the distribution.
    spectrum : MeasuredPoints
        With the processes of the model: diffusion, whose tail is no sum of a few relaxations,
        has the times beyond all others.
    """
    pairs = zip(spectrum.frequency_Hz, spectrum.usable, strict=True)
    times = [1 / (2 * pi * frequency) for frequency, usable in pairs if usable]
    if not _AT_END * min(times) < time_constant_s < max(times) / _AT_END:
        return "no: at the end of the data, or beyond"
    resistive = [one for one in spectrum.processes if (one.resistance_ohm_cm2 or 0.0) > 0.0]
    others = [one.time_constant_s or 0.0 for one in resistive if one.name != SOLID_DIFFUSION]
    if any(one.name == SOLID_DIFFUSION for one in resistive) and time_constant_s > _BEYOND * max(
        others, default=0.0
    ):
        return "no: tail of diffusion"
    return None


def _fit(fit: ImpedanceFit) -> list[Markup]:
    rows = [
        [
            f"{one.record}: {one.field}",
            shown(one.prior_value),
            shown(one.prior_uncertainty, 2),
            shown(one.value) if one.learned else "not determined",
            shown(one.uncertainty, 2) if one.learned else "",
            shown(100 * one.variance_share, 3),
        ]
        for one in fit.fields
    ]
    made = [
        table(["number", "before", "±", "after", "±", "variance left (%)"], rows),
        Markup(
            f"<p>Reduced χ² {fit.chi2_reduced:.3g}; {fit.effective_samples:.0f} of {fit.samples} "
            "reweighted samples are effective.</p>"
        ),
    ]
    lines = [
        f"barrier of the hop across {name}: {value:.3f} ± {uncertainty:.3f} eV"
        for name, (value, uncertainty) in fit.contact_barrier_eV.items()
        if any(
            one.learned and one.record == name and one.field != "barrier_eV" for one in fit.fields
        )
    ]
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return [*made, Markup(f"<ul>{items}</ul>")] if lines else made
