"""What a record is made of when some of its defects did not finish."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from monty.json import MontyDecoder

from interohm.database import Database
from interohm.records import Insulator
from interohm.records.uncertainty import quantities
from interohm.settings import Settings
from interohm.workflows.campaign import (
    PlannedCalculation,
    campaign_flow,
    dry_run,
    load_campaign,
)
from interohm.workflows.campaign_config import CampaignConfig
from interohm.workflows.context import using
from interohm.workflows.display import Display
from interohm.workflows.local import CampaignError, run_campaign, run_flow

Run = Callable[[str], tuple[Insulator | None, dict[str, str]]]
ROOT = Path(__file__).parents[2]
FINISHED = ROOT / "tests" / "data" / "calculations" / "quick"


@pytest.fixture
def fluoride() -> CampaignConfig:
    """LiF of the demo, whose calculations the tests' data has."""
    campaign = load_campaign(ROOT / "configs" / "campaigns" / "demo.yaml")
    config = campaign.model_copy(update={"phases": campaign.phases[1:]})
    config._folder = campaign.folder
    return config


@pytest.fixture
def plan(fluoride: CampaignConfig, tmp_path: Path) -> dict[str, PlannedCalculation]:
    """Its calculations by label, with the hashes that they have once all is finished."""
    with Database.open(Settings(data=tmp_path / "finished"), write=True) as finished:
        for path in FINISHED.glob("*.json.gz"):
            finished.save_calculation(json.loads(gzip.decompress(path.read_bytes())))
        rows = dry_run(fluoride, finished)
    assert all(row.found for row in rows)
    return {row.label: row for row in rows}


@pytest.fixture
def run_without(
    fluoride: CampaignConfig,
    plan: dict[str, PlannedCalculation],
    database: Database,
    block: Callable[[PlannedCalculation], None],
) -> Run:
    """A function that runs with all finished but one calculation, which cannot start."""

    def run(lost: str) -> tuple[Insulator | None, dict[str, str]]:
        for label, row in plan.items():
            if label == lost:
                block(row)
                continue
            text = gzip.decompress((FINISHED / f"{row.hash}.json.gz").read_bytes())
            database.save_calculation(json.loads(text))
        with pytest.raises(CampaignError) as caught:
            run_campaign(fluoride, database, progress=False)
        record = database.material("LiF")
        assert record is None or isinstance(record, Insulator)
        return record, caught.value.failures

    return run


def test_a_defect_that_failed_is_missed_and_the_others_count(run_without: Run) -> None:
    record, failures = run_without("LiF: V_F +1")
    assert set(failures) == {"LiF: V_F +1"}
    assert record is not None
    assert [defect.name for defect in record.defects] == ["V_Li", "Li_i"]
    assert record.provenance["missing"] == ["V_F"]


def test_ions_of_one_sign_make_no_record(run_without: Run) -> None:
    record, failures = run_without("LiF: V_Li -1")
    assert record is None
    assert set(failures) == {"LiF: V_Li -1", "LiF: record"}
    assert "no record without V_Li" in failures["LiF: record"]


def test_what_all_levels_need_is_not_left_out(run_without: Run) -> None:
    record, failures = run_without("LiF: slab (001)")
    assert record is None
    assert "no record without slab" in failures["LiF: record"]


def test_a_flow_that_an_earlier_version_put_into_a_queue_makes_the_same_record(
    fluoride: CampaignConfig, plan: dict[str, PlannedCalculation], database: Database
) -> None:
    """Its jobs give one by one what those of this version give in groups."""
    for row in plan.values():
        text = gzip.decompress((FINISHED / f"{row.hash}.json.gz").read_bytes())
        database.save_calculation(json.loads(text))
    records = []
    queued = ROOT / "tests" / "data" / "queued_flow.json.gz"
    earlier = MontyDecoder().decode(gzip.decompress(queued.read_bytes()).decode())
    for flow in (earlier, campaign_flow(fluoride)):
        with using(database), Display.on_standard_error(False) as display:
            assert run_flow(flow, database, workers=1, display=display) == {}
        records.append(database.material("LiF"))
    first, second = records
    assert first is not None
    # uncertainties are the preset's, and saturation is the campaign's default, as the flow took
    # them along
    first_values, second_values = (
        [(field, q.value) for field, q in quantities(one) if field != "saturation"]
        for one in (first, second)
    )
    assert first_values == second_values
    assert first.provenance["calculations"] == second.provenance["calculations"]
    assert {defect.name for defect in first.defects} == {"V_F", "V_Li", "Li_i"}
