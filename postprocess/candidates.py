"""Choice among the calculated sites of each defect, and the uncertainty of its energy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .calculation import Calculation
from .defect_corrections import Dielectric
from .defects import (
    FormationEnergy,
    formation_energy,
    transition_levels,
    valence_band_in_supercell,
)
from .orientation import tensor_in


@dataclass(frozen=True)
class LargerCell:
    """The same defect on the same site in a larger supercell.

    Parameters
    ----------
    supercell, calculation : Calculation
        Without and with the defect.
    position : array, shape (3,)
        Fractional in that supercell.
    """

    supercell: Calculation
    calculation: Calculation
    position: np.ndarray


@dataclass(frozen=True)
class DefectCandidate:
    """One calculated defect supercell.

    Parameters
    ----------
    name : str
        Candidates of one name compete: the lowest formation energy is the defect.
    element, change : str, int
        Atoms added (negative: removed), by element.
    ion_change : float
        dn of the mobile ion, equilibrium with the compound included.
    sites_per_cell : int
        Equivalent sites in the conventional cell.
    conventional_volume_A3 : float
        Volume of the conventional cell.
    position : array, shape (3,)
        Fractional in the supercell.
    calculation : Calculation
        The calculation itself.
    replaced : str, optional
        The element whose place the added one takes.
    sublattice : str, optional
        Shared with other charge states of the defect; default: its name.
    dopant : bool
        Whether it contains an element that the crystal does not have: it does not move at a
        device's temperature.
    larger : LargerCell, optional
        The same defect in a larger supercell, if there is one.
    """

    name: str
    element: str
    change: int
    ion_change: float
    sites_per_cell: int
    conventional_volume_A3: float
    position: np.ndarray
    calculation: Calculation
    replaced: str | None = None
    sublattice: str | None = None
    dopant: bool = False
    larger: LargerCell | None = None

    @property
    def added(self) -> dict[str, int]:
        """Atoms added by element, negative where removed."""
        replaced = {} if self.replaced is None else {self.replaced: -self.change}
        return {self.element: self.change, **replaced}

    @property
    def defect(self) -> str:
        """Name that the defect's charge states share."""
        return self.sublattice or self.name


@dataclass(frozen=True)
class ChosenDefect:
    """A defect on the site of its lowest formation energy.

    Parameters
    ----------
    candidate : DefectCandidate
        The one that was chosen.
    energy_eV : float
        At E_F = VBM and mu = 0; in the larger supercell where there is one.
    size_error_eV : float
        Difference of the corrected energies of the two supercells; 0 for one supercell.
    alignment_spread_eV : float
        How far the potentials at the far sites scatter, times the charge.
    """

    candidate: DefectCandidate
    energy_eV: float
    size_error_eV: float
    alignment_spread_eV: float = 0.0


@dataclass(frozen=True)
class Comparison:
    """Reference of the candidates' formation energies.

    Parameters
    ----------
    bulk, supercell : Calculation
        Primitive cell, and perfect supercell.
    chemical_potentials_eV : mapping of str to float
        Total energies per atom of the elements at mu = 0.
    dielectric_constant : float or array
        A tensor is in the axes of the bulk.
    """

    bulk: Calculation
    supercell: Calculation
    chemical_potentials_eV: Mapping[str, float]
    dielectric_constant: Dielectric

    def energy(self, candidate: DefectCandidate) -> FormationEnergy:
        """Return the formation energy of a candidate."""
        return self._energy(candidate, self.supercell, candidate.calculation, candidate.position)

    def larger_energy(self, candidate: DefectCandidate) -> float | None:
        """Return the formation energy in the larger supercell, None without one."""
        if candidate.larger is None:
            return None
        larger = candidate.larger
        return self._energy(
            candidate, larger.supercell, larger.calculation, larger.position
        ).energy_eV

    def _energy(
        self,
        candidate: DefectCandidate,
        supercell: Calculation,
        calculation: Calculation,
        position: np.ndarray,
    ) -> FormationEnergy:
        require_relaxed(calculation)
        missing = candidate.added.keys() - self.chemical_potentials_eV.keys()
        if missing:
            raise ValueError(
                f"{candidate.name}: the chemical potential of {', '.join(sorted(missing))} is "
                "not known"
            )
        return formation_energy(
            supercell,
            calculation,
            center=position,
            added=candidate.added,
            chemical_potentials_eV=self.chemical_potentials_eV,
            valence_band_maximum_eV=valence_band_in_supercell(self.bulk, supercell),
            dielectric_constant=tensor_in(
                self.dielectric_constant, self.bulk.final_structure, supercell.final_structure
            ),
        )


def require_relaxed(calculation: Calculation) -> None:
    """Refuse a relaxation whose forces are above the tolerance that it was given.

    Raises
    ------
    ValueError
        With the force and the tolerance.
    """
    given = calculation.settings.get("relaxation")
    if calculation.kind == "static" or not isinstance(given, Mapping):
        return
    tolerance = given["force_tolerance_eV_A"]
    force = calculation.max_force_eV_A
    if force is not None and force > tolerance * (1 + 1e-6):
        raise ValueError(
            f"calculation {calculation.hash[:12]} is not relaxed: a force of "
            f"{force:.3g} eV/Å, where {tolerance:g} was requested"
        )


def choose(
    candidates: Sequence[DefectCandidate], against: Comparison
) -> tuple[list[ChosenDefect], dict[str, list[dict[str, Any]]]]:
    """Return the lowest candidate of each name, and all of them for the provenance.

    Parameters
    ----------
    candidates : sequence of DefectCandidate
        All of them.
    against : Comparison
        Reference for their energies.

    Returns
    -------
    list of ChosenDefect
        In the order of their names' first appearance.
    dict of str to list of mapping
        Hash, formation energy and corrections of every candidate, by name.
    """
    lowest: dict[str, tuple[DefectCandidate, FormationEnergy]] = {}
    steps: dict[str, float] = {}
    tried: dict[str, list[dict[str, Any]]] = {}
    for candidate in candidates:
        energy = against.energy(candidate)
        entry: dict[str, Any] = {
            "calculation": candidate.calculation.hash,
            "formation_energy_eV": round(energy.energy_eV, 4),
            "point_charge_correction_eV": round(energy.point_charge_eV, 4),
            "potential_alignment_eV": round(energy.alignment_eV, 4),
            "alignment_spread_eV": round(energy.alignment_spread_eV, 4),
        }
        if energy.alignment_region is not None:
            entry["alignment_region"] = energy.alignment_region
        larger = against.larger_energy(candidate)
        if candidate.larger is not None and larger is not None:
            steps[candidate.name] = larger - energy.energy_eV
            entry["larger_supercell"] = {
                "calculation": candidate.larger.calculation.hash,
                "atoms": len(candidate.larger.supercell.structure["sites"]),
                "formation_energy_eV": round(larger, 4),
            }
        tried.setdefault(candidate.name, []).append(entry)
        known = lowest.get(candidate.name)
        if known is None or energy.energy_eV < known[1].energy_eV:
            lowest[candidate.name] = (candidate, energy)
    chosen = [
        ChosenDefect(
            candidate,
            energy.energy_eV + steps.get(name, 0.0),
            abs(steps.get(name, 0.0)),
            energy.alignment_spread_eV,
        )
        for name, (candidate, energy) in lowest.items()
    ]
    return chosen, tried


def levels_between(chosen: Sequence[ChosenDefect]) -> dict[str, list[dict[str, float]]]:
    """Return the transition levels of defects with several charge states, above the VBM."""
    energies: dict[str, dict[int, float]] = {}
    for one in chosen:
        states = energies.setdefault(one.candidate.defect, {})
        states[one.candidate.calculation.charge] = one.energy_eV
    return {
        name: [
            {"from_charge": above, "to_charge": below, "level_eV": round(level, 4)}
            for above, below, level in transition_levels(states)
        ]
        for name, states in energies.items()
        if len(states) > 1
    }
