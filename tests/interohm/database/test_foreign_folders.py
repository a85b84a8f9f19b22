"""A data folder that somebody else prepared: nothing outside of it is written, imported or run."""

from __future__ import annotations

import os
import stat
import sys

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


@pytest.mark.parametrize("write", [True, False])
@pytest.mark.parametrize(
    "named", ["poison", "flatfile", "memory", "os", "", None, "sqlite\npoison"]
)
def test_another_engine_is_never_imported(own, tmp_path, monkeypatch, named, write):
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "poison.py").write_text("raise AssertionError('imported')")
    monkeypatch.syspath_prepend(str(tmp_path / "path"))
    engine = own.data / ".monty.storage"
    if named is None:
        engine.unlink()
    else:
        engine.write_text(named)
    with (
        pytest.raises(InputError, match=r"names something else than SQLite") as caught,
        Database.open(own, write=write) as database,
    ):
        database.query("contacts")
    assert str(own.data) in str(caught.value)
    assert "poison" not in sys.modules


def test_settings_of_the_engine_are_no_commands(own, tmp_path):
    config = own.data / "monty.storage.cfg"
    attack = f"DELETE; ATTACH DATABASE '{tmp_path / 'written'}' AS x; CREATE TABLE x.t (a)"
    config.write_text(config.read_text().replace("DELETE", attack))
    with (
        pytest.raises(InputError, match="names something else than SQLite"),
        Database.open(own) as database,
    ):
        database.query("contacts")
    assert not (tmp_path / "written").exists()


@pytest.mark.parametrize("kind", ["link", "dangling", "pipe", "folder"])
def test_a_lock_that_is_no_file(own, tmp_path, kind):
    lock, precious = own.data / ".writer.lock", tmp_path / "precious"
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
