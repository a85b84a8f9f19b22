"""Initial distortions of a defect's relaxation, which let it leave the symmetry.

Either every atom by one distance into a random direction, or as ShakeNBreak has it (I. Mosquera-
Lois et al., npj Comput. Mater. 9, 25 (2023)): bonds at the defect stretched or shortened, and all
other atoms rattled. ShakeNBreak is an extra of its own.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from pymatgen.core import Structure

from interohm.errors import InputError
from interohm.extras import require

#: Å; nearer than that ShakeNBreak leaves a distortion out, but where there is hydrogen.
_TOO_NEAR_A = 1.0


def displaced(structure: Structure, distance_A: float, *, seed: int) -> Structure:
    """Return a structure each atom of which is moved by a distance into a random direction.

    A relaxation that begins with a symmetry keeps it, also where a lower one has less energy.
    """
    steps = np.random.default_rng(seed).normal(size=(len(structure), 3))
    steps *= distance_A / np.linalg.norm(steps, axis=1)[:, None]
    return Structure(
        structure.lattice,
        structure.species,
        structure.cart_coords + steps,
        coords_are_cartesian=True,
    )


def require_shakenbreak() -> None:
    """Raise InputError unless ShakeNBreak is installed."""
    require(
        "shakenbreak",
        "the preset",
        where="preset: defects, shakenbreak",
        otherwise="leave shakenbreak out of the preset: displacement_A moves the atoms into random "
        "directions",
    )


def distorted_neighbours(missing_electrons: int) -> int:
    """Return how many of a defect's neighbours ShakeNBreak distorts.

    Parameters
    ----------
    missing_electrons : int
        Against those with which every ion has its formal charge; negative for extra ones.

    Returns
    -------
    int
        One for each electron; above four what the octet has left.
    """
    number = abs(missing_electrons)
    return abs(8 - number) if number > 4 else number


def rattle_of(crystal: Structure) -> float:
    """Return ShakeNBreak's width of the rattling in Å: a tenth of the crystal's shortest bond."""
    reach = crystal.lattice.abc
    nearest = min(
        (near.nn_distance for near in _neighbours(crystal, max(*reach, 5.0))), default=2.5
    )
    return round(0.1 * nearest, 2)


def _neighbours(crystal: Structure, radius_A: float) -> list[Any]:
    return [near for site in crystal.get_all_neighbors(radius_A) for near in site]


def distorted(structure: Structure, start: Mapping[str, Any]) -> Structure:
    """Return a defect's supercell as ShakeNBreak lets it begin.

    Parameters
    ----------
    structure : Structure
        With the defect, the other atoms where the crystal has them.
    start : mapping
        ``position`` of the defect (fractional), ``vacancy`` (whether no atom is there),
        ``neighbours`` to distort, ``bond_distortion`` (a share of the bonds, −0.4 shortens them to
        0.6) and ``rattle_A``.

    Raises
    ------
    InputError
        ShakeNBreak is not installed, or atoms would be on each other.
    """
    require_shakenbreak()
    from shakenbreak.distortions import distort_and_rattle

    factor = 1 + start["bond_distortion"]
    position = np.asarray(start["position"], dtype=float)
    if start["vacancy"]:
        place: dict[str, Any] = {"frac_coords": position}
    else:
        distances = structure.lattice.get_all_distances(position, structure.frac_coords)[0]
        place = {"site_index": int(np.argmin(distances))}
    # It says much of what it does.
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        found = distort_and_rattle(
            structure,
            distortion_factor=factor,
            num_nearest_neighbours=start["neighbours"],
            stdev=start["rattle_A"],
            seed=round(100 * factor),
            **place,
        )["distorted_structure"]
    moved = Structure(structure.lattice, structure.species, found.frac_coords)
    apart = moved.distance_matrix[np.triu_indices(len(moved), k=1)]
    if apart.min() < _TOO_NEAR_A and "H" not in moved.symbol_set:
        raise InputError(
            f"a bond distortion of {start['bond_distortion']:+g} leaves atoms of "
            f"{structure.formula} {apart.min():.2f} Å apart",
            where="preset: defects, shakenbreak",
            fix="leave this one out of bond_distortions, or make it smaller",
        )
    return moved
