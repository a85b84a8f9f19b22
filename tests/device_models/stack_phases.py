"""Insulators that the tests of the grid solver share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from ruamel.yaml import YAML

from interohm.device_models.bulk import Bulk, neutral_bulk
from interohm.device_models.phase import Phase

METAL_eV = 3.0
IP_eV = 5.0
REFERENCE = {
    system["name"]: system
    for system in YAML(typ="safe").load(Path(__file__).parents[1] / "data" / "pfd_reference.yaml")
}


def symmetric(
    neutral_potential_V: Any,
    formation_energy_eV: Any,
    site_density_cm3: Any,
    *,
    saturation: Any = 1.0,
    dielectric_constant: Any = 10.0,
    temperature_K: Any = 300.0,
    **more: Any,
) -> Bulk:
    """Two defects of charge ±1 with one formation energy at neutrality, no electrons."""
    level = IP_eV - METAL_eV + np.asarray(neutral_potential_V)
    energy = np.stack(
        np.broadcast_arrays(formation_energy_eV - level, formation_energy_eV + level), axis=-1
    )
    settings_ = {"electrons": False, "migration_energy_eV": [0.3, 0.4], "hop_distance_nm": 0.3}
    phase = Phase(
        ionization_potential_eV=IP_eV,
        band_gap_eV=6.0,
        dielectric_constant=dielectric_constant,
        charge=[1.0, -1.0],
        ion_change=[1.0, -1.0],
        formation_energy_eV=energy,
        site_density_cm3=np.asarray(site_density_cm3)[..., None],
        saturation=np.asarray(saturation)[..., None],
        **(settings_ | more),
    )
    return neutral_bulk(phase, temperature_K=temperature_K, metal_work_function_eV=METAL_eV)


def reference(name: str) -> Bulk:
    system = REFERENCE[name]
    return symmetric(
        system["neutral_potential_V"],
        system["formation_energy_neutral_eV"],
        system["site_density_cm3"],
        saturation=system["saturation"],
        dielectric_constant=system["dielectric_constant"],
        temperature_K=system["temperature_K"],
    )


def insulator(dielectric_constant: float = 10.0, frozen_charge_cm3: float = 0.0) -> Bulk:
    """A layer with nothing in it but a frozen charge."""
    phase = Phase(
        ionization_potential_eV=IP_eV,
        band_gap_eV=6.0,
        dielectric_constant=dielectric_constant,
        charge=[1.0],
        ion_change=[1.0],
        formation_energy_eV=[1.0],
        site_density_cm3=[0.0],
        electrons=False,
        frozen_charge_cm3=frozen_charge_cm3,
    )
    return neutral_bulk(phase, temperature_K=300.0, metal_work_function_eV=METAL_eV)
