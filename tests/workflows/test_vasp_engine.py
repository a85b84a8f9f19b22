"""The VASP engine: what it does where VASP is missing, and a finished run played back."""

from __future__ import annotations

import gzip
import os
import re
import time
from pathlib import Path

import pytest
from pymatgen.core import Structure
from vasp_writer import potcar

from interohm.cli import main
from interohm.database import Database
from interohm.errors import InputError
from interohm.postprocess.calculation import Calculation, MigrationPath
from interohm.postprocess.vasp import read_vasp
from interohm.records import Insulator
from interohm.slab_builders.equivalence import settings_between
from interohm.workflows.campaign import campaign_flow, dry_run, load_campaign
from interohm.workflows.engines.protocol import CalculationError, Progress
from interohm.workflows.engines.request import CalculationRequest
from interohm.workflows.engines.vasp import VaspEngine
from interohm.workflows.engines.vasp_inputs import write_inputs
from interohm.workflows.equivalents import in_setting
from interohm.workflows.local import run_campaign
from interohm.workflows.vasp_campaign import PLAN, write_campaign_inputs
from interohm.yaml_io import load_yaml

pytestmark = pytest.mark.calculates
ROOT = Path(__file__).parents[2]
RUN = ROOT / "tests" / "data" / "vasp" / "Mg_Ga" / "q=-1"

POTCAR = potcar(
    ("Mg", "PAW_PBE Mg 13Apr2007", 2.0),
    ("Ga", "PAW_PBE Ga_d 06Jul2010", 13.0),
    ("N", "PAW_PBE N 08Apr2002", 5.0),
)
CAMPAIGN = f"""
name: interlayer
engine: vasp
preset: vasp
metal_structure: {ROOT}/configs/structures/Li.cif
phases:
  - name: Li
    kind: metal
    structure: {ROOT}/configs/structures/Li.cif
    facet: [1, 1, 0]
  - name: LiF
    kind: insulator
    structure: {ROOT}/configs/structures/LiF.cif
    facet: [0, 0, 1]
    dielectric_constant: 9.0
"""


@pytest.fixture
def campaign(tmp_path: Path) -> Path:
    path = tmp_path / "campaign.yaml"
    path.write_text(CAMPAIGN)
    return path


@pytest.fixture
def no_vasp(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.fixture
def played_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a vasp_std on the PATH that leaves the files of a finished run; return their folder."""
    files = tmp_path / "finished"
    files.mkdir()
    for name in ("vasprun.xml", "CONTCAR"):
        (files / name).write_bytes(gzip.decompress((RUN / f"{name}.gz").read_bytes()))
    (files / "OSZICAR").write_text("DAV:   1    0.1E+01\n   1 F= -.20E+03 E0= -.20E+03  d E =0\n")
    cores = "".join(f"{number:8d}{-40 - number / 100:9.4f}\n" for number in range(1, 33))
    (files / "OUTCAR").write_text(
        " average (electrostatic) potential at core\n"
        f"  (the norm of the test charge is              1.0000)\n{cores}\n"
        "                  Elapsed time (sec):       61.500\n"
    )
    program = tmp_path / "bin" / "vasp_std"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ncp {files}/* .\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    return files


def mg_on_ga() -> CalculationRequest:
    """Ask for the played-back calculation, the sites in another order than POSCAR's."""
    sites = list(read_vasp(RUN).final_structure)
    settings = {
        "xc": "PBEsol",
        "periodic_axes": 3,
        "kpoint_length_A": 10,
        "input_set": "defect_relax",
        "cutoff_eV": 500,
        "incar": {},
        "potcars": {"functional": "PBE_54", "symbols": {}},
    }
    return VaspEngine().request(Structure.from_sites(sites[::-1]), "relax", settings, -1)


def calculated(request: CalculationRequest, folder: Path, potcar: str = POTCAR) -> Calculation:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "POTCAR").write_text(potcar)
    run = VaspEngine().start(request, folder)
    try:
        run.wait()
    finally:
        run.stop()
    return run.result()


def test_a_run_ends_in_the_document_that_was_asked_for(played_back: Path, tmp_path: Path) -> None:
    request = mg_on_ga()
    assert request.settings["incar"]["NELECT"] == 2 + 15 * 13 + 16 * 5 + 1
    found = calculated(request, tmp_path / "run")
    alone = read_vasp(RUN)
    assert found.hash == request.hash
    assert found.engine == "vasp"
    assert found.settings == request.settings
    assert found.charge == -1
    assert found.energy_eV == alone.energy_eV
    assert found.wall_time_s == 61.5
    # Mg comes first in POSCAR and last in the request.
    assert found.final_structure[-1].specie.symbol == "Mg"
    assert found.final_structure[-1].frac_coords == pytest.approx(
        alone.final_structure[0].frac_coords
    )
    assert found.site_potentials_eV[-1] == pytest.approx(-40.01)
    for potential, site in zip(found.site_potentials_eV, found.final_structure, strict=True):
        row = round((-40 - potential) * 100) - 1
        assert site.frac_coords == pytest.approx(alone.final_structure[row].frac_coords)


def test_stopping_a_run_stops_vasp(played_back: Path, tmp_path: Path) -> None:
    program = tmp_path / "bin" / "vasp_std"
    program.write_text(
        f"#!/bin/sh\necho $$ > {tmp_path}/partial && mv {tmp_path}/partial "
        f"{tmp_path}/pid\nexec sleep 600\n"
    )
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "POTCAR").write_text(POTCAR)
    run = VaspEngine().start(mg_on_ga(), folder)
    try:
        for _ in range(1200):
            if (tmp_path / "pid").exists() or run.finished():
                break
            time.sleep(0.1)
        number = int((tmp_path / "pid").read_text())
        assert not run.finished()
        (folder / "OSZICAR").write_text("RMM:   3\n   1 F= -.2E+03 E0= -.2E+03\nDAV:   4   0.1\n")
        assert run.progress() == Progress(ionic_step=2, scf_iteration=4, max_force_eV_A=None)
    finally:
        run.stop()
    assert run.finished()
    for _ in range(100):
        if not alive(number):
            return
        time.sleep(0.1)
    raise AssertionError("VASP goes on without its launcher")


def alive(number: int) -> bool:
    """Whether a process runs; one that ended and was not asked for its status does not."""
    try:
        status = Path(f"/proc/{number}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize("whole", [True, False])
def test_a_killed_relaxation_goes_on_from_its_last_geometry(
    played_back: Path, tmp_path: Path, whole: bool
) -> None:
    request = mg_on_ga()
    folder = tmp_path / "run"
    folder.mkdir()
    left = (played_back / "CONTCAR").read_text()
    (folder / "CONTCAR").write_text(left if whole else left[:300])
    calculated(request, folder)
    begun = (folder / "POSCAR").read_text()
    assert (begun == left) is whole


def test_an_unconverged_run_is_a_failure_that_names_the_file(
    played_back: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # custodian would try other settings five times.
    monkeypatch.setenv("ATOMATE2_VASP_CUSTODIAN_MAX_ERRORS", "1")
    run = played_back / "vasprun.xml"
    run.write_text(re.sub(r'(<i type="int" name="NELM">)\s*\d+', r"\g<1> 3", run.read_text()))
    with pytest.raises(CalculationError, match=r"vasprun.xml: the electrons did not converge"):
        calculated(mg_on_ga(), tmp_path / "run")


def test_a_run_that_broke_off_is_a_failure(played_back: Path, tmp_path: Path) -> None:
    run = played_back / "vasprun.xml"
    run.write_text(run.read_text()[:20_000])
    with pytest.raises(CalculationError):
        calculated(mg_on_ga(), tmp_path / "run")


def test_data_sets_with_other_electrons_are_refused(played_back: Path, tmp_path: Path) -> None:
    with pytest.raises(CalculationError, match=r"have 130 valence electrons.*made for 277"):
        calculated(mg_on_ga(), tmp_path / "run", POTCAR.replace("13.000", " 3.200"))


def test_without_vasp_a_calculation_is_not_started(no_vasp: None, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'vasp_std' is not on the PATH"):
        VaspEngine().start(mg_on_ga(), tmp_path / "run")


def test_a_hop_is_asked_for_with_its_images(
    campaign: Path, database: Database, tmp_path: Path
) -> None:
    hop = "{migration_energy_eV: calculate, attempt_frequency_Hz: 1.0e13}"
    campaign.write_text(f"{CAMPAIGN}    hops: {{V_Li: {hop}}}\n")
    rows = {row.label: row for row in dry_run(load_campaign(campaign), database)}
    request = rows["LiF: hop of V_Li"].request
    vacancy = rows["LiF: V_Li -1"].request
    assert request.kind == "neb"
    assert request.settings["incar"]["IMAGES"] == request.settings["path"]["images"] == 3
    for tag in ("NELECT", "ENCUT", "GGA"):
        assert request.settings["incar"][tag] == vacancy.settings["incar"][tag]
    write_inputs(request, tmp_path / "hop")
    assert len(list((tmp_path / "hop").glob("0?/POSCAR"))) == 5


def test_without_vasp_run_writes_all_inputs_and_submits_nothing(
    no_vasp: None,
    campaign: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INTEROHM_DATA", str(tmp_path / "project"))
    with pytest.raises(SystemExit) as ended:
        main(["run", str(campaign)])
    assert ended.value.code == 0
    assert "nothing was submitted" in capsys.readouterr().err
    assert not (tmp_path / "project").exists()
    folder = tmp_path / "interlayer-inputs"
    plan = load_yaml(folder / PLAN)["calculations"]
    assert {entry["calculation"] for entry in plan} == {
        "Li: cell",
        "Li: bulk",
        "Li: slab (110)",
        "LiF: cell",
        "LiF: bulk",
        "LiF: band edges, HSE06",
        "LiF: band edges, PBE",
        "LiF: slab (001)",
        "LiF: perfect supercell",
        "LiF: V_Li -1",
        "LiF: V_F +1",
        "LiF: Li_i +1",
    }
    for entry in plan:
        assert entry["potcars"] == "PBE_54"
        names = {path.name for path in (folder / entry["folder"]).iterdir()}
        assert names == {"INCAR", "KPOINTS", "POSCAR", "POTCAR.spec"}
        structure = Structure.from_file(folder / entry["folder"] / "POSCAR")
        assert len(structure) == entry["atoms"]
        tags = (folder / entry["folder"] / "INCAR").read_text()
        if entry["charge"]:
            assert f"NELECT = {entry['electrons']}.0\n" in tags
        else:
            assert "NELECT" not in tags


def test_what_is_calculated_is_not_written_again(
    campaign: Path, tmp_path: Path, database: Database
) -> None:
    config = load_campaign(campaign)
    first = write_campaign_inputs(config, database, tmp_path / "first")
    bulk = read_vasp(RUN.parent / "bulk_sc")
    for planned in dry_run(config, database):
        if planned.kind == "cell":
            asked = planned.request
            known = {name: getattr(asked, name) for name in ("engine", "kind", "charge")}
            known |= {"settings": asked.settings, "initial_structure": asked.structure}
            known |= {"hash": planned.hash, "structure": asked.structure}
            database.save_calculation(bulk.model_copy(update=known).model_dump())
    second = write_campaign_inputs(config, database, tmp_path / "second")
    assert len(second) == len(first) - 2
    assert not (tmp_path / "second" / "LiF" / "cell").exists()


def test_a_preset_of_another_engine_is_refused(campaign: Path) -> None:
    campaign.write_text(CAMPAIGN.replace("preset: vasp", "preset: quick"))
    with pytest.raises(InputError, match="the preset quick is for the engine gpaw, not for vasp"):
        campaign_flow(load_campaign(campaign))


def test_the_flow_makes_records_of_calculations_with_vasp(
    campaign: Path, tmp_path: Path, database: Database
) -> None:
    # Slab and supercells as small as those of the preset whose real calculations are at hand.
    preset = (ROOT / "configs" / "presets" / "vasp.yaml").read_text()
    for large, small in (("min_atoms: 200", "min_atoms: 64"), ("vacuum_A: 20", "vacuum_A: 12")):
        preset = preset.replace(large, small)
    preset = preset.replace("thickness_A: 20", "thickness_A: 10").replace("_A: 24", "_A: 14")
    (tmp_path / "small.yaml").write_text(preset.replace("name: vasp", "name: small"))
    asked = CAMPAIGN.replace("preset: vasp", "preset: small.yaml").replace("9.0", "calculate")
    hop = "{migration_energy_eV: calculate, attempt_frequency_Hz: 1.0e13}"
    campaign.write_text(f"{asked}    hops: {{V_Li: {hop}}}\n")
    known = {}
    calculations = ROOT / "tests" / "data" / "calculations"
    for folder in ("quick", "response"):
        for path in (calculations / folder).glob("*.json.gz"):
            one = Calculation.model_validate_json(gzip.decompress(path.read_bytes()))
            known[one.final_structure.formula, one.kind, one.charge] = one
    images = MigrationPath(
        coordinates_A=[0.0, 1.4, 2.8], energies_eV=[-300.0, -299.4, -300.0], symmetric=False
    )
    relaxed = known["Li31 F32", "relax", -1]
    hopping = {"kind": "neb", "path": images, "initial_structure": relaxed.structure}
    known["Li31 F32", "neb", -1] = relaxed.model_copy(update=hopping)
    config = load_campaign(campaign)
    # Cells first: what follows from them has their relaxed structures; then ends, then the path.
    for _ in range(3):
        for planned in dry_run(config, database):
            formula = planned.request.initial_structure.formula
            done = known[formula, planned.kind, planned.charge]
            initial = Structure.from_dict(done.initial_structure)
            setting = next(
                settings_between(planned.request.initial_structure, initial, tolerance_A=0.05), None
            )
            if setting is None:
                continue  # it begins with a structure that is not there yet
            done = in_setting(done, setting)
            changes = {"hash": planned.hash, "engine": "vasp", "settings": planned.request.settings}
            database.save_calculation(done.model_copy(update=changes).model_dump())
    records = run_campaign(config, database, progress=False)
    insulator = records["LiF"]
    assert isinstance(insulator, Insulator)
    assert insulator.ionization_potential_eV.value == pytest.approx(7.3535, abs=0.005)
    assert "vasp, PBE, preset small, 520 eV" in (insulator.ionization_potential_eV.method or "")
    assert insulator.provenance["engine"] == "vasp"
    energies = {defect.name: defect.formation_energy_eV.value for defect in insulator.defects}
    expected = {"V_Li": 7.0289, "Li_i": -3.7849, "V_F": -4.8560}
    assert energies == pytest.approx(expected, abs=0.005)
    constant = insulator.dielectric_constant
    assert (constant.value, constant.uncertainty) == pytest.approx((8.887, 0.2 * 8.887), abs=2e-3)
    assert "vasp, PBE, preset small, 700 eV" in str(constant.method)
    (vacancy,) = (defect for defect in insulator.defects if defect.name == "V_Li")
    assert vacancy.migration_energy_eV.value == pytest.approx(0.6)
    assert vacancy.migration_energy_eV.uncertainty == 0.1
    assert vacancy.hop_distance_nm.value == pytest.approx(0.2872, abs=2e-4)
    assert "missing" not in insulator.provenance
