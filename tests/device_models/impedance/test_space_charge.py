"""Layers with space charges: limits of low and high frequency, and an independent solution."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from interohm.device_models import (
    CAPACITANCE_UF_CM2,
    Bulk,
    Chain,
    Crossing,
    GradedProfile,
    HalfSpace,
    Metal,
    Segment,
    StackLayer,
    electrode_bulk,
    electrode_segment,
    half_space,
    layer,
    layer_segment,
    solve_chain,
    solve_stack,
    thick_layer,
)
from interohm.device_models.impedance.segment import middle_segment
from interohm.device_models.phase import Array

from ..stack_phases import reference, symmetric
from .uniform import FARAD_CM

FREQUENCIES = np.geomspace(1e-3, 1e7, 51)
METAL_eV = 3.0


def _ends(bulk: Bulk, left_V: float, right_V: float) -> tuple[HalfSpace, HalfSpace]:
    flat = bulk.ravel((1,))
    left, right = (half_space(flat, flat.neutral_potential_V + drop) for drop in (left_V, right_V))
    return left, right


def _chain(parts: list[Segment], *transfers: float, blocked: bool = False) -> Chain:
    first, last = (Crossing(np.array([r]), blocked=blocked) for r in transfers)
    return Chain([first, *parts, last])


def _z(chain: Chain) -> Array:
    return np.asarray(solve_chain(chain, 1e-3, 1e7).impedance_ohm_cm2(FREQUENCIES)[0])


DROPS = st.floats(-1.5, 1.5)


@settings(deadline=None, max_examples=25)
@given(
    left=DROPS,
    right=DROPS,
    energy=st.floats(0.0, 0.5),
    log_sites=st.floats(20.0, 22.5),
    saturation=st.floats(0.01, 1.0),
    room=st.floats(0.0, 5.0),
)
def test_thick_layer_at_both_ends_of_the_frequencies(
    left: float, right: float, energy: float, log_sites: float, saturation: float, room: float
) -> None:
    bulk = symmetric(0.3, energy, 10.0**log_sites, saturation=saturation)
    ends = _ends(bulk, left, right)
    least = ends[0].x99_nm + ends[1].x99_nm + 10.0 * bulk.debye_length_nm
    thickness = least * (1.0 + 10.0**room)
    parts = thick_layer(*ends, thickness)
    whole = sum(part.length_nm for part in parts)
    assert whole == pytest.approx(thickness, rel=1e-9)
    # the cell's own resistance where nothing blocks: what is slower than the lowest frequency does
    resistance = thickness * 1e-7 / bulk.conductivity_S_cm
    resistance = resistance + sum(end.space_charge_ohm_cm2 for end in ends)
    eps = bulk.phase.dielectric_constant * 0.0552634935805711 * FARAD_CM
    assume(np.all(resistance * eps / (bulk.debye_length_nm * 1e-7) < 1e7))
    found = solve_chain(_chain(parts, 1.0, 2.0), 1e-3, 1e7)
    assert found.dc_ohm_cm2 == pytest.approx(resistance + 3.0, rel=1e-6)
    # the two differential capacitances in series where both contacts block
    held = solve_chain(_chain(parts, 1.0, 2.0, blocked=True), 1e-3, 1e7)
    series = sum(1e6 / end.differential_capacitance_uF_cm2 for end in ends)
    assert held.inverse_capacitance_cm2_F == pytest.approx(series, rel=1e-4)
    # and the geometric one at high frequency
    fast = np.sum(found.resistance_ohm_cm2 / found.time_s)
    assert fast == pytest.approx(float(thickness[0]) * 1e-7 / eps, rel=1e-4)


def test_blocked_capacitance_of_llzo() -> None:
    """31.4 µF/cm² between drops of −0.4 and 0.3 V."""
    ends = _ends(reference("LLZO"), -0.4, 0.3)
    chain = _chain(thick_layer(*ends, np.array([1e5])), 1.0, 1.0, blocked=True)
    found = solve_chain(chain, 1e-3, 1e7)
    assert 1e6 / found.inverse_capacitance_cm2_F == pytest.approx(31.401, abs=1e-3)


def _features(kind: str) -> dict[str, Any]:
    return {
        "plain": {},
        "doping": {"fixed_charge_cm3": GradedProfile(np.array([0.0, 8.0]), np.array([0.0, 3e20]))},
        "polarization": {"polarization_e_nm2": 0.2},
        "susceptibility": {
            "susceptibility": GradedProfile(np.array([0.0, 3.0, 3.0, 8.0]), np.array([0, 0, 20, 5]))
        },
        "core": {
            "energy_shift_eV": [
                GradedProfile(np.array([0.0, 1.0, 1.0]), np.array([-0.2, -0.2, 0.0])),
                0.0,
            ]
        },
        "interaction": {"interaction_eV": np.array([0.3, 0.1])},
    }[kind]


@pytest.mark.parametrize(
    "kind", ["plain", "doping", "polarization", "susceptibility", "core", "interaction"]
)
def test_layers_that_are_solved_whole(kind: str) -> None:
    bulk = symmetric(0.3, 0.15, 3e21)
    given_ = StackLayer(bulk, 8.0, **_features(kind))
    stack = solve_stack(Metal(np.zeros(1)), [given_], Metal(np.full(1, 0.7)))
    segment = layer_segment(stack.layers[0])
    found = solve_chain(_chain([segment], 1e-4, 2e-4), 1e-3, 1e7)
    expected = stack.layers[0].resistance_ohm_cm2 + 3e-4
    assert found.dc_ohm_cm2 == pytest.approx(expected, rel=1e-7)
    assert np.all(found.resistance_ohm_cm2 >= 0.0)
    # blocked on both sides the layer keeps its charge, whatever the level of its ions becomes
    held = solve_chain(_chain([segment], 1.0, 1.0, blocked=True), 1e-3, 1e7)
    step = 1e-3
    slopes = np.empty((2, 2))
    for end in range(2):
        up, down = (
            solve_stack(
                Metal(np.full(1, v * (end == 0))),
                [given_],
                Metal(np.full(1, 0.7 + v * (end == 1))),
                tolerance=1e-9,
            ).sheet_charge_e_nm2[0]
            for v in (step, -step)
        )
        slopes[:, end] = (up - down) / (2.0 * step)
    # charges at both ends alike, and potentials that differ by 1 V
    equal = np.array([slopes[0] - slopes[1], [1.0, -1.0]])
    charge = slopes[0] @ np.linalg.solve(equal, [0.0, 1.0])
    assert held.inverse_capacitance_cm2_F[0] == pytest.approx(
        1e6 / (abs(charge) * CAPACITANCE_UF_CM2), rel=1e-4
    )


def test_a_layer_is_the_same_by_first_integral_and_on_the_grid() -> None:
    """Meshes of two kinds: in the potential, and the grid's own."""
    bulk = symmetric(0.3, 0.1, 3e21)
    ends = _ends(bulk, -0.5, 0.4)
    thickness = 60.0 * float(bulk.debye_length_nm)
    thick = thick_layer(*ends, np.array([thickness]))
    stack = solve_stack(
        Metal(ends[0].contact_potential_V),
        [StackLayer(bulk, thickness)],
        Metal(ends[1].contact_potential_V),
        tolerance=1e-9,
    )
    whole = [layer_segment(stack.layers[0])]
    for blocked in (False, True):
        one, other = (_z(_chain(parts, 1e-4, 1e-4, blocked=blocked)) for parts in (thick, whole))
        assert np.max(np.abs(one / other - 1.0)) < 1e-5


def test_reversal_and_additivity() -> None:
    bulk, other = symmetric(0.3, 0.1, 3e21), symmetric(0.8, 0.2, 1e21)
    first = thick_layer(*_ends(bulk, -0.5, 0.2), np.array([300.0]))
    second = thick_layer(*_ends(other, 0.4, -0.3), np.array([900.0]))
    forward = Chain([Crossing(np.array([1.0])), *first, Crossing(np.array([2.0])), *second])
    forward = Chain([*forward.parts, Crossing(np.array([3.0]))])
    backward = Chain(
        [p.mirrored() if isinstance(p, Segment) else p for p in reversed(forward.parts)]
    )
    assert _z(backward) == pytest.approx(_z(forward), rel=1e-7)
    # a long neutral middle lets nothing through but the current: cut there, the parts add up
    far = [
        middle_segment(one.ravel((1,)), 200.0 * one.debye_length_nm[None]) for one in (bulk, other)
    ]
    zero = Crossing(np.zeros(1))
    left = Chain([Crossing(np.array([1.0])), first[0], far[0], zero])
    right = Chain([zero, far[0].mirrored(), first[2], Crossing(np.array([2.0]))])
    both = Chain([left.parts[0], first[0], far[0], far[0], first[2], right.parts[-1]])
    assert _z(left) + _z(right) == pytest.approx(_z(both), rel=1e-6)


def _finite_volumes(
    left: HalfSpace, right: HalfSpace, thickness: float, transfer: float, nodes: int
) -> Array:
    """V and φ of the ions at nodes, as currents balance in boxes around them."""
    bulk = left.bulk
    solved = layer(bulk, left.contact_potential_V, right.contact_potential_V, thickness)
    profile = solved.profile(2001)
    x = np.unique(np.concatenate([np.geomspace(1e-3, thickness / 2.0, nodes // 2), [0.0]]))
    x = np.concatenate([x, thickness - x[-2::-1]])
    phi = np.interp(x, profile.x_nm[0], profile.phi_V[0])
    state = bulk.thermodynamics()
    u = (phi - bulk.neutral_potential_V) / state.kT_eV
    sigma = state.evaluate_conduction(u[:, None])[1][:, 0]
    step = 1e-4
    density = [state.evaluate(u[:, None] + d)[1][:, 0] for d in (-step, step)]
    stored = -(density[1] - density[0]) / (2.0 * step * state.kT_eV)
    h = np.diff(x)
    box = np.zeros_like(x)
    box[:-1] += h / 2.0
    box[1:] += h / 2.0
    eps = float(state.permittivity_e_V_nm[0]) * FARAD_CM
    face = 2.0 / (1.0 / sigma[1:] + 1.0 / sigma[:-1]) / (h * 1e-7)
    size = x.size
    z = []
    for s in 2j * np.pi * FREQUENCIES:
        matrix = np.zeros((2 * size, 2 * size), dtype=complex)

        def link(a: int, b: int, y: complex, matrix: Array = matrix) -> None:
            matrix[a, a] += y
            matrix[b, b] += y
            matrix[a, b] -= y
            matrix[b, a] -= y

        for k in range(size - 1):
            link(k, k + 1, face[k])
            link(size + k, size + k + 1, s * eps / (h[k] * 1e-7))
        for k in range(size):
            link(k, size + k, s * stored[k] * box[k] * FARAD_CM * 1e7 * 1e7 * 1e-7)
        # U = 1 on the left, 0 on the right: φ is held there, V behind R_ct
        matrix[0, 0] += 1.0 / transfer
        matrix[size - 1, size - 1] += 1.0 / transfer
        right_side = np.zeros(2 * size, dtype=complex)
        right_side[0] = 1.0 / transfer
        free = [k for k in range(2 * size) if k not in (size, 2 * size - 1)]
        right_side -= matrix[:, size]
        answer = np.zeros(2 * size, dtype=complex)
        answer[size] = 1.0
        answer[free] = np.linalg.solve(matrix[np.ix_(free, free)], right_side[free])
        current = (1.0 - answer[0]) / transfer + s * eps / (h[0] * 1e-7) * (1.0 - answer[size + 1])
        current += s * stored[0] * box[0] * FARAD_CM * 1e7 * (1.0 - answer[0])
        z.append(1.0 / current)
    return np.array(z)


def test_against_finite_volumes() -> None:
    bulk = symmetric(0.3, 0.1, 1e21)
    ends = _ends(bulk, 0.15, -0.1)
    thickness = 60.0 * float(bulk.debye_length_nm)
    expected = _finite_volumes(*ends, thickness, 1e-5, 240)
    z = _z(_chain(thick_layer(*ends, np.array([thickness])), 1e-5, 1e-5))
    assert np.max(np.abs(z / expected - 1.0)) < 2e-3


def test_an_electrode_that_bends_stores_on_both_sides() -> None:
    bulk = symmetric(0.3, 0.1, 3e21).ravel((1,))
    electrode = electrode_bulk(
        work_function_eV=np.array([5.0]),
        mu_eV=-4.0,
        metal_work_function_eV=METAL_eV,
        temperature_K=300.0,
        occupation=0.6,
        site_density_cm3=3e22,
        dielectric_constant=13.0,
        holes_cm3=3e19,
    )
    far = half_space(bulk, bulk.neutral_potential_V)
    near = half_space(bulk, bulk.neutral_potential_V + 0.2)
    behind = half_space(electrode, electrode.neutral_potential_V - 0.15)
    eps = electrode.phase.dielectric_constant * 0.0552634935805711
    chain = Chain(
        [
            Crossing(np.ones(1), blocked=True),
            *thick_layer(far, near, np.array([1e3])),
            Crossing(np.ones(1), blocked=True),
            electrode_segment(behind),
            Crossing(np.zeros(1), behind_nm2_V_e=1e4 / eps),
        ]
    )
    found = solve_chain(chain, 1e-3, 1e7)
    sides = (far, near, behind)
    series = sum(1e6 / side.differential_capacitance_uF_cm2 for side in sides)
    assert found.inverse_capacitance_cm2_F == pytest.approx(series, rel=1e-4)
