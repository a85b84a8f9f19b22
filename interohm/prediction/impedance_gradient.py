"""Derivatives of an impedance with respect to the numbers of the records, for fits.

Each number is moved along its own uncertainty, as samples of it are (physics.md, section 8): by a
standard normal coordinate, of which the number is a linear or an exponential function. All of them
are moved at once, in one batch of static solutions; of the impedance there is one solution, which
is its own adjoint.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from interohm.device_models import impedance_gradient
from interohm.prediction.impedance_chain import cell_chain
from interohm.prediction.sampling import FieldSamples
from interohm.prediction.sensitivity import RecordedFieldSamples
from interohm.prediction.solved_cell import solve_state

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from interohm.arrays import Array
    from interohm.records import Insulator, Metal
    from interohm.records.cell_config import Cell

#: Step of the standard normal coordinates.
_STEP = 1e-3

#: Of what is a choice, not a number: the first one, which is the nominal.
_CHOICE, _FIRST = "carriers", -40.0


@dataclass(frozen=True)
class RecordGradient:
    """An impedance and its derivatives with the uncertain numbers of the records.

    Parameters
    ----------
    fields : list of (str, str)
        Record (or pair of phases) and name of each number, as samples are drawn by.
    impedance_ohm_cm2 : complex array (F,)
        Z.
    gradient_ohm_cm2 : complex array (P, F)
        dZ/dξ, ξ counting standard deviations: of a number that can only be positive, of its
        logarithm.
    """

    fields: list[tuple[str, str]]
    impedance_ohm_cm2: NDArray[np.complex128]
    gradient_ohm_cm2: NDArray[np.complex128]


@dataclass(frozen=True)
class _Moved(FieldSamples):
    """Samples of which the first is nominal, and each other has one number moved."""

    rows: dict[tuple[str, str], int] = field(default_factory=dict)

    def normal(self, record: str, field: str) -> Array:
        values = np.zeros(self.samples)
        if field == _CHOICE:
            return np.full(self.samples, _FIRST)
        row = self.rows.get((record, field))
        if row is not None:
            values[1 + row], values[1 + len(self.rows) + row] = _STEP, -_STEP
        return values


def record_gradient(
    cell: Cell,
    materials: list[Insulator | Metal],
    index_of_state: int,
    frequency_Hz: Array,
) -> RecordGradient:
    """Return the impedance of a cell at one state of charge, and its total derivatives.

    The static profile moves with each number, too.

    Parameters
    ----------
    cell : Cell
        The description, its contacts completed by what is known of them.
    materials : list of Insulator or Metal
        The record of each layer.
    index_of_state : int
        Index into the cell's states of charge.
    frequency_Hz : array (F,)
        Frequencies.

    Raises
    ------
    InputError
        As of a prediction.
    """
    nominal = solve_state(cell, materials, index_of_state)
    asked = RecordedFieldSamples(1)
    sampled = solve_state(cell, materials, index_of_state, field_samples=asked, thick=nominal.thick)
    cell_chain(cell, sampled, field_samples=asked)
    names = [key for key in asked.asked if key[1] != _CHOICE]
    moved = _Moved(1 + 2 * len(names), rows={key: row for row, key in enumerate(names)})
    solved = solve_state(cell, materials, index_of_state, field_samples=moved, thick=nominal.thick)
    chain = cell_chain(cell, solved, field_samples=moved).chain
    z, gradient = impedance_gradient(chain, _STEP, frequency_Hz)
    return RecordGradient(names, z.astype(np.complex128), gradient.astype(np.complex128))
