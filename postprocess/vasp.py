"""Finished VASP folders as calculation documents; what is cut off or not converged is refused.

VASP's conventions are those of the documents: LOCPOT (with LVHAR) and the potentials at the cores
in OUTCAR are potential energies of an electron, eigenvalues refer to the same zero, and that zero
is the cell's average, because the electrostatic potential has no uniform component.
"""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from pymatgen.core import Structure
from pymatgen.io.vasp import Locpot, Poscar, Vasprun

from interohm.errors import InputError

from .calculation import Calculation, CalculationKind, KPoint, PlanarPotential
from .hubbard import vasp_repulsions
from .vasp_files import (
    DAMAGED,
    as_input_errors,
    core_potentials_eV,
    cut_off,
    elapsed_time_s,
    file_content,
    find_file,
    outcar_text,
    stage_of,
)
from .vasp_method import energy_settings, tags_of_vasprun
from .vasp_response import read_response

#: eV; a LOCPOT whose average is farther from zero holds more than the electrostatic potential.
_LARGEST_AVERAGE_EV = 0.1
#: Of a state: between these two a level is partially filled, as in a metal.
_EMPTY, _FULL = 0.01, 0.99
#: Electrons; NELECT that is farther from a whole charge is a fractional one.
_WHOLE_CHARGE = 1e-3
#: eV; a total energy that is farther from that of the electrons has a dispersion energy.
_DISPERSION_EV = 1e-4
#: By the beginning of ALGO: what such a run calculates instead of a ground state.
_NO_GROUND_STATE = {
    "GW": "quasiparticle energies",
    "G0W0": "quasiparticle energies",
    "EVGW": "quasiparticle energies",
    "QPGW": "quasiparticle energies",
    "SCGW": "quasiparticle energies",
    "BSE": "excitons",
    "TDHF": "excitons",
    "TIMEEV": "excitations in time",
    "CHI": "a response function",
    "RPA": "the random-phase approximation",
    "ACFDT": "the random-phase approximation",
    "CRPA": "screened interactions",
    "2E4W": "integrals",
    "MP2": "perturbation theory",
    "NONE": "nothing",
    "NOTHING": "nothing",
}
#: What else a run may be for, by the tag that asks for it.
_PROPERTIES = {
    "LOPTICS": "optics",
    "LCHIMAG": "NMR shifts",
    "LEFG": "electric field gradients (NMR)",
    "LCALCEPS": "a response to finite fields",
}


class UnusableEnergy(InputError):
    """A finished run whose total energy cannot be compared with others."""


@dataclass(frozen=True)
class BandStructureRun:
    """Band edges of a run whose energy need not be of use, as of one with a fixed density.

    Parameters
    ----------
    hash : str
        Hash of ``vasprun.xml``.
    settings : mapping
        Settings, as those of a calculation.
    structure : Structure
        The atoms.
    vbm_eV, cbm_eV : float, optional
        On the scale of the potential that the density belongs to; none for a metal.
    """

    hash: str
    settings: dict[str, Any]
    structure: Structure
    vbm_eV: float | None
    cbm_eV: float | None


def read_vasp(folder: str | Path, *, without_forces: bool = False) -> Calculation:
    """Read a finished VASP folder.

    Parameters
    ----------
    folder : str or Path
        With ``vasprun.xml``; ``LOCPOT`` (for surfaces) and ``OUTCAR`` (for charged defects and
        dielectric responses) where there are any. All may be compressed (gzip, bzip2, xz). Of runs
        that custodian names ``.relax1``, ``.relax2``, … the last one counts.

    without_forces : bool
        Take the energy of a run whose forces are no numbers: that of points with a weight, where
        there are others without.

    Returns
    -------
    Calculation
        Its hash is that of ``vasprun.xml``; the potentials that no file tells are left out.
        ``settings["method"]`` has what else changes the energy.

    Raises
    ------
    UnusableEnergy
        The run is not one of a ground state, or its density was fixed: see `read_band_structure`.
    InputError
        A file is missing, cut off, not converged, or does not belong to the others; it is named.
    """
    with as_input_errors(Path(folder)):
        return _read(Path(folder), without_forces=without_forces)


def _read(folder: Path, *, without_forces: bool) -> Calculation:
    path, content, tags = _vasprun(folder)
    refuse_without_energy(tags, path)
    run = _parsed(path)
    kind = kind_of(tags, path)
    if run.eigenvalues is None and kind != "dielectric":
        raise UnusableEnergy(
            "it has no eigenvalues", where=str(path), fix="give a run of the ground state"
        )
    forces = np.asarray(run.ionic_steps[-1].get("forces", []), dtype=float).reshape(-1, 3)
    known = bool(np.isfinite(forces).all())
    weights = np.asarray(run.actual_kpoints_weights or [1.0])
    accepted = known or (
        without_forces and kind == "static" and 0 < (weights > 0).sum() < len(weights)
    )
    if not (accepted and np.isfinite(float(run.final_energy))):
        # As of hybrid bands along lines, whose k-points have no weight.
        raise UnusableEnergy(
            "its energy or forces are not numbers",
            where=str(path),
            fix="give a self-consistent run on a mesh of k-points",
        )
    if not len(forces):
        raise cut_off(path)
    _refuse_unconverged(run, kind, path)
    structure = run.final_structure
    stage = stage_of(path, "vasprun.xml")
    if (contcar := find_file(folder, "CONTCAR", stage)) is not None:
        _compare(contcar, structure)
    electrons, charge = _charge(run, content, path)
    edges = _edges(run)
    potentials = _planar_potentials(folder, stage, structure)
    outcar_path = find_file(folder, "OUTCAR", stage) or folder / f"OUTCAR{stage}"
    outcar = outcar_text(outcar_path) if outcar_path.is_file() else ""
    response = None
    if kind == "dielectric":
        response = read_response(content, outcar, path, outcar_path, structure.volume)
    return Calculation(
        hash=hashlib.sha256(content).hexdigest(),
        engine="vasp",
        kind=kind,
        charge=charge,
        settings=_settings(run, tags, content),
        initial_structure=run.initial_structure.as_dict(),
        structure=structure.as_dict(),
        # Extrapolated to zero width of the occupation.
        energy_eV=float(run.final_energy),
        electrons=electrons,
        fermi_level_eV=_fermi_level(content, path),
        vbm_eV=edges.vbm_eV,
        cbm_eV=edges.cbm_eV,
        edge_kpoints=edges.kpoints,
        max_force_eV_A=float(np.linalg.norm(forces, axis=1).max()) if known else None,
        planar_potential=potentials[2] if potentials else None,
        side_potentials=(potentials[0], potentials[1]) if potentials else None,
        site_potentials_eV=core_potentials_eV(outcar, len(structure), outcar_path),
        response=response,
        ionic_steps=len(run.ionic_steps),
        wall_time_s=elapsed_time_s(outcar),
        versions={"vasp": str(run.vasp_version).strip(), "pymatgen": version("pymatgen-core")},
    )


def read_band_structure(folder: str | Path) -> BandStructureRun:
    """Read band edges from a run along lines or on a mesh, its density fixed or not.

    Raises
    ------
    InputError
        The run is cut off, or is none of a ground state's levels; it is named.
    """
    with as_input_errors(Path(folder)):
        return _read_band_structure(Path(folder))


def _read_band_structure(folder: Path) -> BandStructureRun:
    path, content, tags = _vasprun(folder)
    if (what := _no_ground_state(tags)) is not None:
        raise UnusableEnergy(f"it calculates {what}", where=str(path))
    run = _parsed(path)
    if run.eigenvalues is None:
        raise UnusableEnergy("it has no eigenvalues", where=str(path))
    edges = _edges(run)
    return BandStructureRun(
        hash=hashlib.sha256(content).hexdigest(),
        settings=_settings(run, tags, content),
        structure=run.final_structure,
        vbm_eV=edges.vbm_eV,
        cbm_eV=edges.cbm_eV,
    )


def rough_structure(folder: Path) -> Structure | None:
    """Return the structure of a folder that may not be whole.

    None where no file tells it, and for a dielectric response, whose energy nobody looks for.
    """
    try:
        if _vasprun(folder)[2].get("LEPSILON") is True:
            return None
    except InputError:
        pass
    for name in ("CONTCAR", "POSCAR"):
        try:
            path = find_file(folder, name)
            if path is not None:
                found: Structure = Poscar.from_file(path, check_for_potcar=False).structure
                return found
        except Exception:  # whatever is wrong with it: another file may tell
            continue
    try:
        _, content, _ = _vasprun(folder)
        atoms, cell = (
            ElementTree.fromstring(re.search(pattern, content, re.DOTALL)[0])  # type: ignore[index]
            for pattern in (
                rb'<array name="atoms".*?</array>',
                rb'<structure name="initialpos".*?</structure>',
            )
        )
        vectors, places = (
            [[float(x) for x in (row.text or "").split()] for row in array.iter("v")]
            for array in (cell.find(".//varray[@name='basis']"), cell.find("varray"))
            if array is not None
        )
        return Structure(vectors, [(row[0].text or "").strip() for row in atoms.iter("rc")], places)
    except Exception:
        return None


def _vasprun(folder: Path) -> tuple[Path, bytes, dict[str, Any]]:
    path = find_file(folder, "vasprun.xml")
    if path is None:
        raise InputError(
            "there is no vasprun.xml", where=str(folder), fix="name a folder that VASP wrote"
        )
    content = file_content(path)
    return path, content, tags_of_vasprun(content)


def _parsed(path: Path) -> Vasprun:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Vasprun(path, parse_dos=False, parse_potcar_file=False)
    except (SyntaxError, *DAMAGED):  # XML's errors are SyntaxErrors
        raise cut_off(path) from None
    except Exception as error:  # pymatgen trips in many ways over what is no run of VASP's
        raise InputError(
            f"it cannot be read: {error}", where=str(path), fix="give a finished vasprun.xml"
        ) from None


def _settings(run: Vasprun, tags: Mapping[str, Any], content: bytes) -> dict[str, Any]:
    titles = [title.strip() for title in run.potcar_symbols]
    step = run.ionic_steps[-1] if run.ionic_steps else {}
    loops = step.get("electronic_steps") or [{}]
    whole, electrons = step.get("e_wo_entrp"), loops[-1].get("e_wo_entrp")
    added = None not in (whole, electrons) and abs(whole - electrons) > _DISPERSION_EV
    method = energy_settings(tags, titles, dispersion=added)
    return {
        "xc": method["functional"],
        "method": method,
        "cutoff_eV": float(tags["ENMAX"]),
        "kpoints": _mesh(run, content),
        "incar": _plain(run.incar),
        "potcars": titles,
        **_hubbard_U(run),
    }


def _no_ground_state(tags: Mapping[str, Any]) -> str | None:
    algorithm = str(tags.get("ALGO") or "").strip().upper()
    if algorithm in _NO_GROUND_STATE:
        return f"{_NO_GROUND_STATE[algorithm]} (ALGO = {algorithm})"
    for start, what in _NO_GROUND_STATE.items():
        if len(start) > 1 and algorithm.startswith(start):
            return f"{what} (ALGO = {algorithm})"
    return None


def refuse_without_energy(tags: Mapping[str, Any], path: Path) -> None:
    """Refuse runs whose total energy is not that of a self-consistent ground state.

    Raises
    ------
    UnusableEnergy
        With ``path`` as the place.
    """
    reason = _no_ground_state(tags)
    what = None if reason is None else f"it calculates {reason}, not a ground state"
    for tag, purpose in _PROPERTIES.items():
        if tags.get(tag) is True and what is None:
            what = f"it calculates {purpose} ({tag})"
    algorithm = str(tags.get("ALGO") or "").strip().upper()
    if isinstance(density := tags.get("ICHARG"), int) and density >= 10:
        what = what or f"its density was fixed (ICHARG = {density})"
    elif algorithm.startswith("EIGENV"):
        what = what or f"its density was fixed (ALGO = {algorithm})"
    elif tags.get("ISMEAR") == -2:
        what = what or "its occupations were fixed (ISMEAR = -2)"
    elif tags.get("LEPSILON") is True and (tags.get("NSW") == 0 or tags.get("IBRION") == -1):
        what = what or "it calculates the response of the electrons alone (LEPSILON)"
    if what is not None:
        raise UnusableEnergy(
            f"{what}: its total energy cannot be used",
            where=str(path),
            fix="give the self-consistent run of the ground state too",
        )


def _charge(run: Vasprun, content: bytes, path: Path) -> tuple[float, int]:
    electrons = float(run.parameters["NELECT"])
    exact = _valence_electrons(content, path) - electrons
    return electrons, whole_charge(exact, electrons, path)


def whole_charge(exact: float, electrons: float, path: Path) -> int:
    """Return the charge of a cell.

    Raises
    ------
    InputError
        It is a fraction of an elementary charge.
    """
    if abs(exact - round(exact)) > _WHOLE_CHARGE:
        raise InputError(
            f"NELECT = {electrons:g} leaves the cell a fractional charge, {exact:+.4g} e",
            where=str(path),
            fix="calculate the defect with a whole number of electrons added or removed",
        )
    return round(exact)


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


def kind_of(tags: Mapping[str, Any], path: Path) -> CalculationKind:
    """Return what a run is by its tags; refuse those that let no force decide.

    Raises
    ------
    InputError
        With ``path`` as the place.
    """
    algorithm = int(tags.get("IBRION", -1))
    if int(tags.get("NSW", 0)) == 0 or algorithm == -1:
        return "static"
    if algorithm in (7, 8):
        return "dielectric" if tags.get("LEPSILON") else "static"
    if algorithm not in (1, 2, 3):
        raise InputError(
            f"IBRION = {algorithm} does not relax the atoms to zero force",
            where=str(path),
            fix="give relaxations, static calculations, or perturbation theory (IBRION = 8)",
        )
    return "cell" if int(tags.get("ISIF", 2)) > 2 else "relax"


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


@dataclass(frozen=True)
class _Edges:
    """Band edges, and the k-points where they are; none for a metal."""

    vbm_eV: float | None = None
    cbm_eV: float | None = None
    kpoints: tuple[KPoint, KPoint] | None = None


def _edges(run: Vasprun) -> _Edges:
    """Return VBM and CBM over spins and k-points, also those without weight.

    None where a level is partly filled.
    """
    if run.eigenvalues is None:  # of a response
        return _Edges()
    # Shape (spins, k-points, bands, 2).
    levels = np.stack(list(run.eigenvalues.values()))
    energies, filling = levels[..., 0], levels[..., 1]
    full = filling > 0.5
    if full.all() or ((filling > _EMPTY) & (filling < _FULL)).any():
        return _Edges()
    occupied, empty = np.where(full, energies, -np.inf), np.where(full, np.inf, energies)
    vbm, cbm = float(occupied.max()), float(empty.min())
    if not cbm > vbm:
        return _Edges()
    listed = np.asarray(run.actual_kpoints, dtype=float)
    if len(listed) != levels.shape[1]:
        return _Edges(vbm, cbm)
    # The first of equal ones: over k-points, then over spins.
    top, bottom = occupied.max(axis=(0, 2)).argmax(), empty.min(axis=(0, 2)).argmin()
    first, second = (tuple(round(float(one), 6) + 0.0 for one in listed[k]) for k in (top, bottom))
    return _Edges(vbm, cbm, (first, second))  # type: ignore[arg-type]


def _mesh(run: Vasprun, content: bytes) -> list[int] | list[str]:
    if run.kpoints.style.name in ("Gamma", "Monkhorst"):
        return [int(count) for count in run.kpoints.kpts[0]]
    # As many as VASP made of a length.
    made = re.search(rb'<v type="int" name="divisions">((?:\s+\d+){3})\s*</v>', content)
    if made is not None:
        return [int(count) for count in made[1].split()]
    weights = np.asarray(run.actual_kpoints_weights or [1.0] * len(run.actual_kpoints))
    without = int((weights == 0).sum())
    listed = [f"{len(weights) - without} listed"]
    return [*listed, f"{without} without weight"] if without else listed


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


def _planar_potentials(
    folder: Path, stage: str, structure: Structure
) -> list[PlanarPotential] | None:
    """Return the planar averages along a, b and c, None without LOCPOT."""
    path = find_file(folder, "LOCPOT", stage)
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
    return planar_potentials(averages, structure)


def planar_potentials(
    averages: Sequence[np.ndarray], structure: Structure
) -> list[PlanarPotential]:
    """Return averages along a, b and c, shapes (points,), their common average taken out.

    With exchange and correlation (LVTOT) they stay as they are: eigenvalues refer to their zero,
    and in the vacuum, where there are no electrons, both potentials are the same.
    """
    mean = float(averages[2].mean())
    whole = abs(mean) > _LARGEST_AVERAGE_EV
    if whole:
        mean = 0.0
    heights = 1 / np.linalg.norm(np.linalg.inv(structure.lattice.matrix), axis=0)
    return [
        PlanarPotential(
            height_A=float(height),
            potential_eV=[round(float(v - mean), 6) for v in average],
            exchange_and_correlation=whole,
        )
        for height, average in zip(heights, averages, strict=True)
    ]
