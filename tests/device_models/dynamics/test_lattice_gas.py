"""A lattice gas that hops, against site-exclusion profiles and the transient equations."""

from __future__ import annotations

import numpy as np
import pytest

from interohm.device_models import neutral_bulk
from interohm.device_models.constants import ELEMENTARY_CHARGE_C
from interohm.device_models.dynamics.finite_volumes import (
    Electrode,
    TransientStack,
    Volumes,
    equilibrium,
)
from interohm.device_models.dynamics.transient import run
from interohm.device_models.impedance.segment import charge_of
from interohm.device_models.phase import Phase

from ..phases import METAL_eV
from .lattice_gas import LatticeGas

KT = 8.617333262e-5 * 300.0
PLANES, SITES, FILLING, SPACING_nm = 12, 100, 0.3, 0.3
HOP_Hz = 1e9
"""Attempts times exp(−E_m/kT): the unit of time."""

DENSITY_cm3 = 1e21
EPSILON = 10.0


def phase() -> Phase:
    """One interstitial on all sites, and a background that a share of 0.3 makes neutral."""
    return Phase(
        ionization_potential_eV=5.0,
        band_gap_eV=6.0,
        dielectric_constant=EPSILON,
        charge=[1.0],
        ion_change=[1.0],
        formation_energy_eV=np.array([-2.0]),
        site_density_cm3=np.array([DENSITY_cm3]),
        saturation=np.array([1.0]),
        migration_energy_eV=np.array([0.0]),
        attempt_frequency_Hz=np.array([HOP_Hz]),
        hop_distance_nm=np.array([SPACING_nm]),
        diffusion_prefactor=np.array([1.0]),
        electrons=False,
        frozen_charge_cm3=np.asarray(-FILLING * DENSITY_cm3),
    )


def continuum(drop_V: float) -> TransientStack:
    """The same planes as the nodes of a layer, the first and the last with half of a volume."""
    bulk = neutral_bulk(phase(), temperature_K=300.0, metal_work_function_eV=METAL_eV).ravel()
    neutral = float(bulk.neutral_potential_V[0])
    eps = float(bulk.thermodynamics().permittivity_e_V_nm[0])
    x = np.arange(PLANES) * SPACING_nm
    layer = Volumes(x, np.full(x.size - 1, eps), np.zeros(x.size - 1), charge_of(bulk), (x.size, 1))
    return TransientStack(
        Electrode(neutral + drop_V / 2.0),
        [layer],
        Electrode(neutral - drop_V / 2.0),
        np.zeros(2),
        np.zeros(2),
        [None, None],
    )


def lattice(drop_V: float, seed: int) -> LatticeGas:
    """All planes at their mean filling."""
    per_area = DENSITY_cm3 * 1e-21 * SPACING_nm / SITES
    stiffness = 0.0552634936 * EPSILON / SPACING_nm * KT / per_area
    sites = np.full(PLANES, SITES)
    sites[[0, -1]] //= 2
    ends = (drop_V / (2.0 * KT), -drop_V / (2.0 * KT))
    counts = np.round(FILLING * sites).astype(int)
    return LatticeGas(counts, sites, FILLING, stiffness, ends, np.random.default_rng(seed))


def test_occupations_follow_fermi_and_dirac() -> None:
    gas = lattice(0.2, seed=7)
    gas.run(20.0)
    sums, start = np.zeros(PLANES), gas.time
    potential = np.zeros(PLANES)
    for _ in range(60):
        gas.run(gas.time + 1.0, sums)
        potential += gas.potential / 60.0
    found = sums / ((gas.time - start) * gas.sites)
    # theta/(1 − theta) ∝ exp(−phi/kT) at all planes, the constant by the number of ions
    level = np.log(found / (1.0 - found)) + potential
    assert np.std(level[1:-1]) < 0.06
    assert np.sum(sums) == pytest.approx(np.sum(gas.counts) * 60.0, rel=1e-9)
    assert found[-1] - found[0] > 0.3


def test_charging_is_that_of_the_transient_equations() -> None:
    drop, seeds = 0.08, 6
    moments = np.linspace(1.0, 14.0, 14)
    places = np.arange(PLANES)
    kinetic = np.zeros(moments.size)
    for seed in range(seeds):
        gas = lattice(drop, seed)
        first = gas.counts @ places
        for k, moment in enumerate(moments):
            gas.run(float(moment))
            kinetic[k] += (gas.counts @ places - first) / (seeds * SITES)
    rest = continuum(0.0)
    neutral = rest.left.neutral_potential_V
    start = equilibrium(rest, np.full(PLANES, neutral))
    stack = continuum(drop)
    found = run(stack, start, moments / HOP_Hz, hold_V=0.0, scale_e_nm2=1e-3)
    expected = (found.density_e_nm3 * stack.volume_nm) @ places
    expected /= DENSITY_cm3 * 1e-21 * SPACING_nm
    # 3 ions of thermal noise among 28 that move in each run
    assert np.max(np.abs(kinetic / kinetic[-1] - expected / expected[-1])) < 0.15
    assert np.mean(kinetic / expected) == pytest.approx(1.0, abs=0.1)


def test_units_of_the_continuum() -> None:
    bulk = neutral_bulk(phase(), temperature_K=300.0, metal_work_function_eV=METAL_eV)
    mobile = DENSITY_cm3 * FILLING * (1.0 - FILLING)
    diffusivity = HOP_Hz * (SPACING_nm * 1e-7) ** 2
    expected = ELEMENTARY_CHARGE_C * diffusivity * mobile / KT
    assert float(bulk.conductivity_S_cm) == pytest.approx(expected, rel=1e-9)
