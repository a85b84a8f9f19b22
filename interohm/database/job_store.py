"""jobflow's view of the database: the stores that keep the outputs of jobs.

Apart from `interohm.database.storage`, because maggma and jobflow take long to import.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from jobflow import JobStore
from maggma.stores import GridFSStore, MongoStore, MontyStore

from interohm.database.storage import FOLDER_STORAGE, Folder, Server
from interohm.safe_documents import refuse_foreign_code

if TYPE_CHECKING:
    import threading

    from interohm.settings import Settings


class _FolderStore(MontyStore):
    """A MontyStore on an open client, used by one thread at a time.

    MontyDB's SQLite engine keeps its current connection in one attribute, so that two threads on
    one client close each other's connections.
    """

    def __init__(self, folder: Folder, name: str, lock: threading.RLock) -> None:
        super().__init__(name, database_path=str(folder.path), storage_kwargs=FOLDER_STORAGE)
        self._folder = folder
        self._lock = lock

    def connect(self, force_reset: bool = False) -> None:
        self._coll = self._folder.collection(self.collection_name)

    def query(self, *args: Any, **kwargs: Any) -> Iterator[dict[str, Any]]:
        with self._lock, self._folder.errors():
            documents = list(super().query(*args, **kwargs))
        for document in documents:
            refuse_foreign_code(document, where=f"{self._folder.location}, {self.collection_name}")
            yield document

    def update(self, *args: Any, **kwargs: Any) -> None:
        with self._lock, self._folder.errors():
            super().update(*args, **kwargs)

    def count(self, *args: Any, **kwargs: Any) -> int:
        with self._lock, self._folder.errors():
            return int(super().count(*args, **kwargs))

    def remove_docs(self, *args: Any, **kwargs: Any) -> None:
        with self._lock, self._folder.errors():
            super().remove_docs(*args, **kwargs)


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
    """As `_ServerStore`, for large outputs."""

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
