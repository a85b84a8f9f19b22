"""Contributions of ranges of cells to a screening, and their exact sum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from interohm.screening import histograms
from interohm.screening.arrays import load_arrays, save_arrays
from interohm.screening.best import Best, Front
from interohm.screening.cells import OUTPUTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from interohm.screening.cells import Block, Cells

    Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Question:
    """Outputs and limits that a screening asks for.

    Parameters
    ----------
    rank_by : tuple of str
        Outputs, each with the best cells by it.
    count : int
        How many of the best.
    fronts : tuple of tuple of str
        Outputs, each group with the cells that no other beats.
    counted : tuple of str
        Outputs with a histogram.
    fits : callable, optional
        Which cells of a block are among those asked for; all unless given.
    """

    rank_by: tuple[str, ...] = ("resistance_ohm_cm2",)
    count: int = 100
    fronts: tuple[tuple[str, ...], ...] = ()
    counted: tuple[str, ...] = ()
    fits: Callable[[Block], Mask] | None = None


@dataclass
class Partial:
    """The answer for some of the cells.

    Parameters
    ----------
    cells, fitting, without_resistance : int
        How many there are, how many fit the filter, and how many of these have no resistance.
    best : dict of Best
        By output, of cells within the model; values signed so that less is better.
    best_outside : dict of Best
        The same of cells outside of the model, which stand behind all others.
    fronts : list of Front
        One for each group of outputs, of cells within the model; signed as above.
    histograms : dict of array
        Counts by output, in the bins of `histograms`.
    """

    cells: int
    fitting: int
    without_resistance: int
    best: dict[str, Best]
    best_outside: dict[str, Best]
    fronts: list[Front]
    histograms: dict[str, NDArray[np.int64]]

    @classmethod
    def nothing(cls, question: Question) -> Partial:
        """Return the answer for no cells."""
        return cls(
            0,
            0,
            0,
            {name: Best(question.count) for name in question.rank_by},
            {name: Best(question.count) for name in question.rank_by},
            [Front.empty(len(group)) for group in question.fronts],
            {name: histograms.counts(name, np.empty(0)) for name in question.counted},
        )

    def add(self, other: Partial) -> None:
        """Add the answer for other cells; the order of additions makes no difference."""
        self.cells += other.cells
        self.fitting += other.fitting
        self.without_resistance += other.without_resistance
        for own, more_best in (
            (self.best, other.best),
            (self.best_outside, other.best_outside),
        ):
            for name, best in more_best.items():
                own[name].add(best.values, best.indices)
        for front, more in zip(self.fronts, other.fronts, strict=True):
            front.add(more.points, more.indices)
        for name, more_counts in other.histograms.items():
            self.histograms[name] = self.histograms[name] + more_counts

    def ranked(self, output: str) -> NDArray[np.int64]:
        """Return the best cells by an output; those outside of the model come last."""
        within, outside = self.best[output], self.best_outside[output]
        return np.concatenate([within.indices, outside.indices])[: within.count]

    def save(self, path: Path) -> None:
        """Write it to a file, whole or not at all."""
        arrays: dict[str, Any] = {
            "numbers": np.array([self.cells, self.fitting, self.without_resistance])
        }
        for kind, bests in (("best", self.best), ("outside", self.best_outside)):
            for name, best in bests.items():
                arrays[f"{kind}/{name}/values"] = best.values
                arrays[f"{kind}/{name}/indices"] = best.indices
        for index, front in enumerate(self.fronts):
            arrays[f"front/{index}/points"], arrays[f"front/{index}/indices"] = (
                front.points,
                front.indices,
            )
        for name, counted in self.histograms.items():
            arrays[f"histogram/{name}"] = counted
        save_arrays(path, arrays)

    @classmethod
    def load(cls, path: Path, question: Question) -> Partial | None:
        """Read the answer to the same question from a file; None where it is damaged."""
        arrays = load_arrays(path)
        if arrays is None:
            return None
        part = cls.nothing(question)
        try:
            part.cells, part.fitting, part.without_resistance = arrays["numbers"].tolist()
            for kind, bests in (("best", part.best), ("outside", part.best_outside)):
                for name, best in bests.items():
                    best.add(arrays[f"{kind}/{name}/values"], arrays[f"{kind}/{name}/indices"])
            for index, front in enumerate(part.fronts):
                front.add(arrays[f"front/{index}/points"], arrays[f"front/{index}/indices"])
            for name in part.histograms:
                part.histograms[name] = part.histograms[name] + arrays[f"histogram/{name}"]
        except KeyError:
            return None
        return part


def screen_cells(cells: Cells, question: Question, start: int, stop: int) -> Partial:
    """Answer a question for an index range of cells: a pure function of its arguments.

    Parameters
    ----------
    cells : Cells
        All of them.
    question : Question
        Outputs and limits that are asked for.
    start, stop : int
        The range.
    """
    part = Partial.nothing(question)
    for block in cells.blocks(start, stop):
        _take(part, question, block)
    return part


def _take(part: Partial, question: Question, block: Block) -> None:
    part.cells += len(block)
    chosen = None
    where: int | NDArray[np.int64] = block.first
    if question.fits is not None:
        chosen = np.flatnonzero(question.fits(block))
        if chosen.size == 0:
            return
        where = chosen + block.first
        if chosen.size == len(block):
            chosen = None
    part.fitting += len(block) if chosen is None else chosen.size

    values: dict[str, NDArray[np.float64]] = {}
    signed: dict[str, NDArray[np.float64]] = {}

    def of(name: str) -> NDArray[np.float64]:
        if name not in values:
            values[name] = block.output(name) if chosen is None else block.output(name)[chosen]
        return values[name]

    def better_if_less(name: str) -> NDArray[np.float64]:
        if OUTPUTS[name] > 0:
            return of(name)
        if name not in signed:
            signed[name] = -of(name)
        return signed[name]

    part.without_resistance += int(np.count_nonzero(np.isnan(of("resistance_ohm_cm2"))))
    outside = ~block.described
    if chosen is not None:
        outside = outside[chosen]
    some, every = bool(outside.any()), bool(outside.all())

    def within(column: NDArray[np.float64]) -> NDArray[np.float64]:
        # NaN is no value: neither the best nor a part of a front
        return np.where(outside, np.nan, column) if some else column

    for name in part.best:
        column = better_if_less(name)
        if some:
            part.best_outside[name].offer(np.where(outside, column, np.nan), where)
        if not every:
            part.best[name].offer(within(column), where)
    for group, front in zip(question.fronts, part.fronts, strict=True):
        if not every:
            first, *others = (better_if_less(name) for name in group)
            front.offer([within(first), *others], where)
    for name in question.counted:
        known = of(name)
        missing = np.isnan(known)
        if missing.any():
            known = known[~missing]
        part.histograms[name] = part.histograms[name] + histograms.counts(name, known)
