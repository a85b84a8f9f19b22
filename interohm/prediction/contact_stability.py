"""Reactions of two phases in contact: judged by their phase diagram, or else by windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from interohm.prediction.reaction import reaction_fields
from interohm.records import Metal

if TYPE_CHECKING:
    from interohm.records import Insulator


def stability_fields(
    left: Insulator | Metal,
    right: Insulator | Metal,
    margin_V: float | None,
    voltages_V: Sequence[float | None],
) -> dict[str, Any]:
    """Return whether two phases react, as fields of `DesignContact`.

    Parameters
    ----------
    left, right : Insulator or Metal
        The records.
    margin_V : float, optional
        How far the contact is within its windows (`nominal_margin_V`), if that is known.
    voltages_V : sequence of float or None
        Of the electrode, where one of them is one, at each state of charge; the worst counts.
    """
    fields: dict[str, Any] = {
        "left": left.name,
        "right": right.name,
        "verdict": None,
        "known_from": None,
        "margin_V": margin_V,
        "text": None,
    }
    known = [
        found
        for voltage in voltages_V
        if (found := reaction_fields(left, right, voltage)) is not None
    ]
    if known:
        worst = max(known, key=lambda one: one["driving_force_eV"])
        kept = ("verdict", "driving_force_eV", "products", "text")
        return {**fields, "known_from": "energies", **{name: worst[name] for name in kept}}
    if margin_V is None:
        return fields
    stable = margin_V >= 0.0
    pair = f"{left.name} and {right.name}"
    if any(isinstance(one, Metal) for one in (left, right)):
        inner = right if isinstance(left, Metal) else left
        text = f"the electrode's potential is {abs(margin_V):.2g} V " + (
            f"inside of the stability window of {inner.name}"
            if stable
            else f"outside of the stability window of {inner.name}: it decomposes"
        )
    elif stable:
        text = f"the windows of {pair} overlap by {margin_V:.2g} V"
    else:
        text = f"the windows of {pair} are {-margin_V:.2g} V apart: one of them decomposes"
    verdict = "within the windows" if stable else "outside of a window"
    return {**fields, "known_from": "windows", "verdict": verdict, "text": text}


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
    windows = nominal_windows_V(left, right)
    if windows is None:
        return None
    if len(windows) == 2:
        (low, high), (other_low, other_high) = windows.values()
        return min(high, other_high) - max(low, other_low)
    if not voltages_V:
        return None
    ((low, high),) = windows.values()
    return min(min(high - voltage, voltage - low) for voltage in voltages_V)
