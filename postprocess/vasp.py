"""Finished VASP folders as calculation documents; what is cut off or not converged is refused.

VASP's conventions are those of the documents: LOCPOT (with LVHAR) and the potentials at the cores
in OUTCAR are potential energies of an electron, eigenvalues refer to the same zero, and that zero
is the cell's average, because the electrostatic potential has no uniform component.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import warnings
import zlib
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from pymatgen.core import Structure
from pymatgen.io.vasp import Locpot, Poscar, Vasprun

from interohm.errors import InputError

from .calculation import Calculation, CalculationKind, PlanarPotential
from .hubbard import vasp_repulsions
from .vasp_files import (
    core_potentials_eV,
    cut_off,
    elapsed_time_s,
    file_content,
    find_file,
    functional_name,
    outcar_text,
)
from .vasp_response import read_response

#: eV; a LOCPOT whose average is farther from zero holds more than the electrostatic potential.
_LARGEST_AVERAGE_EV = 0.1
#: Of a state: between these two a level is partially filled, as in a metal.
_EMPTY, _FULL = 0.01, 0.99


def read_vasp(folder: str | Path) -> Calculation:
    """Read a finished VASP folder.

    Parameters
    ----------
    folder : str or Path
        With ``vasprun.xml``; ``LOCPOT`` (for surfaces) and ``OUTCAR`` (for charged defects and
        dielectric responses) where there are any. All may be compressed with gzip.

    Returns
    -------
    Calculation
        Its hash is that of ``vasprun.xml``; the potentials that no file tells are left out.

    Raises
    ------
    InputError
        A file is missing, cut off, not converged, or does not belong to the others; it is named.
    """
    folder = Path(folder)
    path = find_file(folder, "vasprun.xml")
    if path is None:
        raise InputError(
            "there is no vasprun.xml", where=str(folder), fix="name a folder that VASP wrote"
        )
    content = file_content(path)
    run = _parsed(path)
    kind = _kind(run.parameters, path)
    _refuse_unconverged(run, kind, path)
    structure = run.final_structure
    if (contcar := find_file(folder, "CONTCAR")) is not None:
        _compare(contcar, structure)
    parameters = run.parameters
    electrons = float(parameters["NELECT"])
    vbm, cbm = _edges(run)
    potentials = _planar_potentials(folder, structure)
    outcar_path = find_file(folder, "OUTCAR") or folder / "OUTCAR"
    outcar = outcar_text(outcar_path) if outcar_path.is_file() else ""
    response = None
    if kind == "dielectric":
        response = read_response(content, outcar, path, outcar_path, structure.volume)
    forces = np.asarray(run.ionic_steps[-1]["forces"])
    return Calculation(
        hash=hashlib.sha256(content).hexdigest(),
        engine="vasp",
        kind=kind,
        charge=round(_valence_electrons(content, path) - electrons),
        settings={
            "xc": functional_name(parameters),
            "cutoff_eV": float(parameters["ENMAX"]),
            "kpoints": _mesh(run),
            "incar": _plain(run.incar),
            "potcars": [title.strip() for title in run.potcar_symbols],
            **_hubbard_U(run),
        },
        initial_structure=run.initial_structure.as_dict(),
        structure=structure.as_dict(),
        # Extrapolated to zero width of the occupation.
        energy_eV=float(run.final_energy),
        electrons=electrons,
        fermi_level_eV=_fermi_level(content, path),
        vbm_eV=vbm,
        cbm_eV=cbm,
        max_force_eV_A=float(np.linalg.norm(forces, axis=1).max()),
        planar_potential=potentials[2] if potentials else None,
        side_potentials=(potentials[0], potentials[1]) if potentials else None,
        site_potentials_eV=core_potentials_eV(outcar, len(structure), outcar_path),
        response=response,
        ionic_steps=len(run.ionic_steps),
        wall_time_s=elapsed_time_s(outcar),
        versions={"vasp": str(run.vasp_version).strip(), "pymatgen": version("pymatgen-core")},
    )


def _parsed(path: Path) -> Vasprun:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Vasprun(path, parse_dos=False, parse_potcar_file=False)
    except (SyntaxError, EOFError, zlib.error, gzip.BadGzipFile):  # XML's errors are SyntaxErrors
        raise cut_off(path) from None
    except Exception as error:  # pymatgen trips in many ways over what is no run of VASP's
        raise InputError(
            f"it cannot be read: {error}", where=str(path), fix="give a finished vasprun.xml"
        ) from None


def _refuse_unconverged(run: Vasprun, kind: CalculationKind, path: Path) -> None:
    if kind == "dielectric":
        return  # OUTCAR tells it of each of its loops
    if not run.converged_electronic:
        what = f"the electrons did not converge in NELM = {run.parameters['NELM']} iterations"
        fix = "raise NELM or change ALGO"
    elif kind != "static" and not run.converged_ionic:
        what = f"the ions did not converge in NSW = {run.parameters['NSW']} steps"
        fix = "go on from CONTCAR"
    else:
        return
    raise InputError(what, where=str(path), fix=fix)


def _kind(parameters: Mapping[str, Any], path: Path) -> CalculationKind:
    algorithm = int(parameters["IBRION"])
    if int(parameters["NSW"]) == 0 or algorithm == -1:
        return "static"
    if algorithm in (7, 8):
        return "dielectric" if parameters.get("LEPSILON") else "static"
    if algorithm not in (1, 2, 3):
        raise InputError(
            f"IBRION = {algorithm} leaves the atoms where no force let them rest",
            where=str(path),
            fix="give relaxations, static calculations, or perturbation theory (IBRION = 8)",
        )
    return "cell" if int(parameters["ISIF"]) > 2 else "relax"


def _compare(contcar: Path, structure: Structure) -> None:
    try:
        other = Poscar.from_file(contcar, check_for_potcar=False).structure
    except Exception:  # an empty or half-written CONTCAR fails wherever the text ends
        raise cut_off(contcar) from None
    steps = np.zeros(1)
    same = [site.specie.symbol for site in other] == [site.specie.symbol for site in structure]
    if same:
        steps = other.frac_coords - structure.frac_coords
        steps = (steps - np.round(steps)) @ structure.lattice.matrix
    near = np.allclose(other.lattice.matrix, structure.lattice.matrix, atol=0.01)
    if not same or not near or np.abs(steps).max() > 0.05:
        raise InputError(
            "its structure is not the last one of vasprun.xml",
            where=str(contcar),
            fix="keep the files of different runs apart",
        )


def _valence_electrons(content: bytes, path: Path) -> float:
    """Return the electrons of the neutral cell, from the list of elements in vasprun.xml."""
    found = re.search(rb'<array name="atomtypes".*?</array>', content, re.DOTALL)
    if found is None:
        raise cut_off(path)
    rows = [
        [cell.text or "" for cell in row] for row in ElementTree.fromstring(found[0]).iter("rc")
    ]
    return sum(int(count) * float(valence) for count, _, _, valence, _ in rows)


def _fermi_level(content: bytes, path: Path) -> float:
    """Return the last Fermi level; pymatgen reads it with the density of states only."""
    found = re.findall(rb'<i name="efermi">\s*(-?[\d.]+)\s*</i>', content)
    if not found:
        raise InputError("it has no Fermi level", where=str(path), fix="let VASP finish")
    return float(found[-1])


def _edges(run: Vasprun) -> tuple[float | None, float | None]:
    """Return VBM and CBM over spins and k-points; None for both where a level is partly filled."""
    levels = np.concatenate([values.reshape(-1, 2) for values in run.eigenvalues.values()])
    energies, filling = levels.T
    full = filling > 0.5
    if full.all() or ((filling > _EMPTY) & (filling < _FULL)).any():
        return None, None
    vbm, cbm = float(energies[full].max()), float(energies[~full].min())
    return (vbm, cbm) if cbm > vbm else (None, None)


def _mesh(run: Vasprun) -> list[int] | list[str]:
    if run.kpoints.style.name in ("Gamma", "Monkhorst"):
        return [int(count) for count in run.kpoints.kpts[0]]
    return [f"{len(run.actual_kpoints)} listed"]


def _plain(incar: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: value for key, value in incar.items() if isinstance(value, (bool, int, float, str))
    }


def _hubbard_U(run: Vasprun) -> dict[str, Any]:
    """Return the setting ``hubbard_U_eV``, nothing where no element has one."""
    if not run.incar.get("LDAU"):
        return {}
    elements = [title.split()[1].split("_")[0] for title in run.potcar_symbols]
    lists = [
        run.incar.get(tag, run.parameters.get(tag)) or [] for tag in ("LDAUL", "LDAUU", "LDAUJ")
    ]
    found = vasp_repulsions(elements, *lists)
    return {"hubbard_U_eV": found} if found else {}


def _planar_potentials(folder: Path, structure: Structure) -> list[PlanarPotential] | None:
    """Return the planar averages along a, b and c, their common average taken out."""
    path = find_file(folder, "LOCPOT")
    if path is None:
        return None
    try:
        locpot = Locpot.from_file(path)
        averages = [np.asarray(locpot.get_average_along_axis(axis)) for axis in range(3)]
    except Exception:  # a grid that lacks values fails in the reader's reshaping
        raise cut_off(path) from None
    if not np.allclose(locpot.structure.lattice.matrix, structure.lattice.matrix, atol=0.01):
        raise InputError(
            "its cell is not that of vasprun.xml",
            where=str(path),
            fix="keep the files of different runs apart",
        )
    mean = float(averages[2].mean())
    if abs(mean) > _LARGEST_AVERAGE_EV:
        raise InputError(
            f"its average is {mean:.2f} eV, so that it holds more than the electrostatic potential",
            where=str(path),
            fix="calculate it with LVHAR = .TRUE. and without LVTOT",
        )
    heights = 1 / np.linalg.norm(np.linalg.inv(structure.lattice.matrix), axis=0)
    return [
        PlanarPotential(
            height_A=float(height), potential_eV=[round(float(v - mean), 6) for v in average]
        )
        for height, average in zip(heights, averages, strict=True)
    ]
