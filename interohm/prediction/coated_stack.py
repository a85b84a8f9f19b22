"""A contact with one or more thin coatings, for many thicknesses at once, nominal or sampled.

mu of the mobile element in all layers is the electrode's, within the window of each: beside an
electrolyte of micrometres, coatings of nanometres take no share of what is left between two
electrodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from interohm import device_models as models
from interohm.device_models import FiniteLayer, StackLayer
from interohm.errors import InputError
from interohm.prediction.assembly import Row, Surroundings, joint_of
from interohm.prediction.coexisting_phases import PhaseShare
from interohm.prediction.contact_barrier import with_known_interface
from interohm.prediction.electrodes import clipped_mu_eV, reference_work_function_eV
from interohm.prediction.single_contact import contact_ion_content
from interohm.prediction.solved_contact import require_neutral_bulk
from interohm.records import Insulator, Metal
from interohm.records.cell_config import Contact

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from interohm.arrays import Array
    from interohm.device_models import Bulk
    from interohm.prediction.sampling import FieldSamples
    from interohm.prediction.solved_contact import SolvedContact
    from interohm.records.interface import Interface


@dataclass(frozen=True)
class CoatingLayer:
    """A coating of a stack; arrays come before the axis of the samples.

    Parameters
    ----------
    material : Insulator
        Its record.
    thickness_nm : float or array (..., 1)
        Its thickness.
    frozen_charge_cm3 : float or array (..., 1)
        Donors minus acceptors, in the mean.
    charge_gradient_cm3 : float or array (..., 1)
        Donors minus acceptors at the right end, minus those at the left end; linear in between.
    susceptibility : float or array (..., 1)
        Uniform susceptibility that follows the field, in addition to the dielectric constant.
    """

    material: Insulator
    thickness_nm: ArrayLike
    frozen_charge_cm3: ArrayLike = 0.0
    charge_gradient_cm3: ArrayLike = 0.0
    susceptibility: ArrayLike = 0.0


@dataclass(frozen=True)
class SolvedStack:
    """A coated contact; arrays (...) of thicknesses, then samples.

    Parameters
    ----------
    materials : list of Insulator or Metal
        From left to right, with the two outer phases.
    contacts : list of SolvedContact
        Between them.
    layers_ohm_cm2 : list of array
        R_layer of each coating.
    electrode_V : array or None
        Potential of the electrode against the mobile metal; None without an electrode.
    electron_barrier_eV, hole_barrier_eV, leakage_A_cm2 : array
        Barriers and leakage of the coatings, seen from the electrode; NaN without one.
    """

    materials: list[Insulator | Metal]
    contacts: list[SolvedContact]
    layers_ohm_cm2: list[Array]
    electrode_V: Array | None
    electron_barrier_eV: Array
    hole_barrier_eV: Array
    leakage_A_cm2: Array

    @property
    def charge_transfer_ohm_cm2(self) -> Array:
        """Charge-transfer resistance of all contacts."""
        return np.asarray(sum(one.charge_transfer_ohm_cm2 for one in self.contacts))

    @property
    def depletion_ohm_cm2(self) -> Array:
        """Depletion of the two outer phases; that of a coating is part of its own resistance."""
        first, last = self.contacts[0], self.contacts[-1]
        return np.asarray(first.depletion_left_ohm_cm2 + last.depletion_right_ohm_cm2)

    @property
    def coating_ohm_cm2(self) -> Array:
        """Resistance of all coatings."""
        return np.asarray(sum(self.layers_ohm_cm2))

    @property
    def interface_resistance_ohm_cm2(self) -> Array:
        """Charge transfers, coatings and depletion: always positive; NaN without a solution."""
        solved = ~np.any(
            np.broadcast_arrays(*(one.has_no_solution for one in self.contacts)), axis=0
        )
        total = self.charge_transfer_ohm_cm2 + self.coating_ohm_cm2 + self.depletion_ohm_cm2
        return models.positive_resistance(total, solved)


@dataclass(frozen=True)
class CoatedRow:
    """A coated contact that is not solved yet.

    Parameters
    ----------
    row : Row
        Its phases and contacts.
    temperature_K : float
        Temperature.
    electrode_V : array or None
        Potential of the electrode against the mobile metal; None without an electrode.
    level_eV : array
        Its Fermi level, NaN without one.
    """

    row: Row
    temperature_K: float
    electrode_V: Array | None
    level_eV: Array

    def solve(self) -> SolvedStack:
        """Solve it, without differential capacitances.

        Raises
        ------
        InputError
            The stack has no solution.
        """
        solved, layers_ohm_cm2 = self.row.solve(nominal=False)
        barriers = _barriers(
            [one.right_side for one in solved[:-1]], self.level_eV, self.temperature_K
        )
        return SolvedStack(
            list(self.row.materials), solved, layers_ohm_cm2, self.electrode_V, *barriers
        )


def stack_row(
    left: Insulator | Metal,
    coatings: Sequence[CoatingLayer],
    right: Insulator | Metal,
    reference: Metal,
    *,
    temperature_K: float,
    state_of_charge: float,
    electrons: bool = True,
    contacts: Sequence[Contact] | None = None,
    interfaces: Sequence[Interface] = (),
    field_samples: FieldSamples | None = None,
) -> CoatedRow:
    """Return a contact with coatings between its two phases, which is to be solved.

    Parameters
    ----------
    left, right : Insulator or Metal
        The outer phases, thick; at most one of them a metal.
    coatings : sequence of CoatingLayer
        From left to right.
    reference : Metal
        The mobile metal, the zero of potential.
    temperature_K, state_of_charge : float
        Temperature of the contact, and state of charge of its electrode.
    electrons : bool
        Whether electrons and holes take part in the screening.
    contacts : sequence of Contact, optional
        Given data of each contact.
    interfaces : sequence of Interface
        Known interfaces.
    field_samples : FieldSamples, optional
        Sample the uncertainties.

    Raises
    ------
    InputError
        A phase has no neutral bulk.
    """
    around = Surroundings(
        temperature_K,
        reference_work_function_eV(reference, field_samples),
        left.ion_charge,
        electrons=electrons,
        field_samples=field_samples,
    )
    materials = [left, *(one.material for one in coatings), right]
    mu_eV: Array = np.asarray(0.0)
    electrode_V: Array | None = None
    level_eV: Array = np.asarray(np.nan)
    ends: dict[int, list[PhaseShare]] = {}
    for place, material in ((0, left), (1, right)):
        if isinstance(material, Metal):
            content = contact_ion_content(material, state_of_charge, on_the_right=place == 1)
            end = around.electrode(material, content)
            mu_eV, ends[place], electrode_V = end.mu_eV, end.phases, end.state.voltage_V
            level_eV = models.fermi_level_eV(
                mu_eV, around.metal_work_function_eV, around.ion_charge
            )

    def bulk_of(layer: CoatingLayer) -> Bulk:
        frozen = layer.frozen_charge_cm3
        phase = around.phase(layer.material, frozen_charge_cm3=frozen)  # type: ignore[arg-type]
        permittivity = phase.dielectric_constant + np.asarray(layer.susceptibility)
        phase = replace(phase, dielectric_constant=permittivity)
        return around.bulk(phase, clipped_mu_eV(layer.material, mu_eV))

    for place, material in ((0, left), (1, right)):
        if isinstance(material, Insulator):
            bulk = bulk_of(CoatingLayer(material, 0.0))
            if field_samples is None:
                require_neutral_bulk(material, bulk)
            ends[place] = [PhaseShare(1.0, bulk)]
    given = list(contacts) if contacts is not None else [Contact()] * (len(materials) - 1)
    pairs = list(pairwise(materials))
    return CoatedRow(
        Row(
            materials,
            ends[0],
            [_stack_layer(bulk_of(one), one) for one in coatings],
            ends[1],
            [
                joint_of(with_known_interface(one, *pair, interfaces), *pair, field_samples)
                for one, pair in zip(given, pairs, strict=True)
            ],
        ),
        temperature_K,
        electrode_V,
        level_eV,
    )


def _stack_layer(bulk: Bulk, coating: CoatingLayer) -> StackLayer:
    """Return a coating as the solvers take it; only one with a gradient varies along itself."""
    if not np.any(np.asarray(coating.charge_gradient_cm3)):
        return StackLayer(bulk, coating.thickness_nm)
    thickness, gradient = (
        np.asarray(one, dtype=np.float64)
        for one in np.broadcast_arrays(coating.thickness_nm, coating.charge_gradient_cm3)
    )

    def about_the_mean(distance_nm: Array) -> Array:
        share = distance_nm / thickness[..., None]
        return np.asarray(gradient[..., None] * (share - 0.5))

    return StackLayer(bulk, thickness, fixed_charge_cm3=about_the_mean)


def _barriers(
    layers: Sequence[object], level_eV: Array, temperature_K: float
) -> tuple[Array, Array, Array]:
    """Return the barriers of electrons and holes over all coatings, and what is emitted."""
    highest, lowest, masses = [], [], []
    for layer in layers:
        assert isinstance(layer, FiniteLayer)
        phase = layer.bulk.phase
        _, conduction, valence = models.band_edges(
            layer.potentials_V,
            np.asarray(phase.ionization_potential_eV)[..., None],
            np.asarray(phase.band_gap_eV)[..., None],
        )
        highest.append(np.max(conduction, axis=-1) - level_eV)
        lowest.append(level_eV - np.min(valence, axis=-1))
        masses.append((phase.electron_mass, phase.hole_mass))
    top, bottom = (np.stack(np.broadcast_arrays(*one), axis=0) for one in (highest, lowest))
    weights = [
        np.stack(np.broadcast_arrays(*(np.broadcast_to(one, top.shape[1:]) for one in kind)))
        for kind in zip(*masses, strict=True)
    ]
    which = [np.argmax(one, axis=0)[None] for one in (top, bottom)]
    electron, hole = (
        np.take_along_axis(one, at, axis=0)[0] for one, at in zip((top, bottom), which, strict=True)
    )
    mass = [np.take_along_axis(one, at, axis=0)[0] for one, at in zip(weights, which, strict=True)]
    leakage = models.Leakage(electron, hole, np.asarray(temperature_K), *mass)
    return electron, hole, leakage.emission_A_cm2


def check_between(left: Insulator | Metal, right: Insulator | Metal) -> None:
    """Raise `InputError` where nothing can be put between two phases."""
    if isinstance(left, Metal) and isinstance(right, Metal):
        raise InputError(
            f"{left.name} and {right.name} are both metals: a coating belongs between an "
            "electrode and an electrolyte",
            where="between",
            fix="name one electrode and one electrolyte, or two electrolytes",
        )
