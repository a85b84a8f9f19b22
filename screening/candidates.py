"""The records of a screening: names, patterns and filters to three sets of phases."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interohm.database.conditions import parse_where
from interohm.database.rows import COLUMNS, kind_of, rows_of
from interohm.errors import InputError
from interohm.lookup import find_material
from interohm.records import Insulator, Metal, material_document
from interohm.records.interface import Interface
from interohm.records.reference import check_same_ion, reference_metal
from interohm.records.shipped import shipped_interfaces, shipped_names

if TYPE_CHECKING:
    from interohm.database import Database
    from interohm.database.conditions import Condition
    from interohm.screening.config import Candidates, Coating, ScreenConfig

#: A field of a record's provenance that conditions may name, in words or numbers of the user's.
_PRICE_CLASS = "price_class"


@dataclass(frozen=True)
class CoatableElectrode:
    """An electrode, with or without a coating.

    Parameters
    ----------
    metal : Metal
        Its record.
    coating : Insulator, optional
        Coating between the electrode and the electrolyte.
    coating_nm : float
        Its thickness.
    """

    metal: Metal
    coating: Insulator | None = None
    coating_nm: float = 0.0

    @property
    def label(self) -> str:
        """Name of the electrode, with that of its coating."""
        if self.coating is None:
            return self.metal.name
        return f"{self.metal.name} + {self.coating.name} ({self.coating_nm:g} nm)"


@dataclass(frozen=True)
class Records:
    """All records of a screening.

    Parameters
    ----------
    negatives, positives : list of CoatableElectrode
        The electrodes of the two sides: first all without a coating.
    electrolytes : list of Insulator
        The electrolytes.
    reference : Metal
        The mobile metal, the zero of potential.
    interfaces : list of Interface
        Known interfaces, those of the database before the shipped ones.
    """

    negatives: list[CoatableElectrode]
    electrolytes: list[Insulator]
    positives: list[CoatableElectrode]
    reference: Metal
    interfaces: list[Interface] = field(default_factory=list)

    @property
    def all(self) -> list[Insulator | Metal]:
        """All records, each once."""
        electrodes = [*self.negatives, *self.positives]
        coatings = [electrode.coating for electrode in electrodes if electrode.coating is not None]
        found: list[Insulator | Metal] = [
            *(electrode.metal for electrode in electrodes),
            *coatings,
            *self.electrolytes,
            self.reference,
        ]
        by_name: dict[str, Insulator | Metal] = {record.name: record for record in found}
        return list(by_name.values())


def find_records(
    config: ScreenConfig, database: Database, *, relative_to: Path, where: str
) -> Records:
    """Find the records that a screening names.

    Parameters
    ----------
    config : ScreenConfig
        The description.
    database : Database
        Asked before the shipped records are.
    relative_to : Path
        The folder of the description.
    where : str
        Place to name in errors: the file of the description.

    Raises
    ------
    InputError
        A name that there is not, a record in a place where it does not fit, or an empty set.
    """
    finder = _Finder(config, database, relative_to, where)
    negatives = finder.chosen("negative_electrodes", Metal)
    electrolytes = finder.chosen("electrolytes", Insulator)
    positives = finder.chosen("positive_electrodes", Metal)
    electrodes = [
        finder.electrodes(metals, coatings, field)
        for metals, coatings, field in (
            (negatives, config.negative_coatings, "negative_coatings"),
            (positives, config.positive_coatings, "positive_coatings"),
        )
    ]
    coatings = [
        electrode.coating
        for electrode in [*electrodes[0], *electrodes[1]]
        if electrode.coating is not None
    ]
    everything = [*negatives, *electrolytes, *positives, *coatings]
    try:
        check_same_ion(everything)
        reference = reference_metal(everything)
    except InputError as error:
        raise InputError(error.what, where=where, fix=error.fix) from None
    _check_one_record_a_name(everything, where)
    known = [*database.interfaces(), *shipped_interfaces()]
    return Records(electrodes[0], electrolytes, electrodes[1], reference, known)


def _check_one_record_a_name(materials: Sequence[Insulator | Metal], where: str) -> None:
    known: dict[str, Insulator | Metal] = {}
    for material in materials:
        if known.setdefault(material.name, material) != material:
            raise InputError(
                f"two different records are called {material.name}",
                where=where,
                fix="rename one: uncertainties and results are identified by name",
            )


class _Finder:
    def __init__(
        self, config: ScreenConfig, database: Database, relative_to: Path, where: str
    ) -> None:
        self.config, self.database = config, database
        self.relative_to, self.where = relative_to, where

    def chosen(self, field: str, kind: type) -> list[Any]:
        """Return the records of one set, in the order in which they are named."""
        candidates: Candidates = getattr(self.config, field)
        location = f"{self.where}: {field}"
        condition = None
        if candidates.where is not None:
            columns = [*COLUMNS["materials"], _PRICE_CLASS]
            condition = parse_where(
                candidates.where,
                columns,
                kinds=lambda column: None if column == _PRICE_CLASS else kind_of(column),
                where=f"{location}.where",
            )
        patterns = ["*"] if candidates.names == "all" else candidates.names
        found: dict[str, Insulator | Metal] = {}
        for pattern in patterns:
            for record, named in self.fitting(pattern, location):
                if not named and (
                    not isinstance(record, kind) or record.mobile_ion != self.config.mobile_ion
                ):
                    continue
                if not isinstance(record, kind):
                    raise InputError(
                        f"{record.name} is {'a metal' if kind is Insulator else 'an insulator'}",
                        where=location,
                        fix="electrodes are metals, electrolytes insulators",
                    )
                found.setdefault(record.name, record)
        kept = [
            record for record in found.values() if condition is None or _fits(condition, record)
        ]
        if not kept:
            raise InputError(
                f"no record is left of {len(found)}",
                where=location,
                fix="name others or widen the condition; `interohm materials list` shows them all",
            )
        return kept

    def fitting(self, pattern: str, location: str) -> list[tuple[Insulator | Metal, bool]]:
        """Return the records that a name or pattern means, and whether it names them."""
        if not any(sign in pattern for sign in "*?["):
            return [(self.one(pattern, location), True)]
        names = sorted({*shipped_names(), *self.database.material_names()})
        fitting = [name for name in names if fnmatchcase(name, pattern)]
        if not fitting:
            raise InputError(
                f"no record's name matches {pattern!r}",
                where=location,
                fix="`interohm materials list` shows them all",
            )
        return [(self.one(name, location), False) for name in fitting]

    def one(self, name: str, location: str) -> Insulator | Metal:
        try:
            return find_material(
                name, relative_to=self.relative_to, database=self.database
            ).material
        except InputError as error:
            what = (
                error.what if error.where in (None, "material") else f"{error.where}: {error.what}"
            )
            raise InputError(what, where=location, fix=error.fix) from None

    def electrodes(
        self, metals: list[Metal], coatings: list[Coating], field: str
    ) -> list[CoatableElectrode]:
        """Return every electrode as it is, then with each coating."""
        plain = self.config.uncoated or not coatings
        electrodes = [CoatableElectrode(metal) for metal in metals] if plain else []
        for coating in coatings:
            record = self.one(coating.material, f"{self.where}: {field}")
            if not isinstance(record, Insulator):
                raise InputError(
                    f"{record.name} is a metal",
                    where=f"{self.where}: {field}",
                    fix="coat with an insulator",
                )
            electrodes += [
                CoatableElectrode(metal, record, thickness_nm)
                for thickness_nm in coating.thickness_nm
                for metal in metals
            ]
        return electrodes


def _fits(condition: Condition, record: Insulator | Metal) -> bool:
    (row,) = rows_of("materials", material_document(record))
    row[_PRICE_CLASS] = record.provenance.get(_PRICE_CLASS)
    formula = record.provenance.get("formula")
    if row["elements"] is None and isinstance(formula, str):
        # of a record whose name is none
        row["elements"] = re.findall("[A-Z][a-z]?", formula)
    return condition.holds(row)
