"""Heat maps of a screening."""

from __future__ import annotations

from math import log10

from interohm.report.heat_map import heat_map


def test_a_negative_resistance_has_the_colour_of_the_smallest() -> None:
    row = [(value, None) for value in (1e-4, 10.0, -5.0, None)]
    columns = (["LLZO"] * 4, ["a", "b", "c", "d"])
    figure = heat_map("resistance (Ω·cm²)", columns, ["Li"], [[row]], logarithmic=True)
    (drawn,) = figure["frames"][0]
    assert drawn["z"] == [[log10(1e-4), 1.0, log10(1e-4), None]]
    assert (drawn["zmin"], drawn["zmax"]) == (-4.0, 1.0)
    assert drawn["text"][0][2] == "−5"
