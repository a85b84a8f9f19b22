"""A data folder that somebody else prepared: nothing outside of it is written, imported or run."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys

import montydb
import pytest

from interohm.database import Database
from interohm.errors import InputError
from interohm.files import atomic_file, open_plain
from interohm.prediction.contact import contact_document
from interohm.records.shipped import shipped_material
from interohm.settings import Settings


@pytest.fixture
def own(tmp_path):
    """A project with one contact."""
    settings = Settings(data=tmp_path / "data")
    contact = contact_document(shipped_material("Li"), shipped_material("LLZO"), samples=10)
    with Database.open(settings, write=True) as database:
        database.save_contact(contact)
    return settings


@pytest.fixture
def earlier(tmp_path):
    """A project that an earlier version of the program began."""
    settings = Settings(data=tmp_path / "earlier")
    montydb.set_storage(str(settings.data), storage="sqlite", use_bson=True, journal_mode="DELETE")
    contacts = montydb.MontyClient(str(settings.data))["interohm"]["contacts"]
    contacts.insert_one({"_id": "a", "left": "Li", "right": "LiF"})
    return settings


@pytest.mark.parametrize("write", [True, False])
@pytest.mark.parametrize(
    "named", ["poison", "flatfile", "memory", "os", "", None, "sqlite\npoison"]
)
def test_another_engine_is_never_imported(earlier, tmp_path, monkeypatch, named, write):
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "poison.py").write_text("raise AssertionError('imported')")
    monkeypatch.syspath_prepend(str(tmp_path / "path"))
    engine = earlier.data / ".monty.storage"
    if named is None:
        engine.unlink()
    else:
        engine.write_text(named)
    with (
        pytest.raises(InputError, match=r"names something other than SQLite") as caught,
        Database.open(earlier, write=write) as database,
    ):
        database.query("contacts")
    assert str(earlier.data) in str(caught.value)
    with pytest.raises(InputError, match=r"names something other than SQLite"):
        Database.move_earlier_folder(earlier)
    assert "poison" not in sys.modules


def test_settings_of_the_engine_are_no_commands(earlier, tmp_path):
    config = earlier.data / "monty.storage.cfg"
    attack = f"DELETE; ATTACH DATABASE '{tmp_path / 'written'}' AS x; CREATE TABLE x.t (a)"
    config.write_text(config.read_text().replace("DELETE", attack))
    with (
        pytest.raises(InputError, match="names something other than SQLite"),
        Database.open(earlier) as database,
    ):
        database.query("contacts")
    assert not (tmp_path / "written").exists()


@pytest.mark.parametrize("write", [True, False])
@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_a_database_that_is_no_file(own, tmp_path, kind, write):
    file, precious = own.data / "interohm.sqlite", tmp_path / "precious"
    file.rename(precious)
    before = precious.read_bytes()
    if kind == "link":
        file.symlink_to(precious)
    elif kind == "pipe":
        os.mkfifo(file)
    else:
        file.mkdir()
    with (
        pytest.raises(InputError, match="a link or a special file"),
        Database.open(own, write=write),
    ):
        pass
    assert precious.read_bytes() == before


@pytest.mark.parametrize("write", [True, False])
@pytest.mark.parametrize(
    "act",
    [
        "CREATE TRIGGER t AFTER INSERT ON documents BEGIN DELETE FROM documents; END",
        "CREATE VIEW v AS SELECT * FROM documents",
        "CREATE VIRTUAL TABLE f USING fts5(a)",
        "PRAGMA application_id = 5",
    ],
)
def test_a_database_that_acts(own, act, write):
    with sqlite3.connect(own.data / "interohm.sqlite") as file:
        file.execute(act)
    with (
        pytest.raises(InputError, match="not a database of interohm"),
        Database.open(own, write=write),
    ):
        pass


@pytest.mark.parametrize("write", [True, False])
def test_a_journal_that_names_another_file(own, tmp_path, write):
    """As SQLite writes it for a transaction over two files; it removes the file in the end."""
    journal = own.data / "interohm.sqlite-journal"
    precious = tmp_path / "precious"
    precious.write_text("precious")
    named = str(precious).encode()
    journal.write_bytes(
        bytes.fromhex("d9d505f920a163d7")
        + bytes(504)
        + (1).to_bytes(4)
        + named
        + len(named).to_bytes(4)
        + sum(named).to_bytes(4)
        + bytes.fromhex("d9d505f920a163d7")
    )
    with pytest.raises(InputError, match="names another file"), Database.open(own, write=write):
        pass
    assert precious.read_text() == "precious"


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files to another user")
def test_the_journal_of_somebody_else_is_not_played_back(own, tmp_path):
    """What stands in a journal acts on files: it may name one that is removed in the end."""
    code = (
        "import os, sqlite3, sys\n"
        "file = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "file.execute('PRAGMA cache_size = 1')\n"
        "file.execute('BEGIN IMMEDIATE')\n"
        "file.execute('CREATE TABLE x AS SELECT zeroblob(1000000)')\n"
        "os._exit(0)\n"
    )
    subprocess.run([sys.executable, "-c", code, own.data / "interohm.sqlite"], check=True)
    journal = own.data / "interohm.sqlite-journal"
    left = journal.read_bytes()
    assert left
    for path in (own.data / "interohm.sqlite", journal):
        os.chown(path, 65534, 65534)
    with pytest.raises(InputError), Database.open(own) as database:
        database.query("contacts")
    assert journal.read_bytes() == left
    # a writer's own is: what was left half done is taken back
    os.chown(own.data / "interohm.sqlite", 0, 0)
    with Database.open(own) as database:
        assert len(database.query("contacts")) == 1
    assert not journal.exists()


@pytest.mark.parametrize("name", [".writer.lock", ".turns.lock"])
@pytest.mark.parametrize("kind", ["link", "dangling", "pipe", "folder"])
def test_a_lock_that_is_no_file(own, tmp_path, kind, name):
    lock, precious = own.data / name, tmp_path / "precious"
    lock.unlink()
    if kind == "link":
        precious.write_text("precious")
        lock.symlink_to(precious)
    elif kind == "dangling":
        lock.symlink_to(tmp_path / "made")
    elif kind == "pipe":
        os.mkfifo(lock)
    else:
        lock.mkdir()
    with (
        pytest.raises(InputError, match="a link or a special file"),
        Database.open(own, write=True),
    ):
        pass
    assert not (tmp_path / "made").exists()
    assert kind != "link" or precious.read_text() == "precious"


def test_all_files_have_one_mode(own):
    modes = {
        stat.S_IMODE(path.stat().st_mode)
        for path in own.data.rglob("*")
        if path.is_file() and path.suffix != ".lock"
    }
    mask = os.umask(0)
    os.umask(mask)
    assert modes == {0o666 & ~mask}


def test_a_whole_file_replaces_a_link(tmp_path):
    precious, file = tmp_path / "precious", tmp_path / "file"
    precious.write_text("precious")
    file.symlink_to(precious)
    with atomic_file(file) as stream:
        stream.write(b"new")
    assert precious.read_text() == "precious"
    assert file.read_bytes() == b"new"
    with pytest.raises(TypeError), atomic_file(file) as stream:
        stream.writelines([b"half", "text"])
    assert file.read_bytes() == b"new"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "precious"]


def test_plain_files_are_appended_to(tmp_path):
    for text in ("a", "b"):
        with open_plain(tmp_path / "lock") as file:
            file.write(text)
    assert (tmp_path / "lock").read_text() == "ab"
