"""Many processes that write to one server at once: no duplicates, nothing lost, nothing torn."""

from __future__ import annotations

import subprocess
import sys

import pytest

from interohm.database import Database
from interohm.errors import InputError
from interohm.settings import Settings

WORKERS, ROUNDS, KEYS = 8, 15, 3

#: Every worker saves the same few contacts again and again, and calculations of its own.
WORK = f"""
import sys
from interohm.database import Database
worker = int(sys.argv[1])
with Database.open(write=True) as database:
    print("ready", flush=True)
    sys.stdin.readline()
    for round in range({ROUNDS}):
        for key in range({KEYS}):
            mark = 1000 * worker + round
            database.save_contact({{
                "left": "Li", "right": f"phase{{key}}", "temperature_K": 300.0,
                "potential_drop_V": mark, "resistance": {{"interface_resistance_ohm_cm2": 1.0}},
                "profile": {{"x_nm": [mark] * 100}},
            }})
        database.save_calculation({{"hash": f"own-{{worker}}-{{round}}", "energy_eV": 1.0}})
        database.save_calculation({{"hash": f"common-{{round}}", "energy_eV": float(worker)}})
"""


@pytest.fixture
def settings(use_server):
    return Settings()


def test_many_processes_write_at_once(settings):
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORK, str(worker)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for worker in range(WORKERS)
    ]
    for worker in workers:
        assert worker.stdout.readline() == "ready\n", worker.stderr.read()
    for worker in workers:
        worker.stdin.write("go\n")
        worker.stdin.flush()
    read = 0
    with Database.open(settings) as database:
        while any(worker.poll() is None for worker in workers):
            for found in database.query("contacts"):
                try:
                    whole = database.with_profiles(found)
                except InputError as error:
                    assert "replaced meanwhile" in str(error)  # noqa: PT017
                    continue
                # a document is never seen with another one's profiles
                assert set(whole["profile"]["x_nm"]) == {whole["potential_drop_V"]}
                read += 1
        errors = [worker.communicate()[1] for worker in workers]
        assert errors == [""] * WORKERS
        assert [worker.returncode for worker in workers] == [0] * WORKERS
        assert read > 0
        assert database.count("contacts") == KEYS
        rows = database.rows("contacts", "temperature == 300")
        assert sorted(row["right"] for row in rows) == [f"phase{key}" for key in range(KEYS)]
        assert database.count("calculations") == (WORKERS + 1) * ROUNDS
        last_ones = {1000 * worker + ROUNDS - 1 for worker in range(WORKERS)}
        for found in database.query("contacts"):
            whole = database.with_profiles(found)
            assert whole["profile"]["x_nm"] == [whole["potential_drop_V"]] * 100
            assert whole["potential_drop_V"] in last_ones
        # what was replaced left no profiles behind
        blobs = database._backend.collection("blobs.files").count_documents({})
        assert blobs == KEYS


def test_a_migration_under_writers_keeps_what_they_saved(settings):
    with Database.open(settings, write=True) as database:
        collection = database._backend.collection("calculations")
        for number in range(50):
            collection.insert_one({"_id": f"h{number}", "hash": f"h{number}", "energy_eV": 1.0})
        code = (
            "from interohm.database import Database\n"
            "with Database.open(write=True) as database:\n"
            "    print('ready', flush=True)\n"
            "    for number in range(50):\n"
            "        database.save_calculation({'hash': f'h{number}', 'energy_eV': 2.0})\n"
        )
        with subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdout.readline() == "ready\n"
            database.migrate()
        database.migrate()
        rows = database.rows("calculations", "energy == 2")
        assert len(rows) == 50
        assert database.count("calculations") == 50
