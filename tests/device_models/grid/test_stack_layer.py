"""What may vary along a layer of a stack, and how its defects interact."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interohm.device_models.bulk import Bulk, neutral_bulk
from interohm.device_models.constants import BOLTZMANN_EV_K, CM3_PER_NM3
from interohm.device_models.grid.layer_charge import ChargeModel, charge_model
from interohm.device_models.grid.stack import solve_stack
from interohm.device_models.grid.stack_layer import GradedProfile, StackLayer
from interohm.device_models.phase import Metal, Phase

METAL_eV = 3.0


def phase(**changes: Any) -> Phase:
    """Three defects, one of them not tied to mu as an ion would be, with electrons."""
    values: dict[str, Any] = {
        "ionization_potential_eV": 5.0,
        "band_gap_eV": 3.0,
        "dielectric_constant": 12.0,
        "charge": [1.0, -1.0, 2.0],
        "ion_change": [1.0, -1.0, 0.5],
        "formation_energy_eV": [-1.4, 1.8, -2.5],
        "site_density_cm3": [2e22, 1e22, 5e21],
        "saturation": [0.5, 1.0, 0.2],
        "degeneracy": [1.0, 2.0, 1.0],
        "migration_energy_eV": [0.3, np.nan, np.nan],
        "hop_distance_nm": 0.25,
    }
    return Phase(**(values | changes))


def bulk(temperature_K: float = 400.0, mu_eV: Any = -0.5, **changes: Any) -> Bulk:
    return neutral_bulk(
        phase(**changes),
        temperature_K=temperature_K,
        metal_work_function_eV=METAL_eV,
        mu_eV=mu_eV,
    )


def model(sample: Bulk, **more: Any) -> ChargeModel:
    one = sample.ravel((1,))
    return charge_model(
        one.phase,
        temperature_K=one.temperature_K,
        mu_eV=one.mu_eV,
        metal_work_function_eV=one.metal_work_function_eV,
        ion_charge=one.ion_charge,
        **more,
    )


PHI = np.linspace(-3.0, 3.0, 121)[:, None]


@pytest.mark.parametrize("sublattice", [(0, 1, 2), (0, 0, 1)])
def test_charge_is_that_of_the_first_integral(sublattice: tuple[int, ...]) -> None:
    sample = bulk(
        frozen_charge_cm3=3e19, sublattice=sublattice, site_density_cm3=2e22, saturation=0.3
    )
    ours, slope = model(sample).charge(PHI)
    state = sample.ravel((1,)).thermodynamics()
    expected = state.evaluate((PHI - sample.neutral_potential_V) / state.kT_eV)[1]
    assert ours == pytest.approx(expected, rel=1e-10, abs=1e-13)
    assert np.all(slope <= 0.0)


@pytest.mark.parametrize(
    ("sublattice", "interaction"),
    [
        ((0, 1, 2), None),
        ((0, 0, 1), None),
        ((0, 1, 2), [0.3, 0.5, 0.0]),
        ((0, 0, 1), [0.3, 0.5, 0.0]),
        ((0, 1, 2), [-0.05, -0.1, 0.2]),
    ],
)
def test_slope_of_the_charge(sublattice: tuple[int, ...], interaction: list[float] | None) -> None:
    sample = bulk(sublattice=sublattice, site_density_cm3=2e22, saturation=0.3)
    given_ = None if interaction is None else [np.array([w]) for w in interaction]
    charges = model(sample, interaction_eV=given_)
    step = 1e-5
    numeric = (charges.charge(PHI + step)[0] - charges.charge(PHI - step)[0]) / (2.0 * step)
    slope = charges.charge(PHI)[1]
    assert slope == pytest.approx(numeric, rel=1e-5, abs=1e-7 * np.max(np.abs(slope)))


@settings(max_examples=60, deadline=None)
@given(
    energies=st.lists(st.floats(-2.0, 2.0), min_size=3, max_size=3),
    interaction=st.lists(st.floats(0.0, 2.0), min_size=3, max_size=3),
    temperature_K=st.floats(200.0, 1500.0),
    shared=st.booleans(),
)
def test_interacting_occupations_obey_their_equation(
    energies: list[float], interaction: list[float], temperature_K: float, shared: bool
) -> None:
    """c_d = N_s w_d/(1 + Σ w/alpha) with w_d of the energy E_d + W c_d/N_s."""
    sample = bulk(
        temperature_K,
        formation_energy_eV=energies,
        degeneracy=1.0,
        saturation=0.4,
        site_density_cm3=1e22,
        sublattice=(0, 0, 0) if shared else (0, 1, 2),
        electrons=False,
    )
    charges = model(sample, interaction_eV=[np.array([w]) for w in interaction])
    phi = np.linspace(-2.0, 2.0, 9)[:, None]
    fractions = [c / (1e22 * CM3_PER_NM3) for c in charges.concentrations_nm3(phi)[0]]
    thermal = BOLTZMANN_EV_K * temperature_K
    level = 5.0 - METAL_eV + phi - 0.5
    weights = []
    for energy, strength, q, dn, c in zip(
        energies, interaction, [1.0, -1.0, 2.0], [1.0, -1.0, 0.5], fractions, strict=True
    ):
        total = energy - dn * -0.5 + q * level + strength * c
        weights.append(np.exp(np.clip(-total / thermal, -700.0, 300.0)))
    for d, c in enumerate(fractions):
        crowd = sum(weights) if shared else weights[d]
        assert c == pytest.approx(weights[d] / (1.0 + crowd / 0.4), rel=1e-6, abs=1e-100)


def test_repulsion_thins_and_attraction_thickens() -> None:
    sample = bulk(electrons=False)
    plain, repelled, attracted = (
        solve_stack(
            Metal(-1.5),
            [StackLayer(sample, 5.0, interaction_eV=[w, 0.0, 0.0])],
            Metal(sample.neutral_potential_V),
        ).sheet_charge_e_nm2[0]
        for w in (0.0, 0.5, -0.2)
    )
    assert repelled < plain < attracted


def test_vanishing_interaction_is_none() -> None:
    sample = bulk()
    ends = (Metal(-1.0), Metal(sample.neutral_potential_V))
    plain = solve_stack(ends[0], [StackLayer(sample, 5.0)], ends[1])
    tiny = solve_stack(ends[0], [StackLayer(sample, 5.0, interaction_eV=[1e-9] * 3)], ends[1])
    assert tiny.sheet_charge_e_nm2 == pytest.approx(plain.sheet_charge_e_nm2, rel=1e-7, abs=1e-9)


def test_mu_along_the_layer() -> None:
    """At every node the charge is that of a layer with the mu of that place."""
    sample = bulk()
    profile = GradedProfile(np.array([0.0, 6.0]), np.array([-0.1, -0.9]))
    solved = solve_stack(Metal(0.0), [StackLayer(sample, 6.0, mu_eV=profile)], Metal(0.4)).layers[0]
    local = bulk(mu_eV=profile(solved.x_nm))
    state = local.thermodynamics()
    expected = state.evaluate((solved.phi_V - local.neutral_potential_V) / state.kT_eV)[1]
    assert solved.charge_density_e_nm3 == pytest.approx(expected, rel=1e-5, abs=1e-9)
    assert np.all(np.diff(solved.electrons_cm3 * np.exp(-solved.phi_V / state.kT_eV)) < 0.0)


def test_mu_does_not_matter_to_ions() -> None:
    sample = bulk(ion_change=[1.0, -1.0, 2.0], electrons=False)
    given_, without = (
        solve_stack(Metal(0.0), [StackLayer(sample, 6.0, mu_eV=mu)], Metal(1.0))
        for mu in (lambda x: -0.1 * x, None)
    )
    assert given_.sheet_charge_e_nm2 == pytest.approx(without.sheet_charge_e_nm2, rel=1e-9)


def test_energy_shift_is_another_phase() -> None:
    """A core layer of constant energies equals a layer of its own phase."""
    shift = np.array([0.2, -0.3, 0.1])
    core = GradedProfile(np.array([1.5, 1.5]), np.array([1.0, 0.0]))
    sample = bulk()
    shifted = bulk(formation_energy_eV=np.array([-1.4, 1.8, -2.5]) + shift)
    by_profile = solve_stack(
        Metal(0.0),
        [
            StackLayer(
                sample,
                6.0,
                energy_shift_eV=[GradedProfile(core.x_nm, a * core.values) for a in shift],
            )
        ],
        Metal(1.0),
    )
    by_layers = solve_stack(
        Metal(0.0), [StackLayer(shifted, 1.5), StackLayer(sample, 4.5)], Metal(1.0)
    )
    assert by_profile.sheet_charge_e_nm2 == pytest.approx(
        by_layers.sheet_charge_e_nm2[[0, 2]], rel=1e-7
    )
    assert by_profile.resistance_ohm_cm2[0] == pytest.approx(
        np.sum(by_layers.resistance_ohm_cm2), rel=1e-6
    )


def test_layers_with_other_defects_keep_their_order() -> None:
    """Padding to a common number of defects changes neither energies nor interactions."""
    one = bulk()
    other = bulk(
        charge=[-1.0],
        ion_change=[-1.0],
        formation_energy_eV=[1.5],
        site_density_cm3=[1e21],
        saturation=1.0,
        degeneracy=1.0,
        migration_energy_eV=0.2,
        sublattice=None,
    )
    solved = solve_stack(
        Metal(0.0),
        [
            StackLayer(other, 3.0, energy_shift_eV=[0.05], interaction_eV=[0.1]),
            StackLayer(one, 5.0, energy_shift_eV=[0.0, 0.1, 0.2], interaction_eV=[0.1, 0.0, 0.2]),
        ],
        Metal(0.5),
    )
    first, second = solved.layers
    assert first.concentrations_cm3.shape[-1] == 1
    assert second.concentrations_cm3.shape[-1] == 3
    for layer, charges in ((first, [-1.0]), (second, [1.0, -1.0, 2.0])):
        ions = layer.concentrations_cm3 @ np.array(charges)
        total = (ions + layer.holes_cm3 - layer.electrons_cm3) * CM3_PER_NM3
        assert layer.charge_density_e_nm3 == pytest.approx(total, rel=1e-9, abs=1e-12)


def test_profiles_over_a_batch() -> None:
    """A function of the place may differ from stack to stack."""
    sample = bulk(electrons=False)
    depth = np.array([0.5, 1.0, 2.0])
    batch = StackLayer(
        sample,
        np.array([4.0, 5.0, 60.0]),
        fixed_charge_cm3=lambda x: 1e20 * np.exp(-x / depth[:, None]),
    )
    together = solve_stack(Metal(0.0), [batch], Metal(0.3)).sheet_charge_e_nm2
    for i, thickness in enumerate([4.0, 5.0, 60.0]):
        one = StackLayer(
            sample, thickness, fixed_charge_cm3=lambda x, w=depth[i]: 1e20 * np.exp(-x / w)
        )
        alone = solve_stack(Metal(0.0), [one], Metal(0.3)).sheet_charge_e_nm2
        assert together[i] == pytest.approx(alone, rel=1e-7, abs=1e-9)


def test_profile_tables() -> None:
    table = GradedProfile(np.array([1.0, 2.0, 2.0]), np.array([3.0, 5.0, 7.0]))
    assert table(np.array([0.0, 1.5, 2.5])) == pytest.approx([3.0, 4.0, 7.0])
    with pytest.raises(ValueError, match="ascend"):
        GradedProfile(np.array([2.0, 1.0]), np.array([0.0, 0.0]))
    with pytest.raises(ValueError, match="same length"):
        GradedProfile(np.array([1.0]), np.array([0.0, 0.0]))
