"""A screening from its description to its document: contacts, cells, the best, how sure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from interohm.screening import histograms
from interohm.screening.arrays import load_arrays, save_arrays
from interohm.screening.candidates import Records
from interohm.screening.cells import Cells, WholeCells
from interohm.screening.config import ScreenConfig
from interohm.screening.contacts import SideContacts
from interohm.screening.filters import cell_filter
from interohm.screening.parquet import write_cells, write_contacts
from interohm.screening.partial import Question
from interohm.screening.stream import RANGE, run_ranges
from interohm.screening.survivors import Sampler, ranking_stability
from interohm.screening.tables import cells_of, count_contacts
from interohm.screening.whole_cells import solve_whole

from interohm import __version__
from interohm.documents import number
from interohm.records import material_document
from interohm.yaml_io import write_text

if TYPE_CHECKING:
    from interohm.screening.partial import Partial
    from numpy.typing import NDArray

    #: Begins a stage (its name, how many steps it has); returns what is told of each more of them.
    Stages: TypeAlias = Callable[[str, int], Callable[[int], None]]


@dataclass(frozen=True)
class Screening:
    """A screening with its records, and the folder where it is kept.

    Parameters
    ----------
    config : ScreenConfig
        The description.
    records : Records
        What it names.
    folder : Path
        Of this description with these records alone (see `screening_folder`).
    workers : int
        Threads.
    table : bool
        Whether all cells that fit are written to Parquet.
    where : str
        What to name in errors: the description's file.
    """

    config: ScreenConfig
    records: Records
    folder: Path
    workers: int = 1
    table: bool = False
    where: str = "screening"

    @property
    def conditions(self) -> list[tuple[float, float]]:
        """Every temperature with every state of charge."""
        config = self.config
        return [
            (temperature, charge)
            for temperature in config.temperatures_K
            for charge in config.states_of_charge
        ]

    @property
    def names(self) -> dict[str, list[str]]:
        """Names of the negative sides, electrolytes and positive sides."""
        return {
            "negative": [side.label for side in self.records.negatives],
            "electrolyte": [record.name for record in self.records.electrolytes],
            "positive": [side.label for side in self.records.positives],
        }

    @property
    def question(self) -> Question:
        """What is asked of all cells."""
        config = self.config
        fits = None
        if config.where is not None:
            fits = cell_filter(config.where, self.names, where=f"{self.where}: where")
        return Question(
            rank_by=tuple(config.rank_by),
            count=max(config.count, config.survivors if config.samples else 0),
            fronts=tuple(tuple(group) for group in config.pareto),
            counted=tuple(config.histograms),
            fits=fits,
        )

    def folder_of(self, temperature_K: float, state_of_charge: float) -> Path:
        """Return where one temperature and state of charge is kept."""
        return self.folder / f"{temperature_K:.10g}K-{state_of_charge:.10g}"


def screening_folder(config: ScreenConfig, records: Records, parent: Path) -> Path:
    """Return where a screening is kept: its name and a hash of all that its result depends on."""
    content = {
        "version": __version__,
        "screening": config.model_dump(mode="json"),
        "records": [
            [side.label, material_document(record)]
            for side in [*records.negatives, *records.positives]
            for record in (side.metal, side.coating)
            if record is not None
        ]
        + [material_document(record) for record in [*records.electrolytes, records.reference]],
    }
    text = json.dumps(content, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    plain = "".join(sign if sign.isalnum() or sign in "-_" else "-" for sign in config.name)
    return parent / f"{plain}-{digest}"


def prepared_cells(
    screening: Screening, temperature_K: float, state_of_charge: float, stages: Stages
) -> tuple[Cells, dict[str, Any]]:
    """Return all cells at one temperature and state of charge, from the folder or solved anew.

    Returns
    -------
    Cells
        With those that are not the sum of their contacts solved whole, unless they are too many.
    dict
        ``not_sums``, how many of these there are, and ``solved_whole``.
    """
    config, records = screening.config, screening.records
    folder = screening.folder_of(temperature_K, state_of_charge)
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / "contacts.npz"
    cells = _load_contacts(kept, config.electrolyte_thickness_nm)
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
    whole = _load_whole(kept, indices)
    if whole is None:
        advance = stages("cells solved whole", count)
        whole = solve_whole(
            config,
            records,
            cells,
            indices,
            temperature_K,
            state_of_charge,
            workers=screening.workers,
            progress=advance,
        )
        save_arrays(kept, {"indices": whole.indices, **whole.outputs})
    cells = Cells(cells.negative, cells.positive, cells.thickness_nm, whole)
    solved = int(np.isfinite(whole.outputs["resistance_ohm_cm2"]).sum())
    return cells, {"not_sums": count, "solved_whole": solved}


def run_screening(screening: Screening, stages: Stages, *, length: int = RANGE) -> dict[str, Any]:
    """Run a screening, or what is missing of it.

    Parameters
    ----------
    screening : Screening
        With its folder, which is made.
    stages : callable
        Told what is done and how much of it.
    length : int
        Cells of one range; no result depends on it.

    Returns
    -------
    dict
        The fields of ``interohm screen --json``, which stand in ``screening.json``, too.
    """
    question = screening.question
    tables = []
    states = []
    for temperature, charge in screening.conditions:
        cells, counts = prepared_cells(screening, temperature, charge, stages)
        conditions = {"temperature_K": temperature, "state_of_charge": charge}
        tables += [
            (cells.negative, screening.names["negative"], conditions),
            (cells.positive, screening.names["positive"], conditions),
        ]
        sampler = Sampler(screening.config, screening.records, temperature, charge)
        part = _stream(screening, question, cells, temperature, charge, stages, length)
        states.append(
            {
                **conditions,
                **counts,
                "cells": part.cells,
                "fitting": part.fitting,
                "without_resistance": part.without_resistance,
                **_results(screening, question, cells, part),
                "rankings": _rankings(screening, cells, part, sampler, stages),
                "contacts": _contact_maps(screening, cells, sampler),
                "listed": described_cells(screening, cells, np.arange(cells.count))
                if cells.count <= _LISTED_CELLS
                else None,
            }
        )
    write_contacts(screening.folder / "contacts.parquet", tables, screening.names["electrolyte"])
    document = {
        "screening": screening.config.name,
        "folder": str(screening.folder),
        "thickness_nm": screening.config.electrolyte_thickness_nm,
        **screening.names,
        "states": states,
    }
    write_text(screening.folder / "screening.json", json.dumps(document, allow_nan=False))
    return document


def _stream(
    screening: Screening,
    question: Question,
    cells: Cells,
    temperature_K: float,
    state_of_charge: float,
    stages: Stages,
    length: int,
) -> Partial:
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
        write_table=write_table if screening.table else None,
        progress=stages("cells", cells.count),
    )


def described_cells(
    screening: Screening, cells: Cells, indices: NDArray[np.int64]
) -> list[dict[str, Any]]:
    """Return cells with their names and all their outputs."""
    outputs = cells.at(indices)
    names = screening.names
    places = np.stack(cells.places(indices), axis=-1).tolist()
    return [
        {
            "index": int(index),
            "negative": names["negative"][i],
            "electrolyte": names["electrolyte"][j],
            "positive": names["positive"][k],
            **{name: number(values[row]) for name, values in outputs.items()},
        }
        for row, (index, (j, i, k)) in enumerate(zip(indices, places, strict=True))
    ]


def _results(
    screening: Screening, question: Question, cells: Cells, part: Partial
) -> dict[str, Any]:
    count = screening.config.count
    counted = {}
    for name, counts in part.histograms.items():
        filled = np.flatnonzero(counts)
        first, last = (filled[0], filled[-1]) if filled.size else (0, -1)
        edges = np.concatenate([[np.nan], histograms.edges(name), [np.nan]])
        counted[name] = {
            "from": [number(edge) for edge in edges[first : last + 1]],
            "to": [number(edge) for edge in edges[first + 1 : last + 2]],
            "count": counts[first : last + 1].tolist(),
        }
    return {
        "best": {
            name: described_cells(screening, cells, best.indices[:count])
            for name, best in part.best.items()
        },
        "pareto": [
            {"outputs": list(group), "cells": described_cells(screening, cells, front.indices)}
            for group, front in zip(question.fronts, part.fronts, strict=True)
        ],
        "histograms": counted,
    }


def _rankings(
    screening: Screening, cells: Cells, part: Partial, sampler: Sampler, stages: Stages
) -> dict[str, Any]:
    """Return how sure the rankings are; empty where nothing is drawn."""
    config = screening.config
    rankings: dict[str, Any] = {}
    for output, best in part.best.items():
        indices = best.indices[: config.survivors]
        if config.samples == 0 or indices.size == 0:
            continue
        advance = stages(f"survivors by {output}", indices.size)
        values = sampler.outputs(cells, indices, output, progress=advance)
        ranking = ranking_stability(output, values, min(config.count, indices.size))
        described = described_cells(screening, cells, indices)
        ranking["cells"] = [
            {**cell, **sure} for cell, sure in zip(described, ranking["cells"], strict=True)
        ]
        rankings[output] = ranking
    return rankings


#: Contacts and cells that a document lists; more are in the Parquet files.
_LISTED_CONTACTS, _LISTED_CELLS = 1000, 1000

_MAPPED = (
    "interface_ohm_cm2",
    "space_charge_ohm_cm2",
    "charge_transfer_ohm_cm2",
    "potential_drop_V",
    "electron_barrier_eV",
    "hole_barrier_eV",
    "stability_margin_V",
)


def _contact_maps(screening: Screening, cells: Cells, sampler: Sampler) -> dict[str, Any] | None:
    """Return the contacts' numbers as rows (electrolytes) of columns (sides); None if too many."""
    if count_contacts(screening.records) > _LISTED_CONTACTS:
        return None
    maps: dict[str, Any] = {}
    for side, table in (("negative", cells.negative), ("positive", cells.positive)):
        maps[side] = {
            name: [[number(value) for value in row] for row in getattr(table, name)]
            for name in _MAPPED
        }
        maps[side]["interface_quantiles"] = sampler.interface_quantiles(
            positive=side == "positive", shape=table.shape
        )
    return maps


def _save_contacts(path: Path, cells: Cells) -> None:
    arrays = {}
    for side, table in (("negative", cells.negative), ("positive", cells.positive)):
        arrays |= {f"{side}/{field.name}": getattr(table, field.name) for field in fields(table)}
    save_arrays(path, arrays)


def _load_contacts(path: Path, thickness_nm: float) -> Cells | None:
    """Return the contacts of an earlier run, None where there are none that can be read."""
    arrays = load_arrays(path)
    if arrays is None:
        return None
    negative, positive = (
        SideContacts(
            **{field.name: arrays[f"{side}/{field.name}"] for field in fields(SideContacts)}
        )
        for side in ("negative", "positive")
    )
    return Cells(negative, positive, thickness_nm)


def _load_whole(path: Path, indices: NDArray[np.int64]) -> WholeCells | None:
    """Return the cells that an earlier run solved whole, None where there are none to be read."""
    arrays = load_arrays(path)
    if arrays is None or not np.array_equal(arrays.pop("indices", None), indices):
        return None
    return WholeCells(indices, arrays)
