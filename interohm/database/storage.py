"""Storage of documents on a MongoDB server, and the lock for writing into a folder.

A server and a folder (`interohm.database.folder`) hand out collections that answer to the same
methods, and keep what is too large for a document as a blob.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from interohm.database.schema import EARLIER, KEY_PATH, VERSION_FIELD
from interohm.errors import InputError
from interohm.files import open_plain
from interohm.settings import Settings, has_batch_system, uri_host, without_secrets

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
    "dynamics": (
        ("cell",),
        ("rows.cell", "rows.temperature_K"),
        ("rows.capacity_mAh_cm2",),
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
    "failures": (("engine",), ("rows.formula",), ("key",), ("job",), ("schema_version",)),
    # the outputs of jobs, as jobflow asks for them
    "jobs": (("uuid", "index"), ("index",)),
    "job_data.files": (("metadata.blob_uuid",), ("metadata.job_uuid", "metadata.job_index")),
}

_SERVER_TIMEOUT_MS = 5000
_UPSERT_ATTEMPTS = 5
_LOCK_POLL_S = 0.1


class ServerUnreachableError(InputError):
    """The URI is unusable, or no server answers there."""


class Server:
    """A MongoDB server, or one that speaks its protocol."""

    def __init__(self, settings: Settings, client: Any) -> None:
        assert settings.mongodb_uri is not None
        self.settings = settings
        self.location = f"mongodb {uri_host(settings.mongodb_uri)}/{settings.mongodb_database}"
        self._database = client[settings.mongodb_database]

    @classmethod
    @contextlib.contextmanager
    def open(cls, settings: Settings) -> Iterator[Server]:
        """Connect, and disconnect at the end of the block.

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
                "runs and that this machine may reach it"
                # a queue's workers have no folder that all of them may write
                + ("" if has_batch_system() else "; or unset it to use a local folder"),
            ) from None
        with client:
            yield cls(settings, client)

    def make_indexes(self) -> None:
        """Make the indexes of all that is looked up; one that is there stays."""
        from pymongo import IndexModel

        with self.errors():
            for name, indexes in INDEXES.items():
                models = [IndexModel([(field, 1) for field in fields]) for fields in indexes]
                self.collection(name).create_indexes(models)

    def collection(self, name: str) -> Any:
        """Return the server's collection."""
        return self._database[name]

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Do nothing: servers that stand alone have no transactions; the order of writes counts."""
        yield

    def earlier(self, name: str) -> Iterator[dict[str, Any]]:
        """Yield the documents that an earlier version of the program wrote."""
        yield from self.collection(name).find({VERSION_FIELD: {"$in": list(EARLIER)}})

    def without_key(self) -> list[str]:
        """Return the ``_id`` of calculations that have no key yet, in their rows."""
        found = self.collection("calculations").find({KEY_PATH: {"$exists": False}}, {"_id": 1})
        return [document["_id"] for document in found]

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
                "a document exceeds the 16 MB that a MongoDB server accepts",
                where=self.location,
                fix="shorten the texts in its record or configuration, or keep it "
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
def writers_lock(path: Path, *, shared: bool, wait_s: float) -> Iterator[None]:
    """Hold the folder's lock for writing, or say who has it.

    The kernel frees the lock when its process ends, however it ends.

    Parameters
    ----------
    path : Path
        The folder; made where it does not exist.
    shared : bool
        Beside other processes that share it, never beside one that has it alone.
    wait_s : float
        How long to wait for it.
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
        end = time.monotonic() + wait_s
        while not _locked(file, path, shared=shared):
            if time.monotonic() >= end:
                file.seek(0)
                holder = file.read().strip() or "unknown"
                raise InputError(
                    f"another process writes to this database: {holder}",
                    where=str(path),
                    fix="wait for it or end it; commands that only read work meanwhile; set "
                    "INTEROHM_MONGODB_URI for many writers at once",
                )
            time.sleep(_LOCK_POLL_S)
        file.seek(0)
        file.truncate()
        file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
        file.flush()
        yield


def _locked(file: IO[str], path: Path, *, shared: bool) -> bool:
    """Take a lock if nobody is in the way."""
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise InputError(
            f"the data folder's file system does not support file locks: {error.strerror}",
            where=str(path),
            fix="let INTEROHM_DATA name a folder on another file system",
        ) from None
    return True
