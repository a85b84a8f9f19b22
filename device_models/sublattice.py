"""One sublattice: the states of its sites around a reference, see `densities`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .constants import CM3_PER_NM3
from .phase import Array, BoolArray, Phase

_EXPONENT_LIMIT = 600.0


@dataclass(frozen=True)
class Sublattice:
    """One sublattice around the reference; arrays (N,), lists over its M defects.

    Slot m holds the state of defect m, or the empty state where that defect is the reference
    state itself (`is_reference`). `largest_charge` bounds |charge| from above, and is all of
    them where `equal_charges`.
    """

    defects: tuple[int, ...]
    capacity_nm3: Array
    saturation: Array
    charge: list[Array]
    probability: list[Array]
    reference_probability: Array
    is_reference: list[BoolArray]
    mean_charge: Array
    largest_charge: float
    equal_charges: bool

    def terms(self, u: Array, extremes: tuple[float, float]) -> Terms:
        """Terms of the sum over states at u (..., N), whose smallest and largest |u| are given."""
        smallest, largest = (size * self.largest_charge for size in extremes)
        exponents = [-charge * u for charge in self.charge]
        if (
            not largest < _EXPONENT_LIMIT
            and not max(float(np.max(y, initial=0.0)) for y in exponents) < _EXPONENT_LIMIT
        ):
            return self._shifted_terms(exponents)
        parts, fractions = [], []
        for p, y in zip(self.probability, exponents, strict=True):
            fraction = None
            if self.equal_charges and smallest >= 1.0:
                fraction = np.exp(y)
                part = fraction - 1.0
            else:
                part = np.expm1(y)
                if largest <= 3.0:
                    fraction = part + 1.0
            part *= p
            parts.append(part)
            fractions.append(fraction)
        return Terms(exponents, parts, sum_of(parts), 0.0, fractions)

    def _shifted_terms(self, exponents: list[Array]) -> Terms:
        with np.errstate(divide="ignore"):
            logs = [y + np.log(p) for y, p in zip(exponents, self.probability, strict=True)]
        shift = np.maximum(np.max(logs, axis=0), 0.0)
        # where shifted, weights come from logarithms: a state that fills the sublattice here may
        # have next to no probability at the reference
        parts = [
            np.where(shift > 0.0, np.exp(log - shift) - p, p * np.expm1(np.minimum(y, 700.0)))
            for log, p, y in zip(logs, self.probability, exponents, strict=True)
        ]
        exponents = [np.minimum(y - shift, 700.0) for y in exponents]
        total = sum_of(parts) + self.reference_probability * np.expm1(-shift)
        return Terms(exponents, parts, total, shift, [None] * len(parts))

    def occupations(self, terms: Terms) -> tuple[list[Array], Array]:
        """Occupation of every defect's state, and of the empty one, as fractions of alpha·N."""
        inverse = 1.0 / (1.0 + terms.total)
        slots = [p * terms.fraction(m) * inverse for m, p in enumerate(self.probability)]
        reference = self.reference_probability * np.exp(-terms.shift) * inverse
        if not any(np.any(taken) for taken in self.is_reference):
            return slots, reference
        empty = np.where(np.any(self.is_reference, axis=0), 0.0, reference)
        for taken, slot in zip(self.is_reference, slots, strict=True):
            empty = empty + np.where(taken, slot, 0.0)
        states = [
            np.where(taken, reference, slot)
            for taken, slot in zip(self.is_reference, slots, strict=True)
        ]
        return states, empty

    def cumulants(self) -> tuple[Array, Array, Array]:
        """Second to fourth cumulant of the charge at the reference."""
        states = [(self.reference_probability, -self.mean_charge)]
        states += [
            (p, charge - self.mean_charge)
            for p, charge in zip(self.probability, self.charge, strict=True)
        ]
        second, third, fourth = (np.zeros_like(self.mean_charge) for _ in range(3))
        for probability, distance in states:
            square = distance * distance
            share = probability * square
            second += share
            third += share * distance
            fourth += share * square
        return second, third, fourth - 3.0 * second * second

    def charge_nm3(self, terms: Terms) -> Array:
        """Charge density less that at the reference."""
        total = terms.total
        if len(terms.parts) > 1 or np.ndim(terms.shift):
            charge = sum_of([q * one for q, one in zip(self.charge, terms.parts, strict=True)])
            charge -= total * self.mean_charge
            charge *= self.capacity_nm3
        else:
            charge = total * (self.capacity_nm3 * (self.charge[0] - self.mean_charge))
        charge /= 1.0 + total
        return charge

    def conduction_coefficients(self, mobility: list[Array | None]) -> Conduction | None:
        """Coefficients of `conduction`, None if none of the defects moves."""
        zero = np.zeros_like(self.capacity_nm3)
        moved, moved_reference = [], zero
        empty, empty_reference = [], np.where(np.any(self.is_reference, axis=0), 0.0, 1.0)
        for m, (defect, taken) in enumerate(zip(self.defects, self.is_reference, strict=True)):
            speed = mobility[defect]
            rate = zero if speed is None else speed * self.capacity_nm3
            moved.append(np.where(taken, 0.0, rate) * self.probability[m])
            moved_reference = moved_reference + np.where(taken, rate, 0.0)
            empty.append(np.where(taken, self.saturation * self.probability[m], 0.0))
        moved_reference = moved_reference * self.reference_probability
        empty_reference = empty_reference * self.saturation * self.reference_probability
        if not any(np.any(one) for one in (*moved, moved_reference)):
            return None

        def known(value: Array) -> Array | None:
            return value if np.any(value) else None

        return Conduction(
            [known(one) for one in moved],
            known(moved_reference),
            [known(one) for one in empty],
            known(empty_reference),
            known(1.0 - self.saturation),
        )

    def conduction(self, terms: Terms, coefficients: Conduction) -> Array:
        """Conductivity of its defects.

        With e_m = exp(y_m) and I = 1/(1 + X) it is the product of two linear forms,
        ``I (k_0 + Σ k_m e_m) · [1 − alpha + I (b_0 + Σ b_m e_m)]``: mobile charge, open sites.
        """
        inverse = 1.0 + terms.total
        np.divide(1.0, inverse, out=inverse)
        moved = _linear(coefficients.moved_reference, coefficients.moved, terms)
        charge = moved * inverse
        inverse *= _linear(coefficients.empty_reference, coefficients.empty, terms)
        if coefficients.closed is not None:
            inverse += coefficients.closed
        charge *= inverse
        return charge


@dataclass(frozen=True)
class Terms:
    """Exponents y_m, terms p_m·expm1(y_m), their sum X, the exponents' shift, and exp(y_m).

    The shift keeps exp from overflowing; it is 0 unless an exponent exceeds 600. The exponentials
    are there where they came along.
    """

    exponents: list[Array]
    parts: list[Array]
    total: Array
    shift: Array | float
    fractions: list[Array | None]

    def fraction(self, m: int) -> Array:
        """exp(y_m)."""
        known = self.fractions[m]
        if known is None:
            known = self.fractions[m] = np.exp(self.exponents[m])
        return known


class Conduction(NamedTuple):
    """k_m, k_0, b_m, b_0 and 1 − alpha of `Sublattice.conduction`; None where 0 throughout."""

    moved: list[Array | None]
    moved_reference: Array | None
    empty: list[Array | None]
    empty_reference: Array | None
    closed: Array | None


def _linear(constant: Array | None, slopes: list[Array | None], terms: Terms) -> Array:
    """constant·exp(−shift) + Σ slope·exp(y), without the terms that are zero throughout."""
    result: Array | None = None
    for m, slope in enumerate(slopes):
        if slope is not None:
            term = slope * terms.fraction(m)
            result = term if result is None else result + term
    if constant is not None:
        term = constant * np.exp(-terms.shift) if np.ndim(terms.shift) else constant
        result = term if result is None else result + term
    return np.zeros(()) if result is None else result


def sum_of(parts: list[Array]) -> Array:
    """Sum of one or more arrays."""
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def log_weights(phase: Phase, kT_eV: Array, mu_eV: Array) -> list[Array]:
    """ln(w_d/alpha) of every defect with the Fermi level at the VBM; −inf for absent ones.

    With the Fermi level at E above it, q_d·E/kT less. `phase` has batch shape (N,).
    """
    logs = []
    with np.errstate(divide="ignore", invalid="ignore"):
        for density, degeneracy, saturation, energy, change in zip(
            *(
                phase.defects(name)
                for name in (
                    "site_density_cm3",
                    "degeneracy",
                    "saturation",
                    "formation_energy_eV",
                    "ion_change",
                )
            ),
            strict=True,
        ):
            log = np.log(degeneracy / saturation) - (energy - change * mu_eV) / kT_eV
            logs.append(np.where(density > 0.0, log, -np.inf))
    return logs


def site_capacity(phase: Phase, group: tuple[int, ...]) -> tuple[Array, Array]:
    """Density of sites that the defects of a sublattice may take (per nm³), and its alpha."""
    most = alpha = np.zeros(phase.shape)
    for d in group:
        density = phase.site_density_cm3[..., d]
        most = np.maximum(most, density)
        alpha = np.maximum(alpha, np.where(density > 0.0, phase.saturation[..., d], 0.0))
    alpha = np.where(alpha > 0.0, alpha, 1.0)
    return most * alpha * CM3_PER_NM3, alpha


def make_sublattice(
    group: tuple[int, ...], capacity: Array, alpha: Array, charges: list[Array], logs: list[Array]
) -> tuple[Sublattice, Array]:
    """Return the sublattice about the reference, and its mean charge there."""
    states = np.stack([np.zeros_like(capacity), *logs])
    reference = np.argmax(states, axis=0)
    if np.any(reference):
        all_charges = np.stack([np.zeros_like(capacity), *charges])
        reference_charge = np.take_along_axis(all_charges, reference[None], axis=0)[0]
        states -= np.max(states, axis=0)
    else:
        reference_charge = np.zeros_like(capacity)
    weights = np.exp(states)
    weights /= np.sum(weights, axis=0)
    is_reference = [reference == m + 1 for m in range(len(group))]
    # the empty state takes the slot of the defect that is the reference
    probability = [
        np.where(taken, weights[0], weights[m + 1]) for m, taken in enumerate(is_reference)
    ]
    charge = [
        np.where(taken, 0.0, charges[m]) - reference_charge for m, taken in enumerate(is_reference)
    ]
    # an absent state must not bring an exponent of its own
    charge = [np.where(p > 0.0, q, 0.0) for p, q in zip(probability, charge, strict=True)]
    sizes = [np.abs(q) for q in charge]
    largest = max(float(np.max(size, initial=0.0)) for size in sizes)
    mean = sum_of([p * q for p, q in zip(probability, charge, strict=True)])
    site = Sublattice(
        defects=group,
        capacity_nm3=capacity,
        saturation=alpha,
        charge=charge,
        probability=probability,
        reference_probability=np.max(weights, axis=0),
        is_reference=is_reference,
        mean_charge=mean,
        largest_charge=largest,
        equal_charges=all(bool(np.all(size == largest)) for size in sizes),
    )
    return site, mean + reference_charge
