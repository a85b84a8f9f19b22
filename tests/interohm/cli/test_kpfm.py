"""`interohm kpfm`: the shipped example with all of its outputs, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pandas
import pytest

from interohm.records import load_material
from interohm.results.kpfm import KpfmResult

MAPS = Path(__file__).parents[3] / "configs" / "maps"
MAP, CELL = MAPS / "lithium-LiPON-LCO.csv", MAPS / "lithium-LiPON-LCO.yaml"


def test_the_example_says_what_it_was_made_from(interohm, tmp_path):
    """1.40 V in LiPON, half charge, moved by 12 nm (docs/kpfm.md)."""
    records = tmp_path / "records"
    records.mkdir()
    report, figure, profile = (tmp_path / name for name in ("map.html", "map.pdf", "model.csv"))
    ran = interohm(
        *("kpfm", MAP, "--cell", CELL, "--resolution-nm", 30, "--json"),
        *("--report", report, "--figure", figure, "--profile", profile, "--update", records),
    )
    assert ran.code == 0, ran.err
    found = KpfmResult.model_validate(json.loads(ran.out))
    assert found.state_of_charge == 0.5
    state = found.states[1]
    assert state.shift_nm == pytest.approx(12.0, abs=4.0)
    told = {(one.material, one.field): one for one in found.learned}
    phi_0 = told["LiPON", "neutral_potential_V"]
    assert phi_0.updated_value == pytest.approx(1.40, abs=0.02)
    updated = load_material(records / "LiPON.yaml")
    assert updated.neutral_potential_V.value == pytest.approx(phi_0.updated_value)
    text = report.read_text(encoding="utf-8")
    for words in ("Inferred, not measured", "At each contact", "Learned from the map", "LiPON"):
        assert words in text
    assert figure.read_bytes().startswith(b"%PDF")
    lines = profile.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "x_nm,cpd_V"
    assert float(lines[1].partition(",")[0]) == -200.0


def test_lines_without_a_number_are_counted(interohm, tmp_path):
    lines = MAP.read_text(encoding="utf-8").splitlines()
    first = next(index for index, line in enumerate(lines) if line[:1] in "-0123456789")
    for index in (first + 3, first + 9):
        lines[index] = f"{lines[index].partition(',')[0]},n/a,n/a"
    path, report = tmp_path / "gaps.csv", tmp_path / "gaps.html"
    path.write_text("\n".join(lines), encoding="utf-8")
    asked = ("kpfm", path, "--cell", CELL, "--resolution-nm", 30, "--soc", 0.5)
    ran = interohm(*asked, "--report", report)
    assert ran.code == 0, ran.err
    words = "left out, since a number is missing: 2"
    assert words in ran.out
    assert words in report.read_text(encoding="utf-8")


def test_a_table_for_people(interohm):
    ran = interohm("kpfm", MAP, "--cell", CELL, "--resolution-nm", 30, "--soc", 0.5)
    assert ran.code == 0
    assert "Learned from the map" in ran.out
    together = [line for line in ran.out.splitlines() if "only combinations of" in line]
    assert len(together) == 1
    for name in ("work_function_eV of", "Li", "LiCoO2", "collector Cu", "collector Al"):
        assert name in together[0]
    assert "position: 'x_nm', in nm; potential: 'cpd_V', in V" in " ".join(ran.out.split())
    assert "shift ±110 nm" in ran.out


def test_what_is_wrong_is_named(refused, tmp_path):
    assert "no state of charge 0.3" in refused("kpfm", MAP, "--cell", CELL, "--soc", 0.3)
    (tmp_path / "mine.yaml").write_text("x\n", encoding="utf-8")
    assert "already has records" in refused("kpfm", MAP, "--cell", CELL, "--update", tmp_path)
    assert "missing.csv" in refused("kpfm", tmp_path / "missing.csv", "--cell", CELL)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda table: table.assign(cpd_V=-table.cpd_V), "with its sign reversed"),
        (lambda table: table.assign(cpd_V=table.cpd_V.to_numpy()[::-1]), "from right to left"),
        (
            lambda table: table.assign(x_nm=table.x_nm + 400.0),
            "farther than records usually deviate",
        ),
    ],
)
def test_a_map_that_does_not_fit_is_in_doubt_and_updates_nothing(interohm, tmp_path, change, words):
    path, folder = tmp_path / "map.csv", tmp_path / "updated"
    change(pandas.read_csv(MAP, comment="#")).to_csv(path, index=False)
    options = ("--resolution-nm", 30, "--soc", 0.5, "--update", folder)
    ran = interohm("kpfm", path, "--cell", CELL, *options)
    assert ran.code == 2
    assert words in ran.err
    assert "no record is updated" in ran.err
    assert not folder.exists()
