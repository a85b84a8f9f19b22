"""Jobs whose calculation another one makes: they leave their core, and come back.

In FireWorks such a job goes back as one that no worker may take (`NOBODY`), and whoever ends the
calculation lets it be taken again. Where a worker is killed before, others that have taken a
calculation since they started notice: its claim is free. jobflow-remote's runner brings such jobs
back at its own pace.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from multiprocessing.util import Finalize
from pathlib import Path
from typing import TYPE_CHECKING

from jobflow import Job, JobConfig

from .claim_file import CLAIM, is_free
from .claims import Claim
from .context import in_a_worker_of_jobflow_remote
from .launchpad import (
    NOBODY,
    WAITS_FOR,
    claims_waited_for,
    let_be_taken,
    let_one_be_taken,
    quiet,
)
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
        Name of that job.
    """

    def __init__(self, claim: Claim, holder: str) -> None:
        self.claim, self.holder = claim, holder
        super().__init__(f"it waits for {holder}")


#: Claims for which this process put a job back, by the calculations' keys, until it has looked
#: once more: the calculation may have ended before the job was back in the queue.
_put_back: dict[str, Path] = {}
_at_the_end: list[Finalize] = []
_last: LaunchPad | None = None
_watch: threading.Thread | None = None


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
        The calculation it waits for.
    """
    claim = error.claim.folder / CLAIM
    waits = {"key": error.claim.request.key, "job": error.holder, "claim": str(claim.absolute())}
    if in_a_worker_of_jobflow_remote():
        again.metadata[WAITS_FOR] = waits
        return again
    parked = {**again.config.manager_config, "_fworker": NOBODY, WAITS_FOR: waits}
    again.config = JobConfig(**{**vars(again.config), "manager_config": parked})
    _put_back[error.claim.request.key] = claim
    if not _at_the_end:
        # where processes of `multiprocessing` end, too
        _at_the_end.append(Finalize(None, look_after, exitpriority=10))
    return again


def without_wait(config: JobConfig) -> JobConfig:
    """Return what a job's configuration says apart from what it waited for."""
    own = {k: v for k, v in config.manager_config.items() if k not in ("_fworker", WAITS_FOR)}
    return JobConfig(**{**vars(config), "manager_config": own})


def had_waited(config: JobConfig) -> bool:
    """Return whether a job with this configuration comes back after it has waited."""
    return WAITS_FOR in config.manager_config


def look_after() -> None:
    """Release the jobs that this process put back, if what they wait for ended meanwhile."""
    for key, path in list(_put_back.items()):
        del _put_back[key]
        if is_free(path):
            wake(key)


def wake(key: str) -> None:
    """Release the jobs of FireWorks that wait for a calculation of this key, which has ended."""
    if (launchpad := _launchpad()) is not None:
        from pymongo.errors import PyMongoError

        with contextlib.suppress(PyMongoError):  # `watch` lets them be taken, too
            let_be_taken(launchpad, {f"spec.{WAITS_FOR}.key": key})


def watch() -> None:
    """Let this worker of FireWorks see, as long as it lives, whom the dead left waiting.

    It looks as often as FireWorks looks for jobs, and lets one job of those that wait for a
    calculation be taken if nobody makes that any more; the others wait for this one then.
    """
    global _watch
    if _launchpad() is None or (_watch is not None and _watch.is_alive()):
        return
    with quiet():
        from fireworks.fw_config import RAPIDFIRE_SLEEP_SECS
    _watch = threading.Thread(target=_look_around, args=(RAPIDFIRE_SLEEP_SECS,), daemon=True)
    _watch.start()


def _look_around(pause_s: float) -> None:
    from pymongo.errors import PyMongoError

    pause = threading.Event()
    while True:
        with contextlib.suppress(PyMongoError):  # the server may come back
            if (launchpad := _last) is not None:
                for claim in claims_waited_for(launchpad):
                    if is_free(Path(claim)):
                        let_one_be_taken(launchpad, claim)
        pause.wait(pause_s)


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
