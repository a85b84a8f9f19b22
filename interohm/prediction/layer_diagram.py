"""Potential and levels along each layer of a solved cell and its collectors, where they bend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from interohm import device_models as models
from interohm.device_models import FiniteLayer, collector_work_function_eV
from interohm.prediction.solved_contact import shown_side

if TYPE_CHECKING:
    from interohm.arrays import Array
    from interohm.prediction.sampled_curves import SampledSide
    from interohm.prediction.sampling import FieldSamples
    from interohm.prediction.solved_cell import SolvedLayer, SolvedState
    from interohm.prediction.solved_contact import Side, SolvedContact
    from interohm.records.cell_config import Cell, Collector


@dataclass(frozen=True)
class LayerDiagram:
    """One layer; arrays (P,), of samples (samples, P), NaN where a metal has no bands.

    ``electrochemical_potential_eV`` is the mobile ion's, which a collector has not.

    ``x_nm``, always (P,), counts from the left edge of the cell's first layer.
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


@dataclass(frozen=True)
class SampledPoints:
    """Points of the samples' diagrams, and the curves of the sides of their contacts.

    Parameters
    ----------
    x_nm : sequence of array
        For each layer, from the left edge of the cell's first one.
    curves : list of dict
        Curves from `interohm.prediction.sampled_curves.cell_curves`.
    """

    x_nm: Sequence[Array]
    curves: list[dict[str, SampledSide | None]]


def layer_diagrams(state: SolvedState, at: SampledPoints | None = None) -> list[LayerDiagram]:
    """Return the diagram of every layer, from the negative electrode to the positive one.

    Parameters
    ----------
    state : SolvedState
        Nominal, or of samples.
    at : SampledPoints, optional
        Needed for samples, whose own points differ.
    """
    diagrams = []
    left_edge = 0.0
    for index, layer in enumerate(state.layers):
        if at is None:
            x, phi = _potential(state, index, layer)
        else:
            x = at.x_nm[index] - left_edge
            phi = _sampled_potential(at, index, layer, x)
        mu_left, mu_right = (np.asarray(mu)[..., None] for mu in layer.mu_eV)
        mu = mu_left + (mu_right - mu_left) * x / layer.thickness_nm
        phase = None if layer.bulks is None else layer.bulks[2].phase
        diagrams.append(
            _diagram(
                phase,
                left_edge + x,
                phi,
                mu,
                state.metal_work_function_eV,
                layer.material.ion_charge,
            )
        )
        left_edge += layer.thickness_nm
    return diagrams


def contact_diagrams(
    contact: SolvedContact, metal_work_function_eV: Array, electrode_mu_eV: Array | float
) -> tuple[LayerDiagram, LayerDiagram]:
    """Return the diagrams of the two phases of a single contact; x = 0 is the contact."""
    found = []
    for material, side, outward in (
        (contact.left, contact.left_side, -1),
        (contact.right, contact.right_side, 1),
    ):
        side = shown_side(side)
        if isinstance(side, models.Metal):
            x, phi = np.zeros(1), np.reshape(side.neutral_potential_V, 1)
            mu = np.asarray(electrode_mu_eV)
        else:
            profile = side.profile()
            x, phi = profile.x_nm, profile.phi_V
            if isinstance(side, FiniteLayer):
                x = x - x[-1] if outward < 0 else x
            elif outward < 0:
                # a half space counts from the contact into the phase
                x, phi = -x[::-1], phi[::-1]
            mu = side.bulk.mu_eV
        phase = None if isinstance(side, models.Metal) else side.bulk.phase
        found.append(
            _diagram(phase, x, phi, mu[..., None], metal_work_function_eV, material.ion_charge)
        )
    return found[0], found[1]


def sampled_contact_diagram(
    side: Side,
    x_nm: Array,
    phi_V: Array,
    metal_work_function_eV: Array,
    electrode_mu_eV: Array | float,
    ion_charge: int,
) -> LayerDiagram:
    """Return the diagram of one side of a single contact for samples, whose phi is (samples, P)."""
    side = shown_side(side)
    if isinstance(side, models.Metal):
        phase, mu = None, np.asarray(electrode_mu_eV)
    else:
        phase, mu = side.bulk.phase, side.bulk.mu_eV
    return _diagram(phase, x_nm, phi_V, mu[..., None], metal_work_function_eV, ion_charge)


def _diagram(
    phase: models.Phase | None, x_nm: Array, phi_V: Array, mu_eV: Array, metal_eV: Array, z: int
) -> LayerDiagram:
    """Return the levels of an insulator, or of a metal (None); mu is (..., 1) or (..., P)."""
    vacuum = -phi_V
    conduction, valence = np.full_like(phi_V, np.nan), np.full_like(phi_V, np.nan)
    if phase is not None:
        vacuum, conduction, valence = models.band_edges(
            phi_V,
            np.asarray(phase.ionization_potential_eV)[..., None],
            np.asarray(phase.band_gap_eV)[..., None],
        )
    mu = np.broadcast_to(mu_eV, phi_V.shape)
    fermi = models.fermi_level_eV(mu, np.asarray(metal_eV)[..., None], z)
    return LayerDiagram(
        x_nm=x_nm,
        phi_V=phi_V,
        mu_eV=mu,
        fermi_level_eV=fermi,
        electrochemical_potential_eV=models.ion_electrochemical_potential_eV(mu, fermi, z),
        vacuum_level_eV=vacuum,
        conduction_band_eV=conduction,
        valence_band_eV=valence,
    )


def device_diagrams(
    cell: Cell,
    state: SolvedState,
    at: SampledPoints | None = None,
    field_samples: FieldSamples | None = None,
) -> list[LayerDiagram]:
    """Return the diagrams of the layers and, around them, of collectors of given thickness.

    Parameters
    ----------
    cell : Cell
        The description.
    state : SolvedState
        Nominal, or of samples.
    at, field_samples : optional
        Needed for samples, which have diagrams at the fronts of all states of charge.
    """
    layers = layer_diagrams(state, at)
    if cell.collectors is None:
        return layers
    charges = [state.state_of_charge] if at is None else cell.states_of_charge
    left, right = (
        []
        if collector.thickness_nm is None
        else [_collector(collector, cell, state, charges, electrode, outward, field_samples)]
        for collector, electrode, outward in (
            (cell.collectors.negative, layers[0], -1),
            (cell.collectors.positive, layers[-1], 1),
        )
    )
    return [*left, *layers, *right]


def _collector(
    collector: Collector,
    cell: Cell,
    state: SolvedState,
    charges: Sequence[float],
    electrode: LayerDiagram,
    outward: int,
    field_samples: FieldSamples | None,
) -> LayerDiagram:
    """Return the levels of a collector: its own work function, its electrode's Fermi level.

    As deep as the mobile element has entered, it has its electrode's work function. It has points
    where the fronts of the given states of charge are.
    """
    assert collector.thickness_nm is not None
    front = min(collector.front_at(cell, state.state_of_charge), collector.thickness_nm)
    fronts = np.array([collector.front_at(cell, charge) for charge in charges])
    fronts = np.minimum(fronts, collector.thickness_nm)
    # the last place within each front and the first one beyond
    ends = [0.0, collector.thickness_nm]
    depth = np.unique([*ends, *np.nextafter(fronts, 0.0), *fronts])[::outward]
    work_function = collector_work_function_eV(
        depth,
        np.asarray(front),
        electrode.work_function_eV[..., 0],
        collector_own_eV(collector, field_samples),
    )
    fermi = np.broadcast_to(electrode.fermi_level_eV[..., :1], work_function.shape)
    nothing = np.full_like(work_function, np.nan)
    return LayerDiagram(
        x_nm=electrode.x_nm[0 if outward < 0 else -1] + outward * depth,
        phi_V=-work_function - fermi,
        mu_eV=nothing,
        fermi_level_eV=fermi,
        electrochemical_potential_eV=nothing,
        vacuum_level_eV=work_function + fermi,
        conduction_band_eV=nothing,
        valence_band_eV=nothing,
    )


def collector_own_eV(collector: Collector, field_samples: FieldSamples | None) -> Array:
    """Return a collector's own work function, () or (samples,)."""
    given = collector.work_function_eV
    if field_samples is None:
        return np.asarray(given.value)
    return field_samples.value(f"collector {collector.material}", "work_function_eV", given)


def _potential(state: SolvedState, index: int, layer: SolvedLayer) -> tuple[Array, Array]:
    """Return x from the layer's left edge, and phi."""
    if layer.electrode_potential_V is not None:
        potential = float(layer.electrode_potential_V)
        return np.array([0.0, layer.thickness_nm]), np.array([potential, potential])
    left: Any = state.contacts[index - 1].right_side
    right: Any = state.contacts[index].left_side
    if isinstance(left, FiniteLayer):
        profile = left.profile()
        return profile.x_nm, profile.phi_V
    # Thick: the two space charges do not touch; each keeps to its half.
    near_left, near_right = left.profile(), right.profile()
    half = layer.thickness_nm / 2
    first, second = near_left.x_nm <= half, near_right.x_nm <= half
    x = np.concatenate([near_left.x_nm[first], layer.thickness_nm - near_right.x_nm[second][::-1]])
    phi = np.concatenate([near_left.phi_V[first], near_right.phi_V[second][::-1]])
    return x, phi


def _sampled_potential(at: SampledPoints, index: int, layer: SolvedLayer, x_nm: Array) -> Array:
    """Return phi of samples at places from the layer's left edge, (samples, P)."""
    if layer.electrode_potential_V is not None:
        potential = np.asarray(layer.electrode_potential_V)
        return np.broadcast_to(potential[..., None], (*potential.shape, x_nm.size))
    left, right = at.curves[index - 1]["right"], at.curves[index]["left"]
    assert left is not None
    if left is right:
        return left.phi_at(x_nm)
    assert right is not None
    half = x_nm <= layer.thickness_nm / 2
    near_right = right.phi_at((layer.thickness_nm - x_nm)[~half])
    return np.concatenate([left.phi_at(x_nm[half]), near_right], axis=-1)
