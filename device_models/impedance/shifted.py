"""Solutions of A + sM at many real shifts s, all of them positive definite.

The unknowns inside an element are eliminated for all elements, shifts and samples at once; what is
left couples neighbouring ends of elements alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..phase import Array
from .segment import DEGREE


def cholesky(band: Array) -> tuple[Array, list[int]]:
    """Upper factors (B, N, K + 1) of positive definite bands (B, N, K + 1), as one long one.

    Those that are not positive definite are named, and replaced.
    """
    from scipy.linalg.lapack import dpbtrf

    batch, size, width = band.shape
    long = band.reshape(-1, width).copy()
    lost: list[int] = []
    while True:
        factor, info = dpbtrf(long.T, lower=0)
        if info <= 0:
            return np.asarray(factor).T.reshape(batch, size, width), lost
        # it would spoil those behind it
        lost.append((info - 1) // size)
        block = slice(lost[-1] * size, (lost[-1] + 1) * size)
        long[block], long[block, -1] = 0.0, 1.0


def solve(band: Array, right: Array) -> Array:
    """Solve positive definite bands (B, N, K + 1) for right-hand sides (B, N, R)."""
    from scipy.linalg.lapack import dpbtrs

    factor, lost = cholesky(band)
    long = factor.reshape(-1, factor.shape[-1])
    solution, _ = dpbtrs(long.T, right.reshape(long.shape[0], -1), lower=0)
    found = np.asarray(solution).reshape(right.shape)
    found[lost] = np.nan
    return found


def product(band: Array, x: Array) -> Array:
    """Symmetric bands (B, N, K + 1) times x (B, R, N)."""
    width = band.shape[-1] - 1
    # along the last axis all is contiguous
    rows = np.ascontiguousarray(band.swapaxes(1, 2))[:, :, None]
    total = rows[:, width] * x
    for d in range(1, width + 1):
        off = rows[:, width - d, :, d:]
        total[..., :-d] += off * x[..., d:]
        total[..., d:] += off * x[..., :-d]
    return np.asarray(total)


def solve_at_shifts(
    energy: Array,
    loss: Array,
    force: Array,
    static: Array,
    shifts: Array,
    loads: Sequence[tuple[int, Array, Array]],
    carriers: int,
) -> Array:
    """Solve (A + sM) w = f of samples (B,) at shifts (S,).

    Parameters
    ----------
    energy, loss : array (B, N, K + 1)
        Bands of A and M.
    force, static : array (B, N)
        f, and what an electrode's load multiplies.
    loads : sequence of (int, array, array)
        Additions of diffusion in an electrode at its unknown: to the matrix, and to f per `static`;
        arrays (B, S).
    carriers : int
        Unknowns of a node.

    Returns
    -------
    array (B, S, N)
        NaN where a matrix is not positive definite.
    """
    batch, size, width = energy.shape
    n, ends = carriers * (DEGREE + 1), size // carriers - 1
    step = carriers * DEGREE
    elements = ends // DEGREE
    order = [*range(carriers, step), *range(carriers), *range(step, n)]
    inner = step - carriers
    # (row, column, sample, shift, element); the last column is the right-hand side
    work = np.zeros((n, n + 1, batch, shifts.size, elements))
    s = shifts[:, None]
    for i, row in enumerate(order):
        for j, column in enumerate(order[: i + 1]):
            if j >= inner and (row < carriers) == (column < carriers):
                continue
            low, high = min(row, column), max(row, column)
            at = slice(high, high + step * (elements - 1) + 1, step)
            depth = width - 1 - (high - low)
            entry = energy[:, None, at, depth] + s * loss[:, None, at, depth]
            work[i, j] = entry
            if i != j:
                work[j, i] = entry
        if i < inner:
            work[i, n] = force[:, None, row : row + step * (elements - 1) + 1 : step]
    for k in range(inner):
        pivot = work[k, k + 1 :] / work[k, k]
        work[k + 1 :, k + 1 :] -= work[k + 1 :, k, None] * pivot
        work[k, k + 1 :] = pivot
    vertices = step * np.arange(elements + 1)
    places = (vertices[:, None] + np.arange(carriers)).ravel()
    band = np.zeros((batch, shifts.size, places.size, 2 * carriers))
    right = np.repeat(force[:, None, places], shifts.size, axis=1)
    shape = (batch, shifts.size, elements + 1, carriers)
    by_node, right_by_node = band.reshape((*shape, 2 * carriers)), right.reshape(shape)
    top = 2 * carriers - 1
    for a in range(carriers):
        for b in range(a, carriers):
            held = vertices + b
            depth = width - 1 - (b - a)
            own = energy[:, None, held, depth] + s * loss[:, None, held, depth]
            own[..., :-1] += work[inner + a, inner + b]
            own[..., 1:] += work[inner + carriers + a, inner + carriers + b]
            by_node[..., b, top - (b - a)] = own
        for b in range(carriers):
            across = carriers + b - a
            by_node[..., 1:, b, top - across] = work[inner + a, inner + carriers + b]
        right_by_node[..., :-1, a] += work[inner + a, n]
        right_by_node[..., 1:, a] += work[inner + carriers + a, n]
    for node, stiffness, load in loads:
        vertex, carrier = divmod(node // step * carriers + node % step, carriers)
        by_node[:, :, vertex, carrier, top] += stiffness
        right_by_node[:, :, vertex, carrier] += load * static[:, node, None]
    flat = band.reshape(-1, places.size, 2 * carriers)
    found = solve(flat, right.reshape(-1, places.size, 1)).reshape(shape)
    x = np.empty((n, batch, shifts.size, elements))
    for a in range(carriers):
        x[inner + a], x[inner + carriers + a] = found[..., :-1, a], found[..., 1:, a]
    for k in range(inner - 1, -1, -1):
        x[k] = work[k, n] - np.sum(work[k, k + 1 : n] * x[k + 1 :], axis=0)
    answer = np.empty((batch, shifts.size, size))
    for i, row in enumerate(order):
        answer[..., row : row + step * (elements - 1) + 1 : step] = x[i]
    return answer
