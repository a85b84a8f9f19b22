"""Line-up, dipole, charge transfer and barriers against what is known in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interohm.postprocess.calculation import Calculation, MigrationPath, PlanarPotential
from interohm.postprocess.interfaces import (
    Middle,
    charge_transfer,
    dipole_V,
    hop_across,
    lowest_position,
    middle_of_side,
)

HEIGHT_A, POINTS = 24.0, 480
Z = np.arange(POINTS) * HEIGHT_A / POINTS


def potential(values: np.ndarray) -> PlanarPotential:
    return PlanarPotential(height_A=HEIGHT_A, potential_eV=values.tolist())


def test_the_middle_of_a_side_is_the_level_that_its_planes_swing_around() -> None:
    # Two crystals of different periods beside each other, 1.5 eV apart.
    left = 4.0 * np.cos(2 * np.pi * Z / 2.0)
    right = 1.5 + 3.0 * np.cos(2 * np.pi * Z / 1.5)
    values = np.where((Z < 6) | (Z > 18), left, right)

    middles = [
        middle_of_side(potential(values), 0.0, 2.0, 10.0),
        middle_of_side(potential(values), 12.0, 1.5, 10.0),
    ]

    assert middles[0].average_eV == pytest.approx(0.0, abs=0.01)
    assert middles[1].average_eV == pytest.approx(1.5, abs=0.01)
    assert max(middle.spread_eV for middle in middles) < 0.02


@pytest.mark.parametrize(("thickness_A", "averages"), [(10.0, 2), (6.0, 1)])
def test_planes_that_are_not_a_period_apart_are_told(thickness_A: float, averages: int) -> None:
    values = 5.0 * np.cos(2 * np.pi * Z / 2.0)

    # A window 2 % too wide leaves 2 % of the swing: sin(1.02·pi)/(1.02·pi); a second its square.
    middle = middle_of_side(potential(values), 12.0, 2.04, thickness_A)

    ripple = 5.0 * (-np.sin(0.02 * np.pi) / (1.02 * np.pi)) ** averages
    assert middle.average_eV == pytest.approx(ripple, rel=0.03)
    assert middle.spread_eV == pytest.approx(2 * abs(ripple), rel=0.03)


def test_a_field_in_the_middle_is_told() -> None:
    values = 0.05 * np.abs(Z - 12.0)

    assert middle_of_side(potential(values), 6.0, 2.0, 10.0).spread_eV == pytest.approx(
        0.1, rel=0.02
    )


@given(
    levels=st.tuples(*[st.floats(-10, 10)] * 4),
)
def test_the_dipole_puts_the_levels_where_the_averages_have_them(
    levels: tuple[float, float, float, float],
) -> None:
    left, right, left_vacuum, right_vacuum = levels
    dipole = dipole_V(Middle(left, 0), Middle(right, 0), left_vacuum, right_vacuum)

    # A level lies at −phi less its depth below the vacuum; a contact has phi_right − phi_left = Δ.
    edge_below_average = (0.7, 2.1)
    depths = (left_vacuum + edge_below_average[0], right_vacuum + edge_below_average[1])
    from_dipole = (-depths[1] - dipole) - (-depths[0])
    from_averages = (right - edge_below_average[1]) - (left - edge_below_average[0])
    assert from_dipole == pytest.approx(from_averages, abs=1e-9)
    # In the other order it changes its sign.
    assert dipole_V(Middle(right, 0), Middle(left, 0), right_vacuum, left_vacuum) == pytest.approx(
        -dipole, abs=1e-9
    )


def test_vacuum_levels_that_meet_have_no_dipole() -> None:
    assert dipole_V(Middle(-12.0, 0), Middle(-9.0, 0), 15.0, 12.0) == pytest.approx(0.0)


def test_charge_that_moved_across_a_gap() -> None:
    # Electrons from a sheet at 16 Å to one at 8 Å, and from 16 to 24 (= 0) by the other contact.
    density_A2, width = 0.02, 0.6

    def sheet(place: float) -> np.ndarray:
        away = (Z - place + HEIGHT_A / 2) % HEIGHT_A - HEIGHT_A / 2
        return np.exp(-(away**2) / (2 * width**2)) / (width * np.sqrt(2 * np.pi))

    electrons = density_A2 * (sheet(8.0) + sheet(0.0) - 2 * sheet(16.0))
    waves = 2 * np.pi * np.fft.rfftfreq(POINTS, d=HEIGHT_A / POINTS)
    transformed = np.fft.rfft(electrons)
    transformed[1:] /= 0.00552634936 * waves[1:] ** 2  # −(ε0/e²)·V'' = n
    transformed[0] = 0
    change = np.fft.irfft(transformed, n=POINTS)
    alone = np.sin(2 * np.pi * Z / HEIGHT_A), np.cos(4 * np.pi * Z / HEIGHT_A)

    moved = charge_transfer(
        potential(alone[0] + alone[1] + change),
        *(potential(one) for one in alone),
        left_middle_A=4.0,
        contact_A=12.0,
        right_middle_A=16.0,
    )

    assert moved.to_left_e_nm2 == pytest.approx(density_A2 * 100, rel=1e-3)
    # phi rises away from the electrons: σ/ε0 over the distance of the sheets, less what the field
    # lacks within the one that the path ends in, σ/ε0·∫erfc(z/(√2·w))dz.
    distance = 8.0 - width * np.sqrt(2 / np.pi)
    assert moved.step_V == pytest.approx(density_A2 / 0.00552634936 * distance, rel=1e-3)


def test_potentials_on_different_grids_are_refused() -> None:
    with pytest.raises(ValueError, match="different grids"):
        charge_transfer(
            potential(Z),
            potential(Z),
            PlanarPotential(height_A=HEIGHT_A, potential_eV=[0.0, 1.0]),
            left_middle_A=0,
            contact_A=6,
            right_middle_A=12,
        )


@given(
    place=st.floats(1.6, 2.9),
    stiffness=st.floats(0.1, 10),
    skew=st.floats(-0.3, 0.3),
)
def test_the_lowest_place_of_a_cubic_curve(place: float, stiffness: float, skew: float) -> None:
    gaps = [1.5, 2.0, 2.5, 3.0]
    energies = [-7 + stiffness * ((gap - place) ** 2 + skew * (gap - place) ** 3) for gap in gaps]

    found = lowest_position(gaps, energies)

    assert found.bracketed
    assert found.place == pytest.approx(place, abs=1e-6)


def test_a_curve_that_still_falls_is_not_bracketed() -> None:
    found = lowest_position([1.0, 1.5, 2.0, 2.5], [4.0, 3.0, 2.0, 1.0])

    assert not found.bracketed
    assert found.place == 2.5


def path_of(energies: list[float]) -> Calculation:
    return Calculation(
        hash="0" * 64,
        engine="gpaw",
        kind="neb",
        charge=0,
        settings={},
        initial_structure={},
        structure={},
        energy_eV=max(energies),
        electrons=1,
        fermi_level_eV=0,
        max_force_eV_A=0,
        site_potentials_eV=[],
        path=MigrationPath(
            coordinates_A=[float(place) for place in range(len(energies))],
            energies_eV=energies,
            symmetric=False,
        ),
        ionic_steps=1,
        wall_time_s=0,
        versions={},
    )


def test_the_barriers_both_ways_and_their_mean() -> None:
    hop = hop_across(path_of([-10.0, -9.6, -9.4, -9.7, -9.8]))

    assert hop.forward_eV == pytest.approx(0.6)
    assert hop.backward_eV == pytest.approx(0.4)
    assert hop.mean_eV == pytest.approx(0.5)
    assert hop.rise_eV == pytest.approx(0.2)


def test_a_path_that_only_rises_has_no_barrier_backwards() -> None:
    hop = hop_across(path_of([-10.0, -9.6, -9.4]))

    assert hop.backward_eV == 0.0
    assert hop.mean_eV == pytest.approx(hop.forward_eV / 2)
