"""A cell in time: the document that `interohm dynamics` prints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from interohm.errors import InputError
from interohm.prediction.contact_barrier import contact_is_uncertain, with_known_interfaces
from interohm.prediction.formation import Step, formation_fields
from interohm.prediction.galvanostatic import (
    Direction,
    at_contents,
    galvanostatic_fields,
)
from interohm.prediction.galvanostatic import steps as galvanostatic_steps
from interohm.prediction.quasi_equilibrium import quasi_equilibrium_fields
from interohm.prediction.sampling import FieldSamples
from interohm.prediction.solved_cell import check_cell, solve_state
from interohm.records import Insulator, Metal, material_hash
from interohm.records.cell_config import Cell
from interohm.records.reference import reference_metal
from interohm.records.uncertainty import is_uncertain
from interohm.results.dynamics import DynamicsResult

if TYPE_CHECKING:
    from interohm.records.interface import Interface

#: How often the uncertainties are drawn for a discharge.
DEFAULT_SAMPLES = 100

_C_RATES = (1e-6, 1e6)
_LARGEST_STEP_V, _LARGEST_STEP_K = 5.0, 500.0


def steps(step: Step | None, samples: int) -> int:
    """Return how many steps a prediction takes."""
    return 1 if step is not None else galvanostatic_steps(samples)


def chosen_step(
    potential_V: float | None,
    temperature_K: float | None,
    state_of_charge: float | None,
    names: tuple[str, str, str],
) -> tuple[Step | None, float]:
    """Return which step was asked for, and by how much; None and 0 for a run.

    Parameters
    ----------
    potential_V, temperature_K : float, optional
        The steps; one of them at most.
    state_of_charge : float, optional
        State of charge of a step alone.
    names : (str, str, str)
        Names of these three options for the user.

    Raises
    ------
    InputError
        Two steps, or a state of charge of a run.
    """
    potential, temperature, charge = names
    if potential_V is not None and temperature_K is not None:
        raise InputError(
            "a potential step and a temperature step cannot be combined",
            where=temperature,
            fix="give one of them",
        )
    if potential_V is not None:
        return "potential", potential_V
    if temperature_K is not None:
        return "temperature", temperature_K
    if state_of_charge is not None:
        raise InputError(
            "a run at constant current covers all states of charge",
            where=charge,
            fix=f"give {potential} or {temperature} with it, or leave it out",
        )
    return None, 0.0


def dynamics_result(
    cell: Cell,
    materials: list[Insulator | Metal],
    *,
    c_rate: float = 1.0,
    direction: Direction = "discharge",
    cut_off_V: float | None = None,
    step: Step | None = None,
    by: float = 0.0,
    samples: int = DEFAULT_SAMPLES,
    interfaces: Sequence[Interface] = (),
    where: str = "cell",
    progress: Callable[[int], None] | None = None,
) -> DynamicsResult:
    """Return a discharge or charge of a cell, or what its space charges do after a step.

    Parameters
    ----------
    cell : Cell
        The description; a step is at the middle one of its states of charge.
    materials : list of Insulator or Metal
        The record of each of its layers.
    c_rate, direction, cut_off_V
        The current, which way it flows, and the voltage that ends it.
    step : "potential" or "temperature", optional
        Follow the space charges after a step by `by` V or K instead.
    by : float
        The step.
    samples : int
        How often the uncertainties are drawn; 0 for the nominal run alone. A step is nominal.
    interfaces : sequence of Interface
        Interfaces of the user's database, which take precedence over the shipped ones.
    where : str
        Place to name in errors: the cell's file.
    progress : callable, optional
        Told how many of `steps` are done, as each is.

    Raises
    ------
    InputError
        The layers make no cell, a number is out of bounds, or there is no solution.
    """
    check_cell(cell, materials, where=where)
    _check(cell, c_rate, step, by)
    if step is not None and cut_off_V is not None:
        raise InputError(
            "a step has no cut-off voltage: it ends when the space charges have formed",
            where="--cut-off (cut_off_V)",
            fix="leave out the cut-off or the step",
        )
    cell = with_known_interfaces(cell, materials, interfaces)
    assert cell.contacts is not None
    remarks: list[str] = []
    run: dict[str, Any] | None = None
    after = cell
    formed: dict[str, Any] | None = None
    try:
        if step is not None:
            index = len(cell.states_of_charge) // 2
            if step == "temperature":
                after = cell.model_copy(update={"temperature_K": cell.temperature_K + by})
            state = solve_state(after, materials, index)
            formed = formation_fields(cell, after, state, materials, step, by)
            remarks += _step_remarks(materials)
            if progress is not None:
                progress(1)
        else:
            blocked = next(
                (k for k, one in enumerate(cell.contacts) if one.ion_transfer == "blocked"), None
            )
            if blocked is not None:
                raise InputError(
                    f"contacts[{blocked}] blocks ions, so the cell cannot deliver any charge",
                    where="contacts",
                    fix="give a step (--potential-step, --temperature-step), or free the contact",
                )
            state = solve_state(at_contents(cell, materials, 0.5), materials, 0)
            uncertain = samples > 0 and (
                any(is_uncertain(each) for each in [*materials, reference_metal(materials)])
                or any(contact_is_uncertain(one) for one in cell.contacts)
            )
            run = galvanostatic_fields(
                cell,
                materials,
                c_rate,
                direction,
                cut_off_V=cut_off_V,
                field_samples=FieldSamples(samples) if uncertain else None,
                progress=progress,
            )
            remarks += _run_remarks(materials, run)
    except InputError as error:
        raise InputError(error.what, where=f"{where}: {error.where}", fix=error.fix) from None
    return DynamicsResult.model_validate(
        {
            "cell": cell.name,
            "temperature_K": cell.temperature_K,
            "records": {each.name: material_hash(each) for each in materials},
            "galvanostatic": run,
            "formation": formed,
            "quasi_equilibrium": quasi_equilibrium_fields(after, state),
            "remarks": remarks,
        }
    )


def _check(cell: Cell, c_rate: float, step: Step | None, by: float) -> None:
    if not _C_RATES[0] <= c_rate <= _C_RATES[1]:
        raise InputError(
            f"{c_rate:g} is not a C-rate within {_C_RATES[0]:g} to {_C_RATES[1]:g}",
            where="C-rate",
            fix="give a positive number; 1 is the whole capacity within an hour",
        )
    if step == "potential" and not 0.0 < abs(by) <= _LARGEST_STEP_V:
        raise InputError(
            f"a step by {by:g} V is zero, or exceeds {_LARGEST_STEP_V:g} V",
            where="potential step",
            fix="give the change of the cell's voltage in V",
        )
    if step == "temperature":
        after = cell.temperature_K + by
        if not 0.0 < abs(by) <= _LARGEST_STEP_K or not 50.0 <= after <= 3000.0:
            raise InputError(
                f"a step by {by:g} K from {cell.temperature_K:g} K is zero, or leaves the range "
                "of 50 to 3000 K",
                where="temperature step",
                fix="give the change in K",
            )


def _step_remarks(materials: list[Insulator | Metal]) -> list[str]:
    found = [
        "the step is nominal: no uncertainties are drawn; electrons follow the ions, and no "
        "electrode fills up within the time that is shown"
    ]
    if any(one.two_phase_range is not None for one in materials if isinstance(one, Metal)):
        found.append("where two phases coexist, the space charge is that of the larger one")
    return found


def _run_remarks(materials: list[Insulator | Metal], run: dict[str, Any]) -> list[str]:
    found = []
    for one in (materials[0], materials[-1]):
        assert isinstance(one, Metal)
        if len(one.states) == 1:
            continue
        if one.space_charge is None or one.sites_per_formula is None:
            found.append(
                f"{one.name}: its record does not say how many ions it holds; its content follows "
                "the state of charge"
            )
        elif one.chemical_diffusivity_cm2_s is None:
            found.append(
                f"{one.name}: without chemical_diffusivity_cm2_s in its record its ions are spread "
                "evenly at all times"
            )
        if one.two_phase_range is not None and one.chemical_diffusivity_cm2_s is not None:
            found.append(
                f"{one.name}: two phases coexist between ion contents of "
                f"{one.two_phase_range[0]:g} and {one.two_phase_range[1]:g}; its diffusivity "
                "is an effective one"
            )
    if not run["space_charges_follow"]:
        found.append(
            "space charges do not follow the state of charge at this current in "
            f"{', '.join(run['slow_layers'])}: their part is that of open circuit, and a real cell "
            "differs"
        )
    if run["ended_by"] == "cut-off voltage" and run["voltage_V"][0] is not None:
        falling = run["direction"] == "discharge"
        first, last = run["voltage_V"][0], run["cut_off_V"]
        if first < last if falling else first > last:
            found.append(
                f"at this current, overpotentials take the voltage from "
                f"{run['open_circuit_voltage_V'][0]:.4g} V beyond the cut-off of {last:g} V at "
                "once; a lower C-rate delivers more"
            )
    if run["ended_by"] == "surface":
        found.append(
            "the run ends before its capacity, where the surface of an electrode is full or empty"
        )
    return found
