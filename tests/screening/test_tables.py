"""Tables of a screening for people."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

from interohm.cli.screen_tables import print_screening
from interohm.results.screening import RankedCell, Ranking, ScreeningState

if TYPE_CHECKING:
    import pytest


def test_outside_of_the_model_nothing_is_the_best(capsys: pytest.CaptureFixture[str]) -> None:
    def cell(index: int, negative: str, share: float, **more: object) -> RankedCell:
        return RankedCell(
            index=index,
            negative=negative,
            electrolyte="E",
            positive="P",
            resistance_ohm_cm2=1.0,
            probability_best=share,
            validity=["window", "field"],
            **more,
        )

    cells = [
        cell(0, "A", 0.77, outside_of_model=True),
        cell(2, "C", 0.81),
        cell(1, "B", 0.23, outside_of_model=False),
    ]
    ranking = Ranking(
        output="resistance_ohm_cm2", best_of=3, samples=100, cells=cells, kept_of_best=1.0
    )
    state = ScreeningState.model_construct(
        temperature_K=300.0,
        state_of_charge=0.0,
        best={"resistance_ohm_cm2": cells},
        rankings={"resistance_ohm_cm2": ranking},
        pareto=[],
        cells=2,
        fitting=2,
        not_sums=0,
        solved_whole=0,
        without_resistance=0,
    )
    print_screening(SimpleNamespace(states=[state]))
    text = " ".join(capsys.readouterr().out.split())
    rows = text.partition("validity (")[0]
    assert "23" in rows
    assert "77" not in rows
    assert "81" not in rows
    assert "stability unknown" in rows
    assert "the stability of 1 of 3 cells is unknown" in text
    assert "B | E | P is the best in 23 %" in text
    assert text.count("field, window): all cells above") == 1
    assert "none of them is called the best, however low its value" in text
    # those that nobody can have stand last
    assert rows.index(" 1 B ") < rows.index(" 2 A ")
