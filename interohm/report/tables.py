"""Tables of the report as HTML: results, inputs, remarks. Every text is escaped here, once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape
from math import floor, log10
from typing import TYPE_CHECKING

from interohm.report.budget import Part, known_rows
from interohm.results.cell import CellState
from interohm.results.contact_sides import SIDES
from interohm.results.result import INTERVAL

if TYPE_CHECKING:
    from interohm.results.contact import CellContact, ContactResult
    from interohm.results.result import Quantiles

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

#: A hyphen that is the sign of a number, and not part of a name, an exponent or a range.
_HYPHEN = re.compile(r"(?<![^\s(\[=])-(?=\.?\d)")

#: What stands where there is no number.
NONE = "–"


class Markup(str):
    """Text that is HTML already; everything else is escaped on its way into a table."""

    __slots__ = ()


def markup(value: object) -> str:
    """Return HTML for a value; numbers in texts have the minus sign that `shown` writes."""
    return value if isinstance(value, Markup) else escape(_HYPHEN.sub("−", str(value)))


def shown(value: float | None, digits: int = 4) -> str:
    """Return a number for people: 3.2×10⁵ rather than 3.2e+05."""
    if value is None:
        return NONE
    if value == 0:
        return "0"
    power = floor(log10(abs(float(f"{value:.{digits - 1}e}"))))
    if -3 <= power < 4:
        text = f"{value:.{max(digits - 1 - power, 0)}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
    else:
        mantissa = f"{value / 10.0**power:.{digits - 1}f}".rstrip("0").rstrip(".")
        text = f"{mantissa}×10{str(power).translate(_SUPERSCRIPTS)}"
        text = text.replace("1×", "", 1) if mantissa in ("1", "-1") else text
    return text.replace("-", "−", 1)


def fixed(value: float | None, decimals: int) -> str:
    """Return a number with as many decimals as all others of its column."""
    return NONE if value is None else f"{value:z.{decimals}f}".replace("-", "−")


def interval(quantiles: Quantiles | None, digits: int = 3) -> str:
    """Return the interval from 5 to 95 %."""
    if quantiles is None:
        return NONE
    return f"{shown(quantiles['p05'], digits)} … {shown(quantiles['p95'], digits)}"


def with_interval(
    value: float | None,
    quantiles: Quantiles | None,
    digits: int = 4,
    *,
    decimals: int | None = None,
) -> str | Markup:
    """Return a number and, in a line below it, its interval where there is one.

    Both have that many decimals where they are given, and significant digits otherwise.
    """
    text = shown(value, digits) if decimals is None else fixed(value, decimals)
    if value is None or quantiles is None:
        return text
    spread = interval(quantiles, 3)
    if decimals is not None:
        spread = " … ".join(fixed(end, decimals) for end in (quantiles["p05"], quantiles["p95"]))
    return Markup(f"{text}<br><small>{spread}</small>")


def counted(text: str | Markup, some: int | None, samples: int | None) -> str | Markup:
    """Return an interval, with their number where not all samples have what it is of."""
    if some is None or samples is None or some == samples:
        return text
    small = f" <small>({some} of {samples})</small>"
    return Markup(markup(text) + small)


def table(
    heads: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    numeric: Sequence[int] = (),
    states: Sequence[int] | None = None,
    only_current: bool = False,
    caption: str | None = None,
) -> Markup:
    """Return a table; a column of intervals is left out where none is known (without samples).

    Parameters
    ----------
    heads : sequence of str
        Headings of the columns.
    rows : iterable of sequences
        Values; a `Markup` goes in as it is.
    numeric : sequence of int
        Columns that are aligned right.
    states : sequence of int, optional
        Which state of charge each row is about: the current one is highlighted.
    only_current : bool
        Show the rows of the current state alone.
    caption : str, optional
        Above the table.
    """
    rows = [tuple(row) for row in rows]
    kept = [
        column
        for column, head in enumerate(heads)
        if INTERVAL not in head or any(str(row[column]) not in ("", NONE) for row in rows)
    ]

    def cell(tag: str, column: int, value: object) -> str:
        style = ' class="number"' if column in numeric else ""
        scope = ' scope="col"' if tag == "th" else ""
        return f"<{tag}{scope}{style}>{markup(value)}</{tag}>"

    lines = ['<div class="scroll"><table>']
    if caption:
        lines.append(f"<caption>{markup(caption)}</caption>")
    lines.append(f"<thead><tr>{''.join(cell('th', i, heads[i]) for i in kept)}</tr></thead>")
    lines.append("<tbody>")
    for index, row in enumerate(rows):
        state = ""
        if states is not None:
            kind = "only" if only_current else "mark"
            state = f' data-state="{states[index]}" data-kind="{kind}"'
        lines.append(f"<tr{state}>{''.join(cell('td', i, row[i]) for i in kept)}</tr>")
    lines.append("</tbody></table></div>")
    return Markup("".join(lines))


def states_table(states: Sequence[CellState]) -> Markup:
    """Return voltage and resistance of each state of charge."""
    rows, some_have_none = [], False
    for state in states:
        quantiles = state.spreads()
        some, samples = quantiles.log10_samples, quantiles.samples
        spread = quantiles.log10_resistance
        some_have_none |= None not in (spread, some) and some != samples
        rows.append(
            (
                shown(state.state_of_charge),
                shown(state.open_circuit_voltage_V),
                interval(quantiles.open_circuit_voltage_V),
                shown(state.area_specific_resistance_ohm_cm2, 3),
                interval(quantiles.area_specific_resistance_ohm_cm2, 2),
                NONE if spread is None else counted(interval(spread), some, samples),
            )
        )
    return table(
        (
            "state of charge",
            "V_OC (V)",
            "5 to 95 %",
            "ASR (Ω·cm²)",
            "5 to 95 %",
            "log10, 5 to 95 %",
        ),
        rows,
        numeric=range(6),
        states=range(len(states)) if len(states) > 1 else None,
        caption="(m of n): of the m samples whose resistance is positive"
        if some_have_none
        else None,
    )


def contacts_table(states: Sequence[CellState | ContactResult]) -> Markup:
    """Return the numbers of the contacts, a column for each, at each state of charge.

    Numbers that no contact has, as the Debye length of a metal, are left out.
    """
    by_state = [
        _contact_rows(state.contacts if isinstance(state, CellState) else [state])
        for state in states
    ]
    known = [
        name
        for name in by_state[0]
        if any(value != NONE for rows in by_state for value in rows[name])
    ]
    first = states[0]
    contacts = first.contacts if isinstance(first, CellState) else [first]
    return table(
        ("", *(contact.name for contact in contacts)),
        [(name, *rows[name]) for rows in by_state for name in known],
        numeric=range(1, 1 + len(contacts)),
        states=[index for index in range(len(states)) for _ in known] if len(states) > 1 else None,
        only_current=True,
    )


def _contact_rows(contacts: Sequence[CellContact]) -> dict[str, list[str | Markup]]:
    """Return each number of some contacts with its interval, by its name and unit."""
    rows: dict[str, list[str | Markup]] = {}
    for contact in contacts:
        spreads = contact.spreads()
        lengths, distances = spreads.debye_length_nm, spreads.distance_nm or {}
        values: dict[str, str | Markup] = {
            "potential drop (V)": with_interval(contact.potential_drop_V, spreads.potential_drop_V),
            "dipole (V)": shown(contact.dipole_V),
            "sheet charge (e/nm²)": with_interval(
                contact.sheet_charge_e_nm2, spreads.sheet_charge_e_nm2
            ),
            "capacitance, integral (µF/cm²)": with_interval(
                contact.capacitance_uF_cm2, spreads.capacitance_uF_cm2, 3
            ),
            "capacitance, differential (µF/cm²)": with_interval(
                contact.differential_capacitance_uF_cm2, spreads.differential_capacitance_uF_cm2, 3
            ),
        }
        for side in SIDES:
            values[f"Debye length, {side} (nm)"] = with_interval(
                contact.debye_length_nm[side], None if lengths is None else lengths[side], 3
            )
        for key, share in (("x50", 50), ("x90", 90), ("x99", 99)):
            for side in SIDES:
                values[f"{share} % of the drop within, {side} (nm)"] = with_interval(
                    getattr(contact.distance_nm.get(side), key, None),
                    getattr(distances.get(side), key, None),
                    3,
                )
        for name, value in values.items():
            rows.setdefault(name, []).append(value)
    return rows


def parts_table(budgets: Sequence[Sequence[Part]]) -> Markup:
    """Return the parts of the resistance at each state of charge."""
    rows, places = [], []
    known = known_rows(budgets)
    for index, budget in enumerate(budgets):
        for part in (budget[row] for row in known):
            value = part.value_ohm_cm2
            total = part.step == "total"
            places.append(index)
            rows.append(
                (
                    Markup(f"<b>{escape(part.label)}</b>") if total else part.label,
                    shown(value, 3),
                    NONE if value is None or value <= 0 else shown(log10(value), 3),
                    interval(part.interval_ohm_cm2, 2),
                )
            )
    return table(
        ("part", "resistance (Ω·cm²)", "log10", "5 to 95 % (Ω·cm²)"),
        rows,
        numeric=range(1, 4),
        states=places if len(budgets) > 1 else None,
        only_current=True,
    )
