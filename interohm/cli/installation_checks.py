"""Checks of the installation: what works, what is missing, and how to get it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal, NamedTuple

from interohm.errors import InputError
from interohm.extras import EXTRAS, install_command, missing_packages
from interohm.settings import has_batch_system

_PATIENCE_MS = 5000
_PACKAGES = (
    "numpy",
    "scipy",
    "pydantic",
    "pymatgen",
    "ase",
    "jobflow",
    "fireworks",
    "maggma",
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
        Description of what was found.
    fix : str
        How to get what is not.
    """

    part: str
    status: Literal["ok", "missing", "broken"]
    found: str
    fix: str = ""


def examine() -> list[Check]:
    """Return all checks; nothing is changed, and nothing that is created stays."""
    return [
        _packages(),
        _extra("defects", "needed by engines, to find the sites of defects"),
        _extra("parquet", "tables of screenings; CSV and JSON work without"),
        _extra("explore", "the database in a browser"),
        _gpaw(),
        _libxc(),
        _mpi(),
        _vasp(),
        _potcars(),
        _shakenbreak(),
        _materials_project(),
        _database(),
        _scratch(),
        _launchpad(),
        _job_store(),
        _worker(),
        _remote(),
        _queue(),
        *_requests(),
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


def _extra(name: str, purpose: str) -> Check:
    part = f"extra {name}"
    if missing_packages(name):
        found = f"{' and '.join(missing_packages(name))} not installed ({purpose})"
        return Check(part, "missing", found, install_command(name))
    packages = EXTRAS[name].values()
    return Check(part, "ok", ", ".join(f"{package} {_version(package)}" for package in packages))


def _gpaw() -> Check:
    part = "engine gpaw"
    if missing_packages("gpaw"):
        return Check(
            part,
            "missing",
            f"{' and '.join(missing_packages('gpaw'))} not installed",
            f"{install_command('gpaw')} with a C++ compiler, or `make install`: docs/install.md",
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
        return Check(part, "missing", "gpaw is not installed", "see the engine gpaw")
    if hasattr(cgpaw, "lxcXCFunctional"):
        return Check(part, "ok", "built with libxc")
    return Check(
        part,
        "missing",
        "built without libxc (PBE and LDA work)",
        "apt install libxc-dev, then rebuild gpaw without `nolibxc = True`",
    )


def _mpi() -> Check:
    part = "gpaw: MPI"
    try:
        from gpaw import cgpaw
    except ImportError:
        return Check(part, "missing", "gpaw is not installed", "see the engine gpaw")
    if not cgpaw.have_mpi:
        return Check(
            part,
            "missing",
            "built without MPI; a calculation has one core, several run side by side",
            "only for large cells: apt install libopenmpi-dev libscalapack-mpi-dev, then rebuild "
            "gpaw with `mpi = True`",
        )
    if (mpiexec := shutil.which("mpiexec")) is None:
        return Check(part, "missing", "mpiexec is not on the PATH", "load the module of MPI")
    from interohm.settings import load_settings

    processes = load_settings().gpaw_processes
    return Check(
        part, "ok", f"{mpiexec}, {processes} processes per calculation (INTEROHM_GPAW_PROCESSES)"
    )


def _vasp() -> Check:
    part = "engine vasp"
    found = _version("atomate2")
    if missing := missing_packages("vasp"):
        return Check(
            part, "missing", f"{' and '.join(missing)} not installed", install_command("vasp")
        )
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
            "load VASP's module, and set VASP_CMD in ~/.atomate2.yaml to the command that starts "
            "it",
        )
    return Check(part, "ok", f"atomate2 {found}, command `{command}`")


def _shakenbreak() -> Check:
    part = "vasp: ShakeNBreak"
    found = _version("shakenbreak")
    if found is None:
        return Check(
            part,
            "missing",
            "defects start from random displacements",
            f"{install_command('shakenbreak')}, for presets that ask for it",
        )
    return Check(part, "ok", f"shakenbreak {found}")


def _potcars() -> Check:
    part = "vasp: POTCARs"
    from pymatgen.core import SETTINGS

    folder = SETTINGS.get("PMG_VASP_PSP_DIR")
    if folder and Path(folder).is_dir():
        return Check(part, "ok", str(folder))
    return Check(
        part,
        "missing",
        f"{folder} is not a folder" if folder else "PMG_VASP_PSP_DIR is not set",
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
        return Check(
            part, "missing", "a key is set, but its client is missing", "pip install mp-api"
        )
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


def _scratch() -> Check:
    from interohm.settings import load_settings
    from interohm.workflows.claims import scratch_of

    part = "calculations' folders"
    try:
        data = load_settings().data
    except InputError as error:
        return Check(part, "broken", error.what, error.fix or "")
    found = scratch_of(data)
    return Check(
        part,
        "ok",
        f"{data / 'scratch'}: {found.size_MB:.3g} MB; {found.unfinished} unfinished calculations, "
        f"logs of {found.finished} finished ones",
    )


def _launchpad() -> Check:
    from interohm.workflows.launchpad import is_empty, launchpad_file, open_launchpad

    part = "queue: FireWorks"
    path = launchpad_file()
    if path is None:
        return Check(
            part,
            "missing",
            "no my_launchpad.yaml"
            + ("" if has_batch_system() else "; campaigns run on this machine"),
            "only for clusters: interohm init-cluster FOLDER, then . FOLDER/environment.sh",
        )
    try:
        with open_launchpad() as pad:
            jobs = pad.fireworks.estimated_document_count()
            empty = _empty("lpad reset") if is_empty(pad) else ""
    except InputError as error:
        return Check(part, "missing", f"{path}: {error.what}", error.fix or "")
    return Check(part, "ok", f"{path}, {jobs} jobs{empty}")


def _empty(reset: str) -> str:
    """Return how to prepare an empty database for flows that other programs add."""
    return f" (database empty: `interohm submit` prepares it; before flows of your own, `{reset}`)"


def _job_store() -> Check:
    part = "queue: outputs of jobs"
    fix = "only for clusters: let JOBFLOW_CONFIG_FILE name a jobflow.yaml with a server in it"
    try:
        from jobflow import SETTINGS
        from maggma.stores import MemoryStore

        store = SETTINGS.JOB_STORE.docs_store
    except Exception as error:  # jobflow passes on whatever a wrong file leads to
        # Only the kind of error is shown here and below: it may quote an address with its password.
        return Check(part, "missing", f"jobflow.yaml cannot be used ({type(error).__name__})", fix)
    if type(store) is MemoryStore:
        return Check(
            part, "missing", "jobflow keeps them in memory, where other jobs cannot read them", fix
        )
    if hasattr(store, "mongoclient_kwargs"):
        store.mongoclient_kwargs = {
            **store.mongoclient_kwargs,
            "serverSelectionTimeoutMS": _PATIENCE_MS,
        }
    try:
        store.connect()
        count = store.count()
        store.close()
    except Exception as error:
        found = f"{type(store).__name__} does not answer ({type(error).__name__})"
        return Check(part, "missing", found, "check host, user and password in jobflow.yaml")
    return Check(part, "ok", f"{type(store).__name__} {store.collection_name}, {count} outputs")


def _worker() -> Check:
    """Check the files that a worker and `qlaunch` read, and that many of them can write."""
    from interohm.settings import load_settings
    from interohm.workflows.launchpad import launchpad_file, quiet

    part = "queue: workers"
    if launchpad_file() is None:
        return Check(part, "missing", "no my_launchpad.yaml", "only for clusters, see above")
    from fireworks import FWorker
    from fireworks.fw_config import FWORKER_LOC, QUEUEADAPTER_LOC
    from fireworks.utilities.fw_serializers import load_object_from_file

    absent = [
        name
        for name, path in (("my_fworker", FWORKER_LOC), ("my_qadapter", QUEUEADAPTER_LOC))
        if path is None
    ]
    if absent:
        files = ", ".join(f"{name}.yaml" for name in absent)
        return Check(part, "missing", f"no {files}", "interohm init-cluster FOLDER writes examples")
    try:
        with quiet():
            worker = FWorker.from_file(FWORKER_LOC)
            adapter = load_object_from_file(QUEUEADAPTER_LOC)
            adapter.get_script_str(".")
    except Exception as error:  # FireWorks passes on whatever a wrong file leads to
        found = f"{FWORKER_LOC} or {QUEUEADAPTER_LOC} cannot be used: {error}"
        return Check(part, "missing", found, "compare them with those of interohm init-cluster")
    if load_settings().mongodb_uri is None:
        return Check(
            part,
            "missing",
            "INTEROHM_MONGODB_URI is not set, and a project folder takes one writer at a time",
            "name a server in the environment of the jobs",
        )
    return Check(part, "ok", f"{worker.name}, {adapter.q_type}: {adapter['rocket_launch']}")


def _remote() -> Check:
    """Check the project of jobflow-remote, where there is one."""
    part = "queue: jobflow-remote"
    if (found := _version("jobflow-remote")) is None:
        return Check(part, "missing", "not installed", "pip install 'interohm[remote]'")
    from jobflow_remote import SETTINGS

    if not any(Path(SETTINGS.projects_folder).glob("*.*")):
        return Check(
            part,
            "missing",
            f"jobflow-remote {found}, no project",
            "instead of FireWorks: interohm init-cluster FOLDER --manager jobflow-remote",
        )
    from interohm.workflows.remote_queue import is_empty, open_project

    try:
        with open_project() as controller:
            jobs = controller.jobs.estimated_document_count()
            empty = _empty("jf admin reset") if is_empty(controller) else ""
            runner = controller.auxiliary.find_one({"running_runner": {"$ne": None}})
            project = controller.project
    except InputError as error:
        where = f"{error.where}: " if error.where else ""
        return Check(part, "missing", f"{where}{error.what}", error.fix or "")
    workers = ", ".join(project.workers)
    at_work = "a runner" if runner else "no runner (`jf runner start`)"
    return Check(part, "ok", f"{project.name}, {jobs} jobs{empty}, workers {workers}, {at_work}")


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


def _requests() -> list[Check]:
    """Ask the batch system whether it would accept jobs as the queue's files describe them."""
    part, scripts = "queue: a job", _job_scripts()
    if not scripts:
        return [Check(part, "missing", "no file describes one", "only for clusters, see above")]
    return [
        _request(part if len(scripts) == 1 else f"{part}, {where}", where, text)
        for where, text in scripts.items()
    ]


def _request(part: str, where: str, text: str) -> Check:
    if "#SBATCH" in text:
        test, hint = ["sbatch", "--test-only"], "partition, account, time and nodes"
    elif "#PBS" in text:
        # PBS has no test: a job on hold is taken or refused, and removed before it can begin.
        test, hint = ["qsub", "-h"], "queue, account, time and nodes"
    else:
        return Check(part, "ok", f"{where}: run by the shell")
    if shutil.which(test[0]) is None:
        return Check(part, "missing", f"{test[0]} is not on the PATH", "run it on a login node")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "job.sh"
        path.write_text(text)
        try:
            ran = subprocess.run(
                [*test, str(path)], cwd=folder, capture_output=True, text=True, timeout=60
            )
        except subprocess.TimeoutExpired:
            return Check(part, "missing", f"{test[0]} does not answer", "check that it runs")
    said = " ".join((ran.stderr or ran.stdout).split())
    if ran.returncode != 0:
        fix = f"correct {hint} in {where}"
        return Check(part, "missing", f"{' '.join(test)} refuses it: {said}", fix)
    if test[0] == "qsub":
        job = ran.stdout.strip()
        removed = subprocess.run(["qdel", job], capture_output=True, timeout=60).returncode == 0
        said = f"{job} was taken on hold, and " + ("removed" if removed else "is to be removed")
    return Check(part, "ok", f"{where}: {said}")


def _job_scripts() -> dict[str, str]:
    """Return the scripts of jobs of the batch system, by the places that describe them.

    They are those of the manager that commands use: FireWorks where it has files, unless
    INTEROHM_MANAGER names the other one.
    """
    from interohm.workflows.launchpad import launchpad_file, quiet

    if launchpad_file() is not None and os.environ.get("INTEROHM_MANAGER") != "jobflow-remote":
        with quiet():
            from fireworks.fw_config import QUEUEADAPTER_LOC
            from fireworks.utilities.fw_serializers import load_object_from_file
        if QUEUEADAPTER_LOC is None:
            return {}
        try:
            with quiet():
                adapter = load_object_from_file(QUEUEADAPTER_LOC)
                return {str(QUEUEADAPTER_LOC): adapter.get_script_str(".")}
        except Exception:  # "queue: workers" says it
            return {}
    from interohm.workflows.remote_queue import load_project

    try:
        project = load_project()
    except InputError:  # "queue: jobflow-remote" says it
        return {}
    return {
        f"worker {name} of {project.name}": str(
            worker.get_scheduler_io().get_submission_script("true", dict(worker.resources or {}))
        )
        for name, worker in project.workers.items()
        if worker.is_local  # the batch system of others is elsewhere
    }
