"""Measures of how far a continuum of mean fields holds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import constants

from interohm.device_models import (
    BOLTZMANN_EV_K,
    coulomb_coupling,
    filling,
    neutral_bulk,
    shortest_hop_nm,
)

from .phases import METAL_eV, reference_bulk, symmetric


def test_coulomb_coupling_in_SI() -> None:
    """LLZO: a Bjerrum length of 1.11 nm over a distance of 0.44 nm."""
    bulk = reference_bulk("LLZO")
    bjerrum = constants.e**2 / (4 * np.pi * constants.epsilon_0 * 50 * constants.k * 300.0)
    distance = (3.0 / (4.0 * np.pi * float(bulk.concentrations_cm3[0]) * 1e6)) ** (1 / 3)
    assert coulomb_coupling(bulk) == pytest.approx(bjerrum / distance, rel=1e-6)
    assert coulomb_coupling(bulk) == pytest.approx(2.5, abs=0.05)


def test_divalent_ions_couple_four_times_as_strongly() -> None:
    single, double = (
        neutral_bulk(
            symmetric(0.3, charge=charge),
            temperature_K=300.0,
            metal_work_function_eV=METAL_eV,
            ion_charge=charge,
        )
        for charge in (1.0, 2.0)
    )
    assert coulomb_coupling(double) == pytest.approx(4.0 * float(coulomb_coupling(single)))


def test_filling_of_the_fullest_sublattice() -> None:
    bulk = neutral_bulk(
        symmetric(0.2, saturation=0.1), temperature_K=300.0, metal_work_function_eV=METAL_eV
    )
    kT = BOLTZMANN_EV_K * 300.0
    for drop in (0.0, 0.1, -0.4):
        weight = np.exp(-(0.2 - abs(drop)) / kT) / 0.1
        found = filling(bulk, bulk.neutral_potential_V + drop)
        assert found == pytest.approx(weight / (1.0 + weight), rel=1e-9)


def test_shortest_hop_is_of_those_that_conduct() -> None:
    bulk = neutral_bulk(
        symmetric(
            0.2,
            hop_distance_nm=np.array([0.3, 0.2]),
            migration_energy_eV=np.array([0.3, np.nan]),
        ),
        temperature_K=300.0,
        metal_work_function_eV=METAL_eV,
    )
    assert shortest_hop_nm(bulk) == pytest.approx(0.3)
