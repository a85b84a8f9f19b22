"""Presets of the engine vasp: an input set of atomate2's and what a step changes in it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from interohm.postprocess.materials import Uncertainties
from interohm.records import Number

from .engines.vasp_inputs import INPUT_SETS, Functional, InputSet
from .engines.vasp_kpoints import checked_rule, known_rule
from .resources import Resources
from .step_settings import EnergyCorrections, Positive, require_uncertainties

#: What a contact's calculation is for; see `InterfaceStep.settings`.
Purpose = Literal["static", "scan", "relax", "ends", "path"]


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)


class Potcars(_Settings):
    """PAW data sets; elements that are not named have those of atomate2's base set.

    Parameters
    ----------
    functional : str
        Library of data sets, by pymatgen's name.
    symbols : mapping of str to str
        Data set by element: ``Li: Li_sv``.
    """

    functional: Literal["PBE_54", "PBE_64"]
    symbols: dict[str, str]


class VaspStep(_Settings):
    """Settings of one step.

    Parameters
    ----------
    input_set : str
        Input set generator of atomate2 that makes INCAR.
    cutoff_eV : float
        Plane-wave cutoff (ENCUT).
    kpoint_length_A : float, optional
        Density of the Gamma-centred k-point mesh: that of the Gamma point of a supercell of this
        length. ``user_kpoints_settings``, atomate2's name, is accepted, too.
    kpoints : mapping, optional
        Other settings of atomate2's ``user_kpoints_settings``, instead of ``kpoint_length_A``: a
        rule of pymatgen's input sets, a mesh with its shift, or a list of points.
    incar : mapping
        INCAR tags to add or to change; null removes a tag. ``user_incar_settings``, atomate2's
        name, is accepted, too.
    potcars : Potcars
        PAW data set of each element.
    maker : str, optional
        Maker of atomate2 or your own: ``atomate2.vasp.jobs.core.StaticMaker``. Settings of its
        input set apply before ``incar``; its k-point mesh is ignored.
    """

    input_set: InputSet
    cutoff_eV: Positive
    kpoint_length_A: Positive | None = None
    kpoints: dict[str, Any] | None = None
    incar: dict[str, bool | int | float | str | list[float] | None]
    potcars: Potcars
    maker: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _take_powerups(cls, data: Any) -> Any:
        """Take atomate2's names for what its powerups change."""
        if not isinstance(data, dict):
            return data
        given = dict(data)
        tags = given.pop("user_incar_settings", None)
        if tags is not None:
            if not isinstance(tags, dict):
                raise ValueError("user_incar_settings: give tags and their values")
            given["incar"] = {**(given.get("incar") or {}), **tags}
        mesh = given.pop("user_kpoints_settings", None)
        if mesh is not None:
            for name in ("kpoint_length_A", "kpoints"):
                given.pop(name, None)
            given |= checked_rule(mesh)
        elif isinstance(rule := given.get("kpoints"), dict):
            given["kpoints"] = known_rule(rule)
        return given

    @model_validator(mode="after")
    def _has_one_mesh(self) -> VaspStep:
        if (self.kpoint_length_A is None) == (self.kpoints is None):
            raise ValueError("give kpoint_length_A or user_kpoints_settings")
        for tag in ("KSPACING", "KGAMMA"):
            if self.incar.get(tag) is not None:
                raise ValueError(
                    f"incar: VASP ignores {tag} if there is a KPOINTS file, which every step has; "
                    "give kpoint_length_A, which is 2π/KSPACING"
                )
        return self

    @property
    def relaxation(self) -> str | None:
        """Input set if it relaxes the atoms, None if it leaves them where they are."""
        return None if INPUT_SETS[self.input_set].kind == "static" else self.input_set

    def engine_settings(self, xc: str, *, periodic_axes: int = 3) -> dict[str, Any]:
        """Return the step as the engine's settings, the functional included."""
        settings = self.model_dump(mode="json", exclude={"thickness_A", "vacuum_A", "min_atoms"})
        for optional in ("maker", "kpoint_length_A", "kpoints"):
            if settings[optional] is None:
                del settings[optional]
        return {"xc": xc, "periodic_axes": periodic_axes, **settings}


class VaspSlabStep(VaspStep):
    """A slab: its size and its settings.

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
        return super().engine_settings(xc, periodic_axes=periodic_axes)

    def as_cut(self) -> None:
        """Return no step: an input set that relaxes says nothing of one that does not."""
        return

    @model_validator(mode="after")
    def _writes_the_potential(self) -> VaspSlabStep:
        if self.incar.get("LVHAR") is not True:
            raise ValueError("incar: a slab needs LVHAR: true, which writes its potential")
        return self


class ShakeNBreak(_Settings):
    """The relaxations with which ShakeNBreak seeks a defect's structure; the lowest one counts.

    A defect whose ions all have their formal charges has no bonds to distort: it is rattled, once.

    Parameters
    ----------
    bond_distortions : list of float
        Relative changes of the bonds around a defect with missing or extra electrons, each the
        start of one relaxation: −0.4 shortens them to 0.6 of their length.
    """

    bond_distortions: Annotated[
        list[Annotated[Number, Field(ge=-0.6, le=0.6)]], Field(min_length=1, max_length=25)
    ]

    @model_validator(mode="after")
    def _each_once(self) -> ShakeNBreak:
        if len(set(self.bond_distortions)) < len(self.bond_distortions):
            raise ValueError("bond_distortions: one of them appears twice")
        return self


class VaspDefectStep(VaspStep):
    """Supercells with and without a defect.

    Parameters
    ----------
    min_atoms : int
        Least number of atoms in the supercell.
    displacement_A : float, optional
        Initial displacement of each atom of a defect's supercell in a random but reproducible
        direction, which lets the relaxation break the symmetry.
    shakenbreak : ShakeNBreak, optional
        Initial structures by ShakeNBreak instead, which must be installed.
    """

    min_atoms: Annotated[int, Field(ge=2, le=1000)]
    displacement_A: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    shakenbreak: ShakeNBreak | None = None

    def engine_settings(self, xc: str, *, periodic_axes: int = 3) -> dict[str, Any]:
        """Return the step as the engine's settings; what is each defect's own comes to them."""
        settings = super().engine_settings(xc, periodic_axes=periodic_axes)
        if settings.pop("shakenbreak") is not None:
            settings["displacement_A"] = 0.0
        return settings


class VaspMoleculeStep(VaspStep):
    """A molecule alone in a box.

    Parameters
    ----------
    vacuum_A : float
        Distance to the next image along each axis.
    """

    vacuum_A: Positive


class VaspEdgesStep(VaspStep):
    """Band edges of the primitive cell, by a functional of its own.

    Parameters
    ----------
    xc : str
        Exchange–correlation functional.
    """

    xc: Functional

    @model_validator(mode="after")
    def _is_static(self) -> VaspEdgesStep:
        if self.relaxation is not None:
            raise ValueError("input_set: band edges need one that leaves the atoms, as hse_static")
        return self


class VaspBandEdges(_Settings):
    """Two functionals whose band edges of the relaxed cell are compared.

    The record's band edges move by the difference. Everything else stays with the preset's
    functional, and so do the levels of the defects.

    Parameters
    ----------
    engine : "vasp"
        Program that calculates both; it may differ from the preset's.
    reference : VaspEdgesStep
        Settings with the preset's functional, as ``bulk``.
    corrected : VaspEdgesStep
        Settings with a hybrid functional.
    """

    engine: Literal["vasp"]
    reference: VaspEdgesStep
    corrected: VaspEdgesStep


class VaspHopStep(_Settings):
    """Relaxation of a migration path; all else is as in the step of the defects.

    Parameters
    ----------
    images : int
        Number of images between the ends.
    spring_eV_A2 : float
        Spring constant between neighbouring images.
    incar : mapping
        INCAR tags to add to those of atomate2's input set for paths, or to change.
    """

    images: Annotated[int, Field(ge=1, le=25)]
    spring_eV_A2: Positive
    incar: dict[str, bool | int | float | str | list[float] | None]

    def changes(self) -> dict[str, Any]:
        """Return the engine settings that differ from those of the defects."""
        return {"input_set": "neb", "incar": self.incar}


class VaspContact(_Settings):
    """A contact, or a free slab beside it.

    Parameters
    ----------
    static : VaspStep
        Settings of the static energy.
    relax : VaspStep
        Settings of the relaxation of the atoms.
    """

    static: VaspStep
    relax: VaspStep

    @model_validator(mode="after")
    def _writes_the_potential(self) -> VaspContact:
        for step in (self.static, self.relax):
            if step.incar.get("LVHAR") is not True:
                raise ValueError("incar: a contact needs LVHAR: true, which writes its potential")
        if self.static.relaxation is not None or self.relax.relaxation is None:
            raise ValueError("input_set: `static` leaves the atoms, `relax` moves them")
        return self


class VaspInterfaceHopStep(VaspHopStep):
    """The hop across a contact.

    Parameters
    ----------
    thickness_A : float
        Least thickness of each side.
    kpoint_length_A : float
        Density of the k-point mesh: that of the Gamma point of a supercell of this length.
    """

    thickness_A: Positive
    kpoint_length_A: Positive


class VaspInterfaceStep(_Settings):
    """The contact of two slabs, as `InterfaceStep` of GPAW's presets.

    Parameters
    ----------
    thickness_A : float
        Least thickness of each side.
    vacuum_A : float
        Thickness of the vacuum beside free slabs, and beyond a contact that has vacuum.
    scan_kpoint_length_A : float
        Density of the k-point mesh for the static energies that find registry and gap: that of the
        Gamma point of a supercell of this length.
    insulators : VaspContact
        Settings where both sides are insulators, and of free slabs of insulators.
    metal : VaspContact
        Settings where one side is a metal, and of free slabs of metals.
    hop : VaspInterfaceHopStep, optional
        The ion's hop. None: it is not calculated.
    """

    thickness_A: Positive
    vacuum_A: Positive
    scan_kpoint_length_A: Positive
    insulators: VaspContact
    metal: VaspContact
    hop: VaspInterfaceHopStep | None = None

    def settings(self, purpose: Purpose, xc: str, *, metallic: bool, axes: int) -> dict[str, Any]:
        """Return the engine's settings of one of a contact's calculations."""
        steps = self.metal if metallic else self.insulators
        step = steps.static if purpose in ("static", "scan") else steps.relax
        settings = step.engine_settings(xc, periodic_axes=axes)
        if purpose in ("scan", "ends", "path"):
            settings.pop("kpoints", None)
        if purpose == "scan":
            settings["kpoint_length_A"] = self.scan_kpoint_length_A
        if self.hop is not None and purpose in ("ends", "path"):
            settings["kpoint_length_A"] = self.hop.kpoint_length_A
            if purpose == "path":
                settings |= self.hop.changes()
        return settings

    @model_validator(mode="after")
    def _energies_compare(self) -> VaspInterfaceStep:
        steps = [
            step for kind in (self.insulators, self.metal) for step in (kind.static, kind.relax)
        ]
        if len({step.cutoff_eV for step in steps}) > 1 or len({str(s.potcars) for s in steps}) > 1:
            raise ValueError(
                "insulators and metal need one cutoff_eV and the same potcars: the work of "
                "adhesion is a difference of their total energies"
            )
        return self


class VaspInsulatorSteps(_Settings):
    """The steps of an insulator.

    Parameters
    ----------
    cell : VaspStep
        Relaxation of the primitive cell: shape and atoms.
    bulk : VaspStep
        Band edges and total energy of the relaxed cell.
    slab : VaspSlabStep
        Surface, which gives the ionization potential.
    defects : VaspDefectStep
        Supercells with and without a defect.
    edges : VaspBandEdges, optional
        Band edges by a better functional. Default: those of ``bulk``.
    dielectric : VaspStep, optional
        Dielectric constant of the primitive cell by density functional perturbation theory;
        required by phases that calculate it.
    hop : VaspHopStep, optional
        Migration path of a vacancy; required by phases that calculate it.
    """

    cell: VaspStep
    bulk: VaspStep
    slab: VaspSlabStep
    defects: VaspDefectStep
    edges: VaspBandEdges | None = None
    dielectric: VaspStep | None = None
    hop: VaspHopStep | None = None


class VaspMetalSteps(_Settings):
    """The steps of a metal.

    Parameters
    ----------
    cell : VaspStep
        Relaxation of the primitive cell: shape and atoms.
    bulk : VaspStep
        Total energy of the relaxed cell, also that of the mobile element.
    slab : VaspSlabStep
        Surface, which gives the work function.
    """

    cell: VaspStep
    bulk: VaspStep
    slab: VaspSlabStep


class VaspPreset(_Settings):
    """All settings of a phase's calculations with VASP.

    Parameters
    ----------
    name : str
        Name of the preset, which records and provenance carry.
    engine : "vasp"
        Program that calculates.
    xc : str
        Exchange–correlation functional.
    insulator : VaspInsulatorSteps
        Steps of an insulator.
    metal : VaspMetalSteps
        Steps of a metal.
    electrode : VaspMetalSteps, optional
        Steps of a host that takes up the mobile ion.
    interface : VaspInterfaceStep, optional
        Steps of a contact of two slabs.
    molecule : VaspMoleculeStep, optional
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
    engine: Literal["vasp"]
    xc: Functional
    insulator: VaspInsulatorSteps
    metal: VaspMetalSteps
    electrode: VaspMetalSteps | None = None
    interface: VaspInterfaceStep | None = None
    molecule: VaspMoleculeStep | None = None
    corrections_per_atom: EnergyCorrections = Field(default_factory=dict)
    uncertainties: Uncertainties
    resources: Resources = Field(default_factory=dict, exclude=True)

    @model_validator(mode="after")
    def _uncertainties_are_known(self) -> VaspPreset:
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
    def _energies_compare(self) -> VaspPreset:
        compared = [self.insulator.bulk, self.insulator.defects, self.metal.bulk]
        if self.electrode is not None:
            compared.append(self.electrode.bulk)
        if self.molecule is not None:
            compared.append(self.molecule)
        steps = "insulator.bulk, insulator.defects, metal.bulk, electrode.bulk and molecule"
        if len({step.cutoff_eV for step in compared}) > 1:
            raise ValueError(
                f"{steps} need one cutoff_eV: their total energies are subtracted from each other"
            )
        if len({str(step.potcars) for step in compared}) > 1:
            raise ValueError(f"{steps} need the same potcars")
        return self
