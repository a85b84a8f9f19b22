"""The report of a cell in time: voltage and overpotentials of a run, or space charges that form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interohm.records import Insulator, Metal
from interohm.records.cell_config import Cell
from interohm.report.curves import SERIES
from interohm.report.findings import material_findings
from interohm.report.following import following_table
from interohm.report.inputs import cell_inputs
from interohm.report.page import figure, findings, keys, lead, page, section
from interohm.report.sections import inputs_section, material_tables, spread_text
from interohm.report.tables import interval, shown, table
from interohm.results.dynamics import DynamicsResult, Formation, Galvanostatic
from interohm.yaml_io import write_text

if TYPE_CHECKING:
    Figure = dict[str, Any]
    Trace = dict[str, Any]

_MARGIN = {"l": 80, "r": 36, "t": 10, "b": 60}

_ENDS = {
    "capacity": "the whole capacity had passed",
    "cut-off voltage": "the voltage reached its cut-off",
    "surface": "the surface of an electrode was full or empty",
    "current": "a contact could not carry the current",
}

_VOLTAGE_NOTE = (
    "At constant current. At rest: the open-circuit voltage of the electrodes' mean contents, to "
    "which the cell returns after the run. The band is the 5 to 95 % interval of the samples; it "
    "may extend beyond the figure. A sample that has reached the cut-off voltage stays there. "
)
_PARTS_NOTE = (
    "Overpotential of each process, stacked: it lowers the voltage on discharge and raises it on "
    "charge. The sum is the distance between the two lines above. Where carriers accumulate, a "
    "space charge conducts better than the bulk, and its part is negative. Space charges and "
    "charge transfer follow the ion content at the electrodes' surfaces. "
)
_CONTROL_NOTE = (
    "Biot number: resistance of diffusion over that of charge transfer; diffusion controls above "
    "10, the reaction below 0.1. Diffusion number: rate of the current over that of diffusion; "
    "below 0.1 the electrode is evenly filled. "
)
_FORMATION_NOTE = (
    "Remaining change of the charge on each side. Dashed lines: relaxation times from linear "
    "response, the zeros of the impedance after a step of the potential and its poles without a "
    "current. "
)


def write_dynamics_report(
    path: str | Path,
    cell: Cell,
    materials: Sequence[Insulator | Metal],
    document: DynamicsResult | Mapping[str, Any],
    *,
    remarks: Sequence[str] = (),
) -> None:
    """Write the report of a cell in time.

    Parameters
    ----------
    path : str or Path
        The HTML file; written whole or not at all.
    cell : Cell
        The description.
    materials : sequence of Insulator or Metal
        The record of each layer.
    document : DynamicsResult or mapping
        The prediction (`interohm.prediction.dynamics.dynamics_result`), or as it was kept.
    remarks : sequence of str
        Further remarks for the reader.

    Raises
    ------
    InputError
        The file cannot be written.
    """
    result = DynamicsResult.read(document)
    layers = " | ".join(material.name for material in materials)
    figures: dict[str, Figure] = {}
    body = [
        lead(f"{layers} in time, {temperatures(result)}."),
        findings([*remarks, *material_findings(materials)]),
    ]
    if result.galvanostatic is not None:
        body += _run(result.galvanostatic, figures)
    if result.formation is not None:
        body += _step(result.formation, figures)
    if result.quasi_equilibrium is not None:
        body.append(following_table([result.quasi_equilibrium], where=result.following_at))
    body.append(inputs_section([cell_inputs(cell, materials), *material_tables(materials)]))
    write_text(path, page(f"{result.cell}: in time", body, figures, [0.0]))


def temperatures(result: DynamicsResult) -> str:
    """Return the temperature, or those before and after a step, in words."""
    found = result.formation
    if found is None or found.step != "temperature" or found.temperature_after_K is None:
        return f"{shown(result.temperature_K)} K"
    return f"{shown(found.temperature_before_K)} K, then {shown(found.temperature_after_K)} K"


def ending(run: Galvanostatic) -> str:
    """Return how much charge passed and why the run ended, in words."""
    why = _ENDS.get(run.ended_by, run.ended_by)
    spread = None if run.quantiles is None else run.quantiles.capacity_mAh_cm2
    within = "" if spread is None else f" (5 to 95 %: {interval(spread, 3)})"
    return (
        f"{shown(run.capacity_mAh_cm2, 3)} of {shown(run.nominal_capacity_mAh_cm2, 3)} mAh/cm² "
        f"passed{within}; the run ended because {why}"
    )


def summary(run: Galvanostatic) -> list[str]:
    """Return what limits a run, in words."""
    found = []
    if run.limited_by is not None:
        found.append(f"largest loss: {run.limited_by[0]}, {run.limited_by[1]}")
    for one in run.electrodes:
        if one.control is not None:
            by = "diffusion and reaction" if one.control == "both" else one.control
            found.append(
                f"{one.material} is controlled by {by}: Biot number {shown(one.biot_number, 3)}, "
                f"diffusion number {shown(one.diffusion_number, 3)}"
            )
    if run.damkoehler_number is not None:
        found.append(f"bulk over interfaces (Damköhler): {shown(run.damkoehler_number, 3)}")
    if run.space_charges_follow:
        found.append("space charges follow at this current")
    else:
        found.append(f"space charges do not follow in {', '.join(run.slow_layers)}")
    return found


def _run(run: Galvanostatic, figures: dict[str, Figure]) -> list[Any]:
    figures["voltage"] = voltage_figure(run)
    figures["parts"] = parts_figure(run)
    spread = None if run.quantiles is None else run.quantiles.capacity_mAh_cm2
    said = [
        (
            run.direction,
            f"{shown(run.c_rate)}C",
            f"{shown(run.current_A_cm2, 3)} A/cm²",
        ),
        (
            "capacity",
            f"{shown(run.capacity_mAh_cm2, 3)} mAh/cm²",
            spread_text(spread, "mAh/cm²", 2) or _ENDS.get(run.ended_by, ""),
        ),
    ]
    if run.limited_by is not None:
        said.append(("limited by", run.limited_by[0], run.limited_by[1]))
    rows = [
        (
            one.material,
            one.side,
            shown(one.diffusion_number, 3),
            shown(one.biot_number, 3),
            one.control or "–",
        )
        for one in run.electrodes
    ]
    heads = ("electrode", "side", "diffusion number", "Biot number", "controlled by")
    return [
        keys(said),
        section("Voltage", figure("voltage", "Voltage over the capacity"), note=_VOLTAGE_NOTE),
        section("Overpotentials", figure("parts", "Overpotentials by parts"), note=_PARTS_NOTE),
        section("What controls", table(heads, rows, numeric=range(2, 4)), note=_CONTROL_NOTE),
    ]


def _step(found: Formation, figures: dict[str, Figure]) -> list[Any]:
    figures["formation"] = formation_figure(found)
    figures["current"] = response_figure(found)
    figures["profiles"] = profiles_figure(found)
    unit = "V" if found.step == "potential" else "K"
    said = [
        (
            f"step of the {found.step}",
            f"{found.by:+g} {unit}",
            f"at state of charge {shown(found.state_of_charge)}"
            + (
                ""
                if found.step == "potential" or found.temperature_after_K is None
                else f", to {shown(found.temperature_after_K)} K"
            ),
        )
    ]
    for one in found.space_charges[:3]:
        said.append(
            (f"{one.layer} at {one.contact}", f"{shown(one.relaxation_time_s, 3)} s", "to form")
        )
    rows = [
        (
            f"{one.layer} at {one.contact}",
            shown(one.charge_e_nm2[0]),
            shown(one.charge_e_nm2[-1]),
            shown(one.relaxation_time_s, 3),
        )
        for one in found.space_charges
    ]
    heads = ("space charge", "start (e/nm²)", "end (e/nm²)", "forms in (s)")
    lines = [(shown(one.time_s, 3), shown(one.share, 2)) for one in found.relaxations]
    what = "Current" if found.step == "potential" else "Voltage"
    return [
        keys(said),
        section(
            "Formation",
            figure("formation", "Space charges over time"),
            table(heads, rows, numeric=range(1, 4)),
            note=_FORMATION_NOTE,
        ),
        section(what, figure("current", f"{what} over time")),
        section("Profiles", figure("profiles", "Potential across the layers")),
        section(
            "Relaxations of linear response",
            table(("time (s)", "share"), lines, numeric=range(2)),
        ),
    ]


def _axes(x: str, y: str, **more: Any) -> Figure:
    return {
        "xaxis": {
            # away from a legend of many lines
            "title": {"text": x, "standoff": 8},
            "gridcolor": "var(--grid)",
            "exponentformat": "power",
        },
        "yaxis": {
            "title": {"text": y},
            "gridcolor": "var(--grid)",
            "exponentformat": "power",
            "zeroline": False,
        },
        "margin": _MARGIN,
        "height": 440,
        "legend": {"orientation": "h", "x": 0, "y": -0.2, "yanchor": "top"},
        **more,
    }


def _line(name: str, x: Sequence[Any], y: Sequence[Any], colour: str, unit: str) -> Trace:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": escape(name, quote=False),
        "x": list(x),
        "y": list(y),
        "line": {"color": colour, "width": 2.5},
        "hovertemplate": f"%{{y:.4g}} {unit} at %{{x:.4g}}",
    }


def voltage_figure(run: Galvanostatic) -> Figure:
    """Return the voltage over the capacity, with that at rest and the interval."""
    x = run.capacity_passed_mAh_cm2
    traces: list[Trace] = []
    if run.quantiles is not None and run.quantiles.voltage_V is not None:
        low, high = run.quantiles.voltage_V["p05"], run.quantiles.voltage_V["p95"]
        known = [k for k in range(len(x)) if low[k] is not None and high[k] is not None]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": "5 to 95 %",
                "x": [x[k] for k in known] + [x[k] for k in reversed(known)],
                "y": [low[k] for k in known] + [high[k] for k in reversed(known)],
                "fill": "toself",
                "line": {"width": 0},
                "opacity": 0.25,
                "fillcolor": SERIES[0],
                "hoverinfo": "skip",
            }
        )
    rest = _line("at rest", x, run.open_circuit_voltage_V, "var(--muted)", "V")
    rest["line"]["dash"] = "dash"
    traces += [rest, _line("voltage", x, run.voltage_V, SERIES[0], "V")]
    layout = _axes("capacity (mAh/cm²)", "voltage (V)")
    layout["yaxis"]["range"] = list(voltage_range(run))
    return {"layout": layout, "frames": [traces]}


def voltage_range(run: Galvanostatic) -> tuple[float, float]:
    """Return the voltages that a figure shows: of the run and at rest.

    Single samples may need hundreds of volts for the current; they would flatten the curve.
    """
    shown = [one for one in (*run.voltage_V, *run.open_circuit_voltage_V) if one is not None]
    low, high = min(shown), max(shown)
    margin = 0.15 * max(high - low, 0.1)
    return low - margin, high + margin


def parts_figure(run: Galvanostatic) -> Figure:
    """Return the overpotentials over the capacity, stacked."""
    traces = []
    for number, one in enumerate(run.overpotentials):
        colour = SERIES[number % len(SERIES)]
        values = [0.0 if value is None else 1e3 * value for value in one.overpotential_V]
        trace = _line(f"{one.name}, {one.where}", run.capacity_passed_mAh_cm2, values, colour, "mV")
        # what is negative stacks downwards
        trace["stackgroup"] = "below" if sum(values) < 0.0 else "above"
        trace["line"] = {"color": colour, "width": 1}
        if number >= len(SERIES):
            # its colour is that of another one
            trace["fillpattern"] = {"shape": "/"}
        traces.append(trace)
    # on a narrow page each has its own line of the legend
    height = 440 + 14 * len(traces)
    layout = _axes("capacity (mAh/cm²)", "overpotential (mV)", height=height)
    return {"layout": layout, "frames": [traces]}


def left_of_change(values: Sequence[float | None]) -> list[float | None]:
    """Return what a curve has left of its change, 1 at first and 0 in the end."""
    first, last = values[0], values[-1]
    if first is None or last is None or first == last:
        return [None] * len(values)
    return [None if v is None else (v - last) / (first - last) for v in values]


def formation_figure(found: Formation) -> Figure:
    """Return what each space charge has left of its change, with the relaxation times marked."""
    layout = _axes("time (s)", "left of the change")
    layout["xaxis"]["type"] = "log"
    traces = [
        _line(
            f"{one.layer} at {one.contact}",
            found.time_s,
            left_of_change(one.charge_e_nm2),
            SERIES[number % len(SERIES)],
            "",
        )
        for number, one in enumerate(found.space_charges)
    ]
    for one in sorted(found.relaxations, key=lambda each: -each.share)[:5]:
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": f"{shown(one.time_s, 2)} s",
                "x": [one.time_s] * 2,
                "y": [0.0, 1.0],
                "line": {"color": "var(--muted)", "dash": "dot", "width": 1.5},
                "hoverinfo": "name",
                "showlegend": False,
            }
        )
    return {"layout": layout, "frames": [traces]}


def response_figure(found: Formation) -> Figure:
    """Return the current after a step of the potential, the voltage after one of temperature."""
    potential = found.step == "potential"
    name, unit = ("current", "A/cm²") if potential else ("voltage", "V")
    layout = _axes("time (s)", f"{name} ({unit})")
    layout["xaxis"]["type"] = "log"
    values = found.current_A_cm2 if potential else found.voltage_V
    return {"layout": layout, "frames": [[_line(name, found.time_s, values, SERIES[0], unit)]]}


def profiles_figure(found: Formation) -> Figure:
    """Return the change of the potential across the layers since the first time that is kept."""
    first = found.profiles[0].phi_V
    traces = []
    for number, one in enumerate(found.profiles[1:]):
        change = [
            None if a is None or b is None else 1e3 * (a - b)
            for a, b in zip(one.phi_V, first, strict=True)
        ]
        traces.append(
            _line(f"{shown(one.time_s, 2)} s", one.x_nm, change, SERIES[number % len(SERIES)], "mV")
        )
    return {"layout": _axes("x (nm)", "change of φ (mV)"), "frames": [traces]}
