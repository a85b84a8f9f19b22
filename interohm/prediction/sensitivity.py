"""Sensitivity of a prediction to each number of its records: what to calculate better next.

The samples of the inputs are those that made the prediction, so the ranking costs no solutions of
its own (physics.md, section 8; estimator in `interohm.device_models.sensitivity`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from interohm.device_models import first_order_sensitivity
from interohm.prediction.sampling import FieldSamples
from interohm.records import Insulator, Metal
from interohm.results.json_values import log10_resistance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from interohm.prediction.solved_cell import SolvedState
    from interohm.prediction.solved_contact import SolvedContact

_INTERFACE = "log10_interface_resistance"

#: What people call a field.
_WORDS = {"contact_barrier_eV": "contact barrier", "carriers": "choice of carriers"}

#: Which calculation gives a field, by the end or the beginning of its path.
_GIVEN_BY = (
    ("stability_window_V", "phase diagram"),
    ("ionization_potential_eV", "surface"),
    ("electron_affinity", "surface"),
    ("band_gap_eV", "band gap"),
    ("shared_errors[band_gap]", "band gap"),
    ("shared_errors", "surface"),
    ("dielectric_constant", "dielectric"),
    ("neutral_potential_V", "defects"),
    ("neutral_formation_energy_eV", "defects"),
    ("formation_energy_eV", "defects"),
    ("carriers", "migration"),
    ("others_slower_eV", "migration"),
    ("migration_energy_eV", "migration"),
    ("conductivity", "measurement"),
    ("space_charge", "measurement"),
    ("contact_barrier_eV", "contact barrier"),
    ("dipole_V", "contact barrier"),
    ("states.work_function_eV", "surface"),
    ("states.voltage_V", "electrode"),
)

#: A share below this many standard deviations of the estimate is not told from zero.
_SIGNIFICANT = 4.0


@dataclass(frozen=True)
class RecordedFieldSamples(FieldSamples):
    """Samples that remember which fields were asked for: the uncertain inputs of a prediction."""

    asked: dict[tuple[str, str], NDArray[np.float64]] = field(default_factory=dict, compare=False)

    def normal(self, record: str, field: str) -> NDArray[np.float64]:
        """Return the standard normal samples of one number, shape (samples,)."""
        key = (record, field)
        if key not in self.asked:
            self.asked[key] = super().normal(record, field)
        return self.asked[key]

    def again(self, record: str, rows: NDArray[np.bool_]) -> None:
        """Draw all numbers of a record again for some of the samples."""
        super().again(record, rows)
        for key in [key for key in self.asked if key[0] == record]:
            del self.asked[key]


def sensitivity_fields(
    field_samples: RecordedFieldSamples, output: ArrayLike, materials: Sequence[Insulator | Metal]
) -> list[dict[str, Any]]:
    """Rank the inputs by the share of an output's variance that each explains alone.

    Parameters
    ----------
    field_samples : RecordedFieldSamples
        After the prediction was made with them.
    output : array (samples,)
        The prediction, of a resistance its log10; NaN where there is none.
    materials : sequence of Insulator or Metal
        The records that took part.

    Returns
    -------
    list of dict
        ``material``, ``field`` (its path in the record) and ``variance_share`` (the first-order
        Sobol index) of every input that matters, the most important first. What the shares leave to
        one is due to inputs that act together, and to many small ones.
    """
    values = np.asarray(output, dtype=float)
    if not field_samples.asked or values.shape != (field_samples.samples,):
        return []
    keys = list(field_samples.asked)
    found = first_order_sensitivity(
        np.stack([field_samples.asked[key] for key in keys], axis=-1), values
    )
    by_name = {material.name: material for material in materials}
    return [
        {
            "material": keys[rank][0],
            "field": field_path(keys[rank][1], by_name.get(keys[rank][0])),
            "variance_share": min(float(found.first_order[rank]), 1.0),
        }
        for rank in found.ranking
        if found.first_order[rank] > _SIGNIFICANT * found.noise
    ]


def cell_sensitivity(
    field_samples: RecordedFieldSamples,
    sampled: SolvedState,
    materials: Sequence[Insulator | Metal],
) -> dict[str, list[dict[str, Any]]]:
    """Rank the inputs of a cell's voltage and resistances (see `sensitivity_fields`)."""
    return {
        "open_circuit_voltage_V": sensitivity_fields(
            field_samples, sampled.open_circuit_voltage_V, materials
        ),
        "log10_resistance": sensitivity_fields(
            field_samples, log10_resistance(sampled.area_specific_resistance_ohm_cm2), materials
        ),
        _INTERFACE: sensitivity_fields(
            field_samples, log10_resistance(sampled.interface_resistance_ohm_cm2), materials
        ),
    }


def contact_sensitivity(
    field_samples: RecordedFieldSamples,
    sampled: SolvedContact,
    materials: Sequence[Insulator | Metal],
) -> dict[str, list[dict[str, Any]]]:
    """Rank the inputs of a contact's potential drop and resistance (see `sensitivity_fields`)."""
    return {
        "potential_drop_V": sensitivity_fields(field_samples, sampled.potential_drop_V, materials),
        _INTERFACE: sensitivity_fields(
            field_samples, log10_resistance(sampled.interface_resistance_ohm_cm2), materials
        ),
    }


def next_to_learn(sensitivity: dict[str, list[dict[str, Any]]] | None) -> dict[str, Any] | None:
    """Return the number whose knowledge would narrow the interface resistance most.

    Returns
    -------
    dict or None
        The first entry of the ranking, and ``text`` that says it.
    """
    ranked = (sensitivity or {}).get(_INTERFACE)
    if not ranked:
        return None
    first = ranked[0]
    field = first["field"]
    what = f"{_WORDS.get(field) or given_by(field) or field} of {first['material']}"
    if field not in _WORDS and given_by(field):
        what += f" ({field})"
    share = round(100 * first["variance_share"])
    return {**first, "text": f"{what}, {share} % of the variance"}


def field_path(drawn: str, material: Insulator | Metal | None) -> str:
    """Return the path of the field in its record that a draw is of."""
    owner, _, name = drawn.rpartition(".")
    if material is None:
        # of a contact, whose barrier is known or has a prior
        return "contact_barrier_eV" if drawn in ("barrier_eV", "excess_barrier_eV") else drawn
    if owner == "shared_errors":
        return f"shared_errors[{name}]"
    if isinstance(material, Metal) and not owner:
        # one draw shifts the whole curve
        return f"states.{drawn}"
    if not isinstance(material, Insulator) or owner in ("", "conductivity"):
        return drawn
    if name == "site_density_cm3":
        # drawn once for a sublattice, whose sites its defects share
        owner = ", ".join(d.name for d in material.defects if d.sublattice == owner)
    return f"defects[{owner}].{name}"


def given_by(path: str) -> str | None:
    """Return which calculation gives the field of a path; None if none does."""
    for part, kind in _GIVEN_BY:
        if path.startswith(part) or path.endswith(part):
            return kind
    return None
