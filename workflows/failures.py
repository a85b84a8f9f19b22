"""What is kept of a calculation that failed, until it is finished or fails again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from interohm.database import Database
from interohm.postprocess.calculation import ScfAttempt

from .engines.protocol import CalculationError
from .engines.request import CalculationRequest


class Failure(BaseModel):
    """A calculation without a result.

    Parameters
    ----------
    hash : str
        Of the request: a later run of it replaces this document, a result removes it.
    engine, kind, charge, settings
        As in the request.
    structure : mapping
        The pymatgen Structure to begin with.
    reason : str
        What went wrong, and where the log is.
    scf_attempts : list of ScfAttempt
        Where the electrons did not converge: with what it was tried.
    failed_at : str
        ISO 8601, UTC.
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


def save_failure(
    database: Database, request: CalculationRequest, error: CalculationError
) -> Failure:
    """Keep what went wrong in the collection ``failures``."""
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
    )
    database.save_failure(failure.model_dump())
    return failure
