"""The command line: `python -m interohm`, and where the console script begins."""

from __future__ import annotations

import os
import signal


def main() -> None:
    """Run the command line; until it is imported, Ctrl-C just ends the process.

    Linear algebra has one thread unless ``OMP_NUM_THREADS`` (or the library's own variable) says
    otherwise: matrices here are small, and threads would wait for each other in busy loops.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # libraries read it as they are loaded
    python_s = signal.default_int_handler
    handled = signal.getsignal(signal.SIGINT) is python_s  # else a shell has it ignored
    if handled:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from interohm.cli import main as run

    if handled:
        signal.signal(signal.SIGINT, python_s)
    run()


if __name__ == "__main__":
    main()
