"""The circuit of an impedance: its relaxations, named, and as other programs write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from interohm.device_models import loss_shares
from interohm.results.impedance import SOLID_DIFFUSION

if TYPE_CHECKING:
    from interohm.arrays import Array
    from interohm.device_models import Relaxations
    from interohm.prediction.impedance_chain import CellChain

#: Relaxations with a smaller share of the impedance at all frequencies are left out.
_SMALLEST = 1e-6


def circuit_fields(
    found: CellChain, relaxations: Relaxations, frequency_Hz: Array
) -> dict[str, Any]:
    """Return the circuit of a nominal cell, as a document says it.

    Parameters
    ----------
    found : CellChain
        Its chain, of one sample.
    relaxations : Relaxations
        Relaxations of the impedance.
    frequency_Hz : array (F,)
        Frequencies at which the circuit must be accurate.

    Notes
    -----
    A relaxation is named after the process that dissipates most of its energy.
    """
    resistance, time = relaxations.resistance_ohm_cm2[0], relaxations.time_s[0]
    names = _names(found, relaxations)
    s = 2j * np.pi * frequency_Hz
    whole = np.abs(relaxations.impedance_ohm_cm2(frequency_Hz)[0])
    shares = np.abs(resistance[:, None] / (1.0 + s * time[:, None])) / whole
    kept = np.flatnonzero((resistance > 0.0) & (np.max(shares, axis=1) > _SMALLEST))
    poles = [
        {
            "resistance_ohm_cm2": float(resistance[k]),
            "time_constant_s": float(time[k]),
            "capacitance_uF_cm2": float(1e6 * time[k] / resistance[k]),
            "process": names[k],
        }
        for k in kept[np.argsort(time[kept])]
    ]
    inverse = float(relaxations.inverse_capacitance_cm2_F[0])
    series = 1.0 / inverse if inverse > 0.0 else None
    return {
        "poles": poles,
        "series_capacitance_uF_cm2": None if series is None else 1e6 * series,
        **_exports([(one["resistance_ohm_cm2"], one["time_constant_s"]) for one in poles], series),
    }


def _names(found: CellChain, relaxations: Relaxations) -> list[str]:
    shares = loss_shares(found.chain, relaxations)
    titles = [f"{one.name}, {one.where}" for one in found.processes]
    rows = [
        np.sum(shares[list(one.parts)], axis=0) if one.parts else np.zeros(shares.shape[1])
        for one in found.processes
    ]
    hosts = [place for place, one in enumerate(found.processes) if one.name == SOLID_DIFFUSION]
    assert relaxations.losses is not None
    assert relaxations.host_losses is not None
    total = np.where(relaxations.losses[0] > 0.0, relaxations.losses[0], 1.0)
    for place, lost in zip(hosts, relaxations.host_losses[0], strict=True):
        rows[place] = lost / total
    return [titles[k] for k in np.argmax(rows, axis=0)]


def _exports(elements: list[tuple[float, float]], series_F_cm2: float | None) -> dict[str, Any]:
    """Return the circuit as impedance.py and pyimpspec take it."""
    strings, guesses, codes = [], [], []
    for number, (resistance, time) in enumerate(elements, start=1):
        strings.append(f"p(R{number},C{number})")
        guesses += [resistance, time / resistance]
        codes.append(f"(R{{R={resistance:.6E}}}C{{C={time / resistance:.6E}}})")
    if series_F_cm2 is not None:
        strings.append(f"C{len(elements) + 1}")
        guesses.append(series_F_cm2)
        codes.append(f"C{{C={series_F_cm2:.6E}}}")
    return {
        "impedance_py": "-".join(strings),
        "impedance_py_parameters": guesses,
        "pyimpspec": f"[{''.join(codes)}]",
    }
