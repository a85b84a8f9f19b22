"""Supercells with one vacancy, interstitial or substitution."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Lattice, Structure
from pymatgen.core.operations import SymmOp
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer
from scipy.spatial import Voronoi

from interohm.errors import InputError
from interohm.extras import require

from .cells import supercell
from .chosen_setting import SYMMETRY_TOLERANCE_A, within_cell
from .ties import fraction_ranks

#: Å; nearer than that no atom fits.
_ON_AN_ATOM_A = 0.5

#: Å; voids that are as close are one, and those that are as close to an atom are none.
_ONE_VOID_A, _NEAREST_ATOM_A = 0.5, 0.9

#: In larger cells only voids that symmetry makes one are one; to compare others takes hours.
_MATCHED_ATOMS = 150

#: Of the cell; Voronoi nodes that differ by less are one.
_SAME_NODE = 1e-4

#: Å; an interstitial site and its image by a symmetry that are as close are one site.
_SAME_SITE_A = 0.1


@dataclass(frozen=True)
class DefectSite:
    """Position of a defect in the conventional cell.

    Parameters
    ----------
    name : str
        ``V_F``, ``Li_i`` or ``Mg_Li``; sites of the same name are candidates for one defect.
    element : str
        Element of the atom that is removed or added.
    change : int
        −1 for a vacancy, +1 for an interstitial and for a substitution.
    position : tuple of float
        Fractional coordinates in the conventional cell.
    sites_per_cell : int
        Equivalent sites in the conventional cell.
    replaced : str, optional
        The element whose place the added one takes.
    """

    name: str
    element: str
    change: int
    position: tuple[float, float, float]
    sites_per_cell: int
    replaced: str | None = None

    @property
    def added(self) -> dict[str, int]:
        """Atoms added by element, negative where removed."""
        replaced = {} if self.replaced is None else {self.replaced: -self.change}
        return {self.element: self.change, **replaced}

    def as_dict(self) -> dict[str, object]:
        """Return plain values, for a job's arguments."""
        return {**asdict(self), "position": list(self.position)}


def vacancy_sites(conventional: Structure, element: str) -> list[DefectSite]:
    """Return the symmetry-distinct vacancies of an element.

    Raises
    ------
    InputError
        The extra ``defects`` is not installed.
    """
    require("defects", "finding the sites of defects", where="defects")
    from pymatgen.analysis.defects.generators import VacancyGenerator

    generator = VacancyGenerator(symprec=SYMMETRY_TOLERANCE_A)
    sites = []
    for vacancy in generator.generate(conventional, rm_species=[element]):
        x, y, z = (float(value) for value in vacancy.site.frac_coords % 1)
        sites.append(DefectSite(f"V_{element}", element, -1, (x, y, z), vacancy.multiplicity))
    return sites


def substitution_sites(conventional: Structure, element: str, replaced: str) -> list[DefectSite]:
    """Return the symmetry-distinct places of an element that another one takes."""
    return [
        DefectSite(
            f"{element}_{replaced}", element, 1, site.position, site.sites_per_cell, replaced
        )
        for site in vacancy_sites(conventional, replaced)
    ]


def interstitial_sites(
    conventional: Structure, element: str, extra: Sequence[Sequence[float]] = ()
) -> list[DefectSite]:
    """Return candidate sites of an interstitial: the crystal's Voronoi voids, and given ones.

    Parameters
    ----------
    conventional : Structure
        The standardized conventional cell.
    element : str
        Its symbol.
    extra : sequence of (float, float, float)
        Further candidates, fractional in the conventional cell.
    """
    for position in extra:
        _refuse_on_an_atom(conventional, element, position)
    operations = SpacegroupAnalyzer(
        conventional, symprec=SYMMETRY_TOLERANCE_A
    ).get_space_group_operations()
    voids = _voids(conventional)
    orbits = _orbits(conventional, operations, voids)
    if len(conventional) <= _MATCHED_ATOMS:
        orbits = _distinct(conventional, orbits)
    orbits = _orbits(conventional, operations, [*(orbit[0] for orbit in orbits), *extra])
    sites = []
    for orbit in orbits:
        x, y, z = (float(value) for value in orbit[0])
        sites.append(DefectSite(f"{element}_i", element, +1, (x, y, z), len(orbit)))
    return sites


def _distinct(conventional: Structure, orbits: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return the orbits that are not alike: what nearly is one is tried once.

    From the place of the highest symmetry, with the tolerances of pymatgen-analysis-defects.
    """
    matcher = StructureMatcher(ltol=0.2, stol=0.3, angle_tol=5)
    structures: list[Structure] = []
    distinct: list[np.ndarray] = []
    for orbit in orbits:
        filled = conventional.copy()
        filled.append("X", orbit[0])
        if not any(matcher.fit(filled, other) for other in structures):
            structures.append(filled)
            distinct.append(orbit)
    return distinct


def _voids(conventional: Structure) -> np.ndarray:
    """Return the crystal's Voronoi nodes that no atom is near to, close ones as their mean.

    As the generator of pymatgen-analysis-defects does it, but for nodes of the cell alone.

    Returns
    -------
    array, shape (voids, 3)
        Fractional coordinates.
    """
    require("defects", "finding the sites of defects", where="defects")
    from pymatgen.analysis.defects.utils import cluster_nodes, remove_collisions

    # Cells of a few atoms have polyhedra that reach beyond the next cells.
    reach = 2 if len(conventional) < 5 else 1
    cells = np.array(list(itertools.product(range(-reach, reach + 1), repeat=3)))
    atoms = (conventional.frac_coords[None] + cells[:, None]).reshape(-1, 3)
    lattice = conventional.lattice
    nodes = lattice.get_fractional_coords(Voronoi(lattice.get_cartesian_coords(atoms)).vertices)
    inside = nodes[(nodes >= -_SAME_NODE).all(axis=1) & (nodes < 1 + _SAME_NODE).all(axis=1)]
    distinct = np.empty((0, 3))
    for node in inside:
        steps = distinct - node
        if not (np.abs(steps - np.round(steps)).max(axis=1) < _SAME_NODE).any():
            distinct = np.vstack([distinct, node])
    free = remove_collisions(distinct, conventional, min_dist=_NEAREST_ATOM_A)
    if not len(free):
        return np.empty((0, 3))
    merged = cluster_nodes(free, lattice, tol=_ONE_VOID_A)
    return np.asarray(remove_collisions(merged, conventional, min_dist=_NEAREST_ATOM_A))


def _orbits(
    conventional: Structure, operations: Sequence[SymmOp], places: Iterable[Any]
) -> list[np.ndarray]:
    """Return the orbits of places, each once, small ones first.

    A place that an operation leaves where it is, but for noise, is put on its exact position.

    Returns
    -------
    list of array, shapes (sites, 3)
        Fractional coordinates from 0 to 1; the smallest ones come first.
    """
    orbits: list[np.ndarray] = []
    for position in np.asarray(list(places), dtype=float):
        if any(_contains(orbit, position, _SAME_SITE_A, conventional.lattice) for orbit in orbits):
            continue
        images = np.array([operation.operate(position) for operation in operations])
        steps = images - position
        steps -= np.round(steps)
        own = np.linalg.norm(steps @ conventional.lattice.matrix, axis=1) < _SAME_SITE_A
        exact = position + steps[own].mean(axis=0)
        orbit = np.empty((0, 3))
        for operation in operations:
            image = operation.operate(exact)
            if not _contains(orbit, image, _SAME_SITE_A / 2, conventional.lattice):
                orbit = np.vstack([orbit, image])
        orbits.append(orbit)
    if not orbits:
        return []
    whole = within_cell(np.concatenate(orbits))
    parts = np.split(whole, np.cumsum([len(orbit) for orbit in orbits])[:-1])
    numbers = np.split(fraction_ranks(whole), np.cumsum([len(orbit) for orbit in orbits])[:-1])
    orders = [np.lexsort(part.T[::-1]) for part in numbers]
    ranked = [
        (len(part), part[order[0]].tolist()) for part, order in zip(numbers, orders, strict=True)
    ]
    by_size = sorted(range(len(parts)), key=ranked.__getitem__)
    return [parts[one][orders[one]] for one in by_size]


def _contains(
    orbit: np.ndarray, position: np.ndarray, tolerance_A: float, lattice: Lattice
) -> bool:
    steps = orbit - position
    away = np.linalg.norm((steps - np.round(steps)) @ lattice.matrix, axis=1)
    return bool((away < tolerance_A).any())


def _refuse_on_an_atom(conventional: Structure, element: str, position: Sequence[float]) -> None:
    distances = conventional.lattice.get_all_distances(position, conventional.frac_coords)[0]
    nearest = int(np.argmin(distances))
    if distances[nearest] < _ON_AN_ATOM_A:
        cell = ", ".join(
            f"{site.specie.symbol} {np.round(site.frac_coords, 4).tolist()}"
            for site in conventional
        )
        raise InputError(
            f"{element} at {[float(value) for value in position]} would sit on a "
            f"{conventional[nearest].specie.symbol} of the crystal",
            where="interstitial_sites",
            fix=f"give fractions of the standardized conventional cell: {cell}",
        )


def defect_position(site: DefectSite, multiples: tuple[int, int, int]) -> np.ndarray:
    """Return the defect's fractional coordinates in the supercell, shape (3,)."""
    return np.asarray(np.asarray(site.position) / np.asarray(multiples))


def defect_supercell(
    conventional: Structure, site: DefectSite, multiples: tuple[int, int, int]
) -> Structure:
    """Return the supercell with the defect in it, the other atoms where the crystal has them."""
    structure = supercell(conventional, multiples)
    position = defect_position(site, multiples)
    if site.change > 0 and site.replaced is None:
        structure.append(site.element, position)
        return structure
    taken = site.replaced or site.element
    distance = structure.lattice.get_all_distances(position, structure.frac_coords)[0]
    index = int(np.argmin(distance))
    if distance[index] > 0.5 or structure[index].specie.symbol != taken:
        raise ValueError(f"{site.name}: there is no {taken} at {site.position}")
    if site.replaced is None:
        structure.remove_sites([index])
    else:
        structure.replace(index, site.element)
    return structure
