r"""Derivatives of an impedance, with the field of the impedance itself as the adjoint.

The pencil is symmetric and Z its value at the minimum, so that with the carriers' current J and the
displacement's charge per current δ/s

``dZ = Jᵀ dM J + δᵀ dA δ/s``,

whatever moves A and M, the static profile and the mesh on it included: no solution beside that of
Z is needed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..phase import Array
from .chain import Chain, Crossing, banded_product
from .spectrum import solve_chain


def impedance_gradient(chain: Chain, step: float, frequency_Hz: ArrayLike) -> tuple[Array, Array]:
    """Z and its derivatives with P parameters.

    Parameters
    ----------
    chain : Chain
        Chain of 1 + 2P samples: unchanged, with each parameter larger by `step`, and with each
        smaller. Only their matrices are compared.
    step : float
        Relative step of the parameters.
    frequency_Hz : array (F,)
        Frequencies.

    Returns
    -------
    impedance_ohm_cm2 : complex array (F,)
        Z.
    gradient : complex array (P, F)
        dZ/dp.
    """
    frequencies = np.asarray(frequency_Hz, dtype=np.float64)
    count = (chain.batch - 1) // 2
    middle, up, down = (
        chain.take(slice(*ends)) for ends in ((0, 1), (1, 1 + count), (1 + count, 1 + 2 * count))
    )
    ends = float(np.min(frequencies)), float(np.max(frequencies))
    found = solve_chain(middle, *ends, fields=True)
    assert found.static is not None
    assert found.transference is not None
    s = 2j * np.pi * frequencies
    current = found.static[0][:, None] - s * found.solution(frequencies)[0]
    transferred = np.tile(found.transference[0], current.shape[0] // chain.carriers)
    displaced = transferred[:, None] - current
    higher, lower = up.pencil, down.pencil
    loss = (higher.loss - lower.loss) / (2.0 * step)
    energy = (higher.energy - lower.energy) / (2.0 * step)
    gradient = np.stack(
        [_form(loss[..., p], current) + _form(energy[..., p], displaced) / s for p in range(count)]
    )
    for place, part in enumerate(chain.parts):
        if isinstance(part, Crossing) and part.diffusion is not None and not part.blocked:
            values = part.diffusion.impedance_ohm_cm2(s)
            moved = (values[1 : 1 + count] - values[1 + count :]) / (2.0 * step)
            gradient += moved * current[chain.carriers * chain.node_of(place)] ** 2
    return found.impedance_ohm_cm2(frequencies)[0], gradient


def _form(band: Array, x: Array) -> Array:
    """Quadratic form of a band (K + 1, N) with x (N, F), without conjugation: (F,)."""
    return np.asarray(np.sum(x * banded_product(band[..., None], x[:, None])[:, 0], axis=0))
