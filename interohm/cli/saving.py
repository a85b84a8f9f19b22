"""`--save` and `--wait`: results that go into the project's database."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from interohm.database import Database

#: How long a command waits for another that writes to the folder.
WAIT_S = 30.0

Save = Annotated[bool, typer.Option("--save", help="Save the result in the project's database.")]
Wait = Annotated[
    float,
    typer.Option(
        "--wait",
        metavar="SECONDS",
        min=0,
        help="How long --save waits, before it computes, for a campaign that writes to the same "
        "folder.",
    ),
]


@contextmanager
def saving(asked: bool, wait_s: float) -> Iterator[Callable[[], Database]]:
    """Open the database to save into, beside others who save, before anything is computed.

    Of a folder that is not there yet nobody is in the way; it is made when something is saved.

    Parameters
    ----------
    asked : bool
        Whether anything is to be saved.
    wait_s : float
        How long to wait for a process that has the folder for itself.

    Yields
    ------
    callable
        Returns the database.
    """
    from interohm.database import Database
    from interohm.settings import load_settings

    with ExitStack() as stack:

        @functools.cache
        def opened() -> Database:
            return stack.enter_context(Database.open(write=True, shared=True, wait_s=wait_s))

        if asked:
            settings = load_settings()
            if settings.mongodb_uri is not None or settings.data.exists():
                opened()
        yield opened
