"""VASP as an engine: atomate2's input sets, run by atomate2 under custodian."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

from pymatgen.core import Structure

from interohm.errors import InputError
from interohm.extras import require
from interohm.postprocess.vasp_method import functional_name

from .protocol import Progress
from .request import CalculationRequest
from .vasp_distortions import require_shakenbreak
from .vasp_inputs import (
    complete_incar,
    in_poscar_order,
    potcar_symbols,
    valence_electrons,
    write_inputs,
)
from .vasp_kpoints import kpoints_of
from .worker_run import WorkerRun, check_space


class VaspEngine:
    """Plane waves and projector-augmented waves, for clusters with a licence."""

    name = "vasp"

    def check(self) -> None:
        """Raise InputError unless atomate2 and the program that it starts are there."""
        if (missing := self.missing_program()) is not None:
            raise missing

    def missing_program(self) -> InputError | None:
        """Return what to say if VASP is not on this machine, None if it is.

        Raises
        ------
        InputError
            atomate2 is not installed, so that not even inputs can be written.
        """
        self._check_atomate2()
        from atomate2 import SETTINGS

        command = os.path.expandvars(str(SETTINGS.VASP_CMD))
        words = [word for word in command.split() if not word.startswith("-")]
        program = next((word for word in words if "vasp" in word), command)
        if shutil.which(program) is not None:
            return None
        return InputError(
            f"VASP's command {command!r} is not on the PATH",
            where="engine",
            fix="load VASP's module, and set VASP_CMD in ~/.atomate2.yaml to the command that "
            "starts it",
        )

    def _check_atomate2(self) -> None:
        require("vasp", "the engine vasp", where="engine")

    def check_elements(self, structure: Structure, settings: dict[str, Any]) -> None:
        """Raise InputError unless the valence electrons of all elements' data sets are known.

        And unless ShakeNBreak is there, where defects begin by it.
        """
        self._check_atomate2()
        if settings.get("shakenbreak"):
            require_shakenbreak()
        potcars = settings["potcars"]
        symbols = potcar_symbols(structure, potcars["symbols"])
        valence_electrons(structure, {**potcars, "symbols": symbols})

    def valence_electrons(self, structure: Structure, settings: dict[str, Any]) -> int:
        """Return the electrons outside the frozen cores of the request's data sets."""
        return valence_electrons(structure, settings["potcars"])

    def request(
        self, structure: Structure, kind: str, settings: dict[str, Any], charge: int
    ) -> CalculationRequest:
        """Return the complete request: every tag of INCAR, the mesh, and the data sets."""
        self._check_atomate2()
        ordered = in_poscar_order(structure)
        kpoints = kpoints_of(ordered, settings)
        potcars = {
            "functional": settings["potcars"]["functional"],
            "symbols": potcar_symbols(structure, settings["potcars"]["symbols"]),
        }
        asked: Any = kind  # one that the preset gave
        incar = complete_incar(ordered, asked, settings, kpoints, potcars, charge)
        own = {
            "xc": functional_name(incar),
            "cutoff_eV": settings["cutoff_eV"],
            **kpoints,
            "incar": incar,
            "potcars": potcars,
        }
        if settings.get("cell_held"):
            own["cell_held"] = True
        if kind == "neb":
            own["path"] = settings["path"]
        if kind == "relax":
            starts = ("displacement_A", "shakenbreak")
            own |= {name: settings[name] for name in starts if settings.get(name)}
        return CalculationRequest(
            engine=self.name,
            kind=kind,
            charge=charge,
            structure=structure.as_dict(),
            settings=own,
        )

    def start(self, request: CalculationRequest, folder: Path) -> VaspRun:
        """Write the inputs into ``folder`` and start the worker process there."""
        self.check()
        check_space(folder)
        write_inputs(request, folder)
        worker = "interohm.workflows.engines.vasp_worker"
        return VaspRun(request, folder, [sys.executable, "-m", worker, str(folder)])


class VaspRun(WorkerRun):
    """A worker process, VASP below it, and the folder that they write to."""

    def progress(self) -> Progress | None:
        """Count the geometries and iterations in OSZICAR; of a path, in that of its first image."""
        log = self.folder / ("01/OSZICAR" if self.request.kind == "neb" else "OSZICAR")
        if not log.exists():
            return None
        lines = log.read_text(errors="replace").splitlines()
        iterations = [re.match(r"\s*[A-Z]{3}:\s*(\d+)", line) for line in lines[-1:]]
        return Progress(
            ionic_step=sum(" F= " in line for line in lines) + 1,
            scf_iteration=next((int(found[1]) for found in iterations if found), 0),
            max_force_eV_A=None,
        )
