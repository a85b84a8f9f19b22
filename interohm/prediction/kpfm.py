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
from interohm.measured_curves import LENGTHS_NM, POTENTIALS_V, Axis, read_curve
from interohm.prediction.cell_profile import level_bands
from interohm.prediction.layer_diagram import collector_own_eV, device_diagrams
from interohm.results.json_values import column_quantiles, number, numbers, quantiles

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from interohm.arrays import Array
    from interohm.prediction.layer_diagram import LayerDiagram, SampledPoints
    from interohm.prediction.sampling import FieldSamples
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
    at: SampledPoints | None = None,
    field_samples: FieldSamples | None = None,
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
            own = collector_own_eV(getattr(cell.collectors, side), field_samples)
            collectors[side] = np.asarray(cpd_V(own, level_eV))
        base = collectors["positive"]
    return PotentialMap(device_diagrams(cell, state, at, field_samples), collectors, base)


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
        Maps of the same samples at the same points.

    Returns
    -------
    profile : list of dict
        For each diagram ``x_nm``, and the quantiles there of its levels, of ``cpd_V`` and of
        ``delta_cpd_V``.
    collectors : list of dict
        ``side``, and the quantiles of ``cpd_V`` and ``delta_cpd_V``.
    """
    profile = []
    for index, diagram in enumerate(state.diagrams):
        cpd = equilibrium_cpd_V(diagram.phi_V) - state.base_V[..., None]
        delta = np.full_like(cpd, np.nan)
        if discharged is not None:
            before = discharged.diagrams[index].phi_V
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


#: Of a measured map.
PLACE = Axis(
    "position",
    (
        "x",
        "position",
        "pos",
        "place",
        "distance",
        "dist",
        "depth",
        "length",
        "location",
        "coordinate",
        "x position",
        "lateral position",
        "scan position",
        "x distance",
    ),
    LENGTHS_NM,
    "nm",
    unlike={"minus": "give positions that grow from the first layer to the last"},
)
_POTENTIALS = (
    "cpd",
    "vcpd",
    "v cpd",
    "contact potential difference",
    "contact potential",
    "potential",
    "surface potential",
    "kpfm potential",
    "kpfm",
    "voltage",
    "v",
    "u",
    "y",
)
_WORK_FUNCTIONS = (
    "work function",
    "workfunction",
    "wf",
    "apparent work function",
    "local work function",
    "surface work function",
    "sample work function",
    "phi sample",
    "kpfm work function",
)
_A_CHANGE = "give the potential at one state of charge, not its change: call it cpd_V"
POTENTIAL = Axis(
    "potential",
    _POTENTIALS,
    POTENTIALS_V,
    "V",
    opposite={
        **dict.fromkeys(_WORK_FUNCTIONS, "a work function is low where the potential is high"),
        **{f"minus {one}": "its heading says minus" for one in _POTENTIALS},
    },
    unlike=dict.fromkeys(("delta", "δ", "δcpd", "δvcpd", "δv", "dcpd", "change"), _A_CHANGE),
    ambiguous_units=("eV", "meV"),
    ambiguous=("phi", "φ", "energy"),
)

#: The longest and the shortest map that can be of a cell, in lengths of the cell.
_LONGEST, _SHORTEST = 2.0, 0.1

#: V; no error of work functions or potentials explains a larger misfit.
_LARGEST_MISFIT_V = 2.0


@dataclass(frozen=True)
class MeasuredMap:
    """A measured map; x = 0 is the left edge of the cell's first layer, its constant is free."""

    x_nm: Array
    cpd_V: Array
    source: str
    uncertainty_V: Array | None = None
    columns: tuple[str, ...] = ()
    gaps: int = 0  # lines without a number, which are left out


def load_measured_map(path: Path) -> MeasuredMap:
    """Read a measured map: positions, CPD and, where given, the uncertainty of the CPD.

    Columns are found by their names. Their units are those of headings or cells; without any, nm
    and V. A work function, which is the tip's minus the CPD, changes its sign.

    Raises
    ------
    InputError
        The file cannot be read, or is ambiguous.
    """
    curve = read_curve(path, PLACE, POTENTIAL)
    place, potential, *uncertainty = curve.columns
    if not curve.y_reversed:
        potential += ", with the sign of a CPD (high where the work function is low)"
    columns = (place, potential, *uncertainty)
    return MeasuredMap(curve.x, curve.y, curve.source, curve.y_uncertainty, columns, curve.gaps)


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
        ``work_function_eV`` and ``fermi_level_eV`` (each as the map gives it if the model's value
        of the other is right), ``uncertainty_V`` (None without any), and ``rms_V``, the misfit.

    Raises
    ------
    InputError
        No measured position lies within the cell.
    """
    inside = (measured.x_nm >= state.x_nm[0]) & (measured.x_nm <= state.x_nm[-1])
    if not np.any(inside):
        raise InputError(
            f"no point lies within the cell, {state.x_nm[0]:g} to {state.x_nm[-1]:g} nm",
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
        "uncertainty_V": (
            None if measured.uncertainty_V is None else numbers(measured.uncertainty_V[inside])
        ),
        "rms_V": number(parts.rms_V),
    }


def measured_beside(states: Sequence[PotentialMap], measured: MeasuredMap) -> list[dict[str, Any]]:
    """Return what `measured_fields` does at each state of charge.

    Raises
    ------
    InputError
        The map is far shorter or longer than the cell, or nowhere within 2 V of the model, so its
        units or columns are probably not those assumed.
    """
    length_nm = float(states[0].x_nm[-1] - states[0].x_nm[0])
    check_span(measured, length_nm)
    found = [measured_fields(state, measured) for state in states]
    _check_misfit(measured, min(one["rms_V"] for one in found))
    return found


def check_span(measured: MeasuredMap, length_nm: float) -> None:
    """Refuse a map that cannot be of a cell of that length, naming the likely unit."""
    span = float(np.ptp(measured.x_nm))
    if _SHORTEST * length_nm <= span <= _LONGEST * length_nm:
        return
    likely = [
        unit
        for unit in ("um", "A", "mm", "m")
        if _SHORTEST * length_nm <= span * LENGTHS_NM[unit] <= _LONGEST * length_nm
    ]
    swapped = _SHORTEST * length_nm <= float(np.ptp(measured.cpd_V)) <= _LONGEST * length_nm
    guess = ""
    if swapped:
        guess = "; its columns may be the other way around: name them"
    elif likely:
        guess = f"; its places may be in {likely[0]}: name the column x_{likely[0]}"
    raise InputError(
        f"the map is {span:g} nm long, the cell {length_nm:g} nm",
        where=measured.source,
        fix=f"give a map of at least a tenth of the cell, in units that its heading names{guess}",
    )


def _check_misfit(measured: MeasuredMap, misfit_V: float) -> None:
    """Refuse a map that lies too far from the model to be one, naming the likely unit."""
    if misfit_V <= _LARGEST_MISFIT_V:
        return
    spread = float(np.std(measured.cpd_V))
    likely = [unit for unit in ("mV", "uV") if spread * POTENTIALS_V[unit] <= _LARGEST_MISFIT_V]
    guess = f"; its values may be in {likely[0]}: name the column cpd_{likely[0]}" if likely else ""
    raise InputError(
        f"the map is {misfit_V:.3g} V from the model (root mean square); work functions and "
        "potentials of a cell never differ that much",
        where=measured.source,
        fix=f"check its units, and that it is of this cell{guess}",
    )
