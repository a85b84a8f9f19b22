"""One coated contact: from records to the values that ``interohm contact --coating`` prints."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from interohm.prediction.coated_stack import (
    CoatingLayer,
    SolvedStack,
    check_between,
    solve_stack_between,
)
from interohm.prediction.reaction import reaction_fields
from interohm.prediction.sampling import FieldSamples
from interohm.records import Insulator, Metal, material_hash
from interohm.records.reference import check_same_ion, reference_metal
from interohm.records.shipped import shipped_interfaces
from interohm.results.json_values import number, quantiles

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
) -> dict[str, Any]:
    """Return what is predicted of a contact with coatings between its phases, as JSON values.

    Parameters
    ----------
    left, right : Insulator or Metal
        The phases, at most one of them a metal.
    coatings : sequence of (Insulator, float)
        Records and thicknesses in nm, from left to right.
    temperature_K, state_of_charge : float
        Of the contact, and of its electrode.
    samples : int
        How often the uncertainties are drawn; 0 for never.
    interfaces : sequence of Interface
        Those of the user's database, which are asked before the shipped ones.

    Returns
    -------
    dict
        ``left``, ``right``, ``coatings`` (with their resistance), ``contacts`` (charge transfer,
        drop, reaction), ``depletion_ohm_cm2``, ``interface_resistance_ohm_cm2`` and what electrons
        meet; quantiles beside what is drawn.

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
        return solve_stack_between(
            left,
            layers,
            right,
            reference,
            temperature_K=temperature_K,
            state_of_charge=state_of_charge,
            interfaces=[*interfaces, *shipped_interfaces()],
            field_samples=field_samples,
        )

    nominal = solve(None)
    sampled = solve(FieldSamples(samples)) if samples > 0 else None
    voltage = None if nominal.electrode_V is None else float(nominal.electrode_V)
    return {
        "left": left.name,
        "right": right.name,
        "temperature_K": temperature_K,
        "state_of_charge": state_of_charge,
        "records": {one.name: material_hash(one) for one in [*materials, reference]},
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
        "contacts": [
            {
                "left": one.name,
                "right": other.name,
                "potential_drop_V": number(nominal.contacts[index].potential_drop_V),
                "charge_transfer_ohm_cm2": number(nominal.contacts[index].charge_transfer_ohm_cm2),
                "quantiles_ohm_cm2": None
                if sampled is None
                else quantiles(sampled.contacts[index].charge_transfer_ohm_cm2),
                "reaction": reaction_fields(
                    one, other, voltage if Metal in (type(one), type(other)) else None
                ),
            }
            for index, (one, other) in enumerate(pairwise(materials))
        ],
        "depletion_ohm_cm2": number(nominal.depletion_ohm_cm2),
        "interface_resistance_ohm_cm2": number(nominal.interface_resistance_ohm_cm2),
        "quantiles_ohm_cm2": None
        if sampled is None
        else quantiles(sampled.interface_resistance_ohm_cm2),
        "electron_barrier_eV": number(nominal.electron_barrier_eV),
        "hole_barrier_eV": number(nominal.hole_barrier_eV),
        "leakage_A_cm2": number(nominal.leakage_A_cm2),
    }
