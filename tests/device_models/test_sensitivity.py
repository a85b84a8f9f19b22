"""First-order sensitivity indices against known ones."""

from __future__ import annotations

import numpy as np
import pytest

from interohm.device_models.sensitivity import first_order_sensitivity


@pytest.mark.parametrize("samples", [2000, 20_000])
def test_linear_model(samples: int) -> None:
    inputs = np.random.default_rng(1).standard_normal((samples, 5))
    weights = np.array([3.0, 2.0, 1.0, 0.2, 0.0])
    found = first_order_sensitivity(inputs, inputs @ weights)
    exact = weights**2 / np.sum(weights**2)
    assert found.first_order == pytest.approx(exact, abs=0.04 if samples < 5000 else 0.012)
    assert list(found.ranking[:3]) == [0, 1, 2]


def test_ishigami() -> None:
    a, b = 7.0, 0.1
    x = np.random.default_rng(2).uniform(-np.pi, np.pi, (50_000, 3))
    output = np.sin(x[:, 0]) + a * np.sin(x[:, 1]) ** 2 + b * x[:, 2] ** 4 * np.sin(x[:, 0])
    variance = a**2 / 8 + b * np.pi**4 / 5 + b**2 * np.pi**8 / 18 + 0.5
    first = (b * np.pi**4 / 5 + b**2 * np.pi**8 / 50 + 0.5) / variance
    found = first_order_sensitivity(x, output)
    # the third acts only together with the first: no first-order index of its own
    assert found.first_order == pytest.approx([first, a**2 / 8 / variance, 0.0], abs=0.01)
    assert list(found.ranking) == [1, 0, 2]


def test_an_even_influence_is_found_where_correlation_sees_none() -> None:
    inputs = np.random.default_rng(3).standard_normal((4000, 2))
    found = first_order_sensitivity(inputs, inputs[:, 0] ** 2 + 0.1 * inputs[:, 1])
    assert found.first_order[0] > 0.98
    assert abs(np.corrcoef(inputs[:, 0], inputs[:, 0] ** 2)[0, 1]) < 0.1


def test_inputs_without_influence_scatter_around_zero_as_stated() -> None:
    rng = np.random.default_rng(4)
    found = first_order_sensitivity(rng.standard_normal((2000, 400)), rng.standard_normal(2000))
    assert np.mean(found.first_order) == pytest.approx(0.0, abs=4 * found.noise / 20)
    assert np.std(found.first_order) == pytest.approx(found.noise, rel=0.2)


def test_samples_without_an_answer_are_left_out() -> None:
    inputs = np.random.default_rng(5).standard_normal((3000, 2))
    output = inputs @ np.array([1.0, 1.0])
    holes = np.where(np.arange(3000) % 3 == 0, np.nan, output)
    expected = first_order_sensitivity(inputs[np.isfinite(holes)], output[np.isfinite(holes)])
    assert np.array_equal(first_order_sensitivity(inputs, holes).first_order, expected.first_order)


def test_scale_and_offset_of_the_output_do_not_matter() -> None:
    inputs = np.random.default_rng(6).standard_normal((1000, 3))
    output = np.tanh(inputs[:, 0]) + inputs[:, 1] * inputs[:, 2]
    one = first_order_sensitivity(inputs, output).first_order
    other = first_order_sensitivity(2.0 - 7.0 * inputs, 5.0 - 1e3 * output).first_order
    assert other == pytest.approx(one, rel=1e-9)


def test_nothing_to_explain() -> None:
    inputs = np.random.default_rng(7).standard_normal((1000, 3))
    constant = first_order_sensitivity(inputs, np.full(1000, 1.1))
    assert np.array_equal(constant.first_order, np.zeros(3))
    few = first_order_sensitivity(inputs[:10], inputs[:10, 0])
    assert np.all(np.isnan(few.first_order))
