"""Conditions on cells, asked of thousands at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from interohm.database.conditions import Comparison, Condition, Junction, parse_where
from interohm.screening.cells import OUTPUTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from interohm.screening.cells import Block

    Mask: TypeAlias = NDArray[np.bool_]

_NAMES = ("negative", "electrolyte", "positive")


def cell_filter(
    text: str, names: Mapping[str, Sequence[str]], *, where: str
) -> Callable[[Block], Mask]:
    """Return which cells of a block a condition holds for.

    Parameters
    ----------
    text : str
        The condition, on a cell's outputs and the names of what it is made of.
    names : dict
        The names of all negative sides, electrolytes and positive sides.
    where : str
        Place to name in errors.
    """
    condition = parse_where(
        text,
        [*_NAMES, *OUTPUTS],
        kinds=lambda column: str if column in _NAMES else float,
        where=where,
    )
    return lambda block: _mask(condition, block, names)


def _mask(condition: Condition, block: Block, names: Mapping[str, Sequence[str]]) -> Mask:
    if isinstance(condition, Junction):
        join = np.logical_and if condition.every else np.logical_or
        return np.asarray(join.reduce([_mask(part, block, names) for part in condition.parts]))
    if condition.column in _NAMES:
        of_name = [condition.holds({condition.place: name}) for name in names[condition.column]]
        return np.array(of_name, dtype=bool)[block.places[condition.column]]
    return _of_numbers(condition, block.output(condition.column))


def _of_numbers(asked: Comparison, values: NDArray[np.float64]) -> Mask:
    """Compare numbers; as in a database, what is unknown (NaN) fits no comparison."""
    known = ~np.isnan(values)
    if asked.relation in ("is null", "is not null"):
        return known if asked.relation == "is not null" else ~known
    given = asked.value if isinstance(asked.value, tuple) else (asked.value,)
    numbers = [c for c in given if isinstance(c, (int, float)) and not isinstance(c, bool)]
    if asked.relation in ("<", "<=", ">", ">="):
        if not numbers:
            return np.zeros_like(known)
        ufunc = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}
        return np.asarray(ufunc[asked.relation](values, numbers[0]))
    equal = np.isin(values, numbers)
    if asked.relation in ("==", "in", "contains"):
        return equal
    return known & ~equal
