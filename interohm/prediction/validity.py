"""Doubts about a contact: conditions under which the model is beyond its range of validity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from interohm import device_models as models
from interohm.device_models import FiniteLayer
from interohm.prediction.contact_stability import (
    distances_V,
    is_surely_outside,
    outside_window_text,
)
from interohm.prediction.electrodes import occupation_is_cut
from interohm.records import Insulator, Metal
from interohm.records.reference import is_reference
from interohm.results.percents import percent

if TYPE_CHECKING:
    from interohm.prediction.solved_contact import Side, SolvedContact

#: A field above this breaks what a static dielectric constant says of a crystal.
_FIELD_V_NM = 1.0

#: No ion in a solid vibrates faster than some 1e13 per second; an entropy of hops may add a decade.
_VIBRATION_HZ = 1e14

#: Measured conductivities of fast conductors with their activation energies imply up to some 1e15
#: per second (docs/sources/records.md): ions that move together and an entropy of the hop, up to
#: 7 k_B here. Beyond it, one of the two numbers is wrong.
_PREFACTOR_HZ = 1e16

#: A sublattice that is so full is shaped by its saturation, of which little is known.
_FILLING = 0.95


def contact_validity(
    solved: SolvedContact,
    *,
    ion_content: Mapping[str, float | None],
    voltage_V: Mapping[str, float | None],
) -> list[dict[str, str]]:
    """Return what to doubt of a nominal contact.

    Parameters
    ----------
    solved : SolvedContact
        Contact at the records' values and one temperature.
    ion_content : mapping
        Ion contents of the electrodes, by side.
    voltage_V : mapping
        Potential that each side's stability window must contain; None for none.

    Returns
    -------
    list of dict
        ``code`` (``field``, ``continuum``, ``coupling``, ``window``, ``saturation``,
        ``occupation``, ``frequency``, ``held_electrode`` or ``electrode_conductivity``) and
        ``text``.
    """
    found = []
    for name, material in (("left", solved.left), ("right", solved.right)):
        side = solved.sides[name]
        if isinstance(material, Metal):
            content = ion_content.get(name)
            remarks = _of_electrode(material, side, content)
        else:
            remarks = _of_insulator(material, side, name, voltage_V.get(name))
        found += [{"code": code, "text": text} for code, text in remarks]
    return found


def fast_hops(material: Insulator, bulk: models.Bulk) -> str | None:
    """Return a remark where a measured prefactor is beyond vibrations, but not implausible."""
    frequency = _largest_frequency_Hz(bulk)
    if material.conductivity is None or not _VIBRATION_HZ < frequency <= _PREFACTOR_HZ:
        return None
    return (
        f"by their conductivity and its activation energy, ions of {material.name} attempt "
        f"{frequency:.1e} hops per second, more often than a lattice vibrates, as where ions move "
        "together or hops gain entropy; hops across a contact have the same prefactor"
    )


def _largest_frequency_Hz(bulk: models.Bulk) -> float:
    return float(np.nanmax(bulk.phase.attempt_frequency_Hz, initial=0.0))


def _of_electrode(metal: Metal, side: Side, content: float | None) -> Iterator[tuple[str, str]]:
    if is_reference(metal):
        return
    if isinstance(side, models.Metal):
        yield (
            "held_electrode",
            f"{metal.name} has a constant potential up to the contact: its record has no "
            "space_charge, so the whole drop falls on the other side",
        )
    elif metal.space_charge is not None and metal.space_charge.conductivity_S_cm is None:
        yield (
            "electrode_conductivity",
            f"{metal.name} has a space charge, which adds no resistance: the record gives no "
            "conductivity_S_cm for it",
        )
    if content is not None and occupation_is_cut(metal, content):
        yield (
            "occupation",
            f"the ion content of {metal.name} at the contact is at an end of its range, almost "
            f"empty or full: its occupation is kept {models.HOST_OCCUPATION:g} from the end",
        )


def _of_insulator(
    material: Insulator, side: Side, name: str, voltage_V: float | None
) -> Iterator[tuple[str, str]]:
    assert not isinstance(side, models.Metal)
    bulk = side.bulk
    if isinstance(side, FiniteLayer):
        # the layer's own end at this contact
        end = 0 if name == "right" else -1
        field, potential = side.fields_V_nm[..., end], side.potentials_V[..., end]
        lengths = [("Debye length", float(bulk.debye_length_nm))]
    else:
        field, potential = side.field_V_nm, side.contact_potential_V
        lengths = [
            ("Debye length", float(bulk.debye_length_nm)),
            ("space charge (90 % of the drop)", float(side.x90_nm)),
        ]
    strength = abs(float(np.asarray(field)))
    if strength > _FIELD_V_NM:
        yield (
            "field",
            f"the field in {material.name} at the contact is {strength:.2g} V/nm, beyond what a "
            "dielectric constant describes",
        )
    hop = float(models.shortest_hop_nm(bulk))
    short = [(what, length) for what, length in lengths if np.isfinite(length) and length < hop]
    if short:
        what, length = min(short, key=lambda one: one[1])
        yield (
            "continuum",
            f"the {what} in {material.name} is {length:.2g} nm, less than the hop distance of "
            f"{hop:.2g} nm: the continuum model is used below the distance of lattice planes",
        )
    coupling = float(models.coulomb_coupling(bulk))
    if coupling > 1.0:
        yield (
            "coupling",
            f"defects in {material.name} interact strongly: the Coulomb coupling is "
            f"{coupling:.2g}, and mean-field theory is valid below 1",
        )
    frequency = _largest_frequency_Hz(bulk)
    if material.conductivity is None and frequency > _VIBRATION_HZ:
        yield (
            "frequency",
            f"the record of {material.name} has {frequency:.1e} hop attempts per second, more than "
            f"the {_VIBRATION_HZ:.0e} at most of a lattice's vibrations",
        )
    elif frequency > _PREFACTOR_HZ:
        yield (
            "frequency",
            f"by their conductivity and its activation energy, ions of {material.name} would "
            f"attempt {frequency:.1e} hops per second, more than concerted motion "
            f"explains ({_PREFACTOR_HZ:.0e}): these two numbers are not consistent",
        )
    if voltage_V is not None and material.stability_window_V is not None:
        margin, spread = min(distances_V(material.stability_window_V, voltage_V))
        if margin < -1e-9:
            said = "it decomposes there, which is outside of this model"
            if not is_surely_outside(margin, spread):
                said = f"it may decompose there, since the limit is uncertain by {spread:.2g} V"
            yield "window", f"{outside_window_text(material, voltage_V)}: {said}"
    if np.isfinite(float(np.asarray(potential))):
        full = float(models.filling(bulk, potential))
        if full > _FILLING:
            yield (
                "saturation",
                f"defects of {material.name} fill {percent(full)} of their available sites at the "
                "contact: the result depends on the number of these sites",
            )
