"""Settings of every test: a database of its own, nothing from the user's environment."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True)
def _own_project(tmp_path, monkeypatch):
    """Run in an empty folder, with a database that does not exist yet."""
    for name in list(os.environ):
        if name.startswith("INTEROHM_") and not name.startswith("INTEROHM_TEST_"):
            monkeypatch.delenv(name)
    monkeypatch.delenv("MP_API_KEY", raising=False)
    monkeypatch.chdir(tmp_path)
