"""A depleted contact of one mobile carrier and frozen charge: Mott, Schottky and Dawson."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq

from interohm.device_models import BOLTZMANN_EV_K, Bulk, HalfSpace, Phase, half_space, neutral_bulk
from interohm.device_models.constants import CM3_PER_NM3, NM_CM, VACUUM_PERMITTIVITY_E_V_NM
from interohm.device_models.extrinsic import depleted_resistivity_ratio
from interohm.device_models.finite_current import apparent_activation_energy_eV

from .phases import METAL_eV

MIGRATION_eV, CARRIERS_cm3, EPSILON = 0.35, 1e20, 12.0


def bulk_of(temperature_K: Any, charge: float = 1.0) -> Bulk:
    """One mobile defect, a hundredth of its sites, and frozen charge that balances it."""
    phase = Phase(
        ionization_potential_eV=6.0,
        band_gap_eV=5.0,
        dielectric_constant=EPSILON,
        charge=[charge],
        ion_change=[1.0],
        formation_energy_eV=[-1.0],
        site_density_cm3=[1e2 * CARRIERS_cm3],
        migration_energy_eV=[MIGRATION_eV],
        hop_distance_nm=[0.3],
        electrons=False,
        frozen_charge_cm3=-charge * CARRIERS_cm3,
    )
    return neutral_bulk(
        phase,
        temperature_K=temperature_K,
        metal_work_function_eV=METAL_eV,
        ion_charge=charge,
    )


def depleted(drop_V: float, temperature_K: Any, charge: float = 1.0) -> HalfSpace:
    bulk = bulk_of(temperature_K, charge)
    return half_space(bulk, bulk.neutral_potential_V + drop_V)


def apparent_eV(drop_V: float, charge: float = 1.0) -> float:
    temperatures = np.linspace(290.0, 310.0, 21)
    resistance = depleted(drop_V, temperatures, charge).depletion_ohm_cm2
    return float(apparent_activation_energy_eV(resistance, temperatures)[10])


@pytest.mark.parametrize("charge", [1.0, 2.0])
@pytest.mark.parametrize("drop", [0.2, 0.3, 0.5, 0.8])
def test_activation_energy_of_a_depleted_contact(drop: float, charge: float) -> None:
    kT = BOLTZMANN_EV_K * 300.0
    assert apparent_eV(drop, charge) == pytest.approx(MIGRATION_eV + charge * drop - kT, abs=0.005)


@pytest.mark.parametrize("drop", [0.3, 0.5, 1.0])
def test_resistance_of_a_depleted_contact(drop: float) -> None:
    """R = (w/sigma)·[exp(a) D(sqrt a)/sqrt a − 1], w = sqrt(2 eps drop/(e c))."""
    found = depleted(drop, 300.0)
    permittivity = VACUUM_PERMITTIVITY_E_V_NM * EPSILON
    width_nm = np.sqrt(2.0 * permittivity * drop / (CARRIERS_cm3 * CM3_PER_NM3))
    ratio = float(depleted_resistivity_ratio(drop, 300.0))
    expected = width_nm * NM_CM / float(found.bulk.conductivity_S_cm) * (ratio - 1.0)
    # carriers that are left at the edge of the depleted zone: kT in the drop
    kT = BOLTZMANN_EV_K * 300.0
    assert found.depletion_ohm_cm2 == pytest.approx(expected, rel=1.5 * kT / drop)


def test_the_drop_that_raises_the_activation_energy_by_a_fifth_of_an_eV() -> None:
    """0.315 to 0.515 eV with a space charge (LiV2O5 on LAGP): 0.226 V of depletion."""
    kT = BOLTZMANN_EV_K * 300.0
    drop = brentq(lambda v: apparent_eV(v) - MIGRATION_eV - 0.20, 0.05, 0.5, xtol=1e-4)
    assert drop == pytest.approx(0.20 + kT, abs=0.005)
    # by Dawson's function alone
    temperatures = np.linspace(290.0, 310.0, 21)
    ratio = depleted_resistivity_ratio(0.226, temperatures)
    assert apparent_activation_energy_eV(ratio * temperatures, temperatures)[10] == pytest.approx(
        0.198, abs=0.002
    )
