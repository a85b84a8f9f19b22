"""Doping across the coatings of a design, as reports draw and tell it."""

from __future__ import annotations

from interohm.report.doping_figure import doping_figure
from interohm.results.design import ChosenLayer, DesignCandidate


def _candidate(name: str, *layers: ChosenLayer) -> DesignCandidate:
    return DesignCandidate(name=name, layers=list(layers), verdict="eligible")


def test_a_line_goes_through_all_layers() -> None:
    graded = ChosenLayer(
        material="Li3PO4", thickness_nm=4.0, acceptors_cm3=3e20, doping_gradient_cm3=2e20
    )
    plain = ChosenLayer(material="LiNbO3", thickness_nm=2.0)
    drawn = doping_figure([_candidate("two", graded, plain), _candidate("plain", plain)])
    assert drawn is not None
    (line,) = drawn["always"]
    assert line["x"] == [0.0, 4.0, 4.0, 6.0]
    assert line["y"] == [-4e20, -2e20, 0.0, 0.0]
    assert graded.text == "4 nm Li3PO4, donors − acceptors -4e+20 to -2e+20 cm⁻³"


def test_without_dopants_there_is_no_figure() -> None:
    soft = ChosenLayer(material="LiNbO3", thickness_nm=2.0, susceptibility=50.0)
    assert doping_figure([_candidate("soft", soft)]) is None
    assert soft.is_modified
    assert soft.text == "2 nm LiNbO3, susceptibility 50"
