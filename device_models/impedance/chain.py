r"""Segments and contacts in a row, as one symmetric pencil (physics.md 12).

Unknown is the charge ``Q_c`` per area that each carrier c has brought past a place, per charge that
passed the whole cell. Of ``1 − Σ Q`` the displacement D consists, and with ``rho_c = −Q_c'``

``A(Q, q) = ∫ [Q'ᵀ C⁻¹ q' + (ΣQ)(Σq)/eps] dx``,  ``M(Q, q) = ∫ Qᵀ sigma⁻¹ q dx + Σ R_ct Q q``

are what Poisson's equation with the conservation of all carriers says: ``(A + sM) Q = b``,
``b(q) = ∫ Σq/eps dx``, at the frequency ``s = iω``. Both are symmetric and not negative, which
makes the impedance a sum of positive relaxations. Where nothing blocks, ``Q = T/s`` less
a bounded D.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..constants import CAPACITANCE_UF_CM2
from ..numerics.spectral import element
from ..phase import Array, BoolArray, IntArray
from .diffusion import Diffusion
from .segment import DEGREE, PLACES, WEIGHTS, Segment

_FARAD_CM2 = CAPACITANCE_UF_CM2 * 1e-6
"""One e/(nm²·V) in F/cm²."""

_BLOCKS = 1e6
"""Times as long as the longest period, a current never flows."""

_NOTHING_OHM_CM2 = 1e200

_STIFFEST = 1e-9
"""Charge of an element that stays without an answer to the potential, of its permittivity's."""


@dataclass(frozen=True)
class Crossing:
    """A contact; arrays (B,).

    Attributes
    ----------
    transfer_ohm_cm2 : array
        R_ct of the ions; ignored where `blocked`.
    electrons_ohm_cm2 : array or None
        Resistance of electrons, where they conduct.
    blocked : bool
        Whether no ion crosses.
    diffusion : Diffusion, optional
        In the electrode behind it.
    behind_nm2_V_e : array, optional
        At the far end of an electrode that bends: length over permittivity of its bulk.
    """

    transfer_ohm_cm2: Array
    electrons_ohm_cm2: Array | None = None
    blocked: bool = False
    diffusion: Diffusion | None = None
    behind_nm2_V_e: Array | None = None

    def take(self, index: slice) -> Crossing:
        """Select some of the samples."""

        def picked(value: Array | None) -> Array | None:
            return None if value is None else value[index]

        host = self.diffusion
        return Crossing(
            self.transfer_ohm_cm2[index],
            picked(self.electrons_ohm_cm2),
            self.blocked,
            None if host is None else host.take(index),
            picked(self.behind_nm2_V_e),
        )


@dataclass(frozen=True)
class Chain:
    """Parts and contacts of a cell, from the negative to the positive electrode.

    Parameters
    ----------
    parts : sequence of Crossing and Segment
        From left to right; begins and ends with a Crossing.
    carriers : int
        1, ions; 2, ions and electrons.
    """

    parts: Sequence[Crossing | Segment]
    carriers: int = 1

    def take(self, index: slice) -> Chain:
        """Select some of the samples."""
        return Chain([part.take(index) for part in self.parts], self.carriers)

    @property
    def batch(self) -> int:
        """Samples."""
        return int(next(p for p in self.parts if isinstance(p, Segment)).metric_nm.shape[-1])

    @cached_property
    def segments(self) -> list[Segment]:
        """Segments of the parts that have elements."""
        return [part for part in self.parts if isinstance(part, Segment)]

    @cached_property
    def first_elements(self) -> IntArray:
        """Number of the first element of every part; of a contact, of the one behind it."""
        counts = [p.metric_nm.shape[1] if isinstance(p, Segment) else 0 for p in self.parts]
        return np.concatenate([[0], np.cumsum(counts)])

    @property
    def nodes(self) -> int:
        """Number of nodes of all elements; shared ones count once."""
        return DEGREE * int(self.first_elements[-1]) + 1

    def node_of(self, part: int) -> int:
        """Return the node at which a contact lies."""
        return DEGREE * int(self.first_elements[part])

    @property
    def blocks(self) -> bool:
        """Return whether one of the contacts blocks ions."""
        return any(isinstance(part, Crossing) and part.blocked for part in self.parts)

    def fixed(self, lowest_Hz: float) -> BoolArray:
        """Unknowns (B, N) that are 0: nothing of that carrier gets there.

        So it is at blocked contacts, and where the current would take so much longer than a period
        that the displacement carries it all.
        """
        slow = _BLOCKS / (2.0 * np.pi * lowest_Hz)
        geometric = self.pencil.geometric
        held = np.zeros((self.batch, self.nodes, self.carriers), dtype=bool)
        for place, part in enumerate(self.parts):
            first = self.node_of(place)
            if isinstance(part, Crossing):
                held[:, first, 0] |= part.blocked | (part.transfer_ohm_cm2 > slow * geometric)
                if self.carriers == 2 and part.electrons_ohm_cm2 is not None:
                    held[:, first, 1] |= part.electrons_ohm_cm2 > slow * geometric
                continue
            for carrier in range(self.carriers):
                own = part.resistivity_ohm_cm[carrier, carrier] * part.permittivity_e_V_nm
                # (E, B)
                still = np.min(own, axis=0) * _FARAD_CM2 * 1e-7 > slow
                for element_, sample in zip(*np.nonzero(still), strict=True):
                    start = first + DEGREE * element_
                    held[sample, start : start + DEGREE + 1, carrier] = True
        return held.reshape(self.batch, -1)

    @cached_property
    def carriers_ohm_cm2(self) -> Array:
        """∫ sigma⁻¹ dx with the contacts (m, m, B); infinite where nothing passes."""
        total = np.zeros((self.carriers, self.carriers, self.batch))
        for part in self.parts:
            if isinstance(part, Segment):
                total += part.resistance_ohm_cm2
                continue
            if not part.blocked:
                total[0, 0] += part.transfer_ohm_cm2
            if self.carriers == 2 and part.electrons_ohm_cm2 is not None:
                total[1, 1] += part.electrons_ohm_cm2
        if self.blocks:
            total[0, 0] = np.inf
        return np.where(total > _NOTHING_OHM_CM2, np.inf, total)

    @cached_property
    def dc_ohm_cm2(self) -> Array:
        """Z(0) without diffusion in the electrodes (B,); infinite where nothing passes."""
        total = self.carriers_ohm_cm2
        if self.carriers == 1 or self.blocks:
            return np.asarray(total[-1, -1])
        conductance = np.linalg.solve(np.moveaxis(total, -1, 0), np.ones((self.batch, 2, 1)))
        return np.asarray(1.0 / np.sum(conductance, axis=(1, 2)))

    @cached_property
    def pencil(self) -> Pencil:
        """Matrices A and M, and the vector b."""
        return assemble(self)


@dataclass(frozen=True)
class Pencil:
    """Banded matrices, upper form, of N unknowns; electrode diffusion apart.

    Attributes
    ----------
    energy, loss : array (K + 1, N, B)
        A in cm²/F, M in Ω·cm².
    load : array (N, B)
        b in cm²/F.
    geometric : array (B,)
        ∫ dx/eps in cm²/F.
    """

    energy: Array
    loss: Array
    load: Array
    geometric: Array


def banded_product(band: Array, x: Array) -> Array:
    """Symmetric band (K + 1, N, B) times x (N, B, ...)."""
    width = band.shape[0] - 1
    extra = (None,) * (x.ndim - 2)
    product = band[(width, slice(None), slice(None), *extra)] * x
    for d in range(1, width + 1):
        off = band[(width - d, slice(d, None), slice(None), *extra)]
        product[:-d] += off * x[d:]
        product[d:] += off * x[:-d]
    return np.asarray(product)


def element_matrices(segment: Segment) -> tuple[Array, Array, Array]:
    """Return A and M (P, P, m, m, E, B) of the elements, and b (P, E, B)."""
    one = element(DEGREE)
    values = one.to_places(PLACES)
    slopes = values @ one.derivative
    metric, eps = segment.metric_nm, segment.permittivity_e_V_nm
    carriers = segment.capacitance_e_V_nm3.shape[0]
    count = DEGREE + 1
    outer = [
        (f[:, :, None] * f[:, None, :]).reshape(PLACES.size, -1).T * WEIGHTS
        for f in (values, slopes)
    ]

    def integrated(products: Array, weight: Array) -> Array:
        shape = weight.shape[1:]
        return (products @ weight.reshape(PLACES.size, -1)).reshape(count, count, *shape)

    # an element whose charges do not answer keeps D constant; more would cost all digits
    width = np.einsum("g,geb->eb", WEIGHTS, metric)
    least = _STIFFEST * eps / np.square(width)
    capacitance = segment.capacitance_e_V_nm3
    if carriers == 1:
        inverse = 1.0 / (capacitance + least)
    else:
        ii, ie, ee = capacitance[0, 0] + least, capacitance[0, 1], capacitance[1, 1] + least
        inverse = np.stack([[ee, -ie], [-ie, ii]]) / (ii * ee - ie * ie)
    energy, loss = np.empty((2, count, count, carriers, carriers, *metric.shape[1:]))
    polar = integrated(outer[0], metric / eps)
    for a in range(carriers):
        for b in range(carriers):
            energy[:, :, a, b] = integrated(outer[1], inverse[a, b] / metric) + polar
            loss[:, :, a, b] = integrated(outer[0], segment.resistivity_ohm_cm[a, b] * metric)
    load = np.tensordot(values.T * WEIGHTS, metric / eps, axes=1)
    return energy / _FARAD_CM2, loss * 1e-7, load / _FARAD_CM2


def assemble(chain: Chain) -> Pencil:
    """Add up elements and contacts."""
    m, batch = chain.carriers, chain.batch
    width = (DEGREE + 1) * m - 1
    size = chain.nodes * m
    energy, loss = np.zeros((2, width + 1, size, batch))
    load = np.zeros((size, batch))
    geometric = np.zeros(batch)
    for place, part in enumerate(chain.parts):
        first = m * chain.node_of(place)
        if isinstance(part, Crossing):
            at = [(0, part.transfer_ohm_cm2, part.blocked)]
            if m == 2:
                at.append((1, np.zeros(batch), False))
                if part.electrons_ohm_cm2 is not None:
                    at[1] = (1, part.electrons_ohm_cm2, False)
            for carrier, resistance, blocked in at:
                if not blocked:
                    loss[width, first + carrier] += resistance
            if part.behind_nm2_V_e is not None:
                behind = part.behind_nm2_V_e / _FARAD_CM2
                for a in range(m):
                    for b in range(a, m):
                        energy[width + a - b, first + b] += behind
                    load[first + a] += behind
                geometric += behind
            continue
        stored, lost, forced = element_matrices(part)
        elements = stored.shape[4]
        starts = first + m * DEGREE * np.arange(elements)
        for i in range(DEGREE + 1):
            for a in range(m):
                row = m * i + a
                load[starts + row] += forced[i]
                for j in range(DEGREE + 1):
                    for b in range(m):
                        column = m * j + b
                        if column >= row:
                            # no two elements share an entry here
                            energy[width + row - column, starts + column] += stored[i, j, a, b]
                            loss[width + row - column, starts + column] += lost[i, j, a, b]
        geometric += part.span_nm2_V_e / _FARAD_CM2
    return Pencil(energy, loss, load, geometric)
