"""Cluster resources of a job by kind of calculation: cores, memory, time, queue."""

from __future__ import annotations

import shutil
from typing import Annotated, Any, Literal

from jobflow import Job, JobConfig
from pydantic import Field

from .step_settings import StrictSettings

#: A word in a scheduler's script or a queue's document.
Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:@+-]{1,100}$")]


class StepResources(StrictSettings):
    """Resources that one job requests; the defaults are those of the queue's own files.

    Parameters
    ----------
    cores : int, optional
        Number of cores on one node.
    memory_GB : float, optional
        Memory of all cores together.
    walltime_h : float, optional
        Longest run time, in hours.
    queue : str, optional
        Queue of the batch system (Slurm: partition).
    account : str, optional
        Account that is charged.
    category : str, optional
        FireWorks category; only workers of this category take the job.
    worker : str, optional
        Worker of the jobflow-remote project.
    exec_config : str, optional
        Execution configuration of jobflow-remote: what runs before and after the job.
    """

    cores: Annotated[int, Field(ge=1, le=100_000)] | None = None
    memory_GB: Annotated[float, Field(gt=0, le=100_000)] | None = None
    walltime_h: Annotated[float, Field(gt=0, le=10_000)] | None = None
    queue: Word | None = None
    account: Word | None = None
    category: Word | None = None
    worker: Word | None = None
    exec_config: Word | None = None

    def manager_config(self) -> dict[str, Any]:
        """Return it as FireWorks and jobflow-remote read it; neither reads the other's fields."""
        given: dict[str, Any] = {
            "_category": self.category,
            "_queueadapter": self._fields(_PBS_OF_FIREWORKS if _on_pbs() else _SLURM_OF_FIREWORKS),
            "worker": self.worker,
            "exec_config": self.exec_config,
            "resources": self._of_jobflow_remote(),
        }
        return {name: value for name, value in given.items() if value}

    def _of_jobflow_remote(self) -> dict[str, Any]:
        if not _on_pbs():
            return self._fields(_SLURM)
        fields = self._fields(_PBS)
        # one chunk; QToolKit has no fields for its parts
        parts = [f"{name}={fields.pop(name)}" for name in ("ncpus", "mem") if name in fields]
        return fields | ({"select": ":".join(["select=1", *parts])} if parts else {})

    def _fields(self, names: dict[str, str]) -> dict[str, Any]:
        """Return what is given, by a batch system's names."""
        values: dict[str, Any] = {"cores": self.cores, "queue": self.queue, "account": self.account}
        if self.walltime_h is not None:
            minutes, seconds = divmod(round(self.walltime_h * 3600), 60)
            values["walltime"] = f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}"
        if self.memory_GB is not None:
            megabytes = round(self.memory_GB * 1000)
            values["memory"] = f"{megabytes}mb" if _on_pbs() else f"{megabytes}M"
            values["memory_a_core"] = f"{megabytes // (self.cores or 1)}mb"
        return {
            name: values[field] for field, name in names.items() if values.get(field) is not None
        }


_SLURM_OF_FIREWORKS = {
    "cores": "cpus_per_task",
    "memory": "mem",
    "walltime": "walltime",
    "queue": "queue",
    "account": "account",
}
_PBS_OF_FIREWORKS = {
    "cores": "ppnode",
    "memory_a_core": "pmem",
    "walltime": "walltime",
    "queue": "queue",
    "account": "account",
}
_SLURM = {
    "cores": "cpus_per_task",
    "memory": "mem",
    "walltime": "time",
    "queue": "partition",
    "account": "account",
}
_PBS = {
    "cores": "ncpus",
    "memory": "mem",
    "walltime": "walltime",
    "queue": "queue",
    "account": "account",
}


def _on_pbs() -> bool:
    return shutil.which("sbatch") is None and shutil.which("qsub") is not None


#: By the kind of the calculation.
Resources = dict[Literal["cell", "static", "relax", "neb", "dielectric"], StepResources]


def ask_for(job: Job, resources: Resources, kind: str) -> Job:
    """Request the resources of its kind for a calculation's job and for those that continue it."""
    own = {str(name): one for name, one in resources.items()}.get(kind)
    if own is not None:
        job.config = JobConfig(manager_config=own.manager_config())
    return job
