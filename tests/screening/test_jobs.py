"""A screening as jobs has the result of one on one machine."""

from __future__ import annotations

import pytest
from interohm.screening.config import ScreenConfig
from interohm.screening.run import prepare, run_screening, screen_part
from interohm.screening.stream import finished_ranges
from interohm.workflows.screening_jobs import screening_flow, screening_here
from jobflow import JobStore, run_locally
from maggma.stores import MemoryStore

from interohm.database import Database

CONFIG = ScreenConfig.model_validate(
    {
        "name": "three by three",
        "negative_electrodes": ["Li", "LiC6", "LiIn"],
        "electrolytes": ["LLZO", "LiPON", "LiF"],
        "positive_electrodes": ["LiCoO2", "LiFePO4"],
        "states_of_charge": [0, 1],
        "count": 5,
        "samples": 50,
    }
)


def quiet(stage: str, total: int):
    return lambda more: None


def here(tmp_path, name, monkeypatch):
    monkeypatch.setenv("INTEROHM_DATA", str(tmp_path / name))
    with Database.open() as database:
        return screening_here(CONFIG, database, folder=tmp_path, where="test")


def without_folder(document):
    return {key: value for key, value in document.items() if key != "folder"}


def test_jobs_add_up(tmp_path, monkeypatch):
    alone = run_screening(here(tmp_path, "alone", monkeypatch), quiet)
    screening = here(tmp_path, "jobs", monkeypatch)
    flow = screening_flow(screening, folder=tmp_path, jobs=3)
    store = JobStore(MemoryStore())
    outputs = run_locally(flow, store=store, ensure_success=True, log=False)
    assert len(outputs) == 1 + 3 + 1
    ranges = finished_ranges(screening.folder_of(300, 0) / "ranges", 18)
    assert ranges == [(0, 6), (6, 12), (12, 18)]
    (result,) = (out[1].output for out in outputs.values() if isinstance(out[1].output, dict))
    assert result["states"][0]["best"] == alone["states"][0]["best"]
    assert without_folder(run_screening(screening, quiet)) == without_folder(alone)


def test_parts_that_are_missing_are_screened(tmp_path, monkeypatch):
    alone = run_screening(here(tmp_path, "alone", monkeypatch), quiet)
    screening = here(tmp_path, "jobs", monkeypatch)
    prepare(screening, quiet)
    screen_part(screening, quiet, place=1, of=3)
    assert finished_ranges(screening.folder_of(300, 1) / "ranges", 18) == [(6, 12)]
    assert without_folder(run_screening(screening, quiet)) == without_folder(alone)


def test_other_records_than_submitted_are_refused(tmp_path, monkeypatch):
    screening = here(tmp_path, "jobs", monkeypatch)
    flow = screening_flow(screening, folder=tmp_path, jobs=1)
    from interohm.materials import shipped_material

    other = shipped_material("LLZO")
    with Database.open(write=True) as database:
        gap = {"band_gap_eV": other.band_gap_eV.model_copy(update={"value": 5.5})}
        database.save_material(other.model_copy(update=gap))
    with pytest.raises(Exception, match="not those that it was submitted with"):
        run_locally(
            flow, store=JobStore(MemoryStore()), ensure_success=True, raise_immediately=True
        )
