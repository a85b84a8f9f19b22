"""The report of a screening."""

from __future__ import annotations

from interohm.report.screening import _electrodes, _ranks


def test_coatings_are_no_electrodes_of_their_own() -> None:
    assert _electrodes("negative", ["Li"]) == "1 negative electrode"
    assert _electrodes("negative", ["Li", "LiC6"]) == "2 negative electrodes"
    names = ["LiCoO2", "LiCoO2 + LiNbO3 (1 nm)", "LiCoO2 + LiNbO3 (2 nm)"]
    assert _electrodes("positive", names) == "1 positive electrode (3 with each coating counted)"


def test_ranks_are_whole() -> None:
    assert _ranks({"p05": 1.0, "p50": 2.0, "p95": 3.05}) == "1 … 3"
