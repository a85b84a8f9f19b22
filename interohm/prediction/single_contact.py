"""One contact of two phases, solved: from their records to what the device model makes of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from interohm import device_models as models
from interohm.device_models import StackLayer
from interohm.prediction.coated_contact import coated_contacts
from interohm.prediction.coexisting_phases import PhaseShare, of_all_phases
from interohm.prediction.contact_hop import EXCESS_BARRIER_SCALE_EV, Hop, dipole_V, hop_of
from interohm.prediction.electrodes import (
    clipped_mu_eV,
    electrode_phases,
    electrode_state,
    ion_content_at,
    reference_work_function_eV,
)
from interohm.prediction.sampling import FieldSamples, phase_of, unshipped_metal_eV
from interohm.prediction.solved_contact import (
    SolvedContact,
    between_half_spaces,
    require_neutral_bulk,
)
from interohm.records import Insulator, Metal
from interohm.records.cell_config import Contact
from interohm.results.json_values import number

if TYPE_CHECKING:
    from interohm.arrays import Array
    from interohm.device_models import Bulk


#: An electrode this far above the mobile metal is a positive one even on the left of a contact,
#: and one whose voltages all lie below the other number is a negative one even on the right.
_POSITIVE_ABOVE_V, _NEGATIVE_BELOW_V = 2.0, 1.0


@dataclass(frozen=True)
class Conditions:
    """What a contact is in; the temperature may be an array, and then comes before the samples."""

    temperature_K: float | Array
    state_of_charge: float
    thickness_nm: float | None
    electrons: bool
    contact: Contact = field(default_factory=Contact)
    excess_barrier_scale_eV: float = EXCESS_BARRIER_SCALE_EV


@dataclass(frozen=True)
class SingleContact:
    """A contact and the state that it was solved in; arrays have the shape () or (samples,).

    Parameters
    ----------
    solved : SolvedContact
        The solution.
    ion_content : dict
        Of the two sides; None of an insulator.
    sides : dict
        What stands on the two sides: a bulk, or a metal; of phases that coexist, the largest share.
    metal_work_function_eV : array
        Of the mobile metal, the zero of potential.
    electrode_mu_eV : array
        mu of the contact's electrode; NaN where it has none.
    """

    solved: SolvedContact
    ion_content: dict[str, float | None]
    sides: dict[str, Bulk | models.Metal]
    metal_work_function_eV: Array
    electrode_mu_eV: Array

    @property
    def electrode_level_eV(self) -> Array:
        """Return the Fermi level of the contact's electrode."""
        return models.fermi_level_eV(
            self.electrode_mu_eV, self.metal_work_function_eV, self.solved.left.ion_charge
        )

    @property
    def fields(self) -> dict[str, Any]:
        """Return the state of a nominal solution as a document says it."""
        return {
            "ion_content": self.ion_content,
            "neutral_potential_V": {
                side: number(model.neutral_potential_V) for side, model in self.sides.items()
            },
            "mu_eV": {
                side: number(model.mu_eV)
                for side, model in self.sides.items()
                if isinstance(model, models.Bulk)
            },
        }


def _electrode_content(metal: Metal, state_of_charge: float, *, on_the_right: bool) -> float:
    """The left electrode is the negative one unless its voltage says otherwise."""
    voltages = [state.voltage_V.value for state in metal.states]
    if on_the_right:
        positive = max(voltages) >= _NEGATIVE_BELOW_V
    else:
        positive = min(voltages) > _POSITIVE_ABOVE_V
    return ion_content_at(metal, state_of_charge, positive=positive)


def solve_contact(
    left: Insulator | Metal,
    right: Insulator | Metal,
    reference: Metal,
    conditions: Conditions,
    field_samples: FieldSamples | None,
    *,
    flat_V: Array | None = None,
) -> SingleContact:
    """Solve one contact, nominal or for all draws.

    Parameters
    ----------
    left, right, reference : Insulator or Metal
        The phases, and the mobile metal that is the zero of potential.
    conditions : Conditions
        What the contact is in.
    field_samples : FieldSamples, optional
        Sample the uncertainties.
    flat_V : array, optional
        Step of the vacuum level at the contact, instead of that which is known of it.

    Raises
    ------
    InputError
        A phase has no neutral bulk.
    """
    z = left.ion_charge
    phi_metal_eV = reference_work_function_eV(reference, field_samples)
    contents: dict[str, float | None] = {"left": None, "right": None}
    mu_electrode_eV: Array = np.asarray(0.0)
    has_electrode = any(isinstance(material, Metal) for material in (left, right))
    phases: dict[str, list[PhaseShare]] = {}
    for name, material in (("left", left), ("right", right)):
        if isinstance(material, Metal):
            content = _electrode_content(
                material, conditions.state_of_charge, on_the_right=name == "right"
            )
            state = electrode_state(material, content, field_samples=field_samples)
            contents[name], mu_electrode_eV = content, -z * state.voltage_V
            phases[name] = electrode_phases(
                material,
                state,
                phi_metal_eV,
                temperature_K=conditions.temperature_K,
                field_samples=field_samples,
            )
    for name, material in (("left", left), ("right", right)):
        if isinstance(material, Insulator):
            bulk = models.neutral_bulk(
                phase_of(
                    material,
                    electrons=conditions.electrons,
                    field_samples=field_samples,
                    metal_work_function_eV=unshipped_metal_eV(material.mobile_ion, phi_metal_eV),
                ),
                temperature_K=conditions.temperature_K,
                metal_work_function_eV=phi_metal_eV,
                mu_eV=clipped_mu_eV(material, mu_electrode_eV),
                ion_charge=z,
            )
            if field_samples is None:
                require_neutral_bulk(material, bulk)
            phases[name] = [PhaseShare(1.0, bulk)]
    contact = conditions.contact
    hop = hop_of(contact, left, right, field_samples, scale_eV=conditions.excess_barrier_scale_eV)
    step = dipole_V(contact, left, right, field_samples) if flat_V is None else flat_V
    blocked = contact.ion_transfer == "blocked"

    def solve(
        left_model: Bulk | models.Metal, right_model: Bulk | models.Metal
    ) -> tuple[list[SolvedContact], list[Array]]:
        if conditions.thickness_nm is None:
            return [
                between_half_spaces(
                    left, right, left_model, right_model, dipole_V=step, hop=hop, blocked=blocked
                )
            ], []
        solved = _with_layer(
            left,
            right,
            left_model,
            right_model,
            conditions.thickness_nm,
            step,
            hop,
            nominal=field_samples is None and np.ndim(conditions.temperature_K) == 0,
        ).with_transfer(blocked=blocked)
        return [solved], [solved.layer_ohm_cm2]

    (solved,), layers_ohm_cm2 = of_all_phases(phases["left"], phases["right"], solve)
    if layers_ohm_cm2:
        solved = replace(solved, layer_ohm_cm2=layers_ohm_cm2[0])
    return SingleContact(
        solved,
        contents,
        {name: found[0].model for name, found in phases.items()},
        phi_metal_eV,
        mu_electrode_eV if has_electrode else np.asarray(np.nan),
    )


def _with_layer(
    left: Insulator | Metal,
    right: Insulator | Metal,
    left_model: Bulk | models.Metal,
    right_model: Bulk | models.Metal,
    thickness_nm: float,
    dipole_V: Array | float,
    hop: Hop,
    *,
    nominal: bool,
) -> SolvedContact:
    """Solve a contact whose right insulator (else the left) is a layer of finite thickness.

    Its far end is held at its neutral potential, as by a metal that shares it.
    """
    on_the_right = isinstance(right, Insulator)
    layered = right_model if on_the_right else left_model
    assert isinstance(layered, models.Bulk)
    far_end = models.Metal(layered.neutral_potential_V)
    contacts, layers_ohm_cm2 = coated_contacts(
        [left, right, right] if on_the_right else [left, left, right],
        left_model if on_the_right else far_end,
        [StackLayer(layered, thickness_nm)],
        far_end if on_the_right else right_model,
        dipole_V=[dipole_V, 0.0] if on_the_right else [0.0, dipole_V],
        sheet_charge_e_nm2=[0.0, 0.0],
        hops=[hop, hop],
        nominal=nominal,
        # that it is a layer is what was asked for
        grid_reasons=[""],
    )
    return replace(contacts[0] if on_the_right else contacts[1], layer_ohm_cm2=layers_ohm_cm2[0])
