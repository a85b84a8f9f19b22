"""The reference in which a layer of finite thickness is solved, see `branches`."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from ..bulk import Bulk
from ..densities import Thermodynamics, expand
from ..phase import Array, BoolArray, IntArray

SMALLEST_DROP = 1e-30
"""Between ends that are both at neutrality, in kT."""


@dataclass(frozen=True)
class LayerReference:
    """N layers with potentials counted in kT from an origin: phi_0, or without it one end.

    Attributes
    ----------
    level_eV, origin_V : array (N,)
        Fermi level above the VBM at the origin, and its potential.
    state : Thermodynamics
        The phase about the origin.
    near, far : array (N,)
        u of the end nearer to neutrality and of the other (for `ACROSS`: of the left, the right).
    direction : array (N,)
        Sign of u growing away from neutrality (for `ACROSS`: from the left to the right).
    reversed : array of bool (N,)
        Whether the far end is the left one.
    neutral, across : array of bool (N,)
        Whether the origin is neutral, and whether the ends lie on opposite sides of it.
    """

    bulk: Bulk
    level_eV: Array
    origin_V: Array
    state: Thermodynamics
    near: Array
    far: Array
    direction: Array
    reversed: BoolArray
    neutral: BoolArray
    across: BoolArray

    def take(self, index: IntArray) -> LayerReference:
        """Return the layers at `index`."""
        return LayerReference(*(_at(getattr(self, field.name), index) for field in fields(self)))


def _at(value: Any, index: IntArray) -> Any:
    return value.take(index) if isinstance(value, Thermodynamics) else value[index]


def make_reference(bulk: Bulk, left_V: Array, right_V: Array) -> LayerReference:
    """Choose origin and ends of layers (N,)."""
    neutral = bulk.has_neutral_bulk
    kT = expand(
        bulk.phase, temperature_K=bulk.temperature_K, mu_eV=bulk.mu_eV, level_eV=0.0 * left_V
    ).kT_eV
    # without a neutral bulk the charge has one sign, which tells the end of lower pressure
    at_left = bulk.thermodynamics(left_V)
    away = -np.sign(at_left.residual_charge_nm3)
    lower_end = np.where((right_V - left_V) * away >= 0.0, left_V, right_V)
    origin = np.where(neutral, bulk.neutral_potential_V, lower_end)
    level = np.where(neutral, bulk.fermi_level_eV, bulk.level_at(lower_end))
    state = described_about(bulk, level, np.where(neutral, 0.0, np.nan))
    residual = bulk.thermodynamics(origin).residual_charge_nm3
    state = replace(state, residual_charge_nm3=np.where(neutral, 0.0, residual))
    left, right = (left_V - origin) / kT, (right_V - origin) / kT
    right = np.where(neutral & (left == 0.0) & (right == 0.0), SMALLEST_DROP, right)
    across = neutral & (left * right <= 0.0)
    flipped = np.where(
        across, False, np.where(neutral, np.abs(left) > np.abs(right), lower_end != left_V)
    )
    near, far = np.where(flipped, right, left), np.where(flipped, left, right)
    direction = np.sign(far - near)
    direction = np.where(direction == 0.0, np.where(neutral, np.sign(near), away), direction)
    return LayerReference(
        bulk, level, origin, state, near, far, direction, flipped, neutral, across
    )


def described_about(bulk: Bulk, level_eV: Array, residual: Array) -> Thermodynamics:
    """Describe bulks (N,) where the Fermi level is `level_eV`, with a known charge density."""
    state = expand(
        bulk.phase, temperature_K=bulk.temperature_K, mu_eV=bulk.mu_eV, level_eV=level_eV
    )
    return replace(state, residual_charge_nm3=residual)
