"""Ten thousand jobs through a launchpad: whether the last are slower than the first.

``python benchmarks/launchpad.py URI [JOBS]`` submits phases of two jobs that calculate nothing to a
MongoDB server that may be written to, takes and ends the jobs one after the other as a worker of
FireWorks does, and prints one JSON object: for each tenth of the jobs the time of this process and
the commands to the server, and the last tenth's time over the first, as it is and over a peer's;
while it runs, each tenth on standard error. The peer is the same work after each job (a document
copied, to BSON and back), which a busier machine slows down alike. Run it in an empty folder, with
JOBFLOW_CONFIG_FILE for their outputs.
"""

from __future__ import annotations

import contextlib
import copy
import io
import json
import os
import sys
import time
from pathlib import Path

import bson
from fireworks import FWorker, LaunchPad
from fireworks.core.rocket_launcher import launch_rocket

TESTS = Path(__file__).parents[1] / "tests" / "cluster"
DOCUMENT = {str(key): {"name": 20 * "x", "values": [0.5 * key, key]} for key in range(200)}


def peer_s() -> float:
    """Return the processor time of work that is the same after each job."""
    begun = time.process_time()
    for _ in range(3):
        bson.decode(bson.encode(copy.deepcopy(DOCUMENT)))
    return time.process_time() - begun


def main() -> None:
    """Run them, and print the numbers."""
    os.environ["INTEROHM_TEST_MONGODB_URI"] = sys.argv[1]
    sys.path.insert(0, str(TESTS))
    from test_round_trips import Counting, plans

    from interohm.workflows import submission

    jobs = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    counting = Counting()
    pad = LaunchPad(
        host=sys.argv[1],
        name=f"interohm_benchmark_{os.getpid()}",
        uri_mode=True,
        strm_lvl="CRITICAL",
        mongoclient_kwargs={"event_listeners": [counting]},
    )
    tenth, cpu_s, peers_s, clock_s, commands = jobs // 10, [], [], [], []
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            submission.submit("benchmark", plans(jobs // 2), pad)
            for _ in range(10):
                begun, clock, peer = time.process_time(), time.perf_counter(), 0.0
                counting.commands.clear()
                for _ in range(tenth):
                    launch_rocket(pad, FWorker(), strm_lvl="CRITICAL")
                    peer += peer_s()
                commands.append(sum(counting.commands.values()))
                cpu_s.append(round(time.process_time() - begun - peer, 3))
                peers_s.append(round(peer, 3))
                clock_s.append(round(time.perf_counter() - clock, 3))
                print(
                    f"{len(cpu_s) * tenth} jobs: {cpu_s[-1]} s, peer {peers_s[-1]} s",
                    file=sys.stderr,
                    flush=True,
                )
            done = pad.fireworks.count_documents({"state": "COMPLETED"})
    finally:
        pad.connection.drop_database(pad.name)
    assert done == 10 * tenth, done
    figures = {
        "jobs": done,
        "ms_per_job": round(1e3 * sum(cpu_s) / done, 2),
        "commands_per_job_of_each_tenth": [round(each / tenth, 1) for each in commands],
        "cpu_s_of_each_tenth": cpu_s,
        "peer_s_of_each_tenth": peers_s,
        "clock_s_of_each_tenth": clock_s,
        "last_tenth_over_first": round(cpu_s[-1] / cpu_s[0], 3),
        "last_tenth_over_first_and_over_peer": round(
            cpu_s[-1] / cpu_s[0] * peers_s[0] / peers_s[-1], 3
        ),
        "clock_of_last_tenth_over_first": round(clock_s[-1] / clock_s[0], 3),
    }
    json.dump(figures, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
