"""The molecules whose energies stand for elements in a phase diagram."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from jobflow import Job
from pymatgen.core import Molecule

from interohm.errors import InputError
from interohm.postprocess.phase_diagram import EnergyCorrection
from interohm.slab_builders.molecules import boxed

from .campaign_config import SHIPPED_STRUCTURES
from .presets import AnyPreset
from .steps import CRYSTAL, calculation_job

#: H2 has 0.74 Å.
_CLOSEST_A = 0.5


def load_molecule(source: str, folder: Path, *, where: str) -> tuple[str, Molecule]:
    """Read a shipped molecule by its name, or one from an XYZ file.

    Returns
    -------
    str
        Its formula, as ``F2``, by which it has its correction, whatever the file is called.
    Molecule

    Raises
    ------
    InputError
        There is no such molecule, the file is something else, or the molecule is not of one
        element.
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
        molecule = Molecule.from_file(path)
    except (ValueError, IndexError, KeyError):
        raise InputError(
            f"{path} cannot be read as a molecule",
            where=where,
            fix="give XYZ: the number of atoms, a comment, then a line `F 0.0 0.0 1.4` for each",
        ) from None
    formula = molecule.composition.formula.replace(" ", "")
    if len(molecule.composition) > 1 or len(molecule) < 2:
        raise InputError(
            f"{path}: {formula} is not a molecule of one element",
            where=where,
            fix="molecules stand for elements; name crystals of compounds in `competing`",
        )
    if not molecule.is_valid(tol=_CLOSEST_A):
        raise InputError(
            f"{path}: atoms lie closer than {_CLOSEST_A} Å",
            where=where,
            fix="correct the positions",
        )
    return formula, molecule


def load_molecules(sources: Sequence[str], folder: Path) -> dict[str, Molecule]:
    """Read a campaign's molecules, one for each element.

    Raises
    ------
    InputError
        As of `load_molecule`, or two molecules are of one element: the lower energy would win,
        which may be the one without a correction.
    """
    where = "phase_diagram: molecules"
    found: dict[str, tuple[str, Molecule]] = {}
    for source in sources:
        name, molecule = load_molecule(source, folder, where=where)
        element = molecule.composition.elements[0].symbol
        if element in found:
            raise InputError(
                f"{found[element][0]} and {source} both stand for {element}",
                where=where,
                fix="keep one of the two",
            )
        found[element] = (name, molecule)
    return dict(found.values())


def molecule_jobs(molecules: Mapping[str, Molecule], preset: AnyPreset) -> dict[str, Job]:
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
    jobs = {}
    for name, molecule in molecules.items():
        label = f"{name}: molecule"
        jobs[name] = calculation_job(
            label, boxed(molecule, step.vacuum_A), preset, "relax", settings
        )
        jobs[name].metadata[CRYSTAL] = label
    return jobs


def corrections_of(preset: AnyPreset, molecules: Collection[str]) -> dict[str, EnergyCorrection]:
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
