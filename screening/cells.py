"""All cells of one temperature and state of charge, by broadcasting contacts.

Cells are numbered electrolyte by electrolyte, within it negative side by negative side, within that
over the positive sides: ``index = (electrolyte * negatives + negative) * positives + positive``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from interohm.arrays import Array, IntArray
    from interohm.screening.contacts import SideContacts


#: Outputs of a cell by name, and whether less of it is better (1) or more (−1).
OUTPUTS = {
    "resistance_ohm_cm2": 1.0,
    "interface_ohm_cm2": 1.0,
    "space_charge_ohm_cm2": 1.0,
    "charge_transfer_ohm_cm2": 1.0,
    "coating_ohm_cm2": 1.0,
    "bulk_ohm_cm2": 1.0,
    "open_circuit_voltage_V": -1.0,
    "electron_barrier_eV": -1.0,
    "hole_barrier_eV": -1.0,
    "stability_margin_V": -1.0,
}

_SUMS = (
    "resistance_ohm_cm2",
    "interface_ohm_cm2",
    "space_charge_ohm_cm2",
    "charge_transfer_ohm_cm2",
    "coating_ohm_cm2",
    "bulk_ohm_cm2",
)

#: Outputs that need no sum of contacts.
OF_ELECTRODES = ("open_circuit_voltage_V", "stability_margin_V")

#: Cells evaluated together: a few arrays of them stay in a processor's cache.
_BLOCK = 32768


@dataclass(frozen=True)
class FullySolvedCells:
    """Cells that are not the sum of their contacts, as the cell solver solved them.

    Parameters
    ----------
    indices : array (n,)
        Ascending.
    outputs : dict of array (n,)
        By name; NaN where the solver found none.
    """

    indices: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    outputs: Mapping[str, Array] = field(default_factory=dict)


@dataclass(frozen=True)
class Cells:
    """All cells of one temperature and state of charge.

    Parameters
    ----------
    negative, positive : SideContacts
        Contacts of the two sides, with the same electrolytes.
    thickness_nm : float
        Thickness of the electrolyte.
    fully_solved : FullySolvedCells
        Results that replace the sums where these do not hold.
    """

    negative: SideContacts
    positive: SideContacts
    thickness_nm: float
    fully_solved: FullySolvedCells = field(default_factory=FullySolvedCells)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of electrolytes, negative sides and positive sides."""
        electrolytes, negatives = self.negative.shape
        return electrolytes, negatives, self.positive.shape[1]

    @property
    def count(self) -> int:
        """Number of cells."""
        electrolytes, negatives, positives = self.shape
        return electrolytes * negatives * positives

    @cached_property
    def all_separable(self) -> NDArray[np.bool_]:
        """Whether all cells of each electrolyte are the sum of their contacts."""
        needed = np.max(self.negative.needed_nm, axis=1) + np.max(self.positive.needed_nm, axis=1)
        return np.asarray(needed <= self.thickness_nm)

    def places(self, indices: IntArray) -> tuple[IntArray, IntArray, IntArray]:
        """Return electrolyte, negative side and positive side of cells."""
        _, negatives, positives = self.shape
        rows, positive = np.divmod(indices, positives)
        electrolyte, negative = np.divmod(rows, negatives)
        return electrolyte, negative, positive

    def at(self, indices: IntArray) -> dict[str, Array]:
        """Return all outputs of cells, arrays like ``indices``."""
        electrolyte, negative, positive = self.places(indices)
        block = Block(self, (electrolyte, negative), (electrolyte, positive), indices)
        return {name: block.output(name) for name in OUTPUTS}

    def blocks(self, start: int, stop: int) -> Iterator[Block]:
        """Yield the cells of an index range, in their order, some ten thousand at a time."""
        _, negatives, positives = self.shape
        while start < stop:
            row, k = divmod(start, positives)
            j, i = divmod(row, negatives)
            if k or stop - start < positives or positives > _BLOCK:
                rows, end = 1, min(positives, k + stop - start, k + _BLOCK)
            else:
                rows = max(_BLOCK // positives, 1)
                rows, end = min(rows, negatives - i, (stop - start) // positives), positives
            size = rows * (end - k)
            left, right = (j, np.s_[i : i + rows, None]), (j, np.s_[None, k:end])
            yield Block(self, left, right, range(start, start + size))
            start += size

    def not_separable(self, *, at_most: int) -> tuple[IntArray, int]:
        """Return the cells that are not the sum of their contacts, the first of them and how many.

        Parameters
        ----------
        at_most : int
            How many indices are wanted.
        """
        found: list[IntArray] = []
        count = 0
        _, negatives, positives = self.shape
        for j in np.flatnonzero(~self.all_separable):
            needed = self.negative.needed_nm[j, :, None] + self.positive.needed_nm[j, None, :]
            here = np.flatnonzero(needed.ravel() > self.thickness_nm)
            if count < at_most:
                found.append(j * negatives * positives + here[: at_most - count])
            count += here.size
        return (np.concatenate(found) if found else np.empty(0, dtype=np.int64)), count


def combined(
    name: str, negative: Callable[[str], Array], positive: Callable[[str], Array]
) -> Array:
    """Return an output of cells from the fields of their contacts.

    Parameters
    ----------
    name : str
        One of `OUTPUTS`.
    negative, positive : callable
        Return a field of `SideContacts` for the contacts of that side.
    """
    if name in _SUMS:
        return negative(name) + positive(name)
    if name == "open_circuit_voltage_V":
        return positive("voltage_V") - negative("voltage_V")
    if name == "stability_margin_V":
        return np.minimum(negative(name), positive(name))
    if name == "electron_barrier_eV":
        # from the negative electrode over the highest conduction band of the cell
        highest = np.maximum(negative("conduction_band_eV"), positive("conduction_band_eV"))
        return highest - negative("fermi_level_eV")
    # holes, the other way over the lowest valence band
    lowest = np.minimum(negative("valence_band_eV"), positive("valence_band_eV"))
    return positive("fermi_level_eV") - lowest


#: Electrolyte and side of the contacts of some cells: numbers, or arrays of them.
_Places: TypeAlias = tuple[Any, Any]


class Block:
    """Cells whose outputs are evaluated on demand.

    Parameters
    ----------
    cells : Cells
        Cells from which these are taken.
    left, right : tuple
        Indices of their contacts in the tables of the two sides: electrolyte, side.
    indices : array (n,) or range
        Indices of the cells.
    """

    def __init__(
        self, cells: Cells, left: _Places, right: _Places, indices: IntArray | range
    ) -> None:
        self.cells, self._left, self._right, self._indices = cells, left, right, indices
        self._known: dict[str, Array] = {}

    def __len__(self) -> int:
        return len(self._indices)

    @cached_property
    def indices(self) -> IntArray:
        """Cells' indices, (n,)."""
        return np.asarray(self._indices, dtype=np.int64)

    @property
    def first(self) -> int:
        """Index of the first cell; the others follow it one by one."""
        assert isinstance(self._indices, range)
        return self._indices.start

    @cached_property
    def places(self) -> dict[str, IntArray]:
        """Return the electrolyte, the negative and the positive side of each cell, each (n,)."""
        names = ("electrolyte", "negative", "positive")
        return dict(zip(names, self.cells.places(self.indices), strict=True))

    def output(self, name: str) -> Array:
        """Return an output of all the cells, (n,)."""
        if name not in self._known:
            self._known[name] = self._replaced(name, np.ravel(self._by_contacts(name)))
        return self._known[name]

    @cached_property
    def outside_of_model(self) -> NDArray[np.bool_]:
        """Whether a contact of each cell is outside of the model, as far as is known, (n,)."""
        one, other = self._outside_of_sides()
        return np.ravel((one == 1.0) | (other == 1.0))

    @property
    def outside_of_model_unknown(self) -> NDArray[np.bool_]:
        """Whether that is not known, (n,)."""
        one, other = self._outside_of_sides()
        return np.ravel(np.isnan(one + other)) & ~self.outside_of_model

    @property
    def described(self) -> NDArray[np.bool_]:
        """Whether each cell is known to be within the model, (n,)."""
        one, other = self._outside_of_sides()
        return np.ravel((one == 0.0) & (other == 0.0))

    def _outside_of_sides(self) -> tuple[Array, Array]:
        cells = self.cells
        return (
            self._of(cells.negative, "outside_of_model"),
            self._of(cells.positive, "outside_of_model"),
        )

    def _of(self, side: SideContacts, name: str) -> Array:
        row, column = self._left if side is self.cells.negative else self._right
        table: Array = getattr(side, name)
        if table.ndim == 1:
            return np.asarray(table[column])
        return np.asarray(table[row][column] if isinstance(row, int) else table[row, column])

    def _by_contacts(self, name: str) -> Array:
        cells = self.cells
        value = combined(
            name,
            lambda field: self._of(cells.negative, field),
            lambda field: self._of(cells.positive, field),
        )
        return value if name in OF_ELECTRODES else self._where_separable(value)

    def _where_separable(self, value: Array) -> Array:
        if np.all(self.cells.all_separable[self._left[0]]):
            return value
        cells = self.cells
        needed = self._of(cells.negative, "needed_nm") + self._of(cells.positive, "needed_nm")
        return np.where(needed <= cells.thickness_nm, value, np.nan)

    def _replaced(self, name: str, value: Array) -> Array:
        fully_solved = self.cells.fully_solved
        if name not in fully_solved.outputs or not len(self):
            return value
        if isinstance(self._indices, range):
            first, last = np.searchsorted(
                fully_solved.indices, [self._indices.start, self._indices.stop]
            ).tolist()
            value[fully_solved.indices[first:last] - self._indices.start] = fully_solved.outputs[
                name
            ][first:last]
            return value
        index = np.minimum(
            np.searchsorted(fully_solved.indices, self.indices), fully_solved.indices.size - 1
        )
        hit = fully_solved.indices[index] == self.indices
        return np.where(hit, fully_solved.outputs[name][index], value)
