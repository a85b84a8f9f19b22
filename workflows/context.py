"""The database that the jobs of this process use."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from contextvars import ContextVar

from jobflow import CURRENT_JOB

from interohm.database import Database
from interohm.database.storage import ServerUnreachableError
from interohm.errors import InputError
from interohm.settings import load_settings

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
    """The launcher's database, or, in a worker of a queue, the one that the settings name.

    Raises
    ------
    InputError
        A worker has no server, or it cannot be reached.
    """
    active = _ACTIVE.get()
    if active is not None:
        yield active
        return
    if _in_a_worker():
        require_server()
    with contextlib.ExitStack() as stack:
        try:
            database = stack.enter_context(Database.open(write=True))
        except ServerUnreachableError as error:
            # No word of a folder: the jobs after this one would look for its result on the server.
            raise InputError(
                error.what,
                where=error.where,
                fix="check INTEROHM_MONGODB_URI in environment.sh, and that compute nodes may "
                "reach the server; then `interohm rerun`",
            ) from None
        yield database


def require_server() -> None:
    """Refuse to go on without a database server, which all workers of a queue share.

    Raises
    ------
    InputError
        None is set: each worker's results would go into a folder where others do not find them.
    """
    if load_settings().mongodb_uri is None:
        raise InputError(
            "no database server is set, and the workers of a queue need one for their results",
            where="environment",
            fix="set INTEROHM_MONGODB_URI in environment.sh (`interohm init-cluster` writes it), "
            "which each job of the batch system reads first",
        )


def _in_a_worker() -> bool:
    """Whether a queue runs the present job; FireWorks' number of it is in its metadata."""
    job = CURRENT_JOB.job
    return (job is not None and "fw_id" in job.metadata) or in_a_worker_of_jobflow_remote()


def in_a_worker_of_jobflow_remote() -> bool:
    """Whether jobflow-remote runs the present job."""
    remote = sys.modules.get("jobflow_remote.jobs.run")
    return remote is not None and remote.CURRENT_JOBDOC.job_doc is not None
