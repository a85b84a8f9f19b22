"""The files by which FireWorks, jobflow and interohm know a cluster, written to begin with."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Literal

from interohm.errors import InputError
from interohm.yaml_io import write_text

Scheduler = Literal["slurm", "pbs"]

_SHARED = ("FW_config.yaml", "my_launchpad.yaml", "my_fworker.yaml", "jobflow.yaml")


def write_cluster_files(
    folder: Path, scheduler: Scheduler, mongodb_uri: str | None = None
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
    if mongodb_uri is not None:
        texts |= _with_server(texts, mongodb_uri)
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
        _write_for_oneself(path, filled)
        written.append(path)
    return written


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
    launchpad = _replaced(
        texts["my_launchpad.yaml"],
        "host: localhost\nport: 27017\n",
        f"host: {quoted}\nuri_mode: true\n",
    )
    for field in ("username", "password", "authsource"):
        launchpad = _replaced(launchpad, f"{field}: null\n", "")
    jobflow, _, _ = texts["jobflow.yaml"].partition("    # Credentials")
    jobflow = _replaced(jobflow, "    host: localhost\n    port: 27017\n", f"    uri: {quoted}\n")
    return {
        "my_launchpad.yaml": launchpad,
        "jobflow.yaml": jobflow,
        "environment.sh": _replaced(
            texts["environment.sh"],
            "# export INTEROHM_MONGODB_URI='mongodb://USER:PASSWORD@localhost:27017/?authSource=admin'",
            f"export INTEROHM_MONGODB_URI={shlex.quote(uri)}",
        ),
    }


def _replaced(text: str, example: str, filled: str) -> str:
    assert example in text
    return text.replace(example, filled)
