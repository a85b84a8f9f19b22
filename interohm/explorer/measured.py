"""Measured values, and beside them their predictions as soon as these are computed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from interohm.errors import InputError

if TYPE_CHECKING:
    from interohm.database.rows import Row
    from interohm.records.experiment import Experiment

#: Predicts experiments: given them and a function that is called with the number done, the fields
#: ``p05``, ``p50``, ``p95`` and ``verdict`` of each measured value in turn.
Predict: TypeAlias = Callable[
    ["Sequence[Experiment]", Callable[[int], None]], "Sequence[Mapping[str, Any]]"
]

#: Columns of the tab.
MEASURED_COLUMNS = (
    *("experiment", "quantity", "place", "measured", "p05", "p50", "p95", "verdict"),
    *("comparison", "electrode", "electrolyte", "state_of_charge", "title", "source", "remarks"),
)

#: Those of them that are numbers.
MEASURED_NUMBERS = frozenset({"measured", "p05", "p50", "p95", "state_of_charge"})


class MeasuredValues:
    """The rows of measured values; the first question starts the predictions in the background.

    Parameters
    ----------
    predict : callable, optional
        See `Predict`. Without it, the rows have measured values alone.
    """

    def __init__(self, predict: Predict | None = None) -> None:
        self._predict = predict
        self._lock = threading.Lock()
        self._started = False
        self._done = 0
        self._predicted: Sequence[Mapping[str, Any]] | None = None
        self._failure = ""

    def rows(self) -> Iterator[Row]:
        """Yield a row for each measured value, with its prediction if it is there."""
        from interohm.records.experiment import shipped_experiments
        from interohm.report.validation_page import COMPARED

        self._start(shipped_experiments())
        predicted = iter(self._predicted or ())
        for one in shipped_experiments():
            for measured in one.measured:
                known = next(predicted, {})
                yield {
                    "experiment": one.name,
                    "quantity": measured.quantity,
                    "place": measured.place or None,
                    "measured": measured.value,
                    **{name: known.get(name) for name in ("p05", "p50", "p95", "verdict")},
                    "comparison": COMPARED[measured.comparison],
                    "electrode": one.electrode,
                    "electrolyte": one.electrolyte,
                    "state_of_charge": one.state_of_charge,
                    "title": one.title,
                    "source": one.source,
                    "remarks": one.remarks or None,
                }

    @property
    def pending(self) -> bool:
        """Return whether predictions are being computed."""
        return self._started and self._predicted is None and not self._failure

    @property
    def progress(self) -> str:
        """Return the progress of the predictions, in words; empty when they are finished."""
        from interohm.records.experiment import shipped_experiments

        if self._failure:
            return f"without predictions: {self._failure}"
        if self.pending:
            count = len(shipped_experiments())
            return f"predictions are being computed: {self._done} of {count} experiments done"
        return ""

    def _start(self, experiments: Sequence[Experiment]) -> None:
        with self._lock:
            if self._predict is None or self._started:
                return
            self._started = True
        threading.Thread(target=self._compute, args=(experiments,), daemon=True).start()

    def _compute(self, experiments: Sequence[Experiment]) -> None:
        assert self._predict is not None

        def advance(done: int) -> None:
            self._done = done

        try:
            self._predicted = self._predict(experiments, advance)
        except InputError as error:
            self._failure = str(error)
        except Exception as error:  # whatever it is, the measured values stay
            self._failure = f"{type(error).__name__}: {error}"
