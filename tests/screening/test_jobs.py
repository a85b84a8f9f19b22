"""A screening as jobs has the result of one on one machine."""

from __future__ import annotations

from pathlib import Path

from jobflow import JobStore, run_locally
from maggma.stores import MemoryStore

from interohm.database import Database
from interohm.records.shipped import shipped_material
from interohm.screening.candidates import find_records
from interohm.screening.config import ScreenConfig
from interohm.screening.jobs import keep_asked, screening_flow
from interohm.screening.run import prepare, run_screening, screen_part
from interohm.screening.screening import Screening, screening_folder
from interohm.screening.stream import finished_ranges
from interohm.settings import load_settings

CONFIG = ScreenConfig.model_validate(
    {
        "name": "three by three",
        "negative_electrodes": ["Li", "LiC6", "LiIn"],
        "electrolytes": ["LLZO", "LiPON"],
        "positive_electrodes": ["LiCoO2", "LiFePO4", "LiMn2O4"],
        "states_of_charge": [0, 1],
        "count": 5,
        "survivors": 3,
        "samples": 50,
    }
)


def quiet(stage: str, total: int):
    return lambda more: None


def here(tmp_path, name, monkeypatch) -> Screening:
    monkeypatch.setenv("INTEROHM_DATA", str(tmp_path / name))
    with Database.open() as database:
        records = find_records(CONFIG, database, relative_to=Path(), where="test")
    folder = screening_folder(CONFIG, records, load_settings().data / "screens")
    return Screening(CONFIG, records, folder, where="test")


def without_folder(document):
    return {key: value for key, value in document.items() if key != "folder"}


def test_jobs_add_up(tmp_path, monkeypatch):
    alone = run_screening(here(tmp_path, "alone", monkeypatch), quiet).document()
    screening = here(tmp_path, "jobs", monkeypatch)
    keep_asked(screening)
    # what becomes of the records meanwhile makes no difference to what was asked
    other = shipped_material("LLZO")
    with Database.open(write=True) as database:
        gap = {"band_gap_eV": other.band_gap_eV.model_copy(update={"value": 5.5})}
        database.save_material(other.model_copy(update=gap))
    flow = screening_flow(screening, 3)
    store = JobStore(MemoryStore())
    outputs = run_locally(flow, store=store, ensure_success=True, log=False)
    assert len(outputs) == 1 + 3 + 1
    ranges = finished_ranges(screening.folder_of(300, 0) / "ranges", 18)
    assert ranges == [(0, 6), (6, 12), (12, 18)]
    assert without_folder(run_screening(screening, quiet).document()) == without_folder(alone)


def test_parts_that_are_missing_are_screened(tmp_path, monkeypatch):
    alone = run_screening(here(tmp_path, "alone", monkeypatch), quiet).document()
    screening = here(tmp_path, "jobs", monkeypatch)
    prepare(screening, quiet)
    screen_part(screening, quiet, place=1, of=3)
    assert finished_ranges(screening.folder_of(300, 1) / "ranges", 18) == [(6, 12)]
    assert without_folder(run_screening(screening, quiet).document()) == without_folder(alone)
