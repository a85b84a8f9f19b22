"""`interohm query --where`, `interohm export` and `interohm migrate`."""

from __future__ import annotations

import csv
import io
import json

import pandas
import pytest

from interohm.database import Database
from interohm.database.rows import COLUMNS, kind_of


@pytest.fixture
def kept():
    """Keep three contacts and a cell in the database of this test."""
    with Database.open(write=True) as database:
        # the median may differ from the nominal value by decades
        for left, ohm, barrier, median in (
            ("Li", 0.5, 3.6, 4.0),
            ("LiF", 20.0, None, 1.0),
            ("LiPON", None, 2.0, None),
        ):
            resistance = {"interface_resistance_ohm_cm2": ohm, "limiting_step": "space charge"}
            database.save_contact(
                {
                    "left": left,
                    "right": "LLZO",
                    "temperature_K": 300.0,
                    "resistance": resistance,
                    "quantiles": {"log10_interface_resistance": {"p50": median}},
                    "electrons": {"electron_barrier_eV": barrier},
                    "profile": {"x_nm": [0.0]},
                }
            )
        states = [
            {
                "state_of_charge": charge,
                "open_circuit_voltage_V": 3.0 + charge,
                "area_specific_resistance_ohm_cm2": 10.0,
                "layers": [{"material": "Li"}, {"material": "LLZO, doped"}],
                "stability_violations": [],
            }
            for charge in (0.0, 1.0)
        ]
        database.save_cell({"cell": "half", "temperature_K": 300.0, "states": states})


def test_rows_by_condition(interohm, kept):
    where = "resistance < 100 and electron_barrier_eV > 1"
    [row] = json.loads(interohm("query", "contacts", "--where", where, "--json").out)
    assert row["left"] == "Li"
    assert row["resistance_ohm_cm2"] == 0.5
    table = interohm("query", "contacts", "--where", "not resistance < 1", "--sort", "-resistance")
    assert "LiF" in table.out
    assert "LiPON" not in table.out
    assert "resistance (Ω·cm²)" in table.out
    # a column that the question names is shown
    assert "space charge" in interohm("query", "contacts", "--sort", "space_charge").out
    found = json.loads(interohm("query", "contacts", "--sort", "-resistance", "--json").out)
    assert [row["left"] for row in found] == ["LiF", "Li", "LiPON"]
    # by the nominal value, with the median beside it
    first = interohm("query", "contacts", "--sort", "resistance", "--limit", 1, "--json")
    [row] = json.loads(first.out)
    assert (row["left"], row["log10_resistance_p50"]) == ("Li", 4.0)
    assert "log10 resistance p50" in interohm("query", "contacts", "--sort", "resistance").out
    nothing = interohm("query", "contacts", "--where", "left == 'Na'")
    assert nothing.out == ""
    assert "fits left == 'Na'" in nothing.err


def test_cells_are_a_row_for_each_state_of_charge(interohm, kept):
    table = interohm("query", "cells").out
    assert table.count("half") == 2
    found = json.loads(interohm("query", "cells", "--where", "mu_within_windows", "--json").out)
    assert [row["open_circuit_voltage_V"] for row in found] == [3.0, 4.0]


def test_questions_that_are_refused(refused, kept):
    assert "cannot be combined with" in refused(
        "query", "contacts", "{}", "--where", "left == 'Li'"
    )
    assert "did you mean resistance" in refused("query", "contacts", "--where", "resistanc < 1")
    assert "--sort" in refused("query", "contacts", "--sort", "nothing")
    assert "contacts" in refused("query", "wires", "--where", "left == 'Li'")
    assert "format" in refused("export", "contacts", "--output", "contacts.xls")
    assert "contacts" in refused("export", "wires")


def test_every_format_says_the_same(interohm, kept, tmp_path):
    rows = json.loads(interohm("export", "cells", "--format", "json").out)
    assert [list(row) for row in rows] == [list(COLUMNS["cells"])] * 2
    table = list(csv.DictReader(io.StringIO(interohm("export", "cells").out)))
    assert [row["layers"] for row in table] == ["Li | LLZO, doped"] * 2
    assert [float(row["state_of_charge"]) for row in table] == [0.0, 1.0]
    assert table[0]["electron_barrier_eV"] == ""
    done = interohm("export", "cells", "-o", "cells.parquet")
    assert "2 rows" in done.err
    frame = pandas.read_parquet("cells.parquet")
    assert list(frame.columns) == list(COLUMNS["cells"])
    assert frame["electron_barrier_eV"].isna().all()
    assert frame["resistance_ohm_cm2"].dtype == float
    assert frame["mu_within_windows"].tolist() == [True, True]
    assert list(frame["layers"][0]) == rows[0]["layers"]
    for ending in ("json", "CSV"):
        assert interohm("export", "cells", "--output", f"cells.{ending}").code == 0
    assert json.loads((tmp_path / "cells.json").read_text()) == rows


def test_empty_collections_keep_their_columns(interohm):
    assert interohm("export", "contacts").out == ",".join(COLUMNS["contacts"]) + "\n"
    assert interohm("export", "contacts", "--output", "none.parquet").code == 0
    assert list(pandas.read_parquet("none.parquet").columns) == list(COLUMNS["contacts"])


def test_a_part_is_exported(interohm, kept):
    ran = interohm("export", "contacts", "--where", "left == 'Li'", "--format", "json")
    assert [row["left"] for row in json.loads(ran.out)] == ["Li"]


def test_migration_counts_what_it_wrote(interohm, kept):
    assert "nothing to do" in interohm("migrate").err
    with Database.open(write=True) as database:
        contacts = database._backend.collection("contacts")
        for stored in list(contacts.find({})):
            del stored["schema_version"], stored["rows"]
            contacts.replace_one({"_id": stored["_id"]}, stored)
    assert len(json.loads(interohm("query", "contacts", "--sort", "left", "--json").out)) == 3
    assert "3 contacts" in interohm("migrate").err
    assert "nothing to do" in interohm("migrate").err


def test_columns_say_what_they_hold():
    names = {column for columns in COLUMNS.values() for column in columns}
    texts = {column for column in names if kind_of(column) is str}
    # whatever has a unit or is counted is a number
    assert not [name for name in texts if name.endswith(("_V", "_eV", "_K", "_nm", "cm2"))]
    assert kind_of("layers") is list
    assert kind_of("resistance_ohm_cm2") is float


def test_tables_with_dates_times_and_bytes(interohm, tmp_path):
    from datetime import UTC, date, datetime, time
    from decimal import Decimal

    import pyarrow
    from pyarrow import parquet

    path = tmp_path / "table.parquet"
    columns = {
        "day": [date(2024, 1, 1), date(2025, 1, 1)],
        "at": [datetime(2024, 1, 1, 3), None],
        "there": pyarrow.array([datetime(2024, 1, 1, 3, tzinfo=UTC), None]),
        "clock": [time(3), time(4)],
        "raw": [b"\x00\x1b[31m", b"b"],
        "exact": [Decimal("1.5"), None],
        "within": [{"day": date(2024, 1, 1)}, None],
        "list": [[1, 2], None],
        "text": ["\x1b[2J", "b"],
    }
    parquet.write_table(pyarrow.table(columns), path)
    ran = interohm("query", path, "--json", "--sort", "day", "--where", "day < '2024-06-01'")
    assert ran.code == 0
    assert json.loads(ran.out) == [
        {
            "day": "2024-01-01",
            "at": "2024-01-01T03:00:00",
            "there": "2024-01-01T03:00:00+00:00",
            "clock": "03:00:00",
            "raw": "001b5b33316d",
            "exact": 1.5,
            "within": {"day": "2024-01-01"},
            "list": [1, 2],
            "text": "\x1b[2J",
        }
    ]
    for condition in ("at is None", "clock > '03:30'", "exact is None"):
        ran = interohm("query", path, "--where", condition)
        assert ran.code == 0
        assert "04:00:00" in ran.out
        assert "\x1b" not in ran.out
