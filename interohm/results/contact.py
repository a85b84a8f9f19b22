"""Prediction for a contact, alone or within a cell."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, Self, TypeVar

from pydantic import Field, PrivateAttr

from interohm.results.percents import percent
from interohm.results.result import (
    BothSides,
    Curve,
    CurveQuantiles,
    NextToLearn,
    Quantiles,
    QuantilesOfSides,
    Result,
    Sensitivity,
    Side,
    without_records,
)
from interohm.results.sweeps import Polarization, TemperatureSweep

if TYPE_CHECKING:
    from pathlib import Path

    import pandas
    from plotly.graph_objects import Figure

    from interohm.records import Insulator, Metal


class LimitingStep(StrEnum):
    """The largest part of an interface resistance, in the words of tables and reports."""

    space_charge = "space charge"
    charge_transfer = "charge transfer"
    layer = "layer"


class Resistance(Result):
    """The resistance of a contact and its parts; null where there is none."""

    interface_resistance_ohm_cm2: float | None = Field(
        None, description="Ω·cm²; sum of charge transfer and depletion, always positive."
    )
    total_ohm_cm2: float | None = Field(
        None,
        description="Ω·cm²; sum of charge transfer and space charges, negative where these "
        "conduct well.",
    )
    charge_transfer_ohm_cm2: float | None = Field(
        None, description="Ω·cm²; resistance of the ion's hop across the contact."
    )
    contact_barrier_eV: float | None = Field(
        None, description="eV; barrier of the ion's hop across the contact."
    )
    space_charge_ohm_cm2: float | None = Field(
        None,
        description="Ω·cm²; excess resistance of both space charges over the undisturbed bulk.",
    )
    space_charge_left_ohm_cm2: float | None = Field(
        None, description="Ω·cm²; excess resistance of the left space charge."
    )
    space_charge_right_ohm_cm2: float | None = Field(
        None, description="Ω·cm²; excess resistance of the right space charge."
    )
    depletion_left_ohm_cm2: float | None = Field(
        None, description="Ω·cm²; resistance that depletion of the left side adds, at least 0."
    )
    depletion_right_ohm_cm2: float | None = Field(
        None, description="Ω·cm²; resistance that depletion of the right side adds, at least 0."
    )
    accumulation_ohm_cm2: float | None = Field(
        None,
        description="Ω·cm²; amount that accumulation takes off the sum along a cell, at most 0.",
    )
    layer_ohm_cm2: float | None = Field(
        None, description="Ω·cm²; total resistance of a layer of finite thickness."
    )
    limiting_step: LimitingStep | None = Field(
        None, description="Largest part of the interface resistance."
    )
    reason: str | None = Field(
        None, description="Reason why there is no total, or why it is negative."
    )


class Distances(Result):
    """Distances within which 50, 90 and 99 % of the potential drop of a side occur."""

    x50: float | None = Field(
        None, description="nm; distance from the contact within which 50 % of the drop occurs."
    )
    x90: float | None = Field(
        None, description="nm; distance from the contact within which 90 % of the drop occurs."
    )
    x99: float | None = Field(
        None, description="nm; distance from the contact within which 99 % of the drop occurs."
    )


class DistanceQuantiles(Result):
    """Quantiles of the distances."""

    x50: Quantiles | None = Field(
        None, description="nm; distance from the contact within which 50 % of the drop occurs."
    )
    x90: Quantiles | None = Field(
        None, description="nm; distance from the contact within which 90 % of the drop occurs."
    )
    x99: Quantiles | None = Field(
        None, description="nm; distance from the contact within which 99 % of the drop occurs."
    )


class InterfaceQuantiles(Quantiles):
    """Quantiles of log10 of an interface resistance, and the number of samples.

    Parameters
    ----------
    samples : int
        Number of samples that have an interface resistance.
    """

    samples: int


class Intervals(Result):
    """Quantiles along x of one side of a contact or one layer of a cell."""

    x_nm: Curve = Field(default_factory=list, description="nm; positions.")
    phi_V: CurveQuantiles | None = Field(
        None, description="V; electrostatic potential against the neutral mobile metal."
    )
    vacuum_level_eV: CurveQuantiles | None = Field(None, description="eV; vacuum level.")
    conduction_band_eV: CurveQuantiles | None = Field(
        None, description="eV; conduction band minimum."
    )
    valence_band_eV: CurveQuantiles | None = Field(None, description="eV; valence band maximum.")
    fermi_level_eV: CurveQuantiles | None = Field(None, description="eV; Fermi level.")
    mu_eV: CurveQuantiles | None = Field(
        None, description="eV; chemical potential of the neutral mobile element."
    )
    electrochemical_potential_eV: CurveQuantiles | None = Field(
        None, description="eV; electrochemical potential of the mobile ion."
    )
    work_function_eV: CurveQuantiles | None = Field(
        None, description="eV; vacuum level minus Fermi level."
    )
    concentrations_cm3: dict[str, CurveQuantiles | None] = Field(
        default_factory=dict, description="cm⁻³; concentrations by defect."
    )
    conductivity_S_cm: CurveQuantiles | None = Field(
        None, description="S/cm; conductivity of the mobile ion."
    )
    cpd_V: CurveQuantiles | None = Field(
        None, description="V; contact potential difference of a cell's potential map."
    )
    delta_cpd_V: CurveQuantiles | None = Field(
        None, description="V; change from the discharged cell."
    )


class ElectronQuantiles(Result):
    """Quantiles of what electrons meet at a contact."""

    conduction_band_step_eV: Quantiles | None = Field(
        None, description="eV; step of the conduction band, right minus left."
    )
    valence_band_step_eV: Quantiles | None = Field(
        None, description="eV; step of the valence band, right minus left."
    )
    electron_barrier_eV: Quantiles | None = Field(
        None, description="eV; barrier from the electrode's Fermi level to the conduction band."
    )
    hole_barrier_eV: Quantiles | None = Field(
        None, description="eV; barrier from the electrode's Fermi level to the valence band."
    )
    log10_leakage_A_cm2: Quantiles | None = Field(
        None,
        description="log10 of the current in A/cm² that the electrode emits over the barrier.",
    )


class ContactQuantiles(Result):
    """Quantiles of a contact's prediction over the uncertainties of the records."""

    potential_drop_V: Quantiles | None = Field(
        None, description="V; neutral potential of the right phase minus that of the left one."
    )
    sheet_charge_e_nm2: Quantiles | None = Field(
        None, description="e/nm²; charge of the right side."
    )
    capacitance_uF_cm2: Quantiles | None = Field(None, description="µF/cm²; integral capacitance.")
    differential_capacitance_uF_cm2: Quantiles | None = Field(
        None, description="µF/cm²; differential capacitance."
    )
    debye_length_nm: QuantilesOfSides | None = Field(
        None, description="nm; Debye length of each side."
    )
    distance_nm: dict[Side, DistanceQuantiles | None] | None = Field(
        None, description="nm; distances within which the drop occurs, for each side."
    )
    resistance_ohm_cm2: dict[str, Quantiles | None] = Field(
        default_factory=dict, description="Ω·cm²; quantiles by the fields of `resistance`."
    )
    log10_resistance: Quantiles | None = Field(
        None, description="log10 of the total in Ω·cm², of the samples in which it is positive."
    )
    log10_samples: int | None = Field(
        None, description="Number of samples in which it is positive."
    )
    log10_interface_resistance: InterfaceQuantiles | None = Field(
        None, description="log10 of the interface resistance in Ω·cm²."
    )
    share_above_ohm_cm2: dict[str, float] | None = Field(
        None, description="Fraction of the samples whose interface resistance exceeds a limit."
    )
    samples: int | None = Field(None, description="Number of samples of the uncertainties.")
    lost_samples: int | None = Field(None, description="Number of samples without a solution.")
    redrawn_samples: int | None = Field(
        None,
        description="Number of samples that were drawn again because their numbers are impossible.",
    )
    electrons: ElectronQuantiles | None = Field(
        None, description="Barriers and band steps for electrons."
    )
    profile: dict[Side, Intervals | None] | None = Field(
        None, description="Quantiles along x on both sides; 0 at the contact."
    )


class Profile(Result):
    """The space charge of a contact along x; 0 at the contact, which stands once for each side."""

    x_nm: Curve = Field(
        default_factory=list, description="nm; positions, negative to the left of the contact."
    )
    phi_V: Curve = Field(
        default_factory=list,
        description="V; electrostatic potential against the neutral mobile metal.",
    )
    vacuum_level_eV: Curve | None = Field(None, description="eV; vacuum level.")
    conduction_band_eV: Curve | None = Field(None, description="eV; conduction band minimum.")
    valence_band_eV: Curve | None = Field(None, description="eV; valence band maximum.")
    fermi_level_eV: Curve | None = Field(None, description="eV; Fermi level.")
    mu_eV: Curve | None = Field(
        None, description="eV; chemical potential of the neutral mobile element."
    )
    electrochemical_potential_eV: Curve | None = Field(
        None, description="eV; electrochemical potential of the mobile ion."
    )
    concentrations_cm3: dict[str, Curve] = Field(
        default_factory=dict, description="cm⁻³; concentrations by defect."
    )
    conductivity_S_cm: Curve = Field(
        default_factory=list, description="S/cm; conductivity of the mobile ion."
    )

    def to_frame(self) -> pandas.DataFrame:
        """Return one row for each point, with a column for each curve."""
        from interohm.results.frames import curves_frame

        return curves_frame(self.document())


class Doubt(Result):
    """Violation of the model's range of validity."""

    code: str = Field(
        description="Code of the doubt: field, continuum, coupling, window, saturation, "
        "occupation, frequency, held_electrode or electrode_conductivity."
    )
    text: str = Field(description="Description in words.")


_INTERFACE_NUMBERS = {
    "barrier_eV": ("barrier", "eV"),
    "dipole_V": ("dipole", "V"),
    "areal_site_density_cm2": ("areal site density", "cm⁻²"),
}


class InterfaceNumber(Result):
    """A number of a contact that an interface of the database, or a shipped one, gave."""

    field: str = Field(
        description="Field of the contact: barrier_eV, dipole_V or areal_site_density_cm2."
    )
    value: float = Field(
        description="Value in the unit of the field; a dipole is from left to right."
    )
    uncertainty: float | None = Field(
        None, description="One standard deviation; null where it is unknown."
    )
    method: str | None = Field(None, description="How the number was obtained.")
    source: str | None = Field(None, description="Where the number comes from.")
    interface: str = Field(description="Name of the interface (`interohm interfaces show NAME`).")
    hash: str = Field(description="Hash of the interface.")

    @property
    def text(self) -> str:
        """Return the same in words."""
        name, unit = _INTERFACE_NUMBERS.get(self.field, (self.field, ""))
        spread = "" if self.uncertainty is None else f" ± {self.uncertainty:.2g}"
        method = f", {self.method}" if self.method else ""
        return (
            f"{name} {self.value:.4g}{spread} {unit}: interface {self.interface} "
            f"(hash {self.hash[:12]}){method}"
        )


class Reaction(Result):
    """Reaction of the two phases in contact, open to the mobile element."""

    verdict: str = Field(description="Verdict: does not react, may react or reacts.")
    driving_force_eV: float = Field(
        description="eV; driving force per atom that is not of the mobile element, at least 0."
    )
    products: list[str] = Field(
        default_factory=list, description="Formulas of the reaction products."
    )
    conducts_electrons: bool = Field(
        False,
        description="Whether a metal is among the products, so that the reaction does not stop.",
    )
    voltage_V: float | None = Field(
        None,
        description="V; potential of the mobile element at the contact, null for a contact "
        "closed to it.",
    )
    compared_with: list[str] = Field(
        default_factory=list, description="All phases whose energies are known."
    )
    text: str = Field(description="Description in words.")


class ContactExtrinsicQuantiles(Result):
    """Quantiles of what an experiment would measure of a contact."""

    contact_fraction: Quantiles | None = Field(
        None, description="Fraction of the area that is in contact."
    )
    constriction_ohm_cm2: Quantiles | None = Field(
        None, description="Ω·cm²; constriction resistance of the spots in contact."
    )
    interphase_thickness_nm: Quantiles | None = Field(
        None, description="nm; thickness of the interphase."
    )
    interphase_ohm_cm2: Quantiles | None = Field(
        None, description="Ω·cm²; resistance of the interphase where the area is in contact."
    )
    apparent_resistance_ohm_cm2: Quantiles | None = Field(
        None, description="Ω·cm²; resistance that an experiment would measure."
    )
    log10_apparent_resistance: Quantiles | None = Field(
        None, description="log10 of the resistance in Ω·cm² that an experiment would measure."
    )


class ContactExtrinsic(Result):
    """Apparent resistance of a contact, which an experiment would measure."""

    hours: float | None = Field(None, description="h; age of the contact.")
    contact_fraction: float | None = Field(
        None, description="Fraction of the area that is in contact."
    )
    constriction_ohm_cm2: float | None = Field(
        None, description="Ω·cm²; constriction resistance of the spots in contact."
    )
    interphase_thickness_nm: float | None = Field(
        None, description="nm; thickness of the interphase."
    )
    interphase_ohm_cm2: float | None = Field(
        None, description="Ω·cm²; resistance of the interphase where the area is in contact."
    )
    apparent_resistance_ohm_cm2: float | None = Field(
        None, description="Ω·cm²; (interface + interphase)/fraction + constriction."
    )
    quantiles: ContactExtrinsicQuantiles | None = Field(
        None, description="Quantiles; null without uncertainties."
    )

    def spreads(self) -> ContactExtrinsicQuantiles:
        """Return the quantiles; where there are none, each of them is None."""
        return self.quantiles or ContactExtrinsicQuantiles()


class Electrons(Result):
    """Electrons at a contact: barriers at an electrode, band steps between two insulators."""

    alignment: str | None = Field(
        None,
        alias="class",
        description="Class of a contact of two insulators: straddling, staggered or broken.",
    )
    conduction_band_step_eV: float | None = Field(
        None, description="eV; step of the conduction band, right minus left."
    )
    valence_band_step_eV: float | None = Field(
        None, description="eV; step of the valence band, right minus left."
    )
    electron_barrier_eV: float | None = Field(
        None, description="eV; barrier from the electrode's Fermi level to the conduction band."
    )
    hole_barrier_eV: float | None = Field(
        None, description="eV; barrier from the electrode's Fermi level to the valence band."
    )
    leakage_A_cm2: float | None = Field(
        None, description="A/cm²; current that the electrode emits over the barrier of the layer."
    )


class CoexistingPhase(Result):
    """One of two phases of an electrode, which conduct side by side."""

    side: Side = Field(description="Side of the electrode.")
    ion_content: float = Field(description="Ion content of this phase.")
    share: float = Field(description="Fraction of the contact's area.")


class ContactState(Result):
    """The numbers of a contact at one state of charge."""

    state_of_charge: float | None = Field(None, description="State of charge; 0 is discharged.")
    ion_content: BothSides = Field(
        default_factory=BothSides, description="Ion content of an electrode; null for an insulator."
    )
    coexisting_phases: list[CoexistingPhase] = Field(
        default_factory=list, description="Coexisting phases of an electrode."
    )
    neutral_potential_V: BothSides = Field(
        default_factory=BothSides, description="V; potential of each phase far from the contact."
    )
    mu_eV: BothSides = Field(
        default_factory=BothSides,
        description="eV; chemical potential of the neutral mobile element.",
    )
    potential_drop_V: float | None = Field(
        None, description="V; neutral potential of the right phase minus that of the left one."
    )
    sheet_charge_e_nm2: float | None = Field(None, description="e/nm²; charge of the right side.")
    capacitance_uF_cm2: float | None = Field(None, description="µF/cm²; integral capacitance.")
    differential_capacitance_uF_cm2: float | None = Field(
        None, description="µF/cm²; differential capacitance."
    )
    debye_length_nm: BothSides = Field(
        default_factory=BothSides, description="nm; Debye length of each side."
    )
    distance_nm: dict[Side, Distances | None] = Field(
        default_factory=dict, description="nm; distances within which the drop occurs."
    )
    dipole_V: float | None = Field(None, description="V; step of the vacuum level at the contact.")
    resistance: Resistance = Field(
        default_factory=Resistance, description="Resistance of the contact and its parts."
    )
    quantiles: ContactQuantiles | None = Field(
        None, description="Quantiles; null without uncertainties."
    )

    def spreads(self) -> ContactQuantiles:
        """Return the quantiles; where there are none, each of them is None."""
        return self.quantiles or ContactQuantiles()

    def to_frame(self) -> pandas.DataFrame:
        """Return one row with all single numbers and texts; columns are the paths of fields."""
        from interohm.results.frames import frame_of

        return frame_of([self.document()])


class CellContact(ContactState):
    """A contact within a cell."""

    left: str = Field(description="Record of the left phase.")
    right: str = Field(description="Record of the right phase.")
    temperature_K: float | None = Field(None, description="K; temperature.")
    reference: str | None = Field(
        None, description="Record of the mobile metal, the zero of potential."
    )
    fermi_level_eV: BothSides = Field(default_factory=BothSides, description="eV; Fermi level.")
    electrochemical_potential_eV: BothSides = Field(
        default_factory=BothSides, description="eV; electrochemical potential of the mobile ion."
    )
    profile: Profile = Field(
        default_factory=Profile, description="Space charges and levels along x."
    )
    contact_barrier_assumed: bool | None = Field(
        None, description="Whether the barrier is unknown and therefore has a wide prior."
    )
    interface_numbers: list[InterfaceNumber] = Field(
        default_factory=list, description="Numbers of known interfaces for this contact."
    )
    validity: list[Doubt] = Field(
        default_factory=list, description="Assumptions of the model that this contact violates."
    )
    reaction: Reaction | None = Field(
        None, description="Reaction of the two phases; null without energies of both by one method."
    )
    outside_of_model: bool | None = Field(
        None,
        description="Whether the phases react, or a window is left by more than the uncertainty of "
        "its limits (95 %): the resistance is then that of the unreacted phases. Null if "
        "unknown.",
    )
    outside_text: str | None = Field(None, description="Why it is, in words.")
    extrinsic: ContactExtrinsic | None = Field(
        None, description="Apparent resistance; null without extrinsic parts."
    )
    electrons: Electrons | None = Field(None, description="Barriers and band steps for electrons.")
    sensitivity: Sensitivity | None = Field(
        None,
        description="Inputs that dominate the variance of `potential_drop_V` and the resistance.",
    )
    next: NextToLearn | None = Field(
        None, description="Number whose knowledge would narrow the interface resistance most."
    )

    @property
    def name(self) -> str:
        """Return what the contact is called."""
        return f"{self.left} | {self.right}"

    @property
    def phases_text(self) -> list[str]:
        """Return in words which phases of an electrode touch the other side together."""
        found = []
        for side, name in (("left", self.left), ("right", self.right)):
            phases = [one for one in self.coexisting_phases if one.side == side]
            if phases:
                parts = " and ".join(
                    f"{percent(one.share)} of the area with an ion content of {one.ion_content:.3g}"
                    for one in phases
                )
                found.append(f"two phases of {name} conduct side by side: {parts}")
        return found

    def is_electrode(self, side: Side) -> bool:
        """Return whether a side is an electrode, which has no bands and no profile."""
        return self.ion_content[side] is not None

    def has_levels(self) -> bool:
        """Return whether the profile has the levels of a band diagram.

        That of a contact within a cell has none: the cell's own profile has them.
        """
        return self.profile.fermi_level_eV is not None


class ContactResult(CellContact):
    """A contact that was predicted alone (`interohm contact --json`)."""

    temperature_K: float = Field(description="K; temperature.")
    state_of_charge: float = Field(0.0, description="State of charge; 0 is discharged.")
    thickness_nm: float | None = Field(
        None, description="nm; thickness of the right insulator (else the left) if it is a layer."
    )
    records: dict[str, str] = Field(
        default_factory=dict, description="Hash of each record that was used, by its name."
    )
    assumed: list[str] = Field(
        default_factory=list,
        description="Numbers of the records that nobody measured or calculated, as "
        "LLZO.band_gap_eV.",
    )
    temperature_sweep: TemperatureSweep | None = Field(
        None, description="Resistances over the temperature, if asked for."
    )
    polarization: Polarization | None = Field(
        None, description="Overpotentials over the current density, if asked for."
    )
    over_state_of_charge: list[ContactState] = Field(
        default_factory=list, description="The same contact at other states of charge."
    )

    _materials: tuple[Insulator | Metal, ...] = PrivateAttr(())

    def plot(self) -> Figure:
        """Return the band diagram as a plotly figure, which notebooks draw."""
        from interohm.report.plots import contact_bands, plotly_figure

        return plotly_figure(contact_bands(self))

    def report(self, path: str | Path) -> None:
        """Write the report, one HTML file that needs no network.

        Raises
        ------
        InputError
            The file cannot be written; or the result was read from a document, without records.
        """
        from interohm.report import write_contact_report

        if not self._materials:
            raise without_records("write_contact_report(path, records, result)")
        write_contact_report(path, self._materials, self)

    def with_records(self, left: Insulator | Metal, right: Insulator | Metal) -> Self:
        """Return the result with the records that it was predicted from, for its report."""
        found = self.model_copy()
        found._materials = (left, right)
        return found

    def __repr__(self) -> str:
        value = self.resistance.interface_resistance_ohm_cm2
        shown = "unknown" if value is None else f"{value:.3g} Ω·cm²"
        if self.outside_of_model:
            shown += ", outside of this model"
        return f"<{self.name}, {self.temperature_K:g} K: interface resistance {shown}>"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        from interohm.report.contact_report import contact_keys
        from interohm.report.tables import table

        title = f"{self.name}, {self.temperature_K:g} K"
        return table(("", "value", ""), contact_keys(self), caption=title)


def outside_texts(contacts: Iterable[CellContact]) -> list[str]:
    """Return which contacts are outside of the model and why, each once, as remarks.

    A contact that is so at some states of charge only is told with these, and with the numbers of
    the last one.
    """
    every: dict[str, list[CellContact]] = {}
    for contact in contacts:
        every.setdefault(contact.name, []).append(contact)
    lines = []
    for name, ones in every.items():
        outside = [one for one in ones if one.outside_of_model]
        if not outside:
            continue
        charges = ", ".join(f"{one.state_of_charge:g}" for one in outside)
        at = "" if len(outside) == len(ones) else f" at state of charge {charges}"
        lines.append(f"{name} is outside of this model{at}: {outside[-1].outside_text}")
    return lines


#: What a resistance means where a contact is outside of the model.
UNREACTED = "the resistance shown is that of the unreacted phases, even if it looks low"


class _HasDoubts(Protocol):
    """A contact of any kind, of which something is to be doubted."""

    @property
    def name(self) -> str: ...

    @property
    def validity(self) -> list[Doubt]: ...


_Doubtful = TypeVar("_Doubtful", bound=_HasDoubts)


def different_doubts(contacts: Iterable[_Doubtful]) -> list[tuple[_Doubtful, Doubt]]:
    """Return what to doubt of contacts, each kind once: as it is said where it stands first.

    The same remark at another state of charge differs in its numbers alone.
    """
    found: dict[tuple[str, str, str], tuple[_Doubtful, Doubt]] = {}
    for contact in contacts:
        for doubt in contact.validity:
            words = re.sub(r"-?\d[\d.e+-]*", "", doubt.text)
            found.setdefault((contact.name, doubt.code, words), (contact, doubt))
    return list(found.values())


#: A number in a remark, with its unit.
_NUMBER = r"(?<![\w.])-?\d[\d.]*(?:e[+-]?\d+)?(?!\w)(?: (?:V/nm|eV|nm|V|%)(?!\w))?"


def grouped(remarks: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return remarks with those of one kind in one line.

    Remarks are of one kind if they differ in their numbers and the names of the two phases alone.
    The first is said in full; of others follows what differs, in the same order.

    Parameters
    ----------
    remarks : iterable of (str, str)
        What a remark is about, such as a contact, and its text.

    Returns
    -------
    list of (str, str)
        The names that share a text, joined, and the text.
    """
    kinds: dict[str, dict[tuple[str, ...], dict[str, None]]] = {}
    said: dict[str, str] = {}
    for name, text in remarks:
        phases = sorted(map(re.escape, name.split(" | ")), key=len, reverse=True)
        varies = re.compile(rf"(?<!\w)(?:{'|'.join(phases)})(?!\w)|{_NUMBER}")
        kind = varies.sub("\0", text)
        said.setdefault(kind, text)
        kinds.setdefault(kind, {}).setdefault(tuple(varies.findall(text)), {})[name] = None
    found = []
    for kind, values in kinds.items():
        (first, names), *others = values.items()
        text = said[kind]
        if others:
            likewise = (
                f"{', '.join(more)} "
                f"({', '.join(new for new, old in zip(other, first, strict=True) if new != old)})"
                for other, more in others
            )
            text += f"; likewise {', '.join(likewise)}"
        found.append((", ".join(names), text))
    return found
