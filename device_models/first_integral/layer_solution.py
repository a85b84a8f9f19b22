"""The one unknown of a layer of finite thickness, see `branches`.

Across and along, h does not depend on the unknown ln c: Newton's method runs on h sampled once at
the nodes of a quadrature, and the samples are renewed only where c came out so far from the guess
that the nodes lie badly. A turning point moves the pivot, so every step samples again. In the
end an adaptive quadrature tells what the plain one missed, and corrects its target.
"""

from __future__ import annotations

import numpy as np

from ..numerics.roots import bracketed_newton, bracketed_newton_by_index
from ..phase import Array, BoolArray, IntArray
from .branches import (
    ACROSS,
    ALONG,
    TURNING,
    Samples,
    from_turning_point,
    log_sinh,
    make_branch,
)
from .layer_reference import SMALLEST_DROP, LayerReference

_TOLERANCE = 1e-9
_LOG_SMALLEST = -600.0
"""Logarithm of the smallest c (per nm²) told from 0."""

_LOG_NEAREST = -80.0
_FLAT = 1e-26
_LOG_FARTHEST = 300.0
_DOUBT = 200.0
"""Layers whose guess is so near to the end of the bracket may be thicker than any told apart."""

_LARGEST_EXPONENT = 36
"""Without neutral bulk, turning points up to e^36 kT away are looked for."""

_CORRECTIONS = 10
_SAMPLINGS = 5
_FAR = 2.0
"""Samples serve ln c up to so far from the one that they were made for."""

_NEWTON = {"absolute": 1e-11, "newton": 1e-5}


def _bracket(
    kind: int, reference: LayerReference, thickness_nm: Array
) -> tuple[Array, Array, Array, Array]:
    """Bracket and guess of the unknown, and its value for the thickest layer told apart."""
    drop = np.abs(reference.far - reference.near)
    if kind == ALONG:
        high = 2.0 * np.log(drop / thickness_nm)
        return high - 100.0, high, high - 1.0, np.full_like(high, np.nan)
    # the tails of two space charges that overlap little: 4 tanh(u/4) is Gouy and Chapman's
    tails = [4.0 * np.tanh(np.abs(u) / 4.0) for u in (reference.near, reference.far)]
    ratio = thickness_nm / reference.bulk.debye_length_nm
    with np.errstate(divide="ignore", invalid="ignore"):
        overlap = np.log(4.0 * tails[0] * tails[1]) - ratio
    if kind == ACROSS:
        high = 2.0 * np.log(drop / thickness_nm)
        low = np.minimum(high - 50.0, _LOG_SMALLEST)
        guess = overlap - 2.0 * np.log(reference.bulk.debye_length_nm)
        return low, high, np.clip(guess, low, high), low
    low = np.full_like(ratio, _LOG_NEAREST)
    high = np.where(reference.neutral, _LOG_FARTHEST + 0.5 * np.abs(reference.near), 1.0)
    without = np.flatnonzero(~reference.neutral)
    for _ in range(_LARGEST_EXPONENT if without.size else 0):
        farthest = make_branch(TURNING, reference.take(without), high[without])
        short = farthest.thickness_and_slope()[0] < thickness_nm[without]
        if not np.any(short):
            break
        high[without[short]] += 1.0
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        guess = log_sinh(0.5 * np.abs(reference.near)) - 0.5 * overlap + np.log(2.0)
    guess = np.where(reference.neutral & np.isfinite(guess), guess, 0.0)
    return low, high, np.clip(guess, low, high), np.where(reference.neutral, high, np.nan)


def flat_layers(reference: LayerReference, thickness_nm: Array) -> BoolArray:
    """Return which layers have equal ends and a potential that differs from them in no digit.

    To first order the charge rho at the ends bends the potential by ``rho L²/(8 eps)``. Below
    1e-26 of what rho changes over, the next order is no digit, and below the end of the bracket of
    the turning point no root would be found.
    """
    _, charge = reference.state.evaluate(reference.near)
    bend_V = np.abs(charge) * thickness_nm**2 / (8.0 * reference.state.permittivity_e_V_nm)
    scale = np.where(reference.neutral, 2.0 * np.tanh(0.5 * np.abs(reference.near)), 1.0)
    flat = (reference.near == reference.far) & (bend_V < _FLAT * reference.state.kT_eV * scale)
    # both ends at neutrality, told apart by what is no digit
    return np.asarray(
        flat | (reference.across & (np.abs(reference.far - reference.near) <= SMALLEST_DROP))
    )


def solve_branch(
    kind: int,
    reference: LayerReference,
    thickness_nm: Array,
    longest_nm: Array,
    *,
    conduction: bool = True,
) -> tuple[Array, Array, Array]:
    """Find the unknown of layers of one kind, the length of the neutral plateau, and R.

    `longest_nm` is L* of `ALONG` and `TURNING`. R (nm·cm/S) is that of the branch without the
    plateau.
    """
    low, high, unknown, thickest = _bracket(kind, reference, thickness_nm)
    at_limit = _at_limit(kind, reference, thickness_nm, unknown, thickest)
    unknown = np.where(at_limit, thickest, unknown)
    goal = thickness_nm.copy()
    ratio, resistance = np.ones_like(goal), np.empty_like(goal)
    left = np.arange(goal.size)
    for attempt in range(_CORRECTIONS):
        part = reference if left.size == goal.size else reference.take(left)
        free = ~at_limit[left]
        bounds = low[left], high[left], unknown[left], goal[left], longest_nm[left]
        if kind == TURNING or attempt >= _SAMPLINGS:
            unknown[left], close = _by_steps(kind, part, *bounds, free), free
            branch = make_branch(kind, part, unknown[left])
            samples, constant = branch.samples(conduction=conduction), branch.constant
        else:
            samples = make_branch(kind, part, unknown[left]).samples(conduction=conduction)
            found, close = _by_samples(kind, samples, *bounds)
            unknown[left] = np.where(free, found, unknown[left])
            constant = np.exp(unknown[left])
        exact, resistance[left] = samples.thickness_and_resistance(constant)
        ratio[left] = exact / thickness_nm[left]
        missed = free & (np.abs(ratio[left] - 1.0) > _TOLERANCE)
        # samples made far away mislead: new ones before the target is corrected
        goal[left] = np.where(missed & close, goal[left] / ratio[left], goal[left])
        left = left[missed]
        if left.size == 0:
            break
    plateau = np.where(at_limit, np.maximum(thickness_nm * (1.0 - ratio), 0.0), 0.0)
    return unknown, plateau, resistance


def _at_limit(
    kind: int, reference: LayerReference, thickness_nm: Array, guess: Array, thickest: Array
) -> BoolArray:
    """Return which layers are too thick to be told apart: there is no root, but a plateau."""
    at_limit = np.abs(guess - thickest) < _DOUBT
    some = np.flatnonzero(at_limit)
    if some.size:
        branch = make_branch(kind, reference.take(some), thickest[some])
        at_limit[some] = branch.thickness_and_slope()[0] < thickness_nm[some]
    return at_limit


def _scaled(kind: int, thickness: Array, longest: Array) -> tuple[Array, Array]:
    """Return the function to solve, nearly linear in the unknown, and its slope with L.

    That is ln L across, ln L/(L* − L) along and −ln(L − L*) turning.
    """
    if kind == ACROSS:
        return np.log(thickness), 1.0 / thickness
    if kind == ALONG:
        # without any charge there is no L*
        bound = np.where(np.isfinite(longest), longest, 2.0 * thickness)
        rest = np.maximum(bound - thickness, 1e-15 * thickness)
        rest = np.where(np.isfinite(longest), rest, 1.0)
        slope = 1.0 / thickness + np.where(np.isfinite(longest), 1.0 / rest, 0.0)
        return np.log(thickness / rest), slope
    rest = np.maximum(thickness - longest, 1e-15 * thickness)
    return -np.log(rest), -1.0 / rest


def _by_samples(
    kind: int, samples: Samples, low: Array, high: Array, guess: Array, goal: Array, longest: Array
) -> tuple[Array, BoolArray]:
    """Roots of the sampled thickness, and whether they lie near the guess."""
    target = _scaled(kind, goal, longest)[0]

    def excess(log_c: Array) -> tuple[Array, Array]:
        constant = np.exp(log_c)
        thickness, slope = samples.thickness_and_slope(constant)
        value, factor = _scaled(kind, thickness, longest)
        return value - target, factor * slope * constant

    if kind == ALONG:
        # the samples do not depend on c at all
        return bracketed_newton(excess, low, high, guess, **_NEWTON), np.ones(low.shape, dtype=bool)
    value, slope = excess(guess)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        step = np.clip(guess - value / slope, low, high)
    near_low, near_high = np.maximum(low, guess - _FAR), np.minimum(high, guess + _FAR)
    close = (excess(near_low)[0] >= 0.0) & (excess(near_high)[0] <= 0.0)
    near_low, near_high = np.where(close, near_low, step), np.where(close, near_high, step)
    return bracketed_newton(excess, near_low, near_high, step, **_NEWTON), close


def _by_steps(
    kind: int,
    reference: LayerReference,
    low: Array,
    high: Array,
    guess: Array,
    goal: Array,
    longest: Array,
    free: BoolArray,
) -> Array:
    """Roots where every step of Newton's method samples again; `guess` where not `free`."""
    chosen = np.flatnonzero(free)
    target = _scaled(kind, goal, longest)[0]

    def excess(turning_point: Array, index: IntArray) -> tuple[Array, Array]:
        some = chosen[index]
        part = reference if some.size == free.size else reference.take(some)
        thickness, slope = make_branch(kind, part, turning_point).thickness_and_slope()
        value, factor = _scaled(kind, thickness, longest[some])
        moved = (
            from_turning_point(part, turning_point)[2] if kind == TURNING else np.exp(turning_point)
        )
        return value - target[some], factor * slope * moved

    found = guess.copy()
    found[chosen] = bracketed_newton_by_index(
        excess, low[chosen], high[chosen], guess[chosen], **_NEWTON
    )
    return found
