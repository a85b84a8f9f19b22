"""Progress of a running campaign on standard error."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from interohm.plain_text import printable

from .engines.protocol import Progress as CalculationProgress


class Display:
    """Bars on a terminal, lines elsewhere, nothing when it is not wanted."""

    def __init__(self, console: Console | None, bars: Progress | None) -> None:
        self._console = console
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}
        self._total: TaskID | None = None
        self._expected, self._passed = 0, 0

    @classmethod
    @contextlib.contextmanager
    def on_standard_error(cls, wanted: bool) -> Iterator[Display]:
        """Open the display; without a terminal it prints one line per event."""
        if not wanted:
            yield cls(None, None)
            return
        console = Console(stderr=True)
        if not console.is_terminal:
            yield cls(console, None)
            return
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[detail]}"),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=console, transient=True) as bars:
            yield cls(console, bars)

    def expect(self, calculations: int) -> None:
        """Announce how many calculations there are."""
        self._expected = calculations
        if self._bars is not None:
            self._total = self._bars.add_task(
                "calculations", total=calculations, detail=self._state()
            )

    def advance(self) -> None:
        """Count one calculation as done, found or lost."""
        self._passed += 1
        if self._bars is not None and self._total is not None:
            self._bars.update(self._total, advance=1, detail=self._state())

    def started(self, label: str) -> None:
        """Record that a calculation has been started."""
        if self._bars is not None:
            self._tasks[label] = self._bars.add_task(label, total=None, detail="starting")
        else:
            self._line(f"started   {label}")

    def finished(self, label: str, wall_time_s: float) -> None:
        """Record that a calculation has ended successfully."""
        self._remove(label)
        self._line(f"finished  {label} ({wall_time_s:.0f} s, {self._remaining()})")

    def failed(self, label: str, reason: str) -> None:
        """Record that a calculation has ended without a result."""
        self._remove(label)
        self._line(f"failed    {label}: {reason}")

    def show(self, running: Mapping[str, CalculationProgress | None]) -> None:
        """Show how far the running calculations are."""
        if self._bars is None:
            return
        for label, state in running.items():
            if state is None or label not in self._tasks:
                continue
            force = state.max_force_eV_A
            detail = f"geometry {state.ionic_step}, iteration {state.scf_iteration}"
            if force is not None:
                detail += f", force {force:.2f} eV/Å"
            self._bars.update(self._tasks[label], detail=detail)

    def _state(self) -> str:
        return f"{self._passed} of {self._expected}"

    def _remaining(self) -> str:
        return f"{self._expected - self._passed - 1} to go"

    def _remove(self, label: str) -> None:
        if self._bars is not None and label in self._tasks:
            self._bars.remove_task(self._tasks.pop(label))

    def _line(self, text: str) -> None:
        if self._console is not None:
            self._console.print(printable(text), highlight=False, markup=False)
