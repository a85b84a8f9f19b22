"""`interohm init-cluster`: the files that a cluster needs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

INIT_CLUSTER_EXAMPLE = "Example: interohm init-cluster ~/cluster --scheduler slurm"


class Scheduler(StrEnum):
    """A batch system."""

    slurm = "slurm"
    pbs = "pbs"


def init_cluster(
    folder: Annotated[Path, typer.Argument(help="Where to write them; all nodes must see it.")],
    scheduler: Annotated[Scheduler, typer.Option(help="The batch system.")] = Scheduler.slurm,
) -> None:
    """Write the files that FireWorks and jobflow need on a cluster.

    Commented examples of FW_config.yaml, my_launchpad.yaml, my_fworker.yaml, my_qadapter.yaml,
    jobflow.yaml and the environment of the jobs; the comments say where credentials go.
    """
    from interohm.cli.cluster_files import write_cluster_files
    from interohm.cli.output import print_line, remark

    for path in write_cluster_files(folder, scheduler.value):
        print_line(str(path))
    remark(
        "fill in server, credentials, queue and account; then `. environment.sh` and "
        "`interohm doctor`"
    )
