"""The space charges of a cell after a step of the potential or the temperature."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from interohm.device_models import Chain, Crossing, HalfSpace, Metal, solve_chain
from interohm.device_models.dynamics.finite_volumes import (
    Electrode,
    Static,
    TransientStack,
    Volumes,
    equilibrium,
    nodes_nm,
)
from interohm.device_models.dynamics.linear import step_relaxations
from interohm.device_models.dynamics.transient import Transient, run
from interohm.device_models.grid.equations import Reservoir
from interohm.device_models.grid.stack_layer import layer_stack
from interohm.errors import InputError
from interohm.prediction.impedance_chain import cell_chain
from interohm.prediction.polarization import charge_transfer
from interohm.prediction.solved_cell import SolvedLayer, SolvedState, solve_state
from interohm.results.json_values import number, numbers

if TYPE_CHECKING:
    from interohm.arrays import Array
    from interohm.records import Insulator
    from interohm.records import Metal as MetalRecord
    from interohm.records.cell_config import Cell

Step = Literal["potential", "temperature"]

#: Steps within a space charge, of the Debye length.
_FINEST = 0.2

#: Most of such steps in a layer that is solved as a whole.
_MOST = 300

#: Points in time, per decade.
_PER_DECADE = 16

#: Relaxations with a smaller share are not named.
_WORTH_NAMING = 1e-3

#: How many profiles a document keeps.
_PROFILES = 6


@dataclass(frozen=True)
class CellStack:
    """A solved cell as the volumes that its ions move through."""

    stack: TransientStack
    static: Static


def cell_stack(cell: Cell, state: SolvedState, meshes: list[Array] | None = None) -> CellStack:
    """Return the volumes of a cell and their equilibrium.

    Parameters
    ----------
    cell : Cell
        The description.
    state : SolvedState
        Nominal.
    meshes : list of array, optional
        Nodes of each insulating layer; those of its own space charges unless given.
    """
    inner = [place for place, layer in enumerate(state.layers) if layer.bulks is not None]
    if meshes is None:
        meshes = [_mesh(place, state) for place in inner]
    layers = [_volumes(state.layers[i], x) for i, x in zip(inner, meshes, strict=True)]
    given = cell.contacts
    stack = TransientStack(
        _electrode(state, left=True),
        layers,
        _electrode(state, left=False),
        np.array([float(contact.dipole_V) for contact in state.contacts]),
        np.array(
            [given[k].sheet_charge_e_nm2 if given else 0.0 for k in range(len(state.contacts))]
        ),
        [
            None if contact.blocked else charge_transfer(contact, cell.temperature_K)
            for contact in state.contacts
        ],
    )
    guess = np.concatenate(
        [_guess(place, state, x) for place, x in zip(inner, meshes, strict=True)]
    )
    try:
        return CellStack(stack, equilibrium(stack, guess))
    except RuntimeError as error:
        raise _unsolved(error) from None


def _unsolved(error: RuntimeError) -> InputError:
    return InputError(
        f"no solution in time: {error}",
        where="layers",
        fix="choose a smaller step, or see what `interohm cell` reports about the layers",
    )


def _electrode(state: SolvedState, *, left: bool) -> Electrode:
    layer = state.layers[0 if left else -1]
    side = state.contacts[0].left_side if left else state.contacts[-1].right_side
    if isinstance(side, HalfSpace):
        bulk = side.bulk.ravel((1,))
        held = Reservoir(bulk.neutral_potential_V, bulk.thermodynamics())
        return Electrode(float(bulk.neutral_potential_V[0]), held)
    if isinstance(side, Metal):
        return Electrode(float(side.neutral_potential_V))
    potential = layer.electrode_potential_V
    assert potential is not None
    return Electrode(float(potential))


def _mesh(place: int, state: SolvedState) -> Array:
    layer = state.layers[place]
    assert layer.bulks is not None
    length = layer.thickness_nm
    debye = float(layer.bulks[2].debye_length_nm)
    finest = _FINEST * (debye if np.isfinite(debye) else length)
    sides = (state.contacts[place - 1].right_side, state.contacts[place].left_side)
    if not all(isinstance(side, HalfSpace) for side in sides):
        finest = max(min(finest, length / 40.0), length / _MOST)
        return nodes_nm(length, finest, (length, length))
    reach, first = [], []
    for side in sides:
        assert isinstance(side, HalfSpace)
        reach.append(1.3 * float(side.x99_nm) + 10.0 * debye)
        first.append(min(0.05 * finest, float(side.x50_nm) / 20.0))
    finest = max(finest, max(reach) / _MOST)
    return nodes_nm(length, finest, (reach[0], reach[1]), first_nm=(first[0], first[1]))


def _volumes(layer: SolvedLayer, x_nm: Array) -> Volumes:
    assert layer.grid_layer is not None
    stack = layer_stack([layer.grid_layer], ())
    shape = (x_nm.size, 1, 1, 1)
    between = (0.5 * (x_nm[1:] + x_nm[:-1])).reshape(-1, 1, 1, 1)
    eps = np.broadcast_to(stack.permittivity_e_V_nm(between), between.shape).reshape(-1)
    fixed = stack.polarization(between)
    return Volumes(
        x_nm,
        eps,
        np.zeros(eps.size) if fixed is None else fixed.reshape(-1),
        stack.charge(x_nm.reshape(shape)),
        shape,
    )


def _guess(place: int, state: SolvedState, x_nm: Array) -> Array:
    """Phi of the static profile: of the first integral or of the grid."""
    left, right = state.contacts[place - 1].right_side, state.contacts[place].left_side
    if isinstance(left, HalfSpace) and isinstance(right, HalfSpace):
        found = np.empty_like(x_nm)
        middle = 0.5 * x_nm[-1]
        for side, away, part in (
            (left, x_nm, x_nm <= middle),
            (right, x_nm[-1] - x_nm, x_nm > middle),
        ):
            found[part] = side.potential_V(away[part])
        return found
    profile = left.profile(401)  # type: ignore[union-attr]
    return np.asarray(np.interp(x_nm, np.ravel(profile.x_nm), np.ravel(profile.phi_V)))


def formation_fields(
    cell: Cell,
    after: Cell,
    state: SolvedState,
    materials: list[Insulator | MetalRecord],
    step: Step,
    by: float,
) -> dict[str, Any]:
    """Return how the space charges of a cell change after a step.

    Parameters
    ----------
    cell, after : Cell
        The description, and that at the temperature after the step.
    state : SolvedState
        Of `after`, at the state of charge of the step.
    materials : list of Insulator or Metal
        The record of each layer.
    step : "potential" or "temperature"
        At time 0, from equilibrium: the voltage of the cell, then held; or its temperature, with
        no current.
    by : float
        In V or K.

    Raises
    ------
    InputError
        The cell has no solution before the step.
    """
    made = cell_stack(after, state)
    start, stack = made.static, made.stack
    if step == "temperature":
        meshes = [layer.x_nm for layer in stack.layers]
        before = solve_state(cell, materials, cell.states_of_charge.index(state.state_of_charge))
        start = cell_stack(cell, before, meshes).static
    times, relaxations = _times(after, state, step)
    # a lower voltage drives the ions to the right
    hold = -by if step == "potential" else None
    try:
        found = run(stack, start, times, hold_V=hold, scale_e_nm2=_scale(stack, made.static, by))
    except RuntimeError as error:
        raise _unsolved(error) from None
    rested = float(state.open_circuit_voltage_V)
    return {
        "step": step,
        "by": by,
        "temperature_before_K": cell.temperature_K,
        "temperature_after_K": after.temperature_K,
        "state_of_charge": state.state_of_charge,
        "open_circuit_voltage_V": rested,
        "time_s": numbers(found.time_s),
        "voltage_V": numbers(rested - found.voltage_V),
        "current_A_cm2": numbers(found.current_A_cm2),
        "space_charges": _space_charges(state, stack, found),
        "relaxations": relaxations,
        "profiles": _profiles(stack, found),
    }


def _scale(stack: TransientStack, static: Static, by: float) -> float:
    """Charge that a space charge takes up: a thousandth of the whole one, or by a small step."""
    density = np.abs(static.density_e_nm3) * stack.volume_nm
    stiff = max(float(np.max(one.permittivity_e_V_nm / one.x_nm[-1])) for one in stack.layers)
    return max(1e-3 * float(np.sum(density)), stiff * 0.02) * min(1.0, abs(by) / 0.05)


def _times(cell: Cell, state: SolvedState, step: Step) -> tuple[Array, list[dict[str, Any]]]:
    """Return points in time, and the relaxations that linear response expects."""
    chain = cell_chain(cell, state).chain
    # as in the volumes, electrodes hold what they have
    parts = [
        replace(part, diffusion=None) if isinstance(part, Crossing) else part
        for part in chain.parts
    ]
    solved = solve_chain(Chain(parts, chain.carriers), 1e-12, 1e13)
    resistance, time = solved.resistance_ohm_cm2[0], solved.time_s[0]
    if step == "potential":
        time, weight, _ = step_relaxations(solved)
    else:
        weight = resistance
    share = weight / np.sum(weight)
    known = (share > _WORTH_NAMING) & (time > 0.0)
    if not np.any(known):
        raise InputError(
            "nothing in the cell relaxes within 1e12 s",
            where="layers",
            fix="see what `interohm cell` reports about the layers",
        )
    rows = [
        {"time_s": float(time[k]), "share": float(share[k])}
        for k in np.flatnonzero(known)[np.argsort(time[known])]
    ]
    first, last = 0.02 * rows[0]["time_s"], 20.0 * rows[-1]["time_s"]
    count = max(40, round(_PER_DECADE * np.log10(last / first)))
    return np.geomspace(first, last, count), rows


def _space_charges(
    state: SolvedState, stack: TransientStack, found: Transient
) -> list[dict[str, Any]]:
    rows = []
    inner = [place for place, layer in enumerate(state.layers) if layer.bulks is not None]
    for place, layer, part in zip(inner, stack.layers, stack.parts, strict=True):
        charge = found.density_e_nm3[:, part] * layer.volume_nm
        half = layer.x_nm <= 0.5 * layer.x_nm[-1]
        for step, where in ((-1, half), (1, ~half)):
            total = np.sum(charge[:, where], axis=1)
            change = total - total[-1]
            rows.append(
                {
                    "layer": state.layers[place].material.name,
                    "contact": state.layers[place + step].material.name,
                    "charge_e_nm2": numbers(total),
                    "relaxation_time_s": number(_relaxed(found.time_s, change)),
                }
            )
    return rows


def _relaxed(time_s: Array, rest: Array) -> float:
    """Return when what is left has fallen to 1/e of what there was, NaN where nothing was."""
    size = np.abs(rest / rest[0]) if rest[0] else np.zeros_like(rest)
    below = np.flatnonzero(size < np.exp(-1.0))
    if not below.size or below[0] == 0:
        return float("nan")
    k = int(below[0])
    return float(
        np.exp(np.interp(-np.exp(-1.0), -size[k - 1 : k + 1], np.log(time_s[k - 1 : k + 1])))
    )


def _profiles(stack: TransientStack, found: Transient) -> list[dict[str, Any]]:
    ends = np.concatenate([[0.0], np.cumsum([layer.x_nm[-1] for layer in stack.layers])])
    x = np.concatenate([a + layer.x_nm for a, layer in zip(ends, stack.layers, strict=False)])
    places = np.unique(np.linspace(0, found.time_s.size - 1, _PROFILES).round().astype(int))
    return [
        {
            "time_s": float(found.time_s[k]),
            "x_nm": numbers(x),
            "phi_V": numbers(found.phi_V[k]),
            "charge_e_nm3": numbers(found.density_e_nm3[k]),
        }
        for k in places
    ]
