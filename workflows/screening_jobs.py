"""A screening as jobs: the ranges of its cells on many machines, which add up on one.

The jobs share the screening's folder (on a cluster, ``INTEROHM_DATA`` is on a file system that all
nodes share): each range leaves a file there, as on one machine, so that whichever jobs have ended,
`interohm screen` with the same description goes on from there.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from interohm.screening.candidates import find_records
from interohm.screening.config import ScreenConfig
from interohm.screening.run import prepare, run_screening, screen_part
from interohm.screening.screening import Screening, screening_folder
from jobflow import Flow, job

from interohm.database import Database
from interohm.errors import InputError
from interohm.settings import load_settings

from .context import active_database


def screening_here(
    config: ScreenConfig, database: Database, *, folder: Path, where: str, table: bool = False
) -> Screening:
    """Return a screening with the records that this database has, in the project's folder.

    Parameters
    ----------
    config : ScreenConfig
        The description.
    database : Database
        Asked for the records.
    folder : Path
        Of the description's file, which paths of records are relative to.
    where : str
        What to name in errors.
    table : bool
        Whether all cells that fit are written to Parquet.
    """
    records = find_records(config, database, relative_to=folder, where=where)
    parent = load_settings().data / "screens"
    return Screening(
        config,
        records,
        screening_folder(config, records, parent),
        len(os.sched_getaffinity(0)),
        table,
        where,
    )


def screening_flow(screening: Screening, *, folder: Path, jobs: int) -> Flow:
    """Return a screening as jobs: its contacts, then its cells in parts, then their sum.

    Parameters
    ----------
    screening : Screening
        As it is here (see `screening_here`).
    folder : Path
        Of the description's file.
    jobs : int
        How many parts.
    """
    described = {
        "config": screening.config.model_dump(mode="json"),
        "folder": str(folder.resolve()),
        "name": screening.folder.name,
        "table": screening.table,
    }
    contacts = solve_contacts(described)
    contacts.name = "contacts"
    parts = []
    for place in range(jobs):
        part = screen_cells_in_part(described, place=place, of=jobs, after=contacts.output)
        part.name = f"cells, part {place + 1} of {jobs}"
        parts.append(part)
    whole = add_up(described, after=[part.output for part in parts])
    whole.name = "result"
    return Flow([contacts, *parts, whole], name="screening")


@job
def solve_contacts(described: dict[str, Any]) -> str:
    """Solve all contacts and what else the cells need."""
    screening = _on_this_worker(described)
    prepare(screening, _silent)
    return str(screening.folder)


@job
def screen_cells_in_part(described: dict[str, Any], *, place: int, of: int, after: str) -> str:
    """Screen one part of the cells, or what is missing of it."""
    screening = _on_this_worker(described)
    screen_part(screening, _silent, place=place, of=of)
    return after


@job
def add_up(described: dict[str, Any], *, after: list[str]) -> dict[str, Any]:
    """Add up all parts and return where the result is, with the best cells."""
    screening = _on_this_worker(described)
    document = run_screening(screening, _silent)
    fields = ("temperature_K", "state_of_charge", "cells", "fitting", "best")
    return {
        "screening": document["screening"],
        "folder": document["folder"],
        "states": [{field: state[field] for field in fields} for state in document["states"]],
    }


def _on_this_worker(described: dict[str, Any]) -> Screening:
    config = ScreenConfig.model_validate(described["config"])
    with active_database() as database:
        screening = screening_here(
            config,
            database,
            folder=Path(described["folder"]),
            where=config.name,
            table=described["table"],
        )
    if screening.folder.name != described["name"]:
        raise InputError(
            "the records, or the version of interohm, are not those that it was submitted with",
            where=f"screening {config.name}",
            fix="submit it again",
        )
    return screening


def _silent(stage: str, total: int) -> Callable[[int], None]:
    return lambda more: None
