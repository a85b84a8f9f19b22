"""The first integral and the grid give the same, and each case takes the one that it allows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from interohm.device_models import (
    Bulk,
    FiniteLayers,
    GradedProfile,
    Metal,
    StackLayer,
    layers_between,
    neutral_bulk,
    solve_finite_layers,
    solve_stack,
)

from .phases import METAL_eV, symmetric


def bulk_of(energy: object, neutral_potential_V: float = 1.5, **more: object) -> Bulk:
    phase = symmetric(energy, neutral_potential_V=neutral_potential_V, **more)
    return neutral_bulk(phase, temperature_K=300.0, metal_work_function_eV=METAL_eV)


def solved(layer: StackLayer, potential_V: object = 0.0) -> FiniteLayers:
    return solve_finite_layers(
        Metal(np.asarray(potential_V, dtype=np.float64)),
        [layer],
        bulk_of(0.3, 0.8),
        dipole_V=[0.0, 0.1],
        sheet_charge_e_nm2=[0.0, 0.02],
    )


def sloping_mu(distance_nm: np.ndarray) -> np.ndarray:
    return np.asarray(-0.05 * distance_nm / 5.0)


def test_both_methods_agree() -> None:
    bulk, potentials = bulk_of(0.35), np.array([0.0, 1.2, 1.5, 2.9])
    found = solved(StackLayer(bulk, 5.0), potentials)
    stack = solve_stack(
        Metal(potentials),
        [StackLayer(bulk, 5.0)],
        bulk_of(0.3, 0.8),
        dipole_V=[0.0, 0.1],
        sheet_charge_e_nm2=[0.0, 0.02],
    )
    scale = np.max(np.abs(stack.sheet_charge_e_nm2))
    assert found.sheet_charge_e_nm2 == pytest.approx(stack.sheet_charge_e_nm2, abs=2e-6 * scale)
    (layer,), (grid,) = found.layers, stack.layers
    assert layer.resistance_ohm_cm2 == pytest.approx(grid.resistance_ohm_cm2, rel=1e-4)
    ends = np.stack([grid.left_field_V_nm, grid.right_field_V_nm], axis=-1)
    assert layer.fields_V_nm == pytest.approx(ends, rel=1e-5, abs=1e-6)
    assert layer.potentials_V[..., 1] == pytest.approx(np.min(grid.phi_V, axis=-1), abs=2e-3)
    assert layer.potentials_V[..., 2] == pytest.approx(np.max(grid.phi_V, axis=-1), abs=2e-3)
    # the potential along x, where both have points of their own
    ours, theirs = layer.profile(401), grid.profile(401)
    for row in range(potentials.size):
        phi = np.interp(theirs.x_nm[row], ours.x_nm[row], ours.phi_V[row])
        assert phi == pytest.approx(theirs.phi_V[row], abs=1e-3)


@pytest.mark.parametrize("electrons", [True, False])
def test_what_feels_mu_takes_the_grid(electrons: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ions that bring their charge along do not feel mu; electrons do, where they matter."""
    calls: list[tuple[int, ...]] = []

    def spy(*args: object, **more: object) -> object:
        calls.append(np.shape(more["dipole_V"][0]))  # type: ignore[index]
        return solve_stack(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(layers_between, "solve_stack", spy)
    phase = replace(symmetric(0.5), electrons=np.array(electrons), band_gap_eV=np.array([6.0, 3.0]))
    bulk = neutral_bulk(phase, temperature_K=300.0, metal_work_function_eV=METAL_eV)
    found = solved(StackLayer(bulk, 5.0, mu_eV=sloping_mu), 2.5)
    # only the case with the small gap, in a batch of its own
    assert calls == ([(1,)] if electrons else [])
    whole = solve_stack(
        Metal(np.asarray(2.5)),
        [StackLayer(bulk, 5.0, mu_eV=sloping_mu)],
        bulk_of(0.3, 0.8),
        dipole_V=[0.0, 0.1],
        sheet_charge_e_nm2=[0.0, 0.02],
    )
    scale = np.max(np.abs(whole.sheet_charge_e_nm2), axis=-1, keepdims=True)
    assert np.all(np.abs(found.sheet_charge_e_nm2 - whole.sheet_charge_e_nm2) < 3e-6 * scale)
    assert found.layers[0].profile(33).phi_V.shape[0] == 2
    assert found.layers[0].resistance_ohm_cm2 == pytest.approx(
        whole.layers[0].resistance_ohm_cm2, rel=1e-4
    )


def test_what_varies_takes_the_grid(monkeypatch: pytest.MonkeyPatch) -> None:
    called = []

    def refuse(*_: object, **__: object) -> None:
        called.append(True)
        raise AssertionError("the first integral needs constants")

    monkeypatch.setattr(layers_between, "coated_contact", refuse)
    layer = StackLayer(
        bulk_of(0.4), 5.0, fixed_charge_cm3=GradedProfile(np.array([0.0, 5.0]), np.array([0, 1e19]))
    )
    found = solved(layer)
    assert np.all(np.isfinite(found.sheet_charge_e_nm2))
    assert not called
