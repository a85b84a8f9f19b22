"""A cell in time as tables for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interohm.cli.output import console, shown, table
from interohm.report.dynamics import ending, summary, temperatures

if TYPE_CHECKING:
    from rich.table import Table

    from interohm.results.cell import QuasiEquilibrium
    from interohm.results.dynamics import DynamicsResult, Formation, Galvanostatic
    from interohm.results.result import Curve

#: Times that a table shows, of those that there are.
_ROWS = 11


def print_dynamics(document: DynamicsResult, assumed: list[str]) -> None:
    """Print a run or a step, and whether space charges follow."""
    out = console()
    title = f"{document.cell}   ({temperatures(document)})"
    if document.galvanostatic is not None:
        run = document.galvanostatic
        out.print(_course(run, title))
        out.print(_parts(run))
        out.print(ending(run))
        for text in summary(run):
            out.print(text)
    if document.formation is not None:
        out.print(_formation(document.formation, title))
        out.print(_relaxations(document.formation))
    if document.quasi_equilibrium is not None:
        out.print(_following(document.quasi_equilibrium, document.following_at))
    if assumed:
        out.print(f"assumed inputs: {', '.join(assumed)}")


def _places(count: int) -> list[int]:
    return sorted({round(k * (count - 1) / (_ROWS - 1)) for k in range(_ROWS)})


def _course(run: Galvanostatic, title: str) -> Table:
    made = table(
        "capacity (mAh/cm²)",
        "time (s)",
        "voltage (V)",
        "5 to 95 %",
        "at rest (V)",
        title=f"{title}: {run.direction} at {run.c_rate:g}C, {shown(run.current_A_cm2, 3)} A/cm²",
    )
    spread = None if run.quantiles is None else run.quantiles.voltage_V
    # early times crowd: even in the capacity
    places = sorted({_nearest(run.time_s, k / (_ROWS - 1)) for k in range(_ROWS)})
    for place in places:
        ends = "" if spread is None else _interval(spread["p05"][place], spread["p95"][place])
        made.add_row(
            shown(run.capacity_passed_mAh_cm2[place]),
            shown(run.time_s[place]),
            shown(run.voltage_V[place]),
            ends,
            shown(run.open_circuit_voltage_V[place]),
        )
    return made


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{shown(low, 3)} … {shown(high, 3)}"


def _parts(run: Galvanostatic) -> Table:
    made = table("overpotential of", "where", "start (V)", "halfway (V)", "end (V)")
    half = _nearest(run.time_s, 0.5)
    for one in run.overpotentials:
        values = one.overpotential_V
        made.add_row(
            one.name, one.where, *(shown(values[k], 3) for k in (0, half, len(values) - 1))
        )
    return made


def _nearest(time_s: list[float], share: float) -> int:
    wanted = share * time_s[-1]
    return min(range(len(time_s)), key=lambda k: abs(time_s[k] - wanted))


def _formation(found: Formation, title: str) -> Table:
    unit = "V" if found.step == "potential" else "K"
    made = table(
        "time (s)",
        "voltage (V)",
        "current (A/cm²)",
        *(f"{one.layer} at {one.contact}, change (e/nm²)" for one in found.space_charges),
        title=f"{title}: {found.step} {found.by:+g} {unit}, state of charge "
        f"{found.state_of_charge:g}",
    )
    for place in _places(len(found.time_s)):
        made.add_row(
            shown(found.time_s[place], 3),
            shown(found.voltage_V[place], 5),
            shown(found.current_A_cm2[place], 3),
            *(shown(_change(one.charge_e_nm2, place), 3) for one in found.space_charges),
        )
    made.add_section()
    made.add_row(
        "forms in (s)", "", "", *(shown(one.relaxation_time_s, 3) for one in found.space_charges)
    )
    return made


def _change(curve: Curve, place: int) -> float | None:
    first, now = curve[0], curve[place]
    return None if first is None or now is None else now - first


def _relaxations(found: Formation) -> Table:
    made = table("relaxation of linear response (s)", "share#")
    for one in found.relaxations:
        made.add_row(shown(one.time_s, 3), shown(one.share, 2))
    return made


def _following(found: QuasiEquilibrium, where: str) -> Table:
    made = table(
        "space charges of",
        "form within (s)",
        "follow up to (C)",
        "at 1C",
        title=f"In use, at {where}",
    )
    for label, one in found.rows():
        made.add_row(
            label,
            shown(one.relaxation_time_s, 3),
            shown(one.follows_up_to_c_rate, 3),
            one.verdict,
        )
    return made
