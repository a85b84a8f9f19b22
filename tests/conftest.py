"""What the tests of all folders share."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from interohm.cli import main


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
