"""A half-space to eight digits: integrals of formulas in arbitrary precision, and solve_bvp."""

from __future__ import annotations

from dataclasses import replace

import mpmath
import numpy as np
import pytest
from scipy.integrate import solve_bvp

from interohm.device_models import Phase, conductivity_S_cm, half_space, neutral_bulk
from interohm.device_models.constants import BOLTZMANN_EV_K, VACUUM_PERMITTIVITY_E_V_NM
from interohm.device_models.phase import Array

from ..phases import METAL_eV, reference_bulk, symmetric
from ..test_densities import exact_field_squared, three_defects

NODES, WEIGHTS = np.polynomial.legendre.leggauss(10)
HOPS = {"migration_energy_eV": [0.3, np.nan, 0.4], "hop_distance_nm": 0.25}


def panels(low: float, high: float) -> tuple[Array, Array]:
    """Gauss–Legendre nodes and weights; panels grow with the place, up to half of kT."""
    ends = [high]
    while ends[-1] > low:
        ends.append(max(low, ends[-1] - min(0.5, 0.2 * ends[-1])))
        if ends[-1] < 1e-3 * high:
            ends.append(low)
    edges = np.array(ends[::-1])
    half = np.diff(edges)[:, None] / 2.0
    return (edges[:-1, None] + half * (1.0 + NODES)).ravel(), (half * WEIGHTS).ravel()


@pytest.mark.parametrize(
    ("phase", "temperature_K", "drop_V"),
    [
        (symmetric(0.0), 300.0, 1e-6),
        (symmetric(0.35), 300.0, -0.3),
        (symmetric(2.0), 1500.0, 5.0),
        (symmetric(1.0, charge=2.0), 900.0, -0.8),
        (replace(three_defects(), **HOPS), 200.0, 0.4),
        (replace(three_defects(), **HOPS), 600.0, -1.5),
    ],
)
def test_distances_and_resistance(phase: Phase, temperature_K: float, drop_V: float) -> None:
    mpmath.mp.dps = 50
    bulk = neutral_bulk(phase, temperature_K=temperature_K, metal_work_function_eV=METAL_eV)
    found = half_space(bulk, bulk.neutral_potential_V + drop_V)
    kT = BOLTZMANN_EV_K * temperature_K
    permittivity = VACUUM_PERMITTIVITY_E_V_NM * float(phase.dielectric_constant)
    largest = abs(float(found.contact_potential_V - bulk.neutral_potential_V)) / kT
    level = float(bulk.fermi_level_eV)
    state = bulk.ravel().thermodynamics()

    def slope_nm(u: float) -> float:
        shift = np.sign(drop_V) * u * kT
        squared = exact_field_squared(phase, temperature_K, level, float(shift))[0]
        return kT * float(mpmath.sqrt(permittivity / (2 * kT * squared * mpmath.mpf("1e-21"))))

    end = kT / slope_nm(largest)
    assert abs(found.sheet_charge_e_nm2) == pytest.approx(permittivity * end, rel=1e-8)
    for share, distance in ((0.5, found.x50_nm), (0.1, found.x90_nm), (0.01, found.x99_nm)):
        places, weights = panels(share * largest, largest)
        exact = sum(w * slope_nm(u) for u, w in zip(places, weights, strict=True))
        assert distance == pytest.approx(exact, rel=1e-8)
    places, weights = panels(0.0, largest)
    concentrations = np.stack(state.concentrations_nm3(np.sign(drop_V) * places), axis=-1) * 1e21
    sigma = conductivity_S_cm(bulk, concentrations)
    excess = 1.0 / sigma - 1.0 / float(bulk.conductivity_S_cm)
    exact = np.sum(weights * [slope_nm(u) for u in places] * excess) * 1e-7
    # a difference of two resistances: it has the digits of theirs
    whole = float(found.x99_nm / bulk.conductivity_S_cm) * 1e-7
    assert found.space_charge_ohm_cm2 == pytest.approx(exact, rel=1e-8, abs=1e-12 * whole)


@pytest.mark.parametrize("drop_V", [0.05, -0.4])
def test_solve_bvp(drop_V: float) -> None:
    """Held at the contact, neutral twenty-five Debye lengths beyond x99."""
    bulk = reference_bulk("LLZO")
    found = half_space(bulk, bulk.neutral_potential_V + drop_V)
    state = bulk.ravel().thermodynamics()
    permittivity = 50.0 * VACUUM_PERMITTIVITY_E_V_NM

    def slopes(_: Array, y: Array) -> Array:
        charge = state.evaluate(y[0][:, None] / state.kT_eV)[1].ravel()
        return np.array([y[1], -charge / permittivity])

    length = float(found.x99_nm + 25.0 * bulk.debye_length_nm)
    x = np.concatenate([[0.0], np.geomspace(1e-3, 1.0, 200)]) * length
    start = drop_V * np.exp(-x / float(found.x50_nm))
    exact = solve_bvp(
        slopes,
        lambda a, b: np.array([a[0] - drop_V, b[0]]),
        x,
        np.array([start, -start / float(found.x50_nm)]),
        tol=1e-10,
        max_nodes=100_000,
    )
    assert exact.success
    assert found.sheet_charge_e_nm2 == pytest.approx(permittivity * exact.y[1, 0], rel=1e-7)
    for share, distance in ((0.5, found.x50_nm), (0.1, found.x90_nm), (0.01, found.x99_nm)):
        assert exact.sol(float(distance))[0] == pytest.approx(share * drop_V, rel=1e-5)
