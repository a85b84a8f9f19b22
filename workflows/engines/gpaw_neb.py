"""A migration barrier with GPAW: the climbing-image nudged elastic band between two given ends.

G. Henkelman, B. P. Uberuaga, H. Jónsson, J. Chem. Phys. 113, 9901 (2000), as ASE has it, beginning
with the image-dependent pair potential's path. Where a symmetry of the crystal exchanges the ends
(N. R. Mathiesen et al., J. Chem. Theory Comput. 15, 3215 (2019)), only one half of the path is
calculated and the other one is its mirror image.
"""

from __future__ import annotations

import json
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.io import read, write
from ase.mep import NEB
from ase.optimize import BFGS
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor

from interohm.postprocess.calculation import Calculation, MigrationPath
from interohm.slab_builders.hops import Reversal, path_reversal

from .gpaw_output import NotConvergedError, document, remove, replace, write_atomically
from .gpaw_scf import calculator, set_initial_moments
from .request import CalculationRequest

_IMAGES = "images.extxyz"
_HESSIAN = "path-hessian.json"
#: Å; relaxed to forces of some hundredths of an eV/Å, atoms are as far as that from symmetry.
_SYMMETRY_A = 0.02


def calculate_path(request: CalculationRequest, folder: Path) -> Calculation:
    """Relax the path, going on from the folder's last images.

    Returns
    -------
    Calculation
        That of the highest image, with the energies of all.

    Raises
    ------
    NotConvergedError
        The band still moves after the steps that the settings allow.
    """
    begun = time.monotonic()
    settings, relaxation = request.settings["path"], request.settings["relaxation"]
    before = request.initial_structure
    end = np.asarray(settings["end_positions_A"])
    after = Structure(before.lattice, before.species, end, coords_are_cartesian=True)
    band = NEB(
        _first_images(before, after, settings["images"]),
        k=settings["spring_eV_A2"],
        climb=True,
        method="improvedtangent",
    )
    images = band.images
    earlier_steps, earlier_s = _resume(images, folder)
    reversal = path_reversal(before, after, tolerance_A=_SYMMETRY_A)
    for index, image in enumerate(images):
        mirror = len(images) - 1 - index
        if reversal is not None and mirror < index:
            image.calc = _Mirrored(images[mirror], reversal)
        else:
            set_initial_moments(image, request)
            log = folder / ("gpaw.txt" if index == 0 else f"gpaw-{index}.txt")
            image.calc = calculator(image, request, {}, log=log)
    optimizer = BFGS(
        band,
        restart=str(folder / _HESSIAN),
        logfile=str(folder / "relaxation.log"),
        maxstep=relaxation["max_displacement_A"],
        alpha=relaxation["curvature_eV_A2"],
    )
    steps = earlier_steps

    def after_step() -> None:
        nonlocal steps
        steps += 1
        _save(images, folder)
        status = {
            "ionic_step": steps,
            "max_force_eV_A": float(np.linalg.norm(band.get_forces(), axis=1).max()),
            "wall_time_s": earlier_s + time.monotonic() - begun,
        }
        write_atomically(folder / "status.json", json.dumps(status))

    optimizer.attach(after_step)
    allowed = max(0, relaxation["max_steps"] - earlier_steps)
    if not optimizer.run(fmax=relaxation["force_tolerance_eV_A"], steps=allowed):
        raise NotConvergedError(
            f"forces on the path are above {relaxation['force_tolerance_eV_A']} eV/Å after "
            f"{relaxation['max_steps']} steps; raise max_steps in the preset"
        )
    energies = [float(image.get_potential_energy()) for image in images]
    # Of equally high ones the first one, which is calculated and no mirror image.
    saddle = images[int(np.argmax(np.round(energies, 6)))]
    moved = [np.linalg.norm(b.positions - a.positions) for a, b in pairwise(images)]
    path = MigrationPath(
        coordinates_A=[round(float(x), 4) for x in np.cumsum([0.0, *moved])],
        energies_eV=energies,
        symmetric=reversal is not None,
    )
    whole = document(saddle, request, steps, earlier_s + time.monotonic() - begun, [])
    return whole.model_copy(update={"path": path})


def _first_images(before: Structure, after: Structure, between: int) -> list[Atoms]:
    start, end = (_atoms(one) for one in (before, after))
    images = [start, *(start.copy() for _ in range(between)), end]
    NEB(images, method="improvedtangent").interpolate(method="idpp")
    return images


def _atoms(structure: Structure) -> Atoms:
    bare = AseAtomsAdaptor.get_atoms(structure)
    # pymatgen's positions, not wrapped into the cell: the path runs through no border.
    return Atoms(bare.symbols, structure.cart_coords, cell=structure.lattice.matrix, pbc=True)


def _resume(images: list[Atoms], folder: Path) -> tuple[int, float]:
    """Move the images to where the folder has them; return steps and seconds spent before."""
    path, status = folder / _IMAGES, folder / "status.json"
    if not (path.exists() and status.exists()):
        remove(folder / _HESSIAN)
        return 0, 0.0
    for image, earlier in zip(images, read(path, index=":"), strict=True):
        image.positions = earlier.positions
    known = json.loads(status.read_text())
    return int(known["ionic_step"]), float(known["wall_time_s"])


def _save(images: list[Atoms], folder: Path) -> None:
    partial = folder / ("partial-" + _IMAGES)
    bare = [Atoms(one.symbols, one.positions, cell=one.cell, pbc=True) for one in images]
    write(partial, bare)
    replace(partial, folder / _IMAGES)


class _Mirrored(Calculator):
    """Energy and forces of an image from those of its mirror image."""

    implemented_properties = ["energy", "forces"]  # noqa: RUF012  # as ASE declares it

    def __init__(self, source: Atoms, reversal: Reversal) -> None:
        super().__init__()
        self.source, self.reversal = source, reversal

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Any = ("energy",),
        system_changes: Any = all_changes,
    ) -> None:
        """Map the source's forces; the images move as mirror images of each other."""
        super().calculate(atoms, properties, system_changes)
        lattice = AseAtomsAdaptor.get_structure(self.source)
        self.results = {
            "energy": self.source.get_potential_energy(),
            "forces": self.reversal.forces(lattice, self.source.get_forces()),
        }
