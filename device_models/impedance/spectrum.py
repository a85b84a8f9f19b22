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
from .chain import Chain, Crossing, banded_product
from .diffusion import Diffusion

_PER_DECADE = 3.0
_MARGIN = 30.0
"""How far shifts go beyond the frequencies."""

_ROWS = 400_000
"""Rows of one call of LAPACK, which bounds the memory."""


@dataclass(frozen=True)
class Relaxations:
    """An impedance as a sum of parallel RC elements in series; arrays (B, K) and (B,).

    Attributes
    ----------
    resistance_ohm_cm2, time_s : array (B, K)
        R_k and τ_k.
    inverse_capacitance_cm2_F : array (B,)
        1/C of what blocks; 0 where nothing does.
    modes : array (N, B, K) or None
        What each adds to the solution w along the chain, which is Σ modes/(1 + sτ); None of batches
        that were cut.
    static : array (N, B) or None
        Q_0: the carriers' current is Q_0 − s·w.
    transference : array (m, B) or None
        T: what Q_0 is where nothing blocks.
    """

    resistance_ohm_cm2: Array
    time_s: Array
    inverse_capacitance_cm2_F: Array
    modes: Array | None = None
    static: Array | None = None
    transference: Array | None = None

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
        """Evaluate w of the unknowns at frequencies (F,), complex (N, B, F)."""
        assert self.modes is not None
        s = 2j * np.pi * np.asarray(frequency_Hz, dtype=np.float64)
        answers = 1.0 / (1.0 + s * self.time_s[..., None])
        return np.asarray(np.einsum("nbk,bkf->nbf", self.modes, answers))


@dataclass(frozen=True)
class _Host:
    """An electrode's diffusion at the unknown `node`."""

    node: int
    resistance: Array
    time: Array
    rest: Array
    inverse_capacitance: Array


def solve_chain(chain: Chain, lowest_Hz: float, highest_Hz: float) -> Relaxations:
    """Find the relaxations between two frequencies, and all limits.

    Parameters
    ----------
    chain : Chain
        Of B samples; those that are not finite give NaN.
    lowest_Hz, highest_Hz : float
        Between which Z is asked for.
    """
    system = _System(chain)
    low, high = 2.0 * np.pi * np.array([lowest_Hz / _MARGIN, highest_Hz * _MARGIN])
    count = int(np.ceil(_PER_DECADE * np.log10(high / low))) + 1
    shifts = np.geomspace(low, high, count)
    rows = max(1, _ROWS // (system.size * count))
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
    """A chain's matrices without the unknowns that are fixed, and its static solution."""

    def __init__(self, chain: Chain) -> None:
        pencil, m = chain.pencil, chain.carriers
        self.chain = chain
        self.carriers = m
        self.energy, self.loss = pencil.energy.copy(), pencil.loss.copy()
        self.load = pencil.load
        self.size = self.load.shape[0]
        self.fixed = chain.fixed
        self.hosts = [
            self._host(part.diffusion, m * chain.node_of(place))
            for place, part in enumerate(chain.parts)
            if isinstance(part, Crossing) and part.diffusion is not None and not part.blocked
        ]
        width = self.energy.shape[0] - 1
        for host in self.hosts:
            self.energy[width, host.node] += host.inverse_capacitance
            self.loss[width, host.node] += host.rest
        finite = np.isfinite(np.sum(self.energy, axis=(0, 1)) + np.sum(self.loss, axis=(0, 1)))
        self.known = finite
        for band, blank in ((self.energy, 1.0), (self.loss, 1.0)):
            band[..., ~finite] = 0.0
            band[width][:, ~finite] = blank
        self.load = np.where(finite, self.load, 0.0)
        self.transference = self._transference()
        self.static, self.inverse_capacitance = self._static()
        for band in (self.energy, self.loss):
            _hold(band, self.fixed)
        self.static[self.fixed] = 0.0

    @staticmethod
    def _host(diffusion: Diffusion, node: int) -> _Host:
        resistance, time, rest = diffusion.sections
        return _Host(node, resistance, time, rest, 1.0 / diffusion.capacitance_F_cm2)

    def _transference(self) -> Array:
        """T (m, B): how a constant current is shared where nothing blocks it."""
        m, batch = self.carriers, self.load.shape[1]
        if m == 1:
            return np.ones((1, batch))
        if np.any(self.fixed[::2]) or self.hosts:
            return np.stack([np.zeros(batch), np.ones(batch)])
        ones = np.zeros((self.size, batch, 2))
        ones[::2, :, 0] = ones[1::2, :, 1] = 1.0
        product = banded_product(self.loss, ones)
        resistance = np.einsum("nbi,nbj->bij", ones, product)
        share = np.linalg.solve(resistance, np.ones((batch, 2, 1)))[..., 0]
        return np.asarray((share / np.sum(share, axis=1, keepdims=True)).T)

    def _static(self) -> tuple[Array, Array]:
        """Q_0 (N, B), and 1/C of what blocks."""
        lift = np.tile(self.transference, (self.size // self.carriers, 1))
        batch = lift.shape[1]
        inner = np.zeros((self.size, batch))
        if self.carriers == 2 or not (np.any(self.fixed) or self.hosts):
            return lift, np.zeros(batch)
        for host in self.hosts:
            inner[host.node] += host.inverse_capacitance
        held = np.where(self.fixed[:, None], lift, 0.0)
        inner -= banded_product(self.energy, held)
        inner[self.fixed] = 0.0
        band = self.energy.copy()
        _hold(band, self.fixed)
        gap = _solve(band, inner[..., None])[..., 0] + held
        return lift - gap, np.einsum("nb,nb->b", self.load, gap)

    def reduced(self, some: slice, shifts: Array) -> Relaxations:
        """The relaxations of some of the samples."""
        energy, loss = self.energy[..., some], self.loss[..., some]
        static = self.static[:, some]
        size, batch = static.shape
        width = energy.shape[0] - 1
        hosts = [
            _Host(
                host.node,
                host.resistance[:, some],
                host.time[:, some],
                host.rest[some],
                host.inverse_capacitance[some],
            )
            for host in self.hosts
        ]
        force = banded_product(loss, static)
        resistance = np.einsum("nb,nb->b", static, force)
        matrix = energy[..., None] + shifts * loss[..., None]
        forces = np.repeat(force[..., None], shifts.size, axis=-1)
        for host in hosts:
            value = np.sum(
                host.resistance[..., None] / (1.0 + shifts * host.time[..., None]), axis=0
            )
            matrix[width, host.node] += shifts * value
            forces[host.node] += value * static[host.node][:, None]
            resistance = resistance + static[host.node] ** 2 * np.sum(host.resistance, axis=0)
        forces[self.fixed] = 0.0
        flat = matrix.reshape(width + 1, size, -1)
        found = _solve(flat, forces.reshape(size, -1, 1)).reshape(size, batch, shifts.size)
        # a shift at which rounding leaves no positive definite matrix adds nothing
        found = np.where(np.isfinite(found), found, 0.0)
        basis = np.concatenate([static[..., None], found], axis=-1)
        inner = [_inside(host, basis, shifts) for host in hosts]
        return self._projected(basis, inner, hosts, energy, loss, some, shifts)

    def _projected(
        self,
        basis: Array,
        inner: list[Array],
        hosts: list[_Host],
        energy: Array,
        loss: Array,
        some: slice,
        shifts: Array,
    ) -> Relaxations:
        static = self.static[:, some]
        size = static.shape[0]
        middle = float(np.sqrt(shifts[0] * shifts[-1]))
        factor, lost_samples = _cholesky(energy + middle * loss)
        scale = np.max(np.abs(basis), axis=0)
        scale = np.where(scale > 0.0, scale, 1.0)
        basis = basis / scale
        inner = [one / scale for one in inner]
        rows = [_times_factor(factor, basis)]
        for host, one in zip(hosts, inner, strict=True):
            stored = np.sqrt(host.resistance / host.time)[..., None]
            rows.append(stored * (basis[host.node] - one))
            rows.append(np.sqrt(middle * host.resistance)[..., None] * one)
        stacked = np.moveaxis(np.concatenate(rows), 1, 0)
        orthonormal = np.moveaxis(np.linalg.qr(stacked)[0], 0, 1)
        modes = _solve_factor(factor, orthonormal[:size])
        stored_form = np.einsum("nbi,nbj->bij", modes, banded_product(energy, modes))
        loss_modes = banded_product(loss, modes)
        lost_form = np.einsum("nbi,nbj->bij", modes, loss_modes)
        force = np.einsum("nb,nbj->bj", static, loss_modes)
        start = size
        for host in hosts:
            count = host.resistance.shape[0]
            kept, lost = (orthonormal[start + n * count : start + (n + 1) * count] for n in (0, 1))
            start += 2 * count
            # two rows for each unknown: where columns are rounding alone, they need not agree
            rate = 1.0 / (1.0 + middle * host.time[..., None])
            root = np.sqrt(host.time / host.resistance)[..., None]
            share = np.sqrt(middle * host.time)[..., None] * lost - kept
            one = rate * (modes[host.node] + root * share)
            gap = modes[host.node] - one
            stored_form += np.einsum("nbi,nb,nbj->bij", gap, host.resistance / host.time, gap)
            lost_form += np.einsum("nbi,nb,nbj->bij", one, host.resistance, one)
            force += static[host.node][:, None] * np.einsum("nb,nbj->bj", host.resistance, one)
        gram = np.linalg.cholesky(stored_form + middle * lost_form)
        half = np.linalg.solve(gram, lost_form)
        _, turn = np.linalg.eigh(middle * np.linalg.solve(gram, half.swapaxes(1, 2)))
        turn = np.linalg.solve(gram.swapaxes(1, 2), turn)
        # quotients of both forms are more exact than the eigenvalues
        stored = np.einsum("bik,bij,bjk->bk", turn, stored_form, turn)
        lost = np.einsum("bik,bij,bjk->bk", turn, lost_form, turn)
        weight = np.einsum("bjk,bj->bk", turn, force)
        with np.errstate(divide="ignore", invalid="ignore"):
            time = np.maximum(lost, 0.0) / np.maximum(stored, 1e-300)
            parts = np.where(lost > 0.0, weight**2 / lost, 0.0)
        known = self.known[some].copy()
        known[lost_samples] = False
        parts = np.where(known[:, None], parts, np.nan)
        inverse = np.where(known, self.inverse_capacitance[some], np.nan)
        return Relaxations(
            parts,
            time,
            inverse,
            np.einsum("nbi,bik->nbk", modes, turn) * (weight / np.maximum(stored, 1e-300)),
            static,
            self.transference[:, some],
        )


def _inside(host: _Host, basis: Array, shifts: Array) -> Array:
    """What of the basis' current goes through the resistances of a host, (n, B, 1 + S)."""
    own = basis[host.node]
    static = own[:, :1]
    # the first is the static one, all of whose current does
    time = host.time[..., None]
    rest = (own[:, 1:] + time * static) / (1.0 + shifts * time)
    first = np.broadcast_to(static, (*host.time.shape, 1))
    return np.concatenate([first, rest], axis=-1)


def _hold(band: Array, fixed: BoolArray) -> None:
    """Take unknowns out of a band, but for a 1 on the diagonal."""
    width = band.shape[0] - 1
    for d in range(1, width + 1):
        band[width - d][fixed] = 0.0
        band[width - d, d:][fixed[:-d]] = 0.0
    band[width][fixed] = 1.0


def _cholesky(band: Array) -> tuple[Array, list[int]]:
    """Upper factors (K + 1, N·B) of B positive definite systems (K + 1, N, B), one after another.

    Those that are not positive definite are named, and replaced.
    """
    from scipy.linalg.lapack import dpbtrf

    width, size, batch = band.shape
    long = np.asfortranarray(np.moveaxis(band, 2, 1).reshape(width, batch * size))
    lost: list[int] = []
    while True:
        factor, info = dpbtrf(long, lower=0)
        if info <= 0:
            break
        # it would spoil those behind it
        lost.append((info - 1) // size)
        block = slice(lost[-1] * size, (lost[-1] + 1) * size)
        long[:, block], long[-1, block] = 0.0, 1.0
    return np.asarray(factor), lost


def _long(x: Array) -> Array:
    """(N, B, R) as (B·N, R)."""
    size, batch, count = x.shape
    return np.moveaxis(x, 1, 0).reshape(batch * size, count)


def _solve(band: Array, right: Array) -> Array:
    """Solve B positive definite systems (K + 1, N, B) for right-hand sides (N, B, R)."""
    from scipy.linalg.lapack import dpbtrs

    size, batch, count = right.shape
    factor, lost = _cholesky(band)
    solution, _ = dpbtrs(factor, _long(right), lower=0)
    found = np.moveaxis(solution.reshape(batch, size, count), 0, 1)
    found[:, lost] = np.nan
    return np.asarray(found)


def _times_factor(factor: Array, x: Array) -> Array:
    """U x of upper factors (K + 1, N·B) and x (N, B, R)."""
    size, batch, _ = x.shape
    width = factor.shape[0] - 1
    upper = np.moveaxis(factor.reshape(width + 1, batch, size), 1, 2)[..., None]
    product = upper[width] * x
    for d in range(1, width + 1):
        product[:-d] += upper[width - d, d:] * x[d:]
    return np.asarray(product)


def _solve_factor(factor: Array, right: Array) -> Array:
    """U⁻¹ right, for right-hand sides (N, B, R)."""
    from scipy.linalg.lapack import dtbtrs

    size, batch, count = right.shape
    solution, _ = dtbtrs(factor, _long(right), uplo="U", trans="N")
    return np.asarray(np.moveaxis(solution.reshape(batch, size, count), 0, 1))
