"""The report of a design: coatings side by side, over their thickness, and what to do next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interohm.report.curves import DASHES, SERIES, decades
from interohm.report.doping_figure import doping_figure
from interohm.report.next_calculations import NEXT_NOTE, NOTHING_NEXT, next_table
from interohm.report.page import figure, findings, keys, lead, page, section
from interohm.report.screening import records_table
from interohm.report.tables import NONE, Markup, interval, shown, table, with_interval
from interohm.results.design import DesignCandidate, DesignResult
from interohm.results.percents import sampled_percent
from interohm.yaml_io import write_text

if TYPE_CHECKING:
    from interohm.records import Insulator, Metal

    Figure = dict[str, Any]
    Trace = dict[str, Any]

#: Axis of thicknesses; plotly would write the 2 of 20 alone.
_THICKNESSES = {
    "type": "log",
    "tickvals": [digit * 10**power for power in range(-1, 6) for digit in (1, 2, 5)],
    "gridcolor": "var(--grid)",
}
#: Curves that a figure shows; more are in the table.
_MOST_CURVES = 6
#: Decades above the smallest median at which an axis of resistances ends, whatever blocks ions.
_MOST_DECADES = 12
#: Of the points of so many coatings each.
_SYMBOLS = ("circle", "diamond", "square", "triangle-up")

_VERDICT_NOTE = (
    "An eligible candidate keeps each limit in at least half of the samples. One that breaks a "
    "limit may still be the best: in the share of the samples in which it keeps all limits and has "
    "the lowest resistance. A contact is outside of this model if it reacts by the energies of its "
    "phase diagram, or if it leaves its windows by more than the limit allows in more than 95 % of "
    "the samples: what forms there is not described, and it is never the best. Nor is a candidate "
    "whose stability is unknown: a contact of it has no margin, which a limit asks for. "
    "“Keeps limits” is the share of the samples that keep all limits at once. Eligible candidates "
    "come first, then those that break a limit, those that are more often the best before others, "
    "and those that are equal to a percent by their median R. A high resistance breaks no limit. "
    "The largest thickness is that up to which the median R keeps its bound: ≥ where the range "
    "ends there, none where R is above it everywhere. In parentheses is its 68 % interval, "
    "by the sampling error of the median. After ± is the standard error of a share of so few "
    "samples."
)
_CURVE_NOTE = (
    "Median over the samples of all uncertainties, at the state of charge with the highest "
    "resistance; {} 5 to 95 %. The model does not "
    "include tunnelling and pinholes: choose the thinnest closed film that you can make."
)
_BOUND_NOTE = " The dashed line is the resistance for which the table has the largest thickness."
_GREY_NOTE = " Grey curves (✕) are outside of this model."
_FIRST_NOTE = f" The figure shows the first {_MOST_CURVES} coatings of the table."
_LAYERS_NOTE = (
    "Of what was tried, the optimum has the lowest mean of log10 R over the samples; its median R "
    "may be above that of the same layers undoped. Where it is at the end of a range, a better "
    "value may lie beyond."
)
_SIDE_NOTE = (
    "At the electrode: from its potential to the nearer limit of the coating's stability window. "
    "At the electrolyte: the overlap of both windows, where a potential exists that both "
    "withstand. Without a coating, the electrolyte is at the potential of the electrode. Negative "
    "margins lie outside of a window."
)


def write_design_report(
    path: str | Path,
    materials: Sequence[Insulator | Metal],
    document: DesignResult | Mapping[str, Any],
    *,
    remarks: Sequence[str] = (),
) -> None:
    """Write the report of a design.

    Parameters
    ----------
    path : str or Path
        The HTML file; written whole or not at all.
    materials : sequence of Insulator or Metal
        Every record of the design once.
    document : DesignResult or mapping
        Its results (`interohm.prediction.design.design_result`).
    remarks : sequence of str
        Further remarks for the reader.

    Raises
    ------
    InputError
        The file cannot be written.
    """
    result = DesignResult.read(document)
    listed = result.ranked()
    ranked = [one for one in listed if one.name != result.uncoated.name]
    pair = " and ".join(result.between)
    charges = ", ".join(shown(charge) for charge in result.states_of_charge)
    best = next((one for one in listed if one.name == result.best), None)
    bound = result.limits.get("interface_resistance_ohm_cm2")
    figures: dict[str, Figure] = {"thickness": _thickness_figure(ranked, bound)}
    body = [
        lead(
            f"Coatings between {pair} at {shown(result.temperature_K)} K, the worst of the states "
            f"of charge {charges}; {result.samples} samples of the records' uncertainties."
        ),
        findings([*remarks, *_findings(result, best)]),
    ]
    if best is not None and best.optimum_nm is not None:
        body.append(keys(_keys(best, result.samples)))
    body += [
        section("Limits", _limits_table(result)),
        section("Coatings", _candidates_table(result), note=_VERDICT_NOTE),
        section(
            "Resistance over the thickness",
            figure("thickness", "Resistance of each coating over its thickness"),
            note=_curve_note(ranked, bound),
        ),
        section("Reactions and windows", _contacts_table(listed)),
        section("What a coating does for each side", _sides_table(ranked), note=_SIDE_NOTE),
    ]
    made = [one for one in ranked if one.is_modified]
    if made:
        body.append(section("Layers at the optimum", _layers_table(made), note=_LAYERS_NOTE))
    doping = doping_figure(made[:_MOST_CURVES])
    if doping is not None:
        figures["doping"] = doping
        body.append(
            section("Doping at the optimum", figure("doping", "Doping across each coating"))
        )
    if result.front:
        figures["front"] = _front_figure(result, ranked)
        note = (
            "No other point is better than these in all of resistance, electron barrier, "
            "stability margin and thickness."
        )
        drawn = figure("front", "Median resistance and thickness of the points of the front")
        title = "Front of resistance, barrier, margin and thickness"
        body.append(section(title, drawn, note=note + _beyond(_front_medians(result))))
    known = [next_table([result.next])] if result.next else []
    note = NEXT_NOTE if known else NOTHING_NEXT
    body.append(section("What to do next", *known, note=note))
    body.append(section("Records", records_table(materials)))
    write_text(path, page(result.design, body, figures, [0.0]))


def _findings(result: DesignResult, best: DesignCandidate | None) -> list[str]:
    lines = []
    if result.best_remark:
        lines.append(result.best_remark)
    if other := result.more_often_best():
        lines.append(other)
    if result.margin is not None:
        lines.append(result.margin.text)
    if remark := result.windows_remark():
        lines.append(remark)
    if best is None:
        lines.append("no coating is eligible: the table says why")
    elif best.at_bound == "thinnest":
        lines.append(
            f"the resistance of {best.name} grows with the thickness: the optimum is the thinnest "
            "film that was asked for"
        )
    if result.none_probability >= 0.005:
        lines.append(
            f"in {sampled_percent(result.none_probability, result.samples)} of the samples no "
            f"candidate {result.keeps} all limits"
        )
    if result.uncoated.outside_of_model:
        lines.append(
            f"without a coating, {' and '.join(result.between)} react or decompose: that contact "
            "is outside of this model, however low its resistance looks"
        )
    return lines


def _keys(best: DesignCandidate, samples: int) -> list[tuple[str, str, str]]:
    spread = best.quantiles.get("interface_resistance_ohm_cm2")
    return [
        (
            "Best of the eligible ones",
            best.name,
            f"in {sampled_percent(best.best_probability, samples)} of the samples",
        ),
        ("Optimum", f"{shown(best.optimum_nm, 3)} nm", best.at_bound or ""),
        (
            "Median interface resistance",
            f"{shown(best.interface_resistance_ohm_cm2, 3)} Ω·cm²",
            interval(spread, 2),
        ),
    ]


def _limits_table(result: DesignResult) -> Markup:
    limit = result.limits.get

    margins = limit("stability_margin_V") or {}

    def bounded(words: str, name: str, unit: str) -> str:
        value = margins.get(name) if name in ("left", "right") else limit(name)
        return "no limit" if value is None else f"{words} {shown(value, 3)} {unit}"

    rows = [
        *(
            (f"stability margin next to {phase}", bounded("at least", side, "V"))
            for phase, side in zip(result.between, ("left", "right"), strict=True)
        ),
        ("barrier for electrons", bounded("at least", "electron_barrier_eV", "eV")),
        ("barrier for holes", bounded("at least", "hole_barrier_eV", "eV")),
        ("leakage", bounded("at most", "leakage_A_cm2", "A/cm²")),
        (
            "median interface resistance, for the largest thickness only",
            bounded("at most", "interface_resistance_ohm_cm2", "Ω·cm²"),
        ),
        ("temperature", f"{shown(result.temperature_K)} K"),
        (
            "states of charge, the worst of which counts",
            ", ".join(shown(charge) for charge in result.states_of_charge),
        ),
    ]
    return table(("of", "limit or condition"), rows)


def _candidates_table(result: DesignResult) -> Markup:
    samples = result.samples
    bound = result.limits.get("interface_resistance_ohm_cm2")
    rows = []
    for one in result.ranked():
        spread = one.quantiles.get
        rows.append(
            (
                one.name,
                shown(one.optimum_nm, 3),
                one.largest_text(shown),
                with_interval(
                    one.interface_resistance_ohm_cm2, spread("interface_resistance_ohm_cm2"), 3
                ),
                with_interval(one.electron_barrier_eV, spread("electron_barrier_eV"), 3),
                with_interval(one.hole_barrier_eV, spread("hole_barrier_eV"), 3),
                _share(one.within_limits_probability, samples),
                "–" if one.is_never_best else _share(one.best_probability, samples),
                one.verdict,
                one.verdict_text,
            )
        )
    heads = (
        "coating",
        "optimum (nm)",
        f"largest (nm) for {shown(bound, 3)} Ω·cm²",
        "median R (Ω·cm²)",
        "electron barrier (eV)",
        "hole barrier (eV)",
        "keeps limits",
        "is best",
        "verdict",
        "why",
    )
    return table(heads, rows, numeric=tuple(range(1, 8)))


def _share(value: float | None, samples: int) -> str:
    return NONE if value is None else sampled_percent(value, samples)


def _contacts_table(candidates: Sequence[DesignCandidate]) -> Markup:
    rows = []
    for one in candidates:
        for contact in one.contacts:
            rows.append(
                (
                    one.name,
                    f"{contact.left} | {contact.right}",
                    contact.verdict or "unknown",
                    contact.known_from or "–",
                    contact.text or "neither energies nor both windows are known",
                )
            )
    return table(("coating", "contact", "verdict", "known from", "what happens"), rows)


def _layers_table(candidates: Sequence[DesignCandidate]) -> Markup:
    rows = [
        (
            one.name,
            layer.material,
            shown(layer.thickness_nm, 3),
            *(shown(end, 3) for end in layer.doping_at_ends_cm3),
            shown(layer.susceptibility, 3),
            ", ".join(layer.at_ends) or NONE,
            shown(one.interface_resistance_ohm_cm2, 3),
            shown(one.undoped_ohm_cm2, 3),
        )
        for one in candidates
        for layer in one.layers
    ]
    heads = (
        "coating",
        "layer",
        "thickness (nm)",
        "donors − acceptors, left end (cm⁻³)",
        "right end (cm⁻³)",
        "susceptibility",
        "at the end of its range",
        "median R (Ω·cm²)",
        "median R undoped (Ω·cm²)",
    )
    return table(heads, rows, numeric=(2, 3, 4, 5, 7, 8))


def _sides_table(candidates: Sequence[DesignCandidate]) -> Markup:
    rows = [
        (
            one.name,
            side.phase,
            with_interval(side.margin_V, side.margin_quantiles_V, 2),
            side.limited_by or NONE,
            shown(side.uncoated_margin_V, 2),
        )
        for one in candidates
        for side in one.sides
    ]
    heads = ("coating", "side", "nominal margin (V)", "limited by", "without coating (V)")
    return table(heads, rows, numeric=(2, 4))


def _drawn(candidates: Sequence[DesignCandidate]) -> list[DesignCandidate]:
    """Return the candidates whose curves the figure shows."""
    return [one for one in candidates if one.curve is not None][:_MOST_CURVES]


def _curve_note(candidates: Sequence[DesignCandidate], bound: float | None = None) -> str:
    drawn = _drawn(candidates)
    grey = any(one.outside_of_model for one in drawn)
    medians = {
        one.name: one.curve.interface_resistance_ohm_cm2["p50"] for one in drawn if one.curve
    }
    return (
        _CURVE_NOTE.format("bars are" if _single(drawn) else "the band of the first one is")
        + _BOUND_NOTE * (bound is not None)
        + _beyond(medians)
        + _GREY_NOTE * grey
        + _FIRST_NOTE * (len(candidates) > _MOST_CURVES)
    )


def _single(drawn: Sequence[DesignCandidate]) -> bool:
    """Return whether every candidate has one thickness, so that there are no curves."""
    return all(one.curve is not None and len(one.curve.thickness_nm) == 1 for one in drawn)


def _front_medians(result: DesignResult) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for point in result.front:
        found.setdefault(point.name, []).append(point.interface_resistance_ohm_cm2)
    return found


def _top(medians: Iterable[Sequence[float | None]]) -> float:
    """Return the resistance at which an axis ends at the latest."""
    known = [value for values in medians for value in values if value]
    return min(known, default=1.0) * 10.0**_MOST_DECADES


def _beyond(medians: Mapping[str, Sequence[float | None]]) -> str:
    """Return what is above the end of an axis, as a sentence; empty if nothing is."""
    top = _top(medians.values())
    above = {
        name: max(value for value in values if value)
        for name, values in medians.items()
        if any(value and value > top for value in values)
    }
    if not above:
        return ""
    told = ", ".join(f"{name} (up to {shown(value, 2)} Ω·cm²)" for name, value in above.items())
    return f" The axis ends {_MOST_DECADES} decades above the smallest median; beyond it: {told}."


def _resistances(values: Sequence[float | None], top: float) -> Figure:
    """Return the axis of resistances, up to the decade of `top`."""
    return {
        "title": {"text": "median R (Ω·cm²)"},
        "type": "log",
        "exponentformat": "power",
        "gridcolor": "var(--grid)",
        **decades([None if value is None else min(value, top) for value in values]),
    }


def _thickness_figure(candidates: Sequence[DesignCandidate], bound: float | None = None) -> Figure:
    curves: list[Trace] = []
    values: list[float | None] = [bound]
    drawn = _drawn(candidates)
    single, medians = _single(drawn), []
    for index, one in enumerate(drawn):
        assert one.curve is not None
        x, spread = one.curve.thickness_nm, one.curve.interface_resistance_ohm_cm2
        medians.append(spread["p50"])
        bars: Trace = {}
        if len(x) == 1:
            bars = _error_bars(spread)
            values += [*spread["p05"], *spread["p95"]]
        elif index == 0:
            ends = [(low, high) for low, high in zip(spread["p05"], spread["p95"], strict=True)]
            if all(low is not None and high is not None for low, high in ends):
                curves.append(
                    {
                        "type": "scatter",
                        "mode": "lines",
                        "x": [*x, *x[::-1]],
                        "y": [*spread["p05"], *spread["p95"][::-1]],
                        "fill": "toself",
                        "fillcolor": "var(--interval-fill)",
                        "line": {"width": 0},
                        "hoverinfo": "skip",
                        "showlegend": False,
                    }
                )
            values += [*spread["p05"], *spread["p95"]]
        values += spread["p50"]
        name = escape(one.name) + " ✕" * one.outside_of_model
        # however low, what lies outside of the model is no choice
        colour = "var(--muted)" if one.outside_of_model else SERIES[index % len(SERIES)]
        curves.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": name,
                "x": [f"{name}, {shown(x[0], 3)} nm"] if single else x,
                "y": spread["p50"],
                **bars,
                "line": {"color": colour, "dash": DASHES[index]},
                "marker": {"size": 5},
                "hovertemplate": "%{y:.3g} Ω·cm²" if single else "%{x:.3g} nm: %{y:.3g} Ω·cm²",
            }
        )
    title = {"title": {"text": "thickness of the coating (nm)"}, **_THICKNESSES}
    span = [-0.5, len(drawn) - 0.5]
    names = {"type": "category", "range": span, "gridcolor": "var(--grid)"}
    layout = {
        "xaxis": names if single else title,
        "showlegend": not single,
        "yaxis": _resistances(values, _top(medians)),
        "shapes": [] if bound is None else [_bound_line(bound)],
        "height": 460,
        "margin": {"l": 80, "r": 20, "t": 10, "b": 50},
        "legend": {"orientation": "h", "x": 0, "y": -0.18, "yanchor": "top"},
    }
    return {"layout": layout, "always": curves, "frames": [[]]}


def _error_bars(spread: Mapping[str, Sequence[float | None]]) -> Trace:
    """Return the interval of a single point."""
    (low,), (middle,), (high,) = (spread[key] for key in ("p05", "p50", "p95"))
    if low is None or middle is None or high is None:
        return {}
    return {
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [high - middle],
            "arrayminus": [middle - low],
            "thickness": 1,
        }
    }


def _bound_line(bound: float) -> Figure:
    return {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": bound,
        "y1": bound,
        "line": {"color": "var(--muted)", "width": 1, "dash": "dash"},
    }


def _front_figure(result: DesignResult, ranked: Sequence[DesignCandidate]) -> Figure:
    # in the colours of the curves over the thickness; those beyond the first have other symbols
    drawn = [one.name for one in ranked if one.curve is not None]
    order = [*drawn, *(one.name for one in ranked if one.curve is None)]
    names = list(dict.fromkeys(point.name for point in result.front))
    traces: list[Trace] = []
    for name in sorted(names, key=order.index):
        index = order.index(name)
        points = [point for point in result.front if point.name == name]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": escape(name),
                "x": [point.thickness_nm for point in points],
                "y": [point.interface_resistance_ohm_cm2 for point in points],
                "text": [
                    f"barrier {shown(point.electron_barrier_eV, 3)} eV, margin "
                    f"{shown(point.stability_margin_V, 2)} V"
                    for point in points
                ],
                "hovertemplate": "%{x:.3g} nm, %{y:.3g} Ω·cm²<br>%{text}",
                "marker": {
                    "size": 10,
                    "color": SERIES[index % len(SERIES)],
                    "symbol": _SYMBOLS[index // len(SERIES) % len(_SYMBOLS)],
                },
            }
        )
    layout = {
        "xaxis": {
            "title": {"text": "thickness (nm)"},
            **_THICKNESSES,
        },
        "yaxis": _resistances(
            [point.interface_resistance_ohm_cm2 for point in result.front],
            _top(_front_medians(result).values()),
        ),
        "height": 360,
        "margin": {"l": 80, "r": 20, "t": 10, "b": 50},
        "legend": {"orientation": "h", "x": 0, "y": -0.22, "yanchor": "top"},
    }
    return {"layout": layout, "always": traces, "frames": [[]]}
