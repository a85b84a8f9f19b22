"""Documents of earlier versions, brought to the form of this one where they say enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from interohm.records.material import Insulator, Metal
from interohm.results.contact import ContactResult
from interohm.results.contact_sides import SIDES, points_of_side
from interohm.results.json_values import number, numbers
from interohm.results.result import Side


def has_levels(contact: Mapping[str, Any]) -> bool:
    """Return whether a contact's document has the levels of its band diagram.

    Those within a cell's document have none: the cell's own profile has them.
    """
    return "fermi_level_eV" in contact["profile"]


def with_levels(
    contact: Mapping[str, Any], materials: Sequence[Insulator | Metal]
) -> dict[str, Any] | None:
    """Return a contact's document of an earlier version with the levels that it implies.

    All is taken from what was predicted then. The zero of potential follows from the mobile ion's
    electrochemical potential, which is z times the work function of the mobile metal that was used;
    an electrode's Fermi level lies the electron barrier below the conduction band at the contact.

    Parameters
    ----------
    contact : mapping
        The document with its profile.
    materials : sequence of Insulator or Metal
        The records of its two phases as they were used.

    Returns
    -------
    dict or None
        None if the document has no electrochemical potentials or no barrier yet.
    """
    read = ContactResult.read(contact)
    profile = contact["profile"]
    given = profile.get("electrochemical_potential_eV")
    known = [value for value in given or () if value is not None]
    if not known:
        return None
    z = materials[0].ion_charge
    metal_eV = known[0] / z
    phi = np.array([np.nan if value is None else value for value in profile["phi_V"]], dtype=float)
    columns = {name: np.full(phi.shape, np.nan) for name in ("gap", "valence", "fermi", "mu")}
    mu_eV: dict[Side, float] = {}
    conduction_at_contact_eV = np.nan
    for side, material in zip(SIDES, materials, strict=True):
        if isinstance(material, Metal):
            continue
        own = points_of_side(read, side)
        mu_eV[side] = contact["mu_eV"][side]
        columns["gap"][own] = material.band_gap_eV.value
        columns["valence"][own] = -material.ionization_potential_eV.value - phi[own]
        columns["mu"][own] = mu_eV[side]
        columns["fermi"][own] = mu_eV[side] / z - metal_eV
        at_contact = columns["valence"][own][-1 if side == "left" else 0]
        conduction_at_contact_eV = at_contact + material.band_gap_eV.value
    fermi_eV = {side: mu / z - metal_eV for side, mu in mu_eV.items()}
    for side, material in zip(SIDES, materials, strict=True):
        if isinstance(material, Metal):
            barrier_eV = (contact.get("electrons") or {}).get("electron_barrier_eV")
            if barrier_eV is None:
                return None
            fermi_eV[side] = conduction_at_contact_eV - barrier_eV
            mu_eV[side] = z * (fermi_eV[side] + metal_eV)
    return {
        **contact,
        "mu_eV": {side: number(mu_eV[side]) for side in SIDES},
        "fermi_level_eV": {side: number(fermi_eV[side]) for side in SIDES},
        "electrochemical_potential_eV": {
            side: number(mu_eV[side] - z * fermi_eV[side]) for side in SIDES
        },
        "profile": {
            **profile,
            "vacuum_level_eV": numbers(-phi),
            "conduction_band_eV": numbers(columns["valence"] + columns["gap"]),
            "valence_band_eV": numbers(columns["valence"]),
            "fermi_level_eV": numbers(columns["fermi"]),
            "mu_eV": numbers(columns["mu"]),
        },
    }
