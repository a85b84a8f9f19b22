"""Contacts and cells as tables for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from interohm.cli.output import console, shown, shown_interval, table
from interohm.results.contact import (
    UNREACTED,
    ElectronQuantiles,
    Electrons,
    different_doubts,
    grouped,
    outside_texts,
)
from interohm.results.contact_sides import SIDES
from interohm.results.design import OUTSIDE, UNKNOWN, windows_unknown_text
from interohm.results.json_values import likely_below
from interohm.results.percents import percent
from interohm.results.sweeps import FlatSwept

if TYPE_CHECKING:
    from rich.table import Table

    from interohm.results.cell import CellQuantiles, CellResult, CellState
    from interohm.results.contact import (
        CellContact,
        ContactExtrinsic,
        ContactResult,
    )
    from interohm.results.design import NextCalculation
    from interohm.results.result import Quantiles, Sensitivity
    from interohm.results.sweeps import SweptQuantiles

_UNCERTAIN = "5 to 95 %"

#: What the counts beside intervals mean.
_OF_SAMPLES = (
    "(m of n): only the m samples with a positive resistance have a logarithm and an "
    "activation energy"
)

#: Inputs that explain less of a variance than this are not named in a table.
_WORTH_NAMING = 0.1


def print_contact(
    document: ContactResult, assumed: list[str], *, has_charge: bool, no_window: Sequence[str] = ()
) -> None:
    """Print the prediction for one contact.

    Parameters
    ----------
    document : ContactResult
        The prediction.
    assumed : list of str
        How many numbers of each record are assumed.
    has_charge : bool
        It depends on the state of charge.
    no_window : sequence of str
        Records without a stability window, if nothing else tells whether the contact is stable.
    """
    conditions = [f"{document.temperature_K:g} K"]
    if document.thickness_nm is not None:
        conditions.append(f"layer of {document.thickness_nm:g} nm")
    if has_charge:
        conditions.append(f"state of charge {document.state_of_charge:g}")
    title = f"{document.left} | {document.right}   ({', '.join(conditions)})"
    quantiles = document.spreads()
    made = table("", "value#", _UNCERTAIN, title=title)
    for label, field in (
        ("potential drop (V)", "potential_drop_V"),
        ("sheet charge (e/nm²)", "sheet_charge_e_nm2"),
        ("capacitance, integral (µF/cm²)", "capacitance_uF_cm2"),
        ("capacitance, differential (µF/cm²)", "differential_capacitance_uF_cm2"),
    ):
        spread = shown_interval(getattr(quantiles, field))
        made.add_row(label, shown(getattr(document, field)), spread)
    for side, name in zip(SIDES, (document.left, document.right), strict=True):
        length = document.debye_length_nm[side]
        if length is not None:
            lengths = quantiles.debye_length_nm
            spread = shown_interval(None if lengths is None else lengths[side])
            made.add_row(f"Debye length, {name} (nm)", shown(length), spread)
        distance = document.distance_nm.get(side)
        spreads = (quantiles.distance_nm or {}).get(side)
        for key, share in (("x50", 50), ("x90", 90), ("x99", 99)) if distance else ():
            made.add_row(
                f"{share} % of the drop, {name} (nm)",
                shown(getattr(distance, key), 3),
                shown_interval(getattr(spreads, key, None)),
            )
    _add_electrons(made, document)
    with_charge, without = _activation_energies(document, document.temperature_K)
    made.add_row("activation energy (eV)", *with_charge)
    made.add_row("without space charge (eV)", *without)
    out = console()
    resistances = _resistances(document, is_unknown=bool(no_window))
    out.print(resistances)
    below = likely_below(quantiles.share_above_ohm_cm2)
    if document.outside_of_model:
        print_outside([document])
    elif below is not None:
        out.print(f"likely below (Ω·cm²): {below} of the samples")
    if no_window:
        out.print(windows_unknown_text(no_window))
    if document.next is not None:
        out.print(f"next: {document.next.text}")
    _known([document])
    print_assumed([*_assumed_barriers([document]), *assumed])
    out.print(made)
    _footnotes(document)
    _explain_counts(made, resistances)
    print_dominant(document.sensitivity)
    _doubts([document])
    out.print(f"potentials: relative to the neutral mobile metal, record {document.reference}")


def print_outside(contacts: Sequence[CellContact]) -> None:
    """Name the contacts that the model does not describe, so nobody takes them for good ones."""
    texts = outside_texts(contacts)
    for text in texts:
        console().print(text)
    if texts:
        console().print(UNREACTED)


def _add_electrons(made: Table, document: ContactResult) -> None:
    """Add what electrons meet: barriers at an electrode, band steps between two insulators."""
    electrons = document.electrons or Electrons()
    spreads = document.spreads().electrons or ElectronQuantiles()
    for label, field in (
        ("electron barrier (eV)", "electron_barrier_eV"),
        ("hole barrier (eV)", "hole_barrier_eV"),
        ("conduction band step (eV)", "conduction_band_step_eV"),
        ("valence band step (eV)", "valence_band_step_eV"),
    ):
        value = getattr(electrons, field)
        if value is not None:
            made.add_row(label, shown(value), shown_interval(getattr(spreads, field)))
    leakage = electrons.leakage_A_cm2
    if leakage is not None:
        spread = shown_interval(spreads.log10_leakage_A_cm2)
        made.add_row("leakage (log10 of A/cm²)", _log10(leakage), spread)


def _activation_energies(
    solved: ContactResult | CellState, temperature_K: float | None
) -> list[tuple[str, str]]:
    """Return apparent activation energy and interval, with space charges and without them."""
    sweep = solved.temperature_sweep
    if sweep is None or temperature_K is None:
        return [(shown(None), "")] * 2
    off = [abs(kelvin - temperature_K) for kelvin in sweep.temperature_K]
    middle = off.index(min(off))
    whole = sweep.area_specific
    return [
        (
            shown(None if part is None else part.activation_energy_eV[middle], 3),
            _energy_interval((part or FlatSwept()).spreads(), sweep.samples),
        )
        for part in (whole, whole.without_space_charge)
    ]


def _energy_interval(quantiles: SweptQuantiles, samples: int | None) -> str:
    interval = shown_interval(quantiles.activation_energy_eV, digits=2)
    return _counted(interval, quantiles.activation_energy_samples, samples)


def _log10_interval(quantiles: CellQuantiles) -> str:
    """Return the interval of a total's log10."""
    interval = shown_interval(quantiles.log10_resistance)
    return _counted(interval, quantiles.log10_samples, quantiles.samples)


def _counted(interval: str, some: int | None, samples: int | None) -> str:
    """Return an interval, with their number where not all of the samples have what it is of."""
    if not interval or some is None or samples is None or some == samples:
        return interval
    return f"{interval} ({some} of {samples})"


def _explain_counts(*tables: Table) -> None:
    cells = (cell for made in tables for column in made.columns for cell in column.cells)
    if any(str(cell).endswith(")") and "…" in str(cell) for cell in cells):
        console().print(_OF_SAMPLES)


def _resistances(document: ContactResult, *, is_unknown: bool) -> Table:
    resistance = document.resistance
    quantiles = document.spreads()
    made = table("resistance", "(Ω·cm²)", "log10#", f"log10, {_UNCERTAIN}", "")
    step = resistance.limiting_step
    remark = f"limited by {step}" if step else ""
    if is_unknown:
        remark = f"{UNKNOWN}, {remark}" if remark else UNKNOWN
    made.add_row(
        "interface",
        shown(resistance.interface_resistance_ohm_cm2, 3),
        _log10(resistance.interface_resistance_ohm_cm2),
        shown_interval(quantiles.log10_interface_resistance),
        OUTSIDE if document.outside_of_model else remark,
    )
    for label, key in (
        ("charge transfer", "charge_transfer_ohm_cm2"),
        (f"depletion, {document.left}", "depletion_left_ohm_cm2"),
        (f"depletion, {document.right}", "depletion_right_ohm_cm2"),
        ("accumulation", "accumulation_ohm_cm2"),
        ("layer", "layer_ohm_cm2"),
    ):
        value = getattr(resistance, key)
        if not value:
            continue
        spread = quantiles.resistance_ohm_cm2.get(key)
        remark = ""
        if key == "charge_transfer_ohm_cm2" and resistance.contact_barrier_eV is not None:
            kind = " (assumed)" if document.contact_barrier_assumed else ""
            remark = f"barrier {resistance.contact_barrier_eV:.3g} eV{kind}"
        made.add_row(label, shown(value, 3), _log10(value), shown_interval(_log10s(spread)), remark)
    seen = document.extrinsic
    if seen is not None:
        value = seen.apparent_resistance_ohm_cm2
        spread = seen.spreads().log10_apparent_resistance
        made.add_section()
        made.add_row(
            "apparent", shown(value, 3), _log10(value), shown_interval(spread), _why_apparent(seen)
        )
    return made


def _why_apparent(seen: ContactExtrinsic) -> str:
    """Describe the extrinsic parts between a contact and its measurement."""
    said = []
    if seen.contact_fraction is not None and seen.contact_fraction < 1.0:
        said.append(f"{seen.contact_fraction:.3g} of the area in contact")
    if seen.constriction_ohm_cm2:
        said.append(f"constriction {shown(seen.constriction_ohm_cm2, 3)} Ω·cm²")
    if seen.interphase_ohm_cm2:
        said.append(
            f"interphase of {shown(seen.interphase_thickness_nm, 3)} nm "
            f"{shown(seen.interphase_ohm_cm2, 3)} Ω·cm²"
        )
    return ", ".join(said)


def _log10(value: float | None) -> str:
    from math import log10

    return "–" if value is None or value <= 0 else f"{log10(value):.2f}"


def _log10s(interval: Quantiles | None) -> Quantiles | None:
    """Return the interval of a part's log10; none where it reaches zero or accumulation."""
    from math import log10

    if interval is None or interval["p05"] <= 0:
        return None
    low, middle, high = (log10(interval[name]) for name in ("p05", "p50", "p95"))
    return {"p05": low, "p50": middle, "p95": high}


def _footnotes(document: ContactResult) -> None:
    out = console()
    reason = document.resistance.reason
    if reason and document.resistance.total_ohm_cm2 is None:
        out.print(f"no total resistance, the excess over the undisturbed bulk: {reason}")
    quantiles = document.spreads()
    samples, lost = quantiles.samples, quantiles.lost_samples
    if samples:
        without = f", except {lost} without a solution" if lost else ""
        out.print(f"intervals: {samples} samples of the records' uncertainties{without}")


def print_dominant(sensitivity: Sensitivity | None, when: str = "") -> None:
    """Print which numbers dominate the interval of the resistance: what to know better next."""
    ranked = (sensitivity or {}).get("log10_interface_resistance") or []
    most = [one for one in ranked if one.variance_share >= _WORTH_NAMING][:3]
    if most:
        named = ", ".join(
            f"{one.material} {one.field} {percent(one.variance_share)}" for one in most
        )
        console().print(f"most of the interface resistance's uncertainty{when} comes from: {named}")


def _assumed_barriers(contacts: Sequence[CellContact]) -> list[str]:
    """Return the contacts whose barrier is drawn from the prior."""
    return [
        f"contact barrier of {contact.name}"
        for contact in contacts
        if contact.contact_barrier_assumed
    ]


def _known(contacts: Sequence[CellContact]) -> None:
    """Describe which phases coexist at a contact, and what an interface of the collection gave."""
    for contact in contacts:
        for text in contact.phases_text:
            console().print(f"{contact.name}: {text}")
        for one in contact.interface_numbers:
            console().print(f"{contact.name}, {one.text}")


def _doubts(contacts: Sequence[CellContact]) -> None:
    """Describe whether the phases react, and where the model is beyond its range of validity."""
    reactions = [
        (contact.name, contact.reaction.text)
        for contact in contacts
        if contact.reaction is not None and contact.reaction.text != contact.outside_text
    ]
    for _, text in grouped(reactions):
        console().print(text)
    doubts = [
        (contact.name, f"{doubt.code}: {doubt.text}")
        for contact, doubt in different_doubts(contacts)
        # said above of a contact that is outside of the model
        if doubt.code != "window" or not contact.outside_of_model
    ]
    for names, text in grouped(doubts):
        console().print(f"{names}, {text}")


def next_steps(steps: Sequence[NextCalculation], most: int) -> list[str]:
    """Return the first lines of what to do next, and how many there are beyond `most`."""
    lines = [f"  {step.text}" for step in steps[:most]]
    if len(steps) > most:
        lines.append(f"  and {len(steps) - most} more (in --json and --report)")
    return lines


def print_assumed(assumed: Sequence[str]) -> None:
    """Print how many numbers nobody measured or calculated, and where to see them."""
    if assumed:
        console().print(
            f"assumed, neither measured nor calculated: {', '.join(assumed)} (`interohm materials "
            "show NAME` marks them, --json lists all)"
        )


def print_cell(document: CellResult, assumed: list[str]) -> None:
    """Print the prediction for a cell: a row for each state of charge, then for each contact."""
    out = console()
    interfaces, states, contacts = _interfaces(document), _states(document), _contacts(document)
    last = document.states[-1]
    out.print(interfaces)
    print_outside([contact for state in document.states for contact in state.contacts])
    if last.next is not None:
        when = f"at state of charge {last.state_of_charge:g}"
        out.print(f"next: {last.next.text} ({when})")
    _known(last.contacts)
    print_assumed([*_assumed_barriers(last.contacts), *assumed])
    out.print(states)
    out.print(contacts)
    following = _following(document)
    if following is not None:
        out.print(following)
    seen = _apparent(document)
    if seen is not None:
        out.print(seen)
    _explain_counts(states, contacts)
    reasons = [
        (contact.name, reason)
        for state in document.states
        for contact in state.contacts
        if contact.resistance.reason and contact.resistance.total_ohm_cm2 is None
        for reason in contact.resistance.reason.split("; ")
    ]
    for names, reason in grouped(reasons):
        out.print(f"{names}: {reason}")
    for material, (low, high) in {
        found.material: found.stability_window_V
        for state in document.states
        for found in state.stability_violations
    }.items():
        out.print(f"{material} leaves its stability window, {low:g} to {high:g} V, in this cell")
    print_dominant(last.sensitivity, f" at state of charge {last.state_of_charge:g}")
    _doubts([contact for state in document.states for contact in state.contacts])
    if document.reference:
        out.print(f"potentials: relative to the neutral mobile metal, record {document.reference}")


def _interfaces(document: CellResult) -> Table:
    """Return what is asked first: the resistance of all interfaces, and how good it may be."""
    made = table(
        "state of charge#",
        "interfaces (Ω·cm²)",
        f"log10, {_UNCERTAIN}",
        "likely below (Ω·cm²)",
        "the worst",
        "limited by",
        title=f"{document.cell}   ({document.temperature_K:g} K)",
    )
    for state in document.states:
        quantiles = state.spreads()
        worst, limited_by = state.worst_contact()
        made.add_row(
            f"{state.state_of_charge:g}",
            shown(state.interface_resistance_ohm_cm2, 3),
            shown_interval(quantiles.log10_interface_resistance),
            OUTSIDE
            if state.outside_of_model
            else likely_below(quantiles.share_above_ohm_cm2) or "",
            worst,
            limited_by.partition(":")[0],
        )
    return made


def _states(document: CellResult) -> Table:
    made = table(
        "state of charge#",
        "V_OC (V)",
        "ASR (Ω·cm²)",
        f"log10, {_UNCERTAIN}",
        "activation energy (eV)",
        _UNCERTAIN,
    )
    for state in document.states:
        quantiles = state.spreads()
        made.add_row(
            f"{state.state_of_charge:g}",
            shown(state.open_circuit_voltage_V),
            shown(state.area_specific_resistance_ohm_cm2, 3),
            _log10_interval(quantiles),
            *_activation_energies(state, document.temperature_K)[0],
        )
    return made


def _following(document: CellResult) -> Table | None:
    """Return whether the space charges follow the state of charge; None of earlier documents."""
    made = table(
        "state of charge#",
        "space charges of",
        "form within (s)",
        "follow up to (C)",
        "at 1C",
    )
    for state in document.states:
        if state.quasi_equilibrium is None:
            continue
        made.add_section()
        charges = [f"{state.state_of_charge:g}"]
        for label, one in state.quasi_equilibrium.rows():
            made.add_row(
                charges.pop() if charges else "",
                label,
                shown(one.relaxation_time_s, 3),
                shown(one.follows_up_to_c_rate, 3),
                one.verdict,
            )
    return made if made.row_count else None


def _apparent(document: CellResult) -> Table | None:
    """Return the apparent resistance at each state of charge; None where nothing is given."""
    made = table(
        "state of charge#",
        "an experiment would measure",
        "intrinsic (Ω·cm²)",
        "apparent (Ω·cm²)",
        f"log10, {_UNCERTAIN}",
        "",
    )
    for state in document.states:
        rows = [
            (
                contact.name,
                contact.resistance.interface_resistance_ohm_cm2,
                contact.extrinsic.apparent_resistance_ohm_cm2,
                contact.extrinsic.spreads().log10_apparent_resistance,
                _why_apparent(contact.extrinsic),
            )
            for contact in state.contacts
            if contact.extrinsic is not None
        ]
        rows += [
            (
                f"{layer.material}, {layer.thickness_nm:g} nm",
                layer.resistance_ohm_cm2,
                layer.extrinsic.apparent_resistance_ohm_cm2,
                layer.extrinsic.spreads().log10_apparent_resistance,
                f"grains of {layer.extrinsic.grain_size_nm:g} nm",
            )
            for layer in state.layers
            if layer.extrinsic is not None
        ]
        if rows:
            rows.append(
                (
                    "cell",
                    state.area_specific_resistance_ohm_cm2,
                    state.apparent_resistance_ohm_cm2,
                    state.spreads().log10_apparent_resistance,
                    "",
                )
            )
        made.add_section()
        charges = [f"{state.state_of_charge:g}"]
        for label, intrinsic, apparent, spread, why in rows:
            made.add_row(
                charges.pop() if charges else "",
                label,
                shown(intrinsic, 3),
                shown(apparent, 3),
                shown_interval(spread),
                why,
            )
    return made if made.row_count else None


def _contacts(document: CellResult) -> Table:
    made = table(
        "state of charge#",
        "contact or layer",
        "drop (V)",
        _UNCERTAIN,
        "sheet charge (e/nm²)",
        "interface (Ω·cm²)",
        f"log10, {_UNCERTAIN}",
        "limited by",
    )
    for state in document.states:
        made.add_section()
        charges = [f"{state.state_of_charge:g}"]
        for contact in state.contacts:
            resistance, quantiles = contact.resistance, contact.spreads()
            value = resistance.interface_resistance_ohm_cm2
            made.add_row(
                charges.pop() if charges else "",
                contact.name,
                shown(contact.potential_drop_V),
                shown_interval(quantiles.potential_drop_V),
                shown(contact.sheet_charge_e_nm2),
                shown(value, 3),
                shown_interval(quantiles.log10_interface_resistance),
                resistance.limiting_step or "",
            )
        for layer in state.layers:
            if layer.resistance_ohm_cm2 is not None:
                name = f"{layer.material}, {layer.thickness_nm:g} nm"
                made.add_row("", name, "", "", "", shown(layer.resistance_ohm_cm2, 3))
    return made
