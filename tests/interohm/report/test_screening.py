"""The report of a screening."""

from __future__ import annotations

import pytest

from interohm.report.screening import _electrodes, _front_figure, _ranks
from interohm.results.screening import Front, ScreenedCell, ScreeningState


def test_coatings_are_no_electrodes_of_their_own() -> None:
    assert _electrodes("negative", ["Li"]) == "1 negative electrode"
    assert _electrodes("negative", ["Li", "LiC6"]) == "2 negative electrodes"
    names = ["LiCoO2", "LiCoO2 + LiNbO3 (1 nm)", "LiCoO2 + LiNbO3 (2 nm)"]
    assert _electrodes("positive", names) == "1 positive electrode (3 with each coating counted)"


def test_ranks_are_whole() -> None:
    assert _ranks({"p05": 1.0, "p50": 2.0, "p95": 3.05}) == "1 … 3"


@pytest.mark.parametrize(
    ("outside", "name"),
    [
        ((True, False), "outside of this model"),
        ((None, False), "stability unknown"),
        ((True, None, False), "outside of this model or stability unknown"),
        ((False,), "outside of this model"),
    ],
)
def test_cells_that_are_never_the_best_are_grey_beside_a_front(
    outside: tuple[bool | None, ...], name: str
) -> None:
    cells = [
        ScreenedCell.model_construct(
            index=index,
            negative="Li",
            electrolyte="LLZO",
            positive="LiCoO2",
            resistance_ohm_cm2=1.0 + index,
            open_circuit_voltage_V=3.0,
            outside_of_model=one,
        )
        for index, one in enumerate(outside)
    ]
    front = Front.model_construct(
        outputs=["resistance_ohm_cm2", "open_circuit_voltage_V"], cells=cells[-1:]
    )
    state = ScreeningState.model_construct(listed=cells, pareto=[front])
    grey, others, _ = _front_figure([state], 0)["frames"][0]
    assert (grey["name"], len(grey["x"])) == (name, len(cells) - 1)
    assert others["x"] == [float(len(cells))]
