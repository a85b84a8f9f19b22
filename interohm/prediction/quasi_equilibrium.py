r"""Quasi-equilibrium of space charges with a changing state of charge (physics.md, section 13).

A space charge fills through the resistance before it, within ``t = (R_bulk + Σ R_ct)·C``; the state
of charge moves the potentials by kT/z within ``kT/(z |dV/dt|)``. The static profiles of a cell are
those of a cell in use while the former is short beside the latter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from interohm.device_models import (
    BOLTZMANN_EV_K,
    CAPACITANCE_UF_CM2,
    VACUUM_PERMITTIVITY_E_V_NM,
    HalfSpace,
)
from interohm.prediction.impedance_chain import voltage_slope_V
from interohm.prediction.solved_contact import SolvedContact
from interohm.records import Insulator, Metal
from interohm.results.json_values import number

if TYPE_CHECKING:
    from interohm.prediction.solved_cell import SolvedLayer, SolvedState
    from interohm.records.cell_config import Cell

#: How many times faster a space charge must be than the state of charge.
MARGIN = 10.0

_BLOCKED = "a contact is blocked, so the cell carries no current"

#: A defect that takes longer through its space charge is frozen in all that a cell does.
FROZEN_S = 1e5


def quasi_equilibrium_fields(cell: Cell, state: SolvedState) -> dict[str, Any]:
    """Return how fast the space charges of a cell and of each of its layers form.

    Parameters
    ----------
    cell : Cell
        The description.
    state : SolvedState
        The nominal solution at one state of charge.

    Returns
    -------
    dict
        ``voltage_slope_V`` (dV/dSOC), ``state_of_charge_time_s`` (at 1C; None where the voltage
        does not change), then of the cell and of each insulating layer ``relaxation_time_s``,
        ``follows_up_to_c_rate`` and ``follows`` (at 1C), with a ``reason`` where there is no time
        or a blocked contact lets no current pass.
    """
    kT = BOLTZMANN_EV_K * cell.temperature_K
    slope = cell_voltage_slope_V(cell, state)
    available = kT * 3600.0 / (state.layers[0].material.ion_charge * slope) if slope else np.inf
    rows = [
        _layer(place, state, available)
        for place, layer in enumerate(state.layers)
        if layer.bulks is not None
    ]
    resistances = [row["resistance_ohm_cm2"] for row in rows]
    capacitances = [row["capacitance_uF_cm2"] for row in rows]
    # the transfer of a contact between two insulators belongs to both layers
    inner = sum(_transfer(contact) for contact in state.contacts[1:-1])
    total = None if None in resistances else sum(resistances) - inner
    largest = max((c for c in capacitances if c is not None), default=None)
    whole = _verdict(total, largest, available)
    if any(contact.blocked for contact in state.contacts):
        for one in (*rows, whole):
            if one["reason"] is None:
                one.update(follows_up_to_c_rate=None, follows=False, reason=_BLOCKED)
    return {
        "voltage_slope_V": number(slope),
        "state_of_charge_time_s": number(available),
        **whole,
        "layers": rows,
    }


def cell_voltage_slope_V(cell: Cell, state: SolvedState) -> float:
    """Return dV/dSOC of the open-circuit voltage, from the curves of both electrodes."""
    total = 0.0
    for place in (0, -1):
        metal, content = state.layers[place].material, state.layers[place].ion_content
        assert isinstance(metal, Metal)
        assert content is not None
        given = cell.layers[place].ion_content
        ends = [metal.states[0].ion_content, metal.states[-1].ion_content]
        if given is not None:
            ends = [given.discharged, given.charged]
        total += voltage_slope_V(metal, content) * abs(ends[1] - ends[0])
    return total


def _transfer(contact: SolvedContact) -> float:
    """R_ct, 0 where there is none: nothing passes there, and the other side fills the charge."""
    value = float(contact.charge_transfer_ohm_cm2)
    return value if np.isfinite(value) and not contact.blocked else 0.0


def _layer(place: int, state: SolvedState, available_s: float) -> dict[str, Any]:
    layer = state.layers[place]
    material = layer.material
    assert isinstance(material, Insulator)
    beside = state.contacts[place - 1 : place + 1]
    sides = (beside[0].right_side, beside[1].left_side)
    bulk_ohm_cm2 = state.layer_resistance_ohm_cm2[place]
    value = None if bulk_ohm_cm2 is None else number(bulk_ohm_cm2)
    resistance = None if value is None else value + sum(_transfer(contact) for contact in beside)
    return {
        "material": material.name,
        "thickness_nm": layer.thickness_nm,
        "resistance_ohm_cm2": resistance,
        "capacitance_uF_cm2": number(_capacitance_uF_cm2(layer, sides)),
        **_verdict(resistance, number(_capacitance_uF_cm2(layer, sides)), available_s),
        "frozen_defects": _frozen(layer, sides),
    }


def _capacitance_uF_cm2(layer: SolvedLayer, sides: tuple[Any, Any]) -> float:
    """Return that of the larger side, at most eps/L for a layer solved as a whole."""
    thick = [
        float(side.differential_capacitance_uF_cm2) for side in sides if isinstance(side, HalfSpace)
    ]
    if thick:
        return max(thick)
    assert layer.bulks is not None
    bulk = layer.bulks[2]
    eps = VACUUM_PERMITTIVITY_E_V_NM * float(bulk.phase.dielectric_constant)
    # carriers may screen within less than the layer
    length = np.fmin(layer.thickness_nm, float(bulk.debye_length_nm))
    return float(CAPACITANCE_UF_CM2 * eps / length)


def _verdict(
    resistance_ohm_cm2: float | None, capacitance_uF_cm2: float | None, available_s: float
) -> dict[str, Any]:
    if resistance_ohm_cm2 is None or capacitance_uF_cm2 is None:
        return {
            "relaxation_time_s": None,
            "follows_up_to_c_rate": None,
            "follows": False,
            "reason": "no ions pass, so no space charge ever forms",
        }
    time = resistance_ohm_cm2 * capacitance_uF_cm2 * 1e-6
    with np.errstate(divide="ignore"):
        limit = float(np.divide(available_s, MARGIN * time))
    return {
        "relaxation_time_s": number(time),
        "follows_up_to_c_rate": number(limit),
        "follows": limit >= 1.0,
        "reason": None,
    }


def _frozen(layer: SolvedLayer, sides: tuple[Any, Any]) -> list[dict[str, Any]]:
    """Return the defects that hardly move through the space charge, with how long they take."""
    material = layer.material
    assert isinstance(material, Insulator)
    assert layer.bulks is not None
    phase, kT = layer.bulks[2].phase, layer.bulks[2].kT_eV
    reach = [float(side.x99_nm) for side in sides if isinstance(side, HalfSpace)]
    length_nm = max(reach) if reach else layer.thickness_nm / 2.0
    speed = (
        phase.diffusion_prefactor
        * np.square(phase.hop_distance_nm)
        * phase.attempt_frequency_Hz
        * np.exp(-phase.migration_energy_eV / kT)
    )
    found = []
    for name, nm2_s in zip(
        [defect.name for defect in material.defects], np.atleast_1d(speed).tolist(), strict=True
    ):
        if not np.isfinite(nm2_s):
            continue
        time = length_nm**2 / nm2_s if nm2_s > 0.0 else np.inf
        if time > FROZEN_S:
            found.append({"defect": name, "time_s": number(time)})
    return found
