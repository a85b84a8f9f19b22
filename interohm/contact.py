"""One contact of two phases: from their records to the document that the command line prints."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from interohm import device_models as models
from interohm.coated_contact import coated_contacts
from interohm.device_models.stack_layer import StackLayer
from interohm.documents import number
from interohm.electrodes import (
    check_same_ion,
    clipped_mu_eV,
    electrode_model,
    electrode_state,
    ion_content_at,
    reference_metal,
    reference_work_function_eV,
)
from interohm.electron_levels import contact_electrons
from interohm.electron_samples import contact_electron_quantiles
from interohm.errors import InputError
from interohm.layer_diagram import contact_diagrams
from interohm.phases import DEFAULT_SAMPLES, Draws, is_uncertain, phase_of
from interohm.records import Insulator, Metal, material_hash
from interohm.sensitivity import RecordedDraws, contact_sensitivity
from interohm.solved_contact import (
    SolvedContact,
    between_half_spaces,
    contact_fields,
    require_neutral_bulk,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from interohm.device_models import Bulk

    Array = NDArray[np.float64]

#: An electrode this far above the mobile metal is a positive one even on the left of a contact,
#: and one whose voltages all lie below the other number is a negative one even on the right.
_POSITIVE_ABOVE_V, _NEGATIVE_BELOW_V = 2.0, 1.0


@dataclass(frozen=True)
class _Conditions:
    temperature_K: float
    state_of_charge: float
    thickness_nm: float | None
    electrons: bool


def _electrode_content(metal: Metal, state_of_charge: float, *, on_the_right: bool) -> float:
    """The left electrode is the negative one unless its voltage says otherwise."""
    voltages = [state.voltage_V.value for state in metal.states]
    if on_the_right:
        positive = max(voltages) >= _NEGATIVE_BELOW_V
    else:
        positive = min(voltages) > _POSITIVE_ABOVE_V
    return ion_content_at(metal, state_of_charge, positive=positive)


def _solve(
    left: Insulator | Metal,
    right: Insulator | Metal,
    reference: Metal,
    conditions: _Conditions,
    draws: Draws | None,
) -> tuple[SolvedContact, dict[str, Any], Array]:
    """Solve one contact, nominal or for all draws.

    Also return what state it was solved in, and the Fermi level of its electrode.
    """
    z = left.ion_charge
    phi_metal_eV = reference_work_function_eV(reference, draws)
    contents: dict[str, float | None] = {"left": None, "right": None}
    mu_electrode_eV: Array = np.asarray(0.0)
    known: dict[str, models.Metal] = {}
    for name, material in (("left", left), ("right", right)):
        if isinstance(material, Metal):
            content = _electrode_content(
                material, conditions.state_of_charge, on_the_right=name == "right"
            )
            state = electrode_state(material, content, draws=draws)
            contents[name], mu_electrode_eV = content, -z * state.voltage_V
            known[name] = electrode_model(material, state, phi_metal_eV)
    bulks: dict[str, Bulk] = {}
    for name, material in (("left", left), ("right", right)):
        if isinstance(material, Insulator):
            bulks[name] = models.neutral_bulk(
                phase_of(material, electrons=conditions.electrons, draws=draws),
                temperature_K=conditions.temperature_K,
                metal_work_function_eV=phi_metal_eV,
                mu_eV=clipped_mu_eV(material, mu_electrode_eV),
                ion_charge=z,
            )
            if draws is None:
                require_neutral_bulk(material, bulks[name])
    left_model, right_model = ({**known, **bulks}[name] for name in ("left", "right"))
    state_of_sides = {
        "ion_content": contents,
        "neutral_potential_V": {
            "left": number(np.median(left_model.neutral_potential_V)),
            "right": number(np.median(right_model.neutral_potential_V)),
        },
        "mu_eV": {name: number(np.median(bulk.mu_eV)) for name, bulk in bulks.items()},
    }
    if conditions.thickness_nm is None:
        solved = between_half_spaces(left, right, left_model, right_model)
    else:
        solved = _with_layer(
            left,
            right,
            left_model,
            right_model,
            conditions.thickness_nm,
            nominal=draws is None,
        )
    return solved, state_of_sides, models.fermi_level_eV(mu_electrode_eV, phi_metal_eV, z)


def _with_layer(
    left: Insulator | Metal,
    right: Insulator | Metal,
    left_model: Bulk | models.Metal,
    right_model: Bulk | models.Metal,
    thickness_nm: float,
    *,
    nominal: bool,
) -> SolvedContact:
    """Solve a contact whose right insulator (else the left) is a layer of finite thickness.

    Its far end is held at its neutral potential, as by a metal that shares it.
    """
    on_the_right = isinstance(right_model, models.Bulk)
    layered = right_model if isinstance(right_model, models.Bulk) else left_model
    assert isinstance(layered, models.Bulk)
    far_end = models.Metal(layered.neutral_potential_V)
    contacts, layers_ohm_cm2 = coated_contacts(
        [left, right, right] if on_the_right else [left, left, right],
        left_model if on_the_right else far_end,
        [StackLayer(layered, thickness_nm)],
        far_end if on_the_right else right_model,
        dipole_V=[0.0, 0.0],
        sheet_charge_e_nm2=[0.0, 0.0],
        nominal=nominal,
    )
    return replace(
        contacts[0] if on_the_right else contacts[1], layer_ohm_cm2=layers_ohm_cm2[0], reason=""
    )


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
    conditions = _Conditions(temperature_K, state_of_charge, thickness_nm, electrons)
    nominal, state, level_eV = _solve(left, right, reference, conditions, None)
    sampled, sensitivity = None, None
    if any(is_uncertain(material) for material in (left, right, reference)):
        draws = RecordedDraws(samples)
        sampled, _, level_eV = _solve(left, right, reference, conditions, draws)
        sensitivity = contact_sensitivity(draws, sampled, [left, right, reference])
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
        "records": {each.name: material_hash(each) for each in (left, right, reference)},
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
        "sensitivity": sensitivity,
    }
