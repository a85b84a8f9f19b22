"""The files by which FireWorks, jobflow and interohm know a cluster, written to begin with."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from collections.abc import Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal

from interohm.errors import InputError
from interohm.yaml_io import write_text

Scheduler = Literal["slurm", "pbs"]
Manager = Literal["fireworks", "jobflow-remote"]

_FIREWORKS = ("FW_config.yaml", "my_launchpad.yaml", "my_fworker.yaml", "jobflow.yaml")

#: In a folder of its own, where jobflow-remote looks for projects.
_PROJECT = "jfremote/interohm.yaml"

#: What a job of jobflow-remote's worker asks for, in the batch system's words.
_RESOURCES = {
    "slurm": ("nodes: 1", "ntasks: 1", "cpus_per_task: 1", "time: '24:00:00'"),
    "pbs": ("select: select=1:ncpus=1", "walltime: '24:00:00'"),
}
_QUEUE = {"slurm": "partition", "pbs": "queue"}

#: Stands for the folder in the files; not the end of a variable's name.
_FOLDER = re.compile(r"(?<!_)FOLDER")

#: A server of jobflow's or jobflow-remote's, and what is said of its credentials.
_HOST = re.compile(r"^( +)host: localhost\n +port: 27017\n", re.MULTILINE)
_CREDENTIALS = re.compile(r"^ +# (Credentials go here|username: |password: ).*\n", re.MULTILINE)


def write_cluster_files(
    folder: Path,
    scheduler: Scheduler,
    mongodb_uri: str | None = None,
    *,
    manager: Manager = "fireworks",
) -> list[Path]:
    """Write commented examples, readable by their owner alone, since credentials go into them.

    Parameters
    ----------
    folder : Path
        On a file system that login and compute nodes share; made where it does not exist.
    scheduler : {"slurm", "pbs"}
        For which batch system.
    mongodb_uri : str, optional
        The server, written into all files that name it.
    manager : {"fireworks", "jobflow-remote"}
        For which queue.

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
    texts = {"environment.sh": _environment(shipped, manager)}
    if manager == "fireworks":
        texts |= {name: (shipped / name).read_text() for name in _FIREWORKS}
        texts["my_qadapter.yaml"] = (shipped / f"{scheduler}.yaml").read_text()
    else:
        texts[_PROJECT] = _project(shipped, scheduler)
    if mongodb_uri is not None:
        texts |= _with_server(texts, mongodb_uri)
    folder = folder.absolute()
    below = ("logs",) if manager == "fireworks" else ("work", "jfremote")
    if there := [name for name in texts if (folder / name).exists()]:
        raise InputError(
            f"{', '.join(there)} already exist",
            where=str(folder),
            fix="name another folder, or move the files away",
        )
    for directory in (folder, folder / "data", *(folder / name for name in below)):
        directory.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in texts.items():
        path = folder / name
        filled = _FOLDER.sub(lambda _: str(folder), text).replace("ENVIRONMENT", sys.prefix)
        _write_for_oneself(path, filled)
        written.append(path)
    return written


def _environment(shipped: Traversable, manager: Manager) -> str:
    """Return the environment of submitting and of every job."""
    text = (shipped / "environment.sh").read_text()
    if manager == "fireworks":
        return text
    text = _replaced(text, "my_qadapter.yaml", "the project's pre_run")
    text = _replaced(
        text,
        "export FW_CONFIG_FILE=FOLDER/FW_config.yaml\n",
        "export INTEROHM_MANAGER=jobflow-remote\n",
    )
    return _replaced(
        text,
        "export JOBFLOW_CONFIG_FILE=FOLDER/jobflow.yaml\n",
        "export JFREMOTE_PROJECTS_FOLDER=FOLDER/jfremote\nexport JFREMOTE_PROJECT=interohm\n",
    )


def _project(shipped: Traversable, scheduler: Scheduler) -> str:
    """Return jobflow-remote's project."""
    lines = (*_RESOURCES[scheduler], f"# {_QUEUE[scheduler]}: ...", "# account: ...")
    text = _replaced((shipped / "jobflow_remote.yaml").read_text(), "SCHEDULER", scheduler)
    return _replaced(text, "RESOURCES", "\n".join(f"      {line}" for line in lines))


def _write_for_oneself(path: Path, text: str) -> None:
    """Write a file that was never readable by others."""
    before = os.umask(0o077)
    try:
        write_text(path, text)
    finally:
        os.umask(before)
    os.chmod(path, 0o600)


def _with_server(texts: Mapping[str, str], uri: str) -> dict[str, str]:
    """Return the files that name a server, with this one."""
    quoted = json.dumps(uri)  # YAML, too
    filled = {
        "environment.sh": _replaced(
            texts["environment.sh"],
            "# Remove the # and fill in the address:\n"
            "# export INTEROHM_MONGODB_URI='mongodb://USER:PASSWORD@localhost:27017/?authSource=admin'",
            f"export INTEROHM_MONGODB_URI={shlex.quote(uri)}",
        )
    }
    if "my_launchpad.yaml" in texts:
        launchpad = _replaced(
            texts["my_launchpad.yaml"],
            "host: localhost\nport: 27017\n",
            f"host: {quoted}\nuri_mode: true\n",
        )
        for field in ("username", "password", "authsource"):
            launchpad = _replaced(launchpad, f"{field}: null\n", "")
        filled["my_launchpad.yaml"] = launchpad
    for name in texts.keys() & {"jobflow.yaml", _PROJECT}:
        text = _HOST.sub(lambda host: f"{host[1]}uri: {quoted}\n", texts[name])
        filled[name] = _CREDENTIALS.sub("", text)
    return filled


def _replaced(text: str, example: str, filled: str) -> str:
    assert example in text
    return text.replace(example, filled)
