"""What GPAW's engine checks before it starts, how it starts, and what it makes of what it finds."""

from __future__ import annotations

import gzip
import shutil
import sys
from collections import namedtuple
from pathlib import Path

import gpaw_data
import pytest
from pymatgen.core import Lattice, Structure

from interohm.errors import InputError
from interohm.workflows.campaign import campaign_flow
from interohm.workflows.campaign_config import CampaignConfig
from interohm.workflows.engines import engine_named, gpaw
from interohm.workflows.engines.gpaw import GpawEngine, GpawRun, worker_command
from interohm.workflows.engines.protocol import CalculationError, Progress
from interohm.workflows.engines.request import CalculationRequest
from interohm.workflows.engines.worker_run import WorkerRun
from interohm.workflows.presets import Preset, load_preset
from interohm.yaml_io import dump_yaml

SHIPPED = sorted((Path(__file__).parents[2] / "configs" / "calculations").glob("*.json.gz"))


def rock_salt(cation: str, anion: str) -> Structure:
    sites = [[0, 0, 0], [0.5, 0.5, 0.5]]
    return Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.5), [cation, anion], sites)


def request() -> CalculationRequest:
    preset = load_preset("quick")
    assert isinstance(preset, Preset)
    settings = preset.insulator.bulk.engine_settings("PBE")
    return GpawEngine().request(rock_salt("Li", "F"), "static", settings, 0)


def test_missing_data_sets_and_functionals_are_named() -> None:
    engine = GpawEngine()
    engine.check_elements(rock_salt("Li", "F"), {"xc": "PBE"})
    with pytest.raises(InputError, match=r"no PBE data set of Pu.*GPAW_SETUP_PATH"):
        engine.check_elements(rock_salt("Pu", "O"), {"xc": "PBE"})
    with pytest.raises(InputError, match=r"no functional PBEE"):
        engine.check_elements(rock_salt("Li", "F"), {"xc": "PBEE"})
    potcars = {"functional": "PBE_54", "symbols": {"Li": "Li_no"}}
    with pytest.raises(InputError, match="Li_no is not known"):
        engine_named("vasp").check_elements(rock_salt("Li", "F"), {"potcars": potcars})


def test_they_are_named_before_anything_is_calculated(tiny: CampaignConfig, tmp_path: Path) -> None:
    rock_salt("Li", "Am").to(str(tmp_path / "odd.cif"))
    phase = tiny.phases[1].model_copy(update={"structure": str(tmp_path / "odd.cif")})
    campaign = tiny.model_copy(update={"phases": [phase]})
    campaign._folder = tiny.folder
    with pytest.raises(InputError, match=r"phases\[0\] LiF: structure.*data set of Am"):
        campaign_flow(campaign)

    preset = load_preset(tiny.preset, folder=tiny.folder).model_dump(mode="json")
    (tmp_path / "odd.yaml").write_text(dump_yaml({**preset, "xc": "NONE"}))
    campaign = tiny.model_copy(update={"preset": str(tmp_path / "odd.yaml")})
    campaign._folder = tiny.folder
    with pytest.raises(InputError, match="no functional NONE"):
        campaign_flow(campaign)


def test_mpi_where_it_is_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    worker = ["-m", "interohm.workflows.engines.gpaw_worker", str(tmp_path)]
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(gpaw, "has_mpi", lambda: True)
    assert worker_command(tmp_path, 1) == [sys.executable, *worker]
    parallel = ["/usr/bin/mpiexec", "-n", "4", sys.executable, "-m", "gpaw", "python", *worker]
    assert worker_command(tmp_path, 4) == parallel
    monkeypatch.setattr(gpaw, "has_mpi", lambda: False)
    assert worker_command(tmp_path, 4) == [sys.executable, *worker]
    monkeypatch.setattr(gpaw, "has_mpi", lambda: True)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert worker_command(tmp_path, 4) == [sys.executable, *worker]


def test_a_full_disk_is_said_before_the_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    usage = namedtuple("usage", ("total", "used", "free"))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**12, 10**12, 10**6))
    with pytest.raises(InputError, match=r"the disk is full: 1 MB are left.*INTEROHM_DATA"):
        GpawEngine().start(request(), tmp_path / "scratch")
    assert not list((tmp_path / "scratch").iterdir())
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="folder cannot be created"):
        GpawEngine().start(request(), tmp_path / "file" / "scratch")


@pytest.mark.calculates
@pytest.mark.parametrize(
    ("leaves", "reason"),
    [
        ("", "ended with status 0"),
        ('echo \'{"hash": "\' > result.json', "result is incomplete"),
        ("echo '{}' > result.json", "result is incomplete"),
        ("cp shipped.json result.json", "result is of another calculation"),
        ('echo \'{"error": "no luck"}\' > failure.json', "no luck"),
        (": > failure.json; exit 7", "ended with status 7"),
    ],
    ids=["nothing", "half", "empty", "another", "failure", "disk full while failing"],
)
def test_what_is_no_result_is_a_failure(leaves: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "shipped.json").write_bytes(gzip.decompress(SHIPPED[0].read_bytes()))
    run = WorkerRun(request(), tmp_path, ["sh", "-c", f"cd {tmp_path}; {leaves}"])
    run.wait()
    with pytest.raises(CalculationError, match=rf"{reason}.*worker\.log"):
        run.result()
    asked = CalculationRequest.model_validate_json((tmp_path / "request.json").read_text())
    assert asked.hash == request().hash
    assert asked.scf_retries == request().scf_retries != []


@pytest.mark.dft
def test_a_disk_that_fills_up_is_said(tmp_path: Path) -> None:
    """The worker cannot write its log: GPAW ends with what the system says."""
    (tmp_path / "gpaw.txt").symlink_to("/dev/full")
    run = GpawEngine().start(request(), tmp_path)
    run.wait()
    with pytest.raises(CalculationError, match=r"the disk is full; free space"):
        run.result()


def test_a_log_is_read_wherever_gpaw_stopped_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GPAW flushes its buffer in the middle of a line."""
    monkeypatch.delenv("INTEROHM_FORBID_CALCULATIONS")  # nothing is calculated: the worker ends
    run = GpawRun(request(), tmp_path, [sys.executable, "-c", ""])
    run.wait()
    assert run.progress() is None
    before = "     iterations:\n" + 200 * "|iter:   1| 19:12:04 |   -9.017714 | -0.22 |       |\n"
    lines = [f"|iter:{n:4}| 19:12:{n} |   -8.{n}5146 | -1.98 | -1.16 |\n" for n in range(98, 102)]
    log, last = "".join(lines), 1
    for end in range(len(log) + 1):
        (tmp_path / "gpaw.txt").write_text(before + log[:end])
        written = 97 + log[:end].count("|iter:")
        read = run.progress()
        assert isinstance(read, Progress)
        assert read.scf_iteration in ({written, last} if written > 97 else {1})
        assert read.scf_iteration >= last
        last = read.scf_iteration
    assert last == 101


def test_electrons_are_the_same_without_gpaw(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, folder = GpawEngine(), Path(gpaw_data.__file__).parent / "setups"
    elements = {path.name.partition(".")[0] for path in folder.glob("*.PBE.gz")}
    alone = {one: Structure(Lattice.cubic(4.5), [one], [[0, 0, 0]]) for one in sorted(elements)}
    counted = {one: engine.valence_electrons(structure, {}) for one, structure in alone.items()}
    monkeypatch.setitem(sys.modules, "gpaw", None)
    known = {one: engine.valence_electrons(structure, {}) for one, structure in alone.items()}
    assert known == counted
    assert len(known) > 80
    with pytest.raises(InputError, match="no PBE data set of Am and Pu"):
        engine.valence_electrons(rock_salt("Pu", "Am"), {})
