"""Assembly of solved contacts from records, shared by contacts, cells, sweeps and screenings.

A contact is a cell of two layers, and a cell is rows of contacts between layers that are thick.
Each row is solved alone: its two ends, the thin layers in between, and what is known of its
contacts. Every number may be an array of samples, of temperatures before them, or of pairs of
phases.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from interohm import device_models as models
from interohm.device_models import pinning_dipole_V
from interohm.prediction.coated_contact import coated_contacts
from interohm.prediction.coexisting_phases import PhaseShare, of_all_phases
from interohm.prediction.contact_barrier import EXCESS_BARRIER_SCALE_EV, Hop, dipole_V, hop_of
from interohm.prediction.electrodes import (
    ElectrodeState,
    electrode_phases,
    electrode_state,
    neutrality_level_eV,
)
from interohm.prediction.sampling import FieldSamples, phase_of, unshipped_metal_eV
from interohm.prediction.solved_contact import SolvedContact, between_half_spaces

if TYPE_CHECKING:
    from interohm.arrays import Array
    from interohm.device_models import Bulk, Phase, StackLayer
    from interohm.records import Insulator, Metal
    from interohm.records.cell_config import Contact


@dataclass(frozen=True)
class ElectrodeEnd:
    """An electrode at one ion content, as a contact sees it.

    Parameters
    ----------
    state : ElectrodeState
        Its voltage and work function.
    mu_eV : array
        Chemical potential of the mobile ion, against the mobile metal.
    phases : list of PhaseShare
        Those that coexist, the largest share first.
    """

    state: ElectrodeState
    mu_eV: Array
    phases: list[PhaseShare]


@dataclass(frozen=True)
class Surroundings:
    """Conditions that all phases of one solution share; arrays broadcast with each other.

    Parameters
    ----------
    temperature_K : float or array
        Temperature; (T, 1) before samples.
    metal_work_function_eV : array
        Work function of the mobile metal, the zero of potential.
    ion_charge : float
        z.
    electrons : bool
        Whether electrons and holes take part in the screening.
    field_samples : FieldSamples, optional
        Sample the uncertainties of the records.
    """

    temperature_K: float | Array
    metal_work_function_eV: Array
    ion_charge: float
    electrons: bool = True
    field_samples: FieldSamples | None = None

    def electrode(self, metal: Metal, ion_content: float) -> ElectrodeEnd:
        """Return an electrode at one ion content; raise `InputError` outside of its curve."""
        state = electrode_state(metal, ion_content, field_samples=self.field_samples)
        phases = electrode_phases(
            metal,
            state,
            self.metal_work_function_eV,
            temperature_K=self.temperature_K,
            field_samples=self.field_samples,
        )
        return ElectrodeEnd(state, np.asarray(-self.ion_charge * state.voltage_V), phases)

    def phase(self, insulator: Insulator, *, frozen_charge_cm3: float = 0.0) -> Phase:
        """Return an insulator as the device model sees it, doped by donors minus acceptors."""
        return phase_of(
            insulator,
            electrons=self.electrons,
            frozen_charge_cm3=frozen_charge_cm3,
            field_samples=self.field_samples,
            metal_work_function_eV=unshipped_metal_eV(
                insulator.mobile_ion, self.metal_work_function_eV
            ),
        )

    def bulk(self, phase: Phase, mu_eV: Array) -> Bulk:
        """Return the neutral bulk of a phase, or of an array of phases, at mu."""
        return models.neutral_bulk(
            phase,
            temperature_K=self.temperature_K,
            metal_work_function_eV=self.metal_work_function_eV,
            mu_eV=mu_eV,
            ion_charge=self.ion_charge,
        )


@dataclass(frozen=True)
class Joint:
    """Given data of one contact between two phases.

    Parameters
    ----------
    dipole_V : array
        Step of the vacuum level, from the left to the right.
    hop : Hop
        Hop of the ion across the contact.
    sheet_charge_e_nm2 : float
        Fixed in the plane of the contact.
    blocked : bool
        Whether no ion crosses it.
    """

    dipole_V: Array
    hop: Hop
    sheet_charge_e_nm2: float = 0.0
    blocked: bool = False

    def flattened(self, step_V: Array) -> Joint:
        """Return the contact with another step of the vacuum level instead of all its charges."""
        return replace(self, dipole_V=step_V, sheet_charge_e_nm2=0.0, blocked=False)


def joint_of(
    contact: Contact,
    left: Insulator | Metal,
    right: Insulator | Metal,
    field_samples: FieldSamples | None,
    *,
    excess_barrier_scale_eV: float = EXCESS_BARRIER_SCALE_EV,
) -> Joint:
    """Return what is known of a contact.

    The step of the vacuum level is given, or follows from pinning and from facets that differ from
    those of the records.

    Parameters
    ----------
    contact : Contact
        The description, completed by `with_known_interface`.
    left, right : Insulator or Metal
        Its phases.
    field_samples : FieldSamples, optional
        Sample the uncertainties.
    excess_barrier_scale_eV : float
        Scale of the prior of ΔE_c.
    """
    step = dipole_V(contact, left, right, field_samples)
    step = step + (contact.right_facet_eV - contact.left_facet_eV)
    if contact.pinning_factor < 1:
        levels = [neutrality_level_eV(material, field_samples) for material in (left, right)]
        step = step + pinning_dipole_V(np.asarray(contact.pinning_factor), *levels)
    return Joint(
        step,
        hop_of(contact, left, right, field_samples, scale_eV=excess_barrier_scale_eV),
        contact.sheet_charge_e_nm2,
        contact.ion_transfer == "blocked",
    )


@dataclass(frozen=True)
class Row:
    """Two layers that are thick or metals, the n thin layers between them, and n + 1 contacts.

    Parameters
    ----------
    materials : sequence of Insulator or Metal
        The n + 2 records, from the left to the right.
    left, right : sequence of PhaseShare
        The ends: phases that coexist there.
    layers : sequence of StackLayer
        The n thin layers.
    joints : sequence of Joint
        The n + 1 contacts.
    left_thickness_nm, right_thickness_nm : float, optional
        Thicknesses of the ends; without one, an insulator counts as thick up to 10 µm.
    """

    materials: Sequence[Insulator | Metal]
    left: Sequence[PhaseShare]
    layers: Sequence[StackLayer]
    right: Sequence[PhaseShare]
    joints: Sequence[Joint]
    left_thickness_nm: float | None = None
    right_thickness_nm: float | None = None

    def solve(
        self, *, nominal: bool, grid_reasons: Sequence[str] | None = None
    ) -> tuple[list[SolvedContact], list[Array]]:
        """Solve the contacts of the row.

        Parameters
        ----------
        nominal : bool
            False for samples, which need no profiles and no differential capacitances.
        grid_reasons : sequence of n str, optional
            Why each layer is solved with its contacts, as they say it (see `coated_contacts`).

        Returns
        -------
        contacts : list of SolvedContact
            The n + 1 contacts.
        layers_ohm_cm2 : list of array
            R_layer of the n layers.

        Raises
        ------
        InputError
            There is no solution, or a layer's defects unmix.
        """
        steps = [joint.dipole_V for joint in self.joints]
        sheets = [joint.sheet_charge_e_nm2 for joint in self.joints]
        hops = [joint.hop for joint in self.joints]
        blocked = [joint.blocked for joint in self.joints]

        def between(
            left: Bulk | models.Metal, right: Bulk | models.Metal
        ) -> tuple[list[SolvedContact], list[Array]]:
            if self.layers:
                return coated_contacts(
                    self.materials,
                    left,
                    self.layers,
                    right,
                    dipole_V=steps,
                    sheet_charge_e_nm2=sheets,
                    hops=hops,
                    blocked=blocked,
                    grid_reasons=grid_reasons,
                    nominal=nominal,
                    left_thickness_nm=self.left_thickness_nm,
                    right_thickness_nm=self.right_thickness_nm,
                )
            alone = between_half_spaces(
                left,
                right,
                dipole_V=steps[0],
                hop=hops[0],
                sheet_charge_e_nm2=sheets[0],
                blocked=blocked[0],
                left_thickness_nm=self.left_thickness_nm,
                right_thickness_nm=self.right_thickness_nm,
            )
            return [alone.of(self.materials[0], self.materials[-1])], []

        return of_all_phases(self.left, self.right, between)
