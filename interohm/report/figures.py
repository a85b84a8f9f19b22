"""Figures for print: the band diagram of a cell or contact, by matplotlib."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from itertools import cycle, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from interohm.errors import InputError
from interohm.report.band_diagram import joined
from interohm.report.display_axis import DisplayAxis, nanometres
from interohm.report.ion_potentials import POTENTIALS
from interohm.report.levels import (
    LayerLevels,
    cell_axis,
    cell_levels,
    contact_view,
    drawn_layers,
    energy_window_eV,
    thinned,
)
from interohm.report.palette import colours, series
from interohm.report.space_charge import RAREST_CM3
from interohm.results.cell import CellResult
from interohm.results.contact import ContactResult
from interohm.yaml_io import check_output_path, write_bytes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from interohm.report.intervals import Intervals

_FORMATS = ("pdf", "png", "svg")

#: Two columns of a journal.
_WIDTH_INCH = 7.0
_PANEL_INCH = 2.6

#: The ion's potentials need less height than the bands above them.
_ION_SHARE = 0.55

#: Column, colour of the palette, and dash of each level; dashes help in black and white.
_LEVELS = (
    ("vacuum level", "vacuum_eV", "vacuum", ":"),
    ("conduction band edge", "conduction_eV", "conduction", "-"),
    ("valence band edge", "valence_eV", "valence", "-"),
    ("Fermi level", "fermi_eV", "fermi", "--"),
)
_POTENTIAL_DASHES = ("-", "--", ":")

#: Opacity of an interval in its curve's colour.
_SHADE = 0.22

_STYLE = {
    "font.size": 8,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "pdf.fonttype": 42,
    "svg.fonttype": "none",
    "font.family": "sans-serif",
}


def check_figure(path: str | Path) -> None:
    """Raise `InputError` where no figure can be written: another format, or no such folder."""
    suffix = _suffix(path)
    if suffix not in _FORMATS:
        raise InputError(
            f"a figure cannot be written as {suffix or 'a file without an ending'}",
            where=str(path),
            fix="end the name in .pdf, .png or .svg",
        )
    check_output_path(path)


def _suffix(path: str | Path) -> str:
    return Path(path).suffix.lower().removeprefix(".")


def write_cell_figure(path: str | Path, document: CellResult | Mapping[str, Any]) -> None:
    """Write the band diagram of a cell, discharged and charged, as PDF, PNG or SVG.

    Parameters
    ----------
    path : str or Path
        The file; its ending chooses the format.
    document : CellResult or mapping
        The prediction (`interohm.prediction.cell.cell_result`); its first and last states are
        drawn.

    Raises
    ------
    InputError
        Another format, or the file cannot be written.
    """
    result = CellResult.read(document)
    states = result.states
    chosen = [states[0]] if len(states) == 1 else [states[0], states[-1]]
    diagrams = [cell_levels(state) for state in chosen]
    window = energy_window_eV(diagrams)
    axis = cell_axis(result)
    names = [f"{name}\n{nanometres(thickness)} nm" for name, thickness in drawn_layers(states[0])]

    def draw(figure: Figure) -> None:
        rows = figure.subplots(
            2 * len(chosen),
            1,
            sharex=True,
            squeeze=False,
            height_ratios=[1.0, _ION_SHARE] * len(chosen),
        )[:, 0]
        panels, below = rows[::2], rows[1::2]
        for index, (panel, state, diagram) in enumerate(zip(panels, chosen, diagrams, strict=True)):
            _draw_ion(below[index], axis, diagram)
            _draw_bands(panel, axis, diagram, window)
            voltage = state.open_circuit_voltage_V
            panel.set_title(
                f"state of charge {state.state_of_charge:g}, {voltage:.2f} V",
                loc="left",
                fontsize=8,
                pad=26 if index == 0 else 5,
            )
            if index == 0:
                _name_layers(panel, axis, names)
        _finish(
            figure,
            rows[-1],
            axis,
            "±: distance from the nearest contact; //: compressed; shades: 5 to 95 %",
        )

    write_figure(path, (1 + _ION_SHARE) * len(chosen), draw)


def write_contact_figure(path: str | Path, document: ContactResult | Mapping[str, Any]) -> None:
    """Write band diagram and concentrations of a contact as PDF, PNG or SVG.

    Parameters
    ----------
    path : str or Path
        The file; its ending chooses the format.
    document : ContactResult or mapping
        The prediction (`interohm.prediction.contact.contact_result`).

    Raises
    ------
    InputError
        Another format, or the file cannot be written.
    """
    result = ContactResult.read(document)
    view = contact_view(result)

    def draw(figure: Figure) -> None:
        bands, ion, concentrations = figure.subplots(
            3, 1, sharex=True, height_ratios=[1.0, _ION_SHARE, 1.0]
        )
        _draw_bands(bands, view.axis, view.levels, energy_window_eV([view.levels]))
        _name_layers(bands, view.axis, [result.left, result.right])
        _draw_ion(ion, view.axis, view.levels)
        for defect, colour in zip(view.defects, cycle(series()), strict=False):
            label: str | None = defect
            intervals = [side.intervals for side in view.sides]
            _shade_intervals(concentrations, view.axis, intervals, defect, colour, RAREST_CM3)
            for side in view.sides:
                if defect not in side.concentrations_cm3:
                    continue
                places = view.axis.place(side.x_nm)
                column = np.maximum(side.concentrations_cm3[defect], RAREST_CM3)
                concentrations.plot(places, column, color=colour, label=label, linewidth=1.3)
                label = None
        concentrations.set_yscale("log")
        # what is drawn at the rarest lies at or below it: the axis ends there, without a margin
        concentrations.set_ylim(bottom=max(concentrations.get_ylim()[0], RAREST_CM3))
        concentrations.set_ylabel("concentration (cm$^{-3}$)")
        concentrations.legend(frameon=False, fontsize=7)
        _shade_layers(concentrations, view.axis)
        _finish(figure, concentrations, view.axis, "each side has its own scale; shades: 5 to 95 %")

    write_figure(path, 2 + _ION_SHARE, draw)


def write_figure(path: str | Path, panels: float, draw: Any) -> None:
    """Write what `draw` draws into a figure, as high as so many panels; whole or not at all."""
    check_figure(path)
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_STYLE):  # type: ignore[arg-type]
        figure = Figure(figsize=(_WIDTH_INCH, 0.9 + _PANEL_INCH * panels), layout="constrained")
        draw(figure)
        buffer = io.BytesIO()
        figure.savefig(buffer, format=_suffix(path), dpi=220)
    write_bytes(path, buffer.getvalue())


def _draw_bands(
    panel: Axes,
    axis: DisplayAxis,
    diagram: Sequence[LayerLevels],
    window_eV: tuple[float, float],
) -> None:
    bottom, top = window_eV
    named = colours()
    layers = [thinned(layer, axis) for layer in diagram]
    for layer in layers:
        places = axis.place(layer.x_nm)
        if layer.conduction_eV is None or layer.valence_eV is None:
            panel.fill_between(
                places, layer.fermi_eV, bottom, color=named["fermi"], alpha=0.18, lw=0
            )
        else:
            panel.fill_between(
                places, layer.valence_eV, bottom, color=named["valence"], alpha=0.2, lw=0
            )
            panel.fill_between(
                places, layer.conduction_eV, top, color=named["conduction"], alpha=0.14, lw=0
            )
    for _, column, colour, _ in _LEVELS:
        _shade_intervals(panel, axis, [layer.intervals for layer in layers], column, named[colour])
    for name, column, colour, dash in _LEVELS:
        x, y, _ = joined(axis, layers, column)
        places, values = (np.array(column, dtype=float) for column in (x, y))
        panel.plot(places, values, dash, color=named[colour], linewidth=1.3, label=name)
    _shade_layers(panel, axis)
    panel.set_ylim(bottom, top)
    panel.set_ylabel("energy (eV)")


def _draw_ion(panel: Axes, axis: DisplayAxis, diagram: Sequence[LayerLevels]) -> None:
    layers = [thinned(layer, axis) for layer in diagram]
    for (column, name, _), colour, dash in zip(
        POTENTIALS, series(3), _POTENTIAL_DASHES, strict=True
    ):
        _shade_intervals(panel, axis, [layer.intervals for layer in layers], column, colour)
        x, y, _ = joined(axis, layers, column)
        places, values = (np.array(row, dtype=float) for row in (x, y))
        panel.plot(places, values, dash, color=colour, linewidth=1.3, label=name)
    _shade_layers(panel, axis)
    panel.margins(y=0.1)
    panel.set_ylabel("energy (eV),\npotential (V)")


def _shade_intervals(
    panel: Axes,
    axis: DisplayAxis,
    intervals: Sequence[Intervals | None],
    name: str,
    colour: str,
    least: float = -np.inf,
) -> None:
    """Shade the samples from 5 to 95 % around one curve, down to the least that is drawn."""
    for known in intervals:
        for places, low, high in () if known is None else known.on(axis, name):
            panel.fill_between(
                places,
                np.maximum(low, least),
                np.maximum(high, least),
                color=colour,
                alpha=_SHADE,
                linewidth=0,
            )


def _shade_layers(panel: Axes, axis: DisplayAxis) -> None:
    edges = axis.edges
    for left, right in list(pairwise(edges))[::2]:
        panel.axvspan(left, right, color="0.5", alpha=0.07, linewidth=0)
    for edge in edges[1:-1]:
        panel.axvline(edge, color="0.4", linewidth=0.6)
    panel.set_xlim(edges[0], edges[-1])


def _name_layers(panel: Axes, axis: DisplayAxis, names: Sequence[str]) -> None:
    for name, left, right in zip(names, axis.edges, axis.edges[1:], strict=False):
        panel.annotate(
            # No mathematics in names: a dollar sign is one.
            name.replace("$", r"\$"),
            ((left + right) / 2, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            va="bottom",
        )


def _finish(figure: Figure, panel: Axes, axis: DisplayAxis, scale: str) -> None:
    """Label the common axis and put the legend below."""
    panel.set_xticks(axis.tick_places, axis.tick_labels)
    panel.tick_params(axis="x", labelsize=7)
    for position in axis.breaks:
        panel.annotate(
            "//",
            (position, 0.0),
            xycoords=("data", "axes fraction"),
            ha="center",
            va="center",
            fontweight="bold",
        )
    panel.set_xlabel(f"position (nm); {scale}")
    bands, ion = (each.get_legend_handles_labels() for each in figure.axes[:2])
    handles, labels = (above + below for above, below in zip(bands, ion, strict=True))
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
