"""A cell over the temperature, with its space charges and without them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from interohm.prediction.arrhenius import (
    Sweep,
    sampled_temperatures_K,
    sweep_fields,
    sweep_temperatures_K,
)
from interohm.prediction.layer_features import unmixing_temperature_K
from interohm.prediction.solved_cell import SolvedState, solve_state
from interohm.prediction.solved_contact import SolvedContact
from interohm.records import Insulator
from interohm.records.cell_config import Cell

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from interohm.arrays import Array
    from interohm.prediction.sampling import FieldSamples
    from interohm.records import Metal


#: Samples of a sweep with layers that are solved as a whole, which cost a hundred times as much.
_FEWER_SAMPLES = 100


def unmixing(cell: Cell, materials: list[Insulator | Metal]) -> tuple[float, str]:
    """Return the highest temperature (K) that separates a layer's defects, and whose; 0 if none."""
    return max(
        (unmixing_temperature_K(layer, material), material.name)
        for layer, material in zip(cell.layers, materials, strict=True)
        if isinstance(material, Insulator)
    )


def temperature_fields(
    cell: Cell,
    materials: list[Insulator | Metal],
    index_of_state: int,
    *,
    thick: list[bool],
    temperature_K: ArrayLike | None = None,
    field_samples: FieldSamples | None = None,
) -> dict[str, Any]:
    """Return a cell's resistances over the temperature, with their apparent activation energies.

    Parameters
    ----------
    cell : Cell
        The description.
    materials : list of Insulator or Metal
        The record of each layer.
    index_of_state : int
        Index into the cell's states of charge.
    thick : list of bool
        Which layers are thick, at the cell's own temperature: the parts keep their meaning.
    temperature_K : array (T,), optional
        At least three, ascending; those that separate a layer's defects are left out.
    field_samples : FieldSamples, optional
        Samples of the uncertainties, at a few of the default temperatures.

    Returns
    -------
    dict
        ``state_of_charge`` and the fields of `interohm.prediction.arrhenius.sweep_fields`.
    """
    lowest_K = unmixing(cell, materials)[0]

    def swept(temperatures: ArrayLike, field_samples: FieldSamples | None) -> Sweep[SolvedState]:
        mixed = np.asarray(temperatures, dtype=float)
        mixed = mixed[mixed > lowest_K]
        return _swept(cell, materials, index_of_state, thick, mixed, field_samples)

    nominal = swept(
        sweep_temperatures_K(cell.temperature_K) if temperature_K is None else temperature_K, None
    )
    sampled = None
    if field_samples is not None:
        fewer = field_samples if all(thick) else field_samples.first(_FEWER_SAMPLES)
        sampled = swept(sampled_temperatures_K(cell.temperature_K), fewer)

    def layer(index: int) -> Callable[[SolvedState], Any]:
        return lambda state: state.layer_resistance_ohm_cm2[index]

    def contact(index: int) -> Callable[[SolvedState], SolvedContact]:
        return lambda state: state.contacts[index]

    return {
        "state_of_charge": nominal.real.state_of_charge,
        **sweep_fields(
            nominal,
            sampled,
            cell.temperature_K,
            total=lambda state: state.area_specific_resistance_ohm_cm2,
            layers=[
                (material.name, layer(index))
                for index, material in enumerate(materials)
                if nominal.real.layer_resistance_ohm_cm2[index] is not None
            ],
            contacts=[contact(index) for index in range(len(materials) - 1)],
        ),
    }


def _swept(
    cell: Cell,
    materials: list[Insulator | Metal],
    index_of_state: int,
    thick: list[bool],
    temperatures: Array,
    field_samples: FieldSamples | None,
) -> Sweep[SolvedState]:
    # the solvers take arrays wherever a cell has a number: one call for the whole sweep
    axis = temperatures if field_samples is None else temperatures[:, None]
    real = solve_state(
        cell,
        materials,
        index_of_state,
        field_samples=field_samples,
        thick=thick,
        temperature_K=axis,
    )
    drops = [np.asarray(contact.potential_drop_V) for contact in real.contacts]
    flat = None
    if field_samples is not None or all(np.all(np.isfinite(drop)) for drop in drops):
        flat = solve_state(
            cell,
            materials,
            index_of_state,
            field_samples=field_samples,
            thick=thick,
            temperature_K=axis,
            # a sample without a neutral bulk has no drop, and no solution either
            flat_V=[np.where(np.isfinite(drop), drop, 0.0) for drop in drops],
        )
        flat = replace(flat, contacts=[one.without_space_charge() for one in flat.contacts])
    return Sweep(temperatures, real, flat)
