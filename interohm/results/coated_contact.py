"""Prediction for one contact with coatings between its two phases."""

from __future__ import annotations

from pydantic import Field

from interohm.results.contact import Doubt, InterfaceNumber, Reaction
from interohm.results.design import DesignContact
from interohm.results.result import NextToLearn, Quantiles, Result, Sensitivity


class CoatingPart(Result):
    """One coating of a contact."""

    material: str = Field(description="Record of the coating.")
    thickness_nm: float = Field(description="nm; thickness.")
    resistance_ohm_cm2: float | None = Field(None, description="Ω·cm²; resistance of the coating.")
    quantiles_ohm_cm2: Quantiles | None = Field(
        None, description="Ω·cm²; quantiles of that resistance."
    )


class CoatedPair(DesignContact):
    """One of the contacts between electrode, coatings and electrolyte."""

    potential_drop_V: float | None = Field(
        None, description="V; neutral potential of the right phase minus that of the left one."
    )
    charge_transfer_ohm_cm2: float | None = Field(
        None, description="Ω·cm²; resistance of the ion's hop across the contact."
    )
    quantiles_ohm_cm2: Quantiles | None = Field(
        None, description="Ω·cm²; quantiles of the charge-transfer resistance."
    )
    contact_barrier_eV: float | None = Field(
        None, description="eV; barrier of the ion's hop across the contact."
    )
    contact_barrier_assumed: bool = Field(
        description="Whether the barrier is neither measured nor calculated."
    )
    interface_numbers: list[InterfaceNumber] = Field(
        default_factory=list, description="Numbers of known interfaces for this contact."
    )
    validity: list[Doubt] = Field(
        default_factory=list, description="Assumptions of the model that this contact violates."
    )
    reaction: Reaction | None = Field(
        None, description="Reaction according to energies; null where they are unknown."
    )

    @property
    def name(self) -> str:
        """Names of the two phases."""
        return f"{self.left} | {self.right}"


class CoatedContactResult(Result):
    """A coated contact (`interohm contact A B --coating NAME:NM --json`)."""

    left: str = Field(description="Record of the left phase.")
    right: str = Field(description="Record of the right phase.")
    temperature_K: float = Field(description="K; temperature.")
    state_of_charge: float = Field(description="State of charge; 0 is discharged.")
    reference: str = Field(description="Record of the mobile metal, the zero of potential.")
    records: dict[str, str] = Field(description="Hash of each record that was used.")
    assumed: list[str] = Field(
        default_factory=list,
        description="Numbers of the records that nobody measured or calculated, as "
        "LLZO.band_gap_eV.",
    )
    samples: int = Field(description="Number of samples of the uncertainties.")
    coatings: list[CoatingPart] = Field(description="Coatings, from left to right.")
    contacts: list[CoatedPair] = Field(description="Contacts, from left to right.")
    reacts: bool | None = Field(
        None,
        description="Whether a contact reacts, according to energies or windows; null if unknown.",
    )
    depletion_ohm_cm2: float | None = Field(
        None, description="Ω·cm²; depletion of the two outer phases."
    )
    outside_of_model: bool | None = Field(
        None,
        description="Whether any contact is outside of the model. The resistances are then those "
        "of the unreacted phases. Null if unknown.",
    )
    interface_resistance_ohm_cm2: float | None = Field(
        None, description="Ω·cm²; sum of coatings, charge transfers and depletion."
    )
    quantiles_ohm_cm2: Quantiles | None = Field(
        None, description="Ω·cm²; quantiles of the interface resistance."
    )
    share_above_ohm_cm2: dict[str, float] | None = Field(
        None, description="Fraction of the samples above 1, 10, 100 and 10⁴ Ω·cm²."
    )
    electron_barrier_eV: float | None = Field(
        None, description="eV; barrier of the coatings for electrons."
    )
    hole_barrier_eV: float | None = Field(
        None, description="eV; barrier of the coatings for holes."
    )
    leakage_A_cm2: float | None = Field(None, description="A/cm²; leakage current, an upper bound.")
    next: NextToLearn | None = Field(
        None, description="Number whose knowledge would narrow the interface resistance most."
    )
    sensitivity: Sensitivity | None = Field(
        None, description="Inputs that dominate the variance of the interface resistance."
    )
