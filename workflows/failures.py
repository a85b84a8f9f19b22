"""Records of failed calculations, kept until a calculation is finished or fails again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from jobflow import CURRENT_JOB
from pydantic import BaseModel, ConfigDict

from interohm.database import Database
from interohm.postprocess.calculation import ScfAttempt

from .engines.protocol import CalculationError
from .engines.request import CalculationRequest
from .equivalents import setting_of


class Failure(BaseModel):
    """A calculation without a result.

    Parameters
    ----------
    hash : str
        Hash of the request: a later run of it replaces this document, a result removes it.
    engine, kind, charge, settings
        As in the request.
    structure : mapping
        The pymatgen Structure to begin with.
    reason : str
        The error, and where the log is.
    scf_attempts : list of ScfAttempt
        Attempts of a calculation whose electrons did not converge.
    failed_at : str
        ISO 8601, UTC.
    key : str, optional
        Coarse key of the request: of those that may be the same calculation in another setting.
    label, job : str, optional
        Name and uuid of the job that failed: another try of it forgets this document.
    """

    model_config = ConfigDict(extra="forbid")

    hash: str
    engine: str
    kind: str
    charge: int
    settings: dict[str, Any]
    structure: dict[str, Any]
    reason: str
    scf_attempts: list[ScfAttempt]
    failed_at: str
    key: str | None = None
    label: str | None = None
    job: str | None = None


def save_failure(
    database: Database, request: CalculationRequest, error: CalculationError
) -> Failure:
    """Keep what went wrong in the collection ``failures``."""
    present = CURRENT_JOB.job
    failure = Failure(
        hash=request.hash,
        engine=request.engine,
        kind=request.kind,
        charge=request.charge,
        settings=request.settings,
        structure=request.structure,
        reason=str(error),
        scf_attempts=[ScfAttempt.model_validate(attempt) for attempt in error.attempts],
        failed_at=datetime.now(UTC).isoformat(timespec="seconds"),
        key=request.key,
        label=None if present is None else present.name,
        job=None if present is None else present.uuid,
    )
    database.save_failure(failure.model_dump())
    return failure


def failure_of(database: Database, request: CalculationRequest) -> Failure | None:
    """Return how a calculation failed, in whatever setting it was tried; None if it did not."""
    for document in database.failures_with_key(request.key):
        failure = Failure.model_validate(document)
        tried = CalculationRequest(
            engine=failure.engine,
            kind=failure.kind,
            charge=failure.charge,
            structure=failure.structure,
            settings=failure.settings,
        )
        if tried.hash == request.hash or setting_of(request, tried) is not None:
            return failure
    return None
