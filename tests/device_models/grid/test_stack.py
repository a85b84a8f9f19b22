"""The grid solver against first integrals, solve_bvp and limits, and what it makes of its input."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_bvp, trapezoid

from interohm.device_models.bulk import neutral_bulk
from interohm.device_models.constants import BOLTZMANN_EV_K, VACUUM_PERMITTIVITY_E_V_NM
from interohm.device_models.first_integral.half_space import half_space
from interohm.device_models.grid.newton import _solve_tridiagonal
from interohm.device_models.grid.solution import StackNotConverged
from interohm.device_models.grid.stack import solve_stack
from interohm.device_models.grid.stack_layer import GradedProfile, StackLayer
from interohm.device_models.phase import Array, Metal, Phase

from ..stack_phases import IP_eV, METAL_eV, insulator, reference, symmetric


def test_half_space_of_a_thick_layer() -> None:
    bulk = reference("LLZO")
    half = half_space(bulk, 0.0)
    solved = solve_stack(Metal(0.0), [StackLayer(bulk, 50.0)], Metal(bulk.neutral_potential_V))
    assert solved.sheet_charge_e_nm2[0] == pytest.approx(half.sheet_charge_e_nm2, rel=1e-8)
    assert solved.sheet_charge_e_nm2[0] == pytest.approx(5.3271, abs=5e-5)
    assert solved.layers[0].left_field_V_nm == pytest.approx(-half.field_V_nm, rel=1e-8)
    reached = np.interp(1.24, solved.phi_V, solved.x_nm)
    assert reached == pytest.approx(0.883, abs=2e-3)
    excess = solved.layers[0].resistance_ohm_cm2 - 50.0e-7 / bulk.conductivity_S_cm
    assert excess == pytest.approx(half.space_charge_ohm_cm2, rel=1e-6)


def test_two_thick_phases_are_the_stack_of_their_own_slices() -> None:
    """Phases beside the stack carry on where a layer of the same phase ends."""
    left = symmetric(0.3, 0.3, 1e21)
    right = symmetric(1.2, 0.2, 3e21, dielectric_constant=30.0)
    sheet, dipole = [0.0, 0.2, 0.0], [0.0, 0.1, 0.0]
    thin, thick = (
        solve_stack(
            left,
            [StackLayer(left, one), StackLayer(right, other)],
            right,
            dipole_V=dipole,
            sheet_charge_e_nm2=sheet,
        )
        for one, other in ((0.5, 1.0), (20.0, 30.0))
    )
    assert thin.sheet_charge_e_nm2[1] == pytest.approx(thick.sheet_charge_e_nm2[1], rel=1e-8)
    contact_V = thin.layers[1].phi_V[0]
    assert thick.layers[1].phi_V[0] == pytest.approx(contact_V, rel=1e-9)
    assert contact_V - thin.layers[0].phi_V[-1] == pytest.approx(0.1, abs=1e-12)
    left_charge = half_space(left, contact_V - 0.1).sheet_charge_e_nm2
    right_charge = half_space(right, contact_V).sheet_charge_e_nm2
    assert left_charge + right_charge + 0.2 == pytest.approx(0.0, abs=1e-8)


def three_layers() -> list[StackLayer]:
    return [
        StackLayer(symmetric(0.8, 0.5, 1e22, dielectric_constant=9.0), 8.0),
        StackLayer(symmetric(1.5, 0.15, 2e22, saturation=0.1, dielectric_constant=40.0), 20.0),
        StackLayer(symmetric(0.6, 0.4, 5e21, dielectric_constant=15.0), 12.0),
    ]


def bvp(
    layers: list[StackLayer],
    left_V: float,
    right_V: float,
    dipole_V: list[float],
    sheet: list[float],
) -> tuple[Any, list[float], list[float]]:
    """The same stack by solve_bvp: every layer on [0, 1], φ and D of each as unknowns."""
    models = []
    for layer in layers:
        state = layer.bulk.ravel(()).thermodynamics()
        models.append((state, float(layer.bulk.neutral_potential_V), float(layer.thickness_nm)))

    def slopes(s: Any, y: Any) -> Any:
        rows = []
        for i, (state, neutral, thickness) in enumerate(models):
            u = (y[2 * i] - neutral) / state.kT_eV
            rows += [
                -y[2 * i + 1] / state.permittivity_e_V_nm * thickness,
                state.evaluate(u[:, None])[1].ravel() * thickness,
            ]
        return np.array(rows)

    def ends(a: Any, b: Any) -> Any:
        inner = [
            value
            for i in range(len(models) - 1)
            for value in (
                a[2 * i + 2] - b[2 * i] - dipole_V[i + 1],
                a[2 * i + 3] - b[2 * i + 1] - sheet[i + 1],
            )
        ]
        return np.array([a[0] - left_V - dipole_V[0], *inner, b[-2] + dipole_V[-1] - right_V])

    half = np.geomspace(1e-3, 1.0, 60) - 1e-3
    s = np.concatenate([half / 2.0, 1.0 - half[-2::-1] / 2.0]) / (1.0 - 1e-3)
    s = (s - s[0]) / (s[-1] - s[0])
    start = np.zeros((2 * len(models), s.size))
    for i, (_, neutral, _) in enumerate(models):
        start[2 * i] = neutral
    solved = solve_bvp(slopes, ends, s, start, tol=1e-9, max_nodes=100_000)
    assert solved.success
    return (
        solved,
        [float(solved.sol(0.0)[2 * i + 1]) for i in range(len(models))],
        [float(solved.sol(1.0)[2 * i + 1]) for i in range(len(models))],
    )


def test_solve_bvp_with_dipoles_and_sheet_charges() -> None:
    layers, dipole, sheet = three_layers(), [0.1, -0.2, 0.3, 0.0], [0.0, 0.3, -0.2, 0.0]
    solved = solve_stack(Metal(0.0), layers, Metal(1.0), dipole_V=dipole, sheet_charge_e_nm2=sheet)
    by_scipy, left, right = bvp(layers, 0.0, 1.0, dipole, sheet)
    assert solved.right_displacement_e_nm2[:-1] == pytest.approx(left, rel=1e-6, abs=1e-8)
    assert solved.left_displacement_e_nm2[1:] == pytest.approx(right, rel=1e-6, abs=1e-8)
    for i, layer in enumerate(solved.layers):
        expected = by_scipy.sol(layer.x_nm / layer.x_nm[-1])[2 * i]
        assert layer.phi_V == pytest.approx(expected, abs=1e-6)


def test_mott_schottky() -> None:
    """One immobile charge between electrodes: a parabola."""
    layer = StackLayer(insulator(12.0, frozen_charge_cm3=2e18), 30.0)
    solved = solve_stack(Metal(0.2), [layer], Metal(-0.5))
    permittivity = 12.0 * VACUUM_PERMITTIVITY_E_V_NM
    x, density = solved.x_nm, 2e-3
    expected = 0.2 - 0.7 * x / 30.0 + density * x * (30.0 - x) / (2.0 * permittivity)
    assert solved.phi_V == pytest.approx(expected, abs=1e-12)
    assert np.sum(solved.left_displacement_e_nm2[-1:] - solved.right_displacement_e_nm2[0]) == (
        pytest.approx(density * 30.0, rel=1e-12)
    )
    assert np.isnan(solved.layers[0].resistance_ohm_cm2)


def test_gouy_chapman() -> None:
    """Dilute and symmetric: tanh(u/4) = tanh(u_0/4)·exp(−x/λ)."""
    bulk = symmetric(0.0, 1.5, 1e23, temperature_K=900.0)
    thermal = BOLTZMANN_EV_K * 900.0
    solved = solve_stack(
        Metal(6.0 * thermal), [StackLayer(bulk, 30.0 * bulk.debye_length_nm)], Metal(0.0)
    )
    decay = np.tanh(1.5) * np.exp(-solved.x_nm / bulk.debye_length_nm)
    assert solved.phi_V == pytest.approx(4.0 * thermal * np.arctanh(decay), abs=1e-6)
    permittivity = 10.0 * VACUUM_PERMITTIVITY_E_V_NM
    charge = -2.0 * permittivity * thermal / bulk.debye_length_nm * np.sinh(3.0)
    assert solved.sheet_charge_e_nm2[0] == pytest.approx(charge, rel=1e-6)


@pytest.mark.parametrize("drop_V", [1e-6, 1e-4])
def test_small_drops_are_linear(drop_V: float) -> None:
    bulk = symmetric(0.7, 0.2, 1e22)
    length = float(bulk.debye_length_nm)
    solved = solve_stack(
        Metal(0.7 + drop_V), [StackLayer(bulk, 2.0 * length)], Metal(bulk.neutral_potential_V)
    )
    permittivity = 10.0 * VACUUM_PERMITTIVITY_E_V_NM
    expected = permittivity * drop_V / length / np.tanh(2.0)
    assert solved.right_displacement_e_nm2[0] == pytest.approx(expected, rel=1e-5)


def test_saturated_layer() -> None:
    """Far from neutral all sites are taken: a parabola with the density of the sites."""
    bulk = symmetric(0.0, 0.3, 1e21, temperature_K=200.0)
    solved = solve_stack(Metal(-5.0), [StackLayer(bulk, 1.0)], Metal(-5.0))
    permittivity = 10.0 * VACUUM_PERMITTIVITY_E_V_NM
    expected = -5.0 + solved.x_nm * (1.0 - solved.x_nm) / (2.0 * permittivity)
    assert solved.phi_V == pytest.approx(expected, abs=1e-9)


def test_batch_is_its_members() -> None:
    drops = np.array([[0.4, 0.01, 1.8], [2.5, -1.0, 0.0]])
    thickness = np.array([5.0, 50.0, 400.0])
    bulk = symmetric(np.array([0.2, 0.4, 0.6]), 0.3, 1e22)
    layers = [StackLayer(bulk, thickness), StackLayer(reference("LiF"), 10.0)]
    together = solve_stack(Metal(0.0), layers, Metal(drops))
    assert together.sheet_charge_e_nm2.shape == (2, 3, 3)
    assert together.resistance_ohm_cm2.shape == (2, 3, 2)
    assert together.layers[0].concentrations_cm3.shape == (*together.layers[0].phi_V.shape, 2)
    for i, j in np.ndindex(2, 3):
        alone = solve_stack(
            Metal(0.0),
            [StackLayer(bulk[j], thickness[j]), layers[1]],
            Metal(drops[i, j]),
        )
        scale = np.max(np.abs(alone.sheet_charge_e_nm2)) + 1e-12
        difference = together.sheet_charge_e_nm2[i, j] - alone.sheet_charge_e_nm2
        assert np.max(np.abs(difference)) < 1e-8 * scale


def test_a_start_changes_nothing() -> None:
    bulk = reference("LLZO")
    ends = np.concatenate([[0.0], np.geomspace(0.02, 50.0, 40)])
    guess = bulk.neutral_potential_V * (1.0 - np.exp(-ends))
    stack = (Metal(0.0), [StackLayer(bulk, 50.0)], Metal(bulk.neutral_potential_V))
    given_start = solve_stack(*stack, mesh_nm=ends[None], guess_V=guess[None])
    free = solve_stack(*stack)
    assert given_start.sheet_charge_e_nm2[0] == pytest.approx(free.sheet_charge_e_nm2[0], rel=1e-8)
    assert given_start.layers[0].ends_nm.shape == (41, 1)


def test_layers_without_a_neutral_bulk() -> None:
    only_one = Phase(
        ionization_potential_eV=IP_eV,
        band_gap_eV=6.0,
        dielectric_constant=8.0,
        charge=[1.0],
        ion_change=[1.0],
        formation_energy_eV=[-2.5],
        site_density_cm3=[1e21],
        electrons=False,
    )
    bulk = neutral_bulk(only_one, temperature_K=300.0, metal_work_function_eV=METAL_eV)
    assert not bulk.has_neutral_bulk
    solved = solve_stack(Metal(0.3), [StackLayer(bulk, 40.0)], Metal(0.9))
    charge = solved.layers[0].charge_e_nm2
    assert charge > 0.0
    total = charge + solved.left_displacement_e_nm2[0] - solved.right_displacement_e_nm2[1]
    assert total == pytest.approx(0.0, abs=1e-10)
    with pytest.raises(ValueError, match="no neutral bulk"):
        solve_stack(bulk, [StackLayer(bulk, 40.0)], Metal(0.9))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"thickness_nm": 0.0}, "thickness"),
        ({"thickness_nm": np.nan}, "thickness"),
        ({"energy_shift_eV": [0.1]}, "energy_shift_eV"),
        ({"interaction_eV": [0.1]}, "interaction_eV"),
        ({"interaction_eV": [-5.0, 0.0]}, "separate"),
    ],
)
def test_bad_layers(change: dict[str, Any], message: str) -> None:
    layer = replace(StackLayer(symmetric(0.5, 0.2, 1e22), 5.0), **change)
    with pytest.raises(ValueError, match=message):
        solve_stack(Metal(0.0), [layer], Metal(1.0))


def test_an_attraction_takes_only_the_stacks_that_unmix() -> None:
    # two electrolytes, so that arrays have a layer's axis; the limit of saturation 1 is -0.103 eV
    attracted = StackLayer(symmetric(0.5, 0.2, 1e22), 5.0)
    weak, strong = [-0.09, 0.0], [-0.12, 0.0]
    beside = StackLayer(symmetric(0.7, 0.2, 1e22), 5.0)
    batch = replace(attracted, interaction_eV=np.array([weak, strong, [0.0, 0.0]]))
    found = solve_stack(Metal(np.zeros(3)), [beside, batch], Metal(1.0))
    assert found.converged.tolist() == [True, False, True]
    assert np.isnan(found.sheet_charge_e_nm2[1]).all()
    for place, interaction in ((0, weak), (2, [0.0, 0.0])):
        alone = replace(attracted, interaction_eV=interaction)
        single = solve_stack(Metal(0.0), [beside, alone], Metal(1.0))
        assert found.sheet_charge_e_nm2[place] == pytest.approx(single.sheet_charge_e_nm2, rel=1e-6)
    with pytest.raises(ValueError, match="separate"):
        solve_stack(Metal(0.0), [beside, replace(batch, interaction_eV=strong)], Metal(1.0))


def test_bad_contacts() -> None:
    layer = StackLayer(symmetric(0.5, 0.2, 1e22), 5.0)
    with pytest.raises(ValueError, match="2 contacts"):
        solve_stack(Metal(0.0), [layer], Metal(1.0), dipole_V=[0.1])
    with pytest.raises(ValueError, match="finite"):
        solve_stack(Metal(0.0), [layer], Metal(1.0), sheet_charge_e_nm2=[np.inf, 0.0])
    with pytest.raises(ValueError, match="at least one"):
        solve_stack(Metal(0.0), [], Metal(1.0))


def test_a_hidden_jump_is_found() -> None:
    hidden = StackLayer(
        reference("LLZO"), 50.0, fixed_charge_cm3=lambda x: np.where(x < 0.37, 1e21, -1e20)
    )
    table = GradedProfile(np.array([0.37, 0.37]), np.array([1e21, -1e20]))
    told = replace(hidden, fixed_charge_cm3=table)
    charges = [
        solve_stack(Metal(0.0), [layer], Metal(1.0)).sheet_charge_e_nm2 for layer in (hidden, told)
    ]
    assert charges[0] == pytest.approx(charges[1], rel=1e-6)


def test_what_does_not_converge_says_how_far_it_got() -> None:
    """A doping that changes its sign within a millionth of the layer."""
    fine = StackLayer(reference("LLZO"), 50.0, fixed_charge_cm3=lambda x: 1e21 * np.sin(1e5 * x))
    layers = [StackLayer(symmetric(0.5, 0.2, 1e22), 5.0), fine]
    with pytest.raises(StackNotConverged, match="elements per layer, worst in layer 1") as caught:
        solve_stack(Metal(0.0), layers, Metal(1.0), tolerance=1e-9)
    assert caught.value.stacks.tolist() == [0]
    assert 1e-9 < caught.value.error[0] < 1.0
    assert caught.value.elements >= 100


def test_one_stack_that_does_not_converge_leaves_the_others_of_its_batch() -> None:
    """Beyond 20 nm the doping changes its sign within a millionth of the layer."""

    def doping(x: Array) -> Array:
        return np.where(x > 20.0, 1e21 * np.sin(1e5 * x), 1e20)

    thickness = np.array([10.0, 50.0, 15.0])
    layer = StackLayer(reference("LLZO"), thickness, fixed_charge_cm3=doping)
    solved = solve_stack(Metal(0.0), [layer], Metal(1.0), tolerance=1e-9)
    assert solved.converged.tolist() == [True, False, True]
    assert solved.failure is not None
    assert solved.failure.stacks.tolist() == [1]
    assert solved.relative_error[1] == solved.failure.error[0] > 1e-9
    for found in (solved.sheet_charge_e_nm2[:, 0], solved.layers[0].resistance_ohm_cm2):
        assert np.isnan(found).tolist() == [False, True, False]
    for place in (0, 2):
        one = replace(layer, thickness_nm=thickness[place])
        alone = solve_stack(Metal(0.0), [one], Metal(1.0), tolerance=1e-9)
        assert alone.converged
        assert alone.failure is None
        assert solved.sheet_charge_e_nm2[place] == pytest.approx(alone.sheet_charge_e_nm2, rel=1e-8)
    with pytest.raises(StackNotConverged):
        solve_stack(Metal(0.0), [replace(layer, thickness_nm=50.0)], Metal(1.0), tolerance=1e-9)


def test_a_system_without_a_solution_does_not_spoil_its_neighbours() -> None:
    rng = np.random.default_rng(3)
    diagonal, off = 2.0 + rng.random((5, 4)), np.full((5, 4), -1.0)
    off[-1] = 0.0
    force = rng.random((5, 4))
    diagonal[:, 1], off[:, 1] = 0.0, 0.0
    force[2, 2] = np.nan
    found = _solve_tridiagonal(diagonal, off, force)
    for k in (0, 3):
        matrix = np.diag(diagonal[:, k]) + np.diag(off[:-1, k], 1) + np.diag(off[:-1, k], -1)
        assert found[:, k] == pytest.approx(np.linalg.solve(matrix, force[:, k]), rel=1e-12)
    assert np.all(np.isnan(found[:, 1:3]))


def test_table_with_a_jump() -> None:
    """A step of doping is one element's end: the parabola on either side is exact."""
    doping = GradedProfile(np.array([0.0, 4.0, 4.0, 10.0]), np.array([1e19, 1e19, -1e19, -1e19]))
    solved = solve_stack(
        Metal(0.0), [StackLayer(insulator(), 10.0, fixed_charge_cm3=doping)], Metal(0.0)
    )
    permittivity = 10.0 * VACUUM_PERMITTIVITY_E_V_NM
    x = solved.x_nm
    density = np.where(x < 4.0, 0.01, -0.01)
    assert solved.layers[0].charge_e_nm2 == pytest.approx(0.04 - 0.06, abs=1e-12)
    curve = np.gradient(np.gradient(solved.phi_V, x), x)
    far = (np.abs(x - 4.0) > 0.5) & (x > 0.3) & (x < 9.7)
    assert curve[far] == pytest.approx(-density[far] / permittivity, rel=1e-3)
    assert trapezoid(solved.layers[0].field_V_nm, x) == pytest.approx(0.0, abs=1e-4)
