"""Planned calculations of a flow: its jobs are visited in order, and none is started."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jobflow import Flow, Job, JobStore, OutputReference
from maggma.stores import MemoryStore
from monty.json import MontyDecoder, jsanitize
from pymatgen.core import Structure

from interohm.database import Database

from .calculations import calculation_request, is_calculation, known_as
from .context import using
from .electrode_jobs import record_electrode
from .engines import engine_named
from .engines.request import CalculationRequest
from .equivalents import Requests
from .interface_record import record_interface
from .phase_jobs import record_insulator, record_metal

#: The jobs that make a record; they need finished calculations.
_RECORDS = tuple(
    job.original for job in (record_insulator, record_metal, record_electrode, record_interface)
)


@dataclass(frozen=True)
class PlannedCalculation:
    """One calculation of a campaign.

    Parameters
    ----------
    label : str
        Phase and step.
    hash : str
        Hash of the calculation that is found, else of the request.
    kind : str
        Kind of calculation.
    charge : int
        Charge of the cell, in elementary charges.
    atoms, electrons : int
        How many the calculation has.
    kpoints : tuple of int
        Divisions of the mesh; of listed points their number.
    found : bool
        Whether database or program have it already.
    planned : bool
        Whether it starts from a result that does not exist yet, so that ``hash`` is preliminary.
    request : CalculationRequest
        Request to the engine.
    leads_on : bool
        Whether further calculations depend on its result, and not the record alone.
    """

    label: str
    hash: str
    kind: str
    charge: int
    atoms: int
    electrons: int
    kpoints: tuple[int, ...]
    found: bool
    planned: bool
    request: CalculationRequest
    leads_on: bool = False

    @property
    def identity(self) -> str:
        """Begins the calculation's hash; ``planned`` while that is not known."""
        return "planned" if self.planned else self.hash[:12]


def jobs_in_order(flow: Flow) -> list[tuple[Job, list[str]]]:
    """Return the flow's jobs, each after those whose output it needs, and the latter's uuids."""
    with warnings.catch_warnings():
        # Phases are independent of each other, which jobflow finds worth a warning.
        warnings.filterwarnings("ignore", message="Some jobs are not connected")
        return list(flow.iterflow())


def memory_store() -> JobStore:
    """Return a store for the outputs of one run's jobs.

    They are references into the database (which is where results live), or follow from them.
    """
    store = JobStore(MemoryStore(), additional_stores={})
    store.connect()
    return store


def planned_calculations(flow: Flow, database: Database) -> list[PlannedCalculation]:
    """List a flow's calculations, each once, and start none; the flow stays as it is."""
    jobs = [job for job, _ in jobs_in_order(flow) if job.function not in _RECORDS]
    needed = {uuid for job in jobs for uuid in job.input_uuids}
    leading: set[str] = set()
    planned = []
    with using(database):
        for uuid, first, calculation in _planned(jobs, database):
            if calculation is not None:
                planned.append(calculation)
            if uuid in needed:
                leading.add(first.hash)
    return [replace(one, leads_on=one.request.hash in leading) for one in planned]


def _planned(
    jobs: Sequence[Job], database: Database
) -> Iterator[tuple[str, CalculationRequest, PlannedCalculation | None]]:
    """Yield jobs that calculate: uuid, the first request of the same, and what only that one is."""
    outputs: dict[str, Any] = {}
    seen = Requests()
    preliminary: set[str] = set()  # jobs whose output is not what they will have
    for job in jobs:
        exact = preliminary.isdisjoint(job.input_uuids)
        if not exact:
            preliminary.add(job.uuid)
        arguments = _resolved(job.function_args, outputs)
        named = _resolved(job.function_kwargs, outputs)
        if not is_calculation(job):
            outputs[job.uuid] = _as_stored(job.function(*arguments, **named))
            continue
        request = calculation_request(*arguments, **named)
        found = known_as(database, request)
        if found is None:
            preliminary.add(job.uuid)
        structure = arguments[0]
        # What is not calculated yet goes on with the structure that it starts from.
        output: Any = (
            {"hash": request.hash, "structure": request.initial_structure}
            if found is None
            else found.output
        )
        outputs[job.uuid] = output
        if (first := seen.first_of(request)) is not request:
            yield job.uuid, first, None
            continue
        neutral = engine_named(request.engine).valence_electrons(structure, request.settings)
        planned = PlannedCalculation(
            label=job.name,
            hash=output["hash"],
            kind=request.kind,
            charge=request.charge,
            atoms=len(structure),
            electrons=neutral - request.charge,
            kpoints=_divisions(request.settings["kpoints"]),
            found=found is not None,
            planned=not exact,
            request=request,
        )
        yield job.uuid, request, planned


def _divisions(kpoints: Sequence[int | str]) -> tuple[int, ...]:
    """Return the divisions of a mesh; of points that are listed, as ``12 listed``, their number."""
    return tuple(int(str(one).split()[0]) for one in kpoints)


def _resolved(value: Any, outputs: Mapping[str, Any]) -> Any:
    """Return a job's arguments with the outputs of the jobs before in them."""
    if isinstance(value, OutputReference):
        found = outputs[value.uuid]
        for _, name in value.attributes:
            found = found[name] if isinstance(found, dict | list) else getattr(found, name)
        return found
    if isinstance(value, dict):
        return {name: _resolved(one, outputs) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_resolved(one, outputs) for one in value)
    return value


def _as_stored(value: Any) -> Any:
    """Return an output as the next job gets it from a store: plain values, and structures."""
    if isinstance(value, str | int | float | Structure) or value is None:
        return value
    if isinstance(value, dict):
        return {str(name): _as_stored(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_as_stored(one) for one in value]
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return MontyDecoder().process_decoded(jsanitize(value, strict=True))
