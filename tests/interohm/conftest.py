"""Settings of every test: a database of its own, nothing from the user's environment."""

from __future__ import annotations

import os

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
def settings(request, tmp_path, monkeypatch):
    """Settings of an empty database, a folder or on a server, which commands use as well."""
    if request.param == "folder":
        monkeypatch.setenv("INTEROHM_DATA", str(tmp_path / "data"))
    else:
        request.getfixturevalue("use_server")
    return Settings()


@pytest.fixture
def use_server(server_uri, server_database, monkeypatch):
    """Let commands and settings name an empty database on the server."""
    monkeypatch.setenv("INTEROHM_MONGODB_URI", server_uri)
    monkeypatch.setenv("INTEROHM_MONGODB_DATABASE", server_database)
