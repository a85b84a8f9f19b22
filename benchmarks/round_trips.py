"""Commands that `submit`, `status` and `rerun` send to the database server.

``python benchmarks/round_trips.py URI [PHASES ...]`` fills launchpads of 10, 100 and 1000 phases
(or of those numbers) on a MongoDB server that may be written to, and prints one JSON object. Phases
have two jobs; three of all have failed.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from pathlib import Path

from fireworks import LaunchPad

TESTS = Path(__file__).parents[1] / "tests" / "cluster"


def main() -> None:
    """Count, and print the numbers."""
    os.environ["INTEROHM_TEST_MONGODB_URI"] = sys.argv[1]
    sys.path.insert(0, str(TESTS))
    from test_round_trips import Counting, commands, remote_commands

    made: list[LaunchPad] = []

    def launchpad(counting: Counting) -> LaunchPad:
        pad = LaunchPad(
            host=sys.argv[1],
            name=f"interohm_benchmark_{os.getpid()}_{len(made)}",
            uri_mode=True,
            strm_lvl="CRITICAL",
            mongoclient_kwargs={"event_listeners": [counting]},
        )
        made.append(pad)
        return pad

    try:
        with contextlib.redirect_stdout(io.StringIO()):
            sizes = [int(size) for size in sys.argv[2:]] or [10, 100, 1000]
            counted = {
                "fireworks": {size: commands(launchpad, size) for size in sizes},
                "jobflow-remote": {size: remote_commands(size) for size in sizes},
            }
    finally:
        for pad in made:
            pad.connection.drop_database(pad.name)
    json.dump(counted, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
