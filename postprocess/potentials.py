"""Averages of electrostatic potentials: what puts slab and bulk on one energy scale.

Planar and macroscopic averages after Baldereschi, Baroni and Resta, Phys. Rev. Lett. 61, 734
(1988); slabs after Hinuma et al., Comput. Mater. Sci. 113, 221 (2016).
"""

from __future__ import annotations

import numpy as np

from .calculation import PlanarPotential


def macroscopic_average(potential: PlanarPotential, period_A: float) -> np.ndarray:
    """Average a planar potential over a window of one lattice period.

    The window is a box of exactly ``period_A`` (applied in reciprocal space, so that the period
    need not be a multiple of the grid spacing).

    Parameters
    ----------
    potential : PlanarPotential
        Averaged over planes.
    period_A : float
        Repeat distance of the crystal along the normal.

    Returns
    -------
    ndarray, shape (points,)
        In eV, on the points of ``potential``.
    """
    values = np.asarray(potential.potential_eV)
    waves = np.fft.rfftfreq(values.size, d=potential.height_A / values.size)
    return np.fft.irfft(np.fft.rfft(values) * np.sinc(waves * period_A), n=values.size)


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
