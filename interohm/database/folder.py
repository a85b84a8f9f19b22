"""A project folder's database: one SQLite file of documents, their rows, and blobs.

Documents are BSON, as a server has them. Beside each stand its flat rows in a table with a column
for every column of the collection, so that questions about rows read neither documents nor more
than they need. A document and its rows are written in one transaction, with a rollback journal: a
write-ahead log does not work on the network file systems of clusters.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import math
import os
import re
import sqlite3
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

from interohm.database.conditions import Condition
from interohm.database.criteria import matcher, sort_key
from interohm.database.rows import COLUMNS, kind_of
from interohm.database.schema import EARLIER, KEY_FIELD, ROWS_FIELD, VERSION, VERSION_FIELD
from interohm.errors import InputError
from interohm.files import open_plain

Document = dict[str, Any]

FILE_NAME = "interohm.sqlite"

#: Locked by whoever writes a document, one process after another.
TURNS_NAME = ".turns.lock"

#: Written into the file's header, so that another program's database is not taken for one of ours.
_APPLICATION_ID = 0x696F686D

#: Of the tables. With the version of the documents it stands in the header, too: rows of documents
#: of another version are created again.
_LAYOUT = 1
_FORMAT = 1000 * _LAYOUT + VERSION

#: The end of a journal of a transaction over several files.
_NAMES_ANOTHER = bytes.fromhex("d9d505f920a163d7")

#: How long a process waits while another one writes.
_BUSY_S = 60.0

#: Documents that are read in one go: between them others may write.
_BATCH = 200

#: The columns of rows; of the outputs of jobs those fields by which jobflow looks them up.
_ROW_COLUMNS: dict[str, tuple[str, ...]] = {
    **{name: tuple(columns) for name, columns in COLUMNS.items()},
    "calculations": (*COLUMNS["calculations"], KEY_FIELD),
    "jobs": ("uuid", "index"),
    "job_data": ("blob_uuid", "job_uuid", "job_index"),
}
#: Together, as they are asked.
_ROW_INDEXES: dict[str, tuple[tuple[str, ...], ...]] = {
    "contacts": (
        ("left", "right", "temperature_K"),
        ("resistance_ohm_cm2",),
        ("space_charge_ohm_cm2",),
        ("potential_drop_V",),
        ("electron_barrier_eV",),
    ),
    "cells": (
        ("cell", "temperature_K"),
        ("resistance_ohm_cm2",),
        ("open_circuit_voltage_V",),
        ("electron_barrier_eV",),
    ),
    "calculations": (("formula",), (KEY_FIELD,)),
    "failures": (("formula",),),
    "jobs": (("uuid", "index"),),
    "job_data": (("blob_uuid",), ("job_uuid", "job_index")),
}
_LISTS = frozenset(
    column for columns in COLUMNS.values() for column in columns if kind_of(column) is list
)

_SCHEMA = """
CREATE TABLE documents (
    number INTEGER PRIMARY KEY,
    collection TEXT NOT NULL,
    id NOT NULL,
    in_rows INTEGER NOT NULL,
    rows BLOB,
    content BLOB NOT NULL,
    UNIQUE (collection, id)
);
CREATE INDEX documents_in_order ON documents (collection);
CREATE INDEX documents_without_rows ON documents (collection) WHERE in_rows = 0;
CREATE TABLE blobs (name TEXT PRIMARY KEY, content BLOB NOT NULL);
"""


class Changed(NamedTuple):
    """Numbers of documents that a change affected, with pymongo's names."""

    modified_count: int = 0
    deleted_count: int = 0


class Folder:
    """The database of a project folder.

    Parameters
    ----------
    path : Path
        The folder.
    write : bool
        Whether documents may be written; makes the file where there is none.
    file_name : str
        The file within the folder.
    """

    def __init__(self, path: Path, *, write: bool, file_name: str = FILE_NAME) -> None:
        self.path, self.file, self.location = path, path / file_name, str(path)
        self._write = write
        self._turns: IO[str] | None = None
        #: Collections whose rows another version of the program wrote into other columns.
        self.other_columns: frozenset[str] = frozenset()
        with self.errors():
            self._connection = connected(self.file, write=write, create=write)
            try:
                if write:
                    self._turns = open_plain(path / TURNS_NAME)
                self._prepare()
            except BaseException:
                self.close()
                raise

    @staticmethod
    def exists(path: Path) -> bool:
        """Return whether the folder contains a database; an interrupted creation made none."""
        try:
            found = (path / FILE_NAME).lstat()
        except FileNotFoundError:
            return False
        return found.st_size > 0 or not stat.S_ISREG(found.st_mode)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
        if self._turns is not None:
            self._turns.close()

    def collection(self, name: str) -> FolderCollection:
        """Return a collection with those of pymongo's methods that the program uses."""
        return FolderCollection(self, name)

    def execute(self, text: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Execute a statement."""
        return self._connection.execute(text, values)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Write all that the block writes, or nothing; within another one a part of that."""
        if self._connection.in_transaction:
            yield
            return
        with self._turn():
            self.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        """Wait for one's turn to write: SQLite's own locks let who is quick go first, always."""
        if self._turns is None:
            yield
            return
        fcntl.flock(self._turns, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._turns, fcntl.LOCK_UN)

    def replace(self, name: str, document: Document) -> Document | None:
        """Insert a document, or replace the one of this ``_id`` and return it."""
        collection, key = self.collection(name), {"_id": document["_id"]}
        with self.transaction():
            replaced = collection.find_one(key)
            collection.replace_one(key, document, upsert=True)
        return replaced

    def row_positions(
        self, name: str, condition: Condition | None, sort: str | None, *, descending: bool
    ) -> list[tuple[int, int]]:
        """Return the rows that fit, in order: the number of each one's document, and its position.

        Parameters
        ----------
        name : str
            The collection.
        condition : Condition, optional
            On the columns.
        sort : str, optional
            A column; rows without a value come last. Otherwise by the documents' ``_id``.
        descending : bool
            The other way around.
        """
        if name in self.other_columns:
            # all of them are read from the documents (`not_in_rows`)
            return []
        text, values = ("1", []) if condition is None else condition.sqlite(_LISTS)
        order = "document_id, position"
        if sort is not None:
            order = f'"{sort}" IS NULL, "{sort}" {"DESC" if descending else "ASC"}, {order}'
        return self.execute(
            f'SELECT document, position FROM "rows_{name}" WHERE {text} ORDER BY {order}', values
        ).fetchall()

    def rows_at(self, numbers: Iterable[int]) -> dict[int, Document]:
        """Return documents by their numbers, with nothing but what a row needs."""
        wanted = ", ".join(map(str, numbers))
        found = self.execute(
            f"SELECT number, id, rows FROM documents WHERE in_rows = 1 AND number IN ({wanted})"
        )
        return {
            number: {"_id": _id(id), VERSION_FIELD: VERSION, **_decoded(rows)}
            for number, id, rows in found
        }

    def without_key(self) -> list[str]:
        """Return the ``_id`` of calculations that have no key yet, in their rows."""
        without = f"OR number IN (SELECT document FROM rows_calculations WHERE {KEY_FIELD} IS NULL)"
        if "calculations" in self.other_columns:
            without = "OR 1"
        found = self.execute(
            "SELECT id FROM documents "
            f"WHERE collection = 'calculations' AND (in_rows = 0 {without})"
        )
        return [_id(id) for (id,) in found]

    def earlier(self, name: str) -> Iterator[Document]:
        """Yield the documents that an earlier version of the program wrote."""
        for document in self.not_in_rows(name):
            if document.get(VERSION_FIELD) in EARLIER:
                yield document

    def not_in_rows(self, name: str) -> Iterator[Document]:
        """Yield the documents that a question about rows does not find in the table of rows."""
        where = "" if name in self.other_columns else " AND in_rows = 0"
        return self.documents(f"collection = ?{where}", (name,))

    def documents(self, where: str, values: Sequence[Any]) -> Iterator[Document]:
        """Yield documents in the order in which they came, a few at a time."""
        last = -1
        while True:
            found = self.execute(
                "SELECT number, id, rows, content FROM documents "
                f"WHERE {where} AND number > ? ORDER BY number LIMIT {_BATCH}",
                [*values, last],
            ).fetchall()
            for number, id, rows, content in found:
                last = number
                yield {"_id": _id(id), **_decoded(content), **_decoded(rows)}
            if len(found) < _BATCH:
                return

    def put_blob(self, key: str, content: bytes) -> None:
        """Keep a blob."""
        with self.transaction():
            self.execute("INSERT OR REPLACE INTO blobs VALUES (?, ?)", (key, content))

    def get_blob(self, key: str) -> bytes | None:
        """Return a blob; None if there is none."""
        found = self.execute("SELECT content FROM blobs WHERE name = ?", (key,)).fetchone()
        return None if found is None else bytes(found[0])

    def drop_blob(self, key: str) -> None:
        """Remove a blob."""
        with self.transaction():
            self.execute("DELETE FROM blobs WHERE name = ?", (key,))

    @contextlib.contextmanager
    def errors(self) -> Iterator[None]:
        """Name the file that is damaged, or say who is in the way."""
        with file_errors(self.file, self.location):
            yield

    def put(self, name: str, document: Document, number: int | None = None) -> None:
        """Write a document and its rows, over that of a number or as a new one."""
        from bson import encode

        content = {field: value for field, value in document.items() if field != ROWS_FIELD}
        id, rows = content.pop("_id"), None
        if ROWS_FIELD in document:
            rows = encode({ROWS_FIELD: document[ROWS_FIELD]})
        values = _row_values(name, document)
        stored = (int(values is not None), rows, encode(content))
        with self.transaction():
            if number is None:
                number = self.execute(
                    "INSERT INTO documents (collection, id, in_rows, rows, content) "
                    "VALUES (?, ?, ?, ?, ?)",
                    (name, _key(id), *stored),
                ).lastrowid
            else:
                self.execute(
                    "UPDATE documents SET in_rows = ?, rows = ?, content = ? WHERE number = ?",
                    (*stored, number),
                )
                self._drop_rows(name, number)
            if values:
                self._put_rows(name, number, str(id), values)

    def drop(self, name: str, numbers: Sequence[int]) -> None:
        """Remove documents and their rows."""
        with self.transaction():
            for number in numbers:
                self.execute("DELETE FROM documents WHERE number = ?", (number,))
                self._drop_rows(name, number)

    def _put_rows(self, name: str, number: int | None, id: str, rows: list[list[Any]]) -> None:
        marks = ", ".join("?" * (3 + len(_ROW_COLUMNS[name])))
        self._connection.executemany(
            f'INSERT INTO "rows_{name}" VALUES ({marks})',
            [(number, position, id, *values) for position, values in enumerate(rows)],
        )

    def _drop_rows(self, name: str, number: int) -> None:
        if name in _ROW_COLUMNS:
            self.execute(f'DELETE FROM "rows_{name}" WHERE document = ?', (number,))

    def _prepare(self) -> None:
        """Make the tables of a new file, and check those of one that was there."""
        objects = self.execute("SELECT type, sql FROM sqlite_master").fetchall()
        if not objects and self._write:
            with self.transaction():
                # of two that create at once the second finds what the first has made
                if not self.execute("SELECT 1 FROM sqlite_master").fetchall():
                    for statement in _SCHEMA.split(";\n"):
                        self.execute(statement)
                    self.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            objects = self.execute("SELECT type, sql FROM sqlite_master").fetchall()
        acts = [sql for kind, sql in objects if kind in ("trigger", "view") or _is_virtual(sql)]
        [(application,)] = self.execute("PRAGMA application_id").fetchall()
        [(format,)] = self.execute("PRAGMA user_version").fetchall()
        if application != _APPLICATION_ID or acts:
            raise InputError(
                "the file is not a database of interohm",
                where=str(self.file),
                fix="find out who wrote it, and move it away",
            )
        if format // 1000 > _LAYOUT:
            raise InputError(
                "the file was written by a later version of interohm",
                where=str(self.file),
                fix="update interohm",
            )
        self._check_columns(other_version=format != _FORMAT)

    def _check_columns(self, *, other_version: bool) -> None:
        """See whether rows stand in today's columns; a writer puts them there."""
        other = []
        for name, columns in _ROW_COLUMNS.items():
            there = [row[1] for row in self.execute(f'PRAGMA table_info("rows_{name}")')]
            if other_version or there != ["document", "position", "document_id", *columns]:
                other.append(name)
        if not self._write or not other:
            self.other_columns = frozenset(other)
            return
        with self.transaction():
            for name in other:
                self._remake_rows(name)
            self.execute(f"PRAGMA user_version = {_FORMAT}")

    def _remake_rows(self, name: str) -> None:
        self.execute(f'DROP TABLE IF EXISTS "rows_{name}"')
        columns = ", ".join(f'"{column}"' for column in _ROW_COLUMNS[name])
        self.execute(
            f'CREATE TABLE "rows_{name}" (document INTEGER, position INTEGER, document_id TEXT, '
            f"{columns}, PRIMARY KEY (document, position)) WITHOUT ROWID"
        )
        for fields in _ROW_INDEXES.get(name, ()):
            indexed = ", ".join(f'"{field}"' for field in fields)
            self.execute(
                f'CREATE INDEX "rows_{name}_{"_".join(fields)}" ON "rows_{name}" ({indexed})'
            )
        for document in self.documents("collection = ?", (name,)):
            number = self._number(name, document["_id"])
            values = _row_values(name, document)
            self.execute(
                "UPDATE documents SET in_rows = ? WHERE number = ?",
                (int(values is not None), number),
            )
            if values:
                self._put_rows(name, number, str(document["_id"]), values)

    def _number(self, name: str, id: Any) -> int | None:
        found = self.execute(
            "SELECT number FROM documents WHERE collection = ? AND id = ?", (name, _key(id))
        ).fetchone()
        return None if found is None else int(found[0])


class FolderCollection:
    """A collection of a folder, with pymongo's methods as far as the program uses them."""

    def __init__(self, folder: Folder, name: str) -> None:
        self._folder, self._name = folder, name

    def find(
        self,
        filter: Mapping[str, Any] | None = None,
        projection: Mapping[str, Any] | Sequence[str] | None = None,
        *,
        sort: Sequence[tuple[str, int]] | None = None,
        skip: int = 0,
        limit: int = 0,
    ) -> Iterator[Document]:
        """Yield the documents that fit MongoDB's criteria."""
        found = self._fitting(dict(filter or {}))
        if sort:
            kept = list(found)
            for field, direction in reversed(sort):
                kept.sort(key=sort_key(field, direction), reverse=direction < 0)
            found = iter(kept)
        for position, document in enumerate(found):
            if limit and position >= skip + limit:
                return
            if position >= skip:
                yield _projected(document, projection)

    def find_one(self, filter: Mapping[str, Any] | None = None) -> Document | None:
        """Return the first document that fits, or None."""
        return next(self.find(filter, limit=1), None)

    def count_documents(self, filter: Mapping[str, Any]) -> int:
        """Return how many documents fit."""
        if filter:
            return sum(1 for _ in self._fitting(filter))
        [(count,)] = self._folder.execute(
            "SELECT count(*) FROM documents WHERE collection = ?", (self._name,)
        ).fetchall()
        return int(count)

    def insert_one(self, document: Mapping[str, Any]) -> None:
        """Insert a document."""
        self.insert_many([document])

    def insert_many(self, documents: Iterable[Mapping[str, Any]]) -> None:
        """Insert documents in one transaction."""
        with self._folder.transaction():
            for document in documents:
                self._folder.put(self._name, {"_id": _new_id(), **document})

    def replace_one(
        self, filter: Mapping[str, Any], document: Mapping[str, Any], *, upsert: bool = False
    ) -> Changed:
        """Replace the first document that fits; insert one where none does, if asked."""
        with self._folder.transaction():
            found = self.find_one(filter)
            if found is not None:
                number = self._folder._number(self._name, found["_id"])
                whole = {**document, "_id": found["_id"]}
                self._folder.put(self._name, whole, number)
                return Changed(modified_count=1)
            if upsert:
                self.insert_one({**_equalities(filter), **document})
            return Changed()

    def delete_one(self, filter: Mapping[str, Any]) -> Changed:
        """Remove the first document that fits."""
        return self._delete(filter, limit=1)

    def delete_many(self, filter: Mapping[str, Any]) -> Changed:
        """Remove all documents that fit."""
        return self._delete(filter, limit=0)

    def _delete(self, filter: Mapping[str, Any], *, limit: int) -> Changed:
        with self._folder.transaction():
            ids = [one["_id"] for one in self.find(filter, limit=limit)]
            numbers = [self._folder._number(self._name, id) for id in ids]
            self._folder.drop(self._name, [number for number in numbers if number is not None])
        return Changed(deleted_count=len(ids))

    def _fitting(self, criteria: Mapping[str, Any]) -> Iterator[Document]:
        """Yield the documents that fit; of what stands in tables the file is asked."""
        narrowed, values = _narrowed(self._name, criteria)
        if self._name in self._folder.other_columns:
            narrowed, values = [], []
        where = " AND ".join(["collection = ?", *narrowed])
        test = matcher(criteria)
        for document in self._folder.documents(where, [self._name, *values]):
            if test(document):
                yield document


def connected(file: Path, *, write: bool, create: bool = False) -> sqlite3.Connection:
    """Open a SQLite file that may be somebody else's: nothing outside of it is written or run.

    Raises
    ------
    InputError
        It is a link or no plain file.
    sqlite3.Error, OSError
        It cannot be opened.
    """
    if create:
        # SQLite would make it readable for others, or not, by rules of its own
        with contextlib.suppress(FileExistsError):
            os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666))
    found = file.lstat()
    if not stat.S_ISREG(found.st_mode):
        raise InputError(
            "this is a link or a special file in the place of a file of this program",
            where=str(file),
            fix="find out who put it there, and remove it",
        )
    _check_journal(file)
    # a reader, too, takes back what a killed writer left half done, but only in files of its own
    mode = "rw" if write or found.st_uid == os.geteuid() else "ro"
    name = re.sub("[?#%]", lambda sign: f"%{ord(sign[0]):02x}", str(file.absolute()))
    connection = sqlite3.connect(
        f"file:{name}?mode={mode}",
        uri=True,
        timeout=_BUSY_S,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cell_size_check = ON")
        if not write:
            connection.execute("PRAGMA query_only = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def _check_journal(file: Path) -> None:
    """Refuse a journal that names another file: SQLite removes that in the end."""
    journal = file.with_name(f"{file.name}-journal")
    with contextlib.suppress(FileNotFoundError):
        found = journal.lstat()
        if stat.S_ISREG(found.st_mode) and found.st_size >= len(_NAMES_ANOTHER):
            with journal.open("rb") as opened:
                opened.seek(-len(_NAMES_ANOTHER), os.SEEK_END)
                if opened.read() == _NAMES_ANOTHER:
                    raise InputError(
                        "the journal next to the database names another file, which this program "
                        "never does",
                        where=str(journal),
                        fix="find out who wrote it, and restore the folder from a backup",
                    )


@contextlib.contextmanager
def file_errors(file: Path, location: str) -> Iterator[None]:
    """Turn what SQLite and BSON say of a file into an `InputError` that names it."""
    from bson.errors import InvalidBSON

    try:
        yield
    except sqlite3.OperationalError as error:
        raise InputError(
            f"the database cannot be used: {error}",
            where=location,
            fix="check the folder's permissions and the free disk space; if it is locked, "
            "another process is writing: try again",
        ) from error
    except (sqlite3.DatabaseError, InvalidBSON, UnicodeDecodeError) as error:
        raise InputError(
            f"the database is damaged: {error}",
            where=str(file),
            fix="restore the file from a backup, or move it away (its documents are lost; "
            "calculations will run again)",
        ) from error
    except OSError as error:
        raise InputError(
            f"the database cannot be used: {error.strerror or error}",
            where=location,
            fix="check the folder and its permissions, or let INTEROHM_DATA name another",
        ) from error


def _is_virtual(sql: str | None) -> bool:
    return sql is not None and sql.lstrip().upper().startswith("CREATE VIRTUAL")


def _decoded(content: bytes | None) -> Document:
    from bson import decode

    return {} if content is None else decode(content)


def _key(id: Any) -> str | bytes:
    """Return how an ``_id`` stands in the table: a text as it is, others as BSON."""
    from bson import encode

    return id if isinstance(id, str) else encode({"_id": id})


def _id(key: str | bytes) -> Any:
    return key if isinstance(key, str) else _decoded(key)["_id"]


def _new_id() -> Any:
    from bson import ObjectId

    return ObjectId()


def _row_values(name: str, document: Document) -> list[list[Any]] | None:
    """Return what stands in the table of rows; None where a question must ask the document."""
    if name not in _ROW_COLUMNS:
        return None
    if name not in COLUMNS:
        values = [document.get(column) for column in _ROW_COLUMNS[name]]
        plain = all(value is None or isinstance(value, (str, int)) for value in values)
        return [values] if plain else None
    rows = document.get(ROWS_FIELD)
    if document.get(VERSION_FIELD) != VERSION or not isinstance(rows, list):
        return None
    try:
        return [[_in_table(row.get(c), _kind(c)) for c in _ROW_COLUMNS[name]] for row in rows]
    except (AttributeError, TypeError):
        return None


def _kind(column: str) -> type:
    return str if column == KEY_FIELD else kind_of(column)


def _in_table(value: Any, kind: type) -> Any:
    """Return a value as SQLite keeps and compares it, if it is of its column's kind.

    Raises
    ------
    TypeError
        It is of another.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if kind is list:
        if isinstance(value, list) and all(isinstance(member, str) for member in value):
            return json.dumps(value)
        raise TypeError
    accepted = (int, float) if kind in (int, float) else kind
    if not isinstance(value, accepted) or (isinstance(value, bool) and kind is not bool):
        raise TypeError
    return value


def _narrowed(name: str, criteria: Mapping[str, Any]) -> tuple[list[str], list[Any]]:
    """Return conditions on the tables that criteria imply, and their values."""
    written: list[str] = []
    values: list[Any] = []
    for field, asked in criteria.items():
        wanted = _wanted(asked)
        if wanted is None:
            continue
        marks = ", ".join("?" * len(wanted))
        column = field.removeprefix(f"{ROWS_FIELD}.") if name in COLUMNS else field
        if field == "_id":
            written.append(f"id IN ({marks})")
            values += map(_key, wanted)
        elif column in _ROW_COLUMNS.get(name, ()) and (name not in COLUMNS or column != field):
            of_rows = f'SELECT document FROM "rows_{name}" WHERE "{column}" IN ({marks})'
            written.append(f"(in_rows = 0 OR number IN ({of_rows}))")
            values += wanted
    return written, values


def _wanted(asked: Any) -> list[Any] | None:
    """Return the texts and integers that a field may be, if the criteria are so plain."""
    found = [asked]
    if isinstance(asked, Mapping):
        if set(asked) != {"$in"} or not isinstance(asked["$in"], list):
            return None
        found = asked["$in"]
    plain = all(isinstance(one, (str, int)) and not isinstance(one, bool) for one in found)
    return list(found) if plain and len(found) <= 10_000 else None


def _equalities(filter: Mapping[str, Any]) -> Document:
    """Return the fields that criteria give, for a document that is inserted by them."""
    return {
        field: value
        for field, value in filter.items()
        if not field.startswith("$") and "." not in field and not isinstance(value, Mapping)
    }


def _projected(
    document: Document, projection: Mapping[str, Any] | Sequence[str] | None
) -> Document:
    """Return the fields that are asked for, or all but those that are refused."""
    if not projection:
        return document
    if not isinstance(projection, Mapping):
        projection = dict.fromkeys(projection, 1)
    if not any(projection.values()):
        return {field: value for field, value in document.items() if field not in projection}
    kept: Document = {"_id": document["_id"]}
    for path, wanted in projection.items():
        if wanted:
            _keep(document, kept, path.split("."))
    if projection.get("_id") in (0, False):
        del kept["_id"]
    return kept


def _keep(source: Any, kept: Document, steps: Sequence[str]) -> None:
    step, rest = steps[0], steps[1:]
    if not isinstance(source, Mapping) or step not in source:
        return
    if not rest or not isinstance(source[step], Mapping):
        kept[step] = source[step]  # of a list its members whole
        return
    _keep(source[step], kept.setdefault(step, {}), rest)
