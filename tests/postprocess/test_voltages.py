"""Voltages from total energies: the definition, the convex hull, and what is said of it."""

from __future__ import annotations

import pytest

from interohm.postprocess.voltages import voltage_at, voltage_plateaus


def test_one_plateau_is_the_difference_of_energies_per_charge() -> None:
    # Two formula units lose 3.5 eV each on taking up an ion that costs 1.9 eV in its metal.
    (plateau,) = voltage_plateaus({0.5: -20.0, 1.0: -22.7}, -1.9, 1)
    assert plateau.voltage_V == pytest.approx((2.7 - 0.5 * 1.9) / 0.5)
    assert voltage_plateaus({0.0: -20.0, 1.0: -27.0}, -1.0, 2)[0].voltage_V == pytest.approx(3.0)


def test_an_order_above_the_hull_has_no_plateau_and_the_voltage_falls() -> None:
    energies = {0.0: 0.0, 0.25: -0.9, 0.5: -2.1, 0.75: -3.0, 1.0: -3.8}
    plateaus = voltage_plateaus(energies, 0.0, 1)
    assert [(p.low, p.high) for p in plateaus] == [(0.0, 0.5), (0.5, 0.75), (0.75, 1.0)]
    voltages = [p.voltage_V for p in plateaus]
    assert voltages == sorted(voltages, reverse=True)
    # Energy is conserved: the plateaus together are the whole discharge.
    whole = sum(p.voltage_V * (p.high - p.low) for p in plateaus)
    assert whole == pytest.approx(3.8)
    # Within a plateau its voltage; at a step the middle of it.
    assert voltage_at(plateaus, 0.25) == (pytest.approx(4.2), 0.0)
    assert voltage_at(plateaus, 0.5) == (pytest.approx(3.9), pytest.approx(0.3))
    assert voltage_at(plateaus, 1.0)[0] == pytest.approx(3.2)
