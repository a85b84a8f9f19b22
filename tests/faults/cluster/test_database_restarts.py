"""The database server killed and started again while workers write."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from clusters import Cluster, wait_for
from mongo_server import MongoServer

from interohm.database import Database
from interohm.settings import Settings

WRITERS, ROUNDS = 3, 40

#: Saves until it is told that the server has it; says so, each time.
WRITER = f"""
import sys, time
from interohm.database import Database
from interohm.errors import InputError
worker = int(sys.argv[1])
for round in range({ROUNDS}):
    while True:
        try:
            with Database.open(write=True) as database:
                database.save_calculation({{"hash": f"own-{{worker}}-{{round}}", "energy_eV": 1.0}})
                database.save_contact({{
                    "left": "Li", "right": f"phase{{round}}", "temperature_K": 300.0,
                    "resistance": {{"interface_resistance_ohm_cm2": 1.0}},
                    "potential_drop_V": worker, "profile": {{"x_nm": [worker] * 100}},
                }})
            break
        except InputError as error:
            print("refused:", error, flush=True)
            time.sleep(0.1)
    print("saved", round, flush=True)
"""


def test_writers_over_a_restart(
    server: MongoServer, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(number)],
            env=cluster.environment,
            stdout=(cluster.work / f"{number}.txt").open("w"),
            stderr=subprocess.STDOUT,
        )
        for number in range(WRITERS)
    ]
    logs = [cluster.work / f"{number}.txt" for number in range(WRITERS)]
    for number in (5, 20):
        wait_for(lambda number=number: any(f"saved {number}" in log.read_text() for log in logs))
        server.kill()
        time.sleep(0.5)
        server.start()
    assert [writer.wait() for writer in writers] == [0] * WRITERS, logs[0].read_text()
    said = "".join(log.read_text() for log in logs)
    assert "refused: " in said
    assert "Traceback" not in said
    assert not [secret for secret in cluster.secrets if secret in said]
    for variable in ("INTEROHM_MONGODB_URI", "INTEROHM_MONGODB_DATABASE"):
        monkeypatch.setenv(variable, cluster.environment[variable])
    with Database.open(Settings()) as database:
        assert database.count("calculations") == WRITERS * ROUNDS
        contacts = database.query("contacts")
        assert sorted(c["right"] for c in contacts) == sorted(f"phase{n}" for n in range(ROUNDS))
        for contact in contacts:
            assert set(database.with_profiles(contact)["profile"]["x_nm"]) == {
                contact["potential_drop_V"]
            }


@pytest.fixture
def worker(cluster: Cluster) -> Iterator[list[subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        process.kill()
        process.wait()


def test_a_campaign_over_a_restart(
    server: MongoServer,
    cluster: Cluster,
    lithium: Path,
    worker: list[subprocess.Popen[bytes]],
) -> None:
    cluster.interohm("submit", lithium)
    log = (cluster.work / "worker.txt").open("w")
    command = ["rlaunch", "rapidfire"]

    def begin() -> None:
        worker.append(
            subprocess.Popen(
                command, env=cluster.environment, cwd=cluster.work, stdout=log, stderr=log
            )
        )

    begin()
    wait_for(lambda: list(cluster.data.glob("scratch/*/gpaw.txt")))
    server.kill()
    refused = cluster.run("interohm", "status", code=2)
    assert "my_launchpad.yaml" in refused.stderr
    (folder,) = (log.parent for log in cluster.data.glob("scratch/*/gpaw.txt"))
    wait_for(lambda: (folder / "result.json").exists())
    finished_at = (folder / "result.json").stat().st_mtime
    # The worker may wait for the server, or give up.
    time.sleep(1)
    server.start()
    wait_for(lambda: worker[-1].poll() is not None)
    if not finished(cluster):
        wait_for(lambda: "runs" not in states(cluster))
        cluster.interohm("rerun")
        begin()
        wait_for(lambda: worker[-1].poll() is not None)
    assert states(cluster) == {"done"}
    assert len(cluster.results("calculations")) == 3
    assert len(list(cluster.data.glob("scratch/*/gpaw.txt"))) == 3
    assert (folder / "worker.log").stat().st_mtime <= finished_at + 1
    printed = (cluster.work / "worker.txt").read_text()
    everything = cluster.documents() + printed + refused.stdout + refused.stderr
    assert not [secret for secret in cluster.secrets if secret in everything]


def states(cluster: Cluster) -> set[str]:
    return {job["state"] for job in cluster.status().values()}


def finished(cluster: Cluster) -> bool:
    return {job["state"] for job in cluster.queued("fireworks")} == {"COMPLETED"}
