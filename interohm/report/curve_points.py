"""Selection of the points that a curve needs on the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from interohm.arrays import Array
    from interohm.report.display_axis import DisplayAxis


def with_nodes(
    x_nm: Array, columns: Sequence[Array], axis: DisplayAxis
) -> tuple[Array, list[Array]]:
    """Return a curve with a point wherever the scale of the axis changes.

    Places that stand twice stay: there the curve jumps, as at the front of the ion in a collector.
    """
    missing = np.setdiff1d(axis.nodes_within(x_nm[0], x_nm[-1]), x_nm)
    where = np.searchsorted(x_nm, missing)
    added = [np.insert(one, where, np.interp(missing, x_nm, one)) for one in columns]
    return np.insert(x_nm, where, missing), added


def needed_points(places: Array, curves: Array, tolerance: float) -> NDArray[np.int_]:
    """Return the indices that draw curves by straight lines (Douglas and Peucker).

    Parameters
    ----------
    places : array, shape (points,)
        Ascending.
    curves : array, shape (curves, points)
        Without gaps.
    tolerance : float
        Largest vertical error.
    """
    keep = {0, places.size - 1}
    open_pieces = [(0, places.size - 1)]
    while open_pieces:
        first, last = open_pieces.pop()
        if last - first < 2:
            continue
        span = places[last] - places[first]
        share = (places[first + 1 : last] - places[first]) / span if span > 0 else 0.0
        chord = curves[:, [first]] + share * (curves[:, [last]] - curves[:, [first]])
        error = np.abs(curves[:, first + 1 : last] - chord).max(axis=0)
        worst = int(np.argmax(error))
        if error[worst] > tolerance:
            middle = first + 1 + worst
            keep.add(middle)
            open_pieces += [(first, middle), (middle, last)]
    return np.array(sorted(keep))
