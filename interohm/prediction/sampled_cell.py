"""The samples of a cell's uncertainties: one state of charge at a time, and intervals along x."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from interohm.errors import InputError
from interohm.prediction.kpfm import PotentialMap, map_bands, potential_map
from interohm.prediction.layer_diagram import SampledPoints
from interohm.prediction.sampled_curves import band_places, cell_curves, contact_bands
from interohm.prediction.solved_cell import SolvedState, solve_state

if TYPE_CHECKING:
    from interohm.prediction.sensitivity import RecordedFieldSamples
    from interohm.records import Insulator, Metal
    from interohm.records.cell_config import Cell

#: Places at which a layer has intervals: two space charges.
_PLACES = 65


class SampledCell:
    """A cell's samples, solved when they are asked for; only what the next states need is kept.

    Parameters
    ----------
    cell : Cell
        The description.
    materials : list of Insulator or Metal
        The record of each layer.
    nominals : sequence of SolvedState
        The nominal solution of each state of charge.
    maps : sequence of PotentialMap
        Theirs: samples have intervals at some of the places of all of them.
    discharged : SolvedState, optional
        The nominal solution at state of charge 0, from which maps differ.
    field_samples : RecordedFieldSamples
        Samples of the uncertainties.

    Attributes
    ----------
    remarks : list of str
        Which states have no intervals, or leave samples out.
    """

    def __init__(
        self,
        cell: Cell,
        materials: list[Insulator | Metal],
        nominals: Sequence[SolvedState],
        maps: Sequence[PotentialMap],
        discharged: SolvedState | None,
        field_samples: RecordedFieldSamples,
    ) -> None:
        self.remarks: list[str] = []
        self._cell, self._materials, self._nominals = cell, materials, nominals
        self._field_samples, self._plain = field_samples, field_samples.first(field_samples.samples)
        around = cell.collectors is not None and cell.collectors.negative.thickness_nm is not None
        self._places = [
            band_places([one.diagrams[index + around].x_nm for one in maps], _PLACES)
            for index in range(len(materials))
        ]
        self._kept: dict[int, SolvedState | None] = {}
        self._start = None if discharged is None else self._discharged_map(discharged)

    def state(self, index: int) -> SolvedState | None:
        """Return the samples at one of the states of charge; None if they have no solution."""
        if index in self._kept:
            return self._kept.pop(index)
        nominal = self._nominals[index]
        when = f"at state of charge {nominal.state_of_charge:g}"
        try:
            sampled = solve_state(
                self._cell,
                self._materials,
                index,
                field_samples=self._field_samples,
                thick=nominal.thick,
            )
        except InputError as error:
            # extreme samples must not take the prediction with them
            self.remarks.append(
                f"no intervals {when}: with samples of the uncertainties {error.what}"
            )
            return None
        lost = int(np.count_nonzero(sampled.has_no_solution))
        if lost:
            self.remarks.append(
                f"intervals {when} leave out {lost} of {self._field_samples.samples} samples of "
                "the uncertainties that have no solution"
            )
        return sampled

    def bands(
        self, index: int, sampled: SolvedState
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
        """Return the intervals of one state's profile, of its collectors and of its contacts."""
        curves = cell_curves(sampled.contacts)
        profile, collectors = map_bands(self._cell, self._map(sampled, curves), self._start)
        contacts = [
            contact_bands(contact, curve)
            for contact, curve in zip(self._nominals[index].contacts, curves, strict=True)
        ]
        return profile, collectors, contacts

    def _map(self, sampled: SolvedState, curves: list[Any]) -> PotentialMap:
        return potential_map(self._cell, sampled, SampledPoints(self._places, curves), self._plain)

    def _discharged_map(self, discharged: SolvedState) -> PotentialMap | None:
        """Return the samples' map of the discharged cell, keeping its solution for its turn."""
        charges = self._cell.states_of_charge
        if 0.0 in charges:
            index = charges.index(0.0)
            sampled = self._kept[index] = self.state(index)
        else:
            alone = self._cell.model_copy(update={"states_of_charge": [0.0]})
            try:
                sampled = solve_state(
                    alone,
                    self._materials,
                    0,
                    field_samples=self._field_samples,
                    thick=discharged.thick,
                )
            except InputError:
                sampled = None
        return None if sampled is None else self._map(sampled, cell_curves(sampled.contacts))
