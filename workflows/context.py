"""The database that the jobs of this process use, and where a flow's results go."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from pathlib import Path

from jobflow import CURRENT_JOB

from interohm.database import Database
from interohm.database.storage import ServerUnreachableError
from interohm.errors import InputError
from interohm.settings import Settings, load_settings

#: In the metadata of a job of a flow by itself: the project folder of its results, or `SERVER`.
RESULTS, SERVER = "interohm_results", "server"

#: How long a job waits for another writer of its folder.
_WAIT_S = 60.0

_ACTIVE: ContextVar[Database | None] = ContextVar("active_database", default=None)


@contextlib.contextmanager
def using(database: Database) -> Iterator[None]:
    """Make the jobs that run inside this block use ``database``."""
    token = _ACTIVE.set(database)
    try:
        yield
    finally:
        _ACTIVE.reset(token)


@contextlib.contextmanager
def active_database() -> Iterator[Database]:
    """Return the launcher's database or, in a worker of a queue, the one that the settings name.

    Raises
    ------
    InputError
        A worker has no server, or it cannot be reached; or it does not see the flow's folder.
    """
    active = _ACTIVE.get()
    if active is not None:
        yield active
        return
    place = _place()
    if place == SERVER or (place is None and _in_a_worker()):
        require_server()
    elif place is not None and _in_a_worker() and not Path(place).is_dir():
        raise InputError(
            "the folder of this flow's results is not on the machine of this worker",
            where=place,
            fix="name one that all workers share, or let INTEROHM_MONGODB_URI name a server when "
            "the flow is made and in the workers' environment",
        )
    with contextlib.ExitStack() as stack:
        try:
            database = stack.enter_context(
                # many jobs may save into the folder of a flow
                Database.open(job_settings(), write=True, shared=place is not None, wait_s=_WAIT_S)
            )
        except ServerUnreachableError as error:
            # No word of a folder: the jobs after this one would look for its result on the server.
            raise InputError(
                error.what,
                where=error.where,
                fix="check INTEROHM_MONGODB_URI in environment.sh, and that compute nodes may "
                "reach the server; then `interohm rerun`",
            ) from None
        yield database


@contextlib.contextmanager
def connected() -> Iterator[Callable[[], None]]:
    """Let the block use one connection to the database; what it yields ends that before.

    So a calculation of days holds nothing open, and what is asked before it connects once.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(using(stack.enter_context(active_database())))
        yield stack.close


def results_of(database: str | Path | None) -> dict[str, str]:
    """Return the metadata that tell a flow's jobs where its results go.

    Parameters
    ----------
    database : str or Path, optional
        A project folder, which is made. Default: what the settings say now: a folder, made
        absolute, or a server, whose address every worker has in its own settings.
    """
    settings = load_settings()
    if database is None and settings.mongodb_uri is not None:
        return {RESULTS: SERVER}
    folder = (settings.data if database is None else Path(database)).expanduser().resolve()
    with contextlib.suppress(OSError):  # said by the job that cannot write to it
        folder.mkdir(parents=True, exist_ok=True)  # by which workers see that it is theirs, too
    return {RESULTS: str(folder)}


def job_settings() -> Settings:
    """Return the settings of the present job: with the folder that its flow's results go to."""
    settings, place = load_settings(), _place()
    if place is None or place == SERVER:
        return settings
    return settings.model_copy(update={"data": Path(place), "mongodb_uri": None})


def _place() -> str | None:
    job = CURRENT_JOB.job
    place = None if job is None else job.metadata.get(RESULTS)
    return None if place is None else str(place)


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
    """Return whether a queue runs the present job; FireWorks' number of it is in its metadata."""
    job = CURRENT_JOB.job
    return (job is not None and "fw_id" in job.metadata) or in_a_worker_of_jobflow_remote()


def in_a_worker_of_jobflow_remote() -> bool:
    """Return whether jobflow-remote runs the present job."""
    remote = sys.modules.get("jobflow_remote.jobs.run")
    return remote is not None and remote.CURRENT_JOBDOC.job_doc is not None
