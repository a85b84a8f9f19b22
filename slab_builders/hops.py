"""The hop of a vacancy to a neighbouring site: its ends, and the symmetry that exchanges them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pymatgen.core import Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from interohm.errors import InputError

from .chosen_setting import SYMMETRY_TOLERANCE_A
from .ties import ranks

#: Å; hops that differ by less in their length are equally short.
_SAME_DISTANCE_A = 1e-3

#: Å; farther than that nothing hops in one step.
_LONGEST_HOP_A = 6.0


@dataclass(frozen=True)
class VacancyHop:
    """An ion hops from site ``ion`` of the perfect supercell into the empty site ``vacancy``.

    Parameters
    ----------
    vacancy, ion : int
        Sites of the perfect supercell.
    distance_A : float
        Length of the straight hop.
    rotation : array, shape (3, 3)
        Rotation of a symmetry operation of the perfect supercell that maps the empty site onto the
        ion's, on fractional coordinates.
    image : array, shape (sites,)
        The site onto which that operation maps each site.
    """

    vacancy: int
    ion: int
    distance_A: float
    rotation: np.ndarray
    image: np.ndarray


def vacancy_hop(perfect: Structure, vacancy: int, relaxed: Structure) -> VacancyHop:
    """Return the shortest hop into an empty site from a site that is equivalent to it.

    Symmetry often makes several hops equally long, and several operations lead from one end of a
    hop to the other. One that exchanges the ends is preferred, since then the path may have its
    symmetry; of those, what moves the relaxed atoms least.

    Parameters
    ----------
    perfect : Structure
        The perfect supercell.
    vacancy : int
        The site that is empty before the hop.
    relaxed : Structure
        With the vacancy: the sites of ``perfect`` without the empty one, in their order.

    Raises
    ------
    InputError
        No equivalent site lies within 6 Å.
    """
    # Sites of the supercell differ by translations that are symmetries, too: all operations of it.
    operations = SpacegroupAnalyzer(perfect, symprec=SYMMETRY_TOLERANCE_A).get_symmetry_operations()
    turns = np.array([operation.rotation_matrix for operation in operations])
    shifts = np.array([operation.translation_vector for operation in operations])
    places = turns @ perfect.frac_coords[vacancy] + shifts
    ions = perfect.lattice.get_all_distances(places, perfect.frac_coords).argmin(axis=1)
    reached = sorted(set(ions.tolist()) - {vacancy})
    distances = perfect.distance_matrix[vacancy]
    if not reached or min(distances[reached]) > _LONGEST_HOP_A:
        raise InputError(
            f"no {perfect[vacancy].specie.symbol} site equivalent to the empty one is nearer than "
            f"{_LONGEST_HOP_A:g} Å",
            where="hops",
            fix="give the migration energy from literature",
        )
    shortest = min(distances[reached]) + _SAME_DISTANCE_A
    hops = [
        VacancyHop(vacancy, int(ion), float(distances[ion]), turn, _image(perfect, turn, shift))
        for ion, turn, shift in zip(ions, turns, shifts, strict=True)
        if ion != vacancy and distances[ion] < shortest
    ]
    exchanging = [hop for hop in hops if hop.image[hop.ion] == vacancy] or hops
    moved = ranks([_moved_A(perfect, hop, relaxed) for hop in exchanging], _SAME_DISTANCE_A)
    least = [hop for hop, rank in zip(exchanging, moved, strict=True) if rank == 0]
    # By their matrices: the order in which operations are found is no property of the crystal.
    return min(least, key=lambda hop: (hop.ion, np.round(hop.rotation).tolist(), list(hop.image)))


def _moved_A(perfect: Structure, hop: VacancyHop, before: Structure) -> float:
    steps = after_hop(perfect, hop, before).frac_coords - before.frac_coords
    return float(np.linalg.norm(steps @ before.lattice.matrix))


def _image(structure: Structure, rotation: np.ndarray, translation: np.ndarray) -> np.ndarray:
    moved = structure.frac_coords @ np.asarray(rotation).T + translation
    distances = structure.lattice.get_all_distances(moved, structure.frac_coords)
    return np.asarray(distances.argmin(axis=1))


def after_hop(perfect: Structure, hop: VacancyHop, before: Structure) -> Structure:
    """Return the relaxed supercell after the hop, which symmetry gives from that before.

    Parameters
    ----------
    perfect : Structure
        The supercell without vacancies.
    hop : VacancyHop
        Which ion hops into which vacancy.
    before : Structure
        Relaxed, with the vacancy: the sites of ``perfect`` without the empty one, in their order.

    Returns
    -------
    Structure
        The same atoms in the same order, the one that hopped included, each nearest to its place
        before.
    """
    sites = [site for site in range(len(perfect)) if site != hop.vacancy]
    shifts = before.frac_coords - perfect.frac_coords[sites]
    shifts -= np.round(shifts)
    places = np.array(perfect.frac_coords)
    for site, shift in zip(sites, shifts, strict=True):
        places[hop.image[site]] += hop.rotation @ shift
    # The atom that sat at the ion's site is now where the vacancy was.
    order = [hop.vacancy if site == hop.ion else site for site in sites]
    after = places[order]
    # Half a cell away is half a cell up, whatever the last digit says.
    after += np.floor(before.frac_coords - after + 0.5 + 1e-6)
    return Structure(before.lattice, before.species, after)


@dataclass(frozen=True)
class Reversal:
    """A symmetry operation that maps a path onto itself, from its end to its beginning.

    Parameters
    ----------
    rotation, translation : array, shapes (3, 3) and (3,)
        On fractional coordinates.
    image : array, shape (atoms,)
        The atom onto which each atom is mapped.
    """

    rotation: np.ndarray
    translation: np.ndarray
    image: np.ndarray

    def positions(self, structure: Structure, near: Structure) -> np.ndarray:
        """Return the fractional coordinates of a mapped configuration, each next to ``near``'s."""
        moved = np.empty_like(structure.frac_coords)
        moved[self.image] = structure.frac_coords @ self.rotation.T + self.translation
        return np.asarray(moved + np.round(near.frac_coords - moved))

    def forces(self, structure: Structure, forces: np.ndarray) -> np.ndarray:
        """Return the forces on the mapped atoms, Cartesian as the given ones."""
        vectors = structure.lattice.matrix.T
        rotation = vectors @ self.rotation @ np.linalg.inv(vectors)
        moved = np.empty_like(forces)
        moved[self.image] = forces @ rotation.T
        return moved


def path_reversal(before: Structure, after: Structure, *, tolerance_A: float) -> Reversal | None:
    """Return the operation that exchanges the ends of a path, None if no symmetry does.

    The middle of the straight path has every symmetry that the path as a whole has.

    Parameters
    ----------
    before, after : Structure
        The same atoms in the same order, none of them across a border of the cell.
    tolerance_A : float
        Largest difference between positions.
    """
    middle = Structure(before.lattice, before.species, (before.frac_coords + after.frac_coords) / 2)
    operations = SpacegroupAnalyzer(middle, symprec=tolerance_A).get_symmetry_operations()
    for operation in operations:
        rotation, translation = operation.rotation_matrix, operation.translation_vector
        reversal = Reversal(rotation, translation, _image(middle, rotation, translation))
        misses = [
            np.linalg.norm(
                (reversal.positions(start, end) - end.frac_coords) @ before.lattice.matrix, axis=1
            ).max()
            for start, end in ((before, after), (after, before))
        ]
        if max(misses) < tolerance_A:
            return reversal
    return None
