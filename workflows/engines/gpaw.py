"""GPAW as an engine: every calculation is a single-threaded process of its own."""

from __future__ import annotations

import importlib.util
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from interohm.postprocess.calculation import Calculation
from pymatgen.core import Structure

from interohm.errors import InputError

from .protocol import CalculationError, Progress
from .request import CalculationRequest


class GpawEngine:
    """Plane waves and projector-augmented waves, from the package index."""

    name = "gpaw"

    def check(self) -> None:
        """Raise InputError unless gpaw and its datasets can be imported."""
        missing = [name for name in ("gpaw", "gpaw_data") if not importlib.util.find_spec(name)]
        if missing:
            raise InputError(
                f"the engine gpaw is not installed ({', '.join(missing)} missing)",
                where="engine",
                fix="pip install 'interohm[gpaw]', with a C++ compiler; "
                "the README says how to build it without further libraries",
            )

    def valence_electrons(self, structure: Structure, settings: dict[str, Any]) -> int:
        """Return the electrons outside the frozen cores of the PBE datasets."""
        self.check()
        from gpaw.setup_data import SetupData

        counts = structure.composition.element_composition.get_el_amt_dict()
        return sum(round(n) * int(SetupData(el, "PBE").Nv) for el, n in counts.items())

    def request(
        self, structure: Structure, kind: str, settings: dict[str, Any], charge: int
    ) -> CalculationRequest:
        """Return the complete request; k-points are counted out from their length."""
        own = dict(settings)
        retries = own.pop("scf_retries", [])
        length = own.pop("kpoint_length_A")
        own["kpoints"] = kpoint_counts(structure, length, own.pop("periodic_axes"))
        own |= electron_correlation(structure, own.pop("hubbard_U", None))
        own |= initial_moments(structure, own.pop("magnetic_moments", None))
        if kind == "static":
            own.pop("relaxation", None)
        return CalculationRequest(
            engine=self.name,
            kind=kind,
            charge=charge,
            structure=structure.as_dict(),
            settings=own,
            scf_retries=retries,
        )

    def start(self, request: CalculationRequest, folder: Path) -> GpawRun:
        """Start the worker process in ``folder``."""
        self.check()
        folder.mkdir(parents=True, exist_ok=True)
        for leftover in ("result.json", "failure.json"):
            (folder / leftover).unlink(missing_ok=True)
        partial = folder / "partial-request.json"
        partial.write_text(request.model_dump_json())
        os.replace(partial, folder / "request.json")
        return GpawRun(request, folder)


def kpoint_counts(structure: Structure, length_A: float, axes: int) -> list[int]:
    """Return the divisions of a Gamma-centred mesh.

    Parameters
    ----------
    structure : Structure
    length_A : float
        The supercell that the mesh stands for reaches at least this far along each axis, to 1 %.
    axes : int
        2 for a slab (one point along c), 3 for a crystal.
    """
    # The reciprocal lattice of crystallographers: its vectors are one over the planes' distances.
    inverse = structure.lattice.reciprocal_lattice_crystallographic.abc
    counts = [max(1, math.ceil(0.99 * length_A * one)) for one in inverse]
    return [*counts[:2], counts[2] if axes == 3 else 1]


def electron_correlation(
    structure: Structure, hubbard_U: dict[str, Any] | None
) -> dict[str, dict[str, dict[str, float]]]:
    """Return the setting ``hubbard_U_eV`` of a structure, nothing where no element has one.

    Parameters
    ----------
    structure : Structure
    hubbard_U : mapping, optional
        The preset's.
    """
    elements = {element.symbol for element in structure.composition}
    if hubbard_U is None or not elements & set(hubbard_U["in_compounds_of"]):
        return {}
    own = {el: dict(U) for el, U in sorted(hubbard_U["values_eV"].items()) if el in elements}
    return {"hubbard_U_eV": own} if own else {}


def initial_moments(
    structure: Structure, magnetic_moments: dict[str, Any] | None
) -> dict[str, dict[str, float]]:
    """Return the setting ``magnetic_moments_muB`` of a structure, nothing where all are zero."""
    if magnetic_moments is None:
        return {}
    elements = {element.symbol for element in structure.composition}
    values = sorted(magnetic_moments["values_muB"].items())
    own = {element: moment for element, moment in values if element in elements and moment}
    return {"magnetic_moments_muB": own} if own else {}


class GpawRun:
    """A worker process and the folder it writes to."""

    worker = "interohm.workflows.engines.gpaw_worker"

    def __init__(self, request: CalculationRequest, folder: Path) -> None:
        self.request = request
        self.folder = folder
        environment = os.environ | {
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "MKL_NUM_THREADS": "1",
        }
        with (folder / "worker.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", self.worker, str(folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                # A Ctrl-C reaches the launcher alone, which then ends its workers in order.
                start_new_session=True,
            )

    def finished(self) -> bool:
        """Whether the process has ended."""
        return self._process.poll() is not None

    def wait(self) -> None:
        """Wait for the process to end."""
        self._process.wait()

    def progress(self) -> Progress | None:
        """Read the worker's status file and the tail of GPAW's log."""
        log = self.folder / "gpaw.txt"
        if not log.exists():
            return None
        with log.open("rb") as stream:
            stream.seek(max(0, log.stat().st_size - 6000))
            tail = stream.read().decode(errors="replace").splitlines()
        iteration = 0
        for line in tail[1:]:  # the first line may be half a line
            if line.startswith("|iter:"):
                iteration = int(line.split("|")[1].removeprefix("iter:"))
        status = self._read("status.json") or {}
        return Progress(
            ionic_step=int(status.get("ionic_step", 0)) + 1,
            scf_iteration=iteration,
            max_force_eV_A=status.get("max_force_eV_A"),
        )

    def result(self) -> Calculation:
        """Return the calculation that the finished process wrote."""
        text = self._text("result.json")
        if text is not None:
            return Calculation.model_validate_json(text)
        failure = self._read("failure.json") or {}
        reason = failure.get("error", f"the worker ended with status {self._process.returncode}")
        raise CalculationError(f"{reason} (log: {self.folder / 'worker.log'})")

    def stop(self) -> None:
        """End the worker."""
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait()

    def _text(self, name: str) -> str | None:
        path = self.folder / name
        return path.read_text() if path.exists() else None

    def _read(self, name: str) -> dict[str, Any] | None:
        text = self._text(name)
        return None if text is None else json.loads(text)
