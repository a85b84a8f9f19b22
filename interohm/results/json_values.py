"""Conversion of predictions to JSON values: numbers, quantiles, profiles.

A document holds plain JSON values; what is not a finite number is null, never NaN or Infinity.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from interohm.results.percents import percent

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

QUANTILES = {"p05": 0.05, "p50": 0.5, "p95": 0.95}


def number(value: ArrayLike) -> float | None:
    """Return a scalar as a finite float, or None."""
    scalar = float(np.asarray(value))
    return scalar if np.isfinite(scalar) else None


def numbers(values: ArrayLike) -> list[float | None]:
    """Return a one-dimensional array as a list; what is not finite becomes None."""
    array = np.asarray(values, dtype=float)
    if np.isfinite(array).all():
        return list(array.tolist())
    return [value if np.isfinite(value) else None for value in array.tolist()]


def quantiles(samples: ArrayLike) -> dict[str, float] | None:
    """Return the 5, 50 and 95 % quantiles of the finite samples, None if there are none."""
    array: NDArray[np.float64] = np.asarray(samples, dtype=float)
    array = array[np.isfinite(array)]
    if array.size == 0:
        return None
    values = np.quantile(array, list(QUANTILES.values()))
    return dict(zip(QUANTILES, values.tolist(), strict=True))


def column_quantiles(samples: ArrayLike) -> dict[str, list[float | None]] | None:
    """Return the 5, 50 and 95 % quantiles of curves (samples, points), six digits of each.

    A sample that is NaN anywhere is left out, all of them None. What is infinite counts as beyond
    everything: a quantile that falls there is None.
    """
    array: NDArray[np.float64] = np.asarray(samples, dtype=float)
    array = array[~np.isnan(array).any(axis=-1)]
    if array.size == 0:
        return None
    with np.errstate(invalid="ignore"):
        values = np.quantile(array, list(QUANTILES.values()), axis=0)
    # their own statistical error is in the second digit
    rows = [[float(f"{value:.6g}") for value in row] for row in values]
    return {name: numbers(row) for name, row in zip(QUANTILES, rows, strict=True)}


def log10_resistance(resistance_ohm_cm2: ArrayLike) -> NDArray[np.float64]:
    """Return log10 of a resistance; NaN where it is negative (accumulation) or unknown."""
    values = np.asarray(resistance_ohm_cm2, dtype=float)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(values > 0, np.log10(np.abs(values)), np.nan)


def log10_quantiles(samples: ArrayLike) -> dict[str, float] | None:
    """Return the quantiles of log10 of a resistance or a current; negative ones have none."""
    return quantiles(log10_resistance(samples))


def log10_fields(nominal_ohm_cm2: float | None, samples: ArrayLike) -> dict[str, Any]:
    """Return the quantiles of log10 of a total resistance, and of how many samples they are.

    A total that is negative or unknown has none, nor has a sample whose total is.
    """
    return {
        "log10_resistance": log10_quantiles(samples) if (nominal_ohm_cm2 or 0.0) > 0 else None,
        "log10_samples": 0
        if nominal_ohm_cm2 is None
        else int(np.count_nonzero(np.isfinite(log10_resistance(samples)))),
    }


#: Limits that separate good from useless interfaces of a battery.
_LIMITS_OHM_CM2 = (1.0, 10.0, 100.0, 1e4)


def interface_quantiles(samples: ArrayLike) -> dict[str, Any]:
    """Return the quantiles of log10 of an interface resistance, of all samples that are solved.

    Beside them the share above limits, since such a distribution may have two humps.
    """
    logs = log10_resistance(samples)
    logs = logs[np.isfinite(logs)]
    found = quantiles(logs)
    return {
        "log10_interface_resistance": None if found is None else {**found, "samples": logs.size},
        "share_above_ohm_cm2": None
        if found is None
        else {f"{limit:g}": float(np.mean(logs > np.log10(limit))) for limit in _LIMITS_OHM_CM2},
    }


def likely_below(share_above_ohm_cm2: Mapping[str, float] | None) -> str | None:
    """Return how likely an interface is to be good enough, by what counts as that, in words.

    Parameters
    ----------
    share_above_ohm_cm2 : mapping
        Fractions from `interface_quantiles`; None without any.
    """
    if share_above_ohm_cm2 is None:
        return None
    return ", ".join(
        f"{limit}: {percent(1.0 - share_above_ohm_cm2[limit])}" for limit in ("1", "10", "100")
    )
