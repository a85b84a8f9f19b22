"""Samples of what a record knows: shared errors, carriers, a measured conductivity."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interohm.device_models import BOLTZMANN_EV_K, Bulk, neutral_bulk
from interohm.errors import InputError
from interohm.prediction.electrodes import electrode_state
from interohm.prediction.sampling import FieldSamples, phase_of
from interohm.prediction.sensitivity import RecordedFieldSamples
from interohm.records import Insulator, Metal, Quantity, material_from

HOP = {"attempt_frequency_Hz": 1e13, "hop_distance_nm": 0.25}
MEASURED = {"value_S_cm": 2e-4, "temperature_K": 298.0, "activation_energy_eV": 0.35}
METAL_eV = 2.93


def record(*, neutral: bool = True, barrier: float | None = None, **fields: Any) -> Insulator:
    defects: list[dict[str, Any]] = [
        {
            "name": name,
            "charge": charge,
            "ion_change": charge,
            "site_density_cm3": density,
            "sublattice": name,
            "degeneracy": degeneracy,
            **HOP,
        }
        for name, charge, density, degeneracy in (("Li_i", 1, 6e22, 2), ("V_Li", -1, 2e22, 1))
    ]
    for defect in defects:
        if barrier is not None:
            defect["migration_energy_eV"] = barrier
        if not neutral:
            defect["formation_energy_eV"] = {"value": -4.0 * defect["charge"] + 0.1}
    document = {
        "name": "X",
        "kind": "insulator",
        "mobile_ion": "Li",
        "ionization_potential_eV": {"value": 6.0, "uncertainty": 0.4},
        "band_gap_eV": 6.0,
        "dielectric_constant": 20.0,
        "saturation": 0.3,
        "electrons": False,
        "defects": defects,
    }
    if neutral:
        document["neutral_potential_V"] = {"value": 1.5, "uncertainty": 0.2}
        document["neutral_formation_energy_eV"] = {"value": 0.15, "uncertainty": 0.05}
    found = material_from({**document, **fields}, where="here")
    assert isinstance(found, Insulator)
    return found


def bulk_of(
    insulator: Insulator, field_samples: FieldSamples | None = None, **conditions: Any
) -> Bulk:
    metal = conditions.pop("metal", METAL_eV)
    return neutral_bulk(
        phase_of(insulator, field_samples=field_samples, metal_work_function_eV=metal),
        temperature_K=conditions.pop("temperature_K", 300.0),
        metal_work_function_eV=metal,
        **conditions,
    )


def test_the_neutral_potential_is_what_is_known() -> None:
    """Also with unequal sites, at every draw, whatever the ionization potential."""
    insulator = record(conductivity=MEASURED)
    assert bulk_of(insulator).neutral_potential_V == pytest.approx(1.5, abs=1e-9)
    field_samples = FieldSamples(500)
    metal = METAL_eV + 0.3 * field_samples.normal("Li", "work_function_eV")
    found = bulk_of(insulator, field_samples, metal=metal)
    expected = 1.5 + 0.2 * field_samples.normal("X", "neutral_potential_V")
    assert found.neutral_potential_V == pytest.approx(expected, abs=1e-9)
    apart = found.phase.formation_energy_eV + found.phase.charge * found.fermi_level_eV[:, None]
    energies = 0.15 + 0.05 * field_samples.normal("X", "neutral_formation_energy_eV")
    assert np.mean(apart, axis=-1) == pytest.approx(energies, abs=1e-9)


CHOICES = [["Li_i"], ["V_Li"], ["Li_i", "V_Li"]]


@settings(deadline=None, max_examples=30)
@given(
    carriers=st.sampled_from(CHOICES),
    slower=st.floats(0.0, 0.6),
    sigma=st.floats(-9.0, -2.0),
    activation=st.floats(0.25, 0.8),
)
def test_a_record_has_its_measured_conductivity_for_every_choice_of_carriers(
    carriers: list[str], slower: float, sigma: float, activation: float
) -> None:
    insulator = record(
        carriers=[{"defects": carriers}],
        others_slower_eV=slower,
        conductivity={
            "value_S_cm": 10.0**sigma,
            "temperature_K": 320.0,
            "activation_energy_eV": activation,
        },
    )
    step = 1e-3
    temperatures = 320.0 / np.array([1.0 - step, 1.0, 1.0 + step])
    bulk = bulk_of(insulator, temperature_K=temperatures)
    assert bulk.conductivity_S_cm[1] == pytest.approx(10.0**sigma, rel=1e-9)
    logs = np.log(bulk.conductivity_S_cm * temperatures)
    slope = (logs[2] - logs[0]) / (1.0 / temperatures[2] - 1.0 / temperatures[0])
    assert -BOLTZMANN_EV_K * slope == pytest.approx(activation, abs=1e-5)
    barriers = bulk.phase.migration_energy_eV[1]
    for place, name in enumerate(("Li_i", "V_Li")):
        expected = np.min(barriers) + (0.0 if name in carriers else slower)
        assert barriers[place] == pytest.approx(expected)


def test_samples_have_their_conductivity_and_their_carriers_by_weight() -> None:
    choices = [{"defects": d, "weight": w} for d, w in zip(CHOICES, (4, 4, 2), strict=True)]
    measured = {
        "value_S_cm": {"value": 2e-4, "uncertainty": 1e-4},
        "temperature_K": 298.0,
        "activation_energy_eV": {"value": 0.5, "uncertainty": 0.05},
    }
    insulator = record(carriers=choices, conductivity=measured, others_slower_eV=0.2)
    field_samples = FieldSamples(4000)
    bulk = bulk_of(insulator, field_samples, temperature_K=298.0)
    width = np.sqrt(np.log1p(0.25))
    expected = 2e-4 * np.exp(width * field_samples.normal("X", "conductivity.value_S_cm"))
    assert bulk.conductivity_S_cm == pytest.approx(expected, rel=1e-9)
    apart = np.diff(bulk.phase.migration_energy_eV, axis=-1)[:, 0]
    shares = [np.mean(np.abs(apart - d) < 1e-9) for d in (0.2, -0.2, 0.0)]
    assert shares == pytest.approx([0.4, 0.4, 0.2], abs=0.03)
    # the nominal choice is the first
    nominal = bulk_of(insulator)
    assert np.diff(nominal.phase.migration_energy_eV) == pytest.approx(0.2)


def test_samples_without_a_barrier_are_drawn_again_and_counted() -> None:
    """All numbers of the record together, and alike whenever they are asked for."""
    insulator = record(
        conductivity={
            "value_S_cm": 1e-3,
            "temperature_K": 298.0,
            "activation_energy_eV": {"value": 0.2, "uncertainty": 0.06},
        }
    )
    field_samples = RecordedFieldSamples(2000)
    phase = phase_of(insulator, field_samples=field_samples, metal_work_function_eV=METAL_eV)
    assert 0 < field_samples.redrawn < 1000
    assert np.all(phase.migration_energy_eV >= 0.0)
    again = phase_of(insulator, field_samples=FieldSamples(2000), metal_work_function_eV=METAL_eV)
    assert np.array_equal(again.migration_energy_eV, phase.migration_energy_eV)
    fewer = phase_of(
        insulator, field_samples=field_samples.first(50), metal_work_function_eV=METAL_eV
    )
    assert np.array_equal(fewer.formation_energy_eV, phase.formation_energy_eV[:50])
    assert fewer.migration_energy_eV == pytest.approx(phase.migration_energy_eV[:50], rel=1e-12)
    # what is remembered for the sensitivities is what was used
    energies = 0.2 + 0.06 * field_samples.asked["X", "conductivity.activation_energy_eV"]
    shared = phase.migration_energy_eV[:, 0]
    assert np.corrcoef(energies, shared)[0, 1] > 0.5


def test_an_activation_energy_below_the_formation_energy_is_refused() -> None:
    insulator = record(conductivity={**MEASURED, "activation_energy_eV": 0.05})
    with pytest.raises(InputError, match="no migration energy is left"):
        phase_of(insulator, metal_work_function_eV=METAL_eV)


@pytest.mark.parametrize(
    ("factor", "shift_eV", "fits"),
    [(1.0, 0.0, True), (1.4, 0.02, True), (1.6, 0.0, False), (1.0, 0.04, False), (0.6, 0.0, False)],
)
def test_migration_energies_that_contradict_the_conductivity_are_refused(
    factor: float, shift_eV: float, fits: bool
) -> None:
    own = record(barrier=0.3)
    step = 1e-3
    temperatures = 298.0 / np.array([1.0 - step, 1.0, 1.0 + step])
    bulk = bulk_of(own, temperature_K=temperatures)
    logs = np.log(bulk.conductivity_S_cm * temperatures)
    energy = -BOLTZMANN_EV_K * (logs[2] - logs[0]) / (1 / temperatures[2] - 1 / temperatures[0])
    stated = {
        "value_S_cm": float(bulk.conductivity_S_cm[1]) * factor,
        "temperature_K": 298.0,
        "activation_energy_eV": float(energy) + shift_eV,
    }
    both = record(barrier=0.3, conductivity=stated)
    if fits:
        assert phase_of(both, metal_work_function_eV=METAL_eV)
    else:
        with pytest.raises(InputError, match="the conductivity of the record states"):
            phase_of(both, metal_work_function_eV=METAL_eV)


def test_a_part_of_the_migration_energies_beside_a_conductivity_is_refused() -> None:
    whole = record(conductivity=MEASURED)
    first, *others = whole.defects
    stated = first.model_copy(update={"migration_energy_eV": Quantity(value=0.9)})
    part = whole.model_copy(update={"defects": [stated, *others]})
    with pytest.raises(InputError, match=f"not for {others[0].name}"):
        phase_of(part, metal_work_function_eV=METAL_eV)


def test_an_unlisted_defect_hops_slower_than_its_own_barrier() -> None:
    insulator = record(barrier=0.3, carriers=[{"defects": ["V_Li"]}], others_slower_eV=0.15)
    phase = phase_of(insulator, metal_work_function_eV=METAL_eV)
    assert phase.migration_energy_eV == pytest.approx([0.45, 0.3])


def test_a_common_shift_of_the_valence_band_leaves_the_neutral_potential_alone() -> None:
    moves = {
        "ionization_potential_eV": -1,
        "defects[Li_i].formation_energy_eV": 1,
        "defects[V_Li].formation_energy_eV": -1,
    }
    fields: dict[str, Any] = {"neutral": False, "barrier": 0.3}
    fields["ionization_potential_eV"] = 6.0
    shared = [{"name": "valence_band", "uncertainty_eV": 0.5, "moves": moves}]
    field_samples = FieldSamples(300)
    bulk = bulk_of(record(shared_errors=shared, **fields), field_samples)
    assert np.std(bulk.phase.ionization_potential_eV) > 0.3
    assert np.ptp(bulk.neutral_potential_V) < 1e-9
    assert np.ptp(bulk.conductivity_S_cm) < 1e-9 * float(bulk.conductivity_S_cm[0])
    alone = [{**shared[0], "moves": {"ionization_potential_eV": -1}}]
    moved = bulk_of(record(shared_errors=alone, **fields), field_samples)
    assert np.std(moved.neutral_potential_V) > 0.3


def test_two_numbers_that_share_all_of_their_error_correlate_to_one() -> None:
    shared = [
        {
            "name": "slab",
            "uncertainty_eV": 0.2,
            "moves": {"ionization_potential_eV": 1, "band_gap_eV": 0.5},
        }
    ]
    insulator = record(
        neutral=False, barrier=0.3, ionization_potential_eV=6.0, shared_errors=shared
    )
    phase = phase_of(insulator, field_samples=FieldSamples(500))
    both = np.corrcoef(phase.ionization_potential_eV, phase.band_gap_eV)
    assert both[0, 1] == pytest.approx(1.0, abs=1e-12)
    assert np.std(phase.band_gap_eV) == pytest.approx(0.5 * np.std(phase.ionization_potential_eV))
    # a field's own uncertainty is what is left beside it
    own = record(neutral=False, barrier=0.3, shared_errors=shared)
    phase = phase_of(own, field_samples=FieldSamples(20_000))
    assert np.std(phase.ionization_potential_eV) == pytest.approx(np.hypot(0.2, 0.4), rel=0.03)


def test_the_curve_of_an_electrode_shares_errors_too() -> None:
    metal = material_from(
        {
            "name": "E",
            "kind": "metal",
            "mobile_ion": "Li",
            "states": [
                {"ion_content": x, "voltage_V": 4.5 - x, "work_function_eV": 5.0} for x in (0, 1)
            ],
            "shared_errors": [
                {
                    "name": "reference",
                    "uncertainty_eV": 0.1,
                    "moves": {"states.voltage_V": 1, "states.work_function_eV": -2},
                }
            ],
        },
        where="here",
    )
    assert isinstance(metal, Metal)
    state = electrode_state(metal, 0.5, field_samples=FieldSamples(200))
    both = np.corrcoef(state.voltage_V, state.work_function_eV)
    assert both[0, 1] == pytest.approx(-1.0, abs=1e-12)
    assert np.std(state.work_function_eV) == pytest.approx(2 * np.std(state.voltage_V))
