"""Validity of a mean-field continuum at a contact (physics.md section 5)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from .bulk import Bulk
from .constants import CM3_PER_NM3, VACUUM_PERMITTIVITY_E_V_NM
from .phase import Array


def coulomb_coupling(bulk: Bulk) -> Array:
    """``Gamma = l_B/d`` of the most strongly coupled defect of a neutral bulk.

    Parameters
    ----------
    bulk : Bulk
        Batch shape (...).

    Returns
    -------
    array (...)
        The Bjerrum length ``q² e²/(4 pi eps kT)`` over ``(3/(4 pi c))^(1/3)``. Mean-field
        theory is valid below 1.
    """
    permittivity = VACUUM_PERMITTIVITY_E_V_NM * bulk.phase.dielectric_constant
    bjerrum_nm = bulk.phase.charge**2 / (
        4.0 * np.pi * permittivity[..., None] * bulk.kT_eV[..., None]
    )
    density_nm3 = bulk.concentrations_cm3 * CM3_PER_NM3
    return np.asarray(
        np.max(bjerrum_nm * np.cbrt(4.0 * np.pi * density_nm3 / 3.0), axis=-1, initial=0.0)
    )


def filling(bulk: Bulk, potential_V: ArrayLike) -> Array:
    """Share of the allowed sites that defects fill, on the fullest sublattice.

    Parameters
    ----------
    bulk : Bulk
        Batch shape (...).
    potential_V : array (...)
        phi at the position of interest.
    """
    potential = np.asarray(potential_V, dtype=np.float64)
    shape = np.broadcast_shapes(bulk.shape, potential.shape)
    flat = bulk.ravel(shape)
    state = flat.thermodynamics(np.broadcast_to(potential, shape).ravel())
    origin = np.zeros_like(state.kT_eV)
    fullest = np.zeros_like(origin)
    for site in state.sublattices:
        _, empty = site.occupations(site.terms(origin, (0.0, 0.0)))
        fullest = np.maximum(fullest, 1.0 - empty)
    return fullest.reshape(shape)


def shortest_hop_nm(bulk: Bulk) -> Array:
    """Shortest hop distance of its conducting defects (...); NaN where none is known."""
    hops = np.where(np.isfinite(bulk.phase.migration_energy_eV), bulk.phase.hop_distance_nm, np.nan)
    return np.asarray(np.broadcast_to(np.fmin.reduce(hops, axis=-1), bulk.shape))
