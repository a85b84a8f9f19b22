from __future__ import annotations

import json

import pytest

from interohm.records.material import material_document
from interohm.records.shipped import shipped_material
from interohm.yaml_io import dump_yaml

CELL = """
name: small
states_of_charge: [0.5]
layers:
  - {material: Li, thickness_nm: 2000}
  - {material: LiPON, thickness_nm: 1000}
  - {material: LiCoO2, thickness_nm: 3000}
"""


@pytest.fixture
def cell(tmp_path):
    """Return the path of a valid cell."""
    path = tmp_path / "small.yaml"
    path.write_text(CELL)
    return path


def test_a_discharge_from_file_to_report_and_database(interohm, cell, tmp_path):
    document = material_document(shipped_material("LiCoO2"))
    document |= dict.fromkeys(("chemical_diffusivity_cm2_s", "diffusivity_activation_energy_eV"))
    (tmp_path / "unknown.yaml").write_text(dump_yaml({**document, "name": "unknown"}))
    cell.write_text(CELL.replace("LiCoO2", "unknown.yaml"))
    report, figure = tmp_path / "run.html", tmp_path / "run.pdf"
    options = ("--samples", 0, "--cut-off", 3.8, "--save")
    ran = interohm("dynamics", cell, *options, "--report", report, "--figure", figure)
    assert ran.code == 0, ran.err
    assert "charge transfer" in ran.out
    assert "the voltage reached its cut-off" in ran.out
    assert "follow up to" in ran.out
    assert "In use, at state of charge 0.5" in ran.out
    assert "5 to 95 %" not in ran.out
    assert "report: " in ran.err
    html = report.read_text()
    for title in ("Voltage", "Overpotentials", "What controls", "In use"):
        assert title in html
    assert figure.read_bytes().startswith(b"%PDF")
    [kept] = json.loads(interohm("query", "dynamics", "--json").out)
    assert kept["galvanostatic"]["ended_by"] == "cut-off voltage"
    assert "discharge" in interohm("query", "dynamics", "--where", "c_rate == 1").out


def test_a_step_as_json_and_report(interohm, cell, tmp_path):
    report, figure = tmp_path / "step.html", tmp_path / "step.png"
    options = ("--potential-step", -0.01, "--json", "--report", report, "--figure", figure)
    ran = interohm("dynamics", cell, *options)
    assert ran.code == 0, ran.err
    document = json.loads(ran.out)
    found = document["formation"]
    assert document["galvanostatic"] is None
    assert len(found["time_s"]) == len(found["current_A_cm2"]) >= 40
    assert [one["contact"] for one in found["space_charges"]] == ["Li", "LiCoO2"]
    assert document["quasi_equilibrium"]["follows"] is True
    assert "Relaxations of linear response" in report.read_text()
    assert figure.stat().st_size > 1000


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--potential-step", 0.1, "--temperature-step", 5), "give one of them"),
        (("--soc", 0.5), "covers all states of charge"),
        (("--c-rate", 0), "C-rate"),
        (("--potential-step", 40), "potential step"),
        (("--soc", 2, "--potential-step", 0.1), "--soc"),
        (("--cut-off", 4.5), "--cut-off (cut_off_V): 4.5 V is not below the open-circuit voltage"),
        (("--cut-off", 4.5), "give a voltage below 4."),
        (("--charge", "--cut-off", 2), "2 V is not above the open-circuit voltage of 3."),
        (("--charge", "--cut-off", 2), "discharge the cell"),
        (("--cut-off", "nan"), "nan V is not below"),
        (("--charge", "--cut-off", "inf"), "inf V is not above"),
        (("--cut-off", 3, "--potential-step", 0.1), "a step has no cut-off voltage"),
    ],
)
def test_what_is_wrong_is_said(interohm, cell, options, said):
    ran = interohm("dynamics", cell, *options)
    assert ran.code == 2
    assert said in ran.err
    assert not ran.out
