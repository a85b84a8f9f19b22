"""Symmetric slabs without a dipole: the surfaces whose level a slab calculation can tell."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Lattice, Structure
from pymatgen.core.surface import (
    Slab,
    SlabGenerator,
    get_symmetrically_distinct_miller_indices,
)

from interohm.errors import InputError

from .ties import FRACTION_TOLERANCE, ranks

Facet = tuple[int, int, int]

#: Å; atoms whose heights differ by less are in one plane.
_PLANE_A = 0.1

#: Å; far above rounding, far below what matters.
_ROUNDING_A = 1e-4


@dataclass(frozen=True)
class SymmetricSlab:
    """A slab with the same surface on both sides and no dipole, its normal along c.

    Parameters
    ----------
    structure : Structure
        Slab and vacuum; the slab is in the middle of the cell.
    period_A : float
        Repeat distance of the crystal along the normal.
    termination : str
        The elements of the outermost plane.
    tasker_type : str
        ``I``: every plane is neutral; ``II``: planes are charged, the slab has no dipole.
    stoichiometric : bool
        Whether it is whole formula units of the crystal.
    """

    structure: Structure
    period_A: float
    termination: str
    tasker_type: str
    stoichiometric: bool


def facet_name(facet: Facet) -> str:
    """Return ``(001)`` for (0, 0, 1)."""
    return "(" + "".join(str(index) for index in facet) + ")"


def distinct_facets(conventional: Structure, max_index: int) -> list[Facet]:
    """Return one of each set of equivalent planes, up to a Miller index, low ones first."""
    found = get_symmetrically_distinct_miller_indices(conventional, max_index)
    facets = [(int(h), int(k), int(l)) for h, k, l in found]
    return sorted(facets, key=lambda facet: (sum(map(abs, facet)), facet))


def build_slab(
    conventional: Structure,
    facet: Facet,
    *,
    thickness_A: float,
    vacuum_A: float,
    termination: int = 0,
) -> SymmetricSlab:
    """Cut a symmetric slab that has no dipole (Tasker types I and II).

    Parameters
    ----------
    conventional : Structure
        The relaxed conventional cell.
    facet : tuple of int
        Miller indices in that cell.
    thickness_A, vacuum_A : float
        At least; whole repeat units are cut.
    termination : int
        Which one of `symmetric_slabs`, from 0.

    Raises
    ------
    InputError
        No termination is symmetric and free of a dipole (Tasker type III), or there are fewer.
    """
    name = f"{conventional.composition.reduced_formula} {facet_name(facet)}"
    generator = _generator(conventional, facet, thickness_A, vacuum_A)
    slabs = _slabs(generator)
    found = list(itertools.islice(_symmetric(generator, slabs), termination + 1))
    if len(found) > termination:
        return found[termination]
    if found:
        raise InputError(
            f"{name} has {len(found)} symmetric terminations, not {termination + 1}", where="facet"
        )
    tried = ", ".join(sorted({f"{_outermost(slab)}-terminated" for slab in slabs})) or "none"
    raise InputError(
        f"{name} is polar (Tasker type III): no symmetric termination without a dipole among "
        f"those tried ({tried})",
        where="facet",
        fix="choose another Miller index, such as one whose planes hold all elements",
    )


def symmetric_slabs(
    conventional: Structure, facet: Facet, *, thickness_A: float, vacuum_A: float
) -> list[SymmetricSlab]:
    """Cut the slabs of all symmetric terminations without a dipole; empty for Tasker type III.

    Stoichiometric ones come first. The others lack planes on one side (as SrTiO3 (001) does); their
    ions' formal charges add up to zero, so that no electrons are missing or left over.

    Parameters
    ----------
    conventional, facet, thickness_A, vacuum_A
        As in `build_slab`.
    """
    generator = _generator(conventional, facet, thickness_A, vacuum_A)
    return list(_symmetric(generator, _slabs(generator)))


def _generator(
    conventional: Structure, facet: Facet, thickness_A: float, vacuum_A: float
) -> SlabGenerator:
    if not any(facet):
        raise InputError(
            f"{conventional.composition.reduced_formula} {facet_name(facet)} is no plane",
            fix="give Miller indices such as [0, 0, 1]",
        )
    charged = conventional.copy()
    if len(charged.elements) > 1:
        charged.add_oxidation_state_by_guess()
    return SlabGenerator(
        charged,
        facet,
        # What is a whole number of repeat units but for rounding is that number.
        min_slab_size=thickness_A - _ROUNDING_A,
        min_vacuum_size=vacuum_A - _ROUNDING_A,
        center_slab=True,
        primitive=True,
        lll_reduce=False,
        reorient_lattice=True,
    )


def _slabs(generator: SlabGenerator) -> list[Slab]:
    """Return one slab of each termination, by the height of the cut in the crystal's cell.

    `SlabGenerator.get_slabs` orders them by heights that rounding may turn from 0 to 1.
    """
    heights = np.array(generator.gen_possible_terminations(ftol=0.05))
    heights[heights > 1 - FRACTION_TOLERANCE] -= 1
    slabs = [generator.get_slab(shift=float(one), tol=_PLANE_A) for one in np.sort(heights)]
    matcher = StructureMatcher(ltol=_PLANE_A, stol=_PLANE_A, primitive_cell=False, scale=False)
    distinct: list[Slab] = []
    for slab in slabs:
        if not any(matcher.fit(slab, known) for known in distinct):
            distinct.append(slab)
    return distinct


def _symmetric(generator: SlabGenerator, slabs: list[Slab]) -> Iterator[SymmetricSlab]:
    bulk = generator.parent.composition.remove_charges().reduced_formula
    period = generator.oriented_unit_cell.lattice
    known: list[tuple[str, Slab]] = []
    matcher = StructureMatcher(primitive_cell=False, scale=False, attempt_supercell=False)
    for slab in itertools.chain(
        (slab for slab in slabs if slab.is_symmetric()), _without_planes(generator, slabs)
    ):
        if slab.is_polar() or abs(slab.charge) > 1e-3:
            continue
        termination = _outermost(slab)
        if any(termination == other and matcher.fit(slab, twin) for other, twin in known):
            continue
        known.append((termination, slab))
        yield SymmetricSlab(
            structure=_along_c(slab),
            period_A=float(period.volume / np.linalg.norm(np.cross(*period.matrix[:2]))),
            termination=termination,
            tasker_type="II" if _charged_planes(slab) else "I",
            stoichiometric=slab.composition.remove_charges().reduced_formula == bulk,
        )


def _without_planes(generator: SlabGenerator, slabs: list[Slab]) -> Iterator[Slab]:
    """Take atoms off one side of the slabs that differ on their two sides, until they do not."""
    for slab in slabs:
        if not slab.is_symmetric():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what cannot be made symmetric is not returned
                yield from generator.nonstoichiometric_symmetrized_slab(_even(slab))


def _even(slab: Slab) -> Slab:
    """Return the slab with one height for the atoms of one plane, of which the first one comes off.

    Rounding would tell them apart otherwise.
    """
    even = slab.copy()
    heights = slab.frac_coords[:, 2]
    planes = np.array(ranks(heights, _ROUNDING_A / slab.lattice.c))
    for site, plane in zip(even, planes, strict=True):
        site.frac_coords = [*site.frac_coords[:2], heights[planes == plane].mean()]
    return even


def _charged_planes(slab: Slab) -> bool:
    """Whether a plane of the slab has a net formal charge."""
    heights = slab.cart_coords @ slab.normal
    order = np.argsort(heights)
    borders = np.flatnonzero(np.diff(heights[order]) > _PLANE_A) + 1
    return any(
        abs(sum(getattr(slab[int(i)].specie, "oxi_state", 0) or 0 for i in plane)) > 1e-3
        for plane in np.split(order, borders)
    )


def _outermost(slab: Slab) -> str:
    """Return the elements within 0.3 Å of the slab's highest atom."""
    heights = slab.cart_coords @ slab.normal
    top = heights > heights.max() - 0.3
    return "".join(sorted({slab[int(index)].specie.symbol for index in np.flatnonzero(top)}))


def shortest_basis(vectors: np.ndarray) -> np.ndarray:
    """Return the shortest basis of a plane lattice (Lagrange), ties broken by a rule.

    Parameters
    ----------
    vectors : array, shape (2, dimensions)
        In Å.
    """
    a, b = vectors
    while True:
        if a @ a > b @ b + 1e-6:
            a, b = b, a
        steps = math.ceil(float(a @ b / (a @ a)) - 0.5 - 1e-6)
        if steps == 0:
            return np.array([a, b])
        b = b - steps * a


def _along_c(slab: Slab) -> Structure:
    """Return the slab without oxidation states, c along the normal, a and b as short as can be."""
    upright = slab.get_orthogonal_c_slab()
    a, b, c = upright.lattice.matrix
    a, b = shortest_basis(np.array([a, b]))
    if np.cross(a, b) @ c < 0:
        a, b = shortest_basis(np.array([a, -b]))
    return Structure(
        Lattice([a, b, c]),
        [site.specie.symbol for site in upright],
        upright.cart_coords,
        coords_are_cartesian=True,
        to_unit_cell=True,
    )
