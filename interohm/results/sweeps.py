"""Resistances over the temperature, and overpotentials over the current."""

from __future__ import annotations

from pydantic import Field

from interohm.results.result import Curve, CurveQuantiles, Quantiles, Result


class SweptQuantiles(Result):
    """Quantiles of a resistance over the temperature."""

    resistance_ohm_cm2: CurveQuantiles | None = Field(
        None, description="Ω·cm² at `sampled_temperature_K`"
    )
    activation_energy_eV: Quantiles | None = Field(None, description="eV; at the temperature.")
    activation_energy_samples: int | None = Field(None, description="How many samples have one.")


class FlatSwept(Result):
    """A resistance over the temperature."""

    resistance_ohm_cm2: Curve = Field(default_factory=list, description="Ω·cm²")
    activation_energy_eV: Curve = Field(
        default_factory=list, description="eV; apparent, of R/T over 1/T."
    )
    quantiles: SweptQuantiles | None = None

    def spreads(self) -> SweptQuantiles:
        """Return the quantiles; where there are none, each of them is None."""
        return self.quantiles or SweptQuantiles()


class Swept(FlatSwept):
    """A resistance over the temperature, and as it would be without any space charge."""

    without_space_charge: FlatSwept | None = None


class SweptLayer(Swept):
    """A layer of finite thickness over the temperature."""

    material: str = Field(description="Its record.")


class SweptContact(Swept):
    """A contact and its parts over the temperature."""

    left: str = Field(description="Record of the left phase.")
    right: str = Field(description="Record of the right phase.")
    depletion: FlatSwept = Field(
        default_factory=FlatSwept,
        description="What space charges add to the interface, at least 0.",
    )
    space_charge: FlatSwept = Field(
        default_factory=FlatSwept, description="Their excess over the bulk, which may be negative."
    )
    charge_transfer: Swept = Field(default_factory=Swept)

    @property
    def name(self) -> str:
        """Return what the contact is called."""
        return f"{self.left} | {self.right}"


class TemperatureSweep(Result):
    """All resistances over the temperature."""

    state_of_charge: float | None = None
    temperature_K: list[float] = Field(default_factory=list, description="K")
    sampled_temperature_K: list[float] | None = Field(
        None, description="K; where the uncertainties were sampled."
    )
    samples: int | None = None
    area_specific: Swept = Field(default_factory=Swept, description="Of the whole.")
    layers: list[SweptLayer] = Field(default_factory=list)
    contacts: list[SweptContact] = Field(default_factory=list)


class TransferQuantiles(Result):
    """Quantiles of the overpotential of one charge transfer."""

    overpotential_V: CurveQuantiles | None = Field(None, description="V")


class ChargeTransfer(Result):
    """The charge transfer across one contact at finite current."""

    left: str = Field(description="Record of the left phase.")
    right: str = Field(description="Record of the right phase.")
    law: str | None = Field(None, description="Butler–Volmer or Marcus–Hush–Chidsey.")
    overpotential_V: Curve = Field(
        default_factory=list, description="V; null for a current that cannot be carried."
    )
    limiting_current_A_cm2: float | None = Field(None, description="A/cm²")
    quantiles: TransferQuantiles | None = None

    @property
    def name(self) -> str:
        """Return what the contact is called."""
        return f"{self.left} | {self.right}"

    def spreads(self) -> TransferQuantiles:
        """Return the quantiles; where there are none, each of them is None."""
        return self.quantiles or TransferQuantiles()


class PolarizationQuantiles(TransferQuantiles):
    """Quantiles of the overpotentials of the whole."""

    ohmic_overpotential_V: CurveQuantiles | None = Field(None, description="V")


class Polarization(Result):
    """Overpotentials over the current density."""

    current_A_cm2: list[float] = Field(default_factory=list, description="A/cm²")
    overpotential_V: Curve = Field(default_factory=list, description="V; of the whole.")
    ohmic_overpotential_V: Curve = Field(
        default_factory=list, description="V; of layers and space charges."
    )
    resistance_ohm_cm2: Curve = Field(
        default_factory=list, description="Ω·cm²; overpotential over current."
    )
    contacts: list[ChargeTransfer] = Field(default_factory=list)
    quantiles: PolarizationQuantiles | None = None

    def spreads(self) -> PolarizationQuantiles:
        """Return the quantiles; where there are none, each of them is None."""
        return self.quantiles or PolarizationQuantiles()
