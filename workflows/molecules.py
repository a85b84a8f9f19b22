"""The molecules whose energies stand for elements in a phase diagram."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from pathlib import Path

from interohm.postprocess.phase_diagram import EnergyCorrection
from interohm.slab_builders.molecules import boxed
from jobflow import Job
from pymatgen.core import Molecule

from interohm.errors import InputError

from .campaign_config import SHIPPED_STRUCTURES
from .presets import Preset
from .steps import calculation_job


def load_molecule(source: str, folder: Path, *, where: str) -> tuple[str, Molecule]:
    """Read a shipped molecule by its name, or one from an XYZ file; return name and molecule.

    Raises
    ------
    InputError
        There is no such molecule, or the file is something else.
    """
    shipped = SHIPPED_STRUCTURES / "molecules"
    path = folder / source if source.endswith(".xyz") else shipped / f"{source}.xyz"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in shipped.glob("*.xyz")))
        raise InputError(
            f"there is no molecule {source!r}",
            where=where,
            fix=f"one of {known}, or an XYZ file, relative to the campaign's file",
        )
    try:
        return path.stem, Molecule.from_file(path)
    except (ValueError, IndexError, KeyError) as error:
        raise InputError(
            f"{path} cannot be read as a molecule: {error}", where=where, fix="give XYZ"
        ) from None


def molecule_jobs(molecules: Mapping[str, Molecule], preset: Preset) -> dict[str, Job]:
    """Return the jobs that relax molecules in their boxes, by the molecules' names.

    Raises
    ------
    InputError
        The preset has no step for molecules.
    """
    if not molecules:
        return {}
    step = preset.molecule
    if step is None:
        raise InputError(
            f"the preset {preset.name} has no step for molecules",
            where="phase_diagram: molecules",
            fix="give the preset `molecule`, or leave the molecules out",
        )
    settings = step.engine_settings(preset.xc)
    return {
        name: calculation_job(
            f"{name}: molecule", boxed(molecule, step.vacuum_A), preset, "relax", settings
        )
        for name, molecule in molecules.items()
    }


def corrections_of(preset: Preset, molecules: Collection[str]) -> dict[str, EnergyCorrection]:
    """Return what is added to energies: molecules that have no correction count as calculated."""
    corrections = {
        name: EnergyCorrection(
            round(sum(one.value_eV for one in parts), 4),
            round(math.hypot(*(one.uncertainty_eV for one in parts)), 4),
            "; ".join(f"{one.value_eV:+g} eV: {one.source}" for one in parts),
        )
        for name, parts in preset.corrections_per_atom.items()
        if parts
    }
    raw = preset.uncertainties.molecule
    for name in set(molecules) - set(corrections):
        assert raw is not None  # the preset has a step for molecules
        corrections[name] = EnergyCorrection(0.0, raw.value_eV, f"as calculated; {raw.source}")
    return corrections
