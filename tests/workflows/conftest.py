"""A project folder of the test's own, and the campaign that it calculates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from interohm.database import Database
from interohm.workflows.campaign import CampaignConfig, PlannedCalculation, load_campaign
from interohm.workflows.claims import claimed

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture
def block() -> Callable[[PlannedCalculation], None]:
    """A function that lets a calculation fail: a folder stands where its request is written."""

    def put_in_the_way(planned: PlannedCalculation) -> None:
        (claimed(planned.request).folder / "request.json").mkdir(parents=True)

    return put_in_the_way


@pytest.fixture
def tiny() -> CampaignConfig:
    """Li and LiF with settings for tests."""
    return load_campaign(DATA / "campaigns" / "tiny.yaml")


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """An empty database, open for writing."""
    monkeypatch.setenv("INTEROHM_DATA", str(tmp_path / "project"))
    monkeypatch.delenv("INTEROHM_MONGODB_URI", raising=False)
    with Database.open(write=True) as opened:
        yield opened
