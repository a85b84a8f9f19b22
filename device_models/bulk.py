"""Neutral bulk of an insulator: Fermi level, neutral potential, concentrations, Debye length.

Physics.md section 2. The total positive and the total negative charge are monotonic in the Fermi
level, so the difference of their logarithms has one root at most; as it is nearly linear, Newton's
method inside a bracket finds it in a few steps. Whether there is a root at all is decided
beforehand, from the charges in the limits of low and high Fermi level.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .carriers import band_density_nm3, log_band_occupation
from .constants import BOLTZMANN_EV_K, CM3_PER_NM3
from .densities import Thermodynamics, expand
from .numerics.roots import bracketed_newton
from .phase import Array, BoolArray, Phase
from .sublattice import log_weights, site_capacity

_INVERSE_STEP = 1e-4
"""Relative step in 1/T of the central difference for an activation energy."""

_ION_SHARE = 0.01
"""Electrons and holes below this share of the screening leave a phase neutral by its ions."""


@dataclass(frozen=True)
class Bulk:
    """An insulator at a temperature and a chemical potential of its mobile element.

    Quantities of the neutral state are NaN where `has_neutral_bulk` is False.

    Attributes
    ----------
    phase : Phase
        Broadcast to the batch shape (...).
    temperature_K, mu_eV, metal_work_function_eV, ion_charge : array (...)
        The conditions.
    has_neutral_bulk, neutral_by_ions : array of bool (...)
        Whether a neutral state exists, and whether defects and frozen charge alone make it.
    neutral_potential_V : array (...)
        phi_0, relative to the neutral mobile metal.
    fermi_level_eV : array (...)
        Above the VBM, at neutrality.
    debye_length_nm : array (...)
        Debye length of the neutral state.
    concentrations_cm3 : array (..., D)
        Concentrations of the defects, in the phase's order.
    electrons_cm3, holes_cm3 : array (...)
        Electrons and holes.
    conductivity_S_cm : array (...)
        Conductivity of the mobile ion; 0 where no defect conducts.
    """

    phase: Phase
    temperature_K: Array
    mu_eV: Array
    metal_work_function_eV: Array
    ion_charge: Array
    has_neutral_bulk: BoolArray
    neutral_by_ions: BoolArray
    neutral_potential_V: Array
    fermi_level_eV: Array
    debye_length_nm: Array
    concentrations_cm3: Array
    electrons_cm3: Array
    holes_cm3: Array
    conductivity_S_cm: Array

    @property
    def shape(self) -> tuple[int, ...]:
        """Batch shape (...)."""
        return self.neutral_potential_V.shape

    @property
    def kT_eV(self) -> Array:
        """Thermal energy, (...)."""
        return BOLTZMANN_EV_K * self.temperature_K

    def __getitem__(self, index: Any) -> Bulk:
        """Return the bulks at `index` of the batch."""
        return Bulk(*(getattr(self, field.name)[index] for field in fields(self)))

    def ravel(self, shape: tuple[int, ...] | None = None) -> Bulk:
        """Return the same bulks, broadcast to the batch shape `shape`, in one dimension (N,)."""
        own = self.shape
        shape = own if shape is None else shape

        def flat(value: Any) -> Any:
            if isinstance(value, Phase):
                return value.flatten(shape)
            tail = value.shape[len(own) :]
            lead = (1,) * (len(shape) - len(own)) + own
            return np.broadcast_to(value.reshape((*lead, *tail)), (*shape, *tail)).reshape(
                (-1, *tail)
            )

        return Bulk(*(flat(getattr(self, field.name)) for field in fields(self)))

    def level_at(self, potential_V: Array) -> Array:
        """Fermi level above the VBM where the potential is `potential_V` (physics.md section 4)."""
        return (
            self.phase.ionization_potential_eV
            - self.metal_work_function_eV
            + potential_V
            + self.mu_eV / self.ion_charge
        )

    def thermodynamics(self, potential_V: Array | None = None) -> Thermodynamics:
        """Describe the phase, of batch shape (N,), around its neutral or another potential."""
        level = self.fermi_level_eV if potential_V is None else self.level_at(potential_V)
        return expand(
            self.phase,
            temperature_K=self.temperature_K,
            mu_eV=self.mu_eV,
            level_eV=level,
            residual_charge=potential_V is not None,
        )


def resistivity_ohm_cm(conductivity_S_cm: ArrayLike) -> Array:
    """1/sigma, arrays (...); 0 where nothing conducts: all resistance beside it is excess."""
    sigma = np.asarray(conductivity_S_cm, dtype=np.float64)
    conducts = np.isfinite(sigma) & (sigma > 0.0)
    return np.where(conducts, 1.0 / np.where(conducts, sigma, 1.0), 0.0)


def neutral_bulk(
    phase: Phase,
    *,
    temperature_K: ArrayLike,
    metal_work_function_eV: ArrayLike,
    mu_eV: ArrayLike = 0.0,
    ion_charge: ArrayLike = 1.0,
) -> Bulk:
    """Solve for the Fermi level at which a phase is neutral.

    Parameters
    ----------
    phase : Phase
        Batch shape that broadcasts with the conditions'.
    temperature_K : array (...)
        Temperature.
    metal_work_function_eV : array (...)
        Work function of the neutral mobile metal, the zero of all potentials.
    mu_eV : array (...)
        Chemical potential of the neutral mobile element, relative to its metal.
    ion_charge : array (...)
        z of the mobile ion.

    Returns
    -------
    Bulk
        Where no level makes the phase neutral (ions of one sign without electrons, more dopants
        than the sublattices take), `has_neutral_bulk` is False and the quantities of the neutral
        state are NaN.
    """
    temperature, metal, mu, z = (
        np.asarray(value, dtype=np.float64)
        for value in (temperature_K, metal_work_function_eV, mu_eV, ion_charge)
    )
    shape = np.broadcast_shapes(phase.shape, temperature.shape, metal.shape, mu.shape, z.shape)
    flat = phase.flatten(shape)
    temperature, metal, mu, z = (
        np.ascontiguousarray(np.broadcast_to(value, shape)).ravel()
        for value in (temperature, metal, mu, z)
    )
    exists, by_ions = _neutral_exists(flat)
    level = np.full(temperature.shape, np.nan)
    if np.all(exists):
        level = _neutral_level(flat, temperature, mu)
    elif np.any(exists):
        level[exists] = _neutral_level(flat[exists], temperature[exists], mu[exists])
    state = expand(flat, temperature_K=temperature, mu_eV=mu, level_eV=np.where(exists, level, 0.0))
    origin = np.zeros_like(level)
    chi = state.screening_density_nm3()
    electrons, holes = state.carriers_nm3(origin)
    _, conductivity = state.evaluate_conduction(origin)
    concentrations = np.stack(state.concentrations_nm3(origin), axis=-1) / CM3_PER_NM3

    # a phase all but empty of charges has a Debye length beyond the largest number
    with np.errstate(over="ignore", divide="ignore"):
        debye_length = np.sqrt(state.permittivity_e_V_nm * state.kT_eV / chi)

    def only_neutral(value: Array) -> Array:
        return np.where(exists, value, np.nan).reshape(shape)

    return Bulk(
        phase=_unflatten(flat, shape),
        temperature_K=temperature.reshape(shape),
        mu_eV=mu.reshape(shape),
        metal_work_function_eV=metal.reshape(shape),
        ion_charge=z.reshape(shape),
        has_neutral_bulk=exists.reshape(shape),
        neutral_by_ions=(by_ions & (electrons + holes < _ION_SHARE * chi)).reshape(shape),
        neutral_potential_V=only_neutral(
            level - flat.ionization_potential_eV + metal - mu / z,
        ),
        fermi_level_eV=only_neutral(level),
        debye_length_nm=only_neutral(debye_length),
        concentrations_cm3=np.where(exists[:, None], concentrations, np.nan).reshape(
            (*shape, concentrations.shape[-1])
        ),
        electrons_cm3=only_neutral(electrons / CM3_PER_NM3),
        holes_cm3=only_neutral(holes / CM3_PER_NM3),
        conductivity_S_cm=only_neutral(conductivity),
    )


def bulk_activation_energy_eV(bulk: Bulk) -> Array:
    """Return ``−k d ln(sigma T)/d(1/T)`` of a bulk at its temperature.

    Parameters
    ----------
    bulk : Bulk
        Batch shape (...).

    Returns
    -------
    array (...)
        NaN where nothing conducts.
    """
    logs = []
    # symmetric in 1/T
    for step in (-_INVERSE_STEP, _INVERSE_STEP):
        temperature = bulk.temperature_K / (1.0 + step)
        beside = neutral_bulk(
            bulk.phase,
            temperature_K=temperature,
            metal_work_function_eV=bulk.metal_work_function_eV,
            mu_eV=bulk.mu_eV,
            ion_charge=bulk.ion_charge,
        )
        with np.errstate(divide="ignore"):
            logs.append(np.log(beside.conductivity_S_cm * temperature))
    with np.errstate(invalid="ignore"):
        slope = bulk.temperature_K * (logs[1] - logs[0]) / (2.0 * _INVERSE_STEP)
    return np.asarray(-BOLTZMANN_EV_K * slope)


def _unflatten(phase: Phase, shape: tuple[int, ...]) -> Phase:
    return phase.reshape(phase.shape, shape)


def _neutral_exists(phase: Phase) -> tuple[BoolArray, BoolArray]:
    """Return whether any level makes the phase neutral, and whether one does without electrons."""
    frozen = phase.frozen_charge_cm3 * CM3_PER_NM3
    most, least = frozen, frozen
    scale = np.abs(frozen)
    for group in phase.groups:
        capacity, _ = site_capacity(phase, group)
        charges = np.where(
            phase.site_density_cm3[:, list(group)] > 0.0, phase.charge[:, list(group)], 0.0
        )
        highest = capacity * np.maximum(np.max(charges, axis=-1), 0.0)
        lowest = capacity * np.minimum(np.min(charges, axis=-1), 0.0)
        most, least = most + highest, least + lowest
        scale = scale + highest - lowest
    by_ions = (most > 1e-12 * scale) & (least < -1e-12 * scale)
    return by_ions | phase.electrons, by_ions


def _neutral_level(phase: Phase, temperature_K: Array, mu_eV: Array) -> Array:
    """Fermi level above the VBM where the logarithms of both total charges are equal."""
    kT = BOLTZMANN_EV_K * temperature_K
    logs = log_weights(phase, kT, mu_eV)
    charges = phase.defects("charge")
    capacities = [site_capacity(phase, group)[0] for group in phase.groups]
    with np.errstate(divide="ignore"):
        log_capacities = [np.log(capacity) for capacity in capacities]
        log_positive = [np.log(np.maximum(q, 0.0)) for q in charges]
        log_negative = [np.log(np.maximum(-q, 0.0)) for q in charges]
        frozen = phase.frozen_charge_cm3 * CM3_PER_NM3
        log_donors = np.log(np.maximum(frozen, 0.0))
        log_acceptors = np.log(np.maximum(-frozen, 0.0))
        log_bands = [
            np.log(np.where(phase.electrons, band_density_nm3(temperature_K, mass), 0.0))
            for mass in (phase.electron_mass, phase.hole_mass)
        ]
    flat = np.zeros_like(kT)
    gap = phase.band_gap_eV / kT

    def imbalance(x: Array) -> tuple[Array, Array]:
        plus, minus = [(log_donors, flat)], [(log_acceptors, flat)]
        for group, log_capacity in zip(phase.groups, log_capacities, strict=True):
            exponents = [logs[d] - charges[d] * x for d in group]
            top = np.maximum(np.max(exponents, axis=0), 0.0)
            weights = [np.exp(y - top) for y in exponents]
            total = np.exp(-top) + np.sum(weights, axis=0)
            mean = np.sum([charges[d] * w for d, w in zip(group, weights, strict=True)], axis=0)
            mean = mean / total
            log_total = top + np.log(total) - log_capacity
            for d, y in zip(group, exponents, strict=True):
                slope = mean - charges[d]
                for side, log_charge in ((plus, log_positive[d]), (minus, log_negative[d])):
                    if np.any(np.isfinite(log_charge)):
                        side.append((y - log_total + log_charge, slope))
        if np.any(phase.electrons):
            hole, hole_slope = log_band_occupation(-x)
            electron, electron_slope = log_band_occupation(x - gap)
            plus.append((log_bands[1] + hole, -hole_slope))
            minus.append((log_bands[0] + electron, electron_slope))
        log_plus, slope_plus = _log_sum(plus)
        log_minus, slope_minus = _log_sum(minus)
        return log_plus - log_minus, slope_plus - slope_minus

    low, high = _bracket(imbalance, logs, charges, gap, phase.electrons)
    best_plus = np.max([a + q for a, q in zip(logs, log_positive, strict=True)], axis=0)
    best_minus = np.max([a + q for a, q in zip(logs, log_negative, strict=True)], axis=0)
    with np.errstate(invalid="ignore"):
        start = (best_plus - best_minus) / 2.0
    start = np.where(np.isfinite(start), start, (low + high) / 2.0)
    return bracketed_newton(imbalance, low, high, start, absolute=1e-15, newton=1e-7) * kT


def _log_sum(terms: list[tuple[Array, Array]]) -> tuple[Array, Array]:
    """Logarithm of a sum of exponentials, and its slope from the slopes of the exponents."""
    if len(terms) == 1:
        return terms[0]
    top = np.max([log for log, _ in terms], axis=0)
    anchor = np.where(np.isfinite(top), top, 0.0)
    weights = [np.exp(log - anchor) for log, _ in terms]
    total = np.sum(weights, axis=0)
    slope = np.sum([w * s for w, (_, s) in zip(weights, terms, strict=True)], axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return anchor + np.log(total), np.where(total > 0.0, slope / total, 0.0)


def _bracket(
    function: Callable[[Array], tuple[Array, Array]],
    logs: list[Array],
    charges: list[Array],
    gap: Array,
    electrons: BoolArray,
) -> tuple[Array, Array]:
    """Levels (in kT) between which the imbalance changes from positive to negative."""
    low = np.where(electrons, 0.0, np.inf)
    high = np.where(electrons, gap, -np.inf)
    for log, charge in zip(logs, charges, strict=True):
        with np.errstate(divide="ignore", invalid="ignore"):
            crossing = log / charge
        known = np.isfinite(crossing)
        low = np.where(known, np.minimum(low, crossing), low)
        high = np.where(known, np.maximum(high, crossing), high)
    width = np.full_like(low, 100.0)
    for _ in range(60):
        below, above = function(low - width)[0] > 0.0, function(high + width)[0] < 0.0
        if np.all(below & above):
            break
        width = np.where(below & above, width, 2.0 * width)
    return low - width, high + width
