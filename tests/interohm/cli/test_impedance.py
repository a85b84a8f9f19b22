from __future__ import annotations

import json
import math

import pytest

CELL = """
name: small
states_of_charge: [0.5, 1.0]
layers:
  - {material: Li, thickness_nm: 20000}
  - {material: LiPON, thickness_nm: 20000}
  - {material: LiCoO2, thickness_nm: 20000}
"""


@pytest.fixture
def cell(tmp_path):
    """Return the path of a valid cell."""
    path = tmp_path / "small.yaml"
    path.write_text(CELL)
    return path


def numbers(value):
    if isinstance(value, dict):
        return [number for item in value.values() for number in numbers(item)]
    if isinstance(value, list):
        return [number for item in value for number in numbers(item)]
    return [value] if isinstance(value, float) else []


def test_json_has_every_field(interohm, cell):
    ran = interohm("impedance", cell, "--json", "--samples", 20, "--frequencies", "1e-2:1e6:2")
    assert ran.code == 0, ran.err
    assert ran.out.count("\n") == 1
    document = json.loads(ran.out)
    assert {"cell", "temperature_K", "states"} <= document.keys()
    assert [state["state_of_charge"] for state in document["states"]] == [0.5, 1.0]
    for state in document["states"]:
        assert {
            "state_of_charge",
            "frequency_Hz",
            "z_real_ohm_cm2",
            "z_imag_ohm_cm2",
            "quantiles",
            "dc_resistance_ohm_cm2",
            "processes",
            "circuit",
        } <= state.keys()
        assert len(state["frequency_Hz"]) == 17
        assert state["frequency_Hz"][0] == pytest.approx(1e-2)
        assert all(value <= 0.0 for value in state["z_imag_ohm_cm2"])
        for process in state["processes"]:
            assert {
                "name",
                "where",
                "resistance_ohm_cm2",
                "capacitance_uF_cm2",
                "time_constant_s",
            } <= process.keys()
    assert all(math.isfinite(number) for number in numbers(document))


def test_table_report_figure_and_database(interohm, cell, tmp_path):
    report, figure = tmp_path / "a.html", tmp_path / "a.svg"
    ran = interohm(
        *("impedance", cell, "--soc", 0.7, "--temperature", 330, "--samples", 0, "--save"),
        *("--report", report, "--figure", figure),
    )
    assert ran.code == 0, ran.err
    for words in ("330 K, state of charge 0.7", "charge transfer", "Li | LiPON", "bulk", "Re Z"):
        assert words in ran.out, words
    # neither samples, and so no intervals, nor a peak where there is none
    assert "5 to 95 %" not in ran.out
    [diffusion] = [line for line in ran.out.splitlines() if "solid diffusion" in line]
    assert diffusion.rstrip().endswith("–")
    page = report.read_text(encoding="utf-8")
    for words in ("Nyquist plot", "Bode plot", "Relaxation times", "Circuit", "pyimpspec", "bulk"):
        assert words in page, words
    assert "src=" not in page.partition("<script>")[0]
    assert "bulk, LiPON" in figure.read_text(encoding="utf-8")
    kept = json.loads(interohm("query", "impedances", "--json").out)
    (document,) = kept
    assert document["temperature_K"] == 330
    rows = interohm("query", "impedances", "--where", "dc_resistance > 0")
    assert "0.7" in rows.out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--frequencies", "1:2"), "LOW:HIGH:PER_DECADE"),
        (("--frequencies", "1e7:1e-3:10"), "lower one"),
        (("--frequencies", "1:1e3:x"), "LOW:HIGH:PER_DECADE"),
        (("--soc", "1.5"), "--soc"),
        (("--temperature", "25"), "--temperature"),
        (("--figure", "a.gif"), ".pdf"),
    ],
)
def test_wrong_input_is_explained(interohm, cell, options, words):
    ran = interohm("impedance", cell, *options)
    assert ran.code == 2
    assert words in ran.err


def test_schema_and_help(interohm):
    schema = json.loads(interohm("schema", "impedance-result").out)
    assert "states" in schema["properties"]
    assert "Example: interohm impedance" in interohm("impedance", "--help").out
