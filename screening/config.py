"""The description of a screening that a user writes: phases, conditions, and what to keep."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from interohm.records.cell_config import StateOfCharge, Temperature, Thickness
from interohm.screening.cells import OUTPUTS
from interohm.yaml_io import load_named_yaml, validated

Name = Annotated[str, Field(min_length=1, max_length=256)]
Expression = Annotated[str, Field(min_length=1, max_length=10_000)]


def _listed(given: Any) -> Any:
    return given if isinstance(given, list) else [given]


def _each_once(given: list[float]) -> list[float]:
    return list(dict.fromkeys(given))


_FEW = Field(min_length=1, max_length=100)
_ONCE = AfterValidator(_each_once)


def _or_one(number: Any, some: Any) -> BeforeValidator:
    return BeforeValidator(_listed, json_schema_input_type=number | some)


# a number or a list of some: from here on a list, each value once
Thicknesses: TypeAlias = Annotated[
    list[Thickness], _or_one(Thickness, Annotated[list[Thickness], _FEW]), _FEW, _ONCE
]
Temperatures: TypeAlias = Annotated[
    list[Temperature], _or_one(Temperature, Annotated[list[Temperature], _FEW]), _FEW, _ONCE
]
StatesOfCharge: TypeAlias = Annotated[
    list[StateOfCharge], _or_one(StateOfCharge, Annotated[list[StateOfCharge], _FEW]), _FEW, _ONCE
]


class _Config(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)


class Candidates(_Config):
    """A set of records; a plain list of names will do.

    Parameters
    ----------
    names : "all" or list of str
        Records by name, path of a YAML file (relative to this one), or pattern (``Li3*``), which
        stands for all records that match, in the database and among the shipped ones.
    where : str, optional
        Condition on the records: ``"reduction_limit_V < 0.5 and 'Co' not in elements"``.
    """

    names: Literal["all"] | Annotated[list[Name], Field(min_length=1)]
    where: Expression | None = None

    @model_validator(mode="before")
    @classmethod
    def _accept_plain_names(cls, data: Any) -> Any:
        return {"names": data} if isinstance(data, (str, list)) else data


class Coating(_Config):
    """A layer between an electrode and the electrolyte.

    Parameters
    ----------
    material : str
        A record's name or path.
    thickness_nm : float or list of float
        Thickness of the layer; each value of a list makes one variant.
    """

    material: Name
    thickness_nm: Thicknesses


class ScreenConfig(_Config):
    """A screening: every negative electrode with every electrolyte and every positive electrode.

    Parameters
    ----------
    name : str
        Name of the screening, free text. Default: name of the file without its extension.
    mobile_ion : str
        Mobile ion of the records that "all" and patterns match.
    negative_electrodes, electrolytes, positive_electrodes : Candidates
        Set of records for this part of the cell.
    negative_coatings, positive_coatings : list of Coating
        Coatings, each of which makes a further variant of every electrode on this side.
    uncoated : bool
        Whether electrodes on a side with coatings are also screened without one.
    electrolyte_thickness_nm : float or list of float
        Thickness of every electrolyte; each value of a list is screened separately.
    temperatures_K, states_of_charge : float or list of float
        Conditions; each pair of temperature and state of charge is screened separately.
    electrons : bool
        Whether electrons and holes take part in the screening of charges.
    where : str, optional
        Condition on cells: ``"open_circuit_voltage_V > 3 and electrolyte != 'LiPON'"``.
    rank_by : list of str
        Outputs by which cells are ranked.
    count : int
        Number of best cells to keep.
    pareto : list of list of str
        Groups of outputs; for each group, the cells that no other beats in all of its outputs.
    histograms : list of str
        Outputs whose values are counted in bins.
    samples : int
        Number of samples of the survivors' uncertainties; 0 for none.
    survivors : int
        Number of best cells by the first output whose uncertainties are compared.
    solve_whole_at_most : int
        Largest number of cells that are not the sum of their contacts and are solved as a whole,
        one by one; if there are more, they have no resistance.
    structures : mapping
        Crystal structures (CIF, POSCAR; relative to this file) of records that have none, by the
        record's name, for the campaign that `--next` writes.
    """

    name: Annotated[str, Field(min_length=1, max_length=128)] = "screening"
    mobile_ion: Annotated[str, Field(pattern=r"^[A-Z][a-z]?$")] = "Li"
    negative_electrodes: Candidates
    electrolytes: Candidates
    positive_electrodes: Candidates
    negative_coatings: list[Coating] = []
    positive_coatings: list[Coating] = []
    uncoated: bool = True
    electrolyte_thickness_nm: Thicknesses = [20_000.0]
    temperatures_K: Temperatures = [300.0]
    states_of_charge: StatesOfCharge = [0.0]
    electrons: bool = True
    where: Expression | None = None
    rank_by: Annotated[list[str], Field(min_length=1)] = ["resistance_ohm_cm2"]
    count: Annotated[int, Field(ge=1, le=100_000)] = 20
    pareto: list[Annotated[list[str], Field(min_length=2, max_length=6)]] = [
        ["resistance_ohm_cm2", "electron_barrier_eV"],
        ["resistance_ohm_cm2", "stability_margin_V"],
        ["resistance_ohm_cm2", "open_circuit_voltage_V"],
    ]
    histograms: list[str] = [
        "resistance_ohm_cm2",
        "electron_barrier_eV",
        "stability_margin_V",
        "open_circuit_voltage_V",
    ]
    samples: Annotated[int, Field(ge=0, le=100_000)] = 1000
    survivors: Annotated[int, Field(ge=2, le=2000)] = 100
    solve_whole_at_most: Annotated[int, Field(ge=0, le=1_000_000)] = 1000
    # no result depends on it
    structures: Annotated[dict[Name, Name], Field(exclude=True)] = {}

    @property
    def thickness_nm(self) -> float:
        """Thickness of the electrolytes, in a screening with a single one (`at_thickness`)."""
        (only,) = self.electrolyte_thickness_nm
        return only

    def at_thickness(self, thickness_nm: float) -> ScreenConfig:
        """Return the same screening with one thickness of the electrolytes."""
        return self.model_copy(update={"electrolyte_thickness_nm": [thickness_nm]})

    @field_validator("rank_by", "histograms")
    @classmethod
    def _are_outputs(cls, names: list[str]) -> list[str]:
        for name in names:
            _check_output(name)
        if len(set(names)) < len(names):
            raise ValueError("an output appears twice; name each once")
        return names

    @field_validator("pareto")
    @classmethod
    def _are_groups_of_outputs(cls, groups: list[list[str]]) -> list[list[str]]:
        for names in groups:
            cls._are_outputs(names)
        return groups


def _check_output(name: str) -> None:
    if name not in OUTPUTS:
        raise ValueError(
            f"{name!r} is not an output of a cell; the outputs are: {', '.join(OUTPUTS)}"
        )


def load_screen(path: str | Path) -> ScreenConfig:
    """Read a screening from a YAML file.

    Raises
    ------
    InputError
        With every field that is wrong, and how to mend it.
    """
    return validated(ScreenConfig, load_named_yaml(path), where=str(path))
