"""Predictions beside what was measured: which hold, and which number nobody should believe.

Each contact is drawn from its records as `interohm contact` draws it. A resistance that may hold
extrinsic parts bounds the intrinsic one from above: what falsifies the model is a prediction that
is higher.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from interohm import device_models as models
from interohm.prediction.contact_barrier import (
    EXCESS_BARRIER_SCALE_EV,
    pair_name,
    with_known_interface,
)
from interohm.prediction.impedance_chain import CellChain, cell_chain
from interohm.prediction.sampling import FieldSamples
from interohm.prediction.single_contact import Conditions, solve_contact
from interohm.prediction.solved_cell import solve_state
from interohm.prediction.solved_contact import SolvedContact
from interohm.records import Insulator, Metal
from interohm.records.experiment import SPECTRUM_QUANTITIES
from interohm.records.reference import is_reference, reference_metal
from interohm.records.shipped import shipped_interfaces

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from interohm.records.cell_config import Cell
    from interohm.records.experiment import Experiment, Measurement

    Array = NDArray[np.float64]

#: Enough for 5 and 95 % of a resistance within a tenth of a decade.
VALIDATION_SAMPLES = 1000

#: Where the state of charge is not stated.
_HALF_CHARGED = 0.5

#: Relative step of the temperature of a difference quotient.
_STEP = 0.01

RESISTANCE = "interface_resistance_ohm_cm2"


@dataclass(frozen=True)
class ComparedRow:
    """One measured number and what is predicted of it.

    Parameters
    ----------
    experiment : Experiment
    measurement : Measurement
    pair : str
        The two phases; empty without a prediction.
    p05, p50, p95 : float
        Quantiles of the prediction; None without one.
    verdict : str
        ``inside``, ``above``, ``below``, ``falsified`` or ``not comparable``.
    """

    experiment: Experiment
    measurement: Measurement
    pair: str
    p05: float | None
    p50: float | None
    p95: float | None
    verdict: str


@dataclass(frozen=True)
class Validation:
    """All rows of the validation, and their summary."""

    rows: list[ComparedRow]

    @property
    def comparable(self) -> list[ComparedRow]:
        """Return the rows that have a verdict on the model."""
        return [row for row in self.rows if row.verdict != "not comparable"]

    @property
    def falsified(self) -> int:
        """Return how many predictions a measurement rules out."""
        return sum(row.verdict == "falsified" for row in self.rows)

    @property
    def inside_fraction(self) -> float | None:
        """Return the share of comparable values within their interval; None without any."""
        count = len(self.comparable)
        return sum(row.verdict == "inside" for row in self.comparable) / count if count else None


def validate(
    experiments: Sequence[Experiment],
    *,
    samples: int = VALIDATION_SAMPLES,
    progress: Callable[[int], None] = lambda done: None,
) -> Validation:
    """Compare experiments with what the records predict.

    Parameters
    ----------
    experiments : sequence of Experiment
    samples : int
        How often the uncertainties of each contact are drawn.
    progress : callable
        Is told how many experiments are done.

    Raises
    ------
    InputError
        An experiment names a record that is not there.
    """
    rows: list[ComparedRow] = []
    solved: dict[str, SolvedContact] = {}
    for done, experiment in enumerate(experiments, start=1):
        phases = experiment.phases()
        for measurement in experiment.measured:
            quantiles: tuple[float, float, float] | tuple[None, None, None] = (None, None, None)
            found = None
            if measurement.quantity in SPECTRUM_QUANTITIES:
                found = spectrum_samples(experiment, measurement, samples)
            elif phases is not None:
                found = _samples(experiment, phases, measurement.quantity, samples, solved)
            if found is not None:
                low, middle, high = np.quantile(found, [0.05, 0.5, 0.95])
                quantiles = float(low), float(middle), float(high)
            rows.append(
                ComparedRow(
                    experiment,
                    measurement,
                    _what(experiment, phases),
                    quantiles[0],
                    quantiles[1],
                    quantiles[2],
                    _verdict(measurement, quantiles[0], quantiles[2]),
                )
            )
        progress(done)
    return Validation(rows)


def _verdict(measurement: Measurement, low: float | None, high: float | None) -> str:
    value = measurement.value
    if measurement.comparison == "told" or value is None or low is None or high is None:
        return "not comparable"
    if value < low:
        # more than was measured cannot be intrinsic
        return "falsified" if measurement.quantity == RESISTANCE else "below"
    if value > high and measurement.comparison == "two_sided":
        return "above"
    return "inside"


def _samples(
    experiment: Experiment,
    phases: tuple[Insulator | Metal, Insulator | Metal],
    quantity: str,
    samples: int,
    solved: dict[str, SolvedContact],
) -> Array | None:
    """Return samples of one quantity; None where the prediction has no such number."""
    if quantity == "activation_energy_eV":
        step = experiment.temperature_K * _STEP
        temperatures = experiment.temperature_K + step * np.array([-1.0, 0.0, 1.0])
        there = solve_experiment(
            experiment, phases, FieldSamples(samples), temperature_K=temperatures[:, None]
        )
        energies = models.apparent_activation_energy_eV(
            there.interface_resistance_ohm_cm2.T, temperatures
        )
        return _finite(energies[..., 1])
    given = experiment.model_dump_json(
        include={"electrode", "electrolyte", "state_of_charge", "temperature_K", "materials"}
        | {"contact"}
    )
    if given not in solved:
        solved[given] = solve_experiment(experiment, phases, FieldSamples(samples))
    contact = solved[given]
    if quantity == RESISTANCE:
        return np.asarray(contact.interface_resistance_ohm_cm2)
    if quantity == "potential_drop_V":
        return _finite(np.abs(contact.potential_drop_V))
    if quantity == "capacitance_uF_cm2":
        return _finite(contact.differential_capacitance_uF_cm2)
    if quantity == "thickness_nm":
        side = contact.sides["left" if isinstance(contact.left, Insulator) else "right"]
        assert isinstance(side, models.HalfSpace)
        return _finite(side.x90_nm)
    return None


def _what(
    experiment: Experiment, phases: tuple[Insulator | Metal, Insulator | Metal] | None
) -> str:
    if phases is not None:
        return pair_name(*phases)
    return " | ".join(one.name for one in experiment.layers())


def spectrum_samples(
    experiment: Experiment, measurement: Measurement, samples: int
) -> Array | None:
    """Return samples of a number of the spectrum of an experiment's cell; without any, the nominal.

    None where the prediction has no such number.
    """
    assert experiment.cell is not None
    materials = experiment.layers()
    if measurement.quantity == "z_real_ohm_cm2":
        assert measurement.frequency_Hz is not None
        frequency = np.array([measurement.frequency_Hz])
        found = _chain(experiment.cell, materials, samples)
        ends = float(frequency[0]) / 10.0, float(frequency[0]) * 10.0
        z = models.solve_chain(found.chain, *ends).impedance_ohm_cm2(frequency)
        return _finite(z.real[:, 0])
    kelvin = experiment.cell.temperature_K * (1.0 + _STEP * np.array([-1.0, 0.0, 1.0]))
    resistances = []
    for one in kelvin:
        cell = experiment.cell.model_copy(update={"temperature_K": float(one)})
        parts = [
            process.resistance_ohm_cm2
            for process in _chain(cell, materials, samples).processes
            if process.name == measurement.process and process.resistance_ohm_cm2 is not None
        ]
        resistances.append(np.sum(parts, axis=0) if parts else np.full(max(samples, 1), np.nan))
    positive = np.array(resistances).T
    # an accumulation has a negative resistance, and no activation energy
    positive = positive[np.all(positive > 0.0, axis=1)]
    if not len(positive):
        return None
    return _finite(models.apparent_activation_energy_eV(positive, kelvin)[..., 1])


def _chain(cell: Cell, materials: list[Insulator | Metal], samples: int) -> CellChain:
    nominal = solve_state(cell, materials, 0)
    if not samples:
        return cell_chain(cell, nominal)
    drawn = FieldSamples(samples)
    state = solve_state(cell, materials, 0, field_samples=drawn, thick=nominal.thick)
    return cell_chain(cell, state, field_samples=drawn)


def _finite(values: Array) -> Array | None:
    kept = np.asarray(values)[np.isfinite(values)]
    return kept if kept.size else None


def solve_experiment(
    experiment: Experiment,
    phases: tuple[Insulator | Metal, Insulator | Metal],
    field_samples: FieldSamples,
    *,
    temperature_K: float | Array | None = None,
    scale_eV: float = EXCESS_BARRIER_SCALE_EV,
) -> SolvedContact:
    """Solve the contact of an experiment for all draws.

    The metal of the mobile ion stands on the left, as a negative electrode does; any other
    electrode on the right.
    """
    electrode, electrolyte = phases
    negative = isinstance(electrode, Metal) and is_reference(electrode)
    left, right = (electrode, electrolyte) if negative else (electrolyte, electrode)
    charge = experiment.state_of_charge
    conditions = Conditions(
        experiment.temperature_K if temperature_K is None else temperature_K,
        _HALF_CHARGED if charge is None else charge,
        None,
        True,
        with_known_interface(experiment.contact, left, right, shipped_interfaces()),
        scale_eV,
    )
    return solve_contact(
        left, right, reference_metal([left, right]), conditions, field_samples
    ).solved


def row_fields(rows: Iterable[ComparedRow]) -> list[dict[str, object]]:
    """Return the rows as ``interohm validate --json`` has them."""
    return [
        {
            "name": row.experiment.name,
            "quantity": row.measurement.quantity,
            "measured": row.measurement.value,
            "p05": row.p05,
            "p50": row.p50,
            "p95": row.p95,
            "verdict": row.verdict,
            # of a spectrum alone: at which frequency, of which process
            **({"place": row.measurement.place} if row.measurement.place else {}),
        }
        for row in rows
    ]
