"""What works on this machine, what is missing, and how to get it."""

from __future__ import annotations

import os
import shutil
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, NamedTuple

from interohm.errors import InputError

_PATIENCE_MS = 5000
_PACKAGES = (
    "numpy",
    "scipy",
    "pydantic",
    "pymatgen",
    "pymatgen-analysis-defects",
    "ase",
    "jobflow",
    "fireworks",
    "maggma",
    "montydb",
    "pymongo",
)


class Check(NamedTuple):
    """One part of the installation.

    Parameters
    ----------
    part : str
        As ``engine gpaw``.
    status : {"ok", "missing", "broken"}
        ``missing`` is optional and absent; ``broken`` keeps the program from working.
    found : str
        What is there.
    fix : str
        How to get what is not.
    """

    part: str
    status: Literal["ok", "missing", "broken"]
    found: str
    fix: str = ""


def examine() -> list[Check]:
    """Return all checks; nothing is changed and nothing is created."""
    return [
        _packages(),
        _gpaw(),
        _libxc(),
        _vasp(),
        _potcars(),
        _materials_project(),
        _database(),
        _launchpad(),
        _queue(),
    ]


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _packages() -> Check:
    versions = {package: _version(package) for package in _PACKAGES}
    absent = [package for package, found in versions.items() if found is None]
    if absent:
        return Check(
            "Python packages",
            "broken",
            f"without {', '.join(absent)}",
            f"pip install {' '.join(absent)}",
        )
    return Check("Python packages", "ok", ", ".join(f"{p} {v}" for p, v in versions.items()))


def _gpaw() -> Check:
    part = "engine gpaw"
    if find_spec("gpaw") is None:
        return Check(
            part,
            "missing",
            "not installed",
            "`make install`, or pip install 'interohm[gpaw]' with a C++ compiler; see the README",
        )
    try:
        import gpaw

        setups = [Path(path) for path in gpaw.setup_paths]
    except Exception as error:  # whatever a broken build raises belongs into the table
        return Check(part, "broken", f"does not load: {error}", "install it again")
    if not any(any(path.glob("Li.PBE*")) for path in setups if path.is_dir()):
        return Check(
            part,
            "missing",
            f"gpaw {gpaw.__version__} without PAW data sets",
            "pip install gpaw-data, or let GPAW_SETUP_PATH name them",
        )
    return Check(part, "ok", f"gpaw {gpaw.__version__}, data sets in {setups[0]}")


def _libxc() -> Check:
    part = "gpaw: hybrid functionals"
    try:
        from gpaw import cgpaw
    except ImportError:
        return Check(part, "missing", "gpaw is not installed")
    if hasattr(cgpaw, "lxcXCFunctional"):
        return Check(part, "ok", "built with libxc")
    return Check(
        part,
        "missing",
        "built without libxc (PBE and LDA work)",
        "apt install libxc-dev, then build gpaw anew without `nolibxc = True`",
    )


def _vasp() -> Check:
    part = "engine vasp"
    found = _version("atomate2")
    if found is None:
        return Check(part, "missing", "atomate2 is not installed", "pip install 'interohm[vasp]'")
    try:
        from atomate2 import SETTINGS

        command = str(SETTINGS.VASP_CMD)
    except Exception as error:  # a wrong ~/.atomate2.yaml raises pydantic's or YAML's errors
        return Check(part, "missing", f"atomate2 does not load: {error}", "check ~/.atomate2.yaml")
    words = [word for word in command.split() if not word.startswith("-")]
    program = next((word for word in words if "vasp" in word), words[-1] if words else "vasp_std")
    if shutil.which(os.path.expandvars(program)) is None:
        return Check(
            part,
            "missing",
            f"atomate2 {found}; its command `{command}` is not on the PATH",
            "load VASP's module, and set VASP_CMD in ~/.atomate2.yaml to how it is started",
        )
    return Check(part, "ok", f"atomate2 {found}, command `{command}`")


def _potcars() -> Check:
    part = "vasp: POTCARs"
    from pymatgen.core import SETTINGS

    folder = SETTINGS.get("PMG_VASP_PSP_DIR")
    if folder and Path(folder).is_dir():
        return Check(part, "ok", str(folder))
    return Check(
        part,
        "missing",
        f"{folder} is no folder" if folder else "PMG_VASP_PSP_DIR is not set",
        "pmg config -p YOUR_POTCARS FOLDER, then pmg config --add PMG_VASP_PSP_DIR FOLDER",
    )


def _materials_project() -> Check:
    from interohm.settings import load_settings

    part = "Materials Project"
    try:
        key = load_settings().materials_project_key
    except InputError as error:
        return Check(part, "broken", error.what, error.fix or "")
    if key is None:
        return Check(
            part,
            "missing",
            "no key; structures come from files",
            "set INTEROHM_MATERIALS_PROJECT_KEY (materialsproject.org, API)",
        )
    if _version("mp-api") is None:
        return Check(part, "missing", "a key is set, its client is missing", "pip install mp-api")
    return Check(part, "ok", "key is set")


def _database() -> Check:
    from interohm.database import COLLECTIONS, Database

    part = "database"
    try:
        with Database.open() as database:
            counts = ", ".join(f"{database.count(name)} {name}" for name in COLLECTIONS)
            return Check(part, "ok", f"{database.location}: {counts}")
    except InputError as error:
        where = f"{error.where}: " if error.where else ""
        return Check(part, "broken", f"{where}{error.what}", error.fix or "")


def _launchpad() -> Check:
    part = "queue: FireWorks"
    from fireworks.fw_config import LAUNCHPAD_LOC

    if LAUNCHPAD_LOC is None:
        return Check(
            part,
            "missing",
            "no my_launchpad.yaml; campaigns run on this machine",
            "only for clusters: lpad init, and FW_CONFIG_FILE naming its folder",
        )
    from fireworks import LaunchPad

    from interohm.yaml_io import load_yaml

    try:
        described = load_yaml(LAUNCHPAD_LOC)
        patience = {
            **(described.get("mongoclient_kwargs") or {}),
            "serverSelectionTimeoutMS": _PATIENCE_MS,
        }
        pad = LaunchPad.from_dict({**described, "logdir": None, "mongoclient_kwargs": patience})
        jobs = pad.fireworks.estimated_document_count()
        pad.connection.close()
    except Exception as error:  # FireWorks passes on whatever a wrong file leads to
        # Only the kind of error is shown: the driver may quote the address with its password.
        return Check(
            part,
            "missing",
            f"the launchpad of {LAUNCHPAD_LOC} cannot be used ({type(error).__name__})",
            "check host, port, user and password in it and that the server runs; lpad init",
        )
    return Check(part, "ok", f"{LAUNCHPAD_LOC}, {jobs} jobs")


def _queue() -> Check:
    systems = {"Slurm": "sbatch", "PBS": "qsub"}
    found = [f"{name} ({path})" for name, c in systems.items() if (path := shutil.which(c))]
    if found:
        return Check("queue: batch system", "ok", ", ".join(found))
    return Check(
        "queue: batch system",
        "missing",
        "neither sbatch nor qsub is on the PATH; campaigns run on this machine",
        "only for clusters: run interohm on a login node",
    )
