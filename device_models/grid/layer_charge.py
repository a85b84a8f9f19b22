r"""Charge density at the nodes of a grid, where levels may differ from node to node.

With ``a_d = ln(w_d/alpha)`` from physics.md sections 2 and 4, shifted by what the layer adds at the
node (an energy, a deviation of mu from the layer's own), the occupations ``p_d`` (fractions of
alpha·N) of a sublattice follow

``p_d = p_0 exp(a_d − ω_d p_d)``,  ``p_0 + Σ p_d = 1``,  ``ω_d = W_d alpha/kT``,

where W is the regular-solution interaction ``E_d += W_d c_d/N_s``. Without it this is the closed
form of the Fermi–Dirac statistics; with repulsion ``ω_d p_d`` is Wright's omega function of
``ln ω_d + a_d + ln p_0`` and one bracketed root gives p_0. Either way, with
``s_d = p_d/(1 + ω_d p_d)``,

``dρ/dφ = −(e/kT) Σ_s alpha N_s [Σ q² s_d − (Σ q s_d)²/(p_0 + Σ s_d)] − e dn/dφ + e dp/dφ ≤ 0``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from itertools import combinations
from typing import Any

import numpy as np

from ..carriers import band_density_nm3
from ..constants import BOLTZMANN_EV_K, CM3_PER_NM3
from ..densities import _mobilities
from ..numerics.fermi_dirac import fermi_dirac
from ..numerics.roots import bracketed_newton
from ..phase import Array, Phase
from ..sublattice import log_weights, site_capacity

_EXPONENT_LIMIT = 600.0
_BOLTZMANN_BELOW = -34.0
UNMIXING = -4.0
"""Where ω falls below it, a sublattice with one defect separates into two phases."""


class Unmixing(ValueError):
    """An attraction so strong that a sublattice separates into a dense and a dilute phase."""


@dataclass(frozen=True)
class Site:
    """One sublattice; arrays broadcast against (..., M), lists over its defects.

    `log_weight` holds a_d at phi = 0, `charge` the q_d, `interaction` the ω_d or None.
    """

    defects: tuple[int, ...]
    capacity_nm3: Array
    saturation: Array
    charge: list[Array]
    log_weight: list[Array]
    interaction: list[Array] | None

    def occupations(self, reduced: Array) -> tuple[list[Array], Array]:
        """Occupation of each defect and of the empty state where phi/kT is `reduced`."""
        logs = [a - q * reduced for a, q in zip(self.log_weight, self.charge, strict=True)]
        if self.interaction is None:
            return _fermi_dirac_occupations(logs)
        return _interacting_occupations(logs, self.interaction)

    def open_fraction(self, empty: Array) -> Array:
        """Share of all sites that nothing blocks; of full sublattices, it keeps its digits."""
        return 1.0 - self.saturation + self.saturation * empty

    def slopes(self, states: list[Array], empty: Array) -> tuple[list[Array], Array]:
        """Return the derivatives of these occupations with phi/kT."""
        soft = states
        if self.interaction is not None:
            soft = [p / (1.0 + w * p) for p, w in zip(states, self.interaction, strict=True)]
        share = 1.0 / (empty + sum(soft))

        def pull(charge: Array | float) -> Array:
            # differences of charges: where one state fills the sublattice, all else cancels
            others = sum(s * (q - charge) for q, s in zip(self.charge, soft, strict=True))
            return np.asarray((others - charge * empty) * share)

        return [s * pull(q) for q, s in zip(self.charge, soft, strict=True)], empty * pull(0.0)


@dataclass(frozen=True)
class ChargeModel:
    """The charge density of M elements at once; arrays (M,) or (nodes, M)."""

    kT_eV: Array
    sites: list[Site]
    electron_density_nm3: Array | None
    electron_eta: Array
    hole_density_nm3: Array
    hole_eta: Array
    fixed_charge_nm3: Array
    mobility: list[Array | None]

    def charge(self, potential_V: Array) -> tuple[Array, Array]:
        """Charge density (e/nm³) and its derivative to the potential (e/(V·nm³))."""
        reduced = potential_V / self.kT_eV
        density: Array = self.fixed_charge_nm3
        slope: Array | float = 0.0
        for site in self.sites:
            if len(site.defects) == 1 and site.interaction is None:
                # the same as below, in half as many operations
                q, log = site.charge[0], site.log_weight[0]
                weight = np.exp(np.minimum(log - q * reduced, _EXPONENT_LIMIT))
                empty = 1.0 / (1.0 + weight)
                charged = (site.capacity_nm3 * q) * (weight * empty)
                density = density + charged
                slope = slope + q * charged * empty
                continue
            states, empty = site.occupations(reduced)
            soft = states
            if site.interaction is not None:
                soft = [p / (1.0 + w * p) for p, w in zip(states, site.interaction, strict=True)]
            first = sum(q * p for q, p in zip(site.charge, states, strict=True))
            # the variance of the charge as a sum of positive terms: all of it cancels where full
            spread = empty * sum(q * q * s for q, s in zip(site.charge, soft, strict=True))
            for (q, s), (other, t) in combinations(zip(site.charge, soft, strict=True), 2):
                spread = spread + s * t * (q - other) ** 2
            spread = spread / (empty + sum(soft))
            density = density + site.capacity_nm3 * first
            slope = slope + site.capacity_nm3 * spread
        if self.electron_density_nm3 is not None:
            for band, eta, sign in (
                (self.electron_density_nm3, self.electron_eta + reduced, -1.0),
                (self.hole_density_nm3, self.hole_eta - reduced, 1.0),
            ):
                carriers, change = _carriers(eta)
                density = density + sign * band * carriers
                slope = slope + band * change
        return np.asarray(density), np.asarray(-slope / self.kT_eV)

    def concentrations_nm3(self, potential_V: Array) -> tuple[list[Array], Array, Array]:
        """Concentrations of the defects in the phase's order, of electrons, of holes."""
        reduced = potential_V / self.kT_eV
        found: dict[int, Array] = {}
        for site in self.sites:
            states, _ = site.occupations(reduced)
            for d, state in zip(site.defects, states, strict=True):
                found[d] = site.capacity_nm3 * state
        electrons = holes = np.zeros_like(reduced)
        if self.electron_density_nm3 is not None:
            electrons = self.electron_density_nm3 * _carriers(self.electron_eta + reduced)[0]
            holes = self.hole_density_nm3 * _carriers(self.hole_eta - reduced)[0]
        return [found[d] for d in sorted(found)], electrons, holes

    def between_nodes(self, matrix: Array, dimensions: int) -> ChargeModel:
        """Return the model at other points of each element, interpolated by `matrix` (P, nodes).

        Arrays of `dimensions` axes whose first is not 1 differ from node to node.
        """

        def moved(log: Array) -> Array:
            if log.ndim < dimensions or log.shape[0] == 1:
                return log
            # an absent defect's −inf would make NaN
            return np.tensordot(matrix, np.maximum(log, -1e300), axes=1)

        sites = [
            replace(site, log_weight=[moved(log) for log in site.log_weight]) for site in self.sites
        ]
        return replace(
            self,
            sites=sites,
            electron_eta=moved(np.asarray(self.electron_eta)),
            hole_eta=moved(np.asarray(self.hole_eta)),
            fixed_charge_nm3=moved(np.asarray(self.fixed_charge_nm3)),
        )

    def layer(self, index: int) -> ChargeModel:
        """Return one layer of a model whose arrays are (..., n, E or 1, B)."""

        def pick(value: Any) -> Any:
            if isinstance(value, np.ndarray):
                return value[..., index, :, :]
            if isinstance(value, list):
                return [pick(one) for one in value]
            if isinstance(value, Site):
                return replace(
                    value, **{f.name: pick(getattr(value, f.name)) for f in fields(value)}
                )
            return value

        return ChargeModel(*(pick(getattr(self, f.name)) for f in fields(self)))

    def conductivity_S_cm(self, potential_V: Array) -> Array:
        """``Σ mobility c (1 − Σ c/N_s)`` over the mobile ion's defects; 0 where none conducts."""
        reduced = potential_V / self.kT_eV
        total = np.zeros_like(reduced)
        for site, moving in self._conducting():
            states, empty = site.occupations(reduced)
            open_fraction = site.open_fraction(empty)
            for place, mobility in moving:
                total += mobility * states[place] * open_fraction
        return total

    def conductivity_slope(self, potential_V: Array) -> Array:
        """``dsigma/dphi`` in S/cm per V."""
        reduced = potential_V / self.kT_eV
        total = np.zeros_like(reduced)
        for site, moving in self._conducting():
            states, empty = site.occupations(reduced)
            changes, opening = site.slopes(states, empty)
            open_fraction = site.open_fraction(empty)
            for place, mobility in moving:
                both = changes[place] * open_fraction + states[place] * site.saturation * opening
                total += mobility * both
        return np.asarray(total / self.kT_eV)

    def _conducting(self) -> Iterator[tuple[Site, list[tuple[int, Array]]]]:
        """Sublattices that conduct, each with the place and mobility·alpha·N of what moves."""
        for site in self.sites:
            moving = [
                (place, mobility * site.capacity_nm3)
                for place, mobility in enumerate(self.mobility[d] for d in site.defects)
                if mobility is not None
            ]
            if moving:
                yield site, moving


def charge_model(
    phase: Phase,
    *,
    temperature_K: Array,
    mu_eV: Array,
    metal_work_function_eV: Array,
    ion_charge: Array,
    fixed_charge_cm3: Array | float = 0.0,
    energy_shift_eV: Sequence[Array | float] | None = None,
    interaction_eV: Sequence[Array | float] | None = None,
    mu_shift_eV: Array | float = 0.0,
) -> ChargeModel:
    """Describe M elements.

    Parameters
    ----------
    phase : Phase
        Batch shape (M,): the phase of each element.
    temperature_K, mu_eV, metal_work_function_eV, ion_charge : array (M,)
        The conditions.
    fixed_charge_cm3 : array (..., M)
        Donors minus acceptors, beside the frozen charge of the phase.
    energy_shift_eV : D arrays (..., M)
        Energies added to the defects' formation energies.
    interaction_eV : D arrays (M,)
        W of the regular solution.
    mu_shift_eV : array (..., M)
        Difference of mu from `mu_eV`.

    Raises
    ------
    ValueError
        If an attraction acts where several defects share a sublattice.
    Unmixing
        If it is so strong that a sublattice unmixes, in all elements; where only some do, the
        charge density of these is NaN.
    """
    kT = BOLTZMANN_EV_K * temperature_K
    # the Fermi level above the VBM where phi = 0
    base = (
        phase.ionization_potential_eV - metal_work_function_eV + (mu_eV + mu_shift_eV) / ion_charge
    )
    logs = log_weights(phase, kT, mu_eV)
    charges, changes = phase.defects("charge"), phase.defects("ion_change")
    sites = []
    unmixed: Array = np.zeros((), dtype=bool)
    for group in phase.groups:
        capacity, alpha = site_capacity(phase, group)
        weights = []
        for d in group:
            shift = 0.0 if energy_shift_eV is None else energy_shift_eV[d]
            weights.append(logs[d] + (changes[d] * mu_shift_eV - charges[d] * base - shift) / kT)
        omega = None
        if interaction_eV is not None and any(np.any(interaction_eV[d]) for d in group):
            omega = [np.asarray(interaction_eV[d] * alpha / kT) for d in group]
            if len(group) > 1 and any(np.any(w < 0.0) for w in omega):
                raise ValueError("an attraction needs a sublattice of its own for its defect")
            beyond = np.any(np.broadcast_arrays(*(w <= UNMIXING for w in omega)), axis=0)
            unmixed = unmixed | beyond
            omega = [np.where(beyond, 0.0, w) for w in omega]
        sites.append(Site(group, capacity, alpha, [charges[d] for d in group], weights, omega))
    # a layer's elements are its stacks: one that unmixes somewhere takes its whole stack along
    if np.all(np.any(unmixed, axis=0) if unmixed.ndim > 1 else unmixed):
        raise Unmixing(
            "interaction_eV below -4 kT/saturation: the defects separate into a dense "
            "and a dilute phase, which a continuous profile cannot show"
        )
    fixed_nm3 = (phase.frozen_charge_cm3 + fixed_charge_cm3) * CM3_PER_NM3
    bands = np.where(phase.electrons, 1.0, 0.0)
    return ChargeModel(
        kT_eV=kT,
        sites=sites,
        electron_density_nm3=bands * band_density_nm3(temperature_K, phase.electron_mass)
        if np.any(phase.electrons)
        else None,
        electron_eta=(base - phase.band_gap_eV) / kT,
        hole_density_nm3=bands * band_density_nm3(temperature_K, phase.hole_mass),
        hole_eta=-base / kT,
        fixed_charge_nm3=np.where(unmixed, np.nan, fixed_nm3) if np.any(unmixed) else fixed_nm3,
        mobility=_mobilities(phase, kT),
    )


def _fermi_dirac_occupations(logs: list[Array]) -> tuple[list[Array], Array]:
    largest = max(float(np.max(log)) for log in logs)
    if largest < _EXPONENT_LIMIT:
        weights = [np.exp(log) for log in logs]
        empty = np.asarray(1.0 / (1.0 + sum(weights)))
        return [w * empty for w in weights], empty
    top = np.maximum(np.max(logs, axis=0), 0.0)
    weights = [np.exp(log - top) for log in logs]
    vacant = np.exp(-top)
    share = 1.0 / (vacant + sum(weights))
    return [w * share for w in weights], vacant * share


def _interacting_occupations(
    logs: list[Array], interaction: list[Array]
) -> tuple[list[Array], Array]:
    shape = np.broadcast_shapes(*(np.shape(log) for log in logs))
    a = [np.broadcast_to(log, shape).ravel() for log in logs]
    omega = [np.broadcast_to(w, shape).ravel() for w in interaction]
    found = _one_interacting(a[0], omega[0]) if len(a) == 1 else _several_interacting(a, omega)
    return [p.reshape(shape) for p in found[0]], found[1].reshape(shape)


def _one_interacting(a: Array, omega: Array) -> tuple[list[Array], Array]:
    """``ln p/(1 − p) = a − ω p``; one root while ω > −4."""
    from scipy.special import expit

    span = np.abs(omega)

    def mismatch(x: Array) -> tuple[Array, Array]:
        p = expit(x)
        return a - omega * p - x, -omega * p * (1.0 - p) - 1.0

    # an absent defect has a = −inf
    a = np.maximum(a, -1e4)
    x = bracketed_newton(mismatch, a - span - 1.0, a + span + 1.0, a, absolute=1e-14)
    return [expit(x)], expit(-x)


def _several_interacting(a: list[Array], omega: list[Array]) -> tuple[list[Array], Array]:
    """Repulsion on a shared sublattice: one equation in ``ln p_0``."""
    from scipy.special import wrightomega

    top = np.maximum(np.max(a, axis=0), 0.0)
    low = -top - np.log(len(a) + 1.0)
    repels = [w > 1e-100 for w in omega]
    safe = [np.where(r, w, 1.0) for r, w in zip(repels, omega, strict=True)]

    def states(log_empty: Array) -> list[Array]:
        return [
            np.where(r, wrightomega(np.log(w) + log + log_empty) / w, np.exp(log + log_empty))
            for r, w, log in zip(repels, safe, a, strict=True)
        ]

    def shortage(log_empty: Array) -> tuple[Array, Array]:
        empty, found = np.exp(log_empty), states(np.minimum(log_empty, 0.0))
        slope = empty + sum(p / (1.0 + w * p) for p, w in zip(found, omega, strict=True))
        return 1.0 - empty - sum(found), -slope

    root = bracketed_newton(shortage, low, np.zeros_like(low), low, absolute=1e-14)
    return states(root), np.exp(root)


def _carriers(eta: Array) -> tuple[Array, Array]:
    """F_{1/2} and F_{−1/2}; most nodes are far from degenerate, where both are exp(eta)."""
    density = np.exp(np.minimum(eta, _BOLTZMANN_BELOW))
    where = np.nonzero(eta > _BOLTZMANN_BELOW)
    if not where[0].size:
        return density, density
    slope = density.copy()
    density[where], slope[where] = fermi_dirac(0.5, eta[where]), fermi_dirac(-0.5, eta[where])
    return density, slope
