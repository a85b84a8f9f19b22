"""The best cells by an output, and those that no other beats in all of several outputs.

Both hold a stream of cells of ascending index. Whoever is equal is ranked by index, so that the
result is one and the same however the cells are divided.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from interohm.arrays import Array, IntArray


#: Cells that are compared with all of a front at once.
_TOGETHER = 64

#: Cells of the front with which others are compared first, and how many of a block choose them.
_REPRESENTATIVES, _SAMPLE = 24, 128


@dataclass
class Best:
    """The ``count`` cells of the smallest values.

    Parameters
    ----------
    count : int
        How many.
    values, indices : array (n,)
        Those found so far, in order.
    """

    count: int
    values: Array = field(default_factory=lambda: np.empty(0))
    indices: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def offer(self, values: Array, indices: IntArray | int) -> None:
        """Take more cells, all of higher index; ``indices`` may be that of the first of a run.

        A NaN is no value.
        """
        full = self.values.size == self.count
        chosen = np.flatnonzero(values < (self.values[-1] if full else np.inf))
        if chosen.size == 0:
            return
        offered = values[chosen]
        if offered.size > self.count:
            limit = np.partition(offered, self.count - 1)[self.count - 1]
            within = offered <= limit
            chosen, offered = chosen[within], offered[within]
        own = chosen + indices if isinstance(indices, int) else indices[chosen]
        self.add(offered, own)

    def add(self, values: Array, indices: IntArray) -> None:
        """Take cells of any index."""
        values, indices = (
            np.concatenate([self.values, values]),
            np.concatenate([self.indices, indices]),
        )
        order = np.lexsort((indices, values))[: self.count]
        self.values, self.indices = values[order], indices[order]


@dataclass
class Front:
    """The cells that no other is as good as in all outputs and better in one (Pareto).

    Of cells that are equal in all outputs the first stays.

    Parameters
    ----------
    points : array (n, d)
        Less is better.
    indices : array (n,)
        Indices of the cells.
    """

    points: Array
    indices: IntArray

    @classmethod
    def empty(cls, dimensions: int) -> Front:
        """Return a front of nothing."""
        return cls(np.empty((0, dimensions)), np.empty(0, dtype=np.int64))

    def offer(self, columns: list[Array], indices: IntArray | int) -> None:
        """Take more cells, all of higher index; a NaN in any output leaves a cell out."""
        sample = np.stack([column[:: max(column.size // _SAMPLE, 1)] for column in columns])
        chosen: IntArray | None = None
        for point in self._representatives(sample):
            open_ = _not_beaten(columns, point)
            chosen = np.flatnonzero(open_) if chosen is None else chosen[open_]
            if chosen.size == 0:
                return
            if chosen.size < open_.size:
                columns = [column[open_] for column in columns]
        if chosen is None:
            chosen = np.flatnonzero(~np.isnan(sum(columns)))
            columns = [column[chosen] for column in columns]
        points = np.stack(columns, axis=-1)
        open_ = self._not_beaten_by_any(points)
        if not open_.any():
            return
        chosen, points = chosen[open_], points[open_]
        self.add(points, chosen + indices if isinstance(indices, int) else indices[chosen])

    def add(self, points: Array, indices: IntArray) -> None:
        """Take cells of any index."""
        kept = not_dominated(points, indices)
        points, indices = points[kept], indices[kept]
        points = np.concatenate([self.points, points])
        indices = np.concatenate([self.indices, indices])
        kept = not_dominated(points, indices)
        self.points, self.indices = points[kept], indices[kept]

    def _not_beaten_by_any(self, points: Array) -> NDArray[np.bool_]:
        """Return whether points (n, d) are better than every point of the front in some output."""
        if self.points.shape[1] == 2 and len(self.points):
            # of the points that are as good in the first output, the last is best in the second
            index = np.searchsorted(self.points[:, 0], points[:, 0], side="right") - 1
            return np.asarray((index < 0) | (points[:, 1] < self.points[np.maximum(index, 0), 1]))
        open_ = np.ones(len(points), dtype=bool)
        for start in range(0, len(points), _TOGETHER):
            some = points[start : start + _TOGETHER]
            beaten = self.points[:, :1] <= some[:, 0]
            for d in range(1, self.points.shape[1]):
                beaten &= self.points[:, d, None] <= some[:, d]
            open_[start : start + _TOGETHER] = ~beaten.any(axis=0)
        return open_

    def _representatives(self, sample: Array) -> Array:
        """Return the points of the front that beat most of a sample (d, n), one after another."""
        beaten = np.all(sample[None] >= self.points[:, :, None], axis=1)
        chosen = []
        for _ in range(min(_REPRESENTATIVES, len(self.points))):
            index = int(np.argmax(np.count_nonzero(beaten, axis=1)))
            chosen.append(index)
            beaten = beaten & ~beaten[index]
            if not beaten.any():
                break
        return self.points[chosen]


def _not_beaten(columns: list[Array], point: Array) -> NDArray[np.bool_]:
    """Return whether cells, none NaN, are better than the point in any output."""
    better: NDArray[np.bool_] = columns[0] < point[0]
    for column, value in zip(columns[1:], point[1:], strict=True):
        better |= column < value
    return better


def not_dominated(points: Array, indices: IntArray) -> IntArray:
    """Return the places (n,) of the points of the front, sorted by the first output."""
    known = np.flatnonzero(~np.isnan(points).any(axis=1))
    points, indices = points[known], indices[known]
    order = np.lexsort((indices, *points.T[::-1]))
    points = points[order]
    if points.shape[1] == 2 and len(points):
        # sorted by the first output: only those that improve on the second so far
        lowest = np.minimum.accumulate(points[:, 1])
        kept = np.concatenate([[True], points[1:, 1] < lowest[:-1]])
        return np.asarray(known[order[kept]])
    # what beats a point stands before it
    kept_places: IntArray = np.empty(0, dtype=np.int64)
    for start in range(0, len(points), _TOGETHER):
        index = np.arange(start, min(start + _TOGETHER, len(points)))
        before = np.concatenate([kept_places, index])
        beats = (before[:, None] < index) & np.all(
            points[before, None, :] <= points[None, index, :], axis=-1
        )
        kept_places = np.concatenate([kept_places, index[~beats.any(axis=0)]])
    return known[order[kept_places]]
