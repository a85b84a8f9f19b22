"""Arrays of other libraries than NumPy: the strict implementation of the array-API standard."""

from __future__ import annotations

import array_api_strict as strict
import numpy as np
import pytest

from interohm.device_models import (
    GradedProfile,
    Metal,
    Phase,
    StackLayer,
    band_edges,
    contact,
    contact_class,
    contact_resistance,
    cpd_V,
    delta_cpd_V,
    electron_barrier_eV,
    equilibrium_cpd_V,
    fermi_level_eV,
    half_space,
    hole_barrier_eV,
    ion_electrochemical_potential_eV,
    layer,
    metal_neutral_potential_V,
    minimum_interface_mu,
    neutral_bulk,
    open_circuit_voltage_V,
    pinning_dipole_V,
    solve_stack,
)

RNG = np.random.default_rng(0)
CALLS = [
    (open_circuit_voltage_V, [(4,), (4,), ()]),
    (metal_neutral_potential_V, [(4,), (4,), (), ()]),
    (fermi_level_eV, [(4,), (), ()]),
    (ion_electrochemical_potential_eV, [(4,), (4,), ()]),
    (band_edges, [(4, 3), (4, 1), ()]),
    (contact_class, [(50,), (50,), (50,), (50,), ()]),
    (electron_barrier_eV, [(4,), (4,)]),
    (hole_barrier_eV, [(4,), (4,)]),
    (pinning_dipole_V, [(4,), (4,), (4,)]),
    (cpd_V, [(4,), (4,), ()]),
    (equilibrium_cpd_V, [(4,), ()]),
    (delta_cpd_V, [(4, 3), (4,), (4, 3), (4,)]),
    (minimum_interface_mu, [(4, 3), (4,), (4,), (3,), (3,), ()]),
]


@pytest.mark.parametrize(("function", "shapes"), CALLS, ids=[call.__name__ for call, _ in CALLS])
def test_other_arrays_give_the_same_and_stay_what_they_are(function, shapes):
    values = [RNG.uniform(1.0, 4.0, shape) for shape in shapes]
    expected = function(*values)
    # a number beside arrays is a number in every library
    foreign = [strict.asarray(value) if value.ndim else float(value) for value in values]
    found = function(*foreign)
    if not isinstance(found, tuple):
        expected, found = (expected,), (found,)
    for one, other in zip(expected, found, strict=True):
        assert isinstance(other, type(strict.asarray(0.0)))
        assert np.array_equal(one, np.asarray(other))


def test_solvers_take_other_arrays_and_give_numpy_ones():
    def solved(array):
        phase = Phase(
            ionization_potential_eV=5.3,
            band_gap_eV=6.0,
            dielectric_constant=array([9.0, 40.0]),
            charge=array([1.0, -1.0]),
            ion_change=array([1.0, -1.0]),
            formation_energy_eV=array([[-3.6, 4.0], [-3.5, 3.9]]),
            site_density_cm3=array([3e22, 3e22]),
            saturation=0.1,
            migration_energy_eV=array([0.3, 0.35]),
            hop_distance_nm=0.25,
        )
        bulk = neutral_bulk(phase, temperature_K=array([300.0, 400.0]), metal_work_function_eV=2.9)
        side = half_space(bulk, array([0.0, 2.0]))
        total = contact_resistance(contact(Metal(array([0.0, 2.0])), bulk)).total_ohm_cm2
        coating = layer(bulk, array([0.0, 0.1]), 1.5, array([5.0, 2.0]))
        table = GradedProfile(array([0.0, 2.0]), array([1e20, 0.0]))
        stacked = StackLayer(
            bulk, array([5.0, 2.0]), fixed_charge_cm3=table, susceptibility=array([3.0, 9.0])
        )
        stack = solve_stack(
            Metal(0.0), [stacked], Metal(array([1.5, 1.0])), dipole_V=[array([0.0, 0.1]), 0.0]
        )
        return [
            side.sheet_charge_e_nm2,
            side.x90_nm,
            side.distance_nm(array([[0.5], [1.9]])),
            total,
            coating.sheet_charge_e_nm2,
            stack.sheet_charge_e_nm2,
        ]

    for found, expected in zip(solved(strict.asarray), solved(np.asarray), strict=True):
        assert isinstance(found, np.ndarray)
        assert np.array_equal(found, expected, equal_nan=True)
