"""Finite-size correction of charged defects: point charges in a dielectric, and site potentials.

Kumagai, Oba, Phys. Rev. B 89, 195205 (2014), for an isotropic dielectric constant.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from pymatgen.core import Structure
from scipy.special import erfc

from .calculation import Calculation

#: e/(4 pi eps_0) in V·Å.
COULOMB_V_A = 14.399645478


@dataclass(frozen=True)
class SiteAlignment:
    """Potential alignment from the sites that are far from a defect.

    Parameters
    ----------
    shift_eV : float
        What the defect cell's electron potential lies above the bulk's, the point charges' own
        potential taken out.
    spread_eV : float
        Standard deviation over the sites: how well the model describes what is left.
    sites : int
        Number of sites averaged.
    """

    shift_eV: float
    spread_eV: float
    sites: int


def point_charge_potential(lattice: np.ndarray, displacements_A: np.ndarray) -> np.ndarray:
    """Return the potential of a lattice of unit point charges in a uniform background.

    Ewald sum, average zero over the cell. A displacement of zero gives the potential that a charge
    feels from its own images and the background (the Madelung potential, negative).

    Parameters
    ----------
    lattice : array, shape (3, 3)
        Rows are the cell's vectors in Å.
    displacements_A : array, shape (n, 3)
        Cartesian, from the charge.

    Returns
    -------
    ndarray, shape (n,)
        In V, in vacuum; divide by the dielectric constant.
    """
    lattice = np.asarray(lattice, dtype=float)
    volume = abs(np.linalg.det(lattice))
    reciprocal = 2 * math.pi * np.linalg.inv(lattice).T
    width = math.sqrt(math.pi) / volume ** (1 / 3)
    reach = 6.5
    place = np.atleast_2d(displacements_A)
    # Wrapped into the cell, so that the sum over images is centred on each point.
    fractional = place @ np.linalg.inv(lattice)
    place = (fractional - np.round(fractional)) @ lattice

    images = _lattice_points(lattice, reach / width)
    distance = np.linalg.norm(place[:, None, :] - images[None, :, :], axis=2)
    own = distance < 1e-9
    safe = np.where(own, 1.0, distance)
    near = np.where(own, -2 * width / math.sqrt(math.pi), erfc(width * safe) / safe).sum(axis=1)

    waves = _lattice_points(reciprocal, 2 * width * reach)
    square = np.einsum("ij,ij->i", waves, waves)
    waves, square = waves[square > 1e-12], square[square > 1e-12]
    weight = np.exp(-square / (4 * width**2)) / square
    far = 4 * math.pi / volume * (np.cos(place @ waves.T) @ weight)
    return COULOMB_V_A * (near + far - math.pi / (volume * width**2))


def _lattice_points(vectors: np.ndarray, radius: float) -> np.ndarray:
    """Return all lattice points that may lie within ``radius`` of a point in the unit cell."""
    heights = 1 / np.linalg.norm(np.linalg.inv(vectors), axis=0)
    counts = np.ceil(radius / heights).astype(int) + 1
    ranges = [np.arange(-count, count + 1) for count in counts]
    grid = np.stack(np.meshgrid(*ranges, indexing="ij"), axis=-1).reshape(-1, 3)
    return grid @ vectors


def point_charge_correction(lattice: np.ndarray, charge: int, dielectric_constant: float) -> float:
    """Return what a charged cell lacks to an isolated charge, in eV; positive.

    ``−q²·v_M/(2·eps)`` with v_M the Madelung potential: for a cube of edge L it is
    ``2.8373·q²·e/(4 pi eps_0)/(2·eps·L)``.
    """
    madelung = float(point_charge_potential(lattice, np.zeros((1, 3)))[0])
    return -(charge**2) * madelung / (2 * dielectric_constant)


def site_alignment(
    bulk: Calculation,
    defect: Calculation,
    center: np.ndarray,
    dielectric_constant: float,
) -> SiteAlignment:
    """Compare the potentials at sites farther from the defect than the cell's inscribed sphere.

    Parameters
    ----------
    bulk, defect : Calculation
        The same supercell without and with the defect.
    center : array, shape (3,)
        Fractional coordinates of the defect.
    dielectric_constant : float

    Raises
    ------
    ValueError
        No site is far enough, or the cells differ.
    """
    perfect, flawed = bulk.final_structure, defect.final_structure
    if not np.allclose(perfect.lattice.matrix, flawed.lattice.matrix, atol=1e-4):
        raise ValueError("the cells with and without the defect differ")
    lattice = perfect.lattice.matrix
    radius = 0.5 / np.linalg.norm(np.linalg.inv(lattice), axis=0).max()
    pairs = _matching_sites(perfect, flawed)
    fractional = perfect.frac_coords[[ours for ours, _ in pairs]] - np.asarray(center)
    place = (fractional - np.round(fractional)) @ lattice
    difference = np.array(
        [defect.site_potentials_eV[b] - bulk.site_potentials_eV[a] for a, b in pairs]
    )
    # The potential energy of an electron near a positive charge is negative.
    model = -defect.charge * point_charge_potential(lattice, place) / dielectric_constant
    distances = perfect.lattice.get_all_distances(
        np.atleast_2d(center), perfect.frac_coords[[a for a, _ in pairs]]
    )[0]
    far = distances > radius * 0.999
    if not far.any():
        raise ValueError("no site lies outside of the supercell's inscribed sphere: enlarge it")
    rest = (difference - model)[far]
    return SiteAlignment(float(rest.mean()), float(rest.std()), int(far.sum()))


def _matching_sites(perfect: Structure, flawed: Structure) -> list[tuple[int, int]]:
    """Pair each site of the perfect cell with the nearest one of its element within 1 Å."""
    distance = perfect.lattice.get_all_distances(perfect.frac_coords, flawed.frac_coords)
    pairs = []
    for ours, site in enumerate(perfect):
        theirs = int(np.argmin(distance[ours]))
        same = flawed[theirs].specie.symbol == site.specie.symbol
        if same and distance[ours, theirs] < 1.0:
            pairs.append((ours, theirs))
    return pairs
