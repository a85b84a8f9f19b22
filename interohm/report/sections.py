"""Sections that reports of cells and of contacts have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from interohm.records import Insulator, Metal
from interohm.records.reference import reference_metal
from interohm.report import notes
from interohm.report.arrhenius import activation_table, arrhenius_figure
from interohm.report.budget import Part
from interohm.report.current import polarization_figure, polarization_table
from interohm.report.display_axis import DisplayAxis
from interohm.report.inputs import different_materials, material_inputs
from interohm.report.levels import ContactView
from interohm.report.page import figure, section
from interohm.report.potential_map import (
    decomposed_figure,
    delta_figure,
    measured_figure,
    misfit_table,
)
from interohm.report.ranking import ranking_figure
from interohm.report.space_charge import concentration_figure, conductivity_figure
from interohm.report.tables import Markup, interval, shown
from interohm.results.design import OUTSIDE
from interohm.results.json_values import likely_below

if TYPE_CHECKING:
    from interohm.results.cell import CellQuantiles, CellState
    from interohm.results.contact import CellContact, ContactQuantiles, ContactResult
    from interohm.results.result import Quantiles
    from interohm.results.sweeps import TemperatureSweep


def temperature_section(
    states: Sequence[CellState | ContactResult],
    temperature_K: float,
    whole: str,
    figures: dict[str, Any],
) -> Markup:
    """Return the section of resistances over the temperature, and put its figure among the others.

    Parameters
    ----------
    states : sequence of CellState or ContactResult
        States of a cell, or one contact.
    temperature_K : float
        Temperature of the cell or contact.
    whole : str
        Name of the total resistance.
    figures : dict
        Figures of the page.
    """
    arrhenius = arrhenius_figure(states, whole)
    if arrhenius is None:
        return Markup("")
    figures["arrhenius"] = arrhenius
    return section(
        "Over the temperature",
        figure("arrhenius", "Arrhenius plot of the resistances"),
        activation_table(states, temperature_K, whole),
        note=notes.ARRHENIUS_NOTE.format(
            samples=samples_text([state.temperature_sweep for state in states])
        ),
    )


def current_section(
    states: Sequence[CellState | ContactResult], whole: str, figures: dict[str, Any], note: str
) -> Markup:
    """Return the section of overpotentials, and put its figure among the others."""
    polarization = polarization_figure(states, whole)
    if polarization is None:
        return Markup("")
    figures["polarization"] = polarization
    return section(
        "At finite current",
        figure("polarization", "Overpotentials over the current density"),
        polarization_table(states, whole),
        note=note,
    )


def space_charge_panels(
    views: Sequence[ContactView], names: Sequence[str], figures: dict[str, Any], which: str = ""
) -> list[Markup]:
    """Return the panels of a contact's space charge, and put their figures among the others."""
    contact = " | ".join(names)
    figures[f"concentrations{which}"] = concentration_figure(views, names)
    panels = [figure(f"concentrations{which}", f"Concentrations of the defects, {contact}")]
    conductivity = conductivity_figure(views, names)
    if conductivity is not None:
        figures[f"conductivity{which}"] = conductivity
        panels.append(figure(f"conductivity{which}", f"Conductivity, {contact}"))
    return panels


def map_section(axis: DisplayAxis, states: Sequence[CellState], figures: dict[str, Any]) -> Markup:
    """Return the section of potential maps, and put its figures among the others."""
    delta, measured = delta_figure(axis, states), measured_figure(axis, states)
    content, note = [], notes.MAP_NOTE
    if delta is not None:
        figures["delta"] = delta
        note += notes.DELTA_NOTE
        content.append(figure("delta", "Differences of the potential map from the discharged cell"))
    if measured is not None:
        figures["measured"] = measured
        content += [figure("measured", "Measured potential map over the model's")]
        for part in ("work function", "Fermi level"):
            name = part.lower().replace(" ", "-")
            figures[name] = decomposed_figure(axis, states, part)
            content += [
                figure(name, f"The {part} inferred from the measured map, with that of the model")
            ]
        content += [misfit_table(states)]
        note += notes.MEASURED_NOTE
    return section("Potential map", *content, note=note) if content else Markup("")


def ranking_section(
    documents: Sequence[CellState | ContactResult], figures: dict[str, Any]
) -> Markup:
    """Return the section that ranks the inputs, and put its figure among the others."""
    ranking = ranking_figure(documents)
    if ranking is None:
        return Markup("")
    figures["ranking"] = ranking
    return section(
        "Sources of the uncertainty",
        figure("ranking", "Shares of the variance by input"),
        note=notes.RANKING_NOTE,
    )


def zero_of_potential(materials: Sequence[Insulator | Metal]) -> str:
    """Describe the zero of potential."""
    metal = reference_metal(list(materials))
    surface = f", surface {metal.surface}" if metal.surface else ""
    return (
        "Potentials are relative to the vacuum level of the neutral mobile metal: "
        f"record {metal.name}{surface}."
    )


def material_tables(materials: Sequence[Insulator | Metal]) -> list[Markup]:
    """Return the layers' records, and that of the zero of potential if it is none of them."""
    used = different_materials([*materials, reference_metal(list(materials))])
    return [material_inputs(material) for material in used]


def inputs_section(tables: Sequence[Markup]) -> Markup:
    """Return the section of all inputs."""
    content = Markup(f'<div class="inputs">{"".join(tables)}</div>')
    return section(
        "Inputs",
        content,
        note="Every number that the prediction rests on. An uncertainty is one standard deviation.",
    )


def interval_note(quantiles: Sequence[CellQuantiles | ContactQuantiles | None]) -> str:
    """State how many samples the intervals come from, and how many had no solution."""
    known = [item for item in quantiles if item is not None]
    if not known:
        return notes.NO_INTERVALS
    lost = sum(item.lost_samples or 0 for item in known)
    text = notes.INTERVALS.format(samples=known[0].samples)
    return text + (notes.LOST.format(lost=lost, of=len(known)) if lost else "")


def samples_text(parts: Sequence[TemperatureSweep | ContactQuantiles | None]) -> str:
    """Return how many samples intervals are from; between the least and the most of the parts."""
    known = sorted({part.samples for part in parts if part and part.samples})
    if not known:
        return "the samples"
    return f"{' to '.join(str(count) for count in dict.fromkeys((known[0], known[-1])))} samples"


def capacitance_note(contacts: Sequence[CellContact]) -> str:
    """Explain why a differential capacitance has no interval; empty where all have one."""
    bare = any(
        contact.differential_capacitance_uF_cm2 is not None
        and contact.quantiles is not None
        and contact.quantiles.differential_capacitance_uF_cm2 is None
        for contact in contacts
    )
    return notes.CAPACITANCE_NOTE if bare else ""


def resistance_key(label: str, part: Part) -> tuple[str, str, str]:
    """Return label, value and interval of a resistance among the numbers that matter most."""
    if part.value_ohm_cm2 is None:
        return label, "unknown", "see the remarks above"
    spread = spread_text(part.interval_ohm_cm2, "Ω·cm²", 2)
    return label, f"{shown(part.value_ohm_cm2, 3)} Ω·cm²", spread


def share_keys(solved: CellState | ContactResult) -> list[tuple[str, str, str]]:
    """Return how likely an interface is to be good enough, by what counts as that.

    Nothing is good of what lies outside of the model.
    """
    if solved.outside_of_model:
        return [("verdict", OUTSIDE, "see the remarks above")]
    below = likely_below(solved.spreads().share_above_ohm_cm2)
    return [] if below is None else [("likely below (Ω·cm²)", below, "")]


def spread_text(quantiles: Quantiles | None, unit: str, digits: int = 3) -> str:
    """Return an interval with its unit; nothing if there is none."""
    return "" if quantiles is None else f"5 to 95 %: {interval(quantiles, digits)} {unit}"
