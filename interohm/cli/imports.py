"""`interohm import`: records from finished VASP calculations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from interohm.cli.saving import WAIT_S

if TYPE_CHECKING:
    from interohm.workflows.vasp_import import Import

IMPORT_EXAMPLE = (
    "Example: interohm import finished-calculations/\n\n"
    'interohm import . --store jobflow.yaml --query \'{"metadata.project": "LiF"}\''
)


def import_(
    folder: Annotated[
        Path,
        typer.Argument(help="Folder with VASP's folders and import.yaml; see configs/examples/."),
    ],
    store: Annotated[
        Path | None,
        typer.Option(
            help="A jobflow.yaml: read atomate2's tasks from its store instead of folders."
        ),
    ] = None,
    query: Annotated[
        str, typer.Option(help="Documents of --store to read, as a MongoDB query in JSON.")
    ] = "{}",
) -> None:
    """Make records from VASP calculations that others ran, in folders or in atomate2's database.

    Reads all calculations below the folder; without an import.yaml, it lists them. Calculations
    that cannot be used, and phases without a record, are named with the reason; all other records
    are saved. The exit code is 2 if anything was left out or a phase has no record.
    """
    from interohm.cli.campaigns import print_records
    from interohm.cli.output import progress_of, remark
    from interohm.database import Database
    from interohm.workflows.vasp_import import import_folder, import_store
    from interohm.workflows.vasp_import_config import CONFIG

    with Database.open() as database:
        if store is not None:
            made = import_store(folder, store, _asked(query), database)
        else:
            if folder.is_dir() and not (folder / CONFIG).is_file():
                _say_what_is_there(folder)
            with progress_of("reading folders") as report:
                made = import_folder(folder, database, report)
    everything = [*made.records, *made.interfaces]
    if everything:
        with Database.open(write=True, shared=True, wait_s=WAIT_S) as database:
            for calculation in made.calculations:
                database.save_calculation(calculation.model_dump())
            for record in made.records:
                database.save_material(record)
            for interface in made.interfaces:
                database.save_interface(interface)
            counted = f"{len(everything)} records of {len(made.calculations)} calculations"
            remark(f"{counted} in {database.location}")
        print_records(everything)
    if _name_what_is_left(made):
        raise typer.Exit(2)


def _asked(query: str) -> dict[str, Any]:
    from interohm.errors import InputError

    try:
        asked = json.loads(query)
    except json.JSONDecodeError as error:
        asked = error
    if not isinstance(asked, dict):
        raise InputError(
            f"{query!r} is not a JSON query",
            where="--query",
            fix="""write it as '{"output.task_label": "static"}'""",
        )
    return asked


def _say_what_is_there(folder: Path) -> None:
    """Name what each folder holds, where nothing says yet what it is for."""
    from interohm.cli.output import progress_of, remark
    from interohm.workflows.vasp_folders import described, read_folders

    with progress_of("reading folders") as report:
        finished = read_folders(folder, report=report)
    for line in described(finished):
        remark(line)
    for name, error in sorted(finished.left_out.items()):
        remark(f"left out: {name}: {error}")


def _name_what_is_left(made: Import) -> bool:
    """Report what was not used; return whether any of it is a fault."""
    from interohm.cli.output import remark

    finished = made.finished
    for name in finished.unused:
        edges = " (band edges alone)" if name in finished.bands else ""
        remark(f"not used: {name}{edges}")
    for name, error in sorted(finished.left_out.items()):
        remark(f"left out: {name}: {error}")
    for name, error in made.failures.items():
        remark(f"interohm: no record {name}: {error}")
    return bool(finished.left_out or made.failures)
