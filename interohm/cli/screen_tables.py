"""A screening as tables for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interohm.cli.output import console, shown, table
from interohm.cli.tables import next_steps
from interohm.results.screening import UNKNOWN_CELLS_TEXT, within_first

if TYPE_CHECKING:
    from rich.table import Table

    from interohm.results.screening import (
        Ranking,
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
    "margin negative (V)": "negative_margin_V",
    "margin positive (V)": "positive_margin_V",
}

#: Number of calculations that are listed.
_NEXT_ROWS = 5


def print_screening(document: ScreeningResult) -> None:
    """Print the results of a screening."""
    out = console()
    for state in document.states:
        conditions = state.conditions_text
        for output, cells in state.best.items():
            title = f"best by {output} ({conditions})"
            out.print(_cells(title, cells, state.rankings.get(output)))
        for front in state.pareto:
            title = f"front of {' and '.join(front.outputs)} ({conditions})"
            made = _cells(title, front.cells[:_FRONT_ROWS], None)
            if len(front.cells) > _FRONT_ROWS:
                made.caption = f"and {len(front.cells) - _FRONT_ROWS} more (--json)"
            out.print(made)
        told = [*state.best.values(), *(front.cells[:_FRONT_ROWS] for front in state.pareto)]
        for line in [*_validity([cell for cells in told for cell in cells]), *remarks(state)]:
            out.print(line)


def _cells(title: str, cells: list[ScreenedCell], ranking: Ranking | None) -> Table:
    more: tuple[str, ...] = ()
    choice = ranking is not None and ranking.best_of < len(ranking.cells)
    if ranking is not None:
        more = ("median#", "rank, 5 to 95 %#", "is the best, %")
        if choice:
            # of all, it would be certain
            more = (*more, f"among the best {ranking.best_of}, %")
    last = ("verdict",) if any(cell.verdict for cell in cells) else ()
    made = table("#", "negative", "electrolyte", "positive", *_COLUMNS, *more, *last, title=title)
    sure = {} if ranking is None else {cell.index: cell for cell in ranking.cells}
    for index, cell in enumerate(within_first(cells), start=1):
        row = [str(index), cell.negative, cell.electrolyte, cell.positive]
        row += [shown(getattr(cell, field)) for field in _COLUMNS.values()]
        if ranking is not None:
            known = sure.get(cell.index)  # not of those beyond `survivors`
            quantiles = None if known is None else known.quantiles
            row.append("–" if quantiles is None else shown(quantiles["p50"]))
            rank = None if known is None else known.rank
            row.append("–" if rank is None else f"{rank['p05']:.0f} … {rank['p95']:.0f}")
            # what is not known to be within the model is never the best
            best = None if known is None or cell.verdict else known.probability_best or 0.0
            row.append(_share(best))
            if choice:
                row.append(_share(None if known is None else known.probability_among_best or 0.0))
        if "verdict" in last:
            row.append(cell.verdict)
        made.add_row(*row)
    return made


def _validity(cells: list[ScreenedCell]) -> list[str]:
    """Return the codes of doubts once, each set with the cells that have it."""
    names: dict[tuple[str, ...], dict[str, None]] = {}
    for cell in cells:
        names.setdefault(tuple(sorted(cell.validity or ())), {})[cell.name] = None
    lines = []
    for codes, having in names.items():
        if codes:
            who = "all cells above" if len(names) == 1 else "; ".join(having)
            lines.append(f"validity ({', '.join(codes)}): {who}")
    if lines:
        lines.append("`interohm contact` states these doubts in words")
    return lines


def winner(ranking: Ranking) -> list[str]:
    """Return which cell is most likely the best of those that this model describes."""
    within = [cell for cell in ranking.cells if not cell.verdict]
    outside = sum(bool(cell.outside_of_model) for cell in ranking.cells)
    unknown = len(ranking.cells) - len(within) - outside
    found = []
    first = max(within, key=lambda cell: cell.probability_best or 0.0, default=None)
    if first is not None:
        found.append(f"{first.name} is the best in {_share(first.probability_best)} %")
    if outside:
        found.append(
            f"{outside} of {len(ranking.cells)} cells are outside of this model (phases react or "
            "decompose at a contact) and none of them is called the best, however low its value"
        )
    if unknown:
        found.append(
            f"the stability of {unknown} of {len(ranking.cells)} cells {UNKNOWN_CELLS_TEXT}"
        )
    if outside and not within:
        found.append('`where: "stability_margin_V >= 0"` leaves them out of the ranking')
    return found


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f}"


def remarks(state: ScreeningState) -> list[str]:
    """Return what must be known beside the numbers of one state of charge."""
    lines = [f"{state.cells} cells, {state.fitting} of which meet the conditions"]
    if state.not_sums:
        lines.append(
            f"{state.not_sums} cells are not the sum of their contacts (the electrolyte is too "
            f"thin, or not neutral by its ions alone); {state.solved_whole} of them have been "
            "solved as a whole" + ("" if state.solved_whole else ", the others have no resistance")
        )
    if state.without_resistance:
        lines.append(f"{state.without_resistance} matching cells have no resistance")
    for output, ranking in state.rankings.items():
        correlation = ranking.rank_correlation
        said = [f"{ranking.samples} samples of all uncertainties", *winner(ranking)]
        if ranking.best_of < len(ranking.cells):
            kept = 100 * ranking.kept_of_best
            said.append(f"{kept:.0f} % of the best {ranking.best_of} stay among them")
        if correlation is not None:
            said.append(
                f"rank correlation {correlation['p50']:.2f} "
                f"({correlation['p05']:.2f} … {correlation['p95']:.2f})"
            )
        lines.append(f"ranking by {output}: {'; '.join(said)}")
        if ranking.next:
            lines.append("what to do next, the most worthwhile first:")
            lines += next_steps(ranking.next, _NEXT_ROWS)
    return lines
