"""The files by which FireWorks, jobflow and interohm know a cluster, written to begin with."""

from __future__ import annotations

import os
import sys
from importlib import resources
from pathlib import Path
from typing import Literal

from interohm.errors import InputError
from interohm.yaml_io import write_text

Scheduler = Literal["slurm", "pbs"]

_SHARED = ("FW_config.yaml", "my_launchpad.yaml", "my_fworker.yaml", "jobflow.yaml")


def write_cluster_files(folder: Path, scheduler: Scheduler) -> list[Path]:
    """Write commented examples, readable by their owner alone, since credentials go into them.

    Parameters
    ----------
    folder : Path
        On a file system that login and compute nodes share; made where it does not exist.
    scheduler : {"slurm", "pbs"}
        For which batch system.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    InputError
        One of them is there already: it may hold what somebody filled in.
    """
    shipped = resources.files("interohm.configs") / "cluster"
    texts = {name: (shipped / name).read_text() for name in (*_SHARED, "environment.sh")}
    texts["my_qadapter.yaml"] = (shipped / f"{scheduler}.yaml").read_text()
    folder = folder.absolute()
    if there := [name for name in texts if (folder / name).exists()]:
        raise InputError(
            f"{', '.join(there)} there already",
            where=str(folder),
            fix="name another folder, or move the files away",
        )
    for directory in (folder, folder / "logs", folder / "data"):
        directory.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in texts.items():
        path = folder / name
        filled = text.replace("FOLDER", str(folder)).replace("ENVIRONMENT", sys.prefix)
        write_text(path, filled)
        os.chmod(path, 0o600)
        written.append(path)
    return written
