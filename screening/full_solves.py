"""Cells that are not the sum of their contacts, solved as a whole by the cell solver."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from interohm import device_models as models
from interohm.errors import InputError
from interohm.prediction.contact_barrier import with_known_interface
from interohm.prediction.electrons import cell_leakage
from interohm.prediction.layer_diagram import layer_diagrams
from interohm.prediction.solved_cell import solve_state
from interohm.records import Metal
from interohm.records.cell_config import Cell, Contact, Layer
from interohm.results.json_values import number
from interohm.screening.cells import FullySolvedCells

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from interohm.prediction.solved_cell import SolvedState
    from interohm.records import Insulator
    from interohm.records.interface import Interface
    from interohm.screening.candidates import CoatableElectrode, Records
    from interohm.screening.cells import Cells
    from interohm.screening.config import ScreenConfig

#: Of an electrode, which has no resistance of its own; its thickness makes no difference.
_ELECTRODE_NM = 1000.0

_OUTPUTS = (
    "resistance_ohm_cm2",
    "interface_ohm_cm2",
    "space_charge_ohm_cm2",
    "charge_transfer_ohm_cm2",
    "coating_ohm_cm2",
    "bulk_ohm_cm2",
    "electron_barrier_eV",
    "hole_barrier_eV",
)


def cell_of(
    config: ScreenConfig,
    negative: CoatableElectrode,
    electrolyte: Insulator,
    positive: CoatableElectrode,
    temperature_K: float,
    states_of_charge: Sequence[float],
    interfaces: Sequence[Interface] = (),
) -> tuple[Cell, list[Insulator | Metal]]:
    """Return one cell of a screening as `interohm cell` would be given it, with its records."""
    layers: list[tuple[Insulator | Metal, float]] = [(negative.metal, _ELECTRODE_NM)]
    if negative.coating is not None:
        layers.append((negative.coating, negative.coating_nm))
    layers.append((electrolyte, config.thickness_nm))
    if positive.coating is not None:
        layers.append((positive.coating, positive.coating_nm))
    layers.append((positive.metal, _ELECTRODE_NM))
    cell = Cell(
        name=(
            f"{negative.label} | {electrolyte.name} ({config.thickness_nm:g} nm) | {positive.label}"
        )[:128],
        temperature_K=temperature_K,
        states_of_charge=list(states_of_charge),
        layers=[Layer(material=record.name, thickness_nm=nm) for record, nm in layers],
        contacts=[
            with_known_interface(Contact(), left, right, interfaces)
            for (left, _), (right, _) in pairwise(layers)
        ],
        electrons=config.electrons,
    )
    return cell, [record for record, _ in layers]


def solve_fully(
    config: ScreenConfig,
    records: Records,
    cells: Cells,
    indices: NDArray[np.int64],
    temperature_K: float,
    state_of_charge: float,
    *,
    workers: int = 1,
    progress: Callable[[int], None] | None = None,
) -> FullySolvedCells:
    """Solve some cells one by one.

    Parameters
    ----------
    config, records, cells
        The screening, and its cells at these conditions.
    indices : array (n,)
        Indices of the cells, ascending.
    temperature_K, state_of_charge : float
        The conditions.
    workers : int
        Threads.
    progress : callable, optional
        Told how many more cells are solved, as they are.
    """

    def one(index: int) -> list[float]:
        j, i, k = (int(position) for position in cells.places(np.asarray(index)))
        described, materials = cell_of(
            config,
            records.negatives[i],
            records.electrolytes[j],
            records.positives[k],
            temperature_K,
            [state_of_charge],
            records.interfaces,
        )
        outputs = _solved(described, materials, records.electrolytes[j])
        if progress is not None:
            progress(1)
        return [outputs.get(name, np.nan) for name in _OUTPUTS]

    with ThreadPoolExecutor(workers) as pool:
        rows = np.array(list(pool.map(one, indices.tolist())), dtype=float)
    rows = rows.reshape(-1, len(_OUTPUTS))
    return FullySolvedCells(indices, {name: rows[:, n].copy() for n, name in enumerate(_OUTPUTS)})


def _is_thick(state: SolvedState, electrolyte: Insulator) -> bool:
    return any(
        thick
        for layer, thick in zip(state.layers, state.thick, strict=True)
        if layer.material is electrolyte
    )


def _solved(
    cell: Cell, materials: list[Insulator | Metal], electrolyte: Insulator
) -> dict[str, float]:
    """Return the outputs of one cell; none where the solver finds no solution."""
    try:
        state = solve_state(cell, materials, 0)
    except InputError:
        return {}
    leakage = cell_leakage(state, layer_diagrams(state), cell.temperature_K)
    layers = {True: 0.0, False: 0.0}
    for layer, resistance in zip(state.layers, state.layer_resistance_ohm_cm2, strict=True):
        if resistance is not None:
            layers[layer.material is electrolyte] += float(resistance)
    transfer = sum(float(contact.charge_transfer_ohm_cm2) for contact in state.contacts)
    total = number(state.area_specific_resistance_ohm_cm2)
    # a coating is part of the interface, whole
    depletion = sum(
        float(part)
        for contact in state.contacts
        for material, part in (
            (contact.left, contact.depletion_left_ohm_cm2),
            (contact.right, contact.depletion_right_ohm_cm2),
        )
        if material is electrolyte or isinstance(material, Metal)
    )
    interface = models.positive_resistance(
        np.asarray(transfer + layers[False] + depletion), np.asarray(np.isfinite(transfer))
    )
    thick = total is not None and _is_thick(state, electrolyte)
    found: dict[str, float | None] = {
        "resistance_ohm_cm2": total,
        "interface_ohm_cm2": number(interface),
        "space_charge_ohm_cm2": total - sum(layers.values()) - transfer
        if thick and total is not None
        else None,
        "charge_transfer_ohm_cm2": transfer,
        "coating_ohm_cm2": layers[False],
        "bulk_ohm_cm2": layers[True],
        "electron_barrier_eV": leakage["electron_barrier_eV"],
        "hole_barrier_eV": leakage["hole_barrier_eV"],
    }
    return {name: value for name, value in found.items() if value is not None}
