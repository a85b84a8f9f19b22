"""The inputs of a campaign for VASP, written where there is no VASP to run them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from interohm.database import Database
from interohm.yaml_io import dump_yaml, write_text

from .campaign import dry_run
from .campaign_config import CampaignConfig
from .engines.vasp_inputs import write_inputs

PLAN = "calculations.yaml"


def write_campaign_inputs(config: CampaignConfig, database: Database, folder: Path) -> list[Path]:
    """Write the inputs of every calculation that is not in the database; submit nothing.

    Parameters
    ----------
    config : CampaignConfig
        The campaign.
    database : Database
        Opened for reading.
    folder : Path
        Gets a folder for each calculation, and `PLAN`, which says what they are. What follows from
        a calculation that is not done yet has the structure that this one begins with, and is
        written anew when it is done.

    Returns
    -------
    list of Path
        The calculations' folders.
    """
    written: list[Path] = []
    plan: list[dict[str, Any]] = []
    for planned in dry_run(config, database):
        if planned.found:
            continue
        directory = _folder_name(planned.label)
        name, taken = directory, [entry["folder"] for entry in plan]
        candidates = 1
        while name in taken:
            candidates += 1
            name = f"{directory}_{candidates}"
        write_inputs(planned.request, folder / name)
        written.append(folder / name)
        plan.append(
            {
                "folder": name,
                "calculation": planned.label,
                "hash": planned.hash,
                "kind": planned.kind,
                "charge": planned.charge,
                "atoms": planned.atoms,
                "electrons": planned.electrons,
                "kpoints": list(planned.kpoints),
                # POTCAR.spec has the symbols alone.
                "potcars": planned.request.settings["potcars"]["functional"],
            }
        )
    if not written:
        return []
    write_text(folder / PLAN, dump_yaml({"campaign": config.name, "calculations": plan}))
    return written


def _folder_name(label: str) -> str:
    """Return ``LiF/slab_001`` for ``LiF: slab (001)``."""
    phase, _, step = label.partition(": ")
    words = [re.sub(r"[^\w+-]+", "_", part).strip("_") for part in (phase, step)]
    return "/".join(words)
