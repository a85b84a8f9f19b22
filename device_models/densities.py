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
from functools import cached_property
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
from .phase import Array, Phase
from .sublattice import (
    Conduction,
    Sublattice,
    log_weights,
    make_sublattice,
    site_capacity,
    sum_of,
)

_SERIES_BELOW = 1e-5
_FAINT = 1e-13


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
        pressure, charge, _ = self._evaluate(u, charges=True)
        return pressure, charge

    def evaluate_conduction(self, u: Array) -> tuple[Array, Array]:
        """Pressure difference as in `evaluate`, and conductivity in S/cm (0 where none)."""
        pressure, _, conductivity = self._evaluate(u, charges=False)
        return pressure, conductivity

    def _evaluate(self, u: Array, *, charges: bool) -> tuple[Array, Array, Array]:
        shape = np.broadcast_shapes(np.shape(u), self.kT_eV.shape)
        pressure = np.zeros(shape)
        charge = np.zeros(shape if charges else 0)
        sigma = np.zeros(0 if charges else shape)
        for site, conducting in zip(self.sublattices, self._conduction, strict=True):
            exponents, parts, total, shift = site.terms(u)
            part = np.log1p(total)
            part += site.mean_charge * u
            if np.ndim(shift):
                part += shift
            part *= site.capacity_nm3
            pressure += part
            if charges:
                part = sum_of([q * one for q, one in zip(site.charge, parts, strict=True)])
                part -= total * site.mean_charge
                part /= 1.0 + total
                part *= site.capacity_nm3
                charge += part
            else:
                conduction = site.conduction(exponents, total, shift, conducting)
                if conduction is not None:
                    sigma += conduction
        small = np.abs(u) < _SERIES_BELOW
        if np.any(small):
            pressure = np.where(small, self._series(u), pressure)
        for density, eta, sign in (
            (self.electron_density_nm3, self.electron_eta, 1.0),
            (self.hole_density_nm3, self.hole_eta, -1.0),
        ):
            if np.any(density):
                excess, change = carrier_excess(eta, sign * u)
                pressure += density * excess
                if charges:
                    charge -= sign * density * change
        pressure *= self.kT_eV
        if np.any(self.residual_charge_nm3):
            pressure -= self.residual_charge_nm3 * self.kT_eV * u
            if charges:
                charge += self.residual_charge_nm3
        return pressure, charge, sigma

    def without_faint_bands(self, u: Array) -> Thermodynamics:
        """Leave electrons and holes out where they carry nothing between the reference and u (N,).

        Their share in the pressure grows with |u|; below 1e-13 of the ions' it is not a digit.
        """
        if not np.any(self.electron_density_nm3) and not np.any(self.hole_density_nm3):
            return self
        bare = replace(
            self,
            electron_density_nm3=np.zeros_like(self.kT_eV),
            hole_density_nm3=np.zeros_like(self.kT_eV),
        )
        end = np.where(u == 0.0, 1.0, u)
        ions, _ = bare.evaluate(end)
        both, _ = self.evaluate(end)
        at_reference = self.screening_density_nm3() - bare.screening_density_nm3()
        faint = both - ions <= _FAINT * ions
        faint &= at_reference <= _FAINT * bare.screening_density_nm3()
        return replace(
            self,
            electron_density_nm3=np.where(faint, 0.0, self.electron_density_nm3),
            hole_density_nm3=np.where(faint, 0.0, self.hole_density_nm3),
        )

    @cached_property
    def _conduction(self) -> list[Conduction | None]:
        return [site.conduction_coefficients(self.mobility) for site in self.sublattices]

    @cached_property
    def _cumulants(self) -> tuple[Array, Array, Array]:
        totals = [np.zeros_like(self.kT_eV) for _ in range(3)]
        for site in self.sublattices:
            for total, cumulant in zip(totals, site.cumulants(), strict=True):
                total += site.capacity_nm3 * cumulant
        return totals[0], totals[1], totals[2]

    def _series(self, u: Array) -> Array:
        second, third, fourth = self._cumulants
        return u**2 * (second / 2.0 - u * (third / 6.0 - u * fourth / 24.0))

    def screening_density_nm3(self) -> Array:
        """χ at the reference, the density that screens: eps·kT/(e²·χ) is the Debye length²."""
        chi = self._cumulants[0]
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
                logs = np.log(site.reference_probability) - np.log(probability)
                mark = logs / (-charge * sign)
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
        site = make_sublattice(
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
