"""The contract between the stages: what is known of one phase, each number with its provenance.

A record is read from and written to YAML and the database alike. Density functional theory writes
it, people write it, the device model reads it. Fields carry their units in their names; energies in
eV, electron energies negative downwards, potentials in V against the mobile metal.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    SerializerFunctionWrapHandler,
    TypeAdapter,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from interohm.errors import InputError
from interohm.plain_text import check_name, check_visible
from interohm.safe_documents import refuse_foreign_code
from interohm.yaml_io import (
    dump_yaml,
    load_yaml,
    require_number,
    validated_as,
    write_text,
)

#: Charge numbers of the ions that move in batteries; others are given by ``ion_charge``.
ION_CHARGES = {"Li": 1, "Na": 1, "K": 1, "Ag": 1, "Cu": 1, "Mg": 2, "Ca": 2, "Zn": 2, "Al": 3}

Number: TypeAlias = Annotated[float, BeforeValidator(require_number)]
Charge: TypeAlias = Annotated[int, BeforeValidator(require_number), Field(ge=-6, le=6)]
RecordName: TypeAlias = Annotated[
    str,
    Field(min_length=1, max_length=128, pattern=r"^[^\s/\\]+$"),
    AfterValidator(check_name),
]
#: Of a defect, a sublattice or an error, within a record.
PartName: TypeAlias = Annotated[
    str, Field(min_length=1, max_length=64), AfterValidator(check_visible)
]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True, defer_build=True)


class Quantity(_Model):
    """A number with what is known of it.

    Parameters
    ----------
    value : float
        The number, in the unit that ends the field's name.
    uncertainty : float, optional
        One standard deviation, in the same unit. None: unknown, and reported as unknown.
    source : str, optional
        Source of the number: a DOI, a calculation, or the reason for an assumption.
    method : str, optional
        How it was obtained: measured, calculated (functional, settings), fitted, or ``assumed``.
    """

    value: Number
    uncertainty: Annotated[Number, Field(ge=0)] | None = None
    source: str | None = None
    method: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _accept_a_plain_number(cls, data: Any) -> Any:
        if isinstance(data, (Quantity, dict)):
            return data
        return {"value": require_number(data)}

    @model_serializer(mode="wrap")
    def _write_a_plain_number(self, handler: SerializerFunctionWrapHandler) -> Any:
        known = {key: item for key, item in handler(self).items() if item is not None}
        return self.value if known.keys() == {"value"} else known

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Return the JSON schema, in which a plain number is a quantity, too."""
        whole = handler.resolve_ref_schema(handler(core_schema))
        return {"anyOf": [{"type": "number"}, dict(whole)], "title": "Quantity"}

    @property
    def assumed(self) -> bool:
        """Return whether the record names neither a measurement nor a calculation of this number.

        A number with neither source nor method is as good as an assumed one.
        """
        given = [text for text in (self.method, self.source) if text]
        return not given or any(text.startswith("assumed") for text in given)


#: Of a tensor against its transpose, and of the constant against a third of the trace.
_TENSOR_TOLERANCE = 1e-3


class DielectricQuantity(Quantity):
    """A dielectric constant, with its tensor where it is known.

    Parameters
    ----------
    value : float
        The number that one-dimensional models use; default: a third of the tensor's trace.
        Calculated records have the tensor's component along the normal of their surface.
    tensor : nested tuple of float, optional
        Shape (3, 3), in the Cartesian axes of the record's structure. Three numbers are the
        diagonal.
    """

    tensor: tuple[tuple[Number, ...], ...] | None = None

    @model_validator(mode="before")
    @classmethod
    def _accept_a_tensor(cls, data: Any) -> Any:
        if isinstance(data, list | tuple):
            data = {"tensor": data}
        if isinstance(data, Quantity):
            return data.model_dump() if type(data) is Quantity else data
        if not isinstance(data, dict) or data.get("tensor") is None:
            return data
        rows = data["tensor"]
        if not isinstance(rows, list | tuple) or len(rows) != 3:
            raise ValueError("tensor: give three rows of three numbers, or a diagonal of three")
        if not any(isinstance(row, list | tuple) for row in rows):
            diagonal = [require_number(value) for value in rows]
            rows = [[diagonal[i] if i == j else 0.0 for j in range(3)] for i in range(3)]
        if any(not isinstance(row, list | tuple) or len(row) != 3 for row in rows):
            raise ValueError("tensor: give three rows of three numbers, or a diagonal of three")
        mean = sum(require_number(rows[i][i]) for i in range(3)) / 3
        return {"value": round(mean, 6), **data, "tensor": rows}

    @model_validator(mode="after")
    def _tensor_is_one(self) -> DielectricQuantity:
        if self.tensor is None:
            return self
        import numpy as np  # here, as commands that read no tensor start faster without it

        rows = np.array(self.tensor)
        if not np.allclose(rows, rows.T, atol=_TENSOR_TOLERANCE * np.abs(rows).max()):
            raise ValueError("tensor: it is not symmetric")
        if np.linalg.eigvalsh(rows).min() < 1:
            raise ValueError("tensor: a principal value is below 1, that of the vacuum")
        low, high = np.linalg.eigvalsh(rows)[[0, -1]] * (1 + _TENSOR_TOLERANCE * np.array([-1, 1]))
        if not low <= self.value <= high:
            raise ValueError(
                f"value: {self.value:g} is outside of the tensor's principal values, "
                f"{low:g} to {high:g}"
            )
        return self

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Return the JSON schema, in which a plain number or a plain tensor is a quantity, too."""
        schema = super().__get_pydantic_json_schema__(core_schema, handler)
        rows = {"type": "array", "minItems": 3, "maxItems": 3}
        return {"anyOf": [*schema["anyOf"], rows], "title": "DielectricQuantity"}


class _Within:
    """Bounds of magnitude: outside of them, a unit is wrong rather than a material unusual."""

    def __init__(self, low: float, high: float, hint: str) -> None:
        self.low, self.high, self.hint = low, high, hint

    def __call__(self, quantity: Quantity) -> Quantity:
        if not self.low <= quantity.value <= self.high:
            raise ValueError(
                f"{quantity.value:g} is outside of {self.low:g} to {self.high:g}: {self.hint}"
            )
        return quantity


class _Bounds(AfterValidator):
    """The bounds as a validator that its JSON schema shows."""

    func: _Within

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Return the JSON schema with the limits of a plain number and of a mapping's value."""
        limits = {"minimum": self.func.low, "maximum": self.func.high}
        return {**handler(core_schema), **limits, "properties": {"value": limits}}


def bounded(low: float, high: float, hint: str) -> Any:
    """Return a validator of a quantity's magnitude, whose error ends with a hint at its unit."""
    return _Bounds(_Within(low, high, hint))


Energy: TypeAlias = Annotated[Quantity, bounded(-30, 30, "give it in eV")]
Voltage: TypeAlias = Annotated[Quantity, bounded(-3, 8, "give it in V against the mobile metal")]
WorkFunction: TypeAlias = Annotated[Quantity, bounded(0.5, 12, "give it in eV, positive")]
IonizationPotential: TypeAlias = Annotated[Quantity, bounded(0.5, 20, "give it in eV, positive")]
BandGap: TypeAlias = Annotated[Quantity, bounded(0.05, 20, "give it in eV; a metal has no gap")]
DielectricConstant: TypeAlias = Annotated[
    DielectricQuantity, bounded(1, 1e5, "the static constant relative to vacuum, at least 1")
]
Fraction: TypeAlias = Annotated[Quantity, bounded(1e-9, 1, "a fraction of the sites, 0 < a <= 1")]
SiteDensity: TypeAlias = Annotated[
    Quantity, bounded(1e15, 1e24, "give it per cm3 (1e28 per m3 is 1e22 per cm3)")
]
ArealSiteDensity: TypeAlias = Annotated[
    Quantity, bounded(1e11, 1e17, "give it per cm2 (1e19 per m2 is 1e15 per cm2)")
]
BarrierEnergy: TypeAlias = Annotated[Quantity, bounded(0, 5, "give it in eV, not negative")]
Frequency: TypeAlias = Annotated[Quantity, bounded(1e9, 1e15, "give it in Hz")]
HopDistance: TypeAlias = Annotated[Quantity, bounded(0.05, 2, "give it in nm")]
Mass: TypeAlias = Annotated[Quantity, bounded(0.001, 1000, "in units of the free electron's")]
Dipole: TypeAlias = Annotated[Quantity, bounded(-10, 10, "give it in V")]
IonicConductivity: TypeAlias = Annotated[Quantity, bounded(1e-40, 1e3, "give it in S/cm")]
CarrierDensity: TypeAlias = Annotated[
    Quantity, bounded(1.0, 1e24, "give it per cm3 (1e28 per m3 is 1e22 per cm3)")
]
Mobility: TypeAlias = Annotated[
    Quantity, bounded(1e-20, 1e6, "give it in cm2/(V s); 1e-4 m2/(V s) is 1 cm2/(V s)")
]
Diffusivity: TypeAlias = Annotated[
    Quantity, bounded(1e-25, 1.0, "give it in cm2/s; 1e-14 m2/s is 1e-10 cm2/s")
]
Kelvin: TypeAlias = Annotated[Number, Field(ge=50, le=3000)]


class Defect(_Model):
    """One charged point defect that the phase can form.

    Parameters
    ----------
    name : str
        A name such as ``Li_i`` or ``V_Li``, unique within the record.
    charge : int
        Charge q, in elementary charges.
    ion_change : float
        Number of mobile ions added, dn: +1 for an interstitial, −1 for a vacancy; +1 for a
        fluorine vacancy in LiF, because equilibrium with the compound ties mu_F to mu_Li. May be
        fractional.
    formation_energy_eV : Quantity, optional
        Formation energy E0 at E_F = VBM and mu = 0 (the mobile element's metal); may be negative.
        Omit it where the record gives `neutral_potential_V` and `neutral_formation_energy_eV`.
    site_density_cm3 : Quantity
        Sites of the defect's sublattice per volume.
    sublattice : str
        Name of its sublattice. Defects on the same sublattice exclude each other.
    degeneracy : float
        Number of equivalent states per site, g.
    migration_energy_eV : Quantity, optional
        Barrier of the mobile ion's hop by this defect. Omit it where the record gives its
        `conductivity`, from which it then follows.
    attempt_frequency_Hz : Quantity, optional
        Attempt frequency of that hop. A defect without a hop screens but does not conduct.
    hop_distance_nm : Quantity, optional
        Length of that hop.
    """

    name: PartName
    charge: Charge
    ion_change: Number
    formation_energy_eV: Energy | None = None
    site_density_cm3: SiteDensity
    sublattice: PartName
    degeneracy: Annotated[Number, Field(gt=0, le=1000)] = 1
    migration_energy_eV: BarrierEnergy | None = None
    attempt_frequency_Hz: Frequency | None = None
    hop_distance_nm: HopDistance | None = None

    @model_validator(mode="after")
    def _hop_is_whole(self) -> Defect:
        hop = (self.attempt_frequency_Hz, self.hop_distance_nm)
        given = [part is not None for part in (*hop, self.migration_energy_eV)]
        if any(given) and any(part is None for part in hop):
            raise ValueError(
                "migration_energy_eV, attempt_frequency_Hz and hop_distance_nm belong together: "
                "give all three, or none for a defect that does not conduct (without the first "
                "one only if the record has a conductivity)"
            )
        if any(given) and self.ion_change == 0.0:
            raise ValueError(
                f"{self.name} has ion_change 0 and a hop, but only a defect that adds or removes "
                "mobile ions can carry them: leave out migration_energy_eV, attempt_frequency_Hz "
                "and hop_distance_nm, or correct ion_change"
            )
        return self

    @property
    def hops(self) -> bool:
        """Return whether the mobile ion moves by this defect."""
        return self.hop_distance_nm is not None


class Carriers(_Model):
    """One choice of the defects that carry the current, and its weight.

    Parameters
    ----------
    defects : list of str
        Names of the record's defects that carry the current.
    weight : float
        Weight relative to the record's other choices. The first choice is the nominal one.
    source : str, optional
        Evidence for the choice, or the reason for an assumption.
    """

    defects: Annotated[list[str], Field(min_length=1, max_length=64)]
    weight: Annotated[Number, Field(gt=0, le=1e6)] = 1.0
    source: str | None = None


class Conductivity(_Model):
    """The measured conductivity of the undoped bulk within its stability window.

    The migration energies follow from it.

    Parameters
    ----------
    value_S_cm : Quantity
        Conductivity sigma of the mobile ion.
    temperature_K : float
        Temperature at which that conductivity was measured.
    activation_energy_eV : Quantity
        Activation energy at that temperature, ``−k d ln(sigma T)/d(1/T)``.
    """

    value_S_cm: IonicConductivity
    temperature_K: Kelvin
    activation_energy_eV: BarrierEnergy


class SharedError(_Model):
    """One error that several numbers of a record have in common.

    Parameters
    ----------
    name : str
        Name of what is uncertain, such as ``valence_band``.
    uncertainty_eV : float
        Its uncertainty: one standard deviation.
    moves : mapping
        Factor by which each field moves with the error: ``defects[V_Li].formation_energy_eV: 1``.
        A field's own uncertainty does not include the shared error.
    """

    name: PartName
    uncertainty_eV: Annotated[Number, Field(ge=0, le=10)]
    moves: Annotated[dict[str, Number], Field(min_length=1)]


class SpaceCharge(_Model):
    """The properties that let an electrode form a space charge at its contact.

    Parameters
    ----------
    dielectric_constant : Quantity
        Static dielectric constant relative to vacuum.
    site_density_cm3 : Quantity
        Sites of the mobile ion per volume.
    holes_cm3 : Quantity, optional
        Holes in the neutral electrode. Give one of `holes_cm3`, `electrons_cm3` and `band_gap_eV`.
    electrons_cm3 : Quantity, optional
        Conduction electrons in the neutral electrode.
    band_gap_eV : Quantity, optional
        Band gap of an intrinsic electrode.
    conductivity_S_cm : Quantity, optional
        Conductivity of the mobile ion; without it the electrode's space charge adds no resistance.
    """

    dielectric_constant: DielectricConstant
    site_density_cm3: SiteDensity
    holes_cm3: CarrierDensity | None = None
    electrons_cm3: CarrierDensity | None = None
    band_gap_eV: BandGap | None = None
    conductivity_S_cm: IonicConductivity | None = None

    @model_validator(mode="after")
    def _one_kind_of_carriers(self) -> SpaceCharge:
        given = [self.holes_cm3, self.electrons_cm3, self.band_gap_eV]
        if sum(one is not None for one in given) != 1:
            raise ValueError("give one of holes_cm3, electrons_cm3 and band_gap_eV")
        return self


class MetalState(_Model):
    """A metallic phase at one ion content.

    Parameters
    ----------
    ion_content : float
        Mobile ions per formula unit.
    voltage_V : Quantity
        Equilibrium potential against the mobile metal.
    work_function_eV : Quantity
        Work function of the record's surface, positive.
    """

    ion_content: Annotated[Number, Field(ge=0, le=100)]
    voltage_V: Voltage
    work_function_eV: WorkFunction


def _is_site(site: Any) -> bool:
    species = site.get("species") if isinstance(site, dict) else None
    return isinstance(species, list) and all(
        isinstance(each, dict)
        and isinstance(each.get("element"), str)
        and isinstance(each.get("occu"), (int, float))
        for each in species
    )


class PhaseEnergies(_Model):
    """Total energies of a phase and of those that it may react to, by one method.

    Parameters
    ----------
    composition : str
        Formula of the phase; for an electrode, that of its host, with or without the mobile ion.
    method : str
        How the energies were obtained. Only energies with the same method are compared.
    energies_eV : mapping
        Energies per atom by formula: of the phase, its elements, and their compounds.
    """

    composition: Annotated[str, Field(min_length=1, max_length=128)]
    method: Annotated[str, Field(min_length=1)]
    energies_eV: Annotated[dict[str, Number], Field(min_length=1)]

    @model_validator(mode="after")
    def _formulas_are_known(self) -> PhaseEnergies:
        for formula in (self.composition, *self.energies_eV):
            parts = re.findall(r"([A-Z][a-z]?)(\d*\.?\d*)", formula)
            if not parts or "".join(name + count for name, count in parts) != formula:
                raise ValueError(f"{formula!r} is not a formula without brackets such as Li3PO4")
        return self


class _Material(_Model):
    """The fields that all records have.

    Parameters
    ----------
    name : str
        Name of the record, without spaces and slashes; cells and commands refer to it.
    mobile_ion : str
        Element symbol of the mobile ion.
    ion_charge : int
        Charge number z of the mobile ion; may be omitted for the usual ions (Li, Na, K, Mg, …).
    surface : str, optional
        Surface to which the levels belong, such as ``(110) Li-terminated``; free text.
    areal_site_density_cm2 : Quantity, optional
        Sites of the mobile ion per area of a contact, for the exchange current. Default: derived
        from the defects' site densities.
    reorganization_energy_eV : Quantity, optional
        Reorganization energy for Marcus–Hush–Chidsey kinetics at finite current; without it,
        Butler–Volmer kinetics.
    shared_errors : list of SharedError
        Errors that several fields have in common.
    phase_energies : PhaseEnergies, optional
        Total energies from which the reaction at a contact follows.
    structure : mapping, optional
        Crystal structure: the name of a CIF or POSCAR next to the record's file, or a pymatgen
        structure as a mapping.
    provenance : mapping
        Origin of the record; free-form.
    """

    name: RecordName
    mobile_ion: Annotated[str, Field(pattern=r"^[A-Z][a-z]?$")]
    ion_charge: Annotated[Charge, Field(ge=1)] = Field(default=None, validate_default=True)
    surface: Annotated[str, AfterValidator(check_visible)] | None = None
    areal_site_density_cm2: ArealSiteDensity | None = None
    reorganization_energy_eV: BarrierEnergy | None = None
    shared_errors: list[SharedError] = Field(default_factory=list)
    phase_energies: PhaseEnergies | None = None
    structure: dict[str, Any] | None = None
    provenance: dict[str, Any] = Field(default_factory=dict)

    @field_validator("shared_errors")
    @classmethod
    def _names_are_unique(cls, errors: list[SharedError]) -> list[SharedError]:
        names = [error.name for error in errors]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"the name {name!r} appears twice; give each its own")
        return errors

    @property
    def has_state_of_charge(self) -> bool:
        """Whether predictions with this record depend on the state of charge."""
        return False

    def _check_moved(self, known: Iterable[str]) -> None:
        """Refuse shared errors that move what the record does not have."""
        fields = list(known)
        for index, error in enumerate(self.shared_errors):
            for field in error.moves:
                if field not in fields:
                    raise ValueError(
                        f"shared_errors[{index}].moves: {field!r} is not an energy or potential of "
                        f"this record; it has {', '.join(fields)}"
                    )

    @field_validator("structure", mode="before")
    @classmethod
    def _as_plain_values(cls, structure: Any) -> Any:
        """Take a pymatgen Structure, as jobflow makes of it what a job handed on."""
        if not hasattr(structure, "as_dict"):
            return structure
        return json.loads(json.dumps(structure.as_dict()))

    @field_validator("structure")
    @classmethod
    def _has_species(cls, structure: dict[str, Any] | None) -> dict[str, Any] | None:
        """Refuse what is no structure; pymatgen, which takes long to import, reads it later."""
        if structure is not None and "sites" in structure:
            sites = structure["sites"]
            if not isinstance(sites, list) or not all(map(_is_site, sites)):
                raise ValueError(
                    "sites: a list was expected, each with its species, as pymatgen writes "
                    "structures"
                )
        return structure

    @field_validator("ion_charge", mode="before")
    @classmethod
    def _charge_of_a_known_ion(cls, charge: Any, info: ValidationInfo) -> Any:
        if charge is not None:
            return charge
        known = ION_CHARGES.get(info.data.get("mobile_ion", ""))
        if known is None:
            raise ValueError("give the charge number of the mobile ion, 1 for Li")
        return known


#: What a defect that carries no current is slower by, where the record does not say.
OTHERS_SLOWER = Quantity(
    value=0.2,
    uncertainty=0.1,
    source="assumed (so much that a second carrier does not show in a conductivity)",
    method="assumed",
)


class Insulator(_Material):
    """An electrolyte, interlayer or coating: levels, dielectric constant and defects.

    Parameters
    ----------
    kind : "insulator"
        Marks the record as that of an insulator.
    ionization_potential_eV : Quantity
        Vacuum level minus valence band maximum at the record's surface.
    band_gap_eV : Quantity
        Band gap E_g. The electron affinity is the ionization potential minus E_g.
    dielectric_constant : DielectricQuantity
        Static dielectric constant relative to vacuum, lattice included; a number or a tensor.
    saturation : Quantity
        Largest fraction of a sublattice that its defects can occupy, alpha.
    stability_window_V : (Quantity, Quantity), optional
        Reduction and oxidation limit against the mobile metal.
    defects : list of Defect
        Charged point defects; a neutral bulk needs at least one positive and one negative defect.
    electron_effective_mass, hole_effective_mass : Quantity
        Density-of-states effective mass, in free-electron masses.
    electron_mobility_cm2_Vs, hole_mobility_cm2_Vs : Quantity, optional
        Mobility of this carrier, which then conducts in an impedance. Without it, the carrier only
        screens.
    electrons : bool
        Whether electrons and holes take part in the screening.
    charge_neutrality_level_eV : Quantity, optional
        Charge-neutrality level below the vacuum level, positive; for a contact with Fermi-level
        pinning.
    carriers : list of Carriers
        Choices of the defects that carry the current. Default: all defects that hop.
    others_slower_eV : Quantity
        Amount by which the barrier of a defect that is not among the carriers is higher.
    conductivity : Conductivity, optional
        Measured ionic conductivity, which replaces the migration energies of the defects.
    neutral_potential_V : Quantity, optional
        Potential of the neutral phase against the mobile metal at 300 K, phi_0, for a record with
        two defects of opposite charge; replaces their formation energies.
    neutral_formation_energy_eV : Quantity, optional
        Mean formation energy of these two defects at that potential.
    """

    kind: Literal["insulator"] = "insulator"
    ionization_potential_eV: IonizationPotential
    band_gap_eV: BandGap
    dielectric_constant: DielectricConstant
    saturation: Fraction = Quantity(value=1.0)
    stability_window_V: tuple[Voltage, Voltage] | None = None
    defects: Annotated[list[Defect], Field(min_length=1, max_length=64)]
    electron_effective_mass: Mass = Quantity(value=1.0)
    hole_effective_mass: Mass = Quantity(value=1.0)
    electron_mobility_cm2_Vs: Mobility | None = None
    hole_mobility_cm2_Vs: Mobility | None = None
    electrons: bool = True
    charge_neutrality_level_eV: WorkFunction | None = None
    carriers: Annotated[list[Carriers], Field(max_length=64)] = Field(default_factory=list)
    others_slower_eV: BarrierEnergy = OTHERS_SLOWER
    conductivity: Conductivity | None = None
    neutral_potential_V: Voltage | None = None
    neutral_formation_energy_eV: Energy | None = None

    @model_validator(mode="after")
    def _hops_are_known(self) -> Insulator:
        by_name = {defect.name: defect for defect in self.defects}
        for index, choice in enumerate(self.carriers):
            for name in choice.defects:
                if name not in by_name:
                    raise ValueError(
                        f"carriers[{index}].defects: {name!r} is not a defect of this record; it "
                        f"has {', '.join(by_name)}"
                    )
                if not by_name[name].hops:
                    raise ValueError(
                        f"carriers[{index}].defects: {name!r} does not hop; give its "
                        "attempt_frequency_Hz and hop_distance_nm"
                    )
            if len(set(choice.defects)) < len(choice.defects):
                raise ValueError(f"carriers[{index}].defects: a name appears twice")
        for defect in self.defects:
            if defect.hops and defect.migration_energy_eV is None and self.conductivity is None:
                raise ValueError(
                    f"defects: {defect.name} has an attempt_frequency_Hz and no "
                    "migration_energy_eV; give that, or the record's conductivity"
                )
        if self.conductivity is not None and not any(defect.hops for defect in self.defects):
            raise ValueError(
                "conductivity: no defect has attempt_frequency_Hz and hop_distance_nm; give them "
                "to those that carry the current"
            )
        return self

    @model_validator(mode="after")
    def _energies_are_known(self) -> Insulator:
        missing = [d.name for d in self.defects if d.formation_energy_eV is None]
        neutral = (self.neutral_potential_V, self.neutral_formation_energy_eV)
        if all(one is None for one in neutral):
            if missing:
                raise ValueError(
                    f"defects: {missing[0]} has no formation_energy_eV; give it, or "
                    "neutral_potential_V and neutral_formation_energy_eV of the record"
                )
            return self
        if any(one is None for one in neutral):
            raise ValueError(
                "neutral_potential_V and neutral_formation_energy_eV belong together: give both"
            )
        if len(missing) < len(self.defects):
            raise ValueError(
                "defects: formation_energy_eV follows from neutral_potential_V and "
                "neutral_formation_energy_eV; give either those or these"
            )
        z = self.ion_charge
        if sorted(defect.charge for defect in self.defects) != [-z, z]:
            raise ValueError(
                "neutral_potential_V and neutral_formation_energy_eV say enough of two defects of "
                f"charge {z:+d} and {-z:+d} alone; give each defect's formation_energy_eV instead"
            )
        return self

    @model_validator(mode="after")
    def _shared_errors_move_what_is_there(self) -> Insulator:
        names = (
            "ionization_potential_eV",
            "band_gap_eV",
            "charge_neutrality_level_eV",
            "neutral_potential_V",
            "neutral_formation_energy_eV",
            "reorganization_energy_eV",
        )
        fields = [name for name in names if getattr(self, name) is not None]
        if self.conductivity is not None:
            fields.append("conductivity.activation_energy_eV")
        for defect in self.defects:
            for name in ("formation_energy_eV", "migration_energy_eV"):
                if getattr(defect, name) is not None:
                    fields.append(f"defects[{defect.name}].{name}")
        self._check_moved(fields)
        return self

    @model_validator(mode="after")
    def _consistent(self) -> Insulator:
        if self.stability_window_V is not None:
            low, high = (bound.value for bound in self.stability_window_V)
            if low >= high:
                raise ValueError(
                    f"stability_window_V: reduction limit {low:g} V is not below the oxidation "
                    f"limit {high:g} V; write [reduction, oxidation]"
                )
        names = [defect.name for defect in self.defects]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"defects: the name {name!r} appears twice; give each its own")
        densities: dict[str, tuple[str, float]] = {}
        for defect in self.defects:
            density = defect.site_density_cm3.value
            other, known = densities.setdefault(defect.sublattice, (defect.name, density))
            if known != density:
                raise ValueError(
                    f"defects: {other} and {defect.name} share the sublattice "
                    f"{defect.sublattice!r} but differ in site_density_cm3 ({known:g} and "
                    f"{density:g}); give them the same number, or separate sublattices"
                )
        return self


class Metal(_Material):
    """An electrode: voltage and work function as functions of its ion content.

    Parameters
    ----------
    kind : "metal"
        Marks the record as that of an electrode.
    states : list of MetalState
        States in the order of their ion content, ascending or descending.
    sites_per_formula : float, optional
        Sites of the mobile ion per formula unit. The occupation theta is ion_content over it.
    two_phase_range : (float, float), optional
        Ion contents of two phases that coexist at every ion content between these.
    space_charge : SpaceCharge, optional
        Properties for a space charge in the electrode. Without them, its potential is constant up
        to the contact.
    chemical_diffusivity_cm2_s : Quantity, optional
        Chemical diffusivity of the mobile ion at 300 K. Without it, an impedance does not include
        diffusion in the electrode.
    diffusivity_activation_energy_eV : Quantity, optional
        Activation energy of that diffusivity. Default: it does not depend on temperature.
    """

    kind: Literal["metal"] = "metal"
    states: Annotated[list[MetalState], Field(min_length=1, max_length=10_000)]
    sites_per_formula: Annotated[Number, Field(gt=0, le=100)] | None = None
    two_phase_range: tuple[Number, Number] | None = None
    space_charge: SpaceCharge | None = None
    chemical_diffusivity_cm2_s: Diffusivity | None = None
    diffusivity_activation_energy_eV: BarrierEnergy | None = None

    @property
    def has_state_of_charge(self) -> bool:
        """Whether predictions with this record depend on the state of charge."""
        return len(self.states) > 1

    @field_validator("states")
    @classmethod
    def _in_ascending_order(cls, states: list[MetalState]) -> list[MetalState]:
        """Accept either order, since people charge and discharge."""
        if states[0].ion_content > states[-1].ion_content:
            return states[::-1]
        return states

    @model_validator(mode="after")
    def _sites_hold_the_ions(self) -> Metal:
        sites = self.sites_per_formula
        if sites is not None:
            for state in self.states:
                if state.ion_content > sites * (1 + 1e-9):
                    raise ValueError(
                        f"sites_per_formula: {sites:g} sites do not hold the ion_content "
                        f"{state.ion_content:g} of the record's states"
                    )
        if self.space_charge is not None and sites is None:
            raise ValueError("space_charge needs sites_per_formula, too: give it")
        if self.chemical_diffusivity_cm2_s is None:
            if self.diffusivity_activation_energy_eV is not None:
                raise ValueError(
                    "diffusivity_activation_energy_eV needs chemical_diffusivity_cm2_s: give it"
                )
        elif self.space_charge is None:
            raise ValueError(
                "chemical_diffusivity_cm2_s needs space_charge, whose site_density_cm3 says how "
                "many ions the electrode holds: give it"
            )
        if self.two_phase_range is not None:
            low, high = self.two_phase_range
            if sites is None:
                raise ValueError("two_phase_range needs sites_per_formula, too: give it")
            if not 0 <= low < high <= sites:
                raise ValueError(
                    f"two_phase_range: [{low:g}, {high:g}] must ascend within 0 to "
                    f"{sites:g} ions per formula"
                )
        self._check_moved(
            [
                "states.voltage_V",
                "states.work_function_eV",
                *(["reorganization_energy_eV"] if self.reorganization_energy_eV else []),
            ]
        )
        return self

    @model_validator(mode="after")
    def _states_are_a_curve(self) -> Metal:
        for before, after in pairwise(self.states):
            if after.ion_content <= before.ion_content:
                raise ValueError(
                    f"states: ion_content {after.ion_content:g} follows {before.ion_content:g}; "
                    "list the states in the order of their ion content, each once"
                )
            if after.voltage_V.value > before.voltage_V.value:
                raise ValueError(
                    f"states: the voltage rises from {before.voltage_V.value:g} V at ion_content "
                    f"{before.ion_content:g} to {after.voltage_V.value:g} V at "
                    f"{after.ion_content:g}; an equilibrium voltage falls as ions are added"
                )
        return self


Material: TypeAlias = Annotated[Insulator | Metal, Field(discriminator="kind")]
MATERIAL: TypeAdapter[Insulator | Metal] = TypeAdapter(Material)


def material_from(data: Any, *, where: str) -> Insulator | Metal:
    """Validate a mapping as a record; ``where`` names its file or collection in errors.

    Raises
    ------
    InputError
        With every field that is wrong, and how to mend it; or it names code.
    """
    refuse_foreign_code(data, where=where)
    material: Insulator | Metal = validated_as(MATERIAL, data, where=where)
    return material


def material_document(material: Insulator | Metal) -> dict[str, Any]:
    """Return the record as plain values for YAML, JSON and the database."""
    document = material.model_dump(mode="json", exclude_defaults=True)
    # Name and kind first, so that a file begins with what it is about.
    return {"name": material.name, "kind": material.kind, **document}


def material_hash(material: Insulator | Metal) -> str:
    """Return the identity of a record: a hash of all that it says, its provenance included."""
    text = json.dumps(material_document(material), sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def load_material(path: str | Path) -> Insulator | Metal:
    """Read a record from a YAML file (see `material_from`).

    ``structure`` may name a CIF or POSCAR, relative to the file.
    """
    data = load_yaml(path)
    if isinstance(data.get("structure"), str):
        # pymatgen takes long to import
        from interohm.slab_builders.structure_files import read_structure

        file, where = Path(path).parent / data["structure"], f"{path}: structure"
        if not os.path.isfile(file):  # of a name that is too long, too
            raise InputError(
                f"there is no file {file}",
                where=where,
                fix="give a CIF or POSCAR, relative to the record's file",
            )
        structure = read_structure(file, where=where).structure
        data["structure"] = json.loads(structure.to_json())
    return material_from(data, where=str(path))


def save_material(material: Insulator | Metal, path: str | Path) -> None:
    """Write a record to a YAML file, whole or not at all."""
    write_text(path, dump_yaml(material_document(material)))
