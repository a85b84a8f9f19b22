"""A job run by itself, as a worker of a queue runs it: the database is the one of the settings."""

from __future__ import annotations

from pathlib import Path

import pytest
from pymatgen.core import Lattice, Structure

from interohm.database import Database
from interohm.workflows.calculations import calculate, find_calculation
from interohm.workflows.campaign import memory_store
from interohm.workflows.presets import load_preset

TINY = Path(__file__).parents[1] / "data" / "presets" / "tiny.yaml"


@pytest.mark.dft
def test_a_job_finds_its_database_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTEROHM_DATA", str(tmp_path))
    monkeypatch.delenv("INTEROHM_MONGODB_URI", raising=False)
    preset = load_preset(str(TINY))
    settings = preset.metal.bulk.engine_settings(preset.xc)
    primitive = Structure(Lattice.cubic(3.5), ["Li", "Li"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    store = memory_store()
    outputs, written = [], []
    for _ in range(2):
        job = calculate(primitive, engine="gpaw", kind="static", settings=settings)
        outputs.append(job.run(store).output)
        (log,) = (tmp_path / "scratch").glob("*/gpaw.txt")
        written.append(log.stat().st_mtime_ns)
    assert written[0] == written[1]
    assert outputs[0] == outputs[1]
    with Database.open() as database:
        found = find_calculation(database, outputs[0]["hash"])
        assert found is not None
        assert found.energy_eV == pytest.approx(-3.8, abs=0.1)
        assert database.count("calculations") == 1
