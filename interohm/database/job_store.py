"""jobflow's view of the database: the stores that keep the outputs of jobs.

Apart from `interohm.database.storage`, because maggma and jobflow take long to import.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from jobflow import JobStore
from maggma.core import Sort
from maggma.stores import GridFSStore, MemoryStore, MongoStore
from monty.json import jsanitize

from interohm.database.folder import Folder
from interohm.database.rows import value_at
from interohm.database.storage import Server
from interohm.safe_documents import refuse_foreign_code

if TYPE_CHECKING:
    import threading

    from interohm.settings import Settings


class _FolderStore(MemoryStore):
    """A store over a collection of a project folder, which threads may share."""

    def __init__(self, folder: Folder, name: str, lock: threading.RLock) -> None:
        super().__init__(name)
        self._folder = folder
        self._lock = lock

    @property
    def name(self) -> str:
        return f"{self._folder.location}/{self.collection_name}"

    def connect(self, force_reset: bool = False) -> None:
        self._coll = self._folder.collection(self.collection_name)

    def close(self) -> None:
        """Close nothing: the folder is open as long as its database is."""

    def query(
        self,
        criteria: dict[str, Any] | None = None,
        properties: dict[str, Any] | list[str] | None = None,
        sort: dict[str, Any] | None = None,
        hint: dict[str, Any] | None = None,
        skip: int = 0,
        limit: int = 0,
        **kwargs: Any,
    ) -> Iterator[dict[str, Any]]:
        order = [(field, Sort(way).value) for field, way in (sort or {}).items()]
        with self._lock, self._folder.errors():
            found = self._collection.find(criteria, properties, sort=order, skip=skip, limit=limit)
            documents = list(found)
        for document in documents:
            refuse_foreign_code(document, where=f"{self._folder.location}, {self.collection_name}")
            yield document

    def count(self, criteria: dict[str, Any] | None = None, hint: Any = None) -> int:
        with self._lock, self._folder.errors():
            return int(self._collection.count_documents(criteria or {}))

    def distinct(self, field: str, criteria: Any = None, all_exist: bool = False) -> list[Any]:
        found: list[Any] = []
        for document in self.query(criteria, [field]):
            value = value_at(document, field)
            for one in value if isinstance(value, list) else [value]:
                if one is not None and one not in found:
                    found.append(one)
        return found

    def update(
        self, docs: list[dict[str, Any]] | dict[str, Any], key: list[str] | str | None = None
    ) -> None:
        fields = key or self.key
        fields = fields if isinstance(fields, list) else [fields]
        with self._lock, self._folder.errors(), self._folder.transaction():
            for one in docs if isinstance(docs, list) else [docs]:
                document = jsanitize(one, allow_bson=True, recursive_msonable=True)
                same = {field: document[field] for field in fields}
                self._collection.replace_one(same, document, upsert=True)

    def ensure_index(self, key: str, unique: bool | None = False) -> bool:
        """Report that the index exists: the folder has those that jobflow needs."""
        return True

    def remove_docs(self, criteria: dict[str, Any]) -> None:
        with self._lock, self._folder.errors():
            self._collection.delete_many(criteria)


class _ServerStore(MongoStore):
    """A MongoStore that does not call itself by its URI, which may hold a password."""

    @property
    def name(self) -> str:
        return f"mongo://{self.database}/{self.collection_name}"

    def query(self, *args: Any, **kwargs: Any) -> Iterator[dict[str, Any]]:
        for document in super().query(*args, **kwargs):
            refuse_foreign_code(document, where=self.name)
            yield document


class _ServerBlobs(GridFSStore):
    """Like `_ServerStore`, for large outputs."""

    @property
    def name(self) -> str:
        return f"gridfs://{self.database}/{self.collection_name}"

    def query(self, *args: Any, **kwargs: Any) -> Iterator[dict[str, Any]]:
        for document in super().query(*args, **kwargs):
            refuse_foreign_code(document, where=self.name)
            yield document


def job_store(backend: Folder | Server, lock: threading.RLock) -> JobStore:
    """Return a JobStore over the collections ``jobs`` and ``job_data`` of a database."""
    if isinstance(backend, Folder):
        return _folder_job_store(backend, lock)
    return _server_job_store(backend.settings)


def _folder_job_store(folder: Folder, lock: threading.RLock) -> JobStore:
    """Return the JobStore of a project folder."""
    return JobStore(
        _FolderStore(folder, "jobs", lock),
        additional_stores={"data": _FolderStore(folder, "job_data", lock)},
    )


def _server_job_store(settings: Settings) -> JobStore:
    """Return the JobStore of a server."""
    assert settings.mongodb_uri is not None
    uri = settings.mongodb_uri.get_secret_value()
    place: dict[str, Any] = {"database": settings.mongodb_database, "uri": uri}
    return JobStore(
        _ServerStore(collection_name="jobs", **place),
        additional_stores={
            "data": _ServerBlobs(collection_name="job_data", compression=True, **place)
        },
    )
