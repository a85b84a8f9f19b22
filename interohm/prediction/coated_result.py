"""One coated contact: from records to the values that ``interohm contact --coating`` prints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from interohm.prediction.coated_stack import (
    CoatingLayer,
    SolvedStack,
    check_between,
    stack_row,
)
from interohm.prediction.contact_barrier import (
    interface_numbers,
    is_known,
    with_known_interface,
)
from interohm.prediction.contact_stability import (
    contacts_react,
    outside_of_model,
    stability_fields,
)
from interohm.prediction.reaction import reaction_fields
from interohm.prediction.sampling import FieldSamples
from interohm.prediction.sensitivity import (
    RecordedFieldSamples,
    next_to_learn,
    sensitivity_fields,
)
from interohm.prediction.single_contact import contact_ion_content
from interohm.prediction.validity import contact_validity
from interohm.records import Insulator, Metal, material_hash
from interohm.records.cell_config import Contact
from interohm.records.reference import check_same_ion, reference_metal
from interohm.records.shipped import shipped_interfaces
from interohm.records.uncertainty import assumed_fields
from interohm.results.coated_contact import CoatedContactResult
from interohm.results.json_values import (
    interface_quantiles,
    log10_resistance,
    number,
    quantiles,
)

if TYPE_CHECKING:
    from interohm.records.interface import Interface


def coated_result(
    left: Insulator | Metal,
    coatings: Sequence[tuple[Insulator, float]],
    right: Insulator | Metal,
    *,
    temperature_K: float = 300.0,
    state_of_charge: float = 0.0,
    samples: int = 500,
    interfaces: Sequence[Interface] = (),
) -> CoatedContactResult:
    """Return what is predicted of a contact with coatings between its phases.

    The words are those of a plain contact (`interohm.prediction.contact.contact_result`).

    Parameters
    ----------
    left, right : Insulator or Metal
        The phases, at most one of them a metal.
    coatings : sequence of (Insulator, float)
        Records and thicknesses in nm, from left to right.
    temperature_K, state_of_charge : float
        Temperature of the contact, and state of charge of its electrode.
    samples : int
        How often the uncertainties are drawn; 0 for never.
    interfaces : sequence of Interface
        Interfaces of the user's database, which take precedence over the shipped ones.

    Returns
    -------
    CoatedContactResult
        The fields of ``interohm contact --coating --json``; quantiles beside what is drawn.

    Raises
    ------
    InputError
        Two metals, phases of different ions, or a stack without a solution.
    """
    materials = [left, *(one for one, _ in coatings), right]
    check_between(left, right)
    check_same_ion(materials)
    reference = reference_metal(materials)
    layers = [CoatingLayer(one, thickness_nm) for one, thickness_nm in coatings]

    def solve(field_samples: FieldSamples | None) -> SolvedStack:
        return stack_row(
            left,
            layers,
            right,
            reference,
            temperature_K=temperature_K,
            state_of_charge=state_of_charge,
            interfaces=[*interfaces, *shipped_interfaces()],
            field_samples=field_samples,
        ).solve()

    nominal = solve(None)
    sampled, sensitivity = None, None
    phases = [*materials, reference]
    every = [*interfaces, *shipped_interfaces()]
    if samples > 0:
        recorded = RecordedFieldSamples(samples)
        sampled = solve(recorded)
        logs = log10_resistance(sampled.interface_resistance_ohm_cm2)
        sensitivity = {"log10_interface_resistance": sensitivity_fields(recorded, logs, phases)}
    voltage = None if nominal.electrode_V is None else float(nominal.electrode_V)
    contacts = [
        _contact_fields(nominal, sampled, index, state_of_charge, voltage, every)
        for index in range(len(nominal.contacts))
    ]
    document = {
        "left": left.name,
        "right": right.name,
        "temperature_K": temperature_K,
        "state_of_charge": state_of_charge,
        "reference": reference.name,
        "records": {one.name: material_hash(one) for one in phases},
        "assumed": assumed_fields(materials),
        "samples": samples,
        "coatings": [
            {
                "material": one.name,
                "thickness_nm": thickness_nm,
                "resistance_ohm_cm2": number(nominal.layers_ohm_cm2[index]),
                "quantiles_ohm_cm2": None
                if sampled is None
                else quantiles(sampled.layers_ohm_cm2[index]),
            }
            for index, (one, thickness_nm) in enumerate(coatings)
        ],
        "contacts": contacts,
        "reacts": contacts_react(contacts),
        "outside_of_model": outside_of_model([one["outside_of_model"] for one in contacts]),
        "depletion_ohm_cm2": number(nominal.depletion_ohm_cm2),
        "interface_resistance_ohm_cm2": number(nominal.interface_resistance_ohm_cm2),
        "quantiles_ohm_cm2": None
        if sampled is None
        else quantiles(sampled.interface_resistance_ohm_cm2),
        "share_above_ohm_cm2": None
        if sampled is None
        else interface_quantiles(sampled.interface_resistance_ohm_cm2)["share_above_ohm_cm2"],
        "electron_barrier_eV": number(nominal.electron_barrier_eV),
        "hole_barrier_eV": number(nominal.hole_barrier_eV),
        "leakage_A_cm2": number(nominal.leakage_A_cm2),
        "next": next_to_learn(sensitivity),
        "sensitivity": sensitivity,
    }
    return CoatedContactResult.model_validate(document)


def _contact_fields(
    nominal: SolvedStack,
    sampled: SolvedStack | None,
    index: int,
    state_of_charge: float,
    voltage_V: float | None,
    interfaces: Sequence[Interface],
) -> dict[str, Any]:
    """Return one contact of a stack: its numbers, what to doubt, and whether it decomposes."""
    left, right = nominal.materials[index : index + 2]
    electrode = next((one for one in (left, right) if isinstance(one, Metal)), None)
    content: dict[str, float | None] = {"left": None, "right": None}
    # a coating's potential at the other contact is free within its window
    voltages: dict[str, float | None] = {"left": None, "right": None}
    if electrode is not None:
        side = "left" if electrode is left else "right"
        on_the_right = side == "right"
        content[side] = contact_ion_content(electrode, state_of_charge, on_the_right=on_the_right)
        if voltage_V is not None:
            voltages = {"left": voltage_V, "right": voltage_V}
    given = with_known_interface(Contact(), left, right, interfaces)
    solved = nominal.contacts[index]
    return {
        "left": left.name,
        "right": right.name,
        "potential_drop_V": number(solved.potential_drop_V),
        "charge_transfer_ohm_cm2": number(solved.charge_transfer_ohm_cm2),
        "contact_barrier_eV": number(solved.contact_barrier_eV),
        "contact_barrier_assumed": not is_known(given),
        "interface_numbers": interface_numbers(Contact(), left, right, interfaces),
        "quantiles_ohm_cm2": None
        if sampled is None
        else quantiles(sampled.contacts[index].charge_transfer_ohm_cm2),
        "validity": contact_validity(solved, ion_content=content, voltage_V=voltages),
        "reaction": reaction_fields(left, right, voltage_V if electrode is not None else None),
        **stability_fields(left, right, [voltage_V] if electrode is not None else [None]),
    }
