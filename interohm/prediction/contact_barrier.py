"""The ion's hop across a contact: what is known of it, and a prior where nothing is.

What is given with a contact wins, then an interface of the database, then a shipped one. Without
any, the barrier exceeds the mean of the two bulks' by something that nobody knows: a half-normal
prior, one draw for a pair of phases (physics.md, section 5).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

from interohm.prediction.sampling import normal_share
from interohm.records import Insulator, Metal, Quantity
from interohm.records.cell_config import Cell, Contact
from interohm.records.extrinsic import is_uncertain
from interohm.records.interface import interface_hash
from interohm.records.shipped import shipped_interfaces

if TYPE_CHECKING:
    from interohm.arrays import Array
    from interohm.prediction.sampling import FieldSamples
    from interohm.records.interface import Interface


#: Scale of the half-normal prior of ΔE_c, as measured resistances give it (docs/validation.md).
EXCESS_BARRIER_SCALE_EV = 0.085

#: The median of a half-normal distribution of scale 1.
_MEDIAN = NormalDist().inv_cdf(0.75)


@dataclass(frozen=True)
class Hop:
    """Quantities of one contact's exchange current; arrays () or (samples,)."""

    barrier_eV: Array | None
    excess_barrier_eV: Array
    areal_site_density_cm2: Array | None


def prior_median_eV(scale_eV: float = EXCESS_BARRIER_SCALE_EV) -> Array:
    """Return the nominal ΔE_c where nothing is known."""
    return np.asarray(scale_eV * _MEDIAN)


def pair_name(left: Insulator | Metal, right: Insulator | Metal) -> str:
    """Return what the contact of two phases is called, whichever is on the left."""
    return " | ".join(sorted((left.name, right.name), key=str.lower))


def hop_of(
    contact: Contact,
    left: Insulator | Metal,
    right: Insulator | Metal,
    field_samples: FieldSamples | None,
    *,
    scale_eV: float = EXCESS_BARRIER_SCALE_EV,
) -> Hop:
    """Return the barrier of a contact, nominal or sampled.

    Parameters
    ----------
    contact : Contact
        With what is known of it (see `with_known_interface`).
    left, right : Insulator or Metal
        Its phases.
    field_samples : FieldSamples, optional
        Sample the uncertainties.
    scale_eV : float
        Scale of the prior of ΔE_c.
    """
    name = pair_name(left, right)
    barrier = None
    excess = np.zeros(())
    if contact.barrier_eV is not None:
        barrier = np.maximum(_number(name, "barrier_eV", contact.barrier_eV, field_samples), 0.0)
    elif field_samples is None:
        excess = prior_median_eV(scale_eV)
    else:
        # the half-normal as a rising function of its draw
        share = normal_share(field_samples.normal(name, "excess_barrier_eV"))
        upper = np.minimum(0.5 + 0.5 * share, 1.0 - 1e-16)
        inverse = NormalDist().inv_cdf
        excess = scale_eV * np.array([inverse(one) for one in upper])
    given = contact.areal_site_density_cm2
    sites = None
    if given is not None:
        sites = np.asarray(given.value)
        if field_samples is not None:
            sites = field_samples.positive(name, "areal_site_density_cm2", given)
    else:
        own = [
            material.areal_site_density_cm2.value
            for material in (left, right)
            if material.areal_site_density_cm2 is not None
        ]
        if own:
            # the sparser plane
            sites = np.asarray(min(own))
    return Hop(barrier, excess, sites)


def dipole_V(
    contact: Contact,
    left: Insulator | Metal,
    right: Insulator | Metal,
    field_samples: FieldSamples | None,
) -> Array:
    """Return the step of the vacuum level that is given for a contact; 0 without any."""
    given = contact.dipole_V
    if given is None:
        return np.zeros(())
    return _number(pair_name(left, right), "dipole_V", given, field_samples)


def _number(name: str, field: str, quantity: Quantity, field_samples: FieldSamples | None) -> Array:
    if field_samples is None:
        return np.asarray(quantity.value)
    return field_samples.value(name, field, quantity)


def with_known_interface(
    given: Contact,
    left: Insulator | Metal,
    right: Insulator | Metal,
    interfaces: Sequence[Interface],
) -> Contact:
    """Complete a contact by the interfaces that are of its two records and their surfaces.

    A dipole from there replaces pinning and facets, which say less of the same.
    """
    known = known_interface(left, right, interfaces)
    if known is None:
        return given
    update: dict[str, object] = {}
    if given.barrier_eV is None:
        update["barrier_eV"] = known.barrier_eV
    if given.areal_site_density_cm2 is None:
        update["areal_site_density_cm2"] = known.areal_site_density_cm2
    if given.dipole_V is None and known.dipole_V is not None:
        update |= {"dipole_V": known.dipole_V, "pinning_factor": 1.0}
        update |= {"left_facet_eV": 0.0, "right_facet_eV": 0.0}
    return given.model_copy(update=update)


def with_known_interfaces(
    cell: Cell, materials: Sequence[Insulator | Metal], interfaces: Sequence[Interface]
) -> Cell:
    """Return a cell whose contacts have what is known of them (see `with_known_interface`).

    Parameters
    ----------
    cell : Cell
        The description.
    materials : sequence of Insulator or Metal
        The record of each of its layers.
    interfaces : sequence of Interface
        Interfaces of the user's database, which take precedence over the shipped ones.
    """
    known = [*interfaces, *shipped_interfaces()]
    given = cell.contacts or [Contact()] * (len(materials) - 1)
    contacts = [
        with_known_interface(one, left, right, known)
        for one, (left, right) in zip(given, pairwise(materials), strict=True)
    ]
    return cell.model_copy(update={"contacts": contacts})


#: What an interface may say that enters a prediction.
_NUMBERS = ("barrier_eV", "dipole_V", "areal_site_density_cm2")


def _fitting(
    left: Insulator | Metal, right: Insulator | Metal, interfaces: Sequence[Interface]
) -> Iterator[tuple[Interface, Interface]]:
    """Yield the interfaces of these two records and surfaces: from left to right, and as given."""
    for interface in interfaces:
        for reverse in (False, True):
            one = interface.reversed() if reverse else interface
            if (one.left, one.right) != (left.name, right.name):
                continue
            surfaces = ((one.left_surface, left), (one.right_surface, right))
            if all(surface in (None, material.surface) for surface, material in surfaces):
                beyond = _beyond_surfaces_of(interface, left, right)
                yield (beyond.reversed() if reverse else beyond), interface
                break


def _beyond_surfaces_of(
    interface: Interface, left: Insulator | Metal, right: Insulator | Metal
) -> Interface:
    """Return an interface with its dipole relative to surfaces as its records have them.

    A calculated dipole is relative to free surfaces, as cut or relaxed, and the levels of a record
    are those of one of them. Where one record has its surface as cut and the other relaxed, the
    dipole is as calculated, and uncertain by the difference of the two.
    """
    given, line_up = interface.dipole_V, interface.provenance.get("line_up")
    relaxed = {one for one in map(_is_relaxed, (left, right)) if one is not None}
    if given is None or not isinstance(line_up, dict) or not relaxed:
        return interface
    cut = line_up.get("dipole_beyond_surfaces_as_cut_V")
    over = line_up.get("dipole_beyond_relaxed_surfaces_V")
    if cut is None or over is None or given.value not in (cut, over):  # of other origin
        return interface
    update: dict[str, object]
    if len(relaxed) > 1:
        spread = math.hypot(given.uncertainty or 0.0, over - cut)
        update = {
            "uncertainty": round(spread, 3),
            "source": f"{given.source}; one record has its surface as cut, the other relaxed",
        }
    else:
        said, value = ("relaxed", over) if True in relaxed else ("as cut", cut)
        if value == given.value:
            return interface
        source = f"{interface.name}, beyond surfaces {said}, as the records have them"
        update = {"value": value, "source": source}
    return interface.model_copy(update={"dipole_V": given.model_copy(update=update)})


def _is_relaxed(material: Insulator | Metal) -> bool | None:
    """Return whether the level of a record is that of a relaxed surface; None: not known.

    Metals are left out: relaxation moves their levels by less than the uncertainty of a dipole
    (that of Li (110) by 0.04 eV), and their records are of surfaces as cut in every preset.
    """
    surfaces = material.provenance.get("surfaces")
    if isinstance(material, Metal) or not isinstance(surfaces, list) or not surfaces:
        return None
    return "as_cut" in surfaces[0]


def known_interface(
    left: Insulator | Metal, right: Insulator | Metal, interfaces: Sequence[Interface]
) -> Interface | None:
    """Return what is known of this contact, its left side on the left; None if nothing is.

    Of several interfaces the first one counts, and what it lacks is the next one's.
    """
    found: Interface | None = None
    for one, _ in _fitting(left, right, interfaces):
        if found is None:
            found = one
        missing = {name: getattr(one, name) for name in _NUMBERS if getattr(found, name) is None}
        found = found.model_copy(update=missing)
    return found


def interface_numbers(
    given: Contact,
    left: Insulator | Metal,
    right: Insulator | Metal,
    interfaces: Sequence[Interface],
) -> list[dict[str, Any]]:
    """Return which numbers of a contact are from which interface, as a document says it.

    Parameters
    ----------
    given : Contact
        Data given with the contact, which take precedence.
    left, right : Insulator or Metal
        Its phases.
    interfaces : sequence of Interface
        Those that are known, in the order in which they are asked.
    """
    found = []
    for name in _NUMBERS:
        if getattr(given, name) is not None:
            continue
        for one, interface in _fitting(left, right, interfaces):
            quantity = getattr(one, name)
            if quantity is not None:
                found.append(
                    {
                        "field": name,
                        "value": quantity.value,
                        "uncertainty": quantity.uncertainty,
                        "method": quantity.method,
                        "source": quantity.source,
                        "interface": interface.name,
                        "hash": interface_hash(interface),
                    }
                )
                break
    return found


def is_known(contact: Contact) -> bool:
    """Return whether the barrier is known, instead of drawn from the prior."""
    return contact.barrier_eV is not None


def contact_is_uncertain(contact: Contact) -> bool:
    """Return whether anything of a contact is drawn."""
    if contact.barrier_eV is None or is_uncertain(contact.extrinsic):
        return True
    known = (contact.barrier_eV, contact.dipole_V, contact.areal_site_density_cm2)
    return any(isinstance(one, Quantity) and one.uncertainty for one in known)
