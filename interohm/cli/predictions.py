"""`interohm contact` and `interohm cell`: what the records predict."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from interohm.cli.saving import WAIT_S, Save, Wait, saving

CONTACT_EXAMPLE = "Example: interohm contact Li LLZO --temperature 350"
CELL_EXAMPLE = "Example: interohm cell my-cell.yaml --report my-cell.html"

Samples = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=0,
        help="Samples of the uncertainties (default: 2000). 0 is faster, without intervals.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object, profiles included.")]
Report = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write a report to this HTML file.")
]
Figure = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Draw the band diagram for print: .pdf, .png or .svg."),
]


def contact(
    left: Annotated[str, typer.Argument(metavar="A", help="A record's name, or a path to YAML.")],
    right: Annotated[str, typer.Argument(metavar="B", help="The phase to the right of A.")],
    temperature: Annotated[float, typer.Option(metavar="K", help="Temperature in kelvin.")] = 300.0,
    soc: Annotated[
        float, typer.Option(metavar="0…1", help="State of charge; 0 is discharged.")
    ] = 0.0,
    thickness_nm: Annotated[
        float | None,
        typer.Option(
            metavar="NM",
            help="Thickness of the right insulator (else the left); default: infinite.",
        ),
    ] = None,
    barrier_eV: Annotated[
        float | None,
        typer.Option(
            "--barrier-eV",
            metavar="EV",
            help="Barrier of the ion's hop across the contact, if known.",
        ),
    ] = None,
    coating: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME:NM",
            help="A layer between the two and its thickness: LiNbO3:5. Repeat for more layers.",
        ),
    ] = None,
    samples: Samples = None,
    save: Save = False,
    wait: Wait = WAIT_S,
    as_json: Json = False,
    report: Report = None,
    figure: Figure = None,
) -> None:
    """Predict the contact of two phases.

    Prints potential drop, space charge, capacitance, and the resistance with its parts. With
    --coating: the resistance with its parts, barriers for electrons and holes, and whether each
    contact is within its windows.
    """
    from interohm.cli.named_materials import assumed_inputs, find_materials, known_interfaces
    from interohm.cli.output import print_json, remark
    from interohm.prediction.contact import contact_result
    from interohm.prediction.contact_stability import without_window
    from interohm.prediction.sampling import DEFAULT_SAMPLES
    from interohm.records import BarrierEnergy, Quantity
    from interohm.records.cell_config import Contact, StateOfCharge, Temperature, Thickness
    from interohm.results.design import windows_unknown_text

    check_outputs(report, figure)
    check(temperature, Temperature, "--temperature")
    check(soc, StateOfCharge, "--soc")
    if thickness_nm is not None:
        check(thickness_nm, Thickness, "--thickness-nm")
    given = Contact()
    if barrier_eV is not None:
        check(barrier_eV, BarrierEnergy, "--barrier-eV")
        given = Contact(barrier_eV=Quantity(value=barrier_eV))
    if coating:
        from interohm.cli.coated import coated_contact

        given_too = {
            "--thickness-nm": thickness_nm is not None,
            "--barrier-eV": barrier_eV is not None,
            "--report": report is not None,
            "--figure": figure is not None,
            "--save": save,
        }
        coated_contact(
            left,
            coating,
            right,
            temperature_K=temperature,
            state_of_charge=soc,
            samples=samples,
            as_json=as_json,
            refused=[name for name, is_given in given_too.items() if is_given],
        )
        return
    materials, notes = find_materials([left, right])
    with saving(save, wait) as opened:
        result = contact_result(
            *materials,
            temperature_K=temperature,
            state_of_charge=soc,
            thickness_nm=thickness_nm,
            samples=DEFAULT_SAMPLES if samples is None else samples,
            contact=given,
            interfaces=known_interfaces(),
        )
        no_window = without_window(materials) if result.outside_of_model is None else []
        if no_window:
            notes = [*notes, windows_unknown_text(no_window)]
        if as_json:
            print_json(result.document())
        else:
            from interohm.cli.tables import print_contact

            print_contact(
                result,
                assumed_inputs(materials),
                has_charge=any(one.has_state_of_charge for one in materials),
                no_window=no_window,
            )
        if report is not None:
            from interohm.report import write_contact_report

            write_contact_report(report, materials, result, remarks=notes)
            remark(f"report: {report}")
        if figure is not None:
            from interohm.report.figures import write_contact_figure

            write_contact_figure(figure, result)
            remark(f"figure: {figure}")
        if save:
            database = opened()
            database.save_contact(result)
            remark(f"saved in {database.location}, collection contacts")


def cell(
    config: Annotated[Path, typer.Argument(help="The cell in YAML; see configs/examples/.")],
    samples: Samples = None,
    save: Save = False,
    wait: Wait = WAIT_S,
    as_json: Json = False,
    report: Report = None,
    figure: Figure = None,
    measured_map: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Compare with a measured potential map: a table with a heading like x_nm,cpd_V.",
        ),
    ] = None,
) -> None:
    """Predict a cell over its state of charge.

    Prints open-circuit voltage, area-specific resistance, and every contact.
    """
    from interohm.cli.named_materials import assumed_inputs, find_layer_materials, known_interfaces
    from interohm.cli.output import print_json, progress_bar, remark
    from interohm.prediction.cell import cell_result, steps
    from interohm.prediction.sampling import DEFAULT_SAMPLES
    from interohm.records.cell_config import load_cell

    check_outputs(report, figure)
    described = load_cell(config)
    materials, notes = find_layer_materials(described, config)
    measured = None
    if measured_map is not None:
        from interohm.prediction.kpfm import load_measured_map

        measured = load_measured_map(measured_map)
    with saving(save, wait) as opened:
        with progress_bar("states of charge, and their samples", steps(described)) as advance:
            result = cell_result(
                described,
                materials,
                samples=DEFAULT_SAMPLES if samples is None else samples,
                interfaces=known_interfaces(),
                measured=measured,
                where=str(config),
                progress=advance,
            )
        notes = [*notes, *result.remarks]
        for text in result.remarks:
            remark(text)
        if measured is not None:
            misfits = [
                (state.measured_map.rms_V, state.state_of_charge)
                for state in result.states
                if state.measured_map is not None
            ]
            misfit, charge = min(misfits)
            remark(
                f"measured map: closest at state of charge {charge:g}, "
                f"misfit {misfit:.3g} V (root mean square)"
            )
        if as_json:
            print_json(result.document())
        else:
            from interohm.cli.tables import print_cell

            print_cell(result, assumed_inputs(materials))
        if report is not None:
            from interohm.report import write_report

            write_report(report, described, materials, result, remarks=notes)
            remark(f"report: {report}")
        if figure is not None:
            from interohm.report.figures import write_cell_figure

            write_cell_figure(figure, result)
            remark(f"figure: {figure}")
        if save:
            database = opened()
            database.save_cell(result)
            remark(f"saved in {database.location}, collection cells")


def check_outputs(report: Path | None, figure: Path | None) -> None:
    """Refuse files that cannot be written before anything is computed for them."""
    if report is not None:
        from interohm.yaml_io import check_output_path

        check_output_path(report)
    if figure is not None:
        from interohm.report.figures import check_figure

        check_figure(figure)


def check(value: float, kind: Any, option: str) -> None:
    """Refuse a value that is out of the bounds of a field."""
    from pydantic import TypeAdapter

    from interohm.yaml_io import validated_as

    validated_as(TypeAdapter(kind), value, where=option)
