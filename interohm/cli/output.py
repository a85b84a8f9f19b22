"""What all commands print: JSON to standard output, tables, and remarks to standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from interohm.results.result import Quantiles

#: Columns where the output is no terminal: wide enough that no number is broken.
_WIDTH = 160


def print_json(value: Any) -> None:
    """Print one JSON value and nothing else.

    Raises
    ------
    ValueError
        A number is NaN or infinite, which JSON does not know.
    """
    sys.stdout.write(json.dumps(value, allow_nan=False) + "\n")
    sys.stdout.flush()


def console(*, stderr: bool = False) -> Console:
    """Return a rich console that prints text as it is."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _WIDTH
    return Console(file=stream, width=width, markup=False, highlight=False, emoji=False)


def remark(text: str) -> None:
    """Tell the user something that is not the result."""
    typer.echo(text, err=True)


@contextmanager
def progress_bar(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show on standard error how many of ``total`` are done; nothing where it is no terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    screen = console(stderr=True)
    with Progress(
        *columns, console=screen, transient=True, disable=not screen.is_terminal
    ) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done: progress.update(task, completed=done)


@contextmanager
def progress_of(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show the same where how many there are is known only later; given with what is done."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    screen = console(stderr=True)
    with Progress(
        *columns, console=screen, transient=True, disable=not screen.is_terminal
    ) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def table(*columns: str, title: str | None = None) -> Table:
    """Return an empty table; columns whose name ends in a unit or # are aligned right."""
    from rich.box import SIMPLE
    from rich.table import Table

    made = Table(box=SIMPLE, title=title, title_justify="left", title_style="bold")
    for name in columns:
        numeric = name.endswith((")", "#", "%"))
        made.add_column(name.rstrip("#"), justify="right" if numeric else "left", overflow="fold")
    return made


def shown(value: float | None, digits: int = 4) -> str:
    """Return a number for a table, a dash where there is none."""
    return "–" if value is None else f"{value:.{digits}g}"


def shown_interval(quantiles: Quantiles | None, digits: int = 3) -> str:
    """Return the 5 to 95 % interval for a table, empty where there is none."""
    if quantiles is None:
        return ""
    return f"{quantiles['p05']:.{digits}g} … {quantiles['p95']:.{digits}g}"
