"""Jobs whose calculation another one makes: they leave their core, and come back.

In FireWorks such a job goes back as one that no worker may take (`NOBODY`), and whoever ends the
calculation lets it be taken again. jobflow-remote's runner brings it back at its own pace.
"""

from __future__ import annotations

import contextlib
import sys
from multiprocessing.util import Finalize
from pathlib import Path
from typing import TYPE_CHECKING

from jobflow import Job, JobConfig

from interohm.errors import InputError
from interohm.files import open_plain

from .claims import CLAIM, Claim, taken
from .context import in_a_worker_of_jobflow_remote
from .launchpad import NOBODY, WAITS_FOR, let_be_taken
from .signals import frames

if TYPE_CHECKING:
    from fireworks import LaunchPad


class TakenError(Exception):
    """Another job makes the calculation.

    Parameters
    ----------
    claim : Claim
        Which one.
    holder : str
        What that job is called.
    """

    def __init__(self, claim: Claim, holder: str) -> None:
        self.claim, self.holder = claim, holder
        super().__init__(f"it waits for {holder}")


#: Claims for which this process put a job back, by the calculations' keys, until it has looked
#: once more: the calculation may have ended before the job was back in the queue.
_put_back: dict[str, Path] = {}
_at_the_end: list[Finalize] = []
_last: LaunchPad | None = None


def can_come_back() -> bool:
    """Return whether the present job can go back into a queue, to be taken again in time."""
    return in_a_worker_of_jobflow_remote() or _launchpad() is not None


def put_back(again: Job, error: TakenError) -> Job:
    """Return the present job, to follow itself when the other one has ended.

    Parameters
    ----------
    again : Job
        The present job once more.
    error : TakenError
        What it waits for.
    """
    waits = {"key": error.claim.request.key, "job": error.holder}
    if in_a_worker_of_jobflow_remote():
        again.metadata[WAITS_FOR] = waits
        return again
    parked = {**again.config.manager_config, "_fworker": NOBODY, WAITS_FOR: waits}
    again.config = JobConfig(**{**vars(again.config), "manager_config": parked})
    _put_back[error.claim.request.key] = error.claim.folder / CLAIM
    if not _at_the_end:
        # where processes of `multiprocessing` end, too
        _at_the_end.append(Finalize(None, look_after, exitpriority=10))
    return again


def without_wait(config: JobConfig) -> JobConfig:
    """Return what a job's configuration says apart from what it waited for."""
    own = {k: v for k, v in config.manager_config.items() if k not in ("_fworker", WAITS_FOR)}
    return JobConfig(**{**vars(config), "manager_config": own})


def look_after() -> None:
    """Release the jobs that this process put back, if what they wait for ended meanwhile."""
    for key, path in list(_put_back.items()):
        del _put_back[key]
        with contextlib.suppress(InputError, OSError):
            with open_plain(path) as file:
                free = taken(file)
            if free:
                wake(key)


def wake(key: str) -> None:
    """Release the jobs of FireWorks that wait for a calculation of this key, which has ended."""
    if (launchpad := _launchpad()) is not None:
        from pymongo.errors import PyMongoError

        with contextlib.suppress(PyMongoError):  # `interohm rerun` lets them be taken, too
            let_be_taken(launchpad, {f"spec.{WAITS_FOR}.key": key})


def _launchpad() -> LaunchPad | None:
    """Return the launchpad of FireWorks' worker, of which this is a job or was the last one.

    FireWorks hands it to its task, and jobflow does not hand it on.
    """
    global _last
    for frame in frames(sys._getframe()):
        if frame.f_code.co_name == "run_task":
            _last = getattr(frame.f_locals.get("self"), "launchpad", None)
            break
    return _last
