"""Result of a design: candidates for a coating, and what to calculate next."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from pydantic import Field

from interohm.results.percents import sampled_percent
from interohm.results.result import Curve, Quantiles, Result

if TYPE_CHECKING:
    import pandas

#: Verdicts on candidates, in the order in which they are listed.
ELIGIBLE, BREAKS, OUTSIDE = "eligible", "breaks a limit", "outside of this model"
UNKNOWN = "stability unknown"
VERDICTS = (ELIGIBLE, BREAKS, UNKNOWN, OUTSIDE)


def best_first(probability: float, resistance_ohm_cm2: float | None) -> tuple[float, float]:
    """Return the key that sorts candidates: the likeliest to be the best first.

    Samples tell probabilities apart to a few percent at most, so that those of the same percent are
    equal; then the lowest median of the resistance is first.
    """
    return -round(100 * probability), math.inf if resistance_ohm_cm2 is None else resistance_ohm_cm2


def windows_unknown_text(names: Iterable[str]) -> str:
    """Return that the stability of contacts is not known without these windows, and a fix."""
    records = list(dict.fromkeys(names))
    has, of = ("its record has", "its") if len(records) == 1 else ("their records have", "their")
    return (
        f"it is not known whether contacts with {', '.join(records)} are stable, since {has} "
        f"no stability window: give stability_window_V there, or calculate {of} phase diagram"
    )


def _likely_first(one: DesignCandidate) -> tuple[float, float]:
    return best_first(one.best_probability, one.interface_resistance_ohm_cm2)


class DesignContact(Result):
    """One contact of a candidate: whether its two phases bear each other."""

    left: str = Field(description="Record of the left phase.")
    right: str = Field(description="Record of the right phase.")
    verdict: str | None = Field(
        None,
        description="Verdict: by energies does not react, may react or reacts; by windows within"
        " the windows or outside of a window; null if unknown.",
    )
    known_from: str | None = Field(
        None,
        description="Evidence for the verdict: energies (of a phase diagram) or windows; null"
        " if unknown.",
    )
    driving_force_eV: float | None = Field(
        None,
        description="eV; driving force per atom that is not of the mobile element, at the "
        "worst state of charge.",
    )
    products: list[str] = Field(
        default_factory=list, description="Formulas of the reaction products."
    )
    margin_V: float | None = Field(
        None,
        description="V; distance of the electrode's potential from the window's limits, or "
        "overlap of two windows, at the worst state of charge.",
    )
    outside_of_model: bool | None = Field(
        None,
        description="Whether the phases react, or exceed a window by more than the uncertainty of "
        "its limits (95 %), so that something forms that the model does not describe. Null if "
        "unknown.",
    )
    text: str | None = Field(None, description="Description in words.")


class DesignSide(Result):
    """Effect of a coating on one of the two outer phases."""

    phase: str = Field(description="Record of the outer phase.")
    margin_V: float | None = Field(None, description="V; margin of the contact with the coating.")
    margin_quantiles_V: Quantiles | None = Field(None, description="V; quantiles of that margin.")
    uncoated_margin_V: float | None = Field(
        None, description="V; margin of the contact without a coating."
    )
    limited_by: str | None = Field(
        None,
        description="Phase whose window limits the margin: the coating, or the outer phase itself.",
    )


class ChosenLayer(Result):
    """One layer of a candidate at its optimum."""

    material: str = Field(description="Record of the layer.")
    thickness_nm: float = Field(description="nm; thickness.")
    donors_cm3: float = Field(0.0, description="cm⁻³; frozen species of charge +1.")
    acceptors_cm3: float = Field(0.0, description="cm⁻³; frozen species of charge −1.")
    doping_gradient_cm3: float = Field(
        0.0,
        description="cm⁻³; donors minus acceptors at the right end, minus those at the left end.",
    )
    susceptibility: float = Field(
        0.0, description="Susceptibility in addition to the record's dielectric constant."
    )
    at_ends: list[str] = Field(
        default_factory=list,
        description="Fields of this layer, but for the thickness, that are at an end of their range"
        " or list: a better value may lie beyond.",
    )

    @property
    def doping_at_ends_cm3(self) -> tuple[float, float]:
        """Donors minus acceptors at the left and at the right end."""
        mean, half = self.donors_cm3 - self.acceptors_cm3, 0.5 * self.doping_gradient_cm3
        return mean - half, mean + half

    @property
    def is_modified(self) -> bool:
        """Return whether the layer is more than its plain material."""
        return any((*self.doping_at_ends_cm3, self.susceptibility))

    @property
    def text(self) -> str:
        """Describe the layer in words."""
        parts = [f"{self.thickness_nm:.3g} nm {self.material}"]
        left, right = self.doping_at_ends_cm3
        if left or right:
            ends = f"{left:.2g}" if left == right else f"{left:.2g} to {right:.2g}"
            parts.append(f"donors − acceptors {ends} cm⁻³")
        if self.susceptibility:
            parts.append(f"susceptibility {self.susceptibility:.3g}")
        if self.at_ends:
            parts.append(f"at the end of the range: {', '.join(self.at_ends)}")
        return ", ".join(parts)


class ThicknessCurve(Result):
    """A candidate over the thickness of its first layer, all else at the optimum."""

    thickness_nm: Curve = Field(description="nm; thicknesses of the first layer.")
    interface_resistance_ohm_cm2: dict[str, Curve] = Field(
        description="Ω·cm²; quantiles p05, p50 and p95 of the samples."
    )
    coating_ohm_cm2: Curve = Field(description="Ω·cm²; median resistance of the coating.")
    charge_transfer_ohm_cm2: Curve = Field(description="Ω·cm²; median of all charge transfers.")
    depletion_ohm_cm2: Curve = Field(description="Ω·cm²; median depletion of the two outer phases.")


class DesignCandidate(Result):
    """One coating, or two, at the thickness with the lowest resistance; the worst state counts."""

    name: str = Field(description="Record of the coating, or both records.")
    layers: list[ChosenLayer] = Field(
        default_factory=list, description="Layers at the optimum, from left to right."
    )
    optimum_nm: float | None = Field(
        None, description="nm; optimum thickness of all layers together."
    )
    at_bound: str | None = Field(
        None, description="thinnest or thickest, if the optimum is at an end of the range."
    )
    largest_nm: float | None = Field(
        None,
        description="nm; largest first layer whose median resistance keeps the limit, null if"
        " there is none.",
    )
    largest_nm_interval: list[float | None] | None = Field(
        None,
        description="nm; lower and upper end of the 68 % interval of largest_nm, by the sampling "
        "error of the median: up to where the upper and the lower end of the median's interval "
        "keep the limit; an end is null where that is nowhere. Null without a coating and in "
        "earlier documents.",
    )
    interface_resistance_ohm_cm2: float | None = Field(
        None, description="Ω·cm²; median of the samples at the optimum."
    )
    median_interval_ohm_cm2: list[float] | None = Field(
        None,
        description="Ω·cm²; lower and upper end of the 68 % interval of this median, by its "
        "sampling error; null without a coating and in earlier documents.",
    )
    mean_log10_resistance: float | None = Field(
        None,
        description="Mean of log10 of the interface resistance in Ω·cm² over the samples with a "
        "solution, at the optimum; null in earlier documents.",
    )
    undoped_ohm_cm2: float | None = Field(
        None,
        description="Ω·cm²; median interface resistance of the same layers without dopants; null "
        "where none are given.",
    )
    quantiles: dict[str, Quantiles | None] = Field(
        default_factory=dict,
        description="Quantiles of interface_resistance_ohm_cm2, electron_barrier_eV, "
        "hole_barrier_eV and leakage_A_cm2.",
    )
    electron_barrier_eV: float | None = Field(None, description="eV; median barrier for electrons.")
    hole_barrier_eV: float | None = Field(None, description="eV; median barrier for holes.")
    leakage_A_cm2: float | None = Field(None, description="A/cm²; median leakage, an upper bound.")
    reacts: bool | None = Field(
        None,
        description="Whether a contact reacts, according to energies or windows; null if unknown.",
    )
    contacts: list[DesignContact] = Field(
        default_factory=list, description="Contacts, from left to right."
    )
    sides: list[DesignSide] = Field(
        default_factory=list, description="Margins of the two outer phases."
    )
    verdict: str = Field(
        ELIGIBLE,
        description="eligible; breaks a limit (in more than half of the samples); stability "
        "unknown (windows_unknown, where the margin is a limit); or outside of "
        "this model (a contact reacts by energies, or leaves its windows' limits in more than 95 % "
        "of the samples).",
    )
    verdict_text: str = Field(
        "", description="Reason why the candidate is not eligible; empty if it is."
    )
    within_limits_probability: float | None = Field(
        None,
        description="Fraction of the samples that keep all limits; null where the stability is "
        "unknown.",
    )
    limits_broken: list[str] = Field(
        default_factory=list, description="Limits that fewer than half of the samples keep."
    )
    windows_unknown: list[str] = Field(
        default_factory=list,
        description="Records without a stability window, so that nothing is known about the "
        "stability of a contact of the candidate.",
    )
    outside_of_model: bool = Field(
        False,
        description="Whether a contact reacts or decomposes, so that the candidate is the "
        "best in no sample.",
    )
    best_probability: float = Field(
        0.0,
        description="Fraction of the samples in which the candidate keeps all limits with the"
        " lowest R; may be above 0 for one that breaks a limit in more than half "
        "of them.",
    )
    without_solution: int = Field(0, description="Number of samples without a solution.")
    curve: ThicknessCurve | None = Field(
        None, description="Resistance over the thickness; null without a coating."
    )

    @property
    def is_modified(self) -> bool:
        """Return whether a layer is more than its plain material, or dopants were tried."""
        return self.undoped_ohm_cm2 is not None or any(one.is_modified for one in self.layers)

    @property
    def optimum_text(self) -> str:
        """Describe the layers at the optimum in words, beside the same layers undoped."""
        text = "; ".join(layer.text for layer in self.layers)
        doped, undoped = self.interface_resistance_ohm_cm2, self.undoped_ohm_cm2
        if doped is None or undoped is None:
            return text
        text += f"; median R {doped:.3g} Ω·cm², undoped {undoped:.3g} Ω·cm²"
        if doped > undoped:
            text += " (doping raises the median; of what was tried, the mean of log10 R is lowest)"
        return text

    def largest_text(self, write: Callable[[float, int], str]) -> str:
        """Return `largest_nm` and its interval for a table.

        “none” where R is above the limit everywhere, ≥ where the range ends.
        """
        if self.curve is None:
            return "–"
        end = self.curve.thickness_nm[-1]

        def said(value: float | None, digits: int) -> str:
            if value is None:
                return "none"
            reaches = end is not None and math.isclose(value, end, rel_tol=1e-6)
            return "≥ " * reaches + write(value, digits)

        text = said(self.largest_nm, 3)
        low, high = (said(one, 2) for one in self.largest_nm_interval or (None, None))
        return text if low == high else f"{text} ({low} … {high})"

    @property
    def is_never_best(self) -> bool:
        """Return whether the candidate is the best in no sample, whatever its resistance."""
        return self.verdict in (UNKNOWN, OUTSIDE)


class MarginDecision(Result):
    """Effect of the limit ``stability_margin_V`` on the choice."""

    left_V: float | None = Field(
        description="V; limit on the side of the left phase; null: no limit."
    )
    right_V: float | None = Field(
        description="V; limit on the side of the right phase; null: no limit."
    )
    is_default: bool = Field(description="Whether the limit is the default.")
    eligible: list[str] = Field(description="Coatings that are eligible with this limit.")
    eligible_at_zero: list[str] = Field(
        description="Coatings that are eligible with 0 V on both sides."
    )
    eligible_without: list[str] = Field(
        description="Coatings that are eligible without a limit on the margin."
    )
    text: str = Field(description="Description in words.")


class FrontPoint(Result):
    """A thickness of a candidate that no other beats in all of four outputs; medians."""

    name: str = Field(description="Name of the candidate.")
    thickness_nm: float = Field(description="nm; thickness of all layers together.")
    interface_resistance_ohm_cm2: float = Field(description="Ω·cm²; interface resistance.")
    electron_barrier_eV: float | None = Field(
        None, description="eV; barrier from the electrode's Fermi level to the conduction band."
    )
    stability_margin_V: float | None = Field(None, description="V; margin of the worse side.")


class NextCalculation(Result):
    """One calculation or measurement and what knowing its result is worth."""

    calculation: str = Field(
        description="Kind: surface, defects, migration, band gap, dielectric, phase diagram, "
        "contact barrier, electrode or measurement."
    )
    material: str = Field(description="Name of the record, or of the two phases of a contact.")
    fields: list[str] = Field(description="Numbers that the calculation would give.")
    gain_decades: float = Field(
        description="Amount by which the expected log10 R of the choice falls, including the "
        "penalty for broken limits."
    )
    variance_share: float = Field(
        0.0,
        description="Share of these numbers in the variance of log10 R of the candidate with "
        "the lowest mean.",
    )
    variance_of: str | None = Field(
        None, description="Name of that candidate; null in screenings and earlier documents."
    )
    core_hours: float | None = Field(
        None, description="h; estimated core-hours, null for a measurement."
    )
    gain_per_core_hour: float | None = Field(
        None, description="Decades per core-hour; null for a measurement."
    )
    text: str = Field(description="Description in words.")


class DesignResult(Result):
    """A design (`interohm design --json`)."""

    design: str = Field(description="Name of the design.")
    between: list[str] = Field(description="The two phases.")
    temperature_K: float = Field(description="K; temperature.")
    states_of_charge: list[float] = Field(description="States of charge; 0 is discharged.")
    samples: int = Field(description="Number of samples of the uncertainties.")
    limits: dict[str, Any] = Field(description="Limits that a coated contact must keep.")
    records: dict[str, str] = Field(description="Hash of each record that was used.")
    coatings: list[DesignCandidate] = Field(description="All candidates.")
    uncoated: DesignCandidate = Field(description="The contact without a coating.")
    best: str | None = Field(
        None,
        description="The eligible candidate that is most probably the best; of those equal to a "
        "percent, the one with the lowest median R. Null if none is.",
    )
    best_remark: str = Field(
        "",
        description="Remark if the median resistance of the best candidate, or of the one that "
        "comes closest, exceeds the limit; else empty.",
    )
    none_probability: float = Field(
        description="Fraction of the samples in which no candidate keeps all limits."
    )
    margin: MarginDecision | None = Field(
        None, description="Effect of the stability margin; null in earlier documents."
    )
    front: list[FrontPoint] = Field(
        default_factory=list,
        description="Pareto front of resistance, electron barrier, stability margin and thickness.",
    )
    next: list[NextCalculation] = Field(
        default_factory=list, description="Calculations by their value for this decision."
    )

    def ranked(self) -> list[DesignCandidate]:
        """Return all candidates: eligible ones first, then by how likely each is the best.

        Of those that are equally likely, to a percent, the one with the lowest median is first.
        """
        return sorted(
            [*self.coatings, self.uncoated],
            key=lambda one: (
                VERDICTS.index(one.verdict),
                # outside of the model, a resistance is meaningless
                (0, 0.0) if one.outside_of_model else _likely_first(one),
            ),
        )

    def named(self) -> DesignCandidate | None:
        """Return the best candidate, else the one that comes closest to being it, if any does."""
        candidates = [*self.coatings, self.uncoated]
        if self.best is not None:
            return next(one for one in candidates if one.name == self.best)
        likely = [one for one in candidates if one.best_probability > 0.0]
        return min(likely, key=_likely_first, default=None)

    def more_often_best(self) -> str:
        """Return which candidate that breaks a limit is the best more often than `best`, if any."""
        chosen = self.named()
        if self.best is None or chosen is None:
            return ""
        other = min([*self.coatings, self.uncoated], key=_likely_first)
        if round(100 * other.best_probability) <= round(100 * chosen.best_probability):
            return ""
        share = sampled_percent(other.best_probability, self.samples)
        return (
            f"{other.name} is the best more often, in {share} of the samples, but breaks a limit "
            f"in more than half of them ({', '.join(other.limits_broken)})"
        )

    def resistance_remark(self) -> str:
        """Return how far the named candidate's resistance is above the limit; empty if it is not.

        The candidates within the limit follow, or that there is none.
        """
        named, limit = self.named(), self.limits["interface_resistance_ohm_cm2"]
        if named is None:
            return ""
        resistance = named.interface_resistance_ohm_cm2
        if resistance is None or resistance <= limit:
            return ""
        low = [
            f"{one.name} ({one.verdict}, {one.interface_resistance_ohm_cm2:.2g} Ω·cm²)"
            for one in self.ranked()
            if one.interface_resistance_ohm_cm2 is not None
            and one.interface_resistance_ohm_cm2 <= limit
            and not one.outside_of_model
        ]
        within = (
            f"within it: {', '.join(low)}"
            if low
            else "no candidate that this model describes has a low resistance"
        )
        return (
            f"the median resistance of {named.name}, {resistance:.2g} Ω·cm², exceeds the limit of "
            f"{limit:g} Ω·cm² (interface_resistance_ohm_cm2); {within}"
        )

    @property
    def keeps(self) -> str:
        """Return the verb for what is said of all candidates and their limits."""
        unknown = any(one.verdict == UNKNOWN for one in self.coatings)
        return "is known to keep" if unknown else "keeps"

    def windows_remark(self) -> str:
        """Return which stability windows are missing, what follows and how to mend it."""
        concerned = [one for one in self.coatings if one.windows_unknown]
        if not concerned:
            return ""
        text = windows_unknown_text(name for one in concerned for name in one.windows_unknown)
        unjudged = [one.name for one in concerned if one.verdict == UNKNOWN]
        if unjudged:
            text += f"; until then, never the best: {', '.join(unjudged)}"
        ranked = [one.name for one in concerned if one.verdict in (ELIGIBLE, BREAKS)]
        if ranked:
            text += f"; judged without it, since the margin is no limit: {', '.join(ranked)}"
        return text

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
