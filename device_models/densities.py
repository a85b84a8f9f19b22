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

from .carriers import band_density_nm3, carrier_bounds, carrier_excess
from .constants import (
    BOLTZMANN_EV_K,
    CM3_PER_NM3,
    ELEMENTARY_CHARGE_C,
    NM_CM,
    VACUUM_PERMITTIVITY_E_V_NM,
)
from .numerics.fermi_dirac import fermi_dirac
from .phase import Array, IntArray, Phase
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
        """Return the phases at `index` of the batch."""
        taken = Thermodynamics(*(_pick(getattr(self, name), index) for name in _FIELDS))
        # what is known already goes along
        for name in _DERIVED:
            if name in self.__dict__:
                taken.__dict__[name] = _pick(self.__dict__[name], index)
        return taken

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

    def pressure(self, u: Array) -> Array:
        """Pressure difference as in `evaluate`, alone."""
        return self._evaluate(u, charges=False, conduction=False)[0]

    def _evaluate(
        self, u: Array, *, charges: bool, conduction: bool = True
    ) -> tuple[Array, Array, Array]:
        # in place, and without a look at every element where the extremes decide
        size = np.abs(u)
        extremes = _extremes(size)
        shape = np.broadcast_shapes(np.shape(u), self.kT_eV.shape)
        pressure = self._mean_charge_nm3 * u
        charge = np.zeros(shape if charges else 0)
        conduction = conduction and not charges
        sigma = np.zeros(shape if conduction else 0)
        conductions = self._conduction if conduction else [None] * len(self.sublattices)
        for site, conducting in zip(self.sublattices, conductions, strict=True):
            terms = site.terms(u, extremes)
            part = np.log1p(terms.total)
            if np.ndim(terms.shift):
                part += terms.shift
            part *= site.capacity_nm3
            pressure += part
            if charges:
                charge += site.charge_nm3(terms)
            elif conducting is not None:
                sigma += site.conduction(terms, conducting)
        if not extremes[0] >= _SERIES_BELOW:
            small = np.nonzero(np.broadcast_to(size < _SERIES_BELOW, shape))
            pressure[small] = self._series(np.broadcast_to(u, shape)[small], small[-1])
        if self._has_bands:
            for density, eta, sign in (
                (self.electron_density_nm3, self.electron_eta, 1.0),
                (self.hole_density_nm3, self.hole_eta, -1.0),
            ):
                excess, change = carrier_excess(eta, sign * u)
                excess *= density
                pressure += excess
                if charges:
                    change *= sign * density
                    charge -= change
        pressure *= self.kT_eV
        if self._has_residual:
            pressure -= self.residual_charge_nm3 * self.kT_eV * u
            if charges:
                charge += self.residual_charge_nm3
        return pressure, charge, sigma

    def without_faint_bands(self, u: Array) -> Thermodynamics:
        """Leave electrons and holes out where they carry nothing between the reference and u (N,).

        Their share in the pressure grows with |u|; below 1e-13 of the ions' it is not a digit.
        It is judged by bounds from above, which are close unless a band is degenerate.
        """
        if not self._has_bands:
            return self
        bare = replace(
            self,
            electron_density_nm3=np.zeros_like(self.kT_eV),
            hole_density_nm3=np.zeros_like(self.kT_eV),
        )
        end = np.where(u == 0.0, 1.0, u)
        ions, _ = bare.evaluate(end)
        pressure, screening = np.zeros_like(end), np.zeros_like(end)
        for density, eta, sign in (
            (self.electron_density_nm3, self.electron_eta, 1.0),
            (self.hole_density_nm3, self.hole_eta, -1.0),
        ):
            excess, dilute = carrier_bounds(eta, sign * end)
            pressure += density * excess
            screening += density * dilute
        faint = pressure * self.kT_eV <= _FAINT * ions
        faint &= screening <= _FAINT * self._cumulants[0]
        if np.all(faint):
            return bare
        return replace(
            self,
            electron_density_nm3=np.where(faint, 0.0, self.electron_density_nm3),
            hole_density_nm3=np.where(faint, 0.0, self.hole_density_nm3),
        )

    @cached_property
    def _conduction(self) -> list[Conduction | None]:
        return [site.conduction_coefficients(self.mobility) for site in self.sublattices]

    @cached_property
    def _mean_charge_nm3(self) -> Array:
        return sum_of([site.capacity_nm3 * site.mean_charge for site in self.sublattices])

    @cached_property
    def _has_bands(self) -> bool:
        return bool(np.any(self.electron_density_nm3) or np.any(self.hole_density_nm3))

    @cached_property
    def _has_residual(self) -> bool:
        return bool(np.any(self.residual_charge_nm3))

    @cached_property
    def _cumulants(self) -> tuple[Array, Array, Array]:
        totals = [np.zeros_like(self.kT_eV) for _ in range(3)]
        for site in self.sublattices:
            for total, cumulant in zip(totals, site.cumulants(), strict=True):
                total += site.capacity_nm3 * cumulant
        return totals[0], totals[1], totals[2]

    def _series(self, u: Array, phase: IntArray) -> Array:
        second, third, fourth = (cumulant[phase] for cumulant in self._cumulants)
        return u**2 * (second / 2.0 - u * (third / 6.0 - u * fourth / 24.0))

    def screening_density_nm3(self) -> Array:
        """χ at the reference, the density that screens: eps·kT/(e²·χ) is the Debye length²."""
        chi = self._cumulants[0]
        if not self._has_bands:
            return chi
        electrons = self.electron_density_nm3 * fermi_dirac(-0.5, self.electron_eta)
        holes = self.hole_density_nm3 * fermi_dirac(-0.5, self.hole_eta)
        return chi + electrons + holes

    def concentrations_nm3(self, u: Array) -> list[Array]:
        """Concentration of every defect at u (..., N), in the order of the phase's defects."""
        found: dict[int, Array] = {}
        extremes = _extremes(np.abs(u))
        for site in self.sublattices:
            states, _ = site.occupations(site.terms(u, extremes))
            for d, state in zip(site.defects, states, strict=True):
                found[d] = site.capacity_nm3 * state
        return [found[d] for d in sorted(found)]

    def carriers_nm3(self, u: Array) -> tuple[Array, Array]:
        """Electrons and holes at u (..., N)."""
        return (
            self.electron_density_nm3 * fermi_dirac(0.5, self.electron_eta + u),
            self.hole_density_nm3 * fermi_dirac(0.5, self.hole_eta - u),
        )


def _extremes(size: Array) -> tuple[float, float]:
    return float(np.min(size, initial=np.inf)), float(np.max(size, initial=0.0))


def saturation_marks(state: Thermodynamics, sign: Array) -> list[Array]:
    """|u| at which a defect comes to fill its sublattice: where the field kinks."""
    marks = []
    for site in state.sublattices:
        for charge, probability in zip(site.charge, site.probability, strict=True):
            with np.errstate(divide="ignore", invalid="ignore"):
                logs = np.log(site.reference_probability) - np.log(probability)
                mark = logs / (-charge * sign)
            marks.append(np.where(np.isfinite(mark) & (mark > 0.0), mark, np.inf))
    return marks


_FIELDS = tuple(field.name for field in fields(Thermodynamics))
_SUBLATTICE_FIELDS = tuple(field.name for field in fields(Sublattice)[1:])
_DERIVED = ("_conduction", "_cumulants", "_mean_charge_nm3", "_has_bands", "_has_residual")


def _pick(value: Any, index: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value[index]
    if isinstance(value, list):
        return [_pick(one, index) for one in value]
    if isinstance(value, Sublattice):
        return Sublattice(
            value.defects, *(_pick(getattr(value, name), index) for name in _SUBLATTICE_FIELDS)
        )
    if isinstance(value, Conduction):
        return Conduction(*(_pick(one, index) for one in value))
    if isinstance(value, tuple):
        return tuple(_pick(one, index) for one in value)
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
