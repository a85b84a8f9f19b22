"""The report of a screening: heat maps of contacts and cells, the best, fronts and counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interohm.records.uncertainty import quantities
from interohm.report.heat_map import MAP_NOTE, heat_map, least_width_px
from interohm.report.next_calculations import NEXT_NOTE, NOTHING_NEXT, next_table
from interohm.report.page import figure, findings, lead, page, section, slider
from interohm.report.tables import NONE, Markup, shown, table, with_interval
from interohm.results.design import OUTSIDE
from interohm.results.screening import (
    UNKNOWN_CELLS_TEXT,
    ScreenedCell,
    ScreeningResult,
    ScreeningState,
    within_first,
)
from interohm.yaml_io import write_text

if TYPE_CHECKING:
    from interohm.records import Insulator, Metal
    from interohm.report.heat_map import Field
    from interohm.results.result import Quantiles

    Figure = dict[str, Any]
    Trace = dict[str, Any]

_LABELS = {
    "resistance_ohm_cm2": "resistance of the cell (Ω·cm²)",
    "interface_ohm_cm2": "resistance of the interfaces (Ω·cm²)",
    "space_charge_ohm_cm2": "space charge (Ω·cm²)",
    "charge_transfer_ohm_cm2": "charge transfer (Ω·cm²)",
    "coating_ohm_cm2": "coatings (Ω·cm²)",
    "bulk_ohm_cm2": "electrolyte (Ω·cm²)",
    "open_circuit_voltage_V": "open-circuit voltage (V)",
    "electron_barrier_eV": "barrier for electrons (eV)",
    "hole_barrier_eV": "barrier for holes (eV)",
    "stability_margin_V": "stability margin (V)",
    "negative_margin_V": "margin, negative side (V)",
    "positive_margin_V": "margin, positive side (V)",
    "potential_drop_V": "potential drop (V)",
}

#: Maps of cells and of contacts.
_CELL_MAPS = (
    "resistance_ohm_cm2",
    "interface_ohm_cm2",
    "electron_barrier_eV",
    "stability_margin_V",
)
#: What the tables of the best tell beside the output that ranks.
_TABLED = (*_CELL_MAPS[:3], "negative_margin_V", "positive_margin_V")
_CONTACT_MAPS = {
    "interface_ohm_cm2": "resistance (Ω·cm²)",
    **{name: _LABELS[name] for name in ("potential_drop_V", "electron_barrier_eV")},
}

_MARGIN_NOTE = (
    "Barriers go from the negative electrode over the highest conduction band of the cell. "
    "The stability margin is the distance from the electrodes' potentials to the limits of the "
    "window of the adjacent layer; a negative margin is outside of the window."
)
_COUNT_NOTE = (
    "All cells that fit, including those outside of this model. Values beyond the bins, such as "
    "resistances above 10³³ Ω·cm², are not drawn."
)
_RECORDS_NOTE = (
    "Assumed numbers have neither been measured nor calculated. Their uncertainties are included "
    "in every interval above."
)


def write_screening_report(
    path: str | Path,
    materials: Sequence[Insulator | Metal],
    document: ScreeningResult | Mapping[str, Any],
    *,
    remarks: Sequence[str] = (),
) -> None:
    """Write the report of a screening.

    Parameters
    ----------
    path : str or Path
        The HTML file; written whole or not at all.
    materials : sequence of Insulator or Metal
        Every record of the screening once.
    document : ScreeningResult or mapping
        Its results (`interohm.screening.run.run_screening`).
    remarks : sequence of str
        Further remarks for the reader.

    Raises
    ------
    InputError
        The file cannot be written.
    """
    result = ScreeningResult.read(document)
    figures: dict[str, Figure] = {}
    conditions = list(
        dict.fromkeys(
            (state.electrolyte_thickness_nm, state.temperature_K) for state in result.states
        )
    )
    thicknesses = [
        nm for nm in dict.fromkeys([result.thickness_nm, *(nm for nm, _ in conditions)]) if nm
    ]
    thick = " and ".join(shown(nm / 1000) for nm in thicknesses)
    charges = list(dict.fromkeys(state.state_of_charge for state in result.states))
    cells = len(result.negative) * len(result.electrolyte) * len(result.positive)
    body = [
        lead(
            f"{_electrodes('negative', result.negative)}, "
            f"{_number_of(len(result.electrolyte), 'electrolyte')} of {thick} µm and "
            f"{_electrodes('positive', result.positive)}: "
            f"{_number_of(cells, 'cell')} at open circuit."
        ),
        findings([*remarks, *_findings(result)]),
        slider(charges),
    ]
    for index, condition in enumerate(conditions):
        states = [
            state
            for state in result.states
            if (state.electrolyte_thickness_nm, state.temperature_K) == condition
        ]
        body += _sections(result, states, f"{index}", figures)
    body.append(section("Records", records_table(materials), note=_RECORDS_NOTE))
    write_text(path, page(result.screening, body, figures, charges))


def _number_of(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"


def _electrodes(side: str, names: Sequence[str]) -> str:
    """Return how many electrodes there are, and how many with each of their coatings counted."""
    metals = {name.partition(" + ")[0] for name in names}
    text = _number_of(len(metals), f"{side} electrode")
    coated = f" ({len(names)} with each coating counted)"
    return text + coated * (len(names) > len(metals))


def _findings(document: ScreeningResult) -> list[str]:
    lines = []
    for state in document.states:
        at = f"{state.conditions_text}: "
        if state.not_sums:
            lines.append(
                f"{at}{state.not_sums} cells are not the sum of their contacts; "
                f"{state.solved_whole} of them have been solved as a whole"
            )
        outside = sum(bool(cell.outside_of_model) for cell in state.listed or [])
        if outside:
            lines.append(
                f"{at}{outside} cells are outside of this model, however low their resistance "
                "looks: phases react or decompose at a contact, and what forms there is not "
                "described"
            )
        unknown = sum(cell.outside_of_model is None for cell in state.listed or [])
        if unknown:
            of = len(state.listed or [])
            lines.append(f"{at}the stability of {unknown} of {of} cells {UNKNOWN_CELLS_TEXT}")
        if state.without_resistance:
            lines.append(f"{at}{state.without_resistance} cells have no resistance")
        for output, ranking in state.rankings.items():
            if ranking.kept_of_best < 0.5 and ranking.best_of < len(ranking.cells):
                lines.append(
                    f"{at}within the records' uncertainties only "
                    f"{100 * ranking.kept_of_best:.0f} % of the best {ranking.best_of} by "
                    f"{_LABELS[output].rpartition(' (')[0]} stay among them"
                )
    return lines


def _sections(
    document: ScreeningResult, states: list[ScreeningState], key: str, figures: dict[str, Figure]
) -> list[Markup]:
    at = f" at {shown(states[0].temperature_K)} K"
    if states[0].electrolyte_thickness_nm is not None:
        at += f", electrolytes of {shown(states[0].electrolyte_thickness_nm / 1000)} µm"

    def drawn(name: str, made: Figure, description: str, *, least_px: int | None = None) -> Markup:
        figures[f"{name}-{key}"] = made
        return figure(f"{name}-{key}", description, least_px=least_px)

    def drawn_map(name: str, made: Figure, description: str) -> Markup:
        return drawn(name, made, description, least_px=least_width_px(made))

    found = []
    if all(state.listed is not None for state in states):
        maps = [
            drawn_map(
                f"cells-{output}", _cell_map(document, states, output), f"Cells: {_LABELS[output]}"
            )
            for output in _CELL_MAPS
        ]
        found.append(section(f"Cells{at}", *maps, note=f"{MAP_NOTE} {_MARGIN_NOTE}"))
    if all(state.contacts is not None for state in states):
        maps = [
            drawn_map(
                f"contacts-{field}",
                _contact_map(document, states, field),
                f"Contacts: {label}",
            )
            for field, label in _CONTACT_MAPS.items()
        ]
        found.append(section(f"Contacts{at}", *maps, note=MAP_NOTE))
    found.append(section(f"The best{at}", *(_best_table(states, o) for o in states[0].best)))
    nexts = [_next_table(states, output) for output in states[0].rankings]
    if nexts:
        note = NEXT_NOTE if any(nexts) else NOTHING_NEXT
        found.append(section(f"What to do next{at}", *nexts, note=note))
    fronts = [
        drawn(
            f"front-{index}",
            _front_figure(states, index),
            " and ".join(_LABELS[output] for output in front.outputs),
        )
        for index, front in enumerate(states[0].pareto)
        if len(front.outputs) == 2
    ]
    if fronts:
        note = (
            "Cells that no other beats in both outputs, among all that fit. Cells marked ✕ are "
            "outside of this model and in no front."
        )
        found.append(section(f"Fronts{at}", *fronts, note=note))
    counted = [
        drawn(f"count-{output}", _histogram(states, output), f"Cells by {_LABELS[output]}")
        for output in states[0].histograms
    ]
    if counted:
        found.append(section(f"How many cells{at}", *counted, note=_COUNT_NOTE))
    return found


def _cell_map(document: ScreeningResult, states: list[ScreeningState], output: str) -> Figure:
    electrolytes, positives = document.electrolyte, document.positive
    x = (
        [electrolyte for electrolyte in electrolytes for _ in positives],
        [positive for _ in electrolytes for positive in positives],
    )
    columns = list(zip(*x, strict=True))
    frames, outside = [], []
    for state in states:
        spread = {cell.index: cell.quantiles for cell in state.ranked(output)}
        marked = {
            (cell.negative, cell.electrolyte, cell.positive): bool(cell.outside_of_model)
            for cell in state.listed or []
        }
        outside.append(
            [[marked[negative, *column] for column in columns] for negative in document.negative]
        )
        at = {
            (cell.negative, cell.electrolyte, cell.positive): (
                getattr(cell, output),
                spread.get(cell.index),
            )
            for cell in state.listed or []
        }
        frames.append(
            [[at[negative, *column] for column in columns] for negative in document.negative]
        )
    return heat_map(
        _LABELS[output],
        x,
        document.negative,
        frames,
        logarithmic=output.endswith("_ohm_cm2"),
        outside=outside,
    )


def _contact_map(document: ScreeningResult, states: list[ScreeningState], field: str) -> Figure:
    sides = [("negative", name) for name in document.negative]
    sides += [("positive", name) for name in document.positive]
    x = ([side for side, _ in sides], [name for _, name in sides])
    frames, outside = [], []
    for state in states:
        rows: list[list[Field]] = []
        marks: list[list[bool]] = []
        for index in range(len(document.electrolyte)):
            row: list[Field] = []
            marked: list[bool] = []
            maps = state.contacts
            for side in () if maps is None else (maps.negative, maps.positive):
                values = getattr(side, field)[index]
                spread = side.interface_quantiles[index]
                if field != "interface_ohm_cm2":
                    spread = [None] * len(values)
                row += zip(values, spread, strict=True)
                # screenings of earlier versions do not have it
                known = side.outside_of_model[index] if side.outside_of_model else []
                marked += map(bool, known or [None] * len(values))
            rows.append(row)
            marks.append(marked)
        frames.append(rows)
        outside.append(marks)
    return heat_map(
        _CONTACT_MAPS[field],
        x,
        document.electrolyte,
        frames,
        logarithmic=field.endswith("_ohm_cm2"),
        outside=outside,
    )


def _best_table(states: list[ScreeningState], output: str) -> Markup:
    rows, places = [], []
    others = [name for name in _TABLED if name != output]
    for index, state in enumerate(states):
        sure = {cell.index: cell for cell in state.ranked(output)}
        for rank, cell in enumerate(within_first(state.best[output]), start=1):
            known = sure.get(cell.index)
            spread = None if known is None else known.quantiles
            # what lies outside of the model is never the best
            chance = None if known is None or cell.verdict else known.probability_best
            places.append(index)
            rows.append(
                (
                    str(rank),
                    cell.negative,
                    cell.electrolyte,
                    cell.positive,
                    shown(getattr(cell, output), 4),
                    with_interval(None if spread is None else spread["p50"], spread, 3),
                    NONE if chance is None else f"{100 * chance:.0f}",
                    NONE if known is None or known.rank is None else _ranks(known.rank),
                    *(shown(getattr(cell, name), 3) for name in others),
                    _doubts(cell),
                )
            )
    label = _LABELS[output]
    return table(
        (
            "",
            "negative",
            "electrolyte",
            "positive",
            label,
            "median; 5 to 95 %",
            "is the best, %",
            "rank, 5 to 95 %",
            *(_LABELS[name] for name in others),
            "doubts",
        ),
        rows,
        numeric=(0, *range(4, 8 + len(others))),
        states=places if len(states) > 1 else None,
        only_current=True,
        caption=f"By {label.rpartition(' (')[0]}",
    )


def _ranks(quantiles: Quantiles) -> str:
    """Return an interval of ranks, which are whole."""
    return f"{quantiles['p05']:.0f} … {quantiles['p95']:.0f}"


def _next_table(states: list[ScreeningState], output: str) -> Markup:
    told = [state.rankings[output].next if output in state.rankings else [] for state in states]
    if not any(told):
        return Markup("")
    return next_table(told, caption=f"To choose by {_LABELS[output].rpartition(' (')[0]}")


def _doubts(cell: ScreenedCell) -> str | Markup:
    """Return whether a cell is outside of the model, and its doubts, to be opened."""
    codes = cell.validity or []
    if not codes:
        return cell.verdict or NONE
    names = ", ".join(code.replace("_", " ") for code in codes)
    opened = f"<details><summary>{len(codes)}</summary>{escape(names)}</details>"
    return Markup(cell.verdict + opened)


def _axis(output: str) -> Figure:
    return {
        "title": {"text": _LABELS[output], "standoff": 10},
        "type": "log" if output.endswith("_ohm_cm2") else "linear",
        "exponentformat": "power",
        "automargin": True,
        "gridcolor": "var(--grid)",
    }


def _front_figure(states: list[ScreeningState], index: int) -> Figure:
    first, second = states[0].pareto[index].outputs

    def points(
        cells: Sequence[ScreenedCell], name: str, colour: str, mode: str, symbol: str = "circle"
    ) -> Trace:
        return {
            "type": "scatter",
            "mode": mode,
            "name": name,
            "x": [getattr(cell, first) for cell in cells],
            "y": [getattr(cell, second) for cell in cells],
            "text": [escape(cell.name) for cell in cells],
            "hovertemplate": "%{text}<br>%{x:.3g}, %{y:.3g}<extra></extra>",
            "marker": {"color": colour, "size": 8, "symbol": symbol},
            "line": {"color": colour, "shape": "hv"},
        }

    def never_best(state: ScreeningState) -> list[ScreenedCell]:
        return [cell for cell in state.listed or [] if cell.verdict]

    # the same in each frame, or its legend would change
    greys = {cell.verdict for state in states for cell in never_best(state)}
    grey = " or ".join(sorted(greys)) or OUTSIDE
    frames = [
        [
            points(
                never_best(state),
                grey,
                "var(--muted)",
                "markers",
                "x-thin-open",
            ),
            points(
                [cell for cell in state.listed or [] if not cell.verdict],
                "other cells",
                "var(--total)",
                "markers",
            ),
            points(
                state.pareto[index].cells,
                "the front",
                "var(--charge-transfer)",
                "lines+markers",
            ),
        ]
        for state in states
    ]
    layout = {
        "xaxis": _axis(first),
        "yaxis": _axis(second),
        "height": 380,
        "margin": {"l": 20, "r": 20, "t": 10, "b": 20},
        "legend": {"orientation": "h", "x": 0, "y": 1.08},
    }
    return {"layout": layout, "frames": frames}


def _histogram(states: list[ScreeningState], output: str) -> Figure:
    frames = []
    middle: Callable[[float, float], float] = (
        (lambda a, b: (a * b) ** 0.5) if output.endswith("_ohm_cm2") else (lambda a, b: (a + b) / 2)
    )
    for state in states:
        counted = state.histograms[output]
        bins = [
            (middle(low, high), high - low, count)
            for low, high, count in zip(counted.low, counted.high, counted.count, strict=True)
            if low is not None and high is not None
        ]
        frames.append(
            [
                {
                    "type": "bar",
                    "x": [x for x, _, _ in bins],
                    "y": [count for _, _, count in bins],
                    "width": [width for _, width, _ in bins],
                    "marker": {"color": "var(--drop)", "line": {"width": 0}},
                    "hovertemplate": "%{x:.3g}: %{y} cells<extra></extra>",
                }
            ]
        )
    layout = {
        "xaxis": {**_axis(output), "nticks": 6},
        "yaxis": {"title": {"text": "cells"}, "gridcolor": "var(--grid)", "automargin": True},
        "height": 260,
        "margin": {"l": 20, "r": 20, "t": 10, "b": 20},
        "showlegend": False,
    }
    return {"layout": layout, "frames": frames}


def records_table(records: Sequence[Insulator | Metal]) -> Markup:
    """Return how many numbers each record has, and how many of them are assumed."""
    rows = []
    for record in records:
        numbers = [quantity for _, quantity in quantities(record)]
        assumed = sum(quantity.assumed for quantity in numbers)
        rows.append((record.name, record.kind, str(len(numbers)), str(assumed)))
    return table(("record", "kind", "numbers", "of these assumed"), rows, numeric=(2, 3))
