"""The report of a design."""

from __future__ import annotations

from pathlib import Path

from interohm.report.design import (
    _curve_note,
    _front_figure,
    _thickness_figure,
    write_design_report,
)
from interohm.report.next_calculations import NOTHING_NEXT
from interohm.results.design import (
    ChosenLayer,
    DesignCandidate,
    DesignResult,
    FrontPoint,
    NextCalculation,
    ThicknessCurve,
)


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
    assert "Grey curves" in _curve_note(found)
    assert "Grey" not in _curve_note(found[:1])


def _page(
    tmp_path: Path,
    steps: list[NextCalculation],
    one: DesignCandidate | None = None,
    none_probability: float = 0.0,
) -> str:
    one = one or _candidate("LiNbO3", 1.0, outside=False)
    one = one.model_copy(update={"verdict": "eligible", "verdict_text": "half keep -1.9 V (1e-3)"})
    result = DesignResult(
        design="a design",
        between=["LiCoO2", "LLZO"],
        temperature_K=300.0,
        states_of_charge=[1.0],
        samples=30,
        limits={
            "interface_resistance_ohm_cm2": 20.0,
            "electron_barrier_eV": 0.5,
            "stability_margin_V": {"left": -0.5, "right": None},
        },
        records={},
        coatings=[one],
        uncoated=DesignCandidate(name="uncoated", outside_of_model=True),
        none_probability=none_probability,
        best=one.name if one.best_probability else None,
        next=steps,
    )
    write_design_report(tmp_path / "design.html", [], result, remarks=["a limit of -0.5 V"])
    return (tmp_path / "design.html").read_text()


def test_a_report_says_that_nothing_is_worth_calculating(tmp_path: Path) -> None:
    assert NOTHING_NEXT in _page(tmp_path, [])
    step = NextCalculation(
        calculation="defects",
        material="LiNbO3",
        fields=["carriers"],
        gain_decades=0.4,
        variance_share=0.3,
        variance_of="LiNbO3",
        core_hours=8.0,
        gain_per_core_hour=0.05,
        text="defects of LiNbO3",
    )
    page = _page(tmp_path, [step])
    assert NOTHING_NEXT not in page
    assert "gain per core-hour" in page
    assert '<td class="number">0.05</td>' in page
    assert "30 % (LiNbO3)" in page


def test_shares_of_few_samples_have_their_error(tmp_path: Path) -> None:
    one = _candidate("LiNbO3", 1.0, outside=False)
    fields = {"best_probability": 0.5, "within_limits_probability": 0.0, "optimum_nm": 1.0}
    page = _page(tmp_path, [], one.model_copy(update=fields), none_probability=0.5)
    assert "in 50 ± 9 % of the samples no candidate keeps all limits" in page
    assert '<td class="number">0 ± 2 %</td><td class="number">50 ± 9 %</td>' in page
    assert "<span>in 50 ± 9 % of the samples</span>" in page
    assert "Best of the eligible ones" in page


def test_an_axis_ends_where_a_coating_blocks() -> None:
    found = [_candidate("A", 10.0, outside=False), _candidate("B", 1e31, outside=False)]
    axis = _thickness_figure(found)["layout"]["yaxis"]
    assert 12 < axis["range"][1] < 15
    assert "beyond it: B (up to 2×10³¹ Ω·cm²)" in _curve_note(found)
    assert "beyond" not in _curve_note(found[:1])
    points = [
        FrontPoint(name=name, thickness_nm=1.0, interface_resistance_ohm_cm2=ohm)
        for name, ohm in (("A", 1.0), ("B", 1e30))
    ]
    result = DesignResult.model_construct(coatings=found, front=points)
    assert _front_figure(result, found)["layout"]["yaxis"]["range"][1] < 15


def test_a_line_marks_the_resistance_of_the_largest_thickness() -> None:
    drawn = _thickness_figure([_candidate("A", 10.0, outside=False)], 1e5)["layout"]
    (line,) = drawn["shapes"]
    assert line["y0"] == line["y1"] == 1e5
    assert drawn["yaxis"]["range"][0] < 5 < drawn["yaxis"]["range"][1]


def test_single_thicknesses_have_bars_side_by_side() -> None:
    def short(one: DesignCandidate) -> DesignCandidate:
        assert one.curve is not None
        curve = ThicknessCurve(
            thickness_nm=[2.0],
            interface_resistance_ohm_cm2={
                key: values[:1] for key, values in one.curve.interface_resistance_ohm_cm2.items()
            },
            coating_ohm_cm2=[1.0],
            charge_transfer_ohm_cm2=[1.0],
            depletion_ohm_cm2=[1.0],
        )
        return one.model_copy(update={"curve": curve})

    found = [short(_candidate(name, 10.0, outside=False)) for name in "AB"]
    drawn = _thickness_figure(found)
    assert [trace["x"] for trace in drawn["always"]] == [["A, 2 nm"], ["B, 2 nm"]]
    bars = drawn["always"][1]["error_y"]
    assert (bars["array"], bars["arrayminus"]) == ([90.0], [9.0])
    assert "bars are 5 to 95 %" in _curve_note(found)
    assert not drawn["layout"]["showlegend"]
    # beside a range, at its thickness
    mixed = _thickness_figure([_candidate("C", 1.0, outside=False), found[0]])["always"]
    assert mixed[-1]["x"] == [2.0]
    assert "error_y" in mixed[-1]
    assert "error_y" not in mixed[1]


def test_a_doped_film_stands_beside_the_same_undoped(tmp_path: Path) -> None:
    layer = ChosenLayer(
        material="LiNbO3", thickness_nm=2.0, acceptors_cm3=1e21, at_ends=["acceptors_cm3"]
    )
    doped = _candidate("LiNbO3", 1.0, outside=False).model_copy(
        update={"layers": [layer], "interface_resistance_ohm_cm2": 9.0, "undoped_ohm_cm2": 8.0}
    )
    page = _page(tmp_path, [], doped)
    assert "median R undoped (Ω·cm²)" in page
    assert '<td>acceptors_cm3</td><td class="number">9</td><td class="number">8</td>' in page
    assert "Of what was tried, the optimum has the lowest mean of log10 R" in page


def test_limits_stand_above_what_they_decide(tmp_path: Path) -> None:
    one = _candidate("LiNbO3", 1.0, outside=False)
    page = _page(tmp_path, [], one)
    for limit in (
        "<td>stability margin next to LiCoO2</td><td>at least −0.5 V</td>",
        "<td>stability margin next to LLZO</td><td>no limit</td>",
        "<td>barrier for electrons</td><td>at least 0.5 eV</td>",
        "<td>leakage</td><td>no limit</td>",
        "<td>at most 20 Ω·cm²</td>",
        "<td>300 K</td>",
    ):
        assert limit in page
        assert page.index(limit) < page.index("median R (Ω·cm²)")
    assert "largest (nm) for 20 Ω·cm²" in page
    assert '<td class="number">none</td>' in page
    known = {"largest_nm": 1.57, "largest_nm_interval": [None, 2.0]}
    page = _page(tmp_path, [], one.model_copy(update=known))
    assert '<td class="number">1.57 (none … ≥ 2)</td>' in page


def test_texts_and_tables_have_one_minus_sign(tmp_path: Path) -> None:
    page = _page(tmp_path, [])
    assert "half keep −1.9 V (1e-3)" in page
    assert "a limit of −0.5 V" in page


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
