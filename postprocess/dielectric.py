"""The static dielectric constant from the response of electrons and ions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.constants import e, epsilon_0

from interohm.records import DielectricQuantity

from .calculation import Calculation, DielectricResponse
from .materials import RelativeUncertainty, method_of

#: e/eps_0 in V Å: a dipole of one e Å in one Å³ is that times a field of one V/Å.
_E_PER_EPS0 = e / epsilon_0 * 1e10


def static_dielectric_tensor(calculation: Calculation) -> np.ndarray:
    """Return electrons' plus ions' part of the static dielectric tensor, shape (3, 3).

    Raises
    ------
    ValueError
        The calculation is no response, or the crystal is unstable against a displacement.
    """
    response = calculation.response
    if response is None:
        raise ValueError(f"calculation {calculation.hash[:12]} has no dielectric response")
    try:
        ions = ionic_tensor(response, calculation.final_structure.volume)
    except ValueError as error:
        raise ValueError(f"calculation {calculation.hash[:12]}: {error}") from None
    return np.asarray(np.array(response.electronic) + ions)


def ionic_tensor(response: DielectricResponse, volume_A3: float) -> np.ndarray:
    """Return the ions' part of the static dielectric tensor, shape (3, 3).

    ``e/(eps_0 V) Zᵀ Φ⁻¹ Z`` with the Born charges Z and the force constants Φ of the zone's centre
    in zero field, translations left out (X. Gonze, C. Lee, Phys. Rev. B 55, 10355 (1997)).

    Raises
    ------
    ValueError
        The crystal is unstable against a displacement.
    """
    charges = np.array(response.born_charges)
    atoms = len(charges)
    # Moved as a whole, a neutral crystal has no dipole and feels no force.
    charges -= charges.mean(axis=0)
    constants = np.array(response.force_constants_eV_A2).reshape(3 * atoms, 3 * atoms)
    constants = (constants + constants.T) / 2
    rigid = np.kron(np.ones((atoms, 1)) / np.sqrt(atoms), np.eye(3))
    modes = np.linalg.svd(rigid.T)[2][3:].T  # orthogonal to translations
    reduced = modes.T @ constants @ modes
    stiffness = np.linalg.eigvalsh(reduced)
    if stiffness.min() <= 0:
        raise ValueError(
            "the crystal is unstable against a displacement of its atoms "
            f"({stiffness.min():.2g} eV/Å²)"
        )
    # Shape (3, modes): the dipole of each mode.
    dipoles = charges.transpose(1, 0, 2).reshape(3, 3 * atoms) @ modes
    ions: np.ndarray = dipoles @ np.linalg.solve(reduced, dipoles.T)
    return np.asarray(_E_PER_EPS0 / volume_A3 * ions)


def mean_dielectric_constant(tensor: np.ndarray) -> float:
    """Return a third of the trace: the constant of grains in all directions, to first order."""
    return float(np.trace(tensor) / 3)


def calculated_constant(
    calculation: Calculation, *, uncertainty: RelativeUncertainty, provenance: Mapping[str, Any]
) -> DielectricQuantity:
    """Return the static dielectric constant of a response, with its tensor and electrons' part."""
    tensor = static_dielectric_tensor(calculation)
    tensor = (tensor + tensor.T) / 2
    value = mean_dielectric_constant(tensor)
    assert calculation.response is not None  # the tensor is there
    electrons = mean_dielectric_constant(np.array(calculation.response.electronic))
    return DielectricQuantity(
        value=round(value, 3),
        tensor=[[round(float(part), 3) + 0.0 for part in row] for row in tensor],
        uncertainty=round(uncertainty.fraction * value, 3),
        source=f"calculation {calculation.hash[:12]}, {electrons:.3f} of it by electrons; "
        f"uncertainty: {uncertainty.source}",
        method=f"{method_of(calculation, provenance)}; a third of the trace",
    )
