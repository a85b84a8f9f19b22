"""Result of a screening."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import Field

from interohm.results.design import OUTSIDE, UNKNOWN, NextCalculation
from interohm.results.result import Quantiles, Result

if TYPE_CHECKING:
    import pandas


#: What is said of cells whose stability is unknown, after how many they are.
UNKNOWN_CELLS_TEXT = (
    "is unknown, since a record of a coating or electrolyte has no stability window, and none of "
    "them is called the best: give stability_window_V there, or calculate its phase diagram"
)


class ScreenedCell(Result):
    """One cell with all outputs; null where it has none."""

    index: int = Field(description="Index of the cell among all cells.")
    negative: str = Field(description="Name of the negative electrode.")
    electrolyte: str = Field(description="Name of the electrolyte.")
    positive: str = Field(description="Name of the positive electrode.")
    resistance_ohm_cm2: float | None = Field(None, description="Ω·cm²; resistance of the cell.")
    interface_ohm_cm2: float | None = Field(
        None, description="Ω·cm²; interface resistance of all contacts and coatings."
    )
    space_charge_ohm_cm2: float | None = Field(
        None, description="Ω·cm²; excess of the space charges over the bulk."
    )
    charge_transfer_ohm_cm2: float | None = Field(
        None, description="Ω·cm²; resistance of the ion's hops across all contacts."
    )
    coating_ohm_cm2: float | None = Field(None, description="Ω·cm²; resistance of the coatings.")
    bulk_ohm_cm2: float | None = Field(
        None, description="Ω·cm²; resistance of the electrolyte's bulk."
    )
    open_circuit_voltage_V: float | None = Field(None, description="V; voltage without a current.")
    electron_barrier_eV: float | None = Field(
        None, description="eV; barrier from the electrode's Fermi level to the conduction band."
    )
    hole_barrier_eV: float | None = Field(
        None, description="eV; barrier from the electrode's Fermi level to the valence band."
    )
    stability_margin_V: float | None = Field(
        None,
        description="V; smallest distance of an electrode's potential from the window's limits.",
    )
    negative_margin_V: float | None = Field(None, description="V; margin of the negative side.")
    positive_margin_V: float | None = Field(None, description="V; margin of the positive side.")
    validity: list[str] | None = Field(
        None,
        description="Codes of doubts about the contacts; null in screenings that are too large.",
    )
    outside_of_model: bool | None = Field(
        None,
        description="Whether the phases of a contact react, or exceed a window by more than the "
        "uncertainty of its limits (95 %), so that something forms that the model does not "
        "describe; null if unknown.",
    )

    @property
    def name(self) -> str:
        """Return what the cell is called."""
        return f"{self.negative} | {self.electrolyte} | {self.positive}"

    @property
    def verdict(self) -> str:
        """Return why the cell is never called the best; empty if it may be."""
        if self.outside_of_model is None:
            return UNKNOWN
        return OUTSIDE if self.outside_of_model else ""


def within_first(cells: Sequence[ScreenedCell]) -> list[ScreenedCell]:
    """Return cells with those last that are not known to be within the model.

    Earlier versions did not list them so.
    """
    return sorted(cells, key=lambda cell: bool(cell.verdict))


class RankedCell(ScreenedCell):
    """One of the best cells, and how sure its rank is."""

    quantiles: Quantiles | None = Field(None, description="Quantiles of the output that ranks.")
    rank: Quantiles | None = Field(None, description="Quantiles of the rank; 1 is the best.")
    probability_best: float | None = Field(
        None,
        description="Fraction of the samples in which it is the best of the cells that are not "
        "outside of this model.",
    )
    probability_among_best: float | None = Field(
        None, description="Fraction of the samples in which it is among the best k."
    )
    without_solution: int | None = Field(None, description="Number of samples without a solution.")


class Ranking(Result):
    """Confidence in a ranking."""

    output: str = Field(description="Output by which cells are ranked.")
    best_of: int = Field(description="Number k of the best cells that are counted.")
    samples: int = Field(description="Number of samples of the uncertainties.")
    cells: list[RankedCell] = Field(
        default_factory=list,
        description="The best cells, in the order of their nominal rank; those outside of this "
        "model come last.",
    )
    rank_correlation: Quantiles | None = Field(
        None, description="Spearman correlation of a sample's ranking with the nominal one."
    )
    kept_of_best: float = Field(
        description="Mean fraction of the best k that remain among the best k."
    )
    next: list[NextCalculation] = Field(
        default_factory=list,
        description="Calculations that would help most to choose among these cells by resistance.",
    )


class Front(Result):
    """The cells that no other beats in all of several outputs."""

    outputs: list[str] = Field(description="Outputs that are compared.")
    cells: list[ScreenedCell] = Field(
        description="Cells of the front, none of them outside of this model."
    )


class Histogram(Result):
    """Numbers of cells in intervals; null for an open end."""

    low: list[float | None] = Field(alias="from", description="Lower end of each interval.")
    high: list[float | None] = Field(alias="to", description="Upper end of each interval.")
    count: list[int] = Field(description="Number of cells in each interval.")


#: Numbers as rows (electrolytes) of columns (electrodes).
_Rows = list[list[float | None]]


class ContactMaps(Result):
    """The contacts of one side: rows are electrolytes, columns electrodes."""

    interface_ohm_cm2: _Rows = Field(
        default_factory=list, description="Ω·cm²; interface resistance."
    )
    space_charge_ohm_cm2: _Rows = Field(
        default_factory=list, description="Ω·cm²; excess of the space charges over the bulk."
    )
    charge_transfer_ohm_cm2: _Rows = Field(
        default_factory=list, description="Ω·cm²; resistance of the ion's hop across the contact."
    )
    potential_drop_V: _Rows = Field(
        default_factory=list,
        description="V; neutral potential of the right phase minus that of the left one.",
    )
    electron_barrier_eV: _Rows = Field(
        default_factory=list,
        description="eV; barrier from the electrode's Fermi level to the conduction band.",
    )
    hole_barrier_eV: _Rows = Field(
        default_factory=list,
        description="eV; barrier from the electrode's Fermi level to the valence band.",
    )
    stability_margin_V: _Rows = Field(
        default_factory=list,
        description="V; distance of the electrode's potential from the window's limits.",
    )
    interface_quantiles: list[list[Quantiles | None]] = Field(
        default_factory=list, description="Ω·cm²; quantiles of the interface resistance."
    )
    validity: list[list[list[str]]] = Field(
        default_factory=list, description="Codes of doubts about each contact."
    )
    outside_of_model: list[list[bool | None]] = Field(
        default_factory=list,
        description="Whether the phases react or decompose, so that something forms that the model "
        "does not describe; null if unknown.",
    )


class BothElectrodes(Result):
    """The contacts of both sides."""

    negative: ContactMaps = Field(description="Contacts of the negative electrodes.")
    positive: ContactMaps = Field(description="Contacts of the positive electrodes.")


class ScreeningState(Result):
    """Results of all cells at one temperature, state of charge and thickness."""

    temperature_K: float = Field(description="K; temperature.")
    state_of_charge: float = Field(description="State of charge; 0 is discharged.")
    electrolyte_thickness_nm: float | None = Field(
        None, description="nm; thickness of the electrolytes, where the screening has several."
    )
    not_sums: int = Field(description="Number of cells that are not the sum of their contacts.")
    solved_whole: int = Field(description="Number of these that were solved as a whole.")
    cells: int = Field(description="Number of cells.")
    fitting: int = Field(description="Number of cells that match the condition.")
    without_resistance: int = Field(description="Number of these without a resistance.")
    best: dict[str, list[ScreenedCell]] = Field(
        description="Best cells by output; those outside of this model come last."
    )
    pareto: list[Front] = Field(
        default_factory=list, description="Cells that no other beats, for each group of outputs."
    )
    histograms: dict[str, Histogram] = Field(
        default_factory=dict, description="Histograms by output."
    )
    rankings: dict[str, Ranking] = Field(default_factory=dict, description="Rankings by output.")
    contacts: BothElectrodes | None = Field(
        None, description="Contacts of both sides; null if there are too many."
    )
    listed: list[ScreenedCell] | None = Field(
        None, description="All cells; null if there are too many."
    )

    @property
    def conditions_text(self) -> str:
        """Return the conditions in words."""
        text = f"{self.temperature_K:g} K, state of charge {self.state_of_charge:g}"
        if self.electrolyte_thickness_nm is None:
            return text
        return f"electrolytes of {self.electrolyte_thickness_nm / 1000:g} µm, {text}"

    def ranked(self, output: str) -> list[RankedCell]:
        """Return the best cells by an output and how sure their ranks are; none if unknown."""
        return self.rankings[output].cells if output in self.rankings else []


class ScreeningResult(Result):
    """A screening (`interohm screen --json`)."""

    screening: str = Field(description="Name of the screening.")
    folder: str = Field(description="Folder of the tables.")
    thickness_nm: float | None = Field(
        description="nm; thickness of the electrolytes. Null if there are several: each state has "
        "its own."
    )
    negative: list[str] = Field(description="Names of the negative electrodes.")
    electrolyte: list[str] = Field(description="Names of the electrolytes.")
    positive: list[str] = Field(description="Names of the positive electrodes.")
    states: list[ScreeningState] = Field(
        default_factory=list, description="All cells at each temperature and state of charge."
    )

    def next(self) -> list[NextCalculation]:
        """Return what to calculate next for all rankings, the most worthwhile first."""
        found: dict[tuple[str, str], NextCalculation] = {}
        rankings = [ranking for state in self.states for ranking in state.rankings.values()]
        for one in (one for ranking in rankings for one in ranking.next):
            key = (one.calculation, one.material)
            if key not in found or one.gain_decades > found[key].gain_decades:
                found[key] = one
        return sorted(found.values(), key=lambda one: -(one.gain_per_core_hour or 0.0))

    def to_frame(self) -> pandas.DataFrame:
        """Return one row for each of the best cells by the first output, state after state."""
        from interohm.results.frames import frame_of

        rows = []
        for state in self.states:
            conditions = {
                "temperature_K": state.temperature_K,
                "state_of_charge": state.state_of_charge,
            }
            if state.electrolyte_thickness_nm is not None:
                conditions["electrolyte_thickness_nm"] = state.electrolyte_thickness_nm
            cells = next(iter(state.best.values()), [])
            rows += [{**conditions, **cell.document()} for cell in cells]
        return frame_of(rows)

    def __repr__(self) -> str:
        count = len(self.negative) * len(self.electrolyte) * len(self.positive)
        return f"<{self.screening}: {count} cells, {len(self.states)} conditions>"

    __str__ = __repr__
