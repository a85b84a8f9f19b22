"""A database server and a Slurm of the tests' own, for ``make test-cluster``.

The server is up before any test is collected, so that the tests of the database take it too; with
``INTEROHM_TEST_MONGODB_URI`` set, that server is used.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from clusters import Cluster
from mongo_server import CannotStartError, MongoServer
from slurm import Slurm

SERVER_VARIABLE = "INTEROHM_TEST_MONGODB_URI"


def pytest_configure(config: pytest.Config) -> None:
    """Bring up the server, or say what is missing and end."""
    if os.environ.get(SERVER_VARIABLE):
        return
    folder = tempfile.TemporaryDirectory(prefix="interohm-server-")
    server = MongoServer(Path(folder.name) / "documents.mv")
    try:
        server.start()
    except CannotStartError as error:
        folder.cleanup()
        pytest.exit(f"make test-cluster: {error}", returncode=2)
    os.environ[SERVER_VARIABLE] = server.uri

    def take_down() -> None:
        server.stop()
        folder.cleanup()

    config.add_cleanup(take_down)


@pytest.fixture(scope="session")
def slurm() -> Iterator[Slurm]:
    """A running Slurm."""
    # Not pytest's own folder: others must be able to reach MUNGE's socket, all the way down.
    with tempfile.TemporaryDirectory(prefix="interohm-slurm-") as folder:
        cluster = Slurm(Path(folder))
        try:
            cluster.start()
            yield cluster
        except CannotStartError as error:
            pytest.exit(f"make test-cluster: {error}", returncode=2)
        finally:
            cluster.stop()


@pytest.fixture
def cluster(slurm: Slurm, tmp_path: Path) -> Iterator[Cluster]:
    """A cluster with nothing in its queue and its database."""
    name = f"interohm_test_{os.getpid()}_{time.time_ns()}"
    made = Cluster(slurm, os.environ[SERVER_VARIABLE], tmp_path / "cluster", name)
    yield made
    made.remove()
