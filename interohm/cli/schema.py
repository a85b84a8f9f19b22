"""`interohm schema`: what fields a file or a result has."""

from __future__ import annotations

from enum import StrEnum
from importlib import import_module
from typing import Annotated, Any

import typer

SCHEMA_EXAMPLE = "Example: interohm schema cell > cell.schema.json"


class Schema(StrEnum):
    """Files and results that have a JSON schema."""

    record = "record"
    interface = "interface"
    experiment = "experiment"
    cell = "cell"
    campaign = "campaign"
    preset = "preset"
    screen = "screen"
    design = "design"
    imports = "import"
    contact_result = "contact-result"
    coated_contact_result = "coated-contact-result"
    cell_result = "cell-result"
    impedance_result = "impedance-result"
    dynamics_result = "dynamics-result"
    measured_impedance_result = "measured-impedance-result"
    screening_result = "screening-result"
    design_result = "design-result"
    kpfm_result = "kpfm-result"


#: Where each is described: a module and its name there.
_HOMES = {
    Schema.record: ("interohm.records", "MATERIAL"),
    Schema.interface: ("interohm.records.interface", "Interface"),
    Schema.experiment: ("interohm.records.experiment", "Experiment"),
    Schema.cell: ("interohm.records.cell_config", "Cell"),
    Schema.campaign: ("interohm.workflows.campaign", "CampaignConfig"),
    Schema.preset: ("interohm.workflows.presets", "PRESET"),
    Schema.screen: ("interohm.screening.config", "ScreenConfig"),
    Schema.design: ("interohm.records.design", "Design"),
    Schema.imports: ("interohm.workflows.vasp_import_config", "ImportConfig"),
    Schema.contact_result: ("interohm.results.contact", "ContactResult"),
    Schema.coated_contact_result: ("interohm.results.coated_contact", "CoatedContactResult"),
    Schema.cell_result: ("interohm.results.cell", "CellResult"),
    Schema.impedance_result: ("interohm.results.impedance", "ImpedanceResult"),
    Schema.dynamics_result: ("interohm.results.dynamics", "DynamicsResult"),
    Schema.measured_impedance_result: (
        "interohm.results.measured_impedance",
        "MeasuredImpedanceResult",
    ),
    Schema.screening_result: ("interohm.results.screening", "ScreeningResult"),
    Schema.design_result: ("interohm.results.design", "DesignResult"),
    Schema.kpfm_result: ("interohm.results.kpfm", "KpfmResult"),
}


def schema(
    of: Annotated[
        Schema,
        typer.Argument(
            help="record, interface, experiment, cell, campaign, preset, screen, design, import, "
            "contact-result, coated-contact-result, cell-result, impedance-result, "
            "dynamics-result, measured-impedance-result, screening-result, design-result or "
            "kpfm-result."
        ),
    ],
) -> None:
    """Print the JSON schema of a file or a result.

    Describes every field of a record, an interface, an experiment, a cell, a campaign, its preset,
    a screening, a design or an import, with its type and bounds, and every field that contact,
    cell, impedance, dynamics, screen, design and kpfm print with --json, with its unit.
    """
    from interohm.cli.output import print_json

    print_json(json_schema(of))


def json_schema(of: Schema) -> dict[str, Any]:
    """Return the JSON schema of a file or a result."""
    from pydantic import TypeAdapter

    from interohm.cli.field_meanings import DocumentedSchema

    module, name = _HOMES[of]
    described = getattr(import_module(module), name)
    if isinstance(described, TypeAdapter):
        return described.json_schema(schema_generator=DocumentedSchema)
    schema: dict[str, Any] = described.model_json_schema(schema_generator=DocumentedSchema)
    return schema
