"""Assignment of finished calculations to the parts of records, by the user or by structure."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Composition, Structure

from interohm.errors import InputError
from interohm.postprocess.calculation import Calculation
from interohm.postprocess.comparison import energy_differences
from interohm.postprocess.vasp import (
    BandStructureRun,
    UnusableEnergy,
    read_band_structure,
    read_vasp,
    rough_structure,
)
from interohm.postprocess.vasp_files import find_file
from interohm.postprocess.vasp_path import image_folders, read_vasp_path
from interohm.slab_builders.identify import has_vacuum

from .vasp_import_config import CONFIG

Report = Callable[[int, int], None]


@dataclass
class Finished:
    """Finished calculations by the names of their folders, or of their tasks.

    Parameters
    ----------
    root : Path
        For messages.
    calculations : mapping of str to Calculation
        By folder.
    bands : mapping of str to BandStructureRun
        Runs of which only the band edges can be used.
    left_out : mapping of str to InputError
        Folders that cannot be used, and why.
    doubtful : mapping of str to Structure
        Structures of calculations that were left out and should have had an energy.
    used : set of str
        Those that a record is made of.
    """

    root: Path
    calculations: dict[str, Calculation] = field(default_factory=dict)
    bands: dict[str, BandStructureRun] = field(default_factory=dict)
    left_out: dict[str, InputError] = field(default_factory=dict)
    doubtful: dict[str, Structure] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def choose(
        self,
        role: str,
        named: str | None,
        candidates: list[str],
        *,
        only: str | None = None,
        rivals: Sequence[str] = (),
        known: Calculation | None = None,
    ) -> Calculation:
        """Return the calculation that the user named, or the only candidate for a role.

        Of candidates that differ in nothing but their steps, the static one is meant. With
        ``only``, which says what they are, a named folder has to be a candidate, too.

        Parameters
        ----------
        role : str
            Purpose of the calculation.
        named : str, optional
            The folder that the user named.
        candidates : list of str
            Folders that fit the role.
        only : str, optional
            Requirement for a folder of this role.
        rivals : sequence of str
            Incomplete folders that were left out and could otherwise have had the role.
        known : Calculation, optional
            The database's, taken where there is no candidate.
        """
        fix = f"name the folder in {CONFIG}, one of {_some(self.calculations)}"
        if named is not None:
            if named in self.left_out:
                raise self.left_out[named]
            if named not in self.calculations:
                raise InputError(f"{role}: there is no folder {named!r}", where=CONFIG, fix=fix)
            if only is not None and named not in candidates:
                there = f"one of {_some(candidates)}" if candidates else "there is none"
                raise InputError(f"{role}: {named} is not a {only}", where=CONFIG, fix=there)
            return self._use(named)
        if rivals:
            error = self.left_out[rivals[0]]
            raise InputError(
                f"{role}: {rivals[0]} could be meant, but is incomplete: {error.what}",
                where=error.where,
                fix=f"{error.fix or 'correct it'}; or name another folder in {CONFIG}, or list it "
                "under ignore",
            )
        static = [name for name in candidates if self.calculations[name].kind == "static"]
        chosen = static or candidates
        names = {self.calculations[name].settings.get("xc") for name in candidates}
        if len(chosen) == 1 and len(names) > 1:  # steps of one calculation have one functional
            chosen = candidates
        if not chosen and known is not None:
            return known
        if len(chosen) != 1:
            found = f"these could be it: {_some(chosen)}" if chosen else "no folder could be it"
            if not chosen and self.left_out:
                lost = [f"{name} ({error.what})" for name, error in self.left_out.items()]
                found += f"; left out: {_some(lost, 5)}"
            raise InputError(f"{role}: {found}", where=str(self.root), fix=fix)
        return self._use(chosen[0])

    def _use(self, name: str) -> Calculation:
        self.used.add(name)
        return self.calculations[name]

    def use_ends(self, path: Calculation) -> None:
        """Count the calculations of a path's ends, which have folders of their own, as used."""
        ends = path.settings["path"].get("ends", [])
        self.used.update(name for name, one in self.calculations.items() if one.hash in ends)

    def slabs(self, formula: str) -> list[str]:
        """Return the folders of slabs of a compound."""
        return [name for name in self._neutral(formula) if has_vacuum(self._structure(name))]

    def crystals(self, formula: str) -> list[str]:
        """Return the folders of perfect crystals of a compound, the smallest cells first."""
        names = [name for name in self._neutral(formula) if not has_vacuum(self._structure(name))]
        return sorted(names, key=lambda name: len(self._structure(name)))

    def bulks(self, formula: str) -> list[str]:
        """Return the folders of the compound's smallest cell."""
        names = self.crystals(formula)
        return [n for n in names if len(self._structure(n)) == len(self._structure(names[0]))]

    def doubtful_bulks(self, formula: str) -> list[str]:
        """Return those left out that would be cells of the compound, no larger than its bulks."""
        bulks = self.bulks(formula)
        largest = len(self._structure(bulks[0])) if bulks else np.inf
        return [
            name
            for name, structure in self.doubtful.items()
            if _is(structure, formula) and not has_vacuum(structure) and len(structure) <= largest
        ]

    def doubtful_slabs(self, formula: str) -> list[str]:
        """Return those left out that would be slabs of the compound."""
        return [
            name
            for name, structure in self.doubtful.items()
            if _is(structure, formula) and has_vacuum(structure)
        ]

    def doubtful_defects(self, perfect: Calculation) -> list[str]:
        """Return those left out that would be defects in a supercell."""
        cell = perfect.final_structure
        return [
            name
            for name, structure in self.doubtful.items()
            if np.allclose(structure.lattice.matrix, cell.lattice.matrix, atol=0.01)
            and structure.composition != cell.composition
        ]

    def defects(self, perfect: Calculation) -> dict[str, Calculation]:
        """Return the calculations in the supercell of a perfect crystal with other atoms.

        Of one defect in several steps (the same atoms, charge and place) the static one is meant,
        if there is one.
        """
        found = self._flawed(perfect, ("cell", "relax", "static"))
        relaxed = [name for name, one in found.items() if one.kind != "static"]
        steps = [
            name
            for name in relaxed
            for other, one in found.items()
            if one.kind == "static" and _are_steps(found[name], one) and name != other
        ]
        return {name: one for name, one in found.items() if name not in steps}

    def paths(self, perfect: Calculation) -> dict[str, Calculation]:
        """Return the migration paths in the supercell of a perfect crystal."""
        return self._flawed(perfect, ("neb",))

    def _flawed(self, perfect: Calculation, kinds: Sequence[str]) -> dict[str, Calculation]:
        cell = perfect.final_structure
        found = {}
        for name, calculation in self.calculations.items():
            other = calculation.final_structure
            same_cell = np.allclose(other.lattice.matrix, cell.lattice.matrix, atol=0.01)
            same_kind = calculation.kind in kinds
            if same_kind and same_cell and other.composition != cell.composition:
                found[name] = calculation
        return found

    def responses(self, formula: str) -> list[str]:
        """Return the folders of a compound's dielectric response."""
        return self._neutral(formula, ("dielectric",))

    def supercells(self, formula: str) -> list[str]:
        """Return the folders of perfect cells that defects were put into."""
        return [n for n in self.crystals(formula) if self.defects(self.calculations[n])]

    def host_states(self, formula: str, mobile_ion: str) -> dict[float, list[str]]:
        """Return the crystals of an electrode's host, by their ion content; slabs among them."""
        host = _without(Composition(formula), mobile_ion)
        found: dict[float, list[str]] = {}
        for name, calculation in self.calculations.items():
            composition = calculation.final_structure.composition.element_composition
            if calculation.charge or calculation.kind not in ("cell", "relax", "static"):
                continue
            rest = _without(composition, mobile_ion)
            if not host or not rest or rest.reduced_formula != host.reduced_formula:
                continue
            units = rest.get_reduced_composition_and_factor()[1]
            found.setdefault(round(composition[mobile_ion] / units, 6), []).append(name)
        return found

    def band_structures(self, bulk: Calculation, named: Sequence[str] | None) -> list[str]:
        """Return the runs whose band edges are those of a bulk: its crystal, by its method.

        Parameters
        ----------
        bulk : Calculation
            The primitive cell of the crystal.
        named : sequence of str, optional
            The user's choice, in which nothing may be of another method.
        """
        for name in named or ():
            if name not in self.bands:
                raise self.left_out.get(name) or InputError(
                    f"bands: {name} is not a folder with a band structure",
                    where=CONFIG,
                    fix=f"one of {_some(self.bands)}" if self.bands else "leave it out",
                )
        matcher = StructureMatcher(primitive_cell=True, scale=False, ltol=0.02, stol=0.05)
        found = []
        for name, run in self.bands.items():
            if named is not None and name not in named:
                continue
            differ = energy_differences(bulk, bulk.model_copy(update={"settings": run.settings}))
            if not differ and matcher.fit(bulk.final_structure, run.structure):
                found.append(name)
            elif named is not None:
                raise InputError(
                    f"bands: {name} does not have the bulk's cell and method "
                    f"({said(differ) or 'another structure'})",
                    where=CONFIG,
                    fix="name one that is",
                )
        self.used.update(found)
        return found

    def name_of(self, calculation: Calculation) -> str:
        """Return the folder of a calculation, or where else it is from."""
        for name, one in self.calculations.items():
            if one is calculation:
                return name
        return f"the database, {calculation.hash[:12]}"

    def path_of(self, calculation: Calculation) -> str:
        """Return the same for messages, the whole path of a folder."""
        name = self.name_of(calculation)
        return str(self.root / name) if name in self.calculations else name

    @property
    def unused(self) -> list[str]:
        """Calculations that were read and are used by no record."""
        return sorted({*self.calculations, *self.bands} - self.used)

    def _structure(self, name: str) -> Structure:
        return self.calculations[name].final_structure

    def _neutral(
        self, formula: str, kinds: Sequence[str] = ("cell", "relax", "static")
    ) -> list[str]:
        return [
            name
            for name, calculation in self.calculations.items()
            if calculation.charge == 0
            and calculation.kind in kinds
            and _is(calculation.final_structure, formula)
        ]


def described(finished: Finished) -> list[str]:
    """Describe the content of each folder, for whoever decides what it is used for."""
    lines = {}
    for name, calculation in finished.calculations.items():
        structure = calculation.final_structure
        charge = f", charge {calculation.charge:+d}" if calculation.charge else ""
        lines[name] = (
            f"{_KINDS[calculation.kind]}, {structure.composition.reduced_formula} "
            f"({len(structure)} atoms), {calculation.settings['xc']}{charge}"
        )
    for name, run in finished.bands.items():
        formula = run.structure.composition.reduced_formula
        lines[name] = f"band edges alone, {formula}, {run.settings['xc']}"
    return [f"found: {name}: {line}" for name, line in sorted(lines.items())]


#: By the kind of a calculation, in print.
_KINDS = {
    "cell": "relaxed cell",
    "relax": "relaxed atoms",
    "static": "static",
    "neb": "path",
    "dielectric": "dielectric response",
}


def read_folders(root: Path, ignore: Sequence[str] = (), report: Report | None = None) -> Finished:
    """Read the calculations below a folder, by their folders' names relative to it.

    A folder that cannot be used costs no other one: it is left out with its reason.

    Parameters
    ----------
    root : Path
        The folder that is imported.
    ignore : sequence of str
        Folders that are not read, nor those in them.
    report : callable, optional
        Told how many of how many folders are read.

    Raises
    ------
    InputError
        There is nothing of VASP's, or a folder to ignore does not exist.
    """
    ignored = _ignored(root, ignore)
    finished = Finished(root)
    single: dict[str, Path] = {}
    bands: dict[str, Path] = {}
    images: set[Path] = set()
    for directory, names in _walk(root, ignored, finished.left_out):
        # The images of a path, and the one file that they write together, are no runs of their own.
        try:
            found = image_folders(directory.parent) if directory.name == "01" else []
        except InputError as error:  # of a link to nothing
            found = []
            finished.left_out[_name(directory.parent, root)] = error
        if found:
            bands[_name(directory.parent, root)] = directory.parent
            images |= {directory.parent, *found}
        reason = _not_read(directory, names)
        if reason is not None:
            finished.left_out[_name(directory, root)] = reason
        elif any(name.lower().startswith("vasprun.xml") for name in names):
            single[_name(directory, root)] = directory
    inside = {_name(directory, root) for directory in images}
    single = {name: directory for name, directory in sorted(single.items()) if name not in inside}
    for name in inside:
        finished.left_out.pop(name, None)
    if not (single or bands or finished.left_out):
        raise InputError(
            "no folder in it has a vasprun.xml",
            where=str(root),
            fix="give the folder that holds the finished calculations, one in a folder each",
        )
    total = len(single) + len(bands)
    for done, (name, directory) in enumerate(single.items()):
        if report is not None:
            report(done, total)
        _read(name, directory, finished)
    for name in list(finished.left_out):
        if (
            name not in finished.doubtful
            and not isinstance(finished.left_out[name], UnusableEnergy)
            and (structure := rough_structure(root / name)) is not None
        ):
            finished.doubtful[name] = structure

    def ends() -> Iterable[tuple[str, Calculation]]:
        return [(str(root / name), one) for name, one in finished.calculations.items()]

    for done, (name, directory) in enumerate(sorted(bands.items()), start=len(single)):
        if report is not None:
            report(done, total)
        try:
            finished.calculations[name] = read_vasp_path(directory, ends)
        except InputError as error:
            finished.left_out[name] = error
    return finished


def _read(name: str, folder: Path, finished: Finished) -> None:
    try:
        finished.calculations[name] = read_vasp(folder)
    except UnusableEnergy as error:
        try:
            finished.bands[name] = read_band_structure(folder)
        except InputError:
            finished.left_out[name] = error
    except InputError as error:
        finished.left_out[name] = error


def _ignored(root: Path, ignore: Sequence[str]) -> set[Path]:
    places = {(root / name).resolve(): name for name in ignore}
    for directory, name in places.items():
        if not directory.is_dir() or not directory.is_relative_to(root.resolve()):
            raise InputError(
                f"ignore: there is no folder {name!r}",
                where=str(root / CONFIG),
                fix=f"name folders below {root}, with their path from there",
            )
    return set(places)


def _walk(
    root: Path, ignored: set[Path], left_out: dict[str, InputError]
) -> Iterator[tuple[Path, list[str]]]:
    """Return the folders below one with their files; links to folders are followed once."""
    seen: set[Path] = set()

    def refuse(error: OSError) -> None:
        left_out[_name(Path(error.filename), root)] = InputError(
            f"the folder cannot be read: {error.strerror}",
            where=str(error.filename),
            fix="check its permissions, or list it under ignore",
        )

    for folder, below, names in os.walk(root, followlinks=True, onerror=refuse):
        directory = Path(folder)
        whole = directory.resolve()
        if whole in seen or whole in ignored:
            below.clear()
            continue
        seen.add(whole)
        below.sort()
        yield directory, sorted(names)


#: What VASP writes beside vasprun.xml.
_WRITTEN = ("OUTCAR", "OSZICAR", "CONTCAR", "LOCPOT", "EIGENVAL", "XDATCAR", "CHGCAR", "WAVECAR")
_ARCHIVES = (".tar", ".tgz", ".tbz", ".txz", ".tar.gz", ".tar.bz2", ".tar.xz", ".zip", ".7z")


def _not_read(folder: Path, names: Sequence[str]) -> InputError | None:
    """Return why a folder that VASP seems to have written is not read, or None."""
    try:
        if find_file(folder, "vasprun.xml") is not None:
            return None
        written = next((one for name in _WRITTEN if (one := find_file(folder, name))), None)
        inputs = all(find_file(folder, name) for name in ("INCAR", "POSCAR"))
    except InputError as error:
        return error
    strange = [name for name in names if name.lower().startswith("vasprun")]
    if strange:
        what = f"{strange[0]} is not a name that is read"
    elif written is not None:
        what = f"there is no vasprun.xml, and {written.name} alone is not enough"
    elif "vaspout.h5" in names:
        what = "there is no vasprun.xml, and vaspout.h5 alone is not enough"
    elif inputs:
        what = "there are inputs, and no vasprun.xml: VASP has not run here"
    elif packed := [name for name in names if name.lower().endswith(_ARCHIVES)]:
        what = f"{packed[0]} is not unpacked, whatever is in it"
    else:
        return None
    return InputError(
        what, where=str(folder), fix="put vasprun.xml there (plain, or as .gz, .bz2 or .xz)"
    )


def _name(folder: Path, root: Path) -> str:
    return str(folder.relative_to(root))


def _is(structure: Structure, formula: str) -> bool:
    reduced = Composition(formula).reduced_formula
    return bool(structure.composition.element_composition.reduced_formula == reduced)


def _without(composition: Composition, element: str) -> Composition:
    counts = composition.element_composition.get_el_amt_dict()
    return Composition({symbol: n for symbol, n in counts.items() if symbol != element})


def _are_steps(relaxed: Calculation, static: Calculation) -> bool:
    """Return whether a static calculation is of the structure with which a relaxation ended."""
    one, other = relaxed.final_structure, static.final_structure
    if relaxed.charge != static.charge or one.species != other.species:
        return False
    steps = one.frac_coords - other.frac_coords
    steps = (steps - np.round(steps)) @ one.lattice.matrix
    return bool(np.linalg.norm(steps, axis=1).max() < 0.05)


def said(differences: Mapping[str, tuple[object, object]]) -> str:
    """Return differences as ``PREC Normal, there Accurate``."""
    return "; ".join(f"{name} {own}, there {other}" for name, (own, other) in differences.items())


def _some(names: Iterable[str], most: int = 12) -> str:
    whole = list(names)
    rest = f", … ({len(whole)} in all)" if len(whole) > most else ""
    return ", ".join(whole[:most]) + rest
