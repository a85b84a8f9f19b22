"""Migration paths that VASP relaxed (IMAGES), from the OUTCAR of each image.

All images write one vasprun.xml in turn where VASP runs them together, so that it is none; each
has an OUTCAR of its own. The ends (00 and the last folder) are not part of VASP's run: theirs is of
a calculation by itself, with the same electrons, there or (as atomate2 has it) in another folder,
where the atoms may stand in another order.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import version
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import numpy as np
from pymatgen.core import Structure
from pymatgen.io.vasp import Incar, Kpoints, Poscar
from scipy.optimize import linear_sum_assignment

from interohm.errors import InputError

from .calculation import Calculation, MigrationPath
from .hubbard import vasp_repulsions
from .vasp import read_vasp, whole_charge
from .vasp_files import (
    as_input_errors,
    converged_loops,
    core_potentials_eV,
    cut_off,
    elapsed_time_s,
    file_content,
    find_file,
    outcar_text,
)
from .vasp_method import differences, energy_settings

#: Å; an end that rests farther from where the path begins is another one.
_END_TOLERANCE_A = 0.05
_RELAXED = "reached required accuracy - stopping structural energy minimisation"
_FORCES = "TOTAL-FORCE (eV/Angst)"
_IMAGES_IN_XML = rb'name="IMAGES">\s*0*[1-9]'
#: Å; no atom moves farther from one image to the next: their order differs, or a hop is left out.
_LARGEST_STEP_A = 4.0
#: Tags of `energy_settings`, as OUTCAR repeats them.
_METHOD_TAGS = (
    *("GGA", "METAGGA", "LHFCALC", "AEXX", "AGGAX", "AGGAC", "ALDAC", "HFSCREEN", "LMODELHF"),
    *("NKRED", "IVDW", "LVDW", "LUSE_VDW", "BPARAM", "CPARAM", "ZAB_VDW", "PARAM1", "PARAM2"),
    *("PREC", "LASPH", "LSORBIT", "LNONCOLLINEAR", "EFIELD", "LDIPOL", "IDIPOL"),
)
#: What ends may have differently, named then: atomate2's have PREC = Accurate, its paths Normal.
MAY_DIFFER = ("PREC",)

#: Returns the finished calculations by themselves that ends are looked for among, with folders.
FindEnds = Callable[[], Iterable[tuple[str, Calculation]]]


def image_folders(folder: Path) -> list[Path]:
    """Return the folders 00, 01, ... of a path, its ends included; none where it is no path.

    Numbered folders are runs by themselves where those between the ends have a vasprun.xml and
    neither the INCAR beside them nor that file asks for IMAGES.
    """
    places = sorted(directory for directory in folder.glob("[0-9][0-9]") if directory.is_dir())
    numbered = [directory.name for directory in places] == [f"{n:02d}" for n in range(len(places))]
    whole = all(find_file(directory, "POSCAR") for directory in places)
    if not (len(places) > 2 and numbered and whole):
        return []
    runs = [find_file(directory, "vasprun.xml") for directory in places[1:-1]]
    together = _asks(find_file(folder, "INCAR"), rb"(?:^|;)\s*IMAGES\s*=\s*0*[1-9]")
    return places if together or not all(runs) or _asks(runs[0], _IMAGES_IN_XML) else []


def _asks(path: Path | None, tag: bytes) -> bool:
    return path is not None and re.search(tag, file_content(path), re.MULTILINE) is not None


def read_vasp_path(folder: str | Path, ends: FindEnds | None = None) -> Calculation:
    """Read a finished path.

    Parameters
    ----------
    folder : str or Path
        With folders 00, 01, ..., each with ``POSCAR`` and ``OUTCAR``, and ``KPOINTS`` and ``INCAR``
        beside them. All may be compressed. The ends may be without OUTCAR.
    ends : callable, optional
        Calculations among which ends without OUTCAR are looked for; default: those of the folders
        next to this one.

    Returns
    -------
    Calculation
        That of the highest image, with the energies of all. Its hash is that of the OUTCARs.
        ``settings["path"]`` has the hashes of ends that are calculations elsewhere, and what
        these have differently.

    Raises
    ------
    InputError
        An image is missing, cut off, not converged, or does not belong to the others; it is named.
    """
    with as_input_errors(Path(folder)):
        return _read(Path(folder), ends)


def _read(folder: Path, ends: FindEnds | None) -> Calculation:
    places = image_folders(folder)
    if not places:
        raise InputError(
            "it has no images 00, 01, ... with POSCAR",
            where=str(folder),
            fix="name the folder that VASP ran in with IMAGES",
        )
    _refuse_without_climbing(folder, places[1])
    finished = ends or (lambda: _beside(folder))
    first, *middle, last = places
    between = [read_image(directory) for directory in middle]
    images = [_end(first, finished), *between, _end(last, finished)]
    ends_differ: dict[str, list[Any]] = {}
    for image in images[1:]:
        _refuse_other(image, images[0], ends_differ)
    for image in between:
        if image.tag("NSW") == "0":
            raise InputError(
                "the image was not relaxed", where=str(image.path), fix="run VASP with IMAGES"
            )
    places_frac = [images[0].structure.frac_coords]
    for before, after in pairwise(images):
        step = after.structure.frac_coords - before.structure.frac_coords
        places_frac.append(places_frac[-1] + step - np.round(step))
    lattice = images[0].structure.lattice.matrix
    steps = [(after - before) @ lattice for before, after in pairwise(places_frac)]
    for image, step in zip(images[1:], steps, strict=True):
        refuse_impossible_step(str(image.path), step)
    energies = [image.energy_eV for image in images]
    saddle = max(between, key=lambda image: round(image.energy_eV, 6))
    electrons, repulsions = saddle.number("NELECT"), saddle.hubbard_U_eV()
    method = saddle.method()
    elsewhere = [image.content for image in images if isinstance(image, End)]
    return Calculation(
        hash=hashlib.sha256("".join(image.content for image in images).encode()).hexdigest(),
        engine="vasp",
        kind="neb",
        charge=whole_charge(saddle.valence_electrons() - electrons, electrons, saddle.path),
        settings={
            "xc": method["functional"],
            "method": method,
            "cutoff_eV": saddle.number("ENCUT"),
            "kpoints": _mesh(folder, saddle),
            "incar": _incar(folder),
            "potcars": saddle.data_sets(),
            **({"hubbard_U_eV": repulsions} if repulsions else {}),
            "path": {
                "images": len(images) - 2,
                "end_positions_A": (places_frac[-1] @ lattice).round(5).tolist(),
                **({"ends_differ": ends_differ} if ends_differ else {}),
                **({"ends": elsewhere} if elsewhere else {}),
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
            coordinates_A=[
                round(float(x), 4) for x in np.cumsum([0.0, *map(np.linalg.norm, steps)])
            ],
            energies_eV=energies,
            symmetric=False,
        ),
        ionic_steps=between[0].text.count(_FORCES),
        wall_time_s=sum(image.wall_time_s for image in (images[0], images[-1]))
        + max(image.wall_time_s for image in between),
        versions={"vasp": saddle.program(), "pymatgen": version("pymatgen-core")},
    )


@dataclass(frozen=True)
class End:
    """A relaxed end, in the order of the path's atoms.

    Parameters
    ----------
    path : Path
        For messages.
    content : str
        Content of its OUTCAR, or the hash of its calculation.
    structure : Structure
        The atoms.
    energy_eV : float
        The total energy.
    compared : mapping
        Settings that must agree before energies are compared.
    wall_time_s : float
        Duration of the calculation.
    """

    path: Path
    content: str
    structure: Structure
    energy_eV: float
    compared: dict[str, Any]
    wall_time_s: float


@dataclass(frozen=True)
class Image:
    """One converged image: its OUTCAR, and what is read from it.

    Parameters
    ----------
    path : Path
        Path of the OUTCAR.
    text : str
        Text of the OUTCAR.
    structure : Structure
        The atoms.
    energy_eV : float
        Extrapolated to zero width of the occupation.
    max_force_eV_A : float
        Largest force of the potential energy, without the springs.
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

    @property
    def content(self) -> str:
        """Content of the OUTCAR."""
        return self.text

    @property
    def wall_time_s(self) -> float:
        """Wall time at the end of the OUTCAR."""
        return elapsed_time_s(self.text)

    @property
    def compared(self) -> dict[str, Any]:
        """Settings that must agree for energies to be comparable, by OUTCAR's names."""
        return {
            "ENCUT": self.number("ENCUT"),
            "NELECT": self.number("NELECT"),
            **self.method(),
            "LDAUU": self.hubbard_U_eV(),
            "POTCAR": self.data_sets(),
            "POSCAR": [site.specie.symbol for site in self.structure],
        }

    def method(self) -> dict[str, Any]:
        """Return what changes the energy (see `energy_settings`)."""
        tags = {name: self.tag(name) for name in _METHOD_TAGS}
        return energy_settings(
            {name: value for name, value in tags.items() if value is not None}, self.data_sets()
        )

    def data_sets(self) -> list[str]:
        """Return the titles of the PAW data sets."""
        return [" ".join(title.split()) for title in re.findall(r"TITEL\s*=\s*(.+)", self.text)]

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


def read_image(folder: Path) -> Image:
    """Read one image's folder.

    Raises
    ------
    InputError
        It has no OUTCAR, which is cut off, not converged, or of another structure than POSCAR's.
    """
    path = find_file(folder, "OUTCAR")
    if path is None:
        raise InputError(
            "there is no OUTCAR",
            where=str(folder),
            fix="put that of the image there; for an end, that of a separate calculation with the "
            "path's settings, but without IMAGES and the other tags of a path",
        )
    text = outcar_text(path)
    if not any(converged_loops(text, path)[-1:]):
        raise InputError(
            "the electrons did not converge", where=str(path), fix="raise NELM or change ALGO"
        )
    structure, forces = _geometry(text, _begun(folder), path)
    image = Image(
        path, text, structure, _energy(text, path), float(np.linalg.norm(forces, axis=1).max())
    )
    if image.tag("NSW") != "0" and _RELAXED not in text:
        raise InputError(
            f"the ions did not converge in NSW = {image.tag('NSW')} steps",
            where=str(path),
            fix="continue from CONTCAR",
        )
    return image


def _begun(folder: Path) -> Structure:
    """Return the structure that VASP began with."""
    path = find_file(folder, "POSCAR")
    if path is None:
        raise InputError("there is no POSCAR", where=str(folder), fix="put that of the image there")
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


def _end(folder: Path, finished: FindEnds) -> Image | End:
    """Return an end: its own OUTCAR's, or the calculation of the same structure elsewhere."""
    if find_file(folder, "OUTCAR") is not None:
        image = read_image(folder)
        _refuse_moved_end(image, folder)
        return image
    begun = _begun(folder)
    for name, calculation in finished():
        if calculation.kind not in ("relax", "static"):
            continue
        order = same_atoms(begun, calculation.final_structure)
        if order is None:
            continue
        settings = calculation.settings
        species = [site.specie.symbol for site in begun]
        method = settings.get("method") or energy_settings(
            settings.get("incar", {}), settings["potcars"]
        )
        compared = {
            "ENCUT": settings["cutoff_eV"],
            "NELECT": calculation.electrons,
            **method,
            "LDAUU": settings.get("hubbard_U_eV", {}),
            "POTCAR": list(settings["potcars"]),
            "POSCAR": species,
        }
        sites = [calculation.final_structure[site] for site in order]
        return End(
            path=Path(name),
            content=calculation.hash,
            structure=Structure.from_sites(sites),
            energy_eV=calculation.energy_eV,
            compared=compared,
            wall_time_s=calculation.wall_time_s,
        )
    raise InputError(
        "there is no OUTCAR, and no calculation of this end in another folder",
        where=str(folder),
        fix="put that of the image there; for an end, that of a separate calculation with the "
        "path's settings, but without IMAGES and the other tags of a path",
    )


def _beside(folder: Path) -> Iterable[tuple[str, Calculation]]:
    for directory in sorted(folder.resolve().parent.iterdir()):
        if (
            directory.is_dir()
            and directory != folder.resolve()
            and find_file(directory, "vasprun.xml")
        ):
            try:
                yield str(directory), read_vasp(directory)
            except InputError:  # whoever needs it is told that there is none
                continue


def same_atoms(
    begun: Structure, other: Structure, *, tolerance_A: float = _END_TOLERANCE_A
) -> list[int] | None:
    """Return the sites of the other structure in the order of the first, None if they differ."""
    same_cell = np.allclose(begun.lattice.matrix, other.lattice.matrix, atol=0.01)
    if not same_cell or begun.composition != other.composition:
        return None
    distances = begun.lattice.get_all_distances(begun.frac_coords, other.frac_coords)
    kinds = [[site.specie.symbol for site in one] for one in (begun, other)]
    differ = np.array(kinds[0])[:, None] != np.array(kinds[1])[None, :]
    rows, columns = linear_sum_assignment(np.where(differ, 1e3, distances) ** 2)
    if distances[rows, columns].max() > tolerance_A:
        return None
    return [int(column) for column in columns]


def _refuse_other(image: Image | End, first: Image | End, ends_differ: dict[str, Any]) -> None:
    """Refuse to subtract energies of different electrons; name what ends may have differently."""
    for name, (own, other) in differences(image.compared, first.compared).items():
        if name in MAY_DIFFER:
            ends_differ[name] = [other, own]
            continue
        raise InputError(
            f"{name} is {own}, in {first.path.parent.name} it is {other}: their energies "
            "cannot be compared",
            where=str(image.path),
            fix="calculate all images with the same settings",
        )


def refuse_impossible_step(where: str, step: np.ndarray) -> None:
    """Refuse an image whose atoms, shape (atoms, 3), are too far from where the last one has them.

    Raises
    ------
    InputError
        With ``where`` as the place.
    """
    moved = np.linalg.norm(step, axis=1)
    if moved.max() > _LARGEST_STEP_A:
        raise InputError(
            f"{int((moved > 1).sum())} atoms are up to {moved.max():.1f} Å away from their "
            "positions in the previous image, too far for one step of a hop",
            where=where,
            fix="list the atoms of all images in the same order",
        )


def _refuse_without_climbing(folder: Path, directory: Path) -> None:
    """Refuse a run whose INCAR relies on an optimizer that this VASP does not have."""
    path = find_file(directory, "OUTCAR")
    tags = _incar(folder)
    wanted = [tag for tag in ("LCLIMB", "IOPT") if tags.get(tag)]
    if path is not None and wanted and "VTST: version" not in outcar_text(path):
        raise InputError(
            f"INCAR has {' and '.join(wanted)}, and VASP was built without the VTST tools",
            where=str(path),
            fix="build VASP with them, or relax the path with IBRION = 1, without LCLIMB and IOPT",
        )


def _refuse_moved_end(image: Image, folder: Path) -> None:
    begun = _begun(folder)
    steps = image.structure.frac_coords - begun.frac_coords
    steps = (steps - np.round(steps)) @ begun.lattice.matrix
    if np.linalg.norm(steps, axis=1).max() > _END_TOLERANCE_A:
        raise InputError(
            "its atoms are not at the positions of POSCAR, the end of the path",
            where=str(image.path),
            fix="relax the ends first, and use the relaxed structures as the ends of the path",
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
