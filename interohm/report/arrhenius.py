"""Resistances over the temperature, and the activation energies that an experiment would read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from interohm.report.curves import SERIES, decades
from interohm.report.intervals import WHOLE_WIDTH, ends, log_band, part_shade, whole_shade
from interohm.report.tables import Markup, counted, fixed, shown, table, with_interval
from interohm.results.sweeps import FlatSwept, TemperatureSweep

if TYPE_CHECKING:
    from interohm.results.cell import CellState
    from interohm.results.contact import ContactResult

    Figure = dict[str, Any]
    Trace = dict[str, Any]


@dataclass(frozen=True)
class Swept:
    """One resistance over the temperature, with space charges and (where known) without them."""

    label: str
    real: FlatSwept
    flat: FlatSwept | None


#: What the whole resistance is called.
CELL, CONTACT = "cell (ASR)", "interface"


def swept_parts(sweep: TemperatureSweep, whole: str = CELL) -> list[Swept]:
    """Return the whole, its layers and the parts of its contacts, those that have a resistance."""
    total = sweep.area_specific
    parts = [Swept(whole, total, total.without_space_charge)]
    parts += [Swept(layer.material, layer, layer.without_space_charge) for layer in sweep.layers]
    for contact in sweep.contacts:
        name = contact.name
        transfer = contact.charge_transfer
        parts += [
            Swept(f"{name}: depletion", contact.depletion, None),
            Swept(f"{name}: charge transfer", transfer, transfer.without_space_charge),
        ]
    return [part for part in parts if _any_positive(part.real) or _any_positive(part.flat)]


def arrhenius_figure(
    states: Sequence[CellState | ContactResult], whole: str = CELL
) -> Figure | None:
    """Return an Arrhenius plot with one frame per state; None if nothing has a resistance.

    Parameters
    ----------
    states : sequence of CellState or ContactResult
        States of a cell, or one contact.
    whole : str
        Name of the total resistance.
    """
    sweeps = [state.temperature_sweep for state in states]
    frames = [[] if sweep is None else _traces(sweep, whole) for sweep in sweeps]
    traces = [trace for frame in frames for trace in frame]
    if not traces:
        return None
    seen = [trace for trace in traces if "fill" not in trace or trace["legendgroup"] == "0"]
    layout: Figure = {
        "xaxis": {
            "title": {"text": "1000 K / temperature", "standoff": 10},
            "gridcolor": "var(--grid)",
            "zeroline": False,
        },
        "yaxis": {
            "title": {"text": "resistance (Ω·cm²)"},
            "type": "log",
            "exponentformat": "power",
            "gridcolor": "var(--grid)",
            **decades([value for trace in seen for value in trace["y"]]),
        },
        "margin": {"l": 80, "r": 36, "t": 10, "b": 60},
        "height": 500,
        "legend": {"orientation": "h", "x": 0, "y": -0.19, "yanchor": "top"},
    }
    return {"layout": layout, "frames": frames}


def activation_table(
    states: Sequence[CellState | ContactResult], temperature_K: float, whole: str = CELL
) -> Markup:
    """Return the apparent activation energies at the temperature of a cell or contact."""
    rows, places = [], []
    for index, state in enumerate(states):
        sweep = state.temperature_sweep
        if sweep is None:
            continue
        off = [abs(kelvin - temperature_K) for kelvin in sweep.temperature_K]
        middle = off.index(min(off))
        for part in swept_parts(sweep, whole):
            energies, cells = [], []
            for one in (part.real, part.flat):
                energy = None if one is None else one.activation_energy_eV[middle]
                quantiles = (one or FlatSwept()).spreads()
                spread = quantiles.activation_energy_eV
                some = quantiles.activation_energy_samples
                text = with_interval(energy, spread, decimals=3)
                known = energy is not None and spread is not None
                cells.append(counted(text, some, sweep.samples) if known else text)
                energies.append(energy)
            real, flat = energies
            # of what stands beside it
            change = None if real is None or flat is None else round(real, 3) - round(flat, 3)
            places.append(index)
            rows.append(
                (
                    part.label,
                    *cells,
                    fixed(change, 3),
                )
            )
    return table(
        ("part", "with space charge (eV)", "without (eV)", "difference (eV)"),
        rows,
        numeric=range(1, 4),
        states=places if len(states) > 1 else None,
        only_current=True,
        caption=f"Apparent activation energy at {shown(temperature_K)} K",
    )


def _any_positive(resistance: FlatSwept | None) -> bool:
    return resistance is not None and any(
        value is not None and value > 0 for value in resistance.resistance_ohm_cm2
    )


def _traces(sweep: TemperatureSweep, whole: str) -> list[Trace]:
    inverse = [1000.0 / kelvin for kelvin in sweep.temperature_K]
    sampled = [1000.0 / kelvin for kelvin in sweep.sampled_temperature_K or []]
    shades: list[Trace] = []
    traces: list[Trace] = []
    for number, part in enumerate(swept_parts(sweep, whole)):
        first = number == 0
        colour = "var(--text)" if first else SERIES[(number - 1) % len(SERIES)]
        label = escape(part.label, quote=False)
        for resistance, dash in ((part.real, "solid"), (part.flat, "dot")):
            if resistance is None or not _any_positive(resistance):
                continue
            flat = resistance is part.flat
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "name": label + (", without space charge" if flat else ""),
                    "x": inverse,
                    "y": _positive(resistance.resistance_ohm_cm2),
                    "customdata": sweep.temperature_K,
                    "legendgroup": str(number),
                    "showlegend": not flat,
                    "line": {"color": colour, "dash": dash, "width": WHOLE_WIDTH if first else 1.8},
                    "hovertemplate": "%{y:.3g} Ω·cm² at %{customdata:.4g} K",
                }
            )
            pair = ends(resistance.spreads().resistance_ohm_cm2)
            if pair is not None and not flat:
                style = whole_shade() if first else part_shade(colour)
                shades += log_band(sampled, pair, colour, label, legendgroup=str(number), **style)
    return [*shades, *traces]


def _positive(values: Sequence[float | None]) -> list[float | None]:
    """Return what a logarithmic axis shows."""
    return [value if value is not None and value > 0 else None for value in values]
