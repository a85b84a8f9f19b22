"""Kinetic Monte Carlo of a lattice gas in planes, with the Poisson equation of the planes.

Ions hop between neighbouring planes at the rate ``ν M θ_k (1 − θ_{k±1}) exp(−ΔE/2kT)``, which keeps
detailed balance. The first and the last plane lie on metals, and have half of the sites.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass
class LatticeGas:
    """Planes of `sites`; potentials in kT, times in 1/ν.

    `stiffness` is ``kT·eps/a`` per charge of one ion: how many ions on a plane bend phi by one kT.
    """

    counts: np.ndarray
    sites: np.ndarray
    filling: float
    stiffness: float
    ends_kT: tuple[float, float]
    random: np.random.Generator

    def __post_init__(self) -> None:
        inner = self.counts.size - 2
        matrix = 2.0 * np.eye(inner) - np.eye(inner, k=1) - np.eye(inner, k=-1)
        green = np.linalg.inv(self.stiffness * matrix)
        # the metals hold the potentials of the first and the last plane
        self.green = np.zeros((inner + 2, inner + 2))
        self.green[1:-1, 1:-1] = green
        load = (self.counts - self.filling * self.sites)[1:-1].astype(float)
        load[0] += self.stiffness * self.ends_kT[0]
        load[-1] += self.stiffness * self.ends_kT[1]
        self.potential = np.concatenate([self.ends_kT[:1], green @ load, self.ends_kT[1:]])
        self.step = self.green[:, 1:] - self.green[:, :-1]
        # half of the work that an ion's own field does on it
        self.own = np.diff(self.step, axis=0).diagonal() / 2.0
        self.time = 0.0

    def run(self, until: float, sums: np.ndarray | None = None) -> int:
        """Hop until a time; adds counts times their durations to `sums`."""
        events, n, planes = 0, self.counts, self.counts.size - 1
        whole = float(np.max(self.sites))
        while True:
            work = np.diff(self.potential)
            share = n / self.sites
            right = share[:-1] * (1.0 - share[1:]) * np.exp(-0.5 * (work + self.own))
            left = share[1:] * (1.0 - share[:-1]) * np.exp(0.5 * (work - self.own))
            total = np.cumsum(np.concatenate([right, left]))
            wait = self.random.exponential() / (whole * total[-1])
            stops = self.time + wait > until
            if sums is not None:
                sums += n * (until - self.time if stops else wait)
            if stops:
                self.time = until
                return events
            self.time += wait
            chosen = int(np.searchsorted(total, self.random.random() * total[-1]))
            k, sign = chosen % planes, 1 if chosen < planes else -1
            n[k] -= sign
            n[k + 1] += sign
            self.potential += sign * self.step[:, k]
            events += 1
