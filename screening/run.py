"""A screening from its description to its document: contacts, cells, the best, how sure."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from interohm.extras import missing_packages
from interohm.results.screening import ScreeningResult
from interohm.screening.arrays import load_arrays, save_arrays
from interohm.screening.cells import Cells, FullySolvedCells
from interohm.screening.contact_details import ContactDetails, add_validity, contact_details
from interohm.screening.contacts import SideContacts
from interohm.screening.document import (
    LISTED_CONTACTS,
    contact_maps,
    listed,
    rankings,
    results,
)
from interohm.screening.full_solves import solve_fully
from interohm.screening.parquet import write_cells, write_contacts
from interohm.screening.stream import RANGE, run_ranges
from interohm.screening.tables import cells_of, count_contacts
from interohm.screening.uncertainty import Sampler
from interohm.yaml_io import write_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from interohm.screening.partial import Partial
    from interohm.screening.screening import Screening, Stages


def prepared_cells(
    screening: Screening, temperature_K: float, state_of_charge: float, stages: Stages
) -> tuple[Cells, dict[str, Any]]:
    """Return all cells at one temperature and state of charge, from the folder or newly solved.

    Returns
    -------
    Cells
        With those that are not the sum of their contacts solved fully, unless they are too many.
    dict
        ``not_sums``, how many of these there are, and ``solved_whole``.
    """
    config, records = screening.config, screening.records
    folder = screening.folder_of(temperature_K, state_of_charge)
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / "contacts.npz"
    cells = _load_contacts(kept, config.thickness_nm)
    if cells is None:
        advance = stages("contacts", count_contacts(records))
        cells = cells_of(
            config,
            records,
            temperature_K,
            state_of_charge,
            workers=screening.workers,
            progress=advance,
        )
        _save_contacts(kept, cells)
    indices, count = cells.not_separable(at_most=config.solve_whole_at_most)
    if not 0 < count <= config.solve_whole_at_most:
        return cells, {"not_sums": count, "solved_whole": 0}
    kept = folder / "whole.npz"
    fully_solved = _load_fully_solved(kept, indices)
    if fully_solved is None:
        advance = stages("cells solved as a whole", count)
        fully_solved = solve_fully(
            config,
            records,
            cells,
            indices,
            temperature_K,
            state_of_charge,
            workers=screening.workers,
            progress=advance,
        )
        save_arrays(kept, {"indices": fully_solved.indices, **fully_solved.outputs})
    cells = Cells(cells.negative, cells.positive, cells.thickness_nm, fully_solved)
    solved = int(np.isfinite(fully_solved.outputs["resistance_ohm_cm2"]).sum())
    return cells, {"not_sums": count, "solved_whole": solved}


def prepare(screening: Screening, stages: Stages) -> None:
    """Solve all contacts, and the cells that are not their sums, and keep them in the folder."""
    for one in screening.each_thickness():
        for temperature, charge in one.conditions:
            prepared_cells(one, temperature, charge, stages)


def screen_part(screening: Screening, stages: Stages, *, place: int, of: int) -> None:
    """Screen one of several parts of the cells and keep its ranges in the folder.

    Parameters
    ----------
    screening : Screening
        With its folder, which other parts may share.
    stages : callable
        Told what is done and how much of it.
    place, of : int
        Which of how many parts, from 0.
    """
    for one in screening.each_thickness():
        for temperature, charge in one.conditions:
            cells, _ = prepared_cells(one, temperature, charge, stages)
            within = (place * cells.count // of, (place + 1) * cells.count // of)
            _stream(one, cells, temperature, charge, stages, within=within)


def run_screening(
    screening: Screening,
    stages: Stages,
    *,
    length: int = RANGE,
    finished: Callable[[ScreeningResult], None] | None = None,
) -> ScreeningResult:
    """Run a screening, or what is missing of it.

    Parameters
    ----------
    screening : Screening
        With its folder, which is made.
    stages : callable
        Told what is done and how much of it.
    length : int
        Cells of one range; no result depends on it.
    finished : callable, optional
        Told the result so far after each temperature and state of charge.

    Returns
    -------
    ScreeningResult
        The fields of ``interohm screen --json``, which stand in ``screening.json``, too. Without
        the extra ``parquet`` there is no ``contacts.parquet``.
    """
    tables = []
    states = []
    details: list[ContactDetails | None] = []
    several = len(screening.config.electrolyte_thickness_nm) > 1
    for one in screening.each_thickness():
        for temperature, charge in one.conditions:
            cells, counts = prepared_cells(one, temperature, charge, stages)
            conditions = {"temperature_K": temperature, "state_of_charge": charge}
            if several:
                conditions["electrolyte_thickness_nm"] = one.config.thickness_nm
            tables += [
                (cells.negative, one.names["negative"], conditions),
                (cells.positive, one.names["positive"], conditions),
            ]
            sampler = Sampler(one.config, one.records, temperature, charge)
            part = _stream(one, cells, temperature, charge, stages, length=length)
            state = {
                **conditions,
                **counts,
                "cells": part.cells,
                "fitting": part.fitting,
                "without_resistance": part.without_resistance,
                **results(one, cells, part),
                "rankings": rankings(one, cells, part, sampler, stages),
                "listed": listed(one, cells),
            }
            # after the rankings, which sample what they need
            both = _details(one, sampler, stages)
            if both is not None:
                add_validity(state, one.names, both)
            states.append({**state, "contacts": contact_maps(cells, sampler, both)})
            details += [None, None] if both is None else both
            if finished is not None:
                finished(_result(screening, states))
    if not missing_packages("parquet"):
        write_contacts(
            screening.folder / "contacts.parquet",
            tables,
            screening.names["electrolyte"],
            details=details,
        )
    result = _result(screening, states)
    kept = json.dumps(result.document(), allow_nan=False)
    write_text(screening.folder / "screening.json", kept)
    return result


def _result(screening: Screening, states: list[dict[str, Any]]) -> ScreeningResult:
    several = len(screening.config.electrolyte_thickness_nm) > 1
    return ScreeningResult.model_validate(
        {
            "screening": screening.config.name,
            "folder": str(screening.folder),
            "thickness_nm": None if several else screening.config.thickness_nm,
            **screening.names,
            "states": states,
        }
    )


def _details(
    screening: Screening, sampler: Sampler, stages: Stages
) -> tuple[ContactDetails, ContactDetails] | None:
    """Return medians and doubts of all contacts; None if there are too many."""
    count = count_contacts(screening.records)
    if count > LISTED_CONTACTS:
        return None
    advance = stages("contacts, sampled", count)
    negative, positive = (
        contact_details(sampler, positive=positive, progress=advance) for positive in (False, True)
    )
    return negative, positive


def _stream(
    screening: Screening,
    cells: Cells,
    temperature_K: float,
    state_of_charge: float,
    stages: Stages,
    *,
    length: int = RANGE,
    within: tuple[int, int] | None = None,
) -> Partial:
    question = screening.question
    folder = screening.folder_of(temperature_K, state_of_charge)
    # ranges with and without a table do not stand for each other
    ranges = folder / ("ranges-with-table" if screening.table else "ranges")
    ranges.mkdir(exist_ok=True)
    if screening.table:
        (folder / "table").mkdir(exist_ok=True)

    def write_table(start: int, stop: int) -> None:
        write_cells(
            folder / "table" / f"cells-{start:012d}-{stop:012d}.parquet",
            cells,
            question,
            start,
            stop,
            names=screening.names,
            temperature_K=temperature_K,
            state_of_charge=state_of_charge,
        )

    return run_ranges(
        cells,
        question,
        ranges,
        workers=screening.workers,
        length=length,
        within=within,
        write_table=write_table if screening.table else None,
        progress=stages("cells", cells.count),
    )


def _save_contacts(path: Path, cells: Cells) -> None:
    arrays: dict[str, Any] = {}
    for side, table in (("negative", cells.negative), ("positive", cells.positive)):
        arrays |= {f"{side}/{field.name}": getattr(table, field.name) for field in fields(table)}
    save_arrays(path, arrays)


def _load_contacts(path: Path, thickness_nm: float) -> Cells | None:
    """Return the contacts of an earlier run, None where there are none that can be read."""
    arrays = load_arrays(path) or {}
    names = {
        f"{side}/{one.name}" for side in ("negative", "positive") for one in fields(SideContacts)
    }
    if names != set(arrays):
        return None
    negative, positive = (
        SideContacts(
            **{field.name: arrays[f"{side}/{field.name}"] for field in fields(SideContacts)}
        )
        for side in ("negative", "positive")
    )
    return Cells(negative, positive, thickness_nm)


def _load_fully_solved(path: Path, indices: NDArray[np.int64]) -> FullySolvedCells | None:
    """Return the cells that an earlier run solved fully, None where there are none to be read."""
    arrays = load_arrays(path)
    if arrays is None or not np.array_equal(arrays.pop("indices", None), indices):
        return None
    return FullySolvedCells(indices, arrays)
