"""One contact of two phases: from their records to the document that the command line prints."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from interohm.arrhenius import (
    Sweep,
    sampled_temperatures_K,
    sweep_fields,
    sweep_temperatures_K,
)
from interohm.electrodes import (
    check_same_ion,
    electrode_state,
    reference_metal,
    reference_work_function_eV,
)
from interohm.electron_levels import contact_electrons
from interohm.electron_samples import contact_electron_quantiles
from interohm.errors import InputError
from interohm.layer_diagram import contact_diagrams
from interohm.phases import DEFAULT_SAMPLES, Draws, is_uncertain
from interohm.polarization import polarization_fields
from interohm.records import Insulator, Metal, material_hash
from interohm.sensitivity import RecordedDraws, contact_sensitivity
from interohm.single_contact import Conditions, solve_contact
from interohm.solved_contact import SolvedContact, contact_fields, prediction_fields

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

#: States of charge at which a contact's parts are told beside the one that is asked for.
_STATES_OF_CHARGE = (0.0, 0.25, 0.5, 0.75, 1.0)

#: Samples of a layer that is solved whole over the temperature or the state of charge.
_FEWER_SAMPLES = 100


def _electrode_mu_eV(
    left: Insulator | Metal, right: Insulator | Metal, contents: dict[str, float | None]
) -> float:
    """Return mu of the contact's electrode; NaN where there is none."""
    for name, material in (("left", left), ("right", right)):
        content = contents[name]
        if isinstance(material, Metal) and content is not None:
            return -material.ion_charge * float(electrode_state(material, content).voltage_V)
    return float("nan")


def contact_document(
    left: Insulator | Metal,
    right: Insulator | Metal,
    *,
    temperature_K: float = 300.0,
    state_of_charge: float = 0.0,
    thickness_nm: float | None = None,
    electrons: bool = True,
    samples: int = DEFAULT_SAMPLES,
) -> dict[str, Any]:
    """Return everything that is predicted of one contact, as plain JSON values.

    Parameters
    ----------
    left, right : Insulator or Metal
        The phases, at least one of them an insulator.
    temperature_K : float
        Of the contact.
    state_of_charge : float
        0 is discharged: a positive electrode at its highest ion content.
    thickness_nm : float, optional
        Makes the right insulator (else the left) a layer of that thickness whose far end is at
        its neutral potential.
    electrons : bool
        False leaves electrons and holes out.
    samples : int
        How often the records' uncertainties are drawn.

    Returns
    -------
    dict
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
    conditions = Conditions(temperature_K, state_of_charge, thickness_nm, electrons)
    nominal, state, level_eV = solve_contact(*phases, conditions, None)
    sampled, sensitivity, draws = None, None, None
    if samples > 0 and any(is_uncertain(material) for material in phases):
        recorded = RecordedDraws(samples)
        sampled, _, level_eV = solve_contact(*phases, conditions, recorded)
        sensitivity = contact_sensitivity(recorded, sampled, list(phases))
        draws = recorded.first(samples)
    fields = contact_fields(nominal, sampled)
    if sampled is not None:
        fields["quantiles"]["electrons"] = contact_electron_quantiles(
            sampled, level_eV, temperature_K
        )
    return {
        "left": left.name,
        "right": right.name,
        "temperature_K": temperature_K,
        "state_of_charge": state_of_charge,
        "thickness_nm": thickness_nm,
        "reference": reference.name,
        "records": {each.name: material_hash(each) for each in phases},
        **state,
        **fields,
        "electrons": contact_electrons(
            nominal,
            *contact_diagrams(
                nominal,
                reference_work_function_eV(reference, None),
                _electrode_mu_eV(left, right, state["ion_content"]),
            ),
            temperature_K,
        ),
        "temperature_sweep": _temperature_sweep(phases, conditions, draws),
        "polarization": polarization_fields(nominal, temperature_K, sampled=sampled, draws=draws),
        "over_state_of_charge": _over_state_of_charge(phases, conditions, draws),
        "sensitivity": sensitivity,
    }


_Phases = tuple[Insulator | Metal, Insulator | Metal, Metal]


def _fewer(draws: Draws | None, conditions: Conditions) -> Draws | None:
    """Return the samples of a sweep: a layer that is solved whole costs a hundred times as much."""
    if draws is None or conditions.thickness_nm is None:
        return draws
    return draws.first(_FEWER_SAMPLES)


def _temperature_sweep(
    phases: _Phases, conditions: Conditions, draws: Draws | None
) -> dict[str, Any] | None:
    """Return the contact over the temperature, in the form of a cell's sweep."""
    left, right, _ = phases
    temperature_K = float(conditions.temperature_K)
    draws = _fewer(draws, conditions)
    try:
        nominal = _swept(phases, conditions, sweep_temperatures_K(temperature_K), None)
    except InputError:
        # the contact has a solution at its own temperature, if not at all that nobody asked for
        return None
    sampled = None
    if draws is not None:
        sampled = _swept(phases, conditions, sampled_temperatures_K(temperature_K), draws)
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
            total=lambda solved: solved.total_ohm_cm2,
            layers=layers,
            contacts=[lambda solved: solved],
        ),
    }


def _swept(
    phases: _Phases, conditions: Conditions, temperatures: Array, draws: Draws | None
) -> Sweep[SolvedContact]:
    axis = temperatures if draws is None else temperatures[:, None]
    everywhere = replace(conditions, temperature_K=axis)
    real, _, _ = solve_contact(*phases, everywhere, draws)
    drop = np.asarray(real.potential_drop_V)
    # a sample without a neutral bulk has no drop, and no solution either
    flat, _, _ = solve_contact(
        *phases, everywhere, draws, dipole_V=np.where(np.isfinite(drop), drop, 0.0)
    )
    return Sweep(temperatures, real, flat)


def _over_state_of_charge(
    phases: _Phases, conditions: Conditions, draws: Draws | None
) -> list[dict[str, Any]]:
    """Return drop and resistances at several states of charge; none without such an electrode."""
    if not any(isinstance(phase, Metal) and len(phase.states) > 1 for phase in phases[:2]):
        return []
    draws = _fewer(draws, conditions)
    found = []
    for state_of_charge in _STATES_OF_CHARGE:
        there = replace(conditions, state_of_charge=state_of_charge)
        try:
            nominal, state, _ = solve_contact(*phases, there, None)
        except InputError:
            # nobody asked for this one
            continue
        sampled = None if draws is None else solve_contact(*phases, there, draws)[0]
        found.append(
            {
                "state_of_charge": state_of_charge,
                **state,
                **prediction_fields(nominal, sampled),
            }
        )
    return found
