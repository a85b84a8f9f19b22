r"""Concentrations, charge density and osmotic pressure of an insulator, free of cancellation.

With all energies fixed but the potential, everything depends on ``u = (phi − phi_ref)/kT``. The
states i of a sublattice (empty, or taken by one of its defects) have occupations ``p_i`` at the
reference and weights ``p_i exp(−q_i u)`` elsewhere, so the pressure Π of physics.md section 4 is a
sum of cumulant generating functions; for each sublattice, less its value and slope at u = 0,

``ΔΠ_s = alpha N kT [ln Σ_i p_i exp(−q_i u) + <q> u] ≥ 0``.

Charges counted from that of the most occupied state r, ``q'_i = q_i − q_r``, turn this into
``log1p(X) + <q'> u`` with ``X = Σ_{i≠r} p_i expm1(−q'_i u)``: nearly empty and nearly full
sublattices alike keep their relative precision, and below |u| = 1e-5 three cumulants take over.
About a neutral reference the slopes of all parts cancel and ΔΠ is their sum; about another one
the charge density there is carried along.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from .carriers import band_density_nm3, carrier_excess
from .constants import (
    BOLTZMANN_EV_K,
    CM3_PER_NM3,
    ELEMENTARY_CHARGE_C,
    NM_CM,
    VACUUM_PERMITTIVITY_E_V_NM,
)
from .fermi_dirac import fermi_dirac
from .phase import Array, BoolArray, Phase

_SERIES_BELOW = 1e-5
_EXPONENT_LIMIT = 600.0


@dataclass(frozen=True)
class Sublattice:
    """One sublattice around the reference; arrays (N,), lists over its M defects.

    Slot m holds the state of defect m, or the empty state where that defect is the reference
    state itself (`is_reference`).
    """

    defects: tuple[int, ...]
    capacity_nm3: Array
    saturation: Array
    charge: list[Array]
    probability: list[Array]
    reference_probability: Array
    is_reference: list[BoolArray]
    mean_charge: Array

    def terms(self, u: Array) -> tuple[list[Array], list[Array], Array, Array | float]:
        """Exponents y_m, terms p_m·expm1(y_m), their sum X, and the shift of the exponents.

        The shift keeps exp from overflowing; it is 0 unless an exponent exceeds 600.
        """
        exponents = [-charge * u for charge in self.charge]
        largest = max(float(np.max(y, initial=0.0)) for y in exponents)
        if largest < _EXPONENT_LIMIT:
            parts = [p * np.expm1(y) for p, y in zip(self.probability, exponents, strict=True)]
            return exponents, parts, _total(parts), 0.0
        with np.errstate(divide="ignore"):
            logs = [y + np.log(p) for y, p in zip(exponents, self.probability, strict=True)]
        shift = np.maximum(np.max(logs, axis=0), 0.0)
        # an absent state (p = 0) may have any exponent
        exponents = [np.minimum(y - shift, 700.0) for y in exponents]
        parts = [p * np.expm1(y) for p, y in zip(self.probability, exponents, strict=True)]
        total = _total(parts) + self.reference_probability * np.expm1(-shift)
        return exponents, parts, total, shift

    def occupations(
        self, exponents: list[Array], total: Array, shift: Array | float
    ) -> tuple[list[Array], Array]:
        """Occupation of every defect's state, and of the empty one, as fractions of alpha·N."""
        inverse = 1.0 / (1.0 + total)
        slots = [p * np.exp(y) * inverse for p, y in zip(self.probability, exponents, strict=True)]
        reference = self.reference_probability * np.exp(-shift) * inverse
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
        spread = [charge - self.mean_charge for charge in self.charge]
        second, third, fourth = (
            sum(
                (p * d**order for p, d in zip(self.probability, spread, strict=True)),
                start=self.reference_probability * (-self.mean_charge) ** order,
            )
            for order in (2, 3, 4)
        )
        return second, third, fourth - 3.0 * second**2


def _total(parts: list[Array]) -> Array:
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


@dataclass(frozen=True)
class Thermodynamics:
    """N phases around one reference potential each; arrays (N,), see the module's text."""

    kT_eV: Array
    permittivity_e_V_nm: Array
    sublattices: list[Sublattice]
    electron_density_nm3: Array
    electron_eta: Array
    hole_density_nm3: Array
    hole_eta: Array
    residual_charge_nm3: Array
    mobility: list[Array | None]
    """Per defect: conductivity per concentration in S·cm⁻¹ per nm⁻³; None if it never conducts."""

    def take(self, index: Any) -> Thermodynamics:
        """The phases at `index` of the batch."""
        return Thermodynamics(*(_pick(getattr(self, f.name), index) for f in fields(self)))

    def evaluate(self, u: Array) -> tuple[Array, Array]:
        """Pressure difference and charge density.

        Parameters
        ----------
        u : array (..., N)
            (phi − phi_ref)/kT.

        Returns
        -------
        pressure : array (..., N)
            Π(phi) − Π(phi_ref) in e·V/nm³.
        charge : array (..., N)
            rho in e/nm³.
        """
        pressure, charge, _ = self._evaluate(u, conductivity=False)
        return pressure, charge

    def evaluate_conduction(self, u: Array) -> tuple[Array, Array, Array]:
        """As `evaluate`, and the conductivity in S/cm (0 where nothing conducts)."""
        pressure, charge, conductivity = self._evaluate(u, conductivity=True)
        return pressure, charge, conductivity

    def _evaluate(self, u: Array, *, conductivity: bool) -> tuple[Array, Array, Array]:
        shape = np.broadcast_shapes(np.shape(u), self.kT_eV.shape)
        pressure = np.zeros(shape)
        charge = np.zeros(shape)
        sigma = np.zeros(shape)
        for site in self.sublattices:
            exponents, parts, total, shift = site.terms(u)
            pressure += site.capacity_nm3 * (np.log1p(total) + site.mean_charge * u + shift)
            first = _total([q * part for q, part in zip(site.charge, parts, strict=True)])
            charge += site.capacity_nm3 * (first - total * site.mean_charge) / (1.0 + total)
            if conductivity and any(self.mobility[d] is not None for d in site.defects):
                states, empty = site.occupations(exponents, total, shift)
                open_fraction = 1.0 - site.saturation + site.saturation * empty
                for d, state in zip(site.defects, states, strict=True):
                    mobility = self.mobility[d]
                    if mobility is not None:
                        sigma += mobility * site.capacity_nm3 * state * open_fraction
        small = np.abs(u) < _SERIES_BELOW
        if np.any(small):
            pressure = np.where(small, self._series(u), pressure)
        for density, eta, sign in (
            (self.electron_density_nm3, self.electron_eta, 1.0),
            (self.hole_density_nm3, self.hole_eta, -1.0),
        ):
            if np.any(density > 0.0):
                excess, change = carrier_excess(eta, sign * u)
                pressure += density * excess
                charge -= sign * density * change
        pressure *= self.kT_eV
        if np.any(self.residual_charge_nm3 != 0.0):
            pressure -= self.residual_charge_nm3 * self.kT_eV * u
            charge += self.residual_charge_nm3
        return pressure, charge, sigma

    def _series(self, u: Array) -> Array:
        second, third, fourth = (np.zeros_like(self.kT_eV) for _ in range(3))
        for site in self.sublattices:
            two, three, four = site.cumulants()
            second += site.capacity_nm3 * two
            third += site.capacity_nm3 * three
            fourth += site.capacity_nm3 * four
        return u**2 * (second / 2.0 - u * (third / 6.0 - u * fourth / 24.0))

    def screening_density_nm3(self) -> Array:
        """χ at the reference, the density that screens: eps·kT/(e²·χ) is the Debye length²."""
        chi = np.zeros_like(self.kT_eV)
        for site in self.sublattices:
            chi += site.capacity_nm3 * site.cumulants()[0]
        electrons = self.electron_density_nm3 * fermi_dirac(-0.5, self.electron_eta)
        holes = self.hole_density_nm3 * fermi_dirac(-0.5, self.hole_eta)
        return chi + electrons + holes

    def concentrations_nm3(self, u: Array) -> list[Array]:
        """Concentration of every defect at u (..., N), in the order of the phase's defects."""
        found: dict[int, Array] = {}
        for site in self.sublattices:
            exponents, _, total, shift = site.terms(u)
            states, _ = site.occupations(exponents, total, shift)
            for d, state in zip(site.defects, states, strict=True):
                found[d] = site.capacity_nm3 * state
        return [found[d] for d in sorted(found)]

    def carriers_nm3(self, u: Array) -> tuple[Array, Array]:
        """Electrons and holes at u (..., N)."""
        return (
            self.electron_density_nm3 * fermi_dirac(0.5, self.electron_eta + u),
            self.hole_density_nm3 * fermi_dirac(0.5, self.hole_eta - u),
        )


def saturation_marks(state: Thermodynamics, sign: Array) -> list[Array]:
    """|u| at which a defect comes to fill its sublattice: where the field's course kinks."""
    marks = []
    for site in state.sublattices:
        for charge, probability in zip(site.charge, site.probability, strict=True):
            with np.errstate(divide="ignore", invalid="ignore"):
                mark = np.log(site.reference_probability / probability) / (-charge * sign)
            marks.append(np.where(np.isfinite(mark) & (mark > 0.0), mark, np.inf))
    return marks


def _pick(value: Any, index: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value[index]
    if isinstance(value, Sublattice):
        return Sublattice(
            value.defects, *(_pick(getattr(value, f.name), index) for f in fields(value)[1:])
        )
    if isinstance(value, list):
        return [_pick(one, index) for one in value]
    return value


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
    density = phase.site_density_cm3[..., list(group)]
    saturation = np.where(density > 0.0, phase.saturation[..., list(group)], 0.0)
    alpha = np.max(saturation, axis=-1)
    alpha = np.where(alpha > 0.0, alpha, 1.0)
    return np.max(density, axis=-1) * alpha * CM3_PER_NM3, alpha


def expand(
    phase: Phase,
    *,
    temperature_K: Array,
    mu_eV: Array,
    level_eV: Array,
    residual_charge: bool = False,
) -> Thermodynamics:
    """Describe phases around the potential where the Fermi level is `level_eV` above the VBM.

    Parameters
    ----------
    phase : Phase
        Batch shape (N,).
    temperature_K, mu_eV, level_eV : array (N,)
        Temperature, chemical potential of the neutral mobile element, E_F above the VBM.
    residual_charge : bool
        Whether the reference carries a charge; False takes it as exactly neutral.

    Returns
    -------
    Thermodynamics
        Of the N phases.
    """
    kT = BOLTZMANN_EV_K * temperature_K
    logs = log_weights(phase, kT, mu_eV)
    charges = phase.defects("charge")
    sites = []
    neutrality = np.zeros_like(kT)
    for group in phase.groups:
        capacity, alpha = site_capacity(phase, group)
        site = _sublattice(
            group,
            capacity,
            alpha,
            [charges[d] for d in group],
            [logs[d] - charges[d] * level_eV / kT for d in group],
        )
        sites.append(site[0])
        neutrality += capacity * site[1]
    electron_density = np.where(phase.electrons, 1.0, 0.0) * band_density_nm3(
        temperature_K, phase.electron_mass
    )
    hole_density = np.where(phase.electrons, 1.0, 0.0) * band_density_nm3(
        temperature_K, phase.hole_mass
    )
    state = Thermodynamics(
        kT_eV=kT,
        permittivity_e_V_nm=VACUUM_PERMITTIVITY_E_V_NM * phase.dielectric_constant,
        sublattices=sites,
        electron_density_nm3=electron_density,
        electron_eta=(level_eV - phase.band_gap_eV) / kT,
        hole_density_nm3=hole_density,
        hole_eta=-level_eV / kT,
        residual_charge_nm3=np.zeros_like(kT),
        mobility=_mobilities(phase, kT),
    )
    if not residual_charge:
        return state
    electrons, holes = state.carriers_nm3(np.zeros_like(kT))
    frozen = phase.frozen_charge_cm3 * CM3_PER_NM3
    return replace(state, residual_charge_nm3=neutrality + holes - electrons + frozen)


def _sublattice(
    group: tuple[int, ...], capacity: Array, alpha: Array, charges: list[Array], logs: list[Array]
) -> tuple[Sublattice, Array]:
    """Return the sublattice about the reference, and its mean charge there."""
    states = np.stack([np.zeros_like(capacity), *logs])
    reference = np.argmax(states, axis=0)
    states = states - np.max(states, axis=0)
    weights = np.exp(states)
    weights /= np.sum(weights, axis=0)
    all_charges = np.stack([np.zeros_like(capacity), *charges])
    reference_charge = np.take_along_axis(all_charges, reference[None], axis=0)[0]
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
    mean = _total([p * q for p, q in zip(probability, charge, strict=True)])
    site = Sublattice(
        defects=group,
        capacity_nm3=capacity,
        saturation=alpha,
        charge=charge,
        probability=probability,
        reference_probability=np.take_along_axis(weights, reference[None], axis=0)[0],
        is_reference=is_reference,
        mean_charge=mean,
    )
    return site, mean + reference_charge


def _mobilities(phase: Phase, kT_eV: Array) -> list[Array | None]:
    result: list[Array | None] = []
    for charge, energy, frequency, hop, prefactor in zip(
        *(
            phase.defects(name)
            for name in (
                "charge",
                "migration_energy_eV",
                "attempt_frequency_Hz",
                "hop_distance_nm",
                "diffusion_prefactor",
            )
        ),
        strict=True,
    ):
        diffusivity = prefactor * (hop * NM_CM) ** 2 * frequency * np.exp(-energy / kT_eV)
        mobility = charge**2 * ELEMENTARY_CHARGE_C * diffusivity / kT_eV / CM3_PER_NM3
        moves = np.isfinite(mobility)
        result.append(np.where(moves, mobility, 0.0) if np.any(moves) else None)
    return result
