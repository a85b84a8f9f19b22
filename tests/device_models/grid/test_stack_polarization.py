"""Polarization of a layer of a stack: a fixed part, and one that follows the field."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.integrate import cumulative_trapezoid, solve_bvp
from scipy.interpolate import PchipInterpolator

from interohm.device_models.constants import VACUUM_PERMITTIVITY_E_V_NM
from interohm.device_models.grid.stack import solve_stack
from interohm.device_models.grid.stack_layer import GradedProfile, StackLayer
from interohm.device_models.phase import Array, Metal

from ..stack_phases import insulator, symmetric


def test_polarization_is_its_bound_charge() -> None:
    """A uniform P equals ±P on the faces; a graded one adds −dP/dx."""
    bulk, other = symmetric(0.4, 0.3, 1e21), symmetric(0.9, 0.3, 2e21)
    poled = StackLayer(bulk, 5.0, polarization_e_nm2=0.3)
    next_to = StackLayer(other, 8.0)
    solved = solve_stack(Metal(0.0), [poled, next_to], Metal(1.0))
    bound = solve_stack(
        Metal(0.0),
        [replace(poled, polarization_e_nm2=0.0), next_to],
        Metal(1.0),
        sheet_charge_e_nm2=[-0.3, 0.3, 0.0],
    )
    assert solved.phi_V[-1] == pytest.approx(1.0)
    assert solved.layers[1].left_field_V_nm == pytest.approx(
        bound.layers[1].left_field_V_nm, rel=1e-8
    )
    assert solved.layers[0].right_field_V_nm == pytest.approx(
        bound.layers[0].right_field_V_nm, rel=1e-8
    )
    graded = solve_stack(
        Metal(0.0),
        [StackLayer(bulk, 5.0, polarization_e_nm2=lambda x: 0.06 * x)],
        Metal(1.0),
    )
    charged = solve_stack(
        Metal(0.0),
        [StackLayer(bulk, 5.0, fixed_charge_cm3=-0.06e21)],
        Metal(1.0),
        sheet_charge_e_nm2=[0.0, 0.3],
    )
    assert graded.layers[0].left_field_V_nm == pytest.approx(
        charged.layers[0].left_field_V_nm, rel=1e-7
    )
    assert graded.layers[0].right_field_V_nm == pytest.approx(
        charged.layers[0].right_field_V_nm, rel=1e-7
    )


def susceptibility(x: Array) -> Array:
    """A ferroelectric's, which fades from the left end of a layer of 6 nm on."""
    return 5.0 + 80.0 * np.exp(-x / 1.5)


def polarization_e_nm2(x: Array) -> Array:
    return 0.2 * np.cos(x / 2.0)


@pytest.mark.parametrize("chi", [-5.0, 0.5, 200.0])
def test_a_uniform_susceptibility_is_a_larger_dielectric_constant(chi: float) -> None:
    ends = (Metal(0.0), Metal(1.5))
    plain = StackLayer(symmetric(0.4, 0.3, 1e21), 6.0, polarization_e_nm2=0.1)
    next_to = StackLayer(symmetric(0.9, 0.3, 2e21), 8.0)
    larger = replace(plain, bulk=symmetric(0.4, 0.3, 1e21, dielectric_constant=10.0 + chi))
    expected = solve_stack(ends[0], [larger, next_to], ends[1])
    for given_ in (chi, GradedProfile([0.0], [chi])):
        layers = [replace(plain, susceptibility=given_), next_to]
        solved = solve_stack(ends[0], layers, ends[1])
        assert solved.sheet_charge_e_nm2 == pytest.approx(expected.sheet_charge_e_nm2, rel=1e-8)
        ours, theirs = solved.layers[0], expected.layers[0]
        assert ours.left_field_V_nm == pytest.approx(theirs.left_field_V_nm, rel=1e-8)
        assert ours.right_field_V_nm == pytest.approx(theirs.right_field_V_nm, rel=1e-8)
        assert ours.polarization_e_nm2 == pytest.approx(
            0.1 + VACUUM_PERMITTIVITY_E_V_NM * chi * ours.field_V_nm, rel=1e-12
        )
        assert theirs.polarization_e_nm2 == pytest.approx(0.1)
        assert ours.resistance_ohm_cm2 == pytest.approx(theirs.resistance_ohm_cm2, rel=1e-6)


def test_a_jump_of_the_susceptibility_is_a_contact_of_two_dielectrics() -> None:
    bulk = symmetric(0.4, 0.3, 1e21)
    chi = GradedProfile([2.0, 2.0], [40.0, 3.0])
    one = solve_stack(Metal(0.0), [StackLayer(bulk, 6.0, susceptibility=chi)], Metal(1.5))
    two = solve_stack(
        Metal(0.0),
        [StackLayer(bulk, 2.0, susceptibility=40.0), StackLayer(bulk, 4.0, susceptibility=3.0)],
        Metal(1.5),
    )
    assert one.sheet_charge_e_nm2 == pytest.approx(two.sheet_charge_e_nm2[[0, 2]], rel=1e-8)
    # no sheet charge between the two: their displacements are the same, their fields are not
    assert two.left_displacement_e_nm2[1] == pytest.approx(two.right_displacement_e_nm2[1])
    fields = two.layers[0].right_field_V_nm / two.layers[1].left_field_V_nm
    assert fields == pytest.approx(13.0 / 50.0, rel=1e-12)


def test_a_capacitor_whose_dielectric_varies() -> None:
    """Without charge D is one number: the drop is D times the integral of 1/eps."""
    layer = StackLayer(insulator(4.0), 6.0, susceptibility=lambda x: x)
    solved = solve_stack(Metal(0.0), [layer], Metal(0.6))
    displacement = -VACUUM_PERMITTIVITY_E_V_NM * 0.6 / np.log(10.0 / 4.0)
    assert solved.right_displacement_e_nm2[0] == pytest.approx(displacement, rel=1e-9)
    expected = 0.6 * np.log1p(solved.x_nm / 4.0) / np.log(10.0 / 4.0)
    assert solved.phi_V == pytest.approx(expected, abs=1e-9)


def test_the_bound_charge_of_what_follows_the_field() -> None:
    """−dP/dx, −P at the left and P at the right face: held fixed, it leaves every potential."""
    follows = StackLayer(
        symmetric(0.4, 0.3, 1e21),
        6.0,
        polarization_e_nm2=polarization_e_nm2,
        susceptibility=susceptibility,
    )
    next_to = StackLayer(symmetric(0.9, 0.3, 2e21), 8.0)
    solved = solve_stack(Metal(0.0), [follows, next_to], Metal(1.5), tolerance=1e-9)
    first = solved.layers[0]
    found = PchipInterpolator(first.x_nm, first.polarization_e_nm2)
    frozen = replace(follows, polarization_e_nm2=lambda x: found(x), susceptibility=0.0)
    again = solve_stack(Metal(0.0), [frozen, next_to], Metal(1.5))
    assert again.sheet_charge_e_nm2 == pytest.approx(solved.sheet_charge_e_nm2, rel=1e-4)
    phi = PchipInterpolator(again.layers[0].x_nm, again.layers[0].phi_V)
    assert phi(first.x_nm) == pytest.approx(first.phi_V, abs=1e-4)
    # Gauss: eps_0 eps_r dE/dx is all charge, bound charge included
    own = 10.0 * VACUUM_PERMITTIVITY_E_V_NM
    free = cumulative_trapezoid(first.charge_density_e_nm3, first.x_nm, initial=0.0)
    bound = -(first.polarization_e_nm2 - first.polarization_e_nm2[0])
    change = own * (first.field_V_nm - first.field_V_nm[0])
    assert change == pytest.approx(free + bound, abs=2e-4 * np.max(np.abs(change)))


def test_solve_bvp_with_a_graded_susceptibility() -> None:
    layer = StackLayer(
        symmetric(0.4, 0.3, 1e21),
        6.0,
        polarization_e_nm2=polarization_e_nm2,
        susceptibility=susceptibility,
    )
    solved = solve_stack(Metal(0.0), [layer], Metal(1.5))
    state = layer.bulk.ravel(()).thermodynamics()

    def slopes(x: Any, y: Any) -> Any:
        permittivity = VACUUM_PERMITTIVITY_E_V_NM * (10.0 + susceptibility(x))
        u = (y[0] - layer.bulk.neutral_potential_V) / state.kT_eV
        charge = state.evaluate(u[:, None])[1].ravel()
        return np.array([-(y[1] - polarization_e_nm2(x)) / permittivity, charge])

    x = np.linspace(0.0, 6.0, 400)
    start = np.array([0.25 * x, np.zeros_like(x)])
    exact = solve_bvp(
        slopes, lambda a, b: np.array([a[0], b[0] - 1.5]), x, start, tol=1e-9, max_nodes=50_000
    )
    assert exact.success
    assert solved.right_displacement_e_nm2[0] == pytest.approx(exact.y[1, 0], rel=1e-6)
    assert solved.left_displacement_e_nm2[1] == pytest.approx(exact.y[1, -1], rel=1e-6)
    assert solved.phi_V == pytest.approx(exact.sol(solved.x_nm)[0], abs=1e-6)


def test_susceptibilities_of_a_batch() -> None:
    bulk, chi = symmetric(0.4, 0.3, 1e21), np.array([0.0, 10.0, 300.0])
    uniform = StackLayer(bulk, 6.0, susceptibility=chi)
    # how many stacks there are does not show in a function
    graded = replace(
        uniform, thickness_nm=np.full(3, 6.0), susceptibility=lambda x: chi[:, None] * np.exp(-x)
    )
    for layer in (uniform, graded):
        together = solve_stack(Metal(0.0), [layer], Metal(1.5)).sheet_charge_e_nm2
        for place, one in enumerate(chi):
            own = one if layer is uniform else lambda x, one=one: one * np.exp(-x)
            single = replace(layer, thickness_nm=6.0, susceptibility=own)
            alone = solve_stack(Metal(0.0), [single], Metal(1.5))
            assert together[place] == pytest.approx(alone.sheet_charge_e_nm2, rel=1e-7)


@pytest.mark.parametrize("chi", [-10.0, np.nan, lambda x: -3.0 * x])
def test_a_dielectric_constant_that_is_not_positive_is_refused(chi: Any) -> None:
    layers = [
        StackLayer(symmetric(0.9, 0.3, 2e21), 8.0),
        StackLayer(symmetric(0.4, 0.3, 1e21), 6.0, susceptibility=chi),
    ]
    with pytest.raises(ValueError, match=r"layer 1: dielectric_constant \+ susceptibility"):
        solve_stack(Metal(0.0), layers, Metal(1.0))
