"""Arrays of other libraries than NumPy: the strict implementation of the array-API standard."""

from __future__ import annotations

import array_api_strict as strict
import numpy as np
import pytest
from interohm.device_models import (
    band_edges,
    contact_class,
    cpd_V,
    delta_cpd_V,
    electron_barrier_eV,
    equilibrium_cpd_V,
    fermi_level_eV,
    hole_barrier_eV,
    ion_electrochemical_potential_eV,
    metal_neutral_potential_V,
    minimum_interface_mu,
    open_circuit_voltage_V,
    pinning_dipole_V,
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
