"""Result of comparing a measured potential map with the model of a cell."""

from __future__ import annotations

from pydantic import Field

from interohm.results.result import Curve, Result


class MapState(Result):
    """The map beside the model at one state of charge."""

    state_of_charge: float = Field(description="0 is discharged.")
    shift_nm: float = Field(description="nm; by which the map's places are moved to the cell's.")
    shift_at_bound: bool = Field(description="Whether a larger shift would fit better.")
    offset_V: float = Field(description="V; by which the map's values are moved.")
    rms_V: float = Field(description="V; root mean square of measured minus model.")


class LearnedNumber(Result):
    """A number of a record before and after the map."""

    material: str = Field(description="Name of the record.")
    field: str = Field(description="Its path in the record; of electrodes the whole curve's shift.")
    value: float = Field(description="Value before, in the unit that ends the field's name.")
    uncertainty: float = Field(description="Standard deviation before.")
    updated_value: float = Field(description="Value after, in the same unit.")
    updated_uncertainty: float = Field(description="Standard deviation after.")
    learned: float = Field(description="1 − uncertainty after over before; 0 where nothing is.")


class KpfmResult(Result):
    """A fitted potential map (`interohm kpfm --json`)."""

    cell: str = Field(description="Name of the cell.")
    map: str = Field(description="The file.")
    map_hash: str = Field(description="SHA-256 of the file.")
    columns: list[str] = Field(
        default_factory=list, description="What each column of the file was taken for."
    )
    resolution_nm: float = Field(description="nm; full width at half maximum of the probe.")
    largest_shift_nm: float = Field(description="nm; bound of the shift, either way.")
    points: int = Field(description="Number of points of the map on layers or collectors.")
    left_out: int = Field(description="Number of points beyond the cell.")
    doubts: list[str] = Field(
        default_factory=list, description="Why the map may not be what the fit takes it for."
    )
    state_of_charge: float = Field(description="Which fits best, or was asked for.")
    states: list[MapState] = Field(description="The fit at each state of charge.")
    noise_V: float = Field(
        description="V; of one point, by which records are updated: the map's own or the misfit."
    )
    x_nm: list[float] = Field(description="nm; from the first layer's left edge, shift included.")
    measured_cpd_V: list[float] = Field(description="V; offset included.")
    uncertainty_V: list[float] | None = Field(None, description="V; as the map has it.")
    model_cpd_V: list[float] = Field(description="V; as the probe would show the model.")
    profile_x_nm: list[float] = Field(description="nm; of the model without a probe.")
    profile_cpd_V: list[float] = Field(description="V; of the model without a probe.")
    contacts_nm: list[float] = Field(description="nm; where layers and collectors meet.")
    layers: list[str] = Field(description="Layers and collectors, from left to right.")
    inferred_work_function_eV: Curve = Field(
        description="eV; inferred: what the map says if the model's Fermi level is right."
    )
    inferred_fermi_level_eV: Curve = Field(
        description="eV; inferred: what the map says if the model's work function is right."
    )
    learned: list[LearnedNumber] = Field(
        default_factory=list, description="What the map says about the records."
    )
    together: list[str] = Field(
        default_factory=list,
        description="Groups of numbers of which the map determines only combinations.",
    )
    records: dict[str, str] = Field(description="Hash of each record that was used.")
