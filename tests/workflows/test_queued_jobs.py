"""Jobs that an earlier version put into a queue are still what this version's workers run.

``tests/data/queued_jobs.json.gz`` holds one of each, from before the modules got the places that
they have now.
"""

from __future__ import annotations

import gzip
import inspect
import json
from pathlib import Path
from typing import Any

import pytest
from jobflow import Job
from monty.json import MontyDecoder

QUEUED = Path(__file__).parents[1] / "data" / "queued_jobs.json.gz"
JOBS: dict[str, Any] = json.loads(gzip.decompress(QUEUED.read_bytes()))


def test_every_kind_of_job_is_there() -> None:
    modules = {name.rpartition(".")[0].removeprefix("interohm.") for name in JOBS}
    assert modules == {
        *(f"workflows.{name}" for name in ("calculations", "phase_jobs", "surfaces", "barriers")),
        "workflows.electrode_jobs",
        "screening.jobs",
    }


def modules_of(value: Any) -> set[str]:
    """Return the modules that a document names."""
    if isinstance(value, dict):
        own = {value["@module"]} if "@module" in value else set()
        return own.union(*map(modules_of, value.values()))
    return set().union(*map(modules_of, value)) if isinstance(value, list) else set()


@pytest.mark.parametrize("name", JOBS)
def test_a_queued_job_finds_its_function_and_its_arguments_fit(name: str) -> None:
    assert {module.partition(".")[0] for module in modules_of(JOBS[name])} <= {
        *("interohm", "jobflow", "pymatgen")
    }
    job = MontyDecoder().process_decoded(JOBS[name])
    assert isinstance(job, Job)
    function = getattr(job.function, "original", job.function)
    assert f"{function.__module__}.{function.__qualname__}" == name
    inspect.signature(function).bind(*job.function_args, **job.function_kwargs)
