"""Runs a campaign on this machine: independent calculations side by side, one writer.

Only this process touches database and jobs; a calculation is a process of its own. So a calculation
is started as soon as the jobs before it are done and a worker is free, and the job that stands for
it runs when its result is in the database.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from jobflow import Flow, Job, JobStore, OnMissing, OutputReference

from interohm.database import Database
from interohm.files import open_plain
from interohm.records import Insulator, Metal
from interohm.records.interface import Interface

from .calculations import is_calculation, known_as, request_of
from .campaign import campaign_flow, jobs_in_order, memory_store
from .campaign_config import CampaignConfig, InterfacePhase
from .claim_file import CLAIM, hold, taken
from .claims import Claim, claimed, clean, left_behind
from .context import using
from .display import Display
from .engines import engine_named
from .engines.protocol import CalculationError, Run
from .engines.request import CalculationRequest
from .equivalents import Requests
from .failures import save_failure
from .shared import digest_of
from .steps import CRYSTAL

_POLL_S = 0.2


class CampaignError(RuntimeError):
    """Some phases could not be finished; the others are in the database.

    Parameters
    ----------
    failures : mapping
        Errors by the name of the job.
    """

    def __init__(self, failures: dict[str, str]) -> None:
        self.failures = failures
        super().__init__("; ".join(f"{name}: {reason}" for name, reason in failures.items()))


def run_campaign(
    config: CampaignConfig,
    database: Database,
    *,
    progress: bool = True,
    workers: int | None = None,
) -> dict[str, Insulator | Metal | Interface]:
    """Calculate what the database does not have, and save the records.

    Interrupted and started again, it goes on where it was: finished calculations are found by
    their hash, a half-finished relaxation goes on from its last geometry.

    Parameters
    ----------
    config : CampaignConfig
        The campaign.
    database : Database
        Opened for writing.
    progress : bool
        Show what is running, on standard error.
    workers : int, optional
        Calculations at a time; default: the cores that this process may use.

    Returns
    -------
    dict of str to record or interface
        By the phases' names.

    Raises
    ------
    CampaignError
        When all that could be calculated has been, if a phase is missing.
    InputError
        The configuration cannot be used, or the engine is not there.
    """
    flow = campaign_flow(config)
    workers = workers or len(os.sched_getaffinity(0))
    with using(database), Display.on_standard_error(progress) as display:
        failures = run_flow(flow, database, workers=workers, display=display)
    if failures:
        raise CampaignError(failures)
    records: dict[str, Insulator | Metal | Interface | None] = {
        phase.name: database.interface(phase.name)
        if isinstance(phase, InterfacePhase)
        else database.material(phase.name)
        for phase in config.phases
    }
    return {name: record for name, record in records.items() if record is not None}


def run_flow(flow: Flow, database: Database, *, workers: int, display: Display) -> dict[str, str]:
    """Run a flow of jobs; return the failures by the jobs' names.

    A failed job takes along those that need its output, and no other.
    """
    launcher = _Launcher(shared_first(jobs_in_order(flow)), database, workers, display)
    try:
        launcher.run()
    finally:
        launcher.stop()
    return launcher.failures


def shared_first(jobs: list[tuple[Job, list[str]]]) -> list[tuple[Job, list[str]]]:
    """Return a flow's jobs, those before the others that several of its phases need."""
    calculated: dict[str, str] = {}
    for job, _ in jobs:
        if CRYSTAL in job.metadata:
            given = job.function_args[0]
            of = calculated[given.uuid] if isinstance(given, OutputReference) else digest_of(given)
            calculated[job.uuid] = of + json.dumps(job.function_kwargs, sort_keys=True)
    often = Counter(calculated.values())
    return sorted(jobs, key=lambda one: often[calculated.get(one[0].uuid, "")] < 2)


@dataclass
class _Launcher:
    """The state of one run.

    Jobs are known by their uuids (``done``, ``failed``, ``requests``), calculations by the hash of
    the first request for them (``running`` with the label shown, ``claims`` held meanwhile,
    ``broken`` with the reason, ``absent`` from the database).
    """

    waiting: list[tuple[Job, list[str]]]
    database: Database
    workers: int
    display: Display
    store: JobStore = field(default_factory=memory_store)
    done: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    failures: dict[str, str] = field(default_factory=dict)
    running: dict[str, tuple[str, Run]] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    requests: dict[str, CalculationRequest | None] = field(default_factory=dict)
    claims: dict[str, tuple[Claim, contextlib.ExitStack]] = field(default_factory=dict)
    absent: set[str] = field(default_factory=set)
    seen: Requests = field(default_factory=Requests)

    def run(self) -> None:
        self.display.expect(sum(is_calculation(job) for job, _ in self.waiting))
        while self.waiting or self.running:
            started = [self._advance(job, parents) for job, parents in list(self._ready())]
            self._collect()
            self.display.show({label: run.progress() for label, run in self.running.values()})
            if not any(started):
                self._wait()

    def _wait(self) -> None:
        """Wait a little, or until a calculation has ended."""
        end = time.monotonic() + _POLL_S
        while time.monotonic() < end:
            if any(run.finished() for _, run in self.running.values()):
                return
            time.sleep(_POLL_S / 10)

    def stop(self) -> None:
        for _, run in self.running.values():
            run.stop()

    def _ready(self) -> Iterator[tuple[Job, list[str]]]:
        for job, parents in self.waiting:
            if all(parent in self.done or parent in self.failed for parent in parents):
                yield job, parents

    def _advance(self, job: Job, parents: list[str]) -> bool:
        """Run a ready job or start its calculation; False if it has to wait."""
        tolerant = job.config.on_missing_references == OnMissing.NONE
        if not tolerant and any(parent in self.failed for parent in parents):
            self._finish(job, failed=True)
            return True
        if job.uuid not in self.requests:
            try:
                self.requests[job.uuid] = request_of(job.resolve_args(self.store, inplace=False))
            except Exception as error:
                self._fail(job, error)
                return True
        request = self.requests[job.uuid]
        if request is not None:
            request = self.seen.first_of(request)
            if request.hash in self.broken:
                self._fail(job, CalculationError(self.broken[request.hash]))
                return True
            if request.hash in self.running:
                return False
            if request.hash not in self.absent and known_as(self.database, request) is None:
                self.absent.add(request.hash)
            if request.hash in self.absent:
                if len(self.running) >= self.workers:
                    return False
                try:
                    return self._start(job.name, request)
                except (CalculationError, OSError) as error:
                    self._fail(job, error)
                    return True
        try:
            job.run(self.store)
        except Exception as error:
            self._fail(job, error)
        else:
            self._finish(job)
        return True

    def _start(self, label: str, request: CalculationRequest) -> bool:
        """Start a calculation; False while another launcher, of another node perhaps, makes it."""
        claim = claimed(request)
        claim.folder.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as stack:
            file = stack.enter_context(open_plain(claim.folder / CLAIM))
            if not taken(file):
                return False
            hold(file, label)
            # The other one may have finished it since it was looked up.
            if known_as(self.database, request) is not None:
                clean(claim.folder)
                self.absent.discard(request.hash)
            elif (found := left_behind(claim)) is not None:
                self.database.save_calculation(found.model_dump())
                clean(claim.folder)
                self.absent.discard(request.hash)
            else:
                run = engine_named(request.engine).start(claim.request, claim.folder)
                self.running[request.hash] = (label, run)
                self.claims[request.hash] = claim, stack.pop_all()
                self.display.started(label)
        return True

    def _collect(self) -> None:
        for hash, (label, run) in list(self.running.items()):
            if run.finished():
                claim, held = self.claims.pop(hash)
                with held:
                    self._keep(hash, label, run, claim.folder)

    def _keep(self, hash: str, label: str, run: Run, folder: Path) -> None:
        del self.running[hash]
        try:
            calculation = run.result()
        except CalculationError as error:
            save_failure(self.database, run.request, error)
            self.broken[hash] = str(error)
            self.display.failed(label, str(error))
        else:
            self.database.save_calculation(calculation.model_dump())
            clean(folder)
            self.absent.discard(hash)
            self.display.finished(label, calculation.wall_time_s)

    def _fail(self, job: Job, error: Exception) -> None:
        self.failures[job.name] = str(error) or type(error).__name__
        self._finish(job, failed=True)

    def _finish(self, job: Job, *, failed: bool = False) -> None:
        self.waiting = [entry for entry in self.waiting if entry[0] is not job]
        (self.failed if failed else self.done).add(job.uuid)
        if is_calculation(job):
            self.display.advance()
