"""Levels below vacuum: ionization potential, band gap, work function."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .calculation import Calculation, PlanarPotential
from .potentials import interpolate, macroscopic_average, vacuum_level


@dataclass(frozen=True)
class BandEdges:
    """Band edges of a bulk crystal below the vacuum level of one of its surfaces.

    Parameters
    ----------
    ionization_potential_eV : float
        Vacuum level minus valence-band maximum.
    band_gap_eV : float
        Between the two edges.
    """

    ionization_potential_eV: float
    band_gap_eV: float


def slab_center(slab: Calculation) -> float:
    """Return the height of the slab's middle above the cell's floor, in Å."""
    lowest, highest = _outermost(slab)
    height_A = _potential(slab).height_A
    return (lowest + highest) / 2 % 1 * height_A


def slab_thickness(slab: Calculation) -> float:
    """Return the distance between the outermost atoms of both sides, in Å."""
    lowest, highest = _outermost(slab)
    return (highest - lowest) * _potential(slab).height_A


def _outermost(slab: Calculation) -> tuple[float, float]:
    """Return the heights of a slab's lowest and highest atoms, in parts of the cell's.

    The atoms' heights are unwrapped around their circular mean, so that a slab may cross the
    cell's border.
    """
    structure = slab.final_structure
    turns = structure.frac_coords[:, 2] * 2 * np.pi
    mean = np.angle(np.exp(1j * turns).mean())
    unwrapped = mean + (turns - mean + np.pi) % (2 * np.pi) - np.pi
    return float(unwrapped.min() / (2 * np.pi)), float(unwrapped.max() / (2 * np.pi))


def _potential(slab: Calculation) -> PlanarPotential:
    if slab.planar_potential is None:
        raise ValueError("the slab calculation has no planar potential (VASP: LOCPOT with LVHAR)")
    return slab.planar_potential


def band_edges(bulk: Calculation, slab: Calculation, period_A: float) -> BandEdges:
    """Align the bulk's eigenvalues to the vacuum beside the slab.

    The bulk's average potential is put at the macroscopic average in the middle of the slab:
    ``IP = V_vacuum − V_slab middle + V_bulk average − E_VBM``, the last but one being zero.

    Parameters
    ----------
    bulk : Calculation
        Static, with band edges.
    slab : Calculation
        Symmetric, non-polar, vacuum on both sides.
    period_A : float
        Repeat distance of the crystal along the slab's normal.

    Raises
    ------
    ValueError
        The bulk has no gap, or the vacuum is not flat.
    """
    if bulk.vbm_eV is None or bulk.cbm_eV is None or bulk.cbm_eV <= bulk.vbm_eV:
        raise ValueError("the bulk calculation has no band gap: is the phase a metal?")
    above = level_above_middle(slab, period_A)
    return BandEdges(above - bulk.vbm_eV, bulk.cbm_eV - bulk.vbm_eV)


def level_above_middle(slab: Calculation, period_A: float) -> float:
    """Return vacuum level minus macroscopic average in the middle of a slab, in eV."""
    potential = _potential(slab)
    if potential.exchange_and_correlation:
        raise ValueError(
            "the potential of the slab holds exchange and correlation (VASP: LVTOT), so that its "
            "middle cannot be compared with the bulk: calculate it with LVHAR = .TRUE. and without "
            "LVTOT"
        )
    center = slab_center(slab)
    averaged = macroscopic_average(potential, period_A, slab_thickness(slab))
    inside = interpolate(potential, averaged, center)
    return vacuum_level(potential, center) - inside


def work_function(slab: Calculation) -> float:
    """Return vacuum level minus Fermi level of a metallic slab, in eV."""
    return vacuum_level(_potential(slab), slab_center(slab)) - slab.fermi_level_eV
