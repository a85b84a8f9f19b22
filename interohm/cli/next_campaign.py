"""`--next FILE` of designs and screenings: a campaign, and what it leaves out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interohm.records import Insulator, Metal
    from interohm.results.design import NextCalculation


def write_next_campaign(
    path: Path,
    name: str,
    calculations: Sequence[NextCalculation],
    records: Mapping[str, Insulator | Metal],
    structures: Mapping[str, Path],
) -> None:
    """Write a campaign of what is worth calculating, and say what it leaves out.

    Parameters
    ----------
    path : Path
        The campaign's file.
    name : str
        Name of the design or screening.
    calculations : sequence of NextCalculation
        The most worthwhile first.
    records : mapping
        By name.
    structures : mapping
        Crystal structures by the record's name.

    Raises
    ------
    InputError
        No phase can be calculated, or the file cannot be written.
    """
    from interohm.cli.output import remark
    from interohm.database import Database
    from interohm.workflows.next_campaign import next_campaign, structure_fix

    with Database.open() as database:
        found = next_campaign(
            name,
            calculations,
            records,
            structures=structures,
            folder=path.parent,
            database=database,
        )
    found.write(path)
    files = "".join(f", with {file} beside it" for file in found.structures)
    remark(
        f"campaign: {path} calculates {', '.join(found.phases)}{files}; "
        f"`interohm run {path} --dry-run` lists the calculations"
    )
    for material, why in found.left_out.items():
        remark(f"left out of it: {material}, {why}; {structure_fix(material)}")
    if found.apart:
        remark(f"not calculations of phases, written as comments: {'; '.join(found.apart)}")


def check_structures(structures: Mapping[str, str], config: Path) -> None:
    """Refuse crystals that a configuration names and that are not there.

    Raises
    ------
    InputError
        There is no such file.
    """
    import os

    from interohm.errors import InputError

    for name, path in structures.items():
        if not os.path.isfile(config.parent / path):
            raise InputError(
                f"structures.{name}: there is no file {config.parent / path}",
                where=str(config),
                fix="give a CIF or POSCAR, relative to the configuration's file",
            )
