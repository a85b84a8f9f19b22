"""`interohm contact A B --coating NAME:NM`: a contact with layers between its two phases."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interohm.results.coated_contact import CoatedContactResult
    from interohm.results.result import Quantiles


def coated_contact(
    left: str,
    coatings: Sequence[str],
    right: str,
    *,
    temperature_K: float,
    state_of_charge: float,
    samples: int | None,
    as_json: bool,
    refused: Sequence[str],
) -> None:
    """Predict and print a coated contact.

    Parameters
    ----------
    left, right : str
        The two phases, by name or path.
    coatings : sequence of str
        ``NAME:NM``, from left to right.
    temperature_K, state_of_charge : float
        Temperature and state of charge of the contact.
    samples : int, optional
        How often the uncertainties are drawn.
    as_json : bool
        One JSON object instead of a table.
    refused : sequence of str
        Options that were given and do not go with a coating.

    Raises
    ------
    InputError
        An option, a record or a thickness that does not fit.
    """
    from interohm.cli.named_materials import find_materials, known_interfaces
    from interohm.cli.output import print_json
    from interohm.errors import InputError
    from interohm.prediction.coated_result import coated_result
    from interohm.records import Insulator

    if refused:
        raise InputError(
            f"{', '.join(refused)} cannot be combined with --coating",
            where="contact",
            fix="leave it out; for reports and barriers of coated contacts use `interohm cell` "
            "and `interohm design`",
        )
    layers = [_parsed(text) for text in coatings]
    materials, _ = find_materials([left, *(name for name, _ in layers), right])
    inner = []
    for (name, thickness_nm), material in zip(layers, materials[1:-1], strict=True):
        if not isinstance(material, Insulator):
            raise InputError(
                f"{name} is a metal", where="--coating", fix="name an insulating coating"
            )
        inner.append((material, thickness_nm))
    result = coated_result(
        materials[0],
        inner,
        materials[-1],
        temperature_K=temperature_K,
        state_of_charge=state_of_charge,
        samples=500 if samples is None else samples,
        interfaces=known_interfaces(),
    )
    if as_json:
        print_json(result.document())
    else:
        from interohm.cli.named_materials import assumed_inputs
        from interohm.prediction.contact_stability import without_window

        charge = any(one.has_state_of_charge for one in materials)
        no_window = [
            name
            for one, pair in zip(result.contacts, pairwise(materials), strict=True)
            if one.outside_of_model is None
            for name in without_window(pair)
        ]
        _print(result, assumed_inputs(materials), has_charge=charge, no_window=no_window)


def _parsed(text: str) -> tuple[str, float]:
    """Return name and thickness of ``NAME:NM``; a path may have colons of its own."""
    from pydantic import TypeAdapter

    from interohm.errors import InputError
    from interohm.records.cell_config import Thickness
    from interohm.yaml_io import validated_as

    name, colon, number = text.rpartition(":")
    try:
        value = float(number)
    except ValueError:
        value = float("nan")
    if not name or not colon or value != value:
        raise InputError(
            f"{text!r} is not a name and a thickness",
            where="--coating",
            fix="write the record, a colon and the thickness in nm: LiNbO3:5",
        )
    adapter: TypeAdapter[float] = TypeAdapter(Thickness)
    return name, validated_as(adapter, value, where=f"--coating {text}")


def _print(
    result: CoatedContactResult,
    assumed: Sequence[str],
    *,
    has_charge: bool,
    no_window: Sequence[str],
) -> None:
    from interohm.cli.output import console, shown, table
    from interohm.cli.tables import print_assumed, print_dominant
    from interohm.results.contact import UNREACTED, different_doubts, grouped
    from interohm.results.design import OUTSIDE, UNKNOWN, windows_unknown_text
    from interohm.results.json_values import likely_below

    out = console()
    names = [
        result.left,
        *(f"{one.material} ({one.thickness_nm:g} nm)" for one in result.coatings),
        result.right,
    ]
    conditions = f"{result.temperature_K:g} K"
    if has_charge:
        conditions += f", state of charge {result.state_of_charge:g}"
    title = f"{' | '.join(names)}   ({conditions})"
    made = table("part", "nominal R (Ω·cm²)", "median R (Ω·cm²)", "5 to 95 %#", "", title=title)

    def add(label: str, value: float | None, spread: Quantiles | None, remark: str = "") -> None:
        interval = "" if spread is None else f"{spread['p05']:.3g} … {spread['p95']:.3g}"
        median = None if spread is None else spread["p50"]
        made.add_row(label, shown(value, 3), shown(median, 3), interval, remark)

    verdict = OUTSIDE if result.outside_of_model else UNKNOWN if no_window else ""
    add("interface", result.interface_resistance_ohm_cm2, result.quantiles_ohm_cm2, verdict)
    for layer in result.coatings:
        label = f"{layer.material}, {layer.thickness_nm:g} nm"
        add(label, layer.resistance_ohm_cm2, layer.quantiles_ohm_cm2)
    for one in result.contacts:
        barrier = f"barrier {shown(one.contact_barrier_eV, 3)} eV"
        if one.contact_barrier_assumed:
            barrier += " (assumed)"
        add(
            f"charge transfer {one.name}",
            one.charge_transfer_ohm_cm2,
            one.quantiles_ohm_cm2,
            barrier,
        )
    add("depletion of the outer phases", result.depletion_ohm_cm2, None)
    out.print(made)
    below = likely_below(result.share_above_ohm_cm2)
    if result.outside_of_model:
        for one in result.contacts:
            if one.outside_of_model:
                out.print(f"{one.name} is outside of this model: {one.text}")
        out.print(UNREACTED)
    elif below is not None:
        out.print(f"likely below (Ω·cm²): {below} of the samples")
    if no_window:
        out.print(windows_unknown_text(no_window))
    if result.next is not None:
        out.print(f"next: {result.next.text}")
    for one in result.contacts:
        for known in one.interface_numbers:
            out.print(f"{one.name}, {known.text}")
    unknown = [one.name for one in result.contacts if one.contact_barrier_assumed]
    print_assumed([*(f"contact barrier of {name}" for name in unknown), *assumed])
    if result.electron_barrier_eV is not None:
        out.print(
            f"electron barrier {shown(result.electron_barrier_eV, 3)} eV, hole barrier "
            f"{shown(result.hole_barrier_eV, 3)} eV, emission at most "
            f"{shown(result.leakage_A_cm2, 2)} A/cm²"
        )
    print_dominant(result.sensitivity)
    for one in result.contacts:
        if one.text is not None and not one.outside_of_model:
            out.print(f"{one.name}: {one.text}")
    doubts = [
        (contact.name, f"{doubt.code}: {doubt.text}")
        for contact, doubt in different_doubts(result.contacts)
        # the contact's own text says how far a potential is outside of a window
        if doubt.code != "window"
    ]
    for shared_by, text in grouped(doubts):
        out.print(f"{shared_by}, {text}")
    out.print(f"potentials: relative to the neutral mobile metal, record {result.reference}")
