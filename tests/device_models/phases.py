"""Phases that several tests of the device model use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from ruamel.yaml import YAML

from interohm.device_models import Bulk, Phase, neutral_bulk

METAL_eV = 2.93
IP_eV = 5.3
DATA = Path(__file__).parents[1] / "data"
SYSTEMS: dict[str, dict[str, Any]] = {
    system["name"]: system for system in YAML(typ="safe").load(DATA / "pfd_reference.yaml")
}


def symmetric(
    formation_energy_eV: Any,
    site_density_cm3: Any = 3e22,
    *,
    saturation: Any = 0.1,
    dielectric_constant: Any = 10.0,
    neutral_potential_V: Any = 1.5,
    charge: float = 1.0,
    **more: Any,
) -> Phase:
    """Two defects of charges ±`charge` with a formation energy and potential at neutrality."""
    energy, potential = np.asarray(formation_energy_eV), np.asarray(neutral_potential_V)
    level = charge * (IP_eV - METAL_eV + potential)
    fields: dict[str, Any] = {
        "migration_energy_eV": 0.3,
        "hop_distance_nm": 0.25,
        "electrons": False,
    }
    return Phase(
        ionization_potential_eV=IP_eV,
        band_gap_eV=6.0,
        dielectric_constant=dielectric_constant,
        charge=[charge, -charge],
        ion_change=[1.0, -1.0],
        formation_energy_eV=np.stack(np.broadcast_arrays(energy - level, energy + level), axis=-1),
        site_density_cm3=np.stack([np.asarray(site_density_cm3)] * 2, axis=-1),
        saturation=np.stack([np.asarray(saturation)] * 2, axis=-1),
        **(fields | more),
    )


def reference_bulk(name: str) -> Bulk:
    """Return LLZO or LiF of the published reference, in contact with lithium metal."""
    system = SYSTEMS[name]
    phase = symmetric(
        system["formation_energy_neutral_eV"],
        system["site_density_cm3"],
        saturation=system["saturation"],
        dielectric_constant=system["dielectric_constant"],
        neutral_potential_V=system["neutral_potential_V"],
    )
    return neutral_bulk(
        phase, temperature_K=system["temperature_K"], metal_work_function_eV=METAL_eV
    )
