r"""Response to a small step of potential, from the relaxations of an impedance (physics.md, 13).

``Z(s) = 1/(sC) + Σ R_k/(1 + s τ_k)`` has one zero between two of its poles. After a step of the
voltage by U the current is ``U/Z(0) + Σ U/(s_k Z'(s_k))·exp(s_k t)`` over these zeros s_k < 0. With
no current the voltage relaxes by the poles themselves.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from ..phase import Array

if TYPE_CHECKING:
    from ..impedance.spectrum import Relaxations

_SMALLEST = 1e-12
"""Of the sum of resistances: a smaller one is rounding."""


def step_relaxations(found: Relaxations, sample: int = 0) -> tuple[Array, Array, float]:
    """Return how the current relaxes after a step of the voltage.

    Parameters
    ----------
    found : Relaxations
        Relaxations of the impedance.
    sample : int
        Which one of its samples.

    Returns
    -------
    array (K,), array (K,), float
        Times in s, ascending; the current of each per volt at t = 0 and the one that stays, in
        S/cm².
    """
    from scipy.optimize import brentq

    resistance, time = found.resistance_ohm_cm2[sample], found.time_s[sample]
    inverse = float(found.inverse_capacitance_cm2_F[sample])
    kept = resistance > _SMALLEST * np.sum(resistance)
    resistance, time = resistance[kept], time[kept]

    def impedance(rate: float) -> float:
        """Z at s = −rate."""
        return float(np.sum(resistance / (1.0 - rate * time)) - inverse / rate)

    # with what blocks, there is a zero below the slowest pole, too
    edges = np.sort(1.0 / time[time > 0.0])
    if inverse > 0.0:
        edges = np.concatenate([[1e-12 * edges[0]], edges])
    rates = []
    for low, high in pairwise(edges):
        ends = low * (1.0 + 1e-12), high * (1.0 - 1e-12)
        if ends[0] < ends[1] and impedance(ends[0]) * impedance(ends[1]) < 0.0:
            rates.append(brentq(impedance, *ends, xtol=1e-300, rtol=1e-13))
    times = 1.0 / np.array(rates[::-1])
    slope = np.sum(resistance * time / (1.0 - time / times[:, None]) ** 2, axis=1)
    slope += inverse * times**2
    stays = 0.0 if inverse > 0.0 else 1.0 / float(np.sum(resistance))
    return times, times / slope, stays
