"""A database server and a Slurm of the tests' own, for ``make test-cluster``.

The server is up before any test is collected, so that the tests of the database take it too; with
``INTEROHM_TEST_MONGODB_URI`` set, that server is used. Processes of pytest-xdist share it, and have
a Slurm each.
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
from slurm import Slurm, require_slurm

SERVER_VARIABLE = "INTEROHM_TEST_MONGODB_URI"


def pytest_configure(config: pytest.Config) -> None:
    """Bring up the server, or say what is missing and end."""
    try:
        require_slurm()  # said once, before there are processes that look for it
    except CannotStartError as error:
        pytest.exit(f"make test-cluster: {error}", returncode=2)
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


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs no server, which ``make test`` runs."""
    without = [item for item in items if not _needs_server(item)]
    items[:] = [item for item in items if _needs_server(item)]
    config.hook.pytest_deselected(items=without)


def _needs_server(item: pytest.Item) -> bool:
    callspec = getattr(item, "callspec", None)
    return (
        "cluster" in item.path.parts
        or "server_uri" in getattr(item, "fixturenames", ())
        or (callspec is not None and "server" in callspec.params.values())
    )


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
