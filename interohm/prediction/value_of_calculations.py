"""The calculations that inform a choice most, per core-hour (docs/design.md).

Each calculation gives some numbers of a record with an error of its own. What knowing them is worth
for the choice among candidates is the value of information of the samples that compared them; what
it costs is what such calculations of shipped records took, which is good to a factor of three.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from interohm.device_models import value_of_information
from interohm.prediction.contact_barrier import EXCESS_BARRIER_SCALE_EV
from interohm.prediction.sensitivity import RecordedFieldSamples, field_path, given_by
from interohm.records import Insulator, Metal
from interohm.records.uncertainty import quantities
from interohm.results.percents import percent

if TYPE_CHECKING:
    from interohm.arrays import Array

#: Gains below this are not told from none, whatever their scatter.
_LEAST_DECADES = 0.005

#: How many standard deviations of what chance gives a gain must have.
_SIGNIFICANT = 3.0

#: Shares of a variance below this are not told, nor those within so many scatters of chance.
_LEAST_SHARE, _CHANCES = 0.05, 4.0


@dataclass(frozen=True)
class _Kind:
    """A kind of calculation.

    Parameters
    ----------
    hours : float or None
        Core-hours for a compound of two atoms per formula; None if it is no calculation.
    error : float
        Error of its numbers: in their unit if ``relative`` is False, else relative.
    """

    hours: float | None
    error: float
    relative: bool = False


# Hours are those that shipped calculations took (GPAW, PBE, 500 eV, one core of a desktop
# processor), crystal and perfect supercell included, for two atoms per formula: charged defects of
# LiCl, LiBr, LiI, LiH 0.2 to 0.9, slabs 0.04 to 0.4, hops 0.1 to 0.2 beside their vacancy. They
# grow with the atoms to the power 1.5, by larger supercells and more sites: Li3PO4 is planned with
# 7 for its defects and 1 for its slabs. Errors are the uncertainties that shipped calculated
# records state.
_KINDS = {
    "surface": _Kind(0.2, 0.15),
    "defects": _Kind(0.8, 0.2),
    "migration": _Kind(0.3, 0.05),
    "band gap": _Kind(0.2, 0.22),
    "dielectric": _Kind(0.1, 0.05, relative=True),
    "phase diagram": _Kind(0.2, 0.14),
    "contact barrier": _Kind(1.5, 0.1),
    "electrode": _Kind(0.5, 0.1),
    "measurement": _Kind(None, 0.1, relative=True),
}

#: How core-hours grow with the atoms of a formula.
_ATOMS_POWER = 1.5


def next_calculations(
    samples: RecordedFieldSamples,
    losses: Array,
    records: Mapping[str, Insulator | Metal],
    *,
    holds: Sequence[Collection[str]],
    electrodes: Sequence[str] = (),
    names: Sequence[str] | None = None,
    without_window: Sequence[tuple[Collection[str], Array]] = (),
) -> list[dict[str, Any]]:
    """Rank calculations and measurements by what they are worth for a choice.

    Parameters
    ----------
    samples : RecordedFieldSamples
        With which the losses were made.
    losses : array (J, N)
        Losses of the candidates, in decades; NaN where there is none.
    records : mapping
        By name.
    holds : sequence of collection of str
        The names of the records that each of the J candidates consists of: no other numbers can
        change it.
    electrodes : sequence of str
        Metals whose numbers are in question; the mobile metal's are not.
    names : sequence of str, optional
        Names of the candidates.
    without_window : sequence of (collection of str, array (N,))
        The records whose stability windows a candidate lacks to be judged, and what its losses
        would be if it kept all limits.

    Returns
    -------
    list of dict
        The fields of `interohm.results.design.NextCalculation`: calculations by their gain per
        core-hour, then measurements by their gain; where the choice stands already, by the share of
        the best candidate's variance.
    """
    groups: dict[tuple[str, str], list[tuple[str, str, float]]] = {}
    for name, drawn in samples.asked:
        material = records.get(name)
        if isinstance(material, Metal) and name not in electrodes:
            continue
        path = field_path(drawn, material)
        kind = given_by(path)
        spread = None if kind is None else _spread(path, material)
        if kind is None or spread is None:
            continue
        groups.setdefault((name, kind), []).append((drawn, path, _KINDS[kind].error / spread))
    with np.errstate(invalid="ignore"):
        means = np.nanmean(np.where(np.isfinite(losses), losses, np.nan), axis=1)
    chosen = int(np.nanargmin(means))
    best = losses[chosen]
    of = "the best candidate" if names is None else names[chosen]
    found = []
    for (name, kind), fields in groups.items():
        inputs = np.stack([samples.asked[name, drawn] for drawn, _, _ in fields], axis=-1)
        noise = np.array([one[2] for one in fields])
        depend = [{part.strip() for part in name.split("|")} <= set(one) for one in holds]
        gain, scatter = value_of_information(losses, inputs, noise, depend=depend)
        if gain < _LEAST_DECADES or gain < _SIGNIFICANT * scatter:
            gain = 0.0
        share = _explained(inputs, best) if depend[chosen] else 0.0
        # what chance explains has a scatter of √(2K)/N
        chance = np.sqrt(2.0 * inputs.shape[1]) / len(inputs)
        if gain == 0.0 and share < max(_LEAST_SHARE, _CHANCES * chance):
            continue
        hours = _hours(kind, name, records)
        cost = "no calculation gives it" if hours is None else f"about {hours:.2g} core-hours"
        worth = f"explains {percent(share)} of the uncertainty of {of}"
        if gain > 0.0:
            worth = f"lowers the expected resistance of the choice by {gain:.2g} decades"
        found.append(
            {
                "calculation": kind,
                "material": name,
                "fields": sorted({path for _, path, _ in fields}),
                "gain_decades": gain,
                "variance_share": share,
                "variance_of": None if names is None else names[chosen],
                "core_hours": hours,
                "gain_per_core_hour": None if hours is None else gain / hours,
                "text": f"{kind} of {name}: {worth} ({cost})",
            }
        )

    found += _unknown_windows(without_window, float(means[chosen]), records)

    def rank(one: dict[str, Any]) -> tuple[bool, float, float]:
        hours = float(one["core_hours"] or 1.0)
        gain, share = float(one["gain_decades"]), float(one["variance_share"])
        return one["core_hours"] is None, -gain / hours, -share / hours

    return sorted(found, key=rank)


def _unknown_windows(
    without_window: Sequence[tuple[Collection[str], Array]],
    chosen_loss: float,
    records: Mapping[str, Insulator | Metal],
) -> list[dict[str, Any]]:
    """Return what windows that are not known, and so in no sample, are worth at most."""
    windows: dict[str, float] = {}
    for lacking, at_best in without_window:
        known = at_best[np.isfinite(at_best)]
        gain = max(chosen_loss - float(known.mean()), 0.0) if known.size else 0.0
        for name in lacking:
            windows[name] = max(gain, windows.get(name, 0.0))
    found = []
    for name, gain in windows.items():
        hours = _hours("phase diagram", name, records)
        assert hours is not None
        worth = "its stability window is not known, so no candidate with it can be chosen"
        if gain >= _LEAST_DECADES:
            worth += f"; lowers the expected resistance of the choice by at most {gain:.2g} decades"
        found.append(
            {
                "calculation": "phase diagram",
                "material": name,
                "fields": ["stability_window_V"],
                "gain_decades": gain,
                "variance_share": 0.0,
                "core_hours": hours,
                "gain_per_core_hour": gain / hours,
                "text": f"phase diagram of {name}: {worth} (about {hours:.2g} core-hours)",
            }
        )
    return found


def _explained(inputs: Array, output: Array) -> float:
    """Return the share of an output's variance that is linear in inputs (N, K), without chance."""
    known = np.isfinite(output)
    x, y = inputs[known], output[known]
    count, width = x.shape
    total = float(np.sum((y - y.mean()) ** 2)) if count else 0.0
    if count < width + 3 or total <= 0.0:
        return 0.0
    x = x - x.mean(axis=0)
    slopes = np.linalg.lstsq(x, y - y.mean(), rcond=None)[0]
    left = float(np.sum((y - y.mean() - x @ slopes) ** 2))
    adjusted = 1.0 - left / total * (count - 1) / (count - width - 1)
    return float(max(adjusted, 0.0))


def _spread(path: str, material: Insulator | Metal | None) -> float | None:
    """Return how uncertain a field is before, in its unit or as a share; None if unknown."""
    if material is None:
        return EXCESS_BARRIER_SCALE_EV
    if path == "carriers":
        return 1e6  # a calculation says which defect hops
    if path.startswith("shared_errors["):
        name = path.removeprefix("shared_errors[").removesuffix("]")
        return next((e.uncertainty_eV for e in material.shared_errors if e.name == name), None)
    for field, quantity in quantities(material):
        same = field == path or (
            field.startswith("states[") and f"states.{field.partition('].')[2]}" == path
        )
        if same and quantity.uncertainty:
            kind = given_by(path)
            relative = kind is not None and _KINDS[kind].relative
            if relative and quantity.value:
                return abs(quantity.uncertainty / quantity.value)
            return quantity.uncertainty
    return None


def _hours(kind: str, name: str, records: Mapping[str, Insulator | Metal]) -> float | None:
    """Return about how many core-hours a calculation takes, more for larger formulas."""
    hours = _KINDS[kind].hours
    if hours is None:
        return None
    parts = [one.strip() for one in name.split("|")]
    atoms = [_atoms(records[part]) for part in parts if part in records]
    return float(f"{hours * (max(atoms, default=2.0) / 2.0) ** _ATOMS_POWER:.2g}")


def _atoms(material: Insulator | Metal) -> float:
    """Return the atoms of a formula: as the record says it, or its name; ten if neither does."""
    from pymatgen.core import Element

    known = material.phase_energies
    formula = material.provenance.get("formula", material.name) if known is None else None
    text = str(formula if known is None else known.composition).partition("_")[0]
    parts = re.findall(r"([A-Z][a-z]?)(\d*\.?\d*)", text)
    if not parts or not all(Element.is_valid_symbol(symbol) for symbol, _ in parts):
        return 10.0
    return sum(float(count or 1) for _, count in parts)
