"""A folder's database: moved from earlier versions, killed at any moment, many savers at once."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time

import montydb
import pandas
import pytest

from interohm.database import Database, schema
from interohm.database.folder import Folder
from interohm.database.profiles import packed, without_profiles
from interohm.errors import InputError
from interohm.records import material_document
from interohm.records.shipped import shipped_material
from interohm.settings import Settings


def contact(**changes):
    return {
        "left": "Li",
        "right": "LiF",
        "temperature_K": 300.0,
        "potential_drop_V": 1.9,
        "resistance": {"interface_resistance_ohm_cm2": 12.5, "reason": None},
        "profile": {"x_nm": [0.0, 0.1]},
        **changes,
    }


def fill_earlier_folder(path):
    """Write a folder as the program did before it had one file."""
    montydb.set_storage(
        str(path), storage="sqlite", use_bson=True, mongo_version="4.2", journal_mode="DELETE"
    )
    made = montydb.MontyClient(str(path))["interohm"]
    for number in range(250):
        slim, profiles = without_profiles(contact(right=f"phase{number}", temperature_K=number))
        whole = {"_id": f"k{number}", **schema.stored("contacts", slim)}
        made["contacts"].insert_one({**whole, "profiles_blob": f"blob{number}"})
        (path / "blobs").mkdir(exist_ok=True)
        (path / "blobs" / f"blob{number}.json.gz").write_bytes(packed(profiles))
    record = material_document(shipped_material("Li"))
    made["materials"].insert_one({"_id": "Li", **record})  # of the first version
    made["calculations"].insert_one({"_id": "abc", "hash": "abc", "energy_eV": 1.0})
    made["jobs"].insert_one({"uuid": "u", "index": 1, "output": 5})


def answers(settings, **opening):
    with Database.open(settings, **opening) as database:
        contacts = [database.with_profiles(one) for one in database.query("contacts")]
        return {
            "contacts": sorted(contacts, key=lambda one: one["temperature_K"]),
            "rows": database.rows("contacts", "temperature > 100", sort="-temperature", limit=5),
            "materials": database.materials(),
            "calculation": database.find_calculation("abc"),
            "none": database.find_calculation("other"),
            "count": database.count("contacts"),
        }


def test_a_folder_of_an_earlier_version_is_read_and_moved(tmp_path, interohm, monkeypatch):
    monkeypatch.setenv("INTEROHM_DATA", str(tmp_path / "data"))
    settings = Settings()
    fill_earlier_folder(settings.data)
    before = answers(settings)
    assert before["count"] == 250
    assert [row["temperature_K"] for row in before["rows"]] == [249, 248, 247, 246, 245]
    with pytest.raises(InputError, match="interohm migrate"), Database.open(write=True):
        pass
    assert "253 documents moved" in interohm("migrate").err
    assert "nothing to do" in interohm("migrate").err
    assert answers(settings) == before
    assert answers(settings, write=True) == before
    with Database.open(write=True) as database, database.job_store() as store:
        assert store.query_one({"uuid": "u"})["output"] == 5
    # what there was is kept
    assert (settings.data / "before-migration" / "interohm" / "contacts.collection").is_file()
    assert sorted(path.name for path in settings.data.iterdir()) == [
        ".turns.lock",
        ".writer.lock",
        "before-migration",
        "interohm.sqlite",
    ]


KILLED = """
import sys
from pathlib import Path
from interohm.database import Database
from interohm.settings import Settings
settings = Settings(data=Path(sys.argv[1]))
print("ready", flush=True)
Database.move_earlier_folder(settings)
"""


def test_a_move_that_is_killed_loses_nothing(tmp_path):
    settings = Settings(data=tmp_path / "data")
    fill_earlier_folder(settings.data)
    before = answers(settings)
    for delay_s in (0.0, 0.01, 0.03, 0.06, 0.1):
        command = [sys.executable, "-c", KILLED, str(settings.data)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as mover:
            assert mover.stdout.readline() == "ready\n"
            time.sleep(delay_s)
            mover.kill()
        assert answers(settings) == before
    Database.move_earlier_folder(settings)
    assert answers(settings) == before


SAVE = """
import sys
from pathlib import Path
from interohm.database import Database
from interohm.settings import Settings
settings = Settings(data=Path(sys.argv[1]))
with Database.open(settings, write=True, shared=True) as database:
    print("open", flush=True)
    for number in range(10**6):
        document = {"left": sys.argv[2], "right": str(number), "temperature_K": 300.0,
                    "potential_drop_V": 1.0 * number, "profile": {"x_nm": [number] * 50}}
        database.save_contact(document)
        print(number, flush=True)
"""


def saver(settings, name):
    command = [sys.executable, "-c", SAVE, str(settings.data), name]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_savers_that_are_killed_leave_whole_documents(tmp_path):
    settings = Settings(data=tmp_path / "data")
    said = {}
    for turn in range(3):
        names = [f"saver{turn}-{number}" for number in range(3)]
        savers = [saver(settings, name) for name in names]
        for process in savers:
            assert process.stdout.readline() == "open\n"
            assert process.stdout.readline() == "0\n"
        for process in savers:
            process.send_signal(signal.SIGKILL)
        for name, process in zip(names, savers, strict=True):
            lines = process.communicate()[0].split()
            said[name] = max([0, *map(int, lines[:-1])])  # the last line may be cut
    with Database.open(settings, write=True) as database:
        rows = database.rows("contacts")
        for name, last in said.items():
            kept = {int(row["right"]) for row in rows if row["left"] == name}
            assert kept >= set(range(last + 1))
        for document in database.query("contacts"):
            whole = database.with_profiles(document)
            assert whole["profile"]["x_nm"] == [int(whole["right"])] * 50
        [(blobs,)] = database._backend.execute("SELECT count(*) FROM blobs").fetchall()
        assert blobs == len(rows) == database.count("contacts")
        assert database._backend.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_eight_commands_that_save_at_once(tmp_path):
    environment = {**os.environ, "INTEROHM_DATA": str(tmp_path / "data")}
    kelvins = range(300, 308)
    command = [sys.executable, "-m", "interohm", "contact", "Li", "LLZO"]
    command += ["--samples", "0", "--save", "--wait", "600"]
    commands = [
        subprocess.Popen(
            [*command, "--temperature", str(kelvin)],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for kelvin in kelvins
    ]
    for running in commands:
        said = running.communicate()[1]
        assert running.returncode == 0, said
    with Database.open(Settings(data=tmp_path / "data")) as database:
        rows = database.rows("contacts", sort="temperature")
    assert [row["temperature_K"] for row in rows] == list(kelvins)


def test_a_saver_waits_for_a_campaign_before_it_computes(tmp_path, interohm, monkeypatch):
    monkeypatch.setenv("INTEROHM_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(
        "interohm.prediction.contact.contact_result", lambda *a, **k: pytest.fail("computed")
    )
    with Database.open(write=True):
        ran = interohm("contact", "Li", "LLZO", "--save", "--wait", "0.2")
        assert ran.code == 2
        assert f"another process writes to this database: process {os.getpid()}" in ran.err
    monkeypatch.undo()
    monkeypatch.setenv("INTEROHM_DATA", str(tmp_path / "data"))
    opened, closing = threading.Event(), threading.Event()

    def campaign():
        with Database.open(write=True):
            opened.set()
            closing.wait()
            time.sleep(0.3)

    running = threading.Thread(target=campaign)
    running.start()
    opened.wait()
    closing.set()
    with Database.open(write=True, shared=True, wait_s=60) as database:
        database.save_contact(contact())
        # and a campaign does not begin beside it
        with pytest.raises(InputError, match="another process writes"), Database.open(write=True):
            pass
    running.join()


def test_many_contacts_at_once(settings):
    made = []

    def documents():
        for number in range(250):
            made.append(number)
            yield contact(temperature_K=float(number))

    with Database.open(settings, write=True) as database:
        assert database.save_contacts(documents()) == 250
        assert database.save_contacts([]) == 0
        assert database.count("contacts") == 250
        rows = database.rows("contacts", "temperature >= 240", sort="-temperature")
        assert [row["temperature_K"] for row in rows] == list(range(249, 239, -1))
        [found] = database.query("contacts", {"temperature_K": 7.0})
        assert database.with_profiles(found) == contact(temperature_K=7.0)
        # one that cannot be kept: those that would be written with it are not
        with pytest.raises(ValueError, match="JSON compliant"):
            database.save_contacts([contact(temperature_K=1000.0), contact(a=1e999)])
        assert database.count("contacts") == 250


@pytest.mark.parametrize("format", ["csv", "json", "parquet"])
def test_an_export_reads_while_others_write(tmp_path, format):
    """It holds no lock between rows, and all that it gives fits."""
    from interohm.database.export import write_rows
    from interohm.database.rows import COLUMNS

    settings = Settings(data=tmp_path / "data")
    with Database.open(settings, write=True) as database:
        database.save_contacts(contact(temperature_K=float(n)) for n in range(900))
        with Database.open(settings) as reading:
            rows = reading.each_row("contacts", "potential_drop < 2")
            first = next(rows)
            database.save_contacts(
                contact(temperature_K=float(n), potential_drop_V=5.0) for n in range(450, 900)
            )
            path = tmp_path / "out"
            with path.open("wb") as file:
                count = write_rows(file, [first, *rows], list(COLUMNS["contacts"]), format)
    assert 450 <= count <= 650
    read = {"csv": pandas.read_csv, "json": pandas.read_json, "parquet": pandas.read_parquet}
    table = read[format](path)
    assert len(table) == count
    assert (table["potential_drop_V"] == 1.9).all()


@pytest.mark.parametrize(
    "statements",
    [
        [
            "DROP TABLE rows_contacts",
            "CREATE TABLE rows_contacts (document, position, document_id, other)",
        ],
        ["ALTER TABLE rows_contacts RENAME COLUMN validity TO other"],
    ],
)
def test_rows_of_other_columns_are_read_and_made_anew(tmp_path, statements):
    """As another version of the program leaves them, without rows and with all of them."""
    settings = Settings(data=tmp_path)
    with Database.open(settings, write=True) as database:
        database.save_contacts(contact(temperature_K=float(n)) for n in range(5))
    with sqlite3.connect(tmp_path / "interohm.sqlite") as file:
        for statement in statements:
            file.execute(statement)
    for write in (False, True, False):
        with Database.open(settings, write=write) as database:
            rows = database.rows("contacts", "temperature > 2", sort="temperature")
            assert [row["temperature_K"] for row in rows] == [3.0, 4.0]
            assert database.query("contacts", {"rows.temperature_K": 3})[0]["left"] == "Li"
    with contextlib.closing(Folder(tmp_path, write=False)) as folder:
        assert not folder.other_columns


def test_the_file_has_the_mode_of_new_files(tmp_path):
    before = os.umask(0o002)
    try:
        with Database.open(Settings(data=tmp_path / "data"), write=True) as database:
            database.save_contact(contact())
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "data" / "interohm.sqlite").stat().st_mode) == 0o664


def test_sorted_and_limited_as_all_rows_are(settings):
    """By every column, with equal, unknown and many values."""
    drops = [3.0, None, 1.0, 2.0, 1.0, None, 2.0]
    with Database.open(settings, write=True) as database:
        database.save_contacts(
            contact(temperature_K=float(n), potential_drop_V=drop) for n, drop in enumerate(drops)
        )
        rows = database.rows("contacts")
        for sort in ("potential_drop", "-potential_drop"):
            way = -1 if sort[0] == "-" else 1
            expected = sorted(
                rows,
                key=lambda row: (
                    row["potential_drop_V"] is None,
                    way * (row["potential_drop_V"] or 0),
                ),
            )
            assert database.rows("contacts", sort=sort) == expected
            for limit in (1, 3, 6, 100):
                assert database.rows("contacts", sort=sort, limit=limit) == expected[:limit]
        assert json.dumps(rows)
