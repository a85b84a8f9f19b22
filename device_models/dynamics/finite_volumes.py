r"""A stack of layers on finite volumes, and its equilibrium (physics.md, section 13).

Nodes from contact to contact, of which a contact has one on either side. Each layer answers the
potential by its charge density, each electrode that bends by the charge on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ..finite_current import ButlerVolmer, MarcusHushChidsey
from ..grid.equations import Reservoir
from ..numerics.roots import bracketed_newton
from ..phase import Array

if TYPE_CHECKING:
    from ..grid.layer_charge import ChargeModel

_STIFFEST = 1e-9
"""Least charge that answers the potential, of eps/h², as in the impedance."""

_REACH_V = 100.0

_HOST_V = 4.0
"""How far an electrode bends at most."""


def nodes_nm(
    length_nm: float,
    finest_nm: float,
    reach_nm: tuple[float, float],
    *,
    first_nm: tuple[float, float] | None = None,
    growth: float = 0.15,
) -> Array:
    """Nodes of a layer: fine where space charges reach, growing into the middle.

    Parameters
    ----------
    length_nm, finest_nm : float
        Length of the layer; largest step within the space charges.
    reach_nm : (float, float)
        How far those of the left and the right end go.
    first_nm : (float, float), optional
        The step at the contact; a twentieth of the largest one unless given.
    growth : float
        Largest ratio of each step to the one before.
    """

    def side(reach: float, step: float, room: float) -> Array:
        places = [0.0]
        while places[-1] < room:
            places.append(places[-1] + step)
            longer = step * (1.0 + growth)
            step = min(longer, finest_nm) if places[-1] < reach else longer
        return np.array(places) * (room / places[-1])

    first, last = (
        side(reach, step, 0.5 * length_nm)
        for reach, step in zip(reach_nm, first_nm or [0.05 * finest_nm] * 2, strict=True)
    )
    return np.concatenate([first, (length_nm - last)[-2::-1]])


@dataclass(frozen=True)
class Volumes:
    """One layer on n nodes from its left to its right end.

    Attributes
    ----------
    x_nm : array (n,)
        Ascending; the first and last lie on the contacts.
    permittivity_e_V_nm, polarization_e_nm2 : array (n − 1,)
        eps and the fixed P between the nodes.
    charge : ChargeModel
        Arrays that broadcast against `shape`.
    shape : tuple of int
        Shape of the n nodes for the charge model.
    """

    x_nm: Array
    permittivity_e_V_nm: Array
    polarization_e_nm2: Array
    charge: ChargeModel
    shape: tuple[int, ...]

    @cached_property
    def step_nm(self) -> Array:
        """Distances of the nodes (n − 1,)."""
        return np.diff(self.x_nm)

    @cached_property
    def volume_nm(self) -> Array:
        """Volume that belongs to each node (n,)."""
        half = 0.5 * self.step_nm
        return np.asarray(np.concatenate([half, [0.0]]) + np.concatenate([[0.0], half]))

    @cached_property
    def least(self) -> Array:
        """Slope that no charge density falls below (n,)."""
        stiff = self.permittivity_e_V_nm / np.square(self.step_nm)
        return np.asarray(_STIFFEST * np.maximum(np.append(stiff, 0.0), np.append(0.0, stiff)))

    def density(self, psi_V: Array) -> tuple[Array, Array]:
        """Charge density and its slope at ψ, both (n,)."""
        density, slope = self.charge.charge(psi_V.reshape(self.shape))
        flat = np.broadcast_to(density, self.shape).reshape(-1)
        steep = np.broadcast_to(slope, self.shape).reshape(-1)
        return flat - self.least * psi_V, steep - self.least

    def potential(self, density: Array, start_V: Array) -> Array:
        """ψ at which the charge density is given (n,)."""

        def excess(psi: Array) -> tuple[Array, Array]:
            value, slope = self.density(psi)
            return value - density, slope

        width = np.full_like(start_V, _REACH_V)
        return bracketed_newton(
            excess, start_V - width, start_V + width, start_V, absolute=1e-13, newton=1e-9
        )

    def conductivity(self, psi_V: Array) -> Array:
        """σ in S/cm (n,)."""
        found = self.charge.conductivity_S_cm(psi_V.reshape(self.shape))
        return np.maximum(np.broadcast_to(found, self.shape).reshape(-1), 1e-250)


@dataclass(frozen=True)
class Electrode:
    """An end of the stack: φ that it holds, or a thick phase whose interior does."""

    neutral_potential_V: float
    reservoir: Reservoir | None = None

    @cached_property
    def _curve(self) -> Any:
        """Shift over the charge, exact at nodes with its slope."""
        from scipy.interpolate import CubicHermiteSpline

        assert self.reservoir is not None
        shift = np.linspace(_HOST_V, -_HOST_V, 4001)
        places = self.neutral_potential_V + shift[:, None]
        charge, slope = (one[:, 0] for one in self.reservoir.sheet_charge(places))
        # where all is empty or full the charge hardly changes
        kept = np.concatenate([[True], np.diff(charge) > 0.0])
        return CubicHermiteSpline(charge[kept], shift[kept], 1.0 / slope[kept])

    def shift(self, charge_e_nm2: float) -> tuple[float, float]:
        """Return the offset of φ at its contact from the interior, and its slope with charge."""
        if self.reservoir is None:
            return 0.0, 0.0
        curve = self._curve
        return float(curve(charge_e_nm2)), float(curve(charge_e_nm2, 1))


@dataclass(frozen=True)
class TransientStack:
    """Layers between two electrodes.

    Attributes
    ----------
    left, right : Electrode
    layers : sequence of n Volumes
    dipole_V, sheet_charge_e_nm2 : array (n + 1,)
        Dipole and sheet charge of each contact.
    kinetics : sequence of n + 1 kinetics or None
        The law by which ions cross; None: they do not.
    """

    left: Electrode
    layers: Sequence[Volumes]
    right: Electrode
    dipole_V: Array
    sheet_charge_e_nm2: Array
    kinetics: Sequence[ButlerVolmer | MarcusHushChidsey | None]

    @cached_property
    def first(self) -> list[int]:
        """Number of the Q of each contact; between two of them are those of the layer's faces."""
        counts = [layer.x_nm.size for layer in self.layers]
        return [0, *np.cumsum(counts).tolist()]

    @property
    def size(self) -> int:
        """Number of unknowns Q."""
        return self.first[-1] + 1

    @cached_property
    def parts(self) -> list[slice]:
        """Nodes of each layer, of all of them in a row."""
        return [slice(a, b) for a, b in zip(self.first, self.first[1:], strict=False)]

    @cached_property
    def volume_nm(self) -> Array:
        """Volumes of all nodes."""
        return np.concatenate([layer.volume_nm for layer in self.layers])

    @cached_property
    def span(self) -> Array:
        """h/eps at each Q, 0 at contacts."""
        parts = [np.zeros(1)]
        for layer in self.layers:
            parts += [layer.step_nm / layer.permittivity_e_V_nm, np.zeros(1)]
        return np.concatenate(parts)

    @cached_property
    def polarization(self) -> Array:
        """P at each Q."""
        parts = [np.zeros(1)]
        for layer in self.layers:
            parts += [layer.polarization_e_nm2, np.zeros(1)]
        return np.concatenate(parts)

    def voltage_V(self, displacement: Array) -> float:
        """Voltage with which the left electrode drives ions to the right; 0 in equilibrium.

        Parameters
        ----------
        displacement : array (size,)
            D at each Q; at a contact that on its left, without the sheet charge.
        """
        drop = float(np.sum(self.span * (displacement - self.polarization)))
        right = float(self.sheet_charge_e_nm2[-1])
        ends = (
            self.right.neutral_potential_V
            + self.right.shift(-displacement[-1] - right)[0]
            - self.left.neutral_potential_V
            - self.left.shift(displacement[0])[0]
        )
        return ends - float(np.sum(self.dipole_V)) + drop

    def density(self, psi_V: Array) -> tuple[Array, Array]:
        """Charge density (nodes,) where ψ is `psi_V` (nodes,), and its slope."""
        found = [
            layer.density(psi_V[part]) for layer, part in zip(self.layers, self.parts, strict=True)
        ]
        return np.concatenate([one[0] for one in found]), np.concatenate([one[1] for one in found])

    def field(self, displacement: Array) -> Array:
        """Phi at all nodes, the left electrode's interior at its neutral potential."""
        level = self.left.neutral_potential_V + self.left.shift(displacement[0])[0]
        found = []
        for place, layer in enumerate(self.layers):
            level += float(self.dipole_V[place])
            inner = slice(self.first[place] + 1, self.first[place + 1])
            drops = self.span[inner] * (displacement[inner] - self.polarization[inner])
            found.append(level - np.concatenate([[0.0], np.cumsum(drops)]))
            assert found[-1].size == layer.x_nm.size
            level = float(found[-1][-1])
        return np.concatenate(found)


@dataclass(frozen=True)
class Static:
    """A stack in equilibrium: ψ = φ at its nodes, the charge density, and D at each Q."""

    psi_V: Array
    density_e_nm3: Array
    displacement_e_nm2: Array


def equilibrium(stack: TransientStack, start_V: Array) -> Static:
    """Solve Poisson's equation of the finite volumes.

    Parameters
    ----------
    stack : TransientStack
        The layers.
    start_V : array (nodes,)
        A guess of φ.

    Raises
    ------
    RuntimeError
        Newton's method does not settle.
    """
    from scipy.linalg import solve_banded

    # φ less the steps left of a place is continuous: the two nodes of a contact are one
    counts = [layer.x_nm.size for layer in stack.layers]
    own = np.concatenate([np.full(n, place) for place, n in enumerate(counts)])
    joined = np.arange(own.size) - own
    offset = np.cumsum(stack.dipole_V)[own]
    size = int(joined[-1]) + 1
    inside = np.flatnonzero(np.diff(own) == 0)
    stiff = np.concatenate([one.permittivity_e_V_nm / one.step_nm for one in stack.layers])
    fixed = np.concatenate([one.polarization_e_nm2 for one in stack.layers])
    ends = ((0, stack.left), (size - 1, stack.right))
    level = np.zeros(size)
    level[joined] = start_V - offset
    for node, electrode in ends:
        if electrode.reservoir is None:
            held = electrode.neutral_potential_V
            level[node] = held if node == 0 else held - float(np.sum(stack.dipole_V))
    for _ in range(400):
        psi = level[joined] + offset
        density, slope = stack.density(psi)
        flow = -stiff * np.diff(psi)[inside] + fixed
        rest, diagonal = -density * stack.volume_nm, -slope * stack.volume_nm
        rest[inside] += flow
        rest[inside + 1] -= flow
        diagonal[inside] += stiff
        diagonal[inside + 1] += stiff
        residual = np.bincount(joined, rest, size)
        band = np.zeros((3, size))
        band[1] = np.bincount(joined, diagonal, size)
        band[0, joined[inside] + 1] = band[2, joined[inside]] = -stiff
        edges = np.flatnonzero(np.diff(own)) + 1
        residual[joined[edges]] -= stack.sheet_charge_e_nm2[1:-1]
        for node, electrode in ends:
            if electrode.reservoir is None:
                residual[node], band[1, node] = 0.0, 1.0
                band[0 if node == 0 else 2, 1 if node == 0 else node - 1] = 0.0
                continue
            beyond = 0.0 if node == 0 else float(np.sum(stack.dipole_V))
            value, steep = electrode.reservoir.sheet_charge(np.array([level[node] + beyond]))
            residual[node] -= value[0] + stack.sheet_charge_e_nm2[0 if node == 0 else -1]
            band[1, node] -= steep[0]
        step = np.clip(solve_banded((1, 1), band, -residual), -0.1, 0.1)
        level += step
        if np.max(np.abs(step)) < 1e-12:
            break
    else:
        raise RuntimeError("the finite volumes of the layers have no equilibrium")
    psi = level[joined] + offset
    density, _ = stack.density(psi)
    flow = -stiff * np.diff(psi)[inside] + fixed
    charge = density * stack.volume_nm
    displacement = np.zeros(stack.size)
    starts = np.concatenate([[0], np.cumsum(counts)])
    for place, count in enumerate(counts):
        first = stack.first[place]
        through = flow[starts[place] - place : starts[place] - place + count - 1]
        displacement[first + 1 : first + count] = through
        displacement[first + count] = through[-1] + charge[starts[place + 1] - 1]
    displacement[0] = displacement[1] - charge[0] - stack.sheet_charge_e_nm2[0]
    return Static(psi, density, displacement)
