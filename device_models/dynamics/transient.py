r"""Ions and potential of a stack in time, after a step (physics.md, section 13).

As in the impedance, Q is the charge per area that the ions have brought past a place, and T what
passed the whole cell. Then ``ρ = ρ_0 − Q'`` and ``D = D_0 + T − Q`` hold exactly, whatever the step
in time, and what is left is local,

``dQ/dt = σ(ψ)·(E + ψ')``,  ``E = (D − P)/eps``,  ``ρ(ψ) = ρ_0 − Q'``,

where ψ is the potential at which the place would be in equilibrium: φ − ψ is the ions'
electrochemical potential per charge. At a contact dQ/dt is the current of its kinetics. Finite
volumes about nodes, of which a contact has one on either side; the Jacobian has three diagonals and
the row and column of T.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ..constants import ELEMENTARY_CHARGE_C
from ..finite_current import ButlerVolmer, MarcusHushChidsey
from ..grid.equations import Reservoir
from ..numerics.roots import bracketed_newton
from ..phase import Array

if TYPE_CHECKING:
    from scipy.sparse import csc_matrix

    from ..grid.layer_charge import ChargeModel

_A_CM2 = 1.0 / (ELEMENTARY_CHARGE_C * 1e14)
"""One A/cm² in e/(nm²·s)."""

_STIFFEST = 1e-9
"""Least charge that answers the potential, of eps/h², as in the impedance."""

_LEADS = 1e-7
"""Resistance of what holds the potential, of the cell's own."""

_REACH_V = 100.0

_LARGEST_V = 1.0
"""Overpotential up to which a contact's own law is evaluated; steps of the solver go further."""

_HOST_V = 4.0
"""How far an electrode bends at most."""


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
        What the n nodes are for the charge model.
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
        """What belongs to each node (n,)."""
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
        """The shift over the charge, exact at nodes with its slope."""
        from scipy.interpolate import CubicHermiteSpline

        assert self.reservoir is not None
        shift = np.linspace(_HOST_V, -_HOST_V, 4001)
        places = self.neutral_potential_V + shift[:, None]
        charge, slope = (one[:, 0] for one in self.reservoir.sheet_charge(places))
        # where all is empty or full the charge hardly changes
        kept = np.concatenate([[True], np.diff(charge) > 0.0])
        return CubicHermiteSpline(charge[kept], shift[kept], 1.0 / slope[kept])

    def shift(self, charge_e_nm2: float) -> tuple[float, float]:
        """By how much φ at its contact is off the interior's, and its slope with its charge."""
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
        Of each contact.
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
        """How many Q there are."""
        return self.first[-1] + 1

    @cached_property
    def parts(self) -> list[slice]:
        """Nodes of each layer, of all of them in a row."""
        return [slice(a, b) for a, b in zip(self.first, self.first[1:], strict=False)]

    @cached_property
    def volume_nm(self) -> Array:
        """Of all nodes."""
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
        """By how much the left electrode drives the ions to the right; 0 in equilibrium.

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
        density, slope = _density(stack, psi)
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
    density, _ = _density(stack, psi)
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


def _density(stack: TransientStack, psi_V: Array) -> tuple[Array, Array]:
    found = [
        layer.density(psi_V[part]) for layer, part in zip(stack.layers, stack.parts, strict=True)
    ]
    return np.concatenate([one[0] for one in found]), np.concatenate([one[1] for one in found])


@dataclass(frozen=True)
class Transient:
    """A stack in time; S times, N nodes.

    Attributes
    ----------
    time_s : array (S,)
    current_A_cm2 : array (S,)
        In the circuit, positive where ions go to the right; without the leads' first charge.
    voltage_V : array (S,)
        By which the left electrode drives the ions, from the equilibrium that there is in the end.
    passed_e_nm2 : array (S, size)
        Q.
    total_e_nm2 : array (S,)
        T.
    psi_V, phi_V, density_e_nm3 : array (S, N)
        ψ, φ and ρ at the nodes.
    """

    time_s: Array
    current_A_cm2: Array
    voltage_V: Array
    passed_e_nm2: Array
    total_e_nm2: Array
    psi_V: Array
    phi_V: Array
    density_e_nm3: Array


def _crossing(law: ButlerVolmer | MarcusHushChidsey, overpotential_V: float) -> tuple[float, float]:
    """Current of a contact in e/(nm²·s), and its slope; a straight line beyond what ever is."""
    inside = np.clip(overpotential_V, -_LARGEST_V, _LARGEST_V)
    slope = _A_CM2 / float(law.differential_resistance_ohm_cm2(np.asarray(inside)))
    current = float(law.current_A_cm2(np.asarray(inside))) * _A_CM2
    return current + slope * (overpotential_V - inside), slope


class _Equations:
    def __init__(
        self, stack: TransientStack, start: Static, hold_V: float | None, leads_ohm_cm2: float
    ) -> None:
        self.stack, self.start, self.hold_V = stack, start, hold_V
        self.psi = start.psi_V.copy()
        self.lead = _A_CM2 / leads_ohm_cm2
        size = stack.size
        # the Q beside each node, the nodes beside each Q
        self.left_of = np.concatenate(
            [np.arange(a, b) for a, b in zip(stack.first, stack.first[1:], strict=False)]
        )
        self.face = np.ones(size, dtype=bool)
        self.face[stack.first] = False
        faces = np.flatnonzero(self.face)
        self.faces, self.node = faces, faces - 1
        self.step = np.concatenate([layer.step_nm for layer in stack.layers])
        self.eps = np.concatenate([layer.permittivity_e_V_nm for layer in stack.layers])

    def displacement(self, y: Array) -> Array:
        return np.asarray(self.start.displacement_e_nm2 + y[-1] - y[:-1])

    def density(self, y: Array) -> Array:
        change = y[:-1][self.left_of + 1] - y[:-1][self.left_of]
        return np.asarray(self.start.density_e_nm3 - change / self.stack.volume_nm)

    def settle(self, y: Array) -> Array:
        """ψ (N,) from what has passed."""
        density = self.density(y)
        for layer, part in zip(self.stack.layers, self.stack.parts, strict=True):
            self.psi[part] = layer.potential(density[part], self.psi[part])
        return self.psi

    def conductivity(self, psi: Array) -> Array:
        return np.concatenate(
            [
                layer.conductivity(psi[part])
                for layer, part in zip(self.stack.layers, self.stack.parts, strict=True)
            ]
        )

    def drives(self, psi: Array, displacement: Array) -> list[tuple[float, float, float, float]]:
        """Overpotential of each contact; its slopes with ψ left and right, and with D."""
        stack, found = self.stack, []
        last = len(stack.layers)
        for place in range(last + 1):
            eta = -float(stack.dipole_V[place])
            by_left = by_right = by_d = 0.0
            d = displacement[stack.first[place]]
            if place == 0:
                shift, slope = stack.left.shift(d)
                eta -= stack.left.neutral_potential_V + shift
                by_d = -slope
            else:
                eta -= psi[stack.parts[place - 1].stop - 1]
                by_left = -1.0
            if place == last:
                shift, slope = stack.right.shift(-d - stack.sheet_charge_e_nm2[-1])
                eta += stack.right.neutral_potential_V + shift
                by_d = -slope
            else:
                eta += psi[stack.parts[place].start]
                by_right = 1.0
            found.append((eta, by_left, by_right, by_d))
        return found

    def rate(self, _time_s: float, y: Array) -> Array:
        stack, psi, d = self.stack, self.settle(y), self.displacement(y)
        sigma = self.conductivity(psi)
        rate = np.zeros(y.size)
        face = 2.0 / (1.0 / sigma[self.node] + 1.0 / sigma[self.node + 1])
        field = (d[self.faces] - stack.polarization[self.faces]) / self.eps
        field = field + (psi[self.node + 1] - psi[self.node]) / self.step
        rate[self.faces] = face * field * 1e7 * _A_CM2
        drives = self.drives(psi, d)
        for law, place, drive in zip(stack.kinetics, stack.first, drives, strict=True):
            if law is not None:
                rate[place] = _crossing(law, drive[0])[0]
        if self.hold_V is not None:
            rate[-1] = (self.hold_V - stack.voltage_V(d)) * self.lead
        return rate

    def jacobian(self, _time_s: float, y: Array) -> csc_matrix:
        from scipy.sparse import csc_matrix

        stack, psi, d = self.stack, self.settle(y).copy(), self.displacement(y)
        size, total = y.size, y.size - 1
        _, slope = _density(stack, psi)
        # ψ of a node rises with the Q on its right, and falls with that on its left
        answer = -1.0 / (slope * stack.volume_nm)
        sigma = self.conductivity(psi)
        small = 1e-6
        change = (self.conductivity(psi + small) - self.conductivity(psi - small)) / (2.0 * small)
        node, faces, scale = self.node, self.faces, 1e7 * _A_CM2
        face = 2.0 / (1.0 / sigma[node] + 1.0 / sigma[node + 1])
        field = (d[faces] - stack.polarization[faces]) / self.eps
        field = field + (psi[node + 1] - psi[node]) / self.step
        by_left = -face / self.step + field * 0.5 * (face / sigma[node]) ** 2 * change[node]
        by_right = face / self.step + field * 0.5 * (face / sigma[node + 1]) ** 2 * change[node + 1]
        by_d = face / self.eps
        rows, columns, values = [], [], []

        def add(row: Any, column: Any, value: Any) -> None:
            value = np.broadcast_to(value, np.shape(row))
            rows.append(np.ravel(row))
            columns.append(np.ravel(column))
            values.append(np.ravel(value))

        add(faces, faces - 1, -by_left * answer[node] * scale)
        own = by_left * answer[node] - by_right * answer[node + 1] - by_d
        add(faces, faces, own * scale)
        add(faces, faces + 1, by_right * answer[node + 1] * scale)
        add(faces, np.full_like(faces, total), by_d * scale)
        for law, q, drive in zip(stack.kinetics, stack.first, self.drives(psi, d), strict=True):
            if law is None:
                continue
            eta, left, right, with_d = drive
            steep = _crossing(law, eta)[1]
            row = np.array([q])
            diagonal = -with_d
            if left:
                add(row, row - 1, -steep * left * answer[q - 1])
                diagonal += left * answer[q - 1]
            if right:
                add(row, row + 1, steep * right * answer[q])
                diagonal -= right * answer[q]
            add(row, row, steep * diagonal)
            add(row, np.array([total]), steep * with_d)
        if self.hold_V is not None:
            by = stack.span.copy()
            right = -d[-1] - stack.sheet_charge_e_nm2[-1]
            by[-1] -= stack.right.shift(right)[1]
            by[0] -= stack.left.shift(d[0])[1]
            every = np.arange(total)
            add(np.full(total, total), every, by * self.lead)
            add(np.array([total]), np.array([total]), -np.sum(by) * self.lead)
        entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
        return csc_matrix(entries, shape=(size, size))


def run(
    stack: TransientStack,
    start: Static,
    time_s: Array,
    *,
    hold_V: float | None,
    scale_e_nm2: float,
    tolerance: float = 1e-6,
) -> Transient:
    """Follow a stack from a state of other conditions.

    Parameters
    ----------
    stack : TransientStack
        As it is after the step.
    start : Static
        The state before it: its charge stays where it is.
    time_s : array (S,)
        Ascending, positive; the step is at 0.
    hold_V : float or None
        By how much the left electrode drives ions to the right; None: no current flows.
    scale_e_nm2 : float
        Charge beside which `tolerance` counts.
    tolerance : float
        Of the integrator.

    Raises
    ------
    RuntimeError
        The integrator (SciPy's BDF) fails.
    """
    from scipy.integrate import solve_ivp

    layers = [
        np.sum(layer.step_nm / layer.conductivity(start.psi_V[part])[:-1]) * 1e-7
        for layer, part in zip(stack.layers, stack.parts, strict=True)
    ]
    equations = _Equations(stack, start, hold_V, _LEADS * min(float(np.sum(layers)), 1e12))
    y = np.zeros(stack.size + 1)
    if hold_V is not None:
        # the electrodes' plates charge at once
        for _ in range(50):
            missing = hold_V - stack.voltage_V(equations.displacement(y))
            y[-1] += missing / -float(equations.jacobian(0.0, y)[-1, -1]) * equations.lead
            if abs(missing) < 1e-14:
                break
    found = solve_ivp(
        equations.rate,
        (0.0, float(time_s[-1])),
        y,
        method="BDF",
        t_eval=time_s,
        jac=equations.jacobian,
        first_step=0.01 * float(time_s[0]),
        rtol=tolerance,
        atol=tolerance * scale_e_nm2,
    )
    if not found.success:
        raise RuntimeError(found.message)
    psi, phi, density, current, voltage = [], [], [], [], []
    for column in found.y.T:
        displacement = equations.displacement(column)
        psi.append(equations.settle(column).copy())
        phi.append(stack.field(displacement))
        density.append(equations.density(column))
        voltage.append(stack.voltage_V(displacement))
        current.append(equations.rate(0.0, column)[-1] / _A_CM2)
    return Transient(
        found.t,
        np.array(current),
        np.array(voltage),
        found.y[:-1].T,
        found.y[-1],
        np.array(psi),
        np.array(phi),
        np.array(density),
    )


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
        Of the layer; largest step within the space charges.
    reach_nm : (float, float)
        How far those of the left and the right end go.
    first_nm : (float, float), optional
        The step at the contact; a twentieth of the largest one unless given.
    growth : float
        By how much each step is longer than the one before, where it may be.
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
