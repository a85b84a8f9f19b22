"""The grid solver against SciPy's solve_bvp, both from the same guess on the same mesh.

Three problems: LLZO and LiF of the reference (φ = 0 at x = 0, neutral at 50 nm), and LiF, LLZO,
LiF between two electrodes. solve_bvp gets its charge density as a closed form of NumPy with
analytic Jacobians, and the largest tolerance with which its sheet charge is right to 1e-6.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from scipy.integrate import solve_bvp

from interohm.arrays import Array
from interohm.device_models import (
    BOLTZMANN_EV_K,
    Bulk,
    Metal,
    Phase,
    Stack,
    StackLayer,
    neutral_bulk,
    solve_stack,
)
from interohm.device_models.constants import CM3_PER_NM3, VACUUM_PERMITTIVITY_E_V_NM

TEMPERATURE_K = 300.0
KT_V = BOLTZMANN_EV_K * TEMPERATURE_K
IP_eV, METAL_eV = 5.0, 3.0
RELATIVE_ERROR = 1e-6


@dataclass(frozen=True)
class Material:
    """Two defects of charge ±1 with one formation energy at neutrality."""

    neutral_potential_V: float
    formation_energy_eV: float
    site_density_cm3: float
    dielectric_constant: float
    saturation: float = 0.1

    def bulk(self, shift_V: Array | float = 0.0) -> Bulk:
        """Return the phase with its neutral potential moved by `shift_V`."""
        level = IP_eV - METAL_eV + self.neutral_potential_V + np.asarray(shift_V)
        energy = np.stack([self.formation_energy_eV - level, self.formation_energy_eV + level], -1)
        phase = Phase(
            ionization_potential_eV=IP_eV,
            band_gap_eV=6.0,
            dielectric_constant=self.dielectric_constant,
            charge=[1.0, -1.0],
            ion_change=[1.0, -1.0],
            formation_energy_eV=energy,
            site_density_cm3=self.site_density_cm3,
            saturation=self.saturation,
            electrons=False,
        )
        return neutral_bulk(phase, temperature_K=TEMPERATURE_K, metal_work_function_eV=METAL_eV)

    @property
    def permittivity(self) -> float:
        """Permittivity in e/(V·nm)."""
        return VACUUM_PERMITTIVITY_E_V_NM * self.dielectric_constant

    def charge(self, potential_V: Array) -> tuple[Array, Array]:
        """Charge density (e/nm³) and its derivative to the potential."""
        capacity = self.site_density_cm3 * CM3_PER_NM3 * self.saturation
        level = -np.log(self.saturation) - self.formation_energy_eV / KT_V
        u = (potential_V - self.neutral_potential_V) / KT_V
        plus = 1.0 / (1.0 + np.exp(np.minimum(u - level, 700.0)))
        minus = 1.0 / (1.0 + np.exp(np.minimum(-u - level, 700.0)))
        spread = plus * (1.0 - plus) + minus * (1.0 - minus)
        return capacity * (plus - minus), -capacity / KT_V * spread


LLZO = Material(1.6216363422810787, 0.0143907397384, 3.27455e22, 50.0)
LIF = Material(1.9160630915364418, 0.9733510180664657, 5.98412e22, 9.0)


@dataclass(frozen=True)
class Problem:
    """Layers between electrodes, a mesh (as shares of each layer) and a guess on it."""

    materials: list[Material]
    thickness_nm: list[float]
    right_V: float
    decay_nm: list[float]
    shares: Array

    def guess(self) -> Array:
        """φ (n, E + 1): neutral inside, decaying exponentially from the ends."""
        rows = []
        count = len(self.materials)
        for i, (material, length) in enumerate(zip(self.materials, self.thickness_nm, strict=True)):
            x = self.shares * length
            neutral = material.neutral_potential_V
            left = 0.0 if i == 0 else (neutral + self.materials[i - 1].neutral_potential_V) / 2.0
            right = self.right_V
            if i < count - 1:
                right = (neutral + self.materials[i + 1].neutral_potential_V) / 2.0
            decay = self.decay_nm[i]
            rows.append(
                neutral
                + (left - neutral) * np.exp(-x / decay)
                + (right - neutral) * np.exp(-(length - x) / decay)
            )
        return np.array(rows)

    def layers(self, shift_V: Array | float = 0.0) -> list[StackLayer]:
        """Return the layers, or a batch of them with the neutral potentials moved."""
        return [
            StackLayer(material.bulk(shift_V), length)
            for material, length in zip(self.materials, self.thickness_nm, strict=True)
        ]

    def by_grid(
        self,
        layers: list[StackLayer],
        shift_V: Array | float = 0.0,
        tolerance: float = RELATIVE_ERROR,
    ) -> Stack:
        """Solve it, or a batch with the neutral potentials moved, with interohm."""
        mesh = np.array([self.shares * length for length in self.thickness_nm])
        last = self.right_V + np.asarray(shift_V)
        return solve_stack(
            Metal(0.0),
            layers,
            Metal(last),
            tolerance=tolerance,
            mesh_nm=mesh,
            guess_V=self.guess() + np.asarray(shift_V)[..., None, None] * (self.shares > 0.0),
        )

    def by_solve_bvp(self, tolerance: float) -> float:
        """Sheet charge of the left electrode by solve_bvp; NaN if it fails."""
        count = len(self.materials)
        scale = [
            (-length / m.permittivity, length)
            for m, length in zip(self.materials, self.thickness_nm, strict=True)
        ]

        def slopes(s: Array, y: Array) -> Array:
            rows = np.empty_like(y)
            for i, material in enumerate(self.materials):
                rows[2 * i] = scale[i][0] * y[2 * i + 1]
                rows[2 * i + 1] = scale[i][1] * material.charge(y[2 * i])[0]
            return rows

        def slopes_jacobian(s: Array, y: Array) -> Array:
            jacobian = np.zeros((2 * count, 2 * count, s.size))
            for i, material in enumerate(self.materials):
                jacobian[2 * i, 2 * i + 1] = scale[i][0]
                jacobian[2 * i + 1, 2 * i] = scale[i][1] * material.charge(y[2 * i])[1]
            return jacobian

        def ends(a: Array, b: Array) -> Array:
            return np.concatenate([[a[0]], a[2:] - b[:-2], [b[-2] - self.right_V]])

        left, right = np.zeros((2, 2 * count, 2 * count))
        left[0, 0] = right[-1, -2] = 1.0
        for row in range(1, 2 * count - 1):
            left[row, row + 1], right[row, row - 1] = 1.0, -1.0
        guess = self.guess()
        start = np.empty((2 * count, self.shares.size))
        for i, material in enumerate(self.materials):
            start[2 * i] = guess[i]
            x = self.shares * self.thickness_nm[i]
            start[2 * i + 1] = -material.permittivity * np.gradient(guess[i], x)
        solved = solve_bvp(
            slopes,
            ends,
            self.shares,
            start,
            fun_jac=slopes_jacobian,
            bc_jac=lambda a, b: (left, right),
            tol=tolerance,
            max_nodes=20_000,
        )
        return float(solved.y[1, 0]) if solved.success else float("nan")


def problems() -> dict[str, Problem]:
    """Return the three problems."""
    one_sided = np.concatenate([[0.0], np.geomspace(4e-4, 1.0, 40)])
    half = np.concatenate([[0.0], np.geomspace(4e-3, 1.0, 24)]) / 2.0
    both_sided = np.concatenate([half, 1.0 - half[-2::-1]])
    return {
        "LLZO": Problem([LLZO], [50.0], LLZO.neutral_potential_V, [1.0], one_sided),
        "LiF": Problem([LIF], [50.0], LIF.neutral_potential_V, [3.0], one_sided),
        "three_layer": Problem(
            [LIF, LLZO, LIF], [10.0, 50.0, 10.0], 1.2, [3.0, 1.0, 3.0], both_sided
        ),
    }


def best_s(function: Callable[[], Any], repeats: int) -> float:
    """Shortest time of a call in seconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def bvp_tolerance(problem: Problem, sheet_charge: float) -> float:
    """Largest power of ten with which solve_bvp is right to 1e-6."""
    for digits in range(3, 12):
        error = abs(problem.by_solve_bvp(10.0**-digits) / sheet_charge - 1.0)
        if error <= RELATIVE_ERROR:
            return 10.0**-digits
    raise RuntimeError("solve_bvp does not reach the accuracy")


def stack_figures(*, batch: int = 1000, repeats: int = 5) -> dict[str, Any]:
    """Times of the grid solver, and their ratios to solve_bvp's.

    Returns
    -------
    dict
        ``stack_ms``: milliseconds of one stack, the slower of LLZO and LiF.
        ``stack_over_solve_bvp``: time per stack of a batch over solve_bvp's for one, by problem.
        ``one_stack_over_solve_bvp``: time of a single stack over solve_bvp's.
        ``stack_relative_error``: of the sheet charge, by problem.
    """
    single_ms, in_batch, alone, errors = {}, {}, {}, {}
    shifts = np.linspace(-0.1, 0.1, batch)
    for name, problem in problems().items():
        layers, many_layers = problem.layers(), problem.layers(shifts)
        exact = problem.by_grid(layers, tolerance=1e-10).right_displacement_e_nm2[0]
        found = problem.by_grid(layers).right_displacement_e_nm2[0]
        errors[name] = float(abs(found / exact - 1.0))
        tolerance = bvp_tolerance(problem, float(exact))
        # the slower parts of a noisy machine hit both alike when they take turns
        reference, one, many = (
            min(times)
            for times in zip(
                *(
                    (
                        best_s(partial(problem.by_solve_bvp, tolerance), 4),
                        best_s(partial(problem.by_grid, layers), 4),
                        best_s(partial(problem.by_grid, many_layers, shifts), 1) / batch,
                    )
                    for _ in range(repeats)
                ),
                strict=True,
            )
        )
        single_ms[name] = 1e3 * one
        alone[name], in_batch[name] = one / reference, many / reference
    return {
        "stack_ms": max(single_ms["LLZO"], single_ms["LiF"]),
        "stack_over_solve_bvp": in_batch,
        "one_stack_over_solve_bvp": alone,
        "stack_relative_error": errors,
        "single_ms": single_ms,
    }


if __name__ == "__main__":
    print(json.dumps(stack_figures(), indent=1))
