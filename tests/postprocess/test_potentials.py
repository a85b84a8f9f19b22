"""Averages of potentials and the levels that follow from them, on analytic potentials."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure

from interohm.postprocess.calculation import Calculation, PlanarPotential
from interohm.postprocess.levels import (
    band_edges,
    slab_center,
    slab_thickness,
    work_function,
)
from interohm.postprocess.potentials import macroscopic_average, vacuum_level

HEIGHT, PERIOD = 30.0, 2.0
INSIDE, VACUUM = -6.0, 4.0


Make = Callable[..., Calculation]


def slab(make: Make, *, shift_A: float = 0.0, points: int = 1200) -> Calculation:
    """A slab of ten layers with atoms' wiggles inside and a flat vacuum outside."""
    z = np.arange(points) * HEIGHT / points
    place = (z - shift_A) % HEIGHT
    inside = (place > 5) & (place < 25)
    values = np.where(inside, INSIDE + 3 * np.cos(2 * np.pi * place / PERIOD), VACUUM)
    layers = (np.arange(6, 25, PERIOD) + shift_A) / HEIGHT
    structure = Structure(
        Lattice.orthorhombic(3, 3, HEIGHT), ["Li"] * len(layers), [[0, 0, h] for h in layers]
    )
    potential = PlanarPotential(height_A=HEIGHT, potential_eV=values.tolist())
    return make(structure, planar_potential=potential)


def bulk(make: Make, **changes: object) -> Calculation:
    structure = Structure(Lattice.cubic(PERIOD), ["Li"], [[0, 0, 0]])
    wiggle = 3 * np.cos(2 * np.pi * np.arange(20) / 20)
    potential = PlanarPotential(height_A=PERIOD, potential_eV=wiggle.tolist())
    return make(structure, planar_potential=potential, **changes)


def test_a_window_of_one_period_removes_the_atoms() -> None:
    points = 300
    z = np.arange(points) * HEIGHT / points
    wave = PlanarPotential(
        height_A=HEIGHT, potential_eV=(1.5 + np.sin(2 * np.pi * z / PERIOD)).tolist()
    )
    assert macroscopic_average(wave, PERIOD) == pytest.approx(np.full(points, 1.5), abs=1e-12)
    # A window of half a period leaves 2/pi of the wave, two of them the square of that.
    left = np.ptp(macroscopic_average(wave, PERIOD / 2))
    assert left == pytest.approx(2 * (2 / np.pi) ** 2, rel=1e-2)


@given(
    strain=st.floats(-0.02, 0.02),
    place=st.floats(0, PERIOD),
    swing_eV=st.floats(0, 20),
    planes=st.integers(1, 4),
)
def test_planes_that_relaxed_apart_cost_the_square_of_their_strain(
    strain: float, place: float, swing_eV: float, planes: int
) -> None:
    points = 1200
    z = np.arange(points) * HEIGHT / points
    period = PERIOD * (1 + strain)
    values = np.where(
        np.abs(z - 15) < 10, 1.5 + swing_eV * np.cos(2 * np.pi * (z - place) / period), 0.0
    )
    relaxed = PlanarPotential(height_A=HEIGHT, potential_eV=values.tolist())

    # a crystal may repeat after several planes only
    inside = macroscopic_average(relaxed, planes * PERIOD, 20.0)[points // 2]

    # One average leaves |strain| of the swing, up to 0.4 eV here.
    allowed = swing_eV * (2 * strain**2 + 0.002) + 1e-9
    assert inside == pytest.approx(1.5, abs=allowed)


def test_a_slab_too_thin_for_a_second_window_is_averaged_once(make_calculation: Make) -> None:
    surface = slab(make_calculation)
    assert slab_thickness(surface) == pytest.approx(18.0)
    # a period of eight planes: a second window would reach beyond both surfaces
    edges = band_edges(bulk(make_calculation, vbm_eV=1.0, cbm_eV=9.0), surface, 8 * PERIOD)
    assert edges.ionization_potential_eV == pytest.approx(9.0, abs=0.02)


@pytest.mark.parametrize("shift_A", [0.0, 7.3, 15.0, 22.1])
def test_levels_do_not_depend_on_where_the_slab_sits(
    make_calculation: Make, shift_A: float
) -> None:
    surface = slab(make_calculation, shift_A=shift_A)
    assert slab_center(surface) == pytest.approx((15.0 + shift_A) % HEIGHT, abs=1e-9)
    edges = band_edges(bulk(make_calculation, vbm_eV=1.0, cbm_eV=9.0), surface, PERIOD)
    # The vacuum is 10 eV above the average inside, the valence band 1 eV above it.
    assert edges.ionization_potential_eV == pytest.approx(9.0, abs=0.02)
    assert edges.band_gap_eV == pytest.approx(8.0)
    assert work_function(surface) == pytest.approx(VACUUM - 0.5)


def test_a_tilted_vacuum_is_refused() -> None:
    z = np.arange(300) / 300
    tilted = PlanarPotential(height_A=HEIGHT, potential_eV=(5 * np.sin(2 * np.pi * z)).tolist())
    with pytest.raises(ValueError, match="not flat"):
        vacuum_level(tilted, 15.0)


def test_a_metal_has_no_band_edges(make_calculation: Make) -> None:
    with pytest.raises(ValueError, match="no band gap"):
        band_edges(bulk(make_calculation), slab(make_calculation), PERIOD)
