"""One contact of two phases: from their records to its result."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from interohm import device_models as models
from interohm.errors import InputError
from interohm.prediction.arrhenius import (
    Sweep,
    sampled_temperatures_K,
    sweep_fields,
    sweep_temperatures_K,
)
from interohm.prediction.cell_profile import cell_profile, contact_levels, level_bands
from interohm.prediction.contact_barrier import (
    contact_is_uncertain,
    interface_numbers,
    is_known,
    with_known_interface,
)
from interohm.prediction.contact_stability import outside_fields
from interohm.prediction.electron_samples import contact_electron_quantiles
from interohm.prediction.electrons import contact_electrons
from interohm.prediction.extrinsic import contact_extrinsic_fields, seen_contact
from interohm.prediction.layer_diagram import contact_diagrams, sampled_contact_diagram
from interohm.prediction.polarization import polarization_fields
from interohm.prediction.reaction import reaction_fields
from interohm.prediction.sampled_curves import contact_bands, contact_curves, contact_places
from interohm.prediction.sampling import DEFAULT_SAMPLES, FieldSamples
from interohm.prediction.sensitivity import (
    RecordedFieldSamples,
    contact_sensitivity,
    next_to_learn,
)
from interohm.prediction.single_contact import Conditions, SingleContact, solve_contact
from interohm.prediction.solved_contact import SolvedContact, contact_fields, prediction_fields
from interohm.prediction.validity import contact_validity
from interohm.records import Insulator, Metal, material_hash
from interohm.records.cell_config import Contact
from interohm.records.reference import check_same_ion, reference_metal
from interohm.records.shipped import shipped_interfaces
from interohm.records.uncertainty import assumed_fields, is_uncertain
from interohm.results.contact import ContactResult
from interohm.results.json_values import number

if TYPE_CHECKING:
    from interohm.arrays import Array
    from interohm.records.interface import Interface


#: States of charge at which a contact's parts are reported in addition to the requested one.
_STATES_OF_CHARGE = (0.0, 0.25, 0.5, 0.75, 1.0)

#: Samples of a layer that is solved as a whole over the temperature or the state of charge.
_FEWER_SAMPLES = 100


def contact_result(
    left: Insulator | Metal,
    right: Insulator | Metal,
    *,
    temperature_K: float = 300.0,
    state_of_charge: float = 0.0,
    thickness_nm: float | None = None,
    electrons: bool = True,
    samples: int = DEFAULT_SAMPLES,
    contact: Contact | None = None,
    interfaces: Sequence[Interface] = (),
) -> ContactResult:
    """Return everything that is predicted of one contact.

    Parameters
    ----------
    left, right : Insulator or Metal
        The phases, at least one of them an insulator.
    temperature_K : float
        Temperature of the contact.
    state_of_charge : float
        0 is discharged: a positive electrode at its highest ion content.
    thickness_nm : float, optional
        Makes the right insulator (else the left) a layer of that thickness whose far end is at
        its neutral potential.
    electrons : bool
        Whether electrons and holes take part in the screening.
    samples : int
        How often the uncertainties are drawn.
    contact : Contact, optional
        Known properties of this contact: its barrier, its dipole.
    interfaces : sequence of Interface
        Interfaces of the user's database, which take precedence over the shipped ones.

    Returns
    -------
    ContactResult
        The fields of ``interohm contact --json``; sheet charges in e/nm², capacitances in
        µF/cm², resistances in Ω·cm².

    Raises
    ------
    InputError
        Two metals, phases of different ions, or a phase without a neutral bulk.
    """
    if isinstance(left, Metal) and isinstance(right, Metal):
        raise InputError(
            f"{left.name} and {right.name} are both metals: their contact passes no ions through "
            "an electrolyte",
            where="contact",
            fix="pair an electrode with an insulator, or two insulators",
        )
    check_same_ion([left, right])
    reference = reference_metal([left, right])
    phases = (left, right, reference)
    given, every = contact or Contact(), [*interfaces, *shipped_interfaces()]
    known = with_known_interface(given, left, right, every)
    conditions = Conditions(temperature_K, state_of_charge, thickness_nm, electrons, known)
    single = solve_contact(*phases, conditions, None)
    nominal = single.solved
    many, sensitivity, field_samples = None, None, None
    if samples > 0 and (
        contact_is_uncertain(known) or any(is_uncertain(material) for material in phases)
    ):
        recorded = RecordedFieldSamples(samples)
        many = solve_contact(*phases, conditions, recorded)
        sensitivity = contact_sensitivity(recorded, many.solved, list(phases))
        field_samples = recorded.first(samples)
    sampled = None if many is None else many.solved
    fields = contact_fields(nominal, sampled)
    diagrams = contact_diagrams(nominal, single.metal_work_function_eV, single.electrode_mu_eV)
    bent = [
        diagram
        for diagram, phase in zip(diagrams, (left, right), strict=True)
        if isinstance(phase, Insulator)
    ]
    fields["profile"] = {**cell_profile(bent), **fields["profile"]}
    if many is not None:
        fields["quantiles"].update(
            electrons=contact_electron_quantiles(
                many.solved, many.electrode_level_eV, temperature_K
            ),
            profile=_bands(nominal, many),
            redrawn_samples=0 if field_samples is None else field_samples.redrawn,
        )
    asked = _voltages(single, left.ion_charge)
    reaction = reaction_fields(left, right, asked["left"])
    document = {
        "left": left.name,
        "right": right.name,
        "temperature_K": temperature_K,
        "state_of_charge": state_of_charge,
        "thickness_nm": thickness_nm,
        "reference": reference.name,
        "records": {each.name: material_hash(each) for each in phases},
        "assumed": assumed_fields((left, right)),
        **single.fields,
        **contact_levels(*diagrams),
        **fields,
        "contact_barrier_assumed": not is_known(known),
        "interface_numbers": interface_numbers(given, left, right, every),
        "extrinsic": contact_extrinsic_fields(
            known.extrinsic,
            seen_contact(known.extrinsic, nominal, sampled, temperature_K, field_samples),
        ),
        "validity": single_validity(single),
        "reaction": reaction,
        **outside_fields(left, right, asked, reaction),
        "next": next_to_learn(sensitivity),
        "electrons": contact_electrons(nominal, *diagrams, temperature_K),
        "temperature_sweep": _temperature_sweep(phases, conditions, field_samples),
        "polarization": polarization_fields(
            nominal, temperature_K, sampled=sampled, field_samples=field_samples
        ),
        "over_state_of_charge": _over_state_of_charge(
            phases, conditions, field_samples, single, sampled
        ),
        "sensitivity": sensitivity,
    }
    return ContactResult.model_validate(document)


def contact_document(
    left: Insulator | Metal, right: Insulator | Metal, **conditions: Any
) -> dict[str, Any]:
    """Return a contact's result (see `contact_result`) as the values that ``--json`` prints."""
    return contact_result(left, right, **conditions).document()


def single_validity(single: SingleContact) -> list[dict[str, str]]:
    """Return what to doubt of a nominal contact, see `contact_validity`."""
    return contact_validity(
        single.solved,
        ion_content=single.ion_content,
        voltage_V=_voltages(single, single.solved.left.ion_charge),
    )


def _voltages(single: SingleContact, ion_charge: int) -> dict[str, float | None]:
    """Return what the contact's electrode asks of the two sides; None without an electrode."""
    voltage = number(-single.electrode_mu_eV / ion_charge)
    return {"left": voltage, "right": voltage}


def _bands(nominal: SolvedContact, many: SingleContact) -> dict[str, Any]:
    """Return the intervals along x in both sides: of the levels, and of what moves."""
    curves = contact_curves(many.solved)
    found: dict[str, Any] = contact_bands(nominal, curves)
    for name, side in many.solved.sides.items():
        nominal_side, curve = nominal.sides[name], curves[name]
        if curve is None:
            x_nm, phi = np.zeros(1), np.asarray(many.sides[name].neutral_potential_V)[..., None]
        else:
            assert not isinstance(nominal_side, models.Metal)
            x_nm, own_nm = contact_places(nominal_side, name)
            phi = curve.phi_at(own_nm)
        diagram = sampled_contact_diagram(
            side,
            x_nm,
            phi,
            many.metal_work_function_eV,
            many.electrode_mu_eV,
            nominal.left.ion_charge,
        )
        found[name] = {**(found[name] or {}), **level_bands(diagram)}
    return found


_Phases = tuple[Insulator | Metal, Insulator | Metal, Metal]


def _fewer(field_samples: FieldSamples | None, conditions: Conditions) -> FieldSamples | None:
    """Return fewer samples for a sweep: a layer solved as a whole costs a hundred times as much."""
    if field_samples is None or conditions.thickness_nm is None:
        return field_samples
    return field_samples.first(_FEWER_SAMPLES)


def _temperature_sweep(
    phases: _Phases, conditions: Conditions, field_samples: FieldSamples | None
) -> dict[str, Any] | None:
    """Return the contact over the temperature, in the form of a cell's sweep."""
    left, right, _ = phases
    temperature_K = float(conditions.temperature_K)
    field_samples = _fewer(field_samples, conditions)
    try:
        nominal = _swept(phases, conditions, sweep_temperatures_K(temperature_K), None)
    except InputError:
        # the contact has a solution at its own temperature, if not at all that nobody asked for
        return None
    sampled = None
    if field_samples is not None:
        # samples without any solution must not take the prediction with them
        with contextlib.suppress(InputError):
            sampled = _swept(
                phases, conditions, sampled_temperatures_K(temperature_K), field_samples
            )
    layers = []
    if conditions.thickness_nm is not None:
        layered = right if isinstance(right, Insulator) else left
        layers.append((layered.name, lambda solved: solved.layer_ohm_cm2))
    return {
        "state_of_charge": conditions.state_of_charge,
        **sweep_fields(
            nominal,
            sampled,
            temperature_K,
            total=lambda solved: solved.interface_resistance_ohm_cm2,
            layers=layers,
            contacts=[lambda solved: solved],
        ),
    }


def _swept(
    phases: _Phases, conditions: Conditions, temperatures: Array, field_samples: FieldSamples | None
) -> Sweep[SolvedContact]:
    axis = temperatures if field_samples is None else temperatures[:, None]
    everywhere = replace(conditions, temperature_K=axis)
    real = solve_contact(*phases, everywhere, field_samples).solved
    drop = np.asarray(real.potential_drop_V)
    # a sample without a neutral bulk has no drop, and no solution either
    flat = solve_contact(
        *phases, everywhere, field_samples, flat_V=np.where(np.isfinite(drop), drop, 0.0)
    ).solved
    return Sweep(temperatures, real, flat.without_space_charge())


def _over_state_of_charge(
    phases: _Phases,
    conditions: Conditions,
    field_samples: FieldSamples | None,
    asked: SingleContact,
    asked_sampled: SolvedContact | None,
) -> list[dict[str, Any]]:
    """Return drop and resistances at several states of charge; none without such an electrode.

    That which is asked for is among them as it is solved already, with all of its samples.
    """
    if not any(phase.has_state_of_charge for phase in phases[:2]):
        return []
    field_samples = _fewer(field_samples, conditions)
    found = []
    for state_of_charge in _STATES_OF_CHARGE:
        there = replace(conditions, state_of_charge=state_of_charge)
        if there == conditions:
            single, sampled = asked, asked_sampled
        else:
            try:
                single = solve_contact(*phases, there, None)
            except InputError:
                # nobody asked for this one
                continue
            sampled = None
            if field_samples is not None:
                with contextlib.suppress(InputError):
                    sampled = solve_contact(*phases, there, field_samples).solved
        found.append(
            {
                "state_of_charge": state_of_charge,
                **single.fields,
                **prediction_fields(single.solved, sampled),
            }
        )
    return found
