"""`interohm impedance --measured`: from a file to updated records."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from interohm.records import Insulator, load_material
from interohm.records.interface import load_interface

EXAMPLES = Path(__file__).parents[3] / "configs" / "examples"
CELL = EXAMPLES / "impedance_cell.yaml"
SPECTRUM = EXAMPLES / "impedance_300K.csv"


def test_from_files_to_records(interohm, tmp_path):
    ran = interohm(
        "impedance",
        CELL,
        "--measured",
        SPECTRUM,
        "--measured",
        f"{EXAMPLES / 'impedance_330K.csv'},temperature_K=330",
        "--area-cm2",
        0.785,
        "--fit",
        "LLZO:dielectric_constant",
        "--fit",
        "conductivity.activation_energy_eV",
        "--fit",
        "barrier_eV",
        "--fit",
        "LLZO:band_gap_eV",
        "--save-records",
        tmp_path / "learned",
        "--report",
        tmp_path / "r.html",
        "--figure",
        tmp_path / "f.png",
        "--json",
    )
    assert ran.code == 0, ran.err
    assert "remove contacts[0].barrier_eV from the cell" in ran.err
    document = json.loads(ran.out)
    one, other = document["spectra"]
    assert (one["temperature_K"], other["temperature_K"]) == (300, 330)
    # the example's point that is off
    assert [k for k, usable in enumerate(one["usable"]) if not usable] == [20]
    assert all(other["usable"])
    assert one["noise"] == pytest.approx(0.003, rel=0.25)
    assert one["relaxation_times"]["peaks"]
    assert {each["name"] for each in one["processes"]} >= {"bulk", "solid diffusion"}
    fit = document["fit"]
    assert fit["converged"]
    assert fit["chi2_reduced"] == pytest.approx(1, abs=0.35)
    # the normal posterior is checked, by enough samples
    assert fit["effective_samples"] > 30
    assert "could not be checked" not in ran.err
    learned = {f"{each['record']}:{each['field']}": each for each in fit["fields"]}
    # what the example was made with: 0.5, -0.7 and -0.6 standard deviations away
    for name, truth in (
        ("LLZO:dielectric_constant", 57.9),
        ("LLZO:conductivity.activation_energy_eV", 0.302),
        ("Li | LLZO:barrier_eV", 0.61),
    ):
        assert learned[name]["learned"]
        assert abs(learned[name]["value"] - truth) < 3.5 * learned[name]["uncertainty"]
    assert not learned["LLZO:band_gap_eV"]["learned"]
    llzo = load_material(tmp_path / "learned" / "LLZO.yaml")
    assert isinstance(llzo, Insulator)
    assert llzo.dielectric_constant.method == "updated from impedance"
    assert llzo.dielectric_constant.value == pytest.approx(
        learned["LLZO:dielectric_constant"]["value"]
    )
    assert llzo.provenance["impedance_update"]["spectra"][0]["points"] == 42
    assert load_interface(tmp_path / "learned" / "Li_LLZO.yaml").barrier_eV is not None
    assert (tmp_path / "f.png").stat().st_size > 10_000
    report = (tmp_path / "r.html").read_text()
    for word in (
        *("Kramers–Kronig", "Learned from the spectra", "impedance_330K.csv", "Nyquist plot"),
        *("Bode plot", "Relaxation times", "charge transfer, Li | LLZO"),
    ):
        assert word in report


def test_tables_without_a_fit(interohm, tmp_path):
    report = tmp_path / "r.html"
    options = ("--area-cm2", 0.785, "--report", report)
    ran = interohm("impedance", CELL, "--measured", SPECTRUM, *options)
    assert ran.code == 0, ran.err
    assert "1 of 43 points violate the Kramers–Kronig relations" in ran.out
    assert "predicted" in ran.out
    assert "learned from the spectra" not in ran.out
    page = report.read_text()
    assert "after the fit" not in page
    # told, and no reason for caution
    caution = page[page.index("Caution") :]
    assert "the frequencies descend" not in caution[: caution.index("</ul>")]
    assert "the frequencies descend" in page


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--measured", SPECTRUM], "area of the electrode is not known"),
        (["--area-cm2", 1], "give --measured"),
        (["--measured", SPECTRUM, "--area-cm2", -1], "area"),
        (["--measured", "nowhere.csv", "--area-cm2", 1], "nowhere.csv"),
        (["--measured", f"{SPECTRUM},colour=3", "--area-cm2", 1], "'colour' is not a condition"),
        (["--measured", f"{SPECTRUM},soc=x", "--area-cm2", 1], "'x' is not a number"),
        (["--measured", f"{SPECTRUM},soc=2", "--area-cm2", 1], "--soc"),
        (["--measured", SPECTRUM, "--area-cm2", 1, "--save-records", "x"], "--fit"),
        (["--measured", SPECTRUM, "--area-cm2", 1, "--samples", 0], "--samples"),
        (
            ["--measured", SPECTRUM, "--area-cm2", 1, "--frequencies", "1:10:3"],
            "measured frequencies",
        ),
        (["--measured", SPECTRUM, "--area-cm2", 1, "--save"], "not kept in the database"),
    ],
)
def test_what_is_refused(interohm, arguments, words):
    ran = interohm("impedance", CELL, *arguments)
    assert ran.code == 2
    assert words in " ".join(ran.err.split())
