"""Output of a process that calculates with GPAW: its document, and files written atomically."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from gpaw.mpi import world
from pymatgen.io.ase import AseAtomsAdaptor

from interohm.postprocess.calculation import Calculation, KPoint, PlanarPotential, ScfAttempt

from .request import CalculationRequest

#: How far the electrons of a spin channel may be from a whole number: smearing and convergence.
_WHOLE_ELECTRONS = 1e-3
#: Under MPI all processes calculate and this one writes.
MASTER = world.rank == 0


class NotConvergedError(RuntimeError):
    """Electrons or ions did not converge within the steps that the settings allow."""


def document(
    atoms: Atoms,
    request: CalculationRequest,
    steps: int,
    wall_time_s: float,
    attempts: list[dict[str, Any]],
) -> Calculation:
    """Return what a finished calculator knows, as the document of a calculation."""
    import ase
    import gpaw

    calculator = atoms.calc
    electrons = float(calculator.get_number_of_electrons())
    changes = attempts[-1]["changes"] if attempts else {}
    width = changes.get("smearing_eV", request.settings["smearing_eV"])
    vbm, cbm, edge_kpoints = _edges(calculator, electrons, width)
    potential = calculator.get_electrostatic_potential().mean(axis=(0, 1))
    lattice = np.asarray(atoms.cell)
    height = abs(np.linalg.det(lattice)) / np.linalg.norm(np.cross(lattice[0], lattice[1]))
    structure = AseAtomsAdaptor.get_structure(
        Atoms(atoms.symbols, atoms.positions, cell=atoms.cell, pbc=True)
    )
    return Calculation(
        hash=request.hash,
        engine=request.engine,
        kind=request.kind,
        charge=request.charge,
        settings=request.settings,
        initial_structure=request.structure,
        structure=structure.as_dict(),
        # Extrapolated to zero width of the occupation.
        energy_eV=float(atoms.get_potential_energy()),
        electrons=electrons,
        fermi_level_eV=float(calculator.get_fermi_level()),
        magnetic_moments_muB=_moments(calculator),
        vbm_eV=vbm,
        cbm_eV=cbm,
        edge_kpoints=edge_kpoints,
        max_force_eV_A=float(np.linalg.norm(atoms.get_forces(), axis=1).max()),
        planar_potential=PlanarPotential(
            height_A=float(height), potential_eV=[round(float(value), 6) for value in potential]
        ),
        site_potentials_eV=[
            round(float(value), 6) for value in calculator.get_atomic_electrostatic_potentials()
        ],
        ionic_steps=steps,
        scf_attempts=[ScfAttempt(**attempt) for attempt in attempts] or None,
        wall_time_s=round(wall_time_s, 1),
        versions={"gpaw": gpaw.__version__, "ase": ase.__version__},
    )


def _moments(calculator: Any) -> list[float] | None:
    """Return the moments within the atoms' augmentation spheres, None without spin."""
    if calculator.get_number_of_spins() == 1:
        return None
    return [round(float(moment), 4) for moment in calculator.get_magnetic_moments()]


def _edges(
    calculator: Any, electrons: float, smearing_eV: float
) -> tuple[float | None, float | None, tuple[KPoint, KPoint] | None]:
    """Return VBM and CBM over k-points and spins, and where they are.

    None where bands cross the Fermi level.

    A spin channel fills as many bands as it has electrons, which is a whole number where there is a
    gap: half of all electrons and half of the magnetic moment.
    """
    kpoints = calculator.get_ibz_k_points()
    points = range(len(kpoints))
    spins = calculator.get_number_of_spins()
    moment = float(calculator.get_magnetic_moment()) if spins == 2 else 0.0
    highest: list[tuple[float, int]] = []
    lowest: list[tuple[float, int]] = []
    for spin in range(spins):
        count = (electrons + (moment if spin == 0 else -moment)) / 2
        filled = round(count)
        levels = np.array([calculator.get_eigenvalues(kpt=k, spin=spin) for k in points])
        if abs(count - filled) > _WHOLE_ELECTRONS or levels.shape[1] <= filled:
            return None, None, None
        if filled:
            highest += zip(levels[:, filled - 1].tolist(), points, strict=True)
        lowest += zip(levels[:, filled].tolist(), points, strict=True)
    (vbm, top), (cbm, bottom) = max(highest), min(lowest)
    if cbm - vbm <= 4 * smearing_eV:
        return None, None, None
    first, second = (
        tuple(round(float(value), 6) + 0.0 for value in kpoints[place]) for place in (top, bottom)
    )
    return vbm, cbm, (first, second)  # type: ignore[return-value]


def write_atomically(path: Path, text: str) -> None:
    """Write a file, whole or not at all."""
    partial = path.with_name("partial-" + path.name)
    if MASTER:
        partial.write_text(text)
    replace(partial, path)


def replace(partial: Path, path: Path) -> None:
    """Move a complete file into its place."""
    if MASTER:
        os.replace(partial, path)


def remove(path: Path) -> None:
    """Remove a file if it is there."""
    if MASTER:
        path.unlink(missing_ok=True)
    # No process may look for it before it is gone.
    world.barrier()
