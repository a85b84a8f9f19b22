"""Writes a campaign's finished calculations as files: what ``configs/calculations`` is made with.

``python -m interohm.workflows.export CAMPAIGN.yaml FOLDER`` takes them from the project's database.
A file is named by its calculation's hash, which is how a run finds it (`find_calculation`).
"""

from __future__ import annotations

import gzip
import os
import sys
from pathlib import Path

from interohm.postprocess.calculation import Calculation

from interohm.database import Database

from .calculations import find_calculation
from .campaign import dry_run, load_campaign


def main() -> int:
    """Export; the exit status is 1 if calculations are missing."""
    campaign, folder = sys.argv[1], Path(sys.argv[2])
    missing = 0
    with Database.open() as database:
        for row in dry_run(load_campaign(campaign), database):
            calculation = find_calculation(database, row.hash)
            if calculation is None:
                missing += 1
                sys.stderr.write(f"not calculated: {row.label}\n")
            else:
                write_calculation(calculation, folder)
    return 1 if missing else 0


def write_calculation(calculation: Calculation, folder: Path) -> Path:
    """Write one calculation, whole or not at all, the same bytes every time."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{calculation.hash}.json.gz"
    partial = path.with_suffix(".partial")
    text = calculation.model_dump_json(exclude_none=True)
    partial.write_bytes(gzip.compress(text.encode(), mtime=0))
    os.replace(partial, path)
    return path


if __name__ == "__main__":
    raise SystemExit(main())
