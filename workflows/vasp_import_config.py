"""`import.yaml`: information that VASP's files do not contain."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, TypeGuard

from pydantic import BaseModel, ConfigDict, Field, model_validator

from interohm.errors import InputError
from interohm.postprocess.materials import (
    SATURATION,
    RelativeUncertainty,
    Uncertainties,
    Uncertainty,
)
from interohm.records import (
    Charge,
    DielectricConstant,
    Fraction,
    Number,
    Quantity,
    Voltage,
    WorkFunction,
)
from interohm.records.material import ArealSiteDensity
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
        Name of the record.
    formula : str
        Formula by which its folders are recognized.
    facet : tuple of int
        Miller indices of the slab in the conventional cell.
    bulk : str, optional
        Folder of the bulk, if several could be meant.
    slab : str, optional
        Folder of the slab, if several could be meant.
    bands : list of str, optional
        Folders of band structures whose edges are used. Default: all of the same cell and method.
    """

    name: Name
    formula: Annotated[str, Field(min_length=1)]
    facet: Facet
    bulk: str | None = None
    slab: str | None = None
    bands: list[str] | None = None


class ImportedInsulator(_ImportedPhase):
    """An insulator.

    Parameters
    ----------
    kind : "insulator"
        Marks the phase as an insulator.
    dielectric_constant : Quantity or ``calculate``
        Static dielectric constant. ``calculate`` takes it from the folder of the response.
    saturation : Quantity
        Largest fraction of a sublattice that its defects can occupy, as in the record.
    stability_window_V : (Quantity, Quantity), optional
        Reduction and oxidation limit, as in the record.
    hops : mapping
        Hops of the mobile ion, by the defect's name. ``calculate`` takes the barrier from the
        folder of the path.
    response : str, optional
        Folder of the dielectric response, if several could be meant.
    paths : mapping of str to str
        Folders of the paths by the names of ``hops``, if several could be meant.
    supercell : str, optional
        Folder of the perfect supercell, if several could be meant.
    metal : str, optional
        Folder of the mobile element's bulk metal, if several could be meant.
    chemical_potentials_eV : mapping
        Total energies per atom of elements that neither the compound nor the metal determines.
    """

    kind: Literal["insulator"]
    dielectric_constant: Literal["calculate"] | DielectricConstant
    response: str | None = None
    saturation: Fraction = SATURATION
    stability_window_V: tuple[Voltage, Voltage] | None = None
    hops: dict[str, HopConfig] = Field(default_factory=dict)
    paths: dict[str, str] = Field(default_factory=dict)
    supercell: str | None = None
    metal: str | None = None
    chemical_potentials_eV: dict[str, Number] = Field(default_factory=dict)


class ImportedMetal(_ImportedPhase):
    """A metal at one ion content.

    Parameters
    ----------
    kind : "metal"
        Marks the phase as a metal.
    ion_content : float
        Mobile ions per formula unit.
    voltage_V : Quantity
        Equilibrium potential against the mobile metal; 0 for that metal itself.
    """

    kind: Literal["metal"]
    ion_content: Annotated[Number, Field(ge=0, le=100)] = 1.0
    voltage_V: Voltage = Quantity(value=0.0, source="definition: the metal itself")


class ImportedState(_Config):
    """One ion content of an electrode.

    Parameters
    ----------
    ion_content : float
        Mobile ions per formula unit of the host.
    bulk : str, optional
        Folder of the bulk. Default: of several bulks, the one with the lowest energy.
    slab : str, optional
        Folder of the slab, if several could be meant.
    facet : tuple of int, optional
        Miller indices of the slab in the conventional cell of this state's bulk. Default: those of
        the phase.
    work_function_eV : Quantity, optional
        Work function, where there is no slab.
    """

    ion_content: Annotated[Number, Field(ge=0, le=100)]
    bulk: str | None = None
    slab: str | None = None
    facet: Facet | None = None
    work_function_eV: WorkFunction | None = None


class ImportedElectrode(_Config):
    """An electrode along its state of charge.

    Parameters
    ----------
    kind : "electrode"
        Marks the phase as an electrode with several ion contents.
    name : str
        Name of the record.
    formula : str
        Formula of the host at any ion content. Folders with its other elements in this ratio
        belong to it.
    facet : tuple of int, optional
        Miller indices of the slabs in the conventional cell.
    surface : str, optional
        Surface to which given work functions belong.
    states : list, optional
        Ion contents. Default: all that the folders have.
    metal : str, optional
        Folder of the mobile element's bulk metal, if several could be meant.
    """

    kind: Literal["electrode"]
    name: Name
    formula: Annotated[str, Field(min_length=1)]
    facet: Facet | None = None
    surface: str | None = None
    states: list[ImportedState] = Field(default_factory=list, max_length=50)
    metal: str | None = None


class ImportedSide(_Config):
    """One side of an interface.

    Parameters
    ----------
    record : str
        Name of the record of this side's phase. The dipole is relative to its levels.
    surface : str, optional
        Surface, as in the record's ``surface``. The interface does not apply to records with
        another surface.
    slab : str
        Folder of the free slab, strained as in the contact.
    middle_A : float
        Height of the side's middle above the floor of the contact's cell, in Å.
    period_A : float
        Repeat distance of the side's crystal along the normal, in Å.
    """

    record: Name
    surface: str | None = None
    slab: str
    middle_A: Annotated[Number, Field(ge=0, le=10_000)]
    period_A: Annotated[Number, Field(gt=0, le=1_000)]


class ImportedInterface(_Config):
    """The contact of two surfaces.

    Parameters
    ----------
    kind : "interface"
        Marks the phase as an interface.
    name : str
        Name of the interface.
    left, right : ImportedSide
        Phase on this side.
    contact : str
        Folder of the relaxed cell with both sides. The third axis is the normal.
    hop : str, optional
        Folder of the mobile ion's path from the left to the right side.
    areal_site_density_cm2 : Quantity, optional
        Sites from which the ion hops, per area of the contact.
    """

    kind: Literal["interface"]
    name: Name
    left: ImportedSide
    right: ImportedSide
    contact: str
    hop: str | None = None
    areal_site_density_cm2: ArealSiteDensity | None = None


Imported = Annotated[
    ImportedInsulator | ImportedMetal | ImportedElectrode | ImportedInterface,
    Field(discriminator="kind"),
]


class ImportConfig(_Config):
    """Description of a folder of finished calculations.

    Parameters
    ----------
    mobile_ion : str
        Element symbol of the mobile ion.
    ion_charge : int
        Charge number of the mobile ion.
    phases : list
        Records to make.
    ignore : list of str
        Folders that are not read, subfolders included.
    uncertainties : Uncertainties
        Uncertainties of the calculated numbers.
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
        voltage=_TYPICAL,
        migration_energy=Uncertainty(value_eV=0.1, source="assumed: density functional theory"),
        dielectric_constant=RelativeUncertainty(
            fraction=0.2, source="assumed: density functional perturbation theory"
        ),
        valence_band=Uncertainty(value_eV=0.2, source="assumed: density functional theory"),
        mobile_metal=Uncertainty(value_eV=0.1, source="assumed: density functional theory"),
        interface_dipole=Uncertainty(
            value_eV=0.1, source="assumed: density functional theory, thickness and strain"
        ),
    )

    @model_validator(mode="after")
    def _uncertainties_are_known(self) -> ImportConfig:
        phases = [phase for phase in self.phases if isinstance(phase, ImportedInsulator)]
        hops = [hop for phase in phases for hop in phase.hops.values()]
        needed: dict[str, list[Any]] = {
            "dielectric_constant": [phase.dielectric_constant for phase in phases],
            "migration_energy": [
                *(hop.migration_energy_eV for hop in hops),
                *("calculate" for phase in self.phases if _is_interface(phase) and phase.hop),
            ],
            "voltage": [
                "calculate" for phase in self.phases if isinstance(phase, ImportedElectrode)
            ],
            "interface_dipole": ["calculate" for phase in self.phases if _is_interface(phase)],
        }
        for name, values in needed.items():
            if "calculate" in values and getattr(self.uncertainties, name) is None:
                raise ValueError(f"uncertainties: {name} is calculated and needs one")
        return self


def _is_interface(phase: Imported) -> TypeGuard[ImportedInterface]:
    return isinstance(phase, ImportedInterface)


def load_import(root: Path) -> ImportConfig:
    """Read what a folder is about from its `CONFIG`."""
    path = root / CONFIG
    if not path.is_file():
        raise InputError(
            f"there is no {CONFIG}, which contains what VASP's files do not say",
            where=str(root),
            fix="write mobile_ion and phases (name, kind, formula, facet; for an insulator "
            "dielectric_constant) into it; configs/examples/import.yaml shows every field",
        )
    return validated(ImportConfig, load_yaml(path), where=str(path))
