"""GPAW's self-consistency: a request's keywords, and what is tried where it does not converge."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from gpaw import KohnShamConvergenceError
from gpaw.dft import Parameters
from gpaw.new.ase_interface import GPAW, ASECalculator
from gpaw.new.logger import Logger

from .request import CalculationRequest


def is_scf_failure(error: Exception) -> bool:
    """Return whether the electrons ran out of iterations or diverged."""
    if isinstance(error, KohnShamConvergenceError | np.linalg.LinAlgError | FloatingPointError):
        return True
    return isinstance(error, ValueError) and "NaN" in str(error)


def gpaw_parameters(
    request: CalculationRequest, changes: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the calculator's keywords for a request.

    Parameters
    ----------
    request : CalculationRequest
        The calculation to make.
    changes : mapping, optional
        Settings that a retry changes: ``mixer``, ``max_iterations``, ``smearing_eV``.
    """
    settings = request.settings
    scf = settings["scf"]
    now = {"smearing_eV": settings["smearing_eV"], **scf, **(changes or {})}
    parameters: dict[str, Any] = {
        "mode": {"name": "pw", "ecut": settings["cutoff_eV"]},
        "xc": settings["xc"],
        "kpts": {"size": tuple(settings["kpoints"]), "gamma": True},
        "occupations": {"name": "fermi-dirac", "width": now["smearing_eV"]},
        "nbands": -settings["empty_bands"],
        "charge": request.charge,
        "maxiter": now["max_iterations"],
        "mixer": {
            "backend": now["mixer"]["backend"],
            "beta": now["mixer"]["beta"],
            "nmaxold": now["mixer"]["history"],
            "weight": now["mixer"]["weight"],
        },
        "convergence": {
            "energy": scf["energy_eV_per_electron"],
            "density": scf["density_per_electron"],
            "eigenstates": scf["eigenstates_eV2_per_electron"],
        },
    }
    if settings["converged_empty_bands"]:
        parameters["convergence"]["bands"] = "CBM+0.1"
    if "hubbard_U_eV" in settings:
        parameters["setups"] = {
            element: ":" + ";".join(f"{shell},{value}" for shell, value in shells.items())
            for element, shells in settings["hubbard_U_eV"].items()
        }
    return parameters


def set_initial_moments(atoms: Atoms, request: CalculationRequest) -> None:
    """Give atoms the moments to begin with; without any, the electrons have no spin."""
    moments = request.settings.get("magnetic_moments_muB", {})
    atoms.set_initial_magnetic_moments([moments.get(symbol, 0.0) for symbol in atoms.symbols])


def calculator(
    atoms: Atoms, request: CalculationRequest, changes: Mapping[str, Any], *, log: Path
) -> ASECalculator:
    """Return a calculator that begins with the atoms' superposed densities.

    With ``density_smearing_eV`` among the changes it begins with the density that converged at
    this width of the occupation; its own width is the request's.
    """
    parameters = gpaw_parameters(request, changes)
    width = changes.get("density_smearing_eV")
    if width is None:
        return GPAW(**parameters, txt=str(log))
    wide = gpaw_parameters(request, {**changes, "smearing_eV": width})
    first = atoms.copy()
    # A file of its own: a calculator closes its log when it goes.
    first.calc = GPAW(**wide, txt=str(log.with_stem(f"{log.stem}-density")))
    first.get_potential_energy()
    wanted, logger = Parameters(**parameters), Logger(str(log), first.calc.comm)
    density = first.calc.dft.new(atoms, wanted, logger)
    return ASECalculator(wanted, log=logger, dft=density, atoms=atoms.copy())


def calculator_from(density: Path, *, log: Path) -> ASECalculator | None:
    """Return a calculator that continues from a checkpoint's density, None if it is unusable."""
    try:
        return GPAW(density, txt=str(log))
    except Exception as error:  # a density of another version costs iterations, no more
        sys.stderr.write(f"the density of the checkpoint cannot be used: {error}\n")
        return None
