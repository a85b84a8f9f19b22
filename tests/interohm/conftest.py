"""Settings of every test: a database of its own, nothing from the user's environment."""

from __future__ import annotations

import os
from typing import NamedTuple

import pytest

from interohm.cli import main


@pytest.fixture(autouse=True)
def _own_project(tmp_path, monkeypatch):
    """Run in an empty folder, with a database that does not exist yet."""
    for name in list(os.environ):
        if name.startswith("INTEROHM_") and not name.startswith("INTEROHM_TEST_"):
            monkeypatch.delenv(name)
    monkeypatch.delenv("MP_API_KEY", raising=False)
    monkeypatch.chdir(tmp_path)


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
