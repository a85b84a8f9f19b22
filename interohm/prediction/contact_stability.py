"""Reactions of two phases in contact: judged by their phase diagram, or else by windows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import hypot
from typing import TYPE_CHECKING, Any

import numpy as np

from interohm.prediction.reaction import reaction_fields
from interohm.records import Metal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from interohm.arrays import Array
    from interohm.records import Insulator, Quantity

#: Standard deviations below which 5 % of a normal distribution lie.
_FIVE_PERCENT = 1.645


def is_surely_outside(margin_V: float, uncertainty_V: float) -> bool:
    """Return whether a margin is negative and stays so within its uncertainty (95 %).

    The products of such a contact are outside of this model.
    """
    return bool(are_surely_outside(np.asarray(margin_V), np.asarray(uncertainty_V)))


def are_surely_outside(margin_V: Array, uncertainty_V: Array) -> NDArray[np.bool_]:
    """Return of which margins `is_surely_outside` holds; of no NaN."""
    return np.asarray(margin_V < -_FIVE_PERCENT * uncertainty_V - 1e-9)


def without_window(phases: Iterable[Insulator | Metal]) -> list[str]:
    """Return the names of the phases that should have a stability window and have none."""
    return [
        one.name for one in phases if not isinstance(one, Metal) and one.stability_window_V is None
    ]


def limit_spread_V(*limits: Quantity) -> float:
    """Return the standard deviation of a distance from limits of windows."""
    return hypot(*(limit.uncertainty or 0.0 for limit in limits))


def outside_window_text(insulator: Insulator, voltage_V: float) -> str:
    """Return that a potential is outside of a phase's stability window, which it has."""
    assert insulator.stability_window_V is not None
    low, high = (limit.value for limit in insulator.stability_window_V)
    return (
        f"{voltage_V:.3g} V is outside of the stability window of {insulator.name}, {low:g} to "
        f"{high:g} V"
    )


def outside_fields(
    left: Insulator | Metal,
    right: Insulator | Metal,
    voltage_V: Mapping[str, float | None],
    reaction: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Return whether a contact is outside of the model, as fields of `CellContact`.

    It is if its phases react by their energies, or if one of them decomposes: a potential lies
    beyond its window, or the windows of two insulators lie apart, by more than the limits'
    uncertainties.

    Parameters
    ----------
    left, right : Insulator or Metal
        The records.
    voltage_V : mapping
        Potential that each side's window must contain, by ``left`` and ``right``; None for none.
    reaction : mapping, optional
        By energies (`reaction_fields`).
    """
    if reaction is not None and reaction["verdict"] == "reacts":
        return {"outside_of_model": True, "outside_text": reaction["text"]}
    texts, known = [], reaction is not None
    windows = {}
    for side, phase in (("left", left), ("right", right)):
        if isinstance(phase, Metal) or phase.stability_window_V is None:
            continue
        windows[phase.name] = phase.stability_window_V
        voltage = voltage_V.get(side)
        if voltage is None:
            continue
        known = True
        margin, limit = min(distances_V(phase.stability_window_V, voltage))
        if is_surely_outside(margin, limit):
            texts.append(f"{outside_window_text(phase, voltage)}: it decomposes")
    if len(windows) == 2:
        known = True
        margin, spread = _overlap_V(*windows.values())
        if is_surely_outside(margin, spread):
            texts.append(_apart_text(left.name, right.name, margin, sure=True))
    return {
        "outside_of_model": bool(texts) if texts or known else None,
        "outside_text": "; ".join(texts) or None,
    }


def outside_of_model(contacts: Sequence[bool | None]) -> bool | None:
    """Return whether one of several contacts is outside of the model; None if one is unknown."""
    if any(contacts):
        return True
    return None if None in contacts else False


def distances_V(
    window: tuple[Quantity, Quantity], voltage_V: float
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return how far a potential is within each limit, and that limit's uncertainty."""
    low, high = window
    return (voltage_V - low.value, limit_spread_V(low)), (
        high.value - voltage_V,
        limit_spread_V(high),
    )


def _overlap_V(
    one: tuple[Quantity, Quantity], other: tuple[Quantity, Quantity]
) -> tuple[float, float]:
    """Return how far two windows overlap, and the uncertainty of that."""
    high = min(one[1], other[1], key=lambda limit: limit.value)
    low = max(one[0], other[0], key=lambda limit: limit.value)
    return high.value - low.value, limit_spread_V(low, high)


def _apart_text(left: str, right: str, margin_V: float, *, sure: bool) -> str:
    said = "one of them decomposes" if sure else "one of them may decompose"
    return f"the windows of {left} and {right} are {-margin_V:.2g} V apart: {said}"


def nominal_margin(
    left: Insulator | Metal, right: Insulator | Metal, voltages_V: Sequence[float]
) -> tuple[float, float] | None:
    """Return `nominal_margin_V` and the uncertainty of the limits that it comes from."""
    windows = [phase.stability_window_V for phase in (left, right) if not isinstance(phase, Metal)]
    known = [window for window in windows if window is not None]
    if len(known) < len(windows):
        return None
    if len(known) == 2:
        return _overlap_V(*known)
    if not voltages_V:
        return None
    return min(one for voltage in voltages_V for one in distances_V(known[0], voltage))


def stability_fields(
    left: Insulator | Metal,
    right: Insulator | Metal,
    voltages_V: Sequence[float | None],
) -> dict[str, Any]:
    """Return whether two phases react, as fields of `DesignContact`.

    Parameters
    ----------
    left, right : Insulator or Metal
        The records.
    voltages_V : sequence of float or None
        Voltages of the electrode, if there is one, at each state of charge; the worst one counts.
    """
    margin = nominal_margin(left, right, [one for one in voltages_V if one is not None])
    margin_V, spread_V = margin or (None, 0.0)
    fields: dict[str, Any] = {
        "left": left.name,
        "right": right.name,
        "verdict": None,
        "known_from": None,
        "margin_V": margin_V,
        "outside_of_model": None,
        "text": None,
    }
    surely = margin_V is not None and is_surely_outside(margin_V, spread_V)
    known = [
        found
        for voltage in voltages_V
        if (found := reaction_fields(left, right, voltage)) is not None
    ]
    if known:
        worst = max(known, key=lambda one: one["driving_force_eV"])
        kept = ("verdict", "driving_force_eV", "products", "text")
        reacts = worst["verdict"] == "reacts"
        if reacts or not surely:
            return {
                **fields,
                "known_from": "energies",
                "outside_of_model": reacts,
                **{name: worst[name] for name in kept},
            }
    if margin_V is None:
        return fields
    stable = margin_V >= 0.0
    if any(isinstance(one, Metal) for one in (left, right)):
        inner = right if isinstance(left, Metal) else left
        text = f"the electrode's potential is {abs(margin_V):.2g} V " + (
            f"inside of the stability window of {inner.name}"
            if stable
            else f"outside of the stability window of {inner.name}"
        )
        if surely:
            text += f": {inner.name} decomposes"
        elif not stable:
            text += f", whose limits are uncertain by {spread_V:.2g} V: {inner.name} may decompose"
    elif stable:
        text = f"the windows of {left.name} and {right.name} overlap by {margin_V:.2g} V"
    else:
        text = _apart_text(left.name, right.name, margin_V, sure=surely)
    verdict = "within the windows" if stable else "outside of a window"
    return {
        **fields,
        "known_from": "windows",
        "verdict": verdict,
        "outside_of_model": surely,
        "text": text,
    }


def contacts_react(contacts: Sequence[Mapping[str, Any]]) -> bool | None:
    """Return whether one of several contacts reacts or decomposes; None if one is unknown."""
    if any(one["verdict"] in ("reacts", "outside of a window") for one in contacts):
        return True
    return None if any(one["verdict"] is None for one in contacts) else False


def nominal_windows_V(
    left: Insulator | Metal, right: Insulator | Metal
) -> dict[str, tuple[float, float]] | None:
    """Return the window of each insulator of a contact; None if one is unknown."""
    found = {}
    for phase in (left, right):
        if not isinstance(phase, Metal):
            if phase.stability_window_V is None:
                return None
            low, high = phase.stability_window_V
            found[phase.name] = (low.value, high.value)
    return found


def nominal_margin_V(
    left: Insulator | Metal, right: Insulator | Metal, voltages_V: Sequence[float]
) -> float | None:
    """Return how far a contact is within the windows that its records state; None if unknown.

    Beside an electrode, from its potential to the nearer limit of the other phase; between two
    insulators, how far their windows overlap: somewhere there both must be stable.
    """
    found = nominal_margin(left, right, voltages_V)
    return None if found is None else found[0]
