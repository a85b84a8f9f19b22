"""Electrodes and electrolytes of a screening as arrays: one row for each.

From records, or from arrays that somebody has in another way: the contacts need nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from interohm import device_models as models
from interohm.prediction.electrodes import (
    electrode_state,
    host_factor,
    ion_content_at,
)

if TYPE_CHECKING:
    from interohm.arrays import Array
    from interohm.prediction.assembly import Surroundings
    from interohm.prediction.coexisting_phases import PhaseShare
    from interohm.prediction.sampling import FieldSamples
    from interohm.records import Insulator, Metal


@dataclass(frozen=True)
class Electrodes:
    """Electrodes at one state of charge; arrays (S,), or (S, samples).

    Parameters
    ----------
    voltage_V : array
        Against the mobile metal.
    work_function_eV : array
        Phi at that ion content.
    areal_site_density_cm2 : array (S,)
        Site density of the contact plane, NaN where none is given.
    hop_factor : array (S,), optional
        sqrt(theta(1 − theta)) of the host's lattice gas; 1 where the sites are not known.
    """

    voltage_V: Array
    work_function_eV: Array
    areal_site_density_cm2: Array
    hop_factor: Array = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if self.hop_factor is None:
            object.__setattr__(self, "hop_factor", np.ones_like(self.areal_site_density_cm2))


@dataclass(frozen=True)
class Electrolytes:
    """Electrolytes; arrays (E,), or (E, samples).

    Parameters
    ----------
    phase : Phase
        Batch shape (E,) or (E, samples).
    reduction_V, oxidation_V : array (E,)
        Stability windows against the mobile metal, NaN where none is known.
    areal_site_density_cm2 : array (E,)
        Site density of the contact plane, NaN where none is given.
    """

    phase: models.Phase
    reduction_V: Array
    oxidation_V: Array
    areal_site_density_cm2: Array


def _areal_density_cm2(materials: Sequence[Insulator | Metal]) -> Array:
    return np.array(
        [
            np.nan if given.areal_site_density_cm2 is None else given.areal_site_density_cm2.value
            for given in materials
        ]
    )


def electrodes_of(
    metals: Sequence[Metal],
    state_of_charge: float,
    *,
    positive: bool,
    field_samples: FieldSamples | None = None,
) -> Electrodes:
    """Return electrodes at one state of charge, each over the whole range of its record."""
    states = [
        electrode_state(
            metal,
            ion_content_at(metal, state_of_charge, positive=positive),
            field_samples=field_samples,
        )
        for metal in metals
    ]
    return Electrodes(
        np.array([state.voltage_V for state in states]),
        np.array([state.work_function_eV for state in states]),
        _areal_density_cm2(metals),
        np.array(
            [
                host_factor(metal, state.ion_content)
                for metal, state in zip(metals, states, strict=True)
            ]
        ),
    )


def bent_electrode(
    metal: Metal, state_of_charge: float, around: Surroundings, *, positive: bool
) -> list[PhaseShare]:
    """Return the phases of an electrode that bends beside a contact; none if it holds its own."""
    if metal.space_charge is None:
        return []
    content = ion_content_at(metal, state_of_charge, positive=positive)
    return around.electrode(metal, content).phases


def electrolytes_of(insulators: Sequence[Insulator], around: Surroundings) -> Electrolytes:
    """Return electrolytes as they are in their surroundings."""
    windows = np.array(
        [
            (np.nan, np.nan)
            if insulator.stability_window_V is None
            else tuple(bound.value for bound in insulator.stability_window_V)
            for insulator in insulators
        ]
    ).reshape(-1, 2)
    phases = [around.phase(insulator) for insulator in insulators]
    return Electrolytes(
        models.stack_phases(phases), windows[:, 0], windows[:, 1], _areal_density_cm2(insulators)
    )
