"""From a folder to a server and back, and between folders."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from interohm.database import COLLECTIONS, Database
from interohm.database.folder import Folder
from interohm.database.transfer import copy_documents
from interohm.prediction.contact import contact_document
from interohm.records.shipped import shipped_interfaces, shipped_material
from interohm.settings import Settings

LITHIUM, LLZO = shipped_material("Li"), shipped_material("LLZO")


def contact(**changes):
    return {
        "left": "Li",
        "right": "LiF",
        "temperature_K": 300.0,
        "potential_drop_V": 1.9,
        "profile": {"x_nm": [0.0, 0.1]},
        **changes,
    }


def fill(settings):
    """Save something of each kind."""
    state = {"state_of_charge": 0.0, "profile": {"x_nm": [0.0, 1.0]}, "contacts": [contact()]}
    cell = {"cell": "half", "temperature_K": 300.0, "states": [state, state]}
    large = {"log": [0.1 * number for number in range(150_000)]}
    with Database.open(settings, write=True) as database:
        database.save_material(LITHIUM)
        database.save_material(
            LLZO.model_copy(update={"provenance": {**LLZO.provenance, "notes": large}})
        )
        database.save_interface(shipped_interfaces()[0])
        database.save_contact(contact_document(LITHIUM, LLZO, samples=10))
        database.save_contacts(contact(temperature_K=float(n)) for n in range(250))
        database.save_cell(cell)
        database.save_calculation({"hash": "abc", "energy_eV": -1.0, "nothing": float("nan")})
        database.save_failure({"hash": "def", "engine": "gpaw", "reason": "no"})


def content(settings):
    with Database.open(settings) as database:
        return {
            name: {
                one["_id"]: json.dumps(database.whole(name, one), sort_keys=True)
                for one in database.stored_documents(name)
            }
            for name in COLLECTIONS
        }


def test_to_a_server_and_back(tmp_path, use_server, interohm):
    folder = Settings(data=tmp_path / "first", mongodb_uri=None)
    fill(folder)
    before = content(folder)
    assert [len(of_one) for of_one in before.values()] == [2, 251, 1, 1, 1, 1, 0, 0]
    said = interohm("migrate", "--from", folder.data)
    assert said.code == 0
    assert "2 materials, 251 contacts, 1 cells" in said.err
    assert content(Settings()) == before
    again = interohm("migrate", "--from", folder.data)
    assert "nothing" in again.err
    assert "257 documents were already there" in again.err
    assert interohm("migrate", "--to", tmp_path / "second").code == 0
    second = Settings(data=tmp_path / "second", mongodb_uri=None)
    assert content(second) == before
    with Database.open(Settings()) as database:
        indexes = database._backend.collection("contacts").index_information()
        assert "rows.resistance_ohm_cm2_1" in indexes
        assert database.rows("contacts", "temperature == 7")[0]["left"] == "Li"
        blobs = database._backend.collection("blobs.files").count_documents({})
    assert blobs == 253  # of contacts and the cell, and the large part; none twice


@pytest.fixture
def two(tmp_path):
    return (
        Settings(data=tmp_path / "one", mongodb_uri=None),
        Settings(data=tmp_path / "two", mongodb_uri=None),
    )


def test_what_is_there_stays(two, monkeypatch, interohm):
    one, other = two
    with Database.open(one, write=True) as database:
        database.save_contact(contact(potential_drop_V=1.0))
        database.save_contact(contact(temperature_K=350.0))
        database.save_failure({"hash": "abc", "engine": "gpaw", "reason": "no"})
        database.save_failure({"hash": "def", "engine": "gpaw", "reason": "no"})
    with Database.open(other, write=True) as database:
        database.save_contact(contact(potential_drop_V=2.0))
        database.save_calculation({"hash": "abc", "energy_eV": -1.0})
    monkeypatch.setenv("INTEROHM_DATA", str(other.data))
    said = interohm("migrate", "--from", one.data)
    assert said.code == 0
    assert "has a different one, which is kept" in said.err
    with Database.open(other) as database:
        drops = {row["temperature_K"]: row["potential_drop_V"] for row in database.rows("contacts")}
        assert drops == {300.0: 2.0, 350.0: 1.9}
        # what was calculated has not failed
        assert [one["hash"] for one in database.query("failures")] == ["def"]


def test_damaged_documents_are_left_out_and_mended(two, monkeypatch, interohm):
    one, other = two
    for settings in two:
        with Database.open(settings, write=True) as database:
            database.save_contacts(contact(temperature_K=float(n)) for n in range(4))

    def damage(settings, number):
        with Database.open(settings, write=True) as database:
            opened = database._backend.collection("contacts")
            document = opened.find_one({"temperature_K": float(number)})
            opened.replace_one({"_id": document["_id"]}, {**document, "potential_drop_V": 9.0})

    damage(one, 1)
    damage(other, 2)
    monkeypatch.setenv("INTEROHM_DATA", str(other.data))
    said = interohm("migrate", "--from", one.data)
    assert said.code == 2
    assert "a document is damaged" in said.err
    assert "1 contacts" in said.err  # the target's is written anew
    with Database.open(other) as database:
        assert [one["potential_drop_V"] for one in database.query("contacts")] == [1.9] * 4


COPY = """
import sys
from pathlib import Path
from interohm.database import Database
from interohm.database.transfer import copy_documents
from interohm.settings import Settings
one, other = (
    Settings() if name == "server" else Settings(data=Path(name), mongodb_uri=None)
    for name in sys.argv[1:]
)
with Database.open(one) as source, Database.open(other, write=True) as target:
    copy_documents(source, target, lambda count: print(count, flush=True))
"""


def test_a_copy_that_is_killed_goes_on(two):
    goes_on_after_a_kill(*two)


def test_a_copy_to_a_server_or_back_that_is_killed_goes_on(two, use_server):
    first, second = two
    goes_on_after_a_kill(first, Settings())
    goes_on_after_a_kill(Settings(), second, filled=True)
    assert content(first) == content(second)


def goes_on_after_a_kill(one, other, *, filled=False):
    if not filled:
        with Database.open(one, write=True) as database:
            database.save_contacts(contact(temperature_K=float(n)) for n in range(700))
            database.save_material(LITHIUM)
    places = ["server" if place.mongodb_uri else str(place.data) for place in (one, other)]
    command = [sys.executable, "-c", COPY, *places]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ}
    ) as process:
        for _ in range(3):
            process.stdout.readline()
        process.kill()
    with Database.open(one) as source, Database.open(other, write=True) as target:
        kept = target.count("contacts")
        made = copy_documents(source, target)
        assert kept >= 200
        assert made.present == kept + 1
        assert made.copied["contacts"] == 700 - kept
        assert number_of_blobs(target) >= 700
        if isinstance(target._backend, Folder):  # a document and its blob come together, or not
            assert number_of_blobs(target) == 700
    assert content(one) == content(other)


def number_of_blobs(database):
    if isinstance(database._backend, Folder):
        return database._backend.execute("SELECT count(*) FROM blobs").fetchone()[0]
    return database._backend.collection("blobs.files").count_documents({})


def test_what_is_no_copy_is_explained(tmp_path, refused, monkeypatch):
    monkeypatch.setenv("INTEROHM_DATA", str(tmp_path / "data"))
    assert "no database in this folder" in refused("migrate", "--from", tmp_path / "none")
    assert "both databases are this folder" in refused("migrate", "--to", tmp_path / "data")
    assert "give one of them" in refused("migrate", "--to", "a", "--from", "b")
    assert not (tmp_path / "data").exists()
