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
    """What one process takes off the voltage (adds to it on charge), over time."""

    name: str = Field(
        description="charge transfer, space charge, bulk, layer (solved whole) or solid diffusion."
    )
    where: str = Field(description="The contact, the layer, or the electrode.")
    overpotential_V: Curve = Field(
        default_factory=list, description="V; negative where carriers accumulate."
    )


class ElectrodeCourse(Result):
    """The ions of one electrode, over time."""

    material: str = Field(description="Its record.")
    side: Literal["negative", "positive"] = Field(description="Which electrode it is.")
    mean_content: Curve = Field(default_factory=list, description="Ions of a formula.")
    surface_content: Curve = Field(
        default_factory=list, description="The same at the contact, which space charges follow."
    )
    diffusion_number: float | None = Field(
        None, description="Current times thickness over diffusivity and all ions: below 0.1 flat."
    )
    biot_number: float | None = Field(
        None, description="Resistance of diffusion (R_D/3) over that of charge transfer."
    )
    control: Literal["diffusion", "reaction", "both"] | None = Field(
        None, description="By the Biot number: above 10, below 0.1, between."
    )


class GalvanostaticQuantiles(Result):
    """What the records' uncertainties leave open of a discharge or charge."""

    voltage_V: CurveQuantiles | None = Field(None, description="V, over time; cell voltage.")
    capacity_mAh_cm2: Quantiles | None = Field(
        None, description="mAh/cm²; counted to the nominal end at most."
    )
    samples: int | None = Field(None, description="How often the uncertainties were drawn.")


class Galvanostatic(Result):
    """A discharge or a charge at constant current."""

    direction: Literal["discharge", "charge"] = Field(description="Direction of the current.")
    c_rate: float = Field(description="1/h; of the electrode that holds less.")
    current_A_cm2: float = Field(description="A/cm²; current density.")
    cut_off_V: float | None = Field(None, description="V; at which it ends.")
    nominal_capacity_mAh_cm2: float = Field(description="mAh/cm²; at no current.")
    capacity_mAh_cm2: float = Field(description="mAh/cm²; until it ended.")
    ended_by: str = Field(
        description="capacity, cut-off voltage, surface (an electrode's is full or empty) or "
        "current (beyond what a contact can carry)."
    )
    time_s: list[float] = Field(default_factory=list, description="s; time since the start.")
    capacity_passed_mAh_cm2: list[float] = Field(
        default_factory=list, description="mAh/cm²; charge passed since the start."
    )
    state_of_charge: list[float] = Field(default_factory=list, description="0 is discharged.")
    voltage_V: Curve = Field(default_factory=list, description="V; cell voltage.")
    open_circuit_voltage_V: Curve = Field(
        default_factory=list, description="V; at the mean contents."
    )
    overpotentials: list[Overpotential] = Field(
        default_factory=list, description="Their sum is what the voltage lacks."
    )
    electrodes: list[ElectrodeCourse] = Field(
        default_factory=list, description="Ions of each electrode over time."
    )
    damkoehler_number: float | None = Field(
        None, description="Overpotential of the bulk over that of all interfaces, half way."
    )
    limited_by: tuple[str, str] | None = Field(
        None, description="The largest overpotential half way: name and place."
    )
    space_charges_follow: bool = Field(True, description="At this current, in all layers.")
    slow_layers: list[str] = Field(default_factory=list, description="Those in which not.")
    quantiles: GalvanostaticQuantiles | None = Field(
        None, description="None without uncertainties."
    )


class SpaceChargeCourse(Result):
    """One side of a layer, over time."""

    layer: str = Field(description="Record of the layer.")
    contact: str = Field(description="Record of the phase that it touches.")
    charge_e_nm2: Curve = Field(default_factory=list, description="e/nm²; of this half of it.")
    relaxation_time_s: float | None = Field(
        None, description="s; until 1/e of its change is left, null where it does not change."
    )


class LinearRelaxation(Result):
    """A relaxation that linear response expects after the step."""

    time_s: float = Field(description="s; time constant.")
    share: float = Field(description="Of the current at first, or of the voltage.")


class FormationProfile(Result):
    """The cell at one time."""

    time_s: float = Field(description="s; time since the step.")
    x_nm: Curve = Field(default_factory=list, description="nm; from the first insulating layer.")
    phi_V: Curve = Field(
        default_factory=list,
        description="V; electrostatic potential against the neutral mobile metal.",
    )
    charge_e_nm3: Curve = Field(default_factory=list, description="e/nm³; charge density.")


class Formation(Result):
    """The space charges after a step of the potential or the temperature."""

    step: Literal["potential", "temperature"] = Field(description="Quantity that was stepped.")
    by: float = Field(description="V or K; height of the step.")
    temperature_before_K: float | None = Field(None, description="K; until the step.")
    temperature_after_K: float | None = Field(
        None, description="K; from the step on: of the relaxations and of what the cell tends to."
    )
    state_of_charge: float = Field(description="0 is discharged.")
    open_circuit_voltage_V: float = Field(description="V; after the step.")
    time_s: list[float] = Field(default_factory=list, description="s; the step is at 0.")
    voltage_V: Curve = Field(default_factory=list, description="V; cell voltage over time.")
    current_A_cm2: Curve = Field(
        default_factory=list, description="A/cm²; positive discharges the cell."
    )
    space_charges: list[SpaceChargeCourse] = Field(
        default_factory=list, description="Space charge on each side of each layer."
    )
    relaxations: list[LinearRelaxation] = Field(
        default_factory=list,
        description="After a step of the potential the zeros of the "
        "impedance, without a current its poles.",
    )
    profiles: list[FormationProfile] = Field(
        default_factory=list, description="Potential and charge along x at some times."
    )


class DynamicsResult(Result):
    """A cell in time (`interohm dynamics --json`)."""

    cell: str = Field(description="Its name.")
    temperature_K: float = Field(description="K; that before a step of the temperature.")
    records: dict[str, str] = Field(
        default_factory=dict, description="Hash of each record that was used."
    )
    galvanostatic: Galvanostatic | None = Field(None, description="Null after a step.")
    formation: Formation | None = Field(None, description="Null without a step.")
    quasi_equilibrium: QuasiEquilibrium | None = Field(
        None,
        description="Half charged, or at the state of charge of the step, after it.",
    )
    remarks: list[str] = Field(default_factory=list, description="What else a reader must know.")

    @property
    def following_at(self) -> str:
        """At which state of charge, and after which step, `quasi_equilibrium` is, in words."""
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
