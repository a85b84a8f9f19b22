"""Choices that rounding cannot change: numbers that differ by noise alone are equal.

Which of several equivalent sites, orbits or cells comes first must not hang on the last digit,
which differs between processors. So what is compared is ranked first: numbers closer to each other
than a tolerance have one rank.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

#: Of fractional coordinates.
FRACTION_TOLERANCE = 1e-4


#: Calculated energies that differ by less are those of one configuration, found twice.
SAME_ENERGY_EV = 1e-3


def ranks(values: Iterable[float], tolerance: float) -> list[int]:
    """Return each number's rank; numbers that a chain of gaps below the tolerance joins share one.

    Parameters
    ----------
    values : iterable of float
        The values to rank.
    tolerance : float
        Far above the noise and far below what matters.
    """
    numbers = np.asarray(list(values), dtype=float)
    order = np.argsort(numbers, kind="stable")
    found = np.zeros(len(numbers), dtype=int)
    with np.errstate(invalid="ignore"):  # a gap between infinities is none, and opens no new rank
        found[order[1:]] = np.cumsum(np.diff(numbers[order]) >= tolerance)
    return found.tolist()


def fraction_ranks(coordinates: Any) -> np.ndarray:
    """Return the ranks of fractional coordinates, 0 and 1 being one place; shape as given."""
    inside = np.asarray(coordinates, dtype=float) % 1
    inside[inside > 1 - FRACTION_TOLERANCE] = 0.0
    return np.reshape(ranks(inside.ravel(), FRACTION_TOLERANCE), inside.shape)


def first_of_lowest(values: Sequence[float], tolerance: float) -> int:
    """Return the place of the lowest number, the first place if several are the lowest."""
    return ranks(values, tolerance).index(0)
