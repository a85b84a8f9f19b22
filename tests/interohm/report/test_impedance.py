"""Pictures of an impedance: what they mark, and what they leave out."""

from __future__ import annotations

import json
from typing import Any

import pytest

import interohm
from interohm.records import Insulator, Metal, material_document, material_from
from interohm.records.shipped import shipped_material
from interohm.report.impedance import (
    bode_figure,
    distribution,
    marked,
    nyquist_figure,
    relaxation_figure,
    shown_points,
)
from interohm.results.impedance import ImpedanceResult

LAYERS = [{"material": name, "thickness_nm": 2e4} for name in ("Li", "LiPON", "LiCoO2")]


@pytest.fixture(scope="module")
def film() -> ImpedanceResult:
    cell = {"name": "film", "states_of_charge": [0.5, 1.0], "layers": LAYERS}
    records = [_shipped(name) for name in ("Li", "LiPON", "LiCoO2")]
    return interohm.predict_impedance(cell, records=records, samples=30)


def _shipped(name: str) -> Insulator | Metal:
    """A shipped record, an electrode without diffusion."""
    record = shipped_material(name)
    assert record is not None
    document = material_document(record)
    document.pop("chemical_diffusivity_cm2_s", None)
    return material_from(document, where="test")


def _blocked(**fields: Any) -> ImpedanceResult:
    contacts = [{"ion_transfer": "blocked"}, {}]
    cell = {"name": "held", "states_of_charge": [1.0], "layers": LAYERS, "contacts": contacts}
    return interohm.predict_impedance(cell, samples=0, **fields)


def test_processes_are_marked_where_they_peak(film: ImpedanceResult) -> None:
    state = film.states[-1]
    frames = nyquist_figure(film.states)["frames"]
    assert len(frames) == 2
    spectrum, *rings = frames[-1]
    assert len(spectrum["x"]) == len(state.frequency_Hz)
    bulk = next(ring for ring in rings if ring["name"] == "bulk, LiPON")
    place = spectrum["x"].index(bulk["x"][0])
    (process,) = [one for one in marked(state) if one.name == "bulk"]
    assert process.time_constant_s is not None
    peak = 1.0 / (6.283185307179586 * process.time_constant_s)
    assert spectrum["customdata"][place] == pytest.approx(peak, rel=0.13)
    # a semicircle's top
    assert spectrum["y"][place] == pytest.approx(max(spectrum["y"]), rel=0.02)


def test_a_capacitors_line_does_not_hide_the_arc() -> None:
    state = _blocked().states[0]
    places = shown_points(state)
    assert 10 < len(places) < len(state.frequency_Hz)
    tallest = max(-state.z_imag_ohm_cm2[k] for k in places)
    assert tallest < 10.0 * max(state.z_real_ohm_cm2)


def test_a_tail_of_diffusion_does_not_hide_the_arc() -> None:
    layers = [{"material": name, "thickness_nm": 1e3} for name in ("Li", "LiPON", "LiCoO2")]
    cell = {"name": "film", "states_of_charge": [0.5], "layers": layers}
    (state,) = interohm.predict_impedance(cell, samples=0).states
    assert state.dc_resistance_ohm_cm2 is not None
    assert max(state.z_real_ohm_cm2) > 5.0 * state.dc_resistance_ohm_cm2
    places = shown_points(state)
    # it is seen, and ends where the arc still has a size
    reached = max(state.z_real_ohm_cm2[k] for k in places) / state.dc_resistance_ohm_cm2
    assert 1.2 < reached <= 2.0
    assert state.frequency_Hz[places[-1]] == state.frequency_Hz[-1]


def test_intervals_lie_around_their_curves(film: ImpedanceResult) -> None:
    frames = bode_figure(film.states)["frames"]
    names = [trace["name"] for trace in frames[0]]
    assert names == ["Re Z, 5 to 95 %", "−Im Z, 5 to 95 %", "Re Z", "−Im Z"]
    assert all(value > 0.0 for trace in frames[0][:2] for value in trace["y"])


def test_the_distribution_holds_the_resistance(film: ImpedanceResult) -> None:
    state = film.states[0]
    times, values = distribution(state)
    from math import log10

    area = sum(
        0.5 * (values[k] + values[k + 1]) * (log10(times[k + 1]) - log10(times[k]))
        for k in range(len(times) - 1)
    )
    assert area == pytest.approx(state.dc_resistance_ohm_cm2, rel=1e-3)
    assert len(relaxation_figure(film.states)["frames"]) == 2


def test_results_draw_and_write_themselves(film: ImpedanceResult, tmp_path: Any) -> None:
    assert film.plot().data
    film.report(tmp_path / "a.html")
    # Re Z beside it has diffusion, too
    assert "resistance without diffusion" in (tmp_path / "a.html").read_text(encoding="utf-8")
    assert "film: impedance" in (tmp_path / "a.html").read_text(encoding="utf-8")
    frame = film.to_frame()
    assert len(frame) == 2 * len(film.states[0].frequency_Hz)
    again = ImpedanceResult.read(json.loads(json.dumps(film.document())))
    assert again.document() == film.document()
    with pytest.raises(interohm.InputError, match="does not hold its records"):
        again.report(tmp_path / "b.html")


def test_frequencies_and_conditions_of_a_user() -> None:
    found = _blocked(frequency_Hz=[1.0, 10.0, 1e3], temperature_K=350.0, state_of_charge=0.4)
    assert found.temperature_K == 350.0
    assert found.states[0].state_of_charge == 0.4
    assert found.states[0].frequency_Hz == [1.0, 10.0, 1e3]
    assert found.states[0].dc_resistance_ohm_cm2 is None
    assert found.states[0].circuit.series_capacitance_uF_cm2 is not None
