"""Result of comparing a measured potential map with the model of a cell."""

from __future__ import annotations

from pydantic import Field

from interohm.results.result import Curve, Result


class MapState(Result):
    """The map beside the model at one state of charge."""

    state_of_charge: float = Field(description="0 is discharged.")
    shift_nm: float = Field(description="nm; shift of the map's positions to those of the cell.")
    shift_at_bound: bool = Field(description="Whether a larger shift would fit better.")
    offset_V: float = Field(description="V; offset added to the map's values.")
    rms_V: float = Field(description="V; root mean square of measured minus model.")


class LearnedNumber(Result):
    """A number of a record before and after the map."""

    material: str = Field(description="Name of the record.")
    field: str = Field(
        description="Path of the number in the record; for an electrode, the shift of its "
        "whole curve."
    )
    value: float = Field(description="Value before, in the unit at the end of the field's name.")
    uncertainty: float = Field(description="Standard deviation before.")
    updated_value: float = Field(description="Value after, in the same unit.")
    updated_uncertainty: float = Field(description="Standard deviation after.")
    learned: float = Field(
        description="1 − uncertainty after / uncertainty before; 0 where nothing is learned."
    )
    remaining_alone: float = Field(
        1.0,
        description="Uncertainty after / uncertainty before if nothing were known of the other "
        "numbers; 1 where the map determines the number only together with others.",
    )


class KpfmResult(Result):
    """A fitted potential map (`interohm kpfm --json`)."""

    cell: str = Field(description="Name of the cell.")
    map: str = Field(description="Name of the map's file.")
    map_hash: str = Field(description="SHA-256 of the file.")
    columns: list[str] = Field(
        default_factory=list, description="Interpretation of each column of the file."
    )
    resolution_nm: float = Field(description="nm; full width at half maximum of the probe.")
    largest_shift_nm: float = Field(description="nm; largest shift allowed, in either direction.")
    points: int = Field(description="Number of points of the map on layers or collectors.")
    left_out: int = Field(description="Number of points beyond the cell.")
    gaps: int = Field(
        0, description="Number of lines of the file that are left out, since a number is missing."
    )
    doubts: list[str] = Field(
        default_factory=list, description="Reasons why the map may not be what the fit assumes."
    )
    state_of_charge: float = Field(
        description="State of charge that fits best, or that was asked for."
    )
    states: list[MapState] = Field(description="The fit at each state of charge.")
    noise_V: float = Field(
        description="V; noise of one point, by which records are updated: the map's own or "
        "the misfit."
    )
    x_nm: list[float] = Field(
        description="nm; positions from the left edge of the first layer, including the shift."
    )
    measured_cpd_V: list[float] = Field(description="V; measured values, including the offset.")
    uncertainty_V: list[float] | None = Field(None, description="V; uncertainties of the map.")
    model_cpd_V: list[float] = Field(
        description="V; contact potential difference of the model as the probe would see it."
    )
    profile_x_nm: list[float] = Field(description="nm; positions of the model without a probe.")
    profile_cpd_V: list[float] = Field(
        description="V; contact potential difference of the model without a probe."
    )
    probe_x_nm: list[float] = Field(
        description="nm; positions close enough to draw the model as the probe would see it."
    )
    probe_cpd_V: list[float] = Field(
        description="V; contact potential difference of the model there as the probe would see it."
    )
    updated_cpd_V: list[float] | None = Field(
        None,
        description="V; the same with the updated numbers, offset to lie closest to the measured "
        "values; null where nothing is learned.",
    )
    contacts_nm: list[float] = Field(
        description="nm; positions of the contacts between layers and collectors."
    )
    layers: list[str] = Field(description="Layers and collectors, from left to right.")
    inferred_work_function_eV: Curve = Field(
        description="eV; inferred work function if the model's Fermi level is right."
    )
    inferred_fermi_level_eV: Curve = Field(
        description="eV; inferred Fermi level if the model's work function is right."
    )
    learned: list[LearnedNumber] = Field(
        default_factory=list, description="Numbers of the records that the map informs."
    )
    together: list[str] = Field(
        default_factory=list,
        description="Groups of numbers of which the map determines only combinations.",
    )
    records: dict[str, str] = Field(description="Hash of each record that was used.")
