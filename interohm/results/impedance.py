"""The impedance of a cell, its processes and the circuit that it is."""

from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING, Self

from pydantic import Field, PrivateAttr

from interohm.results.result import CurveQuantiles, Quantiles, Result, without_records

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas
    from plotly.graph_objects import Figure

    from interohm.records import Insulator, Metal
    from interohm.records.cell_config import Cell


#: The process that has no peak: a diffusion that ends in a capacitor.
SOLID_DIFFUSION = "solid diffusion"


class Process(Result):
    """One thing that takes its share of the voltage."""

    name: str = Field(
        description="Name: charge transfer, space charge, bulk, layer (solved as a whole), "
        "solid diffusion or electrons."
    )
    where: str = Field(description="Contact, layer or electrode in which it occurs.")
    resistance_ohm_cm2: float | None = Field(
        None,
        description="Ω·cm²; resistance, negative where carriers accumulate, null where "
        "nothing passes.",
    )
    capacitance_uF_cm2: float | None = Field(None, description="µF/cm²; capacitance in parallel.")
    time_constant_s: float | None = Field(
        None,
        description="s; product of both. The process peaks at 1/(2π·time); solid diffusion has "
        "no peak.",
    )


def peak_Hz(process: Process) -> float | None:
    """Return the frequency at which the imaginary part of a process peaks; None without a peak."""
    time = process.time_constant_s
    return None if not time or process.name == SOLID_DIFFUSION else 1.0 / (2.0 * pi * time)


class Pole(Result):
    """One parallel RC element of the circuit."""

    resistance_ohm_cm2: float = Field(description="Ω·cm²; resistance, positive.")
    time_constant_s: float = Field(description="s; time constant.")
    capacitance_uF_cm2: float = Field(description="µF/cm²; capacitance.")
    process: str = Field(description="Process that dissipates most of its energy.")


class Circuit(Result):
    """The circuit that the model itself is: parallel RC elements and a capacitor, in series."""

    poles: list[Pole] = Field(default_factory=list, description="Poles from fast to slow.")
    series_capacitance_uF_cm2: float | None = Field(
        None, description="µF/cm²; capacitance in series of what blocks, null where nothing does."
    )
    impedance_py: str = Field("", description="Circuit string of impedance.py.")
    impedance_py_parameters: list[float] = Field(
        default_factory=list, description="initial_guess of that circuit: Ω·cm² and F/cm²."
    )
    pyimpspec: str = Field("", description="Circuit description code of pyimpspec.")


class ImpedanceQuantiles(Result):
    """Quantiles of an impedance over the uncertainties of the records."""

    z_real_ohm_cm2: CurveQuantiles | None = Field(
        None, description="Ω·cm²; real part by frequency."
    )
    z_imag_ohm_cm2: CurveQuantiles | None = Field(
        None, description="Ω·cm²; imaginary part by frequency."
    )
    dc_resistance_ohm_cm2: Quantiles | None = Field(
        None, description="Ω·cm²; resistance at frequency 0 without diffusion in the electrodes."
    )
    process_resistance_ohm_cm2: list[Quantiles | None] = Field(
        default_factory=list, description="Ω·cm²; resistance of each process."
    )
    samples: int | None = Field(None, description="Number of samples of the uncertainties.")
    lost_samples: int | None = Field(None, description="Number of samples without a solution.")


class ImpedanceState(Result):
    """The impedance at one state of charge."""

    state_of_charge: float = Field(description="State of charge; 0 is discharged.")
    frequency_Hz: list[float] = Field(description="Hz; frequencies, ascending.")
    z_real_ohm_cm2: list[float] = Field(description="Ω·cm²; real part.")
    z_imag_ohm_cm2: list[float] = Field(
        description="Ω·cm²; imaginary part, negative for a capacitor."
    )
    quantiles: ImpedanceQuantiles | None = Field(
        None, description="Quantiles; null without uncertainties."
    )
    dc_resistance_ohm_cm2: float | None = Field(
        None,
        description="Ω·cm²; resistance at frequency 0 without diffusion in the electrodes, "
        "null where a contact is blocked and electrons do not conduct.",
    )
    dc_reason: str | None = Field(
        None, description="Reason why there is no resistance at frequency 0."
    )
    processes: list[Process] = Field(
        default_factory=list, description="Processes that take a share of the voltage."
    )
    circuit: Circuit = Field(
        default_factory=Circuit, description="Equivalent circuit of the model itself."
    )


class ImpedanceResult(Result):
    """The impedance of a cell (`interohm impedance --json`)."""

    cell: str = Field(description="Name of the cell.")
    temperature_K: float = Field(description="K; temperature.")
    records: dict[str, str] = Field(
        default_factory=dict, description="Hash of each record that was used."
    )
    states: list[ImpedanceState] = Field(
        default_factory=list, description="The impedance at each state of charge."
    )
    remarks: list[str] = Field(default_factory=list, description="Remarks for the reader.")

    _cell: Cell | None = PrivateAttr(None)
    _materials: tuple[Insulator | Metal, ...] = PrivateAttr(())

    def plot(self, state: int = -1) -> Figure:
        """Return the Nyquist plot as a plotly figure, which notebooks draw.

        Parameters
        ----------
        state : int
            Which of the states, by its number; the last one unless given.
        """
        from interohm.report.impedance import nyquist_figure
        from interohm.report.plots import drawn, plotly_figure

        return plotly_figure(drawn(nyquist_figure(self.states), state))

    def report(self, path: str | Path) -> None:
        """Write the report, one HTML file that needs no network.

        Raises
        ------
        InputError
            The file cannot be written; or the result was read from a document, without records.
        """
        from interohm.report.impedance import write_impedance_report

        if self._cell is None:
            raise without_records("impedance.write_impedance_report(path, cell, records, result)")
        write_impedance_report(path, self._cell, self._materials, self)

    def to_frame(self) -> pandas.DataFrame:
        """Return one row for each frequency of each state of charge."""
        import pandas

        return pandas.concat(
            [
                pandas.DataFrame(
                    {
                        "state_of_charge": state.state_of_charge,
                        "frequency_Hz": state.frequency_Hz,
                        "z_real_ohm_cm2": state.z_real_ohm_cm2,
                        "z_imag_ohm_cm2": state.z_imag_ohm_cm2,
                    }
                )
                for state in self.states
            ],
            ignore_index=True,
        )

    def with_records(self, cell: Cell, materials: Sequence[Insulator | Metal]) -> Self:
        """Return the result with what it was predicted from, for its report."""
        found = self.model_copy()
        found._cell, found._materials = cell, tuple(materials)
        return found

    def __repr__(self) -> str:
        return f"<impedance of {self.cell}, {self.temperature_K:g} K: {len(self.states)} states>"

    __str__ = __repr__
