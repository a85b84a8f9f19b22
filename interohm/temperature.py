"""Resistances of a cell over the temperature, and what an Arrhenius plot would make of them.

Physics.md, section 5: apparent activation energies of every part, with space charge and without,
since it is their difference by which an experiment tells a space charge.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from interohm.cell_config import Cell, Contact
from interohm.device_models.kinetics import apparent_activation_energy_eV
from interohm.documents import numbers
from interohm.layer_features import unmixing_temperature_K
from interohm.records import Insulator
from interohm.solved_cell import solve_state

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from interohm.records import Metal

    Array = NDArray[np.float64]

#: A sweep that is not asked for otherwise: this far to both sides of the cell's temperature.
_HALF_WIDTH_K, _POINTS = 60.0, 13


def sweep_temperatures_K(cell: Cell) -> Array:
    """Return the temperatures of the default sweep."""
    half = min(_HALF_WIDTH_K, cell.temperature_K / 4)
    return np.linspace(cell.temperature_K - half, cell.temperature_K + half, _POINTS)


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
    place_of_state: int,
    *,
    thick: list[bool],
    temperature_K: ArrayLike | None = None,
) -> dict[str, Any]:
    """Return a cell's resistances over the temperature, with their apparent activation energies.

    Parameters
    ----------
    cell : Cell
        The description.
    materials : list of Insulator or Metal
        The record of each layer.
    place_of_state : int
        Index into the cell's states of charge.
    thick : list of bool
        Which layers are thick, at the cell's own temperature: the parts keep their meaning.
    temperature_K : array (T,), optional
        At least three, ascending; those that separate a layer's defects are left out.

    Returns
    -------
    dict
        ``temperature_K``, ``area_specific``, ``layers`` and ``contacts``; each of them has
        ``resistance_ohm_cm2`` and ``activation_energy_eV`` over the temperature, and the same
        under ``without_space_charge``. A negative resistance has no activation energy (None), nor
        has anything without space charge where a layer has no neutral bulk.
    """
    temperatures = np.asarray(
        sweep_temperatures_K(cell) if temperature_K is None else temperature_K, dtype=float
    )
    temperatures = temperatures[temperatures > unmixing(cell, materials)[0]]
    # the solvers take arrays wherever a cell has a number: one call for the whole sweep
    swept = cell.model_copy(update={"temperature_K": temperatures})
    real = solve_state(swept, materials, place_of_state, thick=thick)
    # flat: each contact's dipole takes the whole drop, so that nothing is left to screen
    flat_contacts = [
        Contact.model_construct(dipole_V=contact.potential_drop_V) for contact in real.contacts
    ]
    flat_cell = swept.model_copy(update={"contacts": flat_contacts})
    flat = None
    if all(np.all(np.isfinite(contact.potential_drop_V)) for contact in real.contacts):
        flat = solve_state(flat_cell, materials, place_of_state, thick=thick)

    def arrhenius(resistance: ArrayLike) -> dict[str, Any]:
        values = np.broadcast_to(np.asarray(resistance, dtype=float), temperatures.shape)
        return {
            "resistance_ohm_cm2": numbers(values),
            "activation_energy_eV": numbers(apparent_activation_energy_eV(values, temperatures)),
        }

    def both(part: Any) -> dict[str, Any]:
        return {
            **arrhenius(part(real)),
            "without_space_charge": None if flat is None else arrhenius(part(flat)),
        }

    return {
        "state_of_charge": real.state_of_charge,
        "temperature_K": numbers(temperatures),
        "area_specific": both(lambda state: state.area_specific_resistance_ohm_cm2),
        "layers": [
            {"material": layer.material.name, **both(_layer(place))}
            for place, layer in enumerate(real.layers)
            if real.layer_resistance_ohm_cm2[place] is not None
        ],
        "contacts": [
            {
                "left": contact.left.name,
                "right": contact.right.name,
                **both(_contact(place, "total_ohm_cm2")),
                "space_charge": arrhenius(contact.space_charge_ohm_cm2),
                "charge_transfer": both(_contact(place, "charge_transfer_ohm_cm2")),
            }
            for place, contact in enumerate(real.contacts)
        ],
    }


def _layer(place: int) -> Any:
    return lambda state: state.layer_resistance_ohm_cm2[place]


def _contact(place: int, field: str) -> Any:
    return lambda state: getattr(state.contacts[place], field)
