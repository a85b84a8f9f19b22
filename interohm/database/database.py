"""The one place where state lives: records, calculations, and the results worth keeping.

Without further settings the database is a folder (MontyDB over SQLite, in the format of maggma's
``MontyStore``); a MongoDB URI in the settings puts everything on that server. MontyDB and pymongo
answer to the same methods, so that all below the opening of a collection is one code.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
import uuid
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from interohm.calculation_key import key_of_document
from interohm.database import schema
from interohm.database.columns import resolve_column, unknown_column
from interohm.database.conditions import parse_where
from interohm.database.profiles import (
    packed,
    with_profiles,
    without_large_parts,
    without_profiles,
)
from interohm.database.rows import COLUMNS, Row, kind_of, sorted_rows
from interohm.database.storage import Folder, Server, sole_writer
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
    from interohm.results.impedance import ImpedanceResult

COLLECTIONS = tuple(COLUMNS)

Document = dict[str, Any]
Kept = TypeVar("Kept")

_BLOB = schema.PROFILES_FIELD

#: Of documents that are left out of an answer, and named.
_UNREADABLE = (ForeignCodeError, schema.DamagedDocumentError)


class Database:
    """The database of a project, opened for reading or (one process at a time) for writing.

    Use `Database.open`, which is a context manager. All methods may be called from any thread.

    Parameters
    ----------
    backend : Folder, Server or None
        Where the documents are; None where there is nothing yet.
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

    def __init__(self, backend: Folder | Server | None, *, location: str, write: bool) -> None:
        self._backend = backend
        self.location = location
        self._write = write
        self._lock = threading.RLock()
        #: Of calculations that are stored without theirs, by hash.
        self._keys: dict[str, str | None] = {}

    @classmethod
    @contextlib.contextmanager
    def open(cls, settings: Settings | None = None, *, write: bool = False) -> Iterator[Database]:
        """Open the database that the settings name and close it at the end of the block.

        Reading creates nothing: without a folder the database is empty.

        Parameters
        ----------
        settings : Settings, optional
            Default: those of the environment.
        write : bool
            Open for writing; creates the folder, and refuses a second writing process (a server
            has any number of writers).

        Raises
        ------
        InputError
            The server cannot be reached, the folder cannot be read or written, or another process
            writes to it.
        """
        settings = settings or load_settings()
        with contextlib.ExitStack() as stack:
            backend: Folder | Server | None = None
            location = str(settings.data)
            if settings.mongodb_uri is not None:
                backend = stack.enter_context(Server.open(settings, write=write))
                location = backend.location
            elif write:
                stack.enter_context(sole_writer(settings.data))
                backend = Folder(settings.data, create=True)
            elif Folder.exists(settings.data):
                backend = Folder(settings.data, create=False)
            yield cls(backend, location=location, write=write)

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
        path = f"{schema.ROWS_FIELD}.{schema.KEY_FIELD}"
        with self._lock, self._backend.errors():
            opened = self._backend.collection("calculations")
            without = [one["_id"] for one in opened.find({path: {"$exists": False}}, {"_id": 1})]
            unknown = [name for name in without if name not in self._keys]
            for document in list(opened.find({"_id": {"$in": unknown}})) if unknown else ():
                self._keys[document["_id"]] = key_of_document(document)
                if self._write and schema.ROWS_FIELD in document:
                    opened.replace_one({"_id": document["_id"]}, schema.with_key(document))
            unwritten = [name for name, own in self._keys.items() if own == key]
        found = self._find("calculations", {"$or": [{path: key}, {"_id": {"$in": unwritten}}]})
        with schema.well_formed(self._where("calculations")):
            return sorted(found, key=lambda document: str(document["hash"]))

    def save_calculation(self, document: Mapping[str, Any]) -> None:
        """Insert or replace a calculation; its field ``hash`` is the key.

        What failed of it before is forgotten.
        """
        backend, hash = self._writable(), document["hash"]
        self._save("calculations", hash, document)
        with self._lock, backend.errors():
            backend.collection("failures").delete_one({"_id": hash})

    def save_failure(self, document: Mapping[str, Any]) -> None:
        """Insert a failed calculation, or replace the last try's; its field ``hash`` is the key."""
        self._save("failures", document["hash"], document)

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
        document = _plain(document)
        key = _key(document, "left", "right", "temperature_K", "state_of_charge", "thickness_nm")
        self._save_result("contacts", key, document)

    def save_cell(self, document: CellResult | Mapping[str, Any]) -> None:
        """Insert or replace the cell of this name at this temperature."""
        document = _plain(document)
        self._save_result("cells", _key(document, "cell", "temperature_K"), document)

    def save_impedance(self, document: ImpedanceResult | Mapping[str, Any]) -> None:
        """Insert or replace the impedance of the cell of this name at this temperature."""
        document = _plain(document)
        self._save_result("impedances", _key(document, "cell", "temperature_K"), document)

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
            # What MontyDB does not check comes out as plain Python errors.
            raise InputError(
                f"the criteria are not understood: {error}",
                where=f"query of {collection}",
                fix="MongoDB's query language is meant: field names with values, or with "
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
        _check_collection(collection)
        columns = COLUMNS[collection]
        condition = None if where is None else parse_where(where, list(columns), kinds=kind_of)
        order = None if sort is None else resolve_column(sort.removeprefix("-"), columns)
        if sort is not None and order is None:
            raise unknown_column(sort.removeprefix("-"), columns, where="--sort")
        found = []
        for document in self._documents_with_rows(
            collection, {} if condition is None else condition.mongodb()
        ):
            try:
                whole = self._with_large_parts(collection, document)
                rows = schema.stored_rows(collection, whole, where=self._where(collection))
            except _UNREADABLE as error:
                self._leave_out(collection, document, error)
                continue
            found += [row for row in rows if condition is None or condition.holds(row)]
        if sort is not None and order is not None:
            found = sorted_rows(found, order, descending=sort.startswith("-"))
        return found[:limit] if limit else found

    def _documents_with_rows(self, collection: str, of_a_row: Document) -> list[Document]:
        """Return documents of which a row fits: the rows alone, or all of an earlier version."""
        if self._backend is None:
            return []
        of_a_document = {schema.ROWS_FIELD: {"$elemMatch": of_a_row}} if of_a_row else {}
        current = {schema.VERSION_FIELD: {"$nin": list(schema.EARLIER)}}
        earlier = {schema.VERSION_FIELD: {"$in": list(schema.EARLIER)}}
        fields = {schema.VERSION_FIELD: 1, schema.ROWS_FIELD: 1}
        with self._lock, self._backend.errors():
            opened = self._backend.collection(collection)
            if isinstance(self._backend, Folder):
                # no index there: to read all once is faster than to look whether each one fits
                found = [_rows_alone(document) for document in opened.find({})]
            else:
                found = [*opened.find({**of_a_document, **current}, fields), *opened.find(earlier)]
        return sorted(found, key=lambda document: str(document["_id"]))

    def migrate(self) -> dict[str, int]:
        """Write documents of earlier versions anew; return how many, by collection.

        What another process saves meanwhile is left as it is.

        Raises
        ------
        InputError
            Documents are malformed, or name code of somebody else: the first of them, once all
            others are written.
        """
        backend = self._writable()
        earlier = {schema.VERSION_FIELD: {"$in": list(schema.EARLIER)}}
        done = {}
        refused: list[InputError] = []
        with self._lock, backend.errors():
            for name in COLLECTIONS:
                opened = backend.collection(name)
                done[name] = 0
                for document in list(opened.find(earlier)):
                    unchanged = {"_id": document["_id"], **earlier}
                    where = f"{self._where(name)}, {document['_id']}"
                    try:
                        plain = self._given(name, document)
                        with schema.well_formed(where):
                            renewed = {"_id": document["_id"], **schema.stored(name, plain)}
                    except InputError as error:
                        refused.append(error)
                        continue
                    if schema.LARGE_PARTS_FIELD in document:
                        self._save(name, document["_id"], plain)
                        done[name] += 1
                        continue
                    done[name] += opened.replace_one(unchanged, renewed).modified_count
        if refused:
            raise refused[0]
        return done

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
                fix="ask again; if that does not help, predict and save it anew",
            )
        return with_profiles(whole, blob, where=self.location)

    def job_store(self) -> JobStore:
        """Return a JobStore for jobflow over the same folder or server, safe across threads."""
        from interohm.database.job_store import job_store

        return job_store(self._writable(), self._lock)

    def _writable(self) -> Folder | Server:
        if self._backend is None or not self._write:
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
        with self._lock, backend.errors():
            opened = backend.collection(collection)
            removed: Document | None = opened.find_one({"_id": key})
            deleted = bool(opened.delete_one({"_id": key}).deleted_count)
            self._drop(backend, removed)
        return deleted

    def _where(self, collection: str) -> str:
        return f"{self.location}, {collection}"

    def _save(
        self,
        collection: str,
        key: str,
        document: Mapping[str, Any],
        profiles: Mapping[str, Any] | None = None,
    ) -> None:
        """Save a document; profiles, and parts that are too large for it, lie apart in blobs."""
        backend = self._writable()
        whole = {"_id": key, **schema.stored(collection, document)}
        rows = whole.pop(schema.ROWS_FIELD)
        slim, large = without_large_parts(whole)
        slim[schema.ROWS_FIELD] = rows
        with self._lock, backend.errors():
            for field, parts in ((_BLOB, profiles), (schema.LARGE_PARTS_FIELD, large or None)):
                if parts is not None:
                    # A name of its own for each save, and written before the document that names
                    # it: killed or overtaken by another writer, it leaves a stray blob, never a
                    # document without one.
                    slim[field] = uuid.uuid4().hex
                    backend.put_blob(slim[field], packed(parts))
            self._drop(backend, backend.replace(collection, slim), kept=slim)

    def _drop(
        self, backend: Folder | Server, replaced: Document | None, *, kept: Document | None = None
    ) -> None:
        """Remove what a document that is gone had apart, but what the one in its place names."""
        for field in (_BLOB, schema.LARGE_PARTS_FIELD):
            name = None if replaced is None else replaced.get(field)
            if isinstance(name, str) and (kept is None or kept.get(field) != name):
                backend.drop_blob(name)

    def _save_result(self, collection: str, key: str, document: Mapping[str, Any]) -> None:
        """Save a contact or a cell, its profiles apart in a blob."""
        json.dumps(document, allow_nan=False)  # a result has no NaN: refuse before anything is kept
        slim, profiles = without_profiles(document)
        self._save(collection, key, slim, profiles)


def _rows_alone(document: Document) -> Document:
    """Return what a row needs of a document: all of one of an earlier version."""
    if document.get(schema.VERSION_FIELD) in schema.EARLIER:
        return document
    fields = ("_id", schema.VERSION_FIELD, schema.ROWS_FIELD)
    return {field: document[field] for field in fields if field in document}


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
