"""Symmetric slabs without a dipole: the surfaces whose level a slab calculation can tell."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Lattice, Structure
from pymatgen.core.surface import (
    Slab,
    SlabGenerator,
    get_symmetrically_distinct_miller_indices,
)
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from interohm.errors import InputError

from .chosen_setting import SYMMETRY_TOLERANCE_A
from .oxidation_states import (
    formula_of,
    known_oxidation_states,
    molecules,
    oxidation_states,
)
from .remembered import remembered
from .ties import FRACTION_TOLERANCE, ranks

Facet = tuple[int, int, int]

#: Å; atoms whose heights differ by less are in one plane.
_PLANE_A = 0.1

#: Repeat units by which a slab that is too thin is made thicker at most.
_MOST_UNITS_MORE = 4

#: Of the repeat unit; cuts through the same gap between planes.
_SAME_HEIGHT = 1e-3

#: Charges per Å: a dipole per area that pymatgen calls polar.
_DIPOLE_PER_A = 1e-3

#: Å; far above rounding, far below what matters.
_ROUNDING_A = 1e-4


class TooThinError(InputError):
    """A slab that has too few planes to have the same surface on both sides."""


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


@remembered(8)
def build_slab(
    conventional: Structure,
    facet: Facet,
    *,
    thickness_A: float,
    vacuum_A: float,
    termination: int = 0,
    conductor: bool = False,
    charges: Mapping[str, float] | None = None,
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
    conductor : bool
        Whether the phase is a metal or an electrode, whose slab needs no oxidation states to be
        neutral.
    charges : mapping of str to float, optional
        Oxidation states by element, where they are not the usual ones.

    Raises
    ------
    InputError
        No termination is symmetric and free of a dipole (Tasker type III), there are fewer, the
        slab is too thin to be symmetric, or the oxidation states of an insulator's elements cannot
        be told.
    """
    name = f"{conventional.composition.reduced_formula} {facet_name(facet)}"
    charged = _charged(conventional, facet, conductor, charges)
    cuts = _Cuts(charged, facet, thickness_A, vacuum_A)
    found = list(itertools.islice(cuts.symmetric(), termination + 1))
    if len(found) > termination:
        return found[termination]
    if found:
        raise InputError(
            f"{name} has {len(found)} symmetric terminations, not {termination + 1}", where="facet"
        )
    _refuse_too_thin(name, cuts, thickness_A)
    tried = ", ".join(f"{elements}-terminated" for elements in sorted(cuts.tried)) or "none"
    raise InputError(
        f"{name} is polar (Tasker type III): no symmetric termination without a dipole among "
        f"those tried ({tried})",
        where="facet",
        fix="choose another Miller index, such as one whose planes contain all elements",
    )


def symmetric_slabs(
    conventional: Structure,
    facet: Facet,
    *,
    thickness_A: float,
    vacuum_A: float,
    conductor: bool = False,
    charges: Mapping[str, float] | None = None,
) -> list[SymmetricSlab]:
    """Cut the slabs of all symmetric terminations without a dipole; empty for Tasker type III.

    Stoichiometric ones come first. The others lack planes on one side (as SrTiO3 (001) does); their
    ions' formal charges add up to zero, so that no electrons are missing or left over.

    Parameters
    ----------
    conventional, facet, thickness_A, vacuum_A, conductor, charges
        As in `build_slab`.

    Raises
    ------
    TooThinError
        The slab is too thin to be symmetric.
    InputError
        Oxidation states cannot be told.
    """
    charged = _charged(conventional, facet, conductor, charges)
    cuts = _Cuts(charged, facet, thickness_A, vacuum_A)
    found = list(cuts.symmetric())
    if not found:
        name = f"{conventional.composition.reduced_formula} {facet_name(facet)}"
        _refuse_too_thin(name, cuts, thickness_A)
    return found


def _charged(
    conventional: Structure, facet: Facet, conductor: bool, charges: Mapping[str, float] | None
) -> Structure:
    """Return the cell with oxidation states, and the molecule that each site is of."""
    if not any(facet):
        raise InputError(
            f"{conventional.composition.reduced_formula} {facet_name(facet)} is not a plane",
            fix="give Miller indices such as [0, 0, 1]",
        )
    charged = conventional.copy()
    if len(charged.elements) > 1:
        if conductor:
            # Electrons make up for what formal charges leave.
            states = oxidation_states(conventional) or [0.0] * len(conventional)
        else:
            states = known_oxidation_states(conventional, charges)
        charged.add_oxidation_state_by_site(states)
    charged.add_site_property("molecule", _molecule_of_each(conventional))
    return charged


def _molecule_of_each(structure: Structure) -> list[str]:
    """Return the formula of the molecule that each site is a part of, empty where there is none."""
    bare = Structure(
        structure.lattice, [site.specie.symbol for site in structure], structure.frac_coords
    )
    names = [""] * len(bare)
    for sites in molecules(bare):
        if len(sites) > 1:
            formula = formula_of(bare, sites)
            for site in sites:
                names[site] = formula
    return names


@dataclass
class _Cuts:
    """The slabs of one facet of a crystal with oxidation states."""

    charged: Structure
    facet: Facet
    thickness_A: float
    vacuum_A: float
    #: Whether a slab had too few planes to become symmetric; known once all were tried.
    too_thin: bool = False

    def __post_init__(self) -> None:
        self.generator = SlabGenerator(
            self.charged,
            self.facet,
            # What is a whole number of repeat units but for rounding is that number.
            min_slab_size=self.thickness_A - _ROUNDING_A,
            min_vacuum_size=self.vacuum_A - _ROUNDING_A,
            center_slab=True,
            primitive=True,
            lll_reduce=False,
            reorient_lattice=True,
        )
        heights = _heights(self.generator)
        oriented = self.generator.oriented_unit_cell
        #: The outermost elements of all terminations.
        self.tried = {_outermost_below(oriented, height, self.period_A) for height in heights}
        self.slabs = _slabs(
            self.generator,
            [height for height in heights if not _has_dipole(oriented, height, self.period_A)],
        )

    @property
    def period_A(self) -> float:
        period = self.generator.oriented_unit_cell.lattice
        return float(period.volume / np.linalg.norm(np.cross(*period.matrix[:2])))

    def symmetric(self) -> Iterator[SymmetricSlab]:
        bulk = self.generator.parent.composition.remove_charges().reduced_formula
        known: list[tuple[str, Slab]] = []
        matcher = StructureMatcher(primitive_cell=False, scale=False, attempt_supercell=False)
        for slab in itertools.chain(
            (slab for slab in self.slabs if slab.is_symmetric()), self._without_planes()
        ):
            if slab.is_polar() or abs(slab.charge) > 1e-3:
                continue
            if _molecule_of_each(slab) != slab.site_properties["molecule"]:
                continue  # the cut breaks a molecule, whose parts have other charges
            termination = _outermost(slab)
            if any(termination == other and matcher.fit(slab, twin) for other, twin in known):
                continue
            known.append((termination, slab))
            yield SymmetricSlab(
                structure=_along_c(slab),
                period_A=self.period_A,
                termination=termination,
                tasker_type="II" if _charged_planes(slab) else "I",
                stoichiometric=slab.composition.remove_charges().reduced_formula == bulk,
            )

    def _without_planes(self) -> Iterator[Slab]:
        """Take atoms off one side of slabs that differ on their two sides, until they do not."""
        for slab in self.slabs:
            if slab.is_symmetric():
                continue
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                found = self.generator.nonstoichiometric_symmetrized_slab(_even(slab))
            for warning in caught:
                if "please use a larger slab" in str(warning.message):
                    self.too_thin = True
            yield from found


def _refuse_too_thin(name: str, cuts: _Cuts, thickness_A: float) -> None:
    """Refuse a slab that is only too thin to be symmetric, in contrast to a polar one."""
    if not cuts.too_thin:
        return
    for units in range(1, _MOST_UNITS_MORE + 1):
        thicker = thickness_A + units * cuts.period_A
        more = _Cuts(cuts.charged, cuts.facet, thicker, cuts.vacuum_A)
        if next(more.symmetric(), None) is not None:
            raise TooThinError(
                f"{name}: a slab of {thickness_A:g} Å is too thin to have the same surface on "
                "both sides",
                where="facet",
                fix=f"raise thickness_A of the preset's slab to {np.ceil(10 * thicker) / 10:g}, or "
                "choose another Miller index",
            )
        if not more.too_thin:
            return


def _heights(generator: SlabGenerator) -> list[float]:
    """Return one height of each cut, in fractions of the crystal's repeat unit, lowest first.

    `SlabGenerator.get_slabs` orders them by heights that rounding may turn from 0 to 1.
    """
    heights = np.array(generator.gen_possible_terminations(ftol=0.05))
    heights[heights > 1 - FRACTION_TOLERANCE] -= 1
    return _distinct_heights(generator.oriented_unit_cell, np.sort(heights))


def _has_dipole(oriented: Structure, height: float, period_A: float) -> bool:
    """Return whether the repeat unit between two cuts has a dipole along the normal.

    A slab from such a cut is polar, and no planes that come off its other side mend that: a
    symmetric neutral slab has no dipole, nor has it with one repeat unit more.
    """
    charges = [getattr(site.specie, "oxi_state", 0) or 0 for site in oriented]
    dipole_A = np.dot(charges, (oriented.frac_coords[:, 2] - height) % 1) * period_A
    return bool(abs(dipole_A) > _DIPOLE_PER_A * oriented.volume / period_A)


def _outermost_below(oriented: Structure, height: float, period_A: float) -> str:
    """Return the elements within 0.3 Å of the highest atom below a cut."""
    above_A = ((oriented.frac_coords[:, 2] - height) % 1) * period_A
    top = np.flatnonzero(above_A > above_A.max() - 0.3)
    return "".join(sorted({oriented[int(index)].specie.symbol for index in top}))


def _slabs(generator: SlabGenerator, heights: list[float]) -> list[Slab]:
    """Return one slab of each termination, in the order of their cuts."""
    matcher = StructureMatcher(ltol=_PLANE_A, stol=_PLANE_A, primitive_cell=False, scale=False)
    distinct: list[Slab] = []
    for height in heights:
        slab = generator.get_slab(shift=height, tol=_PLANE_A)
        if not any(_may_fit(slab, known) and matcher.fit(slab, known) for known in distinct):
            distinct.append(slab)
    return distinct


def _distinct_heights(oriented: Structure, heights: np.ndarray) -> list[float]:
    """Return one height of those that a symmetry of the crystal maps onto each other."""
    symmetry = SpacegroupAnalyzer(oriented, symprec=SYMMETRY_TOLERANCE_A).get_symmetry_dataset()
    maps = {
        (int(rotation[2, 2]), round(float(translation[2]), 4))
        for rotation, translation in zip(symmetry.rotations, symmetry.translations, strict=True)
        if rotation[2].tolist() in ([0, 0, 1], [0, 0, -1])
    }
    distinct: list[float] = []
    for height in heights.tolist():
        steps = [sign * height + shift - known for known in distinct for sign, shift in maps]
        if not any(abs(step - round(step)) < _SAME_HEIGHT for step in steps):
            distinct.append(height)
    return distinct


def _may_fit(slab: Slab, other: Slab) -> bool:
    """Return whether two slabs may match to the tolerance, by the heights of their atoms alone."""
    if slab.composition != other.composition:
        return False
    limit = 2 * _PLANE_A * (slab.volume / len(slab)) ** (1 / 3)
    one, same, mirrored = (_profile(slab, 1), _profile(other, 1), _profile(other, -1))
    return bool(min(np.sqrt(np.mean((one - each) ** 2)) for each in (same, mirrored)) < limit)


def _profile(slab: Slab, sign: int) -> np.ndarray:
    """Return the atoms' heights above the slab's middle, by element, lowest first."""
    heights = sign * (slab.cart_coords @ slab.normal)
    numbers = [site.specie.Z for site in slab]
    above: np.ndarray = heights - heights.mean()
    return above[np.lexsort((heights, numbers))]


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
    """Return whether a plane of the slab has a net formal charge."""
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
