"""Contacts and cells as tables for people."""

from __future__ import annotations

from typing import Any

from interohm.cli.output import console, shown, shown_interval, table
from interohm.results.json_values import likely_below

_UNCERTAIN = "5 to 95 %"

#: What the counts beside intervals mean.
_OF_SAMPLES = (
    "(m of n): of the m samples whose resistance is positive, which alone have a logarithm and an "
    "activation energy"
)

#: Inputs that explain less of a variance than this are not named in a table.
_WORTH_NAMING = 0.1


def print_contact(document: dict[str, Any], assumed: list[str]) -> None:
    """Print the prediction for one contact (the document of `interohm.prediction.contact`)."""
    conditions = [f"{document['temperature_K']:g} K"]
    if document.get("thickness_nm") is not None:
        conditions.append(f"layer of {document['thickness_nm']:g} nm")
    if document.get("state_of_charge"):
        conditions.append(f"state of charge {document['state_of_charge']:g}")
    title = f"{document['left']} | {document['right']}   ({', '.join(conditions)})"
    quantiles = document["quantiles"] or {}
    made = table("", "value#", _UNCERTAIN, title=title)
    for label, field in (
        ("potential drop (V)", "potential_drop_V"),
        ("sheet charge (e/nm²)", "sheet_charge_e_nm2"),
        ("capacitance, integral (µF/cm²)", "capacitance_uF_cm2"),
        ("capacitance, differential (µF/cm²)", "differential_capacitance_uF_cm2"),
    ):
        made.add_row(label, shown(document[field]), shown_interval(quantiles.get(field)))
    for side in ("left", "right"):
        name = document[side]
        length = document["debye_length_nm"][side]
        if length is not None:
            spread = (quantiles.get("debye_length_nm") or {}).get(side)
            made.add_row(f"Debye length, {name} (nm)", shown(length), shown_interval(spread))
        distance = (document.get("distance_nm") or {}).get(side)
        spreads = (quantiles.get("distance_nm") or {}).get(side) or {}
        for key, share in (("x50", 50), ("x90", 90), ("x99", 99)) if distance else ():
            made.add_row(
                f"{share} % of the drop, {name} (nm)",
                shown(distance[key], 3),
                shown_interval(spreads.get(key)),
            )
    _add_electrons(made, document, quantiles.get("electrons") or {})
    with_charge, without = _activation_energies(document, document["temperature_K"])
    made.add_row("activation energy (eV)", *with_charge)
    made.add_row("without space charge (eV)", *without)
    out = console()
    resistances = _resistances(document)
    out.print(resistances)
    if (below := likely_below(quantiles)) is not None:
        out.print(f"likely below (Ω·cm²): {below} of the samples")
    if document["next"] is not None:
        out.print(f"next: {document['next']['text']}")
    _assumed([*_assumed_barriers([document]), *assumed])
    out.print(made)
    _footnotes(document)
    _explain_counts(made, resistances)
    _dominant(document.get("sensitivity"), "")
    _doubts([document])
    out.print(f"potentials: above the neutral mobile metal, record {document['reference']}")


def _add_electrons(made: Any, document: dict[str, Any], spreads: dict[str, Any]) -> None:
    """Add what electrons meet: barriers at an electrode, band steps between two insulators."""
    electrons = document.get("electrons") or {}
    for label, field in (
        ("electron barrier (eV)", "electron_barrier_eV"),
        ("hole barrier (eV)", "hole_barrier_eV"),
        ("conduction band step (eV)", "conduction_band_step_eV"),
        ("valence band step (eV)", "valence_band_step_eV"),
    ):
        if electrons.get(field) is not None:
            made.add_row(label, shown(electrons[field]), shown_interval(spreads.get(field)))
    leakage = electrons.get("leakage_A_cm2")
    if leakage is not None:
        spread = shown_interval(spreads.get("log10_leakage_A_cm2"))
        made.add_row("leakage (log10 of A/cm²)", _log10(leakage), spread)


def _activation_energies(solved: dict[str, Any], temperature_K: float) -> list[tuple[str, str]]:
    """Return apparent activation energy and interval, with space charges and without them."""
    sweep = solved.get("temperature_sweep")
    if sweep is None:
        return [(shown(None), "")] * 2
    off = [abs(kelvin - temperature_K) for kelvin in sweep["temperature_K"]]
    middle = off.index(min(off))
    whole = sweep["area_specific"]
    return [
        (
            shown(None if part is None else part["activation_energy_eV"][middle], 3),
            _energy_interval((part or {}).get("quantiles") or {}, sweep.get("samples")),
        )
        for part in (whole, whole["without_space_charge"])
    ]


def _energy_interval(quantiles: dict[str, Any], samples: int | None) -> str:
    interval = shown_interval(quantiles.get("activation_energy_eV"), digits=2)
    return _counted(interval, quantiles.get("activation_energy_samples"), samples)


def _log10_interval(quantiles: dict[str, Any]) -> str:
    """Return the interval of a total's log10."""
    interval = shown_interval(quantiles.get("log10_resistance"))
    return _counted(interval, quantiles.get("log10_samples"), quantiles.get("samples"))


def _counted(interval: str, some: int | None, samples: int | None) -> str:
    """Return an interval, with their number where not all of the samples have what it is of."""
    if not interval or some is None or samples is None or some == samples:
        return interval
    return f"{interval} ({some} of {samples})"


def _explain_counts(*tables: Any) -> None:
    cells = (cell for made in tables for column in made.columns for cell in column.cells)
    if any(str(cell).endswith(")") and "…" in str(cell) for cell in cells):
        console().print(_OF_SAMPLES)


def _resistances(document: dict[str, Any]) -> Any:
    resistance = document["resistance"]
    quantiles = document["quantiles"] or {}
    made = table("resistance", "(Ω·cm²)", "log10#", f"log10, {_UNCERTAIN}", "")
    step = resistance.get("limiting_step")
    made.add_row(
        "interface",
        shown(resistance["interface_resistance_ohm_cm2"], 3),
        _log10(resistance["interface_resistance_ohm_cm2"]),
        shown_interval(quantiles.get("log10_interface_resistance")),
        f"limited by {step}" if step else "",
    )
    for label, key in (
        ("charge transfer", "charge_transfer_ohm_cm2"),
        (f"depletion, {document['left']}", "depletion_left_ohm_cm2"),
        (f"depletion, {document['right']}", "depletion_right_ohm_cm2"),
        ("accumulation", "accumulation_ohm_cm2"),
        ("layer", "layer_ohm_cm2"),
    ):
        value = resistance.get(key)
        if not value:
            continue
        spread = (quantiles.get("resistance_ohm_cm2") or {}).get(key)
        remark = ""
        if key == "charge_transfer_ohm_cm2" and resistance["contact_barrier_eV"] is not None:
            kind = " (assumed)" if document["contact_barrier_assumed"] else ""
            remark = f"barrier {resistance['contact_barrier_eV']:.3g} eV{kind}"
        made.add_row(label, shown(value, 3), _log10(value), shown_interval(_log10s(spread)), remark)
    if document.get("extrinsic") is not None:
        seen = document["extrinsic"]
        value = seen["apparent_resistance_ohm_cm2"]
        spread = (seen["quantiles"] or {}).get("log10_apparent_resistance")
        made.add_section()
        made.add_row(
            "apparent", shown(value, 3), _log10(value), shown_interval(spread), _why_apparent(seen)
        )
    return made


def _why_apparent(seen: dict[str, Any]) -> str:
    """Say what stands between a contact and its measurement."""
    said = []
    if seen["contact_fraction"] != 1.0:
        said.append(f"{seen['contact_fraction']:.3g} of the area touches")
    if seen["constriction_ohm_cm2"]:
        said.append(f"constriction {shown(seen['constriction_ohm_cm2'], 3)} Ω·cm²")
    if seen["interphase_ohm_cm2"]:
        said.append(
            f"interphase of {seen['interphase_thickness_nm']:.3g} nm "
            f"{shown(seen['interphase_ohm_cm2'], 3)} Ω·cm²"
        )
    return ", ".join(said)


def _log10(value: float | None) -> str:
    from math import log10

    return "–" if value is None or value <= 0 else f"{log10(value):.2f}"


def _log10s(interval: dict[str, float] | None) -> dict[str, float] | None:
    """Return the interval of a part's log10; none where it reaches zero or accumulation."""
    from math import log10

    if interval is None or interval["p05"] <= 0:
        return None
    return {name: log10(value) for name, value in interval.items()}


def _footnotes(document: dict[str, Any]) -> None:
    out = console()
    reason = document["resistance"].get("reason")
    if reason and document["resistance"]["total_ohm_cm2"] is None:
        out.print(f"no excess over the undisturbed bulk: {reason}")
    quantiles = document["quantiles"] or {}
    samples, lost = quantiles.get("samples"), quantiles.get("lost_samples")
    if samples:
        without = f", less {lost} that have no solution" if lost else ""
        out.print(f"intervals: {samples} samples of the records' uncertainties{without}")


def _dominant(sensitivity: dict[str, Any] | None, when: str) -> None:
    """Say which numbers the interval of the resistance is from: what to know better next."""
    ranked = (sensitivity or {}).get("log10_interface_resistance") or []
    most = [one for one in ranked if one["variance_share"] >= _WORTH_NAMING][:3]
    if most:
        named = ", ".join(
            f"{one['material']} {one['field']} {one['variance_share']:.0%}" for one in most
        )
        console().print(f"most of the interface resistance's uncertainty{when} is from: {named}")


def _assumed_barriers(contacts: list[dict[str, Any]]) -> list[str]:
    """Return the contacts whose barrier is drawn from the prior."""
    return [
        f"contact barrier of {contact['left']} | {contact['right']}"
        for contact in contacts
        if contact.get("contact_barrier_assumed")
    ]


def _doubts(contacts: list[dict[str, Any]]) -> None:
    """Say whether the phases react, and where the model is beyond what it knows."""
    for text in dict.fromkeys(
        contact["reaction"]["text"] for contact in contacts if contact.get("reaction") is not None
    ):
        console().print(text)
    for text in dict.fromkeys(
        f"{contact['left']} | {contact['right']}, {doubt['code']}: {doubt['text']}"
        for contact in contacts
        for doubt in contact["validity"]
    ):
        console().print(text)


def _assumed(assumed: list[str]) -> None:
    if assumed:
        console().print(f"assumed, neither measured nor calculated: {', '.join(assumed)}")


def print_cell(document: dict[str, Any], assumed: list[str]) -> None:
    """Print the prediction for a cell: a row for each state of charge, then for each contact."""
    out = console()
    interfaces, states, contacts = _interfaces(document), _states(document), _contacts(document)
    last = document["states"][-1]
    out.print(interfaces)
    if last.get("next") is not None:
        when = f"at state of charge {last['state_of_charge']:g}"
        out.print(f"next: {last['next']['text']} ({when})")
    _assumed([*_assumed_barriers(last["contacts"]), *assumed])
    out.print(states)
    out.print(contacts)
    seen = _apparent(document)
    if seen is not None:
        out.print(seen)
    _explain_counts(states, contacts)
    for reason in dict.fromkeys(
        f"{contact['left']} | {contact['right']}: {contact['resistance']['reason']}"
        for state in document["states"]
        for contact in state["contacts"]
        if contact["resistance"].get("reason") and contact["resistance"]["total_ohm_cm2"] is None
    ):
        out.print(reason)
    for material, (low, high) in {
        found["material"]: found["stability_window_V"]
        for state in document["states"]
        for found in state.get("stability_violations", ())
    }.items():
        out.print(f"{material} leaves its stability window, {low:g} to {high:g} V, in this cell")
    _dominant(last.get("sensitivity"), f" at state of charge {last['state_of_charge']:g}")
    _doubts([contact for state in document["states"] for contact in state["contacts"]])
    if document.get("reference"):
        out.print(f"potentials: above the neutral mobile metal, record {document['reference']}")


def _interfaces(document: dict[str, Any]) -> Any:
    """Return what is asked first: the resistance of all interfaces, and how good it may be."""
    made = table(
        "state of charge#",
        "interfaces (Ω·cm²)",
        f"log10, {_UNCERTAIN}",
        "likely below (Ω·cm²)",
        "the worst",
        "limited by",
        title=f"{document['cell']}   ({document['temperature_K']:g} K)",
    )
    for state in document["states"]:
        quantiles = state.get("quantiles") or {}
        known = [
            contact
            for contact in state["contacts"]
            if contact["resistance"]["interface_resistance_ohm_cm2"] is not None
        ]
        worst = max(
            known, key=lambda one: one["resistance"]["interface_resistance_ohm_cm2"], default=None
        )
        made.add_row(
            f"{state['state_of_charge']:g}",
            shown(state["interface_resistance_ohm_cm2"], 3),
            shown_interval(quantiles.get("log10_interface_resistance")),
            likely_below(quantiles) or "",
            "" if worst is None else f"{worst['left']} | {worst['right']}",
            "" if worst is None else worst["resistance"].get("limiting_step") or "",
        )
    return made


def _states(document: dict[str, Any]) -> Any:
    made = table(
        "state of charge#",
        "V_OC (V)",
        "ASR (Ω·cm²)",
        f"log10, {_UNCERTAIN}",
        "activation energy (eV)",
        _UNCERTAIN,
    )
    for state in document["states"]:
        quantiles = state.get("quantiles") or {}
        made.add_row(
            f"{state['state_of_charge']:g}",
            shown(state["open_circuit_voltage_V"]),
            shown(state["area_specific_resistance_ohm_cm2"], 3),
            _log10_interval(quantiles),
            *_activation_energies(state, document["temperature_K"])[0],
        )
    return made


def _apparent(document: dict[str, Any]) -> Any | None:
    """Return what an experiment would see, at each state of charge; None where nothing is given."""
    made = table(
        "state of charge#",
        "an experiment would see",
        "intrinsic (Ω·cm²)",
        "apparent (Ω·cm²)",
        f"log10, {_UNCERTAIN}",
        "",
    )
    for state in document["states"]:
        made.add_section()
        charges = [f"{state['state_of_charge']:g}"]
        rows = [
            (
                f"{one['left']} | {one['right']}",
                one["resistance"]["interface_resistance_ohm_cm2"],
                one["extrinsic"],
                _why_apparent(one["extrinsic"]),
            )
            for one in state["contacts"]
            if one.get("extrinsic") is not None
        ]
        rows += [
            (
                f"{one['material']}, {one['thickness_nm']:g} nm",
                one["resistance_ohm_cm2"],
                one["extrinsic"],
                f"grains of {one['extrinsic']['grain_size_nm']:g} nm",
            )
            for one in state["layers"]
            if one.get("extrinsic") is not None
        ]
        if state.get("apparent_resistance_ohm_cm2") is not None:
            rows.append(("cell", state["area_specific_resistance_ohm_cm2"], state, ""))
        for label, intrinsic, seen, why in rows:
            made.add_row(
                charges.pop() if charges else "",
                label,
                shown(intrinsic, 3),
                shown(seen["apparent_resistance_ohm_cm2"], 3),
                shown_interval((seen["quantiles"] or {}).get("log10_apparent_resistance")),
                why,
            )
    return made if made.row_count else None


def _contacts(document: dict[str, Any]) -> Any:
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
    for state in document["states"]:
        made.add_section()
        charges = [f"{state['state_of_charge']:g}"]
        for contact in state["contacts"]:
            resistance, quantiles = contact["resistance"], contact["quantiles"] or {}
            value = resistance["interface_resistance_ohm_cm2"]
            made.add_row(
                charges.pop() if charges else "",
                f"{contact['left']} | {contact['right']}",
                shown(contact["potential_drop_V"]),
                shown_interval(quantiles.get("potential_drop_V")),
                shown(contact["sheet_charge_e_nm2"]),
                shown(value, 3),
                shown_interval(quantiles.get("log10_interface_resistance")),
                resistance.get("limiting_step") or "",
            )
        for layer in state["layers"]:
            if layer["resistance_ohm_cm2"] is not None:
                name = f"{layer['material']}, {layer['thickness_nm']:g} nm"
                made.add_row("", name, "", "", "", shown(layer["resistance_ohm_cm2"], 3))
    return made
