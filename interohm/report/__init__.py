"""Reports: the prediction for a cell or a contact as one HTML file that needs no network."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from interohm.cell_config import Cell
from interohm.electrodes import reference_metal
from interohm.records import Insulator, Metal
from interohm.report import notes
from interohm.report.arrhenius import activation_table, arrhenius_figure
from interohm.report.band_diagram import band_figure
from interohm.report.budget import (
    Part,
    budget_figure,
    cell_parts,
    contact_parts,
    drops_figure,
    total_part,
)
from interohm.report.current import polarization_figure, polarization_table
from interohm.report.curves import state_figure
from interohm.report.display_axis import DisplayAxis, nanometres
from interohm.report.electrons import electrons_table
from interohm.report.findings import cell_findings, contact_findings
from interohm.report.inputs import cell_inputs, different_materials, material_inputs
from interohm.report.ion_potentials import ion_figure
from interohm.report.levels import (
    ContactView,
    cell_axis,
    cell_levels,
    contact_view,
    contact_views,
    drawn_layers,
    energy_window_eV,
)
from interohm.report.page import figure, findings, keys, lead, page, section, slider
from interohm.report.potential_map import (
    decomposed_figure,
    delta_figure,
    measured_figure,
    misfit_table,
)
from interohm.report.ranking import ranking_figure
from interohm.report.space_charge import concentration_figure, conductivity_figure
from interohm.report.tables import (
    Markup,
    contacts_table,
    interval,
    parts_table,
    shown,
    states_table,
)
from interohm.yaml_io import write_text


def write_report(
    path: str | Path,
    cell: Cell,
    materials: Sequence[Insulator | Metal],
    document: dict[str, Any],
    *,
    remarks: Sequence[str] = (),
) -> None:
    """Write the report of a cell.

    Parameters
    ----------
    path : str or Path
        The HTML file; written whole or not at all.
    cell : Cell
        The description.
    materials : sequence of Insulator or Metal
        The record of each layer.
    document : dict
        The prediction (`interohm.cell.cell_document`).
    remarks : sequence of str
        What else the reader must know, as a record that hides a shipped one.

    Raises
    ------
    InputError
        The file cannot be written.
    """
    states = document["states"]
    axis = cell_axis(document)
    diagrams = [cell_levels(state) for state in states]
    budgets = [cell_parts(state) for state in states]
    charges = [state["state_of_charge"] for state in states]
    figures = {
        "bands": band_figure(
            axis,
            [name for name, _ in drawn_layers(states[0])],
            [thickness for _, thickness in drawn_layers(states[0])],
            diagrams,
            energy_window_eV(diagrams),
        ),
        "ion": ion_figure(axis, [name for name, _ in drawn_layers(states[0])], diagrams),
        "drops": drops_figure(states),
    }
    budget = budget_figure(budgets)
    if budget is not None:
        figures["budget"] = budget
    if len(states) > 1:
        figures["states"] = state_figure(states, budgets)
    temperature = document["temperature_K"]
    arrhenius = arrhenius_figure(states, temperature)
    if arrhenius is not None:
        figures["arrhenius"] = arrhenius
    polarization = polarization_figure(states)
    if polarization is not None:
        figures["polarization"] = polarization
    layers = " | ".join(material.name for material in materials)
    body = [
        lead(f"{layers} at open circuit, {shown(document['temperature_K'])} K. {_zero(materials)}"),
        findings([*remarks, *cell_findings(document, materials)]),
        slider(charges),
        *(keys(_cell_keys(state), place) for place, state in enumerate(states)),
        section(
            "Band diagram",
            figure("bands", f"Band diagram of {layers}"),
            figure("ion", f"Potentials of the mobile ion across {layers}"),
            note=notes.BANDS_NOTE + notes.FERMI_NOTE + notes.ION_NOTE,
        ),
        section(
            "Space charge",
            *(
                panel
                for place, pair in enumerate(pairwise(materials))
                for panel in _space_charge(
                    contact_views([state["contacts"][place] for state in states], pair),
                    [material.name for material in pair],
                    figures,
                    f"-{place + 1}",
                )
            ),
            note=notes.SPACE_CHARGE_NOTE,
        ),
        _potential_map(axis, states, figures),
        section(
            "Potential drops",
            figure("drops", "Potential drop of each contact"),
            contacts_table(states),
            note="Neutral potential of the right phase minus that of the left one.",
        ),
        section(
            "Resistance budget",
            *([] if budget is None else [figure("budget", "Parts of the resistance")]),
            parts_table(budgets),
            note=notes.BUDGET_NOTE,
        ),
        section(
            "Over the state of charge",
            *([figure("states", "Voltage and resistance")] if len(states) > 1 else []),
            states_table(states),
            note=_interval_note([state["quantiles"] for state in states]),
        ),
        *(
            []
            if arrhenius is None
            else [
                section(
                    "Over the temperature",
                    figure("arrhenius", "Arrhenius plot of the resistances"),
                    activation_table(states, temperature),
                    note=notes.ARRHENIUS_NOTE,
                )
            ]
        ),
        *(
            []
            if polarization is None
            else [
                section(
                    "At finite current",
                    figure("polarization", "Overpotentials over the current density"),
                    polarization_table(states),
                    note=notes.POLARIZATION_NOTE,
                )
            ]
        ),
        section("Electrons", electrons_table(states), note=notes.ELECTRONS_NOTE),
        _ranking(states, figures),
        _inputs([cell_inputs(cell, materials), *(_material_tables(materials))]),
    ]
    write_text(path, page(cell.name, body, figures, charges))


def write_contact_report(
    path: str | Path,
    materials: Sequence[Insulator | Metal],
    document: dict[str, Any],
    *,
    remarks: Sequence[str] = (),
) -> None:
    """Write the report of one contact.

    Parameters
    ----------
    path : str or Path
        The HTML file; written whole or not at all.
    materials : sequence of Insulator or Metal
        The records of the left and the right phase.
    document : dict
        The prediction (`interohm.contact.contact_document`).
    remarks : sequence of str
        What else the reader must know, as a record that hides a shipped one.

    Raises
    ------
    InputError
        The file cannot be written.
    """
    names = [document["left"], document["right"]]
    view = contact_view(document, materials)
    budget = [*contact_parts(document), total_part(document)]
    figures = {
        "bands": band_figure(
            view.axis, names, [None, None], [view.levels], energy_window_eV([view.levels])
        ),
        "ion": ion_figure(view.axis, names, [view.levels]),
    }
    space_charge = _space_charge([view], names, figures)
    bars = budget_figure([budget])
    if bars is not None:
        figures["budget"] = bars
    conditions = [f"{shown(document['temperature_K'])} K"]
    if any(isinstance(material, Metal) and len(material.states) > 1 for material in materials):
        conditions.append(f"state of charge {shown(document['state_of_charge'])}")
    if document["thickness_nm"] is not None:
        conditions.append(f"layer of {nanometres(document['thickness_nm'])} nm")
    body = [
        lead(f"One contact, {', '.join(conditions)}. {_zero(materials)}"),
        findings([*remarks, *contact_findings(document, materials)]),
        keys(_contact_keys(document)),
        section(
            "Band diagram",
            figure("bands", f"Band diagram of {names[0]} and {names[1]}"),
            figure("ion", f"Potentials of the mobile ion across {names[0]} and {names[1]}"),
            note=notes.CONTACT_NOTE + notes.FERMI_NOTE + notes.ION_NOTE,
        ),
        section(
            "Space charge",
            *space_charge,
            note=notes.SPACE_CHARGE_NOTE,
        ),
        section(
            "Resistance budget",
            *([] if bars is None else [figure("budget", "Parts of the resistance")]),
            parts_table([budget]),
            note=notes.BUDGET_NOTE,
        ),
        section(
            "Potential and charge",
            contacts_table([{"contacts": [document]}]),
            note=_interval_note([document["quantiles"]]),
        ),
        section(
            "Electrons", electrons_table([{"contacts": [document]}]), note=notes.ELECTRONS_NOTE
        ),
        _ranking([document], figures),
        _inputs(_material_tables(materials)),
    ]
    write_text(path, page(" | ".join(names), body, figures, [document["state_of_charge"]]))


def _space_charge(
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


def _potential_map(
    axis: DisplayAxis, states: Sequence[dict[str, Any]], figures: dict[str, Any]
) -> Markup:
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
            content += [figure(name, f"The {part} that the measured map tells, over the model's")]
        content += [misfit_table(states)]
        note += notes.MEASURED_NOTE
    return section("Potential map", *content, note=note) if content else Markup("")


def _ranking(documents: Sequence[dict[str, Any]], figures: dict[str, Any]) -> Markup:
    """Return the section that ranks the inputs, and put its figure among the others."""
    ranking = ranking_figure(documents)
    if ranking is None:
        return Markup("")
    figures["ranking"] = ranking
    return section(
        "What the uncertainty is from",
        figure("ranking", "Shares of the variance by input"),
        note=notes.RANKING_NOTE,
    )


def _zero(materials: Sequence[Insulator | Metal]) -> str:
    metal = reference_metal(list(materials))
    surface = f", surface {metal.surface}" if metal.surface else ""
    return (
        "Potentials are relative to the vacuum level of the neutral mobile metal: "
        f"record {metal.name}{surface}."
    )


def _material_tables(materials: Sequence[Insulator | Metal]) -> list[Markup]:
    """Return the layers' records, and that of the zero of potential if it is none of them."""
    used = different_materials([*materials, reference_metal(list(materials))])
    return [material_inputs(material) for material in used]


def _inputs(tables: Sequence[Markup]) -> Markup:
    content = Markup(f'<div class="inputs">{"".join(tables)}</div>')
    return section(
        "Inputs",
        content,
        note="Every number that the prediction rests on. An uncertainty is one standard deviation.",
    )


def _interval_note(quantiles: Sequence[dict[str, Any] | None]) -> str:
    known = [item["samples"] for item in quantiles if item is not None]
    return notes.INTERVALS.format(samples=known[0]) if known else notes.NO_INTERVALS


def _cell_keys(state: dict[str, Any]) -> list[tuple[str, str, str]]:
    quantiles = state["quantiles"] or {}
    *parts, total = cell_parts(state)
    steps = [part for part in parts if part.value_ohm_cm2 is not None]
    limiting = max(steps, key=lambda part: part.value_ohm_cm2 or 0.0, default=None)
    return [
        (
            f"open-circuit voltage at state of charge {shown(state['state_of_charge'])}",
            f"{shown(state['open_circuit_voltage_V'])} V",
            _spread(quantiles.get("open_circuit_voltage_V"), "V"),
        ),
        _resistance_key("area-specific resistance", total),
        (
            "limited by",
            "unknown" if limiting is None else limiting.label,
            "" if limiting is None else f"{shown(limiting.value_ohm_cm2, 3)} Ω·cm²",
        ),
    ]


def _contact_keys(document: dict[str, Any]) -> list[tuple[str, str, str]]:
    quantiles = document["quantiles"] or {}
    return [
        (
            "potential drop, right minus left",
            f"{shown(document['potential_drop_V'])} V",
            _spread(quantiles.get("potential_drop_V"), "V"),
        ),
        _resistance_key("resistance", total_part(document)),
        ("limited by", document["resistance"]["limiting_step"] or "unknown", ""),
    ]


def _resistance_key(label: str, part: Part) -> tuple[str, str, str]:
    if part.value_ohm_cm2 is None:
        return label, "unknown", "see the remarks above"
    spread = _spread(part.interval_ohm_cm2, "Ω·cm²", 2)
    return label, f"{shown(part.value_ohm_cm2, 3)} Ω·cm²", spread


def _spread(quantiles: dict[str, float] | None, unit: str, digits: int = 3) -> str:
    return "" if quantiles is None else f"5 to 95 %: {interval(quantiles, digits)} {unit}"
