"""Potential alignment of charged defects by planar averages, where no site potentials are known.

Freysoldt, Neugebauer, Van de Walle, Phys. Rev. Lett. 102, 016402 (2009), with a point charge as the
model, as `corrections.point_charge_correction` has it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .defect_corrections import COULOMB_V_A, Dielectric, SiteAlignment, component

#: Å; width of the region between the defect and its image in which the average is taken.
_SAMPLED_A = 1.0


def planar_alignment(
    lattice: np.ndarray,
    differences_eV: Sequence[np.ndarray],
    center: np.ndarray,
    charge: int,
    dielectric: Dielectric,
) -> SiteAlignment:
    """Compare planar averages half-way between the defect and its image, along a, b and c.

    Parameters
    ----------
    lattice : array, shape (3, 3)
        Rows are the supercell's vectors in Å.
    differences_eV : sequence of three arrays, shapes (points,)
        Electron potential of the defect cell minus the bulk's, averaged over planes normal to each
        reciprocal axis, on an even grid from 0 along it.
    center : array, shape (3,)
        Fractional coordinates of the defect.
    charge : int
        Charge of the defect, in elementary charges.
    dielectric : float or array
        In the axes of the supercell.

    Returns
    -------
    SiteAlignment
        The mean over the axes, its spread, and the number of axes.
    """
    shifts = []
    for axis, difference in enumerate(differences_eV):
        coordinate = np.arange(difference.size) / difference.size - center[axis]
        height = 1 / float(np.linalg.norm(np.linalg.inv(lattice)[:, axis]))
        model = planar_point_charge_potential(lattice, axis, coordinate, order=difference.size // 2)
        # Waves along a reciprocal vector are screened by the tensor's component along it.
        screening = component(dielectric, np.linalg.inv(lattice)[:, axis])
        rest = difference + charge * model / screening
        far = 0.5 - np.abs(coordinate - np.round(coordinate)) <= _SAMPLED_A / 2 / height + 1e-9
        shifts.append(rest[far].mean())
    return SiteAlignment(float(np.mean(shifts)), float(np.std(shifts)), len(shifts))


def planar_point_charge_potential(
    lattice: np.ndarray, axis: int, coordinate: np.ndarray, *, order: int
) -> np.ndarray:
    """Return the planar average of the potential of a lattice of unit point charges.

    ``Σ_n 4 pi e/(V G_n²) cos(G_n x)`` over the reciprocal vectors along one axis, average zero: a
    parabola with its kink at the charge.

    Parameters
    ----------
    lattice : array, shape (3, 3)
        Rows are the supercell's vectors in Å.
    axis : int
        0, 1 or 2.
    place : array, shape (points,)
        Fractional coordinates along the axis, from the charge.
    order : int
        Waves that the grid of the compared potential can carry.

    Returns
    -------
    ndarray, shape (points,)
        In V, in vacuum.
    """
    volume = abs(np.linalg.det(lattice))
    step = 2 * np.pi * float(np.linalg.norm(np.linalg.inv(lattice)[:, axis]))
    waves = np.arange(1, order)
    weights = 8 * np.pi * COULOMB_V_A / (volume * (waves * step) ** 2)
    return np.asarray(np.cos(2 * np.pi * coordinate[:, None] * waves) @ weights)
