"""Value of knowing an input before one of several candidates is chosen.

Of J candidates with losses Y_j one takes that of the lowest mean. Whoever knows more of the inputs
takes another one where that tells to: the expected loss falls by

    EVSI = min_j E[Y_j] − E[min_j E[Y_j | data]].

E[Y_j | x] is a straight line, fitted to samples that exist anyway (M. Strong, J. E. Oakley,
A. Brennan, Med. Decis. Making 34, 311 (2014), do it by general regressions). Data of finite
precision move the expected x by less than x varies. The lines' own noise makes any input look worth
something; what inputs without influence are worth, the same samples in other orders, is subtracted.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .phase import Array

#: How the outcomes of a calculation are drawn, and the orders that stand for no influence.
_OUTCOMES, _ORDERS = 4000, 30


def value_of_information(
    losses: Array,
    inputs: Array,
    relative_noise: Array | float = 0.0,
    *,
    depend: Sequence[bool] | None = None,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the expected gain of data on some inputs, and its scatter without influence.

    Parameters
    ----------
    losses : array (J, N)
        Losses of the candidates, in each of N samples; samples that are not finite are left out.
    inputs : array (N, K)
        Independent standard normal samples of the inputs that become known.
    relative_noise : array (K,) or float
        Standard deviation of the data's error over that of what is known of each input before.
    depend : sequence of bool, optional
        Which of the J losses the inputs can change at all; default: each of them. What the samples
        of another one have in common with the inputs is chance.
    seed : int
        Seed of the outcomes.

    Returns
    -------
    gain, scatter : float
        In the unit of the losses; the gain is never negative.
    """
    known = np.all(np.isfinite(losses), axis=0)
    y, x = losses[:, known], np.asarray(inputs, dtype=float)[known]
    count, width = x.shape
    if y.shape[0] < 2 or count < width + 3:
        return 0.0, 0.0
    rng = np.random.default_rng([seed, 1])
    noise = np.broadcast_to(np.asarray(relative_noise, dtype=float), (width,))
    # the expected input after data of this precision varies by this much
    told = rng.standard_normal((_OUTCOMES, width)) / np.sqrt(1.0 + noise**2)
    told -= told.mean(axis=0)
    mean = y.mean(axis=1)
    centred = y - mean[:, None]
    if depend is not None:
        centred = centred * np.asarray(depend, dtype=float)[:, None]

    def gain(x: Array) -> float:
        design = x - x.mean(axis=0)
        slopes = np.linalg.lstsq(design, centred.T, rcond=None)[0]
        outcomes = mean + told @ slopes
        return float(mean.min() - outcomes.min(axis=1).mean())

    without = np.array([gain(x[rng.permutation(count)]) for _ in range(_ORDERS)])
    return max(gain(x) - float(without.mean()), 0.0), float(without.std())
