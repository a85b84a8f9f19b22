"""A cell in time: a discharge or charge, or its space charges after a step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, PrivateAttr

from interohm.results.cell import QuasiEquilibrium
from interohm.results.result import Curve, CurveQuantiles, Quantiles, Result, without_records

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas

    from interohm.records import Insulator, Metal
    from interohm.records.cell_config import Cell


class Overpotential(Result):
    """Voltage that one process takes off (or adds, on charge), over time."""

    name: str = Field(
        description="Process: charge transfer, space charge, bulk, layer (solved as a whole) "
        "or solid diffusion."
    )
    where: str = Field(description="Contact, layer or electrode in which it occurs.")
    overpotential_V: Curve = Field(
        default_factory=list, description="V; overpotential, negative where carriers accumulate."
    )


class ElectrodeCourse(Result):
    """The ions of one electrode, over time."""

    material: str = Field(description="Name of the record.")
    side: Literal["negative", "positive"] = Field(description="Electrode to which this belongs.")
    mean_content: Curve = Field(
        default_factory=list, description="Mean number of ions per formula unit."
    )
    surface_content: Curve = Field(
        default_factory=list,
        description="Number of ions per formula unit at the contact, which sets the space "
        "charges there.",
    )
    diffusion_number: float | None = Field(
        None,
        description="Diffusion number: current times thickness over diffusivity and all ions;"
        " below 0.1 the content is uniform.",
    )
    biot_number: float | None = Field(
        None,
        description="Biot number: resistance of diffusion (R_D/3) over that of charge transfer.",
    )
    control: Literal["diffusion", "reaction", "both"] | None = Field(
        None,
        description="Controlling process by the Biot number: diffusion above 10, reaction "
        "below 0.1.",
    )


class GalvanostaticQuantiles(Result):
    """Quantiles of a discharge or charge over the uncertainties of the records."""

    voltage_V: CurveQuantiles | None = Field(None, description="V; cell voltage over time.")
    capacity_mAh_cm2: Quantiles | None = Field(
        None, description="mAh/cm²; capacity, at most up to the nominal end."
    )
    samples: int | None = Field(None, description="Number of samples of the uncertainties.")


class Galvanostatic(Result):
    """A discharge or a charge at constant current."""

    direction: Literal["discharge", "charge"] = Field(description="Direction of the current.")
    c_rate: float = Field(description="1/h; C-rate, of the electrode that holds less.")
    current_A_cm2: float = Field(description="A/cm²; current density.")
    cut_off_V: float | None = Field(None, description="V; voltage at which the run ends.")
    nominal_capacity_mAh_cm2: float = Field(description="mAh/cm²; capacity without a current.")
    capacity_mAh_cm2: float = Field(description="mAh/cm²; capacity until the end of the run.")
    ended_by: str = Field(
        description="Reason for the end: capacity, cut-off voltage, surface (an electrode's "
        "is full or empty) or current (beyond what a contact can carry)."
    )
    time_s: list[float] = Field(default_factory=list, description="s; time since the start.")
    capacity_passed_mAh_cm2: list[float] = Field(
        default_factory=list, description="mAh/cm²; charge passed since the start."
    )
    state_of_charge: list[float] = Field(
        default_factory=list, description="State of charge; 0 is discharged."
    )
    voltage_V: Curve = Field(default_factory=list, description="V; cell voltage.")
    open_circuit_voltage_V: Curve = Field(
        default_factory=list, description="V; open-circuit voltage at the mean contents."
    )
    overpotentials: list[Overpotential] = Field(
        default_factory=list,
        description="Overpotentials, whose sum is the difference from the open-circuit voltage.",
    )
    electrodes: list[ElectrodeCourse] = Field(
        default_factory=list, description="Ions of each electrode over time."
    )
    damkoehler_number: float | None = Field(
        None,
        description="Damköhler number: overpotential of the bulk over that of all interfaces,"
        " halfway through the run.",
    )
    limited_by: tuple[str, str] | None = Field(
        None, description="Name and place of the largest overpotential halfway through the run."
    )
    space_charges_follow: bool = Field(
        True, description="Whether the space charges of all layers follow at this current."
    )
    slow_layers: list[str] = Field(
        default_factory=list, description="Layers whose space charges do not follow."
    )
    quantiles: GalvanostaticQuantiles | None = Field(
        None, description="Quantiles; null without uncertainties."
    )


class SpaceChargeCourse(Result):
    """One side of a layer, over time."""

    layer: str = Field(description="Record of the layer.")
    contact: str = Field(description="Record of the phase that it touches.")
    charge_e_nm2: Curve = Field(
        default_factory=list, description="e/nm²; charge of this half of the layer."
    )
    relaxation_time_s: float | None = Field(
        None, description="s; time until 1/e of its change is left, null where it does not change."
    )


class LinearRelaxation(Result):
    """A relaxation that linear response expects after the step."""

    time_s: float = Field(description="s; time constant.")
    share: float = Field(description="Share of the initial current, or of the voltage.")


class FormationProfile(Result):
    """The cell at one time."""

    time_s: float = Field(description="s; time since the step.")
    x_nm: Curve = Field(
        default_factory=list, description="nm; positions from the first insulating layer."
    )
    phi_V: Curve = Field(
        default_factory=list,
        description="V; electrostatic potential against the neutral mobile metal.",
    )
    charge_e_nm3: Curve = Field(default_factory=list, description="e/nm³; charge density.")


class Formation(Result):
    """The space charges after a step of the potential or the temperature."""

    step: Literal["potential", "temperature"] = Field(description="Quantity that was stepped.")
    by: float = Field(description="Height of the step, in V or K.")
    temperature_before_K: float | None = Field(None, description="K; temperature until the step.")
    temperature_after_K: float | None = Field(
        None,
        description="K; temperature from the step on, that of the relaxations and of the limit.",
    )
    state_of_charge: float = Field(description="State of charge; 0 is discharged.")
    open_circuit_voltage_V: float = Field(description="V; open-circuit voltage after the step.")
    time_s: list[float] = Field(default_factory=list, description="s; time since the step.")
    voltage_V: Curve = Field(default_factory=list, description="V; cell voltage over time.")
    current_A_cm2: Curve = Field(
        default_factory=list, description="A/cm²; current, positive on discharge."
    )
    space_charges: list[SpaceChargeCourse] = Field(
        default_factory=list, description="Space charge on each side of each layer."
    )
    relaxations: list[LinearRelaxation] = Field(
        default_factory=list,
        description="Relaxations of linear response: the zeros of the impedance after a step "
        "of the potential, its poles without a current.",
    )
    profiles: list[FormationProfile] = Field(
        default_factory=list, description="Potential and charge along x at some times."
    )


class DynamicsResult(Result):
    """A cell in time (`interohm dynamics --json`)."""

    cell: str = Field(description="Name of the cell.")
    temperature_K: float = Field(
        description="K; temperature, that before a step of the temperature."
    )
    records: dict[str, str] = Field(
        default_factory=dict, description="Hash of each record that was used."
    )
    galvanostatic: Galvanostatic | None = Field(
        None, description="Run at constant current; null after a step."
    )
    formation: Formation | None = Field(None, description="Course after a step; null without one.")
    quasi_equilibrium: QuasiEquilibrium | None = Field(
        None,
        description="Comparison with open circuit, half charged or at the state of charge of "
        "the step, after it.",
    )
    remarks: list[str] = Field(default_factory=list, description="Remarks for the reader.")

    @property
    def following_at(self) -> str:
        """State of charge, and step, to which `quasi_equilibrium` refers, in words."""
        if self.formation is None:
            return "state of charge 0.5"
        found = self.formation
        after = found.temperature_after_K
        where = f"state of charge {found.state_of_charge:g}"
        stepped = found.step == "temperature" and after is not None
        return f"{where}, {after:g} K" if stepped else where

    _cell: Cell | None = PrivateAttr(None)
    _materials: tuple[Insulator | Metal, ...] = PrivateAttr(())

    def report(self, path: str | Path) -> None:
        """Write the report, one HTML file that needs no network.

        Raises
        ------
        InputError
            The file cannot be written; or the result was read from a document, without records.
        """
        from interohm.report.dynamics import write_dynamics_report

        if self._cell is None:
            raise without_records("dynamics.write_dynamics_report(path, cell, records, result)")
        write_dynamics_report(path, self._cell, self._materials, self)

    def to_frame(self) -> pandas.DataFrame:
        """Return one row for each time."""
        import pandas

        if self.galvanostatic is not None:
            run = self.galvanostatic
            parts = {
                f"{one.name}, {one.where} (V)": one.overpotential_V for one in run.overpotentials
            }
            return pandas.DataFrame(
                {
                    "time_s": run.time_s,
                    "capacity_mAh_cm2": run.capacity_passed_mAh_cm2,
                    "voltage_V": run.voltage_V,
                    "open_circuit_voltage_V": run.open_circuit_voltage_V,
                    **parts,
                }
            )
        assert self.formation is not None
        found = self.formation
        return pandas.DataFrame(
            {
                "time_s": found.time_s,
                "voltage_V": found.voltage_V,
                "current_A_cm2": found.current_A_cm2,
                **{
                    f"{one.layer} at {one.contact} (e/nm2)": one.charge_e_nm2
                    for one in found.space_charges
                },
            }
        )

    def with_records(self, cell: Cell, materials: Sequence[Insulator | Metal]) -> Self:
        """Return the result with what it was predicted from, for its report."""
        found = self.model_copy()
        found._cell, found._materials = cell, tuple(materials)
        return found

    def __repr__(self) -> str:
        what = "after a step" if self.galvanostatic is None else self.galvanostatic.direction
        return f"<{self.cell} in time, {self.temperature_K:g} K: {what}>"

    __str__ = __repr__
