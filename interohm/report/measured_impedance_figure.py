"""Figures of measured spectra for print, by matplotlib."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from interohm.report.figures import write_figure
from interohm.report.impedance import smooth
from interohm.report.measured_impedance import imaginary_parts, real_parts
from interohm.report.palette import colours, series
from interohm.results.measured_impedance import MeasuredImpedanceResult, MeasuredPoints

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def write_measured_figure(
    path: str | Path, document: MeasuredImpedanceResult | Mapping[str, Any]
) -> None:
    """Write Nyquist and Bode plots and residuals of each spectrum as PDF, PNG or SVG.

    Parameters
    ----------
    path : str or Path
        The file; its ending chooses the format.
    document : MeasuredImpedanceResult or mapping
        The spectra.

    Raises
    ------
    InputError
        Another format, or the file cannot be written.
    """
    result = MeasuredImpedanceResult.read(document)

    def draw(figure: Figure) -> None:
        rows = figure.subplots(len(result.spectra), 3, squeeze=False, width_ratios=(1.5, 1, 1))
        for (nyquist, bode, residuals), spectrum in zip(rows, result.spectra, strict=True):
            _draw_nyquist(nyquist, spectrum)
            _draw_bode(bode, spectrum)
            _draw_residuals(residuals, spectrum)

    write_figure(path, len(result.spectra), draw)


def _draw_nyquist(panel: Axes, spectrum: MeasuredPoints) -> None:
    usable = np.array(spectrum.usable)
    named = colours()
    x, y = np.array(spectrum.z_real_ohm_cm2), -np.array(spectrum.z_imag_ohm_cm2)
    panel.plot(x[usable], y[usable], "o", color="black", fillstyle="none", label="measured")
    if not usable.all():
        panel.plot(x[~usable], y[~usable], "x", color=named["series-2"], label="left out")
    curves = [("predicted", spectrum.predicted_real_ohm_cm2, spectrum.predicted_imag_ohm_cm2, "--")]
    if spectrum.fitted_real_ohm_cm2 is not None and spectrum.fitted_imag_ohm_cm2 is not None:
        curves.append(
            ("fitted", [*spectrum.fitted_real_ohm_cm2], [*spectrum.fitted_imag_ohm_cm2], "-")
        )
    for (name, real, imaginary, style), colour in zip(curves, series(), strict=False):
        _, x, y = smooth(spectrum.frequency_Hz, real, imaginary)
        panel.plot(x, -y, style, color=colour, label=name)
    panel.set_aspect("equal", adjustable="box")
    panel.set_xlabel("Re Z (Ω cm²)")
    panel.set_ylabel("−Im Z (Ω cm²)")
    panel.set_title(
        f"{Path(spectrum.source).name}, {spectrum.temperature_K:g} K".replace("$", r"\$"),
        fontsize="small",
    )
    panel.legend(fontsize="small")


def _draw_bode(panel: Axes, spectrum: MeasuredPoints) -> None:
    for (part, (measured, curve), marker), colour in zip(
        (("Re Z", real_parts(spectrum), "o"), ("−Im Z", imaginary_parts(spectrum), "s")),
        series(2),
        strict=True,
    ):
        points = np.array(measured)
        panel.plot(
            np.array(spectrum.frequency_Hz)[points > 0],
            points[points > 0],
            marker,
            color=colour,
            markersize=3,
            fillstyle="none",
            label=part,
        )
        frequency, values = smooth(spectrum.frequency_Hz, curve)
        panel.plot(frequency, np.where(values > 0, values, np.nan), "-", color=colour)
    panel.set_xscale("log")
    panel.set_yscale("log")
    panel.set_xlabel("frequency (Hz)")
    panel.set_ylabel("Ω cm²")
    panel.legend(fontsize="small")


def _draw_residuals(panel: Axes, spectrum: MeasuredPoints) -> None:
    for (name, values, marker), colour in zip(
        (("real", spectrum.residual_real, "o"), ("imaginary", spectrum.residual_imag, "s")),
        series(2),
        strict=True,
    ):
        panel.semilogx(
            spectrum.frequency_Hz,
            100 * np.array(values),
            marker,
            color=colour,
            markersize=3,
            label=name,
        )
    panel.axhline(0, color="black", linewidth=0.8)
    panel.set_xlabel("frequency (Hz)")
    panel.set_ylabel("Kramers–Kronig residual (% of |Z|)")
    panel.legend(fontsize="small")
