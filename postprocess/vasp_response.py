"""The dielectric response that VASP's perturbation theory (IBRION = 7 or 8, LEPSILON) leaves."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from scipy.constants import atomic_mass, e

from interohm.errors import InputError

from .calculation import DielectricResponse
from .dielectric import ionic_tensor
from .vasp_files import converged_loops, cut_off

#: eV/(Å² u) in THz²: a force constant over a mass as a frequency squared.
_THZ2 = e / atomic_mass * 1e20 / (2 * np.pi * 1e12) ** 2
#: Of the ionic tensor, VASP's against that of its own charges and force constants. They differ by
#: the drift of the charges, which VASP may leave in; charges read the wrong way round, by 6 % in
#: SnSe.
_LARGEST_DIFFERENCE = 0.05


def read_response(
    vasprun: bytes, outcar: str, path: Path, outcar_path: Path, volume_A3: float
) -> DielectricResponse:
    """Return electronic tensor, Born charges and force constants.

    Parameters
    ----------
    vasprun, outcar : bytes, str
        Contents of ``vasprun.xml`` and ``OUTCAR``.
    path, outcar_path : Path
        Theirs, for messages.
    volume_A3 : float
        Volume of the cell.

    Raises
    ------
    InputError
        A loop did not converge, a part of the response is missing, the crystal is unstable, or the
        parts do not give VASP's own ionic tensor.
    """
    _refuse_unconverged(outcar, outcar_path)
    masses = _masses(vasprun, path)
    electronic = _last_tensor(vasprun, "epsilon", path)
    ions = _last_tensor(vasprun, "epsilon_ion", path)
    # Shape (atoms, 3, 3): the field's direction, then that of the force or displacement.
    charges = _matrix(_element(vasprun, "array", "born_charges", path)).reshape(-1, 3, 3)
    constants = _force_constants(vasprun, masses, path)
    if len(charges) != len(masses):
        raise cut_off(path)
    response = DielectricResponse(
        electronic=electronic.tolist(),
        born_charges=charges.tolist(),
        force_constants_eV_A2=constants.round(8).tolist(),
    )
    try:
        own = ionic_tensor(response, volume_A3)
    except ValueError as error:
        raise InputError(
            str(error), where=str(path), fix="relax the cell, or distort it along the soft mode"
        ) from None
    difference = np.abs(own - ions).max()
    if difference > _LARGEST_DIFFERENCE * max(1.0, float(np.abs(ions).max())):
        raise InputError(
            f"Born charges and force constants give an ionic tensor {difference:.2g} off VASP's",
            where=str(path),
            fix="calculate the response with a smaller EDIFF and more k-points",
        )
    return response


def _refuse_unconverged(outcar: str, path: Path) -> None:
    """Refuse where a loop did not converge, of the ground state or of a perturbation."""
    loops = converged_loops(outcar, path) if outcar else []
    if len(loops) < 2:
        raise InputError(
            "it is missing or contains no linear response",
            where=str(path),
            fix="let VASP finish, and keep OUTCAR next to vasprun.xml",
        )
    if not all(loops):
        raise InputError(
            f"the electrons did not converge in {loops.count(False)} of {len(loops)} loops",
            where=str(path),
            fix="raise NELM",
        )


def _element(vasprun: bytes, tag: str, name: str, path: Path) -> ElementTree.Element:
    pattern = rf'<{tag} name="{name}"\s*>.*?</{tag}>'.encode()
    found = re.findall(pattern, vasprun, re.DOTALL)
    if not found:
        raise InputError(
            f"it has no {name}",
            where=str(path),
            fix="calculate the response with LEPSILON = .TRUE. and IBRION = 8",
        )
    return ElementTree.fromstring(found[-1])


def _matrix(element: ElementTree.Element) -> np.ndarray:
    return np.array([(row.text or "").split() for row in element.iter("v")], dtype=float)


def _last_tensor(vasprun: bytes, name: str, path: Path) -> np.ndarray:
    return _matrix(_element(vasprun, "varray", name, path)).reshape(3, 3)


def _masses(vasprun: bytes, path: Path) -> np.ndarray:
    """Return the mass of each atom, in u."""
    rows = [
        [cell.text or "" for cell in row]
        for row in _element(vasprun, "array", "atomtypes", path).iter("rc")
    ]
    return np.concatenate([[float(mass)] * int(count) for count, _, mass, *_ in rows])


def _force_constants(vasprun: bytes, masses: np.ndarray, path: Path) -> np.ndarray:
    """Return the force constants, shape (atoms, 3, atoms, 3), from the mass-weighted ones.

    VASP 5 has minus them in eV/(Å² u), VASP 6 in THz², and says so.
    """
    atoms = len(masses)
    hessian = _matrix(_element(vasprun, "varray", "hessian", path))
    if hessian.shape != (3 * atoms, 3 * atoms):
        raise InputError(
            f"it has force constants of {len(hessian) // 3} of {atoms} atoms",
            where=str(path),
            fix="let all atoms move: POSCAR without selective dynamics",
        )
    _, _, block = vasprun.rpartition(b"<dynmat>")
    unit = re.search(rb'<i [^>]*name="unit"[^>]*>\s*THz\^2', block.partition(b"</dynmat>")[0])
    return force_constants(hessian, masses, in_thz2=unit is not None)


def force_constants(hessian: np.ndarray, masses: np.ndarray, *, in_thz2: bool) -> np.ndarray:
    """Return force constants in eV/Å², shape (atoms, 3, atoms, 3), from VASP's matrix.

    Parameters
    ----------
    hessian : array, shape (3 atoms, 3 atoms)
        Minus the mass-weighted force constants.
    masses : array, shape (atoms,)
        In u.
    in_thz2 : bool
        Whether it is in THz², as of VASP 6, and not in eV/(Å² u).
    """
    if in_thz2:
        hessian = hessian / _THZ2
    atoms = len(masses)
    roots = np.sqrt(np.repeat(masses, 3))
    constants: np.ndarray = -(hessian * np.outer(roots, roots)).reshape(atoms, 3, atoms, 3)
    return constants
