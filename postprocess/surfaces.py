"""Surfaces of a phase: surface energies, Wulff shape, and the level that follows.

Wulff construction: Tran et al., Sci. Data 3, 160080 (2016), by pymatgen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import numpy as np
from pymatgen.core import Lattice

from interohm.records import Insulator, Metal, Quantity
from interohm.slab_builders.ties import first_of_lowest

from .calculation import Calculation
from .levels import level_above_middle, work_function

Record = TypeVar("Record", Insulator, Metal)
Facet = tuple[int, int, int]

#: J/m² in one eV/Å².
_J_M2 = 16.02176634

#: Surfaces whose energies differ by less are equally stable: the first one counts.
_SAME_ENERGY_J_M2 = 1e-3


@dataclass(frozen=True)
class SlabSize:
    """One slab of a series that grows until its level stays.

    Parameters
    ----------
    thickness_A, vacuum_A : float
        Requested thickness and vacuum.
    slab : Calculation
        The slab of this size.
    """

    thickness_A: float
    vacuum_A: float
    slab: Calculation


@dataclass(frozen=True)
class Surface:
    """One surface of a crystal.

    Parameters
    ----------
    facet : tuple of int
        Miller indices.
    termination, tasker_type : str
        The elements of the outermost plane, and Tasker's type of the surface.
    period_A : float
        Repeat distance of the crystal along the normal.
    series : sequence of SlabSize
        The last one counts.
    as_cut : Calculation, optional
        The last one before its atoms were relaxed.
    """

    facet: Facet
    termination: str
    tasker_type: str
    period_A: float
    series: Sequence[SlabSize]
    as_cut: Calculation | None = None

    @property
    def slab(self) -> Calculation:
        """Slab that determines the surface."""
        return self.series[-1].slab

    def level_eV(self, size: SlabSize, *, metal: bool) -> float:
        """Return a work function, or vacuum above the crystal's average potential."""
        return slab_level(size.slab, self.period_A, metal=metal)

    def last_change_eV(self, *, metal: bool) -> float:
        """Return by how much the level moved in the last step of the series; 0 for one slab."""
        if len(self.series) == 1:
            return 0.0
        before, after = (self.level_eV(size, metal=metal) for size in self.series[-2:])
        return abs(after - before)


@dataclass(frozen=True)
class Survey:
    """Surfaces beside each other.

    Parameters
    ----------
    surfaces : sequence of Surface
        All that were calculated.
    energies_J_m2 : sequence of float or None
        None where slab and bulk were calculated with different cutoffs.
    area_fractions : sequence of float
        Area fractions of the Wulff shape; zero for terminations with a higher energy than another
        one of the same facet.
    energies_as_cut_J_m2 : sequence of float or None
        None where no slab was calculated both ways.
    """

    surfaces: Sequence[Surface]
    energies_J_m2: Sequence[float | None]
    area_fractions: Sequence[float]
    energies_as_cut_J_m2: Sequence[float | None]

    @property
    def stable(self) -> Surface:
        """Surface of the lowest energy."""
        known = [np.inf if energy is None else energy for energy in self.energies_J_m2]
        return self.surfaces[first_of_lowest(known, _SAME_ENERGY_J_M2)]


def slab_level(slab: Calculation, period_A: float, *, metal: bool) -> float:
    """Return a metal's work function, or an insulator's vacuum above its average potential."""
    return work_function(slab) if metal else level_above_middle(slab, period_A)


def next_size(
    history: Sequence[tuple[float, float, float | None]], tolerance_eV: float, period_A: float
) -> tuple[float, float] | None:
    """Return thickness and vacuum of the next slab, or None when the level stays.

    First the slab grows, a repeat distance at a time, then the vacuum, by `VACUUM_STEP_A`.

    Parameters
    ----------
    history : sequence of (thickness, vacuum, level)
        In Å and eV; a level that is not known yet counts as one that moves.
    tolerance_eV : float
        Largest change of the level that counts as converged.
    period_A : float
        Repeat distance of the crystal along the normal.
    """
    thickness, vacuum, level = history[-1]
    if len(history) == 1:
        return thickness + period_A, vacuum
    thickness_before, vacuum_before, level_before = history[-2]
    if (thickness, vacuum) == (thickness_before, vacuum_before):
        return None  # the series ended here before
    stays = (
        level is not None and level_before is not None and abs(level - level_before) < tolerance_eV
    )
    if vacuum > vacuum_before:
        return None if stays else (thickness, vacuum + VACUUM_STEP_A)
    return (thickness, vacuum + VACUUM_STEP_A) if stays else (thickness + period_A, vacuum)


#: Å by which the vacuum grows.
VACUUM_STEP_A = 4.0


def surface_energy(
    slab: Calculation,
    bulk: Calculation,
    chemical_potentials_eV: Mapping[str, float] | None = None,
) -> float | None:
    """Return the energy of a symmetric slab's surface in J/m².

    ``(E_slab − n·E_bulk)/2A`` for n formula units, else ``(E_slab − Σ n_i·mu_i)/2A``.

    Parameters
    ----------
    slab, bulk : Calculation
        The slab, and the primitive cell of the crystal.
    chemical_potentials_eV : mapping of str to float, optional
        Total energies per atom of the reservoirs; for slabs that are not whole formula units.

    Returns
    -------
    float or None
        None where slab and bulk differ in functional or cutoff, or a chemical potential is missing.
    """
    if any(slab.settings[field] != bulk.settings[field] for field in ("xc", "cutoff_eV")):
        return None
    structure = slab.final_structure
    counts = structure.composition.get_el_amt_dict()
    unit = bulk.final_structure.composition
    if structure.composition.reduced_formula == unit.reduced_formula:
        reference = bulk.energy_per_atom_eV * len(structure)
    elif chemical_potentials_eV is None or not counts.keys() <= chemical_potentials_eV.keys():
        return None
    else:
        reference = sum(n * chemical_potentials_eV[element] for element, n in counts.items())
    a, b = structure.lattice.matrix[:2]
    return float((slab.energy_eV - reference) / (2 * np.linalg.norm(np.cross(a, b))) * _J_M2)


def survey(
    surfaces: Sequence[Surface],
    bulk: Calculation,
    conventional: Lattice,
    chemical_potentials_eV: Mapping[str, float] | None = None,
) -> Survey:
    """Compare surfaces of one crystal.

    Parameters
    ----------
    surfaces : sequence of Surface
        All that were calculated.
    bulk : Calculation
        The primitive cell of the crystal.
    conventional : Lattice
        To which the Miller indices refer.
    chemical_potentials_eV : mapping of str to float, optional
        See `surface_energy`.

    Raises
    ------
    ValueError
        A surface energy is not positive: the crystal would fall apart.
    """
    energies = [surface_energy(one.slab, bulk, chemical_potentials_eV) for one in surfaces]
    for surface, energy in zip(surfaces, energies, strict=True):
        if energy is not None and energy <= 0:
            raise ValueError(
                f"the surface {surface.facet} ({surface.termination}) has the energy "
                f"{energy:.3f} J/m2: slab and bulk do not belong together"
            )
    as_cut = [
        None if one.as_cut is None else surface_energy(one.as_cut, bulk, chemical_potentials_eV)
        for one in surfaces
    ]
    return Survey(surfaces, energies, _wulff_fractions(conventional, surfaces, energies), as_cut)


def _wulff_fractions(
    lattice: Lattice, surfaces: Sequence[Surface], energies: Sequence[float | None]
) -> list[float]:
    lowest: dict[Facet, int] = {}
    for index, (surface, energy) in enumerate(zip(surfaces, energies, strict=True)):
        if energy is None:
            continue
        rival = lowest.get(surface.facet)
        if rival is None or energy < float(energies[rival] or 0):
            lowest[surface.facet] = index
    if len(lowest) < 2:
        # One facet encloses nothing in general, and there is nothing to weigh.
        return [1.0 if index in lowest.values() else 0.0 for index in range(len(surfaces))]
    from pymatgen.analysis.wulff import WulffShape  # brings Matplotlib along

    shape = WulffShape(lattice, list(lowest), [energies[index] for index in lowest.values()])
    fractions = shape.area_fraction_dict
    return [
        float(fractions[surface.facet]) if lowest.get(surface.facet) == index else 0.0
        for index, surface in enumerate(surfaces)
    ]


def with_survey(
    record: Record, seen: Survey, *, level: Literal["stable", "wulff"], tolerance_eV: float | None
) -> Record:
    """Return a record with its surfaces in the provenance and the level that was asked for.

    Parameters
    ----------
    record : Insulator or Metal
        With the level of the stable surface.
    seen : Survey
        Survey of the crystal's surfaces.
    level : str
        ``stable``: of the surface of the lowest energy; ``wulff``: the mean over the Wulff shape's
        area, its spread in quadrature with the uncertainty.
    tolerance_eV : float, optional
        A series whose last step moved the level by more did not converge: that step is added to the
        uncertainty in quadrature.
    """
    metal = isinstance(record, Metal)
    own = seen.stable.level_eV(seen.stable.series[-1], metal=metal)
    levels = [one.level_eV(one.series[-1], metal=metal) - own for one in seen.surfaces]
    given = (
        record.states[0].work_function_eV
        if isinstance(record, Metal)
        else record.ionization_potential_eV
    )
    entries = [
        _entry(
            surface,
            energy,
            fraction if len(seen.surfaces) > 1 else None,
            given.value + step,
            metal,
            tolerance_eV,
            as_cut,
        )
        for surface, energy, fraction, step, as_cut in zip(
            seen.surfaces,
            seen.energies_J_m2,
            seen.area_fractions,
            levels,
            seen.energies_as_cut_J_m2,
            strict=True,
        )
    ]
    shift, spread, weights = 0.0, 0.0, np.array([one is seen.stable for one in seen.surfaces])
    if level == "wulff":
        weights = np.asarray(seen.area_fractions)
        shift = float(weights @ levels)
        spread = float(np.sqrt(weights @ (np.asarray(levels) - shift) ** 2))
    unsteady = [
        change if tolerance_eV is not None and change >= tolerance_eV else 0.0
        for change in (one.last_change_eV(metal=metal) for one in seen.surfaces)
    ]
    change = float(weights @ unsteady)
    changes: dict[str, Any] = {
        "provenance": {
            **record.provenance,
            **({"surface_level": level} if len(entries) > 1 else {}),
            "surfaces": entries,
        }
    }
    if shift or spread or change:
        moved = _moved(given, shift, spread, change, level)
        if isinstance(record, Metal):
            state = record.states[0].model_copy(update={"work_function_eV": moved})
            changes["states"] = [state, *record.states[1:]]
        else:
            changes["ionization_potential_eV"] = moved
    return record.model_copy(update=changes)


def _moved(given: Quantity, shift: float, spread: float, change: float, level: str) -> Quantity:
    uncertainty = float(np.sqrt((given.uncertainty or 0.0) ** 2 + spread**2 + change**2))
    remarks = []
    if level == "wulff":
        remarks.append(f"mean over the Wulff shape, spread {spread:.2f} eV")
    if change:
        remarks.append(f"slab not converged: {1000 * change:.0f} meV in the last step")
    return Quantity(
        value=round(given.value + shift, 4),
        uncertainty=round(uncertainty, 4),
        source=given.source,
        method="; ".join([given.method or "", *remarks]),
    )


def _entry(
    surface: Surface,
    energy: float | None,
    fraction: float | None,
    level_eV: float,
    metal: bool,
    tolerance_eV: float | None,
    energy_as_cut: float | None,
) -> dict[str, Any]:
    last = surface.level_eV(surface.series[-1], metal=metal)
    entry: dict[str, Any] = {
        "facet": list(surface.facet),
        "termination": surface.termination,
        "tasker_type": surface.tasker_type,
        "level_eV": round(level_eV, 4),
        "calculation": surface.slab.hash,
    }
    if fraction is not None:
        entry["wulff_area_fraction"] = round(fraction, 4)
    if energy is not None:
        entry["surface_energy_J_m2"] = round(energy, 4)
    if surface.as_cut is not None:
        before = slab_level(surface.as_cut, surface.period_A, metal=metal)
        entry["as_cut"] = {
            "level_eV": round(level_eV + before - last, 4),
            "calculation": surface.as_cut.hash,
        }
        if energy_as_cut is not None:
            entry["as_cut"]["surface_energy_J_m2"] = round(energy_as_cut, 4)
    if tolerance_eV is not None:
        entry["converged"] = surface.last_change_eV(metal=metal) < tolerance_eV
        entry["series"] = [
            {
                "thickness_A": round(size.thickness_A, 2),
                "vacuum_A": round(size.vacuum_A, 2),
                "level_eV": round(level_eV + surface.level_eV(size, metal=metal) - last, 4),
                "calculation": size.slab.hash,
            }
            for size in surface.series
        ]
    return entry
