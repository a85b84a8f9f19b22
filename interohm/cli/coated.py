"""`interohm contact A B --coating NAME:NM`: a contact with layers between its two phases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


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
        Of the contact.
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
    document = coated_result(
        materials[0],
        inner,
        materials[-1],
        temperature_K=temperature_K,
        state_of_charge=state_of_charge,
        samples=500 if samples is None else samples,
        interfaces=known_interfaces(),
    )
    if as_json:
        print_json(document)
    else:
        _print(document)


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


def _print(document: dict[str, Any]) -> None:
    from interohm.cli.output import console, shown, table

    out = console()
    names = [
        document["left"],
        *(f"{one['material']} ({one['thickness_nm']:g} nm)" for one in document["coatings"]),
        document["right"],
    ]
    made = table("part", "R (Ω·cm²)", "5 to 95 %#", title=" | ".join(names))
    rows = [
        *(
            (f"{one['material']}, {one['thickness_nm']:g} nm", one["resistance_ohm_cm2"], one)
            for one in document["coatings"]
        ),
        *(
            (
                f"charge transfer {one['left']} | {one['right']}",
                one["charge_transfer_ohm_cm2"],
                one,
            )
            for one in document["contacts"]
        ),
        ("depletion of the outer phases", document["depletion_ohm_cm2"], None),
        ("interface resistance", document["interface_resistance_ohm_cm2"], document),
    ]
    for label, value, source in rows:
        spread = None if source is None else source.get("quantiles_ohm_cm2")
        made.add_row(
            label,
            shown(value, 3),
            "" if spread is None else f"{spread['p05']:.3g} … {spread['p95']:.3g}",
        )
    out.print(made)
    if document["electron_barrier_eV"] is not None:
        out.print(
            f"electron barrier {shown(document['electron_barrier_eV'], 3)} eV, hole barrier "
            f"{shown(document['hole_barrier_eV'], 3)} eV, emission at most "
            f"{shown(document['leakage_A_cm2'], 2)} A/cm²"
        )
    for one in document["contacts"]:
        if one["reaction"] is not None:
            out.print(one["reaction"]["text"])
