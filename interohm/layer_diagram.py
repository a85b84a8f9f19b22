"""Potential and levels along each layer of a solved cell and its collectors, where they bend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from interohm import device_models as models
from interohm.device_models.kpfm import collector_work_function_eV
from interohm.records import Insulator
from interohm.thin_layer import ThinLayer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from interohm.cell_config import Cell, Collector
    from interohm.records import Metal
    from interohm.solved_cell import SolvedLayer, SolvedState
    from interohm.solved_contact import SolvedContact

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class LayerDiagram:
    """One layer of the nominal solution; arrays (P,), NaN where a metal has no bands.

    ``electrochemical_potential_eV`` is the mobile ion's, which a collector has not.

    ``x_nm`` counts from the left edge of the cell's first layer.
    """

    x_nm: Array
    phi_V: Array
    mu_eV: Array
    fermi_level_eV: Array
    electrochemical_potential_eV: Array
    vacuum_level_eV: Array
    conduction_band_eV: Array
    valence_band_eV: Array

    @property
    def work_function_eV(self) -> Array:
        """Return the local work function, the vacuum level above the Fermi level."""
        return self.vacuum_level_eV - self.fermi_level_eV


def layer_diagrams(state: SolvedState) -> list[LayerDiagram]:
    """Return the diagram of every layer, from the negative electrode to the positive one."""
    diagrams = []
    left_edge = 0.0
    for place, layer in enumerate(state.layers):
        x, phi = _potential(state, place, layer)
        mu_left, mu_right = (float(mu) for mu in layer.mu_eV)
        mu = mu_left + (mu_right - mu_left) * x / layer.thickness_nm
        diagrams.append(
            _diagram(layer.material, left_edge + x, phi, mu, state.metal_work_function_eV)
        )
        left_edge += layer.thickness_nm
    return diagrams


def contact_diagrams(
    contact: SolvedContact, metal_work_function_eV: Array, electrode_mu_eV: float
) -> tuple[LayerDiagram, LayerDiagram]:
    """Return the diagrams of the two phases of a single contact; x = 0 is the contact."""
    found = []
    for material, side, outward in (
        (contact.left, contact.left_side, -1),
        (contact.right, contact.right_side, 1),
    ):
        if isinstance(side, models.Metal):
            x, phi = np.zeros(1), np.reshape(side.neutral_potential_V, 1)
            mu = np.full(1, electrode_mu_eV)
        else:
            profile = side.profile()
            x, phi = profile.x_nm, profile.phi_V
            if isinstance(side, ThinLayer):
                x = x - x[-1] if outward < 0 else x
            elif outward < 0:
                # a half-space counts from the contact into the phase
                x, phi = -x[::-1], phi[::-1]
            mu = np.full_like(x, float(side.bulk.mu_eV))
        found.append(_diagram(material, x, phi, mu, metal_work_function_eV))
    return found[0], found[1]


def _diagram(
    material: Insulator | Metal, x_nm: Array, phi_V: Array, mu_eV: Array, metal_eV: Array
) -> LayerDiagram:
    vacuum = -phi_V
    conduction, valence = np.full_like(phi_V, np.nan), np.full_like(phi_V, np.nan)
    if isinstance(material, Insulator):
        vacuum, conduction, valence = models.band_edges(
            phi_V, material.ionization_potential_eV.value, material.band_gap_eV.value
        )
    fermi = models.fermi_level_eV(mu_eV, metal_eV, material.ion_charge)
    return LayerDiagram(
        x_nm=x_nm,
        phi_V=phi_V,
        mu_eV=mu_eV,
        fermi_level_eV=fermi,
        electrochemical_potential_eV=models.ion_electrochemical_potential_eV(
            mu_eV, fermi, material.ion_charge
        ),
        vacuum_level_eV=vacuum,
        conduction_band_eV=conduction,
        valence_band_eV=valence,
    )


def device_diagrams(cell: Cell, state: SolvedState) -> list[LayerDiagram]:
    """Return the diagrams of the layers and, around them, of collectors of given thickness."""
    layers = layer_diagrams(state)
    if cell.collectors is None:
        return layers
    left = _collector(cell.collectors.negative, cell, state, layers[0], outward=-1)
    right = _collector(cell.collectors.positive, cell, state, layers[-1], outward=1)
    return [*left, *layers, *right]


def _collector(
    collector: Collector, cell: Cell, state: SolvedState, electrode: LayerDiagram, *, outward: int
) -> list[LayerDiagram]:
    """A collector has its own work function, its electrode's Fermi level, neither mu nor bands.

    As deep as the mobile element has entered, it has its electrode's work function.
    """
    if collector.thickness_nm is None:
        return []
    front = min(collector.front_at(cell, state.state_of_charge), collector.thickness_nm)
    # the last place within the front and the first one beyond
    depth = np.unique([0.0, np.nextafter(front, 0.0), front, collector.thickness_nm])[::outward]
    work_function = collector_work_function_eV(
        depth,
        np.asarray(front),
        electrode.work_function_eV[0],
        np.asarray(collector.work_function_eV.value),
    )
    fermi = np.full_like(depth, electrode.fermi_level_eV[0])
    nothing = np.full_like(depth, np.nan)
    edge = electrode.x_nm[0 if outward < 0 else -1]
    return [
        LayerDiagram(
            x_nm=edge + outward * depth,
            phi_V=-work_function - fermi,
            mu_eV=nothing,
            fermi_level_eV=fermi,
            electrochemical_potential_eV=nothing,
            vacuum_level_eV=work_function + fermi,
            conduction_band_eV=nothing,
            valence_band_eV=nothing,
        )
    ]


def _potential(state: SolvedState, place: int, layer: SolvedLayer) -> tuple[Array, Array]:
    """Return x from the layer's left edge, and phi."""
    if layer.model is not None:
        potential = float(layer.model.neutral_potential_V)
        return np.array([0.0, layer.thickness_nm]), np.array([potential, potential])
    left: Any = state.contacts[place - 1].right_side
    right: Any = state.contacts[place].left_side
    if isinstance(left, ThinLayer):
        profile = left.profile()
        return profile.x_nm, profile.phi_V
    # Thick: the two space charges do not touch; each keeps to its half.
    near_left, near_right = left.profile(), right.profile()
    half = layer.thickness_nm / 2
    first, second = near_left.x_nm <= half, near_right.x_nm <= half
    x = np.concatenate([near_left.x_nm[first], layer.thickness_nm - near_right.x_nm[second][::-1]])
    phi = np.concatenate([near_left.phi_V[first], near_right.phi_V[second][::-1]])
    return x, phi
