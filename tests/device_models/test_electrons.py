"""Electrons at contacts: pinning and thermionic leakage."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import constants

from interohm.device_models.constants import BOLTZMANN_EV_K
from interohm.device_models.electrons import (
    RICHARDSON_A_CM2_K2,
    Leakage,
    layer_leakage,
    pinning_dipole_V,
)

WORK = st.floats(1.0, 8.0)


def test_richardson_constant() -> None:
    mass, charge, boltzmann = constants.m_e, constants.e, constants.k
    expected = 4 * np.pi * charge * mass * boltzmann**2 / constants.h**3
    assert pytest.approx(expected * 1e-4, rel=1e-8) == RICHARDSON_A_CM2_K2


@given(metal=WORK, neutrality=WORK, affinity=st.floats(0.0, 4.0), factor=st.floats(0.0, 1.0))
def test_pinning_moves_the_barrier_from_the_metal_to_the_neutrality_level(
    metal: float, neutrality: float, affinity: float, factor: float
) -> None:
    # no space charge: the insulator's vacuum level is the metal's minus Delta
    dipole = pinning_dipole_V(factor, metal, neutrality)
    barrier = (-affinity - dipole) - (-metal)
    expected = factor * (metal - affinity) + (1.0 - factor) * (neutrality - affinity)
    assert barrier == pytest.approx(expected, abs=1e-12)


def test_leakage_over_the_highest_point() -> None:
    thermal = BOLTZMANN_EV_K * 400.0
    bend = np.array([0.0, 0.4, -0.2])
    leakage = layer_leakage(
        -1.0 + bend, -6.0 + bend, np.array([-2.0]), temperature_K=400.0, electron_mass=0.5
    )
    assert leakage.electron_barrier_eV == pytest.approx(1.4)
    assert leakage.hole_barrier_eV == pytest.approx(4.2)
    electrons = 0.5 * RICHARDSON_A_CM2_K2 * 400.0**2 * np.exp(-1.4 / thermal)
    assert leakage.emission_A_cm2 == pytest.approx(electrons, rel=1e-9)
    assert leakage.resistance_ohm_cm2 == pytest.approx(thermal / electrons, rel=1e-9)


def test_no_barrier_is_no_amplifier() -> None:
    leakage = Leakage(np.array([-0.5, 0.0]), 5.0, 300.0)
    assert leakage.emission_A_cm2 == pytest.approx([RICHARDSON_A_CM2_K2 * 9e4] * 2)


def test_bias() -> None:
    leakage = Leakage(np.array([0.8, 1.2]), np.array([3.0, 0.9]), 300.0, hole_mass=2.0)
    assert np.all(leakage.current_A_cm2(0.0) == 0.0)
    # ohmic at first, saturated above a few kT; against the bias, detailed balance
    assert leakage.current_A_cm2(1e-9) == pytest.approx(1e-9 / leakage.resistance_ohm_cm2)
    assert leakage.current_A_cm2(1.0) == pytest.approx(leakage.emission_A_cm2)
    ratio = leakage.current_A_cm2(0.1) / leakage.current_A_cm2(-0.1)
    assert ratio == pytest.approx(-np.exp(-0.1 / (BOLTZMANN_EV_K * 300.0)))


def test_every_layer_leaks() -> None:
    diagram = np.random.default_rng(0).normal(size=(4, 5, 11))
    leakage = layer_leakage(diagram + 1.0, diagram - 4.0, np.zeros(1), temperature_K=300.0)
    assert leakage.resistance_ohm_cm2.shape == (4, 5)
    one = layer_leakage(diagram[2, 3] + 1.0, diagram[2, 3] - 4.0, np.zeros(1), temperature_K=300.0)
    assert leakage.resistance_ohm_cm2[2, 3] == pytest.approx(one.resistance_ohm_cm2)
