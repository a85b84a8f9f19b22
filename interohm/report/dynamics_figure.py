"""Figures of a cell in time for print, by matplotlib."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from interohm.report.dynamics import left_of_change, voltage_range
from interohm.report.figures import write_figure
from interohm.report.palette import colours, series
from interohm.results.dynamics import DynamicsResult, Formation, Galvanostatic

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def write_dynamics_figure(path: str | Path, document: DynamicsResult | Mapping[str, Any]) -> None:
    """Write voltage and overpotentials of a run, or space charges that form, as PDF, PNG or SVG.

    Parameters
    ----------
    path : str or Path
        The file; its ending chooses the format.
    document : DynamicsResult or mapping
        The prediction.

    Raises
    ------
    InputError
        Another format, or the file cannot be written.
    """
    result = DynamicsResult.read(document)

    def draw(figure: Figure) -> None:
        left, right = figure.subplots(1, 2)
        if result.galvanostatic is not None:
            _draw_voltage(left, result.galvanostatic)
            _draw_parts(right, result.galvanostatic)
        elif result.formation is not None:
            _draw_formation(left, result.formation)
            _draw_response(right, result.formation)

    write_figure(path, 1, draw)


def _values(curve: list[float | None]) -> Any:
    return np.array([np.nan if value is None else value for value in curve])


def _draw_voltage(panel: Axes, run: Galvanostatic) -> None:
    x = run.capacity_passed_mAh_cm2
    if run.quantiles is not None and run.quantiles.voltage_V is not None:
        ends = (_values(run.quantiles.voltage_V[key]) for key in ("p05", "p95"))
        panel.fill_between(x, *ends, color=series()[0], alpha=0.2, lw=0)
    panel.plot(
        x, _values(run.open_circuit_voltage_V), "--", color=colours()["muted"], lw=1.0, label="rest"
    )
    panel.plot(x, _values(run.voltage_V), "-", color=series()[0], lw=1.2, label=f"{run.c_rate:g}C")
    panel.set_xlabel("capacity (mAh/cm²)")
    panel.set_ylabel("voltage (V)")
    panel.set_ylim(*voltage_range(run))
    panel.legend(frameon=False, fontsize=7)


def _draw_parts(panel: Axes, run: Galvanostatic) -> None:
    x = np.array(run.capacity_passed_mAh_cm2)
    above, below = np.zeros_like(x), np.zeros_like(x)
    for number, one in enumerate(run.overpotentials):
        values = np.nan_to_num(1e3 * _values(one.overpotential_V))
        base = above if np.sum(values) >= 0.0 else below
        panel.fill_between(
            x,
            base,
            base + values,
            color=series()[number % 6],
            alpha=0.7,
            lw=0,
            label=f"{one.name}, {one.where}".replace("$", r"\$"),
        )
        base += values
    panel.set_xlabel("capacity (mAh/cm²)")
    panel.set_ylabel("overpotential (mV)")
    panel.legend(frameon=False, fontsize=6)


def _draw_formation(panel: Axes, found: Formation) -> None:
    for number, one in enumerate(found.space_charges):
        panel.plot(
            found.time_s,
            _values(left_of_change(one.charge_e_nm2)),
            color=series()[number % 6],
            lw=1.2,
            label=f"{one.layer} at {one.contact}".replace("$", r"\$"),
        )
    for relaxation in sorted(found.relaxations, key=lambda each: -each.share)[:5]:
        panel.axvline(relaxation.time_s, color=colours()["muted"], ls=":", lw=0.8)
    panel.set_xscale("log")
    panel.set_xlabel("time (s)")
    panel.set_ylabel("left of the change of charge")
    panel.legend(frameon=False, fontsize=6)


def _draw_response(panel: Axes, found: Formation) -> None:
    potential = found.step == "potential"
    values = found.current_A_cm2 if potential else found.voltage_V
    panel.plot(found.time_s, _values(values), color=series()[0], lw=1.2)
    panel.set_xscale("log")
    panel.set_xlabel("time (s)")
    panel.set_ylabel("current (A/cm²)" if potential else "voltage (V)")
