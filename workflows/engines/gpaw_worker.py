"""The process that calculates: ``python -m interohm.workflows.engines.gpaw_worker FOLDER``.

Reads ``request.json``, writes ``result.json`` (whole or not at all) and, while it relaxes, a
checkpoint of geometry, Hessian and density from which a later run goes on. Knows GPAW and ASE;
neither database nor flow.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.filters import FrechetCellFilter
from ase.io import read, write
from ase.optimize import BFGS
from gpaw.new.ase_interface import GPAW
from interohm.postprocess.calculation import Calculation, PlanarPotential
from pymatgen.io.ase import AseAtomsAdaptor

from .request import CalculationRequest

_GEOMETRY = "geometry.extxyz"
_HESSIAN = "hessian.json"
_DENSITY = "density.gpw"
#: How far the electrons of a spin channel may be from a whole number: smearing and convergence.
_WHOLE_ELECTRONS = 1e-3


class NotConvergedError(RuntimeError):
    """Electrons or ions did not converge within the steps that the settings allow."""


def main() -> int:
    """Calculate what the folder asks for; the exit status is 0 when a result was written."""
    folder = Path(sys.argv[1])
    _end_with(os.getppid())
    lock = (folder / "lock").open("w")
    # Whoever started an earlier run in this folder may be gone, its worker not yet.
    fcntl.flock(lock, fcntl.LOCK_EX)
    request = CalculationRequest.model_validate_json((folder / "request.json").read_text())
    try:
        result = calculate(request, folder)
    except Exception as error:
        _write(folder / "failure.json", json.dumps({"error": _explain(error)}))
        raise
    _write(folder / "result.json", result.model_dump_json(exclude_none=True))
    (folder / _DENSITY).unlink(missing_ok=True)
    return 0


def _end_with(launcher: int) -> None:
    """End this process when its launcher is gone, however it went."""

    def watch() -> None:
        while os.getppid() == launcher:
            time.sleep(1)
        os._exit(3)

    threading.Thread(target=watch, daemon=True).start()


def calculate(request: CalculationRequest, folder: Path) -> Calculation:
    """Run GPAW, going on from the folder's checkpoint where there is one."""
    begun = time.monotonic()
    checkpoint = _Checkpoint(folder)
    atoms = checkpoint.geometry() or AseAtomsAdaptor.get_atoms(request.initial_structure)
    moments = request.settings.get("magnetic_moments_muB", {})
    atoms.set_initial_magnetic_moments([moments.get(symbol, 0.0) for symbol in atoms.symbols])
    atoms.calc = checkpoint.calculator(request)
    if request.kind == "static":
        atoms.get_potential_energy()
        steps = 1
        checkpoint.report(atoms)
    else:
        steps = _relax(atoms, request, checkpoint)
    return _document(atoms, request, steps, checkpoint.earlier_time_s + time.monotonic() - begun)


class _Checkpoint:
    """What a killed relaxation leaves behind, each file written whole."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.earlier_steps, self.earlier_time_s = 0, 0.0
        self._begun = time.monotonic()
        status = folder / "status.json"
        if status.exists() and (folder / _GEOMETRY).exists():
            earlier = json.loads(status.read_text())
            self.earlier_steps = int(earlier["ionic_step"])
            self.earlier_time_s = float(earlier["wall_time_s"])

    def geometry(self) -> Atoms | None:
        path = self.folder / _GEOMETRY
        if not path.exists():
            return None
        atoms = read(path)
        # Only the geometry: forces and energies of the file belong to the calculator that is gone.
        return Atoms(atoms.symbols, atoms.positions, cell=atoms.cell, pbc=True)

    def calculator(self, request: CalculationRequest) -> Any:
        parameters = gpaw_parameters(request)
        log = str(self.folder / "gpaw.txt")
        density = self.folder / _DENSITY
        if density.exists():
            try:
                return GPAW(density, txt=log)
            except Exception as error:  # a density of another version costs iterations, no more
                sys.stderr.write(f"the density of the checkpoint is of no use: {error}\n")
        return GPAW(**parameters, txt=log)

    def save(self, atoms: Atoms) -> None:
        partial = self.folder / ("partial-" + _GEOMETRY)
        write(partial, Atoms(atoms.symbols, atoms.positions, cell=atoms.cell, pbc=True))
        os.replace(partial, self.folder / _GEOMETRY)

    def save_density(self, atoms: Atoms) -> None:
        partial = self.folder / ("partial-" + _DENSITY)
        atoms.calc.write(partial)
        os.replace(partial, self.folder / _DENSITY)

    def report(self, atoms: Atoms, step: int = 1) -> None:
        force = float(np.linalg.norm(atoms.get_forces(), axis=1).max())
        elapsed = self.earlier_time_s + time.monotonic() - self._begun
        status = {"ionic_step": step, "max_force_eV_A": force, "wall_time_s": elapsed}
        _write(self.folder / "status.json", json.dumps(status))


def _relax(atoms: Atoms, request: CalculationRequest, checkpoint: _Checkpoint) -> int:
    """Relax in place; return the number of geometries calculated, earlier runs included."""
    settings = request.settings["relaxation"]
    target = FrechetCellFilter(atoms) if request.kind == "cell" else atoms
    hessian = checkpoint.folder / _HESSIAN
    if request.kind == "cell" or not (checkpoint.folder / _GEOMETRY).exists():
        # A cell's Hessian is relative to the cell that its relaxation began with.
        hessian.unlink(missing_ok=True)
    optimizer = BFGS(
        target,
        restart=str(hessian),
        logfile=str(checkpoint.folder / "relaxation.log"),
        maxstep=settings["max_displacement_A"],
        alpha=settings["curvature_eV_A2"],
    )
    steps = checkpoint.earlier_steps

    def after_step() -> None:
        nonlocal steps
        steps += 1
        checkpoint.save(atoms)
        if request.kind == "relax":
            checkpoint.save_density(atoms)
        checkpoint.report(atoms, steps)

    optimizer.attach(after_step)
    allowed = max(0, settings["max_steps"] - checkpoint.earlier_steps)
    if not optimizer.run(fmax=settings["force_tolerance_eV_A"], steps=allowed):
        raise NotConvergedError(
            f"forces are above {settings['force_tolerance_eV_A']} eV/Å after "
            f"{settings['max_steps']} steps; raise max_steps in the preset"
        )
    return steps


def gpaw_parameters(request: CalculationRequest) -> dict[str, Any]:
    """Return the calculator's keywords for a request."""
    settings = request.settings
    scf = settings["scf"]
    mixer = scf["mixer"]
    parameters: dict[str, Any] = {
        "mode": {"name": "pw", "ecut": settings["cutoff_eV"]},
        "xc": settings["xc"],
        "kpts": {"size": tuple(settings["kpoints"]), "gamma": True},
        "occupations": {"name": "fermi-dirac", "width": settings["smearing_eV"]},
        "nbands": -settings["empty_bands"],
        "charge": request.charge,
        "maxiter": scf["max_iterations"],
        "mixer": {
            "backend": mixer["backend"],
            "beta": mixer["beta"],
            "nmaxold": mixer["history"],
            "weight": mixer["weight"],
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


def _document(
    atoms: Atoms, request: CalculationRequest, steps: int, wall_time_s: float
) -> Calculation:
    import ase
    import gpaw

    calculator = atoms.calc
    electrons = float(calculator.get_number_of_electrons())
    vbm, cbm = _edges(calculator, electrons, request.settings["smearing_eV"])
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
        max_force_eV_A=float(np.linalg.norm(atoms.get_forces(), axis=1).max()),
        planar_potential=PlanarPotential(
            height_A=float(height), potential_eV=[round(float(value), 6) for value in potential]
        ),
        site_potentials_eV=[
            round(float(value), 6) for value in calculator.get_atomic_electrostatic_potentials()
        ],
        ionic_steps=steps,
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
) -> tuple[float | None, float | None]:
    """Return VBM and CBM over k-points and spins; None for both where bands cross the Fermi level.

    A spin channel fills as many bands as it has electrons, which is a whole number where there is a
    gap: half of all electrons and half of the magnetic moment.
    """
    points = range(len(calculator.get_ibz_k_points()))
    spins = calculator.get_number_of_spins()
    moment = float(calculator.get_magnetic_moment()) if spins == 2 else 0.0
    highest, lowest = [], []
    for spin in range(spins):
        count = (electrons + (moment if spin == 0 else -moment)) / 2
        filled = round(count)
        levels = np.array([calculator.get_eigenvalues(kpt=k, spin=spin) for k in points])
        if abs(count - filled) > _WHOLE_ELECTRONS or levels.shape[1] <= filled:
            return None, None
        highest += [float(levels[:, filled - 1].max())] if filled else []
        lowest.append(float(levels[:, filled].min()))
    vbm, cbm = max(highest), min(lowest)
    return (vbm, cbm) if cbm - vbm > 4 * smearing_eV else (None, None)


def _explain(error: Exception) -> str:
    name = type(error).__name__
    if name == "KohnShamConvergenceError":
        return "the electrons did not converge; raise scf.max_iterations or damp scf.mixer"
    return str(error) or name


def _write(path: Path, text: str) -> None:
    partial = path.with_name("partial-" + path.name)
    partial.write_text(text)
    os.replace(partial, path)


if __name__ == "__main__":
    raise SystemExit(main())
