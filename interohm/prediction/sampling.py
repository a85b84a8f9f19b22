"""Arrays of the device model from records: nominal values, or samples of their uncertainties.

Energies and potentials are drawn from normal distributions, quantities that can only be positive
(densities, frequencies, distances, the dielectric constant, masses) from lognormal ones with the
value as median, so that a wide uncertainty never turns a density negative. Errors that several
numbers share are drawn once and move all of them; which defects carry the current is drawn by
weight (physics.md, section 8).
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field, replace
from functools import cache
from math import erfc, sqrt
from typing import TYPE_CHECKING

import numpy as np

from interohm.device_models import (
    Phase,
    bulk_activation_energy_eV,
    energies_from_neutrality,
    fitted_hop,
    prepared_bulk,
)
from interohm.errors import InputError
from interohm.records import Insulator, Metal, Quantity
from interohm.records.reference import reference_metal
from interohm.records.shipped import shipped_material
from interohm.records.uncertainty import others_hop

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from interohm.arrays import Array
    from interohm.device_models.conductivity_fit import FittedHop


#: Samples of every prediction's uncertainty unless the user says otherwise.
DEFAULT_SAMPLES = 2000

#: How often a sample without a possible hop is drawn again.
_ATTEMPTS = 50

#: How far a conductivity that follows from migration energies may be from one that is stated.
_FACTOR, _ENERGY_eV = 1.5, 0.03


@dataclass(frozen=True)
class FieldSamples:
    """Standard normal numbers, one row for each uncertain number of each record.

    The rows depend on names alone, so that a number that appears twice (the work function of the
    lithium electrode that is also the zero of potential) moves both places alike, and a prediction
    does not depend on the order in which things are asked. Samples of a record that are impossible
    are drawn again, all of its numbers together.
    """

    samples: int
    seed: int = 0
    attempts: dict[str, NDArray[np.int64]] = field(default_factory=dict, compare=False)

    def normal(self, record: str, field: str) -> Array:
        """Return the standard normal samples of one number, shape (samples,)."""
        key = zlib.crc32(f"{record}/{field}".encode())
        found = np.random.default_rng([self.seed, key]).standard_normal(self.samples)
        attempts = self.attempts.get(record)
        if attempts is not None:
            for attempt in range(1, int(np.max(attempts, initial=0)) + 1):
                rows = attempts == attempt
                again = np.random.default_rng([self.seed, key, attempt])
                found[rows] = again.standard_normal(self.samples)[rows]
        return found

    def first(self, samples: int) -> FieldSamples:
        """Return the first of the samples, at most that many."""
        count = min(samples, self.samples)
        kept = {record: attempts[:count] for record, attempts in self.attempts.items()}
        return FieldSamples(count, self.seed, kept)

    def again(self, record: str, rows: NDArray[np.bool_]) -> None:
        """Draw all numbers of a record again for some of the samples."""
        before = self.attempts.get(record, np.zeros(self.samples, dtype=np.int64))
        self.attempts[record] = before + rows

    @property
    def redrawn(self) -> int:
        """Number of samples that were drawn again for any record."""
        rows = np.zeros(self.samples, dtype=bool)
        for attempts in self.attempts.values():
            rows |= attempts > 0
        return int(np.count_nonzero(rows))

    def value(self, record: str, field: str, quantity: Quantity) -> Array:
        """Return samples of an energy or potential, shape (samples,)."""
        deviation = quantity.uncertainty or 0.0
        if deviation == 0.0:
            return np.full(self.samples, quantity.value)
        return quantity.value + deviation * self.normal(record, field)

    def positive(self, record: str, field: str, quantity: Quantity) -> Array:
        """Return samples of a positive quantity, shape (samples,)."""
        deviation = quantity.uncertainty or 0.0
        if deviation == 0.0:
            return np.full(self.samples, quantity.value)
        width = np.sqrt(np.log1p((deviation / quantity.value) ** 2))
        return np.asarray(quantity.value * np.exp(width * self.normal(record, field)))


@dataclass(frozen=True)
class Numbers:
    """The numbers of one record, nominal or sampled, with the errors that they share."""

    material: Insulator | Metal
    field_samples: FieldSamples | None

    def energy(self, path: str, quantity: Quantity, *, drawn_as: str | None = None) -> Array:
        """Return an energy or potential; `path` is its field in the record."""
        if self.field_samples is None:
            return np.asarray(quantity.value)
        name = self.material.name
        value = self.field_samples.value(name, drawn_as or path, quantity)
        for error in self.material.shared_errors:
            times = error.moves.get(path, 0.0)
            if times and error.uncertainty_eV:
                shift = self.field_samples.normal(name, f"shared_errors.{error.name}")
                value = value + times * error.uncertainty_eV * shift
        return value

    def positive(self, field: str, quantity: Quantity) -> Array:
        """Return a quantity that can only be positive."""
        if self.field_samples is None:
            return np.asarray(quantity.value)
        return self.field_samples.positive(self.material.name, field, quantity)


def phase_of(
    insulator: Insulator,
    *,
    electrons: bool = True,
    frozen_charge_cm3: float = 0.0,
    field_samples: FieldSamples | None = None,
    metal_work_function_eV: Array | float | None = None,
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
    field_samples : FieldSamples, optional
        Sample the uncertainties: the arrays gain a leading axis (samples,).
    metal_work_function_eV : array (samples,), optional
        Work function of the mobile metal to which a record's neutral potential refers; that of the
        shipped record unless given (see `unshipped_metal_eV`).

    Raises
    ------
    InputError
        The record states a conductivity and migration energies that contradict it.
    """
    phase, fit = _drawn(insulator, field_samples, metal_work_function_eV)
    if field_samples is None and fit is not None:
        _check_stated(insulator, phase)
    for _ in range(_ATTEMPTS):
        impossible = np.zeros(()) if fit is None else fit.carriers_energy_eV < 0.0
        if field_samples is None or not np.any(impossible):
            break
        field_samples.again(insulator.name, np.broadcast_to(impossible, field_samples.samples))
        phase, fit = _drawn(insulator, field_samples, metal_work_function_eV)
    if fit is not None:
        if np.any(fit.carriers_energy_eV < 0.0):
            raise InputError(
                f"the activation energy of {_activation_eV(insulator):g} eV is below what the "
                "formation energies cost alone: no migration energy is left",
                where=f"material {insulator.name}: conductivity",
                fix="lower the formation energies, or look at what was measured",
            )
        phase = fit.applied(phase)
    return replace(
        phase,
        electrons=np.asarray(electrons and insulator.electrons),
        frozen_charge_cm3=np.asarray(frozen_charge_cm3),
    )


def prepared_mu_eV(insulator: Insulator) -> float:
    """Return mu at which a stated conductivity was measured: the middle of the stability window.

    0 without a window. It matters to defects that follow electrons rather than ions alone.
    """
    if insulator.stability_window_V is None:
        return 0.0
    low, high = (limit.value for limit in insulator.stability_window_V)
    return -insulator.ion_charge * (low + high) / 2.0


def _activation_eV(insulator: Insulator) -> float:
    assert insulator.conductivity is not None
    return insulator.conductivity.activation_energy_eV.value


def _drawn(
    insulator: Insulator,
    field_samples: FieldSamples | None,
    metal_work_function_eV: Array | float | None,
) -> tuple[Phase, FittedHop | None]:
    """Return the phase without dopants, and the hops that its conductivity asks for."""
    numbers = Numbers(insulator, field_samples)
    energy, positive = numbers.energy, numbers.positive
    unknown = np.full(() if field_samples is None else (field_samples.samples,), np.nan)
    defects = insulator.defects
    carries = _carriers(insulator, field_samples)
    barriers, frequencies, distances = [], [], []
    slower = np.zeros(unknown.shape)
    if others_hop(insulator):
        slower = np.maximum(energy("others_slower_eV", insulator.others_slower_eV), 0.0)
    for index, defect in enumerate(defects):
        barrier, frequency, distance = unknown, unknown, unknown
        if defect.migration_energy_eV is not None:
            name = f"{defect.name}.migration_energy_eV"
            path = f"defects[{defect.name}].migration_energy_eV"
            barrier = energy(path, defect.migration_energy_eV, drawn_as=name)
            barrier = np.maximum(barrier, 0.0) + np.where(carries[..., index], 0.0, slower)
        if defect.attempt_frequency_Hz is not None and defect.hop_distance_nm is not None:
            frequency, distance = (
                positive(f"{defect.name}.{name}", getattr(defect, name))
                for name in ("attempt_frequency_Hz", "hop_distance_nm")
            )
        barriers.append(barrier)
        frequencies.append(frequency)
        distances.append(distance)
    names = [defect.sublattice for defect in defects]
    saturation = np.minimum(positive("saturation", insulator.saturation), 1.0)
    phase = Phase(
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
            [
                unknown
                if defect.formation_energy_eV is None
                else energy(
                    f"defects[{defect.name}].formation_energy_eV",
                    defect.formation_energy_eV,
                    drawn_as=f"{defect.name}.formation_energy_eV",
                )
                for defect in defects
            ],
            axis=-1,
        ),
        # One draw for a sublattice: its defects share the sites.
        site_density_cm3=np.stack(
            [positive(f"{d.sublattice}.site_density_cm3", d.site_density_cm3) for d in defects],
            axis=-1,
        ),
        degeneracy=np.array([float(defect.degeneracy) for defect in defects]),
        saturation=np.stack([saturation] * len(defects), axis=-1),
        migration_energy_eV=np.stack(barriers, axis=-1),
        attempt_frequency_Hz=np.stack(frequencies, axis=-1),
        hop_distance_nm=np.stack(distances, axis=-1),
        sublattice=tuple(names.index(name) for name in names),
        electron_mass=positive("electron_effective_mass", insulator.electron_effective_mass),
        hole_mass=positive("hole_effective_mass", insulator.hole_effective_mass),
        electrons=np.asarray(insulator.electrons),
    )
    potential, cost = insulator.neutral_potential_V, insulator.neutral_formation_energy_eV
    if potential is not None and cost is not None:
        if metal_work_function_eV is None:
            metal_work_function_eV = _shipped_work_function_eV(insulator, field_samples)
        energies = energies_from_neutrality(
            phase,
            neutral_potential_V=energy("neutral_potential_V", potential),
            formation_energy_eV=energy("neutral_formation_energy_eV", cost),
            metal_work_function_eV=metal_work_function_eV,
            ion_charge=insulator.ion_charge,
        )
        phase = replace(phase, formation_energy_eV=energies)
    measured = insulator.conductivity
    if measured is None:
        return phase, None
    return phase, fitted_hop(
        phase,
        carries,
        conductivity_S_cm=positive("conductivity.value_S_cm", measured.value_S_cm),
        activation_energy_eV=energy(
            "conductivity.activation_energy_eV", measured.activation_energy_eV
        ),
        temperature_K=measured.temperature_K,
        mu_eV=prepared_mu_eV(insulator),
        slower_eV=slower,
        ion_charge=insulator.ion_charge,
    )


def _carriers(insulator: Insulator, field_samples: FieldSamples | None) -> NDArray[np.bool_]:
    """Return which defects carry the current, (D,) or (samples, D); all without a choice."""
    names = [defect.name for defect in insulator.defects]
    choices = insulator.carriers
    if not choices:
        return np.ones(len(names), dtype=bool)
    table = np.array([[name in choice.defects for name in names] for choice in choices])
    if field_samples is None or len(choices) == 1:
        return np.asarray(table[0])
    weights = np.array([choice.weight for choice in choices], dtype=float)
    limits = np.cumsum(weights)[:-1] / np.sum(weights)
    return np.asarray(
        table[
            np.searchsorted(limits, normal_share(field_samples.normal(insulator.name, "carriers")))
        ]
    )


def normal_share(values: Array) -> Array:
    """Return the share of a normal distribution below values (N,) in its standard deviations."""
    # of the standard library: SciPy's takes longer to import than this for thousands
    return np.array([0.5 * erfc(-value / sqrt(2.0)) for value in values])


def unshipped_metal_eV(mobile_ion: str, metal_work_function_eV: Array) -> Array | None:
    """Return the work function of a cell's own metal where neutral potentials refer to it.

    They refer to the shipped metal of the ion, whatever metal a cell has; None then.
    """
    return metal_work_function_eV if _shipped_metal(mobile_ion) is None else None


@cache
def _shipped_metal(mobile_ion: str) -> Metal | None:
    metal = shipped_material(mobile_ion)
    return metal if isinstance(metal, Metal) else None


def _shipped_work_function_eV(insulator: Insulator, field_samples: FieldSamples | None) -> Array:
    # without one, the error says so
    reference = _shipped_metal(insulator.mobile_ion) or reference_metal([insulator])
    quantity = reference.states[0].work_function_eV
    path = "states.work_function_eV"
    return Numbers(reference, field_samples).energy(path, quantity, drawn_as="work_function_eV")


def _check_stated(insulator: Insulator, phase: Phase) -> None:
    """Refuse migration energies that contradict the conductivity beside them."""
    measured = insulator.conductivity
    hopping = [defect for defect in insulator.defects if defect.hops]
    lacking = [defect.name for defect in hopping if defect.migration_energy_eV is None]
    if measured is None or len(lacking) == len(hopping):
        return
    if lacking:
        raise InputError(
            "next to a conductivity, migration energies are given for some of the defects that "
            f"hop, but not for {', '.join(lacking)}: they cannot be checked against it",
            where=f"material {insulator.name}: conductivity",
            fix="leave out migration_energy_eV, which then follows from the conductivity, or give "
            "it for all of them",
        )
    bulk = prepared_bulk(
        phase,
        temperature_K=measured.temperature_K,
        mu_eV=prepared_mu_eV(insulator),
        ion_charge=insulator.ion_charge,
    )
    sigma = float(bulk.conductivity_S_cm)
    energy = float(bulk_activation_energy_eV(bulk))
    ratio = sigma / measured.value_S_cm.value
    activation = measured.activation_energy_eV.value
    if not 1.0 / _FACTOR <= ratio <= _FACTOR or abs(energy - activation) > _ENERGY_eV:
        raise InputError(
            f"the migration energies make {sigma:.2e} S/cm at "
            f"{measured.temperature_K:g} K with an activation energy of {energy:.3f} eV, the "
            f"conductivity of the record states {measured.value_S_cm.value:.2e} S/cm and "
            f"{activation:.3f} eV",
            where=f"material {insulator.name}: conductivity",
            fix="leave out migration_energy_eV, which then follows from the conductivity, or "
            "correct one of them",
        )
