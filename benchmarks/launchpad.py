"""Ten thousand jobs through a launchpad: whether the last are slower than the first.

``python benchmarks/launchpad.py URI [JOBS]`` fills a launchpad on a MongoDB server that may be
written to with phases of two jobs that calculate nothing, and takes and ends the jobs one after the
other as a worker of FireWorks does. The peer of the last tenth is the first tenth of a second
launchpad, filled alike, that another process takes in turns with it, 50 jobs each, so that other
work on the machine slows both down. Each process keeps its outputs in its own database of the
server. It prints one JSON object with the processor time and the commands of each tenth; while it
runs, each tenth on standard error. Run it in an empty folder.
"""

from __future__ import annotations

import contextlib
import io
import json
import multiprocessing
import os
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path

TESTS = Path(__file__).parents[1] / "tests" / "cluster"
TURN = 50


def work(uri: str, name: str, jobs: int, asked: Connection) -> None:
    """Fill a launchpad, run as many jobs as each message asks for, and answer with the cost."""
    settings = Path(f"{name}.yaml")
    store = {"type": "MongoURIStore", "uri": uri, "database": name, "collection_name": "outputs"}
    settings.write_text(json.dumps({"JOB_STORE": {"docs_store": store}}))
    os.environ["JOBFLOW_CONFIG_FILE"] = str(settings.absolute())  # read by the import of jobflow
    os.environ["INTEROHM_TEST_MONGODB_URI"] = uri
    sys.path.insert(0, str(TESTS))
    from fireworks import FWorker, LaunchPad
    from fireworks.core.rocket_launcher import launch_rocket
    from test_round_trips import Counting, plans

    from interohm.workflows import submission

    counting = Counting()
    pad = LaunchPad(
        host=uri,
        name=name,
        uri_mode=True,
        strm_lvl="CRITICAL",
        mongoclient_kwargs={"event_listeners": [counting]},
    )
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            submission.submit("benchmark", plans(jobs // 2), pad)
            asked.send(pad.fireworks.count_documents({}))
            while count := asked.recv():
                counting.commands.clear()
                begun, clock = time.process_time(), time.perf_counter()
                for _ in range(count):
                    launch_rocket(pad, FWorker(), strm_lvl="CRITICAL")
                cost = time.process_time() - begun, time.perf_counter() - clock
                asked.send((*cost, sum(counting.commands.values())))
            asked.send(pad.fireworks.count_documents({"state": "COMPLETED"}))
    finally:
        pad.connection.drop_database(name)


def start(uri: str, kind: str, jobs: int) -> Connection:
    """Start a process with a launchpad of its own, and return once this is filled."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    name = f"interohm_benchmark_{os.getpid()}_{kind}"
    context.Process(target=work, args=(uri, name, jobs, there), daemon=True).start()
    assert here.recv() == jobs
    return here


def run(worker: Connection, count: int) -> tuple[float, float, int]:
    """Let a worker run jobs; return processor time (s), wall time (s) and commands."""
    worker.send(count)
    answer: tuple[float, float, int] = worker.recv()
    return answer


def total(parts: list[tuple[float, float, int]]) -> tuple[float, float, int]:
    """Return the sums of several answers."""
    cpu_s, clock_s, commands = zip(*parts, strict=True)
    return sum(cpu_s), sum(clock_s), sum(commands)


def main() -> None:
    """Run them, and print the numbers."""
    uri = sys.argv[1]
    jobs = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    tenth = jobs // 10
    old = start(uri, "old", jobs)
    tenths = []
    for number in range(9):
        tenths.append(run(old, tenth))
        print(f"{(number + 1) * tenth} jobs: {tenths[-1][0]:.1f} s", file=sys.stderr, flush=True)
    fresh = start(uri, "fresh", jobs)
    run(fresh, TURN)  # what its first job imports
    turns = [(run(old, TURN), run(fresh, TURN)) for _ in range(tenth // TURN)]
    last, first = (total(list(parts)) for parts in zip(*turns, strict=True))
    tenths.append(last)
    for worker, done in ((old, jobs), (fresh, tenth + TURN)):
        worker.send(0)
        assert worker.recv() == done
    figures = {
        "jobs": jobs,
        "cpu_ms_per_job_of_each_tenth": [round(1e3 * cpu_s / tenth, 1) for cpu_s, _, _ in tenths],
        "clock_ms_per_job_of_each_tenth": [round(1e3 * s / tenth, 1) for _, s, _ in tenths],
        "commands_per_job_of_each_tenth": [round(count / tenth, 1) for _, _, count in tenths],
        "cpu_ms_per_job_of_a_fresh_launchpad": round(1e3 * first[0] / tenth, 1),
        "cpu_of_last_tenth_over_fresh": round(last[0] / first[0], 3),
        "cpu_over_fresh_of_each_turn": [round(mine[0] / other[0], 2) for mine, other in turns],
        "clock_of_last_tenth_over_fresh": round(last[1] / first[1], 3),
    }
    json.dump(figures, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
