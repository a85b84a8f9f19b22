"""`interohm impedance`: the spectrum that the records of a cell predict."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from interohm.cli.predictions import Json, Report, check, check_outputs
from interohm.cli.saving import WAIT_S, Save, Wait, saving

if TYPE_CHECKING:
    from interohm.arrays import Array

IMPEDANCE_EXAMPLE = (
    "Example: interohm impedance my-cell.yaml --soc 0.5 --frequencies 1e-3:1e7:10 "
    "--report impedance.html   "
    "Measured: interohm impedance my-cell.yaml --soc 0.5 --measured cell.mpt --area-cm2 0.785 "
    "--fit conductivity.value_S_cm --save-records learned"
)

_FREQUENCIES = "1e-3:1e7:10"


def impedance(
    config: Annotated[Path, typer.Argument(help="The cell in YAML; see configs/examples/.")],
    soc: Annotated[
        float | None,
        typer.Option(
            metavar="0…1", help="State of charge; 0 is discharged. Default: all of the cell's."
        ),
    ] = None,
    temperature: Annotated[
        float | None,
        typer.Option(metavar="K", help="Temperature in kelvin, instead of the cell's."),
    ] = None,
    frequencies: Annotated[
        str,
        typer.Option(
            metavar="LOW:HIGH:N", help="Lowest and highest frequency in Hz, and points per decade."
        ),
    ] = _FREQUENCIES,
    samples: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=0,
            help="Samples of the uncertainties of a prediction (default: 2000). 0 computes the "
            "nominal spectrum only, which is faster. Not with --measured.",
        ),
    ] = None,
    measured: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE",
            help="A measured spectrum (.csv, .xlsx, Gamry .DTA, BioLogic .mpt, ZView .z): test it, "
            "and compare it with the prediction. Repeat the option to fit several together, with "
            "their conditions: --measured a.mpt,temperature_K=320,soc=0.5,area_cm2=0.785.",
        ),
    ] = None,
    area_cm2: Annotated[
        float | None,
        typer.Option("--area-cm2", metavar="CM2", help="Area of the measured electrode."),
    ] = None,
    fit: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD",
            help="Fit this number of the records to the measured spectra: RECORD:FIELD, a field's "
            "name, or all.",
        ),
    ] = None,
    save_records: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Write new versions of the records that --fit has changed."
        ),
    ] = None,
    save: Save = False,
    wait: Wait = WAIT_S,
    as_json: Json = False,
    report: Report = None,
    figure: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Draw Nyquist and Bode plots for print: .pdf, .png or .svg."
        ),
    ] = None,
) -> None:
    """Predict the impedance of a cell.

    The linear response of ions, electrons and potentials around the cell's space charges at open
    circuit: the spectrum, its processes with resistance, capacitance and time constant, and the
    equivalent circuit of the model. With --measured, a measured spectrum is tested, and the records
    can be fitted to it.
    """
    if measured or fit or save_records is not None or area_cm2 is not None:
        from interohm.cli.measured_impedance import refuse_for_measured, run

        refuse_for_measured(frequencies=frequencies != _FREQUENCIES, samples=samples is not None)

        run(
            config,
            measured or [],
            area_cm2=area_cm2,
            soc=soc,
            temperature=temperature,
            fit=fit or [],
            save_records=save_records,
            save=save,
            as_json=as_json,
            report=report,
            figure=figure,
        )
        return
    from interohm.cli.named_materials import assumed_inputs, find_layer_materials, known_interfaces
    from interohm.cli.output import print_json, progress_bar, remark
    from interohm.prediction.impedance import (
        at_conditions,
        impedance_result,
        steps,
    )
    from interohm.prediction.sampling import DEFAULT_SAMPLES
    from interohm.records.cell_config import StateOfCharge, Temperature, load_cell

    check_outputs(report, figure)
    frequency_Hz = _frequencies(frequencies)
    if soc is not None:
        check(soc, StateOfCharge, "--soc")
    if temperature is not None:
        check(temperature, Temperature, "--temperature")
    described = at_conditions(load_cell(config), soc, temperature)
    materials, notes = find_layer_materials(described, config)
    with saving(save, wait) as opened:
        with progress_bar("states of charge, and their samples", steps(described)) as advance:
            result = impedance_result(
                described,
                materials,
                frequency_Hz=frequency_Hz,
                samples=DEFAULT_SAMPLES if samples is None else samples,
                interfaces=known_interfaces(),
                where=str(config),
                progress=advance,
            )
        for text in result.remarks:
            remark(text)
        if as_json:
            print_json(result.document())
        else:
            from interohm.cli.impedance_tables import print_impedance

            print_impedance(result, assumed_inputs(materials))
        if report is not None:
            from interohm.report.impedance import write_impedance_report

            write_impedance_report(
                report, described, materials, result, remarks=[*notes, *result.remarks]
            )
            remark(f"report: {report}")
        if figure is not None:
            from interohm.report.impedance_figure import write_impedance_figure

            write_impedance_figure(figure, result)
            remark(f"figure: {figure}")
        if save:
            database = opened()
            database.save_impedance(result)
            remark(f"saved in {database.location}, collection impedances")


def _frequencies(text: str) -> Array:
    from interohm.errors import InputError
    from interohm.prediction.impedance import frequencies_Hz

    try:
        low, high, count = (float(part) for part in text.split(":"))
    except ValueError:
        raise InputError(
            f"{text!r} is not a range of frequencies",
            where="--frequencies",
            fix="give LOW:HIGH:PER_DECADE in Hz, for example 1e-3:1e7:10",
        ) from None
    return frequencies_Hz(low, high, count)
