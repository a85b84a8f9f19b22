"""Cells by the thousand million: range by range, on all cores, kept on disk as they are done.

Each range leaves a file, so that a run that was killed goes on where it was. The ranges of an
earlier run are used whatever their length, and the answer does not depend on them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING

from interohm.screening.partial import Partial, Question, screen_cells

if TYPE_CHECKING:
    from interohm.screening.cells import Cells

#: Cells of one range: a second or less of work.
RANGE = 8_388_608

_NAME = re.compile(r"cells-(\d+)-(\d+)\.npz")


def range_file(folder: Path, start: int, stop: int) -> Path:
    """Return where the answer for a range of cells is kept."""
    return folder / f"cells-{start}-{stop}.npz"


def finished_ranges(folder: Path, count: int) -> list[tuple[int, int]]:
    """Return ranges that have a file, in order and without overlap."""
    found = []
    for path in folder.glob("cells-*.npz"):
        match = _NAME.fullmatch(path.name)
        if match is not None:
            found.append((int(match[1]), int(match[2])))
    ranges: list[tuple[int, int]] = []
    reached = 0
    for start, stop in sorted(found, key=lambda pair: (pair[0], -pair[1])):
        if reached <= start < stop <= count:
            ranges.append((start, stop))
            reached = stop
    return ranges


def missing_ranges(
    finished: list[tuple[int, int]], within: tuple[int, int], length: int
) -> Iterator[tuple[int, int]]:
    """Yield the ranges, none longer than ``length``, between those that are finished.

    Only what lies ``within`` two indices is missed.
    """
    reached, last = within
    for start, stop in [*finished, (last, last)]:
        while reached < min(start, last):
            end = min(reached + length, start, last)
            yield reached, end
            reached = end
        reached = max(reached, stop)


def run_range(
    cells: Cells,
    question: Question,
    start: int,
    stop: int,
    folder: Path,
    write_table: Callable[[int, int], None] | None = None,
) -> Partial:
    """Screen one range of cells and keep the result in the folder."""
    part = screen_cells(cells, question, start, stop)
    if write_table is not None:
        # before the answer: a range counts as finished only with its part of the table
        write_table(start, stop)
    part.save(range_file(folder, start, stop))
    return part


def run_ranges(
    cells: Cells,
    question: Question,
    folder: Path,
    *,
    workers: int,
    length: int = RANGE,
    within: tuple[int, int] | None = None,
    write_table: Callable[[int, int], None] | None = None,
    progress: Callable[[int], None] | None = None,
) -> Partial:
    """Screen all cells: from the files of the folder, and by screening what is missing.

    With ``within``, only what is missing there is screened, and the answer is for the cells that
    are done.

    Parameters
    ----------
    cells : Cells
        All of them.
    question : Question
        Outputs and limits that are asked for.
    folder : Path
        Folder of the answers for the ranges, for these cells and this question only.
    workers : int
        Threads.
    length : int
        Cells of one range.
    within : tuple of int, optional
        First index and the one after the last; others may be at work on the rest.
    write_table : callable, optional
        Writes the table of a range.
    progress : callable, optional
        Told how many more cells are done, as they are.
    """
    whole = Partial.nothing(question)
    finished = []
    for start, stop in finished_ranges(folder, cells.count):
        part = Partial.load(range_file(folder, start, stop), question)
        if part is None:
            # damaged, as by a full disk: screened again
            continue
        whole.add(part)
        finished.append((start, stop))
        if progress is not None:
            progress(stop - start)
    missing = missing_ranges(finished, within or (0, cells.count), length)
    with ThreadPoolExecutor(workers) as pool:
        running: set[Future[Partial]] = set()
        try:
            for start, stop in missing:
                running.add(
                    pool.submit(run_range, cells, question, start, stop, folder, write_table)
                )
                if len(running) > 2 * workers:
                    running -= _collected(running, whole, progress)
            while running:
                running -= _collected(running, whole, progress)
        except BaseException:
            for future in running:
                future.cancel()
            raise
    return whole


def _collected(
    running: set[Future[Partial]], whole: Partial, progress: Callable[[int], None] | None
) -> set[Future[Partial]]:
    """Wait for the next answers and add them."""
    done, _ = wait(running, return_when=FIRST_COMPLETED)
    for future in done:
        part = future.result()
        whole.add(part)
        if progress is not None:
            progress(part.cells)
    return done
