"""The one place where state lives: records, calculations, and the results worth keeping.

Without further settings the database is a folder with one SQLite file; a MongoDB URI in the
settings puts everything on that server. The collections of both answer to the same methods, so that
nearly all below the opening of a collection is one code.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import threading
import uuid
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from interohm.calculation_key import key_of_document
from interohm.database import schema
from interohm.database.columns import resolve_column, unknown_column
from interohm.database.conditions import Condition, parse_where
from interohm.database.earlier_folder import EarlierFolder, moved
from interohm.database.folder import Folder
from interohm.database.profiles import (
    packed,
    with_profiles,
    without_large_parts,
    without_profiles,
)
from interohm.database.rows import COLUMNS, Row, kind_of, sorted_rows
from interohm.database.storage import Server, writers_lock
from interohm.errors import DocumentLeftOut, InputError
from interohm.results.result import Result
from interohm.safe_documents import ForeignCodeError
from interohm.settings import Settings, load_settings

if TYPE_CHECKING:
    from jobflow import JobStore

    from interohm.records import Insulator, Metal
    from interohm.records.interface import Interface
    from interohm.results.cell import CellResult
    from interohm.results.contact import ContactResult
    from interohm.results.dynamics import DynamicsResult
    from interohm.results.impedance import ImpedanceResult

COLLECTIONS = tuple(COLUMNS)

Document = dict[str, Any]
Kept = TypeVar("Kept")
Item = TypeVar("Item")
#: A document as it is stored, and what lies apart in blobs, by their names.
_Prepared: TypeAlias = tuple[Document, dict[str, bytes]]
_Backend: TypeAlias = Folder | EarlierFolder | Server

#: Contacts that are saved, and rows that are read, in one go.
_BATCH = 200

_BLOB = schema.PROFILES_FIELD

#: Of documents that are left out of an answer, and named.
_UNREADABLE = (ForeignCodeError, schema.DamagedDocumentError)


class Database:
    """The database of a project, opened for reading or (one process at a time) for writing.

    Use `Database.open`, which is a context manager. All methods may be called from any thread.

    Parameters
    ----------
    backend : Folder, EarlierFolder, Server or None
        Backend of the documents; None if there is nothing yet.
    location : str
        The folder or the server's host and database, without credentials.
    write : bool
        Whether the ``save_…`` methods and `job_store` may be used.

    Examples
    --------
    >>> import interohm
    >>> with interohm.Database.open(write=True) as database:
    ...     database.save_contact(interohm.predict_contact("Li", "LLZO", samples=0))
    ...     found = database.rows("contacts", "resistance < 1")
    >>> found[0]["right"]
    'LLZO'
    """

    def __init__(
        self,
        backend: _Backend | None,
        *,
        location: str,
        write: bool,
        settings: Settings | None = None,
    ) -> None:
        self._backend = backend
        self.location = location
        #: With which it was opened, and another process may open it.
        self.settings = settings
        self._write = write
        self._lock = threading.RLock()
        #: Of calculations that are stored without theirs, by hash.
        self._keys: dict[str, str | None] = {}

    @classmethod
    @contextlib.contextmanager
    def open(
        cls,
        settings: Settings | None = None,
        *,
        write: bool = False,
        shared: bool = False,
        wait_s: float = 0.0,
    ) -> Iterator[Database]:
        """Open the database that the settings name and close it at the end of the block.

        Reading creates nothing: without a folder the database is empty.

        Parameters
        ----------
        settings : Settings, optional
            Default: those of the environment.
        write : bool
            Open for writing; creates the folder, and refuses a second writing process (a server
            has any number of writers).
        shared : bool
            Write beside others who share it, too: for those who save now and then.
        wait_s : float
            How long to wait for another writing process to end.

        Raises
        ------
        InputError
            The server cannot be reached, the folder cannot be read or written, or another process
            writes to it.
        """
        settings = settings or load_settings()
        with contextlib.ExitStack() as stack:
            backend: _Backend | None = None
            location = str(settings.data)
            if settings.mongodb_uri is not None:
                backend = stack.enter_context(Server.open(settings))
                location = backend.location
            elif write:
                stack.enter_context(writers_lock(settings.data, shared=shared, wait_s=wait_s))
                if EarlierFolder.exists(settings.data) and not Folder.exists(settings.data):
                    EarlierFolder(settings.data)  # what is none of ours is said first
                    raise InputError(
                        "the folder's database was made by an earlier version of interohm and is "
                        "read-only",
                        where=location,
                        fix="run `interohm migrate`, which moves it into one file; then repeat "
                        "the command",
                    )
                backend = stack.enter_context(contextlib.closing(Folder(settings.data, write=True)))
            elif Folder.exists(settings.data):
                backend = stack.enter_context(
                    contextlib.closing(Folder(settings.data, write=False))
                )
            elif EarlierFolder.exists(settings.data):
                backend = EarlierFolder(settings.data)
            yield cls(backend, location=location, write=write, settings=settings)

    @staticmethod
    def is_there(settings: Settings) -> bool:
        """Return whether the settings name a server, or a folder that contains a database."""
        folder = settings.data
        return (
            settings.mongodb_uri is not None
            or Folder.exists(folder)
            or EarlierFolder.exists(folder)
        )

    @staticmethod
    def move_earlier_folder(settings: Settings | None = None) -> dict[str, int]:
        """Move a folder that an earlier interohm made into today's file.

        The earlier files are kept in its folder ``before-migration``.

        Parameters
        ----------
        settings : Settings, optional
            Default: those of the environment.

        Returns
        -------
        dict of int
            How many documents, by collection; nothing where there is no such folder.

        Raises
        ------
        InputError
            Another process writes to the folder, or a file is damaged.
        """
        path = (settings or load_settings()).data
        if not EarlierFolder.exists(path):
            return {}
        with writers_lock(path, shared=False, wait_s=0):
            return moved(path)

    def find_calculation(self, hash: str) -> Document | None:
        """Return the calculation with this hash of structure and settings, or None."""
        return self.find_calculations([hash]).get(hash)

    def find_calculations(self, hashes: Sequence[str]) -> dict[str, Document]:
        """Return the calculations that exist, by hash, in one pass over the database."""
        found = self._find("calculations", {"_id": {"$in": list(hashes)}}, refuse=True)
        with schema.well_formed(self._where("calculations")):
            return {document["hash"]: document for document in found}

    def calculations_with_key(self, key: str) -> list[Document]:
        """Return the calculations of a coarse key (`interohm.calculation_key`), by hash.

        Those that an earlier version of the program wrote get their keys.
        """
        if self._backend is None:
            return []
        with self._lock, self._backend.errors():
            opened = self._backend.collection("calculations")
            without = self._backend.without_key()
            unknown = [name for name in without if name not in self._keys]
            for document in list(opened.find({"_id": {"$in": unknown}})) if unknown else ():
                self._keys[document["_id"]] = key_of_document(document)
                if self._write and schema.ROWS_FIELD in document:
                    opened.replace_one({"_id": document["_id"]}, schema.with_key(document))
            unwritten = [name for name, own in self._keys.items() if own == key]
        found = self._find("calculations", {schema.KEY_PATH: key})
        if unwritten:
            found += self._find("calculations", {"_id": {"$in": unwritten}})
        with schema.well_formed(self._where("calculations")):
            own = {str(document["hash"]): document for document in found}
            return [own[hash] for hash in sorted(own)]

    def calculation_hashes(self, keys: Iterable[str]) -> dict[str, list[str]]:
        """Return the hashes of the calculations of coarse keys, in few passes over the database.

        Parameters
        ----------
        keys : iterable of str
            See `calculations_with_key`.

        Returns
        -------
        dict of str to list of str
            By key; keys without a calculation are left out.
        """
        if self._backend is None:
            return {}
        found: dict[str, list[str]] = {}
        with self._lock, self._backend.errors():
            opened = self._backend.collection("calculations")
            if self._backend.without_key():
                return {  # of an earlier version of the program: read whole
                    key: hashes
                    for key in keys
                    if (hashes := [str(one["hash"]) for one in self.calculations_with_key(key)])
                }
            for some in batches(keys):
                asked = opened.find({schema.KEY_PATH: {"$in": some}}, {schema.KEY_PATH: 1})
                for document in asked:
                    key = document[schema.ROWS_FIELD][0][schema.KEY_FIELD]
                    found.setdefault(key, []).append(str(document["_id"]))
        return found

    def save_calculation(self, document: Mapping[str, Any]) -> None:
        """Insert or replace a calculation; its field ``hash`` is the key.

        Earlier failures of it are deleted.
        """
        backend, hash = self._writable(), document["hash"]
        with self._lock, backend.errors(), backend.transaction():
            self._save("calculations", hash, document)
            backend.collection("failures").delete_one({"_id": hash})

    def save_failure(self, document: Mapping[str, Any]) -> None:
        """Insert a failed calculation, or replace the last try's; its field ``hash`` is the key."""
        self._save("failures", document["hash"], document)

    def failures_with_key(self, key: str) -> list[Document]:
        """Return the failed calculations of a coarse key (`interohm.calculation_key`)."""
        return self._find("failures", {"key": key})

    def forget_failures(self, jobs: Iterable[str]) -> None:
        """Forget the failures of jobs that are tried again.

        Parameters
        ----------
        jobs : iterable of str
            jobflow's uuids of them.
        """
        backend = self._writable()
        for some in batches(jobs):
            with self._lock, backend.errors():
                backend.collection("failures").delete_many({"job": {"$in": some}})

    def material(self, name: str) -> Insulator | Metal | None:
        """Return the record with this name, or None."""
        from interohm.records import material_from

        for document in self._find("materials", {"_id": name}, limit=1, refuse=True):
            return material_from(document, where=f"{self.location}, materials, {name}")
        return None

    def materials(self) -> list[Insulator | Metal]:
        """Return all records, by name; one that is not valid is left out, with a warning."""
        from interohm.records import material_from

        return self._valid("materials", material_from)

    def material_names(self) -> list[str]:
        """Return the names of all records."""
        return [material.name for material in self.materials()]

    def save_material(self, material: Insulator | Metal) -> None:
        """Insert a record, or replace the one of this name."""
        from interohm.records import material_document

        self._save("materials", material.name, material_document(material))

    def remove_material(self, name: str) -> bool:
        """Remove the record of this name; return whether there was one. Results of it stay."""
        return self._remove("materials", name)

    def interface(self, name: str) -> Interface | None:
        """Return the interface with this name, or None."""
        from interohm.records.interface import interface_from

        for document in self._find("interfaces", {"_id": name}, limit=1, refuse=True):
            return interface_from(document, where=f"{self.location}, interfaces, {name}")
        return None

    def interfaces(self) -> list[Interface]:
        """Return all interfaces, by name; one that is not valid is left out, with a warning."""
        from interohm.records.interface import interface_from

        return self._valid("interfaces", interface_from)

    def save_interface(self, interface: Interface) -> None:
        """Insert an interface, or replace the one of this name."""
        from interohm.records.interface import interface_document

        self._save("interfaces", interface.name, interface_document(interface))

    def remove_interface(self, name: str) -> bool:
        """Remove the interface of this name; return whether there was one."""
        return self._remove("interfaces", name)

    def save_contact(self, document: ContactResult | Mapping[str, Any]) -> None:
        """Insert or replace the contact of these materials under these conditions."""
        self.save_contacts([document])

    def save_contacts(self, documents: Iterable[ContactResult | Mapping[str, Any]]) -> int:
        """Insert or replace many contacts; return how many.

        In a folder a few hundred are written at a time, all of them or none, which is far faster
        than one by one.

        Parameters
        ----------
        documents : iterable of ContactResult or mapping
            Taken one after another, so that a generator need not hold them all.

        Raises
        ------
        InputError
            The database cannot be written. What was saved before stays.
        ValueError
            A number is not finite; none of those that would be written with it is kept.

        Examples
        --------
        >>> import interohm
        >>> with interohm.Database.open(write=True) as database:
        ...     saved = database.save_contacts(
        ...         interohm.predict_contact("Li", "LLZO", temperature_K=kelvin, samples=0)
        ...         for kelvin in (280, 300, 320)
        ...     )
        >>> saved
        3
        """
        fields = ("left", "right", "temperature_K", "state_of_charge", "thickness_nm")
        count = 0
        for some in batches(documents):
            prepared = [
                _prepared_result("contacts", _key(one, *fields), one) for one in map(_plain, some)
            ]
            self._save_all("contacts", prepared)
            count += len(prepared)
        return count

    def save_cell(self, document: CellResult | Mapping[str, Any]) -> None:
        """Insert or replace the cell of this name at this temperature."""
        document = _plain(document)
        key = _key(document, "cell", "temperature_K")
        self._save_all("cells", [_prepared_result("cells", key, document)])

    def save_impedance(self, document: ImpedanceResult | Mapping[str, Any]) -> None:
        """Insert or replace the impedance of the cell of this name at this temperature."""
        document = _plain(document)
        key = _key(document, "cell", "temperature_K")
        self._save_all("impedances", [_prepared_result("impedances", key, document)])

    def save_dynamics(self, document: DynamicsResult | Mapping[str, Any]) -> None:
        """Insert or replace the run or step of the cell of this name at this temperature."""
        document = _plain(document)
        key = f"{_key(document, 'cell', 'temperature_K')}:{_in_time(document)}"
        self._save_all("dynamics", [_prepared_result("dynamics", key, document)])

    def query(
        self,
        collection: str,
        criteria: Mapping[str, Any] | None = None,
        *,
        sort: Sequence[tuple[str, int]] = (),
        limit: int = 0,
        refuse: bool = False,
    ) -> list[Document]:
        """Return documents in MongoDB's query language, profiles left where they are.

        Parameters
        ----------
        collection : str
            One of `COLLECTIONS`.
        criteria : mapping, optional
            MongoDB's filter, as ``{"left": "Li", "potential_drop_V": {"$lt": 1}}``.
        sort : sequence of (field, 1 or -1)
            Ascending or descending.
        limit : int
            At most that many; 0 for all.
        refuse : bool
            Raise for a document that names code, instead of leaving it out with a warning.

        Raises
        ------
        InputError
            An unknown collection, or criteria that the database does not understand.
        """
        _check_collection(collection)
        try:
            return self._find(
                collection, dict(criteria or {}), sort=sort, limit=limit, refuse=refuse
            )
        except InputError:
            raise
        except (
            TypeError,
            ValueError,
            LookupError,
            AttributeError,
            NotImplementedError,
            RecursionError,
            re.error,
        ) as error:
            # what is not checked of criteria comes out as plain Python errors
            raise InputError(
                f"the criteria are not understood: {error}",
                where=f"query of {collection}",
                fix="write them in MongoDB's query language: field names with values, or with "
                'operators as in {"potential_drop_V": {"$lt": 1}}',
            ) from error

    def rows(
        self,
        collection: str,
        where: str | None = None,
        *,
        sort: str | None = None,
        limit: int = 0,
    ) -> list[Row]:
        """Return flat rows: one for each document, or for each state of charge of a cell.

        Parameters
        ----------
        collection : str
            One of `COLLECTIONS`.
        where : str, optional
            A condition on the columns, ``"resistance < 1 and electron_barrier_eV > 1"``.
        sort : str, optional
            A column, with a minus before it for descending; rows without a value come last.
        limit : int
            At most that many; 0 for all.

        Returns
        -------
        list of dict
            With the columns of `interohm.database.rows.COLUMNS`; what is not known is None.

        Raises
        ------
        InputError
            An unknown collection or column, or a condition that is not understood.
        """
        return list(self.each_row(collection, where, sort=sort, limit=limit))

    def each_row(
        self,
        collection: str,
        where: str | None = None,
        *,
        sort: str | None = None,
        limit: int = 0,
    ) -> Iterator[Row]:
        """Yield what `rows` returns, of a folder a few rows at a time.

        Others may save meanwhile: each row is one that fits as it is read.
        """
        _check_collection(collection)
        columns = COLUMNS[collection]
        condition = None if where is None else parse_where(where, list(columns), kinds=kind_of)
        order = None if sort is None else resolve_column(sort.removeprefix("-"), columns)
        if sort is not None and order is None:
            raise unknown_column(sort.removeprefix("-"), columns, where="--sort")
        descending = sort is not None and sort.startswith("-")
        found = self._each_row(collection, condition, order, descending)
        return itertools.islice(found, limit or None)

    def _each_row(
        self, collection: str, condition: Condition | None, order: str | None, descending: bool
    ) -> Iterator[Row]:
        """Yield rows in order: of a folder's table as they come, others once all are read."""
        if self._backend is None:
            return
        if isinstance(self._backend, Server):
            documents = self._on_server(collection, condition)
            found = list(self._rows_of(collection, documents, condition))
            in_order: Iterator[tuple[str, Row]] = iter(())
        else:
            others = self._read(self._backend.not_in_rows(collection))
            found = list(self._rows_of(collection, others, condition))
            in_order = self._rows_in_table(collection, condition, order, descending=descending)
        if not found:
            yield from (row for _, row in in_order)
            return
        found += in_order
        found.sort(key=lambda one: one[0])
        rows = [row for _, row in found]
        yield from rows if order is None else sorted_rows(rows, order, descending=descending)

    def _rows_of(
        self, collection: str, documents: Iterable[Document], condition: Condition | None
    ) -> Iterator[tuple[str, Row]]:
        """Yield the rows of documents that fit, each with the ``_id`` of its document."""
        for document in documents:
            for row in self._stored_rows(collection, document):
                if condition is None or condition.holds(row):
                    yield str(document["_id"]), row

    def _rows_in_table(
        self, collection: str, condition: Condition | None, order: str | None, *, descending: bool
    ) -> Iterator[tuple[str, Row]]:
        """Yield the rows that a folder's table of rows finds; no lock is held between them."""
        backend = self._backend
        assert isinstance(backend, (Folder, EarlierFolder))
        with self._lock, backend.errors():
            positions = backend.row_positions(collection, condition, order, descending=descending)
        for some in batches(positions):
            assert isinstance(backend, Folder)
            with self._lock, backend.errors():
                documents = backend.rows_at(dict.fromkeys(number for number, _ in some))
            rows = {
                number: self._stored_rows(collection, document)
                for number, document in documents.items()
            }
            for number, position in some:
                # what was replaced meanwhile may have fewer rows, or others
                for row in rows.get(number, [])[position : position + 1]:
                    if condition is None or condition.holds(row):
                        yield str(documents[number]["_id"]), row

    def _stored_rows(self, collection: str, document: Document) -> list[Row]:
        """Return the rows of a document, of one that is damaged none."""
        try:
            whole = self._with_large_parts(collection, document)
            return schema.stored_rows(collection, whole, where=self._where(collection))
        except _UNREADABLE as error:
            self._leave_out(collection, document, error)
            return []

    def _on_server(self, collection: str, condition: Condition | None) -> Iterator[Document]:
        """Return documents of which a row fits: the rows alone, or all of an earlier version."""
        assert self._backend is not None
        of_a_row = {} if condition is None else condition.mongodb()
        of_a_document = {schema.ROWS_FIELD: {"$elemMatch": of_a_row}} if of_a_row else {}
        current = {schema.VERSION_FIELD: {"$nin": list(schema.EARLIER)}}
        earlier = {schema.VERSION_FIELD: {"$in": list(schema.EARLIER)}}
        fields = {schema.VERSION_FIELD: 1, schema.ROWS_FIELD: 1}
        opened = self._backend.collection(collection)
        today = opened.find({**of_a_document, **current}, fields)
        return self._read(itertools.chain(today, opened.find(earlier)))

    def _read(self, documents: Iterator[Document]) -> Iterator[Document]:
        """Yield documents; the lock is held while one is read, not between them."""
        assert self._backend is not None
        while True:
            with self._lock, self._backend.errors():
                document = next(documents, None)
            if document is None:
                return
            yield document

    def migrate(self) -> dict[str, int]:
        """Upgrade documents of earlier versions; return how many, by collection.

        Documents that another process saves meanwhile are not touched.

        Raises
        ------
        InputError
            Documents are malformed, or name code of somebody else: the first of them, once all
            others are written.
        """
        backend = self._writable()
        done = {}
        refused: list[InputError] = []
        with self._lock, backend.errors():
            for name in COLLECTIONS:
                opened = backend.collection(name)
                done[name] = 0
                for some in batches(backend.earlier(name)):
                    with backend.transaction():
                        for document in some:
                            try:
                                done[name] += self._renew(name, opened, document)
                            except InputError as error:
                                refused.append(error)
        if refused:
            raise refused[0]
        return done

    def _renew(self, name: str, opened: Any, document: Document) -> int:
        """Upgrade a document of an earlier version; return 0 if another process was faster."""
        key, plain = document["_id"], self._given(name, document)
        with schema.well_formed(f"{self._where(name)}, {key}"):
            renewed = {"_id": key, **schema.stored(name, plain)}
        if schema.LARGE_PARTS_FIELD in document:
            self._save(name, key, plain)
            return 1
        unchanged = {"_id": key, schema.VERSION_FIELD: {"$in": list(schema.EARLIER)}}
        return int(opened.replace_one(unchanged, renewed).modified_count)

    def make_indexes(self) -> None:
        """Make the indexes of a server, those that are not there; a folder has its own."""
        backend = self._writable()
        if isinstance(backend, Server):
            backend.make_indexes()

    def count(self, collection: str) -> int:
        """Return the number of documents in a collection."""
        if self._backend is None:
            return 0
        with self._lock, self._backend.errors():
            return int(self._backend.collection(collection).count_documents({}))

    def with_profiles(self, document: Document) -> Document:
        """Return a contact or cell that `query` found with its profiles put back in."""
        if self._backend is None:
            raise RuntimeError("the document is not from this database")
        whole = dict(document)
        with self._lock, self._backend.errors():
            blob = self._backend.get_blob(whole.pop(_BLOB))
        if blob is None:
            raise InputError(
                "the profiles are gone: the result was replaced meanwhile",
                where=self.location,
                fix="try again; if that does not help, predict and save it again",
            )
        return with_profiles(whole, blob, where=self.location)

    def stored_documents(
        self, collection: str, ids: Sequence[str] | None = None
    ) -> Iterator[Document]:
        """Yield documents as they are stored, all or those of some ``_id``."""
        if self._backend is not None:
            criteria = {} if ids is None else {"_id": {"$in": list(ids)}}
            yield from self._read(iter(self._backend.collection(collection).find(criteria)))

    def whole(self, collection: str, document: Document) -> Document:
        """Return what was saved of a stored document, with all that lies apart.

        Raises
        ------
        InputError
            It is damaged, of a later version, or names code of somebody else.
        """
        given = self._given(collection, document)
        return self.with_profiles(given) if _BLOB in given else given

    def save_whole(self, collection: str, documents: Sequence[tuple[str, Document]]) -> None:
        """Insert or replace whole documents by their ``_id``: in a folder all of them, or none."""
        backend = self._writable()
        with self._lock, backend.errors(), backend.transaction():
            if collection in ("contacts", "cells", "impedances", "dynamics"):
                self._save_all(
                    collection, [_prepared_result(collection, key, one) for key, one in documents]
                )
                return
            for key, document in documents:
                if collection == "calculations":
                    self.save_calculation(document)
                else:
                    self._save(collection, key, document)

    def job_store(self) -> JobStore:
        """Return a JobStore for jobflow over the same folder or server, safe across threads."""
        from interohm.database.job_store import job_store

        return job_store(self._writable(), self._lock)

    def _writable(self) -> Folder | Server:
        if not self._write or not isinstance(self._backend, (Folder, Server)):
            raise RuntimeError("the database was opened for reading; use open(write=True)")
        return self._backend

    def _find(
        self,
        collection: str,
        criteria: Document,
        *,
        sort: Sequence[tuple[str, int]] = (),
        limit: int = 0,
        refuse: bool = False,
    ) -> list[Document]:
        """Return documents; one that names code is left out, or an error."""
        if self._backend is None:
            return []
        with self._lock, self._backend.errors():
            cursor = self._backend.collection(collection).find(
                criteria, limit=limit, sort=list(sort) or None
            )
            found = list(cursor)
        given = []
        for document in found:
            try:
                given.append(self._given(collection, document))
            except _UNREADABLE as error:
                if refuse:
                    raise
                self._leave_out(collection, document, error)
        return given

    def _given(self, collection: str, document: Document) -> Document:
        """Return what was saved: without what the database added, with the parts it put apart."""
        where = f"{self._where(collection)}, {document.get('_id')}"
        return schema.given(self._with_large_parts(collection, document), where=where)

    def _with_large_parts(self, collection: str, document: Document) -> Document:
        """Return a stored document with the parts that were too large for it put back in."""
        name = document.get(schema.LARGE_PARTS_FIELD)
        if name is None or self._backend is None:
            return document
        where = self._where(collection)
        with self._lock, self._backend.errors():
            blob = self._backend.get_blob(str(name))
            if blob is None:
                key = {"_id": document.get("_id")}
                now = self._backend.collection(collection).find_one(key)
        if blob is None:
            if now is not None and now.get(schema.LARGE_PARTS_FIELD) != name:
                return self._with_large_parts(collection, now)  # it was replaced meanwhile
            raise schema.DamagedDocumentError(f"{where}, {document.get('_id')}")
        return with_profiles(dict(document), blob, where=where)

    def _valid(self, collection: str, read: Callable[..., Kept]) -> list[Kept]:
        """Return all documents that are what they should be."""
        valid = []
        for document in self._find(collection, {}, sort=[("_id", 1)]):
            name = str(document.get("name"))
            try:
                valid.append(read(document, where=f"{self._where(collection)}, {name}"))
            except InputError as error:
                self._leave_out(collection, {"_id": name}, error)
        return valid

    def _leave_out(self, collection: str, document: Document, error: InputError) -> None:
        name = repr(str(document.get("_id")))
        warnings.warn(
            f"{self._where(collection)}, {name} is left out: {error.what}",
            DocumentLeftOut,
            stacklevel=3,
        )

    def _remove(self, collection: str, key: str) -> bool:
        backend = self._writable()
        with self._lock, backend.errors(), backend.transaction():
            opened = backend.collection(collection)
            removed: Document | None = opened.find_one({"_id": key})
            deleted = bool(opened.delete_one({"_id": key}).deleted_count)
            self._drop(backend, removed)
        return deleted

    def _where(self, collection: str) -> str:
        return f"{self.location}, {collection}"

    def _save(self, collection: str, key: str, document: Mapping[str, Any]) -> None:
        """Save a document; parts that are too large for it lie apart in a blob."""
        self._save_all(collection, [_prepared(collection, key, document)])

    def _drop(
        self, backend: Folder | Server, replaced: Document | None, *, kept: Document | None = None
    ) -> None:
        """Remove what a document that is gone had apart, but what the one in its place names."""
        for field in (_BLOB, schema.LARGE_PARTS_FIELD):
            name = None if replaced is None else replaced.get(field)
            if isinstance(name, str) and (kept is None or kept.get(field) != name):
                backend.drop_blob(name)

    def _save_all(self, collection: str, prepared: Sequence[_Prepared]) -> None:
        """Insert or replace documents: in a folder all of them, or none."""
        backend = self._writable()
        with self._lock, backend.errors(), backend.transaction():
            for document, blobs in prepared:
                for name, content in blobs.items():
                    backend.put_blob(name, content)
                self._drop(backend, backend.replace(collection, document), kept=document)


def _prepared(
    collection: str,
    key: str,
    document: Mapping[str, Any],
    profiles: Mapping[str, Any] | None = None,
) -> _Prepared:
    """Return a document as it is stored, and blobs by their names: profiles, and large parts.

    A blob has a name of its own for each save, and is written before the document that names it:
    killed or overtaken by another writer, a server has a stray blob, never a document without one.
    """
    whole = {"_id": key, **schema.stored(collection, document)}
    rows = whole.pop(schema.ROWS_FIELD)
    slim, large = without_large_parts(whole)
    slim[schema.ROWS_FIELD] = rows
    blobs = {}
    for field, parts in ((_BLOB, profiles), (schema.LARGE_PARTS_FIELD, large or None)):
        if parts is not None:
            slim[field] = uuid.uuid4().hex
            blobs[slim[field]] = packed(parts)
    return slim, blobs


def _in_time(document: Mapping[str, Any]) -> str:
    """Return what tells one course of a cell from another."""
    run, step = document.get("galvanostatic"), document.get("formation")
    if run:
        return f"{run['direction']}:{float(run['c_rate'])!r}:{run.get('cut_off_V')!r}"
    if step:
        return f"{step['step']}:{float(step['by'])!r}:{float(step['state_of_charge'])!r}"
    raise InputError(
        "it holds neither a run nor a step",
        where="document",
        fix="give what `interohm dynamics --json` prints",
    )


def _prepared_result(collection: str, key: str, document: Mapping[str, Any]) -> _Prepared:
    """Return a contact or a cell as it is stored, its profiles apart in a blob."""
    slim, profiles = without_profiles(document)
    json.dumps(slim, allow_nan=False)  # a result has no NaN: refuse before anything is kept
    return _prepared(collection, key, slim, profiles)


def batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Yield items some hundred at a time."""
    left = iter(items)
    while some := list(itertools.islice(left, _BATCH)):
        yield some


def _check_collection(collection: str) -> None:
    if collection not in COLLECTIONS:
        raise InputError(
            f"there is no collection {collection!r}",
            where="collection",
            fix=f"one of {', '.join(COLLECTIONS)}",
        )


def _plain(document: Result | Mapping[str, Any]) -> Mapping[str, Any]:
    return document.document() if isinstance(document, Result) else document


def _key(document: Mapping[str, Any], *fields: str) -> str:
    """Return the natural key: what a second result under the same conditions shares."""
    return json.dumps([document.get(field) for field in fields])
