"""A server of the faults' own, which they may kill, and clusters on it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "cluster"))

from clusters import Cluster
from mongo_server import CannotStartError, MongoServer

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoServer]:
    """A running server whose file outlives it."""
    server = MongoServer(tmp_path_factory.mktemp("server") / "documents.mv")
    try:
        server.start()
    except CannotStartError as error:
        pytest.exit(f"make test-cluster: {error}", returncode=2)
    yield server
    server.stop()


@pytest.fixture
def cluster(server: MongoServer, tmp_path: Path) -> Iterator[Cluster]:
    """A cluster without a batch system: its workers are processes of this machine."""
    name = f"interohm_faults_{os.getpid()}_{time.time_ns()}"
    made = Cluster(None, server.uri, tmp_path / "cluster", name)
    yield made
    if not server.running:
        server.start()  # a test that failed while it was down takes no other along
    made.remove()


@pytest.fixture
def lithium(tmp_path: Path) -> Path:
    """A campaign of one metal, as coarse as converges: three calculations and a record."""
    preset = (DATA / "presets" / "tiny.yaml").read_text()
    for cutoff, lower in (("400", "300"), ("350", "250")):
        preset = preset.replace(f"cutoff_eV: {cutoff}", f"cutoff_eV: {lower}")
    (tmp_path / "preset.yaml").write_text(preset)
    head, _, _ = (DATA / "campaigns" / "tiny.yaml").read_text().partition("  - name: LiF")
    head = head.replace("../presets/tiny.yaml", "preset.yaml").replace("tiny", "lithium")
    path = tmp_path / "lithium.yaml"
    path.write_text(head.replace("../../..", str(DATA.parents[1])))
    return path
