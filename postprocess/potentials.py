"""Averages of electrostatic potentials: what puts slab and bulk on one energy scale.

Planar and macroscopic averages after Baldereschi, Baroni and Resta, Phys. Rev. Lett. 61, 734
(1988); slabs after Hinuma et al., Comput. Mater. Sci. 113, 221 (2016).
"""

from __future__ import annotations

import math

import numpy as np

from .calculation import PlanarPotential

#: Å below its outermost atoms in which a surface changes the potential, at most.
_SURFACE_A = 2.0


def macroscopic_average(
    potential: PlanarPotential, period_A: float, thickness_A: float = math.inf
) -> np.ndarray:
    """Average a planar potential twice over a window of one lattice period.

    The window is a box of exactly ``period_A`` (applied in reciprocal space, so that the period
    need not be a multiple of the grid spacing). Where atoms have relaxed, planes are not exactly
    one period apart: after one average a part of the swing remains that is proportional to their
    strain (0.17 eV for 1.6 % in LiF), after two one that is proportional to its square. Where two
    such windows do not fit between the surfaces of a slab, the second is the largest whole part of
    a period that does: planes often repeat more often than the crystal.

    Parameters
    ----------
    potential : PlanarPotential
        Averaged over planes.
    period_A : float
        Repeat distance of the crystal along the normal.
    thickness_A : float
        Distance between the outermost atoms of the slab; by default that of a crystal.

    Returns
    -------
    ndarray, shape (points,)
        In eV, on the points of ``potential``.
    """
    values = np.asarray(potential.potential_eV)
    waves = np.fft.rfftfreq(values.size, d=potential.height_A / values.size)
    room_A = thickness_A - 2 * _SURFACE_A - period_A
    second_A = period_A / max(1, math.ceil(period_A / room_A)) if room_A > 0 else 0.0
    window = np.sinc(waves * period_A) * np.sinc(waves * second_A)
    return np.fft.irfft(np.fft.rfft(values) * window, n=values.size)


def interpolate(potential: PlanarPotential, values: np.ndarray, height_A: float) -> float:
    """Return ``values`` (on the points of ``potential``) at one height, periodically."""
    points = np.arange(values.size) * potential.height_A / values.size
    return float(np.interp(height_A, points, values, period=potential.height_A))


def vacuum_level(potential: PlanarPotential, slab_center_A: float) -> float:
    """Return the potential in the middle of the vacuum, half a cell away from the slab's middle.

    Parameters
    ----------
    potential : PlanarPotential
        Potential of a symmetric slab: one vacuum level on both sides.
    slab_center_A : float
        Height of the slab's middle.

    Raises
    ------
    ValueError
        The potential is not flat there (to 50 meV over 1 Å): too little vacuum or a dipole.
    """
    middle = slab_center_A + potential.height_A / 2
    values = np.asarray(potential.potential_eV)
    levels = [interpolate(potential, values, middle + shift) for shift in (-0.5, 0.0, 0.5)]
    if max(levels) - min(levels) > 0.05:
        raise ValueError(
            f"the vacuum of the slab is not flat ({max(levels) - min(levels):.3f} eV over 1 Å): "
            "it needs more vacuum, or is not symmetric"
        )
    return levels[1]
