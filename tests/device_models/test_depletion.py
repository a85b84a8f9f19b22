"""The part of a space charge's resistance that cannot be negative, by independent integrals."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from interohm.device_models import (
    Bulk,
    Metal,
    StackLayer,
    grid_depletion_ohm_cm2,
    half_space,
    layer,
    layer_depletion_ohm_cm2,
    neutral_bulk,
    solve_stack,
)

from .phases import METAL_eV, symmetric

#: The second carrier is slower: the phase conducts worse before it conducts better.
UNEQUAL = {"migration_energy_eV": np.array([0.4, 0.3])}


def bulk_of(energy: float = 0.3, temperature_K: float = 300.0, **fields: Any) -> Bulk:
    return neutral_bulk(
        symmetric(energy, **fields), temperature_K=temperature_K, metal_work_function_eV=METAL_eV
    )


def sigma_at(bulk: Bulk, potential_V: float) -> float:
    state = bulk.ravel((1,)).thermodynamics()
    u = (potential_V - bulk.neutral_potential_V) / bulk.kT_eV
    return float(state.evaluate_conduction(np.array([u]).ravel())[1][0])


def integral_by_quad(bulk: Bulk, contact_V: float, nearest_V: float = 0.0) -> float:
    """∫ max(1/sigma − 1/sigma_bulk, 0) dphi/|phi'| by SciPy, kinks found by bisection."""
    neutral, kT = float(bulk.neutral_potential_V), float(bulk.kT_eV)
    state = bulk.ravel((1,)).thermodynamics()
    resistivity = 1.0 / float(bulk.conductivity_S_cm)
    ends = np.linspace(nearest_V or 1e-9, abs(contact_V - neutral), 4001)
    sign = np.sign(contact_V - neutral)

    def excess(v: float) -> tuple[float, float]:
        u = np.array([sign * v / kT])
        pressure, sigma = state.evaluate_conduction(u)
        field = np.sqrt(2.0 * pressure[0] / state.permittivity_e_V_nm[0])
        return 1.0 / sigma[0] - resistivity, 1.0 / field

    signs = np.sign([excess(v)[0] for v in ends])
    breaks = [ends[0]]
    for k in np.flatnonzero(signs[:-1] * signs[1:] < 0.0):
        low, high = ends[k], ends[k + 1]
        for _ in range(60):
            middle = 0.5 * (low + high)
            if np.sign(excess(middle)[0]) == signs[k]:
                low = middle
            else:
                high = middle
        breaks.append(low)
    breaks.append(ends[-1])
    total = 0.0
    for a, b in pairwise(breaks):
        if excess(0.5 * (a + b))[0] > 0.0:
            total += quad(
                lambda v: excess(v)[0] * excess(v)[1], a, b, epsrel=1e-11, epsabs=0, limit=400
            )[0]
    return total * 1e-7


@pytest.mark.parametrize("drop", [-0.6, -0.2, -0.02, 0.02, 0.1, 0.25, 0.6])
def test_depletion_is_the_positive_part_of_the_integral(drop: float) -> None:
    bulk = bulk_of(0.3, **UNEQUAL)
    found = half_space(bulk, float(bulk.neutral_potential_V) + drop)
    expected = integral_by_quad(bulk, float(found.contact_potential_V))
    assert found.depletion_ohm_cm2 == pytest.approx(expected, rel=1e-6, abs=1e-18)


def test_both_signs_occur_in_one_profile() -> None:
    """The faster carrier is depleted, then the slower one accumulates: the integral is split."""
    bulk = bulk_of(0.3, **UNEQUAL)
    found = half_space(bulk, float(bulk.neutral_potential_V) - 0.3)
    assert found.depletion_ohm_cm2 > 0.0
    assert found.space_charge_ohm_cm2 < found.depletion_ohm_cm2 * (1.0 - 1e-3)


@settings(deadline=None, max_examples=60)
@given(
    drop=st.floats(-1.0, 1.0),
    energy=st.floats(-0.05, 0.5),
    barriers=st.tuples(st.floats(0.1, 0.6), st.floats(0.1, 0.6)),
    temperature=st.floats(200.0, 800.0),
)
def test_what_is_left_is_accumulation(
    drop: float, energy: float, barriers: tuple[float, float], temperature: float
) -> None:
    bulk = bulk_of(energy, temperature, migration_energy_eV=np.array(barriers))
    found = half_space(bulk, float(bulk.neutral_potential_V) + drop)
    scale = float(bulk.debye_length_nm) * 1e-7 / float(bulk.conductivity_S_cm)
    assert found.depletion_ohm_cm2 >= 0.0
    accumulation = found.space_charge_ohm_cm2 - found.depletion_ohm_cm2
    assert accumulation <= 1e-7 * found.depletion_ohm_cm2 + 1e-10 * scale


def test_depletion_of_one_sign_is_the_whole_space_charge() -> None:
    bulk = bulk_of(0.4, migration_energy_eV=np.array([0.3, np.nan]))
    depleted = half_space(bulk, float(bulk.neutral_potential_V) + 0.3)
    assert depleted.depletion_ohm_cm2 == pytest.approx(float(depleted.space_charge_ohm_cm2))
    filled = half_space(bulk, float(bulk.neutral_potential_V) - 0.2)
    assert filled.space_charge_ohm_cm2 < 0.0
    assert filled.depletion_ohm_cm2 == pytest.approx(0.0, abs=1e-18)


def test_depletion_within_a_distance() -> None:
    bulk = bulk_of(0.3, **UNEQUAL)
    found = half_space(bulk, float(bulk.neutral_potential_V) + np.array([0.3, -0.3]))
    far = found.depletion_within_ohm_cm2(1e4)
    assert far == pytest.approx(found.depletion_ohm_cm2, rel=1e-7)
    near_nm = np.array([2.0, 3.0])
    for k in range(2):
        phi = float(found.potential_V(near_nm[:, None])[k, 0])
        rest = abs(phi - float(bulk.neutral_potential_V))
        expected = integral_by_quad(bulk, float(found.contact_potential_V[k]), rest)
        assert found.depletion_within_ohm_cm2(near_nm)[k] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("ends", [(0.3, -0.2), (-0.3, -0.2), (0.02, -0.4), (-0.3, -0.3)])
@pytest.mark.parametrize("thickness", [2.0, 20.0, 400.0])
def test_layer_and_grid_agree_and_end_in_half_spaces(
    ends: tuple[float, float], thickness: float
) -> None:
    bulk = bulk_of(0.3, **UNEQUAL)
    neutral = float(bulk.neutral_potential_V)
    left_V, right_V = (neutral + end for end in ends)
    first = layer(bulk, left_V, right_V, thickness)
    found = layer_depletion_ohm_cm2(first)
    stack = solve_stack(Metal(left_V), [StackLayer(bulk, thickness)], Metal(right_V))
    grid = grid_depletion_ohm_cm2(stack.layers[0], bulk.conductivity_S_cm)
    # rounding of the grid's potentials, over the whole bulk
    assert grid == pytest.approx(found, rel=2e-6, abs=1e-7 * float(first.resistance_ohm_cm2))
    if thickness > 100.0:
        sides = [float(half_space(bulk, end).depletion_ohm_cm2) for end in (left_V, right_V)]
        assert found == pytest.approx(sides, rel=1e-6, abs=1e-15)


def test_parts_of_a_layer_add_up() -> None:
    """Without accumulation, both halves and the bulk are the resistance of the layer."""
    bulk = bulk_of(0.4, migration_energy_eV=np.array([0.3, np.nan]))
    neutral = float(bulk.neutral_potential_V)
    found = layer(bulk, neutral + 0.3, neutral + 0.1, 7.0)
    rest = 7.0e-7 / float(bulk.conductivity_S_cm)
    total = float(np.sum(layer_depletion_ohm_cm2(found)))
    assert total + rest == pytest.approx(float(found.resistance_ohm_cm2), rel=1e-7)


def test_a_batch_and_its_members() -> None:
    bulk = bulk_of(np.array([0.2, 0.3, 0.4]), **UNEQUAL)  # type: ignore[arg-type]
    neutral = bulk.neutral_potential_V
    found = layer_depletion_ohm_cm2(layer(bulk, neutral + 0.2, neutral - 0.1, 6.0))
    stack = solve_stack(Metal(neutral + 0.2), [StackLayer(bulk, 6.0)], Metal(neutral - 0.1))
    grid = grid_depletion_ohm_cm2(stack.layers[0], bulk.conductivity_S_cm)
    for k in range(3):
        one = layer_depletion_ohm_cm2(layer(bulk[k], neutral[k] + 0.2, neutral[k] - 0.1, 6.0))
        assert found[k] == pytest.approx(one, rel=1e-8)
        assert grid[k] == pytest.approx(one, rel=1e-6)
