"""`interohm run`: calculate the phases of a campaign."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

RUN_EXAMPLE = "Example: interohm run my-campaign.yaml --dry-run"


def run(
    config: Annotated[Path, typer.Argument(help="The campaign in YAML; see configs/examples/.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List the calculations and start none.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Calculations at once; default: one a core.")
    ] = None,
) -> None:
    """Calculate the phases of a campaign.

    What is in the database is not calculated again, so that an interrupted campaign goes on.
    """
    from interohm.database import Database
    from interohm.workflows import campaign

    loaded = campaign.load_campaign(config)
    if dry_run:
        with Database.open() as database:
            _print_plan(campaign.dry_run(loaded, database))
        return
    from interohm.cli.output import remark
    from interohm.workflows.local import run_campaign

    with Database.open(write=True) as database:
        materials = run_campaign(loaded, database, workers=workers)
        for name in materials:
            remark(f"{name}: record saved in {database.location}")


def _print_plan(rows: Sequence[Mapping[str, Any]]) -> None:
    from interohm.cli.output import console, table

    if not rows:
        return
    made = table(*rows[0])
    for row in rows:
        made.add_row(*(str(value) for value in row.values()))
    console().print(made)
