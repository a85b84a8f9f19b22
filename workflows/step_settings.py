"""What every step of a calculation says of its electrons and ions."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from interohm.postprocess.materials import Uncertainties
from interohm.records import Number

Positive = Annotated[Number, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
Element = Annotated[str, Field(pattern=r"^[A-Z][a-z]?$")]
Shell = Literal["s", "p", "d", "f"]


class StrictSettings(BaseModel):
    """Settings that refuse what they do not know."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)


class Mixer(StrictSettings):
    """Density mixing: Pulay's, or the rank-one multisecant one for +U and metals with moments."""

    backend: Literal["pulay", "msr1"]
    beta: Positive
    history: Count
    weight: Positive


class SelfConsistency(StrictSettings):
    """When the electrons count as converged, and how many iterations they have."""

    energy_eV_per_electron: Positive
    density_per_electron: Positive
    eigenstates_eV2_per_electron: Positive
    max_iterations: Count
    mixer: Mixer


class Relaxation(StrictSettings):
    """When the ions count as relaxed, and how they get there (BFGS).

    Parameters
    ----------
    force_tolerance_eV_A : float
        Largest force on an atom (and, for a cell, stress times volume per strain).
    max_steps : int
        A relaxation that needs more has failed.
    max_displacement_A : float
        Of an atom in one step.
    curvature_eV_A2 : float
        The Hessian to begin with is this times the unit matrix.
    """

    force_tolerance_eV_A: Positive
    max_steps: Count
    max_displacement_A: Positive
    curvature_eV_A2: Positive


class ScfRetry(StrictSettings):
    """What changes where the electrons did not converge; all else stays.

    The electrons begin again with the atoms' superposed densities.

    Parameters
    ----------
    mixer : Mixer, optional
        Another mixing of densities.
    max_iterations : int, optional
        More of them.
    density_smearing_eV : float, optional
        Begin with the density that converges at this width of the occupation instead; the result
        has the step's own width.
    smearing_eV : float, optional
        A width of the occupation that the result keeps, and says.
    """

    mixer: Mixer | None = None
    max_iterations: Count | None = None
    density_smearing_eV: Positive | None = None
    smearing_eV: Positive | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> ScfRetry:
        if not self.changes():
            raise ValueError("a retry needs something that it changes")
        return self

    def changes(self) -> dict[str, Any]:
        """Return what is not as in the step."""
        return self.model_dump(mode="json", exclude_none=True)


class HubbardU(StrictSettings):
    """On-site repulsion that makes up for what the functional lacks on localized electrons.

    Parameters
    ----------
    values_eV : mapping
        U by element and shell, as ``Co: {d: 3.32}`` (rotationally invariant, J = 0; occupations
        counted within the atom's augmentation sphere and scaled to whole electrons).
    in_compounds_of : list of str
        Anions whose compounds get it.
    source : str
        Where the numbers are from.
    """

    values_eV: Annotated[dict[Element, dict[Shell, Positive]], Field(min_length=1)]
    in_compounds_of: Annotated[list[Element], Field(min_length=1)]
    source: Annotated[str, Field(min_length=1)]


class MagneticMoments(StrictSettings):
    """Moments that the self-consistency begins with, all of them parallel.

    Parameters
    ----------
    values_muB : mapping
        By element. A structure without any of them is calculated without spin.
    source : str
        Where the numbers are from.
    """

    values_muB: Annotated[dict[Element, Number], Field(min_length=1)]
    source: Annotated[str, Field(min_length=1)]


class Step(StrictSettings):
    """Electronic settings of one step.

    Parameters
    ----------
    cutoff_eV : float
        Of the plane waves.
    kpoint_length_A : float
        A Gamma-centred mesh as dense as the Gamma point of a supercell of this length.
    smearing_eV : float
        Width of the Fermi–Dirac occupation.
    empty_bands : int
        Beyond those that the neutral cell fills.
    converged_empty_bands : bool
        Whether the conduction-band minimum is converged too.
    scf : SelfConsistency
        When the electrons count as converged.
    relaxation : Relaxation, optional
        None: the atoms stay where the crystal has them.
    hubbard_U : HubbardU, optional
        None: no on-site repulsion.
    magnetic_moments : MagneticMoments, optional
        None: without spin.
    scf_retries : list of ScfRetry
        What is tried in turn where the electrons do not converge.
    """

    cutoff_eV: Positive
    kpoint_length_A: Positive
    smearing_eV: Positive
    empty_bands: Annotated[int, Field(ge=0)]
    converged_empty_bands: bool
    scf: SelfConsistency
    relaxation: Relaxation | None = None
    hubbard_U: HubbardU | None = None
    magnetic_moments: MagneticMoments | None = None
    scf_retries: list[ScfRetry] = Field(default_factory=list)

    def engine_settings(self, xc: str, *, periodic_axes: int = 3) -> dict[str, Any]:
        """Return the step as the engine's settings, the functional included.

        What is not set is left out: it would change the hash of calculations that know nothing
        of it.
        """
        settings = self.model_dump(mode="json")
        settings["scf_retries"] = [retry.changes() for retry in self.scf_retries]
        for optional in ("relaxation", "hubbard_U", "magnetic_moments", "scf_retries"):
            if not settings[optional]:
                settings.pop(optional)
        return {"xc": xc, "periodic_axes": periodic_axes, **settings}


class RelaxedStep(Step):
    """A step that relaxes."""

    relaxation: Relaxation


class PartialCorrection(StrictSettings):
    """One part of what is added to a total energy in a phase diagram.

    Parameters
    ----------
    value_eV, uncertainty_eV : float
        Per atom.
    source : str
        Where the numbers are from.
    """

    value_eV: Number
    uncertainty_eV: Annotated[Number, Field(ge=0)]
    source: Annotated[str, Field(min_length=1)]


#: By the names of molecules and the formulas of crystals, as ``F2`` and ``Li2O2``; an empty list,
#: which drops that of a preset's base, is none.
EnergyCorrections = dict[str, list[PartialCorrection]]


class MoleculeStep(RelaxedStep):
    """A molecule alone in a box.

    ``magnetic_moments`` are its own: an element that has one in its molecule has none in a crystal.

    Parameters
    ----------
    vacuum_A : float
        To the next image, along each axis.
    """

    vacuum_A: Positive

    def engine_settings(self, xc: str, *, periodic_axes: int = 3) -> dict[str, Any]:
        """Return the step as the engine's settings; the box is the structure's."""
        settings = super().engine_settings(xc, periodic_axes=periodic_axes)
        settings.pop("vacuum_A")
        return settings


def require_uncertainties(known: Uncertainties, **steps: object) -> None:
    """Raise a ValueError for a quantity whose step is there and whose uncertainty is not."""
    for name, step in steps.items():
        if step is not None and getattr(known, name) is None:
            raise ValueError(f"uncertainties: {name} is calculated and needs one")
