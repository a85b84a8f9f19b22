"""The report of a design."""

from __future__ import annotations

from interohm.report.design import _front_figure, _thickness_figure
from interohm.results.design import DesignCandidate, DesignResult, FrontPoint, ThicknessCurve


def _candidate(name: str, ohm: float, *, outside: bool) -> DesignCandidate:
    curve = ThicknessCurve(
        thickness_nm=[1.0, 2.0],
        interface_resistance_ohm_cm2={
            key: [share * ohm, 2 * share * ohm]
            for key, share in (("p05", 0.1), ("p50", 1.0), ("p95", 10.0))
        },
        coating_ohm_cm2=[ohm, ohm],
        charge_transfer_ohm_cm2=[ohm, ohm],
        depletion_ohm_cm2=[ohm, ohm],
    )
    return DesignCandidate(name=name, curve=curve, outside_of_model=outside)


def test_a_coating_that_reacts_is_no_curve_like_the_others() -> None:
    """However low its resistance looks."""
    found = [_candidate("A", 10.0, outside=False), _candidate("B", 0.1, outside=True)]
    _, within, outside = _thickness_figure(found)["always"]
    assert (within["name"], outside["name"]) == ("A", "B ✕")
    assert within["line"]["color"] != outside["line"]["color"] == "var(--muted)"


def test_a_coating_has_one_colour_in_both_figures() -> None:
    """The front begins with another coating; the seventh shares a colour, not the symbol."""
    ranked = [_candidate(name, 1.0, outside=False) for name in "ABCDEFG"]
    front = [
        FrontPoint(name=name, thickness_nm=1.0, interface_resistance_ohm_cm2=1.0) for name in "GCA"
    ]
    result = DesignResult.model_construct(coatings=ranked, front=front)
    curves = {one["name"]: one["line"]["color"] for one in _thickness_figure(ranked)["always"][1:]}
    points = {one["name"]: one["marker"] for one in _front_figure(result, ranked)["always"]}
    assert list(points) == ["A", "C", "G"]
    assert {name: points[name]["color"] for name in "AC"} == {name: curves[name] for name in "AC"}
    assert points["G"]["color"] == points["A"]["color"]
    assert points["G"]["symbol"] != points["A"]["symbol"]
