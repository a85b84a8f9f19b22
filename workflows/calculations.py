"""One calculation as a job: found by its hash where it is known, calculated where it is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jobflow import CURRENT_JOB, Job, Response, job
from pymatgen.core import Structure

from interohm.database import Database
from interohm.database.schema import well_formed
from interohm.database.shipped_calculations import shipped_calculation
from interohm.postprocess.calculation import Calculation
from interohm.settings import load_settings

from .batch_job import calculate_in_time
from .context import active_database
from .engines import engine_named
from .engines.protocol import CalculationError
from .engines.request import CalculationRequest
from .failures import save_failure


@job
def calculate(
    structure: Structure, *, engine: str, kind: str, settings: dict[str, Any], charge: int = 0
) -> dict[str, Any] | Response[None]:
    """Calculate a structure, unless the database has it.

    Returns
    -------
    dict or Response
        ``hash`` of the calculation in the database, and its final ``structure``; or, where the
        batch job around it ends before, the same job once more, which goes on.
    """
    request = engine_named(engine).request(structure, kind, settings, charge)

    def known() -> Calculation | None:
        with active_database() as database:
            return find_calculation(database, request.hash)

    def keep(calculation: Calculation) -> None:
        with active_database() as database:
            database.save_calculation(calculation.model_dump())

    try:
        folder = scratch_folder(request)
        found = known() or calculate_in_time(request, folder, known=known, keep=keep)
    except CalculationError as error:
        with active_database() as database:
            save_failure(database, request, error)
        raise
    if found is None:
        again = calculate(structure, engine=engine, kind=kind, settings=settings, charge=charge)
        again.name, again.config = CURRENT_JOB.job.name, CURRENT_JOB.job.config
        return Response(replace=again)
    return {"hash": found.hash, "structure": found.final_structure}


def request_of(resolved: Job) -> CalculationRequest | None:
    """Return what a job with resolved arguments would calculate; None if it is another job."""
    if not is_calculation(resolved):
        return None
    arguments = resolved.function_kwargs
    return engine_named(arguments["engine"]).request(
        resolved.function_args[0],
        arguments["kind"],
        arguments["settings"],
        arguments.get("charge", 0),
    )


def is_calculation(job: Job) -> bool:
    """Whether a job is one of `calculate`."""
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


def scratch_folder(request: CalculationRequest) -> Path:
    """Return where a calculation keeps what it needs to go on after a kill."""
    return load_settings().data / "scratch" / request.hash
