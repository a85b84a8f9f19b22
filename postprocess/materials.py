"""Records of phases from finished calculations."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from interohm.records import (
    Defect,
    DielectricQuantity,
    Insulator,
    Metal,
    MetalState,
    Number,
    Quantity,
    SharedError,
)

from .band_edge_shift import VALENCE_BAND, valence_band_moves
from .calculation import Calculation
from .candidates import ChosenDefect, Comparison, DefectCandidate, choose, levels_between
from .levels import band_edges, work_function
from .reservoirs import chemical_potentials

_CM3_PER_A3 = 1e-24

#: Of a calculated phase, where nothing says which share of their sites defects may fill.
SATURATION = Quantity(
    value=0.3,
    uncertainty=0.5,
    source="assumed: between 0.1 of the published model (doi 10.1038/s43588-021-00041-y) and 1, "
    "every site of the crystal; a factor of 3 either way is one standard deviation",
    method="assumed",
)


class Uncertainty(BaseModel):
    """The uncertainty of a preset's levels.

    Parameters
    ----------
    value_eV : float
        One standard deviation.
    source : str
        How it is known.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)

    value_eV: Annotated[Number, Field(ge=0)]
    source: Annotated[str, Field(min_length=1)]


class RelativeUncertainty(BaseModel):
    """A relative uncertainty.

    Parameters
    ----------
    fraction : float
        One standard deviation, as a fraction of the number.
    source : str
        How it is known.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)

    fraction: Annotated[Number, Field(ge=0)]
    source: Annotated[str, Field(min_length=1)]


class Uncertainties(BaseModel):
    """The uncertainties of calculated numbers, which the records carry.

    Parameters
    ----------
    ionization_potential : Uncertainty
        Uncertainty of an ionization potential.
    band_gap : Uncertainty
        Uncertainty of a band gap.
    formation_energy : Uncertainty
        Uncertainty of the formation energy of a defect.
    work_function : Uncertainty
        Uncertainty of a work function.
    voltage : Uncertainty, optional
        Uncertainty of the voltage of an electrode.
    stability_window : Uncertainty, optional
        Uncertainty of a stability limit, those of molecules aside.
    molecule : Uncertainty, optional
        Uncertainty per atom of a molecule whose energy has no correction.
    migration_energy : Uncertainty, optional
        Uncertainty of a hop's barrier.
    dielectric_constant : RelativeUncertainty, optional
        Relative uncertainty of a dielectric constant.
    interface_dipole : Uncertainty, optional
        Uncertainty of the step of the potential at an interface.
    valence_band : Uncertainty, optional
        Part of the uncertainties of ionization potential, gap and formation energies that they
        share: the error of the valence band's energy.
    mobile_metal : Uncertainty, optional
        Part of the uncertainties of formation energies that they share: the error per atom of the
        mobile element's metal.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)

    ionization_potential: Uncertainty
    band_gap: Uncertainty
    formation_energy: Uncertainty
    work_function: Uncertainty
    voltage: Uncertainty | None = None
    stability_window: Uncertainty | None = None
    molecule: Uncertainty | None = None
    migration_energy: Uncertainty | None = None
    dielectric_constant: RelativeUncertainty | None = None
    interface_dipole: Uncertainty | None = None
    valence_band: Uncertainty | None = None
    mobile_metal: Uncertainty | None = None


@dataclass(frozen=True)
class Hop:
    """Hop of the mobile ion by a defect; from literature or a barrier calculation."""

    migration_energy_eV: Quantity
    attempt_frequency_Hz: Quantity
    hop_distance_nm: Quantity


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
        All candidates, of all charges and sites.
    metal : Calculation
        Bulk metal of the mobile ion, which sets mu = 0.
    coexisting : sequence of Calculation
        Bulk of the compounds beside which the chemical potentials of further elements hold.
    """

    bulk: Calculation
    slab: Calculation
    period_A: float
    supercell: Calculation
    defects: Sequence[DefectCandidate]
    metal: Calculation
    coexisting: Sequence[Calculation] = ()


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
        f"{mesh} k-points{_kept_smearing(calculation)}"
    )


def _kept_smearing(calculation: Calculation) -> str:
    """Return a remark that the electrons converged only with another smearing."""
    changes = calculation.scf_attempts[-1].changes if calculation.scf_attempts else {}
    if "smearing_eV" not in changes:
        return ""
    asked = calculation.settings["smearing_eV"]
    return f", smearing {changes['smearing_eV']:g} instead of {asked:g} eV"


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
    dielectric = DielectricQuantity.model_validate(dielectric_constant)
    edges = band_edges(bulk, slab, calculations.period_A)
    potentials = chemical_potentials(bulk, calculations.metal, mobile_ion, calculations.coexisting)
    chosen, tried = choose(
        calculations.defects,
        Comparison(
            bulk=bulk,
            supercell=calculations.supercell,
            chemical_potentials_eV={**potentials, **(given_potentials_eV or {})},
            dielectric_constant=dielectric.value
            if dielectric.tensor is None
            else np.array(dielectric.tensor),
        ),
    )
    levels = levels_between(chosen)
    defects = {
        one.candidate.name: _defect(one, chosen, hops, uncertainties, provenance) for one in chosen
    }
    dopants = [one.candidate.name for one in chosen if one.candidate.dopant]
    kept = [defect for name, defect in defects.items() if name not in dopants]

    return Insulator(
        name=name,
        mobile_ion=mobile_ion,
        ion_charge=ion_charge,
        surface=surface,
        ionization_potential_eV=calculated_quantity(
            edges.ionization_potential_eV, uncertainties.ionization_potential, slab, provenance
        ),
        band_gap_eV=_beside(
            calculated_quantity(edges.band_gap_eV, uncertainties.band_gap, bulk, provenance),
            uncertainties.valence_band,
        ),
        dielectric_constant=dielectric,
        saturation=saturation,
        stability_window_V=stability_window_V,
        defects=kept,
        shared_errors=_shared_errors(kept, uncertainties),
        structure=bulk.structure,
        provenance={
            **provenance,
            "versions": bulk.versions,
            "calculations": {
                "bulk": bulk.hash,
                "slab": slab.hash,
                "supercell": calculations.supercell.hash,
                "metal": calculations.metal.hash,
                **{
                    f"coexisting {one.final_structure.composition.reduced_formula}": one.hash
                    for one in calculations.coexisting
                },
            },
            "defects": tried,
            **({"transition_levels": levels} if levels else {}),
            # They do not move at a device's temperature: a cell gives their concentration.
            **(
                {
                    "dopants": [
                        defects[name].model_dump(mode="json", exclude_none=True) for name in dopants
                    ]
                }
                if dopants
                else {}
            ),
        },
    )


def _shared_errors(defects: Sequence[Defect], uncertainties: Uncertainties) -> list[SharedError]:
    """Return the errors that levels of a calculation have in common, with what they move.

    The metal's energy enters with the ions that a defect adds. The slab's line-up and relaxation
    are the ionization potential's own.
    """
    metal = {
        f"defects[{defect.name}].formation_energy_eV": -defect.ion_change
        for defect in defects
        if defect.ion_change
    }
    errors = [
        (VALENCE_BAND, uncertainties.valence_band, valence_band_moves(defects)),
        ("mobile_metal", uncertainties.mobile_metal, metal),
    ]
    return [
        SharedError(name=name, uncertainty_eV=known.value_eV, moves=moves)
        for name, known, moves in errors
        if known is not None and known.value_eV and moves
    ]


def _beside(quantity: Quantity, shared: Uncertainty | None, times: float = 1.0) -> Quantity:
    """Return a quantity whose uncertainty is what is left beside an error that it shares."""
    if shared is None or quantity.uncertainty is None:
        return quantity
    own = max(quantity.uncertainty**2 - (times * shared.value_eV) ** 2, 0.0)
    return quantity.model_copy(update={"uncertainty": round(math.sqrt(own), 4)})


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
    chosen: ChosenDefect,
    others: Sequence[ChosenDefect],
    hops: Mapping[str, Hop],
    uncertainties: Uncertainties,
    provenance: Mapping[str, Any],
) -> Defect:
    candidate = chosen.candidate
    calculation = (
        candidate.calculation if candidate.larger is None else candidate.larger.calculation
    )
    volume = candidate.conventional_volume_A3 * _CM3_PER_A3
    energy = _beside(
        calculated_quantity(
            chosen.energy_eV, uncertainties.formation_energy, calculation, provenance
        ),
        uncertainties.mobile_metal,
        candidate.ion_change,
    )
    further = {
        f"{chosen.size_error_eV:.3f} eV from the smaller supercell": chosen.size_error_eV,
        f"potential alignment within {chosen.alignment_spread_eV:.3f} eV": (
            chosen.alignment_spread_eV
        ),
    }
    for what, error_eV in further.items():
        if round(error_eV, 4):
            total = math.hypot(energy.uncertainty or 0.0, error_eV)
            energy = energy.model_copy(
                update={"uncertainty": round(total, 4), "method": f"{energy.method}; {what}"}
            )
    hop = hops.get(candidate.name)
    sites = {
        one.candidate.sites_per_cell for one in others if one.candidate.defect == candidate.defect
    }
    return Defect(
        name=candidate.name,
        charge=calculation.charge,
        ion_change=candidate.ion_change,
        formation_energy_eV=energy,
        site_density_cm3=Quantity(
            value=float(f"{candidate.sites_per_cell / volume:.5g}"),
            source="relaxed structure",
            method=f"{candidate.sites_per_cell} sites per conventional cell",
        ),
        # Charge states on different sites do not exclude each other.
        sublattice=candidate.defect
        if len(sites) == 1
        else f"{candidate.defect}, {candidate.sites_per_cell} sites",
        # An odd number of electrons leaves one of them unpaired: two directions of its spin.
        degeneracy=1 + round(calculation.electrons) % 2,
        migration_energy_eV=None if hop is None else hop.migration_energy_eV,
        attempt_frequency_Hz=None if hop is None else hop.attempt_frequency_Hz,
        hop_distance_nm=None if hop is None else hop.hop_distance_nm,
    )
