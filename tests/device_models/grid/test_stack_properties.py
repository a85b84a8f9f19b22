"""What holds for every stack: neutrality as a whole, symmetries, monotonic profiles, any mesh."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interohm.device_models.bulk import neutral_bulk
from interohm.device_models.grid.stack import solve_stack
from interohm.device_models.grid.stack_layer import ProfileLike, StackLayer
from interohm.device_models.phase import Array, Metal, Phase

from ..stack_phases import METAL_eV, symmetric

VOLTS = st.floats(-3.0, 3.0)


@st.composite
def stacks(draw: st.DrawFn) -> tuple[list[StackLayer], dict[str, list[float]]]:
    layers = []
    for _ in range(draw(st.integers(1, 3))):
        count = draw(st.integers(1, 3))
        charge = draw(
            st.lists(st.sampled_from([-2.0, -1.0, 1.0, 3.0]), min_size=count, max_size=count)
        )
        energies = draw(st.lists(st.floats(0.0, 2.0), min_size=count, max_size=count))
        level = draw(st.floats(0.0, 4.0))
        phase = Phase(
            ionization_potential_eV=draw(st.floats(3.0, 8.0)),
            band_gap_eV=draw(st.floats(1.0, 8.0)),
            dielectric_constant=draw(st.floats(3.0, 60.0)),
            charge=charge,
            ion_change=charge,
            formation_energy_eV=np.array(energies) - np.array(charge) * level,
            site_density_cm3=10.0 ** draw(st.floats(20.0, 23.0)),
            saturation=draw(st.floats(0.01, 1.0)),
            sublattice=draw(st.sampled_from([tuple(range(count)), (0,) * count])),
            electrons=draw(st.booleans()),
            frozen_charge_cm3=draw(st.sampled_from([0.0, 1e18, -1e19])),
        )
        bulk = neutral_bulk(
            phase,
            temperature_K=draw(st.floats(200.0, 1500.0)),
            metal_work_function_eV=METAL_eV,
        )
        shift = draw(st.floats(-0.3, 0.3))
        width = draw(st.floats(0.2, 2.0))
        scale = draw(st.floats(0.0, 300.0))

        def graded(x: Array, most: float = scale, width: float = width) -> Array:
            return most * np.exp(-x / width)

        layers.append(
            StackLayer(
                bulk,
                10.0 ** draw(st.floats(0.0, 3.0)),
                energy_shift_eV=[lambda x, a=shift, w=width: a * np.exp(-x / w)] * count,
                polarization_e_nm2=draw(st.sampled_from([0.0, 0.2])),
                susceptibility=draw(st.sampled_from([0.0, 30.0, graded])),
            )
        )
    contacts = len(layers) + 1
    given_ = {
        "dipole_V": draw(st.lists(st.floats(-0.5, 0.5), min_size=contacts, max_size=contacts)),
        "sheet_charge_e_nm2": draw(
            st.lists(st.floats(-0.5, 0.5), min_size=contacts, max_size=contacts)
        ),
    }
    return layers, given_


@settings(max_examples=40, deadline=None)
@given(stack=stacks(), left_V=VOLTS, right_V=VOLTS)
def test_all_charges_add_up_to_zero(
    stack: tuple[list[StackLayer], dict[str, list[float]]], left_V: float, right_V: float
) -> None:
    layers, contacts = stack
    solved = solve_stack(Metal(left_V), layers, Metal(right_V), **contacts)
    left, right = solved.left_displacement_e_nm2, solved.right_displacement_e_nm2
    inside = np.array([layer.charge_e_nm2 for layer in solved.layers])
    scale = np.max(np.abs([left, right])) + np.max(np.abs(inside)) + 1e-9
    assert right - left == pytest.approx(contacts["sheet_charge_e_nm2"], abs=1e-9 * scale)
    # electrodes, sheets and layers together
    total = left[0] + np.sum(contacts["sheet_charge_e_nm2"]) + np.sum(inside) - right[-1]
    assert abs(total) < 1e-8 * scale


def reversed_profile(profile: ProfileLike, thickness_nm: float) -> ProfileLike:
    if not callable(profile):
        return profile
    return lambda x: profile(thickness_nm - x)


@settings(max_examples=30, deadline=None)
@given(stack=stacks(), left_V=VOLTS, right_V=VOLTS)
def test_a_reversed_stack_is_the_mirror_image(
    stack: tuple[list[StackLayer], dict[str, list[float]]], left_V: float, right_V: float
) -> None:
    layers, contacts = stack
    mirrored = [
        replace(
            layer,
            energy_shift_eV=[
                reversed_profile(shift, float(layer.thickness_nm))
                for shift in layer.energy_shift_eV or ()
            ],
            polarization_e_nm2=-np.asarray(layer.polarization_e_nm2),
            susceptibility=reversed_profile(layer.susceptibility, float(layer.thickness_nm)),
        )
        for layer in reversed(layers)
    ]
    forward = solve_stack(Metal(left_V), layers, Metal(right_V), **contacts)
    backward = solve_stack(
        Metal(right_V),
        mirrored,
        Metal(left_V),
        dipole_V=[-step for step in reversed(contacts["dipole_V"])],
        sheet_charge_e_nm2=contacts["sheet_charge_e_nm2"][::-1],
    )
    scale = np.max(np.abs(forward.left_displacement_e_nm2)) + 1e-9
    assert backward.right_displacement_e_nm2[::-1] == pytest.approx(
        -forward.left_displacement_e_nm2, abs=2e-6 * scale
    )


@settings(max_examples=30, deadline=None)
@given(
    neutral=st.lists(VOLTS, min_size=2, max_size=2),
    energy=st.floats(0.0, 1.0),
    ends=st.lists(VOLTS, min_size=2, max_size=2),
    temperature=st.floats(200.0, 1500.0),
)
def test_swapped_charges_swap_all_signs(
    neutral: list[float], energy: float, ends: list[float], temperature: float
) -> None:
    """Both defects are alike: with every potential reversed all charges are."""
    results = []
    for sign in (1.0, -1.0):
        layers = [
            StackLayer(symmetric(sign * v, energy, 1e22, temperature_K=temperature), length)
            for v, length in zip(neutral, (3.0, 40.0), strict=True)
        ]
        results.append(solve_stack(Metal(sign * ends[0]), layers, Metal(sign * ends[1])))
    one, other = (result.sheet_charge_e_nm2 for result in results)
    assert one == pytest.approx(-other, abs=2e-6 * np.max(np.abs(one)) + 1e-12)


@settings(max_examples=30, deadline=None)
@given(
    left_V=VOLTS,
    right_V=VOLTS,
    energy=st.floats(0.0, 1.5),
    thickness=st.floats(0.5, 500.0),
    temperature=st.floats(200.0, 1500.0),
)
def test_monotonic_between_an_electrode_and_neutrality(
    left_V: float, right_V: float, energy: float, thickness: float, temperature: float
) -> None:
    """Ends on opposite sides of the neutral potential, or at it: no extremum inside."""
    neutral = (left_V + right_V) / 2.0
    bulk = symmetric(neutral, energy, 1e22, temperature_K=temperature)
    solved = solve_stack(Metal(left_V), [StackLayer(bulk, thickness)], Metal(right_V))
    steps = np.diff(solved.phi_V) * np.sign(right_V - left_V)
    assert np.min(steps, initial=0.0) > -1e-6 * abs(right_V - left_V) - 1e-12


@settings(max_examples=20, deadline=None)
@given(stack=stacks(), left_V=VOLTS, right_V=VOLTS)
def test_the_mesh_does_not_matter(
    stack: tuple[list[StackLayer], dict[str, list[float]]], left_V: float, right_V: float
) -> None:
    layers, contacts = stack
    solved, finer = (
        solve_stack(Metal(left_V), layers, Metal(right_V), tolerance=tolerance, **contacts)
        for tolerance in (1e-6, 1e-9)
    )
    scale = np.max(np.abs(finer.left_displacement_e_nm2)) + 1e-9
    difference = solved.left_displacement_e_nm2 - finer.left_displacement_e_nm2
    assert np.max(np.abs(difference)) < 1e-6 * scale
