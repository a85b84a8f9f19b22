"""Extrinsic parts of a measured resistance: spots of real contact, interphases, grains.

None of it enters an intrinsic resistance. Every number may have an uncertainty and a source.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator

from interohm.records.material import (
    BarrierEnergy,
    Conductivity,
    Kelvin,
    Number,
    Quantity,
    bounded,
)

ContactFraction: TypeAlias = Annotated[
    Quantity, bounded(1e-9, 1, "the share of the area that touches, 0 < f <= 1")
]
Pressure: TypeAlias = Annotated[Quantity, bounded(1e-6, 1e5, "give it in MPa")]
Slope: TypeAlias = Annotated[Quantity, bounded(1e-6, 10, "a slope, rise over run")]
Modulus: TypeAlias = Annotated[Quantity, bounded(1e-3, 2e3, "give it in GPa")]
Poisson: TypeAlias = Annotated[Quantity, bounded(-1, 0.5, "a ratio between -1 and 0.5")]
SpotRadius: TypeAlias = Annotated[Quantity, bounded(1e-4, 1e4, "give it in µm")]
Length: TypeAlias = Annotated[Quantity, bounded(1e-3, 1e9, "give it in nm")]
ParabolicRate: TypeAlias = Annotated[Quantity, bounded(1e-30, 1e15, "give it in nm² per hour")]
LinearRate: TypeAlias = Annotated[Quantity, bounded(1e-30, 1e12, "give it in nm per hour")]
SmallEnergy: TypeAlias = Annotated[Number, Field(ge=-10, le=10)]

_POISSON = Quantity(
    value=0.25, uncertainty=0.05, source="assumed (as of most ceramics)", method="assumed"
)


class _Config(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)


class RoughContact(_Config):
    """Two rough surfaces pressed together, from which the real contact area follows.

    Parameters
    ----------
    pressure_MPa : Quantity
        Nominal pressure: force over nominal area.
    rms_slope : Quantity
        Root mean square slope of the roughness at its shortest wavelength.
    left_modulus_GPa, right_modulus_GPa : Quantity
        Young's modulus of this side.
    left_poisson, right_poisson : Quantity
        Poisson's ratio of this side.
    hardness_GPa : Quantity, optional
        Hardness of the softer side. Without it, there is no plastic flow.
    """

    pressure_MPa: Pressure
    rms_slope: Slope
    left_modulus_GPa: Modulus
    right_modulus_GPa: Modulus
    left_poisson: Poisson = _POISSON
    right_poisson: Poisson = _POISSON
    hardness_GPa: Modulus | None = None


class Growth(_Config):
    """Growth of an interphase, ``(L² − L_0²)/2k_p + (L − L_0)/k_l = t``.

    Parameters
    ----------
    parabolic_nm2_h : Quantity, optional
        Parabolic rate k_p of diffusion through the interphase. Without it, only the reaction
        limits the growth.
    linear_nm_h : Quantity, optional
        Linear rate k_l of the reaction. Without it, only diffusion limits the growth.
    activation_energy_eV : Quantity, optional
        Activation energy of both rates. Without it, the rates hold at the cell's temperature.
    temperature_K : float, optional
        Temperature at which the rates were measured; required with an activation energy.
    """

    parabolic_nm2_h: ParabolicRate | None = None
    linear_nm_h: LinearRate | None = None
    activation_energy_eV: BarrierEnergy | None = None
    temperature_K: Kelvin | None = None

    @model_validator(mode="after")
    def _grows(self) -> Self:
        if self.parabolic_nm2_h is None and self.linear_nm_h is None:
            raise ValueError("give parabolic_nm2_h, linear_nm_h, or both")
        if (self.activation_energy_eV is None) != (self.temperature_K is None):
            raise ValueError(
                "activation_energy_eV and temperature_K, at which the rates were measured, belong "
                "together: give both or none"
            )
        return self


class Interphase(_Config):
    """A layer that forms between the two phases.

    Parameters
    ----------
    conductivity : Conductivity
        Conductivity of the mobile ion in the interphase.
    initial_nm : Quantity, optional
        Thickness when the contact is made. Default: 0.
    growth : Growth, optional
        Growth of the interphase. Without it, the thickness is constant.
    """

    conductivity: Conductivity
    initial_nm: Length | None = None
    growth: Growth | None = None

    @model_validator(mode="after")
    def _has_a_thickness(self) -> Self:
        if self.initial_nm is None and self.growth is None:
            raise ValueError("give initial_nm, growth, or both")
        return self


class ContactExtrinsic(_Config):
    """Extrinsic parts that an experiment measures beside the intrinsic resistance of a contact.

    Parameters
    ----------
    contact_fraction : Quantity, optional
        Fraction of the area that is in contact. Default: from `rough_contact`, otherwise 1.
    rough_contact : RoughContact, optional
        Rough surfaces from which that fraction follows.
    spot_radius_um : Quantity, optional
        Radius of the spots in contact, from which the constriction resistance follows. Default: no
        constriction.
    interphase : Interphase, optional
        Layer that forms between the two phases.
    hours : float
        Age of the contact, in hours.
    """

    contact_fraction: ContactFraction | None = None
    rough_contact: RoughContact | None = None
    spot_radius_um: SpotRadius | None = None
    interphase: Interphase | None = None
    hours: Annotated[Number, Field(ge=0, le=1e8)] = 0.0

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        partly = self.contact_fraction is not None or self.rough_contact is not None
        if self.contact_fraction is not None and self.rough_contact is not None:
            raise ValueError("give one of contact_fraction and rough_contact")
        if self.spot_radius_um is not None and not partly:
            raise ValueError("spot_radius_um: give contact_fraction or rough_contact, too")
        if self.hours and (self.interphase is None or self.interphase.growth is None):
            raise ValueError("hours: nothing ages; give interphase.growth, too")
        if not partly and self.interphase is None:
            raise ValueError("give contact_fraction, rough_contact or interphase")
        return self


class GrainBoundary(_Config):
    """A grain boundary described by its conductivity, which has the prefactor of the bulk.

    Parameters
    ----------
    width_nm : Quantity
        Width of the boundary, delta.
    activation_energy_eV : Quantity
        Activation energy of sigma·T in the boundary; above that of the bulk, it conducts worse.
    """

    width_nm: Length = Quantity(
        value=1.0, uncertainty=0.5, source="assumed (two or three lattice planes)", method="assumed"
    )
    activation_energy_eV: BarrierEnergy


class GrainBoundaryCore(_Config):
    """A grain boundary described by the defects in its core, from which its space charges follow.

    Parameters
    ----------
    width_nm : float
        Width of the core.
    energy_eV : mapping
        Energy added to the formation energy of each defect, by the defect's name.
    """

    width_nm: Annotated[Number, Field(gt=0, le=100)]
    energy_eV: Annotated[dict[str, SmallEnergy], Field(min_length=1)]


class LayerExtrinsic(_Config):
    """Grains of a layer, which the intrinsic resistance does not include.

    Parameters
    ----------
    grain_size_nm : Quantity
        Distance d between grain boundaries along the current.
    boundary : GrainBoundary, optional
        Grain boundary described by its conductivity. Give either this or `core`.
    core : GrainBoundaryCore, optional
        Grain boundary described by its defects.
    """

    grain_size_nm: Length
    boundary: GrainBoundary | None = None
    core: GrainBoundaryCore | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.boundary is None) == (self.core is None):
            raise ValueError("give one of boundary and core")
        width = self.core.width_nm if self.core is not None else None
        if self.boundary is not None:
            width = self.boundary.width_nm.value
        if width is not None and width >= self.grain_size_nm.value:
            raise ValueError(
                f"width_nm: a boundary of {width:g} nm does not fit into grains of "
                f"{self.grain_size_nm.value:g} nm"
            )
        return self


def quantities_within(given: BaseModel | None, prefix: str) -> Iterator[tuple[str, Quantity]]:
    """Yield each number of what is given with its field, as ``contacts[0].barrier_eV``."""
    for field in [] if given is None else type(given).model_fields:
        item = getattr(given, field)
        if isinstance(item, Quantity):
            yield f"{prefix}.{field}", item
        elif isinstance(item, BaseModel):
            yield from quantities_within(item, f"{prefix}.{field}")


def is_uncertain(given: ContactExtrinsic | LayerExtrinsic | None) -> bool:
    """Return whether any number of what is given is drawn; a rough contact's kappa always is."""
    if isinstance(given, ContactExtrinsic) and given.rough_contact is not None:
        return True
    return any(quantity.uncertainty for _, quantity in quantities_within(given, "extrinsic"))
