"""A cluster as a user sets it up: the files of `interohm init-cluster`, filled in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pymongo import MongoClient
from ruamel.yaml import YAML
from slurm import Slurm

from interohm.yaml_io import load_yaml

#: Stands in every URI that this cluster uses, as a password would.
SECRET = "hunter2-in-the-address"


class Cluster:
    """Slurm, a server, and the settings that point to both.

    Parameters
    ----------
    slurm : Slurm, optional
        Without it, workers are processes of this machine.
    uri : str
        Of the server.
    folder : Path
        Of all files.
    name : str
        Begins the names of the databases.
    """

    def __init__(self, slurm: Slurm | None, uri: str, folder: Path, name: str) -> None:
        self.slurm = slurm
        self.folder = folder
        self.data = folder / "data"
        self.work = folder / "work"
        self.work.mkdir(parents=True)
        separator = "&" if "?" in uri else "?" if uri.count("/") > 2 else "/?"
        self.uri = f"{uri}{separator}appName={SECRET}"
        self.secrets = [SECRET, *filter(None, [urlsplit(uri).password])]
        self.databases = [f"{name}_launchpad", f"{name}_results"]
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("INTEROHM_", "SLURM_"))}
        self.environment = {
            **clean,
            **(slurm.environment if slurm else {}),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "FW_CONFIG_FILE": str(folder / "FW_config.yaml"),
            "JOBFLOW_CONFIG_FILE": str(folder / "jobflow.yaml"),
            "INTEROHM_DATA": str(self.data),
            "INTEROHM_MONGODB_URI": self.uri,
            "INTEROHM_MONGODB_DATABASE": self.databases[1],
            "OMP_NUM_THREADS": "1",
        }
        command = ("init-cluster", folder, "--scheduler", "slurm", "--mongodb-uri")
        self.run("interohm", *command, typed=self.uri)
        self.edit("FW_config.yaml", PING_TIME_SECS=1, RUN_EXPIRATION_SECS=5)
        self.edit("FW_config.yaml", QUEUE_UPDATE_INTERVAL=0, RAPIDFIRE_SLEEP_SECS=1)
        self.edit("my_launchpad.yaml", name=self.databases[0])
        stores = load_yaml(folder / "jobflow.yaml")["JOB_STORE"]
        for store in (stores["docs_store"], *stores["additional_stores"].values()):
            store["database"] = self.databases[1]
        self.edit("jobflow.yaml", JOB_STORE=stores)
        self.queue_jobs("rlaunch singleshot")
        with (folder / "environment.sh").open("a") as script:
            script.write(f"export INTEROHM_MONGODB_DATABASE={self.databases[1]}\n")

    def queue_jobs(self, rocket_launch: str, walltime: str = "00:30:00") -> None:
        """Say what a job of the batch system does, and how long it may take."""
        self.edit(
            "my_qadapter.yaml",
            rocket_launch=rocket_launch,
            cpus_per_task=1,
            walltime=walltime,
        )

    def interohm(self, *arguments: object, code: int = 0) -> str:
        """Run a command of the program; return what it prints."""
        return self.run("interohm", *arguments, code=code).stdout

    def run(
        self, *command: object, code: int = 0, typed: str = "", seconds: float = 3600
    ) -> subprocess.CompletedProcess[str]:
        """Run a program on the login node, in the folder for launches."""
        ran = subprocess.run(
            [str(word) for word in command],
            env=self.environment,
            cwd=self.work,
            input=typed,
            capture_output=True,
            text=True,
            timeout=seconds,
        )
        assert ran.returncode == code, ran.stdout + ran.stderr
        return ran

    def launch(self, jobs: int) -> None:
        """Submit jobs to the batch system as users do."""
        self.run("qlaunch", "--silencer", "rapidfire", "--nlaunches", jobs)

    def status(self) -> dict[str, dict[str, Any]]:
        """Return the jobs of all campaigns by their names."""
        jobs = json.loads(self.interohm("status", "--json"))
        return {f"{job['phase']} | {job['name']}": job for job in jobs}

    def wait_until_idle(self, seconds: float = 240) -> None:
        """Wait until the batch system has no job any more."""
        assert self.slurm is not None
        slurm = self.slurm
        wait_for(lambda: not slurm.run("squeue", "--noheader").strip(), seconds)

    def documents(self) -> str:
        """Return every document of the cluster's databases as one text."""
        with MongoClient(self.uri) as client:
            return "\n".join(
                f"{database}.{collection}: {document}"
                for database in self.databases
                for collection in client[database].list_collection_names()
                for document in client[database][collection].find()
            )

    def results(self, collection: str) -> list[dict[str, Any]]:
        """Return the documents of a collection of results."""
        return self._documents(self.databases[1], collection)

    def queued(self, collection: str) -> list[dict[str, Any]]:
        """Return the documents of a collection of the launchpad."""
        return self._documents(self.databases[0], collection)

    def _documents(self, database: str, collection: str) -> list[dict[str, Any]]:
        with MongoClient(self.uri) as client:
            return list(client[database][collection].find())

    def remove(self) -> None:
        """Drop the databases."""
        with MongoClient(self.uri) as client:
            for database in self.databases:
                client.drop_database(database)

    def edit(self, file: str, **fields: Any) -> None:
        """Set fields of one of the cluster's YAML files."""
        yaml = YAML()
        path = self.folder / file
        document = yaml.load(path)
        document.update(fields)
        yaml.dump(document, path)


def wait_for(condition: Callable[[], object], seconds: float = 240) -> None:
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)


def relaxing(cluster: Cluster, but: int = 0) -> tuple[int, Path]:
    """Return the worker of a relaxation that has a geometry behind it, and its folder."""
    found: list[tuple[int, Path]] = []

    def look() -> bool:
        for status in cluster.data.glob("scratch/*/status.json"):
            worker = worker_of(status.parent)
            if worker > 1 and worker != but:
                found.append((worker, status.parent))
        return bool(found)

    wait_for(look)
    return found[0]


def worker_of(folder: Path) -> int:
    """Return the process that launched a folder's calculation; 0 or 1 if it has ended."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().decode().split("\0")
            if str(folder) in command:
                return int((process / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    return 0
