"""A cell at open circuit over its state of charge: the document that the command line prints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from interohm.errors import InputError
from interohm.prediction.arrhenius import sweep_temperatures_K
from interohm.prediction.cell_profile import cell_profile, contact_levels
from interohm.prediction.contact_barrier import (
    contact_is_uncertain,
    interface_numbers,
    is_known,
    with_known_interfaces,
)
from interohm.prediction.contact_stability import outside_fields, outside_of_model
from interohm.prediction.electrodes import coexisting_fields
from interohm.prediction.electron_samples import cell_electron_quantiles
from interohm.prediction.electrons import cell_leakage, contact_electrons
from interohm.prediction.extrinsic import (
    apparent_cell_ohm_cm2,
    contact_extrinsic_fields,
    layer_extrinsic_fields,
    seen_contact,
    seen_layer,
)
from interohm.prediction.kpfm import MeasuredMap, map_fields, measured_beside, potential_map
from interohm.prediction.layer_diagram import layer_diagrams
from interohm.prediction.polarization import polarization_fields
from interohm.prediction.quasi_equilibrium import quasi_equilibrium_fields
from interohm.prediction.reaction import reaction_fields
from interohm.prediction.sampled_cell import SampledCell
from interohm.prediction.sampling import DEFAULT_SAMPLES, FieldSamples
from interohm.prediction.sensitivity import (
    RecordedFieldSamples,
    cell_sensitivity,
    contact_sensitivity,
    next_to_learn,
)
from interohm.prediction.solved_cell import SolvedState, check_cell, solve_state
from interohm.prediction.solved_contact import contact_fields
from interohm.prediction.temperature import temperature_fields, unmixing
from interohm.prediction.validity import contact_validity
from interohm.records import Insulator, Metal, material_hash
from interohm.records.cell_config import Cell, Contact, ExtrinsicControl
from interohm.records.extrinsic import is_uncertain as extrinsic_is_uncertain
from interohm.records.reference import reference_metal
from interohm.records.shipped import shipped_interfaces
from interohm.records.uncertainty import assumed_fields, is_uncertain
from interohm.results.cell import CellResult
from interohm.results.json_values import (
    interface_quantiles,
    log10_fields,
    log10_quantiles,
    number,
    quantiles,
)

if TYPE_CHECKING:
    from interohm.records.interface import Interface

#: Above this a layer passes less than a microampere per cm² at a volt: no cell works with it.
_BLOCKING_OHM_CM2 = 1e6


def _violations(state: SolvedState) -> list[dict[str, Any]]:
    """Name the layers whose mu leaves their stability window."""
    found = []
    for layer in state.layers:
        material = layer.material
        if not isinstance(material, Insulator) or material.stability_window_V is None:
            continue
        low, high = (bound.value for bound in material.stability_window_V)
        voltages = [float(-mu / material.ion_charge) for mu in layer.mu_eV]
        if min(voltages) < low - 1e-9 or max(voltages) > high + 1e-9:
            found.append(
                {
                    "material": material.name,
                    "stability_window_V": [low, high],
                    "voltage_V": [min(voltages), max(voltages)],
                }
            )
    return found


def steps(cell: Cell) -> int:
    """Return how many steps a prediction takes: each state of charge, then its samples."""
    return 2 * len(cell.states_of_charge)


def cell_result(
    cell: Cell,
    materials: list[Insulator | Metal],
    *,
    samples: int = DEFAULT_SAMPLES,
    interfaces: Sequence[Interface] = (),
    measured: MeasuredMap | None = None,
    where: str = "cell",
    progress: Callable[[int], None] | None = None,
) -> CellResult:
    """Return everything that is predicted of a cell.

    Parameters
    ----------
    cell : Cell
        The description.
    materials : list of Insulator or Metal
        The record of each of its layers.
    samples : int
        How often the uncertainties are drawn.
    interfaces : sequence of Interface
        Interfaces of the user's database, which take precedence over the shipped ones.
    measured : MeasuredMap, optional
        A measured potential map to set beside the model's at each state of charge.
    where : str
        Place to name in errors: the cell's file.
    progress : callable, optional
        Told how many of `steps` are done, as each is.

    Returns
    -------
    CellResult
        The fields of ``interohm cell --json``.

    Raises
    ------
    InputError
        The layers make no cell, a state of charge lies outside of an electrode's curve, or the
        measured map cannot be of this cell.
    """
    check_cell(cell, materials, where=where)
    known = [*interfaces, *shipped_interfaces()]
    given = cell.contacts or [Contact()] * (len(materials) - 1)
    interfaces_used = [
        interface_numbers(one, left, right, known)
        for one, (left, right) in zip(given, pairwise(materials), strict=True)
    ]
    cell = with_known_interfaces(cell, materials, interfaces)
    report_progress = progress or (lambda done: None)
    reference = reference_metal(materials)
    uncertain = samples > 0 and (
        any(is_uncertain(each) for each in [*materials, reference])
        or any(contact_is_uncertain(one) for one in cell.contacts or ())
        or any(extrinsic_is_uncertain(layer.extrinsic) for layer in cell.layers)
        or _uncertain_collectors(cell)
    )
    nominals = []
    for index in range(len(cell.states_of_charge)):
        try:
            nominals.append(solve_state(cell, materials, index))
        except InputError as error:
            raise InputError(error.what, where=f"{where}: {error.where}", fix=error.fix) from None
        report_progress(len(nominals))
    discharged = _discharged(cell, materials, nominals)
    start = None if discharged is None else potential_map(cell, discharged)
    maps = [potential_map(cell, nominal) for nominal in nominals]
    beside = None if measured is None else measured_beside(maps, measured)
    samples_of = None
    field_samples = RecordedFieldSamples(samples) if uncertain else None
    if field_samples is not None:
        samples_of = SampledCell(cell, materials, nominals, maps, discharged, field_samples)
    states: list[dict[str, Any]] = []

    def predicted(index: int) -> dict[str, Any]:
        """Return one state of charge; the solution of its samples does not outlive the call."""
        sampled = None if samples_of is None else samples_of.state(index)
        profile, collectors = map_fields(cell, maps[index], start)
        document = {
            **_state_document(cell, nominals[index], sampled, reference.name, field_samples),
            "profile": {**cell_profile(maps[index].diagrams), **profile},
            "collectors": collectors,
            "measured_map": None if beside is None else beside[index],
            "sensitivity": None,
            "next": None,
        }
        for contact, used in zip(document["contacts"], interfaces_used, strict=True):
            contact["interface_numbers"] = used
        if field_samples is not None and samples_of is not None and sampled is not None:
            along_x, *spreads = samples_of.bands(index, sampled)
            document["quantiles"].update(profile=along_x, collectors=spreads[0])
            phases = [*materials, reference]
            document["sensitivity"] = cell_sensitivity(field_samples, sampled, phases)
            document["next"] = next_to_learn(document["sensitivity"])
            for contact, solved, bands in zip(
                document["contacts"], sampled.contacts, spreads[1], strict=True
            ):
                contact["quantiles"]["profile"] = bands
                contact["sensitivity"] = contact_sensitivity(field_samples, solved, phases)
                contact["next"] = next_to_learn(contact["sensitivity"])
        return document

    for index, nominal in enumerate(nominals):
        sweep = _temperature_sweep(cell, materials, index, nominal, field_samples)
        states.append({**predicted(index), "temperature_sweep": sweep})
        report_progress(len(nominals) + len(states))
    document = {
        "cell": cell.name,
        "temperature_K": cell.temperature_K,
        "reference": reference.name,
        "records": {each.name: material_hash(each) for each in [*materials, reference]},
        "assumed": assumed_fields(materials),
        "states": states,
        "remarks": [
            *([] if samples_of is None else samples_of.remarks),
            *_left_out_of_sweep(cell, materials),
            *_blocking_layers(nominals),
            *([] if measured is None else _gaps(measured)),
        ],
    }
    return CellResult.model_validate(document)


def cell_document(cell: Cell, materials: list[Insulator | Metal], **options: Any) -> dict[str, Any]:
    """Return a cell's result (see `cell_result`) as the values that ``--json`` prints."""
    return cell_result(cell, materials, **options).document()


def _uncertain_collectors(cell: Cell) -> bool:
    ends = cell.collectors
    return ends is not None and any(
        collector.work_function_eV.uncertainty for collector in (ends.negative, ends.positive)
    )


def _blocking_layers(states: list[SolvedState]) -> list[str]:
    """Explain resistances that no cell has: a pure phase without carriers somewhere in a layer."""
    found = {}
    for state in states:
        for layer, resistance in zip(state.layers, state.layer_resistance_ohm_cm2, strict=True):
            value = None if resistance is None else number(resistance)
            if value is not None and value > _BLOCKING_OHM_CM2:
                found[f"{layer.material.name}, {layer.thickness_nm:g} nm"] = value
    return [
        f"{name}: {value:.1e} Ω·cm² is the upper limit of a perfect crystal, which somewhere in "
        "the layer has almost no mobile ions; a real one has impurities and grain boundaries (give "
        "acceptors_cm3, donors_cm3 or a record of your own)"
        for name, value in found.items()
    ]


def _discharged(
    cell: Cell, materials: list[Insulator | Metal], states: list[SolvedState]
) -> SolvedState | None:
    """Return the cell at state of charge 0, which potential maps are compared with."""
    for state in states:
        if state.state_of_charge == 0.0:
            return state
    for layer in cell.layers:
        control = layer.fermi_level
        if isinstance(control, ExtrinsicControl) and isinstance(control.extrinsic_mu_eV, list):
            # nothing says what mu is there
            return None
    try:
        return solve_state(cell.model_copy(update={"states_of_charge": [0.0]}), materials, 0)
    except InputError:
        # outside of an electrode's curve, where nobody asked for it
        return None


def _temperature_sweep(
    cell: Cell,
    materials: list[Insulator | Metal],
    index: int,
    nominal: SolvedState,
    field_samples: FieldSamples | None,
) -> dict[str, Any] | None:
    try:
        return temperature_fields(
            cell, materials, index, thick=nominal.thick, field_samples=field_samples
        )
    except InputError:
        if field_samples is not None:
            return _temperature_sweep(cell, materials, index, nominal, None)
        # the cell has a solution at its own temperature, if not at all that nobody asked for
        return None


def _gaps(measured: MeasuredMap) -> list[str]:
    if not measured.gaps:
        return []
    return [
        f"{measured.source}: lines that are left out, since a number is missing: {measured.gaps}"
    ]


def _left_out_of_sweep(cell: Cell, materials: list[Insulator | Metal]) -> list[str]:
    lowest_K, name = unmixing(cell, materials)
    temperatures = sweep_temperatures_K(cell.temperature_K)
    left_out = int(np.count_nonzero(temperatures <= lowest_K))
    if not left_out:
        return []
    return [
        f"the temperature sweep leaves out {left_out} of {temperatures.size} temperatures: at "
        f"{lowest_K:.4g} K and below, interaction_eV separates the defects of {name} into two "
        "phases"
    ]


def _asked_voltages(state: SolvedState, index: int) -> dict[str, float | None]:
    """Return the voltage that each side of a contact has to stand, of its layer or an electrode."""
    pair = state.layers[index : index + 2]
    electrodes = [layer for layer in pair if isinstance(layer.material, Metal)]
    asked = {}
    for name, layer, end in (("left", pair[0], 1), ("right", pair[1], 0)):
        own = electrodes[0] if electrodes else layer
        mu = own.mu_eV[0 if own is pair[1] else 1] if electrodes else layer.mu_eV[end]
        asked[name] = number(-mu / layer.material.ion_charge)
    return asked


def _state_document(
    cell: Cell,
    nominal: SolvedState,
    sampled: SolvedState | None,
    reference: str,
    field_samples: FieldSamples | None,
) -> dict[str, Any]:
    total = number(nominal.area_specific_resistance_ohm_cm2)
    diagrams = layer_diagrams(nominal)
    contacts = []
    leakage_spread = None
    # their own draws, of which no sensitivity is asked
    drawn = None if field_samples is None else field_samples.first(field_samples.samples)
    extrinsic = [given.extrinsic for given in cell.contacts or []]
    many = sampled.contacts if sampled else [None] * len(nominal.contacts)
    seen = [
        seen_contact(*each, cell.temperature_K, drawn)
        for each in zip(extrinsic, nominal.contacts, many, strict=True)
    ]
    resistances = list(
        zip(
            nominal.layer_resistance_ohm_cm2,
            sampled.layer_resistance_ohm_cm2 if sampled else [None] * len(nominal.layers),
            strict=True,
        )
    )
    seen_layers = [
        seen_layer(*each, drawn)
        for each in zip(
            cell.layers,
            nominal.layers,
            sampled.layers if sampled else [None] * len(nominal.layers),
            resistances,
            strict=True,
        )
    ]
    if sampled is not None:
        electrons_spread, leakage_spread = cell_electron_quantiles(sampled, cell.temperature_K)
    for index, contact in enumerate(nominal.contacts):
        fields = contact_fields(contact, sampled.contacts[index] if sampled else None)
        if sampled is not None:
            fields["quantiles"]["electrons"] = electrons_spread[index]
        before, behind = diagrams[index : index + 2]
        electrons = contact_electrons(contact, before, behind, cell.temperature_K)
        left, right = nominal.layers[index : index + 2]
        asked = _asked_voltages(nominal, index)
        reaction = reaction_fields(left.material, right.material, asked["left"])
        ends = {"left": left.end(right=True), "right": right.end(right=False)}
        state_of_sides: dict[str, Any] = {
            "reference": reference,
            "state_of_charge": nominal.state_of_charge,
            "ion_content": {"left": left.ion_content, "right": right.ion_content},
            "coexisting_phases": coexisting_fields(
                {
                    "left": (left.material, left.ion_content),
                    "right": (right.material, right.ion_content),
                }
            ),
            "neutral_potential_V": {
                side: number(phases[0].model.neutral_potential_V) for side, phases in ends.items()
            },
            **contact_levels(before, behind),
        }
        contacts.append(
            {
                **fields,
                **state_of_sides,
                "contact_barrier_assumed": not is_known((cell.contacts or [])[index]),
                "extrinsic": contact_extrinsic_fields(extrinsic[index], seen[index]),
                "validity": contact_validity(
                    contact,
                    ion_content=state_of_sides["ion_content"],
                    voltage_V=asked,
                ),
                "reaction": reaction,
                **outside_fields(left.material, right.material, asked, reaction),
                "temperature_K": cell.temperature_K,
                "electrons": electrons,
            }
        )
    layers = [
        {
            "material": layer.material.name,
            "thickness_nm": layer.thickness_nm,
            "resistance_ohm_cm2": None if resistance is None else number(resistance),
            "thick": thick,
            "ion_content": layer.ion_content,
            "mu_eV": [number(mu) for mu in layer.mu_eV],
            "quantiles": None
            if resistance is None or spread is None
            else {"resistance_ohm_cm2": quantiles(spread)},
            "extrinsic": layer_extrinsic_fields(described, grains),
        }
        for described, layer, grains, (resistance, spread), thick in zip(
            cell.layers, nominal.layers, seen_layers, resistances, nominal.thick, strict=True
        )
    ]
    apparent = apparent_cell_ohm_cm2(nominal, seen, seen_layers, sampled=False)
    apparent_samples = None
    if sampled is not None and apparent is not None:
        apparent_samples = apparent_cell_ohm_cm2(sampled, seen, seen_layers, sampled=True)
    return {
        "state_of_charge": nominal.state_of_charge,
        "open_circuit_voltage_V": number(nominal.open_circuit_voltage_V),
        "area_specific_resistance_ohm_cm2": total,
        "interface_resistance_ohm_cm2": number(nominal.interface_resistance_ohm_cm2),
        "accumulation_ohm_cm2": number(nominal.accumulation_ohm_cm2),
        "apparent_resistance_ohm_cm2": None if apparent is None else number(apparent),
        "outside_of_model": outside_of_model([one["outside_of_model"] for one in contacts]),
        "contacts": contacts,
        "layers": layers,
        "stability_violations": _violations(nominal),
        "electronic_leakage": cell_leakage(nominal, diagrams, cell.temperature_K),
        "polarization": polarization_fields(
            nominal,
            cell.temperature_K,
            sampled=sampled,
            field_samples=drawn,
        ),
        "quasi_equilibrium": quasi_equilibrium_fields(cell, nominal),
        "quantiles": None
        if sampled is None
        else {
            "open_circuit_voltage_V": quantiles(sampled.open_circuit_voltage_V),
            "area_specific_resistance_ohm_cm2": None
            if total is None
            else quantiles(sampled.area_specific_resistance_ohm_cm2),
            **log10_fields(total, sampled.area_specific_resistance_ohm_cm2),
            **interface_quantiles(sampled.interface_resistance_ohm_cm2),
            "log10_apparent_resistance": None
            if apparent_samples is None
            else log10_quantiles(apparent_samples),
            "electronic_leakage": leakage_spread,
            "samples": int(np.size(sampled.area_specific_resistance_ohm_cm2)),
            "lost_samples": int(np.count_nonzero(sampled.has_no_solution)),
        },
    }
