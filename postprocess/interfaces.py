"""Results of a joined pair of slabs: line-up, dipole, charge, adhesion, barrier.

Line-up by macroscopic averages after A. Baldereschi, S. Baroni, R. Resta, Phys. Rev. Lett. 61, 734
(1988).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .calculation import Calculation, PlanarPotential
from .potentials import interpolate, macroscopic_average

#: ε0/e² in 1/(eV·Å).
_EPS0_EV_A = 0.00552634936
#: J/m² in one eV/Å².
_J_M2 = 16.02176634


@dataclass(frozen=True)
class Middle:
    """The macroscopic average of the potential in the middle of one side.

    Parameters
    ----------
    average_eV : float
        Potential energy of an electron.
    spread_eV : float
        Variation of the average over the period around the middle; zero in a bulk.
    """

    average_eV: float
    spread_eV: float


def middle_of_side(
    potential: PlanarPotential, height_A: float, period_A: float, thickness_A: float
) -> Middle:
    """Return the macroscopic average in the middle of one side.

    Parameters
    ----------
    potential : PlanarPotential
        Potential of the cell with both sides.
    height_A : float
        Height of the side's middle.
    period_A : float
        Repeat distance of the side's crystal along the normal.
    thickness_A : float
        Distance between the side's outermost atoms.
    """
    averaged = macroscopic_average(potential, period_A, thickness_A)
    around = [
        interpolate(potential, averaged, height_A + part * period_A)
        for part in np.linspace(-0.5, 0.5, 21)
    ]
    return Middle(
        average_eV=interpolate(potential, averaged, height_A),
        spread_eV=max(around) - min(around),
    )


def dipole_V(left: Middle, right: Middle, left_vacuum_eV: float, right_vacuum_eV: float) -> float:
    """Return the step of the potential at a contact beyond the alignment of the vacuum levels.

    Each side's vacuum level is that of its free surface above the average in its middle. Of an
    electron it is −phi, so that the step is ``phi_right − phi_left``, as in a contact's levels.

    Parameters
    ----------
    left, right : Middle
        Middles of the joined cell.
    left_vacuum_eV, right_vacuum_eV : float
        Vacuum level above the average in the middle of the free slab.
    """
    return (left.average_eV + left_vacuum_eV) - (right.average_eV + right_vacuum_eV)


@dataclass(frozen=True)
class ChargeTransfer:
    """Charge that joining moved, relative to the two sides alone at the same positions.

    Parameters
    ----------
    to_left_e_nm2 : float
        Electrons per area that crossed the middle of the gap towards the left side.
    step_V : float
        Step of phi from the left middle to the right one, by that displacement.
    """

    to_left_e_nm2: float
    step_V: float


def charge_transfer(
    joined: PlanarPotential,
    left_alone: PlanarPotential,
    right_alone: PlanarPotential,
    *,
    left_middle_A: float,
    contact_A: float,
    right_middle_A: float,
) -> ChargeTransfer:
    """Return the electrons that joining moved, by Poisson's equation.

    Parameters
    ----------
    joined, left_alone, right_alone : PlanarPotential
        In the same cell, the atoms at the same positions.
    left_middle_A, contact_A, right_middle_A : float
        Heights; between the middles lies the contact.

    Raises
    ------
    ValueError
        The three are not on one grid.
    """
    values = [np.asarray(one.potential_eV) for one in (joined, left_alone, right_alone)]
    if len({value.size for value in values}) > 1:
        raise ValueError("the potentials of the contact and of its sides are on different grids")
    change = values[0] - values[1] - values[2]
    waves = 2j * np.pi * np.fft.rfftfreq(change.size, d=joined.height_A / change.size)
    slope = np.fft.irfft(waves * np.fft.rfft(change), n=change.size)
    # An electron's potential energy has n = −(ε0/e²)·V''; in the middle of the left side V' is 0.
    gained = -_EPS0_EV_A * (
        interpolate(joined, slope, contact_A) - interpolate(joined, slope, left_middle_A)
    )
    step = interpolate(joined, change, left_middle_A) - interpolate(joined, change, right_middle_A)
    return ChargeTransfer(to_left_e_nm2=gained * 100, step_V=step)


def work_of_adhesion_J_m2(
    joined: Calculation,
    sides: Sequence[tuple[Calculation, int]],
    area_A2: float,
    contacts: int,
) -> float:
    """Return the energy that separating two sides costs, per area of contact.

    Parameters
    ----------
    joined : Calculation
        The two sides in contact.
    sides : sequence of (Calculation, int)
        The free slabs, and how often each is in the joined cell.
    area_A2 : float
        Area of the common cell.
    contacts : int
        In the joined cell.
    """
    apart = sum(slab.energy_eV * count for slab, count in sides)
    return (apart - joined.energy_eV) / (contacts * area_A2) * _J_M2


@dataclass(frozen=True)
class Minimum:
    """The lowest point of a curve.

    Parameters
    ----------
    place : float
        Position of the curve's minimum.
    bracketed : bool
        Whether it lies between the points; else it is the lowest one of them.
    """

    place: float
    bracketed: bool


def lowest_position(places: Sequence[float], energies_eV: Sequence[float]) -> Minimum:
    """Return where a cubic polynomial through some energies (least squares) is lowest.

    Parameters
    ----------
    places : sequence of float
        At least four.
    energies_eV : sequence of float
        The energies there.
    """
    x, y = np.asarray(places, dtype=float), np.asarray(energies_eV, dtype=float)
    middle, width = (x.min() + x.max()) / 2, (x.max() - x.min()) / 2
    curve = np.polynomial.Polynomial.fit((x - middle) / width, y - y.min(), 3, domain=[-1, 1])
    _, slope, bend, skew = (float(coefficient) for coefficient in curve.coef)
    inside = bend**2 - 3 * skew * slope
    # Of the two places without a slope the one that curves upwards, also where skew is 0.
    minimum = (
        -slope / (bend + math.sqrt(inside)) if inside > 0 and bend > -math.sqrt(inside) else 2.0
    )
    if abs(minimum) >= 1:
        return Minimum(float(x[np.argmin(y)]), False)
    return Minimum(float(middle + width * minimum), True)


@dataclass(frozen=True)
class HopAcross:
    """The barriers of a path whose ends differ.

    Parameters
    ----------
    forward_eV, backward_eV : float
        From its beginning, and from its end, to its highest point.
    """

    forward_eV: float
    backward_eV: float

    @property
    def mean_eV(self) -> float:
        """Barrier of the exchange current: by detailed balance, the mean of both directions."""
        return (self.forward_eV + self.backward_eV) / 2

    @property
    def rise_eV(self) -> float:
        """Energy of the end above the beginning."""
        return self.forward_eV - self.backward_eV


def hop_across(path: Calculation) -> HopAcross:
    """Return the barriers of a path both ways; one of them is 0 where an end is its highest point.

    Raises
    ------
    ValueError
        The calculation has no path.
    """
    if path.path is None:
        raise ValueError(f"calculation {path.hash[:12]} is not a migration path")
    energies = path.path.energies_eV
    return HopAcross(max(energies) - energies[0], max(energies) - energies[-1])
