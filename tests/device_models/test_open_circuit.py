"""Levels at open circuit and their identities."""

from __future__ import annotations

import numpy as np
import pytest

from interohm.device_models import (
    Metal,
    band_edges,
    contact,
    contact_class,
    electron_barrier_eV,
    fermi_level_eV,
    hole_barrier_eV,
    metal_neutral_potential_V,
    minimum_interface_mu,
    neutral_bulk,
    open_circuit_voltage_V,
)

from .phases import METAL_eV, symmetric


def test_minimum_interface_of_one_layer() -> None:
    # wider than the window on both sides: from the reduction to the oxidation limit
    left, right = minimum_interface_mu([1e4], 0.0, -4.0, [0.05], [2.91])
    assert left == pytest.approx([-0.05])
    assert right == pytest.approx([-2.91])
    left, right = minimum_interface_mu([1e4], -0.5, -2.0, [0.05], [2.91])
    assert left == pytest.approx([-0.5])
    assert right == pytest.approx([-2.0])


def test_minimum_interface_of_a_stack() -> None:
    left, right = minimum_interface_mu(
        [1.0, 3.0], [0.0, 0.0], [-4.0, -8.0], [0.0, 0.0], [np.inf, 2.0], ion_charge=[1.0, 2.0]
    )
    assert left == pytest.approx(np.array([[0.0, -1.0], [0.0, -2.0]]))
    assert right == pytest.approx(np.array([[-1.0, -2.0], [-2.0, -4.0]]))


def test_voltage_of_divalent_ions() -> None:
    assert open_circuit_voltage_V(0.0, -4.2, 2.0) == pytest.approx(2.1)
    assert fermi_level_eV(-4.2, 3.66, 2.0) == pytest.approx(-5.76)


def test_barrier_without_space_charge_is_the_work_function_less_the_affinity() -> None:
    work_function, mu = 4.4, -1.2
    metal = metal_neutral_potential_V(work_function, mu, METAL_eV)
    _, conduction, valence = band_edges(metal, 5.3, 6.0)
    level = fermi_level_eV(mu, METAL_eV)
    assert electron_barrier_eV(conduction, level) == pytest.approx(work_function - (5.3 - 6.0))
    assert hole_barrier_eV(valence, level) == pytest.approx(5.3 - work_function)
    # phi_0 of an insulator is Phi_metal − Phi − mu/z with Phi = IP − E_F as well
    bulk = neutral_bulk(
        symmetric(0.3), temperature_K=300.0, metal_work_function_eV=METAL_eV, mu_eV=mu
    )
    own = 5.3 - bulk.fermi_level_eV
    assert bulk.neutral_potential_V == pytest.approx(float(METAL_eV - own - mu))


def test_class_of_bands() -> None:
    straddling = contact_class(6.0, 4.0, 5.5, 2.0)
    staggered = contact_class(6.0, 2.0, 5.0, 2.0)
    broken = contact_class(6.0, 1.0, 4.5, 1.0)
    assert [int(straddling), int(staggered), int(broken)] == [1, 2, 3]
    assert int(contact_class(6.0, 2.0, 5.0, 2.0, dipole_V=1.0)) == 1


def test_two_metals_carry_no_model_charge() -> None:
    found = contact(Metal([0.0, 1.0]), Metal(2.0))
    assert found.potential_drop_V == pytest.approx([2.0, 1.0])
    assert np.all(np.isnan(found.sheet_charge_e_nm2))
