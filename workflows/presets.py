"""Presets: every setting of every step of a phase's calculations, from YAML."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, TypeAdapter, field_validator, model_validator

from interohm.errors import InputError
from interohm.postprocess.materials import Uncertainties
from interohm.records.shipped import SHIPPED_FOLDER
from interohm.yaml_io import load_yaml, validated

from .resources import Resources
from .step_settings import (
    EnergyCorrections,
    HubbardU,
    MagneticMoments,
    MoleculeStep,
    Positive,
    Relaxation,
    RelaxedStep,
    ScfRetry,
    Step,
    StrictSettings,
    require_uncertainties,
)
from .vasp_presets import Purpose, VaspBandEdges, VaspPreset

SHIPPED_PRESETS = SHIPPED_FOLDER.parent / "presets"


class SlabStep(Step):
    """A slab: its size and its electronic settings.

    Parameters
    ----------
    thickness_A : float
        Least thickness of the slab, which has whole repeat units.
    vacuum_A : float
        Thickness of the vacuum between the slab and its next image.
    """

    thickness_A: Positive
    vacuum_A: Positive

    def engine_settings(self, xc: str, *, periodic_axes: int = 2) -> dict[str, Any]:
        """Return the step as the engine's settings; thickness and vacuum are the structure's."""
        settings = super().engine_settings(xc, periodic_axes=periodic_axes)
        return {k: v for k, v in settings.items() if k not in ("thickness_A", "vacuum_A")}

    def as_cut(self) -> SlabStep | None:
        """Return the step that leaves the atoms where they were cut; None if this one does."""
        return None if self.relaxation is None else self.model_copy(update={"relaxation": None})


class DefectStep(RelaxedStep):
    """Supercells with and without a defect.

    Parameters
    ----------
    min_atoms : int
        Least number of atoms in the supercell.
    """

    min_atoms: Annotated[int, Field(ge=2, le=1000)]

    def engine_settings(self, xc: str, *, periodic_axes: int = 3) -> dict[str, Any]:
        """Return the step as the engine's settings; the number of atoms is the structure's."""
        settings = super().engine_settings(xc, periodic_axes=periodic_axes)
        settings.pop("min_atoms")
        return settings


class EdgesStep(Step):
    """Band edges of the primitive cell, by a functional of its own.

    Parameters
    ----------
    xc : str
        Exchange–correlation functional, in GPAW's notation.
    """

    xc: str


class BandEdges(StrictSettings):
    """Two functionals whose band edges of the relaxed cell are compared.

    The record's band edges move by the difference. Everything else stays with the preset's
    functional, and so do the levels of the defects.

    Parameters
    ----------
    engine : str
        Program that calculates both; it may differ from the preset's.
    reference : EdgesStep
        Settings with the preset's functional, as ``bulk``.
    corrected : EdgesStep
        Settings with a hybrid functional, which has no U.
    """

    engine: Literal["gpaw"]
    reference: EdgesStep
    corrected: EdgesStep


AnyBandEdges: TypeAlias = Annotated[BandEdges | VaspBandEdges, Field(discriminator="engine")]


class HopStep(StrictSettings):
    """Relaxation of a migration path; its electronic settings are those of the defects.

    Parameters
    ----------
    images : int
        Number of images between the ends, odd. One is enough for a path that symmetry maps onto
        itself: its saddle point is in the middle.
    spring_eV_A2 : float
        Spring constant between neighbouring images.
    relaxation : Relaxation
        Relaxation of the whole band.
    """

    images: Annotated[int, Field(ge=1, le=25)]
    spring_eV_A2: Positive
    relaxation: Relaxation

    @field_validator("images")
    @classmethod
    def _has_a_middle(cls, images: int) -> int:
        if images % 2 == 0:
            raise ValueError("give an odd number, so that an image is in the middle")
        return images

    def changes(self) -> dict[str, Any]:
        """Return the engine settings that differ from those of the defects."""
        return {"relaxation": self.relaxation.model_dump(mode="json")}


class Response(StrictSettings):
    """Settings of the dielectric response.

    Parameters
    ----------
    displacement_A : float
        Displacement of an atom, for force constants and Born charges.
    response_cutoff_eV : float
        Plane-wave cutoff of the screened field inside the cell (its local fields).
    """

    displacement_A: Positive
    response_cutoff_eV: Positive


class DielectricStep(Step):
    """The dielectric response of the primitive cell.

    Parameters
    ----------
    response : Response
        Settings of the response.
    """

    response: Response


class InterfaceHopStep(HopStep):
    """Relaxation of the hop across a contact; its electronic settings are the contact's.

    Parameters
    ----------
    thickness_A : float
        Least thickness of each side.
    kpoint_length_A : float
        Density of the k-point mesh: that of the Gamma point of a supercell of this length.
    ends : Relaxation
        Relaxation before and after the hop.
    """

    thickness_A: Positive
    kpoint_length_A: Positive
    ends: Relaxation


class InterfaceStep(StrictSettings):
    """The contact of two slabs.

    Parameters
    ----------
    thickness_A : float
        Least thickness of each side.
    vacuum_A : float
        Thickness of the vacuum beside free slabs, and beyond a contact that has vacuum.
    scan_kpoint_length_A : float
        Density of the k-point mesh for the static energies that find registry and gap: that of the
        Gamma point of a supercell of this length.
    insulators : Step
        Electronic settings where both sides are insulators, and of free slabs of insulators.
    metal : Step
        Electronic settings where one side is a metal, and of free slabs of metals.
    relaxation : Relaxation
        Relaxation of the atoms.
    hop : InterfaceHopStep, optional
        The ion's hop. None: it is not calculated.
    """

    thickness_A: Positive
    vacuum_A: Positive
    scan_kpoint_length_A: Positive
    insulators: Step
    metal: Step
    relaxation: Relaxation
    hop: InterfaceHopStep | None = None

    def settings(self, purpose: Purpose, xc: str, *, metallic: bool, axes: int) -> dict[str, Any]:
        """Return the engine's settings of one of a contact's calculations.

        Parameters
        ----------
        purpose : str
            A ``static`` energy, a ``scan``, the ``relax``-ed contact or slab, the ``ends`` of a hop
            and its ``path``.
        xc : str
            The functional.
        metallic : bool
            Whether a metal takes part.
        axes : int
            2 for a free slab.
        """
        step = self.metal if metallic else self.insulators
        hop = self.hop
        if purpose == "scan":
            step = step.model_copy(update={"kpoint_length_A": self.scan_kpoint_length_A})
        if hop is not None and purpose in ("ends", "path"):
            step = step.model_copy(update={"kpoint_length_A": hop.kpoint_length_A})
            own = hop.ends if purpose == "ends" else hop.relaxation
        else:
            own = self.relaxation
        settings = step.engine_settings(xc, periodic_axes=axes)
        if purpose in ("static", "scan"):
            return settings
        return {**settings, "relaxation": own.model_dump(mode="json")}

    @model_validator(mode="after")
    def _energies_compare(self) -> InterfaceStep:
        if self.insulators.cutoff_eV != self.metal.cutoff_eV:
            raise ValueError(
                "insulators and metal need one cutoff_eV: the work of adhesion is a difference of "
                "their total energies"
            )
        return self


class InsulatorSteps(StrictSettings):
    """The steps of an insulator.

    Parameters
    ----------
    cell : RelaxedStep
        Relaxation of the primitive cell: shape and atoms.
    bulk : Step
        Band edges and total energy of the relaxed cell.
    slab : SlabStep
        Surface, which gives the ionization potential.
    defects : DefectStep
        Supercells with and without a defect.
    dielectric : DielectricStep, optional
        Dielectric constant; required by phases that calculate it.
    hop : HopStep, optional
        Migration path of a vacancy; required by phases that calculate it.
    edges : BandEdges or VaspBandEdges, optional
        Band edges by a better functional. Default: those of ``bulk``.
    """

    cell: RelaxedStep
    bulk: Step
    slab: SlabStep
    defects: DefectStep
    dielectric: DielectricStep | None = None
    hop: HopStep | None = None
    edges: AnyBandEdges | None = None


class MetalSteps(StrictSettings):
    """The steps of a metal.

    Parameters
    ----------
    cell : RelaxedStep
        Relaxation of the primitive cell: shape and atoms.
    bulk : Step
        Total energy of the relaxed cell, also that of the mobile element.
    slab : SlabStep
        Surface, which gives the work function.
    """

    cell: RelaxedStep
    bulk: Step
    slab: SlabStep


class Preset(StrictSettings):
    """All settings of a phase's calculations with GPAW.

    Parameters
    ----------
    name : str
        Name of the preset, which records and provenance carry.
    engine : "gpaw"
        Program that calculates.
    xc : str
        Exchange–correlation functional, in GPAW's notation.
    hubbard_U : HubbardU, optional
        On-site repulsion of every step. Total energies with and without it do not compare.
    magnetic_moments : MagneticMoments, optional
        Initial magnetic moments of every step but ``molecule``, which has its own.
    scf_retries : list of ScfRetry
        Settings that every step tries in turn if the electrons do not converge.
    insulator : InsulatorSteps
        Steps of an insulator.
    metal : MetalSteps
        Steps of a metal.
    electrode : MetalSteps, optional
        Steps of a host that takes up the mobile ion.
    interface : InterfaceStep, optional
        Steps of a contact of two slabs.
    molecule : MoleculeStep, optional
        Step of an element that is a gas or a molecular crystal.
    corrections_per_atom : mapping
        Corrections that are added to energies in phase diagrams, by molecule or formula.
    uncertainties : Uncertainties
        Uncertainties of the calculated numbers.
    resources : mapping
        Resources that jobs request from a cluster, by kind of calculation. Results do not depend
        on them.
    """

    name: Annotated[str, Field(min_length=1)]
    engine: Literal["gpaw"]
    xc: str
    hubbard_U: HubbardU | None = None
    magnetic_moments: MagneticMoments | None = None
    scf_retries: list[ScfRetry] = Field(default_factory=list)
    insulator: InsulatorSteps
    metal: MetalSteps
    electrode: MetalSteps | None = None
    interface: InterfaceStep | None = None
    molecule: MoleculeStep | None = None
    corrections_per_atom: EnergyCorrections = Field(default_factory=dict)
    uncertainties: Uncertainties
    resources: Resources = Field(default_factory=dict, exclude=True)

    @model_validator(mode="before")
    @classmethod
    def _steps_share(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        fields = ("hubbard_U", "magnetic_moments", "scf_retries")
        shared = {field: data[field] for field in fields if field in data}
        given = dict(data)
        for kind in ("insulator", "metal", "electrode"):
            if isinstance(steps := data.get(kind), dict):
                given[kind] = {name: _sharing(step, shared) for name, step in steps.items()}
        if isinstance(steps := data.get("interface"), dict):
            given["interface"] = {
                name: _sharing(step, shared) if name in ("insulators", "metal") else step
                for name, step in steps.items()
            }
        if isinstance(step := data.get("molecule"), dict) and "scf_retries" in shared:
            given["molecule"] = {**step, "scf_retries": shared["scf_retries"]}
        return given

    @model_validator(mode="after")
    def _uncertainties_are_known(self) -> Preset:
        require_uncertainties(
            self.uncertainties,
            voltage=self.electrode,
            migration_energy=self.insulator.hop,
            dielectric_constant=self.insulator.dielectric,
            molecule=self.molecule,
            stability_window=self.molecule,
            interface_dipole=self.interface,
        )
        return self

    @model_validator(mode="after")
    def _energies_compare(self) -> Preset:
        cutoffs = {
            self.insulator.bulk.cutoff_eV,
            self.insulator.defects.cutoff_eV,
            self.metal.bulk.cutoff_eV,
        }
        if self.electrode is not None:
            cutoffs.add(self.electrode.bulk.cutoff_eV)
        if self.molecule is not None:
            cutoffs.add(self.molecule.cutoff_eV)
        if len(cutoffs) > 1:
            raise ValueError(
                "insulator.bulk, insulator.defects, metal.bulk, electrode.bulk and molecule need "
                "one cutoff_eV: their total energies are subtracted from each other"
            )
        return self


def _sharing(step: Any, shared: dict[str, Any]) -> Any:
    """Return a step, or a pair of steps, as YAML gives them, with what all steps share."""
    if not isinstance(step, dict) or step.get("engine") == "vasp":
        return step
    if "cutoff_eV" in step:
        return {**step, **shared}
    without_U = {field: value for field, value in shared.items() if field != "hubbard_U"}
    own = {"reference": shared, "corrected": without_U}
    return step | {name: _sharing(step[name], own[name]) for name in own if name in step}


#: A preset of any engine.
AnyPreset: TypeAlias = Preset | VaspPreset

PRESET: TypeAdapter[AnyPreset] = TypeAdapter(Annotated[AnyPreset, Field(discriminator="engine")])


def load_preset(name: str, *, folder: Path | None = None) -> AnyPreset:
    """Read a shipped preset by its name, or one from a YAML file.

    Parameters
    ----------
    name : str
        As ``quick``, or a path that ends in ``.yaml``, relative to ``folder``. A preset that is
        ``based_on`` another one states its differences alone.
    folder : Path, optional
        Folder of the file that names the preset.

    Raises
    ------
    InputError
        There is no such preset, one of its fields is wrong, or it has the name of a shipped one
        and other settings.
    """
    path = _path(name, folder or Path())
    preset = _read(path)
    shipped = _read(_path(preset.name, Path())) if preset.name in _shipped() else preset
    if preset.model_dump() != shipped.model_dump():
        # Records and provenance know a preset by its name.
        raise InputError(
            f"name: {preset.name} is the shipped preset, and this one has other settings",
            where=str(path),
            fix="give it a different name",
        )
    return preset


def _read(path: Path) -> AnyPreset:
    data = _document(path)
    models: dict[str, type[Any]] = {"gpaw": Preset, "vasp": VaspPreset}
    engine = data.get("engine")
    if not isinstance(engine, str) or engine not in models:
        raise InputError(
            f"engine: there are no presets for {engine!r}",
            where=str(path),
            fix=f"one of {', '.join(models)}",
        )
    found: AnyPreset = validated(models[engine], data, where=str(path))
    return found


def _path(name: str, folder: Path) -> Path:
    if name.endswith((".yaml", ".yml")):
        return folder / name
    if name not in (known := _shipped()):
        raise InputError(
            f"there is no preset {name!r}",
            where="preset",
            fix=f"one of {', '.join(known)}, or the path of a YAML file",
        )
    return SHIPPED_PRESETS / f"{name}.yaml"


def _shipped() -> list[str]:
    return sorted(path.stem for path in SHIPPED_PRESETS.glob("*.yaml"))


def _document(path: Path) -> dict[str, Any]:
    """Return a preset's fields, those of the one that it is based on filled in."""
    data = load_yaml(path)
    if "based_on" not in data:
        return data
    name = data.pop("based_on")
    if not isinstance(name, str):
        raise InputError(
            f"based_on: {name!r} is not a preset",
            where=str(path),
            fix="give a preset's name, such as production, or the path of a YAML file",
        )
    if "name" not in data:
        raise InputError(
            f"name: missing field; with the name of {name}, the two could not be distinguished",
            where=str(path),
            fix="give it a different name",
        )
    source = _path(name, path.parent)
    base = load_yaml(source)
    if path.samefile(source):
        raise InputError(
            "based_on: the preset is based on itself",
            where=str(path),
            fix="name another one, such as production",
        )
    if "based_on" in base:
        raise InputError(
            f"based_on: {name} is itself based on another preset",
            where=str(path),
            fix=f"base it on {base['based_on']} and repeat the changes",
        )
    if data.get("xc", base.get("xc")) != base.get("xc"):
        # Fitted to, or estimated for, the functional of the base.
        own = [field for field in ("corrections_per_atom", "uncertainties") if base.pop(field, {})]
        if missing := [field for field in own if field not in data]:
            raise InputError(
                f"{' and '.join(missing)}: those of {name} are of the functional {base.get('xc')}",
                where=str(path),
                fix=f"state them for {data['xc']}; `corrections_per_atom: {{}}` for none",
            )
    return _changed(base, data)


def _changed(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return nested mappings with some of their values replaced."""
    both = {key for key, value in changes.items() if isinstance(value, dict)} & {
        key for key, value in base.items() if isinstance(value, dict)
    }
    return {**base, **changes, **{key: _changed(base[key], changes[key]) for key in both}}
