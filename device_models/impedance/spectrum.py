r"""The impedance of a chain as the sum of relaxations that it is (physics.md 12).

``Z(s) = 1/(sC) + R_0 − s fᵀ (A + sM)⁻¹ f`` with ``f = M Q_0``, ``R_0 = Q_0ᵀ M Q_0`` and the static
``Q_0`` of ``A Q_0 = b``. Solved at real shifts s > 0, where A + sM is positive definite, and
projected on what is found, with ``Q_0``, this becomes

``Z(s) = 1/(sC) + Σ_k R_k/(1 + sτ_k)``,  ``R_k, τ_k ≥ 0``,

which has the exact Z, with its derivative, at every shift, the exact limits at s → 0 and at s → ∞.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ..phase import Array, BoolArray
from .chain import Chain, Crossing
from .shifted import cholesky, product, solve, solve_at_shifts

_PER_DECADE, _PER_DECADE_DIFFUSING = 1.5, 3.0
"""Shifts per decade; what diffuses has relaxations at all times."""

_ROUNDING = 1e-6
"""Norm² below which a vector of an orthonormal basis is rounding."""

_LEAST_STORED = 1e-16
"""Part of a relaxation that the energy has at the middle of the shifts, at least."""

_BELOW, _BELOW_DIFFUSING, _ABOVE = 3.0, 30.0, 30.0
"""How far shifts go beyond the frequencies."""

_TOGETHER = 60_000
"""Unknowns times shifts that are treated together, so that they stay in a processor's cache."""


@dataclass(frozen=True)
class Relaxations:
    """An impedance as a sum of parallel RC elements in series; arrays (B, K) and (B,).

    Attributes
    ----------
    resistance_ohm_cm2, time_s : array (B, K)
        R_k and τ_k.
    inverse_capacitance_cm2_F : array (B,)
        1/C of what blocks; 0 where nothing does.
    modes : array (B, N, K) or None
        Contribution of each to the solution w along the chain, which is Σ modes/(1 + sτ); None for
        batches that were cut.
    static : array (B, N) or None
        Q_0: the carriers' current is Q_0 − s·w.
    transference : array (B, m) or None
        T: value of Q_0 where nothing blocks.
    losses : array (B, K) or None
        ``modeᵀ M mode`` of each, electrodes included.
    host_losses : array (B, H, K) or None
        Part of these losses within each electrode whose diffusion is known.
    """

    resistance_ohm_cm2: Array
    time_s: Array
    inverse_capacitance_cm2_F: Array
    modes: Array | None = None
    static: Array | None = None
    transference: Array | None = None
    losses: Array | None = None
    host_losses: Array | None = None

    def impedance_ohm_cm2(self, frequency_Hz: ArrayLike) -> Array:
        """Z at frequencies (F,), complex (B, F)."""
        s = 2j * np.pi * np.asarray(frequency_Hz, dtype=np.float64)
        total = self.inverse_capacitance_cm2_F[:, None] / s
        for r, tau in zip(self.resistance_ohm_cm2.T, self.time_s.T, strict=True):
            total = total + r[:, None] / (1.0 + s * tau[:, None])
        return np.asarray(total)

    @property
    def dc_ohm_cm2(self) -> Array:
        """Σ R_k (B,): Z(0) where nothing blocks."""
        return np.asarray(np.sum(self.resistance_ohm_cm2, axis=-1))

    def solution(self, frequency_Hz: ArrayLike) -> Array:
        """Evaluate w of the unknowns at frequencies (F,), complex (B, N, F)."""
        assert self.modes is not None
        s = 2j * np.pi * np.asarray(frequency_Hz, dtype=np.float64)
        return np.asarray(self.modes @ (1.0 / (1.0 + s * self.time_s[..., None])))


@dataclass(frozen=True)
class _Host:
    """An electrode's diffusion at the unknown `node`; R_n and τ_n (B, n) of its sections."""

    node: int
    resistance: Array
    time: Array

    def take(self, some: slice) -> _Host:
        """Select some of the samples."""
        return _Host(self.node, self.resistance[some], self.time[some])


def solve_chain(
    chain: Chain, lowest_Hz: float, highest_Hz: float, *, fields: bool = False
) -> Relaxations:
    """Find the relaxations between two frequencies, and all limits.

    Parameters
    ----------
    chain : Chain
        Chain of B samples; those that are not finite give NaN.
    lowest_Hz, highest_Hz : float
        Range of frequencies in which Z is needed.
    fields : bool
        Whether the modes are needed as accurately as Z; otherwise their errors are the square root
        of its error.
    """
    system = _System(chain, lowest_Hz)
    calm = chain.carriers == 1 and not system.hosts and not fields
    per_decade = _PER_DECADE if calm else _PER_DECADE_DIFFUSING
    below = _BELOW if calm else _BELOW_DIFFUSING
    low, high = 2.0 * np.pi * np.array([lowest_Hz / below, highest_Hz * _ABOVE])
    count = int(np.ceil(per_decade * np.log10(high / low))) + 1
    shifts = np.geomspace(low, high, count)
    rows = max(1, _TOGETHER // (system.size * count))
    parts = [
        system.reduced(slice(first, min(first + rows, chain.batch)), shifts)
        for first in range(0, chain.batch, rows)
    ]
    if len(parts) == 1:
        return parts[0]
    return Relaxations(
        np.concatenate([part.resistance_ohm_cm2 for part in parts]),
        np.concatenate([part.time_s for part in parts]),
        np.concatenate([part.inverse_capacitance_cm2_F for part in parts]),
    )


class _System:
    """A chain's matrices without the unknowns that are fixed, and its static solution.

    Bands are (B, N, K + 1), the last axis upwards from the diagonal's neighbour K rows above.
    """

    def __init__(self, chain: Chain, lowest_Hz: float) -> None:
        pencil, m = chain.pencil, chain.carriers
        self.carriers, self.fixed = m, chain.fixed(lowest_Hz)
        self.energy, self.loss = (
            np.ascontiguousarray(band.T) for band in (pencil.energy, pencil.loss)
        )
        self.load = pencil.load.T
        self.size = self.load.shape[1]
        self.hosts: list[_Host] = []
        blocks: list[tuple[int, Array]] = []
        for place, part in enumerate(chain.parts):
            if isinstance(part, Crossing) and part.diffusion is not None and not part.blocked:
                resistance, time, rest = part.diffusion.sections
                node = m * chain.node_of(place)
                self.hosts.append(_Host(node, resistance.T, time.T))
                self.loss[:, node, -1] += rest
                blocks.append((node, 1.0 / part.diffusion.capacitance_F_cm2))
        for node, inverse in blocks:
            self.energy[:, node, -1] += inverse
        self.known = np.isfinite(np.sum(self.energy, axis=(1, 2)) + np.sum(self.loss, axis=(1, 2)))
        for band in (self.energy, self.loss):
            band[~self.known] = 0.0
            band[~self.known, :, -1] = 1.0
        self.load = np.where(self.known[:, None], self.load, 0.0)
        self.transference = self._transference()
        self.static, self.inverse_capacitance = self._static(blocks)
        for band in (self.energy, self.loss):
            _hold(band, self.fixed)
        self.static[self.fixed] = 0.0

    def _transference(self) -> Array:
        """T (B, m): how a constant current is shared where nothing blocks it."""
        m, batch = self.carriers, self.load.shape[0]
        if m == 1:
            return np.ones((batch, 1))
        ions, electrons = (np.any(self.fixed[:, c::2], axis=1) for c in (0, 1))
        ones = np.zeros((batch, 2, self.size))
        ones[:, 0, ::2] = ones[:, 1, 1::2] = 1.0
        resistance = product(self.loss, ones) @ ones.swapaxes(1, 2)
        # at most 1e150, whose determinant is a number
        resistance = np.minimum(resistance, 1e150)
        share = np.linalg.solve(resistance, np.ones((batch, 2, 1)))[..., 0]
        share = share / np.sum(share, axis=1, keepdims=True)
        share[electrons] = 1.0, 0.0
        share[ions | bool(self.hosts)] = 0.0, 1.0
        return np.asarray(share)

    def _static(self, blocks: list[tuple[int, Array]]) -> tuple[Array, Array]:
        """Q_0 (B, N), and 1/C of what blocks."""
        lift = np.tile(self.transference, (1, self.size // self.carriers))
        held = np.where(self.fixed, lift, 0.0)
        inner = -product(self.energy, held[:, None])[:, 0]
        for node, inverse in blocks:
            inner[:, node] += inverse * lift[:, node]
        inner[self.fixed] = 0.0
        # where nothing blocks, the lift is the solution
        some = np.flatnonzero(np.any(inner, axis=1))
        gap = held
        if some.size:
            band = self.energy[some]
            _hold(band, self.fixed[some])
            gap[some] += solve(band, inner[some][..., None])[..., 0]
        return lift - gap, np.sum(self.load * gap, axis=1)

    def reduced(self, some: slice, shifts: Array) -> Relaxations:
        """Return the relaxations of some of the samples."""
        energy, loss, static = self.energy[some], self.loss[some], self.static[some]
        force = product(loss, static[:, None])[:, 0] * ~self.fixed[some]
        hosts = [host.take(some) for host in self.hosts]
        loads = []
        for host in hosts:
            answer = 1.0 / (1.0 + shifts[:, None] * host.time[:, None])
            value = np.sum(host.resistance[:, None] * answer, axis=-1)
            free = ~self.fixed[some, host.node, None]
            loads.append((host.node, shifts * value * free, value * free))
        found = solve_at_shifts(energy, loss, force, static, shifts, loads, self.carriers)
        # a shift at which rounding leaves no positive definite matrix adds nothing
        found = np.where(np.isfinite(found), found, 0.0)
        basis = np.concatenate([static[:, None], found], axis=1).swapaxes(1, 2)
        scale = np.max(np.abs(basis), axis=1, keepdims=True)
        scale = np.where(scale > 0.0, scale, 1.0)
        inner = [_inside(host, basis, shifts) / scale for host in hosts]
        middle = float(np.sqrt(shifts[0] * shifts[-1]))
        return self._projected(some, basis / scale, inner, hosts, middle)

    def _projected(
        self, some: slice, basis: Array, inner: list[Array], hosts: list[_Host], middle: float
    ) -> Relaxations:
        energy, loss, static = self.energy[some], self.loss[some], self.static[some]
        size = static.shape[1]
        factor, lost_samples = cholesky(energy + middle * loss)
        rows = [_times_factor(factor, basis)]
        for host, one in zip(hosts, inner, strict=True):
            rows.append(_root(host.resistance / host.time) * (basis[:, host.node, None] - one))
            rows.append(_root(middle * host.resistance) * one)
        orthonormal = np.linalg.qr(np.concatenate(rows, axis=1))[0]
        modes = _solve_factor(factor, orthonormal[:, :size]) * ~self.fixed[some][..., None]
        turned = np.ascontiguousarray(modes.swapaxes(1, 2))
        lossy = product(loss, turned)
        stored_form, lost_form = product(energy, turned) @ modes, lossy @ modes
        force = (lossy @ static[..., None])[..., 0]
        inner_forms = []
        start = size
        for host in hosts:
            count = host.resistance.shape[1]
            kept = orthonormal[:, start : start + count]
            lost = orthonormal[:, start + count : start + 2 * count]
            start += 2 * count
            # two rows for each unknown: where columns are rounding alone, they need not agree
            share = _root(middle * host.time) * lost - kept
            one = modes[:, host.node, None] + _root(host.time / host.resistance) * share
            one /= 1.0 + middle * host.time[..., None]
            gap = modes[:, host.node, None] - one
            weighted = host.resistance[..., None] * one
            stored_form += (gap / host.time[..., None] * host.resistance[..., None]).swapaxes(
                1, 2
            ) @ gap
            inner_forms.append(weighted.swapaxes(1, 2) @ one)
            lost_form += inner_forms[-1]
            force += static[:, host.node, None] * np.sum(weighted, axis=1)
        turn = _eigenvectors(stored_form + middle * lost_form, middle * lost_form)
        # quotients of both forms are more exact than the eigenvalues
        stored, lost = (np.sum(turn * (form @ turn), axis=1) for form in (stored_form, lost_form))
        weight = (force[:, None] @ turn)[:, 0]
        # with middle · lost it makes 1: less is rounding, of what is slower than can be told
        stored = np.maximum(stored, _LEAST_STORED)
        with np.errstate(divide="ignore", invalid="ignore"):
            parts = np.where(lost > 0.0, weight**2 / lost, 0.0)
        known = self.known[some].copy()
        known[lost_samples] = False
        share = weight / stored
        inside = [np.sum(turn * (form @ turn), axis=1) * share**2 for form in inner_forms]
        return Relaxations(
            np.where(known[:, None], parts, np.nan),
            np.maximum(lost, 0.0) / stored,
            np.where(known, self.inverse_capacitance[some], np.nan),
            (modes @ turn) * share[:, None],
            static,
            self.transference[some],
            lost * share**2,
            np.stack(inside, axis=1) if inside else np.zeros((lost.shape[0], 0, lost.shape[1])),
        )


def _eigenvectors(whole: Array, part: Array) -> Array:
    """Vectors (B, S, S) in whose columns `part` is diagonal and `whole` a unit matrix, or 0.

    `whole` is next to a unit matrix already, but for columns that are rounding alone.
    """
    size, turn = np.linalg.eigh(whole)
    kept = size > _ROUNDING
    turn = turn * np.where(kept, 1.0 / np.sqrt(np.where(kept, size, 1.0)), 0.0)[:, None]
    return np.asarray(turn @ np.linalg.eigh(turn.swapaxes(1, 2) @ part @ turn)[1])


def _root(value: Array) -> Array:
    return np.sqrt(value)[..., None]


def _inside(host: _Host, basis: Array, shifts: Array) -> Array:
    """Return the part of the basis' current through the resistances of a host, (B, n, 1 + S)."""
    own = basis[:, host.node, None]
    static, time = own[..., :1], host.time[..., None]
    rest = (own[..., 1:] + time * static) / (1.0 + shifts * time)
    # of the static one all does
    return np.concatenate([np.broadcast_to(static, time.shape), rest], axis=-1)


def _hold(band: Array, fixed: BoolArray) -> None:
    """Take unknowns out of a band, but for a 1 on the diagonal."""
    width = band.shape[-1] - 1
    band[fixed] = 0.0
    for d in range(1, width + 1):
        band[:, d:, width - d][fixed[:, :-d]] = 0.0
    band[fixed, width] = 1.0


def _times_factor(factor: Array, x: Array) -> Array:
    """U x of upper factors (B, N, K + 1) and x (B, N, R)."""
    width = factor.shape[-1] - 1
    product = factor[..., width, None] * x
    for d in range(1, width + 1):
        product[:, :-d] += factor[:, d:, width - d, None] * x[:, d:]
    return np.asarray(product)


def _solve_factor(factor: Array, right: Array) -> Array:
    """U⁻¹ right, for right-hand sides (B, N, R)."""
    from scipy.linalg.lapack import dtbtrs

    long = factor.reshape(-1, factor.shape[-1])
    solution, _ = dtbtrs(long.T, right.reshape(long.shape[0], -1), uplo="U", trans="N")
    return np.asarray(solution).reshape(right.shape)
