"""Project folders that earlier versions made: MontyDB's SQLite files, one a collection.

They are read as they are. `moved` writes all of one into today's file.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from interohm.database.conditions import Condition
from interohm.database.criteria import matcher
from interohm.database.folder import (
    FILE_NAME,
    Document,
    Folder,
    FolderCollection,
    connected,
    file_errors,
)
from interohm.errors import InputError

#: Files that MontyDB made beside the folder of collections.
_ENGINE, _SETTINGS, _COLLECTIONS = ".monty.storage", "monty.storage.cfg", "interohm"

#: Where the files of a folder that was moved are kept.
KEPT = "before-migration"

_BATCH = 200


class EarlierFolder:
    """The database of such a folder, for reading.

    Parameters
    ----------
    path : Path
        The folder.

    Raises
    ------
    InputError
        It names another storage engine.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.location = path, str(path)
        self._check_engine()

    @staticmethod
    def exists(path: Path) -> bool:
        """Return whether the folder contains such a database."""
        return (path / _SETTINGS).is_file()

    def names(self) -> list[str]:
        """Return the names of its collections."""
        return sorted(file.stem for file in (self.path / _COLLECTIONS).glob("*.collection"))

    def close(self) -> None:
        """Close nothing: files are open while they are read."""

    def collection(self, name: str) -> FolderCollection:
        """Return a collection for reading."""
        return _EarlierCollection(self, name)

    def row_positions(
        self, name: str, condition: Condition | None, sort: str | None, *, descending: bool
    ) -> list[tuple[int, int]]:
        """Return nothing: there is no table of rows."""
        return []

    def not_in_rows(self, name: str) -> Iterator[Document]:
        """Yield all documents."""
        yield from self.documents(name)

    def without_key(self) -> list[str]:
        """Return the ``_id`` of calculations that may have no key."""
        return [document["_id"] for document in self.documents("calculations")]

    def documents(self, name: str, id: Any = None) -> Iterator[Document]:
        """Yield the documents of a collection, or the one of an ``_id``."""
        from bson import decode, encode

        file = self.path / _COLLECTIONS / f"{name}.collection"
        if not file.is_file() or file.stat().st_size == 0:
            return  # killed while it made the collection
        narrowed, values = "", []
        if id is not None:
            # of BSON the value alone
            narrowed, values = "AND k = ?", [encode({"": id})[6:-1]]
        with self.errors(file), contextlib.closing(connected(file, write=False)) as connection:
            last = -1
            while True:
                found = connection.execute(
                    f"SELECT rowid, v FROM documents WHERE rowid > ? {narrowed} "
                    f"ORDER BY rowid LIMIT {_BATCH}",
                    [last, *values],
                ).fetchall()
                for number, content in found:
                    last = number
                    yield decode(content)
                if len(found) < _BATCH:
                    return

    def get_blob(self, key: str) -> bytes | None:
        """Read the file; None if there is none."""
        path = self.path / "blobs" / f"{key}.json.gz"
        return path.read_bytes() if path.is_file() else None

    @contextlib.contextmanager
    def errors(self, file: Path | None = None) -> Iterator[None]:
        """Name the file that is damaged, or say who is in the way."""
        with file_errors(file or self.path, self.location):
            yield

    def _check_engine(self) -> None:
        """Refuse a folder that names another engine: its files are not what they seem."""
        engine = self.path / _ENGINE
        # of a kilobyte, as a folder of others may hold anything
        named = engine.open("rb").read(1024).strip() if engine.is_file() else b""
        settings = (self.path / _SETTINGS).open("rb").read(65536).decode(errors="replace")
        written = re.findall(r"^\s*journal_mode\s*[=:]\s*(.*?)\s*$", settings, re.M | re.I)
        if named != b"sqlite" or any(re.fullmatch("[A-Za-z]+", mode) is None for mode in written):
            raise InputError(
                f"the folder is not a database of interohm: its file {_ENGINE} or {_SETTINGS} "
                "names something other than SQLite",
                where=self.location,
                fix="find out who wrote it; a database of this program has only the word sqlite in "
                f"{_ENGINE}",
            )


class _EarlierCollection(FolderCollection):
    def __init__(self, folder: EarlierFolder, name: str) -> None:
        self._earlier, self._name = folder, name

    def count_documents(self, filter: Mapping[str, Any]) -> int:
        """Return how many documents fit."""
        return sum(1 for _ in self._fitting(filter))

    def _fitting(self, criteria: Mapping[str, Any]) -> Iterator[Document]:
        test = matcher(criteria)
        asked = criteria.get("_id")
        id = asked if isinstance(asked, str) else None
        for document in self._earlier.documents(self._name, id):
            if test(document):
                yield document


def moved(path: Path) -> dict[str, int]:
    """Write all documents of such a folder into today's file; return how many, by collection.

    The earlier files are kept in the folder ``before-migration``. Killed, it leaves the earlier
    database as it was, and starts again the next time. Only one process may do it.

    Parameters
    ----------
    path : Path
        The folder.

    Raises
    ------
    InputError
        A file cannot be read or written.
    """
    earlier = EarlierFolder(path)
    done: dict[str, int] = {}
    if not Folder.exists(path):  # else it was cut off after that
        done = _written(earlier, path)
    kept = path / KEPT
    kept.mkdir(exist_ok=True)
    for name in (_SETTINGS, _ENGINE, _COLLECTIONS, "blobs"):
        if (path / name).exists():
            os.replace(path / name, kept / name)
    return done


def _written(earlier: EarlierFolder, path: Path) -> dict[str, int]:
    """Write today's file under another name, and give it its own once it is whole."""
    partial = f"{FILE_NAME}.partial"
    for name in (partial, f"{partial}-journal"):
        (path / name).unlink(missing_ok=True)
    made = Folder(path, write=True, file_name=partial)
    done = {}
    with contextlib.closing(made), made.errors(), made.transaction():
        for name in earlier.names():
            done[name] = 0
            for document in earlier.documents(name):
                made.put(name, document)
                done[name] += 1
        for file in sorted((path / "blobs").glob("*.json.gz")):
            made.put_blob(file.name.removesuffix(".json.gz"), file.read_bytes())
    os.replace(path / partial, path / FILE_NAME)
    return done
