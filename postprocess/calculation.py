"""Documents of finished calculations, the same for every engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pymatgen.core import Structure

CalculationKind = Literal["cell", "relax", "static", "neb", "dielectric"]


class PlanarPotential(BaseModel):
    """Electrostatic potential energy of an electron, averaged over planes normal to the c axis.

    Parameters
    ----------
    height_A : float
        The cell's height normal to a and b; the points divide it evenly, the first one at 0.
    potential_eV : list of float
        Shape (points,). The zero is the cell's average, as in every periodic calculation.
    exchange_and_correlation : bool
        Whether the potential holds these too (VASP's LVTOT). Its zero is then that of the
        eigenvalues, and only in the vacuum does it equal the electrostatic potential.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    height_A: Annotated[float, Field(gt=0)]
    potential_eV: Annotated[list[float], Field(min_length=2)]
    exchange_and_correlation: bool = False


class ScfAttempt(BaseModel):
    """Settings with which the electrons were to converge.

    Parameters
    ----------
    changes : mapping
        Differences from the settings of the calculation, such as ``smearing_eV``.
    error : str, optional
        None: they converged.
    """

    model_config = ConfigDict(extra="forbid")

    changes: dict[str, Any]
    error: str | None = None


class MigrationPath(BaseModel):
    """The images of a nudged elastic band, both ends included.

    Parameters
    ----------
    coordinates_A : list of float
        Shape (images,), length of the path up to each image in the space of all atoms.
    energies_eV : list of float
        Shape (images,), total energies.
    symmetric : bool
        Whether a symmetry exchanges the ends, so that one half was calculated.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    coordinates_A: Annotated[list[float], Field(min_length=3)]
    energies_eV: Annotated[list[float], Field(min_length=3)]
    symmetric: bool


class DielectricResponse(BaseModel):
    """Parts of the static dielectric constant, in one primitive cell.

    Parameters
    ----------
    electronic : nested list of float
        Shape (3, 3), the dielectric tensor with the ions held.
    born_charges : nested list of float
        Shape (atoms, 3, 3), change of the cell's dipole (first index of the matrix) with the
        displacement of an atom (second one), in elementary charges.
    force_constants_eV_A2 : nested list of float
        Shape (atoms, 3, atoms, 3), at the zone's centre and in zero field.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    electronic: list[list[float]]
    born_charges: list[list[list[float]]]
    force_constants_eV_A2: list[list[list[list[float]]]]

    def reordered(self, sites: Sequence[int]) -> DielectricResponse:
        """Return the response with the atoms in another order; ``sites`` has their old places."""
        constants = [self.force_constants_eV_A2[site] for site in sites]
        return DielectricResponse(
            electronic=self.electronic,
            born_charges=[self.born_charges[site] for site in sites],
            force_constants_eV_A2=[
                [[row[site] for site in sites] for row in block] for block in constants
            ],
        )


#: Fractional.
KPoint = tuple[float, float, float]


class Calculation(BaseModel):
    """A converged calculation: the only thing that an engine hands on.

    Energies in eV. Eigenvalues and potentials refer to the average electrostatic potential of the
    same cell, so that those of two cells compare only after alignment; potentials are the
    potential energy of an electron (minus the electrostatic potential).

    Parameters
    ----------
    hash : str
        Hash of structure, charge and settings: the calculation's name in the database.
    kind : str
        ``cell`` (cell and atoms relaxed), ``relax`` (atoms relaxed), ``static``, ``neb`` (path
        relaxed), ``dielectric``.
    charge : int
        Charge of the cell, in elementary charges, compensated by a uniform background.
    settings : mapping
        All that the engine was told.
    initial_structure, structure : mapping
        pymatgen Structures before and after.
    vbm_eV, cbm_eV : float, optional
        Highest occupied and lowest empty eigenvalue over the k-points; none for a metal.
    edge_kpoints : pair of (float, float, float), optional
        k-points of the VBM and CBM, in fractions of the reciprocal vectors of ``structure``; none
        for a metal, or if the engine did not report them.
    max_force_eV_A : float, optional
        The largest force on an atom; none of a run of VASP with k-points that have no weight, whose
        forces are no numbers.
    magnetic_moments_muB : list of float, optional
        Shape (sites,), within the engine's own radii; none where the electrons have no spin.
    planar_potential, side_potentials : PlanarPotential and pair of it, optional
        Normal to the c axis; normal to a and to b. What an engine did not write is left out.
    site_potentials_eV : list of float
        Shape (sites,), at the nuclei of ``structure``, averaged over the engine's own radii; empty
        where the engine did not write them.
    path : MigrationPath, optional
        A calculation of the kind ``neb``; structure and energy are those of its highest image.
    response : DielectricResponse, optional
        Response, for the kind ``dielectric``.
    ionic_steps : int
        Geometries calculated; of a path, steps of the whole path.
    scf_attempts : list of ScfAttempt, optional
        In their order, the last one being that of the result; none where the settings themselves
        converged.
    versions : mapping
        Versions of the engine and of the packages that it uses.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    engine: str
    kind: CalculationKind
    charge: int
    settings: dict[str, Any]
    initial_structure: dict[str, Any]
    structure: dict[str, Any]
    energy_eV: float
    electrons: Annotated[float, Field(gt=0)]
    fermi_level_eV: float
    vbm_eV: float | None = None
    cbm_eV: float | None = None
    edge_kpoints: tuple[KPoint, KPoint] | None = None
    magnetic_moments_muB: list[float] | None = None
    max_force_eV_A: Annotated[float, Field(ge=0)] | None
    planar_potential: PlanarPotential | None = None
    side_potentials: tuple[PlanarPotential, PlanarPotential] | None = None
    site_potentials_eV: list[float]
    path: MigrationPath | None = None
    response: DielectricResponse | None = None
    ionic_steps: Annotated[int, Field(ge=1)]
    scf_attempts: list[ScfAttempt] | None = None
    wall_time_s: Annotated[float, Field(ge=0)]
    versions: dict[str, str]

    @property
    def final_structure(self) -> Structure:
        """Structure that energy and potentials belong to."""
        return Structure.from_dict(self.structure)

    @property
    def energy_per_atom_eV(self) -> float:
        """Total energy per atom."""
        return self.energy_eV / len(self.structure["sites"])
