"""Which contacts of a screening are outside of the model: their phases react or decompose.

By windows for all contacts of uncoated electrodes at once; pair by pair where energies are known,
or a coating lies between.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from interohm.prediction.contact_stability import (
    are_surely_outside,
    limit_spread_V,
    outside_fields,
    outside_of_model,
)
from interohm.prediction.reaction import reaction_fields

if TYPE_CHECKING:
    from interohm.arrays import Array
    from interohm.records import Insulator, Metal
    from interohm.screening.candidates import CoatableElectrode


def outside_contacts(
    sides: Sequence[CoatableElectrode], electrolytes: Sequence[Insulator], voltage_V: Array
) -> Array:
    """Return which contacts are outside of the model, as `outside_of_side` says of each.

    Parameters
    ----------
    sides : sequence of CoatableElectrode
        Electrodes of one side of the cell.
    electrolytes : sequence of Insulator
        Their records.
    voltage_V : array (S,)
        Voltages of the electrodes.

    Returns
    -------
    array (E, S)
        1 where a contact is, 0 where it is not, NaN where neither windows nor energies are known.
    """
    windows = [electrolyte.stability_window_V for electrolyte in electrolytes]
    low, high, low_spread, high_spread = (
        np.array(values, dtype=float)[:, None]
        for values in (
            [np.nan if window is None else window[0].value for window in windows],
            [np.nan if window is None else window[1].value for window in windows],
            [np.nan if window is None else limit_spread_V(window[0]) for window in windows],
            [np.nan if window is None else limit_spread_V(window[1]) for window in windows],
        )
    )
    outside = are_surely_outside(voltage_V - low, low_spread)
    outside |= are_surely_outside(high - voltage_V, high_spread)
    found = np.where(np.isnan(low), np.nan, outside.astype(float))
    of_energies = [one.phase_energies is not None for one in electrolytes]
    for column, side in enumerate(sides):
        coated = side.coating is not None
        # what has no energies does not react by them
        rows = range(len(electrolytes)) if coated else np.flatnonzero(of_energies).tolist()
        for row in rows:
            voltage = float(voltage_V[column])
            known = outside_of_side(side, electrolytes[row], voltage)
            found[row, column] = np.nan if known is None else float(known)
    return found


def outside_of_side(
    side: CoatableElectrode, electrolyte: Insulator, voltage_V: float
) -> bool | None:
    """Return whether a contact from electrode to electrolyte is outside of the model."""
    phases: list[Insulator | Metal] = [
        one for one in (side.metal, side.coating, electrolyte) if one is not None
    ]
    found = []
    for left, right in pairwise(phases):
        asked = voltage_V if left is side.metal else None
        reaction = reaction_fields(left, right, asked)
        fields = outside_fields(left, right, {"right": asked}, reaction)
        found.append(fields["outside_of_model"])
    return outside_of_model(found)
