"""A cell at finite current: the overpotential of each charge transfer, and of the whole cell.

Physics.md, section 5. Layers and space charges are ohmic. The charge transfer to an electrode
follows Marcus–Hush–Chidsey if the electrode's record, or else the other phase's, has a
reorganization energy; Butler–Volmer with a transfer coefficient of 1/2 otherwise, and between
insulators, which have no electrons to reorganize around. For both charge and discharge are alike.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from interohm.device_models.constants import BOLTZMANN_EV_K
from interohm.device_models.kinetics import ButlerVolmer, MarcusHushChidsey
from interohm.documents import number, numbers
from interohm.records import Insulator, Metal

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from interohm.solved_cell import SolvedState
    from interohm.solved_contact import SolvedContact

#: Current densities of a document, A/cm².
CURRENTS_A_CM2 = tuple(float(f"1e{power}") for power in range(-6, 1))


def charge_transfer(
    contact: SolvedContact, temperature_K: float
) -> ButlerVolmer | MarcusHushChidsey | None:
    """Return the kinetics of a contact, None where its charge transfer is unknown."""
    resistance = number(contact.charge_transfer_ohm_cm2)
    if resistance is None or resistance <= 0:
        return None
    z = contact.left.ion_charge
    exchange = BOLTZMANN_EV_K * temperature_K / (z * resistance)
    phases = sorted((contact.left, contact.right), key=lambda one: isinstance(one, Insulator))
    given = [
        one.reorganization_energy_eV.value
        for one in phases
        if one.reorganization_energy_eV is not None and isinstance(phases[0], Metal)
    ]
    conditions = (np.asarray(exchange), np.asarray(temperature_K), np.asarray(float(z)))
    if given:
        return MarcusHushChidsey(*conditions, np.asarray(given[0]))
    return ButlerVolmer(*conditions)


def polarization_fields(
    state: SolvedState, temperature_K: float, currents_A_cm2: ArrayLike = CURRENTS_A_CM2
) -> dict[str, Any]:
    """Return the overpotentials of a cell over the current density.

    Parameters
    ----------
    state : SolvedState
        The nominal solution at one state of charge.
    temperature_K : float
        Of the cell.
    currents_A_cm2 : array (C,)
        Current densities, positive.

    Returns
    -------
    dict
        ``current_A_cm2``; ``overpotential_V`` and ``resistance_ohm_cm2`` (their ratio) of the cell;
        and for each contact ``law``, ``overpotential_V`` and ``limiting_current_A_cm2``. None
        stands for a current that the contact cannot carry, and for what is unknown.
    """
    currents = np.asarray(currents_A_cm2, dtype=float)
    ohmic = replace(
        state,
        contacts=[replace(one, charge_transfer_ohm_cm2=np.zeros(())) for one in state.contacts],
    )
    total = ohmic.area_specific_resistance_ohm_cm2 * currents
    contacts = []
    for contact in state.contacts:
        kinetics = charge_transfer(contact, temperature_K)
        overpotential = np.full_like(currents, np.nan)
        limit = None
        if kinetics is not None:
            overpotential = kinetics.overpotential_V(currents)
        total = total + overpotential
        if isinstance(kinetics, MarcusHushChidsey):
            limit = number(kinetics.limiting_current_A_cm2)
        contacts.append(
            {
                "left": contact.left.name,
                "right": contact.right.name,
                "law": None
                if kinetics is None
                else "Marcus–Hush–Chidsey"
                if isinstance(kinetics, MarcusHushChidsey)
                else "Butler–Volmer",
                "overpotential_V": numbers(overpotential),
                "limiting_current_A_cm2": limit,
            }
        )
    return {
        "current_A_cm2": numbers(currents),
        "overpotential_V": numbers(total),
        "resistance_ohm_cm2": numbers(total / currents),
        "contacts": contacts,
    }
