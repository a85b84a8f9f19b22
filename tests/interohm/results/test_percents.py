"""Shares in words."""

from __future__ import annotations

import pytest

from interohm.results.percents import percent, sampled_number, sampled_percent


@pytest.mark.parametrize(
    ("share", "samples", "text"),
    [
        (1 / 3, 3, "33 ± 24 %"),
        (1 / 3, 2000, "33 ± 1 %"),
        (1 / 3, 10000, "33 %"),
        # none and all of the samples: not surely none and all
        (0.0, 3, "0 ± 12 %"),
        (1.0, 30, "100 ± 2 %"),
        (0.0, 200, "0 %"),
        # half a percent is rounded to none
        (0.0, 98, "0 ± 1 %"),
        (0.0, 99, "0 %"),
        (0.5, 9998, "50 ± 1 %"),
        (0.5, 9999, "50 %"),
        (0.0, 0, "0 ± 50 %"),
    ],
)
def test_few_samples_leave_an_error(share: float, samples: int, text: str) -> None:
    assert sampled_percent(share, samples) == text
    assert f"{sampled_number(share, samples)} %" == text


def test_a_percentage_has_a_space() -> None:
    assert percent(0.125) == "12 %"
