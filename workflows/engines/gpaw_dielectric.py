"""Dielectric response with GPAW: electrons by linear response, ions by finite displacements.

The electronic tensor is that of the random-phase approximation in its static limit, with local
fields (J. Yan et al., Phys. Rev. B 83, 245122 (2011)), over all bands of the plane waves. Born
charges are finite differences of the Berry-phase polarization (R. D. King-Smith, D. Vanderbilt,
Phys. Rev. B 47, 1651 (1993)), force constants those of the forces; of atoms that symmetry maps onto
each other one is moved.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from gpaw.berryphase import polarization_phase
from gpaw.new.ase_interface import GPAW
from gpaw.response.df import DielectricFunction
from pymatgen.io.ase import AseAtomsAdaptor

from interohm.postprocess.calculation import Calculation, DielectricResponse
from interohm.slab_builders.displacements import derivatives, distinct_displacements

from .gpaw_output import document, remove, write_atomically
from .gpaw_scf import gpaw_parameters, set_initial_moments
from .request import CalculationRequest

_GROUND_STATE = "ground-state.gpw"


def calculate_response(request: CalculationRequest, folder: Path) -> Calculation:
    """Calculate the dielectric response; displacements that the folder has are not repeated."""
    begun = time.monotonic()
    settings = request.settings["response"]
    crystal = request.initial_structure
    parameters = gpaw_parameters(request)
    without_symmetry = {**parameters, "symmetry": "off"}
    log = str(folder / "gpaw.txt")
    displacements = distinct_displacements(crystal)
    step = settings["displacement_A"]
    atoms = AseAtomsAdaptor.get_atoms(crystal)
    set_initial_moments(atoms, request)
    rest = _forces_and_phase(atoms, without_symmetry, folder / "rest.json", log)
    changes = []
    for index, displacement in enumerate(displacements):
        moved = atoms.copy()
        moved.positions[displacement.atom] += step * displacement.direction
        changes.append(
            _forces_and_phase(moved, without_symmetry, folder / f"moved-{index}.json", log)
        )
        done = {"ionic_step": index + 2, "wall_time_s": time.monotonic() - begun}
        write_atomically(folder / "status.json", json.dumps(done))
    forces = np.array([one["forces"] for one in changes]) - np.array(rest["forces"])
    phases = np.array([one["phase"] for one in changes]) - np.array(rest["phase"])
    # A polarization is known up to whole quanta.
    phases -= 2 * np.pi * np.round(phases / (2 * np.pi))
    dipoles = phases / (2 * np.pi) @ crystal.lattice.matrix
    force_constants = -derivatives(crystal, displacements, forces, step).transpose(1, 2, 0, 3)
    born_charges = derivatives(crystal, displacements, dipoles[:, None, :], step)[:, 0]

    ground = atoms.copy()
    ground.calc = GPAW(**parameters, txt=log)
    ground.get_potential_energy()
    whole = document(ground, request, len(displacements) + 1, time.monotonic() - begun, [])
    response = DielectricResponse(
        electronic=_electronic_tensor(ground, settings, folder).round(6).tolist(),
        born_charges=born_charges.round(6).tolist(),
        force_constants_eV_A2=force_constants.round(6).tolist(),
    )
    elapsed = round(time.monotonic() - begun, 1)
    return whole.model_copy(update={"response": response, "wall_time_s": elapsed})


def _forces_and_phase(
    atoms: Atoms, parameters: dict[str, Any], file: Path, log: str
) -> dict[str, Any]:
    if file.exists():
        known: dict[str, Any] = json.loads(file.read_text())
        return known
    atoms.calc = GPAW(**parameters, txt=log)
    atoms.get_potential_energy()
    result = {
        "forces": atoms.get_forces().tolist(),
        "phase": polarization_phase(calc=atoms.calc)["phase_c"].tolist(),
    }
    write_atomically(file, json.dumps(result))
    return result


def _electronic_tensor(ground: Atoms, settings: dict[str, Any], folder: Path) -> np.ndarray:
    file = folder / _GROUND_STATE
    ground.calc.diagonalize_full_hamiltonian()
    ground.calc.write(file, mode="all")
    function = DielectricFunction(
        str(file),
        frequencies=[0.0],
        eta=0.0,
        ecut=settings["response_cutoff_eV"],
        hilbert=False,
        intraband=False,
        txt=str(folder / "response.txt"),
    )

    def along(direction: np.ndarray) -> float:
        _, with_local_fields = function.get_macroscopic_dielectric_constant(direction=direction)
        return float(with_local_fields)

    axes = np.eye(3)
    tensor = np.diag([along(axis) for axis in axes])
    for one, other in ((0, 1), (0, 2), (1, 2)):
        between = along((axes[one] + axes[other]) / np.sqrt(2))
        tensor[one, other] = between - (tensor[one, one] + tensor[other, other]) / 2
        tensor[other, one] = tensor[one, other]
    remove(file)
    return tensor
