"""A screening as tables for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interohm.cli.output import console, shown, table

if TYPE_CHECKING:
    from rich.table import Table

    from interohm.results.screening import (
        RankedCell,
        ScreenedCell,
        ScreeningResult,
        ScreeningState,
    )

#: Rows of a front that a table shows.
_FRONT_ROWS = 12

_COLUMNS = {
    "resistance (Ω·cm²)": "resistance_ohm_cm2",
    "interface (Ω·cm²)": "interface_ohm_cm2",
    "voltage (V)": "open_circuit_voltage_V",
    "electron barrier (eV)": "electron_barrier_eV",
    "stability margin (V)": "stability_margin_V",
}


def print_screening(document: ScreeningResult) -> None:
    """Print the results of a screening."""
    out = console()
    for state in document.states:
        conditions = f"{state.temperature_K:g} K, state of charge {state.state_of_charge:g}"
        for output, cells in state.best.items():
            sure = {cell.index: cell for cell in state.ranked(output)}
            out.print(_cells(f"best by {output} ({conditions})", cells, sure))
        for front in state.pareto:
            title = f"beaten by no other in {' and '.join(front.outputs)} ({conditions})"
            made = _cells(title, front.cells[:_FRONT_ROWS], {})
            if len(front.cells) > _FRONT_ROWS:
                made.caption = f"and {len(front.cells) - _FRONT_ROWS} more (--json)"
            out.print(made)
        for line in remarks(state):
            out.print(line)


def _cells(title: str, cells: list[ScreenedCell], sure: dict[int, RankedCell]) -> Table:
    more = ("median#", "rank, 5 to 95 %#", "among the best, %") if sure else ()
    last = ("validity",) if any(cell.validity for cell in cells) else ()
    made = table("#", "negative", "electrolyte", "positive", *_COLUMNS, *more, *last, title=title)
    for index, cell in enumerate(cells, start=1):
        row = [str(index), cell.negative, cell.electrolyte, cell.positive]
        row += [shown(getattr(cell, field)) for field in _COLUMNS.values()]
        if sure:
            known = sure.get(cell.index)  # not of those beyond `survivors`
            quantiles = None if known is None else known.quantiles
            row.append("–" if quantiles is None else shown(quantiles["p50"]))
            rank = None if known is None else known.rank
            row.append("–" if rank is None else f"{rank['p05']:.0f} … {rank['p95']:.0f}")
            share = None if known is None else known.probability_among_best or 0.0
            row.append("–" if share is None else f"{100 * share:.0f}")
        if last:
            row.append(", ".join(cell.validity or []))
        made.add_row(*row)
    return made


def remarks(state: ScreeningState) -> list[str]:
    """Return what must be known beside the numbers of one state of charge."""
    lines = [f"{state.cells} cells, {state.fitting} of them fit"]
    if state.not_sums:
        lines.append(
            f"{state.not_sums} cells are not the sum of their contacts (the electrolyte is too "
            f"thin, or not neutral by its ions alone); {state.solved_whole} of them have been "
            "solved whole" + ("" if state.solved_whole else ", the others have no resistance")
        )
    if state.without_resistance:
        lines.append(f"{state.without_resistance} fitting cells have no resistance")
    for output, ranking in state.rankings.items():
        correlation = ranking.rank_correlation
        lines.append(
            f"ranking by {output}: {ranking.samples} samples of all uncertainties keep "
            f"{100 * ranking.kept_of_best:.0f} % of the best {ranking.best_of}"
            + (
                ""
                if correlation is None
                else f"; rank correlation {correlation['p50']:.2f} "
                f"({correlation['p05']:.2f} … {correlation['p95']:.2f})"
            )
        )
    return lines
