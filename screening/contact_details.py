"""Details of a table of contacts beside the numbers: medians, intervals and doubts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from interohm.errors import InputError
from interohm.prediction.contact import single_validity
from interohm.prediction.contact_barrier import with_known_interface
from interohm.prediction.single_contact import Conditions, solve_contact
from interohm.records.cell_config import Contact
from interohm.results.json_values import QUANTILES, interface_quantiles

if TYPE_CHECKING:
    from interohm.arrays import Array
    from interohm.records import Insulator, Metal
    from interohm.screening.uncertainty import Sampler


@dataclass(frozen=True)
class ContactDetails:
    """Details of the contacts of one side, as rows (electrolytes) of columns (sides).

    Parameters
    ----------
    log10_resistance : dict of array (E, S)
        Quantiles of log10 of the interface resistance by name; NaN where it was not sampled.
    validity : list of lists of lists of str
        Codes of what to doubt.
    """

    log10_resistance: dict[str, Array]
    validity: list[list[list[str]]]


def contact_details(
    sampler: Sampler, *, positive: bool, progress: Callable[[int], None] | None = None
) -> ContactDetails:
    """Sample the contacts of one side, and ask of each what to doubt.

    A coated electrode is sampled only where a ranking asked for it, since it costs a hundred times
    as much.

    Parameters
    ----------
    sampler : Sampler
        Sampler at one temperature and state of charge.
    positive : bool
        Which side.
    progress : callable, optional
        Told how many more contacts are done, as they are.
    """
    records = sampler.records
    sides = records.positives if positive else records.negatives
    quantiles = {
        name: np.full((len(records.electrolytes), len(sides)), np.nan) for name in QUANTILES
    }
    validity: list[list[list[str]]] = []
    for row, electrolyte in enumerate(records.electrolytes):
        validity.append([])
        for column, side in enumerate(sides):
            samples = sampler.contact_samples(positive, row, column, solve=side.coating is None)
            if samples is not None:
                found = interface_quantiles(samples["interface_ohm_cm2"])
                spread = found["log10_interface_resistance"] or {}
                for name in QUANTILES:
                    quantiles[name][row, column] = spread.get(name, np.nan)
            phases: list[Insulator | Metal] = [side.metal, electrolyte]
            if side.coating is not None:
                phases.insert(1, side.coating)
            validity[row].append(_codes(sampler, phases, side.coating_nm, positive=positive))
            if progress is not None:
                progress(1)
    return ContactDetails(quantiles, validity)


def _codes(
    sampler: Sampler,
    phases: Sequence[Insulator | Metal],
    coating_nm: float,
    *,
    positive: bool,
) -> list[str]:
    """Return the codes of the contacts from an electrode to the electrolyte, each once."""
    codes: dict[str, None] = {}
    for place, pair in enumerate(pairwise(phases)):
        left, right = reversed(pair) if positive else pair
        known = with_known_interface(Contact(), left, right, sampler.records.interfaces)
        conditions = Conditions(
            sampler.temperature_K,
            sampler.state_of_charge,
            coating_nm if len(phases) > 2 and place == 0 else None,
            sampler.config.electrons,
            known,
        )
        try:
            single = solve_contact(left, right, sampler.records.reference, conditions, None)
        except InputError:
            # without a neutral bulk there is nothing to doubt, but the lack of a resistance
            continue
        codes |= dict.fromkeys(doubt["code"] for doubt in single_validity(single))
    return list(codes)


def add_validity(
    state: dict[str, Any],
    names: dict[str, list[str]],
    details: tuple[ContactDetails, ContactDetails],
) -> None:
    """Give every cell that a state of a screening lists the codes of its two contacts."""
    negative, positive = details
    places = {
        kind: {label: place for place, label in enumerate(labels)} for kind, labels in names.items()
    }
    cells = [
        *(cell for best in state["best"].values() for cell in best),
        *(cell for front in state["pareto"] for cell in front["cells"]),
        *(cell for ranking in state["rankings"].values() for cell in ranking["cells"]),
        *(state["listed"] or []),
    ]
    for cell in cells:
        row = places["electrolyte"][cell["electrolyte"]]
        codes = [
            *negative.validity[row][places["negative"][cell["negative"]]],
            *positive.validity[row][places["positive"][cell["positive"]]],
        ]
        cell["validity"] = list(dict.fromkeys(codes))
