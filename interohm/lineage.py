"""Lineage of a prediction: a cell's contacts, their records, the calculation of every number."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from interohm.database.rows import Row, rows_of, value_at
from interohm.database.schema import well_formed
from interohm.database.shipped_calculations import shipped_calculation, shipped_hashes
from interohm.errors import InputError
from interohm.lookup import named_materials, used_material
from interohm.near_names import meant_text
from interohm.records import Quantity, material_hash
from interohm.records.shipped import shipped_names
from interohm.records.uncertainty import quantities

if TYPE_CHECKING:
    from interohm.database import Database, Document

_HASH = re.compile(r"[0-9a-f]{64}")
#: How a number's source names its calculation: the beginning of the hash.
_NAMED = re.compile(r"\bcalculation ([0-9a-f]{8,64})\b")


@dataclass(frozen=True)
class Origin:
    """A thing, what is known of it, and what it was made from.

    Parameters
    ----------
    kind : str
        ``cell``, ``contact``, ``record``, ``number`` or ``calculation``.
    name : str
        Name of the cell, the two phases, the record, the record's field, the calculation's hash.
    facts : dict
        Plain values; of a record ``status`` says whether it is the one that was used.
    parts : list of Origin
        Origins of its parts.
    """

    kind: Literal["cell", "contact", "record", "number", "calculation"]
    name: str
    facts: dict[str, Any]
    parts: list[Origin] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """Return it as plain values, the parts within."""
        return {
            "kind": self.kind,
            "name": self.name,
            **self.facts,
            "parts": [part.document() for part in self.parts],
        }


def origins(database: Database, name: str) -> list[Origin]:
    """Return where things of this name come from; several where they differ in their conditions.

    Parameters
    ----------
    database : Database
        Open for reading.
    name : str
        A saved cell, a saved contact as ``Li|LLZO``, a record, or the beginning of a calculation's
        hash (8 characters at least).

    Raises
    ------
    InputError
        There is nothing of this name, or a document of the database is malformed.
    """
    with well_formed(f"{database.location}, {name}"):
        return _origins(database, name)


def _origins(database: Database, name: str) -> list[Origin]:
    # Cells first: a screening names its cells 'Li | LLZO | LiCoO2', a contact has two phases.
    cells = [_cell(database, document) for document in database.query("cells", {"cell": name})]
    if cells:
        return cells
    if name.count("|") == 1:
        left, _, right = (part.strip() for part in name.partition("|"))
        kept = database.query("contacts", {"left": left, "right": right})
        found = [_contact(database, document) for document in kept]
        if found:
            return found
        raise InputError(
            f"no contact {left} | {right} is saved in {database.location}",
            where="why",
            fix=f"`interohm contact {left} {right} --save` saves one",
        )
    if name in database.material_names() or name in shipped_names():
        return [_record(database, name, used=None)]
    if re.fullmatch(r"[0-9a-f]{8,64}", name):
        whole = _whole_hash(database, name)
        if whole is not None:
            return [_calculation(database, whole, "")]
    raise _nothing(database, name)


def _nothing(database: Database, name: str) -> InputError:
    cells = dict.fromkeys(row["cell"] for row in database.rows("cells"))
    known = dict.fromkeys([*database.material_names(), *shipped_names(), *cells])
    return InputError(
        f"there is no cell, contact, record or calculation {name!r} in {database.location}",
        where="why",
        fix=meant_text(name, known)
        or "name a cell saved by `interohm cell CONFIG --save`, a contact as 'Li|LLZO', or a "
        "record that `interohm materials list` shows",
    )


def _cell(database: Database, document: Document) -> Origin:
    states = rows_of("cells", document)
    contacts = []
    for index, contact in enumerate(value_at(document["states"][0], "contacts") or ()):
        over_charge = [
            {"state_of_charge": state["state_of_charge"], **_of_contact(state["contacts"][index])}
            for state in document["states"]
        ]
        names = [contact["left"], contact["right"]]
        facts = {"records": names, "states": over_charge}
        contacts.append(Origin("contact", " | ".join(names), facts))
    columns = ("state_of_charge", "open_circuit_voltage_V", "resistance_ohm_cm2")
    facts = {
        "temperature_K": document["temperature_K"],
        "layers": states[0]["layers"] if states else [],
        "states": [{column: state[column] for column in columns} for state in states],
        "remarks": document.get("remarks") or [],
    }
    layers = [*facts["layers"], document.get("reference")]
    records = _records(database, document, layers)
    return Origin("cell", document["cell"], facts, [*contacts, *records])


def _contact(database: Database, document: Document) -> Origin:
    facts = {
        "temperature_K": document["temperature_K"],
        "state_of_charge": document.get("state_of_charge"),
        "thickness_nm": document.get("thickness_nm"),
        **_of_contact(document),
    }
    names = [document["left"], document["right"]]
    records = _records(database, document, [*names, document.get("reference")])
    return Origin("contact", " | ".join(names), facts, records)


def _of_contact(document: Mapping[str, Any]) -> Row:
    [row] = rows_of("contacts", document)
    columns = ("potential_drop_V", "resistance_ohm_cm2", "limiting_step", "reason")
    return {column: row[column] for column in columns}


def _records(database: Database, document: Document, names: list[Any]) -> list[Origin]:
    """Return the records of a prediction, the one that sets the zero of potential included."""
    used: dict[str, str] = document.get("records") or {}
    return [
        _record(database, name, used=used.get(name, ""))
        for name in dict.fromkeys([*filter(None, names), *used])
    ]


def _record(database: Database, name: str, *, used: str | None) -> Origin:
    """Return a record's origin; ``used`` is the hash of the one that a prediction was made from.

    None if nobody asks, empty if the prediction does not say.
    """
    candidates = named_materials(name, database)
    if not candidates:
        status = "not found: it was a file, or it was removed since"
        return Origin("record", name, {"status": status, "hash": used or None})
    same = used_material(name, used, database) if used else None
    found = same or candidates[0]
    material = found.material
    status = "as it is now"
    if used:
        status = "the one that was used" if same else "changed since this was predicted"
    elif used is not None:
        status = "unknown whether it changed since this was predicted"
    said = material.provenance
    facts: dict[str, Any] = {
        "status": status,
        "source": found.source,
        "hash": material_hash(material),
        "material_kind": material.kind,
        "surface": material.surface,
        **{key: said[key] for key in ("engine", "functional", "preset") if key in said},
    }
    if used and not same:
        facts["used_hash"] = used
    roles: dict[str, str] = {}
    # A record's own calculations first: a phase diagram names some of them by their formulas.
    for hash, role in _roles({"calculations": {}, **said}):
        roles.setdefault(hash, role)
    numbers = [_number(field, quantity, roles) for field, quantity in quantities(material)]
    named = {number.facts["calculation"] for number in numbers if number.facts["calculation"]}
    for hash in named - set(roles):
        roles[hash] = ""
    calculations = [_calculation(database, hash, role) for hash, role in roles.items()]
    return Origin("record", name, facts, [*numbers, *calculations])


def _number(field: str, quantity: Quantity, roles: Mapping[str, str]) -> Origin:
    named = _NAMED.search(quantity.source or "")
    calculation = None
    if named is not None:
        whole = [hash for hash in roles if hash.startswith(named[1])]
        calculation = whole[0] if whole else named[1]
    return Origin(
        "number",
        field,
        {
            "value": quantity.value,
            "uncertainty": quantity.uncertainty,
            "method": quantity.method,
            "source": quantity.source,
            "assumed": quantity.assumed,
            "calculation": calculation,
        },
    )


def _roles(value: Any, role: str = "") -> Iterator[tuple[str, str]]:
    """Yield the hashes of calculations in a record's provenance, each with what it was for."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            inner = role if key in ("calculations", "calculation", "defects") else str(key)
            yield from _roles(item, inner)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _roles(item, role)
    elif isinstance(value, str) and _HASH.fullmatch(value):
        yield value, role


def _calculation(database: Database, hash: str, role: str) -> Origin:
    found, document = "database", database.find_calculation(hash)
    if document is None:
        found, document = "shipped", shipped_calculation(hash)
    if document is None:
        return Origin("calculation", hash, {"role": role, "found": None})
    [row] = rows_of("calculations", document)
    columns = ("engine", "formula", "functional", "charge", "energy_eV", "wall_time_s")
    sites = value_at(document, "structure.sites")
    facts = {
        "role": role,
        "found": found,
        "calculation_kind": row["kind"],
        **{column: row[column] for column in columns},
        "atoms": len(sites) if isinstance(sites, list) else None,
        "versions": document.get("versions"),
    }
    return Origin("calculation", hash, facts)


def _whole_hash(database: Database, beginning: str) -> str | None:
    """Return the hash that begins so, of a kept or a shipped calculation."""
    kept = database.query("calculations", {"hash": {"$regex": f"^{beginning}"}}, limit=1)
    if kept:
        return str(kept[0]["hash"])
    return next((hash for hash in shipped_hashes() if hash.startswith(beginning)), None)
