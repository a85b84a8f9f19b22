"""`interohm doctor` and `interohm schema`: what works here, and what fields there are."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

DOCTOR_EXAMPLE = "Example: interohm doctor"
SCHEMA_EXAMPLE = "Example: interohm schema cell > cell.schema.json"


class Schema(StrEnum):
    """What has a JSON schema."""

    record = "record"
    cell = "cell"
    campaign = "campaign"
    preset = "preset"
    screen = "screen"
    imports = "import"


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Check engines, database and queue.

    What works, what is missing and how to get it.
    """
    from interohm.cli.output import console, print_json, table
    from interohm.doctor import examine

    checks = examine()
    if as_json:
        print_json({"checks": [check._asdict() for check in checks]})
    else:
        made = table("", "part", "found", "to get it")
        for check in checks:
            made.add_row(check.status, check.part, check.found, check.fix)
        console().print(made)
    if any(check.status == "broken" for check in checks):
        raise typer.Exit(1)


def schema(
    of: Annotated[Schema, typer.Argument(help="record, cell, campaign, preset, screen or import.")],
) -> None:
    """Print the JSON schema of a file.

    Every field of a record, a cell, a campaign, its preset, a screening or an import, with its type
    and bounds.
    """
    from interohm.cli.output import print_json

    if of is Schema.record:
        from interohm.records import MATERIAL

        print_json(MATERIAL.json_schema())
    elif of is Schema.cell:
        from interohm.cell_config import Cell

        print_json(Cell.model_json_schema())
    elif of is Schema.screen:
        from interohm.screening.config import ScreenConfig

        print_json(ScreenConfig.model_json_schema())
    elif of is Schema.preset:
        from interohm.workflows.presets import PRESET

        print_json(PRESET.json_schema())
    elif of is Schema.imports:
        from interohm.workflows.vasp_import_config import ImportConfig

        print_json(ImportConfig.model_json_schema())
    else:
        from interohm.workflows.campaign import CampaignConfig

        print_json(CampaignConfig.model_json_schema())
