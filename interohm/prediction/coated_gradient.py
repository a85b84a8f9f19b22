"""Exact derivatives of a coated contact's resistance with its coatings (physics.md 4.23).

The contact is solved on the grid, whose equations have an adjoint: one more linear solution gives
the derivatives with everything that a design may choose.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from interohm import device_models as models
from interohm.device_models import StackGradient, StackNotConverged, Unmixing
from interohm.errors import InputError
from interohm.prediction.coexisting_phases import SideBySide

if TYPE_CHECKING:
    from interohm.arrays import Array
    from interohm.device_models import Bulk, Stack
    from interohm.prediction.assembly import Row


@dataclass(frozen=True)
class LogResistanceGradient:
    """The resistance of a coated contact of n layers, and derivatives of its logarithm.

    Parameters
    ----------
    interface_ohm_cm2 : array (...)
        As `SolvedStack.interface_resistance_ohm_cm2`.
    log_gradient : StackGradient
        d ln R, arrays (..., n); 0 where R is capped, NaN where there is no solution.
    """

    interface_ohm_cm2: Array
    log_gradient: StackGradient


@dataclass(frozen=True)
class _Solved:
    """A contact between two phases, solved on the grid; lists over its n + 1 contacts.

    `transfer` and `transfer_slope` are R_ct and its slope with phi at the contact; `depletion` and
    its slope are those of the outer phases, at the first and the last contact.
    """

    stack: Stack
    transfer: list[Array]
    transfer_slope: list[Array]
    depletion: tuple[Array, Array]
    depletion_slope: tuple[Array, Array]

    row: Row

    @property
    def total_ohm_cm2(self) -> Array:
        """Charge transfers, layers, and depletion of the outer phases."""
        layers = np.sum(self.stack.resistance_ohm_cm2, axis=-1)
        return np.asarray(sum(self.transfer) + layers + self.depletion[0] + self.depletion[1])

    def beside(self, contact: int) -> Array:
        """Return the resistance of the first or the last contact, its layer's depletion there."""
        own = self.stack.layers[0 if contact == 0 else -1]
        bulk = self.row.layers[0 if contact == 0 else -1].bulk
        layer = models.grid_depletion_ohm_cm2(own, bulk.conductivity_S_cm)
        side = 0 if contact == 0 else 1
        return np.asarray(self.transfer[contact] + self.depletion[side] + layer[..., side])

    def gradient(
        self, end: int, within: Array, area: float, per_ohm: Array, *, divided: bool
    ) -> StackGradient:
        """Return the slopes of ``per_ohm (within·R_end + area·(R − R_end))``."""
        finite = per_ohm > 0.0
        slopes = []
        for contact, transfer in enumerate(self.transfer_slope):
            share = within if contact == end else area
            slope = share * transfer
            if contact == 0:
                slope = slope + (within if end == 0 else area) * self.depletion_slope[0]
            if contact == len(self.transfer_slope) - 1:
                slope = slope + (within if end == contact else area) * self.depletion_slope[1]
            slopes.append(np.where(finite, slope * per_ohm, 0.0))
        depletion = None
        if divided:
            weight = np.zeros((*per_ohm.shape, len(self.stack.layers), 2))
            place, side = (0, 0) if end == 0 else (-1, 1)
            weight[..., place, side] = np.where(finite, (within - area) * per_ohm, 0.0)
            depletion = models.EndDepletion(weight, [one.bulk for one in self.row.layers])
        return models.stack_gradient(
            self.stack,
            (area * per_ohm)[..., None],
            np.stack(np.broadcast_arrays(*slopes), axis=-1),
            depletion,
        )


def log_resistance_gradient(row: Row) -> LogResistanceGradient:
    """Solve a coated contact and differentiate ln R.

    Parameters
    ----------
    row : Row
        Row as returned by `stack_row`.

    Raises
    ------
    InputError
        There is no solution, for none of the samples.

    Notes
    -----
    Phases of an electrode that coexist conduct side by side at their contact. The share of each in
    the slope of all is the square of its current over its area, as in what it dissipates: the
    current divides so that this is least, and a change of the division itself costs nothing. What
    the coating adds to their resistance ends where it conducts as its bulk does, which is known to
    a share of a quadrature's stretch: slopes of such contacts are good to 1e-3.
    """
    pairs = list(product(row.left, row.right))
    solved = [_solve(row, left.model, right.model) for left, right in pairs]
    areas = [left.share * right.share for left, right in pairs]
    end = 0 if len(row.left) > 1 else len(row.joints) - 1
    divided = len(pairs) > 1
    beside: list[Array] = [one.beside(end) if divided else np.zeros(()) for one in solved]
    within: list[Array] = [np.asarray(1.0)]
    if divided:
        currents = SideBySide.of(areas, beside).currents
        within = [np.square(current) / area for current, area in zip(currents, areas, strict=True)]
    total = np.sum(
        np.broadcast_arrays(
            *(
                share * near + area * (one.total_ohm_cm2 - near)
                for share, area, near, one in zip(within, areas, beside, solved, strict=True)
            )
        ),
        axis=0,
    )
    finite = np.isfinite(total) & (total < models.LARGEST_OHM_CM2)
    per_ohm = np.where(finite, 1.0 / np.where(finite, total, 1.0), 0.0)
    found = [
        one.gradient(end, share, area, per_ohm, divided=divided)
        for share, area, one in zip(within, areas, solved, strict=True)
    ]
    names = [field.name for field in fields(StackGradient)]
    log_gradient = StackGradient(
        *(np.asarray(sum(getattr(one, name) for one in found)) for name in names)
    )
    converged = np.all(np.broadcast_arrays(*(one.stack.converged for one in solved)), axis=0)
    return LogResistanceGradient(models.positive_resistance(total, converged), log_gradient)


def _solve(row: Row, left: Bulk | models.Metal, right: Bulk | models.Metal) -> _Solved:
    steps = [joint.dipole_V for joint in row.joints]
    try:
        stack = models.solve_stack(
            left,
            row.layers,
            right,
            dipole_V=steps,
            sheet_charge_e_nm2=[joint.sheet_charge_e_nm2 for joint in row.joints],
        )
    except (StackNotConverged, Unmixing) as error:
        names = " | ".join(material.name for material in row.materials)
        raise InputError(
            f"the stack {names} has no solution: {error}",
            where="layers",
            fix="check thicknesses, dipoles and concentrations of these layers",
        ) from None
    ends = [(one.phi_V[..., 0], one.phi_V[..., -1]) for one in stack.layers]
    lefts = [ends[0][0] - steps[0], *(end[1] for end in ends)]
    rights = [*(end[0] for end in ends), ends[-1][1] + steps[-1]]
    phases = [left, *(layer.bulk for layer in row.layers), right]
    transfer, transfer_slope = [], []
    for index, joint in enumerate(row.joints):
        pair = (phases[index], lefts[index], phases[index + 1], rights[index])
        current = models.contact_hop(
            *pair,
            areal_site_density_cm2=joint.hop.areal_site_density_cm2,
            barrier_eV=joint.hop.barrier_eV,
            excess_barrier_eV=joint.hop.excess_barrier_eV,
        ).exchange_current_A_cm2
        inner = next(one for one in (pair[0], pair[2]) if not isinstance(one, models.Metal))
        own = models.charge_transfer_ohm_cm2(inner, inner, current)
        with np.errstate(invalid="ignore"):
            transfer_slope.append(-own * sum(models.log_current_slopes_per_V(*pair)))
        transfer.append(own)
    sides = [
        one if isinstance(one, models.Metal) else models.half_space(one, potential)
        for one, potential in ((left, lefts[0]), (right, rights[-1]))
    ]
    return _Solved(
        stack,
        transfer,
        transfer_slope,
        (
            models.side_depletion_ohm_cm2(sides[0], None),
            models.side_depletion_ohm_cm2(sides[1], None),
        ),
        (
            models.side_depletion_slope_ohm_cm2_V(sides[0]),
            models.side_depletion_slope_ohm_cm2_V(sides[1]),
        ),
        row,
    )
