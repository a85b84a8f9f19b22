"""`interohm validate`: rows, JSON, the page with its picture, and docs/validation.md."""

from __future__ import annotations

import json
from pathlib import Path

from interohm.records.experiment import shipped_experiments
from interohm.report.validation_page import BEGIN, END

ROOT = Path(__file__).parents[3]


def test_named_rows_as_json(interohm):
    ran = interohm("validate", "li-llzo-sharafi-2017", "llzo-peo-langer-2017", "--json")
    assert ran.code == 0
    found = json.loads(ran.out)
    assert set(found) == {"rows", "falsified", "inside_fraction"}
    names = [row["name"] for row in found["rows"]]
    assert names == ["li-llzo-sharafi-2017", "llzo-peo-langer-2017", "llzo-peo-langer-2017"]
    fields = {"name", "quantity", "measured", "p05", "p50", "p95", "verdict"}
    assert all(set(row) == fields for row in found["rows"])
    first, told, _ = found["rows"]
    assert first["p05"] < first["p50"] < first["p95"]
    assert first["verdict"] == "inside"
    assert (told["p50"], told["verdict"]) == (None, "not comparable")
    assert (found["falsified"], found["inside_fraction"]) == (0, 1.0)


def test_a_table_for_people(interohm):
    ran = interohm("validate", "li-llzo-sharafi-2017")
    assert "1 comparable: 100 % of them inside, 0 falsified" in ran.out


def test_unknown_names_and_pages_are_refused(interohm, refused, tmp_path):
    assert "no experiment 'nonsense'" in refused("validate", "nonsense")
    assert "ending in .md" in refused("validate", "--report", tmp_path / "page.html")
    page = tmp_path / "page.md"
    page.write_text("mine\n", encoding="utf-8")
    assert "no place for the table" in refused("validate", "li-llzo-sharafi-2017", "--report", page)
    assert page.read_text(encoding="utf-8") == "mine\n"
    assert not (tmp_path / "page.svg").exists()


def test_a_page_keeps_what_stands_around_the_table(interohm, tmp_path):
    page = tmp_path / "page.md"
    names = ("li-llzo-sharafi-2017", "lco-lipon-haruta-2015")
    assert interohm("validate", *names, "--report", page).code == 0
    made = page.read_text(encoding="utf-8")
    assert "Li / LLZO, surface layers removed" in made
    assert "Sum of the log scores of the pairs" in made
    assert (tmp_path / "page.svg").read_bytes().startswith(b"<?xml")
    page.write_text("# Mine\n\n" + BEGIN + "old\n" + END + "\nlast\n", encoding="utf-8")
    interohm("validate", *names, "--report", page)
    again = page.read_text(encoding="utf-8")
    assert again.startswith("# Mine\n\n" + BEGIN)
    assert again.endswith(END + "\nlast\n")
    assert "old" not in again


def test_the_shipped_page_has_every_row():
    page = (ROOT / "docs" / "validation.md").read_text(encoding="utf-8")
    table = page[page.index(BEGIN) : page.index(END)]
    for experiment in shipped_experiments():
        cell = f"| {experiment.title.replace('|', '/')} |"
        assert table.count(cell) == len(experiment.measured), experiment.name
    assert "falsified |" not in table
    assert (ROOT / "docs" / "validation.svg").exists()
    assert "docs/validation.svg" in (ROOT / "README.md").read_text(encoding="utf-8")
