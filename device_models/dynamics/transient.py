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

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..constants import ELEMENTARY_CHARGE_C
from ..finite_current import ButlerVolmer, MarcusHushChidsey
from ..phase import Array
from .finite_volumes import Static, TransientStack

if TYPE_CHECKING:
    from scipy.sparse import csc_matrix

_A_CM2 = 1.0 / (ELEMENTARY_CHARGE_C * 1e14)
"""One A/cm² in e/(nm²·s)."""

_LEADS = 1e-7
"""Resistance of what holds the potential, of the cell's own."""

_LARGEST_V = 1.0
"""Overpotential up to which a contact's own law is evaluated; steps of the solver go further."""


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
        _, slope = stack.density(psi)
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
        Stack after the step.
    start : Static
        The state before it: its charge stays where it is.
    time_s : array (S,)
        Ascending, positive; the step is at 0.
    hold_V : float or None
        Voltage with which the left electrode drives ions to the right; None: no current flows.
    scale_e_nm2 : float
        Charge beside which `tolerance` counts.
    tolerance : float
        Tolerance of the integrator.

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
