"""Document of a screening, as plain JSON values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from interohm.prediction.contact_stability import outside_of_model
from interohm.results.json_values import number
from interohm.screening import histograms
from interohm.screening.uncertainty import Sampler, ranking_stability

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from interohm.screening.cells import Cells
    from interohm.screening.contact_details import ContactDetails
    from interohm.screening.partial import Partial
    from interohm.screening.screening import Screening, Stages


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
            "negative_margin_V": number(cells.negative.stability_margin_V[j, i]),
            "positive_margin_V": number(cells.positive.stability_margin_V[j, k]),
            "outside_of_model": outside_of_model(
                [
                    _known(cells.negative.outside_of_model[j, i]),
                    _known(cells.positive.outside_of_model[j, k]),
                ]
            ),
        }
        for row, (index, (j, i, k)) in enumerate(zip(indices, places, strict=True))
    ]


def _known(outside: float) -> bool | None:
    """Return whether a contact is outside of the model; None if that is unknown."""
    return None if np.isnan(outside) else bool(outside)


def results(screening: Screening, cells: Cells, part: Partial) -> dict[str, Any]:
    """Return the best cells, the fronts and the counts."""
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
            name: described_cells(screening, cells, part.ranked(name)[:count]) for name in part.best
        },
        "pareto": [
            {"outputs": list(group), "cells": described_cells(screening, cells, front.indices)}
            for group, front in zip(screening.config.pareto, part.fronts, strict=True)
        ],
        "histograms": counted,
    }


def rankings(
    screening: Screening, cells: Cells, part: Partial, sampler: Sampler, stages: Stages
) -> dict[str, Any]:
    """Return how sure the rankings are; empty where nothing is drawn."""
    config = screening.config
    found: dict[str, Any] = {}
    for output in part.best:
        indices = part.ranked(output)[: config.survivors]
        if config.samples == 0 or indices.size == 0:
            continue
        advance = stages(f"survivors by {output}", indices.size)
        values = sampler.outputs(cells, indices, output, progress=advance)
        described = described_cells(screening, cells, indices)
        # nor is what is not known to be within it ever the best
        outside = [cell["outside_of_model"] is not False for cell in described]
        ranking = ranking_stability(output, values, min(config.count, indices.size), outside)
        ranking["cells"] = [
            {**cell, **sure} for cell, sure in zip(described, ranking["cells"], strict=True)
        ]
        # what would decide among cells that nobody can have is worth nothing
        within = np.flatnonzero(~np.array(outside))
        if within.size:
            holds = _records_of(screening, cells, indices[within])
            ranking["next"] = sampler.next_calculations(output, values[within], holds)
        found[output] = ranking
    return found


def _records_of(screening: Screening, cells: Cells, indices: NDArray[np.int64]) -> list[set[str]]:
    """Return the names of the records that each of some cells consists of."""
    records = screening.records
    found = []
    for j, i, k in np.stack(cells.places(indices), axis=-1).tolist():
        sides = (records.negatives[i], records.positives[k])
        names = {records.electrolytes[j].name, *(side.metal.name for side in sides)}
        found.append(names | {side.coating.name for side in sides if side.coating is not None})
    return found


#: Contacts and cells that a document lists; more are in the Parquet files.
LISTED_CONTACTS, _LISTED_CELLS = 1000, 1000

_MAPPED = (
    "interface_ohm_cm2",
    "space_charge_ohm_cm2",
    "charge_transfer_ohm_cm2",
    "potential_drop_V",
    "electron_barrier_eV",
    "hole_barrier_eV",
    "stability_margin_V",
)


def listed(screening: Screening, cells: Cells) -> list[dict[str, Any]] | None:
    """Return all cells with their outputs; None if they are too many."""
    if cells.count > _LISTED_CELLS:
        return None
    return described_cells(screening, cells, np.arange(cells.count))


def contact_maps(
    cells: Cells, sampler: Sampler, details: tuple[ContactDetails, ContactDetails] | None
) -> dict[str, Any] | None:
    """Return the contacts' numbers as rows (electrolytes) of columns (sides); None if too many."""
    if details is None:
        return None
    maps: dict[str, Any] = {}
    for side, table, detail in (
        ("negative", cells.negative, details[0]),
        ("positive", cells.positive, details[1]),
    ):
        maps[side] = {
            name: [[number(value) for value in row] for row in getattr(table, name)]
            for name in _MAPPED
        }
        maps[side]["interface_quantiles"] = sampler.interface_quantiles(
            positive=side == "positive", shape=table.shape
        )
        maps[side]["validity"] = detail.validity
        maps[side]["outside_of_model"] = [
            [_known(value) for value in row] for row in table.outside_of_model
        ]
    return maps
