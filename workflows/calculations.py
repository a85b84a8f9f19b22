"""One calculation as a job: found where it is known, calculated where it is not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jobflow import CURRENT_JOB, Job, Response, job
from pymatgen.core import Structure

from interohm.database import Database
from interohm.database.schema import well_formed
from interohm.database.shipped_calculations import shipped_calculation, shipped_with_key
from interohm.postprocess.calculation import Calculation
from interohm.slab_builders.equivalence import Setting

from .batch_job import calculate_in_time
from .claims import claimed
from .context import active_database, connected
from .documents import CalculationDocument
from .engines import engine_named
from .engines.protocol import CalculationError
from .engines.request import CalculationRequest
from .equivalents import (
    in_setting,
    request_of_calculation,
    setting_document,
    setting_from,
    setting_of,
)
from .failures import failure_of, save_failure
from .launchpad import WAITS_FOR
from .signals import told_to_end
from .waiting import TakenError, had_waited, look_after, put_back, wake, watch, without_wait


@job(output_schema=CalculationDocument)
def calculate(
    structure: Structure,
    *,
    engine: str,
    kind: str,
    settings: dict[str, Any],
    charge: int = 0,
    shared: bool = False,
) -> CalculationDocument | Response[None]:
    """Calculate a structure, unless the database has it.

    Parameters
    ----------
    structure, engine, kind, settings, charge
        The requested calculation.
    shared : bool
        Another workflow makes the calculation; if it failed there, it is not tried again here.

    Returns
    -------
    CalculationDocument or Response
        The finished calculation; or, where the batch job around it ends before or another job makes
        the same calculation now, the same job once more.
    """
    with told_to_end() as stopping:
        look_after()
        watch()
        request = engine_named(engine).request(structure, kind, settings, charge)
        present = _Answer(request)
        with connected() as disconnect:
            if present.known() is not None:
                if CURRENT_JOB.job is not None and had_waited(CURRENT_JOB.job.config):
                    wake(request.key)  # of those that wait beside it it may have been let go alone
                return present.output
            again = calculate(
                structure, engine=engine, kind=kind, settings=settings, charge=charge, shared=shared
            )
            label = "a calculation" if CURRENT_JOB.job is None else CURRENT_JOB.job.name
            if CURRENT_JOB.job is not None:
                again.name, again.config = label, without_wait(CURRENT_JOB.job.config)
                # what this one waited for the next one would inherit
                CURRENT_JOB.job.metadata.pop(WAITS_FOR, None)
            try:
                found = calculate_in_time(
                    claimed(request),
                    label=label,
                    known=present.known_unless_it_failed if shared else present.known,
                    keep=present.keep,
                    disconnect=disconnect,
                    stopping=stopping,
                )
            except TakenError as taken:
                return Response(replace=put_back(again, taken))
            except Exception as error:
                own = not isinstance(error, SharedCalculationError)
                if own and isinstance(error, CalculationError):
                    with active_database() as database:
                        save_failure(database, request, error)
                wake(request.key)
                raise
        if found is None:
            return Response(replace=again)
        wake(request.key)
        return present.output


class SharedCalculationError(CalculationError):
    """A calculation of another workflow failed."""


class _Answer:
    """The calculation that answers a request, as far as it is known."""

    def __init__(self, request: CalculationRequest) -> None:
        self._request = request
        self._found: Known | None = None

    @property
    def output(self) -> CalculationDocument:
        """Output of the job."""
        assert self._found is not None  # it has been found or kept
        return self._found.output

    def known(self) -> Calculation | None:
        with active_database() as database:
            self._found = known_as(database, self._request)
        return None if self._found is None else self._found.calculation

    def known_unless_it_failed(self) -> Calculation | None:
        found = self.known()
        if found is None:
            with active_database() as database:
                failure = failure_of(database, self._request)
            if failure is not None:
                raise SharedCalculationError(f"{failure.label or 'another job'}: {failure.reason}")
        return found

    def keep(self, calculation: Calculation) -> None:
        with active_database() as database:
            database.save_calculation(calculation.model_dump())
            self._found = known_as(database, self._request)


def request_of(resolved: Job) -> CalculationRequest | None:
    """Return what a job with resolved arguments would calculate; None if it is another job."""
    if not is_calculation(resolved):
        return None
    return calculation_request(*resolved.function_args, **resolved.function_kwargs)


def calculation_request(
    structure: Structure,
    *,
    engine: str,
    kind: str,
    settings: dict[str, Any],
    charge: int = 0,
    shared: bool = False,
) -> CalculationRequest:
    """Return what a job of `calculate` with these arguments asks the engine for."""
    return engine_named(engine).request(structure, kind, settings, charge)


def is_calculation(job: Job) -> bool:
    """Return whether a job is one of `calculate`."""
    return job.function is calculate.original  # jobflow keeps the undecorated function


def find_calculation(database: Database, hash: str) -> Calculation | None:
    """Look a calculation up in the database, then among those shipped with the program."""
    document = database.find_calculation(hash)
    if document is None:
        document = shipped_calculation(hash)
    if document is None:
        return None
    with well_formed(f"{database.location}, calculations, {hash[:12]}"):
        return Calculation.model_validate(document)


@dataclass(frozen=True)
class Known:
    """The calculation that answers a request.

    Parameters
    ----------
    calculation : Calculation
        In the setting of the request, under the hash by which it is stored.
    setting : Setting, optional
        How the stored one was turned into it; None where it is stored as it is asked for.
    """

    calculation: Calculation
    setting: Setting | None = None

    @property
    def output(self) -> CalculationDocument:
        """Output of a job."""
        setting = None if self.setting is None else setting_document(self.setting)
        return CalculationDocument.of(self.calculation, setting)


def known_as(database: Database, request: CalculationRequest) -> Known | None:
    """Return the calculation that a request asks for, in whatever setting it is stored.

    The one under the request's own hash comes first, then those of the database, then the shipped
    ones.
    """
    found = find_calculation(database, request.hash)
    if found is not None:
        return Known(found)
    for candidate in _candidates(database, request.key):
        setting = setting_of(request, request_of_calculation(candidate))
        if setting is not None:
            return Known(in_setting(candidate, setting), setting)
    return None


def _candidates(database: Database, key: str) -> Iterator[Calculation]:
    documents = [*database.calculations_with_key(key), *shipped_with_key(key)]
    for document in documents:
        with well_formed(f"{database.location}, calculations, {str(document.get('hash'))[:12]}"):
            yield Calculation.model_validate(document)


def calculation_of(
    database: Database, output: CalculationDocument | Mapping[str, Any]
) -> Calculation | None:
    """Return the calculation that a job's output names, in the setting that was asked for.

    Outputs of earlier versions, and those of a dry run, are mappings.
    """
    found = find_calculation(database, output["hash"])
    if found is None or "setting" not in output:
        return found
    return in_setting(found, setting_from(output["setting"]))
