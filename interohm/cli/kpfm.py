"""`interohm kpfm`: a measured potential map beside a cell's model, and what it says of records."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from interohm.results.kpfm import KpfmResult

KPFM_EXAMPLE = (
    "Example: interohm kpfm map.csv --cell cell.yaml --resolution-nm 30 --report map.html"
)


def kpfm(
    measured_map: Annotated[
        Path,
        typer.Argument(
            metavar="MAP",
            help="Table with a heading like x_nm,cpd_V,uncertainty_V or x_um,work_function_eV.",
        ),
    ],
    cell: Annotated[
        Path, typer.Option("--cell", metavar="FILE", help="The cell in YAML, with its collectors.")
    ],
    resolution_nm: Annotated[
        float,
        typer.Option(
            "--resolution-nm",
            metavar="NM",
            min=0.0,
            help="Resolution of the tip: full width at half maximum.",
        ),
    ] = 0.0,
    shift_nm: Annotated[
        float | None,
        typer.Option(
            "--shift-nm",
            metavar="NM",
            min=0.0,
            help="Largest shift of the map, either way; default: a twentieth of the cell.",
        ),
    ] = None,
    soc: Annotated[
        float | None,
        typer.Option(
            metavar="0…1", help="State of charge of the map; default: that of the best fit."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a report to this HTML file.")
    ] = None,
    figure: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw map and model for print: .pdf, .png or .svg."),
    ] = None,
    profile: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the model's profile to this CSV file."),
    ] = None,
    update: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Write new versions of the records that the map changes."
        ),
    ] = None,
) -> None:
    """Fit the model of a cell to a measured potential map.

    Finds the position of the map on the cell and its offset, and what the map implies for work
    functions and neutral potentials. The model is convolved with the resolution of the tip.
    """
    from interohm.cli.named_materials import find_layer_materials, known_interfaces
    from interohm.cli.output import print_json, progress_bar, remark
    from interohm.errors import InputError
    from interohm.prediction.kpfm import load_measured_map
    from interohm.prediction.map_fit import fit_map, updated_records
    from interohm.records import save_material
    from interohm.records.cell_config import load_cell
    from interohm.yaml_io import check_output_path, write_text

    for path in (report, profile):
        if path is not None:
            check_output_path(path)
    if figure is not None:
        from interohm.report.figures import check_figure

        check_figure(figure)
    if update is not None:
        _check_folder(update)
    described = load_cell(cell)
    materials, notes = find_layer_materials(described, cell)
    measured = load_measured_map(measured_map)
    with progress_bar(
        "states of charge, and samples", len(described.states_of_charge) + 1
    ) as advance:
        result = fit_map(
            described,
            materials,
            measured,
            resolution_nm=resolution_nm,
            largest_shift_nm=shift_nm,
            state_of_charge=soc,
            interfaces=known_interfaces(),
            where=str(cell),
            progress=advance,
        )
    if as_json:
        print_json(result.document())
    else:
        _print(result)
    if report is not None:
        from interohm.report.kpfm import write_kpfm_report

        write_kpfm_report(report, result, remarks=notes)
        remark(f"report: {report}")
    if figure is not None:
        from interohm.report.kpfm import write_kpfm_figure

        write_kpfm_figure(figure, result)
        remark(f"figure: {figure}")
    if profile is not None:
        rows = zip(result.profile_x_nm, result.profile_cpd_V, strict=True)
        write_text(profile, "x_nm,cpd_V\n" + "".join(f"{x!r},{cpd!r}\n" for x, cpd in rows))
        remark(f"profile: {profile}")
    for doubt in result.doubts:
        remark(f"warning: {doubt}")
    if update is not None and result.doubts:
        raise InputError(
            "no record is updated by a map that is in doubt (see the warnings)",
            where="--update",
            fix="correct the map, or give --shift-nm and --soc",
        )
    if update is not None:
        changed = updated_records(result, materials)
        update.mkdir(parents=True, exist_ok=True)
        for material in changed:
            save_material(material, update / f"{material.name}.yaml")
        written = ", ".join(one.name for one in changed) or "none: the map adds nothing new"
        remark(f"updated records in {update}: {written}")


def _check_folder(folder: Path) -> None:
    from interohm.errors import InputError

    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is not a folder", where="--update", fix="name another")
    if any(folder.glob("*.yaml")):
        raise InputError(
            f"{folder} already has records", where="--update", fix="name an empty folder"
        )


def _print(result: KpfmResult) -> None:
    from interohm.cli.output import console, shown, table
    from interohm.prediction.map_fit import LARGEST_OFFSET_V

    out = console()
    made = table(
        "state of charge#",
        "misfit (V)",
        "shift (nm)",
        "offset (V)",
        title=f"{Path(result.map).name} on {result.cell}: {result.points} points, "
        f"{result.left_out} beyond the cell",
    )
    for state in result.states:
        chosen = " ←" if state.state_of_charge == result.state_of_charge else ""
        bound = " (at its bound)" if state.shift_at_bound else ""
        made.add_row(
            f"{state.state_of_charge:g}{chosen}",
            shown(state.rms_V, 3),
            f"{state.shift_nm:.3g}{bound}",
            f"{state.offset_V:.4g}",
        )
    out.print(made)
    if result.gaps:
        out.print(f"lines that are left out, since a number is missing: {result.gaps}")
    if result.columns:
        out.print(f"columns of the map, as read: {'; '.join(result.columns)}")
    out.print(
        f"bounds: shift ±{result.largest_shift_nm:.3g} nm (--shift-nm), "
        f"offset ±{LARGEST_OFFSET_V:g} V"
    )
    told = [one for one in result.learned if one.learned >= 0.05]
    if told:
        numbers = table(
            "number", "before#", "± #", "after#", "± #", "learned, %", title="Learned from the map"
        )
        for one in told:
            numbers.add_row(
                f"{one.material} {one.field}",
                f"{one.value:.4g}",
                f"{one.uncertainty:.2g}",
                f"{one.updated_value:.4g}",
                f"{one.updated_uncertainty:.2g}",
                f"{100 * one.learned:.0f}",
            )
        out.print(numbers)
    silent = [f"{one.material} {one.field}" for one in result.learned if one.learned < 0.05]
    if silent:
        out.print(f"not determined by this map: {', '.join(silent)}")
    for group in result.together:
        out.print(f"the map determines only combinations of {group}")
