"""Stretches of a cell on elements: what conducts, polarizes and stores charge along them.

A space charge is meshed in its potential, whose first integral gives dx/dφ exactly; a layer that
the grid solved keeps its own elements. Of the neutral middle one element is exact where ions alone
conduct, as nothing but the displacement's share of the current changes there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..bulk import Bulk, neutral_bulk
from ..constants import VACUUM_PERMITTIVITY_E_V_NM
from ..first_integral.half_space import HalfSpace
from ..grid.layer_charge import ChargeModel, charge_model
from ..grid.solution import LayerSolution
from ..phase import Array
from .response import ElectronMobility, response

DEGREE = 6
"""Of the polynomials on every element."""

PLACES, WEIGHTS = np.polynomial.legendre.leggauss(10)
"""Quadrature on every element."""

_PER_ELEMENT = 2.5
"""Length of an element of a space charge: in Debye lengths where it is linear, else in kT."""

_TAIL = 12.0
"""Debye lengths beyond x99 that are meshed, where there is room."""

_SMALLEST = 1e-9
"""Drops below this, in kT, have the profile of this one, which is linear."""

_KT_PER_ELEMENT = 4.0
"""By how much the Fermi level changes along one, where mu varies in a layer."""

_GROWTH = 2.5
"""Of elements into the middle of a layer where electrons diffuse, too."""

_LEAST_CONDUCTIVITY_S_CM = 1e-250


@dataclass(frozen=True)
class Segment:
    """E elements in a row, of B samples, for m carriers; arrays at the G points of `PLACES`.

    Attributes
    ----------
    metric_nm : array (G, E, B)
        dx/dξ of the reference element [−1, 1].
    permittivity_e_V_nm : array (G, E, B)
        eps.
    capacitance_e_V_nm3, resistivity_ohm_cm : array (m, m, G, E, B)
        C and sigma^−1 of `response`.
    """

    metric_nm: Array
    permittivity_e_V_nm: Array
    capacitance_e_V_nm3: Array
    resistivity_ohm_cm: Array

    @property
    def length_nm(self) -> Array:
        """Lengths of all elements, (B,)."""
        return np.asarray(np.einsum("g,geb->b", WEIGHTS, self.metric_nm))

    @property
    def span_nm2_V_e(self) -> Array:
        """∫ dx/eps (B,)."""
        ratio = self.metric_nm / self.permittivity_e_V_nm
        return np.asarray(np.einsum("g,geb->b", WEIGHTS, ratio))

    @property
    def resistance_ohm_cm2(self) -> Array:
        """∫ sigma^−1 dx, (m, m, B)."""
        sheets = np.einsum("g,ijgeb,geb->ijb", WEIGHTS, self.resistivity_ohm_cm, self.metric_nm)
        return np.asarray(sheets * 1e-7)

    def spread(self, batch: int) -> Segment:
        """Return the same segment for each of more samples."""
        return self._turned(lambda value: np.broadcast_to(value, (*value.shape[:-1], batch)))

    def take(self, index: slice) -> Segment:
        """Select some of the samples."""
        return self._turned(lambda value: value[..., index])

    def mirrored(self) -> Segment:
        """Return the same segment from right to left."""
        return self._turned(lambda value: value[..., ::-1, ::-1, :])

    def _turned(self, change: Callable[[Array], Array]) -> Segment:
        return Segment(
            change(self.metric_nm),
            change(self.permittivity_e_V_nm),
            change(self.capacitance_e_V_nm3),
            change(self.resistivity_ohm_cm),
        )


def _of(
    charge: ChargeModel,
    potential_V: Array,
    metric_nm: Array,
    permittivity: Any,
    electrons: ElectronMobility | None,
) -> Segment:
    answer = response(charge, potential_V, electrons)
    return Segment(
        metric_nm,
        np.broadcast_to(permittivity, metric_nm.shape),
        answer.capacitance_e_V_nm3,
        resistivity(answer.conductivity_S_cm),
    )


def resistivity(conductivity_S_cm: Array) -> Array:
    """Inverse of sigma (m, m, ...), of what does not conduct at all a very large one."""
    sigma = np.maximum(conductivity_S_cm[0, 0], _LEAST_CONDUCTIVITY_S_CM)
    if conductivity_S_cm.shape[0] == 1:
        return np.asarray(1.0 / sigma)[None, None]
    # an electron that hardly moves carries nothing, and a trap that hops carries both
    mixed = conductivity_S_cm[0, 1]
    electronic = np.maximum(conductivity_S_cm[1, 1], 1e-9 * sigma)
    electronic = np.maximum(electronic, (1.0 + 1e-9) * mixed * mixed / sigma)
    determinant = sigma * electronic - mixed * mixed
    return np.asarray(np.stack([[electronic, -mixed], [-mixed, sigma]]) / determinant)


def charge_of(bulk: Bulk) -> ChargeModel:
    """Return the charge density of bulks (B,) at any potential."""
    return charge_model(
        bulk.phase,
        temperature_K=bulk.temperature_K,
        mu_eV=bulk.mu_eV,
        metal_work_function_eV=bulk.metal_work_function_eV,
        ion_charge=bulk.ion_charge,
    )


def space_charge_segment(
    bulk: Bulk,
    contact_potential_V: Array,
    room_nm: Array,
    electrons: ElectronMobility | None = None,
) -> Segment:
    """Elements from a contact to where a thick phase is neutral.

    Parameters
    ----------
    bulk : Bulk
        Batch shape (B,).
    contact_potential_V : array (B,)
        φ at the contact.
    room_nm : array (B,)
        How much of the layer there is beyond x99 on this side.
    electrons : ElectronMobility, optional
        Mobilities of the electrons, if they conduct.
    """
    state = bulk.thermodynamics()
    u = (contact_potential_V - bulk.neutral_potential_V) / state.kT_eV
    sign, v = np.where(u < 0.0, -1.0, 1.0), np.maximum(np.abs(u), _SMALLEST)
    # v = ln(1 + exp(zeta)): zeta counts Debye lengths where v < 1, and kT beyond
    tail = np.minimum(_TAIL, 0.9 * room_nm / bulk.debye_length_nm)
    start, end = _zeta(v), _zeta(0.01 * v) - tail
    count = int(np.ceil(np.nanmax(start - end) / _PER_ELEMENT))
    # two short ones at the contact, for what is faster than the bulk's relaxation
    widths = np.concatenate([[0.15, 0.35], np.full(max(count, 2), 1.0)])
    edges = np.concatenate([[0.0], np.cumsum(widths)]) / np.sum(widths)
    zeta = start + edges[:, None] * (end - start)
    half = 0.5 * np.diff(zeta, axis=0)
    place = 0.5 * (zeta[1:] + zeta[:-1]) + PLACES[:, None, None] * half
    at = np.logaddexp(0.0, place)
    pressure, _ = state.evaluate(sign * at)
    field = np.sqrt(2.0 * pressure / state.permittivity_e_V_nm)
    metric = np.abs(half) * -np.expm1(-at) * state.kT_eV / field
    potential = bulk.neutral_potential_V + sign * at * state.kT_eV
    return _of(charge_of(bulk), potential, metric, state.permittivity_e_V_nm, electrons)


def electrode_segment(side: HalfSpace, electrons: ElectronMobility | None = None) -> Segment:
    """Elements from a contact (B,) into an electrode that bends.

    Its electrons and ions hold the potential of its collector. If the conductivity of its ions is
    known, the space charge adds its excess resistance over that of the bulk.
    """
    bulk = side.bulk
    room = np.full(bulk.shape, np.inf)
    made = space_charge_segment(bulk, side.contact_potential_V, room, electrons)
    resists = np.zeros_like(made.resistivity_ohm_cm)
    own = bulk.conductivity_S_cm
    if np.any(own > 0.0):
        resists[0, 0] = np.maximum(made.resistivity_ohm_cm[0, 0] - 1.0 / own, 0.0)
    return replace(made, resistivity_ohm_cm=resists)


def thick_layer(
    left: HalfSpace,
    right: HalfSpace,
    thickness_nm: Array,
    electrons: ElectronMobility | None = None,
) -> list[Segment]:
    """Return a layer whose two space charges do not affect each other, and the middle between them.

    Parameters
    ----------
    left, right : HalfSpace
        The space charges at its two ends; batch shape (B,).
    thickness_nm : array (B,)
        Thickness of the layer.
    electrons : ElectronMobility, optional
        Mobilities of the electrons, if they conduct.
    """
    room = (thickness_nm - left.x99_nm - right.x99_nm) / 2.0
    first, last = (
        space_charge_segment(side.bulk, side.contact_potential_V, room, electrons)
        for side in (left, right)
    )
    rest = thickness_nm - first.length_nm - last.length_nm
    with np.errstate(divide="ignore"):
        of_ends = [1.0 / side.bulk.conductivity_S_cm for side in (left, right)]
    # of the whole layer the mean of its two ends', which differ where mu does
    total = thickness_nm * (of_ends[0] + of_ends[1]) / 2.0
    beside = first.length_nm * of_ends[0] + last.length_nm * of_ends[1]
    middle = np.maximum((total - beside) / rest, 0.5 * np.minimum(*of_ends))
    middle = np.minimum(middle, 1.0 / _LEAST_CONDUCTIVITY_S_CM)
    ends = (left.bulk.mu_eV, right.bulk.mu_eV)
    varies = electrons is not None and bool(np.any(ends[0] != ends[1]))
    between = middle_segment(left.bulk, rest, middle, electrons, ends if varies else None)
    return [first, between, last.mirrored()]


def _zeta(v: Array) -> Array:
    return np.where(v > 30.0, v, np.log(np.expm1(np.minimum(v, 30.0))))


def layer_segment(solution: LayerSolution, electrons: ElectronMobility | None = None) -> Segment:
    """Elements of a layer that was solved as a whole on the grid."""
    between = solution.element.to_places(PLACES)
    potential = np.tensordot(between, solution.potential_V, axes=1)
    charge = solution.charge.between_nodes(between, potential.ndim)
    eps = np.tensordot(between, solution.permittivity_e_V_nm, axes=1)
    metric = np.broadcast_to(0.5 * np.diff(solution.ends_nm, axis=0), potential.shape)
    if electrons is not None:
        # the grid's slots may hold more defects than the phase has
        held = [np.zeros(1)] * len(charge.mobility)
        for slot, one in zip(solution.slots, electrons.ion_charge, strict=True):
            held[slot] = one
        electrons = replace(electrons, ion_charge=held)
    return _of(charge, potential, metric, eps, electrons)


def middle_segment(
    bulk: Bulk,
    length_nm: Array,
    resistivity_ohm_cm: Array | None = None,
    electrons: ElectronMobility | None = None,
    end_mu_eV: tuple[Array, Array] | None = None,
) -> Segment:
    """Neutral bulk (B,) between two space charges.

    Parameters
    ----------
    bulk : Bulk
        Batch shape (B,).
    length_nm : array (B,)
        Positive.
    resistivity_ohm_cm : array (B,), optional
        Resistivity of the ions, where it is not the bulk's own.
    electrons : ElectronMobility, optional
        Mobilities of the electrons, if they conduct: elements then grow from both ends, as needed
        for diffusion.
    end_mu_eV : pair of array (B,), optional
        mu at both ends, where electrons feel that it varies; linear in between.
    """
    metric = np.broadcast_to(0.5 * length_nm, (PLACES.size, 1, length_nm.size))
    if electrons is not None:
        share = _shares(bulk, length_nm, end_mu_eV)
        metric = np.broadcast_to(
            0.5 * np.diff(share)[:, None] * length_nm,
            (PLACES.size, share.size - 1, length_nm.size),
        )
        if end_mu_eV is not None:
            low, high = end_mu_eV
            place = 0.5 * (share[1:] + share[:-1] + PLACES[:, None] * np.diff(share))
            bulk = neutral_bulk(
                bulk.phase,
                temperature_K=bulk.temperature_K,
                metal_work_function_eV=bulk.metal_work_function_eV,
                mu_eV=low + (high - low) * place[..., None],
                ion_charge=bulk.ion_charge,
            )
    potential = np.broadcast_to(bulk.neutral_potential_V, metric.shape)
    eps = VACUUM_PERMITTIVITY_E_V_NM * bulk.phase.dielectric_constant
    made = _of(charge_of(bulk), potential, metric, eps, electrons)
    if resistivity_ohm_cm is None:
        return made
    own = made.resistivity_ohm_cm.copy()
    if electrons is None or not np.any(own[0, 1]):
        own[0, 0] = resistivity_ohm_cm
    return replace(made, resistivity_ohm_cm=own)


def _shares(bulk: Bulk, length_nm: Array, end_mu_eV: tuple[Array, Array] | None) -> Array:
    """Ends of elements that grow from both ends, and resolve how electrons follow mu."""
    reach = np.nanmax(length_nm / (2.0 * bulk.debye_length_nm))
    steps = max(1, int(np.ceil(np.log(max(reach, 1.0)) / np.log(_GROWTH))))
    grown = np.concatenate([[0.0], _GROWTH ** np.arange(-float(steps), 1.0)]) / 2.0
    share = np.concatenate([grown, 1.0 - grown[-2::-1]])
    if end_mu_eV is None:
        return share
    change = np.nanmax(np.abs(end_mu_eV[1] - end_mu_eV[0]) / (bulk.ion_charge * bulk.kT_eV))
    even = np.linspace(0.0, 1.0, int(np.ceil(change / _KT_PER_ELEMENT)) + 1)
    return np.unique(np.concatenate([share, even]).round(14))
