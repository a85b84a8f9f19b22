"""`interohm submit`, `status` and `rerun`: campaigns on a cluster, through FireWorks."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from interohm.workflows.queue_state import QueuedJob
    from interohm.workflows.submission import PhasePlan

SUBMIT_EXAMPLE = "Example: interohm submit my-campaign.yaml --dry-run"
STATUS_EXAMPLE = "Example: interohm status my-campaign"
RERUN_EXAMPLE = "Example: interohm rerun --lost-after 3600"

_Campaign = Annotated[str | None, typer.Argument(help="Only of the campaign of this name.")]


def submit(
    config: Annotated[Path, typer.Argument(help="A campaign or a screening in YAML.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List the calculations with their core-hours.")
    ] = False,
    parts: Annotated[
        int,
        typer.Option(min=1, max=10_000, help="Jobs among which a screening's cells are divided."),
    ] = 8,
) -> None:
    """Put a campaign or a screening into the queue of a cluster.

    One FireWorks workflow for each phase goes into the launchpad of my_launchpad.yaml; what waits
    or runs there already, or is in the database, is left alone. `qlaunch` then submits the jobs to
    the batch system.
    """
    from interohm.cli.campaigns import errors_of, warn_of_windows
    from interohm.cli.output import console, remark, table
    from interohm.database import Database
    from interohm.workflows import submission
    from interohm.workflows.campaign import load_campaign, plan_remarks, structure_remarks
    from interohm.workflows.context import require_server
    from interohm.workflows.launchpad import open_launchpad
    from interohm.yaml_io import load_yaml

    if "electrolytes" in load_yaml(config):
        campaign, plans = _screening(config, parts, dry_run=dry_run)
    else:
        if not dry_run:
            require_server()  # its workers save calculations; a screening's share files alone
        loaded = load_campaign(config)
        campaign = loaded.name
        with Database.open() as database, errors_of(config):
            plans = submission.plan_phases(loaded, database)
            remarks = plan_remarks([plan.flow for plan in plans])
            for line in [*structure_remarks(loaded), *remarks]:
                remark(line)
            warn_of_windows(loaded, database)
        if dry_run:
            _print_plans(plans)
    if dry_run:
        return
    with open_launchpad() as launchpad:
        submissions = submission.submit(campaign, plans, launchpad)
    made = table("phase", "outcome", "jobs#")
    for one in submissions:
        made.add_row(one.phase, one.outcome, str(one.jobs))
    console().print(made)
    outcomes = Counter(one.outcome for one in submissions)
    if outcomes["added"]:
        remark("`qlaunch rapidfire` submits them to the batch system; `interohm status` shows them")
    if outcomes["failed"]:
        remark("failed before: `interohm status` says why, `interohm rerun` tries again")


def status(
    campaign: _Campaign = None,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON list of jobs.")] = False,
) -> None:
    """Show what waits, runs, failed and why.

    The jobs of all submitted campaigns, from the launchpad of my_launchpad.yaml.
    """
    from interohm.cli.output import console, print_json, remark
    from interohm.workflows.launchpad import open_launchpad
    from interohm.workflows.queue_state import queued_jobs

    with open_launchpad() as launchpad:
        jobs = queued_jobs(launchpad, campaign=campaign)
    if as_json:
        print_json([asdict(job) for job in jobs])
        return
    if not jobs:
        remark("nothing was submitted to this launchpad")
        return
    out = console()
    out.print(_phases(jobs))
    for title, states in (("running", ("runs", "queued")), ("failed", ("failed", "lost"))):
        if chosen := [job for job in jobs if job.state in states]:
            out.print(_jobs(title, chosen))


def rerun(
    campaign: _Campaign = None,
    lost_after: Annotated[
        float | None,
        typer.Option(
            min=0,
            metavar="SECONDS",
            help="Silence after which a running job counts as lost; default: FireWorks' "
            "RUN_EXPIRATION_SECS.",
        ),
    ] = None,
) -> None:
    """Make failed and lost jobs ready again.

    Their calculations go on from their checkpoints, and what is in the database is not calculated
    again.
    """
    from interohm.cli.output import console
    from interohm.workflows import queue_state
    from interohm.workflows.launchpad import open_launchpad

    with open_launchpad() as launchpad:
        begun = queue_state.rerun(launchpad, campaign=campaign, lost_after_s=lost_after)
    console().print(f"{len(begun)} jobs ready again")


def _screening(config: Path, parts: int, *, dry_run: bool) -> tuple[str, list[PhasePlan]]:
    from interohm.cli.output import print_line
    from interohm.database import Database
    from interohm.screening.candidates import find_records
    from interohm.screening.config import load_screen
    from interohm.screening.jobs import keep_asked, screening_flow
    from interohm.screening.screening import Screening, screening_folder
    from interohm.settings import load_settings
    from interohm.workflows.submission import PhasePlan

    described = load_screen(config)
    with Database.open() as database:
        records = find_records(described, database, relative_to=config.parent, where=str(config))
    folder = screening_folder(described, records, load_settings().data / "screens")
    screening = Screening(described, records, folder, where=str(config))
    # before anything is made: a condition that cannot be asked is said first
    assert screening.question
    if dry_run:
        cells = math.prod(len(names) for names in screening.names.values())
        states = len(screening.conditions)
        print_line(f"{cells} cells under {states} conditions in {parts} parts, none submitted")
    else:
        keep_asked(screening)
    flow = screening_flow(screening, parts)
    done = (folder / "screening.json").is_file()
    return described.name, [PhasePlan("screening", flow, [], folder.name, done)]


def _print_plans(plans: Sequence[PhasePlan]) -> None:
    from interohm.cli.output import console, table
    from interohm.workflows.cost import core_seconds
    from interohm.workflows.equivalents import Requests

    made = table("calculation", "kind", "atoms#", "electrons#", "found", "core-hours, about#")
    seen = Requests()
    count, total = 0, 0.0
    for plan in plans:
        for calculation in plan.calculations:
            if seen.first_of(calculation.request) is not calculation.request:
                continue
            count += 1
            hours = 0.0 if calculation.found else core_seconds(calculation) / 3600
            total += hours
            made.add_row(
                calculation.label,
                calculation.kind,
                str(calculation.atoms),
                str(calculation.electrons),
                "yes" if calculation.found else "no",
                "" if calculation.found else f"{hours:.2g}",
            )
    out = console()
    out.print(made)
    out.print(
        f"{count} calculations, about {total:.2g} core-hours (mostly within a factor of three, "
        "on one core of a desktop processor), none submitted"
    )


def _phases(jobs: Sequence[QueuedJob]) -> Table:
    from interohm.cli.output import table

    states = ("waits", "ready", "queued", "runs", "done", "failed", "lost", "paused")
    shown = [state for state in states if any(job.state == state for job in jobs)]
    made = table("campaign", "phase", *(f"{state}#" for state in shown), "run time#")
    counts: dict[tuple[str, str], list[QueuedJob]] = {}
    for job in jobs:
        counts.setdefault((job.campaign, job.phase), []).append(job)
    for (campaign, phase), own in counts.items():
        numbers = Counter(job.state for job in own)
        columns = (str(numbers[state] or "") for state in shown)
        made.add_row(campaign, phase, *columns, _clock(sum(job.seconds for job in own)))
    return made


def _jobs(title: str, jobs: Sequence[QueuedJob]) -> Table:
    from interohm.cli.output import table

    made = table("job", "state", "since (UTC)", "run time#", "tries#", "where", title=title)
    for job in jobs:
        since = (job.since or "").removesuffix("+00:00").replace("T", " ")
        where = job.reason or f"{job.host}:{job.folder}"
        made.add_row(job.name, job.state, since, _clock(job.seconds), str(job.tries), where)
    return made


def _clock(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
