"""GPAW as an engine: every calculation is a process of its own, or several under MPI."""

from __future__ import annotations

import functools
import math
import re
import shutil
import sys
from pathlib import Path
from typing import Any

from pymatgen.core import Structure

from interohm.errors import InputError
from interohm.extras import install_command, missing_packages
from interohm.settings import load_settings

from .protocol import Progress
from .request import CalculationRequest
from .worker_run import WorkerRun, check_space

#: Electrons outside the frozen cores of gpaw-data's PBE data sets. They let a campaign be planned
#: where GPAW is not installed.
_PBE_ELECTRONS = {
    element: electrons
    for electrons, elements in {
        1: "H Li",
        2: "He Be",
        3: "B Al Ga",
        4: "C Si Ge",
        5: "N P As",
        6: "O S Cr Se Te",
        7: "F Na Cl Br I",
        8: "Ne Ar Fe Kr Xe Rn",
        9: "K Co Rb Cs",
        10: "Mg Ca Sr Ba",
        11: "Sc Cu Y La Au",
        12: "Ti Zn Zr Cd Ce Hf",
        13: "V Nb In Pr Ta Re Tl",
        14: "Mo Sn Nd W Os Pb",
        15: "Mn Rh Sb Pm Ir Bi",
        16: "Ni Ru Pd Sm Pt",
        17: "Ag Eu",
        18: "Gd Hg",
        19: "Tb",
        20: "Dy",
        21: "Ho",
        22: "Er",
        23: "Tm",
        24: "Yb",
        25: "Lu",
    }.items()
    for element in elements.split()
}


class GpawEngine:
    """Plane waves and projector-augmented waves, from the package index."""

    name = "gpaw"

    def check(self) -> None:
        """Raise InputError unless gpaw and its datasets can be imported."""
        if missing := missing_packages("gpaw"):
            raise InputError(
                f"the engine gpaw is not installed ({', '.join(missing)} missing)",
                where="engine",
                fix=f"{install_command('gpaw')}, with a C++ compiler; docs/install.md says how to "
                "build it without further libraries",
            )

    def check_elements(self, structure: Structure, settings: dict[str, Any]) -> None:
        """Raise InputError unless the functional is there, and data sets of all elements for it.

        Without gpaw nothing is checked: all may be calculated already.
        """
        if missing_packages("gpaw"):
            return
        from gpaw import setup_paths
        from gpaw.xc import XC

        name = settings["xc"]
        try:
            datasets = XC(name).get_setup_name()
        except (NameError, AssertionError, ValueError) as error:
            raise InputError(
                f"this gpaw has no functional {name}: {error}",
                where="preset: xc",
                fix="PBE, LDA, RPBE or revPBE; others need libxc: apt install libxc-dev, then "
                "rebuild gpaw without `nolibxc = True`",
            ) from None
        for element in sorted({element.symbol for element in structure.composition}):
            try:
                _dataset_electrons(element, datasets)
            except FileNotFoundError:
                raise InputError(
                    f"gpaw has no {datasets} data set of {element}",
                    where="structure",
                    fix="put one into a folder that GPAW_SETUP_PATH names (now: "
                    f"{', '.join(map(str, setup_paths))}), or use the engine vasp",
                ) from None

    def valence_electrons(self, structure: Structure, settings: dict[str, Any]) -> int:
        """Return the electrons outside the frozen cores of the PBE datasets.

        Without gpaw, those of gpaw-data: a plan calculates nothing and needs no engine.
        """
        counts = structure.composition.element_composition.get_el_amt_dict()
        if not missing_packages("gpaw"):
            return sum(round(n) * _dataset_electrons(el, "PBE") for el, n in counts.items())
        if unknown := sorted(counts.keys() - _PBE_ELECTRONS.keys()):
            raise InputError(
                f"gpaw-data has no PBE data set of {' and '.join(unknown)}",
                where="structure",
                fix="use the engine vasp, or install gpaw and put a data set into a folder that "
                "GPAW_SETUP_PATH names",
            )
        return sum(round(n) * _PBE_ELECTRONS[el] for el, n in counts.items())

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
        check_space(folder)
        return GpawRun(request, folder, worker_command(folder, load_settings().gpaw_processes))


@functools.cache
def _dataset_electrons(element: str, datasets: str) -> int:
    """Return the electrons outside the frozen core; a data set that is not there is an error."""
    from gpaw.setup_data import SetupData

    return int(SetupData(element, datasets).Nv)


def has_mpi() -> bool:
    """Return whether gpaw was built with MPI."""
    from gpaw import cgpaw

    return bool(cgpaw.have_mpi)


def worker_command(folder: Path, processes: int) -> list[str]:
    """Return the command of a calculation's worker: under MPI where it is there and asked for."""
    worker = ["-m", "interohm.workflows.engines.gpaw_worker", str(folder)]
    mpiexec = shutil.which("mpiexec")
    if processes > 1 and mpiexec is not None and has_mpi():
        # GPAW's own interpreter ends all processes when one of them fails.
        return [mpiexec, "-n", str(processes), sys.executable, "-m", "gpaw", "python", *worker]
    return [sys.executable, *worker]


def kpoint_counts(structure: Structure, length_A: float, axes: int) -> list[int]:
    """Return the divisions of a Gamma-centred mesh.

    Parameters
    ----------
    structure : Structure
        The atoms.
    length_A : float
        The supercell that the mesh stands for reaches at least this far along each axis, to 1 %.
    axes : int
        2 for a slab (one point along c), 3 for a crystal.
    """
    # The reciprocal lattice of crystallographers: its vectors are one over the planes' distances.
    inverse = structure.lattice.reciprocal_lattice_crystallographic.abc
    # What is a whole number but for rounding is that number.
    counts = [max(1, math.ceil(0.99 * length_A * one - 1e-6)) for one in inverse]
    return [*counts[:2], counts[2] if axes == 3 else 1]


def electron_correlation(
    structure: Structure, hubbard_U: dict[str, Any] | None
) -> dict[str, dict[str, dict[str, float]]]:
    """Return the setting ``hubbard_U_eV`` of a structure, nothing where no element has one.

    Parameters
    ----------
    structure : Structure
        The atoms.
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


class GpawRun(WorkerRun):
    """A worker process that calculates with GPAW."""

    def progress(self) -> Progress | None:
        """Read the worker's status file and the tail of GPAW's log."""
        log = self.folder / "gpaw.txt"
        if not log.exists():
            return None
        with log.open("rb") as stream:
            stream.seek(max(0, log.stat().st_size - 6000))
            tail = stream.read().decode(errors="replace")
        # a number that ends is written to its end: GPAW flushes half lines, too
        iterations = re.findall(r"^\|iter: *(\d+)\|", tail, flags=re.MULTILINE)
        status = self._read("status.json") or {}
        return Progress(
            ionic_step=int(status.get("ionic_step", 0)) + 1,
            scf_iteration=int(iterations[-1]) if iterations else 0,
            max_force_eV_A=status.get("max_force_eV_A"),
        )
