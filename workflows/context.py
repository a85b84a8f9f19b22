"""The database that the jobs of this process use."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

from interohm.database import Database

_ACTIVE: ContextVar[Database | None] = ContextVar("active_database", default=None)


@contextlib.contextmanager
def using(database: Database) -> Iterator[None]:
    """Let the jobs that run inside this block use ``database``."""
    token = _ACTIVE.set(database)
    try:
        yield
    finally:
        _ACTIVE.reset(token)


@contextlib.contextmanager
def active_database() -> Iterator[Database]:
    """The launcher's database, or, in a worker of a queue, the one that the settings name."""
    active = _ACTIVE.get()
    if active is not None:
        yield active
        return
    with Database.open(write=True) as database:
        yield database
