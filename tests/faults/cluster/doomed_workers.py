"""Workers that die at a certain write to the database, and commands between them.

A program: each line of its input is a command (``work``, ``work N``, or one of ``interohm``'s) as a
JSON list, run in a fork, so that none waits for imports; each line of its output says how that
ended.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable

from fireworks.core.fworker import FWorker
from fireworks.core.launchpad import LaunchPad
from fireworks.core.rocket_launcher import rapidfire
from fireworks.fw_config import FWORKER_LOC, LAUNCHPAD_LOC
from jobflow.managers import fireworks  # noqa: F401 - as above
from pymongo import monitoring

from interohm.cli import main
from interohm.workflows import calculations, phase_jobs  # noqa: F401 - before the fork, not after

WRITES = ("insert", "update", "delete", "findAndModify")


class Doom(monitoring.CommandListener):
    """Counts this process' writes, and kills it before one of them leaves.

    Parameters
    ----------
    fatal : int
        The number of that write; 0 for none.
    """

    def __init__(self, fatal: int) -> None:
        self.fatal = fatal
        self.writes = 0

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        """Count, or kill."""
        if event.command_name in WRITES:
            self.writes += 1
            if self.writes == self.fatal:
                os.kill(os.getpid(), signal.SIGKILL)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Nothing."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Nothing."""


def work(fatal: int = 0) -> None:
    """Take jobs until none is ready; print how often was written."""
    doom = Doom(fatal)
    monitoring.register(doom)
    launchpad = LaunchPad.from_file(LAUNCHPAD_LOC)
    worker = FWorker.from_file(FWORKER_LOC)
    rapidfire(launchpad, worker, nlaunches=-1, max_loops=1, sleep_time=0.05, strm_lvl="CRITICAL")
    print(f"\n{doom.writes}")


def in_a_fork(run: Callable[[], None]) -> tuple[int, str]:
    """Return the exit status of a function (negative: the signal) and what it prints."""
    with tempfile.TemporaryFile("w+") as output:
        if (child := os.fork()) == 0:
            os.dup2(output.fileno(), 1)
            code = 0
            try:
                run()
            except SystemExit as end:
                code = int(end.code or 0)
            except BaseException:
                code = 1
                sys.excepthook(*sys.exc_info())
            finally:
                sys.stdout.flush()
                os._exit(code)
        _, status = os.waitpid(child, 0)
        output.seek(0)
        return os.waitstatus_to_exitcode(status), output.read()


if __name__ == "__main__":
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        if name == "work":
            ended = in_a_fork(lambda given=arguments: work(*given))
        else:
            ended = in_a_fork(lambda given=[name, *arguments]: main(given))
        print(json.dumps(ended), flush=True)
