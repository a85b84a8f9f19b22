"""Layers in which electrons conduct as well: closed forms, a transfer matrix, limits."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from interohm.device_models import (
    Chain,
    Crossing,
    ElectronMobility,
    Phase,
    half_space,
    neutral_bulk,
    solve_chain,
    thick_layer,
)
from interohm.device_models.impedance.response import response
from interohm.device_models.impedance.segment import charge_of
from interohm.device_models.phase import Array

from .uniform import FARAD_CM, uniform

EPS = 0.5


def _mixed(
    length_nm: float, capacitance: Array, sigma: tuple[float, float], *, blocked: bool, r: float
) -> Chain:
    contact = Crossing(np.array([r]), np.array([2.0 * r]), blocked=blocked)
    return Chain([contact, uniform(length_nm, EPS, capacitance, np.diag(sigma)), contact], 2)


@pytest.mark.parametrize("debye_lengths", [194.0, 1940.0, 19400.0])
def test_jamnik_maier(debye_lengths: float) -> None:
    """Blocking for ions, open for electrons; what is left out is of the order lambda/L."""
    capacitance = np.array([[0.01, 0.001], [0.001, 0.004]])
    ions, electrons = 1e-5, 2e-6
    length_nm = debye_lengths * float(np.sqrt(EPS / np.sum(capacitance)))
    length = length_nm * 1e-7
    chemical = np.linalg.det(capacitance) / np.sum(capacitance) * FARAD_CM * 1e14
    time = length**2 * chemical * (1.0 / ions + 1.0 / electrons) / 4.0
    frequency = np.geomspace(1e-3, 10.0, 60) / (2.0 * np.pi * time)
    chain = _mixed(length_nm, capacitance, (ions, electrons), blocked=True, r=0.0)
    z = solve_chain(chain, frequency[0], frequency[-1]).impedance_ohm_cm2(frequency)[0]
    root = np.sqrt(2j * np.pi * frequency * time)
    fast, slow = length / (ions + electrons), length / electrons
    expected = fast + (slow - fast) * np.tanh(root) / root
    # 6, 0.7 and 0.07 %
    deviation = np.max(np.abs(z / expected - 1.0))
    assert 10.0 / debye_lengths < deviation < 14.0 / debye_lengths


@settings(deadline=None, max_examples=15)
@given(
    length=st.floats(0.5, 6.0),
    trapped=st.floats(-0.9, 0.9),
    ratio=st.floats(-2.0, 2.0),
    stored=st.floats(-2.0, 1.0),
)
@example(length=6.0, trapped=0.9, ratio=-2.0, stored=1.0)
@example(length=3.0, trapped=0.0, ratio=-2.0, stored=1.0)
def test_transfer_matrix(length: float, trapped: float, ratio: float, stored: float) -> None:
    """The exponential of the six equations of a uniform layer."""
    ii, ee = 0.01, 0.01 * 10.0**stored
    ie = trapped * np.sqrt(ii * ee)
    capacitance = np.array([[ii, ie], [ie, ee]])
    sigma = (1e-5, 1e-5 * 10.0**ratio)
    length_nm = length * float(np.sqrt(EPS / np.sum(capacitance)))
    eps = EPS * FARAD_CM
    frequency = np.geomspace(1e-3, 10.0, 9) * sigma[0] / eps / (2.0 * np.pi)
    chain = _mixed(length_nm, capacitance, sigma, blocked=True, r=0.0)
    z = solve_chain(chain, frequency[0], frequency[-1]).impedance_ohm_cm2(frequency)[0]
    per_volume = capacitance * FARAD_CM * 1e14
    for found, s in zip(z, 2j * np.pi * frequency, strict=True):
        # V_i, V_e, phi, j_i, j_e, j_d
        matrix = np.zeros((6, 6), dtype=complex)
        matrix[0, 3], matrix[1, 4], matrix[2, 5] = -1.0 / sigma[0], -1.0 / sigma[1], -1.0 / s / eps
        for k in range(2):
            matrix[3 + k, :2] = -s * per_volume[k]
            matrix[3 + k, 2] = s * np.sum(per_volume[k])
        matrix[5] = -matrix[3] - matrix[4]
        # exponentials that grow and decay by up to e^90 take more digits than a double has
        with mpmath.workdps(120):
            half = mpmath.expm(mpmath.matrix(matrix.tolist()) * (length_nm * 1e-7 / 2.0))
            # 1 V on the left, no ions from there, and 0 V in the middle
            unknown = mpmath.matrix(
                [[half[row, column] for column in (0, 4, 5)] for row in range(3)]
            )
            known = mpmath.matrix([-(half[row, 1] + half[row, 2]) for row in range(3)])
            answer = mpmath.lu_solve(unknown, known)
            expected = complex(2.0 / (answer[1] + answer[2]))
        assert found == pytest.approx(expected, rel=1e-6)


@settings(deadline=None, max_examples=25)
@given(
    length=st.floats(1.0, 5.0),
    ratio=st.floats(-6.0, 3.0),
    stored=st.floats(-8.0, 1.0),
    r=st.floats(-3.0, 3.0),
)
def test_both_carriers_conduct_in_parallel(
    length: float, ratio: float, stored: float, r: float
) -> None:
    capacitance = np.diag([0.01, 0.01 * 10.0**stored])
    sigma = (1e-5, 1e-5 * 10.0**ratio)
    chain = _mixed(10.0**length, capacitance, sigma, blocked=False, r=10.0**r)
    found = solve_chain(chain, 1e-3, 1e7)
    sheets = [10.0 ** (length - 7.0) / one for one in sigma]
    conductance = 1.0 / (sheets[0] + 2.0 * 10.0**r) + 1.0 / (sheets[1] + 4.0 * 10.0**r)
    assert found.dc_ohm_cm2[0] * conductance == pytest.approx(1.0, rel=1e-9)
    assert np.all(found.resistance_ohm_cm2 >= 0.0)
    z = found.impedance_ohm_cm2(np.geomspace(1e-3, 1e7, 31))
    assert np.all(z.real >= 0.0)
    assert np.all(z.imag <= 0.0)


def _conductor(mass: float = 1.0) -> Phase:
    """Ions that trap electrons, on a sublattice that they share, and bands near by."""
    return Phase(
        ionization_potential_eV=5.0,
        band_gap_eV=1.2,
        dielectric_constant=10.0,
        charge=[1.0, 0.0, -1.0],
        ion_change=[1.0, 1.0, -1.0],
        formation_energy_eV=[-0.3, 0.1, 1.1],
        site_density_cm3=[1e21, 1e21, 2e21],
        sublattice=(0, 0, 1),
        migration_energy_eV=[0.3, 0.4, 0.35],
        hop_distance_nm=0.3,
        electron_mass=mass,
    )


def test_the_parts_of_the_response_add_up_to_the_slope_of_the_charge() -> None:
    bulk = neutral_bulk(_conductor(), temperature_K=600.0, metal_work_function_eV=3.0).ravel((1,))
    charge = charge_of(bulk)
    phi = bulk.neutral_potential_V + np.linspace(-1.0, 1.0, 21)[:, None]
    held = ElectronMobility(
        np.array([10.0]), np.array([1.0]), [np.ones(1), np.ones(1), -np.ones(1)]
    )
    answer = response(charge, phi, held).capacitance_e_V_nm3
    assert np.sum(answer, axis=(0, 1)) == pytest.approx(-charge.charge(phi)[1], rel=1e-10)
    assert np.all(np.linalg.eigvalsh(np.moveaxis(answer, (0, 1), (-2, -1))) >= -1e-18)
    # as the densities change where the potential of one carrier alone does
    step = 1e-5
    numbers = [
        sum(
            a * c
            for a, c in zip((1.0, 1.0, -1.0), charge.concentrations_nm3(phi + d)[0], strict=True)
        )
        for d in (step, -step)
    ]
    slope = -(numbers[0] - numbers[1]) / (2.0 * step)
    assert answer[0, 0] + answer[0, 1] == pytest.approx(slope, rel=1e-5, abs=1e-12)


def test_electrons_carry_what_their_density_says() -> None:
    """A mixed conductor with its space charges: both resistances, in parallel."""
    bulk = neutral_bulk(_conductor(), temperature_K=600.0, metal_work_function_eV=3.0).ravel((1,))
    ends = [half_space(bulk, bulk.neutral_potential_V + drop) for drop in (-0.2, 0.1)]
    thickness = np.array([3e3]) * bulk.debye_length_nm
    held = ElectronMobility(np.array([3.0]), np.array([0.5]), [np.ones(1), np.ones(1), -np.ones(1)])
    parts = thick_layer(ends[0], ends[1], thickness, held)
    chain = Chain([Crossing(np.array([2.0]), np.array([1.0])), *parts], 2)
    chain = Chain([*chain.parts, Crossing(np.array([1.0]), np.array([3.0]))], 2)
    matrix = sum(part.resistance_ohm_cm2[..., 0] for part in parts) + np.diag([3.0, 4.0])
    expected = 1.0 / np.sum(np.linalg.inv(matrix))
    assert solve_chain(chain, 1e-3, 1e7).dc_ohm_cm2[0] == pytest.approx(expected, rel=1e-9)
    middle = parts[1]
    e = 1.602176634e-19
    bands = e * (3.0 * bulk.electrons_cm3 + 0.5 * bulk.holes_cm3)
    sigma = np.linalg.inv(middle.resistivity_ohm_cm[..., 0, 0, 0])
    assert sigma[0, 0] + 2.0 * sigma[0, 1] + sigma[1, 1] == pytest.approx(
        float(bulk.conductivity_S_cm[0] + bands[0]), rel=1e-6
    )
