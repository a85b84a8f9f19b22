"""The mobile metal, the zero of potential, among the records of a contact or a cell."""

from __future__ import annotations

from interohm.errors import InputError
from interohm.records.material import Insulator, Metal
from interohm.records.shipped import shipped_material


def is_reference(material: Insulator | Metal) -> bool:
    """Return whether a record is the mobile metal itself, the zero of potential."""
    return (
        isinstance(material, Metal)
        and len(material.states) == 1
        and material.states[0].voltage_V.value == 0.0
    )


def check_same_ion(materials: list[Insulator | Metal]) -> None:
    """Raise `InputError` unless all records share the mobile ion and its charge."""
    first = materials[0]
    for other in materials[1:]:
        if (other.mobile_ion, other.ion_charge) != (first.mobile_ion, first.ion_charge):
            raise InputError(
                f"{first.name} conducts {first.mobile_ion} (charge {first.ion_charge}), "
                f"{other.name} conducts {other.mobile_ion} (charge {other.ion_charge})",
                where="mobile_ion",
                fix="pair phases of the same mobile ion",
            )


def reference_metal(materials: list[Insulator | Metal]) -> Metal:
    """Return the mobile metal that is the zero of potential: one of these, or the shipped one.

    Raises
    ------
    InputError
        None of them is, and no record of that metal is shipped.
    """
    for material in materials:
        if isinstance(material, Metal) and is_reference(material):
            return material
    ion = materials[0].mobile_ion
    metal = shipped_material(ion)
    if not isinstance(metal, Metal):
        raise InputError(
            f"no record of the mobile metal {ion}, the zero of potential, is shipped",
            where="mobile_ion",
            fix=f"put a record of {ion} with one state at 0 V into the contact or cell",
        )
    return metal
