"""Hops that follow from a measured conductivity: the bulk has it again, for every carrier."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interohm.device_models import BOLTZMANN_EV_K, neutral_bulk
from interohm.device_models.conductivity_fit import fitted_hop

from .phases import METAL_eV, symmetric


@settings(deadline=None, max_examples=60)
@given(
    energy=st.floats(0.0, 0.6),
    carriers=st.sampled_from([(True, False), (False, True), (True, True)]),
    sigma=st.floats(-12.0, -1.0),
    activation=st.floats(0.2, 0.9),
    temperature=st.floats(250.0, 600.0),
    slower=st.floats(0.0, 0.5),
    charge=st.sampled_from([1.0, 2.0]),
)
def test_the_bulk_conducts_as_measured(
    energy: float,
    carriers: tuple[bool, bool],
    sigma: float,
    activation: float,
    temperature: float,
    slower: float,
    charge: float,
) -> None:
    phase = symmetric(energy, 1e22, saturation=0.3, charge=charge, degeneracy=[3.0, 1.0])
    found = fitted_hop(
        phase,
        np.array(carriers),
        conductivity_S_cm=10.0**sigma,
        activation_energy_eV=activation,
        temperature_K=temperature,
        slower_eV=slower,
        ion_charge=charge,
    )
    step = 0.01
    temperatures = temperature * np.array([1.0 - step, 1.0, 1.0 + step])
    bulk = neutral_bulk(
        found.applied(phase),
        temperature_K=temperatures,
        metal_work_function_eV=METAL_eV,
        ion_charge=charge,
    )
    assert bulk.conductivity_S_cm[1] == pytest.approx(10.0**sigma, rel=1e-9)
    logs = np.log(bulk.conductivity_S_cm * temperatures)
    slopes = np.gradient(logs, 1.0 / temperatures, edge_order=2)
    assert -BOLTZMANN_EV_K * slopes[1] == pytest.approx(activation, abs=2e-4)
    energies = found.migration_energy_eV
    for d in range(2):
        expected = found.carriers_energy_eV + (0.0 if carriers[d] else slower)
        assert energies[d] == pytest.approx(float(expected))


def test_one_carrier_of_a_full_sublattice_has_the_measured_barrier() -> None:
    """Where concentrations do not depend on T, E_a is the migration energy."""
    phase = replace(symmetric(-2.0, 1e22, saturation=0.5), electrons=np.asarray(False))
    found = fitted_hop(
        phase,
        np.array([True, True]),
        conductivity_S_cm=1e-3,
        activation_energy_eV=0.31,
        temperature_K=300.0,
    )
    assert found.carriers_energy_eV == pytest.approx(0.31, abs=1e-6)


def test_a_batch_of_samples() -> None:
    energies = np.array([0.1, 0.2, 0.3])
    carriers = np.array([[True, False], [False, True], [True, True]])
    batch = fitted_hop(
        symmetric(energies),
        carriers,
        conductivity_S_cm=np.array([1e-4, 2e-4, 3e-4]),
        activation_energy_eV=0.4,
        temperature_K=300.0,
        slower_eV=np.array([0.1, 0.2, 0.3]),
    )
    for k in range(3):
        one = fitted_hop(
            symmetric(energies[k]),
            carriers[k],
            conductivity_S_cm=1e-4 * (k + 1),
            activation_energy_eV=0.4,
            temperature_K=300.0,
            slower_eV=0.1 * (k + 1),
        )
        assert batch.migration_energy_eV[k] == pytest.approx(one.migration_energy_eV)
        assert batch.frequency_factor[k] == pytest.approx(float(one.frequency_factor))


def test_the_dopants_of_a_layer_do_not_matter() -> None:
    bare = symmetric(0.3)
    arguments = {"conductivity_S_cm": 1e-4, "activation_energy_eV": 0.4, "temperature_K": 300.0}
    plain = fitted_hop(bare, np.array([True, False]), **arguments)
    doped = fitted_hop(
        replace(bare, frozen_charge_cm3=np.asarray(1e20)), np.array([True, False]), **arguments
    )
    assert doped.carriers_energy_eV == pytest.approx(float(plain.carriers_energy_eV))


def test_a_defect_without_a_hop_has_none_afterwards() -> None:
    phase = symmetric(0.3, hop_distance_nm=[0.25, np.nan])
    found = fitted_hop(
        phase,
        np.array([True, False]),
        conductivity_S_cm=1e-4,
        activation_energy_eV=0.4,
        temperature_K=300.0,
    )
    assert np.isnan(found.migration_energy_eV[1])
    none = fitted_hop(
        phase,
        np.array([False, True]),
        conductivity_S_cm=1e-4,
        activation_energy_eV=0.4,
        temperature_K=300.0,
        slower_eV=np.nan,
    )
    assert np.isnan(none.migration_energy_eV).all()
