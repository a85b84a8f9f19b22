"""Findings that a reader must know before believing a report: violations, gaps, assumptions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from interohm.records import Insulator, Metal
from interohm.records.reference import is_reference
from interohm.report.display_axis import nanometres
from interohm.report.inputs import assumed_count, different_materials
from interohm.report.tables import shown
from interohm.results.contact import UNREACTED, different_doubts, grouped, outside_texts

if TYPE_CHECKING:
    from interohm.results.cell import CellLayer, CellResult, CellState, Violation
    from interohm.results.contact import CellContact, ContactResult


def cell_findings(document: CellResult, materials: Sequence[Insulator | Metal]) -> list[str]:
    """Return what a cell's document warns of, each kind once."""
    states = document.states
    return [
        *_outside([contact for state in states for contact in state.contacts]),
        *_stability(states),
        *_unknown_resistances(
            [contact for state in states for contact in state.contacts],
            [layer for state in states for layer in state.layers[1:-1]],
        ),
        *_doubts([contact for state in states for contact in state.contacts]),
        *material_findings(materials),
    ]


def contact_findings(document: ContactResult, materials: Sequence[Insulator | Metal]) -> list[str]:
    """Return what a contact's document warns of."""
    return [
        *_outside([document]),
        *_unknown_resistances([document], []),
        *_doubts([document]),
        *material_findings(materials),
    ]


def _outside(contacts: Sequence[CellContact]) -> list[str]:
    """Return which contacts the model does not describe."""
    return [f"{text}; {UNREACTED}" for text in outside_texts(contacts)]


def _doubts(contacts: Sequence[CellContact]) -> list[str]:
    """Return where the model is beyond what it knows, each remark once."""
    barriers = [
        (
            contact.name,
            "the barrier of the hop across the contact is unknown; it is sampled from a wide prior",
        )
        for contact in contacts
        if contact.contact_barrier_assumed
    ]
    reactions = [
        (contact.name, contact.reaction.text)
        for contact in contacts
        if contact.reaction is not None
        and contact.reaction.verdict in ("may react", "reacts")
        and contact.reaction.text != contact.outside_text
    ]
    doubts = [
        (contact.name, doubt.text)
        for contact, doubt in different_doubts(contacts)
        if doubt.code != "window" or not contact.outside_of_model
    ]
    # the shares differ from state to state
    phases = [
        (contact.name, f"{text.partition(':')[0]}, each with its share of the area")
        for contact in contacts
        for text in contact.phases_text
    ]
    return [
        *_lines(barriers),
        *(text for _, text in grouped(reactions)),
        *_lines(doubts),
        *_lines(phases),
    ]


def _lines(remarks: Sequence[tuple[str, str]]) -> list[str]:
    return [f"{names}: {text}" for names, text in grouped(remarks)]


def _stability(states: Sequence[CellState]) -> list[str]:
    found: dict[str, list[tuple[float, Violation]]] = {}
    for state in states:
        for violation in state.stability_violations:
            found.setdefault(violation.material, []).append((state.state_of_charge, violation))
    lines = []
    for material, violations in found.items():
        low, high = violations[0][1].stability_window_V
        reached = [voltage for _, violation in violations for voltage in violation.voltage_V]
        charges = ", ".join(shown(charge) for charge, _ in violations)
        lines.append(
            f"{material} leaves its stability window, {shown(low)} to {shown(high)} V: it is held "
            f"between {shown(min(reached))} and {shown(max(reached))} V against the mobile metal "
            f"(state of charge {charges}). It would decompose; the prediction is for the "
            "unreacted phase."
        )
    return lines


def _unknown_resistances(contacts: Sequence[CellContact], layers: Sequence[CellLayer]) -> list[str]:
    reasons = [
        (contact.name, reason)
        for contact in contacts
        # that carriers accumulate takes nothing off the interface
        if contact.resistance.reason and contact.resistance.total_ohm_cm2 is None
        for reason in contact.resistance.reason.split("; ")
    ]
    blocked = [
        (
            f"{layer.material} ({nanometres(layer.thickness_nm)} nm)",
            "no resistance, since nothing conducts in it",
        )
        for layer in layers
        if layer.resistance_ohm_cm2 is None
    ]
    return _lines([*reasons, *blocked])


def material_findings(materials: Sequence[Insulator | Metal]) -> list[str]:
    """Return what the records warn of: two facets of one material, and assumptions."""
    lines = []
    records = different_materials(materials)
    zeros = [record for record in records if is_reference(record)]
    surfaces = {record.surface for record in zeros}
    if len(surfaces) > 1:
        names = " and ".join(f"{record.name} {record.surface or '(unknown)'}" for record in zeros)
        lines.append(
            f"mixed facets of the mobile metal: {names}; potentials are relative to the first"
        )
    for name in dict.fromkeys(record.name for record in records):
        facets = [record.surface or "unknown" for record in records if record.name == name]
        if len(facets) > 1:
            lines.append(
                f"mixed facets: {len(facets)} different records are called {name} "
                f"(surfaces {', '.join(facets)})"
            )
    counts = {record.name: assumed_count(record) for record in records}
    guesses = [f"{name} {some} of {every}" for name, (some, every) in counts.items() if some]
    if guesses:
        lines.append(f"assumed or default numbers, marked below: {', '.join(guesses)}")
    return lines
