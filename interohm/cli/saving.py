"""`--save` and `--wait`: results that go into the project's database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from interohm.database import Database

#: How long a command waits for another that writes to the folder.
WAIT_S = 30.0

Save = Annotated[bool, typer.Option("--save", help="Keep the result in the project's database.")]
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
def saving(asked: bool, wait_s: float = WAIT_S) -> Iterator[Database | None]:
    """Open the database to save into, beside others who save, before anything is computed.

    Parameters
    ----------
    asked : bool
        Whether anything is to be saved; otherwise None is given.
    wait_s : float
        How long to wait for a process that has the folder for itself.
    """
    from interohm.database import Database

    if not asked:
        yield None
        return
    with Database.open(write=True, shared=True, wait_s=wait_s) as database:
        yield database
