"""The two sides of a contact within its document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDES = ("left", "right")


def is_electrode(document: Mapping[str, Any], side: str) -> bool:
    """Return whether a side of a contact is an electrode, which has no bands and no profile."""
    return document["ion_content"][side] is not None


def points_of_side(document: Mapping[str, Any], side: str) -> NDArray[np.bool_]:
    """Return which points of a contact's profile belong to a side, shape (points,).

    The contact itself, x = 0, stands once for each side that is an insulator.
    """
    x_nm = np.asarray(document["profile"]["x_nm"], dtype=float)
    zeros = np.flatnonzero(x_nm == 0.0)
    both = not any(is_electrode(document, each) for each in SIDES)
    index = np.arange(x_nm.size)
    boundary = zeros[0] if both and zeros.size else (x_nm.size if x_nm[-1] <= 0 else -1)
    return index <= boundary if side == "left" else index > boundary
