"""Check whether total energies may be subtracted from each other, with the reason if not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .calculation import Calculation
from .hubbard import hubbard_U_eV
from .vasp_method import differences, energy_settings

#: eV; cutoffs that differ by less leave no more than a meV an atom.
_CUTOFF_EV = 1.0
#: Å; a mesh that is coarser than the Gamma point of a supercell of this length is none for a total
#: energy, of an insulator or of a metal.
_LEAST_LENGTH_A = 8.0


def energy_differences(one: Calculation, other: Calculation) -> dict[str, tuple[Any, Any]]:
    """Return what the energies of two calculations depend on and where they differ, by its name.

    Engine, functional and the rest of the method, cutoff; for the elements that both have, data set
    and +U. Empty where the energies may be subtracted.
    """
    found: dict[str, tuple[Any, Any]] = {}
    if one.engine != other.engine:
        return {"engine": (one.engine, other.engine)}
    found |= differences(_method(one), _method(other))
    cutoffs = one.settings.get("cutoff_eV"), other.settings.get("cutoff_eV")
    if cutoffs[0] != cutoffs[1] and (
        cutoffs[0] is None
        or cutoffs[1] is None
        or abs(cutoffs[0] - cutoffs[1]) > _CUTOFF_EV * (one.engine == "vasp")
    ):
        found["cutoff_eV"] = cutoffs
    sets = _data_sets(one.settings), _data_sets(other.settings)
    titles = all(isinstance(own.settings.get("potcars"), list) for own in (one, other))
    for element in sets[0].keys() & sets[1].keys():
        pair = sets[0][element], sets[1][element]
        if not titles:  # of a campaign's the symbols are known
            pair = _symbol(pair[0]), _symbol(pair[1])
        if pair[0] != pair[1]:
            found[f"data set of {element}"] = pair
    libraries = [
        own.settings["potcars"].get("functional")
        for own in (one, other)
        if isinstance(own.settings.get("potcars"), Mapping)
    ]
    if len(set(libraries)) > 1:
        found["library of data sets"] = (libraries[0], libraries[1])
    repulsions = hubbard_U_eV(one), hubbard_U_eV(other)
    for element in repulsions[0].keys() & repulsions[1].keys():
        if repulsions[0][element] != repulsions[1][element]:
            found[f"+U of {element}"] = (
                repulsions[0][element] or "none",
                repulsions[1][element] or "none",
            )
    return found


def supercell_differences(perfect: Calculation, flawed: Calculation) -> dict[str, tuple[Any, Any]]:
    """Return what else has to be the same in a supercell without and with a defect."""
    found = {}
    meshes = perfect.settings.get("kpoints"), flawed.settings.get("kpoints")
    if meshes[0] != meshes[1]:
        found["k-points"] = meshes
    if perfect.engine == "vasp":
        projected = [_projectors(one.settings.get("incar", {})) for one in (perfect, flawed)]
        if projected[0] != projected[1]:
            found["LREAL"] = (projected[0], projected[1])
    return found


def coarse_mesh(calculation: Calculation) -> str | None:
    """Return why the k-points are too few for a total energy, None if they are not."""
    mesh = calculation.settings.get("kpoints") or []
    if len(mesh) != 3 or not all(isinstance(count, int) for count in mesh):
        return None
    lengths = np.linalg.norm(calculation.final_structure.lattice.matrix, axis=1)
    least = float((lengths * mesh).min())
    if least >= _LEAST_LENGTH_A:
        return None
    counts = "x".join(map(str, mesh))
    return f"{counts} k-points are those of a supercell of {least:.1f} Å, too few for an energy"


def _method(calculation: Calculation) -> Mapping[str, Any]:
    settings = calculation.settings
    if calculation.engine != "vasp":
        return {"functional": settings.get("xc")}
    if "method" in settings:
        own: Mapping[str, Any] = settings["method"]
        return own
    titles = settings.get("potcars")
    if isinstance(titles, list) and "incar" in settings:
        return energy_settings(settings["incar"], titles)
    if "incar" in settings:
        return energy_settings(settings["incar"])
    return {"functional": settings.get("xc")}


def _data_sets(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return VASP's data sets by element, from titles or from symbols; empty for other engines."""
    potcars = settings.get("potcars", [])
    if isinstance(potcars, Mapping):
        return dict(potcars.get("symbols", {}))
    return {_symbol(title).split("_")[0]: title for title in potcars}


def _symbol(title: str) -> str:
    words = title.split()
    return words[1] if len(words) > 1 else words[0]


def _projectors(incar: Mapping[str, Any]) -> str:
    text = str(incar.get("LREAL", "F")).strip(". ").upper()
    return {"F": "false", "N": "false"}.get(text[:1], "true" if text[:1] in "TO" else "Auto")
