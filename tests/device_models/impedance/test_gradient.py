"""The adjoint against differences of the whole impedance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from interohm.device_models import (
    BOLTZMANN_EV_K,
    Chain,
    Crossing,
    Diffusion,
    Metal,
    StackLayer,
    half_space,
    impedance_gradient,
    layer_segment,
    neutral_bulk,
    solve_chain,
    solve_stack,
    thick_layer,
)

from ..stack_phases import METAL_eV, symmetric

FREQUENCIES = np.geomspace(1e-2, 1e7, 19)
NAMES = (
    "formation_energy_eV",
    "dielectric_constant",
    "migration_energy_eV",
    "site_density_cm3",
    "contact",
    "transfer",
    "thickness",
    "diffusion",
    "time",
)


def _chain(moves: np.ndarray, *, blocked: bool = False, whole: bool = False) -> Chain:
    """A layer of which the parameters of `NAMES` are moved, (B, P): by kT or by ln."""
    given = symmetric(0.3, 0.12, 3e21).phase
    by = dict(zip(NAMES, moves.T, strict=True))
    for name in ("formation_energy_eV", "migration_energy_eV", "contact"):
        by[name] = BOLTZMANN_EV_K * 300.0 * by[name]

    def scaled(name: str) -> np.ndarray:
        return np.asarray(getattr(given, name) * np.exp(by[name])[:, None])

    phase = replace(
        given,
        formation_energy_eV=given.formation_energy_eV + np.stack([by[NAMES[0]]] * 2, axis=-1),
        dielectric_constant=given.dielectric_constant * np.exp(by["dielectric_constant"]),
        migration_energy_eV=given.migration_energy_eV + by["migration_energy_eV"][:, None],
        site_density_cm3=scaled("site_density_cm3"),
    )
    bulk = neutral_bulk(phase, temperature_K=300.0, metal_work_function_eV=METAL_eV)
    left, right = 0.3 - 0.4 + by["contact"], np.full(by["contact"].shape, 0.3 + 0.25)
    thickness = (5.0 if whole else 200.0) * np.exp(by["thickness"])
    transfer = 1e-4 * np.exp(by["transfer"])
    host = Diffusion(1e-3 * np.exp(by["diffusion"]), 10.0 * np.exp(by["time"]))
    if whole:
        stack = solve_stack(
            Metal(left), [StackLayer(bulk, thickness)], Metal(right), tolerance=1e-9
        )
        parts = [layer_segment(stack.layers[0])]
    else:
        parts = thick_layer(half_space(bulk, left), half_space(bulk, right), thickness)
    return Chain(
        [
            Crossing(transfer, blocked=blocked),
            *parts,
            Crossing(2.0 * transfer, diffusion=None if blocked else host),
        ]
    )


@pytest.mark.parametrize(
    ("blocked", "whole"), [(False, False), (True, False), (False, True), (True, True)]
)
def test_the_adjoint_is_the_derivative(blocked: bool, whole: bool) -> None:
    """Total derivatives: the static profile moves with every parameter, too."""
    step, count = 1e-3, len(NAMES)
    moves = np.concatenate([np.zeros((1, count)), step * np.eye(count), -step * np.eye(count)])
    chain = _chain(moves, blocked=blocked, whole=whole)
    z, gradient = impedance_gradient(chain, step, FREQUENCIES)
    all_z = solve_chain(chain, 1e-2, 1e7, fields=True).impedance_ohm_cm2(FREQUENCIES)
    assert z == pytest.approx(all_z[0], rel=1e-6)
    differences = (all_z[1 : 1 + count] - all_z[1 + count :]) / (2.0 * step)
    # parameters are relative, or in kT
    assert np.max(np.abs(gradient - differences) / np.abs(z)) < 3e-5
    assert np.all(np.max(np.abs(gradient) / np.abs(z), axis=1)[:5] > 0.01)
