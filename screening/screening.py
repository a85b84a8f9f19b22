"""A screening: its description with the records that it names, and where it is kept."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from interohm.database import Database
from interohm.extras import require
from interohm.records import Insulator, Metal, material_document
from interohm.records.interface import interface_document
from interohm.screening.candidates import Records, find_records
from interohm.screening.config import ScreenConfig
from interohm.screening.filters import cell_filter
from interohm.screening.partial import Question
from interohm.settings import load_settings
from interohm.version import VERSION

#: Begins a stage (its name, how many steps it has); returns what is told of each more of them.
Stages: TypeAlias = Callable[[str, int], Callable[[int], None]]


@dataclass(frozen=True)
class Screening:
    """A screening with its records, and the folder where it is kept.

    Parameters
    ----------
    config : ScreenConfig
        The description.
    records : Records
        Records that the description names.
    folder : Path
        Folder for this description with these records only (see `screening_folder`).
    workers : int
        Threads.
    table : bool
        Whether all cells that fit are written to Parquet.
    where : str
        Place to name in errors: the file of the description.
    """

    config: ScreenConfig
    records: Records
    folder: Path
    workers: int = 1
    table: bool = False
    where: str = "screening"

    @property
    def conditions(self) -> list[tuple[float, float]]:
        """All combinations of temperature and state of charge, at each thickness."""
        config = self.config
        return [
            (temperature, charge)
            for temperature in config.temperatures_K
            for charge in config.states_of_charge
        ]

    @property
    def names(self) -> dict[str, list[str]]:
        """Names of the negative sides, electrolytes and positive sides."""
        return {
            "negative": [side.label for side in self.records.negatives],
            "electrolyte": [record.name for record in self.records.electrolytes],
            "positive": [side.label for side in self.records.positives],
        }

    @property
    def question(self) -> Question:
        """Outputs and limits that the screening asks for."""
        config = self.config
        fits = None
        if config.where is not None:
            fits = cell_filter(config.where, self.names, where=f"{self.where}: where")
        return Question(
            rank_by=tuple(config.rank_by),
            count=max(config.count, config.survivors if config.samples else 0),
            fronts=tuple(tuple(group) for group in config.pareto),
            counted=tuple(config.histograms),
            fits=fits,
        )

    def each_thickness(self) -> list[Screening]:
        """Return the screening at each thickness of the electrolytes, each with a folder."""
        every = self.config.electrolyte_thickness_nm
        if len(every) == 1:
            return [replace(self, config=self.config.at_thickness(every[0]))]
        return [
            replace(
                self,
                config=self.config.at_thickness(thickness_nm),
                folder=self.folder / f"{thickness_nm:.10g}nm",
            )
            for thickness_nm in every
        ]

    def folder_of(self, temperature_K: float, state_of_charge: float) -> Path:
        """Return where one temperature and state of charge is kept."""
        return self.folder / f"{temperature_K:.10g}K-{state_of_charge:.10g}"


def open_screening(
    config: ScreenConfig,
    *,
    folder: Path | None = None,
    relative_to: Path | None = None,
    workers: int | None = None,
    table: bool = False,
    where: str = "screening",
) -> Screening:
    """Return a screening with its records, which the project's database is asked for first.

    Parameters
    ----------
    config : ScreenConfig
        The description.
    folder : Path, optional
        Folder of all screenings; ``screens`` in the project's folder unless given.
    relative_to : Path, optional
        Folder to which paths of records are relative.
    workers : int, optional
        Threads; one a core unless given.
    table : bool
        Whether all cells that fit are written to Parquet.
    where : str
        Place to name in errors: the file of the description.

    Raises
    ------
    InputError
        There is no such record, a condition cannot be asked, or a table is asked for and the
        extra ``parquet`` is not installed.
    """
    if table:
        require("parquet", "a table of all cells", where="--table", otherwise="leave --table out")
    with Database.open() as database:
        records = find_records(config, database, relative_to=relative_to or Path(), where=where)
    parent = load_settings().data / "screens" if folder is None else folder
    opened = Screening(
        config,
        records,
        screening_folder(config, records, parent),
        workers or len(os.sched_getaffinity(0)),
        table,
        where,
    )
    # before anything is made: a condition that cannot be asked is said first
    assert opened.question
    return opened


def screening_folder(config: ScreenConfig, records: Records, parent: Path) -> Path:
    """Return where a screening is kept: its name and a hash of all that its result depends on."""
    of_sides = []
    for side in [*records.negatives, *records.positives]:
        of_sides.append([side.label, material_document(side.metal)])
        if side.coating is not None:
            of_sides.append([side.label, material_document(side.coating)])
    others: list[Insulator | Metal] = [*records.electrolytes, records.reference]
    content = {
        "version": VERSION,
        "screening": config.model_dump(mode="json"),
        "records": [*of_sides, *map(material_document, others)],
        "interfaces": [interface_document(known) for known in records.interfaces],
    }
    text = json.dumps(content, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    plain = "".join(sign if sign.isalnum() or sign in "-_" else "-" for sign in config.name)
    return parent / f"{plain}-{digest}"
