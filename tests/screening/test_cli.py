"""`interohm screen` and the questions to its tables, as a user has them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from report_pages import figures_of

from interohm.database import Database
from interohm.database.parquet import query_table
from interohm.errors import InputError
from interohm.prediction.contact import contact_result
from interohm.records import material_document
from interohm.records.shipped import shipped_material
from interohm.screening import stream
from interohm.yaml_io import dump_yaml

DESCRIPTION = {
    "name": "two by two",
    "negative_electrodes": ["Li", "LiC6"],
    "electrolytes": ["LLZO", "LiPON"],
    "positive_electrodes": ["LiCoO2"],
    "temperatures_K": [300, 350],
    "count": 2,
    "survivors": 4,
    "samples": 100,
}


def described(tmp_path, **changes):
    path = tmp_path / "screen.yaml"
    path.write_text(dump_yaml({**DESCRIPTION, **changes}))
    return path


def test_a_report_without_a_folder_is_refused_before_the_screening(interohm, tmp_path):
    ran = interohm("screen", described(tmp_path), "--report", "nowhere/report.html")
    assert ran.code == 2
    assert "there is no folder nowhere" in ran.err
    assert not Path("interohm-data").exists()


def test_a_missing_window_is_no_advantage(interohm, tmp_path):
    """The same electrolyte and coating again, in records without a window: never the best."""
    for name in ("LLZO", "LiNbO3"):
        record = material_document(shipped_material(name))
        record.pop("stability_window_V")
        record.pop("phase_energies", None)
        path = tmp_path / f"bare-{name}.yaml"
        path.write_text(dump_yaml({**record, "name": f"bare-{name}"}))
    path = described(
        tmp_path,
        negative_electrodes=["Li"],
        electrolytes=["LLZO", "bare-LLZO.yaml"],
        positive_coatings=[{"material": "bare-LiNbO3.yaml", "thickness_nm": 5}],
        temperatures_K=[300],
        samples=30,
    )
    ran = interohm("screen", path, "--report", "report.html", "--json")
    assert ran.code == 0, ran.err
    (state,) = json.loads(ran.out)["states"]
    ranking = state["rankings"]["resistance_ohm_cm2"]
    assert len(ranking["cells"]) == 4
    for cell in ranking["cells"]:
        bare = "bare" in cell["electrolyte"] + cell["positive"]
        assert (cell["outside_of_model"] is None) == bare
        assert bare == (cell["probability_best"] == 0.0)
    assert not ranking["cells"][0]["positive"].count("bare")
    for front in state["pareto"]:
        assert all(cell["outside_of_model"] is False for cell in front["cells"])
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "the stability of 3 of 4 cells is unknown" in page
    assert "stability unknown" in page


def test_screen(interohm, tmp_path):
    ran = interohm("screen", described(tmp_path), "--table", "--report", "report.html", "--json")
    assert ran.code == 0, ran.err
    document = json.loads(ran.out)
    assert [state["temperature_K"] for state in document["states"]] == [300, 350]
    cold, warm = (state["best"]["resistance_ohm_cm2"][0] for state in document["states"])
    assert cold["electrolyte"] == warm["electrolyte"] == "LLZO"
    assert warm["resistance_ohm_cm2"] < cold["resistance_ohm_cm2"]
    for cell in document["states"][0]["best"]["resistance_ohm_cm2"]:
        sides = (cell["negative_margin_V"], cell["positive_margin_V"])
        assert cell["stability_margin_V"] == min(sides)
        # by more than any window is uncertain, or not at all
        assert cell["outside_of_model"] or min(sides) > -1.0
        assert not cell["outside_of_model"] or min(sides) < 0.0
    for ranking in document["states"][0]["rankings"].values():
        assert sum(cell["probability_best"] for cell in ranking["cells"]) == pytest.approx(1)
        # LiPON's resistance is far beyond LLZO's: its numbers decide nothing here
        assert all(one["material"] != "LiPON" for one in ranking["next"] if one["gain_decades"])
    assert (tmp_path / "interohm-data" / "screens").is_dir()
    page = (tmp_path / "report.html").read_text()
    assert page.count('class="figure"') == 2 * (4 + 3 + 3 + 4)
    figures = figures_of(page)
    map_, grey = figures["cells-resistance_ohm_cm2-0"]["frames"][0]
    assert len(map_["z"]) == 2
    # a cell is either outside of the model or has a colour of the scale
    cells = document["states"][0]["listed"]
    outside = sum(cell["outside_of_model"] for cell in cells)
    assert 0 < outside < len(cells)
    assert sum("✕" in text for row in grey["text"] for text in row) == outside
    for row, other in zip(map_["z"], grey["z"], strict=True):
        assert all((one is None) != (two is None) for one, two in zip(row, other, strict=True))
    for row, other in zip(map_["text"], grey["text"], strict=True):
        assert all("×÷" in one + two for one, two in zip(row, other, strict=True))
    few = interohm("screen", described(tmp_path, count=4, survivors=2))
    assert few.code == 0, few.err  # of two of the four it is not known how sure they are
    assert "–" in few.out
    shown = interohm("screen", described(tmp_path))
    assert shown.code == 0
    assert "best by resistance_ohm_cm2 (350 K" in shown.out
    assert "samples of all uncertainties; " in shown.out
    assert "is the best in" in shown.out


@pytest.mark.usefixtures("few_samples")
def test_the_best_are_saved(interohm, tmp_path):
    config = described(tmp_path, temperatures_K=[300], states_of_charge=[0, 1], count=1, samples=0)
    ran = interohm("screen", config, "--save", "--json")
    assert ran.code == 0, ran.err
    assert "1 cells and their" in ran.err or "2 cells and their" in ran.err
    best = json.loads(ran.out)["states"][1]["best"]["resistance_ohm_cm2"][0]
    asked = f"state_of_charge == 1 and '{best['negative']}' in layers"
    rows = json.loads(interohm("query", "cells", "--where", asked, "--json").out)
    assert rows[0]["layers"] == [best["negative"], best["electrolyte"], best["positive"]]
    assert rows[0]["resistance_ohm_cm2"] == pytest.approx(best["resistance_ohm_cm2"], rel=1e-9)
    pair = f"left == '{best['negative']}' and right == '{best['electrolyte']}'"
    contacts = json.loads(interohm("query", "contacts", "--where", pair, "--json").out)
    assert [contact["state_of_charge"] for contact in contacts] == [0, 1]
    why = interohm("why", rows[0]["cell"])
    assert why.code == 0, why.err
    assert best["electrolyte"] in why.out


@pytest.mark.usefixtures("few_samples")
def test_an_interrupted_screening_reports_and_goes_on_where_it_saved(
    interohm, tmp_path, monkeypatch
):
    save, saved = Database.save_cell, []
    monkeypatch.setitem(contact_result.__kwdefaults__, "samples", 20)

    def interrupted(database, document):
        if len(saved) == 1:
            signal.raise_signal(signal.SIGTERM)
        save(database, document)
        saved.append(document.cell)

    config = described(
        tmp_path, negative_electrodes=["Li"], temperatures_K=[300], samples=0, electrons=False
    )
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(Database, "save_cell", interrupted)
    ran = interohm("screen", config, "--save", "--report", "report.html")
    assert ran.code == 130
    assert "best by resistance_ohm_cm2" in ran.out
    assert "1 of 2 cells are saved" in ran.err
    assert Path("report.html").stat().st_size > 1e5
    monkeypatch.setattr(Database, "save_cell", lambda *a: saved.append(a[1].cell) or save(*a))
    ran = interohm("screen", config, "--save")
    signal.signal(signal.SIGTERM, before)
    assert ran.code == 0, ran.err
    assert "2 cells and their 4 contacts saved" in ran.err
    assert len(saved) == len(set(saved)) == 2
    assert len(json.loads(interohm("query", "cells", "--json").out)) == 2
    # one that ended is saved anew
    assert not [*Path("interohm-data").rglob("saved.jsonl")]


def test_a_screening_that_is_stopped_reports_what_it_finished(interohm, tmp_path, monkeypatch):
    from interohm.screening import run

    solve = run.prepared_cells

    def stopped(screening, temperature, *arguments):
        if temperature == 350:
            raise KeyboardInterrupt
        return solve(screening, temperature, *arguments)

    monkeypatch.setattr(run, "prepared_cells", stopped)
    config = described(tmp_path, negative_electrodes=["Li"], samples=0, electrons=False)
    before = signal.getsignal(signal.SIGTERM)
    ran = interohm("screen", config, "--report", "report.html")
    signal.signal(signal.SIGTERM, before)
    assert ran.code == 130
    assert "stopped after 1 of 2 combinations" in ran.err
    assert "(300 K" in ran.out
    assert "(350 K" not in ran.out
    assert "stopped after 1 of 2 combinations" in Path("report.html").read_text()


def test_contacts_have_medians_and_validity(interohm, tmp_path):
    """Those of `interohm contact`, in the table, in the document and for the best cells."""
    config = described(tmp_path, temperatures_K=[300], samples=200)
    ran = interohm("screen", config, "--json")
    document = json.loads(ran.out)
    contacts = f"{document['folder']}/contacts.parquet"
    rows = json.loads(interohm("query", contacts, "--sort", "resistance", "--json").out)
    nominal = [row["resistance_ohm_cm2"] for row in rows]
    assert nominal == sorted(nominal)
    by_pair = {(row["left"], row["right"]): row for row in rows}
    for (electrode, electrolyte), row in by_pair.items():
        assert row["log10_resistance_p05"] < row["log10_resistance_p50"]
        assert row["log10_resistance_p50"] < row["log10_resistance_p95"]
        pair = (electrolyte, electrode) if electrode == "LiCoO2" else (electrode, electrolyte)
        alone = json.loads(interohm("contact", *pair, "--samples", 200, "--json").out)
        assert row["validity"] == list(dict.fromkeys(one["code"] for one in alone["validity"]))
        spread = alone["quantiles"]["log10_interface_resistance"]
        assert row["log10_resistance_p50"] == pytest.approx(spread["p50"], abs=0.02)
    (state,) = document["states"]
    best = state["best"]["resistance_ohm_cm2"][0]
    both = [
        by_pair[best["negative"], best["electrolyte"]]["validity"],
        by_pair[best["positive"], best["electrolyte"]]["validity"],
    ]
    assert set(best["validity"]) == {code for codes in both for code in codes}
    assert "held_electrode" not in best["validity"]
    few = interohm("query", contacts, "--where", "'coupling' in validity", "--json")
    assert len(json.loads(few.out)) == sum("coupling" in row["validity"] for row in rows)
    shown = interohm("screen", config).out
    assert "median" in shown
    assert f"validity ({', '.join(sorted(best['validity']))})" in " ".join(shown.split())


def test_questions_to_the_tables(interohm, tmp_path):
    document = json.loads(interohm("screen", described(tmp_path), "--table", "--json").out)
    contacts = f"{document['folder']}/contacts.parquet"
    question = "left == 'Li' and electron_barrier_eV > 1 and temperature == 300"
    ran = interohm("query", contacts, "--where", question, "--sort", "-space_charge", "--json")
    rows = json.loads(ran.out)
    assert [row["right"] for row in rows] == ["LLZO", "LiPON"]
    assert rows[0]["space_charge_ohm_cm2"] > rows[1]["space_charge_ohm_cm2"]
    table = f"{document['folder']}/350K-0/table"
    ran = interohm("query", table, "--where", "resistance < 1e9", "--limit", "3")
    assert "the first 3 rows" in ran.err
    assert ran.out.count("LiCoO2") == 3
    ran = interohm("query", table, "--where", "resistance < 1e9", "--limit", "4")
    assert ran.out.count("LiCoO2") == 4
    assert ran.err == ""
    ran = interohm("query", table, "--where", "resistanc < 1e9")
    assert ran.code == 2
    assert "did you mean resistance_ohm_cm2" in ran.err
    ran = interohm("query", table, '{"left": "Li"}')
    assert ran.code == 2
    ran = interohm("query", "nowhere.parquet")
    assert ran.code == 2
    assert "there is no such table" in ran.err


def test_conditions_cannot_reach_other_files(interohm, tmp_path):
    document = json.loads(interohm("screen", described(tmp_path), "--json").out)
    contacts = f"{document['folder']}/contacts.parquet"
    (tmp_path / "secret.csv").write_text("a,b\n1,2\n")
    for text in (
        "left == 'x'); COPY (SELECT 1) TO 'written.csv'; --'",
        "left in (FROM read_csv('secret.csv'))",
        "read_text('secret.csv') == 'a'",
        "left == 'x' or 1 == 1",
    ):
        assert interohm("query", contacts, "--where", text).code == 2
    assert (
        json.loads(
            interohm("query", contacts, "--where", 'left == "\'; DROP TABLE x --"', "--json").out
        )
        == []
    )
    assert not (tmp_path / "written.csv").exists()
    # even SQL itself has no other file in reach
    import duckdb

    from interohm.database.parquet import _connection

    with _connection([contacts], None) as connection:
        assert connection.execute("SELECT count(*) FROM read_parquet(?)", [[contacts]]).fetchone()
        for sql in (
            "FROM read_csv('secret.csv')",
            "COPY (SELECT 1) TO 'written.csv'",
            "SET enable_external_access = true",
            "INSTALL httpfs",
        ):
            with pytest.raises(duckdb.Error):
                connection.execute(sql).fetchall()


def test_damaged_tables_are_refused(tmp_path):
    path = tmp_path / "bad.parquet"
    path.write_bytes(b"PAR1 nothing PAR1")
    with pytest.raises(InputError, match="cannot be read"):
        query_table(path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no Parquet file"):
        query_table(tmp_path / "empty")


def test_refused_descriptions(interohm, tmp_path):
    for changes, message in (
        ({"where": "voltage > 3"}, "open_circuit_voltage_V"),
        ({"electrolytes": ["Li"]}, "Li is a metal"),
        ({"count": "many"}, "a whole number was expected"),
    ):
        ran = interohm("screen", described(tmp_path, **changes))
        assert ran.code == 2, ran
        assert message in ran.err
        assert "Traceback" not in ran.err
    assert not (tmp_path / "interohm-data").exists()


_SCREEN_FOREVER = """
import sys, time
from pathlib import Path
import numpy as np
sys.path.insert(0, sys.argv[2])
from conftest import _side
from interohm.screening.cells import Cells
from interohm.screening import stream
from test_stream import asked
rng = np.random.default_rng(3)
cells = Cells(_side(rng, 7, 23, coarse=False), _side(rng, 7, 31, coarse=False), 1000.0)
if len(sys.argv) > 3:
    honest = stream.screen_cells
    stream.screen_cells = lambda *given: (time.sleep(0.05), honest(*given))[1]
part = stream.run_ranges(cells, asked(), Path(sys.argv[1]), workers=2, length=90)
print([best.indices.tolist() for best in part.best.values()], part.cells)
"""


def test_kill_9(tmp_path):
    """A killed process leaves whole ranges; the next one goes on and has the same answer."""
    here = os.path.dirname(__file__)
    script = [sys.executable, "-c", _SCREEN_FOREVER]
    killed, clean = tmp_path / "killed", tmp_path / "clean"
    killed.mkdir()
    clean.mkdir()
    victim = subprocess.Popen([*script, str(killed), here, "slowly"], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while len(list(killed.glob("cells-*.npz"))) < 4 and time.monotonic() < deadline:
        time.sleep(0.02)
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    count = 7 * 23 * 31
    left = stream.finished_ranges(killed, count)
    assert 4 <= len(left) < count // 90
    answers = [
        subprocess.run([*script, str(folder), here], capture_output=True, check=True).stdout
        for folder in (killed, clean)
    ]
    assert answers[0] == answers[1]
    assert set(left) <= set(stream.finished_ranges(killed, count))
