"""Ranges of cells add up to one answer, whatever the ranges, their order and the workers."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interohm.screening import stream
from interohm.screening.best import not_dominated
from interohm.screening.cells import OUTPUTS
from interohm.screening.filters import cell_filter
from interohm.screening.histograms import counts, edges, is_logarithmic
from interohm.screening.partial import Partial, Question, screen_cells

FRONTS = (
    ("resistance_ohm_cm2", "electron_barrier_eV"),
    ("resistance_ohm_cm2", "stability_margin_V", "open_circuit_voltage_V", "hole_barrier_eV"),
)
NAMES = {
    "negative": [f"N{place % 5}" for place in range(23)],
    "electrolyte": [f"E{place}" for place in range(7)],
    "positive": [f"P{place}" for place in range(31)],
}
CONDITION = (
    "(electrolyte != 'E3' and negative in ['N1', 'N2', 'N4'] or positive == 'P7') "
    "and not open_circuit_voltage < -0.3 and stability_margin is not None"
)


def asked(condition: str | None = CONDITION) -> Question:
    fits = None if condition is None else cell_filter(condition, NAMES, where="test")
    return Question(
        rank_by=("resistance_ohm_cm2", "electron_barrier_eV"),
        count=17,
        fronts=FRONTS,
        counted=tuple(OUTPUTS),
        fits=fits,
    )


def same(first: Partial, second: Partial) -> None:
    assert (first.cells, first.fitting, first.without_resistance) == (
        second.cells,
        second.fitting,
        second.without_resistance,
    )
    for name, best in first.best.items():
        assert best.indices.tolist() == second.best[name].indices.tolist()
        assert best.values.tobytes() == second.best[name].values.tobytes()
        assert first.ranked(name).tolist() == second.ranked(name).tolist()
    for front, other in zip(first.fronts, second.fronts, strict=True):
        assert front.indices.tolist() == other.indices.tolist()
        assert front.points.tobytes() == other.points.tobytes()
    for name, counted in first.histograms.items():
        assert counted.tolist() == second.histograms[name].tolist()


def rows(cells):
    """All cells one by one, in plain Python."""
    outputs = cells.at(np.arange(cells.count))
    electrolyte, negative, positive = cells.places(np.arange(cells.count))
    sides = (
        cells.negative.outside_of_model[electrolyte, negative],
        cells.positive.outside_of_model[electrolyte, positive],
    )
    for index in range(cells.count):
        yield {
            "index": index,
            "negative": NAMES["negative"][negative[index]],
            "electrolyte": NAMES["electrolyte"][electrolyte[index]],
            "positive": NAMES["positive"][positive[index]],
            **{name: float(values[index]) for name, values in outputs.items()},
            # or not known to be within it
            "outside": any(side[index] != 0.0 for side in sides),
        }


@pytest.mark.parametrize("condition", [None, CONDITION])
def test_one_by_one(made_cells, condition):
    from interohm.database.conditions import parse_where

    question = asked(condition)
    part = screen_cells(made_cells, question, 0, made_cells.count)
    parsed = None if condition is None else parse_where(condition, [*NAMES, *OUTPUTS])
    fitting = [row for row in rows(made_cells) if parsed is None or parsed.holds(row)]
    assert part.cells == made_cells.count
    assert part.fitting == len(fitting)
    assert 0 < part.without_resistance < part.fitting
    assert part.without_resistance == sum(np.isnan(row["resistance_ohm_cm2"]) for row in fitting)
    for name, best in part.best.items():
        known = [row for row in fitting if not np.isnan(row[name])]
        known.sort(key=lambda row: (row["outside"], OUTPUTS[name] * row[name], row["index"]))
        assert part.ranked(name).tolist() == [row["index"] for row in known[:17]]
        within = [row["index"] for row in known if not row["outside"]]
        assert best.indices.tolist() == within[:17]
        assert len(within) < len(known)
    for group, front in zip(FRONTS, part.fronts, strict=True):
        known = [row for row in fitting if not any(np.isnan(row[name]) for name in group)]
        known = [row for row in known if not row["outside"]]
        points = np.array([[OUTPUTS[name] * row[name] for name in group] for row in known])
        kept = []
        for place, point in enumerate(points):
            as_good = np.all(points <= point, axis=1)
            better = as_good & np.any(points < point, axis=1)
            if not better.any() and not as_good[:place].any():
                kept.append(known[place]["index"])
        assert sorted(front.indices.tolist()) == kept
    for name, counted in part.histograms.items():
        known = np.array([row[name] for row in fitting if not np.isnan(row[name])])
        inner, _ = np.histogram(known, np.concatenate([edges(name), [np.inf]]))
        assert counted[1:].tolist() == inner.tolist()
        assert counted.sum() == known.size


def test_cells_outside_of_the_model_fill_up_the_best(made_cells):
    """Where too few are within it, the reader sees the others, behind them."""
    question = Question(count=made_cells.count, fronts=FRONTS[:1])
    part = screen_cells(made_cells, question, 0, made_cells.count)
    ranked = part.ranked("resistance_ohm_cm2")
    outside = {row["index"] for row in rows(made_cells) if row["outside"]}
    marks = [index in outside for index in ranked.tolist()]
    assert marks == sorted(marks)
    assert {False, True} == set(marks)
    assert not outside & set(part.fronts[0].indices.tolist())


def test_outputs_of_blocks_are_those_of_single_cells(made_cells):
    every = made_cells.at(np.arange(made_cells.count))
    for block in made_cells.blocks(11, made_cells.count - 5):
        for name in OUTPUTS:
            single = every[name][block.indices]
            assert block.output(name).tobytes() == single.tobytes()


@pytest.mark.parametrize("seed", range(12))
def test_any_ranges_in_any_order_give_the_same(made_cells, seed):
    rng = np.random.default_rng(seed)
    cuts = np.unique(rng.integers(1, made_cells.count, rng.integers(0, 9)))
    ends = [0, *cuts.tolist(), made_cells.count]
    ranges = list(pairwise(ends))
    rng.shuffle(ranges)
    question = asked()
    whole = Partial.nothing(question)
    for start, stop in ranges:
        whole.add(screen_cells(made_cells, question, int(start), int(stop)))
    same(whole, screen_cells(made_cells, question, 0, made_cells.count))


@pytest.mark.parametrize(("workers", "length"), [(1, 10**9), (2, 100), (3, 997)])
def test_workers_and_lengths_make_no_difference(made_cells, tmp_path, workers, length):
    question = asked()
    steps = []
    found = stream.run_ranges(
        made_cells, question, tmp_path, workers=workers, length=length, progress=steps.append
    )
    assert sum(steps) == made_cells.count
    same(found, screen_cells(made_cells, question, 0, made_cells.count))


def test_a_killed_run_goes_on(made_cells, tmp_path, monkeypatch):
    question = asked()
    screened = []
    honest = stream.screen_cells

    def until_killed(cells, asked_for, start, stop):
        if len(screened) == 5:
            raise KeyboardInterrupt
        screened.append((start, stop))
        return honest(cells, asked_for, start, stop)

    monkeypatch.setattr(stream, "screen_cells", until_killed)
    with pytest.raises(KeyboardInterrupt):
        stream.run_ranges(made_cells, question, tmp_path, workers=1, length=300)
    done = stream.finished_ranges(tmp_path, made_cells.count)
    assert done == screened
    # one answer is damaged, and a temporary file was left behind
    damaged = stream.range_file(tmp_path, *done[2])
    damaged.write_bytes(damaged.read_bytes()[:-20])
    (tmp_path / ".cells-0-99.npz.x1").write_bytes(b"")
    again = []
    monkeypatch.setattr(
        stream,
        "screen_cells",
        lambda cells, asked_for, start, stop: (
            again.append((start, stop)) or honest(cells, asked_for, start, stop)
        ),
    )
    found = stream.run_ranges(made_cells, question, tmp_path, workers=1, length=1000)
    same(found, honest(made_cells, question, 0, made_cells.count))
    assert done[2] in again
    assert not set(done[:2] + done[3:]) & set(again)


def test_ranges_of_another_length_are_used():
    assert list(stream.missing_ranges([(10, 20), (35, 50)], (0, 60), 10)) == [
        (0, 10),
        (20, 30),
        (30, 35),
        (50, 60),
    ]


def test_parts_leave_the_rest_to_others():
    finished = [(10, 20), (35, 50)]
    parts = [(0, 15), (15, 40), (40, 60)]
    found = [list(stream.missing_ranges(finished, part, 100)) for part in parts]
    assert found == [[(0, 10)], [(20, 35)], [(50, 60)]]


def test_overlapping_ranges_count_once(tmp_path):
    for start, stop in [(0, 10), (5, 15), (10, 20), (0, 4), (20, 99)]:
        stream.range_file(tmp_path, start, stop).touch()
    assert stream.finished_ranges(tmp_path, 50) == [(0, 10), (10, 20)]


@given(st.lists(st.floats(-1e30, 1e30), max_size=50))
def test_bins_are_those_of_their_edges(numbers):
    values = np.array(numbers)
    for output in ("resistance_ohm_cm2", "electron_barrier_eV"):
        ends = np.array([-np.inf, *edges(output), np.inf])
        for value in values:
            (place,) = np.flatnonzero(counts(output, np.array([value])))
            # the edges of voltages are rounded themselves
            slack = 0 if is_logarithmic(output) else 1e-12
            assert ends[place] - slack <= value < ends[place + 1] + slack
        assert counts(output, values).sum() == values.size


def test_a_front_of_nothing():
    empty = not_dominated(np.empty((0, 3)), np.empty(0, dtype=np.int64))
    assert empty.size == 0
