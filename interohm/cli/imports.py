"""`interohm import`: records from finished VASP calculations."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

IMPORT_EXAMPLE = "Example: interohm import finished-calculations/"


def import_(
    folder: Annotated[
        Path, typer.Argument(help="Holds VASP's folders and import.yaml; see configs/examples/.")
    ],
) -> None:
    """Make records from VASP folders that others ran.

    All that are below the folder are read; one that is cut off or not converged is named, and then
    no record is made.
    """
    from interohm.cli.campaigns import print_records
    from interohm.cli.output import remark
    from interohm.database import Database
    from interohm.workflows.vasp_import import import_folder

    records, calculations = import_folder(folder)
    with Database.open(write=True) as database:
        for calculation in calculations:
            database.save_calculation(calculation.model_dump())
        for record in records:
            database.save_material(record)
        remark(f"{len(records)} records of {len(calculations)} calculations in {database.location}")
    print_records(records)
