"""A screening as jobs: contacts once, the cells in parts, and what they come to together.

The jobs share the screening's folder, where each leaves what the next ones need. What they screen
is written there when they are submitted, so that all of them see the same records whatever becomes
of the database meanwhile.
"""

from __future__ import annotations

import json
import os
from typing import Any

from jobflow import Flow, job
from pydantic import TypeAdapter

from interohm.screening.candidates import Records
from interohm.screening.config import ScreenConfig
from interohm.screening.run import prepare, run_screening, screen_part
from interohm.screening.screening import Screening
from interohm.settings import load_settings
from interohm.yaml_io import write_text

_ASKED = "asked.json"
_RECORDS: TypeAdapter[Records] = TypeAdapter(Records)


def screening_flow(screening: Screening, parts: int) -> Flow:
    """Return the jobs of a screening.

    Parameters
    ----------
    screening : Screening
        Its folder lies in ``screens`` of the project's folder, which the workers share.
    parts : int
        Jobs among which the cells are divided; the result does not depend on it.
    """
    name = screening.folder.name
    contacts = solve_contacts(name)
    shares = [screen_share(contacts.output, place=place, of=parts) for place in range(parts)]
    for place, share in enumerate(shares):
        share.name = f"cells, part {place + 1} of {parts}"
    whole = add_up([share.output for share in shares], name=name)
    contacts.name, whole.name = "contacts", "result"
    return Flow([contacts, *shares, whole], name=screening.config.name, output=whole.output)


def keep_asked(screening: Screening) -> None:
    """Write into the screening's folder what its jobs are to do."""
    screening.folder.mkdir(parents=True, exist_ok=True)
    asked = {
        "config": screening.config.model_dump(mode="json"),
        "records": _RECORDS.dump_python(screening.records, mode="json"),
        "table": screening.table,
    }
    write_text(screening.folder / _ASKED, json.dumps(asked, allow_nan=False))


@job
def solve_contacts(name: str) -> str:
    """Solve all contacts, and the cells that are not their sums; return the folder's name."""
    prepare(_kept(name), _unseen)
    return name


@job
def screen_share(name: str, *, place: int, of: int) -> int:
    """Screen one of several parts of the cells; return its number."""
    screen_part(_kept(name), _unseen, place=place, of=of)
    return place


@job
def add_up(shares: list[int], *, name: str) -> str:
    """Add up the parts; the result stands in the folder's ``screening.json``."""
    assert sorted(shares) == list(range(len(shares)))
    run_screening(_kept(name), _unseen)
    return name


def _kept(name: str) -> Screening:
    folder = load_settings().data / "screens" / name
    asked = json.loads((folder / _ASKED).read_text())
    return Screening(
        ScreenConfig.model_validate(asked["config"]),
        _RECORDS.validate_python(asked["records"]),
        folder,
        workers=len(os.sched_getaffinity(0)),
        table=asked["table"],
    )


def _unseen(stage: str, steps: int) -> Any:
    """Progress of a job that nobody looks at."""
    return lambda more: None
