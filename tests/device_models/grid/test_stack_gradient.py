"""Exact derivatives of a stack's resistance: against differences, and against analytic limits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interohm.device_models import half_space, log_current_slopes_per_V, neutral_bulk
from interohm.device_models.bulk import Bulk
from interohm.device_models.constants import CM3_PER_NM3, NM_CM, VACUUM_PERMITTIVITY_E_V_NM
from interohm.device_models.exchange_current import exchange_current_A_cm2
from interohm.device_models.grid.gradient import stack_gradient
from interohm.device_models.grid.solution import Stack
from interohm.device_models.grid.stack import solve_stack
from interohm.device_models.grid.stack_layer import StackLayer
from interohm.device_models.phase import Metal, Phase
from interohm.device_models.resistance import (
    side_depletion_ohm_cm2,
    side_depletion_slope_ohm_cm2_V,
)

METAL_EV = 3.0


def phase(
    *, level_eV: float = 2.0, energy_eV: float = 0.4, dielectric: float = 10.0, **fields: Any
) -> Phase:
    """A vacancy and an interstitial of an ion of charge 1, whose neutral level is given."""
    return Phase(
        ionization_potential_eV=6.0,
        band_gap_eV=5.0,
        dielectric_constant=dielectric,
        charge=np.array([-1.0, 1.0]),
        ion_change=np.array([-1.0, 1.0]),
        formation_energy_eV=np.array([energy_eV + level_eV, energy_eV - level_eV]),
        site_density_cm3=2e22,
        migration_energy_eV=np.array([0.3, 0.35]),
        hop_distance_nm=0.3,
        **fields,
    )


def bulk(**fields: Any) -> Bulk:
    return neutral_bulk(phase(**fields), temperature_K=300.0, metal_work_function_eV=METAL_EV)


_SLOPE_STEPS = {
    "thickness": 1e-2,
    "fixed_charge_cm3": 2e17,
    "charge_gradient_cm3": 5e17,
    "susceptibility": 0.1,
}


def graded(thickness_nm: Any, mean_cm3: Any, gradient_cm3: Any) -> Any:
    """Doping that is linear along layers (B,)."""
    thickness, mean, gradient = (
        np.asarray(one)[..., None] for one in (thickness_nm, mean_cm3, gradient_cm3)
    )
    return lambda x: mean + gradient * (x / thickness - 0.5)


class _Case:
    """Two layers between a metal and a thick phase, with resistances of all kinds."""

    def __init__(self, energy_eV: float, level_eV: float, logs: tuple[float, float]) -> None:
        self.bulks = [
            bulk(energy_eV=energy_eV, level_eV=level_eV, electrons=False),
            bulk(energy_eV=0.3, level_eV=2.2, dielectric=20.0, electrons=False),
        ]
        self.right = bulk(energy_eV=0.35, level_eV=1.9, electrons=False)
        self.values = {
            "thickness": np.array(logs),
            "fixed_charge_cm3": np.array([1e18, -3e18]),
            "charge_gradient_cm3": np.array([2e18, 1e18]),
            "susceptibility": np.array([0.0, 2.0]),
        }

    def solved(self, values: dict[str, np.ndarray]) -> Stack:
        """Solve stacks with values (B, 2)."""
        layers = []
        for k, one in enumerate(self.bulks):
            thickness = np.exp(values["thickness"][:, k])
            doping = (values[name][:, k] for name in ("fixed_charge_cm3", "charge_gradient_cm3"))
            layers.append(
                StackLayer(
                    one,
                    thickness,
                    fixed_charge_cm3=graded(thickness, *doping),
                    susceptibility=values["susceptibility"][:, k],
                )
            )
        return solve_stack(
            Metal(0.4), layers, self.right, dipole_V=[0.0, 0.1, -0.05], tolerance=1e-9
        )

    def total(self, stack: Stack) -> tuple[np.ndarray, list[np.ndarray]]:
        """Return a sum of all kinds of resistances, and its slopes with phi of the contacts."""
        ends = [(one.phi_V[..., 0], one.phi_V[..., -1]) for one in stack.layers]
        side = half_space(self.right, ends[1][1] - 0.05)
        pair = (self.bulks[0], ends[0][1], self.bulks[1], ends[1][0])
        transfer = 1e-3 / exchange_current_A_cm2(*pair)
        rest = transfer + side_depletion_ohm_cm2(side, None)
        hop = -transfer * sum(log_current_slopes_per_V(*pair))
        slopes = [np.zeros_like(hop), hop, side_depletion_slope_ohm_cm2_V(side)]
        return stack.resistance_ohm_cm2 @ np.array([2.0, 1.0]) + rest, slopes


@settings(max_examples=4, deadline=None)
@given(
    energy_eV=st.floats(0.2, 0.6),
    level_eV=st.floats(1.5, 2.6),
    logs=st.tuples(st.floats(0.0, 3.0), st.floats(0.0, 3.0)),
)
def test_the_adjoint_is_what_differences_give(
    energy_eV: float, level_eV: float, logs: tuple[float, float]
) -> None:
    """Central differences with two steps, extrapolated to none (Richardson)."""
    case = _Case(energy_eV, level_eV, logs)
    moves = [(name, k) for name in _SLOPE_STEPS for k in range(2)]
    shares = np.array([1.0, -1.0, 0.5, -0.5])
    values = {
        name: np.tile(one, (1 + len(shares) * len(moves), 1)) for name, one in case.values.items()
    }
    for row, (name, k) in enumerate(moves):
        some = slice(1 + len(shares) * row, 1 + len(shares) * (row + 1))
        values[name][some, k] += shares * _SLOPE_STEPS[name]
    stack = case.solved(values)
    totals, slopes = case.total(stack)
    found = stack_gradient(stack, [2.0, 1.0], np.stack(slopes, axis=-1))
    up, down, half_up, half_down = totals[1:].reshape(len(moves), 4).T
    wide, narrow = (up - down) / 2.0, half_up - half_down
    expected = (4.0 * narrow - wide) / 3.0
    for row, (name, k) in enumerate(moves):
        # what a step changes
        change = getattr(found, name)[0, k] * _SLOPE_STEPS[name]
        assert change == pytest.approx(expected[row], rel=2e-4, abs=1e-7 * totals[0]), (name, k)


def _empty_bulk() -> Bulk:
    """A phase that holds almost no charge, so that the potential is that of the doping alone."""
    one = phase(energy_eV=1.0, electrons=False)
    return neutral_bulk(one, temperature_K=300.0, metal_work_function_eV=METAL_EV)


def test_without_screening_the_derivatives_are_integrals() -> None:
    """Between straight lines phi is known, and what a charge adds to it: sums by hand."""
    thickness, left, right = 4.0, -0.9, -0.7
    one = _empty_bulk()
    stack = solve_stack(Metal(left), [StackLayer(one, thickness)], Metal(right), tolerance=1e-10)
    found = stack_gradient(stack, [1.0], [0.0, 0.0])
    x, weights = np.polynomial.legendre.leggauss(40)
    x, weights = 0.5 * thickness * (1.0 + x), 0.5 * thickness * weights
    phi = left + (right - left) * x / thickness
    model = stack.problem.charge  # type: ignore[union-attr]
    sigma = model.conductivity_S_cm(phi[:, None, None, None]).ravel()
    slope = model.conductivity_slope(phi[:, None, None, None]).ravel()
    resistivity = -NM_CM * slope / sigma**2
    eps = VACUUM_PERMITTIVITY_E_V_NM * 10.0
    uniform = x * (thickness - x) / (2.0 * eps) * CM3_PER_NM3
    rising = (x**2 / 4.0 - x**3 / (6.0 * thickness) - x * thickness / 12.0) / eps * CM3_PER_NM3
    assert found.thickness[0] == pytest.approx(float(weights @ (NM_CM / sigma)), rel=1e-6)
    assert found.fixed_charge_cm3[0] == pytest.approx(
        float(weights @ (resistivity * uniform)), rel=1e-6
    )
    assert found.charge_gradient_cm3[0] == pytest.approx(
        float(weights @ (resistivity * rising)), rel=1e-6
    )
    # nothing that bends, nothing to polarize
    assert abs(found.susceptibility[0]) < 1e-6 * found.thickness[0]


def test_the_conductivity_slope_is_that_of_differences() -> None:
    stack = solve_stack(Metal(0.3), [StackLayer(bulk(), 3.0)], Metal(-0.4))
    model = stack.problem.charge  # type: ignore[union-attr]
    phi = np.linspace(-1.5, 1.5, 31)[:, None, None, None]
    step = 1e-5
    ahead, behind = (model.conductivity_S_cm(phi + by) for by in (step, -step))
    middle = model.conductivity_S_cm(phi)
    assert model.conductivity_slope(phi) / middle == pytest.approx(
        (ahead - behind) / (2.0 * step) / middle, rel=1e-6, abs=1e-6
    )


def test_a_gradient_alone_adds_no_charge() -> None:
    """Of a charge that is linear about zero, D at both ends is g L/12 between equal potentials."""
    thickness, gradient = 5.0, 1e18
    one = _empty_bulk()
    layer = StackLayer(one, thickness, fixed_charge_cm3=graded(thickness, 0.0, gradient))
    stack = solve_stack(Metal(-0.8), [layer], Metal(-0.8))
    (solved,) = stack.layers
    expected = gradient * CM3_PER_NM3 * thickness / 12.0
    assert stack.right_displacement_e_nm2[0] == pytest.approx(expected, rel=1e-6)
    assert stack.left_displacement_e_nm2[1] == pytest.approx(expected, rel=1e-6)
    assert abs(solved.charge_e_nm2) < 1e-6 * expected


def test_a_mirrored_gradient_gives_the_mirror_image() -> None:
    one, thickness = bulk(electrons=False), 6.0

    def solved(left: float, right: float, gradient: float) -> Stack:
        doping = graded(thickness, 2e18, gradient)
        return solve_stack(
            Metal(left), [StackLayer(one, thickness, fixed_charge_cm3=doping)], Metal(right)
        )

    ahead, back = solved(0.3, -0.2, 8e19), solved(-0.2, 0.3, -8e19)
    assert ahead.resistance_ohm_cm2 == pytest.approx(back.resistance_ohm_cm2, rel=1e-5)
    x = np.linspace(0.0, thickness, 50)
    first, second = (np.interp(x, one.x_nm, one.phi_V) for one in (ahead.layers[0], back.layers[0]))
    assert first == pytest.approx(second[::-1], abs=1e-3)
    # the other way round it is another layer
    assert abs(solved(0.3, -0.2, -8e19).resistance_ohm_cm2 / ahead.resistance_ohm_cm2 - 1.0) > 1e-3


def test_two_halves_of_a_gradient_are_the_whole() -> None:
    one, thickness, mean, gradient = bulk(electrons=False), 6.0, 1e19, 6e19
    whole = solve_stack(
        Metal(0.3),
        [StackLayer(one, thickness, fixed_charge_cm3=graded(thickness, mean, gradient))],
        Metal(-0.2),
    )
    half = thickness / 2.0
    halves = [
        StackLayer(
            one, half, fixed_charge_cm3=graded(half, mean + side * gradient / 4.0, gradient / 2.0)
        )
        for side in (-1.0, 1.0)
    ]
    parts = solve_stack(Metal(0.3), halves, Metal(-0.2))
    assert np.sum(parts.resistance_ohm_cm2) == pytest.approx(whole.resistance_ohm_cm2[0], rel=1e-5)
