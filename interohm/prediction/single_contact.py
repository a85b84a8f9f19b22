"""One contact of two phases, solved: from their records to what the device model makes of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from interohm import device_models as models
from interohm.device_models import StackLayer
from interohm.prediction.assembly import Joint, Row, Surroundings, joint_of
from interohm.prediction.coexisting_phases import PhaseShare
from interohm.prediction.contact_barrier import EXCESS_BARRIER_SCALE_EV
from interohm.prediction.electrodes import (
    clipped_mu_eV,
    coexisting_fields,
    ion_content_at,
    reference_work_function_eV,
)
from interohm.prediction.solved_contact import SolvedContact, require_neutral_bulk
from interohm.records import Insulator, Metal
from interohm.records.cell_config import Contact
from interohm.results.json_values import number

if TYPE_CHECKING:
    from interohm.arrays import Array
    from interohm.device_models import Bulk
    from interohm.prediction.sampling import FieldSamples


#: An electrode this far above the mobile metal is a positive one even on the left of a contact,
#: and one whose voltages all lie below the other number is a negative one even on the right.
_POSITIVE_ABOVE_V, _NEGATIVE_BELOW_V = 2.0, 1.0


@dataclass(frozen=True)
class Conditions:
    """Conditions of a contact; an array of temperatures precedes the axis of samples."""

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
        Ion contents of the two sides; None for an insulator.
    sides : dict
        Phases on the two sides: a bulk, or a metal; of coexisting phases, the one with the largest
        share.
    metal_work_function_eV : array
        Work function of the mobile metal, the zero of potential.
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
            "coexisting_phases": coexisting_fields(
                {
                    "left": (self.solved.left, self.ion_content["left"]),
                    "right": (self.solved.right, self.ion_content["right"]),
                }
            ),
            "neutral_potential_V": {
                side: number(model.neutral_potential_V) for side, model in self.sides.items()
            },
            "mu_eV": {
                side: number(model.mu_eV)
                for side, model in self.sides.items()
                if isinstance(model, models.Bulk)
            },
        }


def contact_ion_content(metal: Metal, state_of_charge: float, *, on_the_right: bool) -> float:
    """Return an electrode's ion content; left is the negative one unless its voltage is high."""
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
    """Solve one contact, nominal or for all samples.

    Parameters
    ----------
    left, right, reference : Insulator or Metal
        The phases, and the mobile metal that is the zero of potential.
    conditions : Conditions
        Conditions of the contact.
    field_samples : FieldSamples, optional
        Sample the uncertainties.
    flat_V : array, optional
        Step of the vacuum level at the contact, instead of that which is known of it.

    Raises
    ------
    InputError
        A phase has no neutral bulk.
    """
    phi_metal_eV = reference_work_function_eV(reference, field_samples)
    around = Surroundings(
        conditions.temperature_K,
        phi_metal_eV,
        left.ion_charge,
        electrons=conditions.electrons,
        field_samples=field_samples,
    )
    contents: dict[str, float | None] = {"left": None, "right": None}
    mu_electrode_eV: Array = np.asarray(0.0)
    has_electrode = any(isinstance(material, Metal) for material in (left, right))
    phases: dict[str, list[PhaseShare]] = {}
    for name, material in (("left", left), ("right", right)):
        if isinstance(material, Metal):
            content = contact_ion_content(
                material, conditions.state_of_charge, on_the_right=name == "right"
            )
            end = around.electrode(material, content)
            contents[name], mu_electrode_eV, phases[name] = content, end.mu_eV, end.phases
    for name, material in (("left", left), ("right", right)):
        if isinstance(material, Insulator):
            bulk = around.bulk(around.phase(material), clipped_mu_eV(material, mu_electrode_eV))
            if field_samples is None:
                require_neutral_bulk(material, bulk)
            phases[name] = [PhaseShare(1.0, bulk)]
    joint = joint_of(
        conditions.contact,
        left,
        right,
        field_samples,
        excess_barrier_scale_eV=conditions.excess_barrier_scale_eV,
    )
    if flat_V is not None:
        joint = joint.flattened(flat_V)
    row = Row([left, right], phases["left"], (), phases["right"], [joint])
    if conditions.thickness_nm is not None:
        row = _with_layer(row, conditions.thickness_nm)
    contacts, layers_ohm_cm2 = row.solve(
        nominal=field_samples is None and np.ndim(conditions.temperature_K) == 0,
        # that it is a layer is what was asked for
        grid_reasons=[""],
    )
    solved = contacts[0] if isinstance(right, Insulator) else contacts[-1]
    if layers_ohm_cm2:
        solved = replace(solved, layer_ohm_cm2=layers_ohm_cm2[0])
    return SingleContact(
        solved,
        contents,
        {name: found[0].model for name, found in phases.items()},
        phi_metal_eV,
        mu_electrode_eV if has_electrode else np.asarray(np.nan),
    )


def _with_layer(row: Row, thickness_nm: float) -> Row:
    """Return a contact whose right insulator (else the left) is a layer of finite thickness.

    Its far end is held at its neutral potential, as by a metal that shares it.
    """
    left, right = row.materials
    (joint,) = row.joints
    # the far end is no contact: what the ion's hop is there does not matter
    far = Joint(np.zeros(()), joint.hop)
    on_the_right = isinstance(right, Insulator)
    ((layered,), outer) = (row.right, row.left) if on_the_right else (row.left, row.right)
    assert isinstance(layered.model, models.Bulk)
    layers = [StackLayer(layered.model, thickness_nm)]
    far_end = [PhaseShare(1.0, models.Metal(layered.model.neutral_potential_V))]
    if on_the_right:
        return Row([left, right, right], outer, layers, far_end, [joint, far])
    return Row([left, left, right], far_end, layers, outer, [far, joint])
