"""`--next FILE` of designs and screenings: a campaign, and what it leaves out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interohm.records import Insulator, Metal
    from interohm.results.design import NextCalculation


def check_next_campaign(path: Path) -> None:
    """Raise `InputError`, before anything is computed, where no campaign can be written."""
    from interohm.extras import require
    from interohm.yaml_io import check_output_path

    check_output_path(path)
    require(
        "defects",
        "planning the calculations of a campaign",
        where="--next",
        otherwise="leave --next out",
    )


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
        Nothing is worth calculating, or the file cannot be written.
    """
    from interohm.cli.output import progress_of, remark
    from interohm.database import Database
    from interohm.workflows.next_campaign import next_campaign, structure_fix

    with Database.open() as database, progress_of("planning") as progress:
        found = next_campaign(
            name,
            calculations,
            records,
            structures=structures,
            folder=path.parent,
            database=database,
            progress=progress,
        )
    found.write(path)
    if found.phases:
        files = "".join(f", with {file} next to it" for file in found.structures)
        remark(
            f"campaign: {path} calculates {', '.join(found.phases)}{files}; "
            f"`interohm run {path} --dry-run` lists the calculations"
        )
    else:
        remark(
            f"campaign: {path} calculates nothing yet, since all of its phases are comments: name "
            "the crystal of one and remove the leading # of its lines"
        )
    for material, why in found.left_out.items():
        remark(f"left out of it: {material}, {why}; {structure_fix(material)}")
    if found.apart:
        remark(f"not in it, written as comments: {'; '.join(found.apart)}")


def structures_of(
    structures: Mapping[str, str],
    config: Path,
    records: Iterable[str],
    called: Mapping[str, str] | None = None,
) -> dict[str, Path]:
    """Return the crystals that a configuration names, by the records' names.

    Parameters
    ----------
    structures : mapping of str to str
        Files by the name of a record; a name without a surface will do, if one record alone has it.
    config : Path
        The configuration, to which the files are relative.
    records : iterable of str
        The names of the records of the design or screening.
    called : mapping of str to str, optional
        The names of records that the configuration calls otherwise, as by a path.

    Raises
    ------
    InputError
        There is no such file, or no such record.
    """
    import os

    from interohm.errors import InputError
    from interohm.lookup import surfaces_of
    from interohm.near_names import meant_text

    names = sorted(set(records))
    found = {}
    for given, path in structures.items():
        if not os.path.isfile(config.parent / path):
            raise InputError(
                f"structures.{given}: there is no file {config.parent / path}",
                where=str(config),
                fix="give a CIF or POSCAR, relative to the configuration's file",
            )
        name = (called or {}).get(given, given)
        if name not in names and len(surfaces := surfaces_of(name, names)) == 1:
            name = surfaces[0]
        if name not in names:
            raise InputError(
                f"structures.{given}: none of the records is called {given}",
                where=str(config),
                fix=meant_text(given, names) or f"name one of {', '.join(names)}",
            )
        found[name] = config.parent / path
    return found
