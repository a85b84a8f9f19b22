"""The description of a design that a user writes: a contact, its coatings, and their limits."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Self, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from interohm.records.cell_config import (
    DopantConcentration,
    NetDoping,
    StateOfCharge,
    Susceptibility,
    Temperature,
    Thickness,
)
from interohm.records.material import Number
from interohm.yaml_io import load_named_yaml, validated

Name: TypeAlias = Annotated[str, Field(min_length=1, max_length=256)]


class _Config(BaseModel):
    model_config = ConfigDict(
        extra="forbid", allow_inf_nan=False, frozen=True, populate_by_name=True, defer_build=True
    )


class _Range(_Config):
    @model_validator(mode="after")
    def _ascends(self) -> Self:
        low, high = (getattr(self, name) for name in ("low", "high"))
        if low >= high:
            raise ValueError(f"from: {low:g} is not below to: {high:g}; the smaller first")
        return self


class ThicknessRange(_Range):
    """Thicknesses that a layer may have.

    Parameters
    ----------
    from : float
        Smallest thickness, in nm.
    to : float
        Largest thickness, in nm.
    """

    low: Annotated[Thickness, Field(alias="from")]
    high: Annotated[Thickness, Field(alias="to")]


class DopantRange(_Range):
    """Concentrations that frozen species may have.

    Parameters
    ----------
    from : float
        Lowest concentration, in cm⁻³.
    to : float
        Highest concentration, in cm⁻³.
    """

    low: Annotated[Number, Field(alias="from", gt=0, le=1e23)]
    high: Annotated[Number, Field(alias="to", gt=0, le=1e23)]


class SusceptibilityRange(_Range):
    """Susceptibilities that a layer may have.

    Parameters
    ----------
    from : float
        Smallest susceptibility.
    to : float
        Largest susceptibility.
    """

    low: Annotated[Number, Field(alias="from", gt=0, le=1e5)]
    high: Annotated[Number, Field(alias="to", gt=0, le=1e5)]


class DopingGradientRange(_Range):
    """Differences of the doping between the two ends of a layer.

    Parameters
    ----------
    from : float
        Smallest difference, in cm⁻³.
    to : float
        Largest difference, in cm⁻³.
    """

    low: Annotated[NetDoping, Field(alias="from")]
    high: Annotated[NetDoping, Field(alias="to")]


def _shape(given: Any) -> str:
    """Return whether a number is given, a few, or a range."""
    if isinstance(given, dict | _Range):
        return "range"
    return "list" if isinstance(given, list) else "number"


#: How many values a list may have.
_FEW = Field(min_length=1, max_length=20)

_Value = TypeVar("_Value")
_Span = TypeVar("_Span", bound=_Range)

#: A value, a list of which every one is tried, or a range that is searched.
_Searchable: TypeAlias = Annotated[
    Annotated[_Value, Tag("number")]
    | Annotated[list[_Value], _FEW, Tag("list")]
    | Annotated[_Span, Tag("range")],
    Discriminator(_shape),
]
Thicknesses: TypeAlias = _Searchable[Thickness, ThicknessRange]
Dopants: TypeAlias = _Searchable[DopantConcentration, DopantRange]
DopingGradients: TypeAlias = _Searchable[NetDoping, DopingGradientRange]
Susceptibilities: TypeAlias = _Searchable[Susceptibility, SusceptibilityRange]


class Coating(_Config):
    """One candidate; a name alone will do.

    Each number may be a list, all of whose values are tried, or a range, which is searched.

    Parameters
    ----------
    material : str
        A record's name, or the path of its YAML file relative to the file that names it.
    thickness_nm : float, list of float or ThicknessRange, optional
        Thickness of this candidate; default: that of all candidates.
    donors_cm3, acceptors_cm3 : float, list of float or DopantRange
        Frozen, fully ionized species of charge +1 (donors) and −1 (acceptors), mean over the layer.
    doping_gradient_cm3 : float, list of float or DopingGradientRange
        Donors minus acceptors at the layer's right end, minus those at its left end; linear in
        between, around the mean.
    susceptibility : float, list of float or SusceptibilityRange
        Susceptibility chi of a polarization that follows the field (a soft dielectric, a
        ferroelectric), in addition to the record's dielectric constant.
    """

    material: Name
    thickness_nm: Thicknesses | None = None
    donors_cm3: Dopants = 0.0
    acceptors_cm3: Dopants = 0.0
    doping_gradient_cm3: DopingGradients = 0.0
    susceptibility: Susceptibilities = 0.0

    @model_validator(mode="before")
    @classmethod
    def _accept_plain_name(cls, data: Any) -> Any:
        return {"material": data} if isinstance(data, str) else data


class SecondLayer(_Config):
    """Candidates for a layer between the first one and the right phase.

    Parameters
    ----------
    coatings : list of Coating
        Candidates, each of which is combined with each other candidate of the first layer.
    thickness_nm : ThicknessRange, float or list of float
        Thickness of the second layer.
    """

    coatings: Annotated[list[Coating], Field(min_length=1, max_length=30)]
    thickness_nm: Thicknesses


class SideMargins(_Config):
    """A stability margin for each side.

    Parameters
    ----------
    left, right : float, optional
        Margin of the contact on this side, in V; null: no limit.
    """

    left: Annotated[Number, Field(ge=-10, le=10)] | None = 0.0
    right: Annotated[Number, Field(ge=-10, le=10)] | None = 0.0


class Limits(_Config):
    """Limits that a coated contact must keep.

    Parameters
    ----------
    electron_barrier_eV, hole_barrier_eV : float, optional
        Smallest barrier from the electrode's Fermi level to the coating's highest conduction band
        (electrons) or lowest valence band (holes); null: no limit.
    leakage_A_cm2 : float, optional
        Largest current that the electrode may emit over both barriers.
    stability_margin_V : SideMargins
        Distance that a potential must keep from the limits of the windows, on each side; a negative
        number allows potentials beyond them, for phases that decompose slowly. One number holds
        for both sides. The default, 0, requires each contact to lie within its windows; the result
        shows the effect of this limit. null: no limit, also for phases whose window is unknown.
    interface_resistance_ohm_cm2 : float
        Limit of the interface resistance, which defines `largest_nm`.
    """

    electron_barrier_eV: Annotated[Number, Field(ge=0, le=20)] | None = 0.5
    hole_barrier_eV: Annotated[Number, Field(ge=0, le=20)] | None = None
    leakage_A_cm2: Annotated[Number, Field(gt=0, le=1e12)] | None = None
    stability_margin_V: SideMargins = SideMargins()
    interface_resistance_ohm_cm2: Annotated[Number, Field(gt=0, le=1e12)] = 10.0

    @model_validator(mode="before")
    @classmethod
    def _accept_one_margin(cls, data: Any) -> Any:
        if not isinstance(data, dict) or "stability_margin_V" not in data:
            return data
        margin = data["stability_margin_V"]
        if margin is None or (isinstance(margin, (int, float)) and not isinstance(margin, bool)):
            return {**data, "stability_margin_V": {"left": margin, "right": margin}}
        return data


class Design(_Config):
    """A contact of two phases and what may be put between them.

    Parameters
    ----------
    name : str
        Name of the design, free text. Default: name of the file without its extension.
    between : (str, str)
        The left and the right phase: records by name or path, at most one of them a metal.
    coatings : list of Coating
        Candidates for the layer next to the left phase.
    thickness_nm : ThicknessRange, float or list of float
        Thickness of the coating: a range is searched, a list tries each of its values.
    second_layer : SecondLayer, optional
        Candidates for a layer between coating and right phase.
    limits : Limits
        Limits that a coated contact must keep.
    temperature_K : float
        Temperature of the contact.
    states_of_charge : list of float
        States of charge of the electrode; the worst one counts. 0 is discharged.
    electrons : bool
        Whether electrons and holes take part in the screening.
    samples : int
        Number of samples of the records' uncertainties, the same for all candidates.
    structures : mapping
        Crystal structures (CIF, POSCAR) of records that have none, by the record's name, for the
        campaign that `--next` writes.
    """

    name: Annotated[str, Field(min_length=1, max_length=128)] = "design"
    between: tuple[Name, Name]
    coatings: Annotated[list[Coating], Field(min_length=1, max_length=100)]
    thickness_nm: Thicknesses
    second_layer: SecondLayer | None = None
    limits: Limits = Limits()
    temperature_K: Temperature = 300.0
    states_of_charge: Annotated[list[StateOfCharge], Field(min_length=1, max_length=21)] = [
        0.0,
        1.0,
    ]
    electrons: bool = True
    samples: Annotated[int, Field(ge=30, le=5000)] = 200
    structures: dict[Name, Name] = {}

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        lists = {"coatings": self.coatings}
        if self.second_layer is not None:
            lists["second_layer.coatings"] = self.second_layer.coatings
        for field, coatings in lists.items():
            names = [one.material for one in coatings]
            for name in names:
                if names.count(name) > 1:
                    raise ValueError(f"{field}: {name!r} appears twice; name each once")
        return self


def load_design(path: str | Path) -> Design:
    """Read a design from a YAML file.

    Raises
    ------
    InputError
        With every field that is wrong, and how to mend it.
    """
    return validated(Design, load_named_yaml(path), where=str(path))
