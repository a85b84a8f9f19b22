"""Heat maps of a screening."""

from __future__ import annotations

from math import log10

import pytest

from interohm.report.heat_map import heat_map, least_width_px


def test_a_negative_resistance_has_the_colour_of_the_smallest() -> None:
    row = [(value, None) for value in (1e-4, 10.0, -5.0, None)]
    columns = (["LLZO"] * 4, ["a", "b", "c", "d"])
    figure = heat_map("resistance (Ω·cm²)", columns, ["Li"], [[row]], logarithmic=True)
    drawn, grey = figure["frames"][0]
    assert drawn["z"] == [[log10(1e-4), 1.0, log10(1e-4), None]]
    assert (drawn["zmin"], drawn["zmax"]) == (-4.0, 1.0)
    assert drawn["text"][0][2] == "−5"
    # what has no value is grey, and says why
    assert grey["z"] == [[None, None, None, 0.0]]
    assert grey["text"] == [["", "", "", "–"]]
    assert "a contact blocks" in grey["customdata"][0][3]


def test_what_lies_outside_of_the_model_has_no_colour_of_the_scale() -> None:
    frame = [[(1e-6, None), (10.0, None), (1.0, None)]]
    columns = (["LLZO"] * 3, ["a", "b", "c"])
    figure = heat_map(
        "resistance (Ω·cm²)",
        columns,
        ["Li"],
        [frame],
        logarithmic=True,
        outside=[[[True, False, False]]],
    )
    scale, grey = figure["frames"][0]
    assert scale["z"] == [[None, 1.0, 0.0]]
    assert (scale["zmin"], scale["zmax"]) == (0.0, 1.0)
    assert grey["z"] == [[0.0, None, None]]
    # no number is written twice
    assert [bool(text) for text in scale["text"][0]] == [False, True, True]
    assert [text.endswith("✕") for text in grey["text"][0]] == [True, False, False]
    assert grey["text"][0][1:] == ["", ""]
    said = grey["customdata"][0]
    assert "outside of this model: phases react" in said[0]
    assert "outside" not in said[1]


def test_what_hardly_differs_has_hardly_different_colours() -> None:
    """The cells of an electrolyte whose bulk is all of the resistance: 3.62 and 3.63."""
    row = [(3.62, None), (3.63, None), (-1.0, None)]
    columns = (["LLZO"] * 3, ["a", "b", "c"])
    figure = heat_map("resistance (Ω·cm²)", columns, ["Li"], [[row]], logarithmic=True)
    drawn, _ = figure["frames"][0]
    assert (drawn["zmin"], drawn["zmax"]) == pytest.approx((log10(3.62), log10(36.2)))
    assert drawn["z"] == [[log10(3.62), log10(3.63), log10(3.62)]]


def test_a_map_of_many_columns_is_wider_than_a_narrow_page() -> None:
    def width(count: int) -> int:
        row = [(float(value), None) for value in range(1, count + 1)]
        columns = (["LLZO"] * count, [str(index) for index in range(count)])
        return least_width_px(heat_map("drop (V)", columns, ["Li"], [[row]], logarithmic=False))

    assert width(5) < 560 < width(10) < 1240
