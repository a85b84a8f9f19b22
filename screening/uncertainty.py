"""Confidence in the ranking of the best cells: the records' uncertainties, drawn together.

A number that several cells share moves them alike, so that a cell may be certain to beat another
although both resistances are known to an order of magnitude only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from interohm.errors import InputError
from interohm.prediction.assembly import joint_of
from interohm.prediction.contact_barrier import with_known_interface
from interohm.prediction.electrodes import reference_work_function_eV
from interohm.prediction.sensitivity import RecordedFieldSamples
from interohm.prediction.solved_cell import solve_state
from interohm.prediction.value_of_calculations import next_calculations
from interohm.records.cell_config import Contact
from interohm.results.json_values import number, quantiles
from interohm.screening.cells import OF_ELECTRODES, OUTPUTS, combined
from interohm.screening.coated_electrodes import solve_coated
from interohm.screening.contacts import PairHops, SideConditions, electrode_potentials, solve_pairs
from interohm.screening.full_solves import cell_of
from interohm.screening.phase_arrays import bent_electrode, electrodes_of, electrolytes_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from interohm.arrays import Array, IntArray
    from interohm.screening.candidates import Records
    from interohm.screening.cells import Cells
    from interohm.screening.config import ScreenConfig


class Sampler:
    """Contacts and cells at one temperature and state of charge, with their uncertainties.

    Parameters
    ----------
    config, records
        The screening.
    temperature_K, state_of_charge : float
        The conditions.
    """

    def __init__(
        self, config: ScreenConfig, records: Records, temperature_K: float, state_of_charge: float
    ) -> None:
        self.config, self.records = config, records
        self.temperature_K, self.state_of_charge = temperature_K, state_of_charge
        self._field_samples = RecordedFieldSamples(config.samples)
        self._metal_eV = reference_work_function_eV(records.reference, self._field_samples)
        self._contacts: dict[tuple[bool, int, int], dict[str, Array]] = {}
        self._fully_solved: dict[tuple[int, int, int], Array] = {}

    def outputs(
        self,
        cells: Cells,
        indices: IntArray,
        output: str,
        *,
        progress: Callable[[int], None] | None = None,
    ) -> Array:
        """Return an output of some cells.

        Returns
        -------
        array (n, samples)
            NaN where a sample has no solution, and for outputs but the resistance of cells that are
            not the sum of their contacts.
        """
        rows = np.full((indices.size, self.config.samples), np.nan)
        solved_whole = np.isin(indices, cells.fully_solved.indices)
        for row, (j, i, k) in enumerate(np.stack(cells.places(indices), axis=-1).tolist()):
            if not solved_whole[row] or output in OF_ELECTRODES:
                left, right = self.contact(False, j, i), self.contact(True, j, k)
                rows[row] = combined(output, left.__getitem__, right.__getitem__)
            elif output == "resistance_ohm_cm2":
                rows[row] = self.fully_solved(j, i, k)
            if progress is not None:
                progress(1)
        return np.where(np.isfinite(rows), rows, np.nan)

    def next_calculations(
        self, output: str, values: Array, holds: Sequence[Collection[str]]
    ) -> list[dict[str, Any]]:
        """Return which calculations would help most to choose among cells.

        Parameters
        ----------
        output : str
            By which cells are ranked.
        values : array (n, samples)
            The values that `outputs` returned for them.
        holds : sequence of collection of str
            The records that each of them consists of.

        Returns
        -------
        list of dict
            See `interohm.prediction.value_of_calculations.next_calculations`; empty unless cells
            are ranked by a resistance.
        """
        if not output.endswith("_ohm_cm2"):
            return []
        with np.errstate(invalid="ignore", divide="ignore"):
            losses = np.where(values > 0, np.log10(values), np.nan)
        solved = np.asarray(np.isfinite(losses).any(axis=1))
        if not solved.any():
            return []
        records = self.records
        metals = [one.metal.name for one in (*records.negatives, *records.positives)]
        return next_calculations(
            self._field_samples,
            losses[solved],
            {record.name: record for record in records.all},
            holds=[one for one, kept in zip(holds, solved.tolist(), strict=True) if kept],
            electrodes=[name for name in metals if name != records.reference.name],
        )

    def interface_quantiles(self, *, positive: bool, shape: tuple[int, int]) -> list[list[Any]]:
        """Return the quantiles of all contacts of a side that were asked for; None for others."""
        electrolytes, electrodes = shape
        found: list[list[Any]] = [[None] * electrodes for _ in range(electrolytes)]
        for (side, electrolyte, index), fields in self._contacts.items():
            if side == positive:
                found[electrolyte][index] = quantiles(fields["interface_ohm_cm2"])
        return found

    def contact_samples(
        self, positive: bool, electrolyte: int, side: int, *, solve: bool
    ) -> dict[str, Array] | None:
        """Return the fields of a contact, None if there are none and they are not to be solved."""
        if self.config.samples and solve:
            return self.contact(positive, electrolyte, side)
        return self._contacts.get((positive, electrolyte, side))

    def contact(self, positive: bool, electrolyte: int, side: int) -> dict[str, Array]:
        """Return the fields of one contact, (samples,) each."""
        key = (positive, electrolyte, side)
        if key not in self._contacts:
            self._contacts[key] = self._solve(*key)
        return self._contacts[key]

    def _solve(self, positive: bool, electrolyte: int, side: int) -> dict[str, Array]:
        config, field_samples = self.config, self._field_samples
        electrode = (self.records.positives if positive else self.records.negatives)[side]
        insulator = self.records.electrolytes[electrolyte]
        conditions = SideConditions(
            self.temperature_K,
            config.thickness_nm,
            self._metal_eV,
            float(self.records.reference.ion_charge),
            positive,
        )
        metals = electrodes_of(
            [electrode.metal], self.state_of_charge, positive=positive, field_samples=field_samples
        )
        mu, _, level = electrode_potentials(metals, conditions)
        if electrode.coating is None:
            around = conditions.surroundings(
                electrons=config.electrons, field_samples=field_samples
            )
            insulators = electrolytes_of([insulator], around)
            left, right = (insulator, electrode.metal) if positive else (electrode.metal, insulator)
            known = with_known_interface(Contact(), left, right, self.records.interfaces)
            joint = joint_of(known, left, right, field_samples)
            hop, step = joint.hop, joint.dipole_V * (-1.0 if positive else 1.0)
            unknown = np.asarray(np.nan)
            solved = solve_pairs(
                metals,
                insulators,
                conditions,
                hops=PairHops(
                    unknown if hop.barrier_eV is None else hop.barrier_eV,
                    hop.excess_barrier_eV,
                    step,
                    unknown
                    if hop.areal_site_density_cm2 is None
                    else np.asarray(hop.areal_site_density_cm2),
                ),
                bent=bent_electrode(
                    electrode.metal, self.state_of_charge, around, positive=positive
                ),
            )
            found = {name: values[0] for name, values in solved.items()}
        else:
            found = solve_coated(
                electrode,
                insulator,
                conditions,
                state_of_charge=self.state_of_charge,
                # which other electrode there is makes no difference to a sum of contacts
                other_mu_eV=mu[0],
                electrons=config.electrons,
                interfaces=self.records.interfaces,
                field_samples=field_samples,
            )
        return {**found, "voltage_V": metals.voltage_V[0], "fermi_level_eV": level[0]}

    def fully_solved(self, electrolyte: int, negative: int, positive: int) -> Array:
        """Return the resistance of a cell that is not the sum of its contacts, (samples,)."""
        key = (electrolyte, negative, positive)
        if key not in self._fully_solved:
            described, materials = cell_of(
                self.config,
                self.records.negatives[negative],
                self.records.electrolytes[electrolyte],
                self.records.positives[positive],
                self.temperature_K,
                [self.state_of_charge],
                self.records.interfaces,
            )
            try:
                thick = solve_state(described, materials, 0).thick
                state = solve_state(
                    described, materials, 0, field_samples=self._field_samples, thick=thick
                )
                self._fully_solved[key] = state.area_specific_resistance_ohm_cm2
            except InputError:
                self._fully_solved[key] = np.full(self.config.samples, np.nan)
        return self._fully_solved[key]


def ranking_stability(
    output: str, values: Array, best_of: int, outside: Sequence[bool] = ()
) -> dict[str, Any]:
    """Return how sure a ranking is.

    Parameters
    ----------
    output : str
        By which cells are ranked.
    values : array (n, samples)
        Values of the cells in their nominal order, the best first. Where a sample has none, the
        cell is last.
    best_of : int
        k of "among the best k".
    outside : sequence of bool, optional
        Which cells are outside of the model: they rank behind all others, and none of them is ever
        the best.

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
    behind = np.broadcast_to(
        np.array([*outside] or [False] * count, dtype=bool)[:, None], signed.shape
    )
    order = np.lexsort((signed, behind), axis=0)
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(count)[:, None] + 1, axis=0)
    among = ranks <= best_of
    within = np.where(behind, np.inf, signed)
    best = np.where(np.isfinite(within.min(axis=0)), within.argmin(axis=0), -1)
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
                "probability_best": number(np.mean(best == row)),
                "probability_among_best": number(np.mean(among[row])),
                "without_solution": int(np.isnan(values[row]).sum()),
            }
            for row in range(count)
        ],
        "rank_correlation": correlation,
        "kept_of_best": number(np.mean(among[:best_of])),
    }
