"""Electrons in a cell: barriers and band steps at contacts, and leakage.

Physics.md, section 7, from the nominal band diagram.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from interohm import device_models as models
from interohm.device_models import Leakage, layer_leakage
from interohm.records import Insulator
from interohm.results.json_values import number

if TYPE_CHECKING:
    from interohm.prediction.layer_diagram import LayerDiagram
    from interohm.prediction.solved_cell import SolvedState
    from interohm.prediction.solved_contact import SolvedContact

_CLASSES = {1: "I (straddling)", 2: "II (staggered)", 3: "III (broken)"}


def contact_electrons(
    contact: SolvedContact, left: LayerDiagram, right: LayerDiagram, temperature_K: float
) -> dict[str, Any]:
    """Return what electrons meet at one contact.

    Parameters
    ----------
    contact : SolvedContact
        The nominal solution.
    left, right : LayerDiagram
        Diagrams of the two phases, from left to right.
    temperature_K : float
        Temperature of the contact.

    Returns
    -------
    dict
        At an electrode ``electron_barrier_eV`` and ``hole_barrier_eV`` (from its Fermi level into
        the bands at the contact) and ``leakage_A_cm2``, what it emits over the highest point of the
        layer's bands; between two insulators ``class``, ``conduction_band_step_eV`` and
        ``valence_band_step_eV`` (right minus left). What a contact has not is None.
    """
    fields: dict[str, Any] = dict.fromkeys(
        (
            "class",
            "conduction_band_step_eV",
            "valence_band_step_eV",
            "electron_barrier_eV",
            "hole_barrier_eV",
            "leakage_A_cm2",
        )
    )
    if isinstance(contact.left, Insulator) and isinstance(contact.right, Insulator):
        kind = models.contact_class(
            contact.left.ionization_potential_eV.value,
            contact.left.band_gap_eV.value,
            contact.right.ionization_potential_eV.value,
            contact.right.band_gap_eV.value,
            contact.dipole_V,
        )
        steps = {
            f"{band}_band_step_eV": number(
                getattr(right, f"{band}_band_eV")[0] - getattr(left, f"{band}_band_eV")[-1]
            )
            for band in ("conduction", "valence")
        }
        return {**fields, "class": _CLASSES[int(kind)], **steps}
    on_the_right = isinstance(contact.right, Insulator)
    insulator = contact.right if on_the_right else contact.left
    assert isinstance(insulator, Insulator)
    bands, end = (right, 0) if on_the_right else (left, -1)
    level = (left if on_the_right else right).fermi_level_eV[:1]
    leakage = layer_leakage(
        bands.conduction_band_eV,
        bands.valence_band_eV,
        level,
        temperature_K=np.asarray(temperature_K),
        electron_mass=insulator.electron_effective_mass.value,
        hole_mass=insulator.hole_effective_mass.value,
    )
    return {
        **fields,
        "electron_barrier_eV": number(
            models.electron_barrier_eV(bands.conduction_band_eV[end], level[0])
        ),
        "hole_barrier_eV": number(models.hole_barrier_eV(bands.valence_band_eV[end], level[0])),
        "leakage_A_cm2": number(leakage.emission_A_cm2),
    }


def cell_leakage(
    state: SolvedState, diagrams: list[LayerDiagram], temperature_K: float
) -> dict[str, float | None]:
    """Return how electrons discharge the cell at open circuit, an upper bound.

    Electrons go from the negative electrode over the highest conduction band of all layers to the
    positive one, holes the other way over the lowest valence band.

    Returns
    -------
    dict
        ``electron_barrier_eV``, ``hole_barrier_eV`` and ``current_A_cm2``.
    """
    layers = [
        (layer.material, diagram)
        for layer, diagram in zip(state.layers, diagrams, strict=True)
        if isinstance(layer.material, Insulator)
    ]
    negative_eV, positive_eV = diagrams[0].fermi_level_eV[0], diagrams[-1].fermi_level_eV[0]
    highest, emitter = max(
        ((float(np.max(diagram.conduction_band_eV)), material) for material, diagram in layers),
        key=lambda pair: pair[0],
    )
    lowest, hole_emitter = min(
        ((float(np.min(diagram.valence_band_eV)), material) for material, diagram in layers),
        key=lambda pair: pair[0],
    )
    leakage = Leakage(
        np.asarray(highest - negative_eV),
        np.asarray(positive_eV - lowest),
        np.asarray(temperature_K),
        np.asarray(emitter.electron_effective_mass.value),
        np.asarray(hole_emitter.hole_effective_mass.value),
    )
    return {
        "electron_barrier_eV": number(leakage.electron_barrier_eV),
        "hole_barrier_eV": number(leakage.hole_barrier_eV),
        "current_A_cm2": number(leakage.current_A_cm2(state.open_circuit_voltage_V)),
    }
