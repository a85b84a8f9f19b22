"""A cell at open circuit as the device model solves it: layers, contacts, resistances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from interohm import device_models as models
from interohm.device_models import FiniteLayer, StackLayer
from interohm.errors import InputError
from interohm.prediction.assembly import Joint, Row, Surroundings, joint_of
from interohm.prediction.coexisting_phases import PhaseShare
from interohm.prediction.electrodes import ion_content_at, reference_work_function_eV
from interohm.prediction.layer_features import check_features, stack_layer
from interohm.prediction.solved_contact import SolvedContact
from interohm.records import Insulator, Metal
from interohm.records.cell_config import Cell, Contact, ExtrinsicControl
from interohm.records.reference import check_same_ion, reference_metal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from interohm.arrays import Array
    from interohm.device_models import Bulk
    from interohm.prediction.sampling import FieldSamples


@dataclass(frozen=True)
class SolvedLayer:
    """One layer at one state of charge; mu and bulk at its left end, its right end, and between.

    For an electrode ``bulks`` is None, and ``phases`` are those that coexist in it;
    ``grid_layer`` is an insulator for the grid solver, which alone knows layers that are not
    uniform.
    """

    material: Insulator | Metal
    thickness_nm: float
    mu_eV: tuple[Array, Array]
    bulks: tuple[Bulk, Bulk, Bulk] | None
    phases: Sequence[PhaseShare]
    ion_content: float | None
    grid_layer: StackLayer | None = None
    features: Sequence[str] = ()

    def end(self, *, right: bool) -> Sequence[PhaseShare]:
        """Return what a contact at this end sees when the layer is thick."""
        if self.bulks is not None:
            return [PhaseShare(1.0, self.bulks[1 if right else 0])]
        return self.phases

    @property
    def electrode_potential_V(self) -> Array | None:
        """Return the neutral potential of an electrode, which all of its phases share."""
        return self.phases[0].model.neutral_potential_V if self.phases else None


@dataclass(frozen=True)
class SolvedState:
    """The cell at one state of charge; arrays have the shape () or (samples,)."""

    state_of_charge: float
    layers: list[SolvedLayer]
    thick: list[bool]
    contacts: list[SolvedContact]
    layer_resistance_ohm_cm2: list[Array | None]
    open_circuit_voltage_V: Array
    metal_work_function_eV: Array

    @property
    def has_no_solution(self) -> NDArray[np.bool_]:
        """Samples for which a contact has none."""
        return np.asarray(
            np.any(
                np.broadcast_arrays(*(contact.has_no_solution for contact in self.contacts)), axis=0
            )
        )

    @property
    def area_specific_resistance_ohm_cm2(self) -> Array:
        """Sum of the layers, the space charges of the thick ones, and the charge transfers."""
        total = np.zeros(())
        for contact in self.contacts:
            total = total + contact.charge_transfer_ohm_cm2
            for side, part in (
                (contact.left_side, contact.space_charge_left_ohm_cm2),
                (contact.right_side, contact.space_charge_right_ohm_cm2),
            ):
                # that of a layer which is solved as a whole is part of the layer's resistance
                if not isinstance(side, FiniteLayer):
                    total = total + part
        for resistance in self.layer_resistance_ohm_cm2:
            if resistance is not None:
                total = total + resistance
        return total

    @property
    def interface_resistance_ohm_cm2(self) -> Array:
        """Sum of those of all contacts."""
        return np.asarray(sum(one.interface_resistance_ohm_cm2 for one in self.contacts))

    @property
    def accumulation_ohm_cm2(self) -> Array:
        """Sum of those of all contacts: what the sum of the cell has less."""
        return np.asarray(sum(one.accumulation_ohm_cm2 for one in self.contacts))


def check_cell(cell: Cell, materials: list[Insulator | Metal], *, where: str) -> None:
    """Raise `InputError` unless the layers make a cell: an electrode, insulators, an electrode."""
    ends = {0: "negative", len(materials) - 1: "positive"}
    for index, material in enumerate(materials):
        layer, field = cell.layers[index], f"layers[{index}]"
        if isinstance(material, Metal) and index not in ends:
            raise InputError(
                f"{field}: {material.name} is a metal inside the cell",
                where=where,
                fix="put metals at the two ends, insulators between them",
            )
        if isinstance(material, Insulator) and index in ends:
            raise InputError(
                f"{field}: {material.name} is an insulator in the {ends[index]} electrode's place",
                where=where,
                fix="begin and end the layers with a metal",
            )
        if isinstance(material, Insulator):
            check_features(
                layer, material, temperature_K=cell.temperature_K, field=field, where=where
            )
        if isinstance(material, Metal) and layer.extrinsic is not None:
            raise InputError(
                f"{field}.extrinsic: {material.name} is an electrode, whose grains do not count",
                where=where,
                fix="remove it",
            )
        if isinstance(material, Metal) and layer.features:
            raise InputError(
                f"{field}: {material.name} is a metal: it has no {' or '.join(layer.features)}",
                where=where,
                fix="remove them",
            )
        if isinstance(material, Insulator) and layer.ion_content is not None:
            raise InputError(
                f"{field}.ion_content: {material.name} is an insulator",
                where=where,
                fix="give ion_content for electrodes only",
            )
        if isinstance(material, Metal) and (
            isinstance(layer.fermi_level, ExtrinsicControl)
            or layer.donors_cm3
            or layer.acceptors_cm3
        ):
            raise InputError(
                f"{field}: fermi_level and dopants do not apply to the metal {material.name}",
                where=where,
                fix="remove them",
            )
        if isinstance(material, Metal) and layer.ion_content is not None:
            low, high = material.states[0].ion_content, material.states[-1].ion_content
            for end in ("discharged", "charged"):
                content = getattr(layer.ion_content, end)
                if not low <= content <= high:
                    raise InputError(
                        f"{field}.ion_content.{end}: {content:g} is outside of the curve of "
                        f"{material.name}, {low:g} to {high:g}",
                        where=where,
                        fix="stay within the curve, or extend `states` in the record",
                    )
    try:
        check_same_ion(materials)
    except InputError as error:
        raise InputError(error.what, where=f"{where}: layers", fix=error.fix) from None


def solve_state(
    cell: Cell,
    materials: list[Insulator | Metal],
    index_of_state: int,
    *,
    field_samples: FieldSamples | None = None,
    thick: list[bool] | None = None,
    temperature_K: Array | None = None,
    flat_V: Sequence[Array] | None = None,
) -> SolvedState:
    """Solve the cell at one of its states of charge.

    Parameters
    ----------
    cell : Cell
        The description.
    materials : list of Insulator or Metal
        The record of each layer.
    index_of_state : int
        Index into the cell's states of charge.
    field_samples : FieldSamples, optional
        Sample the records' uncertainties: every array gets the shape (samples,).
    thick : list of bool, optional
        Which layers are thick, from the nominal solution; found here unless given.
    temperature_K : array, optional
        Instead of the cell's: (T,), or (T, 1) before samples.
    flat_V : sequence of array, optional
        Steps of the vacuum level at the contacts, instead of all that the cell says of their
        charges: with the drops themselves, no layer bends.
    """
    state_of_charge = cell.states_of_charge[index_of_state]
    kelvin = np.asarray(cell.temperature_K if temperature_K is None else temperature_K)
    around = Surroundings(
        kelvin,
        reference_work_function_eV(reference_metal(materials), field_samples),
        materials[0].ion_charge,
        electrons=cell.electrons,
        field_samples=field_samples,
    )
    layers = _layers(cell, materials, index_of_state, around)
    joints = [
        joint_of(contact, left, right, field_samples)
        for contact, (left, right) in zip(_contacts(cell), pairwise(materials), strict=True)
    ]
    if flat_V is not None:
        joints = [joint.flattened(step) for joint, step in zip(joints, flat_V, strict=True)]
    # a batch (samples, a sweep of the temperature) shows no differential capacitances
    single = field_samples is None and kelvin.ndim == 0
    settled = thick is not None
    thick = list(thick) if thick is not None else [_may_be_thick(layer) for layer in layers]
    while True:
        contacts, resistances = _solve_contacts(layers, thick, joints, nominal=single)
        still = thick if settled else _still_thick(layers, thick, contacts)
        if still == thick:
            break
        thick = still
    return SolvedState(
        state_of_charge=state_of_charge,
        layers=layers,
        thick=thick,
        contacts=contacts,
        layer_resistance_ohm_cm2=resistances,
        open_circuit_voltage_V=models.open_circuit_voltage_V(
            layers[0].mu_eV[0], layers[-1].mu_eV[1], materials[0].ion_charge
        ),
        metal_work_function_eV=around.metal_work_function_eV,
    )


def _contacts(cell: Cell) -> list[Contact]:
    return cell.contacts or [Contact()] * (len(cell.layers) - 1)


def _layers(
    cell: Cell,
    materials: list[Insulator | Metal],
    index_of_state: int,
    around: Surroundings,
) -> list[SolvedLayer]:
    last = len(materials) - 1
    electrodes: dict[int, SolvedLayer] = {}
    for index in (0, last):
        metal, layer = materials[index], cell.layers[index]
        assert isinstance(metal, Metal)
        given = layer.ion_content
        content = ion_content_at(
            metal,
            cell.states_of_charge[index_of_state],
            positive=index == last,
            discharged=given.discharged if given else None,
            charged=given.charged if given else None,
        )
        end = around.electrode(metal, content)
        electrodes[index] = SolvedLayer(
            metal, layer.thickness_nm, (end.mu_eV, end.mu_eV), None, end.phases, content
        )
    inner = materials[1:last]
    windows = [
        (-np.inf, np.inf)
        if material.stability_window_V is None
        else tuple(bound.value for bound in material.stability_window_V)
        for material in inner
        if isinstance(material, Insulator)
    ]
    mu_left_eV, mu_right_eV = models.minimum_interface_mu(
        np.array([layer.thickness_nm for layer in cell.layers[1:last]]),
        electrodes[0].mu_eV[1],
        electrodes[last].mu_eV[0],
        np.array([window[0] for window in windows]),
        np.array([window[1] for window in windows]),
        around.ion_charge,
    )
    solved = [electrodes[0]]
    for index, material in enumerate(inner, start=1):
        assert isinstance(material, Insulator)
        layer = cell.layers[index]
        ends = (mu_left_eV[..., index - 1], mu_right_eV[..., index - 1])
        if isinstance(layer.fermi_level, ExtrinsicControl):
            given_mu = layer.fermi_level.extrinsic_mu_eV
            value = given_mu[index_of_state] if isinstance(given_mu, list) else given_mu
            ends = (np.asarray(value), np.asarray(value))
        phase = around.phase(material, frozen_charge_cm3=layer.donors_cm3 - layer.acceptors_cm3)
        bulks = tuple(around.bulk(phase, mu_eV) for mu_eV in (*ends, (ends[0] + ends[1]) / 2))
        solved.append(
            SolvedLayer(
                material,
                layer.thickness_nm,
                ends,
                bulks,  # type: ignore[arg-type]
                (),
                None,
                stack_layer(layer, material, bulks[2], ends),
                layer.features,
            )
        )
    return [*solved, electrodes[last]]


def _may_be_thick(layer: SolvedLayer) -> bool:
    """Return whether a phase may be thick: an insulator needs a neutral bulk and enough room."""
    if layer.bulks is None:
        return True
    return not layer.features and _has_room(layer)


def _grid_reason(layer: SolvedLayer) -> str:
    if layer.features and _has_room(layer):
        return f"is solved as a whole because of its {', '.join(layer.features)}"
    return "is not thick"


def _has_room(layer: SolvedLayer) -> bool:
    assert layer.bulks is not None
    neutral = all(bool(bulk.has_neutral_bulk) for bulk in layer.bulks)
    return neutral and 10 * float(layer.bulks[2].debye_length_nm) <= layer.thickness_nm


def _still_thick(
    layers: list[SolvedLayer], thick: list[bool], contacts: list[SolvedContact]
) -> list[bool]:
    """Apply the criterion of physics.md, section 5, with the space charges of both contacts."""
    still = []
    for index, layer in enumerate(layers):
        if layer.bulks is None or not thick[index]:
            still.append(thick[index])
            continue
        left, right = contacts[index - 1].right_side, contacts[index].left_side
        assert isinstance(left, models.HalfSpace)
        assert isinstance(right, models.HalfSpace)
        still.append(
            bool(
                models.is_thick(
                    left.x99_nm, right.x99_nm, layer.bulks[2].debye_length_nm, layer.thickness_nm
                )
            )
        )
    return still


def _solve_contacts(
    layers: list[SolvedLayer], thick: list[bool], joints: list[Joint], *, nominal: bool
) -> tuple[list[SolvedContact], list[Array | None]]:
    """Solve the contacts between thick layers, each with the thin layers in it."""
    contacts: list[SolvedContact] = []
    resistances: list[Array | None] = [None] * len(layers)
    for index, layer in enumerate(layers):
        if thick[index] and layer.bulks is not None:
            left, right, _ = layer.bulks
            with np.errstate(divide="ignore"):
                resistivity = (1 / left.conductivity_S_cm + 1 / right.conductivity_S_cm) / 2
            resistances[index] = layer.thickness_nm * 1e-7 * resistivity
    anchors = [index for index, is_thick in enumerate(thick) if is_thick]
    for first, last in pairwise(anchors):
        inner = layers[first + 1 : last]
        row = Row(
            [layer.material for layer in layers[first : last + 1]],
            layers[first].end(right=True),
            [layer.grid_layer for layer in inner if layer.grid_layer is not None],
            layers[last].end(right=False),
            joints[first:last],
            layers[first].thickness_nm,
            layers[last].thickness_nm,
        )
        reasons = [_grid_reason(layer) for layer in inner] if nominal else None
        solved, layers_ohm_cm2 = row.solve(nominal=nominal, grid_reasons=reasons)
        contacts += solved
        resistances[first + 1 : last] = layers_ohm_cm2
    return contacts, resistances
