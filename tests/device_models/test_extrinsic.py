"""Exact limits of what stands between an intrinsic resistance and a measured one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad, solve_ivp
from scipy.sparse import coo_array
from scipy.sparse.linalg import spsolve

from interohm.device_models.constants import BOLTZMANN_EV_K
from interohm.device_models.extrinsic import (
    apparent_ohm_cm2,
    arrhenius_factor,
    brick_layer_S_cm,
    constriction_ohm_cm2,
    contact_fraction,
    depleted_resistivity_ratio,
    effective_modulus_GPa,
    film_ohm_cm2,
    flux_tube_factor,
    interphase_thickness_nm,
)


def flux_tube_by_finite_volumes(ratio: float) -> float:
    """psi of a unit tube: cells of an axisymmetric mesh graded towards the edge of the spot."""

    def graded(length: float, fine: float) -> np.ndarray:
        edges, step = [0.0], fine
        while edges[-1] < length:
            edges.append(edges[-1] + step)
            step *= 1.08
        return np.array(edges) * length / edges[-1]

    inner = ratio - graded(ratio, 1e-3)[::-1]
    r = np.concatenate([inner, ratio + graded(1.0 - ratio, 1e-3)[1:]])
    z = graded(3.0, 1e-3)
    rows, columns, values = [], [], []
    nr, nz = r.size - 1, z.size - 1
    middle_r, middle_z = 0.5 * (r[1:] + r[:-1]), 0.5 * (z[1:] + z[:-1])
    rings = np.pi * (r[1:] ** 2 - r[:-1] ** 2)
    right = np.zeros(nr * nz)
    fixed = []

    def link(a: int, b: int, g: float) -> None:
        rows.extend((a, b, a, b))
        columns.extend((a, b, b, a))
        values.extend((g, g, -g, -g))

    for i in range(nr):
        for j in range(nz):
            here = i * nz + j
            if i + 1 < nr:
                area = 2 * np.pi * r[i + 1] * (z[j + 1] - z[j])
                link(here, here + nz, area / (middle_r[i + 1] - middle_r[i]))
            if j + 1 < nz:
                link(here, here + 1, rings[i] / (middle_z[j + 1] - middle_z[j]))
        if middle_r[i] < ratio:
            # the spot, at potential 1
            g = rings[i] / middle_z[0]
            rows.append(i * nz)
            columns.append(i * nz)
            values.append(g)
            right[i * nz] += g
            fixed.append((i * nz, g))
        # the far end, at potential 0
        end = i * nz + nz - 1
        rows.append(end)
        columns.append(end)
        values.append(rings[i] / (z[-1] - middle_z[-1]))
    matrix = coo_array((values, (rows, columns)), shape=(nr * nz, nr * nz)).tocsr()
    phi = spsolve(matrix, right)
    current = sum(g * (1.0 - phi[here]) for here, g in fixed)
    # less the uniform tube; psi counts in units of a single spot, 1/(4 a sigma)
    return float((1.0 / current - 3.0 / np.pi) * 4.0 * ratio)


def test_full_contact_is_the_intrinsic_resistance() -> None:
    assert constriction_ohm_cm2(1.0, 10.0, 4e-4) == 0.0
    assert apparent_ohm_cm2(3.0) == 3.0
    assert contact_fraction(1e6, 10.0, 0.1) == pytest.approx(1.0)
    assert contact_fraction(50.0, 100.0, 0.1, hardness_GPa=0.01) == 1.0


def test_a_single_spot() -> None:
    """One spot of radius a on an area so large that it does not matter: 1/(4 a sigma)."""
    radius_um, area_cm2, sigma = 2.0, 1.0, 1e-4
    fraction = np.pi * (radius_um * 1e-4) ** 2 / area_cm2
    found = constriction_ohm_cm2(fraction, radius_um, sigma) / area_cm2
    assert found == pytest.approx(1.0 / (4.0 * radius_um * 1e-4 * sigma), rel=1e-3)


@pytest.mark.parametrize("ratio", [0.3, 0.5, 0.7])
def test_flux_tube_factor_by_finite_volumes(ratio: float) -> None:
    assert flux_tube_factor(ratio) == pytest.approx(flux_tube_by_finite_volumes(ratio), rel=5e-3)


def test_flux_tube_factor_falls_from_one_to_none() -> None:
    ratios = np.linspace(0.0, 1.0, 101)
    factors = flux_tube_factor(ratios)
    assert factors[0] == 1.0
    assert factors[-1] == 0.0
    assert np.all(np.diff(factors) <= 0.0)


@given(pressure=st.floats(1e-4, 1e4), modulus=st.floats(1.0, 200.0), slope=st.floats(0.01, 1.0))
def test_contact_grows_with_pressure(pressure: float, modulus: float, slope: float) -> None:
    """Linear at small loads, with kappa; of Persson's theory with its own; never above 1."""
    found = contact_fraction(pressure, modulus, slope)
    reduced = 1e-3 * pressure / (modulus * slope)
    assert 0.0 < found <= 1.0
    assert found <= 2.0 * reduced * (1.0 + 1e-12)
    if reduced < 1e-3:
        assert found == pytest.approx(2.0 * reduced, rel=1e-5)
    persson = contact_fraction(pressure, modulus, slope, slope=np.sqrt(8.0 / np.pi))
    integral, _ = quad(lambda s: np.exp(-(s**2)), 0.0, min(np.sqrt(2.0) * reduced, 30.0))
    assert persson == pytest.approx(2.0 / np.sqrt(np.pi) * integral, rel=1e-6)


def test_effective_modulus() -> None:
    assert effective_modulus_GPa(10.0, 0.3, np.inf, 0.2) == pytest.approx(10.0 / 0.91)
    assert effective_modulus_GPa(10.0, 0.3, 10.0, 0.3) == pytest.approx(5.0 / 0.91)


def test_parabolic_growth() -> None:
    hours = np.array([0.0, 1.0, 100.0])
    found = interphase_thickness_nm(hours, parabolic_nm2_h=2.0, initial_nm=3.0)
    assert found**2 == pytest.approx(9.0 + 4.0 * hours)
    bare = interphase_thickness_nm(hours, parabolic_nm2_h=2.0)
    assert bare == pytest.approx(np.sqrt(4.0 * hours))


def test_linear_parabolic_growth() -> None:
    """Linear at first, parabolic at last, and the integral of dL/dt between."""
    k_p, k_l = 5.0, 0.2
    early = interphase_thickness_nm(1e-3, parabolic_nm2_h=k_p, linear_nm_h=k_l)
    assert early == pytest.approx(k_l * 1e-3, rel=1e-4)
    late = interphase_thickness_nm(1e9, parabolic_nm2_h=k_p, linear_nm_h=k_l)
    assert late == pytest.approx(np.sqrt(2.0 * k_p * 1e9), rel=1e-3)
    reaction = interphase_thickness_nm(300.0, linear_nm_h=k_l, initial_nm=1.0)
    assert reaction == pytest.approx(1.0 + k_l * 300.0)
    path = solve_ivp(
        lambda _, L: 1.0 / (L / k_p + 1.0 / k_l), (0.0, 300.0), [1.0], rtol=1e-10, atol=1e-12
    )
    found = interphase_thickness_nm(300.0, parabolic_nm2_h=k_p, linear_nm_h=k_l, initial_nm=1.0)
    assert found == pytest.approx(path.y[0, -1], rel=1e-7)


def test_rates_and_films() -> None:
    expected = 0.5 / BOLTZMANN_EV_K * (1 / 300.0 - 1 / 330.0)
    assert np.log(arrhenius_factor(0.5, 330.0, 300.0)) == pytest.approx(expected)
    assert arrhenius_factor(0.5, 300.0, 300.0) == 1.0
    assert film_ohm_cm2(10.0, 1e-8) == pytest.approx(100.0)
    both = apparent_ohm_cm2(
        2.0, contact_fraction=0.25, constriction_ohm_cm2=5.0, interphase_ohm_cm2=1.0
    )
    assert both == pytest.approx(17.0)


@given(st.floats(0.0, 1.0), st.floats(200.0, 600.0), st.sampled_from([1, 2]))
def test_depleted_boundary_by_quadrature(barrier: float, temperature: float, z: int) -> None:
    """The mean of exp(a s²) over the depleted half-width."""
    a = z * barrier / (BOLTZMANN_EV_K * temperature)
    expected, _ = quad(lambda s: np.exp(a * (s * s - 1.0)), 0.0, 1.0, epsrel=1e-12, limit=200)
    found = depleted_resistivity_ratio(barrier, temperature, z)
    assert found * np.exp(-a) == pytest.approx(expected, rel=1e-9)


def test_brick_layer() -> None:
    like_bulk = brick_layer_S_cm(1e-4, 1e-4, grain_size_nm=1e3, boundary_width_nm=1.0)
    assert like_bulk == pytest.approx(1e-4, rel=2e-3)
    # boundaries in series: (delta/d) of the length at their own conductivity
    blocked = brick_layer_S_cm(1e-4, 1e-9, grain_size_nm=1e3, boundary_width_nm=1.0)
    assert 1.0 / blocked == pytest.approx(1e4 + 1e-3 * 1e9)
    large = brick_layer_S_cm(1e-4, 1e-9, grain_size_nm=1e12, boundary_width_nm=1.0)
    assert large == pytest.approx(1e-4, rel=1e-6)
