"""Phases of the model: batches of insulators and of metals, as arrays.

Every quantity has a leading batch shape ``(...)``, so that one call serves one contact or a
million; quantities of defects carry one more axis ``(..., D)``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from interohm.arrays import Array as Array
from interohm.arrays import BoolArray as BoolArray
from interohm.arrays import IntArray as IntArray

DEFECT_FIELDS = (
    "charge",
    "ion_change",
    "formation_energy_eV",
    "site_density_cm3",
    "degeneracy",
    "saturation",
    "migration_energy_eV",
    "attempt_frequency_Hz",
    "hop_distance_nm",
    "diffusion_prefactor",
)


@dataclass(frozen=True)
class Phase:
    """An insulator, or a batch of insulators that share one layout of sublattices.

    Anything that NumPy turns into an array is accepted for a field; ``(..., D)`` fields
    broadcast against each other, and so do ``(...)`` fields.

    Parameters
    ----------
    ionization_potential_eV, band_gap_eV, dielectric_constant : array (...)
        Vacuum level minus valence-band maximum; gap; static relative permittivity.
    charge, ion_change, formation_energy_eV, site_density_cm3 : array (..., D)
        Per defect: charge in elementary charges, change in mobile ions, formation energy at
        E_F = VBM and mu = 0, density of the sites of its sublattice (0 for a missing defect).
    degeneracy, saturation : array (..., D)
        Multiplicity of the defect on its site; largest fraction of the sublattice's sites that
        its defects may take.
    migration_energy_eV, attempt_frequency_Hz, hop_distance_nm, diffusion_prefactor : array (..., D)
        Parameters of the hop; a defect whose migration energy is NaN screens but does not conduct.
    sublattice : tuple of int
        For each of the D defects, which sublattice it sits on; each its own by default.
    electron_mass, hole_mass : array (...)
        Effective masses in electron masses.
    electrons : array of bool (...)
        Whether electrons and holes take part.
    frozen_charge_cm3 : array (...)
        Fixed charge of frozen species, donors minus acceptors.
    electrode : array of bool (...)
        Whether it is an insertion electrode that bends: its lattice gas limits the hop across a
        contact by its occupation alone, and it needs no conductivity.
    """

    ionization_potential_eV: Array
    band_gap_eV: Array
    dielectric_constant: Array
    charge: Array
    ion_change: Array
    formation_energy_eV: Array
    site_density_cm3: Array
    degeneracy: Array = 1.0  # type: ignore[assignment]
    saturation: Array = 1.0  # type: ignore[assignment]
    migration_energy_eV: Array = math.nan  # type: ignore[assignment]
    attempt_frequency_Hz: Array = 1e13  # type: ignore[assignment]
    hop_distance_nm: Array = math.nan  # type: ignore[assignment]
    diffusion_prefactor: Array = 1.0 / 6.0  # type: ignore[assignment]
    sublattice: tuple[int, ...] | None = None
    electron_mass: Array = 1.0  # type: ignore[assignment]
    hole_mass: Array = 1.0  # type: ignore[assignment]
    electrons: BoolArray = True  # type: ignore[assignment]
    frozen_charge_cm3: Array = 0.0  # type: ignore[assignment]
    electrode: BoolArray = False  # type: ignore[assignment]

    def __post_init__(self) -> None:
        for field in fields(self):
            if field.name != "sublattice":
                kind: Any = bool if field.name in ("electrons", "electrode") else np.float64
                value = np.asarray(getattr(self, field.name), dtype=kind)
                object.__setattr__(self, field.name, value)
        shapes = [np.shape(getattr(self, name)) for name in DEFECT_FIELDS]
        count = np.broadcast_shapes(*shapes, (1,))[-1]
        layout = tuple(range(count)) if self.sublattice is None else tuple(self.sublattice)
        if len(layout) != count:
            raise ValueError(f"sublattice names {len(layout)} of {count} defects")
        object.__setattr__(self, "sublattice", layout)
        for name in DEFECT_FIELDS:
            value = getattr(self, name)
            full = np.broadcast_to(value, (*np.shape(value)[:-1], count))
            object.__setattr__(self, name, full)

    @property
    def shape(self) -> tuple[int, ...]:
        """Batch shape (...)."""
        shapes = [
            np.shape(getattr(self, field.name))[: -1 if field.name in DEFECT_FIELDS else None]
            for field in fields(self)
            if field.name != "sublattice"
        ]
        return np.broadcast_shapes(*shapes)

    @property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """Indices of the defects of each sublattice."""
        layout = self.sublattice or ()
        return tuple(
            tuple(d for d, other in enumerate(layout) if other == one)
            for one in dict.fromkeys(layout)
        )

    def defects(self, name: str) -> list[Array]:
        """Return a ``(..., D)`` field as a list of D arrays ``(...)``."""
        value = getattr(self, name)
        return [np.ascontiguousarray(value[..., d]) for d in range(value.shape[-1])]

    def __getitem__(self, index: Any) -> Phase:
        """Return the phases at `index` of the batch."""
        shape = self.shape
        return self._map(lambda value, tail: np.broadcast_to(value, (*shape, *tail))[index])

    def flatten(self, shape: tuple[int, ...]) -> Phase:
        """Return the same phases, broadcast to the batch shape `shape`, in one dimension (N,)."""
        return self.reshape(shape, (-1,))

    def reshape(self, shape: tuple[int, ...], new_shape: tuple[int, ...]) -> Phase:
        """Return the same phases, broadcast to the batch shape `shape`, in shape `new_shape`."""
        return self._map(
            lambda value, tail: np.broadcast_to(value, (*shape, *tail)).reshape((*new_shape, *tail))
        )

    def _map(self, function: Callable[[Any, tuple[int, ...]], Any]) -> Phase:
        mapped: dict[str, Any] = {"sublattice": self.sublattice}
        for field in fields(self):
            if field.name != "sublattice":
                value = getattr(self, field.name)
                tail = value.shape[-1:] if field.name in DEFECT_FIELDS else ()
                mapped[field.name] = function(value, tail)
        return Phase(**mapped)


@dataclass(frozen=True)
class Metal:
    """A phase that holds its potential: an electrode, or a batch of them.

    Parameters
    ----------
    neutral_potential_V : array (...)
        Its phi_0 relative to the neutral mobile metal.
    hop_factor : array (...)
        sqrt(theta(1 − theta)) of the lattice gas of an insertion electrode, see
        `resistance.lattice_gas_factor`; 1 of the metal of the mobile ion.
    """

    neutral_potential_V: Array
    hop_factor: Array = 1.0  # type: ignore[assignment]

    def __post_init__(self) -> None:
        for name in ("neutral_potential_V", "hop_factor"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=np.float64))

    @property
    def shape(self) -> tuple[int, ...]:
        """Batch shape (...)."""
        return np.broadcast_shapes(self.neutral_potential_V.shape, self.hop_factor.shape)


def stack_phases(phases: Sequence[Phase]) -> Phase:
    """Combine phases with any number of defects into one batch.

    Sublattices are matched in order and defects in order within them; where a phase has
    fewer, the place is filled with a defect of site density zero, which changes nothing.

    Parameters
    ----------
    phases : sequence of Phase
        Each of the same batch shape ``(...)``.

    Returns
    -------
    Phase
        Batch shape ``(len(phases), ...)``. Concentrations of phase i follow `defect_slots`.
    """
    sizes = _slot_sizes(phases)
    slots = [_slots(phase, sizes) for phase in phases]
    layout = tuple(s for s, size in enumerate(sizes) for _ in range(size))
    stacked: dict[str, Any] = {"sublattice": layout}
    empty = {"charge": 0.0, "ion_change": 0.0, "formation_energy_eV": 1.0, "site_density_cm3": 0.0}
    empty |= {"degeneracy": 1.0, "saturation": 1.0, "attempt_frequency_Hz": 1.0}
    for field in fields(Phase):
        name = field.name
        if name == "sublattice":
            continue
        values = []
        for phase, slot in zip(phases, slots, strict=True):
            value = getattr(phase, name)
            if name not in DEFECT_FIELDS:
                values.append(np.broadcast_to(value, phase.shape))
                continue
            full = np.full((*phase.shape, len(layout)), empty.get(name, np.nan))
            if name == "diffusion_prefactor":
                full[...] = 1.0 / 6.0
            full[..., slot] = value
            values.append(full)
        stacked[name] = np.stack(values)
    return Phase(**stacked)


def defect_slots(phases: Sequence[Phase], index: int) -> list[int]:
    """Return the slots of the defects of phase `index` in `stack_phases`, in their own order."""
    return _slots(phases[index], _slot_sizes(phases))


def _slots(phase: Phase, sizes: Sequence[int]) -> list[int]:
    starts = [sum(sizes[:s]) for s in range(len(sizes))]
    slots = [0] * len(phase.sublattice or ())
    for start, group in zip(starts, phase.groups, strict=False):
        for index, defect in enumerate(group):
            slots[defect] = start + index
    return slots


def _slot_sizes(phases: Sequence[Phase]) -> list[int]:
    count = max(len(phase.groups) for phase in phases)
    return [
        max((len(phase.groups[s]) if s < len(phase.groups) else 0) for phase in phases)
        for s in range(count)
    ]
