"""Potential maps of a cell as a Kelvin probe shows them, and measured maps beside them.

Physics.md, section 6. Everything is referred to a base: the positive collector, or, where the cell
names none, an inert one there with the work function of the mobile metal (a constant that
differences do not see).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from interohm.device_models import cpd_V, decompose, delta_cpd_V, equilibrium_cpd_V, fermi_level_eV
from interohm.errors import InputError
from interohm.prediction.cell_profile import level_bands
from interohm.prediction.layer_diagram import collector_own_eV, device_diagrams
from interohm.results.json_values import column_quantiles, number, numbers, quantiles

if TYPE_CHECKING:
    from pathlib import Path

    from interohm.arrays import Array
    from interohm.prediction.layer_diagram import LayerDiagram, SampledPlaces
    from interohm.prediction.sampling import Draws
    from interohm.prediction.solved_cell import SolvedState
    from interohm.records.cell_config import Cell


@dataclass(frozen=True)
class PotentialMap:
    """A cell's map at one state of charge; of samples, arrays begin with their axis.

    ``diagrams`` are those of the layers and of collectors of given thickness; ``collectors_V``
    holds the map of each collector beyond any front, ``base_V`` that of the base.
    """

    diagrams: list[LayerDiagram]
    collectors_V: dict[str, Array]
    base_V: Array

    @property
    def x_nm(self) -> Array:
        """Return the places of the profile."""
        return np.concatenate([diagram.x_nm for diagram in self.diagrams])

    @property
    def cpd_V(self) -> Array:
        """Return the map there, relative to the base."""
        phi = np.concatenate([diagram.phi_V for diagram in self.diagrams], axis=-1)
        return equilibrium_cpd_V(phi) - self.base_V[..., None]


def potential_map(
    cell: Cell,
    state: SolvedState,
    at: SampledPlaces | None = None,
    draws: Draws | None = None,
) -> PotentialMap:
    """Return the map of a cell in a solved state; of samples at given places."""
    metal_eV, z = state.metal_work_function_eV, state.layers[0].material.ion_charge
    levels_eV = {
        side: fermi_level_eV(electrode.mu_eV[0], metal_eV, z)
        for side, electrode in (("negative", state.layers[0]), ("positive", state.layers[-1]))
    }
    collectors: dict[str, Array] = {}
    base = np.asarray(cpd_V(metal_eV, levels_eV["positive"]))
    if cell.collectors is not None:
        for side, level_eV in levels_eV.items():
            own = collector_own_eV(getattr(cell.collectors, side), draws)
            collectors[side] = np.asarray(cpd_V(own, level_eV))
        base = collectors["positive"]
    return PotentialMap(device_diagrams(cell, state, at, draws), collectors, base)


def map_fields(
    cell: Cell, state: PotentialMap, discharged: PotentialMap | None
) -> tuple[dict[str, list[float | None]], list[dict[str, Any]]]:
    """Return what a document says of a map.

    Parameters
    ----------
    cell : Cell
        The description.
    state, discharged : PotentialMap
        At a state of charge and at 0; without the latter there are no differences.

    Returns
    -------
    profile : dict
        ``cpd_V`` and ``delta_cpd_V`` at the points of the profile, relative to the base.
    collectors : list of dict
        ``side``, ``material``, ``cpd_V`` and ``delta_cpd_V`` of each collector.
    """
    delta = np.full_like(state.x_nm, np.nan)
    if discharged is not None:
        # part by part, since the map jumps at contacts
        there = [
            np.interp(now.x_nm, before.x_nm, before.phi_V)
            for now, before in zip(state.diagrams, discharged.diagrams, strict=True)
        ]
        delta = delta_cpd_V(
            state.cpd_V, np.zeros(()), np.concatenate(there) - discharged.base_V, np.zeros(())
        )
    collectors = []
    for side, value in state.collectors_V.items():
        change: Array = np.asarray(np.nan)
        if discharged is not None:
            before = discharged.collectors_V[side] - discharged.base_V
            change = (value - state.base_V) - before
        collectors.append(
            {
                "side": side,
                "material": getattr(cell.collectors, side).material,
                "cpd_V": number(value - state.base_V),
                "delta_cpd_V": number(change),
            }
        )
    return {"cpd_V": numbers(state.cpd_V), "delta_cpd_V": numbers(delta)}, collectors


def map_bands(
    cell: Cell, state: PotentialMap, discharged: PotentialMap | None
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the intervals of a map and of all levels along x.

    Parameters
    ----------
    cell : Cell
        The description.
    state, discharged : PotentialMap
        Of the same samples at the same places.

    Returns
    -------
    profile : list of dict
        For each diagram ``x_nm``, and the quantiles there of its levels, of ``cpd_V`` and of
        ``delta_cpd_V``.
    collectors : list of dict
        ``side``, and the quantiles of ``cpd_V`` and ``delta_cpd_V``.
    """
    profile = []
    for place, diagram in enumerate(state.diagrams):
        cpd = equilibrium_cpd_V(diagram.phi_V) - state.base_V[..., None]
        delta = np.full_like(cpd, np.nan)
        if discharged is not None:
            before = discharged.diagrams[place].phi_V
            delta = delta_cpd_V(diagram.phi_V, state.base_V, before, discharged.base_V)
        profile.append(
            {
                **level_bands(diagram),
                "cpd_V": column_quantiles(cpd),
                "delta_cpd_V": column_quantiles(delta),
            }
        )
    collectors = []
    for side, value in state.collectors_V.items():
        change = np.asarray(np.nan)
        if discharged is not None:
            change = value - state.base_V - (discharged.collectors_V[side] - discharged.base_V)
        collectors.append(
            {
                "side": side,
                "cpd_V": quantiles(value - state.base_V),
                "delta_cpd_V": quantiles(change),
            }
        )
    return profile, collectors


@dataclass(frozen=True)
class MeasuredMap:
    """A measured map; x = 0 is the left edge of the cell's first layer, its constant is free."""

    x_nm: Array
    cpd_V: Array
    source: str


def load_measured_map(path: Path) -> MeasuredMap:
    """Read a measured map: two columns, place in nm and CPD in V; a heading may stand above.

    Raises
    ------
    InputError
        The file cannot be read, or a line holds no two numbers.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise InputError(
            f"cannot read the map: {reason}", where=str(path), fix="give a CSV file: x_nm,cpd_V"
        ) from None
    rows: list[tuple[float, float]] = []
    for place, line in enumerate(lines, start=1):
        text = line.split("#")[0].strip()
        if not text:
            continue
        try:
            x, value = (
                float(cell) for cell in text.replace(";", ",").replace("\t", ",").split(",")
            )
        except ValueError:
            if not rows and any(letter.isalpha() for letter in text):
                continue
            raise InputError(
                f"no two numbers: {text[:60]!r}",
                where=f"{path}, line {place}",
                fix="write the place in nm and the CPD in V, separated by a comma",
            ) from None
        if not (np.isfinite(x) and np.isfinite(value)):
            continue
        rows.append((x, value))
    if len(rows) < 2:
        raise InputError(
            "the map has fewer than two points",
            where=str(path),
            fix="write the place in nm and the CPD in V, separated by a comma, one line each",
        )
    columns = np.array(rows)
    return MeasuredMap(columns[:, 0], columns[:, 1], str(path))


def measured_fields(state: PotentialMap, measured: MeasuredMap) -> dict[str, Any]:
    """Return a measured map beside the model's, split into work function and Fermi level.

    Parameters
    ----------
    state : PotentialMap
        The model at one state of charge.
    measured : MeasuredMap
        The measurement.

    Returns
    -------
    dict
        ``x_nm``, ``measured_cpd_V`` (moved to lie closest to the model), ``model_cpd_V``,
        ``work_function_eV`` and ``fermi_level_eV`` (what the map says of each if the model is right
        in the other), and ``rms_V``, the misfit.

    Raises
    ------
    InputError
        No measured place lies within the cell.
    """
    inside = (measured.x_nm >= state.x_nm[0]) & (measured.x_nm <= state.x_nm[-1])
    if not np.any(inside):
        raise InputError(
            f"no place lies within the cell, {state.x_nm[0]:g} to {state.x_nm[-1]:g} nm",
            where=measured.source,
            fix="count x in nm from the left edge of the first layer",
        )
    x = measured.x_nm[inside]
    parts = decompose(
        x,
        measured.cpd_V[inside],
        model_x_nm=state.x_nm,
        work_function_eV=np.concatenate([one.work_function_eV for one in state.diagrams]),
        fermi_level_eV=np.concatenate([one.fermi_level_eV for one in state.diagrams]),
    )
    model = np.interp(x, state.x_nm, state.cpd_V)
    return {
        "x_nm": numbers(x),
        "measured_cpd_V": numbers(model + parts.residual_V),
        "model_cpd_V": numbers(model),
        "work_function_eV": numbers(parts.work_function_eV),
        "fermi_level_eV": numbers(parts.fermi_level_eV),
        "rms_V": number(parts.rms_V),
    }
