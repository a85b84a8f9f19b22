"""The uneven axis and the numbers for people."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interohm.report.curve_points import needed_points
from interohm.report.display_axis import (
    display_axis,
    electrode,
    even_layer,
    nanometres,
    thick_layer,
)
from interohm.report.tables import interval, shown


def test_thin_and_thick_layers_are_readable_side_by_side():
    axis = display_axis(
        [electrode(20000), even_layer(5), thick_layer(20000, 2.0, 3.0), electrode(20000)]
    )
    widths = np.diff(axis.edges)
    assert widths.max() / widths.min() < 5
    assert axis.place([0, 20000, 20005, 40005, 60005]) == pytest.approx(axis.edges)
    labels = [label.replace("\N{THIN SPACE}", " ") for label in axis.tick_labels]
    for edge in ("0", "20 000", "20 005", "40 005", "60 005"):
        assert edge in labels
    assert "+1" in labels
    assert "−1" in labels
    # Ticks in the zoom stand where the true distance is.
    place = axis.tick_places[labels.index("−1")]
    assert axis.place(40005 - 1.0) == pytest.approx(place)
    (broken,) = axis.breaks
    assert axis.place(20005 + 2.0) < broken < axis.place(40005 - 3.0)


def test_labels_do_not_run_into_each_other():
    """A whole cell with interlayers on a page of 960 px, its labels in 11 px."""
    electrolyte = thick_layer(20000, 2.2, 2.2)
    axis = display_axis(
        [electrode(20000), even_layer(5), electrolyte, even_layer(5), electrode(20000)]
    )
    pixels = 960 / axis.nodes[-1]
    ticks = list(zip(axis.tick_places, axis.tick_labels, strict=True))
    for (left, one), (right, other) in pairwise(ticks):
        assert (right - left) * pixels > 11 * 0.6 * (len(one) + len(other)) / 2 + 4, (one, other)
    # what gives way are the distances within a layer
    edges = [nanometres(x) for x in (0, 20000, 20005, 40005, 40010, 60010)]
    assert set(edges) <= set(axis.tick_labels)
    assert any(label.startswith("+") for label in axis.tick_labels)


def test_space_charges_that_nearly_meet_are_shown_whole():
    assert thick_layer(10.0, 4.5, 4.5) == even_layer(10.0)


lengths = st.floats(0.1, 1e9)


@given(
    st.lists(
        st.one_of(
            lengths.map(electrode),
            lengths.map(even_layer),
            st.tuples(lengths, st.floats(1e-6, 0.3), st.floats(1e-6, 0.3)).map(
                lambda given: thick_layer(given[0], given[0] * given[1], given[0] * given[2])
            ),
        ),
        min_size=1,
        max_size=12,
    ),
    st.lists(st.floats(0, 1), min_size=2, max_size=20),
)
def test_map_is_monotonic_and_ticks_ascend(layers, shares):
    axis = display_axis(layers)
    x = np.sort(np.array(shares)) * axis.nodes_nm[-1]
    assert (np.diff(axis.place(x)) >= 0).all()
    assert (np.diff(axis.tick_places) > 0.1).all()
    assert len(axis.edges) == len(layers) + 1


def test_thinned_curve_is_the_curve():
    x = np.linspace(0, 1, 2001)
    curve = np.exp(-x / 0.05)
    keep = needed_points(x, curve[None, :], 1e-3)
    assert keep.size < 60
    assert np.abs(np.interp(x, x[keep], curve[keep]) - curve).max() <= 1e-3


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0.0, "0"),
        (-0.257, "−0.257"),
        (3.15, "3.15"),
        (9.9999999, "10"),
        (99999.0, "10⁵"),
        (1e28, "10²⁸"),
        (-2.5e-17, "−2.5×10⁻¹⁷"),
        (0.00123, "0.00123"),
        (3.27455e22, "3.275×10²²"),
    ],
)
def test_numbers_for_people(value, text):
    assert shown(value) == text


def test_an_unknown_interval_is_a_dash():
    assert interval(None) == "–"
    assert interval({"p05": 1.0, "p50": 2.0, "p95": 1e6}) == "1 … 10⁶"


@pytest.mark.parametrize(
    ("length", "text"), [(5.0, "5"), (0.25, "0.25"), (2e4, "20\N{THIN SPACE}000"), (-1.5, "−1.5")]
)
def test_lengths_for_people(length, text):
    assert nanometres(length) == text
