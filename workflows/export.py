"""Writes a campaign's finished phases as files: what ``configs/`` ships is made with this.

``python -m interohm.workflows.export CAMPAIGN.yaml FOLDER`` takes the calculations from the
project's database (and those shipped already) and writes ``FOLDER/calculations/HASH.json.gz``,
which is how a run finds them (`find_calculation`), ``FOLDER/materials/PHASE.yaml`` and
``FOLDER/interfaces/NAME.yaml``. What a phase still lacks is named, and it has no record then;
nothing is calculated.
"""

from __future__ import annotations

import gzip
import json
import sys
import tempfile
from pathlib import Path

from interohm.database import Database
from interohm.database.shipped_calculations import KEYS_FILE
from interohm.postprocess.calculation import Calculation
from interohm.records import save_material
from interohm.records.interface import Interface, save_interface
from interohm.settings import Settings
from interohm.yaml_io import write_bytes

from .calculations import find_calculation
from .campaign import CampaignConfig, dry_run, load_campaign
from .equivalents import request_of_calculation
from .local import run_campaign


def main() -> int:
    """Export; the exit status is 1 if phases are not finished."""
    campaign, folder = load_campaign(sys.argv[1]), Path(sys.argv[2])
    missing = 0
    with Database.open() as database:
        for phase in campaign.phases:
            alone = campaign.model_copy(update={"phases": [phase]})
            alone._folder = campaign.folder
            rows = dry_run(alone, database)
            found = [find_calculation(database, row.hash) for row in rows]
            calculations = [calculation for calculation in found if calculation is not None]
            for calculation in calculations:
                write_calculation(calculation, folder / "calculations")
            if len(calculations) < len(rows):
                missing += 1
                lost = [row.label for row, one in zip(rows, found, strict=True) if one is None]
                sys.stderr.write(f"not calculated: {', '.join(lost)}\n")
                continue
            write_records(alone, calculations, folder)
    write_keys(folder / "calculations", folder / "calculations" / KEYS_FILE)
    return 1 if missing else 0


def write_calculation(calculation: Calculation, folder: Path) -> Path:
    """Write one calculation, whole or not at all, the same bytes every time."""
    path = folder / f"{calculation.hash}.json.gz"
    text = calculation.model_dump_json(exclude_none=True)
    folder.mkdir(parents=True, exist_ok=True)
    write_bytes(path, gzip.compress(text.encode(), mtime=0))
    return path


def write_keys(folder: Path, path: Path) -> None:
    """Write the file by which the calculations of a folder are looked up."""
    keys: dict[str, list[str]] = {}
    for file in sorted(folder.glob("*.json.gz")):
        calculation = Calculation.model_validate_json(gzip.decompress(file.read_bytes()))
        keys.setdefault(request_of_calculation(calculation).key, []).append(calculation.hash)
    write_bytes(path, json.dumps(keys, sort_keys=True, indent=1).encode() + b"\n")


def write_records(
    campaign: CampaignConfig, calculations: list[Calculation], folder: Path
) -> list[Path]:
    """Write the records that follow from a campaign's finished calculations.

    Parameters
    ----------
    campaign : CampaignConfig
        The campaign that was calculated.
    calculations : list of Calculation
        All that belong to it.
    folder : Path
        Gets ``materials/`` and ``interfaces/``.
    """
    paths = []
    with tempfile.TemporaryDirectory() as scratch:
        # A database of its own: the project's may be in use by the run that fills it.
        with Database.open(Settings(data=Path(scratch)), write=True) as database:
            for calculation in calculations:
                database.save_calculation(calculation.model_dump())
            records = run_campaign(campaign, database, progress=False, workers=1)
        for name, record in records.items():
            kind = "interfaces" if isinstance(record, Interface) else "materials"
            paths.append(folder / kind / f"{name}.yaml")
            paths[-1].parent.mkdir(parents=True, exist_ok=True)
            if isinstance(record, Interface):
                save_interface(record, paths[-1])
            else:
                save_material(record, paths[-1])
    return paths


if __name__ == "__main__":
    raise SystemExit(main())
