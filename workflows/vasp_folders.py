"""Which of many VASP folders is what: told by the user, or from their structures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pymatgen.core import Composition, Structure

from interohm.errors import InputError
from interohm.postprocess.calculation import Calculation
from interohm.postprocess.materials import RelativeUncertainty, Uncertainties, Uncertainty
from interohm.postprocess.vasp import read_vasp
from interohm.postprocess.vasp_path import image_folders, read_vasp_path
from interohm.records import Charge, DielectricConstant, Fraction, Number, Quantity, Voltage
from interohm.slab_builders.identify import has_vacuum
from interohm.yaml_io import load_yaml, validated

from .campaign_config import Facet, HopConfig, Name

#: The file that says what cannot be told from VASP's.
CONFIG = "import.yaml"

_TYPICAL = Uncertainty(value_eV=0.3, source="assumed: levels of density functional theory")


class _Config(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class _ImportedPhase(_Config):
    """One record to make.

    Parameters
    ----------
    name : str
        Of the record.
    formula : str
        By which its folders are known.
    facet : tuple of int
        Miller indices of the slab in the conventional cell.
    bulk, slab : str, optional
        Folders, where more than one would do.
    """

    name: Name
    formula: Annotated[str, Field(min_length=1)]
    facet: Facet
    bulk: str | None = None
    slab: str | None = None


class ImportedInsulator(_ImportedPhase):
    """An insulator.

    Parameters
    ----------
    dielectric_constant, saturation, stability_window_V, hops
        As in a campaign; ``calculate`` means that the folders have the response, or the path.
    response : str, optional
        Folder of the dielectric response, where more than one would do.
    paths : mapping of str to str
        Folders of the paths by the names of ``hops``, where more than one would do.
    supercell : str, optional
        Folder of the perfect supercell.
    metal : str, optional
        Folder of the mobile element's bulk metal.
    chemical_potentials_eV : mapping
        Total energies per atom of elements that neither compound nor metal determines.
    """

    kind: Literal["insulator"]
    dielectric_constant: Literal["calculate"] | DielectricConstant
    response: str | None = None
    saturation: Fraction = Quantity(value=1.0)
    stability_window_V: tuple[Voltage, Voltage] | None = None
    hops: dict[str, HopConfig] = Field(default_factory=dict)
    paths: dict[str, str] = Field(default_factory=dict)
    supercell: str | None = None
    metal: str | None = None
    chemical_potentials_eV: dict[str, Number] = Field(default_factory=dict)


class ImportedMetal(_ImportedPhase):
    """A metal at one ion content."""

    kind: Literal["metal"]
    ion_content: Annotated[Number, Field(ge=0, le=100)] = 1.0
    voltage_V: Voltage = Quantity(value=0.0, source="definition: the metal itself")


Imported = Annotated[ImportedInsulator | ImportedMetal, Field(discriminator="kind")]


class ImportConfig(_Config):
    """What a folder of finished calculations is about.

    Parameters
    ----------
    mobile_ion : str
    ion_charge : int
    phases : list
    ignore : list of str
        Folders that are not read, nor those in them.
    uncertainties : Uncertainties
    """

    mobile_ion: Annotated[str, Field(pattern=r"^[A-Z][a-z]?$")]
    ion_charge: Annotated[Charge, Field(ge=1)] = 1
    phases: Annotated[list[Imported], Field(min_length=1, max_length=1000)]
    ignore: list[str] = Field(default_factory=list)
    uncertainties: Uncertainties = Uncertainties(
        ionization_potential=_TYPICAL,
        band_gap=_TYPICAL,
        formation_energy=_TYPICAL,
        work_function=_TYPICAL,
        migration_energy=Uncertainty(value_eV=0.1, source="assumed: density functional theory"),
        dielectric_constant=RelativeUncertainty(
            fraction=0.2, source="assumed: density functional perturbation theory"
        ),
    )

    @model_validator(mode="after")
    def _uncertainties_are_known(self) -> ImportConfig:
        phases = [phase for phase in self.phases if isinstance(phase, ImportedInsulator)]
        hops = [hop for phase in phases for hop in phase.hops.values()]
        needed = {
            "dielectric_constant": [phase.dielectric_constant for phase in phases],
            "migration_energy": [hop.migration_energy_eV for hop in hops],
        }
        for name, values in needed.items():
            if "calculate" in values and getattr(self.uncertainties, name) is None:
                raise ValueError(f"uncertainties: {name} is calculated and needs one")
        return self


class Folders:
    """The calculations below a folder, by their folders' names relative to it.

    Raises
    ------
    InputError
        There is none, one is cut off or not converged, or a folder to ignore does not exist.
    """

    def __init__(self, root: Path, ignore: list[str]) -> None:
        self.root = root
        ignored = {(root / name).resolve(): name for name in ignore}
        for place, name in ignored.items():
            if not place.is_dir() or not place.is_relative_to(root.resolve()):
                raise InputError(
                    f"ignore: there is no folder {name!r}",
                    where=str(root / CONFIG),
                    fix=f"name folders below {root}, with their path from there",
                )

        def is_read(place: Path) -> bool:
            whole = place.resolve()
            return not any(folder in ignored for folder in (whole, *whole.parents))

        runs = [*root.rglob("vasprun.xml"), *root.rglob("vasprun.xml.gz")]
        single = {path.parent for path in runs if path.is_file() and is_read(path.parent)}
        first = [place.parent for place in root.rglob("01") if is_read(place.parent)]
        bands = {place for place in first if image_folders(place)}
        # The images of a path, and the one file that they write together, are no runs of their own.
        images = bands | {image for band in bands for image in image_folders(band)}
        places = bands | single - images
        used = {str(place.relative_to(root)): place for place in sorted(places)}
        if not used:
            raise InputError("no folder in it has a vasprun.xml", where=str(root))
        self.calculations = {
            name: read_vasp_path(place) if place in bands else read_vasp(place)
            for name, place in used.items()
        }

    def choose(
        self, role: str, named: str | None, candidates: list[str], *, only: str | None = None
    ) -> Calculation:
        """Return the calculation that the user named, or the only candidate for a role.

        Of candidates that differ in nothing but their steps, the static one is meant. With
        ``only``, which says what they are, a named folder has to be a candidate, too.
        """
        fix = f"name the folder in {CONFIG}, one of {', '.join(self.calculations)}"
        if named is not None:
            if named not in self.calculations:
                raise InputError(f"{role}: there is no folder {named!r}", where=CONFIG, fix=fix)
            if only is not None and named not in candidates:
                known = f"one of {', '.join(candidates)}" if candidates else "there is none"
                raise InputError(f"{role}: {named} is no {only}", where=CONFIG, fix=known)
            return self.calculations[named]
        static = [name for name in candidates if self.calculations[name].kind == "static"]
        chosen = static or candidates
        if len(chosen) != 1:
            found = f"these could be it: {', '.join(chosen)}" if chosen else "no folder could be it"
            raise InputError(f"{role}: {found}", where=str(self.root), fix=fix)
        return self.calculations[chosen[0]]

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

    def defects(self, perfect: Calculation) -> dict[str, Calculation]:
        """Return the calculations in the supercell of a perfect crystal with other atoms."""
        return self._flawed(perfect, ("cell", "relax", "static"))

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

    def name_of(self, calculation: Calculation) -> str:
        """Return the folder of a calculation."""
        return next(name for name, one in self.calculations.items() if one is calculation)

    def _structure(self, name: str) -> Structure:
        return self.calculations[name].final_structure

    def _neutral(
        self, formula: str, kinds: Sequence[str] = ("cell", "relax", "static")
    ) -> list[str]:
        reduced = Composition(formula).reduced_formula
        return [
            name
            for name, calculation in self.calculations.items()
            if calculation.charge == 0
            and calculation.kind in kinds
            and calculation.final_structure.composition.reduced_formula == reduced
        ]


def load_import(root: Path) -> ImportConfig:
    """Read what a folder is about from its `CONFIG`."""
    path = root / CONFIG
    if not path.is_file():
        raise InputError(
            f"there is no {CONFIG}, which says what cannot be told from VASP's files",
            where=str(root),
            fix="write mobile_ion and phases (name, kind, formula, facet; for an insulator "
            "dielectric_constant) into it; configs/examples/import.yaml shows every field",
        )
    return validated(ImportConfig, load_yaml(path), where=str(path))
