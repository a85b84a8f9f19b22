"""One calculation as a job: found by its hash where it is known, calculated where it is not."""

from __future__ import annotations

import gzip
import json
from importlib import resources
from pathlib import Path
from typing import Any

from interohm.postprocess.calculation import Calculation
from jobflow import Job, job
from pymatgen.core import Structure

from interohm.database import Database
from interohm.settings import load_settings

from .context import active_database
from .engines import engine_named
from .engines.request import CalculationRequest


@job
def calculate(
    structure: Structure, *, engine: str, kind: str, settings: dict[str, Any], charge: int = 0
) -> dict[str, Any]:
    """Calculate a structure, unless the database has it.

    Returns
    -------
    dict
        ``hash`` of the calculation in the database, and its final ``structure``.
    """
    request = engine_named(engine).request(structure, kind, settings, charge)
    with active_database() as database:
        found = find_calculation(database, request.hash)
    if found is None:
        run = engine_named(engine).start(request, scratch_folder(request))
        try:
            run.wait()
        finally:
            run.stop()
        found = run.result()
        # Opened anew: no database stays open for the hours that a calculation takes.
        with active_database() as database:
            database.save_calculation(found.model_dump())
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
        shipped = resources.files("interohm.configs") / "calculations" / f"{hash}.json.gz"
        if not shipped.is_file():
            return None
        document = json.loads(gzip.decompress(shipped.read_bytes()))
    return Calculation.model_validate(document)


def scratch_folder(request: CalculationRequest) -> Path:
    """Return where a calculation keeps what it needs to go on after a kill."""
    return load_settings().data / "scratch" / request.hash
