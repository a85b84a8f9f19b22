"""Records from VASP folders: the calculations of a real flow, written down as VASP would have."""

from __future__ import annotations

import gzip
import json
import re
import shutil
from pathlib import Path

import pytest
from pymatgen.core import Lattice, Structure
from vasp_writer import write_calculation, write_path

from interohm.cli import main
from interohm.database import Database
from interohm.errors import InputError
from interohm.postprocess.calculation import Calculation
from interohm.postprocess.levels import work_function
from interohm.records import Insulator, Metal
from interohm.settings import load_settings
from interohm.slab_builders.cells import Crystal
from interohm.slab_builders.hops import after_hop, vacancy_hop
from interohm.slab_builders.identify import has_vacuum, identify_defect, repeat_distance
from interohm.slab_builders.slabs import Facet
from interohm.workflows import vasp_import
from interohm.workflows.vasp_import_config import (
    ImportConfig,
    ImportedElectrode,
    ImportedInsulator,
    ImportedInterface,
    ImportedMetal,
)
from interohm.yaml_io import load_yaml, validated

DATA = Path(__file__).parents[1] / "data"
IMPORT = """
mobile_ion: Li
phases:
  - {kind: metal, name: Li, formula: Li, facet: [1, 1, 0]}
  - kind: insulator
    name: LiF
    formula: LiF
    facet: [0, 0, 1]
    dielectric_constant: 9.0
"""
NAMES = {
    "Li1F1 static 0": "bulk",
    "Li6F6 static 0": "surface",
    "Li32F32 static 0": "supercell",
    "Li31F32 relax -1": "defects/a",
    "Li33F32 relax 1": "defects/b",
    "Li32F31 relax 1": "defects/c",
    "Li1 static 0": "metal/bulk",
    "Li6 static 0": "metal/slab",
}


def import_folder(root: Path) -> tuple[list[Insulator | Metal], list[Calculation]]:
    """Import where every phase has to get its record."""
    made = vasp_import.import_folder(root)
    for error in made.failures.values():
        raise error
    return made.records, made.calculations


@pytest.fixture(scope="module")
def calculations() -> dict[str, Calculation]:
    found = {}
    for path in sorted((DATA / "calculations" / "quick").glob("*.json.gz")):
        one = Calculation.model_validate_json(gzip.decompress(path.read_bytes()))
        formula = one.final_structure.composition.formula.replace(" ", "")
        found[f"{formula} {one.kind} {one.charge}"] = one
    return found


@pytest.fixture
def finished(calculations: dict[str, Calculation], tmp_path: Path) -> Path:
    root = tmp_path / "finished"
    for key, name in NAMES.items():
        write_calculation(calculations[key], root / name)
    (root / "import.yaml").write_text(IMPORT)
    return root


def test_the_records_are_those_of_the_flow(
    finished: Path, calculations: dict[str, Calculation]
) -> None:
    expected_metal = work_function(calculations["Li6 static 0"])
    (metal, insulator), read = import_folder(finished)
    assert len(read) == 8
    assert isinstance(metal, Metal)
    assert isinstance(insulator, Insulator)
    # As `interohm run` made them of the same calculations.
    assert metal.states[0].work_function_eV.value == pytest.approx(expected_metal, abs=1e-3)
    assert insulator.ionization_potential_eV.value == pytest.approx(7.3535, abs=0.01)
    assert insulator.band_gap_eV.value == pytest.approx(8.8266, abs=1e-4)
    defects = {defect.name: defect for defect in insulator.defects}
    energies = {name: defect.formation_energy_eV.value for name, defect in defects.items()}
    expected = {"V_Li": 7.0289, "Li_i": -3.7849, "V_F": -4.8560}
    assert energies == pytest.approx(expected, abs=2e-3)
    assert {name: (d.charge, d.ion_change) for name, d in defects.items()} == {
        "V_Li": (-1, -1.0),
        "Li_i": (1, 1.0),
        "V_F": (1, 1.0),
    }
    density = 4 / 67.08e-24
    assert defects["V_Li"].site_density_cm3.value == pytest.approx(density, rel=1e-3)
    assert defects["V_F"].site_density_cm3.value == pytest.approx(density, rel=1e-3)
    assert defects["Li_i"].site_density_cm3.value == pytest.approx(2 * density, rel=1e-3)
    assert insulator.provenance["folders"]["supercell"] == "supercell"
    assert insulator.provenance["folders"]["slab"] == "surface"


def test_charge_states_of_one_defect_share_a_sublattice(
    finished: Path, calculations: dict[str, Calculation]
) -> None:
    charged = calculations["Li31F32 relax -1"]
    fewer = {"electrons": charged.electrons - 1, "energy_eV": charged.energy_eV + 2.0}
    write_calculation(charged.model_copy(update=fewer), finished / "defects" / "neutral")
    insulator = import_folder(finished)[0][1]
    assert isinstance(insulator, Insulator)
    states = {d.charge: d for d in insulator.defects if d.sublattice == "V_Li"}
    assert {charge: defect.name for charge, defect in states.items()} == {
        -1: "V_Li_-1",
        0: "V_Li_+0",
    }
    difference = states[-1].formation_energy_eV.value - states[0].formation_energy_eV.value
    assert insulator.provenance["transition_levels"] == {
        "V_Li": [
            {"from_charge": 0, "to_charge": -1, "level_eV": pytest.approx(difference, abs=2e-4)}
        ]
    }


def test_a_given_hop_belongs_to_a_defect_that_is_there(finished: Path) -> None:
    given = {"migration_energy_eV": 0.3, "attempt_frequency_Hz": 1e13, "hop_distance_nm": 0.2}
    (finished / "import.yaml").write_text(f"{IMPORT}    hops: {{V_Lx: {json.dumps(given)}}}\n")
    with pytest.raises(InputError, match=r"hops: V_Lx is not one of the defects.*V_Li"):
        import_folder(finished)


HOP = {"migration_energy_eV": "calculate", "attempt_frequency_Hz": 1e13}


@pytest.fixture
def moving(finished: Path, calculations: dict[str, Calculation]) -> Path:
    """The same with a dielectric response, and the path of the lithium vacancy."""
    (file,) = (DATA / "calculations" / "response").glob("*.json.gz")
    response = Calculation.model_validate_json(gzip.decompress(file.read_bytes()))
    write_calculation(response, finished / "dielectric")
    perfect = calculations["Li32F32 static 0"].final_structure
    before = calculations["Li31F32 relax -1"].final_structure
    empty = perfect.lattice.get_all_distances(
        identify_defect(perfect, before).position, perfect.frac_coords
    )[0].argmin()
    after = after_hop(perfect, vacancy_hop(perfect, int(empty), before), before)
    images = before.interpolate(after, nimages=4)
    together = [Structure.from_sites(sorted(one, key=lambda site: site.specie.X)) for one in images]
    write_path(together, [-300.0, -299.8, -299.4, -299.8, -300.0], finished / "hops" / "V_Li")
    (finished / "hops" / "V_Li" / "vasprun.xml").write_text("<modeling>by all images</i>")
    calculate = IMPORT.replace("dielectric_constant: 9.0", "dielectric_constant: calculate")
    (finished / "import.yaml").write_text(f"{calculate}    hops: {{V_Li: {json.dumps(HOP)}}}\n")
    return finished


def test_dielectric_constant_and_barrier_come_from_folders(moving: Path) -> None:
    (_, insulator), read = import_folder(moving)
    assert isinstance(insulator, Insulator)
    assert sorted(one.kind for one in read)[:2] == ["dielectric", "neb"]
    assert len(read) == 10
    constant = insulator.dielectric_constant
    assert constant.value == pytest.approx(8.887, abs=1e-2)
    assert constant.uncertainty == pytest.approx(0.2 * constant.value, rel=1e-3)
    assert "of it by electrons" in str(constant.source)
    (vacancy,) = (defect for defect in insulator.defects if defect.name == "V_Li")
    assert vacancy.migration_energy_eV.value == pytest.approx(0.6)
    assert vacancy.migration_energy_eV.uncertainty == 0.1
    assert "vasp, PBE, 520 eV, 63 atoms" in str(vacancy.migration_energy_eV.method)
    # Lithium sites of rock salt are a/sqrt(2) apart.
    assert vacancy.hop_distance_nm.value == pytest.approx(0.2872, abs=2e-4)
    folders = insulator.provenance["folders"]
    assert (folders["dielectric response"], folders["hop of V_Li"]) == ("dielectric", "hops/V_Li")


def test_a_path_that_is_missing_or_doubtful_is_named(moving: Path) -> None:
    shutil.copytree(moving / "hops" / "V_Li", moving / "again")
    with pytest.raises(InputError, match="hop of V_Li: these could be it: again, hops/V_Li"):
        import_folder(moving)
    config = moving / "import.yaml"
    config.write_text(config.read_text() + "    paths: {V_Li: again}\n")
    (_, insulator), _ = import_folder(moving)
    assert insulator.provenance["folders"]["hop of V_Li"] == "again"
    shutil.rmtree(moving / "again")
    shutil.rmtree(moving / "hops")
    config.write_text(config.read_text().replace("    paths: {V_Li: again}\n", ""))
    with pytest.raises(InputError, match="LiF, hop of V_Li: no folder could be it"):
        import_folder(moving)


def recharge(band: Path, electrons: int) -> None:
    for outcar in band.glob("0?/OUTCAR"):
        text = outcar.read_text()
        changed = re.sub(r"NELECT = +[\d.]+", f"NELECT = {electrons:10.4f}", text)
        assert changed != text
        outcar.write_text(changed)


def test_a_path_has_the_charge_of_the_defect(moving: Path) -> None:
    band = moving / "hops" / "V_Li"
    shutil.copytree(band, moving / "neutral")
    recharge(moving / "neutral", 255)
    (_, insulator), _ = import_folder(moving)
    assert insulator.provenance["folders"]["hop of V_Li"] == "hops/V_Li"
    config = moving / "import.yaml"
    plain = config.read_text()
    config.write_text(plain + "    paths: {V_Li: neutral}\n")
    told = r"neutral: the path has the charge \+0, V_Li of defects/a has -1"
    with pytest.raises(InputError, match=told):
        import_folder(moving)
    shutil.rmtree(band)
    config.write_text(plain)
    with pytest.raises(InputError, match=told):
        import_folder(moving)


def test_a_path_with_other_ends_is_named(moving: Path) -> None:
    outcar = moving / "hops" / "V_Li" / "04" / "OUTCAR"
    outcar.write_text(outcar.read_text().replace("-300.00000000", "-299.70000000"))
    with pytest.raises(InputError, match=r"hops/V_Li, hop of V_Li: .* ends 0\.300 eV above"):
        import_folder(moving)


def test_a_named_folder_has_to_be_what_it_is_named_for(moving: Path) -> None:
    config = moving / "import.yaml"
    plain = config.read_text()
    for line, told in (
        ("paths: {V_Li: supercell}", "supercell is not a migration path of V_Li"),
        ("response: supercell", "supercell is not a dielectric response of LiF"),
    ):
        config.write_text(f"{plain}    {line}\n")
        with pytest.raises(InputError, match=told):
            import_folder(moving)
    config.write_text(plain.replace("hops: {V_Li:", "hops: {V_Li_-1:"))
    with pytest.raises(InputError, match=r"V_Li_-1 is not one of the defects.*one of V_Li, Li_i"):
        import_folder(moving)


def test_an_unconverged_path_or_response_makes_no_record(moving: Path) -> None:
    image = moving / "hops" / "V_Li" / "02" / "OUTCAR"
    image.write_text(image.read_text().replace("reached required accuracy", ""))
    with pytest.raises(InputError, match=r"hop of V_Li: no folder .*V_Li .the ions did not conv"):
        import_folder(moving)
    image.write_text(
        image.read_text().replace(" - stopping", "reached required accuracy - stopping")
    )
    outcar = moving / "dielectric" / "OUTCAR"
    outcar.write_text(outcar.read_text().replace("EDIFF is reached", "?", 1))
    with pytest.raises(
        InputError, match=r"response: no folder .*dielectric .the electrons did not"
    ):
        import_folder(moving)


def test_what_is_calculated_needs_an_uncertainty(moving: Path) -> None:
    config = moving / "import.yaml"
    levels = ("ionization_potential", "band_gap", "formation_energy", "work_function")
    own = {name: {"value_eV": 0.2, "source": "a test"} for name in levels}
    config.write_text(config.read_text() + f"uncertainties: {json.dumps(own)}\n")
    with pytest.raises(InputError, match="dielectric_constant is calculated and needs one"):
        import_folder(moving)


def test_the_command_saves_records_and_calculations(
    finished: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("INTEROHM_DATA", str(tmp_path / "project"))
    monkeypatch.delenv("INTEROHM_MONGODB_URI", raising=False)
    with pytest.raises(SystemExit) as ended:
        main(["import", str(finished)])
    assert ended.value.code == 0
    assert "ionization_potential_eV" in capsys.readouterr().out
    with Database.open(load_settings()) as database:
        assert database.material_names() == ["Li", "LiF"]
        assert database.count("calculations") == 8


def imported(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> tuple[int, str, list[str]]:
    """Return exit code, standard error and the database's records of the command."""
    monkeypatch.setenv("INTEROHM_DATA", str(tmp_path / "project"))
    monkeypatch.delenv("INTEROHM_MONGODB_URI", raising=False)
    with pytest.raises(SystemExit) as ended:
        main(["import", str(folder)])
    with Database.open(load_settings()) as database:
        return int(ended.value.code or 0), capsys.readouterr().err, database.material_names()


@pytest.mark.parametrize(
    ("name", "saved"),
    [
        ("bulk", ["Li"]),
        ("surface", ["Li"]),
        ("supercell", ["Li"]),
        # The only defect with a negative charge.
        ("defects/a", ["Li"]),
        ("metal/slab", ["LiF"]),
        ("metal/bulk", []),
    ],
)
def test_one_run_that_broke_off_costs_the_records_that_need_it(
    finished: Path,
    name: str,
    saved: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = finished / name / "vasprun.xml"
    run.write_text(run.read_text()[:-400])
    code, told, records = imported(finished, tmp_path, monkeypatch, capsys)
    assert code == 2
    assert f"left out: {name}: {run}: the file is cut off or damaged" in told
    assert records == saved
    for lost in {"Li", "LiF"} - set(saved):
        assert f"no record {lost}: " in told


def test_a_bad_folder_beside_costs_nothing_else(
    finished: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    real = gzip.decompress((DATA / "vasp" / "Mg_Ga" / "q=-1" / "vasprun.xml.gz").read_bytes())
    steps = real.replace(b'name="NSW">    99<', b'name="NSW">     5<')
    (finished / "other").mkdir()
    (finished / "other" / "vasprun.xml").write_bytes(steps)
    for name in ("g0w0", "bse", "hse_line", "optical_transitions"):
        shutil.copytree(DATA / "vasp" / "real" / name, finished / "others" / name)
    code, told, records = imported(finished, tmp_path, monkeypatch, capsys)
    assert (code, records) == (2, ["Li", "LiF"])
    assert "other/vasprun.xml: the ions did not converge" in told
    for name in ("g0w0", "bse", "optical_transitions"):
        assert f"left out: others/{name}: " in told
    assert "not used: others/hse_line (band edges alone)" in told
    (finished / "import.yaml").write_text(IMPORT + "ignore: [other, others]\n")
    code, told, records = imported(finished, tmp_path, monkeypatch, capsys)
    assert (code, records) == (0, ["Li", "LiF"])
    assert "left out" not in told


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"OUTCAR": ""}, "there is no vasprun.xml, and OUTCAR alone is not enough"),
        ({"OUTCAR.gz": ""}, "OUTCAR.gz alone is not enough"),
        ({"CONTCAR.relax2.gz": ""}, "CONTCAR.relax2.gz alone is not enough"),
        ({"OSZICAR": ""}, "there is no vasprun.xml, and OSZICAR alone is not enough"),
        ({"run.tar.gz": ""}, "run.tar.gz is not unpacked, whatever is in it"),
        ({"vaspout.h5": ""}, "vaspout.h5 alone is not enough"),
        ({"vasprun.xml.static": ""}, "vasprun.xml.static is not a name that is read"),
        ({"INCAR": "", "POSCAR": ""}, "VASP has not run here"),
        ({"vasprun.xml.gz": None}, "it is a link to a file that is not there"),
    ],
)
def test_a_folder_that_is_not_read_is_said(
    finished: Path, files: dict[str, str | None], reason: str
) -> None:
    place = finished / "defects" / "d"
    place.mkdir()
    for name, text in files.items():
        if text is None:
            (place / name).symlink_to(place / "gone")
        else:
            (place / name).write_text(text)
    made = vasp_import.import_folder(finished)
    assert [record.name for record in made.records] == ["Li", "LiF"]
    assert reason in made.finished.left_out["defects/d"].what


def test_a_defect_that_was_lost_stands_in_the_record(
    finished: Path, calculations: dict[str, Calculation]
) -> None:
    charged = calculations["Li31F32 relax -1"]
    fewer = {"electrons": charged.electrons - 1, "energy_eV": charged.energy_eV + 2.0}
    write_calculation(charged.model_copy(update=fewer), finished / "defects" / "neutral")
    run = finished / "defects" / "neutral" / "vasprun.xml"
    run.write_text(run.read_text()[:-100])
    (_, insulator) = vasp_import.import_folder(finished).records
    assert insulator.provenance["missing"] == {"defects/neutral": "the file is cut off or damaged"}


def test_a_relaxation_and_its_static_run_are_one_defect(
    finished: Path, calculations: dict[str, Calculation]
) -> None:
    static = calculations["Li31F32 relax -1"].model_copy(update={"kind": "static"})
    write_calculation(static, finished / "defects" / "a" / "static")
    (_, insulator), _ = import_folder(finished)
    assert [defect.name for defect in insulator.defects] == ["V_Li", "Li_i", "V_F"]
    assert insulator.provenance["folders"]["defects/a/static"] == "defects/a/static"


def test_linked_folders_are_read_once(finished: Path, tmp_path: Path) -> None:
    (finished / "defects").rename(tmp_path / "scratch")
    (finished / "defects").symlink_to(tmp_path / "scratch")
    (tmp_path / "scratch" / "round").symlink_to(finished)
    (_, insulator), read = import_folder(finished)
    assert len(read) == 8
    assert len(insulator.defects) == 3


def with_bands(finished: Path, calculations: dict[str, Calculation]) -> None:
    """Make the bulk a relaxation, its edges those of runs with a fixed density."""
    bulk = calculations["Li1F1 static 0"]
    shutil.rmtree(finished / "bulk")
    write_calculation(bulk.model_copy(update={"kind": "cell"}), finished / "bulk" / "relax")
    for name, moved in (("line", 0.0), ("uniform", 0.1)):
        edges = {"vbm_eV": bulk.vbm_eV - moved + 0.02, "cbm_eV": bulk.cbm_eV + moved - 0.3}
        write_calculation(
            bulk.model_copy(update={"energy_eV": -99.0, **edges}), finished / "bulk" / name
        )
        run = finished / "bulk" / name / "vasprun.xml"
        run.write_text(
            run.read_text().replace("<incar>", '<incar><i type="int" name="ICHARG">11</i>')
        )


def test_energies_of_a_relaxation_and_edges_of_its_band_structure(
    finished: Path,
    calculations: dict[str, Calculation],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bulk = calculations["Li1F1 static 0"]
    with_bands(finished, calculations)
    (_, insulator), read = import_folder(finished)
    assert len(read) == 8  # the band structures are no calculations
    gap = bulk.cbm_eV - bulk.vbm_eV
    assert insulator.band_gap_eV.value == pytest.approx(gap - 0.32, abs=1e-4)
    assert insulator.ionization_potential_eV.value == pytest.approx(7.3535 - 0.02, abs=0.01)
    assert insulator.provenance["folders"]["band edges"] == ["bulk/line", "bulk/uniform"]
    code, told, _ = imported(finished, tmp_path, monkeypatch, capsys)
    assert code == 0
    assert "bulk" not in told
    (finished / "import.yaml").write_text(IMPORT + "    bands: [bulk/uniform]\n")
    (_, insulator), _ = import_folder(finished)
    assert insulator.band_gap_eV.value == pytest.approx(gap - 0.32 + 0.2, abs=1e-4)


def test_edges_of_another_functional_are_not_taken(
    finished: Path, calculations: dict[str, Calculation]
) -> None:
    with_bands(finished, calculations)
    for name in ("line", "uniform"):
        run = finished / "bulk" / name / "vasprun.xml"
        tag = '<incar><i type="string" name="METAGGA">R2scan</i>'
        run.write_text(run.read_text().replace("<incar>", tag))
    made = vasp_import.import_folder(finished)
    gap = calculations["Li1F1 static 0"]
    expected = gap.cbm_eV - gap.vbm_eV
    assert made.records[1].band_gap_eV.value == pytest.approx(expected, abs=1e-4)
    assert made.finished.unused == ["bulk/line", "bulk/uniform"]
    (finished / "import.yaml").write_text(IMPORT + "    bands: [bulk/line]\n")
    with pytest.raises(
        InputError, match=r"bands: bulk/line does not have .*functional PBE, there r2S"
    ):
        import_folder(finished)


@pytest.mark.parametrize(
    ("tag", "told"),
    [
        ('<i type="string" name="METAGGA">Scan</i>', "functional is SCAN, in bulk it is PBE"),
        ('<i type="int" name="IVDW">12</i>', r"functional is PBE\+D3\(BJ\), in bulk it is PBE"),
        ('<i type="logical" name="LASPH">T</i>', "LASPH is True, in bulk it is False"),
        ('<i type="string" name="PREC">Low</i>', "PREC is Low, in bulk it is Normal"),
        ('<i type="logical" name="LSORBIT">T</i>', "spin-orbit coupling is True"),
        ('<i type="string" name="LREAL">Auto</i>', "LREAL Auto, there false"),
    ],
)
def test_energies_of_other_methods_are_not_subtracted(finished: Path, tag: str, told: str) -> None:
    run = finished / "defects" / "b" / "vasprun.xml"
    run.write_text(run.read_text().replace("<incar>", f"<incar>{tag}"))
    with pytest.raises(InputError, match=f"defects/b: .*{told}"):
        import_folder(finished)


def test_what_is_in_an_ignored_folder_is_not_read(finished: Path) -> None:
    broken = finished / "old" / "x"
    broken.mkdir(parents=True)
    (broken / "vasprun.xml").write_text("<modeling>")
    for name in ("old", "old/x/", "./old"):
        (finished / "import.yaml").write_text(f"{IMPORT}ignore: [{name}]\n")
        assert len(import_folder(finished)[1]) == 8
    for name in ("odl", ".."):
        (finished / "import.yaml").write_text(f"{IMPORT}ignore: [old, {name}]\n")
        with pytest.raises(InputError, match=f"ignore: there is no folder '{name}'"):
            import_folder(finished)


def test_numbered_runs_are_no_path(finished: Path, calculations: dict[str, Calculation]) -> None:
    for name, number in zip("abc", ("00", "01", "02"), strict=True):
        place = (finished / "defects" / name).rename(finished / "defects" / number)
        key = next(key for key, folder in NAMES.items() if folder == f"defects/{name}")
        calculations[key].final_structure.to(str(place / "POSCAR"), fmt="poscar")
    (_, insulator), read = import_folder(finished)
    assert len(read) == 8
    assert isinstance(insulator, Insulator)
    assert sorted(defect.name for defect in insulator.defects) == ["Li_i", "V_F", "V_Li"]


def test_a_doubtful_folder_has_to_be_named(finished: Path) -> None:
    shutil.copytree(finished / "surface", finished / "another surface")
    with pytest.raises(InputError, match="LiF, slab: these could be it: another surface, surface"):
        import_folder(finished)
    (finished / "import.yaml").write_text(IMPORT + "    slab: surface\n")
    assert len(import_folder(finished)[0]) == 2


@pytest.mark.parametrize(
    ("lost", "reason"),
    [
        ("surface", "LiF, slab: no folder could be it"),
        ("supercell", "LiF, perfect supercell: no folder could be it"),
        ("metal", "Li, bulk: no folder could be it"),
    ],
)
def test_a_missing_calculation_is_named(finished: Path, lost: str, reason: str) -> None:
    shutil.rmtree(finished / lost)
    with pytest.raises(InputError, match=reason):
        import_folder(finished)


def test_missing_potentials_are_named(finished: Path) -> None:
    for name in ("LOCPOT", "OUTCAR"):
        (finished / "defects" / "a" / name).unlink()
    with pytest.raises(InputError, match=r"LiF: a charged defect needs potentials.*OUTCAR"):
        import_folder(finished)
    (finished / "surface" / "LOCPOT").unlink()
    with pytest.raises(InputError, match=r"LiF: the slab calculation has no planar potential"):
        import_folder(finished)


def test_an_insulator_without_the_mobile_ion_is_refused(finished: Path) -> None:
    (finished / "import.yaml").write_text(IMPORT.replace("formula: LiF", "formula: NaF"))
    with pytest.raises(InputError, match="formula: NaF does not contain Li"):
        import_folder(finished)


def test_energies_of_two_cutoffs_are_not_subtracted(finished: Path) -> None:
    run = finished / "defects" / "a" / "vasprun.xml"
    run.write_text(run.read_text().replace('"ENMAX">350.0', '"ENMAX">400.0'))
    with pytest.raises(InputError, match=r"defects/a: cutoff_eV is 400.0, in bulk it is 350.0"):
        import_folder(finished)


def test_energies_with_and_without_U_are_not_subtracted(finished: Path) -> None:
    tags = """<incar><i type="logical" name="LDAU"> T</i>
<v type="int" name="LDAUL">-1 1</v><v name="LDAUU">0.0 3.0</v><v name="LDAUJ">0.0 0.5</v>"""
    names = ("bulk", "surface", "supercell", "defects/a", "defects/b", "defects/c")
    for name in names[:-1]:
        run = finished / name / "vasprun.xml"
        run.write_text(run.read_text().replace("<incar>", tags))
    told = r"defects/c: \+U of F is none, in bulk it is \{'p': 2\.5\}"
    with pytest.raises(InputError, match=told):
        import_folder(finished)
    run = finished / names[-1] / "vasprun.xml"
    run.write_text(run.read_text().replace("<incar>", tags))
    # Lithium, without fluorine, has none.
    (_, insulator), _ = import_folder(finished)
    assert "+U (F p 2.5 eV)" in str(insulator.band_gap_eV.method)


def test_a_folder_without_import_yaml_is_told_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no import.yaml.*mobile_ion and phases"):
        import_folder(tmp_path)


def test_a_folder_without_import_yaml_says_what_it_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Real runs of others, copied as they are: whoever writes import.yaml needs to know them."""
    from interohm.cli import main

    real = DATA / "vasp" / "real"
    for name in ("d3_static", "hse_line", "g0w0"):
        shutil.copytree(real / name, tmp_path / "runs" / name)
    monkeypatch.setenv("INTEROHM_DATA", str(tmp_path / "data"))
    with pytest.raises(SystemExit) as ended:
        main(["import", str(tmp_path / "runs")])
    assert ended.value.code == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "found: d3_static: static, C (4 atoms), r2SCAN" in said
    assert "found: hse_line: band edges alone, Si, HSE06" in said
    assert "left out: g0w0: " in said
    assert "there is no import.yaml" in said
    assert not (tmp_path / "data").exists()


def test_defects_of_real_runs_are_recognized() -> None:
    perfect, flawed = (
        Structure.from_file(DATA / "vasp" / "Mg_Ga" / name / "CONTCAR.gz")
        for name in ("bulk_sc", "q=-1")
    )
    found = identify_defect(perfect, flawed)
    assert (found.name, found.element, found.change, found.replaced) == ("Mg_Ga", "Mg", 1, "Ga")
    assert found.sites == 16
    (magnesium,) = (site for site in flawed if site.specie.symbol == "Mg")
    assert perfect.lattice.get_all_distances(
        found.position, magnesium.frac_coords
    ).item() == pytest.approx(0, abs=0.3)


def test_two_defects_are_not_one() -> None:
    perfect = Structure.from_file(DATA / "vasp" / "Mg_Ga" / "bulk_sc" / "CONTCAR.gz")
    flawed = perfect.copy()
    flawed.remove_sites([0, 1])
    with pytest.raises(InputError, match="−Ga, −Ga more"):
        identify_defect(perfect, flawed)


def test_slabs_have_vacuum() -> None:
    for facet in ("101", "110"):
        assert has_vacuum(Structure.from_file(DATA / "vasp" / "slabs" / facet / "POSCAR"))
    assert not has_vacuum(Structure.from_file(DATA / "vasp" / "Mg_Ga" / "bulk_sc" / "CONTCAR.gz"))


@pytest.mark.parametrize(
    ("group", "lattice", "facet", "distance"),
    [
        ("Fm-3m", Lattice.cubic(4), (0, 0, 1), 2.0),
        ("Fm-3m", Lattice.cubic(4), (1, 1, 0), 4 / 8**0.5),
        ("Fm-3m", Lattice.cubic(4), (1, 1, 1), 4 / 3**0.5),
        ("Im-3m", Lattice.cubic(4), (1, 1, 0), 4 / 2**0.5),
        ("Im-3m", Lattice.cubic(4), (0, 0, 1), 2.0),
        ("Pm-3m", Lattice.cubic(4), (2, 0, 0), 4.0),
        ("R-3m", Lattice.hexagonal(3, 15), (0, 0, 1), 5.0),
    ],
)
def test_planar_averages_repeat_with_the_lattice_planes(
    group: str, lattice: Lattice, facet: Facet, distance: float
) -> None:
    crystal = Crystal.from_structure(Structure.from_spacegroup(group, lattice, ["Li"], [[0, 0, 0]]))
    assert repeat_distance(crystal, facet) == pytest.approx(distance)


def test_the_example_is_read() -> None:
    example = Path(__file__).parents[2] / "configs" / "examples" / "import.yaml"
    config = validated(ImportConfig, load_yaml(example), where=str(example))
    fields = {field for phase in config.phases for field in phase.model_fields_set}
    models = (ImportedMetal, ImportedInsulator, ImportedElectrode, ImportedInterface)
    assert fields == {field for model in models for field in model.model_fields}
    assert config.model_fields_set == set(ImportConfig.model_fields)


def test_every_folder_that_is_not_used_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All finished folders of others at once, under phases that none of them makes whole."""
    root = tmp_path / "real"
    shutil.copytree(DATA / "vasp" / "real", root)
    (root / "import.yaml").write_text(IMPORT.replace("formula: Li,", "formula: Si,"))
    code, told, records = imported(root, tmp_path, monkeypatch, capsys)
    assert (code, records) == (2, [])
    assert "internal error" not in told
    runs = {str(path.parent.relative_to(root)) for path in root.rglob("vasprun.xml*")}
    for name in {*runs, "Si_NEB/NEB"}:
        assert f"not used: {name}\n" in told or f": {name}" in told, name
    assert "no record LiF" in told


def test_the_zero_of_mu_is_the_mobile_elements_metal(finished: Path) -> None:
    (finished / "import.yaml").write_text(IMPORT + "    metal: bulk\n")
    with pytest.raises(InputError, match="Li metal: bulk is not a bulk of Li alone"):
        import_folder(finished)
    (finished / "import.yaml").write_text(IMPORT + "    metal: metal/bulk\n")
    assert len(import_folder(finished)[0]) == 2
