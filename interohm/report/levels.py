"""Levels of each layer for a band diagram, thinned for the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from interohm.report.curve_points import needed_points, with_nodes
from interohm.report.display_axis import (
    DisplayAxis,
    Zone,
    display_axis,
    electrode,
    even_layer,
    thick_layer,
)
from interohm.report.intervals import Intervals, ends
from interohm.results.contact_sides import SIDES, points_of_side

if TYPE_CHECKING:
    from interohm.arrays import Array
    from interohm.results.cell import CellResult, CellState
    from interohm.results.contact import CellContact, ContactResult
    from interohm.results.contact import Intervals as AlongX
    from interohm.results.result import Side


#: The zoom on a contact reaches this many times as far as 99 % of the drop.
_BEYOND_X99 = 1.4

#: What is drawn of a cell's profile.
_COLUMNS = (
    "x_nm",
    "vacuum_level_eV",
    "conduction_band_eV",
    "valence_band_eV",
    "fermi_level_eV",
    "mu_eV",
)

#: A level may be drawn this far from where it is.
_DRAWING_ERROR_eV = 1e-3


#: The levels by the columns of a document's profile and of its quantiles.
_LEVELS = {
    "phi_V": "phi_V",
    "vacuum_level_eV": "vacuum_eV",
    "conduction_band_eV": "conduction_eV",
    "valence_band_eV": "valence_eV",
    "fermi_level_eV": "fermi_eV",
    "mu_eV": "mu_eV",
    "electrochemical_potential_eV": "electrochemical_eV",
    "work_function_eV": "work_function_eV",
    "cpd_V": "cpd_V",
    "delta_cpd_V": "delta_cpd_V",
}


@dataclass(frozen=True)
class LayerLevels:
    """The levels of one layer; a metal has no bands.

    Parameters
    ----------
    x_nm, vacuum_eV, fermi_eV : array, shape (points,)
        Positions, local vacuum level, Fermi level.
    conduction_eV, valence_eV : array or None, shape (points,)
        Band edges of an insulator.
    mu_eV, electrochemical_eV : array or None, shape (points,)
        Potentials of the neutral mobile element and of the mobile ion; a collector has neither, and
        a document of an earlier version lacks the latter.
    intervals : Intervals, optional
        Intervals of these, if the document has any.
    """

    x_nm: Array
    vacuum_eV: Array
    fermi_eV: Array
    conduction_eV: Array | None
    valence_eV: Array | None
    mu_eV: Array | None
    electrochemical_eV: Array | None
    intervals: Intervals | None = None

    @property
    def phi_V(self) -> Array:
        """Return the electrostatic potential."""
        return -self.vacuum_eV

    @property
    def work_function_eV(self) -> Array:
        """Return the local work function."""
        return self.vacuum_eV - self.fermi_eV


def drawn_layers(state: CellState) -> list[tuple[str, float]]:
    """Return name and thickness of a cell's layers, and of collectors that its profile has."""
    layers = [(layer.material, layer.thickness_nm) for layer in state.layers]
    x_nm, total = state.profile.x_nm, sum(thickness for _, thickness in layers)
    names = {one.side: one.material for one in state.collectors}
    negative, positive = -(x_nm[0] or 0.0), (x_nm[-1] or 0.0) - total
    if positive > 1e-9 * total:
        layers.append((names["positive"], positive))
    if negative > 1e-9 * total:
        layers.insert(0, (names["negative"], negative))
    return layers


def cell_levels(state: CellState) -> list[LayerLevels]:
    """Return the levels of each drawn layer at one state of charge of a cell's document."""
    profile = {name: _column(getattr(state.profile, name)) for name in _COLUMNS}
    kept = state.profile.electrochemical_potential_eV
    ion = np.full_like(profile["x_nm"], np.nan) if kept is None else _column(kept)
    levels = []
    drawn = layer_points(state)
    spreads: Sequence[AlongX | None] = state.spreads().profile or [None] * len(drawn)
    for points, spread in zip(drawn, spreads, strict=True):
        part = {name: column[points] for name, column in profile.items()}
        metal = bool(np.isnan(part["valence_band_eV"]).all())
        levels.append(
            LayerLevels(
                part["x_nm"],
                part["vacuum_level_eV"],
                part["fermi_level_eV"],
                None if metal else part["conduction_band_eV"],
                None if metal else part["valence_band_eV"],
                _known(part["mu_eV"]),
                _known(ion[points]),
                None if spread is None else _intervals(spread),
            )
        )
    return levels


def _intervals(spread: AlongX) -> Intervals:
    found = {
        level: known
        for column, level in _LEVELS.items()
        if (known := ends(getattr(spread, column))) is not None
    }
    return Intervals(_column(spread.x_nm), found)


def _known(column: Array) -> Array | None:
    return None if np.isnan(column).all() else column


def layer_points(state: CellState) -> list[slice]:
    """Return which points of a cell's profile belong to each drawn layer."""
    x_nm = _column(state.profile.x_nm)
    thicknesses = [thickness for _, thickness in drawn_layers(state)]
    edges = x_nm[0] + np.cumsum(thicknesses)[:-1]
    cuts = [0, *(_last_before(x_nm, edge) + 1 for edge in edges), None]
    return [slice(first, end) for first, end in pairwise(cuts)]


def _last_before(x_nm: Array, edge_nm: float) -> int:
    """Return the index of a layer's last point: an edge appears twice, once for each side."""
    return int(np.argmin(np.abs(x_nm[:-1] - edge_nm) + np.abs(x_nm[1:] - edge_nm)))


def cell_axis(document: CellResult) -> DisplayAxis:
    """Return one axis for all states of charge of a cell's document."""
    states = document.states
    first = states[0].profile.x_nm[0] or 0.0
    drawn = drawn_layers(states[0])
    before = 1 if first < 0 else 0
    zones: list[list[Zone]] = []
    for number, (_, thickness) in enumerate(drawn):
        index = number - before
        if not 0 < index < len(states[0].layers) - 1:
            zones.append(electrode(thickness))
        elif not all(state.layers[index].thick for state in states):
            zones.append(even_layer(thickness))
        else:
            left = max(_reach_nm(state.contacts[index - 1], "right") for state in states)
            right = max(_reach_nm(state.contacts[index], "left") for state in states)
            zones.append(thick_layer(thickness, left, right))
    return display_axis(zones, start_nm=first)


def _reach_nm(contact: CellContact, side: Side) -> float:
    """Return how far into a phase its space charge is worth looking at."""
    distances = contact.distance_nm.get(side)
    x99 = 0.0 if distances is None else distances.x99 or 0.0
    debye = contact.debye_length_nm[side] or 0.0
    return float(max(_BEYOND_X99 * x99, debye, 0.1))


@dataclass(frozen=True)
class SpaceCharge:
    """Concentrations and conductivity on one side of a contact, of the defects that exist there.

    The intervals are those of ``conductivity_S_cm`` and of each defect by its name.
    """

    x_nm: Array
    concentrations_cm3: dict[str, Array]
    conductivity_S_cm: Array
    intervals: Intervals | None = None


@dataclass(frozen=True)
class ContactView:
    """A contact as it is drawn: what is within the reach of its axis, side by side."""

    axis: DisplayAxis
    levels: list[LayerLevels]
    sides: list[SpaceCharge]

    @property
    def defects(self) -> list[str]:
        """Return the names of all defects."""
        return list(dict.fromkeys(name for side in self.sides for name in side.concentrations_cm3))


def contact_view(document: ContactResult) -> ContactView:
    """Return what a contact's document says within the reach of its axis."""
    return contact_views([document])[0]


def contact_views(documents: Sequence[CellContact]) -> list[ContactView]:
    """Return one contact in several states, all on the axis that reaches farthest.

    The contacts within a cell's document have no levels of their own: the cell has them.
    """
    reaches, zones, silent = [], [], []
    for index, side in enumerate(SIDES):
        if documents[0].is_electrode(side):
            # Flat, and without a thickness.
            reaches.append(1.0)
            zones.append(electrode(1.0))
            silent.append(2 * index)
            continue
        reaches.append(max(_drawn_reach_nm(document, side) for document in documents))
        zones.append(even_layer(reaches[-1], "right" if side == "left" else "left"))
    axis = display_axis(zones, start_nm=-reaches[0], silent_edges=silent)
    return [_on_axis(document, axis, reaches) for document in documents]


def _drawn_reach_nm(document: CellContact, side: Side) -> float:
    """Return how much of an insulating side is drawn: all of a layer solved as a whole."""
    x = _column(document.profile.x_nm)
    extent = float(np.ptp(x[points_of_side(document, side)]))
    if document.distance_nm.get(side) is None:
        return extent
    return min(extent, _two_digits(_reach_nm(document, side)))


def _on_axis(document: CellContact, axis: DisplayAxis, reaches: Sequence[float]) -> ContactView:
    levels, sides = [], []
    for side, reach in zip(SIDES, reaches, strict=True):
        edge_nm = -reach if side == "left" else reach
        if document.is_electrode(side):
            if document.has_levels():
                levels.append(_electrode_levels(document, side, edge_nm))
            continue
        sides.append(_space_charge(document, side, edge_nm))
        if document.has_levels():
            levels.append(_insulator_levels(document, side, edge_nm))
    return ContactView(axis, levels, sides)


def _electrode_levels(document: CellContact, side: Side, edge_nm: float) -> LayerLevels:
    def flat(level: float | None) -> Array:
        return np.full(2, np.nan if level is None else level)

    return LayerLevels(
        np.sort(np.array([0.0, edge_nm])),
        -flat(document.neutral_potential_V[side]),
        flat(document.fermi_level_eV[side]),
        None,
        None,
        flat(document.mu_eV[side]),
        flat(document.electrochemical_potential_eV[side]),
        _side_intervals(document, side, edge_nm),
    )


def _insulator_levels(document: CellContact, side: Side, edge_nm: float) -> LayerLevels:
    profile = document.profile
    position_nm, at = _drawn_points(document, side, edge_nm)
    vacuum, fermi, conduction, valence, mu, ion = (
        at(getattr(profile, name))
        for name in (
            "vacuum_level_eV",
            "fermi_level_eV",
            "conduction_band_eV",
            "valence_band_eV",
            "mu_eV",
            "electrochemical_potential_eV",
        )
    )
    intervals = _side_intervals(document, side, edge_nm)
    return LayerLevels(position_nm, vacuum, fermi, conduction, valence, mu, ion, intervals)


def _space_charge(document: CellContact, side: Side, edge_nm: float) -> SpaceCharge:
    profile = document.profile
    position_nm, at = _drawn_points(document, side, edge_nm)
    own = points_of_side(document, side)
    defects = {
        name: at(column)
        for name, column in profile.concentrations_cm3.items()
        if not np.isnan(_column(column)[own]).any()
    }
    spread = _side_spread(document, side)
    moving = None if spread is None else _of_what_moves(spread).within(edge_nm)
    return SpaceCharge(position_nm, defects, at(profile.conductivity_S_cm), moving)


def _drawn_points(
    document: CellContact, side: Side, edge_nm: float
) -> tuple[Array, Callable[[Sequence[float | None]], Array]]:
    """Return the places of a side up to an edge, and what reads a column of the profile there."""
    x = _column(document.profile.x_nm)
    own = points_of_side(document, side)
    position_nm = np.sort(np.append(x[own & (np.abs(x) < abs(edge_nm))], edge_nm))
    return position_nm, lambda column: np.interp(position_nm, x[own], _column(column)[own])


def _side_spread(document: CellContact, side: Side) -> AlongX | None:
    return (document.spreads().profile or {}).get(side)


def _side_intervals(document: CellContact, side: Side, edge_nm: float) -> Intervals | None:
    spread = _side_spread(document, side)
    return None if spread is None else _intervals(spread).within(edge_nm)


def _of_what_moves(spread: AlongX) -> Intervals:
    columns = {**spread.concentrations_cm3, "conductivity_S_cm": spread.conductivity_S_cm}
    found = {name: ends(column) for name, column in columns.items()}
    return Intervals(
        _column(spread.x_nm), {name: pair for name, pair in found.items() if pair is not None}
    )


def _two_digits(x: float) -> float:
    return float(f"{x:.1e}")


def _column(values: Sequence[float | None]) -> Array:
    return np.array([np.nan if value is None else value for value in values], dtype=float)


def energy_window_eV(diagrams: Sequence[Sequence[LayerLevels]]) -> tuple[float, float]:
    """Return the energies that show all levels, with room for the filling of the bands."""
    lows, highs = [], []
    for layer in (layer for diagram in diagrams for layer in diagram):
        bottom = layer.fermi_eV if layer.valence_eV is None else layer.valence_eV
        top = layer.vacuum_eV if layer.conduction_eV is None else layer.conduction_eV
        lows += [bottom.min(), layer.fermi_eV.min()]
        highs += [top.max(), layer.vacuum_eV.max()]
        spreads = {} if layer.intervals is None else layer.intervals.ends
        lows += [spreads[name][0].min() for name in ("valence_eV", "fermi_eV") if name in spreads]
        highs += [
            spreads[name][1].max() for name in ("conduction_eV", "vacuum_eV") if name in spreads
        ]
    margin = 0.09 * (max(highs) - min(lows))
    return float(min(lows) - margin), float(max(highs) + margin)


def thinned(layer: LayerLevels, axis: DisplayAxis) -> LayerLevels:
    """Return a layer with as few points as the eye needs; where the scale changes is one."""
    given = {
        field.name: column
        for field in fields(layer)
        if field.name not in ("x_nm", "intervals")
        and (column := getattr(layer, field.name)) is not None
    }
    x, columns = with_nodes(layer.x_nm, list(given.values()), axis)
    found = dict(zip(given, columns, strict=True))
    # what else there is runs parallel to one of the two
    bending = np.stack([found["vacuum_eV"], found["fermi_eV"]])
    keep = needed_points(axis.place(x), bending, _DRAWING_ERROR_eV)
    fewer: dict[str, Any] = {name: column[keep] for name, column in found.items()}
    return replace(layer, x_nm=x[keep], **fewer)
