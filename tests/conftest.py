"""What the tests of all folders share."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from interohm.cli import main

# Where tests of two folders find what writes VASP's files, and the script of a page's tables.
sys.path.insert(0, str(Path(__file__).parent / "vasp_files"))
sys.path.insert(0, str(Path(__file__).parents[1] / "docs"))


class Ran(NamedTuple):
    """What a command left: exit code, standard output, standard error."""

    code: int
    out: str
    err: str


@pytest.fixture
def interohm(capfd):
    """Return a function that runs a command line in this process."""

    def run(*arguments: object) -> Ran:
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        return Ran(ended.value.code or 0, *capfd.readouterr())

    return run


@pytest.fixture
def server_uri() -> str:
    """Return the address of a MongoDB server that may be written to."""
    uri = os.environ.get("INTEROHM_TEST_MONGODB_URI")
    if uri is None:
        pytest.skip("INTEROHM_TEST_MONGODB_URI names no server")
    return uri


@pytest.fixture
def server_database(server_uri) -> Iterator[str]:
    """Yield the name of a database that does not exist yet on the server; it is dropped."""
    from pymongo import MongoClient

    name = f"interohm_test_{os.getpid()}_{time.time_ns()}"
    yield name
    with MongoClient(server_uri) as client:
        client.drop_database(name)
