r"""Diffusion in a host that is blocked at its collector (finite-length Warburg, physics.md 12).

``Z_D = R_D coth(√(sτ_D))/√(sτ_D) = R_D [1/(sτ_D) + Σ_n 2/(sτ_D + n²π²)]``, ``C_int = τ_D/R_D``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ..phase import Array

_EXACT = 10
_PANELS = 9
_RATIO = 6.0


def _sections() -> tuple[Array, Array, float]:
    """n²π² of sections, how often each counts, and what is left beyond the last.

    The first are terms of the sum. The others stand for many, by Gauss's rule in ln n; the sum
    beyond N is the integral from N + 1/2, and a slope there over 24 (Euler and Maclaurin).
    """
    places, weights = np.polynomial.legendre.leggauss(8)
    first = np.ones(_EXACT + 1)
    first[-2:] = 23.0 / 24.0, 1.0 / 24.0
    n, count = [np.arange(1.0, _EXACT + 2.0)], [first]
    low = _EXACT + 0.5
    for _ in range(_PANELS):
        middle = low * _RATIO ** ((places + 1.0) / 2.0)
        n.append(middle)
        count.append(0.5 * weights * np.log(_RATIO) * middle)
        low *= _RATIO
    return np.square(np.pi * np.concatenate(n)), np.concatenate(count), 2.0 / (np.pi**2 * low)


_SQUARES, _COUNTS, _REST = _sections()


@dataclass(frozen=True)
class Diffusion:
    """Solid diffusion in an electrode; arrays (B,).

    Attributes
    ----------
    resistance_ohm_cm2 : array
        ``R_D = −(dV/dc) L/(z e D)``.
    time_s : array
        ``τ_D = L²/D``.
    """

    resistance_ohm_cm2: Array
    time_s: Array

    @property
    def capacitance_F_cm2(self) -> Array:
        """Capacitance of the electrode at long times."""
        return self.time_s / self.resistance_ohm_cm2

    @property
    def sections(self) -> tuple[Array, Array, Array]:
        """R_n and τ_n (n, B) of parallel RC elements in series, and a resistance (B,) with them."""
        squares, counts = _SQUARES[:, None], _COUNTS[:, None]
        resistance = 2.0 * counts * self.resistance_ohm_cm2 / squares
        return resistance, self.time_s / squares, self.resistance_ohm_cm2 * _REST

    def take(self, index: slice) -> Diffusion:
        """Select some of the samples."""
        return Diffusion(self.resistance_ohm_cm2[index], self.time_s[index])

    def impedance_ohm_cm2(self, s: ArrayLike) -> Array:
        """Z_D at complex s (F,) for each sample, (B, F)."""
        root = np.sqrt(np.asarray(s) * self.time_s[:, None])
        return np.asarray(self.resistance_ohm_cm2[:, None] / np.tanh(root) / root)

    def step_ohm_cm2(self, time_s: ArrayLike) -> Array:
        """Return the resistance to a constant current after a time (T,), beyond 1/C; (B, T).

        ``R_D [1/3 − Σ_n 2/(n²π²) exp(−n²π² t/τ_D)]``: R_D/3 in the end, ``2 R_D √(t/(π τ_D))`` at
        first.
        """
        resistance, time, rest = self.sections
        gone = -np.expm1(-np.asarray(time_s) / time[..., None])
        return np.asarray(np.sum(resistance[..., None] * gone, axis=0) + rest[:, None])
