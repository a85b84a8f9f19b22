"""Electrodes along their state of charge: ordered vacancies of the mobile ion."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Iterator

import numpy as np
from pymatgen.analysis.ewald import EwaldSummation
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Structure

from interohm.errors import InputError

from .slabs import Facet
from .ties import ranks

#: Choices of vacancies in one supercell that are looked through before symmetry is used.
_MOST_CHOICES = 2000


def ion_content_of(structure: Structure, mobile_ion: str) -> float:
    """Return the mobile ions per formula unit, the chemist's x: 1 for LiCoO2 and for Li2Co2O4.

    A formula unit is that of the host, the structure without its mobile ions.

    Raises
    ------
    InputError
        The structure has no mobile ion, or nothing else.
    """
    counts = structure.composition.get_el_amt_dict()
    ions = counts.pop(mobile_ion, 0.0)
    if not ions or not counts:
        raise InputError(
            f"{structure.composition.reduced_formula} is not {mobile_ion} in a host",
            where="structure, mobile_ion",
        )
    return float(ions / host_units(structure, mobile_ion))


def host_units(structure: Structure, mobile_ion: str) -> int:
    """Return how many formula units of the host a cell holds: 2 for Li2Co2O4 and for LiCo2O4."""
    counts = structure.composition.get_el_amt_dict()
    return math.gcd(*(round(count) for element, count in counts.items() if element != mobile_ion))


def ordered_vacancies(
    lithiated: Structure, mobile_ion: str, ion_content: float, *, most_units: int
) -> list[Structure]:
    """Return the symmetry-distinct orders of vacancies at one ion content, likeliest first.

    All superlattices of the primitive cell (Hermite normal forms, as Hart and Forcade,
    Phys. Rev. B 77, 224115 (2008), count them) with up to ``most_units`` formula units of the host,
    all choices of the ions that stay; of those that a symmetry of the crystal maps onto each other
    one is kept, in its smallest cell. They are sorted by the Ewald energy of their ions: those come
    first in which the ions avoid each other.

    Parameters
    ----------
    lithiated : Structure
        The primitive cell, every site of the mobile ion filled.
    mobile_ion : str
        Its element.
    ion_content : float
        Wanted, per formula unit of the host; at most that of ``lithiated``.
    most_units : int
        Largest number of formula units in a cell that is tried.

    Returns
    -------
    list of Structure
        Reduced cells; the order of their sites is that of ``lithiated``'s.

    Raises
    ------
    InputError
        No cell of that size has the ion content, or there are too many choices.
    """
    full = ion_content_of(lithiated, mobile_ion)
    units = host_units(lithiated, mobile_ion)
    if not 0 <= ion_content <= full + 1e-9:
        raise InputError(
            f"the ion content {ion_content:g} is outside of 0 to {full:g}", where="ion_contents"
        )
    # Nothing is relaxed here: what is not the same to a hundredth is another order.
    matcher = StructureMatcher(ltol=0.01, stol=0.01, angle_tol=0.5, scale=False)
    distinct: list[Structure] = []
    for multiple in range(1, most_units // units + 1):
        staying = ion_content * units * multiple
        if abs(staying - round(staying)) > 1e-6:
            continue
        for matrix in _hermite_normal_forms(multiple):
            for candidate in _choices(lithiated, matrix, mobile_ion, round(staying)):
                if not any(matcher.fit(candidate, known) for known in distinct):
                    distinct.append(candidate)
    if not distinct:
        raise InputError(
            f"no cell of up to {most_units} formula units has the ion content {ion_content:g}",
            where="ion_contents",
            fix="give a fraction with a small denominator, or raise most_units",
        )
    # Those of equal energy stay in the order in which they were found.
    energies = ranks(map(_ewald_energy_per_atom, distinct), 1e-5)
    return [distinct[index] for index in np.argsort(energies, kind="stable")]


def _hermite_normal_forms(determinant: int) -> Iterator[np.ndarray]:
    """Yield every superlattice of that multiple once: lower triangular, its rows the vectors."""
    for a, c in itertools.product(range(1, determinant + 1), repeat=2):
        if determinant % (a * c):
            continue
        f = determinant // (a * c)
        for b, d, e in itertools.product(range(a), range(a), range(c)):
            yield np.array([[a, 0, 0], [b, c, 0], [d, e, f]])


def _choices(
    lithiated: Structure, matrix: np.ndarray, mobile_ion: str, staying: int
) -> Iterator[Structure]:
    whole = lithiated.copy()
    whole.make_supercell(matrix)
    ions = [i for i, site in enumerate(whole) if site.specie.symbol == mobile_ion]
    if math.comb(len(ions), staying) > _MOST_CHOICES:
        raise InputError(
            f"{math.comb(len(ions), staying)} choices of vacancies in one cell are too many",
            where="most_units",
            fix=f"at most {_MOST_CHOICES}",
        )
    for leaving in itertools.combinations(ions, len(ions) - staying):
        structure = whole.copy()
        structure.remove_sites(leaving)
        yield structure.get_reduced_structure()


def _ewald_energy_per_atom(structure: Structure) -> float:
    """Return the electrostatic energy of point charges by common oxidation states, 0 without."""
    charged = structure.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        charged.add_oxidation_state_by_guess()
    return float(EwaldSummation(charged).total_energy) / len(structure)


def facet_in(conventional: Structure, facet: Facet, superlattice: Structure) -> Facet:
    """Return a facet's Miller indices in a superlattice of the crystal's own lattice.

    Parameters
    ----------
    conventional : Structure
        The crystal whose lattice the indices are given in.
    facet : tuple of int
        Miller indices in the conventional cell of the host.
    superlattice : Structure
        In the same orientation, not relaxed.
    """
    normal = np.linalg.solve(conventional.lattice.matrix, np.asarray(facet, dtype=float))
    indices = np.round(12 * superlattice.lattice.matrix @ normal).astype(int)
    h, k, l = (int(index) for index in indices // np.gcd.reduce(indices))
    return h, k, l
