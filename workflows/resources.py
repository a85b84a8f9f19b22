"""Cluster resources of a job by kind of calculation: cores, memory, time, queue."""

from __future__ import annotations

import functools
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from jobflow import Job, JobConfig
from pydantic import Field

from interohm.errors import InputError
from interohm.yaml_io import load_yaml

from .context import in_a_worker_of_jobflow_remote
from .launchpad import queue_file
from .step_settings import StrictSettings

if TYPE_CHECKING:
    from qtoolkit.core.data_objects import QResources

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
        Execution configuration of jobflow-remote: the commands before and after the job.
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
        """Return it as FireWorks reads it, and what `for_jobflow_remote` needs beside it.

        Raises
        ------
        InputError
            The queue's file is of a batch system whose words are not known here.
        """
        asked = self.model_dump(exclude={"category", "worker", "exec_config"}, exclude_none=True)
        given: dict[str, Any] = {
            "_category": self.category,
            "_queueadapter": self._of_fireworks() if asked else None,
            "worker": self.worker,
            "exec_config": self.exec_config,
            _RESOURCES: asked,
        }
        return {name: value for name, value in given.items() if value}

    def qresources(self) -> QResources:
        """Return it in QToolKit's words, which it translates for the worker's batch system."""
        from qtoolkit.core.data_objects import QResources

        cores = self.cores or 1
        memory = self.memory_GB
        return QResources(
            nodes=1,
            processes_per_node=cores,
            memory_per_thread=None if memory is None else max(1, round(memory * 1000 / cores)),
            time_limit=None if self.walltime_h is None else round(self.walltime_h * 3600),
            queue_name=self.queue,
            account=self.account,
        )

    def _of_fireworks(self) -> dict[str, Any]:
        """Return it by the names of the template that FireWorks has for the batch system."""
        named: dict[str, Any] = {"queue": self.queue, "account": self.account}
        if self.walltime_h is not None:
            minutes, seconds = divmod(round(self.walltime_h * 3600), 60)
            named["walltime"] = f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}"
        megabytes = None if self.memory_GB is None else round(self.memory_GB * 1000)
        system = _batch_system()
        if system == "SLURM":
            named["cpus_per_task"] = self.cores
            named["mem"] = None if megabytes is None else f"{megabytes}M"
        elif system == "PBS":
            named["ppnode"] = self.cores
            named["pmem"] = None if megabytes is None else f"{megabytes // (self.cores or 1)}mb"
        elif self.cores is not None or megabytes is not None:
            raise InputError(
                f"interohm does not know how to ask {system} for cores and memory",
                where="resources",
                fix="give the jobs a `category`, and its workers a separate my_qadapter.yaml",
            )
        return {name: value for name, value in named.items() if value is not None}


#: In a job's configuration: what it asks for; jobflow-remote's word for it.
_RESOURCES = "resources"


def for_jobflow_remote(job: Job) -> None:
    """Let jobflow-remote read what a job asks for."""
    config = job.config.manager_config
    if isinstance(asked := config.get(_RESOURCES), dict):
        own = {**config, _RESOURCES: StepResources(**asked).qresources()}
        job.config = JobConfig(**{**vars(job.config), "manager_config": own})


def _batch_system() -> str:
    """Return to which one FireWorks submits, by its queue's file or by what this machine has."""
    if not in_a_worker_of_jobflow_remote() and (path := queue_file()) is not None:
        return _type_of(path)
    on_pbs = shutil.which("sbatch") is None and shutil.which("qsub") is not None
    return "PBS" if on_pbs else "SLURM"


@functools.cache
def _type_of(path: Path) -> str:
    return str(load_yaml(path).get("_fw_q_type"))


#: By the kind of the calculation.
Resources = dict[Literal["cell", "static", "relax", "neb", "dielectric"], StepResources]


def ask_for(job: Job, resources: Resources, kind: str) -> Job:
    """Request the resources of its kind for a calculation's job and for those that continue it."""
    own = {str(name): one for name, one in resources.items()}.get(kind)
    if own is not None:
        job.config = JobConfig(manager_config=own.manager_config())
    return job
