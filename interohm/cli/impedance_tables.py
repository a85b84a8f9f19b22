"""An impedance as tables for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interohm.cli.output import console, shown, shown_interval, table
from interohm.results.impedance import peak_Hz

if TYPE_CHECKING:
    from rich.table import Table

    from interohm.results.impedance import ImpedanceResult, ImpedanceState
    from interohm.results.result import CurveQuantiles

#: Frequencies that a table shows, of those that there are.
_ROWS = 11


def print_impedance(document: ImpedanceResult, assumed: list[str]) -> None:
    """Print spectrum and processes at each state of charge."""
    out = console()
    for state in document.states:
        where = f"{document.temperature_K:g} K, state of charge {state.state_of_charge:g}"
        out.print(_processes(state, f"{document.cell}   ({where})"))
        out.print(_spectrum(state))
        if state.dc_reason is not None:
            out.print(f"no resistance without diffusion: {state.dc_reason}")
    if assumed:
        out.print(f"assumed inputs: {', '.join(assumed)}")


def _processes(state: ImpedanceState, title: str) -> Table:
    made = table(
        "process",
        "where",
        "resistance (Ω·cm²)",
        "5 to 95 %",
        "capacitance (µF/cm²)",
        "time (s)",
        "peak (Hz)",
        title=title,
    )
    spreads = [] if state.quantiles is None else state.quantiles.process_resistance_ohm_cm2
    for place, one in enumerate(state.processes):
        made.add_row(
            one.name,
            one.where,
            shown(one.resistance_ohm_cm2),
            shown_interval(spreads[place]) if place < len(spreads) else "",
            shown(one.capacitance_uF_cm2, 3),
            shown(one.time_constant_s, 3),
            shown(peak_Hz(one), 3),
        )
    spread = None if state.quantiles is None else state.quantiles.dc_resistance_ohm_cm2
    made.add_row(
        "without diffusion",
        "cell",
        shown(state.dc_resistance_ohm_cm2),
        shown_interval(spread),
        "",
        "",
        "",
    )
    return made


def _spectrum(state: ImpedanceState) -> Table:
    made = table("frequency (Hz)", "Re Z (Ω·cm²)", "5 to 95 %", "Im Z (Ω·cm²)", "5 to 95 %")
    count = len(state.frequency_Hz)
    places = sorted({round(k * (count - 1) / (_ROWS - 1)) for k in range(_ROWS)}, reverse=True)
    spread = state.quantiles
    for place in places:
        made.add_row(
            shown(state.frequency_Hz[place], 3),
            shown(state.z_real_ohm_cm2[place]),
            _at(None if spread is None else spread.z_real_ohm_cm2, place),
            shown(state.z_imag_ohm_cm2[place]),
            _at(None if spread is None else spread.z_imag_ohm_cm2, place),
        )
    return made


def _at(curves: CurveQuantiles | None, place: int) -> str:
    if curves is None:
        return ""
    low, high = curves["p05"][place], curves["p95"][place]
    return f"{shown(low, 3)} … {shown(high, 3)}"
