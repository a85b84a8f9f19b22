"""SIGTERM, by which batch systems end and preempt jobs: a worker told to end does so in order.

The job that it has goes back into the queue or comes to its end, and it takes no other.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType, SimpleNamespace
from typing import Any

_LAUNCHER = "fireworks.core.rocket_launcher"

#: Whether a worker for which `stand_by` was called has been told to end.
_told = threading.Event()
_before: Any = signal.SIG_DFL


def stand_by() -> None:
    """Make a SIGTERM end FireWorks' worker cleanly, from its first job of this program on.

    Called when the package is imported: the worker does so while it looks for a job or takes one.
    Later imports and the opened database then need no handlers of their own.
    """
    global _before
    if threading.current_thread() is threading.main_thread() and _in_a_launcher():
        _before = signal.signal(signal.SIGTERM, _told_to_end)


@contextlib.contextmanager
def told_to_end() -> Iterator[threading.Event]:
    """Make a SIGTERM set the event instead of ending the process, until the end of the block."""
    stopping = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stopping
        return
    if signal.getsignal(signal.SIGTERM) is _told_to_end:
        yield _told
        return
    before = signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    try:
        yield stopping
    finally:
        signal.signal(signal.SIGTERM, before)
        if stopping.is_set():
            _take_no_more()


@contextlib.contextmanager
def ending_in_order() -> Iterator[None]:
    """Finish a short step of FireWorks' worker before a SIGTERM ends the worker.

    One that ended at once would be lost until somebody makes it ready again.
    """
    if _LAUNCHER not in sys.modules:
        yield
        return
    with told_to_end():
        yield


def _told_to_end(number: int, frame: FrameType | None) -> None:
    for one in frames(frame):
        if one.f_code.co_name == "run_task" and not _of_this_program(one.f_locals.get("self")):
            # somebody else's job, which knows nothing of this: it ends as ever
            signal.signal(signal.SIGTERM, _before)
            signal.raise_signal(signal.SIGTERM)
            return
    _told.set()
    _take_no_more()
    at_work = {one.f_code.co_name for one in frames(frame)}
    if "rapidfire" in at_work and not at_work & {"launch_rocket", "run_task"}:
        raise SystemExit("told to end by SIGTERM")  # between two jobs: it sleeps, or looks for one


def _of_this_program(task: Any) -> bool:
    job = task.get("job") if isinstance(task, dict) else None
    module = getattr(getattr(job, "function", None), "__module__", None) or ""
    return module.partition(".")[0] == __name__.partition(".")[0]


def _in_a_launcher() -> bool:
    """Return whether FireWorks' worker is the caller, to look at a job or to run it."""
    names = {"fireworks.core.rocket", _LAUNCHER}
    return any(one.f_globals.get("__name__") in names for one in frames(sys._getframe()))


def frames(frame: FrameType | None) -> Iterator[FrameType]:
    """Yield a frame, and those that led to it."""
    while frame is not None:
        yield frame
        frame = frame.f_back


def _take_no_more() -> None:
    """End FireWorks' worker before it takes another job, because it was told to end, too."""

    def end(*_: object, **__: object) -> None:
        raise SystemExit("told to end by SIGTERM")

    # `rapidfire` has no other way to be stopped in order: it ends where it would launch the next
    # job, or, where none is ready, where it would sleep.
    if (launcher := sys.modules.get(_LAUNCHER)) is not None:
        launcher.launch_rocket = end  # type: ignore[attr-defined]
        launcher.time = SimpleNamespace(sleep=end)  # type: ignore[attr-defined]
