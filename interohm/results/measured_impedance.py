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
    gamma_p50_ohm_cm2: list[float] = Field(description="Ω·cm²; the median.")
    gamma_p95_ohm_cm2: list[float] = Field(description="Ω·cm²; 95 % of the posterior is below.")
    high_frequency_resistance_ohm_cm2: Quantiles = Field(
        description="Ω·cm²; resistance in the limit of high frequency."
    )
    polarization_resistance_ohm_cm2: Quantiles = Field(description="Ω·cm²; the whole area.")
    peaks: list[RelaxationPeak] = Field(
        default_factory=list, description="Maxima of the distribution."
    )


class MeasuredPoints(Result):
    """One measured spectrum: what can be used of it, and the model beside it."""

    source: str = Field(description="The file.")
    sha256: str = Field(description="SHA-256 of the file.")
    area_cm2: float | None = Field(None, description="cm²; null where the file is per area.")
    temperature_K: float = Field(description="K; temperature.")
    state_of_charge: float = Field(description="0 is discharged.")
    frequency_Hz: list[float] = Field(description="Hz, ascending.")
    z_real_ohm_cm2: list[float] = Field(description="Ω·cm²; real part.")
    z_imag_ohm_cm2: list[float] = Field(description="Ω·cm²; negative of a capacitor.")
    usable: list[bool] = Field(description="Whether a point obeys the Kramers–Kronig relations.")
    residual_real: list[float] = Field(description="Of the Kramers–Kronig test, relative to |Z|.")
    residual_imag: list[float] = Field(description="Of the Kramers–Kronig test, relative to |Z|.")
    elements: int = Field(description="RC elements of the Kramers–Kronig test.")
    noise: float = Field(description="Standard deviation of each part, relative to |Z|.")
    verdict: str = Field(description="What the Kramers–Kronig test says, for people.")
    predicted_real_ohm_cm2: list[float | None] = Field(description="Ω·cm², of the records.")
    predicted_imag_ohm_cm2: list[float | None] = Field(description="Ω·cm², of the records.")
    fitted_real_ohm_cm2: list[float] | None = Field(None, description="Ω·cm², after the fit.")
    fitted_imag_ohm_cm2: list[float] | None = Field(None, description="Ω·cm², after the fit.")
    processes: list[Process] = Field(
        default_factory=list, description="The model's, after the fit if there is one."
    )
    relaxation_times: RelaxationDistribution | None = Field(
        None, description="None where fewer than half of the points can be used."
    )
    remarks: list[str] = Field(default_factory=list, description="What was mended in the file.")


class LearnedField(Result):
    """One number of a record before and after."""

    record: str = Field(description="Its name, or that of a pair of phases.")
    field: str = Field(description="As samples of it are drawn.")
    prior_value: float | None = Field(None, description="In the field's unit.")
    prior_uncertainty: float | None = Field(None, description="One standard deviation.")
    value: float | None = Field(None, description="After the measurement.")
    uncertainty: float | None = Field(None, description="One standard deviation.")
    variance_share: float = Field(description="Variance after over that before.")
    learned: bool = Field(description="False where the data say nothing of it.")


class Undetermined(Result):
    """A combination of numbers of which the data say nothing."""

    variance_share: float = Field(description="Variance after over that before, above 0.9.")
    loadings: dict[str, float] = Field(
        description="How many prior standard deviations each number moves along it."
    )


class ImpedanceFit(Result):
    """Result of fitting the records to all spectra together."""

    fields: list[LearnedField] = Field(description="Those that were asked for.")
    undetermined: list[Undetermined] = Field(
        default_factory=list, description="Combinations that the data do not determine."
    )
    covariance: list[list[float]] = Field(
        description="Of the fields' standard normal coordinates; 1 is the variance before."
    )
    contact_barrier_eV: dict[str, list[float]] = Field(
        default_factory=dict, description="eV; value and uncertainty of each contact's barrier."
    )
    chi2_reduced: float = Field(description="About 1 where the model reaches the data.")
    noise_factor: float = Field(description="By which the noise was multiplied; 1 where it does.")
    converged: bool = Field(description="Whether the fit converged.")
    effective_samples: float = Field(description="How many of the reweighted samples count.")
    samples: int = Field(description="Drawn to check the fit, in all rounds.")
    largest_shift: float = Field(
        description="Of the reweighted from the normal mean, in standard deviations."
    )


class MeasuredImpedanceResult(Result):
    """Measured spectra of a cell (`interohm impedance --measured --json`)."""

    cell: str = Field(description="Its name.")
    records: dict[str, str] = Field(default_factory=dict, description="Hash of each record.")
    spectra: list[MeasuredPoints] = Field(description="Each measured spectrum.")
    fit: ImpedanceFit | None = Field(
        None, description="What the spectra say about the records; null without a fit."
    )
    remarks: list[str] = Field(default_factory=list, description="What else a reader must know.")

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
