"""Sensitivity of an output to its uncertain inputs: first-order indices from given samples.

The first-order Sobol index of an input is ``S = Var(E[output | input])/Var(output)``, the share of
the output's variance that knowing this input alone would remove. It is estimated from any
independent samples, without calculations of its own, by the correlation ratio: the samples are put
into bins of equal count along the input, the conditional mean is a straight line in each bin, and
its variance is compared with the variance around it. The lines' own noise is subtracted (as in
T. L. Kelley's epsilon squared, Proc. Natl. Acad. Sci. 21, 554 (1935)), so that an input without
influence gets zero on average.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .phase import Array, IntArray

_FEWEST_SAMPLES = 30


@dataclass(frozen=True)
class Sensitivity:
    """First-order indices of K inputs.

    Attributes
    ----------
    first_order : array (K,)
        S of each input; slightly negative where it is zero, NaN with too few samples.
    noise : float
        Standard deviation of the index of an input without influence.
    ranking : array of int (K,)
        The inputs, the most influential first.
    """

    first_order: Array
    noise: float
    ranking: IntArray


def first_order_sensitivity(inputs: Array, output: Array) -> Sensitivity:
    """Rank the inputs by the share of the output's variance that each explains.

    Parameters
    ----------
    inputs : array (N, K)
        Independent samples of the inputs.
    output : array (N,)
        Samples of the output; samples that are not finite are left out.

    Returns
    -------
    Sensitivity
        All zero for a constant output.
    """
    known = np.isfinite(output)
    x, known_output = np.asarray(inputs)[known], np.asarray(output)[known]
    count, width = x.shape
    if count < _FEWEST_SAMPLES:
        return Sensitivity(np.full(width, np.nan), np.nan, np.arange(width))
    bins = round(count ** (1.0 / 3.0))
    edges = np.linspace(0, count, bins + 1).astype(np.int64)
    size = np.diff(edges)[:, None]
    y = known_output - np.mean(known_output)
    total = float(np.sum(y**2))
    order = np.argsort(x, axis=0, kind="stable")
    along, position = y[order], np.take_along_axis(x, order, axis=0)

    def binned(values: Array) -> Array:
        return np.asarray(np.add.reduceat(values, edges[:-1], axis=0))

    # regression on a straight line in each bin
    position = position - np.repeat(binned(position) / size, size[:, 0], axis=0)
    spread_x, sums = binned(position**2), binned(along)
    slopes = np.divide(
        binned(position * along) ** 2, spread_x, out=np.zeros_like(sums), where=spread_x > 0.0
    )
    explained = np.sum(sums**2 / size + slopes, axis=0)
    freedom = 2 * bins
    within = (total - explained) / (count - freedom)
    # what rounding leaves of a constant output is no variance
    spread = total > count * (1e-12 * float(np.max(np.abs(known_output)))) ** 2
    share = (explained - (freedom - 1) * within) / total if spread else np.zeros(width)
    noise = float(np.sqrt(2.0 * (freedom - 1)) / count)
    return Sensitivity(share, noise, np.argsort(-share, kind="stable"))
