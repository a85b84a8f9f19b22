"""A measured impedance beside the predicted one, and what it teaches of the records."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pydantic import Field, PrivateAttr

from interohm.records import Insulator, Metal
from interohm.records.cell_config import Cell
from interohm.results.impedance import Process
from interohm.results.result import Quantiles, Result, without_records

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


class RelaxationPeak(Result):
    """One maximum of the distribution of relaxation times."""

    time_constant_s: float = Field(description="s; time constant.")
    resistance_ohm_cm2: Quantiles = Field(description="Ω·cm²; area of the peak.")


class RelaxationDistribution(Result):
    """The distribution of relaxation times, per unit of ln tau."""

    time_constant_s: list[float] = Field(description="s; time constants.")
    gamma_p05_ohm_cm2: list[float] = Field(description="Ω·cm²; 5 % of the posterior is below.")
    gamma_p50_ohm_cm2: list[float] = Field(description="Ω·cm²; median of the posterior.")
    gamma_p95_ohm_cm2: list[float] = Field(description="Ω·cm²; 95 % of the posterior is below.")
    high_frequency_resistance_ohm_cm2: Quantiles = Field(
        description="Ω·cm²; resistance in the limit of high frequency."
    )
    polarization_resistance_ohm_cm2: Quantiles = Field(
        description="Ω·cm²; area of the whole distribution."
    )
    peaks: list[RelaxationPeak] = Field(
        default_factory=list, description="Maxima of the distribution."
    )


class MeasuredPoints(Result):
    """One measured spectrum: what can be used of it, and the model beside it."""

    source: str = Field(description="Name of the file.")
    sha256: str = Field(description="SHA-256 of the file.")
    area_cm2: float | None = Field(
        None, description="cm²; area of the electrode, null if the file is per area."
    )
    temperature_K: float = Field(description="K; temperature.")
    state_of_charge: float = Field(description="State of charge; 0 is discharged.")
    frequency_Hz: list[float] = Field(description="Hz; frequencies, ascending.")
    z_real_ohm_cm2: list[float] = Field(description="Ω·cm²; real part.")
    z_imag_ohm_cm2: list[float] = Field(
        description="Ω·cm²; imaginary part, negative for a capacitor."
    )
    usable: list[bool] = Field(description="Whether a point obeys the Kramers–Kronig relations.")
    residual_real: list[float] = Field(
        description="Real residual of the Kramers–Kronig test, relative to |Z|."
    )
    residual_imag: list[float] = Field(
        description="Imaginary residual of the Kramers–Kronig test, relative to |Z|."
    )
    elements: int = Field(description="Number of RC elements of the Kramers–Kronig test.")
    noise: float = Field(description="Standard deviation of each part, relative to |Z|.")
    verdict: str = Field(description="Result of the Kramers–Kronig test in words.")
    predicted_real_ohm_cm2: list[float | None] = Field(
        description="Ω·cm²; real part predicted from the records."
    )
    predicted_imag_ohm_cm2: list[float | None] = Field(
        description="Ω·cm²; imaginary part predicted from the records."
    )
    fitted_real_ohm_cm2: list[float] | None = Field(
        None, description="Ω·cm²; real part after the fit."
    )
    fitted_imag_ohm_cm2: list[float] | None = Field(
        None, description="Ω·cm²; imaginary part after the fit."
    )
    processes: list[Process] = Field(
        default_factory=list, description="Processes of the model, after the fit if there is one."
    )
    relaxation_times: RelaxationDistribution | None = Field(
        None,
        description="Distribution of relaxation times; null if fewer than half of the points "
        "can be used.",
    )
    remarks: list[str] = Field(
        default_factory=list, description="Repairs of the file, and other remarks."
    )


class LearnedField(Result):
    """One number of a record before and after."""

    record: str = Field(description="Name of the record, or of a pair of phases.")
    field: str = Field(description="Name of the field, as in the samples.")
    prior_value: float | None = Field(
        None, description="Value before the measurement, in the unit of the field."
    )
    prior_uncertainty: float | None = Field(
        None, description="One standard deviation before the measurement."
    )
    value: float | None = Field(None, description="Value after the measurement.")
    uncertainty: float | None = Field(
        None, description="One standard deviation after the measurement."
    )
    variance_share: float = Field(description="Variance after the measurement over that before.")
    learned: bool = Field(description="Whether the data determine the number in part.")


class Undetermined(Result):
    """A combination of numbers of which the data say nothing."""

    variance_share: float = Field(
        description="Variance after the measurement over that before, above 0.9."
    )
    loadings: dict[str, float] = Field(
        description="Number of prior standard deviations by which each number moves along the"
        " combination."
    )


class ImpedanceFit(Result):
    """Result of fitting the records to all spectra together."""

    fields: list[LearnedField] = Field(description="Fields that were asked for.")
    undetermined: list[Undetermined] = Field(
        default_factory=list, description="Combinations that the data do not determine."
    )
    covariance: list[list[float]] = Field(
        description="Covariance of the fields' standard normal coordinates; the variance "
        "before is 1."
    )
    contact_barrier_eV: dict[str, list[float]] = Field(
        default_factory=dict, description="eV; value and uncertainty of each contact's barrier."
    )
    chi2_reduced: float = Field(
        description="Reduced chi²; about 1 if the model describes the data."
    )
    noise_factor: float = Field(
        description="Factor by which the noise was multiplied; 1 if the model describes the data."
    )
    converged: bool = Field(description="Whether the fit converged.")
    effective_samples: float = Field(description="Effective number of reweighted samples.")
    samples: int = Field(description="Number of samples drawn to check the fit, in all rounds.")
    largest_shift: float = Field(
        description="Largest shift of a reweighted mean from the normal one, in standard "
        "deviations."
    )


class MeasuredImpedanceResult(Result):
    """Measured spectra of a cell (`interohm impedance --measured --json`)."""

    cell: str = Field(description="Name of the cell.")
    records: dict[str, str] = Field(default_factory=dict, description="Hash of each record.")
    spectra: list[MeasuredPoints] = Field(description="Each measured spectrum.")
    fit: ImpedanceFit | None = Field(None, description="Result of the fit; null without one.")
    remarks: list[str] = Field(default_factory=list, description="Remarks for the reader.")

    _cell: Cell | None = PrivateAttr(None)
    _materials: tuple[Insulator | Metal, ...] = PrivateAttr(())

    def plot(self, spectrum: int = 0) -> Figure:
        """Return the Nyquist plot as a plotly figure, which notebooks draw.

        Parameters
        ----------
        spectrum : int
            Which of them, by its number.
        """
        from interohm.report.measured_impedance import measured_nyquist_figure
        from interohm.report.plots import drawn, plotly_figure

        return plotly_figure(drawn(measured_nyquist_figure(self.spectra[spectrum]), 0))

    def report(self, path: str | Path) -> None:
        """Write the report, one HTML file that needs no network.

        Raises
        ------
        InputError
            The file cannot be written; or the result was read from a document, without records.
        """
        from interohm.report.measured_impedance import write_measured_report

        if self._cell is None:
            raise without_records("write_measured_report(path, cell, records, result)")
        write_measured_report(path, self._cell, self._materials, self)

    def with_records(self, cell: Cell, materials: Sequence[Insulator | Metal]) -> Self:
        """Return the result with what it was predicted from, for its report."""
        found = self.model_copy()
        found._cell, found._materials = cell, tuple(materials)
        return found
