"""The process that calculates: ``python -m interohm.workflows.engines.gpaw_worker FOLDER``.

Reads ``request.json``, writes ``result.json`` (whole or not at all) and, while it relaxes, a
checkpoint of geometry, Hessian and density from which a later run goes on. Knows GPAW and ASE;
neither database nor flow.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from gpaw.mpi import world
from gpaw.new.ase_interface import ASECalculator
from pymatgen.io.ase import AseAtomsAdaptor

from interohm.files import open_plain
from interohm.postprocess.calculation import Calculation

from .gpaw_output import MASTER, NotConvergedError, document, remove, replace, write_atomically
from .gpaw_scf import calculator, calculator_from, is_scf_failure, set_initial_moments
from .request import CalculationRequest
from .worker_run import DISK_FULL, end_with

_GEOMETRY = "geometry.extxyz"
_HESSIAN = "hessian.json"
_DENSITY = "density.gpw"
_ATTEMPTS = "scf_attempts.json"


class ElectronsNotConvergedError(NotConvergedError):
    """The electrons converged with none of the settings that were tried.

    Parameters
    ----------
    attempts : list of mapping
        As in `Calculation.scf_attempts`.
    """

    def __init__(self, attempts: list[dict[str, Any]]) -> None:
        self.attempts = attempts
        tried = f"nor with {len(attempts) - 1} other settings; " if len(attempts) > 1 else ""
        super().__init__(
            f"the electrons did not converge, {tried}raise scf.max_iterations or damp scf.mixer, "
            "or add to scf_retries in the preset"
        )


def main() -> int:
    """Calculate what the folder asks for; the exit status is 0 when a result was written."""
    folder = Path(sys.argv[1])
    # Of several processes the first one, whose end is that of the others.
    if MASTER:
        end_with(sys.argv[2] if len(sys.argv) > 2 else None, lambda: os._exit(3))
    lock = open_plain(folder / "lock")
    if MASTER:
        # Whoever started an earlier run in this folder may be gone, its worker not yet.
        fcntl.flock(lock, fcntl.LOCK_EX)
    world.barrier()
    if (folder / "result.json").exists():
        # The earlier run ended well while this one waited for it.
        return 0
    request = CalculationRequest.model_validate_json((folder / "request.json").read_text())
    try:
        result = calculate(request, folder)
    except Exception as error:
        attempts = error.attempts if isinstance(error, ElectronsNotConvergedError) else []
        content = {"error": _explain(error), "attempts": attempts}
        write_atomically(folder / "failure.json", json.dumps(content))
        raise
    write_atomically(folder / "result.json", result.model_dump_json(exclude_none=True))
    remove(folder / _DENSITY)
    return 0


def calculate(request: CalculationRequest, folder: Path) -> Calculation:
    """Run GPAW, going on from the folder's checkpoint where there is one.

    Where the electrons do not converge, the request's retries change the settings, one after the
    other; each begins at the last finished geometry.

    Raises
    ------
    NotConvergedError
        With the last of them the electrons did not converge, or the ions did not.
    """
    if request.kind == "neb":
        from .gpaw_neb import calculate_path

        return calculate_path(request, folder)
    if request.kind == "dielectric":
        from .gpaw_dielectric import calculate_response

        return calculate_response(request, folder)
    begun = time.monotonic()
    earlier_s = _Checkpoint(folder).earlier_time_s
    history = folder / _ATTEMPTS
    attempts: list[dict[str, Any]] = json.loads(history.read_text()) if history.exists() else []
    for changes in [{}, *request.scf_retries][len(attempts) :]:
        try:
            atoms, steps = _attempt(request, changes, _Checkpoint(folder))
        except Exception as error:
            if not is_scf_failure(error):
                raise
            attempts.append({"changes": changes, "error": str(error) or type(error).__name__})
            sys.stderr.write(f"the electrons did not converge with {changes or 'the settings'}\n")
            # It was made with the settings that failed.
            remove(folder / _DENSITY)
            write_atomically(history, json.dumps(attempts))
            continue
        if attempts:
            attempts.append({"changes": changes})
        remove(history)
        return document(atoms, request, steps, earlier_s + time.monotonic() - begun, attempts)
    remove(history)
    raise ElectronsNotConvergedError(attempts)


def _attempt(
    request: CalculationRequest, changes: dict[str, Any], checkpoint: _Checkpoint
) -> tuple[Atoms, int]:
    """Calculate with some settings; return atoms with their calculator, and the steps."""
    atoms = checkpoint.geometry() or AseAtomsAdaptor.get_atoms(request.initial_structure)
    set_initial_moments(atoms, request)
    atoms.calc = checkpoint.calculator(atoms, request, changes)
    if request.kind == "static":
        atoms.get_potential_energy()
        checkpoint.report(atoms)
        return atoms, 1
    return atoms, _relax(atoms, request, checkpoint)


class _Checkpoint:
    """Checkpoint of a killed relaxation; each file is written atomically."""

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
        from ase.io import read

        atoms = read(path)
        # Only the geometry: forces and energies of the file belong to the calculator that is gone.
        return Atoms(atoms.symbols, atoms.positions, cell=atoms.cell, pbc=True)

    def calculator(
        self, atoms: Atoms, request: CalculationRequest, changes: dict[str, Any]
    ) -> ASECalculator:
        log, density = self.folder / "gpaw.txt", self.folder / _DENSITY
        earlier = calculator_from(density, log=log) if density.exists() else None
        return earlier or calculator(atoms, request, changes, log=log)

    def save(self, atoms: Atoms) -> None:
        from ase.io import write

        partial = self.folder / ("partial-" + _GEOMETRY)
        write(partial, Atoms(atoms.symbols, atoms.positions, cell=atoms.cell, pbc=True))
        replace(partial, self.folder / _GEOMETRY)

    def save_density(self, atoms: Atoms) -> None:
        partial = self.folder / ("partial-" + _DENSITY)
        atoms.calc.write(partial)
        replace(partial, self.folder / _DENSITY)

    def report(self, atoms: Atoms, step: int = 1) -> None:
        force = float(np.linalg.norm(atoms.get_forces(), axis=1).max())
        elapsed = self.earlier_time_s + time.monotonic() - self._begun
        status = {"ionic_step": step, "max_force_eV_A": force, "wall_time_s": elapsed}
        write_atomically(self.folder / "status.json", json.dumps(status))


def _relax(atoms: Atoms, request: CalculationRequest, checkpoint: _Checkpoint) -> int:
    """Relax in place; return the number of geometries calculated, earlier runs included."""
    from ase.filters import FrechetCellFilter
    from ase.optimize import BFGS

    settings = request.settings["relaxation"]
    target = FrechetCellFilter(atoms) if request.kind == "cell" else atoms
    hessian = checkpoint.folder / _HESSIAN
    if request.kind == "cell" or not (checkpoint.folder / _GEOMETRY).exists():
        # A cell's Hessian is relative to the cell that its relaxation began with.
        remove(hessian)
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


def _explain(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return DISK_FULL
    return str(error) or type(error).__name__


if __name__ == "__main__":
    raise SystemExit(main())
