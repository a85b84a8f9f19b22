"""The description of a cell that a user writes: layers, contacts, collectors, temperature."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from interohm.records.extrinsic import ContactExtrinsic, LayerExtrinsic
from interohm.records.material import (
    ArealSiteDensity,
    BarrierEnergy,
    Dipole,
    Number,
    WorkFunction,
)
from interohm.yaml_io import load_named_yaml, validated


def _plausible_temperature(temperature_K: float) -> float:
    if not 50 <= temperature_K <= 3000:
        raise ValueError(f"{temperature_K:g} K is outside of 50 to 3000 K; give it in kelvin")
    return temperature_K


def _plausible_thickness(thickness_nm: float) -> float:
    if thickness_nm <= 0:
        raise ValueError("a thickness must be positive")
    if not 0.1 <= thickness_nm <= 1e9:
        raise ValueError(f"{thickness_nm:g} nm is outside of 0.1 nm to 1 m; give it in nm")
    return thickness_nm


Temperature: TypeAlias = Annotated[
    Number,
    AfterValidator(_plausible_temperature),
    Field(json_schema_extra={"minimum": 50, "maximum": 3000}),
]
Thickness: TypeAlias = Annotated[
    Number,
    AfterValidator(_plausible_thickness),
    Field(json_schema_extra={"minimum": 0.1, "maximum": 1e9}),
]
Front: TypeAlias = Annotated[Number, Field(ge=0, le=1e9)]
StateOfCharge: TypeAlias = Annotated[Number, Field(ge=0, le=1)]
DopantConcentration: TypeAlias = Annotated[Number, Field(ge=0, le=1e23)]
Distance: TypeAlias = Annotated[Number, Field(ge=0, le=1e9)]
NetDoping: TypeAlias = Annotated[Number, Field(ge=-1e23, le=1e23)]
SheetCharge: TypeAlias = Annotated[Number, Field(ge=-50, le=50)]
Polarization: TypeAlias = Annotated[Number, Field(ge=-500, le=500)]
Susceptibility: TypeAlias = Annotated[Number, Field(ge=0, le=1e5)]
SmallEnergy: TypeAlias = Annotated[Number, Field(ge=-10, le=10)]
Potential: TypeAlias = Annotated[Number, Field(ge=-10, le=10)]


class _Config(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True, defer_build=True)


class ExtrinsicControl(_Config):
    """The layer's mu is a given constant, or one value for each state of charge of the cell."""

    extrinsic_mu_eV: Potential | list[Potential]


class IonContentRange(_Config):
    """An electrode's ion content in the discharged and in the charged cell."""

    discharged: Annotated[Number, Field(ge=0)]
    charged: Annotated[Number, Field(ge=0)]


class _Profile(_Config):
    """What varies along a layer: linear between the points, constant beyond them.

    Parameters
    ----------
    distance_nm : list of float
        Ascending, from the layer's left end to at most its right one; two equal ones make a jump.
    """

    distance_nm: Annotated[list[Distance], Field(min_length=1, max_length=10_000)]

    @model_validator(mode="after")
    def _table(self) -> Self:
        for name, values in self:
            if len(values) != len(self.distance_nm):
                raise ValueError(
                    f"{len(self.distance_nm)} distance_nm and {len(values)} {name}: give one each"
                )
        if any(after < before for before, after in pairwise(self.distance_nm)):
            raise ValueError("distance_nm must ascend from the layer's left end")
        for first, third in zip(self.distance_nm, self.distance_nm[2:], strict=False):
            if first == third:
                raise ValueError(
                    f"distance_nm: {first:g} nm stands more than twice; a jump takes two points"
                )
        return self


class DopingProfile(_Profile):
    """Frozen species along a layer: net charge at `distance_nm`."""

    donors_minus_acceptors_cm3: list[NetDoping]


class PolarizationProfile(_Profile):
    """Fixed polarization along a layer, positive towards the positive electrode."""

    polarization_uC_cm2: list[Polarization]


class SusceptibilityProfile(_Profile):
    """Susceptibility along a layer."""

    susceptibility: list[Susceptibility]


class CoreLayer(_Config):
    """The atomic planes next to a contact, where defects cost more or less than in the bulk.

    Parameters
    ----------
    contact : "left" or "right"
        At which end of the layer.
    width_nm : float
        How far it reaches.
    energy_eV : mapping
        What is added to the formation energy of each defect, by its name (segregation energy).
    """

    contact: Literal["left", "right"]
    width_nm: Annotated[Number, Field(gt=0, le=1000)]
    energy_eV: dict[str, SmallEnergy]


class Layer(_Config):
    """One layer; an electrode if its material is a metal.

    Parameters
    ----------
    material : str
        A record's name, or the path of its YAML file relative to the file that names it.
    thickness_nm : float
        Of the layer.
    fermi_level : "minimum_interface" or ExtrinsicControl
        The assumption that sets mu in an insulating layer.
    donors_cm3, acceptors_cm3 : float
        Frozen species, fully ionized, of charge +1 and −1.
    ion_content : IonContentRange, optional
        Of an electrode; the whole range of the record's curve unless given.
    doping_profile : DopingProfile, optional
        Frozen species that vary along the layer, beside donors_cm3 and acceptors_cm3.
    polarization_uC_cm2 : float
        Fixed polarization of a polar or poled layer, positive towards the positive electrode.
    polarization_profile : PolarizationProfile, optional
        Fixed polarization that varies along the layer, beside polarization_uC_cm2.
    susceptibility : float
        chi of a polarization that follows the field, eps_0·chi·E, beside the record's dielectric
        constant.
    susceptibility_profile : SusceptibilityProfile, optional
        The same where it varies along the layer, beside susceptibility.
    core_layers : list of CoreLayer
        Formation energies that differ next to the layer's contacts.
    interaction_eV : mapping
        W of the regular solution by defect, E_d += W c_d/N_s; positive repels.
    extrinsic : LayerExtrinsic, optional
        Grains, for the resistance that an experiment would see; the intrinsic one has none.
    """

    material: Annotated[str, Field(min_length=1)]
    thickness_nm: Thickness
    fermi_level: Literal["minimum_interface"] | ExtrinsicControl = "minimum_interface"
    donors_cm3: DopantConcentration = 0.0
    acceptors_cm3: DopantConcentration = 0.0
    ion_content: IonContentRange | None = None
    doping_profile: DopingProfile | None = None
    polarization_uC_cm2: Polarization = 0.0
    polarization_profile: PolarizationProfile | None = None
    susceptibility: Susceptibility = 0.0
    susceptibility_profile: SusceptibilityProfile | None = None
    core_layers: list[CoreLayer] = []
    interaction_eV: dict[str, SmallEnergy] = {}
    extrinsic: LayerExtrinsic | None = None

    @property
    def features(self) -> list[str]:
        """The fields for which only the grid solver knows the layer."""
        names = (
            "doping_profile",
            "polarization_uC_cm2",
            "polarization_profile",
            "susceptibility",
            "susceptibility_profile",
            "core_layers",
            "interaction_eV",
        )
        return [name for name in names if getattr(self, name)]

    @model_validator(mode="after")
    def _features_fit(self) -> Layer:
        ends = [core.contact for core in self.core_layers]
        if len(set(ends)) < len(ends):
            raise ValueError("core_layers: at most one at each end of the layer")
        width_nm = sum(core.width_nm for core in self.core_layers)
        if width_nm >= self.thickness_nm:
            raise ValueError(
                f"core_layers: {width_nm:g} nm do not fit into a layer of {self.thickness_nm:g} nm"
            )
        for name in ("doping_profile", "polarization_profile", "susceptibility_profile"):
            profile: _Profile | None = getattr(self, name)
            if profile is not None and profile.distance_nm[-1] > self.thickness_nm:
                raise ValueError(
                    f"{name}.distance_nm: {profile.distance_nm[-1]:g} nm lies beyond the layer of "
                    f"{self.thickness_nm:g} nm; distances are in nm from its left end"
                )
        return self


class Contact(_Config):
    """What is known of one contact between neighbours.

    Parameters
    ----------
    barrier_eV : Quantity, optional
        E_b, the barrier of the ion's hop across, whatever those of the two bulks are. Without it
        the mean of these plus an excess that nobody knows, which is drawn.
    dipole_V : Quantity, optional
        Delta = phi(right) − phi(left), a step of the vacuum level; 0 is vacuum alignment. Null:
        what is known of the two surfaces in the database or among the shipped interfaces, else 0.
    ion_transfer : "free" or "blocked"
        Blocked lets no ion across: the contact has no resistance at all then.
    areal_site_density_cm2 : Quantity, optional
        Sites from which the ion hops, per area of the contact; the records' own without it.
    sheet_charge_e_nm2 : float
        Fixed charge of the contact plane, which the space charges compensate.
    pinning_factor : float
        S: 1 without pinning; below it the charge-neutrality levels of the two phases add
        (1 − S)·(Phi_CNL,left − Phi_CNL,right) to the dipole.
    left_facet_eV, right_facet_eV : float
        By how much the ionization potential (or work function) of the facet at this contact exceeds
        that of the record.
    extrinsic : ContactExtrinsic, optional
        Real contact, constriction and interphase, for the resistance that an experiment would see;
        the intrinsic one stays as it is.
    """

    barrier_eV: BarrierEnergy | None = None
    dipole_V: Dipole | None = None
    ion_transfer: Literal["free", "blocked"] = "free"
    areal_site_density_cm2: ArealSiteDensity | None = None
    sheet_charge_e_nm2: SheetCharge = 0.0
    pinning_factor: Annotated[Number, Field(ge=0, le=1)] = 1.0
    left_facet_eV: SmallEnergy = 0.0
    right_facet_eV: SmallEnergy = 0.0
    extrinsic: ContactExtrinsic | None = None


class Collector(_Config):
    """A current collector: its own work function, its electrode's Fermi level.

    Parameters
    ----------
    material : str
        Its name, free text.
    work_function_eV : Quantity
        Of the collector itself, where no mobile element has entered.
    thickness_nm : float, optional
        With it the collector has a part in the profile.
    ion_front_nm : float or list of float
        How deep the mobile element has entered from the electrode, which gives it the electrode's
        work function; one depth, or one for each state of charge of the cell.
    """

    material: Annotated[str, Field(min_length=1)]
    work_function_eV: WorkFunction
    thickness_nm: Thickness | None = None
    ion_front_nm: Front | list[Front] = 0.0

    def front_at(self, cell: Cell, state_of_charge: float) -> float:
        """Return the depth of the front; none at a state that the cell does not list."""
        if not isinstance(self.ion_front_nm, list):
            return self.ion_front_nm
        if state_of_charge not in cell.states_of_charge:
            return 0.0
        return self.ion_front_nm[cell.states_of_charge.index(state_of_charge)]


class Collectors(_Config):
    """The current collectors beside the two electrodes."""

    negative: Collector
    positive: Collector


class Cell(_Config):
    """A cell from its negative to its positive electrode."""

    name: Annotated[str, Field(min_length=1, max_length=128)] = "cell"
    temperature_K: Temperature = 300.0
    states_of_charge: Annotated[list[StateOfCharge], Field(min_length=1, max_length=1001)] = [
        0.0,
        0.25,
        0.5,
        0.75,
        1.0,
    ]
    layers: Annotated[list[Layer], Field(min_length=3, max_length=100)]
    contacts: list[Contact] | None = None
    collectors: Collectors | None = None
    electrons: bool = True

    @model_validator(mode="after")
    def _consistent(self) -> Cell:
        if self.contacts is not None and len(self.contacts) != len(self.layers) - 1:
            raise ValueError(
                f"contacts: {len(self.layers)} layers have {len(self.layers) - 1} contacts, but "
                f"{len(self.contacts)} are listed; write {{}} for a contact without settings"
            )
        for index, layer in enumerate(self.layers):
            control = layer.fermi_level
            if isinstance(control, ExtrinsicControl) and isinstance(control.extrinsic_mu_eV, list):
                given, needed = len(control.extrinsic_mu_eV), len(self.states_of_charge)
                if given != needed:
                    raise ValueError(
                        f"layers[{index}].fermi_level.extrinsic_mu_eV: {given} values for "
                        f"{needed} states_of_charge; give one each, or one number for all"
                    )
        for side in ("negative", "positive") if self.collectors is not None else ():
            collector: Collector = getattr(self.collectors, side)
            front, needed = collector.ion_front_nm, len(self.states_of_charge)
            if isinstance(front, list) and len(front) != needed:
                raise ValueError(
                    f"collectors.{side}.ion_front_nm: {len(front)} values for {needed} "
                    "states_of_charge; give one each, or one number for all"
                )
            if front and collector.thickness_nm is None:
                raise ValueError(
                    f"collectors.{side}.ion_front_nm needs the collector's thickness_nm; give it"
                )
        return self


def load_cell(path: str | Path) -> Cell:
    """Read a cell from a YAML file.

    Raises
    ------
    InputError
        With every field that is wrong, and how to mend it.
    """
    return validated(Cell, load_named_yaml(path), where=str(path))
