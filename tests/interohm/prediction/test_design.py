"""Coatings between two phases: against other solvers, grids, and what must hold."""

from __future__ import annotations

import gzip
import json
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interohm.cli.design import conclusion
from interohm.errors import InputError
from interohm.prediction.coated_gradient import log_resistance_gradient
from interohm.prediction.coated_result import coated_result
from interohm.prediction.coated_stack import CoatingLayer, stack_row
from interohm.prediction.design import (
    candidates_of,
    design_result,
    largest_within,
    nondominated,
    sampled_median,
)
from interohm.prediction.eligibility import limited_by, margin_decision, verdict_fields
from interohm.prediction.sampling import FieldSamples
from interohm.prediction.solved_cell import solve_state
from interohm.records import Insulator, material_document, material_from
from interohm.records.cell_config import Cell
from interohm.records.design import Design, Limits
from interohm.records.reference import reference_metal
from interohm.records.shipped import SHIPPED_FOLDER, shipped_material
from interohm.results.design import VERDICTS, DesignCandidate, DesignResult


def _material(name: str) -> Any:
    found = shipped_material(name)
    assert found is not None
    return found


def _insulator(name: str) -> Insulator:
    found = _material(name)
    assert isinstance(found, Insulator)
    return found


def _without_window(name: str) -> Any:
    """Return a shipped record without its window and its energies."""
    document = material_document(_material(name))
    for field in ("stability_window_V", "phase_energies"):
        document.pop(field, None)
    return material_from(document, where="test")


def _design(*, without_window: tuple[str, ...] = (), **fields: Any) -> DesignResult:
    described = Design.model_validate(
        {
            "name": "test",
            "between": ["LiCoO2", "Li3PS4"],
            "coatings": ["Li3PO4", "LiNbO3"],
            "thickness_nm": {"from": 1, "to": 10},
            "states_of_charge": [0.5],
            "electrons": False,
            "samples": 30,
            **fields,
        }
    )
    names = [one.material for one in described.coatings]
    if described.second_layer is not None:
        names += [one.material for one in described.second_layer.coatings]
    records = {
        name: _without_window(name) if name in without_window else _material(name)
        for name in (*described.between, *names)
    }
    left, right = (records[name] for name in described.between)
    return design_result(described, left, right, {name: records[name] for name in names})


@pytest.fixture(scope="module")
def two() -> DesignResult:
    return _design(limits={"stability_margin_V": -1.0})


def test_a_coated_contact_is_that_of_a_cell() -> None:
    """The cell's solver knows the same layers; its electrolyte here is as good as infinite."""
    materials = [_material(name) for name in ("Li", "LLZO", "LiNbO3", "LiCoO2")]
    cell = Cell.model_validate(
        {
            "name": "cell",
            "states_of_charge": [0.5],
            "electrons": False,
            "layers": [
                {"material": one.name, "thickness_nm": nm}
                for one, nm in zip(materials, (1e4, 1e8, 3.0, 1e4), strict=True)
            ],
        }
    )
    whole = solve_state(cell, materials, 0)
    stack = stack_row(
        materials[1],
        [CoatingLayer(_insulator("LiNbO3"), 3.0)],
        materials[3],
        materials[0],
        temperature_K=300.0,
        state_of_charge=0.5,
        electrons=False,
    ).solve()
    for one, other in zip(stack.contacts, whole.contacts[1:], strict=True):
        for field in ("charge_transfer_ohm_cm2", "sheet_charge_e_nm2", "potential_drop_V"):
            assert getattr(one, field) == pytest.approx(getattr(other, field), rel=1e-4), field
    assert stack.layers_ohm_cm2[0] == pytest.approx(whole.layer_resistance_ohm_cm2[2], rel=1e-4)


def test_susceptibility_and_gradient_are_those_of_a_cell() -> None:
    """A cell takes the one as its layer's own, the other as a profile."""
    materials = [_material(name) for name in ("Li", "LLZO", "LiNbO3", "LiCoO2")]
    cell = Cell.model_validate(
        {
            "name": "cell",
            "states_of_charge": [0.5],
            "electrons": False,
            "layers": [
                {"material": "Li", "thickness_nm": 1e4},
                {"material": "LLZO", "thickness_nm": 1e8},
                {
                    "material": "LiNbO3",
                    "thickness_nm": 3.0,
                    "susceptibility": 40.0,
                    "donors_cm3": 1e19,
                    "doping_profile": {
                        "distance_nm": [0.0, 3.0],
                        "donors_minus_acceptors_cm3": [-2e20, 2e20],
                    },
                },
                {"material": "LiCoO2", "thickness_nm": 1e4},
            ],
        }
    )
    whole = solve_state(cell, materials, 0)
    stack = stack_row(
        materials[1],
        [CoatingLayer(_insulator("LiNbO3"), 3.0, 1e19, 4e20, 40.0)],
        materials[3],
        materials[0],
        temperature_K=300.0,
        state_of_charge=0.5,
        electrons=False,
    ).solve()
    assert stack.layers_ohm_cm2[0] == pytest.approx(whole.layer_resistance_ohm_cm2[2], rel=1e-3)


def test_thicknesses_solved_together_are_those_solved_alone() -> None:
    left, right = _material("LiCoO2"), _material("Li3PS4")
    reference = reference_metal([left, right])
    conditions: dict[str, Any] = {"temperature_K": 300.0, "state_of_charge": 0.5}
    samples = FieldSamples(8)

    def solved(thickness: Any) -> np.ndarray:
        layer = CoatingLayer(_insulator("LiNbO3"), thickness)
        stack = stack_row(
            left, [layer], right, reference, field_samples=samples, **conditions
        ).solve()
        return stack.interface_resistance_ohm_cm2

    together = solved(np.array([[1.0], [4.0]]))
    for row, thickness in zip(together, (1.0, 4.0), strict=True):
        assert row == pytest.approx(solved(thickness), rel=1e-6)


def test_the_optimum_is_that_of_a_fine_grid() -> None:
    """Two layers share a thickness that costs least somewhere between the ends."""
    found = _design(coatings=["LiNbO3"], limits={"stability_margin_V": -1.0})
    (one,) = found.coatings
    left, right = _material("LiCoO2"), _material("Li3PS4")
    thickness = np.geomspace(1.0, 10.0, 25)
    stack = stack_row(
        left,
        [CoatingLayer(_insulator("LiNbO3"), thickness[:, None])],
        right,
        reference_metal([left, right]),
        temperature_K=300.0,
        state_of_charge=0.5,
        electrons=False,
        field_samples=FieldSamples(30),
    ).solve()
    means = np.log10(stack.interface_resistance_ohm_cm2).mean(axis=1)
    assert one.optimum_nm == pytest.approx(thickness[np.argmin(means)], rel=0.1)
    assert one.interface_resistance_ohm_cm2 == pytest.approx(
        float(np.median(stack.interface_resistance_ohm_cm2[np.argmin(means)])), rel=0.1
    )


def test_an_optimum_between_grid_points_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resistance that is known: lowest where both numbers are 3, on no point of the grid."""
    from interohm.prediction import design

    described = Design.model_validate(
        {
            "name": "test",
            "between": ["LiCoO2", "Li3PS4"],
            "coatings": [{"material": "LiNbO3", "acceptors_cm3": {"from": 1, "to": 10}}],
            "thickness_nm": {"from": 1, "to": 10},
            "samples": 30,
        }
    )
    for variables in (1, 2):
        coating = described.coatings[0]
        if variables == 1:
            coating = coating.model_copy(update={"acceptors_cm3": 0.0})
        layer = design._Layer(coating, _insulator("LiNbO3"), described.thickness_nm)
        candidate = design._Candidate(None, [layer])  # type: ignore[arg-type]

        def solved(self: object, points: np.ndarray) -> Any:
            distance = np.sum(np.log(points / 3.0) ** 2, axis=-1)
            values = np.exp(distance)[:, None] * np.ones(30)
            return design._Outcome(points, *[values] * 7)

        def sloped(self: object, point: np.ndarray) -> Any:
            logs = np.log(point / 3.0)
            return np.sum(logs**2) / np.log(10.0), 2.0 * logs / np.log(10.0)

        monkeypatch.setattr(design._Candidate, "solve", solved)
        monkeypatch.setattr(design._Candidate, "objective_and_slope", sloped)
        outcome, best = design._searched(candidate)
        assert outcome.points[best] == pytest.approx(np.full(variables, 3.0), rel=0.02)


def test_an_optimum_is_that_of_a_fine_grid_in_its_doping() -> None:
    """Where acceptors and their gradient conduct best, a grid about it finds no better."""
    found = _design(
        coatings=[
            {
                "material": "Li3PO4",
                "acceptors_cm3": {"from": 1e18, "to": 1e21},
                "doping_gradient_cm3": {"from": -1e20, "to": 1e20},
            }
        ],
        thickness_nm=4.0,
        states_of_charge=[1.0],
        limits={"stability_margin_V": -1.0},
    )
    (one,) = found.coatings
    (layer,) = one.layers
    assert layer.thickness_nm == 4.0
    left, right = _material("LiCoO2"), _material("Li3PS4")
    acceptors, gradients = (
        axis.ravel()
        for axis in np.meshgrid(
            np.clip(layer.acceptors_cm3 * np.geomspace(0.2, 5.0, 5), 1e18, 1e21),
            np.clip(layer.doping_gradient_cm3 + np.linspace(-5e19, 5e19, 3), -1e20, 1e20),
        )
    )

    def means(acceptors: np.ndarray, gradients: np.ndarray) -> np.ndarray:
        stack = stack_row(
            left,
            [CoatingLayer(_insulator("Li3PO4"), 4.0, -acceptors[:, None], gradients[:, None])],
            right,
            reference_metal([left, right]),
            temperature_K=300.0,
            state_of_charge=1.0,
            electrons=False,
            field_samples=FieldSamples(30),
        ).solve()
        return np.asarray(np.log10(stack.interface_resistance_ohm_cm2).mean(axis=1))

    best = means(np.array([layer.acceptors_cm3]), np.array([layer.doping_gradient_cm3]))
    assert best[0] <= np.min(means(acceptors, gradients)) + 2e-3


@pytest.mark.parametrize("name", ["LiCoO2", "LiFePO4"])
def test_slopes_of_the_resistance_are_those_of_differences(name: str) -> None:
    """All that a design chooses, of a contact solved by the first integral but for a gradient.

    The second electrode is of two phases, which conduct side by side.
    """
    left, right = _material(name), _material("Li6PS5Cl")
    reference = reference_metal([left, right])
    conditions: dict[str, Any] = {
        "temperature_K": 300.0,
        "state_of_charge": 0.6,
        "electrons": False,
        "field_samples": FieldSamples(6),
    }
    start = np.array([np.log(3.0), -2e18, 1e18, 1.0])
    steps = np.array([0.02, 2e17, 2e17, 0.1])

    def layers(points: np.ndarray) -> list[CoatingLayer]:
        log, mean, gradient, chi = (column[:, None] for column in points.T)
        return [CoatingLayer(_insulator("LiNbO3"), np.exp(log), mean, gradient, chi)]

    coated = stack_row(left, layers(start[None]), right, reference, **conditions)
    found = log_resistance_gradient(coated.row)
    points = start + np.concatenate(
        [share * np.diag(steps) for share in (1.0, -1.0, 0.5, -0.5)] + [np.zeros((1, 4))]
    )
    solved = stack_row(left, layers(points), right, reference, **conditions).solve()
    resistances = solved.interface_resistance_ohm_cm2
    assert found.interface_ohm_cm2[0] == pytest.approx(resistances[-1], rel=1e-5)
    up, down, half_up, half_down = np.log(resistances[:-1]).reshape(4, 4, -1)
    expected = (4.0 * (half_up - half_down) - 0.5 * (up - down)) / 3.0
    for k, field in enumerate(
        ("thickness", "fixed_charge_cm3", "charge_gradient_cm3", "susceptibility")
    ):
        change = getattr(found.log_gradient, field)[0, :, 0] * steps[k]
        assert change == pytest.approx(expected[k], rel=1e-3, abs=1e-6), field


def test_no_gradient_is_a_uniform_doping() -> None:
    """The grid takes the one, the first integral the other."""
    left, right = _material("LiCoO2"), _material("Li3PS4")
    solved = [
        stack_row(
            left,
            [CoatingLayer(_insulator("LiNbO3"), 5.0, -1e19, gradient)],
            right,
            reference_metal([left, right]),
            temperature_K=300.0,
            state_of_charge=0.5,
        ).solve()
        for gradient in (0.0, 1e6)
    ]
    assert solved[0].layers_ohm_cm2[0] == pytest.approx(solved[1].layers_ohm_cm2[0], rel=1e-5)


def test_lists_are_tried_value_by_value() -> None:
    found = _design(
        coatings=[{"material": "LiNbO3", "acceptors_cm3": [0.0, 1e19]}],
        thickness_nm=[2.0, 5.0],
        limits={"stability_margin_V": -1.0},
    )
    (one,) = found.coatings
    assert one.curve.thickness_nm == [2.0, 5.0]
    assert one.optimum_nm in (2.0, 5.0)
    assert one.layers[0].acceptors_cm3 in (0.0, 1e19)


def test_a_doped_film_stands_beside_the_same_undoped() -> None:
    """At its thickness, with the same samples; and says which ends of ranges it is at."""
    doping = {"acceptors_cm3": [1e20, 1e21], "doping_gradient_cm3": 1e19, "susceptibility": [0, 5]}
    (doped,) = _design(coatings=[{"material": "LiNbO3", **doping}], thickness_nm=2).coatings
    soft = {"material": "LiNbO3", "susceptibility": doped.layers[0].susceptibility}
    (plain,) = _design(coatings=[soft], thickness_nm=2).coatings
    assert doped.undoped_ohm_cm2 == pytest.approx(plain.interface_resistance_ohm_cm2)
    assert plain.undoped_ohm_cm2 is None
    assert "undoped" not in plain.optimum_text
    (layer,) = doped.layers
    # the gradient is given, and a susceptibility of 0 is none
    ends = ["acceptors_cm3"] + ["susceptibility"] * (layer.susceptibility > 0)
    assert layer.at_ends == ends
    assert f"at the end of the range: {', '.join(ends)}" in doped.optimum_text
    for ohm, said in ((9.0, True), (7.0, False)):
        changed = {"interface_resistance_ohm_cm2": ohm, "undoped_ohm_cm2": 8.0}
        text = doped.model_copy(update=changed).optimum_text
        assert f"median R {ohm:g} Ω·cm², undoped 8 Ω·cm²" in text
        assert ("doping raises the median" in text) == said


def test_probabilities_add_up(two: DesignResult) -> None:
    candidates = [*two.coatings, two.uncoated]
    total = sum(one.best_probability for one in candidates) + two.none_probability
    assert total == pytest.approx(1.0)


def test_the_uncoated_sulfide_is_outside_of_the_model(two: DesignResult) -> None:
    bare = two.uncoated
    assert bare.outside_of_model
    assert bare.reacts is True
    assert bare.best_probability == 0.0
    assert two.best in {one.name for one in two.coatings}
    # although its resistance is the lowest
    lowest = min(one.interface_resistance_ohm_cm2 or np.inf for one in two.coatings)
    assert bare.interface_resistance_ohm_cm2 is not None
    assert bare.interface_resistance_ohm_cm2 < lowest


def test_windows_are_told_for_each_side(two: DesignResult) -> None:
    niobate = two.coatings[1]
    voltage = 3.9  # of LiCoO2 at half charge, about
    electrode, sulfide = niobate.sides
    assert (electrode.phase, sulfide.phase) == ("LiCoO2", "Li3PS4")
    assert electrode.margin_V == pytest.approx(3.9 - voltage, abs=0.1)
    # both windows: 1.71 (Li3PS4) is above 1.7 (LiNbO3), 2.31 below 3.9
    assert sulfide.margin_V == pytest.approx(2.31 - 1.71)
    assert sulfide.uncoated_margin_V == pytest.approx(2.31 - voltage, abs=0.1)


def test_a_side_says_what_limits_it(two: DesignResult) -> None:
    phosphate, niobate = two.coatings
    assert [side.limited_by for side in phosphate.sides] == [
        "oxidation limit of Li3PO4",
        "Li3PS4 itself",
    ]
    assert niobate.sides[1].limited_by == "Li3PS4 itself"


def test_what_limits_a_margin() -> None:
    assert limited_by({"A": (1.0, 4.0)}, [3.0, 3.9]) == "oxidation limit of A"
    assert limited_by({"A": (1.0, 4.0)}, [3.0, 1.1]) == "reduction limit of A"
    assert limited_by({"A": (1.0, 4.0), "B": (2.0, 3.0)}, []) == "B itself"
    assert limited_by({"A": (2.0, 3.0), "B": (1.0, 4.0)}, []) == "A itself"
    assert (
        limited_by({"A": (1.0, 3.0), "B": (2.0, 4.0)}, [])
        == "oxidation limit of A and reduction limit of B"
    )
    assert limited_by({}, [3.0]) is None
    assert limited_by({"A": (1.0, 4.0)}, []) is None


@given(
    st.lists(
        st.tuples(
            st.floats(-1, 1), st.floats(-1, 1), st.floats(0, 1), st.booleans(), st.booleans()
        ),
        min_size=1,
        max_size=6,
    ),
    st.floats(-1, 1),
    st.floats(-1, 1),
)
def test_what_the_margin_decides(coatings: list[Any], left: float, right: float) -> None:
    """Every coating that is listed as eligible is so by its verdict, at each of the limits."""
    names = [f"C{index}" for index in range(len(coatings))]
    spread = np.linspace(-0.3, 0.3, 7)
    margins = [
        {"stability_margin_V.left": a + spread, "stability_margin_V.right": b + spread}
        for a, b, _, _, _ in coatings
    ]
    others = [
        {"electron_barrier_eV": np.linspace(0, 1, 7) <= share} for _, _, share, *_ in coatings
    ]
    reacts = [one[3] for one in coatings]
    unknown = [["stability_margin_V.right"] if one[4] else [] for one in coatings]
    for margin, sides in zip(margins, unknown, strict=True):
        for side in sides:
            del margin[side]
    limits = Limits.model_validate({"stability_margin_V": {"left": left, "right": right}})
    found = margin_decision(limits, names, others, margins, reacts, unknown)
    assert not found["is_default"]
    for asked, key in (((left, right), "eligible"), ((0.0, 0.0), "eligible_at_zero")):
        least = dict(
            zip(("stability_margin_V.left", "stability_margin_V.right"), asked, strict=True)
        )
        for name, other, margin, out, sides in zip(
            names, others, margins, reacts, unknown, strict=True
        ):
            holds = {**other, **{side: known >= least[side] for side, known in margin.items()}}
            verdict = verdict_fields(holds, margin, reacts=out, unknown=sides)
            assert (verdict["verdict"] == "eligible") == (name in found[key])
            assert (verdict["verdict_text"] == "") == (verdict["verdict"] == "eligible")
    assert set(found["eligible"]) <= set(found["eligible_without"])


def test_the_default_margin_is_told() -> None:
    margins = [{"stability_margin_V.left": np.full(5, -0.2)}]
    found = margin_decision(Limits(), ["C"], [{}], margins, [False], [[]])
    assert found["is_default"]
    assert found["eligible"] == []
    assert found["eligible_without"] == ["C"]
    assert "0 V on both sides, the default" in found["text"]
    assert found["text"].endswith("with no such limit, 1 more coating would be eligible (C)")
    zero = margin_decision(
        Limits.model_validate({"stability_margin_V": -0.5}),
        ["C", "D"],
        [{}] * 2,
        margins * 2,
        [False] * 2,
        [[], []],
    )
    assert "with a limit of 0 V, 2 coatings would not be eligible (C, D)" in zero["text"]
    broken = {"stability_margin_V.left": np.full(5, False)}
    said = verdict_fields(broken, margins[0], reacts=False)["verdict_text"]
    assert said.endswith("(the median margin is -0.2 V)")


@pytest.mark.parametrize(
    ("missing", "unjudged"),
    [
        ((), set()),
        (("Li3PO4",), {"Li3PO4"}),
        (("Li3PO4", "LiNbO3"), {"Li3PO4", "LiNbO3"}),
        (("Li3PS4",), {"Li3PO4", "LiNbO3", "uncoated"}),
    ],
)
def test_a_missing_window_is_no_advantage(missing: tuple[str, ...], unjudged: set[str]) -> None:
    found = _design(without_window=missing)
    for one in [*found.coatings, found.uncoated]:
        assert (one.verdict == "stability unknown") == (one.name in unjudged)
        assert set(one.windows_unknown) <= set(missing)
        if one.name in unjudged:
            assert one.windows_unknown
            assert one.within_limits_probability is None
            assert one.best_probability == 0.0
            assert one.windows_unknown[0] in one.verdict_text
            assert one.name not in {point.name for point in found.front}
    assert found.best not in unjudged
    assert found.margin is not None
    assert not unjudged & set(found.margin.eligible)
    assert unjudged - {"uncoated"} <= set(found.margin.eligible_without)
    remark = found.windows_remark()
    assert bool(remark) == bool(missing)
    wanted = {one.material: one for one in found.next if "is not known" in one.text}
    assert set(wanted) == set(missing)
    for name, one in wanted.items():
        assert name in remark
        assert "give stability_window_V there, or calculate" in remark
        assert (one.calculation, one.fields) == ("phase diagram", ["stability_window_V"])
    if len(unjudged) > 1:
        assert found.best is None
        assert found.none_probability == 1.0
        assert "100" in conclusion(found)
        assert "of the samples no candidate is known to keep all limits" in conclusion(found)


def test_a_second_layer_without_a_window_is_not_judged() -> None:
    found = _design(
        coatings=["Li3PO4"],
        second_layer={"coatings": ["LiNbO3", "Al2O3"], "thickness_nm": 2.0},
        without_window=("LiNbO3",),
        limits={"stability_margin_V": -1.0},
    )
    niobate, alumina = found.coatings
    assert (niobate.verdict, niobate.windows_unknown) == ("stability unknown", ["LiNbO3"])
    assert (alumina.verdict, alumina.windows_unknown) == ("eligible", [])
    assert found.best == alumina.name


def test_without_the_limit_a_window_need_not_be_known() -> None:
    """The limit of one side alone asks for nothing on the other."""
    for margin in (None, {"left": -1.0, "right": None}):
        found = _design(without_window=("Li3PS4",), limits={"stability_margin_V": margin})
        assert {one.verdict for one in found.coatings} == {"eligible"}
        assert found.best in {"Li3PO4", "LiNbO3"}
        assert found.uncoated.verdict == "stability unknown"
        assert "judged without it, since the margin is no limit: Li3PO4" in found.windows_remark()
        assert found.margin is not None
        assert "no limit" in found.margin.text
    # the coating touches the other side, too
    (one,) = _design(
        coatings=["LiNbO3"],
        without_window=("LiNbO3",),
        limits={"stability_margin_V": {"left": None}},
    ).coatings
    assert one.verdict == "stability unknown"


def test_energies_judge_a_contact_without_windows() -> None:
    document = material_document(_insulator("LiBr_001"))
    del document["stability_window_V"]
    bromide = material_from(document, where="test")
    assert isinstance(bromide, Insulator)
    described = Design.model_validate(
        {
            "between": ["Li", "LiCl_001"],
            "coatings": ["LiBr_001"],
            "thickness_nm": 2.0,
            "electrons": False,
            "samples": 30,
        }
    )
    found = design_result(described, _material("Li"), _material("LiCl_001"), {"LiBr_001": bromide})
    (one,) = found.coatings
    assert {contact.known_from for contact in one.contacts} == {"energies"}
    assert one.verdict == "eligible"
    assert not one.windows_unknown


def test_eligible_candidates_stand_first_and_alone_win() -> None:
    """Both break the default margin in some samples; the sulfide alone in nearly all."""
    found = _design(states_of_charge=[1.0], limits={"stability_margin_V": {"left": -0.2}})
    verdicts = [one.verdict for one in found.ranked()]
    assert verdicts == sorted(verdicts, key=VERDICTS.index)
    for one in found.ranked():
        assert one.outside_of_model == (one.verdict == "outside of this model")
        assert (one.verdict == "eligible") == (not one.limits_broken)
        if one.outside_of_model:
            assert one.best_probability == 0.0
            assert one.name not in {point.name for point in found.front}
    assert found.uncoated.verdict == "outside of this model"
    best = next(one for one in found.ranked() if one.name == found.best)
    assert best.verdict == "eligible"
    assert found.margin is not None
    assert not found.margin.is_default


def test_equally_likely_candidates_are_ordered_by_resistance(two: DesignResult) -> None:
    """3 of 30 samples each (or 31 of 300 and 30): the fluoride conducts 25 decades worse."""

    def of(name: str, probability: float, log10: float | None) -> DesignCandidate:
        return two.coatings[0].model_copy(
            update={
                "name": name,
                "verdict": "eligible",
                "best_probability": probability,
                # a few samples may make the mean another than the median, which is shown
                "mean_log10_resistance": None if log10 is None else -log10,
                "interface_resistance_ohm_cm2": None if log10 is None else 10.0**log10,
            }
        )

    fluoride, chloride = of("LiF", 0.102, 28.5), of("LiCl", 0.1, 3.0)
    unknown, unlikely = of("none", 0.1, None), of("oxide", 0.05, 0.5)
    changed = {"coatings": [fluoride, unknown, unlikely, chloride], "best": None}
    found = two.model_copy(update=changed)
    names = [one.name for one in found.ranked() if not one.outside_of_model]
    assert names == ["LiCl", "LiF", "none", "oxide"]
    closest = found.named()
    assert closest is not None
    assert closest.name == "LiCl"
    assert found.more_often_best() == ""
    breaks = {"verdict": "breaks a limit", "limits_broken": ["leakage_A_cm2"], "samples": 100}
    oxide = unlikely.model_copy(update={**breaks, "best_probability": 0.36})
    above = found.model_copy(update={"coatings": [chloride, oxide], "best": "LiCl"})
    assert [one.name for one in above.ranked()[:2]] == ["LiCl", "oxide"]
    assert above.more_often_best().startswith("oxide is the best more often, in 36 ")
    assert above.more_often_best().endswith("more than half of them (leakage_A_cm2)")
    remark = found.resistance_remark()
    assert "LiCl, 1e+03 Ω·cm², exceeds the limit of 10 Ω·cm²" in remark
    assert "within it: oxide (eligible, 3.2 Ω·cm²)" in remark
    alone = two.model_copy(update={"coatings": [fluoride], "best": "LiF"})
    assert "no candidate that this model describes has a low resistance" in (
        alone.resistance_remark()
    )
    low = two.model_copy(update={"coatings": [unlikely], "best": "oxide"})
    assert low.resistance_remark() == ""


def test_a_best_coating_of_high_resistance_is_named_with_a_remark() -> None:
    """LiF alone keeps any margin, and hardly conducts."""
    found = _design(coatings=["LiF"])
    assert found.best == "LiF"
    (fluoride,) = found.coatings
    assert fluoride.interface_resistance_ohm_cm2 is not None
    assert fluoride.mean_log10_resistance is not None
    assert fluoride.mean_log10_resistance > 4.0
    assert f"{fluoride.interface_resistance_ohm_cm2:.2g} Ω·cm²" in found.best_remark
    assert "has a low resistance" in found.best_remark
    assert f"but {found.best_remark}" in conclusion(found)


def test_a_limit_that_nothing_keeps_leaves_no_winner() -> None:
    found = _design(coatings=["LiNbO3"], limits={"electron_barrier_eV": 15.0})
    (one,) = found.coatings
    assert one.limits_broken[0] == "electron_barrier_eV"
    assert one.within_limits_probability == 0.0
    assert one.best_probability == 0.0
    assert found.none_probability == 1.0


def test_a_coating_that_reacts_by_its_energies_never_wins() -> None:
    """LiCl with energies in which it becomes the sulfide's neighbour at a gain."""
    document = material_document(_insulator("LiBr_001"))
    document["name"] = "reacting"
    energies = document["phase_energies"]["energies_eV"]
    energies["Li5Br"] = energies["Li"] - 1.0
    reacting = material_from(document, where="test")
    assert isinstance(reacting, Insulator)
    described = Design.model_validate(
        {
            "name": "test",
            "between": ["Li", "LLZO"],
            "coatings": ["reacting"],
            "thickness_nm": {"from": 1, "to": 10},
            "electrons": False,
            "samples": 30,
        }
    )
    found = design_result(described, _material("Li"), _material("LLZO"), {"reacting": reacting})
    (one,) = found.coatings
    assert one.contacts[0].known_from == "energies"
    assert one.contacts[0].verdict == "reacts"
    assert one.outside_of_model
    assert one.best_probability == 0.0
    assert found.best != "reacting"


def test_two_layers_are_solved_and_named() -> None:
    found = _design(
        coatings=["Li3PO4"],
        second_layer={"coatings": ["LiNbO3"], "thickness_nm": {"from": 1, "to": 4}},
        limits={"stability_margin_V": -1.0},
    )
    (one,) = found.coatings
    assert one.name == "Li3PO4 + LiNbO3"
    assert [layer.material for layer in one.layers] == ["Li3PO4", "LiNbO3"]
    assert one.optimum_nm == pytest.approx(sum(layer.thickness_nm for layer in one.layers))
    assert len(one.contacts) == 3


def test_a_coating_is_not_put_beside_itself() -> None:
    described = Design.model_validate(
        {
            "name": "test",
            "between": ["LiCoO2", "Li3PS4"],
            "coatings": ["LiNbO3"],
            "thickness_nm": {"from": 1, "to": 10},
            "second_layer": {"coatings": ["LiNbO3"], "thickness_nm": {"from": 1, "to": 4}},
        }
    )
    with pytest.raises(InputError, match="same material as the coating"):
        candidates_of(described)


def test_next_calculations_name_numbers_of_records(two: DesignResult) -> None:
    for one in two.next:
        assert one.fields
        assert (one.core_hours is None) == (one.calculation == "measurement")
    calculated = [one for one in two.next if one.core_hours is not None]
    for before, after in pairwise(calculated):
        assert (before.gain_per_core_hour or 0.0) >= (after.gain_per_core_hour or 0.0) - 1e-12


def test_two_metals_have_no_coating() -> None:
    described = Design.model_validate(
        {
            "name": "test",
            "between": ["Li", "LiCoO2"],
            "coatings": ["LiF"],
            "thickness_nm": {"from": 1, "to": 10},
        }
    )
    with pytest.raises(InputError, match="both metals"):
        design_result(described, _material("Li"), _material("LiCoO2"), {"LiF": _insulator("LiF")})


def test_the_largest_thickness_within_a_limit() -> None:
    thickness = np.array([1.0, 2.0, 4.0, 8.0])
    # a line on logarithmic axes is met exactly
    assert largest_within(thickness, 3.0 * thickness, 15.0) == pytest.approx(5.0)
    assert largest_within(thickness, 3.0 * thickness, 2.0) is None
    assert largest_within(thickness, 3.0 * thickness, 100.0) == pytest.approx(8.0)


def test_the_interval_of_a_median_is_that_of_a_bootstrap() -> None:
    random = np.random.default_rng(1)
    samples = random.lognormal(0.0, 3.0, 400)
    low, middle, high = sampled_median(samples)
    drawn = np.median(random.choice(samples, (4000, samples.size)), axis=1)
    assert np.log([low, high]) == pytest.approx(np.log(np.quantile(drawn, [0.16, 0.84])), abs=0.06)
    assert middle == np.median(samples)
    # it has the true median, 1, in 68 % of the cases
    many = [sampled_median(random.lognormal(0.0, 3.0, 200)) for _ in range(2000)]
    assert np.mean([low < 1.0 < high for low, _, high in many]) == pytest.approx(0.7, abs=0.04)


def test_infinite_samples_are_above_all_others() -> None:
    finite = np.arange(1.0, 101.0)
    assert sampled_median(finite) == (45.0, 50.5, 56.0)
    assert sampled_median(np.r_[np.nan, np.inf, finite[:-1]]) == (45.0, 50.5, 56.0)
    assert sampled_median(np.r_[finite[:50], np.full(50, np.inf)]) == (45.0, np.inf, np.inf)
    assert np.isnan(sampled_median(np.array([np.nan]))).all()


def test_more_samples_narrow_the_interval_of_the_largest_thickness() -> None:
    widths = []
    for samples in (100, 900):
        limits = {"interface_resistance_ohm_cm2": 30.0, "stability_margin_V": -1.0}
        (one,) = _design(
            coatings=["Li3PO4"],
            thickness_nm={"from": 0.1, "to": 100},
            samples=samples,
            limits=limits,
        ).coatings
        assert one.largest_nm is not None
        assert one.largest_nm_interval is not None
        low, high = one.largest_nm_interval
        assert low is not None
        assert high is not None
        assert low < one.largest_nm < high
        assert one.interface_resistance_ohm_cm2 is not None
        assert one.median_interval_ohm_cm2 is not None
        lower, upper = one.median_interval_ohm_cm2
        assert lower < one.interface_resistance_ohm_cm2 < upper
        widths.append(np.log([high / low, upper / lower]))
    assert np.all(widths[1] < 0.6 * widths[0])


def test_a_table_tells_how_far_the_largest_thickness_is_known(two: DesignResult) -> None:
    """Within the range, at its end, and where R is above the limit everywhere."""
    one = two.coatings[0]
    assert one.curve is not None
    assert one.curve.thickness_nm[-1] == 10.0

    def said(largest: float | None, *interval: float | None) -> str:
        fields = {"largest_nm": largest, "largest_nm_interval": interval or None}
        changed = one.model_copy(update=fields)
        return changed.largest_text(lambda value, digits: f"{value:.{digits}g}")

    assert [said(4.5), said(float(np.exp(np.log(10.0)))), said(None)] == ["4.5", "≥ 10", "none"]
    assert said(4.5, 2.13, 10.0) == "4.5 (2.1 … ≥ 10)"
    assert said(None, None, 2.0) == "none (none … 2)"
    assert [said(10.0, 10.0, 10.0), said(None, None, None)] == ["≥ 10", "none"]
    assert two.uncoated.largest_text(lambda value, _: str(value)) == "–"


def test_the_median_is_that_of_a_coated_contact() -> None:
    """At the same state of charge, and with as many samples."""
    (one,) = _design(coatings=["LiNbO3"], thickness_nm=2, electrons=True).coatings
    phases = (_material("LiCoO2"), [(_insulator("LiNbO3"), 2.0)], _material("Li3PS4"))
    found = coated_result(*phases, temperature_K=300.0, state_of_charge=0.5, samples=30)
    assert found.quantiles_ohm_cm2 is not None
    assert one.interface_resistance_ohm_cm2 == pytest.approx(found.quantiles_ohm_cm2["p50"])


def test_the_front_has_what_nothing_beats() -> None:
    rows = np.array([[1.0, 2.0], [2.0, 1.0], [2.0, 2.0], [1.0, 2.0]])
    assert nondominated(rows) == [True, True, False, True]


def test_core_hours_fit_what_shipped_calculations_took():
    """Charged defects and hops of compounds, which their elements tell apart."""
    from interohm.prediction.value_of_calculations import _hours

    taken: dict[tuple[str, str], float] = {}
    for path in (SHIPPED_FOLDER.parent / "calculations").glob("*.json.gz"):
        done = json.loads(gzip.decompress(path.read_bytes()))
        kind = {"relax": "defects", "neb": "migration"}.get(done["kind"])
        if kind == "defects" and not done["charge"]:
            continue
        sites = done["initial_structure"]["sites"]
        elements = "".join(sorted({site["species"][0]["element"] for site in sites}))
        if kind is not None:
            hours = done["wall_time_s"] / 3600
            taken[kind, elements] = taken.get((kind, elements), 0.0) + hours
    names = {"BrLi": "LiBr_001", "ClLi": "LiCl_001", "ILi": "LiI_001", "LiS": "Li2S_111"}
    names |= {"HLi": "LiH_001", "LiN": "Li3N_100"}
    records = {name: shipped_material(name) for name in names.values()}
    ratios = {}
    for (kind, elements), hours in taken.items():
        if elements in names:
            ratios[kind, elements] = _hours(kind, names[elements], records) / hours
    assert len(ratios) > 8
    assert all(1 / 4 < ratio < 4 for ratio in ratios.values()), ratios
    mean = np.exp(np.mean(np.log(list(ratios.values()))))
    assert 0.5 < mean < 2.5
    # larger formulas: a dry run of Li3PO4 has 7 core-hours for its defects
    record = shipped_material("Li3PO4")
    assert 3 < _hours("defects", "Li3PO4", {"Li3PO4": record}) < 14
