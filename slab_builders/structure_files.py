"""Crystal structures from files, refused where the file does not say what the crystal is.

pymatgen mends what it can and warns of it. Its warnings are read here: each is an error, or a
remark that goes with the structure.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from monty.io import zopen
from pymatgen.core import Composition, Element, Structure
from pymatgen.io.cif import CifParser, str2float

from interohm.errors import InputError

#: Å; nearer than that no two atoms are.
_CLOSEST_A = 0.5

#: Occupancies are given with two or three digits.
_FULL = 1.01

#: Fractions that coordinates on special positions are made of.
_SPECIAL = sorted({n / d for d in (1, 2, 3, 4, 6, 8) for n in range(d + 1)})

_FORMULAS = ("_chemical_formula_sum", "_chemical_formula_structural")
_GROUPS = (
    "_space_group_IT_number",
    "_symmetry_Int_Tables_number",
    "_space_group_name_H-M_alt",
    "_symmetry_space_group_name_H-M",
    "_space_group_name_Hall",
    "_symmetry_space_group_name_Hall",
)

#: What pymatgen says of files that are as they should be.
_NO_REMARK = (
    "Issues encountered while parsing CIF",  # a summary of the others
    "Invalid CIF file with no structures",
    "Spacegroup from",  # the group's operations are those that the file would list
)


@dataclass(frozen=True)
class StructureFile:
    """A structure as a file has it.

    Parameters
    ----------
    structure : Structure
    remarks : tuple of str
        Corrections made while it was read.
    """

    structure: Structure
    remarks: tuple[str, ...] = ()


def read_structure(path: Path, block: str | None = None, *, where: str) -> StructureFile:
    """Read a crystal structure: CIF, POSCAR or another format of pymatgen.

    Parameters
    ----------
    path : Path
    block : str, optional
        The data block of a CIF; needed where several hold atoms.
    where : str
        The field that names the file.

    Raises
    ------
    InputError
        The file cannot be read, or does not say which crystal it means: no element symbols,
        several data blocks, another formula than its atoms have, hydrogens that are not listed,
        a space group without its operations, a site that is occupied twice, or atoms that
        coincide but for rounding.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            if _is_cif(path):
                structure = _from_cif(path, block, where)
            elif block is not None:
                raise InputError(
                    f"{path} has no data blocks (only a CIF does)", where=where, fix=f"write {path}"
                )
            else:
                structure = Structure.from_file(path)
        except InputError:
            raise
        except Exception as error:  # pymatgen's readers raise whatever their parsers do
            raise InputError(
                f"{path} cannot be read as a structure: {error}",
                where=where,
                fix="give CIF or POSCAR",
            ) from None
    messages = dict.fromkeys(
        line
        for warning in caught
        if not issubclass(warning.category, DeprecationWarning | ResourceWarning)
        for line in str(warning.message)
        .removeprefix("Issues encountered while parsing CIF: ")
        .splitlines()
    )
    remarks = [
        remark
        for message in messages
        if message.strip() and (remark := _judged(message.strip(), path, where))
    ]
    _check_elements(structure, path, where)
    _check_distances(structure, path, where)
    return StructureFile(structure, tuple(remarks))


def _is_cif(path: Path) -> bool:
    return re.search(r"\.m?cif(\.(gz|bz2|xz|z))?$", path.name, re.IGNORECASE) is not None


def _judged(message: str, path: Path, where: str) -> str | None:
    """Return the remark that a warning of pymatgen's is, or raise that it is an error."""
    if "Elements in POSCAR cannot be determined" in message:
        raise InputError(
            f"{path} has no element symbols",
            where=where,
            fix="write them in the line above the numbers of atoms, as VASP 5 does: Li F",
        )
    if "Elements in POSCAR would be overwritten" in message:
        symbols = _poscar_symbols(path)
        others = re.findall(r"'([^']+)'", message)
        if symbols:
            raise InputError(
                f"{path} has the elements {' '.join(symbols)}, the POTCAR next to it "
                f"{' '.join(others)}",
                where=where,
                fix="remove the wrong one",
            )
        return f"{path.name}: the elements {' '.join(others)} are those of the POTCAR next to it"
    if "implicit hydrogens" in message:
        raise InputError(
            f"{path} states that hydrogens are attached to atoms, but does not list them",
            where=where,
            fix="give a file with the positions of all atoms",
        )
    if parsed := re.fullmatch(r"(\S+) parsed as (\S*)", message):
        label, element = parsed.groups()
        letters = re.match(r"[A-Za-z]*", label)
        if not element or letters is None or letters.group().title() != element:
            raise InputError(
                f"{path}: {label!r} is not an element",
                where=where,
                fix="write element symbols in _atom_site_type_symbol",
            )
    if any(known in message for known in _NO_REMARK):
        return None
    if thirds := re.match(r"(\d+) fractional coordinates rounded to ideal", message):
        return f"{path.name}: {thirds[1]} coordinates near 1/3 or 2/3 are taken as exact"
    if "Defaulting to P1" in message:
        return f"{path.name}: no symmetry operations and no space group; taken as P 1"
    return f"{path.name}: {message}"


def _poscar_symbols(path: Path) -> list[str]:
    with zopen(path, mode="rt", encoding="utf-8", errors="replace") as file:
        words = str(file.read()).splitlines()[5].split()
    return [] if all(word.isdigit() for word in words) else words


def _check_elements(structure: Structure, path: Path, where: str) -> None:
    unknown = sorted(
        {str(kind) for kind in structure.composition if not hasattr(kind, "element")}
        - {element.symbol for element in Element}
    )
    if unknown or any(not len(site.species) for site in structure):
        named = " and ".join(unknown) or "an empty site"
        raise InputError(
            f"{path}: {named} is not an element", where=where, fix="give the element of every site"
        )
    flags = structure.site_properties.get("selective_dynamics")
    if flags is None and re.search(r"POSCAR|CONTCAR|\.vasp", path.name):
        _check_flags(path, where)


def _check_flags(path: Path, where: str) -> None:
    """Refuse ``F`` of selective dynamics that would be taken for fluorine."""
    with zopen(path, mode="rt", encoding="utf-8", errors="replace") as file:
        lines = str(file.read()).splitlines()
    if _poscar_symbols(path):
        return
    count = sum(int(word) for word in lines[5].split())
    rows = [line.split()[3:] for line in lines[7 : 7 + count]]
    if rows and all(len(row) >= 3 and set(row[:3]) <= {"T", "F"} for row in rows):
        raise InputError(
            f"{path} has no element symbols: T and F after the coordinates are flags",
            where=where,
            fix="write the symbols in the line above the numbers of atoms, and `Selective "
            "dynamics` in the line below them",
        )


def _check_distances(structure: Structure, path: Path, where: str) -> None:
    if len(structure) < 2:
        return
    distances = structure.distance_matrix
    distances[np.diag_indices(len(structure))] = np.inf
    first, second = np.unravel_index(np.argmin(distances), distances.shape)
    nearest = float(distances[first, second])
    if nearest < _CLOSEST_A:
        one, other = (
            f"{structure[int(index)].species_string} at "
            f"({', '.join(f'{x:.4g}' for x in structure[int(index)].frac_coords)})"
            for index in (first, second)
        )
        raise InputError(
            f"{path}: {one} and {other} are {nearest:.2g} Å apart; atoms lie no closer than "
            f"{_CLOSEST_A} Å",
            where=where,
            fix="give every atom once, with at least four digits of its coordinates",
        )


def _from_cif(path: Path, block: str | None, where: str) -> Structure:
    with zopen(path, mode="rt", encoding="utf-8", errors="replace") as file:
        # Of a byte order mark pymatgen would make a part of the first line.
        text = str(file.read()).removeprefix("\ufeff")
    sections = [
        (name, f"data_{section}")
        for section in re.split(r"^\s*data_", f"\n{text}", flags=re.MULTILINE)[1:]
        if _lists_atoms(section)
        for name in section.split(maxsplit=1)[:1]
    ]
    blocks = dict(sections)
    # Of blocks of one name pymatgen keeps the last one without a word.
    counts = Counter(name for name, _ in sections)
    if twice := [name for name, count in counts.items() if count > 1]:
        raise InputError(
            f"{path} has several data blocks of the name {twice[0]!r}",
            where=where,
            fix="give each a different name, or keep one",
        )
    names = ", ".join(blocks)
    if block is not None and block not in blocks:
        raise InputError(
            f"{path} has no data block {block!r} with atoms",
            where=where,
            fix=f"one of {names}" if names else "give a file with atoms",
        )
    if block is None and len(blocks) > 1:
        raise InputError(
            f"{path} has {len(blocks)} structures, in the data blocks {names}",
            where=where,
            fix=f"name one: {path.name}#{next(iter(blocks))}",
        )
    if not blocks:
        raise InputError(f"{path} lists no atoms", where=where, fix="give a file with atoms")
    chosen = blocks[block or next(iter(blocks))]
    parser = CifParser.from_str(chosen, occupancy_tolerance=_FULL, check_cif=False)
    (data,) = parser._cif.data.values()
    operations = parser.get_symops(data)
    _check_space_group(data.data, len(operations), path, where)
    _check_sites(data.data, operations, path, where)
    (structure,) = parser.parse_structures(primitive=False, on_error="raise")
    # The warnings that pymatgen collects, and would give as one.
    for message in dict.fromkeys(parser.warnings):
        warnings.warn(message, stacklevel=2)
    if structure.is_ordered:
        _check_formula(data.data, structure.composition.remove_charges(), path, where)
    return structure


def _lists_atoms(section: str) -> bool:
    return re.search(r"^\s*_atom_site_(fract|Cartn)_x\b", section, re.MULTILINE) is not None


def _check_space_group(data: dict[str, str], operations: int, path: Path, where: str) -> None:
    if operations > 1:
        return
    for key in _GROUPS:
        group = str(data.get(key, "")).strip()
        name = re.sub(r"[\s_']", "", group).upper()
        if name not in {"", "?", ".", "1", "P1", "P1(NO.1)"}:
            raise InputError(
                f"{path} is of the space group {group}, but lists no symmetry operation except "
                "the identity",
                where=where,
                fix="give a file with _space_group_symop_operation_xyz, or with all atoms of the "
                "cell in the space group P 1",
            )


def _check_sites(data: dict[str, list[str]], operations: list[Any], path: Path, where: str) -> None:
    """Refuse sites that are occupied twice, or that rounding has moved off a special position."""
    keys = [f"_atom_site_fract_{axis}" for axis in "xyz"]
    if not all(isinstance(data.get(key), list) for key in keys):
        return
    places = np.array([[_number(text) for text in data[key]] for key in keys]).T
    labels = data.get("_atom_site_label", data.get("_atom_site_type_symbol", []))
    occupancies = [_number(text, 1.0) for text in data.get("_atom_site_occupancy", [])]
    occupancies = occupancies or [1.0] * len(places)
    if len(labels) != len(places) or len(occupancies) != len(places):
        return  # pymatgen says so
    lattice = CifParser.get_lattice_no_exception(data)
    images = np.array([[one.operate(position) for one in operations] for position in places])
    for number, (label, position) in enumerate(zip(labels, places, strict=True)):
        if not np.isfinite(position).all():
            raise InputError(
                f"{path}: {label} has no coordinates",
                where=where,
                fix="give the positions of all atoms",
            )
        steps = images[number] - position
        steps -= np.round(steps)
        away = np.linalg.norm(steps @ lattice.matrix, axis=1)
        near = (away < _CLOSEST_A) & (np.abs(steps).max(axis=1) > 1e-4)
        if near.any():
            exact = position + steps[away < _CLOSEST_A].mean(axis=0)
            written = " ".join(f"{_special(x):.6f}" for x in exact)
            raise InputError(
                f"{path}: {label} at ({', '.join(f'{x:g}' for x in position)}) and its image by "
                f"symmetry are {away[near].max():.2g} Å apart; the coordinates are rounded",
                where=where,
                fix=f"write {written}",
            )
        steps = images - position
        steps -= np.round(steps)
        same = (np.abs(steps).max(axis=2) < 1e-3).any(axis=1)
        total = sum(one for one, own in zip(occupancies, same, strict=True) if own)
        if total > _FULL:
            together = " and ".join(
                f"{name} ({one:g})"
                for name, one, own in zip(labels, occupancies, same, strict=True)
                if own
            )
            raise InputError(
                f"{path}: the site of {label} is occupied {total:g} times: {together}",
                where=where,
                fix="give occupancies that add up to 1 at most, and every atom once",
            )


def _special(fraction: float) -> float:
    nearest = min(_SPECIAL, key=lambda one: abs(one - fraction))
    return nearest if abs(nearest - fraction) < 0.006 else fraction


def _number(text: str, otherwise: float = np.nan) -> float:
    try:
        return float(str2float(text))
    except (TypeError, ValueError):
        return otherwise


def _check_formula(data: dict[str, str], listed: Composition, path: Path, where: str) -> None:
    """Compare the formula that a CIF declares with its atoms."""
    declared = next(
        (
            text
            for key in _FORMULAS
            if (text := str(data.get(key, "")).strip(" '\"")) not in {"", "?", "."}
        ),
        None,
    )
    if declared is None:
        return
    try:
        formula = Composition(re.sub(r"[,\s]+", " ", declared)).element_composition
    except ValueError:
        warnings.warn(
            f"the formula {declared!r} cannot be read, and was not compared", stacklevel=2
        )
        return
    found = listed.element_composition
    units = found.num_atoms / formula.num_atoms if formula.num_atoms else 0.0
    stated = _number(data.get("_cell_formula_units_Z", ""))
    # Programs write one formula unit and Z, or the whole cell, whatever Z.
    alike = found.almost_equals(formula * units, rtol=0.01, atol=0.01)
    whole = abs(units - round(units)) < 0.01 and round(units) >= 1
    if (
        alike
        and whole
        and (round(units) == 1 or not np.isfinite(stated) or round(units) == round(stated))
    ):
        return
    of_cell = f", {stated:g} times in the cell" if np.isfinite(stated) else ""
    missing = {
        element.symbol
        for element in formula
        if formula[element] * max(units, 1) > found[element] * 1.01
    }
    hydrogens = "H" in missing and "H" not in found
    raise InputError(
        f"{path} declares the formula {formula.formula}{of_cell}, and lists {found.formula}"
        + (": the hydrogens are missing" if hydrogens else ""),
        where=where,
        fix="give a file that lists all atoms of its formula, or correct the formula",
    )
