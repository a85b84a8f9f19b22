"""Records of the contact of two surfaces: the step of the vacuum level, the barrier.

Read from and written to YAML (``configs/interfaces/``) and the database's collection ``interfaces``
alike. Explicit calculations write it, people write it, contacts and cells read it.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, model_validator

from interohm.records.material import (
    ArealSiteDensity,
    BarrierEnergy,
    Dipole,
    Number,
    Quantity,
    RecordName,
    _Model,
)
from interohm.safe_documents import refuse_foreign_code
from interohm.yaml_io import dump_yaml, load_yaml, validated_as, write_text


class InterfaceStrain(_Model):
    """Strain of one side, which makes both repeat alike along the contact.

    Parameters
    ----------
    side : {"left", "right"}
        Side that was strained.
    principal : (float, float)
        Principal strains in the plane, relative to the relaxed crystal; negative in compression.
    normal : float
        Strain along the normal that minimizes the energy of the strained crystal.
    """

    side: Literal["left", "right"]
    principal: tuple[Number, Number]
    normal: Number


class Interface(_Model):
    """The contact of two surfaces, the left one being that on the left of a cell.

    Parameters
    ----------
    name : str
        Name of the interface.
    left, right : str
        Name of the record on this side. In a contact with the two sides exchanged, `dipole_V`
        changes sign.
    left_surface, right_surface : str, optional
        Surface on this side, as in ``surface`` of the record: ``(110) Li-terminated``. The
        interface does not apply to records with another surface. None: any surface.
    mobile_ion : str
        Element symbol of the mobile ion.
    dipole_V : Quantity, optional
        Step of the electrostatic potential at the contact, right minus left, relative to the
        alignment of the two vacuum levels.
    barrier_eV : Quantity, optional
        Barrier of the mobile ion's hop across the contact, E_b of the exchange current: the mean
        of both directions.
    excess_barrier_eV : Quantity, optional
        Amount by which `barrier_eV` exceeds the barrier in the bulk (between two insulators: the
        mean of both).
    areal_site_density_cm2 : Quantity, optional
        Sites from which the ion hops, per area of the contact.
    strain : list of InterfaceStrain
        Strain of the sides that were strained.
    calculations : mapping
        Hashes of the calculations behind these numbers, by their purpose.
    provenance : mapping
        Engine, preset and sources.
    """

    name: RecordName
    left: RecordName
    right: RecordName
    left_surface: str | None = None
    right_surface: str | None = None
    mobile_ion: Annotated[str, Field(pattern=r"^[A-Z][a-z]?$")]
    dipole_V: Dipole | None = None
    barrier_eV: BarrierEnergy | None = None
    excess_barrier_eV: Quantity | None = None
    areal_site_density_cm2: ArealSiteDensity | None = None
    strain: list[InterfaceStrain] = Field(default_factory=list)
    calculations: dict[str, str] = Field(default_factory=dict)
    provenance: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _says_something(self) -> Interface:
        known = (self.dipole_V, self.barrier_eV, self.areal_site_density_cm2)
        if all(quantity is None for quantity in known):
            raise ValueError("give at least one of dipole_V, barrier_eV and areal_site_density_cm2")
        return self

    def reversed(self) -> Interface:
        """Return the same contact with its sides exchanged."""
        dipole = self.dipole_V
        other = {"left": "right", "right": "left"}
        return self.model_copy(
            update={
                "left": self.right,
                "right": self.left,
                "left_surface": self.right_surface,
                "right_surface": self.left_surface,
                "dipole_V": dipole and dipole.model_copy(update={"value": 0.0 - dipole.value}),
                "strain": [one.model_copy(update={"side": other[one.side]}) for one in self.strain],
            }
        )


_INTERFACE = TypeAdapter(Interface)


def interface_from(data: Any, *, where: str) -> Interface:
    """Validate a mapping as an interface; ``where`` names its file or collection in errors.

    Raises
    ------
    InputError
        With every field that is wrong, and how to mend it; or it names code.
    """
    refuse_foreign_code(data, where=where)
    interface: Interface = validated_as(_INTERFACE, data, where=where)
    return interface


def interface_document(interface: Interface) -> dict[str, Any]:
    """Return the interface as plain values for YAML, JSON and the database."""
    return interface.model_dump(mode="json", exclude_defaults=True)


def interface_hash(interface: Interface) -> str:
    """Return the identity of an interface: a hash of all that it says."""
    text = json.dumps(interface_document(interface), sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def load_interface(path: str | Path) -> Interface:
    """Read an interface from a YAML file (see `interface_from`)."""
    return interface_from(load_yaml(path), where=str(path))


def save_interface(interface: Interface, path: str | Path) -> None:
    """Write an interface to a YAML file, whole or not at all."""
    write_text(path, dump_yaml(interface_document(interface)))
