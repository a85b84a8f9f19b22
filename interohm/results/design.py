"""What a design found: candidates for a coating, and what to calculate next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from interohm.results.result import Curve, Quantiles, Result

if TYPE_CHECKING:
    import pandas


class DesignContact(Result):
    """One contact of a candidate: whether its two phases bear each other."""

    left: str
    right: str
    verdict: str | None = Field(
        None, description="stable, may react, reacts, or outside of a window; null if unknown."
    )
    known_from: str | None = Field(
        None, description="energies (of a phase diagram) or windows; null if unknown."
    )
    driving_force_eV: float | None = Field(
        None, description="eV per atom that is not of the mobile element; the worst state."
    )
    products: list[str] = Field(default_factory=list)
    margin_V: float | None = Field(
        None,
        description="V; electrode's potential to the window's limits, or how far two windows "
        "overlap. The worst state.",
    )
    text: str | None = Field(None, description="The same in words.")


class DesignSide(Result):
    """What a coating does for one of the two outer phases."""

    phase: str
    margin_V: float | None = Field(None, description="V; of the contact with the coating.")
    margin_quantiles_V: Quantiles | None = Field(None, description="V")
    uncoated_margin_V: float | None = Field(None, description="V; of the contact without it.")


class ChosenLayer(Result):
    """One layer of a candidate at its optimum."""

    material: str
    thickness_nm: float = Field(description="nm")
    donors_cm3: float = Field(0.0, description="cm⁻³")
    acceptors_cm3: float = Field(0.0, description="cm⁻³")
    doping_gradient_cm3: float = Field(
        0.0, description="cm⁻³; donors minus acceptors, right end less left end."
    )
    susceptibility: float = Field(0.0, description="Beside the record's dielectric constant.")


class ThicknessCurve(Result):
    """A candidate over the thickness of its first layer, all else at the optimum."""

    thickness_nm: Curve = Field(description="nm")
    interface_resistance_ohm_cm2: dict[str, Curve] = Field(
        description="Ω·cm²; quantiles p05, p50 and p95 of the samples."
    )
    coating_ohm_cm2: Curve = Field(description="Ω·cm²; median.")
    charge_transfer_ohm_cm2: Curve = Field(description="Ω·cm²; median.")
    depletion_ohm_cm2: Curve = Field(description="Ω·cm²; median, of the two outer phases.")


class DesignCandidate(Result):
    """One coating, or two, at the thickness with the lowest resistance; the worst state counts."""

    name: str
    layers: list[ChosenLayer] = Field(default_factory=list)
    optimum_nm: float | None = Field(None, description="nm; of all layers together.")
    at_bound: str | None = Field(
        None, description="thinnest or thickest, where the optimum is an end of the range."
    )
    largest_nm: float | None = Field(
        None,
        description="nm; largest first layer whose median resistance keeps the limit, null if none "
        "does.",
    )
    interface_resistance_ohm_cm2: float | None = Field(
        None, description="Ω·cm²; median of the samples at the optimum."
    )
    quantiles: dict[str, Quantiles | None] = Field(
        default_factory=dict,
        description="Of interface_resistance_ohm_cm2, electron_barrier_eV, hole_barrier_eV and "
        "leakage_A_cm2.",
    )
    electron_barrier_eV: float | None = Field(None, description="eV; median.")
    hole_barrier_eV: float | None = Field(None, description="eV; median.")
    leakage_A_cm2: float | None = Field(None, description="A/cm²; median, an upper bound.")
    reacts: bool | None = Field(
        None, description="Whether a contact does, by energies or by windows; null if unknown."
    )
    contacts: list[DesignContact] = Field(default_factory=list)
    sides: list[DesignSide] = Field(default_factory=list, description="Of the two outer phases.")
    within_limits_probability: float | None = Field(
        None, description="Share of the samples that keep all limits."
    )
    limits_broken: list[str] = Field(
        default_factory=list, description="Limits that fewer than half of the samples keep."
    )
    outside_of_model: bool = Field(
        False, description="A contact reacts or decomposes: never the best."
    )
    best_probability: float = Field(
        0.0, description="Share of the samples in which it keeps all limits with the lowest R."
    )
    without_solution: int = Field(0, description="Samples without a solution.")
    curve: ThicknessCurve | None = None


class FrontPoint(Result):
    """A thickness of a candidate that no other beats in all of four outputs; medians."""

    name: str
    thickness_nm: float = Field(description="nm; of all layers together.")
    interface_resistance_ohm_cm2: float = Field(description="Ω·cm²")
    electron_barrier_eV: float | None = Field(None, description="eV")
    stability_margin_V: float | None = Field(None, description="V; of the worse side.")


class NextCalculation(Result):
    """One calculation or measurement and what knowing its result is worth."""

    calculation: str = Field(
        description="surface, defects, migration, band gap, dielectric, phase diagram, contact "
        "barrier, electrode or measurement."
    )
    material: str = Field(description="The record, or the two phases of a contact.")
    fields: list[str] = Field(description="The numbers that it would give.")
    gain_decades: float = Field(
        description="By how much the expected log10 R of the choice falls, limits included."
    )
    variance_share: float = Field(
        0.0, description="Of log10 R of the candidate with the lowest mean: what they explain."
    )
    core_hours: float | None = Field(None, description="About; null for a measurement.")
    gain_per_core_hour: float | None = None
    text: str = Field(description="The same in words.")


class DesignResult(Result):
    """A design (`interohm design --json`)."""

    design: str = Field(description="Its name.")
    between: list[str] = Field(description="The two phases.")
    temperature_K: float = Field(description="K")
    states_of_charge: list[float] = Field(description="0 is discharged.")
    samples: int
    limits: dict[str, Any]
    records: dict[str, str] = Field(description="Hash of each record that was used.")
    coatings: list[DesignCandidate]
    uncoated: DesignCandidate
    best: str | None = Field(None, description="The candidate that is most probably the best.")
    none_probability: float = Field(
        description="Share of the samples in which no candidate keeps all limits."
    )
    front: list[FrontPoint] = Field(default_factory=list)
    next: list[NextCalculation] = Field(default_factory=list)

    def to_frame(self) -> pandas.DataFrame:
        """Return one row for each candidate."""
        from interohm.results.frames import frame_of

        rows = [one.document() for one in self.coatings]
        for row in rows:
            row.pop("curve", None)
        return frame_of(rows)

    def __repr__(self) -> str:
        pair = " | ".join(self.between)
        return f"<{self.design}: {len(self.coatings)} coatings of {pair}, best: {self.best}>"

    __str__ = __repr__
