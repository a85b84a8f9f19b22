"""The two sides of a contact within its profile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from interohm.results.contact import CellContact
    from interohm.results.result import Side

SIDES: tuple[Side, Side] = ("left", "right")


def points_of_side(contact: CellContact, side: Side) -> NDArray[np.bool_]:
    """Return which points of a contact's profile belong to a side, shape (points,).

    The contact itself, x = 0, stands once for each side that is an insulator.
    """
    x_nm = np.asarray(contact.profile.x_nm, dtype=float)
    zeros = np.flatnonzero(x_nm == 0.0)
    both = not any(contact.is_electrode(each) for each in SIDES)
    index = np.arange(x_nm.size)
    boundary = zeros[0] if both and zeros.size else (x_nm.size if x_nm[-1] <= 0 else -1)
    return index <= boundary if side == "left" else index > boundary
