"""Prediction for a cell at each state of charge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, PrivateAttr

from interohm.errors import InputError
from interohm.results.contact import CellContact, InterfaceQuantiles, Intervals, Profile
from interohm.results.result import (
    Curve,
    NextToLearn,
    Quantiles,
    Result,
    Sensitivity,
    without_records,
)
from interohm.results.sweeps import Polarization, TemperatureSweep

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas
    from plotly.graph_objects import Figure

    from interohm.records import Insulator, Metal
    from interohm.records.cell_config import Cell


class LayerQuantiles(Result):
    """Quantiles of a layer's resistance."""

    resistance_ohm_cm2: Quantiles | None = Field(None, description="Ω·cm²; resistance.")


class LayerExtrinsicQuantiles(Result):
    """Quantiles of what an experiment would measure of a layer."""

    boundary_resistance_ohm_cm2: Quantiles | None = Field(
        None, description="Ω·cm²; resistance of all boundaries between grains."
    )
    apparent_resistance_ohm_cm2: Quantiles | None = Field(
        None, description="Ω·cm²; resistance that an experiment would measure."
    )
    log10_apparent_resistance: Quantiles | None = Field(
        None, description="log10 of the resistance in Ω·cm² that an experiment would measure."
    )


class LayerExtrinsic(Result):
    """Apparent resistance of a layer, which an experiment would measure."""

    grain_size_nm: float = Field(
        description="nm; distance between grain boundaries along the current."
    )
    boundary_resistance_ohm_cm2: float | None = Field(
        None, description="Ω·cm²; resistance of all boundaries between grains."
    )
    apparent_resistance_ohm_cm2: float | None = Field(
        None, description="Ω·cm²; resistance of the layer that an experiment would measure."
    )
    quantiles: LayerExtrinsicQuantiles | None = Field(
        None, description="Quantiles; null without uncertainties."
    )

    def spreads(self) -> LayerExtrinsicQuantiles:
        """Return the quantiles; where there are none, each of them is None."""
        return self.quantiles or LayerExtrinsicQuantiles()


class CellLayer(Result):
    """A layer of a cell, an electrode or an electrolyte."""

    material: str = Field(description="Name of the record.")
    thickness_nm: float = Field(description="nm; thickness.")
    resistance_ohm_cm2: float | None = Field(
        None, description="Ω·cm²; resistance of the layer, null for an electrode."
    )
    thick: bool = Field(True, description="Whether the two space charges of the layer are apart.")
    ion_content: float | None = Field(None, description="Ion content of an electrode.")
    mu_eV: Curve = Field(
        default_factory=list,
        description="eV; chemical potential of the neutral mobile element at both ends.",
    )
    quantiles: LayerQuantiles | None = Field(
        None, description="Quantiles; null without uncertainties."
    )
    extrinsic: LayerExtrinsic | None = Field(
        None, description="Apparent resistance; null without extrinsic parts."
    )

    def spreads(self) -> LayerQuantiles:
        """Return the quantiles; where there are none, each of them is None."""
        return self.quantiles or LayerQuantiles()


class Violation(Result):
    """A layer that leaves its stability window."""

    material: str = Field(description="Name of the record.")
    stability_window_V: tuple[float, float] = Field(
        description="V; stability window against the mobile metal."
    )
    voltage_V: tuple[float, float] = Field(
        description="V; lowest and highest potential in the layer."
    )


class Leakage(Result):
    """Leakage of electrons that discharges the cell at open circuit, an upper bound."""

    electron_barrier_eV: float | None = Field(
        None, description="eV; barrier from the electrode's Fermi level to the conduction band."
    )
    hole_barrier_eV: float | None = Field(
        None, description="eV; barrier from the electrode's Fermi level to the valence band."
    )
    current_A_cm2: float | None = Field(None, description="A/cm²; leakage current.")


class LeakageQuantiles(Result):
    """Quantiles of the leakage."""

    electron_barrier_eV: Quantiles | None = Field(
        None, description="eV; barrier from the electrode's Fermi level to the conduction band."
    )
    hole_barrier_eV: Quantiles | None = Field(
        None, description="eV; barrier from the electrode's Fermi level to the valence band."
    )
    log10_current_A_cm2: Quantiles | None = Field(
        None, description="log10 of the leakage current in A/cm²."
    )


class CellProfile(Profile):
    """Potential and levels across all layers; x = 0 at the first layer's left edge."""

    cpd_V: Curve | None = Field(
        None, description="V; contact potential difference, as a Kelvin probe shows it."
    )
    delta_cpd_V: Curve | None = Field(None, description="V; change from the discharged cell.")


class CollectorMap(Result):
    """The potential map on one collector."""

    side: Literal["negative", "positive"] = Field(description="Electrode next to the collector.")
    material: str = Field("", description="Material of the collector.")
    cpd_V: float | None = Field(None, description="V; contact potential difference.")
    delta_cpd_V: float | None = Field(None, description="V; change from the discharged cell.")


class CollectorQuantiles(Result):
    """Quantiles of the potential map on one collector."""

    side: Literal["negative", "positive"] = Field(description="Electrode next to the collector.")
    cpd_V: Quantiles | None = Field(None, description="V; contact potential difference.")
    delta_cpd_V: Quantiles | None = Field(None, description="V; change from the discharged cell.")


class MeasuredMap(Result):
    """A measured potential map beside the model's."""

    x_nm: list[float] = Field(default_factory=list, description="nm; positions.")
    measured_cpd_V: list[float] = Field(
        default_factory=list, description="V; measured values, shifted to lie closest to the model."
    )
    model_cpd_V: list[float] = Field(
        default_factory=list, description="V; contact potential difference of the model."
    )
    work_function_eV: list[float] = Field(
        default_factory=list, description="eV; work function if the model's Fermi level is right."
    )
    fermi_level_eV: list[float] = Field(
        default_factory=list, description="eV; Fermi level if the model's work function is right."
    )
    uncertainty_V: list[float] | None = Field(
        None, description="V; standard uncertainty of the measurement, null where unknown."
    )
    rms_V: float = Field(description="V; root mean square misfit.")


class CellQuantiles(Result):
    """Quantiles of a cell's prediction over the uncertainties of the records."""

    open_circuit_voltage_V: Quantiles | None = Field(
        None, description="V; voltage without a current."
    )
    area_specific_resistance_ohm_cm2: Quantiles | None = Field(
        None, description="Ω·cm²; sum of all parts."
    )
    log10_resistance: Quantiles | None = Field(
        None,
        description="log10 of the resistance in Ω·cm², of the samples in which it is positive.",
    )
    log10_samples: int | None = Field(
        None, description="Number of samples in which it is positive."
    )
    log10_interface_resistance: InterfaceQuantiles | None = Field(
        None, description="log10 of the interface resistance in Ω·cm²."
    )
    share_above_ohm_cm2: dict[str, float] | None = Field(
        None, description="Fraction of the samples whose interface resistance exceeds a limit."
    )
    log10_apparent_resistance: Quantiles | None = Field(
        None, description="log10 of the resistance in Ω·cm² that an experiment would measure."
    )
    electronic_leakage: LeakageQuantiles | None = Field(
        None, description="Barriers and leakage current of electrons."
    )
    samples: int | None = Field(None, description="Number of samples of the uncertainties.")
    lost_samples: int | None = Field(None, description="Number of samples without a solution.")
    profile: list[Intervals] | None = Field(None, description="Quantiles along x, layer by layer.")
    collectors: list[CollectorQuantiles] | None = Field(
        None, description="Potential map on the current collectors."
    )


class FrozenDefect(Result):
    """A defect that hardly moves through the space charge."""

    defect: str = Field(description="Name of the defect in its record.")
    time_s: float | None = Field(
        None, description="s; time to cross the space charge, null for a defect that does not move."
    )


class Following(Result):
    """Time in which a space charge forms, and the largest current at which it follows."""

    relaxation_time_s: float | None = Field(
        None, description="s; time to form, (R_bulk + Σ R_ct)·C, null where no ions pass."
    )
    follows_up_to_c_rate: float | None = Field(
        None,
        description="C-rate at which that time is a tenth of that of the state of charge; null: "
        "always follows, or for the reason given.",
    )
    follows: bool = Field(False, description="Whether the space charge follows at 1C.")
    reason: str | None = Field(
        None, description="Reason why there is no time, or no current that it could follow."
    )

    @property
    def verdict(self) -> str:
        """Describe in words whether the space charge follows at 1C."""
        if self.reason is not None:
            return f"no: {self.reason}"
        if self.follows_up_to_c_rate is None:
            return "yes, at any rate"
        return "yes" if self.follows else "no"


class LayerFollowing(Following):
    """The same of one insulating layer."""

    material: str = Field("", description="Name of the record.")
    thickness_nm: float = Field(0.0, description="nm; thickness.")
    resistance_ohm_cm2: float | None = Field(
        None,
        description="Ω·cm²; resistance of the layer and the charge transfer at both of its "
        "contacts.",
    )
    capacitance_uF_cm2: float | None = Field(
        None, description="µF/cm²; differential capacitance of the slower side."
    )
    frozen_defects: list[FrozenDefect] = Field(
        default_factory=list,
        description="Defects that take more than 1e5 s to cross the space charge.",
    )


class QuasiEquilibrium(Following):
    """Comparison of the space charges of a cell in use with those of open circuit."""

    voltage_slope_V: float | None = Field(None, description="V; slope dV/dSOC at open circuit.")
    state_of_charge_time_s: float | None = Field(
        None,
        description="s; time in which the voltage changes by kT/z at 1C, null where it is "
        "constant.",
    )
    layers: list[LayerFollowing] = Field(
        default_factory=list, description="The same for each insulating layer."
    )

    def rows(self) -> list[tuple[str, Following]]:
        """Return what a table shows: each layer, and the cell where it has several."""
        rows: list[tuple[str, Following]] = [
            (f"{layer.material}, {layer.thickness_nm:g} nm", layer) for layer in self.layers
        ]
        return rows if len(rows) == 1 else [*rows, ("cell", self)]


class CellState(Result):
    """A cell at one state of charge."""

    state_of_charge: float = Field(0.0, description="State of charge; 0 is discharged.")
    open_circuit_voltage_V: float | None = Field(None, description="V; voltage without a current.")
    area_specific_resistance_ohm_cm2: float | None = Field(
        None, description="Ω·cm²; sum of all parts."
    )
    apparent_resistance_ohm_cm2: float | None = Field(
        None,
        description="Ω·cm²; resistance that an experiment would measure, null without "
        "extrinsic parts.",
    )
    interface_resistance_ohm_cm2: float | None = Field(
        None, description="Ω·cm²; interface resistance of all contacts and coatings."
    )
    accumulation_ohm_cm2: float | None = Field(
        None, description="Ω·cm²; accumulation in all layers, at most 0."
    )
    outside_of_model: bool | None = Field(
        None,
        description="Whether any contact is outside of the model. The resistances are then those "
        "of the unreacted phases. Null if unknown.",
    )
    contacts: list[CellContact] = Field(
        default_factory=list, description="Contacts, from left to right."
    )
    layers: list[CellLayer] = Field(default_factory=list, description="Layers, from left to right.")
    stability_violations: list[Violation] = Field(
        default_factory=list, description="Layers that leave their stability windows."
    )
    electronic_leakage: Leakage | None = Field(
        None, description="Leakage of electrons that discharges the cell, an upper bound."
    )
    polarization: Polarization | None = Field(
        None, description="Overpotentials over the current density, if asked for."
    )
    quasi_equilibrium: QuasiEquilibrium | None = Field(
        None, description="Whether the space charges follow the state of charge."
    )
    quantiles: CellQuantiles | None = Field(
        None, description="Quantiles; null without uncertainties."
    )
    profile: CellProfile = Field(
        default_factory=CellProfile, description="Potential and levels along x."
    )
    collectors: list[CollectorMap] = Field(
        default_factory=list, description="Potential map on the current collectors."
    )
    measured_map: MeasuredMap | None = Field(
        None, description="Measured potential map, if one was given."
    )
    sensitivity: Sensitivity | None = Field(
        None, description="Inputs that dominate the variance of the voltage and the resistances."
    )
    next: NextToLearn | None = Field(
        None, description="Number whose knowledge would narrow the resistance most."
    )
    temperature_sweep: TemperatureSweep | None = Field(
        None, description="Resistances over the temperature, if asked for."
    )

    def spreads(self) -> CellQuantiles:
        """Return the quantiles; where there are none, each of them is None."""
        return self.quantiles or CellQuantiles()

    def blocked(self) -> tuple[str, str] | None:
        """Return the contacts that have no resistance at all, and why; None if there are none.

        They let no current through, or nothing is known of them: either way, each is worse than
        all that have one.
        """
        found = [
            contact
            for contact in self.contacts
            if contact.resistance.interface_resistance_ohm_cm2 is None
            and contact.resistance.total_ohm_cm2 is None
        ]
        if not found:
            return None
        reasons = dict.fromkeys(contact.resistance.reason or "unknown" for contact in found)
        return ", ".join(contact.name for contact in found), "; ".join(reasons)

    def worst_contact(self) -> tuple[str, str]:
        """Return the name of the worst contact and what limits it; of all that block, if any do."""
        blocked = self.blocked()
        if blocked is not None or not self.contacts:
            return blocked or ("", "")
        worst = max(
            self.contacts, key=lambda one: one.resistance.interface_resistance_ohm_cm2 or 0.0
        )
        return worst.name, worst.resistance.limiting_step or ""


class CellResult(Result):
    """A cell over its state of charge (`interohm cell --json`)."""

    cell: str = Field(description="Name of the cell.")
    temperature_K: float = Field(description="K; temperature.")
    reference: str | None = Field(
        None, description="Record of the mobile metal, the zero of potential."
    )
    records: dict[str, str] = Field(
        default_factory=dict, description="Hash of each record that was used, by its name."
    )
    assumed: list[str] = Field(
        default_factory=list,
        description="Numbers of the records that nobody measured or calculated, as "
        "LLZO.band_gap_eV.",
    )
    states: list[CellState] = Field(
        default_factory=list, description="The cell at each state of charge."
    )
    remarks: list[str] = Field(default_factory=list, description="Remarks for the reader.")

    _cell: Cell | None = PrivateAttr(None)
    _materials: tuple[Insulator | Metal, ...] = PrivateAttr(())

    def plot(self, state_of_charge: float | None = None) -> Figure:
        """Return the band diagram as a plotly figure, which notebooks draw.

        Parameters
        ----------
        state_of_charge : float, optional
            One of the cell's; the last one unless given.

        Raises
        ------
        InputError
            It is not one of the cell's.
        """
        from interohm.report.plots import cell_bands, plotly_figure

        charges = [state.state_of_charge for state in self.states]
        if state_of_charge is None:
            state_of_charge = charges[-1]
        if state_of_charge not in charges:
            raise InputError(
                f"{state_of_charge!r} is not one of the cell's states of charge",
                where="state_of_charge",
                fix=f"one of {', '.join(f'{charge:g}' for charge in charges)}",
            )
        return plotly_figure(cell_bands(self, charges.index(state_of_charge)))

    def report(self, path: str | Path) -> None:
        """Write the report, one HTML file that needs no network.

        Raises
        ------
        InputError
            The file cannot be written; or the result was read from a document, without records.
        """
        from interohm.report import write_report

        if self._cell is None:
            raise without_records("write_report(path, cell, records, result)")
        write_report(path, self._cell, self._materials, self, remarks=self.remarks)

    def to_frame(self) -> pandas.DataFrame:
        """Return one row for each state of charge, with all single numbers and texts."""
        from interohm.results.frames import frame_of

        return frame_of([state.document() for state in self.states])

    def with_records(self, cell: Cell, materials: Sequence[Insulator | Metal]) -> Self:
        """Return the result with what it was predicted from, for its report."""
        found = self.model_copy()
        found._cell, found._materials = cell, tuple(materials)
        return found

    def __repr__(self) -> str:
        return f"<{self.cell}, {self.temperature_K:g} K: {len(self.states)} states of charge>"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        from interohm.report.tables import markup, states_table

        title = f"{self.cell}, {self.temperature_K:g} K"
        return f"<p>{markup(title)}</p>{states_table(self.states)}"
