"""`interohm dynamics`: a cell in time."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from interohm.cli.predictions import Json, Report, check, check_outputs
from interohm.cli.saving import WAIT_S, Save, Wait, saving

DYNAMICS_EXAMPLE = (
    "Example: interohm dynamics my-cell.yaml --c-rate 2 --cut-off 3.6 --report discharge.html   "
    "A step: interohm dynamics my-cell.yaml --soc 0.5 --potential-step -0.01"
)


def dynamics(
    config: Annotated[Path, typer.Argument(help="The cell in YAML; see configs/examples/.")],
    c_rate: Annotated[
        float,
        typer.Option(
            metavar="C", help="C-rate: 1 passes the capacity in one hour, 2 in half an hour."
        ),
    ] = 1.0,
    charge: Annotated[
        bool, typer.Option("--charge", help="Charge the cell instead of discharging it.")
    ] = False,
    cut_off: Annotated[
        float | None,
        typer.Option("--cut-off", metavar="V", help="Voltage at which the run ends."),
    ] = None,
    potential_step: Annotated[
        float | None,
        typer.Option(
            metavar="V",
            help="Step the cell's voltage by this amount and show how the space charges follow, "
            "instead of a run at constant current.",
        ),
    ] = None,
    temperature_step: Annotated[
        float | None,
        typer.Option(metavar="K", help="Step the temperature instead, at open circuit."),
    ] = None,
    soc: Annotated[
        float | None,
        typer.Option(
            metavar="0…1",
            help="State of charge of a step; 0 is discharged. Default: the middle one of the "
            "cell's.",
        ),
    ] = None,
    temperature: Annotated[
        float | None,
        typer.Option(metavar="K", help="Temperature in kelvin, instead of the cell's."),
    ] = None,
    samples: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=0,
            help="Samples of the uncertainties (default: 100). 0 computes the nominal run only, "
            "which is faster. A step is always nominal.",
        ),
    ] = None,
    save: Save = False,
    wait: Wait = WAIT_S,
    as_json: Json = False,
    report: Report = None,
    figure: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw the run for print: .pdf, .png or .svg."),
    ] = None,
) -> None:
    """Predict a cell in time.

    A discharge or charge at constant current: the voltage, and the overpotentials of layers, space
    charges, charge transfer and diffusion in the electrodes. With a step of the potential or the
    temperature: how the space charges form, from the full equations of ions and potential.
    """
    from interohm.cli.named_materials import assumed_inputs, find_layer_materials, known_interfaces
    from interohm.cli.output import print_json, progress_bar, remark
    from interohm.prediction.dynamics import DEFAULT_SAMPLES, chosen_step, dynamics_result, steps
    from interohm.prediction.impedance import at_conditions
    from interohm.records.cell_config import StateOfCharge, Temperature, load_cell

    check_outputs(report, figure)
    step, by = chosen_step(
        potential_step, temperature_step, soc, ("--potential-step", "--temperature-step", "--soc")
    )
    if soc is not None:
        check(soc, StateOfCharge, "--soc")
    if temperature is not None:
        check(temperature, Temperature, "--temperature")
    described = at_conditions(load_cell(config), soc, temperature)
    materials, notes = find_layer_materials(described, config)
    drawn = DEFAULT_SAMPLES if samples is None else samples
    with saving(save, wait) as opened:
        with progress_bar("solved states", steps(step, drawn)) as advance:
            result = dynamics_result(
                described,
                materials,
                c_rate=c_rate,
                direction="charge" if charge else "discharge",
                cut_off_V=cut_off,
                step=step,
                by=by,
                samples=drawn,
                interfaces=known_interfaces(),
                where=str(config),
                progress=advance,
            )
        for text in result.remarks:
            remark(text)
        if as_json:
            print_json(result.document())
        else:
            from interohm.cli.dynamics_tables import print_dynamics

            print_dynamics(result, assumed_inputs(materials))
        if report is not None:
            from interohm.report.dynamics import write_dynamics_report

            write_dynamics_report(
                report, described, materials, result, remarks=[*notes, *result.remarks]
            )
            remark(f"report: {report}")
        if figure is not None:
            from interohm.report.dynamics_figure import write_dynamics_figure

            write_dynamics_figure(figure, result)
            remark(f"figure: {figure}")
        if save:
            database = opened()
            database.save_dynamics(result)
            remark(f"saved in {database.location}, collection dynamics")
