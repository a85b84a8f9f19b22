"""What the program ships: every file is what its name says, and a run finds it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from records_alike import assert_same_record

from interohm.database import Database
from interohm.database.shipped_calculations import KEYS_FILE
from interohm.postprocess.calculation import Calculation
from interohm.workflows.calculations import find_calculation
from interohm.workflows.campaign import dry_run, load_campaign
from interohm.workflows.engines.request import CalculationRequest
from interohm.workflows.export import write_calculation, write_keys, write_records

CONFIGS = Path(__file__).parents[2] / "configs"
SHIPPED = sorted((CONFIGS / "calculations").glob("*.json.gz"))


def read(path: Path) -> Calculation:
    return Calculation.model_validate_json(gzip.decompress(path.read_bytes()))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name[:8])
def test_a_file_is_what_its_name_says(path: Path, tmp_path: Path) -> None:
    calculation = read(path)
    asked = CalculationRequest(
        engine=calculation.engine,
        kind=calculation.kind,
        charge=calculation.charge,
        structure=calculation.initial_structure,
        settings=calculation.settings,
    )
    assert f"{asked.hash}.json.gz" == path.name
    relaxation = calculation.settings.get("relaxation")
    if relaxation is not None:
        # a path converges by the forces on its band, where the saddle's point uphill: as long
        # over all atoms as its own, not on each of them
        slack = 1.1 if calculation.kind == "neb" else 1.0
        assert calculation.max_force_eV_A <= slack * relaxation["force_tolerance_eV_A"]
    assert read(write_calculation(calculation, tmp_path)) == calculation


def test_they_are_looked_up_by_their_keys(tmp_path: Path) -> None:
    write_keys(CONFIGS / "calculations", tmp_path / KEYS_FILE)
    assert json.loads((tmp_path / KEYS_FILE).read_text()) == json.loads(
        (CONFIGS / "calculations" / KEYS_FILE).read_text()
    ), "run python -m interohm.workflows.export, which writes it anew"


def test_a_run_finds_them(database: Database) -> None:
    campaign = load_campaign(CONFIGS / "campaigns" / "interlayers.yaml")
    first = campaign.model_copy(update={"phases": campaign.phases[:1]})
    first._folder = campaign.folder
    rows = dry_run(first, database)
    assert [row.label for row in rows if not row.found] == []
    assert database.count("calculations") == 0
    assert find_calculation(database, "0" * 64) is None


@pytest.mark.parametrize("name", ["Li_110", "LiF_001"])
def test_the_shipped_records_are_made_from_them(
    name: str, database: Database, tmp_path: Path
) -> None:
    campaign = load_campaign(CONFIGS / "campaigns" / "interlayers.yaml")
    (phase,) = (phase for phase in campaign.phases if phase.name == name)
    alone = campaign.model_copy(update={"phases": [phase]})
    alone._folder = campaign.folder
    found = [find_calculation(database, row.hash) for row in dry_run(alone, database)]
    assert None not in found, "it would be calculated here"
    (made,) = write_records(alone, [one for one in found if one is not None], tmp_path)
    assert_same_record(made, CONFIGS / "materials" / made.name)
