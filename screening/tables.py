"""Tables of a screening: all contacts of its records, and cells of these contacts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from interohm.prediction.electrodes import reference_work_function_eV
from interohm.screening.cells import Cells
from interohm.screening.coated_electrodes import coated_side
from interohm.screening.contacts import (
    PairHops,
    SideConditions,
    SideContacts,
    all_contacts,
    joined,
    known_hops,
    solve_pairs,
    taken,
)
from interohm.screening.outside_of_model import outside_contacts
from interohm.screening.phase_arrays import (
    Electrodes,
    Electrolytes,
    bent_electrode,
    electrodes_of,
    electrolytes_of,
)

if TYPE_CHECKING:
    from interohm.prediction.coexisting_phases import PhaseShare
    from interohm.screening.candidates import CoatableElectrode, Records
    from interohm.screening.config import ScreenConfig


def count_contacts(records: Records) -> int:
    """Return how many contacts one temperature and state of charge have."""
    return len(records.electrolytes) * (len(records.negatives) + len(records.positives))


def cells_of(
    config: ScreenConfig,
    records: Records,
    temperature_K: float,
    state_of_charge: float,
    *,
    workers: int = 1,
    progress: Callable[[int], None] | None = None,
) -> Cells:
    """Solve all contacts at one temperature and state of charge.

    Parameters
    ----------
    config : ScreenConfig
        The description.
    records : Records
        Records that the description names.
    temperature_K, state_of_charge : float
        The conditions.
    workers : int
        Threads.
    progress : callable, optional
        Told how many more contacts are solved, as they are.
    """
    z = records.reference.ion_charge
    mu_eV = {
        positive: -z
        * electrodes_of(
            [each.metal for each in electrodes], state_of_charge, positive=positive
        ).voltage_V
        for positive, electrodes in ((False, records.negatives), (True, records.positives))
    }

    def side_contacts(coatable: Sequence[CoatableElectrode], positive: bool) -> SideContacts:
        conditions = SideConditions(
            temperature_K,
            config.thickness_nm,
            reference_work_function_eV(records.reference, None),
            float(z),
            positive,
        )
        uncoated = [each for each in coatable if each.coating is None]
        plain = [each.metal for each in uncoated]
        coated = [each for each in coatable if each.coating is not None]
        parts = []
        if plain:
            electrodes = electrodes_of(plain, state_of_charge, positive=positive)
            around = conditions.surroundings(electrons=config.electrons)
            electrolytes = electrolytes_of(records.electrolytes, around)
            hops = known_hops(plain, records.electrolytes, records.interfaces, positive=positive)
            found = all_contacts(
                electrodes, electrolytes, conditions, hops=hops, workers=workers, progress=progress
            )
            for column, metal in enumerate(plain):
                bent = bent_electrode(metal, state_of_charge, around, positive=positive)
                if bent:
                    _bend(found, column, electrodes, electrolytes, conditions, hops, bent)
            parts.append(found)
        if coated:
            parts.append(
                coated_side(
                    coated,
                    records.electrolytes,
                    conditions,
                    state_of_charge=state_of_charge,
                    other_mu_eV=np.asarray(mu_eV[not positive]),
                    electrons=config.electrons,
                    interfaces=records.interfaces,
                    progress=progress,
                )
            )
        table = joined(parts)
        outside = outside_contacts([*uncoated, *coated], records.electrolytes, table.voltage_V)
        return replace(table, outside_of_model=outside)

    return Cells(
        side_contacts(records.negatives, False),
        side_contacts(records.positives, True),
        config.thickness_nm,
    )


def _bend(
    table: SideContacts,
    column: int,
    electrodes: Electrodes,
    electrolytes: Electrolytes,
    conditions: SideConditions,
    hops: PairHops,
    bent: Sequence[PhaseShare],
) -> None:
    """Insert an electrode with band bending into the table of those that hold their potential."""
    count, columns = table.shape
    rows = np.arange(count)
    found = solve_pairs(
        taken(electrodes, np.full(count, column)),
        electrolytes,
        conditions,
        hops=hops.take(rows * columns + column),
        bent=bent,
    )
    for name, values in found.items():
        getattr(table, name)[:, column] = values
