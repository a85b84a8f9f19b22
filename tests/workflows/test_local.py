"""The real flow with GPAW: from structures to records, killed, failed and found again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from interohm.database import Database
from interohm.postprocess.calculation import Calculation
from interohm.records import Insulator, Metal
from interohm.settings import Settings
from interohm.slab_builders.cells import Crystal
from interohm.slab_builders.defects import defect_supercell, vacancy_sites
from interohm.workflows.calculations import find_calculation
from interohm.workflows.campaign import CampaignConfig, dry_run, load_campaign
from interohm.workflows.campaign_config import load_structure
from interohm.workflows.engines.gpaw import GpawEngine
from interohm.workflows.engines.protocol import CalculationError, Progress
from interohm.workflows.engines.request import CalculationRequest
from interohm.workflows.local import CampaignError, run_campaign
from interohm.workflows.presets import load_preset

TINY = Path(__file__).parents[1] / "data" / "campaigns" / "tiny.yaml"
DFT = pytest.mark.dft
NOTHING_YET = Progress(ionic_step=0, scf_iteration=0, max_force_eV_A=None)


def test_a_dry_run_starts_nothing(tiny: CampaignConfig, database: Database, tmp_path: Path) -> None:
    rows = dry_run(tiny, database)
    assert not any(row.found for row in rows)
    assert database.count("calculations") == 0
    assert not (tmp_path / "project" / "scratch").exists()
    named = {row.label: row for row in rows}
    # The metal's own bulk serves as the insulators' reference: listed once.
    assert len(named) == len(rows) == 10
    vacancy = named["LiF: V_Li -1"]
    assert (vacancy.atoms, vacancy.electrons, vacancy.kpoints) == (15, 64, vacancy.kpoints)
    assert named["LiF: V_F +1"].electrons == 8 * 1 + 7 * 7 - 1
    assert named["Li: slab (110)"].kpoints[2] == 1
    # all but the cells start from what is not calculated yet
    assert {row.label for row in rows if not row.planned} == {"Li: cell", "LiF: cell"}
    assert vacancy.identity == "planned"
    assert named["LiF: cell"].identity == named["LiF: cell"].hash[:12]


class Finished(NamedTuple):
    """A campaign that was run: where, what it made, and the identities that were known before."""

    folder: Path
    records: Mapping[str, Any]
    known_before: set[str]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """The campaign, calculated once for this file."""
    folder = tmp_path_factory.mktemp("finished")
    config = load_campaign(TINY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INTEROHM_DATA", str(folder / "project"))
        patch.delenv("INTEROHM_MONGODB_URI", raising=False)
        patch.delenv("INTEROHM_FORBID_CALCULATIONS", raising=False)
        with Database.open(write=True) as database:
            exact = {row.hash for row in dry_run(config, database) if not row.planned}
            records = run_campaign(config, database, progress=False)
    return Finished(folder / "project", records, exact)


@pytest.fixture
def calculated(finished: Finished, database: Database) -> Database:
    """A database with the campaign's calculations, and no record."""
    with Database.open(Settings(data=finished.folder)) as source:
        stored = source.stored_documents("calculations")
        whole = [(one["_id"], source.whole("calculations", one)) for one in stored]
    database.save_whole("calculations", whole)
    return database


@DFT
def test_from_structures_to_records(
    tiny: CampaignConfig, finished: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTEROHM_DATA", str(finished.folder))
    with Database.open(write=True) as database:
        check_records(tiny, database, finished)


def check_records(tiny: CampaignConfig, database: Database, finished: Finished) -> None:
    """See what the campaign made, and that it has nothing left to do."""
    records = finished.records
    assert all(find_calculation(database, hash) is not None for hash in finished.known_before)
    lithium, fluoride = records["Li"], records["LiF"]
    assert isinstance(lithium, Metal)
    assert isinstance(fluoride, Insulator)
    assert lithium.states[0].work_function_eV.value == pytest.approx(3.2, abs=0.3)
    assert fluoride.ionization_potential_eV.value == pytest.approx(7.2, abs=0.5)
    assert fluoride.band_gap_eV.value == pytest.approx(9.0, abs=0.4)
    defects = {defect.name: defect for defect in fluoride.defects}
    assert {name: (d.charge, d.ion_change) for name, d in defects.items()} == {
        "V_Li": (-1, -1),
        "Li_i": (1, 1),
        "V_F": (1, 1),
    }
    energy = {name: d.formation_energy_eV.value for name, d in defects.items()}
    # Even in 16 atoms the Schottky pair costs less than the Frenkel pair.
    # The alignment has only the few sites beyond half of its length, which costs half an eV.
    assert 2.0 < energy["V_Li"] + energy["V_F"] < 5.5
    assert energy["V_Li"] + energy["V_F"] < energy["V_Li"] + energy["Li_i"] < 6.0
    assert fluoride.surface == "(001) FLi-terminated"
    for hash in fluoride.provenance["calculations"].values():
        assert find_calculation(database, hash) is not None
    assert database.material("LiF") == fluoride

    assert all(row.found and not row.planned for row in dry_run(tiny, database))
    count, begun = database.count("calculations"), time.monotonic()
    assert run_campaign(tiny, database, progress=False) == records
    assert time.monotonic() - begun < 15
    assert database.count("calculations") == count


@DFT
def test_a_failed_defect_does_not_stop_its_siblings(
    tiny: CampaignConfig, calculated: Database, tmp_path: Path
) -> None:
    """Defects that may not move fail; all that does not need them is there afterwards."""
    database = calculated
    text = Path(tiny.folder / tiny.preset).read_text()
    stiff = text.replace(
        "force_tolerance_eV_A: 0.2, max_steps: 20", "force_tolerance_eV_A: 0.001, max_steps: 1"
    )
    assert stiff.count("max_steps: 1,") == 1  # of defects; interfaces take more, and are none here
    preset = tmp_path / "stiff.yaml"
    preset.write_text(stiff)
    config = tiny.model_copy(update={"preset": str(preset)})
    config._folder = tiny.folder
    with pytest.raises(CampaignError) as caught:
        run_campaign(config, database, progress=False)
    failures = caught.value.failures
    assert set(failures) == {"LiF: V_Li -1", "LiF: Li_i +1", "LiF: V_F +1", "LiF: record"}
    assert "raise max_steps" in failures["LiF: V_F +1"]
    assert "Li_i, V_F, V_Li" in failures["LiF: record"]
    assert database.material("LiF") is None
    assert database.material("Li") is not None
    kept = {failure["hash"]: failure["reason"] for failure in database.query("failures")}
    lost = {row.hash: row.label for row in dry_run(config, database) if not row.found}
    assert {lost[hash]: reason for hash, reason in kept.items()} == {
        name: reason for name, reason in failures.items() if name != "LiF: record"
    }
    rest = {row.label for row in dry_run(config, database) if not row.found}
    assert rest == {"LiF: V_Li -1", "LiF: Li_i +1", "LiF: V_F +1"}


@DFT
def test_a_killed_relaxation_goes_on(tiny: CampaignConfig, tmp_path: Path) -> None:
    request = vacancy_request(tiny)
    engine, folder = GpawEngine(), tmp_path / "first"
    run = engine.start(request, folder)
    wait_for(lambda: run.finished() or (run.progress() or NOTHING_YET).scf_iteration > 0)
    wait_for(lambda: run.finished() or (folder / "status.json").exists())
    state = run.progress()
    assert state is not None
    assert state.ionic_step >= 2
    assert state.max_force_eV_A > 0
    assert not run.finished()
    run.stop()
    done = json.loads((folder / "status.json").read_text())["ionic_step"]

    again = engine.start(request, folder)
    again.wait()
    resumed = again.result()
    fresh = engine.start(request, folder.with_name("fresh"))
    fresh.wait()
    reference: Calculation = fresh.result()
    log = (folder / "relaxation.log").read_text()
    assert log.count("Step ") == 2
    assert resumed.ionic_steps >= done + 1
    # It repeats the geometry at which it was killed, and none before.
    assert resumed.ionic_steps <= reference.ionic_steps + 1
    assert resumed.energy_eV == pytest.approx(reference.energy_eV, abs=0.02)
    assert resumed.hash == reference.hash == request.hash


def vacancy_request(tiny: CampaignConfig) -> CalculationRequest:
    """The fluorine vacancy in the unrelaxed crystal."""
    source = load_structure(tiny.phases[1].structure, tiny.folder, where="test")
    conventional = Crystal.from_structure(source).conventional
    (site,) = vacancy_sites(conventional, "F")
    structure = defect_supercell(conventional, site, (1, 1, 2))
    preset = load_preset(tiny.preset, folder=tiny.folder)
    settings = preset.insulator.defects.engine_settings(preset.xc)
    return GpawEngine().request(structure, "relax", settings, 1)


def wait_for(condition: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@DFT
def test_electrons_that_do_not_converge_are_a_failure(tiny: CampaignConfig, tmp_path: Path) -> None:
    request = vacancy_request(tiny)
    scf = {**request.settings["scf"], "max_iterations": 2}
    hasty = request.model_copy(update={"settings": {**request.settings, "scf": scf}})
    run = GpawEngine().start(hasty, tmp_path / "hasty")
    run.wait()
    with pytest.raises(CalculationError, match=r"electrons did not converge.*worker\.log"):
        run.result()
    assert not (tmp_path / "hasty" / "result.json").exists()
