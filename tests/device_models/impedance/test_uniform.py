"""The impedance of uniform layers against closed forms, and what holds for every chain."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interohm.device_models import Chain, Crossing, solve_chain

from .uniform import FARAD_CM, between, closed_form, host, uniform

FREQUENCIES = np.geomspace(1e-3, 1e7, 71)
LOGS = {
    "thickness": st.floats(-0.5, 6.0),
    "sigma": st.floats(-9.0, -2.0),
    "transfer": st.floats(-4.0, 6.0),
    "debye": st.floats(-1.5, 2.0),
}


def _layer(thickness: float, sigma: float, debye: float) -> dict[str, float]:
    """A layer of 10**thickness Debye lengths."""
    debye_nm = 10.0**debye
    return {
        "length_nm": debye_nm * 10.0**thickness,
        "permittivity": 1.1,
        "debye_nm": debye_nm,
        "sigma": 10.0**sigma,
    }


def _segment(layer: dict[str, float]):  # type: ignore[no-untyped-def]
    density = layer["permittivity"] / layer["debye_nm"] ** 2
    return uniform(
        layer["length_nm"],
        layer["permittivity"],
        np.array([[density]]),
        np.array([[layer["sigma"]]]),
    )


@settings(deadline=None, max_examples=40)
@given(**LOGS)
def test_closed_form_with_charge_transfer(
    thickness: float, sigma: float, transfer: float, debye: float
) -> None:
    layer = _layer(thickness, sigma, debye)
    resistance = 10.0**transfer
    found = solve_chain(between([_segment(layer)], resistance), 1e-3, 1e7)
    expected = closed_form(FREQUENCIES, transfer=resistance, **layer)
    z = found.impedance_ohm_cm2(FREQUENCIES)[0]
    assert np.max(np.abs(z / expected - 1.0)) < 1e-5
    ohmic = layer["length_nm"] * 1e-7 / layer["sigma"]
    assert found.dc_ohm_cm2[0] == pytest.approx(ohmic + 2.0 * resistance, rel=1e-12)


@settings(deadline=None, max_examples=40)
@given(thickness=LOGS["thickness"], sigma=LOGS["sigma"], debye=LOGS["debye"])
def test_macdonalds_blocked_layer(thickness: float, sigma: float, debye: float) -> None:
    layer = _layer(thickness, sigma, debye)
    found = solve_chain(between([_segment(layer)], 1.0, blocked=True), 1e-3, 1e7)
    expected = closed_form(FREQUENCIES, transfer=np.inf, **layer)
    z = found.impedance_ohm_cm2(FREQUENCIES)[0]
    assert np.max(np.abs(z / expected - 1.0)) < 1e-5


def test_one_blocked_contact_is_enough() -> None:
    """The mean of both: each half of a thick layer has its contact alone."""
    layer = _layer(4.0, -4.0, 0.0)
    mixed = Chain([Crossing(np.array([3.0])), _segment(layer), Crossing(np.ones(1), blocked=True)])
    halves = [closed_form(FREQUENCIES, transfer=r, **layer) for r in (3.0, np.inf)]
    z = solve_chain(mixed, 1e-3, 1e7).impedance_ohm_cm2(FREQUENCIES)[0]
    assert np.max(np.abs(z / ((halves[0] + halves[1]) / 2.0) - 1.0)) < 1e-6


@settings(deadline=None, max_examples=20)
@given(thickness=st.floats(1.5, 5.0), resistance=st.floats(-2.0, 4.0), time=st.floats(-3.0, 6.0))
def test_diffusion_in_the_electrodes_is_in_series_with_charge_transfer(
    thickness: float, resistance: float, time: float
) -> None:
    layer = _layer(thickness, -5.0, 0.0)
    diffusion = host(10.0**resistance, 10.0**time)
    found = solve_chain(between([_segment(layer)], 20.0, diffusion=diffusion), 1e-3, 1e7)
    warburg = diffusion.impedance_ohm_cm2(2j * np.pi * FREQUENCIES)[0]
    expected = closed_form(FREQUENCIES, transfer=20.0 + warburg, **layer)
    z = found.impedance_ohm_cm2(FREQUENCIES)[0]
    assert np.max(np.abs(z / expected - 1.0)) < 5e-5
    # at long times each host is a capacitor, beside the space charge's
    double = layer["permittivity"] / layer["debye_nm"] * FARAD_CM / 1e-7
    inverse = 2.0 / (diffusion.capacitance_F_cm2[0] + double)
    assert found.inverse_capacitance_cm2_F[0] == pytest.approx(inverse, rel=1e-6)


def test_finite_length_warburg() -> None:
    diffusion = host(3.0, 50.0)
    s = 2j * np.pi * np.geomspace(1e-7, 1e10, 300)
    exact = diffusion.impedance_ohm_cm2(s)[0]
    resistance, time, rest = (part[..., 0] for part in diffusion.sections)
    sections = np.sum(resistance[:, None] / (1.0 + s * time[:, None]), axis=0)
    z = 1.0 / (s * diffusion.capacitance_F_cm2[0]) + sections + rest
    assert np.max(np.abs(z / exact - 1.0)) < 5e-6
    # 45 degrees, and a third of R_D beside the capacitor
    assert exact[200] == pytest.approx(3.0 / np.sqrt(50.0 * s[200]), rel=1e-6)
    assert exact[0].real == pytest.approx(1.0, rel=1e-4)


@settings(deadline=None, max_examples=30)
@given(**LOGS, blocked=st.booleans())
def test_passive_and_exactly_kramers_kronig(
    thickness: float, sigma: float, transfer: float, debye: float, blocked: bool
) -> None:
    layer = _layer(thickness, sigma, debye)
    found = solve_chain(between([_segment(layer)], 10.0**transfer, blocked=blocked), 1e-3, 1e7)
    # a sum of positive relaxations and a capacitor obeys the Kramers–Kronig relations
    assert np.all(found.resistance_ohm_cm2 >= 0.0)
    assert np.all(found.time_s >= 0.0)
    assert np.all(found.inverse_capacitance_cm2_F >= 0.0)
    z = found.impedance_ohm_cm2(FREQUENCIES)[0]
    assert np.all(z.real >= 0.0)
    assert np.all(z.imag <= 0.0)


@settings(deadline=None, max_examples=20)
@given(**LOGS)
def test_geometric_limit(thickness: float, sigma: float, transfer: float, debye: float) -> None:
    layer = _layer(thickness, sigma, debye)
    found = solve_chain(between([_segment(layer)], 10.0**transfer), 1e-3, 1e7)
    geometric = layer["permittivity"] * FARAD_CM / (layer["length_nm"] * 1e-7)
    fast = np.sum(found.resistance_ohm_cm2 / found.time_s)
    assert fast == pytest.approx(1.0 / geometric, rel=1e-5)


@settings(deadline=None, max_examples=20)
@given(**LOGS, factor=st.floats(-2.0, 2.0))
def test_scaling(
    thickness: float, sigma: float, transfer: float, debye: float, factor: float
) -> None:
    """Lengths in Debye lengths and times in eps/sigma leave one spectrum."""
    wide, fast = 10.0**factor, 10.0 ** (factor / 2.0)
    layer = _layer(thickness, sigma, debye)
    scaled = {
        **layer,
        "length_nm": wide * layer["length_nm"],
        "debye_nm": wide * layer["debye_nm"],
        "sigma": fast * layer["sigma"],
    }
    z = [
        solve_chain(between([_segment(one)], r), *ends).impedance_ohm_cm2(f)[0]
        for one, r, f, ends in (
            (layer, 10.0**transfer, FREQUENCIES, (1e-3, 1e7)),
            (
                scaled,
                10.0**transfer * wide / fast,
                fast * FREQUENCIES,
                (fast * 1e-3, fast * 1e7),
            ),
        )
    ]
    assert z[1] * fast / wide == pytest.approx(z[0], rel=1e-7)
