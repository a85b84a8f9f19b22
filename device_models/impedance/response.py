r"""Response of local charge and current to a small change of the potentials (physics.md, 12).

With ``V_i`` the ion's and ``V_e`` the electron's electrochemical potential per charge, a defect d
holds ``a_d = z·dn_d`` ions' and ``b_d = q_d − a_d`` electrons' charge, and

``rho_i = −[C_ii (φ − V_i) + C_ie (φ − V_e)]``,  ``C_ii = aᵀXa``, ``C_ie = aᵀXb``,
``C_ee = bᵀXb + X_n + X_p``, ``X_dd' = −∂c_d/∂E_d'``.

Their sum C_ii + 2 C_ie + C_ee is −drho/dφ. Where electrons do not conduct they follow the ions, and
that sum is the only capacitance there is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..constants import CM3_PER_NM3, ELEMENTARY_CHARGE_C
from ..grid.layer_charge import ChargeModel, _carriers
from ..phase import Array


@dataclass(frozen=True)
class ElectronMobility:
    """Mobilities of the bands in cm²/(V·s), arrays (B,), 0 of a band that does not conduct.

    ``ion_charge`` are the a_d of the phase's D defects, arrays (B,).
    """

    electrons_cm2_Vs: Array
    holes_cm2_Vs: Array
    ion_charge: list[Array]


@dataclass(frozen=True)
class Response:
    """Response at M points, for m = 1 carrier (ions) or m = 2 (ions, electrons).

    Attributes
    ----------
    capacitance_e_V_nm3 : array (m, m, ...)
        C.
    conductivity_S_cm : array (m, m, ...)
        sigma.
    """

    capacitance_e_V_nm3: Array
    conductivity_S_cm: Array


def response(
    charge: ChargeModel, potential_V: Array, electrons: ElectronMobility | None = None
) -> Response:
    """Evaluate C and sigma where φ is `potential_V` (..., B).

    Parameters
    ----------
    charge : ChargeModel
        Arrays that broadcast against the potentials.
    potential_V : array (..., B)
        φ of the static state.
    electrons : ElectronMobility, optional
        Makes electrons a carrier of their own.
    """
    if electrons is None:
        _, slope = charge.charge(potential_V)
        sigma = charge.conductivity_S_cm(potential_V)
        return Response(-slope[None, None], sigma[None, None])
    reduced = potential_V / charge.kT_eV
    zero = np.zeros_like(reduced)
    capacitance = dict.fromkeys(((0, 0), (0, 1), (1, 1)), zero)
    conduction = dict(capacitance)
    for site in charge.sites:
        states, empty = site.occupations(reduced)
        soft = states
        if site.interaction is not None:
            soft = [p / (1.0 + w * p) for p, w in zip(states, site.interaction, strict=True)]
        held = [
            (electrons.ion_charge[d], q - electrons.ion_charge[d])
            for d, q in zip(site.defects, site.charge, strict=True)
        ]
        total = empty + sum(soft)
        means = [sum(h[c] * s for h, s in zip(held, soft, strict=True)) for c in (0, 1)]
        for one, other in capacitance:
            second = sum(h[one] * h[other] * s for h, s in zip(held, soft, strict=True))
            spread = second - means[one] * means[other] / total
            capacitance[one, other] = (
                capacitance[one, other] + site.capacity_nm3 * spread / charge.kT_eV
            )
        open_fraction = 1.0 - site.saturation + site.saturation * empty
        for d, state, q, (a, b) in zip(site.defects, states, site.charge, held, strict=True):
            mobility = charge.mobility[d]
            if mobility is None:
                continue
            own = mobility * site.capacity_nm3 * state * open_fraction
            square = np.where(q == 0.0, 1.0, q) ** 2
            for (one, other), factor in (((0, 0), a * a), ((0, 1), a * b), ((1, 1), b * b)):
                conduction[one, other] = conduction[one, other] + own * factor / square
    if charge.electron_density_nm3 is not None:
        for band, eta, mobility in (
            (
                charge.electron_density_nm3,
                charge.electron_eta + reduced,
                electrons.electrons_cm2_Vs,
            ),
            (charge.hole_density_nm3, charge.hole_eta - reduced, electrons.holes_cm2_Vs),
        ):
            density, change = _carriers(eta)
            capacitance[1, 1] = capacitance[1, 1] + band * change / charge.kT_eV
            conduction[1, 1] = (
                conduction[1, 1] + ELEMENTARY_CHARGE_C * mobility * band * density / CM3_PER_NM3
            )
    return Response(_matrix(capacitance, reduced.shape), _matrix(conduction, reduced.shape))


def _matrix(entries: dict[tuple[int, int], Array], shape: tuple[int, ...]) -> Array:
    full = np.empty((2, 2, *shape))
    for (one, other), value in entries.items():
        full[one, other] = full[other, one] = value
    return full
