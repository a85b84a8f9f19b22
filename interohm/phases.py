"""From records to the device model's arrays: nominal values, or samples of their uncertainties.

Energies and potentials are drawn from normal distributions, quantities that are positive by nature
(densities, frequencies, distances, the dielectric constant, masses) from lognormal ones with the
value as median, so that a wide uncertainty never turns a density negative (physics.md, section 8).
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from interohm.device_models import Phase
from interohm.records import Insulator, Metal, Quantity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from interohm.records.interface import Interface

#: Samples of every prediction's uncertainty unless the user says otherwise.
DEFAULT_SAMPLES = 2000


@dataclass(frozen=True)
class Draws:
    """Standard normal numbers, one row for each uncertain number of each record.

    The rows depend on names alone, so that a number that appears twice (the work function of the
    lithium electrode that is also the zero of potential) moves both places alike, and a prediction
    does not depend on the order in which things are asked.
    """

    samples: int
    seed: int = 0

    def normal(self, record: str, field: str) -> NDArray[np.float64]:
        """Return the standard normal samples of one number, shape (samples,)."""
        key = zlib.crc32(f"{record}/{field}".encode())
        return np.random.default_rng([self.seed, key]).standard_normal(self.samples)

    def first(self, samples: int) -> Draws:
        """Return the first of the samples, at most that many."""
        return Draws(min(samples, self.samples), self.seed)

    def value(self, record: str, field: str, quantity: Quantity) -> NDArray[np.float64]:
        """Return samples of an energy or potential, shape (samples,)."""
        deviation = quantity.uncertainty or 0.0
        if deviation == 0.0:
            return np.full(self.samples, quantity.value)
        return quantity.value + deviation * self.normal(record, field)

    def positive(self, record: str, field: str, quantity: Quantity) -> NDArray[np.float64]:
        """Return samples of a positive quantity, shape (samples,)."""
        deviation = quantity.uncertainty or 0.0
        if deviation == 0.0:
            return np.full(self.samples, quantity.value)
        width = np.sqrt(np.log1p((deviation / quantity.value) ** 2))
        return quantity.value * np.exp(width * self.normal(record, field))


def quantities(material: Insulator | Metal | Interface) -> Iterator[tuple[str, Quantity]]:
    """Yield each number of a record with its field, as ``defects[Li_i].charge``."""
    for field in type(material).model_fields:
        item = getattr(material, field)
        if isinstance(item, Quantity):
            yield field, item
        elif field == "stability_window_V" and item is not None:
            yield "stability_window_V[reduction]", item[0]
            yield "stability_window_V[oxidation]", item[1]
        elif field == "defects":
            for defect in item:
                for name in type(defect).model_fields:
                    if isinstance(getattr(defect, name), Quantity):
                        yield f"defects[{defect.name}].{name}", getattr(defect, name)
        elif field == "states":
            for state in item:
                place = f"states[{state.ion_content:g}]"
                yield f"{place}.voltage_V", state.voltage_V
                yield f"{place}.work_function_eV", state.work_function_eV


def is_uncertain(material: Insulator | Metal) -> bool:
    """Return whether any of the record's numbers has an uncertainty to propagate."""
    return any(quantity.uncertainty for _, quantity in quantities(material))


def phase_of(
    insulator: Insulator,
    *,
    electrons: bool = True,
    frozen_charge_cm3: float = 0.0,
    draws: Draws | None = None,
) -> Phase:
    """Return the device model's view of an insulator.

    Parameters
    ----------
    insulator : Insulator
        The record.
    electrons : bool
        False switches electrons and holes off, as the record itself may.
    frozen_charge_cm3 : float
        Donors minus acceptors.
    draws : Draws, optional
        Sample the uncertainties: the arrays gain a leading axis (samples,).
    """

    def energy(field: str, quantity: Quantity) -> NDArray[np.float64]:
        if draws is None:
            return np.asarray(quantity.value)
        return draws.value(insulator.name, field, quantity)

    def positive(field: str, quantity: Quantity) -> NDArray[np.float64]:
        if draws is None:
            return np.asarray(quantity.value)
        return draws.positive(insulator.name, field, quantity)

    def hop(field: str, barrier: bool) -> NDArray[np.float64]:
        columns = []
        for defect in insulator.defects:
            quantity = getattr(defect, field)
            if quantity is None:
                columns.append(energy(field, Quantity(value=0.0)) + np.nan)
            elif barrier:
                columns.append(np.maximum(energy(f"{defect.name}.{field}", quantity), 0.0))
            else:
                columns.append(positive(f"{defect.name}.{field}", quantity))
        return np.stack(columns, axis=-1)

    defects = insulator.defects
    names = [defect.sublattice for defect in defects]
    saturation = np.minimum(positive("saturation", insulator.saturation), 1.0)
    return Phase(
        ionization_potential_eV=energy(
            "ionization_potential_eV", insulator.ionization_potential_eV
        ),
        band_gap_eV=np.maximum(energy("band_gap_eV", insulator.band_gap_eV), 0.05),
        dielectric_constant=np.maximum(
            positive("dielectric_constant", insulator.dielectric_constant), 1.0
        ),
        charge=np.array([float(defect.charge) for defect in defects]),
        ion_change=np.array([defect.ion_change for defect in defects]),
        formation_energy_eV=np.stack(
            [energy(f"{d.name}.formation_energy_eV", d.formation_energy_eV) for d in defects],
            axis=-1,
        ),
        # One draw for a sublattice: its defects share the sites.
        site_density_cm3=np.stack(
            [positive(f"{d.sublattice}.site_density_cm3", d.site_density_cm3) for d in defects],
            axis=-1,
        ),
        degeneracy=np.array([float(defect.degeneracy) for defect in defects]),
        saturation=np.stack([saturation] * len(defects), axis=-1),
        migration_energy_eV=hop("migration_energy_eV", barrier=True),
        attempt_frequency_Hz=hop("attempt_frequency_Hz", barrier=False),
        hop_distance_nm=hop("hop_distance_nm", barrier=False),
        sublattice=tuple(names.index(name) for name in names),
        electron_mass=positive("electron_effective_mass", insulator.electron_effective_mass),
        hole_mass=positive("hole_effective_mass", insulator.hole_effective_mass),
        electrons=electrons and insulator.electrons,
        frozen_charge_cm3=frozen_charge_cm3,
    )
