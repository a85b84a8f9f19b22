"""The jobs of an interface that calculate nothing: structures from structures, its document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from jobflow import job
from pymatgen.core import Structure

from interohm.database import Database
from interohm.errors import InputError
from interohm.postprocess.interfaces import lowest_position
from interohm.slab_builders.cells import Crystal
from interohm.slab_builders.interfaces import (
    Joint,
    Match,
    OrientedSlab,
    best_match,
    distinct_registries,
    find_matches,
    join,
    oriented_slab,
    sites_across,
)
from interohm.slab_builders.slabs import build_slab, facet_name

from .calculations import calculation_of, find_calculation
from .context import active_database

#: Strains along the normal, around the guess, at which the strained crystal is calculated.
NORMAL_STRAINS = (-0.04, -0.02, 0.0, 0.02, 0.04)
#: Å, beside the gap at which the first atoms touch, which the registries were compared at.
GAP_STEPS_A = (-0.3, 0.3, 0.6)
_VACUUM_A = 10.0
_NO_STRAIN = 1e-4


def side_of(side: Mapping[str, Any], relaxed: Structure, *, thickness_A: float) -> OrientedSlab:
    """Return the slab of one side.

    Parameters
    ----------
    side : mapping
        ``conventional`` and ``primitive`` cells as the campaign gives them, the ``facet``, whether
        it is a ``conductor``, and given ``charges`` by element.
    relaxed : Structure
        The primitive cell.
    thickness_A : float
        Least thickness of each slab.
    """
    crystal = Crystal(side["conventional"], side["primitive"]).relaxed(relaxed)
    facet = tuple(side["facet"])
    slab = build_slab(
        crystal.conventional,
        facet,
        thickness_A=thickness_A,
        vacuum_A=_VACUUM_A,
        conductor=side.get("conductor", False),
        charges=side.get("charges"),
    )
    return oriented_slab(slab, f"{facet_name(facet)} {slab.termination}-terminated")


def joint_of(
    sides: Sequence[Mapping[str, Any]],
    relaxed: Sequence[Structure],
    match: Mapping[str, Any],
    *,
    thickness_A: float,
    normal: float,
) -> Joint:
    """Return both slabs in their common cell."""
    left, right = (
        side_of(side, crystal, thickness_A=thickness_A)
        for side, crystal in zip(sides, relaxed, strict=True)
    )
    return join(left, right, match_from(match), normal_strain=normal)


def match_from(plain: Mapping[str, Any]) -> Match:
    """Return a match from plain values."""
    rows = {
        name: tuple(tuple(int(one) for one in row) for row in plain[name])
        for name in ("left", "right")
    }
    return Match(
        left=rows["left"],  # type: ignore[arg-type]
        right=rows["right"],  # type: ignore[arg-type]
        strained=plain["strained"],
        area_A2=plain["area_A2"],
        atoms=plain["atoms"],
        principal=tuple(plain["principal"]),
        flipped=plain["flipped"],
    )


@job
def match_slabs(
    sides: list[dict[str, Any]],
    relaxed: list[Structure],
    cells: list[str],
    *,
    strained: Literal["left", "right"],
    max_strain: float,
    max_atoms: int,
    max_matches: int,
    thickness_A: float,
) -> dict[str, Any]:
    """Choose the common cell, and strain the crystal that gives way.

    Parameters
    ----------
    sides : list of mapping
        As in `side_of`.
    relaxed : list of Structure
        Their primitive cells.
    cells : list of str
        Hashes of the calculations that relaxed them.
    strained : {"left", "right"}
        The side that gives way.
    max_strain : float
        In the plane, at most.
    max_atoms, max_matches : int
        Largest number of atoms of the common cell, and how many cells are kept.
    thickness_A : float
        Least thickness of each slab.

    Returns
    -------
    dict
        ``match``; ``left_out``, why others were not taken; ``normal_strains`` and ``bulks``, the
        strained crystal at each of them.
    """
    slabs = [
        side_of(side, crystal, thickness_A=thickness_A)
        for side, crystal in zip(sides, relaxed, strict=True)
    ]
    limits: dict[str, Any] = {"max_strain": max_strain, "max_atoms": max_atoms}
    matches = find_matches(*slabs, strained=strained, **limits)
    with active_database() as database:
        known = all(find_calculation(database, hash) for hash in cells)
    match = chosen_match(matches, known=known, **limits)
    # A cubic crystal's height follows its plane about so (half of the in-plane strains' sum).
    guess = round(-0.5 * sum(match.principal), 3)
    # Without a strain in the plane there is no height to look for.
    steps = NORMAL_STRAINS if match.largest_strain > _NO_STRAIN else [0.0] * len(NORMAL_STRAINS)
    strains = [round(guess + step, 3) for step in steps]
    bulks = []
    for strain in strains:
        joint = join(slabs[0], slabs[1], match, normal_strain=strain)
        bulks.append((joint.left if strained == "left" else joint.right).bulk())
    return {
        "match": match.as_dict(),
        "left_out": left_out(matches, match, max_matches=max_matches, **limits),
        "surfaces": [slab.surface for slab in slabs],
        "normal_strains": strains,
        "bulks": bulks,
    }


def chosen_match(
    matches: Sequence[Match], *, known: bool, max_strain: float, max_atoms: int
) -> Match:
    """Return the best match; before the crystals are relaxed one a little beyond the limits, too.

    Parameters
    ----------
    matches : sequence of Match
        Common cells, the best first.
    known : bool
        Whether the crystals are relaxed: in a plan they may be as the campaign gives them.
    max_strain : float
        In the plane, at most.
    max_atoms : int
        Largest number of atoms of the common cell.

    Raises
    ------
    InputError
        There is none.
    """
    try:
        return best_match(matches, max_strain=max_strain, max_atoms=max_atoms)
    except InputError:
        if known:
            raise
        return best_match(matches, max_strain=2 * max_strain, max_atoms=max_atoms)


def left_out(
    matches: Sequence[Match],
    chosen: Match,
    *,
    max_strain: float,
    max_atoms: int,
    max_matches: int,
) -> list[str]:
    """Return why other common cells were not taken, each kind once."""
    found: dict[str, None] = {}
    for match in matches:
        if match is chosen:
            continue
        reason = match.why_not(max_strain=max_strain, max_atoms=max_atoms) or (
            "more atoms" if match.atoms > chosen.atoms else "no better than the one taken"
        )
        label = f"{match.atoms} atoms, {match.area_A2:.1f} Å², mean strain {match.mean_strain:.1%}"
        found.setdefault(f"{label}: {reason}")
    return list(found)[:max_matches]


@job
def settle_strain(
    sides: list[dict[str, Any]],
    relaxed: list[Structure],
    matched: dict[str, Any],
    bulks: list[dict[str, Any]],
    *,
    thickness_A: float,
    vacuum_A: float,
    divisions: int,
) -> dict[str, Any]:
    """Take the height at which the strained crystal's energy is least; lay the slabs on each other.

    Returns
    -------
    dict
        ``normal`` strain; the strained ``bulk``; both ``free`` slabs; ``shifts``, ``gaps`` and
        ``sandwiches``, as many as there may be: equivalent ones repeat the first.
    """
    with active_database() as database:
        energies = _energies(database, bulks)
    strains = matched["normal_strains"]
    normal, bracketed = strains[len(strains) // 2], False
    if strains[0] == strains[-1]:
        bracketed = True
    elif energies is not None:
        lowest = lowest_position(strains, energies)
        normal, bracketed = round(lowest.place, 3), lowest.bracketed
    joint = joint_of(sides, relaxed, matched["match"], thickness_A=thickness_A, normal=normal)
    shifts, reasons = distinct_registries(joint, divisions)
    repeated = [*shifts, *[shifts[0]] * (divisions**2 - len(shifts))]
    gaps = [joint.close_gap_A(shift) for shift in repeated]
    strained = joint.left if matched["match"]["strained"] == "left" else joint.right
    return {
        "normal": normal,
        "bracketed": bracketed,
        "bulk": strained.bulk(),
        "free": [side.free(vacuum_A) for side in (joint.left, joint.right)],
        "periods_A": [side.period_A for side in (joint.left, joint.right)],
        "shifts": [list(shift) for shift in repeated],
        "left_out": reasons,
        "gaps": gaps,
        "sandwiches": [
            joint.sandwich(shift, gap) for shift, gap in zip(repeated, gaps, strict=True)
        ],
    }


@job
def choose_registry(
    sides: list[dict[str, Any]],
    relaxed: list[Structure],
    matched: dict[str, Any],
    settled: dict[str, Any],
    scanned: list[dict[str, Any]],
    *,
    thickness_A: float,
) -> dict[str, Any]:
    """Take the lateral shift of lowest energy; of equal ones (to 1 meV) the first.

    Returns
    -------
    dict
        ``shift``; ``gaps`` and ``sandwiches`` to be calculated besides; ``energies_eV`` of the
        shifts.
    """
    with active_database() as database:
        energies = _energies(database, scanned)
    index = 0
    if energies is not None:
        above = [energy - min(energies) for energy in energies]
        index = next(one for one, rise in enumerate(above) if rise < 1e-3)
    shift, close = settled["shifts"][index], settled["gaps"][index]
    joint = joint_of(
        sides, relaxed, matched["match"], thickness_A=thickness_A, normal=settled["normal"]
    )
    gaps = [round(close + step, 2) for step in GAP_STEPS_A]
    return {
        "place": index,
        "shift": shift,
        "close_gap_A": close,
        "gaps": gaps,
        "sandwiches": [joint.sandwich(shift, gap) for gap in gaps],
        "above_lowest_eV": None if energies is None else [round(one, 4) for one in above],
    }


@job
def close_gap(
    sides: list[dict[str, Any]],
    relaxed: list[Structure],
    matched: dict[str, Any],
    settled: dict[str, Any],
    registry: dict[str, Any],
    scanned: list[dict[str, Any]],
    spread: list[dict[str, Any]],
    *,
    thickness_A: float,
) -> dict[str, Any]:
    """Return the sandwich at the gap of lowest energy, to 0.01 Å."""
    with active_database() as database:
        energies = _energies(database, [scanned[registry["place"]], *spread])
    gap, bracketed = registry["close_gap_A"], False
    if energies is not None:
        lowest = lowest_position([gap, *registry["gaps"]], energies)
        gap, bracketed = round(lowest.place, 2), lowest.bracketed
    joint = joint_of(
        sides, relaxed, matched["match"], thickness_A=thickness_A, normal=settled["normal"]
    )
    middle = joint.left.thickness_A / 2 + gap + joint.right.thickness_A / 2
    return {
        "structure": joint.sandwich(registry["shift"], gap),
        "gap_A": gap,
        "bracketed": bracketed,
        "left_atoms": joint.atoms[0],
        "repeats": [abs(round(np.linalg.det(np.array(rows)))) for rows in joint.repeats],
        "area_A2": joint.area_A2,
        "heights_A": [0.0, joint.contact_height_A(gap), middle],
    }


@job
def part_sides(contact: dict[str, Any], relaxed: Structure) -> dict[str, Any]:
    """Return each side alone, where it is in the contact."""
    left, right = relaxed.copy(), relaxed.copy()
    count = contact["left_atoms"]
    left.remove_sites(range(count, len(relaxed)))
    right.remove_sites(range(count))
    return {"left": left, "right": right}


@job
def place_ion(
    sides: list[dict[str, Any]],
    relaxed: list[Structure],
    matched: dict[str, Any],
    settled: dict[str, Any],
    registry: dict[str, Any],
    contact: dict[str, Any],
    *,
    ion: str,
    thickness_A: float,
    lateral_A: float,
) -> dict[str, Any]:
    """Return the ion on the left of a contact beside a vacancy on the right, and the reverse."""
    narrow = joint_of(
        sides, relaxed, matched["match"], thickness_A=thickness_A, normal=settled["normal"]
    )
    joint, change = narrow.widened(lateral_A)
    shift = (np.array(registry["shift"]) @ np.linalg.inv(change)).tolist()
    whole = joint.sandwich(shift, contact["gap_A"])
    sites = sites_across(
        whole,
        ion,
        left_atoms=joint.atoms[0],
        contact_A=joint.contact_height_A(contact["gap_A"]),
    )
    before = whole.copy()
    before.remove_sites([sites.right])
    after = whole.copy()
    after.translate_sites(
        [sites.left],
        _nearest(whole, sites.left, sites.right),
        frac_coords=True,
        to_unit_cell=False,
    )
    after.remove_sites([sites.right])
    return {
        "before": before,
        "after": after,
        "distance_A": sites.distance_A,
        "planes": list(sites.planes),
        "area_A2": joint.area_A2,
        "cells": abs(round(np.linalg.det(change))),
    }


def _nearest(whole: Structure, site: int, other: int) -> np.ndarray:
    """Return the fractional vector from a site to the nearest image of another one."""
    away = whole[other].frac_coords - whole[site].frac_coords
    return np.asarray(away + whole[site].distance_and_image(whole[other])[1])


@job
def join_ends(before: Structure, after: Structure) -> dict[str, Any]:
    """Return the ends of a path, each atom of the second one next to its place in the first."""
    moved = after.frac_coords + np.round(before.frac_coords - after.frac_coords)
    positions = before.lattice.get_cartesian_coords(moved)
    return {
        "before": before,
        # Rounded as in a calculation's hash; adding zero turns −0.0 into 0.0.
        "end_positions_A": (np.round(positions, 5) + 0.0).tolist(),
    }


def _energies(database: Database, outputs: Sequence[Mapping[str, Any]]) -> list[float] | None:
    """Return total energies; None in a dry run, where nothing is there yet."""
    found = [calculation_of(database, output) for output in outputs]
    known = [one.energy_eV for one in found if one is not None]
    return known if len(known) == len(found) else None
