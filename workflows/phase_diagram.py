"""Stability windows of a campaign's phases: of its own calculations, or of entries of others."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import asdict
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pymatgen.core import Composition

from interohm.database import Database
from interohm.database.schema import well_formed
from interohm.errors import InputError
from interohm.postprocess.calculation import Calculation
from interohm.postprocess.phase_diagram import (
    EnergyCorrection,
    StabilityWindow,
    comparable,
    entry_of,
    limit_uncertainties,
    stability_window,
)
from interohm.records import PhaseEnergies, Quantity
from interohm.slab_builders.identify import has_vacuum, is_supercell

from .campaign_config import PhaseDiagramConfig
from .materials_project import entries_of

if TYPE_CHECKING:
    from pymatgen.entries.computed_entries import ComputedEntry

Window = tuple[Quantity, Quantity]


def window_of_others(
    config: PhaseDiagramConfig,
    folder: Path,
    compound: Composition,
    mobile_ion: str,
    ion_charge: int,
    *,
    where: str,
) -> tuple[Window, dict[str, Any]]:
    """Return a stability window from a file's or the Materials Project's entries.

    Returns
    -------
    pair of Quantity
        Reduction and oxidation limit; their uncertainty is not known.
    dict
        The phases it decomposes into and coexists with, for the provenance.

    Raises
    ------
    InputError
        No key, an unreadable file, elements missing, or the compound is not stable.
    """
    elements = frozenset(element.symbol for element in compound.elements)
    if config.entries == "materials_project":
        entries: Sequence[ComputedEntry] = entries_of(elements, where=where)
    else:
        entries = entries_of_file(folder / config.entries, where=where)
    try:
        window = stability_window(compound, entries, mobile_ion, ion_charge)
    except ValueError as error:
        raise InputError(
            str(error), where=where, fix="give the phase its own stability_window_V"
        ) from None
    source = f"phase diagram: {config.entries}"
    method = "calculated: total energies of others"
    return _quantities(window, (None, None), source, method), {
        "entries": config.entries,
        **window.as_dict(),
    }


def window_of_ours(
    database: Database,
    compound: Calculation,
    others: Sequence[Calculation],
    mobile_ion: str,
    ion_charge: int,
    uncertainty_V: float | None,
    molecules: Mapping[str, Calculation],
    corrections: Mapping[str, EnergyCorrection],
) -> tuple[Window | None, dict[str, Any], PhaseEnergies]:
    """Return a stability window from finished calculations with the same settings.

    Parameters
    ----------
    database : Database
        Its bulk calculations count, those that the program ships, and ``others``.
    compound : Calculation
        The phase.
    others : sequence of Calculation
        Metal, coexisting and competing phases.
    mobile_ion : str
        Its element.
    ion_charge : int
        Charge of the mobile ion, in elementary charges.
    uncertainty_V : float, optional
        Uncertainty of a limit where the corrections are right.
    molecules : mapping
        Elements that are gases or crystals of molecules, by the molecules' names.
    corrections : mapping
        By the names of molecules, and by the formulas of crystals.

    Returns
    -------
    pair of Quantity or None
        None where the compound is not stable, or an element was not calculated.
    dict
        For the provenance: the calculations, and the window or why there is none.
    PhaseEnergies
        The energies that were compared.
    """
    elements = set(compound.final_structure.composition.get_el_amt_dict())
    found = {one.hash: one for one in (compound, *others)}
    settings = {field: compound.settings[field] for field in ("xc", "cutoff_eV")}
    for one in known_crystals(database, compound.engine, settings, elements):
        found.setdefault(one.hash, one)
    used = [one for one in found.values() if comparable(compound, one)]
    named = [(one.final_structure.composition.reduced_formula, one) for one in used]
    named += [(name, one) for name, one in molecules.items() if comparable(compound, one)]
    hashes: dict[str, list[str]] = {}
    for name, one in sorted(named, key=lambda pair: (pair[0], pair[1].hash)):
        hashes.setdefault(name, []).append(one.hash)
    provenance: dict[str, Any] = {"entries": hashes}
    if changed := {name: asdict(corrections[name]) for name, _ in named if name in corrections}:
        provenance["corrections_per_atom"] = changed
    composition = compound.final_structure.composition.element_composition
    entries, uncertain = [], {}
    for name, one in named:
        correction = corrections.get(name)
        entries.append(entry_of(one, 0.0 if correction is None else correction.value_eV))
        if correction is not None:
            uncertain[one.hash] = correction.uncertainty_eV
    energies = _phase_energies(compound, entries)
    try:
        window = stability_window(composition, entries, mobile_ion, ion_charge)
        moved = limit_uncertainties(composition, entries, mobile_ion, ion_charge, uncertain)
    except ValueError as error:
        return None, {**provenance, "no_window": str(error)}, energies
    method = f"calculated: {compound.engine}, {compound.settings['xc']}"
    method += ", energies corrected" if any(entry.correction for entry in entries) else ""
    source = f"calculation {compound.hash[:12]}, in a phase diagram of {len(entries)}"
    uncertainties = [
        # Beside the metal itself the voltage is zero by definition.
        0.0 if phases == (mobile_ion,) else uncertainty_V and math.hypot(uncertainty_V, one)
        for phases, one in zip((window.reduced_to, window.oxidized_to), moved, strict=True)
    ]
    limits = _quantities(window, uncertainties, source, method)
    return limits, {**provenance, **window.as_dict()}, energies


def _phase_energies(compound: Calculation, entries: Sequence[ComputedEntry]) -> PhaseEnergies:
    """Return the lowest energy of each formula, corrections included."""
    lowest: dict[str, float] = {}
    for entry in entries:
        formula, energy = entry.composition.reduced_formula, entry.energy_per_atom
        lowest[formula] = min(energy, lowest.get(formula, energy))
    settings = compound.settings
    return PhaseEnergies(
        composition=compound.final_structure.composition.reduced_formula,
        method=f"calculated: {compound.engine}, {settings['xc']}, {settings['cutoff_eV']:g} eV, "
        "with the preset's corrections of elements",
        energies_eV={formula: round(lowest[formula], 5) for formula in sorted(lowest)},
    )


def _quantities(
    window: StabilityWindow, uncertainties_V: Sequence[float | None], source: str, method: str
) -> Window:
    limits = (
        (window.reduction_V, window.reduced_to),
        (window.oxidation_V, window.oxidized_to),
    )
    low, high = (
        Quantity(
            value=round(value, 4) + 0.0,
            uncertainty=None if uncertainty is None else round(uncertainty, 4),
            source=f"{source}; beyond: {', '.join(phases)}",
            method=method,
        )
        for (value, phases), uncertainty in zip(limits, uncertainties_V, strict=True)
    )
    return low, high


def known_crystals(
    database: Database, engine: str, settings: Mapping[str, Any], elements: Set[str]
) -> Iterator[Calculation]:
    """Return static calculations of perfect crystals, those that the program ships included.

    Parameters
    ----------
    database : Database
        Database in which calculations are looked up.
    engine : str
        Whose calculations count.
    settings : mapping
        Those that have to be the same.
    elements : set of str
        No others are in the crystals.
    """
    for document in _static_documents(database, engine, settings):
        with well_formed(f"{database.location}, calculations"):
            # A strained crystal and a stack of two are no phases.
            held = document["settings"].get("cell_held", False)
            if not held and _elements(document) <= elements:
                one = Calculation.model_validate(document)
                # Supercells of defects have fewer k-points than the crystal's own cell.
                if not has_vacuum(one.final_structure) and not is_supercell(one.final_structure):
                    yield one


def _static_documents(
    database: Database, engine: str, settings: Mapping[str, Any]
) -> Iterator[Mapping[str, Any]]:
    wanted = {"engine": engine, "kind": "static", "charge": 0}
    yield from database.query(
        "calculations", wanted | {f"settings.{field}": value for field, value in settings.items()}
    )
    for path in (resources.files("interohm.configs") / "calculations").iterdir():
        if path.name.endswith(".json.gz"):
            document = json.loads(gzip.decompress(path.read_bytes()))
            if wanted.items() <= document.items() and (
                settings.items() <= document["settings"].items()
            ):
                yield document


def _elements(document: Mapping[str, Any]) -> set[str]:
    sites = document["structure"]["sites"]
    return {species["element"] for site in sites for species in site["species"]}


def entries_of_file(path: Path, *, where: str) -> list[ComputedEntry]:
    """Read total energies from JSON: a list of ``composition``, ``energy`` and ``correction``.

    As pymatgen writes entries; nothing else of them is read.

    Raises
    ------
    InputError
        There is no such file, or it is something else.
    """
    from pymatgen.entries.computed_entries import ComputedEntry

    try:
        content = json.loads(path.read_text())
        return [
            ComputedEntry(
                Composition({str(el): float(n) for el, n in entry["composition"].items()}),
                float(entry["energy"]),
                correction=float(entry.get("correction", 0.0)),
            )
            for entry in content
        ]
    except FileNotFoundError:
        raise InputError(
            f"there is no file {path}",
            where=where,
            fix="name a JSON file of entries, `calculations` or `materials_project`",
        ) from None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(
            f"{path} cannot be read as entries: {error}",
            where=where,
            fix='give a JSON list of {"composition": {"Li": 1}, "energy": eV of that many atoms}',
        ) from None
