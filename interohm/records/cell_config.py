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
    """A chemical potential that is given rather than set by the electrodes.

    Parameters
    ----------
    extrinsic_mu_eV : float or list of float
        Chemical potential mu of the neutral mobile element in the layer: one value, or one for
        each state of charge of the cell. 0 is the mobile metal.
    """

    extrinsic_mu_eV: Potential | list[Potential]


class IonContentRange(_Config):
    """An electrode's ion content in the discharged and in the charged cell.

    Parameters
    ----------
    discharged : float
        Ion content at state of charge 0.
    charged : float
        Ion content at state of charge 1.
    """

    discharged: Annotated[Number, Field(ge=0)]
    charged: Annotated[Number, Field(ge=0)]


class _Profile(_Config):
    """A property that varies along a layer: linear between the points, constant beyond them.

    Parameters
    ----------
    distance_nm : list of float
        Distances from the layer's left end, ascending; two equal ones make a step.
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
                    f"distance_nm: {first:g} nm appears more than twice; a step takes two points"
                )
        return self


class DopingProfile(_Profile):
    """Frozen species along a layer.

    Parameters
    ----------
    donors_minus_acceptors_cm3 : list of float
        Donors minus acceptors at each distance.
    """

    donors_minus_acceptors_cm3: list[NetDoping]


class PolarizationProfile(_Profile):
    """Fixed polarization along a layer.

    Parameters
    ----------
    polarization_uC_cm2 : list of float
        Polarization at each distance, positive towards the positive electrode.
    """

    polarization_uC_cm2: list[Polarization]


class SusceptibilityProfile(_Profile):
    """Susceptibility along a layer.

    Parameters
    ----------
    susceptibility : list of float
        Susceptibility chi at each distance.
    """

    susceptibility: list[Susceptibility]


class CoreLayer(_Config):
    """The atomic planes next to a contact, where defects cost more or less than in the bulk.

    Parameters
    ----------
    contact : "left" or "right"
        End of the layer at which the core lies.
    width_nm : float
        Width of the core.
    energy_eV : mapping
        Energy added to the formation energy of each defect, by the defect's name (segregation
        energy).
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
        Thickness of the layer.
    fermi_level : "minimum_interface" or ExtrinsicControl
        Assumption that sets mu in an insulating layer: linear between the electrodes within the
        stability window, or a given value.
    donors_cm3 : float
        Frozen, fully ionized species of charge +1.
    acceptors_cm3 : float
        Frozen, fully ionized species of charge −1.
    ion_content : IonContentRange, optional
        Ion contents of an electrode. Default: the whole range of the record's curve.
    doping_profile : DopingProfile, optional
        Frozen species that vary along the layer, in addition to donors_cm3 and acceptors_cm3.
    polarization_uC_cm2 : float
        Fixed polarization of a polar or poled layer, positive towards the positive electrode.
    polarization_profile : PolarizationProfile, optional
        Fixed polarization that varies along the layer, in addition to polarization_uC_cm2.
    susceptibility : float
        Susceptibility chi of a polarization that follows the field, eps_0·chi·E, in addition to
        the record's dielectric constant.
    susceptibility_profile : SusceptibilityProfile, optional
        Susceptibility that varies along the layer, in addition to susceptibility.
    core_layers : list of CoreLayer
        Formation energies that differ next to the layer's contacts.
    interaction_eV : mapping
        Interaction energy W of the regular solution by defect, E_d += W c_d/N_s; positive values
        repel.
    extrinsic : LayerExtrinsic, optional
        Grains, for the apparent resistance that an experiment would measure. The intrinsic
        resistance does not include them.
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
        """Fields that need the grid solver for this layer."""
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
    """Given data of one contact between neighbours.

    Parameters
    ----------
    barrier_eV : Quantity, optional
        Barrier E_b of the ion's hop across the contact. Default: that of a known interface of the
        two records, in the database or shipped; otherwise the mean of the two bulk barriers plus
        an unknown excess, which is sampled.
    dipole_V : Quantity, optional
        Step of the vacuum level, Delta = phi(right) − phi(left); 0 is vacuum alignment. Default:
        that of a known interface of the two surfaces, in the database or shipped; otherwise 0.
    ion_transfer : "free" or "blocked"
        Whether ions cross the contact. A blocked contact has no finite resistance.
    areal_site_density_cm2 : Quantity, optional
        Sites from which the ion hops, per area of the contact. Default: that of a known interface,
        otherwise of the records.
    sheet_charge_e_nm2 : float
        Fixed charge of the contact plane, which the space charges compensate.
    pinning_factor : float
        Pinning factor S; 1 is no pinning. Below 1, the charge-neutrality levels of the two phases
        add (1 − S)·(Phi_CNL,left − Phi_CNL,right) to the dipole.
    left_facet_eV, right_facet_eV : float
        Ionization potential (or work function) of the facet on this side minus that of the record.
    extrinsic : ContactExtrinsic, optional
        Real contact area, constriction and interphase, for the apparent resistance that an
        experiment would measure. The intrinsic resistance does not change.
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
        Name of the collector's material, free text.
    work_function_eV : Quantity
        Work function of the pure collector, where no mobile element has entered.
    thickness_nm : float, optional
        Thickness of the collector. Only a collector with a thickness appears in the profile.
    ion_front_nm : float or list of float
        Depth to which the mobile element has entered from the electrode; up to there the collector
        has the electrode's work function. One depth, or one for each state of charge of the cell.
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
    """The current collectors beside the two electrodes.

    Parameters
    ----------
    negative : Collector
        Collector next to the first layer.
    positive : Collector
        Collector next to the last layer.
    """

    negative: Collector
    positive: Collector


class Cell(_Config):
    """A cell from its negative to its positive electrode.

    Parameters
    ----------
    name : str
        Name of the cell in reports and in the database; free text.
    temperature_K : float
        Temperature of the cell.
    states_of_charge : list of float
        States of charge to solve; 0 is discharged, 1 charged.
    layers : list of Layer
        Layers from the negative to the positive electrode.
    contacts : list of Contact, optional
        One entry for each pair of neighbouring layers; ``{}`` for a contact without settings.
        Default: nothing is given for any contact.
    collectors : Collectors, optional
        Current collectors, for potential maps across the whole device.
    electrons : bool
        Whether electrons and holes take part in the screening.
    """

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
