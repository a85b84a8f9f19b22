"""How sure the ranking of the best cells is: their records' uncertainties, drawn together.

A number that several cells share moves them alike, so that a cell may be certain to beat another
although both resistances are known to an order of magnitude only.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from interohm.screening.cells import OUTPUTS, combined
from interohm.screening.coated_sides import solve_coated
from interohm.screening.contacts import Conditions, electrode_potentials, solve_pairs
from interohm.screening.sides import electrodes_of, electrolytes_of
from interohm.screening.whole_cells import cell_of

from interohm.documents import number, quantiles
from interohm.electrodes import reference_work_function_eV
from interohm.errors import InputError
from interohm.phases import Draws
from interohm.solved_cell import solve_state

if TYPE_CHECKING:
    from collections.abc import Callable

    from interohm.screening.candidates import Records
    from interohm.screening.cells import Cells
    from interohm.screening.config import ScreenConfig
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    IntArray = NDArray[np.int64]


def sampled_outputs(
    config: ScreenConfig,
    records: Records,
    cells: Cells,
    indices: IntArray,
    output: str,
    temperature_K: float,
    state_of_charge: float,
    *,
    progress: Callable[[int], None] | None = None,
) -> Array:
    """Return an output of some cells with their records' uncertainties.

    Returns
    -------
    array (n, samples)
        NaN where a sample has no solution, and for outputs but the resistance of cells that are not
        the sum of their contacts.
    """
    draws = Draws(config.samples)
    metal_eV = reference_work_function_eV(records.reference, draws)

    @cache
    def contact(positive: bool, electrolyte: int, side: int) -> dict[str, Array]:
        electrode = (records.positives if positive else records.negatives)[side]
        insulator = records.electrolytes[electrolyte]
        conditions = Conditions(
            temperature_K,
            config.electrolyte_thickness_nm,
            metal_eV,
            float(records.reference.ion_charge),
            positive,
        )
        metals = electrodes_of([electrode.metal], state_of_charge, positive=positive, draws=draws)
        if electrode.coating is None:
            insulators = electrolytes_of([insulator], electrons=config.electrons, draws=draws)
            found = solve_pairs(metals, insulators, conditions)
            found = {name: values[0] for name, values in found.items()}
        else:
            mu, _, _ = electrode_potentials(metals, conditions)
            found = solve_coated(
                electrode,
                insulator,
                conditions,
                state_of_charge=state_of_charge,
                # which other electrode there is makes no difference to a sum of contacts
                other_mu_eV=mu[0],
                electrons=config.electrons,
                draws=draws,
            )
        _, _, level = electrode_potentials(metals, conditions)
        return {**found, "voltage_V": metals.voltage_V[0], "fermi_level_eV": level[0]}

    def whole(j: int, i: int, k: int) -> Array:
        described, materials = cell_of(
            config,
            records.negatives[i],
            records.electrolytes[j],
            records.positives[k],
            temperature_K,
            state_of_charge,
        )
        try:
            thick = solve_state(described, materials, 0).thick
            state = solve_state(described, materials, 0, draws=draws, thick=thick)
        except InputError:
            return np.full(config.samples, np.nan)
        return state.area_specific_resistance_ohm_cm2

    rows = np.full((indices.size, config.samples), np.nan)
    solved_whole = np.isin(indices, cells.whole.indices)
    for row, (j, i, k) in enumerate(np.stack(cells.places(indices), axis=-1).tolist()):
        if not solved_whole[row] or output in ("open_circuit_voltage_V", "stability_margin_V"):
            left, right = contact(False, j, i), contact(True, j, k)
            rows[row] = combined(output, left.__getitem__, right.__getitem__)
        elif output == "resistance_ohm_cm2":
            rows[row] = whole(j, i, k)
        if progress is not None:
            progress(1)
    return np.where(np.isfinite(rows), rows, np.nan)


def ranking_stability(output: str, values: Array, best_of: int) -> dict[str, Any]:
    """Return how sure a ranking is.

    Parameters
    ----------
    output : str
        By which cells are ranked.
    values : array (n, samples)
        Of the cells in their nominal order, the best first. Where a sample has none, the cell is
        last.
    best_of : int
        k of "among the best k".

    Returns
    -------
    dict
        ``cells``, for each the quantiles of its value and of its ``rank`` (1 is the best),
        ``probability_best`` and ``probability_among_best``; ``rank_correlation`` (Spearman's) of a
        sample's ranking with the nominal one; ``kept_of_best``, the mean share of the nominally
        best k that are among a sample's.
    """
    count = values.shape[0]
    signed = np.where(np.isnan(values), np.inf, values * OUTPUTS[output])
    order = np.argsort(signed, axis=0, kind="stable")
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(count)[:, None] + 1, axis=0)
    among = ranks <= best_of
    nominal = np.arange(count)[:, None] + 1
    correlation = None
    if count > 2:
        squares = np.sum((ranks - nominal) ** 2, axis=0)
        correlation = quantiles(1 - 6 * squares / (count * (count**2 - 1)))
    return {
        "output": output,
        "best_of": best_of,
        "samples": values.shape[1],
        "cells": [
            {
                "quantiles": quantiles(values[row]),
                "rank": quantiles(ranks[row]),
                "probability_best": number(np.mean(ranks[row] == 1)),
                "probability_among_best": number(np.mean(among[row])),
                "without_solution": int(np.isnan(values[row]).sum()),
            }
            for row in range(count)
        ],
        "rank_correlation": correlation,
        "kept_of_best": number(np.mean(among[:best_of])),
    }
