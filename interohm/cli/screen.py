"""`interohm screen`: every negative electrode with every electrolyte and positive electrode."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from interohm.cli.saving import WAIT_S, Wait, saving

if TYPE_CHECKING:
    from interohm.database import Database
    from interohm.results.screening import ScreeningResult
    from interohm.screening.screening import Screening, Stages

SCREEN_EXAMPLE = "Example: interohm screen screen48.yaml --report screen48.html"


def screen(
    config: Annotated[Path, typer.Argument(help="The screening in YAML; see configs/campaigns/.")],
    table: Annotated[
        bool, typer.Option("--table", help="Also write all matching cells to Parquet.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a report to this HTML file.")
    ] = None,
    next_campaign: Annotated[
        Path | None,
        typer.Option(
            "--next",
            metavar="FILE",
            help="Write the most valuable calculations as a campaign for `interohm run`.",
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Threads; default: one per core.")
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(help="Folder for screenings; default: screens in the project folder."),
    ] = None,
    save: Annotated[
        bool,
        typer.Option(
            "--save",
            help="Save the best cells by the first output in the project's database, as predicted "
            "by `interohm cell`.",
        ),
    ] = False,
    wait: Wait = WAIT_S,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Screen sets of electrodes and electrolytes.

    Solves every contact once and builds all cells from them. Shows the best cells, the Pareto
    fronts, and how certain the ranking is. The same command continues an interrupted screening.
    """
    import signal

    from interohm.cli.next_campaign import check_next_campaign, structures_of
    from interohm.cli.output import print_json, remark
    from interohm.extras import install_command, missing_packages
    from interohm.screening.config import load_screen
    from interohm.screening.run import run_screening
    from interohm.screening.screening import open_screening
    from interohm.yaml_io import check_output_path

    if report is not None:
        check_output_path(report)
    if next_campaign is not None:
        check_next_campaign(next_campaign)
    described = load_screen(config)
    screening = open_screening(
        described,
        folder=folder,
        relative_to=config.parent,
        workers=workers,
        table=table,
        where=str(config),
    )
    structures = structures_of(
        described.structures, config, [record.name for record in screening.records.all]
    )

    def tell(result: ScreeningResult, why: str | None = None) -> None:
        """Print and report a result; `why` it is not all."""
        if not as_json:
            from interohm.cli.screen_tables import print_screening

            print_screening(result)
        elif why is None:
            print_json(result.document())
        if report is not None:
            from interohm.report.screening import write_screening_report

            remarks = [] if why is None else [why]
            write_screening_report(report, screening.records.all, result, remarks=remarks)
            remark(f"report: {report}")
        remark(f"screening: {screening.folder}")

    # a batch system ends a job by SIGTERM: leave as on Ctrl-C
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    so_far: list[ScreeningResult] = []
    with saving(save, wait) as opened:
        try:
            with _stages() as stages:
                result = run_screening(screening, stages, finished=so_far.append)
        except KeyboardInterrupt:
            if so_far:
                states = so_far[-1].states
                # temperatures with all of their states of charge, if there are any
                charges = len(described.states_of_charge)
                shown = len(states) // charges * charges or len(states)
                count = len(screening.conditions) * len(described.electrolyte_thickness_nm)
                why = (
                    f"stopped after {shown} of {count} combinations of thickness, temperature and "
                    "state of charge"
                )
                tell(so_far[-1].model_copy(update={"states": states[:shown]}), why)
                remark(why)
            remark("stopped; the same command continues from there")
            raise
        # before cells are saved, which takes longer: what is known is told in any case
        tell(result)
        if save:
            with _stages() as stages:
                _keep(opened(), screening, result, stages)
    if next_campaign is not None:
        from interohm.cli.next_campaign import write_next_campaign

        write_next_campaign(
            next_campaign,
            described.name,
            result.next(),
            {record.name: record for record in screening.records.all},
            structures,
        )
    if missing := missing_packages("parquet"):
        remark(
            f"without contacts.parquet, which needs {' and '.join(missing)}: "
            f"{install_command('parquet')}, then the same command adds it"
        )


def _keep(
    database: Database, screening: Screening, result: ScreeningResult, stages: Stages
) -> None:
    """Predict the best cells whole and their contacts, at all states of charge, and save them.

    Each is saved as it is done. A list in the screening's folder names those of an interrupted
    command: the next one goes on after them.
    """
    from interohm.cli.output import remark
    from interohm.prediction.cell import cell_result
    from interohm.prediction.contact import contact_result
    from interohm.screening.full_solves import cell_of

    config, records = screening.config, screening.records
    electrodes = {
        electrode.label: electrode for electrode in [*records.negatives, *records.positives]
    }
    electrolytes = {record.name: record for record in records.electrolytes}
    best = {
        (
            cell.negative,
            cell.electrolyte,
            cell.positive,
            state.temperature_K,
            state.electrolyte_thickness_nm or result.thickness_nm or config.thickness_nm,
        )
        for state in result.states
        for cell in state.best[config.rank_by[0]]
    }
    advance = stages("cells to save", len(best))
    contacts = set()
    listed = screening.folder / "saved.jsonl"
    before = set(listed.read_text(encoding="utf-8").splitlines()) if listed.exists() else set()
    for saved, one in enumerate(sorted(best)):
        negative, electrolyte, positive, temperature, thickness_nm = one
        described, materials = cell_of(
            config.at_thickness(thickness_nm),
            electrodes[negative],
            electrolytes[electrolyte],
            electrodes[positive],
            temperature,
            config.states_of_charge,
            records.interfaces,
        )
        named = {"cell": described.name, "temperature_K": temperature}
        line = json.dumps([str(database.location), *named.values(), thickness_nm])
        # the folder's name stands for all that the cell depends on
        known = line in before and bool(database.query("cells", named, limit=1))
        try:
            if not known:
                database.save_cell(cell_result(described, materials, interfaces=records.interfaces))
            for left, right in itertools.pairwise(materials):
                for charge in config.states_of_charge:
                    key = (left.name, right.name, temperature, charge)
                    if key not in contacts and not known:
                        database.save_contact(
                            contact_result(
                                left,
                                right,
                                temperature_K=temperature,
                                state_of_charge=charge,
                                interfaces=records.interfaces,
                            )
                        )
                    contacts.add(key)
        except KeyboardInterrupt:
            remark(
                f"stopped: {saved} of {len(best)} cells are saved; the same command continues "
                "from there"
            )
            raise
        if not known:
            with listed.open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")
        advance(1)
    listed.unlink(missing_ok=True)
    remark(f"{len(best)} cells and their {len(contacts)} contacts saved in {database.location}")


@contextmanager
def _stages() -> Iterator[Stages]:
    """Show on standard error what is done, how fast and how long it takes yet."""
    from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
    from rich.progress import TimeRemainingColumn as TimeLeft
    from rich.text import Text

    from interohm.cli.output import console, progress_lines

    class Rate(ProgressColumn):
        """Finished steps of all, and how many a second."""

        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            rate = "" if speed is None else f"  {speed:.2g} per s"
            return Text(f"{task.completed:.3g} of {task.total or 0:.3g}{rate}")

    shown_on = console(stderr=True)
    if not shown_on.is_terminal:
        with progress_lines() as lines:

            def begin_lines(stage: str, total: int) -> Callable[[int], Any]:
                lines.pop(stage, None)  # the last one is told
                lines[stage] = (0, total)

                def advance(more: int) -> None:
                    lines[stage] = (lines[stage][0] + more, total)

                return advance

            yield begin_lines
        return
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        Rate(),
        TimeLeft(),
        console=shown_on,
        transient=True,
    ) as progress:

        def begin(stage: str, total: int) -> Callable[[int], Any]:
            task = progress.add_task(stage, total=total)
            return lambda more: progress.advance(task, more)

        yield begin
