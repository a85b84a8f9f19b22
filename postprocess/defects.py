"""Formation energies of charged point defects from supercells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .calculation import Calculation
from .corrections import point_charge_correction, site_alignment


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
    """

    energy_eV: float
    point_charge_eV: float
    alignment_eV: float
    alignment_spread_eV: float


def formation_energy(
    bulk_cell: Calculation,
    defect_cell: Calculation,
    *,
    center: np.ndarray,
    added: Mapping[str, int],
    chemical_potentials_eV: Mapping[str, float],
    valence_band_maximum_eV: float,
    dielectric_constant: float,
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
    dielectric_constant : float
    """
    charge = defect_cell.charge
    lattice = bulk_cell.final_structure.lattice.matrix
    bare = defect_cell.energy_eV - bulk_cell.energy_eV
    for element, count in added.items():
        bare -= count * chemical_potentials_eV[element]
    if charge == 0:
        return FormationEnergy(bare, 0.0, 0.0, 0.0)
    lattice_term = point_charge_correction(lattice, charge, dielectric_constant)
    alignment = site_alignment(bulk_cell, defect_cell, center, dielectric_constant)
    return FormationEnergy(
        energy_eV=bare + charge * (valence_band_maximum_eV + alignment.shift_eV) + lattice_term,
        point_charge_eV=lattice_term,
        alignment_eV=charge * alignment.shift_eV,
        alignment_spread_eV=abs(charge) * alignment.spread_eV,
    )


def valence_band_in_supercell(bulk: Calculation, supercell: Calculation) -> float:
    """Return the bulk's VBM on the scale of the perfect supercell, in eV.

    The two averages are zero by convention; what their grids make of it differs by millielectron
    volts, which the potentials at the nuclei of each element tell.
    """
    if bulk.vbm_eV is None:
        raise ValueError("the bulk calculation has no valence-band maximum")
    return bulk.vbm_eV + _mean_site_potential(supercell) - _mean_site_potential(bulk)


def _mean_site_potential(calculation: Calculation) -> float:
    return float(np.mean(calculation.site_potentials_eV))
