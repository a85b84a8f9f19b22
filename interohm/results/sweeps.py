"""Resistances over the temperature, and overpotentials over the current."""

from __future__ import annotations

from pydantic import Field

from interohm.results.result import Curve, CurveQuantiles, Quantiles, Result


class SweptQuantiles(Result):
    """Quantiles of a resistance over the temperature."""

    resistance_ohm_cm2: CurveQuantiles | None = Field(
        None, description="Ω·cm²; resistance at `sampled_temperature_K`."
    )
    activation_energy_eV: Quantiles | None = Field(
        None, description="eV; activation energy at the temperature."
    )
    activation_energy_samples: int | None = Field(
        None, description="Number of samples that have an activation energy."
    )


class FlatSwept(Result):
    """A resistance over the temperature."""

    resistance_ohm_cm2: Curve = Field(default_factory=list, description="Ω·cm²; resistance.")
    activation_energy_eV: Curve = Field(
        default_factory=list, description="eV; apparent activation energy of R/T."
    )
    quantiles: SweptQuantiles | None = Field(
        None, description="Quantiles; null without uncertainties."
    )

    def spreads(self) -> SweptQuantiles:
        """Return the quantiles; where there are none, each of them is None."""
        return self.quantiles or SweptQuantiles()


class Swept(FlatSwept):
    """A resistance over the temperature, and as it would be without any space charge."""

    without_space_charge: FlatSwept | None = Field(
        None, description="The same resistance with all phases as in their neutral bulk."
    )


class SweptLayer(Swept):
    """A layer of finite thickness over the temperature."""

    material: str = Field(description="Name of the record.")


class SweptContact(Swept):
    """A contact and its parts over the temperature."""

    left: str = Field(description="Record of the left phase.")
    right: str = Field(description="Record of the right phase.")
    depletion: FlatSwept = Field(
        default_factory=FlatSwept,
        description="Resistance that space charges add to the interface, at least 0.",
    )
    space_charge: FlatSwept = Field(
        default_factory=FlatSwept,
        description="Excess of the space charges over the bulk, which may be negative.",
    )
    charge_transfer: Swept = Field(
        default_factory=Swept, description="Resistance of the ion's hop across the contact."
    )

    @property
    def name(self) -> str:
        """Return what the contact is called."""
        return f"{self.left} | {self.right}"


class TemperatureSweep(Result):
    """All resistances over the temperature."""

    state_of_charge: float | None = Field(None, description="State of charge; 0 is discharged.")
    temperature_K: list[float] = Field(default_factory=list, description="K; temperatures.")
    sampled_temperature_K: list[float] | None = Field(
        None, description="K; temperatures at which the uncertainties were sampled."
    )
    samples: int | None = Field(None, description="Number of samples of the uncertainties.")
    area_specific: Swept = Field(
        default_factory=Swept, description="Area-specific resistance of the cell or contact."
    )
    layers: list[SweptLayer] = Field(default_factory=list, description="Each layer.")
    contacts: list[SweptContact] = Field(default_factory=list, description="Each contact.")


class TransferQuantiles(Result):
    """Quantiles of the overpotential of one charge transfer."""

    overpotential_V: CurveQuantiles | None = Field(None, description="V; overpotential.")


class ChargeTransfer(Result):
    """The charge transfer across one contact at finite current."""

    left: str = Field(description="Record of the left phase.")
    right: str = Field(description="Record of the right phase.")
    law: str | None = Field(
        None, description="Law of charge transfer: Butler–Volmer or Marcus–Hush–Chidsey."
    )
    overpotential_V: Curve = Field(
        default_factory=list,
        description="V; overpotential, null for a current that cannot be carried.",
    )
    limiting_current_A_cm2: float | None = Field(
        None, description="A/cm²; largest current that the contact can carry."
    )
    quantiles: TransferQuantiles | None = Field(
        None, description="Quantiles; null without uncertainties."
    )

    @property
    def name(self) -> str:
        """Return what the contact is called."""
        return f"{self.left} | {self.right}"

    def spreads(self) -> TransferQuantiles:
        """Return the quantiles; where there are none, each of them is None."""
        return self.quantiles or TransferQuantiles()


class PolarizationQuantiles(TransferQuantiles):
    """Quantiles of the overpotentials of the whole."""

    ohmic_overpotential_V: CurveQuantiles | None = Field(
        None, description="V; overpotential of layers and space charges."
    )


class Polarization(Result):
    """Overpotentials over the current density."""

    current_A_cm2: list[float] = Field(
        default_factory=list, description="A/cm²; current densities."
    )
    overpotential_V: Curve = Field(
        default_factory=list, description="V; overpotential of the whole."
    )
    ohmic_overpotential_V: Curve = Field(
        default_factory=list, description="V; overpotential of layers and space charges."
    )
    resistance_ohm_cm2: Curve = Field(
        default_factory=list, description="Ω·cm²; overpotential over current."
    )
    contacts: list[ChargeTransfer] = Field(
        default_factory=list, description="The charge transfer across each contact."
    )
    quantiles: PolarizationQuantiles | None = Field(
        None, description="Quantiles; null without uncertainties."
    )

    def spreads(self) -> PolarizationQuantiles:
        """Return the quantiles; where there are none, each of them is None."""
        return self.quantiles or PolarizationQuantiles()
