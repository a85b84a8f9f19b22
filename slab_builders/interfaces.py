"""Coherent interfaces: two slabs that share one cell along their contact.

Lattices are matched after A. Zur, T. C. McGill, J. Appl. Phys. 55, 378 (1984), as pymatgen has it;
one side takes the whole strain. All choices follow from the crystals by rules that rounding does
not touch, so that a calculation has one identity on every processor.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Lattice, Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from interohm.errors import InputError

from .chosen_setting import SYMMETRY_TOLERANCE_A
from .slabs import SymmetricSlab, shortest_basis

SideName = Literal["left", "right"]
Rows = tuple[tuple[int, int], tuple[int, int]]

#: Å; atoms of one slab that differ by less in height are in one plane.
_PLANE_A = 0.3
#: Å; positions agree.
_SAME_A = 0.01
#: Moves what symmetry puts on a multiple of a rounding step away from the step's border.
_OFF_BORDER = 0.23
#: Å; the smallest gap between the outermost planes that is tried.
_LEAST_GAP_A = 0.5


@dataclass(frozen=True)
class OrientedSlab:
    """A slab in a frame of its own: the middle at height 0, a centre of symmetry on the axis.

    Parameters
    ----------
    plane : array, shape (2, 2)
        Rows are the primitive vectors along the surface, the first one along x.
    species : tuple of str
        The element of each atom.
    fractional : array, shape (atoms, 2)
        Along the vectors of ``plane``.
    heights_A : array, shape (atoms,)
        Ascending.
    stacking : array, shape (3,)
        A translation of the crystal out of the plane, the lowest one: fractional along ``plane``,
        height in Å.
    surface : str
        Surface, as in a record: ``(110) Li-terminated``.
    """

    plane: np.ndarray
    species: tuple[str, ...]
    fractional: np.ndarray
    heights_A: np.ndarray
    stacking: np.ndarray
    surface: str = ""

    @property
    def area_A2(self) -> float:
        """Area of the primitive surface cell."""
        return float(abs(np.linalg.det(self.plane)))

    @property
    def thickness_A(self) -> float:
        """Distance from the lowest to the highest nucleus."""
        return float(self.heights_A[-1] - self.heights_A[0])

    @property
    def period_A(self) -> float:
        """Repeat distance along the normal."""
        return float(self.stacking[2])

    def strained(self, plane: np.ndarray, normal: float, *, flipped: bool = False) -> OrientedSlab:
        """Return the slab with other vectors along the surface, and stretched along the normal.

        Parameters
        ----------
        plane : array, shape (2, 2)
            Rows are the new vectors along the surface.
        normal : float
            Strain of all heights.
        flipped : bool
            Whether its two surfaces change places, as the vectors' other sense of rotation needs.
        """
        sign = -1.0 if flipped else 1.0
        heights = sign * self.heights_A * (1 + normal)
        # Not sorted again: within a plane, rounding would decide the order.
        order = np.arange(heights.size)[:: int(sign)]
        lateral, height = self.stacking[:2], self.stacking[2] * (1 + normal)
        return replace(
            self,
            plane=np.asarray(plane, dtype=float),
            species=tuple(self.species[index] for index in order),
            fractional=self.fractional[order],
            heights_A=heights[order],
            stacking=np.array([*(sign * lateral), height]),
        )

    def bulk(self) -> Structure:
        """Return the primitive cell of the crystal that the slab was cut from, strained alike."""
        bottom = self.heights_A[0]
        own = self.heights_A < bottom + self.period_A - _SAME_A
        lattice = np.zeros((3, 3))
        lattice[:2, :2] = self.plane
        lattice[2] = [*(self.stacking[:2] @ self.plane), self.period_A]
        coords = self._cartesian(self.fractional[own], self.heights_A[own] - bottom)
        species = [one for one, inside in zip(self.species, own, strict=True) if inside]
        return _snapped(Structure(lattice, species, coords, coords_are_cartesian=True))

    def free(self, vacuum_A: float) -> Structure:
        """Return the slab alone, in the middle of a cell with vacuum on both sides."""
        height = self.thickness_A + vacuum_A
        lattice = np.zeros((3, 3))
        lattice[:2, :2] = self.plane
        lattice[2, 2] = height
        coords = self._cartesian(self.fractional, self.heights_A + height / 2)
        return _snapped(Structure(lattice, list(self.species), coords, coords_are_cartesian=True))

    def _cartesian(self, fractional: np.ndarray, heights_A: np.ndarray) -> np.ndarray:
        return np.column_stack([fractional @ self.plane, heights_A])


def oriented_slab(slab: SymmetricSlab, surface: str = "") -> OrientedSlab:
    """Return a slab in the frame that is its own: whichever way it was cut, the same one.

    Parameters
    ----------
    slab : SymmetricSlab
        Not crossing the cell's border along c.
    surface : str
        Surface, as in a record.

    Raises
    ------
    InputError
        The slab is too thin to see how its planes repeat.
    """
    structure = slab.structure
    a, b = structure.lattice.matrix[:2]
    normal = np.cross(a, b) / np.linalg.norm(np.cross(a, b))
    x = a / np.linalg.norm(a)
    frame = np.array([x, np.cross(normal, x), normal])
    plane = (np.array([a, b]) @ frame.T)[:, :2]
    heights = structure.cart_coords @ normal
    heights = heights - (heights.min() + heights.max()) / 2
    species = [site.specie.symbol for site in structure]
    best: tuple[tuple[Any, ...], OrientedSlab] | None = None
    for change in _best_bases(plane):
        vectors = change @ plane
        sign = float(np.sign(np.linalg.det(vectors)))
        length = float(np.linalg.norm(vectors[0]))
        along = float(vectors[0] @ vectors[1]) / length
        upright = np.array([[length, 0.0], [along, abs(float(np.linalg.det(vectors))) / length]])
        fractional = structure.frac_coords[:, :2] @ np.linalg.inv(change)
        own = sign * heights
        for origin in _origins(species, fractional, own, upright):
            # Rounded first: what is a little below 0 would become 1, another cell's atom.
            moved = np.round(fractional - origin, 10) % 1
            keys = [_key(*entry) for entry in zip(species, moved, own, strict=True)]
            order = sorted(range(len(keys)), key=keys.__getitem__)
            fingerprint = tuple(keys[index] for index in order)
            if best is None or fingerprint < best[0]:
                arranged = [species[index] for index in order]
                stacking = _stacking(
                    arranged, moved[order], own[order], upright, slab.period_A, surface
                )
                best = (
                    fingerprint,
                    OrientedSlab(
                        upright, tuple(arranged), moved[order], own[order], stacking, surface
                    ),
                )
    assert best is not None
    return best[1]


def _best_bases(plane: np.ndarray) -> list[np.ndarray]:
    """Return the changes of basis that lead to the shortest vectors with an angle of 60° to 90°."""
    short = np.round(shortest_basis(plane) @ np.linalg.inv(plane)).astype(int)
    found: list[tuple[tuple[int, ...], np.ndarray]] = []
    for entries in itertools.product((-1, 0, 1), repeat=4):
        change = np.array(entries).reshape(2, 2) @ short
        if abs(round(float(np.linalg.det(change)))) != 1:
            continue
        metric = change @ plane @ plane.T @ change.T
        numbers = (metric[0, 0], metric[1, 1], metric[0, 1])
        if metric[0, 1] < -1e-4:
            continue
        found.append((tuple(_step(float(number), 1e-3) for number in numbers), change))
    least = min(shape for shape, _ in found)
    return [change for shape, change in found if shape == least]


def _step(value: float, size: float) -> int:
    """Return which step of a size a number is on, away from the borders that symmetry prefers."""
    return math.floor(value / size + _OFF_BORDER)


def _key(species: str, fractional: np.ndarray, height_A: float) -> tuple[int, str, int, int]:
    x, y = ((float(value) + _OFF_BORDER * 1e-3) % 1 for value in fractional)
    return (
        _step(height_A, 1e-2),
        species,
        math.floor(x / 1e-3),
        math.floor(y / 1e-3),
    )


def _origins(
    species: Sequence[str], fractional: np.ndarray, heights_A: np.ndarray, plane: np.ndarray
) -> list[np.ndarray]:
    """Return the slab's centres of inversion along the surface, or without any its atoms."""
    first = int(np.argmin(heights_A))
    centers = []
    for other, height in enumerate(heights_A):
        if species[other] != species[first] or abs(height + heights_A[first]) > _SAME_A:
            continue
        doubled = fractional[first] + fractional[other]
        image = doubled - fractional
        if _onto(species, image, -heights_A, species, fractional, heights_A, plane):
            halves = itertools.product((0.0, 0.5), repeat=2)
            centers += [doubled / 2 + np.array(half) for half in halves]
    return centers or list(fractional)


def _onto(
    species: Sequence[str],
    image: np.ndarray,
    image_heights_A: np.ndarray,
    known: Sequence[str],
    fractional: np.ndarray,
    heights_A: np.ndarray,
    plane: np.ndarray,
) -> bool:
    """Return whether every one of some atoms lies on an atom of its element."""
    for element, position, height in zip(species, image, image_heights_A, strict=True):
        away = position - fractional
        away = (away - np.round(away)) @ plane
        near = (np.hypot(away[:, 0], away[:, 1]) < _SAME_A) & (np.abs(heights_A - height) < _SAME_A)
        if not any(near[i] and known[i] == element for i in range(len(known))):
            return False
    return True


def _stacking(
    species: Sequence[str],
    fractional: np.ndarray,
    heights_A: np.ndarray,
    plane: np.ndarray,
    period_A: float,
    surface: str,
) -> np.ndarray:
    """Return the lowest translation out of the plane that maps the slab's atoms onto atoms."""
    lowest = int(np.argmin(heights_A))
    candidates = []
    for other, height in enumerate(heights_A):
        rise = float(height - heights_A[lowest])
        if species[other] != species[lowest] or not _SAME_A < rise < period_A + _SAME_A:
            continue
        lateral = fractional[other] - fractional[lowest]
        lateral -= np.ceil(lateral - 0.5 - 1e-6)  # into (−½, ½]
        distance = _step(float(np.linalg.norm(lateral @ plane)), 1e-3)
        candidates.append((_step(rise, 1e-2), distance, tuple(-lateral), rise, lateral))
    for *_, rise, lateral in sorted(candidates, key=lambda one: one[:3]):
        up = heights_A + rise < heights_A.max() + _SAME_A
        down = heights_A - rise > heights_A.min() - _SAME_A
        if _onto(
            [one for one, inside in zip(species, up, strict=True) if inside],
            fractional[up] + lateral,
            heights_A[up] + rise,
            species,
            fractional,
            heights_A,
            plane,
        ) and _onto(
            [one for one, inside in zip(species, down, strict=True) if inside],
            fractional[down] - lateral,
            heights_A[down] - rise,
            species,
            fractional,
            heights_A,
            plane,
        ):
            return np.array([*lateral, rise])
    raise InputError(
        f"the slab {surface} is too thin to see how its planes repeat",
        where="thickness_A",
        fix=f"make it at least {2 * period_A:.1f} Å thick",
    )


@dataclass(frozen=True)
class Match:
    """A common cell of two surfaces.

    Parameters
    ----------
    left, right : ((int, int), (int, int))
        Its vectors along the primitive ones of each side.
    strained : {"left", "right"}
        The side that gives way.
    area_A2 : float
        Area of the common cell.
    atoms : int
        Number of atoms of both slabs.
    principal : (float, float)
        Strains of the side that gives way, in the plane.
    flipped : bool
        Whether that side is turned over.
    """

    left: Rows
    right: Rows
    strained: SideName
    area_A2: float
    atoms: int
    principal: tuple[float, float]
    flipped: bool

    @property
    def mean_strain(self) -> float:
        """Mean magnitude over the three axes, nothing along the normal."""
        return float(np.abs(self.principal).sum() / 3)

    @property
    def largest_strain(self) -> float:
        """Larger one of the two strains in the plane."""
        return float(np.abs(self.principal).max())

    def why_not(self, *, max_strain: float, max_atoms: int) -> str | None:
        """Return why the match is left out, None where it is not."""
        if self.largest_strain > max_strain:
            return f"a strain of {self.largest_strain:.1%} is above {max_strain:.1%}"
        if self.atoms > max_atoms:
            return f"{self.atoms} atoms are above {max_atoms}"
        return None

    def as_dict(self) -> dict[str, object]:
        """Return plain values."""
        return {
            "left": [list(row) for row in self.left],
            "right": [list(row) for row in self.right],
            "strained": self.strained,
            "area_A2": round(self.area_A2, 3),
            "atoms": self.atoms,
            "principal": [round(one, 5) for one in self.principal],
            "flipped": self.flipped,
        }


def find_matches(
    left: OrientedSlab,
    right: OrientedSlab,
    *,
    strained: SideName,
    max_strain: float,
    max_atoms: int,
) -> list[Match]:
    """Return common cells of two surfaces, the best first: fewest atoms, then least strain.

    Cells a little beyond the limits are among them, so that a plan can say what was left out.

    Parameters
    ----------
    left, right : OrientedSlab
        The slabs of the two sides.
    strained : {"left", "right"}
        The side that gives way.
    max_strain : float
        In the plane.
    max_atoms : int
        Largest number of atoms of the common cell.
    """
    # brings a library of symbolic mathematics along, which no other phase needs
    from pymatgen.analysis.interfaces.zsl import ZSLGenerator

    film, base = (left, right) if strained == "left" else (right, left)
    # Digits beyond these are rounding's; symmetry makes ties, which they must not break.
    planes = [np.round(one.plane, 6) for one in (film, base)]
    density = len(film.species) / film.area_A2 + len(base.species) / base.area_A2
    reach = 1.5 * max_strain + 0.01
    generator = ZSLGenerator(
        max_area=1.5 * max_atoms / density + film.area_A2 + base.area_A2,
        max_area_ratio_tol=2.5 * reach * max(1.0, film.area_A2 / base.area_A2),
        max_length_tol=reach,
        max_angle_tol=2 * reach,
    )
    flat = [np.column_stack([plane, np.zeros(2)]) for plane in planes]
    found: dict[tuple[Any, ...], Match] = {}
    for zsl in generator(*flat):
        rows = [
            _whole(np.asarray(vectors)[:, :2] @ np.linalg.inv(plane))
            for vectors, plane in zip(
                (zsl.film_sl_vectors, zsl.substrate_sl_vectors), planes, strict=True
            )
        ]
        onto = np.linalg.solve(np.array(rows[0]) @ film.plane, np.array(rows[1]) @ base.plane)
        values = np.linalg.svd(onto, compute_uv=False) - 1
        match = Match(
            left=rows[0] if strained == "left" else rows[1],
            right=rows[1] if strained == "left" else rows[0],
            strained=strained,
            area_A2=float(abs(np.linalg.det(np.array(rows[1]) @ base.plane))),
            atoms=sum(
                len(slab.species) * abs(_determinant(own))
                for slab, own in zip((film, base), rows, strict=True)
            ),
            principal=(float(values.min()) + 0.0, float(values.max()) + 0.0),
            flipped=bool(np.linalg.det(onto) < 0),
        )
        key = (
            match.atoms,
            _step(match.mean_strain, 1e-4),
            _step(match.largest_strain, 1e-4),
            _step(_spread(np.array(rows[1]) @ base.plane), 1e-3),
            match.flipped,
            *(abs(one) for row in (*match.right, *match.left) for one in row),
            *(-one for row in (*match.right, *match.left) for one in row),
        )
        found.setdefault(key, match)
    return [found[key] for key in sorted(found)]


def _whole(rows: np.ndarray) -> Rows:
    (a, b), (c, d) = np.round(rows).astype(int).tolist()
    return (a, b), (c, d)


def _determinant(rows: Rows) -> int:
    (a, b), (c, d) = rows
    return a * d - b * c


def _spread(vectors: np.ndarray) -> float:
    """Return how long the sides of a cell are; compact cells have little."""
    return float(np.linalg.norm(vectors, axis=1).sum())


def best_match(matches: Sequence[Match], *, max_strain: float, max_atoms: int) -> Match:
    """Return the first match within the limits.

    Raises
    ------
    InputError
        There is none.
    """
    for match in matches:
        if match.why_not(max_strain=max_strain, max_atoms=max_atoms) is None:
            return match
    nearest = ", ".join(
        f"{one.atoms} atoms with {100 * one.largest_strain:.1f} %" for one in matches[:3]
    )
    raise InputError(
        f"no common cell of at most {max_atoms} atoms has a strain of at most "
        f"{100 * max_strain:g} %" + (f" (the next: {nearest})" if nearest else ""),
        where="max_strain",
        fix="raise max_strain or max_atoms, or choose other facets",
    )


@dataclass(frozen=True)
class Joint:
    """Two slabs in one cell along their contact; their lateral shift and gap are still open.

    Parameters
    ----------
    plane : array, shape (2, 2)
        Plane vectors of the common cell, the first one along x.
    left, right : OrientedSlab
        One of them strained.
    repeats : (rows, rows)
        Vectors of ``plane`` along the primitive ones of the left and the right slab.
    """

    plane: np.ndarray
    left: OrientedSlab
    right: OrientedSlab
    repeats: tuple[Rows, Rows]

    @property
    def area_A2(self) -> float:
        """Area of the contact."""
        return float(abs(np.linalg.det(self.plane)))

    @property
    def atoms(self) -> tuple[int, int]:
        """Numbers of atoms of the left and of the right slab."""
        return (
            len(self.left.species) * abs(_determinant(self.repeats[0])),
            len(self.right.species) * abs(_determinant(self.repeats[1])),
        )

    def shifts(self, divisions: int) -> list[tuple[float, float]]:
        """Return lateral shifts of the right slab, fractional in the common cell.

        They divide the cell in which every shift differs, which the translations of both slabs
        together span. Halves of its vectors leave both contacts of a sandwich alike if both slabs
        have a centre of inversion.
        """
        basis = _common_translations(*self.repeats)
        vectors = shortest_basis(basis @ self.plane) @ np.linalg.inv(self.plane)
        steps = itertools.product(range(divisions), repeat=2)
        found = [np.array(step) @ vectors / divisions for step in steps]
        return [(_turn(shift[0]), _turn(shift[1])) for shift in found]

    def widened(self, lateral_A: float, *, most: int = 16) -> tuple[Joint, np.ndarray]:
        """Return the smallest repetition along the contact whose images are far enough apart.

        Parameters
        ----------
        lateral_A : float
            The shortest vector of the wider cell, at least.
        most : int
            Common cells in it.

        Returns
        -------
        Joint
        array, shape (2, 2)
            Vectors of the wider cell along those of this one.

        Raises
        ------
        InputError
            No cell within ``most`` is wide enough.
        """
        for count in range(1, most + 1):
            found = []
            for first in (one for one in range(1, count + 1) if count % one == 0):
                for offset in range(count // first):
                    rows = np.array([[first, offset], [0, count // first]])
                    vectors = shortest_basis(rows @ self.plane)
                    if np.linalg.det(vectors) < 0:
                        vectors[1] = -vectors[1]
                    change = np.round(vectors @ np.linalg.inv(self.plane)).astype(int)
                    lengths = np.linalg.norm(vectors, axis=1)
                    if lengths.min() > lateral_A - _SAME_A:
                        key = (-_step(lengths.min(), 1e-2), _step(lengths.sum(), 1e-2))
                        found.append((key, tuple(change.ravel()), vectors, change))
            if found:
                *_, vectors, change = min(found, key=lambda one: one[:2])
                return self._repeated(vectors, change), change
        raise InputError(
            f"no cell of at most {most} common cells keeps images {lateral_A:g} Å apart",
            where="hop: lateral_A",
            fix="ask for less",
        )

    def _repeated(self, vectors: np.ndarray, change: np.ndarray) -> Joint:
        length = float(np.linalg.norm(vectors[0]))
        along = float(vectors[0] @ vectors[1]) / length
        plane = np.array([[length, 0.0], [along, float(np.linalg.det(vectors)) / length]])
        repeats = tuple(_whole(change @ np.array(rows)) for rows in self.repeats)
        sides = [
            slab.strained(np.linalg.solve(np.array(rows, dtype=float), plane), 0.0)
            for slab, rows in zip((self.left, self.right), repeats, strict=True)
        ]
        return Joint(plane, sides[0], sides[1], (repeats[0], repeats[1]))

    def contact_height_A(self, gap_A: float) -> float:
        """Return the height of the middle of a sandwich's first gap, the left side being below."""
        return self.left.thickness_A / 2 + gap_A / 2

    def sandwich(self, shift: Sequence[float], gap_A: float) -> Structure:
        """Return the periodic stack of both slabs, with two contacts.

        Parameters
        ----------
        shift : (float, float)
            Shift of the right slab, fractional in the common cell.
        gap_A : float
            Between the outermost nuclei.
        """
        height = self.left.thickness_A + self.right.thickness_A + 2 * gap_A
        return self._stack(shift, height, 0.0, height / 2)

    def with_vacuum(self, shift: Sequence[float], gap_A: float, vacuum_A: float) -> Structure:
        """Return one contact with vacuum beyond both slabs, the left one below."""
        thick = self.left.thickness_A + self.right.thickness_A + gap_A
        below = vacuum_A / 2 + self.left.thickness_A / 2
        above = vacuum_A / 2 + thick - self.right.thickness_A / 2
        return self._stack(shift, thick + vacuum_A, below, above)

    def _stack(
        self, shift: Sequence[float], height_A: float, left_A: float, right_A: float
    ) -> Structure:
        lattice = np.zeros((3, 3))
        lattice[:2, :2] = self.plane
        lattice[2, 2] = height_A
        species: list[str] = []
        rows: list[np.ndarray] = []
        for slab, repeats, middle, offset in (
            (self.left, self.repeats[0], left_A, np.zeros(2)),
            (self.right, self.repeats[1], right_A, np.asarray(shift, dtype=float)),
        ):
            inverse = np.linalg.inv(np.array(repeats))
            for cell in _cells_within(repeats):
                species += slab.species
                lateral = (slab.fractional + cell) @ inverse + offset
                rows.append(np.column_stack([lateral, (slab.heights_A + middle) / height_A]))
        return _snapped(Structure(lattice, species, np.concatenate(rows)))

    def close_gap_A(self, shift: Sequence[float]) -> float:
        """Return the gap at which the first atoms touch, to 0.01 Å.

        Two atoms touch at the shortest distance that their elements have in one of the crystals,
        and where they have none at the mean of the distances of equal atoms.
        """
        touching = _shortest_distances(self.left.bulk(), self.right.bulk())
        whole = self.sandwich(shift, 0.0)
        left, right = whole[: self.atoms[0]], whole[self.atoms[0] :]
        tops = [
            (one, self.left.thickness_A / 2 - _centered(one.coords[2], whole))
            for one in left
            if _centered(one.coords[2], whole) > self.left.thickness_A / 2 - 3
        ]
        bottoms = [
            (one, one.coords[2] % whole.lattice.c - self.left.thickness_A / 2)
            for one in right
            if one.coords[2] % whole.lattice.c < self.left.thickness_A / 2 + 3
        ]
        gap = _LEAST_GAP_A
        for above, depth in tops:
            for below, height in bottoms:
                wanted = touching[frozenset((above.specie.symbol, below.specie.symbol))]
                lateral = above.frac_coords[:2] - below.frac_coords[:2]
                lateral -= np.round(lateral)
                for image in itertools.product((-1, 0, 1), repeat=2):
                    distance = np.linalg.norm((lateral + np.array(image)) @ self.plane)
                    if distance < wanted:
                        gap = max(gap, math.sqrt(wanted**2 - distance**2) - depth - height)
        return round(gap, 2)


def join(
    left: OrientedSlab, right: OrientedSlab, match: Match, *, normal_strain: float = 0.0
) -> Joint:
    """Join two slabs in their common cell; one of them is strained.

    Parameters
    ----------
    left, right : OrientedSlab
        The slabs of the two sides.
    match : Match
        The common cell.
    normal_strain : float
        Strain along the normal of the side that is strained.
    """
    base, own = (right, match.right) if match.strained == "left" else (left, match.left)
    vectors = np.array(own) @ base.plane
    if np.linalg.det(vectors) < 0:
        # Turned over the other way round: both sides' vectors in the other order.
        match = replace(match, left=match.left[::-1], right=match.right[::-1])
        own = match.right if match.strained == "left" else match.left
        vectors = np.array(own) @ base.plane
    length = float(np.linalg.norm(vectors[0]))
    along = float(vectors[0] @ vectors[1]) / length
    common = np.array([[length, 0.0], [along, float(np.linalg.det(vectors)) / length]])
    planes = [np.linalg.solve(np.array(rows), common) for rows in (match.left, match.right)]
    sides = []
    for name, slab, plane in zip(("left", "right"), (left, right), planes, strict=True):
        gives_way = name == match.strained
        sides.append(
            slab.strained(
                plane,
                normal_strain if gives_way else 0.0,
                flipped=gives_way and match.flipped,
            )
        )
    return Joint(common, sides[0], sides[1], (match.left, match.right))


def distinct_registries(
    joint: Joint, divisions: int
) -> tuple[list[tuple[float, float]], list[str]]:
    """Return the shifts whose two contacts are alike and which no symmetry maps onto another.

    Returns
    -------
    list of (float, float)
    list of str
        Why the others were left out.
    """
    kept: list[tuple[tuple[float, float], Structure]] = []
    reasons: list[str] = []
    matcher = StructureMatcher(
        ltol=0.01, stol=0.02, angle_tol=0.5, primitive_cell=False, scale=False
    )
    for shift in joint.shifts(divisions):
        whole = joint.sandwich(shift, 2.5)
        label = f"shift ({shift[0]:.3f}, {shift[1]:.3f})"
        if not contacts_alike(whole):
            reasons.append(f"{label}: its two contacts differ")
        elif twin := next((known for known, other in kept if matcher.fit(whole, other)), None):
            reasons.append(f"{label}: as ({twin[0]:.3f}, {twin[1]:.3f})")
        else:
            kept.append((shift, whole))
    if not kept:
        raise InputError(
            "no lateral shift makes both contacts equivalent: a slab has no centre of inversion",
            where="geometry",
            fix="choose a termination with one, or `geometry: vacuum`",
        )
    return [shift for shift, _ in kept], reasons


def contacts_alike(sandwich: Structure) -> bool:
    """Return whether a symmetry operation exchanges the two contacts of a sandwich."""
    analyzer = SpacegroupAnalyzer(sandwich, symprec=SYMMETRY_TOLERANCE_A)
    return any(
        round(float(operation.rotation_matrix[2, 2])) == -1
        for operation in analyzer.get_symmetry_operations()
    )


@dataclass(frozen=True)
class SitesAcross:
    """Two sites of the mobile ion, one on either side of a contact.

    Parameters
    ----------
    left, right : int
        Sites of the structure.
    distance_A : float
        Between the two sites.
    planes : (int, int)
        Sites of the ion in the plane next to the contact, on the left and on the right.
    """

    left: int
    right: int
    distance_A: float
    planes: tuple[int, int]


def sites_across(whole: Structure, ion: str, *, left_atoms: int, contact_A: float) -> SitesAcross:
    """Return the two nearest sites of an ion on either side of a sandwich's first contact.

    Parameters
    ----------
    whole : Structure
        Structure of both sides, with the atoms of the left side first.
    ion : str
        The mobile element.
    left_atoms : int
        How many atoms, the first ones, are those of the left side.
    contact_A : float
        Height of the contact.

    Raises
    ------
    InputError
        One side has no such ion.
    """
    height = whole.lattice.c
    planes: list[list[int]] = []
    for side, sites in enumerate((range(left_atoms), range(left_atoms, len(whole)))):
        away = {}
        for site in sites:
            if whole[site].specie.symbol == ion:
                distance = (whole[site].coords[2] - contact_A) * (1 if side else -1)
                away[site] = distance - height * math.floor(distance / height + 0.25)
        beyond = {site: one for site, one in away.items() if one > 0}
        if not beyond:
            raise InputError(
                f"the {('left', 'right')[side]} side has no {ion} to hop",
                where="hop",
                fix="leave the hop out",
            )
        nearest = min(beyond.values())
        planes.append([site for site, one in beyond.items() if one < nearest + _PLANE_A])
    pairs = []
    for left, right in itertools.product(*planes):
        distance = whole.get_distance(left, right)
        pairs.append((_step(distance, 2e-2), left, right, float(distance)))
    _, left, right, distance = min(pairs)
    return SitesAcross(left, right, distance, (len(planes[0]), len(planes[1])))


def _centered(height_A: float, structure: Structure) -> float:
    """Return a height between minus and plus half a cell."""
    return float(height_A - structure.lattice.c * round(height_A / structure.lattice.c))


def _shortest_distances(*crystals: Structure) -> dict[frozenset[str], float]:
    """Return the shortest distance of each pair of elements in one of some crystals, in Å."""
    found: dict[frozenset[str], float] = {}
    elements = sorted({site.specie.symbol for crystal in crystals for site in crystal})
    for crystal in crystals:
        for site, near in zip(crystal, crystal.get_all_neighbors(6.0), strict=True):
            for other in near:
                pair = frozenset((site.specie.symbol, other.specie.symbol))
                found[pair] = min(found.get(pair, math.inf), float(other.nn_distance))
    for one, other in itertools.combinations(elements, 2):
        alike = [found.get(frozenset((element,)), 3.0) for element in (one, other)]
        found.setdefault(frozenset((one, other)), sum(alike) / 2)
    return found


def _cells_within(repeats: Rows) -> Iterator[np.ndarray]:
    """Yield the primitive cells within one common cell, in a fixed order."""
    rows = np.array(repeats)
    inverse, count = np.linalg.inv(rows), abs(_determinant(repeats))
    reach = int(np.abs(rows).sum())
    seen = 0
    for cell in itertools.product(range(-reach, reach + 1), repeat=2):
        inside = np.array(cell) @ inverse
        if np.all(inside > -1e-6) and np.all(inside < 1 - 1e-6):
            seen += 1
            yield np.array(cell)
    assert seen == count


def _common_translations(left: Rows, right: Rows) -> np.ndarray:
    """Return the vectors that the translations of both sides span, along the common cell's."""
    counts = [abs(_determinant(rows)) for rows in (left, right)]
    common = math.lcm(*counts)
    generators: list[list[int]] = []
    for rows in (left, right):
        scaled = np.linalg.inv(np.array(rows)) * common
        generators += np.round(scaled).astype(int).tolist()
    # Gauss's elimination over whole numbers.
    basis: list[list[int]] = []
    for column in (0, 1):
        pool = [row for row in generators if row[column] != 0]
        rest = [row for row in generators if row[column] == 0]
        while len(pool) > 1:
            pool.sort(key=lambda row: abs(row[column]))
            pivot = pool[0]
            reduced = [
                [
                    entry - row[column] // pivot[column] * by
                    for entry, by in zip(row, pivot, strict=True)
                ]
                for row in pool[1:]
            ]
            rest += [row for row in reduced if row[column] == 0]
            pool = [pivot, *(row for row in reduced if row[column] != 0)]
        basis += pool
        generators = rest
    return np.array(basis) / common


def _turn(value: float) -> float:
    """Return a fraction between 0 and 1, without rounding's last digits."""
    return round(float(value), 9) % 1 + 0.0


def _snapped(structure: Structure) -> Structure:
    """Return a structure within its cell, without rounding's last digits."""
    fractional = np.round(np.mod(np.round(structure.frac_coords, 10), 1), 10) + 0.0
    lattice = Lattice(np.round(structure.lattice.matrix, 10) + 0.0)
    return Structure(lattice, structure.species, fractional)
