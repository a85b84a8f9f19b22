"""Reports: the prediction for a cell or a contact as one HTML file that needs no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from interohm.records import Insulator, Metal
from interohm.records.cell_config import Cell
from interohm.report import notes
from interohm.report.arrhenius import CELL
from interohm.report.band_diagram import band_figure
from interohm.report.budget import Part, budget_figure, cell_parts, drops_figure
from interohm.report.contact_report import write_contact_report
from interohm.report.curves import state_figure
from interohm.report.electrons import electrons_table
from interohm.report.extrinsic import extrinsic_section
from interohm.report.findings import cell_findings
from interohm.report.following import following_section
from interohm.report.inputs import cell_inputs, interface_inputs
from interohm.report.ion_potentials import ion_figure
from interohm.report.levels import (
    cell_axis,
    cell_levels,
    contact_views,
    drawn_layers,
    energy_window_eV,
)
from interohm.report.page import figure, findings, keys, lead, page, section, slider
from interohm.report.sections import (
    capacitance_note,
    current_section,
    inputs_section,
    interval_note,
    map_section,
    material_tables,
    ranking_section,
    resistance_key,
    share_keys,
    space_charge_panels,
    spread_text,
    temperature_section,
    zero_of_potential,
)
from interohm.report.tables import contacts_table, parts_table, shown, states_table
from interohm.results.cell import CellResult, CellState
from interohm.results.result import Quantiles
from interohm.yaml_io import write_text

__all__ = ["write_contact_report", "write_report"]


def write_report(
    path: str | Path,
    cell: Cell,
    materials: Sequence[Insulator | Metal],
    document: CellResult | Mapping[str, Any],
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
    document : CellResult or mapping
        The prediction (`interohm.prediction.cell.cell_result`), or as it was kept.
    remarks : sequence of str
        Further remarks for the reader, such as a record that hides a shipped one.

    Raises
    ------
    InputError
        The file cannot be written.
    """
    result = CellResult.read(document)
    states = result.states
    axis = cell_axis(result)
    diagrams = [cell_levels(state) for state in states]
    budgets = [cell_parts(state) for state in states]
    charges = [state.state_of_charge for state in states]
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
    layers = " | ".join(material.name for material in materials)
    body = [
        lead(
            f"{layers} at open circuit, {shown(result.temperature_K)} K. "
            f"{zero_of_potential(materials)}"
        ),
        findings([*remarks, *cell_findings(result, materials)]),
        # the discharged cell differs in nothing from itself
        slider(charges, opens_at=charges.index(max(charges))),
        *(keys(_cell_keys(state), index) for index, state in enumerate(states)),
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
                for index, pair in enumerate(pairwise(materials))
                for panel in space_charge_panels(
                    contact_views([state.contacts[index] for state in states]),
                    [material.name for material in pair],
                    figures,
                    f"-{index + 1}",
                )
            ),
            note=notes.SPACE_CHARGE_NOTE,
        ),
        map_section(axis, states, figures),
        section(
            "Potential drops",
            figure("drops", "Potential drop of each contact"),
            contacts_table(states),
            note="Neutral potential of the right phase minus that of the left one."
            + capacitance_note([contact for state in states for contact in state.contacts]),
        ),
        section(
            "Resistance budget",
            *([] if budget is None else [figure("budget", "Parts of the resistance")]),
            parts_table(budgets),
            note=notes.BUDGET_NOTE,
        ),
        extrinsic_section(states),
        section(
            "Over the state of charge",
            *([figure("states", "Voltage and resistance")] if len(states) > 1 else []),
            states_table(states),
            note=interval_note([state.quantiles for state in states])
            + (notes.BELOW_ZERO if len(states) > 1 else ""),
        ),
        temperature_section(states, result.temperature_K, CELL, figures),
        current_section(states, "cell", figures, notes.POLARIZATION_NOTE),
        following_section(states),
        section("Electrons", electrons_table(states), note=notes.ELECTRONS_NOTE),
        ranking_section(states, figures),
        inputs_section(
            [
                cell_inputs(cell, materials),
                interface_inputs(states[0].contacts),
                *material_tables(materials),
            ]
        ),
    ]
    write_text(path, page(cell.name, body, figures, charges))


def _cell_keys(state: CellState) -> list[tuple[str, str, str]]:
    quantiles = state.spreads()
    *parts, total = cell_parts(state)
    steps = [part for part in parts if part.value_ohm_cm2 is not None]
    limiting = max(steps, key=lambda part: part.value_ohm_cm2 or 0.0, default=None)
    limited = ("unknown", "")
    if limiting is not None:
        limited = (limiting.label, f"{shown(limiting.value_ohm_cm2, 3)} Ω·cm²")
    limited = state.blocked() or limited
    barriers = sum(contact.contact_barrier_assumed is True for contact in state.contacts)
    reactions = "; ".join(
        f"{contact.name}: {contact.reaction.verdict}"
        for contact in state.contacts
        if contact.reaction is not None
    )
    apparent = state.apparent_resistance_ohm_cm2
    return [
        _interfaces_key(state),
        *share_keys(state),
        ("limited by", *limited),
        ("assumed", f"barriers of {barriers} of {len(state.contacts)} contacts", ""),
        *([("reactions", reactions, "")] if reactions else []),
        *([("to learn next", state.next.text, "")] if state.next else []),
        resistance_key("area-specific resistance", total),
        *(
            []
            if apparent is None
            else [("an experiment would measure", f"{shown(apparent, 3)} Ω·cm²", "")]
        ),
        (
            f"open-circuit voltage at state of charge {shown(state.state_of_charge)}",
            f"{shown(state.open_circuit_voltage_V)} V",
            spread_text(quantiles.open_circuit_voltage_V, "V"),
        ),
    ]


def _interfaces_key(state: CellState) -> tuple[str, str, str]:
    """Return the sum of all interfaces."""
    logs = state.spreads().log10_interface_resistance
    spread: Quantiles | None = None
    if logs is not None:
        spread = {
            "p05": 10.0 ** logs["p05"],
            "p50": 10.0 ** logs["p50"],
            "p95": 10.0 ** logs["p95"],
        }
    part = Part("interfaces", "total", state.interface_resistance_ohm_cm2, spread)
    return resistance_key("interfaces, all of them", part)
