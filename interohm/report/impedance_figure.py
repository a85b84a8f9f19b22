"""Figures of an impedance for print, by matplotlib."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from interohm.report.figures import write_figure
from interohm.report.impedance import marked, place_of, shown_points, smooth
from interohm.report.intervals import ends
from interohm.report.palette import series
from interohm.results.impedance import ImpedanceResult, ImpedanceState, peak_Hz

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MARKERS = "osD^v<>ph"


def write_impedance_figure(path: str | Path, document: ImpedanceResult | Mapping[str, Any]) -> None:
    """Write Nyquist and Bode plots of an impedance as PDF, PNG or SVG.

    Parameters
    ----------
    path : str or Path
        The file; its ending chooses the format.
    document : ImpedanceResult or mapping
        The prediction; its first and last states are drawn.

    Raises
    ------
    InputError
        Another format, or the file cannot be written.
    """
    result = ImpedanceResult.read(document)
    states = result.states if len(result.states) < 2 else [result.states[0], result.states[-1]]

    def draw(figure: Figure) -> None:
        rows = figure.subplots(len(states), 2, squeeze=False)
        for (nyquist, bode), state in zip(rows, states, strict=True):
            _draw_nyquist(nyquist, state)
            _draw_bode(bode, state)

    write_figure(path, len(states), draw)


def _draw_nyquist(panel: Axes, state: ImpedanceState) -> None:
    places = shown_points(state)
    x = [state.z_real_ohm_cm2[k] for k in places]
    y = [-state.z_imag_ohm_cm2[k] for k in places]
    _, smooth_x, smooth_y = smooth([state.frequency_Hz[k] for k in places], x, y)
    panel.plot(smooth_x, smooth_y, "-", color="black", linewidth=1.2)
    colours = series()
    for number, one in enumerate(marked(state)):
        peak = peak_Hz(one)
        place = None if peak is None else place_of(state, peak)
        if place is None or place not in places:
            continue
        panel.plot(
            state.z_real_ohm_cm2[place],
            -state.z_imag_ohm_cm2[place],
            _MARKERS[number % len(_MARKERS)],
            color=colours[number % len(colours)],
            fillstyle="none",
            label=f"{one.name}, {one.where}".replace("$", r"\$"),
        )
    panel.set_aspect("equal", adjustable="box")
    panel.set_ylim(bottom=min(0.0, panel.get_ylim()[0]))
    panel.set_xlabel("Re Z (Ω cm²)")
    panel.set_ylabel("−Im Z (Ω cm²)")
    panel.set_title(f"state of charge {state.state_of_charge:g}", loc="left", fontsize=8)
    if panel.get_legend_handles_labels()[0]:
        panel.legend(frameon=False, fontsize=6)


def _draw_bode(panel: Axes, state: ImpedanceState) -> None:
    spreads = state.quantiles
    colours = series(2)
    for name, values, quantiles, sign, colour, dash in (
        (
            "Re Z",
            np.array(state.z_real_ohm_cm2),
            None if spreads is None else spreads.z_real_ohm_cm2,
            1.0,
            colours[0],
            "-",
        ),
        (
            "−Im Z",
            -np.array(state.z_imag_ohm_cm2),
            None if spreads is None else spreads.z_imag_ohm_cm2,
            -1.0,
            colours[1],
            "--",
        ),
    ):
        pair = ends(quantiles)
        if pair is not None:
            panel.fill_between(
                state.frequency_Hz, sign * pair[0], sign * pair[1], color=colour, alpha=0.2, lw=0
            )
        panel.plot(state.frequency_Hz, values, dash, color=colour, linewidth=1.2, label=name)
    panel.set_xscale("log")
    panel.set_yscale("log")
    panel.set_xlabel("frequency (Hz)")
    panel.set_ylabel("Ω cm²")
    panel.legend(frameon=False, fontsize=7)
