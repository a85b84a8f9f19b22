"""Finite-size correction of charged defects: point charges in a dielectric, and site potentials.

Kumagai, Oba, Phys. Rev. B 89, 195205 (2014), with a dielectric constant or its whole tensor; sites
are where they relaxed to, and those far from the defect are the ones that pydefect and doped take.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from pymatgen.core import Structure
from scipy.special import erfc

from .calculation import Calculation

#: e/(4 pi eps_0) in V·Å.
COULOMB_V_A = 14.399645478
#: A constant, or the tensor in the axes of the cell, shape (3, 3).
Dielectric: TypeAlias = float | np.ndarray
#: Å; an atom farther from where the defect was put is another one.
_DEFECT_MOVED_A = 2.0


@dataclass(frozen=True)
class SiteAlignment:
    """Potential alignment from the sites that are far from a defect.

    Parameters
    ----------
    shift_eV : float
        Electron potential of the defect cell above that of the bulk, without the potential of
        the point charges.
    spread_eV : float
        Standard deviation over the sites: how well the model describes what is left.
    sites : int
        Number of sites averaged.
    radius_A : float, optional
        Distance from the defect beyond which they lie.
    """

    shift_eV: float
    spread_eV: float
    sites: int
    radius_A: float | None = None


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
    position = np.atleast_2d(displacements_A)
    # Wrapped into the cell, so that the sum over images is centred on each point.
    fractional = position @ np.linalg.inv(lattice)
    position = (fractional - np.round(fractional)) @ lattice

    images = _lattice_points(lattice, reach / width)
    distance = np.linalg.norm(position[:, None, :] - images[None, :, :], axis=2)
    own = distance < 1e-9
    safe = np.where(own, 1.0, distance)
    near = np.where(own, -2 * width / math.sqrt(math.pi), erfc(width * safe) / safe).sum(axis=1)

    waves = _lattice_points(reciprocal, 2 * width * reach)
    square = np.einsum("ij,ij->i", waves, waves)
    waves, square = waves[square > 1e-12], square[square > 1e-12]
    weight = np.exp(-square / (4 * width**2)) / square
    far = 4 * math.pi / volume * (np.cos(position @ waves.T) @ weight)
    return np.asarray(COULOMB_V_A * (near + far - math.pi / (volume * width**2)))


def screened_potential(
    lattice: np.ndarray, displacements_A: np.ndarray, dielectric: Dielectric
) -> np.ndarray:
    """Return `point_charge_potential` in a dielectric, in V.

    With a tensor the vacuum's potential in coordinates that it stretches,
    ``phi(r) = phi_vac(eps^(-1/2) r)/sqrt(det eps)``, which solves ``div(eps grad phi) = -rho``.
    """
    tensor = np.asarray(dielectric, dtype=float)
    if tensor.ndim == 0:
        return point_charge_potential(lattice, displacements_A) / float(tensor)
    values, axes = np.linalg.eigh((tensor + tensor.T) / 2)
    stretch = axes / np.sqrt(values) @ axes.T
    potential = point_charge_potential(
        np.asarray(lattice) @ stretch, np.atleast_2d(displacements_A) @ stretch
    )
    return potential / math.sqrt(values.prod())


def component(dielectric: Dielectric, direction: np.ndarray) -> float:
    """Return a dielectric constant along a direction."""
    tensor = np.asarray(dielectric, dtype=float)
    if tensor.ndim == 0:
        return float(tensor)
    unit = np.asarray(direction) / np.linalg.norm(direction)
    return float(unit @ tensor @ unit)


def _lattice_points(vectors: np.ndarray, radius: float) -> np.ndarray:
    """Return all lattice points that may lie within ``radius`` of a point in the unit cell."""
    heights = 1 / np.linalg.norm(np.linalg.inv(vectors), axis=0)
    counts = np.ceil(radius / heights).astype(int) + 1
    ranges = [np.arange(-count, count + 1) for count in counts]
    grid = np.stack(np.meshgrid(*ranges, indexing="ij"), axis=-1).reshape(-1, 3)
    return np.asarray(grid @ vectors)


def point_charge_correction(lattice: np.ndarray, charge: int, dielectric: Dielectric) -> float:
    """Return what a charged cell lacks to an isolated charge, in eV; positive.

    ``−q²·v_M/2`` with v_M the Madelung potential in the dielectric: for a cube of edge L and a
    constant it is ``2.8373·q²·e/(4 pi eps_0)/(2·eps·L)``.
    """
    return -(charge**2) * float(screened_potential(lattice, np.zeros((1, 3)), dielectric)[0]) / 2


def far_radius_A(lattice: np.ndarray) -> float:
    """Return half of the largest distance between opposite faces of a cell.

    Sites beyond it are far from a defect, as pydefect and doped have it.
    """
    return float(_face_distances_A(lattice).max()) / 2


def _face_distances_A(lattice: np.ndarray) -> np.ndarray:
    return np.asarray(1 / np.linalg.norm(np.linalg.inv(lattice), axis=0))


def site_alignment(
    bulk: Calculation,
    defect: Calculation,
    center: np.ndarray,
    dielectric: Dielectric,
) -> SiteAlignment:
    """Compare the potentials at the sites that are far from the defect.

    These are the sites beyond `far_radius_A` or, where a long and narrow supercell has none, beyond
    its inscribed sphere; ``radius_A`` says which.

    Parameters
    ----------
    bulk, defect : Calculation
        The same supercell without and with the defect.
    center : array, shape (3,)
        Fractional coordinates of the defect; of an atom that was added, those where it relaxed to
        are taken.
    dielectric : float or array
        In the axes of the supercell.

    Raises
    ------
    ValueError
        No site is beyond the cell's inscribed sphere, or the cells differ.
    """
    perfect, flawed = bulk.final_structure, defect.final_structure
    if not np.allclose(perfect.lattice.matrix, flawed.lattice.matrix, atol=1e-4):
        raise ValueError("the cells with and without the defect differ")
    lattice = perfect.lattice.matrix
    radius = far_radius_A(lattice)
    pairs = _matching_sites(perfect, flawed)
    center = _relaxed_center(flawed, np.asarray(center), [theirs for _, theirs in pairs])
    places = flawed.frac_coords[[theirs for _, theirs in pairs]]
    difference = np.array(
        [defect.site_potentials_eV[b] - bulk.site_potentials_eV[a] for a, b in pairs]
    )
    distances = perfect.lattice.get_all_distances(center, places)[0]
    far = distances > radius * 0.999
    if not far.any():
        # A long and narrow cell may have none; those beyond its inscribed sphere are left.
        radius = float(_face_distances_A(lattice).min()) / 2
        far = distances > radius * 0.999
    if not far.any():
        raise ValueError(
            f"no site is farther than {radius:.1f} Å from the defect: enlarge the supercell"
        )
    fractional = places[far] - center
    apart = (fractional - np.round(fractional)) @ lattice
    # The potential energy of an electron near a positive charge is negative.
    model = -defect.charge * screened_potential(lattice, apart, dielectric)
    rest = difference[far] - model
    return SiteAlignment(float(rest.mean()), float(rest.std()), int(far.sum()), radius)


def _matching_sites(perfect: Structure, flawed: Structure) -> list[tuple[int, int]]:
    """Pair each site of the perfect cell with the nearest one of its element within 1 Å."""
    distance = perfect.lattice.get_all_distances(perfect.frac_coords, flawed.frac_coords)
    pairs: dict[int, int] = {}
    for ours, site in enumerate(perfect):
        theirs = int(np.argmin(distance[ours]))
        same = flawed[theirs].specie.symbol == site.specie.symbol
        if not same or distance[ours, theirs] >= 1.0:
            continue
        other = pairs.get(theirs)
        if other is None or distance[ours, theirs] < distance[other, theirs]:
            pairs[theirs] = ours
    return sorted((ours, theirs) for theirs, ours in pairs.items())


def _relaxed_center(flawed: Structure, center: np.ndarray, matched: list[int]) -> np.ndarray:
    """Return where an added atom is; the center as it is for a vacancy."""
    added = sorted(set(range(len(flawed))) - set(matched))
    if not added:
        return center
    distances = flawed.lattice.get_all_distances(center, flawed.frac_coords[added])[0]
    nearest = int(distances.argmin())
    if distances[nearest] > _DEFECT_MOVED_A:
        return center
    found: np.ndarray = flawed.frac_coords[added[nearest]]
    return found
