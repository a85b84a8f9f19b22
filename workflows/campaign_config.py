"""Campaigns: phases, engine and presets, read from YAML."""

from __future__ import annotations

import json
import lzma
import os
import re
import zlib
from collections import Counter, OrderedDict
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pymatgen.core import Structure

from interohm.errors import InputError
from interohm.postprocess.band_edge_shift import BandEdgeShift
from interohm.postprocess.materials import SATURATION
from interohm.records import (
    ION_CHARGES,
    BarrierEnergy,
    Charge,
    DielectricConstant,
    Fraction,
    Frequency,
    HopDistance,
    Number,
    Quantity,
    RecordName,
    Voltage,
    WorkFunction,
)
from interohm.records.shipped import SHIPPED_FOLDER
from interohm.safe_documents import refuse_foreign_code
from interohm.slab_builders.structure_files import StructureFile, read_structure
from interohm.unpacking import PACKINGS, unpacked
from interohm.yaml_io import load_yaml, parse_yaml, validated

from .materials_project import structure_by_id
from .presets import AnyPreset, load_preset
from .resources import Resources
from .structure_lists import StructureList, listed_structures

SHIPPED_STRUCTURES = SHIPPED_FOLDER.parent / "structures"

Name = RecordName

#: Structures that a campaign keeps in memory, those that phases share among them.
_STRUCTURES_KEPT = 256

_LARGEST_STRUCTURE_BYTES = 64 * 2**20
Facet = tuple[int, int, int]
OxidationStates = dict[
    Annotated[str, Field(pattern=r"^[A-Z][a-z]?$")], Annotated[Number, Field(ge=-8, le=9)]
]


class _Config(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class HopConfig(_Config):
    """Hop of the mobile ion by a defect; from literature, with its source.

    Parameters
    ----------
    migration_energy_eV : Quantity or ``calculate``
        Barrier of the hop. ``calculate`` relaxes the path of a vacancy to its nearest equivalent
        site, whose distance is then the length of the hop.
    attempt_frequency_Hz : Quantity
        Attempt frequency of the hop.
    hop_distance_nm : Quantity, optional
        Length of the hop; omit it where the path is calculated.
    """

    migration_energy_eV: BarrierEnergy | Literal["calculate"]
    attempt_frequency_Hz: Frequency
    hop_distance_nm: HopDistance | None = None

    @model_validator(mode="after")
    def _has_a_distance(self) -> HopConfig:
        if (self.hop_distance_nm is None) != (self.migration_energy_eV == "calculate"):
            raise ValueError(
                "give hop_distance_nm with a migration energy from literature, and leave it out "
                "where the path is calculated"
            )
        return self


class FacetSurvey(_Config):
    """All symmetric terminations of all facets, instead of one facet.

    Parameters
    ----------
    max_index : int
        Highest Miller index, in the conventional cell.
    level : str
        Level that the record has: that of the ``stable`` surface, which has the lowest energy, or
        the mean over the area of the ``wulff`` shape.
    """

    max_index: Annotated[int, Field(ge=1, le=3)]
    level: Literal["stable", "wulff"] = "stable"


class SlabConvergence(_Config):
    """Grow the slab, then the vacuum, until the level converges.

    Parameters
    ----------
    level_meV : float
        A level that moves by less than this has converged.
    max_slabs : int
        Largest number of slabs of one surface. If the level has not converged by then, the
        uncertainty includes the last step.
    """

    level_meV: Annotated[Number, Field(gt=0, le=1000)]
    max_slabs: Annotated[int, Field(ge=3, le=12)] = 6


class DopantConfig(_Config):
    """A dopant: an element that replaces one of the crystal's.

    Parameters
    ----------
    element : str
        Element symbol of the dopant.
    replaces : str
        Element symbol of the element that it replaces.
    charge : int, optional
        Charge of the defect. Default: the difference of the elements' usual oxidation states.
    """

    element: Annotated[str, Field(pattern=r"^[A-Z][a-z]?$")]
    replaces: Annotated[str, Field(pattern=r"^[A-Z][a-z]?$")]
    charge: Charge | None = None


class _Phase(_Config):
    """The fields that all phases have.

    Parameters
    ----------
    name : str
        Name of the record.
    structure : str
        CIF or POSCAR, relative to the campaign's file; the name of a shipped structure; or a
        Materials Project id.
    facet : tuple of int
        Miller indices in the conventional cell.
    preset : str, optional
        Preset for this phase. Default: that of the campaign.
    """

    name: Name
    structure: Annotated[str, Field(min_length=1)]
    facet: Facet
    preset: str | None = None

    @field_validator("facet")
    @classmethod
    def _is_a_plane(cls, facet: Facet | FacetSurvey | None) -> Facet | FacetSurvey | None:
        if facet is None or isinstance(facet, FacetSurvey):
            return facet
        if not any(facet):
            raise ValueError("[0, 0, 0] is not a plane; give Miller indices such as [0, 0, 1]")
        if max(abs(index) for index in facet) > 9:
            raise ValueError("a Miller index above 9 makes no sensible slab")
        return facet


class _SurveyedPhase(_Phase):
    """The fields that insulators and metals have.

    Parameters
    ----------
    facet : tuple of int or FacetSurvey
        Miller indices in the conventional cell, or the highest index of a survey of all facets.
    slab_convergence : SlabConvergence, optional
        Convergence of the slab. Default: one slab of the preset's size.
    """

    facet: Facet | FacetSurvey  # type: ignore[assignment]
    slab_convergence: SlabConvergence | None = None


class InsulatorPhase(_SurveyedPhase):
    """An insulator of the campaign.

    Parameters
    ----------
    kind : "insulator"
        Marks the phase as an insulator.
    dielectric_constant : Quantity or ``calculate``
        Static dielectric constant, also used in the finite-size correction of defects.
    saturation : Quantity
        Largest fraction of a sublattice that its defects can occupy, as in the record.
    stability_window_V : (Quantity, Quantity), optional
        Reduction and oxidation limit, as in the record. Default: from the phase diagram, if the
        campaign has one.
    hops : mapping
        Hops of the mobile ion, by the defect's name.
    interstitial_sites : list
        Sites to try in addition to the crystal's Voronoi voids; fractional coordinates in the
        conventional cell.
    equilibrium_with : list of str
        Structures of compounds in equilibrium with this one. They tie the chemical potentials of
        dopants, and of the elements of a ternary compound, to that of the mobile ion.
    charges : (int, int), optional
        Lowest and highest charge in which every defect is calculated, in addition to its ionic
        charge.
    antisites : bool
        Whether antisite defects are calculated.
    dopants : list
        Dopants to calculate.
    second_supercell_min_atoms : int, optional
        Least number of atoms of a second supercell, in which the most stable site of each defect
        is calculated again. The record has this energy; the difference enters the uncertainty.
    band_edge_shift : BandEdgeShift, optional
        Shift of the band edges from literature, instead of one that the preset calculates.
    oxidation_states : mapping of str to float, optional
        Oxidation states by element, where they are not the usual ones and cannot be derived from a
        molecular ion. They decide which slabs are neutral, and the charges of defects.
    """

    kind: Literal["insulator"] = "insulator"
    dielectric_constant: Literal["calculate"] | DielectricConstant
    saturation: Fraction = SATURATION
    stability_window_V: tuple[Voltage, Voltage] | None = None
    hops: dict[str, HopConfig] = Field(default_factory=dict)
    interstitial_sites: list[tuple[Number, Number, Number]] = Field(default_factory=list)
    equilibrium_with: list[str] = Field(default_factory=list)
    charges: tuple[Charge, Charge] | None = None
    antisites: bool = False
    dopants: list[DopantConfig] = Field(default_factory=list)
    second_supercell_min_atoms: Annotated[int, Field(ge=2, le=1000)] | None = None
    band_edge_shift: BandEdgeShift | None = None
    oxidation_states: OxidationStates | None = None

    @field_validator("charges")
    @classmethod
    def _is_a_window(cls, charges: tuple[int, int] | None) -> tuple[int, int] | None:
        if charges is not None and charges[0] > charges[1]:
            raise ValueError(f"write the lower charge first: [{charges[1]}, {charges[0]}]")
        return charges


class MetalPhase(_SurveyedPhase):
    """A metal of the campaign, at one ion content.

    Parameters
    ----------
    kind : "metal"
        Marks the phase as a metal.
    ion_content : float
        Mobile ions per formula unit.
    voltage_V : Quantity
        Equilibrium potential against the mobile metal; 0 for that metal itself.
    """

    kind: Literal["metal"] = "metal"
    ion_content: Annotated[Number, Field(ge=0, le=100)] = 1.0
    voltage_V: Voltage = Quantity(value=0.0, source="the metal itself", method="definition")


class ElectrodeStateConfig(_Config):
    """One ion content of an electrode.

    Parameters
    ----------
    ion_content : float
        Mobile ions per formula unit of the host.
    work_function_eV : Quantity, optional
        Work function. Default: it is calculated.
    """

    ion_content: Annotated[Number, Field(ge=0, le=100)]
    work_function_eV: WorkFunction | None = None


class ElectrodePhase(_Phase):
    """An electrode of the campaign along its state of charge.

    Parameters
    ----------
    kind : "electrode"
        Marks the phase as an electrode with several ion contents.
    structure : str
        Structure with all of its mobile ions: CIF, POSCAR, shipped name or Materials Project id.
    states : list
        Ion contents to calculate, per formula unit of the host (the structure without its mobile
        ions).
    most_units : int
        Largest number of formula units in a cell in which vacancies are ordered.
    most_orders : int
        Number of vacancy orderings calculated at each ion content, starting with the lowest
        electrostatic energy. The record has the ordering with the lowest calculated energy.
    facet : tuple of int, optional
        Miller indices of the surface whose work functions are calculated.
    surface : str, optional
        Surface to which given work functions belong.
    """

    kind: Literal["electrode"] = "electrode"
    facet: Facet | None = None  # type: ignore[assignment]
    surface: str | None = None
    most_units: Annotated[int, Field(ge=1, le=8)] = 2
    most_orders: Annotated[int, Field(ge=1, le=20)] = 3
    states: Annotated[list[ElectrodeStateConfig], Field(min_length=2, max_length=50)]

    @model_validator(mode="after")
    def _states_are_whole(self) -> ElectrodePhase:
        contents = [state.ion_content for state in self.states]
        if len(set(contents)) < len(contents):
            raise ValueError("states: an ion content appears twice; give each its own")
        if self.facet is None and any(state.work_function_eV is None for state in self.states):
            raise ValueError(
                "states: give facet, whose work functions are calculated, or work_function_eV at "
                "every ion content"
            )
        return self


class InterfaceSide(_Config):
    """One side of an interface.

    Parameters
    ----------
    record : str
        Name of the record of this side's phase.
    kind : str
        Whether that record describes an insulator or a metal.
    structure : str
        CIF, POSCAR, shipped name or Materials Project id, as for a phase.
    facet : tuple of int
        Miller indices in the conventional cell.
    oxidation_states : mapping of str to float, optional
        Oxidation states of an insulator by element, as for a phase.
    """

    record: Name
    kind: Literal["insulator", "metal"]
    structure: Annotated[str, Field(min_length=1)]
    facet: Facet
    oxidation_states: OxidationStates | None = None

    @field_validator("facet")
    @classmethod
    def _is_a_plane(cls, facet: Facet) -> Facet:
        if not any(facet):
            raise ValueError("[0, 0, 0] is not a plane; give Miller indices such as [0, 0, 1]")
        return facet


class InterfaceHop(_Config):
    """The hop of the mobile ion across an interface.

    Parameters
    ----------
    lateral_A : float
        Least distance between the vacancies of neighbouring cells.
    other_lateral_A : float, optional
        The same distance for a second calculation in a cell of another width. The difference
        enters the barrier's uncertainty; with a control it is only shown.
    control : str, optional
        Name of an interface of one crystal with itself, whose hop is calculated in an equally wide
        cell. Its barrier minus that of the bulk is the error of the cell, which is subtracted from
        this barrier; half of it enters the uncertainty.
    """

    lateral_A: Annotated[Number, Field(gt=0, le=30)] = 4.0
    other_lateral_A: Annotated[Number, Field(gt=0, le=30)] | None = None
    control: Name | None = None


class InterfacePhase(_Config):
    """The contact of two surfaces, joined in one cell.

    Parameters
    ----------
    kind : "interface"
        Marks the phase as an interface.
    name : str
        Name of the interface in the database.
    left, right : InterfaceSide
        Phase on this side. An electrode belongs on the left.
    strained : str, optional
        Side that is strained. Default: the metal. Between two metals or two insulators it must be
        given.
    max_strain : float
        Largest strain in the plane of the contact.
    max_atoms : int
        Largest number of atoms, both sides together.
    max_matches : int
        Number of common cells that the plan lists.
    registries : int
        Number of lateral shifts along each vector of the cell.
    hop : InterfaceHop, optional
        Hop of the mobile ion across the interface. None: no barrier is calculated.
    preset : str, optional
        Preset for this interface. Default: that of the campaign.
    """

    kind: Literal["interface"] = "interface"
    name: Name
    left: InterfaceSide
    right: InterfaceSide
    strained: Literal["left", "right"] = Field(default=None, validate_default=True)
    max_strain: Annotated[Number, Field(gt=0, le=0.2)] = 0.06
    max_atoms: Annotated[int, Field(ge=2, le=1000)] = 100
    max_matches: Annotated[int, Field(ge=1, le=100)] = 5
    registries: Annotated[int, Field(ge=1, le=4)] = 2
    hop: InterfaceHop | None = None
    preset: str | None = None

    @field_validator("strained", mode="before")
    @classmethod
    def _the_metal_gives_way(cls, strained: object, info: ValidationInfo) -> object:
        if strained is not None:
            return strained
        sides = [info.data.get(side) for side in ("left", "right")]
        metals = [side is not None and side.kind == "metal" for side in sides]
        if sum(metals) != 1:
            raise ValueError(
                "name the side that is strained, left or right: the softer one; of a metal and an "
                "insulator it is the metal"
            )
        return "left" if metals[0] else "right"


Phase = Annotated[
    InsulatorPhase | MetalPhase | ElectrodePhase | InterfacePhase, Field(discriminator="kind")
]


class PhaseDiagramConfig(_Config):
    """The phase diagram from which stability windows follow where a phase gives none.

    Parameters
    ----------
    entries : str
        Source of the energies: ``calculations``, those of this campaign and those of the database
        with the same settings; ``materials_project``, which needs a key; or a JSON file of entries.
    competing : list of str
        Structures to calculate in addition to the phases', elements included.
    molecules : list of str
        Elements that are gases or molecular crystals: shipped molecules by name, such as ``F2``,
        or XYZ files. Each is calculated in a box, if a phase contains its element.
    """

    entries: Annotated[str, Field(min_length=1)]
    competing: list[str] = Field(default_factory=list)
    molecules: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def _what_competes_is_calculated(self) -> PhaseDiagramConfig:
        for field in ("competing", "molecules"):
            if getattr(self, field) and self.entries != "calculations":
                raise ValueError(
                    f"{field}: phases are calculated for `entries: calculations` only; leave them "
                    "out"
                )
        return self


class _Files(NamedTuple):
    """Presets and structures that were read for a campaign, by folder and name."""

    presets: dict[tuple[Path, str], AnyPreset]
    structures: OrderedDict[tuple[Path, str], StructureFile]


class CampaignConfig(_Config):
    """A campaign.

    Parameters
    ----------
    name : str
        Name of the campaign.
    engine : str
        Program that calculates: ``gpaw`` or ``vasp``.
    preset : str
        Name of a shipped preset, or a YAML file.
    mobile_ion : str
        Element symbol of the mobile ion.
    ion_charge : int
        Charge number of the mobile ion. Default: the usual one.
    metal_structure : str
        Structure of the mobile element's metal, whose energy per atom is mu = 0.
    phase_diagram : PhaseDiagramConfig, optional
        Phase diagram for the stability windows of phases that give none.
    structures : str or mapping, optional
        Structures that become phases by the template: JSON lines or a table (CSV, JSON, parquet)
        of names and structures, a folder of CIFs, or a query of the Materials Project or of an
        OPTIMADE provider.
    template : mapping, optional
        Fields of those phases, all but name and structure.
    phases : list
        Phases to calculate. Optional if there are `structures`.
    resources : mapping, optional
        Resources that jobs request from a cluster, by kind of calculation, in addition to those of
        the preset. Results do not depend on them.
    """

    name: Name
    engine: str = "gpaw"
    preset: str = "quick"
    mobile_ion: Annotated[str, Field(pattern=r"^[A-Z][a-z]?$")] = "Li"
    ion_charge: Annotated[Charge, Field(ge=1)] = Field(default=None, validate_default=True)
    metal_structure: Annotated[str, Field(min_length=1)]
    phase_diagram: PhaseDiagramConfig | None = None
    # Excluded from what identifies a campaign: the phases that they make stand for them.
    structures: StructureList | None = Field(default=None, exclude=True)
    template: dict[str, Any] | None = Field(default=None, exclude=True)
    phases: Annotated[list[Phase], Field(default_factory=list, max_length=100_000)]
    resources: Resources = Field(default_factory=dict, exclude=True)

    #: Structures of a list by their sources, as JSON.
    _listed: dict[str, str] = PrivateAttr(default_factory=dict)
    _folder: Path = PrivateAttr(default=Path())
    _read: _Files = PrivateAttr(default_factory=lambda: _Files({}, OrderedDict()))

    @field_validator("ion_charge", mode="before")
    @classmethod
    def _usual_charge(cls, charge: object, info: object) -> object:
        if charge is not None:
            return charge
        known = ION_CHARGES.get(info.data.get("mobile_ion", ""))  # type: ignore[attr-defined]
        if known is None:
            raise ValueError("give the charge number of the mobile ion, 1 for Li")
        return known

    @field_validator("phases", mode="before")
    @classmethod
    def _without_value(cls, phases: object) -> object:
        return [] if phases is None else phases  # all of its entries are comments

    @model_validator(mode="after")
    def _has_phases(self) -> CampaignConfig:
        if (self.structures is None) != (self.template is None):
            raise ValueError(
                "structures, template: give both, the list and the fields that its phases share"
            )
        if not self.phases and self.structures is None:
            raise ValueError(
                "phases: there is nothing to calculate; give at least one phase, or `structures` "
                "with a `template` (in a file that --next wrote, phases without a crystal are "
                "comments at its end: name the crystal and remove the leading #)"
            )
        return self

    @model_validator(mode="after")
    def _names_differ(self) -> CampaignConfig:
        for name, count in Counter(phase.name for phase in self.phases).items():
            if count > 1:
                raise ValueError(f"phases: the name {name!r} appears twice; give each its own")
        return self

    @property
    def folder(self) -> Path:
        """Folder of the campaign's file; structures and presets are relative to it."""
        return self._folder

    def listed(self, source: str) -> str | None:
        """Return the structure that a source means in the campaign's list, as JSON."""
        return self._listed.get(source)

    def in_folder(self, folder: Path) -> CampaignConfig:
        """Return it with the folder that its paths are relative to."""
        copied = self.model_copy()
        copied._folder = folder
        return copied

    def alone(self, phase: Phase) -> CampaignConfig:
        """Return the campaign with one of its phases; what was read for it is shared."""
        return self.model_copy(update={"phases": [phase]})

    def preset_of(self, phase: Phase) -> AnyPreset:
        """Return a phase's preset, read once.

        Raises
        ------
        InputError
            There is no such preset, or one of its fields is wrong.
        """
        key = self.folder, phase.preset or self.preset
        if key not in self._read.presets:
            preset = load_preset(key[1], folder=self.folder)
            both = {**preset.resources, **self.resources}
            self._read.presets[key] = preset.model_copy(update={"resources": both})
        return self._read.presets[key]

    def structure_file(self, source: str, *, where: str) -> StructureFile:
        """Return a structure as `load_structure_file` does; the last ones are read once."""
        known, key = self._read.structures, (self.folder, source)
        if key not in known:
            if (listed := self._listed.get(source)) is not None:
                known[key] = StructureFile(Structure.from_dict(json.loads(listed)))
            else:
                known[key] = load_structure_file(source, self.folder, where=where)
            if len(known) > _STRUCTURES_KEPT:
                known.popitem(last=False)
        known.move_to_end(key)
        return known[key]

    def structure(self, source: str, *, where: str) -> Structure:
        """Return a structure as `load_structure` does; the last ones are read once."""
        return self.structure_file(source, where=where).structure


def load_campaign(path: str | Path) -> CampaignConfig:
    """Read a campaign from YAML.

    Raises
    ------
    InputError
        With file, field and fix.
    """
    data, folder = load_yaml(path), Path(path).parent
    config = validated(CampaignConfig, data, where=str(path))
    if config.structures is not None:
        assert config.template is not None  # see CampaignConfig
        listed = list(listed_structures(config.structures, folder, where=f"{path}: structures"))
        made = [{**config.template, "name": one.name, "structure": one.source} for one in listed]
        whole = {**data, "phases": [*(data.get("phases") or []), *made]}
        config = validated(CampaignConfig, whole, where=str(path))
        config._listed = {one.source: one.content for one in listed if one.content is not None}
    return config.in_folder(folder)


def _check_file(path: Path, *, where: str) -> None:
    """Refuse a structure's file that unfolds without end, or that names code to be imported.

    pymatgen reads JSON and YAML by names of classes, and compressed files of any kind.
    """
    if path.stat().st_size > _LARGEST_STRUCTURE_BYTES:
        raise InputError(
            f"{path} is larger than 64 MiB", where=where, fix="give CIF or POSCAR of one crystal"
        )
    packing = path.suffix.lower()
    try:
        content = path.read_bytes()
        if packing in PACKINGS:
            content = unpacked(content, packing, where=where)
    except InputError:
        raise
    except (OSError, EOFError, ValueError, lzma.LZMAError, zlib.error):
        return  # damaged: pymatgen says how
    if re.search(r"\.(json|mson|ya?ml)", path.name, re.IGNORECASE):
        text = content.decode("utf-8", errors="replace")
        refuse_foreign_code(parse_yaml(text, where=str(path)), where=str(path))


def load_structure(source: str, folder: Path, *, where: str) -> Structure:
    """Read a crystal structure: a file, a shipped one's name, or an id of the Materials Project.

    A data block of a CIF is chosen by ``FILE#block``.

    Raises
    ------
    InputError
        No such file or id, a file that cannot be used, or no key for the Materials Project.
    """
    return load_structure_file(source, folder, where=where).structure


def structure_path(source: str, folder: Path) -> tuple[Path, str | None]:
    """Return the file that a source means, and the data block in it; it may not exist."""
    path, block = folder / source, None
    if not os.path.isfile(path) and "#" in source:
        name, _, block = source.rpartition("#")
        path = folder / name
    if not os.path.isfile(path) and source.isalnum():
        path = SHIPPED_STRUCTURES / f"{source}.cif"
    return path, block


def load_structure_file(source: str, folder: Path, *, where: str) -> StructureFile:
    """Return a structure as `load_structure` does, with what was mended while it was read."""
    if source.startswith("mp-"):
        return StructureFile(structure_by_id(source, where=where))
    path, block = structure_path(source, folder)
    if not os.path.isfile(path):
        raise InputError(
            f"there is no structure file {path}",
            where=where,
            fix="give a CIF or POSCAR, relative to the campaign's file, a shipped structure's name "
            "such as Li2O, or an id such as mp-1138",
        )
    _check_file(path, where=where)
    return read_structure(path, block, where=where)
