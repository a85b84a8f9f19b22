"""The launchpad that the user's FireWorks files name, opened without a word about its password."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interohm.errors import InputError
from interohm.yaml_io import load_yaml

if TYPE_CHECKING:
    from fireworks import LaunchPad

#: The field of a workflow's metadata that says which phase of which campaign it calculates.
METADATA = "interohm"

#: Ends the name of the job that plans a phase.
PLAN_NAME = ": plan"

#: In the metadata of jobs that a plan was replaced by: the uuid of the plan.
PLANNED_BY = "interohm_plan"

#: In the specification of a job that waits for another one's calculation (in jobflow-remote: in
#: its metadata): the calculation's key, that job's name, and the file that its worker holds locked.
WAITS_FOR = "interohm_waits_for"

#: The worker that such a job of FireWorks asks for: there is none of this name.
NOBODY = "nobody: it waits for another job"

_TAKEN_AGAIN = {"$unset": {"spec._fworker": "", f"spec.{WAITS_FOR}": ""}}

PATIENCE_MS = 5000


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Show nothing of what FireWorks prints and warns of inside the block.

    It prints which of its files it finds where the output of a command belongs.
    """
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


def launchpad_file() -> Path | None:
    """Return the path of ``my_launchpad.yaml``, where FireWorks finds one."""
    with quiet():
        from fireworks.fw_config import LAUNCHPAD_LOC
    return None if LAUNCHPAD_LOC is None else Path(LAUNCHPAD_LOC)


def queue_file() -> Path | None:
    """Return the path of ``my_qadapter.yaml``, where FireWorks finds one."""
    with quiet():
        from fireworks.fw_config import QUEUEADAPTER_LOC
    return None if QUEUEADAPTER_LOC is None else Path(QUEUEADAPTER_LOC)


@contextlib.contextmanager
def open_launchpad() -> Iterator[LaunchPad]:
    """Connect to the launchpad of ``my_launchpad.yaml``, and disconnect at the end of the block.

    Raises
    ------
    InputError
        There is no such file, it cannot be used, or its server does not answer or refuses a
        request; the message holds no credentials.
    """
    from pymongo.errors import PyMongoError

    path = launchpad_file()
    if path is None:
        raise InputError(
            "FireWorks finds no my_launchpad.yaml",
            where="queue",
            fix="let FW_CONFIG_FILE name the FW_config.yaml of your cluster; "
            "`interohm init-cluster FOLDER` writes one",
        )
    # Only the kind of an error is passed on: the driver may quote the address with its password.
    try:
        pad = _launchpad(load_yaml(path))
        pad.connection.admin.command("ping")
    except InputError:
        raise
    except Exception as error:  # FireWorks passes on whatever a wrong file leads to
        raise _unusable(path, error) from None
    with contextlib.closing(pad.connection), warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="fireworks")
        try:
            yield pad
        except PyMongoError as error:
            raise _unusable(path, error) from None


def is_empty(launchpad: LaunchPad) -> bool:
    """Return whether a launchpad has no counters yet, without which it takes no workflow."""
    return launchpad.fw_id_assigner.find_one({}) is None


def let_be_taken(launchpad: LaunchPad, criteria: dict[str, Any]) -> None:
    """Make waiting jobs of a launchpad available to the next worker.

    Parameters
    ----------
    launchpad : LaunchPad
        The queue.
    criteria : mapping
        Criteria of the jobs, as pymongo takes them.
    """
    launchpad.fireworks.update_many(
        {**criteria, "state": "READY", "spec._fworker": NOBODY}, _TAKEN_AGAIN
    )


def claims_waited_for(launchpad: LaunchPad) -> list[str]:
    """Return the files that workers hold locked while jobs of a launchpad wait for them."""
    waiting = {f"spec.{WAITS_FOR}.claim": {"$exists": True}, "spec._fworker": NOBODY}
    found = launchpad.fireworks.distinct(f"spec.{WAITS_FOR}.claim", {**waiting, "state": "READY"})
    return [str(claim) for claim in found]


def let_one_be_taken(launchpad: LaunchPad, claim: str) -> None:
    """Let the first of the jobs be taken that wait for the holder of a claim, who is gone."""
    launchpad.fireworks.find_one_and_update(
        {f"spec.{WAITS_FOR}.claim": claim, "state": "READY", "spec._fworker": NOBODY},
        _TAKEN_AGAIN,
        projection={"fw_id": 1},
        sort=[("fw_id", 1)],
    )


def _launchpad(described: dict[str, Any]) -> LaunchPad:
    with quiet():
        from fireworks import LaunchPad

    patience = {"serverSelectionTimeoutMS": PATIENCE_MS}
    options = {**patience, **(described.get("mongoclient_kwargs") or {})}
    return LaunchPad.from_dict(
        {**described, "logdir": None, "strm_lvl": "CRITICAL", "mongoclient_kwargs": options}
    )


def _unusable(path: Path, error: Exception) -> InputError:
    return InputError(
        f"the launchpad cannot be used ({type(error).__name__})",
        where=str(path),
        fix="check host, port, name, user and password in it, and that the server runs",
    )
