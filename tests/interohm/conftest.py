"""Settings of every test: a database of its own, nothing from the user's environment."""

from __future__ import annotations

import os
import time

import pytest

from interohm.settings import Settings


@pytest.fixture(autouse=True)
def _own_project(tmp_path, monkeypatch):
    """Run in an empty folder, with a database that does not exist yet."""
    for name in list(os.environ):
        if name.startswith("INTEROHM_") and not name.startswith("INTEROHM_TEST_"):
            monkeypatch.delenv(name)
    monkeypatch.delenv("MP_API_KEY", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def refused(interohm):
    """Return a function that runs a command line which must be refused as bad input."""

    def run(*arguments: object) -> str:
        ran = interohm(*arguments)
        assert ran.code == 2, ran
        assert ran.out == ""
        assert "Traceback" not in ran.err
        assert "fix: " in ran.err or "Usage" in ran.err
        return ran.err

    return run


@pytest.fixture(params=["folder", "server"])
def settings(request, tmp_path):
    """Settings of an empty database: a folder, and the server where one is given."""
    if request.param == "folder":
        yield Settings(data=tmp_path / "data")
        return
    # Asked now: the cluster's tests start their server after this file is read.
    uri = os.environ.get("INTEROHM_TEST_MONGODB_URI")
    if uri is None:
        pytest.skip("INTEROHM_TEST_MONGODB_URI names no server")
    from pymongo import MongoClient

    name = f"interohm_test_{os.getpid()}_{time.time_ns()}"
    yield Settings(mongodb_uri=uri, mongodb_database=name)
    with MongoClient(uri) as client:
        client.drop_database(name)
