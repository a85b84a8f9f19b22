"""A record as its defects' own energies say it, for tests that take some of them away."""

from __future__ import annotations

from typing import Any

import numpy as np

from interohm.prediction.sampling import phase_of
from interohm.records import Insulator, material_document


def stated_energies(record: Insulator) -> dict[str, Any]:
    """Return a document with formation energies and hops of its own, and nothing else to draw.

    Instead of the neutral potential and the conductivity, from which both follow in the record.
    """
    phase = phase_of(record)
    document = material_document(record)
    for field in ("neutral_potential_V", "neutral_formation_energy_eV", "conductivity", "carriers"):
        document.pop(field, None)
    for place, defect in enumerate(document["defects"]):
        defect["formation_energy_eV"] = {"value": float(phase.formation_energy_eV[place])}
        if np.isnan(phase.migration_energy_eV[place]):  # it does not hop
            continue
        defect["migration_energy_eV"] = {"value": float(phase.migration_energy_eV[place])}
        defect["attempt_frequency_Hz"] = {"value": float(phase.attempt_frequency_Hz[place])}
    return document
