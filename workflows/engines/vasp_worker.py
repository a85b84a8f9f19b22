"""The process that runs VASP: ``python -m interohm.workflows.engines.vasp_worker FOLDER``.

Puts the POTCARs of the licensee beside the inputs, lets atomate2 run VASP under custodian (which
corrects errors that it knows and starts again), and writes ``result.json``, whole or not at all.
Of a migration path VASP calculates the images between the ends; the ends have calculations of
their own before.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sys
from pathlib import Path

import psutil
from pymatgen.core import Structure

from interohm.errors import InputError
from interohm.postprocess.calculation import Calculation
from interohm.postprocess.vasp import read_vasp
from interohm.postprocess.vasp_path import image_folders, read_image, read_vasp_path
from interohm.yaml_io import write_text

from .request import CalculationRequest
from .vasp_inputs import site_order, valence_electrons
from .worker_run import end_with

#: custodian looks each second whether VASP has ended, as calculations of small cells take seconds,
#: and every five minutes (its own value) for errors of a running one.
_CUSTODIAN = {"polling_time_step": 1, "monitor_freq": 300}


def main() -> int:
    """Calculate what the folder asks for; the exit status is 0 when a result was written."""
    folder = Path(sys.argv[1]).resolve()
    _end_with(sys.argv[2] if len(sys.argv) > 2 else None)
    request = CalculationRequest.model_validate_json((folder / "request.json").read_text())
    os.chdir(folder)
    try:
        _prepare(request, folder)
        if request.kind == "neb":
            _calculate_ends(folder)
        unweighted = "zero_weight_kpoints" in request.settings
        _run(folder, request.kind, unweighted=unweighted)
        result = as_requested(_read(folder, request.kind, unweighted=unweighted), request)
    except Exception as error:
        reason = str(error) or type(error).__name__
        write_text(folder / "failure.json", json.dumps({"error": reason}))
        raise
    write_text(folder / "result.json", result.model_dump_json())
    # What a killed run goes on from, some gigabytes for a supercell.
    (folder / "WAVECAR").unlink(missing_ok=True)
    return 0


def _calculate_ends(folder: Path) -> None:
    """Calculate both ends of a path where they are, unless an earlier run did."""
    first, *_, last = image_folders(folder)
    for directory in (first, last):
        try:
            read_image(directory)
            continue
        except InputError:  # not calculated yet, or not to the end
            pass
        shutil.copy(folder / "POTCAR", directory / "POTCAR")
        os.chdir(directory)
        _run(directory, "static")
        os.chdir(folder)


def _run(folder: Path, kind: str, *, unweighted: bool = False) -> None:
    """Run VASP; where custodian gives up, say what is wrong with the files that VASP left."""
    from atomate2.vasp.run import JobType, run_vasp

    try:
        if kind == "neb":
            # Errors are looked for in these files, as atomate2's maker names them.
            files = {"output_file": "vasp.out", "stderr_file": "std_err.txt"}
            run_vasp(JobType.NEB, vasp_job_kwargs=files, custodian_kwargs=_CUSTODIAN)
        else:
            run_vasp(custodian_kwargs=_CUSTODIAN)
    except Exception as error:
        try:
            _read(folder, kind, unweighted=unweighted)
        except InputError as reason:
            raise RuntimeError(f"{reason.where}: {reason.what} (custodian: {error})") from error
        raise


def _read(folder: Path, kind: str, *, unweighted: bool) -> Calculation:
    if kind == "neb":
        return read_vasp_path(folder)
    # VASP's forces are no numbers where points have no weight.
    return read_vasp(folder, without_forces=unweighted)


def _end_with(launcher: str | None) -> None:
    """End this process and VASP when it is told to, or its launcher is gone, however it went."""

    def end(*_: object) -> None:
        # custodian starts VASP in a session of its own, which no signal to this one reaches.
        for child in psutil.Process().children(recursive=True):
            child.terminate()
        os._exit(3)

    signal.signal(signal.SIGTERM, end)
    end_with(launcher, lambda: os.kill(os.getpid(), signal.SIGTERM))


def _prepare(request: CalculationRequest, folder: Path) -> None:
    """Go on from the last geometry of an earlier run, and see to the POTCARs."""
    sites = len(request.initial_structure)
    if request.kind in ("cell", "relax"):
        _go_on(folder, sites)
    if request.kind == "neb":
        for directory in image_folders(folder)[1:-1]:
            _go_on(directory, sites)
        # custodian looks for it; VASP takes those of the images.
        shutil.copy(folder / "00" / "POSCAR", folder / "POSCAR")
    potcar = folder / "POTCAR"
    if not potcar.is_file():
        from pymatgen.io.vasp import Potcar

        symbols = (folder / "POTCAR.spec").read_text().split()
        functional = request.settings["potcars"]["functional"]
        Potcar(symbols, functional=functional).write_file(str(potcar))
    _check_valences(request, potcar)


def _go_on(folder: Path, sites: int) -> None:
    if _is_whole(folder / "CONTCAR", sites):
        os.replace(folder / "CONTCAR", folder / "POSCAR")


def _is_whole(contcar: Path, sites: int) -> bool:
    """Return whether an earlier run got as far as writing a geometry."""
    from pymatgen.io.vasp import Poscar

    try:
        return len(Poscar.from_file(contcar, check_for_potcar=False).structure) == sites
    except Exception:  # missing, empty or half-written: VASP then begins at the beginning
        return False


def _check_valences(request: CalculationRequest, potcar: Path) -> None:
    """Refuse data sets with other electrons than those that NELECT was counted with."""
    found = [float(value) for value in re.findall(r"ZVAL\s*=\s*([\d.]+)", potcar.read_text())]
    structure = request.initial_structure
    potcars = request.settings["potcars"]
    counts = structure.composition.element_composition.get_el_amt_dict()
    neutral = sum(counts[el] * zval for el, zval in zip(potcars["symbols"], found, strict=True))
    expected = valence_electrons(structure, potcars)
    if abs(neutral - expected) > 1e-6:
        raise ValueError(
            f"the data sets in {potcar} have {neutral:g} valence electrons, the inputs were made "
            f"for {expected}"
        )


def as_requested(found: Calculation, request: CalculationRequest) -> Calculation:
    """Return a finished calculation with the request's name, settings and order of sites.

    Raises
    ------
    ValueError
        VASP calculated something else.
    """
    if request.kind == "dielectric" and found.response is None:
        raise ValueError("VASP calculated no response of the ions (IBRION = 8 with LEPSILON)")
    if found.charge != request.charge:
        raise ValueError(f"the cell has the charge {found.charge}, not {request.charge}")
    row_of = {site: row for row, site in enumerate(site_order(request.initial_structure))}
    rows = [row_of[site] for site in range(len(row_of))]
    structure = found.final_structure
    ordered = Structure.from_sites([structure[row] for row in rows])
    if ordered.species != request.initial_structure.species:
        raise ValueError("the sites are not the requested ones")
    potentials, response = found.site_potentials_eV, found.response
    return found.model_copy(
        update={
            "hash": request.hash,
            "kind": request.kind,
            "settings": request.settings,
            "initial_structure": request.structure,
            "structure": ordered.as_dict(),
            "site_potentials_eV": [potentials[row] for row in rows] if potentials else [],
            "response": None if response is None else response.reordered(rows),
        }
    )


if __name__ == "__main__":
    raise SystemExit(main())
