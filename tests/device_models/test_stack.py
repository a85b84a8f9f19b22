"""The grid solver against first integrals, SciPy's solve_bvp, limits and symmetries."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from interohm.device_models.bulk import Bulk, neutral_bulk
from interohm.device_models.constants import BOLTZMANN_EV_K, VACUUM_PERMITTIVITY_E_V_NM
from interohm.device_models.half_space import half_space
from interohm.device_models.phase import Metal, Phase
from interohm.device_models.stack import StackNotConverged, solve_stack
from interohm.device_models.stack_layer import GradedProfile, StackLayer
from ruamel.yaml import YAML
from scipy.integrate import solve_bvp, trapezoid

METAL_eV = 3.0
IP_eV = 5.0
REFERENCE = {
    system["name"]: system
    for system in YAML(typ="safe").load(Path(__file__).parents[1] / "data" / "pfd_reference.yaml")
}


def symmetric(
    neutral_potential_V: Any,
    formation_energy_eV: Any,
    site_density_cm3: Any,
    *,
    saturation: Any = 1.0,
    dielectric_constant: Any = 10.0,
    temperature_K: Any = 300.0,
    **more: Any,
) -> Bulk:
    """Two defects of charge ±1 with one formation energy at neutrality, no electrons."""
    level = IP_eV - METAL_eV + np.asarray(neutral_potential_V)
    energy = np.stack(
        np.broadcast_arrays(formation_energy_eV - level, formation_energy_eV + level), axis=-1
    )
    settings_ = {"electrons": False, "migration_energy_eV": [0.3, 0.4], "hop_distance_nm": 0.3}
    phase = Phase(
        ionization_potential_eV=IP_eV,
        band_gap_eV=6.0,
        dielectric_constant=dielectric_constant,
        charge=[1.0, -1.0],
        ion_change=[1.0, -1.0],
        formation_energy_eV=energy,
        site_density_cm3=np.asarray(site_density_cm3)[..., None],
        saturation=np.asarray(saturation)[..., None],
        **(settings_ | more),
    )
    return neutral_bulk(phase, temperature_K=temperature_K, metal_work_function_eV=METAL_eV)


def reference(name: str) -> Bulk:
    system = REFERENCE[name]
    return symmetric(
        system["neutral_potential_V"],
        system["formation_energy_neutral_eV"],
        system["site_density_cm3"],
        saturation=system["saturation"],
        dielectric_constant=system["dielectric_constant"],
        temperature_K=system["temperature_K"],
    )


def insulator(dielectric_constant: float = 10.0, frozen_charge_cm3: float = 0.0) -> Bulk:
    """A layer with nothing in it but a frozen charge."""
    phase = Phase(
        ionization_potential_eV=IP_eV,
        band_gap_eV=6.0,
        dielectric_constant=dielectric_constant,
        charge=[1.0],
        ion_change=[1.0],
        formation_energy_eV=[1.0],
        site_density_cm3=[0.0],
        electrons=False,
        frozen_charge_cm3=frozen_charge_cm3,
    )
    return neutral_bulk(phase, temperature_K=300.0, metal_work_function_eV=METAL_eV)


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
        layers.append(
            StackLayer(
                bulk,
                10.0 ** draw(st.floats(0.0, 3.0)),
                energy_shift_eV=[lambda x, a=shift, w=width: a * np.exp(-x / w)] * count,
                polarization_e_nm2=draw(st.sampled_from([0.0, 0.2])),
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
    scale = np.max(np.abs(left)) + np.max(np.abs(inside)) + 1e-9
    assert right - left == pytest.approx(contacts["sheet_charge_e_nm2"], abs=1e-9 * scale)
    # electrodes, sheets and layers together
    total = left[0] + np.sum(contacts["sheet_charge_e_nm2"]) + np.sum(inside) - right[-1]
    assert abs(total) < 1e-8 * scale


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
                lambda x, f=shift, end=float(layer.thickness_nm): f(end - x)  # type: ignore[operator]
                for shift in layer.energy_shift_eV or ()
            ],
            polarization_e_nm2=-np.asarray(layer.polarization_e_nm2),
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
