"""Potential maps: what a Kelvin probe shows of a cell, and what a measured map says.

Physics.md, section 6: ``CPD(x) = Phi_tip − Phi(x) − E_F(x)``, with Phi the local work function and
E_F the electrons' electrochemical potential on the common zero (equation 7 of the KPFM perspective,
whose equations 8 and 9 print Phi with the opposite sign). In equilibrium of the mobile ion it is
``Phi_tip + phi(x)``, also within space charges.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arrays import arrays_of
from .phase import Array


def cpd_V(
    work_function_eV: Array, fermi_level_eV: Array, tip_work_function_eV: Array | float = 0.0
) -> Array:
    """Return the contact potential difference of a tip and a surface.

    Parameters
    ----------
    work_function_eV, fermi_level_eV : array (...)
        Work function and Fermi level below the tip; the Fermi level on the common zero.
    tip_work_function_eV : array (...)
        A constant of every map, which cancels in differences.
    """
    _, (tip, surface, level) = arrays_of(tip_work_function_eV, work_function_eV, fermi_level_eV)
    return tip - surface - level


def equilibrium_cpd_V(phi_V: Array, tip_work_function_eV: Array | float = 0.0) -> Array:
    """Return the contact potential difference where the potential is `phi_V`, shape (...)."""
    _, (tip, phi) = arrays_of(tip_work_function_eV, phi_V)
    return tip + phi


def delta_cpd_V(
    cpd_V: Array, base_cpd_V: Array, discharged_cpd_V: Array, discharged_base_cpd_V: Array
) -> Array:
    """Return ``ΔCPD = CPD_base(state of charge) − CPD_base(0)``, ``CPD_base = CPD − CPD(base)``.

    Parameters
    ----------
    cpd_V, discharged_cpd_V : array (..., P)
        At the same positions, at a state of charge and discharged.
    base_cpd_V, discharged_base_cpd_V : array (...)
        CPD of the base layer in the same two states.
    """
    _, (cpd, base, discharged, discharged_base) = arrays_of(
        cpd_V, base_cpd_V, discharged_cpd_V, discharged_base_cpd_V
    )
    return cpd - discharged - (base - discharged_base)[..., None]


def collector_work_function_eV(
    depth_nm: Array,
    front_nm: Array,
    electrode_work_function_eV: Array,
    collector_work_function_eV: Array,
) -> Array:
    """Return the work function in a collector into which a lithiation front extends.

    Parameters
    ----------
    depth_nm : array (..., P)
        Distance from the electrode.
    front_nm : array (...)
        Up to here the collector has the electrode's work function; 0 where nothing entered.
    electrode_work_function_eV, collector_work_function_eV : array (...)
        Work functions of the electrode and of the collector.
    """
    lithiated = np.asarray(depth_nm) < np.asarray(front_nm)[..., None]
    return np.where(
        lithiated,
        np.asarray(electrode_work_function_eV)[..., None],
        np.asarray(collector_work_function_eV)[..., None],
    )


@dataclass(frozen=True)
class Decomposition:
    """A measured map split into its parts with the help of a model; NaN outside of its range.

    Attributes
    ----------
    model_cpd_V : array (..., M)
        The model at the measured positions, shifted by one constant to lie closest.
    residual_V : array (..., M)
        Measured minus model.
    rms_V : array (...)
        Root mean square of the residual.
    work_function_eV : array (..., M)
        Phi(x) that follows from the map if the model's Fermi level is right.
    fermi_level_eV : array (..., M)
        E_F(x) that follows from the map if the model's work function is right.
    """

    model_cpd_V: Array
    residual_V: Array
    rms_V: Array
    work_function_eV: Array
    fermi_level_eV: Array


def decompose(
    x_nm: Array,
    measured_cpd_V: Array,
    *,
    model_x_nm: Array,
    work_function_eV: Array,
    fermi_level_eV: Array,
) -> Decomposition:
    """Split a measured map into the parts of the work function and of the Fermi level.

    The unknown constant of the map (tip, ground) is the one that brings it closest to the model in
    the root mean square; a map has two unknowns at each position, so each part relies on the
    model for the other.

    Parameters
    ----------
    x_nm, measured_cpd_V : array (..., M)
        The map; positions may be unordered, values may be NaN.
    model_x_nm, work_function_eV, fermi_level_eV : array (P,)
        The model, ascending; a position may appear twice, where the model jumps.
    """
    x, measured = np.asarray(x_nm), np.asarray(measured_cpd_V)
    phi_surface, level = (
        np.interp(x, model_x_nm, values, left=np.nan, right=np.nan)
        for values in (work_function_eV, fermi_level_eV)
    )
    model = cpd_V(phi_surface, level)
    apart = measured - model
    known = np.isfinite(apart)
    count = np.sum(known, axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        constant = np.sum(np.where(known, apart, 0.0), axis=-1, keepdims=True) / count
        residual = apart - constant
        square = np.sum(np.where(known, residual, 0.0) ** 2, axis=-1) / count[..., 0]
    return Decomposition(
        model_cpd_V=model + constant,
        residual_V=residual,
        rms_V=np.asarray(np.sqrt(square)),
        work_function_eV=phi_surface - residual,
        fermi_level_eV=level - residual,
    )
