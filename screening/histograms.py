"""Counts of an output in bins that are the same for every screening, so that counts add up.

Resistances have eight bins an octave, read from the bits of the number; potentials and energies
have bins of 0.02. The first and the last bin count what lies outside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from interohm.arrays import Array, IntArray


_OCTAVES = (-20, 110)
_PER_OCTAVE_BITS = 3
_SHIFT = 52 - _PER_OCTAVE_BITS
_LOWEST = (1023 + _OCTAVES[0]) << _PER_OCTAVE_BITS
_LOGARITHMIC = (_OCTAVES[1] - _OCTAVES[0]) << _PER_OCTAVE_BITS

_RANGE, _PER_UNIT = 12.0, 50
_LINEAR = round(2 * _RANGE * _PER_UNIT)


def is_logarithmic(output: str) -> bool:
    """Return whether an output has bins of equal ratio."""
    return output.endswith("_ohm_cm2")


def counts(output: str, values: Array) -> IntArray:
    """Count values, none of them NaN, in the output's bins."""
    if is_logarithmic(output):
        # the bits of a positive number ascend with it; those of a negative one are negative
        places = (np.ascontiguousarray(values).view(np.int64) >> _SHIFT) - (_LOWEST - 1)
        size = _LOGARITHMIC + 2
        np.clip(places, 0, size - 1, out=places)
    else:
        within = np.clip(values * _PER_UNIT, -_LINEAR / 2 - 1, _LINEAR / 2)
        places = np.floor(within).astype(np.int64) + (_LINEAR // 2 + 1)
        size = _LINEAR + 2
    return np.bincount(places, minlength=size)


def edges(output: str) -> Array:
    """Return the edges of the bins between the first and the last, ascending."""
    if not is_logarithmic(output):
        return np.arange(_LINEAR + 1) / _PER_UNIT - _RANGE
    steps = np.arange(_LOGARITHMIC + 1)
    within = 1 + (steps & ((1 << _PER_OCTAVE_BITS) - 1)) / (1 << _PER_OCTAVE_BITS)
    return np.asarray(np.ldexp(within, (steps >> _PER_OCTAVE_BITS) + _OCTAVES[0]))
