"""`interohm run`: calculate the phases of a campaign."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from interohm.database import Database
    from interohm.records import Insulator, Metal, Quantity
    from interohm.records.interface import Interface
    from interohm.workflows.campaign import CampaignConfig, Plan, PlannedCalculation

#: Phases that are listed unasked.
LISTED_PHASES = 20

RUN_EXAMPLE = "Example: interohm run my-campaign.yaml --dry-run"


def run(
    config: Annotated[Path, typer.Argument(help="The campaign in YAML; see configs/examples/.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List the calculations and start none.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Calculations in parallel; default: one per core.")
    ] = None,
    list_phases: Annotated[
        bool,
        typer.Option("--phases", help="With --dry-run: list all phases, however many there are."),
    ] = False,
) -> None:
    """Calculate the phases of a campaign.

    Calculations that are already in the database are not repeated, so the same command continues
    an interrupted campaign. For more than twenty phases, --dry-run shows only totals.
    """
    import warnings

    from interohm.cli.output import console, remark
    from interohm.database import Database
    from interohm.workflows import campaign

    # The phases of a campaign are independent of each other, which jobflow remarks on.
    warnings.filterwarnings("ignore", message="Some jobs are not connected")
    loaded = campaign.load_campaign(config)
    if dry_run:
        with Database.open() as database, errors_of(config):
            plans = planned(loaded, database)
            whole = list_phases or len(plans) <= LISTED_PHASES
            _print_plan(campaign.once(plans), whole=whole)
            for line in [line for plan in plans for line in plan.interface] if whole else []:
                console().print(line, highlight=False, soft_wrap=True)
            warn_of_windows(loaded, database)
        return
    # before a database is made: what cannot be used is said first
    with errors_of(config):
        flow = campaign.campaign_flow(loaded)
        for line in [*campaign.structure_remarks(loaded), *campaign.plan_remarks(flow.jobs)]:
            remark(line)
    if loaded.engine == "vasp" and _only_inputs(loaded):
        return
    from interohm.workflows.local import CampaignError, run_campaign

    # a batch system ends a job by SIGTERM: leave as on Ctrl-C, which stops the calculations
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with Database.open(write=True) as database:
        warn_of_windows(loaded, database)
        try:
            with errors_of(config):
                materials = run_campaign(loaded, database, workers=workers)
        except KeyboardInterrupt:
            remark("stopped; the same command continues from there")
            raise
        except CampaignError as error:
            for name, reason in error.failures.items():
                remark(f"failed: {name}: {reason}")
            remark("finished calculations are kept; the same command continues from there")
            raise typer.Exit(1) from None
        remark(f"records saved in {database.location}")
    for name, material in materials.items():
        if reason := material.provenance.get("phase_diagram", {}).get("no_window"):
            remark(f"{name}: no stability window: {reason}")
    print_records(list(materials.values()))


def planned(config: CampaignConfig, database: Database) -> list[Plan]:
    """Return the plans of a campaign's phases, and say what they leave out and what was mended."""
    import os

    from interohm.cli.output import progress_bar, remark
    from interohm.workflows import campaign

    done = 0
    with progress_bar("planning", len(config.phases)) as show:

        def advance() -> None:
            nonlocal done
            done += 1
            show(done)

        cores = len(os.sched_getaffinity(0))
        plans = campaign.plan_campaign(config, database, processes=cores, advance=advance)
    remarks = [line for plan in plans for line in plan.remarks]
    for line in [*campaign.mended(config, plans), *remarks]:
        remark(line)
    return plans


def warn_of_windows(config: CampaignConfig, database: Database) -> None:
    """Report which phases will have no stability window, because an element's energy is missing."""
    from interohm.cli.output import remark
    from interohm.workflows.reference_elements import missing_elements

    for name, elements in missing_elements(config, database).items():
        remark(
            f"{name}: no stability window can be computed without the energy of "
            f"{' and '.join(elements)}; name it in phase_diagram, among molecules (as F2) or "
            "competing"
        )


@contextmanager
def errors_of(config: Path) -> Iterator[None]:
    """Name the campaign's file in errors that name one of its fields."""
    from interohm.errors import InputError

    fields = ("engine", "preset", "facet", "phases", "metal_structure", "structure")
    try:
        yield
    except InputError as error:
        if error.where is None or not error.where.startswith(fields):
            raise
        raise InputError(error.what, where=f"{config}: {error.where}", fix=error.fix) from None


def _only_inputs(config: CampaignConfig) -> bool:
    """Write VASP's inputs if there is no VASP here; False if there is, or nothing to calculate."""
    from interohm.cli.output import remark
    from interohm.database import Database
    from interohm.workflows.engines.vasp import VaspEngine
    from interohm.workflows.vasp_campaign import PLAN, write_campaign_inputs

    missing = VaspEngine().missing_program()
    if missing is None:
        return False
    folder = Path(f"{config.name}-inputs")
    with Database.open() as database:
        written = write_campaign_inputs(config, database, folder)
        if written:
            warn_of_windows(config, database)
    if not written:
        return False
    remark(f"{missing.what}; to run it here: {missing.fix}")
    remark(f"inputs of {len(written)} calculations written to {folder} ({PLAN} lists them)")
    remark("nothing was submitted; steps after a relaxation have its initial structure")
    return True


def core_hours(calculations: Sequence[PlannedCalculation]) -> list[float]:
    """Return about how long each calculation takes: nothing where it is in the database."""
    from interohm.workflows.cost import core_seconds

    return [0.0 if one.found else core_seconds(one) / 3600 for one in calculations]


def sums_by_kind(calculations: Sequence[PlannedCalculation], hours: Sequence[float]) -> Table:
    """Return a table of the numbers of calculations of each kind, and of their core-hours."""
    from interohm.cli.output import table

    made = table("kind", "calculations#", "found#", "core-hours, about#")
    for kind in dict.fromkeys(one.kind for one in calculations):
        of_kind = [index for index, one in enumerate(calculations) if one.kind == kind]
        made.add_row(
            kind,
            str(len(of_kind)),
            str(sum(calculations[index].found for index in of_kind)),
            f"{sum(hours[index] for index in of_kind):.2g}",
        )
    return made


def _print_plan(calculations: Sequence[PlannedCalculation], *, whole: bool) -> None:
    from interohm.cli.output import console

    out = console()
    if whole:
        out.print(_all_calculations(calculations))
    else:
        out.print(sums_by_kind(calculations, core_hours(calculations)))
    found = sum(calculation.found for calculation in calculations)
    out.print(f"{len(calculations)} calculations, {found} of them found, none started")


def _all_calculations(calculations: Sequence[PlannedCalculation]) -> Table:
    from interohm.cli.output import table

    named = ("calculation", "kind", "charge#", "atoms#", "electrons#", "k-points", "found")
    made = table(*named, "identity")
    for calculation in calculations:
        made.add_row(
            calculation.label,
            calculation.kind,
            f"{calculation.charge:+d}" if calculation.charge else "0",
            str(calculation.atoms),
            str(calculation.electrons),
            " × ".join(map(str, calculation.kpoints)),
            "yes" if calculation.found else "no",
            calculation.identity,
        )
    return made


def print_records(materials: Sequence[Insulator | Metal | Interface]) -> None:
    """Print the calculated numbers of records."""
    from interohm.cli.output import console, table
    from interohm.records.interface import Interface
    from interohm.records.uncertainty import quantities

    made = table("record", "quantity", "value#", "± #")
    for material in materials:
        made.add_section()
        for field, quantity in quantities(material):
            if not quantity.assumed:
                made.add_row(material.name, field, f"{quantity.value:.5g}", _error(quantity))
        for error in () if isinstance(material, Interface) else material.shared_errors:
            named = f"shared_errors[{error.name}], in addition to those above"
            made.add_row(material.name, named, "", f"{error.uncertainty_eV:.2g}")
    console().print(made)


def _error(quantity: Quantity) -> str:
    return "" if quantity.uncertainty is None else f"{quantity.uncertainty:.2g}"
