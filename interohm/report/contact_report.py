"""The report of one contact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from interohm.records import Insulator, Metal
from interohm.report import notes
from interohm.report.arrhenius import CONTACT
from interohm.report.band_diagram import band_figure
from interohm.report.budget import budget_figure, contact_parts, interface_part
from interohm.report.curves import state_figure
from interohm.report.display_axis import nanometres
from interohm.report.electrons import electrons_table
from interohm.report.extrinsic import extrinsic_section
from interohm.report.findings import contact_findings
from interohm.report.inputs import interface_inputs
from interohm.report.ion_potentials import ion_figure
from interohm.report.levels import contact_view, energy_window_eV
from interohm.report.page import figure, findings, keys, lead, page, section
from interohm.report.sections import (
    capacitance_note,
    current_section,
    inputs_section,
    interval_note,
    material_tables,
    ranking_section,
    resistance_key,
    samples_text,
    share_keys,
    space_charge_panels,
    spread_text,
    temperature_section,
    zero_of_potential,
)
from interohm.report.tables import Markup, contacts_table, parts_table, shown
from interohm.results.contact import ContactResult
from interohm.yaml_io import write_text


def write_contact_report(
    path: str | Path,
    materials: Sequence[Insulator | Metal],
    document: ContactResult | Mapping[str, Any],
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
    document : ContactResult or mapping
        The prediction (`interohm.prediction.contact.contact_result`), or as it was kept.
    remarks : sequence of str
        Further remarks for the reader, such as a record that hides a shipped one.

    Raises
    ------
    InputError
        The file cannot be written.
    """
    result = ContactResult.read(document)
    names = [result.left, result.right]
    view = contact_view(result)
    budget = [*contact_parts(result, (result.left, result.right)), interface_part(result)]
    figures = {
        "bands": band_figure(
            view.axis, names, [None, None], [view.levels], energy_window_eV([view.levels])
        ),
        "ion": ion_figure(view.axis, names, [view.levels]),
    }
    space_charge = space_charge_panels([view], names, figures)
    bars = budget_figure([budget])
    if bars is not None:
        figures["budget"] = bars
    conditions = [f"{shown(result.temperature_K)} K"]
    if any(material.has_state_of_charge for material in materials):
        conditions.append(f"state of charge {shown(result.state_of_charge)}")
    if result.thickness_nm is not None:
        conditions.append(f"layer of {nanometres(result.thickness_nm)} nm")
    body = [
        lead(f"One contact, {', '.join(conditions)}. {zero_of_potential(materials)}"),
        findings([*remarks, *contact_findings(result, materials)]),
        keys(contact_keys(result)),
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
        extrinsic_section([result]),
        _over_states(result, figures),
        section(
            "Potential and charge",
            contacts_table([result]),
            note=interval_note([result.quantiles]) + capacitance_note([result]),
        ),
        section("Electrons", electrons_table([result]), note=notes.ELECTRONS_NOTE),
        temperature_section([result], result.temperature_K, CONTACT, figures),
        current_section([result], CONTACT, figures, notes.CONTACT_CURRENT_NOTE),
        ranking_section([result], figures),
        inputs_section([interface_inputs([result]), *material_tables(materials)]),
    ]
    write_text(path, page(" | ".join(names), body, figures, [result.state_of_charge]))


def _over_states(document: ContactResult, figures: dict[str, Any]) -> Markup:
    """Return the section over an electrode's state of charge, and put its figure among others."""
    states = document.over_state_of_charge
    if len(states) < 2:
        return Markup("")
    names = (document.left, document.right)
    figures["states"] = state_figure(
        states,
        [[*contact_parts(state, names), interface_part(state)] for state in states],
        at=[(document, [*contact_parts(document, names), interface_part(document)])],
        left=("potential_drop_V", "potential drop (V)"),
        whole=CONTACT,
    )
    return section(
        "Over the state of charge",
        figure("states", "Potential drop and resistance over the state of charge"),
        note=notes.CONTACT_STATES_NOTE.format(
            samples=samples_text([state.quantiles for state in states])
        ),
    )


def contact_keys(document: ContactResult) -> list[tuple[str, str, str]]:
    """Return label, value and interval of the numbers that matter most."""
    quantiles = document.spreads()
    barrier = document.resistance.contact_barrier_eV
    assumed = "assumed: nothing is known of this pair" if document.contact_barrier_assumed else ""
    assumed += "".join(
        f"interface {one.interface}"
        for one in document.interface_numbers
        if one.field == "barrier_eV"
    )
    found = [
        resistance_key("interface resistance", interface_part(document)),
        *share_keys(document),
        ("limited by", document.resistance.limiting_step or "unknown", ""),
        ("contact barrier", "unknown" if barrier is None else f"{shown(barrier, 3)} eV", assumed),
    ]
    if document.reaction is not None:
        force = f"{shown(document.reaction.driving_force_eV, 2)} eV per atom"
        found.append(("reaction", document.reaction.verdict, force))
    if document.extrinsic is not None:
        apparent = f"{shown(document.extrinsic.apparent_resistance_ohm_cm2, 3)} Ω·cm²"
        found.append(("an experiment would measure", apparent, ""))
    if document.next is not None:
        found.append(("to learn next", document.next.text, ""))
    drop = spread_text(quantiles.potential_drop_V, "V")
    potential = f"{shown(document.potential_drop_V)} V"
    return [*found, ("potential drop, right minus left", potential, drop)]
