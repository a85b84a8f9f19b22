"""Migration paths that VASP relaxed (IMAGES), from the OUTCAR of each image.

All images write one vasprun.xml in turn where VASP runs them together, so that it is none; each
has an OUTCAR of its own. The ends (00 and the last folder) are not part of VASP's run: theirs is of
a calculation by itself, with the same electrons.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from importlib.metadata import version
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import numpy as np
from pymatgen.core import Structure
from pymatgen.io.vasp import Incar, Kpoints, Poscar

from interohm.errors import InputError

from .calculation import Calculation, MigrationPath
from .hubbard import vasp_repulsions
from .vasp_files import (
    converged_loops,
    core_potentials_eV,
    cut_off,
    elapsed_time_s,
    file_content,
    find_file,
    functional_name,
    outcar_text,
)

#: Å; an end that rests farther from where the path begins is another one.
_END_TOLERANCE_A = 0.05
_RELAXED = "reached required accuracy - stopping structural energy minimisation"
_FORCES = "TOTAL-FORCE (eV/Angst)"
_IMAGES_IN_XML = rb'name="IMAGES">\s*0*[1-9]'
#: What must be the same for energies to compare, by OUTCAR's names.
_ELECTRONS = ("ENCUT", "NELECT", "GGA", "METAGGA", "LHFCALC", "AEXX", "HFSCREEN")


def image_folders(folder: Path) -> list[Path]:
    """Return the folders 00, 01, ... of a path, its ends included; none where it is no path.

    Numbered folders are runs by themselves where those between the ends have a vasprun.xml and
    neither the INCAR beside them nor that file asks for IMAGES.
    """
    places = sorted(place for place in folder.glob("[0-9][0-9]") if place.is_dir())
    numbered = [place.name for place in places] == [f"{n:02d}" for n in range(len(places))]
    whole = all(find_file(place, "POSCAR") for place in places)
    if not (len(places) > 2 and numbered and whole):
        return []
    runs = [find_file(place, "vasprun.xml") for place in places[1:-1]]
    together = _asks(find_file(folder, "INCAR"), rb"(?:^|;)\s*IMAGES\s*=\s*0*[1-9]")
    return places if together or not all(runs) or _asks(runs[0], _IMAGES_IN_XML) else []


def _asks(path: Path | None, tag: bytes) -> bool:
    return path is not None and re.search(tag, file_content(path), re.MULTILINE) is not None


def read_vasp_path(folder: str | Path) -> Calculation:
    """Read a finished path.

    Parameters
    ----------
    folder : str or Path
        With folders 00, 01, ..., each with ``POSCAR`` and ``OUTCAR``, and ``KPOINTS`` and ``INCAR``
        beside them. All may be compressed with gzip.

    Returns
    -------
    Calculation
        That of the highest image, with the energies of all. Its hash is that of the OUTCARs.

    Raises
    ------
    InputError
        An image is missing, cut off, not converged, or does not belong to the others; it is named.
    """
    folder = Path(folder)
    places = image_folders(folder)
    if not places:
        raise InputError(
            "it has no images 00, 01, ... with POSCAR",
            where=str(folder),
            fix="name the folder that VASP ran in with IMAGES",
        )
    _refuse_without_climbing(folder, places[1])
    images = [read_image(place) for place in places]
    for image in images[1:]:
        _refuse_other(image, images[0])
    for image in images[1:-1]:
        if image.tag("NSW") == "0":
            raise InputError(
                "the image was not relaxed", where=str(image.path), fix="run VASP with IMAGES"
            )
    for image, place in ((images[0], places[0]), (images[-1], places[-1])):
        _refuse_moved_end(image, place)
    places_frac = [images[0].structure.frac_coords]
    for before, after in pairwise(images):
        step = after.structure.frac_coords - before.structure.frac_coords
        places_frac.append(places_frac[-1] + step - np.round(step))
    lattice = images[0].structure.lattice.matrix
    moved = [np.linalg.norm((after - before) @ lattice) for before, after in pairwise(places_frac)]
    energies = [image.energy_eV for image in images]
    saddle = images[int(np.argmax(np.round(energies, 6)))]
    electrons, repulsions = saddle.number("NELECT"), saddle.hubbard_U_eV()
    return Calculation(
        hash=hashlib.sha256("".join(image.text for image in images).encode()).hexdigest(),
        engine="vasp",
        kind="neb",
        charge=round(saddle.valence_electrons() - electrons),
        settings={
            "xc": saddle.functional(),
            "cutoff_eV": saddle.number("ENCUT"),
            "kpoints": _mesh(folder, saddle),
            "incar": _incar(folder),
            "potcars": saddle.data_sets(),
            **({"hubbard_U_eV": repulsions} if repulsions else {}),
            "path": {
                "images": len(images) - 2,
                "end_positions_A": (places_frac[-1] @ lattice).round(5).tolist(),
            },
        },
        initial_structure=images[0].structure.as_dict(),
        structure=saddle.structure.as_dict(),
        energy_eV=saddle.energy_eV,
        electrons=electrons,
        fermi_level_eV=saddle.fermi_level_eV(),
        max_force_eV_A=saddle.max_force_eV_A,
        site_potentials_eV=core_potentials_eV(saddle.text, len(saddle.structure), saddle.path),
        path=MigrationPath(
            coordinates_A=[round(float(x), 4) for x in np.cumsum([0.0, *moved])],
            energies_eV=energies,
            symmetric=False,
        ),
        ionic_steps=images[1].text.count(_FORCES),
        wall_time_s=sum(elapsed_time_s(end.text) for end in (images[0], images[-1]))
        + max(elapsed_time_s(image.text) for image in images[1:-1]),
        versions={"vasp": saddle.program(), "pymatgen": version("pymatgen-core")},
    )


@dataclass(frozen=True)
class Image:
    """One converged image: its OUTCAR, and what is read from it.

    Parameters
    ----------
    path : Path
        Of the OUTCAR.
    text : str
    structure : Structure
    energy_eV : float
        Extrapolated to zero width of the occupation.
    max_force_eV_A : float
        Of the potential energy, without the springs.
    """

    path: Path
    text: str
    structure: Structure
    energy_eV: float
    max_force_eV_A: float

    def tag(self, name: str) -> str | None:
        """Return a setting as VASP repeats it; None where it does not."""
        found = re.search(rf"^\s+{name}\s*=\s*(\S+)", self.text, re.MULTILINE)
        return found[1] if found else None

    def number(self, name: str) -> float:
        """Return a setting that every OUTCAR has."""
        text = self.tag(name)
        if text is None:
            raise cut_off(self.path)
        return float(text)

    def functional(self) -> str:
        """Return the functional's name."""
        tags = {name: self.tag(name) for name in ("GGA", "METAGGA", "AEXX", "HFSCREEN")}
        return functional_name(tags | {"LHFCALC": self.tag("LHFCALC") == "T"})

    def data_sets(self) -> list[str]:
        """Return the titles of the PAW data sets."""
        return [title.strip() for title in re.findall(r"TITEL\s*=\s*(.+)", self.text)]

    def hubbard_U_eV(self) -> dict[str, dict[str, float]]:
        """Return the +U by element and shell; empty where there is none."""
        lists = []
        for tag in ("LDAUL", "LDAUU", "LDAUJ"):
            # VASP 6 repeats INCAR before, in which 2*0.0 may stand for a list.
            rows = re.findall(rf"\b{tag}\s*=([-\d. ]*)", self.text)
            lists.append([float(value) for value in rows[-1].split()] if rows else [])
        elements = [title.split()[1].split("_")[0] for title in self.data_sets()]
        return vasp_repulsions(elements, *lists)

    def valence_electrons(self) -> float:
        """Return the electrons of the neutral cell."""
        counts = re.search(r"ions per type =([\d\s]+?)\n", self.text)
        valences = re.search(r"Ionic Valenz\s*\n\s*ZVAL\s*=([\d.\s]+?)\n", self.text)
        if counts is None or valences is None:
            raise cut_off(self.path)
        pairs = zip(counts[1].split(), valences[1].split(), strict=True)
        return sum(int(count) * float(valence) for count, valence in pairs)

    def fermi_level_eV(self) -> float:
        """Return the last Fermi level."""
        found = re.findall(r"E-fermi\s*:\s*(-?[\d.]+)", self.text)
        if not found:
            raise cut_off(self.path)
        return float(found[-1])

    def program(self) -> str:
        """Return VASP's version, and that of the VTST tools where they are built in."""
        own = re.match(r"\s*vasp\.(\S+)", self.text)
        tools = re.search(r"VTST: version ([\d.]+)", self.text)
        return (own[1] if own else "unknown") + (f", VTST {tools[1]}" if tools else "")


def read_image(place: Path) -> Image:
    """Read one image's folder.

    Raises
    ------
    InputError
        It has no OUTCAR, which is cut off, not converged, or of another structure than POSCAR's.
    """
    path = find_file(place, "OUTCAR")
    if path is None:
        raise InputError(
            "there is no OUTCAR",
            where=str(place),
            fix="put that of the image there; for an end, that of a calculation by itself with the "
            "path's settings, IMAGES and those of the path left out",
        )
    text = outcar_text(path)
    if not any(converged_loops(text, path)[-1:]):
        raise InputError(
            "the electrons did not converge", where=str(path), fix="raise NELM or change ALGO"
        )
    structure, forces = _geometry(text, _begun(place), path)
    image = Image(
        path, text, structure, _energy(text, path), float(np.linalg.norm(forces, axis=1).max())
    )
    if image.tag("NSW") != "0" and _RELAXED not in text:
        raise InputError(
            f"the ions did not converge in NSW = {image.tag('NSW')} steps",
            where=str(path),
            fix="go on from CONTCAR",
        )
    return image


def _begun(place: Path) -> Structure:
    """Return the structure that VASP began with."""
    path = find_file(place, "POSCAR")
    if path is None:
        raise InputError("there is no POSCAR", where=str(place), fix="put that of the image there")
    try:
        found: Structure = Poscar.from_file(path, check_for_potcar=False).structure
    except Exception:  # an empty or half-written file fails wherever the text ends
        raise cut_off(path) from None
    return found


def _energy(text: str, path: Path) -> float:
    found = re.findall(r"energy\(sigma->0\)\s*=\s*(-?\d+\.\d+)", text)
    if not found:
        raise cut_off(path)
    return float(found[-1])


def _geometry(text: str, begun: Structure, path: Path) -> tuple[Structure, np.ndarray]:
    """Return the last positions in POSCAR's cell, and the forces on the atoms."""
    cells = re.findall(r"direct lattice vectors[^\n]*\n((?:[^\n]*\n){3})", text)
    counts = re.search(r"ions per type =([\d\s]+?)\n", text)
    if not cells or counts is None:
        raise cut_off(path)
    vectors = np.array([row.split()[:3] for row in cells[-1].splitlines()], dtype=float)
    species = [site.specie.symbol for site in begun]
    runs = [len(list(run)) for _, run in groupby(species)]
    same = [int(count) for count in counts[1].split()] == runs
    if not same or not np.allclose(vectors, begun.lattice.matrix, atol=0.01):
        raise InputError(
            "its cell or atoms are not those of POSCAR",
            where=str(path),
            fix="keep the files of different runs apart",
        )
    _, _, block = text.rpartition(_FORCES)
    rows = [line.split() for line in block.splitlines()[2 : 2 + len(begun)]]
    try:
        values = np.array(rows, dtype=float).reshape(len(begun), 6)
    except ValueError:  # fewer rows, or stars where a number has no room
        raise cut_off(path) from None
    return (
        Structure(begun.lattice, begun.species, values[:, :3], coords_are_cartesian=True),
        values[:, 3:],
    )


def _refuse_other(image: Image, first: Image) -> None:
    """Refuse to subtract energies of different electrons."""
    pairs: list[tuple[str, Any, Any]] = [
        (name, image.tag(name), first.tag(name)) for name in _ELECTRONS
    ]
    pairs += [("LDAUU", image.hubbard_U_eV(), first.hubbard_U_eV())]
    pairs += [("POTCAR", image.data_sets(), first.data_sets())]
    pairs += [("POSCAR", image.structure.species, first.structure.species)]
    for name, own, other in pairs:
        if own != other:
            raise InputError(
                f"{name} is {own}, in {first.path.parent.name} it is {other}: their energies "
                "cannot be compared",
                where=str(image.path),
                fix="calculate all images with the same settings",
            )


def _refuse_without_climbing(folder: Path, place: Path) -> None:
    """Say why the ions stand still where INCAR counts on an optimizer that VASP does not have."""
    path = find_file(place, "OUTCAR")
    tags = _incar(folder)
    wanted = [tag for tag in ("LCLIMB", "IOPT") if tags.get(tag)]
    if path is not None and wanted and "VTST: version" not in outcar_text(path):
        raise InputError(
            f"INCAR has {' and '.join(wanted)}, and VASP was built without the VTST tools",
            where=str(path),
            fix="build VASP with them, or relax the path with IBRION = 1, without LCLIMB and IOPT",
        )


def _refuse_moved_end(image: Image, place: Path) -> None:
    begun = _begun(place)
    steps = image.structure.frac_coords - begun.frac_coords
    steps = (steps - np.round(steps)) @ begun.lattice.matrix
    if np.linalg.norm(steps, axis=1).max() > _END_TOLERANCE_A:
        raise InputError(
            "its atoms are not where POSCAR, the end of the path, has them",
            where=str(image.path),
            fix="relax the ends first, and let the path begin and end with what came out",
        )


def _incar(folder: Path) -> dict[str, Any]:
    path = find_file(folder, "INCAR")
    tags = {} if path is None else dict(Incar.from_file(path))
    return {tag: value for tag, value in tags.items() if isinstance(value, (bool, int, float, str))}


def _mesh(folder: Path, image: Image) -> list[int] | list[str]:
    path = find_file(folder, "KPOINTS")
    mesh = None if path is None else Kpoints.from_file(path)
    if mesh is not None and mesh.style.name in ("Gamma", "Monkhorst"):
        return [int(count) for count in mesh.kpts[0]]
    return [f"{image.tag('NKPTS') or '?'} listed"]
