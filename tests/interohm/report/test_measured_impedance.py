"""The report of measured spectra: what its table says of peaks."""

from __future__ import annotations

from math import pi

import pytest
from matplotlib.figure import Figure

from interohm.report.measured_impedance import unresolved
from interohm.report.measured_impedance_figure import _draw_nyquist
from interohm.results.measured_impedance import MeasuredPoints

PROCESSES = [("bulk", 20.0, 1e-6), ("charge transfer", 5.0, 1e-4), ("solid diffusion", 300.0, 50.0)]


def _spectrum(*, diffusion: bool = True, spoilt: int = 0) -> MeasuredPoints:
    """Points from 0.1 Hz to 100 kHz, of which the first ``spoilt`` cannot be used."""
    frequency = [10.0**k for k in range(-1, 6)]
    zeros = [0.0] * len(frequency)
    return MeasuredPoints.model_validate(
        {
            "source": "a.csv",
            "sha256": "",
            "temperature_K": 300.0,
            "state_of_charge": 0.5,
            "frequency_Hz": frequency,
            "usable": [k >= spoilt for k in range(len(frequency))],
            "elements": 3,
            "noise": 0.003,
            "verdict": "",
            **dict.fromkeys(
                (
                    *("z_real_ohm_cm2", "z_imag_ohm_cm2", "residual_real", "residual_imag"),
                    *("predicted_real_ohm_cm2", "predicted_imag_ohm_cm2"),
                ),
                zeros,
            ),
            "processes": [
                {
                    "name": name,
                    "where": "x",
                    "resistance_ohm_cm2": resistance,
                    "time_constant_s": time,
                }
                for name, resistance, time in PROCESSES
                if diffusion or name != "solid diffusion"
            ],
        }
    )


@pytest.mark.parametrize(
    ("frequency_Hz", "words"),
    [
        (1e6, "end of the data"),
        (1e5, "end of the data"),
        (1e4, None),
        (1e3, None),
        (10.0, "diffusion"),
        (0.1, "end of the data"),
        (0.01, "end of the data"),
    ],
)
def test_peaks_that_are_not_resolved(frequency_Hz: float, words: str | None) -> None:
    said = unresolved(1 / (2 * pi * frequency_Hz), _spectrum())
    assert said is None if words is None else said is not None and words in said


def test_a_printed_nyquist_plot_has_equal_scales_and_no_empty_range() -> None:
    values = {
        "z_real_ohm_cm2": [10.0 * k for k in range(1, 8)],
        "z_imag_ohm_cm2": [-20.0] * 7,
        "predicted_real_ohm_cm2": [20.0] * 7,
    }
    page = Figure()
    panel = page.subplots()
    _draw_nyquist(panel, _spectrum().model_copy(update=values))
    page.draw_without_rendering()
    box = panel.get_window_extent()
    (left, right), (low, high) = panel.get_xlim(), panel.get_ylim()
    assert box.width / (right - left) == pytest.approx(box.height / (high - low))
    # 5 % of margin, and no more
    assert (right - left, high - low) == pytest.approx((66.0, 22.0))


def test_without_diffusion_or_with_points_left_out() -> None:
    time = 1 / (2 * pi * 10.0)
    assert unresolved(time, _spectrum(diffusion=False)) is None
    said = unresolved(time, _spectrum(diffusion=False, spoilt=2))
    assert said is not None
    assert "end of the data" in said
