"""Layers of a stack: the phase, the thickness, and what varies along the layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from ..bulk import Bulk
from ..constants import VACUUM_PERMITTIVITY_E_V_NM
from ..phase import Array, Phase, defect_slots, stack_phases
from .layer_charge import ChargeModel, charge_model


@dataclass(frozen=True)
class GradedProfile:
    """A table along a layer: linear between its points, constant beyond them.

    Parameters
    ----------
    x_nm : array (K,)
        Ascending distances from the layer's left end; two equal ones make a jump.
    values : array (K,)
        The quantity there.
    """

    x_nm: Array
    values: Array

    def __post_init__(self) -> None:
        for name in ("x_nm", "values"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=np.float64))
        if self.x_nm.ndim != 1 or self.x_nm.shape != self.values.shape or not self.x_nm.size:
            raise ValueError("x_nm and values must be two lists of the same length")
        if np.any(np.diff(self.x_nm) < 0.0) or not np.all(np.isfinite([self.x_nm, self.values])):
            raise ValueError("x_nm must ascend, and all numbers must be finite")

    def __call__(self, distance_nm: Array) -> Array:
        """Return the quantity at any distances."""
        return np.interp(distance_nm, self.x_nm, self.values)


ProfileLike: TypeAlias = ArrayLike | GradedProfile | Callable[[Array], Array]
"""A constant (...), a table, or a function of the distance (..., P) in nm from the left end."""


@dataclass(frozen=True)
class StackLayer:
    """One insulating layer of a stack, or a batch of them.

    Parameters
    ----------
    bulk : Bulk
        Its phase and conditions; batch shape (...).
    thickness_nm : array (...)
        Thickness of the layer.
    fixed_charge_cm3 : ProfileLike
        Donors minus acceptors, in addition to `frozen_charge_cm3` of the phase.
    energy_shift_eV : sequence of D Profiles, optional
        Energy added to each defect's formation energy: a core layer, a segregation energy.
    interaction_eV : array (..., D), optional
        W of the regular solution, ``E_d += W c_d/N_s``; positive repels.
    polarization_e_nm2 : ProfileLike
        The fixed part of P, of a polar or poled layer, positive where it points to the right. Its
        bound charge is −dP/dx and +P at the layer's right end, −P at its left end.
    susceptibility : ProfileLike
        chi of the part that follows the field, ``P = polarization + eps_0 chi E``, in addition to
        the phase's dielectric constant; their sum must be positive.
    mu_eV : ProfileLike, optional
        Chemical potential of the neutral mobile element along the layer, where it is not the
        bulk's. Matters for electrons, holes and defects whose charge is not z·dn.
    """

    bulk: Bulk
    thickness_nm: ArrayLike
    fixed_charge_cm3: ProfileLike = 0.0
    energy_shift_eV: Sequence[ProfileLike] | None = None
    interaction_eV: ArrayLike | None = None
    polarization_e_nm2: ProfileLike = 0.0
    susceptibility: ProfileLike = 0.0
    mu_eV: ProfileLike | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Batch shape (...) of all that is given as numbers."""
        constants = [np.shape(p) for p in self.profiles if not callable(p)]
        interaction = () if self.interaction_eV is None else np.shape(self.interaction_eV)[:-1]
        return np.broadcast_shapes(
            self.bulk.shape, np.shape(self.thickness_nm), interaction, *constants
        )

    @property
    def profiles(self) -> list[ProfileLike]:
        """All profiles along the layer."""
        return [
            self.fixed_charge_cm3,
            self.polarization_e_nm2,
            self.susceptibility,
            *(self.energy_shift_eV or ()),
            *([] if self.mu_eV is None else [self.mu_eV]),
        ]

    @property
    def breaks_nm(self) -> Array:
        """Points of all tables, where elements must end."""
        points = [p.x_nm for p in self.profiles if isinstance(p, GradedProfile)]
        return np.unique(np.concatenate(points)) if points else np.empty(0)


def profile_values(profile: ProfileLike, distance_nm: Array, shape: tuple[int, ...]) -> Array:
    """Evaluate a profile at nodes.

    Parameters
    ----------
    profile : ProfileLike
        Profile for a batch of shape `shape`.
    distance_nm : array (p + 1, E, B)
        B runs over the flattened batch.

    Returns
    -------
    array
        Broadcasts against (p + 1, E, B).
    """
    if not callable(profile):
        value = np.asarray(profile, dtype=np.float64)
        return np.broadcast_to(value, shape).reshape(1, 1, -1) if value.ndim else value
    nodes, elements, batch = distance_nm.shape
    places = np.moveaxis(distance_nm, 2, 0).reshape(*shape, nodes * elements)
    values = np.broadcast_to(np.asarray(profile(places), dtype=np.float64), places.shape)
    return np.moveaxis(values.reshape(batch, nodes, elements), 0, 2)


@dataclass(frozen=True)
class LayerStack:
    """The layers of a batch of stacks, ready to be put on a mesh.

    Attributes
    ----------
    layers : list of StackLayer
        From left to right.
    shape : tuple of int
        The batch shape (...); B is its size.
    phase : Phase
        All phases, padded to a common number of defects; batch shape (n, 1, B).
    temperature_K, mu_eV, metal_work_function_eV, ion_charge, neutral_potential_V : (n, 1, B)
        The conditions of every layer.
    thickness_nm : array (n, B)
        Thickness of every layer.
    slots : list of n lists
        Slots of each layer's defects among the padded ones.
    """

    layers: Sequence[StackLayer]
    shape: tuple[int, ...]
    phase: Phase
    temperature_K: Array
    mu_eV: Array
    metal_work_function_eV: Array
    ion_charge: Array
    neutral_potential_V: Array
    thickness_nm: Array
    slots: list[list[int]]

    @property
    def is_uniform(self) -> bool:
        """Return whether nothing in the charge density depends on the node."""
        return all(
            not callable(layer.fixed_charge_cm3)
            and layer.energy_shift_eV is None
            and layer.mu_eV is None
            for layer in self.layers
        )

    def charge(self, places_nm: Array) -> ChargeModel:
        """Charge density at nodes (p + 1, n, E, B), given in nm from each layer's left end."""
        count, batch = places_nm.shape[1], places_nm.shape[3]

        def spread(profile_of_layer: Callable[[int], ProfileLike]) -> Array:
            values = [
                profile_values(profile_of_layer(i), places_nm[:, i], self.shape)
                for i in range(count)
            ]
            full = np.broadcast_shapes(*(v.shape for v in values), (1, 1, batch))
            return np.stack([np.broadcast_to(v, full) for v in values], axis=1)

        defects = len(self.phase.sublattice or ())
        shifts = interactions = None
        if any(layer.energy_shift_eV is not None for layer in self.layers):
            shifts = [spread(partial(self._shift, slot=d)) for d in range(defects)]
        if any(layer.interaction_eV is not None for layer in self.layers):
            interactions = [spread(partial(self._interaction, slot=d))[0] for d in range(defects)]
        mu_shift: Array | float = 0.0
        if any(layer.mu_eV is not None for layer in self.layers):
            own = [
                layer.bulk.mu_eV if layer.mu_eV is None else layer.mu_eV for layer in self.layers
            ]
            mu_shift = spread(lambda i: own[i]) - self.mu_eV
        return charge_model(
            self.phase,
            temperature_K=self.temperature_K,
            mu_eV=self.mu_eV,
            metal_work_function_eV=self.metal_work_function_eV,
            ion_charge=self.ion_charge,
            fixed_charge_cm3=spread(lambda i: self.layers[i].fixed_charge_cm3),
            energy_shift_eV=shifts,
            interaction_eV=interactions,
            mu_shift_eV=mu_shift,
        )

    def polarization(self, places_nm: Array) -> Array | None:
        """Return the fixed P at nodes (p + 1, n, E, B), or None where there is none."""
        given = [layer.polarization_e_nm2 for layer in self.layers]
        if not any(callable(p) or np.any(np.asarray(p)) for p in given):
            return None
        return self._at_nodes(given, places_nm)

    def susceptibility(self, places_nm: Array) -> Array:
        """Chi at nodes (p + 1, n, E, B), or (n, 1, B) where no layer's varies."""
        given = [layer.susceptibility for layer in self.layers]
        if any(callable(chi) for chi in given):
            return self._at_nodes(given, places_nm)
        return np.asarray(self._at_nodes(given, np.zeros((1, *self.temperature_K.shape)))[0])

    def permittivity_e_V_nm(self, places_nm: Array) -> Array:
        """Eps of the phases and of what follows the field, shaped as `susceptibility`.

        Raises
        ------
        ValueError
            Where it is not positive and finite.
        """
        relative = self.phase.dielectric_constant + self.susceptibility(places_nm)
        right = np.all((relative > 0.0) & np.isfinite(relative), axis=(-2, -1))
        if not np.all(right):
            layer = int(np.argmin(right.reshape(-1, len(self.layers)).all(axis=0)))
            raise ValueError(
                f"layer {layer}: dielectric_constant + susceptibility must be positive and finite"
            )
        return np.asarray(VACUUM_PERMITTIVITY_E_V_NM * relative)

    def _at_nodes(self, profiles: Sequence[ProfileLike], places_nm: Array) -> Array:
        full = np.empty(places_nm.shape)
        for i, profile in enumerate(profiles):
            full[:, i] = profile_values(profile, places_nm[:, i], self.shape)
        return full

    def _shift(self, layer: int, slot: int) -> ProfileLike:
        shifts, slots = self.layers[layer].energy_shift_eV, self.slots[layer]
        return 0.0 if shifts is None or slot not in slots else shifts[slots.index(slot)]

    def _interaction(self, layer: int, slot: int) -> ProfileLike:
        given, slots = self.layers[layer].interaction_eV, self.slots[layer]
        if given is None or slot not in slots:
            return 0.0
        return np.asarray(given, dtype=np.float64)[..., slots.index(slot)]


def layer_stack(layers: Sequence[StackLayer], shape: tuple[int, ...]) -> LayerStack:
    """Broadcast layers to one batch shape and put their phases side by side.

    Raises
    ------
    ValueError
        If a number is not finite, a thickness not positive, or the energies or interactions of a
        layer do not match its defects.
    """
    batch = int(np.prod(shape, dtype=int))
    for index, layer in enumerate(layers):
        count = len(layer.bulk.phase.sublattice or ())
        if layer.energy_shift_eV is not None and len(layer.energy_shift_eV) != count:
            raise ValueError(f"layer {index}: energy_shift_eV needs one entry for each of {count}")
        given = layer.interaction_eV
        if given is not None and np.asarray(given).shape[-1:] != (count,):
            raise ValueError(f"layer {index}: interaction_eV needs {count} values, one per defect")
        thickness = np.asarray(layer.thickness_nm, dtype=np.float64)
        if not np.all((thickness > 0.0) & np.isfinite(thickness)):
            raise ValueError(f"layer {index}: thickness_nm must be positive and finite")
        for name in ("ionization_potential_eV", "band_gap_eV", "dielectric_constant"):
            if not np.all(np.isfinite(getattr(layer.bulk.phase, name))):
                raise ValueError(f"layer {index}: {name} must be finite")

    def column(values: list[Array]) -> Array:
        flat = [np.broadcast_to(value, shape).reshape(batch) for value in values]
        return np.stack(flat)[:, None]

    bulks = [layer.bulk for layer in layers]
    phases = [bulk.phase for bulk in bulks]
    rows = [phase.reshape(shape, (1, batch)) for phase in phases]
    return LayerStack(
        layers=layers,
        shape=shape,
        phase=stack_phases(rows) if len(rows) > 1 else phases[0].reshape(shape, (1, 1, batch)),
        temperature_K=column([bulk.temperature_K for bulk in bulks]),
        mu_eV=column([bulk.mu_eV for bulk in bulks]),
        metal_work_function_eV=column([bulk.metal_work_function_eV for bulk in bulks]),
        ion_charge=column([bulk.ion_charge for bulk in bulks]),
        neutral_potential_V=column([bulk.neutral_potential_V for bulk in bulks]),
        thickness_nm=column([np.asarray(layer.thickness_nm) for layer in layers])[:, 0],
        slots=[defect_slots(phases, i) for i in range(len(phases))]
        if len(phases) > 1
        else [list(range(len(phases[0].sublattice or ())))],
    )
