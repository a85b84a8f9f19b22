"""Supercells with one vacancy, interstitial or substitution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from pymatgen.analysis.defects.generators import VacancyGenerator, VoronoiInterstitialGenerator
from pymatgen.core import Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from .cells import SYMMETRY_TOLERANCE_A, supercell


@dataclass(frozen=True)
class DefectSite:
    """Where a defect sits in the conventional cell.

    Parameters
    ----------
    name : str
        ``V_F``, ``Li_i`` or ``Mg_Li``; sites of the same name are candidates for one defect.
    element : str
        Of the atom that is removed or added.
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
    """Return the symmetry-distinct vacancies of an element."""
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
    element : str
    extra : sequence of (float, float, float)
        Further candidates, fractional in the conventional cell.
    """
    generator = VoronoiInterstitialGenerator()
    places = [
        np.asarray(interstitial.site.frac_coords)
        # The generator leaves oxidation states in what it is given.
        for interstitial in generator.generate(conventional.copy(), {element})
    ]
    places += [np.asarray(place, dtype=float) for place in extra]
    operations = SpacegroupAnalyzer(
        conventional, symprec=SYMMETRY_TOLERANCE_A
    ).get_space_group_operations()
    sites: list[DefectSite] = []
    orbits: list[np.ndarray] = []
    for place in places:
        if any(_contains(orbit, place) for orbit in orbits):
            continue
        orbit = np.array([place % 1])
        for operation in operations:
            image = operation.operate(place) % 1
            if not _contains(orbit, image):
                orbit = np.vstack([orbit, image])
        orbits.append(orbit)
        x, y, z = (float(value) for value in place % 1)
        sites.append(DefectSite(f"{element}_i", element, +1, (x, y, z), len(orbit)))
    return sites


def _contains(orbit: np.ndarray, place: np.ndarray) -> bool:
    steps = orbit - place
    return bool((np.abs(steps - np.round(steps)).max(axis=1) < 1e-3).any())


def defect_position(site: DefectSite, multiples: tuple[int, int, int]) -> np.ndarray:
    """Return the defect's fractional coordinates in the supercell, shape (3,)."""
    return np.asarray(site.position) / np.asarray(multiples)


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
    place = int(np.argmin(distance))
    if distance[place] > 0.5 or structure[place].specie.symbol != taken:
        raise ValueError(f"{site.name}: there is no {taken} at {site.position}")
    if site.replaced is None:
        structure.remove_sites([place])
    else:
        structure.replace(place, site.element)
    return structure
