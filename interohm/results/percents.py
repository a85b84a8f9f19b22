"""Shares in words: percents, and how well few samples know them."""

from __future__ import annotations

from math import sqrt


def percent(share: float) -> str:
    """Return a share in percent."""
    return f"{100 * share:.0f} %"


def sampled_percent(share: float, samples: int) -> str:
    """Return a share of samples in percent, with its error where that is a percent or more."""
    return f"{sampled_number(share, samples)} %"


def sampled_number(share: float, samples: int) -> str:
    """Return the same without the sign, for tables that have it in the heading.

    The error is half of Wilson's interval of one standard deviation, which is above zero where
    none or all of the samples are counted.
    """
    error = sqrt(samples * share * (1.0 - share) + 0.25) / (samples + 1.0)
    text = f"{100 * share:.0f}"
    rounded = round(100 * error)
    return f"{text} ± {rounded}" if rounded else text
