"""`interohm submit`, `status` and `rerun`: campaigns in FireWorks' or jobflow-remote's queue."""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from interohm.errors import InputError

from .campaigns import LISTED_PHASES, core_hours, sums_by_kind
from .init_cluster import Manager, ManagerOption

if TYPE_CHECKING:
    from rich.table import Table

    from interohm.workflows.campaign import Plan
    from interohm.workflows.queue_state import QueuedJob
    from interohm.workflows.submission import PhasePlan, Submission

SUBMIT_EXAMPLE = "Example: interohm submit my-campaign.yaml --dry-run"
STATUS_EXAMPLE = "Example: interohm status my-campaign"
RERUN_EXAMPLE = "Example: interohm rerun --lost-after 3600"

_STATES = ("waits", "ready", "queued", "runs", "done", "failed", "lost", "paused")

#: What to do after submitting, and what a queue is called.
_SUBMITTED_BY = {
    Manager.fireworks: "`qlaunch rapidfire`",
    Manager.jobflow_remote: "jobflow-remote's runner (`jf runner start`)",
}
_LISTS_FLOWS = {Manager.fireworks: "lpad get_wflows", Manager.jobflow_remote: "jf flow list"}
_QUEUES = {Manager.fireworks: "launchpad", Manager.jobflow_remote: "project"}

#: Running jobs, and phases, that are listed unasked.
_LISTED = LISTED_PHASES

#: Paths and hashes in reasons.
_OWN_PLACE = re.compile(r"/[^\s:)]+|\b[0-9a-f]{12,64}\b")

_Campaign = Annotated[str | None, typer.Argument(help="Name of a campaign; default: all.")]


def submit(
    config: Annotated[Path, typer.Argument(help="A campaign or a screening in YAML.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List the calculations with their core-hours.")
    ] = False,
    parts: Annotated[
        int,
        typer.Option(
            min=1,
            max=10_000,
            help="Number of jobs among which the cells of a screening are divided.",
        ),
    ] = 8,
    list_phases: Annotated[
        bool, typer.Option("--phases", help="List all phases, however many there are.")
    ] = False,
    manager: ManagerOption = Manager.fireworks,
) -> None:
    """Submit a campaign or a screening to the queue of a cluster.

    Adds one workflow per phase to FireWorks' launchpad (my_launchpad.yaml), or one flow to the
    project of jobflow-remote. Phases that are already queued, or in the database, are skipped.
    `qlaunch`, or the runner of jobflow-remote, then submits the jobs to the batch system. The first
    job of a phase plans it: it cuts slabs, places defects and adds the other jobs. --dry-run plans
    all phases on this machine and caches the plans. The identity of a calculation is its hash, or
    `planned` while its starting structure is not calculated yet. For more than twenty phases, only
    totals are shown.
    """
    from interohm.cli.campaigns import errors_of, planned, warn_of_windows
    from interohm.cli.output import console, progress_bar, remark, table
    from interohm.database import Database
    from interohm.workflows import submission
    from interohm.workflows.campaign import load_campaign, structure_remarks
    from interohm.workflows.context import require_server
    from interohm.yaml_io import load_yaml

    if "electrolytes" in load_yaml(config):
        campaign, phases = _screening(config, parts, dry_run=dry_run)
        if dry_run:
            return
    else:
        if not dry_run:
            require_server()  # its workers save calculations; a screening's share files alone
        loaded = load_campaign(config)
        campaign = loaded.name
        with Database.open() as database, errors_of(config):
            if dry_run:
                _print_plans(planned(loaded, database), list_phases=list_phases)
                warn_of_windows(loaded, database)
                return
            with progress_bar("reading", len(loaded.phases)) as show:
                counted = itertools.count(1)
                phases = submission.phases_to_submit(
                    loaded, database, advance=lambda: show(next(counted))
                )
            for line in structure_remarks(loaded):
                remark(line)
            warn_of_windows(loaded, database)
    with progress_bar("submitting", len(phases)) as show:
        submissions = _submit(manager, campaign, phases, show)
    outcomes = Counter(one.outcome for one in submissions)
    if list_phases or len(submissions) <= _LISTED:
        made = table("phase", "outcome", "jobs#")
        for one in submissions:
            made.add_row(one.phase, one.outcome, str(one.jobs))
    else:
        made = table("outcome", "phases#")
        for outcome, number in outcomes.items():
            made.add_row(outcome, str(number))
    console().print(made)
    if outcomes["added"]:
        submitter = _SUBMITTED_BY[manager]
        remark(f"{submitter} submits them to the batch system; `interohm status` shows them")
    if outcomes["failed"]:
        remark("failed before: `interohm status` shows why, `interohm rerun` tries again")


def status(
    campaign: _Campaign = None,
    phases: Annotated[
        bool, typer.Option("--phases", help="List all phases with the states of their jobs.")
    ] = False,
    failed: Annotated[
        bool, typer.Option("--failed", help="List all failed and lost jobs with their folders.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON list of jobs.")] = False,
    manager: ManagerOption = Manager.fireworks,
) -> None:
    """Show which jobs wait, run or failed, and why.

    Counts the jobs of all submitted campaigns, in FireWorks' launchpad or the project of
    jobflow-remote, by state, and shows which run and why jobs failed. Many phases are listed only
    with --phases.
    """
    from interohm.cli.output import console, print_json, remark

    jobs, others = _queued_jobs(manager, campaign)
    if as_json:
        print_json([asdict(job) for job in jobs])
        return
    if others and campaign is None:
        remark(
            f"this {_QUEUES[manager]} has {_counted(others, 'flow')} that `interohm submit` "
            f"did not add; `{_LISTS_FLOWS[manager]}` shows {'it' if others == 1 else 'them'}"
        )
    if not jobs:
        if not others:
            remark(f"nothing was submitted to this {_QUEUES[manager]}")
        return
    out = console()
    out.print(_totals(jobs), highlight=False, soft_wrap=True)
    if phases or len({(job.campaign, job.phase) for job in jobs}) <= _LISTED:
        out.print(_phases(jobs))
    running = [job for job in jobs if job.state in ("runs", "queued")]
    if running:
        out.print(_jobs("running", running[:_LISTED]))
        if len(running) > _LISTED:
            remark(f"and {len(running) - _LISTED} more; `interohm status --json` has all")
    if any(job.waits_for for job in jobs):
        out.print(_waiting(jobs))
    if left := sorted({str(job.waits_for) for job in jobs if job.holder_lost}):
        remark(
            f"nobody calculates {', '.join(left)} any more; a worker that has taken a calculation "
            "since it started takes it over. If none runs and no other job is ready, "
            "`interohm rerun` releases the jobs that wait"
        )
    ended_badly = [job for job in jobs if job.state in ("failed", "lost")]
    if failed and ended_badly:
        out.print(_jobs("failed", ended_badly))
    elif ended_badly:
        out.print(_reasons(ended_badly))
        remark("`interohm status --failed` lists them, `interohm rerun` tries them again")


def rerun(
    campaign: _Campaign = None,
    lost_after: Annotated[
        float | None,
        typer.Option(
            min=0,
            metavar="SECONDS",
            help="Time without a sign of life after which a running job counts as lost; default: "
            "FireWorks' RUN_EXPIRATION_SECS.",
        ),
    ] = None,
    manager: ManagerOption = Manager.fireworks,
) -> None:
    """Rerun failed and lost jobs.

    Their calculations continue from their checkpoints. Calculations that are already in the
    database are not repeated.
    """
    from interohm.cli.output import console

    console().print(f"{_rerun(manager, campaign, lost_after)} jobs ready again")


def _submit(
    manager: Manager, campaign: str, plans: Sequence[PhasePlan], advance: Callable[[int], None]
) -> list[Submission]:
    if manager is Manager.jobflow_remote:
        from interohm.workflows import remote_queue

        with remote_queue.open_project() as project:
            submissions = remote_queue.submit(campaign, plans, project, advance=advance)
    else:
        from interohm.workflows import submission
        from interohm.workflows.launchpad import open_launchpad

        with open_launchpad() as launchpad:
            submissions = submission.submit(campaign, plans, launchpad, advance=advance)
        submission.index_outputs()
    _make_indexes()
    return submissions


def _queued_jobs(manager: Manager, campaign: str | None) -> tuple[list[QueuedJob], int]:
    """Return the jobs of submitted campaigns, and the number of all other flows of the queue."""
    if manager is Manager.jobflow_remote:
        from interohm.workflows import remote_queue

        with remote_queue.open_project() as project:
            jobs = remote_queue.queued_jobs(project, campaign=campaign)
            return jobs, remote_queue.other_flows(project)
    from interohm.workflows.launchpad import open_launchpad
    from interohm.workflows.queue_state import other_workflows, queued_jobs

    with open_launchpad() as launchpad:
        return queued_jobs(launchpad, campaign=campaign), other_workflows(launchpad)


def _rerun(manager: Manager, campaign: str | None, lost_after: float | None) -> int:
    if manager is Manager.jobflow_remote:
        if lost_after is not None:
            raise InputError(
                "jobflow-remote's runner asks the batch system which jobs are lost",
                where="--lost-after",
                fix="leave it out",
            )
        from interohm.workflows import remote_queue

        with remote_queue.open_project() as project:
            return len(remote_queue.rerun(project, campaign=campaign, forget=_forget))
    from interohm.workflows import queue_state
    from interohm.workflows.launchpad import open_launchpad

    with open_launchpad() as launchpad:
        begun = queue_state.rerun(
            launchpad, campaign=campaign, lost_after_s=lost_after, forget=_forget
        )
        return len(begun)


def _forget(jobs: Sequence[str]) -> None:
    """Forget the failures of jobs that are tried again."""
    from interohm.database import Database
    from interohm.settings import load_settings

    if jobs and load_settings().mongodb_uri is not None:
        with Database.open(write=True) as database:
            database.forget_failures(jobs)


def _make_indexes() -> None:
    """Make the indexes of the results: once here, not by each worker."""
    from interohm.database import Database
    from interohm.settings import load_settings

    if load_settings().mongodb_uri is not None:
        with Database.open(write=True) as database:
            database.make_indexes()


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
        states = len(screening.conditions) * len(screening.each_thickness())
        print_line(f"{cells} cells under {states} conditions in {parts} parts, none submitted")
    else:
        keep_asked(screening)
    flow = screening_flow(screening, parts)
    done = (folder / "screening.json").is_file()
    return described.name, [PhasePlan("screening", lambda: flow, folder.name, done)]


def _print_plans(plans: Sequence[Plan], *, list_phases: bool) -> None:
    from interohm.cli.output import console, table
    from interohm.workflows.campaign import once

    calculations = once(plans)
    hours = core_hours(calculations)
    total = sum(hours)
    if list_phases or len(plans) <= _LISTED:
        named = ("calculation", "kind", "atoms#", "electrons#", "found", "core-hours, about#")
        made = table(*named, "identity")
        for one, own in zip(calculations, hours, strict=True):
            made.add_row(
                one.label,
                one.kind,
                str(one.atoms),
                str(one.electrons),
                "yes" if one.found else "no",
                "" if one.found else f"{own:.2g}",
                one.identity,
            )
    else:
        made = sums_by_kind(calculations, hours)
    out = console()
    out.print(made)
    out.print(
        f"{len(calculations)} calculations, about {total:.2g} core-hours (mostly within a factor "
        "of three, on one core of a desktop processor), none submitted"
    )


def _totals(jobs: Sequence[QueuedJob]) -> str:
    """Return one line: how many jobs of how many phases, and in which states."""
    phases = {(job.campaign, job.phase) for job in jobs}
    campaigns = {job.campaign for job in jobs}
    numbers = Counter(job.state for job in jobs)
    states = ", ".join(f"{numbers[state]} {state}" for state in _STATES if numbers[state])
    return (
        f"{_counted(len(jobs), 'job')} of {_counted(len(phases), 'phase')} in "
        f"{_counted(len(campaigns), 'campaign')}: {states}; "
        f"run time {_clock(sum(job.seconds for job in jobs))}"
    )


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _waiting(jobs: Sequence[QueuedJob]) -> Table:
    """Return what jobs wait for that others calculate, the most frequent first."""
    from interohm.cli.output import table

    made = table("waits for", "jobs#", "phases#", "for example", title="another job calculates it")
    grouped: dict[str, list[QueuedJob]] = {}
    for job in jobs:
        if job.waits_for:
            grouped.setdefault(job.waits_for, []).append(job)
    for holder, own in sorted(grouped.items(), key=lambda one: -len(one[1])):
        phases = {(job.campaign, job.phase) for job in own}
        made.add_row(holder, str(len(own)), str(len(phases)), own[0].name)
    return made


def _reasons(jobs: Sequence[QueuedJob]) -> Table:
    """Return the failures by their reasons, the most frequent first."""
    from interohm.cli.output import table

    made = table("reason", "jobs#", "phases#", "for example", title="failed")
    grouped: dict[str, list[QueuedJob]] = {}
    for job in jobs:
        said = "lost: its worker is silent" if job.state == "lost" else str(job.reason)
        # what differs from job to job, as a folder, is no other reason
        grouped.setdefault(_OWN_PLACE.sub("…", said), []).append(job)
    for reason, own in sorted(grouped.items(), key=lambda one: -len(one[1])):
        phases = {(job.campaign, job.phase) for job in own}
        made.add_row(reason, str(len(own)), str(len(phases)), own[0].name)
    return made


def _phases(jobs: Sequence[QueuedJob]) -> Table:
    from interohm.cli.output import table

    shown = [state for state in _STATES if any(job.state == state for job in jobs)]
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
