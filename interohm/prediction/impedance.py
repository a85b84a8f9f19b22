"""The impedance of a cell over its state of charge: the document that the command line prints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from interohm.device_models import solve_chain
from interohm.errors import InputError
from interohm.prediction.contact_barrier import contact_is_uncertain, with_known_interfaces
from interohm.prediction.impedance_chain import CellChain, Process, cell_chain
from interohm.prediction.impedance_circuit import circuit_fields
from interohm.prediction.sampling import DEFAULT_SAMPLES, FieldSamples
from interohm.prediction.solved_cell import SolvedState, check_cell, solve_state
from interohm.records import Insulator, Metal, material_hash
from interohm.records.cell_config import Cell, ExtrinsicControl
from interohm.records.reference import reference_metal
from interohm.records.uncertainty import is_uncertain
from interohm.results.impedance import ImpedanceResult
from interohm.results.json_values import column_quantiles, number, numbers, quantiles

if TYPE_CHECKING:
    from interohm.arrays import Array
    from interohm.records.interface import Interface

#: From which to which frequency in Hz, and how many per decade.
DEFAULT_FREQUENCIES = (1e-3, 1e7, 10)

#: Fewest and most frequencies that are sensible, and their bounds in Hz.
_MOST, _LOWEST_HZ, _HIGHEST_HZ = 10_000, 1e-9, 1e15


def frequencies_Hz(lowest_Hz: float, highest_Hz: float, per_decade: float) -> Array:
    """Return frequencies from `lowest_Hz` to `highest_Hz`, evenly in their logarithm.

    Raises
    ------
    InputError
        They are out of bounds, or too many.
    """
    fix = "give LOW:HIGH:PER_DECADE in Hz, for example 1e-3:1e7:10"
    if not (_LOWEST_HZ <= lowest_Hz < highest_Hz <= _HIGHEST_HZ):
        raise InputError(
            f"{lowest_Hz:g} to {highest_Hz:g} Hz: the first must be the lower one, both within "
            f"{_LOWEST_HZ:g} to {_HIGHEST_HZ:g}",
            where="frequencies",
            fix=fix,
        )
    decades = np.log10(highest_Hz / lowest_Hz)
    count = round(decades * per_decade) + 1 if np.isfinite(per_decade) else 0
    if not 2 <= count <= _MOST:
        raise InputError(
            f"{per_decade:g} per decade make {count} frequencies, not 2 to {_MOST}",
            where="frequencies",
            fix=fix,
        )
    return np.geomspace(lowest_Hz, highest_Hz, count)


def checked_frequencies(frequency_Hz: Sequence[float]) -> Array:
    """Return given frequencies as an array.

    Raises
    ------
    InputError
        They are no ascending frequencies, or out of bounds.
    """
    fix = "give at least two frequencies in Hz, each larger than the one before"
    try:
        known = np.asarray(frequency_Hz, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError("the frequencies are not numbers", where="frequency_Hz", fix=fix) from None
    if known.ndim != 1 or known.size < 2 or not np.all(np.diff(known) > 0.0):
        raise InputError("the frequencies do not ascend", where="frequency_Hz", fix=fix)
    if known[0] < _LOWEST_HZ or known[-1] > _HIGHEST_HZ:
        raise InputError(
            f"{known[0]:g} to {known[-1]:g} Hz is not within {_LOWEST_HZ:g} to {_HIGHEST_HZ:g}",
            where="frequency_Hz",
            fix=fix,
        )
    return known


def at_conditions(cell: Cell, state_of_charge: float | None, temperature_K: float | None) -> Cell:
    """Return the cell at one state of charge, or at another temperature.

    Raises
    ------
    InputError
        The cell gives mu only at its own states of charge, and this is not one of them.
    """
    update: dict[str, Any] = {}
    if temperature_K is not None:
        update["temperature_K"] = temperature_K
    if state_of_charge is not None:
        update["states_of_charge"] = [state_of_charge]
        layers = []
        for place, layer in enumerate(cell.layers):
            control = layer.fermi_level
            if isinstance(control, ExtrinsicControl) and isinstance(control.extrinsic_mu_eV, list):
                if state_of_charge not in cell.states_of_charge:
                    raise InputError(
                        f"layers[{place}].fermi_level.extrinsic_mu_eV has one value for each of "
                        f"the cell's states of charge, and {state_of_charge:g} is not one of them",
                        where="state of charge",
                        fix=f"one of {', '.join(f'{one:g}' for one in cell.states_of_charge)}",
                    )
                value = control.extrinsic_mu_eV[cell.states_of_charge.index(state_of_charge)]
                held = control.model_copy(update={"extrinsic_mu_eV": value})
                layer = layer.model_copy(update={"fermi_level": held})
            layers.append(layer)
        update["layers"] = layers
    return cell.model_copy(update=update)


def steps(cell: Cell) -> int:
    """Return how many steps a prediction takes: each state of charge, then its samples."""
    return 2 * len(cell.states_of_charge)


def impedance_result(
    cell: Cell,
    materials: list[Insulator | Metal],
    *,
    frequency_Hz: Array | None = None,
    samples: int = DEFAULT_SAMPLES,
    interfaces: Sequence[Interface] = (),
    where: str = "cell",
    progress: Callable[[int], None] | None = None,
) -> ImpedanceResult:
    """Return the impedance of a cell at its states of charge.

    Parameters
    ----------
    cell : Cell
        The description.
    materials : list of Insulator or Metal
        The record of each of its layers.
    frequency_Hz : array (F,), optional
        Ascending; `DEFAULT_FREQUENCIES` unless given.
    samples : int
        How often the uncertainties are drawn; 0 for the nominal spectrum alone.
    interfaces : sequence of Interface
        Interfaces of the user's database, which take precedence over the shipped ones.
    where : str
        Place to name in errors: the cell's file.
    progress : callable, optional
        Told how many of `steps` are done, as each is.

    Returns
    -------
    ImpedanceResult
        The fields of ``interohm impedance --json``.

    Raises
    ------
    InputError
        The layers make no cell, or a state of charge lies outside of an electrode's curve.
    """
    check_cell(cell, materials, where=where)
    cell = with_known_interfaces(cell, materials, interfaces)
    frequency = frequencies_Hz(*DEFAULT_FREQUENCIES) if frequency_Hz is None else frequency_Hz
    told = progress or (lambda done: None)
    uncertain = samples > 0 and (
        any(is_uncertain(each) for each in [*materials, reference_metal(materials)])
        or any(contact_is_uncertain(one) for one in cell.contacts or ())
    )
    field_samples = FieldSamples(samples) if uncertain else None
    states, remarks = [], []
    for place, charge in enumerate(cell.states_of_charge):
        try:
            nominal = solve_state(cell, materials, place)
            found = cell_chain(cell, nominal)
        except InputError as error:
            raise InputError(error.what, where=f"{where}: {error.where}", fix=error.fix) from None
        relaxations = solve_chain(found.chain, float(frequency[0]), float(frequency[-1]))
        z = relaxations.impedance_ohm_cm2(frequency)[0]
        if not np.all(np.isfinite(z)):
            raise InputError(
                f"no impedance at state of charge {charge:g}: a resistance or a capacitance of the "
                "cell exceeds the range of numbers",
                where=where,
                fix="see what `interohm cell` reports about its layers",
            )
        told(2 * place + 1)
        spread = None
        if field_samples is not None:
            spread, remark = _quantiles(cell, materials, place, nominal, field_samples, frequency)
            remarks += remark
        told(2 * place + 2)
        dc = _dc(found)
        states.append(
            {
                "state_of_charge": charge,
                "frequency_Hz": frequency.tolist(),
                "z_real_ohm_cm2": numbers(z.real),
                "z_imag_ohm_cm2": numbers(z.imag),
                "quantiles": spread,
                "dc_resistance_ohm_cm2": dc,
                "dc_reason": found.blocked if dc is None else None,
                "processes": [process_fields(one) for one in found.processes],
                "circuit": circuit_fields(found, relaxations, frequency),
            }
        )
    document = {
        "cell": cell.name,
        "temperature_K": cell.temperature_K,
        "records": {each.name: material_hash(each) for each in materials},
        "states": states,
        "remarks": list(dict.fromkeys([*remarks, *_remarks(materials)])),
    }
    return ImpedanceResult.model_validate(document)


def _dc(found: CellChain) -> float | None:
    value = float(found.chain.dc_ohm_cm2[0])
    return value if np.isfinite(value) else None


def process_fields(process: Process) -> dict[str, Any]:
    """Return a process of one sample as a document has it."""

    def shown(value: Array | None) -> float | None:
        return None if value is None else number(value[0])

    return {
        "name": process.name,
        "where": process.where,
        "resistance_ohm_cm2": shown(process.resistance_ohm_cm2),
        "capacitance_uF_cm2": shown(process.capacitance_uF_cm2),
        "time_constant_s": shown(process.time_constant_s),
    }


def _quantiles(
    cell: Cell,
    materials: list[Insulator | Metal],
    place: int,
    nominal: SolvedState,
    field_samples: FieldSamples,
    frequency: Array,
) -> tuple[dict[str, Any] | None, list[str]]:
    when = f"at state of charge {nominal.state_of_charge:g}"
    try:
        sampled = solve_state(
            cell, materials, place, field_samples=field_samples, thick=nominal.thick
        )
        found = cell_chain(cell, sampled, field_samples=field_samples)
    except InputError as error:
        # extreme samples must not take the prediction with them
        return None, [f"no intervals {when}: with samples of the uncertainties {error.what}"]
    z = solve_chain(found.chain, float(frequency[0]), float(frequency[-1])).impedance_ohm_cm2(
        frequency
    )
    lost = int(np.count_nonzero(~np.all(np.isfinite(z), axis=-1)))
    remarks = []
    if lost:
        remarks.append(
            f"intervals {when} leave out {lost} of {field_samples.samples} samples of the "
            "uncertainties that have no solution"
        )
    return {
        "z_real_ohm_cm2": column_quantiles(z.real),
        "z_imag_ohm_cm2": column_quantiles(z.imag),
        "dc_resistance_ohm_cm2": quantiles(found.chain.dc_ohm_cm2),
        "process_resistance_ohm_cm2": [
            None if one.resistance_ohm_cm2 is None else quantiles(one.resistance_ohm_cm2)
            for one in found.processes
        ],
        "samples": field_samples.samples,
        "lost_samples": lost,
    }, remarks


def _remarks(materials: list[Insulator | Metal]) -> list[str]:
    return [
        f"{one.name}: two phases coexist between ion contents of {one.two_phase_range[0]:g} "
        f"and {one.two_phase_range[1]:g}; its diffusivity is an effective one"
        for one in materials
        if isinstance(one, Metal)
        and one.chemical_diffusivity_cm2_s is not None
        and one.two_phase_range is not None
    ]
