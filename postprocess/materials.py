"""From finished calculations to the record of a phase."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from interohm.records import Defect, Insulator, Metal, MetalState, Number, Quantity

from .calculation import Calculation
from .defects import FormationEnergy, formation_energy, valence_band_in_supercell
from .levels import band_edges, work_function

_CM3_PER_A3 = 1e-24


class Uncertainty(BaseModel):
    """How far a preset's levels may be off, and how that is known."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)

    value_eV: Annotated[Number, Field(ge=0)]
    source: Annotated[str, Field(min_length=1)]


class Uncertainties(BaseModel):
    """The uncertainties that the records of a preset carry."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)

    ionization_potential: Uncertainty
    band_gap: Uncertainty
    formation_energy: Uncertainty
    work_function: Uncertainty
    voltage: Uncertainty | None = None


@dataclass(frozen=True)
class Hop:
    """How the mobile ion moves by a defect; from literature or a barrier calculation."""

    migration_energy_eV: Quantity
    attempt_frequency_Hz: Quantity
    hop_distance_nm: Quantity


@dataclass(frozen=True)
class DefectCandidate:
    """One calculated defect supercell.

    Parameters
    ----------
    name : str
        Candidates of one name compete: the lowest formation energy is the defect.
    element, change : str, int
        Atoms added (negative: removed), by element.
    ion_change : float
        dn of the mobile ion, equilibrium with the compound included.
    sites_per_cell : int
        Equivalent sites in the conventional cell.
    conventional_volume_A3 : float
    position : array, shape (3,)
        Fractional in the supercell.
    calculation : Calculation
    replaced : str, optional
        The element whose place the added one takes.
    sublattice : str, optional
        Shared with other charge states of the defect; default: its name.
    """

    name: str
    element: str
    change: int
    ion_change: float
    sites_per_cell: int
    conventional_volume_A3: float
    position: np.ndarray
    calculation: Calculation
    replaced: str | None = None
    sublattice: str | None = None

    @property
    def added(self) -> dict[str, int]:
        """Atoms added by element, negative where removed."""
        replaced = {} if self.replaced is None else {self.replaced: -self.change}
        return {self.element: self.change, **replaced}


@dataclass(frozen=True)
class InsulatorCalculations:
    """All calculations that an insulator's record is made of.

    Parameters
    ----------
    bulk, slab, supercell : Calculation
        Primitive cell; relaxed symmetric slab; perfect supercell.
    period_A : float
        Repeat distance of the crystal along the slab's normal.
    defects : sequence of DefectCandidate
    metal : Calculation
        Bulk metal of the mobile ion, which sets mu = 0.
    """

    bulk: Calculation
    slab: Calculation
    period_A: float
    supercell: Calculation
    defects: Sequence[DefectCandidate]
    metal: Calculation


def _repulsion(settings: Mapping[str, Any]) -> str:
    """Return ``+U (Co d 3.32 eV)`` where the settings have it."""
    shells = [
        f"{element} {shell} {value:g} eV"
        for element, values in settings.get("hubbard_U_eV", {}).items()
        for shell, value in values.items()
    ]
    return f"+U ({', '.join(shells)})" if shells else ""


def method_of(calculation: Calculation, provenance: Mapping[str, Any]) -> str:
    """Return how a number was obtained, in one line; ``provenance`` may name the preset."""
    settings = calculation.settings
    mesh = "x".join(str(count) for count in settings["kpoints"])
    preset = f"preset {provenance['preset']}, " if "preset" in provenance else ""
    return (
        f"calculated: {calculation.engine}, {settings['xc']}{_repulsion(settings)}, {preset}"
        f"{settings['cutoff_eV']:g} eV, {len(calculation.structure['sites'])} atoms, "
        f"{mesh} k-points"
    )


def chemical_potentials(
    compound: Calculation, metal: Calculation, mobile_ion: str
) -> dict[str, float]:
    """Return total energies per atom of the elements at mu = 0.

    The mobile element is in its metal; the other one of a binary compound is in equilibrium with
    the compound. Elements of a ternary compound have no such chemical potential and are left out.
    """
    potentials = {mobile_ion: metal.energy_per_atom_eV}
    counts = compound.final_structure.composition.get_el_amt_dict()
    if len(counts) == 2:
        (other,) = set(counts) - {mobile_ion}
        rest = compound.energy_eV - counts[mobile_ion] * potentials[mobile_ion]
        potentials[other] = rest / counts[other]
    return potentials


def insulator_record(
    calculations: InsulatorCalculations,
    *,
    name: str,
    mobile_ion: str,
    ion_charge: int,
    surface: str,
    dielectric_constant: Quantity,
    saturation: Quantity,
    stability_window_V: tuple[Quantity, Quantity] | None,
    hops: Mapping[str, Hop],
    uncertainties: Uncertainties,
    provenance: Mapping[str, Any],
    given_potentials_eV: Mapping[str, float] | None = None,
) -> Insulator:
    """Assemble the record of an insulator.

    Chemical potentials that do not follow from compound and metal are given as total energies per
    atom, ``given_potentials_eV``.

    Raises
    ------
    ValueError
        The calculations do not belong together, or the phase has no gap.
    """
    bulk, slab = calculations.bulk, calculations.slab
    edges = band_edges(bulk, slab, calculations.period_A)
    potentials = chemical_potentials(bulk, calculations.metal, mobile_ion)
    potentials |= given_potentials_eV or {}
    vbm = valence_band_in_supercell(bulk, calculations.supercell)

    lowest: dict[str, tuple[DefectCandidate, FormationEnergy]] = {}
    rivals: dict[str, list[dict[str, Any]]] = {}
    for candidate in calculations.defects:
        energy = formation_energy(
            calculations.supercell,
            candidate.calculation,
            center=candidate.position,
            added=candidate.added,
            chemical_potentials_eV=potentials,
            valence_band_maximum_eV=vbm,
            dielectric_constant=dielectric_constant.value,
        )
        rivals.setdefault(candidate.name, []).append(
            {
                "calculation": candidate.calculation.hash,
                "formation_energy_eV": round(energy.energy_eV, 4),
                "point_charge_correction_eV": round(energy.point_charge_eV, 4),
                "potential_alignment_eV": round(energy.alignment_eV, 4),
                "alignment_spread_eV": round(energy.alignment_spread_eV, 4),
            }
        )
        known = lowest.get(candidate.name)
        if known is None or energy.energy_eV < known[1].energy_eV:
            lowest[candidate.name] = (candidate, energy)

    return Insulator(
        name=name,
        mobile_ion=mobile_ion,
        ion_charge=ion_charge,
        surface=surface,
        ionization_potential_eV=calculated_quantity(
            edges.ionization_potential_eV, uncertainties.ionization_potential, slab, provenance
        ),
        band_gap_eV=calculated_quantity(
            edges.band_gap_eV, uncertainties.band_gap, bulk, provenance
        ),
        dielectric_constant=dielectric_constant,
        saturation=saturation,
        stability_window_V=stability_window_V,
        defects=[
            _defect(candidate, energy, hops.get(defect), uncertainties, provenance)
            for defect, (candidate, energy) in lowest.items()
        ],
        structure=bulk.structure,
        provenance={
            **provenance,
            "versions": bulk.versions,
            "calculations": {
                "bulk": bulk.hash,
                "slab": slab.hash,
                "supercell": calculations.supercell.hash,
                "metal": calculations.metal.hash,
            },
            "defects": rivals,
        },
    )


def metal_record(
    bulk: Calculation,
    slab: Calculation,
    *,
    name: str,
    mobile_ion: str,
    ion_charge: int,
    surface: str,
    ion_content: float,
    voltage_V: Quantity,
    uncertainties: Uncertainties,
    provenance: Mapping[str, Any],
) -> Metal:
    """Assemble the record of a metal with one state."""
    state = MetalState(
        ion_content=ion_content,
        voltage_V=voltage_V,
        work_function_eV=calculated_quantity(
            work_function(slab), uncertainties.work_function, slab, provenance
        ),
    )
    return Metal(
        name=name,
        mobile_ion=mobile_ion,
        ion_charge=ion_charge,
        surface=surface,
        states=[state],
        structure=bulk.structure,
        provenance={
            **provenance,
            "versions": slab.versions,
            "calculations": {"bulk": bulk.hash, "slab": slab.hash},
        },
    )


def calculated_quantity(
    value: float,
    uncertainty: Uncertainty,
    calculation: Calculation,
    provenance: Mapping[str, Any],
) -> Quantity:
    """Return a number of a calculation with its uncertainty, source and method."""
    return Quantity(
        value=round(value, 4),
        uncertainty=uncertainty.value_eV,
        source=f"calculation {calculation.hash[:12]}; uncertainty: {uncertainty.source}",
        method=method_of(calculation, provenance),
    )


def _defect(
    candidate: DefectCandidate,
    energy: FormationEnergy,
    hop: Hop | None,
    uncertainties: Uncertainties,
    provenance: Mapping[str, Any],
) -> Defect:
    volume = candidate.conventional_volume_A3 * _CM3_PER_A3
    calculation = candidate.calculation
    return Defect(
        name=candidate.name,
        charge=calculation.charge,
        ion_change=candidate.ion_change,
        formation_energy_eV=calculated_quantity(
            energy.energy_eV, uncertainties.formation_energy, calculation, provenance
        ),
        site_density_cm3=Quantity(
            value=float(f"{candidate.sites_per_cell / volume:.5g}"),
            source="relaxed structure",
            method=f"{candidate.sites_per_cell} sites per conventional cell",
        ),
        sublattice=candidate.sublattice or candidate.name,
        migration_energy_eV=None if hop is None else hop.migration_energy_eV,
        attempt_frequency_Hz=None if hop is None else hop.attempt_frequency_Hz,
        hop_distance_nm=None if hop is None else hop.hop_distance_nm,
    )
