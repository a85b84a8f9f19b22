"""Settings of electrons and ions that every step of a calculation has."""

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
    """Density mixing.

    Parameters
    ----------
    backend : {"pulay", "msr1"}
        Method: Pulay's, or the rank-one multisecant method for +U and for metals with moments.
    beta : float
        Fraction of the new density that is mixed in.
    history : int
        Number of earlier densities that are used.
    weight : float
        Damping of long-wavelength changes of the density.
    """

    backend: Literal["pulay", "msr1"]
    beta: Positive
    history: Count
    weight: Positive


class SelfConsistency(StrictSettings):
    """Convergence criteria of the electrons.

    Parameters
    ----------
    energy_eV_per_electron : float
        Largest change of the total energy between iterations, in eV per valence electron.
    density_per_electron : float
        Largest change of the density, in electrons per valence electron.
    eigenstates_eV2_per_electron : float
        Largest residual of the eigenstates, in eV² per valence electron.
    max_iterations : int
        Number of iterations after which the calculation has failed.
    mixer : Mixer
        Density mixing.
    """

    energy_eV_per_electron: Positive
    density_per_electron: Positive
    eigenstates_eV2_per_electron: Positive
    max_iterations: Count
    mixer: Mixer


class Relaxation(StrictSettings):
    """Convergence criteria of the ions, and their optimizer (BFGS).

    Parameters
    ----------
    force_tolerance_eV_A : float
        Largest force on an atom (and, for a cell, stress times volume per strain).
    max_steps : int
        Number of steps after which the relaxation has failed.
    max_displacement_A : float
        Largest displacement of an atom in one step.
    curvature_eV_A2 : float
        Initial Hessian: this times the unit matrix.
    """

    force_tolerance_eV_A: Positive
    max_steps: Count
    max_displacement_A: Positive
    curvature_eV_A2: Positive


class ScfRetry(StrictSettings):
    """Changes of a retry after the electrons did not converge; all else stays.

    The calculation starts again from superposed atomic densities.

    Parameters
    ----------
    mixer : Mixer, optional
        Another density mixing.
    max_iterations : int, optional
        Another number of iterations.
    density_smearing_eV : float, optional
        Width of the occupation for an initial density. The result has the step's own width.
    smearing_eV : float, optional
        Width of the occupation that the result keeps; the record says so.
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
    """On-site repulsion of localized electrons (DFT+U).

    Parameters
    ----------
    values_eV : mapping
        U by element and shell: ``Co: {d: 3.32}`` (rotationally invariant, J = 0; occupations
        within the atom's augmentation sphere, scaled to whole electrons).
    in_compounds_of : list of str
        Anions whose compounds get U.
    source : str
        Where the numbers come from.
    """

    values_eV: Annotated[dict[Element, dict[Shell, Positive]], Field(min_length=1)]
    in_compounds_of: Annotated[list[Element], Field(min_length=1)]
    source: Annotated[str, Field(min_length=1)]


class MagneticMoments(StrictSettings):
    """Initial magnetic moments, all of them parallel.

    Parameters
    ----------
    values_muB : mapping
        Moments by element. A structure without these elements is calculated without spin.
    source : str
        Where the numbers come from.
    """

    values_muB: Annotated[dict[Element, Number], Field(min_length=1)]
    source: Annotated[str, Field(min_length=1)]


class Step(StrictSettings):
    """Electronic settings of one step.

    Parameters
    ----------
    cutoff_eV : float
        Plane-wave cutoff.
    kpoint_length_A : float
        Density of the Gamma-centred k-point mesh: that of the Gamma point of a supercell of this
        length.
    smearing_eV : float
        Width of the Fermi–Dirac occupation.
    empty_bands : int
        Number of bands beyond those that the neutral cell fills.
    converged_empty_bands : bool
        Whether the conduction-band minimum is converged, too.
    scf : SelfConsistency
        Convergence criteria of the electrons.
    relaxation : Relaxation, optional
        Relaxation of the atoms. None: they keep the positions of the crystal.
    hubbard_U : HubbardU, optional
        On-site repulsion. None: no U.
    magnetic_moments : MagneticMoments, optional
        Initial magnetic moments. None: no spin.
    scf_retries : list of ScfRetry
        Settings that are tried in turn if the electrons do not converge.
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

        Fields that are not set are left out: they would change the hash of calculations that do
        not have them.
        """
        settings = self.model_dump(mode="json")
        settings["scf_retries"] = [retry.changes() for retry in self.scf_retries]
        for optional in ("relaxation", "hubbard_U", "magnetic_moments", "scf_retries"):
            if not settings[optional]:
                settings.pop(optional)
        return {"xc": xc, "periodic_axes": periodic_axes, **settings}


class RelaxedStep(Step):
    """A step that relaxes.

    Parameters
    ----------
    relaxation : Relaxation
        Relaxation of the atoms, and of the shape of a primitive cell.
    """

    relaxation: Relaxation


class PartialCorrection(StrictSettings):
    """One part of a correction of a total energy in a phase diagram.

    Parameters
    ----------
    value_eV : float
        Correction per atom.
    uncertainty_eV : float
        Its uncertainty per atom: one standard deviation.
    source : str
        Where the numbers come from.
    """

    value_eV: Number
    uncertainty_eV: Annotated[Number, Field(ge=0)]
    source: Annotated[str, Field(min_length=1)]


#: By the names of molecules and the formulas of crystals, as ``F2`` and ``Li2O2``; an empty list,
#: which drops that of a preset's base, is none.
EnergyCorrections = dict[str, list[PartialCorrection]]


class MoleculeStep(RelaxedStep):
    """A molecule alone in a box.

    Its ``magnetic_moments`` are its own: an element may have a moment in its molecule and none in
    a crystal.

    Parameters
    ----------
    vacuum_A : float
        Distance to the next image along each axis.
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
