"""Space charges that form, against implicit Euler steps with a banded Newton matrix.

A layer of 40 Debye lengths is joined to two metals, with drops of 10 kT and 6 kT, and left alone.
Both take the same finite volumes, the same charges and the same Jacobian, whose three diagonals the
peer solves by SciPy's solve_banded; its steps grow geometrically. Ours takes the loosest tolerance
that is no less exact.
"""

from __future__ import annotations

import json
import time

import numpy as np
from scipy.linalg import solve_banded

from interohm.arrays import Array
from interohm.device_models import ButlerVolmer, Phase, neutral_bulk
from interohm.device_models.constants import ELEMENTARY_CHARGE_C
from interohm.device_models.dynamics.finite_volumes import (
    Electrode,
    Static,
    TransientStack,
    Volumes,
    nodes_nm,
)
from interohm.device_models.dynamics.transient import _Equations, run
from interohm.device_models.impedance.segment import charge_of

KT = 8.617333262e-5 * 300.0
PEER_STEPS = 300


def problem() -> tuple[TransientStack, Static, Array, float]:
    """Return the layer, its state before the contact, the times, and the scale of its charge."""
    phase = Phase(
        ionization_potential_eV=5.0,
        band_gap_eV=6.0,
        dielectric_constant=10.0,
        charge=[1.0, -1.0],
        ion_change=[1.0, -1.0],
        formation_energy_eV=np.array([-3.2, 3.8]),
        site_density_cm3=np.array([3e22, 3e22]),
        migration_energy_eV=np.array([0.3, 0.3]),
        hop_distance_nm=0.25,
        electrons=False,
    )
    bulk = neutral_bulk(phase, temperature_K=300.0, metal_work_function_eV=3.0).ravel()
    debye, neutral = float(bulk.debye_length_nm[0]), float(bulk.neutral_potential_V[0])
    eps = float(bulk.thermodynamics().permittivity_e_V_nm[0])
    first = 0.002 * debye
    x = nodes_nm(40.0 * debye, 0.2 * debye, (10.0 * debye,) * 2, first_nm=(first, first))
    layer = Volumes(x, np.full(x.size - 1, eps), np.zeros(x.size - 1), charge_of(bulk), (x.size, 1))
    relaxation = eps * 1e7 * ELEMENTARY_CHARGE_C / float(bulk.conductivity_S_cm[0])
    transfer = 4.0 * debye * 1e-7 / float(bulk.conductivity_S_cm[0])
    law = ButlerVolmer(np.asarray(KT / transfer), np.asarray(300.0))
    stack = TransientStack(
        Electrode(neutral + 10.0 * KT),
        [layer],
        Electrode(neutral - 6.0 * KT),
        np.zeros(2),
        np.zeros(2),
        [law, law],
    )
    start = Static(np.full(x.size, neutral), np.zeros(x.size), np.zeros(stack.size))
    return stack, start, np.geomspace(0.1, 1e3, 9) * relaxation, eps * 4.0 * KT / debye


def euler(stack: TransientStack, start: Static, times: Array, steps: int) -> Array:
    """Q (S, size) at times by implicit Euler, `steps` of them from 1e-3 of the first time on."""
    equations = _Equations(stack, start, None, 1.0)
    grid = np.unique(np.concatenate([np.geomspace(1e-3 * times[0], times[-1], steps), times]))
    y, found, now = np.zeros(stack.size + 1), [], 0.0
    for then in grid:
        step, old = then - now, y.copy()
        for _ in range(20):
            matrix = equations.jacobian(then, y)
            band = np.zeros((3, stack.size))
            for row, k in enumerate((1, 0, -1)):
                diagonal = -step * matrix.diagonal(k)[: stack.size - abs(k)]
                band[row, max(k, 0) : stack.size + min(k, 0)] = diagonal
            band[1] += 1.0
            rest = (y - old - step * equations.rate(then, y))[:-1]
            change = solve_banded((1, 1), band, -rest)
            y[:-1] += change
            if np.max(np.abs(change)) < 1e-9 * np.max(np.abs(y) + 1e-12):
                break
        now = then
        if then in times:
            found.append(y[:-1].copy())
    return np.array(found)


def dynamics_figures() -> dict[str, float]:
    """Return our time, our error, and the peer's time over ours at no larger an error."""
    stack, start, times, scale = problem()

    def ours(tolerance: float) -> Array:
        return run(
            stack, start, times, hold_V=None, scale_e_nm2=scale, tolerance=tolerance
        ).passed_e_nm2

    exact = ours(1e-7)
    size = np.max(np.abs(exact))
    began = time.process_time()
    peer = euler(stack, start, times, PEER_STEPS)
    other = time.process_time() - began
    peer_error = float(np.max(np.abs(peer - exact)) / size)
    # the loosest tolerance that is as exact as the peer
    for tolerance in (1e-2, 1e-3, 1e-4, 1e-5):
        began = time.process_time()
        found = ours(tolerance)
        own = time.process_time() - began
        error = float(np.max(np.abs(found - exact)) / size)
        if error <= peer_error:
            break
    return {
        "dynamics_ms": 1e3 * own,
        "dynamics_error": error,
        "euler_over_dynamics": other / own,
        "euler_error": peer_error,
    }


if __name__ == "__main__":
    print(json.dumps(dynamics_figures()))
