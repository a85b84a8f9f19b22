"""Where documents lie: a folder of this project, a MongoDB server, or nowhere yet.

The two real backends hand out collections that answer to the same methods (MontyDB mimics
pymongo), and keep what is too large for a document as a blob: a file, or a GridFS entry.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interohm.errors import InputError
from interohm.files import atomic_file, open_plain
from interohm.settings import Settings, uri_host, without_secrets

if TYPE_CHECKING:
    pass

#: Fields that people ask by; ``_id`` (the natural key) is indexed by itself.
INDEXES: dict[str, tuple[tuple[str, ...], ...]] = {
    "materials": (("kind",), ("mobile_ion",), ("rows.elements",), ("schema_version",)),
    "contacts": (
        ("left", "right"),
        ("resistance.interface_resistance_ohm_cm2",),
        ("potential_drop_V",),
        ("rows.left", "rows.right", "rows.temperature_K"),
        ("rows.resistance_ohm_cm2",),
        ("rows.space_charge_ohm_cm2",),
        ("rows.potential_drop_V",),
        ("rows.electron_barrier_eV",),
        ("schema_version",),
    ),
    "cells": (
        ("cell",),
        ("states.area_specific_resistance_ohm_cm2",),
        ("rows.cell", "rows.temperature_K"),
        ("rows.layers",),
        ("rows.resistance_ohm_cm2",),
        ("rows.open_circuit_voltage_V",),
        ("rows.electron_barrier_eV",),
        ("schema_version",),
    ),
    "impedances": (
        ("cell",),
        ("rows.cell", "rows.temperature_K"),
        ("rows.dc_resistance_ohm_cm2",),
        ("schema_version",),
    ),
    "interfaces": (("left",), ("right",), ("schema_version",)),
    "calculations": (
        ("engine",),
        ("kind",),
        ("rows.formula",),
        ("rows.key",),
        ("schema_version",),
    ),
    "failures": (("engine",), ("rows.formula",), ("schema_version",)),
}

FOLDER_DATABASE = "interohm"
# A rollback journal instead of MontyDB's default WAL: it also works on the network file systems of
# clusters, and reading leaves no files behind.
FOLDER_STORAGE = {"use_bson": True, "mongo_version": "4.2", "journal_mode": "DELETE"}
_SERVER_TIMEOUT_MS = 5000
_UPSERT_ATTEMPTS = 5


class ServerUnreachableError(InputError):
    """The URI is unusable, or no server answers there."""


class Folder:
    """MontyDB over SQLite in a project folder.

    Parameters
    ----------
    path : Path
        The folder.
    create : bool
        Create it where it does not exist; only with `sole_writer` held.
    """

    def __init__(self, path: Path, *, create: bool) -> None:
        self.path = path
        self.location = str(path)
        with self.errors():
            from montydb import MontyClient, set_storage

            self._check_engine()
            if create and not self.exists(path):
                set_storage(str(path), storage="sqlite", **FOLDER_STORAGE)
            if create:
                # A process killed while it created a collection leaves an empty file behind.
                for file in (path / FOLDER_DATABASE).glob("*.collection"):
                    if file.stat().st_size == 0:
                        file.unlink()
            self.client = MontyClient(str(path))

    @staticmethod
    def exists(path: Path) -> bool:
        """Whether there is a database in the folder."""
        return (path / "monty.storage.cfg").is_file()

    def _check_engine(self) -> None:
        """Refuse a folder that names another engine: MontyDB would import what stands there.

        Of the engine's settings one goes into a command of SQLite's as it is.
        """
        if not self.exists(self.path):
            return
        engine = self.path / ".monty.storage"
        # of a kilobyte, as a folder of others may hold anything
        named = engine.open("rb").read(1024).strip() if engine.is_file() else b""
        settings = (self.path / "monty.storage.cfg").open("rb").read(65536).decode(errors="replace")
        written = re.findall(r"^\s*journal_mode\s*[=:]\s*(.*?)\s*$", settings, re.M | re.I)
        if named != b"sqlite" or any(re.fullmatch("[A-Za-z]+", mode) is None for mode in written):
            raise InputError(
                "the folder is no database of this program: its file .monty.storage or "
                "monty.storage.cfg names something else than SQLite",
                where=self.location,
                fix="find out who wrote it; a database of this program has the one word sqlite in "
                ".monty.storage",
            )

    def collection(self, name: str) -> Any:
        """Return a collection with pymongo's methods."""
        return self.client[FOLDER_DATABASE][name]

    def replace(self, name: str, document: dict[str, Any]) -> dict[str, Any] | None:
        """Insert a document, or replace the one of this ``_id`` and return it."""
        opened, key = self.collection(name), {"_id": document["_id"]}
        replaced: dict[str, Any] | None = opened.find_one(key)
        opened.replace_one(key, document, upsert=True)
        return replaced

    @contextlib.contextmanager
    def errors(self) -> Iterator[None]:
        """Name the damaged file, or say who is in the way."""
        import configparser

        from bson.errors import InvalidBSON
        from montydb.errors import MontyError, OperationFailure

        try:
            yield
        except OperationFailure as error:
            # the criteria, not the database: whoever asked explains it
            raise ValueError(str(error)) from error
        except sqlite3.OperationalError as error:
            raise InputError(
                f"the database cannot be used: {error}",
                where=self.location,
                fix="check the folder's permissions and the free disk space; if it is locked, "
                "another process is writing: try again",
            ) from error
        except (sqlite3.DatabaseError, InvalidBSON, UnicodeDecodeError) as error:
            raise InputError(
                f"the database is damaged: {error}",
                where=", ".join(str(path) for path in self._damaged()) or self.location,
                fix="move the file away (its documents are lost; calculations will run again), "
                "or restore it from a backup",
            ) from error
        except (OSError, configparser.Error, MontyError) as error:
            raise InputError(
                f"the database cannot be used: {error}",
                where=self.location,
                fix="check the folder and its permissions, or let INTEROHM_DATA name another",
            ) from error

    def _damaged(self) -> list[Path]:
        damaged = []
        for path in sorted((self.path / FOLDER_DATABASE).glob("*.collection")):
            try:
                with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as file:
                    [(verdict,)] = file.execute("PRAGMA quick_check(1)").fetchall()
            except sqlite3.Error:
                verdict = "unreadable"
            if verdict != "ok":
                damaged.append(path)
        return damaged

    def _blob(self, key: str) -> Path:
        return self.path / "blobs" / f"{key}.json.gz"

    def put_blob(self, key: str, content: bytes) -> None:
        """Write a file, whole or not at all."""
        path = self._blob(key)
        path.parent.mkdir(exist_ok=True)
        with atomic_file(path) as file:
            file.write(content)

    def get_blob(self, key: str) -> bytes | None:
        """Read the file; None if there is none."""
        path = self._blob(key)
        return path.read_bytes() if path.is_file() else None

    def drop_blob(self, key: str) -> None:
        """Remove the file."""
        self._blob(key).unlink(missing_ok=True)


class Server:
    """A MongoDB server, or one that speaks its protocol."""

    def __init__(self, settings: Settings, client: Any) -> None:
        assert settings.mongodb_uri is not None
        self.settings = settings
        self.location = f"mongodb {uri_host(settings.mongodb_uri)}/{settings.mongodb_database}"
        self._database = client[settings.mongodb_database]

    @classmethod
    @contextlib.contextmanager
    def open(cls, settings: Settings, *, write: bool) -> Iterator[Server]:
        """Connect, make the indexes when writing, and disconnect at the end of the block.

        Raises
        ------
        ServerUnreachableError
            The URI is unusable or the server does not answer; the message has no credentials.
        """
        from pymongo import MongoClient
        from pymongo.errors import PyMongoError

        assert settings.mongodb_uri is not None
        host = uri_host(settings.mongodb_uri)
        try:
            client: Any = MongoClient(
                settings.mongodb_uri.get_secret_value(),
                serverSelectionTimeoutMS=_SERVER_TIMEOUT_MS,
                appname="interohm",
            )
            client.admin.command("ping")
        except (PyMongoError, ValueError) as error:
            # The driver's own words may quote the URI: only the kind of error is passed on.
            raise ServerUnreachableError(
                f"the MongoDB server cannot be reached ({type(error).__name__})",
                where=host,
                fix="check INTEROHM_MONGODB_URI (host, port, user, password), that the server "
                "runs and that this machine may reach it; or unset it to use a local folder",
            ) from None
        with client:
            server = cls(settings, client)
            if write:
                with server.errors():
                    for name, indexes in INDEXES.items():
                        for fields in indexes:
                            server.collection(name).create_index([(field, 1) for field in fields])
            yield server

    def collection(self, name: str) -> Any:
        """Return the server's collection."""
        return self._database[name]

    def replace(self, name: str, document: dict[str, Any]) -> dict[str, Any] | None:
        """Insert a document, or replace the one of this ``_id`` and return it.

        One step on the server, so that of two writers each gets back what it replaced itself.
        """
        from pymongo.errors import DuplicateKeyError

        opened, key = self.collection(name), {"_id": document["_id"]}
        for attempt in range(_UPSERT_ATTEMPTS):
            try:
                replaced: dict[str, Any] | None = opened.find_one_and_replace(
                    key, document, upsert=True
                )
            except DuplicateKeyError:
                # two writers inserted at once, and the other was first: replace what it wrote
                if attempt == _UPSERT_ATTEMPTS - 1:
                    raise
            else:
                break
        return replaced

    @contextlib.contextmanager
    def errors(self) -> Iterator[None]:
        """Name the host, never the credentials."""
        from pymongo.errors import ConnectionFailure, DocumentTooLarge, PyMongoError

        assert self.settings.mongodb_uri is not None
        try:
            yield
        except ConnectionFailure as error:
            raise InputError(
                f"the connection to the MongoDB server was lost ({type(error).__name__})",
                where=self.location,
                fix="check that the server still runs, then repeat the command",
            ) from None
        except DocumentTooLarge as error:
            raise InputError(
                "a document has more than the 16 MB that a MongoDB server takes",
                where=self.location,
                fix="shorten what its record or configuration says beside the numbers, or keep it "
                "in a project folder (unset INTEROHM_MONGODB_URI)",
            ) from error
        except PyMongoError as error:
            message = str((getattr(error, "details", None) or {}).get("errmsg", error))
            raise InputError(
                "the database refuses the request: "
                + without_secrets(message, self.settings.mongodb_uri),
                where=self.location,
                fix="check the criteria, and that the user may read and write this database",
            ) from None

    def _blobs(self) -> Any:
        import gridfs

        return gridfs.GridFS(self._database, collection="blobs")

    def put_blob(self, key: str, content: bytes) -> None:
        """Put the content into GridFS."""
        self._blobs().put(content, _id=key)

    def get_blob(self, key: str) -> bytes | None:
        """Read from GridFS; None if it is not there, or not any more."""
        from gridfs.errors import CorruptGridFile, NoFile

        try:
            content: bytes = self._blobs().get(key).read()
        except (NoFile, CorruptGridFile):
            return None
        return content

    def drop_blob(self, key: str) -> None:
        """Delete from GridFS."""
        self._blobs().delete(key)


@contextlib.contextmanager
def sole_writer(path: Path) -> Iterator[None]:
    """Hold the folder's lock for writing, or say who has it.

    The kernel frees the lock when its process ends, however it ends.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        file = open_plain(path / ".writer.lock")
    except OSError as error:
        raise InputError(
            f"the data folder cannot be written: {error.strerror}",
            where=str(path),
            fix="check its permissions, or let INTEROHM_DATA name another folder",
        ) from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise InputError(
                f"another process writes to this database: {holder}",
                where=str(path),
                fix="wait for it or end it; reading commands work meanwhile; set "
                "INTEROHM_MONGODB_URI for many writers at once",
            ) from None
        except OSError as error:
            raise InputError(
                f"the data folder's file system does not lock files: {error.strerror}",
                where=str(path),
                fix="let INTEROHM_DATA name a folder on another file system",
            ) from None
        file.seek(0)
        file.truncate()
        file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
        file.flush()
        yield
