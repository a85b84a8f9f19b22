"""`interohm schema`: what fields a file or a result has."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

SCHEMA_EXAMPLE = "Example: interohm schema cell > cell.schema.json"


class Schema(StrEnum):
    """What has a JSON schema."""

    record = "record"
    interface = "interface"
    experiment = "experiment"
    cell = "cell"
    campaign = "campaign"
    preset = "preset"
    screen = "screen"
    imports = "import"
    contact_result = "contact-result"
    cell_result = "cell-result"
    screening_result = "screening-result"


def schema(
    of: Annotated[
        Schema,
        typer.Argument(
            help="record, interface, experiment, cell, campaign, preset, screen, import, "
            "contact-result, cell-result or screening-result."
        ),
    ],
) -> None:
    """Print the JSON schema of a file or a result.

    Every field of a record, an interface, an experiment, a cell, a campaign, its preset, a
    screening or an import, with its type and bounds; every field that contact, cell and screen
    print with --json, with its unit.
    """
    from interohm.cli.output import print_json

    if of is Schema.record:
        from interohm.records import MATERIAL

        print_json(MATERIAL.json_schema())
    elif of is Schema.interface:
        from interohm.records.interface import Interface

        print_json(Interface.model_json_schema())
    elif of is Schema.experiment:
        from interohm.records.experiment import Experiment

        print_json(Experiment.model_json_schema())
    elif of is Schema.cell:
        from interohm.records.cell_config import Cell

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
    elif of is Schema.contact_result:
        from interohm.results.contact import ContactResult

        print_json(ContactResult.model_json_schema())
    elif of is Schema.cell_result:
        from interohm.results.cell import CellResult

        print_json(CellResult.model_json_schema())
    elif of is Schema.screening_result:
        from interohm.results.screening import ScreeningResult

        print_json(ScreeningResult.model_json_schema())
    else:
        from interohm.workflows.campaign import CampaignConfig

        print_json(CampaignConfig.model_json_schema())
