"""Displacements of atoms that no symmetry maps onto each other, and what follows for all others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pymatgen.core import Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from .chosen_setting import SYMMETRY_TOLERANCE_A


@dataclass(frozen=True)
class Displacement:
    """One atom moved along one direction.

    Parameters
    ----------
    atom : int
        Its number among the sites.
    direction : array, shape (3,)
        Cartesian unit vector.
    """

    atom: int
    direction: np.ndarray


@dataclass(frozen=True)
class Operation:
    """A symmetry of a crystal: a Cartesian rotation and the atom onto which each one is mapped."""

    rotation: np.ndarray
    image: np.ndarray


def operations_of(crystal: Structure) -> list[Operation]:
    """Return the crystal's symmetry operations, acting on Cartesian vectors."""
    analyzer = SpacegroupAnalyzer(crystal, symprec=SYMMETRY_TOLERANCE_A)
    vectors = crystal.lattice.matrix.T
    found = []
    for operation in analyzer.get_symmetry_operations():
        moved = crystal.frac_coords @ operation.rotation_matrix.T + operation.translation_vector
        image = crystal.lattice.get_all_distances(moved, crystal.frac_coords).argmin(axis=1)
        rotation = vectors @ operation.rotation_matrix @ np.linalg.inv(vectors)
        found.append(Operation(rotation, image))
    return found


def distinct_displacements(crystal: Structure) -> list[Displacement]:
    """Return the fewest displacements along Cartesian axes from which symmetry gives all others.

    Of one direction and its opposite both are there unless an operation turns one into the other,
    so that what is of second order in the displacement cancels.
    """
    operations = operations_of(crystal)
    wanted: list[Displacement] = []
    reached: set[int] = set()
    for atom in range(len(crystal)):
        if atom in reached:
            continue
        reached |= {int(one.image[atom]) for one in operations}
        site = [one.rotation for one in operations if one.image[atom] == atom]
        spanned = np.zeros((0, 3))
        for axis in np.eye(3):
            images = np.array([rotation @ axis for rotation in site])
            larger = np.vstack([spanned, images])
            if np.linalg.matrix_rank(larger, tol=1e-6) == np.linalg.matrix_rank(spanned, tol=1e-6):
                continue
            spanned = larger
            wanted.append(Displacement(atom, axis))
            if not (np.linalg.norm(images + axis, axis=1) < 1e-6).any():
                wanted.append(Displacement(atom, -axis))
    return wanted


def derivatives(
    crystal: Structure, displacements: list[Displacement], responses: np.ndarray, step_A: float
) -> np.ndarray:
    """Return the derivative of vectors by every atom's displacement.

    Parameters
    ----------
    crystal : Structure
        The crystal without displacements.
    displacements : list of Displacement
        Displacements from `distinct_displacements`.
    responses : array, shape (displacements, vectors, 3)
        Change of vectors that belong to the atoms (``vectors`` is their number) or to the cell as
        a whole (one).
    step_A : float
        Length of the displacements.

    Returns
    -------
    array, shape (atoms, vectors, 3, 3)
        Component of the vector (last but one index) per displacement along an axis (last one).
    """
    vectors = responses.shape[1]
    result = np.zeros((len(crystal), vectors, 3, 3))
    moved: list[list[np.ndarray]] = [[] for _ in range(len(crystal))]
    changes: list[list[np.ndarray]] = [[] for _ in range(len(crystal))]
    for operation in operations_of(crystal):
        image = operation.image if vectors == len(crystal) else np.zeros(1, dtype=int)
        for displacement, response in zip(displacements, responses, strict=True):
            atom = operation.image[displacement.atom]
            moved[atom].append(operation.rotation @ displacement.direction * step_A)
            change = np.empty_like(response)
            change[image] = response @ operation.rotation.T
            changes[atom].append(change.ravel())
    for atom in range(len(crystal)):
        fit, *_ = np.linalg.lstsq(np.array(moved[atom]), np.array(changes[atom]), rcond=None)
        result[atom] = fit.reshape(3, vectors, 3).transpose(1, 2, 0)
    return result
