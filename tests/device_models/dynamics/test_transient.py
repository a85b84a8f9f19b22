"""Ions and potential in time against the linear response, static profiles and closed forms."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import pytest

from interohm.device_models import (
    Bulk,
    ButlerVolmer,
    Chain,
    Crossing,
    half_space,
    neutral_bulk,
    solve_chain,
    thick_layer,
)
from interohm.device_models.constants import ELEMENTARY_CHARGE_C
from interohm.device_models.dynamics.finite_volumes import (
    Electrode,
    Static,
    TransientStack,
    Volumes,
    equilibrium,
    nodes_nm,
)
from interohm.device_models.dynamics.linear import step_relaxations
from interohm.device_models.dynamics.transient import Transient, run
from interohm.device_models.impedance.segment import charge_of
from interohm.device_models.phase import Array

from ..phases import METAL_eV, symmetric

KT = 8.617333262e-5 * 300.0


@cache
def bulk_of(formation_energy_eV: float = 0.3, temperature_K: float = 300.0) -> Bulk:
    """Vacancies and interstitials of equal number and mobility, on all sites."""
    phase = symmetric(formation_energy_eV, saturation=1.0)
    found = neutral_bulk(phase, temperature_K=temperature_K, metal_work_function_eV=METAL_eV)
    return found.ravel()


class Made(NamedTuple):
    bulk: Bulk
    debye_nm: float
    length_nm: float
    permittivity: float
    neutral_V: float
    stack: TransientStack

    @property
    def guess(self) -> Array:
        return np.full(self.stack.layers[0].x_nm.size, self.neutral_V)

    @property
    def time_s(self) -> float:
        """eps/sigma."""
        sigma = float(self.bulk.conductivity_S_cm[0])
        return self.permittivity * 1e7 * ELEMENTARY_CHARGE_C / sigma


def layer_between(
    debye_lengths: float,
    *,
    ends_V: tuple[float, float] = (0.0, 0.0),
    transfer_ohm_cm2: float | None = None,
    finest: float = 0.1,
    bulk: Bulk | None = None,
) -> Made:
    """A layer between electrodes whose potentials differ from the neutral one by `ends_V`."""
    bulk = bulk or bulk_of()
    debye = float(bulk.debye_length_nm[0])
    length = debye_lengths * debye
    eps = float(bulk.thermodynamics().permittivity_e_V_nm[0])
    # carriers that accumulate screen within less than a Debye length
    first = 0.01 * finest * debye
    x = nodes_nm(length, finest * debye, (10.0 * debye, 10.0 * debye), first_nm=(first, first))
    neutral = float(bulk.neutral_potential_V[0])
    layer = Volumes(x, np.full(x.size - 1, eps), np.zeros(x.size - 1), charge_of(bulk), (x.size, 1))
    law = None
    if transfer_ohm_cm2 is not None:
        law = ButlerVolmer(np.asarray(KT / transfer_ohm_cm2), np.asarray(300.0))
    stack = TransientStack(
        Electrode(neutral + ends_V[0]),
        [layer],
        Electrode(neutral + ends_V[1]),
        np.zeros(2),
        np.zeros(2),
        [law, law],
    )
    return Made(bulk, debye, length, eps, neutral, stack)


def stepped(made: Made, by_V: float, times: Array, tolerance: float = 1e-6) -> Transient:
    """After a step of the voltage of a cell in equilibrium."""
    start = equilibrium(made.stack, made.guess)
    scale = made.permittivity * min(abs(by_V), 0.1) / made.debye_nm
    return run(made.stack, start, times, hold_V=by_V, scale_e_nm2=scale, tolerance=tolerance)


@pytest.mark.parametrize("debye_lengths", [20.0, 50.0, 100.0])
def test_charging_time_tends_to_half_of_debye_times_distance(debye_lengths: float) -> None:
    made = layer_between(debye_lengths)
    unit = made.debye_nm * made.length_nm / made.debye_nm**2 * made.time_s
    found = stepped(made, 1e-4, np.linspace(0.2, 6.0, 30) * unit, tolerance=1e-7)
    passed = found.passed_e_nm2[:, made.stack.size // 2]
    # what a linear double layer takes up on each side: a capacitor eps/lambda
    expected = made.permittivity * 0.5e-4 / made.debye_nm
    assert passed[-1] == pytest.approx(expected, rel=2e-3)
    left = 1.0 - passed[:8] / passed[-1]
    rate = -np.polyfit(found.time_s[:8], np.log(left), 1)[0]
    assert 1.0 / (rate * unit) == pytest.approx(0.5, abs=0.6 / debye_lengths)
    assert 1.0 / (rate * unit) < 0.5


@pytest.mark.parametrize("transfer", [None, 0.3])
def test_a_small_step_is_the_sum_of_exponentials_of_the_impedance(transfer: float | None) -> None:
    # a space charge of several kT on both sides, and contacts as resistive as the layer
    plain = layer_between(40.0, ends_V=(0.12, -0.08), finest=0.05)
    resistance = plain.length_nm * 1e-7 / float(plain.bulk.conductivity_S_cm[0])
    ohm = None if transfer is None else transfer * resistance
    made = layer_between(40.0, ends_V=(0.12, -0.08), finest=0.05, transfer_ohm_cm2=ohm)
    sides = [half_space(made.bulk, np.array([made.neutral_V + shift])) for shift in (0.12, -0.08)]
    contact = Crossing(np.array([0.0 if ohm is None else ohm]), blocked=transfer is None)
    chain = Chain([contact, *thick_layer(*sides, np.array([made.length_nm])), contact])
    relaxations = solve_chain(chain, 1e-5 / made.time_s, 1e3 / made.time_s)
    times, amplitudes, stays = step_relaxations(relaxations)
    moments = np.geomspace(0.3, 300.0, 25) * made.time_s
    expected = stays + np.sum(amplitudes * np.exp(-moments[:, None] / times), axis=1)
    found = stepped(made, 1e-5, moments, tolerance=1e-7)
    current = found.current_A_cm2 / 1e-5
    assert np.max(np.abs(current - expected)) < 5e-3 * np.max(expected)
    if transfer is not None:
        assert stays == pytest.approx(1.0 / float(chain.dc_ohm_cm2[0]), rel=1e-6)


def test_without_a_current_the_voltage_relaxes_by_the_poles() -> None:
    made = layer_between(40.0, transfer_ohm_cm2=None, finest=0.05)
    resistance = made.length_nm * 1e-7 / float(made.bulk.conductivity_S_cm[0])
    made = layer_between(40.0, transfer_ohm_cm2=resistance, finest=0.05)
    held = stepped(made, 1e-4, np.array([3e3]) * made.time_s)
    rested = equilibrium(made.stack, made.guess)
    # what a long step has left, released
    start = Static(
        held.psi_V[-1],
        held.density_e_nm3[-1],
        rested.displacement_e_nm2 + held.total_e_nm2[-1] - held.passed_e_nm2[-1],
    )
    moments = np.linspace(0.1, 3.0, 20) * made.time_s * 40.0
    scale = made.permittivity * 1e-4 / made.debye_nm
    found = run(made.stack, start, moments, hold_V=None, scale_e_nm2=scale)
    neutral = np.array([made.neutral_V])
    side = half_space(made.bulk, neutral)
    contact = Crossing(np.array([resistance]))
    chain = Chain([contact, *thick_layer(side, side, np.array([made.length_nm])), contact])
    relaxations = solve_chain(chain, 1e-5 / made.time_s, 1e3 / made.time_s)
    r, tau = relaxations.resistance_ohm_cm2[0], relaxations.time_s[0]
    # after an infinite time under a constant current every element holds R·j
    expected = np.sum(r * np.exp(-moments[:, None] / tau), axis=1) / np.sum(r)
    assert np.max(np.abs(found.voltage_V / 1e-4 - expected)) < 5e-3


def test_layers_that_are_joined_form_the_static_space_charge() -> None:
    made = layer_between(30.0, ends_V=(0.25, -0.15), transfer_ohm_cm2=1e-3)
    static = equilibrium(made.stack, made.guess)
    neutral = Static(made.guess, np.zeros_like(made.guess), np.zeros(made.stack.size))
    whole = made.permittivity * 0.1 / made.debye_nm
    end = np.array([1e3, 1e5]) * made.time_s
    found = run(made.stack, neutral, end, hold_V=None, scale_e_nm2=whole)
    assert np.max(np.abs(found.psi_V[-1] - static.psi_V)) < 1e-4
    assert abs(found.voltage_V[-1]) < 1e-5
    # and that is the one of the first integral
    side = half_space(made.bulk, np.array([made.neutral_V + 0.25]))
    exact = float(side.sheet_charge_e_nm2[0])
    inside = made.stack.layers[0].x_nm < made.length_nm / 2.0
    charge = np.sum((static.density_e_nm3 * made.stack.volume_nm)[inside])
    assert charge == pytest.approx(exact, rel=1e-2)


def test_ions_are_conserved_to_rounding() -> None:
    made = layer_between(20.0, ends_V=(0.1, 0.0))
    found = stepped(made, 0.4, np.geomspace(0.1, 300.0, 12) * made.time_s)
    total = found.density_e_nm3 @ made.stack.volume_nm
    size = np.abs(found.density_e_nm3) @ made.stack.volume_nm
    # nothing crosses a blocked contact
    assert np.max(np.abs(total - total[0]) / size) < 1e-13
    assert np.max(np.abs(found.passed_e_nm2[:, [0, -1]])) < 1e-15 * np.max(size)


@pytest.mark.parametrize("by_V", [0.2, -0.6])
def test_the_free_energy_falls(by_V: float) -> None:
    made = layer_between(20.0)
    start = equilibrium(made.stack, made.guess)
    moments = np.geomspace(0.01, 300.0, 30) * made.time_s
    # a charge that is displaced and left alone: no work is done on it
    held = stepped(made, by_V, np.array([200.0]) * made.time_s)
    pushed = Static(
        held.psi_V[-1],
        held.density_e_nm3[-1],
        start.displacement_e_nm2 - held.passed_e_nm2[-1],
    )
    scale = made.permittivity * 0.1 / made.debye_nm
    found = run(made.stack, pushed, moments, hold_V=None, scale_e_nm2=scale)
    state = made.bulk.thermodynamics()
    layer = made.stack.layers[0]
    energy = []
    for passed, psi, density in zip(
        found.passed_e_nm2, found.psi_V, found.density_e_nm3, strict=True
    ):
        displacement = (pushed.displacement_e_nm2 - passed)[1:-1]
        field = np.sum(displacement**2 * layer.step_nm) / (2.0 * made.permittivity)
        excess, _ = state.evaluate(((psi - made.neutral_V) / KT)[:, None])
        # dF/drho = −psi, and the pressure's derivative is −rho
        chemical = -excess[:, 0] - density * (psi - made.neutral_V)
        energy.append(field + np.sum(chemical * layer.volume_nm))
    assert np.all(np.diff(energy) < 1e-9 * energy[0])
    assert energy[-1] < 1e-2 * energy[0]


def test_large_steps_slow_dilute_layers_and_saturation_speeds_them_up() -> None:
    dilute = symmetric(0.3, site_density_cm3=3e24, saturation=1.0)
    bulk = neutral_bulk(dilute, temperature_K=300.0, metal_work_function_eV=METAL_eV).ravel()
    scarce = bulk_of(0.06)

    def half_time(made: Made, by_V: float) -> float:
        unit = made.debye_nm * made.length_nm / made.debye_nm**2 * made.time_s
        moments = np.geomspace(0.02, 40.0, 80) * unit
        passed = stepped(made, by_V, moments).passed_e_nm2[:, made.stack.size // 2]
        return float(np.interp(1.0 - np.exp(-1.0), passed / passed[-1], moments)) / unit

    small = half_time(layer_between(20.0, bulk=bulk), 1e-4)
    assert half_time(layer_between(20.0, bulk=bulk), 8.0 * KT) > 1.3 * small
    saturated = half_time(layer_between(20.0, bulk=scarce), 40.0 * KT)
    assert saturated < half_time(layer_between(20.0, bulk=bulk), 8.0 * KT)


def test_nodes_cover_the_layer_and_never_jump() -> None:
    x = nodes_nm(1e5, 0.3, (20.0, 7.0), first_nm=(0.001, 0.01))
    assert x[0] == 0.0
    assert x[-1] == 1e5
    steps = np.diff(x)
    assert np.all(steps > 0.0)
    inside = x[1:] < 4e4
    assert np.max(steps[1:][inside[1:]] / steps[:-1][inside[1:]]) < 1.2
