"""A cell or a contact at finite current: the overpotential of each charge transfer, and their sum.

Physics.md, section 5. Layers and space charges are ohmic. The charge transfer to an electrode
follows Marcus–Hush–Chidsey if the electrode's record, or else the other phase's, has a
reorganization energy; Butler–Volmer with a transfer coefficient of 1/2 otherwise, and between
insulators, which have no electrons to reorganize around. For both charge and discharge are alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from interohm.device_models import BOLTZMANN_EV_K, ButlerVolmer, MarcusHushChidsey
from interohm.prediction.sampling import Numbers
from interohm.prediction.solved_contact import SolvedContact
from interohm.records import Insulator, Metal
from interohm.results.json_values import column_quantiles, number, numbers

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from interohm.arrays import Array
    from interohm.prediction.sampling import FieldSamples
    from interohm.prediction.solved_cell import SolvedState


#: Current densities of a document, A/cm².
CURRENTS_A_CM2 = tuple(float(f"1e{power}") for power in range(-6, 1))


def charge_transfer(
    contact: SolvedContact, temperature_K: float, field_samples: FieldSamples | None = None
) -> ButlerVolmer | MarcusHushChidsey | None:
    """Return the kinetics of a contact, None where its charge transfer is unknown.

    Those of samples have arrays (samples, 1), NaN where the charge transfer is unknown.
    """
    resistance = np.asarray(contact.charge_transfer_ohm_cm2, dtype=float)
    resistance = np.where(resistance > 0, resistance, np.nan)
    if not np.any(np.isfinite(resistance)):
        return None
    z = contact.left.ion_charge
    exchange = BOLTZMANN_EV_K * temperature_K / (z * resistance)
    phases = sorted((contact.left, contact.right), key=lambda one: isinstance(one, Insulator))
    given = [
        (one, one.reorganization_energy_eV)
        for one in phases
        if one.reorganization_energy_eV is not None and isinstance(phases[0], Metal)
    ]
    if field_samples is not None:
        exchange = np.broadcast_to(exchange, field_samples.samples)[:, None]
    conditions = (exchange, np.asarray(temperature_K), np.asarray(float(z)))
    if not given:
        return ButlerVolmer(*conditions)
    material, energy = given[0]
    if field_samples is None:
        return MarcusHushChidsey(*conditions, np.asarray(energy.value))
    sampled = np.maximum(
        Numbers(material, field_samples).energy("reorganization_energy_eV", energy), 0.0
    )
    return MarcusHushChidsey(*conditions, sampled[:, None])


def polarization_fields(
    state: SolvedState | SolvedContact,
    temperature_K: float,
    currents_A_cm2: ArrayLike = CURRENTS_A_CM2,
    *,
    sampled: SolvedState | SolvedContact | None = None,
    field_samples: FieldSamples | None = None,
) -> dict[str, Any]:
    """Return the overpotentials of a cell or a contact over the current density.

    Parameters
    ----------
    state : SolvedState or SolvedContact
        The nominal solution at one state of charge.
    temperature_K : float
        Temperature of the cell or contact, in kelvin.
    currents_A_cm2 : array (C,)
        Current densities, positive.
    sampled, field_samples : optional
        The solution for samples of the uncertainties, and these.

    Returns
    -------
    dict
        ``current_A_cm2``; ``overpotential_V`` and ``resistance_ohm_cm2`` (their ratio) of the whole
        and ``ohmic_overpotential_V``, that of layers and space charges; for each contact ``law``,
        ``overpotential_V`` and ``limiting_current_A_cm2``; ``quantiles`` of the overpotentials.
        None stands for a current that the contact cannot carry, and for what is unknown.
    """
    currents = np.asarray(currents_A_cm2, dtype=float)
    ohmic, transfers = _overpotentials(state, temperature_K, currents, None)
    total = np.sum([ohmic, *transfers], axis=0)
    spread = None
    if sampled is not None and field_samples is not None:
        spread = _overpotentials(sampled, temperature_K, currents, field_samples)
    contacts = []
    for index, contact in enumerate(_contacts(state)):
        kinetics = charge_transfer(contact, temperature_K)
        contacts.append(
            {
                "left": contact.left.name,
                "right": contact.right.name,
                "law": None if kinetics is None else _LAWS[type(kinetics)],
                "overpotential_V": numbers(transfers[index]),
                "limiting_current_A_cm2": number(kinetics.limiting_current_A_cm2)
                if isinstance(kinetics, MarcusHushChidsey)
                else None,
                "quantiles": None
                if spread is None
                else {"overpotential_V": column_quantiles(spread[1][index])},
            }
        )
    return {
        "current_A_cm2": numbers(currents),
        "overpotential_V": numbers(total),
        "ohmic_overpotential_V": numbers(ohmic),
        "resistance_ohm_cm2": numbers(total / currents),
        "contacts": contacts,
        "quantiles": None
        if spread is None
        else {
            "overpotential_V": column_quantiles(np.sum([spread[0], *spread[1]], axis=0)),
            "ohmic_overpotential_V": column_quantiles(spread[0]),
        },
    }


_LAWS = {ButlerVolmer: "Butler–Volmer", MarcusHushChidsey: "Marcus–Hush–Chidsey"}


def _contacts(solved: SolvedState | SolvedContact) -> Sequence[SolvedContact]:
    return [solved] if isinstance(solved, SolvedContact) else solved.contacts


def _overpotentials(
    solved: SolvedState | SolvedContact,
    temperature_K: float,
    currents_A_cm2: Array,
    field_samples: FieldSamples | None,
) -> tuple[Array, list[Array]]:
    """Return the ohmic overpotential and that of each charge transfer, (C,) or (samples, C).

    NaN where it is unknown; of samples, infinite where the contact cannot carry the current.
    """
    contacts = _contacts(solved)
    found = []
    for contact in contacts:
        kinetics = charge_transfer(contact, temperature_K, field_samples)
        if kinetics is None:
            shape = (
                currents_A_cm2.shape
                if field_samples is None
                else (field_samples.samples, currents_A_cm2.size)
            )
            found.append(np.full(shape, np.nan))
            continue
        overpotential = kinetics.overpotential_V(currents_A_cm2)
        if field_samples is not None:
            beyond = np.isnan(overpotential) & np.isfinite(kinetics.exchange_current_A_cm2)
            overpotential = np.where(beyond, np.inf, overpotential)
        found.append(overpotential)
    # NaN of a charge transfer must not take the ohmic part with it
    rest = [replace(contact, charge_transfer_ohm_cm2=np.zeros(())) for contact in contacts]
    ohmic = (
        rest[0].interface_resistance_ohm_cm2
        if isinstance(solved, SolvedContact)
        else replace(solved, contacts=rest).area_specific_resistance_ohm_cm2
    )
    if field_samples is not None:
        ohmic = np.broadcast_to(ohmic, field_samples.samples)[:, None]
    return np.asarray(ohmic * currents_A_cm2), found
