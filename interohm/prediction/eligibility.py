"""Eligible candidates of a design, and the effect of its stability margin."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from interohm.results.design import BREAKS, ELIGIBLE, OUTSIDE, UNKNOWN
from interohm.results.percents import sampled_percent

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from interohm.arrays import Array
    from interohm.records.design import Limits

    BoolArray = NDArray[np.bool_]

#: Share of the samples that an eligible candidate keeps each limit in, at least.
LEAST_SHARE = 0.5

#: Below this share of the samples within its windows, a contact is taken to decompose.
DECOMPOSES_SHARE = 0.05

_MARGIN = "stability_margin_V"


def verdict_fields(
    holds: Mapping[str, BoolArray],
    margins_V: Mapping[str, Array],
    *,
    reacts: bool,
    text: str | None = None,
    unknown: Sequence[str] = (),
) -> dict[str, Any]:
    """Return what becomes of a candidate, as fields of `DesignCandidate`.

    Parameters
    ----------
    holds : mapping of str to array (S,)
        Which samples keep which limit.
    margins_V : mapping of str to array (S,)
        The margins that such limits ask for, by the limit's name.
    reacts : bool
        Whether a contact reacts by the energies of its phase diagram.
    text : str, optional
        Description of what happens at the contact that reacts.
    unknown : sequence of str
        Records without a stability window that a limit asks for: what is not known to be kept is
        not kept.
    """
    shares = {name: float(np.mean(one)) for name, one in holds.items()}
    broken = [name for name, share in shares.items() if share < LEAST_SHARE]
    decomposes = [
        name
        for name, share in shares.items()
        if name.startswith(_MARGIN) and share < DECOMPOSES_SHARE
    ]

    def said(name: str) -> str:
        kept = f"{name} is kept in {sampled_percent(shares[name], holds[name].size)} of the samples"
        if name not in margins_V:
            return kept
        return f"{kept} (the median margin is {float(np.median(margins_V[name])):.2g} V)"

    if reacts:
        verdict, why = OUTSIDE, text or "a contact reacts"
    elif decomposes:
        verdict, why = OUTSIDE, "; ".join(map(said, decomposes))
    elif unknown:
        verdict = UNKNOWN
        missing = f"the stability window of {', '.join(unknown)} is not known"
        why = "; ".join([missing, *map(said, broken)])
    elif broken:
        verdict, why = BREAKS, "; ".join(map(said, broken))
    else:
        verdict, why = ELIGIBLE, ""
    every = np.all(list(holds.values()), axis=0) if holds else np.asarray(True)
    return {
        "verdict": verdict,
        "verdict_text": why,
        "outside_of_model": verdict == OUTSIDE,
        "limits_broken": broken,
        "within_limits_probability": None if verdict == UNKNOWN else float(np.mean(every)),
    }


def margin_decision(
    limits: Limits,
    names: Sequence[str],
    kept: Sequence[Mapping[str, BoolArray]],
    margins_V: Sequence[Mapping[str, Array]],
    reacts: Sequence[bool],
    unknown: Sequence[Collection[str]],
) -> dict[str, Any]:
    """Return what the stability margin decides, as fields of `MarginDecision`.

    Parameters
    ----------
    limits : Limits
        Limits of the design.
    names : sequence of str
        Names of the coatings.
    kept : sequence of mapping
        For each coating, which samples keep which of the other limits.
    margins_V : sequence of mapping
        For each coating, the sampled margins by limit, where known.
    reacts : sequence of bool
        Whether a contact of it reacts by energies.
    unknown : sequence of collection of str
        For each coating, the limits of the margin that nothing is known about.
    """
    asked = limits.stability_margin_V
    left_V, right_V = (-np.inf if one is None else one for one in (asked.left, asked.right))

    def eligible_at(left: float, right: float) -> list[str]:
        least = {f"{_MARGIN}.left": left, f"{_MARGIN}.right": right}
        return [
            name
            for name, others, margins, out, open_sides in zip(
                names, kept, margins_V, reacts, unknown, strict=True
            )
            if not out
            and all(np.mean(one) >= LEAST_SHARE for one in others.values())
            and all(
                np.mean(margin >= least[side]) >= LEAST_SHARE for side, margin in margins.items()
            )
            and all(least[side] == -np.inf for side in open_sides)
        ]

    found = {
        "left_V": asked.left,
        "right_V": asked.right,
        "is_default": _MARGIN not in limits.model_fields_set,
        "eligible": eligible_at(left_V, right_V),
        "eligible_at_zero": eligible_at(0.0, 0.0),
        "eligible_without": eligible_at(-np.inf, -np.inf),
    }
    return {**found, "text": _decision_text(found, len(names))}


def _decision_text(found: Mapping[str, Any], count: int) -> str:
    eligible, zero, without = (
        set(found[name]) for name in ("eligible", "eligible_at_zero", "eligible_without")
    )
    default = ", the default" if found["is_default"] else ""
    left, right = found["left_V"], found["right_V"]
    said_left, said_right = ("no limit" if one is None else f"{one:g} V" for one in (left, right))
    both = (
        f"{said_left} on both sides" if left == right else f"{said_left} left, {said_right} right"
    )
    are = "is" if len(eligible) == 1 else "are"
    said = [f"{len(eligible)} of {count} coatings {are} eligible with {_MARGIN} = {both}{default}"]
    if left != 0.0 or right != 0.0:
        said.append(f"with a limit of 0 V, {_changed(eligible, zero, found['eligible_without'])}")
    if (left, right) == (0.0, 0.0) or without != eligible:
        said.append(f"with no such limit, {_changed(eligible, without, found['eligible_without'])}")
    return "; ".join(said)


def _changed(now: set[str], then: set[str], order: Sequence[str]) -> str:
    more = [name for name in order if name in then - now]
    fewer = [name for name in order if name in now - then]
    if not more and not fewer:
        return "it is the same"

    def counted(names: Sequence[str], which: str) -> str:
        return f"{len(names)} {which}{'coating' if len(names) == 1 else 'coatings'}"

    parts = []
    if more:
        parts.append(f"{counted(more, 'more ')} would be eligible ({', '.join(more)})")
    if fewer:
        parts.append(f"{counted(fewer, '')} would not be eligible ({', '.join(fewer)})")
    return " and ".join(parts)


def limited_by(
    windows_V: Mapping[str, tuple[float, float]], voltages_V: Sequence[float]
) -> str | None:
    """Return what limits the margin of a contact.

    Parameters
    ----------
    windows_V : mapping of str to (float, float)
        Reduction and oxidation limit of each phase that has a window: one beside an electrode,
        else two.
    voltages_V : sequence of float
        Voltages of the electrode next to one phase, at each state of charge.

    Returns
    -------
    str or None
        The nearer limit of the phase beside an electrode; of two phases the one whose window lies
        within the other's, or the limits between which both are stable. None if unknown.
    """
    if len(windows_V) == 1 and voltages_V:
        ((name, (low, high)),) = windows_V.items()
        oxidation = min(high - voltage for voltage in voltages_V)
        reduction = min(voltage - low for voltage in voltages_V)
        return f"{'oxidation' if oxidation <= reduction else 'reduction'} limit of {name}"
    if len(windows_V) != 2:
        return None
    (one, (low, high)), (other, (other_low, other_high)) = windows_V.items()
    if low >= other_low and high <= other_high:
        return f"{one} itself"
    if other_low >= low and other_high <= high:
        return f"{other} itself"
    upper, lower = (one, other) if high < other_high else (other, one)
    return f"oxidation limit of {upper} and reduction limit of {lower}"
