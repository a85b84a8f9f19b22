"""Contacts of coated electrodes: the coating solved together with its electrode and electrolyte.

A coating of nanometres is part of the interface. Its mu lies on the line from the electrode to the
other one, of which it takes t/L: a cell is the sum of its contacts only where that makes no
difference, which is tried with the most different other electrodes there are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from interohm import device_models as models
from interohm.prediction.assembly import Row, joint_of
from interohm.prediction.coexisting_phases import PhaseShare
from interohm.prediction.contact_barrier import with_known_interface
from interohm.prediction.electrodes import clipped_mu_eV
from interohm.prediction.layer_features import stack_layer
from interohm.records.cell_config import Contact, Layer
from interohm.screening.contacts import (
    DEBYE_LENGTHS_EACH,
    OF_PAIRS,
    SideConditions,
    SideContacts,
    electrode_potentials,
    resistances,
    stability_margin_V,
)
from interohm.screening.phase_arrays import bent_electrode, electrodes_of

if TYPE_CHECKING:
    from interohm.arrays import Array
    from interohm.prediction.sampling import FieldSamples
    from interohm.records import Insulator, Metal
    from interohm.records.interface import Interface
    from interohm.screening.candidates import CoatableElectrode


#: Resistances that differ by less with the other electrode do not depend on it.
_SAME = 1e-3


def coated_side(
    coated: Sequence[CoatableElectrode],
    electrolytes: Sequence[Insulator],
    conditions: SideConditions,
    *,
    state_of_charge: float,
    other_mu_eV: Array,
    electrons: bool,
    interfaces: Sequence[Interface] = (),
    progress: Callable[[int], None] | None = None,
) -> SideContacts:
    """Solve every coated electrode of one side with every electrolyte.

    Parameters
    ----------
    coated, electrolytes : sequence
        The columns and rows of the table.
    conditions : SideConditions
        Conditions that all of them share.
    state_of_charge : float
        State of charge of the cell.
    other_mu_eV : array (K,)
        mu of all electrodes of the other side.
    electrons : bool
        Whether electrons and holes take part in the screening of charges.
    interfaces : sequence of Interface
        Known interfaces.
    progress : callable, optional
        Told how many more contacts are solved, as they are.
    """
    table = {name: np.empty((len(electrolytes), len(coated))) for name in OF_PAIRS}
    extremes = np.array([np.min(other_mu_eV), np.max(other_mu_eV)])
    for column, side in enumerate(coated):
        for row, electrolyte in enumerate(electrolytes):
            found = solve_coated(
                side,
                electrolyte,
                conditions,
                state_of_charge=state_of_charge,
                other_mu_eV=extremes,
                electrons=electrons,
                interfaces=interfaces,
            )
            one, other = found["resistance_ohm_cm2"]
            depends = not abs(one - other) <= _SAME * abs(one)
            for name, values in found.items():
                table[name][row, column] = np.mean(values)
            if depends:
                table["needed_nm"][row, column] = np.inf
            if progress is not None:
                progress(1)
    electrodes = electrodes_of(
        [side.metal for side in coated], state_of_charge, positive=conditions.positive
    )
    _, _, level = electrode_potentials(electrodes, conditions)
    return SideContacts(**table, voltage_V=electrodes.voltage_V, fermi_level_eV=level)


def solve_coated(
    side: CoatableElectrode,
    electrolyte: Insulator,
    conditions: SideConditions,
    *,
    state_of_charge: float,
    other_mu_eV: Array,
    electrons: bool,
    interfaces: Sequence[Interface] = (),
    field_samples: FieldSamples | None = None,
) -> dict[str, Array]:
    """Solve one coated electrode with one electrolyte, for several other electrodes or samples.

    Returns
    -------
    dict of array (N,)
        The fields of `SideContacts` but those of electrodes alone.
    """
    assert side.coating is not None
    electrodes = electrodes_of(
        [side.metal], state_of_charge, positive=conditions.positive, field_samples=field_samples
    )
    mu, phi, level = (
        np.broadcast_to(values[0], np.broadcast_shapes(np.shape(values[0]), other_mu_eV.shape))
        for values in electrode_potentials(electrodes, conditions)
    )
    share = side.coating_nm / (side.coating_nm + conditions.thickness_nm)
    behind = mu + (other_mu_eV - mu) * share
    ends = (clipped_mu_eV(side.coating, mu), clipped_mu_eV(side.coating, behind))
    around = conditions.surroundings(electrons=electrons, field_samples=field_samples)
    coating, bulk = (
        around.bulk(around.phase(material), mu_here)
        for material, mu_here in (
            (side.coating, (ends[0] + ends[1]) / 2),
            (electrolyte, clipped_mu_eV(electrolyte, behind)),
        )
    )
    layer = Layer(material=side.coating.name, thickness_nm=side.coating_nm)
    # mirrored for the positive side: the stack does not know which end is which electrode
    materials: list[Insulator | Metal] = [side.metal, side.coating, electrolyte]
    joints = [
        joint_of(
            with_known_interface(Contact(), left, right, interfaces), left, right, field_samples
        )
        for left, right in pairwise(materials)
    ]
    bent = bent_electrode(side.metal, state_of_charge, around, positive=conditions.positive)
    row = Row(
        materials,
        bent or [PhaseShare(1.0, models.Metal(phi, electrodes.hop_factor[0]))],
        [stack_layer(layer, side.coating, coating, ends)],
        [PhaseShare(1.0, bulk)],
        joints,
    )
    contacts, (layer_ohm_cm2,) = row.solve(nominal=False)
    coated, thick = contacts[1].left_side, contacts[1].right_side
    assert isinstance(coated, models.FiniteLayer)
    assert isinstance(thick, models.HalfSpace)
    potentials = [
        (coated.potentials_V, coating),
        (np.stack([thick.contact_potential_V, bulk.neutral_potential_V], axis=-1), bulk),
    ]
    edges = [
        models.band_edges(
            potential,
            material.phase.ionization_potential_eV[..., None],
            material.phase.band_gap_eV[..., None],
        )
        for potential, material in potentials
    ]
    with np.errstate(divide="ignore"):
        half = 0.5e-7 * conditions.thickness_nm / bulk.conductivity_S_cm
    transfer = contacts[0].charge_transfer_ohm_cm2 + contacts[1].charge_transfer_ohm_cm2
    space_charge = contacts[1].space_charge_right_ohm_cm2
    needed = thick.x99_nm + DEBYE_LENGTHS_EACH * bulk.debye_length_nm
    ionic = bulk.has_neutral_bulk & bulk.neutral_by_ions
    window = side.coating.stability_window_V
    reduction, oxidation = (np.nan, np.nan) if window is None else (w.value for w in window)
    outer = contacts[0].space_charge_left_ohm_cm2
    depletion = contacts[0].depletion_left_ohm_cm2 + contacts[1].depletion_right_ohm_cm2
    interface = models.positive_resistance(
        transfer + layer_ohm_cm2 + depletion, ~contacts[1].has_no_solution
    )
    found = {
        **resistances(outer + space_charge + transfer + layer_ohm_cm2, interface, half),
        "space_charge_ohm_cm2": space_charge,
        "charge_transfer_ohm_cm2": transfer,
        "coating_ohm_cm2": layer_ohm_cm2,
        "bulk_ohm_cm2": half,
        "potential_drop_V": bulk.neutral_potential_V - phi,
        "needed_nm": np.where(ionic, needed, np.inf),
        "conduction_band_eV": np.maximum(*(np.max(band, axis=-1) for _, band, _ in edges)),
        "valence_band_eV": np.minimum(*(np.min(band, axis=-1) for _, _, band in edges)),
        "electron_barrier_eV": models.electron_barrier_eV(edges[0][1][..., 0], level),
        "hole_barrier_eV": models.hole_barrier_eV(edges[0][2][..., 0], level),
        "stability_margin_V": stability_margin_V(
            electrodes.voltage_V[0],
            np.asarray(reduction),
            np.asarray(oxidation),
            positive=conditions.positive,
        ),
    }
    return {name: np.broadcast_to(values, mu.shape) for name, values in found.items()}
