"""`interohm init-cluster`: the files that a cluster needs."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from interohm.errors import InputError

INIT_CLUSTER_EXAMPLE = "Example: interohm init-cluster ~/cluster --scheduler slurm --mongodb-uri"


class Manager(StrEnum):
    """Managers of the job queue."""

    fireworks = "fireworks"
    jobflow_remote = "jobflow-remote"


#: Which of the two a command asks.
ManagerOption = Annotated[
    Manager,
    typer.Option("--manager", envvar="INTEROHM_MANAGER", help="Workflow manager of the queue."),
]


class Scheduler(StrEnum):
    """A batch system."""

    slurm = "slurm"
    pbs = "pbs"


def init_cluster(
    folder: Annotated[
        Path, typer.Argument(help="Folder to write them to; all nodes must be able to read it.")
    ],
    scheduler: Annotated[Scheduler, typer.Option(help="The batch system.")] = Scheduler.slurm,
    manager: ManagerOption = Manager.fireworks,
    mongodb_uri: Annotated[
        bool,
        typer.Option(
            "--mongodb-uri",
            help="Ask for the address of the database server without showing it, and write it "
            "into all files (or read it from standard input: other users can see a command line).",
        ),
    ] = False,
) -> None:
    """Write the files that FireWorks or jobflow-remote need on a cluster.

    Commented examples of FW_config.yaml, my_launchpad.yaml, my_fworker.yaml, my_qadapter.yaml,
    jobflow.yaml (or of a project of jobflow-remote) and the environment of the jobs. With
    --mongodb-uri they contain the server's address; without it, comments say where to put it. Only
    you can read the files.
    """
    from interohm.cli.cluster_files import write_cluster_files
    from interohm.cli.output import print_line, remark

    uri = _asked() if mongodb_uri else None
    if uri is not None and not uri.startswith(("mongodb://", "mongodb+srv://")):
        raise InputError(
            "a URI that begins with mongodb:// or mongodb+srv:// was expected",
            where="--mongodb-uri",
            fix="mongodb://USER:PASSWORD@HOST:PORT/?authSource=admin, where signs like @ and / in "
            "the password are written as %40 and %2F",
        )
    for path in write_cluster_files(folder, scheduler.value, uri, manager=manager.value):
        print_line(str(path))
    server = "" if uri else "server, credentials, "
    remark(f"fill in {server}queue and account; then `. environment.sh` and `interohm doctor`")


def _asked() -> str:
    """Ask for the server's URI on the terminal, without showing what is typed, or read it."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().strip()
    asked = "Server (mongodb://USER:PASSWORD@HOST:PORT/?authSource=admin)"
    return str(typer.prompt(asked, hide_input=True, err=True)).strip()
