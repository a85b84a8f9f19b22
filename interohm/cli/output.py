"""Output of all commands: JSON on standard output, tables, and remarks on standard error."""

from __future__ import annotations

import codecs
import copy
import json
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from interohm.errors import DocumentLeftOut
from interohm.plain_text import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    from interohm.results.result import Quantiles

#: Columns where the output is no terminal; tables take more if they need it.
_WIDTH = 160

#: Longer texts in a table's cells are broken, wherever it is printed.
_WIDEST_CELL = 60

#: Columns in which no cell is broken, to measure it.
_UNLIMITED = 100_000

#: Seconds before the first line of progress in a log, and the longest time between two.
_FIRST_LINE_S, _LONGEST_WAIT_S = 10.0, 60.0

#: Longer messages are cut.
_LINES, _CHARACTERS = 30, 3000

#: How a terminal without Unicode shows what stands in tables.
_ASCII = str.maketrans(
    {
        **dict.fromkeys("–−", "-"),
        **dict.fromkeys("·∙", "."),
        "…": "...",
        "±": "+-",
        "≥": ">=",
        "→": "->",
        "²": "2",
        "³": "3",
        "⁻": "-",
        "µ": "u",
        "Å": "A",
        "Ω": "ohm",
        "α": "alpha",
        "σ": "sigma",
        "φ": "phi",
    }
)


def _in_ascii(error: UnicodeError) -> tuple[str, int]:
    """Replace what the encoding of standard output does not have, for `codecs`."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end].translate(_ASCII)
    return text.encode("ascii", "replace").decode(), error.end


def prepare_streams() -> None:
    """Make output fail neither on a character nor on a closed stream."""
    codecs.register_error("interohm", _in_ascii)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by whoever started this process
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="interohm")


@contextmanager
def documents_left_out_are_named() -> Iterator[None]:
    """Tell the user, once each, which documents of the database are missing from an answer."""
    shown: set[str] = set()

    def show(message: Any, category: type[Warning], *where: Any, **kwargs: Any) -> None:
        if not issubclass(category, DocumentLeftOut):
            other(message, category, *where, **kwargs)
        elif str(message) not in shown:
            shown.add(str(message))
            remark(f"note: {message}")

    with warnings.catch_warnings():
        other = warnings.showwarning
        warnings.simplefilter("always", DocumentLeftOut)
        warnings.showwarning = show
        yield


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
    """Return a rich console that prints text as it is, but for what would act on a terminal."""
    from rich.console import Console

    class PlainConsole(Console):
        def render_str(self, text: str, **kwargs: Any) -> Text:
            return super().render_str(printable(text), **kwargs)

        def print(self, *objects: Any, **kwargs: Any) -> None:
            from rich.table import Table

            if len(objects) != 1 or not isinstance(objects[0], Table):
                super().print(*objects, **kwargs)
                return
            _leave_out_empty_intervals(objects[0])
            usual = self.width
            for part, width in _parts_that_fit(objects[0], self, terminal=terminal):
                self.width = max(width, usual)
                super().print(part, **kwargs)
            self.width = usual

    stream = sys.stderr if stderr else sys.stdout
    terminal = stream.isatty()
    width = None if terminal else _WIDTH
    return PlainConsole(file=stream, width=width, markup=False, highlight=False, emoji=False)


def remark(text: str) -> None:
    """Tell the user something that is not part of the result; a message of many lines is cut."""
    typer.echo(printable(cut(text)), file=sys.stderr)  # click's own stream knows no ASCII


def print_line(text: str) -> None:
    """Print a line of the result."""
    typer.echo(printable(text), file=sys.stdout)


def print_text(text: str) -> None:
    """Print a text that programs read, in UTF-8 whatever the terminal's encoding."""
    sys.stdout.flush()
    buffer = getattr(sys.stdout, "buffer", None)
    if buffer is None:
        sys.stdout.write(text)
    else:
        buffer.write(text.encode())
    sys.stdout.flush()


def cut(text: str) -> str:
    """Return the beginning of a message, and how much more there is."""
    lines = [
        line
        if len(line) <= _CHARACTERS
        else f"{line[:_CHARACTERS]} ... and {len(line) - _CHARACTERS} more characters"
        for line in text.splitlines()
    ]
    if len(lines) > _LINES:
        lines = [*lines[:_LINES], f"... and {len(lines) - _LINES} more lines"]
    return "\n".join(lines)


@contextmanager
def progress_bar(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show on standard error how many of ``total`` are done; see `progress_of`."""
    with progress_of(what, total) as advance:
        yield lambda done: advance(done, total)


@contextmanager
def progress_of(what: str, total: int | None = None) -> Iterator[Callable[[int, int], None]]:
    """Show on standard error how many are done, and of how many, which may be known only later.

    Where it is no terminal, a line tells so now and then (`progress_lines`).
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    screen = console(stderr=True)
    if not screen.is_terminal:
        with progress_lines() as stages:
            stages[what] = (0, total)

            def advance(done: int, total: int) -> None:
                stages[what] = (done, total)

            yield advance
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=screen, transient=True) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done, total: progress.update(task, completed=done, total=total)


@contextmanager
def progress_lines() -> Iterator[dict[str, tuple[float, float | None]]]:
    """Print the stage that came last now and then, for logs: after 10 s, 30 s, 70 s, ..., 1 min.

    Yields
    ------
    dict
        To be filled: by the name of each stage, how many are done and of how many.
    """
    import threading
    import time

    stages: dict[str, tuple[float, float | None]] = {}
    begin, finished = time.monotonic(), threading.Event()

    def tell() -> None:
        wait_s = _FIRST_LINE_S
        while not finished.wait(wait_s):
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
            for what, (done, total) in list(stages.items())[-1:]:
                of = "" if total is None else f" of {total:.0f}"
                remark(f"{what}: {done:.0f}{of} after {time.monotonic() - begin:.0f} s")

    thread = threading.Thread(target=tell, daemon=True)
    thread.start()
    try:
        yield stages
    finally:
        finished.set()
        thread.join()


def table(*columns: str, title: str | None = None) -> Table:
    """Return an empty table; columns whose name ends in a unit or # are aligned right."""
    from rich.box import SIMPLE
    from rich.table import Table

    made = Table(box=SIMPLE, title=title, title_justify="left", title_style="bold")
    for name in columns:
        numeric = name.endswith((")", "#", "%"))
        made.add_column(name.rstrip("#"), justify="right" if numeric else "left", overflow="fold")
    return made


def _leave_out_empty_intervals(printed: Table) -> None:
    """Take columns of intervals out of a table in which none is known (no samples were drawn)."""
    from interohm.results.result import INTERVAL

    printed.columns = [
        column
        for column in printed.columns
        if INTERVAL not in str(column.header) or any(str(cell) for cell in column.cells)
    ]


def _parts_that_fit(
    printed: Table, screen: Console, *, terminal: bool
) -> Iterator[tuple[Table, int]]:
    """Yield a table, or its parts, none of which breaks a word; and how wide each is.

    Where the output is no terminal, a table gets the width it needs. On a terminal that is too
    narrow for all columns, those that do not fit follow below, with the first column again.
    """
    ranges = [_narrowest_and_widest(column, screen) for column in printed.columns]

    def width_of(indices: list[int], which: int) -> int:
        around = sum(printed.padding[1::2]) + 1
        return sum(ranges[index][which] + around for index in indices) + 1

    every = list(range(len(ranges)))
    if not terminal or width_of(every, 1) <= screen.width:
        yield printed, 0 if terminal else width_of(every, 1)
        return
    parts = [every[:1]]
    for index in every[1:]:
        if len(parts[-1]) > 1 and width_of([*parts[-1], index], 0) > screen.width:
            parts.append(every[:1])
        parts[-1].append(index)
    for number, indices in enumerate(parts):
        part = copy.copy(printed)
        part.columns = [copy.copy(printed.columns[index]) for index in indices]
        if number > 0:
            part.title = None
        if number < len(parts) - 1:
            part.caption = None
        room = screen.width - width_of(indices, 0)
        if room >= 0:
            widths = [ranges[index][0] for index in indices]
            # the narrowest that wants more gets it
            while room > 0 and (
                wanting := [
                    place for place, index in enumerate(indices) if widths[place] < ranges[index][1]
                ]
            ):
                widths[min(wanting, key=lambda place: widths[place])] += 1
                room -= 1
            for column, width in zip(part.columns, widths, strict=True):
                column.width = width
        yield part, 0


def _narrowest_and_widest(column: Column, screen: Console) -> tuple[int, int]:
    """Return the width of a column's longest word and of its longest line, within limits."""
    from rich.measure import Measurement

    options = screen.options.update(max_width=_UNLIMITED)
    measured = [Measurement.get(screen, options, cell) for cell in (column.header, *column.cells)]
    return (
        min(max(one.minimum for one in measured), _WIDEST_CELL),
        min(max(one.maximum for one in measured), _WIDEST_CELL),
    )


def shown(value: float | None, digits: int = 4) -> str:
    """Return a number for a table, a dash where there is none."""
    return "–" if value is None else f"{value:.{digits}g}"


def shown_interval(quantiles: Quantiles | None, digits: int = 3) -> str:
    """Return the 5 to 95 % interval for a table, empty where there is none."""
    if quantiles is None:
        return ""
    return f"{quantiles['p05']:.{digits}g} … {quantiles['p95']:.{digits}g}"
