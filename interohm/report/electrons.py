"""Table of electrons: barriers, steps of the bands, and leakage."""

from __future__ import annotations

from collections.abc import Sequence

from interohm.report.tables import NONE, Markup, table, with_interval
from interohm.results.cell import CellState, LeakageQuantiles
from interohm.results.contact import ContactResult, ElectronQuantiles, Electrons
from interohm.results.result import Quantiles

_HEADS = (
    "contact",
    "class",
    "conduction band step (eV)",
    "valence band step (eV)",
    "electron barrier (eV)",
    "hole barrier (eV)",
    "leakage (A/cm²)",
)


def electrons_table(states: Sequence[CellState | ContactResult]) -> Markup:
    """Return barriers and leakage of each contact, and of the whole cell, at each state of charge.

    Parameters
    ----------
    states : sequence of CellState or ContactResult
        States of a cell, or one contact, which has no leakage of a cell.
    """
    rows, places = [], []
    for index, state in enumerate(states):
        for contact in state.contacts if isinstance(state, CellState) else [state]:
            electrons = contact.electrons or Electrons()
            spreads = contact.spreads().electrons or ElectronQuantiles()
            places.append(index)
            rows.append(
                (
                    contact.name,
                    electrons.alignment or NONE,
                    *(
                        with_interval(getattr(electrons, field), getattr(spreads, field))
                        for field in (
                            "conduction_band_step_eV",
                            "valence_band_step_eV",
                            "electron_barrier_eV",
                            "hole_barrier_eV",
                        )
                    ),
                    with_interval(electrons.leakage_A_cm2, _powers(spreads.log10_leakage_A_cm2), 2),
                )
            )
        if isinstance(state, CellState) and state.electronic_leakage is not None:
            leakage = state.electronic_leakage
            of_cell = state.spreads().electronic_leakage or LeakageQuantiles()
            places.append(index)
            rows.append(
                (
                    Markup("<b>cell at open circuit</b>"),
                    NONE,
                    NONE,
                    NONE,
                    *(
                        with_interval(getattr(leakage, field), getattr(of_cell, field))
                        for field in ("electron_barrier_eV", "hole_barrier_eV")
                    ),
                    with_interval(leakage.current_A_cm2, _powers(of_cell.log10_current_A_cm2), 2),
                )
            )
    return table(
        _HEADS,
        rows,
        numeric=range(2, 7),
        states=places if len(states) > 1 else None,
        only_current=True,
    )


def _powers(log10_interval: Quantiles | None) -> Quantiles | None:
    """Return the interval of a number from that of its log10."""
    if log10_interval is None:
        return None
    low, middle, high = (10.0 ** log10_interval[name] for name in ("p05", "p50", "p95"))
    return {"p05": low, "p50": middle, "p95": high}
