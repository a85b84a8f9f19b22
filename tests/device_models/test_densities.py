"""Pressure and charge density against arbitrary precision, from 1 µV to 5 V."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interohm.device_models import Phase, neutral_bulk
from interohm.device_models.constants import BAND_DENSITY_CM3_K32, BOLTZMANN_EV_K

from .phases import METAL_eV, symmetric


def exact_field_squared(
    phase: Phase, temperature_K: float, level_eV: float, shift_V: float
) -> tuple[mpmath.mpf, mpmath.mpf]:
    """ΔΠ/(kT) and charge density, per cm³, straight from the formulas of physics.md."""
    kT = mpmath.mpf(BOLTZMANN_EV_K) * temperature_K

    def logs(level: mpmath.mpf) -> tuple[mpmath.mpf, mpmath.mpf]:
        pressure, charge = mpmath.mpf(0), mpmath.mpf(0)
        for group in phase.groups:
            weights = {
                d: mpmath.mpf(float(phase.degeneracy[d]))
                * mpmath.exp(
                    -(
                        mpmath.mpf(float(phase.formation_energy_eV[d]))
                        + mpmath.mpf(float(phase.charge[d])) * level
                    )
                    / kT
                )
                for d in group
            }
            alpha = mpmath.mpf(float(phase.saturation[group[0]]))
            sites = mpmath.mpf(float(phase.site_density_cm3[group[0]]))
            total = 1 + sum(weights.values()) / alpha
            pressure += alpha * sites * mpmath.log(total)
            charge += sum(float(phase.charge[d]) * w for d, w in weights.items()) * sites / total
        if phase.electrons:
            for mass, eta, sign in (
                (phase.electron_mass, (level - float(phase.band_gap_eV)) / kT, -1),
                (phase.hole_mass, -level / kT, 1),
            ):
                states = mpmath.mpf(BAND_DENSITY_CM3_K32) * (float(mass) * temperature_K) ** 1.5
                fugacity = -mpmath.exp(eta)
                pressure -= states * mpmath.re(mpmath.polylog(2.5, fugacity))
                charge -= sign * states * mpmath.re(mpmath.polylog(1.5, fugacity))
        return pressure, charge

    start, end = logs(mpmath.mpf(level_eV)), logs(mpmath.mpf(level_eV) + mpmath.mpf(shift_V))
    u = mpmath.mpf(shift_V) / kT
    return end[0] - start[0] + start[1] * u, end[1] - start[1]


def three_defects() -> Phase:
    """Two charge states on one sublattice, a vacancy on another, and frozen acceptors."""
    return Phase(
        ionization_potential_eV=5.0,
        band_gap_eV=4.0,
        dielectric_constant=12.0,
        charge=[1.0, 2.0, -1.0],
        ion_change=[1.0, 1.0, -1.0],
        formation_energy_eV=[-2.0, -4.1, 2.6],
        site_density_cm3=[1e22, 1e22, 5e22],
        degeneracy=[2.0, 1.0, 3.0],
        saturation=[0.5, 0.5, 1.0],
        sublattice=(0, 0, 1),
        electrons=False,
        frozen_charge_cm3=-1e19,
    )


def check(phase: Phase, temperature_K: float, shift_V: float, digits: int = 130) -> None:
    mpmath.mp.dps = digits
    bulk = neutral_bulk(phase, temperature_K=temperature_K, metal_work_function_eV=METAL_eV)
    flat = bulk.ravel()
    state = flat.thermodynamics()
    pressure, charge = state.evaluate(np.array([shift_V]) / state.kT_eV)
    want, want_charge = exact_field_squared(
        phase, temperature_K, float(bulk.fermi_level_eV), shift_V
    )
    kT = BOLTZMANN_EV_K * temperature_K
    assert float(pressure[0] * 1e21 / kT / want - 1) == pytest.approx(0.0, abs=1e-8)
    assert float(charge[0] * 1e21 / want_charge - 1) == pytest.approx(0.0, abs=1e-8)


@settings(deadline=None, max_examples=60)
@given(
    energy=st.floats(0.0, 2.0),
    temperature=st.floats(200.0, 1500.0),
    exponent=st.floats(-6.0, np.log10(5.0)),
    sign=st.sampled_from([-1.0, 1.0]),
    charge=st.sampled_from([1.0, 2.0, 3.0]),
    saturation=st.sampled_from([0.01, 0.1, 1.0]),
)
def test_symmetric_phase(
    energy: float, temperature: float, exponent: float, sign: float, charge: float, saturation: Any
) -> None:
    phase = symmetric(energy, saturation=saturation, charge=charge)
    check(phase, temperature, sign * 10.0**exponent)


@settings(deadline=None, max_examples=40)
@given(
    temperature=st.floats(200.0, 1500.0),
    exponent=st.floats(-6.0, np.log10(5.0)),
    sign=st.sampled_from([-1.0, 1.0]),
)
def test_shared_sublattice_with_dopants(temperature: float, exponent: float, sign: float) -> None:
    check(three_defects(), temperature, sign * 10.0**exponent)


@pytest.mark.parametrize(
    ("gap_eV", "temperature_K", "shift_V"),
    [(3.0, 300.0, 1e-6), (1.0, 600.0, 0.3), (1.0, 600.0, -1e-4), (0.8, 1500.0, -0.7)],
)
def test_with_electrons_and_holes(gap_eV: float, temperature_K: float, shift_V: float) -> None:
    """From bands that carry nothing to the Fermi level inside of a band."""
    phase = replace(three_defects(), electrons=True, band_gap_eV=gap_eV, electron_mass=0.3)
    check(phase, temperature_K, shift_V, digits=50)


@pytest.mark.parametrize("shift_V", [1e-6, -1e-3, 0.8, -3.0])
def test_many_defects_on_several_sublattices(shift_V: float) -> None:
    phase = Phase(
        ionization_potential_eV=5.0,
        band_gap_eV=4.0,
        dielectric_constant=12.0,
        charge=[1.0, 2.0, -1.0, -2.0, 3.0, -1.0, 1.0],
        ion_change=[1.0, 1.0, -1.0, -1.0, 1.5, -1.0, 1.0],
        formation_energy_eV=[-2.0, -4.1, 2.6, 4.9, -6.2, 2.4, -1.7],
        site_density_cm3=[1e22, 1e22, 5e22, 5e22, 2e21, 3e22, 1e22],
        degeneracy=[2.0, 1.0, 3.0, 1.0, 1.0, 6.0, 4.0],
        saturation=[0.5, 0.5, 1.0, 1.0, 0.05, 0.3, 0.5],
        sublattice=(0, 0, 1, 1, 2, 3, 0),
        electrons=False,
        frozen_charge_cm3=3e18,
    )
    check(phase, 350.0, shift_V)


def test_concentrations_saturate_at_alpha() -> None:
    bulk = neutral_bulk(three_defects(), temperature_K=300.0, metal_work_function_eV=METAL_eV)
    state = bulk.ravel().thermodynamics()
    far = state.concentrations_nm3(np.array([-150.0]))
    assert sum(float(one[0]) for one in far[:2]) == pytest.approx(0.5 * 10.0, rel=1e-12)
    # the doubly charged state wins far from neutrality, the vacancy disappears
    assert float(far[1][0] / far[0][0]) > 1e10
    assert float(far[2][0]) < 1e-30
