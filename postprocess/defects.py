"""Formation energies of charged point defects from supercells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .calculation import Calculation
from .defect_corrections import (
    Dielectric,
    SiteAlignment,
    far_radius_A,
    point_charge_correction,
    site_alignment,
)
from .planar_defect_alignment import planar_alignment


@dataclass(frozen=True)
class FormationEnergy:
    """Formation energy at E_F = VBM, and what was added to the bare energy difference.

    Parameters
    ----------
    energy_eV : float
        Corrected.
    point_charge_eV : float
        The lattice term of the correction.
    alignment_eV : float
        q times the potential alignment.
    alignment_spread_eV : float
        Its scatter over the far sites, times the charge.
    alignment_region : str, optional
        Which sites were compared; none for a neutral defect.
    """

    energy_eV: float
    point_charge_eV: float
    alignment_eV: float
    alignment_spread_eV: float
    alignment_region: str | None = None


def formation_energy(
    bulk_cell: Calculation,
    defect_cell: Calculation,
    *,
    center: np.ndarray,
    added: Mapping[str, int],
    chemical_potentials_eV: Mapping[str, float],
    valence_band_maximum_eV: float,
    dielectric_constant: Dielectric,
) -> FormationEnergy:
    """Return ``E_defect − E_bulk − Σ n·mu + q·E_VBM + correction``.

    Parameters
    ----------
    bulk_cell, defect_cell : Calculation
        The same supercell without and with the defect.
    center : array, shape (3,)
        Fractional coordinates of the defect in the supercell.
    added : mapping of str to int
        Atoms added, by element; negative for a vacancy.
    chemical_potentials_eV : mapping of str to float
        Total energies per atom of the reservoirs.
    valence_band_maximum_eV : float
        On the scale of ``bulk_cell``'s average potential.
    dielectric_constant : float or array
        A tensor is in the axes of the supercell.
    """
    charge = defect_cell.charge
    lattice = bulk_cell.final_structure.lattice.matrix
    bare = uncorrected_formation_energy(
        bulk_cell,
        defect_cell,
        added=added,
        chemical_potentials_eV=chemical_potentials_eV,
        valence_band_maximum_eV=valence_band_maximum_eV,
    )
    if charge == 0:
        return FormationEnergy(bare, 0.0, 0.0, 0.0)
    lattice_term = point_charge_correction(lattice, charge, dielectric_constant)
    alignment = _alignment(bulk_cell, defect_cell, center, dielectric_constant)
    return FormationEnergy(
        energy_eV=bare + charge * alignment.shift_eV + lattice_term,
        point_charge_eV=lattice_term,
        alignment_eV=charge * alignment.shift_eV,
        alignment_spread_eV=abs(charge) * alignment.spread_eV,
        alignment_region=_region(alignment, lattice),
    )


def _region(alignment: SiteAlignment, lattice: np.ndarray) -> str:
    if alignment.radius_A is None:
        return "planar averages half-way to the image, along a, b and c"
    widest = alignment.radius_A > (1 - 1e-6) * far_radius_A(lattice)
    return (
        f"{alignment.sites} relaxed sites beyond {alignment.radius_A:.3f} Å, half of the "
        f"{'largest' if widest else 'smallest'} distance between opposite faces of the supercell"
    )


def uncorrected_formation_energy(
    bulk_cell: Calculation,
    defect_cell: Calculation,
    *,
    added: Mapping[str, int],
    chemical_potentials_eV: Mapping[str, float],
    valence_band_maximum_eV: float,
) -> float:
    """Return ``E_defect − E_bulk − Σ n·mu + q·E_VBM``, in eV (parameters as `formation_energy`)."""
    energy = defect_cell.energy_eV - bulk_cell.energy_eV
    for element, count in added.items():
        energy -= count * chemical_potentials_eV[element]
    return energy + defect_cell.charge * valence_band_maximum_eV


def transition_levels(energies_eV: Mapping[int, float]) -> list[tuple[int, int, float]]:
    """Return where the stable charge state of a defect changes.

    Parameters
    ----------
    energies_eV : mapping of int to float
        Formation energies at E_F = VBM, by charge.

    Returns
    -------
    list of (int, int, float)
        Charge below the level, charge above it, and the level above the VBM in eV, ascending;
        charges that are nowhere stable are left out.
    """
    levels = []
    charge = max(energies_eV)
    while lower := [other for other in energies_eV if other < charge]:
        # Of all lines that fall below the present one, the first to do so; the steepest of several.
        level, following = min(
            ((energies_eV[other] - energies_eV[charge]) / (charge - other), other)
            for other in lower
        )
        levels.append((charge, following, level))
        charge = following
    return levels


def _alignment(
    bulk_cell: Calculation,
    defect_cell: Calculation,
    center: np.ndarray,
    dielectric_constant: Dielectric,
) -> SiteAlignment:
    """Align by site potentials, or by planar averages where an engine wrote only these."""
    if bulk_cell.site_potentials_eV and defect_cell.site_potentials_eV:
        return site_alignment(bulk_cell, defect_cell, center, dielectric_constant)
    of_bulk, of_defect = _planar_averages(bulk_cell), _planar_averages(defect_cell)
    if of_bulk is None or of_defect is None:
        raise ValueError(
            "a charged defect needs potentials, of the perfect supercell too, to be aligned "
            "(VASP: OUTCAR, or LOCPOT with LVHAR)"
        )
    differences = [flawed - perfect for perfect, flawed in zip(of_bulk, of_defect, strict=True)]
    lattice = bulk_cell.final_structure.lattice.matrix
    return planar_alignment(lattice, differences, center, defect_cell.charge, dielectric_constant)


def _planar_averages(cell: Calculation) -> list[np.ndarray] | None:
    if cell.planar_potential is None or cell.side_potentials is None:
        return None
    if cell.planar_potential.exchange_and_correlation:
        return None
    potentials = (*cell.side_potentials, cell.planar_potential)
    return [np.asarray(potential.potential_eV) for potential in potentials]


def valence_band_in_supercell(bulk: Calculation, supercell: Calculation) -> float:
    """Return the bulk's VBM on the scale of the perfect supercell, in eV.

    The two averages are zero by convention; what their grids make of it differs by millielectron
    volts, which the potentials at the nuclei of each element tell, where they are known.
    """
    if bulk.vbm_eV is None:
        raise ValueError("the bulk calculation has no valence-band maximum")
    if not (bulk.site_potentials_eV and supercell.site_potentials_eV):
        return bulk.vbm_eV
    return bulk.vbm_eV + _mean_site_potential(supercell) - _mean_site_potential(bulk)


def _mean_site_potential(calculation: Calculation) -> float:
    return float(np.mean(calculation.site_potentials_eV))
